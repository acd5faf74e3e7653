/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A set of interfaces that leaves out only some is a complement over all
 * numbers: it becomes `!=` the interfaces that it leaves out, and so covers
 * those that do not exist yet.  Traffic on Linux's lo to an address of lo1 is
 * lo1's (facts_crossed()): an address test beside `iif lo` says so.
 */
#include "target/nft/match_way.h"

#include <string.h>

#include "base/limits.h"

/* A set of interfaces, lo apart */
struct iface_set {
	VEC(const char *) names;	/* Linux names, without lo */
	bool is_not;			/* all but these */
	const struct set *lo_dst;	/* on lo to these addresses; NULL: not on lo */
	bool lo_all;			/* on lo, to whatever */
};

static bool name_is_usable(const char *name)
{
	if (*name == '\0' || strlen(name) > LIMIT_IFNAME_BYTES)
		return false;
	for (; *name != '\0'; name++)
		if ((unsigned char)*name <= ' ' || (unsigned char)*name > '~' ||
		    strchr("\"\\/*", *name) != NULL)
			return false;
	return true;
}

static const struct set *cloned_addrs(const struct nft_view *v, const struct set *ifaces, bool in)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < v->m->facts->ifaces.n; i++) {
		const struct iface *f = &v->m->facts->ifaces.v[i];

		if (f->kind != IFACE_CLONED || set_has(ifaces, AF_NONE, f->id) != in)
			continue;
		for (uint32_t j = 0; j < f->addrs.n; j++)
			ranges_add(v->p->tmp, &rs, f->addrs.v[j].p.a.af, f->addrs.v[j].p.a.v,
				   f->addrs.v[j].p.a.v);
	}
	return set_make(v->p->tmp, &rs);
}

static void set_lo_part(const struct nft_view *v, const struct set *ifaces, struct iface_set *ret)
{
	const struct iface *lo = facts_find(v->m->facts, "lo0");
	const bool has_lo = lo != NULL ? set_has(ifaces, AF_NONE, lo->id)
				       : set_has(ifaces, AF_NONE, UINT32_MAX);
	const struct set *others = cloned_addrs(v, ifaces, !has_lo);

	if (has_lo && set_is_empty(others))
		ret->lo_all = true;
	else if (has_lo)
		ret->lo_dst = set_complement(v->p->tmp, others, SET_ADDR);
	else if (!set_is_empty(others))
		ret->lo_dst = others;
}

static bool split_ifaces(const struct nft_view *v, const struct set *ifaces, struct span at,
			 struct iface_set *ret)
{
	const struct set *listed;

	*ret = (struct iface_set){ .is_not = set_has(ifaces, AF_NONE, UINT32_MAX) };
	listed = ret->is_not ? set_complement(v->p->tmp, ifaces, SET_U32) : ifaces;
	for (uint32_t i = 0; i < listed->n; i++) {
		for (u128 id = listed->r[i].lo; id <= listed->r[i].hi; id++) {
			const char *name = facts_linux_name(intern_name(v->m->names,
									(uint32_t)id));

			if (!name_is_usable(name)) {
				diag_add(v->d, DIAG_E1705, at,
					 "\"%s\" cannot be the name of an interface", name);
				return false;
			}
			if (strcmp(name, "lo") != 0)
				vec_add(v->p->tmp, &ret->names, name);
		}
	}
	set_lo_part(v, ifaces, ret);
	return true;
}

static void add_names_of(const struct nft_view *v, struct nft_stmts *s, enum nft_key key,
			 bool is_not, const char *const *names, uint32_t n)
{
	if (n == 1)
		stmt_match(v->p, s, key, is_not, nft_value_name(names[0]));
	else if (n > 1)
		stmt_in(v->p, s, key, is_not, nft_set_of_names(v->p, NFT_INET, names, n));
}

static void add_names(const struct nft_view *v, struct nft_stmts *s, bool is_not,
		      const char *const *names, uint32_t n)
{
	add_names_of(v, s, v->iface, is_not, names, n);
}

/* The interfaces other than lo; with it where one test can say both */
static void add_named(const struct nft_view *v, const struct iface_set *is,
		      const struct nft_way *from,
		      struct nft_ways *out)
{
	const bool with_lo = is->lo_all && v->lo == NFT_LO_TOO;
	const char **names = arena_array(v->p->tmp, const char *, is->names.n + 1);
	uint32_t n = is->names.n;

	if (v->lo == NFT_LO_ONLY || (!is->is_not && n == 0 && !with_lo))
		return;
	if (n > 0)
		memcpy(names, is->names.v, n * sizeof(*names));
	if (is->is_not ? !with_lo && v->lo == NFT_LO_TOO : with_lo)
		names[n++] = "lo";
	add_names(v, &nft_add_way(v, out, from)->stmts, is->is_not, names, n);
}

/* On lo: all of it where the chain sees nothing else, or to some addresses */
static void add_lo(const struct nft_view *v, const struct iface_set *is, const struct nft_way *from,
		   struct nft_ways *out)
{
	static const char *const lo[] = { "lo" };
	struct nft_way *w;

	if (v->lo == NFT_LO_NOT || (is->lo_all && v->lo == NFT_LO_TOO) ||
	    (!is->lo_all && is->lo_dst == NULL))
		return;
	w = nft_add_way(v, out, from);
	if (v->lo == NFT_LO_TOO)
		add_names(v, &w->stmts, false, lo, 1);
	if (is->lo_dst == NULL)
		return;
	w->t.f[F_DST] = w->t.f[F_DST] == NULL
				? is->lo_dst
				: set_intersect(v->p->tmp, w->t.f[F_DST], is->lo_dst);
}

bool nft_expand_ifaces(const struct nft_view *v, const struct nft_way *from, struct span at,
			  struct nft_ways *out)
{
	struct iface_set is;

	if (from->t.f[F_IFACE] == NULL) {
		nft_add_way(v, out, from);
		return true;
	}
	if (!split_ifaces(v, from->t.f[F_IFACE], at, &is))
		return false;
	add_named(v, &is, from, out);
	add_lo(v, &is, from, out);
	return true;
}

bool nft_add_received(const struct nft_view *v, struct nft_way *w, struct span at)
{
	const struct set *in = w->t.f[F_RECV];
	struct iface_set is;

	if (in == NULL)
		return true;
	if (!split_ifaces(v, in, at, &is))
		return false;
	if (is.lo_dst != NULL || (is.lo_all != is.is_not))
		vec_add(v->p->tmp, &is.names, "lo");
	add_names_of(v, &w->stmts, NFT_K_IIFNAME, is.is_not, is.names.v, is.names.n);
	return true;
}
