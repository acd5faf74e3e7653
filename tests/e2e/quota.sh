#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What of a forward is for some time or up to some number only, and what is
# counted of it: with real connections.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build

cat >"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1"
gateway_enable="YES"
END
cat >"$TMP/jail.conf" <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|192.168.100.2/32"; $forward = "tcp 4000:80"; }
db { ip4.addr = "lo1|192.168.100.3/32"; }
END
fw_must() { sp_must forward "$@"; }
from_client() { ask "$CLIENT" "$@"; }	# PROTO:ADDR:PORT...

sp_must -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
serve "$HOST" www {tcp,udp}:192.168.100.2:{80,443}
serve "$HOST" db {tcp,udp}:192.168.100.3:80

# ---- until: nothing of ours runs when it ends ----------------------------------

open_for() { fw_must add www tcp 8443:443 --until "$1s"; }
close_it() { fw_must del www tcp 8443; }
all_ask() { from_client tcp:203.0.113.2:844{3,4}; ask "$HOST" tcp:203.0.113.2:8443; }
fw_must add www tcp 8444:443 --until 1h
while_open open_for close_it all_ask
is "until: before, and of the host itself" "www 198.51.100.7 www 198.51.100.7 www 203.0.113.2" \
	"$(paste -sd' ' <<<"$out")"
has "until: the kernel knows" 'meta time < "20' "$(on_host nft list table inet sallyport)"
ended() { [ "$(from_client tcp:203.0.113.2:8443)" = refused ]; }
check "until: it ends by itself" wait_for 60 ended
is "until: for the host itself" refused "$(ask "$HOST" tcp:203.0.113.2:8443)"
is "until: no other does" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:8444)"
sp_must apply
is "until: after the next run" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:8444)"
sp status
is "until: no drift" 0 "$rc"
sp verify
is "until: proven" 0 "$rc"
on_host nft -a list table inet sallyport | awk '/chain/ { c = $2 }
/meta time/ { print "delete rule inet sallyport", c, "handle", $NF }' >"$TMP/ends.nft"
on_host nft -f "$TMP/ends.nft"
sp verify
is "until: without its rule" 1 "$rc"
has "until: it is told with a packet" "203.0.113.2:8444" "$out"
sp_must apply

# ---- traffic: all packets, each once ---------------------------------------------

used()	# EXTERNAL MEMBER
{
	sp forward list --json
	jq -r ".sallyport.forward[] | select(.external == \"$1\") | .$2" <<<"$out"
}

is "traffic: nothing yet" "0 null" "$(used 203.0.113.2:4000 packets) $(used 203.0.113.2:4000 last_use)"
from_client tcp:203.0.113.2:4000 >/dev/null
n=$(used 203.0.113.2:4000 packets)
check "traffic: all packets of a connection" test "$n" -ge 8
check "traffic: and their bytes" test "$(used 203.0.113.2:4000 bytes)" -ge $((n * 40))
has "traffic: its last use" '^20[0-9-]+T' "$(used 203.0.113.2:4000 last_use)"
from_client tcp:203.0.113.2:4000 >/dev/null
is "traffic: as many of the next" $((2 * n)) "$(used 203.0.113.2:4000 packets)"
ask "$HOST" tcp:203.0.113.2:4000 >/dev/null
is "traffic: of the host itself, over lo, each once" $((3 * n)) "$(used 203.0.113.2:4000 packets)"
sp_must -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
fw_must add db udp 5300:80
is "traffic: outlives a reload" $((3 * n)) "$(used 203.0.113.2:4000 packets)"
from_client udp:203.0.113.2:5300 >/dev/null
is "traffic: UDP, there and back" 2 "$(used 203.0.113.2:5300 packets)"
sp status
is "traffic: what is counted is no drift" 0 "$rc"

# ---- quotas ------------------------------------------------------------------------

