#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The userspace NAT path, live, for jails with a network stack of their own: each
# way to take packets, callers from everywhere, and nothing untranslated.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
cat >rc.conf <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
ifconfig_igb0_ipv6="inet6 2001:db8:113::2/64"
END
cat >jail.conf <<'END'
$nat = "igb0";
a { vnet; vnet.interface = "epair0b"; $address = "10.1.0.5/32, fd01::5/128"; $forward = "tcp 8080:80", "udp 5353:53"; }
END
ip netns add jail-a
on_host ip link add epair0a type veth peer name e0 netns jail-a
on_host ip -batch - <<-END
	link set epair0a up
	addr add 10.1.0.1/24 dev epair0a
	addr add fd01::1/64 dev epair0a nodad
END
lab_addresses jail-a e0 10.1.0.5/24 10.1.0.1 fd01::5/64 fd01::1
wait_for 10 in_ns jail-a ping -qc 1 -W 1 fd01::1
wait_for 10 in_ns jail-a ping -qc 1 -W 1 10.1.0.1
# A host that would also forward, and must not
set_sysctl "$HOST" net/ipv4/ip_forward=1 net/ipv6/conf/all/forwarding=1
serve_world
serve jail-a a tcp:10.1.0.5:80 'tcp:[fd01::5]:80' udp:10.1.0.5:53
serve "$HOST" own tcp:203.0.113.2:22 tcp:10.1.0.1:53
lab_start "$TMP/bulk.log" in_ns "$INET" "$PYTHON" -EsB "$LAB_DIR/bulk.py" serve 7000

start()		# ARGS of nat
{
	rm -f "$TMP/nat.err"
	nsenter --net="/run/netns/$HOST" -- "$SALLYPORT" -f rc.conf -f jail.conf nat \
		--inside epair0a --outside igb0 "$@" >"$TMP/nat.out" 2>"$TMP/nat.err" </dev/null &
	nat=$!
	wait_for 10 grep -q '^ready$' "$TMP/nat.err" || cat "$TMP/nat.err"
}

stop()
{
	rc=0
	kill "$nat"
	wait "$nat" || rc=$?
}

each_way()	# NAME
{
	is "$1: out, by TCP, UDP and IPv6" \
		"inet 203.0.113.2 inet 203.0.113.2 inet 2001:db8:113::2" \
		"$(ask jail-a tcp:192.0.2.80:80 udp:192.0.2.80:53 'tcp:[2001:db8:80::80]:80' | xargs)"
	check "$1: ping, with fragments" in_ns jail-a ping -qc 1 -W 2 -s 3000 192.0.2.80
	is "$1: in, by a forward; the host's own port is the host's" "a 198.51.100.7 own 198.51.100.7" \
		"$(ask "$CLIENT" tcp:203.0.113.2:8080 tcp:203.0.113.2:22 | xargs)"
	is "$1: the jail itself by the outside address" "a 203.0.113.2" \
		"$(ask jail-a tcp:203.0.113.2:8080)"
	is "$1: and the host itself, IPv6 too" "a 203.0.113.2 a 2001:db8:113::2" \
		"$(ask "$HOST" tcp:203.0.113.2:8080 'tcp:[2001:db8:113::2]:8080' | xargs)"
	is "$1: the host by its outside and its inside address" "own 10.1.0.5 own 10.1.0.5" \
		"$(ask jail-a tcp:203.0.113.2:22 tcp:10.1.0.1:53 | xargs)"
	check "$1: much, there and back" in_ns jail-a "$PYTHON" -EsB "$LAB_DIR/bulk.py" \
		send 192.0.2.80 7000 2000000
	sp nat reload
	is "$1: rules are read anew, and it goes on" "0 inet 203.0.113.2" \
		"$rc $(ask jail-a udp:192.0.2.80:53)"
}

lanes()		# PATH of the answer to `nat status`
{
	sp --json nat status
	jq -r ".sallyport.nat[0].lanes.$1" <<<"$out"
}

programs()	# PID: how many it keeps attached
{
	find "/proc/$1/fd" -lname 'anon_inode:bpf*link' | wc -l
}

start --io packet --no-lanes
each_way "packet without lanes"
is "every packet went through the NAT" 0 "$(lanes entered)"
stop

start --io packet
each_way packet
has_lanes=$(lanes entered)
# What the kernel carries by itself goes on while rules are read anew, and is counted
if ! grep -q 4294967295 /proc/self/uid_map; then
	skip "lanes" "not really root"
elif [ "$(lanes entered)" -eq 0 ] && [ "$(printf '6.6\n%s\n' "$(uname -r)" | sort -V | head -1)" != 6.6 ]; then
	skip "lanes" "Linux before 6.6"
