/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A session stands in the table under two keys, as the inside and as the
 * outside sees it, so each packet needs one look-up and one cache line.
 *
 * Timers: a wheel of spokes of about a second.  A packet only writes the tick
 * into its session; the session stays in the spoke of the time when it was put
 * there, and when that comes it is moved to the spoke of the time that holds
 * now.  Moving it with each packet would touch its neighbours' cache lines.
 * What is over is over at once for whoever looks it up (session_is_over()); the
 * wheel only frees memory, a bounded number in each batch.
 *
 * Lines: 4787-5 4787-5a 4787-5b 5382-5a 5508-2 5508-2a 7857-7a 7857-7b
 * 7857-11 6888-11d
 */
#include "nat/core.h"

#define SPOKE_MARK	0x80000000u

/* Spokes from one to another; ticks wrap, so numbers of spokes are of 28 bits */
static int32_t spokes(uint32_t from, uint32_t to)
{
	return (int32_t)((to - from) << WHEEL_SHIFT) >> WHEEL_SHIFT;
}

void session_init(struct nat *nat)
{
	const uint32_t n = nat->cfg.max_flows;

	for (uint32_t i = 0; i < n; i++) {
		nat->sessions[i].proto = 0;
		nat->sessions[i].next = i + 1 < n ? i + 1 : NONE;
	}
	nat->free_session = 0;
	for (uint32_t i = 0; i < WHEEL_SPOKES; i++)
		nat->wheel[i] = NONE;
	nat->wheel_at = nat->now >> WHEEL_SHIFT;
}

static uint32_t number_of(const struct nat *nat, const struct session *s)
{
	return (uint32_t)(s - nat->sessions);
}

/* The keys of a session as views of the packets that have them */
static struct view inner_view(const struct session *s)
{
	return (struct view){
		.is_v6 = (s->flags & S_V6) != 0, .proto = s->proto, .from = NAT_INSIDE,
		.src = s->in.src, .dst = s->in.dst, .sport = s->in.sport, .dport = s->in.dport,
	};
}

static struct view outer_view(const struct session *s)
{
	return (struct view){
		.is_v6 = (s->flags & S_V6) != 0, .proto = s->proto, .from = NAT_OUTSIDE,
		.src = s->out.dst, .dst = s->out.src, .sport = s->out.dport,
		.dport = s->out.sport,
	};
}

struct session *session_find(struct nat *nat, const struct view *v)
{
	struct table_look l;

	for (uint32_t i = table_first(&nat->session_table, v->hash, &l); i != NONE;
	     i = table_next(&nat->session_table, &l)) {
		struct session *s = &nat->sessions[i];

		if (!session_matches(s, v, 0))
			continue;
		if (!session_is_over(nat, s))
			return s;
		session_end(nat, s);
		return NULL;
	}
	return NULL;
}

/* ---- wheel ----------------------------------------------------------------- */

static void wheel_add(struct nat *nat, struct session *s)
{
	const uint32_t due = (s->seen + nat->timeout[s->timer]) >> WHEEL_SHIFT;
	/* Overdue ones (restored, or moved while the wheel lags) come next */
	const int32_t late = MAX(spokes(nat->wheel_at, due + 1), 1);
	const uint32_t ahead = MIN((uint32_t)late, WHEEL_SPOKES - 1);
	uint32_t *head;

	head = &nat->wheel[(nat->wheel_at + ahead) % WHEEL_SPOKES];
	s->next = *head;
	s->prev = SPOKE_MARK | (nat->wheel_at + ahead) % WHEEL_SPOKES;
	if (*head != NONE)
		nat->sessions[*head].prev = number_of(nat, s);
	*head = number_of(nat, s);
}

static void wheel_del(struct nat *nat, struct session *s)
{
	if ((s->prev & SPOKE_MARK) != 0)
		nat->wheel[s->prev & ~SPOKE_MARK] = s->next;
	else
		nat->sessions[s->prev].next = s->next;
	if (s->next != NONE)
		nat->sessions[s->next].prev = s->prev;
}

void session_retime(struct nat *nat, struct session *s, enum nat_timeout timer)
{
	const bool sooner = nat->timeout[timer] < nat->timeout[s->timer];

	s->timer = (uint8_t)timer;
	if (!sooner)
		return;		/* the wheel will see that it lives longer */
	wheel_del(nat, s);
	wheel_add(nat, s);
}

