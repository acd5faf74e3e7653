/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Three sources, each interface from the first that speaks of it: the file of
 * --interfaces, rc.conf, the live host.  What we put on the live host
 * ourselves is left out: it is there because it was declared, so the
 * declarations say whether it is a fact.  Else a host would look different
 * after an apply than before it, and never come to rest.
 */
#include <string.h>

#include "cli/cli.h"
#include "host/facts.h"
#include "host/have.h"
#include "host/vnet.h"

/* Learning under way */
struct learn {
	struct cli *c;
	struct decl *d;
	struct facts *f;
	struct facts live;
	struct host_live *seen;
};

static bool is_dhcp(const struct decl *d, const char *iface)
{
	for (uint32_t i = 0; i < d->dhcp.n; i++)
		if (strcmp(d->dhcp.v[i], iface) == 0)
			return true;
	return false;
}

static bool is_in_rc(const struct decl *d, const char *iface)
{
	for (uint32_t i = 0; i < d->addrs.n; i++)
		if (d->addrs.v[i].is_host && strcmp(d->addrs.v[i].iface, iface) == 0)
			return !is_dhcp(d, iface);
	return false;
}

static bool is_cloned_here(const struct decl *d, const char *iface)
{
	for (uint32_t i = 0; i < d->links.n; i++)
		if (strcmp(d->links.v[i].name, iface) == 0)
			return true;
	return false;
}

static bool is_our_addr(const struct learn *l, const struct rtnl_link *link, struct addr a)
{
	for (uint32_t i = 0; i < l->seen->addrs.list.n; i++) {
		const struct rtnl_addr *x = &l->seen->addrs.list.v[i];

		if (x->ifindex == link->index && addr_equal(x->p.a, a))
			return host_is_our_addr(x);
	}
	return false;
}

/* rc.conf and the live host speak of one interface: do they agree */
static void compare(struct learn *l, const struct iface *live)
{
	for (uint32_t i = 0; i < l->d->addrs.n; i++) {
		const struct decl_addr *x = &l->d->addrs.v[i];
		char buf[ADDR_TEXT_BYTES];
		bool found = false;

		if (!x->is_host || x->is_jails || strcmp(x->iface, live->name) != 0)
			continue;
		for (uint32_t j = 0; j < live->addrs.n; j++)
			found |= addr_equal(live->addrs.v[j].p.a, x->p.a);
		if (!found)
			diag_add(&l->c->diags, DIAG_W1019, x->at,
				 "%s does not have the address %s now", live->name,
				 addr_print(x->p.a, buf));
	}
}

static void take_live(struct learn *l, const struct iface *live)
{
	const struct rtnl_link *link = rtnl_link_find(&l->seen->links,
						      facts_linux_name(live->name));
	struct iface *i;

	/* The declarations know of links of vnet jails all there is to know */
	if (link != NULL && (vnet_is_ours(link) || vnet_is_our_bridge(link)))
		return;
	if (link != NULL && host_is_our_link(link) && !is_cloned_here(l->d, live->name))
		return;
	i = facts_add(l->f, live->name);
	i->is_live = true;
	i->kind = live->kind;
	/* Its name alone makes no loopback of somebody's link: it may lead anywhere */
	if (i->kind == IFACE_CLONED && link != NULL && !host_is_our_link(link) &&
	    !is_cloned_here(l->d, live->name))
		i->kind = IFACE_REAL;
	for (uint32_t g = 0; g < live->groups.n; g++)
		facts_add_group(l->f, i, live->groups.v[g]);
	if (is_cloned_here(l->d, live->name))
		return;
	if (is_in_rc(l->d, live->name)) {
		compare(l, live);
		return;
	}
	for (uint32_t a = 0; a < live->addrs.n; a++)
		if (link == NULL || !is_our_addr(l, link, live->addrs.v[a].p.a))
			facts_add_addr(l->f, i, live->addrs.v[a]);
}

