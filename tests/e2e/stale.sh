#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A client that never rests reaches the new jail with its next packet when a forward
# is moved, and nobody when it is withdrawn; all other flows are left alone.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

# One packet from a port of the client's own, always the same: who answers
cat >"$TMP/packet.py" <<'END'
import socket, sys
port, to, to_port = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
s = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", port))
s.connect((to, to_port))
s.settimeout(5)
try:
    s.send(b"again")
    print(s.recv(100).decode().split()[0])
except ConnectionRefusedError:
    print("refused")
except TimeoutError:
    print("silence")
END
packet()	# NAMESPACE SOURCE-PORT ADDRESS PORT
{
	in_ns "$1" "$PYTHON" -EsB "$TMP/packet.py" "$2" "$3" "$4"
}

# The kernel's numbers of the flows from a source port
flow()		# SOURCE-PORT
{
	on_host "$SALLYPORT" --state-dir "$TMP/state" pfctl -vvss |
		awk -v p=":$1" '/^all/ { hit = index($0 " ", p " ") } /id:/ && hit { print $2 }'
}

declare_jails()	# WWW-FORWARD DB-FORWARD [DB-ADDRESS]
{
	cat >"$TMP/jail.conf" <<-END
		\$nat = "igb0";
		www {
			ip4.addr = "lo1|10.0.0.2/32"; ip6.addr = "lo1|fd00:100::2/128";
			\$forward = "udp 4000:53", "tcp 4001:80"${1:+, \"$1\"};
		}
		db {
			ip4.addr = "lo1|${3:-10.0.0.3}/32"; ip6.addr = "lo1|fd00:100::3/128";
			${2:+\$forward = \"$2\";}
		}
	END
}

st()
{
	sp_must --state-dir "$TMP/state" --no-verify "$@"
}

apply()
{
	st -q -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
}

lab_build
printf '%s\n' 'cloned_interfaces="lo1"' 'gateway_enable="YES"' >"$TMP/rc.conf"
out4=203.0.113.2 out6=2001:db8:113::2
declare_jails "udp 5000:53"
apply
for a in 4 5; do on_host ip addr add 10.0.0.$a/32 dev lo; done
serve "$HOST" www udp:10.0.0.2:53 'udp:[fd00:100::2]:53' tcp:10.0.0.2:80
serve "$HOST" db udp:10.0.0.3:53 'udp:[fd00:100::3]:53'
serve "$HOST" moved udp:10.0.0.4:53
serve "$HOST" foreign udp:10.0.0.5:53
serve "$HOST" host udp:203.0.113.2:6000
on_host nft -f - <<-'END'
	table ip other {
		chain in {
			type nat hook prerouting priority -110;
			udp dport 6500 dnat to 10.0.0.5:53
		}
	}
END

# ---- what nothing below may touch ---------------------------------------------

is "a forward that stays" www "$(packet "$CLIENT" 7001 $out4 4000)"
is "a service of the host" host "$(packet "$CLIENT" 7002 $out4 6000)"
is "a forward of another table" foreign "$(packet "$CLIENT" 7003 $out4 6500)"
before=$(flow 7001)
has "a flow is known by its number" '^[0-9a-f]{16}$' "$before"
mkfifo "$TMP/go"
exec {go}<>"$TMP/go"
in_ns "$CLIENT" bash -c '
	exec 3<>/dev/tcp/203.0.113.2/4001
	for i in 1 2; do
		echo "hold $i" >&3
		read -rt 8 answer <&3
		echo "$i ${answer%% *}"
		read -r
	done' <"$TMP/go" >"$TMP/held" 2>&1 &
wait_for 10 grep -q ^1 "$TMP/held"

# ---- moved --------------------------------------------------------------------

is "before it is moved" www "$(packet "$CLIENT" 7100 $out4 5000)"
is "before it is moved, IPv6" www "$(packet "$CLIENT" 7100 $out6 5000)"
is "before it is moved, from the host" www "$(packet "$HOST" 7101 $out4 5000)"
declare_jails "" "udp 5000:53"
apply
is "moved: the next packet reaches the new jail" db "$(packet "$CLIENT" 7100 $out4 5000)"
is "moved: of IPv6 too" db "$(packet "$CLIENT" 7100 $out6 5000)"
is "moved: and from the host" db "$(packet "$HOST" 7101 $out4 5000)"
declare_jails "" "udp 5000:53" 10.0.0.4
on_host ip addr del 10.0.0.4/32 dev lo
apply
is "the jail has another address" moved "$(packet "$CLIENT" 7100 $out4 5000)"
declare_jails "" ""
apply
is "withdrawn" refused "$(packet "$CLIENT" 7100 $out4 5000)"
declare_jails "udp 5000:53" ""
apply
is "and back, though a packet came meanwhile" www "$(packet "$CLIENT" 7100 $out4 5000)"

# ---- at run time, the short way and the long ------------------------------------

st forward add db udp 5001:53
for name in "" "the long way: "; do
	way=()
	[ -z "$name" ] || way=(-D x=1)
	is "${name}added" db "$(packet "$CLIENT" 7200 $out4 5001)"
	st "${way[@]}" forward del db udp 5001
	is "${name}deleted" refused "$(packet "$CLIENT" 7200 $out4 5001)"
	st "${way[@]}" forward add www udp 5001:53
	is "${name}for another jail" www "$(packet "$CLIENT" 7200 $out4 5001)"
	st "${way[@]}" forward off www udp 5001
	is "${name}off" refused "$(packet "$CLIENT" 7200 $out4 5001)"
	st "${way[@]}" forward on www udp 5001
	is "${name}on again" www "$(packet "$CLIENT" 7200 $out4 5001)"
	st "${way[@]}" forward del www udp 5001
	st "${way[@]}" forward add db udp 5001:53
done
on_host nft delete table inet sallyport
st apply
st forward del db udp 5001
is "deleted, its counter younger than the flow" refused "$(packet "$CLIENT" 7200 $out4 5001)"
st forward add db udp 5001:53
is "before the jail is down" db "$(packet "$CLIENT" 7200 $out6 5001)"
st down db
is "the jail is down" refused "$(packet "$CLIENT" 7200 $out6 5001)"

# ---- the others ---------------------------------------------------------------

st forward add www udp 6000:53 --share
is "a flow that the host serves is not taken away" host "$(packet "$CLIENT" 7002 $out4 6000)"
is "a new one goes to the jail" www "$(packet "$CLIENT" 7300 $out4 6000)"
is "a forward that stays: it works" www "$(packet "$CLIENT" 7001 $out4 4000)"
is "a forward of another table: it works" foreign "$(packet "$CLIENT" 7003 $out4 6500)"
is "a flow is the same" "$before" "$(flow 7001)"
echo >&"$go"
wait_for 10 grep -q ^2 "$TMP/held"
is "a connection is whole" "1 www 2 www" "$(paste -sd' ' "$TMP/held")"
lab_done
