/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/limits.h"
#include "model/eval.h"
#include "unit.h"

/* A model in pf's shape, without a policy */
static struct arena arena;
static struct intern names;
static struct facts facts;
static struct model m;
static struct world world;
static uint32_t rdr, nat, filter;

static struct addr addr(const char *text)
{
	struct addr a;

	if (addr_parse(text, strlen(text), &a) < 0)
		abort();
	return a;
}

static void add_entry(enum direction dir, const char *name, uint32_t called)
{
	m.entry[dir] = model_add_list(&m, name);
	rule_probe(&m, model_add_rule(&m, m.entry[dir], (struct origin){ 0 }));
	rule_call(model_add_rule(&m, m.entry[dir], (struct origin){ 0 }), called);
	rule_goto(model_add_rule(&m, m.entry[dir], (struct origin){ 0 }), filter);
}

static void start(void)
{
	arena_fini(&arena);
	arena_init(&arena, LIMIT_ARENA_BYTES);
	intern_init(&names, &arena);
	facts_init(&facts, &arena, &names);
	facts_add_addr(&facts, facts_add(&facts, "igb0"),
		       (struct iface_addr){ .p = { addr("203.0.113.2"), 24 } });
	model_init(&m, &arena, &names, &facts);
	rdr = model_add_list(&m, "rdr");
	nat = model_add_list(&m, "nat");
	filter = model_add_list(&m, "filter");
	add_entry(DIR_IN, "in", rdr);
	add_entry(DIR_OUT, "out", nat);
	world_init(&world, &arena);
}

static struct rule *prefer(struct ruling ruling)
{
	struct rule *r = model_add_rule(&m, filter, (struct origin){ .text = "rule" });

	rule_prefer(&m, r, ruling);
	return r;
}

static struct rule *translate(uint32_t list, struct xlate x, const char *to)
{
	struct rule *r = model_add_rule(&m, list, (struct origin){ .text = "translation" });

	vec_add(&arena, &x.to, addr(to));
	rule_translate(&m, r, model_add_xlate(&m, x), filter);
	rule_goto(r, filter);
	return r;
}

static void number(struct rule *r, enum field f, u128 v)
{
	rule_test(&m, r, f, set_one(&arena, v));
}

static struct packet tcp(enum direction dir, const char *src, uint16_t sport, const char *dst,
			 uint16_t dport, uint8_t flags)
{
	return (struct packet){
		.dir = dir, .iface = intern_cid(&names, "igb0"), .proto = PROTO_TCP,
		.src = addr(src), .dst = addr(dst), .sport = sport, .dport = dport,
		.tcp_flags = flags,
	};
}

static struct result eval(struct packet p)
{
	return model_eval(&m, &world, &p, &arena);
}

#define S	TCP_FLAG_SYN
#define A	TCP_FLAG_ACK
#define R	TCP_FLAG_RST

TEST(no_rule_passes_without_state)
{
	struct result r;

	start();
	r = eval(tcp(DIR_IN, "198.51.100.7", 1000, "203.0.113.2", 22, S));
	CHECK_INT(r.verdict, V_PASS);
	CHECK(!r.makes_state);
	if (CHECK_INT(r.steps.n, 1))
		CHECK_STR(r.steps.v[0].effect, "default");
}

TEST(type_of_service_without_the_bits_of_ecn)
{
	static const struct { uint8_t tos; enum verdict verdict; } rows[] = {
		{ 0x20, V_BLOCK }, { 0x23, V_BLOCK }, { 0xb8, V_BLOCK }, { 0, V_PASS },
		{ 0x24, V_PASS }, { 0x38, V_PASS },
	};
	struct ranges rs = { 0 };

	start();
	ranges_add(&arena, &rs, AF_NONE, 0x20, 0x20);
	ranges_add(&arena, &rs, AF_NONE, 0xb8, 0xb8);
	rule_test(&m, prefer(ruling_block()), F_TOS, set_make(&arena, &rs));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet p = tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 22, S);

		p.tos = rows[i].tos;
		CHECK_INT(eval(p).verdict, rows[i].verdict);
	}
}

