#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The userspace NAT path, live: alias jails by a TUN device, and what is left of
# it when it ends, in whichever way.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
lab_needs_tun nat
cat >rc.conf <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
ifconfig_igb0_ipv6="inet6 2001:db8:113::2/64"
cloned_interfaces="lo1"
END
cat >jail.conf <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|10.9.0.2/32"; ip6.addr = "lo1|fd09::2/128"; $forward = "tcp 8080:80"; }
db { ip4.addr = "lo1|10.9.0.3/32"; }
END
lab_lo1 "$HOST" 10.9.0.2 10.9.0.3 fd09::2
serve_world
serve "$HOST" www tcp:10.9.0.2:80
serve "$HOST" own tcp:203.0.113.2:22 udp:203.0.113.2:53
snapshot "$HOST" "$TMP/before"

# Not by in_ns: its process is to be the program itself
start()		# ARGS of nat
{
	rm -f "$TMP/nat.err"
	nsenter --net="/run/netns/$HOST" -- "$SALLYPORT" -f rc.conf -f jail.conf nat "$@" \
		>"$TMP/nat.out" 2>"$TMP/nat.err" </dev/null &
	nat=$!
	wait_for 10 grep -q '^ready$' "$TMP/nat.err" || cat "$TMP/nat.err"
}

stop()		# [SIGNAL]; exit status in $rc
{
	rc=0
	kill "-${1:-TERM}" "$nat"
	wait "$nat" 2>/dev/null || rc=$?
}

# ---- refused before anything is touched ---------------------------------------

sp -f rc.conf nat --inside tun:nat0 --outside igb0
has "nobody to translate: E2801" "E2801" "$rc $err"
sp -f rc.conf -f jail.conf nat --inside tun:nat0 --outside igb0 --max-flows 0
has "no flows: usage" "^64 .*number of flows" "$rc $err"
sp -f rc.conf -f jail.conf nat --inside tun:nat0 --outside igb0 --timeout udp=0
has "a flow of no time: usage" "^64 .*timeout is not in 1" "$rc $err"
# What no NAT can keep shows whose word counts, without waiting for an end
echo 'set timeout udp.multiple 99999999' >time.pf.conf
sp -q -f rc.conf -f jail.conf -f time.pf.conf nat --inside tun:nat0 --outside igb0
has "set timeout is obeyed: E2802" "^65 .*a timeout is not in 1.*E2802" "$rc $err"
sp -q -f rc.conf -f jail.conf -f time.pf.conf nat --inside tun:nat0 --outside igb0 \
	--timeout udp=60 --max-flows 4000000000
has "but --timeout goes before it" "^64 .*number of flows" "$rc $err"
sp -f rc.conf -f jail.conf nat --inside tun:nat0
is "without --outside: usage" 64 "$rc"
sp -f rc.conf -f jail.conf nat --inside tun:nat0 --outside igb0 --io tape
is "a way that there is none by: usage" 64 "$rc"
sp -f rc.conf -f jail.conf nat --inside tun:nat0 --outside none0
is "no such interface" 64 "$rc"
snapshot "$HOST" "$TMP/after"
same "and nothing is left of these" "$TMP/before" "$TMP/after"

# ---- out, and back --------------------------------------------------------------

start --inside tun:nat0 --outside igb0
is "TCP, UDP, ICMP leave with the outside address" "inet 203.0.113.2 inet 203.0.113.2" \
	"$(ask "$HOST" --from 10.9.0.2 tcp:192.0.2.80:80 udp:192.0.2.80:53 | xargs)"
is "IPv6 too" "inet 2001:db8:113::2 inet 2001:db8:113::2" \
	"$(ask "$HOST" --from fd09::2 'tcp:[2001:db8:80::80]:80' 'udp:[2001:db8:80::80]:53' | xargs)"
ports=$(awk '{ print $3 }' "$TMP/inet.log")
is "each from a port that the host gives to nobody" "" \
	"$(awk '$1 < 50001' <<<"$ports")$([ "$(wc -l <<<"$ports")" -eq 4 ] || echo "$ports")"
check "ping" on_host ping -qc 2 -i 0.2 -W 2 -I 10.9.0.3 192.0.2.80
check "ping, IPv6" on_host ping -qc 2 -i 0.2 -W 2 -I fd09::2 2001:db8:80::80
check "fragments" on_host ping -qc 2 -i 0.2 -W 2 -s 5000 -I 10.9.0.2 192.0.2.80
check "fragments, IPv6" on_host ping -qc 2 -i 0.2 -W 2 -s 5000 -I fd09::2 2001:db8:80::80
has "the NAT is a hop" "From 203.0.113.2 .*Time to live" \
	"$(on_host ping -c 1 -t 1 -W 2 -I 10.9.0.2 192.0.2.80)"
has "and what is behind it tells the jail" "From 203.0.113.1 .*Time to live" \
	"$(on_host ping -c 1 -t 2 -W 2 -I 10.9.0.2 192.0.2.80)"
in_ns "$ROUTER" ip link set w-inet mtu 1300
has "path MTU" "mtu = 1300" "$(on_host ping -c 1 -M "do" -s 1400 -W 2 -I 10.9.0.2 192.0.2.80)"
in_ns "$ROUTER" ip link set w-inet mtu 1500
check "the host's own packets go as ever" on_host ping -qc 1 -W 2 192.0.2.80

# ---- in ---------------------------------------------------------------------------

is "a forward leads in, with the caller's address; the host answers on its own ports" \
	"www 198.51.100.7 own 198.51.100.7 own 198.51.100.7" \
	"$(ask "$CLIENT" tcp:203.0.113.2:8080 tcp:203.0.113.2:22 udp:203.0.113.2:53 | xargs)"
