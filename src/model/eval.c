/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A small machine: a position (list, rule), a stack of positions to return
 * to, the packet as rules see it now, and the candidate ruling.  Every rule is
 * tried in order; nothing is compiled or cached, because this is what the
 * compiled forms are held against.  Only who asks for each new flow of a NAT has
 * rules left out that cannot hold (ruletree.h).
 */
#include "model/eval.h"

#include "model/instance.h"
#include "model/limit.h"
#include "model/pool.h"
#include "model/portmap.h"
#include "model/ruletree.h"

#define STACK_MAX	17u	/* model_check() allows calls 16 deep */
#define HITS_MAX	64u	/* states of two names can lead to each other for ever */

struct position {
	uint32_t list;
	uint32_t rule;
};

/* Where a call goes back to */
struct frame {
	struct position at;
	uint32_t candidate_step;	/* as it was at the call */
	bool is_quick;
};

/* One evaluation under way */
struct run {
	const struct model *m;
	struct world *w;
	struct arena *a;
	struct packet first;		/* as it arrived */
	struct result res;		/* res.packet is what rules see now */
	struct ruling candidate;
	uint32_t candidate_step;	/* index + 1 in res.steps; 0 = none */
	bool candidate_logs;
	const struct scrub *mend;	/* of what passes, or NULL */
	bool translated;
	uint32_t xlate;			/* the last one, from 1 on; 0 = none */
	bool probed;
	uint32_t probed_name;
	uint32_t n_hits;		/* free states found */
	bool refused;			/* by a nat instance */
	const struct portmap_row *row;	/* that the rule's table has of the packet, or NULL */
	struct position at;
	struct frame stack[STACK_MAX];
	uint32_t depth;
};

enum outcome { GO_ON, JUMPED, DECIDED };

/* Errors belong to the flow that they speak of and make no state (pf.c state_icmp) */
static bool is_icmp_error(const struct packet *p)
{
	if (p->proto == PROTO_ICMP)
		return (p->icmp_type >= 3 && p->icmp_type <= 5) || p->icmp_type == 11 ||
		       p->icmp_type == 12;
	return p->proto == PROTO_ICMP6 && p->icmp_type >= 1 && p->icmp_type <= 4;
}

/* The key of a free state: ICMP has no id there (ip_fw_dynamic.c) */
static struct flow free_key(const struct packet *p)
{
	struct flow f = packet_flow(p);

	if (!proto_has_ports(p->proto))
		f.sport = f.dport = 0;
	return f;
}

void world_init(struct world *w, struct arena *a)
{
	*w = (struct world){ .a = a };
}

/* Is the packet's field in the set */
static bool test_holds(const struct run *run, const struct packet *p, const struct test *t)
{
	const struct model *m = run->m;

	switch (t->f) {
	case F_DIR:
		return set_has(t->in, AF_NONE, p->dir);
	case F_IFACE:
		return set_has(t->in, AF_NONE, p->iface);
	case F_RECV:
		return set_has(t->in, AF_NONE, p->recv);
	case F_AF:
		return set_has(t->in, AF_NONE, p->src.af);
	case F_PROTO:
		return set_has(t->in, AF_NONE, p->proto);
	case F_SRC:
		return set_has_addr(t->in, p->src);
	case F_DST:
		return set_has_addr(t->in, p->dst);
	case F_SPORT:
		return proto_has_ports(p->proto) && set_has(t->in, AF_NONE, p->sport);
	case F_DPORT:
		return proto_has_ports(p->proto) && set_has(t->in, AF_NONE, p->dport);
	case F_TCPFLAGS:
		return p->proto != PROTO_TCP || set_has(t->in, AF_NONE, p->tcp_flags);
	case F_ICMP:
		return (p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6) &&
		       set_has(t->in, AF_NONE, (u128)(p->icmp_type << 8 | p->icmp_code));
	case F_DST_LOCAL:
		return set_has(t->in, AF_NONE, facts_is_own(m->facts, p->dst));
	case F_SRC_LOCAL:
		return set_has(t->in, AF_NONE, facts_is_own(m->facts, p->src));
	case F_TAGS:
		return set_has(t->in, AF_NONE, p->tags);
	case F_SRC_GROWN:
		return set_has(t->in, AF_NONE, limit_grown(run->w, p->src));
	case F_DST_GROWN:
		return set_has(t->in, AF_NONE, limit_grown(run->w, p->dst));
	case F_SRC_ROUTE:
		return set_has(t->in, AF_NONE, facts_route_back(m->facts, p->src, p->iface));
	case F_DST_ROUTE:
		return set_has(t->in, AF_NONE, facts_route_back(m->facts, p->dst, 0));
	case F_TOS:
		return set_has(t->in, AF_NONE, p->tos & ~TOS_ECN);
	case F_IPOPTS:
		return set_has(t->in, AF_NONE, p->ip_opts);
	default:
		return packet_head_in(p, (enum head)(t->f - F_TTL), t->in);
	}
}

