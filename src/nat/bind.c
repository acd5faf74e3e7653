/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A binding stands in one table under two keys, its inside and its outside end.
 * It lives as long as it has sessions; then its record stays and holds the port
 * for its last user, in the order in which bindings ended, until its time is
 * over or room is wanted.  A packet from the same endpoint takes it up again.
 *
 * Address-dependent filtering needs "has this binding a session with that
 * peer": such pairs are counted in records of the same kind (B_PERMIT).
 *
 * Lines: 4787-1 4787-2 4787-3 4787-8a 4787-11 5382-1 5382-7 5508-1a 6888-2
 * 6888-3a 6888-3b 6888-4 6888-4a 6888-4b 6888-4c 6888-5 6888-5a 6888-5b
 * 6888-8 6888-8m 6888-12 7857-3 7857-4a 7857-4b 7857-5 7857-6 7857-9b 7422-2
 * 7422-4 7422-5
 */
#include "nat/core.h"

enum key { KEY_IN, KEY_OUT, KEY_PERMIT };

static uint64_t hash_key(const struct nat *nat, const struct binding *b, enum key key)
{
	const uint32_t a = key == KEY_IN ? b->in : b->out;
	const uint16_t port = key == KEY_IN ? b->in_port : b->out_port;
	const uint32_t peer = key == KEY_OUT ? 0 : b->peer;

	return hash_words(nat->cfg.key, (uint64_t)a << 32 | peer,
			  (uint64_t)port << 48 | (uint64_t)b->proto << 8 |
				  (uint64_t)(b->flags & B_V6) << 4 | (uint64_t)key);
}

/* A peer in a binding: 0 is "any" */
static uint32_t peer_word(bool is_v6, uint32_t peer)
{
	return is_v6 ? peer + 1 : peer;
}

void bind_init(struct nat *nat)
{
	for (uint32_t i = 0; i < nat->n_bindings; i++) {
		nat->bindings[i].proto = 0;
		nat->bindings[i].next = i + 1 < nat->n_bindings ? i + 1 : NONE;
	}
	nat->free_binding = 0;
	nat->held_first = nat->held_last = NONE;
}

void bind_notify(const struct nat *nat, enum nat_event_kind kind, const struct binding *b,
		 uint16_t out_port)
{
	const bool is_v6 = (b->flags & B_V6) != 0;
	struct nat_event e = {
		.kind = kind, .proto = b->proto, .owner = b->owner, .in_port = b->in_port,
		.out_port = out_port, .at_ns = nat->last_ns, .cfg = &nat->cfg,
	};

	e.inside = addr_of(nat, is_v6, b->in);
	e.outside = addr_of(nat, is_v6, b->out);
	if (kind == NAT_EV_BIND || kind == NAT_EV_UNBIND || kind == NAT_EV_FREED)
		e.binding = (uint32_t)(b - nat->bindings) + 1;
	nat->cfg.notify(nat->cfg.notify_ctx, &e);
}

/* ---- records --------------------------------------------------------------- */

static uint32_t number_of(const struct nat *nat, const struct binding *b)
{
	return (uint32_t)(b - nat->bindings);
}

/* The outside address that a binding's port is of, or NULL */
static struct own *out_of(const struct nat *nat, const struct binding *b)
{
	return (b->flags & B_PERMIT) != 0 ? NULL : own_find(nat, (b->flags & B_V6) != 0, b->out);
}

static void ref_addresses(struct nat *nat, const struct binding *b,
			  void (*fn)(struct nat *, uint32_t))
{
	if ((b->flags & B_V6) == 0)
		return;
	fn(nat, b->in);
	fn(nat, b->out);
	if (b->peer != 0)
		fn(nat, b->peer - 1);
}

static void held_del(struct nat *nat, struct binding *b)
{
	*(b->prev == NONE ? &nat->held_first : &nat->bindings[b->prev].next) = b->next;
	*(b->next == NONE ? &nat->held_last : &nat->bindings[b->next].prev) = b->prev;
	b->flags &= (uint8_t)~B_HELD;
	b->n_flows = 0;
	nat->n.held--;
}

