#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The live NAT is killed, all of it at once: the ports that it had lent are held for
# who had them, in the next run and in the one after that, and then are free again.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
lab_needs_tun natkill
cat >jail.conf <<'END'
www { ip4.addr = "lo1|10.9.0.2/32"; }
db { ip4.addr = "lo1|10.9.0.3/32"; }
late { ip4.addr = "lo1|10.9.0.4/32"; }
END
cat >pf.conf <<'END'
nat on igb0 from 10.9.0.0/24 to any -> 203.0.113.2 port 50001:50004
pass all
END
lab_lo1 "$HOST" 10.9.0.2 10.9.0.3 10.9.0.4
serve_world

start()		# ARGS of nat
{
	rm -f nat.err
	nsenter --net="/run/netns/$HOST" -- "$SALLYPORT" -f jail.conf -f pf.conf nat \
		--inside tun:nat0 --outside igb0 --state "$TMP/flows" "$@" >nat.out 2>nat.err </dev/null &
	nat=$!
	wait_for 10 grep -q '^ready$' nat.err || cat nat.err
	keeper=$(pgrep -P "$nat")
}

# Nobody has time to save or to tidy up
murder()
{
	local all

	mapfile -t all < <(pgrep -P "$keeper")
	kill -KILL "${all[@]}" "$keeper" "$nat" 2>/dev/null
	wait "$nat" 2>/dev/null
	wait_for 10 without_device
}

without_device()
{
	! on_host ip link show nat0 >/dev/null 2>&1
}

refused()	# NAME: the third jail gets none of the ports
{
	is "$1" unreachable "$(port 10.9.0.4:40001)"
}

port()		# ADDRESS:PORT inside: the address and port that the world sees
{
	ask "$HOST" --from "$1" --ports udp:192.0.2.80:53
}

start
first=$(port 10.9.0.2:40001)
has "a port of four" "^inet 203.0.113.2 5000[1-4]$" "$first"
for from in 10.9.0.2:40002 10.9.0.3:40001 10.9.0.3:40002; do
	has "and the others" "^inet 203.0.113.2 5000[1-4]$" "$(port $from)"
done
refused "then there is none for a third jail"
murder

start
refused "killed and started: there still is none"
is "its last user has it again" "$first" "$(port 10.9.0.2:40001)"
murder
start
refused "once more: those too that were held only"
kill -HUP "$nat"
wait_for 10 grep -q 'rules read anew' nat.err
murder
start --timeout hold=1
freed()
{
	[ "$(port 10.9.0.4:40001)" != unreachable ]
}
check "a reload before, and no time left: they are free in the end" wait_for 20 freed
kill "$nat"
wait "$nat"
is "who ends in peace leaves flows and no journal" "" \
	"$(find /run/sallyport -name 'nat-ports-*')"
lab_done
