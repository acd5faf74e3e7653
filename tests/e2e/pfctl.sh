#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# pfctl as jail managers call it: anchors and tables at run time, with real
# packets; texts and exit statuses; many at once, and killed.
# shellcheck disable=SC2016,SC2086,SC2031
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

lab_build
cd "$TMP" || exit 71
cat >rc.conf <<'X'
cloned_interfaces="lo1"
gateway_enable="YES"
X
cat >jail.conf <<'X'
www { ip4.addr = "lo1|192.168.100.2/32"; }
db { ip4.addr = "lo1|192.168.100.3/32"; }
X
cat >pf.conf <<'X'
ext_if = "igb0"
table <jails> persist
table <bad> persist
table <fixed> const { 203.0.113.99 }
table <listed> persist { 192.0.2.1 }
set skip on lo
nat-anchor "pot-nat"
nat on $ext_if from <jails> to any -> ($ext_if:0)
rdr-anchor "rdr/*"
block in on $ext_if
pass out quick keep state
anchor "bastille/*"
anchor "f2b/*"
pass in on $ext_if proto tcp to ($ext_if) port 22
block in quick from <bad>
X
ln -s "$SALLYPORT" pfctl
W='www 198.51.100.7'	# who answers, and whom it sees
F=(-f rc.conf -f jail.conf -f pf.conf)

pf()		# ARGS of pfctl: $out, $err, $rc
{
	on_host "$TMP/pfctl" "$@" >"$TMP/out" 2>"$TMP/err"
	rc=$?
	out=$(cat "$TMP/out")
	err=$(cat "$TMP/err")
}

says()		# NAME STATUS STDOUT STDERR
{
	is "$1" "$2|$3|$4" "$rc|$out|$err"
}

no_drift()	# NAME
{
	is "no drift: $1" "" "$(on_host "$SALLYPORT" plan 2>/dev/null)"
}

verdict()	# PACKET...
{
	on_host "$SALLYPORT" --json why "$@" 2>/dev/null | jq -r '.sallyport.why[0].verdict'
}

# ---- nothing applied yet ---------------------------------------------------

pf -s info
has "nothing is in force before something is loaded" '^Status: Disabled' "$out"
pf -t jails -T show
says "there is no table" 255 "" "pfctl: Table does not exist."

check "apply" on_host "$SALLYPORT" "${F[@]}" apply
serve "$HOST" www tcp:192.168.100.2:80 tcp:192.168.100.3:80

# ---- what is declared, in FreeBSD's words ----------------------------------

pf -sn
says "-sn: the columns are an interface" 0 'nat-anchor "pot-nat" all
nat on igb0 from <jails> to any -> (igb0:0)
rdr-anchor "rdr/*" all' ""
pf -s Anchors
says "-s Anchors" 0 "  bastille
  f2b
  pot-nat
  rdr" ""
pf -Psr
has "-P: ports as numbers" 'port = 22 ' "$out"
pf -sr
has "service names without -P" 'port = ssh ' "$out"
pf -sT
says "-sT" 0 "bad
fixed
jails
listed" ""
pf -vvsr
has "-vv numbers the rules" '^@0 block drop in on igb0 all$' "$out"
pf -e
says "-e when it is enabled" 1 "" "pfctl: pf already enabled"
pf -a rdr/absent -sn
says "an anchor that is not there fails softly" 1 "" "pfctl: DIOCGETRULES: Invalid argument"
pf -a ''
says "an empty anchor" 1 "" "pfctl: anchor name must not be empty"
pf -s cobol
has "an unknown modifier" "^pfctl: Unknown show modifier 'cobol'$" "$err"
pf
has "no words: how it is called" '^usage: pfctl ' "$err"
is "and exit 1" 1 "$rc"
pf -f absent.conf
says "a file that is not there" 1 "" "pfctl: absent.conf: No such file or directory
pfctl: cannot open the main config file!: No such file or directory
pfctl: Syntax error in config file: pf rules not loaded"

# ---- a jail manager that reads an anchor, adds to it and loads it again ----

expose()	# JAIL OUTSIDE INSIDE ADDRESS
{
	{
		on_host ./pfctl -a "rdr/$1" -Psn 2>/dev/null
		printf 'ext_if="{ igb0 }"\n'
		printf 'rdr on $ext_if inet proto tcp from any to any port %s -> %s port %s\n' \
			"$2" "$4" "$3"
	} | on_host ./pfctl -a "rdr/$1" -f-
	{
		on_host ./pfctl -a "bastille/$1" -Psr 2>/dev/null
		printf 'pass in on igb0 inet proto tcp from any to %s port %s\n' "$4" "$3"
	} | on_host ./pfctl -a "bastille/$1" -f-
}

