/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A journey goes from one stop to another: the world, this host, which alias jails are
 * on, or the link of a vnet jail.  From the two stops follows which hooks it meets, in
 * which form, and by which interfaces: those of a bridge's port and of links, and those
 * of packets where it stays on the host.  A stop of the host has no link; what goes from
 * there to there crosses lo.
 *
 * With each forward and jail go one neighbour and the host: a chain that stops siblings
 * is found by one of them, and all pairs of a thousand jails would take minutes.
 *
 * What siblings and the host send to a jail nobody has asked for by a line, so that a
 * firewall drops it may be as it should: a note.  A forward used by a sibling, and what
 * two ports of one bridge say to each other, were asked for.
 */
#include "host/doctor_journeys.h"

#include <linux/netfilter.h>
#include <string.h>

#include "host/vnet.h"
#include "prove/prove.h"

#define DNAT_PRIO	(-100)		/* NF_IP_PRI_NAT_DST */
#define SNAT_PRIO	100		/* NF_IP_PRI_NAT_SRC */
#define ETHER_ARP	0x0806u
#define ANY_PORT	49151u		/* of a packet that stands for all of them */

/**
 * struct stop - Where a journey begins or ends
 * @j:		Jail, NULL: none
 * @dev:	Link by which the host reaches it, NULL: is on the host
 * @port:	Port of @dev, a bridge, where it is one
 */
struct stop {
	const struct decl_jail *j;
	const char *dev;
	const char *port;
};

/**
 * struct journey - A packet, or all of a kind, from one stop to another
 * @from:	Where it begins
 * @to:		Where it ends
 * @p:		As it begins: addresses, protocol, port, whether it answers
 * @inside:	Where a forward takes it, AF_NONE: it is not translated
 * @port:	To which port
 * @is_hidden:	Its source is another one outside
 * @is_note:	Nobody asked for it
 * @what:	"what is forwarded to 10.0.0.2:80"
 * @at:		The declaration that suffers
 */
struct journey {
	struct stop from;
	struct stop to;
	struct doctor_probe p;
	struct addr inside;
	uint16_t port;
	bool is_hidden;
	bool is_note;
	const char *what;
	struct span at;
};

static struct stop stop_of(const struct decl_jail *j)
{
	const struct decl_vnet *v = &j->vnet;

	if (!j->is_vnet)
		return (struct stop){ .j = j };
	return (struct stop){ .j = j, .dev = v->bridge != NULL ? v->bridge : v->host_if,
			      .port = v->bridge != NULL ? v->host_if : NULL };
}

static bool is_one_bridge(const struct journey *w)
{
	return w->from.port != NULL && w->to.port != NULL && w->from.dev != NULL &&
	       w->to.dev != NULL && strcmp(w->from.dev, w->to.dev) == 0;
}

/* Ports and links that we made are of our group; a bridge may be somebody else's */
static uint32_t group_of(const struct stop *s, const char *dev)
{
	if (s->j == NULL || dev == NULL || !s->j->is_vnet)
		return 0;
	return dev == s->port || !s->j->vnet.is_foreign ? VNET_GROUP : 0;
}

/* ---- where a journey meets a chain ----------------------------------------------------- */

static bool is_on(const struct doctor_base *c, const char *dev)
{
	for (uint32_t i = 0; dev != NULL && i < c->devs.n; i++)
		if (strcmp(c->devs.v[i], dev) == 0)
			return true;
	return false;
}

/* A link's own chains: the port's come before the bridge's */
static bool meets_link(const struct doctor_base *c, const struct journey *w,
		       const char **in, const char **out)
{
	const bool comes = c->layer == DOCTOR_INGRESS, stays = w->from.dev == w->to.dev;
	const struct stop *s = comes ? &w->from : &w->to;
	const char *dev = stays && s->dev == NULL ? "lo" : s->dev;

	if (is_on(c, s->port))
		dev = s->port;
	else if (!is_on(c, dev) || is_one_bridge(w))
		return false;
	*(comes ? in : out) = dev;
	return true;
}

static bool meets_bridge(const struct doctor_base *c, const struct journey *w,
			 const char **in, const char **out)
{
	const bool is_forward = is_one_bridge(w);

	if (c->hook == NF_INET_PRE_ROUTING || c->hook == NF_INET_LOCAL_IN ||
	    c->hook == NF_INET_FORWARD)
		*in = w->from.port;
	if (c->hook == NF_INET_LOCAL_OUT || c->hook == NF_INET_POST_ROUTING ||
	    c->hook == NF_INET_FORWARD)
		*out = w->to.port;
	if (c->hook == NF_INET_FORWARD)
		return is_forward;
	if (c->hook == NF_INET_LOCAL_IN || c->hook == NF_INET_LOCAL_OUT)
		return !is_forward && (*in != NULL || *out != NULL);
	return *in != NULL || *out != NULL;
}

