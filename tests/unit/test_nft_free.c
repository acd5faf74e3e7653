/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ipfw ruleset of seed.h as a program: a list with skipto, states and nat
 * in its middle must fit into the kernel, and what does not fit be refused.
 */
#include "ns.h"
#include "unit.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "model/eval.h"
#include "model/policy.h"
#include "nl/session.h"
#include "seed.h"
#include "target/nft.h"

struct lowered {
	struct arena a;
	struct seed seed;
	struct nft_program *p;
};

static bool lower(struct lowered *l, bool one_pass, uint32_t mask)
{
	struct nft_options o;

	arena_init(&l->a, LIMIT_ARENA_BYTES);
	seed_init(&l->seed, &l->a, one_pass);
	nft_options_init(&o);
	o.mark_mask = mask;
	l->p = nft_program_from_model(&l->seed.m, &o, &l->seed.diags);
	return l->p != NULL;
}

static bool told(const struct lowered *l, enum diag_code code)
{
	for (uint32_t i = 0; i < l->seed.diags.list.n; i++)
		if (l->seed.diags.list.v[i].code == code)
			return true;
	return false;
}

static char *text_of(const struct nft_program *p)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	nft_text(p, f);
	fclose(f);
	return text;
}

/* The kernel takes it, gives the same back, and so does its text */
static void check_loads(struct lowered *l)
{
	struct nft_changes changes = { .list = { .n = 0 } };
	const int bytes = 1 << 20;
	struct nl_session nl;
	bool changed = false;
	char *text;
	FILE *nft;

	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(nft_load(&nl, l->p, &l->seed.diags, &changed), 0);
	CHECK(changed);
	CHECK_INT(nft_load(&nl, l->p, &l->seed.diags, &changed), 0);
	CHECK(!changed);
	/* nft sends all at once, which takes the right to a larger buffer than the default */
	if (setsockopt(nl.fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) == 0) {
		text = text_of(l->p);
		nft = popen("nft -f -", "w");
		fputs(text, nft);
		CHECK_INT(pclose(nft), 0);
		CHECK_INT(nft_diff(&nl, l->p, &l->a, &changes), 0);
		CHECK_INT(changes.list.n, 0);
		if (changes.list.n > 0)
			CHECK_STR(changes.list.v[0].object, "");
		free(text);
	}
	CHECK_INT(nft_destroy(&nl, &changed), 0);
	nl_close(&nl);
}

TEST(loads_and_stays_the_same)
{
	NS_FRESH();
	for (int one_pass = 0; one_pass < 2; one_pass++) {
		struct lowered l;

		if (!CHECK(lower(&l, one_pass, NFT_MARK_MASK)))
			return;
		check_loads(&l);
		arena_fini(&l.a);
	}
}

/* Rules of ipfw, by the language */
static bool lower_text(struct lowered *l, const char *rules)
{
	struct nft_options o;

	arena_init(&l->a, LIMIT_ARENA_BYTES);
	nft_options_init(&o);
	l->p = NULL;
	if (CHECK(seed_init_text(&l->seed, &l->a, "test.rules", rules, false)))
		l->p = nft_program_from_model(&l->seed.m, &o, &l->seed.diags);
	return l->p != NULL;
}

#define WANTS	8u

