/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What comes between a pass and its state: limits, and packets with options.
 *
 * A limit is a chain ahead of the one that keeps the state.  Connections are
 * counted by conntrack, for each source in an element of a dynamic set, which
 * goes when its last connection does; a rate is a bucket of tokens in such an
 * element.  A set of max-src-nodes has room for so many sources and no more.
 * The source of a packet that is over max-src-conn or its rate is put into a
 * set that lookups of the table ask too.
 *
 * Packets with IPv4 options or an IPv6 routing header are dropped where they
 * would be passed, so they are looked at ahead of the states, and by each
 * chain that passes.  A state that lets them through has a bit of its own.
 */
#include "target/nft/directed.h"

#include <linux/netfilter.h>

#define SOURCES_MAX	65536u	/* elements of one set */
#define IP_WORDS	5	/* length of an IPv4 header without options, words of 4 bytes */

static void match_family(struct frame *f, struct nft_stmts *s, uint8_t af)
{
	stmt_match(f->p, s, NFT_K_NFPROTO, false,
		   nft_value_num(NFT_T_NFPROTO, af == AF_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6));
}

static void add_verdict(struct frame *f, struct nft_chain *c, struct nft_stmts *s,
			enum nft_verdict v, const char *chain)
{
	stmt_verdict(f->p, s, v, chain);
	nft_add_rule(f->p, c, s, NULL);
}

/* ---- options --------------------------------------------------------------- */

void directed_if_opts(struct frame *f, struct nft_chain *c, enum nft_verdict v, const char *chain)
{
	struct nft_stmts v4 = { 0 }, v6 = { 0 };

	match_family(f, &v4, AF_V4);
	stmt_match(f->p, &v4, NFT_K_IP_HDRLEN, true, nft_value_num(NFT_T_BYTE, IP_WORDS));
	add_verdict(f, c, &v4, v, chain);
	match_family(f, &v6, AF_V6);
	stmt_match(f->p, &v6, NFT_K_IP6_ROUTE, false, nft_value_num(NFT_T_BOOL, 1));
	add_verdict(f, c, &v6, v, chain);
}

static void add_state(struct frame *f, struct nft_chain *c, bool is_reply, uint32_t bits,
		      bool passes)
{
	struct nft_stmts s = { 0 };

	stmt_match(f->p, &s, NFT_K_CT_DIR, false, nft_value_num(NFT_T_CT_DIR, is_reply));
	stmt_masked(f->p, &s, NFT_K_CT_MARK, bits, bits, false);
	if (passes)
		directed_pass_state(f, &s, (bits & f->leg[DIR_IN]) != 0 ? DIR_IN : DIR_OUT);
	else
		stmt_verdict(f->p, &s, NFT_V_DROP, NULL);
	nft_add_rule(f->p, c, &s, NULL);
}

void directed_opts(struct frame *f, struct nft_chain *c, enum direction dir)
{
	struct nft_chain *own = f->opts_states[dir];

	if (!f->m->drops_opts)
		return;
	if (own == NULL) {
		own = nft_add_chain(f->p, NFT_INET, dir == DIR_IN ? "in_opts" : "out_opts");
		f->opts_states[dir] = own;
		for (int reply = 0; reply < 2; reply++) {
			const int leg = reply != 0 ? 1 - (int)dir : (int)dir;

			if (f->opts[leg] != 0)
				add_state(f, own, reply, f->leg[leg] | f->opts[leg], true);
			add_state(f, own, reply, f->leg[leg], false);
		}
	}
	directed_if_opts(f, c, NFT_V_JUMP, own->name);
}

bool directed_allows_opts(const struct model *m)
{
	for (uint32_t i = 0; i < m->lists.n && m->drops_opts; i++)
		for (uint32_t k = 0; k < m->lists.v[i].rules.n; k++) {
			const struct effect *e = rule_has_effect(&m->lists.v[i].rules.v[k],
								 EF_PREFER);

			if (e != NULL && e->ruling.keep && e->ruling.allow_opts)
				return true;
		}
	return false;
}

/* ---- limits ---------------------------------------------------------------- */

static const uint8_t afs[] = { AF_V4, AF_V6 };

static struct nft_set *source_set(struct frame *f, const char *what, uint8_t af)
{
	const enum nft_type type = af == AF_V4 ? NFT_T_IP4 : NFT_T_IP6;
	struct nft_set *s = nft_add_map(f->p, NFT_INET, what, &type, 1);

