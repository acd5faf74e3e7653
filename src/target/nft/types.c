/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Two tables: the data types, with nft's own numbers, so that `nft list` shows
 * our sets as it shows its own, and what a packet can be asked for.  Numbers
 * are printed as numbers: nft reads them everywhere, and names differ between
 * its versions.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>

#include "base/limits.h"
#include "target/nft/program.h"

static uint32_t read_number(const uint8_t *b, uint32_t len, bool is_host)
{
	uint32_t v = 0;

	if (is_host) {
		memcpy(&v, b, len);
		return v;
	}
	for (uint32_t i = 0; i < len; i++)
		v = v << 8 | b[i];
	return v;
}

static void print_be(const uint8_t *b, uint32_t len, FILE *out)
{
	fprintf(out, "%u", read_number(b, len, false));
}

static void print_host(const uint8_t *b, uint32_t len, FILE *out)
{
	fprintf(out, "%u", read_number(b, len, true));
}

static void print_hex(const uint8_t *b, uint32_t len, FILE *out)
{
	fprintf(out, "0x%0*x", (int)(2 * len), read_number(b, len, true));
}

static void print_be_hex(const uint8_t *b, uint32_t len, FILE *out)
{
	fputs("0x", out);
	for (uint32_t i = 0; i < len; i++)
		fprintf(out, "%02x", b[i]);
}

static void print_name(const uint8_t *b, uint32_t len, FILE *out)
{
	fprintf(out, "\"%.*s\"", (int)strnlen((const char *)b, len), (const char *)b);
}

static void print_ip4(const uint8_t *b, uint32_t len, FILE *out)
{
	char buf[ADDR_TEXT_BYTES];

	(void)len;
	fputs(addr_print(addr_from_bytes(AF_V4, b), buf), out);
}

static void print_ip6(const uint8_t *b, uint32_t len, FILE *out)
{
	char buf[ADDR_TEXT_BYTES];

	(void)len;
	fputs(addr_print(addr_from_bytes(AF_V6, b), buf), out);
}

static void print_direction(const uint8_t *b, uint32_t len, FILE *out)
{
	(void)len;
	fputs(b[0] == 0 ? "original" : "reply", out);
}

static void print_fib_type(const uint8_t *b, uint32_t len, FILE *out)
{
	static const char *const types[] = { [2] = "local", [3] = "broadcast", [5] = "multicast" };
	const uint32_t type = read_number(b, len, true);

	BUG_IF(type >= ARRAY_SIZE(types) || types[type] == NULL);
	fputs(types[type], out);
}

static void print_exists(const uint8_t *b, uint32_t len, FILE *out)
{
	fputs(read_number(b, len, true) != 0 ? "exists" : "missing", out);
}

static void print_dscp(const uint8_t *b, uint32_t len, FILE *out)
{
	(void)len;
	fprintf(out, "%u", (unsigned int)b[0] >> 2);
}

static void print_dscp6(const uint8_t *b, uint32_t len, FILE *out)
{
	fprintf(out, "%u", read_number(b, len, false) >> 6);
}

static void print_classid(const uint8_t *b, uint32_t len, FILE *out)
{
	const uint32_t v = read_number(b, len, true);

	fprintf(out, "%x:%x", v >> 16, v & 0xffff);
}

