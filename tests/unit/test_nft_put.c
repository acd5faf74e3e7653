/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is written is read by libnftnl, as it reads what the kernel gives back; that
 * it means what was meant is shown with packets (tests/diff).
 */
#include "unit.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_log.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/limits.h"
#include "nl/batch.h"
#include "target/nft/kernel.h"
#include "target/nft/put.h"

static _Alignas(struct nlmsghdr) uint8_t room[2][NL_BATCH_MSG_BYTES];

static struct nlmsghdr *message(int i)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(room[i]);

	mnl_nlmsg_put_extra_header(msg, sizeof(struct nfgenmsg));
	return msg;
}

/* Write @r and read it; what libnftnl makes of that is of the same length: it lost nothing */
static struct nftnl_rule *there_and_back(const struct nft_rule *r)
{
	struct nlmsghdr *msg = message(0), *again = message(1);
	struct nftnl_rule *nr = nftnl_rule_alloc();
	struct nft_put p = nft_put_to(msg);

	p.packets = r->packets;
	p.bytes = r->bytes;
	nft_put_rule(&p, "chain_1", r);
	nft_put_done(&p, msg);
	CHECK_INT(nftnl_rule_nlmsg_parse(msg, nr), 0);
	nftnl_rule_nlmsg_build_payload(again, nr);
	CHECK_INT(msg->nlmsg_len, again->nlmsg_len);
	return nr;
}

static const struct nft_set by_addr = { .name = "a_set", .keys = { NFT_T_IP4 }, .n_keys = 1 };

#define LOOKUP(what) .lookup = { .keys = { what }, .n_keys = 1, .set = &by_addr
#define UPDATE .kind = NFT_S_UPDATE, LOOKUP(NFT_K_IP_SADDR)
#define BYTES(n, ...) { .len = (n), .b = { __VA_ARGS__ } }
#define V4(a) { .af = AF_V4, .v = (a) }