static const struct construct {
	const char *rules;
	const char *want[WANTS];	/* in the program, in any order */
} constructs[] = {
	{ "add 10 allow tcp from me to any out\nadd 20 allow ip from any to me in\n"
	  "add 30 allow udp from not me to any 53\n",
	  { "fib saddr type local", "fib daddr type local", "fib saddr type != local" } },
	{ "add 10 count log ip from any to any 53\nadd 20 deny log tcp from any to any 23\n"
	  "add 30 skipto 50 log tcp from any to any 25\nadd 50 allow ip from any to any\n",
	  { "log prefix \"match test.rules:1\" group 5", "log prefix \"block test.rules:2\"",
	    "log prefix \"match test.rules:3\"" } },
	{ "add 10 reset tcp from any to any 113\nadd 20 unreach port udp from any to any\n"
	  "add 30 reject ip from any to any\n",
	  { "reject with tcp reset", "reject with icmp 3", "reject with icmp 1",
	    "reject with icmpv6 4", "reject with icmpv6 0",
	    "ct mark & 0x01000000 == 0x01000000 ct mark set ct mark & 0xfeffffff" } },
	{ "add 10 count tag 7 ip from any to any in\nadd 20 count untag 9 ip from any to any\n"
	  "add 30 allow tcp from any to any tagged 7,9\n"
	  "add 40 deny ip from any to any not tagged 7\n",
	  { "meta mark set meta mark & 0xfdffffff | 0x02000000",
	    "meta mark set meta mark & 0xfbffffff", "meta mark & 0x06000000 != 0x00000000",
	    "meta mark & 0x02000000 == 0x00000000" } },
	{ "add 10 prob 0.25 deny tcp from 10.0.0.0/8 80,90 to any\n",
	  { "numgen random mod 2147483647 < 536870911 meta mark set",
	    "meta mark & 0x02000000 == 0x02000000" } },
	{ "add 10 check-state :web\nadd 20 allow tcp from any to any 80 keep-state :web\n"
	  "add 30 check-state\nadd 40 allow tcp from any to any 25 keep-state\n",
	  { "update @states_" } },
	{ "add 10 allow tcp from any to me 22 in limit src-addr 2\n"
	  "add 20 allow ip from any to any out limit src-addr dst-addr 9\n",
	  { "ip saddr ct count over 2 }", "ip saddr . ip daddr ct count over 9 }",
	    "ip6 saddr ct count over 2 }",
	    "meta l4proto . ip saddr . ip daddr ct count over 9 }" } },
	{ "nat 1 config ip 198.51.100.2 same_ports unreg_only "
	  "redirect_port tcp 10.1.0.2:80-82 8080-8082 redirect_port udp 10.1.0.2:53 53 "
	  "redirect_addr 10.1.0.3 198.51.100.3\n"
	  "add 10 nat 1 ip from any to any via em0\n",
	  { "th dport 8081 counter dnat ip to 10.1.0.2:81",
	    "th dport 53 counter dnat ip to 10.1.0.2 ",
	    "ip daddr 198.51.100.3 counter dnat ip to 10.1.0.3 ",
	    "ip saddr 10.1.0.3 counter snat ip to 198.51.100.3 ",
	    "th sport 82 counter snat ip to 198.51.100.2:8082" } },
	{ "nat 1 config ip 198.51.100.2 redirect_port tcp 10.1.0.2:2000-2199 30000-30199\n"
	  "add 10 nat 1 ip from any to any via em0\n",
	  { "dnat ip to meta l4proto . th dport map @", "snat ip to meta l4proto . th sport map @",
	    "6 . 30199 : 10.1.0.2 . 2199", "6 . 2000 : 198.51.100.2 . 30000" } },
	{ "add 10 call 100 tcp from any to any\nadd 20 deny ip from any to any 25\n"
	  "add 30 allow ip from any to any\nadd 100 deny ip from any to any 23\n"
	  "add 110 return ip from any to any 80\nadd 120 count ip from any to any\n"
	  "add 130 return\n",
	  { "meta l4proto 6 counter jump in_list", "th dport 80 counter return",
	    "meta l4proto 6 counter jump out_list" } },
	{ "nat 1 config ip 198.51.100.2 unreg_only deny_in\n"
	  "add 10 nat 1 ip from any to any via em0\n",
	  { "snat to :32768-65535 fully-random", "snat ip to 198.51.100.2:32768-65535",
	    "ct mark & 0x02000000 == 0x00000000 counter drop" } },
	{ "nat 1 config ip 198.51.100.2 "
	  "redirect_port tcp 10.1.0.1:80,10.1.0.2:80 80\nadd 10 nat 1 ip from any to any via em0\n"
	  "add 20 nat global ip from any to any via em1\n",
	  { "numgen inc mod 2 0 counter dnat ip to 10.1.0.1", "counter dnat ip to 10.1.0.2" } },
};

TEST(constructs_load)
{
	NS_FRESH();
	for (size_t i = 0; i < ARRAY_SIZE(constructs); i++) {
		const struct construct *c = &constructs[i];
		struct lowered l;
		char *text;

		if (!CHECK(lower_text(&l, c->rules))) {
			diag_print(&l.seed.diags, stdout, false, DIAG_ERROR);
			continue;
		}
		text = text_of(l.p);
		for (size_t w = 0; w < WANTS && c->want[w] != NULL; w++)
			if (!CHECK(strstr(text, c->want[w]) != NULL))
				printf("# no '%s' for: %s%s", c->want[w], c->rules, text);
		free(text);
		check_loads(&l);
		arena_fini(&l.a);
	}
}

