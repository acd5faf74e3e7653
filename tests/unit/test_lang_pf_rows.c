/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each rule of how pf judges packets, as a ruleset of a few lines, packets in
 * order with the states that they make, and for each what becomes of it and
 * which line says so.
 *
 * Expected: VERDICT@LINE, or @0 where no rule decides but a state or the
 * default does; "state" when it makes one; ">A:P" the new destination, "<A:P"
 * the new source, whose port is "*" where it is drawn at random.  Behind a
 * packet's flags may stand: `opts`, it has IP options; `tos=N`; `recv=IF`, the
 * interface that it came by; `draw=N`, which member of a pool comes next;
 * `chance=N`, what the rules with a probability draw, in percent.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_lang_pf.h"

static const char *const ifaces[] = {
	"igb0 203.0.113.2/24 203.0.113.3/24 2001:db8::2/64",
	"em1 group dmz 10.1.1.1/24",
	"lo0 127.0.0.1/8 ::1/128",
	"lo1 192.168.100.2/32 192.168.100.3/32",
};

#define MAX_PACKETS	8

static const struct row {
	const char *topic;
	const char *text;
	struct {
		const char *packet;
		const char *want;
	} v[MAX_PACKETS];
} rows[] = {
	{ "inbound, rdr comes before binat",
	  "binat on igb0 from 192.168.100.2 to any -> 203.0.113.3\n"
	  "rdr on igb0 proto tcp to 203.0.113.3 port 80 -> 192.168.100.3\n"
	  "pass\n",
	  { { "in igb0 tcp 9.9.9.9:1 203.0.113.3:80 S", "pass@3 state >192.168.100.3:80" },
	    { "in igb0 tcp 9.9.9.9:1 203.0.113.3:81 S", "pass@3 state >192.168.100.2:81" } } },
	{ "outbound, binat comes before nat",
	  "nat on igb0 from 192.168.100.0/24 to any -> 203.0.113.2\n"
	  "binat on igb0 from 192.168.100.2 to any -> 203.0.113.3\n"
	  "pass\n",
	  { { "out igb0 tcp 192.168.100.2:5 9.9.9.9:80 S", "pass@3 state <203.0.113.3:5" },
	    { "out igb0 tcp 192.168.100.3:5 9.9.9.9:80 S", "pass@3 state <203.0.113.2:*" } } },
	{ "the last match counts, quick stops",
	  "block all\n"
	  "pass in proto tcp to port 22\n"
	  "block in quick from 9.9.9.9\n"
	  "pass in from 9.9.9.0/24\n",
	  { { "in igb0 tcp 8.8.8.8:1 203.0.113.2:22 S", "pass@2 state" },
	    { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22 S", "block@3" },
	    { "in igb0 udp 9.9.9.8:1 203.0.113.2:53", "pass@4 state" },
	    { "in igb0 udp 8.8.8.8:1 203.0.113.2:53", "block@1" } } },
	{ "no match passes, without a state",
	  "block in proto tcp\n",
	  { { "in igb0 udp 8.8.8.8:1 203.0.113.2:53", "pass@0" },
	    { "out igb0 udp 203.0.113.2:53 8.8.8.8:1", "pass@0" } } },
	{ "translation takes the first match, and no rdr stops it",
	  "no rdr on igb0 proto tcp from 9.9.9.9 to any port 80\n"
	  "rdr on igb0 proto tcp to port 80 -> 192.168.100.2\n"
	  "rdr on igb0 proto tcp to port 80 -> 192.168.100.3\n"
	  "pass\n",
	  { { "in igb0 tcp 9.9.9.9:1 203.0.113.2:80 S", "pass@4 state" },
	    { "in igb0 tcp 8.8.8.8:1 203.0.113.2:80 S", "pass@4 state >192.168.100.2:80" } } },
	{ "no rdr stops no binat, no binat stops no nat",
	  "no rdr on igb0 all\n"
	  "no binat on igb0 from 192.168.100.3 to any\n"
	  "binat on igb0 from 192.168.100.2 to any -> 203.0.113.3\n"
	  "nat on igb0 from 192.168.100.3 to any -> 203.0.113.2 static-port\n"
	  "pass\n",
	  { { "in igb0 tcp 8.8.8.8:1 203.0.113.3:80 S", "pass@5 state >192.168.100.2:80" },
	    { "out igb0 tcp 192.168.100.3:7 8.8.8.8:80 S", "pass@5 state <203.0.113.2:7" } } },
	{ "rdr pass skips the filter only where it changes something",
	  "rdr pass on igb0 proto tcp to 203.0.113.2 port 80 -> 192.168.100.2\n"
	  "rdr pass on igb0 proto tcp to 203.0.113.3 port 80 -> 203.0.113.3\n"
	  "block in\n",
	  { { "in igb0 tcp 8.8.8.8:1 203.0.113.2:80 S", "pass@1 state >192.168.100.2:80" },
	    { "in igb0 tcp 8.8.8.8:1 203.0.113.3:80 S", "block@3" } } },
	{ "the filter sees the new destination and the new source",
	  "nat on igb0 from 192.168.100.0/24 to any -> 203.0.113.2 static-port\n"
	  "rdr on igb0 proto tcp to port 8080 -> 192.168.100.2 port 80\n"
	  "block all\n"
	  "pass in proto tcp to 192.168.100.2 port 80\n"
	  "pass out from 203.0.113.2\n",
	  { { "in igb0 tcp 8.8.8.8:1 203.0.113.2:8080 S", "pass@4 state >192.168.100.2:80" },
	    { "in igb0 tcp 8.8.8.8:2 203.0.113.2:80 S", "block@3" },
	    { "out igb0 udp 192.168.100.2:5 9.9.9.9:53", "pass@5 state <203.0.113.2:5" },
	    { "out igb0 udp 10.0.0.1:5 9.9.9.9:53", "block@3" } } },
	{ "what is translated keeps state even under no state",
	  "rdr on igb0 proto tcp to port 80 -> 192.168.100.2\n"
	  "pass in no state\n",
	  { { "in igb0 tcp 8.8.8.8:1 203.0.113.2:80 S", "pass@2 state >192.168.100.2:80" },
	    { "in igb0 tcp 8.8.8.8:1 203.0.113.2:81 S", "pass@2" } } },
	{ "a pass keeps state and wants S/SA of TCP",
	  "block in\n"
	  "pass in to 203.0.113.2\n",
	  { { "in igb0 tcp 8.8.8.8:1 203.0.113.2:80 S", "pass@2 state" },
	    { "in igb0 tcp 8.8.8.8:2 203.0.113.2:80 A", "block@1" },
	    { "in igb0 tcp 8.8.8.8:3 203.0.113.2:80 SA", "block@1" },
	    { "in igb0 udp 8.8.8.8:1 203.0.113.2:53", "pass@2 state" } } },
	{ "flags any takes a connection in its middle",
	  "block in\n"
	  "pass in proto tcp flags any\n",
	  { { "in igb0 tcp 8.8.8.8:1 203.0.113.2:80 A", "pass@2 state" } } },
	{ "a state covers its leg and the answers, not the forwarded leg",
	  "block all\n"
	  "pass in on igb0\n",
	  { { "in igb0 udp 8.8.8.8:1 10.1.1.9:53", "pass@2 state" },
	    { "out em1 udp 8.8.8.8:1 10.1.1.9:53", "block@1" },
	    { "out igb0 udp 10.1.1.9:53 8.8.8.8:1", "pass@2" },
	    { "in em1 udp 10.1.1.9:53 8.8.8.8:1", "block@1" } } },
	{ "no state needs a rule for each direction",
	  "block all\n"
	  "pass in proto udp to port 53 no state\n",
	  { { "in igb0 udp 8.8.8.8:1 203.0.113.2:53", "pass@2" },
	    { "out igb0 udp 203.0.113.2:53 8.8.8.8:1", "block@1" } } },
	{ "return answers TCP with a RST, never a RST, and ICMP with nothing",
	  "block return in\n",
	  { { "in igb0 tcp 8.8.8.8:1 203.0.113.2:80 S", "return@1" },
	    { "in igb0 tcp 8.8.8.8:1 203.0.113.2:80 R", "block@1" },
	    { "in igb0 udp 8.8.8.8:1 203.0.113.2:53", "return@1" },
	    { "in igb0 icmp 8.8.8.8 203.0.113.2 8/0", "block@1" } } },
	{ "set block-policy is what a bare block does",
	  "set block-policy return\n"
	  "block in\n"
	  "block drop in proto udp\n",
	  { { "in igb0 tcp 8.8.8.8:1 203.0.113.2:80 S", "return@2" },
	    { "in igb0 udp 8.8.8.8:1 203.0.113.2:53", "block@3" } } },
	{ "set skip is as if pf were not there, for a group and behind other lines",
	  "rdr on lo1 proto tcp to port 80 -> 192.168.100.3\n"
	  "block all\n"
	  "set skip on lo\n",
	  { { "in lo1 tcp 192.168.100.2:1 192.168.100.2:80 S", "pass@3" },
	    { "out lo0 udp 127.0.0.1:1 127.0.0.1:53", "pass@3" },
	    { "in igb0 udp 8.8.8.8:1 203.0.113.2:53", "block@2" } } },
	{ "antispoof always drops: from the network elsewhere, from the addresses anywhere",
	  "set block-policy return\n"
	  "antispoof for igb0 inet\n",
	  { { "in em1 udp 203.0.113.9:1 10.1.1.1:53", "block@2" },
	    { "in igb0 udp 203.0.113.9:1 203.0.113.2:53", "pass@0" },
	    { "in igb0 udp 203.0.113.2:1 203.0.113.3:53", "block@2" },
	    { "in em1 udp 8.8.8.8:1 10.1.1.1:53", "pass@0" } } },
	{ "an interface as address is all its addresses, :0 the first, :network its nets",
	  "block all\n"
	  "pass in proto tcp to igb0 port 1\n"
	  "pass in proto tcp to igb0:0 port 2\n"
	  "pass in proto tcp from igb0:network to port 3\n",
	  { { "in igb0 tcp 8.8.8.8:1 203.0.113.3:1 S", "pass@2 state" },
	    { "in igb0 tcp 8.8.8.8:1 203.0.113.3:2 S", "block@1" },
	    { "in igb0 tcp 8.8.8.8:1 203.0.113.2:2 S", "pass@3 state" },
	    { "in em1 tcp 203.0.113.77:1 10.1.1.1:3 S", "pass@4 state" },
	    { "in em1 tcp 203.0.112.77:1 10.1.1.1:3 S", "block@1" } } },
	{ "(if:0) is its first address",
	  "nat on igb0 inet from 10.1.1.0/24 to any -> (igb0:0) static-port\n",
	  { { "out igb0 tcp 10.1.1.9:5 8.8.8.8:80 S", "pass@0 state <203.0.113.2:5" },
	    { "out igb0 tcp 10.1.1.8:5 8.8.8.8:80 S", "pass@0 state <203.0.113.2:5" } } },
	{ "a table's longest prefix wins, negated entries are holes at any depth",
	  "table <t> { 10.0.0.0/8, !10.1.0.0/16, 10.1.1.0/24, !10.1.1.9 }\n"
	  "block in\n"
	  "pass in from <t>\n",
	  { { "in igb0 udp 10.2.0.1:1 203.0.113.2:53", "pass@3 state" },
	    { "in igb0 udp 10.1.2.1:1 203.0.113.2:53", "block@2" },
	    { "in igb0 udp 10.1.1.8:1 203.0.113.2:53", "pass@3 state" },
	    { "in igb0 udp 10.1.1.9:1 203.0.113.2:53", "block@2" } } },
	{ "a table that is not defined is empty, and its negation everything",
	  "block in\n"
	  "pass in proto udp from <none>\n"
	  "pass in proto tcp from ! <none>\n",
	  { { "in igb0 udp 10.2.0.1:1 203.0.113.2:53", "block@1" },
	    { "in igb0 tcp 10.2.0.1:1 203.0.113.2:53 S", "pass@3 state" } } },
	{ "a list of negations is everything",
	  "block in\n"
	  "pass in from { !10.0.0.1, !10.0.0.2 }\n",
	  { { "in igb0 udp 10.0.0.1:1 203.0.113.2:53", "pass@2 state" },
	    { "in igb0 udp 9.9.9.9:1 203.0.113.2:53", "pass@2 state" } } },
	{ "ports: a:b includes, >< excludes its ends, <> is strictly outside",
	  "block in\n"
	  "pass in proto udp from port 1 to port 10:20\n"
	  "pass in proto udp from port 2 to port 10 >< 20\n"
	  "pass in proto udp from port 3 to port 10 <> 20\n",
	  { { "in igb0 udp 9.9.9.9:1 203.0.113.2:20", "pass@2 state" },
	    { "in igb0 udp 9.9.9.9:2 203.0.113.2:20", "block@1" },
	    { "in igb0 udp 9.9.9.9:2 203.0.113.2:11", "pass@3 state" },
	    { "in igb0 udp 9.9.9.9:3 203.0.113.2:10", "block@1" },
	    { "in igb0 udp 9.9.9.9:3 203.0.113.2:9", "pass@4 state" },
	    { "in igb0 udp 9.9.9.9:3 203.0.113.2:21", "pass@4 state" } } },
	{ "rdr of a range: to one port, or shifted",
	  "rdr on igb0 proto tcp to port 2000:2010 -> 192.168.100.2 port 3000\n"
	  "rdr on igb0 proto tcp to port 4000:4099 -> 192.168.100.2 port 5000:*\n"
	  "rdr on igb0 proto tcp to port { 80 443 } -> 192.168.100.2\n",
	  { { "in igb0 tcp 9.9.9.9:1 203.0.113.2:2007 S", "pass@0 state >192.168.100.2:3000" },
	    { "in igb0 tcp 9.9.9.9:1 203.0.113.2:4042 S", "pass@0 state >192.168.100.2:5042" },
	    { "in igb0 tcp 9.9.9.9:1 203.0.113.2:443 S", "pass@0 state >192.168.100.2:443" } } },
	{ "nat draws the source port, static-port keeps it",
	  "nat on igb0 proto udp from 10.1.1.0/24 to any -> 203.0.113.2\n"
	  "nat on igb0 proto tcp from 10.1.1.0/24 to any -> 203.0.113.2 static-port\n",
	  { { "out igb0 udp 10.1.1.9:5 8.8.8.8:53", "pass@0 state <203.0.113.2:*" },
	    { "out igb0 tcp 10.1.1.9:5 8.8.8.8:53 S", "pass@0 state <203.0.113.2:5" } } },
	{ "binat keeps host bits and ports both ways",
	  "binat on igb0 from 10.1.1.0/30 to any -> 203.0.113.8/30\n",
	  { { "out igb0 tcp 10.1.1.2:5 8.8.8.8:53 S", "pass@0 state <203.0.113.10:5" },
	    { "in igb0 tcp 8.8.8.8:5 203.0.113.9:22 S", "pass@0 state >10.1.1.1:22" } } },
	{ "quick within an anchor stops all, its last match counts with the others'",
	  "block in\n"
	  "anchor x in on igb0 {\n"
	  "pass in quick proto udp\n"
	  "pass in proto tcp\n"
	  "}\n"
	  "block in proto { tcp udp } to port 99\n",
	  { { "in igb0 udp 9.9.9.9:1 203.0.113.2:99", "pass@3 state" },
	    { "in igb0 tcp 9.9.9.9:1 203.0.113.2:99 S", "block@6" },
	    { "in igb0 tcp 9.9.9.9:1 203.0.113.2:98 S", "pass@4 state" },
	    { "in em1 tcp 9.9.9.9:2 203.0.113.2:98 S", "block@1" } } },
	{ "a tag sticks, also from a rule that does not decide",
	  "pass in on igb0 from 9.9.9.0/24 tag A no state\n"
	  "pass in on igb0 no state\n"
	  "block in tagged A\n",
	  { { "in igb0 udp 9.9.9.9:1 203.0.113.2:53", "block@3" },
	    { "in igb0 udp 8.8.8.8:1 203.0.113.2:53", "pass@2" } } },
	{ "icmp-type",
	  "block in\n"
	  "pass in inet proto icmp icmp-type { echoreq, unreach code needfrag }\n",
	  { { "in igb0 icmp 9.9.9.9 203.0.113.2 8/0", "pass@2 state" },
	    { "in igb0 icmp 9.9.9.9 203.0.113.2 3/4", "pass@2" },
	    { "in igb0 icmp 9.9.9.9 203.0.113.2 3/1", "block@1" } } },
	{ "lists of both families never mix them",
	  "block in\n"
	  "pass in from { 9.9.9.9 2001:db8::9 } to igb0\n",
	  { { "in igb0 udp 9.9.9.9:1 203.0.113.3:53", "pass@2 state" },
	    { "in igb0 udp [2001:db8::9]:1 [2001:db8::2]:53", "pass@2 state" },
	    { "in igb0 udp [2001:db8::8]:1 [2001:db8::2]:53", "block@1" } } },
	{ "on a group, and on all but one interface",
	  "block in\n"
	  "pass in on dmz proto udp\n"
	  "pass in on ! igb0 proto tcp\n",
	  { { "in em1 udp 9.9.9.9:1 10.1.1.1:53", "pass@2 state" },
	    { "in igb0 udp 9.9.9.9:2 10.1.1.1:53", "block@1" },
	    { "in em1 tcp 9.9.9.9:1 10.1.1.1:53 S", "pass@3 state" },
	    { "in igb0 tcp 9.9.9.9:2 10.1.1.1:53 S", "block@1" } } },
	{ "a pool of several addresses goes round, one of a prefix keeps the host bits",
	  "rdr on igb0 proto tcp to port 80 -> { 192.168.100.2, 192.168.100.3 }\n"
	  "rdr on igb0 proto tcp to port 81 -> 192.168.100.2/31 round-robin\n"
	  "nat on igb0 from 10.1.1.0/30 to any -> 203.0.113.8/30 bitmask static-port\n",
	  { { "in igb0 tcp 9.9.9.9:1 203.0.113.2:80 S draw=0", "pass@0 state >192.168.100.2:80" },
	    { "in igb0 tcp 9.9.9.9:2 203.0.113.2:80 S draw=1", "pass@0 state >192.168.100.3:80" },
	    { "in igb0 tcp 9.9.9.9:3 203.0.113.2:80 S draw=2", "pass@0 state >192.168.100.2:80" },
	    { "in igb0 tcp 9.9.9.9:4 203.0.113.2:81 S draw=1", "pass@0 state >192.168.100.3:81" },
	    { "out igb0 tcp 10.1.1.2:5 9.9.9.9:80 S", "pass@0 state <203.0.113.10:5" } } },
	{ "nat to a prefix without a kind of pool takes its first address",
	  "nat on igb0 from 10.1.1.0/24 to any -> 203.0.113.8/30 static-port\n",
	  { { "out igb0 tcp 10.1.1.2:5 9.9.9.9:80 S draw=0", "pass@0 state <203.0.113.8:5" },
	    { "out igb0 tcp 10.1.1.3:5 9.9.9.9:80 S draw=1", "pass@0 state <203.0.113.8:5" } } },
	{ "source-hash and sticky-address give a source the same address each time",
	  "rdr on igb0 proto tcp to port 80 -> 192.168.100.2/31 source-hash 0x1234\n"
	  "rdr on igb0 proto tcp to port 81 -> { 192.168.100.2 192.168.100.3 } sticky-address\n",
	  { { "in igb0 tcp 9.9.9.9:1 203.0.113.2:80 S draw=0", "pass@0 state >192.168.100.2:80" },
	    { "in igb0 tcp 9.9.9.9:2 203.0.113.2:80 S draw=1", "pass@0 state >192.168.100.2:80" },
	    { "in igb0 tcp 9.9.9.9:3 203.0.113.2:81 S draw=1", "pass@0 state >192.168.100.3:81" },
	    { "in igb0 tcp 9.9.9.9:4 203.0.113.2:81 S draw=0",
	      "pass@0 state >192.168.100.3:81" } } },
	{ "a table as target goes round its addresses",
	  "table <web> { 192.168.100.2 192.168.100.3 }\n"
	  "rdr on igb0 proto tcp to port 80 -> <web>\n",
	  { { "in igb0 tcp 9.9.9.9:1 203.0.113.2:80 S draw=0", "pass@0 state >192.168.100.2:80" },
	    { "in igb0 tcp 9.9.9.9:2 203.0.113.2:80 S draw=1",
	      "pass@0 state >192.168.100.3:80" } } },
	{ "(if) as a target goes round all its addresses",
	  "nat on igb0 inet from 10.1.1.0/24 to any -> (igb0) static-port\n",
	  { { "out igb0 tcp 10.1.1.9:5 8.8.8.8:80 S draw=0", "pass@0 state <203.0.113.2:5" },
	    { "out igb0 tcp 10.1.1.9:6 8.8.8.8:80 S draw=1", "pass@0 state <203.0.113.3:6" } } },
	{ "max limits the states of a rule, max-src-states those of a source",
	  "block in\n"
	  "pass in proto tcp to port 80 keep state (max 1)\n"
	  "pass in proto tcp to port 81 keep state (source-track rule, max-src-states 1)\n",
	  { { "in igb0 tcp 9.9.9.9:1 203.0.113.2:80 S", "pass@2 state" },
	    { "in igb0 tcp 9.9.9.8:1 203.0.113.2:80 S", "block@2" },
	    { "in igb0 tcp 9.9.9.9:1 203.0.113.2:81 S", "pass@3 state" },
	    { "in igb0 tcp 9.9.9.9:2 203.0.113.2:81 S", "block@3" },
	    { "in igb0 tcp 9.9.9.8:1 203.0.113.2:81 S", "pass@3 state" } } },
	{ "max-src-conn with overload: the source goes into the table",
	  "table <bad> persist\n"
	  "block in quick from <bad>\n"
	  "pass in proto tcp to port 22 keep state (max-src-conn 1, overload <bad> flush)\n",
	  { { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22 S", "pass@3 state" },
	    { "in igb0 tcp 9.9.9.9:2 203.0.113.2:22 S", "block@3" },
	    { "in igb0 tcp 9.9.9.9:3 203.0.113.2:80 S", "block@2" },
	    { "in igb0 tcp 9.9.9.8:1 203.0.113.2:22 S", "pass@3 state" } } },
	{ "nat-to and rdr-to on pass: the rule has the old address, and counts only as the last",
	  "block all\n"
	  "pass in on igb0 inet proto tcp to 203.0.113.2 port 80 rdr-to 192.168.100.2 port 8080\n"
	  "pass in on igb0 inet proto tcp from 9.9.9.9 to 203.0.113.2 port 80\n"
	  "pass out on igb0 inet from 10.1.1.0/24 nat-to 203.0.113.3 static-port\n",
	  { { "in igb0 tcp 8.8.8.8:1 203.0.113.2:80 S", "pass@2 state >192.168.100.2:8080" },
	    { "in igb0 tcp 9.9.9.9:1 203.0.113.2:80 S", "pass@3 state" },
	    { "out igb0 tcp 10.1.1.9:5 8.8.8.8:80 S", "pass@4 state <203.0.113.3:5" } } },
	{ "a match rule translates at once: later rules have the new address",
	  "block all\n"
	  "match in on igb0 inet proto tcp to 203.0.113.2 port 80 rdr-to 192.168.100.2\n"
	  "pass in proto tcp to 192.168.100.2 port 80\n",
	  { { "in igb0 tcp 8.8.8.8:1 203.0.113.2:80 S", "pass@3 state >192.168.100.2:80" },
	    { "in igb0 tcp 8.8.8.8:1 203.0.113.2:81 S", "block@1" } } },
	{ "a match rule decides nothing, its tag stays",
	  "match in from 9.9.9.0/24 tag A\n"
	  "block in tagged A\n",
	  { { "in igb0 udp 9.9.9.9:1 203.0.113.2:53", "block@2" },
	    { "in igb0 udp 8.8.8.8:1 203.0.113.2:53", "pass@0" } } },
	{ "an anchor with quick ends the rules where one inside matches",
	  "anchor x quick {\n"
	  "pass in proto udp\n"
	  "}\n"
	  "block in\n",
	  { { "in igb0 udp 9.9.9.9:1 203.0.113.2:53", "pass@2 state" },
	    { "in igb0 tcp 9.9.9.9:1 203.0.113.2:53 S", "block@4" } } },
	{ "packets with options pass by allow-opts only",
	  "pass in proto udp\n"
	  "pass in proto tcp allow-opts\n",
	  { { "in igb0 udp 9.9.9.9:1 203.0.113.2:53 - opts", "block@1" },
	    { "in igb0 udp 9.9.9.9:1 203.0.113.2:53", "pass@1 state" },
	    { "in igb0 tcp 9.9.9.9:1 203.0.113.2:53 S opts", "pass@2 state" },
	    { "in igb0 esp 9.9.9.9 203.0.113.2 - opts", "block@0" } } },
	{ "urpf-failed: the way back leads over another interface; no-route: there is none",
	  "pass in\n"
	  "block in from urpf-failed\n"
	  "block in proto udp from no-route\n",
	  { { "in em1 tcp 203.0.113.9:1 10.1.1.1:53 S", "block@2" },
	    { "in igb0 tcp 203.0.113.9:1 203.0.113.2:53 S", "pass@1 state" },
	    { "in em1 tcp 10.1.1.9:1 10.1.1.1:53 S", "pass@1 state" },
	    { "in em1 tcp 172.16.0.1:1 10.1.1.1:53 S", "block@2" },
	    { "in em1 udp 172.16.0.1:1 10.1.1.1:53", "block@3" } } },
	{ "received-on is the interface that a packet came by",
	  "block out\n"
	  "pass out on igb0 received-on em1\n",
	  { { "out igb0 udp 10.1.1.9:1 8.8.8.8:53 - recv=em1", "pass@2 state" },
	    { "out igb0 udp 10.1.1.8:1 8.8.8.8:53 - recv=lo1", "block@1" },
	    { "out igb0 udp 203.0.113.2:1 8.8.8.8:53", "block@1" } } },
	{ "probability: a rule matches by chance",
	  "block in\n"
	  "pass in proto udp probability 30% no state\n",
	  { { "in igb0 udp 9.9.9.9:1 203.0.113.2:53 - chance=29", "pass@2" },
	    { "in igb0 udp 9.9.9.9:1 203.0.113.2:53 - chance=31", "block@1" } } },
	{ "tos",
	  "block in\n"
	  "pass in proto tcp tos lowdelay\n",
	  { { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22 S tos=0x10", "pass@2 state" },
	    { "in igb0 tcp 9.9.9.9:2 203.0.113.2:22 S", "block@1" } } },
	{ "a label has no part in judging, nor have log and queue",
	  "block in log (all) label \"b:$nr\"\n"
	  "pass in log proto udp queue q label \"$if:$proto\"\n",
	  { { "in igb0 udp 9.9.9.9:1 203.0.113.2:53", "pass@2 state" },
	    { "in igb0 tcp 9.9.9.9:1 203.0.113.2:53 S", "block@1" } } },
	{ "translation is not asked where set skip stands, whatever the order of lines",
	  "nat on igb0 from 10.1.1.0/24 to any -> 203.0.113.2\n"
	  "set skip on igb0\n",
	  { { "out igb0 udp 10.1.1.9:5 8.8.8.8:53", "pass@2" } } },
	{ "a tag of a nat rule stays with the packet",
	  "nat on igb0 from 10.1.1.0/24 to any tag LAN -> 203.0.113.2 static-port\n"
	  "block out on igb0\n"
	  "pass out on igb0 tagged LAN\n",
	  { { "out igb0 udp 10.1.1.9:5 8.8.8.8:53", "pass@3 state <203.0.113.2:5" },
	    { "out igb0 udp 10.2.1.9:5 8.8.8.8:53", "block@2" } } },
};

/* "A:P", "[A]:P" or "A" */
static void read_end(const char *s, struct addr *a, uint16_t *port)
{
	const bool in_brackets = s[0] == '[';
	const char *first = s + in_brackets;
	const char *end = strchr(first, in_brackets ? ']' : ':');

	if (end == NULL)
		end = first + strlen(first);
	CHECK_INT(addr_parse(first, (size_t)(end - first), a), 0);
	end += in_brackets;
	*port = *end == ':' ? (uint16_t)atoi(end + 1) : 0;
}

/* What a packet has besides, and what is drawn for it */
static void read_more(struct pf_test *t, struct packet *p, const char *more)
{
	const char *eq = strchr(more, '=');
	const char *value = eq != NULL ? eq + 1 : "";

	if (more[0] == 'o')
		p->has_opts = true;
	else if (more[0] == 't')
		p->tos = (uint8_t)strtoul(value, NULL, 0);
	else if (more[0] == 'r')
		p->recv = intern_cid(&t->names, value);
	else if (more[0] == 'd')
		t->world.draw = (uint32_t)strtoul(value, NULL, 0);
	else if (more[0] == 'c')
		for (uint32_t i = 0; i < t->model.n_draws; i++)
			t->world.draws.v[i] = (uint32_t)(PROB_ONE / 100 * strtoul(value, NULL, 0));
	else
		CHECK_STR(more, "");
}

static struct packet read_packet(struct pf_test *t, const char *line)
{
	char dir[8], iface[16], proto[16], src[64], dst[64], extra[16] = "S", more[32] = "";
	struct packet p = { .dir = DIR_IN };
	int n;

	n = sscanf(line, "%7s %15s %15s %63s %63s %15s %31s", dir, iface, proto, src, dst, extra,
		   more);
	if (!CHECK(n >= 5))
		return p;
	read_more(t, &p, more);
	p.dir = strcmp(dir, "out") == 0 ? DIR_OUT : DIR_IN;
	p.iface = intern_cid(&t->names, iface);
	if (p.dir == DIR_IN)
		p.recv = p.iface;
	p.proto = (uint8_t)proto_parse(proto, strlen(proto));
	read_end(src, &p.src, &p.sport);
	read_end(dst, &p.dst, &p.dport);
	if (p.proto == PROTO_TCP)
		p.tcp_flags = (uint8_t)tcp_flags_parse(extra, strlen(extra));
	if (p.proto == PROTO_ICMP) {
		p.icmp_type = (uint8_t)atoi(extra);
		p.icmp_code = (uint8_t)atoi(strchr(extra, '/') + 1);
		p.sport = p.dport = p.icmp_type == 8 ? 77 : 0;
	}
	return p;
}

/* The line that decided, 0 for none */
static unsigned int line_of(struct pf_test *t, const struct result *r)
{
	for (uint32_t i = 0; i < r->steps.n; i++)
		if (r->steps.v[i].is_final)
			return source_place(&t->sources, r->steps.v[i].origin.at).line;
	return 0;
}

static const char *judged(struct pf_test *t, const char *line)
{
	static const char *const names[] = { "pass", "block", "return" };
	const struct packet p = read_packet(t, line);
	const struct result r = model_eval(&t->model, &t->world, &p, &t->a);
	const char *s = arena_printf(&t->a, "%s@%u%s", names[r.verdict], line_of(t, &r),
				     r.makes_state ? " state" : "");
	char buf[ADDR_TEXT_BYTES];

	if (r.dst_changed)
		s = arena_printf(&t->a, "%s >%s:%u", s, addr_print(r.packet.dst, buf),
				 r.packet.dport);
	if (r.src_changed && r.sport_lo != r.sport_hi)
		s = arena_printf(&t->a, "%s <%s:*", s, addr_print(r.packet.src, buf));
	else if (r.src_changed)
		s = arena_printf(&t->a, "%s <%s:%u", s, addr_print(r.packet.src, buf),
				 r.packet.sport);
	return s;
}

static void one_row(const struct row *row)
{
	struct pf_test t;

	pf_test_init(&t);
	for (size_t i = 0; i < ARRAY_SIZE(ifaces); i++)
		pf_test_iface(&t, ifaces[i]);
	if (!CHECK(pf_test_text(&t, row->text))) {
		char *told = langkit_told(&t.diags);

		unit_detail("    # %s: %s", row->topic, told);
		free(told);
	}
	for (uint32_t i = 0; i < t.model.n_draws; i++)
		vec_add(&t.a, &t.world.draws, 0);
	for (int i = 0; i < MAX_PACKETS && row->v[i].packet != NULL; i++)
		if (!CHECK_STR(judged(&t, row->v[i].packet), row->v[i].want))
			unit_detail("    # %s: %s\n", row->topic, row->v[i].packet);
	pf_test_fini(&t);
}

TEST(rows)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		one_row(&rows[i]);
}

/* What nftables cannot do is refused, never done by halves */
TEST(refused)
{
	static const struct {
		const char *text;
		enum diag_code code;
	} cases[] = {
		{ "pass in route-to (em1 10.1.1.9)\n", DIAG_E1316 },
		{ "pass in reply-to (em1 10.1.1.9)\n", DIAG_E1316 },
		{ "pass in dup-to (em1 10.1.1.9)\n", DIAG_E1316 },
		{ "pass in proto tcp user root\n", DIAG_E1316 },
		{ "pass in proto tcp group wheel\n", DIAG_E1316 },
		{ "pass in rtable 1\n", DIAG_E1316 },
		{ "pass in proto tcp divert-to 127.0.0.1 port 99\n", DIAG_E1316 },
		{ "pass in from any os OpenBSD\n", DIAG_E1316 },
		{ "set state-policy if-bound\npass\n", DIAG_E1316 },
		{ "pass keep state (if-bound)\n", DIAG_E1316 },
		{ "pass in on igb0 inet af-to inet6 from 2001:db8::1\n", DIAG_E1331 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pf_test t;

		pf_test_init(&t);
		for (size_t n = 0; n < ARRAY_SIZE(ifaces); n++)
			pf_test_iface(&t, ifaces[n]);
		CHECK(!pf_test_text(&t, cases[i].text));
		if (!CHECK_INT(langkit_count(&t.diags, cases[i].code), 1))
			unit_detail("    # %s", cases[i].text);
		pf_test_fini(&t);
	}
}

/* ---- is anything left out ------------------------------------------------- */

/*
 * What there is to know of pf's meaning, by the words that its description begins
 * with, and where it is shown: a row above, a file, or that it is refused
 */
static const struct {
	const char *topic;
	const char *shown;
} topics[] = {
	{ "order of stages", "inbound, rdr comes before binat" },
	{ "statement order", "tests/golden/pf/e1107-order.pf.conf" },
	{ "last match", "the last match counts, quick stops" },
	{ "translation", "translation takes the first match, and no rdr stops it" },
	{ "rdr pass / nat pass", "rdr pass skips the filter only where it changes something" },
	{ "log on rdr pass", "tests/e2e/log.sh" },
	{ "what filter sees", "the filter sees the new destination and the new source" },
	{ "translation keeps state", "what is translated keeps state even under no state" },
	{ "default state", "a pass keeps state and wants S/SA of TCP" },
	{ "state = floating", "a state covers its leg and the answers, not the forwarded leg" },
	{ "no state", "no state needs a rule for each direction" },
	{ "modulate / synproxy", "tests/golden/pf/n1152-state.pf.conf" },
	{ "return", "return answers TCP with a RST, never a RST, and ICMP with nothing" },
	{ "set block-policy", "set block-policy is what a bare block does" },
	{ "set skip on X",
	  "set skip is as if pf were not there, for a group and behind other lines" },
	{ "antispoof for I",
	  "antispoof always drops: from the network elsewhere, from the addresses anywhere" },
	{ "I as address",
	  "an interface as address is all its addresses, :0 the first, :network its nets" },
	{ "(I)", "(if) as a target goes round all its addresses" },
	{ ":network :broadcast :peer :0", "(if:0) is its first address" },
	{ "groups `egress`", "tests/golden/hosts/12-gateway.pf.conf" },
	{ "tables", "a table's longest prefix wins, negated entries are holes at any depth" },
	{ "table flags", "tests/e2e/pfctl.sh" },
	{ "lists", "a list of negations is everything" },
	{ "port ops", "ports: a:b includes, >< excludes its ends, <> is strictly outside" },
	{ "rdr ports", "rdr of a range: to one port, or shifted" },
	{ "nat source port", "nat draws the source port, static-port keeps it" },
	{ "pools", "a pool of several addresses goes round, one of a prefix keeps the host bits" },
	{ "table as target", "a table as target goes round its addresses" },
	{ "binat", "binat keeps host bits and ports both ways" },
	{ "hairpin", "tests/golden/hosts/33-reflect.pf.conf" },
	{ "anchors", "quick within an anchor stops all, its last match counts with the others'" },
	{ "load anchor / inline", "tests/golden/cli/pf-load.pf.conf" },
	{ "tag / tagged", "a tag sticks, also from a rule that does not decide" },
	{ "label", "tests/golden/pf/tags-variables.pf.conf" },
	{ "log", "tests/golden/pf/n1151-log.pf.conf" },
	{ "received-on (14+)", "received-on is the interface that a packet came by" },
	{ "icmp-type/code", "icmp-type" },
	{ "user/group", "tests/golden/pf/users.pf.conf" },
	{ "route-to/reply-to/dup-to", "REFUSED" },
	{ "rtable", "REFUSED" },
	{ "divert-to", "REFUSED" },
	{ "probability", "probability: a rule matches by chance" },
	{ "max", "max-src-conn with overload: the source goes into the table" },
	{ "allow-opts", "packets with options pass by allow-opts only" },
	{ "scrub", "tests/e2e/scrub.sh" },
	{ "urpf-failed / no-route",
	  "urpf-failed: the way back leads over another interface; no-route: there is none" },
	{ "af-to (15+)", "REFUSED" },
	{ "match", "a match rule translates at once: later rules have the new address" },
	{ "timeouts", "tests/golden/pf/n1150-notes.pf.conf" },
	{ "shared-IP vs VNET", "tests/e2e/vnet.sh" },
};

static bool is_shown(const char *where)
{
	char path[256];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].topic, where) == 0)
			return true;
	snprintf(path, sizeof(path), "%s", where);
	return strcmp(where, "REFUSED") == 0 || access(path, R_OK) == 0;
}

