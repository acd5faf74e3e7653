#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What log rules see, live: time, rule, action, direction, interface, packet;
# as text, as JSON, and as a capture that tcpdump reads.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build

cat >"$TMP/pf.conf" <<'END'
set skip on lo
block in log on igb0 inet from 198.51.100.7
block in on igb0 inet6
pass in on igb0 proto tcp to port 22
pass out log on igb0 proto udp to port 53
END
sp_must --interfaces /dev/null -f "$TMP/pf.conf" apply

# Listen to so many packets, send with the rest of the words; output in $out
listen()	# COUNT OPTIONS... -- COMMAND...
{
	local count=$1 opts=() pid
	shift
	while [ "$1" != -- ]; do opts+=("$1"); shift; done
	shift
	rm -f "$TMP/log.err"
	on_host timeout 120 "$SALLYPORT" "${opts[@]}" log -c "$count" >"$TMP/log.out" 2>"$TMP/log.err" &
	pid=$!
	wait_for 10 grep -q listening "$TMP/log.err"
	"$@" >/dev/null 2>&1
	wait "$pid"
	rc=$?
	out=$(<"$TMP/log.out")
}
# shellcheck disable=SC2317
knock() { ask "$CLIENT" --wait 0.2 tcp:203.0.113.2:2323 udp:203.0.113.2:99; }
# shellcheck disable=SC2317
lookup() { ask "$HOST" --wait 0.2 udp:192.0.2.80:53; }

listen 2 -- knock
is "exits 0 after so many packets" 0 "$rc"
has "tcp: rule, action, direction, interface, packet" \
	'^[0-9:.]{15} rule pf.conf:2\(match\): block in on igb0: IP 198.51.100.7.[0-9]+ > 203.0.113.2.2323: Flags \[S\], seq [0-9]+, win [0-9]+, length 0$' "$out"
has "udp" 'IP 198.51.100.7.[0-9]+ > 203.0.113.2.99: UDP, length [0-9]+$' "$out"
listen 1 -- lookup
has "out, and what passes" 'rule pf.conf:5\(match\): pass out on igb0: IP 203.0.113.2.[0-9]+ > 192.0.2.80.53: UDP' "$out"

listen 2 --json -- knock
check "--json: one valid object" jq -e '.sallyport.log | length == 2 and all(.file == "pf.conf" and
	.line == 2 and .action == "block" and .direction == "in" and .interface == "igb0")' <<<"$out"

rm -f "$TMP/seen.pcap"
listen 2 -w "$TMP/seen.pcap" -- knock
is "-w: nothing on stdout" "" "$out"
has "-w: a capture that tcpdump reads" '203\.0\.113\.2\.2323' "$(tcpdump -nr "$TMP/seen.pcap" 2>/dev/null)"

rm "$TMP/log.err"
on_host timeout 120 "$SALLYPORT" --json log >"$TMP/log.out" 2>"$TMP/log.err" &
wait_for 10 grep -q listening "$TMP/log.err"
pkill -TERM -x sallyport
wait $!
check "a signal ends it: valid JSON all the same" jq -e '.sallyport.log == []' "$TMP/log.out"
sp log -c 0
is "a count that is none: exits 64" 64 "$rc"
lab_done
