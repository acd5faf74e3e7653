/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Three rounds a ruleset: the first packets of all flows; then, of each, the
 * same again or an answer; then one more in the first direction.  All packets of
 * a round are judged by the model, sent, and collected; then the states learn
 * the ports that the kernel drew.  Each flow draws from a sequence of its own, so
 * that a flow alone, in a ruleset with rules taken out, is the same flow.
 */
#include "diff_run.h"

#include <string.h>

#include "base/limits.h"
#include "lang/ipfw.h"
#include "lang/pf.h"
#include "model/policy.h"
#include "target/nft.h"

#define ROUNDS		3
#define BATCH		12u	/* packets sent before they are collected */

const char *const diff_roles[N_DIFF_ROLES] = {
	[ROLE_FIRST] = "first", [ROLE_AGAIN] = "again", [ROLE_REPLY] = "reply", [ROLE_ON] = "on",
	[ROLE_ERROR] = "error",
};

/* A flow under way */
struct flow_run {
	struct gen g;
	struct gen_packet first;
	struct packet seen;		/* as it arrived last, in the first direction */
	struct wire quote;		/* the same, whole */
	uint32_t error;			/* number of the error that quotes it, 0 = none */
	uint32_t seen_link;
	bool arrived;			/* the last packet of it did */
	bool is_tracked;
	bool is_answered;		/* an answer came back */
	bool is_lost_sight_of;		/* some packet of it was not compared */
	uint32_t next[2];		/* TCP sequence numbers, [1] of the other end */
};

struct stuck {
	const struct xlate *xlate;
	struct addr source;
	struct addr to;
};

struct run {
	VEC(struct stuck) stuck;
	struct diff_bench *b;
	struct arena *a;
	const struct diff_ruleset *s;
	struct diff_report *r;
	struct model m;
	struct world world;
	struct diff_judge judge;
	struct flow_run *flows;
	uint32_t n_flows;
	uint32_t n_sent;		/* probes sent so far */
};

static const char *diags_text(struct arena *a, struct diags *d)
{
	char *text = NULL, *copy;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	BUG_IF(f == NULL);
	diag_print(d, f, false, DIAG_WARNING);
	fclose(f);
	copy = arena_strndup(a, text, len);
	base_free(&text);
	return copy;
}

/* Having loaded it, the kernel holds it, and nothing else of ours */
static bool is_held(struct run *run, const struct nft_program *program)
{
	struct nft_changes changes = { 0 };

	if (nft_diff(&run->b->lab.nft, program, run->a, &changes) < 0)
		return false;
	for (uint32_t i = 0; i < changes.list.n; i++)
		printf("# %s %s\n", nft_op_name(changes.list.v[i].op), changes.list.v[i].object);
	return changes.list.n == 0;
}

static bool lower_pf(struct run *run, struct lang_ctx *ctx, uint32_t src)
{
	const struct pf_options o = { .tolerate_missing = false };

	return pf_lower(ctx, pf_parse(ctx, NULL, &src, 1), &run->b->facts, NULL, &o, &run->m);
}

static bool lower_ipfw(struct run *run, struct lang_ctx *ctx, uint32_t src)
{
	const struct ipfw_options o = { .one_pass = -1 };
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	const struct ipfw_ruleset *rs;

	if (!ipfw_rules_read(ctx, src, &cmds))
		return false;
	rs = ipfw_parse(ctx, &cmds);
	return ctx->diags->n_errors == 0 &&
	       ipfw_lower(ctx, rs, &run->b->facts, &o, &run->m);
}

/* As the command line does it: parse, lower, policy, program, load */
static enum diff_outcome load(struct run *run, struct sources *sources, struct diags *diags)
{
	struct lang_ctx ctx = {
		.a = run->a, .names = &run->b->names, .sources = sources, .diags = diags,
	};
	const bool is_ipfw = run->s->lang == DIFF_IPFW;
	struct policy_options policy = { 0 };
	struct nft_options options;
	struct nft_program *program;
	const char *text = "";
	bool changed;
	uint32_t src;