/* The record is free again, and so is its port */
static void record_free(struct nat *nat, struct binding *b)
{
	struct own *own = out_of(nat, b);

	if (own != NULL)
		share_give(nat, own, nat_protos[b->proto].pool, b->out_port);
	if ((b->flags & B_PERMIT) != 0) {
		table_del(&nat->binding_table, hash_key(nat, b, KEY_PERMIT), number_of(nat, b));
	} else {
		table_del(&nat->binding_table, hash_key(nat, b, KEY_IN), number_of(nat, b));
		table_del(&nat->binding_table, hash_key(nat, b, KEY_OUT), number_of(nat, b));
	}
	ref_addresses(nat, b, addr6_put);
	b->proto = 0;
	b->next = nat->free_binding;
	nat->free_binding = number_of(nat, b);
}

static void held_free(struct nat *nat, struct binding *b)
{
	held_del(nat, b);
	notify(nat, NAT_EV_FREED, b, b->out_port);
	record_free(nat, b);
}

/* A copy of @like in the tables; NONE: no room */
static uint32_t record_new(struct nat *nat, const struct binding *like)
{
	struct binding *b;

	if (nat->free_binding == NONE && nat->held_first != NONE)
		held_free(nat, &nat->bindings[nat->held_first]);
	if (nat->free_binding == NONE)
		return NONE;
	b = &nat->bindings[nat->free_binding];
	nat->free_binding = b->next;
	if (b->next != NONE)
		fetch_line(&nat->bindings[b->next]);
	*b = *like;
	b->n_flows = 0;
	ref_addresses(nat, b, addr6_ref);
	if ((b->flags & B_PERMIT) != 0) {
		table_add(&nat->binding_table, hash_key(nat, b, KEY_PERMIT), number_of(nat, b));
	} else {
		table_add(&nat->binding_table, hash_key(nat, b, KEY_IN), number_of(nat, b));
		table_add(&nat->binding_table, hash_key(nat, b, KEY_OUT), number_of(nat, b));
	}
	return number_of(nat, b);
}

/* ---- look-ups -------------------------------------------------------------- */

/* What has one hash need not have one key: all of it is compared */
static uint32_t find(const struct nat *nat, const struct binding *want, enum key key)
{
	struct table_look l;

	for (uint32_t i = table_first(&nat->binding_table, hash_key(nat, want, key), &l);
	     i != NONE; i = table_next(&nat->binding_table, &l)) {
		const struct binding *b = &nat->bindings[i];

		if (b->proto != want->proto || ((b->flags ^ want->flags) & (B_V6 | B_PERMIT)) != 0)
			continue;
		if (key == KEY_IN ? b->in == want->in && b->in_port == want->in_port &&
					    b->peer == want->peer
				  : b->out == want->out && b->out_port == want->out_port &&
					    (key == KEY_OUT || b->peer == want->peer))
			return i;
	}
	return NONE;
}

uint32_t bind_find_out(const struct nat *nat, bool is_v6, uint8_t proto, uint32_t out,
		       uint16_t port)
{
	const struct binding want = {
		.out = out, .out_port = port, .proto = proto, .flags = is_v6 ? B_V6 : 0,
	};
	const uint32_t i = find(nat, &want, KEY_OUT);

	return i == NONE || (nat->bindings[i].flags & B_HELD) != 0 ? NONE : i;
}

/* ---- who may have what ------------------------------------------------------ */

uint16_t owner_of(const struct nat *nat, struct addr a)
{
	for (uint32_t i = 0; i < nat->cfg.n_jails; i++)
		if (prefix_has(nat->cfg.jails[i].prefix, a))
			return nat->cfg.jails[i].owner;
	return 0;
}

static void refill(struct nat *nat, struct owner *o)
{
	const struct nat_quota *q = &nat->cfg.quota;
	const uint64_t most = (uint64_t)MAX(q->burst, 1u) << 16;

	/* per_s tokens of 65536 in a second of 2^30 ns / 2^26: all but 7% slower */
	o->tokens = MIN(most, o->tokens + (uint64_t)(nat->now - o->filled) * q->per_s *
					  ((UINT64_C(65536) << TICK_SHIFT) / 1000000000));
	o->filled = nat->now;
}

enum nat_reason owner_charge(struct nat *nat, uint16_t owner)
{
	const struct nat_quota *q = &nat->cfg.quota;
	struct owner *o = &nat->owners[owner];

	if (q->flows != 0 && o->flows >= q->flows)
		return NAT_R_QUOTA_FLOWS;
	if (q->per_s != 0) {
		refill(nat, o);
		if (o->tokens < 65536)
			return NAT_R_RATE;
		o->tokens -= 65536;
	}
	o->flows++;
	return NAT_R_NONE;
}