	s->is_dynamic = true;
	s->size = SOURCES_MAX;
	return s;
}

/* What is counted of a source, and how it is told apart */
enum counted { COUNT_STATES, COUNT_NODES, COUNT_CONNS, N_COUNTED };

static uint32_t limit_of(const struct state_limit *l, enum counted what)
{
	const uint32_t limits[] = { [COUNT_STATES] = l->max_src_states,
				    [COUNT_NODES] = l->max_src_nodes,
				    [COUNT_CONNS] = l->max_src_conn };

	return limits[what];
}

/* The set in which sources are counted to @limit; limits that say so share it */
static const struct nft_set *counting_set(struct frame *f, enum counted what, uint32_t limit,
					  uint8_t af, bool is_shared)
{
	static const char *const names[] = { "states", "nodes", "conns" };
	struct nft_set *s;

	for (uint32_t i = 0; i < f->sources.n && is_shared; i++)
		if (f->sources.v[i].what == (int)what && f->sources.v[i].limit == limit &&
		    f->sources.v[i].af == af)
			return f->sources.v[i].set;
	s = source_set(f, names[what], af);
	if (what == COUNT_NODES)
		s->size = limit;
	nft_set_seal(s);
	if (is_shared)
		vec_add(f->p->a, &f->sources, ((struct source_set){ (int)what, limit, af, s }));
	return s;
}

static void add_update(struct frame *f, struct nft_stmts *s, uint8_t af, struct nft_lookup l)
{
	l.keys[0] = af == AF_V4 ? NFT_K_IP_SADDR : NFT_K_IP6_SADDR;
	l.n_keys = 1;
	stmt_add(f->p, s, &(struct nft_stmt){ .kind = NFT_S_UPDATE, .lookup = l });
}

/* Count the source of a packet: true if it is over the limit, or of nodes, if it has room */
static void match_count(struct frame *f, struct nft_stmts *s, enum counted what, uint32_t limit,
			uint8_t af, bool is_shared)
{
	struct nft_lookup u = { .is_add = true, .counts_any = what == COUNT_NODES };

	match_family(f, s, af);
	if (what == COUNT_CONNS)
		stmt_match(f->p, s, NFT_K_L4PROTO, false, nft_value_num(NFT_T_PROTO, PROTO_TCP));
	u.count_over = what == COUNT_NODES ? 0 : limit;
	u.set = counting_set(f, what, limit, af, is_shared);
	add_update(f, s, af, u);
}

/* A chain with the number of its limit, so that a reader knows whose counts are in it */
static struct nft_chain *limit_chain(struct frame *f, const char *what, enum direction dir,
				     uint32_t number)
{
	return nft_add_named(f->p, NFT_INET,
			     arena_printf(f->p->a, "%s%u_%s", what, number,
					  dir == DIR_IN ? "in" : "out"));
}

/* A source that is in, or finds room, has one connection at least: more than none */
static const char *nodes_chain(struct frame *f, const struct state_limit *l, enum direction dir,
			       uint32_t number)
{
	struct nft_chain *c = limit_chain(f, "nodes", dir, number);
	struct nft_stmts end = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(afs); i++) {
		struct nft_stmts s = { 0 };

		match_count(f, &s, COUNT_NODES, l->max_src_nodes, afs[i], l->is_global);
		add_verdict(f, c, &s, NFT_V_RETURN, NULL);
	}
	add_verdict(f, c, &end, NFT_V_DROP, NULL);
	return c->name;
}

/* Is this the first of the limits that count together with such a number */
static bool is_first(const struct frame *f, uint32_t n, enum counted what)
{
	for (uint32_t i = 0; i < n; i++)
		if (f->m->limits.v[i].is_global &&
		    limit_of(&f->m->limits.v[i], what) == limit_of(&f->m->limits.v[n], what))
			return false;
	return true;
}

