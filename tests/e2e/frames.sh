#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Chains of others below and beside the ones of packets: of a bridge, of an interface,
# and between siblings.  What they stop is found, with the place and a line that cures it.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cat >"$TMP/rc.conf" <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
defaultrouter="203.0.113.1"
gateway_enable="YES"
END
cat >"$TMP/jail.conf" <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|10.0.0.2/32"; $forward = "tcp 8000:80"; }
db { ip4.addr = "lo1|10.0.0.3/32"; }
a { vnet; $gateway = "10.2.0.1"; $bridge = "bridge0"; $address = "10.2.0.11/24"; $forward = "tcp 8080:80"; }
b { vnet; $gateway = "10.2.0.1"; $bridge = "bridge0"; $address = "10.2.0.12/24"; }
v { vnet; $address = "10.1.0.5"; }
END
files=(-f "$TMP/rc.conf" -f "$TMP/jail.conf")
set_sysctl "$HOST" net/ipv4/conf/all/rp_filter=0 net/ipv4/conf/igb0/rp_filter=0
for nf in iptables ip6tables; do
	! on_host test -e /proc/sys/net/bridge/bridge-nf-call-$nf ||
		set_sysctl "$HOST" net/bridge/bridge-nf-call-$nf=0
done
for jail in a b v; do sp_must "${files[@]}" --no-verify up $jail --create; done
sp_must "${files[@]}" --no-verify apply
# The machine's own file says nothing of the host in the lab
lab_etc
rm -f /etc/nftables.conf

serve a bridged tcp:10.2.0.11:80
serve "$HOST" alias tcp:10.0.0.2:80
serve "$INET" world tcp:192.0.2.80:80
check "the bridge forwards" wait_for 10 in_ns a ping -qnc 1 -W 1 10.2.0.1

# A client to a port's jail, it to the world, its sibling to it, the host to it, an alias
# jail to its sibling, and by the public address
alive="bridged world bridged bridged alias alias"
ways()
{
	local pids=() w

	for w in "$HOST" a b; do in_ns "$w" ip neigh flush all; done

	ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:8080 >"$TMP/way1" & pids+=($!)
	ask a --wait "$GONE" tcp:192.0.2.80:80 >"$TMP/way2" & pids+=($!)
	ask b --wait "$GONE" tcp:10.2.0.11:80 >"$TMP/way3" & pids+=($!)
	ask "$HOST" --wait "$GONE" tcp:10.2.0.11:80 >"$TMP/way4" & pids+=($!)
	ask "$HOST" --from 10.0.0.3 --wait "$GONE" tcp:10.0.0.2:80 >"$TMP/way5" & pids+=($!)
	ask "$HOST" --from 10.0.0.3 --wait "$GONE" tcp:203.0.113.2:8000 >"$TMP/way6" & pids+=($!)
	for w in "${pids[@]}"; do wait "$w"; done
	cut -d ' ' -f 1 "$TMP"/way[1-6] | sed 's/refused/silence/' | paste -sd ' '
}
is "all ways are open" "$alive" "$(ways)"
sp doctor
is "all ways are open: nothing is found" "0 " "$rc $(grep -v 'not confined' <<<"$out" | grep -v cure:)"
port=$(on_host ip -j link show master bridge0 | jq -r 'map(.ifname) | sort | .[0]')

# FAMILY|CHAIN|RULES|SEVERITY|OBJECT|WHAT
while IFS='|' read -r family chain rules severity object what; do
	name="$family $chain $rules"
	on_host nft -f - <<-END
		table $family other {
			chain c {
				$chain
				$rules
			}
		}
	END
	dead=$(ways)
	check "$name: stops something" test "$dead" != "$alive"
	sp --json doctor
	is "$name: exit status" "$([ "$severity" = problem ] && echo 1 || echo 0)" "$rc"
	check "$name: is told with its place" jq -e --arg s "$severity" --arg o "$object" --arg w "$what" \
		'.sallyport.doctor | any(.severity == $s and (.object | test($o)) and (.what | test($w)))' <<<"$out"
	for _ in 1 2 3; do
		cure=$(jq -r '.sallyport.doctor[] | select(.object | startswith("table ")) | .cure' <<<"$out")
		[ -n "$cure" ] || break
		on_host bash -c "$cure"
		sp --json doctor
	done
	is "$name: cured, nothing is found" "" \
		"$(jq -r '.sallyport.doctor[] | select(.object | startswith("table ")) | .what' <<<"$out")"
	is "$name: the cure opens all ways" "$alive" "$(ways)"
	on_host nft delete table "$family" other
