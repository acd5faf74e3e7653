/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A packet that a process carries costs two copies and a wakeup; one that the kernel
 * carries by a lane costs less than one that conntrack translates (bench-live: ours
 * beside ring and nft).  The NAT still opens, judges and ends every flow.
 *
 * What it must know of a flow that it does not see is told to it by packets made up
 * for that, from what a lane has counted: that there were any, and for TCP the last
 * acknowledgement and window, which a RST is held against.  So the core needs no
 * word for it, and whatever it answers (another translation, a drop) is true of the
 * next packet too.  TCP has lanes in both directions or none, for a RST that comes
 * by the one is held against what went by the other.
 *
 * A connection has lanes from its SYN on: what it costs to begin and end them is less than
 * what the worker would take for the packets between, if the answer to the SYN and those
 * that close it go by them too.  The NAT hears of that within a second, and first of the
 * answer: nothing else means anything before (bench-live conn: 1.3 times the processor time
 * of nft masquerade with lanes after eight packets that a FIN ended, less than 1.0 so).  An
 * answer whose options are written as nobody else does is the NAT's.  A RST must fit what
 * has gone before it, so it ends them.
 *
 * A place that was left is nobody's for a while: a program that has begun to read a lane
 * reads that one to its end.  Workers take places from each other by one exchange, and
 * know of their own lanes alone; a flow is one worker's, and what ends it comes there.
 */
#include "port/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "net/names.h"
#include "port/lanes_flow.h"

#define MADE_AT_ONCE	32u
#define ROUND_NS	UINT64_C(900000000)
#define IDLE		2u		/* looks that saw nothing go by */
#define REST_MS		300u		/* that a place is nobody's */
#define AHEAD_MS	10000u		/* that a worker may know less of the time than another */
#define MTU_FREE	0xffffu

/**
 * struct ref - A lane
 * @side:	Side that its packets come from
 * @idx:	Its index
 */
struct ref {
	enum nat_side side;
	uint32_t idx;
};

static uint32_t generation_of(const struct lanes *l, int side)
{
	return __atomic_load_n(&l->way.table[side]->generation, __ATOMIC_RELAXED);
}

static void *have(size_t n, size_t bytes)
{
	void *p = malloc(n * bytes);

	/* Resident from the start, as all memory of a worker */
	return p != NULL ? memset(p, 0, n * bytes) : NULL;
}

int lanes_init(struct lanes *l, const struct lanes_way *way, const struct nat_config *cfg)
{
	*l = (struct lanes){ .way = *way, .n_flows = cfg->max_flows };
	l->is_on = way->table[0] != NULL && generation_of(l, NAT_INSIDE) != LANE_NEVER &&
		   cfg->timeout_s[NAT_T_UDP] >= LANES_LEAST_S &&
		   cfg->timeout_s[NAT_T_TCP] >= LANES_LEAST_S;
	l->has_greetings = cfg->timeout_s[NAT_T_TCP_OPEN] >= LANES_LEAST_S;
	if (!l->is_on)
		return 0;
	l->flows = have(l->n_flows, sizeof(*l->flows));
	l->places = have((size_t)2 * LANES, sizeof(*l->places));
	l->used = have((size_t)2 * LANES, sizeof(*l->used));
	if (l->flows != NULL && l->places != NULL && l->used != NULL)
		return 0;
	lanes_fini(l);
	return -ENOMEM;
}

void lanes_fini(struct lanes *l)
{
	free(l->flows);
	free(l->places);
	free(l->used);
}

/* ---- lanes ------------------------------------------------------------------------ */

static struct lane *lane_of(const struct lanes *l, struct ref r)
{
	return &l->way.table[r.side]->v[r.idx];
}

static struct lanes_place *place_of(const struct lanes *l, struct ref r)
{
	return &l->places[(size_t)r.side * LANES + r.idx];
}

static struct ref used_at(const struct lanes *l, uint32_t at)
{
	const uint32_t u = l->used[at];

	return (struct ref){ u >= LANES ? NAT_OUTSIDE : NAT_INSIDE, u % LANES };
}