static bool meets_packets(const struct doctor_base *c, const struct journey *w,
			  const char **in, const char **out)
{
	const bool leaves = w->to.dev != NULL, comes = w->from.dev != NULL;
	const char *dev_in = comes ? w->from.dev : !leaves ? "lo" : NULL;
	const char *dev_out = leaves ? w->to.dev : !comes ? "lo" : NULL;

	if (is_one_bridge(w))
		return false;
	if (c->hook == NF_INET_PRE_ROUTING || c->hook == NF_INET_LOCAL_IN ||
	    c->hook == NF_INET_FORWARD)
		*in = dev_in;
	if (c->hook == NF_INET_LOCAL_OUT || c->hook == NF_INET_POST_ROUTING ||
	    c->hook == NF_INET_FORWARD)
		*out = dev_out;
	switch (c->hook) {
	case NF_INET_PRE_ROUTING:
		return dev_in != NULL;
	case NF_INET_LOCAL_IN:
		return !leaves;
	case NF_INET_FORWARD:
		return comes && leaves;
	case NF_INET_LOCAL_OUT:
		return !comes;
	default:
		return dev_out != NULL;
	}
}

/* Is its destination the one with which it began */
static bool is_untranslated(const struct doctor_base *c, const struct journey *w)
{
	if (w->inside.af == AF_NONE)
		return true;
	if (w->from.dev == NULL && w->to.dev == NULL)
		return c->layer == DOCTOR_IP && c->hook == NF_INET_LOCAL_OUT &&
		       c->prio < DNAT_PRIO;
	if (c->layer == DOCTOR_IP)
		return c->prio < DNAT_PRIO && (c->hook == NF_INET_LOCAL_OUT ||
					       c->hook == NF_INET_PRE_ROUTING);
	return c->layer == DOCTOR_INGRESS ||
	       (c->layer == DOCTOR_BRIDGE && c->hook <= NF_INET_LOCAL_IN && w->from.port != NULL);
}

/* The packet of a journey as it is at a chain; false: it does not come there */
static bool meets(const struct doctor_base *c, const struct journey *w,
		  struct doctor_probe *ret)
{
	static bool (*const by_layer[])(const struct doctor_base *c, const struct journey *w,
					const char **in, const char **out) = {
		[DOCTOR_IP] = meets_packets, [DOCTOR_BRIDGE] = meets_bridge,
		[DOCTOR_INGRESS] = meets_link, [DOCTOR_EGRESS] = meets_link,
	};
	const uint8_t af = w->p.dst.af != AF_NONE ? w->p.dst.af : w->p.src.af;
	struct doctor_probe p = w->p;

	if (!by_layer[c->layer](c, w, &p.in, &p.out) || !doctor_base_sees(c, af))
		return false;
	if (p.ether == ETHER_ARP && (c->layer == DOCTOR_IP || c->family == NFPROTO_INET))
		return false;
	if (p.ether == 0)
		p.ether = af == AF_V6 ? 0x86dd : 0x0800;
	if (!is_untranslated(c, w)) {
		p.dst = w->inside;
		p.port = w->port;
		p.status = DOCTOR_DNAT;
	}
	if (w->is_hidden && (c->layer == DOCTOR_EGRESS || c->prio >= SNAT_PRIO))
		p.src = (struct addr){ AF_NONE, 0 };
	p.is_untracked = c->layer == DOCTOR_INGRESS;
	p.group = group_of(&w->from, p.in);
	p.is_group_in = p.group != 0;
	if (!p.is_group_in)
		p.group = group_of(&w->to, p.out);
	*ret = p;
	return true;
}

/* ---- what is declared ------------------------------------------------------------------- */

/* Do the rules let such a packet go all the way */
static bool is_passed(const struct doctor *x, const struct journey *w, uint8_t proto)
{
	const bool stays = w->from.dev == NULL && w->to.dev == NULL;
	const char *in = w->from.dev, *out = stays ? "lo0" : w->to.dev;
	const struct prove_place to = {
		.proto = proto, .src = w->p.src, .dst = w->p.dst,
		.port = w->p.port != 0 ? w->p.port : ANY_PORT,
	};

	return prove_place_is_passed(x->a, x->m, &to, in != NULL ? facts_find(x->facts, in) : NULL,
				     out != NULL ? facts_find(x->facts, out) : NULL);
}

