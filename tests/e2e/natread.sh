#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The userspace NAT over captures: what leaves it, packet by packet, from files of
# every form; what is counted; and that a run that fails leaves no file.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

cd "$TMP" || exit 71
caps=$LAB_DIR/caps.py
IN=(--inside 10.0.0.0/24 --outside-address 203.0.113.1)

# NAME, then --write's packets and what is expected of them on stdin
leaves()	# NAME ARGS...
{
	local name=$1

	shift
	"$SALLYPORT" nat --read in.pcap --write out.pcap -q "$@" >told 2>&1
	is "$name" "$(cat)" "$("$PYTHON" "$caps" show <out.pcap; grep error told)"
}

exits()		# STATUS ARGS...
{
	local want=$1 rc=0

	shift
	rm -f out.pcap
	"$SALLYPORT" nat "$@" >told 2>&1 || rc=$?
	is "exit $want: $*" "$want" "$rc"
	is "nothing is written: $*" "" "$(find . -name 'out.pcap*')"
}

cat >lines <<'END'
1 udp 10.0.0.2:5000 198.51.100.7:53
1.5 udp 198.51.100.7:53 203.0.113.1:5000
2 udp 10.0.0.3:5000 198.51.100.7:53
3 tcp 10.0.0.2:4000 198.51.100.7:80 flags=S
3.1 tcp 198.51.100.7:80 203.0.113.1:4000 flags=SA ack=2
4 ping 10.0.0.2 198.51.100.7 id=77
4.1 pong 198.51.100.7 203.0.113.1 id=77
5 udp 198.51.100.9:53 203.0.113.1:5000
6 unreach 192.0.2.1 203.0.113.1 udp 203.0.113.1:5000 198.51.100.7:53
7 udp 198.51.100.7:1 192.0.2.1:1
8 udp 10.0.0.2:5000 198.51.100.7:53 ttl=1
END
# Whatever the port of the second host is, it is another
want()
{
	cat <<'END'
1 udp 203.0.113.1:5000 198.51.100.7:53 ttl=63
1.5 udp 198.51.100.7:53 10.0.0.2:5000 ttl=63
2 udp 203.0.113.1:PORT 198.51.100.7:53 ttl=63
3 tcp 203.0.113.1:4000 198.51.100.7:80 flags=S ttl=63
3.1 tcp 198.51.100.7:80 10.0.0.2:4000 flags=SA ttl=63
4 icmp 203.0.113.1 198.51.100.7 type=8/0 ttl=63
4.1 icmp 198.51.100.7 10.0.0.2 type=0/0 ttl=63
6 icmp 192.0.2.1 10.0.0.2 type=3/3 ttl=63
8 icmp 203.0.113.1 10.0.0.2 type=11/0 ttl=64
END
}

for form in pcap nano be ng; do
	for link in ether vlan qinq raw null sll sll2; do
		[ $form = pcap ] || [ $link = ether ] || continue
		tags=
		[ $link = vlan ] && tags=' vlan=5'
		[ $link = qinq ] && tags=' vlan=7 vlan=5'
		"$PYTHON" "$caps" make $form $link <lines >in.pcap
		"$SALLYPORT" nat "${IN[@]}" --read in.pcap --write out.pcap --seed 7 -q >told 2>&1
		is "$form, $link" "$(want | sed "s/\$/$tags/")" "$("$PYTHON" "$caps" show <out.pcap |
			sed 's/^2 udp 203.0.113.1:[0-9]*/2 udp 203.0.113.1:PORT/')"
	done
done

# ---- the summary -------------------------------------------------------------

"$PYTHON" "$caps" make pcap ether <lines >in.pcap
"$SALLYPORT" nat "${IN[@]}" --read in.pcap --write out.pcap --seed 7 --json >json
is "JSON counts" "11 8 {'ttl': 1, 'filtered': 1, 'neither-side': 1} endpoint address-port" \
	"$("$PYTHON" -c 'import json
