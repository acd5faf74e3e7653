/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Files are lowered one by one, in any order, so nothing that needs two of
 * them is decided before decl_finish(): whether an interface of rc.conf is
 * cloned may follow from a jail, and who claims an address from all.
 *
 * Conflicts are found by sorting all claims by address and looking at each
 * run of equal addresses: O(n log n) for the 65536 addresses that a range may
 * expand to.  Within a run the order of declaration is kept, so the second is
 * the one that is told, with the first as its note.
 */
#include "model/decl_site.h"
#include "model/decl_vnet.h"

#include <stdlib.h>
#include <string.h>

/**
 * struct claim - One declaration of an address, while conflicts are sought
 * @addr:	The declaration, in @decl.addrs or in a jail
 * @order:	Of declaration; rc.conf's before those of jails
 * @is_rc:	It is rc.conf's
 */
struct claim {
	struct decl_addr *addr;
	uint32_t order;
	bool is_rc;
};

struct claims {
	VEC(struct claim) list;
};

void decl_init(struct decl *d, struct arena *a, struct intern *names)
{
	*d = (struct decl){
		.a = a,
		.names = names,
		.pf_enable = -1,
		.gateway = -1,
		.gateway6 = -1,
		.jail_enable = -1,
	};
}

struct decl_jail *decl_find_jail(const struct decl *d, const char *name)
{
	for (uint32_t i = 0; i < d->jails.n; i++)
		if (strcmp(d->jails.v[i].name, name) == 0)
			return &d->jails.v[i];
	return NULL;
}

bool decl_has_link(const struct decl *d, const char *name)
{
	for (uint32_t i = 0; i < d->links.n; i++)
		if (strcmp(d->links.v[i].name, name) == 0)
			return true;
	return false;
}

void decl_add_link(struct decl *d, const char *name, struct span at)
{
	if (!decl_has_link(d, name))
		vec_add(d->a, &d->links,
			((struct decl_link){ .name = intern_cstr(d->names, name), .at = at }));
}

void decl_set_sysctl(struct decl *d, const char *name, const char *value, struct span at)
{
	const struct decl_sysctl set = { intern_cstr(d->names, name), value, at };

	for (uint32_t i = 0; i < d->sysctls.n; i++) {
		if (strcmp(d->sysctls.v[i].name, name) == 0) {
			d->sysctls.v[i] = set;
			return;
		}
	}
	vec_add(d->a, &d->sysctls, set);
}

const char *const *decl_jail_names(const struct decl *d)
{
	const char **names = arena_array(d->a, const char *, d->jails.n + 1);

	for (uint32_t i = 0; i < d->jails.n; i++)
		names[i] = d->jails.v[i].name;
	return names;
}

static void enable_jails(struct decl *d, struct diags *diags)
{
	for (uint32_t i = 0; i < d->jails.n; i++)
		d->jails.v[i].is_enabled = !d->has_jail_list && d->jail_enable != 0;
	for (uint32_t i = 0; i < d->jail_list.n; i++) {
		struct decl_jail *j = decl_find_jail(d, d->jail_list.v[i]);
		const char *near;

		if (j != NULL) {
			j->is_enabled = d->jail_enable != 0;
			continue;
		}
		diag_add(diags, DIAG_E1427, d->jail_list_at,
			 "jail '%s' in jail_list is not declared", d->jail_list.v[i]);
		near = diag_nearest(d->jail_list.v[i], decl_jail_names(d));
		if (near != NULL)
			diag_help(diags, "did you mean '%s'?", near);
	}
	for (uint32_t i = 0; i < d->runs.list.n; i++) {
		struct decl_jail *j = decl_find_jail(d, d->runs.list.v[i].name);

		if (j == NULL)
			continue;
		j->is_enabled |= d->runs.list.v[i].is_up;
		j->is_down = !d->runs.list.v[i].is_up;
	}
	if (d->jail_enable == 0 && d->jails.n > 0)
		diag_add(diags, DIAG_N1429, d->jail_enable_at,
			 "jail_enable is NO, so no jail is to be up");
}

static bool is_cloned_name(const char *name)
{
	return facts_is_loopback_name(name) && strcmp(name, "lo0") != 0;
}

static void clone_for_jails(struct decl *d)
{
	for (uint32_t i = 0; i < d->jails.n; i++) {
		const struct decl_jail *j = &d->jails.v[i];

		for (uint32_t n = 0; n < j->addrs.n; n++)
			if (j->addrs.v[n].iface != NULL && is_cloned_name(j->addrs.v[n].iface) &&
			    !decl_has_link(d, j->addrs.v[n].iface)) {
				decl_add_link(d, j->addrs.v[n].iface, j->addrs.v[n].at);
				d->links.v[d->links.n - 1].for_jails = true;
			}
	}
}