static uint32_t draw_of(const struct world *w, uint32_t draw)
{
	return draw < w->draws.n ? w->draws.v[draw] : 0;
}

static const struct portmap_row *row_of(const struct run *run, const struct rule *r)
{
	const struct packet *p = &run->res.packet;

	return portmap_find(r->map, p->proto, p->dst, p->dport);
}

static bool rule_holds(const struct run *run, const struct rule *r)
{
	if (r->prob > 0 && draw_of(run->w, r->draw) >= r->prob)
		return false;
	for (uint32_t i = 0; i < r->tests.n; i++)
		if (!test_holds(run, &run->res.packet, &r->tests.v[i]))
			return false;
	return r->map == NULL || row_of(run, r) != NULL;
}

/* Whose rule it is */
static struct origin origin_of(const struct run *run, const struct rule *r)
{
	struct origin o = r->origin;

	if (run->row != NULL) {
		o = r->map->origins.v[run->row->origin];
		o.policy = r->origin.policy;
	}
	return o;
}

static uint32_t add_step(struct run *run, const struct rule *r, struct origin origin,
			 const char *effect)
{
	struct step *s = vec_push(run->a, &run->res.steps);

	s->rule = r;
	s->origin = origin;
	s->effect = effect;
	return run->res.steps.n;
}

static const char *verdict_name(enum verdict v)
{
	static const char *const names[] = { "pass", "block", "return" };

	return names[v];
}

/* Would anything be sent back */
static bool is_answered(const struct packet *p, struct answer a)
{
	const bool v4 = p->src.af == AF_V4;

	if (p->proto == (v4 ? PROTO_ICMP : PROTO_ICMP6) &&
	    !(a.queries && packet_icmp_is_query(p)))
		return false;
	if (p->proto == PROTO_TCP && a.rst)
		return (p->tcp_flags & TCP_FLAG_RST) == 0;
	return (v4 ? a.icmp4 : a.icmp6) >= 0;
}

static void remember(struct run *run, struct ruling ruling, struct origin origin)
{
	struct state s = {
		.dir = run->first.dir,
		.before = packet_flow(&run->first),
		.after = packet_flow(&run->res.packet),
		.cont = LIST_NONE,
		.tags = run->res.packet.tags,
		.mend = run->mend,
		.limit = ruling.limit,
		.allow_opts = ruling.allow_opts,
		.origin = origin,
		.xlate = run->xlate,
	};

	if (run->m->discipline != STATES_DIRECTED)
		return;
	vec_add(run->w->a, &run->w->states, s);
	run->res.makes_state = true;
}

/*
 * A destination translated on the way out is a local caller's (Linux translates
 * there): a rule that passes it passes both crossings of lo.
 */