void owner_release(struct nat *nat, uint16_t owner)
{
	BUG_IF(nat->owners[owner].flows == 0);
	nat->owners[owner].flows--;
}

/* ---- which outside end ------------------------------------------------------ */

/* May the asker take a port that a held binding has */
static bool is_same_user(const struct binding *b, const struct bind_ask *ask)
{
	return b->owner == ask->owner && (ask->owner != 0 || b->in == ask->in);
}

static uint32_t find_held(const struct nat *nat, const struct bind_ask *ask, const struct own *own,
			  uint16_t port)
{
	const struct binding want = {
		.out = own->handle, .out_port = port, .proto = ask->proto,
		.flags = ask->is_v6 ? B_V6 : 0,
	};
	const uint32_t i = find(nat, &want, KEY_OUT);

	if (i == NONE || (nat->bindings[i].flags & B_HELD) == 0 ||
	    !is_same_user(&nat->bindings[i], ask))
		return NONE;
	return i;
}

/* Is a port free for the asker; frees the one that it held itself */
static bool port_wanted(struct nat *nat, const struct bind_ask *ask, const struct own *own,
			const struct ports *pool, uint16_t port)
{
	uint32_t held;

	if (port == 0 || !ports_is_lent(pool, port))
		return port != 0;
	held = find_held(nat, ask, own, port);
	if (held == NONE)
		return false;
	held_free(nat, &nat->bindings[held]);
	return true;
}

/* The range that RFC 4787 REQ-3a keeps a port in; ICMP ids have one */
static void range_of(uint8_t pool, uint16_t port, uint16_t *lo, uint16_t *hi)
{
	*lo = pool == POOL_ICMP || port < 1024 ? 1 : 1024;
	*hi = pool == POOL_ICMP || port >= 1024 ? UINT16_MAX : 1023;
}

static uint32_t n_lent(const struct ports *pool, uint16_t lo, uint16_t hi)
{
	uint32_t n = 0;

	for (uint32_t port = lo; port <= hi; port++)
		n += ports_is_lent(pool, (uint16_t)port);
	return n;
}

/* A port of the asker's block; behind nine tenths, and out of it, somebody is told */
static uint16_t choose_of_block(struct nat *nat, const struct bind_ask *ask,
				const struct own *own, const struct ports *pool)
{
	const struct addr in = addr_of(nat, ask->is_v6, ask->in);
	const struct binding told = {
		.in = ask->in, .out = own->handle, .in_port = ask->in_port, .proto = ask->proto,
		.flags = ask->is_v6 ? B_V6 : 0, .owner = ask->owner,
	};
	uint16_t lo, hi, port;
	struct addr outside;

	BUG_IF(!nat_block_of(&nat->cfg, in, &outside, &lo, &hi));	/* see bind_own() */
	if (n_lent(pool, lo, hi) + 1 == (hi - lo + 1u) - (hi - lo + 1u) / 10)
		notify(nat, NAT_EV_ALARM, &told, lo);
	port = ports_choose(pool, lo, hi, ask->in_port, PARITY_ANY, &nat->random);
	if (port != 0 || !block_overflow(&nat->cfg, &lo, &hi))
		return port;
	port = ports_choose(pool, lo, hi, ask->in_port, PARITY_ANY, &nat->random);
	if (port != 0)
		notify(nat, NAT_EV_BLOCK, &told, port);
	return port;
}

static uint16_t choose_port(struct nat *nat, const struct bind_ask *ask, const struct own *own)
{
	const struct proto *info = &nat_protos[ask->proto];
	const struct ports *pool = &own->pools[info->pool];
	const struct nat_ruling *r = ask->rule;
	const enum parity parity = nat->cfg.keep_parity ? PARITY_KEEP : PARITY_ANY;
	uint16_t lo = r->port_lo, hi = r->port_hi;

	if (r->ports == NAT_PORTS_STATIC || !info->translates)
		return port_wanted(nat, ask, own, pool, ask->in_port) ? ask->in_port : 0;
	if (r->ports == NAT_PORTS_BLOCK)
		return choose_of_block(nat, ask, own, pool);
	if (r->ports == NAT_PORTS_PRESERVE) {
		if (port_wanted(nat, ask, own, pool, ask->in_port))
			return ask->in_port;
		range_of(info->pool, ask->in_port, &lo, &hi);
	} else if (info->pool == POOL_ICMP) {
		lo = 1;
		hi = UINT16_MAX;
	}
	return ports_choose(pool, lo, hi, ask->in_port, parity, &nat->random);
}

