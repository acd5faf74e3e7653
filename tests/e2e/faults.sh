#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Netlink that fails at any call with any error, once or from there on: never a false
# success, old or new rules, and the next run makes the host as declared.
#
#	SALLYPORT_LONG=1	every error at every call, not each in turn
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

rules()
{
	on_host nft -s list ruleset
}

# Is the host as a run that says 0 left it
as_wanted()	# destroy|OTHER
{
	rules | diff "$TMP/new" - || return
	if [ "$1" = destroy ]; then
		! on_host ip link show lo1 >/dev/null 2>&1
		return
	fi
	run plan
	[ "$rc" -eq 0 ] || { echo "$out"; return 1; }
}

# A run of which the N-th call of a kind fails, or all from the N-th on where that is
# given as N+, and what is wrong with it; 1: it does not come to that call
fault()		# CALL N ERROR VERB ARGS...
{
	local what="$1 $2 fails with $3"

	: >"$TMP/trace"
	rc=0
	on_host timeout 60 strace -f -qq -o "$TMP/trace" -e trace="$1" \
		-e inject="$1:error=$3:when=$2" "$SALLYPORT" \
		"${files[@]}" "${@:4}" >"$TMP/out" 2>&1 </dev/null || rc=$?
	grep -q INJECTED "$TMP/trace" || return 1
	rules >"$TMP/now"
	if [ "$rc" -ge 124 ]; then
		echo "$what: it does not end ($rc)"
	elif [ "$rc" -eq 0 ]; then
		as_wanted "$4" >"$TMP/detail" || { echo "$what, and it says 0"; cat "$TMP/detail"; }
	elif ! grep -q 'error: ' "$TMP/out"; then
		echo "$what: $rc without a word"; cat "$TMP/out"
	elif ! cmp -s "$TMP/old" "$TMP/now" && ! diff "$TMP/new" "$TMP/now" >"$TMP/detail"; then
		echo "$what: neither old nor new rules"; cat "$TMP/detail"
	fi
	run "${@:4}"
	if [ "$rc" -ne 0 ] || ! as_wanted "$4" >"$TMP/detail"; then
		echo "again after $what: $rc $err"
		cat "$TMP/detail"
	fi
}

# The N-th call of a kind fails; N until there is none
faults()	# NAME START VERB ARGS...
{
	local name=$1 start=$2 step=5 most=40 call n error fails=0 turns wrong='' more

	shift 2
	[ -z "${SALLYPORT_LONG-}" ] || step=1 most=100000
	$start
	rules >"$TMP/old"
	run "$@"
	rules >"$TMP/new"
	for call in socket setsockopt getsockopt bind getsockname sendto recvmsg; do
		for ((n = 1; n <= most; n += n < 7 ? 1 : step)); do
			turns=("${errors[n % ${#errors[@]}]}")
			[ -z "${SALLYPORT_LONG-}" ] || turns=("${errors[@]}")
			for error in "${turns[@]}"; do
				for more in "" +; do
					# A signal each time: it is asked again for ever
					[ "$error$more" != EINTR+ ] || continue
					$start
					wrong+=$(fault $call "$n$more" "$error" "$@")$'\n' ||
						continue 4
					fails=$((fails + 1))
				done
			done
		done
	done
	check "$name: it failed in many places ($fails)" test $fails -ge 6
	is "$name: no failure is taken for success, and the next run mends it" "" "$(grep . <<<"$wrong")"
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

# What a transaction has brought is read until there is no more: a socket that only says
# that it has lost something must come to an end, too
fresh
on_host strace -qq -o "$TMP/trace" -e trace=recvmsg "$SALLYPORT" "${files[@]}" apply >/dev/null
n=$(grep -n -m 1 MSG_DONTWAIT "$TMP/trace" | cut -d: -f1)
fresh
is "answers that are lost for good" "" "$(fault recvmsg "$n+" ENOBUFS apply || echo not reached)"

faults destroy applied destroy
faults "forward add" applied forward add www tcp 5000:80
if [ -n "${SALLYPORT_LONG-}" ]; then
	faults "forward add, the long way" applied forward add www tcp 5001:80 --from 198.51.100.0/24
	faults "forward off" applied forward off www tcp 4000
fi

lab_done
