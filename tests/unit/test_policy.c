/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/limits.h"
#include "model/eval.h"
#include "model/policy.h"
#include "unit.h"

/* A host with igb0, igb1 and lo1, and a model in pf's shape without rules */
static struct arena arena;
static struct intern names;
static struct sources sources;
static struct diags diags;
static struct facts facts;
static struct model m;
static uint32_t rdr, nat, filter;
static const struct policy_options all_on;

static struct prefix prefix(const char *text)
{
	struct prefix p;

	if (prefix_parse(text, strlen(text), &p) < 0)
		abort();
	return p;
}

static void address(const char *iface, const char *text)
{
	facts_add_addr(&facts, facts_add(&facts, iface), (struct iface_addr){ .p = prefix(text) });
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
	sources_init(&sources, &arena);
	diags_init(&diags, &arena, &sources);
	facts_init(&facts, &arena, &names);
	address("igb0", "203.0.113.2/24");
	address("igb0", "2001:db8::2/64");
	address("igb1", "10.9.9.1/24");
	address("lo1", "192.168.100.1/29");
	address("lo1", "192.168.100.2/32");
	address("lo1", "fd00:100::2/64");
	model_init(&m, &arena, &names, &facts);
	rdr = model_add_list(&m, "rdr");
	nat = model_add_list(&m, "nat");
	filter = model_add_list(&m, "filter");
	add_entry(DIR_IN, "in", rdr);
	add_entry(DIR_OUT, "out", nat);
}

static const struct set *iface(const char *name)
{
	return set_one(&arena, intern_cid(&names, name));
}

static struct rule *written(uint32_t list, const char *text)
{
	return model_add_rule(&m, list, (struct origin){ .text = text });
}

/* rdr [pass] on @on proto tcp to @to port @port -> @target */
static void add_rdr(const char *on, const char *to, uint16_t port, const char *target, bool pass)
{
	struct xlate x = { .kind = XL_DST };
	struct rule *r = written(rdr, "rdr");

	vec_add(&arena, &x.to, prefix(target).a);
	if (on != NULL)
		rule_test(&m, r, F_IFACE, iface(on));
	if (to != NULL)
		rule_test(&m, r, F_DST, set_prefix(&arena, prefix(to)));
	rule_test(&m, r, F_PROTO, set_one(&arena, PROTO_TCP));
	rule_test(&m, r, F_DPORT, set_one(&arena, port));
	rule_translate(&m, r, model_add_xlate(&m, x), filter);
	if (pass)
		rule_decide(r, ruling_keep());
	else
		rule_goto(r, filter);
}

static void add_nat(const char *on, const char *from, const char *target)
{
	struct xlate x = { .kind = XL_SRC, .port = XP_RANDOM, .lo = 50001, .hi = 65535 };
	struct rule *r = written(nat, "nat");

	vec_add(&arena, &x.to, prefix(target).a);
	rule_test(&m, r, F_IFACE, iface(on));
	rule_test(&m, r, F_SRC, set_prefix(&arena, prefix(from)));
	rule_translate(&m, r, model_add_xlate(&m, x), filter);
	rule_goto(r, filter);
}

static void add_pass(enum direction dir, const char *on, enum field f, const char *addr)
{
	struct rule *r = written(filter, "pass");

	rule_test(&m, r, F_DIR, set_one(&arena, dir));
	if (on != NULL)
		rule_test(&m, r, F_IFACE, iface(on));
	rule_test(&m, r, f, set_prefix(&arena, prefix(addr)));
	rule_prefer(&m, r, ruling_keep());
}

static struct result judge(enum direction dir, const char *on, const char *src, const char *dst,
			   uint16_t dport)
{
	struct world w;
	const struct packet p = {
		.dir = dir, .iface = intern_cid(&names, on), .proto = PROTO_TCP,
		.src = prefix(src).a, .dst = prefix(dst).a, .sport = 40000, .dport = dport,
		.tcp_flags = TCP_FLAG_SYN,
	};

	world_init(&w, &arena);
	return model_eval(&m, &w, &p, &arena);
}

#define PASSES(...)	(judge(__VA_ARGS__).verdict == V_PASS)

TEST(interior_is_what_is_private_or_natted_on_cloned_loopbacks)
{
	start();
	address("lo1", "198.51.100.8/32");
	address("lo2", "198.51.100.16/28");
	address("lo1", "192.168.100.6/32");
	address("igb0", "192.168.100.6/32");
	add_nat("igb0", "198.51.100.16/28", "203.0.113.2");
	policy_add(&m, &all_on, &diags);
	CHECK(set_has_addr(m.interior, prefix("192.168.100.1").a));
	CHECK(set_has_addr(m.interior, prefix("192.168.100.5").a));
	CHECK(set_has_addr(m.interior, prefix("fd00:100::77").a));
	CHECK(set_has_addr(m.interior, prefix("198.51.100.20").a));
	CHECK(!set_has_addr(m.interior, prefix("192.168.100.6").a));
	CHECK(!set_has_addr(m.interior, prefix("192.168.100.8").a));
	CHECK(!set_has_addr(m.interior, prefix("198.51.100.8").a));
	CHECK(!set_has_addr(m.interior, prefix("10.9.9.1").a));
	CHECK(!set_has_addr(m.interior, prefix("127.0.0.1").a));
}

