/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A rule with limits on its states is taken apart into what pf makes of it:
 * one rule for each interface, protocol, address and port, each with a count
 * of its own.  Every other rule keeps its lists as sets.
 */
#include "lang/pf/lower.h"

#include <string.h>

#define SPLIT_MAX	1024u	/* rules that one may become */

/* Which item of each list a single rule takes */
enum { L_IFACE, L_PROTO, L_SRC, L_SPORT, L_DST, L_DPORT, N_LISTS };

static void list_sizes(const struct pf_rule *r, uint32_t *n)
{
	n[L_IFACE] = r->ifaces.n;
	n[L_PROTO] = r->protos.n;
	n[L_SRC] = r->from.hosts.n;
	n[L_SPORT] = r->from.ports.n;
	n[L_DST] = r->to.hosts.n;
	n[L_DPORT] = r->to.ports.n;
}

static bool is_here(const struct pf_lower *l, const char *name)
{
	for (uint32_t i = 0; i < l->facts->ifaces.n; i++)
		if (strcmp(l->facts->ifaces.v[i].name, name) == 0 ||
		    facts_has_group(l->facts, &l->facts->ifaces.v[i], name))
			return true;
	return strcmp(name, "self") == 0;
}

/* An interface's name is a list too: of its addresses */
static struct pf_hosts each_address(struct pf_lower *l, const struct pf_hosts *hosts)
{
	VEC(struct pf_host) out = { 0 };

	for (uint32_t i = 0; i < hosts->n; i++) {
		struct pf_host h = hosts->v[i];
		struct pf_locals locals = { .list = { 0 } };

		if (h.kind == PH_NAME && is_here(l, h.name) && pf_locals_of(l, &h, &locals))
			for (h.nth = 1; h.nth < locals.list.n; h.nth++)
				vec_add(l->c->a, &out, h);
		vec_add(l->c->a, &out, h);
	}
	return (struct pf_hosts){ out.v, out.n };
}

#define TAKE_ITEM(list, i) \
	do { \
		if ((list).n > 0) { \
			(list).v += (i); \
			(list).n = 1; \
		} \
	} while (0)

static struct pf_rule *single(struct pf_lower *l, const struct pf_rule *r, const uint32_t *at)
{
	struct pf_rule *one = arena_new(l->c->a, struct pf_rule);

	*one = *r;
	TAKE_ITEM(one->ifaces, at[L_IFACE]);
	TAKE_ITEM(one->protos, at[L_PROTO]);
	TAKE_ITEM(one->from.hosts, at[L_SRC]);
	TAKE_ITEM(one->from.ports, at[L_SPORT]);
	TAKE_ITEM(one->to.hosts, at[L_DST]);
	TAKE_ITEM(one->to.ports, at[L_DPORT]);
	return one;
}

bool pf_lower_split(struct pf_lower *l, const struct pf_stmt *s,
		    bool (*lower)(struct pf_lower *l, const struct pf_stmt *s))
{
	uint32_t n[N_LISTS], at[N_LISTS];
	struct pf_rule whole = *s->rule;
	uint64_t all = 1;

	whole.from.hosts = each_address(l, &whole.from.hosts);
	whole.to.hosts = each_address(l, &whole.to.hosts);
	list_sizes(&whole, n);
	for (int i = 0; i < N_LISTS; i++)
		all *= n[i] > 0 ? n[i] : 1;
	if (all > SPLIT_MAX)
		return pl_error(l, E1314, s->at, "more than %u single rules with limits",
				SPLIT_MAX);
	for (uint64_t k = 0; k < all; k++) {
		struct pf_stmt one = *s;
		uint64_t rest = k;

		for (int i = N_LISTS; i-- > 0;) {
			at[i] = (uint32_t)(rest % (n[i] > 0 ? n[i] : 1));
			rest /= n[i] > 0 ? n[i] : 1;
		}
		one.rule = single(l, &whole, at);
		l->is_single = all > 1;
		if (!lower(l, &one))
			return false;
	}
	l->is_single = false;
	return true;
}
