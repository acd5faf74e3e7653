/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The end in the jail is made ready first, the host's end is raised last: nothing
 * passes before both are.  Addresses are alone on their links, so a sibling is
 * another hop and keeps its true address; what both ends need to find each other
 * is the gateway, which may be the same on every link.
 *
 * The gateway is of scope host where nobody declared it: the host then speaks to
 * the jail as itself, and not as 169.254.1.1.
 */
#include "host/vnet_ns.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "nl/rtnl_veth.h"

#define LO_INDEX	1u
#define GATEWAY_PROTO	0x56u		/* IFA_PROTO: goes with its link, no plan counts it */
#define LOCAL_LEN	64u

/* One jail being linked */
struct link {
	struct host *h;
	const struct decl_jail *j;
	struct nl_session *inside;
	struct rtnl_end host;
	struct rtnl_end jail;
};

static bool has_family(const struct decl_jail *j, uint8_t af)
{
	for (uint32_t i = 0; i < j->addrs.n; i++)
		if (j->addrs.v[i].p.a.af == af)
			return true;
	return false;
}

/* What the kernel does not do, under the user's own words */
static int tell(struct link *k, struct nl_session *s, const char *what, struct span at, int err)
{
	const char *text = s->why.text[0] != '\0' ? s->why.text : strerror(-err);

	if (err == -EPERM)
		return err;
	diag_add(k->h->diags, DIAG_E1806, at, "the kernel refuses to add %s of jail '%s': %s", what,
		 k->j->name, text);
	return -EINVAL;
}

/* Sends a message; what is there already is as it should be */
static int send(struct link *k, struct nl_session *s, struct nlmsghdr *msg, const char *what,
		struct span at)
{
	const int err = nl_talk(s, msg, NULL, NULL);

	return err == 0 || err == -EEXIST ? 0 : tell(k, s, what, at, err);
}

static int add_addr(struct link *k, struct nl_session *s, const struct rtnl_addr *x,
		    struct span at)
{
	struct rtnl_msg m;
	const int err = nl_talk(s, rtnl_msg_addr_add(&m, x), NULL, NULL);
	char text[ADDR_TEXT_BYTES];

	if (x->p.a.af == AF_V6 &&
	    (err == -EACCES || err == -EAFNOSUPPORT || err == -EOPNOTSUPP)) {
		diag_add(k->h->diags, DIAG_E1807, at, "IPv6 is turned off there: cannot add %s",
			 prefix_print(x->p, text));
		return -EOPNOTSUPP;
	}
	return err == 0 || err == -EEXIST ? 0 : tell(k, s, prefix_print(x->p, text), at, err);
}

/* No fe80:: address but ours, which is usable at once */
static int mark(struct link *k, struct nl_session *s, uint32_t index)
{
	struct rtnl_msg m;
	int err = nl_talk(s, rtnl_msg_link_mark(&m, index, true), NULL, NULL);

	if (err == -EAFNOSUPPORT || err == -EOPNOTSUPP)
		err = nl_talk(s, rtnl_msg_link_mark(&m, index, false), NULL, NULL);
	return err < 0 ? tell(k, s, "the link", k->j->vnet_at, err) : 0;
}

/* ---- in the jail ---------------------------------------------------------- */

static int add_jail_addr(struct link *k, const struct decl_addr *a)
{
	struct rtnl_addr x = { .ifindex = k->jail.index, .p = a->p, .proto = RTNL_ADDR_PROTO };
	const struct prefix net = decl_vnet_net(k->j, (uint32_t)(a - k->j->addrs.v));
	const uint8_t full = (uint8_t)addr_bits(a->p.a.af);
	struct rtnl_msg m;
	int err;

	if (k->j->vnet.bridge == NULL)
		x.p.len = full;
	err = add_addr(k, k->inside, &x, a->at);
	/* What of its network the jail does not use must not come back to it for ever */
	if (err == 0 && net.len < full)
		err = send(k, k->inside, rtnl_msg_route_add(&m, &(struct rtnl_hop){
			.dst = net, .is_unreachable = true }), "the network", a->at);
	return err;
}

