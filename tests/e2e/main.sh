#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The main job: examples/web-db with real traffic from outside and to outside,
# and the like in IPv6 and UDP.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

lab_build
serve_world
sp_must "${EXAMPLE_FILES[@]}" apply
serve_example

# ---- from outside ----------------------------------------------------------

all_are "web: the client reaches www, who sees its address" "www 198.51.100.7" \
	"$(ask "$CLIENT" {http,tcp}:203.0.113.2:{80,443})"
all_are "web: a neighbour too" "www 203.0.113.66" "$(ask "$NEIGHBOUR" http:203.0.113.2:{80,443})"
is "database: the replica reaches db, who sees its address" "db 203.0.113.9" \
	"$(ask "$REPLICA" tcp:203.0.113.2:3306)"
all_are "ssh: port 22 is the host's" "host 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:22)"
all_are "all else is blocked for the client, without an answer" silence \
	"$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:{3306,8080,23,5432} udp:203.0.113.2:{53,9})"
all_are "all else is blocked for a neighbour" silence \
	"$(ask "$NEIGHBOUR" --wait "$GONE" tcp:203.0.113.2:{3306,8080,23} udp:203.0.113.2:53)"
check "a ping is blocked" eval '! in_ns "$CLIENT" ping -qnc 1 -W 1 203.0.113.2'

# ---- to outside ------------------------------------------------------------

# Which of the ports pf's nat would not choose
strange_ports()	# ANSWERS
{
	awk '$3 < 50001 || $3 > 65535 { print $3 }' <<<"$1"
}

for jail in 192.168.100.2 192.168.100.3 192.168.100.6; do
	answers=$(ask "$HOST" --from $jail --ports {tcp,udp}:192.0.2.80:{80,443,3306,53})
	all_are "nat: $jail goes out as the public address" "inet 203.0.113.2" \
		"$(cut -d' ' -f1,2 <<<"$answers")"
	is "nat: $jail has ports of 50001-65535" "" "$(strange_ports "$answers")"
done
check "nat: a ping of a jail is answered" on_host ping -qnc 1 -W 5 -I 192.168.100.2 192.0.2.80
is "nat: the host's own traffic keeps its port" "inet 203.0.113.2 40123" \
	"$(ask "$HOST" --from 203.0.113.2:40123 --ports tcp:192.0.2.80:80)"
check "nat: the host's own ping is answered" on_host ping -qnc 1 -W 5 192.0.2.80

# A port that a client uses already is nobody's choice: two jails, one port
is "nat: one source port of two jails becomes two" 2 "$(
	for jail in 192.168.100.2 192.168.100.3; do
		ask "$HOST" --from $jail:5353 --ports udp:192.0.2.80:53
	done | sort -u | grep -c '^inet 203.0.113.2 ')"

# ---- what is said of it ----------------------------------------------------