const struct nft_type_info nft_types[N_NFT_TYPES] = {
	[NFT_T_IFNAME] = { "ifname", 41, 16, true, print_name },
	[NFT_T_IFINDEX] = { "iface_index", 20, 4, true, print_host },
	[NFT_T_NFPROTO] = { "nf_proto", 2, 1, true, print_host },
	[NFT_T_PROTO] = { "inet_proto", 12, 1, false, print_be },
	[NFT_T_IP4] = { "ipv4_addr", 7, 4, false, print_ip4 },
	[NFT_T_IP6] = { "ipv6_addr", 8, 16, false, print_ip6 },
	[NFT_T_PORT] = { "inet_service", 13, 2, false, print_be },
	[NFT_T_TCPFLAG] = { "tcp_flag", 15, 1, true, print_hex },
	[NFT_T_ICMP_TYPE] = { "icmp_type", 14, 1, false, print_be },
	[NFT_T_ICMP_CODE] = { "icmp_code", 32, 1, false, print_be },
	[NFT_T_ICMP6_TYPE] = { "icmpv6_type", 29, 1, false, print_be },
	[NFT_T_ICMP6_CODE] = { "icmpv6_code", 33, 1, false, print_be },
	[NFT_T_MARK] = { "mark", 19, 4, true, print_hex },
	[NFT_T_CT_DIR] = { "ct_dir", 27, 1, true, print_direction },
	[NFT_T_CT_STATUS] = { "ct_status", 28, 4, true, print_hex },
	[NFT_T_CT_STATE] = { "ct_state", 26, 4, true, print_hex },
	[NFT_T_FIB_TYPE] = { "fib_addrtype", 38, 4, true, print_fib_type },
	[NFT_T_ARP_OP] = { "arp_op", 11, 2, false, print_be },
	[NFT_T_BOOL] = { "boolean", 39, 1, true, print_exists },
	/* As nft has it: fib fills a register whole */
	[NFT_T_PRESENT] = { "boolean", 39, 4, true, print_exists },
	[NFT_T_BYTE] = { "integer", 4, 1, false, print_be },
	[NFT_T_DSCP] = { "dscp", 31, 1, false, print_dscp },
	[NFT_T_DSCP6] = { "dscp", 31, 2, false, print_dscp6 },
	[NFT_T_ETHERTYPE] = { "ether_type", 10, 2, false, print_be_hex },
	[NFT_T_BYTES16] = { "integer", 4, 16, false, print_be_hex },
	[NFT_T_DEVGROUP] = { "devgroup", 37, 4, true, print_host },
	[NFT_T_CLASSID] = { "classid", 23, 4, true, print_classid },
	[NFT_T_BYTES2] = { "integer", 4, 2, false, print_be },
	[NFT_T_BYTES3] = { "integer", 4, 3, false, print_be },
	[NFT_T_BYTES4] = { "integer", 4, 4, false, print_be },
	[NFT_T_UID] = { "uid", 24, 4, true, print_host },
	[NFT_T_GID] = { "gid", 25, 4, true, print_host },
};

#define NET	NFT_PAYLOAD_NETWORK_HEADER
#define TRANS	NFT_PAYLOAD_TRANSPORT_HEADER

/* Flags of fib: which address, and that its type is asked for by the result */
#define FIB_DADDR	NFTA_FIB_F_DADDR
#define FIB_SADDR	NFTA_FIB_F_SADDR
#define FIB_PRESENT	NFTA_FIB_F_PRESENT	/* only whether there is a result */
#define FIB_TYPE	NFT_FIB_RESULT_ADDRTYPE
#define FIB_OIF		NFT_FIB_RESULT_OIF

