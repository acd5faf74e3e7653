/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Loans outlive a reboot, so that an address is a jail's for good, and stand in
 * a directory that all network namespaces share: it has a lock of its own.
 * What is free is asked anew each time: of the declarations, of the kernel's
 * addresses, of the neighbours that it knows, and, before an address of a real
 * interface is lent for the first time, of the network there.  A loan whose owner
 * is declared no more begins to rest with the next run that writes.
 */
#include "cli/pools.h"

#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "host/have.h"
#include "host/pool.h"
#include "host/state.h"
#include "lang/pool.h"
#include "cli/up.h"
#include "nl/neigh_probe.h"

/**
 * struct settle - One look at the pools
 * @c:		Run
 * @d:		Declarations
 * @loans:	Loans
 * @used:	Addresses that are somebody's
 * @now:	Seconds since the epoch
 */
struct settle {
	struct cli *c;
	struct decl *d;
	struct pool_loans loans;
	struct pool_used used;
	uint64_t now;
};

static bool is_off(const struct decl_jail *j, const char *param)
{
	for (uint32_t i = 0; i < j->params.n; i++)
		if (strcmp(j->params.v[i].name, param) == 0 && j->params.v[i].values.n > 0 &&
		    strcmp(j->params.v[i].values.v[0], "new") != 0)
			return true;
	return false;
}

/* Does a jail want an address of this pool: it has none of the family, and may have one */
static bool wants(const struct decl_jail *j, const struct decl_pool *p)
{
	for (uint32_t i = 0; i < j->addrs.n; i++)
		if (j->addrs.v[i].p.a.af == p->net.a.af)
			return false;
	return !j->is_vnet && !is_off(j, p->net.a.af == AF_V4 ? "ip4" : "ip6");
}

static bool is_needed(const struct settle *s)
{
	for (uint32_t i = 0; i < s->d->jails.n; i++)
		for (uint32_t n = 0; n < s->d->jails.v[i].pools.n; n++)
			if (wants(&s->d->jails.v[i], &s->d->jails.v[i].pools.v[n]))
				return true;
	return s->c->next.is_asked;
}

static void use(struct settle *s, struct addr a)
{
	vec_add(&s->c->arena, &s->used.list, a);
}

static void use_declared(struct settle *s)
{
	for (uint32_t i = 0; i < s->d->addrs.n; i++)
		use(s, s->d->addrs.v[i].p.a);
	for (uint32_t i = 0; i < s->d->jails.n; i++)
		for (uint32_t n = 0; n < s->d->jails.v[i].addrs.n; n++)
			use(s, s->d->jails.v[i].addrs.v[n].p.a);
	for (int n = 0; n < 2; n++)
		if (s->d->default_via[n].af != AF_NONE)
			use(s, s->d->default_via[n]);
}

static bool is_lent(const struct settle *s, struct addr a)
{
	for (uint32_t i = 0; i < s->loans.list.n; i++)
		if (addr_equal(s->loans.list.v[i].a, a))
			return true;
	return false;
}

/* What the host and its neighbours have; of ours on the host, the loans say whose it is */
static int use_live(struct settle *s)
{
	CLEANUP(nl_close) struct nl_session nl = { .fd = -1 };
	struct rtnl_addrs addrs = { .list = { .n = 0 } };
	struct neighs neighs = { .list = { .n = 0 } };
	int err = nl_open(&nl, NETLINK_ROUTE);

	if (err == 0)
		err = rtnl_addrs_read(&nl, &s->c->arena, &addrs);
	if (err == 0)
		err = neighs_read(&nl, &s->c->arena, &neighs);
	if (err < 0)
		return err;
	for (uint32_t i = 0; i < addrs.list.n; i++)
		if (!host_is_our_addr(&addrs.list.v[i]) || !is_lent(s, addrs.list.v[i].p.a))
			use(s, addrs.list.v[i].p.a);
	for (uint32_t i = 0; i < neighs.list.n; i++)
		use(s, neighs.list.v[i].a);
	return 0;
}

