#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The fences: each attack is tried with all fences up, where it must fail, and
# with the one fence down that stops it, where it must work: else the test would
# prove nothing.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

# Rules that pass everything, so that no block hides a missing fence
cat >"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1"
ifconfig_lo1_aliases="inet 192.168.100.1/29 inet6 fd00:100::1/64"
gateway_enable="YES"
ipv6_gateway_enable="YES"
END
cat >"$TMP/jail.conf" <<'END'
www { ip4.addr = "lo1|192.168.100.2/32"; ip6.addr = "lo1|fd00:100::2/128"; }
db { ip4.addr = "lo1|192.168.100.3/32"; ip6.addr = "lo1|fd00:100::3/128"; }
END
cat >"$TMP/nat.conf" <<'END'
set skip on lo
nat pass on igb0 inet from 192.168.100.0/29 to any -> 203.0.113.2
nat pass on igb0 inet6 from fd00:100::/64 to any -> 2001:db8:113::2
rdr pass on igb0 inet proto tcp from any to 203.0.113.2 port 80 -> 192.168.100.2
rdr pass on igb0 inet proto udp from any to 203.0.113.2 port 5353 -> 192.168.100.2 port 53
rdr pass on igb0 inet6 proto tcp from any to 2001:db8:113::2 port 80 -> fd00:100::2
END
cat "$TMP/nat.conf" - >"$TMP/open.pf.conf" <<'END'
pass in on igb0
pass out on igb0
pass
END
cat "$TMP/nat.conf" - >"$TMP/written.pf.conf" <<'END'
pass
pass in on igb0 inet proto { tcp udp } from any to 192.168.100.3
pass in on igb0 inet6 proto { tcp udp } from any to fd00:100::3
pass in on igb0 inet proto tcp from any to 192.168.100.2 port 80
END
# pf itself drops packets with options, unless a rule allows them
sed '/^pass/s/$/ allow-opts/' "$TMP/open.pf.conf" >"$TMP/options.pf.conf"
printf 'pass\n' >"$TMP/nonat.pf.conf"
printf 'pass\npass out on igb0 from 192.168.100.0/29 to any\n' >"$TMP/routed.pf.conf"
sed 's/^set skip.*/set skip on { lo igb0 }/' "$TMP/open.pf.conf" >"$TMP/skip.pf.conf"

# One process serves all, so that its log has the order in which things came
setup()		# PF-FILE OPTIONS of apply
{
	local pf=$1

	shift
	lab_build
	# What would make the kernel itself drop forged sources and source routes
	for i in all igb0; do
		set_sysctl "$HOST" net/ipv4/conf/$i/accept_source_route=1 \
			net/ipv6/conf/$i/seg6_enabled=1 net/ipv4/conf/$i/accept_local=1 \
			net/ipv4/conf/$i/route_localnet=1 net/ipv4/conf/$i/rp_filter=0
	done
	serve "$INET" inet tcp:192.0.2.80:80
	sp_must -f "$TMP/rc.conf" -f "$TMP/jail.conf" -f "$TMP/$pf.pf.conf" apply "$@"
	serve "$HOST" all udp:{203.0.113.2,'[2001:db8:113::2]'}:53 \
		{tcp,udp}:192.168.100.2:{53,80} {tcp,udp}:192.168.100.3:{53,3306} \
		{tcp,udp}:'[fd00:100::2]':{53,80} {tcp,udp}:'[fd00:100::3]':{53,3306}
	# The neighbour's route, and its first address resolution
	in_ns "$NEIGHBOUR" ip route add 192.168.100.0/29 via 203.0.113.2
	in_ns "$NEIGHBOUR" ip route add fd00:100::/64 via 2001:db8:113::2
	settle
}

# Until all frames sent before have been seen to.  Twice, as the server may tell
# of one socket before it tells of another that was ready with it.
n_settled=0
settle()
{
	for _ in 1 2; do
		n_settled=$((n_settled + 1))
		forge "$NEIGHBOUR" eth0 "udp 203.0.113.66:9 203.0.113.2:53 settle$n_settled."
		wait_for 10 has_log all "settle$n_settled\\." || {
			not_ok "frames arrive at all" "$(cat "$TMP/all.log")"
			exit 1
		}
	done
}

