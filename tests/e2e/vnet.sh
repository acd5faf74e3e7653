#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Jails with a network stack of their own: a link each, true addresses between
# host, siblings and outside, nobody in another's name, and nothing left behind.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
mkdir -p /run/etc
cd /run/etc || exit 71
cat >rc.conf <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
ifconfig_igb0_ipv6="inet6 2001:db8:113::2/64"
defaultrouter="203.0.113.1"
ipv6_defaultrouter="2001:db8:113::1"
END
cat >jail.conf <<'END'
$nat = "igb0";
www { vnet; $address = "10.1.0.5/32, fd00::5/128"; $forward = "tcp 8080:80"; }
db { vnet; $address = "10.1.0.6, fd00:6::/64"; }
END
F=(-f rc.conf -f jail.conf)
snapshot "$HOST" "$TMP/before"

# ---- up, by each way to say where -------------------------------------------

sp "${F[@]}" up www
is "up: nobody says where the jail is" 65 "$rc"
has "up: and how to" "--jail-netns.*E1830|E1830" "$err"
sp "${F[@]}" plan
has "plan: a note that only its start can say where" N1832 "$err"
sp "${F[@]}" up www --create
is "up --create" 0 "$rc"
has "up --create: says what it made" "link epair0a of jail www" "$out"
ip netns add elsewhere
sp "${F[@]}" up db --jail-netns elsewhere
is "up --jail-netns" 0 "$rc"
sp "${F[@]}" up www --create
is "up again: nothing to do" "0 " "$rc $out"
sp "${F[@]}" plan
is "plan: nothing is left to do" 0 "$rc"
sp "${F[@]}" --json status
is "status: both are up" "true true" \
	"$(jq -r '.sallyport.status[0].jails | map(.up) | join(" ")' <<<"$out")"
sp "${F[@]}" up db --pid $$
is "up --pid of a process elsewhere: the link moves, or is refused" 0 "$rc"
sp "${F[@]}" up db --jail-netns elsewhere
is "up where it was: the link moves back" 0 "$rc"
sp_in elsewhere "${F[@]}" up db --jail-netns elsewhere
is "a jail in the host's own namespace is refused" 65 "$rc"
has "and told" E1831 "$err"

echo 'alias { ip4.addr = "lo1|10.9.0.2/32"; }' >alias.jail.conf
for place in --create "--jail-netns nowhere"; do
	# shellcheck disable=SC2086
	sp -f rc.conf -f alias.jail.conf up alias $place
	has "up ${place% *} of a jail without vnet is refused" "^64 .*'alias' is no vnet jail" "$rc $err"
done

# ---- who talks to whom, and as whom ------------------------------------------

serve www web tcp:10.1.0.5:80 'tcp:[fd00::5]:80'
serve elsewhere sql tcp:10.1.0.6:5432 'tcp:[fd00:6::1]:5432'
serve "$HOST" own tcp:203.0.113.2:22
serve "$INET" world tcp:192.0.2.80:80 'tcp:[2001:db8:80::80]:80'
is "host to jail" "web 203.0.113.2" "$(ask "$HOST" tcp:10.1.0.5:80)"
is "jail to host" "own 10.1.0.5" "$(ask www tcp:203.0.113.2:22)"
is "jail to sibling" "sql 10.1.0.5" "$(ask www tcp:10.1.0.6:5432)"
is "jail to sibling, IPv6" "sql fd00::5" "$(ask www 'tcp:[fd00:6::1]:5432')"
is "sibling to jail, IPv6" "web fd00:6::1" "$(ask elsewhere 'tcp:[fd00::5]:80')"
is "jail to the world" "world 203.0.113.2" "$(ask www tcp:192.0.2.80:80)"
is "jail to the world, IPv6" "world 2001:db8:113::2" "$(ask www 'tcp:[2001:db8:80::80]:80')"
is "forward from outside" "web 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
is "forward from outside, IPv6" "web 2001:db8:51::7" "$(ask "$CLIENT" 'tcp:[2001:db8:113::2]:8080')"
is "forward from the host" "web 203.0.113.2" "$(ask "$HOST" tcp:203.0.113.2:8080)"
is "forward from a sibling: its true address" "web 10.1.0.6" "$(ask elsewhere tcp:203.0.113.2:8080)"
is "forward from the jail itself" "web 169.254.1.1" "$(ask www tcp:203.0.113.2:8080)"

