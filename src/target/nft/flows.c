/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 *	flows_in	prerouting -80		behind the filter, the target known
 *	quota_out	postrouting 95		before the source is translated
 *	flows_out	postrouting 170		behind the filter
 *
 * A connection's first packet asks the quota of the outside place that it came to,
 * which conntrack remembers, and those of the jails at its two ends: each is a
 * chain, found by a verdict map, so their number costs nothing.  All rules of a
 * forward share its chain, and so does all that a jail sends and gets; a neighbour's
 * is another.
 *
 * Traffic is a dynamic set, one element for each outside place that had any: no
 * forward costs anything to load, what was counted outlives a reload, and the time
 * that an element has left says when it was used last.  The counter of a map of
 * forwards would count first packets only, as translations are looked up once.
 *
 * A packet is counted where it comes in from an interface.  The host's own comes in
 * nowhere but by lo, which is left out where it leaves.
 */
#include "target/nft/flows.h"

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#define PRIO_IN		(-80)
#define PRIO_QUOTA_OUT	95
#define PRIO_OUT	170
#define CT_NEW		0x8u	/* NF_CT_STATE_BIT(IP_CT_NEW) */
#define CT_DNAT		0x20u	/* IPS_DST_NAT */
#define PLACES_MAX	(1u << 18)

static const struct family {
	uint8_t af;
	uint32_t nfproto;
	enum nft_type type;
	enum nft_key saddr, daddr, place;
	const char *what;
} families[] = {
	{ AF_V4, NFPROTO_IPV4, NFT_T_IP4, NFT_K_IP_SADDR, NFT_K_IP_DADDR, NFT_K_CT_IP_DADDR,
	  "traffic IPv4" },
	{ AF_V6, NFPROTO_IPV6, NFT_T_IP6, NFT_K_IP6_SADDR, NFT_K_IP6_DADDR, NFT_K_CT_IP6_DADDR,
	  "traffic IPv6" },
};

static const uint32_t protos[] = { PROTO_TCP, PROTO_UDP };

/* Chains and maps being filled; chains and maps that stay NULL are not needed */
struct work {
	struct nft_program *p;
	const struct model *m;
	struct nft_chain *all;		/* what comes in, or is the host's own and leaves */
	struct nft_set *places[2];	/* outside places, by family */
	struct nft_set *jails[2];	/* addresses of jails */
};

static void add_jump(struct work *w, struct nft_chain *from, struct nft_stmts *s,
		     const struct nft_chain *to)
{
	stmt_verdict(w->p, s, NFT_V_JUMP, to->name);
	nft_add_rule(w->p, from, s, NULL);
}

static void match_family(struct work *w, struct nft_stmts *s, const struct family *f)
{
	stmt_match(w->p, s, NFT_K_NFPROTO, false, nft_value_num(NFT_T_NFPROTO, f->nfproto));
}

/* A look-up of the outside place for each protocol: nft types its port by that */
static void add_places(struct work *w, struct nft_chain *c, const struct family *f,
		       enum nft_stmt_kind kind, struct nft_lookup l)
{
	l.keys[0] = NFT_K_L4PROTO;
	l.keys[1] = f->place;
	l.keys[2] = NFT_K_CT_DPORT;
	l.n_keys = 3;
	for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
		struct nft_stmts s = { 0 };

		match_family(w, &s, f);
		stmt_match(w->p, &s, NFT_K_L4PROTO, false, nft_value_num(NFT_T_PROTO, protos[i]));
		stmt_add(w->p, &s, &(struct nft_stmt){ .kind = kind, .lookup = l });
		nft_add_rule(w->p, c, &s, NULL);
	}
}

static struct nft_set *place_set(struct work *w, const struct family *f, const char *what)
{
	return nft_add_map(w->p, NFT_INET, what,
			   (enum nft_type[]){ NFT_T_PROTO, f->type, NFT_T_PORT }, 3);
}

/* ---- traffic -------------------------------------------------------------- */

static void add_traffic(struct work *w)
{
	struct nft_chain *c = nft_add_named(w->p, NFT_INET, "traffic");
	struct nft_stmts s = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct nft_set *set = place_set(w, &families[i], "traffic");

		nft_set_remembers(w->p, set, "traffic", families[i].what);
		set->is_dynamic = true;
		set->timeout_ms = TRAFFIC_MS;
		set->size = PLACES_MAX;
		nft_set_seal(set);
		add_places(w, c, &families[i], NFT_S_UPDATE,
			   (struct nft_lookup){ .set = set, .counts_packets = true });
	}
	stmt_masked(w->p, &s, NFT_K_CT_STATUS, CT_DNAT, 0, true);
	add_jump(w, w->all, &s, c);
}