/* What passes here counts for the other limits too that count together */
static void add_others(struct frame *f, struct nft_chain *c, const struct state_limit *l)
{
	for (uint32_t i = 0; i < f->m->limits.n && l->is_global; i++) {
		const struct state_limit *o = &f->m->limits.v[i];

		for (int k = 0; k < N_COUNTED && o->is_global; k++) {
			const uint32_t n = limit_of(o, (enum counted)k);

			if (n == 0 || n == limit_of(l, (enum counted)k) ||
			    !is_first(f, i, (enum counted)k))
				continue;
			for (size_t a = 0; a < ARRAY_SIZE(afs); a++) {
				struct nft_stmts s = { 0 };

				match_count(f, &s, (enum counted)k, n, afs[a], true);
				nft_add_rule(f->p, c, &s, NULL);
			}
		}
	}
}

/* What is over the limit goes here: the source is noted, the packet dropped */
static void add_over(struct frame *f, struct nft_chain *c, struct nft_stmts *s,
		     const struct state_limit *l, uint8_t af)
{
	if (l->grown != 0)
		add_update(f, s, af, (struct nft_lookup){ .is_add = true,
			   .set = nft_grown_set(f->p, f->m, l->grown - 1u, af) });
	add_verdict(f, c, s, NFT_V_DROP, NULL);
}

/* The least unit of nft in which a rate is a whole number, else the longest */
static void set_rate(struct nft_lookup *u, const struct state_limit *l)
{
	static const uint32_t units[] = { 1, 60, 3600, 86400 };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		const uint64_t n = (uint64_t)l->rate * units[i];

		u->rate_unit = units[i];
		u->rate = (uint32_t)MIN(MAX(n / l->seconds, 1u), UINT32_MAX);
		if (n % l->seconds == 0)
			break;
	}
	u->burst = l->rate;
}

static void add_conns(struct frame *f, struct nft_chain *c, const struct state_limit *l,
		      uint8_t af)
{
	const struct nft_value tcp = nft_value_num(NFT_T_PROTO, PROTO_TCP);
	struct nft_lookup u = { 0 };
	struct nft_stmts s = { 0 }, rate = { 0 };
	struct nft_set *set;

	if (l->max_src_conn != 0) {
		match_count(f, &s, COUNT_CONNS, l->max_src_conn, af, l->is_global);
		add_over(f, c, &s, l, af);
	}
	if (l->rate == 0)
		return;
	set_rate(&u, l);
	set = source_set(f, "rates", af);
	/* A bucket is full again by then, as one that is not there */
	set->timeout_ms = (uint64_t)l->seconds * 1000;
	nft_set_seal(set);
	u.set = set;
	match_family(f, &rate, af);
	stmt_match(f->p, &rate, NFT_K_L4PROTO, false, tcp);
	add_update(f, &rate, af, u);
	add_over(f, c, &rate, l, af);
}

const char *directed_limit(struct frame *f, enum direction dir, const struct ruling *r,
			   const char *keep)
{
	const struct state_limit *l = &f->m->limits.v[r->limit - 1];
	struct nft_stmts max = { 0 }, nodes = { 0 }, end = { 0 };
	struct nft_chain *c;

	for (uint32_t i = 0; i < f->limits.n; i++)
		if (f->limits.v[i].limit == r->limit && f->limits.v[i].dir == dir)
			return f->limits.v[i].chain->name;
	c = limit_chain(f, "limit", dir, r->limit);
	vec_add(f->p->a, &f->limits, ((struct limit_chain){ r->limit, dir, c }));
	/* What is dropped for its options takes nobody's place */
	if (f->m->drops_opts && !r->allow_opts)
		directed_if_opts(f, c, NFT_V_DROP, NULL);
	if (l->max != 0) {
		stmt_add(f->p, &max, &(struct nft_stmt){ .kind = NFT_S_COUNT,
			 .count_over = l->max });
		add_verdict(f, c, &max, NFT_V_DROP, NULL);
	}
	if (l->max_src_nodes != 0)
		add_verdict(f, c, &nodes, NFT_V_JUMP, nodes_chain(f, l, dir, r->limit));
	for (size_t i = 0; i < ARRAY_SIZE(afs); i++) {
		struct nft_stmts s = { 0 };

		if (l->max_src_states != 0) {
			match_count(f, &s, COUNT_STATES, l->max_src_states, afs[i], l->is_global);
			add_verdict(f, c, &s, NFT_V_DROP, NULL);
		}
		add_conns(f, c, l, afs[i]);
	}
	add_others(f, c, l);
	add_verdict(f, c, &end, NFT_V_GOTO, keep);
	return c->name;
}
