/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 *	magic, version, number of bindings, number of sessions
 *	bindings, then sessions: addresses of 16 bytes, all numbers as on a wire,
 *	times as ages in ticks, so that they go on wherever they are read
 *	a keyless 64-bit hash of all before it
 *
 * A session finds its binding by the outside end.  What the new configuration
 * has no address or no room for is counted and left out; quotas are not asked,
 * because what exists is never refused.
 *
 * Lines: 6888-8r
 */
#include "nat/core.h"

#include "base/fnv.h"

#define MAGIC		0x53504e41u	/* SPNA */
#define VERSION		1u
#define HEAD_BYTES	16u
#define BINDING_BYTES	60u
#define SESSION_BYTES	104u
#define TAIL_BYTES	8u

/* ---- writing -------------------------------------------------------------------- */

struct writer {
	int (*put)(void *ctx, const void *p, size_t len);
	void *ctx;
	uint64_t sum;
	int rc;
};

static void write_bytes(struct writer *w, const uint8_t *p, size_t len)
{
	if (w->rc != 0)
		return;
	w->sum = fnv64(w->sum, p, len);
	w->rc = w->put(w->ctx, p, len);
}

static void put_handle(const struct nat *nat, uint8_t *at, bool is_v6, uint32_t handle)
{
	memset(at, 0, 16);
	if (is_v6)
		memcpy(at, nat->addr6[handle].bytes, 16);
	else
		put32(at, handle);
}

static void write_binding(const struct nat *nat, struct writer *w, const struct binding *b)
{
	const bool is_v6 = (b->flags & B_V6) != 0;
	uint8_t r[BINDING_BYTES] = { 0 };

	r[0] = b->proto;
	r[1] = b->flags;
	put16(r + 2, b->in_port);
	put16(r + 4, b->out_port);
	r[6] = b->peer != 0;
	put32(r + 8, nat->now - b->time);
	put_handle(nat, r + 12, is_v6, b->in);
	put_handle(nat, r + 28, is_v6, b->out);
	if (b->peer != 0)
		put_handle(nat, r + 44, is_v6, is_v6 ? b->peer - 1 : b->peer);
	write_bytes(w, r, sizeof(r));
}

static void write_session(const struct nat *nat, struct writer *w, const struct session *s)
{
	const bool is_v6 = (s->flags & S_V6) != 0;
	const uint16_t ports[4] = { s->in.sport, s->in.dport, s->out.sport, s->out.dport };
	const uint32_t addrs[4] = { s->in.src, s->in.dst, s->out.src, s->out.dst };
	const struct scrub_all *scrub = &nat->scrubs[s->scrub];
	uint8_t r[SESSION_BYTES] = { 0 };

	r[0] = s->proto;
	r[1] = s->flags;
	r[2] = s->tcp;
	r[3] = s->timer;
	r[4] = s->wscale;
	r[5] = s->acked;
	r[6] = s->binding != NONE;
	put32(r + 8, nat->now - s->seen);
	put32(r + 12, s->ack[0]);
	put32(r + 16, s->ack[1]);
	put16(r + 20, s->win[0]);
	put16(r + 22, s->win[1]);
	for (unsigned int i = 0; i < 4; i++) {
		put16(r + 24 + 2 * i, ports[i]);
		put_handle(nat, r + 32 + 16 * i, is_v6, addrs[i]);
	}
	put16(r + 96, scrub->max_mss);
	r[98] = scrub->min_ttl;
	r[99] = scrub->no_df;
	write_bytes(w, r, sizeof(r));
}

static bool is_kept(const struct binding *b)
{
	return b->proto != 0 && (b->flags & B_PERMIT) == 0;
}

size_t nat_save_most(const struct nat_config *cfg)
{
	/* Bindings are twice as many where permissions are some of them: those are not saved */
	return HEAD_BYTES + (size_t)cfg->max_flows * (2 * BINDING_BYTES + SESSION_BYTES) +
	       TAIL_BYTES;
}

