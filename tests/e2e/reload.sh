#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Reloads under traffic: while all rules are written anew, again and again, each new
# flow is translated and the connection that was there stays.  SALLYPORT_LONG=1: 1,000
# reloads and a million flows.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

reloads=20 flows=3000
[ -z "${SALLYPORT_LONG-}" ] || reloads=1000 flows=1000000

# Other forwards, another filter: maps, sets and most chains differ
declare_as()	# NAME PORTS FILTER
{
	cat >"$TMP/$1.jail.conf" <<-END
		www {
			ip4.addr = "lo1|192.168.100.2/32";
			\$nat = "igb0";
			\$forward = "tcp+udp 4000", "tcp $2";
		}
	END
	printf '%s\n' "$3" 'pass in on igb0 proto tcp to any port { 22 80 }' 'pass out all' \
		>"$TMP/$1.pf.conf"
}

load()		# NAME
{
	sp_must --state-dir "$TMP/state" -q --no-verify -f "$TMP/rc.conf" \
		-f "$TMP/$1.jail.conf" -f "$TMP/$1.pf.conf" apply
}

lab_build
printf '%s\n' 'cloned_interfaces="lo1"' 'gateway_enable="YES"' >"$TMP/rc.conf"
declare_as a 8000-8099:80 'block in all'
declare_as b 9000-9199:9000-* 'block in log all'
load a
lab_start "$TMP/server.log" in_ns "$HOST" "$PYTHON" "$LAB_DIR/newflows.py" serve 192.168.100.2:4000
in_ns "$CLIENT" "$PYTHON" "$LAB_DIR/newflows.py" flood 203.0.113.2:4000 "$flows" "$TMP/stop" \
	>"$TMP/flood" 2>"$TMP/count" &
flood=$!
for ((i = 0; i < reloads; i++)); do
	load "$([ $((i % 2)) = 0 ] && echo b || echo a)"
done
touch "$TMP/stop"
wait "$flood"
is "$reloads reloads under new flows" "flows enough lost 0 cut 0" "$(cat "$TMP/flood")"
echo "# $(cat "$TMP/count") flows"
sp --state-dir "$TMP/state" status
is "no drift" 0 "$rc"
lab_done
