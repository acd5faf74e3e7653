#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Bad input: the right exit status, a message at the right place, and a host that
# is as it was.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

lab_build
cp "$EXAMPLE"/*.conf "$TMP"
snapshot "$HOST" "$TMP/before"

unchanged()	# NAME
{
	snapshot "$HOST" "$TMP/after"
	same "$1: the host is as it was" "$TMP/before" "$TMP/after"
}

# check and apply must refuse the file alike
bad()		# NAME STATUS REGEX FILE...
{
	local name=$1 want=$2 regex=$3 verb files=() f

	shift 3
	for f; do
		files+=(-f "$f")
	done
	for verb in check apply; do
		sp "${files[@]}" $verb
		if [ "$rc" -eq "$want" ]; then
			ok "$name: $verb exits $want"
		else
			not_ok "$name: $verb exits $want" "exit status $rc: $(head -n 5 <<<"$err$out")"
		fi
	done
	has "$name: the message" "$regex" "$(head -n 100 "$TMP/err")"
	check "$name: at most 20 errors" test "$(grep -c ': error: ' "$TMP/err")" -le 20
}

# A pf.conf of one bad line after two good ones, and the column of its error
pf()		# NAME COLUMN LINE [WORD of the message]
{
	printf 'ext = "igb0"\nset skip on lo\n%s\n' "$3" >one.pf.conf
	bad "$1" 65 "^one\.pf\.conf:3:$2: error: .*${4-}.*\[E[0-9]+\]" one.pf.conf
	has "$1: a caret" '^ +\| +\^' "$err"
}

pf "unknown word" 1 'blok in all' blok
pf "unknown option" 5 'set frob on' frob
pf "a port too large" 39 'pass in on igb0 proto tcp to any port 70000' 70000
pf "an undefined macro" 12 'pass in on $nope' nope
pf "a bad address" 22 'pass in on igb0 from 300.1.1.1 to any' '300\.1\.1\.1'
pf "a bad prefix" '[0-9]+' 'pass in on igb0 from 10.0.0.0/33 to any' '33'
pf "an unclosed brace" '[0-9]+' 'pass in proto { tcp udp'
pf "what this version cannot do" '[0-9]+' 'pass in on igb0 route-to (igb0 203.0.113.1) from any to any' route-to

printf 'pass in all\nnat on igb0 from any to any -> 203.0.113.2\n' >order.pf.conf
bad "a translation rule after a filter rule" 65 '^order\.pf\.conf:2:1: error: ' order.pf.conf
printf 'pass in on igb0 proto tcp to port 90:80\n' >range.pf.conf
bad "a port range that runs backwards" 65 '^range\.pf\.conf:1:[0-9]+: error: .*90.*80' range.pf.conf
printf 'web = "{ 80 70000 }"\npass in on igb0 proto tcp to port $web\n' >macro.pf.conf
bad "an error inside a macro" 65 '^macro\.pf\.conf:2:[0-9]+: note: ' macro.pf.conf
yes 'blok in all' | head -n 1000 >many.pf.conf
bad "a thousand errors" 65 '^many\.pf\.conf:1:1: error: ' many.pf.conf
is "a thousand errors: twenty are told" 20 "$(grep -c ': error: ' "$TMP/err")"

# ---- jail.conf, rc.conf ----------------------------------------------------

printf 'www {\n\tip4.addr = "lo1|10.0.0.2/32";\n' >unclosed.jail.conf
bad "jail.conf: an unclosed brace" 65 '^unclosed\.jail\.conf:[0-9]+:[0-9]+: error: ' unclosed.jail.conf
printf 'www {\n\tip4.addr = "lo1|10.0.0.300/32";\n}\n' >addr.jail.conf
bad "jail.conf: a bad address" 65 '^addr\.jail\.conf:2:[0-9]+: error: .*10\.0\.0\.300' addr.jail.conf
printf 'www {\n\tip4.addr = "em9|10.0.0.2/32";\n}\n' >em9.jail.conf
sp -f em9.jail.conf apply
is "jail.conf: an interface that does not exist" 65 "$rc"
has "jail.conf: an interface that does not exist: where" '^em9\.jail\.conf:2:[0-9]+: error: .*em9' "$err"
printf 'cloned_interfaces="lo1\n' >quote.rc.conf
bad "rc.conf: an unclosed quote" 65 '^quote\.rc\.conf:[0-9]+:[0-9]+: error: ' quote.rc.conf
printf 'cloned_interfaces="lo1"\nifconfig_lo1_aliases="inet 10.0.0.9-2/32"\n' >range.rc.conf
bad "rc.conf: a range that runs backwards" 65 '^range\.rc\.conf:2:[0-9]+: error: ' range.rc.conf
printf 'jail_list="www nobody"\n' >list.rc.conf
bad "a jail that is not declared" 65 '^list\.rc\.conf:1:[0-9]+: error: .*nobody' list.rc.conf jail.conf

# ---- size and form ---------------------------------------------------------

head -c 100000000 /dev/zero | tr '\0' 'p' >huge.pf.conf
bad "100 MB in a line" 65 'error: .*huge\.pf\.conf.*\[E1002\]' huge.pf.conf
yes 'pass in all' | head -c 100000000 >huge.pf.conf
bad "100 MB of rules" 65 'error: .*huge\.pf\.conf.*\[E1002\]' huge.pf.conf
rm huge.pf.conf
yes 'pass in all' | head -c 15000000 >large.pf.conf
sp -f large.pf.conf check
check "15 MB of rules: checked or refused, no more" test "$rc" -eq 0 -o "$rc" -eq 65
rm large.pf.conf
head -c 100000 "$SALLYPORT" >binary.pf.conf
bad "a program" 65 'binary\.pf\.conf.*error: ' binary.pf.conf
cp binary.pf.conf binary.jail.conf
bad "a program as jail.conf" 65 'binary\.jail\.conf.*error: ' binary.jail.conf
cp binary.pf.conf binary.rc.conf
bad "a program as rc.conf" 65 'binary\.rc\.conf.*error: ' binary.rc.conf
check "control bytes do not reach the terminal" eval '! grep -q "$(printf "\033")" "$TMP/err"'
# 0x80 to 0xff are no UTF-8, and NUL is not among them
"$PYTHON" -c 'import sys; sys.stdout.buffer.write(bytes(range(1, 256)) * 50)' >bytes.pf.conf
bad "all bytes but NUL" 65 'bytes\.pf\.conf.*error: ' bytes.pf.conf
{ printf 'pass in from '; printf '{ %.0s' {1..5000}; echo; } >deep.pf.conf
bad "deep nesting" 65 'deep\.pf\.conf.*error: ' deep.pf.conf
{ printf 'a { '; printf 'b { %.0s' {1..5000}; echo; } >deep.jail.conf
bad "jail.conf: deep nesting" 65 'deep\.jail\.conf.*error: ' deep.jail.conf
{ echo 'm0 = "10.0.0.1"'; for i in {1..70}; do echo "m$i = \"{ \$m$((i - 1)) \$m$((i - 1)) }\""; done
	echo 'pass in from $m70 to any'; } >bomb.pf.conf
bad "macros that double seventy times" 65 'bomb\.pf\.conf.*error: |error: .*\[E' bomb.pf.conf
printf 'include "self.pf.conf"\n' >self.pf.conf
bad "a file that includes itself" 65 'self\.pf\.conf:1:[0-9]+: error: .*\[E1005\]' self.pf.conf
printf 'include "b.pf.conf"\n' >a.pf.conf
printf 'pass in all\ninclude "a.pf.conf"\n' >b.pf.conf
bad "two that include each other" 65 'error: .*\[E1005\]' a.pf.conf
printf 'pass in all\ninclude "absent.conf"\n' >inc.pf.conf
bad "an include that is not there" 65 '^inc\.pf\.conf:2:[0-9]+: error: .*absent\.conf' inc.pf.conf
mkdir -p dir.pf.conf
bad "a directory" 66 'dir\.pf\.conf' dir.pf.conf
: >empty.pf.conf
sp -f empty.pf.conf check
is "an empty file declares nothing" 0 "$rc"
printf 'pass in all' >noeol.pf.conf
sp -f noeol.pf.conf check
is "a last line without an end is a line" 0 "$rc"

# ---- interfaces that do not exist ------------------------------------------

printf 'pass in on igb0 proto tcp to em9 port 80\n' >to.pf.conf
sp -f to.pf.conf check
is "to em9: a note in check" 0 "$rc"
has "to em9: at its place" '^to\.pf\.conf:1:[0-9]+: note: .*em9' "$err"
sp -f to.pf.conf apply
is "to em9: an error in apply" 65 "$rc"
has "to em9: at its place in apply" '^to\.pf\.conf:1:[0-9]+: error: .*em9' "$err"
printf 'pass in on em9\npass out on igb0 from (em9) to any\n' >on.pf.conf
sp -f on.pf.conf check
is "on em9, (em9): a note in check" 0 "$rc"
has "on em9: at its place" '^on\.pf\.conf:1:[0-9]+: note: .*em9' "$err"
sp -f on.pf.conf -n apply
is "on em9, (em9): no error in apply" 1 "$rc"

unchanged "after all that"

# ---- nothing half applied --------------------------------------------------

sp_must -f rc.conf -f jail.conf -f pf.conf apply
snapshot "$HOST" "$TMP/before"
echo 'pass in on $nope' >>pf.conf
sp -f rc.conf -f jail.conf -f pf.conf apply
is "an error on top of what stands: exits 65" 65 "$rc"
unchanged "an error on top of what stands"
sp apply
is "files that have become bad since: exits 65" 65 "$rc"
unchanged "files that have become bad since"

# ---- the longest words that get into the kernel ----------------------------------------

# Of a file, a table, a label, a jail and a line: what is too long is cut, and what is
# no plain text is replaced, so that what is read back is what was written
long=$(printf 'x%.0s' {1..240})
odd=$'\t\\\x7f\xc3\xa9$%'
long_pf=$odd${long:40}.pf.conf long_jail=$odd${long:40}.jail.conf
cat >"$long_pf" <<END
table <${long:0:31}> { 198.51.100.0/24 $(printf '10.9.%d.0/24 ' {1..200})}
nat on igb0 from <${long:0:31}> to any -> 203.0.113.2
rdr on igb0 proto tcp from <${long:0:31}> to 203.0.113.2 port { $(printf '%d ' {7000..7400}) } -> 192.168.100.2
block in log on igb0 from <${long:0:31}> to any label "${long:0:55}$odd"
pass in log on igb0 proto tcp from <${long:0:31}> to any port { $(printf '%d ' {1..900}) } label "${long:0:63}"
END
cat >"$long_jail" <<END
$(tr x j <<<"${long:0:63}") { ip4.addr = "lo1|192.168.100.2/32"; \$forward = "tcp 81:80 to 203.0.113.2"; }
END
echo 'cloned_interfaces="lo1"' >lo1.rc.conf
files=(-f lo1.rc.conf -f "$long_pf" -f "$long_jail")
sp --no-fence=local "${files[@]}" apply
is "the longest words: apply" 0 "$rc"
sp --no-fence=local "${files[@]}" plan
is "the longest words: are read back as they were written" 0 "$rc"
sp -q status
has "the longest words: status shows them" "^jail +j{63} " "$out"

# ---- several runs into one log ------------------------------------------------------

for ((i = 0; i < 19; i++)); do
	echo "block in on igb0 from nowhere$i"
done >many.pf.conf
"$SALLYPORT" -f many.pf.conf check 2>one.log
for ((i = 0; i < 32; i++)); do
	"$SALLYPORT" -f many.pf.conf check 2>>all.log &
done
wait
check "of 32 runs into one log each line is whole" \
	test -z "$(sort -u all.log | comm -23 - <(sort -u one.log))"
check "and none is missing" test "$(wc -l <all.log)" -eq $((32 * $(wc -l <one.log)))

lab_done
