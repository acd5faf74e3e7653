/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Some bytes choose the configuration, then each step takes one byte that says what
 * comes (steps[] below) and some for its details.  There are few hosts, ports and
 * peers, so that flows meet; and the last packets that left are kept, because most
 * of what a NAT has to do is about answers to them.
 */
#include "natany.h"

#include <stdlib.h>
#include <string.h>

#include "natkit.h"

#define SEEN	8u

/* A run */
struct any {
	const uint8_t *data;
	size_t len;
	struct kit k;
	struct nat_npt npt;
	struct nat_jail jails[2];
	struct nat_range reserved[2];
	struct prefix straight;
	struct kpkt seen[SEEN];		/* what left last */
	uint8_t to[SEEN];		/* and where to */
	bool is_sound[SEEN];		/* and whether what came was */
	uint32_t n_seen;
	uint32_t more;			/* bits of what else is configured */
	uint8_t judge;			/* bits of what its rules do */
	bool may_leak;			/* packets may keep an inside source */
	bool is_forged;			/* flows are as somebody liked: only nothing may break */
	uint32_t n_left;
	uint32_t n_events;
};

static uint32_t byte(struct any *t)
{
	if (t->len == 0)
		return 0;
	t->len--;
	return *t->data++;
}

/* ---- configuration ------------------------------------------------------------------ */

static void count_event(void *ctx, const struct nat_event *e)
{
	struct any *t = ctx;

	t->n_events += e->at_ns > 0;
}

/* Rules: what they say hangs on the packet alone, so that questions agree */
static bool judge(void *ctx, const struct nat_ask *ask, struct nat_ruling *ret)
{
	const struct any *t = ctx;
	const uint32_t x = (ask->dport ^ (uint32_t)ask->dst.v ^ t->judge) & 15;
	const bool out = ask->from == NAT_INSIDE;

	if (x == 0)
		return false;
	*ret = (struct nat_ruling){
		.pass = x > 2, .answer = x == 1, .rst = (t->judge & 1) != 0,
		.icmp = x == 1 ? (ask->src.af == AF_V4 ? 3 << 8 | 13 : 1 << 8 | 1) : -1,
		.keep = x != 3, .is_fenceless = x == 4, .has_src = out && x > 4,
		.to = t->k.outside, .n_to = t->k.cfg.n_outside,
		.ports = (enum nat_ports)(x % 3), .port_lo = 2000, .port_hi = 2100,
		.has_dst = x == 7 || x == 8,
		.dst = ask->dst.af == AF_V4 ? IN2 : kit_a6("fd00:1::12"),
		.dport = 8080, .max_mss = x == 9 ? 1200 : 0, .min_ttl = x == 10 ? 70 : 0,
		.no_df = x == 11,
	};
	return true;
}

static void set_limits(struct any *t, struct nat_config *c)
{
	const uint32_t b = byte(t);

	c->max_flows = 12 + b % 32;
	c->max_addr6 = 6 + b % 8;
	c->max_held = b % 3 == 0 ? 4 : 0;
	c->frag_bytes = 8192 << b % 4;
	c->frag_share = 1 + b % 4;
	c->error_per_s = b % 5 == 0 ? 1 : 1000;
	c->mtu[0] = b % 2 == 0 ? 1500 : 600;
	c->mtu[1] = b % 7 == 0 ? 576 : 1500;
	if ((b & 64) != 0) {
		c->quota = (struct nat_quota){ .flows = 6, .per_s = 2, .burst = 4 };
		for (int i = 0; i < N_NAT_CLASSES; i++)
			c->quota.ports[i] = 4;
	}
}

