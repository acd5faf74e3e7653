#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Limits on states, the table that they fill, and packets with options: what
# the kernel does with real connections.
# shellcheck source=../lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_enter "$@"

rules()		# MORE
{
	cat >"$TMP/pf.conf" <<-END
		set skip on lo
		table <bad> persist
		scrub in on igb0 max-mss 1000 min-ttl 70
		block in on igb0
		block in quick on igb0 from <bad>
		block in quick on igb0 inet from urpf-failed
		block in quick on igb0 inet from no-route
		pass in on igb0 proto tcp to port 22 keep state (max-src-conn-rate 3/3600, overload <bad> flush global)
		pass in on igb0 proto tcp to port 80
		pass in on igb0 proto udp to port 53 keep state (max-src-states 2)
		pass in on igb0 proto udp to port 54 allow-opts
		pass in on igb0 proto udp to port 55
		pass in on igb0 proto { icmp icmp6 }
		pass out
		$1
	END
	sp_must -f "$TMP/pf.conf" apply
}

lab_build
rules ""
serve "$HOST" host tcp:{203.0.113.2,'[2001:db8:113::2]'}:{22,80} udp:203.0.113.2:{53,54,55}

all_are "as many connections as the rate allows" "host 198.51.100.7" \
	"$(for _ in 1 2 3; do ask "$CLIENT" tcp:203.0.113.2:22; done)"
is "one more is dropped" silence "$(ask "$CLIENT" --wait 1 tcp:203.0.113.2:22)"
is "and its source is in the table" silence "$(ask "$CLIENT" --wait 1 tcp:203.0.113.2:80)"
is "nobody else is" "host 192.0.2.80" "$(ask "$INET" tcp:203.0.113.2:80)"
is "IPv6 counts for itself" "host 2001:db8:51::7" "$(ask "$CLIENT" 'tcp:[2001:db8:113::2]:22')"
rules "pass in on igb0 proto tcp to port 81"
is "the table outlives a reload" silence "$(ask "$CLIENT" --wait 1 tcp:203.0.113.2:80)"
is "which empties it for nobody else" "host 192.0.2.80" "$(ask "$INET" tcp:203.0.113.2:80)"
sp plan -f "$TMP/pf.conf"
is "what packets fill is no difference" 0 "$rc"

all_are "as many states as a source may have" "host 192.0.2.80" \
	"$(ask "$INET" udp:203.0.113.2:53; ask "$INET" udp:203.0.113.2:53)"
is "one more is dropped, of UDP" silence "$(ask "$INET" --wait 1 udp:203.0.113.2:53)"
is "another source has its own" "host 203.0.113.9" "$(ask "$REPLICA" udp:203.0.113.2:53)"

forge "$NEIGHBOUR" eth0 "nops 203.0.113.66:9 203.0.113.2:54 allowed" \
	"nops 203.0.113.66:10 203.0.113.2:55 refused" \
	"udp 203.0.113.66:11 203.0.113.2:55 plain" \
	"udp 127.9.9.9:11 203.0.113.2:54 martian" \
	"udp 203.0.113.66:12 203.0.113.2:54 last"
wait_for 10 has_log host ' last$'
check "options pass where they are allowed" has_log host ' allowed$'
check "packets without options pass in any case" has_log host ' plain$'
check "options are dropped elsewhere" eval '! has_log host " refused$"'
lab_done
