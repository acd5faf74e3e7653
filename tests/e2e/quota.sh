#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What of a forward is for some time or up to some number only, and what is
# counted of it: with real connections.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build

cat >"$TMP/rc.conf" <<'END'
cloned_interfaces="lo1"
gateway_enable="YES"
END
cat >"$TMP/jail.conf" <<'END'
$nat = "igb0";
www { ip4.addr = "lo1|192.168.100.2/32"; $forward = "tcp 4000:80"; }
db { ip4.addr = "lo1|192.168.100.3/32"; }
END
fw_must() { sp_must forward "$@"; }
from_client() { ask "$CLIENT" --wait 1 "$@"; }	# PROTO:ADDR:PORT...

sp_must -f "$TMP/rc.conf" -f "$TMP/jail.conf" apply
serve "$HOST" www {tcp,udp}:192.168.100.2:{80,443}
serve "$HOST" db {tcp,udp}:192.168.100.3:80

# ---- until: nothing of ours runs when it ends ----------------------------------

fw_must add www tcp 8443:443 --until 2s
fw_must add www tcp 8444:443 --until 1h
all_are "until: before" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:844{3,4})"
is "until: of the host itself" "www 203.0.113.2" "$(ask "$HOST" tcp:203.0.113.2:8443)"
has "until: the kernel knows" 'meta time < "20' "$(on_host nft list table inet sallyport)"
ended() { [ "$(from_client tcp:203.0.113.2:8443)" = refused ]; }
check "until: it ends by itself" wait_for 10 ended
is "until: for the host itself" refused "$(ask "$HOST" tcp:203.0.113.2:8443)"
is "until: no other does" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:8444)"
sp_must apply
is "until: after the next run" "www 198.51.100.7" "$(from_client tcp:203.0.113.2:8444)"
sp status
is "until: no drift" 0 "$rc"

lab_done
