/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/want.h"

#include <string.h>

#include "base/limits.h"
#include "host/addr_index.h"

#define IP_FORWARD	"net/ipv4/ip_forward"
#define IP6_FORWARD	"net/ipv6/conf/all/forwarding"

static const char *const settings[] = { IP_FORWARD, IP6_FORWARD, NULL };

/* FreeBSD's names of the settings that we know; all are 0 or 1 */
static const struct {
	const char *name;
	const char *path;
} names[] = {
	{ "net.inet.ip.forwarding", IP_FORWARD },
	{ "net.inet6.ip6.forwarding", IP6_FORWARD },
};

const char *const *host_settings(void)
{
	return settings;
}

const struct host_want_link *host_want_find_link(const struct host_want *w, const char *name)
{
	for (uint32_t i = 0; i < w->links.n; i++)
		if (strcmp(w->links.v[i].name, name) == 0)
			return &w->links.v[i];
	return NULL;
}

const struct host_want_addr *host_want_find_addr(const struct host_want *w, const char *iface,
						 struct addr addr)
{
	addr_index_each(w->by_addr, addr, slot) {
		const struct host_want_addr *x = &w->addrs.v[w->by_addr->v[slot].i];

		if (x->iface != NULL && strcmp(x->iface, iface) == 0)
			return x;
	}
	return NULL;
}

static bool is_named(const struct host_want *w, const char *jail)
{
	for (size_t i = 0; jail != NULL && w->only[i] != NULL; i++)
		if (strcmp(w->only[i], jail) == 0)
			return true;
	return false;
}

bool host_want_is_asked(const struct host_want *w, const struct host_want_addr *x)
{
	if (w->only == NULL || x->is_added || is_named(w, x->jail))
		return true;
	for (uint32_t i = 0; i < x->sharers.n; i++)
		if (is_named(w, x->sharers.v[i]))
			return true;
	return false;
}

/* As the kernel's dev_valid_name() */
static bool is_ifname(const char *name)
{
	const size_t len = strlen(name);

	if (len == 0 || len > LIMIT_IFNAME_BYTES || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] <= ' ' || strchr("/:%\x7f", name[i]) != NULL)
			return false;
	return true;
}

static bool check_ifname(const char *name, struct span at, struct diags *diags)
{
	if (is_ifname(name))
		return true;
	diag_add(diags, DIAG_E1812, at, "'%.64s' cannot be the name of an interface", name);
	diag_help(diags, "1 to %u bytes, without blanks, '/', ':' and '%%'", LIMIT_IFNAME_BYTES);
	return false;
}

/* Is an address on it wanted */
static bool is_used(const struct host_want *w, const char *name)
{
	for (uint32_t i = 0; i < w->addrs.n; i++)
		if (w->addrs.v[i].iface != NULL && strcmp(w->addrs.v[i].iface, name) == 0)
			return true;
	return false;
}

static void want_link(struct host_want *w, struct arena *a, struct diags *diags,
		      const struct decl_link *l)
{
	const char *name = facts_linux_name(l->name);

	if (l->for_jails && !is_used(w, name))
		return;
	if (strcmp(name, "lo") == 0 || host_want_find_link(w, name) != NULL ||
	    !check_ifname(name, l->at, diags))
		return;
	vec_add(a, &w->links, ((struct host_want_link){ name, l->at }));
}

static void want_addr(struct host_want *w, struct arena *a, struct diags *diags,
		      const struct decl_addr *x)
{
	const char *iface = x->iface == NULL ? NULL : facts_linux_name(x->iface);

	if ((x->is_host && !x->is_jails) || (iface != NULL && !check_ifname(iface, x->at, diags)))
		return;
	vec_add(a, &w->addrs, ((struct host_want_addr){
		.iface = iface, .p = x->p, .peer = x->peer, .jail = x->jail, .at = x->at,
		.is_added = x->is_added }));
}

static void want_jail(struct host_want *w, struct arena *a, struct diags *diags,
		      const struct decl_jail *j)
{
	if (!j->is_enabled || j->is_down || j->is_vnet)
		return;
	for (uint32_t i = 0; i < j->addrs.n; i++) {
		struct decl_addr x = j->addrs.v[i];

		x.jail = j->name;
		want_addr(w, a, diags, &x);
	}
}

static struct addr_index *index_addrs(const struct host_want *w, struct arena *a)
{
	struct addr_index *x = arena_new(a, struct addr_index);

	x->n = w->addrs.n;
	x->v = arena_array(a, struct addr_slot, x->n);
	for (uint32_t i = 0; i < x->n; i++)
		x->v[i] = (struct addr_slot){ w->addrs.v[i].p.a, i };
	addr_index_sort(x);
	return x;
}