static bool is_declared(const struct doctor *x, const struct journey *w)
{
	static const uint8_t protos[] = { 6, 17 };

	if (is_one_bridge(w))
		return !w->from.j->vnet.is_isolated || !w->to.j->vnet.is_isolated;
	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		if ((w->p.proto == 0 || w->p.proto == protos[i]) && is_passed(x, w, protos[i]))
			return true;
	return false;
}

/* ---- trying ------------------------------------------------------------------------------- */

/**
 * struct tour - All journeys with one chain
 * @t:		Trial
 * @x:		Its examination
 * @what:	What the end of the chain drops, or NULL
 * @cure:	What lets it through
 * @at:		The declaration that suffers
 * @is_asked:	Somebody asked for some of it
 * @notes:	Those are on their way that nobody asked for: a rule is told once, for the worst
 */
struct tour {
	struct doctor_trial *t;
	struct doctor *x;
	const char *what;
	const char *cure;
	struct span at;
	bool is_asked;
	bool notes;
};

static const char *accept(struct arena *a, const struct doctor_base *c, const char *side,
			  const char *dev, uint32_t group)
{
	const char *where = doctor_base_text(a, c);

	return group != 0 ?
		arena_printf(a, "nft insert rule %s meta %sgroup %u accept", where, side, group) :
		arena_printf(a, "nft insert rule %s %sname \"%s\" accept", where, side, dev);
}

/* Only what is of jails is let through; where the outside is closed, its owner opens it */
static const char *cure_of(struct arena *a, const struct doctor_base *c,
			   const struct doctor_probe *p, const struct journey *w, uint64_t handle)
{
	const bool by_in = p->in != NULL && (w->from.j != NULL || strcmp(p->in, "lo") == 0);
	const bool by_out = p->out != NULL && (w->to.j != NULL || strcmp(p->out, "lo") == 0);

	if (by_in || by_out)
		return by_in ? accept(a, c, "iif", p->in, group_of(&w->from, p->in)) :
			       accept(a, c, "oif", p->out, group_of(&w->to, p->out));
	if (handle != 0)
		return arena_printf(a, "nft delete rule %s handle %llu", doctor_base_text(a, c),
				    (unsigned long long)handle);
	return arena_printf(a, "nft chain %s '{ policy accept; }'", doctor_base_text(a, c));
}

static void note_cut(struct tour *o, const struct journey *w, const struct doctor_probe *p)
{
	const char *cure = cure_of(o->x->a, o->t->c, p, w, o->t->c->end.handle);

	if (o->what == NULL) {
		o->what = w->what;
		o->at = w->at;
	}
	o->is_asked |= !w->is_note;
	if (o->cure == NULL)
		o->cure = cure;
	else if (strstr(o->cure, cure) == NULL)
		o->cure = arena_printf(o->x->a, "%s; %s", o->cure, cure);
}

static void go(struct tour *o, const struct journey *w)
{
	struct doctor_probe p;
	enum doctor_fate fate;
	uint64_t handle;

	if (w->is_note != o->notes || !meets(o->t->c, w, &p))
		return;
	if (w->from.j != NULL && w->to.j != NULL && !is_declared(o->x, w))
		return;
	o->t->is_cut = false;
	handle = doctor_trial_try(o->t, &p, &fate);
	if (o->t->is_cut)
		note_cut(o, w, &p);
	else if (handle != 0 && fate == DOCTOR_DROPS)
		doctor_trial_tell(o->t, handle, arena_printf(o->x->a, "drops %s", w->what),
				  cure_of(o->x->a, o->t->c, &p, w, handle), w->at, w->is_note);
}

/* An address of the host from which it talks to a jail */
static struct addr host_addr(const struct doctor *x, const struct stop *to, struct addr a)
{
	const char *dev = to->port != NULL ? to->dev : x->facts->default_if[a.af == AF_V6];
	const struct iface *i = dev != NULL ? facts_find(x->facts, dev) : NULL;

	if (to->dev == NULL)
		return a;
	for (uint32_t k = 0; i != NULL && k < i->addrs.n; k++)
		if (i->addrs.v[k].p.a.af == a.af && !addr_is_linklocal(i->addrs.v[k].p.a))
			return i->addrs.v[k].p.a;
	return (struct addr){ AF_NONE, 0 };
}

static struct addr addr_of(const struct decl_jail *j, uint8_t af)
{
	for (uint32_t k = 0; k < j->addrs.n; k++)
		if (j->addrs.v[k].p.a.af == af)
			return j->addrs.v[k].p.a;
	return (struct addr){ AF_NONE, 0 };
}

