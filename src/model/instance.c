/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * libalias keeps links, one a flow: how it looks inside and how outside.  A
 * packet that meets its link is rewritten by it; one that meets none makes
 * one.  Outbound, the new link has the outside address and a new port;
 * inbound, it leads to where a redirect says, or remembers the flow as it is,
 * so that the answer leaves with the port that was asked.
 */
#include "model/instance.h"

static uint32_t number_of(const struct xlate *x)
{
	return x->is_local ? LINK_LOCAL : x->instance;
}

static const struct nat_link *find_link(const struct xlate *x, const struct world *w,
					struct flow flow, bool out)
{
	for (uint32_t i = 0; i < w->links.n; i++) {
		const struct nat_link *l = &w->links.v[i];

		if (x->is_global ? l->instance == LINK_LOCAL : l->instance != number_of(x))
			continue;
		if (flow_equal(out ? l->inside : flow_reverse(l->outside), flow))
			return l;
	}
	return NULL;
}

static struct addr own_address(const struct xlate *x)
{
	for (uint32_t i = 0; i < x->to.n; i++)
		if (x->to.v[i].af == AF_V4)
			return x->to.v[i];
	return (struct addr){ .af = AF_NONE };
}

static struct addr outside_of(const struct xlate *x, const struct redirect *r)
{
	return r->outside.af != AF_NONE ? r->outside : own_address(x);
}

static bool is_of_peer(const struct redirect *r, struct addr peer, uint16_t port)
{
	return (r->peer.af == AF_NONE || addr_equal(r->peer, peer)) &&
	       (r->peer_lo == 0 || (port >= r->peer_lo && port <= r->peer_hi));
}

/* How much a redirect says: libalias prefers the link that says more */
static int rank(const struct redirect *r)
{
	return 4 * r->has_ports + 2 * (r->peer.af != AF_NONE) + (r->proto >= 0);
}

static const struct redirect *better(const struct redirect *best, const struct redirect *r)
{
	return best == NULL || rank(r) > rank(best) ? r : best;
}

/* The redirect that an inbound flow meets */
static const struct redirect *redirect_in(const struct xlate *x, struct flow f)
{
	const struct redirect *best = NULL;

	for (uint32_t i = 0; i < x->redirects.n; i++) {
		const struct redirect *r = &x->redirects.v[i];

		if ((r->proto >= 0 && r->proto != f.proto) ||
		    !addr_equal(outside_of(x, r), f.dst) || !is_of_peer(r, f.src, f.sport) ||
		    (r->has_ports && (f.dport < r->lo || f.dport > r->hi)))
			continue;
		best = better(best, r);
	}
	return best;
}

/* The redirect whose inside an outbound flow comes from */
static const struct redirect *redirect_out(const struct xlate *x, struct flow f)
{
	const struct redirect *best = NULL;

	for (uint32_t i = 0; i < x->redirects.n; i++) {
		const struct redirect *r = &x->redirects.v[i];

		if (r->to.n != 1 || (r->proto >= 0 && r->proto != f.proto) ||
		    !addr_equal(r->to.v[0].a, f.src) || !is_of_peer(r, f.dst, f.dport) ||
		    (r->has_ports && (f.sport < r->to.v[0].port ||
				      f.sport - r->to.v[0].port > r->hi - r->lo)))
			continue;
		best = better(best, r);
	}
	return best;
}

static struct instance_result unchanged(struct flow f)
{
	return (struct instance_result){ .to = f, .sport_lo = f.sport, .sport_hi = f.sport };
}

static void add_link(const struct xlate *x, struct world *w, struct flow inside,
		     struct flow outside)
{
	vec_add(w->a, &w->links, ((struct nat_link){ number_of(x), inside, outside }));
}

static struct instance_result inbound(const struct xlate *x, struct world *w, struct flow f)
{
	const struct redirect *r = redirect_in(x, f);
	struct instance_result res = unchanged(f);

	if (r != NULL) {
		const struct redirect_to *to = &r->to.v[w->links.n % r->to.n];

		res.to.dst = to->a;
		if (r->has_ports)
			res.to.dport = (uint16_t)(f.dport - r->lo + to->port);
	} else if (x->is_local) {
		return res;
	} else if (x->deny_in) {
		res.is_denied = true;
		return res;
	}
	add_link(x, w, flow_reverse(res.to), flow_reverse(f));
	return res;
}

static bool is_outside_taken(const struct xlate *x, const struct world *w, struct flow outside)
{
	return find_link(x, w, flow_reverse(outside), false) != NULL;
}

/* Choose the new source port: sets the range, and the port itself in @res->to */
static void choose_port(const struct xlate *x, const struct world *w, bool is_icmp,
			struct instance_result *res)
{
	uint32_t lo = is_icmp ? 1 : x->lo, hi = is_icmp ? UINT16_MAX : x->hi;
	uint32_t draw = w->draw;

	if (x->port == XP_KEEP && !is_outside_taken(x, w, res->to))
		return;
	if (x->port == XP_KEEP && !is_icmp) {
		lo = 0x8000;
		hi = UINT16_MAX;
	}
	for (uint32_t tries = 0; tries <= hi - lo; tries++, draw++) {
		res->to.sport = (uint16_t)(lo + draw % (hi - lo + 1));
		if (is_icmp)
			res->to.dport = res->to.sport;
		if (!is_outside_taken(x, w, res->to))
			break;
	}
	res->sport_lo = (uint16_t)lo;
	res->sport_hi = (uint16_t)hi;
}

static struct instance_result outbound(const struct xlate *x, struct world *w, struct flow f,
				       bool has_port)
{
	const struct redirect *r = redirect_out(x, f);
	struct instance_result res = unchanged(f);
	struct addr to = r != NULL ? outside_of(x, r) : own_address(x);

	if (r == NULL && x->only_from != NULL && !set_has_addr(x->only_from, f.src))
		to = f.src;
	if (to.af == AF_NONE)
		return res;
	res.to.src = to;
	if (r != NULL && r->has_ports)
		res.to.sport = res.sport_lo = res.sport_hi =
			(uint16_t)(f.sport - r->to.v[0].port + r->lo);
	else if (has_port)
		choose_port(x, w, !proto_has_ports(f.proto), &res);
	add_link(x, w, f, res.to);
	return res;
}

struct instance_result instance_translate(const struct xlate *x, struct world *w,
					  const struct packet *p)
{
	const struct flow f = packet_flow(p);
	const bool is_icmp = p->proto == PROTO_ICMP;
	const bool out = (p->dir == DIR_OUT && !x->is_local) || x->is_global;
	const struct nat_link *l;
	struct instance_result res = unchanged(f);

	if (p->src.af != AF_V4)
		return res;
	l = find_link(x, w, f, out);
	if (l != NULL)
		return unchanged(out ? l->outside : flow_reverse(l->inside));
	if (x->is_global)
		return res;
	/* An ICMP error that answers no link makes none */
	if (is_icmp && !packet_icmp_is_query(p)) {
		res.is_denied = !out && x->deny_in;
		return res;
	}
	if (!out)
		return inbound(x, w, f);
	return outbound(x, w, f, is_icmp || proto_has_ports(p->proto));
}

struct flow instance_answer(const struct world *w, struct flow f)
{
	for (uint32_t i = 0; i < w->links.n; i++)
		if (w->links.v[i].instance == LINK_LOCAL && flow_equal(w->links.v[i].inside, f))
			return w->links.v[i].outside;
	return f;
}