static uint32_t ms_of(uint64_t ns)
{
	return (uint32_t)(ns / 1000000);
}

/* What has gone by it since the last time; whether anything has */
static bool collect(struct lanes *l, struct ref r)
{
	const struct lane *lane = lane_of(l, r);
	struct lanes_place *p = place_of(l, r);
	const uint64_t packets = __atomic_load_n(&lane->packets, __ATOMIC_ACQUIRE);
	const uint64_t bytes = __atomic_load_n(&lane->bytes, __ATOMIC_RELAXED);
	const bool any = packets != p->packets;

	l->n.packets[r.side] += packets - p->packets;
	l->n.translated += lanes_flow_changes(lane) ? packets - p->packets : 0;
	l->n.bytes[r.side] += bytes - p->bytes;
	/* Read after those that went on: what is hidden from now on is to go on later */
	if (any)
		p->hidden = __atomic_load_n(&lane->hidden, __ATOMIC_RELAXED);
	if (any && l->forwards != NULL)
		places_count(l->forwards, p->forward, packets - p->packets, bytes - p->bytes,
			     l->now_ns);
	p->packets = packets;
	p->bytes = bytes;
	return any;
}

static uint32_t *taken_at(const struct lanes *l, struct ref r)
{
	return &l->way.taken[(size_t)r.side * LANES + r.idx];
}

static void leave_place(const struct lanes *l, struct ref r)
{
	__atomic_store_n(taken_at(l, r), LANES_LEFT | ms_of(l->now_ns), __ATOMIC_RELEASE);
}