/* A number is asked of what has one: the others do not match */
TEST(numbers_of_headers)
{
	static const struct {
		enum field f;
		enum direction dir;
		uint8_t proto;
		bool has_uid;
		enum verdict verdict;
	} rows[] = {
		{ F_TTL, DIR_IN, PROTO_TCP, false, V_BLOCK },
		{ F_LEN, DIR_IN, PROTO_UDP, false, V_BLOCK },
		{ F_IPID, DIR_OUT, PROTO_GRE, false, V_BLOCK },
		{ F_FLOWID, DIR_IN, PROTO_TCP, false, V_PASS },
		{ F_TCPWIN, DIR_IN, PROTO_TCP, false, V_BLOCK },
		{ F_TCPSEQ, DIR_IN, PROTO_UDP, false, V_PASS },
		{ F_TCPACK, DIR_IN, PROTO_GRE, false, V_PASS },
		{ F_UID, DIR_OUT, PROTO_TCP, true, V_BLOCK },
		{ F_UID, DIR_OUT, PROTO_TCP, false, V_PASS },
		{ F_UID, DIR_IN, PROTO_TCP, true, V_PASS },
		{ F_UID, DIR_OUT, PROTO_GRE, true, V_PASS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet p = tcp(rows[i].dir, "198.51.100.7", 1, "203.0.113.2", 22, S);

		start();
		rule_test(&m, prefer(ruling_block()), rows[i].f,
			  set_range(&arena, AF_NONE, 7, 9));
		p.proto = rows[i].proto;
		p.recv = p.dir == DIR_IN ? p.iface : 0;
		p.has_uid = rows[i].has_uid;
		for (unsigned int h = 0; h < N_HEADS; h++)
			p.heads[h] = 8;
		CHECK_INT(eval(p).verdict, rows[i].verdict);
		p.heads[rows[i].f - F_TTL] = 10;
		CHECK_INT(eval(p).verdict, V_PASS);
	}
}

TEST(last_match_wins_unless_quick)
{
	struct rule *quick;

	start();
	prefer(ruling_block());
	prefer(ruling_keep());
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 22, S)).verdict, V_PASS);
	start();
	quick = prefer(ruling_block());
	quick->exit = EX_SETTLE;
	prefer(ruling_keep());
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 22, S)).verdict, V_BLOCK);
}

/* pass to anyone; a quick call of a list that blocks port 22; pass */
TEST(a_quick_call_settles_when_something_matched_within)
{
	uint32_t anchor;
	struct rule *r;

	start();
	anchor = model_add_list(&m, "anchor");
	prefer(ruling_pass());
	r = model_add_rule(&m, filter, (struct origin){ .text = "anchor" });
	rule_call_quick(r, anchor);
	r = model_add_rule(&m, anchor, (struct origin){ .text = "inner" });
	rule_prefer(&m, r, ruling_block());
	number(r, F_DPORT, 22);
	prefer(ruling_keep());
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 22, S)).verdict, V_BLOCK);
	CHECK(eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 80, S)).makes_state);
	m.lists.v[filter].rules.v[1].is_quick = false;
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 22, S)).verdict, V_PASS);
}

TEST(a_state_gives_its_packets_the_tags_of_the_first)
{
	struct packet p = tcp(DIR_IN, "198.51.100.7", 1000, "203.0.113.2", 22, S);

	start();
	rule_tag(&m, prefer(ruling_keep()), 0x02, 0xfd);
	CHECK_INT(eval(p).packet.tags, 0x02);
	p.tags = 0x04;
	CHECK_INT(eval(p).packet.tags, 0x02);
	CHECK_INT(eval(tcp(DIR_OUT, "203.0.113.2", 22, "198.51.100.7", 1000, S | A)).packet.tags,
		  0x02);
	start();
	prefer(ruling_keep());
	p.tags = 0;
	CHECK_INT(eval(p).packet.tags, 0);
	p.tags = 0x04;
	CHECK_INT(eval(p).packet.tags, 0x04);
}