	for (uint32_t i = 0; i < run->s->lines.list.n; i++)
		text = arena_printf(run->a, "%s%s\n", text, run->s->lines.list.v[i]);
	src = sources_add(sources, is_ipfw ? "diff.ipfw.rules" : "diff.pf.conf", text,
			  (uint32_t)strlen(text), SPAN_NONE);
	model_init(&run->m, run->a, &run->b->names, &run->b->facts);
	if (!(is_ipfw ? lower_ipfw : lower_pf)(run, &ctx, src) || diags->n_errors > 0)
		return DIFF_REFUSED;
	memcpy(policy.off, run->s->fences_off, sizeof(policy.off));
	policy_add(&run->m, &policy, diags);
	nft_options_init(&options);
	program = nft_program_from_model(&run->m, &options, diags);
	if (program == NULL)
		return DIFF_INEXPRESSIBLE;
	/* States are elements of sets, and one of the same name would keep them */
	BUG_IF(is_ipfw && nft_destroy(&run->b->lab.nft, &changed) < 0);
	if (nft_load(&run->b->lab.nft, program, diags, &changed) == 0 && is_held(run, program))
		return DIFF_RAN;
	/* The next one is not to suffer from it */
	BUG_IF(nft_destroy(&run->b->lab.nft, &changed) < 0);
	return DIFF_NOT_LOADED;
}

/* ---- what is seen ---------------------------------------------------------- */

static void add_arrival(struct diff_arrival *list, uint32_t *n, uint32_t link,
			const struct wire_seen *seen)
{
	if (*n < RUN_ARRIVALS)
		list[*n] = (struct diff_arrival){
			.link = link, .w = seen->w, .inner = seen->inner,
		};
	++*n;
}

static struct diff_probe *probe_of(struct run *run, uint32_t id)
{
	return id >= 1 && id <= run->r->probes.n ? &run->r->probes.v[id - 1] : NULL;
}

/* The probe that a RST answers, by sequence number */
static struct diff_probe *probe_of_rst(struct run *run, const struct wire *w)
{
	for (uint32_t i = run->r->probes.n; i-- > 0;) {
		struct diff_probe *p = &run->r->probes.v[i];

		if (p->x.p.proto != PROTO_TCP)
			continue;
		if ((p->x.p.tcp_flags & TCP_FLAG_ACK) != 0 ? w->seq == p->w.ack
							    : w->ack == wire_next_seq(&p->w))
			return p;
	}
	return NULL;
}

static void take_seen(uint32_t link, const uint8_t *data, size_t len, void *arg)
{
	struct run *run = arg;
	struct wire_seen seen;
	struct diff_probe *p = NULL;

	/* The lab's own may still be refused seconds later: nobody has that address */
	if (!wire_parse(data, len, &seen) || MAX(seen.w.id, seen.inner.id) >= LAB_FIRST_ID)
		return;
	if (seen.w.id != 0) {
		p = probe_of(run, seen.w.id);
		if (p != NULL)
			add_arrival(p->data, &p->n_data, link, &seen);
		return;
	}
	if (seen.has_inner) {
		p = probe_of(run, seen.inner.id);
		if (p != NULL && run->flows[p->flow].error != 0) {
			p = probe_of(run, run->flows[p->flow].error);
			add_arrival(p->data, &p->n_data, link, &seen);
			return;
		}
	} else if (seen.w.p.proto == PROTO_TCP && (seen.w.p.tcp_flags & TCP_FLAG_RST) != 0) {
		p = probe_of_rst(run, &seen.w);
	} else {
		return;		/* neighbour discovery and the like */
	}
	if (p != NULL)
		add_arrival(p->answers, &p->n_answers, link, &seen);
	else
		run->r->strays++;
}

/* ---- comparing ------------------------------------------------------------- */

static const char *where(struct run *run, uint32_t link)
{
	if (link == LAB_LOCAL)
		return "the host";
	return run->b->lab.facts->ifaces.v[run->b->lab.links[link].iface].name;
}

static bool in_pool(const struct xlate *x, struct addr want, struct addr a)
{
	if (x == NULL || x->kind == XL_INSTANCE)
		return addr_equal(a, want);
	for (uint32_t i = 0; i < x->to.n; i++)
		if (addr_equal(a, x->to.v[i]))
			return true;
	return false;
}

static bool same_ports(const struct diff_expect *e, const struct packet *p)
{
	if (!proto_has_ports(p->proto) && !packet_icmp_is_query(p))
		return true;
	if (p->sport < e->sport_lo || p->sport > e->sport_hi)
		return false;
	return packet_icmp_is_query(p) || p->dport == e->p.dport;
}

