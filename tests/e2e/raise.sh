#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What `compile --to pf` makes of jail.conf means what jail.conf does: many
# packets, judged by both.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

lab_bare HOST

cat >"$TMP/host.ifs" <<'END'
igb0 203.0.113.2/24 203.0.113.5/32 2001:db8:113::2/64
igb1 10.9.9.2/24
default via 203.0.113.1 dev igb0
END
cat >"$TMP/jail.conf" <<'END'
www {
	ip4.addr = "lo1|192.168.100.2/32", "lo1|192.168.100.3/32";
	ip6.addr = "lo1|fd00:100::2/128";
	$nat = "igb0";
	$forward = "tcp 4000:80", "tcp+udp 2000-2009:8000-* from 198.51.100.0/24 log";
	$forward += "udp 53 on igb1", "tcp 100-103:22 to 203.0.113.5";
}
db { ip4.addr = "lo1|192.168.100.4/32"; $nat = "igb1|10.9.9.2"; }
END
sed -e '/\$forward/d' -e 's/\$nat = "[^"]*";//' "$TMP/jail.conf" >"$TMP/bare.jail.conf"

sp_must -f "$TMP/jail.conf" --interfaces "$TMP/host.ifs" compile --to pf -o "$TMP/pf.conf"
"$PYTHON" - >"$TMP/packets" <<'END'
import itertools
outside = ["198.51.100.7", "192.0.2.80", "10.9.9.50"]
for ifname, proto, src, dst, port in itertools.product(
        ["igb0", "igb1"], ["tcp", "udp"], outside,
        ["203.0.113.2", "203.0.113.5", "10.9.9.2", "192.168.100.2"],
        [22, 53, 80, 99, 100, 103, 104, 1999, 2000, 2005, 2009, 2010, 4000]):
    print("in", ifname, proto, f"{src}:40000", f"{dst}:{port}")
for ifname, proto, src, dst in itertools.product(
        ["igb0", "igb1", "lo1"], ["tcp", "udp"],
        ["192.168.100.2", "192.168.100.3", "192.168.100.4", "203.0.113.2"], outside):
    print("out", ifname, proto, f"{src}:40000", f"{dst}:443")
for ifname, port in itertools.product(["igb0", "igb1"], [80, 2003, 4000]):
    print("in", ifname, "tcp", "[2001:db8:51::7]:40000", f"[2001:db8:113::2]:{port}")
    print("out", ifname, "tcp", "[fd00:100::2]:40000", f"[2001:db8:51::7]:{port}")
END

# Verdict and translation; the ports that nat chooses from are pf's own in pf.conf
judge()		# FILE...
{
	sp_must "${@/#/-f}" --interfaces "$TMP/host.ifs" why --json --batch "$TMP/packets"
	jq -c '[.verdict, .rdr, (.nat // {} | .src // "" | sub(":[0-9-]+$"; ""))]' <<<"$out"
}

judge "$TMP/jail.conf" >"$TMP/by-jails"
judge "$TMP/bare.jail.conf" "$TMP/pf.conf" >"$TMP/by-pf"
same "both judge alike" "$TMP/by-jails" "$TMP/by-pf"
is "packets" "$(wc -l <"$TMP/packets")" "$(wc -l <"$TMP/by-pf")"
is "some are led on" yes "$(grep -q '192.168.100.2:80' "$TMP/by-pf" && echo yes)"
is "some leave as the host" yes "$(grep -q '10.9.9.2' "$TMP/by-pf" && echo yes)"

lab_done