TEST(a_state_covers_its_leg_and_the_answers_and_nothing_else)
{
	struct result r;

	start();
	prefer(ruling_block());
	r = eval(tcp(DIR_IN, "198.51.100.7", 1000, "203.0.113.2", 22, S));
	CHECK_INT(r.verdict, V_BLOCK);
	number(prefer(ruling_keep()), F_TCPFLAGS, S);
	CHECK(eval(tcp(DIR_IN, "198.51.100.7", 1000, "203.0.113.2", 22, S)).makes_state);
	r = eval(tcp(DIR_OUT, "203.0.113.2", 22, "198.51.100.7", 1000, S | A));
	CHECK_INT(r.verdict, V_PASS);
	CHECK_STR(r.steps.v[0].effect, "state");
	r = eval(tcp(DIR_IN, "198.51.100.7", 1000, "203.0.113.2", 22, A));
	CHECK_INT(r.verdict, V_PASS);
	CHECK(!r.makes_state);
	/* the same packet forwarded out is another leg */
	r = eval(tcp(DIR_OUT, "198.51.100.7", 1000, "203.0.113.2", 22, A));
	CHECK_INT(r.verdict, V_BLOCK);
	r = eval(tcp(DIR_IN, "198.51.100.7", 1001, "203.0.113.2", 22, A));
	CHECK_INT(r.verdict, V_BLOCK);
}

TEST(translations_are_replayed_both_ways)
{
	struct result r;

	start();
	translate(rdr, (struct xlate){ .kind = XL_DST, .port = XP_TO, .lo = 8080 },
		  "192.168.100.2");
	r = eval(tcp(DIR_IN, "198.51.100.7", 1000, "203.0.113.2", 80, S));
	CHECK(r.dst_changed && !r.src_changed && r.makes_state);
	CHECK(addr_equal(r.packet.dst, addr("192.168.100.2")));
	CHECK_INT(r.packet.dport, 8080);
	r = eval(tcp(DIR_OUT, "192.168.100.2", 8080, "198.51.100.7", 1000, S | A));
	CHECK(r.src_changed && addr_equal(r.packet.src, addr("203.0.113.2")));
	CHECK_INT(r.packet.sport, 80);
	r = eval(tcp(DIR_IN, "198.51.100.7", 1000, "203.0.113.2", 80, A));
	CHECK(r.dst_changed && !r.makes_state);
	CHECK_INT(r.packet.dport, 8080);
}

TEST(the_filter_sees_the_translated_packet)
{
	struct rule *r;

	start();
	translate(rdr, (struct xlate){ .kind = XL_DST }, "192.168.100.2");
	prefer(ruling_block());
	r = prefer(ruling_keep());
	rule_test(&m, r, F_DST, set_addr(&arena, addr("192.168.100.2")));
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 80, S)).verdict, V_PASS);
	start();
	translate(rdr, (struct xlate){ .kind = XL_DST }, "192.168.100.2");
	prefer(ruling_block());
	r = prefer(ruling_keep());
	rule_test(&m, r, F_DST, set_addr(&arena, addr("203.0.113.2")));
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 80, S)).verdict, V_BLOCK);
}

TEST(rdr_pass_to_the_same_place_passes_nothing)
{
	start();
	rule_decide(translate(rdr, (struct xlate){ .kind = XL_DST }, "203.0.113.2"),
		    ruling_keep());
	prefer(ruling_block());
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 80, S)).verdict, V_BLOCK);
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.3", 80, S)).verdict, V_PASS);
}

TEST(a_translated_flow_keeps_state_even_under_no_state)
{
	start();
	translate(nat, (struct xlate){ .kind = XL_SRC, .port = XP_RANDOM, .lo = 50001,
				       .hi = 65535 }, "203.0.113.2");
	prefer(ruling_pass());
	CHECK(eval(tcp(DIR_OUT, "192.168.100.2", 1, "198.51.100.7", 80, S)).makes_state);
	CHECK(!eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 80, S)).makes_state);
}

TEST(random_ports_follow_the_draw)
{
	struct result r;

	start();
	translate(nat, (struct xlate){ .kind = XL_SRC, .port = XP_RANDOM, .lo = 50001,
				       .hi = 50003 }, "203.0.113.2");
	for (uint32_t draw = 0; draw < 6; draw++) {
		world_init(&world, &arena);
		world.draw = draw;
		r = eval(tcp(DIR_OUT, "192.168.100.2", 1, "198.51.100.7", 80, S));
		CHECK_INT(r.packet.sport, 50001 + draw % 3);
		CHECK_INT(r.sport_lo, 50001);
		CHECK_INT(r.sport_hi, 50003);
	}
}