# A network of its own: the jail takes another address of it
in_ns elsewhere ip addr add fd00:6::77/128 dev epair1b nodad
serve elsewhere more 'tcp:[fd00:6::77]:5433'
is "delegated prefix: another address of it" "more fd00::5" "$(ask www 'tcp:[fd00:6::77]:5433')"

# A link that somebody sets down has lost its routes too
on_host ip link set epair0a down
on_host ip link set epair1a down
sp "${F[@]}" plan
is "set down: plan exits 1" 1 "$rc"
is "set down: and names both" "~ link epair0a of jail www,~ link epair1a of jail db" \
	"$(sed -E 's/ +\(.*//' <<<"$out" | sort | paste -sd,)"
sp "${F[@]}" up www
is "set down: up of one" "0 ~ link epair0a of jail www" "$rc $(sed -E 's/ +\(.*//' <<<"$out")"
sp "${F[@]}" apply
is "set down: apply" 0 "$rc"
sp "${F[@]}" plan
is "set down: nothing is left to do" 0 "$rc"
is "raised: host to jail" "web 203.0.113.2" "$(ask "$HOST" tcp:10.1.0.5:80)"
is "raised: jail to the world, IPv6" "world 2001:db8:113::2" "$(ask www 'tcp:[2001:db8:80::80]:80')"
is "raised: jail to sibling, IPv6" "sql fd00::5" "$(ask www 'tcp:[fd00:6::1]:5432')"
is "raised: the delegated prefix" "more fd00::5" "$(ask www 'tcp:[fd00:6::77]:5433')"

# What somebody takes away of the host's end is missed and comes back
on_host ip route del 10.1.0.5
on_host ip -6 route del fd00:6::/64
on_host ip addr flush dev epair1a
sp "${F[@]}" plan
is "taken away: plan names each part" "+ gateway 169.254.1.1/32 on link epair1a of jail db
+ gateway fe80::1/128 on link epair1a of jail db
+ route 10.1.0.5/32 on link epair0a of jail www
+ route 10.1.0.6/32 on link epair1a of jail db
+ route fd00:6::/64 on link epair1a of jail db" "$(sed -E 's/ +\(.*//' <<<"$out" | sort)"
sp "${F[@]}" apply
is "taken away: apply" 0 "$rc"
sp "${F[@]}" plan
is "taken away: nothing is left to do" 0 "$rc"
is "put back: host to jail" "web 203.0.113.2" "$(ask "$HOST" tcp:10.1.0.5:80)"
is "put back: jail to sibling, IPv6" "sql fd00::5" "$(ask www 'tcp:[fd00:6::1]:5432')"

# A link of another declaration is made anew, where it is known where the jail is
sed -i.old 's|10.1.0.5/32|10.1.0.7/32|' jail.conf
sp "${F[@]}" apply
is "another address: apply" 0 "$rc"
is "another address: the jail has it, and no other" "10.1.0.7" \
	"$(ip -n www -j -4 addr show scope global | jq -r '.[].addr_info[].local')"
has "another address: it is routed there" '^10\.1\.0\.7 dev epair0a' "$(on_host ip route)"
is "another address: the old is not" "" "$(on_host ip route show 10.1.0.5)"
sed -i 's|10.1.0.6|10.1.0.8|' jail.conf
sp "${F[@]}" apply
is "another address of a jail of which nothing says where it is: apply is refused" 65 "$rc"
has "another address: and says what to do" 'up db --pid.*' "$err"
sp "${F[@]}" up db --jail-netns elsewhere
is "another address: up, where it is said" "0 10.1.0.8" \
	"$rc $(ip -n elsewhere -j -4 addr show scope global | jq -r '.[].addr_info[].local')"