static bool same_packet(const struct diff_expect *e, const struct packet *p)
{
	return p->proto == e->p.proto && in_pool(e->is_fixed ? NULL : e->pool, e->p.src, p->src) &&
	       in_pool(e->dst_pool, e->p.dst, p->dst) && same_ports(e, p) &&
	       p->tcp_flags == e->p.tcp_flags &&
	       p->icmp_type == e->p.icmp_type && p->icmp_code == e->p.icmp_code;
}

/* A sticky pool gives a source one address: the one that was seen first */
static bool is_stuck(struct run *run, const struct diff_probe *p)
{
	const struct xlate *x = p->want.pool != NULL ? p->want.pool : p->want.dst_pool;
	const struct packet *got = &p->data[0].w.p;
	struct stuck s = { .xlate = x, .source = p->x.p.src };

	if (x == NULL || !x->is_sticky)
		return true;
	s.to = x->kind == XL_DST ? got->dst : got->src;
	for (uint32_t i = 0; i < run->stuck.n; i++)
		if (run->stuck.v[i].xlate == x && addr_equal(run->stuck.v[i].source, s.source))
			return addr_equal(run->stuck.v[i].to, s.to);
	vec_add(run->a, &run->stuck, s);
	return true;
}

static const char *seen_text(struct run *run, const struct diff_probe *p)
{
	const char *text = p->n_data + p->n_answers == 0 ? "nothing" : "";

	for (uint32_t i = 0; i < MIN(p->n_data, RUN_ARRIVALS); i++)
		text = arena_printf(run->a, "%s%s at %s; ", text,
				    diff_packet(run->a, &p->data[i].w.p),
				    where(run, p->data[i].link));
	for (uint32_t i = 0; i < MIN(p->n_answers, RUN_ARRIVALS); i++)
		text = arena_printf(run->a, "%sanswer %s at %s; ", text,
				    diff_packet(run->a, &p->answers[i].w.p),
				    where(run, p->answers[i].link));
	return text;
}

static const char *want_text(struct run *run, const struct diff_probe *p)
{
	const struct diff_expect *e = &p->want;

	if (e->fate == FATE_ARRIVED)
		return arena_printf(run->a, "%s (source port %u-%u%s) at %s",
				    diff_packet(run->a, &e->p), e->sport_lo, e->sport_hi,
				    e->pool != NULL ? ", of a pool" : "", where(run, e->link));
	return e->fate == FATE_LOST ? "nothing" : arena_printf(run->a, "an answer at %s",
			e->answer_link == LAB_NOWHERE ? "?" : where(run, e->answer_link));
}

/* Is the answer what the ruling says, and for whom it should be */
static bool right_answer(const struct diff_probe *p, const struct diff_arrival *got)
{
	const struct packet *q = &got->w.p, *x = &p->x.p;
	const int32_t icmp = x->src.af == AF_V4 ? p->want.answer.icmp4 : p->want.answer.icmp6;

	if (got->link != p->want.answer_link || !addr_equal(q->dst, x->src))
		return false;
	if (x->proto == PROTO_TCP && p->want.answer.rst)
		return q->proto == PROTO_TCP && (q->tcp_flags & TCP_FLAG_RST) != 0 &&
		       addr_equal(q->src, x->dst) && q->sport == x->dport && q->dport == x->sport;
	return (q->proto == PROTO_ICMP || q->proto == PROTO_ICMP6) &&
	       (q->icmp_type << 8 | q->icmp_code) == icmp;
}

/* Whoever sent the first packet gets the error, and finds his own packet in it */
static bool right_error(const struct diff_probe *p, const struct diff_arrival *got,
			const struct packet *first)
{
	const struct packet *q = &got->inner.p;

	return p->n_data == 1 && got->link == p->want.link &&
	       addr_equal(got->w.p.dst, first->src) && addr_equal(q->src, first->src) &&
	       addr_equal(q->dst, first->dst) && q->sport == first->sport &&
	       q->dport == first->dport && q->proto == first->proto;
}