/* ---- quotas --------------------------------------------------------------- */

static void add_drop(struct work *w, struct nft_chain *c, const struct nft_stmt *when,
		     const struct quota *q)
{
	struct nft_stmts s = { 0 };

	stmt_add(w->p, &s, when);
	stmt_counter(w->p, &s);
	stmt_verdict(w->p, &s, NFT_V_DROP, NULL);
	nft_add_rule(w->p, c, &s, &q->origin);
}

static struct nft_chain *quota_chain(struct work *w, const struct quota *q)
{
	struct nft_chain *c = nft_add_list(w->p, NFT_INET, "quota", q->origin.text);

	if (q->rate != 0)
		add_drop(w, c, &(struct nft_stmt){ .kind = NFT_S_RATE,
			 .rate = { q->rate, q->per_s } }, q);
	if (q->max != 0)
		add_drop(w, c, &(struct nft_stmt){ .kind = NFT_S_COUNT, .count_over = q->max }, q);
	return c;
}

static struct nft_elem *new_elem(struct work *w, struct nft_set *map, const struct nft_chain *c)
{
	struct nft_elem *e = vec_push(w->p->a, &map->elems);

	e->origin = NFT_NO_ORIGIN;
	e->chain = c->name;
	return e;
}

static void add_place(struct work *w, const struct family *f, uint8_t proto, u128 addr,
		      uint16_t port, const struct nft_chain *c)
{
	struct nft_set **map = &w->places[f->af == AF_V6];

	if (*map == NULL) {
		*map = place_set(w, f, "places");
		(*map)->is_vmap = true;
	}
	nft_forward_key(new_elem(w, *map, c)->key, proto, (struct addr){ f->af, addr }, port);
}

static void add_places_of(struct work *w, const struct quota *q, const struct nft_chain *c,
			  const struct family *f, u128 addr)
{
	for (uint32_t p = 0; p < q->protos->n; p++)
		for (u128 proto = q->protos->r[p].lo; proto <= q->protos->r[p].hi; proto++)
			for (uint32_t r = 0; r < q->ports->n; r++)
				for (u128 n = q->ports->r[r].lo; n <= q->ports->r[r].hi; n++)
					add_place(w, f, (uint8_t)proto, addr, (uint16_t)n, c);
}

/* Addresses of a jail; those that it shares count for the jail that is named first */
static void add_jail(struct work *w, const struct family *f, struct range r,
		     const struct nft_chain *c)
{
	struct nft_set **map = &w->jails[f->af == AF_V6];
	struct nft_elem *e;
	struct nft_value lo = nft_value_num(f->type, r.lo), hi = nft_value_num(f->type, r.hi);

	if (*map == NULL) {
		*map = nft_add_ranges(w->p, NFT_INET, "jails", &f->type, 1);
		(*map)->is_vmap = true;
	}
	for (uint32_t i = 0; i < (*map)->elems.n; i++)
		if (memcmp((*map)->elems.v[i].key, hi.b, hi.len) <= 0 &&
		    memcmp((*map)->elems.v[i].key + NFT_VALUE_BYTES, lo.b, lo.len) >= 0)
			return;
	e = new_elem(w, *map, c);
	memcpy(e->key, lo.b, lo.len);
	memcpy(e->key + NFT_VALUE_BYTES, hi.b, hi.len);
}

static int elem_cmp(const void *x, const void *y)
{
	const struct nft_elem *a = x, *b = y;

	return memcmp(a->key, b->key, NFT_VALUE_BYTES);
}

static int place_cmp(const void *x, const void *y)
{
	const struct nft_elem *const *a = x, *const *b = y;
	const int order = memcmp((*a)->key, (*b)->key, NFT_CONCAT_BYTES);

	return order != 0 ? order : *a < *b ? -1 : 1;
}