sp --json alias list
is "alias list: the jails and their addresses" "db 192.168.100.3/32
www 192.168.100.2/32" "$(jq -r '.sallyport.alias[] | select(.jail) |
	select(.interface == "lo1" and .owned) | "\(.jail) \(.address)"' <<<"$out" | sort)"
is "alias list: those of rc.conf too" 6 "$(jq '.sallyport.alias | length' <<<"$out")"

sp --json status
is "status: no drift, exit status 0" "0 0" "$rc $(jq '.sallyport.status[0].drift | length' <<<"$out")"
has "status: names the jails" 'www' "$(jq -c '.sallyport.status[0].jails' <<<"$out")"
packets()	# EXTERNAL
{
	sp --json status
	jq --arg e "$1" '.sallyport.status[0].forwards[] | select(.external == $e) | .packets' <<<"$out"
}
http=$(packets 203.0.113.2:80) https=$(packets 203.0.113.2:443)
ask "$CLIENT" tcp:203.0.113.2:443 >/dev/null
is "status: each forward of a rule counts alone" "$http $((https + 1))" \
	"$(packets 203.0.113.2:80) $(packets 203.0.113.2:443)"

verdict()	# PACKET...
{
	sp --json why "$@"
	jq -r '.sallyport.why[0] | "\(.verdict) \(.jail) \(.rdr.dst) \(.nat.src) \(.state)"' <<<"$out"
}
is "why: web passes" "pass www 192.168.100.2:80 null new" \
	"$(verdict in igb0 tcp 198.51.100.7:40000 203.0.113.2:80 S)"
is "why: the database is closed to the client" "block null null null none" \
	"$(verdict in igb0 tcp 198.51.100.7:40000 203.0.113.2:3306 S)"
is "why: a jail goes out" "pass www null 203.0.113.2:50001-65535 new" \
	"$(verdict out igb0 udp 192.168.100.2:5353 192.0.2.80:53)"
sp why in igb0 tcp 198.51.100.7:40000 203.0.113.2:3306 S
is "why: blocked is exit status 1" 1 "$rc"
has "why: names the line" 'pf\.conf:[0-9]+' "$out"

# ---- IPv6 and UDP ----------------------------------------------------------

sp_must destroy
lab_build
serve_world
cat >"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1"
ifconfig_lo1_aliases="inet 192.168.100.1/29 inet6 fd00:100::1/64"
gateway_enable="YES"
ipv6_gateway_enable="YES"
END
cat >"$TMP/jail.conf" <<'END'
www { ip6.addr = "lo1|fd00:100::2/128"; }
dns { ip4.addr = "lo1|192.168.100.4/32"; ip6.addr = "lo1|fd00:100::4/128"; }
END
cat >"$TMP/pf.conf" <<'END'
ext = "igb0"
ext6 = "2001:db8:113::2"
www6 = "fd00:100::2"
ports = "{ 80 443 }"
set skip on lo
nat pass on $ext inet6 from fd00:100::/64 to any -> $ext6
nat on $ext inet from 192.168.100.0/29 to any -> ($ext)
rdr pass on $ext inet6 proto tcp from any to $ext6 port $ports -> $www6
rdr pass on $ext inet6 proto tcp from 2001:db8:113::9 to $ext6 port 3306 -> $www6 port 8080
rdr on $ext inet proto udp from any to ($ext) port 53 -> 192.168.100.4 port 5300
rdr on $ext inet6 proto udp from any to ($ext) port 53 -> fd00:100::4 port 5300
block in log on $ext
pass out on $ext keep state
pass in on $ext inet6 proto icmp6 icmp6-type { neighbrsol, neighbradv }
pass in on $ext inet6 proto tcp to $ext6 port 22
pass in on $ext proto udp to { 192.168.100.4, fd00:100::4 } port 5300
END
sp_must -f "$TMP/rc.conf" -f "$TMP/jail.conf" -f "$TMP/pf.conf" apply
serve "$HOST" www tcp:'[fd00:100::2]':{80,443,8080}
serve "$HOST" dns udp:192.168.100.4:5300 udp:'[fd00:100::4]':5300
serve "$HOST" host tcp:'[2001:db8:113::2]':{22,25} udp:'[2001:db8:113::2]':5300

E6='[2001:db8:113::2]'
all_are "IPv6: the client reaches www, who sees its address" "www 2001:db8:51::7" \
	"$(ask "$CLIENT" http:"$E6":80 tcp:"$E6":443)"
is "IPv6: the replica reaches its port" "www 2001:db8:113::9" "$(ask "$REPLICA" tcp:"$E6":3306)"
is "IPv6: ssh is the host's" "host 2001:db8:51::7" "$(ask "$CLIENT" tcp:"$E6":22)"
all_are "IPv6: all else is blocked" silence \
	"$(ask "$CLIENT" --wait "$GONE" tcp:"$E6":{25,3306,8080} udp:"$E6":5300)"
check "IPv6: a ping is blocked" eval '! in_ns "$CLIENT" ping -qnc 1 -W 1 2001:db8:113::2'
answers=$(ask "$HOST" --from '[fd00:100::2]' --ports {tcp,udp}:'[2001:db8:80::80]':{80,443,53})
all_are "IPv6: a jail goes out as the public address" "inet 2001:db8:113::2" \
	"$(cut -d' ' -f1,2 <<<"$answers")"
is "IPv6: and has ports of 50001-65535" "" "$(strange_ports "$answers")"
check "IPv6: a ping of a jail is answered" \
	on_host ping -qnc 1 -W 5 -I fd00:100::2 2001:db8:80::80
is "UDP: the client reaches dns, who sees its address" "dns 198.51.100.7
dns 2001:db8:51::7" "$(ask "$CLIENT" udp:203.0.113.2:53 udp:"$E6":53)"
is "UDP: a jail that filter rules judge goes out" "inet 203.0.113.2" \
	"$(ask "$HOST" --from 192.168.100.4 udp:192.0.2.80:53)"

lab_done
