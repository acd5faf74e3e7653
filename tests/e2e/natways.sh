#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The userspace NAT path, live, by devices of both kinds: tools that look at paths,
# frames with and without offloads, ways that change, and more than there is room for.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
lab_needs_tun natways
cat >rc.conf <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
ifconfig_igb0_ipv6="inet6 2001:db8:113::2/64"
cloned_interfaces="lo1"
END
cat >jail.conf <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|10.9.0.2/32"; ip6.addr = "lo1|fd09::2/128"; $forward = "tcp 8080:80", "udp 5353:53"; }
END
lab_lo1 "$HOST" 10.9.0.2 fd09::2
serve_world
serve "$HOST" www tcp:10.9.0.2:80 udp:10.9.0.2:53
lab_start "$TMP/bulk.log" in_ns "$INET" "$PYTHON" -EsB "$LAB_DIR/bulk.py" serve 7000

start()		# ARGS of nat
{
	rm -f "$TMP/nat.err"
	nsenter --net="/run/netns/$HOST" -- "$SALLYPORT" -f rc.conf -f jail.conf nat \
		--inside tun:nat0 --outside igb0 "$@" >"$TMP/nat.out" 2>"$TMP/nat.err" </dev/null &
	nat=$!
	wait_for 10 grep -q '^ready$' "$TMP/nat.err" || cat "$TMP/nat.err"
}

stop()
{
	kill "$nat"
	wait "$nat" || :
}

# What --io says of this host, for each that there is; and what lanes must not pass by
on_host nft -f - <<-'END'
	table netdev guard {
		chain out { type filter hook egress device "igb0" priority 0; }
	}
END
sp -f rc.conf -f jail.conf doctor -v
for io in packet packet-v3 pcap tun tap xdp; do
	has "doctor: $io" "nat --io $io: (possible|not possible: .* it needs )" "$out"
done
has "doctor: what auto takes" "possible, and what auto takes" "$out"
has "doctor: rules for what leaves" "table netdev guard, chain out .*igb0, .*no lanes" "$(xargs <<<"$out")"
on_host nft delete table netdev guard

# The other ways stand between vnet jails and the outside in natvnet.sh
ways=(auto tap)
[ "${SALLYPORT_LONG-}" != 1 ] || ways+=(packet-v3 xdp)
for io in "${ways[@]}"; do
	start --io "$io"
	is "$io: out by TCP and UDP, IPv6 too; in by forwards; from the host and the jail itself" \
		"inet 203.0.113.2 inet 203.0.113.2 inet 2001:db8:113::2 www 198.51.100.7 www 198.51.100.7 www 203.0.113.2 www 203.0.113.2" \
		"$(ask "$HOST" --from 10.9.0.2 tcp:192.0.2.80:80 udp:192.0.2.80:53 | xargs) $(
		ask "$HOST" --from fd09::2 'tcp:[2001:db8:80::80]:80') $(
		ask "$CLIENT" tcp:203.0.113.2:8080 udp:203.0.113.2:5353 | xargs) $(
		ask "$HOST" tcp:203.0.113.2:8080) $(
		ask "$HOST" --from 10.9.0.2 udp:203.0.113.2:5353)"
	check "$io: ping in fragments" on_host ping -qc 1 -W 2 -s 3000 -I 10.9.0.2 192.0.2.80
	check "$io: much, there and back" on_host "$PYTHON" -EsB "$LAB_DIR/bulk.py" \
		send --from 10.9.0.2 192.0.2.80 7000 2000000
	stop
done

# ---- however strict the host is about where packets come from ------------------------