/* The @n-th jail behind one that is up and has an address of the family, or NULL */
static const struct decl_jail *neighbour(const struct doctor *x, const struct decl_jail *j,
					 uint8_t af, uint32_t n)
{
	const uint32_t own = (uint32_t)(j - x->d->jails.v);
	const struct decl_jail *k = &x->d->jails.v[(own + n) % x->d->jails.n];

	return n % x->d->jails.n != 0 && k->is_enabled && !k->is_down &&
	       addr_of(k, af).af != AF_NONE ? k : NULL;
}

#define NEIGHBOURS	8u	/* of a jail, that send to it */

/* What neighbours send to an address of a jail; @f: a forward to it, or NULL */
static void from_neighbours(struct tour *o, const struct decl_jail *j, struct addr a,
			    const struct doctor_forward *f)
{
	char text[ADDR_TEXT_BYTES];

	for (uint32_t n = 1; n <= NEIGHBOURS && n < o->x->d->jails.n; n++) {
		const struct decl_jail *k = neighbour(o->x, j, a.af, n);
		struct journey w = { .to = stop_of(j), .at = f != NULL ? f->at : j->at };

		if (k == NULL)
			continue;
		w.from = stop_of(k);
		w.p = (struct doctor_probe){ .src = addr_of(k, a.af), .dst = a };
		w.is_note = !is_one_bridge(&w);
		w.what = arena_printf(o->x->a, "what jail %s sends to jail %s", k->name, j->name);
		if (f != NULL) {
			w.p.proto = f->proto;
			w.p.port = f->port;
		}
		go(o, &w);
		if (f == NULL || f->to.af != a.af || is_one_bridge(&w))
			continue;
		w.p.dst = f->to;
		w.p.port = f->lo;
		w.inside = a;
		w.port = f->port;
		w.is_note = false;
		w.what = arena_printf(o->x->a, "what jail %s sends to %s, forwarded to jail %s",
				      k->name, addr_port_print(f->to, f->lo, text), j->name);
		go(o, &w);
	}
}

static void from_host(struct tour *o, const struct decl_jail *j, struct addr a,
		      const struct doctor_forward *f)
{
	struct journey w = { .to = stop_of(j), .is_note = true, .at = f != NULL ? f->at : j->at };
	struct journey back = w;

	w.p = (struct doctor_probe){ .src = host_addr(o->x, &w.to, a), .dst = a };
	if (f != NULL) {
		w.p.proto = f->proto;
		w.p.port = f->port;
	}
	w.what = arena_printf(o->x->a, "what this host sends to jail %s", j->name);
	if (w.p.src.af == AF_NONE)
		return;
	go(o, &w);
	back.from = w.to;
	back.to = w.from;
	back.p = (struct doctor_probe){ .src = a, .dst = w.p.src, .is_answer = true };
	back.what = arena_printf(o->x->a, "what jail %s answers to this host", j->name);
	if (f == NULL)
		go(o, &back);
}

static struct journey forward_journey(const struct doctor *x, const struct doctor_forward *f)
{
	const struct decl_jail *j = decl_jail_of(x->d, f->inside);
	const struct iface *i = facts_iface_of(x->facts, f->to);
	struct journey w = {
		.from.dev = i != NULL && i->kind == IFACE_REAL ? i->name :
			    x->facts->default_if[f->inside.af == AF_V6],
		.p = { .proto = f->proto, .dst = f->to, .port = f->lo },
		.inside = f->inside, .port = f->port, .at = f->at,
	};

	if (j != NULL)
		w.to = stop_of(j);
	return w;
}

static void try_forward(struct tour *o, const struct doctor_forward *f)
{
	const struct decl_jail *j = decl_jail_of(o->x->d, f->inside);
	struct journey w = forward_journey(o->x, f);
	char text[ADDR_TEXT_BYTES];

	if (f->inside.af == AF_NONE)
		return;
	w.what = arena_printf(o->x->a, "what is forwarded to %s",
			      addr_port_print(f->inside, f->port, text));
	if (o->t->c->layer != DOCTOR_IP && w.from.dev != NULL && f->to.af != AF_NONE)
		go(o, &w);
	if (j == NULL || !j->is_enabled || j->is_down)
		return;
	from_neighbours(o, j, f->inside, f);
	from_host(o, j, f->inside, f);
}

