/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The kernel says what is ours: a link is in our group from its first moment, and
 * gets an ifalias with the jail's name as the last step of its making.  One of
 * our group without that name was left by a run that was killed: it is deleted,
 * and made anew.  A jail that was restarted has another namespace; the old link
 * went with the old one, or leads elsewhere, which its number of the other end's
 * namespace shows.  Before the name stands what the link was made of (vnet_mark()):
 * one of another declaration is deleted and made anew.
 *
 * Deleting a link waits for all CPUs to forget it, 20 ms each; a whole group
 * waits once.  So what goes is put into a group of its own first.
 */
#include "host/vnet_ns.h"

#include <net/if.h>
#include <string.h>

#include "base/fnv.h"
#include "host/file.h"
#include "nl/rtnl_rule.h"
#include "nl/rtnl_veth.h"

#define MARK_BYTES	8u	/* of vnet_mark() */

bool vnet_is_ours(const struct rtnl_link *l)
{
	if (strcmp(l->kind, "veth") != 0)
		return false;
	return vnet_jail_of(l) != NULL || ((l->group == VNET_GROUP ||
		l->group == VNET_GROUP_GONE) && l->alias[0] == '\0');
}

const char *vnet_jail_of(const struct rtnl_link *l)
{
	const size_t len = strlen(VNET_ALIAS);
	const char *mark = l->alias + len, *name;

	if (strcmp(l->kind, "veth") != 0 || l->group == VNET_GROUP_GONE ||
	    strncmp(l->alias, VNET_ALIAS, len) != 0)
		return NULL;
	name = strchr(mark, ' ');
	return name == NULL ? mark : name + 1;
}

const char *vnet_mark(struct arena *a, const struct decl_jail *j)
{
	const struct decl_vnet *v = &j->vnet;
	char text[ADDR_TEXT_BYTES], other[ADDR_TEXT_BYTES];
	const char *all = arena_printf(a, "%s %s %d %s %s", v->jail_if,
				       v->bridge != NULL ? v->bridge : "", v->is_isolated,
				       addr_print(decl_vnet_gateway(j, AF_V4), text),
				       addr_print(decl_vnet_gateway(j, AF_V6), other));
	uint64_t sum;

	for (uint32_t i = 0; i < j->addrs.n; i++)
		all = arena_printf(a, "%s %s/%u", all, addr_print(j->addrs.v[i].p.a, text),
				   j->addrs.v[i].p.len);
	sum = fnv64(FNV64_START, all, strlen(all));
	return arena_printf(a, "%08x", (uint32_t)(sum ^ sum >> 32));
}

const char *vnet_op_verb(const struct vnet_op *op)
{
	const bool is_part = op->route != NULL || op->gateway != 0;

	return op->is_del ? "del" : op->link != NULL && !is_part ? "change" : "add";
}

bool vnet_is_our_bridge(const struct rtnl_link *l)
{
	return strcmp(l->kind, "bridge") == 0 &&
	       (strcmp(l->alias, VNET_BRIDGE_ALIAS) == 0 ||
		(l->alias[0] == '\0' && l->group == VNET_GROUP));
}

/* ---- names ---------------------------------------------------------------- */

static const char *link_of_jail(void *arg, const char *jail)
{
	const struct rtnl_links *links = arg;

	for (uint32_t i = 0; i < links->list.n; i++) {
		const char *of = vnet_jail_of(&links->list.v[i]);

		if (of != NULL && strcmp(of, jail) == 0)
			return links->list.v[i].name;
	}
	return NULL;
}

static bool has_link(void *arg, const char *name)
{
	const struct rtnl_link *l = rtnl_link_find(arg, name);

	return l != NULL && (!vnet_is_ours(l) || vnet_jail_of(l) != NULL);
}

static bool is_foreign(void *arg, const char *name)
{
	const struct rtnl_link *l = rtnl_link_find(arg, name);

	return l != NULL && !vnet_is_our_bridge(l);
}

void vnet_name_links(struct decl *d, const struct rtnl_links *links)
{
	const struct decl_links have = { link_of_jail, has_link, is_foreign,
					 (void *)(uintptr_t)links };

	decl_name_vnets(d, &have);
}

/* ---- plan ----------------------------------------------------------------- */

