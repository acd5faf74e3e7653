#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# apply --confirm: the host is put back unless somebody says that it is good.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

lab_bare HOST
mkdir "$TMP/jails"
cat >"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1"
gateway_enable="YES"
END
echo ".include \"$TMP/jails/*.conf\";" >"$TMP/jail.conf"
echo 'www { ip4.addr = "lo1|192.168.100.2/32"; $nat = "igb0"; $forward = "tcp 4000:80"; }' \
	>"$TMP/jails/www.conf"
args=(--state-dir "$TMP/state" -f "$TMP/rc.conf" -f "$TMP/jail.conf")

run()		# ARGS...
{
	sp --state-dir "$TMP/state" "$@"
}

# Sorted: sets may stand in another order
host_text()
{
	on_host nft -s list ruleset | sort
	on_host ip -o addr | cut -d" " -f 2-7 | sort
	on_host sysctl net.ipv4.ip_forward
}

guards()
{
	pgrep -c sallyport-guard
}

no_guard()
{
	[ "$(guards)" = 0 ]
}

is_as()		# FILE
{
	host_text | cmp -s - "$1"
}

sp confirm --state-dir "$TMP/state"
is "nothing to confirm" 66 "$rc"
for bad in 0 -1 x 1x 86401 ''; do
	sp "${args[@]}" apply --confirm "$bad"
	is "--confirm '$bad'" 64 "$rc"
done
host_text >"$TMP/empty"

# What was looked at too late, as it was put back already, is looked at again
try_for()	# SECONDS
{
	sp_must "${args[@]}" apply --confirm "$1"
}
is_put_back() { wait_for 10 is_as "$was"; }

# Nothing was applied before
was=$TMP/empty
while_open try_for is_put_back host_text
has "it says so" "put back in [0-9]+ seconds unless.*N1909" "$err"
has "it is applied" '192\.168\.100\.2' "$out"
check "then it is taken back, all of it" wait_for 10 is_as "$TMP/empty"
check "nobody is left" wait_for 5 no_guard

# What was applied before, with the texts of then
sp_must "${args[@]}" apply
host_text >"$TMP/before"
echo 'www { ip4.addr = "lo1|192.168.100.3/32"; $nat = "igb0"; $forward = "tcp 4001:80"; }' \
	>"$TMP/jails/www.conf"
echo 'new { ip4.addr = "lo1|192.168.100.4/32"; $nat = "igb0"; }' >"$TMP/jails/new.conf"
was=$TMP/before
while_open try_for is_put_back host_text
has "another file: applied" '192\.168\.100\.4' "$out"
check "and back, though an included file has changed" wait_for 10 is_as "$TMP/before"
check "nobody is left then" wait_for 5 no_guard
run confirm
is "too late" 66 "$rc"
has "and when" "too late: the host was put back at 20.*E1910" "$err"
run plan
is "what is declared now differs" 1 "$rc"

# Confirmed
sp_must "${args[@]}" apply --confirm 100
host_text >"$TMP/after"
run status
has "status tells of it" 'put back in [0-9]+ seconds unless' "$out"
run status --json
is "in JSON too" true "$(jq '.sallyport.status[0].confirm.until > now' <<<"$out")"
is "two wait: for the time, and for each other" 2 "$(guards)"
run confirm
is "confirmed" 0 "$rc"
check "who waited has gone" wait_for 5 no_guard
check "and all stays" is_as "$TMP/after"
run status
is "nothing waits" "" "$(grep ^confirm <<<"$out")"

# A second one follows the first; what was before both is put back
echo 'new { ip4.addr = "lo1|192.168.100.5/32"; $nat = "igb0"; }' >"$TMP/jails/new.conf"
sp_must "${args[@]}" apply --confirm 100
echo 'new { ip4.addr = "lo1|192.168.100.6/32"; $nat = "igb0"; }' >"$TMP/jails/new.conf"
sp_must "${args[@]}" apply --confirm 1
check "after two, back to before both" wait_for 10 is_as "$TMP/after"
check "and nobody of both is left" wait_for 5 no_guard

# Who applies what is to stay needs no confirm
sp_must "${args[@]}" apply --confirm 100
sp_must "${args[@]}" apply
check "a plain apply settles it" wait_for 5 no_guard
host_text >"$TMP/plain"
run confirm
is "nothing waits after it" 66 "$rc"

# The session ends, and the one who waits does not
echo 'new { ip4.addr = "lo1|192.168.100.7/32"; $nat = "igb0"; }' >"$TMP/jails/new.conf"
# shellcheck disable=SC2016
on_host setsid sh -c '"$@" >/dev/null 2>&1; kill -HUP 0' sh "$SALLYPORT" "${args[@]}" apply \
	--confirm 1 2>/dev/null
check "put back after the session has ended" wait_for 10 is_as "$TMP/plain"

# Its terminal is closed
cat >"$TMP/terminal.py" <<'END'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
text = b""
while b"put back in" not in text:
    text += os.read(fd, 4096)
os.close(fd)
os.waitpid(pid, 0)
END
on_host "$PYTHON" -EsB "$TMP/terminal.py" "$SALLYPORT" "${args[@]}" apply --confirm 1
check "put back after the terminal was closed" wait_for 10 is_as "$TMP/plain"
check "nobody is left after it" wait_for 5 no_guard

# Who waits is killed, the one or the other, whatever became of the caller's own children
for which in o n; do
	check "applied, children ignored" on_host env --ignore-signal=CHLD "$SALLYPORT" \
		"${args[@]}" apply --confirm 2
	pkill -KILL "-$which" sallyport-guard
	check "a guard is killed (-$which): put back" wait_for 12 is_as "$TMP/plain"
	check "a guard is killed (-$which): nobody is left" wait_for 5 no_guard
