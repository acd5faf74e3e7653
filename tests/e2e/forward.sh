#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Forwards that are added at run time: what they do to packets, and that they
# are remembered.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

J=$TMP/state/lib/forwards-netns-
setup()
{
	lab_build
	cat >"$TMP/rc.conf" <<-'END'
		cloned_interfaces="lo1"
		gateway_enable="YES"
		ipv6_gateway_enable="YES"
	END
	cat >"$TMP/jail.conf" <<-'END'
		www {
			ip4.addr = "lo1|192.168.100.2/32";
			ip6.addr = "lo1|fd00:100::2/128";
			$nat = "igb0";
			$forward = "tcp 4000:80";
		}
		db { ip4.addr = "lo1|192.168.100.3/32"; $nat = "igb0"; }
	END
	serve "$HOST" other tcp:203.0.113.2:22
}

fw()
{
	sp --state-dir "$TMP/state" forward "$@"
}

fw_must()
{
	sp_must --state-dir "$TMP/state" forward "$@"
}

st()
{
	sp --state-dir "$TMP/state" "$@"
}

rows()		# JQ-EXPRESSION
{
	fw list --json
	jq -r ".sallyport.forward[] | $1" <<<"$out" | sort
}

from_client()	# PROTO:ADDR:PORT...
{
	ask "$CLIENT" "$@"
}

setup
fw add www tcp 8443:443
is "nothing applied: 66" 66 "$rc"
check "nothing applied: nothing made" test ! -e "$TMP/state/lib"
st -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
is "apply" 0 "$rc"
on_host ip addr add 203.0.113.5/24 dev igb0
st apply
is "apply again" 0 "$rc"
serve "$HOST" www {tcp,udp}:{192.168.100.2,'[fd00:100::2]'}:{53,80,443,8000,8009,3000,3001,3002}
serve "$HOST" db {tcp,udp}:192.168.100.3:{53,80,5432}

# ---- each word ------------------------------------------------------------------

is "before" refused "$(from_client tcp:203.0.113.2:8443)"
fw_must add www tcp 8443:443
is "tcp" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:8443)"
is "tcp, IPv6" "www 2001:db8:51::7" "$(from_client 'tcp:[2001:db8:113::2]:8443')"
is "the host itself" "www 203.0.113.2" "$(ask "$HOST" tcp:203.0.113.2:8443)"
st status
is "no drift" 0 "$rc"
is "counted: what is" packets "$(rows 'select(.external == "203.0.113.2:8443") | .counted')"
fw_must add www udp 5300:53
is "udp" "www 198.51.100.7" "$(from_client udp:203.0.113.2:5300)"
fw_must add db tcp+udp 5353:53
all_are "tcp and udp" "db 198.51.100.7" "$(from_client {tcp,udp}:203.0.113.2:5353)"
fw_must add www tcp 3000-3002
all_are "a range" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:300{0,1,2})"
fw_must add www tcp '2000-2009:8000-*'
all_are "a shifted range" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:200{0,9})"
is "a shifted range: each port has its own" refused "$(from_client tcp:203.0.113.2:2005)"
fw_must add db tcp 5432 --from 198.51.100.0/24
is "from: whom it names" "db 198.51.100.7" "$(from_client tcp:203.0.113.2:5432)"
is "from: others" refused "$(ask "$NEIGHBOUR" tcp:203.0.113.2:5432)"
fw_must add db tcp 7000:80 --to 203.0.113.5
is "to" "db 198.51.100.7" "$(from_client tcp:203.0.113.5:7000)"
is "to: no other address" refused "$(from_client tcp:203.0.113.2:7000)"
fw_must add db --on igb0 --log tcp 7001:80,7002:5432
all_are "on, log, two ports" "db 198.51.100.7" "$(from_client tcp:203.0.113.2:700{1,2})"
st status
is "no drift after all of them" 0 "$rc"

# ---- list -----------------------------------------------------------------------

fw list --json
check "list is JSON with all fields" jq -e '.sallyport.forward | length > 10 and all(has("jail") and
	has("proto") and has("from") and has("on") and has("external") and has("internal") and
	has("packets") and has("bytes") and has("source") and has("enabled"))' "$TMP/out"
is "list: a row" "www tcp any any 203.0.113.2:8443 192.168.100.2:443 forward add:1 true" "$(rows \
	'select(.external == "203.0.113.2:8443") | "\(.jail) \(.proto) \(.from) \(.on) \(.external) \(.internal) \(.source) \(.enabled)"')"
