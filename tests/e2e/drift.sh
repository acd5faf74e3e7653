#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What foreign hands do to a ruleset that is loaded: verify and status each name the
# declaration that it breaks, and a packet that shows it, which why judges as they say.
# What they do to a single forward is one difference, and apply undoes only that.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build

cat >"$TMP/web.pf.conf" <<'END'
table <bad> { 198.51.100.66 198.51.100.70 }
nat on igb0 inet from 192.168.100.0/24 to any -> 203.0.113.2
rdr on igb0 inet proto tcp from any to 203.0.113.2 port 4000 -> 192.168.100.2 port 80
rdr on igb0 inet proto tcp from any to 203.0.113.2 port 4001 -> 192.168.100.2 port 81
block in on igb0
block in quick on igb0 from <bad>
pass in on igb0 proto tcp to 192.168.100.2 port { 80 81 }
pass in on igb0 proto tcp to port { 22 1000 2000 }
pass out on igb0
END
cat >"$TMP/rc.conf" <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
cloned_interfaces="lo1"
ifconfig_lo1="inet 192.168.100.2/32"
END
files=(-f "$TMP/rc.conf" -f "$TMP/web.pf.conf")

# The last set or map that has a text in it
set_with()	# TEXT
{
	in_ns "$HOST" nft list table inet sallyport |
		awk -v t="$1" '/^\t(set|map) / { n = $2 } index($0, t) && n { s = n }
			       /^\t}/ { n = "" } END { print s }'
}

# After a change: what is declared and what the kernel does, the line, and the packet's begin
shows()		# WHAT DECLARED KERNEL LINE PACKET, and as arguments of nft the change
{
	local what=$1 declared=$2 kernel=$3 line=$4 packet=$5 words args
	shift 5

	in_ns "$HOST" nft "$@"
	sp --json verify
	is "$what: differs" 1 "$rc"
	words=$(jq -r '.sallyport.verify[0] | "\(.declared) | \(.kernel) | \(.line) | \(.packet)"' \
		<<<"$out")
	has "$what: names the declaration and a packet" \
		"^$declared | $kernel | $line | $packet" "$words"
	read -ra args <<<"${words##*| }"
	sp why "${args[@]}"
	has "$what: why says so too" "^${declared%%,*}" "$out"
	sp --json status
	has "$what: status names it" "^$line\$" "$(jq -r '.sallyport.status[0].broken[0].line' <<<"$out")"
	sp_must "${files[@]}" apply
}

sp_must "${files[@]}" apply
bad=$(set_with 198.51.100.66)
forwards=$(set_with '192.168.100.2 . 81')
shows "deleted rule" block pass 5 "in igb0 " \
	delete rule inet sallyport in_filter handle "$(rule_handle in_filter 'block in on igb0')"
shows "inserted accept" block pass 5 "in igb0 tcp .*:2222 " \
	insert rule inet sallyport in_filter tcp dport 2222 accept
shows "added element" pass block 8 "in igb0 tcp 198.51.100.99:" \
	add element inet sallyport "$bad" '{ 198.51.100.99 }'
shows "removed element" block pass 6 "in igb0 tcp 198.51.100.70:" \
	delete element inet sallyport "$bad" '{ 198.51.100.70 }'
shows "emptied set" block pass 6 "in igb0 tcp 198.51.100.[67][06]:" flush set inet sallyport "$bad"
shows "policy of a chain" pass block 8 "in igb0 tcp " \
	add chain inet sallyport in_fence '{ policy drop; }'
shows "emptied chain" block pass 5 "in igb0 " flush chain inet sallyport in_filter
shows "emptied chain of translations" 'pass, destination to 192.168.100.2:8[01]' pass '[34]' \
	"in igb0 tcp .* 203.0.113.2:400[01] " flush chain inet sallyport in_translate
shows "emptied forwards" 'pass, destination to 192.168.100.2:8[01]' pass '[34]' \
	"in igb0 tcp .* 203.0.113.2:400[01] " flush map inet sallyport "$forwards"
shows "foreign base chain" pass block 8 "in igb0 tcp " \
	add chain inet sallyport foreign '{ type filter hook prerouting priority -50; policy drop; }'
shows "message that nobody declared" '[a-z]*' "[a-z]*, log 'x' to group 3" '[0-9]*' "in igb0 " \
	insert rule inet sallyport in_filter log prefix '"x"' group 3
sp_must destroy

# ---- forwards of jails ------------------------------------------------------------

cat >"$TMP/jail.conf" <<'END'
www {
	ip4.addr = "lo1|10.1.0.2/32";
	$forward = "tcp+udp 4000-4002:8000-* on igb0";
	$forward += "tcp 5000:80 on igb0";
}
END
echo 'cloned_interfaces="lo1"' >"$TMP/rc.conf"
sp_must -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
map=$(set_with '10.1.0.2 . 8001')

# After a change of elements one difference, and counts that others have stay
element()	# WHAT OP SHOWN, and as one argument of nft the change
{
	in_ns "$HOST" nft "$4"
	sp --json status
	is "$1: is one difference" "1 $2" \
		"$rc $(jq -r '.sallyport.status[0].drift | map(.op) | join(" ")' <<<"$out")"
	has "$1: names it" "^element inet sallyport $map: $3\$" \
		"$(jq -r '.sallyport.status[0].drift[0].object' <<<"$out")"
	sp_must apply
	sp status
	is "$1: is undone" 0 "$rc"
	has "$1: another keeps its count" "$counted" \
		"$(in_ns "$HOST" nft list map inet sallyport "$map")"
}

counted='udp . 203.0.113.2 . 4002 counter packets 1 '
has_counted()
{
	in_ns "$HOST" nft list map inet sallyport "$map" | grep -q "$counted"
}
in_ns "$CLIENT" "$BASH" -c 'echo >/dev/udp/203.0.113.2/4002'
check "a forward counts a packet" wait_for 10 has_counted
sp metrics
has "what an element has counted is its forward's" \
	'^sallyport_forward_flows_total\{.*external="203.0.113.2:4000-4002".*\} 1$' "$out"
at='tcp . 203.0.113.2 . 5000' said='jail.conf:4 forward www tcp 5000:80 on igb0'
element "a forward that is gone" add "$said" "delete element inet sallyport $map { $at }"
element "one that leads elsewhere" change "$said" "delete element inet sallyport $map { $at }
	add element inet sallyport $map { $at comment \"$said\" : 10.1.0.2 . 81 }"
element "one of another declaration" change "$said" "delete element inet sallyport $map { $at }
	add element inet sallyport $map { $at comment \"others\" : 10.1.0.2 . 80 }"
element "one with no declaration" del '1100.*' \
	"add element inet sallyport $map { udp . 203.0.113.2 . 5000 : 10.1.0.2 . 80 }"
lab_done