static void remember_arrival(struct run *run, const struct rule *r)
{
	const struct flow flow = packet_flow(&run->res.packet);
	const struct effect *e = rule_has_effect(r, EF_TRANSLATE);

	/* A nat rule that passes what another has led here passes the one crossing only */
	if (run->first.dir != DIR_OUT || e == NULL || !run->res.dst_changed ||
	    xlate_side(&run->m->xlates.v[e->xlate]) != XL_DST ||
	    run->m->discipline != STATES_DIRECTED)
		return;
	vec_add(run->w->a, &run->w->states,
		((struct state){ .dir = DIR_IN, .before = flow, .after = flow,
				 .cont = LIST_NONE, .tags = run->res.packet.tags,
				 .origin = origin_of(run, r) }));
}

/* A pass that does not hold after all */
static enum outcome refuse(struct run *run, struct origin origin, const char *effect)
{
	if (run->res.steps.n > 0)
		run->res.steps.v[run->res.steps.n - 1].is_final = false;
	add_step(run, NULL, origin, effect);
	run->res.steps.v[run->res.steps.n - 1].is_final = true;
	run->res.verdict = V_BLOCK;
	return DECIDED;
}

static bool refuses_opts(const struct run *run, bool allow_opts)
{
	return run->m->drops_opts && run->first.has_opts && !allow_opts;
}

static void set_tos(struct run *run, int16_t tos)
{
	struct packet *p = &run->res.packet;

	if (tos >= 0)
		p->tos = (uint8_t)((tos & ~TOS_ECN) | (p->tos & TOS_ECN));
}

/* Change the headers of a packet that passes; what a scrub rule said stays besides */
static void mend(struct run *run, const struct scrub *s)
{
	struct scrub *all;

	if (s == NULL)
		return;
	all = arena_new(run->w->a, struct scrub);
	*all = run->res.scrub != NULL ? scrub_then(*run->res.scrub, *s) : *s;
	run->res.scrub = all;
	set_tos(run, s->tos);
}

static void note_mend(struct run *run, uint32_t scrub)
{
	struct scrub *all = arena_new(run->w->a, struct scrub);

	*all = run->m->scrubs.v[scrub];
	if (run->mend != NULL)
		*all = scrub_merge(*run->mend, *all);
	run->mend = all;
}

static enum outcome decide(struct run *run, struct ruling ruling, struct origin origin)
{
	run->res.verdict = ruling.verdict;
	run->res.answer = ruling.answer;
	if (ruling.verdict == V_RETURN && !is_answered(&run->res.packet, ruling.answer))
		run->res.verdict = V_BLOCK;
	if (ruling.verdict != V_PASS)
		return DECIDED;
	if (refuses_opts(run, ruling.allow_opts))
		return refuse(run, origin, "options");
	if (ruling.keep && limit_is_met(run->m, run->w, ruling.limit, &run->res.packet))
		return refuse(run, origin, "limit");
	if (ruling.mend != 0)
		note_mend(run, ruling.mend - 1);
	if ((ruling.keep || run->translated) && !is_icmp_error(&run->res.packet))
		remember(run, ruling, origin);
	mend(run, run->mend);
	return DECIDED;
}

static enum outcome settle(struct run *run)
{
	if (run->candidate_step == 0) {
		run->candidate = run->m->otherwise;
		run->candidate_step = add_step(run, NULL, (struct origin){ 0 }, "default");
	}
	run->res.steps.v[run->candidate_step - 1].is_final = true;
	run->res.is_logged |= run->candidate_logs;
	return decide(run, run->candidate, run->res.steps.v[run->candidate_step - 1].origin);
}

/* Put a flow's addresses and ports into the packet; notes what changed */
static void rewrite(struct run *run, struct flow to)
{
	struct packet *p = &run->res.packet;
	const bool ports = packet_has_ports(p);
	const bool is_query = packet_icmp_is_query(p);	/* its id is told with the source */

	run->res.src_changed |= !addr_equal(p->src, to.src) || (ports && p->sport != to.sport);
	run->res.dst_changed |= !addr_equal(p->dst, to.dst) ||
				(ports && !is_query && p->dport != to.dport);
	p->src = to.src;
	p->dst = to.dst;
	if (ports) {
		p->sport = to.sport;
		p->dport = to.dport;
	}
}

