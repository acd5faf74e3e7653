/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Tables of (name, number) sorted by name, searched by halves.  A name's first
 * duty is to be found; the other way round is asked rarely and of small tables
 * only, and is one pass.  Where a number has several names, the row marked
 * `usual` is the one that is printed.
 */
#include "net/names.h"

#include <string.h>

struct name_row {
	const char *name;
	uint16_t number;
	bool usual;
};

/* FreeBSD's names, lower case, and the aliases that are other words */
static const struct name_row protos[] = {
	{ "3pc", 34, true },
	{ "a/n", 107, true },
	{ "ah", 51, true },
	{ "argus", 13, true },
	{ "aris", 104, true },
	{ "ax.25", 93, true },
	{ "bbn-rcc-mon", 10, true },
	{ "bna", 49, true },
	{ "br-sat-mon", 76, true },
	{ "carp", 112, true },
	{ "cbt", 7, true },
	{ "cftp", 62, true },
	{ "chaos", 16, true },
	{ "compaq-peer", 110, true },
	{ "cphb", 73, true },
	{ "cpnx", 72, true },
	{ "crtp", 126, true },
	{ "crudp", 127, true },
	{ "dccp", 33, true },
	{ "dcn-meas", 19, true },
	{ "ddp", 37, true },
	{ "ddx", 116, true },
	{ "dgp", 86, true },
	{ "dsr", 48, true },
	{ "egp", 8, true },
	{ "eigrp", 88, true },
	{ "emcon", 14, true },
	{ "encap", 98, true },
	{ "esp", 50, true },
	{ "etherip", 97, true },
	{ "ethernet", 143, true },
	{ "fc", 133, true },
	{ "fire", 125, true },
	{ "ggp", 3, true },
	{ "gmtp", 100, true },
	{ "gre", 47, true },
	{ "hip", 139, true },
	{ "hmp", 20, true },
	{ "hopopt", 0, false },
	{ "i-nlsp", 52, true },
	{ "iatp", 117, true },
	{ "icmp", 1, true },
	{ "icmp6", 58, true },
	{ "idpr", 35, true },
	{ "idpr-cmtp", 38, true },
	{ "idrp", 45, true },
	{ "ifmp", 101, true },
	{ "igmp", 2, true },
	{ "igp", 9, true },
	{ "igrp", 9, false },
	{ "il", 40, true },
	{ "inlsp", 52, false },
	{ "ip", 0, true },
	{ "ipcomp", 108, true },
	{ "ipcv", 71, true },
	{ "ipencap", 4, true },
	{ "ipip", 94, true },
	{ "iplt", 129, true },
	{ "ippc", 67, true },
	{ "ipv4", 4, false },
	{ "ipv6", 41, true },
	{ "ipv6-frag", 44, true },
	{ "ipv6-icmp", 58, false },
	{ "ipv6-nonxt", 59, true },
	{ "ipv6-opts", 60, true },
	{ "ipv6-route", 43, true },
	{ "ipx-in-ip", 111, true },
	{ "irtp", 28, true },
	{ "isis", 124, true },
	{ "iso-ip", 80, true },
	{ "iso-tp4", 29, true },
	{ "kryptolan", 65, true },
	{ "l2tp", 115, true },
	{ "larp", 91, true },
	{ "leaf-1", 25, true },
	{ "leaf-2", 26, true },
	{ "manet", 138, true },
	{ "merit-inp", 32, true },
	{ "mfe-nsp", 31, true },
	{ "micp", 95, true },
	{ "mobile", 55, true },
	{ "mobility-header", 135, true },
	{ "mpls-in-ip", 137, true },
	{ "mtp", 92, true },
	{ "mux", 18, true },
	{ "narp", 54, true },
	{ "netblt", 30, true },
	{ "nhrp", 54, false },
	{ "nsfnet-igp", 85, true },
	{ "nvp", 11, true },
	{ "nvp-ii", 11, false },
	{ "ospf", 89, true },
	{ "ospfigp", 89, false },
	{ "pfsync", 240, true },
	{ "pgm", 113, true },
	{ "pim", 103, true },
	{ "pipe", 131, true },
	{ "pnni", 102, true },
	{ "prm", 21, true },
	{ "ptp", 123, true },
	{ "pup", 12, true },
	{ "pvp", 75, true },
	{ "qnx", 106, true },
	{ "rdp", 27, true },
	{ "rohc", 142, true },
	{ "rsvp", 46, true },
	{ "rsvp-e2e-ignore", 134, true },
	{ "rvd", 66, true },
	{ "sat-expak", 64, true },
	{ "sat-mon", 69, true },
	{ "scc-sp", 96, true },
	{ "scps", 105, true },
	{ "sctp", 132, true },
	{ "sdrp", 42, true },
	{ "secure-vmtp", 82, true },
	{ "shim6", 140, true },
	{ "skip", 57, true },
	{ "sm", 122, true },
	{ "smp", 121, true },
	{ "snp", 109, true },
	{ "sprite-rpc", 90, true },
	{ "sps", 130, true },
	{ "srp", 119, true },
	{ "sscopmce", 128, true },
	{ "st", 5, true },
	{ "st2", 5, false },
	{ "stp", 118, true },
	{ "sun-nd", 77, true },
	{ "swipe", 53, true },
	{ "tcf", 87, true },
	{ "tcp", 6, true },
	{ "tlsp", 56, true },
	{ "tp++", 39, true },
	{ "trunk-1", 23, true },
	{ "trunk-2", 24, true },
	{ "ttp", 84, true },
	{ "udp", 17, true },
	{ "udplite", 136, true },
	{ "uti", 120, true },
	{ "vines", 83, true },
	{ "visa", 70, true },
	{ "vmtp", 81, true },
	{ "vrrp", 112, false },
	{ "wb-expak", 79, true },
	{ "wb-mon", 78, true },
	{ "wesp", 141, true },
	{ "wsn", 74, true },
	{ "xnet", 15, true },
	{ "xns-idp", 22, true },
	{ "xtp", 36, true },
};

