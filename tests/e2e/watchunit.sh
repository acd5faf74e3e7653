#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# watch as its systemd unit runs it: with the capabilities, the files to write and the
# system calls that the unit leaves, it repairs all that it is there for.  And what it
# keeps: the newest state that anybody applied, with the addresses as they are now.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

UNIT=$LAB_TOP/examples/hooks/systemd/sallyport-watch.service

unit()		# KEY: its values, a line each
{
	sed -n "s/^$1=//p" "$UNIT"
}

lab_build
cat >"$TMP/jail.conf" <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|10.0.0.2/32"; $forward = "tcp 80", "udp 53"; }
END
cat >"$TMP/pf.conf" <<'END'
nat on igb0 from 10.9.0.0/24 to any -> (igb0)
antispoof for igb0
block in on igb0 from urpf-failed
pass in on igb0 proto tcp to (igb0) port 22
END
printf '%s\n' 'cloned_interfaces="lo1"' 'gateway_enable="YES"' >"$TMP/rc.conf"
files=(-f "$TMP/rc.conf" -f "$TMP/jail.conf" -f "$TMP/pf.conf")
sp_must "${files[@]}" --no-verify apply

# ---- the unit -----------------------------------------------------------------

is "it tells when it is ready" notify "$(unit Type)"
for other in nftables.service firewalld.service; do
	has "it starts after $other" "(^| )$other( |$)" "$(unit After)"
	has "and again with it" "(^| )$other( |$)" "$(unit PartOf)"
done
if command -v systemd-analyze >/dev/null; then
	mkdir -p "$TMP/units"
	cp "${UNIT%-watch.service}.service" "$TMP/units"
	sed "s|/usr/local/sbin/sallyport|$SALLYPORT|" "$UNIT" >"$TMP/units/sallyport-watch.service"
	is "systemd-analyze finds nothing wrong" "" "$(systemd-analyze verify --man=no \
		"$TMP/units/sallyport-watch.service" 2>&1 | grep -F "$TMP/units/")"
	check "and little that is open" systemd-analyze security --offline=yes --threshold=40 \
		"$TMP/units/sallyport-watch.service"
else
	skip "systemd-analyze" "it is not installed"
fi

# ---- run as it says -------------------------------------------------------------

# The file system as ProtectSystem=strict has it, and the capabilities that are left
cat >"$TMP/as_unit" <<'END'
set -e
caps=$1
shift
for m in / /usr /etc /home /root /tmp; do
	mountpoint -q $m && mount -o remount,bind,ro $m
done
mkdir -p /run/sallyport /var/lib/sallyport
mount --bind /run/sallyport /run/sallyport
mount --bind /var/lib/sallyport /var/lib/sallyport
mount -o remount,bind,ro /run
mount -o remount,bind,ro /var/lib
exec setpriv --bounding-set "$caps" --inh-caps "$caps" --no-new-privs "$@"
END

# In the namespace that is watched, with a service manager to tell; $watch is it
start_watch()	# COMMAND BEFORE...
{
	rm -f "$TMP/notify" "$TMP/told"
	"$PYTHON" -EsB -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
s.settimeout(250)
while b"STOPPING=1" not in (told := s.recv(100)):
    print(told.decode(), flush=True)
print(told.decode(), flush=True)' "$TMP/notify" >"$TMP/told" 2>&1 &
	manager=$!
	wait_for 10 grep -q bound "$TMP/told"
	# shellcheck disable=SC2046
	NOTIFY_SOCKET=$TMP/notify in_ns "$HOST" "$@" \
		$(unit ExecStart | sed "s|/usr/local/sbin/sallyport|$SALLYPORT|") 2>"$TMP/watch.err" &
	watch=$!
	wait_for 10 grep -q READY=1 "$TMP/told"
}

end_watch()
{
	pkill -TERM -x -P "$watch" sallyport || kill -TERM "$watch"
	wait "$watch"
}
# shellcheck disable=SC2317
as_declared() { on_host "$SALLYPORT" -q plan >/dev/null 2>&1; }
# shellcheck disable=SC2317
back() { wait_for 5 as_declared; }

start_watch unshare --mount bash "$TMP/as_unit" \
	"-all$(unit CapabilityBoundingSet | sed 's/CAP_/,+/g; s/ //g' | tr '[:upper:]' '[:lower:]')"
