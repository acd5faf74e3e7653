#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The life of a host: apply, apply again, drift and its repair, changed
# declarations, destroy; and what belongs to others stays as it was.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

lab_build
foreign_things
snapshot "$HOST" "$TMP/before"

# All that is not ours, but what net.ipv4.ip_forward itself drags along
others()	# FILE
{
	on_host bash -c '
		ip -j addr | jq "map(select(.ifname != \"lo1\"))"
		for t in "inet admin" "ip nat" "arp other"; do nft -a list table $t; done
		(ip route; ip -6 route) | grep -v lo1
		grep -r . /proc/sys/net 2>/dev/null | sort | grep -vE "/lo1/|conntrack_count" |
			grep -vE "ipv4/(ip_forward|conf/[^/]*/forwarding|conf/all/accept_redirects):"
	' >"$1"
}
others "$TMP/others.before"

# What changes in the kernel while the program runs, as writes.py says it
writes()	# ARGS of sallyport
{
	on_host "$PYTHON" -EsB "$LAB_DIR/writes.py" "$SALLYPORT" "$@" 2>"$TMP/err" | tail -n 1
}

plan_is()	# NAME EXIT-STATUS: of what was applied last
{
	sp --json plan
	is "$1: plan exits $2" "$2" "$rc"
	check "$1: and lists so much" jq -e ".sallyport.plan | (length > 0) == ($2 == 1)" <<<"$out"
}

# ---- apply, again, destroy -------------------------------------------------

sp "${EXAMPLE_FILES[@]}" --json plan
is "plan of a bare host exits 1" 1 "$rc"
check "plan: each change has op, object, file, line" \
	jq -e '.sallyport.plan | length > 5 and all(has("op", "object", "file", "line"))' <<<"$out"
check "plan: names the declaration of an address" jq -e '.sallyport.plan |
	any((.object | test("192.168.100.2/32")) and (.file | test("\\.conf$")) and .line > 0)' <<<"$out"
is "plan writes nothing" "nft 0 rtnetlink 0 genid 0" "$(writes "${EXAMPLE_FILES[@]}" plan -q)"
sp "${EXAMPLE_FILES[@]}" --json apply -n
is "apply -n answers as plan" 1 "$rc"
snapshot "$HOST" "$TMP/after"
same "plan and apply -n change nothing" "$TMP/before" "$TMP/after"

sp "${EXAMPLE_FILES[@]}" apply
is "apply" 0 "$rc"
is "apply: the address is there" 1 "$(on_host ip -4 -o addr show dev lo1 | grep -c ' 192.168.100.2/32 ')"
is "apply: the range of rc.conf too" 6 "$(on_host ip -4 -o addr show dev lo1 | wc -l)"
is "apply: packets are forwarded" 1 "$(get_sysctl "$HOST" net/ipv4/ip_forward)"
is "apply: tables of ours are named sallyport" sallyport "$(on_host nft list tables |
	awk '{ print $3 }' | grep -vxE 'admin|nat|other' | sort -u)"
others "$TMP/others.after"
same "apply: nothing of others is changed" "$TMP/others.before" "$TMP/others.after"
plan_is "after apply" 0
sp status
is "after apply: status exits 0" 0 "$rc"
for args in "${EXAMPLE_FILES[*]} apply" "apply" "plan" "status" "alias list" "${EXAMPLE_FILES[*]} check"; do
	# shellcheck disable=SC2086
	is "writes nothing: ${args##*/}" "nft 0 rtnetlink 0 genid 0" "$(writes $args | tail -n 1)"
done

sp destroy
is "destroy" 0 "$rc"
snapshot "$HOST" "$TMP/after"
same "destroy: all is as it was" "$TMP/before" "$TMP/after"
sp destroy
is "destroy once more" 0 "$rc"
snapshot "$HOST" "$TMP/after"
same "destroy once more: all is as it was" "$TMP/before" "$TMP/after"

# ---- drift -----------------------------------------------------------------

sp_must "${EXAMPLE_FILES[@]}" apply
snapshot "$HOST" "$TMP/applied"

drift()		# NAME COMMAND...
{
	local name=$1

	shift
	on_host "$@" || { not_ok "drift: $name can be made"; return; }
	sp --json status
	is "drift: $name: status exits 1" 1 "$rc"
	check "drift: $name: and names it" jq -e '.sallyport.status[0].drift | length > 0' <<<"$out"
	sp plan
	is "drift: $name: plan exits 1" 1 "$rc"
	sp apply
	is "drift: $name: apply repairs it" "0 0" "$rc $(sp plan; echo "$rc")"
}

