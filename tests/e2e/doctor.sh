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
lab_etc
conf=/etc/nftables.conf
rm -f $conf

# ---- a healthy host --------------------------------------------------------

sp "${files[@]}" doctor
is "before apply: exits 1" 1 "$rc"
has "before apply: what is declared is not there" "^problem +this host: nothing is applied: [0-9]+ things are declared and not there" "$out"
is "before apply: in one line, with what else will stop jails" "this host sysctl net.ipv4.ip_forward" \
	"$(sed -n 's/^problem *\([^:]*\):.*/\1/p' <<<"$out" | paste -sd ' ')"
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
on_host nft -f - <<'END'
flush chain inet filter input
table inet filter {
	set allowed { type inet_service; elements = { 22, 8080 } }
	chain web {
		ip daddr 10.0.0.0/24 tcp dport { 80, 443 } counter reject
	}
}
add rule inet filter input tcp dport @allowed accept
add rule inet filter input ip saddr 192.0.2.1 drop
add rule inet filter input tcp dport 81-90 drop
add rule inet filter input meta l4proto tcp ct state new jump web
END
is "a rule with conditions: the forward is dead" silence \
	"$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:80 | sed 's/^refused$/silence/')"
sp --json doctor
handle=$(on_host nft -a list chain inet filter web | sed -n 's/.*reject.* # handle //p')
is "a rule with conditions: is the one problem, by its handle" \
	"table inet filter, chain input (hook input, priority 10), rule with handle $handle" \
	"$(jq -r '.sallyport.doctor[] | select(.severity == "problem") | .object' <<<"$out")"
has "a rule with conditions: says what suffers" 'it drops what is forwarded to 10\.0\.0\.2:80' "$out"
on_host bash -c "$(jq -r '.sallyport.doctor[0].cure' <<<"$out")"
is "a rule with conditions: the cure brings the forward to life" "web 198.51.100.7" \
	"$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:80)"
sp doctor
is "a rule with conditions: cured, nothing is found" 0 "$rc"
on_host nft delete table inet filter

# ---- what jails send, and those with a link of their own --------------------

cat >>"$TMP/jail.conf" <<'END'
v { vnet; $address = "10.1.0.5"; $forward = "tcp 8080:80"; }
w { vnet; $address = "10.1.0.6"; }
END
for jail in v w; do sp_must "${files[@]}" --no-verify up $jail --create; done
sp_must --no-verify apply
serve v own tcp:10.1.0.5:80
serve "$INET" world tcp:192.0.2.80:80
# A forward to a link, its jail and an alias jail to the world, a jail to its sibling
alive="own 198.51.100.7 world 203.0.113.2 world 203.0.113.2 own 10.1.0.6"
ways()
{
	local pids=() w

	ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:8080 >"$TMP/way1" & pids+=($!)
	ask v --wait "$GONE" tcp:192.0.2.80:80 >"$TMP/way2" & pids+=($!)
	ask "$HOST" --from 10.0.0.2 --wait "$GONE" tcp:192.0.2.80:80 >"$TMP/way3" & pids+=($!)
	ask w --wait "$GONE" tcp:10.1.0.5:80 >"$TMP/way4" & pids+=($!)
	for w in "${pids[@]}"; do wait "$w"; done
	cat "$TMP"/way[1-4] | paste -sd ' '
}
is "all ways are open" "$alive" "$(ways)"
sp doctor
is "all ways are open: nothing is found" 0 "$rc"
while IFS='|' read -r name chain rules dead; do
	on_host nft -f - <<-END
		table inet filter {
			chain $name {
				$chain
				$rules
			}
		}
	END
	is "chain $name, $rules: what is dead" "$dead" "$(ways | sed 's/refused/silence/g')"
	sp --json doctor
	is "chain $name, $rules: is a problem" 1 "$rc"
	on_host bash -c "$(jq -r '.sallyport.doctor[] | select(.severity == "problem") | .cure' <<<"$out")"
	is "chain $name, $rules: the cure opens all ways" "$alive" "$(ways)"
	sp doctor
	is "chain $name, $rules: cured, nothing is found" 0 "$rc"
	on_host nft delete table inet filter