static uint16_t new_port(const struct xlate *x, uint16_t port, uint32_t draw)
{
	switch (x->port) {
	case XP_KEEP:
		return port;
	case XP_TO:
		return x->lo;
	case XP_RANDOM:
		return (uint16_t)(x->lo + draw % (uint32_t)(x->hi - x->lo + 1));
	case XP_SHIFT:
		return xlate_shift(x, port);
	}
	BUG_IF(true);
}

static bool translate_dst(struct run *run, const struct xlate *x)
{
	const struct flow old = packet_flow(&run->res.packet);
	struct flow to = old;
	const struct addr pick = pool_address(x, run->w, run->xlate, &old);

	if (pick.af == AF_NONE)
		return false;
	to.dst = pick;
	if (proto_has_ports(old.proto))
		to.dport = new_port(x, old.dport, run->w->draw);
	rewrite(run, to);
	return !flow_equal(old, to);
}

static bool translate_map(struct run *run, const struct xlate *x)
{
	const struct flow old = packet_flow(&run->res.packet);
	struct flow to = old;

	BUG_IF(run->row == NULL);
	to.dst = x->to.v[run->row->inside];
	to.dport = portmap_port(run->row, old.dport);
	rewrite(run, to);
	return !flow_equal(old, to);
}

/* The source that a translation gives; the range of a random port in @res */
static struct flow source_for(struct run *run, const struct xlate *x, struct flow old)
{
	struct flow to = old;
	struct xlate icmp = *x;
	const struct addr pick = pool_address(x, run->w, run->xlate, &old);

	if (pick.af == AF_NONE)
		return old;
	to.src = pick;
	icmp.lo = 1;
	icmp.hi = UINT16_MAX;
	if (proto_has_ports(old.proto)) {
		to.sport = new_port(x, old.sport, run->w->draw);
	} else if (packet_icmp_is_query(&run->res.packet) && x->port == XP_RANDOM) {
		x = &icmp;
		to.sport = to.dport = new_port(x, old.sport, run->w->draw);
	} else {
		return to;
	}
	run->res.sport_lo = x->port == XP_RANDOM ? x->lo : to.sport;
	run->res.sport_hi = x->port == XP_RANDOM ? x->hi : to.sport;
	return to;
}

static bool translate_src(struct run *run, const struct xlate *x)
{
	const struct flow old = packet_flow(&run->res.packet);
	const struct flow to = source_for(run, x, old);

	rewrite(run, to);
	if (run->res.sport_hi > run->res.sport_lo) {
		run->res.src_changed = true;	/* whatever the draw says */
		return true;
	}
	return !flow_equal(old, to);
}

/* Linux translates a local caller's packet before it chooses between lo and lo1 */
static uint32_t crossed_now(const struct run *run)
{
	const struct packet *p = &run->res.packet;

	return intern_cid(run->m->names,
			  facts_crossed(run->m->facts, intern_name(run->m->names, p->iface),
					p->dst));
}

static bool translate_instance(struct run *run, const struct xlate *x)
{
	const struct flow old = packet_flow(&run->res.packet);
	const struct instance_result r = instance_translate(x, run->w, &run->res.packet);

	run->refused = r.is_denied;
	if (r.is_denied)
		return false;
	rewrite(run, r.to);
	if (x->is_local)
		run->res.packet.iface = crossed_now(run);
	run->res.sport_lo = r.sport_lo;
	run->res.sport_hi = r.sport_hi;
	run->res.src_changed |= r.sport_hi > r.sport_lo;	/* whatever the draw */
	return !flow_equal(old, r.to);
}

static const char *translate_name(const struct rule *r, const struct xlate *x)
{
	if (r->origin.policy == POLICY_LOCAL)
		return "local";
	return xlate_side(x) == XL_DST ? "rdr" : "nat";
}

