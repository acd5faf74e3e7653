/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A free state is an element of a dynamic set, keyed by the packet's own
 * addresses and ports at that moment; a packet is looked up as it goes and the
 * other way round.  There is one set for each recording rule, family and
 * protocol with ports, and one for the protocols without: so the set that hits
 * says where to go on.  One map to a label in the packet mark would be one
 * look-up, but overwrites the bits of the mark that are not ours.
 *
 * Sets are named by their rule, not by a count: so they stay, with all that is in
 * them, when other rules come and go.
 *
 * A limit counts flows that the rule does not remember: skipto may lead a packet of
 * one that it does to the rule again, by another rule's state.
 *
 * A hit refreshes the element.  Lifetimes are ipfw's where the flags of one
 * packet tell them: 20 s after a SYN, 1 s after a RST, else 300 s; UDP 10 s,
 * others 5 s, or what the model says.
 */
#include "target/nft/free.h"

#include <linux/netfilter.h>

#define STATES_MAX	65536u	/* elements of one set */

/* How long an element lives, by the flags of the packet */
struct lifetime {
	uint8_t mask;
	uint8_t value;
	enum life life;
};

static const struct lifetime tcp_lives[] = {
	{ TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST, TCP_FLAG_SYN, LIFE_SYN },
	{ TCP_FLAG_RST, TCP_FLAG_RST, LIFE_RST },
	{ 0, 0, LIFE_ACK },
};
static const struct lifetime udp_life = { 0, 0, LIFE_UDP };
static const struct lifetime other_life = { 0, 0, LIFE_OTHER };

static const struct lifetime *lives_of(int32_t proto, uint32_t *n)
{
	*n = proto == PROTO_TCP ? ARRAY_SIZE(tcp_lives) : 1;
	return proto == PROTO_TCP ? tcp_lives : proto == PROTO_UDP ? &udp_life : &other_life;
}

static uint32_t life_ms(const struct free_frame *f, const struct lifetime *life)
{
	static const uint32_t usual_s[N_LIVES] = {
		[LIFE_SYN] = 20, [LIFE_ACK] = 300, [LIFE_RST] = 1, [LIFE_UDP] = 10,
		[LIFE_OTHER] = 5,
	};
	const uint32_t own_s = f->m->lives_s[life->life];

	return 1000 * (own_s != 0 ? own_s : usual_s[life->life]);
}

/* The longest life of a kind: of elements that are given none */
static uint32_t longest_ms(const struct free_frame *f, int32_t proto)
{
	uint32_t n, most = 0;
	const struct lifetime *lives = lives_of(proto, &n);

	for (uint32_t i = 0; i < n; i++)
		most = MAX(most, life_ms(f, &lives[i]));
	return most;
}

static struct nft_lookup key_of(const struct free_state *st, bool reversed)
{
	const bool v4 = st->af == AF_V4;
	const enum nft_key src = v4 ? NFT_K_IP_SADDR : NFT_K_IP6_SADDR;
	const enum nft_key dst = v4 ? NFT_K_IP_DADDR : NFT_K_IP6_DADDR;
	struct nft_lookup l = { .set = st->set };

	if (st->proto < 0)
		l.keys[l.n_keys++] = NFT_K_L4PROTO;
	l.keys[l.n_keys++] = reversed ? dst : src;
	l.keys[l.n_keys++] = reversed ? src : dst;
	if (st->proto < 0)
		return l;
	l.keys[l.n_keys++] = reversed ? NFT_K_DPORT : NFT_K_SPORT;
	l.keys[l.n_keys++] = reversed ? NFT_K_SPORT : NFT_K_DPORT;
	return l;
}

