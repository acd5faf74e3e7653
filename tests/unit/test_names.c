/* SPDX-License-Identifier: BSD-2-Clause */
/* The source itself, to see that its tables are in the order that it searches by */
#include "net/names.c"

#include "unit.h"

static void check_rows(const struct name_row *rows, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (strcmp(rows[i - 1].name, rows[i].name) >= 0)
			CHECK_STR(rows[i].name, "after the one before it, and only once");
	/* One usual name a number */
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			if (rows[i].usual && rows[j].usual && rows[i].number == rows[j].number)
				CHECK_STR(rows[i].name, rows[j].name);
	for (size_t i = 0; i < n; i++)
		CHECK_INT(find(rows, n, rows[i].name, strlen(rows[i].name)), rows[i].number);
}

TEST(tables_are_sorted_and_unique)
{
	check_rows(protos, ARRAY_SIZE(protos));
	check_rows(icmp_types, ARRAY_SIZE(icmp_types));
	check_rows(icmp6_types, ARRAY_SIZE(icmp6_types));
}

TEST(every_number_with_a_name_has_a_usual_one)
{
	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		CHECK(proto_name((uint8_t)protos[i].number) != NULL);
	for (size_t i = 0; i < ARRAY_SIZE(icmp6_types); i++)
		CHECK(icmp_type_name(true, (uint8_t)icmp6_types[i].number) != NULL);
}

TEST(icmp_codes_are_unique)
{
	for (size_t i = 0; i < ARRAY_SIZE(icmp_codes); i++)
		for (size_t j = 0; j < i; j++)
			CHECK(strcmp(icmp_codes[i].name, icmp_codes[j].name) != 0 ||
			      icmp_codes[i].type != icmp_codes[j].type);
}

static int proto(const char *s)
{
	return proto_parse(s, strlen(s));
}

static int service(const char *s)
{
	return service_parse(s, strlen(s));
}

static int type(bool v6, const char *s)
{
	return icmp_type_parse(v6, s, strlen(s));
}

static int code(bool v6, uint8_t t, const char *s)
{
	return icmp_code_parse(v6, t, s, strlen(s));
}

