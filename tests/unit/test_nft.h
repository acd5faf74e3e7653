/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_nft - models to lower, for the tests of the nftables target
 *
 * A host with igb0, igb1, lo0 and lo1, and the shape that pf has in the model:
 * skip, states, rdr or nat, filter.
 *
 * Owns:	 nothing; all is in the fixture's arena.
 */
#ifndef TESTS_TEST_NFT_H
#define TESTS_TEST_NFT_H

#include "base/limits.h"
#include "model/policy.h"
#include "target/nft.h"

/**
 * struct fix - A host and a model on it
 * @rdr:	List called inbound
 * @nat:	List called outbound
 * @filter:	List of both directions
 */
struct fix {
	struct arena a;
	struct intern names;
	struct facts facts;
	struct sources sources;
	struct diags d;
	struct model m;
	uint32_t src;
	uint32_t entry[2];
	uint32_t rdr;
	uint32_t nat;
	uint32_t filter;
};

static inline void fix_addr(struct fix *f, const char *iface, const char *addr)
{
	struct iface_addr a = { 0 };

	if (prefix_parse(addr, strlen(addr), &a.p) == 0)
		facts_add_addr(&f->facts, facts_add(&f->facts, iface), a);
}

/* Rules' origins are lines of this file: 9 bytes each, "rule 1234" less the end */
static inline void fix_init_named(struct fix *f, const char *file)
{
	static const char line[] = "a rule..\n";
	char *text;

	arena_init(&f->a, LIMIT_ARENA_BYTES);
	intern_init(&f->names, &f->a);
	facts_init(&f->facts, &f->a, &f->names);
	sources_init(&f->sources, &f->a);
	diags_init(&f->d, &f->a, &f->sources);
	text = arena_alloc(&f->a, 100 * (sizeof(line) - 1));
	for (int i = 0; i < 100; i++)
		memcpy(text + (size_t)i * (sizeof(line) - 1), line, sizeof(line) - 1);
	f->src = sources_add(&f->sources, file, text, 100 * (sizeof(line) - 1), SPAN_NONE);
	fix_addr(f, "igb0", "203.0.113.2/24");
	fix_addr(f, "igb0", "2001:db8:a::2/64");
	fix_addr(f, "igb1", "10.7.0.1/24");
	fix_addr(f, "lo1", "192.168.100.1/29");
	fix_addr(f, "lo1", "192.168.100.2/32");
	fix_addr(f, "lo1", "192.168.100.3/32");
	fix_addr(f, "lo1", "fd00:100::2/128");
	model_init(&f->m, &f->a, &f->names, &f->facts);
	f->entry[DIR_IN] = model_add_list(&f->m, "in");
	f->entry[DIR_OUT] = model_add_list(&f->m, "out");
	f->rdr = model_add_list(&f->m, "rdr");
	f->nat = model_add_list(&f->m, "nat");
	f->filter = model_add_list(&f->m, "filter");
	f->m.entry[DIR_IN] = f->entry[DIR_IN];
	f->m.entry[DIR_OUT] = f->entry[DIR_OUT];
	f->m.discipline = STATES_DIRECTED;
}

static inline void fix_init(struct fix *f)
{
	fix_init_named(f, "test.conf");
}

static inline void fix_fini(struct fix *f)
{
	arena_fini(&f->a);
}

static inline struct origin fix_at(struct fix *f, uint32_t line, const char *text)
{
	return (struct origin){ .at = { f->src, 9 * (line - 1), 9 * (line - 1) + 8 },
				.text = text };
}

/* The rest of the entry lists: after skips, before lowering */
static inline void fix_enter(struct fix *f)
{
	for (int dir = 0; dir < 2; dir++) {
		const uint32_t l = f->entry[dir];

		rule_probe(&f->m, model_add_rule(&f->m, l, (struct origin){ 0 }));
		rule_call(model_add_rule(&f->m, l, (struct origin){ 0 }),
			  dir == DIR_IN ? f->rdr : f->nat);
		rule_goto(model_add_rule(&f->m, l, (struct origin){ 0 }), f->filter);
	}
}

static inline const struct set *fix_iface(struct fix *f, const char *name)
{
	return set_one(&f->a, intern_cid(&f->names, name));
}

static inline const struct set *fix_net(struct fix *f, const char *text)
{
	struct prefix p = { 0 };

	(void)!prefix_parse(text, strlen(text), &p);
	return set_prefix(&f->a, p);
}

static inline struct addr fix_ip(const char *text)
{
	struct addr a = { 0 };

	(void)!addr_parse(text, strlen(text), &a);
	return a;
}

