#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The userspace NAT path, live, with several workers: four jails of two workers look
# like those of one, whatever way their packets take.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
lab_needs_tun natworkers
cat >rc.conf <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
ifconfig_igb0_ipv6="inet6 2001:db8:113::2/64"
cloned_interfaces="lo1"
END
cat >alias.jail <<'END'
$nat = "igb0";
a { ip4.addr = "lo1|10.9.0.2/32"; ip6.addr = "lo1|fd09::2/128"; $forward = "tcp 8082:80"; }
b { ip4.addr = "lo1|10.9.0.3/32"; ip6.addr = "lo1|fd09::3/128"; $forward = "tcp 8083:80"; }
c { ip4.addr = "lo1|10.9.0.4/32"; $forward = "udp 5354:53"; }
d { ip4.addr = "lo1|10.9.0.5/32"; $forward = "udp 5355:53"; }
END
cat >vnet.jail <<'END'
$nat = "igb0";
v { vnet; vnet.interface = "e0b"; $address = "10.8.0.2/32, 10.8.0.3/32, fd08::3/128"; $forward = "tcp 8082:80"; }
END
lab_lo1 "$HOST" 10.9.0.2 10.9.0.3 10.9.0.4 10.9.0.5 fd09::2 fd09::3
ip netns add jail-v
on_host ip link add e0a type veth peer name e0 netns jail-v
on_host ip -batch - <<-END
	link set e0a up
	addr add 10.8.0.1/24 dev e0a
	addr add fd08::1/64 dev e0a nodad
END
lab_addresses jail-v e0 10.8.0.2/24 10.8.0.1 fd08::3/64 fd08::1
in_ns jail-v ip addr add 10.8.0.3/24 dev e0
wait_for 10 in_ns jail-v ping -qc 1 -W 1 fd08::1
wait_for 10 in_ns jail-v ping -qc 1 -W 1 10.8.0.1
serve jail-v v tcp:10.8.0.2:80
serve_world
serve "$HOST" a tcp:10.9.0.2:80
serve "$HOST" b tcp:10.9.0.3:80
serve "$HOST" c udp:10.9.0.4:53
serve "$HOST" d udp:10.9.0.5:53
lab_start "$TMP/bulk.log" in_ns "$INET" "$PYTHON" -EsB "$LAB_DIR/bulk.py" serve 7000

start()		# FILE ARGS of nat
{
	local file=$1
	shift
	rm -f "$TMP/nat.err"
	nsenter --net="/run/netns/$HOST" -- "$SALLYPORT" -f rc.conf -f "$file" nat \
		--outside igb0 "$@" >"$TMP/nat.out" 2>"$TMP/nat.err" </dev/null &
	nat=$!
	wait_for 10 grep -q '^ready$' "$TMP/nat.err" && return
	if grep -q "share packets out" "$TMP/nat.err"; then
		skip natworkers "no programs for sockets here"
		lab_done
	fi
	not_ok "it starts: $*" "$(cat "$TMP/nat.err")"
	lab_done
}

stop()
{
	rc=0
	kill "$nat"
	wait "$nat" || rc=$?
}

count()		# PATH of the answer to `nat status`
{
	sp --json nat status
	jq -r ".sallyport.nat[0].$1" <<<"$out"
}

# No lanes: for who is not really root, and before Linux 6.6
has_lanes=0
if grep -q 4294967295 /proc/self/uid_map &&
   [ "$(printf '6.6\n%s\n' "$(uname -r)" | sort -V | head -1)" = 6.6 ]; then
	has_lanes=1
fi

much()		# NAME NAMESPACE ADDRESS: there and back, by lanes where there are some
{
	local was
	was=$(count lanes.bytes.out)
	check "$1: much, there and back" in_ns "$2" "$PYTHON" -EsB "$LAB_DIR/bulk.py" send \
		--from "$3" 192.0.2.80 7000 2000000
	[ $has_lanes = 0 ] ||
		check "$1: by lanes" [ "$(count lanes.bytes.out)" -gt $((was + 100000)) ]
}

# ---- alias jails, by queues of one TUN device -----------------------------------------

sp -f rc.conf -f alias.jail nat --inside tun:nat0 --outside igb0 --workers 0
is "no workers: usage" 64 "$rc"
sp -f rc.conf -f alias.jail nat --inside tun:nat0 --outside igb0 --workers 2 --io pcap
has "a way that brings all packets to one is refused" "64 .*--workers is for packet.*E1017" "$rc $err"
sp -f rc.conf -f alias.jail nat --inside tun:nat0 --outside igb0 --workers 2 --max-flows 0
has "no flows: usage" "^64 .*number of flows" "$rc $err"

start alias.jail --inside tun:nat0 --workers 2
is "there are two" 2 "$(count workers)"
for i in 2 3 4 5; do
	is "jail $i: out, by TCP and UDP" "inet 203.0.113.2 inet 203.0.113.2" \
		"$(ask "$HOST" --from "10.9.0.$i" tcp:192.0.2.80:80 udp:192.0.2.80:53 | xargs)"
	check "jail $i: ping, with fragments" on_host ping -qc 1 -W 2 -s 3000 -I "10.9.0.$i" 192.0.2.80
