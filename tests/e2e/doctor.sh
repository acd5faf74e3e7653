#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The doctor finds what stops a declared thing from working, and what it says
# cures it.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build

cat >"$TMP/rc.conf" <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
defaultrouter="203.0.113.1"
gateway_enable="YES"
END
cat >"$TMP/jail.conf" <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|10.0.0.2/32"; $forward = "tcp 80,443"; }
END
files=(-f "$TMP/rc.conf" -f "$TMP/jail.conf")
set_sysctl "$HOST" net/ipv4/conf/all/rp_filter=0 net/ipv4/conf/igb0/rp_filter=0

# The machine's own file says nothing of the host in the lab
conf=/etc/nftables.conf
: >"$TMP/empty"
[ ! -e $conf ] || mount --bind "$TMP/empty" $conf

# ---- a healthy host --------------------------------------------------------

sp "${files[@]}" doctor
is "before apply: exits 1" 1 "$rc"
has "before apply: what is declared is not there" "address 10.0.0.2/32 on lo1: it is declared and not there" "$out"
sp_must "${files[@]}" apply
sp doctor
is "a healthy host: exits 0" 0 "$rc"
has "a healthy host: only a note of who is not confined" '^note +jail www: not confined' "$out"
sp --json doctor
check "a healthy host: no problem" jq -e '.sallyport.doctor | map(.severity) == ["note"]' <<<"$out"

# ---- other tables ----------------------------------------------------------

serve "$HOST" web tcp:10.0.0.2:{80,443}
on_host nft -f - <<'END'
table inet filter {
	chain input { type filter hook input priority 10; policy drop; ct state established accept; }
	chain forward { type filter hook forward priority 10; policy drop; }
	chain output { type filter hook output priority 10; policy accept; }
}
END
is "another table: the forward is dead" silence "$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:80)"
sp --json doctor
is "another table: exits 1" 1 "$rc"
check "another table: names table, chain, hook and priority" jq -e '.sallyport.doctor |
	any(.severity == "problem" and .object == "table inet filter, chain input (hook input, priority 10)")' <<<"$out"
check "another table: chains that alias jails do not meet are no finding" jq -e '.sallyport.doctor |
	map(select(.severity == "problem")) | length == 1' <<<"$out"
cure=$(jq -r '.sallyport.doctor[0].cure' <<<"$out")
on_host bash -c "$cure"
is "another table: the cure brings the forward to life" "web 198.51.100.7" \
	"$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:80)"
sp doctor
is "another table: cured, nothing is found" 0 "$rc"
on_host nft -f - <<'END'
flush chain inet filter input
add rule inet filter input tcp dport 22 accept
add rule inet filter input counter reject
chain inet filter input { policy accept; }
END
sp doctor
has "a rule that refuses the rest: names it by its handle" "its rule with handle [0-9]+ drops" "$out"
on_host nft delete table inet filter

# ---- services of the host --------------------------------------------------

cat >"$TMP/service.py" <<'END'
import os, socket, sys, time
open("/proc/self/comm", "w").write("sshd")
held = [socket.create_server(("0.0.0.0", 2222)), socket.create_server(("203.0.113.2", 443))]
os.write(int(sys.argv[-1]), b"ready\n")
time.sleep(600)
END
lab_start "$TMP/service.log" in_ns "$HOST" "$PYTHON" -EsB "$TMP/service.py"
sp --json doctor
check "a service on all addresses: pid, program and its cure" jq -e '.sallyport.doctor | any(
	(.object | test("^tcp \\*:2222, sshd \\(pid [0-9]+\\)$")) and
	.cure == "write '"'ListenAddress 203.0.113.2'"' in /etc/ssh/sshd_config")' <<<"$out"
check "a service that a forward shadows: with the forward's line" jq -e '.sallyport.doctor | any(
	(.object | test("^tcp 203.0.113.2:443, sshd")) and (.file | test("jail.conf$")) and .line == 2)' <<<"$out"
kill "$lab_pid"

# ---- settings and files ----------------------------------------------------

set_sysctl "$HOST" net/ipv4/ip_forward=0 net/ipv4/conf/igb0/rp_filter=1
sp doctor
has "forwarding is off" "sysctl net.ipv4.ip_forward" "$out"
has "a strict rp_filter is a note" "note +sysctl net.ipv4.conf.igb0.rp_filter" "$out"
if [ -e $conf ]; then
	printf '# flush ruleset\n flush  ruleset\n' >"$TMP/empty"
	sp doctor
	has "a file that flushes everything: with its line" "$conf:2: flush ruleset" "$out"
	is "a comment does not" "" "$(grep "$conf:1:" <<<"$out")"
fi
lab_done