static const struct {
	struct nft_stmt s;
	const char *text;
} cases[] = {
	{ { .kind = NFT_S_MATCH, .match = { .key = NFT_K_NFPROTO, .value = BYTES(1, 2) } },
	  "[meta key 15 => reg 1 ][cmp reg 1 0x02 ]" },
	{ { .kind = NFT_S_MATCH, .match = { .key = NFT_K_DPORT, .is_range = true,
		.value = BYTES(2, 0, 80), .mask = BYTES(2, 1, 2) } },
	  "[payload base 2 offset 2 length 2 => reg 1 ][cmp reg 1 op 5 0x0050 ]"
	  "[cmp reg 1 op 3 0x0102 ]" },
	{ { .kind = NFT_S_MATCH, .match = { .key = NFT_K_IP_SADDR, .is_not = true, .prefix_len = 9,
		.value = BYTES(4, 10, 128), .mask = BYTES(4, 255, 128) } },
	  "[payload base 1 offset 12 length 4 => reg 1 ]"
	  "[bitwise reg 1 => reg 1 length 4 & 0xff800000 ^ 0x00000000 ]"
	  "[cmp reg 1 op 1 0x0a800000 ]" },
	{ { .kind = NFT_S_MATCH, .match = { .key = NFT_K_CT_IP_DADDR,
		.value = BYTES(4, 10, 1, 2, 3) } },
	  "[ct key 20 direction 0 => reg 1 ][cmp reg 1 0x0a010203 ]" },
	{ { .kind = NFT_S_MATCH, .match = { .key = NFT_K_FIB_DADDR, .value = BYTES(4, 2) } },
	  "[fib daddr type => reg 1 ][cmp reg 1 0x02000000 ]" },
	{ { .kind = NFT_S_MATCH, .match = { .key = NFT_K_IP_LSRR, .value = BYTES(1, 1) } },
	  "[exthdr load ipv4 1b @ 131 + 0 present => reg 1 ][cmp reg 1 0x01 ]" },
	{ { .kind = NFT_S_LOOKUP, LOOKUP(NFT_K_IP_DADDR), .is_not = true } },
	  "[payload base 1 offset 16 length 4 => reg 1 ][lookup reg 1 set a_set flags 1 ]" },
	{ { .kind = NFT_S_DRAW, .draw = { .mod = 3 } },
	  "[numgen reg 1 = inc mod 3 ][cmp reg 1 0x00000000 ]" },
	{ { .kind = NFT_S_DRAW, .draw = { .is_random = true, .mod = 100, .below = 0x12345678 } },
	  "[numgen reg 1 = random mod 100 ][byteorder reg 1 = hton(reg 1, 4, 4) ]"
	  "[cmp reg 1 op 2 0x12345678 ]" },
	{ { .kind = NFT_S_MARK, .mark = { .key = NFT_K_CT_MARK, .keep = 0xffff0000, .set = 0x12 } },
	  "[ct key 3 => reg 1 ]"
	  "[bitwise reg 1 => reg 1 length 4 & 0x0000ffff ^ 0x12000000 ]"
	  "[ct key 3 <= reg 1 ]" },
	{ { .kind = NFT_S_MARK, .mark = { .key = NFT_K_MARK, .keep = 0xffff0000, .set = 0x12 } },
	  "[meta key 3 => reg 1 ]"
	  "[bitwise reg 1 => reg 1 length 4 & 0x0000ffff ^ 0x12000000 ]"
	  "[meta key 3 <= reg 1 ]" },
	{ { .kind = NFT_S_COUNTER },
	  "[counter ]" },
	{ { .kind = NFT_S_LOG, .log = { 259, "a prefix" } },
	  "[log prefix a prefix group 259 snaplen 0 qthreshold 0 ]" },
	{ { UPDATE, .timeout_ms = 60001 } },
	  "[payload base 1 offset 12 length 4 => reg 1 ]"
	  "[dynset update reg_key 1 set a_set timeout 60001ms ]" },
	{ { UPDATE, .count_over = 7 } },
	  "[payload base 1 offset 12 length 4 => reg 1 ]"
	  "[dynset add reg_key 1 set a_set expr [ connlimit count 7 flags 1 ] ]" },
	{ { UPDATE, .rate = 5, .rate_unit = 3600, .burst = 9 } },
	  "[payload base 1 offset 12 length 4 => reg 1 ]"
	  "[dynset update reg_key 1 set a_set expr [ limit rate 5/hour burst 9 "
	  "type packets flags 0x1 ] ]" },
	{ { UPDATE, .is_add = true, .counts_packets = true } },
	  "[payload base 1 offset 12 length 4 => reg 1 ]"
	  "[dynset add reg_key 1 set a_set expr [ counter pkts 0 bytes 0 ] ]" },
	{ { .kind = NFT_S_NAT, .nat = { .to = V4(0x0a000001), .lo = 1024, .hi = 2048,
		.is_random = true } },
	  "[immediate => reg 1 0x0a000001 ][immediate => reg 2 0x0400 ]"
	  "[immediate => reg 3 0x0800 ]"
	  "[nat snat ip addr_min reg 1 addr_max reg 1 "
	  "proto_min reg 2 proto_max reg 3 flags 0x13 ]" },
	{ { .kind = NFT_S_NAT, .nat = { .is_dst = true, .to = V4(0x0a000000), .host_bits = 8 } },
	  "[payload base 1 offset 16 length 4 => reg 1 ]"
	  "[bitwise reg 1 => reg 1 length 4 & 0x000000ff ^ 0x0a000000 ]"
	  "[nat dnat ip addr_min reg 1 addr_max reg 1 flags 0x1 ]" },
	{ { .kind = NFT_S_NAT, .nat = { .is_dst = true, .lo = 80, .hi = 80 } },
	  "[immediate => reg 1 0x0050 ]"
	  "[nat dnat inet proto_min reg 1 proto_max reg 1 flags 0x2 ]" },
	{ { .kind = NFT_S_NAT_MAP, LOOKUP(NFT_K_IP_DADDR), .af = AF_V4, .is_dst = true } },
	  "[payload base 1 offset 16 length 4 => reg 1 ]"
	  "[lookup reg 1 set a_set => reg 1 ]"
	  "[nat dnat ip addr_min reg 1 addr_max reg 1 "
	  "proto_min reg 9 proto_max reg 9 flags 0x3 ]" },
	{ { .kind = NFT_S_VMAP, LOOKUP(NFT_K_MARK), .mask = 0xff } },
	  "[meta key 3 => reg 1 ]"
	  "[bitwise reg 1 => reg 1 length 4 & 0xff000000 ^ 0x00000000 ]"
	  "[lookup reg 1 set a_set => reg 0 ]" },
	{ { .kind = NFT_S_VERDICT, .decision = { .verdict = NFT_V_DROP } },
	  "[immediate drop ]" },
	{ { .kind = NFT_S_VERDICT, .decision = { .verdict = NFT_V_GOTO, .chain = "there" } },
	  "[immediate goto there ]" },
	{ { .kind = NFT_S_REJECT, .decision = { .reject = NFT_R_ICMP, .code = 3 } },
	  "[reject type 0 code 3 ]" },
	{ { .kind = NFT_S_REJECT, .decision = { .reject = NFT_R_RST } },
	  "[reject type 1 code 0 ]" },
	{ { .kind = NFT_S_HASH, .hash = { .key = NFT_K_IP_SADDR, .seed = 0xabcdef01,
		.mod = 4, .is = 2 } },
	  "[payload base 1 offset 12 length 4 => reg 2 ]"
	  "[hash reg 1 = jhash(reg 2, 4, 0xabcdef01) % mod 4 ][cmp reg 1 0x02000000 ]" },
	{ { .kind = NFT_S_COUNT, .count_over = 3 },
	  "[connlimit count 3 flags 1 ]" },
	{ { .kind = NFT_S_HEADER, .write = { NFT_H_MAXSEG, 1440 } },
	  "[immediate => reg 1 0x05a0 ][exthdr write tcpopt reg 1 => 2b @ 2 + 2 ]" },
	{ { .kind = NFT_S_HEADER, .write = { NFT_H_HOPLIMIT, 64 } },
	  "[immediate => reg 1 0x40 ][payload base 1 offset 7 length 1 <= reg 1 ]" },
	{ { .kind = NFT_S_HEADER, .write = { NFT_H_TTL, 64 } },
	  "[payload base 1 offset 8 length 2 => reg 1 ]"
	  "[bitwise reg 1 => reg 1 length 2 & 0x00ff ^ 0x4000 ]"
	  "[payload base 1 offset 8 length 2 <= reg 1 checksum 1 at 10 ]" },
	{ { .kind = NFT_S_BEFORE, .before_s = 1800000000 },
	  "[meta key 30 => reg 1 ][byteorder reg 1 = hton(reg 1, 8, 8) ]"
	  "[cmp reg 1 op 2 0x18fae27693b40000 ]" },
	{ { .kind = NFT_S_RATE, .rate = { 5, 60 } },
	  "[limit rate 5/minute burst 5 type packets flags 0x1 ]" },
};