/* The outside address that one is; the NAT's own array is in the order of its records */
static struct own *own_at(const struct nat *nat, const struct addr *a)
{
	const uintptr_t at = (uintptr_t)a - (uintptr_t)nat->cfg.outside;

	return at < nat->cfg.n_outside * sizeof(*a) ? &nat->own[at / sizeof(*a)]
						    : own_of(nat, *a);
}

/* The pool's member that an inside address always has (RFC 4787 REQ-2) */
struct own *bind_own(const struct nat *nat, const struct bind_ask *ask)
{
	const struct nat_ruling *r = ask->rule;
	const uint8_t af = ask->is_v6 ? AF_V6 : AF_V4;
	const struct addr in = addr_of(nat, ask->is_v6, ask->in);
	uint32_t n = 0, pick;
	uint64_t hash;
	struct addr outside;
	uint16_t lo, hi;

	if (r->ports == NAT_PORTS_BLOCK)
		return nat_block_of(&nat->cfg, in, &outside, &lo, &hi) ? own_of(nat, outside)
								       : NULL;
	if (r->n_to == 0)
		return NULL;
	hash = hash_words(nat->cfg.key, (uint64_t)in.v, (uint64_t)(in.v >> 64)) >> 32;
	pick = (uint32_t)(hash * r->n_to >> 32);
	if (r->to[pick].af == af)
		return own_at(nat, &r->to[pick]);
	/* Of both families: one of the right one, as fairly */
	for (uint32_t i = 0; i < r->n_to; i++)
		n += r->to[i].af == af;
	pick = (uint32_t)(hash * n >> 32);
	for (uint32_t i = 0; i < r->n_to; i++)
		if (r->to[i].af == af && pick-- == 0)
			return own_of(nat, r->to[i]);
	return NULL;
}

/* Where a new binding and its first session will stand by their outside ends */
static void prefetch_new(const struct nat *nat, const struct bind_ask *ask, const struct binding *b)
{
	const struct view outer = {
		.is_v6 = ask->is_v6, .proto = ask->proto, .from = NAT_OUTSIDE, .src = ask->peer,
		.dst = b->out, .sport = ask->peer_port, .dport = b->out_port,
	};

	table_prefetch(&nat->binding_table, hash_key(nat, b, KEY_OUT));
	session_prefetch(nat, &outer);
}

/* The outside end that an endpoint gets; its port is 0 where there is none */
static struct own *end_for(struct nat *nat, const struct bind_ask *ask, struct binding *b)
{
	struct own *own = bind_own(nat, ask);

	b->out_port = 0;
	if (own == NULL)
		return NULL;
	b->out = own->handle;
	b->out_port = choose_port(nat, ask, own);
	if (ask->is_v6)		/* of IPv4 it is under way: bind_prefetch() */
		prefetch_new(nat, ask, b);
	return own;
}

/* Take the port of such an end: another worker may be faster, but not for ever */
static struct own *take_end(struct nat *nat, const struct bind_ask *ask, struct binding *b)
{
	for (;;) {
		struct own *own = end_for(nat, ask, b);

		if (b->out_port == 0 ||
		    share_take(nat, own, nat_protos[b->proto].pool, b->out_port))
			return own;
	}
}

/* Does the rule allow the outside end that the endpoint has */
static bool is_allowed(const struct nat *nat, const struct bind_ask *ask, const struct binding *b)
{
	const struct nat_ruling *r = ask->rule;
	const struct addr out = addr_of(nat, ask->is_v6, b->out);

	if (r->ports == NAT_PORTS_STATIC && b->out_port != b->in_port)
		return false;
	if (r->ports == NAT_PORTS_RANDOM && nat_protos[b->proto].has_ports &&
	    (b->out_port < r->port_lo || b->out_port > r->port_hi))
		return false;
	for (uint32_t i = 0; i < r->n_to; i++)
		if (addr_equal(r->to[i], out))
			return true;
	return false;
}

static enum nat_reason check_quota(struct nat *nat, const struct binding *b)
{
	const uint8_t class = nat_protos[b->proto].class;
	struct owner *o = &nat->owners[b->owner];
	const uint32_t all = nat->cfg.quota.ports[class], most = MAX(all / o->n_parts, 1u);

	if (all == 0)
		return NAT_R_NONE;
	if (o->ports[class] >= most)
		return NAT_R_QUOTA_PORTS;
	if (!o->alarmed && o->ports[class] + 1 >= most - most / 10) {
		o->alarmed = true;
		notify(nat, NAT_EV_ALARM, b, 0);
	}
	return NAT_R_NONE;
}