# What of the forged frames arrived: their texts, in order
arrived()
{
	sed -n 's/.* \(evil[^ ]*\)$/\1/p' "$TMP/all.log" | sort -u | paste -sd' '
}

# ---- interior fence --------------------------------------------------------

none_answered()	# NAME LINES
{
	if grep -q '^all ' <<<"$2"; then
		not_ok "$1" "$2"
	else
		ok "$1"
	fi
}

jail_ports=(tcp:192.168.100.2:80 tcp:192.168.100.3:3306 tcp:'[fd00:100::2]:80' tcp:'[fd00:100::3]:3306')

to_jails()
{
	local to
	for to in 192.168.100.2:80 192.168.100.3:53 '[fd00:100::2]:80' '[fd00:100::3]:53'; do
		case $to in
		*::*)	echo "udp [2001:db8:113::66]:7 $to evil-$to" ;;
		*)	echo "udp 203.0.113.66:7 $to evil-$to" ;;
		esac
	done
}

by_source_routes()
{
	local kind

	for kind in lsrr ssrr; do
		echo "$kind 203.0.113.66:7 192.168.100.2:53 evil-$kind"
	done
	echo "srh [2001:db8:113::66]:7 [fd00:100::2]:53 evil-srh"
}

attack_interior()
{
	local -a frames
	mapfile -t frames < <(to_jails)
	forge "$NEIGHBOUR" eth0 "${frames[@]}"
	settle
}

interior_holds()	# NAME
{
	all_are "$1: the forward answers the neighbour" "all 203.0.113.66" \
		"$(ask "$NEIGHBOUR" tcp:203.0.113.2:80 udp:203.0.113.2:5353)"
	none_answered "$1: its route to the jails leads nowhere" \
		"$(ask "$NEIGHBOUR" --wait "$GONE" "${jail_ports[@]}" udp:192.168.100.2:53)"
	attack_interior
	is "$1: and no datagram arrives" "" "$(arrived)"
}

setup open
interior_holds "interior fence"

mapfile -t routed < <(by_source_routes)
setup options
forge "$NEIGHBOUR" eth0 "${routed[@]}"
settle
is "interior fence: nor does a source route lead there" "" "$(arrived)"

setup options --no-fence=interior
forge "$NEIGHBOUR" eth0 "${routed[@]}"
settle
is "without interior fence: source routes lead to the jails" \
	"evil-lsrr evil-srh evil-ssrr" "$(arrived)"

setup open --no-fence=interior
attack_interior
is "without interior fence: the datagrams arrive" \
	"evil-192.168.100.2:80 evil-192.168.100.3:53 evil-[fd00:100::2]:80 evil-[fd00:100::3]:53" \
	"$(arrived)"

setup open --no-fence
all_are "without fences: the jails answer by the neighbour's route" "all" \
	"$(ask "$NEIGHBOUR" "${jail_ports[@]}" | cut -d' ' -f1)"

setup written
attack_interior
is "interior fence: a written pass rule lifts it, but not where an rdr leads" \
	"evil-192.168.100.3:53 evil-[fd00:100::3]:53" "$(arrived)"
none_answered "interior fence: not for the port that an rdr leads to" \
	"$(ask "$NEIGHBOUR" --wait "$GONE" tcp:192.168.100.2:80)"
all_are "interior fence: what is lifted is answered" all \
	"$(ask "$NEIGHBOUR" tcp:192.168.100.3:3306 tcp:'[fd00:100::3]:3306' | cut -d' ' -f1)"

# ---- addresses that go away ------------------------------------------------

# Killed before it could remove them: the new rules know nothing of them
cat >"$TMP/moved.rc.conf" <<'END'
cloned_interfaces="lo1"
ifconfig_lo1_aliases="inet 10.77.0.1/29"
gateway_enable="YES"
END
printf 'pass\n' >"$TMP/moved.pf.conf"
moved=(-f "$TMP/moved.rc.conf" -f "$TMP/moved.pf.conf" apply)
if ! command -v strace >/dev/null || ! strace -qq -o /dev/null true 2>/dev/null; then
	skip "addresses that go away" "no strace here"
