#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# ipfw - what one rule more costs beside two thousand
#
#	ipfw-load-2000		processor time of `ipfw FILE` with 2000 rules, ms
#	ipfw-add-2000		of `ipfw add` beside them, ms
#	ipfw-first-2000		the same where the kernel has to be asked, as after
#				another tool's change, ms
#	ipfw-add-2000-ratio	the second in comparison with the first
#
# In a network namespace of its own; the least of some runs counts.
set -euo pipefail

cd "$(dirname "$0")/../.."
SALLYPORT=$(realpath -m "${SALLYPORT:-${BUILD:-build}/sallyport}")
export SALLYPORT
if [ "${1-}" != inside ]; then
	exec unshare -rn "$0" inside
fi
RUNS=7
TIMEFORMAT='%U %S'
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
ip link set lo up

# Processor time of a call in ms; its arguments are ipfw's
cost()		# ARGS
{
	local t
	t=$({ time "$SALLYPORT" --state-dir "$dir/state" ipfw -q "$@" >/dev/null; } 2>&1)
	awk '{ print ($1 + $2) * 1000 }' <<<"$t"
}

least()
{
	sort -n | head -n 1
}

for i in $(seq 2000); do
	echo "add $((1000 + i * 10)) allow tcp from 10.$((i / 250)).$((i % 250)).0/24 to any $i"
done >"$dir/rules"

load=$(for _ in $(seq $RUNS); do "$SALLYPORT" --state-dir "$dir/state" ipfw -q -f flush
	cost "$dir/rules"; done | least)
add=$(for i in $(seq $RUNS); do cost add $((5000 + i)) count tcp from any to any "$i"; done | least)
first=$(for i in $(seq $RUNS); do nft add table inet other; nft delete table inet other
	cost add $((6000 + i)) count tcp from any to any "$i"; done | least)
echo "ipfw-load-2000 $load ms"
echo "ipfw-add-2000 $add ms"
echo "ipfw-first-2000 $first ms"
awk -v l="$load" -v a="$add" 'BEGIN { printf "ipfw-add-2000-ratio %.2f x\n", a / l }'
