#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What a tool of others (coturn's, by RFC 5780) finds the live NAT to be, for each
# mapping and filtering behaviour; two jails by the same port at once, so that one
# of them has it and the other must do without.  SALLYPORT_LONG=1: all nine pairs.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
lab_needs_tun natclass
for program in turnserver turnutils_natdiscovery; do
	if ! command -v $program >/dev/null; then
		skip natclass "$program is not installed (Debian package coturn)"
		lab_done
	fi
done

in_ns "$INET" ip addr add 192.0.2.81/24 dev eth0
in_ns "$INET" turnserver -n -L 192.0.2.80 -L 192.0.2.81 --no-auth --no-tls --no-dtls --no-cli \
	--stun-only --listening-port 3478 --alt-listening-port 3479 --pidfile "$TMP/turn.pid" \
	--log-file stdout --userdb "$TMP/turn.db" >turn.log 2>&1 </dev/null &
listens()
{
	[ "$(in_ns "$INET" ss -Hlun "sport = :3478 or sport = :3479" | wc -l)" -ge 4 ]
}
wait_for 20 listens || { cat turn.log; exit 71; }

declare -A words=([endpoint]="Endpoint Independent" [address]="Address Dependent"
	[address-port]="Address and Port Dependent")

# A host with a NAT, and what is found of it from both jails
host()		# NAMESPACE INTERFACE MAPPING FILTERING
{
	local ns=$1 if=$2 dir=$TMP/$1 nat jail clients=()

	mkdir -p "$dir"
	printf 'www { ip4.addr = "lo1|10.9.0.2/32"; $nat = "%s"; }\ndb { ip4.addr = "lo1|10.9.0.3/32"; $nat = "%s"; }\n' \
		"$if" "$if" >"$dir/jail.conf"
	nsenter --net="/run/netns/$ns" -- "$SALLYPORT" -f "$dir/jail.conf" nat \
		--inside tun:nat0 --outside "$if" --ports preserve --mapping "$3" \
		--filtering "$4" 2>"$dir/err" </dev/null &
	nat=$!
	wait_for 10 grep -q '^ready$' "$dir/err" || cat "$dir/err"
	for jail in 2 3; do
		in_ns "$ns" timeout 60 turnutils_natdiscovery -m -f -L 10.9.0.$jail -l 52000 \
			192.0.2.80 >"$dir/$jail" 2>&1 </dev/null &
		clients+=($!)
	done
	wait "${clients[@]}"
	kill $nat
	wait $nat
}

judge()		# NAMESPACE MAPPING FILTERING
{
	local jail

	for jail in 2 3; do
		has "mapping $2, filtering $3: jail $jail finds that mapping" \
			"NAT with ${words[$2]} Mapping!" "$(cat "$TMP/$1/$jail")"
		has "mapping $2, filtering $3: and that filtering" \
			"NAT with ${words[$3]} Filtering!" "$(cat "$TMP/$1/$jail")"
	done
	is "mapping $2, filtering $3: one jail had the port, the other had not" "1 1" \
		"$(cat "$TMP/$1/2" "$TMP/$1/3" | awk '
			/UDP reflexive addr/ { split($NF, a, ":"); kept += a[2] == 52000; all++ }
			END { print (kept > 0), (kept < all) }')"
}

for ns in "$HOST" "$NEIGHBOUR" "$REPLICA"; do
	lab_lo1 "$ns" 10.9.0.2 10.9.0.3
done
all=(endpoint address address-port)
turns=(0)
[ -z "${SALLYPORT_LONG-}" ] || turns=(0 1 2)
for turn in "${turns[@]}"; do
	hosts=()
	for i in 0 1 2; do
		ns=$HOST if=igb0
		[ $i -eq 0 ] || if=eth0
		[ $i -ne 1 ] || ns=$NEIGHBOUR
		[ $i -ne 2 ] || ns=$REPLICA
		host "$ns" $if "${all[i]}" "${all[(i + turn + 2) % 3]}" &
		hosts+=($!)
	done
	wait "${hosts[@]}"
	judge "$HOST" "${all[0]}" "${all[(turn + 2) % 3]}"
	judge "$NEIGHBOUR" "${all[1]}" "${all[turn % 3]}"
	judge "$REPLICA" "${all[2]}" "${all[(turn + 1) % 3]}"
done
lab_done
