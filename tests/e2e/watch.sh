#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# watch keeps the host as it is declared: what others take away is back at once,
# connections live on, and a newer state wins.
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
www { ip4.addr = "lo1|10.0.0.2/32"; $forward = "tcp 80"; }
db { ip4.addr = "lo1|10.0.0.3/32"; $forward = "tcp 3306"; }
END
files=(-f "$TMP/rc.conf" -f "$TMP/jail.conf")

# Start it as a service manager would; its process is in $watch
start_watch()
{
	rm -f "$TMP/told"
	"$PYTHON" -EsB -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
s.settimeout(250)
print(s.recv(100).decode(), flush=True)' "$TMP/notify" >"$TMP/told" 2>&1 &
	manager=$!
	wait_for 10 grep -q bound "$TMP/told"
	NOTIFY_SOCKET=$TMP/notify in_ns "$HOST" "$SALLYPORT" "$@" watch 2>"$TMP/watch.err" &
	watch=$!
	wait "$manager"
	rm -f "$TMP/notify"
}
# shellcheck disable=SC2317
as_declared() { in_ns "$HOST" "$SALLYPORT" -q plan >/dev/null 2>&1; }
# shellcheck disable=SC2317
back() { wait_for 5 as_declared; }	# 1 s is the aim; the machine may be loaded

sp watch
is "nothing declared: exits 66" 66 "$rc"
start_watch "${files[@]}"
has "ready is told when the host is as declared" "READY=1" "$(<"$TMP/told")"
check "ready: the host is as declared" as_declared
# shellcheck disable=SC2317
hears_clock() { grep -qx 'settime flags: 03' "/proc/$(pgrep -x sallyport)"/fdinfo/*; }
check "it is told when the clock is set" wait_for 5 hears_clock
serve "$HOST" web tcp:10.0.0.2:80

# ---- somebody flushes everything, under a connection -----------------------

cat >"$TMP/long.py" <<'END'
import os, socket, sys
s = socket.create_connection(("203.0.113.2", 8080), 10)
s.settimeout(10)
print("connected", flush=True)
while not os.path.exists(sys.argv[1]):
    s.sendall(b"x")
    assert s.recv(100) == b"x"
print("whole", flush=True)
END
cat >"$TMP/echo.py" <<'END'
import os, socket, sys
listening = socket.create_server(("10.0.0.3", 3306))
os.write(int(sys.argv[-1]), b"ready\n")
c, _ = listening.accept()
while data := c.recv(100):
    c.sendall(data)
END
sed -i 's/tcp 3306/tcp 8080:3306/' "$TMP/jail.conf"
sp_must "${files[@]}" apply
lab_start "$TMP/echo.log" in_ns "$HOST" "$PYTHON" -EsB "$TMP/echo.py"
in_ns "$CLIENT" "$PYTHON" -EsB "$TMP/long.py" "$TMP/enough" >"$TMP/heard" 2>&1 &
client=$!
wait_for 5 grep -q connected "$TMP/heard"

for _ in 1 2 3; do
	on_host nft flush ruleset
	check "a flush of everything is repaired" back
done
has "and told, with what was missing" "repairing: missing table (inet|arp) sallyport" "$(<"$TMP/watch.err")"
touch "$TMP/enough"
wait "$client"
is "a connection that never rests lives on" "connected whole" "$(tr '\n' ' ' <"$TMP/heard" | sed 's/ $//')"
is "the forward works again" "web 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:80)"

# ---- smaller losses --------------------------------------------------------

on_host ip addr del 10.0.0.2/32 dev lo1
check "a removed address is back" back
has "and told, with its declaration" "missing address 10.0.0.2/32 on lo1 \(.*jail.conf:2\)" "$(<"$TMP/watch.err")"
on_host ip link del lo1
check "a link that is gone is back" back
handle=$(on_host nft -a list chain inet sallyport in_fence | sed -n 's/.*# handle \([0-9]*\)$/\1/p' | tail -n 1)
on_host nft delete rule inet sallyport in_fence handle "$handle"
check "a deleted rule is back" back

has_told()	# REGEX
{
	has "and told, with what was missing" "$1" "$(<"$TMP/watch.err")"
}
map=$(on_host nft list table inet sallyport | awk '/map forwards/ { print $2; exit }')
on_host nft delete element inet sallyport "$map" '{ tcp . 203.0.113.2 . 80 }'
check "a deleted element is back" back
has_told "missing element inet sallyport $map: .*forward www tcp 80 \(.*jail.conf:2\)\$"
on_host nft flush chain inet sallyport out_fence
on_host nft delete chain inet sallyport out_fence
check "a deleted chain is back" back
has_told "missing chain inet sallyport out_fence; missing rule inet sallyport out_fence: fence egress"
set_sysctl "$HOST" net/ipv4/ip_forward=0
check "forwarding is on again" back
has_told "changed sysctl net.ipv4.ip_forward=1 \(.*rc.conf:3\)\$"

# As firewalld reloads, and its services one after the other
cat >"$TMP/reload" <<'END'
nft flush ruleset
nft -f - <<-RULES
	table inet firewalld {
		chain filter_INPUT {
			type filter hook input priority filter + 10; policy accept;
			ct state established,related accept
			ct status dnat accept
			tcp dport 22 accept
		}
	}
RULES
echo 0 >/proc/sys/net/ipv4/ip_forward
END
on_host bash "$TMP/reload"
check "another firewall's reload is repaired" back
for _ in 1 2 3 4; do on_host bash "$TMP/reload"; done
check "several in a row are" back
has "and its own rules are left alone" filter_INPUT "$(on_host nft list table inet firewalld)"
on_host nft delete table inet firewalld

# What is edited and not applied is nobody's wish yet, and half of it nobody's at all
has_forward() { on_host nft list map inet sallyport "$map" | grep -qF "tcp . 203.0.113.2 . 80 "; }
cp "$TMP/jail.conf" "$TMP/applied.conf"
for edit in 's/tcp 80"/tcp 81"/' 's/}//'; do
	sed -i "$edit" "$TMP/jail.conf"
	on_host nft flush ruleset
	check "the file is edited ($edit): what was applied is back" wait_for 5 has_forward
done
cp "$TMP/applied.conf" "$TMP/jail.conf"
check "the file is as it was: nothing differs" back

# Nobody's address on a loopback of ours takes the rules of all jails with it
on_host ip addr add 10.0.0.99/32 dev lo1
on_host nft flush ruleset
check "a flush beside somebody else's address is repaired" back
on_host ip addr del 10.0.0.99/32 dev lo1

# ---- it does not fight -----------------------------------------------------

sp_must down db
lines=$(wc -l <"$TMP/watch.err")
give_time 1	# nothing is to happen
is "a jail that is taken down stays down" "" "$(on_host ip -o addr show | grep ' 10.0.0.3/')"
is "and nothing is repaired" "$lines" "$(wc -l <"$TMP/watch.err")"

pkill -TERM -P "$watch"	# the shell is its parent
wait "$watch"
is "a signal ends it: exits 0" 0 $?
is "its guard goes with it" "" "$(on_host nft list tables | grep sallyport_watch)"
on_host nft flush ruleset
sp plan
is "without it nothing is repaired" 1 "$rc"
lab_done
