#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A run killed anywhere leaves the old rules or the new ones, is completed by the next
# and undone by destroy; runs at the same time do not disturb each other.
#
#	SALLYPORT_LONG=1	killed at every system call, not at some that change something
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"	# it cannot look while strace does
lab_build
foreign_things
snapshot "$HOST" "$TMP/before"
sp_must "${EXAMPLE_FILES[@]}" apply
rules()
{
	on_host nft -s list ruleset
}
rules >"$TMP/whole"

# The run is made again, here of apply and as long as nothing else is set
again=("${EXAMPLE_FILES[@]}" apply)
is_whole()
{
	sp "${again[@]}"
	[ "$rc" -eq 0 ] || { echo "${again[*]}: $rc $err"; return 1; }
	sp plan
	[ "$rc" -eq 0 ] || { echo "plan: $rc $out $err"; return 1; }
	rules | diff "$TMP/whole" -
}

is_clean()
{
	sp destroy --forget
	[ "$rc" -eq 0 ] || { echo "destroy: $rc $err"; return 1; }
	snapshot "$HOST" "$TMP/after"
	diff "$TMP/before" "$TMP/after"
}

# Kill the run at its N-th call of each kind that could change something, until
# the N-th is no longer reached; after the first six at every fourth.
kill_points()	# NAME START ARGS: START brings the host to where the run starts
{
	local name=$1 start=$2 call n rc n_kills=0 bad='' calls most=40 step=4

	shift 2
	$start
	rules >"$TMP/old"
	sp "$@"
	rules >"$TMP/new"
	$start
	calls=(sendto sendmsg write pwrite64 "rename,renameat,renameat2" linkat "unlink,unlinkat"
		"fsync,fdatasync" ftruncate flock)
	if [ -n "${SALLYPORT_LONG-}" ]; then
		on_host strace -f -qq -o "$TMP/trace" "$SALLYPORT" "$@" >/dev/null 2>&1 </dev/null
		$start
		mapfile -t calls < <(sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' "$TMP/trace" |
			grep -vx execve | sort -u)
		most=100000 step=1
	fi
	for call in "${calls[@]}"; do
		for ((n = 1; n <= most; n += n < 6 ? 1 : step)); do
			rc=0
			on_host strace -f -qq -o /dev/null -e trace="$call" \
				-e inject="$call:signal=KILL:when=$n" "$SALLYPORT" "$@" \
				>/dev/null 2>&1 </dev/null || rc=$?
			[ $rc -eq 137 ] || break
			n_kills=$((n_kills + 1))
			rules >"$TMP/killed"
			cmp -s "$TMP/old" "$TMP/killed" || bad=$(diff "$TMP/new" "$TMP/killed") ||
				{ not_ok "$name killed at $call $n: old or new rules" "$bad"; return; }
			# In turn: completed, and undone without having been completed
			if [ $((n_kills % 2)) -eq 0 ]; then
				bad=$(is_whole) || { not_ok "$name killed at $call $n, apply" "$bad"; return; }
			else
				bad=$(is_clean) || { not_ok "$name killed at $call $n, destroy" "$bad"; return; }
			fi
			$start
		done
	done
	check "$name: there were places to kill it ($n_kills)" test $n_kills -ge 5
	ok "$name killed anywhere leaves old or new rules, and is completed, or undone"
}

nothing()
{
	sp destroy --forget
}

applied()
{
	sp destroy --forget
	sp "${EXAMPLE_FILES[@]}" apply
}

# A change of a forward, the short way where nothing else is said
forwards()	# NAME ARGS
{
	applied
	sp forward "${@:2}"
	rules >"$TMP/whole"
	again=(forward "${@:2}")
	kill_points "$1" applied forward "${@:2}"
}

if ! command -v strace >/dev/null || ! strace -qq -o /dev/null true 2>/dev/null; then
	skip "killed anywhere" "no strace here"
else
	kill_points apply nothing "${EXAMPLE_FILES[@]}" apply
	kill_points destroy applied destroy
	forwards "forward add" add www tcp 5000:80
	[ -z "${SALLYPORT_LONG-}" ] ||
		forwards "forward add, the long way" add www tcp 5001:80 --from 198.51.100.0/24
	nothing
	sp "${EXAMPLE_FILES[@]}" apply
	rules >"$TMP/whole"
	again=("${EXAMPLE_FILES[@]}" apply)
fi
check "after all that: completed" is_whole
check "after all that: undone" is_clean

# ---- at the same time ------------------------------------------------------

status=()
together()	# VERB VERB...
{
	local verb pids=() i

	for verb; do
		on_host "$SALLYPORT" "${EXAMPLE_FILES[@]}" "$verb" >"$TMP/$verb.out" 2>&1 </dev/null &
		pids+=($!)
	done
	status=()
	for i in "${pids[@]}"; do
		wait "$i"
		status+=($?)
	done
}

for _ in 1 2 3; do
	together apply apply apply apply
	all_are "four at once: each is done, or told to try again" fine \
		"$(printf '%s\n' "${status[@]}" | sed 's/^0$/fine/; s/^75$/fine/')"
	check "four at once: one was done" grep -qw 0 <<<"${status[*]}"
	sp plan
	is "four at once: the host is as declared" 0 "$rc"
	together apply destroy apply destroy
	all_are "apply and destroy at once: each is done, or told to try again" fine \
		"$(printf '%s\n' "${status[@]}" | sed 's/^0$/fine/; s/^75$/fine/')"
	check "apply and destroy at once: completed" is_whole
	check "apply and destroy at once: undone" is_clean
done

lab_done
