#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A jail that goes takes its own away and nothing else comes: not on a host where
# nothing is ours, and no address of another; and a jail may have the host's own
# address, by which the others leave all the same.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
mkdir -p /run/etc
cd /run/etc || exit 71
cat >rc.conf <<'END'
ifconfig_igb0="inet 203.0.113.2/24"
ifconfig_igb0_alias0="inet 203.0.113.20 netmask 0xffffffff"
defaultrouter="203.0.113.1"
END
cat >jail.conf <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|10.0.0.2/32"; $forward = "tcp 8080:80"; }
alias { ip4.addr = "igb0|203.0.113.20/32"; }
host { ip4.addr = "igb0|203.0.113.2"; }
END
F=(-f rc.conf -f jail.conf)
snapshot "$HOST" "$TMP/before"

sp "${F[@]}" down www
is "down where nothing is ours" "0 " "$rc $out"
snapshot "$HOST" "$TMP/after"
same "and nothing comes" "$TMP/before" "$TMP/after"
sp "${F[@]}" down nosuch
is "down of an unknown jail" 65 "$rc"

sp "${F[@]}" up www
is "up beside a jail with the host's own address" 0 "$rc"
serve "$INET" world tcp:192.0.2.80:80
is "which is left by" "world 203.0.113.2" "$(ask "$HOST" --from 10.0.0.2 tcp:192.0.2.80:80)"
sp "${F[@]}" --json status
is "that jail is up" "true" \
	"$(jq -r '.sallyport.status[0].jails[] | select(.jail == "host") | .up' <<<"$out")"
sp "${F[@]}" down alias
is "down of a jail whose address is not there" 0 "$rc"
is "adds it not, though rc.conf declares it" "" \
	"$(on_host ip -4 addr show dev igb0 | grep -F 203.0.113.20)"
sp "${F[@]}" down host
sp "${F[@]}" --json status
is "down of the one with the host's own address" "false" \
	"$(jq -r '.sallyport.status[0].jails[] | select(.jail == "host") | .up' <<<"$out")"
has "which stays" 203.0.113.2/24 "$(on_host ip -4 addr show dev igb0)"

# ---- down with files that have errors by now ---------------------------------------

cp jail.conf jail.good
sp_must "${F[@]}" up www
is "www is up" 1 "$(on_host ip -4 -o addr show dev lo1 | grep -cF 10.0.0.2)"
echo 'www {' >>jail.conf
sp "${F[@]}" -n down www
has "down -n of a broken jail.conf" "^65 .*jail\.conf:[0-9]+:.*note: taken down as" "$rc $(tr '\n' ' ' <<<"$err")"
is "it changes nothing" 1 "$(on_host ip -4 -o addr show dev lo1 | grep -cF 10.0.0.2)"
sp "${F[@]}" down nosuch
is "who is in neither is an error" "65 " "$rc $(grep -F 'taken down' <<<"$err")"
sp "${F[@]}" --json down www
is "down: the errors are told" 65 "$rc"
check "and what was done" jq -e '(.sallyport.error | length > 0) and
	(.sallyport.down | any(.object | test("lo1")))' <<<"$out"
is "www is gone" "" "$(on_host ip -4 -o addr | grep -F 10.0.0.2)"
mv jail.good jail.conf
sp_must "${F[@]}" up www
mv jail.conf jail.good
sp down www
is "down: jail.conf is gone" 66 "$rc"
is "and www too" "" "$(on_host ip -4 -o addr | grep -F 10.0.0.2)"
mv jail.good jail.conf

sp destroy
snapshot "$HOST" "$TMP/after"
same "destroy" "$TMP/before" "$TMP/after"
sp "${F[@]}" down ALL
is "down after it" "0 " "$rc $out"
snapshot "$HOST" "$TMP/after"
same "and nothing comes back" "$TMP/before" "$TMP/after"
sp "${F[@]}" -q apply
sp "${F[@]}" --json status
is "but apply leaves down what was taken down" "false false false" \
	"$(jq -r '.sallyport.status[0].jails | map(.up) | join(" ")' <<<"$out")"
lab_done