static void set_behaviour(struct any *t, struct nat_config *c)
{
	const uint32_t b = byte(t), d = byte(t);

	for (uint32_t i = 0; i < N_NAT_CLASSES; i++) {
		c->mapping[i] = (enum nat_behaviour)((b + i) % 3);
		c->filtering[i] = (enum nat_behaviour)((b / 3 + i) % 3);
	}
	c->ports = (enum nat_ports)(d % 4);
	c->keep_parity = (d & 4) != 0;
	c->block_ports = 8;
	c->block_base = addr_v4(10, 0, 0, 0);
	c->block_overflow = (d & 8) != 0;
	c->port_lo = (d & 16) != 0 ? 5000 : 1024;
	c->port_hi = (d & 16) != 0 ? 5005 : 65535;
	c->max_mss = (d & 32) != 0 ? 1000 : 0;
	c->no_echo = (d & 64) != 0;
	c->syn_silent = (d & 128) != 0;
}

static void set_extras(struct any *t, struct nat_config *c)
{
	const uint32_t b = byte(t);

	t->more = byte(t);
	if ((b & 1) != 0) {
		t->npt = (struct nat_npt){ { kit_a6("fd00:9::"), 48 },
					   { kit_a6("2001:db8:9::"), (uint8_t)(48 + b / 16 * 4) } };
		c->npt = &t->npt;
		c->n_npt = 1;
	}
	t->jails[0] = (struct nat_jail){ { IN1, 32 }, 1 };
	t->jails[1] = (struct nat_jail){ { kit_a6("fd00:1::11"), 128 }, 2 };
	c->jails = t->jails;
	c->n_jails = (b & 2) != 0 ? 2 : 0;
	t->reserved[0] = (struct nat_range){ { .af = AF_NONE }, 17, 5000, 5001 };
	t->reserved[1] = (struct nat_range){ NAT1, 0, 5003, 5003 };
	c->reserved = t->reserved;
	c->n_reserved = (b & 4) != 0 ? 2 : 0;
	t->straight = (struct prefix){ SRV3, 32 };
	c->no_translate = &t->straight;
	c->n_no_translate = (b & 8) != 0;
	c->fenceless = (b & 16) != 0;
	c->silent[b % 2] = (b & 32) != 0;
	c->has_host = (b & 64) != 0;
	if ((t->more & 1) != 0) {
		t->k.outside[2] = NAT2;
		t->k.outside[3] = kit_a6("2001:db8:f::2");
		c->n_outside = 4;
	}
	if ((t->more & 2) != 0)
		c->self[NAT_INSIDE][0] = addr_v4(10, 0, 0, 1);
	if ((t->more & 4) != 0)
		c->n_inside = 0;
	if ((t->more & 8) != 0)
		c->block_base = kit_a6("fd00:1::10");
	if ((t->more & 16) != 0)
		c->block_ports = 20000;
	t->judge = (b & 128) != 0 ? (uint8_t)(byte(t) | 1) : 0;
	if (t->judge != 0) {
		c->judge = judge;
		c->judge_ctx = t;
	}
	t->may_leak = c->fenceless || c->n_no_translate > 0 || t->judge != 0 || c->n_npt > 0 ||
		      c->has_host || c->n_inside == 0;
}

static void start(struct any *t)
{
	struct nat_config *c = &t->k.cfg;

	kit_init(&t->k);
	set_limits(t, c);
	set_behaviour(t, c);
	set_extras(t, c);
	c->notify = count_event;
	c->notify_ctx = t;
	c->key[0] = c->key[3] = byte(t);
	kit_start(&t->k);
}

/* ---- what must hold ------------------------------------------------------------------ */

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	printf("    # natany: %s\n", what);
	fflush(stdout);
	abort();
}

static void remember(struct any *t, const uint8_t *b, uint32_t len, enum nat_side to, bool sound)
{
	struct kpkt *p = &t->seen[t->n_seen % SEEN];

	t->is_sound[t->n_seen % SEEN] = sound;
	p->len = len;
	memcpy(p->b, b, len);
	t->to[t->n_seen++ % SEEN] = (uint8_t)to;
	t->n_left++;
}

static void check_left(struct any *t, const uint8_t *b, uint32_t len, enum nat_side to, bool sound)
{
	const char *wrong = sound && !t->is_forged ? kit_sound(b, len) : NULL;

	check(wrong == NULL, wrong);
	if (to == NAT_OUTSIDE && !t->may_leak && !t->is_forged)
		check(!addr_is_private(k_src(b)), "an inside source left");
	remember(t, b, len, to, sound);
}

