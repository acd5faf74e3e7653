#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Aliases on a real interface: who else on the wire has the address is found before
# it is added, also a neighbour that the host has never heard of; and runs start no
# other program.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build

cat >"$TMP/rc.conf" <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
ifconfig_igb0_ipv6="inet6 2001:db8:113::2/64"
defaultrouter="203.0.113.1"
END
cat >"$TMP/jail.conf" <<'END'
interface = "igb0";
taken4 { ip4.addr = 203.0.113.9; }		# REPLICA has it
taken6 { ip6.addr = 2001:db8:113::9; }
free { ip4.addr = 203.0.113.20; ip6.addr = 2001:db8:113::20; }
moved { ip4.addr = 203.0.113.30; ip6.addr = 2001:db8:113::30; }
private { ip4.addr = "lo1|10.0.0.9"; }
END
files=(-f "$TMP/rc.conf" -f "$TMP/jail.conf")
addrs() { on_host ip -o addr show dev igb0 | awk '$4 !~ /^fe80/ { print $4 }' | sort | paste -sd ' '; }
known() { on_host ip neigh show dev igb0 | grep -cE '203\.0\.113\.[23]0|::[23]0 '; }
own="2001:db8:113::2/64 203.0.113.2/24"
on_host ip neigh flush dev igb0

sp "${files[@]}" up taken4
is "a neighbour's address: refused" 65 "$rc"
has "and told whose it is" "203\.0\.113\.9 is in use: .* igb0 with the address 02:00:5e:10:00:09 .*E1911" "$err"
is "and nothing was added" "$own" "$(addrs)"
on_host ip neigh flush dev igb0
sp "${files[@]}" up taken6
is "a neighbour's IPv6 address: refused" 65 "$rc"
has "and told whose it is" "2001:db8:113::9 is in use: .* 02:00:5e:10:00:09" "$err"
sp "${files[@]}" -n up taken4
is "with -n nobody is asked" 1 "$rc"
sp "${files[@]}" --force up taken4
is "--force goes on" "0 1" "$rc $(addrs | grep -c '203.0.113.9/32')"
has "--force warns" W1912 "$err"
sp down taken4

sp "${files[@]}" up free private
is "a free one is added" "0 2001:db8:113::2/64 2001:db8:113::20/128 203.0.113.2/24 203.0.113.20/32" \
	"$rc $(addrs)"
check "at once usable, IPv6 too" on_host "$PYTHON" -c 'import socket
socket.create_server(("203.0.113.20", 80))
socket.create_server(("2001:db8:113::20", 80), family=socket.AF_INET6)'
is "who did not answer is not remembered" 0 "$(known)"

# A jail that came from another host, whose entry is still known here
for a in 203.0.113.30 2001:db8:113::30; do
	on_host ip neigh add "$a" lladdr 02:00:5e:10:00:66 dev igb0 nud stale
done
sp up moved
is "what the host remembers is no answer" 0 "$rc"
is "moved: it is there" 2 "$(addrs | tr ' ' '\n' | grep -cE '203.0.113.30/32|::30/128')"
sp down ALL
is "down takes them all" "$own" "$(addrs)"

# ---- pools -----------------------------------------------------------------------

in_ns "$NEIGHBOUR" ip addr add 203.0.113.161/32 dev eth0
in_ns "$REPLICA" ip addr add 203.0.113.162/32 dev eth0
sp alias next --pool "igb0|203.0.113.160/29"
is "a pool lends no silent neighbour's address" "0 203.0.113.163/32" "$rc $out"

# ---- no other program --------------------------------------------------------------

if strace -qq -o /dev/null true 2>/dev/null; then
	started()	# ARGS: how many programs and processes a run starts, its own included
	{
		on_host strace -f -qq -e trace=execve,execveat,fork,vfork,clone,clone3 \
			-o "$TMP/trace" "$SALLYPORT" -q "$@" >/dev/null 2>&1
		grep -cE '^[0-9]+ +(exec|v?fork|clone)' "$TMP/trace"
	}
	for words in apply "down free" "up free" "forward add private tcp 8080:80 --to 203.0.113.2" \
		"forward list" "forward del private tcp 8080" status "alias list" plan destroy; do
		# shellcheck disable=SC2086
		is "no child process: $words" 1 "$(started $words)"
	done
else
	skip "no child process" "no strace here"
fi
lab_done
