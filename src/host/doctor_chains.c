/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A packet that our table accepts still meets every other base chain of its
 * hooks, and any of them may drop it.  What a foreign ruleset does with a packet
 * is not computed here: a chain is told that ends in a drop, by policy or by a
 * rule without conditions, unless it accepts before that what was translated
 * (ct status).  That is the cure as well, so a host that is cured is silent.  A rule
 * with conditions is told where it is known to drop what a forward brings
 * (doctor_rules.h).
 *
 * What a jail sends is translated behind most of the chains that it leaves by, and to
 * a sibling not at all.  So there (is_left_by()) each jail's packets and the answers
 * to them are judged by the rules, and the cure accepts them by link or by source.
 *
 * What siblings and the host send to jails, and what becomes of frames at a bridge or an
 * interface, doctor_journeys.h tells.
 */
#include "host/doctor.h"

#include <linux/netfilter.h>
#include <string.h>

#include "host/doctor_journeys.h"
#include "host/doctor_trial.h"
#include "host/vnet.h"

#define DNAT_PRIO (-100)	/* NF_IP_PRI_NAT_DST */

/* The way of packets through a hook: of alias jails, of jails with a link of their own */
static const struct way {
	uint32_t hook;
	bool vnet;
	const char *what;
} ways[] = {
	{ NF_INET_PRE_ROUTING, false, "what comes for jails" },
	{ NF_INET_LOCAL_IN, false, "what is forwarded to jails on this host's addresses" },
	{ NF_INET_FORWARD, true, "what is forwarded to and from jails" },
	{ NF_INET_LOCAL_OUT, false, "what jails on this host's addresses send" },
	{ NF_INET_POST_ROUTING, false, "what jails send" },
};

static bool concerns(const struct doctor *x, const struct way *w)
{
	for (uint32_t i = 0; i < x->d->jails.n; i++)
		if (x->d->jails.v[i].is_enabled &&
		    (x->d->jails.v[i].is_vnet == w->vnet || w->hook == NF_INET_PRE_ROUTING ||
		     w->hook == NF_INET_POST_ROUTING))
			return true;
	return !w->vnet && x->forwards.n > 0;
}

/* Does what jails send meet the chain */
static bool is_left_by(const struct doctor_base *c)
{
	return c->hook == NF_INET_FORWARD || c->hook == NF_INET_LOCAL_OUT ||
	       c->hook == NF_INET_POST_ROUTING;
}

static bool is_on_way(const struct decl_jail *j, const struct way *w)
{
	return j->is_enabled && !j->is_down &&
	       (j->is_vnet == w->vnet || w->hook == NF_INET_POST_ROUTING);
}

/* The link by which the host reaches a vnet jail */
static const char *link_of(const struct decl_jail *j)
{
	return j->vnet.bridge != NULL ? j->vnet.bridge : j->vnet.host_if;
}

/* Our links are of a group, which those of jails to come are in too; a bridge may be others' */
static const char *cure_links(struct doctor *x, const struct doctor_base *c, const struct way *w)
{
	const char *where = doctor_base_text(x->a, c);
	const char *cure = arena_printf(x->a, "nft insert rule %s meta iifgroup %u accept; "
					"nft insert rule %s meta oifgroup %u accept", where,
					VNET_GROUP, where, VNET_GROUP);

	for (uint32_t i = 0; i < x->d->jails.n; i++) {
		const struct decl_jail *j = &x->d->jails.v[i];

		if (is_on_way(j, w) && j->vnet.is_foreign)
			cure = arena_printf(x->a, "%s; nft insert rule %s iifname \"%s\" accept; "
					    "nft insert rule %s oifname \"%s\" accept", cure,
					    where, j->vnet.bridge, where, j->vnet.bridge);
	}
	return cure;
}

/* The addresses of the jails that meet a chain, of one family; NULL: none */
static const char *sources_of(struct doctor *x, const struct way *w, uint8_t af)
{
	const char *list = NULL;

	for (uint32_t i = 0; i < x->d->jails.n; i++) {
		const struct decl_jail *j = &x->d->jails.v[i];

		for (uint32_t k = 0; is_on_way(j, w) && k < j->addrs.n; k++) {
			char buf[ADDR_TEXT_BYTES];
			const char *text = addr_print(j->addrs.v[k].p.a, buf);

			if (j->addrs.v[k].p.a.af == af)
				list = list != NULL ? arena_printf(x->a, "%s, %s", list, text) :
				       arena_printf(x->a, "%s", text);
		}
	}
	return list;
}

