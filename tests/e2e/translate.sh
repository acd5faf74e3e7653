#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A ruleset and its translation treat the same packets alike: each is applied, and the
# same clients ask the same questions.  From pf.conf to ipfw and back the other way.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

cat >"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1"
ifconfig_lo1_aliases="inet 192.168.100.1/29"
ifconfig_igb0="inet 203.0.113.2/24"
gateway_enable="YES"
END
cat >"$TMP/jail.conf" <<'END'
www { ip4.addr = "lo1|192.168.100.2/32"; }
db { ip4.addr = "lo1|192.168.100.3/32"; }
END
cat >"$TMP/host.pf.conf" <<'END'
set skip on lo
nat on igb0 inet from 192.168.100.0/29 to any -> 203.0.113.2
rdr pass on igb0 inet proto tcp from any to 203.0.113.2 port 80 -> 192.168.100.2
rdr on igb0 inet proto tcp from any to 203.0.113.2 port 9080:9081 -> 192.168.100.2 port 8080:*
block return in all
pass out all
pass in on igb0 inet proto tcp from any to 192.168.100.2 port 8080
pass in on igb0 inet proto tcp from any to 203.0.113.2 port 22
END
cat >"$TMP/host.ipfw.rules" <<'END'
disable one_pass
nat 1 config ip 203.0.113.2 same_ports redirect_port tcp 192.168.100.2:80 80 redirect_port tcp 192.168.100.2:8080-8081 9080-9081
add 10 allow ip from any to any via lo*
add 100 nat 1 ip4 from any to 203.0.113.2 in via igb0
add 110 check-state
add 200 skipto 10000 ip4 from 192.168.100.0/29 to any out via igb0 keep-state
add 210 allow ip4 from me to any out keep-state
add 300 skipto 10000 tcp from any to 192.168.100.2 80,8080 in via igb0 setup keep-state
add 310 allow tcp from any to 203.0.113.2 22 in via igb0 setup keep-state
add 9998 reset tcp from any to any in via igb0
add 9999 deny ip from any to any
add 10000 nat 1 ip4 from any to any out via igb0
add 10001 allow ip from any to any
END
HOSTS=(-f "$TMP/rc.conf" -f "$TMP/jail.conf")

# What each caller is answered, a line each
answers()	# OPTIONS of apply
{
	lab_build
	serve_world
	sp_must "${HOSTS[@]}" "$@" apply -q
	serve "$HOST" www tcp:192.168.100.2:{80,8080,8081}
	serve "$HOST" ssh tcp:203.0.113.2:22
	ask "$CLIENT" tcp:203.0.113.2:{80,9080,9081,22,23}
	ask "$HOST" --from 192.168.100.3 tcp:192.0.2.80:80 udp:192.0.2.80:53
	ask "$HOST" --from 192.168.100.2 tcp:192.0.2.80:80
	ask "$HOST" --from 192.168.100.3 tcp:192.168.100.2:80
	ask "$HOST" tcp:192.0.2.80:80
}

pair()		# FROM TO FILE OF-FILE
{
	answers -f "$3" >"$TMP/one"
	sp_must "${HOSTS[@]}" -f "$3" compile -q --to "$2" -o "$4"
	sp "${HOSTS[@]}" -q equal "$3" "$4"
	is "$1: no conversation is judged in two ways" "69 " "$rc $out"
	answers -f "$4" >"$TMP/other"
	same "$1 and its translation answer alike" "$TMP/one" "$TMP/other"
	has "$1: the forward is reached" '^www 198\.51\.100\.7$' "$(cat "$TMP/one")"
	has "$1: a port that nothing lets in is not" '^refused$' "$(cat "$TMP/one")"
	has "$1: a jail leaves as the host" '^inet 203\.0\.113\.2$' "$(cat "$TMP/one")"
}

pair pf ipfw "$TMP/host.pf.conf" "$TMP/out.ipfw.rules"
pair ipfw pf "$TMP/host.ipfw.rules" "$TMP/out.pf.conf"

lab_done