/* Unless it is another worker's, or was left just now: by a clock that may be ahead of ours */
static bool take_place(const struct lanes *l, struct ref r)
{
	uint32_t was = __atomic_load_n(taken_at(l, r), __ATOMIC_RELAXED);
	const uint32_t rest_ms = (ms_of(l->now_ns) - was + AHEAD_MS) & ~LANES_LEFT;

	if (was != 0 && ((was & LANES_LEFT) == 0 || rest_ms < AHEAD_MS + REST_MS))
		return false;
	return __atomic_compare_exchange_n(taken_at(l, r), &was, l->worker + 1, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void end_one(struct lanes *l, struct ref r)
{
	struct lanes_place *p = place_of(l, r);
	struct lanes_flow *f = &l->flows[p->flow];

	if (!p->is_used)
		return;
	__atomic_store_n(&lane_of(l, r)->tag, LANE_FREE, __ATOMIC_RELEASE);
	(void)collect(l, r);
	if (f->lane[r.side] == r.idx + 1)
		f->lane[r.side] = 0;
	p->is_used = false;
	leave_place(l, r);
	l->used[p->at] = l->used[--l->n_used];
	l->places[l->used[p->at]].at = p->at;
	l->n.now = l->n_used;
}

static bool other_of(const struct lanes *l, struct ref r, struct ref *ret)
{
	const struct lanes_flow *f = &l->flows[place_of(l, r)->flow];
	const enum nat_side side = r.side == NAT_INSIDE ? NAT_OUTSIDE : NAT_INSIDE;

	if (f->lane[side] == 0)
		return false;
	*ret = (struct ref){ side, f->lane[side] - 1u };
	return true;
}

static void end_both(struct lanes *l, struct ref r)
{
	struct ref other;

	if (other_of(l, r, &other))
		end_one(l, other);
	end_one(l, r);
}

/* ---- what the NAT is told --------------------------------------------------------- */

/* Does the NAT say of a flow's packet what its lane does */
static bool is_so(const struct lanes *l, struct ref r, const struct nat_packet *p)
{
	return p->verdict == NAT_FORWARD && p->to != r.side &&
	       p->flow == place_of(l, r)->flow + 1 &&
	       lanes_flow_made(lane_of(l, r), p->data, p->len);
}

/* Its neighbour is the one that it was; one packet in a while goes by the kernel's way */
static bool leads_on(struct lanes *l, uint64_t now_ns, struct ref r)
{
	const enum nat_side to = r.side == NAT_INSIDE ? NAT_OUTSIDE : NAT_INSIDE;
	const struct lane *lane = lane_of(l, r);
	uint8_t mac[IO_MAC_BYTES];
	bool is_due;

	if (!hops_peek(&l->hops[to], lanes_flow_dst(lane), now_ns, mac, &is_due) ||
	    memcmp(mac, lane->ether, sizeof(mac)) != 0)
		return false;
	if (!is_due || l->has_asked[to])
		return true;
	l->has_asked[to] = true;
	return false;
}

/* Both sides have closed */
static bool is_over(const struct lanes *l, struct ref r)
{
	struct ref other;

	return lane_of(l, r)->is_over != 0 && other_of(l, r, &other) &&
	       lane_of(l, other)->is_over != 0;
}

/* A SYN's answer has gone by this lane: the packet that says so; false: none has */
static bool make_greeting(struct lanes *l, struct ref r, uint8_t *bytes, struct nat_packet *ret)
{
	struct lane *lane = lane_of(l, r);
	const uint8_t greeted = __atomic_exchange_n(&lane->greeted, 0, __ATOMIC_ACQUIRE);

	if (greeted == 0)
		return false;
	*ret = (struct nat_packet){
		.data = bytes, .from = (uint8_t)r.side, .iface = r.side,
		.len = lanes_flow_greeting(lane, greeted & (LANE_GREETED - 1), bytes),
	};
	l->n.made[r.side]++;
	l->n.translated -= lanes_flow_changes(lane);
	return true;
}

/* Show the NAT who has greeted of these flows: what came after it means nothing without */
static void greet(struct lanes *l, uint64_t now_ns, const struct ref *v, uint32_t n)
{
	uint8_t bytes[2 * MADE_AT_ONCE][LANES_MADE_BYTES];
	struct nat_packet p[2 * MADE_AT_ONCE];
	uint32_t m = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct ref other;

		m += make_greeting(l, v[i], bytes[m], &p[m]);
		if (other_of(l, v[i], &other))
			m += make_greeting(l, other, bytes[m], &p[m]);
	}
	if (m > 0)
		nat_batch(l->nat, now_ns, p, m);
}

/* Show the NAT a packet of each; lanes that it does not agree with end */
static void show(struct lanes *l, uint64_t now_ns, const struct ref *v, uint32_t n)
{
	uint8_t bytes[MADE_AT_ONCE][LANES_MADE_BYTES];
	struct nat_packet p[MADE_AT_ONCE];

	greet(l, now_ns, v, n);
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t len = lanes_flow_make(lane_of(l, v[i]), bytes[i]);

		p[i] = (struct nat_packet){ .data = bytes[i], .len = len,
					    .from = (uint8_t)v[i].side, .iface = v[i].side };
		l->n.made[v[i].side]++;
		l->n.translated -= lanes_flow_changes(lane_of(l, v[i]));
	}
	nat_batch(l->nat, now_ns, p, n);
	for (uint32_t i = 0; i < n; i++)
		if (place_of(l, v[i])->is_used &&
		    (!is_so(l, v[i], &p[i]) || !leads_on(l, now_ns, v[i]) || is_over(l, v[i])))
			end_both(l, v[i]);
}

/* ---- beginning --------------------------------------------------------------------- */

/* Take a free place; false: there is none for this flow */
static bool have_place(const struct lanes *l, enum nat_side side, const struct lane *lane,
		       struct ref *ret)
{
	const uint32_t first = lane_first(l->way.key, lane, lanes_flow_is_v6(lane));

	for (uint32_t i = 0; i < LANES_AT_ONCE; i++) {
		const struct ref r = { side, first + i };

		if (take_place(l, r)) {
			*ret = r;
			return true;
		}
	}
	return false;
}

static bool enter(struct lanes *l, uint64_t now_ns, uint32_t flow, const struct nat_flow *f,
		  enum nat_side side)
{
	const enum nat_side to = side == NAT_INSIDE ? NAT_OUTSIDE : NAT_INSIDE;
	const struct addr dst = side == NAT_INSIDE ? f->outside.dst : f->inside.src;
	const uint32_t generation = generation_of(l, side);
	struct lane lane, *at;
	struct ref r;
	uint32_t tag;
	bool is_due;

