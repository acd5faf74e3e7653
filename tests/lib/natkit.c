/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Builders return one of some buffers in turn, so that an expression may hold a
 * few packets at once.
 */
#include "natkit.h"

#include <stdlib.h>
#include <string.h>

#define BUFFERS	8

uint16_t k_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] * 256 + p[1]);
}

uint32_t k_get32(const uint8_t *p)
{
	return (uint32_t)k_get16(p) * 65536 + k_get16(p + 2);
}

void k_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v / 256);
	p[1] = (uint8_t)(v % 256);
}

void k_put32(uint8_t *p, uint32_t v)
{
	k_put16(p, (uint16_t)(v / 65536));
	k_put16(p + 2, (uint16_t)(v % 65536));
}

/* RFC 1071 as it is written there, byte by byte */
static uint16_t naive_sum(const uint8_t *p, uint32_t len, uint32_t start)
{
	uint32_t sum = start;

	for (uint32_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? p[i] * 256u : p[i];
		sum = sum % 65536 + sum / 65536;
	}
	return (uint16_t)(sum % 65536 + sum / 65536);
}

uint32_t k_l4(const uint8_t *ip)
{
	uint32_t at = 40;
	uint8_t next;

	if (ip[0] / 16 == 4)
		return ip[0] % 16 * 4u;
	for (next = ip[6]; next == 0 || next == 43 || next == 44 || next == 60; next = ip[at - 8]) {
		const uint32_t n = next == 44 ? 8 : (ip[at + 1] + 1u) * 8;

		if (n != 8)
			return at + n;
		at += 8;
	}
	return at;
}

static uint8_t proto_of(const uint8_t *ip)
{
	const uint32_t l4 = k_l4(ip);

	if (ip[0] / 16 == 4)
		return ip[9];
	return l4 == 40 ? ip[6] : ip[40];
}

static uint16_t pseudo(const uint8_t *ip, uint32_t l4_len)
{
	const bool v6 = ip[0] / 16 == 6;
	const uint16_t start = naive_sum(ip + (v6 ? 8 : 12), v6 ? 32 : 8, proto_of(ip));

	return naive_sum(NULL, 0, (uint32_t)start + l4_len);
}

/* Where the L4 checksum is, 0: nowhere */
static uint32_t check_at(uint8_t proto)
{
	return proto == 6 ? 16 : proto == 17 || proto == 136 || proto == 33 ? 6 :
	       proto == 1 || proto == 58 ? 2 : 0;
}

void k_fix(struct kpkt *p)
{
	const uint32_t l4 = k_l4(p->b), at = check_at(proto_of(p->b));
	const uint8_t proto = proto_of(p->b);
	const bool v4 = p->b[0] / 16 == 4;

	if (v4) {
		k_put16(p->b + 10, 0);
		k_put16(p->b + 10, (uint16_t)~naive_sum(p->b, l4, 0));
	}
	if (at == 0 || l4 + at + 2 > p->len || (v4 && k_get16(p->b + 6) % 0x4000 != 0))
		return;
	k_put16(p->b + l4 + at, 0);
	k_put16(p->b + l4 + at,
		(uint16_t)~naive_sum(p->b + l4, p->len - l4,
				     proto == 1 ? 0 : pseudo(p->b, p->len - l4)));
	if (proto == 17 && k_get16(p->b + l4 + at) == 0)
		k_put16(p->b + l4 + at, 0xffff);
}

static const char *sound_l4(const uint8_t *ip, uint32_t len)
{
	const uint32_t l4 = k_l4(ip);
	const uint8_t proto = proto_of(ip);

	if (check_at(proto) == 0)
		return NULL;
	if (proto == 17 && k_get16(ip + l4 + 6) == 0)
		return ip[0] / 16 == 6 ? "UDP without checksum over IPv6" : NULL;
	if (naive_sum(ip + l4, len - l4, proto == 1 ? 0 : pseudo(ip, len - l4)) != 0xffff)
		return "the L4 checksum is wrong";
	return NULL;
}

const char *kit_sound(const uint8_t *ip, uint32_t len)
{
	const bool v4 = ip[0] / 16 == 4;

	if (len < (v4 ? 20 : 40) || (!v4 && ip[0] / 16 != 6))
		return "no IP header";
	if ((v4 ? k_get16(ip + 2) : 40u + k_get16(ip + 4)) != len)
		return "the length is wrong";
	if (v4 && naive_sum(ip, k_l4(ip), 0) != 0xffff)
		return "the IP checksum is wrong";
	if (v4 && k_get16(ip + 6) % 0x4000 != 0)
		return NULL;		/* a fragment */
	if (!v4 && ip[6] == 44 && k_get16(ip + 42) / 8 * 8 + k_get16(ip + 42) % 2 != 0)
		return NULL;
	return sound_l4(ip, len);
}

/* ---- building --------------------------------------------------------------------- */