TEST(each_statement_is_read_as_it_was_meant)
{
	bool seen[N_NFT_STMTS] = { false };
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nft_stmt s = cases[i].s;
		const struct nft_rule r = { .stmts = { { .v = &s, .n = 1 } } };
		struct nft_counted n = { 0 };
		struct nftnl_rule *nr = there_and_back(&r);

		CHECK_STR(nft_exprs_text(&a, nr, &n), cases[i].text);
		seen[s.kind] = true;
		nftnl_rule_free(nr);
	}
	for (int i = 0; i < N_NFT_STMTS; i++)
		CHECK(seen[i]);
	arena_fini(&a);
}

/* What a rule counted before is its own; of several counters the first has it */
TEST(a_rule_has_its_comment_and_its_count)
{
	struct nft_stmt s[] = {
		{ .kind = NFT_S_COUNTER }, { .kind = NFT_S_COUNTER },
		{ .kind = NFT_S_VERDICT, .decision = { .verdict = NFT_V_ACCEPT } },
	};
	const struct nft_rule r = { .stmts = { { .v = s, .n = ARRAY_SIZE(s) } },
				    .comment = "pass", .packets = 3, .bytes = 180 };
	struct nftnl_rule *nr = there_and_back(&r);
	struct nft_counted n = { 0 };
	struct arena a;
	uint32_t len;

	arena_init(&a, 1 << 20);
	CHECK_STR(nftnl_rule_get_str(nr, NFTNL_RULE_TABLE), "sallyport");
	CHECK_STR(nftnl_rule_get_str(nr, NFTNL_RULE_CHAIN), "chain_1");
	CHECK_STR((const char *)nftnl_rule_get_data(nr, NFTNL_RULE_USERDATA, &len) + 2, "pass");
	CHECK_INT(len, 2 + sizeof("pass"));
	CHECK_STR(nft_exprs_text(&a, nr, &n),
		  "[counter ][counter ][immediate accept ]");
	CHECK_INT(n.packets, 3);
	CHECK_INT(n.bytes, 180);
	nftnl_rule_free(nr);
	arena_fini(&a);
}