done <<END
bridge|type filter hook forward priority 0; policy drop;||problem|table bridge other, chain c .hook forward, priority 0.|policy drops .*what jail b sends to jail a
bridge|type filter hook forward priority 0;|ip daddr 10.2.0.11 tcp dport 80 drop|problem|table bridge other, chain c .hook forward, priority 0., rule with handle|drops what jail b sends to jail a
bridge|type filter hook input priority 0; policy drop;|ether type arp accept|problem|chain c .hook input|policy drops .*jail
bridge|type filter hook prerouting priority 0;|iifname "$port" drop|problem|chain c .hook prerouting, priority 0., rule with handle|drops
bridge|type filter hook prerouting priority -300;|ether type arp drop|problem|chain c .hook prerouting, priority -300., rule with handle|ARP of jail a
bridge|type filter hook output priority 0; policy drop;|ether type arp accept|problem|chain c .hook output|policy drops
bridge|type filter hook postrouting priority 0;|tcp dport 80 counter drop|problem|chain c .hook postrouting.*handle|what is forwarded to 10\.2\.0\.11:80
netdev|type filter hook ingress device igb0 priority 0;|tcp dport 8080 drop|problem|table netdev other, chain c .hook ingress, priority 0., rule with handle|what is forwarded to 10\.2\.0\.11:80
netdev|type filter hook ingress device $port priority 0; policy drop;|ether type arp accept|problem|chain c .hook ingress|policy drops .*jail a
netdev|type filter hook egress device $port priority 0;|ip daddr 10.2.0.0/24 drop|problem|chain c .hook egress.*handle|drops what
netdev|type filter hook ingress device lo priority 0;|ip daddr 10.0.0.2 drop|problem|chain c .hook ingress.*handle|what jail db sends to
inet|type filter hook ingress device igb0 priority 0;|ip daddr 203.0.113.2 tcp dport 8080 drop|problem|table inet other, chain c .hook ingress, priority 0., rule with handle|what is forwarded to 10\.2\.0\.11:80
inet|type filter hook input priority 10;|iifname "lo" ct status dnat drop|problem|chain c .hook input, priority 10., rule with handle|what jail .* sends to 203.0.113.2:8000, forwarded to jail www
inet|type filter hook input priority 10;|iifname "lo" ct status dnat accept; iifname "lo" drop|note|chain c .hook input, priority 10., rule with handle|what jail db sends to jail www
inet|type filter hook output priority 10;|oifname "bridge0" ct state new ip saddr 10.2.0.1 drop|note|chain c .hook output, priority 10., rule with handle|what this host sends to jail a
END

# ---- what it does to verify ---------------------------------------------------------

on_host nft 'table netdev other { chain c { type filter hook ingress device igb0 priority 0; tcp dport 8080 drop; }; }'
sp verify
is "an interface's chain: verify differs" 1 "$rc"
has "an interface's chain: with a packet" "^in igb0 tcp 198.51.100.7:40000 203.0.113.2:8080 S" "$out"
has "an interface's chain: with the place" "kernel    block  in: table netdev other, chain c .hook ingress, priority 0., rule with handle [0-9]" "$out"
on_host nft delete table netdev other

# ---- what is not judged, and what harms nobody --------------------------------------

on_host nft 'table bridge other { chain c { type filter hook prerouting priority 0; ether saddr 02:00:00:00:00:01 drop; }; }'
sp doctor
is "a rule that asks for more: no problem" 0 "$rc"
has "a rule that asks for more: a note names the chain" "^note +table bridge other, chain c .hook prerouting, priority 0.: .*not all judged" "$out"
on_host nft delete table bridge other
on_host nft 'table bridge other { chain c { type filter hook forward priority 0; ip daddr 192.0.2.9 drop; }; }'
on_host nft 'table netdev other { chain c { type filter hook ingress device igb0 priority 0; ip saddr 192.0.2.0/24 tcp dport 9 drop; }; }'
is "chains that harm nobody: all ways are open" "$alive" "$(ways)"
sp doctor
is "chains that harm nobody: nothing is found" "0 " "$rc $(grep problem <<<"$out")"
# ---- a bridge's frames as packets ------------------------------------------------------

for name in iptables ip6tables; do
	nf=net/bridge/bridge-nf-call-$name
	if ! on_host test -e /proc/sys/$nf; then
		skip "bridge-nf-call-$name" "no br_netfilter here"
		continue
	fi
	set_sysctl "$HOST" $nf=1
	sp --json doctor
	check "bridge-nf-call-$name: a note" jq -e --arg n "sysctl ${nf//\//.}" \
		'.sallyport.doctor | any(.severity == "note" and .object == $n)' <<<"$out"
	cure=$(jq -r --arg n "sysctl ${nf//\//.}" '.sallyport.doctor[] | select(.object == $n) | .cure' <<<"$out")
	is "bridge-nf-call-$name: its cure" "sysctl -w net.bridge.bridge-nf-call-$name=0" "$cure"
	set_sysctl "$HOST" $nf=0
	sp doctor
	is "bridge-nf-call-$name: cured, nothing is found" "" "$(grep "$name" <<<"$out")"
done
lab_done
