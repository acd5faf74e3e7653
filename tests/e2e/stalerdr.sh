#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Flows of rdr rules of any protocol go when the file is loaded anew without their
# rule, or with another target; all others stay.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

st()
{
	sp_must --state-dir "$TMP/state" --no-verify "$@"
}

lab_build
out4=203.0.113.2 out6=2001:db8:113::2
# Nothing may end by itself meanwhile, however slow the machine is
for t in udp_timeout gre_timeout sctp_timeout_closed; do
	set_sysctl "$HOST" net/netfilter/nf_conntrack_$t=600
done
printf '%s\n' 'cloned_interfaces="lo1"' 'gateway_enable="YES"' >"$TMP/rc.conf"
cat >"$TMP/jail.conf" <<'END'
www { ip4.addr = "lo1|10.0.0.2/32"; ip6.addr = "lo1|fd00:100::2/128"; }
db { ip4.addr = "lo1|10.0.0.3/32"; ip6.addr = "lo1|fd00:100::3/128"; }
END
cat >"$TMP/first.py" <<'END'
# The first packet of a flow by each of PROTO:ADDRESS:PORT[:SOURCE-PORT]
import socket, struct, sys
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
def sctp(sport, dport):
    ports = struct.pack("!HHI", sport, dport, 0)
    init = struct.pack("!BBHIIHHI", 1, 0, 20, 7, 65535, 1, 1, 1)
    return ports + struct.pack("<I", crc32c(ports + bytes(4) + init)) + init
for word in sys.argv[1:]:
    proto, to, dport, sport = word.split("/")
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    number = {"udp": 17, "sctp": 132, "gre": 47}[proto]
    s = socket.socket(family, socket.SOCK_DGRAM if proto == "udp" else socket.SOCK_RAW, number)
    if proto == "udp":
        s.bind(("", int(sport)))
    data = sctp(int(sport), int(dport)) if proto == "sctp" else struct.pack("!HH", 0, 0x800) + bytes(20)
    s.sendto(data, (to, int(dport) if proto == "udp" else 0))
END
# Where the flows of a protocol lead, of the family that the address is of
lead()		# PROTO
{
	on_host "$SALLYPORT" --state-dir "$TMP/state" pfctl -ss | sed -nE "s/^all $1 ([^ ]+) \(.*/\1/p" |
		sort | paste -sd ' '
}
leads()
{
	echo "sctp $(lead sctp), gre $(lead gre), udp $(lead udp)"
}
rdrs()		# IPV4 IPV6
{
	cat <<-END
		rdr pass on igb0 inet proto sctp from any to $out4 port 5000 -> $1
		rdr pass on igb0 inet6 proto sctp from any to $out6 port 5000 -> $2
		rdr pass on igb0 inet proto gre from any to $out4 -> $1
		rdr pass on igb0 inet proto udp from any to $out4 port 7000:7009 -> $1 port 8000:*
		pass in on igb0
	END
}
reload()
{
	st -q -f "$TMP/rc.conf" -f "$TMP/jail.conf" -f "$TMP/pf.conf" apply
}
firsts()
{
	in_ns "$CLIENT" "$PYTHON" -EsB "$TMP/first.py" sctp/$out4/5000/7400 sctp/$out6/5000/7401 \
		gre/$out4/0/0 udp/$out4/7003/7402 sctp/$out4/9999/7403
}
rdrs 10.0.0.2 fd00:100::2 >"$TMP/pf.conf"
reload
wait_leads() { [ "$(leads)" = "$1" ]; }
firsts
check "rdr: flows of each protocol" wait_for 5 wait_leads \
	"sctp 10.0.0.2:5000 fd00:100::2[5000], gre 10.0.0.2, udp 10.0.0.2:8003"
rdrs 10.0.0.3 fd00:100::3 >"$TMP/pf.conf"
reload
is "rdr moved: none of them is left" "sctp , gre , udp " "$(leads)"
firsts
check "rdr moved: they lead to the new jail" wait_for 5 wait_leads \
	"sctp 10.0.0.3:5000 fd00:100::3[5000], gre 10.0.0.3, udp 10.0.0.3:8003"
rdrs 10.0.0.3 fd00:100::3 | grep -v gre >"$TMP/pf.conf"
reload
is "one rdr withdrawn: its flow goes, the others stay" \
	"sctp 10.0.0.3:5000 fd00:100::3[5000], gre , udp 10.0.0.3:8003" "$(leads)"
echo "pass in on igb0" >"$TMP/pf.conf"
reload
is "all withdrawn: all go" "sctp , gre , udp " "$(leads)"
has "a flow of no rdr stays" "all sctp $out4:9999 <- 198.51.100.7:7403" \
	"$(on_host "$SALLYPORT" --state-dir "$TMP/state" pfctl -ss)"
lab_done
