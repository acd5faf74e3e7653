/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Order: links are made, addresses removed, addresses added, links removed,
 * settings put back, settings set.  Removing comes before adding because IPv6
 * has an address only once on a link, so a new length needs the old one gone.
 *
 * Removing a primary IPv4 address takes its secondaries along (unless
 * promote_secondaries).  That is not modelled here: the host is read again
 * after each round, and what is missing then is planned again.
 */
#include "host/plan.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "host/addr_index.h"

/**
 * struct planner - What planning needs everywhere
 * @w:		Wanted; NULL when all goes away
 * @h:		There
 * @a:		Memory
 * @diags:	For the user
 * @p:		The plan so far
 */
struct planner {
	const struct host_want *w;
	const struct host_have *h;
	struct arena *a;
	struct diags *diags;
	struct host_plan *p;
};

static const char *const verbs[] = {
	[HOST_LINK_ADD] = "add",
	[HOST_LINK_FINISH] = "change",
	[HOST_LINK_DEL] = "del",
	[HOST_ADDR_ADD] = "add",
	[HOST_ADDR_DEL] = "del",
	[HOST_SYSCTL_SET] = "change",
	[HOST_SYSCTL_BACK] = "change",
	[HOST_SYSCTL_RESUME] = "change",
};

const char *host_op_verb(const struct host_op *op)
{
	return verbs[op->kind];
}

bool host_op_is_sysctl(const struct host_op *op)
{
	return op->kind >= HOST_SYSCTL_SET;
}

static struct host_op *add_op(struct planner *pl, enum host_op_kind kind, const char *name,
			      struct span at)
{
	struct host_op *op = vec_push(pl->a, &pl->p->ops);

	op->kind = kind;
	op->name = name;
	op->at = at;
	return op;
}

static void add_link_op(struct planner *pl, enum host_op_kind kind, const char *name,
			struct span at)
{
	add_op(pl, kind, name, at)->object = arena_printf(pl->a, "link %s", name);
}

static void add_addr_op(struct planner *pl, enum host_op_kind kind, const char *iface,
			const struct rtnl_addr *x, struct span at)
{
	struct host_op *op = add_op(pl, kind, iface, at);
	char text[ADDR_TEXT_BYTES];

	op->addr = *x;
	op->object = arena_printf(pl->a, "address %s on %s", prefix_print(x->p, text), iface);
}

static void add_sysctl_op(struct planner *pl, enum host_op_kind kind, const char *path,
			  const char *value, struct span at)
{
	struct host_op *op = add_op(pl, kind, path, at);

	op->value = value;
	op->object = arena_printf(pl->a, "sysctl %s=%s", sysctl_name(path, pl->a), value);
}

static const char *link_name(const struct planner *pl, uint32_t ifindex)
{
	const struct rtnl_link *l = rtnl_link_at(&pl->h->links, ifindex);

	return l == NULL ? "?" : l->name;
}

/* ---- links ---------------------------------------------------------------- */

/* Is the link needed now: all that is wanted is, unless only some jails are asked for */
static bool is_link_asked(const struct planner *pl, const char *name)
{
	for (uint32_t i = 0; i < pl->w->addrs.n; i++) {
		const struct host_want_addr *x = &pl->w->addrs.v[i];

		if (x->iface != NULL && strcmp(x->iface, name) == 0 &&
		    host_want_is_asked(pl->w, x))
			return true;
	}
	return pl->w->only == NULL;
}

static void plan_link(struct planner *pl, const struct host_want_link *want)
{
	const struct rtnl_link *l = rtnl_link_find(&pl->h->links, want->name);

	if (!is_link_asked(pl, want->name))
		return;
	if (l == NULL) {
		add_link_op(pl, HOST_LINK_ADD, want->name, want->at);
	} else if (!host_is_our_link(l)) {
		diag_add(pl->diags, DIAG_E1801, want->at,
			 "%s is there already and was not made by sallyport", want->name);
		diag_note(pl->diags, SPAN_NONE, "%s is %s%s, put there by somebody else", l->name,
			  l->kind[0] != '\0' ? "a link of kind " : "a device", l->kind);
		diag_help(pl->diags, "remove it, or declare another name");
	} else if (strcmp(l->alias, RTNL_LINK_ALIAS) != 0 || (l->flags & IFF_UP) == 0) {
		add_link_op(pl, HOST_LINK_FINISH, want->name, want->at);
	}
}

