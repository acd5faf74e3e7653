#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The live NAT while it runs: who may ask it what, rules read anew with flows kept,
# forwards that come and go, and each event a line.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
cd "$TMP" || exit 71
lab_needs_tun natctl
cat >rc.conf <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
cloned_interfaces="lo1"
END
cat >jail.conf <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|10.9.0.2/32"; $forward = "tcp 8080:80"; }
db { ip4.addr = "lo1|10.9.0.3/32"; }
END
lab_lo1 "$HOST" 10.9.0.2 10.9.0.3
serve_world
serve "$HOST" www tcp:10.9.0.2:80
serve "$HOST" db tcp:10.9.0.3:5432
files=(-f rc.conf -f jail.conf)

start()
{
	rm -f nat.err
	nsenter --net="/run/netns/$HOST" -- "$SALLYPORT" "${files[@]}" nat --inside tun:nat0 \
		--outside igb0 >nat.out 2>nat.err </dev/null &
	nat=$!
	wait_for 10 grep -q '^ready$' nat.err || cat nat.err
}

stop()		# exit status in $rc
{
	rc=0
	kill "$nat"
	wait "$nat" 2>/dev/null || rc=$?
}

nat_is()	# PATH VALUE
{
	sp --json nat status
	[ "$(jq -r ".sallyport.nat[0].$1" <<<"$out")" = "$2" ]
}

sp nat status
has "none runs: E2806" "^66 .*E2806" "$rc $err"
sp "${files[@]}" -n nat --inside tun:nat0 --outside igb0
is "with -n it is only looked at: nothing starts" "0 " "$rc $err"
for word in 127.0.0.1 0.0.0.0 224.0.0.1 10.9.0.2 203.0.113.9,::1; do
	sp "${files[@]}" -n nat --inside tun:nat0 --outside igb0 --outside-address "$word"
	has "no address for outside: $word" "^64 .*--outside-address .*${word#*,}" "$rc $err"
done
for word in "--write x" --explain; do
	# shellcheck disable=SC2086
	sp "${files[@]}" -n nat --inside tun:nat0 --outside igb0 $word
	has "what is of captures alone: $word" "^64 .*--read" "$rc $err"
done
start
control=$(find /run/sallyport -name nat-control)
is "its socket is its user's alone" "600 0" "$(stat -c '%a %u' "$control")"

# ---- who asks what ----------------------------------------------------------------

talk()		# TEXT
{
	"$PYTHON" -EsB -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode())
data = b""
try:
    while piece := s.recv(65536):
        data += piece
except ConnectionResetError:
    pass
sys.stdout.write(data.decode() or "nothing\n")
' "$control" "$@" 2>&1 || :
}
is "what is no request" '{"status": 64, "error": "no such request"}' "$(talk $'{"do": "dance"}\n')"
is "nor JSON" '{"status": 64, "error": "no such request"}' "$(talk $'\x01{{{{\n')"
is "nor of its kind" '{"status": 64, "error": "no such request"}' "$(talk $'{"do": ["status"]}\n')"
is "longer than any" nothing "$(talk "$(printf '%02000d' 0)")"
is "one that never ends its line" nothing "$(talk '{"do": "status"}')"
has "and it answers the next" '"status": 0' "$(talk $'{"do": "status"}\n')"
if [ "$(awk '{ print $3; exit }' /proc/self/uid_map)" -ge 65535 ]; then
	chmod 777 "$control"
	is "another user is not answered, whatever the file's mode is" nothing \
		"$(setpriv --reuid=1234 --clear-groups -- "$PYTHON" -EsB -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"{\"do\": \"status\"}\n")
print(s.recv(65536).decode() or "nothing")' "$(dirname "$control")/nat-control" 2>&1 |
		sed 's/.*Permission denied.*/nothing/; s/.*ConnectionReset.*/nothing/' | tail -n 1)"
	chmod 600 "$control"
	rc=0
	err=$(on_host setpriv --reuid=1234 --clear-groups -- "$SALLYPORT" nat status 2>&1) || rc=$?
	has "who may not ask is told that, not that none runs" "^77 .*ermission" "$rc $err"
fi

# ---- counts -------------------------------------------------------------------------

is "out" "inet 203.0.113.2" "$(ask "$HOST" --from 10.9.0.2 udp:192.0.2.80:53)"
check "its packets are counted" nat_is "flows" 1
check "by interface" nat_is "outside.interface" igb0
sp "${files[@]}" --json status
is "status has them too" 1 "$(jq '.sallyport.status[0].nat.flows_made' <<<"$out")"
sp nat status
has "as text" "^nat +1 flows .1 since the start., 1 mappings" "$out"

# ---- rules anew ---------------------------------------------------------------------

mapping=$(ask "$HOST" --from 10.9.0.2:4000 --ports udp:192.0.2.80:53)
stand 10.9.0.2
check "a connection stands" still_stands

sed -i 's/8080:80/8080:80,8081:80/; s/db {/db { $forward = "tcp 5432";/' jail.conf
sp nat reload
is "rules are read anew" "0 " "$rc $err"
is "and hold" "www 198.51.100.7 www 198.51.100.7 db 198.51.100.7" \
	"$(ask "$CLIENT" tcp:203.0.113.2:{8080,8081,5432} | xargs)"
is "a mapping is the one it was" "$mapping" \
	"$(ask "$HOST" --from 10.9.0.2:4000 --ports udp:192.0.2.80:53)"