	lanes_flow_lane(f, side, &lane);
	if (generation == LANE_NEVER ||
	    !hops_peek(&l->hops[to], dst, now_ns, lane.ether, &is_due) || is_due ||
	    !have_place(l, side, &lane, &r))
		return false;
	memcpy(lane.ether + IO_MAC_BYTES, l->io[to]->mac, IO_MAC_BYTES);
	at = lane_of(l, r);
	tag = lane.tag | generation;
	lane.tag = LANE_FREE;
	*at = lane;
	__atomic_store_n(&at->tag, tag, __ATOMIC_RELEASE);
	*place_of(l, r) = (struct lanes_place){
		.flow = flow, .at = l->n_used, .is_used = true,
		.forward = l->forwards == NULL ? PLACE_NONE :
			   places_at(l->forwards, f->proto, f->outside.src, f->outside.sport),
	};
	l->used[l->n_used++] = (uint32_t)side * LANES + r.idx;
	l->flows[flow].lane[side] = r.idx + 1;
	l->n.entered++;
	l->n.now = l->n_used;
	return true;
}

/* A session's number was another one's once, whose lanes end now */
static bool has_lane(struct lanes *l, uint32_t flow, const struct nat_flow *f, enum nat_side side)
{
	const struct ref r = { side, l->flows[flow].lane[side] - 1u };
	struct lane lane;

	if (l->flows[flow].lane[side] == 0)
		return false;
	lanes_flow_lane(f, side, &lane);
	/* Another worker may have ended all */
	if (lanes_flow_same(lane_of(l, r), &lane) &&
	    (lane_of(l, r)->tag & LANE_NEVER) == generation_of(l, side))
		return true;
	if (lanes_flow_same(lane_of(l, r), &lane))
		greet(l, l->now_ns, &r, 1);
	end_both(l, r);
	return false;
}

/* Does it stand, or may it, with this packet: who floods is not to have all lanes by that */
static bool may_greet(const struct lanes *l, const struct nat_flow *f, bool is_greeting)
{
	if (f->tcp == NAT_TCP_ESTABLISHED || f->tcp == NAT_TCP_FIN_IN || f->tcp == NAT_TCP_FIN_OUT)
		return true;
	return is_greeting && l->has_greetings && l->n_used < LANES &&
	       (f->tcp == NAT_TCP_INIT_IN || f->tcp == NAT_TCP_INIT_OUT);
}

static void enter_flow(struct lanes *l, uint64_t now_ns, uint32_t flow, enum nat_side side,
		       bool is_greeting)
{
	const enum nat_side back = side == NAT_INSIDE ? NAT_OUTSIDE : NAT_INSIDE;
	const bool had_back = l->flows[flow].lane[back] != 0;
	struct nat_flow f;

	if (!nat_flow_at(l->nat, flow, &f) || !f.is_plain || has_lane(l, flow, &f, side))
		return;
	if (f.proto == PROTO_UDP) {
		(void)enter(l, now_ns, flow, &f, side);
		return;
	}
	if (!may_greet(l, &f, is_greeting))
		return;
	if (!enter(l, now_ns, flow, &f, side))
		return;
	if ((!had_back || !has_lane(l, flow, &f, back)) && !enter(l, now_ns, flow, &f, back))
		end_one(l, (struct ref){ side, l->flows[flow].lane[side] - 1u });
}

/* ---- packets ----------------------------------------------------------------------- */

/* Lines of the lanes that a flow may have: new flows are far from each other */
static void fetch(const struct lanes *l, enum nat_side side, const struct lane *key)
{
	const struct ref r = { side, lane_first(l->way.key, key, lanes_flow_is_v6(key)) };

	for (uint32_t i = 0; i < LANES_AT_ONCE; i++) {
		__builtin_prefetch(lane_of(l, r) + i);
		__builtin_prefetch(place_of(l, r) + i);
	}
}

