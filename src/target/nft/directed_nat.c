/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A called list of translations is a chain that is jumped to, so that "no rdr"
 * is `return`.  The first match counts; runs of plain forwards are one map
 * (nat_run.c).
 *
 * A translation with `pass` sets the bit of the leg in ct's mark, and the
 * filter then finds a state.  One that changes nothing is none: what is there
 * already is let go before, where it would make a difference.
 *
 * nft wants one protocol before it maps a port, so a rule is repeated for each
 * protocol with ports.  Pools are in nat_pool.c.
 */
#include "target/nft/directed.h"

#include <linux/netfilter.h>
#include <string.h>

#define POOL_MAX	1024u
#define STICKY_MAX	256u	/* a set for each address */

/* The lowering of one translation */
struct nat_rule {
	struct frame *f;
	struct nft_chain *c;
	const struct nft_view *v;
	const struct rule *r;
	const struct xlate *x;
	uint32_t bits;
	const struct nft_set *by;	/* says the address, and counts; or NULL */
	bool is_guard;			/* nothing is translated, so nothing is tagged */
	enum nft_verdict unchanged;	/* what becomes of what it leaves as it is */
};

static bool refuse(const struct nat_rule *n, const char *what)
{
	diag_add(n->f->d, DIAG_E1701, n->r->origin.at, "%s cannot be expressed in nftables", what);
	return false;
}

bool nat_rule_passes(const struct rule *r)
{
	return r->exit == EX_DECIDE && r->ruling.verdict == V_PASS;
}

/* Tests narrowed to some numbers of a field */
static struct nft_tests narrowed(struct arena *a, const struct nft_tests *t, enum field f,
				 const struct set *in)
{
	struct nft_tests only = { 0 };

	only.f[f] = in;
	return nft_tests_and(a, t, &only);
}

static const struct set *port_protos(struct arena *a)
{
	struct ranges rs = { 0 };

	for (uint32_t proto = 0; proto <= UINT8_MAX; proto++)
		if (proto_has_ports((uint8_t)proto))
			ranges_add(a, &rs, AF_NONE, proto, proto);
	return set_make(a, &rs);
}

static const struct set *icmp_protos(struct arena *a)
{
	return set_union(a, set_one(a, PROTO_ICMP), set_one(a, PROTO_ICMP6));
}

/* May a shift, which starts again behind @hi, leave a port as it is */
static bool shift_keeps(const struct xlate *x)
{
	return x->hi < x->lo ? x->from == x->lo : (x->from - x->lo) % (x->hi - x->lo + 1) == 0;
}

/* Addresses that a translation to @to gives, and so may leave as they are */
static const struct set *target_set(struct arena *a, const struct xlate *x, struct addr to)
{
	const struct prefix p = { to, (uint8_t)(addr_bits(to.af) - x->host_bits) };

	return x->pool == POOL_BITMASK ? set_prefix(a, p) : set_addr(a, to);
}

bool nat_rule_pinned(struct frame *f, const struct nft_tests *t, const struct xlate *x,
		     struct addr to, struct nft_tests *ret)
{
	struct arena *a = f->p->tmp;
	const enum field addr = x->kind == XL_DST ? F_DST : F_SRC;
	const enum field port = x->kind == XL_DST ? F_DPORT : F_SPORT;
	const struct set *ports, *protos;
	const struct set *targets = target_set(a, x, to);

	if (t->f[addr] != NULL && !set_overlaps(t->f[addr], targets))
		return false;
	ports = port_protos(a);
	protos = t->f[F_PROTO] != NULL ? t->f[F_PROTO] : set_all(a, SET_U8);
	*ret = narrowed(a, t, addr, targets);
	if (t->f[F_SPORT] != NULL || t->f[F_DPORT] != NULL)
		protos = set_intersect(a, protos, ports);
	if (x->port == XP_KEEP)
		return true;
	if (x->port == XP_SHIFT && shift_keeps(x)) {
		if (x->hi >= x->lo)
			*ret = narrowed(a, ret, port, set_range(a, AF_NONE, x->lo, x->hi));
		return !set_is_empty(protos);
	}
	if (x->port == XP_TO && set_is_subset(protos, ports)) {
		*ret = narrowed(a, ret, port, set_one(a, x->lo));
		return !set_is_empty(ret->f[port]);
	}
	protos = set_minus(a, protos, ports, SET_U8);
	if (x->port == XP_RANDOM && x->kind == XL_SRC)
		protos = set_minus(a, protos, icmp_protos(a), SET_U8);
	*ret = narrowed(a, ret, F_PROTO, protos);
	return !set_is_empty(ret->f[F_PROTO]);
}

