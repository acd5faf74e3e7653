#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A forward that is added, deleted, switched off or on the short way, as an entry of the
# journal and elements of the kernel's map: it is the same as the long way's, and where
# the short way does not do the long one is gone.
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
	way_of "$1" "$2" add "${@:3}"
}

# The same of any change
way_of()	# NAME WAY VERB ARGS...
{
	local name=$1 want=$2 before
	shift 2
	before=$(mark)
	st forward "$@"
	if [ "$want" = refused ]; then
		is "$name" 65 "$rc"
		return
	fi
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

# By both ways from one start: the same rules and the same journal
both()		# VERB ARGS...
{
	local journal
	journal=$(echo "$TMP"/state/lib/forwards-*)
	cp "$journal" "$TMP/journal.start"
	way_of "$1, the short way" short "$@"
	rules >"$TMP/rules.short"
	cp "$journal" "$TMP/journal.short"
	cp "$TMP/journal.start" "$journal"
	st apply
	on_host nft add table inet strange
	on_host nft delete table inet strange
	way_of "$1, the long way" long "$@"
	rules >"$TMP/rules.long"
	same "$1: the same rules" "$TMP/rules.short" "$TMP/rules.long"
	same "$1: the same journal" "$TMP/journal.short" "$journal"
}

# Kill the short way of a change between the journal and the kernel: what comes next
# does not build on it
killed()	# VERB ARGS...
{
	on_host strace -qq -o /dev/null -e trace=fsync -e inject=fsync:signal=KILL:when=1 \
		"$SALLYPORT" --state-dir "$TMP/state" forward "$@" >/dev/null 2>&1 </dev/null
	is "$1 is killed" 137 $?
	st plan
	is "$1: the kernel has the old" 1 "$rc"
	way "after a killed $1" long www tcp "$((next_port++)):80"
}
next_port=5200

state_of()	# PORT
{
	st forward list -H
	awk -F '\t' -v p=":$1" 'index($5, p) { print $10 }' <<<"$out" | sort -u
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
	mail { ip4.addr = "lo1|192.168.100.4/32"; $forward = "tcp 25,110 to 203.0.113.2"; }
END
sp_must --state-dir "$TMP/state" --no-verify -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
serve "$HOST" www tcp:192.168.100.2:80 'tcp:[fd00:100::2]:80' udp:192.168.100.2:53

way "the first, which begins the journal" short www tcp 5000:80
way "one more" short www tcp 5001:80
is "it works" "www 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:5001)"
is "and by IPv6" "www 2001:db8:51::7" "$(ask "$CLIENT" 'tcp:[2001:db8:113::2]:5001')"
way "both protocols, a list" short www tcp+udp 53,54:53 --to 203.0.113.2
is "udp works" "www 198.51.100.7" "$(ask "$CLIENT" udp:203.0.113.2:54)"
way "a range that shifts" short www tcp '6000-6003:7000-*'
way "the first of a jail, which may close a fence" long db tcp 5432
way "then it is short" short db tcp 5433
way "a source" long www tcp 7000 --from 198.51.100.0/24
way_of "which is deleted" long del www tcp 7000
way "after one was deleted" short www tcp 7001:80

way_of "one is off" short off www tcp 5001
is "nobody answers" refused "$(ask "$CLIENT" tcp:203.0.113.2:5001)"
way_of "on again" short on www tcp 5001
is "it works again" "www 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:5001)"
way_of "off again" short off www tcp 5001
way_of "another beside one that is off" long off www tcp 5000
way "beside two that are off" long www tcp 7002:80
way_of "on, by the long way" long on www tcp 5001
way_of "and the other" long on www tcp 5000
way "then it is short again" short www tcp 7003:80
way_of "off of one of a file" long off www tcp 4000
way_of "on of one of a file" long on www tcp 4000

way_of "deleted" short del www tcp 5001
is "its place is empty" refused "$(ask "$CLIENT" tcp:203.0.113.2:5001)"
st forward del www tcp 5001
is "deleted twice" 65 "$rc"
way_of "a part of a range" long del www tcp 6001
way_of "a list of both protocols" short del www tcp+udp 53,54
way "one with two protocols" short www tcp+udp 5010:80
way_of "of a file" refused del www tcp 4000
way_of "one of its protocols" long del www tcp 5010
way_of "one of two of a jail" short del db tcp 5433
way_of "its last" long del db tcp 5432
way "the first again" long db tcp 5432
way "one more" short db tcp 5433
way "added, for others" short www tcp 5001:80
on_host nft add table inet strange
way_of "deleted after others changed rules" long del www tcp 5001
on_host nft delete table inet strange
way_of "off after others changed rules" long off www tcp 7001
on_host nft add table inet strange
way_of "on after others changed rules" long on www tcp 7001
on_host nft delete table inet strange
st apply

both add www tcp 7004:80
both del www tcp 7004
way "a place that is taken later" short www tcp 5001:80

rules >"$TMP/short"
st apply
rules >"$TMP/again"
same "the long way makes the same" "$TMP/short" "$TMP/again"
sp --state-dir "$TMP/state" destroy
sp_must --state-dir "$TMP/state" --no-verify -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
st plan
is "and anew" 0 "$rc"

on_host ip route del default
on_host ip -6 route del default
st apply
way "without a way out" short mail tcp 143 --to 203.0.113.2
way_of "which is off" short off mail tcp 143
way_of "and on" short on mail tcp 143
way_of "and gone" short del mail tcp 143
on_host ip route add default via 203.0.113.1
on_host ip route add default via 2001:db8:113::1
st apply

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
if command -v strace >/dev/null; then
	killed del www tcp 5102
	way_of "to be off" short add www tcp 5106:80
	killed off www tcp 5106
	way_of "to be on" long on www tcp 5106
	way_of "off before on" short off www tcp 5106
	killed on www tcp 5106
	is "it is on again" "on" "$(state_of 5106)"
else
	skip "killed" "strace is not installed"
fi
map=$(on_host nft -j list maps inet | jq -r '[.nftables[].map // empty | .name][0]')
on_host nft delete element inet sallyport "$map" '{ 6 . 203.0.113.2 . 5101 }' 2>/dev/null ||
	on_host nft flush ruleset
way "after others took one away" long www tcp 5103:80
st down www
way "of a jail that is down" long www tcp 5104:80
is "it is not there" "" "$(rules | grep 5104)"
lab_done
