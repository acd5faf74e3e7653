#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# forward_rate.sh - what new flows cost through the last of N forwards, and what the
# command costs beside nft
#
#	forward-rate-PROTO-N
#			new flows with an answer a second, of one processor: connections
#			with a byte each way, and datagrams there and back
#	forward-rate-PROTO-ratio
#			100,000 forwards in comparison with 10: the median of 300 rounds, and
#	forward-rate-PROTO-ratio-low, -high
#			between which half of the rounds are
#	linear-rate-PROTO-N, linear-rate-PROTO-ratio, ...
#			the same through the last of N rules, one for each forward; few rounds
#	apply-command-N, apply-command-N-memory
#			a whole run of apply: processor time and the most memory
#	nft-f-N, nft-f-N-memory
#			`nft -f` of the same rules, as `compile --to nft` writes them
#	nft-f-N-ratio	the latter in comparison with the former
#
# The hosts stand beside each other, and are measured in turns of some milliseconds.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=../lib/many.sh
. "$LAB_DIR/many.sh"
lab_enter "$@"
TURNS=${BUILD:-$LAB_TOP/build}/tests/e2e/netturns

# A host, and a client on its wire: $HOST and HOST-client
stand_up()
{
	lab_bare HOST
	ip netns add "$HOST-client"
	on_host ip link set p-igb0 netns "$HOST-client"
	in_ns "$HOST-client" ip link set p-igb0 up
	in_ns "$HOST-client" ip addr add 203.0.113.9/24 dev p-igb0
	wait_for 10 in_ns "$HOST-client" ping -qnc 1 -W 1 203.0.113.2
}

files()		# N
{
	echo "--state-dir $TMP/state.$1 -q --no-verify -f $TMP/rc.conf -f $TMP/$1.jail.conf"
}

# What a round says, as lines NAME VALUE UNIT
rounds()	# NAME ROUNDS PROTO N M HOST HOST
{
	"$TURNS" "$2" "$3" 203.0.113.2 60000 10.9.0.1 80 "$6-client" "$6" "$7-client" "$7" \
		>"$TMP/rounds" || exit 1
	"$PYTHON" -EsB - "$1-$3" "$4" "$5" "$TMP/rounds" <<-'END'
		import statistics, sys

		name, n, m, path = sys.argv[1:]
		rounds = [[int(x) for x in line.split()] for line in open(path)]
		for k, column in zip((n, m), zip(*rounds)):
		    print(f"{name}-{k} {1e9 / statistics.median(column):.0f} 1/s")
		ratios = sorted(a / b for a, b in rounds)
		print(f"{name}-ratio {statistics.median(ratios):.3f} x")
		print(f"{name}-ratio-low {ratios[len(ratios) // 4]:.3f} x")
		print(f"{name}-ratio-high {ratios[-1 - len(ratios) // 4]:.3f} x")
	END
}

# N rules that translate, of which the last is ours
linear()	# N
{
	awk -v n="$1" 'BEGIN {
		print "table ip linear { chain in { type nat hook prerouting priority dstnat;"
		for (i = 0; i < n - 2; i++)
			printf "ip daddr 203.0.113.2 %s dport %d dnat to 10.1.0.%d:80\n",
			       i % 2 ? "udp" : "tcp", 1 + i / 2, i % 250
		print "ip daddr 203.0.113.2 tcp dport 60000 dnat to 10.9.0.1:80"
		print "ip daddr 203.0.113.2 udp dport 60000 dnat to 10.9.0.1:80"
		print "}\n}" }'
}

echo 'cloned_interfaces="lo1"' >"$TMP/rc.conf"
declare -A host
for n in 10 100000; do
	stand_up
	host[$n]=$HOST
	declare_jails $n >"$TMP/$n.jail.conf"
	cat >>"$TMP/$n.jail.conf" <<-'END'
		last { ip4.addr = "lo1|10.9.0.1/32"; $forward = "tcp+udp 60000:80 to 203.0.113.2"; }
	END
	# shellcheck disable=SC2046
	cost "apply-command-$n" "$SALLYPORT" $(files $n) apply | tee "$TMP/ours"
	# shellcheck disable=SC2046
	sp_must $(files $n) compile --to nft -o "$TMP/nft"
	on_host nft flush ruleset
	cost "nft-f-$n" nft -f "$TMP/nft" | tee "$TMP/theirs"
	paste "$TMP/ours" "$TMP/theirs" | awk -v n=$n 'NR == 1 { printf "nft-f-%s-ratio %.1f x\n", n, $5 / $2 }'
	on_host nft flush ruleset
	# shellcheck disable=SC2046
	sp_must $(files $n) apply
	stand_up
	on_host ip addr add 10.9.0.1/32 dev lo
	host[linear-$n]=$HOST
	linear $n >"$TMP/linear"
	on_host nft -f "$TMP/linear" || exit 1
done
for proto in tcp udp; do
	rounds forward-rate 300 $proto 10 100000 "${host[10]}" "${host[100000]}"
	rounds linear-rate 8 $proto 10 100000 "${host[linear-10]}" "${host[linear-100000]}"
done