/* The ways in which a rule matches; of one that ends, before that */
static bool match(const struct nat_rule *n, const struct nft_tests *t, struct nft_alts *alts)
{
	if (!nft_match(n->v, t, n->r->origin.at, alts))
		return false;
	for (uint32_t i = 0; i < alts->list.n && n->r->until_s != 0; i++)
		stmt_add(n->f->p, &alts->list.v[i], &(struct nft_stmt){
			 .kind = NFT_S_BEFORE, .before_s = (uint64_t)n->r->until_s });
	return true;
}

static bool add_exit(const struct nat_rule *n, struct nft_chain *c, const struct nft_tests *t,
		     enum nft_verdict verdict)
{
	struct nft_alts alts = { 0 };

	if (!match(n, t, &alts))
		return false;
	for (uint32_t i = 0; i < alts.list.n; i++) {
		if (!n->is_guard)
			directed_tag(n->f, &alts.list.v[i], n->r);
		stmt_verdict(n->f->p, &alts.list.v[i], verdict, NULL);
		nft_add_rule(n->f->p, c, &alts.list.v[i], &n->r->origin);
	}
	return true;
}

/* What comes before the translation in its rule */
static void add_effects(const struct nat_rule *n, struct nft_stmts *s)
{
	if (n->by != NULL)
		return;
	stmt_counter(n->f->p, s);
	directed_tag(n->f, s, n->r);
	if (rule_has_effect(n->r, EF_LOG) != NULL)
		directed_log(n->f, s, &n->r->origin, n->x->kind == XL_DST ? "rdr" : "nat");
	if (n->bits != 0)
		stmt_mark(n->f->p, s, NFT_K_CT_MARK, UINT32_MAX, n->bits);
}

static void add_nat(const struct nat_rule *n, struct nft_stmts *s, const struct nft_tests *t,
		    struct addr to, const struct xlate *ports)
{
	struct nft_nat nat = { .is_dst = n->x->kind == XL_DST, .to = to, .by = n->by,
			       .host_bits = n->x->pool == POOL_BITMASK ? n->x->host_bits : 0 };

	if (ports != NULL && ports->port == XP_SHIFT) {
		stmt_add(n->f->p, s, &(struct nft_stmt){ .kind = NFT_S_NAT_MAP, .lookup = {
			.keys = { NFT_K_L4PROTO, NFT_K_DPORT }, .n_keys = 2, .is_dst = true,
			.af = to.af, .set = directed_shift(n->f, n->x, to, t->f[F_PROTO],
							   t->f[F_DPORT]) } });
		return;
	}
	if (ports != NULL) {
		nat.lo = ports->lo;
		nat.hi = ports->port == XP_RANDOM ? ports->hi : ports->lo;
		nat.is_random = ports->port == XP_RANDOM;
	}
	stmt_add(n->f->p, s, &(struct nft_stmt){ .kind = NFT_S_NAT, .nat = nat });
}

/* nft wants to know family and protocol in the chain where it maps a port */
static void match_known(const struct nat_rule *n, struct nft_stmts *s, const struct nft_tests *t,
			struct addr to, const struct xlate *ports)
{
	stmt_match(n->f->p, s, NFT_K_NFPROTO, false,
		   nft_value_num(NFT_T_NFPROTO, to.af == AF_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6));
	if (ports != NULL && ports->port != XP_SHIFT)
		stmt_match(n->f->p, s, NFT_K_L4PROTO, false,
			   nft_value_num(NFT_T_PROTO, t->f[F_PROTO]->r[0].lo));
}

static void add_translation(const struct nat_rule *n, struct nft_chain *c, struct nft_stmts *s,
			    const struct nft_tests *t, struct addr to, const struct xlate *ports)
{
	add_effects(n, s);
	add_nat(n, s, t, to, ports);
	nft_add_rule(n->f->p, c, s, n->by != NULL ? NULL : &n->r->origin);
}