for strict in 0 1 2; do
	for name in all default igb0 lo lo1; do
		set_sysctl "$HOST" net/ipv4/conf/$name/rp_filter=$strict
	done
	start
	is "rp_filter $strict: out; in by forwards; from the host and the jail itself" \
		"inet 203.0.113.2 inet 203.0.113.2 www 198.51.100.7 www 198.51.100.7 www 203.0.113.2 www 203.0.113.2" \
		"$(ask "$HOST" --from 10.9.0.2 tcp:192.0.2.80:80 udp:192.0.2.80:53 | xargs) $(
		ask "$CLIENT" tcp:203.0.113.2:8080 udp:203.0.113.2:5353 | xargs) $(
		ask "$HOST" tcp:203.0.113.2:8080) $(
		ask "$HOST" --from 10.9.0.2 udp:203.0.113.2:5353)"
	check "rp_filter $strict: much, there and back" on_host "$PYTHON" -EsB "$LAB_DIR/bulk.py" \
		send --from 10.9.0.2 192.0.2.80 7000 1000000
	stop
	is "rp_filter $strict: it is left as it was" "$strict $strict" \
		"$(get_sysctl "$HOST" net/ipv4/conf/all/rp_filter) $(
		get_sysctl "$HOST" net/ipv4/conf/igb0/rp_filter)"
done
for name in all default igb0 lo lo1; do
	set_sysctl "$HOST" net/ipv4/conf/$name/rp_filter=0
done

# ---- what looks at a path ----------------------------------------------------------

start
hops=$(on_host traceroute -n -q 1 -w 2 -m 4 -s 10.9.0.2 192.0.2.80 2>&1)
is "traceroute: the NAT, the router, the end" "203.0.113.2 203.0.113.1 192.0.2.80" \
	"$(awk '$1 ~ /^[0-9]+$/ { printf "%s%s", s, $2; s = " " }' <<<"$hops")"
hops=$(on_host traceroute -6 -n -q 1 -w 2 -m 4 -s fd09::2 2001:db8:80::80 2>&1)
is "and by IPv6" "2001:db8:113::2 2001:db8:113::1 2001:db8:80::80" \
	"$(awk '$1 ~ /^[0-9]+$/ { printf "%s%s", s, $2; s = " " }' <<<"$hops")"

# The way outside becomes narrower: the NAT is the router that says so, not the next one
in_ns "$ROUTER" ip link set w-host mtu 1300
on_host ip link set igb0 mtu 1300
wait_for 5 grep -q 'igb0 is up, MTU 1300' "$TMP/nat.err"
is "an MTU that changes is one line" 1 "$(grep -c 'igb0 is up, MTU 1300' "$TMP/nat.err")"
has "what does not fit any more is told of" "From 203.0.113.2 .*mtu = 1300" \
	"$(on_host ping -c 1 -M "do" -s 1400 -W 2 -I 10.9.0.2 192.0.2.80)"
has "by IPv6 too" "From 2001:db8:113::2 .*mtu=1300|From 2001:db8:113::2 .*mtu = 1300" \
	"$(on_host ping -6 -c 1 -M "do" -s 1400 -W 2 -I fd09::2 2001:db8:80::80)"
check "what may be cut is cut" on_host ping -qc 1 -M dont -s 1400 -W 2 -I 10.9.0.2 192.0.2.80
check "TCP finds its size: much, there and back" on_host "$PYTHON" -EsB "$LAB_DIR/bulk.py" \
	send --from 10.9.0.2 192.0.2.80 7000 2000000
on_host ip link set igb0 mtu 1500
in_ns "$ROUTER" ip link set w-host mtu 1500

# ---- more than there is room for -----------------------------------------------------

workers=$(pgrep -g "$nat" -f "nat --inside" || pgrep -f "nat --inside tun:nat0")
# All may be lost before they come to the ring, on a machine that is busy
ran_over()
{
	# shellcheck disable=SC2086
	kill -STOP $workers
	in_ns "$CLIENT" "$PYTHON" -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(3000):
    s.sendto(b"x", ("203.0.113.2", 50000 + i % 100))
'
	# shellcheck disable=SC2086
	kill -CONT $workers
	give_time 1
	grep -q 'igb0: [0-9]* packets came that there was no room for' "$TMP/nat.err"
}
wait_for 15 ran_over
has "a ring that runs over is one line" "^1$" "$(grep -c 'no room for' "$TMP/nat.err")"
is "and all goes on" "inet 203.0.113.2" "$(ask "$HOST" --from 10.9.0.2 tcp:192.0.2.80:80)"
stop
lab_done
