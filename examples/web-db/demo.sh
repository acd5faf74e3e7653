#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The main job, shown: a jail host, its neighbours and a client as network
# namespaces; three files, one command, real traffic; and nothing left behind.
# Every answer is compared with what it should be: the exit status is 1 when one
# is not.  Runs as root or as anybody; nothing of the machine is touched.
# shellcheck source=../../tests/lib/lab.sh
. "$(dirname "$0")/../../tests/lib/lab.sh"

if [ -z "${LAB_INSIDE-}" ]; then
	[ -x "$SALLYPORT" ] || { echo "no $SALLYPORT: run \`make demo\`" >&2; exit 66; }
	if ! why_not=$(lab_how); then
		echo "the demo needs network namespaces, as root or by user namespaces: $why_not" >&2
		exit 69
	fi
fi
lab_enter "$@"

bold='' green='' red='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi
n_wrong=0 n_shown=0 started=$EPOCHREALTIME

title()		# TEXT
{
	printf '\n%s== %s%s\n\n' "$bold" "$1" "$plain"
}

say()		# TEXT...
{
	printf '%s\n' "$@"
}

wrong()		# WHAT
{
	printf '   %sNOT AS IT SHOULD BE: %s%s\n' "$red" "$1" "$plain"
	n_wrong=$((n_wrong + 1))
}

# Run the program on the host, show the command and what it says
run()		# EXIT-STATUS ARGS
{
	local want=$1

	shift
	printf '%s# sallyport %s%s\n' "$bold" "$*" "$plain"
	sp "$@"
	cat "$TMP/err" "$TMP/out" | sed 's/^/   /'
	n_shown=$((n_shown + 1))
	[ "$rc" -eq "$want" ] || wrong "exit status $rc instead of $want"
}

# Ask a server, show the answer
request()	# WHO NAMESPACE WANTED SPEC [--from ADDRESS]
{
	local who=$1 ns=$2 want=$3 spec=$4 got shown

	shift 4
	got=$(ask "$ns" --wait 1.5 "$@" "$spec")
	case $got in
	*\ *)	shown="${got%% *} answers, it sees ${got#* }" ;;
	*)	shown=$got ;;
	esac
	n_shown=$((n_shown + 1))
	if [ "$got" = "$want" ]; then
		printf '   %-32s %-24s %s%s%s\n' "$who" "$spec" "$green" "$shown" "$plain"
	else
		printf '   %-32s %-24s %s\n' "$who" "$spec" "$shown"
		wrong "expected: $want"
	fi
}

# A part of a file, without its comments
declaration()	# FILE
{
	printf '%s%s%s\n' "$bold" "$1" "$plain"
	grep -vE '^[[:space:]]*(#|$)' "$1" | sed 's/^/   /'
}

# ---- the stage -------------------------------------------------------------

title "A host with two jails"
say "   client 198.51.100.7 ---- router ---+--- igb0 203.0.113.2  the host" \
	"   a server 192.0.2.80 -----'         |         lo1 192.168.100.2  jail www" \
	"                                      |             192.168.100.3  jail db" \
	"                                      +--- 203.0.113.9   a replica of the database" \
	"                                      '--- 203.0.113.66  a neighbour that nobody trusts" "" \
	"Each is a network namespace of its own; what follows is real traffic."
lab_build
mkdir /run/web-db
cp "$EXAMPLE"/*.conf /run/web-db
cd /run/web-db || exit
on_host ip -j addr >"$TMP/addr.before"
on_host nft list ruleset >"$TMP/nft.before"
snapshot "$HOST" "$TMP/all.before"

title "What the admin wrote: FreeBSD's own files"
declaration rc.conf
declaration jail.conf
declaration pf.conf

files=(-f rc.conf -f jail.conf -f pf.conf)
title "Plan: what would change (nothing is changed yet; exit status 1: there is a difference)"
run 1 "${files[@]}" plan
title "Apply: the host becomes so (-q: no notes any more)"
run 0 -q "${files[@]}" apply
say "Once more: nothing differs, so nothing is written."
run 0 -q "${files[@]}" apply
[ -z "$out$err" ] || wrong "it changed something"

title "What the kernel now holds"
run 0 -q alias list
printf '%s# nft -s list ruleset%s   (what comes from pf.conf: each rule names its line)\n' "$bold" "$plain"
on_host nft -s list ruleset >"$TMP/ruleset"
grep -E '^table|comment ".*pf\.conf:' "$TMP/ruleset" | sed 's/^[[:space:]]*/   /; s/^   table/table/' |
	cut -c 1-160 | awk '!seen[$0]++'
