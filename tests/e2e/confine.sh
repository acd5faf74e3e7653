#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Confinement: processes in a jail's cgroup use the jail's addresses and no
# others, with programs that know nothing of it.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

# Of our own, wherever the machine has it or not; its cgroups end with this test
CG=$TMP/cgroup
mkdir "$CG"
if ! mount -t cgroup2 none "$CG" 2>/dev/null; then
	skip confine "cgroup2 cannot be mounted here"
	exit 0
fi
mine=$CG/sp-test-confine-$BASHPID-$RANDOM
# shellcheck disable=SC2317 # the trap calls it
cleanup()
{
	local p

	for p in "$mine"/*/cgroup.procs; do
		xargs -r kill -KILL <"$p" 2>/dev/null
	done
	for p in "$mine"/*/; do
		wait_for 5 rmdir "$p"
	done
	rmdir "$mine"
}
if ! mkdir "$mine" 2>/dev/null; then
	skip confine "cgroups cannot be made here"
	exit 0
fi
trap cleanup EXIT

# Run a command of the host in a jail's cgroup
in_jail()	# JAIL COMMAND...
{
	local jail=$1
	shift
	# shellcheck disable=SC2016
	on_host sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$mine/$jail" "$@"
}

cat >"$TMP/prelude.py" <<'END'
import ctypes
import errno
import struct
from socket import *

def err(f):
    try:
        return f()
    except timeout:
        return "nothing"
    except OSError as e:
        return errno.errorcode[e.errno]

def sock(a, kind=SOCK_STREAM):
    s = socket(AF_INET6 if ":" in a else AF_INET, kind)
    s.settimeout(5)
    return s

def bind(a, port=0, kind=SOCK_STREAM, only=None):
    s = sock(a, kind)
    if only is not None:
        s.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, only)
    s.bind((a, port))
    return s.getsockname()[0]

def said(data):
    return " ".join(data.decode().split()[:2])

# What the other end sees, and whom it is told to be
def connect(a, port=81, kind=SOCK_STREAM, source=None, device=None):
    s = sock(a, kind)
    if device:
        s.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, device)
    if source is not None:
        s.bind((source, 0))
    s.connect((a, port))
    s.sendall(b"?\n")
    data, sender = s.recvfrom(200)
    if kind == SOCK_DGRAM and sender != s.getpeername():
        return "%s is not %s" % (sender, s.getpeername())
    return "%s at %s" % (said(data), s.getpeername()[0])

# The same without connect(2), perhaps with a source of the datagram's own
def send(a, port=53, pktinfo=None, first=None):
    s = sock(a, SOCK_DGRAM)
    info = []
    if pktinfo and ":" in pktinfo:
        info = [(IPPROTO_IPV6, IPV6_PKTINFO, inet_pton(AF_INET6, pktinfo) + bytes(4))]
    elif pktinfo:
        info = [(IPPROTO_IP, 8, bytes(4) + inet_aton(pktinfo) + bytes(4))]
    s.sendmsg([b"?\n"], info, 0, (a, port))
    data, sender = s.recvfrom(200)
    return "%s at %s" % (said(data), sender[0])

# As connect() of UDP, but with a source in the message
def connected(a, port, pktinfo):
    s = sock(a, SOCK_DGRAM)
    s.connect((a, port))
    s.sendmsg([b"?\n"], [(IPPROTO_IP, 8, bytes(4) + inet_aton(pktinfo) + bytes(4))])
    return said(s.recv(200))

# To an IPv4 address of no family, which Linux takes for IPv4
def unspec(a, port):
    s = sock(a, SOCK_DGRAM)
    to = struct.pack("=HH", AF_UNSPEC, htons(port)) + inet_aton(a) + bytes(8)
    ctypes.CDLL(None).sendto(s.fileno(), b"?\n", 2, 0, to, len(to))
    return said(s.recv(200))