# shellcheck disable=SC2016
first_rule='t=inet
	set -- $(nft -a list table $t sallyport | awk '\''$1 == "chain" { c = $2 }
		/# handle/ && c && !/chain|hook|}/ { print c, $NF; exit }'\'')
	nft delete rule $t sallyport "$1" handle "$2"'

drift "a rule is gone" sh -c "$first_rule"
drift "the table is gone" nft delete table inet sallyport
drift "all tables are gone" sh -c 'nft flush ruleset'
drift "a table sleeps" nft add table inet sallyport '{ flags dormant; }'
drift "a table sleeps, and a chain of it hooks elsewhere" sh -c '
	nft add table inet sallyport "{ flags dormant; }"
	nft flush chain inet sallyport in_fence
	nft delete chain inet sallyport in_fence
	nft "add chain inet sallyport in_fence { type filter hook prerouting priority 310; }"'
drift "an address is gone" ip addr del 192.168.100.2/32 dev lo1
drift "the first address is gone" ip addr del 192.168.100.1/29 dev lo1
drift "the link is down" ip link set lo1 down
drift "the link is gone" ip link del lo1
drift "packets are not forwarded" sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
drift "a rule of somebody else stands in our table" \
	sh -c "nft list table inet sallyport | awk '/chain/ { print \$2; exit }' |
		xargs -I C nft insert rule inet sallyport C counter accept"

# ---- a connection outlives a changed ruleset -------------------------------

serve "$HOST" www tcp:192.168.100.2:80
mkfifo "$TMP/go"
exec {go}<>"$TMP/go"
in_ns "$CLIENT" bash -c '
	exec 3<>/dev/tcp/203.0.113.2/80
	for i in 1 2; do
		echo "hold $i" >&3
		read -rt 8 answer <&3
		echo "$i ${answer% *}"
		read -r
	done' <"$TMP/go" >"$TMP/held" 2>&1 &
wait_for 10 grep -q ^1 "$TMP/held"
{ cat "$EXAMPLE/pf.conf"; echo 'pass in on $if proto tcp to $extip port 25'; } >"$TMP/more.pf.conf"
sp_must -f "$EXAMPLE/rc.conf" -f "$EXAMPLE/jail.conf" -f "$TMP/more.pf.conf" apply
echo >&"$go"
wait_for 10 grep -q ^2 "$TMP/held"
is "a connection outlives a changed ruleset" "1 www 198.51.100.7
2 www 198.51.100.7" "$(cat "$TMP/held")"
sp_must destroy

# ---- changed declarations --------------------------------------------------

lab_build
declare_rc()	# ALIASES
{
	cat >"$TMP/rc.conf" <<-END
		cloned_interfaces="lo1"
		ifconfig_lo1_aliases="$1"
		gateway_enable="YES"
	END
}

addresses()
{
	on_host ip -o addr show dev lo1 | awk '$4 !~ /^fe80/ { print $4 }' | sort -V | paste -sd' '
}

declare_rc "inet 10.9.0.2/24 inet 10.9.0.3/24 inet 10.9.0.4/24 inet6 fd09::1/64"
sp_must -f "$TMP/rc.conf" apply
is "addresses of one network" "10.9.0.2/24 10.9.0.3/24 10.9.0.4/24 fd09::1/64" "$(addresses)"
declare_rc "inet 10.9.0.3/24 inet 10.9.0.4/24 inet6 fd09::1/64"
is "promote_secondaries is off, so the first takes the others with it" 0 \
	"$(get_sysctl "$HOST" net/ipv4/conf/lo1/promote_secondaries)"
sp_must -f "$TMP/rc.conf" apply
is "the first is taken back, the others stay" "10.9.0.3/24 10.9.0.4/24 fd09::1/64" "$(addresses)"
declare_rc "inet 10.9.0.3/32 inet6 fd09::1-3/128"
sp_must -f "$TMP/rc.conf" apply
is "a length is changed, a range of IPv6 comes" "10.9.0.3/32 fd09::1/128 fd09::2/128 fd09::3/128" "$(addresses)"
check "IPv6 addresses are usable at once" eval '! on_host ip -6 addr show dev lo1 | grep -q tentative'
sp_must destroy

cat >"$TMP/one.jail.conf" <<'END'
www { ip4.addr = "lo1|10.1.0.2/32"; }
END
sp_must -f "$TMP/one.jail.conf" apply
is "a jail.conf alone: its address is there" "10.1.0.2/32" "$(addresses)"
is "a jail.conf alone: nothing asks for forwarding" 0 "$(get_sysctl "$HOST" net/ipv4/ip_forward)"
sp_must destroy

# Many changes are printed as they come, and are the same
awk 'BEGIN { print "www { ip4.addr = \"lo1|10.1.0.2/32\";"
	for (i = 1; i <= 2000; i++) printf "$forward += \"tcp %d,%d to 203.0.113.2\";\n", i, i + 2000
	print "}" }' >"$TMP/many.jail.conf"
