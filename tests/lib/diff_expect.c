/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A packet that does not arrive leaves no trace in conntrack, which remembers a
 * flow only when its first packet came to an end; in pf the state of the first
 * crossing stays.  So the states of what does not arrive are taken back here.
 */
#include "diff_way.h"
#include "diff_wire.h"

#include <string.h>

const struct diff_known_info diff_known[N_DIFF_KNOWN] = {
	[DK_NONE] = { "none", "" },
	[DK_INVALID] = { "invalid", "conntrack does not track it, so it is not translated" },
	[DK_RETURN] = { "return", "no answer after the source was translated" },
	[DK_FLOW] = { "flow", "conntrack translates flows, and this one began untranslated" },
	[DK_LO_NAME] = { "lo-name", "leaves for lo1 after translation, for lo before it" },
	[DK_REROUTED] = { "rerouted", "translated before it was routed, so it never crossed lo" },
	[DK_UNSUMMED] = { "unsummed", "the kernel answers only what it can checksum" },
	[DK_OWN_ERROR] = { "own-error", "taken for the kernel's own answer to a refused packet" },
	[DK_UNDONE] = { "undone", "conntrack undoes a translation where pf looks for no state" },
	[DK_SELF] = { "self", "after translation the flow is its own answer" },
	[DK_LO_NAT] = { "lo-nat", "on lo Linux translates destinations before sources" },
	[DK_POOL] = { "pool", "the filter judges by the address that a pool happens to give" },
	[DK_ANSWER] = { "answer", "answers what came in without a state, and makes one itself" },
	[DK_FENCED] = { "fenced", "no answer may leave with an interior source" },
	[DK_LIMIT] = { "limit", "conntrack counts no connection whose packet was lost" },
	[DK_TWICE] = { "twice", "two states fit it, and which is found first is not said" },
	[DK_UNSURE] = { "unsure", "shares a state with a packet that was not compared" },
};

#define MAX_POOL	4u	/* addresses of the largest pool that rules can name */

/* Would conntrack begin a connection with it */
static bool begins_flow(const struct packet *p)
{
	const uint8_t flags = p->tcp_flags & (TCP_FLAG_FIN | TCP_FLAG_SYN | TCP_FLAG_RST |
					      TCP_FLAG_ACK | TCP_FLAG_URG);

	if (p->proto == PROTO_TCP)
		return flags == TCP_FLAG_SYN || flags == (TCP_FLAG_SYN | TCP_FLAG_URG) ||
		       flags == TCP_FLAG_ACK || flags == (TCP_FLAG_ACK | TCP_FLAG_URG);
	if (p->proto == PROTO_ICMP)
		return p->icmp_type == 8 || p->icmp_type == 13 || p->icmp_type == 15 ||
		       p->icmp_type == 17;
	return p->proto != PROTO_ICMP6 || p->icmp_type == 128;
}

/* May be refused with an answer: nf_reject_verify_csum() */
bool diff_is_summed(uint8_t proto)
{
	return proto_has_ports(proto) || proto == PROTO_ESP || proto == PROTO_AH ||
	       proto == PROTO_GRE || proto == PROTO_ICMP || proto == PROTO_ICMP6;
}

bool diff_may_be_answer(const struct packet *p)
{
	return (p->proto == PROTO_TCP && (p->tcp_flags & TCP_FLAG_RST) != 0) ||
	       (p->proto == PROTO_ICMP && p->icmp_type == 3) ||
	       (p->proto == PROTO_ICMP6 && p->icmp_type == 1);
}

static void told(struct way *w, enum diff_known known, enum diff_fate fate)
{
	w->e->known = known;
	w->e->fate = fate;
}

static void note_steps(struct way *w, const struct result *r)
{
	const struct packet *p = &w->p;
	struct arena *a = w->j->a;
	const char *text = arena_printf(a, "%s%s %s:", w->e->steps != NULL ? "; " : "",
					p->dir == DIR_IN ? "in" : "out",
					intern_name(w->j->m->names, p->iface));

	for (uint32_t i = 0; i < r->steps.n; i++) {
		const struct step *s = &r->steps.v[i];

		if (s->is_final || strchr("rnl", s->effect[0]) != NULL)
			text = arena_printf(a, "%s %s [%s]", text, s->effect,
					    s->origin.text != NULL ? s->origin.text : "");
	}
	w->e->steps = arena_printf(a, "%s%s", w->e->steps != NULL ? w->e->steps : "", text);
}

