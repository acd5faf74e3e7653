#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Netlink that fails at any message with any error: never a false success, and
# the next run makes the host as declared.
#
#	SALLYPORT_LONG=1	every error at every message, not each in turn
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"	# it cannot look while strace does
if ! command -v strace >/dev/null || ! strace -qq -o /dev/null true 2>/dev/null; then
	skip faults "no strace here"
	exit 0
fi

lab_bare HOST
cat >"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1"
gateway_enable="YES"
END
cat >"$TMP/jail.conf" <<'END'
www { ip4.addr = "lo1|192.168.100.2/32"; $nat = "igb0"; $forward = "tcp 4000:80"; }
END
files=(--state-dir "$TMP/state" -f "$TMP/rc.conf" -f "$TMP/jail.conf")
errors=(ENOBUFS EINTR EPERM ENOMEM EAGAIN ERESTARTSYS)

run()
{
	sp "${files[@]}" "$@"
}

# Is the host as a run that says 0 left it
as_wanted()	# destroy|OTHER
{
	if [ "$1" = destroy ]; then
		[ -z "$(on_host nft list ruleset)" ] && ! on_host ip link show lo1 >/dev/null 2>&1
		return
	fi
	run plan
	[ "$rc" -eq 0 ] || { echo "$out"; return 1; }
}

# The N-th call of a kind fails; N until there is none
faults()	# NAME START VERB ARGS...
{
	local name=$1 start=$2 step=5 most=40 call n=0 error bad=0 fails=0 turns detail=''

	shift 2
	[ -z "${SALLYPORT_LONG-}" ] || step=1 most=100000
	for call in sendto recvmsg; do
		for ((n = 1; n <= most; n += n < 7 ? 1 : step)); do
			turns=("${errors[(n + bad) % ${#errors[@]}]}")
			[ -z "${SALLYPORT_LONG-}" ] || turns=("${errors[@]}")
			for error in "${turns[@]}"; do
				$start
				: >"$TMP/trace"
				rc=0
				on_host strace -qq -o "$TMP/trace" -e trace="$call" \
					-e inject="$call:error=$error:when=$n" "$SALLYPORT" \
					"${files[@]}" "$@" >"$TMP/out" 2>&1 </dev/null || rc=$?
				grep -q INJECTED "$TMP/trace" || continue 3
				fails=$((fails + 1))
				if [ "$rc" -eq 0 ] && ! detail=$(as_wanted "$1"); then
					not_ok "$name: $call $n fails with $error, and it says 0" "$detail"
					bad=1
				elif [ "$rc" -ne 0 ] && ! grep -q 'error: ' "$TMP/out"; then
					not_ok "$name: $call $n fails with $error: $rc without a word" \
						"$(cat "$TMP/out")"
					bad=1
				fi
				run "$@"
				if [ "$rc" -ne 0 ] || ! detail=$(as_wanted "$1"); then
					not_ok "$name: again after $call $n failed with $error" \
						"$rc $err $detail"
					bad=1
				fi
			done
		done
	done
	check "$name: it failed in many places ($fails)" test $fails -ge 6
	[ "$bad" -eq 1 ] || ok "$name: no failure is taken for success, and the next run mends it"
}

fresh()
{
	run destroy --forget
}

applied()
{
	run destroy --forget
	run apply
}

faults apply fresh apply
faults destroy applied destroy
faults "forward add" applied forward add www tcp 5000:80
if [ -n "${SALLYPORT_LONG-}" ]; then
	faults "forward add, the long way" applied forward add www tcp 5001:80 --from 198.51.100.0/24
	faults "forward off" applied forward off www tcp 4000
fi

lab_done
