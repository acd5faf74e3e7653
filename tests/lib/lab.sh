# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# lab.sh - a jail host and its neighbours as network namespaces, for tests
#
#	. tests/lib/lab.sh		# from bash
#	lab_enter "$@"			# first: starts the script anew, shut in
#	lab_build			# the networks below; again: a fresh one
#
#   CLIENT                 ROUTER                      HOST
#   198.51.100.7 -------- .1    203.0.113.1 ---+--- igb0 203.0.113.2
#   INET                                       |    the jails are here
#   192.0.2.80 ---------- .1                   +--- NEIGHBOUR 203.0.113.66
#                                              +--- REPLICA   203.0.113.9
#
# IPv6 alike: 2001:db8:51::7, 2001:db8:80::80, and 2001:db8:113::1, ::2, ::66,
# ::9 on the host's network.  CLIENT, INET, ROUTER, HOST, NEIGHBOUR and REPLICA
# are variables that hold the names of the namespaces.
#
# Everything runs in fresh network, mount and process namespaces, as an
# ordinary user in a user namespace too, with /run and /var/lib of its own.  So
# nothing of the machine can be touched, and nothing outlives the script, however
# it ends: its processes die with it, and the networks with them.
#
# Nothing sleeps.  Who starts a server reads from it that it is ready; what must
# become true is waited for with a deadline; that a packet did *not* arrive is
# known once a later one on the same way has.

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_TOP=$(cd "$LAB_DIR/../.." && pwd)
SALLYPORT=$(realpath -m "${SALLYPORT:-${BUILD:-$LAB_TOP/build}/sallyport}")
export SALLYPORT LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin
# The system's own python starts three times as fast as a version manager's
PYTHON=/usr/bin/python3
[ -x $PYTHON ] || PYTHON=python3

HOST_MAC=02:00:5e:10:00:02
# shellcheck disable=SC2034
GONE=1.0		# seconds to wait for an answer that must not come

# ---- results ---------------------------------------------------------------

lab_failed=0

ok()		# NAME
{
	echo "ok $1"
}

not_ok()	# NAME [DETAIL]
{
	echo "not ok $1"
	[ $# -lt 2 ] || printf '%s\n' "$2" | head -n 40 | sed 's/^/    # /'
	lab_failed=1
}

skip()		# NAME REASON
{
	echo "skip $1 # $2"
}

# ok if the command succeeds, else its output is the detail
check()		# NAME COMMAND...
{
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name" "$* ($?): $out"
	fi
}

is()		# NAME EXPECTED ACTUAL
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "$(printf 'expected: %s\nfound:    %s' "$2" "$3")"
	fi
}

# ok if the text contains the extended regular expression
has()		# NAME REGEX TEXT
{
	if grep -qE -- "$2" <<<"$3"; then
		ok "$1"
	else
		not_ok "$1" "$(printf 'no match for: %s\nin: %s' "$2" "$3")"
	fi
}

# ok if two files are the same
same()		# NAME FILE FILE
{
	check "$1" diff -u "$2" "$3"
}

# Last line of a script: exit status by what was found
lab_done()
{
	exit $lab_failed
}

# For a script of which nothing goes without TUN devices
lab_needs_tun()	# NAME
{
	[ -w /dev/net/tun ] && return
	skip "$1" "no /dev/net/tun"
	lab_done
}

# ---- shut in ---------------------------------------------------------------

# The namespaces for this user, or the reason why there are none
lab_how()
{
	local base="--net --mount --pid --fork --kill-child --mount-proc" how

	for how in "$base" "--user --map-root-user $base"; do
		# shellcheck disable=SC2086
		if unshare $how mount -t tmpfs none /run 2>/dev/null; then
			echo "$how"
			return 0
		fi
	done
	unshare --user --map-root-user --net true 2>&1 | head -n 1
	return 1
}

lab_enter()	# [ARGS of the script]
{
	local how c

	if [ -n "${LAB_INSIDE-}" ]; then
		lab_inside
		return
	fi
	for c in unshare nsenter ip nft jq "$PYTHON"; do
		if ! command -v "$c" >/dev/null; then
			skip "$(basename "$0")" "$c is not installed"
			exit 0
		fi
	done
	if ! how=$(lab_how); then
		skip "$(basename "$0")" "no namespaces here: $how"
		exit 0
	fi
	# shellcheck disable=SC2086
	LAB_INSIDE=1 exec unshare $how bash "$0" "$@"
}