/* What a packet that gets @to meets, in a chain of its own */
static bool fill_member(const struct nat_rule *n, struct nft_chain *member,
			const struct nft_tests *t, struct addr to, const struct xlate *ports)
{
	struct nft_tests pinned;
	struct nft_stmts own = { 0 };

	if (n->x->is_sticky) {
		struct nft_stmts stick = { 0 };

		match_known(n, &stick, t, to, NULL);
		stmt_add(n->f->p, &stick, &(struct nft_stmt){ .kind = NFT_S_UPDATE, .lookup = {
			.keys = { to.af == AF_V4 ? NFT_K_IP_SADDR : NFT_K_IP6_SADDR },
			.n_keys = 1, .set = directed_sticky(n->f, n->r, n->x, to) } });
		nft_add_rule(n->f->p, member, &stick, &n->r->origin);
	}
	if (n->bits != 0 && nat_rule_pinned(n->f, t, n->x, to, &pinned)) {
		pinned.f[F_IFACE] = NULL;
		/* `return` goes behind the jump to the list, as goto leaves no trace */
		if (!add_exit(n, member, &pinned, n->unchanged))
			return false;
	}
	match_known(n, &own, t, to, ports);
	add_translation(n, member, &own, t, to, ports);
	return true;
}

/* May the translation stand in the rule that draws it */
static bool is_plain_member(const struct nat_rule *n, const struct nft_tests *t, struct addr to)
{
	struct nft_tests pinned;

	return !n->x->is_sticky && n->x->pool != POOL_SOURCE_HASH &&
	       (n->bits == 0 || !nat_rule_pinned(n->f, t, n->x, to, &pinned));
}

/* Packets whose source has an address already */
static void add_stuck(const struct nat_rule *n, struct nft_chain *pool, struct addr to,
		      const struct nft_chain *member)
{
	struct nft_stmts s = { 0 };

	stmt_match(n->f->p, &s, NFT_K_NFPROTO, false,
		   nft_value_num(NFT_T_NFPROTO, to.af == AF_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6));
	stmt_in(n->f->p, &s, to.af == AF_V4 ? NFT_K_IP_SADDR : NFT_K_IP6_SADDR, false,
		directed_sticky(n->f, n->r, n->x, to));
	stmt_verdict(n->f->p, &s, NFT_V_GOTO, member->name);
	nft_add_rule(n->f->p, pool, &s, &n->r->origin);
}

/* The members of a pool, each with what packets that get it go through */
static bool fill_pool(const struct nat_rule *n, struct nft_chain *pool, const struct nft_tests *t,
		      const struct addr *to, uint32_t n_to, const struct xlate *ports)
{
	struct nft_chain **members = arena_array(n->f->p->a, struct nft_chain *, n_to);

	for (uint32_t i = 0; i < n_to; i++) {
		if (is_plain_member(n, t, to[i]))
			continue;
		members[i] = nft_add_chain(n->f->p, NFT_INET, "member");
		if (!fill_member(n, members[i], t, to[i], ports))
			return false;
	}
	for (uint32_t i = 0; n->x->is_sticky && i < n_to; i++)
		add_stuck(n, pool, to[i], members[i]);
	for (uint32_t i = 0; i < n_to; i++) {
		struct nft_stmts s = { 0 };

		directed_pool(n->f, n->x, to, n_to, i, &s);
		if (members[i] == NULL) {
			match_known(n, &s, t, to[i], ports);
			add_translation(n, pool, &s, t, to[i], ports);
			continue;
		}
		stmt_verdict(n->f->p, &s, NFT_V_GOTO, members[i]->name);
		nft_add_rule(n->f->p, pool, &s, &n->r->origin);
	}
	return true;
}

static bool add_pool(const struct nat_rule *n, struct nft_stmts *s, const struct nft_tests *t,
		     const struct addr *to, uint32_t n_to, const struct xlate *ports)
{
	struct nft_chain *pool;

	if (n_to == 1) {
		add_translation(n, n->c, s, t, to[0], ports);
		return true;
	}
	if (n_to > POOL_MAX)
		return refuse(n, "a pool of more than 1024 addresses");
	if (n->x->is_sticky && n_to > STICKY_MAX)
		return refuse(n, "a sticky pool of more than 256 addresses");
	pool = nft_add_chain(n->f->p, NFT_INET, "pool");
	stmt_verdict(n->f->p, s, NFT_V_GOTO, pool->name);
	nft_add_rule(n->f->p, n->c, s, &n->r->origin);
	return fill_pool(n, pool, t, to, n_to, ports);
}