ask "$CLIENT" --wait $GONE tcp:203.0.113.2:8080 >"$TMP/asked"
check "closed before" eval '! grep -q www "$TMP/asked"'
check "expose a port of a jail" expose www 8080 80 192.168.100.2
is "open behind" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
check "expose another" expose www 8081 80 192.168.100.2
is "both are open: what is printed can be loaded" "$W $W" \
	"$(ask "$CLIENT" tcp:203.0.113.2:8080) $(ask "$CLIENT" tcp:203.0.113.2:8081)"
pf -a rdr/www -Psn
is "fields 6, 13 and 17 of what is listed" "tcp 8080 80
tcp 8081 80" "$(awk '{ print $6, $13, $17 }' <<<"$out")"
pf -a rdr -s Anchors
says "-a rdr -s Anchors" 0 "  rdr/www" ""
no_drift "after loads"
has "why names the anchor and its line" 'rdr/www:[0-9]' \
	"$(on_host "$SALLYPORT" why in igb0 tcp 198.51.100.7:4000 203.0.113.2:8080 S 2>/dev/null)"
check "apply keeps what was loaded" on_host "$SALLYPORT" apply
is "still open" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
check "apply of named files keeps it too" on_host "$SALLYPORT" "${F[@]}" apply
is "and still" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
pf -a rdr/www -nf - <<<'rdr on'
has "-n of a bad file: FreeBSD's line first" '^stdin:1: syntax error$' "$(head -n 1 <<<"$err")"
has "and last that nothing is loaded" \
	'^pfctl: Syntax error in config file: pf rules not loaded$' "$(tail -n 1 <<<"$err")"
printf 'pass in on igb0\nrdr on igb0 proto tcp to port 1 -> $nobody\n' >bad.conf
pf -a rdr/www -f bad.conf
has "the file and the line" "^bad.conf:2: macro 'nobody' not defined$|^bad.conf:2: " "$err"
is "exit 1" 1 "$rc"
is "the old rules stay" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"

# The main ruleset is the one that was applied, whatever becomes of its file
echo 'this is being edited' >>pf.conf
check "an anchor loads while somebody edits pf.conf" expose db 8090 80 192.168.100.3
sed -i '$d' pf.conf
is "open" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8090)"
pf -a rdr/db -Fn
says "flush one" 0 "" "nat cleared"
ask "$CLIENT" --wait $GONE tcp:203.0.113.2:8090 >"$TMP/asked"
check "closed" eval '! grep -q www "$TMP/asked"'
is "the other is untouched" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
pf -a bastille/db -Fr
says "flush rules" 0 "" "rules cleared"

# ---- tables ----------------------------------------------------------------

pf -t jails -T show
says "the declared jails are in <jails>" 0 "   192.168.100.2
   192.168.100.3" ""
pf -q -t jails -T add 10.9.9.9
says "-q" 0 "" ""
pf -t jails -T delete 10.9.9.9 10.9.9.8
says "delete" 0 "" "1/2 addresses deleted."
pf -vt bad -T add 198.51.100.0/24 '!198.51.100.7'
says "-v says what was done" 0 "A  198.51.100.0/24
A !198.51.100.7" "2/2 addresses added."
pf -t bad -T test 198.51.100.8
says "test: matches" 0 "" "1/1 addresses match."
pf -t bad -T test 198.51.100.7 198.51.100.9
says "test: a hole does not" 2 "" "1/2 addresses match."
is "a hole in a table is a hole for packets" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
is "and for why" block "$(verdict in igb0 tcp 198.51.100.8:4000 203.0.113.2:22 S)"
pf -t bad -T add 198.51.100.7
says "no entry twice" 0 "" "0/1 addresses added."
printf '192.0.2.7 # one\n198.51.100.7; another\n' >list
pf -t bad -T replace -f list
says "replace" 0 "" "1 addresses added.
1 addresses deleted.
1 addresses changed."
ask "$CLIENT" --wait $GONE tcp:203.0.113.2:8080 >"$TMP/asked"
check "an address in the table is stopped at once" eval '! grep -q www "$TMP/asked"'
pf -t bad -T replace -f list
says "replace by the same" 0 "" "no changes."
no_drift "after changes of tables"
pf -t bad -T flush
says "flush" 0 "" "2 addresses deleted."
is "and let in again" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
pf -t fixed -T add 10.0.0.1
says "a const table" 255 "" "pfctl: Operation not permitted."
pf -nt bad -T add 10.0.0.1
says "-n" 0 "" "1/1 addresses added (dummy)."
pf -t bad -T show
says "changed nothing" 0 "" ""
pf -t made -T add 10.0.0.1 10.0.0.2
says "a table that nobody declared" 0 "" "1 table created.
2/2 addresses added."
pf -t made -T expire 1000
says "expire" 0 "" "0/0 addresses expired."
pf -t made -T kill
says "kill" 0 "" "1 table deleted."
pf -t nonsense -T add 1.2.3.4.5
is "no address" 255 "$rc"
pf -t listed -T add 192.0.2.2
pf -t bad -T add 192.0.2.50
pf -f pf.conf
says "-f of the main ruleset" 0 "" ""
pf -t listed -T show
says "a list is what the file says again" 0 "   192.0.2.1" ""
pf -t bad -T show
says "a table without one keeps what it has" 0 "   192.0.2.50" ""
no_drift "after -f"
is "and the anchors stay" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"

