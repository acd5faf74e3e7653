/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Which rule has made a flow the kernel does not remember; but our bits in its mark
 * say that one of ours did, and the flow itself what it made of the destination.  So
 * each is judged as if its first packet came now, by the model: where the same
 * becomes of it, it stays.  Where the packet came from is not known either: the flow
 * stays if this is so on any interface.
 *
 * Comparing the rules that went with those that came would miss what the order of
 * rules changes, and a run that was killed between the rules and the flows.
 */
#include "cli/stale.h"

#include <linux/netfilter/nf_conntrack_common.h>

#include "base/limits.h"
#include "model/eval.h"
#include "nl/conntrack.h"
#include "target/nft.h"

/* Where a first packet may have come from: an interface, or a program of the host */
struct crossing {
	enum direction dir;
	const char *iface;
};

struct stale {
	struct cli *c;
	const struct declared *d;
	struct arena scratch;	/* of one question */
	VEC(struct crossing) crossings;
};

static void add_crossings(struct stale *s)
{
	const struct facts *f = &s->d->facts;

	for (uint32_t i = 0; i < f->ifaces.n; i++)
		if (f->ifaces.v[i].kind == IFACE_REAL || f->ifaces.v[i].kind == IFACE_JAIL)
			vec_add(&s->c->arena, &s->crossings,
				((struct crossing){ DIR_IN, f->ifaces.v[i].name }));
	vec_add(&s->c->arena, &s->crossings, ((struct crossing){ DIR_OUT, "lo0" }));
}

static struct packet first_packet(struct stale *s, const struct crossing *x,
				  const struct conntrack_flow *f)
{
	const char *iface = facts_crossed(&s->d->facts, x->iface, f->orig.dst);
	const uint32_t id = intern_cid(&s->c->names, iface);

	return (struct packet){
		.dir = x->dir, .iface = id, .recv = x->dir == DIR_IN ? id : 0, .proto = f->proto,
		.src = f->orig.src, .dst = f->orig.dst, .sport = f->orig.sport,
		.dport = f->orig.dport, .icmp_type = f->orig.icmp_type,
		.icmp_code = f->orig.icmp_code,
		.tcp_flags = f->proto == PROTO_TCP ? TCP_FLAG_SYN : 0,
	};
}

/* Could a translation with several targets have chosen this one */
static bool is_member(const struct xlate *x, const struct conntrack_tuple *reply)
{
	for (uint32_t i = 0; i < x->to.n && x->kind != XL_MAP; i++) {
		const struct range r = xlate_range(x, i);

		if (r.af == reply->src.af && reply->src.v >= r.lo && reply->src.v <= r.hi)
			return true;
	}
	for (uint32_t i = 0; i < x->redirects.n; i++)
		for (uint32_t k = 0; k < x->redirects.v[i].to.n; k++)
			if (x->redirects.v[i].to.n > 1 &&
			    addr_equal(x->redirects.v[i].to.v[k].a, reply->src))
				return true;
	return false;
}

static bool is_so(const struct result *r, const struct conntrack_flow *f)
{
	const struct conntrack_tuple *reply = &f->reply;
	const bool is_same = addr_equal(r->packet.dst, reply->src) &&
			     (!proto_has_ports(f->proto) || r->packet.dport == reply->sport);

	return r->dst_changed && (is_same || (r->xlate != NULL && is_member(r->xlate, reply)));
}

/* Judge a first packet, rules with a probability all matching or none */
static struct result judge(struct stale *s, const struct packet *p, uint32_t draw)
{
	const struct model *m = &s->d->model;
	struct world w;

	arena_clear(&s->scratch);
	world_init(&w, &s->scratch);
	for (uint32_t i = 0; i < m->n_draws; i++)
		vec_add(&s->scratch, &w.draws, draw);
	return model_eval(m, &w, p, &s->scratch);
}

/*
 * With @as_is: would a flow be as it is; else: would it be translated at all, its first
 * packet coming from where its source is at home
 */