static const char *cure_sources(struct doctor *x, const struct doctor_base *c, const struct way *w)
{
	const char *cure = NULL;

	for (uint8_t af = AF_V4; af <= AF_V6; af += AF_V6 - AF_V4) {
		const char *list = sources_of(x, w, af);

		if (list != NULL && doctor_base_sees(c, af))
			cure = arena_printf(x->a, "%s%snft insert rule %s %s saddr '{ %s }' accept",
					    cure == NULL ? "" : cure, cure == NULL ? "" : "; ",
					    doctor_base_text(x->a, c),
					    af == AF_V6 ? "ip6" : "ip", list);
	}
	return cure;
}

static const char *cure_of(struct doctor *x, const struct doctor_base *c, const struct way *w)
{
	const char *translated = arena_printf(x->a, "nft insert rule %s ct status dnat,snat accept",
					      doctor_base_text(x->a, c));
	const char *sources = NULL;

	if (c->hook == NF_INET_FORWARD)
		return cure_links(x, c, w);
	if (is_left_by(c))
		sources = cure_sources(x, c, w);
	if (sources == NULL)
		return translated;
	return c->hook == NF_INET_LOCAL_OUT ? sources :
	       arena_printf(x->a, "%s; %s", translated, sources);
}

static void tell(struct doctor *x, const struct doctor_base *c, const struct way *w)
{
	const char *by = c->end.handle == 0 ? "its policy" :
		arena_printf(x->a, "its rule with handle %llu", (unsigned long long)c->end.handle);

	doctor_add(x, &(struct doctor_finding){
		.object = doctor_base_place(x->a, c),
		.what = arena_printf(x->a, "%s drops what no rule before accepts: %s", by, w->what),
		.cure = cure_of(x, c, w) });
}

/* By which link a packet of a vnet jail comes to the host, or goes to the jail */
static void set_link(struct doctor_probe *p, const struct decl_jail *j, bool is_in)
{
	const char *link = link_of(j);

	p->in = is_in ? link : NULL;
	p->out = is_in ? NULL : link;
	p->group = j->vnet.is_foreign ? 0 : VNET_GROUP;
	p->is_group_in = is_in;
}

/* The packet of a forward as it is at a chain; false: it does not come there */
static bool make_probe(const struct doctor *x, const struct doctor_base *c,
		       const struct doctor_forward *f, struct doctor_probe *ret)
{
	/* One that translates beside ours is asked only where ours was not */
	const bool is_before = c->hook == NF_INET_PRE_ROUTING &&
			       c->prio < DNAT_PRIO + (c->is_nat ? 1 : 0);
	const struct addr dst = is_before ? f->to : f->inside;
	const struct decl_jail *j = decl_jail_of(x->d, f->inside);
	const bool is_vnet = j != NULL && j->is_vnet;

	*ret = (struct doctor_probe){ .proto = f->proto, .dst = dst,
				      .port = is_before ? f->lo : f->port,
				      .status = is_before ? 0 : DOCTOR_DNAT };
	if (is_vnet && is_left_by(c)) {
		set_link(ret, j, false);
		ret->in = x->facts->default_if[dst.af == AF_V6];
	}
	return dst.af != AF_NONE && doctor_base_sees(c, dst.af) &&
	       (c->hook == NF_INET_PRE_ROUTING ||
		(is_vnet ? c->hook == NF_INET_FORWARD || c->hook == NF_INET_POST_ROUTING :
			   c->hook == NF_INET_LOCAL_IN));
}

/**
 * struct trial - Packets that are tried with a chain at a hook
 * @t:	They
 * @x:	Examination
 * @c:	Chain
 * @w:	Its hook
 */
struct trial {
	struct doctor_trial t;
	struct doctor *x;
	const struct doctor_base *c;
	const struct way *w;
};

static void try_forward(struct trial *r, const struct doctor_forward *f)
{
	struct arena *a = r->x->a;
	char to[ADDR_TEXT_BYTES];
	struct doctor_probe p;
	enum doctor_fate fate;
	uint64_t handle;

	if (!make_probe(r->x, r->c, f, &p))
		return;
	handle = doctor_trial_try(&r->t, &p, &fate);
	/* Of two with one priority it is not known which comes first */
	if (fate == DOCTOR_REDIRECTS && r->c->prio >= DNAT_PRIO)
		return;
	if (handle != 0)
		doctor_trial_tell(&r->t, handle,
			  arena_printf(a, "%s what is forwarded to %s",
				       fate == DOCTOR_REDIRECTS ? "sends elsewhere" : "drops",
				       addr_port_print(p.dst, p.port, to)),
			  p.status != 0 ? cure_of(r->x, r->c, r->w) :
			  arena_printf(a, "nft delete rule %s handle %llu",
				       doctor_base_text(a, r->c), (unsigned long long)handle),
			  f->at, false);
}