mv jail.conf.old jail.conf
sp "${F[@]}" up db --jail-netns elsewhere
sp "${F[@]}" apply
is "another address: and back" "0 web 203.0.113.2" "$rc $(ask "$HOST" tcp:10.1.0.5:80)"

# ---- nobody speaks in another's name -----------------------------------------


serve "$HOST" ears udp:203.0.113.2:5353 'udp:[2001:db8:113::2]:5353'
MAC=$(on_host ip -j link show epair0a | jq -r '.[0].address')
knows() { on_host ip neigh show "$1" dev epair0a; }

# What jail www says as its sibling, and then as itself: once that came, the rest is known
lies()
{
	on_host ip neigh flush dev epair0a
	on_host ip neigh replace fd00:6::1 lladdr 02:00:00:00:00:01 dev epair0a nud stale
	forge www epair0b --to "$MAC" "arp 169.254.1.1 10.1.0.6" "na fd00:6::1 fd00::5" \
		"udp 10.1.0.6:1 203.0.113.2:5353 lie4$1" \
		"udp [fd00:6::1]:1 [2001:db8:113::2]:5353 lie6$1" \
		"udp 192.0.2.80:1 203.0.113.2:5353 lie4$1" \
		"udp 169.254.1.1:1 203.0.113.2:5353 lie4$1" \
		"arp 169.254.1.1 10.1.0.5" \
		"udp 10.1.0.5:1 203.0.113.2:5353 true4$1" \
		"udp [fd00::5]:1 [2001:db8:113::2]:5353 true6$1"
	wait_for 10 has_log ears "true4$1" && wait_for 10 has_log ears "true6$1"
}

check "guard: the jail speaks in its own name" lies a
check "guard: ARP in its own name is taken" test -n "$(knows 10.1.0.5)"
is "guard: no IPv4 in another's name" "" "$(grep lie4a "$TMP/ears.log")"
is "guard: no IPv6 in another's name" "" "$(grep lie6a "$TMP/ears.log")"
is "guard: no ARP in another's name" "" "$(knows 10.1.0.6)"
has "guard: no neighbour advertisement in another's name" "02:00:00:00:00:01" "$(knows fd00:6::1)"
# Each of these must come through when the guard is out, or it tests nothing
sp "${F[@]}" --no-fence=source apply
check "no guard: the lies are heard" lies b
check "no guard: IPv4 in another's name" has_log ears lie4b
check "no guard: IPv6 in another's name" has_log ears lie6b
check "no guard: ARP in another's name" test -n "$(knows 10.1.0.6)"
is "no guard: neighbour advertisement in another's name" "" \
	"$(knows fd00:6::1 | grep 02:00:00:00:00:01)"
sp "${F[@]}" apply
is "apply: the guard is back" 0 "$rc"

# ---- restart, kill, down ------------------------------------------------------

ip netns add again
sp "${F[@]}" up db --jail-netns again
is "restart: the jail has another namespace" 0 "$rc"
is "restart: the link leads there" "10.1.0.6" \
	"$(in_ns again ip -j -4 addr show epair1b | jq -r '.[].addr_info[].local')"
ip netns del again
ip netns add again
wait_for 5 sh -c '! nsenter --net=/run/netns/'"$HOST"' ip link show epair1a'
sp "${F[@]}" up db --jail-netns again
is "restart: after the old one is gone" 0 "$rc"
for i in $(seq 12); do
	on_host timeout -s KILL "0.0$((i % 8 + 1))" "$SALLYPORT" -q "${F[@]}" \
		"$([ $((i % 2)) = 0 ] && echo up || echo down)" www >/dev/null 2>&1
	on_host timeout -s KILL "0.0$((i % 8 + 1))" "$SALLYPORT" -q "${F[@]}" \
		up www --create >/dev/null 2>&1