grep -q 'comment ".*pf\.conf:' "$TMP/ruleset" || wrong "no rule names a line of pf.conf"

# ---- traffic ---------------------------------------------------------------

# A jail's processes are any that bind its address
serve "$HOST" www tcp:192.168.100.2:{80,443,8080}
serve "$HOST" db tcp:192.168.100.3:3306
serve "$HOST" sshd tcp:203.0.113.2:22
serve "$INET" server {tcp,udp}:192.0.2.80:{53,80,443}

title "From outside: the jails see the true address of who asks"
request "client, http" "$CLIENT" "www 198.51.100.7" http:203.0.113.2:80
request "client, https" "$CLIENT" "www 198.51.100.7" tcp:203.0.113.2:443
request "client, ssh: the host's own" "$CLIENT" "sshd 198.51.100.7" tcp:203.0.113.2:22
request "replica, database" "$REPLICA" "db 203.0.113.9" tcp:203.0.113.2:3306
request "client, database: blocked" "$CLIENT" silence tcp:203.0.113.2:3306

title "From within, by the public address: host, sibling, and the jail itself"
request "host" "$HOST" "www 203.0.113.2" http:203.0.113.2:80
request "jail db" "$HOST" "www 192.168.100.3" http:203.0.113.2:80 --from 192.168.100.3
request "jail www" "$HOST" "www 192.168.100.2" http:203.0.113.2:80 --from 192.168.100.2
say "   and what is meant for another host's port 80 or 443 is not taken away:"
request "jail db, to the server" "$HOST" "server 203.0.113.2" http:192.0.2.80:80 --from 192.168.100.3
request "host, to the server" "$HOST" "server 203.0.113.2" tcp:192.0.2.80:443

title "To outside: jails leave with the host's address"
request "jail www, http" "$HOST" "server 203.0.113.2" http:192.0.2.80:80 --from 192.168.100.2
request "jail db, dns" "$HOST" "server 203.0.113.2" udp:192.0.2.80:53 --from 192.168.100.3

title "A neighbour adds a route to the jails' network: it leads nowhere"
in_ns "$NEIGHBOUR" ip route add 192.168.100.0/29 via 203.0.113.2
request "neighbour, by the public address" "$NEIGHBOUR" "www 203.0.113.66" http:203.0.113.2:80
request "neighbour, by its route" "$NEIGHBOUR" silence http:192.168.100.2:80
request "neighbour, a port of no forward" "$NEIGHBOUR" silence tcp:192.168.100.2:8080

# ---- what is said of it ----------------------------------------------------

title "Status"
run 0 -q status
title "Why: what happens to a packet, and which line says so (exit status 1: it is blocked)"
run 0 -q why in igb0 tcp 198.51.100.7:40000 203.0.113.2:80
run 1 -q why in igb0 tcp 198.51.100.7:40000 203.0.113.2:3306

# ---- nothing left ----------------------------------------------------------

title "Destroy: all is as it was before"
run 0 destroy
on_host ip -j addr >"$TMP/addr.after"
on_host nft list ruleset >"$TMP/nft.after"
snapshot "$HOST" "$TMP/all.after"
for what in "addr:addresses (ip -j addr)" "nft:rules (nft list ruleset)" \
	"all:links, addresses, routes, rules and all settings below /proc/sys/net"; do
	if diff -u "$TMP/${what%%:*}.before" "$TMP/${what%%:*}.after" >"$TMP/diff"; then
		printf '   %sthe same%s  %s, %s lines compared\n' "$green" "$plain" "${what#*:}" \
			"$(wc -l <"$TMP/${what%%:*}.before")"
	else
		wrong "${what#*:} differ"
		cat "$TMP/diff"
	fi
	n_shown=$((n_shown + 1))
done

echo
seconds=$(awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
if [ $n_wrong -gt 0 ]; then
	printf '%s%s of %s things were not as they should be%s\n' "$red" $n_wrong $n_shown "$plain"
	exit 1
fi
printf '%sall %s things were as they should be%s, in %s s\n' "$green" $n_shown "$plain" "$seconds"