# ---- small transactions ----------------------------------------------------

# What a command changes in the kernel: messages, as writes.py says it
writes()	# ARGS of pfctl
{
	on_host "$PYTHON" -EsB "$LAB_DIR/writes.py" "$TMP/pfctl" "$@" 2>"$TMP/err" | tail -n 1
}

handles()	# of all rules but those of chains whose name or rules match REGEX
{
	on_host nft -a list table inet sallyport | awk -v not="$1" '
		/^\tchain/ { chain = $2 }
		/# handle/ && chain != "" && !/^\tchain/ && $0 !~ not && chain !~ not {
			print chain, $NF }'
}

# An address is an element where it begins and one behind it, and the generation
pf -t bad -T add 192.0.2.60
is "an address more is two elements" "nft 3 rtnetlink 0 genid 1" "$(writes -t bad -T add 192.0.2.70)"
is "one less too" "nft 3 rtnetlink 0 genid 1" "$(writes -t bad -T delete 192.0.2.70)"
is "one that is there is nothing" "nft 0 rtnetlink 0 genid 0" "$(writes -t bad -T add 192.0.2.60)"
handles nothing >"$TMP/handles"
on_host nft -a list table inet sallyport | grep -o 'table4_[0-9a-f]*' | sort -u >"$TMP/sets"
pf -t bad -T add 10.30.0.0/16 '!10.30.1.0/24' 2001:db8:66::/48
pf -t jails -T add 10.9.9.9
pf -t bad -T flush
pf -t jails -T delete 10.9.9.9
handles nothing >"$TMP/handles.after"
same "no rule is written for tables, though they become empty or get another family" \
	"$TMP/handles" "$TMP/handles.after"
www_rules()	# which the kernel has from the anchors of www, of rdr and of the filter
{
	on_host nft -a list table inet sallyport | grep -o 'comment "www:.* # handle.*'
}

handles 'translate_|rdr' >"$TMP/handles"
www_rules >"$TMP/www"
check "another anchor is loaded" expose db 8092 80 192.168.100.3
check "there are rules of www to compare" test -s "$TMP/www"
same "and no rule of www is written anew" "$TMP/www" <(www_rules)
is "and works" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8092)"
handles 'translate_|rdr' >"$TMP/handles.after"
is "it leaves the other chains of the kernel alone" "$(grep -c '^in_f\|^out_f' "$TMP/handles")" \
	"$(grep '^in_f\|^out_f' "$TMP/handles.after" | grep -cxFf "$TMP/handles")"
pf -a rdr/db -Fn
pf -a bastille/db -Fr
no_drift "after small transactions"

echo 'pass in on igb0 proto tcp to port 8093' >"$TMP/more.conf"
pf -a bastille/db -f - <<<'include "more.conf"'
says "an include from standard input is beside the caller" 0 "" ""
rm "$TMP/more.conf"
cd / || exit 71
pf -a bastille/db -sr
has "and is kept, wherever later runs stand" "port = 8093" "$out"
cd "$TMP" || exit 71
pf -a bastille/db -Fr