/* Send it; @sound: what leaves must have right checksums */
static void send(struct any *t, enum nat_side from, const struct kpkt *p, bool sound)
{
	const struct nat_counters *n = nat_counters(t->k.nat);
	const struct nat_made *made;
	uint32_t n_made;

	if (kit_send(&t->k, from, p))
		check_left(t, t->k.out.b, t->k.out.len, (enum nat_side)t->k.p.to, sound);
	check(t->k.p.verdict != NAT_DROP || t->k.p.reason < N_NAT_REASONS, "a drop without reason");
	made = nat_made(t->k.nat, &n_made);
	for (uint32_t i = 0; i < n_made; i++)
		check_left(t, made[i].data, made[i].len, made[i].to, sound);
	check(n->flows <= t->k.cfg.max_flows, "more flows than there may be");
	check(n->bindings <= t->k.cfg.max_flows, "more bindings than there may be");
}

/* ---- what comes ---------------------------------------------------------------------- */

static struct addr inside_host(uint32_t b)
{
	static const char *const six[] = { "fd00:1::11", "fd00:1::12", "fd00:9::5", "fd00:1::13" };

	return (b & 4) == 0 ? addr_v4(10, 0, 0, (uint8_t)(11 + b % 4)) : kit_a6(six[b % 4]);
}

static struct addr outside_host(uint32_t b)
{
	static const char *const six[] = {
		"2001:db8:f::10", "2001:db8:f::11", "2001:db8:9::5", "2001:db8:f::1",
	};
	const struct addr four[] = { SRV1, SRV2, SRV3, NAT1 };

	return (b & 4) == 0 ? four[b % 4] : kit_a6(six[b % 4]);
}

/* Where a packet from outside goes: mostly to the NAT */
static struct addr to_us(uint32_t b)
{
	if ((b & 24) == 24)
		return inside_host(b);
	return (b & 4) == 0 ? NAT1 : kit_a6((b & 1) != 0 ? "2001:db8:9::5" : "2001:db8:f::1");
}

static struct kpkt *flow_packet(struct any *t, struct addr src, struct addr dst)
{
	static const uint8_t flags[] = { K_SYN, K_SYN, K_ACK, K_SYN | K_ACK, K_FIN | K_ACK, K_RST,
					 K_PSH | K_ACK, K_SYN | K_FIN };
	static const uint8_t types4[] = { 8, 0, 13, 14, 17, 5, 3, 42 };
	static const uint8_t types6[] = { 128, 129, 128, 1, 135, 2, 3, 200 };
	static const uint8_t protos[] = { 47, 50, 132, 33, 136, 2, 1, 58 };
	const uint32_t b = byte(t), ports = byte(t);
	const uint16_t sport = (uint16_t)(5000 + ports % 8);
	const uint16_t dport = (uint16_t)(5000 + ports / 8 % 8);

	switch (b % 6) {
	case 0:
	case 1:
		return k_udp(src, sport, dst, dport, b / 8);
	case 2:
	case 3:
		return k_tcp_data(src, sport, dst, dport, flags[b / 8 % 8], byte(t) * 100,
				  byte(t) * 100, ports & 64 ? 24 : 0);
	case 4:
		return k_icmp(src, dst, src.af == AF_V4 ? types4[b / 8 % 8] : types6[b / 8 % 8],
			      0, sport, 8);
	default:
		return k_proto(src, dst, protos[b / 8 % 8], 20);
	}
}

static struct kpkt *from_inside(struct any *t)
{
	const uint32_t b = byte(t);
	struct addr src = inside_host(b), dst = outside_host(b / 8);

	if (src.af != dst.af)
		dst = outside_host(b / 8 ^ 4);
	if (b == 255)
		src = addr_v4(192, 0, 2, 1);
	if (b == 254)
		dst = addr_v4(127, 0, 0, 1);
	return flow_packet(t, src, src.af == dst.af ? dst : SRV1);
}

