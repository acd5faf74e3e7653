#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# forward_rate.sh - what new flows cost through the last of N forwards, and what the
# command costs beside nft
#
#	forward-rate-tcp-N, forward-rate-udp-N
#			new connections, new flows with an answer, a second
#	forward-rate-PROTO-ratio
#			100,000 forwards in comparison with 10: the median of pairs, and
#	forward-rate-PROTO-ratio-low, -high
#			between which half of the pairs are
#	apply-command-N, apply-command-N-memory
#			a whole run of apply: processor time and the most memory
#	nft-f-N, nft-f-N-memory
#			`nft -f` of the same rules, as `compile --to nft` writes them
#	nft-f-N-ratio	the latter in comparison with the former
#
# The two numbers of forwards are measured in turns, few, many, many, few: what the
# machine does beside that is in both sums of a pair.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
LOAD=${BUILD:-$LAB_TOP/build}/tests/e2e/netload
ROUNDS=12 SECONDS_EACH=0.5

declare_jails()	# N
{
	awk -v n="$1" 'BEGIN {
		for (i = 0; i < n; i++) {
			if (i % 100 == 0)
				printf "%sj%d {\nip4.addr = \"lo1|10.1.%d.%d/32\";\n", i ? "}\n" : "",
				       i / 100, i / 25600, i / 100 % 256
			printf "$forward += \"%s %d to 203.0.113.2\";\n", i % 2 ? "udp" : "tcp",
			       10000 + i / 2
		}
		print "}"
	}' >"$TMP/$1.jail.conf"
}

files()		# N
{
	echo "--state-dir $TMP/state -q --no-verify -f $TMP/rc.conf -f $TMP/$1.jail.conf"
}

# Processor time and memory of a command on the host, as NAME VALUE UNIT
cost()		# NAME COMMAND...
{
	on_host "$PYTHON" -EsB -c 'import resource, subprocess, sys
subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
r = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{sys.argv[1]} {(r.ru_utime + r.ru_stime) * 1e3:.0f} ms")
print(f"{sys.argv[1]}-memory {r.ru_maxrss / 1024:.0f} MiB")' "$@" || exit 1
}

lab_build
echo 'cloned_interfaces="lo1"' >"$TMP/rc.conf"
# Flows of the round before are gone
set_sysctl "$HOST" net/netfilter/nf_conntrack_udp_timeout=1 \
	net/netfilter/nf_conntrack_udp_timeout_stream=1 \
	net/netfilter/nf_conntrack_tcp_timeout_time_wait=1
set_sysctl "$CLIENT" net/ipv4/ip_local_port_range="1024 65000" net/ipv4/tcp_tw_reuse=1
for n in 10 100000; do
	declare_jails $n
	# shellcheck disable=SC2046
	cost "apply-command-$n" "$SALLYPORT" $(files $n) apply | tee "$TMP/ours"
	# shellcheck disable=SC2046
	sp_must $(files $n) compile --to nft -o "$TMP/nft"
	in_ns "$HOST" nft flush ruleset
	cost "nft-f-$n" nft -f "$TMP/nft" | tee "$TMP/theirs"
	paste "$TMP/ours" "$TMP/theirs" | awk -v n=$n 'NR == 1 { printf "nft-f-%s-ratio %.1f x\n", n, $5 / $2 }'
	sp_must --state-dir "$TMP/state" -q destroy
done
for place in "10.1.0.0 10004" "10.1.3.231 59999"; do
	read -r jail port <<<"$place"
	lab_start "$TMP/tcp.log" on_host "$BASH" -c 'exec "$0" accept "$1" "$3"' "$LOAD" "$port"
	# The jails are not up yet
	on_host ip addr add "$jail/32" dev lo
	lab_start "$TMP/udp.log" on_host "$BASH" -c 'exec "$0" echo "$1" "$2" "$4"' "$LOAD" \
		"$jail" "$port"
	on_host ip addr del "$jail/32" dev lo
done
# A slice of each, as lines PROTO N FLOWS
slice()		# N PORT
{
	# shellcheck disable=SC2046
	[ "$1" = "${loaded-}" ] || sp_must $(files "$1") apply
	loaded=$1
	echo "tcp $1 $(in_ns "$CLIENT" "$LOAD" connect 203.0.113.2 "$2" $SECONDS_EACH)"
	echo "udp $1 $(in_ns "$CLIENT" "$LOAD" flows 203.0.113.2 "$2" $SECONDS_EACH)"
}

# Few, many, many, few: a machine that becomes slower or faster is so for both
for ((i = 0; i < ROUNDS; i++)); do
	slice 10 10004
	slice 100000 59999
	slice 100000 59999
	slice 10 10004
done >"$TMP/slices"
"$PYTHON" -EsB - "$TMP/slices" "$SECONDS_EACH" <<'END'
import statistics, sys

rates = {}
for line in open(sys.argv[1]):
    proto, n, flows = line.split()[:3]
    rates.setdefault((proto, int(n)), []).append(int(flows) / float(sys.argv[2]))
for proto in ("tcp", "udp"):
    few, many = rates[proto, 10], rates[proto, 100000]
    pairs = sorted((many[i] + many[i + 1]) / (few[i] + few[i + 1]) for i in range(0, len(few), 2))
    print(f"forward-rate-{proto}-10 {statistics.median(few):.0f} 1/s")
    print(f"forward-rate-{proto}-100000 {statistics.median(many):.0f} 1/s")
    print(f"forward-rate-{proto}-ratio {statistics.median(pairs):.2f} x")
    print(f"forward-rate-{proto}-ratio-low {pairs[len(pairs) // 4]:.2f} x")
    print(f"forward-rate-{proto}-ratio-high {pairs[-1 - len(pairs) // 4]:.2f} x")
END
