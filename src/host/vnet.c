/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The kernel says what is ours: a link is in our group from its first moment, and
 * gets an ifalias with the jail's name as the last step of its making.  One of
 * our group without that name was left by a run that was killed: it is deleted,
 * and made anew.  A jail that was restarted has another namespace; the old link
 * went with the old one, or leads elsewhere, which its number of the other end's
 * namespace shows.
 *
 * Deleting a link waits for all CPUs to forget it, 20 ms each; a whole group
 * waits once.  So what goes is put into a group of its own first.
 */
#include "host/vnet_ns.h"

#include <net/if.h>
#include <string.h>

#include "nl/rtnl_veth.h"

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

	return strcmp(l->kind, "veth") == 0 && l->group != VNET_GROUP_GONE &&
	       strncmp(l->alias, VNET_ALIAS, len) == 0 ? l->alias + len : NULL;
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
	const struct rtnl_links *links;
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
	/* It got its name and was raised at once, so somebody else has set it down */
	if (keep > 0 && (l->flags & IFF_UP) == 0 && is_asked(pl->only, j))
		add_op(pl, (struct vnet_op){ .at = j->vnet_at, .jail = j, .link = l }, "link",
		       l->name, name);
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
	for (uint32_t i = 0; i < pl->links->list.n; i++) {
		const struct rtnl_link *port = &pl->links->list.v[i];

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
	const struct rtnl_link *l = rtnl_link_find(pl->links, j->vnet.host_if);
	const struct rtnl_link *bridge = j->vnet.bridge == NULL ? NULL :
					 rtnl_link_find(pl->links, j->vnet.bridge);
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
		   struct host *h, const struct rtnl_links *links, struct vnet_plan *ret)
{
	struct planner pl = { d, only, place, h, links, ret };
	int err = 0;

	*ret = (struct vnet_plan){ .ops = { 0 } };
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
