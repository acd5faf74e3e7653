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

# They without sets that nothing asks and chains without rules: sets of ranges, and chains
# that they may lead to, are made in a transaction before the one that changes the rules
rules_in_force()
{
	rules | awk '
		/^\t(set|map) / { name = $2; text[name] = ""; order[++n] = name }
		name != "" { text[name] = text[name] $0 "\n"; if (/^\t}/) name = ""; next }
		/^$/ { next }
		/^\tchain / { chain = $0 "\n"; n_rules = 0; next }
		chain != "" && !/^\t}/ { chain = chain $0 "\n"; n_rules++; next }
		chain != "" { if (n_rules > 0) rest = rest chain $0 "\n"; chain = ""; next }
		{ rest = rest $0 "\n" }
		END { for (i = 1; i <= n; i++)
			if (rest ~ "@" order[i] "[^a-z0-9_]")
				printf "%s", text[order[i]]
		      printf "%s", rest }'
}

# Links, addresses, routes and settings, but for what is drawn anew with a link
places()
{
	snapshot "$HOST" "$TMP/places"
	sed -E '/^# nftables/,/^# settings/d; /"(ifindex|address)":/d' "$TMP/places"
}

# The host as it is now is what a run, made again after it was killed, has to come to
to_become()	# ARGS of the run
{
	rules >"$TMP/whole"
	places >"$TMP/there"
	again=("$@")
}

is_whole()
{
	sp "${again[@]}"
	[ "$rc" -eq 0 ] || { echo "${again[*]}: $rc $err"; return 1; }
	sp plan
	[ "$rc" -eq 0 ] || { echo "plan: $rc $out $err"; return 1; }
	rules | diff "$TMP/whole" - && places | diff "$TMP/there" -
}

is_clean()
{
	sp destroy --forget
	[ "$rc" -eq 0 ] || { echo "destroy: $rc $err"; return 1; }
	snapshot "$HOST" "$TMP/after"
	diff "$TMP/before" "$TMP/after"
}

# The run killed at its N-th call of a kind: old or new rules, and the next run completes
# the host, or destroy undoes it; 1: it does not come to that call, 2: told
killed_at()	# NAME START CALL N is_whole|is_clean ARGS
{
	local name=$1 start=$2 call=$3 n=$4 next=$5 rc=0 bad

	$start
	on_host strace -f -qq -o /dev/null -e trace="$call" \
		-e inject="$call:signal=KILL:when=$n" "$SALLYPORT" "${@:6}" \
		>/dev/null 2>&1 </dev/null || rc=$?
	[ $rc -eq 137 ] || return 1
	rules_in_force >"$TMP/killed"
	cmp -s "$TMP/old" "$TMP/killed" || bad=$(diff "$TMP/new" "$TMP/killed") ||
		{ not_ok "$name killed at $call $n: old or new rules" "$bad"; return 2; }
	bad=$($next) || { not_ok "$name killed at $call $n: $next" "$bad"; return 2; }
}

# At the N-th call of each kind that could change something, until the N-th is no longer
# reached; after the first six at every fourth
kill_points()	# NAME START ARGS: START brings the host to where the run starts
{
	local name=$1 start=$2 call n next both n_kills=0 calls most=40 step=4

	shift 2
	$start
	rules_in_force >"$TMP/old"
	sp "$@"
	rules_in_force >"$TMP/new"
	calls=(sendto sendmsg write pwrite64 "rename,renameat,renameat2" linkat "unlink,unlinkat"
		"fsync,fdatasync" ftruncate flock)
	if [ -n "${SALLYPORT_LONG-}" ]; then
		$start
		on_host strace -f -qq -o "$TMP/trace" "$SALLYPORT" "$@" >/dev/null 2>&1 </dev/null
		mapfile -t calls < <(sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' "$TMP/trace" |
			grep -vx execve | sort -u)
		most=100000 step=1
	fi
	for call in "${calls[@]}"; do
		for ((n = 1; n <= most; n += n < 6 ? 1 : step)); do
			both=(is_clean is_whole)
			[ -n "${SALLYPORT_LONG-}" ] || both=("${both[n_kills % 2]}")
			for next in "${both[@]}"; do
				killed_at "$name" "$start" "$call" $n "$next" "$@"
				case $? in
				1)	continue 3 ;;
				2)	return ;;
				esac
			done
			n_kills=$((n_kills + 1))
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

# A change of what was applied, killed
changes()	# NAME ARGS
{
	applied
	sp_must "${@:2}"
	to_become "${@:2}"
	kill_points "$1" applied "${@:2}"
}

# Jails that moved, other rules, and sets of ranges that the kernel shows late
cat >"$TMP/jail.conf" <<'END'
www { ip4.addr = "lo1|192.168.100.4/32"; $forward = "tcp 8000-8099"; }
new { ip4.addr = "lo1|192.168.100.5/32", "lo2|10.8.0.1/32"; $nat = "igb0"; }
END
cat >"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1 lo2"
ifconfig_lo1_aliases="inet 192.168.100.1/29"
gateway_enable="YES"
ipv6_gateway_enable="YES"
END
cat >"$TMP/pf.conf" <<'END'
table <bad> { 192.0.2.64/26, 192.0.2.200 }
set skip on lo
rdr pass on igb0 proto tcp from 198.51.100.0/24 to 203.0.113.2 port 80 -> 192.168.100.4
block in on igb0
block in quick on igb0 from <bad>
pass in on igb0 proto tcp to 203.0.113.2 port { 22 100:200 }
END
OTHER_FILES=(-f "$TMP/rc.conf" -f "$TMP/jail.conf" -f "$TMP/pf.conf")

if ! command -v strace >/dev/null || ! strace -qq -o /dev/null true 2>/dev/null; then
	skip "killed anywhere" "no strace here"
else
	to_become "${EXAMPLE_FILES[@]}" apply
	kill_points apply nothing "${EXAMPLE_FILES[@]}" apply
	kill_points destroy applied destroy
	changes "another apply" "${OTHER_FILES[@]}" apply
	changes "forward add" forward add www tcp 5000:80
	[ -z "${SALLYPORT_LONG-}" ] ||
		changes "forward add, the long way" forward add www tcp 5001:80 --from 198.51.100.0/24
fi
applied
to_become "${EXAMPLE_FILES[@]}" apply
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