static bool is_led(struct stale *s, const struct conntrack_flow *f, bool as_is)
{
	static const uint32_t draws[] = { 0, PROB_ONE - 1 };
	const bool is_own = facts_iface_of(&s->d->facts, f->orig.src) != NULL;
	const uint32_t n = s->d->model.n_draws > 0 ? 2 : 1;
	bool found = false;

	for (uint32_t i = 0; i < s->crossings.n * n && !found; i++) {
		const struct crossing *x = &s->crossings.v[i / n];
		const struct packet p = first_packet(s, x, f);
		struct result r;

		if (!as_is && is_own != (x->dir == DIR_OUT))
			continue;
		r = judge(s, &p, draws[i % n]);
		found = as_is ? is_so(&r, f) : r.dst_changed;
	}
	return found;
}

/* Was its destination translated by a rule of ours */
static bool is_ours(const struct conntrack_flow *f)
{
	return f->zone == 0 && (f->status & IPS_DST_NAT) != 0 && (f->mark & NFT_MARK_MASK) != 0;
}

/* Nobody has answered, so nothing is lost when it begins anew */
static bool is_unanswered(const struct conntrack_flow *f)
{
	return f->zone == 0 && (f->status & (IPS_SEEN_REPLY | IPS_NAT_MASK)) == 0 &&
	       f->proto != PROTO_TCP && proto_has_ports(f->proto);
}

static bool is_stale(struct stale *s, const struct conntrack_flow *f)
{
	if (is_ours(f))
		return s->d == NULL || !is_led(s, f, true);
	return s->d != NULL && is_unanswered(f) && is_led(s, f, false);
}

static int forget(struct nl_session *nl, const struct conntrack_flow *f)
{
	const int err = conntrack_delete(nl, f);

	return err == -ENOENT ? 0 : err;
}

int cli_stale_forget(struct cli *c, struct nl_session *nl, const struct declared *d,
		     uint32_t *ret_kept)
{
	struct stale s = { .c = c, .d = d };
	struct conntrack_flows flows = { .list = { .n = 0 } };
	struct arena a CLEANUP(arena_fini);
	uint32_t n_kept = 0;
	int err;

	arena_init(&a, SIZE_MAX);
	a.full = c->arena.full;
	arena_init(&s.scratch, LIMIT_ARENA_BYTES);
	s.scratch.full = c->arena.full;
	if (d != NULL)
		add_crossings(&s);
	err = conntrack_list(nl, &a, d != NULL ? 0 : NFT_MARK_MASK, &flows);
	for (uint32_t i = 0; err == 0 && i < flows.list.n; i++) {
		if (is_stale(&s, &flows.list.v[i]))
			err = forget(nl, &flows.list.v[i]);
		else
			n_kept += is_ours(&flows.list.v[i]);
	}
	arena_fini(&s.scratch);
	if (err == 0 && ret_kept != NULL)
		*ret_kept = n_kept;
	return err < 0 ? cli_system(c, err, "forget the flows of forwards that are no longer") : 0;
}

static bool is_of(const struct conntrack_flow *f, const struct nft_forward *e, bool is_gone)
{
	if (f->proto != e->proto || f->orig.dport != e->port ||
	    !addr_equal(f->orig.dst, e->outside))
		return false;
	return is_gone ? is_ours(f) && f->reply.sport == e->to &&
			 addr_equal(f->reply.src, e->inside)
		       : is_unanswered(f);
}

/* Can there be a flow; one that comes between this and the change the next apply finds */
static bool may_have_flows(const struct nft_forward *e, bool is_gone)
{
	return is_gone ? e->is_used : e->proto != PROTO_TCP;
}

int cli_stale_forget_elements(struct cli *c, struct nl_session *nl, const struct nft_forward *v,
			      uint32_t n, bool is_gone)
{
	struct conntrack_flows flows = { .list = { .n = 0 } };
	int err = 0;

	for (uint32_t i = 0; i < n && err == 0; i++) {
		const struct conntrack_to to = { v[i].proto, v[i].outside, v[i].port };

		if (!may_have_flows(&v[i], is_gone))
			continue;
		err = conntrack_list_to(nl, &c->arena, &to, &flows);
		for (uint32_t k = 0; k < flows.list.n && err == 0; k++)
			if (is_of(&flows.list.v[k], &v[i], is_gone))
				err = forget(nl, &flows.list.v[k]);
	}
	return err;
}