static bool is_double(const struct host_want_addr *x, const struct host_want_addr *y)
{
	return x->iface != NULL && y->iface != NULL && strcmp(x->iface, y->iface) == 0;
}

/* rc.conf and a jail may both name an address: the first stays, with the jail's name */
static void drop_doubles(struct host_want *w, struct arena *a)
{
	struct addr_index *x = index_addrs(w, a);
	bool *gone = arena_array(a, bool, x->n);
	uint32_t n = 0;

	for (uint32_t i = 0; i < x->n; i++)
		for (uint32_t j = i + 1; j < x->n && addr_equal(x->v[i].a, x->v[j].a); j++) {
			struct host_want_addr *one = &w->addrs.v[x->v[i].i];
			const struct host_want_addr *two = &w->addrs.v[x->v[j].i];

			if (gone[x->v[i].i] || !is_double(one, two))
				continue;
			gone[x->v[j].i] = true;
			if (one->jail == NULL)
				one->jail = two->jail;
			else if (two->jail != NULL && strcmp(one->jail, two->jail) != 0)
				vec_add(a, &one->sharers, two->jail);
		}
	for (uint32_t i = 0; i < w->addrs.n; i++)
		if (!gone[i])
			w->addrs.v[n++] = w->addrs.v[i];
	w->addrs.n = n;
	w->by_addr = index_addrs(w, a);
}

/* The last of a path counts */
static void want_sysctl(struct host_want *w, struct arena *a, const char *path,
			const char *value, struct span at)
{
	for (uint32_t i = 0; i < w->sysctls.n; i++)
		if (strcmp(w->sysctls.v[i].path, path) == 0) {
			w->sysctls.v[i] = (struct host_want_sysctl){ path, value, at };
			return;
		}
	vec_add(a, &w->sysctls, ((struct host_want_sysctl){ path, value, at }));
}

static bool is_said(const struct host_want *w, const char *path)
{
	for (uint32_t i = 0; i < w->sysctls.n; i++)
		if (strcmp(w->sysctls.v[i].path, path) == 0)
			return true;
	return false;
}

static void want_decl_sysctl(struct host_want *w, struct arena *a, struct diags *diags,
			     const struct decl_sysctl *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i].name, s->name) != 0)
			continue;
		if (strcmp(s->value, "0") != 0 && strcmp(s->value, "1") != 0)
			diag_add(diags, DIAG_E1816, s->at, "%s is '%.64s': not 0 or 1", s->name,
				 s->value);
		else
			want_sysctl(w, a, names[i].path, s->value, s->at);
	}
}

/* A routed jail is reached by routing, so the host routes unless it says otherwise */
static void want_forwarding(struct host_want *w, struct arena *a, const struct decl *d)
{
	for (uint32_t i = 0; i < d->jails.n; i++) {
		const struct decl_jail *j = &d->jails.v[i];

		for (uint32_t n = 0; n < j->addrs.n && j->is_vnet && j->is_enabled; n++) {
			const bool is_v4 = j->addrs.v[n].p.a.af == AF_V4;

			if (j->is_down || j->vnet.is_foreign ||
			    (is_v4 ? d->gateway : d->gateway6) == 0 ||
			    is_said(w, is_v4 ? IP_FORWARD : IP6_FORWARD))
				continue;
			want_sysctl(w, a, is_v4 ? IP_FORWARD : IP6_FORWARD, "1", j->vnet_at);
		}
	}
}

void host_want_make(const struct decl *d, struct arena *a, struct diags *diags,
		    struct host_want *ret)
{
	*ret = (struct host_want){ 0 };
	for (uint32_t i = 0; i < d->addrs.n; i++)
		want_addr(ret, a, diags, &d->addrs.v[i]);
	for (uint32_t i = 0; i < d->jails.n; i++)
		want_jail(ret, a, diags, &d->jails.v[i]);
	for (uint32_t i = 0; i < d->links.n; i++)
		want_link(ret, a, diags, &d->links.v[i]);
	drop_doubles(ret, a);
	for (uint32_t i = 0; i < d->sysctls.n; i++)
		want_decl_sysctl(ret, a, diags, &d->sysctls.v[i]);
	want_forwarding(ret, a, d);
	/* FreeBSD reads sysctl.conf first: gateway_enable wins */
	if (d->gateway == 1)
		want_sysctl(ret, a, IP_FORWARD, "1", d->gateway_at[0]);
	if (d->gateway6 == 1)
		want_sysctl(ret, a, IP6_FORWARD, "1", d->gateway_at[1]);
}
