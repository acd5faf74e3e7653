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