sp -f "$TMP/many.jail.conf" --json plan
is "plan of many: exits 1" 1 "$rc"
check "plan of many: each element is there, with its line" \
	jq -e '.sallyport.plan | map(select(.object | test("^element .* forward www tcp"))) |
		length == 4000 and (map(.line) | sort | unique) == [range(2; 2002)]' <<<"$out"
jq -S .sallyport.plan <<<"$out" >"$TMP/plan"
sp -f "$TMP/many.jail.conf" --json apply
is "apply of many" 0 "$rc"
jq -S .sallyport.apply <<<"$out" >"$TMP/apply"
same "apply of many: did what plan said" "$TMP/plan" "$TMP/apply"
plan_is "after many" 0
sp_must destroy

cat >"$TMP/sysctl.conf" <<'END'
net.inet.ip.forwarding=1
END
set_sysctl "$HOST" net/ipv4/conf/igb0/forwarding=1
sp_must -f "$TMP/one.jail.conf" -f "$TMP/sysctl.conf" apply
is "sysctl.conf asks for forwarding" 1 "$(get_sysctl "$HOST" net/ipv4/ip_forward)"
sp_must -f "$TMP/one.jail.conf" apply
is "no longer asked for, it is put back" 0 "$(get_sysctl "$HOST" net/ipv4/ip_forward)"
is "the interface's own setting too" 1 "$(get_sysctl "$HOST" net/ipv4/conf/igb0/forwarding)"
sp_must destroy

cat >"$TMP/pf.conf" <<'END'
block in on igb0 proto tcp to port 81
END
sp_must -f "$TMP/pf.conf" apply
check "a pf.conf alone: no link is made" eval '! on_host ip link show lo1 2>/dev/null'
sp_must destroy

# ---- what belongs to others ------------------------------------------------

cat >"$TMP/igb0.jail.conf" <<'END'
a { ip4.addr = "igb0|203.0.113.30/32"; }
b { ip4.addr = "igb0|203.0.113.31/32"; }
END
on_host ip addr add 203.0.113.31/32 dev igb0
snapshot "$HOST" "$TMP/before"
sp -f "$TMP/igb0.jail.conf" apply
is "an address that is there already is used" 0 "$rc"
has "with a note" 'igb0\.jail\.conf:2:[0-9]+: note:.*203\.0\.113\.31' "$err"
is "one that is not is added" 2 "$(on_host ip -o addr show dev igb0 | grep -cE ' 203\.0\.113\.3[01]/32 ')"
sp --json alias list
sp_must destroy
snapshot "$HOST" "$TMP/after"
same "destroy takes only the added one" "$TMP/before" "$TMP/after"

refused()	# NAME REGEX ARGS: exit status 65, and nothing was changed
{
	local name=$1 regex=$2

	shift 2
	snapshot "$HOST" "$TMP/before"
	sp "$@"
	is "$name: exits 65" 65 "$rc"
	has "$name: says where" "$regex" "$err"
	snapshot "$HOST" "$TMP/after"
	same "$name: changes nothing" "$TMP/before" "$TMP/after"
}

sp_must -f "$TMP/one.jail.conf" apply
on_host ip addr add 10.1.0.9/32 dev lo1
cat >"$TMP/nine.jail.conf" <<'END'
www { ip4.addr = "lo1|10.1.0.2/32"; }
nine {
	ip4.addr = "lo1|10.1.0.9/32";
}
END
refused "an address of somebody else on lo1" 'nine\.jail\.conf:3:[0-9]+: .*10\.1\.0\.9' \
	-f "$TMP/nine.jail.conf" apply
on_host ip addr del 10.1.0.9/32 dev lo1
sp_must destroy

on_host ip link add lo1 type bridge
refused "a link of somebody else" 'one\.jail\.conf:1:[0-9]+: .*lo1' -f "$TMP/one.jail.conf" apply
on_host ip link del lo1

