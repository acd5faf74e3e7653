/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Nothing in conntrack says which rule made a state.  It is asked of the model: the
 * first packet of the flow, coming from or going to where its address is routed, is
 * judged anew.
 */
#include "cli/pfowner.h"

#include "model/eval.h"

static uint32_t iface_towards(const struct facts *f, struct addr a)
{
	for (uint32_t i = 0; i < f->ifaces.n; i++)
		if (facts_route_back(f, a, f->ifaces.v[i].id) == ROUTE_HERE &&
		    f->ifaces.v[i].kind == IFACE_REAL)
			return f->ifaces.v[i].id;
	return intern_cid(f->names, facts_crossed(f, "lo0", a));
}

static bool is_local(const struct facts *f, struct addr a)
{
	return facts_iface_of(f, a) != NULL;
}

/* The first packet of a flow, as it came in or as it was about to go out */
static struct packet first_packet(const struct facts *f, const struct conntrack_flow *x,
				  enum direction dir)
{
	struct packet p = {
		.dir = dir, .proto = x->proto, .src = x->orig.src, .sport = x->orig.sport,
		.dst = x->orig.dst, .dport = x->orig.dport, .icmp_type = x->orig.icmp_type,
		.icmp_code = x->orig.icmp_code, .tcp_flags = TCP_FLAG_SYN,
	};
	const uint32_t from = is_local(f, p.src) ? 0 : iface_towards(f, p.src);

	p.recv = from;
	p.iface = from != 0 ? from : iface_towards(f, p.dst);
	if (dir == DIR_IN)
		return p;
	p.dst = x->reply.src;
	p.dport = x->reply.sport;
	p.iface = iface_towards(f, p.dst);
	return p;
}

/* The rule that passes a packet with a state; of no place when none does */
static struct origin rule_of(const struct model *m, struct packet *x)
{
	struct world world;
	struct result r;

	world_init(&world, m->a);
	r = model_eval(m, &world, x, m->a);
	x->tags = r.packet.tags;
	for (uint32_t i = r.steps.n; r.makes_state && i-- > 0;)
		if (r.steps.v[i].is_final)
			return r.steps.v[i].origin;
	return (struct origin){ .at = SPAN_NONE };
}

struct origin pfowner_of(const struct model *m, const struct conntrack_flow *f, enum direction dir)
{
	struct packet in = first_packet(m->facts, f, DIR_IN), out;
	const struct origin o = rule_of(m, &in);

	if (dir == DIR_IN)
		return o;
	out = first_packet(m->facts, f, DIR_OUT);
	out.tags = out.recv != 0 ? in.tags : 0;
	return rule_of(m, &out);
}