/* Does somebody else use this link of ours?  Says by what */
static bool is_in_use(const struct planner *pl, const struct rtnl_link *l, const char **ret_by)
{
	char text[ADDR_TEXT_BYTES];

	for (uint32_t i = 0; i < pl->h->addrs.list.n; i++) {
		const struct rtnl_addr *x = &pl->h->addrs.list.v[i];

		if (x->ifindex != l->index || host_is_our_addr(x) || host_is_kernel_addr(x))
			continue;
		*ret_by = arena_printf(pl->a, "address %s on it", prefix_print(x->p, text));
		return true;
	}
	for (uint32_t i = 0; i < pl->h->links.list.n; i++) {
		if (pl->h->links.list.v[i].master != l->index)
			continue;
		*ret_by = arena_printf(pl->a, "port %s of it", pl->h->links.list.v[i].name);
		return true;
	}
	return false;
}

/* Ours, and not wanted (any more); then its addresses go with it */
static bool is_going(const struct planner *pl, const struct rtnl_link *l)
{
	const char *by;

	return l != NULL && host_is_our_link(l) &&
	       (pl->w == NULL || host_want_find_link(pl->w, l->name) == NULL) &&
	       !is_in_use(pl, l, &by);
}

static void plan_unwanted_link(struct planner *pl, const struct rtnl_link *l)
{
	const char *by;

	if (is_going(pl, l)) {
		add_link_op(pl, HOST_LINK_DEL, l->name, SPAN_NONE);
	} else if (host_is_our_link(l) &&
		   (pl->w == NULL || host_want_find_link(pl->w, l->name) == NULL) &&
		   is_in_use(pl, l, &by)) {
		diag_add(pl->diags, DIAG_W1814, SPAN_NONE, "%s stays: somebody else uses it",
			 l->name);
		diag_note(pl->diags, SPAN_NONE, "%s was put there by somebody else", by);
	}
}

/* ---- addresses ------------------------------------------------------------ */

static bool is_same(const struct rtnl_addr *x, const struct host_want_addr *want)
{
	return x->p.len == want->p.len && addr_equal(x->p.a, want->p.a) &&
	       (addr_equal(x->peer, want->peer) ||
		(x->peer.af == AF_NONE && addr_equal(want->peer, want->p.a)));
}

/* An address of somebody else where ours should be; true when it serves */
static bool use_foreign(struct planner *pl, const struct host_want_addr *want,
			const struct rtnl_addr *x)
{
	char text[ADDR_TEXT_BYTES];

	prefix_print(x->p, text);
	if (host_want_find_link(pl->w, want->iface) == NULL) {
		diag_add(pl->diags, DIAG_N1804, want->at,
			 "%s is on %s already: it is used as it is and not owned", text,
			 want->iface);
		return true;
	}
	diag_add(pl->diags, DIAG_E1802, want->at, "%s cannot be set on %s", text, want->iface);
	diag_note(pl->diags, SPAN_NONE, "already on %s, put there by somebody else", want->iface);
	diag_help(pl->diags, "remove it, or declare another address");
	return true;
}

/* True when the wanted address is there, ours or not */
static bool find_on_link(struct planner *pl, const struct host_want_addr *want,
			 const struct rtnl_link *l)
{
	const struct rtnl_addr *foreign = NULL;

	addr_index_each(pl->h->by_addr, want->p.a, slot) {
		const struct rtnl_addr *x = &pl->h->addrs.list.v[pl->h->by_addr->v[slot].i];

		if (x->ifindex != l->index)
			continue;
		if (host_is_our_addr(x) && is_same(x, want))
			return true;
		if (!host_is_our_addr(x))
			foreign = x;
	}
	return foreign != NULL && use_foreign(pl, want, foreign);
}

static bool is_on_host(const struct planner *pl, struct addr a)
{
	addr_index_each(pl->h->by_addr, a, slot)
		return true;
	return false;
}