n = json.load(open("json"))["sallyport"]["nat"][0]
print(n["packets"], n["translated"], n["dropped"], n["mapping"], n["filtering"])')"
cp out.pcap first.pcap
"$SALLYPORT" nat "${IN[@]}" --read - --write - --seed 7 -q <in.pcap >out.pcap
check "the same by pipes, and the same again with one seed" cmp first.pcap out.pcap
"$SALLYPORT" nat "${IN[@]}" --read in.pcap --write out.pcapng --seed 7 -q >told
is "pcapng by its name" "$("$PYTHON" "$caps" show <first.pcap)" \
	"$("$PYTHON" "$caps" show <out.pcapng)"
if command -v tcpdump >/dev/null; then
	is "tcpdump reads it, and every checksum is right" "9 0" "$(tcpdump -nvvr out.pcapng \
		2>/dev/null | awk '/^[0-9]|^1970/ { n++ } /incorrect|bad.*cksum/ { b++ }
		END { print n, b + 0 }')"
else
	skip "tcpdump reads it" "no tcpdump"
fi
"$SALLYPORT" nat "${IN[@]}" --read in.pcap --explain --json >explain.json
is "--explain says why in JSON too, a line a packet" "11 11 8: in: dropped, filtered" \
	"$("$PYTHON" -c 'import json; x = json.load(open("explain.json"))["sallyport"]["nat"][0]
print(x["packets"], len(x["explain"]), x["explain"][7])')"
has "--explain says why" '8: in: dropped, filtered' \
	"$("$SALLYPORT" nat "${IN[@]}" --read in.pcap --explain)"

# ---- behaviour ----------------------------------------------------------------

"$PYTHON" "$caps" make pcap raw >in.pcap <<'END'
0.5 udp 10.0.0.2:5000 198.51.100.7:53
2 udp 198.51.100.9:9 203.0.113.1:5000
3 udp 198.51.100.7:9 203.0.113.1:5000
END
leaves "filtering by address" "${IN[@]}" --filtering address <<'END'
0.5 udp 203.0.113.1:5000 198.51.100.7:53 ttl=63
3 udp 198.51.100.7:9 10.0.0.2:5000 ttl=63
END
leaves "filtering of another protocol" "${IN[@]}" --filtering tcp=endpoint <<'END'
0.5 udp 203.0.113.1:5000 198.51.100.7:53 ttl=63
END
leaves "filtering by endpoint" "${IN[@]}" --filtering udp=endpoint <<'END'
0.5 udp 203.0.113.1:5000 198.51.100.7:53 ttl=63
2 udp 198.51.100.9:9 10.0.0.2:5000 ttl=63
3 udp 198.51.100.7:9 10.0.0.2:5000 ttl=63
END
leaves "a timeout, by the capture's clock" "${IN[@]}" --filtering endpoint --timeout udp=1 <<'END'
0.5 udp 203.0.113.1:5000 198.51.100.7:53 ttl=63
END
"$PYTHON" "$caps" make pcap ether >in.pcap <<'END'
1 udp [fd01:203:405:1::1234]:1 [2001:db8:9::1]:2
2 udp [2001:db8:9::1]:2 [2001:db8:1:d550::1234]:1
END
leaves "NPTv6, the example of RFC 6296" --nptv6 fd01:203:405::/48=2001:db8:1::/48 <<'END'
1 udp [2001:db8:1:d550::1234]:1 [2001:db8:9::1]:2 ttl=63
2 udp [2001:db8:9::1]:2 [fd01:203:405:1::1234]:1 ttl=63
END
"$PYTHON" "$caps" make pcap ether >in.pcap <<'END'
1 udp 10.0.0.2:5000 198.51.100.7:53 data=a-long-enough-text cut=44
END
leaves "a packet that the capture has cut off" "${IN[@]}" <<'END'
1 udp 203.0.113.1:5000 198.51.100.7:53 ttl=63 bad-sum
END

# ---- rules --------------------------------------------------------------------