TEST(interior_fence)
{
	struct policy_options off = { .off = { [POLICY_INTERIOR] = true } };

	start();
	add_rdr("igb0", "203.0.113.2", 80, "192.168.100.2", true);
	policy_add(&m, &all_on, &diags);
	CHECK(!PASSES(DIR_IN, "igb0", "203.0.113.66", "192.168.100.2", 80));
	CHECK(!PASSES(DIR_IN, "igb0", "203.0.113.66", "192.168.100.5", 80));
	CHECK(!PASSES(DIR_IN, "em7", "203.0.113.66", "192.168.100.2", 80));
	CHECK(!PASSES(DIR_IN, "igb0", "2001:db8::66", "fd00:100::2", 80));
	CHECK(PASSES(DIR_IN, "igb0", "203.0.113.66", "203.0.113.2", 80));
	CHECK(PASSES(DIR_IN, "lo1", "192.168.100.1", "192.168.100.2", 80));
	start();
	policy_add(&m, &off, &diags);
	CHECK(PASSES(DIR_IN, "igb0", "203.0.113.66", "192.168.100.2", 80));
}

TEST(interior_fence_is_lifted_by_a_written_rule)
{
	start();
	add_pass(DIR_IN, "igb1", F_DST, "192.168.100.2/32");
	policy_add(&m, &all_on, &diags);
	CHECK(PASSES(DIR_IN, "igb1", "10.9.9.5", "192.168.100.2", 80));
	CHECK(!PASSES(DIR_IN, "igb1", "10.9.9.5", "192.168.100.3", 80));
	CHECK(!PASSES(DIR_IN, "igb0", "203.0.113.66", "192.168.100.2", 80));
}

TEST(interior_fence_is_not_lifted_by_less)
{
	start();
	add_rdr("igb0", "203.0.113.2", 80, "192.168.100.2", false);
	add_pass(DIR_IN, "igb0", F_DST, "192.168.100.2/32");	/* for the translated */
	add_pass(DIR_IN, NULL, F_DST, "192.168.100.3/32");	/* names no interface */
	add_pass(DIR_IN, "igb1", F_DST, "192.168.0.0/16");	/* not wholly interior */
	policy_add(&m, &all_on, &diags);
	CHECK(!PASSES(DIR_IN, "igb0", "203.0.113.66", "192.168.100.2", 80));
	CHECK(!PASSES(DIR_IN, "igb0", "203.0.113.66", "192.168.100.3", 80));
	CHECK(!PASSES(DIR_IN, "igb1", "10.9.9.5", "192.168.100.2", 80));
	CHECK(PASSES(DIR_IN, "igb0", "203.0.113.66", "203.0.113.2", 80));
}

TEST(source_fence)
{
	struct policy_options off = { .off = { [POLICY_SOURCE] = true } };

	start();
	policy_add(&m, &all_on, &diags);
	CHECK(!PASSES(DIR_IN, "igb0", "192.168.100.3", "203.0.113.2", 22));
	CHECK(!PASSES(DIR_IN, "igb0", "192.168.100.7", "203.0.113.2", 22));
	CHECK(!PASSES(DIR_IN, "igb0", "127.0.0.1", "203.0.113.2", 22));
	CHECK(!PASSES(DIR_IN, "igb0", "203.0.113.66", "127.0.0.1", 22));
	CHECK(!PASSES(DIR_IN, "igb0", "::1", "2001:db8::2", 22));
	CHECK(PASSES(DIR_IN, "igb0", "203.0.113.66", "203.0.113.2", 22));
	CHECK(PASSES(DIR_IN, "lo0", "127.0.0.1", "127.0.0.1", 22));
	start();
	policy_add(&m, &off, &diags);
	CHECK(PASSES(DIR_IN, "igb0", "192.168.100.3", "203.0.113.2", 22));
}

TEST(egress_fence)
{
	struct policy_options off = { .off = { [POLICY_EGRESS] = true } };

	start();
	add_nat("igb0", "192.168.100.2/32", "203.0.113.2");
	add_pass(DIR_OUT, "igb0", F_SRC, "192.168.100.2/32");	/* covered by nat: no lift */
	add_pass(DIR_OUT, "igb1", F_SRC, "192.168.100.3/32");
	policy_add(&m, &all_on, &diags);
	CHECK(PASSES(DIR_OUT, "igb0", "192.168.100.2", "198.51.100.7", 80));
	CHECK(!PASSES(DIR_OUT, "igb0", "192.168.100.3", "198.51.100.7", 80));
	CHECK(!PASSES(DIR_OUT, "igb1", "192.168.100.2", "198.51.100.7", 80));
	CHECK(PASSES(DIR_OUT, "igb1", "192.168.100.3", "198.51.100.7", 80));
	CHECK(PASSES(DIR_OUT, "lo1", "192.168.100.3", "192.168.100.2", 80));
	CHECK(!judge(DIR_OUT, "igb0", "192.168.100.3", "198.51.100.7", 80).makes_state);
	start();
	policy_add(&m, &off, &diags);
	CHECK(PASSES(DIR_OUT, "igb0", "192.168.100.3", "198.51.100.7", 80));
}