else
	setup open
	on_host strace -qq -o /dev/null -e trace=rename,renameat,renameat2 \
		-e inject=rename,renameat,renameat2:signal=KILL:when=1 \
		"$SALLYPORT" "${moved[@]}" >"$TMP/out" 2>&1 </dev/null
	is "addresses that go away: the run was killed" 137 $?
	has "addresses that go away: they are there still" 192.168.100.2 \
		"$(on_host ip -o address show dev lo1)"
	has "addresses that go away: the new rules are there" 10.77.0 "$(on_host nft list ruleset)"
	attack_interior
	is "addresses that go away: the fences stand" "" "$(arrived)"
	sp_must "${moved[@]}"
	sp plan
	is "addresses that go away: the next run completes it" 0 "$rc"
	check "addresses that go away: no fence remains" eval \
		'! on_host nft list ruleset | grep -E "192\.168\.100|fd00:100"'
fi

# ---- set skip --------------------------------------------------------------

lab_build
set_sysctl "$HOST" net/ipv4/ip_forward=1
sp -f "$TMP/rc.conf" -f "$TMP/jail.conf" -f "$TMP/skip.pf.conf" apply
is "set skip: is taken" 0 "$rc"
has "set skip: a warning says that it lifts no fence" 'warning:.*fence' "$err"
serve "$HOST" all udp:203.0.113.2:53 {tcp,udp}:192.168.100.2:80 udp:192.168.100.3:53
in_ns "$NEIGHBOUR" ip route add 192.168.100.0/29 via 203.0.113.2
forge "$NEIGHBOUR" eth0 "udp 203.0.113.66:7 192.168.100.2:80 evil" \
	"udp 203.0.113.66:7 192.168.100.3:53 evil"
settle
is "set skip: the interior fence stands" "" "$(arrived)"

# ---- source fence ----------------------------------------------------------

forged_sources()
{
	local src n=0
	for src in 192.168.100.2 192.168.100.1 192.168.100.5 127.0.0.1 127.9.9.9; do
		n=$((n + 1))
		echo "udp $src:7 203.0.113.2:53 evil-$src"
		echo "udp $src:7 203.0.113.2:5353 evil-rdr-$src"
	done
	for src in fd00:100::2 fd00:100::77; do
		echo "udp [$src]:7 [2001:db8:113::2]:53 evil-$src"
	done
	# To each other, as a jail that trusts its sibling would take it
	echo "udp 192.168.100.3:7 192.168.100.2:53 evil-sibling"
}

attack_source()
{
	local -a frames
	mapfile -t frames < <(forged_sources)
	forge "$NEIGHBOUR" eth0 "${frames[@]}"
	settle
}

ask_arp()	# OUTPUT-FILE
{
	sniff "$ROUTER" w-host "$1" --in
	forge "$NEIGHBOUR" eth0 "arp 203.0.113.2 203.0.113.66" \
		arp\ 192.168.100.{1,2,3,5}\ 203.0.113.66 \
		"ns fd00:100::2 2001:db8:113::66" "icmp 203.0.113.66 203.0.113.2 lab-sentinel"
	sniff_end || { not_ok "frames of the host are seen" "$(cat "$1")"; exit 1; }
}

setup open
attack_source
is "source fence: no forged datagram arrives" "" "$(arrived)"
ask_arp "$TMP/arp"
is "source fence: ARP is answered for the public address alone" "203.0.113.2" \
	"$(sed -n 's/^in arp reply \([^ ]*\) .*/\1/p' "$TMP/arp" | sort -u)"
check "source fence: nor does IPv6 answer for a jail" eval '! grep "icmp6 fd00:.*type=136" "$TMP/arp"'
is "nobody changed the settings that let forged sources in" "1 1 0" \
	"$(for k in accept_local route_localnet rp_filter; do
		get_sysctl "$HOST" net/ipv4/conf/igb0/$k; done | paste -sd' ')"

setup open --no-fence=source
attack_source
for src in 192.168.100.2 192.168.100.5 127.0.0.1 127.9.9.9 rdr-192.168.100.5 fd00:100::2 fd00:100::77; do
	has "without source fence: $src arrives" "(^| )evil-$src( |\$)" "$(arrived)"
done
ask_arp "$TMP/arp"
has "without source fence: ARP is answered for a jail" 'in arp reply 192\.168\.100\.2 ' \
	"$(cat "$TMP/arp")"

