#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# forward_rate.sh - what new flows cost through the last of N forwards, and what the
# command costs beside nft
#
#	forward-rate-tcp-N, forward-rate-udp-N
#			new connections, new flows with an answer, a second
#	forward-rate-PROTO-ratio
#			100,000 forwards in comparison with 10
#	apply-command-N, apply-command-N-memory
#			a whole run of apply: processor time and the most memory
#	nft-f-N, nft-f-N-memory
#			`nft -f` of the same rules, as `compile --to nft` writes them
#	nft-f-N-ratio	the latter in comparison with the former
#
# The two numbers of forwards are measured in turns; of each the best counts.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
LOAD=${BUILD:-$LAB_TOP/build}/tests/e2e/netload
ROUNDS=4 SECONDS_EACH=1

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
best()		# PROTO N RATE
{
	local -n now=best_$1_$2
	[ "$3" -le "${now:-0}" ] || now=$3
}
for place in "10.1.0.0 10004" "10.1.3.231 59999"; do
	read -r jail port <<<"$place"
	lab_start "$TMP/tcp.log" on_host "$BASH" -c 'exec "$0" accept "$1" "$3"' "$LOAD" "$port"
	# The jails are not up yet
	on_host ip addr add "$jail/32" dev lo
	lab_start "$TMP/udp.log" on_host "$BASH" -c 'exec "$0" echo "$1" "$2" "$4"' "$LOAD" \
		"$jail" "$port"
	on_host ip addr del "$jail/32" dev lo
done
for ((i = 0; i < 2 * ROUNDS; i++)); do
	n=10 port=10004
	[ $((i % 2)) = 0 ] || n=100000 port=59999
	# shellcheck disable=SC2046
	sp_must $(files $n) apply
	best tcp $n "$(in_ns "$CLIENT" "$LOAD" connect 203.0.113.2 $port $SECONDS_EACH | cut -d' ' -f1)"
	best udp $n "$(in_ns "$CLIENT" "$LOAD" flows 203.0.113.2 $port $SECONDS_EACH | cut -d' ' -f1)"
done
for proto in tcp udp; do
	few=best_${proto}_10 many=best_${proto}_100000
	echo "forward-rate-$proto-10 $((${!few} / SECONDS_EACH)) 1/s"
	echo "forward-rate-$proto-100000 $((${!many} / SECONDS_EACH)) 1/s"
	awk -v p=$proto -v a="${!few}" -v b="${!many}" \
		'BEGIN { printf "forward-rate-%s-ratio %.2f x\n", p, b / a }'
done