/* ---- life ------------------------------------------------------------------- */

static void start(struct nat *nat, struct binding *b)
{
	nat->owners[b->owner].ports[nat_protos[b->proto].class]++;
	nat->n.bindings++;
	b->time = nat->now;
	notify(nat, NAT_EV_BIND, b, b->out_port);
}

static enum nat_reason bind_new(struct nat *nat, const struct bind_ask *ask, struct binding *like,
				uint32_t *ret)
{
	const enum nat_reason why = check_quota(nat, like);
	const struct proto *info = &nat_protos[ask->proto];
	struct own *own;

	if (why != NAT_R_NONE)
		return why;
	own = take_end(nat, ask, like);
	if (like->out_port == 0 && (ask->rule->ports == NAT_PORTS_STATIC || !info->translates))
		return NAT_R_PORT_TAKEN;
	if (like->out_port == 0)
		return ask->rule->ports == NAT_PORTS_BLOCK ? NAT_R_QUOTA_PORTS : NAT_R_NO_PORT;
	*ret = record_new(nat, like);
	if (*ret == NONE) {
		share_give(nat, own, info->pool, like->out_port);
		return NAT_R_TABLE_FULL;
	}
	start(nat, &nat->bindings[*ret]);
	return NAT_R_NONE;
}

/* The binding of an endpoint, by its inside key */
static struct binding inner_of(const struct nat *nat, const struct bind_ask *ask)
{
	const enum nat_behaviour how = nat->cfg.mapping[nat_protos[ask->proto].class];

	return (struct binding){
		.in = ask->in, .in_port = ask->in_port, .proto = ask->proto,
		.flags = ask->is_v6 ? B_V6 : 0, .owner = ask->owner,
		.peer = how == NAT_ENDPOINT ? 0 : peer_word(ask->is_v6, ask->peer),
	};
}

void bind_prefetch(const struct nat *nat, const struct view *v, uint32_t draw)
{
	const struct nat_ruling *r = &nat->likely;
	const struct bind_ask ask = {
		.is_v6 = v->is_v6, .proto = v->proto, .in = v->src, .in_port = v->sport,
		.peer = v->dst, .peer_port = v->dport, .rule = r,
	};
	struct binding like = inner_of(nat, &ask);
	const struct own *own;

	table_prefetch(&nat->binding_table, hash_key(nat, &like, KEY_IN));
	/* An IPv6 address that is new has no handle yet */
	if (v->is_v6 || !nat_protos[v->proto].translates || r->ports == NAT_PORTS_BLOCK)
		return;
	own = bind_own(nat, &ask);
	if (own == NULL)
		return;
	like.out = own->handle;
	like.out_port = v->sport;
	if (r->ports == NAT_PORTS_RANDOM)
		like.out_port = (uint16_t)(r->port_lo + ((uint64_t)draw *
					   ((uint32_t)(r->port_hi - r->port_lo) + 1) >> 32));
	fetch_line(&own->pools[nat_protos[v->proto].pool].lent[like.out_port / 64]);
	prefetch_new(nat, &ask, &like);
}

enum nat_reason bind_get(struct nat *nat, const struct bind_ask *ask, uint32_t *ret)
{
	const enum nat_behaviour how = nat->cfg.mapping[nat_protos[ask->proto].class];
	struct binding like = inner_of(nat, ask);
	const uint32_t i = how == NAT_ADDRESS_PORT ? NONE : find(nat, &like, KEY_IN);
	struct binding *b;

	if (i == NONE)
		return bind_new(nat, ask, &like, ret);
	b = &nat->bindings[i];
	if (!is_allowed(nat, ask, b)) {
		if ((b->flags & B_HELD) == 0)
			return NAT_R_PORT_TAKEN;
		held_free(nat, b);
		return bind_new(nat, ask, &like, ret);
	}
	if ((b->flags & B_HELD) != 0) {
		const enum nat_reason why = check_quota(nat, b);

		if (why != NAT_R_NONE)
			return why;
		held_del(nat, b);
		start(nat, b);
	}
	*ret = i;
	return NAT_R_NONE;
}

void bind_use(struct nat *nat, uint32_t binding)
{
	nat->bindings[binding].n_flows++;
}