static enum outcome do_translate(struct run *run, const struct rule *r, const struct effect *e)
{
	static bool (*const how[])(struct run *, const struct xlate *) = {
		[XL_DST] = translate_dst, [XL_SRC] = translate_src,
		[XL_INSTANCE] = translate_instance, [XL_MAP] = translate_map,
	};
	const struct xlate *x = &run->m->xlates.v[e->xlate];
	bool changed;

	run->xlate = e->xlate + 1;
	changed = how[x->kind](run, x);
	run->probed = false;
	if (run->refused) {
		add_step(run, r, r->origin, verdict_name(V_BLOCK));
		run->res.steps.v[run->res.steps.n - 1].is_final = true;
		return decide(run, ruling_block(), r->origin);
	}
	if (changed || e->list == LIST_NONE) {
		run->translated |= changed;
		run->res.xlate = changed ? x : run->res.xlate;
		add_step(run, r, origin_of(run, r), translate_name(r, x));
		return GO_ON;
	}
	add_step(run, r, r->origin, "unchanged");
	run->at = (struct position){ e->list, 0 };
	return JUMPED;
}

/* The newest directed state of a packet; *@same_way: it goes as the one that made it */
static const struct state *state_of(const struct run *run, struct flow flow, bool *same_way)
{
	for (uint32_t i = run->w->states.n; i-- > 0;) {
		const struct state *s = &run->w->states.v[i];

		*same_way = s->dir == run->first.dir;
		if (flow_equal(flow, *same_way ? s->before : flow_reverse(s->after)))
			return s;
	}
	return NULL;
}

static enum outcome probe_directed(struct run *run)
{
	bool same_way;
	const struct state *s = state_of(run, packet_flow(&run->res.packet), &same_way);

	if (s == NULL)
		return GO_ON;
	rewrite(run, same_way ? s->after : flow_reverse(s->before));
	if (s->tags != 0)
		run->res.packet.tags = s->tags;
	add_step(run, NULL, s->origin, "state");
	run->res.steps.v[run->res.steps.n - 1].is_final = true;
	run->res.verdict = V_PASS;
	if (refuses_opts(run, s->allow_opts))
		return refuse(run, s->origin, "options");
	mend(run, s->mend);
	return DECIDED;
}

static enum outcome probe_free(struct run *run, uint32_t name)
{
	const struct flow flow = free_key(&run->res.packet);

	if (run->probed && (run->probed_name == 0 || run->probed_name == name))
		return GO_ON;
	run->probed = true;
	run->probed_name = name;
	for (uint32_t i = 0; i < run->w->states.n; i++) {
		const struct state *s = &run->w->states.v[i];

		if (!flow_equal(flow, s->before) && !flow_equal(flow, flow_reverse(s->before)))
			continue;
		if ((name != 0 && s->name != name) || run->n_hits == HITS_MAX)
			continue;
		run->n_hits++;
		add_step(run, NULL, s->origin, "state");
		run->at = (struct position){ s->cont, 0 };
		return JUMPED;
	}
	return GO_ON;
}

/* Do two flows share what a limit counts by */
static bool is_counted_with(struct flow x, struct flow y, uint8_t by)
{
	return ((by & LIMIT_SRC_ADDR) == 0 || addr_equal(x.src, y.src)) &&
	       ((by & LIMIT_DST_ADDR) == 0 || addr_equal(x.dst, y.dst)) &&
	       ((by & LIMIT_SRC_PORT) == 0 || x.sport == y.sport) &&
	       ((by & LIMIT_DST_PORT) == 0 || x.dport == y.dport) && x.proto == y.proto;
}

static enum outcome record_free(struct run *run, const struct rule *r, const struct effect *e)
{
	const struct flow key = free_key(&run->res.packet);
	uint32_t n = 0;