static bool is_replay(const struct way *w, const struct result *r)
{
	for (uint32_t i = 0; i < r->steps.n && w->j->m->discipline == STATES_FREE; i++)
		if (r->steps.v[i].rule == NULL && strcmp(r->steps.v[i].effect, "state") == 0)
			return true;
	return r->steps.n > 0 && strcmp(r->steps.v[r->steps.n - 1].effect, "state") == 0;
}

const char *diff_link_name(const struct diff_judge *j, uint32_t link)
{
	return j->lab->facts->ifaces.v[j->lab->links[link].iface].name;
}

bool diff_leaves(const struct diff_judge *j, uint32_t link, const struct packet *p)
{
	struct model fences = *j->m;
	struct packet out = *p;
	struct world none;

	if (link >= j->lab->n_links || j->m->after[DIR_OUT] == LIST_NONE)
		return true;
	out.dir = DIR_OUT;
	out.iface = intern_cid(j->m->names, diff_link_name(j, link));
	fences.before[DIR_OUT] = fences.after[DIR_OUT] = LIST_NONE;
	fences.entry[DIR_OUT] = j->m->after[DIR_OUT];
	fences.otherwise = ruling_pass();
	world_init(&none, j->a);
	return model_eval(&fences, &none, &out, j->a).verdict == V_PASS;
}

/* Does the policy let the answer to @first leave */
static bool may_answer(struct way *w, const struct packet *first)
{
	const bool rst = first->proto == PROTO_TCP && w->e->answer.rst;
	const struct packet p = {
		.proto = first->proto, .src = first->dst, .dst = first->src,
		.sport = first->dport, .dport = first->sport, .tcp_flags = TCP_FLAG_RST,
	};

	/* An ICMP error comes from the address it is sent for where a translation is undone,
	 * or over IPv6
	 */
	if (!rst && !w->was_translated &&
	    (p.src.af == AF_V4 || facts_iface_of(w->j->lab->facts, p.src) == NULL))
		return true;
	return diff_leaves(w->j, w->e->answer_link, &p);
}

/* A nat rule matched and changed nothing: its target is the source */
static bool is_pinned(const struct way *w, const struct result *r)
{
	for (uint32_t i = 0; i < r->steps.n; i++) {
		const struct step *s = &r->steps.v[i];
		const struct effect *e;

		if (strcmp(s->effect, "unchanged") != 0)
			continue;
		e = rule_has_effect(s->rule, EF_TRANSLATE);
		if (e != NULL && w->j->m->xlates.v[e->xlate].kind == XL_SRC)
			return true;
	}
	return false;
}

/* A refused packet; the answer goes where its source, as sent, is routed */
static void refused(struct way *w, const struct result *r, const struct packet *first)
{
	if (w->j->m->discipline == STATES_FREE) {
		diff_free_refused(w, r, first);
		return;
	}
	w->e->fate = r->verdict == V_RETURN ? FATE_ANSWERED : FATE_LOST;
	w->e->answer = r->answer;
	w->e->answer_link = lab_route(w->j->lab, first->src);
	/* Who forged an address of ours gets no answer, and Linux may make none */
	if (!w->is_own && w->e->answer_link == LAB_LOCAL)
		w->e->answer_link = LAB_NOWHERE;
	if (r->verdict == V_RETURN && w->p.dir == DIR_OUT &&
	    (w->was_translated || is_pinned(w, r)))
		told(w, DK_RETURN, FATE_LOST);
	else if (r->verdict == V_RETURN && !diff_is_summed(w->p.proto))
		told(w, DK_UNSUMMED, FATE_LOST);
	else if (r->verdict == V_RETURN && !may_answer(w, first))
		told(w, DK_FENCED, FATE_LOST);
	if (w->is_own && diff_may_be_answer(&w->p))
		told(w, DK_OWN_ERROR, FATE_ANY);
}

static bool is_fixed(const struct xlate *x)
{
	return x->pool == POOL_SOURCE_HASH || x->pool == POOL_BITMASK;
}

static void note_source(struct way *w, const struct result *r)
{
	if (r->dst_changed && r->xlate != NULL && r->xlate->kind == XL_DST)
		w->e->dst_pool = is_fixed(r->xlate) ? NULL : r->xlate;
	if (!r->src_changed || r->xlate == NULL || r->xlate->kind == XL_DST)
		return;
	w->e->sport_lo = r->sport_lo;
	w->e->sport_hi = r->sport_hi;
	w->e->pool = r->xlate;
	w->e->is_fixed = is_fixed(r->xlate);
}