/* The longest that each statement can be: the kernel's longest names, all keys of a lookup */
TEST(no_statement_is_longer_than_its_limit)
{
	static char name[NFT_NAME_MAXLEN], prefix[NF_LOG_PREFIXLEN];
	static const struct nft_set set = { .name = name };
	struct nlmsghdr *msg = message(0);

	memset(name, 'n', sizeof(name) - 1);
	memset(prefix, 'p', sizeof(prefix) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nft_stmt s = cases[i].s;
		const struct nft_rule r = { .stmts = { { .v = &s, .n = 1 } } };
		struct nft_put p = nft_put_to(msg);
		const uint8_t *from = p.at;

		if (s.kind == NFT_S_LOG)
			s.log.prefix = prefix;
		if (s.kind == NFT_S_VERDICT && s.decision.chain != NULL)
			s.decision.chain = name;
		if (s.kind == NFT_S_LOOKUP || s.kind == NFT_S_UPDATE || s.kind == NFT_S_VMAP ||
		    s.kind == NFT_S_NAT_MAP) {
			s.lookup.set = &set;
			while (s.lookup.mask == 0 && s.lookup.n_keys < NFT_KEYS_MAX)
				s.lookup.keys[s.lookup.n_keys++] = NFT_K_CT_IP6_DADDR;
		}
		nft_put_exprs(&p, &r);
		CHECK(p.at - from <= NFT_STMT_BYTES);
	}
}

/* A rule of so many that another might be one too many, its chain and comment the longest */
TEST(the_longest_rule_is_within_a_message)
{
	static char chain[NFT_NAME_MAXLEN], comment[LIMIT_COMMENT_BYTES + 1];
	static struct nft_stmt s[(UINT16_MAX - NFT_STMT_BYTES) / 40];
	const struct nft_rule r = { .stmts = { { .v = s, .n = ARRAY_SIZE(s) } },
				    .comment = comment };
	struct nlmsghdr *msg = message(0);
	struct nft_put p = nft_put_to(msg);

	memset(chain, 'n', sizeof(chain) - 1);
	memset(comment, 'c', sizeof(comment) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(s); i++)
		s[i] = (struct nft_stmt){ .kind = NFT_S_COUNT, .count_over = 3 };
	nft_put_rule(&p, chain, &r);
	nft_put_done(&p, msg);
	CHECK(msg->nlmsg_len > UINT16_MAX - 3 * NFT_STMT_BYTES);
	CHECK(msg->nlmsg_len < NL_BATCH_MSG_BYTES);
}