void bind_hold(struct nat *nat, uint32_t binding)
{
	struct binding *b = &nat->bindings[binding];

	nat->owners[b->owner].ports[nat_protos[b->proto].class]--;
	nat->owners[b->owner].alarmed = false;
	nat->n.bindings--;
	notify(nat, NAT_EV_UNBIND, b, b->out_port);
	b->flags |= B_HELD;
	b->time = nat->now;
	b->next = NONE;
	b->prev = nat->held_last;
	*(b->prev == NONE ? &nat->held_first : &nat->bindings[b->prev].next) = binding;
	nat->held_last = binding;
	if (++nat->n.held > nat->max_held)
		held_free(nat, &nat->bindings[nat->held_first]);
}

void bind_put(struct nat *nat, uint32_t binding)
{
	struct binding *b = &nat->bindings[binding];

	BUG_IF(b->n_flows == 0);
	if (--b->n_flows == 0)
		bind_hold(nat, binding);
}

/* What freeing a held record will touch */
static void prefetch_held(const struct nat *nat, uint32_t i)
{
	const struct binding *b = &nat->bindings[i];

	if (i == NONE)
		return;
	table_prefetch(&nat->binding_table, hash_key(nat, b, KEY_IN));
	table_prefetch(&nat->binding_table, hash_key(nat, b, KEY_OUT));
	if (b->next != NONE)
		fetch_line(&nat->bindings[b->next]);
}

bool bind_expire(struct nat *nat, uint32_t n)
{
	for (; nat->held_first != NONE; n--) {
		struct binding *b = &nat->bindings[nat->held_first];

		if (nat->now - b->time < nat->timeout[NAT_T_HOLD])
			return false;
		if (n == 0)
			return true;
		prefetch_held(nat, b->next);
		held_free(nat, b);
	}
	return false;
}

/* What is only held for an endpoint makes way for what was saved of it */
static bool is_open(struct nat *nat, const struct ports *pool, const struct binding *b)
{
	uint32_t i;

	if (!ports_is_lent(pool, b->out_port))
		return true;
	i = find(nat, b, KEY_OUT);
	if (i == NONE || (nat->bindings[i].flags & B_HELD) == 0 || nat->bindings[i].in != b->in ||
	    nat->bindings[i].in_port != b->in_port)
		return false;
	held_free(nat, &nat->bindings[i]);
	return true;
}

uint32_t bind_enter(struct nat *nat, const struct binding *b)
{
	const uint8_t pool = nat_protos[b->proto].pool;
	struct own *own = out_of(nat, b);
	uint32_t i;

	if (own == NULL || !is_open(nat, &own->pools[pool], b) ||
	    !share_take(nat, own, pool, b->out_port))
		return NONE;
	i = record_new(nat, b);
	if (i == NONE) {
		share_give(nat, own, pool, b->out_port);
		return NONE;
	}
	start(nat, &nat->bindings[i]);
	return i;
}

void bind_sweep(struct nat *nat)
{
	for (uint32_t i = 0; i < nat->n_bindings; i++) {
		const struct binding *b = &nat->bindings[i];

		if (b->proto != 0 && (b->flags & (B_HELD | B_PERMIT)) == 0 && b->n_flows == 0)
			bind_hold(nat, i);
	}
}

/* ---- permissions ------------------------------------------------------------- */

static struct binding permit_key(const struct nat *nat, uint32_t binding, uint32_t peer)
{
	struct binding b = nat->bindings[binding];

	b.flags = (uint8_t)((b.flags & B_V6) | B_PERMIT);
	b.peer = peer_word((b.flags & B_V6) != 0, peer);
	return b;
}

bool bind_is_permitted(const struct nat *nat, uint32_t binding, uint32_t peer)
{
	const struct binding key = permit_key(nat, binding, peer);

	return find(nat, &key, KEY_PERMIT) != NONE;
}

bool bind_permit(struct nat *nat, uint32_t binding, uint32_t peer)
{
	const struct binding key = permit_key(nat, binding, peer);
	uint32_t i = find(nat, &key, KEY_PERMIT);

	if (i == NONE)
		i = record_new(nat, &key);
	if (i == NONE)
		return false;
	nat->bindings[i].n_flows++;
	return true;
}

void bind_unpermit(struct nat *nat, uint32_t binding, uint32_t peer)
{
	const struct binding key = permit_key(nat, binding, peer);
	const uint32_t i = find(nat, &key, KEY_PERMIT);

	BUG_IF(i == NONE);
	if (--nat->bindings[i].n_flows == 0)
		record_free(nat, &nat->bindings[i]);
}