TEST(one_pass_ends_at_nat)
{
	struct lowered two, one;
	char *text;

	if (!CHECK(lower(&two, false, NFT_MARK_MASK)) || !CHECK(lower(&one, true, NFT_MARK_MASK)))
		return;
	text = text_of(two.p);
	CHECK(strstr(text, "vmap @resume_") != NULL);
	CHECK(strstr(text, "snat ip to 198.51.100.2:32768-65535 fully-random") != NULL);
	free(text);
	text = text_of(one.p);
	CHECK(strstr(text, "vmap @resume_") == NULL);
	CHECK(strstr(text, "snat ip to 198.51.100.2:32768-65535 fully-random") != NULL);
	free(text);
	arena_fini(&two.a);
	arena_fini(&one.a);
}

TEST(fences_stand_around_it)
{
	const struct policy_options policy = { .off = { false } };
	struct nft_options o;
	struct lowered l;
	char *text;

	CHECK(lower(&l, false, NFT_MARK_MASK));
	policy_add(&l.seed.m, &policy, &l.seed.diags);
	nft_options_init(&o);
	l.p = nft_program_from_model(&l.seed.m, &o, &l.seed.diags);
	if (!CHECK(l.p != NULL))
		return;
	text = text_of(l.p);
	CHECK(strstr(text, "chain in_fence {") != NULL);
	CHECK(strstr(text, "fence source: nothing from outside has an inside source") != NULL);
	CHECK(strstr(text, "table arp sallyport {") != NULL);
	CHECK(strstr(text, "ip option lsrr") != NULL);
	free(text);
	arena_fini(&l.a);
}

TEST(too_few_bits)
{
	struct lowered l;

	CHECK(!lower(&l, false, 0x1));
	CHECK(told(&l, DIAG_E1707));
	arena_fini(&l.a);
	/* One bit to say "decided", one that is too few for the labels of two nat rules */
	CHECK(!lower(&l, false, 0x3));
	CHECK(told(&l, DIAG_E1707));
	arena_fini(&l.a);
	CHECK(lower(&l, false, 0x80000101));
	arena_fini(&l.a);
}