static inline const struct set *fix_num(struct fix *f, uint32_t lo, uint32_t hi)
{
	return set_range(&f->a, AF_NONE, lo, hi);
}

/* The set of everything else */
static inline const struct set *fix_not(struct fix *f, const struct set *s, enum set_universe u)
{
	return set_complement(&f->a, s, u);
}

/* A filter rule; @quick or not */
static inline struct rule *fix_filter(struct fix *f, uint32_t line, const char *text,
				      struct ruling r, bool quick)
{
	struct rule *rule = model_add_rule(&f->m, f->filter, fix_at(f, line, text));

	rule_prefer(&f->m, rule, r);
	if (quick)
		rule->exit = EX_SETTLE;
	return rule;
}

/* A translation in list @list to the addresses in @to, NULL after the last */
static inline struct rule *fix_xlate(struct fix *f, uint32_t list, uint32_t line, const char *text,
				     struct xlate x, const char *const *to, bool pass)
{
	struct rule *r;

	for (; *to != NULL; to++)
		vec_add(&f->a, &x.to, fix_ip(*to));
	r = model_add_rule(&f->m, list, fix_at(f, line, text));
	rule_translate(&f->m, r, model_add_xlate(&f->m, x), f->filter);
	if (pass)
		rule_decide(r, ruling_keep());
	else
		rule_goto(r, f->filter);
	return r;
}

static inline void fix_policy(struct fix *f)
{
	const struct policy_options o = { .off = { false } };

	policy_add(&f->m, &o, &f->d);
}

static inline struct nft_program *fix_lower(struct fix *f)
{
	struct nft_options o;

	nft_options_init(&o);
	return nft_program_from_model(&f->m, &o, &f->d);
}

/* The text of the model's program, in the fixture's arena; "" when it has none */
static inline const char *fix_text(struct fix *f, bool merge)
{
	struct nft_program *p;
	struct nft_options o;
	char *text = NULL;
	const char *kept;
	size_t len;
	FILE *out;

	nft_options_init(&o);
	o.no_merge = !merge;
	p = nft_program_from_model(&f->m, &o, &f->d);
	if (p == NULL)
		return "";
	out = open_memstream(&text, &len);
	nft_text(p, out);
	fclose(out);
	kept = arena_strndup(&f->a, text, len);
	free(text);
	return kept;
}

/* How often it says something */
static inline uint32_t fix_count(const char *text, const char *what)
{
	uint32_t n = 0;

	for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
		n++;
	return n;
}

/* Was a code told */
static inline bool fix_told(const struct fix *f, enum diag_code code)
{
	for (uint32_t i = 0; i < f->d.list.n; i++)
		if (f->d.list.v[i].code == code)
			return true;
	return false;
}

/* ---- models that together use everything ------------------------------------- */

#define TO(...)	((const char *const[]){ __VA_ARGS__, NULL })

static inline void model_empty(struct fix *f)
{
	fix_enter(f);
}

/* The web and database host: skip, nat, forwards, a source limit, default deny */
static inline void model_web(struct fix *f)
{
	const struct set *igb0 = fix_iface(f, "igb0");
	const struct set *lo = set_union(&f->a, fix_iface(f, "lo0"), fix_iface(f, "lo1"));
	const struct set *ext = fix_net(f, "203.0.113.2/32");
	const struct set *tcp = set_one(&f->a, PROTO_TCP);
	struct rule *r;

	for (int dir = 0; dir < 2; dir++) {
		r = model_add_rule(&f->m, f->entry[dir], fix_at(f, 1, "set skip on lo"));
		rule_test(&f->m, r, F_IFACE, lo);
		rule_decide(r, ruling_pass());
	}
	f->m.skipped = lo;
	fix_enter(f);
	r = fix_xlate(f, f->nat, 2, "nat pass", (struct xlate){
		.kind = XL_SRC, .port = XP_RANDOM, .lo = 50001, .hi = 65535 },
		TO("203.0.113.2"), true);
	rule_test(&f->m, r, F_IFACE, igb0);
	rule_test(&f->m, r, F_SRC, fix_net(f, "192.168.100.0/29"));
	for (uint32_t port = 80; port <= 443; port += 363) {
		r = fix_xlate(f, f->rdr, 3, "rdr pass web", (struct xlate){ .kind = XL_DST },
			      TO("192.168.100.2"), true);
		rule_test(&f->m, r, F_IFACE, igb0);
		rule_test(&f->m, r, F_PROTO, tcp);
		rule_test(&f->m, r, F_DST, ext);
		rule_test(&f->m, r, F_DPORT, fix_num(f, port, port));
	}
	r = fix_xlate(f, f->rdr, 4, "rdr pass db", (struct xlate){ .kind = XL_DST },
		      TO("192.168.100.3"), true);
	rule_test(&f->m, r, F_IFACE, igb0);
	rule_test(&f->m, r, F_PROTO, tcp);
	rule_test(&f->m, r, F_SRC, fix_net(f, "203.0.113.9/32"));
	rule_test(&f->m, r, F_DST, ext);
	rule_test(&f->m, r, F_DPORT, fix_num(f, 3306, 3306));
	r = fix_filter(f, 5, "block in log", ruling_block(), false);
	rule_test(&f->m, r, F_IFACE, igb0);
	rule_test(&f->m, r, F_DIR, set_one(&f->a, DIR_IN));
	rule_log(&f->m, r);
	r = fix_filter(f, 6, "pass out", ruling_keep(), false);
	rule_test(&f->m, r, F_DIR, set_one(&f->a, DIR_OUT));
	rule_test(&f->m, r, F_TCPFLAGS, fix_num(f, TCP_FLAG_SYN, TCP_FLAG_SYN));
	fix_policy(f);
}

