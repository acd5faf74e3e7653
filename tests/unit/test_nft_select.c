/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "test_nft.h"

/* The text of a model's program, or NULL; in the fixture's arena */
static char *text_of(struct fix *f)
{
	const struct nft_program *p = fix_lower(f);
	char *text = NULL, *kept;
	size_t len;
	FILE *out;

	if (p == NULL)
		return NULL;
	out = open_memstream(&text, &len);
	nft_text(p, out);
	fclose(out);
	kept = arena_strndup(&f->a, text, len);
	free(text);
	return kept;
}

/* The rules of one chain, from its name to its end */
static char *chain_of(struct fix *f, const char *text, const char *name)
{
	const char *at = strstr(text, arena_printf(&f->a, "chain %s {\n", name));

	return at == NULL ? (char *)"" : arena_strndup(&f->a, at,
						       (size_t)(strstr(at, "\t}\n") - at));
}

static bool has(const char *text, const char *what)
{
	return text != NULL && strstr(text, what) != NULL;
}

/* Both are there, and @first before @second */
static bool in_order(const char *text, const char *first, const char *second)
{
	const char *a = strstr(text, first), *b = strstr(text, second);

	return a != NULL && b != NULL && a < b;
}

TEST(last_match_becomes_first_match)
{
	struct fix f;
	const char *c;

	fix_init(&f);
	fix_enter(&f);
	fix_filter(&f, 1, "one", ruling_block(), false);
	fix_filter(&f, 2, "two quick", ruling_keep(), true);
	fix_filter(&f, 3, "three", ruling_keep(), false);
	fix_filter(&f, 4, "four quick", ruling_block(), true);
	c = chain_of(&f, text_of(&f), "in_filter");
	CHECK(in_order(c, ":2 two", ":4 four"));
	CHECK(in_order(c, ":4 four", ":3 three"));
	CHECK(in_order(c, ":3 three", ":1 one"));
	fix_fini(&f);
}

/* A called list with a rule in each round, called on igb1 between two others; @quick or not */
static void add_anchor(struct fix *f, const char *name, bool quick)
{
	const uint32_t inner = model_add_list(&f->m, name);
	struct rule *r;

	fix_filter(f, 1, "one", ruling_block(), false);
	r = model_add_rule(&f->m, f->filter, fix_at(f, 2, "anchor"));
	rule_test(&f->m, r, F_IFACE, fix_iface(f, "igb1"));
	rule_call(r, inner);
	r->is_quick = quick;
	r = model_add_rule(&f->m, inner, fix_at(f, 3, "inner"));
	rule_prefer(&f->m, r, ruling_block());
	r = model_add_rule(&f->m, inner, fix_at(f, 4, "inner quick"));
	rule_prefer(&f->m, r, ruling_block());
	r->exit = EX_SETTLE;
	fix_filter(f, 5, "five", ruling_keep(), false);
	fix_filter(f, 6, "six quick", ruling_keep(), true);
}

/* The name of the chain that a rule jumps to, the @n-th in a text */
static char *jump_of(struct fix *f, const char *text, int n)
{
	for (text = strstr(text, "jump "); text != NULL && n-- > 0;)
		text = strstr(text + 1, "jump ");
	return text == NULL ? (char *)"?" : arena_strndup(&f->a, text + 5,
							 strcspn(text + 5, " \n"));
}

TEST(a_called_list_is_a_chain_for_each_round)
{
	const char *text, *c, *first, *last;
	struct fix f;

	fix_init(&f);
	fix_enter(&f);
	add_anchor(&f, "anchor", false);
	text = text_of(&f);
	c = chain_of(&f, text, "in_filter");
	first = jump_of(&f, c, 0);
	last = jump_of(&f, c, 1);
	CHECK(in_order(c, arena_printf(&f.a, "iifname \"igb1\" jump %s comment", first),
		       ":6 six"));
	CHECK(in_order(c, ":6 six", ":5 five"));
	CHECK(in_order(c, ":5 five", arena_printf(&f.a, "jump %s", last)));
	CHECK(in_order(c, arena_printf(&f.a, "jump %s", last), ":1 one"));
	CHECK(has(chain_of(&f, text, first), ":4 inner quick"));
	CHECK(!has(chain_of(&f, text, first), ":3 inner"));
	CHECK(has(chain_of(&f, text, last), ":3 inner"));
	CHECK(!has(chain_of(&f, text, last), ":4 inner"));
	fix_fini(&f);
}