/* What a jail sends outside, and is answered */
static void to_world(struct tour *o, const struct decl_jail *j, struct addr a)
{
	const char *dev = o->x->facts->default_if[a.af == AF_V6];
	struct journey out = { .from = stop_of(j), .to.dev = dev, .p.src = a, .at = j->at,
		.is_hidden = set_has_addr(o->x->m->interior, a) };
	struct journey back = { .from.dev = dev, .to = out.from, .at = j->at,
		.p = { .dst = a, .is_answer = true } };

	out.what = arena_printf(o->x->a, "what jail %s sends", j->name);
	back.what = arena_printf(o->x->a, "what answers jail %s", j->name);
	if (dev == NULL)
		return;
	go(o, &out);
	if (j->is_vnet && (o->t->c->layer == DOCTOR_EGRESS || o->t->c->layer == DOCTOR_BRIDGE))
		go(o, &back);
}

/* Who asks for hardware addresses gets no further without an answer */
static void ask_for_address(struct tour *o, const struct decl_jail *j, struct addr a)
{
	struct journey in = { .from = stop_of(j), .at = j->at,
		.p = { .src = a, .ether = ETHER_ARP } };
	struct journey out = { .to = in.from, .at = j->at,
		.p = { .dst = a, .ether = ETHER_ARP } };

	if (!j->is_vnet || a.af != AF_V4)
		return;
	in.what = arena_printf(o->x->a, "ARP of jail %s", j->name);
	out.what = arena_printf(o->x->a, "ARP for jail %s", j->name);
	go(o, &in);
	go(o, &out);
}

static void try_jail(struct tour *o, const struct decl_jail *j)
{
	for (uint32_t k = 0; j->is_enabled && !j->is_down && k < j->addrs.n; k++) {
		const struct addr a = j->addrs.v[k].p.a;

		if (o->t->c->layer != DOCTOR_IP) {
			to_world(o, j, a);
			ask_for_address(o, j, a);
		}
		from_neighbours(o, j, a, NULL);
		from_host(o, j, a, NULL);
	}
}

static void tell_cut(struct tour *o)
{
	const struct doctor_base *c = o->t->c;
	const char *by = c->end.handle == 0 ? "its policy" :
		arena_printf(o->x->a, "its rule with handle %llu",
			     (unsigned long long)c->end.handle);

	doctor_add(o->x, &(struct doctor_finding){
		.object = doctor_base_place(o->x->a, c), .at = o->at, .is_note = !o->is_asked,
		.what = arena_printf(o->x->a, "%s drops what no rule before accepts: %s", by,
				     o->what), .cure = o->cure });
}

/* Rules that ask for what is not known of our packets, or for interfaces not known */
static void tell_open(struct tour *o)
{
	const struct doctor_base *c = o->t->c;
	const bool is_link = c->layer == DOCTOR_INGRESS || c->layer == DOCTOR_EGRESS;

	if (c->layer == DOCTOR_IP ||
	    !(o->t->is_open || (is_link && c->devs.n == 0)) ||
	    !(c->end.drops || doctor_table_may_drop(&o->t->rules)))
		return;
	doctor_add(o->x, &(struct doctor_finding){
		.object = doctor_base_place(o->x->a, c), .at = SPAN_NONE, .is_note = true,
		.what = "what it does with frames of jails is not all judged: it asks for more "
			"than their addresses, ports and links",
		.cure = arena_printf(o->x->a, "nft list chain %s", doctor_base_text(o->x->a, c)) });
}

void doctor_journeys_try(struct doctor_trial *t)
{
	struct tour o = { .t = t, .x = t->x, .at = SPAN_NONE };

	t->is_open = false;
	for (uint32_t notes = 0; notes < 2; notes++) {
		o.notes = notes != 0;
		t->n = 0;
		for (uint32_t i = 0; i < t->x->forwards.n && t->n < DOCTOR_TRIAL_MAX; i++)
			try_forward(&o, &t->x->forwards.v[i]);
		t->n = 0;
		for (uint32_t i = 0; i < t->x->d->jails.n && t->n < DOCTOR_TRIAL_MAX; i++)
			try_jail(&o, &t->x->d->jails.v[i]);
	}
	if (o.what != NULL)
		tell_cut(&o);
	else if (t->n_told == 0)
		tell_open(&o);
}

bool doctor_journeys_called(const struct doctor *x, const struct doctor_base *c,
			    const struct doctor_forward *f, struct addr src,
			    struct doctor_probe *ret)
{
	struct journey w = forward_journey(x, f);

	w.p.src = src;
	return f->inside.af != AF_NONE && w.from.dev != NULL && meets(c, &w, ret);
}
