#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The live NAT and who means it ill or knows no better: callers at its control socket
# that are slow, many or gone.
#	SALLYPORT_LONG=1	and a worker that is stopped
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
lab_needs_tun natfoe
cat >jail.conf <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|10.9.0.2/32"; $forward = "tcp 8080:80"; }
END
lab_lo1 "$HOST" 10.9.0.2
serve_world
serve "$HOST" www tcp:10.9.0.2:80

start()
{
	: >nat.err
	nsenter --net="/run/netns/$HOST" -- "$SALLYPORT" -f jail.conf nat --inside tun:nat0 \
		--outside igb0 >nat.out 2>nat.err </dev/null &
	nat=$!
	wait_for 20 grep -q '^ready$' nat.err || cat nat.err
	keeper=$(pgrep -P "$nat")
}

stop()		# exit status in $rc
{
	rc=0
	kill "$nat" 2>/dev/null
	wait "$nat" 2>/dev/null || rc=$?
}

goes_on()	# NAME
{
	is "$1" "inet 203.0.113.2 www 198.51.100.7" \
		"$(ask "$HOST" --from 10.9.0.2 udp:192.0.2.80:53) $(ask "$CLIENT" tcp:203.0.113.2:8080)"
}

# ---- callers --------------------------------------------------------------------------

start
control=$(find /run/sallyport -name nat-control)
call()		# PROGRAM in python, that has connect() and the path
{
	"$PYTHON" -EsB -c '
import socket, sys, time
def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.settimeout(30)
    return s
def rest(s):
    data = b""
    try:
        while piece := s.recv(65536):
            data += piece
    except OSError:
        pass
    return data.decode(errors="replace").strip() or "nothing"
'"$1" "$control" 2>&1
}

has "a request in pieces is one" '"status": 0' "$(call '
s = connect()
for c in b"{\"do\": \"traffic\"}\n":
    s.send(bytes([c]))
print(rest(s))')"
is "two requests at once are none" '{"status": 64, "error": "no such request"}' "$(call '
s = connect()
s.send(b"{\"do\": \"traffic\"}\n{\"do\": \"traffic\"}\n")
print(rest(s))')"
is "half a request and an end is none" nothing "$(call '
s = connect()
s.send(b"{\"do\": \"tra")
s.shutdown(socket.SHUT_WR)
print(rest(s))')"
is "what is nested deeper than anybody needs is none" '{"status": 64, "error": "no such request"}' \
	"$(call '
s = connect()
s.send(b"[" * 1000 + b"\n")
print(rest(s))')"
has "who asks and leaves, asks a hundred times" '"status": 0' "$(call '
for i in range(100):
    s = connect()
    s.send(b"{\"do\": \"status\"}\n")
    s.close()
s = connect()
s.send(b"{\"do\": \"status\"}\n")
print(rest(s))')"

# A caller that says a byte now and then, as long as it is let
call '
import itertools
s = connect()
print("here", flush=True)
try:
    for i in itertools.count():
        s.send(b"x")
        time.sleep(0.3)
except OSError:
    print("gone")' >slow 2>&1 &
slow=$!
wait_for 10 grep -q here slow
kill -HUP "$nat"
check "a caller that is slow does not keep the NAT from a signal" \
	wait_for 5 grep -q "rules read anew" nat.err
check "and is sent away" wait_for 20 grep -q gone slow
kill "$slow" 2>/dev/null
goes_on "it goes on after them"
sp nat status
is "and answers" 0 "$rc"

# A thousand that say nothing and stay: who has something to say is heard beside them
descriptors()
{
	find "/proc/$keeper/fd" -mindepth 1 | wc -l
}
had=$(descriptors)
mkfifo stay
exec {stay}<>stay
ulimit -Sn "$(ulimit -Hn)"
call '
crowd = [connect() for i in range(1000)]
print("here", len(crowd), flush=True)
open("stay").readline()' >crowd 2>&1 &
crowd=$!
check "a thousand callers are let in" wait_for 20 grep -q 'here 1000' crowd
for what in status reload; do
	sp nat $what
	is "a thousand callers: another is served, $what" "0 " "$rc $err"
done
check "a thousand callers: they are kept apart from descriptors" \
	test "$(descriptors)" -le $((had + 8))
goes_on "it goes on beside a thousand callers"
echo >&"$stay"
kill "$crowd" 2>/dev/null

# Another user, where the socket is shown to all
directory=$(dirname "$control")
chmod 711 /run/sallyport "$directory"
chmod 666 "$control"
is "a thousand callers of another user are not heard" "0 of 1000" "$("$PYTHON" -EsB -c '
import os, socket, sys
try:
    os.setgroups([])
    os.setuid(65534)
except OSError:
    print("0 of 1000")      # no other user in this namespace
    sys.exit()
heard = 0
for i in range(1000):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(sys.argv[1])
    try:
        s.send(b"{\"do\": \"status\"}\n")
        heard += s.recv(100) != b""
    except (BrokenPipeError, ConnectionResetError):
        pass
print(heard, "of 1000")' "$control" 2>&1)"
chmod 600 "$control"
chmod 700 /run/sallyport "$directory"
sp nat status
is "and another is served after them" "0 " "$rc $err"

# Rules that take longer to read than anybody has to listen for
mv jail.conf good.conf
mkfifo jail.conf
on_host "$SALLYPORT" nat reload >told 2>&1 </dev/null &
asking=$!
read -rt 1.2 -u "$lab_never" || :
cat good.conf >jail.conf
rc=0
wait "$asking" || rc=$?
is "who had rules read for long is told how it went" "0 " "$rc $(cat told)"
mv good.conf jail.conf

# ---- stopped ----------------------------------------------------------------------------

# It takes the ten seconds that a worker is waited for
if [ -n "${SALLYPORT_LONG-}" ]; then
	worker=$(pgrep -P "$keeper")
	kill -STOP "$worker"
	sp nat status
	kill -CONT "$worker"
	goes_on "a worker that was stopped longer than it is waited for goes on"
	sp nat status
	is "what it said late ends nothing, and is no answer to what is asked now" "0 $worker" \
		"$rc $(pgrep -P "$keeper")"
fi
stop
lab_done