static int add_way_out(struct link *k, uint8_t af)
{
	const struct addr via = decl_vnet_gateway(k->j, af);
	struct rtnl_msg m;

	if (!has_family(k->j, af) || via.af == AF_NONE)
		return 0;
	return send(k, k->inside, rtnl_msg_route_add(&m, &(struct rtnl_hop){
		.dst = { { af, 0 }, 0 }, .via = via, .ifindex = k->jail.index }),
		"the default route", k->j->vnet_at);
}

static int make_inside(struct link *k)
{
	const struct rtnl_addr local = {
		.ifindex = k->jail.index, .p = { decl_vnet_linklocal(k->j), LOCAL_LEN },
		.scope = RT_SCOPE_LINK, .proto = RTNL_ADDR_PROTO,
	};
	struct rtnl_msg m;
	int err = send(k, k->inside, rtnl_msg_link_set_up(&m, LO_INDEX, true), "lo",
		       k->j->vnet_at);

	if (err == 0)
		err = mark(k, k->inside, k->jail.index);
	if (err == 0)
		err = send(k, k->inside, rtnl_msg_link_set_up(&m, k->jail.index, true),
			   "the link", k->j->vnet_at);
	if (err == 0 && has_family(k->j, AF_V6))
		err = add_addr(k, k->inside, &local, k->j->vnet_at);
	for (uint32_t i = 0; i < k->j->addrs.n && err == 0; i++)
		err = add_jail_addr(k, &k->j->addrs.v[i]);
	if (err == 0)
		err = add_way_out(k, AF_V4);
	return err < 0 ? err : add_way_out(k, AF_V6);
}

/* ---- on the host ---------------------------------------------------------- */

static int add_gateway(struct link *k, uint8_t af)
{
	const bool is_declared = k->j->vnet.gateway[af == AF_V6].af != AF_NONE;
	struct rtnl_addr x = {
		.ifindex = k->host.index,
		.p = { decl_vnet_gateway(k->j, af), (uint8_t)addr_bits(af) },
		.proto = GATEWAY_PROTO,
	};

	if (!has_family(k->j, af))
		return 0;
	if (addr_is_linklocal(x.p.a)) {
		x.scope = af == AF_V4 && !is_declared ? RT_SCOPE_HOST : RT_SCOPE_LINK;
		x.p.len = af == AF_V4 ? 32 : LOCAL_LEN;
	}
	return add_addr(k, k->h->s, &x, k->j->vnet_at);
}

static int add_route(struct link *k, const struct decl_addr *a)
{
	const struct prefix net = decl_vnet_net(k->j, (uint32_t)(a - k->j->addrs.v));
	struct rtnl_hop hop = { .dst = net, .ifindex = k->host.index };
	char text[ADDR_TEXT_BYTES];
	struct rtnl_msg m;
	int err;

	/* A whole network by the jail itself: no neighbour is asked for each address in it */
	if (net.a.af == AF_V6 && net.len < 128)
		hop.via = decl_vnet_linklocal(k->j);
	err = nl_talk(k->h->s, rtnl_msg_route_add(&m, &hop), NULL, NULL);
	if (err == -EEXIST) {
		diag_add(k->h->diags, DIAG_E1833, a->at,
			 "%s is routed elsewhere already, by somebody else",
			 prefix_print(net, text));
		return -EINVAL;
	}
	return err < 0 ? tell(k, k->h->s, "a route", a->at, err) : 0;
}