TEST(protocols_by_name)
{
	static const struct { const char *name; int number; } rows[] = {
		{ "ip", 0 }, { "icmp", 1 }, { "igmp", 2 }, { "ipencap", 4 }, { "tcp", 6 },
		{ "egp", 8 }, { "udp", 17 }, { "dccp", 33 }, { "ipv6", 41 },
		{ "ipv6-route", 43 }, { "ipv6-frag", 44 }, { "rsvp", 46 }, { "gre", 47 },
		{ "esp", 50 }, { "ah", 51 }, { "icmp6", 58 }, { "ipv6-icmp", 58 },
		{ "ipv6-nonxt", 59 }, { "ipv6-opts", 60 }, { "eigrp", 88 }, { "ospf", 89 },
		{ "ipip", 94 }, { "etherip", 97 }, { "pim", 103 }, { "ipcomp", 108 },
		{ "carp", 112 }, { "vrrp", 112 }, { "l2tp", 115 }, { "sctp", 132 },
		{ "udplite", 136 }, { "pfsync", 240 }, { "3pc", 34 }, { "xtp", 36 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_INT(proto(rows[i].name), rows[i].number);
	CHECK_INT(proto("TCP"), 6);
	CHECK_INT(proto("IPV6-ICMP"), 58);
}

TEST(protocols_by_number)
{
	CHECK_INT(proto("0"), 0);
	CHECK_INT(proto("47"), 47);
	CHECK_INT(proto("255"), 255);
	CHECK_INT(proto("256"), -ENOENT);
	CHECK_INT(proto("99999999999999999999"), -ENOENT);
}

TEST(protocols_unknown)
{
	CHECK_INT(proto(""), -ENOENT);
	CHECK_INT(proto("tc"), -ENOENT);
	CHECK_INT(proto("tcpx"), -ENOENT);
	CHECK_INT(proto("6x"), -ENOENT);
	CHECK_INT(proto("-1"), -ENOENT);
	CHECK_INT(proto("an-unreasonably-long-name-of-a-protocol"), -ENOENT);
	CHECK_INT(proto_parse("tcp\0x", 5), -ENOENT);
	/* Only @len bytes count */
	CHECK_INT(proto_parse("tcpudp", 3), 6);
}

TEST(protocol_names_lead_back)
{
	unsigned int n = 0;

	for (int p = 0; p < 256; p++) {
		const char *name = proto_name((uint8_t)p);

		if (name != NULL) {
			CHECK_INT(proto(name), p);
			n++;
		}
	}
	CHECK(n > 130);
	CHECK_STR(proto_name(58), "icmp6");
	CHECK_STR(proto_name(6), "tcp");
	CHECK_STR(proto_name(254), NULL);
}

TEST(protocols_with_ports)
{
	unsigned int n = 0;

	for (int p = 0; p < 256; p++)
		n += proto_has_ports((uint8_t)p);
	CHECK_INT(n, 4);
	CHECK(proto_has_ports(PROTO_TCP) && proto_has_ports(PROTO_UDP));
	CHECK(proto_has_ports(PROTO_SCTP) && proto_has_ports(PROTO_UDPLITE));
}

TEST(services_by_name)
{
	static const struct { const char *name; int port; } rows[] = {
		{ "ftp", 21 }, { "ssh", 22 }, { "telnet", 23 }, { "smtp", 25 }, { "domain", 53 },
		{ "bootps", 67 }, { "bootpc", 68 }, { "tftp", 69 }, { "http", 80 }, { "www", 80 },
		{ "kerberos", 88 }, { "pop3", 110 }, { "sunrpc", 111 }, { "auth", 113 },
		{ "ntp", 123 }, { "imap", 143 }, { "snmp", 161 }, { "bgp", 179 }, { "ldap", 389 },
		{ "https", 443 }, { "microsoft-ds", 445 }, { "submissions", 465 },
		{ "isakmp", 500 }, { "syslog", 514 }, { "shell", 514 }, { "printer", 515 },
		{ "submission", 587 }, { "ldaps", 636 }, { "rsync", 873 }, { "imaps", 993 },
		{ "pop3s", 995 }, { "socks", 1080 }, { "openvpn", 1194 }, { "radius", 1812 },
		{ "nfsd", 2049 }, { "nfs", 2049 }, { "cvspserver", 2401 }, { "mysql", 3306 },
		{ "rdp", 3389 }, { "svn", 3690 }, { "ipsec-nat-t", 4500 }, { "vxlan", 4789 },
		{ "sip", 5060 }, { "mdns", 5353 }, { "mdnsresponder", 5354 },
		{ "postgresql", 5432 }, { "x11", 6000 }, { "redis", 6379 }, { "http-alt", 8080 },
		{ "natd", 8668 }, { "git", 9418 }, { "ftp-proxy", 8021 }, { "whois", 43 },
		{ "sql*net", 66 }, { "914c/g", 211 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_INT(service(rows[i].name), rows[i].port);
}

TEST(services_by_number)
{
	CHECK_INT(service("0"), 0);
	CHECK_INT(service("80"), 80);
	CHECK_INT(service("65535"), 65535);
	CHECK_INT(service("65536"), -ERANGE);
	CHECK_INT(service("70000"), -ERANGE);
	CHECK_INT(service("99999999999999999999"), -ERANGE);
}

TEST(services_unknown)
{
	CHECK_INT(service(""), -ENOENT);
	CHECK_INT(service("htt"), -ENOENT);
	CHECK_INT(service("httpx"), -ENOENT);
	CHECK_INT(service("HTTP"), -ENOENT);
	CHECK_INT(service("80x"), -ENOENT);
	CHECK_INT(service("-80"), -ENOENT);
	CHECK_INT(service_parse("http:https", 4), 80);
}

TEST(services_are_sorted_and_once_and_found)
{
	const char *const *names = service_names();
	size_t n = 0;

	for (; names[n] != NULL; n++) {
		const int port = service(names[n]);

		if (port <= 0)
			CHECK_STR(names[n], "a service that is found");
		if (n > 0 && strcmp(names[n - 1], names[n]) >= 0)
			CHECK_STR(names[n], "after the one before it");
	}
	CHECK(n > 900);
}

TEST(icmp_types)
{
	CHECK_INT(type(false, "echoreq"), 8);
	CHECK_INT(type(false, "echorep"), 0);
	CHECK_INT(type(false, "unreach"), 3);
	CHECK_INT(type(false, "squench"), 4);
	CHECK_INT(type(false, "timex"), 11);
	CHECK_INT(type(false, "photuris"), 40);
	CHECK_INT(type(true, "echoreq"), 128);
	CHECK_INT(type(true, "echorep"), 129);
	CHECK_INT(type(true, "unreach"), 1);
	CHECK_INT(type(true, "toobig"), 2);
	CHECK_INT(type(true, "neighbrsol"), 135);
	CHECK_INT(type(true, "neighbradv"), 136);
	CHECK_INT(type(true, "nirep"), 140);
	CHECK_INT(type(true, "listqry"), 130);
	CHECK_INT(type(false, "toobig"), -ENOENT);
	CHECK_INT(type(true, "squench"), -ENOENT);
	CHECK_INT(type(false, "8"), 8);
	CHECK_INT(type(true, "255"), 255);
	CHECK_INT(type(true, "256"), -ENOENT);
	CHECK_INT(type(false, ""), -ENOENT);
}

TEST(icmp_type_names_lead_back)
{
	unsigned int n[2] = { 0 };

	for (int v6 = 0; v6 < 2; v6++) {
		for (int t = 0; t < 256; t++) {
			const char *name = icmp_type_name(v6, (uint8_t)t);

			if (name != NULL) {
				CHECK_INT(type(v6, name), t);
				n[v6]++;
			}
		}
	}
	CHECK_INT(n[0], 25);
	CHECK_INT(n[1], 19);
}

TEST(icmp_codes)
{
	CHECK_INT(code(false, 3, "net-unr"), 0);
	CHECK_INT(code(false, 3, "port-unr"), 3);
	CHECK_INT(code(false, 3, "needfrag"), 4);
	CHECK_INT(code(false, 3, "cutoff-preced"), 15);
	CHECK_INT(code(false, 5, "redir-host"), 1);
	CHECK_INT(code(false, 9, "common-adv"), 16);
	CHECK_INT(code(false, 11, "reassemb"), 1);
	CHECK_INT(code(true, 3, "transit"), 0);
	CHECK_INT(code(true, 1, "admin-unr"), 1);
	CHECK_INT(code(true, 1, "port-unr"), 4);
	CHECK_INT(code(true, 137, "redirrouter"), 1);
	CHECK_INT(code(false, 11, "port-unr"), -ENOENT);
	CHECK_INT(code(true, 1, "needfrag"), -ENOENT);
	CHECK_INT(code(false, 3, "port-un"), -ENOENT);
	CHECK_INT(code(false, 3, "13"), 13);
	CHECK_INT(code(false, 3, "300"), -ENOENT);
}

TEST(tcp_flags)
{
	CHECK_INT(tcp_flags_parse("", 0), 0);
	CHECK_INT(tcp_flags_parse("S", 1), TCP_FLAG_SYN);
	CHECK_INT(tcp_flags_parse("SA", 2), TCP_FLAG_SYN | TCP_FLAG_ACK);
	CHECK_INT(tcp_flags_parse("FSRPAUEW", 8), 0xff);
	CHECK_INT(tcp_flags_parse("SS", 2), TCP_FLAG_SYN);
	CHECK_INT(tcp_flags_parse("s", 1), -EINVAL);
	CHECK_INT(tcp_flags_parse("SX", 2), -EINVAL);
	CHECK_INT(tcp_flags_parse("S\0", 2), -EINVAL);
}