struct planner {
	const struct decl *d;
	const char *const *only;
	const struct vnet_place *place;
	struct host *h;
	const struct host_have *have;
	struct rtnl_ways ways[2];	/* [0] IPv4; none where no jail is linked */
	struct vnet_plan *p;
};

static bool is_wanted(const struct decl_jail *j)
{
	return j != NULL && j->is_vnet && j->is_enabled && !j->is_down;
}

static bool is_asked(const char *const *only, const struct decl_jail *j)
{
	for (size_t i = 0; only != NULL && only[i] != NULL; i++)
		if (strcmp(only[i], j->name) == 0)
			return true;
	return only == NULL;
}

static void add_op(struct planner *pl, struct vnet_op op, const char *what, const char *name,
		   const char *jail)
{
	op.object = jail == NULL ? arena_printf(pl->h->a, "%s %s", what, name) :
		    arena_printf(pl->h->a, "%s %s of jail %s", what, name, jail);
	vec_add(pl->h->a, &pl->p->ops, op);
}

/* Does a link lead to where the user says that the jail is; 1, 0 or a negative errno */
static int leads_there(struct planner *pl, const struct rtnl_link *l, const struct decl_jail *j)
{
	int fd CLEANUP(base_fd_close) = -1;
	struct rtnl_end end = { .nsid = -1 };
	int32_t nsid = -1;
	int err;

	if (!is_asked(pl->only, j) || pl->only == NULL || !vnet_place_is_said(pl->place))
		return 1;
	err = vnet_ns_open(pl->h, j, pl->place, false, &fd);
	if (err == -ENOENT)
		return 0;
	if (err == 0)
		err = rtnl_end_read(pl->h->s, l->name, &end);
	if (err == 0)
		err = rtnl_nsid(pl->h->s, fd, &nsid);
	return err < 0 ? err : end.nsid >= 0 && end.nsid == nsid;
}

/* Is a link made of what is declared now; one without a mark is, for all that is known */
static bool is_as_declared(struct planner *pl, const struct rtnl_link *l,
			   const struct decl_jail *j)
{
	const struct rtnl_link *bridge = j->vnet.bridge == NULL ? NULL :
					 rtnl_link_find(&pl->have->links, j->vnet.bridge);
	const char *mark = l->alias + strlen(VNET_ALIAS);

	if (l->master != (bridge != NULL ? bridge->index : 0))
		return false;
	return strchr(mark, ' ') == NULL ||
	       strncmp(mark, vnet_mark(pl->h->a, j), MARK_BYTES) == 0;
}

/* May a link be made anew: 1, or a negative errno where nothing says to where */
static int may_remake(struct planner *pl, const struct rtnl_link *l, const struct decl_jail *j)
{
	const struct vnet_place by_name = { .pid = NULL };
	int fd CLEANUP(base_fd_close) = -1;
	const int err = vnet_ns_open(pl->h, j, pl->only != NULL ? pl->place : &by_name, false, &fd);

	if (err == 0)
		return 1;
	if (err != -ENOENT)
		return err;
	diag_add(pl->h->diags, DIAG_E1830, j->vnet_at,
		 "%s is not as vnet jail '%s' is declared, and nothing says where the jail is",
		 l->name, j->name);
	diag_help(pl->h->diags, "up %s --pid PID, or --jail-netns NAME", j->name);
	return -EINVAL;
}

static void add_part(struct planner *pl, struct vnet_op op, struct prefix p, const char *what)
{
	char text[ADDR_TEXT_BYTES];

	add_op(pl, op, arena_printf(pl->h->a, "%s %s on link", what, prefix_print(p, text)),
	       op.link->name, op.jail->name);
}

static bool has_address(const struct planner *pl, uint32_t index, struct addr a)
{
	for (uint32_t i = 0; i < pl->have->addrs.list.n; i++)
		if (pl->have->addrs.list.v[i].ifindex == index &&
		    addr_equal(pl->have->addrs.list.v[i].p.a, a))
			return true;
	return false;
}