/* Has the interface another address of the family before this one, or this one no network */
static bool is_alias(const struct decl *d, uint32_t at)
{
	const struct decl_addr *a = &d->addrs.v[at];

	if (a->p.len == addr_bits(a->p.a.af))
		return true;
	for (uint32_t i = 0; i < at; i++)
		if (d->addrs.v[i].p.a.af == a->p.a.af &&
		    strcmp(d->addrs.v[i].iface, a->iface) == 0)
			return true;
	return false;
}

static void settle_rc_addrs(struct decl *d, struct diags *diags)
{
	for (uint32_t i = 0; i < d->addrs.n; i++) {
		struct decl_addr *a = &d->addrs.v[i];

		a->is_host = !decl_has_link(d, a->iface);
		a->is_alias = a->is_host && is_alias(d, i);
		if (!a->is_host || !is_cloned_name(a->iface))
			continue;
		diag_add(diags, DIAG_W1431, a->at,
			 "'%s' gets addresses but is not in cloned_interfaces", a->iface);
	}
}

static int claim_cmp(const void *x, const void *y)
{
	const struct claim *a = x, *b = y;
	const struct addr p = a->addr->p.a, q = b->addr->p.a;

	if (p.af != q.af)
		return p.af < q.af ? -1 : 1;
	if (p.v != q.v)
		return p.v < q.v ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

static void tell_ways(struct diags *diags, const struct decl_addr *a, const struct decl_addr *b)
{
	char text[ADDR_TEXT_BYTES];

	if (strcmp(a->iface, b->iface) != 0)
		diag_add(diags, DIAG_E1426, b->at, "%s is declared on %s and on %s",
			 addr_print(b->p.a, text), b->iface, a->iface);
	else
		diag_add(diags, DIAG_E1426, b->at, "%s is declared with length /%u and /%u",
			 addr_print(b->p.a, text), b->p.len, a->p.len);
	diag_note(diags, a->at, "the other declaration is here");
}

/* The declarer of @a says the same again as @b: once is enough; the one that stays */
static struct decl_addr *settle_repeat(struct decl_addr *a, struct decl_addr *b,
				       struct diags *diags)
{
	if (a->iface == NULL && b->iface != NULL) {
		a->p.a.af = AF_NONE;
		return b;
	}
	if (b->iface != NULL && (strcmp(a->iface, b->iface) != 0 || a->p.len != b->p.len))
		tell_ways(diags, a, b);
	else
		b->p.a.af = AF_NONE;
	return a;
}

/* Jail's claim @b of an address that rc.conf declares as @rc */
static void settle_rc_and_jail(struct decl_addr *rc, struct decl_addr *b, struct diags *diags)
{
	char text[ADDR_TEXT_BYTES];

	if (rc->jail == NULL)
		rc->jail = b->jail;
	if (b->iface == NULL)
		return;
	if (rc->is_host && strcmp(rc->iface, b->iface) == 0) {
		b->is_host = true;
		rc->is_jails = rc->is_alias;
		diag_add(diags, DIAG_N1428, b->at, rc->is_alias ?
			 "%s is an alias of %s itself: it stays when the jail goes" :
			 "%s is %s's own address: used as it is",
			 addr_print(b->p.a, text), b->iface);
		diag_note(diags, rc->at, "declared here");
	} else if (strcmp(rc->iface, b->iface) != 0 || rc->p.len != b->p.len) {
		tell_ways(diags, rc, b);
	}
}

/* The second of two jails that have one address */
static void settle_two_jails(const struct decl_addr *a, const struct decl_addr *b,
			     struct diags *diags)
{
	char text[ADDR_TEXT_BYTES];

	if (!a->is_shared && !b->is_shared) {
		diag_add(diags, DIAG_E1425, b->at, "jails '%s' and '%s' both declare %s", a->jail,
			 b->jail, addr_print(b->p.a, text));
		diag_note(diags, a->at, "the other declaration is here");
	} else if (a->iface != NULL && b->iface != NULL &&
		   (strcmp(a->iface, b->iface) != 0 || a->p.len != b->p.len)) {
		tell_ways(diags, a, b);
	}
}

/* All claims of one address, in the order of declaration */
static void settle_run(struct claim *run, uint32_t n, struct diags *diags)
{
	struct decl_addr *rc = NULL, *jail = NULL;

	for (uint32_t i = 0; i < n; i++) {
		struct decl_addr *a = run[i].addr;

		if (run[i].is_rc) {
			if (rc != NULL)
				rc = settle_repeat(rc, a, diags);
			else
				rc = a;
			continue;
		}
		if (jail == NULL) {
			jail = a;
			if (rc != NULL)
				settle_rc_and_jail(rc, a, diags);
		} else if (strcmp(jail->jail, a->jail) == 0) {
			jail = settle_repeat(jail, a, diags);
		} else {
			settle_two_jails(jail, a, diags);
			if (rc != NULL)
				settle_rc_and_jail(rc, a, diags);
		}
	}
}

static void add_claim(struct decl *d, struct claims *all, struct decl_addr *a, bool is_rc)
{
	vec_add(d->a, &all->list, ((struct claim){ a, all->list.n, is_rc }));
}

static void settle_claims(struct decl *d, struct diags *diags)
{
	struct claims all = { 0 };
	uint32_t end;

	for (uint32_t i = 0; i < d->addrs.n; i++)
		add_claim(d, &all, &d->addrs.v[i], true);
	for (uint32_t i = 0; i < d->jails.n; i++) {
		struct decl_jail *j = &d->jails.v[i];

		for (uint32_t n = 0; n < j->addrs.n && j->is_enabled; n++)
			add_claim(d, &all, &j->addrs.v[n], false);
	}
	if (all.list.n < 2)
		return;
	qsort(all.list.v, all.list.n, sizeof(all.list.v[0]), claim_cmp);
	for (uint32_t i = 0; i < all.list.n; i = end) {
		const struct addr same = all.list.v[i].addr->p.a;

		for (end = i + 1; end < all.list.n; end++)
			if (!addr_equal(all.list.v[end].addr->p.a, same))
				break;
		settle_run(&all.list.v[i], end - i, diags);
	}
}

/* Drop what settle_repeat() marked; the number left */
static uint32_t drop_repeats(struct decl_addr *v, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++)
		if (v[i].p.a.af != AF_NONE)
			v[kept++] = v[i];
	return kept;
}