static struct nft_lookup limit_key(const struct free_state *st)
{
	static const enum nft_key keys[2][4] = {
		{ NFT_K_IP_SADDR, NFT_K_SPORT, NFT_K_IP_DADDR, NFT_K_DPORT },
		{ NFT_K_IP6_SADDR, NFT_K_SPORT, NFT_K_IP6_DADDR, NFT_K_DPORT },
	};
	static const uint8_t by[] = { LIMIT_SRC_ADDR, LIMIT_SRC_PORT, LIMIT_DST_ADDR,
				      LIMIT_DST_PORT };
	struct nft_lookup l = { .set = st->limit, .count_over = st->e->limit };

	if (st->proto < 0)
		l.keys[l.n_keys++] = NFT_K_L4PROTO;
	for (size_t i = 0; i < ARRAY_SIZE(by); i++)
		if ((st->e->limit_by & by[i]) != 0 && (st->proto >= 0 || i % 2 == 0))
			l.keys[l.n_keys++] = keys[st->af == AF_V4 ? 0 : 1][i];
	return l;
}

/* "PROTOCOL FAMILY RULE": what a set remembers */
static const char *remembers(struct free_frame *f, const struct origin *o, uint8_t af,
			     int32_t proto)
{
	return arena_printf(f->p->a, "%d %u %s", proto, af == AF_V4 ? 4u : 6u,
			    o->text != NULL ? o->text : "");
}

/* Rules made of one share what they count */
static const struct nft_set *declare_limit(struct free_frame *f, const struct free_state *st)
{
	const struct nft_lookup l = limit_key(st);
	enum nft_type types[NFT_KEYS_MAX] = { 0 };
	struct nft_set *set;

	if (st->e->limit == 0)
		return NULL;
	for (uint32_t i = 0; i < f->states.n; i++)
		if (f->states.v[i].cont == st->cont && f->states.v[i].af == st->af &&
		    f->states.v[i].proto == st->proto)
			return f->states.v[i].limit;
	for (uint8_t i = 0; i < l.n_keys; i++)
		types[i] = nft_keys[l.keys[i]].type;
	set = nft_add_map(f->p, NFT_INET, "limits", types, l.n_keys);
	nft_set_remembers(f->p, set, "limits", remembers(f, &st->r->origin, st->af, st->proto));
	set->is_dynamic = true;
	set->size = STATES_MAX;
	nft_set_seal(set);
	return set;
}

static void declare_set(struct free_frame *f, const struct rule *r, const struct effect *e,
			uint8_t af, int32_t proto)
{
	const enum nft_type addr = af == AF_V4 ? NFT_T_IP4 : NFT_T_IP6;
	const enum nft_type with[] = { addr, addr, NFT_T_PORT, NFT_T_PORT };
	const enum nft_type without[] = { NFT_T_PROTO, addr, addr };
	struct nft_set *set = nft_add_map(f->p, NFT_INET, "states", proto < 0 ? without : with,
					  proto < 0 ? 3 : 4);
	struct free_state st;

	nft_set_remembers(f->p, set, "states", remembers(f, &r->origin, af, proto));
	set->is_dynamic = true;
	set->timeout_ms = longest_ms(f, proto);
	set->size = STATES_MAX;
	nft_set_seal(set);
	st = (struct free_state){ r, e->list, e->name, af, proto, set, NULL, e };
	st.limit = declare_limit(f, &st);
	vec_add(f->p->a, &f->states, st);
}

static bool tests_allow(const struct rule *r, enum field field, uint32_t v)
{
	const struct set *s = rule_tests(r, field);

	return s == NULL || set_has(s, AF_NONE, v);
}

/* Addresses of the other family alone: such a rule remembers nothing of this one */
static bool addrs_allow(const struct rule *r, enum field field, uint8_t af)
{
	const struct set *s = rule_tests(r, field);

	return s == NULL || (set_families(s) & (af == AF_V4 ? SET_HAS_V4 : SET_HAS_V6)) != 0;
}

