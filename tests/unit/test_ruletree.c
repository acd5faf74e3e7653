/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules sorted into trees mean what they mean one by one: models and packets at
 * random, of few values, so that they meet.  RULETREE_MODELS gives more of them.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "model/ruletree.h"
#include "unit.h"

#define LISTS	4u
#define PACKETS	60u

static struct arena a;
static struct intern names;
static struct facts facts;
static struct model m;

static uint32_t below(uint32_t n)
{
	return (uint32_t)unit_below(n);
}

static struct addr draw_addr(bool v6)
{
	const uint32_t low = below(6) * 37;

	if (v6)
		return (struct addr){ AF_V6, (u128)0xfd << 120 | (u128)below(2) << 64 | low };
	return (struct addr){ AF_V4, 0x0a000000u + below(2) * 0x10000u + low };
}

static const struct set *draw_addrs(void)
{
	struct ranges rs = { .list = { .n = 0 } };

	for (uint32_t n = 1 + below(3); n > 0; n--) {
		const struct addr from = draw_addr(below(3) == 0);

		if (below(2) == 0)
			ranges_add(&a, &rs, from.af, from.v, from.v + below(120));
		else
			ranges_add_prefix(&a, &rs, (struct prefix){
				from, (uint8_t)(addr_bits(from.af) - below(20)) });
	}
	return set_make(&a, &rs);
}

static const struct set *draw_numbers(uint32_t most)
{
	struct ranges rs = { .list = { .n = 0 } };

	for (uint32_t n = 1 + below(2); n > 0; n--) {
		const uint32_t lo = below(most);

		ranges_add(&a, &rs, AF_NONE, lo, lo + (below(2) == 0 ? 0 : below(most)));
	}
	return set_make(&a, &rs);
}

static const struct set *draw_set(enum field f)
{
	static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_ICMP };

	switch (f) {
	case F_DIR:
		return set_one(&a, below(2));
	case F_AF:
		return set_one(&a, below(2) == 0 ? AF_V4 : AF_V6);
	case F_PROTO:
		return set_one(&a, protos[below(3)]);
	case F_SRC:
	case F_DST:
		return draw_addrs();
	case F_IFACE:
		return draw_numbers(4);
	default:
		return draw_numbers(12);
	}
}

static void draw_effect(struct rule *r, uint32_t list)
{
	const struct ruling rulings[] = { ruling_pass(), ruling_keep(), ruling_block() };

	switch (below(8)) {
	case 0:
		rule_translate(&m, r, below(m.xlates.n), LIST_NONE);
		break;
	case 1:
		rule_decide(r, rulings[below(3)]);
		break;
	case 2:
		if (list + 1 < LISTS)
			rule_call(r, list + 1);
		break;
	case 3:
		if (list + 1 < LISTS)
			rule_goto(r, list + 1);
		break;
	default:
		rule_prefer(&m, r, rulings[below(3)]);
	}
}

static void draw_rule(uint32_t list)
{
	static const enum field fields[] = {
		F_DIR, F_AF, F_IFACE, F_PROTO, F_SRC, F_DST, F_SPORT, F_DPORT, F_TAGS,
	};
	const struct origin origin = { .at = { .src = 1 }, .text = "rule" };
	struct rule *r = model_add_rule(&m, list, origin);

	for (uint32_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (below(3) == 0)
			rule_test(&m, r, fields[i], draw_set(fields[i]));
	draw_effect(r, list);
}

static void draw_model(uint32_t n_rules)
{
	arena_fini(&a);
	arena_init(&a, LIMIT_ARENA_BYTES);
	intern_init(&names, &a);
	facts_init(&facts, &a, &names);
	model_init(&m, &a, &names, &facts);
	for (uint32_t i = 0; i < 3; i++) {
		struct xlate x = { .kind = i % 2 == 0 ? XL_DST : XL_SRC, .port = XP_TO,
				   .lo = (uint16_t)below(12) };

		vec_add(&a, &x.to, draw_addr(false));
		vec_add(&a, &x.to, draw_addr(true));
		model_add_xlate(&m, x);
	}
	for (uint32_t l = 0; l < LISTS; l++) {
		model_add_list(&m, "list");
		for (uint32_t i = below(n_rules); i > 0; i--)
			draw_rule(l);
	}
	m.entry[DIR_IN] = 0;
	m.entry[DIR_OUT] = below(2);
}

static struct packet draw_packet(void)
{
	static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_ICMP };
	const bool v6 = below(3) == 0;

	return (struct packet){
		.dir = below(2) == 0 ? DIR_IN : DIR_OUT, .iface = below(5),
		.proto = protos[below(3)],
		.src = draw_addr(v6), .dst = draw_addr(v6), .sport = (uint16_t)below(14),
		.dport = (uint16_t)below(14), .tcp_flags = TCP_FLAG_SYN, .icmp_type = 8,
	};
}