void decl_finish(struct decl *d, struct diags *diags)
{
	enable_jails(d, diags);
	decl_vnets_start(d, diags);
	clone_for_jails(d);
	settle_rc_addrs(d, diags);
	settle_claims(d, diags);
	d->addrs.n = drop_repeats(d->addrs.v, d->addrs.n);
	for (uint32_t i = 0; i < d->jails.n; i++)
		d->jails.v[i].addrs.n = drop_repeats(d->jails.v[i].addrs.v,
						     d->jails.v[i].addrs.n);
	decl_vnets_finish(d, diags);
	decl_check_sites(d, diags);
}

static void addr_to_facts(const struct decl_addr *a, struct facts *f)
{
	if (a->iface != NULL)
		facts_add_addr(f, facts_add(f, a->iface),
			       (struct iface_addr){ .p = a->p, .peer = a->peer, .at = a->at });
}

/* The interface whose network has the gateway @via, or NULL */
static const char *iface_towards(const struct facts *f, struct addr via)
{
	for (uint32_t i = 0; i < f->ifaces.n; i++) {
		const struct iface *ifp = &f->ifaces.v[i];

		for (uint32_t n = 0; n < ifp->addrs.n; n++)
			if (prefix_has(ifp->addrs.v[n].p, via) ||
			    addr_equal(ifp->addrs.v[n].peer, via))
				return ifp->name;
	}
	return NULL;
}

static void defaults_to_facts(const struct decl *d, struct facts *f)
{
	for (int n = 0; n < 2; n++) {
		const char *iface = d->default_if[n];

		if (d->default_via[n].af == AF_NONE)
			continue;
		if (iface == NULL)
			iface = iface_towards(f, d->default_via[n]);
		f->default_via[n] = d->default_via[n];
		if (iface != NULL)
			f->default_if[n] = facts_add(f, iface)->name;
	}
}

void decl_to_facts(const struct decl *d, struct facts *f)
{
	for (uint32_t i = 0; i < d->links.n; i++) {
		struct iface *ifp = facts_add(f, d->links.v[i].name);

		ifp->kind = IFACE_CLONED;
		facts_add_group(f, ifp, "lo");
	}
	for (uint32_t i = 0; i < d->addrs.n; i++)
		addr_to_facts(&d->addrs.v[i], f);
	for (uint32_t i = 0; i < d->dhcp.n; i++)
		facts_add(f, d->dhcp.v[i]);
	for (uint32_t i = 0; i < d->jails.n; i++) {
		const struct decl_jail *j = &d->jails.v[i];

		if (j->is_vnet && j->is_enabled)
			decl_vnet_to_facts(j, f);
		for (uint32_t n = 0; n < j->addrs.n && j->is_enabled && !j->is_vnet; n++)
			addr_to_facts(&j->addrs.v[n], f);
	}
	defaults_to_facts(d, f);
}

const struct decl_jail *decl_jail_of(const struct decl *d, struct addr a)
{
	const struct decl_jail *down = NULL;

	for (uint32_t i = 0; i < d->jails.n; i++) {
		const struct decl_jail *j = &d->jails.v[i];

		for (uint32_t n = 0; n < j->addrs.n; n++) {
			if (!addr_equal(j->addrs.v[n].p.a, a))
				continue;
			if (j->is_enabled)
				return j;
			if (down == NULL)
				down = j;
		}
	}
	return down;
}