int nat_save(const struct nat *nat, int (*put)(void *ctx, const void *p, size_t len), void *ctx)
{
	struct writer w = { put, ctx, FNV64_START, 0 };
	uint8_t head[HEAD_BYTES], tail[TAIL_BYTES];
	uint32_t n = 0;

	for (uint32_t i = 0; i < nat->n_bindings; i++)
		n += is_kept(&nat->bindings[i]);
	put32(head, MAGIC);
	put32(head + 4, VERSION);
	put32(head + 8, n);
	put32(head + 12, nat->n.flows);
	write_bytes(&w, head, sizeof(head));
	for (uint32_t i = 0; i < nat->n_bindings; i++)
		if (is_kept(&nat->bindings[i]))
			write_binding(nat, &w, &nat->bindings[i]);
	for (uint32_t i = 0; i < nat->cfg.max_flows; i++)
		if (nat->sessions[i].proto != 0)
			write_session(nat, &w, &nat->sessions[i]);
	put32(tail, (uint32_t)(w.sum >> 32));
	put32(tail + 4, (uint32_t)w.sum);
	write_bytes(&w, tail, sizeof(tail));
	return w.rc;
}

/* ---- reading -------------------------------------------------------------------- */

static uint32_t get_handle(struct nat *nat, const uint8_t *at, bool is_v6)
{
	return is_v6 ? addr6_get(nat, addr_from_bytes(AF_V6, at)) : get32(at);
}

/* Before the first packet the clock has not begun; ages count from FIRST_TICK then */
static uint32_t tick_before(const struct nat *nat, uint32_t age)
{
	return nat->now - MIN(age, nat->now);
}

/* Another worker takes up what is not ours */
static bool is_mine(const struct nat *nat, const uint8_t *in, bool is_v6, uint8_t proto)
{
	const struct addr a = is_v6 ? addr_from_bytes(AF_V6, in)
				    : (struct addr){ AF_V4, get32(in) };

	return share_is_mine(nat, a, proto);
}

static bool read_binding(struct nat *nat, const uint8_t *r)
{
	const bool is_v6 = (r[1] & B_V6) != 0;
	struct binding b = {
		.proto = r[0], .flags = r[1] & B_V6, .in_port = get16(r + 2),
		.out_port = get16(r + 4), .in = get_handle(nat, r + 12, is_v6),
		.out = get_handle(nat, r + 28, is_v6),
	};
	const uint32_t peer = r[6] != 0 ? get_handle(nat, r + 44, is_v6) : 0;
	const bool fits = !is_v6 || (b.in != NONE && b.out != NONE && peer != NONE);
	uint32_t i = NONE;

	if (fits && b.proto != 0 && b.out_port != 0) {
		b.owner = owner_of(nat, addr_of(nat, is_v6, b.in));
		b.peer = r[6] != 0 && is_v6 ? peer + 1 : peer;
		i = bind_enter(nat, &b);
	}
	addr_drop(nat, is_v6, b.in);
	addr_drop(nat, is_v6, b.out);
	if (r[6] != 0)
		addr_drop(nat, is_v6, peer);
	if (i == NONE)
		return false;
	if ((r[1] & B_HELD) != 0)
		bind_hold(nat, i);
	nat->bindings[i].time = tick_before(nat, get32(r + 8));
	return true;
}

static bool enter_session(struct nat *nat, struct session *like, bool has_binding)
{
	const bool is_v6 = (like->flags & S_V6) != 0;
	/* Its peer has opened it, and nothing has gone out by it */
	const bool is_peers = (like->flags & (S_FROM_OUT | S_PERMIT)) == S_FROM_OUT;
	struct session *s;

	/* Its time ran out, here or meanwhile: nothing is lost by that */
	if (session_is_over(nat, like))
		return true;
	like->flags &= (uint8_t)~S_PERMIT;
	if (has_binding) {
		like->binding = bind_find_out(nat, is_v6, like->proto, like->out.src,
					      like->out.sport);
		if (like->binding == NONE)
			return false;
		if (nat->cfg.filtering[nat_protos[like->proto].class] == NAT_ADDRESS)
			like->flags |= is_peers ? S_LOOK : S_PERMIT;
	}
	like->owner = owner_of(nat, addr_of(nat, is_v6, like->in.src));
	nat->owners[like->owner].flows++;
	if (session_new(nat, like, NULL, &s) == NAT_R_NONE) {
		share_note(nat, s);
		return true;
	}
	owner_release(nat, like->owner);
	return false;
}

