#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Eight processes that apply one of two declarations, take jails up and down, change
# forwards and destroy, all at once: the kernel holds the one or the other, never some
# of both, and at the end what was applied last.
#
#	SALLYPORT_LONG=1	1,000 operations, not 64
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

each=8
[ -z "${SALLYPORT_LONG-}" ] || each=125

st()
{
	sp --state-dir "$TMP/state" -q --no-verify "$@"
}

for d in a b; do
	cat >"$TMP/$d.jail.conf" <<-END
		www { ip4.addr = "lo1|10.0.0.2/32"; \$nat = "igb0"; \$forward = "tcp 4000:80", "udp 53"; }
		db { ip4.addr = "lo1|10.0.0.3/32"; \$nat = "igb0"; \$forward = "tcp 3306"; }
		$d { ip4.addr = "lo1|10.0.1.$((16#$d))/32"; \$forward = "tcp 5000 to 203.0.113.2"; }
	END
	echo "block in log on igb0	# $d" >"$TMP/$d.pf.conf"
done
echo 'cloned_interfaces="lo1"' >"$TMP/rc.conf"

# One operation, by two random numbers
operate()	# PROCESS RANDOM
{
	local files=(-f "$TMP/rc.conf")
	local d=a
	[ $(($2 / 16 % 2)) -eq 0 ] || d=b
	files+=(-f "$TMP/$d.jail.conf" -f "$TMP/$d.pf.conf")
	case $(($2 % 16)) in
	[0-5])	set -- "$1" "${files[@]}" apply ;;
	6)	set -- "$1" destroy ;;
	[78])	set -- "$1" up www ;;
	9)	set -- "$1" down www ;;
	1[0-3])	set -- "$1" forward add www tcp "$((6000 + 100 * $1 + $2 / 32 % 50)):80" ;;
	*)	set -- "$1" forward del www tcp "$((6000 + 100 * $1 + $2 / 32 % 50))" ;;
	esac
	local answer=75
	# Busy: so often that all of them are done
	while [ $answer -eq 75 ]; do
		on_host "$SALLYPORT" --state-dir "$TMP/state" -q --no-verify "${@:2}" \
			>/dev/null 2>"$TMP/err.$1" </dev/null
		answer=$?
	done
	# Nothing applied, no such forward or jail: each is an answer
	case $answer in
	0 | 65 | 66) echo $answer >>"$TMP/answers.$1" ;;
	*)	echo "${*:2}: $answer $(head -n 1 "$TMP/err.$1")" >>"$TMP/failed" ;;
	esac
}

work()		# PROCESS
{
	local i

	RANDOM=$((4711 + $1))
	for ((i = 0; i < each; i++)); do
		operate "$1" "$RANDOM"
	done
}

# Whose rules the kernel holds, while it goes on
look()
{
	while [ ! -e "$TMP/over" ]; do
		on_host nft list table inet sallyport 2>/dev/null >"$TMP/seen.now" || continue
		grep -oE '\b[ab]\.(jail|pf)\.conf' "$TMP/seen.now" | cut -c1 | sort -u | paste -sd ' '
	done >"$TMP/seen"
}

lab_bare HOST
: >"$TMP/failed"
look &
looker=$!
pids=()
for ((p = 0; p < 8; p++)); do
	work $p &
	pids+=($!)
done
wait "${pids[@]}"
touch "$TMP/over"
wait "$looker"
is "$((8 * each)) operations of eight processes: each has an answer" "" "$(cat "$TMP/failed")"
check "the kernel was looked at meanwhile" grep -qx '[ab]' "$TMP/seen"
check "most were done" test "$(cat "$TMP"/answers.* | grep -cx 0)" -gt $((4 * each))
is "it held one or the other" "" "$(grep ' ' "$TMP/seen" | sort -u)"
st plan
if [ "$rc" -eq 66 ]; then
	is "destroyed at last: nothing is there" "" "$(on_host nft list ruleset)"
else
	is "the host is as was applied last" "0 " "$rc $out$err"
	sp --state-dir "$TMP/state" -q verify
	is "and means it" 0 "$rc"
fi
st -f "$TMP/rc.conf" -f "$TMP/a.jail.conf" -f "$TMP/a.pf.conf" apply
is "applied once more" 0 "$rc"
st destroy --forget
is "and destroyed: nothing is left" "0 " "$rc $(on_host nft list ruleset)"
lab_done