check "and so is the connection" still_stands
check "counts go on" nat_is "generation" 2
is "one line says so" 1 "$(grep -c 'rules read anew, flows kept' nat.err)"

sed -i 's/,8081:80//' jail.conf
kill -HUP "$nat"
check "SIGHUP does the same" wait_for 10 nat_is generation 3
is "what is forwarded no more is refused by the host" refused \
	"$(ask "$CLIENT" tcp:203.0.113.2:8081)"
is "the rest goes on" "db 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:5432)"

cp jail.conf good.conf
echo 'www { $forward = "tcp nonsense"; }' >>jail.conf
sp nat reload
has "rules with an error are refused: E2805" "^65 .*E2805" "$rc $err"
has "the NAT says which line" "jail.conf:[0-9]+:" "$(cat nat.err)"
is "and goes on with what it had" "www 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
check "in the same generation" nat_is generation 3
cp good.conf jail.conf
for _ in {1..10}; do
	sp nat reload
done
check "ten times more" nat_is generation 13
check "the connection is answered on" still_stands
is "no process is left of those" 3 "$(pgrep -c -f "inside tun:nat0")"

# ---- forwards that come and go ------------------------------------------------------

sp forward add www tcp 9000:80
is "a forward is added to what runs" "0 " "$rc $err"
is "and leads in at once" "www 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:9000)"
sp "${files[@]}" forward add www tcp 5432:80
is "one whose port is taken is refused" 65 "$rc"
sp forward add nobody tcp 9001:80
is "and one for no jail" 65 "$rc"
sp forward off www tcp 9000
is "switched off" "0 refused" "$rc $(ask "$CLIENT" tcp:203.0.113.2:9000)"
sp forward on www tcp 9000
is "and on" "0 www 198.51.100.7" "$rc $(ask "$CLIENT" tcp:203.0.113.2:9000)"
stop
start
is "it outlives a restart" "www 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:9000)"
is "as the mapping does" "$mapping" \
	"$(ask "$HOST" --from 10.9.0.2:4000 --ports udp:192.0.2.80:53)"
sp forward del www tcp 9000
is "forgotten" "0 refused" "$rc $(ask "$CLIENT" tcp:203.0.113.2:9000)"
check "the connection has outlived all that" still_stands

# ---- files that may not grow --------------------------------------------------------

keeper=$(pgrep -P "$nat")
prlimit --pid "$keeper" --fsize=0:unlimited
is "a state that cannot be written is told" '{"status": 71}' "$(talk $'{"do": "save"}\n')"
sp nat reload
is "rules cannot be read anew" 71 "$rc"
is "it goes on with what it had" "www 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
prlimit --pid "$keeper" --fsize=unlimited
sp nat reload
is "and does both when they may grow" '0 {"status": 0}' "$rc $(talk $'{"do": "save"}\n')"

# ---- who takes away all else ---------------------------------------------------------

sp destroy
is "destroy leaves it alone" "0 www 198.51.100.7" "$rc $(ask "$CLIENT" tcp:203.0.113.2:8080)"
check "it is asked as before" nat_is outside.interface igb0
sp "${files[@]}" nat --inside tun:nat1 --outside igb0
has "and is still the only one: E2804" "^75 .*E2804" "$rc $err"
echo nonsense >bad.pf.conf
sp -f bad.pf.conf apply
is "an apply that is refused" 65 "$rc"
check "leaves it alone too" nat_is outside.interface igb0

# ---- ends ---------------------------------------------------------------------------

worker=$(pgrep -P "$(pgrep -P "$nat")")
kill -KILL "$worker"
rc=0
wait "$nat" || rc=$?
is "a worker is killed: all ends" 70 "$rc"
has "and says so: E2803" "E2803" "$(cat nat.err)"
is "and nothing is left" "0 0" \
	"$(on_host ip rule | grep -c 21328) $(on_host nft list tables | grep -c sallyport)"
check "nor the socket" test ! -e "$control"
start
head -c 200 /dev/urandom >bad.state
stop
sp -f rc.conf -f jail.conf nat --inside tun:nat0 --outside igb0 --state bad.state
has "a state file that is none is refused: E2824" "^65 .*E2824" "$rc $err"

# ---- beside what is applied ----------------------------------------------------------

lab_build
serve_world
sp_must "${files[@]}" apply --nat-path userspace
serve "$HOST" www tcp:10.9.0.2:80
files=()
start
is "without files it is the NAT of what was applied" "inet 203.0.113.2 www 198.51.100.7" \
	"$(ask "$HOST" --from 10.9.0.2 tcp:192.0.2.80:80) $(ask "$CLIENT" tcp:203.0.113.2:8080)"
sp forward add www tcp 9000:80
is "a forward is added to both" "0 www 198.51.100.7" \
	"$rc $(ask "$CLIENT" tcp:203.0.113.2:9000)"
sp down www
is "a jail goes down: nothing leads to it" "0 refused" "$rc $(ask "$CLIENT" tcp:203.0.113.2:9000)"
sp up www
is "and up: it is led to again" "0 www 198.51.100.7" "$rc $(ask "$CLIENT" tcp:203.0.113.2:9000)"
sed -i 's/8080:80/8088:80/' jail.conf
sp apply
is "what is applied holds for the NAT at once" "0 www 198.51.100.7" \
	"$rc $(ask "$CLIENT" tcp:203.0.113.2:8088)"
sp status
has "there is no drift" "^0 .*drift +none" "$rc $(xargs <<<"$out")"
stop
is "it ends as it should" 0 "$rc"
lab_done
