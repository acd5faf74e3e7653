#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The live NAT for a long time: flows come and go, and forwards do, rules are read anew,
# and an interface goes down and up with another MTU; and nothing grows.  `make soak` is
# two hours at 50,000 packets a second, half of them out and half of them answers;
# SALLYPORT_SOAK="SECONDS RATE [ARGS of nat]" asks for others.  A line each minute says
# how it is.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
CHURN=${BUILD:-$LAB_TOP/build}/tests/e2e/netchurn
LOAD=${BUILD:-$LAB_TOP/build}/tests/e2e/netload
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
lab_needs_tun natsoak
read -r seconds rate nat_args <<<"${SALLYPORT_SOAK:-3 4000}"
cat >rc.conf <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
ifconfig_igb0_ipv6="inet6 2001:db8:113::2/64"
END
cat >jail.conf <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|10.9.0.2/32"; ip6.addr = "lo1|fd09::2/128"; $forward = "tcp 8080:80"; }
db { ip4.addr = "lo1|10.9.0.3/32"; }
END
lab_lo1 "$HOST" 10.9.0.2 10.9.0.3 fd09::2
on_host ip route add 192.0.2.80/32 via 203.0.113.1 src 10.9.0.2
set_sysctl "$HOST" net/ipv6/conf/igb0/keep_addr_on_down=1
# Answers are counted, and go no further
on_host nft -f - <<'END'
	table inet sink {
		counter answers { }
		chain in {
			type filter hook prerouting priority -400;
			icmp type echo-reply counter name answers drop
			icmpv6 type echo-reply counter name answers drop
			udp sport 7 counter name answers drop
		}
	}
END
set_sysctl "$INET" net/ipv4/icmp_msgs_per_sec=100000 net/ipv4/tcp_tw_reuse=1
set_sysctl "$HOST" net/ipv4/tcp_tw_reuse=1
serve_world
serve "$HOST" www tcp:10.9.0.2:80
lab_start answer.log in_ns "$INET" "$CHURN" answer 192.0.2.80
lab_start answer6.log in_ns "$INET" "$CHURN" answer 2001:db8:80::80
lab_start accept.log in_ns "$INET" "$BASH" -c 'exec "$0" accept 5001 "$2"' "$LOAD"

# shellcheck disable=SC2086
nsenter --net="/run/netns/$HOST" -- "$SALLYPORT" -f rc.conf -f jail.conf nat \
	--inside tun:nat0 --outside igb0 --max-flows 60000 --timeout udp=4 --timeout hold=1 \
	--timeout icmp=10 --timeout tcp.closed=5 $nat_args >nat.out 2>nat.err </dev/null &
nat=$!
wait_for 60 grep -q '^ready$' nat.err || cat nat.err
on_host ip link set nat0 txqueuelen 5000

# ---- figures ------------------------------------------------------------------------

processes()
{
	pgrep -f "inside tun:nat0"
}

# FIELD of all processes' status, KiB in all
kib()		# FIELD
{
	processes | sed 's,.*,/proc/&/status,' | xargs cat 2>/dev/null |
		awk -v f="$1:" '$1 == f { n += $2 } END { printf "%.0f", n }'
}

descriptors()
{
	processes | sed 's,.*,/proc/&/fd,' | xargs -I{} find {} -mindepth 1 2>/dev/null | wc -l
}

# KiB of files that it keeps
kept()
{
	du -sk /run/sallyport /var/lib/sallyport 2>/dev/null | awk '{ n += $1 } END { print n + 0 }'
}

sent()
{
	echo $(($(tail -qn 1 sent4 sent6 | paste -sd +)))
}

answered()
{
	on_host nft -j list counter inet sink answers | jq '.nftables[1].counter.packets'
}

status()	# what `nat status` tells as FLOWS MADE TRANSLATED LANES LOST REASONS
{
	sp --json nat status
	jq -r '.sallyport.nat[0] | [.flows, .flows_made, .translated, .lanes.packets.out,
		.inside.lost + .outside.lost, (.dropped | tojson)] | join(" ")' <<<"$out"
}

declare -A first last
# One line.  What is compared with the end is how it was after a tenth of the time
measure()
{
	local flows made translated lanes lost reasons now=$((SECONDS - begun)) k

	last=([rss]=$(kib VmRSS) [data]=$(kib VmData) [files]=$(kept)
		[descriptors]=$(descriptors) [processes]=$(processes | wc -l))
	for k in "${!last[@]}"; do
		[ -n "${first[$k]-}" ] && [ "$now" -gt $((seconds / 10)) ] || first[$k]=${last[$k]}
	done
	read -r flows made translated lanes lost reasons <<<"$(status)"
	printf '# %s %5d s: rss %d locked %d data %d files %d KiB, %d descriptors, %d processes; ' \
		"$(date -u +%H:%M:%S)" "$now" "${last[rss]}" "$(kib VmLck)" "${last[data]}" \
		"${last[files]}" "${last[descriptors]}" "${last[processes]}"
	printf 'sent %d answered %d; flows %d of %d, translated %d, out by lanes %d, lost %d, %s\n' \
		"$(sent)" "$(answered)" "$flows" "$made" "$translated" "$lanes" "$lost" "$reasons"
}

# ---- what happens meanwhile -----------------------------------------------------------