done 2>/dev/null
sp "${F[@]}" up www --create
is "killed at any point, then again" 0 "$rc"
is "killed: one link, and it works" 1 "$(on_host ip -o link show | grep -c epair0a)"
check "killed: the jail answers" on_host ping -qnc 1 -W 2 10.1.0.5
sp "${F[@]}" down www
is "down" 0 "$rc"
is "down: the link is gone" "" "$(on_host ip -o link show | grep epair0a)"
check "down: the namespace that we made is gone" test ! -e /run/netns/www
sp "${F[@]}" down db
check "down: a namespace of somebody else stays" test -e /run/netns/again
sp destroy
is "destroy" 0 "$rc"
snapshot "$HOST" "$TMP/after"
same "destroy: nothing is left" "$TMP/before" "$TMP/after"

# ---- many ----------------------------------------------------------------------

for i in $(seq 100); do
	echo "m$i { vnet; \$address = \"10.9.0.$i, fd09::$i\"; }"
done >many.jail.conf
mapfile -t all < <(seq -f 'm%g' 100)
sp -q -f rc.conf -f many.jail.conf up --create "${all[@]}"
is "a hundred up" "0 100" "$rc $(on_host ip -o link show | grep -c 'epair[0-9]*a')"
is "a hundred: they talk" "" "$(in_ns m100 ping -qnc 1 -W 2 10.9.0.1 2>&1 | grep '100% packet loss')"
sp -q -f rc.conf -f many.jail.conf down "${all[@]}"
is "a hundred down" "0 0" "$rc $(on_host ip -o link show | grep -c 'epair[0-9]*a')"
is "a hundred down: their namespaces too" "" "$(find /run/netns -name 'm[0-9]*')"
sp destroy

# ---- on a bridge ---------------------------------------------------------------

cat >bridge.jail.conf <<'END'
$gateway = "10.2.0.1, fd02::1";
a { vnet; $bridge = "bridge0"; $address = "10.2.0.11/24, fd02::11/64"; }
b { vnet; $bridge = "bridge0"; $address = "10.2.0.12/24, fd02::12/64"; }
c { vnet; $bridge = "bridge0 isolated"; $address = "10.2.0.13/24, fd02::13/64"; }
d { vnet; $bridge = "bridge0 isolated"; $address = "10.2.0.14/24, fd02::14/64"; }
END
B=(-f rc.conf -f bridge.jail.conf)
on_host ip link add bridge0 type veth peer name other
sp "${B[@]}" up --create a
is "bridge: a link of that name that is none is refused" 65 "$rc"
has "bridge: and told" E1833 "$err"
on_host ip link del bridge0
sp "${B[@]}" up --create a b c d
is "bridge: up" 0 "$rc"
reaches() { in_ns "$1" ping -qnc 1 -W 2 "$2" >/dev/null 2>&1 && echo yes || echo no; }
check "bridge: forwards" wait_for 10 in_ns a ping -qnc 1 -W 1 10.2.0.12
is "bridge: jail to jail" "yes yes" "$(reaches a 10.2.0.12) $(reaches b fd02::11)"
is "bridge: jail to host" "yes yes" "$(reaches a 10.2.0.1) $(reaches c fd02::1)"
is "bridge: an isolated jail and another" yes "$(reaches c 10.2.0.11)"
is "bridge: isolated jails do not see each other" no "$(reaches c 10.2.0.14)"
on_host ip link set epair2a down
sp "${B[@]}" plan
is "bridge: a port that was set down is told" "1 ~ link epair2a of jail c" \
	"$rc $(sed -E 's/ +\(.*//' <<<"$out")"
