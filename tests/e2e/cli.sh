#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The command line's contract: exit statuses, JSON always, namespaces, what is
# remembered of the last apply, and who may do what.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

lab_build
cp "$EXAMPLE"/*.conf "$TMP"
F=(-f rc.conf -f jail.conf -f pf.conf)

exits()		# STATUS ARGS
{
	local want=$1

	shift
	sp "$@"
	if [ "$rc" -eq "$want" ]; then
		ok "exit $want: $*"
	else
		not_ok "exit $want: $*" "exit status $rc: $err $out"
	fi
}

# ---- exit statuses ---------------------------------------------------------

exits 64
exits 64 frobnicate
exits 64 --frobnicate apply
exits 64 "${F[@]}" apply now
exits 64 -D novalue "${F[@]}" check
exits 64 --lang cobol -f pf.conf check
exits 64 compile "${F[@]}" --to cobol
exits 64 --no-fence=garden "${F[@]}" check
exits 64 why in igb0 "${F[@]}"
exits 64 why sideways igb0 tcp 198.51.100.7:1 203.0.113.2:80 "${F[@]}"
exits 64 why in igb0 tcp 198.51.100.7:1 not-an-address:80 "${F[@]}"
exits 64 explain
exits 64 -f readme.txt check
exits 66 -f absent/pf.conf check
exits 66 -f absent/pf.conf apply
exits 66 --netns no-such-namespace "${F[@]}" apply
exits 66 --netns /no/such/namespace "${F[@]}" apply
exits 66 plan
exits 0 --help
exits 0 "${F[@]}" check
exits 0 check "${F[@]}"
exits 0 "${F[@]}" check -q --json
exits 1 "${F[@]}" plan
has "what is named by --help" apply "$(on_host "$SALLYPORT" --help)"
exits 64 frobnicate --help
has "a verb's own help" "usage: .* forward list" "$(on_host "$SALLYPORT" forward --help)"
is "it has that verb's options, and no other's" "--cgroup" \
	"$(on_host "$SALLYPORT" --help up | grep -o -e --cgroup -e --seed)"

# The manual page: each verb, and each option but those that a verb's own help has
manual=$LAB_TOP/src/cli/sallyport.8
page=$(sed -nE '/^\.It/{s/ ?\<(It|Cm|Ar|Fl|Op|Ns|Oo|Oc|Ql) / /g; s/  +/ /g; p}' "$manual")
missing=
while read -r name; do
	grep -q -E -e "(^|[ ,])$name([ ,]|\$)" <<<"$page" || missing+="$name, "
	on_host "$SALLYPORT" --help "$name" | sed -nE 's/^  (--?[A-Za-z-]+).*/\1/p' >>"$TMP/own"
done < <(on_host "$SALLYPORT" --help |
	sed -nE '/^verbs/,/^options/s/^  (([a-z]+ (add|del|on|off|list|next|status|reload))|[a-z]+) .*/\1/p')
is "the manual page has each verb" "" "$missing"
missing=
while read -r name; do
	grep -q -x -e "$name" "$TMP/own" || grep -q -e "[ ,]Fl ${name#-}" "$manual" ||
		missing+="$name, "
done < <(on_host "$SALLYPORT" --help | sed -nE '/^options/,$s/^  (--?[A-Za-z-]+).*/\1/p')
is "and each option that all verbs take" "" "$missing"

sp -f absent/pf.conf check
has "a missing file is named" 'absent/pf\.conf' "$err"
sp --frobnicate apply
is "messages are on stderr" "" "$out"

# Nothing above has touched the host
check "nothing was made" eval '! on_host ip link show lo1 2>/dev/null'
is "no table was made" "" "$(on_host nft list tables)"

# ---- definitions, standard input -------------------------------------------

sp --json -D extip=203.0.113.5 "${F[@]}" why in igb0 tcp 198.51.100.7:40000 203.0.113.5:80 S
is "-D sets a macro, and the file's own does not change it" pass "$(jq -r '.sallyport.why[0].verdict' <<<"$out")"
check "- is standard input" on_host "$SALLYPORT" --lang pf -f - check <pf.conf
on_host "$SALLYPORT" --lang pf -f - check >/dev/null 2>"$TMP/err" <<<'pass in on'
has "standard input has the name stdin" '^stdin:1:' "$(cat "$TMP/err")"

# ---- JSON ------------------------------------------------------------------

is_json()	# ENTITY ARGS
{
	local entity=$1

	shift
	sp --json "$@"
	check "JSON ($rc): $*" jq -es 'length == 1 and (.[0].sallyport | type == "object" and
		all(.[]; type == "array")'"${entity:+ and has(\"$entity\")}"')' <<<"$out"
}