TEST(answers_to_what_was_let_in_may_leave)
{
	struct world w;
	struct packet p = {
		.dir = DIR_IN, .iface = 0, .proto = PROTO_TCP, .sport = 40000, .dport = 80,
		.tcp_flags = TCP_FLAG_SYN,
	};
	struct packet answer = { .dir = DIR_OUT, .proto = PROTO_TCP, .sport = 80, .dport = 40000,
				 .tcp_flags = TCP_FLAG_SYN | TCP_FLAG_ACK };

	start();
	add_nat("igb0", "192.168.100.0/29", "203.0.113.2");
	add_pass(DIR_IN, "igb0", F_DST, "192.168.100.3/32");
	policy_add(&m, &all_on, &diags);
	p.iface = answer.iface = intern_cid(&names, "igb0");
	p.src = answer.dst = prefix("203.0.113.66").a;
	p.dst = answer.src = prefix("192.168.100.3").a;
	world_init(&w, &arena);
	CHECK(model_eval(&m, &w, &p, &arena).makes_state);
	CHECK_INT(model_eval(&m, &w, &answer, &arena).verdict, V_PASS);
	answer.dport++;		/* of no flow that was let in: translated, or nothing */
	CHECK(model_eval(&m, &w, &answer, &arena).src_changed);
}

static bool leads_to_jail(enum direction dir, const char *src, const char *dst, uint16_t dport)
{
	const struct result r = judge(dir, "lo0", src, dst, dport);

	return r.verdict == V_PASS && r.dst_changed &&
	       addr_equal(r.packet.dst, prefix("192.168.100.2").a) &&
	       addr_equal(r.packet.src, prefix(src).a);
}

TEST(local_callers)
{
	struct policy_options off = { .off = { [POLICY_LOCAL] = true } };

	start();
	add_rdr("igb0", "203.0.113.2", 80, "192.168.100.2", true);
	policy_add(&m, &all_on, &diags);
	CHECK(leads_to_jail(DIR_OUT, "203.0.113.2", "203.0.113.2", 80));
	CHECK(leads_to_jail(DIR_IN, "203.0.113.2", "203.0.113.2", 80));
	CHECK(leads_to_jail(DIR_OUT, "192.168.100.3", "203.0.113.2", 80));
	CHECK(!leads_to_jail(DIR_OUT, "192.168.100.3", "203.0.113.2", 81));
	CHECK(!leads_to_jail(DIR_OUT, "192.168.100.3", "10.9.9.1", 80));
	CHECK_STR(judge(DIR_OUT, "lo0", "192.168.100.3", "203.0.113.2", 80).steps.v[0].effect,
		  "local");
	start();
	add_rdr("igb0", "203.0.113.2", 80, "192.168.100.2", true);
	policy_add(&m, &off, &diags);
	CHECK(!leads_to_jail(DIR_OUT, "203.0.113.2", "203.0.113.2", 80));
}

TEST(local_callers_hijack_nothing)
{
	start();
	add_rdr("igb0", NULL, 80, "192.168.100.2", true);	/* to any */
	policy_add(&m, &all_on, &diags);
	CHECK(leads_to_jail(DIR_OUT, "192.168.100.3", "203.0.113.2", 80));
	CHECK(!judge(DIR_OUT, "igb0", "192.168.100.3", "198.51.100.7", 80).dst_changed);
	CHECK(!leads_to_jail(DIR_OUT, "192.168.100.3", "10.9.9.1", 80));
	CHECK(!leads_to_jail(DIR_OUT, "192.168.100.3", "192.168.100.1", 80));
	CHECK(!leads_to_jail(DIR_OUT, "127.0.0.1", "127.0.0.1", 80));
}

TEST(skip_lifts_no_fence)
{
	struct rule *skip;

	start();
	m.skipped = iface("igb0");
	skip = written(m.entry[DIR_IN], "set skip on igb0");
	rule_test(&m, skip, F_IFACE, m.skipped);
	rule_decide(skip, ruling_pass());
	policy_add(&m, &all_on, &diags);
	CHECK(!PASSES(DIR_IN, "igb0", "203.0.113.66", "192.168.100.2", 80));
	if (CHECK_INT(diags.list.n, 1))
		CHECK_STR(diag_codes[diags.list.v[0].code].name, "W1601");
}
