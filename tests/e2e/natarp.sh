#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A live NAT with outside addresses that no interface has: it answers who asks for
# them, by ARP and neighbour discovery, and nobody else says a word in its stead.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
lab_needs_tun natarp
cat >rc.conf <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
ifconfig_igb0_ipv6="inet6 2001:db8:113::2/64"
cloned_interfaces="lo1"
END
cat >jail.conf <<'END'
www { ip4.addr = "lo1|10.9.0.2/32"; ip6.addr = "lo1|fd09::2/128"; }
END
cat >pf.conf <<'END'
nat on igb0 inet from 10.9.0.0/24 to any -> 203.0.113.50
nat on igb0 inet6 from fd09::/64 to any -> 2001:db8:113::50
rdr pass on igb0 inet proto tcp to 203.0.113.50 port 80 -> 10.9.0.2
rdr pass on igb0 inet6 proto tcp to 2001:db8:113::50 port 80 -> fd09::2
END
lab_lo1 "$HOST" 10.9.0.2 fd09::2
serve_world
serve "$HOST" www tcp:10.9.0.2:80 "tcp:[fd09::2]:80"
# A service of the host on all addresses, which are none of the NAT's
serve "$HOST" own tcp:0.0.0.0:22

start()		# ARGS of nat
{
	rm -f nat.err
	nsenter --net="/run/netns/$HOST" -- "$SALLYPORT" -f rc.conf -f jail.conf -f pf.conf nat \
		--inside tun:nat0 --outside igb0 "$@" >nat.out 2>nat.err </dev/null &
	nat=$!
	wait_for 10 grep -q '^ready$' nat.err || cat nat.err
}

stop()
{
	kill "$nat"
	wait "$nat"
}
both=(tcp:203.0.113.50:80 "tcp:[2001:db8:113::50]:80")

start
is "without the option nobody finds them" "unreachable unreachable" \
	"$(ask "$NEIGHBOUR" "${both[@]}" | xargs)"
stop
in_ns "$NEIGHBOUR" ip neigh flush dev eth0
in_ns "$ROUTER" ip neigh flush dev lan

sniff "$NEIGHBOUR" eth0 seen --in
start --answer-arp
told()
{
	grep -q '203[.]0[.]113[.]50' seen && grep -q '2001:db8:113::50' seen
}
check "when it begins it tells all where they are" wait_for 10 told
kill "$sniff_pid" 2>/dev/null
is "by ARP and neighbour discovery a neighbour finds them" "www 203.0.113.66 www 2001:db8:113::66" \
	"$(ask "$NEIGHBOUR" "${both[@]}" | xargs)"
is "and a client behind the router" "www 198.51.100.7 www 2001:db8:51::7" \
	"$(ask "$CLIENT" "${both[@]}" | xargs)"
has "at the interface's own link address" "203.0.113.50 .*lladdr $HOST_MAC" \
	"$(in_ns "$NEIGHBOUR" ip neigh)"
is "answers come back to them" "inet 203.0.113.50 inet 2001:db8:113::50" \
	"$({ ask "$HOST" --from 10.9.0.2 tcp:192.0.2.80:80
		ask "$HOST" --from fd09::2 'tcp:[2001:db8:80::80]:80'; } | xargs)"
is "no RST and no ICMP error of the host's, not even for its own services" \
	"silence silence silence silence" "$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.50:22 \
		udp:203.0.113.50:53 "tcp:[2001:db8:113::50]:22" "udp:[2001:db8:113::50]:53" | xargs)"
has "the NAT answers pings, once" "1 received, 0%" \
	"$(in_ns "$CLIENT" ping -c 1 -W 2 203.0.113.50)"
check "and of IPv6" in_ns "$CLIENT" ping -qc 1 -W 2 2001:db8:113::50

# ---- forgers --------------------------------------------------------------------------

is_ours()	# ADDRESS: does the router believe it
{
	[ "$(in_ns "$ROUTER" ip -j neigh show to "$1" | jq -r '.[0].lladdr')" = "$HOST_MAC" ]
}
forge "$NEIGHBOUR" eth0 "arp 203.0.113.50 203.0.113.50" "na 2001:db8:113::50 2001:db8:113::66"
check "who says that he has one is told" wait_for 10 \
	grep -q '02:00:5e:10:00:66 says on igb0 that it has 203[.]0[.]113[.]50' nat.err
check "by IPv6 too" wait_for 10 \
	grep -q '02:00:5e:10:00:66 says on igb0 that it has 2001:db8:113::50' nat.err
check "and contradicted" wait_for 10 is_ours 203.0.113.50
check "by IPv6 too, contradicted" wait_for 10 is_ours 2001:db8:113::50
# The last of them has an answer: what was asked before it would have had its own by then
sniff "$NEIGHBOUR" eth0 answers --in
forge "$NEIGHBOUR" eth0 "vlan 5 arp 203.0.113.50 203.0.113.66" \
	"arp 203.0.113.77 203.0.113.66" "arp 203.0.113.50 203.0.113.66"
wait_for 10 grep -q 'arp reply 203[.]0[.]113[.]50' answers
kill "$sniff_pid" 2>/dev/null
is "asked on a VLAN and for nobody, it says nothing" 1 \
	"$(grep -c 'arp reply' answers)"
# Too soon after the first to be contradicted at once: neighbours believe it, for a while
forge "$NEIGHBOUR" eth0 "arp 203.0.113.50 203.0.113.50" "na 2001:db8:113::50 2001:db8:113::66"
are_theirs()
{
	! is_ours 203.0.113.50 && ! is_ours 2001:db8:113::50
}
check "who says it again is believed" wait_for 5 are_theirs
check "until it is contradicted again" wait_for 15 is_ours 203.0.113.50
check "by IPv6 too, again" wait_for 15 is_ours 2001:db8:113::50
is "one line each" 2 "$(grep -c 'says on igb0' nat.err)"
is "a neighbour and a client find it as before" "www 203.0.113.66 www 198.51.100.7" \
	"$({ ask "$NEIGHBOUR" tcp:203.0.113.50:80; ask "$CLIENT" tcp:203.0.113.50:80; } | xargs)"
stop
in_ns "$NEIGHBOUR" ip neigh flush dev eth0
is "when it has ended nobody answers for them" "unreachable unreachable" \
	"$(ask "$NEIGHBOUR" "${both[@]}" | xargs)"
lab_done
