/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * An alias on a real interface that somebody else on the wire has too breaks both,
 * and neither is told: the kernel adds it and asks nobody (IPv6 addresses are added
 * without duplicate address detection, so that a jail's programs can bind at once).
 * So the network is asked before, for addresses that are about to be added, all at
 * once and for NEIGH_PROBE_MS at most.
 */
#include "cli/up.h"

#include <net/if.h>

#include "nl/neigh_probe.h"

/**
 * struct asked - Addresses that are about to be added, and the questions
 * @c:		Run
 * @h:		Host
 * @addrs:	As declared
 * @queries:	One for each of @addrs
 */
struct asked {
	struct cli *c;
	const struct cli_host *h;
	VEC(const struct decl_addr *) addrs;
	VEC(struct neigh_query) queries;
};

bool up_may_ask(const struct rtnl_link *l)
{
	return l != NULL && !host_is_our_link(l) && (l->flags & IFF_UP) != 0 &&
	       (l->flags & (IFF_LOOPBACK | IFF_NOARP | IFF_POINTOPOINT)) == 0;
}

static void add_jail(struct asked *x, const struct decl_jail *j)
{
	for (uint32_t i = 0; i < j->addrs.n; i++) {
		const struct decl_addr *a = &j->addrs.v[i];
		const struct rtnl_link *l = a->iface == NULL ? NULL :
					    rtnl_link_find(&x->h->have.links, a->iface);

		if (!up_may_ask(l) || up_is_there(x->h, a->p.a))
			continue;
		vec_add(&x->c->arena, &x->addrs, a);
		vec_add(&x->c->arena, &x->queries, ((struct neigh_query){
			.ifindex = l->index, .a = a->p.a }));
	}
}

static void tell(const struct asked *x, uint32_t i)
{
	const struct decl_addr *a = x->addrs.v[i];
	const uint8_t *m = x->queries.v[i].mac;
	char text[ADDR_TEXT_BYTES];

	diag_add(&x->c->diags, x->c->force ? DIAG_W1912 : DIAG_E1911, a->at,
		 "%s is in use: a neighbour on %s with the address %02x:%02x:%02x:%02x:%02x:%02x "
		 "answers", addr_print(a->p.a, text), a->iface, m[0], m[1], m[2], m[3], m[4], m[5]);
	if (!x->c->force)
		diag_help(&x->c->diags, "take it away there, or go on with --force");
}

int up_check_neighbours(struct cli *c, struct cli_host *h)
{
	struct asked x = { .c = c, .h = h };
	int err;

	for (uint32_t i = 0; i < c->runs.list.n; i++) {
		const struct decl_jail *j = decl_find_jail(&h->d.decl, c->runs.list.v[i].name);

		if (j != NULL && !j->is_vnet)
			add_jail(&x, j);
	}
	/* With -n nothing is sent, and who may not ask may not add either */
	if (x.queries.n == 0 || c->dry_run)
		return 0;
	err = neigh_probe(&h->route, x.queries.v, x.queries.n, NEIGH_PROBE_MS);
	if (err < 0)
		return cli_system(c, err, "ask the neighbours for addresses");
	for (uint32_t i = 0; i < x.queries.n; i++)
		if (x.queries.v[i].is_taken)
			tell(&x, i);
	return c->diags.n_errors > 0 ? EX_DATAERR : 0;
}