else
	now=$(lanes packets.out)
	in_ns jail-a "$PYTHON" -EsB "$LAB_DIR/bulk.py" send 192.0.2.80 7000 200000000 &
	bulk=$!
	reloads=0
	while kill -0 "$bulk" 2>/dev/null; do
		was=$now
		now=$(lanes packets.out)
		[ "$now" -gt "$was" ] || continue
		sp nat reload
		reloads=$((reloads + 1))
	done
	rc=0
	wait "$bulk" || rc=$?
	is "a connection outlives new rules in its lane" 0 "$rc"
	keeper=$(pgrep -P "$nat")
	is "the programs end with the keeper, whatever becomes of a worker" "2 0" \
		"$(programs "$keeper") $(programs "$(pgrep -P "$keeper")")"
	is "a worker goes before ordinary processes" -10 \
		"$(ps -o ni= -p "$(pgrep -P "$keeper")" | tr -d ' ')"
	check "there were some" [ "$reloads" -gt 0 ]
	check "its bytes went by lanes" [ "$(lanes bytes.out)" -gt 10000000 ]
	sp nat status
	has "status tells of lanes" "lanes: [0-9]{3,} packets out and [0-9]{3,} in" "$out"
	sp --json nat status
	check "and are counted as the NAT's" jq -e '.sallyport.nat[0] |
		.packets.out >= .lanes.packets.out and .translated >= .lanes.packets.out' <<<"$out"
fi
sniff "$ROUTER" w-host "$TMP/seen" --in
sniffing=$sniff_pid
forge jail-a e0 --to "$(on_host ip -j link show epair0a | jq -r '.[0].address')" \
	"udp 10.1.0.77:1 192.0.2.80:53 not-mine" "udp 10.1.0.5:1 192.0.2.80:53 lab-sentinel"
rc=0
wait "$sniffing" || rc=$?
is "the jail's own packet leaves" 0 "$rc"
is "but nothing in another's name, nor untranslated" 0 "$(grep -cE 'not-mine|10[.]1[.]0[.]' "$TMP/seen")"
# The host calls by lo: who comes from the inside with its address is somebody else
is "the host calls a forward" "a 203.0.113.2" \
	"$(ask "$HOST" --from 203.0.113.2:4000 udp:203.0.113.2:5353)"
forge jail-a e0 --to "$(on_host ip -j link show epair0a | jq -r '.[0].address')" \
	"udp 203.0.113.2:4000 203.0.113.2:5353 the-hosts-name" \
	"udp 10.1.0.5:4001 203.0.113.2:5353 my-own-name"
check "a jail calls a forward in its own name" wait_for 10 has_log a my-own-name
is "and does not go on with what the host began" 0 "$(grep -c the-hosts-name "$TMP/a.log")"
if [ "$(lanes entered)" -gt 0 ]; then
	on_host nft -f - <<-'END'
		table netdev guard {
			chain out { type filter hook egress device "igb0" priority 0; udp dport 9 drop; }
		}
	END
	wait_for 5 grep -q 'no lanes: table netdev guard, chain out' "$TMP/nat.err"
	has "rules for what leaves end the lanes" "is for what leaves igb0" "$(cat "$TMP/nat.err")"
	was=$(lanes packets.out)
	check "and all goes on" in_ns jail-a "$PYTHON" -EsB "$LAB_DIR/bulk.py" \
		send 192.0.2.80 7000 2000000
	is "through the worker" "$was" "$(lanes packets.out)"
fi
stop
is "SIGTERM: exit status 0" 0 "$rc"
if on_host nft list table netdev guard >/dev/null 2>&1; then
	start --io packet
	has "there are none from the start where such rules are" "no lanes: table netdev guard" \
		"$(cat "$TMP/nat.err")"
	check "and it works" in_ns jail-a "$PYTHON" -EsB "$LAB_DIR/bulk.py" \
		send 192.0.2.80 7000 2000000
	is "none" 0 "$(lanes entered)"
	stop
	on_host nft delete table netdev guard
fi

for io in packet-v3 xdp; do
	start --io "$io"
	each_way "$io"
	[ "$has_lanes" -eq 0 ] || check "$io: there are lanes" [ "$(lanes entered)" -gt 0 ]
	stop
done

# Libpcap takes what is whole, and so does AF_XDP where it takes anything
for end in jail-a:e0 "$ROUTER:w-host" "$HOST:epair0a" "$HOST:igb0" "$INET:eth0" "$CLIENT:eth0"; do
	in_ns "${end%:*}" ethtool -K "${end#*:}" tx off tso off gso off gro off >/dev/null 2>&1
done
for io in xdp pcap; do
	start --io "$io"
	each_way "$io without offloads"
	stop
done

lab_done