static const struct name_row services[] = {
#define SERVICE(name, port) { name, port, true },
#include "net/names_tables.h"
#undef SERVICE
};

static const char *const service_list[] = {
#define SERVICE(name, port) name,
#include "net/names_tables.h"
#undef SERVICE
	NULL
};

static const struct name_row icmp_types[] = {
	{ "althost", 6, true },
	{ "dataconv", 31, true },
	{ "echorep", 0, true },
	{ "echoreq", 8, true },
	{ "inforep", 16, true },
	{ "inforeq", 15, true },
	{ "ipv6-here", 34, true },
	{ "ipv6-where", 33, true },
	{ "maskrep", 18, true },
	{ "maskreq", 17, true },
	{ "mobredir", 32, true },
	{ "mobregrep", 36, true },
	{ "mobregreq", 35, true },
	{ "paramprob", 12, true },
	{ "photuris", 40, true },
	{ "redir", 5, true },
	{ "routeradv", 9, true },
	{ "routersol", 10, true },
	{ "skip", 39, true },
	{ "squench", 4, true },
	{ "timerep", 14, true },
	{ "timereq", 13, true },
	{ "timex", 11, true },
	{ "trace", 30, true },
	{ "unreach", 3, true },
};

static const struct name_row icmp6_types[] = {
	{ "echorep", 129, true },
	{ "echoreq", 128, true },
	{ "fqdnrep", 140, false },
	{ "fqdnreq", 139, false },
	{ "groupqry", 130, true },
	{ "grouprep", 131, true },
	{ "groupterm", 132, true },
	{ "listendone", 132, false },
	{ "listenrep", 131, false },
	{ "listqry", 130, false },
	{ "mtrace", 201, true },
	{ "mtraceresp", 200, true },
	{ "neighbradv", 136, true },
	{ "neighbrsol", 135, true },
	{ "niqry", 139, false },
	{ "nirep", 140, false },
	{ "paramprob", 4, true },
	{ "redir", 137, true },
	{ "routeradv", 134, true },
	{ "routersol", 133, true },
	{ "routrrenum", 138, true },
	{ "timex", 3, true },
	{ "toobig", 2, true },
	{ "unreach", 1, true },
	{ "wrurep", 140, true },
	{ "wrureq", 139, true },
};

/* A code's name means something only below its type */
struct code_row {
	const char *name;
	uint8_t type;
	uint8_t code;
};