cat >t.pf.conf <<'END'
set timeout udp.multiple 10
nat on igb0 from 10.0.0.0/24 to any -> (igb0) static-port
rdr on igb0 proto tcp from any to (igb0) port 80 -> 10.0.0.5 port 8080
block in
pass in on igb0 proto tcp to 10.0.0.5 port 8080
pass out keep state
END
"$PYTHON" "$caps" make pcap ether >in.pcap <<'END'
1 tcp 198.51.100.7:999 203.0.113.1:80 flags=S
1.1 tcp 10.0.0.5:8080 198.51.100.7:999 flags=SA ack=2
2 tcp 198.51.100.7:999 203.0.113.1:81 flags=S
3 udp 10.0.0.2:5000 198.51.100.7:53
4 udp 198.51.100.7:53 203.0.113.1:5000
15 udp 198.51.100.7:53 203.0.113.1:5000
END
leaves "pf rules: rdr, nat static-port, block, set timeout" -f t.pf.conf "${IN[@]}" <<'END'
1 tcp 198.51.100.7:999 10.0.0.5:8080 flags=S ttl=63
1.1 tcp 203.0.113.1:80 198.51.100.7:999 flags=SA ttl=63
3 udp 203.0.113.1:5000 198.51.100.7:53 ttl=63
4 udp 198.51.100.7:53 10.0.0.2:5000 ttl=63
END
cat >t.ipfw.rules <<'END'
nat 1 config ip 203.0.113.1 same_ports redirect_port tcp 10.0.0.5:8080 80
add 100 nat 1 ip4 from any to any via igb0
add 200 allow ip from any to any
END
leaves "ipfw rules" -f t.ipfw.rules --one-pass 1 --inside 10.0.0.0/24 --timeout udp=5 <<'END'
1 tcp 198.51.100.7:999 10.0.0.5:8080 flags=S ttl=63
1.1 tcp 203.0.113.1:80 198.51.100.7:999 flags=SA ttl=63
3 udp 203.0.113.1:5000 198.51.100.7:53 ttl=63
4 udp 198.51.100.7:53 10.0.0.2:5000 ttl=63
9 icmp 203.0.113.1 198.51.100.7 type=3/3 ttl=64
END
echo 'pass all' >open.pf.conf
# Unsolicited SYNs are answered after six seconds, or the next tick (RFC 5382 REQ-4)
leaves "nothing leaves untranslated" -f open.pf.conf "${IN[@]}" --outside igb0 <<'END'
8 icmp 203.0.113.1 198.51.100.7 type=3/3 ttl=64
9 icmp 203.0.113.1 198.51.100.7 type=3/3 ttl=64
END

cat >t.jail.conf <<'END'
www {
	ip4.addr = "lo1|10.0.0.2/32";
	$nat = "igb0";
	$forward  = "tcp 8443";
	$forward += "tcp 2201:22 from 198.51.100.0/24";
}
END
echo 'ifconfig_igb0="inet 203.0.113.1/24"' >t.rc.conf
"$PYTHON" "$caps" make pcap ether >in.pcap <<'END'
1 tcp 10.0.0.2:4000 198.51.100.7:80
2 tcp 198.51.100.7:999 203.0.113.1:8443
3 tcp 198.51.100.7:999 203.0.113.1:2201
4 tcp 192.0.2.7:999 203.0.113.1:2201
4.5 tcp 10.0.0.2:4001 203.0.113.1:8443
END
leaves "\$nat and \$forward, also for itself" -f t.jail.conf -f t.rc.conf --inside 10.0.0.0/24 <<'END'
1 tcp 203.0.113.1:4000 198.51.100.7:80 flags=S ttl=63
2 tcp 198.51.100.7:999 10.0.0.2:8443 flags=S ttl=63
3 tcp 198.51.100.7:999 10.0.0.2:22 flags=S ttl=63
4.5 tcp 203.0.113.1:4001 10.0.0.2:8443 flags=S ttl=63
END

# ---- state --------------------------------------------------------------------

"$PYTHON" "$caps" make pcap ether >in.pcap <<'END'
1 udp 10.0.0.2:5000 198.51.100.7:53
END
"$SALLYPORT" nat "${IN[@]}" --read in.pcap --state saved -q >told 2>&1
"$PYTHON" "$caps" make pcap ether >in.pcap <<'END'
2 udp 198.51.100.7:53 203.0.113.1:5000
END
leaves "a saved flow goes on" "${IN[@]}" --state saved <<'END'
2 udp 198.51.100.7:53 10.0.0.2:5000 ttl=63
END
head -c 50 saved >bad
"$SALLYPORT" nat --inside 10.0.0.0/24 --outside-address 203.0.113.9 --read in.pcap \
	--state saved >told 2>&1