static void carry_source(struct way *w, const struct result *r)
{
	if (r->src_changed && (r->xlate == NULL || r->xlate->kind == XL_DST)) {
		w->e->sport_lo = w->e->sport_hi = r->packet.sport;
		w->e->pool = NULL;
	}
	note_source(w, r);
}

static bool is_skip(const struct result *r)
{
	return r->steps.n > 0 && strcmp(r->steps.v[r->steps.n - 1].effect, "skip") == 0;
}

/* Is there a state of the packet's flow, either way, that translates it */
static bool was_translated(const struct way *w)
{
	const struct flow f = packet_flow(&w->p), back = flow_reverse(f);

	for (uint32_t i = 0; i < w->j->w->states.n; i++) {
		const struct state *s = &w->j->w->states.v[i];

		if (!flow_equal(s->before, s->after) &&
		    (flow_equal(f, s->before) || flow_equal(f, s->after) ||
		     flow_equal(back, s->before) || flow_equal(back, s->after)))
			return true;
	}
	return false;
}

/* Passed by a rule that keeps state, and stopped by the egress fence all the same */
static bool is_fenced(const struct result *r)
{
	const struct effect *e;

	if (r->verdict != V_BLOCK || r->steps.n == 0 ||
	    r->steps.v[r->steps.n - 1].origin.policy != POLICY_EGRESS)
		return false;
	for (uint32_t i = 0; i < r->steps.n; i++) {
		const struct step *s = &r->steps.v[i];

		e = s->is_final && s->rule != NULL ? rule_has_effect(s->rule, EF_PREFER) : NULL;
		if (e != NULL && e->ruling.keep)
			return true;
	}
	return false;
}

static bool is_self(const struct packet *p)
{
	const struct flow f = packet_flow(p);

	return flow_equal(f, flow_reverse(f));
}

/* Decided by a local caller's translation with `pass` */
static bool passes_local(const struct result *r)
{
	const struct step *last = r->steps.n > 0 ? &r->steps.v[r->steps.n - 1] : NULL;

	return r->xlate != NULL && r->xlate->kind == XL_DST && last != NULL && last->is_final &&
	       last->rule != NULL && rule_has_effect(last->rule, EF_TRANSLATE) != NULL;
}

/* Does what becomes of it depend on the member of a pool; in a world without states */
static bool depends_on_draw(const struct way *w, const struct result *r)
{
	struct world none;

	if (is_replay(w, r))
		return false;
	for (uint32_t i = 0; i < MAX_POOL; i++) {
		struct result other;

		world_init(&none, w->j->a);
		none.draw = i;
		none.draws = w->j->w->draws;
		other = model_eval(w->j->m, &none, &w->p, w->j->a);
		if (other.verdict != r->verdict ||
		    (r->verdict == V_PASS && (other.src_changed != r->src_changed ||
					     other.dst_changed != r->dst_changed)))
			return true;
	}
	return false;
}

static bool is_limited(const struct diff_judge *j, uint32_t from)
{
	for (uint32_t i = from; i < j->w->states.n; i++)
		if (j->w->states.v[i].limit != 0)
			return true;
	return false;
}

/* Linux counts sources of each family apart */
static bool is_of_both_families(const struct diff_judge *j, const struct packet *p)
{
	for (uint32_t i = 0; i < j->w->states.n; i++) {
		const struct state *s = &j->w->states.v[i];

		if (s->limit != 0 && j->m->limits.v[s->limit - 1].max_src_nodes != 0 &&
		    s->before.src.af != p->src.af)
			return true;
	}
	return false;
}

/* Did a limit count the packet that was judged last, or refuse to */
static bool meets_limit(const struct way *w, const struct result *r)
{
	for (uint32_t i = 0; i < r->steps.n; i++)
		if (strcmp(r->steps.v[i].effect, "limit") == 0)
			return true;
	return r->makes_state && is_limited(w->j, w->j->w->states.n - 1);
}

/* Does Linux see this crossing another way */
static enum diff_known known_at(struct way *w, const struct result *r)
{
	if (w->j->m->discipline == STATES_FREE)
		return diff_free_known(w, r);
	if ((r->src_changed || r->dst_changed) && w->is_invalid && !w->is_tracked)
		return DK_INVALID;
	if ((w->was_translated || is_replay(w, r)) && is_self(&r->packet))
		return DK_SELF;
	if (w->is_own && w->p.dir == DIR_IN && r->xlate != NULL)
		return DK_LO_NAT;
	if (r->xlate != NULL && w->is_tracked)
		return DK_FLOW;
	if (w->is_tracked && w->p.dir == DIR_OUT && is_fenced(r))
		return DK_ANSWER;
	if ((w->j->limits_unsure || is_of_both_families(w->j, &w->p)) && meets_limit(w, r))
		return DK_LIMIT;
	if (depends_on_draw(w, r))
		return DK_POOL;
	return w->is_tracked && is_skip(r) && was_translated(w) ? DK_UNDONE : DK_NONE;
}