done
is "known flows are not handed from worker to worker" "$(count handed)" "$(
	ask "$HOST" --from 10.9.0.3 tcp:192.0.2.80:80 >/dev/null
	count handed)"
is "IPv6, by both" "inet 2001:db8:113::2 inet 2001:db8:113::2" "$(
	for i in 2 3; do
		ask "$HOST" --from "fd09::$i" 'tcp:[2001:db8:80::80]:80'
	done | xargs)"
is "forwards, to jails of both" \
	"a 198.51.100.7 b 198.51.100.7 c 198.51.100.7 d 198.51.100.7" \
	"$(ask "$CLIENT" tcp:203.0.113.2:8082 tcp:203.0.113.2:8083 udp:203.0.113.2:5354 \
	   udp:203.0.113.2:5355 | xargs)"
is "a jail and the host by the other's outside address" "b 203.0.113.2 a 203.0.113.2 b 203.0.113.2" \
	"$( { ask "$HOST" --from 10.9.0.2 tcp:203.0.113.2:8083
	   ask "$HOST" --from 10.9.0.3 tcp:203.0.113.2:8082
	   ask "$HOST" tcp:203.0.113.2:8083; } | xargs)"
has "what is behind it tells each jail" "From 203.0.113.1 .*Time to live.*From 203.0.113.1 .*Time to live" \
	"$(for i in 2 3; do on_host ping -c 1 -t 2 -W 2 -I "10.9.0.$i" 192.0.2.80; done | xargs)"
for i in 2 3; do
	much "jail $i" "$HOST" "10.9.0.$i"
done
is "nothing came with a wrong checksum" 0 \
	"$(wrong_sums "$INET" "$CLIENT" "$HOST")"
keeper=$(pgrep -P "$nat")
first=$(pgrep -P "$keeper")
has "each of them is sealed" "^0000000000000000 0000000000000000 $" \
	"$(for p in "$first" $(pgrep -P "$first"); do
		awk '/^CapPrm/ { print $2 }' "/proc/$p/status"
	   done | tr '\n' ' ')"

# ---- new rules, and another number of workers --------------------------------------------

on_host "$PYTHON" -EsB "$LAB_DIR/bulk.py" send --from 10.9.0.3 192.0.2.80 7000 60000000 &
bulk=$!
for _ in 1 2 3; do
	sp nat reload
	is "new rules while packets flow" 0 "$rc"
done
rc=0
wait "$bulk" || rc=$?
is "a connection outlives them" 0 "$rc"
ask "$HOST" --from 10.9.0.2:6002 udp:192.0.2.80:53 >/dev/null
ask "$HOST" --from 10.9.0.3:6003 udp:192.0.2.80:53 >/dev/null
flows=$(count bindings)
stop
is "SIGTERM: exit status 0" 0 "$rc"
start alias.jail --inside tun:nat0
check "one worker takes over what two have had" [ "$(count bindings)" -eq "$flows" ]
stop
start alias.jail --inside tun:nat0 --workers 3
check "and three from one" [ "$(count bindings)" -eq "$flows" ]
has "none is lost on the way" "^0$" "$(grep -c 'do not fit' "$TMP/nat.err")"

# ---- one of them dies ----------------------------------------------------------------------

keeper=$(pgrep -P "$nat")
kill -KILL "$(pgrep -P "$(pgrep -P "$keeper")" | head -n 1)"
rc=0
wait "$nat" || rc=$?
has "the death of one is the end of all, and is told" "70 .*worker [12] has died" \
	"$rc $(xargs <"$TMP/nat.err")"

# ---- a vnet jail with addresses of both, by packet sockets ---------------------------------

for io in packet packet-v3; do
	start vnet.jail --inside e0a --workers 2 --io "$io"
	for i in 2 3; do
		is "$io: 10.8.0.$i out, by TCP and UDP" "inet 203.0.113.2 inet 203.0.113.2" \
			"$(ask jail-v --from "10.8.0.$i" tcp:192.0.2.80:80 udp:192.0.2.80:53 | xargs)"
		check "$io: 10.8.0.$i, fragments" in_ns jail-v ping -qc 1 -W 2 -s 3000 -I "10.8.0.$i" \
			192.0.2.80
		much "$io: 10.8.0.$i" jail-v "10.8.0.$i"
	done
	is "$io: IPv6, with fragments" "inet 2001:db8:113::2 0" "$( {
		ask jail-v 'tcp:[2001:db8:80::80]:80'
		in_ns jail-v ping -qc 1 -W 2 -s 3000 2001:db8:80::80 >/dev/null
		echo $?
	} | xargs)"
	is "$io: a forward" "v 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:8082)"
	is "$io: the forward from another worker's address" "v 203.0.113.2" \
		"$(ask jail-v --from 10.8.0.3 tcp:203.0.113.2:8082)"
	check "$io: that was handed from worker to worker" [ "$(count handed)" -gt 0 ]
	stop
done
lab_done