cat >"$TMP/two.jail.conf" <<'END'
www {
	ip4.addr = "lo1|10.1.0.2/32";
}
db {
	ip4.addr = "lo1|10.1.0.2/32";
}
END
refused "two jails claim one address" 'two\.jail\.conf:5:' -f "$TMP/two.jail.conf" apply
has "and both places are named" 'two\.jail\.conf:2:' "$err"

# ---- told before anything is changed ---------------------------------------------

cat >"$TMP/six.jail.conf" <<'END'
www { ip4.addr = "lo1|10.1.0.2/32"; ip6.addr = "lo1|fd00:1::2/128"; }
END
set_sysctl "$HOST" net/ipv6/conf/default/disable_ipv6=1
snapshot "$HOST" "$TMP/before"
sp -f "$TMP/six.jail.conf" apply
is "IPv6 turned off: exits 69" 69 "$rc"
has "IPv6 turned off: says where" 'six\.jail\.conf:1:[0-9]+: .*E1807' "$err"
snapshot "$HOST" "$TMP/after"
same "IPv6 turned off: changes nothing" "$TMP/before" "$TMP/after"
set_sysctl "$HOST" net/ipv6/conf/default/disable_ipv6=0

sp_must -f "$TMP/six.jail.conf" apply
on_host ip addr add 10.1.0.9/32 dev lo1
sp --json status
is "status beside a foreign address: exits 1" 1 "$rc"
is "status beside a foreign address: still lists the jail" www \
	"$(jq -r '.sallyport.status[0].jails[0].jail' <<<"$out")"
is "status beside a foreign address: names it as drift" "foreign address 10.1.0.9/32 on lo1" \
	"$(jq -r '.sallyport.status[0].drift[] | .op + " " + .object' <<<"$out")"
sp -f "$TMP/six.jail.conf" apply
is "apply beside a foreign address: exits 0" 0 "$rc"
has "apply beside a foreign address: says so" W1819 "$err"
sp plan
is "and leaves it alone: no difference of ours" 0 "$rc"
has "and leaves it alone" '10\.1\.0\.9/32' "$(on_host ip addr show dev lo1)"
on_host ip addr del 10.1.0.9/32 dev lo1

# A link of somebody else is no loopback because of its name: it is fenced as any
sp_must destroy
on_host ip link add lo7 type veth peer name lo7-peer
sp -f "$TMP/one.jail.conf" compile --to model
is "a link named lo7 stands outside the fences" 1 \
	"$(grep -c 'policy interior.*' <<<"$out" | head -n 1)"
has "and lo1 inside" 'iface ! \{lo1, lo0\} dst \{10\.1\.0\.2\}' "$out"
on_host ip link del lo7

# ---- an alias of the host's own card, as the oldest guides have it -----------------

cat >"$TMP/rc.conf" <<'END'
ifconfig_igb0="inet 203.0.113.2 netmask 255.255.255.0"
ifconfig_igb0_alias0="inet 203.0.113.11 netmask 0xffffffff"
ifconfig_igb0_alias1="inet 203.0.113.12 netmask 0xffffffff"
jail_enable="YES"
jail_list="cell mail"
jail_cell_ip="203.0.113.11"
jail_cell_rootdir="/usr/jail/cell"
jail_mail_ip="203.0.113.12"
jail_mail_rootdir="/usr/jail/mail"
jail_mail_interface="igb0"
END
aliases() { on_host ip -o -4 addr show dev igb0 | awk '$4 ~ /^203.0.113.1[12]\// { print $4 }' | paste -sd' '; }

sp -f "$TMP/rc.conf" up cell
is "an alias and a jail without interface: up exits 0" 0 "$rc"
has "an alias and a jail without interface: checked" 'W1805' "$err"
is "an alias and a jail without interface: not added" "" "$(aliases)"
sp_must -f "$TMP/rc.conf" up mail
is "an alias that the jail has there too: added" 203.0.113.12/32 "$(aliases)"
sp_must -f "$TMP/rc.conf" down mail
is "and stays when the jail goes: rc.conf has it still" 203.0.113.12/32 "$(aliases)"
sp_must destroy
is "and goes with all that is ours" "" "$(aliases)"
on_host ip addr add 203.0.113.12/32 dev igb0
sp_must -f "$TMP/rc.conf" up mail
sp_must destroy
is "one that was there before stays" 203.0.113.12/32 "$(aliases)"

lab_done
