#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The userspace NAT path, live, on hosts that lack something or are unlike others: it
# works, or says what is missing, ends with the status of that, and leaves nothing.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
lab_needs_tun natodd
cat >jail.conf <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|10.9.0.2/32"; ip6.addr = "lo1|fd09::2/128"; $forward = "tcp 8080:80"; }
END
lab_lo1 "$HOST" 10.9.0.2 fd09::2
serve_world
serve "$HOST" www tcp:10.9.0.2:80 'tcp:[fd09::2]:80'
lab_start "$TMP/bulk.log" in_ns "$INET" "$PYTHON" -EsB "$LAB_DIR/bulk.py" serve 7000

# On a host that a command makes so first; until it is ready, or has ended
start()		# COMMAND... -- ARGS of nat
{
	local before=()

	while [ "$1" != -- ]; do
		before+=("$1")
		shift
	done
	shift
	: >nat.err
	nsenter --net="/run/netns/$HOST" -- "${before[@]}" "$SALLYPORT" -f jail.conf nat \
		--outside igb0 "$@" >nat.out 2>nat.err </dev/null &
	nat=$!
	wait_for 10 has_begun_or_ended
}

has_begun_or_ended()
{
	grep -q '^ready$' nat.err || ! kill -0 "$nat" 2>/dev/null
}

stop()
{
	rc=0
	kill "$nat" 2>/dev/null
	wait "$nat" || rc=$?
}

# Ends by itself, and says so
refuses()	# NAME REGEX ARGS of start
{
	local name=$1 regex=$2

	shift 2
	start "$@"
	rc=0
	wait "$nat" || rc=$?
	has "$name" "$regex" "$rc $(tr -s '\n ' ' ' <nat.err)"
}

works()		# NAME
{
	is "$1" "inet 203.0.113.2 inet 2001:db8:113::2 www 198.51.100.7 www 2001:db8:51::7" "$({
		ask "$HOST" --from 10.9.0.2 tcp:192.0.2.80:80
		ask "$HOST" --from fd09::2 'tcp:[2001:db8:80::80]:80'
		ask "$CLIENT" tcp:203.0.113.2:8080 'tcp:[2001:db8:113::2]:8080'
	} | xargs)"
}

# A command whose mounts are its own, where PATH may only be read
read_only()	# PATH
{
	echo "mount --bind $1 $1 && mount -o remount,bind,ro $1 && exec \"\$@\""
}
mounts=(unshare -m sh -c)
tun=(-- --inside tun:nat0)
snapshot "$HOST" "$TMP/before"

# ---- what it cannot do without --------------------------------------------------------

refuses "few open files" "^71 .*Too many open files.*ulimit -n" prlimit --nofile=8 "${tun[@]}"
refuses "little memory" "^71 .*Cannot allocate memory" prlimit --as=50000000 "${tun[@]}"
refuses "no /proc" "^71 .*mount -t proc" "${mounts[@]}" 'mount -t tmpfs none /proc && exec "$@"' sh "${tun[@]}"
for path in /run /var/lib /proc/sys; do
	refuses "$path may only be read" "^77 .*Read-only file system.*/run/sallyport, .*/proc/sys" \
		"${mounts[@]}" "$(read_only $path)" sh "${tun[@]}"
done
refuses "no TUN devices" "^69 .*nat0 by tun: .*needs /dev/net/tun" \
	"${mounts[@]}" 'mount -t tmpfs none /dev && exec "$@"' sh "${tun[@]}"
refuses "what has no Ethernet" "^71 .*lo by packet: .*needs .*an Ethernet interface" -- --inside lo
refuses "the device is there already" "^75 .*lo1 by tun: Device or resource busy" -- --inside tun:lo1
refuses "one interface for both" "^64 .*are one interface, igb0" -- --inside igb0
# Not every kernel has VLANs; what is one is looked up in unit/test_rtnl
if on_host ip link add link igb0 name igb0.5 type vlan id 5 2>/dev/null; then
	refuses "AF_XDP beside a VLAN" "^64 .*igb0.5 is a VLAN on igb0: --io packet" "${tun[@]}" --io xdp
	start "${tun[@]}"
	works "a ring beside a VLAN"
	stop
	on_host ip link del igb0.5
fi
refuses "a name that is too long" "^64 .*at most 15 characters, not 'tun:averyveryverylong'" \
	-- --inside tun:averyveryverylong
refuses "no such interface" "^64 .*no interface nope0 here" -- --inside nope0
snapshot "$HOST" "$TMP/after"
same "and nothing is left of these" "$TMP/before" "$TMP/after"

# ---- what it can ------------------------------------------------------------------------

with_little()	# IO
{
	start prlimit --memlock=0 --nofile=64 -- --inside tun:nat0 --io "$1"
	works "$1: no memory may be locked, and few files open"
	stop
	is "$1: it ends well" 0 "$rc"
}
with_little auto
with_little xdp
start "${mounts[@]}" 'mount -t tmpfs none /sys && exec "$@"' sh "${tun[@]}"
works "no /sys"
stop

set_mtu()	# BYTES
{
	local end

	for end in "$HOST:igb0" "$ROUTER:w-host" "$ROUTER:w-neighbour" "$ROUTER:w-replica" \
		"$ROUTER:lan" "$ROUTER:w-inet" "$ROUTER:w-client" "$INET:eth0" "$CLIENT:eth0"; do
		in_ns "${end%:*}" ip link set "${end#*:}" mtu "$1"
	done
}
# What libpcap takes must be whole
no_offloads()
{
	local end

	for end in "$HOST:igb0" "$ROUTER:w-host" "$ROUTER:w-inet" "$ROUTER:w-client" "$INET:eth0" \
		"$CLIENT:eth0"; do
		in_ns "${end%:*}" ethtool -K "${end#*:}" tx off tso off gso off gro off >/dev/null 2>&1
	done
}
for io in auto packet-v3 xdp tap pcap; do
	[ $io != pcap ] || no_offloads
	for mtu in 1280 9000; do
		set_mtu $mtu
		start -- --inside tun:nat0 --io $io
		works "$io, MTU $mtu"
		check "$io, MTU $mtu: much, there and back" on_host "$PYTHON" -EsB \
			"$LAB_DIR/bulk.py" send --from 10.9.0.2 192.0.2.80 7000 1000000
		check "$io, MTU $mtu: a ping of 8900 bytes" on_host ping -qc 1 -W 2 -s 8900 \
			-I fd09::2 2001:db8:80::80
		stop
	done
done
set_mtu 1500
with_little pcap
on_host ip -4 addr flush dev igb0
start "${tun[@]}"
is "an outside without IPv4: IPv6 goes" "inet 2001:db8:113::2 www 2001:db8:51::7" "$({
	ask "$HOST" --from fd09::2 'tcp:[2001:db8:80::80]:80'
	ask "$CLIENT" 'tcp:[2001:db8:113::2]:8080'
} | xargs)"
stop
on_host ip addr flush dev igb0
refuses "an outside without any" "^65 .*no address .*E160" "${tun[@]}"
lab_done
