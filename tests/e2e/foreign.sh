#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What tables of others do to forwards: `verify` and `status` name the forward that they
# break, with a packet that is indeed refused; what harms nobody, or harms no forward, is
# no difference; what cannot be read is said.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build

cat >"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1"
gateway_enable="YES"
END
cat >"$TMP/jail.conf" <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|192.168.100.2/32";
	$forward = "tcp 4000:80";
	$forward += "udp 5300:53"; }
END
sp_must -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
serve "$HOST" www tcp:192.168.100.2:80

foreign()	# TEXT of a table
{
	printf 'table inet other\ndelete table inet other\ntable inet other {\n%s\n}\n' \
		"${1//\}; /\}$'\n'}" >"$TMP/other.nft"
	on_host nft -f "$TMP/other.nft" || fail "$1"
}
called() { ask "$CLIENT" --wait 0.5 tcp:203.0.113.2:4000; }

# What is told of the forward, and that it is so; PART is of what is said of the place
breaks()	# NAME TEXT PART
{
	foreign "$2"
	check "$1: the call fails" test "$(called | grep -c '^www')" -eq 0
	sp verify
	is "$1: verify differs" 1 "$rc"
	has "$1: with a packet" "^in igb0 tcp 198.51.100.7:40000 203.0.113.2:4000 S" "$out"
	has "$1: with its declaration" "declared  pass  .*jail.conf:3  what is forwarded to 192.168.100.2:80" "$out"
	has "$1: with the place" "kernel    block  in: table inet other, chain $3" "$out"
	sp --json verify
	is "$1: as JSON, once" 1 "$(jq '.sallyport.verify | map(select(.line == 3)) | length' <<<"$out")"
	is "$1: as JSON" "pass block 3" "$(jq -r '.sallyport.verify[0] | "\(.declared) \(.kernel) \(.line)"' <<<"$out")"
	sp --json status
	is "$1: status differs" 1 "$rc"
	is "$1: status says so" "in igb0 tcp 198.51.100.7:40000 203.0.113.2:4000 S" \
		"$(jq -r '.sallyport.status[0].broken[0].packet' <<<"$out")"
	is "$1: it is no drift of ours" 0 "$(jq '.sallyport.status[0].drift | length' <<<"$out")"
}

passes()	# NAME TEXT
{
	foreign "$2"
	has "$1: the call is answered" "^www" "$(called)"
	sp verify
	is "$1: verify is content" "0 proven: the program means what was declared" "$rc $out"
	sp status
	is "$1: and status" 0 "$rc"
}

passes "an empty chain" 'chain c { type filter hook input priority 0; policy accept; }'
passes "a drop of something else" 'chain c { type filter hook input priority 0; tcp dport 22 drop; ip saddr 192.0.2.0/24 drop; }'
passes "a closed chain with a door" 'chain c { type filter hook input priority 0; policy drop; iifname "lo" accept; ct state established accept; ct status dnat accept; meta l4proto icmp accept; }'
passes "a set that has it not" 'set bad { type ipv4_addr; flags interval; elements = { 192.0.2.0/24 }; }; chain c { type filter hook prerouting priority -300; ip saddr @bad drop; }'

breaks "a rule" 'chain c { type filter hook input priority 0; policy accept; tcp dport 80 drop; }' \
	'c \(hook input, priority 0\), rule with handle [0-9]'
breaks "a refusal behind a jump" 'chain d { tcp dport 80 reject; }; chain c { type filter hook input priority 10; jump d; }' \
	'c \(hook input, priority 10\), rule with handle [0-9]'
breaks "a policy" 'chain c { type filter hook input priority 0; policy drop; tcp dport 22 accept; }' \
	'c \(hook input, priority 0\), its policy'
breaks "ahead of the translation" 'chain c { type filter hook prerouting priority -300; tcp dport 4000 drop; }' \
	'c \(hook prerouting, priority -300\), rule with handle [0-9]'
breaks "a set" 'set bad { type ipv4_addr; flags interval; elements = { 198.51.100.0/24 }; }; chain c { type filter hook prerouting priority -300; ip saddr @bad drop; }' \
	'c \(hook prerouting, priority -300\), rule with handle [0-9]'

