#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What `fmt` prints of real hosts' rules is proven to mean what they mean.  Every eighth
# file; SALLYPORT_LONG=1: all.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

lab_bare HOST
cat >"$TMP/host.ifs" <<'END'
em0 203.0.113.2/24 2001:db8::2/64
igb0 198.51.100.2/24
vtnet0 198.18.0.2/24
lo1 10.0.0.1/24 192.168.100.1/24
bridge0 10.1.0.1/24
default via 203.0.113.1 dev em0
END

n_proven=0
formatted()	# LANG FILE NAME
{
	local as=$TMP/as.$3

	sp --interfaces "$TMP/host.ifs" --lang "$1" -f "$2" fmt
	[ "$rc" -eq 0 ] || return 0	# not for this host, or for --exec
	printf '%s\n' "$out" >"$as"
	sp --interfaces "$TMP/host.ifs" --lang "$1" equal "$2" "$as"
	case $rc in
	0) n_proven=$((n_proven + 1)) ;;
	65) ;;				# not for this host either way
	69) grep -q "not proven" <<<"$err" || return 0 ;&
	*) not_ok "${2##*/}: as fmt prints it" "exit status $rc: $out $err" ;;
	esac
}

if [ -z "${SALLYPORT_CORPUS-}" ]; then
	skip "rules of real hosts" "../shared absent"
else
	step=8
	[ -z "${SALLYPORT_LONG-}" ] || step=1
	i=0
	for file in "$SALLYPORT_CORPUS"/pf/*.conf "$SALLYPORT_CORPUS"/pf-toolforms/* \
		    "$SALLYPORT_CORPUS"/ipfw/*.rules "$SALLYPORT_CORPUS"/ipfw/*.sh; do
		i=$((i + 1))
		[ $((i % step)) -eq 0 ] || continue
		case $file in
		*/ipfw/*) formatted ipfw "$file" ipfw.rules ;;
		*) formatted pf "$file" pf.conf ;;
		esac
	done
	echo "# $n_proven files proven"
	check "some were proven" test $n_proven -gt $((40 / step))
fi
lab_done