# what a main ruleset reads beside itself is read anew with it
cat >"$TMP/read.conf" <<X
table <read> persist file "$TMP/read.list"
include "$TMP/read.rules"
X
echo 192.0.2.1 >"$TMP/read.list"
echo 'pass in proto tcp to port 8094' >"$TMP/read.rules"
pf -f "$TMP/read.conf"
echo 192.0.2.2 >"$TMP/read.list"
echo 'pass in proto tcp to port 8095' >"$TMP/read.rules"
pf -t read -T show
says "a changed file changes nothing" 0 '   192.0.2.1' ""
pf -f "$TMP/read.conf"
pf -t read -T show
says "until the ruleset is loaded again" 0 '   192.0.2.2' ""
pf -sr
has "its includes too" "port = 8095" "$out"
pf -f "$TMP/pf.conf"

# ---- states ----------------------------------------------------------------

pf -F states
has "-F states says how many" '^[0-9]+ states cleared$' "$err"
is "one connection" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
pf -s states
has "-s states: inside, outside in parentheses, from where" \
	'^all tcp 192\.168\.100\.2:80 \(203\.0\.113\.2:8080\) <- 198\.51\.100\.7:[0-9]+       [A-Z_0-9]+:[A-Z_0-9]+$' "$out"
is "each state in one line" 0 "$(grep -cv '^all ' <<<"$out")"
n=$(wc -l <<<"$out")
pf -si
has "-s info counts them" "^  current entries  *$n " "$out"
pf -k 192.0.2.99
says "-k of a host without any" 0 "" "killed 0 states from 1 sources and 0 destinations"
pf -k 198.51.100.0/24 -k 203.0.113.2
has "-k of a network to a host" '^killed [1-9][0-9]* states from 1 sources and 1 destinations$' "$err"
pf -ss
check "they are gone" eval '! grep -q 198.51.100.7 <<<"$out"'
is "and new connections come" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
pf -vvss
id=$(awk '/198\.51\.100\.7/ { found = 1 } found && $1 == "id:" { print $2; exit }' <<<"$out")
pf -k id -k "$id"
says "-k id kills one" 0 "" "killed 1 states"
is "another connection" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
pf -ss
key=$(sed -n 's/^all \(tcp\) .* (\(.*\)) \(<- 198[^ ]*\).*/\1 \2 \3/p' <<<"$out")
pf -k key -k "${key/<-/->}"
says "-k key: the other direction is another state" 0 "" "killed 0 states"
pf -k key -k "$key"
says "-k key kills one" 0 "" "killed 1 states"
pf -k key -k "$key"
says "which is gone" 0 "" "killed 0 states"
pf -k key -k 'tcp 203.0.113.2:8080 <-'
says "-k key wants four words" 1 "" \
	'pfctl: key must be "protocol host1:port1 direction host2:port2" format'
pf -k nat
has "-k nat wants an address" "^pfctl: no nat specified$" "$err"
serve "$INET" world tcp:192.0.2.80:80
is "a jail asks a server" "world 203.0.113.2" \
	"$(ask "$HOST" --from 192.168.100.2 tcp:192.0.2.80:80)"
pf -k 192.168.100.2
says "-k: not by the address before nat" 0 "" "killed 0 states from 1 sources and 0 destinations"
pf -k nat -k 203.0.113.2
says "-k nat: not by the one behind it" 0 "" "killed 0 states from 1 sources and 0 destinations"
pf -k nat -k 192.168.100.2
says "-k nat: by the address before it" 0 "" "killed 1 states from 1 sources and 0 destinations"
pf -k gateway -k 203.0.113.1
says "-k gateway: no rule chose one" 0 "" "killed 0 states"

# ---- counters --------------------------------------------------------------

pf -a f2b/count -f - <<'X'
pass in quick on igb0 proto tcp from any to 192.168.100.2 port { 80, 81 } label "web:$dstport"
X
pf -F states
ask "$CLIENT" tcp:203.0.113.2:8080 >/dev/null
pf -a f2b/count -s labels
has "-s labels: name, evaluations, packets, bytes" '^web:80 1 1 [1-9][0-9]* 1 [1-9][0-9]* 0 0 1$' "$out"
has "each by itself" '^web:81 0 0 0 0 0 0 0 0$' "$out"
pf -a f2b/count -vsr
has "-v: what a rule has counted, and its states" \
	'^  \[ Evaluations: 1         Packets: 1         Bytes: [0-9]+ +States: 1     \]$' "$out"