# Who translates before us
foreign 'chain c { type nat hook prerouting priority -110; tcp dport 4000 dnat ip to 192.168.100.9:80; }'
is "sent elsewhere: the call fails" "" "$(called | grep '^www')"
sp verify
is "sent elsewhere: verify differs" 1 "$rc"
has "sent elsewhere: with a packet" "^in igb0 tcp 198.51.100.7:40000 203.0.113.2:4000 S" "$out"
has "sent elsewhere: with the rule" \
	"kernel    sent elsewhere  in: table inet other, chain c .hook prerouting, priority -110., rule with handle [0-9]" "$out"
sp status
is "sent elsewhere: status differs" 1 "$rc"
sp doctor
has "sent elsewhere: doctor" "chain c .*rule with handle [0-9]+: it sends elsewhere what is forwarded to 203.0.113.2:4000" "$out"
on_host sh -c "$(sed -n 's/^ *cure: \(nft delete rule inet other\)/\1/p' <<<"$out")"
has "sent elsewhere: cured by the line" "^www" "$(called)"
sp verify
is "sent elsewhere: verify is content then" 0 "$rc"
passes "who translates something else" 'chain c { type nat hook prerouting priority -110; tcp dport 4001 dnat ip to 192.168.100.9:80; }'
passes "who translates behind us" 'chain c { type nat hook prerouting priority -90; tcp dport 4000 dnat ip to 192.168.100.9:80; }'
foreign 'chain c { type nat hook prerouting priority -100; tcp dport 4000 dnat ip to 192.168.100.9:80; }'
sp verify
is "who translates beside us: no difference" 0 "$rc"
has "who translates beside us: is said" "not proven: what table inet other, chain c .*N1715" "$err"

foreign 'chain c { type filter hook input priority 0; limit rate 1/second accept; tcp dport 80 drop; }'
sp verify
is "what is not read: no difference" 0 "$rc"
has "what is not read: is said" "not proven: what table inet other, chain c .* does with what is forwarded to 192.168.100.2:80 \[N1715\]" "$err"

# Whom a forward is not for it does not break, and what is not known hides nothing
on_host nft delete table inet other
{
	echo 'www { ip4.addr = "lo1|192.168.100.2/32"; $nat = "igb0"; $forward = "tcp 4000:80";'
	echo '$forward += "tcp 4100:81 from 198.18.0.0/16";'
	for port in {3000..3016}; do echo "\$forward += \"tcp $port\";"; done
	echo '}'
} >"$TMP/jail.conf"
sp_must -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
passes "strangers to a forward of some" 'chain c { type filter hook input priority 0; ip saddr 198.51.100.0/24 tcp dport 81 drop; }'
foreign 'chain c { type filter hook input priority 0; ip saddr 198.18.0.0/16 tcp dport 81 drop; }'
sp verify
is "whom it is for: verify differs" 1 "$rc"
has "whom it is for: with a packet of his" "^in igb0 tcp 198.18.0.1:40000 203.0.113.2:4100 S" "$out"
foreign 'chain c { type filter hook input priority 0; tcp dport 3000-3016 limit rate 1/second accept; tcp dport 80 drop; }'
sp verify
is "among many that are not read: verify differs" 1 "$rc"
has "among many that are not read: it is told" "what is forwarded to 192.168.100.2:80" "$out"

# More forwards than are tried
{
	echo 'www { ip4.addr = "lo1|192.168.100.2/32"; $nat = "igb0"; $forward = "tcp 4000:80";'
	printf '$forward += "tcp %d:80";\n' {10000..11039}
	echo '}'
} >"$TMP/jail.conf"
sp_must --no-verify -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
foreign 'chain c { type filter hook input priority 0; tcp dport 81 drop; }'
sp verify
is "many: no difference" 0 "$rc"
has "many: it is said that some were not tried" 'the last [0-9]+ of 2[0-9]+ forwards \[N1715\]' "$err"
sp doctor
has "many: by doctor too" 'note .*chain c .*tried with the first 1024 of 2[0-9]+ packets' "$out"

on_host nft delete table inet other
sp verify
is "gone: verify is content" 0 "$rc"
sp status
is "gone: and status" 0 "$rc"