is "list: IPv6" "[fd00:100::2]:443" "$(rows 'select(.external == "[2001:db8:113::2]:8443") | .internal')"
is "list: a range" "192.168.100.2:8000-8009" "$(rows 'select(.external == "203.0.113.2:2000-2009") | .internal')"
is "list: from" "198.51.100.0/24" "$(rows 'select(.external == "203.0.113.2:5432") | .from')"
has "list: of a file" 'jail.conf:5$' "$(rows 'select(.external == "203.0.113.2:4000") | .source')"
fw list -H db
has "list -H: tabs" '^db	tcp	198.51.100.0/24	any	203.0.113.2:5432	192.168.100.3:5432	[0-9]+	[0-9]+	forward add:[0-9]+	on	20[0-9-]+T[0-9:]+Z$' "$out"
check "list -H of a jail" test "$(cut -f1 <<<"$out" | sort -u)" = db
fw list
has "list: a table" '^JAIL +PROTO' "$out"
fw list nobody
is "list: no such jail" 65 "$rc"

# ---- off, on, del ------------------------------------------------------------------

fw_must off www tcp 8443
is "off" refused "$(from_client tcp:203.0.113.2:8443)"
is "off: remembered" false "$(rows 'select(.external == "203.0.113.2:8443") | .enabled')"
st apply
is "off: also after apply" refused "$(from_client tcp:203.0.113.2:8443)"
fw_must on www tcp 8443
is "on" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:8443)"
fw_must off www tcp 3001
is "off: one port of a range" "www refused www" "$(from_client tcp:203.0.113.2:300{0,1,2} | cut -d' ' -f1 | paste -sd' ')"
fw_must on www tcp 3001
fw_must del db tcp 5353
is "del: one protocol of two" "refused db" "$(from_client {tcp,udp}:203.0.113.2:5353 | cut -d' ' -f1 | paste -sd' ')"
fw_must del db udp 5353
is "del: the other" "" "$(rows 'select(.external == "203.0.113.2:5353") | .jail')"
fw del db udp 5353
is "del: what is not there" 65 "$rc"
has "del: what is not there" E2505 "$err"
fw_must off www tcp 4000
is "off: of a file" refused "$(from_client tcp:203.0.113.2:4000)"
is "off: of a file, listed" false "$(rows 'select(.external == "203.0.113.2:4000") | .enabled')"
fw_must on www tcp 4000
is "on: of a file" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:4000)"
fw del www tcp 4000
is "del: of a file" 65 "$rc"
has "del: of a file, its place" 'jail.conf:5:.*E2506' "$err"
st status
is "no drift after these" 0 "$rc"

# ---- refusals: nothing changes ------------------------------------------------------

on_host nft -s list ruleset >"$TMP/rules"
cp "$J$HOST" "$TMP/journal"
unchanged()	# NAME STATUS REGEX WORDS...
{
	local name=$1 want=$2 regex=$3

	shift 3
	fw "$@"
	is "$name" "$want" "$rc"
	has "$name: why" "$regex" "$err"
	on_host nft -s list ruleset >"$TMP/rules.now"
	check "$name: nothing changed" cmp "$TMP/rules" "$TMP/rules.now"
	check "$name: nothing remembered" cmp "$TMP/journal" "$J$HOST"
}
unchanged "unknown jail" 65 E1024 add wwww tcp 9000
unchanged "the same port" 65 'forward add:1:' add db tcp 8443
unchanged "overlapping ranges" 65 '3002 of 203.0.113.2' add db tcp 3002-3005
unchanged "a port of a file" 65 'jail.conf:5:' add db tcp 4000
unchanged "a host service" 65 'E2508' add db tcp 22
unchanged "a host service, which" 65 'listens on tcp 203.0.113.2:22' add db tcp 22
unchanged "a bad port" 64 E1433 add db tcp 70000
unchanged "a bad protocol" 64 E1432 add db sctp 70
unchanged "a bad source" 64 E1434 add db tcp 70 --from nowhere
unchanged "a bad rate" 64 E1437 add db tcp 70 --rate 10/fortnight
unchanged "a bad number of connections" 64 E1437 add db tcp 70 --max many
unchanged "a bad time" 64 E2507 add db tcp 70 --until tomorrow
unchanged "a time that is over" 64 E2507 add db tcp 70 --until 2001-01-01
unchanged "an inside port" 64 'outside ports only' del db tcp 7001:80
unchanged "an interface that is not there" 65 E1605 add db tcp 70 --on em9
has "an interface that is not there: under the words that were typed" '^ +1 \| tcp 70 on em9$' "$err"
unchanged "the same again" 0 N2510 add www tcp 8443:443
fw add db tcp 22:80 --share
is "--share: over a host service" 0 "$rc"
is "--share: and it leads there" "db 198.51.100.7" "$(from_client tcp:203.0.113.2:22)"
fw_must del db tcp 22
fw -n add db tcp 9999
is "-n: differs" 1 "$rc"
is "-n: nothing remembered" "" "$(rows 'select(.external == "203.0.113.2:9999") | .jail')"
fw add db tcp nonsense --json
check "JSON of an error" jq -e '.sallyport.error[0].code == "E1433"' "$TMP/out"