const struct nft_key_info nft_keys[N_NFT_KEYS] = {
	[NFT_K_IIFNAME] = { "iifname", NFT_T_IFNAME, NFT_L_META, NFT_META_IIFNAME, 0, 0, { 0 } },
	[NFT_K_OIFNAME] = { "oifname", NFT_T_IFNAME, NFT_L_META, NFT_META_OIFNAME, 0, 0, { 0 } },
	[NFT_K_IIF] = { "meta iif", NFT_T_IFINDEX, NFT_L_META, NFT_META_IIF, 0, 0, { 0 } },
	[NFT_K_NFPROTO] = { "meta nfproto", NFT_T_NFPROTO, NFT_L_META, NFT_META_NFPROTO,
			     0, 0, { 0 } },
	[NFT_K_L4PROTO] = { "meta l4proto", NFT_T_PROTO, NFT_L_META, NFT_META_L4PROTO,
			     0, 0, { 0 } },
	[NFT_K_IP_SADDR] = { "ip saddr", NFT_T_IP4, NFT_L_PAYLOAD, 0, NET, 12, { 0 } },
	[NFT_K_IP_DADDR] = { "ip daddr", NFT_T_IP4, NFT_L_PAYLOAD, 0, NET, 16, { 0 } },
	[NFT_K_IP6_SADDR] = { "ip6 saddr", NFT_T_IP6, NFT_L_PAYLOAD, 0, NET, 8, { 0 } },
	[NFT_K_IP6_DADDR] = { "ip6 daddr", NFT_T_IP6, NFT_L_PAYLOAD, 0, NET, 24, { 0 } },
	[NFT_K_SPORT] = { "th sport", NFT_T_PORT, NFT_L_PAYLOAD, 0, TRANS, 0, { 0 } },
	[NFT_K_DPORT] = { "th dport", NFT_T_PORT, NFT_L_PAYLOAD, 0, TRANS, 2, { 0 } },
	[NFT_K_TCP_FLAGS] = { "tcp flags", NFT_T_TCPFLAG, NFT_L_PAYLOAD, 0, TRANS, 13, { 0 } },
	[NFT_K_ICMP_TYPE] = { "icmp type", NFT_T_ICMP_TYPE, NFT_L_PAYLOAD, 0, TRANS, 0, { 0 } },
	[NFT_K_ICMP_CODE] = { "icmp code", NFT_T_ICMP_CODE, NFT_L_PAYLOAD, 0, TRANS, 1, { 0 } },
	[NFT_K_ICMP6_TYPE] = { "icmpv6 type", NFT_T_ICMP6_TYPE, NFT_L_PAYLOAD, 0, TRANS, 0, { 0 } },
	[NFT_K_ICMP6_CODE] = { "icmpv6 code", NFT_T_ICMP6_CODE, NFT_L_PAYLOAD, 0, TRANS, 1, { 0 } },
	[NFT_K_CT_DIR] = { "ct direction", NFT_T_CT_DIR, NFT_L_CT, NFT_CT_DIRECTION, 0, 0, { 0 } },
	[NFT_K_CT_STATUS] = { "ct status", NFT_T_CT_STATUS, NFT_L_CT, NFT_CT_STATUS, 0, 0, { 0 } },
	[NFT_K_CT_STATE] = { "ct state", NFT_T_CT_STATE, NFT_L_CT, NFT_CT_STATE, 0, 0, { 0 } },
	[NFT_K_CT_MARK] = { "ct mark", NFT_T_MARK, NFT_L_CT, NFT_CT_MARK, 0, 0, { 0 } },
	[NFT_K_MARK] = { "meta mark", NFT_T_MARK, NFT_L_META, NFT_META_MARK, 0, 0, { 0 } },
	[NFT_K_FIB_DADDR] = { "fib daddr type", NFT_T_FIB_TYPE, NFT_L_FIB, FIB_DADDR, FIB_TYPE, 0,
			      { 0 } },
	[NFT_K_FIB_SADDR] = { "fib saddr type", NFT_T_FIB_TYPE, NFT_L_FIB, FIB_SADDR, FIB_TYPE, 0,
			      { 0 } },
	[NFT_K_ARP_OP] = { "arp operation", NFT_T_ARP_OP, NFT_L_PAYLOAD, 0, NET, 6, { 0 } },
	[NFT_K_ARP_SADDR] = { "arp saddr ip", NFT_T_IP4, NFT_L_PAYLOAD, 0, NET, 14, { 0 } },
	[NFT_K_ARP_DADDR] = { "arp daddr ip", NFT_T_IP4, NFT_L_PAYLOAD, 0, NET, 24, { 0 } },
	[NFT_K_IP_LSRR] = { "ip option lsrr", NFT_T_BOOL, NFT_L_EXTHDR, IPOPT_LSRR,
			    NFT_EXTHDR_OP_IPV4, 0, { 0 } },
	[NFT_K_IP_SSRR] = { "ip option ssrr", NFT_T_BOOL, NFT_L_EXTHDR, IPOPT_SSRR,
			    NFT_EXTHDR_OP_IPV4, 0, { 0 } },
	[NFT_K_IP_RR] = { "ip option rr", NFT_T_BOOL, NFT_L_EXTHDR, IPOPT_RR,
			  NFT_EXTHDR_OP_IPV4, 0, { 0 } },
	[NFT_K_IP6_ROUTE] = { "exthdr rt", NFT_T_BOOL, NFT_L_EXTHDR, IPPROTO_ROUTING,
			      NFT_EXTHDR_OP_IPV6, 0, { 0 } },
	[NFT_K_IP_HDRLEN] = { "ip hdrlength", NFT_T_BYTE, NFT_L_PAYLOAD, 0, NET, 0, { 0x0f } },
	[NFT_K_IP_TTL] = { "ip ttl", NFT_T_BYTE, NFT_L_PAYLOAD, 0, NET, 8, { 0 } },
	[NFT_K_IP6_HOPLIMIT] = { "ip6 hoplimit", NFT_T_BYTE, NFT_L_PAYLOAD, 0, NET, 7, { 0 } },
	[NFT_K_IP_DSCP] = { "ip dscp", NFT_T_DSCP, NFT_L_PAYLOAD, 0, NET, 1, { 0xfc } },
	[NFT_K_IP6_DSCP] = { "ip6 dscp", NFT_T_DSCP6, NFT_L_PAYLOAD, 0, NET, 0, { 0x0f, 0xc0 } },
	[NFT_K_FIB_RPF] = { "fib saddr . iif oif", NFT_T_PRESENT, NFT_L_FIB,
			    FIB_SADDR | NFTA_FIB_F_IIF | FIB_PRESENT, FIB_OIF, 0, { 0 } },
	[NFT_K_FIB_SROUTE] = { "fib saddr oif", NFT_T_PRESENT, NFT_L_FIB, FIB_SADDR | FIB_PRESENT,
			       FIB_OIF, 0, { 0 } },
	[NFT_K_FIB_DROUTE] = { "fib daddr oif", NFT_T_PRESENT, NFT_L_FIB, FIB_DADDR | FIB_PRESENT,
			       FIB_OIF, 0, { 0 } },
	[NFT_K_PROTOCOL] = { "meta protocol", NFT_T_ETHERTYPE, NFT_L_META, NFT_META_PROTOCOL, 0, 0,
			     { 0 } },
	[NFT_K_IIFGROUP] = { "iifgroup", NFT_T_DEVGROUP, NFT_L_META, NFT_META_IIFGROUP,
			     0, 0, { 0 } },
	[NFT_K_OIFGROUP] = { "oifgroup", NFT_T_DEVGROUP, NFT_L_META, NFT_META_OIFGROUP,
			     0, 0, { 0 } },
	[NFT_K_PRIORITY] = { "meta priority", NFT_T_CLASSID, NFT_L_META, NFT_META_PRIORITY,
			     0, 0, { 0 } },
	[NFT_K_CT_IP_DADDR] = { "ct original ip daddr", NFT_T_IP4, NFT_L_CT, NFT_CT_DST_IP, 1, 0,
				{ 0 } },
	[NFT_K_CT_IP6_DADDR] = { "ct original ip6 daddr", NFT_T_IP6, NFT_L_CT, NFT_CT_DST_IP6, 1, 0,
				 { 0 } },
	[NFT_K_CT_DPORT] = { "ct original proto-dst", NFT_T_PORT, NFT_L_CT, NFT_CT_PROTO_DST, 1, 0,
			     { 0 } },
	[NFT_K_IP_LENGTH] = { "ip length", NFT_T_BYTES2, NFT_L_PAYLOAD, 0, NET, 2, { 0 } },
	[NFT_K_IP6_LENGTH] = { "ip6 length", NFT_T_BYTES2, NFT_L_PAYLOAD, 0, NET, 4, { 0 } },
	[NFT_K_IP_ID] = { "ip id", NFT_T_BYTES2, NFT_L_PAYLOAD, 0, NET, 4, { 0 } },
	[NFT_K_IP6_FLOW] = { "ip6 flowlabel", NFT_T_BYTES3, NFT_L_PAYLOAD, 0, NET, 1,
			     { 0x0f, 0xff, 0xff } },
	[NFT_K_TCP_WINDOW] = { "tcp window", NFT_T_BYTES2, NFT_L_PAYLOAD, 0, TRANS, 14, { 0 } },
	[NFT_K_TCP_SEQ] = { "tcp sequence", NFT_T_BYTES4, NFT_L_PAYLOAD, 0, TRANS, 4, { 0 } },
	[NFT_K_TCP_ACK] = { "tcp ackseq", NFT_T_BYTES4, NFT_L_PAYLOAD, 0, TRANS, 8, { 0 } },
	[NFT_K_SKUID] = { "meta skuid", NFT_T_UID, NFT_L_META, NFT_META_SKUID, 0, 0, { 0 } },
	[NFT_K_SKGID] = { "meta skgid", NFT_T_GID, NFT_L_META, NFT_META_SKGID, 0, 0, { 0 } },
	/* Of a neighbour advertisement; nft 1.0.6 has no word for it */
	[NFT_K_ND_TARGET] = { "@th,64,128", NFT_T_BYTES16, NFT_L_PAYLOAD, 0, TRANS, 8, { 0 } },
};