void lanes_fetch(const struct lanes *l, enum nat_side from, const struct io_packet *p)
{
	struct lane key;

	if (!l->is_on || (lanes_flow_turn(p->data, p->len) & LANES_SYN) == 0)
		return;
	lanes_flow_key(p->data, &key);
	fetch(l, from, &key);
}

static bool find_lane(const struct lanes *l, enum nat_side side, const uint8_t *ip,
		      struct ref *ret)
{
	struct lane lane;
	uint32_t first;

	lanes_flow_key(ip, &lane);
	first = lane_first(l->way.key, &lane, lanes_flow_is_v6(&lane));
	for (uint32_t i = 0; i < LANES_AT_ONCE; i++) {
		const struct ref r = { side, first + i };

		if (place_of(l, r)->is_used && lanes_flow_same(lane_of(l, r), &lane)) {
			*ret = r;
			return true;
		}
	}
	return false;
}

void lanes_before(struct lanes *l, uint64_t now_ns, enum nat_side from, const struct io_packet *p)
{
	struct ref v[2];
	uint32_t n = 1;

	l->now_ns = now_ns;
	if (l->n_used == 0 || lanes_flow_turn(p->data, p->len) == 0 ||
	    !find_lane(l, from, p->data, &v[0]))
		return;
	n += other_of(l, v[0], &v[1]);
	show(l, now_ns, v, n);
	end_both(l, v[0]);
}

static bool has_gone_on(const struct lanes *l, const struct nat_packet *p)
{
	return l->is_on && p->flow != 0 && p->to != p->from &&
	       lanes_flow_is_simple(p->data, p->len);
}

void lanes_greeted(struct lanes *l, uint64_t now_ns, const struct nat_packet *p)
{
	if (has_gone_on(l, p) && lanes_flow_turn(p->data, p->len) == LANES_SYN)
		enter_flow(l, now_ns, p->flow - 1, (enum nat_side)p->from, true);
}

void lanes_after(struct lanes *l, uint64_t now_ns, const struct nat_packet *p, bool is_last)
{
	struct lanes_flow *f;

	if (!has_gone_on(l, p))
		return;
	f = &l->flows[p->flow - 1];
	if (lanes_flow_turn(p->data, p->len) != 0) {
		f->seen[0] = f->seen[1] = 0;
		return;
	}
	if (f->seen[p->from] < LANES_FORCE)
		f->seen[p->from]++;
	if (f->seen[p->from] >= (is_last ? LANES_ENTER : LANES_FORCE))
		enter_flow(l, now_ns, p->flow - 1, (enum nat_side)p->from, false);
}

/* ---- time -------------------------------------------------------------------------- */