/* The number of the topic that a line of the description is about, or -1 */
static int topic_of(const char *line)
{
	size_t longest = 0;
	int best = -1;

	for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
		const size_t len = strlen(topics[i].topic);

		if (len > longest && strncmp(line + 2, topics[i].topic, len) == 0 &&
		    (line[2 + len] == ' ' || line[2 + len] == ',')) {
			longest = len;
			best = (int)i;
		}
	}
	return best;
}

static void check_lines(FILE *f)
{
	bool is_told[ARRAY_SIZE(topics)] = { false };
	bool is_within = false;
	char line[8192];

	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "## ", 3) == 0)
			is_within = strncmp(line, "## 2.", 5) == 0;
		if (!is_within || strncmp(line, "| ", 2) != 0 || strncmp(line, "| topic", 7) == 0)
			continue;
		if (CHECK(topic_of(line) >= 0))
			is_told[topic_of(line)] = true;
		else
			unit_detail("    # %.60s\n", line);
	}
	for (size_t i = 0; i < ARRAY_SIZE(topics); i++)
		CHECK(is_told[i]);
}

/* Each topic of the description, where that is at hand, is shown here */
TEST(nothing_left_out)
{
	const char *corpus = getenv("SALLYPORT_CORPUS");
	char path[2048];
	FILE *f;

	for (size_t i = 0; i < ARRAY_SIZE(topics); i++)
		if (!CHECK(is_shown(topics[i].shown)))
			unit_detail("    # %s\n", topics[i].shown);
	if (corpus == NULL)
		UNIT_SKIP("../shared absent");
	snprintf(path, sizeof(path), "%s/../reference/pf.md", corpus);
	f = fopen(path, "re");
	if (f == NULL)
		UNIT_SKIP("../shared absent");
	check_lines(f);
	fclose(f);
}