# ---- what outlives what ---------------------------------------------------------------

sed 's/4000:80/22:80/' "$TMP/jail.conf" >"$TMP/hides.jail"
st -f "$TMP/rc.conf" -f "$TMP/hides.jail" apply
is "a forward of a file over a host service: done" 0 "$rc"
has "a forward of a file over a host service: a warning" 'hides.jail:5:.*W2509' "$err"
st -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
is "after apply" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:8443)"
st -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
is "after apply with files" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:8443)"
st why in igb0 tcp 198.51.100.7:40000 203.0.113.2:8443 S
has "why" 'forward add:[0-9]+' "$out"
# As a reboot does: the kernel has forgotten all, and so has /run
on_host nft flush ruleset
rm -rf "$TMP/state/run"
st -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
is "after a reboot" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:8443)"
is "after a reboot: what was forgotten" refused "$(from_client tcp:203.0.113.2:22001)"
sp_in "$NEIGHBOUR" --state-dir "$TMP/state" -f "$TMP/rc.conf" -f "$TMP/jail.conf" forward list --json
is "another namespace has none of them" "0" "$(jq '[.sallyport.forward[] | select(.source | test("forward add"))] | length' <<<"$out")"
st destroy
check "destroy keeps the journal" test -s "$J$HOST"
st -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
is "after destroy and apply" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:8443)"
sed 's/^db .*//' "$TMP/jail.conf" >"$TMP/one.jail"
st -f "$TMP/rc.conf" -f "$TMP/one.jail" apply
is "a jail that is not declared any more" 0 "$rc"
has "a jail that is not declared any more: said" N2504 "$err"
st -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
is "and is again" "db 198.51.100.7" "$(from_client tcp:203.0.113.2:5432)"
st down www
is "down" refused "$(from_client tcp:203.0.113.2:8443)"
fw_must add www tcp 8444:443
st up www
all_are "up" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:844{3,4})"

# ---- the journal ------------------------------------------------------------------------

head -c -5 "$J$HOST" >"$TMP/torn"
cp "$J$HOST" "$TMP/whole"
cp "$TMP/torn" "$J$HOST"
st status
has "an unfinished entry is dropped" N2503 "$err"
fw_must add www tcp 8444:443
st status
check "and gone after the next change" test -z "$(grep N2503 "$TMP/err")"
is "no drift" 0 "$rc"
sed 's/tcp 8443/tcp 8445/' "$TMP/whole" >"$J$HOST"
for v in status apply plan "forward list" "forward add db tcp 9001"; do
	# shellcheck disable=SC2086
	st $v
	is "damaged: $v" 65 "$rc"
	has "damaged: $v names it" 'entry 1 of .*forwards-netns-.* is damaged.*E2501' "$err"
done
is "damaged: what was in force is" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:8443)"
sed '1s/1$/2/' "$TMP/whole" >"$J$HOST"
st plan
is "newer: refused" 65 "$rc"
has "newer: named" 'version 2.*E2502' "$err"
cp "$TMP/whole" "$J$HOST"
for ((i = 0; i < 70; i++)); do
	fw_must off www udp 5300
done
check "entries without effect are dropped" test "$(wc -l <"$J$HOST")" -lt 70
st status
is "no drift after that" 0 "$rc"
st destroy --forget
check "destroy --forget forgets" test ! -e "$J$HOST"

lab_done
