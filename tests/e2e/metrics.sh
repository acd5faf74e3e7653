#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What Prometheus is told, and the listing in the manner of jls.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

lab_build
cat >"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1"
gateway_enable="YES"
END
cat >"$TMP/jail.conf" <<'END'
$nat = "igb0";
www {
	ip4.addr = "lo1|192.168.100.2/32", "lo1|192.168.100.3/32";
	host.hostname = "www.example.org";
	path = "/jails/www";
	$forward = "tcp 4000:80", "udp 5300:53 from 198.51.100.0/24";
}
db { ip4.addr = "lo1|192.168.100.4/32"; }
END

run()
{
	sp --state-dir "$TMP/state" "$@"
}

# Each line is of the format; no sample stands twice; a metric's samples stand together
cat >"$TMP/format.py" <<'END'
import re
import sys

seen, said, last = set(), set(), None
for line in sys.stdin.read().splitlines():
    m = re.fullmatch(r'# (HELP|TYPE) (\w+) (.+)', line)
    if m:
        assert (m[1], m[2]) not in said, line
        assert m[1] != "TYPE" or m[3] in ("gauge", "counter"), line
        said.add((m[1], m[2]))
        last = m[2]
        continue
    m = re.fullmatch(r'(\w+)(\{(?:\w+="(?:[^"\\]|\\["\\n])*",?)*\})? (-?[0-9.e+-]+)', line)
    assert m and m[1] == last and ("TYPE", m[1]) in said, line
    assert (m[1], m[2]) not in seen, line
    seen.add((m[1], m[2]))
    float(m[3])
assert len(seen) > 10, seen
END

value()		# METRIC{LABELS}, as a fixed string
{
	grep -v "^#" <<<"$out" | grep -F -- "$1 " | sed "s/.* //"
}

run -f "$TMP/rc.conf" -f "$TMP/jail.conf" metrics
is "nothing applied: no time of an apply" "" "$(grep '^sallyport_apply' <<<"$out")"
is "nothing applied: no jail is up" 0 "$(value 'sallyport_jail_up{jail="www"}')"
sp_must --state-dir "$TMP/state" -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
serve "$HOST" www tcp:192.168.100.2:80 udp:192.168.100.2:53
for _ in 1 2 3; do
	ask "$CLIENT" tcp:203.0.113.2:4000 >/dev/null
done

run metrics
is "exit status" 0 "$rc"
check "the format" "$PYTHON" "$TMP/format.py" <<<"$out"
is "a jail is up" 1 "$(value 'sallyport_jail_up{jail="db"}')"
is "connections of a forward" 3 "$(value 'sallyport_forward_flows_total{jail="www",proto="tcp",external="203.0.113.2:4000",from="any",on="any"}')"
is "and of a jail, all its forwards" 3 "$(value 'sallyport_jail_flows_total{jail="www"}')"
is "none of the other" 0 "$(value 'sallyport_jail_flows_total{jail="db"}')"
is "packets of all directions are more" 1 \
	"$(awk -v n="$(value 'sallyport_jail_packets_total{jail="www"}')" 'BEGIN { print (n >= 3) }')"
# One packet with `hello` and an end of line, and its answer, with 28 bytes of headers each
before=$(value 'sallyport_jail_bytes_total{jail="www"}')
is "a packet is answered" "www 198.51.100.7" "$(ask "$CLIENT" --from 198.51.100.7:4444 udp:203.0.113.2:5300)"
bytes=$((28 + 7 + 28 + $(printf 'www 198.51.100.7 4444\n' | wc -c)))
run metrics
forward='{jail="www",proto="udp",external="203.0.113.2:5300",from="198.51.100.0/24",on="any"}'
is "bytes of a forward" $bytes "$(value "sallyport_forward_bytes_total$forward")"
is "and its packets" 2 "$(value "sallyport_forward_packets_total$forward")"
is "bytes of a jail, all its forwards" $bytes "$(($(value 'sallyport_jail_bytes_total{jail="www"}') - before))"
is "no drift" 0 "$(value 'sallyport_drift{op="add"}')"
is "the apply was just now" 1 \
	"$(awk -v t="$(value sallyport_apply_timestamp_seconds)" -v now="$EPOCHSECONDS" \
		'BEGIN { print (t <= now && t > now - 60) }')"

# Drift counts, and is no failure: Prometheus is to be told of it
on_host ip addr del 192.168.100.4/32 dev lo1
run metrics
is "drift: exit status" 0 "$rc"
is "drift: an address is missing" 1 "$(value 'sallyport_drift{op="add"}')"
is "drift: its jail is down" 0 "$(value 'sallyport_jail_up{jail="db"}')"
run metrics --json
is "as JSON" 0 "$(jq '.sallyport.metrics[] | select(.name == "sallyport_jail_up" and
	.labels.jail == "db") | .value' <<<"$out")"

run status -l
is "a listing: exit status by drift" 1 "$rc"
is "a listing" "Jail State IP Address Hostname Path
www up 192.168.100.2 www.example.org /jails/www
 192.168.100.3
db down 192.168.100.4 - -" "$(tr -s ' ' <<<"$out")"

lab_done