sp "${B[@]}" apply
is "bridge: and raised" "0 yes no" "$rc $(reaches c 10.2.0.11) $(reaches c 10.2.0.14)"
on_host ip link set epair2a nomaster
sp "${B[@]}" plan
is "bridge: a port that was taken out is told" "1 - link epair2a of jail c,+ link epair2a of jail c" \
	"$rc $(sed -E 's/ +\(.*//' <<<"$out" | paste -sd ,)"
sp "${B[@]}" apply
is "bridge: and put back" "0 yes no" "$rc $(reaches c 10.2.0.11) $(reaches c 10.2.0.14)"
serve b ears2 udp:10.2.0.12:5353 'udp:[fd02::12]:5353'
BMAC=$(in_ns b ip -j link show epair1b | jq -r '.[0].address')
AMAC=$(in_ns a ip -j link show epair0b | jq -r '.[0].address')
tell()		# MARK
{
	in_ns b ip neigh replace 10.2.0.13 lladdr 02:00:00:00:00:01 dev epair1b nud stale
	in_ns b ip neigh replace fd02::13 lladdr 02:00:00:00:00:01 dev epair1b nud stale
	forge a epair0b --to "$BMAC" "arp 10.2.0.12 10.2.0.13" "na fd02::13 fd02::11" \
		"udp 10.2.0.13:1 10.2.0.12:5353 lie4$1" "udp [fd02::13]:1 [fd02::12]:5353 lie6$1" \
		"udp 10.2.0.11:1 10.2.0.12:5353 true4$1" "udp [fd02::11]:1 [fd02::12]:5353 true6$1"
	wait_for 10 has_log ears2 "true4$1" && wait_for 10 has_log ears2 "true6$1"
}
neigh() { in_ns b ip neigh show dev epair1b | grep -c 02:00:00:00:00:01; }
check "bridge guard: the jail speaks in its own name" tell a
is "bridge guard: no IPv4 or IPv6 in another's" "" "$(grep -E 'lie[46]a' "$TMP/ears2.log")"
is "bridge guard: no ARP or ND in another's" 2 "$(neigh)"
in_ns a ip link set epair0b address 02:00:00:00:00:77
forge a epair0b --to "$BMAC" "udp 10.2.0.11:1 10.2.0.12:5353 stranger"
in_ns a ip link set epair0b address "$AMAC"
check "bridge guard: and again" tell c
is "bridge guard: no frame from another's hardware address" "" "$(grep stranger "$TMP/ears2.log")"
serve b tcp2 tcp:10.2.0.12:80
# Where br_netfilter is, conntrack sees the answers that pass the host by
nf=net/bridge/bridge-nf-call-iptables
! on_host test -e /proc/sys/$nf || set_sysctl "$HOST" $nf=0
sed '/^b/s/}/$forward = "tcp 8000:80"; }/' bridge.jail.conf >forward.jail.conf
sp -f rc.conf -f forward.jail.conf apply
has "bridge: who does not reach a forward is told" 'forward.jail.conf:3:.*N1611' "$err"
is "bridge: clients outside do, and the host" "tcp2 198.51.100.7 tcp2 203.0.113.2" \
	"$(ask "$CLIENT" tcp:203.0.113.2:8000) $(ask "$HOST" tcp:203.0.113.2:8000)"
is "bridge: jails on it do not" silence "$(ask a --wait 0.5 tcp:203.0.113.2:8000)"
is "bridge: they use its own address" "tcp2 10.2.0.11" "$(ask a tcp:10.2.0.12:80)"
sp "${B[@]}" --no-fence=source apply
check "bridge, no guard: the lies are heard" tell b
check "bridge, no guard: IPv4 and IPv6 in another's name" \
	eval 'has_log ears2 lie4b && has_log ears2 lie6b'
is "bridge, no guard: ARP and ND in another's name" 0 "$(neigh)"
sp destroy
is "bridge: destroy" 0 "$rc"
is "bridge: nothing is left" "" "$(on_host ip -o link show | grep -E 'epair|bridge0')"
lab_done