static bool is_right(struct run *run, const struct diff_probe *p)
{
	const struct diff_expect *e = &p->want;

	if (p->role == ROLE_ERROR && e->fate == FATE_ARRIVED)
		return right_error(p, &p->data[0], &run->flows[p->flow].first.p);
	switch (e->fate) {
	case FATE_ANY:
		return p->n_data <= 1;
	case FATE_LOST:
		return p->n_data == 0 && p->n_answers == 0;
	case FATE_ANSWERED:
		if (e->answer_link == LAB_NOWHERE)
			return p->n_data == 0;
		return p->n_data == 0 && p->n_answers == 1 && right_answer(p, &p->answers[0]);
	case FATE_ARRIVED:
		return p->n_data == 1 && p->n_answers == 0 && p->data[0].link == e->link &&
		       same_packet(e, &p->data[0].w.p) && is_stuck(run, p);
	}
	return false;
}

static void compare(struct run *run, struct diff_probe *p)
{
	struct flow_run *f = &run->flows[p->flow];

	f->arrived = p->n_data > 0;
	f->is_lost_sight_of |= p->want.fate == FATE_ANY || p->role == ROLE_ERROR;
	if (p->role == ROLE_REPLY)
		f->is_answered = f->arrived;
	if (!is_right(run, p)) {
		p->wrong = arena_printf(run->a, "expected %s, seen %s", want_text(run, p),
					seen_text(run, p));
		run->r->n_wrong++;
	}
	if (!f->arrived || p->role == ROLE_ERROR)
		return;
	if (p->want.fate == FATE_ARRIVED)
		diff_learn(&run->judge, &p->want, &p->data[0].w.p);
	if (p->role != ROLE_REPLY) {
		f->seen = p->data[0].w.p;
		f->quote = p->data[0].w;
		f->seen_link = p->data[0].link;
	}
}

/* ---- sending --------------------------------------------------------------- */

static void add_probe(struct run *run, uint32_t flow, enum diff_role role,
		      const struct gen_packet *x, uint32_t seq, uint32_t ack)
{
	struct diff_probe *p = vec_push(run->a, &run->r->probes);

	p->x = *x;
	p->flow = flow;
	p->role = role;
	p->w = (struct wire){ .p = x->p, .seq = seq, .ack = ack, .id = run->r->probes.n };
}

static void send_probe(struct run *run, struct diff_probe *p)
{
	uint8_t bytes[WIRE_BYTES], quoted[WIRE_BYTES];
	size_t len;

	len = p->role == ROLE_ERROR ? wire_build(&p->quoted, NULL, 0, quoted) : 0;
	len = wire_build(&p->w, len > 0 ? quoted : NULL, len, bytes);
	if (!p->x.from_host)
		lab_inject(&run->b->lab, p->x.link, bytes, len);
	else
		p->send_err = lab_send(&run->b->lab, bytes, len);
}

/*
 * An error goes where its flow's answers go, if states let all of them through;
 * the model has no word for others.  The egress fence lets answers of a flow out
 * that was let in, but no errors.
 */
static struct diff_expect expect_error(struct run *run, const struct diff_probe *p)
{
	const uint32_t n = run->world.states.n, n_links = run->world.links.n;
	struct gen_packet reply = p->x;
	struct diff_expect e;

	if (run->m.discipline == STATES_FREE)
		return diff_expect_error(&run->judge, &p->x, &p->quoted.p);

	reply.p = p->quoted.p;
	reply.p.src = p->quoted.p.dst;
	reply.p.dst = p->quoted.p.src;
	reply.p.sport = p->quoted.p.dport;
	reply.p.dport = p->quoted.p.sport;
	if (reply.p.proto == PROTO_TCP)
		reply.p.tcp_flags = TCP_FLAG_ACK;
	e = diff_expect(&run->judge, &reply, true);
	run->world.states.n = n;
	run->world.links.n = n_links;
	if (e.replays < e.crossings) {
		e.fate = FATE_ANY;
	} else if (e.fate == FATE_ARRIVED && !diff_leaves(&run->judge, e.link, &e.p)) {
		e.fate = FATE_LOST;
		e.known = DK_FENCED;
	}
	return e;
}