	for (uint32_t i = 0; i < run->w->states.n; i++) {
		const struct state *s = &run->w->states.v[i];

		if (s->cont == e->list && flow_equal(s->before, key))
			return GO_ON;
		n += s->cont == e->list && is_counted_with(s->before, key, e->limit_by);
	}
	if (e->limit > 0 && n >= e->limit) {
		add_step(run, r, r->origin, "limit");
		run->res.steps.v[run->res.steps.n - 1].is_final = true;
		return decide(run, ruling_block(), r->origin);
	}
	vec_add(run->w->a, &run->w->states,
		((struct state){ .dir = run->first.dir, .before = key, .after = key,
				 .cont = e->list, .name = e->name, .origin = r->origin }));
	run->res.makes_state = true;
	return GO_ON;
}

static void do_scrub(struct run *run, const struct rule *r, const struct scrub *s)
{
	if (s->max_mss == 0 && s->min_ttl == 0 && !s->no_df && s->tos < 0)
		return;
	run->res.scrub = s;
	set_tos(run, s->tos);
	add_step(run, r, r->origin, "scrub");
}

static enum outcome do_effect(struct run *run, const struct rule *r, const struct effect *e)
{
	switch (e->kind) {
	case EF_LOG:
		run->res.is_logged |= rule_has_effect(r, EF_PREFER) == NULL;
		return GO_ON;
	case EF_PREFER:
		run->candidate = e->ruling;
		run->candidate_logs = rule_has_effect(r, EF_LOG) != NULL;
		run->candidate_step = add_step(run, r, r->origin, verdict_name(e->ruling.verdict));
		return GO_ON;
	case EF_TRANSLATE:
		return do_translate(run, r, e);
	case EF_PROBE:
		return run->m->discipline == STATES_DIRECTED ? probe_directed(run)
							      : probe_free(run, e->name);
	case EF_RECORD:
		return record_free(run, r, e);
	case EF_SCRUB:
		do_scrub(run, r, &run->m->scrubs.v[e->scrub]);
		return GO_ON;
	case EF_MEND:
		note_mend(run, e->scrub);
		add_step(run, r, r->origin, "scrub");
		return GO_ON;
	case EF_TAG:
		run->res.packet.tags = (uint8_t)((run->res.packet.tags | e->tags) & ~e->untags);
		return GO_ON;
	}
	BUG_IF(true);
}

/*
 * What a rule without effects did, as steps tell it; NULL for one that nobody
 * wrote and that is no policy: it only holds lists together.
 */
static const char *exit_name(const struct run *run, const struct rule *r)
{
	if (r->origin.at.src == 0 && r->origin.policy == POLICY_NONE)
		return NULL;
	switch (r->exit) {
	case EX_DECIDE:
		if (r->origin.policy != POLICY_NONE)
			return "fence";
		if (run->m->discipline == STATES_DIRECTED && r->ruling.verdict == V_PASS)
			return "skip";
		return verdict_name(r->ruling.verdict);
	case EX_RETURN:
		if (run->m->discipline == STATES_FREE)
			return "return";
		return run->first.dir == DIR_IN ? "no rdr" : "no nat";
	case EX_GOTO:
		return "goto";
	case EX_NEXT:
		return "count";
	case EX_CALL:
		return run->m->discipline == STATES_FREE ? "call" : NULL;
	default:
		return NULL;
	}
}

/* Did the effects of a rule leave no step, so that its exit has to */
static bool is_untold(const struct rule *r)
{
	for (uint32_t i = 0; i < r->effects.n; i++)
		if (r->effects.v[i].kind != EF_LOG && r->effects.v[i].kind != EF_TAG)
			return false;
	return true;
}

static enum outcome do_exit(struct run *run, const struct rule *r)
{
	const char *name = is_untold(r) ? exit_name(run, r) : NULL;