/* Another process may end lanes for good at the same time */
static void renew_generation(struct lane_table *t)
{
	uint32_t was = __atomic_load_n(&t->generation, __ATOMIC_RELAXED), now;

	do {
		if (was == LANE_NEVER)
			return;
		now = was + 0x100 == LANE_NEVER ? 0 : was + 0x100;
	} while (!__atomic_compare_exchange_n(&t->generation, &was, now, false, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

static void end_all(struct lanes *l)
{
	while (l->n_used > 0)
		end_one(l, used_at(l, l->n_used - 1));
	l->swept = 0;
}

void lanes_renew(struct lanes *l)
{
	if (!l->is_on)
		return;
	lanes_settle(l, l->now_ns);
	end_all(l);
	for (int side = 0; side < 2; side++) {
		struct lane_table *t = l->way.table[side];

		memcpy(t->mac, l->io[side]->mac, IO_MAC_BYTES);
		t->mtu_bytes = MIN(l->io[!side]->mtu_bytes, MTU_FREE);
		renew_generation(t);
	}
}

void lanes_begin(struct lanes *l, struct nat *nat, struct io *const *io, struct hops *hops)
{
	l->nat = nat;
	l->io[NAT_INSIDE] = io[NAT_INSIDE];
	l->io[NAT_OUTSIDE] = io[NAT_OUTSIDE];
	l->hops = hops;
	for (uint32_t i = 0; l->is_on && i < 2 * LANES; i++)
		if (__atomic_load_n(&l->way.taken[i], __ATOMIC_RELAXED) == l->worker + 1)
			leave_place(l, (struct ref){ i >= LANES ? NAT_OUTSIDE : NAT_INSIDE,
						     i % LANES });
	lanes_renew(l);
}

/*
 * Nothing goes by it, but what was to do so was kept from the socket for it.  One that
 * another worker has ended may have lost what was between the two just then.
 */
static bool has_lost(const struct lanes *l, struct ref r)
{
	const struct lane *lane = lane_of(l, r);

	return (lane->tag & LANE_NEVER) == generation_of(l, r.side) &&
	       __atomic_load_n(&lane->hidden, __ATOMIC_RELAXED) != place_of(l, r)->hidden;
}

/*
 * Is nothing going by it, nor by that of the other direction: then it ends.  Of one that
 * seems to have lost something only the next look is sure: that may be under way.
 */
static bool is_left(struct lanes *l, struct ref r)
{
	struct lanes_place *p = place_of(l, r);
	struct ref other;

	p->n_idle += p->n_idle < IDLE;
	if (p->n_idle < IDLE)
		return false;
	if (other_of(l, r, &other)) {
		const uint8_t n = place_of(l, other)->n_idle;

		if (n == 0 || (n < IDLE && has_lost(l, other)))
			return false;
		l->is_lost |= has_lost(l, other);
	}
	l->is_lost |= has_lost(l, r);
	return true;
}

/* Some of them from @at on, up to @end; how many were looked at */
static uint32_t look_at(struct lanes *l, uint64_t now_ns, uint32_t at, uint32_t end)
{
	struct ref busy[MADE_AT_ONCE] = { { 0 } }, left[MADE_AT_ONCE];
	uint32_t n_busy = 0, n_left = 0, n;

	for (n = 0; at + n < end && n < MADE_AT_ONCE; n++) {
		const struct ref r = used_at(l, at + n);

		__builtin_prefetch(lane_of(l, r));
		__builtin_prefetch(&lane_of(l, r)->packets);
		__builtin_prefetch(place_of(l, r));
	}
	for (n = 0; at + n < end && n < MADE_AT_ONCE; n++) {
		const struct ref r = used_at(l, at + n);

		if (collect(l, r) || place_of(l, r)->is_busy) {
			place_of(l, r)->n_idle = 0;
			place_of(l, r)->is_busy = false;
			busy[n_busy++] = r;
		} else if (is_left(l, r)) {
			left[n_left++] = r;
		}
	}
	show(l, now_ns, busy, n_busy);
	for (uint32_t i = 0; i < n_left; i++)
		end_both(l, left[i]);
	return n;
}

static void stop(struct lanes *l)
{
	lanes_stop(&l->way);
	lanes_settle(l, l->now_ns);
	end_all(l);
	l->is_on = false;
}

bool lanes_tick(struct lanes *l, uint64_t now_ns)
{
	uint32_t end;

	l->now_ns = now_ns;
	if (!l->is_on || (l->swept == 0 && now_ns - l->round_ns < ROUND_NS))
		return false;
	if (generation_of(l, NAT_INSIDE) == LANE_NEVER) {
		stop(l);
		return false;
	}
	if (l->swept == 0)
		l->round_ns = now_ns;
	end = l->swept + LANES_SWEEP;
	while (l->swept < MIN(end, l->n_used))
		l->swept += look_at(l, now_ns, l->swept, l->n_used);
	if (l->is_lost)
		stop(l);
	if (l->swept < l->n_used)
		return true;
	l->swept = 0;
	l->has_asked[0] = l->has_asked[1] = false;
	return false;
}

void lanes_count(struct lanes *l)
{
	for (uint32_t at = 0; at < l->n_used; at++) {
		const struct ref r = used_at(l, at);

		place_of(l, r)->is_busy |= collect(l, r);
	}
}

void lanes_settle(struct lanes *l, uint64_t now_ns)
{
	for (uint32_t at = 0; l->is_on && at < l->n_used; )
		at += look_at(l, now_ns, at, l->n_used);
}