/* Judge one crossing; does the packet go on */
static bool cross(struct way *w, enum direction dir, const char *iface,
		  const struct packet *first)
{
	enum diff_known known;
	struct result r;

	w->p.dir = dir;
	w->p.iface = intern_cid(w->j->m->names, iface);
	w->p.recv = dir == DIR_IN ? w->p.iface : w->recv;
	wire_set_heads(&w->p);
	r = model_eval(w->j->m, w->j->w, &w->p, w->j->a);
	note_steps(w, &r);
	w->e->crossings++;
	w->e->replays += is_replay(w, &r);
	w->was_translated |= r.src_changed || r.dst_changed;
	known = known_at(w, &r);
	if (known != DK_NONE) {
		told(w, known, FATE_ANY);
		return false;
	}
	if (r.verdict != V_PASS) {
		refused(w, &r, first);
		return false;
	}
	w->is_local = dir == DIR_OUT && r.dst_changed && !is_replay(w, &r);
	w->is_skipped = is_skip(&r);
	w->is_local_pass = w->is_local && passes_local(&r);
	carry_source(w, &r);
	w->p = r.packet;
	return true;
}

/* What the model says of @p at a crossing of lo; the world stays as it is */
static struct result look(struct way *w, struct packet p, enum direction dir, const char *iface)
{
	const uint32_t n = w->j->w->states.n, n_links = w->j->w->links.n;
	struct result r;

	p.dir = dir;
	p.iface = intern_cid(w->j->m->names, iface);
	p.recv = dir == DIR_IN ? p.iface : 0;
	wire_set_heads(&p);
	r = model_eval(w->j->m, w->j->w, &p, w->j->a);
	w->j->w->states.n = n;
	w->j->w->links.n = n_links;
	return r;
}

/*
 * Linux translates a destination before its packet is routed to lo, in pf the
 * one crossing of lo or the other does: would the way out be judged otherwise by
 * the new destination, and by the name, lo1 or lo, that goes with it
 */
static bool has_two_names(struct way *w, const char *out)
{
	const struct facts *f = w->j->m->facts;
	const struct result first = look(w, w->p, DIR_OUT, out);
	const struct result back = look(w, w->p, DIR_IN, out);
	struct packet p = w->p;
	struct result second;

	if (first.dst_changed && !passes_local(&first))
		p = first.packet;
	else if (is_replay(w, &back) && back.dst_changed)
		p.dst = back.packet.dst;
	else
		return false;
	second = look(w, p, DIR_OUT, facts_crossed(f, "lo0", p.dst));
	return second.verdict != first.verdict || is_skip(&second) != is_skip(&first) ||
	       second.src_changed != first.src_changed;
}

/*
 * A local caller's translation is of both crossings of lo: what passes has a
 * state of both, which lets the answers through
 */
static void remember_both(struct way *w)
{
	const struct flow f = packet_flow(&w->p);
	const struct state in = { .dir = DIR_IN, .before = f, .after = f, .cont = LIST_NONE };

	vec_add(w->j->w->a, &w->j->w->states, in);
}

/* Out by lo and in again; does it go on to a real interface after all */
static bool cross_lo(struct way *w, const struct packet *first)
{
	const char *out = facts_crossed(w->j->m->facts, "lo0", w->p.dst), *in;
	const bool is_free = w->j->m->discipline == STATES_FREE;
	bool is_local;

	if (lab_route(w->j->lab, look(w, w->p, DIR_OUT, out).packet.dst) != LAB_LOCAL) {
		told(w, DK_REROUTED, FATE_ANY);
		return false;
	}
	if (!is_free && has_two_names(w, out)) {
		told(w, DK_LO_NAME, FATE_ANY);
		return false;
	}
	if (!cross(w, DIR_OUT, out, first))
		return false;
	in = facts_crossed(w->j->m->facts, "lo0", w->p.dst);
	is_local = w->is_local;
	if (!w->is_local_pass && !cross(w, DIR_IN, in, first))
		return false;
	if (is_local && !w->is_skipped && !is_free)
		remember_both(w);
	return true;
}

