#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# watch among others and in need: a second watch, firewalls that never rest, a stop, a
# full disk, records and files that are damaged or gone.  Whatever it was, all is back, a
# line says what was missing, and then it rests: no processor time, no descriptor and no
# memory more than before.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build

cat >"$TMP/rc.conf" <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
gateway_enable="YES"
END
cat >"$TMP/jail.conf" <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|10.0.0.2/32"; $forward = "tcp 80"; }
END
files=(-f "$TMP/rc.conf" -f "$TMP/jail.conf")
# Places of our own, which can be filled
for dir in /run/sallyport /var/lib/sallyport; do
	mkdir -p $dir
	mount -t tmpfs -o mode=755,size=256k none $dir
done
sp_must "${files[@]}" --no-verify apply

one='' two=''

# Its lines go to $TMP/NAME.err, its process is in the variable NAME
start_watch()	# NAME COMMAND BEFORE...
{
	local name=$1
	shift
	on_host "$@" "$SALLYPORT" watch 2>>"$TMP/$name.err" &
	wait_for 10 grep -q watching "$TMP/$name.err"
	printf -v "$name" %s "$(pgrep -nx sallyport)"
}
# shellcheck disable=SC2317
as_declared() { on_host "$SALLYPORT" -q plan; }
is_back()	# NAME
{
	check "$1: all is back" wait_for 5 as_declared
}
ticks()		# PROCESS
{
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}
descriptors()	# PROCESS
{
	find "/proc/$1/fd" -mindepth 1 | wc -l
}
memory_kib()	# PROCESS
{
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}
rests()		# NAME
{
	local before

	before=$(ticks "$one")
	give_time 0.5
	is "$1: then it rests" 1 "$(($(ticks "$one") - before <= 2))"
}
n_repairs()	# WATCH
{
	grep -c repairing "$TMP/$1.err"
}

# ---- two at once -----------------------------------------------------------------

start_watch one
start_watch two
is "two: the second has nothing to complain of" watching "$(<"$TMP/two.err")"
on_host ip link del lo1
is_back "two"
is "two: one of them tells it" 1 "$(cat "$TMP"/{one,two}.err | grep -c repairing)"
rests "two"
# A guard of each, which keeps connections over a flush while its watch is there
n_guards() { on_host nft list tables | grep -c sallyport_watch; }
is "two: each guards connections" 2 "$(n_guards)"
kill -KILL "$one"
one_guards() { [ "$(n_guards)" -eq 1 ]; }
gone() { ! kill -0 "$one" 2>/dev/null; }
wait_for 5 gone
check "two: who is left guards connections" wait_for 5 one_guards
on_host nft flush ruleset
is_back "two: who is left"
kill -TERM "$two"
two_is_gone() { ! kill -0 "$two" 2>/dev/null; }
wait_for 5 two_is_gone

# ---- firewalls that never rest -----------------------------------------------------

