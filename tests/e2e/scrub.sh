#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What scrub writes into headers, seen behind it: on the host of what comes in, at
# the neighbours of what goes out.  Connections show that the checksums are right.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

# Count the SYNs that a namespace gets, of each family: as they should be, and as they left
watch_syns()	# NAMESPACE HOOK-AND-PRIORITY PORT
{
	in_ns "$1" nft -f - <<-END
		table inet seen {
			counter changed4 { }
			counter changed6 { }
			counter plain4 { }
			counter plain6 { }
			chain c {
				type filter hook $2;
				tcp dport != $3 accept
				tcp flags & (syn | ack) != syn accept
				ip ttl 99 ip dscp 8 ip frag-off & 0x4000 == 0 tcp option maxseg size 900 counter name changed4
				ip6 hoplimit 99 ip6 dscp 8 tcp option maxseg size 900 counter name changed6
				ip ttl 7 ip dscp 0 ip frag-off & 0x4000 != 0 tcp option maxseg size 1460 counter name plain4
				ip6 hoplimit 7 ip6 dscp 0 tcp option maxseg size 1440 counter name plain6
			}
		}
	END
}

seen()		# NAMESPACE
{
	local c

	for c in changed4 changed6 plain4 plain6; do
		in_ns "$1" nft -j list counter inet seen $c |
			jq -r '.nftables[] | select(.counter) | .counter | "\(.name) \(.packets)"'
	done | tr '\n' ' '
}

lab_build
for ns in "$HOST" "$REPLICA" "$NEIGHBOUR"; do
	set_sysctl "$ns" net/ipv4/ip_default_ttl=7 net/ipv6/conf/all/hop_limit=7 \
		net/ipv6/conf/default/hop_limit=7
	for f in igb0 eth0; do
		in_ns "$ns" test ! -e /proc/sys/net/ipv6/conf/$f ||
			set_sysctl "$ns" net/ipv6/conf/$f/hop_limit=7
	done
done
cat >"$TMP/pf.conf" <<-'END'
	set skip on lo
	scrub in on igb0 proto tcp from { 203.0.113.9 2001:db8:113::9 } max-mss 900 min-ttl 99 no-df set-tos 0x20 random-id
	scrub out on igb0 proto tcp to { 203.0.113.9 2001:db8:113::9 } max-mss 900 min-ttl 99 no-df set-tos 0x20
	pass
END
sp_must -f "$TMP/pf.conf" apply
has "random-id changes nothing, which is said" "random-id' has no effect" "$err"
serve "$HOST" host tcp:{203.0.113.2,'[2001:db8:113::2]'}:80
serve "$REPLICA" replica tcp:{203.0.113.9,'[2001:db8:113::9]'}:80
serve "$NEIGHBOUR" neighbour tcp:{203.0.113.66,'[2001:db8:113::66]'}:80
watch_syns "$HOST" "input priority 300" 80
watch_syns "$REPLICA" "prerouting priority -450" 80
watch_syns "$NEIGHBOUR" "prerouting priority -450" 80

is "changed segments still connect" $'host 203.0.113.9\nhost 2001:db8:113::9' \
	"$(ask "$REPLICA" tcp:203.0.113.2:80; ask "$REPLICA" 'tcp:[2001:db8:113::2]:80')"
is "all is changed on the way in, of both families" \
	"changed4 1 changed6 1 plain4 0 plain6 0 " "$(seen "$HOST")"
ask "$NEIGHBOUR" tcp:203.0.113.2:80 >/dev/null
ask "$NEIGHBOUR" 'tcp:[2001:db8:113::2]:80' >/dev/null
is "others are left as they are" "changed4 1 changed6 1 plain4 1 plain6 1 " "$(seen "$HOST")"

is "the same on the way out" $'replica 203.0.113.2\nreplica 2001:db8:113::2' \
	"$(ask "$HOST" tcp:203.0.113.9:80; ask "$HOST" 'tcp:[2001:db8:113::9]:80')"
is "all is changed there too" "changed4 1 changed6 1 plain4 0 plain6 0 " "$(seen "$REPLICA")"
ask "$HOST" tcp:203.0.113.66:80 >/dev/null
ask "$HOST" 'tcp:[2001:db8:113::66]:80' >/dev/null
is "and others left as they are" "changed4 0 changed6 0 plain4 1 plain6 1 " "$(seen "$NEIGHBOUR")"

# ---- by filter rules: match rules add up, a pass rule's counts where it decides -------

again()		# NAMESPACE HOOK-AND-PRIORITY PORT
{
	in_ns "$1" nft delete table inet seen
	watch_syns "$@"
}

cat >"$TMP/pf.conf" <<-'END'
	set skip on lo
	match in on igb0 proto tcp from { 203.0.113.9 2001:db8:113::9 } scrub (max-mss 900 no-df)
	match in on igb0 proto tcp from { 203.0.113.9 2001:db8:113::9 } scrub (min-ttl 99 set-tos 0x20)
	pass
	match out on igb0 proto tcp to { 203.0.113.9 2001:db8:113::9 } scrub (min-ttl 99 set-tos 0x20)
	pass out on igb0 proto tcp to { 203.0.113.9 2001:db8:113::9 } scrub (max-mss 900 no-df)
	block out on igb0 proto tcp to port 81
	pass in on igb0 proto tcp from 203.0.113.66 scrub (max-mss 900)
	pass in on igb0 proto tcp from 203.0.113.66
END
sp_must -f "$TMP/pf.conf" apply
again "$HOST" "input priority 300" 80
again "$REPLICA" "prerouting priority -450" 80
again "$NEIGHBOUR" "prerouting priority -450" 80
in_ns "$REPLICA" nft -f - <<-'END'
	table inet answers {
		counter changed { }
		chain c {
			type filter hook prerouting priority -450;
			tcp sport 80 tcp flags & (syn | ack) == syn | ack ip ttl 99 ip dscp 8 tcp option maxseg size 900 counter name changed
		}
	}
END
is "by rules of the filter too" $'host 203.0.113.9\nhost 2001:db8:113::9' \
	"$(ask "$REPLICA" tcp:203.0.113.2:80; ask "$REPLICA" 'tcp:[2001:db8:113::2]:80')"
is "what match rules say adds up" "changed4 1 changed6 1 plain4 0 plain6 0 " "$(seen "$HOST")"
has "the answers of the state are changed too" '"packets": 1,' \
	"$(in_ns "$REPLICA" nft -j list counter inet answers changed)"
ask "$NEIGHBOUR" tcp:203.0.113.2:80 >/dev/null
ask "$NEIGHBOUR" 'tcp:[2001:db8:113::2]:80' >/dev/null
is "a pass rule that does not decide changes nothing" \
	"changed4 1 changed6 1 plain4 1 plain6 1 " "$(seen "$HOST")"
is "out, by match and pass together" $'replica 203.0.113.2\nreplica 2001:db8:113::2' \
	"$(ask "$HOST" tcp:203.0.113.9:80; ask "$HOST" 'tcp:[2001:db8:113::9]:80')"
is "they add up as well" "changed4 1 changed6 1 plain4 0 plain6 0 " "$(seen "$REPLICA")"
lab_done