/* Every field, in sets of every shape */
static inline void model_fields_all(struct fix *f)
{
	static const struct {
		enum field f;
		const char *set;
	} rows[] = {
		{ F_SRC, "10.0.0.0/8" }, { F_SRC, "10.1.2.0/29" }, { F_SRC, "2001:db8::/32" },
		{ F_DST, "192.0.2.1/32" }, { F_DST, "2001:db8:1:2::/61" },
	};
	struct arena *a = &f->a;
	struct rule *r;
	uint32_t line = 1;

	fix_enter(f);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int not = 0; not < 2; not++) {
			const struct set *s = fix_net(f, rows[i].set);

			r = fix_filter(f, line++, "address", ruling_pass(), false);
			rule_test(&f->m, r, rows[i].f, not ? fix_not(f, s, SET_ADDR) : s);
		}
	r = fix_filter(f, line++, "two nets", ruling_keep(), false);
	rule_test(&f->m, r, F_SRC, set_union(a, fix_net(f, "10.0.0.0/9"), fix_net(f, "fd00::/8")));
	rule_test(&f->m, r, F_SPORT, fix_num(f, 1000, 2000));
	rule_test(&f->m, r, F_DPORT, fix_not(f, fix_num(f, 22, 22), SET_U16));
	r = fix_filter(f, line++, "flags", ruling_keep(), true);
	rule_test(&f->m, r, F_TCPFLAGS, set_union(a, fix_num(f, 2, 5), fix_num(f, 18, 18)));
	r = fix_filter(f, line++, "flags of tcp", ruling_block(), true);
	rule_test(&f->m, r, F_PROTO, set_one(a, PROTO_TCP));
	rule_test(&f->m, r, F_TCPFLAGS, fix_num(f, 18, 18));
	rule_test(&f->m, r, F_DPORT, set_union(a, fix_num(f, 1, 9), fix_num(f, 100, 100)));
	r = fix_filter(f, line++, "icmp", ruling_pass(), true);
	rule_test(&f->m, r, F_ICMP, set_union(a, fix_num(f, 8 << 8, 8 << 8 | 255),
					      fix_num(f, 3 << 8 | 4, 3 << 8 | 6)));
	r = fix_filter(f, line++, "not gre", ruling_pass(), false);
	rule_test(&f->m, r, F_PROTO, fix_not(f, fix_num(f, 47, 47), SET_U8));
	rule_log(&f->m, r);
	r = fix_filter(f, line++, "not esp or ah", ruling_pass(), false);
	rule_test(&f->m, r, F_PROTO, fix_not(f, fix_num(f, 50, 51), SET_U8));
	r = fix_filter(f, line++, "not igb0", ruling_pass(), false);
	rule_test(&f->m, r, F_IFACE, fix_not(f, fix_iface(f, "igb0"), SET_U32));
	rule_test(&f->m, r, F_DST_LOCAL, set_one(a, 1));
	r = fix_filter(f, line++, "on lo0 only", ruling_block(), false);
	rule_test(&f->m, r, F_IFACE, fix_iface(f, "lo0"));
	r = fix_filter(f, line++, "on lo1 only", ruling_block(), false);
	rule_test(&f->m, r, F_IFACE, fix_iface(f, "lo1"));
	r = fix_filter(f, line++, "inet6", ruling_pass(), false);
	rule_test(&f->m, r, F_AF, set_one(a, AF_V6));
}

