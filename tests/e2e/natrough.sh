#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The live NAT in rough weather: one jail floods and its neighbour goes on, things
# change under it, and rings run over.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
lab_needs_tun natrough
cat >jail.conf <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|10.9.0.2/32"; $forward = "tcp 8080:80"; }
db { ip4.addr = "lo1|10.9.0.3/32"; }
END
lab_lo1 "$HOST" 10.9.0.2 10.9.0.3
serve_world
serve "$HOST" www tcp:10.9.0.2:80

start()		# ARGS of nat
{
	rm -f nat.err
	nsenter --net="/run/netns/$HOST" -- "$SALLYPORT" -f jail.conf nat --inside tun:nat0 \
		--outside igb0 "$@" >nat.out 2>nat.err </dev/null &
	nat=$!
	wait_for 10 grep -q '^ready$' nat.err || cat nat.err
	keeper=$(pgrep -P "$nat")
}

stop()
{
	kill "$nat"
	wait "$nat"
}

churn()		# ARGS of churn.py
{
	on_host "$PYTHON" -EsB "$LAB_DIR/churn.py" "$@"
}

count()		# PATH in what `nat status` tells
{
	sp --json nat status
	jq -r ".sallyport.nat[0].$1 // 0" <<<"$out"
}

# ---- one jail floods ----------------------------------------------------------------

start --max-flows 2000
mapfile -t many < <(printf 'udp:192.0.2.80:53\n%.0s' {1..100})
for kind in flows ports fragments icmp; do
	mapping=$(ask "$HOST" --from 10.9.0.3:51000 --ports udp:192.0.2.80:53)
	churn $kind 10.9.0.2 192.0.2.80 6000 >sent
	is "flood of $kind: a neighbour's mapping is the one it had" "$mapping" \
		"$(ask "$HOST" --from 10.9.0.3:51000 --ports udp:192.0.2.80:53)"
	admitted=$(ask "$HOST" --from 10.9.0.3 "${many[@]}" | grep -c '^inet 203.0.113.2$')
	check "flood of $kind: $admitted of a neighbour's 100 new flows are admitted" \
		test "$admitted" -ge 99
done
for reason in quota-flows fragment-budget; do
	check "what was too much is counted: $reason" test "$(count "dropped[\"$reason\"]")" -gt 0
done
check "and it never has more than half" test "$(count flows)" -le 2000
stop

# ---- memory is there from the start -----------------------------------------------------

# Of a worker, pages that it had not touched before, and KiB that are resident
pages()
{
	awk '{ sub(/.*\) /, ""); print $8 + $10 }' "/proc/$worker/stat"
}

resident()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$worker/status"
}

# A table of 100,000 flows is ten times of what is let pass here
for lanes in "" --no-lanes; do
	# shellcheck disable=SC2086
	start --max-flows 100000 $lanes
	worker=$(pgrep -P "$keeper")
	slack=1536
	# A sanitizer has frames of functions that have returned, and fills them by and by
	! grep -qs libasan "/proc/$worker/maps" || slack=$((slack + 11264))
	before=$(pages) was=$(resident)
	for kind in flows ports fragments icmp; do
		churn $kind 10.9.0.2 192.0.2.80 20000 >sent
		churn $kind 10.9.0.3 192.0.2.80 20000 >sent
	done
	after=$(pages) is=$(resident) flows=$(count flows)
	check "$flows flows $lanes" test "$flows" -gt 40000
	check "it has no memory for them that it had not at the start: $was KiB, $is KiB" \
		test $((is - was)) -le $slack
	check "and has touched it: $((after - before)) pages anew" \
		test $((after - before)) -le $((slack / 3))
	stop
done

# ---- things change under it -----------------------------------------------------------

start
on_host ip link set igb0 mtu 1400
check "a changed MTU is one line" wait_for 10 grep -q 'igb0 is up, MTU 1400' nat.err
has "and told to who sends more" "mtu = 1400" \
	"$(on_host ping -c 1 -M "do" -s 1450 -W 2 -I 10.9.0.2 192.0.2.80)"
on_host ip link set igb0 mtu 1500
check "and back" wait_for 10 grep -q 'igb0 is up, MTU 1500' nat.err
is "one line each" 2 "$(grep -c 'igb0 is up' nat.err)"

on_host ip addr del 203.0.113.2/24 dev igb0
kept()
{
	grep -q 'the rules stay as they were' nat.err
}
check "without an address there are no other rules, and it goes on" wait_for 10 kept
on_host ip addr add 203.0.113.7/24 dev igb0
moved()
{
	on_host ip route replace default via 203.0.113.1
	[ "$(ask "$HOST" --from 10.9.0.2 --wait 0.5 tcp:192.0.2.80:80)" = "inet 203.0.113.7" ]
}
check "another address: flows leave by it" wait_for 20 moved
has "and a line says so" "igb0 has other addresses" "$(cat nat.err)"
is "forwards are at the new one" "www 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.7:8080)"

worker=$(pgrep -P "$keeper")
# All may be lost before they come to the ring, on a machine that is busy
ran_over()
{
	kill -STOP "$worker"
	churn flows 10.9.0.2 192.0.2.80 3000
	in_ns "$CLIENT" "$PYTHON" -EsB "$LAB_DIR/churn.py" flows 198.51.100.7 203.0.113.7 3000
	kill -CONT "$worker"
	give_time 1
	grep -q 'packets came that there was no room for' nat.err
}
check "a ring that ran over is a line" wait_for 10 ran_over
is "and the path recovers" "inet 203.0.113.7" "$(ask "$HOST" --from 10.9.0.2 tcp:192.0.2.80:80)"
check "what was lost is counted" test "$(count outside.lost)" -gt 0

kill -STOP "$nat"
is "the front asleep: packets go on" "inet 203.0.113.7" \
	"$(ask "$HOST" --from 10.9.0.2 tcp:192.0.2.80:80)"
kill -KILL "$nat"
wait "$nat" 2>/dev/null
ended()
{
	[ ! -e "/proc/$keeper" ]
}
check "SIGKILL: the others end" wait_for 10 ended
has "and one line says why" "killed: ending, and tidying up" "$(cat nat.err)"
start
stop
has "SIGTERM too is a line" "SIGTERM: ending" "$(cat nat.err)"
for gone in nat0 igb0; do
	start
	on_host ip link del "$gone"
	check "$gone gone: the NAT ends" wait_for 10 ended
	rc=0
	wait "$nat" || rc=$?
	is "$gone gone: with an error" 71 "$rc"
	has "$gone gone: which says so" "error: .*$gone is gone" "$(cat nat.err)"
	is "$gone gone: nothing is left" "" "$(on_host ip rule show | grep -v 'lookup \(local\|main\|default\)';
		on_host nft list tables | grep sallyport_nat)"
done

lab_done
