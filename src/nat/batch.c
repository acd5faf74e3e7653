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
 * A packet that is likely to open a session draws its random port in the second
 * pass, so that where the binding and the session will stand can be fetched too:
 * bench_nat's new flows took 1.4 times as long without.
 *
 * Lines: 7422-6
 */
#include "nat/plain.h"

#define DAY_NS	(UINT64_C(86400) * 1000000000)
#define SILENCE_NS	(UINT64_C(1) << 55)	/* 417 days: twice the longest timeout */

struct work {
	struct view view;
	uint32_t session;
	uint32_t draw;		/* of what has no session */
	bool has_draw;
	enum nat_reason why;
};

static void read_all(struct nat *nat, struct nat_packet *p, struct work *w, uint32_t n)
{
	const bool has_npt = nat->cfg.n_npt > 0;
	uint32_t n_back = 0;

	for (uint32_t i = 0; i < n; i++) {
		p[i].flow = 0;
		n_back += p[i].from;
		w[i].why = NAT_R_NONE;
		if (!plain_read(nat, &p[i], &w[i].view))
			w[i].why = view_read(nat, &p[i], &w[i].view);
		w[i].session = NONE;
		if (w[i].why != NAT_R_NONE || w[i].view.kind != K_FLOW || has_npt)
			continue;
		w[i].session = 0;	/* to be looked for */
		table_prefetch(&nat->session_table, w[i].view.hash);
	}
	nat->n.packets[NAT_INSIDE] += n - n_back;
	nat->n.packets[NAT_OUTSIDE] += n_back;
}

static void find_all(struct nat *nat, struct work *w, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct table_look l;

		w[i].has_draw = false;
		if (w[i].session == NONE)
			continue;
		w[i].session = table_first(&nat->session_table, w[i].view.hash, &l);
		if (w[i].session != NONE) {
			fetch_line(&nat->sessions[w[i].session]);
		} else if (w[i].view.from == NAT_INSIDE) {
			w[i].draw = random_below(&nat->random, UINT64_C(1) << 32);
			w[i].has_draw = true;
			bind_prefetch(nat, &w[i].view, w[i].draw);
		}
	}
}

/* The plain packet of a living session; false: it is none, and nothing was done */
static bool pass_plain(struct nat *nat, struct nat_packet *p, const struct work *w)
{
	const struct view *v = &w->view;
	struct session *s = &nat->sessions[w->session];

	if (!plain_matches(nat, p, v, s))
		return false;
	plain_keep_alive(nat, v, s);
	if (v->is_plain) {
		plain_rewrite(nat, v, s);
	} else {
		rewrite(nat, p, v, s, v->from == NAT_INSIDE);
		rewrite_ttl(v);
	}
	p->flow = w->session + 1;
	p->verdict = NAT_FORWARD;
	p->reason = NAT_R_NONE;
	p->to = (uint8_t)(1u - v->from);
	nat->n.translated += s->flags / S_CHANGES;
	nat->n.forwarded[v->from]++;
	return true;
}

/* What is not plain is looked up anew: what an earlier packet has changed is seen */
static void pass_other(struct nat *nat, struct nat_packet *p, struct work *w, bool is_fresh)
{
	if (w->has_draw)
		random_return(&nat->random, w->draw);
	if (w->why != NAT_R_NONE)
		drop(nat, p, w->why);
	else if (w->view.is_v6 && !is_fresh)
		path_packet(nat, p);
	else
		path_view(nat, p, &w->view);
}

static void pass_all(struct nat *nat, struct nat_packet *p, struct work *w, uint32_t n,
		     uint32_t first)
{
	const uint32_t epoch = nat->addr6_epoch;

	for (uint32_t i = 0; i < n; i++) {
		/* IPv6 addresses' handles may be others' by now */
		const bool is_fresh = nat->addr6_epoch == epoch;

		if (w[i].session != NONE && (is_fresh || !w[i].view.is_v6) &&
		    pass_plain(nat, p + i, w + i))
			continue;
		nat->cause = first + i;
		pass_other(nat, p + i, w + i, is_fresh);
	}
}

void nat_clock(struct nat *nat, uint64_t now_ns)
{
	if (!nat->has_begun) {
		nat->has_begun = true;
		nat->last_ns = nat->base_ns = now_ns;
	}
	if (now_ns > nat->last_ns) {
		/* A longer silence is as good as this one: all is over, and ticks do not wrap */
		if (now_ns - nat->last_ns > SILENCE_NS)
			nat->base_ns += now_ns - nat->last_ns - SILENCE_NS;
		nat->last_ns = now_ns;
	}
	nat->now = FIRST_TICK + (uint32_t)((nat->last_ns - nat->base_ns) >> TICK_SHIFT);
}

static void begin(struct nat *nat, uint64_t now_ns)
{
	nat_clock(nat, now_ns);
	nat->n_made = 0;
	nat->made_used = 0;
	nat->n_rulings = 0;
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

/* Whether there is more to do */
static bool run_timers(struct nat *nat)
{
	const bool more = session_expire(nat, EXPIRE_BATCH);
	const bool more_held = bind_expire(nat, EXPIRE_BATCH);

	frag_expire(nat);
	held_syn_expire(nat);
	tell_blocks(nat);
	return more || more_held;
}

void nat_batch(struct nat *nat, uint64_t now_ns, struct nat_packet *p, uint32_t n)
{
	struct work work[NAT_BATCH];

	begin(nat, now_ns);
	(void)run_timers(nat);
	for (uint32_t at = 0; at < n; at += NAT_BATCH) {
		const uint32_t some = MIN(n - at, NAT_BATCH);

		read_all(nat, p + at, work, some);
		find_all(nat, work, some);
		pass_all(nat, p + at, work, some, at);
	}
}

bool nat_tick(struct nat *nat, uint64_t now_ns)
{
	begin(nat, now_ns);
	return run_timers(nat);
}
