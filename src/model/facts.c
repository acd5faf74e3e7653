/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A host has tens of interfaces and some thousand addresses, and they are
 * looked up while compiling, never per packet: plain arrays, searched from the
 * front, keep the host's order, which says what address is primary.
 */
#include "model/facts.h"

#include <string.h>

static void add_text(struct facts *f, struct iface *i, const char *text)
{
	struct iface_addr addr = { .at = SPAN_NONE };

	BUG_IF(prefix_parse(text, strlen(text), &addr.p) < 0);
	facts_add_addr(f, i, addr);
}

void facts_init(struct facts *f, struct arena *a, struct intern *names)
{
	struct iface *lo0;

	*f = (struct facts){ .a = a, .names = names };
	lo0 = facts_add(f, "lo0");
	add_text(f, lo0, "127.0.0.1/8");
	add_text(f, lo0, "::1/128");
}

struct iface *facts_find(const struct facts *f, const char *name)
{
	for (uint32_t i = 0; i < f->ifaces.n; i++)
		if (strcmp(f->ifaces.v[i].name, name) == 0)
			return &f->ifaces.v[i];
	return NULL;
}

struct iface *facts_add(struct facts *f, const char *name)
{
	struct iface *i = facts_find(f, name);

	if (i != NULL)
		return i;
	i = vec_push(f->a, &f->ifaces);
	i->id = intern_cid(f->names, name);
	i->name = intern_name(f->names, i->id);
	i->kind = !facts_is_loopback_name(name) ? IFACE_REAL :
		  strcmp(name, "lo0") == 0 ? IFACE_LO : IFACE_CLONED;
	if (i->kind != IFACE_REAL)
		facts_add_group(f, i, "lo");
	return i;
}

static bool is_member(const struct iface *i, const char *group)
{
	for (uint32_t g = 0; g < i->groups.n; g++)
		if (strcmp(i->groups.v[g], group) == 0)
			return true;
	return false;
}

void facts_add_group(struct facts *f, struct iface *i, const char *group)
{
	if (!is_member(i, group))
		vec_add(f->a, &i->groups, intern_cstr(f->names, group));
}

void facts_add_addr(struct facts *f, struct iface *i, struct iface_addr addr)
{
	for (uint32_t n = 0; n < i->addrs.n; n++) {
		struct iface_addr *have = &i->addrs.v[n];

		if (!addr_equal(have->p.a, addr.p.a))
			continue;
		/* The first to speak keeps its length; both may add what they alone know */
		have->is_live |= addr.is_live;
		if (have->at.src == 0)
			have->at = addr.at;
		return;
	}
	vec_add(f->a, &i->addrs, addr);
}

bool facts_has_group(const struct facts *f, const struct iface *i, const char *group)
{
	if (strcmp(group, "lo") == 0 && (i->kind == IFACE_LO || i->kind == IFACE_CLONED))
		return true;
	if (strcmp(group, "egress") == 0)
		for (int n = 0; n < 2; n++)
			if (f->default_if[n] != NULL && strcmp(f->default_if[n], i->name) == 0)
				return true;
	return is_member(i, group);
}

bool facts_is_group(const struct facts *f, const char *group)
{
	if (strcmp(group, "lo") == 0 || strcmp(group, "egress") == 0)
		return true;
	for (uint32_t i = 0; i < f->ifaces.n; i++)
		if (is_member(&f->ifaces.v[i], group))
			return true;
	return false;
}

const char *facts_linux_name(const char *name)
{
	return strcmp(name, "lo0") == 0 ? "lo" : name;
}

const char *facts_freebsd_name(const char *name)
{
	return strcmp(name, "lo") == 0 ? "lo0" : name;
}

bool facts_is_loopback_name(const char *name)
{
	if (strncmp(name, "lo", 2) != 0 || name[2] == '\0')
		return false;
	return name[2 + strspn(name + 2, "0123456789")] == '\0';
}

const struct set *facts_local(const struct facts *f)
{
	struct ranges all = { 0 };

	for (uint32_t i = 0; i < f->ifaces.n; i++) {
		const struct iface *ifp = &f->ifaces.v[i];

		for (uint32_t n = 0; n < ifp->addrs.n; n++) {
			const struct addr a = ifp->addrs.v[n].p.a;

			ranges_add(f->a, &all, a.af, a.v, a.v);
		}
	}
	return set_make(f->a, &all);
}

const struct iface *facts_iface_of(const struct facts *f, struct addr a)
{
	for (uint32_t i = 0; i < f->ifaces.n; i++) {
		const struct iface *ifp = &f->ifaces.v[i];

		for (uint32_t n = 0; n < ifp->addrs.n; n++)
			if (addr_equal(ifp->addrs.v[n].p.a, a))
				return ifp;
	}
	return NULL;
}

const char *facts_crossed(const struct facts *f, const char *ifname, struct addr dst)
{
	const struct iface *i;

	if (strcmp(ifname, "lo0") != 0)
		return ifname;
	i = facts_iface_of(f, dst);
	return i != NULL && i->kind == IFACE_CLONED ? i->name : ifname;
}
