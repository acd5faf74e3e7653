#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The host of service jails, one jail after the other: its addresses come and go
# with the jails, the world reaches what pf.conf says, and the host's own address
# stays what it was.
# shellcheck source=../../tests/lib/lab.sh
. "$(dirname "$0")/../../tests/lib/lab.sh"
here=$(cd "$(dirname "$0")" && pwd)
lab_enter "$@"
lab_build
addrs() { on_host ip -o -4 addr show dev igb0 | awk '{ print $4 }' | sort -V | paste -sd ' '; }

sp -f "$here/rc.conf" -f "$here/pf.conf" check
is "check" 0 "$rc"
snapshot "$HOST" "$TMP/before"
sp_must -f "$here/rc.conf" -f "$here/pf.conf" up ns
is "ns is up: its address beside the host's" "203.0.113.2/24 203.0.113.17/32" "$(addrs)"
sp_must up mail www
is "all are up" "203.0.113.2/24 203.0.113.17/32 203.0.113.18/32 203.0.113.19/32" "$(addrs)"
sp plan
is "that is all" "0 " "$rc $out"

serve "$HOST" ns {tcp,udp}:203.0.113.17:53 tcp:203.0.113.17:22
serve "$HOST" mail tcp:203.0.113.18:{25,587}
serve "$HOST" www tcp:203.0.113.19:{80,443,8080}
serve "$HOST" host tcp:203.0.113.2:{22,80}
is "the world reaches what pf.conf says" \
	"ns 198.51.100.7,ns 198.51.100.7,mail 198.51.100.7,www 198.51.100.7,host 198.51.100.7" \
	"$(ask "$CLIENT" {udp,tcp}:203.0.113.17:53 tcp:203.0.113.18:25 tcp:203.0.113.19:443 \
		tcp:203.0.113.2:22 | paste -sd ,)"
all_are "and nothing else" silence "$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.17:22 \
	tcp:203.0.113.19:8080 tcp:203.0.113.2:80)"
sp_must down www
is "down takes the jail's address alone" "203.0.113.2/24 203.0.113.17/32 203.0.113.18/32" \
	"$(addrs)"
sp_must apply
is "what was taken down stays down" "203.0.113.2/24 203.0.113.17/32 203.0.113.18/32" "$(addrs)"
sp_must destroy
snapshot "$HOST" "$TMP/after"
same "nothing is left" "$TMP/before" "$TMP/after"
lab_done