# ---- egress fence ----------------------------------------------------------

leak()		# SRC DST SENTINEL-SRC: what was seen on the wire with a private source
{
	case $3 in
	*::*)	forge "$NEIGHBOUR" eth0 "udp ${2%:*}:7 [$3]:53 let-in" ;;
	*)	forge "$NEIGHBOUR" eth0 "udp ${2%:*}:7 $3:53 let-in" ;;
	esac
	settle
	sniff "$ROUTER" w-host "$TMP/wire" --in
	on_host "$PYTHON" -EsB "$LAB_DIR/leak.py" "$@" >"$TMP/classes" 2>"$TMP/leak.err" ||
		{ not_ok "$1 sends" "$(cat "$TMP/leak.err")"; exit 1; }
	sniff_end || { not_ok "$1: the sentinel is seen" "$(cat "$TMP/wire")"; exit 1; }
	# By IP id: the names of the classes that got through
	awk 'NR == FNR { id = $1; $1 = ""; name["id=" id] = $0; next }
		$3 ~ /^\[?(192\.168\.100\.|fd00:100:)/ { print (($5 in name) ? name[$5] : " " $0) }' \
		"$TMP/classes" "$TMP/wire" | sort -u
}

setup open
for src in 192.168.100.2 fd00:100::2; do
	case $src in
	*::*)	dst="[2001:db8:80::80]:80" own=2001:db8:113::2 ;;
	*)	dst=192.0.2.80:80 own=203.0.113.2 ;;
	esac
	is "egress fence: nothing of $src leaves as it is" "" "$(leak "$src" "$dst" "$own")"
	check "egress fence: all classes were sent" test "$(wc -l <"$TMP/classes")" -ge 8
done
is "egress fence: what NAT knows still goes out" "inet 203.0.113.2" \
	"$(ask "$HOST" --from 192.168.100.2 tcp:192.0.2.80:80)"

setup open --no-fence=egress
leaked=$(leak 192.168.100.2 192.0.2.80:80 203.0.113.2)
for class in "out-of-window data" SYN+FIN "stray RST" "short TCP" "stray ICMP error" "ICMP type 200" "bad SCTP"; do
	check "without egress fence: $class leaves as it is" grep -qxF " $class" <<<"$leaked"
done
check "without egress fence: so does IPv6" test \
	"$(leak fd00:100::2 '[2001:db8:80::80]:80' 2001:db8:113::2 | wc -l)" -ge 2

# Without a nat rule a jail's packets are all such; and there a written rule can
# say that they are meant to leave
setup nonat
is "egress fence: without nat nothing of a jail leaves" "" \
	"$(leak fd00:100::2 '[2001:db8:80::80]:80' 2001:db8:113::2)"
sniff "$ROUTER" w-host "$TMP/wire" --in
ask "$HOST" --from 192.168.100.2 --wait 0.3 tcp:192.0.2.80:80 udp:192.0.2.80:53 >"$TMP/answers"
ask "$HOST" --from 203.0.113.2 --wait 0.3 udp:192.0.2.80:9=lab-sentinel >"$TMP/answers"
sniff_end || not_ok "the sentinel is seen" "$(cat "$TMP/wire")"
check "egress fence: without nat no connection of a jail does" eval '! grep " 192\.168\." "$TMP/wire"'
setup routed
# Nobody else's packet asks for the next hop
on_host ip neigh flush to 203.0.113.1
sniff "$ROUTER" w-host "$TMP/wire" --in
ask "$HOST" --from 192.168.100.2 --wait 0.3 tcp:192.0.2.80:80 udp:192.0.2.80:53 >"$TMP/answers"
check "egress fence: what a rule lets out finds its next hop" \
	wait_for 10 grep -q '^in udp 192\.168\.100\.2:' "$TMP/wire"
ask "$HOST" --from 203.0.113.2 --wait 0.3 udp:192.0.2.80:9=lab-sentinel >"$TMP/answers"
sniff_end || not_ok "the sentinel is seen" "$(cat "$TMP/wire")"
is "egress fence: a written pass rule lifts it where no nat covers the source" "tcp udp" \
	"$(awk '$3 ~ /^192\.168\.100\.2:/ { print $2 }' "$TMP/wire" | sort -u | paste -sd' ')"

lab_done