pf -k label -k web:81
says "-k label of a rule without states" 0 "" "killed 0 states"
pf -k label -k web:80
says "-k label kills those of the rule" 0 "" "killed 1 states"
pf -k label
has "-k label wants a label" "^pfctl: no label specified$" "$err"
pf -z
says "-z" 0 "" "pf: rule counters cleared"
pf -a f2b/count -s labels
has "counts begin anew" '^web:80 0 0 0 0 0 0 0 0$' "$out"
pf -a f2b/count -Fr
no_drift "after -z"

# ---- fail2ban's forms ------------------------------------------------------

pf -a f2b/sshd -f- <<'X'
table <f2b-sshd> persist counters
block quick proto tcp from <f2b-sshd> to any port 8080
X
is "an anchor with a table of its own" 0 "$rc"
pf -a f2b/sshd -f - <<<'block quick proto tcp from <f2b-sshd> to any port 8080'
pf -a f2b/sshd -t f2b-sshd -T add 198.51.100.7
says "ban: a persistent table outlives a load that does not name it" 0 "" "1/1 addresses added."
ask "$CLIENT" --wait $GONE tcp:203.0.113.2:8081 >"$TMP/asked"
is "the port that the ban is about is another" "$W" "$(ask "$CLIENT" --wait $GONE tcp:203.0.113.2:8081 | head -n 1)"
pf -t f2b-sshd -T show
is "the main ruleset has no such table" 255 "$rc"
pf -a f2b/sshd -s rules
is "-a -s rules" 'block drop quick proto tcp from <f2b-sshd> to any port = 8080' "${out/http-alt/8080}"
pf -a f2b/sshd -t f2b-sshd -T delete 198.51.100.7
says "unban" 0 "" "1/1 addresses deleted."
pf -a 'f2b/*' -sr
has "a star recurses" '^anchor "sshd" all \{$' "$out"

# ---- blacklistd's forms ----------------------------------------------------

pf -a f2b/8081 -f - <<<'block in quick proto tcp from <port8081> to any port 80'
pf -qa f2b/8081 -t port8081 -T add 198.51.100.7/32
says "quietly into the table of an anchor" 0 "" ""
pf -qk 198.51.100.7
says "and its states quietly" 0 "" ""
pf -a f2b -s Anchors
is "the anchors of services" "  f2b/8081" "$(grep 8081 <<<"$out")"
ask "$CLIENT" --wait $GONE tcp:203.0.113.2:8081 >"$TMP/asked"
check "the address is shut out" eval '! grep -q www "$TMP/asked"'
pf -qa f2b/8081 -t port8081 -T delete 198.51.100.7/32
says "out of it" 0 "" ""
pf -a f2b/8081 -Fa
says "all of an anchor" 0 "" "Ethernet rules cleared
rules cleared
nat cleared
1 tables deleted."
no_drift "after blacklistd"

# ---- off and on ------------------------------------------------------------

pf -d
is "-d" 0 "$rc"
has "-d says so, and that the fences stay" '^pf disabled$' "$(head -n 1 <<<"$err")"
check "there are fences still" eval 'on_host nft list ruleset | grep -q fence'
ask "$CLIENT" --wait $GONE tcp:203.0.113.2:8080 >"$TMP/asked"
check "no redirection" eval '! grep -q www "$TMP/asked"'
no_drift "after -d"
pf -d
says "-d twice" 1 "" "pfctl: pf not enabled"
pf -d -F info
says "stops nothing else" 1 "" "pfctl: pf not enabled
pf: statistics cleared"
pf -ef pf.conf
says "-ef when it was off" 0 "" "pf enabled"
pf -ef pf.conf
says "-ef when it was on" 1 "" "pfctl: pf already enabled"
pf -qd
pf -e
says "-e" 0 "" "pf enabled"
is "all is as it was" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"

# ---- many at once ----------------------------------------------------------

pids=()
for i in $(seq 20); do
	printf 'rdr pass on igb0 inet proto tcp from any to (igb0) port %d -> 192.168.100.2 port 80\n' \
		$((9000 + i)) | on_host ./pfctl -a "rdr/jail$i" -f - &
	pids+=($!)
done
wait "${pids[@]}"
pf -a rdr -s Anchors
is "20 at once, none is lost" 20 "$(grep -c rdr/jail <<<"$out")"
is "the first" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:9001)"
is "the last" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:9020)"
no_drift "after 20 at once"