lab_inside()
{
	# The first process of a namespace ignores what it does not catch
	trap 'exit 143' TERM
	trap 'exit 130' INT
	{ mount -t tmpfs none /run && mount -t tmpfs none /var/lib; } || exit 71
	# What the machine itself declares is no part of a test
	[ ! -d /etc/sallyport ] || mount -t tmpfs none /etc/sallyport || exit 71
	mkdir -p /run/netns /run/lab
	export TMPDIR=/run/lab TMP=/run/lab
	mkfifo "$TMP/never"
	exec {lab_never}<>"$TMP/never"
	cd "$TMP" || exit 71
}

# An /etc whose entries can be taken away and made: the machine's own, as links
lab_etc()
{
	mkdir "$TMP/etc" "$TMP/etc.machine"
	mount --rbind /etc "$TMP/etc.machine"
	(shopt -s dotglob && ln -s "$TMP"/etc.machine/* "$TMP/etc")
	mount --bind "$TMP/etc" /etc
}

# ---- waiting ---------------------------------------------------------------

# So long at least, in seconds: what becomes true is waited for no longer than it
# takes, and a machine with twenty processes more takes ten times as long
LAB_PATIENCE=60

# Until the command succeeds; 1 when SECONDS, or LAB_PATIENCE if that is more, are over
wait_for()	# SECONDS COMMAND...
{
	local seconds=$(($1 > LAB_PATIENCE ? $1 : LAB_PATIENCE)) deadline

	deadline=$((${EPOCHREALTIME/./} + seconds * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt "$deadline" ] || return 1
		read -rt 0.02 -u "$lab_never" || :
	done
}

# Time for what is not to happen
give_time()	# SECONDS
{
	read -rt "$1" -u "$lab_never" || :
}

# What the command prints while a thing is there that ends by itself, in $out: `OPEN N`
# makes it for N seconds (first 2, or $OPEN_FOR), CLOSE unmakes it.  For longer where the
# answer came too late.
while_open()	# OPEN CLOSE COMMAND...
{
	local open=$1 close=$2 n=${OPEN_FOR:-2} begin

	shift 2
	while :; do
		begin=${EPOCHREALTIME/./}
		"$open" $n
		out=$("$@")
		[ $((${EPOCHREALTIME/./} - begin)) -ge $((n * 1000000)) ] || break
		n=$((n * 2))
		"$close"
	done
}

# Start a command that says `ready` on the descriptor named by --ready, and
# return when it did; its process is then in $lab_pid
lab_start()	# LOG COMMAND... (--ready FD is added)
{
	local log=$1 ready fifo=$TMP/ready.$RANDOM$RANDOM word=''

	shift
	mkfifo "$fifo"
	exec {ready}<>"$fifo"
	rm "$fifo"
	"$@" --ready "$ready" >"$log" 2>&1 </dev/null &
	lab_pid=$!
	read -rt $LAB_PATIENCE -u "$ready" word
	exec {ready}>&-
	[ "$word" = ready ] || { echo "not ready: $*"; cat "$log"; return 1; } >&2
}

# ---- namespaces ------------------------------------------------------------

# Not `ip netns exec`: that mounts /sys anew and hides what is mounted there
in_ns()		# NAMESPACE COMMAND...
{
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" -- "$@"
}

on_host()	# COMMAND...
{
	in_ns "$HOST" "$@"
}

# Set kernel settings of a namespace, as net/ipv4/ip_forward=1
set_sysctl()	# NAMESPACE PATH=VALUE...
{
	local ns=$1
	shift
	# shellcheck disable=SC2016
	in_ns "$ns" sh -c 'for kv; do echo "${kv#*=}" >"/proc/sys/${kv%%=*}"; done' sh "$@"
}

get_sysctl()	# NAMESPACE PATH
{
	in_ns "$1" cat "/proc/sys/$2"
}

# A namespace with an interface igb0 (and others) and nothing else; its name in
# the variable
lab_bare()	# VARIABLE [INTERFACE]...
{
	local ns=sp$((++lab_n))-bare if

	ip netns add "$ns"
	set_sysctl "$ns" net/ipv6/conf/default/accept_dad=0 net/ipv6/conf/all/accept_dad=0
	printf -v "$1" %s "$ns"
	shift
	in_ns "$ns" ip link set lo up
	for if in "${@:-igb0}"; do
		in_ns "$ns" ip -batch - <<-END
			link add $if type veth peer name p-$if
			link set $if up
			link set p-$if up
		END
	done
	if [ $# -eq 0 ]; then
		in_ns "$ns" ip -batch - <<-END
			addr add 203.0.113.2/24 dev igb0
			addr add 2001:db8:113::2/64 dev igb0 nodad
			route add default via 203.0.113.1
			route add default via 2001:db8:113::1
		END
	fi
}

lab_n=0

# One end to ROUTER, the other (eth0, or the name given) to NAMESPACE
lab_wire()	# NAMESPACE INTERFACE NAME-AT-ROUTER MAC
{
	in_ns "$ROUTER" ip link add "$3" type veth peer name "$2" address "$4" netns "$1"
}

lab_addresses()	# NAMESPACE INTERFACE IPV4/LEN GATEWAY IPV6/LEN GATEWAY6
{
	in_ns "$1" ip -batch - <<-END
		link set lo up
		link set $2 up
		addr add $3 dev $2
		addr add $5 dev $2 nodad
		route add default via $4
		route add default via $6
	END
}

has_link_local()	# NAMESPACE INTERFACE
{
	[ -n "$(in_ns "$1" ip -6 addr show dev "$2" scope link -tentative)" ]
}

# The jails' loopback, made by hand, with addresses
lab_lo1()	# NAMESPACE ADDRESS...
{
	local ns=$1 a
	shift
	{
		echo "link add lo1 type bridge"
		echo "link set lo1 up"
		for a; do
			case $a in
			*:*) echo "addr add $a/128 dev lo1 nodad" ;;
			*) echo "addr add $a/32 dev lo1" ;;
			esac
		done
	} | in_ns "$ns" ip -batch -
}

lab_build()
{
	local ns l=sp$((++lab_n))

	HOST=$l-host CLIENT=$l-client INET=$l-inet
	NEIGHBOUR=$l-neighbour REPLICA=$l-replica ROUTER=$l-router
	for ns in "$HOST" "$CLIENT" "$INET" "$NEIGHBOUR" "$REPLICA" "$ROUTER"; do
		ip netns add "$ns"
		# The machine's own settings would otherwise shine through
		set_sysctl "$ns" net/ipv6/conf/default/accept_dad=0 \
			net/ipv6/conf/all/accept_dad=0 net/ipv4/conf/all/rp_filter=0 \
			net/ipv4/conf/default/rp_filter=0 net/ipv4/ip_forward=0 \
			net/ipv4/conf/all/accept_redirects=0 net/ipv4/conf/all/send_redirects=0 \
			net/ipv4/conf/default/send_redirects=0
	done
	lab_wire "$HOST" igb0 w-host "$HOST_MAC"
	lab_wire "$NEIGHBOUR" eth0 w-neighbour 02:00:5e:10:00:66
	lab_wire "$REPLICA" eth0 w-replica 02:00:5e:10:00:09
	lab_wire "$CLIENT" eth0 w-client 02:00:5e:20:00:07
	lab_wire "$INET" eth0 w-inet 02:00:5e:30:00:80
	set_sysctl "$ROUTER" net/ipv4/ip_forward=1 net/ipv6/conf/all/forwarding=1 \
		net/ipv6/conf/default/forwarding=1
	in_ns "$ROUTER" ip -batch - <<-END
		link set lo up
		link add lan type bridge
		link set lan up
		link set w-host master lan
		link set w-neighbour master lan
		link set w-replica master lan
		link set w-host up
		link set w-neighbour up
		link set w-replica up
		link set w-client up
		link set w-inet up
		addr add 203.0.113.1/24 dev lan
		addr add 2001:db8:113::1/64 dev lan nodad
		addr add 198.51.100.1/24 dev w-client
		addr add 2001:db8:51::1/64 dev w-client nodad
		addr add 192.0.2.1/24 dev w-inet
		addr add 2001:db8:80::1/64 dev w-inet nodad
	END
	lab_addresses "$HOST" igb0 203.0.113.2/24 203.0.113.1 2001:db8:113::2/64 2001:db8:113::1
	lab_addresses "$NEIGHBOUR" eth0 203.0.113.66/24 203.0.113.1 \
		2001:db8:113::66/64 2001:db8:113::1
	lab_addresses "$REPLICA" eth0 203.0.113.9/24 203.0.113.1 \
		2001:db8:113::9/64 2001:db8:113::1
	lab_addresses "$CLIENT" eth0 198.51.100.7/24 198.51.100.1 2001:db8:51::7/64 2001:db8:51::1
	lab_addresses "$INET" eth0 192.0.2.80/24 192.0.2.1 2001:db8:80::80/64 2001:db8:80::1
	for ns in "$HOST igb0" "$NEIGHBOUR eth0" "$REPLICA eth0" "$CLIENT eth0" "$INET eth0" \
		"$ROUTER lan" "$ROUTER w-client" "$ROUTER w-inet"; do
		# shellcheck disable=SC2086
		wait_for 10 has_link_local $ns || { echo "no link: $ns" >&2; exit 71; }
	done
	# A bridge's port blocks for a moment
	if ! wait_for 10 in_ns "$REPLICA" ping -qnc 1 -W 1 203.0.113.2 ||
		! wait_for 10 in_ns "$CLIENT" ping -qnc 1 -W 1 2001:db8:113::2; then
		echo "no way to the host" >&2
		exit 71
	fi
}

# ---- traffic ---------------------------------------------------------------

# A server that answers each request with `NAME CLIENT-ADDRESS CLIENT-PORT` and
# writes each to $TMP/NAME.log as `PROTO:ADDR:PORT CLIENT-ADDRESS PORT TEXT`
serve()		# NAMESPACE NAME PROTO:ADDR:PORT...
{
	local ns=$1 name=$2
	shift 2
	lab_start "$TMP/$name.log" in_ns "$ns" "$PYTHON" -EsB "$LAB_DIR/serve.py" "$name" "$@"
}

# Ask servers, all at once; a line for each in order: its answer without the
# client's port, or `refused`, `reset`, `silence`, `unreachable`
ask()		# NAMESPACE [--from ADDR] [--wait SECONDS] [--ports] PROTO:ADDR:PORT...
{
	local ns=$1
	shift
	in_ns "$ns" "$PYTHON" -EsB "$LAB_DIR/ask.py" "$@"
}

# How many packets came with a wrong checksum, of whichever protocol
wrong_sums()	# NAMESPACE...
{
	local ns
	for ns; do
		in_ns "$ns" nstat -asz '*InCsumErrors'
	done | awk '{ n += $2 } END { print n + 0 }'
}

# A connection of the host that stands, from ADDRESS to the servers of serve_world
stand()		# ADDRESS
{
	mkfifo "$TMP/stand"
	on_host "$PYTHON" -EsB -c '
import socket, sys
s = socket.create_connection(("192.0.2.80", 80), 60, source_address=(sys.argv[1], 0))
for line in sys.stdin:
    s.sendall(("hold " + line).encode())
    print("answered" if s.recv(100) else "closed", flush=True)
' "$1" <"$TMP/stand" >"$TMP/stand.log" 2>&1 &
	exec {lab_stand}<>"$TMP/stand"
}

has_stood()	# TIMES
{
	[ "$(grep -c answered "$TMP/stand.log")" = "$1" ]
}

# Use it once more: is that answered too?
still_stands()
{
	local n

	n=$(grep -c answered "$TMP/stand.log")
	echo "$n" >&"$lab_stand"
	wait_for 30 has_stood $((n + 1))
}

# Watch an interface; a line for each frame into the file, until one that
# contains the text `lab-sentinel` has come or the deadline is over
sniff()		# NAMESPACE INTERFACE FILE [--in|--out]
{
	local ns=$1 if=$2 file=$3
	shift 3
	lab_start "$file" in_ns "$ns" "$PYTHON" -EsB "$LAB_DIR/sniff.py" "$if" "$@"
	sniff_pid=$lab_pid
}

# Until the sentinel has come; 1 if it did not
sniff_end()
{
	wait "$sniff_pid"
}

# Send frames as they are; see frames.py for the words
forge()		# NAMESPACE INTERFACE WORDS...
{
	local ns=$1
	shift
	in_ns "$ns" "$PYTHON" -EsB "$LAB_DIR/frames.py" "$@"
}

# Has a server logged a line that matches?
has_log()	# NAME REGEX
{
	grep -qE -- "$2" "$TMP/$1.log"
}

# ok if there are lines and each is this one
all_are()	# NAME LINE TEXT
{
	if [ -n "$3" ] && [ "$(sort -u <<<"$3")" = "$2" ]; then
		ok "$1"
	else
		not_ok "$1" "$(printf 'expected only: %s\nfound:\n%s' "$2" "$3")"
	fi
}

# ---- the program -----------------------------------------------------------

EXAMPLE=$LAB_TOP/examples/web-db
# shellcheck disable=SC2034
EXAMPLE_FILES=(-f "$EXAMPLE/rc.conf" -f "$EXAMPLE/jail.conf" -f "$EXAMPLE/pf.conf")

# The processes of the example's jails, and the host's own
serve_example()
{
	serve "$HOST" www tcp:192.168.100.2:80 tcp:192.168.100.2:443 tcp:192.168.100.2:8080 \
		udp:192.168.100.2:53
	serve "$HOST" db tcp:192.168.100.3:3306 tcp:192.168.100.3:5432
	serve "$HOST" host tcp:203.0.113.2:22 tcp:203.0.113.2:8080 udp:203.0.113.2:53
}

# Servers elsewhere, on the ports that the example forwards too
serve_world()
{
	serve "$INET" inet {tcp,udp}:{192.0.2.80,'[2001:db8:80::80]'}:{53,80,443,3306}
	serve "$REPLICA" replica tcp:{203.0.113.9,'[2001:db8:113::9]'}:{80,443,3306}
}

# On the host; output in $out, messages in $err, exit status in $rc
sp()		# ARGS
{
	sp_in "$HOST" "$@"
}

sp_in()		# NAMESPACE ARGS
{
	local ns=$1
	shift
	rc=0
	in_ns "$ns" "$SALLYPORT" "$@" >"$TMP/out" 2>"$TMP/err" </dev/null || rc=$?
	# NUL bytes in it would be a failure of their own
	# shellcheck disable=SC2034
	out=$(tr '\0' '?' <"$TMP/out") err=$(tr '\0' '?' <"$TMP/err")
}

# sp, and it must exit 0: else the test ends here, as nothing after would tell
sp_must()	# ARGS
{
	sp "$@"
	[ "$rc" -eq 0 ] || {
		not_ok "sallyport $*" "$(printf 'exit status %s\n%s\n%s' "$rc" "$err" "$out")"
		exit 1
	}
}

# The handle of the first rule of a chain that has a text in it
rule_handle()	# CHAIN TEXT
{
	on_host nft -a list chain inet sallyport "$1" | grep -F -- "$2" |
		sed -n 's/.* handle \([0-9]*\)$/\1/p' | head -n 1
}

# All that a run could change, into a file
snapshot()	# NAMESPACE FILE
{
	in_ns "$1" bash -c '
		echo "# links";		ip -d -j link | jq "del(.. | .stats?, .stats64?, .gc_timer?)"
		echo "# addresses";	ip -j addr | jq .
		echo "# routes";	ip route show table all; ip -6 route show table all
		echo "# rules";		ip rule; ip -6 rule
		echo "# neighbours";	ip -j neigh show nud permanent; ip neigh show proxy
		echo "# nftables";	nft -a -s list ruleset
		echo "# settings"
		grep -r . /proc/sys/net 2>/dev/null |
			grep -vE "conntrack_count|fastopen_key|/tcp_.?mem:|/udp_mem:" | sort
	' >"$2"
}

genid()		# NAMESPACE
{
	in_ns "$1" "$PYTHON" -EsB "$LAB_DIR/writes.py" --genid
}

# Does a run leave the namespace as it was?  With all that makes it hard: tables,
# links, addresses and settings of others
foreign_things()
{
	on_host nft -f - <<-'END'
		table inet admin {
			set friends { type ipv4_addr; flags interval; elements = { 198.51.100.0/24 } }
			chain input {
				type filter hook input priority filter; policy accept;
				tcp dport 25 ip saddr != @friends drop comment "no mail"
			}
		}
		table ip nat {
			chain post {
				type nat hook postrouting priority srcnat; policy accept;
				oifname "br7" masquerade
			}
		}
		table arp other {
			chain input {
				type filter hook input priority filter; policy accept;
				arp operation request accept
			}
		}
	END
	on_host ip -batch - <<-END
		link add br7 type bridge
		link set br7 up alias "the admin's"
		addr add 10.7.0.1/24 dev br7
		addr add 10.7.0.2/24 dev br7
		addr add 203.0.113.77/24 dev igb0
		addr add fd07::1/64 dev br7 nodad
		route add 172.16.0.0/12 via 203.0.113.1
	END
	set_sysctl "$HOST" net/ipv4/conf/igb0/forwarding=1 net/ipv4/conf/br7/forwarding=0 \
		net/ipv6/conf/br7/forwarding=1 net/ipv6/conf/igb0/forwarding=0 \
		net/ipv4/conf/igb0/rp_filter=2 net/ipv4/conf/br7/arp_ignore=1
}