all_json()	# WHEN
{
	local v
	for v in check plan status; do
		is_json $v "${F[@]}" $v
	done
	is_json plan plan
	is_json status status
	is_json alias alias list
	is_json compile "${F[@]}" compile --to nft
	is_json compile "${F[@]}" compile --to model
	is_json why "${F[@]}" why in igb0 tcp 198.51.100.7:40000 203.0.113.2:80 S
	is_json why "${F[@]}" why in igb0 udp 198.51.100.7:40000 203.0.113.2:53
	is_json explain explain E1010
}

all_json
is_json apply "${F[@]}" apply
all_json
is_json destroy destroy
is_json ''
is_json '' frobnicate
is_json '' --frobnicate check
is_json '' -f absent/pf.conf check
is_json '' explain E0000
printf 'pass in on $nope\nblok in\n' >bad.pf.conf
is_json '' -f bad.pf.conf check
check "JSON: an error has its fields" jq -e '.sallyport.error | length == 2 and
	all(has("file", "line", "column", "code", "severity", "message")) and
	.[0].line == 1 and .[1].line == 2 and .[0].severity == "error"' <<<"$out"
is "JSON: nothing on stderr" "" "$err"
printf '\377\376 \033[31m "quoted" \\\n' >bytes.pf.conf
is_json '' -f bytes.pf.conf check
cp pf.conf "$TMP/we\"ird\\ name.pf.conf"
printf 'nope\n' >>"$TMP/we\"ird\\ name.pf.conf"
is_json '' -f "we\"ird\\ name.pf.conf" check
is_json '' --netns nowhere "${F[@]}" apply

# A batch: a bare object for each line
printf '%s\n' 'in igb0 tcp 198.51.100.7:40000 203.0.113.2:80 S' \
	'in igb0 tcp 198.51.100.7:40000 203.0.113.2:3306 S' \
	'in igb0 tcp [2001:db8::7]:40000 [2001:db8:113::2]:80 S' \
	'in igb0 icmp 198.51.100.7 203.0.113.2 8/0' \
	'out igb0 udp 192.168.100.2:5353 192.0.2.80:53' >packets
sp "${F[@]}" --json why --batch packets
is "a batch: exit status 0 when all lines could be judged" 0 "$rc"
is "a batch: one bare object a line" "pass
block
block
block
pass" "$(jq -r .verdict <<<"$out")"

# ---- what is remembered ----------------------------------------------------

mkdir -p sub
sp_must "${F[@]}" apply
cd sub || exit
exits 0 plan
cd ..
sp_must destroy
sp_must -D extip=203.0.113.2 --no-fence=egress "${F[@]}" apply
exits 0 plan
exits 1 "${F[@]}" plan
sp_must destroy

# ---- namespaces ------------------------------------------------------------

check "--netns NAME" "$SALLYPORT" --netns "$HOST" "${F[@]}" apply
check "--netns NAME: made there" on_host ip addr show dev lo1
check "--netns NAME: and not here" eval '! ip link show lo1 2>/dev/null'
check "--netns PATH" "$SALLYPORT" --netns "/run/netns/$HOST" plan
check "the same state from within" on_host "$SALLYPORT" plan
snapshot "$REPLICA" "$TMP/before"
check "--netns: another namespace has a state of its own" \
	"$SALLYPORT" --netns "$REPLICA" -f jail.conf apply
check "--netns: destroy there" "$SALLYPORT" --netns "$REPLICA" destroy
snapshot "$REPLICA" "$TMP/after"
same "--netns: all is as it was there" "$TMP/before" "$TMP/after"
check "--netns: and the first still stands" "$SALLYPORT" --netns "$HOST" plan
check "--netns: destroy" "$SALLYPORT" --netns "$HOST" destroy
check "--state-dir" on_host "$SALLYPORT" --state-dir "$TMP/state" "${F[@]}" apply
check "--state-dir: plan" on_host "$SALLYPORT" --state-dir "$TMP/state" plan
check "--state-dir: destroy" on_host "$SALLYPORT" --state-dir "$TMP/state" destroy

# ---- who may ---------------------------------------------------------------

powerless()	# STATUS ARGS
{
	local want=$1 got=0

	shift
	on_host setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all \
		"$SALLYPORT" "$@" >"$TMP/out" 2>"$TMP/err" </dev/null || got=$?
	if [ $got -eq "$want" ]; then
		ok "without rights: exit $want: ${*: -1}"
	else
		not_ok "without rights: exit $want: $*" "exit status $got: $(cat "$TMP/out" "$TMP/err")"
	fi
}