static void warn_elsewhere(struct planner *pl, const struct host_want_addr *want)
{
	char text[ADDR_TEXT_BYTES];

	addr_index_each(pl->h->by_addr, want->p.a, slot) {
		const struct rtnl_addr *x = &pl->h->addrs.list.v[pl->h->by_addr->v[slot].i];
		const char *name = link_name(pl, x->ifindex);

		if (host_is_our_addr(x) || strcmp(name, want->iface) == 0)
			continue;
		diag_add(pl->diags, DIAG_W1817, want->at, "%s is also an address of %s",
			 addr_print(x->p.a, text), name);
	}
}

static void plan_addr(struct planner *pl, const struct host_want_addr *want)
{
	struct rtnl_addr x = { .p = want->p, .peer = want->peer, .proto = RTNL_ADDR_PROTO };
	char text[ADDR_TEXT_BYTES];
	const struct rtnl_link *l;

	if (!host_want_is_asked(pl->w, want))
		return;
	if (want->iface == NULL) {
		if (!is_on_host(pl, want->p.a))
			diag_add(pl->diags, DIAG_W1805, want->at,
				 "address %s is on no interface of this host",
				 addr_print(want->p.a, text));
		return;
	}
	l = rtnl_link_find(&pl->h->links, want->iface);
	if (l == NULL && host_want_find_link(pl->w, want->iface) == NULL) {
		diag_add(pl->diags, DIAG_E1803, want->at, "there is no interface %s",
			 want->iface);
		diag_help(pl->diags, "only loN (N >= 1) and cloned_interfaces are made");
		return;
	}
	/* A link of somebody else in the place of ours: that was told, and is all */
	if (l != NULL && !host_is_our_link(l) &&
	    host_want_find_link(pl->w, want->iface) != NULL)
		return;
	warn_elsewhere(pl, want);
	if (l != NULL && find_on_link(pl, want, l))
		return;
	if (want->p.a.af == AF_V6 && !host_has_ip6(pl->h, want->iface)) {
		diag_add(pl->diags, DIAG_E1807, want->at,
			 "IPv6 is turned off on %s: it cannot have %s", want->iface,
			 prefix_print(want->p, text));
		diag_help(pl->diags, "set net.ipv6.conf.%s.disable_ipv6=0",
			  l != NULL ? want->iface : "default");
		return;
	}
	x.ifindex = l == NULL ? 0 : l->index;
	add_addr_op(pl, HOST_ADDR_ADD, want->iface, &x, want->at);
}

/* What is on a link that is there and is not wanted so */
static void plan_unwanted_addr(struct planner *pl, const struct rtnl_addr *x)
{
	const struct rtnl_link *l = rtnl_link_at(&pl->h->links, x->ifindex);
	const struct host_want_addr *want = NULL;
	const struct host_want_link *on = NULL;
	char text[ADDR_TEXT_BYTES];

	if (l == NULL || is_going(pl, l))
		return;
	if (pl->w != NULL) {
		want = host_want_find_addr(pl->w, l->name, x->p.a);
		on = host_want_find_link(pl->w, l->name);
	}
	if (host_is_our_addr(x)) {
		if (want == NULL || !is_same(x, want))
			add_addr_op(pl, HOST_ADDR_DEL, l->name, x,
				    want == NULL ? SPAN_NONE : want->at);
	} else if (on != NULL && want == NULL && host_is_our_link(l) && !host_is_kernel_addr(x)) {
		/* Not an error: the rules of all jails would be at the mercy of one address */
		diag_add(pl->diags, DIAG_W1819, on->at, "%s is on %s and is not declared",
			 prefix_print(x->p, text), l->name);
		diag_note(pl->diags, SPAN_NONE, "put there by somebody else, and left alone");
		diag_help(pl->diags, "remove it, or declare it after removing it");
	}
}

/* ---- settings ------------------------------------------------------------- */

static const struct host_want_sysctl *want_of(const struct planner *pl, const char *path)
{
	for (uint32_t i = 0; pl->w != NULL && i < pl->w->sysctls.n; i++)
		if (strcmp(pl->w->sysctls.v[i].path, path) == 0)
			return &pl->w->sysctls.v[i];
	return NULL;
}