static struct kpkt *from_outside(struct any *t)
{
	const uint32_t b = byte(t);
	struct addr dst = to_us(b), src = outside_host(b / 8);

	if (src.af != dst.af)
		src = outside_host(b / 8 ^ 4);
	return flow_packet(t, src, dst);
}

static void step_out(struct any *t)
{
	send(t, NAT_INSIDE, from_inside(t), true);
}

static void step_in(struct any *t)
{
	send(t, NAT_OUTSIDE, from_outside(t), true);
}

/* One of the last packets that left; NULL: none has */
static const struct kpkt *seen(struct any *t, uint32_t *ret_to)
{
	const uint32_t back = byte(t) % SEEN;

	if (back >= t->n_seen)
		return NULL;
	*ret_to = t->to[(t->n_seen - 1 - back) % SEEN];
	return &t->seen[(t->n_seen - 1 - back) % SEEN];
}

/* An answer to one, from where it went */
static void step_answer(struct any *t)
{
	uint32_t to = 0;
	const struct kpkt *p = seen(t, &to);
	const uint32_t b = byte(t);
	uint8_t proto;

	if (p == NULL || p->len < k_l4(p->b) + 8)
		return;
	proto = p->b[0] / 16 == 4 ? p->b[9] : p->b[6];
	if (proto == 6 && p->len >= k_l4(p->b) + 20) {
		static const uint8_t flags[] = { K_SYN | K_ACK, K_ACK, K_FIN | K_ACK, K_RST,
						 K_SYN, K_ACK, K_RST | K_ACK, 0 };

		send(t, (enum nat_side)to, k_tcp(k_dst(p->b), k_dport(p->b), k_src(p->b),
						 k_sport(p->b), flags[b % 8], b * 1000, b), true);
	} else if (proto == 17) {
		send(t, (enum nat_side)to, k_udp(k_dst(p->b), k_dport(p->b), k_src(p->b),
						 k_sport(p->b), b), true);
	} else if (proto == 1 || proto == 58) {
		send(t, (enum nat_side)to, k_icmp(k_dst(p->b), k_src(p->b), proto == 1 ? 0 : 129,
						  0, k_id(p->b), b), true);
	} else {
		send(t, (enum nat_side)to, k_proto(k_dst(p->b), k_src(p->b), proto, b), true);
	}
}

/* An ICMP error about one */
static void step_error(struct any *t)
{
	static const uint8_t types4[] = { 3, 11, 12, 4 }, types6[] = { 1, 2, 3, 4 };
	uint32_t to = 0;
	const struct kpkt *p = seen(t, &to);
	const uint32_t b = byte(t), n = byte(t);
	struct addr router;
	bool v4;

	if (p == NULL)
		return;
	v4 = p->b[0] / 16 == 4;
	router = to == NAT_INSIDE ? inside_host(v4 ? b % 4 : 4 + b % 4)
				  : outside_host(v4 ? b % 3 : 4 + b % 3);
	if ((b & 8) != 0)
		router = k_dst(p->b);
	send(t, (enum nat_side)to, k_error(router, k_src(p->b),
					   v4 ? types4[b / 16 % 4] : types6[b / 16 % 4],
					   (uint8_t)(b % 16), b % 2 == 0 ? 1280 : 0, p->b, p->len,
					   n < 16 ? n : 28 + n), true);
}

static void step_again(struct any *t)
{
	uint32_t to = 0;
	const struct kpkt *p = seen(t, &to);
	struct kpkt copy;

	if (p == NULL)
		return;
	copy = *p;
	send(t, byte(t) % 2 == 0 ? NAT_INSIDE : NAT_OUTSIDE, &copy, t->is_sound[p - t->seen]);
}