static bool add_protos(const struct nat_rule *n, const struct nft_tests *t,
		       const struct set *protos, const struct addr *to, uint32_t n_to,
		       const struct xlate *ports)
{
	const struct nft_tests narrow = protos == NULL ? *t
					: narrowed(n->f->p->tmp, t, F_PROTO, protos);
	struct nft_alts alts = { 0 };

	if (!match(n, &narrow, &alts))
		return false;
	for (uint32_t i = 0; i < alts.list.n; i++)
		if (!add_pool(n, &alts.list.v[i], &narrow, to, n_to, ports))
			return false;
	return true;
}

/* One rule for each protocol of @protos that the tests allow */
static bool add_each_proto(const struct nat_rule *n, const struct nft_tests *t,
			   const struct set *protos, const struct addr *to, uint32_t n_to,
			   const struct xlate *ports)
{
	struct arena *a = n->f->p->tmp;

	for (uint32_t proto = 0; proto <= UINT8_MAX; proto++)
		if (set_has(protos, AF_NONE, proto) &&
		    (t->f[F_PROTO] == NULL || set_has(t->f[F_PROTO], AF_NONE, proto)) &&
		    !add_protos(n, t, set_one(a, proto), to, n_to, ports))
			return false;
	return true;
}

static const struct set *protos_of(struct arena *a, const struct nft_tests *t)
{
	return t->f[F_PROTO] != NULL ? t->f[F_PROTO] : set_all(a, SET_U8);
}

/* One family's targets */
static bool add_targets(const struct nat_rule *n, const struct nft_tests *t,
			const struct addr *to, uint32_t n_to)
{
	struct arena *a = n->f->p->tmp;
	const struct set *ports = port_protos(a), *icmps = icmp_protos(a);
	const struct xlate ids = { .port = XP_RANDOM, .lo = 1, .hi = UINT16_MAX };
	struct nft_tests pinned;

	if (n_to == 1 && n->bits != 0 && nat_rule_pinned(n->f, t, n->x, to[0], &pinned) &&
	    !add_exit(n, n->c, &pinned, n->unchanged))
		return false;
	if (n->x->port == XP_KEEP)
		return add_protos(n, t, NULL, to, n_to, NULL);
	if (n->x->port == XP_SHIFT) {
		const struct set *both = set_intersect(a, protos_of(a, t), ports);

		if (n->x->kind != XL_DST)
			return refuse(n, "a shift of source ports");
		if (!set_is_empty(both) && !add_protos(n, t, both, to, n_to, n->x))
			return false;
	}
	if (n->x->port != XP_SHIFT && !add_each_proto(n, t, ports, to, n_to, n->x))
		return false;
	if (n->x->port == XP_RANDOM && n->x->kind == XL_SRC) {
		if (!add_each_proto(n, t, set_one(a, to[0].af == AF_V4 ? PROTO_ICMP : PROTO_ICMP6),
				    to, n_to, &ids))
			return false;
		ports = set_union(a, ports, icmps);
	}
	ports = set_minus(a, protos_of(a, t), ports, SET_U8);
	return set_is_empty(ports) || add_protos(n, t, ports, to, n_to, NULL);
}

/* Each family by itself: its targets, or no translation if it has none */
static bool add_xlate(const struct nat_rule *n, const struct nft_tests *t)
{
	static const uint8_t afs[] = { AF_V4, AF_V6 };
	struct arena *a = n->f->p->tmp;

	for (uint32_t i = 0; i < ARRAY_SIZE(afs); i++) {
		struct nft_tests own = narrowed(a, t, F_AF, set_one(a, afs[i]));
		struct addr *to = arena_array(a, struct addr, n->x->to.n);
		uint32_t n_to = 0;

		for (uint32_t j = 0; j < n->x->to.n; j++)
			if (n->x->to.v[j].af == afs[i])
				to[n_to++] = n->x->to.v[j];
		if (set_is_empty(own.f[F_AF]))
			continue;
		if (n_to == 0 ? !add_exit(n, n->c, &own, n->unchanged)
			      : !add_targets(n, &own, to, n_to))
			return false;
	}
	return true;
}