static void declare_rule(struct free_frame *f, const struct rule *r, const struct effect *e)
{
	static const uint8_t afs[] = { AF_V4, AF_V6 };

	for (uint32_t i = 0; i < ARRAY_SIZE(afs); i++) {
		bool has_others = false;

		if (!tests_allow(r, F_AF, afs[i]) || !addrs_allow(r, F_SRC, afs[i]) ||
		    !addrs_allow(r, F_DST, afs[i]))
			continue;
		for (uint32_t proto = 0; proto <= UINT8_MAX; proto++) {
			if (!tests_allow(r, F_PROTO, proto))
				continue;
			if (proto_has_ports((uint8_t)proto))
				declare_set(f, r, e, afs[i], (int32_t)proto);
			else
				has_others = true;
		}
		if (has_others && rule_tests(r, F_SPORT) == NULL && rule_tests(r, F_DPORT) == NULL)
			declare_set(f, r, e, afs[i], -1);
	}
}

bool free_declare_states(struct free_frame *f)
{
	for (uint32_t l = 0; l < f->m->lists.n; l++)
		for (uint32_t i = 0; i < f->m->lists.v[l].rules.n; i++) {
			const struct rule *r = &f->m->lists.v[l].rules.v[i];
			const struct effect *e = rule_has_effect(r, EF_RECORD);

			if (e == NULL)
				continue;
			BUG_IF(e->limit != 0 && e->limit_by == 0);
			if (e->limit != 0)
				diag_add(f->d, DIAG_W1708, r->origin.at,
					 "the limit counts connections as long as Linux remembers "
					 "them, which is longer than ipfw does");
			declare_rule(f, r, e);
		}
	return true;
}

static void add_lifetime(struct free_frame *f, struct nft_stmts *s, const struct lifetime *life)
{
	if (life->mask != 0)
		stmt_masked(f->p, s, NFT_K_TCP_FLAGS, life->mask, life->value, false);
}

static void add_update(struct free_frame *f, struct nft_stmts *s, const struct free_state *st,
		       const struct lifetime *life, bool reversed)
{
	struct nft_stmt up = { .kind = NFT_S_UPDATE, .lookup = key_of(st, reversed) };

	up.lookup.timeout_ms = life_ms(f, life);
	stmt_add(f->p, s, &up);
}

/* The packets of one kind, narrowed from a rule's own tests */
static struct nft_tests tests_of_state(struct free_frame *f, const struct rule *r,
				       const struct free_state *st)
{
	struct arena *a = f->p->a;
	const struct nft_tests own = nft_tests_of(r);
	struct nft_tests kind = { 0 };
	struct ranges rs = { 0 };

	kind.f[F_AF] = set_one(a, st->af);
	for (uint32_t proto = 0; proto <= UINT8_MAX; proto++)
		if (st->proto < 0 ? !proto_has_ports((uint8_t)proto) : st->proto == (int32_t)proto)
			ranges_add(a, &rs, AF_NONE, proto, proto);
	kind.f[F_PROTO] = set_make(a, &rs);
	return nft_tests_and(a, &own, &kind);
}

/* Not of a flow that the rule, or one made of the same, remembers: that has been counted */
static void add_not_there(struct free_frame *f, struct nft_stmts *s, const struct free_state *of)
{
	for (uint32_t i = 0; i < f->states.n; i++) {
		const struct free_state *st = &f->states.v[i];
		struct nft_stmt out = { .kind = NFT_S_LOOKUP, .lookup = key_of(st, false) };

		out.lookup.is_not = true;
		if (st->cont == of->cont && st->af == of->af && st->proto == of->proto)
			stmt_add(f->p, s, &out);
	}
}

/* One connection more than the limit is refused */
static void add_limit(struct free_frame *f, struct nft_chain *c, const struct free_state *st,
		      const struct nft_stmts *pre, const struct nft_stmts *alt)
{
	struct nft_stmt count = { .kind = NFT_S_UPDATE, .lookup = limit_key(st) };
	struct nft_stmts s = { 0 };

	stmts_append(f->p, &s, pre);
	stmts_append(f->p, &s, alt);
	add_not_there(f, &s, st);
	stmt_add(f->p, &s, &count);
	stmt_counter(f->p, &s);
	stmt_verdict(f->p, &s, NFT_V_DROP, NULL);
	nft_add_rule(f->p, c, &s, &st->r->origin);
}

