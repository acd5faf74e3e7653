#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Rules and fences by the kernel, translation by the userspace NAT: alias jails
# through a TUN device with `apply --nat-path userspace`.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
lab_needs_tun natapply
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
cat >pf.conf <<'END'
block in log on igb0 all
pass in on igb0 proto tcp to port 22
pass out on igb0 all
block out on igb0 proto tcp to port 3306
END
files=(-f rc.conf -f jail.conf -f pf.conf)

# Not by in_ns: its process is to be the program itself
start()		# ARGS of nat
{
	rm -f "$TMP/nat.err"
	nsenter --net="/run/netns/$HOST" -- "$SALLYPORT" "${files[@]}" nat "$@" \
		>"$TMP/nat.out" 2>"$TMP/nat.err" </dev/null &
	nat=$!
	wait_for 10 grep -q '^ready$' "$TMP/nat.err" || cat "$TMP/nat.err"
}

stop()
{
	kill "$nat"
	wait "$nat" || :
}

sp "${files[@]}" apply --nat-path elsewhere
is "a way that there is none by: usage" 64 "$rc"
snapshot "$HOST" "$TMP/before"
sp "${files[@]}" --nat-path userspace plan
has "plan shows the NAT's ports" "ip_local_reserved_ports: ports 8080,50001-65535 are the NAT's" "$out"
sp_must "${files[@]}" apply --nat-path userspace
sp plan
is "once applied nothing differs, and it is known how" "0 " "$rc $out"
is "no chain of the kernel translates" 0 "$(on_host nft list ruleset | grep -c 'type nat')"
is "the kernel gives the NAT's ports to nobody" 8080,50001-65535 \
	"$(get_sysctl "$HOST" net/ipv4/ip_local_reserved_ports)"
sp verify
is "half of the meaning is elsewhere: verify says so" 69 "$rc"
serve_world
serve "$HOST" www tcp:10.9.0.2:80 'tcp:[fd09::2]:80'
serve "$HOST" db tcp:10.9.0.3:3306
serve "$HOST" own tcp:203.0.113.2:22 tcp:203.0.113.2:23
is "without the NAT nothing leaves: the fence" "silence" \
	"$(ask "$HOST" --from 10.9.0.2 --wait "$GONE" tcp:192.0.2.80:80)"

start --inside tun:nat0 --outside igb0
is "TCP, UDP, IPv6 leave with the outside address" \
	"inet 203.0.113.2 inet 203.0.113.2 inet 2001:db8:113::2 inet 2001:db8:113::2" \
	"$(ask "$HOST" --from 10.9.0.2 tcp:192.0.2.80:80 udp:192.0.2.80:53 | xargs) $(
	ask "$HOST" --from fd09::2 'tcp:[2001:db8:80::80]:80' 'udp:[2001:db8:80::80]:53' | xargs)"
check "ping, with fragments" on_host ping -qc 1 -W 2 -s 3000 -I 10.9.0.3 192.0.2.80
is "a rule that blocks holds for jails too" silence \
	"$(ask "$HOST" --from 10.9.0.3 --wait "$GONE" tcp:192.0.2.80:3306)"
is "a forward leads in; the host's own as the rules say" \
	"www 198.51.100.7 own 198.51.100.7 silence" \
	"$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:8080 tcp:203.0.113.2:22 tcp:203.0.113.2:23 | xargs)"
is "the host, a sibling and the jail itself reach the forward by the outside address" \
	"www 203.0.113.2 www 203.0.113.2 www 203.0.113.2" \
	"$(ask "$HOST" tcp:203.0.113.2:8080) $(ask "$HOST" --from 10.9.0.3 tcp:203.0.113.2:8080) $(
	ask "$HOST" --from 10.9.0.2 tcp:203.0.113.2:8080)"
is "and the same by IPv6" "www 2001:db8:113::2 www 2001:db8:113::2" \
	"$(ask "$HOST" 'tcp:[2001:db8:113::2]:8080') $(
	ask "$HOST" --from fd09::2 'tcp:[2001:db8:113::2]:8080')"
is "and the host's own service stays the host's" "own 10.9.0.3" \
	"$(ask "$HOST" --from 10.9.0.3 tcp:203.0.113.2:22)"
used()		# JQ: of the forward of port 8080 by IPv4
{
	jq -r '[.sallyport[][] | .forwards? // [.] | .[] | select(.external? == "203.0.113.2:8080")][0] | '"$1" <<<"$out"
}
sp_must forward list --json
# Four connections by IPv4: three packets each way and one more at the least
check "its packets are counted, both ways, those of callers here too" \
	[ "$(used .counted) $(($(used .packets) >= 28))" = "packets 1" ]
check "and their bytes, and when" jq -en "$(used .bytes) > 28 * 40 and $(used '.last_use != null')"
counted=$(used .packets)
sp_must status --json
is "status says the same" "$counted" "$(used .packets)"
sp_must metrics
has "and metrics" "sallyport_forward_packets_total.*203.0.113.2:8080.* $counted\$" "$out"
sp_must forward add db tcp 3307:3306
is "a forward of now leads in too, and from the host" "db 198.51.100.7 db 203.0.113.2" \
	"$(ask "$CLIENT" tcp:203.0.113.2:3307) $(ask "$HOST" tcp:203.0.113.2:3307)"
is "its port is the NAT's as well" 3307,8080,50001-65535 \
	"$(get_sysctl "$HOST" net/ipv4/ip_local_reserved_ports)"
sp plan
is "and nothing differs" "0 " "$rc $out"
sp_must forward del db tcp 3307
is "gone again" refused "$(ask "$HOST" tcp:203.0.113.2:3307)"
stop

# ---- a jail with a stack of its own ----------------------------------------------

cat >vnet.jail.conf <<'END'
$nat = "igb0";
v { vnet; vnet.interface = "epair0b"; $address = "10.1.0.5/32"; $gateway = "10.1.0.1"; $forward = "tcp 8088:80"; }
END
files=(-f rc.conf -f vnet.jail.conf -f pf.conf)
sp_must "${files[@]}" apply --nat-path userspace
sp_must up v --create
serve v v tcp:10.1.0.5:80
start --inside epair0a --outside igb0
is "a vnet jail: out, in by a forward, and itself by the outside address" \
	"inet 203.0.113.2 v 198.51.100.7 v 203.0.113.2" \
	"$(ask v tcp:192.0.2.80:80) $(ask "$CLIENT" tcp:203.0.113.2:8088) $(ask v tcp:203.0.113.2:8088)"
stop
sp_must down v
files=(-f rc.conf -f jail.conf -f pf.conf)
sp_must "${files[@]}" apply --nat-path userspace
is "the ports stay the NAT's" 8080,50001-65535 \
	"$(get_sysctl "$HOST" net/ipv4/ip_local_reserved_ports)"
sp_must apply --nat-path kernel
has "and back: the kernel translates" "type nat" "$(on_host nft list ruleset)"
is "and has the ports again" "" "$(get_sysctl "$HOST" net/ipv4/ip_local_reserved_ports)"
sp_must "${files[@]}" apply --nat-path userspace
sp_must destroy
snapshot "$HOST" "$TMP/after"
same "destroy: everything is as it was" "$TMP/before" "$TMP/after"
lab_done