/* A first packet of a jail, an answer of it; an answer to one with a link of its own */
static void try_addr(struct trial *r, const struct decl_jail *j, struct addr a)
{
	const bool is_inside = set_has_addr(r->x->m->interior, a);
	struct doctor_probe v[] = {
		{ .src = a },
		{ .src = a, .is_answer = true, .status = DOCTOR_DNAT },
		{ .dst = a, .is_answer = true, .status = is_inside ? DOCTOR_SNAT : 0 },
	};
	const char *way_out = r->x->facts->default_if[a.af == AF_V6];
	char text[ADDR_TEXT_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(v) - !j->is_vnet; i++) {
		const bool is_sent = i < 2;
		enum doctor_fate fate;
		uint64_t handle;

		if (j->is_vnet)
			set_link(&v[i], j, is_sent);
		if (is_sent && r->w->hook != NF_INET_LOCAL_OUT)
			v[i].out = way_out;
		else if (!is_sent)
			v[i].in = way_out;
		handle = doctor_trial_try(&r->t, &v[i], &fate);
		if (handle != 0 && fate == DOCTOR_DROPS)
			doctor_trial_tell(&r->t, handle,
				  arena_printf(r->x->a, "drops what %s %s of jail %s",
					       is_sent ? "is sent by" : "answers",
					       addr_print(a, text), j->name),
				  cure_of(r->x, r->c, r->w), j->at, false);
	}
}

static void try_jails(struct trial *r)
{
	for (uint32_t i = 0; i < r->x->d->jails.n; i++) {
		const struct decl_jail *j = &r->x->d->jails.v[i];

		for (uint32_t k = 0; is_on_way(j, r->w) && k < j->addrs.n; k++)
			if (doctor_base_sees(r->c, j->addrs.v[k].p.a.af))
				try_addr(r, j, j->addrs.v[k].p.a);
	}
}

/* What was tried is not all of it */
static void tell_untried(struct trial *r)
{
	const uint32_t n = r->t.n;

	r->t.n = 0;
	if (n <= DOCTOR_TRIAL_MAX)
		return;
	doctor_add(r->x, &(struct doctor_finding){
		.object = doctor_base_place(r->x->a, r->c), .is_note = true, .at = SPAN_NONE,
		.what = arena_printf(r->x->a, "tried with the first %u of %u packets of %s only",
				     DOCTOR_TRIAL_MAX, n, r->w->what) });
}

static int try_all(struct doctor *x, const struct doctor_base *c, const struct way *w)
{
	struct trial r = { .x = x, .c = c, .w = w };
	const int err = doctor_trial_begin(&r.t, x, c);

	for (uint32_t i = 0; i < x->forwards.n && err == 0; i++)
		try_forward(&r, &x->forwards.v[i]);
	tell_untried(&r);
	if (err == 0 && is_left_by(c))
		try_jails(&r);
	tell_untried(&r);
	if (r.t.is_cut)
		tell(x, c, w);
	else if (err == 0)
		doctor_journeys_try(&r.t);
	doctor_trial_end(&r.t);
	return err;
}

/* What a base chain does with what is for jails */
static int check_packets(struct doctor *x, struct doctor_base *c)
{
	int err = 0;

	for (size_t w = 0; w < ARRAY_SIZE(ways) && err == 0; w++) {
		if (ways[w].hook != c->hook || !concerns(x, &ways[w]))
			continue;
		if (c->end.drops && !c->end.accepts_nat && !is_left_by(c))
			tell(x, c, &ways[w]);
		else
			err = try_all(x, c, &ways[w]);
	}
	return err;
}

/* What it does with what crosses links and bridges */
static int check_frames(struct doctor *x, const struct doctor_base *c)
{
	struct doctor_trial t;
	const int err = doctor_trial_begin(&t, x, c);

	if (err == 0)
		doctor_journeys_try(&t);
	doctor_trial_end(&t);
	return err;
}

static const uint8_t families[] = {
	NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_BRIDGE, NFPROTO_NETDEV,
};

static int check_chain(struct doctor *x, struct doctor_base *c)
{
	const int err = doctor_base_read_end(x, c);

	if (err < 0)
		return err;
	return c->layer == DOCTOR_IP ? check_packets(x, c) : check_frames(x, c);
}

int doctor_chains(struct doctor *x)
{
	struct doctor_bases all = { .list = { .n = 0 } };

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		int err = doctor_bases_read(x, families[f], &all);

		for (uint32_t i = 0; i < all.list.n && err == 0; i++)
			err = check_chain(x, &all.list.v[i]);
		if (err < 0)
			return err;
	}
	return 0;
}

/* ---- what they break ---------------------------------------------------------------- */

/* One whom a forward is for: a stranger, if it may be one */
static struct addr caller_of(const struct doctor_forward *f)
{
	const struct addr any = f->to.af == AF_V6 ?
		(struct addr){ AF_V6, (u128)0x20010db8 << 96 | 7 } : addr_v4(198, 51, 100, 7);

