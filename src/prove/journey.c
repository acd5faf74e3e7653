/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A conversation is what a real one is: a packet crosses the interfaces that it would
 * cross, in their order, and only as long as both sides let it pass; what arrives is
 * answered, and the answer goes the way back; then more follow the first, also where it was
 * refused.
 * Each side remembers what it remembers on the way.
 *
 * Nothing leaves by the interface by which it came: a router tells the sender of the
 * shorter way instead.  The host's own packets come from its own addresses, and what
 * comes in by a link does not: kernels drop that (Linux as martian, FreeBSD by source
 * address validation).
 */
#include "prove/journey.h"

#include <string.h>

#include "prove/proof.h"
#include "prove/sampler.h"

#define TRIED_ROUNDS	3u	/* of conversations that are only tried */

const char journey_excluded[] =
	"what is sent first from a port of a redirect, or past it to where it leads";

/* A conversation under way */
struct journey {
	const struct model *m[2];
	struct world w[2];
	struct sampler *s;
	struct arena *a;		/* of this one conversation */
	struct arena *out;
	struct prove_result *ret;
	uint32_t n_packets;
	uint8_t tags[2];		/* each side's own, of the packet under way */
	const uint8_t *flags;		/* of answers and of later packets; NULL: usual ones */
};

static bool is_within(const struct journey *j, uint32_t iface)
{
	const struct iface *i = facts_find(j->m[0]->facts,
					   intern_name(j->m[0]->names, iface));

	return i != NULL && (i->kind == IFACE_LO || i->kind == IFACE_CLONED);
}

static bool is_port(uint16_t port, uint16_t lo, const struct redirect *r)
{
	return port >= lo && port - lo <= r->hi - r->lo;
}

static bool leads_to(const struct redirect *r, struct addr a, uint16_t port)
{
	for (uint32_t t = 0; t < r->to.n; t++)
		if (addr_equal(r->to.v[t].a, a) && is_port(port, r->to.v[t].port, r))
			return true;
	return false;
}

/*
 * Does a packet come from a port of a redirect of an instance, on either side of it, or
 * speak past it to where it leads?  Such a source is a server's, and no connection
 * begins with it; libalias gives what leaves from there the redirect's port, and what
 * answers a nat that keeps ports is taken for the redirect's.
 */
static bool is_of_redirect(const struct model *m, const struct packet *p)
{
	for (uint32_t i = 0; i < m->xlates.n; i++)
		for (uint32_t k = 0; k < m->xlates.v[i].redirects.n; k++) {
			const struct redirect *r = &m->xlates.v[i].redirects.v[k];

			if (r->has_ports && ((facts_is_own(m->facts, p->src) &&
					      is_port(p->sport, r->lo, r)) ||
					     leads_to(r, p->src, p->sport) ||
					     leads_to(r, p->dst, p->dport)))
				return true;
		}
	return false;
}

static void note(struct journey *j, const char *what)
{
	for (uint32_t i = 0; i < j->ret->unproven.n; i++)
		if (strcmp(j->ret->unproven.v[i], what) == 0)
			return;
	vec_add(j->out, &j->ret->unproven, what);
}

static void tell(struct journey *j, const struct packet *p, const struct result r[2],
		 const char *x, const char *y)
{
	struct prove_difference d = { .is_known = j->n_packets > 0 };
	const char *part = "no rule matched";
	/* Two verdicts are told by themselves */
	const bool same = r[0].verdict == r[1].verdict;

	for (int i = 0; i < 2; i++)
		for (uint32_t k = r[i].steps.n; k-- > 0;) {
			const struct step *s = &r[i].steps.v[k];

			if (s->is_final && i == 0)
				d.origin = s->origin;
			else if (s->is_final && s->origin.text != NULL)
				part = s->origin.text;
		}
	d.packet = prove_packet_line(j->out, p, intern_name(j->m[0]->names, p->iface));
	d.declared = arena_strndup(j->out, x, same ? strlen(x) : strcspn(x, ","));
	d.kernel = arena_strndup(j->out, y, same ? strlen(y) : strcspn(y, ","));
	d.part = part;
	vec_add(j->out, &j->ret->differences, d);
}

/*
 * A packet crosses an interface; it becomes what it is behind it.  False: it ends here,
 * for both or, which is told, for one.
 */
static bool cross(struct journey *j, struct packet *p)
{
	struct result r[2];
	const char *x, *y;

	for (int i = 0; i < 2; i++) {
		p->tags = j->tags[i];
		r[i] = model_eval(j->m[i], &j->w[i], p, j->a);
		j->tags[i] = r[i].packet.tags;
	}
	x = sampler_answer(j->a, &r[0]);
	y = sampler_answer(j->a, &r[1]);
	if (strcmp(x, y) != 0) {
		tell(j, p, r, x, y);
		return false;
	}
	j->n_packets++;
	*p = r[0].packet;
	return r[0].verdict == V_PASS;
}

/* Cross an interface out, and where that leads within the host, in as well */
static bool leave(struct journey *j, struct packet *p, uint32_t iface, uint32_t from)
{
	const char *name = intern_name(j->m[0]->names, iface);

	p->dir = DIR_OUT;
	p->iface = intern_cid(j->m[0]->names, facts_crossed(j->m[0]->facts, name, p->dst));
	p->recv = from;
	return cross(j, p);
}

static bool arrive(struct journey *j, struct packet *p, uint32_t iface)
{
	const char *name = intern_name(j->m[0]->names, iface);

	p->dir = DIR_IN;
	p->iface = intern_cid(j->m[0]->names, facts_crossed(j->m[0]->facts, name, p->dst));
	p->recv = p->iface;
	return cross(j, p);
}