/* Pools, shifted and random ports, targets that are there already, both families */
static inline void model_nat_all(struct fix *f)
{
	struct arena *a = &f->a;
	struct rule *r;

	fix_enter(f);
	r = fix_xlate(f, f->rdr, 1, "to itself", (struct xlate){ .kind = XL_DST, .port = XP_TO,
		      .lo = 80 }, TO("192.168.100.2", "fd00:100::2"), true);
	rule_test(&f->m, r, F_PROTO, set_one(a, PROTO_TCP));
	rule_test(&f->m, r, F_DPORT, fix_num(f, 80, 81));
	r = fix_xlate(f, f->rdr, 2, "shift", (struct xlate){ .kind = XL_DST, .port = XP_SHIFT,
		      .lo = 8000, .from = 2000 }, TO("192.168.100.3"), false);
	rule_test(&f->m, r, F_PROTO, set_one(a, PROTO_UDP));
	rule_test(&f->m, r, F_DPORT, fix_num(f, 2000, 2005));
	rule_test(&f->m, r, F_SRC, fix_net(f, "198.51.100.0/24"));
	r = fix_xlate(f, f->rdr, 3, "shift in a map", (struct xlate){ .kind = XL_DST,
		      .port = XP_SHIFT, .lo = 8000, .from = 3000 }, TO("fd00:100::2"), false);
	rule_test(&f->m, r, F_PROTO, fix_num(f, PROTO_UDP, PROTO_UDP));
	rule_test(&f->m, r, F_DST, fix_net(f, "2001:db8:a::2/128"));
	rule_test(&f->m, r, F_DPORT, fix_num(f, 3000, 3003));
	r = fix_xlate(f, f->rdr, 4, "pool", (struct xlate){ .kind = XL_DST },
		      TO("192.168.100.2", "192.168.100.3", "10.7.0.9"), true);
	rule_test(&f->m, r, F_AF, set_one(a, AF_V4));
	rule_test(&f->m, r, F_PROTO, set_one(a, PROTO_TCP));
	rule_log(&f->m, r);
	r = model_add_rule(&f->m, f->rdr, fix_at(f, 5, "no rdr"));
	rule_test(&f->m, r, F_SRC, fix_net(f, "10.0.0.0/8"));
	r->exit = EX_RETURN;
	r = fix_xlate(f, f->nat, 6, "random pool", (struct xlate){ .kind = XL_SRC,
		      .pool = POOL_RANDOM, .port = XP_RANDOM, .lo = 1024, .hi = 2047 },
		      TO("203.0.113.2", "203.0.113.3", "2001:db8:a::2"), true);
	rule_test(&f->m, r, F_SRC, set_union(a, fix_net(f, "192.168.100.0/29"),
					     fix_net(f, "fd00:100::/64")));
	fix_xlate(f, f->nat, 7, "static port", (struct xlate){ .kind = XL_SRC },
		  TO("203.0.113.2"), false);
	fix_filter(f, 8, "no state", ruling_pass(), false);
	fix_policy(f);
}

/* Every kind of pool, of both families */
static inline void model_pools(struct fix *f)
{
	struct arena *a = &f->a;
	struct rule *r;

	fix_enter(f);
	r = fix_xlate(f, f->nat, 1, "source-hash", (struct xlate){ .kind = XL_SRC,
		      .pool = POOL_SOURCE_HASH, .seed = 0xfeed },
		      TO("203.0.113.2", "203.0.113.3", "2001:db8:a::2", "2001:db8:a::3"), true);
	rule_test(&f->m, r, F_SRC, set_union(a, fix_net(f, "192.168.100.0/29"),
					     fix_net(f, "fd00:100::/64")));
	r = fix_xlate(f, f->nat, 2, "bitmask", (struct xlate){ .kind = XL_SRC,
		      .pool = POOL_BITMASK, .host_bits = 8, .port = XP_RANDOM, .lo = 1024,
		      .hi = 2047 }, TO("203.0.113.0", "2001:db8:a::"), false);
	rule_test(&f->m, r, F_SRC, set_union(a, fix_net(f, "10.1.0.0/24"),
					     fix_net(f, "fd00:100::/120")));
	r = fix_xlate(f, f->nat, 3, "sticky", (struct xlate){ .kind = XL_SRC, .is_sticky = true },
		      TO("203.0.113.2", "203.0.113.3", "2001:db8:a::2", "2001:db8:a::3"), false);
	rule_test(&f->m, r, F_SRC, set_union(a, fix_net(f, "10.2.0.0/24"),
					     fix_net(f, "fd00:102::/64")));
	r = fix_xlate(f, f->rdr, 4, "bitmask in", (struct xlate){ .kind = XL_DST,
		      .pool = POOL_BITMASK, .host_bits = 4, .port = XP_TO, .lo = 80 },
		      TO("192.168.100.0"), true);
	rule_test(&f->m, r, F_PROTO, set_one(a, PROTO_TCP));
	rule_test(&f->m, r, F_DST, fix_net(f, "203.0.113.64/28"));
	r = fix_xlate(f, f->rdr, 5, "sticky, shifted, round", (struct xlate){ .kind = XL_DST,
		      .pool = POOL_RANDOM, .is_sticky = true, .port = XP_SHIFT, .lo = 80, .hi = 83,
		      .from = 2000 }, TO("192.168.100.2", "192.168.100.3"), true);
	rule_test(&f->m, r, F_PROTO, set_one(a, PROTO_UDP));
	rule_test(&f->m, r, F_DPORT, fix_num(f, 2000, 2010));
	fix_policy(f);
}