static const struct {
	const char *name;
	uint8_t number;
} families[N_NFT_FAMILIES] = {
	[NFT_INET] = { "inet", NFPROTO_INET },
	[NFT_ARP] = { "arp", NFPROTO_ARP },
	[NFT_BRIDGE] = { "bridge", NFPROTO_BRIDGE },
};

const char *nft_family_name(enum nft_family f)
{
	return families[f].name;
}

uint8_t nft_family_number(enum nft_family f)
{
	return families[f].number;
}

struct nft_value nft_value_num(enum nft_type type, u128 v)
{
	const struct nft_type_info *t = &nft_types[type];
	struct nft_value r = { .len = t->len };
	const uint32_t host = (uint32_t)v;

	if (t->is_host) {
		/* Host order of a byte or a word: the low bytes come first on little endian */
		const uint8_t byte = (uint8_t)v;

		memcpy(r.b, t->len == 1 ? (const void *)&byte : &host, t->len);
		return r;
	}
	for (uint32_t i = t->len; i-- > 0; v >>= 8)
		r.b[i] = (uint8_t)v;
	return r;
}

struct nft_value nft_value_name(const char *name)
{
	struct nft_value r = { .len = NFT_VALUE_BYTES };
	const size_t len = strlen(name);

	BUG_IF(len > LIMIT_IFNAME_BYTES);
	memcpy(r.b, name, len);
	return r;
}