has "as the unit says: ready is told" READY=1 "$(<"$TMP/told")"
on_host nft flush ruleset
check "as the unit says: a flush is repaired" back
on_host ip link del lo1
check "as the unit says: a link" back
set_sysctl "$HOST" net/ipv4/ip_forward=0
on_host nft delete table arp sallyport
check "as the unit says: settings" back
is "and nothing was refused" "" "$(grep -iE 'not permitted|read-only|denied' "$TMP/watch.err")"
has "it tells what it repaired" "repairing: missing table inet sallyport" "$(<"$TMP/watch.err")"

# ---- snapshots of addresses -----------------------------------------------------

rules() { on_host nft -s list table inet sallyport; }
has_rule() { rules | grep -qE -- "$1"; }

check "antispoof knows the network of the interface" has_rule '203\.0\.113\.0/24'
on_host ip addr add 198.18.7.1/24 dev igb0
check "an address comes: antispoof knows its network" wait_for 5 has_rule '198\.18\.7\.0/24'
check "and a forward its address" wait_for 5 has_rule 'tcp \. 198\.18\.7\.1 \. 80 '
is "each repair is told with a declaration" "" "$(grep -v 'conf:[0-9]' "$TMP/watch.err" |
	grep -vE '^watching$|arp sallyport')"
check "the pool (igb0) has it" wait_for 5 has_rule 'snat.*198\.18\.7\.1|198\.18\.7\.1.*snat'
on_host ip addr del 198.18.7.1/24 dev igb0
gone() { ! has_rule '198\.18\.7\.'; }
check "it goes: nobody knows it" wait_for 5 gone
on_host ip route replace default via 203.0.113.9
check "a route changes: as declared" back

# ---- forwards that end, newer states ---------------------------------------------

serve "$HOST" www udp:10.0.0.2:53
cat >"$TMP/packet.py" <<'END'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 7000))
s.connect(("203.0.113.2", 5300))
s.settimeout(5)
s.send(b"again")
print(s.recv(100).decode())
END
asks() { in_ns "$CLIENT" "$PYTHON" -EsB "$TMP/packet.py"; }
on_host ip route replace default via 203.0.113.1
check "the way back is there" back
open_for() { sp_must forward add www udp 5300:53 --until "$1s"; }
close_it() { sp_must forward del www udp 5300; }
while_open open_for close_it asks
is "a client that never rests is answered" "www 198.51.100.7 7000" "$out"
ended() { ! asks; }
check "until the forward ends" wait_for 8 ended

sp_must --no-verify -f "$TMP/rc.conf" -f "$TMP/jail.conf" -D nothing=1 apply
on_host nft flush ruleset
check "who applies anew is obeyed" back
check "not what was watched first" eval '! has_rule antispoof'
sp_must destroy
sp plan
is "nor fought when all is destroyed" 66 "$rc"
give_time 1	# nothing is to happen
is "nothing comes back" "" "$(on_host nft list tables | grep -v sallyport_watch)"
end_watch
is "it ends when told to: exits 0" 0 $?
wait "$manager"
has "and says so" STOPPING=1 "$(<"$TMP/told")"

# ---- system calls ----------------------------------------------------------------

sp_must "${files[@]}" --no-verify apply
if command -v systemd-analyze >/dev/null && strace -qq -o /dev/null true 2>/dev/null; then
	sets=$(unit SystemCallFilter)
	while grep -q @ <<<"$sets"; do
		# shellcheck disable=SC2046
		sets=$(for s in $sets; do
			case $s in
			@*) systemd-analyze syscall-filter "$s" | sed -n 's/^    //p' | grep -v '^#' ;;
			*) echo "$s" ;;
			esac
		done | sort -u)
	done
	start_watch strace -f -qq -o "$TMP/trace"
	on_host nft flush ruleset
	on_host ip link del lo1
	check "traced: repaired" back
	pkill -TERM -x sallyport
	wait "$watch"
	sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' "$TMP/trace" | sort -u >"$TMP/used"
	check "traced: it has worked" grep -qx sendto "$TMP/used"
	is "no system call but those that the unit allows" "" \
		"$(comm -23 "$TMP/used" <(sort -u <<<"${sets// /$'\n'}") | paste -sd ' ')"
else
	skip "system calls" "no systemd-analyze or strace here"
fi
lab_done
