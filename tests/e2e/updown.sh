#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Jails go up and down one by one: exactly their addresses and forwards come
# and go, many at once lose nothing, and what a killed run leaves the next one
# completes.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build

cat >"$TMP/rc.conf" <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
defaultrouter="203.0.113.1"
END
{
	echo "\$nat = \"igb0\";"
	for i in $(seq 10 59); do
		echo "j$i { ip4.addr = \"lo1|10.0.0.$i/32\"; ip6.addr = \"lo1|fd00::$i/128\";" \
			"\$forward = \"tcp $((8000 + i)):80\"; }"
	done
} >"$TMP/jail.conf"

files=(-f "$TMP/rc.conf" -f "$TMP/jail.conf")

addrs() { on_host ip -o addr show | awk '$2 == "lo1" && $4 !~ /^fe80/ { print $4 }' | sort | tr '\n' ' '; }
reaches() { ask "$CLIENT" --wait "$GONE" "tcp:203.0.113.2:$1"; }	# PORT

snapshot "$HOST" "$TMP/before"
sp "${files[@]}" up j10
is "up" 0 "$rc"
is "up: both addresses of this jail, and no other" "10.0.0.10/32 fd00::10/128 " "$(addrs)"
check "up: usable at once" on_host "$PYTHON" -c 'import socket
socket.create_server(("fd00::10", 80), family=socket.AF_INET6)'
serve "$HOST" web tcp:10.0.0.10:80
is "up: its forward leads to it" "web 198.51.100.7" "$(reaches 8010)"
sp up j10
is "up again: exits 0" 0 "$rc"
is "up again: nothing to do" "" "$out"
sp -n up j11
is "up -n: exits 1" 1 "$rc"
has "up -n: says what" "address 10.0.0.11/32 on lo1" "$out"
is "up -n: and does nothing" "10.0.0.10/32 fd00::10/128 " "$(addrs)"
sp up j11 j12
is "up of two" "10.0.0.10/32 10.0.0.11/32 10.0.0.12/32 fd00::10/128 fd00::11/128 fd00::12/128 " "$(addrs)"

sp down j11
is "down" 0 "$rc"
is "down: takes exactly its own" "10.0.0.10/32 10.0.0.12/32 fd00::10/128 fd00::12/128 " "$(addrs)"
is "down: its forward is gone" "" "$(on_host nft list table inet sallyport | grep -E '8011')"
has "down: the others' are there" "8012" "$(on_host nft list table inet sallyport)"
sp down j11
is "down again: exits 0" 0 "$rc"
is "down again: nothing to do" "" "$out"

sp up nobody
is "up of no jail: exits 65" 65 "$rc"
has "up of no jail: says so" "no jail 'nobody' is declared" "$err"
sp up
is "up without a name: exits 64" 64 "$rc"

# What is down stays down for `apply`; the rest of the wanted state comes up
sp apply
is "apply" 0 "$rc"
is "apply: all but what was taken down" 98 "$(addrs | wc -w)"
is "apply: not what was taken down" "" "$(addrs | tr ' ' '\n' | grep -E '[.:]11/')"
sp plan
is "plan: nothing is left to do" 0 "$rc"

for i in $(seq 10 59); do echo "j$i"; done >"$TMP/all"
# shellcheck disable=SC2046
sp down $(cat "$TMP/all")
is "down of all" "" "$(addrs)"
is "down of all: the loopback that only they needed is gone" "" "$(on_host ip -o link show | grep ' lo1:')"

# ---- at once, killed, again ------------------------------------------------

many()		# COMMAND... with the name of each jail, all at once
{
	local name pids=()
	while read -r name; do
		"$@" "$name" &
		pids+=($!)
	done <"$TMP/all"
	wait "${pids[@]}"
}

# 75 asks to try again: on a slow machine the others hold the lock for longer than it waits
until_free()	# VERB JAIL
{
	local status=75
	while [ "$status" = 75 ]; do
		on_host "$SALLYPORT" -q "$@" >/dev/null 2>&1
		status=$?
	done
	return "$status"
}

up() { until_free up "$1" || echo "$1: $?" >>"$TMP/failed"; }
down() { until_free down "$1"; }
killed() { on_host timeout -s KILL "0.0$((RANDOM % 10))" "$SALLYPORT" -q down "$1" >/dev/null 2>&1; }

many up
check "fifty at once: each exits 0" test ! -e "$TMP/failed"
is "fifty at once: no address is lost" 100 "$(addrs | wc -w)"
is "fifty at once: no forward is lost" 50 \
	"$(on_host nft list table inet sallyport | grep -oE '203.0.113.2 . 80[1-5][0-9]' | sort -u | wc -l)"
sp plan
is "fifty at once: nothing is left to do" 0 "$rc"

many killed 2>/dev/null
many down
is "killed at any point and run again: nothing is left behind" "" "$(addrs)"
sp up j20
is "and the next up works" "10.0.0.20/32 fd00::20/128 " "$(addrs)"

sp destroy
is "destroy" 0 "$rc"
snapshot "$HOST" "$TMP/after"
same "nothing of it all is left" "$TMP/before" "$TMP/after"

# ---- what rc.conf declares -------------------------------------------------

cat >>"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1"
ifconfig_lo1_alias0="inet 10.0.0.10/32"
END
sp "${files[@]}" apply
sp down j10
is "down: rc.conf's own address stays" "10.0.0.10/32" "$(addrs | tr ' ' '\n' | grep '\.10/')"
is "down: the jail's own goes" "" "$(addrs | tr ' ' '\n' | grep ':10/')"

# ---- many forwards -----------------------------------------------------------

for i in $(seq 10 19); do
	echo "j$i { ip4.addr = \"lo1|10.0.0.$i/32\"; \$nat = \"igb0\";"
	for ((p = i * 1000 + 1; p <= i * 1000 + 1000; p++)); do
		echo " \$forward += \"tcp $p:$((p % 3000 + 80)) to 203.0.113.2\";"
	done
	echo "}"
done >"$TMP/many.jail.conf"
sed '/^j19 /,$d' "$TMP/many.jail.conf" >"$TMP/fewer.jail.conf"
sp -f "$TMP/rc.conf" -f "$TMP/many.jail.conf" apply
is "10,000 forwards" 0 "$rc"
sp -f "$TMP/rc.conf" -f "$TMP/fewer.jail.conf" apply
is "10,000 forwards: a jail that is declared no longer goes" 0 "$rc"
is "10,000 forwards: its address is gone" "" "$(addrs | tr ' ' '\n' | grep '\.19/')"
lab_done