# An IPv6 socket of UDP to an IPv4 address in its own form
def four_of_six(a, port):
    s = sock("::", SOCK_DGRAM)
    to = struct.pack("=HH", AF_INET, htons(port)) + inet_aton(a) + bytes(8)
    if ctypes.CDLL(None).connect(s.fileno(), to, len(to)) < 0:
        return "refused"
    s.send(b"?\n")
    return said(s.recv(200))

def fast_open(a, port=81):
    s = sock(a)
    s.settimeout(None)
    s.sendto(b"?\n", MSG_FASTOPEN, (a, port))
    return said(s.recv(200))

# connect(2) after the kernel gave the socket a port on all addresses
def late(a, port=53):
    s = sock(a, SOCK_DGRAM)
    s.sendto(b"?\n", (a, port))
    s.connect((a, port))
    return s.getsockname()[0]

def accepted(a):
    s, c = sock(a), sock(a)
    s.bind((a, 0))
    s.listen()
    c.connect(s.getsockname()[:2])
    x = s.accept()[0]
    return "%s: %s from %s" % (s.getsockname()[0], x.getsockname()[0], x.getpeername()[0])

# Leave the jail: sockets stay what they were, new ones are free
def leave():
    with open(CG + "/cgroup.procs", "w") as f:
        f.write("0")

# What a socket gets whose port is open on all addresses, of datagrams to two
def guarded(other, own):
    s = sock(own, SOCK_DGRAM)
    s.sendto(b"?\n", (own, 9))
    leave()
    f = sock(own, SOCK_DGRAM)
    f.sendto(b"to another", (other, s.getsockname()[1]))
    f.sendto(b"to its own", (own, s.getsockname()[1]))
    while True:
        try:
            return s.recv(200).decode()
        except ConnectionRefusedError:
            pass

def listens(other, own):
    s = sock(own)
    s.listen()
    leave()
    port = s.getsockname()[1]
    f = sock(own)
    f.settimeout(0.3)
    return "%s %s" % (err(lambda: sock(own).connect((own, port))), err(lambda: f.connect((other, port))))

def freed(a):
    leave()
    return bind(a)
END
sed -i "1i CG = '$CG'" "$TMP/prelude.py"

# What Python says to expressions, a line each, in a jail or on the host
py()		# JAIL EXPRESSION...
{
	local jail=$1 code
	shift
	code=$(cat "$TMP/prelude.py"; printf '\nprint(err(lambda: %s))' "$@")
	if [ "$jail" = host ]; then
		on_host "$PYTHON" -c "$code" 2>&1
	else
		in_jail "$jail" "$PYTHON" -c "$code" 2>&1
	fi
}

says()		# NAME JAIL EXPECTED EXPRESSION
{
	is "$1" "$3" "$(py "$2" "$4")"
}