static struct kpkt *buffer(void)
{
	static struct kpkt all[BUFFERS];
	static unsigned int next;
	struct kpkt *p = &all[next++ % BUFFERS];

	memset(p->b, 0, 128);	/* headers; the rest is written by who fills it */
	return p;
}

static struct kpkt *build(struct addr src, struct addr dst, uint8_t proto, uint32_t l4_len)
{
	struct kpkt *p = buffer();
	const bool v4 = src.af == AF_V4;
	static uint16_t id = 0x4242;

	p->len = (v4 ? 20 : 40) + l4_len;
	memset(p->b, 0, p->len);
	if (v4) {
		p->b[0] = 0x45;
		k_put16(p->b + 2, (uint16_t)p->len);
		k_put16(p->b + 4, id++);
		p->b[8] = 64;
		p->b[9] = proto;
		addr_to_bytes(src, p->b + 12);
		addr_to_bytes(dst, p->b + 16);
	} else {
		p->b[0] = 0x60;
		k_put16(p->b + 4, (uint16_t)l4_len);
		p->b[6] = proto;
		p->b[7] = 64;
		addr_to_bytes(src, p->b + 8);
		addr_to_bytes(dst, p->b + 24);
	}
	return p;
}

static void fill(uint8_t *at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		at[i] = (uint8_t)(i * 7 + 1);
}

struct kpkt *k_udp(struct addr src, uint16_t sport, struct addr dst, uint16_t dport, uint32_t n)
{
	struct kpkt *p = build(src, dst, 17, 8 + n);
	uint8_t *u = p->b + k_l4(p->b);

	k_put16(u, sport);
	k_put16(u + 2, dport);
	k_put16(u + 4, (uint16_t)(8 + n));
	fill(u + 8, n);
	k_fix(p);
	return p;
}

struct kpkt *k_tcp_data(struct addr src, uint16_t sport, struct addr dst, uint16_t dport,
			uint8_t flags, uint32_t seq, uint32_t ack, uint32_t n)
{
	struct kpkt *p = build(src, dst, 6, 20 + n);
	uint8_t *t = p->b + k_l4(p->b);

	k_put16(t, sport);
	k_put16(t + 2, dport);
	k_put32(t + 4, seq);
	k_put32(t + 8, ack);
	t[12] = 5 * 16;
	t[13] = flags;
	k_put16(t + 14, 8192);
	fill(t + 20, n);
	k_fix(p);
	return p;
}

struct kpkt *k_tcp(struct addr src, uint16_t sport, struct addr dst, uint16_t dport,
		   uint8_t flags, uint32_t seq, uint32_t ack)
{
	return k_tcp_data(src, sport, dst, dport, flags, seq, ack, 0);
}

struct kpkt *k_icmp(struct addr src, struct addr dst, uint8_t type, uint8_t code, uint16_t id,
		    uint32_t n)
{
	struct kpkt *p = build(src, dst, src.af == AF_V4 ? 1 : 58, 8 + n);
	uint8_t *i = p->b + k_l4(p->b);

	i[0] = type;
	i[1] = code;
	k_put16(i + 4, id);
	k_put16(i + 6, 1);
	fill(i + 8, n);
	k_fix(p);
	return p;
}

struct kpkt *k_proto(struct addr src, struct addr dst, uint8_t proto, uint32_t n)
{
	struct kpkt *p = build(src, dst, proto, n);

	fill(p->b + k_l4(p->b), n);
	k_fix(p);
	return p;
}

struct kpkt *k_error(struct addr src, struct addr dst, uint8_t type, uint8_t code, uint32_t rest,
		     const uint8_t *about, uint32_t len, uint32_t n)
{
	const uint32_t quoted = n == 0 || n > len ? len : n;
	struct kpkt *p = build(src, dst, src.af == AF_V4 ? 1 : 58, 8 + quoted);
	uint8_t *i = p->b + k_l4(p->b);

	i[0] = type;
	i[1] = code;
	k_put32(i + 4, rest);
	memcpy(i + 8, about, quoted);
	k_fix(p);
	return p;
}

/* @n bytes of a packet from @at on; what it has no room for is 0 */
static void copy_part(uint8_t *to, const struct kpkt *whole, uint32_t at, uint32_t n)
{
	const uint32_t room = at < sizeof(whole->b) ? (uint32_t)sizeof(whole->b) - at : 0;

	memset(to, 0, n);
	memcpy(to, whole->b + MIN(at, (uint32_t)sizeof(whole->b)), MIN(n, room));
}

struct kpkt *k_fragment(const struct kpkt *whole, uint32_t off, uint32_t n, bool more)
{
	struct kpkt *p = buffer();
	const bool v4 = whole->b[0] / 16 == 4;
	const uint32_t head = v4 ? k_l4(whole->b) : 40;