TEST(a_packet_of_a_family_without_a_target_is_not_translated)
{
	struct result r;
	struct packet p;

	start();
	translate(nat, (struct xlate){ .kind = XL_SRC }, "203.0.113.2");
	p = tcp(DIR_OUT, "fd00::2", 1, "2001:db8::7", 80, S);
	r = eval(p);
	CHECK(!r.src_changed);
	CHECK_STR(r.steps.v[0].effect, "unchanged");
}

TEST(return_is_a_block_where_nothing_would_be_sent)
{
	struct packet ping = tcp(DIR_IN, "198.51.100.7", 7, "203.0.113.2", 7, 0);
	struct packet udp = ping;

	start();
	prefer(ruling_return());
	ping.proto = PROTO_ICMP;
	ping.icmp_type = 8;
	udp.proto = PROTO_UDP;
	CHECK_INT(eval(ping).verdict, V_BLOCK);
	CHECK_INT(eval(udp).verdict, V_RETURN);
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 80, S)).verdict, V_RETURN);
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 80, R)).verdict, V_BLOCK);
}

TEST(ports_and_flags_of_what_has_none)
{
	struct packet gre = tcp(DIR_IN, "198.51.100.7", 0, "203.0.113.2", 0, 0);

	start();
	gre.proto = PROTO_GRE;
	number(prefer(ruling_block()), F_DPORT, 0);
	CHECK_INT(eval(gre).verdict, V_PASS);		/* no port matches no port test */
	number(prefer(ruling_block()), F_TCPFLAGS, S);
	CHECK_INT(eval(gre).verdict, V_BLOCK);		/* flags are asked of TCP only */
}

TEST(only_the_rule_that_stands_logs)
{
	struct rule *r;

	start();
	rule_log(&m, prefer(ruling_block()));
	r = prefer(ruling_keep());
	number(r, F_DPORT, 22);
	CHECK(eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 23, S)).is_logged);
	CHECK(!eval(tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 22, S)).is_logged);
}

TEST(ill_formed_models_are_told)
{
	uint32_t a, b;

	start();
	CHECK_STR(model_check(&m), NULL);
	a = model_add_list(&m, "a");
	b = model_add_list(&m, "b");
	rule_goto(model_add_rule(&m, a, (struct origin){ 0 }), b);
	rule_call(model_add_rule(&m, b, (struct origin){ 0 }), a);
	m.after[DIR_IN] = a;
	CHECK_STR(model_check(&m), "lists form a cycle");
	start();
	rule_goto(model_add_rule(&m, filter, (struct origin){ 0 }), 4711);
	CHECK_STR(model_check(&m), "a rule leads to a list that is not there");
	start();
	a = filter;
	for (int i = 0; i < 17; i++) {
		b = model_add_list(&m, "deeper");
		rule_call(model_add_rule(&m, a, (struct origin){ 0 }), b);
		a = b;
	}
	CHECK_STR(model_check(&m), "calls nest too deep");
}

/* ---- free states, tags, limits, draws, instances --------------------------- */

/* A model in ipfw's shape: one list */
static void start_free(void)
{
	start();
	m.discipline = STATES_FREE;
	m.otherwise = ruling_block();
	m.entry[DIR_IN] = m.entry[DIR_OUT] = filter = model_add_list(&m, "main");
}

static struct rule *free_rule(void)
{
	return model_add_rule(&m, filter, (struct origin){ .at = { 1, 0, 0 }, .text = "rule" });
}

static uint32_t pass_list(void)
{
	const uint32_t list = model_add_list(&m, "action");

	rule_decide(model_add_rule(&m, list, (struct origin){ .at = { 1, 0, 0 }, .text = "act" }),
		    ruling_pass());
	return list;
}

TEST(local_sources)
{
	start_free();
	number(free_rule(), F_SRC_LOCAL, 1);
	rule_decide(&m.lists.v[filter].rules.v[0], ruling_pass());
	CHECK_INT(eval(tcp(DIR_OUT, "203.0.113.2", 1, "198.51.100.7", 80, S)).verdict, V_PASS);
	CHECK_INT(eval(tcp(DIR_OUT, "127.0.0.1", 1, "198.51.100.7", 80, S)).verdict, V_PASS);
	CHECK_INT(eval(tcp(DIR_OUT, "203.0.113.3", 1, "198.51.100.7", 80, S)).verdict, V_BLOCK);
}

