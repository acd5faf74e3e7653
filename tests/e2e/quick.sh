#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A forward that is added the short way, as an entry of the journal and an element of
# the kernel's map: it is the same as the long way's, and where the short way does not
# do the long one is gone.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

st()
{
	sp --state-dir "$TMP/state" "$@"
}

# What the long way writes anew and the short way leaves alone
mark()
{
	stat -c %i:%Y "$TMP"/state/run/*/quick 2>/dev/null || echo none
}

# Which way a forward was added: short or long
way()		# NAME WAY ARGS...
{
	local name=$1 want=$2 before
	shift 2
	before=$(mark)
	st forward add "$@"
	is "$name" 0 "$rc"
	is "$name: the $want way" "$want" \
		"$([ "$before" = "$(mark)" ] && [ "$before" != none ] && echo short || echo long)"
	st plan
	is "$name: nothing differs" 0 "$rc"
}

# Everything that the kernel holds of us, without counters
rules()
{
	on_host nft -s list table inet sallyport
}

lab_build
printf '%s\n' 'cloned_interfaces="lo1"' 'gateway_enable="YES"' >"$TMP/rc.conf"
cat >"$TMP/jail.conf" <<-'END'
	www {
		ip4.addr = "lo1|192.168.100.2/32";
		ip6.addr = "lo1|fd00:100::2/128";
		$nat = "igb0";
		$forward = "tcp 4000:80";
	}
	db { ip4.addr = "lo1|192.168.100.3/32"; $nat = "igb0"; }
END
sp_must --state-dir "$TMP/state" --no-verify -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
serve "$HOST" www tcp:192.168.100.2:80 'tcp:[fd00:100::2]:80' udp:192.168.100.2:53

way "the first, which begins the journal" long www tcp 5000:80
way "one more" short www tcp 5001:80
is "it works" "www 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:5001)"
is "and by IPv6" "www 2001:db8:51::7" "$(ask "$CLIENT" 'tcp:[2001:db8:113::2]:5001')"
way "both protocols, a list" short www tcp+udp 53,54:53 --to 203.0.113.2
is "udp works" "www 198.51.100.7" "$(ask "$CLIENT" udp:203.0.113.2:54)"
way "a range that shifts" short www tcp '6000-6003:7000-*'
way "the first of a jail, which may close a fence" long db tcp 5432
way "then it is short" short db tcp 5433
way "a source" long www tcp 7000 --from 198.51.100.0/24
st forward del www tcp 7000
way "after one was deleted" short www tcp 7001:80

st forward off www tcp 5001
way "beside one that is off" long www tcp 7002:80
st forward on www tcp 5001
way "and on again" short www tcp 7003:80

rules >"$TMP/short"
st apply
rules >"$TMP/again"
same "the long way makes the same" "$TMP/short" "$TMP/again"
sp --state-dir "$TMP/state" destroy
sp_must --state-dir "$TMP/state" --no-verify -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
st plan
is "and anew" 0 "$rc"

before=$(cat "$TMP"/state/lib/forwards-*)
st forward add db tcp 5001
is "a place that is taken" 65 "$rc"
has "it is said whose" "forwarded to 'www' and to 'db'" "$err"
is "nothing is remembered of it" "$before" "$(cat "$TMP"/state/lib/forwards-*)"
st apply
serve "$HOST" other tcp:203.0.113.2:8080
st forward add www tcp 8080:80
is "where a program listens" 65 "$rc"

way "again" long www tcp 5100:80
way "short before others change rules" short www tcp 5101:80
on_host nft add table inet other
way "after others changed rules" long www tcp 5102:80
map=$(on_host nft -j list maps inet | jq -r '[.nftables[].map // empty | .name][0]')
on_host nft delete element inet sallyport "$map" '{ 6 . 203.0.113.2 . 5101 }' 2>/dev/null ||
	on_host nft flush ruleset
way "after others took one away" long www tcp 5103:80
st down www
way "of a jail that is down" long www tcp 5104:80
is "it is not there" "" "$(rules | grep 5104)"
lab_done
