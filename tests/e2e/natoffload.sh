#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The userspace NAT path, live, by each way to take packets, where interfaces leave
# checksums undone and packets uncut, and where they do neither: all that is sent
# comes, and nobody ever gets a wrong checksum.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
cat >rc.conf <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
ifconfig_igb0_ipv6="inet6 2001:db8:113::2/64"
cloned_interfaces="lo1"
END
cat >vnet.jail.conf <<'END'
$nat = "igb0";
jail { vnet; vnet.interface = "epair0b"; $address = "10.1.0.5/32, fd01::5/128"; $forward = "tcp 8080:80", "udp 5353:53", "tcp 7001:7000"; }
END
cat >alias.jail.conf <<'END'
$nat = "igb0";
jail { ip4.addr = "lo1|10.9.0.2/32"; ip6.addr = "lo1|fd09::2/128"; $forward = "tcp 8080:80", "udp 5353:53", "tcp 7001:7000"; }
END
ip netns add jail-a
on_host ip link add epair0a type veth peer name e0 netns jail-a
on_host ip -batch - <<-END
	link set epair0a up
	addr add 10.1.0.1/24 dev epair0a
	addr add fd01::1/64 dev epair0a nodad
END
lab_addresses jail-a e0 10.1.0.5/24 10.1.0.1 fd01::5/64 fd01::1
wait_for 10 in_ns jail-a ping -qc 1 -W 1 fd01::1
wait_for 10 in_ns jail-a ping -qc 1 -W 1 10.1.0.1
lab_lo1 "$HOST" 10.9.0.2 fd09::2
serve_world
serve jail-a jail tcp:10.1.0.5:80 'tcp:[fd01::5]:80' udp:10.1.0.5:53 'udp:[fd01::5]:53'
serve "$HOST" jail tcp:10.9.0.2:80 'tcp:[fd09::2]:80' udp:10.9.0.2:53 'udp:[fd09::2]:53'
for ns in "$INET" jail-a "$HOST"; do
	lab_start "$TMP/bulk.log" in_ns "$ns" "$PYTHON" -EsB "$LAB_DIR/bulk.py" serve 7000
done

bulk()		# NAMESPACE ARGS
{
	in_ns "$1" "$PYTHON" -EsB "$LAB_DIR/bulk.py" send "${@:2}"
}

start()		# ARGS of nat
{
	rm -f nat.err
	nsenter --net="/run/netns/$HOST" -- "$SALLYPORT" -f rc.conf nat --outside igb0 "$@" \
		>nat.out 2>nat.err </dev/null &
	nat=$!
	wait_for 10 grep -q '^ready$' nat.err || { cat nat.err; exit 1; }
}

long=$(printf 'x%.0s' {1..1400})	# one packet, and of that several
carries()	# NAME NAMESPACE ADDRESS ADDRESS6
{
	is "$1: out by TCP and UDP, both families" \
		"inet 203.0.113.2 inet 203.0.113.2 inet 2001:db8:113::2 inet 2001:db8:113::2" "$({
		ask "$2" --from "$3" tcp:192.0.2.80:80 "udp:192.0.2.80:53=$long"
		ask "$2" --from "$4" 'tcp:[2001:db8:80::80]:80' "udp:[2001:db8:80::80]:53=$long"
	} | xargs)"
	is "$1: in by TCP and UDP, both families" \
		"jail 198.51.100.7 jail 198.51.100.7 jail 2001:db8:51::7 jail 2001:db8:51::7" \
		"$(ask "$CLIENT" tcp:203.0.113.2:8080 "udp:203.0.113.2:5353=$long" \
			'tcp:[2001:db8:113::2]:8080' "udp:[2001:db8:113::2]:5353=$long" | xargs)"
	is "$1: datagrams in fragments" "inet 203.0.113.2 jail 198.51.100.7" "$({
		ask "$2" --from "$3" "udp:192.0.2.80:53=$long$long$long"
		ask "$CLIENT" "udp:203.0.113.2:5353=$long$long$long"
	} | xargs)"
	check "$1: much, there and back" bulk "$2" --from "$3" 192.0.2.80 7000 1000000
	check "$1: by IPv6" bulk "$2" --from "$4" 2001:db8:80::80 7000 1000000
	check "$1: by a forward" bulk "$CLIENT" 203.0.113.2 7001 1000000
	is "$1: no packet came with a wrong checksum" 0 \
		"$(wrong_sums "$CLIENT" "$INET" "$HOST" jail-a)"
}

# Where jails are, and by which way; libpcap and offloads do not go together (README)
vnet=(packet "packet --no-lanes" packet-v3 "packet-v3 --no-lanes" xdp "xdp --no-lanes" pcap)
alias=(auto "auto --no-lanes" tap xdp pcap)
for offloads in on off; do
	for end in jail-a:e0 "$HOST:epair0a" "$HOST:igb0" "$ROUTER:w-host" "$ROUTER:w-client" \
		"$ROUTER:w-inet" "$INET:eth0" "$CLIENT:eth0"; do
		in_ns "${end%:*}" ethtool -K "${end#*:}" tx $offloads tso $offloads gso $offloads \
			gro $offloads >/dev/null 2>&1
	done
	for io in "${vnet[@]}"; do
		[ "$io $offloads" != "pcap on" ] || continue
		# shellcheck disable=SC2086
		start -f vnet.jail.conf --inside epair0a --io $io
		carries "$io, offloads $offloads" jail-a 10.1.0.5 fd01::5
		kill "$nat"
		wait "$nat"
	done
	[ -w /dev/net/tun ] || continue
	for io in "${alias[@]}"; do
		[ "$io $offloads" != "pcap on" ] || continue
		# shellcheck disable=SC2086
		start -f alias.jail.conf --inside tun:nat0 --io $io
		carries "$io beside a device, offloads $offloads" "$HOST" 10.9.0.2 fd09::2
		kill "$nat"
		wait "$nat"
	done
done
[ -w /dev/net/tun ] || skip "natoffload, a device" "no /dev/net/tun"
lab_done