TEST(a_quick_call_has_both_rounds_at_its_place)
{
	const char *text, *c, *both;
	struct fix f;

	fix_init(&f);
	fix_enter(&f);
	add_anchor(&f, "anchor", true);
	text = text_of(&f);
	c = chain_of(&f, text, "in_filter");
	both = jump_of(&f, c, 0);
	CHECK(in_order(c, both, ":6 six"));
	CHECK_STR(jump_of(&f, c, 1), "?");
	c = chain_of(&f, text, both);
	CHECK(has(chain_of(&f, text, jump_of(&f, c, 0)), ":4 inner quick"));
	CHECK(has(chain_of(&f, text, jump_of(&f, c, 1)), ":3 inner"));
	fix_fini(&f);
}

/* The text of a model with two anchors, the first with @n rules */
static char *two_anchors(struct fix *f, uint32_t n)
{
	uint32_t list;

	fix_init(f);
	fix_enter(f);
	list = model_add_list(&f->m, "a/one");
	rule_call(model_add_rule(&f->m, f->filter, fix_at(f, 1, "one")), list);
	for (uint32_t i = 0; i < n; i++) {
		struct rule *r = model_add_rule(&f->m, list, fix_at(f, 2, "inner"));

		rule_test(&f->m, r, F_DPORT, fix_num(f, 1000 + i, 2000 + i));
		rule_prefer(&f->m, r, ruling_keep());
	}
	list = model_add_list(&f->m, "a/two");
	rule_call(model_add_rule(&f->m, f->filter, fix_at(f, 3, "two")), list);
	rule_prefer(&f->m, model_add_rule(&f->m, list, fix_at(f, 4, "inner")), ruling_keep());
	rule_test(&f->m, &f->m.lists.v[list].rules.v[0], F_SPORT, fix_num(f, 10, 20));
	return text_of(f);
}

TEST(rules_of_one_anchor_leave_the_chains_of_others_alone)
{
	static const char *const heads[] = { "in_filter", "out_filter" };
	struct fix f, g;
	const char *x = two_anchors(&f, 0), *y = two_anchors(&g, 2);

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		const char *c = chain_of(&f, x, heads[i]);

		CHECK_STR(c, chain_of(&g, y, heads[i]));
		for (int n = 0; n < 4; n++) {
			const char *name = jump_of(&f, c, n);
			const bool is_one = n == 0 || n == 3;
			const char *was = chain_of(&f, x, name), *is = chain_of(&g, y, name);

			CHECK(was[0] != '\0');
			CHECK_INT(is_one && n == 3, strcmp(was, is) != 0);
		}
	}
	fix_fini(&f);
	fix_fini(&g);
}

TEST(directions)
{
	struct fix f;
	struct rule *r;
	const char *text;

	fix_init(&f);
	fix_enter(&f);
	r = fix_filter(&f, 1, "only in", ruling_block(), false);
	rule_test(&f.m, r, F_DIR, set_one(&f.a, DIR_IN));
	text = text_of(&f);
	CHECK(has(chain_of(&f, text, "in_filter"), "only in"));
	CHECK(!has(chain_of(&f, text, "out_filter"), "only in"));
	fix_fini(&f);
}

