#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Forwards at run time are lost by nothing: a run that is killed at any write
# leaves what was before or what was to be, and many runs at once are as if one
# came after the other.  With SALLYPORT_LONG=1 at each call that changes
# something, and with 8 times 100 changes.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"	# it cannot look while strace does
lab_bare HOST
cat >"$TMP/rc.conf" <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
END
cat >"$TMP/jail.conf" <<'END'
www { ip4.addr = "lo1|192.168.100.2/32"; $nat = "igb0"; $forward = "tcp 4000:80"; }
db { ip4.addr = "lo1|192.168.100.3/32"; $nat = "igb0"; }
END
sp_must -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
sp_must forward add www tcp 7000:80
sp_must forward add db tcp 7001:5432
journal=$(echo /var/lib/sallyport/forwards-*)

# What there is, by jail and port
forwards()
{
	on_host "$SALLYPORT" forward list -H 2>&1 | cut -f1,2,5,6,10 | sort
}

calls=(write "pwrite64,pwritev,pwritev2" "rename,renameat,renameat2" "fsync,fdatasync")
n_changes=6
if [ -n "${SALLYPORT_LONG-}" ]; then
	calls+=(sendto sendmsg openat "unlink,unlinkat" ftruncate flock)
	n_changes=100
fi

# Kill a change at its N-th call of each kind, until the N-th is not reached
killed()	# NAME ARGS of forward
{
	local name=$1 call n rc n_kills=0 now
	shift
	cp "$journal" "$TMP/journal.before"
	forwards >"$TMP/forwards.before"
	sp_must forward "$@"
	forwards >"$TMP/forwards.after"
	cp "$journal" "$TMP/journal.after"
	for call in "${calls[@]}"; do
		for ((n = 1; ; n++)); do
			cp "$TMP/journal.before" "$journal"
			sp_must apply
			rc=0
			on_host strace -f -qq -o /dev/null -e trace="$call" \
				-e inject="$call:signal=KILL:when=$n" "$SALLYPORT" forward "$@" \
				>/dev/null 2>&1 </dev/null || rc=$?
			[ $rc -eq 137 ] || break
			n_kills=$((n_kills + 1))
			now=$(forwards | grep -v N2503)
			if ! diff <(echo "$now") "$TMP/forwards.before" >/dev/null &&
				! diff <(echo "$now") "$TMP/forwards.after" >/dev/null; then
				not_ok "$name: killed at $call $n" "$now"
				return
			fi
			sp apply
			[ "$rc" -eq 0 ] || { not_ok "$name: apply after $call $n" "$err"; return; }
			sp plan
			[ "$rc" -eq 0 ] || { not_ok "$name: drift after $call $n" "$out"; return; }
			is_same "$now" || { not_ok "$name: another after $call $n" "$now"; return; }
		done
	done
	check "$name: killed at $n_kills places: all or nothing" test $n_kills -ge 2
	cp "$TMP/journal.after" "$journal"
	sp_must apply
}
is_same() { [ "$(forwards)" = "$1" ]; }

if ! command -v strace >/dev/null; then
	skip "killed" "strace is not installed"
else
	killed add add www tcp 8443:443
	killed off off www tcp 8443
	killed "off of a file" off www tcp 4000
	killed on on www tcp 8443
	killed del del db tcp 7001
	# A journal that is written anew: most of its entries have no effect any more
	while :; do
		cp "$journal" "$TMP/full"
		sp_must forward off www tcp 8443
		[ "$(wc -l <"$journal")" -gt "$(wc -l <"$TMP/full")" ] || break
	done
	cp "$TMP/full" "$journal"
	killed "written anew" on www tcp 8443
fi

# ---- at once ---------------------------------------------------------------------

# What one of many does: ports of its own, each added, off, on; every other one goes
work()	# NUMBER
{
	local i port jail=www
	[ $(($1 % 2)) -eq 0 ] || jail=db
	for ((i = 0; i < n_changes; i += 4)); do
		port=$((10000 + $1 * 1000 + i))
		change "$1" add "$jail" tcp "$port:80" --to 203.0.113.2
		change "$1" off "$jail" tcp "$port"
		[ $((i % 8)) -eq 0 ] || { change "$1" on "$jail" tcp "$port"; continue; }
		change "$1" del "$jail" tcp "$port"
	done
}
change() { on_host "$SALLYPORT" -q forward "${@:2}" >/dev/null 2>>"$TMP/failed.$1" || echo "$* $?" >>"$TMP/failed.$1"; }

pids=()
for ((p = 0; p < 8; p++)); do
	work $p &
	pids+=($!)
done
wait "${pids[@]}"
is "at once: no change fails" "" "$(cat "$TMP"/failed.*)"
for ((p = 0; p < 8; p++)); do
	for ((i = 4; i < n_changes; i += 8)); do
		echo "$((10000 + p * 1000 + i)) $([ $((p % 2)) -eq 0 ] && echo www || echo db) on"
	done
done | sort >"$TMP/wanted"
on_host "$SALLYPORT" forward list -H | awk -F '\t' '$9 ~ /forward add/ { sub(".*:", "", $5); if ($5 + 0 >= 10000) print $5, $1, $10 }' |
	sort >"$TMP/found"
same "at once: nothing is lost, nothing mixed" "$TMP/wanted" "$TMP/found"
sp plan
is "at once: the kernel has them all" 0 "$rc"

# ---- what others may write is not believed, nor taken for nothing --------------------

on_host chmod g+w /var/lib/sallyport
sp apply
is "others may write the journal: refused" 77 "$rc"
has "it says why" "others could have written there .E1012" "$err"
on_host chmod g-w /var/lib/sallyport
sp plan
is "no forward is lost by it" 0 "$rc"
lab_done