static const struct code_row icmp_codes[] = {
	{ "net-unr", 3, 0 },	  { "host-unr", 3, 1 },	     { "proto-unr", 3, 2 },
	{ "port-unr", 3, 3 },	  { "needfrag", 3, 4 },	     { "srcfail", 3, 5 },
	{ "net-unk", 3, 6 },	  { "host-unk", 3, 7 },	     { "isolate", 3, 8 },
	{ "net-prohib", 3, 9 },	  { "host-prohib", 3, 10 },  { "net-tos", 3, 11 },
	{ "host-tos", 3, 12 },	  { "filter-prohib", 3, 13 }, { "host-preced", 3, 14 },
	{ "cutoff-preced", 3, 15 },
	{ "redir-net", 5, 0 },	  { "redir-host", 5, 1 },    { "redir-tos-net", 5, 2 },
	{ "redir-tos-host", 5, 3 },
	{ "normal-adv", 9, 0 },	  { "common-adv", 9, 16 },
	{ "transit", 11, 0 },	  { "reassemb", 11, 1 },
	{ "badhead", 12, 0 },	  { "optmiss", 12, 1 },	     { "badlen", 12, 2 },
	{ "unknown-ind", 40, 1 }, { "auth-fail", 40, 2 },    { "decrypt-fail", 40, 3 },
};

static const struct code_row icmp6_codes[] = {
	{ "noroute-unr", 1, 0 },  { "admin-unr", 1, 1 },     { "beyond-unr", 1, 2 },
	{ "notnbr-unr", 1, 2 },	  { "addr-unr", 1, 3 },	     { "port-unr", 1, 4 },
	{ "transit", 3, 0 },	  { "reassemb", 3, 1 },
	{ "badhead", 4, 0 },	  { "nxthdr", 4, 1 },
	{ "redironlink", 137, 0 }, { "redirrouter", 137, 1 },
};

/* A decimal number; -ENOENT when it is none, -ERANGE when it is over @max */
static int number(const char *s, size_t len, int max)
{
	int v = 0;

	if (len == 0)
		return -ENOENT;
	for (size_t i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return -ENOENT;
	for (size_t i = 0; i < len; i++) {
		v = v * 10 + (s[i] - '0');
		if (v > max)
			return -ERANGE;
	}
	return v;
}

/* strcmp() of @len bytes, which may hold NULs, with a name */
static int compare(const char *s, size_t len, const char *name)
{
	const size_t n = strlen(name);
	const int d = memcmp(s, name, MIN(len, n));

	return d != 0 ? d : (len > n) - (len < n);
}

static int find(const struct name_row *rows, size_t n, const char *s, size_t len)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;
		const int d = compare(s, len, rows[mid].name);

		if (d == 0)
			return rows[mid].number;
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return -ENOENT;
}

static const char *usual_name(const struct name_row *rows, size_t n, unsigned int v)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].usual && rows[i].number == v)
			return rows[i].name;
	return NULL;
}

int proto_parse(const char *s, size_t len)
{
	const int v = number(s, len, 255);
	char lower[24];

	if (v >= 0)
		return v;
	if (v == -ERANGE || len >= sizeof(lower))
		return -ENOENT;
	/* FreeBSD has each name in capitals too */
	for (size_t i = 0; i < len; i++)
		lower[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] | 0x20) : s[i];
	return find(protos, ARRAY_SIZE(protos), lower, len);
}

const char *proto_name(uint8_t proto)
{
	return usual_name(protos, ARRAY_SIZE(protos), proto);
}

bool proto_has_ports(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_UDPLITE ||
	       proto == PROTO_SCTP;
}

int service_parse(const char *s, size_t len)
{
	const int v = number(s, len, 65535);

	return v != -ENOENT ? v : find(services, ARRAY_SIZE(services), s, len);
}

/*
 * Ports that have several names, or another for UDP, or one in the table that
 * is no name of FreeBSD's: what FreeBSD prints, NULL for the number.
 */