/* Each test as nft says it */
TEST(tests_as_text)
{
	static const struct {
		enum field f;
		uint32_t lo, hi;
		const char *want;
	} rows[] = {
		{ F_PROTO, 6, 6, "\tmeta l4proto 6 counter drop" },
		{ F_DPORT, 80, 80, " th dport 80 counter drop" },
		{ F_SPORT, 80, 90, " th sport 80-90 counter" },
		{ F_TCPFLAGS, 2, 2, "meta l4proto 6 tcp flags & 0xff == 0x02 counter drop" },
		{ F_ICMP, 8 << 8, 8 << 8 | 255, "meta l4proto 1 icmp type 8 counter drop" },
		{ F_ICMP, 8 << 8, 8 << 8 | 255, "meta l4proto 58 icmpv6 type 8 counter drop" },
		{ F_ICMP, 3 << 8 | 4, 3 << 8 | 4, "icmp type 3 icmp code 4 counter drop" },
		{ F_AF, AF_V6, AF_V6, "\tmeta nfproto 10 counter drop" },
		{ F_DST_LOCAL, 1, 1, "\tfib daddr type local counter drop" },
		{ F_DST_LOCAL, 0, 0, "\tfib daddr type != local counter drop" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fix f;
		const char *c;

		fix_init(&f);
		fix_enter(&f);
		rule_test(&f.m, fix_filter(&f, 1, "x", ruling_block(), false), rows[i].f,
			  fix_num(&f, rows[i].lo, rows[i].hi));
		c = chain_of(&f, text_of(&f), "in_filter");
		if (!CHECK(has(c, rows[i].want)))
			CHECK_STR(c, rows[i].want);
		fix_fini(&f);
	}
}

TEST(interfaces)
{
	struct fix f;
	struct rule *r;
	const char *in, *out, *text;

	fix_init(&f);
	fix_enter(&f);
	r = fix_filter(&f, 1, "lo1", ruling_block(), false);
	rule_test(&f.m, r, F_IFACE, fix_iface(&f, "lo1"));
	r = fix_filter(&f, 2, "lo0", ruling_block(), false);
	rule_test(&f.m, r, F_IFACE, fix_iface(&f, "lo0"));
	r = fix_filter(&f, 3, "others", ruling_block(), false);
	rule_test(&f.m, r, F_IFACE, fix_not(&f, fix_iface(&f, "igb0"), SET_U32));
	text = text_of(&f);
	in = chain_of(&f, text, "in_filter");
	out = chain_of(&f, text, "out_filter");
	CHECK(has(in, "\tiifname \"lo1\" counter drop comment \"test.conf:1 lo1\""));
	CHECK(has(in, "\tiifname \"lo\" meta nfproto 2 ip daddr 192.168.100.1-") ||
	      has(in, "\tiifname \"lo\" meta nfproto 2 ip daddr @ip4s_"));
	CHECK(has(in, "\tiifname \"lo\" meta nfproto 10 ip6 daddr fd00:100::2 counter drop"
		      " comment \"test.conf:1 lo1\""));
	CHECK(has(in, "ip daddr != @ip4s_"));
	CHECK(has(in, "ip6 daddr != fd00:100::2 counter drop comment \"test.conf:2 lo0\""));
	CHECK(has(in, "\tiifname != \"igb0\" counter drop"));
	CHECK(has(out, "\toifname != \"igb0\" counter drop"));
	fix_fini(&f);
}

TEST(fences_stand_before_and_behind)
{
	struct fix f;
	const char *text;

	fix_init(&f);
	model_web(&f);
	text = text_of(&f);
	CHECK(has(chain_of(&f, text, "in_fence"), "ip daddr 192.168.100.0/29 counter drop"));
	CHECK(has(chain_of(&f, text, "out_fence"), "ip saddr 192.168.100.0/29 counter drop"));
	CHECK(has(text, "table arp sallyport {"));
	CHECK(has(text, "arp operation 1 arp daddr ip @ip4s_"));
	CHECK(has(text, "arp saddr ip @ip4s_"));
	fix_fini(&f);
}

TEST(without_source_fence_no_arp)
{
	struct policy_options o = { .off = { false } };
	struct fix f;

	o.off[POLICY_SOURCE] = true;
	fix_init(&f);
	fix_enter(&f);
	policy_add(&f.m, &o, &f.d);
	CHECK(!has(text_of(&f), "table arp sallyport {"));
	fix_fini(&f);
}

TEST(forwards_become_one_map)
{
	struct fix f;
	const char *text;

	fix_init(&f);
	model_web(&f);
	text = text_of(&f);
	CHECK(has(text, "type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service"));
	CHECK(has(text, "6 . 203.0.113.2 . 443 comment \"test.conf:3 rdr pass web\" : "
			"192.168.100.2 . 443"));
	CHECK(has(text, "dnat ip to meta l4proto . ip daddr . th dport map @forwards_"));
	/* A source limit cannot be an element */
	CHECK(has(text, "ip saddr 203.0.113.9 ip daddr 203.0.113.2 meta l4proto 6 th dport 3306"));
	/* A hit with `pass` is marked for both legs of a local caller, else for the inbound one */
	CHECK(has(text, "| 0x03000000"));
	CHECK(has(text, "| 0x01000000"));
	fix_fini(&f);
}

/* What the first of two rules takes the second one does not */
TEST(forwards_first_match_counts)
{
	struct fix f;
	const char *text;

	fix_init(&f);
	fix_enter(&f);
	for (uint32_t i = 0; i < 3; i++) {
		const char *const to[] = { i == 0 ? "192.168.100.2" : "192.168.100.3", NULL };
		struct rule *r = fix_xlate(&f, f.rdr, 1 + i, "rdr",
					   (struct xlate){ .kind = XL_DST }, to, false);

		rule_test(&f.m, r, F_PROTO, set_one(&f.a, PROTO_TCP));
		rule_test(&f.m, r, F_DST, fix_net(&f, "203.0.113.2/32"));
		rule_test(&f.m, r, F_DPORT, fix_num(&f, i == 2 ? 81 : 80, i == 2 ? 81 : 80));
	}
	text = text_of(&f);
	CHECK(has(text, "6 . 203.0.113.2 . 80 comment \"test.conf:1 rdr\" : 192.168.100.2 . 80"));
	CHECK(has(text, "6 . 203.0.113.2 . 81 comment \"test.conf:3 rdr\" : 192.168.100.3 . 81"));
	CHECK(!has(text, "test.conf:2 rdr"));
	fix_fini(&f);
}

TEST(random_ports_for_each_protocol)
{
	struct fix f;
	struct rule *r;
	const char *text;

	fix_init(&f);
	fix_enter(&f);
	r = fix_xlate(&f, f.nat, 1, "nat", (struct xlate){
		.kind = XL_SRC, .port = XP_RANDOM, .lo = 50001, .hi = 65535 },
		TO("203.0.113.2"), false);
	rule_test(&f.m, r, F_SRC, fix_net(&f, "192.168.100.0/29"));
	text = text_of(&f);
	CHECK(has(text, "meta l4proto 6 counter snat ip to 203.0.113.2:50001-65535 fully-random"));
	CHECK(has(text, "meta l4proto 17 counter snat ip to 203.0.113.2:50001-65535 fully-random"));
	CHECK(has(text, "meta l4proto 1 counter snat ip to 203.0.113.2:1-65535 fully-random"));
	CHECK(has(text, "meta l4proto != @protos_"));
	CHECK(has(text, "counter snat ip to 203.0.113.2 comment"));
	/* No target of IPv6: it is not translated, and no later rule sees it */
	fix_fini(&f);
}

TEST(no_nat_keeps_filter_and_fences)
{
	struct nft_options o;
	struct nft_program *p;
	char *text = NULL;
	struct fix f;
	size_t len;
	FILE *out;

	fix_init(&f);
	model_web(&f);
	nft_options_init(&o);
	o.no_nat = true;
	p = nft_program_from_model(&f.m, &o, &f.d);
	if (!CHECK(p != NULL))
		return;
	out = open_memstream(&text, &len);
	nft_text(p, out);
	fclose(out);
	CHECK(!has(text, "dnat"));
	CHECK(!has(text, "snat"));
	CHECK(!has(text, "type nat"));
	CHECK(has(text, "iifgroup 21328 accept"));
	CHECK(has(text, "meta priority 5350:1 accept"));
	CHECK(has(text, "block in log"));
	CHECK(has(text, "\"fence "));
	free(text);
	fix_fini(&f);
}

TEST(answers)
{
	struct fix f;
	const char *text;

	fix_init(&f);
	model_answers(&f);
	text = text_of(&f);
	CHECK(has(text, "reject with tcp reset"));
	CHECK(has(text, "meta nfproto 2 reject with icmp 3"));
	CHECK(has(text, "meta nfproto 10 reject with icmpv6 4"));
	CHECK(has(text, "meta nfproto 2 reject with icmp 13"));
	/* Postrouting cannot answer: there it drops, and says that it might come to that */
	CHECK(has(chain_of(&f, text, "out_filter"), "drop comment \"test.conf:1 block return"));
	CHECK(has(chain_of(&f, text, "out_answer_own"), "goto answer_"));
	CHECK(has(chain_of(&f, text, "out_answer_fwd"), "goto answer_"));
	CHECK(fix_told(&f, DIAG_W1702));
	CHECK_INT(f.d.n_errors, 0);
	fix_fini(&f);
}

/* ---- what is refused ------------------------------------------------------------ */

TEST(refused_interface_names)
{
	static const char *const names[] = { "a\"b", "eth*", "sixteen-bytes-16", "a b", "x/y" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct fix f;
		struct rule *r;

		fix_init(&f);
		fix_enter(&f);
		r = fix_filter(&f, 3, "x", ruling_block(), false);
		rule_test(&f.m, r, F_IFACE, fix_iface(&f, names[i]));
		CHECK(fix_lower(&f) == NULL);
		CHECK(fix_told(&f, DIAG_E1705));
		CHECK_INT(f.d.list.v[0].at.lo, 18);
		fix_fini(&f);
	}
}

TEST(refused_masks)
{
	struct nft_options o;
	struct fix f;

	fix_init(&f);
	fix_enter(&f);
	nft_options_init(&o);
	o.mark_mask = 0x3;
	CHECK(nft_program_from_model(&f.m, &o, &f.d) == NULL);
	CHECK(fix_told(&f, DIAG_E1707));
	o.mark_mask = 0x80000011;
	CHECK(nft_program_from_model(&f.m, &o, &f.d) != NULL);
	fix_fini(&f);
}

static struct rule *tagged(struct fix *f, struct rule *r, uint8_t bit)
{
	struct ranges rs = { 0 };

	for (uint32_t v = 0; v <= UINT8_MAX; v++)
		if ((v & bit) != 0)
			ranges_add(&f->a, &rs, AF_NONE, v, v);
	rule_test(&f->m, r, F_TAGS, set_make(&f->a, &rs));
	return r;
}

static void two_tags(struct fix *f)
{
	fix_init(f);
	fix_enter(f);
	vec_add(&f->a, &f->m.tags, intern_cid(&f->names, "A"));
	vec_add(&f->a, &f->m.tags, intern_cid(&f->names, "B"));
}

/* Tag A is given first, so the second round sees it as the rule would */
TEST(tags_that_were_given_before_need_no_number)
{
	struct fix f;
	const char *c;

	two_tags(&f);
	rule_tag(&f.m, fix_filter(&f, 1, "gives", ruling_block(), false), 1, 0xfe);
	tagged(&f, fix_filter(&f, 2, "asks", ruling_keep(), false), 1);
	c = chain_of(&f, text_of(&f), "in_filter");
	CHECK(in_order(c, "meta mark set meta mark & 0xfeffffff | 0x01000000 comment",
		       "meta mark & 0x01000000 != 0x00000000 counter goto in_keep"));
	CHECK(in_order(c, ":2 asks", "counter drop comment \"test.conf:1 gives\""));
	fix_fini(&f);
}

/* One that is given behind the rule that asks has gone by then: the rule leaves its number */
TEST(tags_that_are_given_later_need_a_number)
{
	struct fix f;
	const char *c;

	two_tags(&f);
	tagged(&f, fix_filter(&f, 1, "asks", ruling_keep(), false), 1);
	rule_tag(&f.m, fix_filter(&f, 2, "gives", ruling_block(), false), 2, 0xfd);
	tagged(&f, fix_filter(&f, 3, "asks too", ruling_keep(), false), 2);
	c = chain_of(&f, text_of(&f), "in_filter");
	CHECK(in_order(c, "meta mark & 0x03000000 == 0x01000000 meta mark set meta mark & "
			  "0xfbffffff | 0x04000000 comment \"test.conf:1 asks\"", ":2 gives"));
	CHECK(has(c, "meta mark & 0x04000000 == 0x04000000 counter goto in_keep comment "
		     "\"test.conf:1 asks\""));
	fix_fini(&f);
}

/* The state that a translation with pass made has no tag yet; others give theirs */
TEST(states_keep_the_tag_of_their_first_packet)
{
	struct fix f;
	const char *text;

	two_tags(&f);
	tagged(&f, fix_filter(&f, 1, "asks", ruling_keep(), false), 1);
	text = text_of(&f);
	CHECK(has(chain_of(&f, text, "in_filter"), "goto state_tag"));
	CHECK(has(chain_of(&f, text, "in_keep"), "jump save_tag"));
	CHECK(in_order(chain_of(&f, text, "state_tag"),
		       "ct status & 0x00000008 == 0x00000000 jump save_tag",
		       "ct mark & 0x08000000 == 0x00000000 accept"));
	CHECK(has(chain_of(&f, text, "save_tag"), "ct mark set ct mark & 0xf7ffffff | 0x08000000"));
	fix_fini(&f);
}

static void refused_twice(struct fix *f)
{
	const uint32_t list = model_add_list(&f->m, "anchor");
	struct rule *r;

	vec_add(&f->a, &f->m.tags, intern_cid(&f->names, "A"));
	for (uint32_t line = 1; line < 3; line++)
		rule_call(model_add_rule(&f->m, f->filter, fix_at(f, line, "anchor")), list);
	r = model_add_rule(&f->m, list, fix_at(f, 3, "asks"));
	rule_prefer(&f->m, tagged(f, r, 1), ruling_keep());
	rule_tag(&f->m, fix_filter(f, 4, "gives", ruling_keep(), false), 1, 0xfe);
}

static void refused_tags(struct fix *f)
{
	vec_add(&f->a, &f->m.tags, intern_cid(&f->names, "A"));
	rule_tag(&f->m, fix_filter(f, 1, "adds a tag", ruling_keep(), false), 1, 0);
}

static void refused_goto(struct fix *f)
{
	struct rule *r = model_add_rule(&f->m, f->filter, fix_at(f, 1, "skipto"));

	rule_test(&f->m, r, F_PROTO, set_one(&f->a, PROTO_TCP));
	rule_goto(r, model_add_list(&f->m, "there"));
}

/* In both directions, and nftables knows routes in one */
static void refused_route(struct fix *f)
{
	rule_test(&f->m, fix_filter(f, 1, "from no-route", ruling_block(), false), F_SRC_ROUTE,
		  set_one(&f->a, ROUTE_NONE));
}

static void refused_rdr_prob(struct fix *f)
{
	struct rule *r = fix_xlate(f, f->rdr, 1, "rdr", (struct xlate){ .kind = XL_DST },
				   TO("10.0.0.1"), true);

	r->prob = PROB_ONE / 2;
}

static void refused_answer(struct fix *f)
{
	fix_filter(f, 1, "return-icmp(timex)", (struct ruling){ .verdict = V_RETURN,
		   .answer = { .icmp4 = 11 << 8, .icmp6 = -1 } }, false);
}

static void refused_out_rdr(struct fix *f)
{
	fix_xlate(f, f->nat, 1, "rdr out", (struct xlate){ .kind = XL_DST }, TO("10.0.0.1"), false);
}

static void refused_in_nat(struct fix *f)
{
	fix_xlate(f, f->rdr, 1, "nat in", (struct xlate){ .kind = XL_SRC }, TO("10.0.0.1"), false);
}

static void refused_unchanged(struct fix *f)
{
	const uint32_t other = model_add_list(&f->m, "other");
	struct rule *r = fix_xlate(f, f->rdr, 1, "rdr", (struct xlate){ .kind = XL_DST },
				   TO("10.0.0.1"), true);

	(void)model_add_rule(&f->m, other, fix_at(f, 2, "x"));
	r->effects.v[0].list = other;
}

TEST(refused_constructs)
{
	static model_fn *const rows[] = {
		refused_twice, refused_tags, refused_goto, refused_route, refused_rdr_prob,
		refused_answer,
		refused_out_rdr, refused_in_nat, refused_unchanged,
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fix f;

		fix_init(&f);
		fix_enter(&f);
		rows[i](&f);
		if (!CHECK(fix_lower(&f) == NULL) || !CHECK(fix_told(&f, DIAG_E1701)))
			printf("    # row %zu\n", i);
		CHECK_INT(f.d.n_errors > 0 ? f.d.list.v[0].at.src : 0, f.src);
		fix_fini(&f);
	}
}