# Killed anywhere, the next puts it right and loses nothing
for i in $(seq 21 30); do
	printf 'rdr pass on igb0 inet proto tcp from any to (igb0) port %d -> 192.168.100.2 port 80\n' \
		$((9000 + i)) >anchor.conf
	nsenter --net="/run/netns/$HOST" -- ./pfctl -a "rdr/jail$i" -f anchor.conf &
	pid=$!
	on_host ./pfctl -t bad -T add "10.20.0.$i" 2>/dev/null
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
done
check "apply completes" on_host "$SALLYPORT" apply
no_drift "after kills"
pf -t bad -T show
is "no table entry is lost" 10 "$(grep -c '10\.20\.0\.' <<<"$out")"
is "and nothing else" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:9020)"

# ---- everything away -------------------------------------------------------

pf -a 'rdr/*' -F nat
says "flush all below" 0 "" "nat cleared"
ask "$CLIENT" --wait $GONE tcp:203.0.113.2:9020 >"$TMP/asked"
check "all closed" eval '! grep -q www "$TMP/asked"'
pf -F rules
says "-F rules of the main ruleset" 0 "" "rules cleared"
pf -sr
says "no rules" 0 "" ""
pf -sn
has "nat stays" '^nat on igb0' "$out"
no_drift "after -F"
pf -f - <<'X'
rdr pass on igb0 proto tcp to (igb0) port 7000 -> 192.168.100.2 port 80
X
is "a main ruleset from standard input" 0 "$rc"
is "takes the place of the old one" "$W" "$(ask "$CLIENT" tcp:203.0.113.2:7000)"
pf -sn
is "whole" 1 "$(wc -l <<<"$out")"
no_drift "after a ruleset from standard input"

# ---- what jail managers feed to it -----------------------------------------

CORPUS=${SALLYPORT_CORPUS:-$LAB_TOP/../shared/corpus}/pf-toolforms
if [ -d "$CORPUS" ]; then
	on_host ip link add em0 type dummy 2>/dev/null || on_host ip link add em0 type bridge
	on_host ip addr add 198.51.100.177/24 dev em0
	for f in "$CORPUS"/*.anchor_*; do
		case $f in *.norm) continue ;; esac
		name=$(basename "$f")
		anchor=${name#*.anchor_}
		pf -a "${anchor//_/\/}" -f "$f"
		is "load $name" "0 " "$rc $err"
		pf -a "${anchor//_/\/}" -sn
		nat=$out
		pf -a "${anchor//_/\/}" -sr
		is "list $name" "$(grep -v ' = "' "$f.norm")" "$nat${nat:+${out:+
}}$out"
	done
	for f in "$CORPUS"/iocage-nat.main_ruleset "$CORPUS"/cbsd.pfnat.conf \
		 "$CORPUS"/cbsd.pfrdr.conf "$CORPUS"/podman-freebsd.pf.conf \
		 "$CORPUS"/pot-init.pf.conf; do
		pf -f "$f"
		is "main ruleset $(basename "$f")" "0 " "$rc $err"
	done
else
	skip "forms of jail managers" "../shared absent"
fi

# ---- who sends --------------------------------------------------------------

serve "$CLIENT" client tcp:198.51.100.7:80
pf -f - <<'X'
pass
block return out quick on igb0 proto tcp to 198.51.100.7 user root
X
is "a rule for the owner of the socket" refused "$(ask "$HOST" tcp:198.51.100.7:80)"
pf -f - <<'X'
pass
block return out quick on igb0 proto tcp to 198.51.100.7 user 0 >< 60000
X
is "and for others" "client 203.0.113.2" "$(ask "$HOST" tcp:198.51.100.7:80)"
pf -f - <<'X'
pass
block return out quick on igb0 proto tcp to 198.51.100.7 user root group 4242
X
is "a rule for the owner's group" refused "$(in_ns "$HOST" setpriv --regid 4242 --clear-groups \
	"$PYTHON" -EsB "$LAB_DIR/ask.py" tcp:198.51.100.7:80)"
is "and for others" "client 203.0.113.2" "$(ask "$HOST" tcp:198.51.100.7:80)"
pf -f pf.conf

# ---- ipfw ------------------------------------------------------------------

echo 'add 100 allow ip from any to any' >ipfw.rules
check "an ipfw ruleset instead" on_host "$SALLYPORT" -f rc.conf -f jail.conf -f ipfw.rules apply
pf -sr
is "pfctl refuses" 1 "$rc"
has "and says why" 'ipfw' "$err"

lab_done