done

OPEN_FOR=1
# Both are killed: applied, with nobody left to put it back, and its time not over
apply_alone()	# SECONDS
{
	sp_must "${args[@]}" apply --confirm "$1"
	while pgrep sallyport-guard >/dev/null; do
		pkill -KILL sallyport-guard
	done
}
is_late() { run status; [[ $out == *'not put back yet'* ]]; }
# shellcheck disable=SC2317
has_new() { on_host ip addr | grep -qF 192.168.100.7; }
late()		# NAME
{
	while_open apply_alone is_put_back host_text
	check "$1: nobody waits, and its time is over" wait_for 30 is_late
}
was=$TMP/plain
late "both killed"
run status
is "both killed: status exits 1" 1 "$rc"
has "both killed: it says who will put it back" 'the next run that changes it does so first' "$out"
run status --json
is "both killed: in JSON too" "true 1" "$(jq '.sallyport.status[0].confirm.late' <<<"$out") $rc"
run plan
run alias list
run -n apply
check "both killed: who looks changes nothing" has_new
run confirm
is "both killed: too late to confirm" 66 "$rc"
has "both killed: one line says what is done" \
	'warning: .*not confirmed in time: the host is put back first .W1913' "$err"
has "both killed: and when" 'too late: the host was put back at 20.*E1910' "$err"
check "both killed: it is" is_as "$TMP/plain"

late "a forward"
run forward add www tcp 4100:81
is "a forward: added" 0 "$rc"
has "a forward: the host is put back first" W1913 "$err"
check "a forward: nothing is left of what was not confirmed" eval '! has_new'
run forward del www tcp 4100
is "a forward: and taken away" "0 " "$rc $(grep W1913 <<<"$err")"
check "a forward: all is as it was" is_as "$TMP/plain"

late "a newer apply"
sp "${args[@]}" apply
is "a newer apply: done" 0 "$rc"
has "a newer apply: after the host was put back" W1913 "$err"
run status
is "a newer apply: and stays" "0 new" "$rc $(has_new && echo new)"

# What was before cannot be had any more: told, and nobody is held up
is_put_back() { sp_must "${args[@]}" apply; }
late "not to be had"
printf garbage >"$(echo "$TMP"/state/run/*/before)"
run confirm
is "not to be had: too late all the same" 66 "$rc"
has "not to be had: why" 'cannot be put back: .*W1914' "$err"
sp "${args[@]}" apply
is "not to be had: what is applied counts" 0 "$rc"
run status
is "not to be had: that settles it" 0 "$rc"

# watch sees it by itself
echo 'new { ip4.addr = "lo1|192.168.100.6/32"; $nat = "igb0"; }' >"$TMP/jails/new.conf"
sp_must "${args[@]}" apply
host_text >"$TMP/plain"
echo 'new { ip4.addr = "lo1|192.168.100.7/32"; $nat = "igb0"; }' >"$TMP/jails/new.conf"
in_ns "$HOST" "$SALLYPORT" --state-dir "$TMP/state" watch 2>"$TMP/watch.err" & watch=$!
check "watch runs" wait_for 10 grep -q '^watching' "$TMP/watch.err"
is_put_back() { wait_for 30 eval '! has_new'; }
while_open apply_alone is_put_back has_new
check "watch: both are killed, and it is put back" is_put_back
check "watch: a line says so" wait_for 10 grep -q '^20.*not confirmed in time: the host is put back' \
	"$TMP/watch.err"
pkill -TERM -x sallyport
wait "$watch"
check "watch: all is as it was" is_as "$TMP/plain"

# Others change the host meanwhile
sp_must "${args[@]}" apply --confirm 1
on_host nft flush ruleset
on_host ip link del lo1
check "somebody has flushed all: what was before is back" wait_for 10 is_as "$TMP/plain"
check "nobody is left after that" wait_for 5 no_guard

# Two at once: one follows the other, and what was before both is put back
pids=()
for d in 1 2; do
	on_host "$SALLYPORT" "${args[@]}" -D d=$d apply --confirm 1 >/dev/null 2>&1 & pids+=($!)
done
for d in "${pids[@]}"; do wait "$d"; done
check "two at once: what was before both is back" wait_for 15 is_as "$TMP/plain"
check "two at once: nobody is left" wait_for 5 no_guard
sp_must "${args[@]}" apply --confirm 100
said=()
for d in 1 2 3; do
	on_host "$SALLYPORT" --state-dir "$TMP/state" confirm 2>/dev/null & said[d]=$!
done
for d in 1 2 3; do
	wait "${said[d]}"
	said[d]=$?
done
is "three confirms at once: one does it" "0 66 66" "$(printf '%s\n' "${said[@]}" | sort -n | paste -sd ' ')"
check "three confirms at once: nobody is left" wait_for 5 no_guard
sp_must "${args[@]}" apply
host_text >"$TMP/plain"
echo 'new { ip4.addr = "lo1|192.168.100.8/32"; $nat = "igb0"; }' >"$TMP/jails/new.conf"

# Killed while it changes the host
for at in 4 8; do
	on_host strace -qq -o /dev/null -e inject=sendmsg,sendto:signal=KILL:when=$at \
		"$SALLYPORT" "${args[@]}" apply --confirm 1 >/dev/null 2>&1
	check "killed at message $at: put back" wait_for 10 is_as "$TMP/plain"
	check "killed at message $at: nobody is left" wait_for 5 no_guard
done

# destroy leaves nothing to wait for
sp_must "${args[@]}" apply --confirm 100
run destroy
check "destroy ends it" wait_for 5 no_guard
check "and leaves nothing" is_as "$TMP/empty"

lab_done