/* What ending the next one of a spoke will touch; and the one after it */
static void prefetch_next(const struct nat *nat, const struct session *s)
{
	const struct session *next;
	struct view inner, outer;

	if (s->next == NONE)
		return;
	next = &nat->sessions[s->next];
	inner = inner_view(next);
	outer = outer_view(next);
	table_prefetch(&nat->session_table, view_hash(nat, &inner));
	table_prefetch(&nat->session_table, view_hash(nat, &outer));
	if (next->binding != NONE)
		fetch_line(&nat->bindings[next->binding]);
	if (next->next != NONE)
		fetch_line(&nat->sessions[next->next]);
}

bool session_expire(struct nat *nat, uint32_t n)
{
	const uint32_t now = nat->now >> WHEEL_SHIFT;

	/* After a long silence each spoke comes by once */
	if (spokes(nat->wheel_at, now) >= (int32_t)WHEEL_SPOKES)
		nat->wheel_at = now - (WHEEL_SPOKES - 1);
	while (spokes(nat->wheel_at, now) >= 0) {
		const uint32_t at = nat->wheel_at % WHEEL_SPOKES, i = nat->wheel[at];
		struct session *s;

		if (i == NONE) {
			nat->wheel_at++;
			continue;
		}
		if (n-- == 0)
			return true;
		s = &nat->sessions[i];
		prefetch_next(nat, s);
		if (session_is_over(nat, s)) {
			session_end(nat, s);
			continue;
		}
		wheel_del(nat, s);
		wheel_add(nat, s);
	}
	return false;
}

/* ---- life ------------------------------------------------------------------ */

static void ref_addresses(struct nat *nat, const struct session *s,
			  void (*fn)(struct nat *, uint32_t))
{
	if ((s->flags & S_V6) == 0)
		return;
	fn(nat, s->in.src);
	fn(nat, s->in.dst);
	fn(nat, s->out.src);
	fn(nat, s->out.dst);
}

/* Does another session that lives have the key; its hash is set.  That of @seen has none */
static bool is_key_taken(struct nat *nat, struct view *key, const struct view *seen)
{
	if (seen != NULL && seen->from == key->from &&
	    ends_addrs(&seen->at) == ends_addrs(&key->at) &&
	    ends_ports(&seen->at) == ends_ports(&key->at)) {
		key->hash = seen->hash;
		return false;
	}
	key->hash = view_hash(nat, key);
	return session_find(nat, key) != NULL;
}

enum nat_reason session_new(struct nat *nat, const struct session *like, const struct view *seen,
			    struct session **ret)
{
	struct view inner = inner_view(like), outer = outer_view(like);
	struct session *s;

	if (is_key_taken(nat, &inner, seen) || is_key_taken(nat, &outer, seen))
		return NAT_R_PORT_TAKEN;
	/* What is over makes room at least as fast as new ones come */
	session_expire(nat, nat->free_session == NONE ? EXPIRE_BATCH : 1);
	if (nat->free_session == NONE)
		return NAT_R_TABLE_FULL;
	if ((like->flags & S_PERMIT) != 0 && !bind_permit(nat, like->binding, like->out.dst))
		return NAT_R_TABLE_FULL;
	s = &nat->sessions[nat->free_session];
	nat->free_session = s->next;
	if (s->next != NONE)
		fetch_line(&nat->sessions[s->next]);
	*s = *like;
	rewrite_deltas(nat, s);
	ref_addresses(nat, s, addr6_ref);
	if (s->binding != NONE)
		bind_use(nat, s->binding);
	table_add(&nat->session_table, inner.hash, number_of(nat, s));
	table_add(&nat->session_table, outer.hash, number_of(nat, s));
	wheel_add(nat, s);
	nat->n.flows++;
	nat->n.flows_made++;
	*ret = s;
	return NAT_R_NONE;
}

void session_end(struct nat *nat, struct session *s)
{
	const struct view inner = inner_view(s), outer = outer_view(s);

	table_del(&nat->session_table, view_hash(nat, &inner), number_of(nat, s));
	table_del(&nat->session_table, view_hash(nat, &outer), number_of(nat, s));
	wheel_del(nat, s);
	if ((s->flags & S_PERMIT) != 0)
		bind_unpermit(nat, s->binding, s->out.dst);
	if (s->binding != NONE)
		bind_put(nat, s->binding);
	owner_release(nat, s->owner);
	ref_addresses(nat, s, addr6_put);
	s->proto = 0;
	s->next = nat->free_session;
	nat->free_session = number_of(nat, s);
	nat->n.flows--;
}