done <<'END'
forward|type filter hook forward priority 10; policy drop;|ct status dnat accept|own 198.51.100.7 silence world 203.0.113.2 silence
forward|type filter hook forward priority 10;|ct state established accept; ip saddr 10.1.0.0/24 reject|own 198.51.100.7 silence world 203.0.113.2 silence
output|type filter hook output priority 10; policy drop;|ct state established accept|own 198.51.100.7 world 203.0.113.2 silence own 10.1.0.6
postrouting|type filter hook postrouting priority 10; policy drop;|ct state established accept|silence silence silence silence
END
# Rules that let all of it through are no finding
on_host nft -f - <<'END'
table inet filter {
	chain forward {
		type filter hook forward priority 10; policy drop;
		ct state established,related accept
		iifname "epair*" accept
		ct status dnat accept
		meta iif != lo drop
	}
	chain output {
		type filter hook output priority 10; policy drop;
		ct direction reply accept
		ip saddr { 10.0.0.0/24, 203.0.113.2 } accept
	}
}
END
is "a firewall that lets jails through: all ways are open" "$alive" "$(ways)"
sp doctor
is "a firewall that lets jails through: nothing is found" 0 "$rc"
on_host nft delete table inet filter
for jail in v w; do sp_must --no-verify down $jail; done
sed -i '/vnet/d' "$TMP/jail.conf"
sp_must apply

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

# Each kind of socket, by the programs of the guides, with what to write in which file: the
# host's own address of the socket's family
echo 'ifconfig_igb0_ipv6="inet6 2001:db8:113::2 prefixlen 64"' >>"$TMP/rc.conf"
sp_must "${files[@]}" apply
cat >"$TMP/service.py" <<'END'
import os, signal, socket, sys
name, kind, port = sys.argv[1:4]
open("/proc/self/comm", "w").write(name)
if kind == "raw":
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 89)
elif kind in ("tcp", "tcp6", "dual"):
    s = socket.socket(socket.AF_INET if kind == "tcp" else socket.AF_INET6)
    if kind != "tcp":
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(kind == "tcp6"))
    s.bind(("", int(port)))
    s.listen()
else:
    s = socket.socket(socket.AF_INET if kind == "udp" else socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind(("", int(port)))
os.write(int(sys.argv[-1]), b"ready\n")
signal.pause()
END
# Its own process is in $lab_pid
start_service()	# PROGRAM KIND PORT
{
	lab_start "$TMP/service.log" nsenter --net="/run/netns/$HOST" -- "$PYTHON" -EsB \
		"$TMP/service.py" "$@"
}
programs=() # pid, place, cure: a line each
while IFS='|' read -r name kind place cure; do
	start_service "$name" "$kind" "${place##*:}"
	programs+=("$lab_pid|$name|$place|$cure")
done <<'END'
sshd|tcp|tcp *:1001|write 'ListenAddress 203.0.113.2' in /etc/ssh/sshd_config
apache2|dual|tcp *:1002|write 'Listen 203.0.113.2:1002' in /etc/apache2/ports.conf
httpd|tcp6|tcp [::]:1003|write 'Listen [2001:db8:113::2]:1003' in httpd.conf
nginx|tcp|tcp *:1004|write 'listen 203.0.113.2:1004;' in each server of /etc/nginx
mysqld|tcp|tcp *:1005|write 'bind-address = 203.0.113.2' in /etc/mysql/my.cnf
postgres|tcp|tcp *:1006|write "listen_addresses = '203.0.113.2'" in postgresql.conf
master|tcp|tcp *:1007|write 'inet_interfaces = 203.0.113.2' in /etc/postfix/main.cf
inetd|tcp|tcp *:1008|start it as 'inetd -a 203.0.113.2'
syslogd|udp|udp *:1009|start it as 'syslogd -b 203.0.113.2', or with -ss
named|udp|udp *:1010|write 'listen-on { 203.0.113.2; };' in named.conf
named|tcp6|tcp [::]:1014|write 'listen-on-v6 { 2001:db8:113::2; };' in named.conf
nginx|tcp6|tcp [::]:1015|write 'listen [2001:db8:113::2]:1015;' in each server of /etc/nginx
slapd|tcp6|tcp [::]:1016|start it as 'slapd -h ldap://[2001:db8:113::2]:1016'
sshd|tcp6|tcp [::]:1017|write 'ListenAddress 2001:db8:113::2' in /etc/ssh/sshd_config
smbd|tcp|tcp *:1011|write 'interfaces = 127.0.0.1 203.0.113.2' and 'bind interfaces only = yes' in smb.conf
slapd|tcp|tcp *:1012|start it as 'slapd -h ldap://203.0.113.2:1012'
ntpd|udp6|udp *:1013|write 'interface ignore wildcard' and 'interface listen 203.0.113.2' in ntp.conf
END
start_service ospfd raw 0
sp --json doctor
for p in "${programs[@]}"; do
	IFS='|' read -r pid name place cure <<<"$p"
	is "$name at $place: with its pid, and what to write" "$cure" \
		"$(jq -r --arg o "$place, $name (pid $pid)" \
			'[.sallyport.doctor[] | select(.object == $o) | .cure][0]' <<<"$out")"
done
check "a raw socket is a note" jq -e --arg o "$lab_pid" '.sallyport.doctor | any(.severity == "note" and
	(.object | test("^raw ospf, ospfd .pid " + $o)))' <<<"$out"