/* A datagram in pieces, some of them missing, twice, or over each other */
static void step_fragments(struct any *t)
{
	const uint32_t b = byte(t), size = 100 + 20 * byte(t), part = 8 + b % 16 * 48;
	const enum nat_side from = (b & 128) == 0 ? NAT_INSIDE : NAT_OUTSIDE;
	const struct addr src = from == NAT_INSIDE ? inside_host(b) : outside_host(b % 8 & 6);
	const struct addr dst = from == NAT_OUTSIDE ? to_us(b % 8) : outside_host(b & 4);
	struct kpkt whole;
	uint32_t off = 0;

	if (src.af != dst.af)
		return;
	whole = *k_udp(src, 5000, dst, 5001, size);
	while (off < size + 8) {
		const uint32_t n = MIN(part, size + 8 - off), how = byte(t);
		const struct kpkt *piece = k_fragment(&whole, off, n, off + n < size + 8);

		if (how % 8 != 1)
			send(t, from, piece, true);
		if (how % 8 == 2)
			send(t, from, piece, true);
		off += how % 8 == 3 && off > 0 ? 0 : n;
		if (how % 16 == 4)
			return;
	}
}

static void step_options(struct any *t)
{
	static const uint8_t options[][8] = {
		{ 7, 7, 4, 0, 0, 0, 0, 0 }, { 131, 7, 4, 1, 2, 3, 4, 0 }, { 1, 1, 1, 0 },
		{ 7, 3, 4, 1, 148, 4, 0, 0 }, { 68, 0, 1, 1 }, { 7, 7, 8, 10, 0, 0, 11, 0 },
		{ 7, 40, 4, 0 }, { 137, 3, 4, 0 },
	};
	const uint32_t b = byte(t);
	const struct kpkt *p = (b & 1) != 0 ? from_inside(t) : from_outside(t);

	if (p->b[0] / 16 == 4)
		send(t, (b & 1) != 0 ? NAT_INSIDE : NAT_OUTSIDE,
		     k_options(p, options[b / 2 % 8], 8), true);
}

/* SYN with TCP options */
static void step_syn(struct any *t)
{
	static const uint8_t options[][8] = {
		{ 2, 4, 5, 180, 3, 3, 7, 0 }, { 1, 2, 4, 5, 180, 1, 1, 0 },
		{ 3, 3, 20, 2, 4, 255, 255, 0 }, { 2, 0, 0, 0, 0, 0, 0, 0 },
		{ 8, 10, 0, 0, 0, 0, 0, 0 }, { 0, 2, 4, 5, 180, 0, 0, 0 },
	};
	const uint32_t b = byte(t);
	const bool out = (b & 1) != 0;
	struct kpkt *p = k_tcp_data(out ? IN1 : SRV1, (uint16_t)(5000 + b % 4), out ? SRV1 : NAT1,
				    (uint16_t)(5000 + b / 4 % 4), K_SYN, 1, 0, 8);

	memcpy(p->b + 40, options[b / 16 % 6], 8);
	p->b[32] = 7 * 16;
	k_fix(p);
	send(t, out ? NAT_INSIDE : NAT_OUTSIDE, p, true);
}

/* Changed somewhere, with right sums or without */
static void step_spoiled(struct any *t)
{
	const uint32_t b = byte(t);
	struct kpkt p = (b & 1) != 0 ? *from_inside(t) : *from_outside(t);
	uint32_t at, cut;

	at = byte(t) % MIN(p.len, 80u);
	p.b[at] = (uint8_t)byte(t);
	if ((b & 2) != 0 && p.b[0] / 16 == 4 && p.b[0] % 16 * 4u <= p.len)
		k_fix(&p);
	cut = (b & 4) != 0 ? byte(t) : 0;
	p.len -= MIN(cut, p.len - 1);
	send(t, (b & 1) != 0 ? NAT_INSIDE : NAT_OUTSIDE, &p, false);
}