stand 10.9.0.2
n_rounds=0 n_connections=0 n_downs=0 n_wrong=0
wrong()		# WHAT
{
	n_wrong=$((n_wrong + 1))
	[ "$n_wrong" -gt 20 ] || echo "# wrong in round $n_rounds: $1: ${err//$'\n'/; }"
}

leads_in()
{
	[ "$(ask "$CLIENT" tcp:203.0.113.2:9000)" = "www 198.51.100.7" ]
}

leads_out()
{
	[ "$(ask "$HOST" --from 10.9.0.3 udp:192.0.2.80:53)" = "inet 203.0.113.2" ]
}

# What an administrator does, and clients
one_round()
{
	local n failed

	n_rounds=$((n_rounds + 1))
	sp forward add www tcp 9000:80
	{ [ "$rc" -eq 0 ] && wait_for 20 leads_in; } || wrong "forward add: $rc"
	sp forward del www tcp 9000
	[ "$rc" -eq 0 ] || wrong "forward del: $rc"
	sp nat reload
	[ "$rc" -eq 0 ] || wrong "nat reload: $rc"
	read -r n failed <<<"$(on_host "$LOAD" connect 192.0.2.80 5001 "$connecting")"
	n_connections=$((n_connections + n))
	[ "$failed" -eq 0 ] || wrong "$failed connections failed"
	still_stands || wrong "the connection that stands is not answered"
}

down_and_up()
{
	on_host ip -batch - <<-END
		link set igb0 down
		link set igb0 mtu $((1400 + n_downs % 2 * 100))
		link set igb0 up
		route replace default via 203.0.113.1
		route replace 192.0.2.80/32 via 203.0.113.1 src 10.9.0.2
		route replace default via 2001:db8:113::1
	END
	n_downs=$((n_downs + 1))
	wait_for 20 leads_out || wrong "igb0 is up again, and nobody is led out"
}

goes_on()
{
	kill -0 "$sender4" 2>/dev/null || [ "$n_rounds" -lt 3 ] || [ "$n_connections" -eq 0 ]
}

pause=5 connecting=0.05
[ "$seconds" -ge 60 ] || pause=0.5 connecting=0.01
begun=$SECONDS next=0
on_host "$CHURN" send 10.9.0.2 192.0.2.80 $((rate * 7 / 16)) "$seconds" >sent4 &
sender4=$!
on_host "$CHURN" send fd09::2 2001:db8:80::80 $((rate / 16)) "$seconds" >sent6 &
sender6=$!
while goes_on; do
	one_round
	[ $((n_rounds % 30)) -ne 2 ] || down_and_up
	if [ "$n_rounds" -ge 2 ] && [ $((SECONDS - begun)) -ge "$next" ]; then
		next=$((SECONDS - begun + 60))
		measure
	fi
	# Packets are what this is about; and ports rest after each connection, of which a
	# jail may have only so many
	read -rt "$pause" -u "$lab_never" || :
done
wait "$sender4" "$sender6"
measure

# ---- verdict ------------------------------------------------------------------------

come_and_gone()
{
	local flows made
	read -r flows made _ <<<"$(status)"
	[ "$made" -gt "$flows" ]
}

# What is resident goes up and down by two files of ports, one of them on its way out
declare -A slack=([rss]=4096 [data]=512 [files]=1024)
# Where a sanitizer keeps frames of functions that have returned it has 11 MiB for those of
# each process, which it fills by and by
! grep -qs libasan "/proc/$nat/maps" || slack[rss]=$((4096 + last[processes] * 11264))
# In seconds there come ever more flows, and the state file holds them all
[ "$seconds" -ge 60 ] || slack[files]=4096
for k in "${!slack[@]}"; do
	check "after $seconds s: no more KiB of $k: ${first[$k]} -> ${last[$k]}" \
		test "${last[$k]}" -le $((first[$k] + slack[$k]))
done
for k in descriptors processes; do
	is "nor more $k" "${first[$k]}" "${last[$k]}"
done
# In seconds whoever else runs here decides how many
sent=$(sent) answered=$(answered) least=1
[ "$seconds" -lt 60 ] || least=$((rate * seconds * 9 / 20))
check "$sent packets went, of some $((rate * seconds / 2))" test "$sent" -ge "$least"
check "$answered were answered" test "$answered" -ge $((least * 8 / 10 + 1))
check "flows have come and gone" wait_for 20 come_and_gone
is "$n_rounds rounds of forwards, rules and $n_connections connections, $n_downs times down: nothing wrong" \
	0 "$n_wrong"
is "no flow was lost by reading rules" 0 "$(grep -c "do not fit" nat.err)"
is "and it still translates" "inet 203.0.113.2" "$(ask "$HOST" --from 10.9.0.2 tcp:192.0.2.80:80)"
for ns in "$INET" "$HOST"; do
	is "nothing came to $ns with a bad checksum" 0 \
		"$(wrong_sums "$ns")"
done
rc=0
kill "$nat"
wait "$nat" || rc=$?
is "it ends as it should" 0 "$rc"
is "no sanitizer has said anything" "" "$(grep -E 'Sanitizer|runtime error' nat.err nat.out)"
sed 's/[0-9]* packets came/packets came/; s/^/# /' nat.err | sort | uniq -c | sort -rn | head -n 20
lab_done
