#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Local callers: a forward answers from the host, from a sibling and from the
# jail itself too, and takes nothing that is meant for another host.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

# As for the example's jails, and to see what a source limit does to them
setup()		# OPTIONS of apply
{
	lab_build
	serve_world
	cat >"$TMP/rc.conf" <<-'END'
		cloned_interfaces="lo1"
		ifconfig_lo1_aliases="inet 192.168.100.1/29 inet6 fd00:100::1/64"
		gateway_enable="YES"
		ipv6_gateway_enable="YES"
	END
	cat >"$TMP/jail.conf" <<-'END'
		www { ip4.addr = "lo1|192.168.100.2/32"; ip6.addr = "lo1|fd00:100::2/128"; }
		db { ip4.addr = "lo1|192.168.100.3/32"; ip6.addr = "lo1|fd00:100::3/128"; }
	END
	cat >"$TMP/pf.conf" <<-'END'
		set skip on lo
		nat pass on igb0 inet from 192.168.100.0/29 to any -> 203.0.113.2
		nat pass on igb0 inet6 from fd00:100::/64 to any -> 2001:db8:113::2
		rdr pass on igb0 inet proto tcp from any to 203.0.113.2 port { 80 443 } -> 192.168.100.2
		rdr pass on igb0 inet6 proto tcp from any to 2001:db8:113::2 port { 80 443 } -> fd00:100::2
		rdr pass on igb0 inet proto udp from any to 203.0.113.2 port 53 -> 192.168.100.2
		rdr pass on igb0 proto tcp from { 203.0.113.9 192.168.100.2 } to 203.0.113.2 port 3306 -> 192.168.100.3
		rdr pass on igb0 inet6 proto tcp from fd00:100::2 to 2001:db8:113::2 port 3306 -> fd00:100::3
		rdr pass on igb0 inet proto tcp from any to any port 8443 -> 192.168.100.2 port 443
		block in on igb0
		pass in on igb0 inet6 proto icmp6
		pass out on igb0 keep state
	END
	sp_must -f "$TMP/rc.conf" -f "$TMP/jail.conf" -f "$TMP/pf.conf" apply "$@"
	serve "$HOST" www {tcp,udp}:{192.168.100.2,'[fd00:100::2]'}:{53,80,443}
	serve "$HOST" db tcp:{192.168.100.3,'[fd00:100::3]'}:3306
}

setup
E6='[2001:db8:113::2]'

all_are "the host, unbound" "www 203.0.113.2" "$(ask "$HOST" http:203.0.113.2:{80,443})"
all_are "the host, unbound, IPv6" "www 2001:db8:113::2" "$(ask "$HOST" http:"$E6":{80,443})"
all_are "the host, from its public address" "www 203.0.113.2" \
	"$(ask "$HOST" --from 203.0.113.2 tcp:203.0.113.2:{80,443})"
all_are "a sibling" "www 192.168.100.3" \
	"$(ask "$HOST" --from 192.168.100.3 http:203.0.113.2:{80,443} udp:203.0.113.2:53)"
all_are "a sibling, IPv6" "www fd00:100::3" "$(ask "$HOST" --from '[fd00:100::3]' http:"$E6":{80,443})"
all_are "the jail itself" "www 192.168.100.2" \
	"$(ask "$HOST" --from 192.168.100.2 http:203.0.113.2:{80,443} udp:203.0.113.2:53)"
all_are "the jail itself, IPv6" "www fd00:100::2" \
	"$(ask "$HOST" --from '[fd00:100::2]' http:"$E6":{80,443})"
all_are "a sibling by the jail's own address" "www 192.168.100.3" \
	"$(ask "$HOST" --from 192.168.100.3 http:192.168.100.2:80)"
all_are "another address of the network" "www 192.168.100.1" \
	"$(ask "$HOST" --from 192.168.100.1 http:203.0.113.2:80)"

# The condition of the forward holds for them too: nobody listens on the host's own 3306
is "a source limit: whom it names" "db 192.168.100.2" \
	"$(ask "$HOST" --from 192.168.100.2 tcp:203.0.113.2:3306)"
is "a source limit: whom it names, IPv6" "db fd00:100::2" \
	"$(ask "$HOST" --from '[fd00:100::2]' tcp:"$E6":3306)"
is "a source limit: the host is refused" refused "$(ask "$HOST" tcp:203.0.113.2:3306)"
is "a source limit: a sibling is refused" refused \
	"$(ask "$HOST" --from 192.168.100.3 tcp:203.0.113.2:3306)"
is "a source limit: a sibling is refused, IPv6" refused \
	"$(ask "$HOST" --from '[fd00:100::3]' tcp:"$E6":3306)"

is "route_localnet stays 0" "0 0 0" "$(for i in all lo1 igb0; do
	get_sysctl "$HOST" net/ipv4/conf/$i/route_localnet; done | paste -sd' ')"

# ---- no hijack -------------------------------------------------------------

W6='[2001:db8:80::80]'
all_are "no hijack: the host reaches another host's ports" "inet 203.0.113.2" \
	"$(ask "$HOST" tcp:192.0.2.80:{80,443,3306})"
all_are "no hijack: so does a jail" "inet 203.0.113.2" \
	"$(ask "$HOST" --from 192.168.100.2 tcp:192.0.2.80:{80,443,3306} udp:192.0.2.80:53)"
all_are "no hijack: the host, IPv6" "inet 2001:db8:113::2" "$(ask "$HOST" tcp:"$W6":{80,443,3306})"
all_are "no hijack: a jail, IPv6" "inet 2001:db8:113::2" \
	"$(ask "$HOST" --from '[fd00:100::2]' tcp:"$W6":{80,443,3306} udp:"$W6":53)"
all_are "no hijack: the replica's own ports" "replica 203.0.113.2" \
	"$(ask "$HOST" --from 192.168.100.3 tcp:203.0.113.9:{80,443,3306})"
all_are "no hijack: rdr to any holds for what comes in, not for what leaves" refused \
	"$(ask "$HOST" tcp:192.0.2.80:8443; ask "$HOST" --from 192.168.100.2 tcp:192.0.2.80:8443)"
is "rdr to any, from outside" "www 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:8443)"

# An address that rc.conf gives igb0 and that another host has: not ours to answer for
cat >>"$TMP/rc.conf" <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
ifconfig_igb0_alias0="inet 203.0.113.9/32"
END
echo 'rdr pass on igb0 inet proto tcp from any to 203.0.113.9 port 80 -> 192.168.100.2' >"$TMP/nine"
sed -i "/^rdr pass on igb0 inet proto udp/r $TMP/nine" "$TMP/pf.conf"
sp_must -f "$TMP/rc.conf" -f "$TMP/jail.conf" -f "$TMP/pf.conf" apply
all_are "no hijack: an address that is declared and is another host's" "replica 203.0.113.2" \
	"$(ask "$HOST" tcp:203.0.113.9:80; ask "$HOST" --from 192.168.100.3 tcp:203.0.113.9:80)"

# ---- without the rules -----------------------------------------------------

# The answers above came by them and by nothing else
setup --no-fence=local
is "without local callers: the client is still served" "www 198.51.100.7" \
	"$(ask "$CLIENT" tcp:203.0.113.2:80)"
all_are "without local callers: none is" refused "$(
	ask "$HOST" tcp:203.0.113.2:80 tcp:"$E6":80
	ask "$HOST" --from 192.168.100.3 tcp:203.0.113.2:80
	ask "$HOST" --from 192.168.100.2 tcp:203.0.113.2:80)"

lab_done