/* What becomes of a packet that a translation leaves as it is */
static bool set_unchanged(struct nat_rule *n, uint32_t list)
{
	const struct model *m = n->f->m;

	n->unchanged = NFT_V_ACCEPT;
	if (list == LIST_NONE || list == n->f->sides[DIR_IN].filter_list ||
	    list == n->f->sides[DIR_OUT].filter_list)
		return true;
	n->unchanged = NFT_V_RETURN;
	return m->lists.v[list].rules.n == 0 ||
	       refuse(n, "a translation that goes elsewhere when it changes nothing");
}

static bool lower_translation(struct frame *f, struct nft_chain *c, const struct nft_view *v,
			      const struct rule *r, uint32_t bits)
{
	const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
	const struct xlate *x = &f->m->xlates.v[e->xlate];
	struct nat_rule n = {
		.f = f, .c = c, .v = v, .r = r, .x = x,
		.bits = nat_rule_passes(r) ? bits | directed_mend_bits(f, r, bits) : 0,
	};
	const struct nft_tests t = nft_tests_of(r);
	const bool is_out = f->leg[DIR_OUT] == bits;

	if (x->kind != (is_out ? XL_SRC : XL_DST))
		return refuse(&n, is_out ? "a redirection of outbound packets"
					 : "a source translation of inbound packets");
	if (r->exit == EX_CALL || r->exit == EX_SETTLE ||
	    (r->exit == EX_DECIDE && !nat_rule_passes(r)))
		return refuse(&n, "a translation with this verdict");
	return set_unchanged(&n, e->list) && add_xlate(&n, &t);
}

/* What all rules of a run test, and then the map */
static bool lower_sources(struct frame *f, struct nft_chain *c, const struct nft_view *v,
			  const struct rule *first, const struct source_run *run)
{
	const struct effect *e = rule_has_effect(first, EF_TRANSLATE);
	struct nat_rule n = { .f = f, .c = c, .v = v, .r = first, .x = &f->m->xlates.v[e->xlate],
			      .by = run->map };
	struct nft_tests t = nft_tests_of(first);

	t = narrowed(f->p->tmp, &t, F_AF, set_one(f->p->tmp, n.x->to.v[0].af));
	t.f[F_SRC] = NULL;
	return set_unchanged(&n, e->list) && add_targets(&n, &t, n.x->to.v, 1);
}

/* The tag that a call of another list gives */
static bool add_tag(const struct nat_rule *n, const struct nft_tests *t)
{
	struct nft_alts alts = { 0 };

	if (n->is_guard || !directed_writes(n->f, n->r))
		return true;
	if (!nft_match(n->v, t, n->r->origin.at, &alts))
		return false;
	for (uint32_t i = 0; i < alts.list.n; i++) {
		directed_tag(n->f, &alts.list.v[i], n->r);
		nft_add_rule(n->f->p, n->c, &alts.list.v[i], &n->r->origin);
	}
	return true;
}

/* A rule without translation: "no rdr", or another list */
static bool lower_other(struct frame *f, struct nft_chain *c, const struct nft_view *v,
			const struct rule *r, uint32_t bits, bool guard)
{
	/* Where the filter is judged ahead of translation it sees the tags of these rules */
	const struct nat_rule n = { .f = f, .c = c, .v = v, .r = r,
				    .is_guard = guard && f->decided == 0 };
	const struct nat_call call = { nft_tests_of(r), r->list, r->origin.at };

	if (r->exit == EX_CALL)
		return add_tag(&n, &call.t) && directed_nat(f, c, v, &call, bits, guard);
	if (r->exit == EX_NEXT && r->effects.n == 0)
		return true;
	if (r->exit == EX_RETURN)
		return add_exit(&n, c, &call.t, NFT_V_RETURN);
	if (r->exit == EX_GOTO)
		return add_exit(&n, c, &call.t, guard ? NFT_V_RETURN : NFT_V_ACCEPT);
	return refuse(&n, "a rule among translations that decides");
}