snapshot "$HOST" "$TMP/before"
powerless 0 "${F[@]}" check
powerless 0 "${F[@]}" compile --to nft
powerless 0 "${F[@]}" why in igb0 tcp 198.51.100.7:40000 203.0.113.2:80 S
powerless 77 "${F[@]}" apply
has "without rights: says so" 'not permitted|denied.*\[E1012\]' "$(cat "$TMP/err")"
powerless 77 --json "${F[@]}" apply
check "without rights: JSON too" jq -e '.sallyport.error | length > 0' "$TMP/out"
snapshot "$HOST" "$TMP/after"
same "without rights: nothing was changed" "$TMP/before" "$TMP/after"
sp_must "${F[@]}" apply
snapshot "$HOST" "$TMP/before"
powerless 77 destroy
snapshot "$HOST" "$TMP/after"
same "without rights: nothing was taken away" "$TMP/before" "$TMP/after"

# ---- what a kernel, a lock, and a live host say ---------------------------------

# a kernel that lets nobody make a namespace cannot be asked: a note, no failure
asked=$(on_host unshare --user --map-root-user sh -c \
	'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"' sh \
	"$SALLYPORT" "${F[@]}" check 2>&1)
has "check where the kernel cannot be asked" \
	'\[N1020\]' "$asked"

# the lock is held by another run for longer than a run waits
lock=$(find "$(in_ns "$HOST" sh -c 'echo /run/sallyport')" -name lock | head -n 1)
exec 9>"$lock"
flock -x 9
exits 75 "${F[@]}" apply
has "another run is named as the reason" '\[E1013\]' "$err"
exec 9>&-

# rc.conf and the live host speak of one interface, and differ
sed 's/203\.0\.113\.2\/24/203.0.113.77\/24/' rc.conf >other.rc.conf
sp -f other.rc.conf -f jail.conf -f pf.conf check
has "an address that igb0 does not have now" 'other.rc.conf:[0-9]+:.*\[W1019\]' "$err"

# more memory than a compile may use
{
	printf 'many = "{'
	printf ' 10.0.%d.0' {0..255} {0..255} {0..255} {0..255} {0..255} {0..255} {0..255} {0..255}
	printf ' }"\n'
	for i in {1..500}; do
		# shellcheck disable=SC2016 # it is the file's macro
		printf 'pass in proto tcp from $many to any port %d\n' "$i"
	done
} >large.pf.conf
exits 65 -f large.pf.conf check
has "too large a declaration is an error with a limit" ' MiB of memory \[E1004\]' "$err"

# ---- runs at once ----------------------------------------------------------------

# A socket that keeps writes apart: each line, and each diagnostic, is one of them
cat >"$TMP/writes.py" <<'END'
import socket, subprocess, sys
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
run = subprocess.Popen(sys.argv[1:], stderr=theirs.fileno(), stdout=subprocess.DEVNULL)
theirs.close()
n = bad = 0
while data := ours.recv(1 << 16):
    n += 1
    bad += not data.endswith(b"\n") or data[:1] == b" "
run.wait()
print(n > 0, bad)
END
echo 'www { ip4.addr = "lo1|10.0.0.300/32"; ip4.addr += "lo1|10.0.0.301/32"; }' >"$TMP/wrong.jail.conf"
is "a diagnostic is one write, with its lines" "True 0" \
	"$(on_host "$PYTHON" -EsB "$TMP/writes.py" "$SALLYPORT" -f "$TMP/wrong.jail.conf" check)"
is "a line is one write" "True 0" \
	"$(on_host "$PYTHON" -EsB "$TMP/writes.py" "$SALLYPORT" ipfw delete nothing)"

# ---- no child processes ----------------------------------------------------------

# everything that the verbs do, the program does itself: nothing is started
if command -v strace >/dev/null && strace -qq -o /dev/null true 2>/dev/null; then
	for verb in apply plan status "alias list" check destroy; do
		# shellcheck disable=SC2086 # a verb of two words
		ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" \
			on_host strace -f -qq -o "$TMP/calls" -e trace=fork,vfork,clone,clone3,execve,execveat \
			"$SALLYPORT" "${F[@]}" $verb >/dev/null 2>&1
		is "$verb starts no process" "1 execve" \
			"$(sed 's/^[0-9]* *//; s/(.*//' "$TMP/calls" | sort | uniq -c | sed 's/^ *//')"
	done
else
	skip "no process is started" "no strace here"
fi

lab_done