# Lines of NAME | EXPECTED | EXPRESSION
table()		# JAIL
{
	local jail=$1 name expected code found names=() wants=() codes=() i=0

	while IFS='|' read -r name expected code; do
		names+=("${name% }") wants+=("${expected:1:-1}") codes+=("${code# }")
	done
	while IFS= read -r found; do
		is "${names[i]}" "${wants[i]}" "$found"
		i=$((i + 1))
	done < <(py "$jail" "${codes[@]}")
	is "$jail: all were asked" ${#names[@]} $i
}

serve_in()	# JAIL NAME WHERE...
{
	local jail=$1
	shift
	lab_start "$TMP/serve.$jail.$RANDOM" in_jail "$jail" "$PYTHON" -EsB "$LAB_DIR/serve.py" "$@"
}

# ---- the host, four jails ---------------------------------------------------

lab_build
serve "$NEIGHBOUR" neighbour tcp:203.0.113.66:8000 udp:203.0.113.66:8000
serve "$INET" inet tcp:192.0.2.80:80 udp:192.0.2.80:53
serve "$HOST" host tcp:127.0.0.1:8080 udp:127.0.0.1:8080 tcp:'[::1]':8080 udp:'[::1]':8080 \
	{tcp,udp}:{203.0.113.2,'[2001:db8:113::2]'}:8000
on_host ip addr add 203.0.113.5/24 dev igb0
cat >"$TMP/rc.conf" <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
defaultrouter="203.0.113.1"
END
cat >"$TMP/jail.conf" <<'END'
www { ip4.addr = "lo1|10.0.0.2/32"; ip6.addr = "lo1|fd00::2/128"; $nat = "igb0"; }
db { ip4.addr = "lo1|10.0.0.3/32"; ip6.addr = "lo1|fd00::3/128"; }
old { ip4.addr = "lo1|10.0.0.4/32"; allow.raw_sockets; }
many { ip4.addr = "lo1|10.0.0.7/32", "igb0|203.0.113.5/24";
       ip6.addr = "lo1|fd00::7/128", "lo1|fd00:7::7/64"; }
END
files=(-f "$TMP/rc.conf" -f "$TMP/jail.conf")
for j in www db old many; do
	mkdir "$mine/$j"
	sp "${files[@]}" up $j --cgroup "$mine/$j"
	is "up $j --cgroup" 0 "$rc"
	[ $j != old ] || has "raw sockets: that they are not confined is told" W1842 "$err"
	[ $j != many ] || has "several addresses: that the wildcard is one is told" N1841 "$err"
done
sp status --json
is "status: who is confined" "$mine/www" \
	"$(jq -r '.sallyport.status[0].jails[] | select(.jail == "www").confined' <<<"$out")"
sp doctor --json
is "doctor: no word of who is confined" "" "$(jq -r '.sallyport.doctor[].object' <<<"$out" | grep -w www)"

# ---- servers and clients that know nothing of it ------------------------------

mkdir -p "$TMP/nginx" /run/sshd
cat >"$TMP/nginx/conf" <<END
user root;
pid $TMP/nginx/pid;
events { }
http {
	access_log off;
	client_body_temp_path $TMP/nginx; proxy_temp_path $TMP/nginx;
	fastcgi_temp_path $TMP/nginx; uwsgi_temp_path $TMP/nginx; scgi_temp_path $TMP/nginx;
	server { listen 80; listen [::]:80; return 200 "nginx \$remote_addr\n"; }
}
END
check "nginx on *:80 and [::]:80 in one jail" in_jail www nginx -c "$TMP/nginx/conf" -e "$TMP/nginx/log"
in_jail db "$PYTHON" -m http.server --bind 0.0.0.0 80 >/dev/null 2>&1 &
disown
curl=(curl -sS --max-time 5)
check "python on *:80 in another" wait_for 10 on_host "${curl[@]}" -o /dev/null http://10.0.0.3/
is "each has its own address" "10.0.0.2:80 10.0.0.3:80 [fd00::2]:80" \
	"$(on_host ss -Hltn sport = :80 | awk '{ print $4 }' | sort | paste -sd' ')"
is "curl to 127.0.0.1: the jail's own" "nginx 10.0.0.2" "$(in_jail www "${curl[@]}" http://127.0.0.1/)"
is "curl to localhost: the jail's own" "nginx fd00::2" "$(in_jail www "${curl[@]}" -6 http://localhost/)"
is "curl to a sibling leaves with the jail's address" "nginx 10.0.0.3" \
	"$(in_jail db "${curl[@]}" http://10.0.0.2/)"
is "curl to the Internet is translated" "inet 203.0.113.2" \
	"$(in_jail www "${curl[@]}" http://192.0.2.80/ | cut -d' ' -f1,2)"
for j in www db; do
	mkdir "$TMP/sshd.$j"
	ssh-keygen -q -t ed25519 -N '' -f "$TMP/sshd.$j/key"
	printf 'PidFile %s/pid\nHostKey %s/key\nUsePAM no\n' "$TMP/sshd.$j" "$TMP/sshd.$j" \
		>"$TMP/sshd.$j/conf"
	check "sshd in $j" in_jail $j "$(command -v sshd)" -f "$TMP/sshd.$j/conf"
done
for j in www db; do
	is "ssh to localhost in $j" "$(cut -d' ' -f2 "$TMP/sshd.$j/key.pub")" \
		"$(in_jail $j ssh-keyscan -t ed25519 127.0.0.1 2>/dev/null | cut -d' ' -f3)"
done

# ---- bind -------------------------------------------------------------------

serve_in www www {tcp,udp}:{0.0.0.0,'[::]'}:{53,81}
serve_in db db {tcp,udp}:{0.0.0.0,'[::]'}:{53,81}
table www <<'END'
bind: the wildcard is the jail's address | 10.0.0.2 | bind("0.0.0.0")
bind: the wildcard, IPv6 | fd00::2 | bind("::", only=1)
bind: the wildcard, both families | fd00::2 | bind("::", only=0)
bind: an IPv4 wildcard on an IPv6 socket | ::ffff:10.0.0.2 | bind("::ffff:0.0.0.0")
bind: UDP too | 10.0.0.2 | bind("0.0.0.0", kind=SOCK_DGRAM)
bind: its own | 10.0.0.2 | bind("10.0.0.2")
bind: its own, IPv6 | fd00::2 | bind("fd00::2")
bind: a sibling's | EADDRNOTAVAIL | bind("10.0.0.3")
bind: a sibling's, IPv6 | EADDRNOTAVAIL | bind("fd00::3")
bind: a sibling's on an IPv6 socket | EADDRNOTAVAIL | bind("::ffff:10.0.0.3")
bind: the host's | EADDRNOTAVAIL | bind("203.0.113.2", kind=SOCK_DGRAM)
bind: a place that is taken stays taken | EADDRINUSE | bind("0.0.0.0", 81)
bind: loopback is told as it was named | 127.0.0.1 | bind("127.0.0.1")
bind: loopback, IPv6 | ::1 | bind("::1")
bind: loopback on an IPv6 socket | ::ffff:127.0.0.9 | bind("::ffff:127.0.0.9")
bind: and is the jail's address | 127.0.0.1: 10.0.0.2 from 10.0.0.2 | accepted("127.0.0.1")
bind: also of IPv6 | ::1: fd00::2 from fd00::2 | accepted("::1")
END
table old <<'END'
bind: the wildcard, both families in a jail of IPv4 | ::ffff:10.0.0.4 | bind("::", only=0)
bind: the wildcard of IPv6 in a jail of IPv4 | EINVAL | bind("::", only=1)
bind: IPv6 in a jail without | EADDRNOTAVAIL | bind("fd00::2")
END

# ---- connect, send ----------------------------------------------------------

for j in www:2 db:3; do
	n=${j#*:} j=${j%:*}
	is "loopback of $j: TCP, UDP, connected UDP" "$(printf '%s\n' \
		"$j 10.0.0.$n at 127.0.0.1" "$j fd00::$n at ::1" "$j 10.0.0.$n at ::ffff:127.0.0.1" \
		"$j 10.0.0.$n at 127.0.0.53" "$j 10.0.0.$n at 10.0.0.$n" "$j 10.0.0.$n at 127.0.0.1" \
		"$j fd00::$n at ::1" "$j 10.0.0.$n at ::ffff:127.0.0.1" "$j 10.0.0.$n at 127.0.0.1" \
		"$j fd00::$n at ::1" "$j 10.0.0.$n at ::ffff:127.0.0.1" "$j fd00::$n at fd00::$n" \
		"$j 10.0.0.$n" "$j 10.0.0.$n" "$j 10.0.0.$n")" \
		"$(py "$j" 'connect("127.0.0.1")' 'connect("::1")' 'connect("::ffff:127.0.0.1")' \
		'connect("127.0.0.53")' 'connect("0.0.0.0")' 'connect("127.0.0.1", 53, SOCK_DGRAM)' \
		'connect("::1", 53, SOCK_DGRAM)' 'connect("::ffff:127.0.0.1", 53, SOCK_DGRAM)' \
		'send("127.0.0.1")' 'send("::1")' 'send("::ffff:127.0.0.1")' 'send("::")' \
		'unspec("127.0.0.1", 53)' 'four_of_six("127.0.0.1", 53)' 'fast_open("127.0.0.1")')"
done
is "loopback: not the host's" "$(printf 'ECONNREFUSED\n%.0s' 1 2 3 4)" \
	"$(py www 'connect("127.0.0.1", 8080)' 'connect("::1", 8080)' \
	'connect("127.0.0.1", 8080, SOCK_DGRAM)' 'connect("::1", 8080, SOCK_DGRAM)')"
is "loopback: the host's own is as it was" "host 127.0.0.1 at 127.0.0.1 ECONNREFUSED" \
	"$(py host 'connect("127.0.0.1", 8080)' 'connect("127.0.0.1", 81)' | paste -sd' ')"
is "source: the jail's, unbound" "$(printf '%s\n' "host 10.0.0.2 at 203.0.113.2" \
	"host fd00::2 at 2001:db8:113::2" "host 10.0.0.2 at ::ffff:203.0.113.2" \
	"host 10.0.0.2 at 203.0.113.2" "host fd00::2 at 2001:db8:113::2" \
	"host 10.0.0.2 at ::ffff:203.0.113.2" "host 10.0.0.2 at 203.0.113.2" \
	"host fd00::2 at 2001:db8:113::2" "host 10.0.0.2 at ::ffff:203.0.113.2" \
	"host 10.0.0.2" "host 10.0.0.2" "host 10.0.0.2")" \
	"$(py www 'connect("203.0.113.2", 8000)' 'connect("2001:db8:113::2", 8000)' \
	'connect("::ffff:203.0.113.2", 8000)' 'connect("203.0.113.2", 8000, SOCK_DGRAM)' \
	'connect("2001:db8:113::2", 8000, SOCK_DGRAM)' \
	'connect("::ffff:203.0.113.2", 8000, SOCK_DGRAM)' 'send("203.0.113.2", 8000)' \
	'send("2001:db8:113::2", 8000)' 'send("::ffff:203.0.113.2", 8000)' \
	'unspec("203.0.113.2", 8000)' 'four_of_six("203.0.113.2", 8000)' \
	'fast_open("203.0.113.2", 8000)')"
is "source: to a sibling" "$(printf '%s\n' "db 10.0.0.2 at 10.0.0.3" "db fd00::2 at fd00::3" \
	"db 10.0.0.2 at 10.0.0.3")" \
	"$(py www 'connect("10.0.0.3")' 'connect("fd00::3")' 'send("10.0.0.3")')"
is "source: another's in a message" "$(printf 'EADDRNOTAVAIL\n%.0s' 1 2 3 4)" \
	"$(py www 'send("203.0.113.2", 8000, "10.0.0.3")' 'send("203.0.113.2", 8000, "203.0.113.2")' \
	'send("2001:db8:113::2", 8000, "fd00::3")' 'connected("203.0.113.2", 8000, "10.0.0.3")')"
is "source: its own in a message" "$(printf '%s\n' "host 10.0.0.2 at 203.0.113.2" \
	"host fd00::2 at 2001:db8:113::2" "host 10.0.0.2" "host 10.0.0.2 at 203.0.113.2" \
	"host fd00::2 at 2001:db8:113::2")" \
	"$(py www 'send("203.0.113.2", 8000, "10.0.0.2")' 'send("2001:db8:113::2", 8000, "fd00::2")' \
	'connected("203.0.113.2", 8000, "10.0.0.2")' 'send("203.0.113.2", 8000, "127.0.0.1")' \
	'send("2001:db8:113::2", 8000, "::1")')"
says "source: a port on all addresses is connected to nobody" www EADDRNOTAVAIL 'late("203.0.113.2", 8000)'
says "connect: IPv6 in a jail without" old EADDRNOTAVAIL 'connect("2001:db8:113::2", 8000)'
says "connect: ::1 in a jail without IPv6" old EADDRNOTAVAIL 'connect("::1", 8080)'
says "send: IPv6 in a jail without" old EADDRNOTAVAIL 'send("2001:db8:113::2", 8000)'

# ---- several addresses, devices ---------------------------------------------

serve_in many many 'tcp:[fd00:7::7]:81' tcp:0.0.0.0:81
is "many: the first one, unless another is nearer" "$(printf '%s\n' 10.0.0.7 203.0.113.5 \
	fd00::7 fd00:7::7 "host 203.0.113.5 at 203.0.113.2" "www 10.0.0.7 at 10.0.0.2" \
	"neighbour 203.0.113.5 at 203.0.113.66" "www fd00::7 at fd00::2" \
	"many fd00:7::7 at fd00:7::7" "many 10.0.0.7 at 127.0.0.1" \
	"neighbour 203.0.113.5 at 203.0.113.66")" \
	"$(py many 'bind("0.0.0.0")' 'bind("203.0.113.5")' 'bind("::")' 'bind("fd00:7::7")' \
	'connect("203.0.113.2", 8000)' 'connect("10.0.0.2")' 'connect("203.0.113.66", 8000)' \
	'connect("fd00::2")' 'connect("fd00:7::7")' 'connect("127.0.0.1")' \
	'connect("203.0.113.66", 8000, device=b"igb0")')"
says "many: another's on one of its networks" many EADDRNOTAVAIL 'bind("203.0.113.2")'
says "many: and on a device" many EADDRNOTAVAIL \
	'connect("203.0.113.66", 8000, source="203.0.113.2", device=b"igb0")'

# ---- sockets, and what arrives ----------------------------------------------

set_sysctl "$HOST" 'net/ipv4/ping_group_range=0 2147483647'
is "raw and ping sockets are refused" "$(printf 'EPERM\n%.0s' 1 2 3 4)" \
	"$(py www 'socket(AF_INET, SOCK_RAW, 1)' 'socket(AF_INET6, SOCK_RAW, 58)' \
	'socket(AF_INET, SOCK_RAW, 255)' 'socket(AF_INET, SOCK_DGRAM, 1)')"
says "raw sockets are allowed where the jail says so" old True \
	'socket(AF_INET, SOCK_RAW, 1).type == SOCK_RAW'
is "other protocols are refused" "$(printf 'EPROTONOSUPPORT\n%.0s' 1 2)" \
	"$(py old 'socket(AF_INET, SOCK_STREAM, 262)' 'socket(AF_INET, SOCK_DGRAM, 136)')"
says "a port on all addresses gets what is the jail's" www "to its own" \
	'guarded("203.0.113.2", "10.0.0.2")'
says "also of IPv6" www "to its own" 'guarded("2001:db8:113::2", "fd00::2")'
says "also of TCP" www "None nothing" 'listens("203.0.113.2", "10.0.0.2")'
says "who leaves the cgroup is free" www 127.0.0.1 'freed("127.0.0.1")'

# ---- again, changed, gone ---------------------------------------------------

sp up www --cgroup "$mine/www"
is "up again" 0 "$rc"
says "up again: confined as before" www 10.0.0.2 'bind("0.0.0.0")'
sp --cgroup "$mine/www" up db
is "one cgroup is one jail's" 65 "$rc"
has "one cgroup is one jail's: says whose" "confines jail 'www' already \[E1840\]" "$err"
sed -i 's/10\.0\.0\.2/10.0.0.12/' "$TMP/jail.conf"
sp up www
is "another address: up" 0 "$rc"
says "another address: reaches the programs" www 10.0.0.12 'bind("0.0.0.0")'
in_jail old sleep 1000 2>/dev/null &
disown
wait_for 10 grep -q . "$mine/old/cgroup.procs"
read -r pid <"$mine/old/cgroup.procs"
sp --pid "$pid" up old
is "up --pid" 0 "$rc"
in_jail db sleep 1000 2>/dev/null &
disown
wait_for 10 grep -q . "$mine/db/cgroup.procs"
sp up db --cgroup "$mine/db"
has "packet sockets: that they cannot be refused is told" W1843 "$err"
mkdir -p "$mine/db/below"
cat >"$TMP/sniff.py" <<'END'
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
open(sys.argv[1], "w").close()
time.sleep(1000)
END
in_jail db/below python3 "$TMP/sniff.py" "$TMP/sniffs" 2>/dev/null &
disown
wait_for 10 test -e "$TMP/sniffs"
read -r pid <"$mine/db/below/cgroup.procs"
sp status
has "packet sockets: status names who has one" "jail +db .*packet sockets of python3 \(pid $pid\)" "$out"
sp --json status
is "packet sockets: in JSON too, and of this jail only" "db $pid python3" \
	"$(jq -r '.sallyport.status[0].jails[] | . as $j | .packet_sockets[] |
	"\($j.jail) \(.pid) \(.program)"' <<<"$out")"
sp doctor
has "packet sockets: doctor names who has one" "problem +packet socket of jail db, python3 \(pid $pid\)" "$out"
has "packet sockets: and the cure" "cure: .*--bounding-set -net_raw" "$out"
kill "$pid"
wait_for 10 rmdir "$mine/db/below"
sp doctor
is "packet sockets: none is none" "" "$(grep "packet socket" <<<"$out")"
mkdir "$mine/new"
sp --cgroup "$mine/new" up www
is "another cgroup: up" 0 "$rc"
says "another cgroup: it is confined" new 10.0.0.12 'bind("0.0.0.0")'
says "another cgroup: the first is free" www 0.0.0.0 'bind("0.0.0.0")'
sp down www
is "down" 0 "$rc"
is "down: free, with nothing left behind" "0.0.0.0 :: 127.0.0.1 True" \
	"$(py new 'bind("0.0.0.0")' 'bind("::")' 'bind("127.0.0.1")' \
	'socket(AF_INET, SOCK_RAW, 1).type == SOCK_RAW' | paste -sd' ')"
sp status --json
is "status: nobody" null "$(jq -r '.sallyport.status[0].jails[] | select(.jail == "www").confined' <<<"$out")"
sp_must up www
sp doctor
has "doctor: who is not confined" 'jail .*www.*not confined' "$out"
sp_must down www

# ---- what is refused --------------------------------------------------------

for case in "66 cgroup $mine/nowhere" "65 cgroup $CG" "65 cgroup /" "65 cgroup /proc" \
	"66 pid 4000000" "64 pid x" "64 pid 0"; do
	read -r want option value <<<"$case"
	sp "--$option" "$value" up db
	is "up --$option ${value#"$CG"}: exits $want" "$want" "$rc"
done
sp --cgroup "$mine/new" up www db
is "up --cgroup of two: exits 64" 64 "$rc"
sp --cgroup "$mine/new" --pid 1 up www
is "up --cgroup --pid: exits 64" 64 "$rc"
sp -n --cgroup "$mine/new" up www
says "up -n --cgroup: does nothing" new 0.0.0.0 'bind("0.0.0.0")'
# Leaks cannot be looked for while strace does
on_host env ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" \
	strace -qq -o /dev/null -e trace=bpf -e inject=bpf:error=EINVAL \
	"$SALLYPORT" --cgroup "$mine/new" up www 2>"$TMP/err"
is "a kernel without such programs: exits 69" 69 $?
has "a kernel without such programs: says so" "cannot confine the processes of .*Linux 5.18" \
	"$(paste -sd' ' "$TMP/err")"
on_host setpriv --bounding-set -bpf,-sys_admin "$SALLYPORT" --cgroup "$mine/new" up www 2>"$TMP/err"
is "without the right: exits 77" 77 $?
is "and the jail is not up" "" "$(on_host ip -o addr show to 10.0.0.12)"
sp destroy
is "destroy: all are free" "0.0.0.0 0.0.0.0" "$(for j in db many; do py $j 'bind("0.0.0.0")'; done | paste -sd' ')"
lab_done