static void plan_saved(struct planner *pl, const struct sysctl_saved *s)
{
	const char *path = s->main.path;
	const char *now = sysctl_find(&pl->h->settings, path);

	if (now == NULL || want_of(pl, path) != NULL)
		return;
	if (strcmp(now, s->main.set) == 0)
		add_sysctl_op(pl, HOST_SYSCTL_BACK, path, s->main.was, SPAN_NONE);
	else
		diag_add(pl->diags, DIAG_N1810, SPAN_NONE,
			 "%s is %s and no longer %s, as it was set here: it stays",
			 sysctl_name(path, pl->a), now, s->main.set);
}

static void plan_sysctl(struct planner *pl, const struct host_want_sysctl *want)
{
	const char *now = sysctl_find(&pl->h->settings, want->path);

	if (now == NULL) {
		diag_add(pl->diags, DIAG_E1818, want->at, "this kernel has no %s",
			 sysctl_name(want->path, pl->a));
		return;
	}
	if (strcmp(now, want->value) == 0)
		return;
	add_sysctl_op(pl, HOST_SYSCTL_SET, want->path, want->value, want->at);
	if (strcmp(want->path, "net/ipv6/conf/all/forwarding") == 0 &&
	    strcmp(want->value, "1") == 0 && pl->h->route6.af == AF_V6 &&
	    pl->h->route6.proto == RTPROT_RA) {
		const char *name = link_name(pl, pl->h->route6.ifindex);

		diag_add(pl->diags, DIAG_W1813, want->at,
			 "the IPv6 default route comes from a router advertisement on %s, and "
			 "Linux ignores those once it forwards", name);
		diag_help(pl->diags, "set net.ipv6.conf.%s.accept_ra=2", name);
	}
}

static void plan_resume(struct planner *pl)
{
	for (uint32_t i = 0; i < pl->h->saved.journal.list.n; i++) {
		const struct sysctl *x = &pl->h->saved.journal.list.v[i];

		add_sysctl_op(pl, HOST_SYSCTL_RESUME, x->path, x->value, SPAN_NONE);
	}
}

static void plan_lost(struct planner *pl)
{
	for (uint32_t i = 0; i < pl->h->settings.list.n; i++) {
		const struct sysctl *x = &pl->h->settings.list.v[i];

		if (sysctl_saved_find(&pl->h->saved, x->path) != NULL)
			continue;
		diag_add(pl->diags, DIAG_N1811, SPAN_NONE,
			 "%s stays %s: what it was before is not recorded (any more)",
			 sysctl_name(x->path, pl->a), x->value);
	}
}

/* ---- all ------------------------------------------------------------------ */

static void plan_unwanted(struct planner *pl)
{
	const struct host_have *h = pl->h;

	for (uint32_t i = 0; i < h->addrs.list.n; i++)
		plan_unwanted_addr(pl, &h->addrs.list.v[i]);
}

static void plan_rest(struct planner *pl)
{
	const struct host_have *h = pl->h;

	for (uint32_t i = 0; i < h->links.list.n; i++)
		plan_unwanted_link(pl, &h->links.list.v[i]);
	plan_resume(pl);
	for (uint32_t i = 0; i < h->saved.saved.n; i++)
		plan_saved(pl, &h->saved.saved.v[i]);
}

void host_plan_make(const struct host_want *w, const struct host_have *h, struct arena *a,
		    struct diags *diags, struct host_plan *ret)
{
	struct planner pl = { w, h, a, diags, ret };

	*ret = (struct host_plan){ 0 };
	for (uint32_t i = 0; i < w->links.n; i++)
		plan_link(&pl, &w->links.v[i]);
	plan_unwanted(&pl);
	for (uint32_t i = 0; i < w->addrs.n; i++)
		plan_addr(&pl, &w->addrs.v[i]);
	plan_rest(&pl);
	for (uint32_t i = 0; i < w->sysctls.n; i++)
		plan_sysctl(&pl, &w->sysctls.v[i]);
}

void host_plan_destroy(const struct host_have *h, struct arena *a, struct diags *diags,
		       struct host_plan *ret)
{
	struct planner pl = { NULL, h, a, diags, ret };

	*ret = (struct host_plan){ 0 };
	if (h->is_saved_lost)
		plan_lost(&pl);
	plan_unwanted(&pl);
	plan_rest(&pl);
}