is "nothing of ours answers a stranger" "silence silence" \
	"$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:50010 udp:203.0.113.2:50010 | xargs)"
is "where the NAT has no part the host refuses" refused "$(ask "$CLIENT" tcp:203.0.113.2:23)"
has "the host answers pings, once" "1 received, 0%" \
	"$(in_ns "$CLIENT" ping -c 1 -W 2 203.0.113.2)"

# ---- much, with offloads -------------------------------------------------------------

# 8 MiB each way, read and compared
bulk()		# FROM-ADDRESS TO-ADDRESS PORT
{
	on_host "$PYTHON" -EsB "$LAB_DIR/bulk.py" send --from "$1" "$2" "$3"
}
lab_start "$TMP/bulk.log" in_ns "$INET" "$PYTHON" -EsB "$LAB_DIR/bulk.py" serve 7000
check "8 MiB each way" bulk 10.9.0.2 192.0.2.80 7000
check "8 MiB each way, IPv6" bulk fd09::2 2001:db8:80::80 7000
if ! grep -q 4294967295 /proc/self/uid_map; then
	skip "lanes" "not really root"
elif [ "$(printf '6.6\n%s\n' "$(uname -r)" | sort -V | head -1)" != 6.6 ]; then
	skip "lanes" "Linux before 6.6"
else
	sp --json nat status
	check "most of it by lanes" jq -e '.sallyport.nat[0].lanes |
		.entered >= 4 and .bytes.out > 12000000 and .bytes.in > 400000' <<<"$out"
fi
is "no packet came with a wrong checksum" 0 \
	"$(wrong_sums "$INET" "$CLIENT" "$HOST")"

# ---- sealed ---------------------------------------------------------------------------

status=$(cat "/proc/$nat/status")
has "no capabilities" "CapPrm:.0000000000000000" "$status"
has "none to come" "CapBnd:.0000000000000000" "$status"
has "no new ones" "NoNewPrivs:.1" "$status"
has "few system calls" "Seccomp:.2" "$status"
is "an empty root directory" "" "$(ls -A "/proc/$nat/root/")"
[ "$(awk '{ print $3; exit }' /proc/self/uid_map)" -lt 65535 ] ||
	has "an ordinary user" "Uid:.65534.65534" "$status"

# ---- one jail floods -----------------------------------------------------------------------

before=$(ask "$HOST" --from 10.9.0.2:4000 --ports udp:192.0.2.80:53)
stop
start --inside tun:nat0 --outside igb0 --max-flows 1000
is "a restart: a mapping is what it was" "$before" \
	"$(ask "$HOST" --from 10.9.0.2:4000 --ports udp:192.0.2.80:53)"
before=$(ask "$HOST" --from 10.9.0.3:51000 --ports udp:192.0.2.80:53)
on_host "$PYTHON" -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.9.0.2", 0))
for port in range(20000, 25000):
    s.sendto(b"x", ("192.0.2.80", port))
'
mapfile -t many < <(printf 'udp:192.0.2.80:53\n%.0s' {1..100})
is "a jail that floods: its neighbour's new flows are all admitted" 100 \
	"$(ask "$HOST" --from 10.9.0.3 "${many[@]}" | grep -c '^inet 203.0.113.2$')"
is "and its mapping is the one it had" "$before" \
	"$(ask "$HOST" --from 10.9.0.3:51000 --ports udp:192.0.2.80:53)"

# ---- a second one, and the ends ---------------------------------------------------------

sp -f rc.conf -f jail.conf nat --inside tun:nat1 --outside igb0
has "a second one is refused: E2804" "^75 .*E2804" "$rc $err"
is "and does the first no harm" "inet 203.0.113.2" \
	"$(ask "$HOST" --from 10.9.0.3 tcp:192.0.2.80:80)"
stop
is "SIGTERM: exit status 0" 0 "$rc"
snapshot "$HOST" "$TMP/after"
same "and everything is as it was" "$TMP/before" "$TMP/after"

gone()
{
	snapshot "$HOST" "$TMP/after"
	cmp -s "$TMP/before" "$TMP/after"
}
start --inside tun:nat0 --outside igb0
stop KILL
wait_for 10 gone
same "SIGKILL: the same, a moment later" "$TMP/before" "$TMP/after"

start --inside tun:nat0 --outside igb0
keeper=$(pgrep -P "$nat")
kill -KILL "$keeper"
rc=0
wait "$nat" || rc=$?
is "its keeper killed: all of it ends" 70 "$rc"
has "and says so: E2803" "E2803" "$(cat "$TMP/nat.err")"
nowhere()
{
	on_host ip route get 192.0.2.80 from 10.9.0.2 2>&1 | grep -qE "unreachable|No route"
}
wait_for 10 nowhere
check "the jails' packets have nowhere to go" nowhere
start --inside tun:nat0 --outside igb0
is "the next start takes over" "inet 203.0.113.2" \
	"$(ask "$HOST" --from 10.9.0.2 tcp:192.0.2.80:80)"

# ---- the interface comes and goes ---------------------------------------------------------

is_up()
{
	[ "$(ask "$HOST" --from 10.9.0.2 --wait 0.5 tcp:192.0.2.80:80)" = "inet 203.0.113.2" ]
}
on_host ip link set igb0 down
on_host ip link set igb0 up
on_host ip route replace default via 203.0.113.1
wait_for 10 is_up
check "down and up: it goes on" is_up
has "and says so" "igb0 is down" "$(cat "$TMP/nat.err")"
stop
wait_for 10 [ ! -e "/proc/$keeper" ]
is "in the end nothing is left" "0 0" "$(on_host ip rule | grep -c 21328) $(on_host nft list tables | grep -c sallyport)"
lab_done