rm -f "$TMP"/*.err
start_watch one
descriptors=$(descriptors "$one") memory=$(memory_kib "$one")
for _ in {1..100}; do on_host nft flush ruleset; done
is_back "a hundred flushes"
rests "a hundred flushes"
check "a hundred flushes: no more lines than flushes" test "$(n_repairs one)" -le 100

# A transaction for each element; what is missing meanwhile is back, told once
on_host nft -f - <<<'table ip foreign { set s { type ipv4_addr; }; }'
for i in {1..4000}; do
	echo "add element ip foreign s { 10.1.$((i / 250)).$((i % 250)) }"
done >"$TMP/storm"
: >"$TMP/one.err"
on_host nft -i <"$TMP/storm" >"$TMP/storm.log" 2>&1 &
storm=$!
on_host nft delete table arp sallyport
wait "$storm"
is_back "thousands of changes"
rests "thousands of changes"
has "thousands of changes: told with what was missing" "missing table arp sallyport" "$(tr -d '\0' <"$TMP/one.err")"
is "thousands of changes: a complaint stands once at most" "" \
	"$(grep -a error "$TMP/one.err" | sort | uniq -d)"

kill -STOP "$one"
on_host nft flush ruleset
on_host ip link del lo1
for i in {1..200}; do echo "addr add 198.18.0.$i/32 dev igb0"; done | on_host ip -batch -
on_host nft -i <"$TMP/storm" >/dev/null 2>&1
kill -CONT "$one"
is_back "stopped and continued"
rests "stopped and continued"
for i in {1..200}; do echo "addr del 198.18.0.$i/32 dev igb0"; done | on_host ip -batch -
is_back "and without 200 addresses"
in_ns "$ROUTER" ip link del w-host
on_host nft flush ruleset
is_back "the outside interface is gone"
lab_wire "$HOST" igb0 w-host "$HOST_MAC"
on_host ip link set igb0 up
on_host ip addr add 203.0.113.2/24 dev igb0
is_back "and there again"

# ---- a full disk, damaged records, files that are gone -------------------------------

for dir in /run/sallyport /var/lib/sallyport; do
	dd if=/dev/zero of=$dir/fill bs=1k status=none 2>/dev/null
done
for _ in 1 2 3; do
	on_host nft flush ruleset
	is_back "a full disk"
done
rests "a full disk"
rm /run/sallyport/fill /var/lib/sallyport/fill

record=$(echo /run/sallyport/0*)
cp -a "$record" "$TMP/record"
for damage in "head -c 300 /dev/urandom" "true" ""; do
	[ -n "$damage" ] || rm "$record/text/0"
	[ -z "$damage" ] || $damage >"$record/text/0"
	on_host nft flush ruleset
	is_back "the text of the last apply damaged (${damage:-gone})"
done
cp -a "$TMP/record/." "$record"
: >"$TMP/one.err"
echo damaged >"$record/applied"
on_host nft flush ruleset
has_damage() { grep -qa "recorded of the last apply in /run/sallyport is damaged" "$TMP/one.err"; }
check "the record damaged: told" wait_for 5 has_damage
has "the record damaged: with the cure" "help: apply again, with the files" "$(tr -d '\0' <"$TMP/one.err")"
rests "the record damaged"
sp_must "${files[@]}" --no-verify apply
on_host nft flush ruleset
is_back "applied again"

cp -a "$TMP/jail.conf" "$TMP/kept.conf"
rm "$TMP/jail.conf" "$TMP/rc.conf"
on_host nft flush ruleset
# shellcheck disable=SC2317
has_forward() { on_host nft list table inet sallyport | grep -qF "tcp . 203.0.113.2 . 80 "; }
check "the files are gone: what was applied is back" wait_for 5 has_forward
rests "the files are gone"
is "after all of it: no descriptor more" "$descriptors" "$(descriptors "$one")"
check "after all of it: hardly more memory" test $(($(memory_kib "$one") - memory)) -lt 1024
kill -TERM "$one"
wait_for 5 gone

# ---- rounds in a storm ----------------------------------------------------------------

if strace -qq -o /dev/null true 2>/dev/null; then
	# A round takes the lock once, and in a storm there is one in 300 ms
	start_watch one strace -f -qq -e trace=flock -o "$TMP/trace"
	wait_for 5 grep -q flock "$TMP/trace"
	before=$(grep -c flock "$TMP/trace") begin=${EPOCHREALTIME/./}
	on_host nft -i <"$TMP/storm" >/dev/null 2>&1
	took_ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
	n=$(($(grep -c flock "$TMP/trace") - before))
	is "a storm of $took_ms ms: few rounds ($n)" 1 "$((n > 0 && n <= took_ms / 300 + 2))"
	kill -TERM "$one"
else
	skip "rounds in a storm" "no strace here"
fi

rc=0
on_host setpriv --bounding-set -net_admin --inh-caps -net_admin "$SALLYPORT" watch 2>"$TMP/err" || rc=$?
is "without CAP_NET_ADMIN: exits 77" 77 "$rc"
has "without CAP_NET_ADMIN: says what is not permitted" "cannot listen to changes of this host: Operation not permitted" "$(<"$TMP/err")"
lab_done
