#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `why --read`: each packet of a capture, which way it went and what judges it; what
# cannot be judged is counted, and a long capture is not read for ever.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

cd "$TMP" || exit 71
caps=$LAB_DIR/caps.py
cat >host.ifs <<'END'
igb0 203.0.113.2/24 2001:db8::2/64
igb1 10.9.9.1/24
default via 203.0.113.1 dev igb0
END
cat >host.pf.conf <<'END'
block in all
pass in on igb0 proto tcp to any port 80
pass in proto icmp
END
cat >lines <<'END'
1 tcp 198.51.100.7:40000 203.0.113.2:80 flags=S
2 tcp 203.0.113.2:80 198.51.100.7:40000 flags=SA
3 tcp 198.51.100.7:40000 203.0.113.2:80 flags=A
4 udp 198.51.100.7:5 203.0.113.2:9
5 ping 198.51.100.7 203.0.113.2 id=7
6 arp 192.0.2.1 192.0.2.2
7 udp 198.51.100.7:5 203.0.113.2:9 frag=2/2
8 tcp [2001:db8::7]:5 [2001:db8::2]:80 flags=S cut=50
9 tcp [2001:db8::7]:5 [2001:db8::2]:80 flags=S
END
WHY=(-f host.pf.conf --interfaces host.ifs why)

verdicts()	# ARGS
{
	"$SALLYPORT" "${WHY[@]}" "$@" 2>told | grep -v '^ '
}

cat >alone <<'END'
in igb0 tcp 198.51.100.7:40000 203.0.113.2:80 S: pass
out igb0 tcp 203.0.113.2:80 198.51.100.7:40000 SA: pass
in igb0 tcp 198.51.100.7:40000 203.0.113.2:80 A: block
in igb0 udp 198.51.100.7:5 203.0.113.2:9: block
in igb0 icmp 198.51.100.7 203.0.113.2 8/0: pass
in igb0 tcp [2001:db8::7]:5 [2001:db8::2]:80 S: pass
END
sed 's/ A: block/ A: pass/' alone >together
sed 's/igb0/igb1/; s/ S: pass/ S: block/' alone >elsewhere
for form in "pcap ether" "ng vlan" "nano raw" "be sll2"; do
	# shellcheck disable=SC2086 # two words
	"$PYTHON" "$caps" make $form <lines >in.pcap
	verdicts --read in.pcap >got
	same "$form: each packet alone" alone got
	has "$form: the rest is counted" '3 of 9 packets were not judged.*N1027' "$(cat told)"
done
verdicts --sequence --read - <in.pcap >got
same "in order: the second packet has a state" together got
verdicts --on igb1 --read in.pcap >got
same "on another interface" elsewhere got
is "as JSON: so many" 6 "$("$SALLYPORT" --json "${WHY[@]}" --read in.pcap |
	"$PYTHON" -c 'import json, sys; print(len(json.load(sys.stdin)["sallyport"]["why"]))')"

exits()		# STATUS ARGS
{
	local rc=0

	"$SALLYPORT" "${@:2}" >out 2>told || rc=$?
	is "exit $1: ${*:2}" "$1" "$rc"
}

exits 64 "${WHY[@]}" --read in.pcap in igb0 udp 1.2.3.4:5 1.2.3.5:6
exits 65 "${WHY[@]}" --read host.ifs
exits 66 "${WHY[@]}" --read nowhere
head -c 90 in.pcap >cut.pcap
exits 65 "${WHY[@]}" --read cut.pcap
grep -v default host.ifs >lone.ifs
exits 64 -f host.pf.conf --interfaces lone.ifs why --read in.pcap

# One packet more than are judged
"$PYTHON" - >long.pcap <<'END'
import struct, sys
ip = bytes.fromhex("4500001c000000004011000001020304cb0071020005000900080000")
out = sys.stdout.buffer
out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
for i in range(50001):
    out.write(struct.pack("<IIII", i, 0, len(ip), len(ip)) + ip)
END
verdicts --read long.pcap >got
is "a long capture: so many are judged" 50000 "$(wc -l <got)"
has "a long capture: that is told" 'only the first 50000.*N1027' "$(cat told)"
lab_done