/* Behind IPv6 extension headers */
static void step_headers(struct any *t)
{
	static const uint8_t kinds[] = { 0, 43, 60, 44 };
	const uint32_t b = byte(t), n = 1 + b / 4 % 9;
	const struct kpkt *p = (b & 1) != 0 ? from_inside(t) : from_outside(t);
	struct kpkt q = { .len = p->len + 8 * n };

	if (p->b[0] / 16 != 6)
		return;
	memcpy(q.b, p->b, 40);
	memset(q.b + 40, 0, 8 * n);
	memcpy(q.b + 40 + 8 * n, p->b + 40, p->len - 40);
	for (uint32_t i = 0; i < n; i++)
		q.b[i == 0 ? 6 : 32 + 8 * i] = kinds[(b / 32 + i) % 4];
	q.b[32 + 8 * n] = p->b[6];
	k_put16(q.b + 4, (uint16_t)(q.len - 40));
	send(t, (b & 1) != 0 ? NAT_INSIDE : NAT_OUTSIDE, &q, false);
}

/* As a host leaves it that lets others sum up and cut into segments */
static void step_offload(struct any *t)
{
	const uint32_t b = byte(t);
	struct kpkt *p = (b & 1) != 0 ? from_inside(t) : from_outside(t);
	struct nat_packet q = {
		.data = p->b, .len = p->len, .from = (b & 1) != 0 ? NAT_INSIDE : NAT_OUTSIDE,
		.flags = b / 2 % 4,
	};

	nat_batch(t->k.nat, t->k.now, &q, 1);
	check(q.verdict == NAT_DROP || q.len <= p->len, "longer than it came");
}

/* Some at once, so that what one changes is seen by those behind it */
static void step_batch(struct any *t)
{
	static struct kpkt many[6];
	struct nat_packet q[6];

	for (uint32_t i = 0; i < 6; i++) {
		const uint32_t b = byte(t);

		many[i] = (b & 1) != 0 ? *from_inside(t) : *from_outside(t);
		q[i] = (struct nat_packet){ .data = many[i].b, .len = many[i].len,
					    .from = (b & 1) != 0 ? NAT_INSIDE : NAT_OUTSIDE };
	}
	nat_batch(t->k.nat, t->k.now, q, 6);
	for (uint32_t i = 0; i < 6; i++)
		if (q[i].verdict == NAT_FORWARD)
			check_left(t, q[i].data, q[i].len, (enum nat_side)q[i].to, true);
}

static void step_time(struct any *t)
{
	static const double seconds[] = { 0.1, 1, 3, 7, 31, 61, 121, 250, 400, 8000 };

	kit_wait(&t->k, seconds[byte(t) % 10]);
}

/* A clock that runs back is not believed */
static void step_back(struct any *t)
{
		const uint64_t by = (uint64_t)byte(t) * 1000000000;

	t->k.now -= MIN(t->k.now - 1, by);
}

static void step_low_ttl(struct any *t)
{
	const uint32_t b = byte(t);
	struct kpkt *p = (b & 1) != 0 ? from_inside(t) : from_outside(t);

	p->b[p->b[0] / 16 == 4 ? 8 : 7] = b / 2 % 3;
	if (p->b[0] / 16 == 4 && (b & 64) != 0)
		p->b[6] = 0x40;
	k_fix(p);
	send(t, (b & 1) != 0 ? NAT_INSIDE : NAT_OUTSIDE, p, true);
}

static void step_long(struct any *t)
{
	static const uint8_t options[][8] = {
		{ 7, 7, 4, 0, 0, 0, 0, 0 }, { 148, 4, 0, 0, 1, 1, 0, 0 },
		{ 1, 68, 6, 5, 0, 0, 0, 1 }, { 130, 3, 1, 7, 3, 4, 1, 0 },
	};
	const uint32_t b = byte(t), n = 500 + 8 * byte(t);
	const bool out = (b & 1) != 0;
	struct kpkt *p = k_udp(out ? inside_host(b / 2) : SRV1, 5000, out ? SRV1 : NAT1,
			       (uint16_t)(5000 + b / 8 % 4), n);

	if (p->b[0] / 16 != 4 || (out && (b & 8) != 0))
		return;
	p->b[6] = (b & 64) != 0 ? 0x40 : 0;
	k_fix(p);
	if ((b & 128) != 0)
		p = k_options(p, options[b / 16 % 4], 8);
	send(t, out ? NAT_INSIDE : NAT_OUTSIDE, p, true);
}

