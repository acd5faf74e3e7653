#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The host of this directory, with real traffic: what each rule set promises.
# shellcheck source=../../tests/lib/lab.sh
. "$(dirname "$0")/../../tests/lib/lab.sh"
lab_enter "$@"

lab_build
serve_world
cd "$LAB_TOP/examples/library" || exit 71
sp_must -f rc.conf -f jail.conf -f pf.conf apply
serve_example

all_are "rdr-web: the web jail answers, and sees the client" "www 198.51.100.7" \
	"$(ask "$CLIENT" {http,tcp}:203.0.113.2:{80,443})"
is "rdr-replica: the database answers its replica" "db 203.0.113.9" \
	"$(ask "$REPLICA" tcp:203.0.113.2:3306)"
all_are "rdr-replica: and nobody else" silence \
	"$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:3306; ask "$NEIGHBOUR" --wait "$GONE" tcp:203.0.113.2:3306)"
for jail in 192.168.100.2 192.168.100.3; do
	all_are "nat-jails: $jail goes out as the host" "inet 203.0.113.2" \
		"$(ask "$HOST" --from $jail {tcp,udp}:192.0.2.80:53)"
done
is "options: jails are not filtered among themselves" "db 192.168.100.2" \
	"$(ask "$HOST" --from 192.168.100.2 tcp:192.168.100.3:5432)"
is "filter-deny-ssh: ssh from where it may come" "host 198.51.100.7" \
	"$(ask "$CLIENT" tcp:203.0.113.2:22)"
is "filter-deny-ssh: ssh from elsewhere" silence \
	"$(ask "$NEIGHBOUR" --wait "$GONE" tcp:203.0.113.2:22)"
all_are "filter-deny-ssh: nothing else comes in, and gets no answer" silence \
	"$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:8080 udp:203.0.113.2:53)"
check "filter-deny-ssh: a ping is answered" in_ns "$CLIENT" ping -qnc 1 -W 5 203.0.113.2

sp why in igb0 udp 203.0.113.2:53 203.0.113.2:53
is "filter-antispoof: the host's own address does not come from outside" 1 "$rc"
has "filter-antispoof: and the rule set is named" 'filter-antispoof\.pf:[0-9]+' "$out"

sp plan
is "plan: without -f, the files and their includes are found again" "0 " "$rc $out$err"
sp_must destroy
is "destroy: no rule is left" "" "$(on_host nft list ruleset)"
lab_done
