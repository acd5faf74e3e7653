/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/alias.h"

#include "host/addr_index.h"

/* The declaration of an address on @iface, or of one without interface */
static const struct host_want_addr *find_want(const struct host_want *w, const char *iface,
					      struct addr a)
{
	const struct host_want_addr *x = host_want_find_addr(w, iface, a);

	if (x != NULL)
		return x;
	addr_index_each(w->by_addr, a, slot)
		if (w->addrs.v[w->by_addr->v[slot].i].iface == NULL)
			return &w->addrs.v[w->by_addr->v[slot].i];
	return NULL;
}

void host_aliases_list(const struct host_want *w, const struct host_have *h, struct arena *a,
		       struct host_aliases *ret)
{
	*ret = (struct host_aliases){ 0 };
	for (uint32_t i = 0; i < h->addrs.list.n; i++) {
		const struct rtnl_addr *x = &h->addrs.list.v[i];
		const struct rtnl_link *l = rtnl_link_at(&h->links, x->ifindex);
		const struct host_want_addr *want;

		if (l == NULL || host_is_kernel_addr(x))
			continue;
		want = find_want(w, l->name, x->p.a);
		if (want == NULL && !host_is_our_addr(x) && !host_is_our_link(l))
			continue;
		vec_add(a, &ret->list, ((struct host_alias){
			.iface = facts_freebsd_name(l->name),
			.kind = l->kind[0] != '\0' ? l->kind : "device",
			.p = x->p,
			.jail = want == NULL ? NULL : want->jail,
			.is_owned = host_is_our_addr(x),
			.at = want == NULL ? SPAN_NONE : want->at,
		}));
	}
}