/* Change a byte, and make the hash at the end right again (FNV-1a, as nat/save.c says) */
static void forge(struct kit_bytes *s, size_t at, uint8_t to)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	if (at + 8 >= s->len)
		return;
	s->b[at] = to;
	for (size_t i = 0; i < s->len - 8; i++)
		sum = (sum ^ s->b[i]) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < 8; i++)
		s->b[s->len - 8 + i] = (uint8_t)(sum >> (56 - 8 * i));
}

/* Saved and taken up by another, from bytes that may be damaged */
static void step_restart(struct any *t)
{
	static struct kit_bytes s;
	const uint32_t flows = nat_counters(t->k.nat)->flows, b = byte(t);
	uint32_t lost = 0;
	void *old = t->k.mem;
	int err;

	s.len = 0;
	check(nat_save(t->k.nat, kit_put, &s) == 0, "saving failed");
	if (b % 4 == 1)
		s.b[byte(t) % s.len] ^= 1u << b / 4 % 8;
	/* Somebody has written it who knows the form */
	t->is_forged |= b % 4 == 3;
	for (uint32_t i = 0; b % 4 == 3 && i < 4; i++)
		forge(&s, 16 + byte(t) * 5, (uint8_t)byte(t));
	kit_start(&t->k);
	free(old);
	err = nat_restore(t->k.nat, t->k.now, s.b, b % 8 == 2 ? s.len - 1 : s.len, &lost);
	check(err == 0 || b % 4 != 0, "what was saved is not taken up");
	if (err == 0)
		check(nat_counters(t->k.nat)->flows + lost >= flows ||
		      nat_counters(t->k.nat)->flows <= flows, "flows out of nowhere");
}

static void step_hold(struct any *t)
{
	const uint32_t b = byte(t);
	const struct nat_binding held = {
		.proto = b % 3 == 0 ? 17 : 6, .inside = inside_host(b), .in_port = 5000,
		.outside = (b & 8) != 0 ? SRV1 : (b & 4) == 0 ? NAT1 : kit_a6("2001:db8:f::1"),
		.out_port = (uint16_t)(5000 + b / 16 % 8),
	};

	const uint32_t before = nat_counters(t->k.nat)->held;
	const int err = nat_hold(t->k.nat, t->k.now, &held);

	check(err != 0 || nat_counters(t->k.nat)->held >= before, "a held port is not held");
}

/* What others ask, of all that there may be */
static void step_look(struct any *t)
{
	struct nat_flow f;
	struct nat_binding b;
	uint32_t n = 0, n_bindings = 0;

	for (uint32_t i = 0; i < nat_flow_slots(t->k.nat); i++)
		n += nat_flow_at(t->k.nat, i, &f);
	for (uint32_t i = 0; i < nat_binding_slots(t->k.nat); i++)
		n_bindings += nat_binding_at(t->k.nat, i, &b) && b.n_flows > 0;
	check(n <= nat_counters(t->k.nat)->flows, "flows that are not counted");
	check(n_bindings <= nat_counters(t->k.nat)->bindings, "bindings that are not counted");
}

static void (*const steps[])(struct any *t) = {
	step_out, step_out, step_out, step_out, step_in, step_in, step_answer, step_answer,
	step_answer, step_answer, step_error, step_error, step_again, step_fragments,
	step_options, step_syn, step_syn, step_spoiled, step_headers, step_time, step_time,
	step_back, step_low_ttl, step_long, step_restart, step_hold, step_look, step_offload,
	step_batch, step_batch,
};

uint32_t natany_run(const uint8_t *data, size_t len)
{
	static struct any t;

	memset(&t, 0, offsetof(struct any, seen));
	t.data = data;
	t.len = len;
	t.n_seen = t.n_left = 0;
	start(&t);
	while (t.len > 0)
		steps[byte(&t) % (sizeof(steps) / sizeof(steps[0]))](&t);
	kit_wait(&t.k, 700);
	kit_stop(&t.k);
	return t.n_left;
}