/* Is an address that is to be lent for the first time a silent neighbour's */
static bool is_neighbours(struct settle *s, const char *iface, struct addr a)
{
	CLEANUP(nl_close) struct nl_session nl = { .fd = -1 };
	struct rtnl_links links = { .list = { .n = 0 } };
	struct neigh_query q = { .a = a };
	const struct rtnl_link *l;

	if (!s->c->is_writing || s->c->dry_run || facts_is_loopback_name(iface) ||
	    nl_open(&nl, NETLINK_ROUTE) < 0 ||
	    rtnl_links_read(&nl, &s->c->arena, &links) < 0)
		return false;
	l = rtnl_link_find(&links, iface);
	if (!up_may_ask(l))
		return false;
	q.ifindex = l->index;
	return neigh_probe(&nl, &q, 1, NEIGH_PROBE_MS) == 0 && q.is_taken;
}

/* Had the owner an address of the pool before this run */
static bool is_lent_to(const struct settle *s, const struct decl_pool *p, const char *owner)
{
	for (uint32_t i = 0; i < s->loans.list.n; i++)
		if (owner[0] != '\0' && strcmp(s->loans.list.v[i].owner, owner) == 0 &&
		    prefix_has(p->net, s->loans.list.v[i].a))
			return true;
	return false;
}

static struct pool_loan *take(struct settle *s, const struct decl_pool *p, const char *owner)
{
	const bool is_old = is_lent_to(s, p, owner);
	char text[ADDR_TEXT_BYTES];
	struct pool_loan *x;

	while ((x = pool_take(&s->loans, &s->c->arena, &s->used, p->iface, p->net, owner,
			      s->now)) != NULL && !is_old && is_neighbours(s, p->iface, x->a)) {
		use(s, x->a);
		pool_drop(&s->loans, x);
	}
	if (x == NULL)
		diag_add(&s->c->diags, DIAG_E1907, p->at, "no address of %s is free",
			 prefix_print(p->net, text));
	else
		x->hold_seconds = p->hold_seconds;
	return x;
}

static void settle_jail(struct settle *s, struct decl_jail *j)
{
	for (uint32_t n = 0; n < j->pools.n; n++) {
		const struct decl_pool *p = &j->pools.v[n];
		const struct pool_loan *x = wants(j, p) ? take(s, p, j->name) : NULL;

		if (x != NULL)
			vec_add(&s->c->arena, &j->addrs, ((struct decl_addr){
				.iface = p->iface, .p = { x->a, addr_bits(x->a.af) },
				.jail = j->name, .at = p->at }));
	}
}

static bool is_owner(const struct decl_jail *j, const struct pool_loan *x)
{
	for (uint32_t i = 0; j != NULL && i < j->addrs.n; i++)
		if (addr_equal(j->addrs.v[i].p.a, x->a))
			return true;
	return false;
}

/* Loans whose owner has them no more begin to rest */
static void rest(struct settle *s)
{
	for (uint32_t i = 0; i < s->loans.list.n; i++) {
		struct pool_loan *x = &s->loans.list.v[i];

		if (x->until == 0 && !is_owner(decl_find_jail(s->d, x->owner), x))
			x->until = s->now + x->hold_seconds;
	}
}

/* ---- alias next ------------------------------------------------------------ */

static bool is_chosen(const struct decl_pool *p, const char *which)
{
	char text[ADDR_TEXT_BYTES];

	prefix_print(p->net, text);
	return which == NULL || strcmp(which, p->iface) == 0 || strcmp(which, text) == 0;
}

/* The first pool that fits, the same of all jails, or that of the named one; NULL: told */
static const struct decl_pool *find_pool(struct settle *s)
{
	const struct decl_jail *own = decl_find_jail(s->d, s->c->next.owner);
	const struct decl_pool *found = NULL;
	bool is_one = true;

	for (uint32_t i = 0; i < s->d->jails.n; i++) {
		const struct decl_jail *j = &s->d->jails.v[i];

		for (uint32_t n = 0; n < j->pools.n; n++) {
			const struct decl_pool *p = &j->pools.v[n];

			if ((own != NULL && own->pools.n > 0 && own != j) ||
			    !is_chosen(p, s->c->pool))
				continue;
			is_one &= found == NULL || (strcmp(found->iface, p->iface) == 0 &&
						    addr_equal(found->net.a, p->net.a));
			if (found == NULL)
				found = p;
			break;
		}
	}
	if (found != NULL && is_one)
		return found;
	diag_add(&s->c->diags, DIAG_E1908, SPAN_NONE, "%s pool is declared",
		 found != NULL ? "more than one" : s->c->pool != NULL ? "no such" : "no");
	diag_help(&s->c->diags, "say it: --pool \"lo1|10.0.0.0/24\"");
	return NULL;
}