/* Rules that are taken, and what is told beside */
TEST(warnings)
{
	static const struct {
		const char *rules;
		enum diag_code code;
		bool is_told;
	} rows[] = {
		{ "nat 1 config ip 198.51.100.2\nadd 10 nat 1 ip from any to any out via em0\n"
		  "add 20 reject ip from any to any out\n", DIAG_W1702, true },
		{ "nat 1 config ip 198.51.100.2\nadd 10 reject ip from any to any 23 out\n"
		  "add 20 nat 1 ip from any to any out via em0\n", DIAG_W1702, false },
		{ "add 10 allow tcp from any to me 22 in limit src-addr 2\n", DIAG_W1708, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lowered l;

		CHECK(lower_text(&l, rows[i].rules));
		CHECK_INT(told(&l, rows[i].code), rows[i].is_told);
		arena_fini(&l.a);
	}
}

/* Each rule skips the next: @n places, one behind the other */
static bool lower_skips(struct lowered *l, int n)
{
	static char rules[8192];	/* the sources keep it */
	size_t len = 0;

	for (int i = 1; i <= n; i++)
		len += (size_t)snprintf(rules + len, sizeof(rules) - len,
					"add %d skipto %d tcp from any to any %d\n"
					"add %d count ip from any to any\n", 100 * i,
					100 * i + 100, i, 100 * i + 50);
	return lower_text(l, rules);
}

/* Far more places behind each other than the kernel takes chains; and too many for the mask */
TEST(many_skips)
{
	struct lowered l;
	char *text;

	NS_FRESH();
	CHECK(lower_skips(&l, 45));
	check_loads(&l);
	arena_fini(&l.a);
	CHECK(lower_skips(&l, 8));
	text = text_of(l.p);
	CHECK(strstr(text, "jump") == NULL);
	free(text);
	arena_fini(&l.a);
}

static const char looping[] =
	"add 10 check-state :a\n"
	"add 20 skipto 25 tcp from any to any 80 keep-state :a\n"
	"add 30 skipto 35 tcp from any to any 80 keep-state :b\n"
	"add 40 allow tcp from any to any keep-state :a\n";

/* A packet with states of both names would go round for ever: refused, and judged all the same */
TEST(states_lead_back)
{
	struct packet p = { .dir = DIR_OUT, .proto = PROTO_TCP, .tcp_flags = TCP_FLAG_SYN,
			    .src = addr_v4(198, 51, 100, 2), .dst = addr_v4(9, 9, 9, 9),
			    .sport = 1024, .dport = 80 };
	struct lowered l;
	struct world w;

	CHECK(!lower_text(&l, looping));
	CHECK(told(&l, DIAG_E1701));
	world_init(&w, &l.a);
	for (int i = 0; i < 4; i++)
		(void)model_eval(&l.seed.m, &w, &p, &l.a);
	CHECK(w.states.n > 0);
	arena_fini(&l.a);
}

typedef void spoil_fn(struct lowered *l, struct rule *r);

static void spoil_call(struct lowered *l, struct rule *r)
{
	const uint32_t sub = model_add_list(&l->seed.m, "sub");

	rule_probe(&l->seed.m, model_add_rule(&l->seed.m, sub, (struct origin){ 0 }));
	rule_call(r, sub);
}

static void spoil_prefer(struct lowered *l, struct rule *r)
{
	rule_prefer(&l->seed.m, r, ruling_pass());
}

TEST(refused_constructs)
{
	static const struct { spoil_fn *spoil; enum diag_code code; } rows[] = {
		{ spoil_call, DIAG_E1709 }, { spoil_prefer, DIAG_E1701 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nft_options o;
		struct lowered l;

		arena_init(&l.a, LIMIT_ARENA_BYTES);
		seed_init(&l.seed, &l.a, false);
		rows[i].spoil(&l, &l.seed.m.lists.v[l.seed.m.entry[DIR_IN]].rules.v[0]);
		nft_options_init(&o);
		CHECK(nft_program_from_model(&l.seed.m, &o, &l.seed.diags) == NULL);
		CHECK(told(&l, rows[i].code));
		arena_fini(&l.a);
	}
}

#define TWO_NATS "nat 1 config ip 198.51.100.2\nnat 2 config ip 198.51.100.3\n"

/* What ipfw does and nftables cannot, each under a code of its own */
static const struct { const char *rules; enum diag_code code; } impossible[] = {
	{ TWO_NATS "add 10 nat 1 ip4 from any to any out\nadd 20 nat 2 ip4 from any to any out\n",
	  DIAG_E1710 },
	{ "nat 1 config ip 198.51.100.2\nadd 10 call 100 ip from any to any\n"
	  "add 20 allow ip from any to any\nadd 100 nat 1 ip4 from any to any\n"
	  "add 110 return\n", DIAG_E1709 },
	{ "add 10 call 100 ip from any to any\nadd 20 allow ip from any to any\n"
	  "add 100 check-state\nadd 110 allow tcp from any to any keep-state\nadd 120 return\n",
	  DIAG_E1709 },
	{ TWO_NATS "add 10 nat 2 ip4 from any to any in via em0\n"
	  "add 20 nat 1 ip4 from any to any out via em0\n", DIAG_E1712 },
};

/* Nothing else stands in their way: what differs a little is a program */
static const char *const possible[] = {
	TWO_NATS "add 10 nat 1 ip4 from 10.1.0.2 to any out\n"
		 "add 20 nat 2 ip4 from 10.1.0.3 to any out\n"
		 "add 30 nat 1 ip4 from any to 198.51.100.2 in\n"
		 "add 40 nat 2 ip4 from any to 198.51.100.3 in\n",
	TWO_NATS "nat 2 config ip 198.51.100.3 redirect_port tcp 10.1.0.3:80 80\n"
		 "add 10 nat 1 ip4 from 10.1.0.2 to any out via em0\n"
		 "add 20 nat 2 ip4 from 10.1.0.3 to any out via em0\n"
		 "add 30 nat 1 ip4 from any to 198.51.100.2 in via em0\n"
		 "add 40 nat 2 ip4 from any to 198.51.100.3 in via em0\n",
	TWO_NATS "add 10 nat 2 ip4 from any to any in via em1\n"
		 "add 20 nat 1 ip4 from any to any out via em0\n",
	("add 10 call 100 ip from any to any\nadd 20 allow ip from any to any\n"
	 "add 100 deny tcp from any to any 25\nadd 110 return\n"),
};

TEST(impossible_in_nftables)
{
	struct lowered l;

	for (size_t i = 0; i < ARRAY_SIZE(impossible); i++) {
		CHECK(!lower_text(&l, impossible[i].rules));
		if (!CHECK(told(&l, impossible[i].code)))
			fprintf(stderr, "# row %zu\n", i);
		arena_fini(&l.a);
	}
	for (size_t i = 0; i < ARRAY_SIZE(possible); i++) {
		if (!CHECK(lower_text(&l, possible[i])))
			fprintf(stderr, "# possible %zu\n", i);
		arena_fini(&l.a);
	}
}