static int make_routed(struct link *k)
{
	struct rtnl_msg m;
	int err = add_gateway(k, AF_V4);

	if (err == 0)
		err = add_gateway(k, AF_V6);
	if (err == 0)
		err = send(k, k->h->s, rtnl_msg_link_set_up(&m, k->host.index, true), "the link",
			   k->j->vnet_at);
	for (uint32_t i = 0; i < k->j->addrs.n && err == 0; i++)
		err = add_route(k, &k->j->addrs.v[i]);
	return err;
}

static int add_bridge_addrs(struct link *k, uint32_t index)
{
	int err = 0;

	for (uint32_t i = 0; i < k->j->addrs.n && err == 0; i++) {
		const struct prefix p = k->j->addrs.v[i].p;
		const struct rtnl_addr x = { .ifindex = index, .proto = GATEWAY_PROTO,
			.p = { decl_vnet_gateway(k->j, p.a.af), p.len } };

		if (x.p.a.af != AF_NONE && prefix_has(p, x.p.a))
			err = add_addr(k, k->h->s, &x, k->j->vnet.bridge_at);
	}
	return err;
}

/* The bridge, made if it is not there; a gateway stands on none but ours */
static int make_bridge(struct link *k, uint32_t *ret)
{
	const char *name = k->j->vnet.bridge;
	struct rtnl_end bridge = { .nsid = -1 };
	struct rtnl_msg m;
	int err = rtnl_end_read(k->h->s, name, &bridge);

	if (err == 0 && k->j->vnet.is_foreign) {
		*ret = bridge.index;
		return 0;
	}
	if (err == -ENODEV) {
		err = send(k, k->h->s, rtnl_msg_bridge_add(&m, name, VNET_GROUP), "the bridge",
			   k->j->vnet.bridge_at);
		if (err == 0)
			err = rtnl_end_read(k->h->s, name, &bridge);
	}
	if (err == 0)
		err = mark(k, k->h->s, bridge.index);
	if (err == 0)
		err = send(k, k->h->s, rtnl_msg_link_alias(&m, bridge.index, VNET_BRIDGE_ALIAS),
			   "the bridge", k->j->vnet.bridge_at);
	if (err == 0)
		err = add_bridge_addrs(k, bridge.index);
	*ret = bridge.index;
	return err;
}

static int make_port(struct link *k)
{
	const struct span at = k->j->vnet.bridge_at;
	uint32_t bridge = 0;
	struct rtnl_msg m;
	int err = make_bridge(k, &bridge);

	if (err == 0)
		err = send(k, k->h->s, rtnl_msg_link_master(&m, k->host.index, bridge), "the port",
			   at);
	if (err == 0)
		err = send(k, k->h->s, rtnl_msg_fdb_add(&m, k->host.index, k->jail.mac), "the port",
			   at);
	if (err == 0)
		err = send(k, k->h->s, rtnl_msg_port(&m, k->host.index, k->j->vnet.is_isolated,
						     true), "the port", at);
	return err;
}

static int make_outside(struct link *k)
{
	const char *alias = arena_printf(k->h->a, VNET_ALIAS "%s %s", vnet_mark(k->h->a, k->j),
					 k->j->name);
	struct rtnl_msg m;
	int err = mark(k, k->h->s, k->host.index);

	if (err == 0)
		err = k->j->vnet.bridge != NULL ? make_port(k) : make_routed(k);
	if (err == 0)
		err = send(k, k->h->s, rtnl_msg_link_alias(&m, k->host.index, alias), "the link",
			   k->j->vnet_at);
	return err;
}

/* ---- both ----------------------------------------------------------------- */

static int tell_taken(struct link *k)
{
	struct rtnl_end end;
	const bool is_host = rtnl_end_read(k->h->s, k->j->vnet.host_if, &end) == 0;

	diag_add(k->h->diags, DIAG_E1833, k->j->vnet_at, "%s has a link %s already",
		 is_host ? "the host" : "the jail's namespace",
		 is_host ? k->j->vnet.host_if : k->j->vnet.jail_if);
	return -EINVAL;
}