/* The map of a run, in a chain that knows whether it hit: a hit does not come back */
static bool lower_run(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		      const struct nat_run *run, uint32_t bits)
{
	static const enum nft_key keys[2][3] = {
		{ NFT_K_L4PROTO, NFT_K_IP_DADDR, NFT_K_DPORT },
		{ NFT_K_L4PROTO, NFT_K_IP6_DADDR, NFT_K_DPORT },
	};
	struct nft_chain *own = nft_add_chain(f->p, NFT_INET, "forwards");
	struct nft_stmts set = { 0 }, clear = { 0 };
	struct nft_alts alts = { 0 };

	if (!nft_match(v, &run->t, SPAN_NONE, &alts))
		return false;
	for (uint32_t i = 0; i < alts.list.n; i++) {
		stmt_verdict(f->p, &alts.list.v[i], NFT_V_JUMP, own->name);
		nft_add_rule(f->p, c, &alts.list.v[i], NULL);
	}
	stmt_mark(f->p, &set, NFT_K_CT_MARK, UINT32_MAX, bits);
	if (run->is_pass)
		nft_add_rule(f->p, own, &set, NULL);
	for (int i = 0; i < 2; i++) {
		struct nft_stmt map = { .kind = NFT_S_NAT_MAP, .lookup = {
			.keys = { keys[i][0], keys[i][1], keys[i][2] }, .n_keys = 3,
			.set = run->maps[i], .is_dst = true, .af = i == 0 ? AF_V4 : AF_V6 } };
		struct nft_stmts s = { 0 };

		if (run->maps[i] == NULL)
			continue;
		stmt_match(f->p, &s, NFT_K_NFPROTO, false,
			   nft_value_num(NFT_T_NFPROTO, i == 0 ? NFPROTO_IPV4 : NFPROTO_IPV6));
		stmt_add(f->p, &s, &map);
		nft_add_rule(f->p, own, &s, NULL);
	}
	stmt_mark(f->p, &clear, NFT_K_CT_MARK, ~bits, 0);
	if (run->is_pass)
		nft_add_rule(f->p, own, &clear, NULL);
	return true;
}

static bool lower_list(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		       uint32_t list, uint32_t bits, bool guard)
{
	const struct rule_list *l = &f->m->lists.v[list];

	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];
		const struct nat_rule n = { .f = f, .c = c, .v = v, .r = r, .is_guard = guard };
		const struct nft_tests t = nft_tests_of(r);
		struct source_run sources;
		struct nat_run run;
		bool ok;

		if (r->prob != 0)
			return refuse(&n, "a probability");
		if (rule_has_effect(r, EF_TRANSLATE) == NULL) {
			ok = lower_other(f, c, v, r, bits, guard);
		} else if (r->map != NULL) {
			/* Only outbound rules are guarded */
			BUG_IF(guard);
			directed_map_run(f, r, &run);
			ok = lower_run(f, c, v, &run, bits);
		} else if (guard) {
			ok = add_exit(&n, c, &t, NFT_V_ACCEPT);
		} else if (directed_nat_run(f, list, i, &run)) {
			ok = lower_run(f, c, v, &run, bits);
			i += run.n_rules - 1;
		} else if (f->leg[DIR_OUT] == bits && directed_source_run(f, list, i, &sources)) {
			ok = lower_sources(f, c, v, r, &sources);
			i += sources.n_rules - 1;
		} else {
			ok = lower_translation(f, c, v, r, bits);
		}
		if (!ok)
			return false;
		nft_forget(f->p);
	}
	return true;
}

bool directed_nat(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		  const struct nat_call *call, uint32_t bits, bool guard)
{
	struct nft_alts alts = { 0 };
	struct nft_scope outer;
	struct nft_chain *own;
	bool ok;

	if (f->m->lists.v[call->list].rules.n == 0)
		return true;
	if (!nft_match(v, &call->t, call->at, &alts))
		return false;
	if (alts.list.n == 0)
		return true;
	own = nft_add_list(f->p, NFT_INET, guard ? "untranslated" : "translate",
			   f->m->lists.v[call->list].name);
	for (uint32_t i = 0; i < alts.list.n; i++) {
		stmt_verdict(f->p, &alts.list.v[i], NFT_V_JUMP, own->name);
		nft_add_rule(f->p, c, &alts.list.v[i], NULL);
	}
	outer = nft_enter(f->p, own);
	ok = lower_list(f, own, v, call->list, bits, guard);
	f->p->scope = outer;
	return ok;
}
