#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What `up` refuses and what it takes: services of the host that would answer
# for a jail, addresses of two jails, patterns of names; and that a jail can use
# the network at once.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build

cat >"$TMP/rc.conf" <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
defaultrouter="203.0.113.1"
jail_enable="YES"
jail_list="www web2 db"
END
cat >"$TMP/jail.conf" <<'END'
$nat = "igb0";
$share = "10.0.0.9";
www  { ip4.addr = "lo1|10.0.0.2/32", "lo1|10.0.0.9/32"; $forward = "tcp 8002:80"; }
web2 { ip4.addr = "lo1|10.0.0.3/32", "lo1|10.0.0.9/32"; ip6.addr = "lo1|fd00::3/128"; }
db   { ip4.addr = "lo1|10.0.0.4/32"; }
old  { ip4.addr = "lo1|10.0.0.5/32"; }
own  { vnet; $address = "10.1.0.5/32"; }
END
files=(-f "$TMP/rc.conf" -f "$TMP/jail.conf")
sp_must "${files[@]}" up db	# from here on these are what was applied
sp_must down db
addrs() { on_host ip -o addr show | awk '$2 == "lo1" && $4 !~ /^fe80/ { print $4 }' | sort | tr '\n' ' '; }

# ---- patterns --------------------------------------------------------------

sp up 'w*'
is "a pattern: exits 0" 0 "$rc"
is "a pattern: each jail that matches" "10.0.0.2/32 10.0.0.3/32 10.0.0.9/32 fd00::3/128 " "$(addrs)"
sp down ALL
is "down ALL" "" "$(addrs)"
sp up ALL
is "up ALL: the jails of jail_list" \
	"10.0.0.2/32 10.0.0.3/32 10.0.0.4/32 10.0.0.9/32 fd00::3/128 " "$(addrs)"
sp up 'z*'
is "a pattern that is no jail's: exits 65" 65 "$rc"
has "a pattern that is no jail's: says so" "no jail 'z\*' is declared" "$err"
sp up old
is "a jail that is not in jail_list" "10.0.0.5/32" "$(addrs | tr ' ' '\n' | grep '\.5/')"
sp apply
is "stays up for apply" "10.0.0.5/32" "$(addrs | tr ' ' '\n' | grep '\.5/')"

# ---- an address of two jails -----------------------------------------------

sp down www
is "a shared address stays while another jail has it" "10.0.0.9/32" \
	"$(addrs | tr ' ' '\n' | grep '\.9/')"
sp down web2
is "and goes with the last" "" "$(addrs | tr ' ' '\n' | grep '\.9/')"
sp up web2
is "and comes with any of them" "10.0.0.3/32 10.0.0.9/32" \
	"$(addrs | tr ' ' '\n' | grep -E '\.[39]/' | paste -sd ' ')"
sp down ALL

# ---- at once ---------------------------------------------------------------

serve "$INET" dns udp:192.0.2.80:53
serve "$HOST" other tcp:203.0.113.2:80
sp up www
is "services on addresses of their own are in nobody's way" 0 "$rc"
is "the first query of a jail is answered" "dns 203.0.113.2" \
	"$(ask "$HOST" --from 10.0.0.2 udp:192.0.2.80:53)"
sp down www

# ---- services on all addresses ---------------------------------------------

# A socket that waits on all addresses; its program's pid in $lab_pid
listen()	# KIND FAMILY ADDRESS PORT V6ONLY
{
	lab_start "$TMP/listen.log" nsenter --net="/run/netns/$HOST" -- "$PYTHON" -EsBc '
import os, signal, socket, sys
kind, family, address, port, v6only = sys.argv[1:6]
s = socket.socket(getattr(socket, family), getattr(socket, kind))
if family == "AF_INET6":
	s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(v6only))
s.bind((address, int(port)))
if kind == "SOCK_STREAM":
	s.listen()
os.write(int(sys.argv[7]), b"ready\n")
signal.pause()' "$@"
}
unlisten() { kill "$lab_pid"; wait "$lab_pid" 2>/dev/null; }

listen SOCK_STREAM AF_INET 0.0.0.0 8080 0
sp up www
is "a service on all addresses: exits 65" 65 "$rc"
has "names program, pid, protocol, port, jail and address" "error: python3[.0-9]* \(pid $lab_pid\) \
listens on all addresses, tcp port 8080: it would answer for jail 'www' on 10.0.0.2 \[E1901\]" "$err"
has "names the cure" 'help: let it listen on 203.0.113.2 alone, or go on with --force' "$err"
is "and nothing was added" "" "$(addrs)"
sp --json up www
is "in JSON too" E1901 "$(jq -r '.sallyport.error[0].code // .error[0].code' <<<"$out")"
sp -n up www
is "with -n too" 65 "$rc"
sp up --force www
is "--force goes on" 0 "$rc"
has "--force warns all the same" 'W1902' "$err"
is "--force: it is up" "10.0.0.2/32 10.0.0.9/32 " "$(addrs)"
sp up www
is "a jail that is up is not looked at again" "0 " "$rc $err"
sp down www
is "down is never refused" "0 " "$rc $(addrs)"
sp up own --create
is "a vnet jail has sockets of its own: it is in nobody's way" "0 " "$rc $err"
sp_must down own
unlisten

listen SOCK_STREAM AF_INET6 :: 8081 0
sp up db
has "a service on all IPv6 addresses that takes IPv4: refused" "tcp port 8081" "$err"
unlisten
listen SOCK_STREAM AF_INET6 :: 8082 1
sp up db
is "one on all IPv6 addresses alone is in no IPv4 jail's way" 0 "$rc"
sp up web2
has "but in that of one with IPv6" "port 8082: it would answer for jail 'web2' on fd00::3" "$err"
unlisten
listen SOCK_DGRAM AF_INET 0.0.0.0 53 0
sp up www
has "a UDP service: refused" "udp port 53" "$err"
unlisten
listen SOCK_DGRAM AF_INET 0.0.0.0 40000 0
sp up www
is "a client's UDP socket is no service" 0 "$rc"
lab_done
