/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/have.h"

#include <linux/if_addr.h>
#include <string.h>

#include "host/addr_index.h"
#include "host/want.h"

bool host_is_our_link(const struct rtnl_link *l)
{
	if (strcmp(l->kind, "dummy") != 0 && strcmp(l->kind, "bridge") != 0)
		return false;
	return strcmp(l->alias, RTNL_LINK_ALIAS) == 0 ||
	       (l->alias[0] == '\0' && l->group == RTNL_LINK_GROUP);
}

bool host_is_our_addr(const struct rtnl_addr *x)
{
	return x->proto == RTNL_ADDR_PROTO;
}

bool host_is_kernel_addr(const struct rtnl_addr *x)
{
	return x->p.a.af == AF_V6 && addr_is_linklocal(x->p.a) &&
	       (x->proto == IFAPROT_KERNEL_LL || x->proto == IFAPROT_UNSPEC);
}

static bool has_something_of_ours(const struct host_have *h)
{
	for (uint32_t i = 0; i < h->links.list.n; i++)
		if (host_is_our_link(&h->links.list.v[i]))
			return true;
	for (uint32_t i = 0; i < h->addrs.list.n; i++)
		if (host_is_our_addr(&h->addrs.list.v[i]))
			return true;
	return false;
}

void host_have_index(struct host_have *h, struct arena *a)
{
	struct addr_index *x = arena_new(a, struct addr_index);

	x->n = h->addrs.list.n;
	x->v = arena_array(a, struct addr_slot, x->n);
	for (uint32_t i = 0; i < x->n; i++)
		x->v[i] = (struct addr_slot){ h->addrs.list.v[i].p.a, i };
	addr_index_sort(x);
	h->by_addr = x;
}

static int read_settings(struct arena *a, struct sysctls *ret)
{
	for (const char *const *path = host_settings(); *path != NULL; path++) {
		const char *value;
		const int err = sysctl_read(*path, a, &value);

		if (err == 0)
			vec_add(a, &ret->list, ((struct sysctl){ *path, value }));
		else if (err != -ENOENT)
			return err;
	}
	return 0;
}

/* Is IPv6 turned off on a link; a kernel without IPv6 has no such setting */
static int read_ip6(struct arena *a, struct host_have *h, const char *name)
{
	const char *value;
	int err = sysctl_read(arena_printf(a, "net/ipv6/conf/%s/disable_ipv6", name), a, &value);

	if (err == -ENOENT || (err == 0 && strcmp(value, "0") != 0))
		vec_add(a, &h->no_ip6, name);
	return err == -ENOENT ? 0 : err;
}

static int read_all_ip6(struct arena *a, struct host_have *h)
{
	int err = read_ip6(a, h, "default");

	for (uint32_t i = 0; err == 0 && i < h->links.list.n; i++)
		err = read_ip6(a, h, h->links.list.v[i].name);
	return err;
}

bool host_has_ip6(const struct host_have *h, const char *name)
{
	const char *which = rtnl_link_find(&h->links, name) != NULL ? name : "default";

	for (uint32_t i = 0; i < h->no_ip6.n; i++)
		if (strcmp(h->no_ip6.v[i], which) == 0)
			return false;
	return true;
}

static int read_saved(const struct state *st, struct arena *a, struct host_have *h)
{
	char *text;
	size_t len;
	int err = st == NULL ? -ENOENT : state_read(st, "sysctl", a, &text, &len);

	if (err == 0)
		err = sysctl_state_parse(text, len, a, &h->saved);
	h->is_saved_there = err == 0;
	h->is_saved_lost = (err == 0 && h->saved.is_lost) || err == -EBADMSG ||
			   (err == -ENOENT && has_something_of_ours(h));
	return err == -EBADMSG || err == -ENOENT ? 0 : err;
}

static int read_links(struct nl_session *s, struct arena *a, struct host_live *l)
{
	int err = rtnl_links_read(s, a, &l->links);

	if (err == 0)
		err = rtnl_addrs_read(s, a, &l->addrs);
	return err < 0 ? err : rtnl_default_read(s, AF_V6, &l->route6);
}

int host_live_read(struct nl_session *s, struct arena *a, struct host_live *ret)
{
	struct host_live l = { .links = { .list = { .n = 0 } } };
	int err = read_links(s, a, &l);

	if (err == 0)
		err = rtnl_default_read(s, AF_V4, &l.route4);
	if (err == 0)
		*ret = l;
	return err;
}

int host_have_of(const struct host_live *live, const struct state *st, struct arena *a,
		 struct host_have *ret)
{
	struct host_have h = { .links = live->links, .addrs = live->addrs,
			       .route6 = live->route6 };
	int err = read_settings(a, &h.settings);

	if (err == 0)
		err = read_all_ip6(a, &h);
	if (err == 0)
		err = read_saved(st, a, &h);
	if (err < 0)
		return err;
	host_have_index(&h, a);
	*ret = h;
	return 0;
}

int host_have_read(struct nl_session *s, const struct state *st, struct arena *a,
		   struct host_have *ret)
{
	struct host_live l = { .links = { .list = { .n = 0 } } };
	const int err = read_links(s, a, &l);

	return err < 0 ? err : host_have_of(&l, st, a, ret);
}
