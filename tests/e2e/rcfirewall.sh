#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The types of rc.firewall with rules about a host's own networks and services:
# what answers, and to whom.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"
lab_build
serve_world
serve "$HOST" own tcp:203.0.113.2:{22,25,53,80,8080} udp:203.0.113.2:{53,9}

firewall()	# TYPE [LINE of rc.conf]...
{
	printf '%s\n' 'ifconfig_igb0="inet 203.0.113.2/24"' 'defaultrouter="203.0.113.1"' \
		'firewall_enable="YES"' "firewall_type=\"$1\"" "${@:2}" >"$TMP/rc.conf"
	sp_must -f "$TMP/rc.conf" apply
}

# ---- workstation -----------------------------------------------------------

firewall workstation 'firewall_myservices="22/tcp 53/udp"' \
	'firewall_allowservices="198.51.100.0/24"' 'firewall_trusted="203.0.113.66"'
all_are "workstation: services for whom they are allowed" "own 198.51.100.7" \
	"$(ask "$CLIENT" tcp:203.0.113.2:22 udp:203.0.113.2:53)"
all_are "workstation: nothing else for them" silence \
	"$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:{25,53,80} udp:203.0.113.2:9)"
all_are "workstation: all for who is trusted" "own 203.0.113.66" \
	"$(ask "$NEIGHBOUR" tcp:203.0.113.2:{22,80} udp:203.0.113.2:9)"
all_are "workstation: nothing for others" silence \
	"$(ask "$REPLICA" --wait "$GONE" tcp:203.0.113.2:{22,80} udp:203.0.113.2:53)"
all_are "workstation: what it asks is answered" "inet 203.0.113.2" \
	"$(ask "$HOST" {tcp,udp}:192.0.2.80:53)"
check "workstation: it can be pinged" in_ns "$CLIENT" ping -qnc 1 -W 5 203.0.113.2

# ---- client ----------------------------------------------------------------

firewall client 'firewall_client_net="203.0.113.0/24"'
all_are "client: all for the own network" "own 203.0.113.66" \
	"$(ask "$NEIGHBOUR" tcp:203.0.113.2:{22,80} udp:203.0.113.2:9)"
is "client: mail from anywhere" "own 198.51.100.7" "$(ask "$CLIENT" tcp:203.0.113.2:25)"
all_are "client: nothing else" silence \
	"$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:{22,80} udp:203.0.113.2:{9,53})"
all_are "client: connections and names outside" "inet 203.0.113.2" \
	"$(ask "$HOST" tcp:192.0.2.80:{80,443} udp:192.0.2.80:53)"
is "client: no other protocol outside" denied "$(ask "$HOST" --wait "$GONE" udp:192.0.2.80:80)"

# ---- simple ----------------------------------------------------------------

# INET has an address for documentation, which nothing outside may have
firewall simple 'firewall_simple_oif="igb0"' 'firewall_simple_onet="203.0.113.0/24"' \
	'firewall_simple_iif="igb1"' 'firewall_simple_inet="10.0.0.0/24"'
all_are "simple: mail, names and web from outside" "own 198.51.100.7" \
	"$(ask "$CLIENT" tcp:203.0.113.2:{25,53,80} udp:203.0.113.2:53)"
all_are "simple: nothing else from there" silence \
	"$(ask "$CLIENT" --wait "$GONE" tcp:203.0.113.2:{22,8080} udp:203.0.113.2:9)"
is "simple: nothing to what cannot be outside" "silence denied" \
	"$(ask "$HOST" --wait "$GONE" {tcp,udp}:192.0.2.80:53 | paste -sd' ')"
lab_done