	if (name != NULL)
		add_step(run, r, r->origin, name);
	switch (r->exit) {
	case EX_NEXT:
		run->at.rule++;
		return GO_ON;
	case EX_CALL:
		BUG_IF(run->depth == STACK_MAX);
		run->stack[run->depth++] = (struct frame){
			{ run->at.list, run->at.rule + 1 }, run->candidate_step, r->is_quick,
		};
		run->at = (struct position){ r->list, 0 };
		return GO_ON;
	case EX_GOTO:
		run->at = (struct position){ r->list, 0 };
		return GO_ON;
	case EX_RETURN:
		run->at.rule = UINT32_MAX;	/* as after the last rule */
		return GO_ON;
	case EX_DECIDE:
		if (run->res.steps.n > 0)
			run->res.steps.v[run->res.steps.n - 1].is_final = true;
		remember_arrival(run, r);
		return decide(run, r->ruling, origin_of(run, r));
	case EX_SETTLE:
		return settle(run);
	}
	BUG_IF(true);
}

static enum outcome do_rule(struct run *run, const struct rule *r)
{
	run->row = r->map != NULL ? row_of(run, r) : NULL;
	for (uint32_t i = 0; i < r->effects.n; i++) {
		const enum outcome o = do_effect(run, r, &r->effects.v[i]);

		if (o != GO_ON)
			return o;
	}
	return do_exit(run, r);
}

/* Behind a call, or not if it was quick and a ruling was preferred in it */
static enum outcome come_back(struct run *run, const struct frame *f)
{
	if (f->is_quick && run->candidate_step != f->candidate_step)
		return settle(run);
	run->at = f->at;
	return JUMPED;
}

/* Run from the start of a list; at its end: settle, or GO_ON for policy lists */
static enum outcome run_list(struct run *run, uint32_t list, bool settles)
{
	run->at = (struct position){ list, 0 };
	run->depth = 0;
	for (;;) {
		const struct rule_list *l = &run->m->lists.v[run->at.list];

		if (run->w->tree != NULL && run->at.rule < l->rules.n)
			run->at.rule = ruletree_next(run->w->tree, run->at.list, &run->res.packet,
						     run->at.rule);
		if (run->at.rule >= l->rules.n) {
			if (run->depth == 0)
				return settles ? settle(run) : GO_ON;
			if (come_back(run, &run->stack[--run->depth]) == DECIDED)
				return DECIDED;
			continue;
		}
		if (!rule_holds(run, &l->rules.v[run->at.rule])) {
			run->at.rule++;
			continue;
		}
		if (do_rule(run, &l->rules.v[run->at.rule]) == DECIDED)
			return DECIDED;
	}
}

/* Does the packet answer one that was let in the other way */
static bool is_answer(const struct run *run)
{
	bool same_way;

	return run->m->discipline == STATES_DIRECTED &&
	       state_of(run, packet_flow(&run->first), &same_way) != NULL && !same_way;
}

/* Linux changes answers to local callers behind the rules, as they leave */
static void answer_local(struct run *run)
{
	const struct flow f = packet_flow(&run->res.packet);

	if (run->m->discipline == STATES_FREE && run->first.dir == DIR_OUT &&
	    run->res.verdict == V_PASS && !run->res.dst_changed)
		rewrite(run, instance_answer(run->w, f));
}

/* What passes is judged once more, as it leaves; a directed state that it made goes too */
static void run_after(struct run *run, uint32_t n_states)
{
	const uint32_t list = run->m->after[run->first.dir];

	if (list == LIST_NONE || run->res.verdict != V_PASS || is_answer(run))
		return;
	if (run_list(run, list, false) == DECIDED && run->res.verdict != V_PASS &&
	    run->m->discipline == STATES_DIRECTED) {
		run->w->states.n = n_states;
		run->res.makes_state = false;
	}
}

struct result model_eval(const struct model *m, struct world *w, const struct packet *p,
			 struct arena *a)
{
	struct run run = {
		.m = m, .w = w, .a = a, .first = *p,
		.res = { .packet = *p, .sport_lo = p->sport, .sport_hi = p->sport },
	};
	const uint32_t before = m->before[p->dir];
	const uint32_t n_states = w->states.n;

	if (before == LIST_NONE || run_list(&run, before, false) != DECIDED)
		run_list(&run, m->entry[p->dir], true);
	answer_local(&run);
	run_after(&run, n_states);
	return run.res;
}