static int make_pair(struct link *k, int fd)
{
	struct rtnl_msg m;
	int err = nl_talk(k->h->s, rtnl_msg_veth_add(&m, k->j->vnet.host_if, VNET_GROUP,
						     k->j->vnet.jail_if, fd), NULL, NULL);

	if (err == -EEXIST)
		return tell_taken(k);
	if (err < 0)
		return tell(k, k->h->s, "the link", k->j->vnet_at, err);
	err = rtnl_end_read(k->h->s, k->j->vnet.host_if, &k->host);
	if (err == 0)
		err = rtnl_end_read(k->inside, k->j->vnet.jail_if, &k->jail);
	if (err == 0)
		err = make_inside(k);
	if (err == 0)
		err = make_outside(k);
	/* Half a link serves nobody; a run that is killed here leaves it to the next */
	if (err < 0 && k->host.index != 0 &&
	    nl_talk(k->h->s, rtnl_msg_link_del(&m, k->host.index), NULL, NULL) < 0)
		return err;
	return err;
}

/* The jail's end of a link that is there */
static int make_sure(struct link *k)
{
	int err = rtnl_end_read(k->inside, k->j->vnet.jail_if, &k->jail);

	return err == -ENODEV ? tell(k, k->inside, k->j->vnet.jail_if, k->j->vnet_at, err) :
	       err < 0 ? err : make_inside(k);
}

static int make_jail(struct host *h, const struct decl_jail *j, const struct vnet_place *place,
		     bool is_new)
{
	CLEANUP(nl_close) struct nl_session inside = { .fd = -1 };
	struct link k = { .h = h, .j = j, .inside = &inside };
	int fd CLEANUP(base_fd_close) = -1;
	int err = vnet_ns_open(h, j, place, is_new, &fd);

	if (err == -ENOENT)	/* it ended meanwhile; or nobody said where it is */
		return 0;
	if (err == 0)
		err = vnet_session(&inside, fd);
	if (err < 0)
		return err;
	return is_new ? make_pair(&k, fd) : make_sure(&k);
}

/*
 * The kernel has dropped the routes of a link that was set down, and its IPv6 addresses;
 * or somebody has taken away what is told
 */
static int raise_link(struct host *h, const struct vnet_op *op)
{
	struct link k = { .h = h, .j = op->jail, .host = { .index = op->link->index } };
	struct rtnl_msg m;

	if (op->route != NULL)
		return add_route(&k, op->route);
	if (op->gateway != 0)
		return add_gateway(&k, op->gateway);
	if (op->jail->vnet.bridge == NULL)
		return make_routed(&k);
	return send(&k, h->s, rtnl_msg_link_set_up(&m, k.host.index, true), "the link",
		    op->jail->vnet_at);
}

static bool is_planned(const struct vnet_plan *plan, const struct decl_jail *j)
{
	for (uint32_t i = 0; i < plan->ops.n; i++)
		if (plan->ops.v[i].jail == j && plan->ops.v[i].link == NULL)
			return true;
	return false;
}

int vnet_make(struct host *h, const struct decl *d, const char *const *only,
	      const struct vnet_place *place, const struct vnet_plan *plan)
{
	const struct vnet_place by_name = { .pid = NULL };
	int err = 0;

	for (uint32_t i = 0; i < plan->ops.n && err == 0; i++) {
		const struct vnet_op *op = &plan->ops.v[i];

		if (op->jail != NULL && op->link != NULL)
			err = raise_link(h, op);
		else if (op->jail != NULL)
			err = make_jail(h, op->jail, only != NULL ? place : &by_name, true);
	}
	for (size_t i = 0; only != NULL && only[i] != NULL && err == 0; i++) {
		const struct decl_jail *j = decl_find_jail(d, only[i]);

		if (j != NULL && j->is_vnet && !j->is_down && !is_planned(plan, j) &&
		    vnet_place_is_said(place))
			err = make_jail(h, j, place, false);
	}
	return err;
}