TEST(tags_are_bits_that_stay)
{
	struct packet p = tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 80, S);
	struct result r;

	start_free();
	rule_tag(&m, free_rule(), 0x05, 0x02);
	number(free_rule(), F_TAGS, 0x05);
	rule_decide(&m.lists.v[filter].rules.v[1], ruling_pass());
	p.tags = 0x02;
	r = eval(p);
	CHECK_INT(r.verdict, V_PASS);
	CHECK_INT(r.packet.tags, 0x05);
	p.tags = 0x08;
	CHECK_INT(eval(p).verdict, V_BLOCK);
}

TEST(a_probe_looks_again_for_another_name)
{
	const struct packet p = tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 80, S);
	const uint32_t web = 7, other = 8;

	start_free();
	rule_probe_name(&m, free_rule(), other);
	rule_probe_name(&m, free_rule(), web);
	rule_record_limit(&m, free_rule(), pass_list(), web, 0, 0);
	CHECK_INT(eval(p).verdict, V_BLOCK);
	CHECK_INT(world.states.n, 1);
	CHECK_INT(eval(p).verdict, V_PASS);
	m.lists.v[filter].rules.v[0].effects.v[0].name = 0;	/* any: it is found at once */
	CHECK_INT(eval(p).verdict, V_PASS);
	m.lists.v[filter].rules.v[0].effects.v[0].name = web;
	m.lists.v[filter].rules.v[1].effects.v[0].name = other;
	world.states.v[0].name = other;
	CHECK_INT(eval(p).verdict, V_PASS);
}

TEST(a_limit_refuses_one_state_more)
{
	struct result r;
	uint32_t list;

	start_free();
	list = pass_list();
	rule_record_limit(&m, free_rule(), list, 0, 2, LIMIT_SRC_ADDR);
	rule_goto(&m.lists.v[filter].rules.v[0], list);
	for (uint16_t port = 1; port <= 2; port++)
		CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", port, "203.0.113.2", 80, S)).verdict,
			  V_PASS);
	r = eval(tcp(DIR_IN, "198.51.100.7", 3, "203.0.113.2", 80, S));
	CHECK_INT(r.verdict, V_BLOCK);
	CHECK_STR(r.steps.v[0].effect, "limit");
	CHECK(!r.makes_state);
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", 2, "203.0.113.2", 80, S)).verdict, V_PASS);
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.8", 3, "203.0.113.2", 80, S)).verdict, V_PASS);
}

TEST(a_probability_asks_its_draw)
{
	const struct packet p = tcp(DIR_IN, "198.51.100.7", 1, "203.0.113.2", 80, S);
	struct rule *r;

	start_free();
	r = free_rule();
	rule_decide(r, ruling_pass());
	r->prob = PROB_ONE / 2;
	CHECK_INT(eval(p).verdict, V_PASS);
	vec_add(&arena, &world.draws, PROB_ONE / 2);
	CHECK_INT(eval(p).verdict, V_BLOCK);
	world.draws.v[0]--;
	CHECK_INT(eval(p).verdict, V_PASS);
}

TEST(queries_may_be_answered)
{
	struct packet ping = tcp(DIR_IN, "198.51.100.7", 7, "203.0.113.2", 7, 0);
	struct ruling ruling = ruling_return();

	start_free();
	ping.proto = PROTO_ICMP;
	ping.icmp_type = 8;
	ruling.answer.queries = true;
	rule_decide(free_rule(), ruling);
	CHECK_INT(eval(ping).verdict, V_RETURN);
	ping.icmp_type = 3;
	CHECK_INT(eval(ping).verdict, V_BLOCK);
}

static struct xlate *instance(struct xlate x)
{
	struct rule *r;

	start_free();
	r = free_rule();
	x.kind = XL_INSTANCE;
	x.instance = 1;
	vec_add(&arena, &x.to, addr("203.0.113.2"));
	rule_translate(&m, r, model_add_xlate(&m, x), LIST_NONE);
	rule_decide(r, ruling_pass());
	return &m.xlates.v[0];
}