/* A place that several share is the first one's: so is what translates it */
static void keep_firsts(struct work *w, struct nft_set *map)
{
	const struct nft_elem **by_key = arena_array(w->p->a, const struct nft_elem *,
						     map->elems.n);
	struct nft_elem *list = map->elems.v;
	uint32_t n = 0;

	for (uint32_t i = 0; i < map->elems.n; i++)
		by_key[i] = &list[i];
	qsort(by_key, map->elems.n, sizeof(*by_key), place_cmp);
	for (uint32_t i = 1; i < map->elems.n; i++)
		if (memcmp(by_key[i - 1]->key, by_key[i]->key, NFT_CONCAT_BYTES) == 0)
			list[by_key[i] - list].chain = NULL;
	for (uint32_t i = 0; i < map->elems.n; i++)
		if (list[i].chain != NULL)
			list[n++] = list[i];
	map->elems.n = n;
}

static void seal(struct work *w, struct nft_set *map)
{
	if (map == NULL)
		return;
	if (map->is_interval)
		qsort(map->elems.v, map->elems.n, sizeof(*map->elems.v), elem_cmp);
	else
		keep_firsts(w, map);
	nft_set_seal(map);
}

static void add_quota(struct work *w, const struct quota *q)
{
	const struct nft_chain *c = quota_chain(w, q);

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		for (uint32_t r = 0; r < q->addrs->n; r++) {
			const struct range range = q->addrs->r[r];

			if (range.af != families[i].af)
				continue;
			if (q->protos == NULL)
				add_jail(w, &families[i], range, c);
			for (u128 n = range.lo; n <= range.hi && q->protos != NULL; n++)
				add_places_of(w, q, c, &families[i], n);
		}
	}
}

/* A chain that asks a map for an address of each family */
static struct nft_chain *jails_chain(struct work *w, const char *name, bool is_src)
{
	struct nft_chain *c = nft_add_named(w->p, NFT_INET, name);

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct nft_stmts s = { 0 };

		if (w->jails[i] == NULL)
			continue;
		match_family(w, &s, &families[i]);
		stmt_add(w->p, &s, &(struct nft_stmt){ .kind = NFT_S_VMAP, .lookup = {
			.keys = { is_src ? families[i].saddr : families[i].daddr }, .n_keys = 1,
			.set = w->jails[i] } });
		nft_add_rule(w->p, c, &s, NULL);
	}
	return c;
}

static void add_new(struct work *w, struct nft_chain *from, const struct nft_chain *to)
{
	struct nft_stmts s = { 0 };

	stmt_masked(w->p, &s, NFT_K_CT_STATE, CT_NEW, 0, true);
	add_jump(w, from, &s, to);
}

static void add_quotas(struct work *w)
{
	struct nft_chain *places;

	for (uint32_t i = 0; i < w->m->quotas.n; i++)
		add_quota(w, &w->m->quotas.v[i]);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		seal(w, w->places[i]);
		seal(w, w->jails[i]);
	}
	if (w->places[0] != NULL || w->places[1] != NULL) {
		places = nft_add_named(w->p, NFT_INET, "places");
		for (size_t i = 0; i < ARRAY_SIZE(families); i++)
			if (w->places[i] != NULL)
				add_places(w, places, &families[i], NFT_S_VMAP,
					   (struct nft_lookup){ .set = w->places[i] });
		add_new(w, w->all, places);
	}
	if (w->jails[0] == NULL && w->jails[1] == NULL)
		return;
	add_new(w, w->all, jails_chain(w, "to_jails", false));
	add_new(w, nft_add_base(w->p, NFT_INET, "quota_out", "filter", NF_INET_POST_ROUTING,
				PRIO_QUOTA_OUT), jails_chain(w, "from_jails", true));
}

void nft_add_flows(struct nft_program *p, const struct model *m)
{
	struct work w = { .p = p, .m = m };
	struct nft_stmts any = { 0 }, own = { 0 };

	if (m->quotas.n == 0 && !m->counts_traffic)
		return;
	w.all = nft_add_named(p, NFT_INET, "flows");
	if (m->counts_traffic)
		add_traffic(&w);
	add_quotas(&w);
	add_jump(&w, nft_add_base(p, NFT_INET, "flows_in", "filter", NF_INET_PRE_ROUTING, PRIO_IN),
		 &any, w.all);
	stmt_match(p, &own, NFT_K_IIF, false, nft_value_num(NFT_T_IFINDEX, 0));
	stmt_match(p, &own, NFT_K_OIFNAME, true, nft_value_name("lo"));
	add_jump(&w, nft_add_base(p, NFT_INET, "flows_out", "filter", NF_INET_POST_ROUTING,
				  PRIO_OUT), &own, w.all);
}