/* Judge, send and compare everything added since the last time; false: the lab hangs */
static bool send_all(struct run *run)
{
	const uint32_t first = run->n_sent, end = run->r->probes.n;

	for (uint32_t i = first; i < end; i++) {
		struct diff_probe *p = &run->r->probes.v[i];

		if (p->role == ROLE_ERROR)
			p->want = expect_error(run, p);
		else
			p->want = diff_expect(&run->judge, &p->x,
					      run->flows[p->flow].is_tracked);
	}
	for (uint32_t i = first; i < end; i++) {
		send_probe(run, &run->r->probes.v[i]);
		if (((i - first + 1) % BATCH == 0 || i + 1 == end) &&
		    lab_collect(&run->b->lab, take_seen, run) < 0)
			return false;
	}
	for (uint32_t i = first; i < end; i++) {
		struct diff_probe *p = &run->r->probes.v[i];

		compare(run, p);
		if (p->role == ROLE_FIRST || p->role == ROLE_AGAIN)
			run->flows[p->flow].is_tracked |= p->n_data > 0 &&
							  p->want.known != DK_INVALID;
	}
	run->n_sent = end;
	return true;
}

/* Two flows that conntrack or a state could take for one: not for a test */
static bool is_fresh(const struct run *run, const struct packet *p)
{
	const struct flow f = packet_flow(p);

	for (uint32_t i = 0; i < run->n_flows; i++) {
		const struct flow g = packet_flow(&run->flows[i].first.p);

		if (flow_equal(f, g) || flow_equal(f, flow_reverse(g)))
			return false;
	}
	return true;
}

static void add_flow(struct run *run)
{
	const uint32_t n = run->n_flows;
	struct flow_run *f = &run->flows[n];

	f->g = gen_seed(run->s->seed, 1000 + n);
	do
		f->first = gen_packet(&f->g, n);
	while (!is_fresh(run, &f->first.p));
	f->next[0] = (n + 1) << 20;
	f->next[1] = (n + 1) << 20 | 1u << 19;
	run->n_flows++;
}

static bool wanted(const struct run *run, uint32_t flow)
{
	return run->s->only_flow == UINT32_MAX || run->s->only_flow == flow;
}

static void first_round(struct run *run, uint32_t n)
{
	run->flows = arena_array(run->a, struct flow_run, n);
	for (uint32_t i = 0; i < n; i++) {
		struct flow_run *f = &run->flows[i];
		bool ack;

		add_flow(run);
		ack = (f->first.p.tcp_flags & TCP_FLAG_ACK) != 0;
		if (wanted(run, i))
			add_probe(run, i, ROLE_FIRST, &f->first, f->next[0], ack ? f->next[1] : 0);
	}
}

static uint8_t reply_type(const struct packet *p)
{
	if (p->proto == PROTO_ICMP6)
		return p->icmp_type == 128 ? 129 : p->icmp_type;
	return p->icmp_type == 8 ? 0 : p->icmp_type == 13 ? 14 : p->icmp_type;
}

/* Who receives the flow answers what he saw */
static void add_reply(struct run *run, uint32_t flow)
{
	struct flow_run *f = &run->flows[flow];
	const struct packet *s = &f->seen;
	struct wire sent = { .p = f->first.p, .seq = f->next[0] };
	struct gen_packet x = { .from_host = f->seen_link == LAB_LOCAL, .link = f->seen_link,
				.p = *s };

	x.p.src = s->dst;
	x.p.dst = s->src;
	x.p.sport = s->dport;
	x.p.dport = s->sport;
	x.p.icmp_type = reply_type(s);
	if (s->proto == PROTO_TCP)
		x.p.tcp_flags = (s->tcp_flags & TCP_FLAG_SYN) != 0 && (s->tcp_flags & TCP_FLAG_ACK)
				== 0 ? TCP_FLAG_SYN | TCP_FLAG_ACK : TCP_FLAG_ACK;
	add_probe(run, flow, ROLE_REPLY, &x, f->next[1], wire_next_seq(&sent));
}

/* Who receives the flow says that he cannot: an ICMP error with what he saw */
static void add_error(struct run *run, uint32_t flow)
{
	struct flow_run *f = &run->flows[flow];
	const bool v4 = f->seen.src.af == AF_V4;
	struct gen_packet x = {
		.from_host = f->seen_link == LAB_LOCAL, .link = f->seen_link,
		.p = { .proto = v4 ? PROTO_ICMP : PROTO_ICMP6, .src = f->seen.dst,
		       .dst = f->seen.src, .icmp_type = v4 ? 3 : 1, .icmp_code = v4 ? 3 : 4 },
	};

	add_probe(run, flow, ROLE_ERROR, &x, 0, 0);
	f->error = run->r->probes.n;
	run->r->probes.v[f->error - 1].quoted = f->quote;
}