for p in "${programs[@]}" "$lab_pid"; do kill "${p%%|*}"; done

# ---- what is not there -------------------------------------------------------

cat >"$TMP/pf.conf" <<'END'
nat on igb7 from 10.0.0.0/24 to any -> 203.0.113.2
rdr on igb7 proto tcp from any to 203.0.113.2 port 81 -> 10.0.0.2 port 80
rdr on igb0 proto tcp from any to 203.0.113.77 port 81:82 -> 10.0.0.2 port 80
rdr on ! igb7 proto udp from any to 203.0.113.2 port 81 -> 10.0.0.2 port 80
pass on igb8 all
END
sed '/\$nat/d; s/ \$forward[^;]*;//' "$TMP/jail.conf" >"$TMP/plain.jail.conf"
sp --json --no-fence=local -f "$TMP/rc.conf" -f "$TMP/plain.jail.conf" -f "$TMP/pf.conf" doctor
absent='[.sallyport.doctor[] | select(.object | test("^interface|^address 203"))]'
is "an interface that rules translate on and nobody has: once" "problem interface igb7 1" \
	"$(jq -r "$absent | map(select(.severity == \"problem\")) | .[0].severity + \" \" + .[0].object +
		\" \" + (length | tostring)" <<<"$out")"
is "an outside address that no interface has is a note, with its line" "note address 203.0.113.77 3 1" \
	"$(jq -r "$absent | map(select(.severity == \"note\")) | .[0].severity + \" \" + .[0].object + \" \" +
		(.[0].line | tostring) + \" \" + (length | tostring)" <<<"$out")"

# The first name that is read, so that what is not its is before it and behind it
echo 'nat on ! lo0 from 10.0.0.0/24 to any -> 203.0.113.2' >"$TMP/pf.conf"
sp --json -f "$TMP/pf.conf" -f "$TMP/plain.jail.conf" doctor
is "all interfaces but one: none is missed" "" "$(jq -r "$absent | .[].object" <<<"$out")"

# ---- settings and files ----------------------------------------------------

set_sysctl "$HOST" net/ipv4/ip_forward=0 net/ipv4/conf/igb0/rp_filter=1
sp doctor
has "forwarding is off" "sysctl net.ipv4.ip_forward" "$out"
has "a strict rp_filter is a note" "note +sysctl net.ipv4.conf.igb0.rp_filter" "$out"

# Debian's stock file, with its service and without
printf '# flush ruleset\n flush  ruleset\ntable inet filter { }\n' >$conf
rm -rf /etc/systemd
flushes='.sallyport.doctor[] | select(.object | test("flush ruleset"))'
sp --json doctor
is "a file that flushes everything: with its line, a comment does not" "note $conf:2: flush ruleset" \
	"$(jq -r "$flushes | .severity + \" \" + .object" <<<"$out")"
mkdir -p /etc/systemd/system/sysinit.target.wants
ln -s /lib/systemd/system/nftables.service /etc/systemd/system/sysinit.target.wants
sp --json doctor
is "a service that loads it: a problem" problem "$(jq -r "$flushes | .severity" <<<"$out")"
# What the cure has in quotes, in the place of that line
jq -r "$flushes | .cure" <<<"$out" | grep -o "'[^']*'" | tr -d "'" >"$TMP/instead"
sed -i -e "/^ flush/r $TMP/instead" -e '/^ flush/d' $conf
check "the cure is what nft understands, twice too" on_host bash -c "nft -f $conf && nft -f $conf"
check "and takes nothing of ours" on_host nft list table inet sallyport
sp doctor
is "cured, it is not found" "" "$(grep -F $conf <<<"$out")"
lab_done