has "one that has no address any more is told" N2825 "$(cat told)"
rm -f out.pcapng
exits 65 "${IN[@]}" --read in.pcap --write out.pcap --state bad
has "damage is told" E2824 "$(cat told)"

# ---- what is refused ------------------------------------------------------------

exits 66 "${IN[@]}" --read absent.pcap --write out.pcap
exits 71 "${IN[@]}" --read in.pcap --write no/such/out.pcap
exits 64 --read in.pcap --write out.pcap
exits 64 --inside 10.0.0.0/24 --read in.pcap --write out.pcap
exits 64 --inside 10.0.0.0/99 --outside-address 203.0.113.1 --read in.pcap --write out.pcap
exits 64 "${IN[@]}" --read in.pcap --write out.pcap --seed x
exits 64 "${IN[@]}" --read in.pcap --write out.pcap --mapping round
exits 64 "${IN[@]}" --read in.pcap --write - --json
echo "no capture" >text.pcap
exits 65 "${IN[@]}" --read text.pcap --write out.pcap
has "what is no capture is told" E2821 "$(cat told)"
"$SALLYPORT" nat "${IN[@]}" --read - --write out.pcap <text.pcap >told 2>&1
has "and from where" "'stdin' is no capture" "$(cat told)"
"$PYTHON" "$caps" make pcap ether <lines | head -c 200 >cut.pcap
rc=0
"$SALLYPORT" --json nat "${IN[@]}" --read cut.pcap --write out.pcap >told 2>&1 || rc=$?
has "a capture that ends early is told" '65 .*E2821.*is cut off behind packet 2' "$rc $(cat told)"
is "and what was whole is done" "2 2" "$(jq -r '.sallyport.nat[0].packets' told) $(
	"$PYTHON" "$caps" show <out.pcap | wc -l)"
"$PYTHON" "$caps" make pcap ether <lines | head -c 30 >cut.pcap
rc=0
"$SALLYPORT" nat "${IN[@]}" --read cut.pcap --write out.pcap >told 2>&1 || rc=$?
has "also of no packet" '65 .*is cut off behind packet 0' "$rc $(cat told)"
is "which is a capture" "" "$("$PYTHON" "$caps" show <out.pcap)"
rm out.pcap
{ head -c 32 in.pcap; printf '\377\377\377\377'; tail -c +37 in.pcap; } >bad.pcap
exits 65 "${IN[@]}" --read bad.pcap --write out.pcap
has "damage is told" 'is damaged behind packet 0' "$(cat told)"
printf 'set timeout udp.multiple 99999999\npass all\n' >t.pf.conf
exits 65 -f t.pf.conf "${IN[@]}" --outside igb0 --read in.pcap --write out.pcap
has "a time that no NAT can keep is told" E2802 "$(cat told)"
printf 'set timeout udp.multiple 10\npass all\n' >t.pf.conf
exits 64 -f t.pf.conf "${IN[@]}" --outside igb0 --read in.pcap --write out.pcap --timeout udp=0
has "a flow of no time is usage" 'a timeout is not in 1' "$(cat told)"
{ head -c 20 in.pcap; printf '\x69\0\0\0'; tail -c +25 in.pcap; } >wifi.pcap
exits 65 "${IN[@]}" --read wifi.pcap --write out.pcap
has "a link type that is not known is told" E2822 "$(cat told)"
"$PYTHON" "$caps" make ng ether <lines >two.pcap
"$PYTHON" "$caps" make ng raw <lines >>two.pcap
exits 65 "${IN[@]}" --read two.pcap --write out.pcap
has "two link types in a pcap are told" E2823 "$(cat told)"
"$SALLYPORT" nat "${IN[@]}" --read two.pcap --write out.pcapng -q >told 2>&1
is "and go into a pcapng" 18 "$("$PYTHON" "$caps" show <out.pcapng | wc -l)"
lab_done