static bool record_kind(struct free_frame *f, struct nft_chain *c, const struct nft_view *v,
			const struct free_state *st, const struct nft_stmts *pre,
			const struct nft_stmts *end)
{
	const struct nft_tests t = tests_of_state(f, st->r, st);
	struct nft_alts alts = { 0 };
	uint32_t n;
	const struct lifetime *lives = lives_of(st->proto, &n);

	if (!nft_match(v, &t, st->r->origin.at, &alts))
		return false;
	for (uint32_t i = 0; i < alts.list.n && st->limit != NULL; i++)
		add_limit(f, c, st, pre, &alts.list.v[i]);
	for (uint32_t i = 0; i < alts.list.n; i++)
		for (uint32_t j = 0; j < n; j++) {
			struct nft_stmts s = { 0 };

			stmts_append(f->p, &s, pre);
			stmts_append(f->p, &s, &alts.list.v[i]);
			add_lifetime(f, &s, &lives[j]);
			stmt_counter(f->p, &s);
			add_update(f, &s, st, &lives[j], false);
			stmts_append(f->p, &s, end);
			nft_add_rule(f->p, c, &s, &st->r->origin);
		}
	return true;
}

bool free_record(struct free_frame *f, struct nft_chain *c, const struct nft_view *v,
		 const struct rule *r, const struct nft_stmts *pre, const struct nft_stmts *end)
{
	for (uint32_t i = 0; i < f->states.n; i++)
		if (f->states.v[i].r == r && !record_kind(f, c, v, &f->states.v[i], pre, end))
			return false;
	return true;
}

static void probe_state(struct free_frame *f, struct nft_chain *c, const struct free_state *st,
			const char *cont, bool reversed)
{
	uint32_t n;
	const struct lifetime *lives = lives_of(st->proto, &n);

	for (uint32_t i = 0; i < n; i++) {
		struct nft_stmt in = { .kind = NFT_S_LOOKUP, .lookup = key_of(st, reversed) };
		struct nft_stmts s = { 0 };

		stmt_match(f->p, &s, NFT_K_NFPROTO, false,
			   nft_value_num(NFT_T_NFPROTO,
					 st->af == AF_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6));
		if (st->proto >= 0)
			stmt_match(f->p, &s, NFT_K_L4PROTO, false,
				   nft_value_num(NFT_T_PROTO, (u128)st->proto));
		add_lifetime(f, &s, &lives[i]);
		stmt_add(f->p, &s, &in);
		add_update(f, &s, st, &lives[i], reversed);
		stmt_verdict(f->p, &s, NFT_V_GOTO, cont);
		nft_add_rule(f->p, c, &s, &st->r->origin);
	}
}

struct nft_chain *free_probe_chain(struct free_frame *f, const struct place_key *at,
				   uint32_t name)
{
	struct nft_chain *c;

	for (uint32_t i = 0; i < f->probes.n; i++)
		if (f->probes.v[i].dir == at->dir && f->probes.v[i].phase == at->phase &&
		    f->probes.v[i].on == at->on && f->probes.v[i].are == at->are &&
		    f->probes.v[i].name == name)
			return f->probes.v[i].chain;
	c = nft_add_chain(f->p, NFT_INET, at->dir == DIR_IN ? "in_states" : "out_states");
	vec_add(f->p->a, &f->probes,
		((struct free_probe){ at->dir, at->phase, at->on, at->are, name, c }));
	for (uint32_t i = 0; i < f->states.n; i++) {
		const struct free_state *st = &f->states.v[i];
		const struct place_key to = { st->cont, 0, at->dir, at->phase, true, name, at->on,
					      at->are };
		const char *cont;

		if (name != 0 && st->name != name)
			continue;
		cont = free_chain_of(f, to)->name;
		probe_state(f, c, st, cont, false);
		probe_state(f, c, st, cont, true);
	}
	return c;
}
