#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# read_back.sh - what the verbs cost that look at a host with N forwards
#
#	VERB-N, VERB-N-memory
#			a whole run: processor time and the most memory; `unchanged` is an
#			apply that has nothing to do, `first` the one before
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=../lib/many.sh
. "$LAB_DIR/many.sh"
lab_enter "$@"

lab_bare HOST
echo 'cloned_interfaces="lo1"' >"$TMP/rc.conf"
for n in 10000 100000; do
	declare_jails $n >"$TMP/jail.conf"
	files=(--state-dir "$TMP/state" -f "$TMP/rc.conf" -f "$TMP/jail.conf")
	cost check-$n "$SALLYPORT" "${files[@]}" check
	cost first-$n "$SALLYPORT" -q --no-verify "${files[@]}" apply
	cost unchanged-$n "$SALLYPORT" -q --no-verify "${files[@]}" apply
	for verb in plan status metrics verify "forward list"; do
		# shellcheck disable=SC2086
		cost "${verb/ /-}-$n" "$SALLYPORT" --state-dir "$TMP/state" $verb
	done
	sp_must --state-dir "$TMP/state" -q destroy --forget
done
