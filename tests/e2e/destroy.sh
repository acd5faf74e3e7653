#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What destroy leaves is what was there before the first apply: ruleset, links,
# addresses, routes and settings to the byte, whatever was declared, and whatever
# happened in between.
#
#	SALLYPORT_LONG=1	1,000 random declarations, not 12
#	SALLYPORT_SEED=N	the first of them
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

n=12 seed=${SALLYPORT_SEED:-1}
[ -z "${SALLYPORT_LONG-}" ] || n=1000

run()
{
	sp --state-dir "$TMP/state" -q --no-verify "$@"
}

# What may happen between apply and destroy
meanwhile()	# SEED
{
	case $(($1 % 5)) in
	0)	run forward add j1 tcp 7000:80 ;;
	1)	run down ALL ;;
	2)	on_host nft flush table inet sallyport ;;
	3)	on_host ip link del lo1 ;;
	esac
}

lab_bare HOST
foreign_things
snapshot "$HOST" "$TMP/before"
applied=0 bad=0
for ((i = seed; i < seed + n; i++)); do
	"$PYTHON" -EsB "$LAB_DIR/declare.py" "$i" "$TMP"
	run -f "$TMP/rc.conf" -f "$TMP/jail.conf" -f "$TMP/sysctl.conf" -f "$TMP/pf.conf" apply
	if [ "$rc" -eq 0 ]; then
		applied=$((applied + 1))
		meanwhile "$i"
	elif [ "$rc" -ne 65 ]; then
		not_ok "seed $i: apply" "exit status $rc: $err"
	fi
	run destroy --forget
	if [ "$rc" -ne 0 ]; then
		not_ok "seed $i: destroy" "exit status $rc: $err"
		bad=1
	fi
	snapshot "$HOST" "$TMP/after"
	if ! cmp -s "$TMP/before" "$TMP/after"; then
		same "seed $i: all is as it was" "$TMP/before" "$TMP/after"
		bad=1
		break
	fi
done
check "most could be applied ($applied of $n)" test $((applied * 2)) -gt "$n"
[ "$bad" -eq 1 ] || ok "destroy leaves what was before $n random declarations"
is "and no state" "" "$(find "$TMP/state" -type f 2>/dev/null)"
lab_done
