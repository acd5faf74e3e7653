/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A host has tens of interfaces, in a plain array, but may have 65536 addresses
 * in a single range: arrays keep the host's order, which says what address is
 * primary, and a hash beside them finds one.  Interface names are looked up
 * while compiling only; addresses also for each packet that crosses lo0.
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

void facts_clear(struct facts *f)
{
	memset(&f->ifaces, 0, sizeof(f->ifaces));
	f->slot = NULL;
	f->n_slots = 0;
	f->n_addrs = 0;
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

static uint32_t addr_hash(struct addr a)
{
	const u128 v = (a.v ^ a.af) * (((u128)0x9e3779b97f4a7c15 << 64) | 0xf39cc0605cedc835);

	return (uint32_t)(v >> 96);
}

/* The slot of @a, on interface number @iface or (0) on any; a free one if there is none */
static struct facts_slot *find_slot(const struct facts *f, struct addr a, uint32_t iface)
{
	uint32_t at = addr_hash(a) & (f->n_slots - 1);

	for (;; at = (at + 1) & (f->n_slots - 1)) {
		struct facts_slot *s = &f->slot[at];

		if (s->iface == 0)
			return s;
		if ((iface == 0 || s->iface == iface) &&
		    addr_equal(f->ifaces.v[s->iface - 1].addrs.v[s->addr].p.a, a))
			return s;
	}
}

static void grow_slots(struct facts *f)
{
	f->n_slots = MAX(64u, f->n_slots * 2);
	f->slot = arena_array(f->a, struct facts_slot, f->n_slots);
	for (uint32_t i = 0; i < f->ifaces.n; i++)
		for (uint32_t n = 0; n < f->ifaces.v[i].addrs.n; n++)
			*find_slot(f, f->ifaces.v[i].addrs.v[n].p.a, i + 1) =
				(struct facts_slot){ i + 1, n };
}

void facts_add_addr(struct facts *f, struct iface *i, struct iface_addr addr)
{
	const uint32_t iface = (uint32_t)(i - f->ifaces.v) + 1;
	struct facts_slot *s;

	if (f->n_addrs >= f->n_slots / 2)
		grow_slots(f);
	s = find_slot(f, addr.p.a, iface);
	if (s->iface != 0) {
		struct iface_addr *have = &i->addrs.v[s->addr];

		/* The first to speak keeps its length; both may add what they alone know */
		have->is_live |= addr.is_live;
		if (have->at.src == 0)
			have->at = addr.at;
		return;
	}
	*s = (struct facts_slot){ iface, i->addrs.n };
	f->n_addrs++;
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
	const struct facts_slot *s = f->n_slots > 0 ? find_slot(f, a, 0) : NULL;

	return s != NULL && s->iface != 0 ? &f->ifaces.v[s->iface - 1] : NULL;
}

bool facts_is_own(const struct facts *f, struct addr a)
{
	return addr_is_loopback(a) || facts_iface_of(f, a) != NULL;
}

bool iface_leads_to(const struct iface *i, struct addr a)
{
	for (uint32_t k = 0; k < i->addrs.n; k++)
		if (prefix_has(i->addrs.v[k].p, a))
			return true;
	for (uint32_t k = 0; k < i->behind.n; k++)
		if (prefix_has(i->behind.v[k], a))
			return true;
	return false;
}

const char *facts_crossed(const struct facts *f, const char *ifname, struct addr dst)
{
	const struct iface *i;

	if (strcmp(ifname, "lo0") != 0)
		return ifname;
	i = facts_iface_of(f, dst);
	return i != NULL && i->kind == IFACE_CLONED ? i->name : ifname;
}

/* The longest network of an interface that has @a, -1 for none */
static int network_of(const struct iface *i, struct addr a)
{
	int len = -1;

	for (uint32_t k = 0; k < i->addrs.n; k++) {
		const struct iface_addr *ia = &i->addrs.v[k];

		if (addr_equal(ia->p.a, a) || addr_equal(ia->peer, a))
			return (int)addr_bits(a.af);
		if (ia->p.a.af == a.af && prefix_has(ia->p, a) && ia->p.len > len)
			len = ia->p.len;
	}
	return len;
}

uint8_t facts_route_back(const struct facts *f, struct addr a, uint32_t iface)
{
	const char *def = f->default_if[a.af == AF_V6];
	bool is_here = iface == 0;
	int best = -1;

	for (uint32_t i = 0; i < f->ifaces.n; i++) {
		const int len = network_of(&f->ifaces.v[i], a);

		if (f->ifaces.v[i].id == iface && f->ifaces.v[i].kind != IFACE_REAL &&
		    f->ifaces.v[i].kind != IFACE_JAIL)
			return ROUTE_HERE;
		if (len < 0 || len < best)
			continue;
		if (len > best)
			is_here = iface == 0;
		best = len;
		is_here |= f->ifaces.v[i].id == iface;
	}
	if (best < 0 && def == NULL)
		return addr_is_multicast(a) || (a.af == AF_V4 && a.v == UINT32_MAX) ? ROUTE_HERE
										     : ROUTE_NONE;
	if (best < 0 && iface != 0)
		is_here = facts_find(f, def) != NULL && facts_find(f, def)->id == iface;
	return is_here ? ROUTE_HERE : ROUTE_ELSEWHERE;
}
