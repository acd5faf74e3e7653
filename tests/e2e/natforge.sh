#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The live NAT and who forges: floods of ICMP errors, resets, openings and parts of
# datagrams in the names of peers and routers.  What a jail has goes on, and nothing forged
# comes to it; the same in the right words does, so that it is known that it could have.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
cat >rc.conf <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
END
cat >jail.conf <<'END'
$nat = "igb0"; $gateway = "10.1.0.1";
www { vnet; $bridge = "inner0"; $address = "10.1.0.5/24"; $forward = "tcp 8080:80"; }
db { vnet; $bridge = "inner0"; $address = "10.1.0.6/24"; }
END
files=(-f rc.conf -f jail.conf)
sp_must "${files[@]}" apply --nat-path userspace
sp_must up --create www db
for jail in www db; do
	wait_for 10 in_ns $jail ping -qc 1 -W 1 10.1.0.1
done
# A bridge that has its packets looked at by the host puts those in parts together first,
# in memory that is the host's and not the NAT's
nf=net/bridge/bridge-nf-call-iptables
! on_host test -e /proc/sys/$nf || set_sysctl "$HOST" $nf=0
MOST=2000 many=1500
[ -z "${SALLYPORT_LONG-}" ] || many=20000
serve_world
serve www www tcp:10.1.0.5:80
lab_start bulk.log in_ns "$INET" "$PYTHON" -EsB "$LAB_DIR/bulk.py" serve 7000
nsenter --net="/run/netns/$HOST" -- "$SALLYPORT" "${files[@]}" nat \
	--inside inner0 --outside igb0 --max-flows $MOST \
	>nat.out 2>nat.err </dev/null &
nat=$!
started()
{
	grep -q '^ready$' nat.err || ! kill -0 "$nat"
}
wait_for 10 started
has "it begins" '^ready$' "$(cat nat.err)"
kill -0 "$nat" || lab_done

count()		# REASON that packets were dropped for
{
	sp --json nat status
	jq -r ".sallyport.nat[0].dropped[\"$1\"] // 0" <<<"$out"
}

# ---- what a jail has ------------------------------------------------------------------

mkfifo lines told
exec {lines}<>lines {told}<>told
# shellcheck disable=SC2016
lab_start held.err in_ns db "$BASH" -c 'exec "$@" <lines >told' - \
	"$PYTHON" -EsB "$LAB_DIR/held.py" 192.0.2.80:80 51000
held()		# WORD of held.py; its answer in $answer
{
	echo "$1" >&"$lines"
	read -rt "$LAB_PATIENCE" -u "$told" answer || answer="no answer"
}
held tcp
tcp_had=$answer tcp=203.0.113.2:${answer#answered }
held udp
udp_had=$answer udp=203.0.113.2:${answer#answered }
in_ns db "$PYTHON" -EsB "$LAB_DIR/bulk.py" send 192.0.2.80 7000 20000000 &
bulk=$!

forge_from()	# NAMESPACE ARGS of forge.py
{
	local ns=$1
	shift
	in_ns "$ns" "$PYTHON" -EsB "$LAB_DIR/forge.py" "$@"
}

# By the flow that there is, until it came: all that was before it has
last_one()
{
	forge_from "$CLIENT" udp "$udp" 192.0.2.80:80 1 lab-sentinel
	! kill -0 "$sniff_pid"
}

# What came to the jail of what a packet of its own would not bring
came()		# REGEX
{
	wait_for 20 last_one || echo "the sentinel did not come"
	grep -E "$1" seen | sort | uniq -c | head -n 5
}

goes_on()	# NAME
{
	held tcp
	is "$1: the connection goes on, by the same port" "$tcp_had" "$answer"
	held udp
	is "$1: and so does the other flow" "$udp_had" "$answer"
}

flood()		# NAME WHAT-MUST-NOT-COME ARGS of forge.py
{
	local name=$1 what=$2
	shift 2
	sniff db epair1b seen --in
	forge_from "$CLIENT" "$@" >sent
	is "$name: nothing of it comes to the jail" "" "$(came "$what")"
	goes_on "$name"
}

# ---- floods ---------------------------------------------------------------------------

held numbers
read -r _ sends receives <<<"$answer"
peer=192.0.2.80:80
flood "resets that guess" 'tcp.*R' "rst=$receives" "$tcp" $peer "$many"
check "resets that guess are counted" test "$(count rst-window)" -gt 0
flood "unreachable, of a connection" 'icmp' "unreachable=$sends" "$tcp" $peer "$many"
flood "too big, of a connection" 'icmp' "too-big=$sends" "$tcp" $peer "$many"
check "errors that guess are counted" test "$(count icmp-window)" -gt 0
flood "errors about no flow" 'icmp' strangers "$tcp" $peer "$many"
check "errors about no flow are counted" test "$(count icmp-stray)" -gt 0
flood "of the peer, to every port" 'udp 192.0.2.80:([^8]|8[^0])' ports "$udp" $peer "$many"
flood "of others, to the flow's port" 'udp 1[01][0-9]' elsewhere "$udp" $peer "$many"
flood "openings to every port" 'tcp.*flags=S$' syns "$tcp" $peer "$many"
flood "openings in all names" 'tcp 1[01][0-9]' syn "$tcp" $peer "$many"
flood "what is no packet" 'icmp|flags=.*R' odd="$sends" "$tcp" $peer "$many"
# UDP has no numbers to guess: errors come, and end nothing
flood "unreachable, of a flow" 'tcp.*R' unreachable "$udp" $peer 500
flood "fragments in all names" 'frag=' fragments "$udp" $peer "$many"
flood "middles in the peer's name" 'frag=' middles "$udp" $peer "$many"
rc=0
wait "$bulk" || rc=$?
is "a transfer beside all of it is whole" 0 "$rc"
# One may be lost where a ring ran over; what others have filled stays for longer than three
in_parts()
{
	local n

	for n in 1 2 3; do
		in_ns db ping -qc 1 -W 5 -s 3000 192.0.2.80 && return
	done
}
check "who sends in parts beside them is heard" in_parts

# Where one jail is called by half the world, its neighbour has what it had
forge_from "$CLIENT" syn 203.0.113.2:8080 $peer "$many" >sent
goes_on "openings to a forward"
mapfile -t asked < <(printf 'udp:192.0.2.80:53\n%.0s' {1..100})
admitted=$(ask db "${asked[@]}" | grep -c '^inet 203.0.113.2$')
check "openings to a forward: $admitted of a neighbour's 100 new flows are admitted" \
	test "$admitted" -ge 99
check "openings to a forward: more than half is refused" test "$(count quota-flows)" -gt 0


# ---- in the right words it comes ------------------------------------------------------

sniff db epair1b seen --in
held numbers
read -r _ sends receives <<<"$answer"
forge_from "$CLIENT" too-big="$sends" "$tcp" $peer 1 exact >sent
has "an error that quotes what was sent comes" 'icmp 198.51.100.99' "$(came icmp)"
sniff db epair1b seen --in
forge_from "$CLIENT" rst="$receives" "$tcp" $peer 1 exact >sent
has "a reset with the right number comes" 'tcp 192.0.2.80:80 .*flags=R' "$(came 'flags=.*R')"
held tcp
is "and ends the connection" "connection reset by peer" "$answer"
kill "$nat"
rc=0
wait "$nat" || rc=$?
is "SIGTERM: exit status 0" 0 "$rc"
lab_done