static struct result judge(const struct packet *p, const struct ruletree *tree)
{
	struct world w;

	world_init(&w, &a);
	w.tree = tree;
	return model_eval(&m, &w, p, &a);
}

static void check_same(const struct packet *p, const struct ruletree *tree)
{
	const struct result x = judge(p, NULL), y = judge(p, tree);

	CHECK_INT(x.verdict, y.verdict);
	CHECK_INT(x.makes_state, y.makes_state);
	CHECK(addr_equal(x.packet.src, y.packet.src) && addr_equal(x.packet.dst, y.packet.dst));
	CHECK(x.packet.sport == y.packet.sport && x.packet.dport == y.packet.dport);
	if (!CHECK_INT(x.steps.n, y.steps.n))
		return;
	for (uint32_t i = 0; i < x.steps.n; i++)
		CHECK(x.steps.v[i].rule == y.steps.v[i].rule &&
		      x.steps.v[i].is_final == y.steps.v[i].is_final);
}

TEST(sorted_rules_mean_the_same)
{
	const char *more = getenv("RULETREE_MODELS");
	const uint32_t n = more != NULL ? (uint32_t)strtoul(more, NULL, 10) : 150;

	for (uint32_t i = 0; i < n; i++) {
		const struct ruletree *tree;

		draw_model(i % 5 == 0 ? 400 : 40);
		tree = ruletree_make(&a, &m);
		for (uint32_t k = 0; k < PACKETS; k++) {
			const struct packet p = draw_packet();

			check_same(&p, tree);
		}
	}
	arena_fini(&a);
}

/* How many rules a packet to each of @n ports meets at most, of @n rules for a port each */
static uint32_t most_met(uint32_t n)
{
	const struct ruletree *tree;
	uint32_t most = 0;

	draw_model(1);
	for (uint32_t i = 0; i < n; i++) {
		struct rule *r = model_add_rule(&m, 0, (struct origin){ 0 });

		rule_test(&m, r, F_PROTO, set_one(&a, PROTO_TCP));
		rule_test(&m, r, F_DST, set_addr(&a, (struct addr){ AF_V4, 0x0a000000u + i % 64 }));
		rule_test(&m, r, F_DPORT, set_one(&a, i));
	}
	tree = ruletree_make(&a, &m);
	for (uint32_t i = 0; i < n; i++) {
		const struct packet p = {
			.dir = DIR_IN, .proto = PROTO_TCP, .src = { AF_V4, 1 },
			.dst = { AF_V4, 0x0a000000u + i % 64 }, .dport = (uint16_t)i,
		};
		uint32_t at = 0, met = 0;
		bool seen = false;

		while ((at = ruletree_next(tree, 0, &p, at)) != UINT32_MAX) {
			seen |= at++ == i;
			met++;
		}
		CHECK(seen);
		most = MAX(most, met);
	}
	arena_fini(&a);
	return most;
}

TEST(what_a_packet_meets_does_not_grow)
{
	CHECK(most_met(10) <= 4);
	CHECK(most_met(1000) <= 4);
	CHECK(most_met(20000) <= 4);
}
