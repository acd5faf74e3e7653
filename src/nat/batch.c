/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A packet of a flow that is known costs two cache lines that are likely not
 * there: its bucket and its session.  So a batch goes through three passes:
 * read all headers and fetch the buckets; look into the buckets and fetch the
 * sessions; rewrite.  What is not a plain packet of a living session, in its
 * turn, goes to path.c, which looks everything up anew: what an earlier packet
 * of the batch has changed is seen.
 *
 * Lines: 7422-6
 */
#include "nat/core.h"

#define DAY_NS	(UINT64_C(86400) * 1000000000)

struct work {
	struct view view;
	uint32_t session;
	enum nat_reason why;
};

static void read_all(struct nat *nat, struct nat_packet *p, struct work *w, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		p[i].flow = 0;
		nat->n.packets[p[i].from]++;
		w[i].why = view_read(nat, &p[i], &w[i].view);
		if (w[i].why == NAT_R_NONE && w[i].view.kind == K_FLOW)
			table_prefetch(&nat->session_table, w[i].view.hash);
	}
}

static void find_all(const struct nat *nat, struct work *w, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct table_look l;

		w[i].session = NONE;
		if (w[i].why != NAT_R_NONE || w[i].view.kind != K_FLOW)
			continue;
		w[i].session = table_first(&nat->session_table, w[i].view.hash, &l);
		if (w[i].session != NONE)
			__builtin_prefetch(&nat->sessions[w[i].session], 1);
	}
}

/* The plain packet of a living session; false: it is none, and nothing was done */
static bool is_plain(const struct nat *nat, const struct nat_packet *p, const struct view *v,
		     const struct session *s)
{
	const uint32_t mtu = nat->cfg.mtu[1 - v->from];
	const uint8_t syn_fin_rst = TCP_FLAG_SYN | TCP_FLAG_FIN | TCP_FLAG_RST;

	/* Whatever else can be about a packet is path.c's */
	if (!session_matches(s, v) || session_is_over(nat, s) || (s->flags & S_HAIRPIN) != 0 ||
	    s->scrub != 0 || v->has_opts || p->len > mtu ||
	    (v->is_v6 ? v->ip[7] : v->ip[8]) <= 1)
		return false;
	return s->tcp == NAT_TCP_NONE ||
	       (s->tcp == NAT_TCP_ESTABLISHED && (v->tcp_flags & syn_fin_rst) == 0);
}

static void pass_plain(struct nat *nat, struct nat_packet *p, const struct view *v,
		       struct session *s)
{
	const bool out = v->from == NAT_INSIDE;

	if (s->tcp != NAT_TCP_NONE) {
		const uint8_t *tcp = v->ip + v->l4;
		const uint32_t ack = get32(tcp + 8);

		if ((v->tcp_flags & TCP_FLAG_ACK) != 0 &&
		    ((s->acked >> v->from & 1) == 0 || ack - s->ack[v->from] < 1u << 30)) {
			s->ack[v->from] = ack;
			s->win[v->from] = get16(tcp + 14);
			s->acked |= 1u << v->from & 3u;
		}
		s->seen = nat->now;
	} else {
		const bool keeps = (unsigned int)out | (s->flags & S_BOTH);

		s->seen = keeps ? nat->now : s->seen;
	}
	if (out && nat->touches_bindings && s->binding != NONE)
		nat->bindings[s->binding].time = nat->now;
	rewrite_plain(nat, p, v, s);
	p->flow = (uint32_t)(s - nat->sessions) + 1;
	nat->n.translated += memcmp(&s->in, &s->out, sizeof(s->in)) != 0;
	p->verdict = NAT_FORWARD;
	p->reason = NAT_R_NONE;
	p->to = (uint8_t)(1 - v->from);
	nat->n.forwarded[v->from]++;
}

static void pass_all(struct nat *nat, struct nat_packet *p, struct work *w, uint32_t n,
		     uint32_t epoch, uint32_t first)
{
	for (uint32_t i = 0; i < n; i++) {
		struct view *v = &w[i].view;

		nat->cause = first + i;
		if (w[i].why != NAT_R_NONE)
			drop(nat, &p[i], w[i].why);
		else if (v->is_v6 && nat->addr6_epoch != epoch)
			path_packet(nat, &p[i]);	/* handles may be others' by now */
		else if (w[i].session != NONE && nat->cfg.n_npt == 0 &&
			 is_plain(nat, &p[i], v, &nat->sessions[w[i].session]))
			pass_plain(nat, &p[i], v, &nat->sessions[w[i].session]);
		else
			path_view(nat, &p[i], v);
	}
}

void nat_clock(struct nat *nat, uint64_t now_ns)
{
	if (!nat->has_begun) {
		nat->has_begun = true;
		nat->last_ns = nat->base_ns = now_ns;
	}
	if (now_ns > nat->last_ns)
		nat->last_ns = now_ns;
	nat->now = FIRST_TICK + (uint32_t)((nat->last_ns - nat->base_ns) >> TICK_SHIFT);
}

static void begin(struct nat *nat, uint64_t now_ns)
{
	nat_clock(nat, now_ns);
	nat->n_made = 0;
	nat->made_used = 0;
	nat->cause = UINT32_MAX;
}

/* Once a day, so that a log that has lost its beginning says enough (RFC 7422 4) */
static void tell_blocks(struct nat *nat)
{
	const struct nat_event e = {
		.kind = NAT_EV_BLOCKS, .at_ns = nat->last_ns, .cfg = &nat->cfg,
	};

	if (nat->cfg.notify == NULL || nat->cfg.ports != NAT_PORTS_BLOCK ||
	    (nat->blocks_told_ns != 0 && nat->last_ns - nat->blocks_told_ns < DAY_NS))
		return;
	nat->blocks_told_ns = nat->last_ns;
	nat->cfg.notify(nat->cfg.notify_ctx, &e);
}

static void run_timers(struct nat *nat, uint32_t n)
{
	session_expire(nat, n);
	bind_expire(nat, n);
	frag_expire(nat);
	held_syn_expire(nat);
	tell_blocks(nat);
}

void nat_batch(struct nat *nat, uint64_t now_ns, struct nat_packet *p, uint32_t n)
{
	struct work work[NAT_BATCH];

	begin(nat, now_ns);
	run_timers(nat, EXPIRE_BATCH);
	for (uint32_t at = 0; at < n; at += NAT_BATCH) {
		const uint32_t some = MIN(n - at, NAT_BATCH), epoch = nat->addr6_epoch;

		read_all(nat, p + at, work, some);
		find_all(nat, work, some);
		pass_all(nat, p + at, work, some, epoch, at);
	}
}

void nat_tick(struct nat *nat, uint64_t now_ns)
{
	begin(nat, now_ns);
	run_timers(nat, EXPIRE_TICK);
}