	if (f->src == NULL || set_has_addr(f->src, any))
		return any;
	for (uint32_t i = 0; i < f->src->n; i++) {
		const struct range r = f->src->r[i];

		if (r.af == any.af)
			return (struct addr){ any.af, r.lo + (r.lo < r.hi) };
	}
	return (struct addr){ AF_NONE, 0 };
}

/* By which interface of the host's a packet of a forward comes to it */
static const char *comes_by(const struct doctor *x, const struct doctor_forward *f)
{
	const struct iface *i = facts_iface_of(x->facts, f->to);

	return i != NULL ? i->name : x->facts->default_if[f->to.af == AF_V6];
}

/* The first packet of somebody to a forward, as it is at a chain */
static bool make_called(const struct doctor *x, const struct doctor_base *c,
			 const struct doctor_forward *f, struct doctor_probe *p)
{
	if (f->to.af == AF_NONE || caller_of(f).af == AF_NONE)
		return false;
	if (c->layer == DOCTOR_IP ? !make_probe(x, c, f, p) :
	    !doctor_journeys_called(x, c, f, caller_of(f), p))
		return false;
	if (p->in == NULL && c->layer == DOCTOR_IP)
		p->in = comes_by(x, f);
	p->src = caller_of(f);
	return true;
}

/* One forward may be several rules */
static void add_block(struct doctor *x, struct doctor_block b, struct doctor_blocks *ret)
{
	for (uint32_t i = 0; i < ret->list.n; i++) {
		const struct doctor_block *o = &ret->list.v[i];

		if (strcmp(o->by, b.by) == 0 && o->f->proto == b.f->proto &&
		    o->f->lo == b.f->lo && addr_equal(o->f->to, b.f->to))
			return;
	}
	vec_add(x->a, &ret->list, b);
}

static const char *by_what(struct doctor *x, const struct doctor_base *c,
			   enum doctor_fate fate, uint64_t handle, bool is_open)
{
	const char *place = doctor_base_place(x->a, c);

	if (is_open)
		return place;
	return fate == DOCTOR_ENDS ? arena_printf(x->a, "%s, its policy", place)
				   : arena_printf(x->a, "%s, rule with handle %llu", place,
						  (unsigned long long)handle);
}

static int find_blocks(struct doctor *x, const struct doctor_base *c, struct doctor_blocks *ret)
{
	struct doctor_table t = { .nl = x->nft, .family = c->family, .name = c->table };
	const int err = doctor_table_read(&t, x->a);
	const uint32_t n_tried = MIN(x->forwards.n, DOCTOR_TRIAL_MAX);
	uint32_t n = 0;

	if (err == 0 && x->forwards.n > DOCTOR_TRIAL_MAX)
		ret->n_untried = x->forwards.n - DOCTOR_TRIAL_MAX;
	for (uint32_t i = 0; i < n_tried && err == 0 && n < DOCTOR_TRIAL_TOLD; i++) {
		struct doctor_block b = { .f = &x->forwards.v[i] };
		struct doctor_probe p;
		enum doctor_fate fate;
		uint64_t handle;

		if (!make_called(x, c, b.f, &p))
			continue;
		fate = doctor_table_fate(&t, c->name, &p, &handle, &b.is_open);
		if (!b.is_open &&
		    (fate == DOCTOR_PASSES || (fate == DOCTOR_ENDS && !c->end.drops)))
			continue;
		b.is_elsewhere = fate == DOCTOR_REDIRECTS;
		/* Of two with one priority it is not known which comes first */
		b.is_open |= b.is_elsewhere && c->prio == DNAT_PRIO;
		b.iface = c->layer == DOCTOR_IP ? p.in : comes_by(x, b.f);
		b.from = p.src;
		b.by = by_what(x, c, fate, handle, b.is_open);
		add_block(x, b, ret);
		/* What is not known hides nothing that is */
		n += !b.is_open;
	}
	doctor_table_free(&t);
	return err;
}

/* What translates behind us has nothing to do: the first one that does is the last */
static bool is_before_ours(const struct doctor_base *c)
{
	return !c->is_nat || (c->hook == NF_INET_PRE_ROUTING && c->prio <= DNAT_PRIO);
}

int doctor_foreign(struct doctor *x, struct doctor_blocks *ret)
{
	struct doctor_bases all = { .list = { .n = 0 } };
	int err = 0;

	doctor_find_forwards(x);
	for (size_t f = 0; f < ARRAY_SIZE(families) && err == 0 && x->forwards.n > 0; f++) {
		err = doctor_bases_read(x, families[f], &all);
		for (uint32_t i = 0; i < all.list.n && err == 0; i++)
			if (is_before_ours(&all.list.v[i]))
				err = find_blocks(x, &all.list.v[i], ret);
	}
	return err;
}