many()	# N PROTO:ADDR:PORT [SECONDS], one after the other; who answers and how often
{
	local i
	for ((i = 0; i < $1; i++)); do ask "$CLIENT" --wait "${3-8}" "$2"; done | cut -d' ' -f1 |
		sort | uniq -c | awk '{ print $1, $2 }' | paste -sd' '
}
fw_must add www tcp 9000:80 --rate 3/h
fw_must add www udp 9000-9001:80 --rate 2/h
is "rate: so many new connections" "3 www" "$(many 3 tcp:203.0.113.2:9000)"
is "rate: and no more" "2 silence" "$(many 2 tcp:203.0.113.2:9000 0.2)"
has "rate: another forward of the jail has its own" "^1 www$" "$(many 1 tcp:203.0.113.2:4000)"
has "rate: the ports of a range share it" "^2 www$" "$(many 2 udp:203.0.113.2:9000)"
has "rate: the ports of a range share it" "^1 silence$" "$(many 1 udp:203.0.113.2:9001 0.2)"
is "rate: the host itself is bound by it" silence "$(ask "$HOST" --wait 0.3 tcp:203.0.113.2:9000)"
sp status
is "rate: no drift" 0 "$rc"
sp verify
is "rate: proven" 0 "$rc"
fw_must del www tcp 9000
fw_must del www udp 9000-9001

fw_must add db tcp 9002:80 --max 2
hold()	# ADDR PORT N MAY, connections that stay open; how many there are; so many may be
{
	in_ns "$CLIENT" "$PYTHON" -c 'import socket, sys
held = []
for i in range(int(sys.argv[3])):
    s = socket.socket()
    s.settimeout(20 if i < int(sys.argv[4]) else 0.3)
    try:
        s.connect((sys.argv[1], int(sys.argv[2])))
        held.append(s)
    except OSError:
        pass
print(len(held))' "$@"
}
is "max: so many at once" 2 "$(hold 203.0.113.2 9002 3 2)"
is "max: and again when they are gone" 2 "$(hold 203.0.113.2 9002 3 2)"

# ---- of a jail -----------------------------------------------------------------------

sed '/^db/s/}/$forward = "tcp 4001:80"; $limit = "rate 4\/h"; }/' "$TMP/jail.conf" >"$TMP/limit.jail.conf"
sp_must -f "$TMP/rc.conf" -f "$TMP/limit.jail.conf" apply
serve "$INET" out tcp:192.0.2.80:80
out()	# ADDRESS of the jail
{
	ask "$HOST" --wait "${2-8}" --from "$1" tcp:192.0.2.80:80
}
is "limit: what it gets" "2 db" "$(many 2 tcp:203.0.113.2:4001)"
all_are "limit: and what it sends" "out 203.0.113.2" "$(out 192.168.100.3; out 192.168.100.3)"
is "limit: count together: sent" silence "$(out 192.168.100.3 0.3)"
is "limit: count together: got" "1 silence" "$(many 1 tcp:203.0.113.2:4001 0.3)"
is "limit: a flood takes nothing from its neighbour" "out 203.0.113.2" "$(out 192.168.100.2)"
is "limit: nor from what it gets" "5 www" "$(many 5 tcp:203.0.113.2:4000)"
has "limit: whose it is" 'limit.jail.conf:3 limit of jail db' "$(on_host nft list table inet sallyport)"
sp status
is "limit: no drift" 0 "$rc"

# ---- blocks of ports ---------------------------------------------------------------

sed 's/^www {/& $ports = "8";/; s/^db {/& $ports = "512";/' "$TMP/jail.conf" >"$TMP/ports.jail.conf"
sp_must -f "$TMP/rc.conf" -f "$TMP/ports.jail.conf" apply
outside()	# ADDRESS of the jail, N connections at once: their outside ports; so many MAY be
{
	on_host "$PYTHON" -c 'import socket, sys
held = []
for i in range(int(sys.argv[2])):
    s = socket.socket()
    s.settimeout(20 if i < int(sys.argv[3]) else 0.3)
    s.bind((sys.argv[1], 0))
    try:
        s.connect(("192.0.2.80", 80))
        s.sendall(b"?\n")
        held.append((s, s.makefile().readline().split()[-1]))
    except OSError:
        pass
print(*sorted(int(port) for s, port in held))' "$@"
}
is "ports: a jail has its own, and no others" "1024 1025 1026 1027 1028 1029 1030 1031" \
	"$(outside 192.168.100.2 10 8)"
has "ports: that takes none of its neighbour's" '^(1[0-9]{3} ?){3}$' "$(outside 192.168.100.3 3 3)"
sp_must down www
has "ports: they stay the neighbour's when it is down" '^1(0[3-9][0-9]|[1-4][0-9]{2}|5[0-4][0-9]) ?$' \
	"$(outside 192.168.100.3 1 1)"

lab_done