/* Answers of all kinds, inbound and outbound */
static inline void model_answers(struct fix *f)
{
	const struct ruling icmp = { .verdict = V_RETURN,
				     .answer = { .icmp4 = 3 << 8 | 13, .icmp6 = -1 } };
	struct rule *r;

	fix_enter(f);
	fix_filter(f, 1, "block return all", ruling_return(), false);
	r = fix_filter(f, 2, "return-icmp", icmp, true);
	rule_test(&f->m, r, F_IFACE, fix_iface(f, "igb0"));
	r = fix_xlate(f, f->nat, 3, "nat", (struct xlate){ .kind = XL_SRC }, TO("203.0.113.2"),
		      false);
	rule_test(&f->m, r, F_SRC, fix_net(f, "192.168.100.0/29"));
}

/* How the rules of a run differ, @i by @i */
typedef void run_fn(struct fix *f, struct rule *r, uint32_t i);

/* A hundred places in lines 1.. and the text "rule I" */
static inline void fix_run(struct fix *f, uint32_t n, bool quick, run_fn *fn)
{
	for (uint32_t i = 0; i < n; i++)
		fn(f, fix_filter(f, 1 + i, arena_printf(&f->a, "rule %u", i),
				 i % 3 == 0 ? ruling_block() : ruling_keep(), quick), i);
}

static inline void run_points(struct fix *f, struct rule *r, uint32_t i)
{
	rule_test(&f->m, r, F_PROTO, set_one(&f->a, PROTO_TCP));
	rule_test(&f->m, r, F_DST, fix_net(f, arena_printf(&f->a, "10.7.0.%u/32", i)));
	rule_test(&f->m, r, F_DPORT, fix_num(f, 80 + i % 4, 80 + i % 4));
}

static inline void run_ranges(struct fix *f, struct rule *r, uint32_t i)
{
	rule_test(&f->m, r, F_IFACE, fix_iface(f, i % 2 == 0 ? "igb0" : "igb1"));
	rule_test(&f->m, r, F_PROTO, set_one(&f->a, PROTO_UDP));
	rule_test(&f->m, r, F_SRC, fix_net(f, arena_printf(&f->a, "fd07:%u::/32", i)));
	rule_test(&f->m, r, F_DPORT, fix_num(f, 1000, 1000 + i));
}

/* An interval map has two keys at least */
static inline void run_alone(struct fix *f, struct rule *r, uint32_t i)
{
	rule_test(&f->m, r, F_SRC, fix_net(f, arena_printf(&f->a, "10.8.%u.0/24", i)));
}

static inline void run_port(struct fix *f, struct rule *r, uint32_t i)
{
	rule_test(&f->m, r, F_PROTO, set_one(&f->a, PROTO_TCP));
	rule_test(&f->m, r, F_DPORT, fix_num(f, i, i));
}

/* Rules that become verdict maps: of points, of ranges, of one key, in each round */
static inline void model_runs(struct fix *f)
{
	fix_enter(f);
	fix_run(f, 20, false, run_points);
	fix_run(f, 12, true, run_ranges);
	fix_run(f, 10, false, run_alone);
	fix_run(f, 9, true, run_port);
}

typedef void model_fn(struct fix *f);

static const struct {
	const char *name;
	model_fn *build;
} test_models[] = {
	{ "empty", model_empty }, { "web", model_web }, { "fields", model_fields_all },
	{ "nat", model_nat_all }, { "pools", model_pools }, { "answers", model_answers },
	{ "runs", model_runs },
};

#endif /* TESTS_TEST_NFT_H */