TEST(an_instance_keeps_ports_that_are_free)
{
	struct result r;

	instance((struct xlate){ .port = XP_KEEP });
	r = eval(tcp(DIR_OUT, "192.168.100.2", 1000, "198.51.100.7", 80, S));
	CHECK_INT(r.packet.sport, 1000);
	CHECK(addr_equal(r.packet.src, addr("203.0.113.2")));
	r = eval(tcp(DIR_OUT, "192.168.100.3", 1000, "198.51.100.7", 80, S));
	CHECK(r.packet.sport >= 0x8000);
	CHECK_INT(r.sport_lo, 0x8000);
	r = eval(tcp(DIR_IN, "198.51.100.7", 80, "203.0.113.2", 1000, S | A));
	CHECK(addr_equal(r.packet.dst, addr("192.168.100.2")));
}

TEST(an_instance_denies_what_it_does_not_know)
{
	struct xlate *x = instance((struct xlate){ .port = XP_KEEP, .deny_in = true });
	struct result r = eval(tcp(DIR_IN, "198.51.100.7", 80, "203.0.113.2", 1000, S));

	CHECK_INT(r.verdict, V_BLOCK);
	CHECK(r.steps.v[0].is_final);
	x->deny_in = false;
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", 80, "203.0.113.2", 1000, S)).verdict, V_PASS);
	CHECK_INT(world.links.n, 1);
	x->deny_in = true;	/* it is known now */
	CHECK_INT(eval(tcp(DIR_IN, "198.51.100.7", 80, "203.0.113.2", 1000, S)).verdict, V_PASS);
}

TEST(redirects_lead_inside_and_back)
{
	struct redirect rd = { .proto = PROTO_TCP, .has_ports = true, .lo = 8000, .hi = 8009,
			       .peer_lo = 0 };
	struct xlate x = { .port = XP_RANDOM, .lo = 0x8000, .hi = 0xffff };
	struct result r;

	instance(x);
	vec_add(&arena, &rd.to, ((struct redirect_to){ addr("192.168.100.2"), 80 }));
	rd.peer = addr("198.51.100.7");
	vec_add(&arena, &m.xlates.v[0].redirects, rd);
	r = eval(tcp(DIR_IN, "198.51.100.7", 5, "203.0.113.2", 8003, S));
	CHECK(addr_equal(r.packet.dst, addr("192.168.100.2")));
	CHECK_INT(r.packet.dport, 83);
	r = eval(tcp(DIR_OUT, "192.168.100.2", 83, "198.51.100.7", 5, S | A));
	CHECK_INT(r.packet.sport, 8003);
	CHECK(addr_equal(r.packet.src, addr("203.0.113.2")));
	r = eval(tcp(DIR_IN, "198.51.100.8", 5, "203.0.113.2", 8003, S));
	CHECK(!r.dst_changed);
	r = eval(tcp(DIR_OUT, "192.168.100.2", 85, "198.51.100.7", 9, S));
	CHECK_INT(r.packet.sport, 8005);	/* the port that leads here */
	r = eval(tcp(DIR_OUT, "192.168.100.2", 99, "198.51.100.7", 9, S));
	CHECK(r.packet.sport >= 0x8000);
}

TEST(sources_that_keep_their_address)
{
	struct xlate *x = instance((struct xlate){ .port = XP_RANDOM, .lo = 0x8000, .hi = 0xffff });
	struct result r;
	struct packet p = tcp(DIR_OUT, "fd00::2", 1, "2001:db8::7", 80, S);

	x->only_from = set_prefix(&arena, (struct prefix){ addr("192.168.0.0"), 16 });
	r = eval(tcp(DIR_OUT, "8.8.8.8", 5, "198.51.100.7", 9, S));
	CHECK(addr_equal(r.packet.src, addr("8.8.8.8")));
	CHECK(r.packet.sport >= 0x8000);
	CHECK(!eval(p).src_changed);
	x->is_global = true;
	r = eval(tcp(DIR_OUT, "8.8.8.8", 5, "198.51.100.7", 9, S));
	CHECK(r.src_changed);
	CHECK(!eval(tcp(DIR_OUT, "8.8.8.8", 6, "198.51.100.7", 9, S)).src_changed);
}