static bool go(struct way *w, const struct gen_packet *x)
{
	uint32_t link;

	if (!x->from_host) {
		const char *name = diff_link_name(w->j, x->link);

		if (!cross(w, DIR_IN, name, &x->p))
			return false;
		w->recv = intern_cid(w->j->m->names, name);
	} else if (lab_route(w->j->lab, w->p.dst) == LAB_LOCAL) {
		w->e->link = LAB_LOCAL;
		return cross_lo(w, &x->p);
	}
	link = w->e->link = lab_route(w->j->lab, w->p.dst);
	return link == LAB_LOCAL || cross(w, DIR_OUT, diff_link_name(w->j, link), &x->p);
}

struct diff_expect diff_expect(struct diff_judge *j, const struct gen_packet *x, bool is_tracked)
{
	const bool is_free = j->m->discipline == STATES_FREE;
	struct diff_expect e = {
		.state_lo = j->w->states.n, .link_lo = j->w->links.n, .answer_link = LAB_NOWHERE,
		.sport_lo = x->p.sport, .sport_hi = x->p.sport,
	};
	struct way w = { .j = j, .e = &e, .p = x->p, .is_own = x->from_host,
			 .is_tracked = is_tracked, .is_invalid = !begins_flow(&x->p) };

	if (go(&w, x)) {
		e.fate = FATE_ARRIVED;
		e.p = w.p;
		if (is_tracked && !is_free && !w.was_translated && was_translated(&w))
			told(&w, DK_UNDONE, FATE_ANY);
	}
	if (e.fate != FATE_ARRIVED || (w.is_invalid && !is_tracked)) {
		if (!is_free) {
			/* Its place in the set stays, for a moment or, of nodes, for longer */
			j->limits_unsure |= is_limited(j, e.state_lo);
			j->w->states.n = e.state_lo;
		}
		j->w->links.n = e.link_lo;
	}
	e.state_hi = j->w->states.n;
	e.link_hi = j->w->links.n;
	if (is_free)
		diff_free_note(&w, &x->p);
	return e;
}

/* Where a flow has the source that the draw gave, give it the one that was seen */
static void learn_flow(struct flow *f, const struct diff_expect *e, const struct packet *seen)
{
	if (e->dst_pool != NULL && addr_equal(f->dst, e->p.dst))
		f->dst = seen->dst;
	if (e->pool == NULL)
		return;
	if (!addr_equal(f->src, e->p.src) || f->sport != e->p.sport)
		return;
	f->src = seen->src;
	f->sport = seen->sport;
	if (!proto_has_ports(f->proto))
		f->dport = seen->dport;
}

void diff_learn(struct diff_judge *j, const struct diff_expect *e, const struct packet *seen)
{
	if (e->pool != NULL)
		diff_free_learn(j, e, seen);
	if (e->pool == NULL && e->dst_pool == NULL)
		return;
	for (uint32_t i = e->state_lo; i < e->state_hi; i++) {
		struct state *s = &j->w->states.v[i];

		if (flow_equal(s->before, s->after))
			learn_flow(&s->before, e, seen);
		learn_flow(&s->after, e, seen);
	}
}

static const char *endpoint(struct arena *a, const struct packet *p, struct addr x, uint16_t port)
{
	char buf[ADDR_TEXT_BYTES];

	return arena_printf(a, "%s", addr_port_print(x, proto_has_ports(p->proto) ? port : -1,
						     buf));
}

const char *diff_packet(struct arena *a, const struct packet *p)
{
	static const char letters[] = "FSRPAUEW";
	const char *name = proto_name(p->proto), *extra = "";
	char flags[16] = "";
	size_t n = 0;

	if (p->proto == PROTO_TCP) {
		for (int i = 0; i < 8; i++)
			if ((p->tcp_flags & 1 << i) != 0)
				flags[n++] = letters[i];
		extra = flags;
	} else if (p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6) {
		extra = arena_printf(a, "%u/%u", p->icmp_type, p->icmp_code);
	}
	if (name == NULL)
		name = arena_printf(a, "%u", p->proto);
	return arena_printf(a, "%s %s %s %s", name, endpoint(a, p, p->src, p->sport),
			    endpoint(a, p, p->dst, p->dport), extra);
}

const char *diff_line(struct arena *a, const struct lab *lab, const struct gen_packet *x)
{
	const uint32_t out = lab_route(lab, x->p.dst);
	const uint32_t link = x->from_host ? out : x->link;
	const char *iface = link >= lab->n_links ? "lo0" :
			    lab->facts->ifaces.v[lab->links[link].iface].name;

	return arena_printf(a, "%s %s %s", x->from_host ? "out" : "in", iface,
			    diff_packet(a, &x->p));
}