/* --pool "lo1|10.0.0.0/24" needs no declaration */
static const struct decl_pool *given_pool(struct settle *s)
{
	struct lang_ctx ctx = {
		.a = &s->c->arena, .names = &s->c->names, .sources = &s->c->sources,
		.diags = &s->c->diags,
	};
	struct decl_pool *p = arena_new(&s->c->arena, struct decl_pool);
	uint32_t src;

	if (s->c->pool == NULL || strchr(s->c->pool, '|') == NULL)
		return find_pool(s);
	src = sources_add(&s->c->sources, "--pool", s->c->pool, (uint32_t)strlen(s->c->pool),
			  SPAN_NONE);
	return pool_read(&ctx, src, p) ? p : NULL;
}

static const struct pool_loan *find_own(const struct settle *s, const struct decl_pool *p)
{
	const struct decl_jail *j = decl_find_jail(s->d, s->c->next.owner);

	for (uint32_t i = 0; i < s->loans.list.n; i++)
		if (strcmp(s->loans.list.v[i].owner, s->c->next.owner) == 0 &&
		    prefix_has(p->net, s->loans.list.v[i].a) && is_owner(j, &s->loans.list.v[i]))
			return &s->loans.list.v[i];
	return NULL;
}

static void settle_next(struct settle *s)
{
	const struct decl_pool *p = given_pool(s);
	const struct pool_loan *own = p == NULL ? NULL : find_own(s, p);
	struct pool_loan *x;

	if (p == NULL)
		return;
	if (own == NULL) {
		x = take(s, p, s->c->next.owner);
		if (x == NULL)
			return;
		x->until = s->now + MAX(p->hold_seconds, POOLS_HAND_OUT_SECONDS);
		own = x;
	}
	s->c->next.iface = own->iface;
	s->c->next.a = own->a;
}

/* ---- all ------------------------------------------------------------------- */

static int settle(struct settle *s, int lib_fd)
{
	int err = lib_fd >= 0 ? pool_load(lib_fd, &s->c->arena, &s->loans) : 0;

	if (err == 0 && is_needed(s))
		err = use_live(s);
	if (err < 0)
		return err;
	use_declared(s);
	for (uint32_t i = 0; i < s->d->jails.n; i++)
		settle_jail(s, &s->d->jails.v[i]);
	rest(s);
	if (s->c->next.is_asked)
		settle_next(s);
	return s->c->is_writing && lib_fd >= 0 && s->loans.list.n > 0 &&
	       s->c->diags.n_errors == 0 ? pool_save(lib_fd, &s->loans) : 0;
}

int pools_settle(struct cli *c, struct decl *d)
{
	struct settle s = { .c = c, .d = d, .now = (uint64_t)time(NULL) };
	const bool needed = is_needed(&s);
	int lib_fd CLEANUP(base_fd_close) = -1;
	int err = 0;

	if (!needed && !c->is_writing)
		return 0;
	lib_fd = state_lib_open(c->state_dir, needed && c->is_writing ? STATE_WRITE : STATE_READ);
	/* Who only looks may do so without the loans; so does who has none */
	if (lib_fd < 0 && needed && c->is_writing)
		err = lib_fd;
	if (err == 0 && lib_fd >= 0 && c->is_writing && flock(lib_fd, LOCK_EX) < 0)
		err = -errno;
	if (err == 0)
		err = settle(&s, lib_fd);
	if (err < 0)
		return cli_system(c, err, "keep the addresses of pools");
	return c->diags.n_errors > 0 ? EX_DATAERR : 0;
}