static bool has_route(const struct planner *pl, uint32_t index, struct prefix net)
{
	const struct rtnl_ways *ways = &pl->ways[net.a.af == AF_V6];

	for (uint32_t i = 0; i < ways->list.n; i++) {
		const struct rtnl_way *w = &ways->list.v[i];

		if (w->is_ours && w->ifindex == index && w->dst.len == net.len &&
		    addr_equal(w->dst.a, prefix_first(net)))
			return true;
	}
	return false;
}

/* What somebody has taken away of a routed link that stays */
static void plan_parts(struct planner *pl, const struct rtnl_link *l, const struct decl_jail *j)
{
	bool is_asked_for[2] = { false, false };

	for (uint32_t i = 0; i < j->addrs.n; i++) {
		const struct prefix net = decl_vnet_net(j, i);
		const uint8_t af = net.a.af;
		const struct addr via = decl_vnet_gateway(j, af);

		if (!is_asked_for[af == AF_V6] && !has_address(pl, l->index, via))
			add_part(pl, (struct vnet_op){ .at = j->vnet_at, .jail = j, .link = l,
						       .gateway = af },
				 (struct prefix){ via, (uint8_t)addr_bits(af) }, "gateway");
		is_asked_for[af == AF_V6] = true;
		if (!has_route(pl, l->index, net))
			add_part(pl, (struct vnet_op){ .at = j->addrs.v[i].at, .jail = j,
						       .link = l, .route = &j->addrs.v[i] },
				 net, "route");
	}
}

/* The link of a wanted jail that stays; deleted is what else is ours */
static int plan_link(struct planner *pl, const struct rtnl_link *l)
{
	const char *name = vnet_jail_of(l);
	const struct decl_jail *j = pl->d == NULL || name == NULL ? NULL :
				    decl_find_jail(pl->d, name);
	int keep = 0;

	if (!vnet_is_ours(l))
		return 0;
	if (is_wanted(j) && strcmp(j->vnet.host_if, l->name) == 0)
		keep = leads_there(pl, l, j);
	if (keep > 0 && is_asked(pl->only, j) && !is_as_declared(pl, l, j)) {
		const int err = may_remake(pl, l, j);

		keep = err < 0 ? err : 0;
	}
	/* It got its name and was raised at once, so somebody else has set it down */
	if (keep > 0 && (l->flags & IFF_UP) == 0 && is_asked(pl->only, j))
		add_op(pl, (struct vnet_op){ .at = j->vnet_at, .jail = j, .link = l }, "link",
		       l->name, name);
	else if (keep > 0 && j->vnet.bridge == NULL && is_asked(pl->only, j))
		plan_parts(pl, l, j);
	if (keep == 0)
		add_op(pl, (struct vnet_op){ .is_del = true, .at = SPAN_NONE, .link = l }, "link",
		       l->name, name);
	return keep < 0 ? keep : 0;
}

static bool is_going(const struct planner *pl, const struct rtnl_link *l)
{
	for (uint32_t i = 0; i < pl->p->ops.n; i++)
		if (pl->p->ops.v[i].link == l && pl->p->ops.v[i].is_del)
			return true;
	return false;
}

/* A bridge of ours without a jail goes, unless somebody else has a port of it */
static void plan_bridge(struct planner *pl, const struct rtnl_link *l)
{
	if (!vnet_is_our_bridge(l))
		return;
	for (uint32_t i = 0; pl->d != NULL && i < pl->d->jails.n; i++) {
		const struct decl_jail *j = &pl->d->jails.v[i];

		if (is_wanted(j) && j->vnet.bridge != NULL && strcmp(j->vnet.bridge, l->name) == 0)
			return;
	}
	for (uint32_t i = 0; i < pl->have->links.list.n; i++) {
		const struct rtnl_link *port = &pl->have->links.list.v[i];

		if (port->master != l->index || is_going(pl, port))
			continue;
		diag_add(pl->h->diags, DIAG_W1814, SPAN_NONE, "%s stays: somebody else uses it",
			 l->name);
		diag_note(pl->h->diags, SPAN_NONE, "port %s of it was put there by somebody else",
			  port->name);
		return;
	}
	add_op(pl, (struct vnet_op){ .is_del = true, .at = SPAN_NONE, .link = l }, "bridge",
	       l->name, NULL);
}