static void add_on(struct run *run, uint32_t flow)
{
	struct flow_run *f = &run->flows[flow];
	struct wire sent = { .p = f->first.p, .seq = f->next[0] };
	struct gen_packet x = f->first;

	if (x.p.proto == PROTO_TCP)
		x.p.tcp_flags = TCP_FLAG_ACK;
	add_probe(run, flow, ROLE_ON, &x, wire_next_seq(&sent), f->next[1] + 1 + WIRE_DATA_BYTES);
}

static bool may_follow(const struct flow_run *f)
{
	const uint8_t flags = f->first.p.tcp_flags;

	if (f->first.p.proto == PROTO_TCP && (flags & (TCP_FLAG_RST | TCP_FLAG_FIN)) != 0)
		return false;
	return f->first.p.proto == PROTO_TCP ? (flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) != 0 &&
	       (flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) != (TCP_FLAG_SYN | TCP_FLAG_ACK) :
	       (f->first.p.proto != PROTO_ICMP && f->first.p.proto != PROTO_ICMP6) ||
	       f->first.p.icmp_type == 8 || f->first.p.icmp_type == 13 ||
	       f->first.p.icmp_type == 128;
}

/* From outside, with an address of the host's: its answers go nowhere like back */
static bool is_forged(const struct run *run, const struct flow_run *f)
{
	return !f->first.from_host && lab_route(&run->b->lab, f->first.p.src) != f->first.link;
}

static void next_round(struct run *run, int round)
{
	for (uint32_t i = 0; i < run->n_flows; i++) {
		struct flow_run *f = &run->flows[i];
		const uint32_t draw = gen_below(&f->g, 100);
		const uint8_t flags = f->first.p.tcp_flags;

		if (!wanted(run, i) || !may_follow(f) || f->is_lost_sight_of ||
		    (run->s->only_flow == UINT32_MAX && run->r->probes.n >= run->s->n_packets))
			continue;
		if (!f->arrived) {
			if (round == 1 && draw < 20)
				add_probe(run, i, ROLE_AGAIN, &f->first, f->next[0],
					  (flags & TCP_FLAG_ACK) != 0 ? f->next[1] : 0);
			continue;
		}
		if (round == 1 && draw < 20)
			add_probe(run, i, ROLE_AGAIN, &f->first, f->next[0],
				  (flags & TCP_FLAG_ACK) != 0 ? f->next[1] : 0);
		else if (draw < 35 && !is_forged(run, f) && proto_has_ports(f->first.p.proto))
			add_error(run, i);
		else if (!f->is_answered && !is_forged(run, f))
			add_reply(run, i);
		else if (f->is_answered)
			add_on(run, i);
	}
}

static void send_rounds(struct run *run)
{
	first_round(run, run->s->n_packets * 6 / 10);
	for (int round = 0; round < ROUNDS; round++) {
		if (round > 0)
			next_round(run, round);
		if (!send_all(run)) {
			run->r->outcome = DIFF_STALLED;
			return;
		}
	}
}

void diff_run(struct diff_bench *b, struct arena *a, const struct diff_ruleset *s,
	      struct diff_report *ret)
{
	struct run run = { .b = b, .a = a, .s = s, .r = ret };
	struct sources sources;
	struct diags diags;

	memset(ret, 0, sizeof(*ret));
	sources_init(&sources, a);
	diags_init(&diags, a, &sources);
	ret->outcome = load(&run, &sources, &diags);
	ret->said = diags_text(a, &diags);
	if (ret->outcome != DIFF_RAN)
		return;
	if (lab_forget(&b->lab) < 0) {
		ret->outcome = DIFF_STALLED;
		return;
	}
	world_init(&run.world, a);
	/* Less than one probability and more than the other that rules have */
	for (uint32_t i = 0; i < run.m.n_draws; i++)
		vec_add(a, &run.world.draws, PROB_ONE / 2);
	run.judge = (struct diff_judge){
		.lab = &b->lab, .m = &run.m, .w = &run.world, .a = a,
	};
	send_rounds(&run);
}
