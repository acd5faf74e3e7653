#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A host with several public addresses: each jail leaves by its own, forwards of one
# port at each address lead to different jails, and answers leave by the address that
# was asked.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build

on_host ip -batch - <<'END'
addr add 203.0.113.5/24 dev igb0
addr add 203.0.113.6/24 dev igb0
addr add 2001:db8:113::5/64 dev igb0 nodad
addr add 2001:db8:113::6/64 dev igb0 nodad
END
cat >"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1"
gateway_enable="YES"
ipv6_gateway_enable="YES"
defaultrouter="203.0.113.1"
END
cat >"$TMP/jail.conf" <<'END'
a { ip4.addr = "lo1|10.0.0.2/32"; ip6.addr = "lo1|fd00::2/128";
	$nat = "igb0|203.0.113.5", "igb0|2001:db8:113::5";
	$forward = "tcp 443 to 203.0.113.5", "tcp 443 to 2001:db8:113::5"; }
b { ip4.addr = "lo1|10.0.0.3/32"; ip6.addr = "lo1|fd00::3/128";
	$nat = "igb0|203.0.113.6", "igb0|2001:db8:113::6";
	$forward = "tcp+udp 443 to 203.0.113.6", "tcp 443 to 2001:db8:113::6"; }
v { vnet; $address = "10.1.0.4/32, fd01::4/128";
	$nat = "igb0|203.0.113.6", "igb0|2001:db8:113::6"; $forward = "tcp 8443:443 to 203.0.113.6"; }
c { ip4.addr = "lo1|10.0.0.5/32"; $nat = "igb0"; }
END
sp -f "$TMP/rc.conf" -f "$TMP/jail.conf" up --create a b v c
is "up" "0 " "$rc $err"
serve "$HOST" a tcp:10.0.0.2:443 'tcp:[fd00::2]:443'
serve "$HOST" b tcp:10.0.0.3:443 'tcp:[fd00::3]:443' udp:10.0.0.3:443
serve v v tcp:10.1.0.4:443
serve "$INET" world {tcp,udp}:{192.0.2.80,'[2001:db8:80::80]'}:53

out4() { ask "$HOST" --from "$1" {tcp,udp}:192.0.2.80:53 | paste -sd ' '; }
out6() { ask "$HOST" --from "$1" {tcp,udp}:'[2001:db8:80::80]':53 | paste -sd ' '; }
is "a leaves by its own address" "world 203.0.113.5 world 203.0.113.5" "$(out4 10.0.0.2)"
is "b by another" "world 203.0.113.6 world 203.0.113.6" "$(out4 10.0.0.3)"
is "c by the interface's" "world 203.0.113.2 world 203.0.113.2" "$(out4 10.0.0.5)"
is "a, IPv6" "world 2001:db8:113::5 world 2001:db8:113::5" "$(out6 fd00::2)"
is "b, IPv6" "world 2001:db8:113::6 world 2001:db8:113::6" "$(out6 fd00::3)"
is "a vnet jail" "world 203.0.113.6 world 2001:db8:113::6" \
	"$(ask v tcp:192.0.2.80:53 'tcp:[2001:db8:80::80]:53' | paste -sd ' ')"

is "one port at each address: other jails, true callers" "a 198.51.100.7 b 198.51.100.7" \
	"$(ask "$CLIENT" tcp:203.0.113.5:443 tcp:203.0.113.6:443 | paste -sd ' ')"
is "the same over IPv6" "a 2001:db8:51::7 b 2001:db8:51::7" \
	"$(ask "$CLIENT" 'tcp:[2001:db8:113::5]:443' 'tcp:[2001:db8:113::6]:443' | paste -sd ' ')"
is "UDP: the answer comes from the address that was asked" "b 198.51.100.7" \
	"$(ask "$CLIENT" udp:203.0.113.6:443)"
is "a forward to one of them" "v 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.6:8443)"
all_are "and none elsewhere" refused "$(ask "$CLIENT" tcp:203.0.113.{2,5}:8443 tcp:203.0.113.2:443)"
sp --json why out igb0 tcp 10.0.0.3:4000 192.0.2.80:53
is "why: out" "203.0.113.6" "$(jq -r '.sallyport.why[0].nat.src | split(":")[0]' <<<"$out")"
sp forward add a tcp 443 --to 203.0.113.6
is "what b has is not for a" 65 "$rc"
sp_must forward add a tcp 9443:443 --to 203.0.113.6
is "a forward at another's address, by command" "a 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.6:9443)"
sp_must down a
is "without a: b's are there" "b 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.6:443)"
is "and a's are not" refused "$(ask "$CLIENT" tcp:203.0.113.5:443)"
sp_must destroy
lab_done