static bool is_place_there(struct planner *pl, const struct decl_jail *j, int *ret_err)
{
	const struct vnet_place by_name = { .pid = NULL };
	const struct vnet_place *place = pl->only != NULL ? pl->place : &by_name;
	int fd CLEANUP(base_fd_close) = -1;

	*ret_err = vnet_ns_open(pl->h, j, place, false, &fd);
	if (*ret_err != -ENOENT)
		return *ret_err == 0;
	*ret_err = 0;
	if (place->is_created)
		return true;
	if (pl->only == NULL) {
		diag_add(pl->h->diags, DIAG_N1832, j->vnet_at,
			 "vnet jail '%s' has no namespace yet", j->name);
		return false;
	}
	diag_add(pl->h->diags, DIAG_E1830, j->vnet_at,
		 "nothing says where vnet jail '%s' is, and no namespace has its name", j->name);
	diag_help(pl->h->diags, "up %s --pid PID, --jail-netns NAME or --create", j->name);
	*ret_err = -EINVAL;
	return false;
}

static int plan_jail(struct planner *pl, const struct decl_jail *j)
{
	const struct rtnl_link *l = rtnl_link_find(&pl->have->links, j->vnet.host_if);
	const struct rtnl_link *bridge = j->vnet.bridge == NULL ? NULL :
					 rtnl_link_find(&pl->have->links, j->vnet.bridge);
	int err;

	if (l != NULL && vnet_is_ours(l) && !is_going(pl, l))
		return 0;
	if (l != NULL && !vnet_is_ours(l)) {
		diag_add(pl->h->diags, DIAG_E1833, j->vnet_at,
			 "%s is there already and was not made by sallyport", l->name);
		return -EINVAL;
	}
	if (bridge != NULL && strcmp(bridge->kind, "bridge") != 0) {
		diag_add(pl->h->diags, DIAG_E1833, j->vnet.bridge_at, "%s is not a bridge",
			 bridge->name);
		return -EINVAL;
	}
	if (is_place_there(pl, j, &err))
		add_op(pl, (struct vnet_op){ .at = j->vnet_at, .jail = j }, "link",
		       j->vnet.host_if, j->name);
	return err;
}

int vnet_plan_make(const struct decl *d, const char *const *only, const struct vnet_place *place,
		   struct host *h, const struct host_have *have, struct vnet_plan *ret)
{
	const struct rtnl_links *links = &have->links;
	struct planner pl = { .d = d, .only = only, .place = place, .h = h, .have = have,
			      .p = ret };
	bool is_linked = false;
	int err = 0;

	*ret = (struct vnet_plan){ .ops = { 0 } };
	for (uint32_t i = 0; i < links->list.n && d != NULL && !is_linked; i++)
		is_linked = vnet_jail_of(&links->list.v[i]) != NULL;
	for (int v6 = 0; v6 < 2 && is_linked && err == 0; v6++)
		err = rtnl_ways_read(h->s, v6 ? AF_V6 : AF_V4, RTNL_MAIN_TABLE, h->a,
				     &pl.ways[v6]);
	for (uint32_t i = 0; i < links->list.n && err == 0; i++)
		err = plan_link(&pl, &links->list.v[i]);
	for (uint32_t i = 0; i < links->list.n && err == 0; i++)
		plan_bridge(&pl, &links->list.v[i]);
	for (uint32_t i = 0; d != NULL && i < d->jails.n && err == 0; i++)
		if (is_wanted(&d->jails.v[i]) && is_asked(only, &d->jails.v[i]))
			err = plan_jail(&pl, &d->jails.v[i]);
	return err;
}

int vnet_delete(struct host *h, const struct vnet_plan *plan)
{
	bool is_some = false;
	struct rtnl_msg m;
	int err = 0;

	for (uint32_t i = 0; i < plan->ops.n && err == 0; i++) {
		if (!plan->ops.v[i].is_del)
			continue;
		is_some = true;
		err = nl_talk(h->s, rtnl_msg_link_group(&m, plan->ops.v[i].link->index,
							VNET_GROUP_GONE), NULL, NULL);
		/* It went with its namespace */
		if (err == -ENODEV)
			err = 0;
	}
	if (is_some && err == 0)
		err = nl_talk(h->s, rtnl_msg_group_del(&m, VNET_GROUP_GONE), NULL, NULL);
	return err == -ENODEV ? 0 : err;
}
