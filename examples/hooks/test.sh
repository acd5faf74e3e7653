#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Each hook as its caller runs it: addresses and forwards are there in between,
# and a hook that fails says why and keeps the jail from running.
# shellcheck source=../../tests/lib/lab.sh
. "$(dirname "$0")/../../tests/lib/lab.sh"
hooks=$(cd "$(dirname "$0")" && pwd)
lab_enter "$@"
lab_build

mkdir "$TMP/bin"
ln -s "$SALLYPORT" "$TMP/bin/sallyport"
PATH=$TMP/bin:$PATH
addrs() { on_host ip -o -4 addr show | awk '$2 == "lo1" { print $4 }' | sort | paste -sd ' '; }
sp_must -f "$hooks/rc.conf" -f "$hooks/jail.conf" apply
sp_must down ALL
is "nothing is up" "" "$(addrs)"

# ---- jail.conf: what jail(8) would run --------------------------------------

exec_line() { sed -n "s/^exec\\.$1 = \"\\(.*\\)\";$/\\1/p" "$hooks/jail.conf" | sed "s/\\\$name/$2/"; }
check "jail.conf: prestart" on_host sh -c "$(exec_line prestart www)"
is "jail.conf: the jail's address is there" "10.0.0.2/32" "$(addrs)"
serve "$HOST" www tcp:10.0.0.2:80
is "jail.conf: its forward leads there" "www 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:8080)"
check "jail.conf: poststop" on_host sh -c "$(exec_line poststop www)"
is "jail.conf: and gone" "" "$(addrs)"

# ---- LXC --------------------------------------------------------------------

check "LXC: pre-start" on_host env LXC_NAME=mail LXC_HOOK_TYPE=pre-start "$hooks/lxc-hook"
is "LXC: the address is there" "10.0.0.3/32" "$(addrs)"
check "LXC: post-stop" on_host env LXC_NAME=mail LXC_HOOK_TYPE=post-stop "$hooks/lxc-hook"
is "LXC: and gone" "" "$(addrs)"
is "LXC: another hook is refused" 64 \
	"$(on_host env LXC_NAME=mail LXC_HOOK_TYPE=clone "$hooks/lxc-hook" 2>/dev/null; echo $?)"

# ---- OCI --------------------------------------------------------------------

oci() { on_host "$hooks/oci-hook" <<<"{\"ociVersion\": \"1.0.2\", \"id\": \"$1\", \"status\": \"$2\",
	\"pid\": 1, \"bundle\": \"/run/b\"}"; }
check "OCI: createRuntime" oci www creating
is "OCI: the address is there" "10.0.0.2/32" "$(addrs)"
check "OCI: poststop" oci www stopped
is "OCI: and gone" "" "$(addrs)"
is "OCI: an unknown container is refused" 65 "$(oci nobody creating 2>"$TMP/why"; echo $?)"
has "OCI: with the reason" "no jail 'nobody' is declared" "$(cat "$TMP/why")"
is "OCI: so is what is no state" 65 \
	"$(on_host "$hooks/oci-hook" <<<'nothing' 2>/dev/null; echo $?)"

# ---- bubblewrap, unshare ------------------------------------------------------

# shellcheck disable=SC2016
is "run-jail: the command has its address" "10.0.0.2 10.0.0.2/32" \
	"$(on_host "$hooks/run-jail" www sh -c '
		echo "$JAIL_ADDRESS $(ip -o -4 addr show dev lo1 | sed "s/.*inet \([^ ]*\).*/\1/")"')"
is "run-jail: and nobody afterwards" "" "$(addrs)"
is "run-jail: no packet socket, though it runs as root" "PermissionError" \
	"$(on_host "$hooks/run-jail" www python3 -c '
import socket
try:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
except OSError as e:
    print(type(e).__name__)')"
is "run-jail: the command's exit status" 7 "$(on_host "$hooks/run-jail" www sh -c 'exit 7'; echo $?)"
is "run-jail: a jail that is refused runs nothing" "65" \
	"$(on_host "$hooks/run-jail" nobody echo ran 2>"$TMP/why"; echo $?)"
has "run-jail: with the reason" "no jail 'nobody' is declared" "$(cat "$TMP/why")"

# ---- systemd ------------------------------------------------------------------

# What the units run
unit_line() { sed -n "s|^$2=/usr/local/sbin/||p" "$hooks/systemd/$1" | sed "s/%i/www/"; }
for unit in sallyport-jail@.service systemd-nspawn@.service.d/sallyport.conf; do
	case $unit in
	sallyport*)	start=ExecStart stop=ExecStop ;;
	*)		start=ExecStartPre stop=ExecStopPost ;;
	esac
	check "$unit: starts" on_host sh -c "$(unit_line "$unit" $start)"
	is "$unit: the address is there" "10.0.0.2/32" "$(addrs)"
	check "$unit: stops" on_host sh -c "$(unit_line "$unit" $stop)"
	is "$unit: and gone" "" "$(addrs)"
done
if command -v systemd-analyze >/dev/null; then
	mkdir -p "$TMP/units"
	cp "$hooks"/systemd/*.service "$TMP/units"
	sed -i "s|/usr/local/sbin/sallyport|$SALLYPORT|" "$TMP"/units/*
	cp "$TMP/units/sallyport-jail@.service" "$TMP/units/sallyport-jail@www.service"
	is "systemd-analyze finds nothing wrong" "" "$(systemd-analyze verify --man=no \
		"$TMP/units/sallyport.service" "$TMP/units/sallyport-jail@www.service" 2>&1 |
		grep -F "$TMP/units/")"
fi
check "sallyport.service: starts" on_host sh -c "$(unit_line sallyport.service ExecStart)"
check "sallyport.service: stops" on_host sh -c "$(unit_line sallyport.service ExecStop)"
is "and nothing is left" "" "$(addrs)"
lab_done
