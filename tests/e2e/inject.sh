#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Words of the user never become the kernel's names or a line of nft: a ruleset
# with crafted macros, jails, files and rules, saved and loaded again, makes our
# tables and nothing else.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

# What breaks out of nft's quotes, lines and braces, and of a shell
nasty=(
	'"; } table inet pwned { chain c { } } #'
	'" } } table ip pwned { chain c { type filter hook input priority 0; } }'
	$'x" \n add table inet pwned\n'
	"\\\" } add table inet pwned"
	$'\x1b[2J\x01"'
	'$(touch /run/lab/pwned)'
	'`touch /run/lab/pwned`'
	"'; touch /run/lab/pwned; '"
	'../../../run/lab/pwned'
	'fwd'
	'{ inet, ip }'
	"$(printf '%0300d"}' 0)"
)

reload()	# NAME: save what HOST holds, load it elsewhere
{
	local fresh

	on_host nft list ruleset >"$TMP/saved"
	lab_bare fresh
	if ! in_ns "$fresh" nft -f "$TMP/saved" 2>"$TMP/nft.err"; then
		not_ok "$1: a saved ruleset loads" "$(head -n 5 "$TMP/nft.err")"
		return
	fi
	is "$1: tables of ours alone" sallyport \
		"$(in_ns "$fresh" nft list tables | awk '{ print $3 }' | sort -u)"
	on_host nft -s list ruleset >"$TMP/ours"
	in_ns "$fresh" nft -s list ruleset >"$TMP/again"
	same "$1: loaded again it is the same" "$TMP/ours" "$TMP/again"
	check "$1: no shell has run" test ! -e "$TMP/pwned"
	check "$1: no control bytes" eval '! LC_ALL=C grep -q "[[:cntrl:]]" <(tr -d "\t\n" <"$TMP/saved")'
}

is_loaded()	# NAME ARGS: taken and reloaded; or refused as declarations can be
{
	local name=$1

	shift
	lab_bare HOST
	sp "$@" apply
	case $rc in
	0)	reload "$name" ;;
	65 | 69) is "$name: is refused, and nothing was made" "" "$(on_host nft list ruleset)" ;;
	*)	not_ok "$name" "exit status $rc: $err" ;;
	esac
}

base='set skip on lo
nat pass on igb0 from 10.0.0.0/24 to any -> 203.0.113.2
'
n=0
for text in "${nasty[@]}"; do
	n=$((n + 1))
	one_line=${text//$'\n'/ }
	# In a comment behind a rule, and in the value of a macro that one uses
	printf '%sblock in log on igb0 # %s\npass in on igb0 proto tcp to port 80 # %s\n' "$base" \
		"$one_line" "$one_line" >comment.pf.conf
	is_loaded "comment $n" -f comment.pf.conf
	printf '%sweb = "%s"\npass in on igb0 proto tcp to port $web\n' "$base" "$one_line" >macro.pf.conf
	is_loaded "macro $n" -f macro.pf.conf
	is_loaded "defined macro $n" -D "web=$text" -f macro.pf.conf
	# A continued line is one statement: its text has the newline's place in it
	printf '%spass in log on igb0 \\\n  proto tcp \\\n  to port 80 # %s\n' "$base" "$one_line" >cont.pf.conf
	is_loaded "continued line $n" -f cont.pf.conf
	# As the name of a jail, and of a file
	printf '"%s" { ip4.addr = "lo1|10.0.0.2/32"; host.hostname = "%s"; }\n' \
		"${text//\"/\\\"}" "${text//\"/\\\"}" >name.jail.conf
	is_loaded "jail $n" -f name.jail.conf -f cont.pf.conf
	file="f${text//\//_}"
	file=${file:0:200}.pf.conf
	cp cont.pf.conf "$file"
	is_loaded "file $n" -f "$file"
	printf '%spass in on igb0 from <%s> to any\n' "$base" "$one_line" >table.pf.conf
	is_loaded "table $n" -f table.pf.conf
	printf '%spass in on "%s"\n' "$base" "$one_line" >if.pf.conf
	is_loaded "interface $n" -f if.pf.conf
done

# Words that nft reserves, where pf allows a name
for word in fwd dup table counter map accept; do
	printf 'table <%s> { 10.1.0.0/16 }\n%s = "80"\npass in log on igb0 proto tcp from <%s> to port $%s\n' \
		$word $word $word $word >word.pf.conf
	is_loaded "the word $word" -f word.pf.conf
done

# A rule of many words: the comment is cut where the kernel's own tool would cut
{
	printf 'pass in on igb0 proto tcp from { '
	printf '10.0.%d.0/24 ' {0..200}
	printf '} to 203.0.113.2 port 80\n'
} >long.pf.conf
is_loaded "a very long rule" -f long.pf.conf
check "a very long rule: its comment starts with the place" grep -q 'comment "long\.pf\.conf:1 ' "$TMP/saved"

lab_done