static int learn_live(struct learn *l)
{
	CLEANUP(nl_close) struct nl_session s = { .fd = -1 };
	int err = nl_open(&s, NETLINK_ROUTE);

	l->seen = arena_new(&l->c->arena, struct host_live);
	if (err == 0)
		err = host_live_read(&s, &l->c->arena, l->seen);
	if (err < 0)
		return cli_system(l->c, err, "read the interfaces of this host");
	l->c->seen = l->seen;
	host_facts_live(&l->live, l->seen);
	vnet_name_links(l->d, &l->seen->links);
	for (uint32_t i = 0; i < l->live.ifaces.n; i++)
		take_live(l, &l->live.ifaces.v[i]);
	for (int v = 0; v < 2; v++) {
		l->f->default_if[v] = l->live.default_if[v];
		l->f->default_via[v] = l->live.default_via[v];
	}
	return 0;
}

static int learn_file(struct learn *l)
{
	uint32_t src;
	const int err = sources_read(&l->c->sources, l->c->interfaces, &src);

	if (err < 0) {
		diag_add(&l->c->diags, DIAG_E1001, SPAN_NONE, "cannot read '%s': %s",
			 l->c->interfaces, strerror(-err));
		return EX_NOINPUT;
	}
	host_facts_file(l->f, &l->c->sources, src, &l->c->diags);
	return l->c->diags.n_errors > 0 ? EX_DATAERR : 0;
}

/* The declarations without what rc.conf says of interfaces that the file knows */
static struct decl without_known(const struct learn *l)
{
	struct decl d = *l->d;

	memset(&d.addrs, 0, sizeof(d.addrs));
	for (uint32_t i = 0; i < l->d->addrs.n; i++) {
		const struct decl_addr *x = &l->d->addrs.v[i];

		if (!x->is_host || facts_find(l->f, x->iface) == NULL)
			vec_add(&l->c->arena, &d.addrs, *x);
	}
	return d;
}

/* lo0 is there even if the file says nothing of it, and then it is the first */
static int learn_loopback(struct learn *l)
{
	struct facts named;

	if (facts_find(l->f, "lo0") == NULL) {
		facts_init(l->f, &l->c->arena, &l->c->names);
		return learn_file(l);
	}
	facts_init(&named, &l->c->arena, &l->c->names);
	for (uint32_t i = 0; i < named.ifaces.v[0].addrs.n; i++)
		facts_add_addr(l->f, facts_find(l->f, "lo0"), named.ifaces.v[0].addrs.v[i]);
	return 0;
}

static void add_more(struct cli *c, struct facts *f)
{
	const struct cli_more *m = &c->more;
	struct iface *i = m->iface != NULL ? facts_add(f, m->iface) : NULL;

	if (i != NULL && i->addrs.n > 0)
		i = NULL;	/* something else says which it has */
	for (uint32_t n = 0; i != NULL && n < m->n; n++)
		facts_add_addr(f, i, (struct iface_addr){
			.p = { m->addrs[n], (uint8_t)addr_bits(m->addrs[n].af) },
			.peer = { AF_NONE, 0 } });
	i = m->inside_if != NULL ? facts_add(f, m->inside_if) : NULL;
	if (i == NULL)
		return;
	if (i->kind != IFACE_REAL && i->kind != IFACE_JAIL)
		i = facts_add(f, "inside");	/* a loopback may have other networks too */
	i->kind = IFACE_JAIL;
	for (uint32_t n = 0; n < m->n_inside; n++)
		vec_add(&c->arena, &i->behind, m->inside[n]);
}

static int gather_facts(struct cli *c, struct decl *d, struct facts *f)
{
	struct learn l = { .c = c, .d = d, .f = f };
	struct decl rest;
	int status;

	facts_init(f, &c->arena, &c->names);
	if (c->interfaces == NULL) {
		facts_init(&l.live, &c->arena, &c->names);
		status = learn_live(&l);
		if (status == 0)
			decl_to_facts(d, f);
		return status;
	}
	facts_clear(f);
	status = learn_file(&l);
	if (status != 0)
		return status;
	status = learn_loopback(&l);
	if (status != 0)
		return status;
	rest = without_known(&l);
	decl_to_facts(&rest, f);
	return 0;
}

int cli_facts(struct cli *c, struct decl *d, struct facts *f)
{
	const int status = gather_facts(c, d, f);

	if (status == 0)
		add_more(c, f);
	return status;
}