static const struct port_row {
	uint16_t port;
	const char *tcp;
	const char *udp;
} usual_ports[] = {
	{ 1, "tcpmux", "tcpmux" }, { 2, "compressnet", "compressnet" }, { 4, NULL, NULL },
	{ 6, NULL, NULL }, { 9, "discard", "discard" }, { 11, "systat", "systat" },
	{ 17, "qotd", "qotd" }, { 19, "chargen", "chargen" }, { 25, "smtp", "smtp" },
	{ 37, "time", "time" }, { 39, "rlp", "rlp" }, { 42, "nameserver", "nameserver" },
	{ 43, "nicname", "nicname" }, { 49, "tacacs", "tacacs" }, { 67, "bootps", "bootps" },
	{ 68, "bootpc", "bootpc" }, { 80, "http", "http" }, { 81, NULL, NULL },
	{ 88, "kerberos-sec", "kerberos-sec" }, { 101, "hostname", "hostname" },
	{ 102, "iso-tsap", "iso-tsap" }, { 105, "csnet-ns", "csnet-ns" },
	{ 106, "3com-tsmux", "3com-tsmux" }, { 109, "pop2", "pop2" },
	{ 111, "sunrpc", "sunrpc" }, { 113, "auth", "auth" }, { 119, "nntp", "nntp" },
	{ 135, "loc-srv", "loc-srv" }, { 143, "imap", "imap" },
	{ 162, "snmptrap", "snmptrap" }, { 372, "ulistserv", "ulistserv" },
	{ 464, "kpasswd", "kpasswd" }, { 465, "smtps", "smtps" }, { 512, "exec", "biff" },
	{ 513, "login", "who" }, { 514, "shell", "syslog" }, { 515, "printer", "printer" },
	{ 520, "efs", "router" }, { 525, "timed", "timed" }, { 530, "courier", "rpc" },
	{ 540, "uucp", "uucp" }, { 544, "kshell", "kshell" }, { 563, "nntps", "nntps" },
	{ 636, "ldaps", "ldaps" }, { 750, "kerberos-iv", "kerberos-iv" },
	{ 995, "pop3s", "pop3s" }, { 1701, "l2tp", "l2tp" }, { 1813, "radacct", "radacct" },
	{ 2049, "nfsd", "nfsd" }, { 3389, "rdp", "rdp" }, { 3478, NULL, NULL },
	{ 3690, "svn", "svn" }, { 5432, "postgresql", "postgresql" }, { 5555, NULL, "rplay" },
	{ 5900, NULL, NULL }, { 6667, "ircd", NULL }, { 7777, NULL, NULL }, { 8080, NULL, NULL },
	{ 8443, NULL, NULL }, { 9100, "jetdirect", "jetdirect" }, { 51820, NULL, NULL },
};

const char *service_name(uint8_t proto, uint16_t port)
{
	for (size_t i = 0; i < ARRAY_SIZE(usual_ports); i++)
		if (usual_ports[i].port == port)
			return proto == PROTO_TCP ? usual_ports[i].tcp : usual_ports[i].udp;
	return usual_name(services, ARRAY_SIZE(services), port);
}

const char *const *service_names(void)
{
	return service_list;
}

int icmp_type_parse(bool v6, const char *s, size_t len)
{
	const int v = number(s, len, 255);

	if (v >= 0)
		return v;
	return v6 ? find(icmp6_types, ARRAY_SIZE(icmp6_types), s, len)
		  : find(icmp_types, ARRAY_SIZE(icmp_types), s, len);
}

int icmp_code_parse(bool v6, uint8_t type, const char *s, size_t len)
{
	const struct code_row *rows = v6 ? icmp6_codes : icmp_codes;
	const size_t n = v6 ? ARRAY_SIZE(icmp6_codes) : ARRAY_SIZE(icmp_codes);
	const int v = number(s, len, 255);

	if (v >= 0)
		return v;
	for (size_t i = 0; i < n; i++)
		if (rows[i].type == type && compare(s, len, rows[i].name) == 0)
			return rows[i].code;
	return -ENOENT;
}

const char *icmp_code_name(bool v6, uint8_t type, uint8_t code)
{
	const struct code_row *rows = v6 ? icmp6_codes : icmp_codes;
	const size_t n = v6 ? ARRAY_SIZE(icmp6_codes) : ARRAY_SIZE(icmp_codes);
	const char *name = NULL;

	/* Of the two names of (1, 2) FreeBSD prints notnbr-unr, which stands last */
	for (size_t i = 0; i < n; i++)
		if (rows[i].type == type && rows[i].code == code)
			name = rows[i].name;
	return name;
}

const char *icmp_type_name(bool v6, uint8_t type)
{
	return v6 ? usual_name(icmp6_types, ARRAY_SIZE(icmp6_types), type)
		  : usual_name(icmp_types, ARRAY_SIZE(icmp_types), type);
}

int tcp_flags_parse(const char *s, size_t len)
{
	static const char letters[] = "FSRPAUEW";
	int flags = 0;

	for (size_t i = 0; i < len; i++) {
		const char *p = s[i] != '\0' ? strchr(letters, s[i]) : NULL;

		if (p == NULL)
			return -EINVAL;
		flags |= 1 << (p - letters);
	}
	return flags;
}