	memcpy(p->b, whole->b, head);
	if (v4) {
		copy_part(p->b + head, whole, head + off, n);
		p->len = head + n;
		k_put16(p->b + 2, (uint16_t)p->len);
		k_put16(p->b + 6, (uint16_t)(off / 8 + (more ? 0x2000 : 0)));
		k_fix(p);
		return p;
	}
	p->b[40] = p->b[6];
	p->b[6] = 44;
	k_put16(p->b + 42, (uint16_t)(off + more));
	k_put32(p->b + 44, 0x12345678);
	copy_part(p->b + 48, whole, 40 + off, n);
	p->len = 48 + n;
	k_put16(p->b + 4, (uint16_t)(8 + n));
	return p;
}

struct kpkt *k_options(const struct kpkt *p, const uint8_t *o, uint32_t n)
{
	struct kpkt *q = buffer();

	memcpy(q->b, p->b, 20);
	memcpy(q->b + 20, o, n);
	memcpy(q->b + 20 + n, p->b + 20, p->len - 20);
	q->len = p->len + n;
	q->b[0] = (uint8_t)(0x45 + n / 4);
	k_put16(q->b + 2, (uint16_t)q->len);
	k_fix(q);
	return q;
}

/* ---- reading ------------------------------------------------------------------------- */

struct addr k_src(const uint8_t *ip)
{
	return ip[0] / 16 == 4 ? addr_from_bytes(AF_V4, ip + 12) : addr_from_bytes(AF_V6, ip + 8);
}

struct addr k_dst(const uint8_t *ip)
{
	return ip[0] / 16 == 4 ? addr_from_bytes(AF_V4, ip + 16) : addr_from_bytes(AF_V6, ip + 24);
}

uint16_t k_sport(const uint8_t *ip)
{
	return k_get16(ip + k_l4(ip));
}

uint16_t k_dport(const uint8_t *ip)
{
	return k_get16(ip + k_l4(ip) + 2);
}

uint16_t k_id(const uint8_t *ip)
{
	return k_get16(ip + k_l4(ip) + 4);
}

uint8_t k_type(const uint8_t *ip)
{
	return ip[k_l4(ip)];
}

uint8_t k_code(const uint8_t *ip)
{
	return ip[k_l4(ip) + 1];
}

uint8_t *k_quote(uint8_t *ip)
{
	return ip + k_l4(ip) + 8;
}

/* ---- the NAT -------------------------------------------------------------------------- */

struct addr kit_a6(const char *text)
{
	struct addr a = { AF_NONE, 0 };

	if (addr_parse(text, strlen(text), &a) != 0)
		exit(70);
	return a;
}

void kit_init(struct kit *k)
{
	memset(k, 0, sizeof(*k));
	nat_config_init(&k->cfg);
	k->cfg.max_flows = 4096;
	k->cfg.max_addr6 = 1024;
	k->inside[0] = (struct prefix){ addr_v4(10, 0, 0, 0), 24 };
	k->inside[1] = (struct prefix){ kit_a6("fd00:1::"), 64 };
	k->outside[0] = NAT1;
	k->outside[1] = kit_a6("2001:db8:f::1");
	k->cfg.inside = k->inside;
	k->cfg.n_inside = 2;
	k->cfg.outside = k->outside;
	k->cfg.n_outside = 2;
	for (int i = 0; i < 4; i++)
		k->cfg.key[i] = 0x9e3779b97f4a7c15u * (uint64_t)(i + 3);
	k->now = 1000000000;
}

void kit_start(struct kit *k)
{
	if (k->cfg.max_flows == 0)
		kit_init(k);
	k->mem = malloc(nat_bytes(&k->cfg));
	if (k->mem == NULL || nat_init(&k->cfg, k->mem, &k->nat) != 0)
		exit(70);
	nat_tick(k->nat, k->now);
}

void kit_stop(struct kit *k)
{
	free(k->mem);
	k->mem = NULL;
}

void kit_wait(struct kit *k, double seconds)
{
	const uint64_t end = k->now + (uint64_t)(seconds * 1e9);

	while (k->now < end) {
		k->now = MIN(end, k->now + 1000000000);
		while (nat_tick(k->nat, k->now))
			;
	}
	k->made = nat_made(k->nat, &k->n_made);
}

bool kit_send(struct kit *k, enum nat_side from, const struct kpkt *p)
{
	k->out.len = p->len;
	memcpy(k->out.b, p->b, p->len);
	k->p = (struct nat_packet){ .data = k->out.b, .len = p->len, .from = (uint8_t)from };
	nat_batch(k->nat, k->now, &k->p, 1);
	k->out.len = k->p.len;
	k->made = nat_made(k->nat, &k->n_made);
	return k->p.verdict == NAT_FORWARD;
}

int kit_put(void *ctx, const void *p, size_t len)
{
	struct kit_bytes *w = ctx;

	if (len > sizeof(w->b) - w->len)
		return -ENOSPC;
	memcpy(w->b + w->len, p, len);
	w->len += len;
	return 0;
}