/* The interface by which an address is reached; 0: none is known */
static uint32_t route(const struct journey *j, struct addr to)
{
	const struct facts *f = j->m[0]->facts;
	const char *way = f->default_if[to.af == AF_V6];

	for (uint32_t i = 0; i < f->ifaces.n; i++)
		if (iface_leads_to(&f->ifaces.v[i], to))
			return f->ifaces.v[i].id;
	return way != NULL ? intern_cid(j->m[0]->names, way) : 0;
}

/* What goes back; false: nobody answers that */
static bool turn(struct journey *j, struct packet *p)
{
	const struct addr src = p->src;
	const uint16_t sport = p->sport;

	j->tags[0] = j->tags[1] = 0;
	p->src = p->dst;
	p->dst = src;
	if (proto_has_ports(p->proto)) {
		p->sport = p->dport;
		p->dport = sport;
	}
	if (p->proto == PROTO_TCP && j->flags != NULL)
		p->tcp_flags = j->flags[0];
	else if (p->proto == PROTO_TCP)
		p->tcp_flags = p->tcp_flags == TCP_FLAG_SYN ? TCP_FLAG_SYN | TCP_FLAG_ACK
							    : TCP_FLAG_ACK;
	if (p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6) {
		const bool is_echo = p->icmp_type == (p->proto == PROTO_ICMP ? 8 : 128);

		p->icmp_type = p->proto == PROTO_ICMP ? 0 : 129;
		return is_echo;
	}
	return true;
}

/* From outside to the host or through it, and the answer back */
static bool inward(struct journey *j, struct packet p, uint32_t iface)
{
	uint32_t out = 0;

	if (!arrive(j, &p, iface))
		return false;
	if (!facts_is_own(j->m[0]->facts, p.dst)) {
		out = route(j, p.dst);
		if (out == 0 || out == iface || is_within(j, out) ||
		    !leave(j, &p, out, iface))
			return false;
	}
	if (!turn(j, &p) || (out != 0 && !arrive(j, &p, out)))
		return false;
	return leave(j, &p, iface, out);
}

/* From the host to another, and the answer back */
static bool outward(struct journey *j, struct packet p, uint32_t iface)
{
	return leave(j, &p, iface, 0) && turn(j, &p) && arrive(j, &p, iface);
}

/*
 * From the host to itself, and the answer back.  What a local caller's redirect led
 * elsewhere is answered by the kernel behind the rules, whichever they are.
 */
static bool within(struct journey *j, struct packet p, uint32_t lo)
{
	const struct addr dst = p.dst;

	if (!leave(j, &p, lo, 0) || !arrive(j, &p, lo) || !addr_equal(dst, p.dst))
		return false;
	return turn(j, &p) && leave(j, &p, lo, 0) && arrive(j, &p, lo);
}

/* A conversation that could be; the second packet follows the first */
static void talk(struct journey *j, struct packet p)
{
	const struct facts *f = j->m[0]->facts;
	const bool src = facts_is_own(f, p.src), dst = facts_is_own(f, p.dst);
	const uint32_t n_rounds = j->flags != NULL ? JOURNEY_ROUNDS : TRIED_ROUNDS;
	const bool lo = is_within(j, p.iface);
	bool (*go)(struct journey *j, struct packet p, uint32_t iface) = within;
	uint32_t iface = p.iface;

	if ((p.proto == PROTO_ICMP || p.proto == PROTO_ICMP6) && !packet_icmp_is_query(&p))
		return;
	/* Nobody speaks with himself through a router */
	if (!src && addr_equal(p.src, p.dst))
		return;
	if (is_of_redirect(j->m[0], &p) || is_of_redirect(j->m[1], &p)) {
		note(j, journey_excluded);
		return;
	}
	if (src && dst)
		iface = intern_cid(j->m[0]->names, "lo0");
	else if (lo)
		return;
	else
		go = src ? outward : inward;
	for (uint32_t i = 0; i < n_rounds && j->ret->differences.n == 0; i++) {
		go(j, p, iface);
		if (p.proto == PROTO_TCP && j->flags != NULL)
			p.tcp_flags = j->flags[1];
		else if (p.proto == PROTO_TCP && p.tcp_flags == TCP_FLAG_SYN)
			p.tcp_flags = TCP_FLAG_ACK;
		j->tags[0] = j->tags[1] = 0;
	}
}

bool journey_show(const struct model *m, const struct model *other, const struct packet *first,
		  const uint8_t flags[2], struct arena *a, struct prove_result *ret)
{
	struct arena scratch CLEANUP(arena_fini);
	struct journey j = { .m = { m, other }, .out = a, .ret = ret, .a = &scratch,
			     .flags = flags };
	const uint32_t n = ret->differences.n;

	arena_init(&scratch, a->cap_bytes);
	scratch.full = a->full;
	world_init(&j.w[0], &scratch);
	world_init(&j.w[1], &scratch);
	talk(&j, *first);
	return ret->differences.n > n;
}

void journey_try(const struct model *m, const struct model *other, uint32_t n,
		 struct arena *a, struct prove_result *ret)
{
	struct sampler s;

	sampler_init(&s, m, other, a);
	for (uint32_t i = 0; i < n && ret->differences.n == 0; i++) {
		struct arena scratch CLEANUP(arena_fini);
		struct packet p = sampler_packet(&s, m);
		struct journey j = { .m = { m, other }, .s = &s, .out = a, .ret = ret,
				     .a = &scratch };

		arena_init(&scratch, a->cap_bytes);
		scratch.full = a->full;
		if (p.proto == PROTO_ICMP || p.proto == PROTO_ICMP6)
			p.sport = p.dport = (uint16_t)i;
		world_init(&j.w[0], &scratch);
		world_init(&j.w[1], &scratch);
		talk(&j, p);
	}
}
