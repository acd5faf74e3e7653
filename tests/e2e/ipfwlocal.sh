#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Local callers beside an ipfw ruleset: a redirect answers from the host, from a
# sibling and from the jail itself too, and takes nothing that is meant for
# another host.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

setup()		# OPTIONS of apply
{
	lab_build
	serve_world
	cat >"$TMP/rc.conf" <<-'END'
		cloned_interfaces="lo1"
		ifconfig_lo1_aliases="inet 192.168.100.1/29"
		gateway_enable="YES"
	END
	cat >"$TMP/jail.conf" <<-'END'
		www { ip4.addr = "lo1|192.168.100.2/32"; }
		db { ip4.addr = "lo1|192.168.100.3/32"; }
	END
	cat >"$TMP/host.ipfw.rules" <<-'END'
		disable one_pass
		nat 1 config if igb0 same_ports redirect_port tcp 192.168.100.2:80 80 redirect_port tcp 192.168.100.2:8080-8083 9080-9083 redirect_port udp 192.168.100.2:53 53 redirect_port tcp 192.168.100.3:3306 3306 192.168.100.2
		add 10 allow ip from any to any via lo0
		add 20 allow ip from any to any via lo1
		add 100 nat 1 ip4 from any to any in via igb0
		add 110 check-state
		add 200 skipto 10000 ip4 from any to any out via igb0 keep-state
		add 300 allow tcp from any to 192.168.100.2 80,8080-8083 in via igb0 setup keep-state
		add 9999 deny ip from any to any
		add 10000 nat 1 ip4 from any to any out via igb0
		add 10001 allow ip from any to any
	END
	sp_must -f "$TMP/rc.conf" -f "$TMP/jail.conf" -f "$TMP/host.ipfw.rules" apply "$@"
	serve "$HOST" www tcp:192.168.100.2:{80,8080,8083} udp:192.168.100.2:53
	serve "$HOST" db tcp:192.168.100.3:3306
}

setup
is "from outside" "www 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:80)"
all_are "the host, unbound" "www 203.0.113.2" "$(ask "$HOST" http:203.0.113.2:80)"
all_are "the host, from its public address" "www 203.0.113.2" \
	"$(ask "$HOST" --from 203.0.113.2 tcp:203.0.113.2:{80,9080,9083} udp:203.0.113.2:53)"
all_are "a sibling" "www 192.168.100.3" \
	"$(ask "$HOST" --from 192.168.100.3 tcp:203.0.113.2:{80,9080,9083} udp:203.0.113.2:53)"
all_are "the jail itself" "www 192.168.100.2" \
	"$(ask "$HOST" --from 192.168.100.2 http:203.0.113.2:80 udp:203.0.113.2:53)"

# The condition of the redirect holds for them too: nobody listens on the host's own 3306
is "a source limit: whom it names" "db 192.168.100.2" \
	"$(ask "$HOST" --from 192.168.100.2 tcp:203.0.113.2:3306)"
all_are "a source limit: others are refused" refused "$(ask "$HOST" tcp:203.0.113.2:3306
	ask "$HOST" --from 192.168.100.3 tcp:203.0.113.2:3306)"
is "route_localnet stays 0" "0 0 0" "$(for i in all lo1 igb0; do
	get_sysctl "$HOST" net/ipv4/conf/$i/route_localnet; done | paste -sd' ')"

all_are "no hijack: the host reaches another host's ports" "inet 203.0.113.2" \
	"$(ask "$HOST" tcp:192.0.2.80:{80,3306} udp:192.0.2.80:53)"
all_are "no hijack: so does a jail" "inet 203.0.113.2" \
	"$(ask "$HOST" --from 192.168.100.2 tcp:192.0.2.80:{80,3306} udp:192.0.2.80:53)"
is "no hijack: a neighbour's own port" "replica 203.0.113.2" \
	"$(ask "$HOST" --from 192.168.100.3 tcp:203.0.113.9:80)"

# The answers above came by the policy's rules and by nothing else
setup --no-fence=local
is "without local callers: the client is still served" "www 198.51.100.7" \
	"$(ask "$CLIENT" tcp:203.0.113.2:80)"
all_are "without local callers: none is" refused "$(
	ask "$HOST" tcp:203.0.113.2:80
	ask "$HOST" --from 192.168.100.3 tcp:203.0.113.2:80
	ask "$HOST" --from 192.168.100.2 tcp:203.0.113.2:80)"

lab_done
