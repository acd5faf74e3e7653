#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs the demo, which compares each of its own answers.
# shellcheck source=../../tests/lib/lab.sh
. "$(dirname "$0")/../../tests/lib/lab.sh"

if ! why_not=$(lab_how); then
	skip "the demo" "no namespaces here: $why_not"
	exit 0
fi
started=$EPOCHSECONDS
if out=$("$(dirname "$0")/demo.sh" 2>&1); then
	ok "the demo shows what it should"
else
	not_ok "the demo shows what it should" "$(grep -B 3 -A 12 'NOT AS IT' <<<"$out" || tail -n 20 <<<"$out")"
fi
check "the demo takes less than 20 s" test $((EPOCHSECONDS - started)) -lt 20
has "the demo ends with its count" '^all [0-9]+ things were as they should be' "$out"
lab_done