static bool read_session(struct nat *nat, const uint8_t *r)
{
	const bool is_v6 = (r[1] & S_V6) != 0;
	struct session like = {
		.proto = r[0], .flags = r[1] & (uint8_t)~S_LOOK,
		.tcp = r[2], .timer = r[3],
		.wscale = r[4], .acked = r[5] & 3, .binding = NONE,
		.seen = tick_before(nat, get32(r + 8)),
		.ack = { get32(r + 12), get32(r + 16) }, .win = { get16(r + 20), get16(r + 22) },
		.in.sport = get16(r + 24), .in.dport = get16(r + 26),
		.out.sport = get16(r + 28), .out.dport = get16(r + 30),
	};
	uint32_t *addrs[4] = { &like.in.src, &like.in.dst, &like.out.src, &like.out.dst };
	const struct scrub_all scrub = { get16(r + 96), r[98], r[99] != 0 };
	bool fits = like.proto != 0 && like.tcp < N_NAT_TCP && like.timer < N_NAT_TIMEOUTS &&
		    (like.proto == PROTO_TCP) == (like.tcp != NAT_TCP_NONE) &&
		    (nat_protos[like.proto].has_ports || like.in.dport == like.out.dport);

	for (unsigned int i = 0; i < 4; i++) {
		*addrs[i] = get_handle(nat, r + 32 + 16 * i, is_v6);
		fits = fits && (!is_v6 || *addrs[i] != NONE);
	}
	if (fits && (like.flags & S_SOURCE) != 0)
		fits = own_find(nat, is_v6, like.out.src) != NULL;
	if (fits && nat->cfg.n_inside > 0)
		fits = is_inside(nat, addr_of(nat, is_v6, like.in.src));
	fits = fits && rewrite_scrub_set(nat, &like, scrub);
	if (fits)
		fits = enter_session(nat, &like, r[6] != 0);
	for (unsigned int i = 0; i < 4; i++)
		addr_drop(nat, is_v6, *addrs[i]);
	return fits;
}

size_t nat_saved_bytes(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t n;

	if (len < HEAD_BYTES || get32(p) != MAGIC || get32(p + 4) != VERSION)
		return len;
	n = HEAD_BYTES + (uint64_t)get32(p + 8) * BINDING_BYTES +
	    (uint64_t)get32(p + 12) * SESSION_BYTES + TAIL_BYTES;
	return MIN(n, len);
}

int nat_restore(struct nat *nat, uint64_t now_ns, const void *data, size_t len,
		uint32_t *ret_lost)
{
	const uint8_t *p = data;
	const uint64_t made = nat->n.flows_made;
	uint64_t want, n_bindings, n_sessions;
	uint32_t lost = 0;

	if (len < HEAD_BYTES + TAIL_BYTES || get32(p) != MAGIC)
		return -EBADMSG;
	if (get32(p + 4) != VERSION)
		return -EPROTONOSUPPORT;
	n_bindings = get32(p + 8);
	n_sessions = get32(p + 12);
	if (len != HEAD_BYTES + TAIL_BYTES + n_bindings * BINDING_BYTES +
			   n_sessions * SESSION_BYTES)
		return -EBADMSG;
	want = (uint64_t)get32(p + len - 8) << 32 | get32(p + len - 4);
	if (fnv64(FNV64_START, p, len - TAIL_BYTES) != want)
		return -EBADMSG;
	nat_clock(nat, now_ns);
	p += HEAD_BYTES;
	for (; n_bindings > 0; n_bindings--, p += BINDING_BYTES)
		if (is_mine(nat, p + 12, (p[1] & B_V6) != 0, p[0]))
			lost += !read_binding(nat, p);
	for (; n_sessions > 0; n_sessions--, p += SESSION_BYTES)
		if (is_mine(nat, p + 32, (p[1] & S_V6) != 0, p[0]))
			lost += !read_session(nat, p);
	bind_sweep(nat);
	nat->n.flows_made = made;	/* these were made before */
	*ret_lost = lost;
	return 0;
}

int nat_hold(struct nat *nat, uint64_t now_ns, const struct nat_binding *b)
{
	const bool is_v6 = b->outside.af == AF_V6;
	struct own *own = own_of(nat, b->outside);
	struct binding like = {
		.proto = b->proto, .flags = is_v6 ? B_V6 : 0, .in_port = b->in_port,
		.out_port = b->out_port, .owner = owner_of(nat, b->inside),
	};
	uint32_t i;

	nat_clock(nat, now_ns);
	if (!share_is_mine(nat, b->inside, b->proto))
		return -ENOENT;
	if (own == NULL || b->inside.af != b->outside.af || nat_protos[b->proto].min_len == 0)
		return -ENOENT;
	if (ports_is_lent(&own->pools[nat_protos[b->proto].pool], b->out_port))
		return -EEXIST;
	like.out = own->handle;
	like.in = addr_get(nat, &b->inside);
	if (is_v6 && like.in == NONE)
		return -ENOSPC;
	i = bind_enter(nat, &like);
	addr_drop(nat, is_v6, like.in);
	if (i == NONE)
		return -ENOSPC;
	bind_hold(nat, i);
	return 0;
}
