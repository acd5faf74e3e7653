/* SPDX-License-Identifier: BSD-2-Clause */
#include "port/lanes_flow.h"

#include <string.h>

#include "net/checksum.h"
#include "net/names.h"

#define HEADER4		20u
#define HEADER6		40u
#define L4_MADE		20u		/* of a packet made up: TCP's header, UDP's and some */
#define UDP_LEAST	8u
#define TCP_LEAST	20u
#define ACK		0x10u
#define SCALE_BYTES	4u		/* the option of a window's shift, and an end */

/* ---- flows ------------------------------------------------------------------------ */

static uint64_t difference(const uint32_t *old, const uint32_t *new, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += (uint64_t)(uint32_t)~old[i] + new[i];
	return sum;
}

static uint32_t fold32(uint64_t sum)
{
	sum = (sum & UINT32_MAX) + (sum >> 32);
	return (uint32_t)((sum & UINT32_MAX) + (sum >> 32));
}

static void put_addr(uint32_t *ret, struct addr a)
{
	uint8_t bytes[16] = { 0 };

	(void)addr_to_bytes(a, bytes);
	memcpy(ret, bytes, sizeof(bytes));
}

static uint32_t ports_of(uint16_t src, uint16_t dst)
{
	uint8_t bytes[4];
	uint32_t v;

	put16(bytes, src);
	put16(bytes + 2, dst);
	memcpy(&v, bytes, sizeof(v));
	return v;
}

/* As packets that leave have it, or those that answer them */
static void put_ends(const struct nat_ends *e, bool is_answer, uint32_t *src, uint32_t *dst,
		     uint32_t *ports)
{
	put_addr(src, is_answer ? e->dst : e->src);
	put_addr(dst, is_answer ? e->src : e->dst);
	*ports = is_answer ? ports_of(e->dport, e->sport) : ports_of(e->sport, e->dport);
}

void lanes_flow_lane(const struct nat_flow *f, enum nat_side side, struct lane *ret)
{
	const bool is_answer = side == NAT_OUTSIDE;
	const uint8_t hop[2] = { 1, 0 };
	uint16_t ttl;

	*ret = (struct lane){ .tag = f->proto };
	if (f->inside.src.af == AF_V6)
		ret->tag |= LANE_V6;
	put_ends(is_answer ? &f->outside : &f->inside, is_answer, ret->src, ret->dst, &ret->ports);
	put_ends(is_answer ? &f->inside : &f->outside, is_answer, ret->to_src, ret->to_dst,
		 &ret->to_ports);
	memcpy(&ttl, hop, sizeof(ttl));
	ret->d_addr = fold32(difference(ret->src, ret->to_src, 4) +
			     difference(ret->dst, ret->to_dst, 4));
	ret->d_ports = fold32(difference(&ret->ports, &ret->to_ports, 1));
	ret->d_ip = csum_fold((uint64_t)ret->d_addr + (uint16_t)~ttl);
	ret->id_slot = !is_answer && ret->src[0] != ret->to_src[0] ?
		       (uint16_t)((ret->to_dst[0] * 0x9e3779b1u >> 24) % LANE_IDS) : LANE_OLD_ID;
}

bool lanes_flow_is_v6(const struct lane *l)
{
	return (l->tag & LANE_V6) != 0;
}

static uint8_t proto_of(const struct lane *l)
{
	return (uint8_t)(l->tag & (LANE_V6 - 1));
}

bool lanes_flow_same(const struct lane *a, const struct lane *b)
{
	return (uint8_t)a->tag == (uint8_t)b->tag &&
	       memcmp(a, b, offsetof(struct lane, tag)) == 0;
}

bool lanes_flow_changes(const struct lane *l)
{
	return memcmp(l->src, l->to_src, sizeof(l->src)) != 0 ||
	       memcmp(l->dst, l->to_dst, sizeof(l->dst)) != 0 || l->ports != l->to_ports;
}

struct addr lanes_flow_dst(const struct lane *l)
{
	uint8_t bytes[16];

	memcpy(bytes, l->to_dst, sizeof(bytes));
	return addr_from_bytes(lanes_flow_is_v6(l) ? AF_V6 : AF_V4, bytes);
}

/* ---- packets ---------------------------------------------------------------------- */

static uint32_t header_of(const uint8_t *ip)
{
	return ip[0] >> 4 == 6 ? HEADER6 : HEADER4;
}

static uint8_t proto_at(const uint8_t *ip)
{
	return ip[0] >> 4 == 6 ? ip[6] : ip[9];
}

static void make_header4(const struct lane *l, uint32_t l4_bytes, uint8_t *ip)
{
	ip[0] = 0x45;
	put16(ip + 2, HEADER4 + l4_bytes);
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = proto_of(l);
	memcpy(ip + 12, l->src, 4);
	memcpy(ip + 16, l->dst, 4);
	put16(ip + 10, csum_of(ip, HEADER4, 0));
}

static void make_header6(const struct lane *l, uint32_t l4_bytes, uint8_t *ip)
{
	ip[0] = 0x60;
	put16(ip + 4, l4_bytes);
	ip[6] = proto_of(l);
	ip[7] = 64;
	memcpy(ip + 8, l->src, 16);
	memcpy(ip + 24, l->dst, 16);
}

/* Headers, and the ports; what else is of TCP or UDP is zero */
static uint8_t *make_headers(const struct lane *l, uint32_t l4_bytes, uint8_t *ret_ip)
{
	uint8_t *l4;

	memset(ret_ip, 0, LANES_MADE_BYTES);
	if (lanes_flow_is_v6(l))
		make_header6(l, l4_bytes, ret_ip);
	else
		make_header4(l, l4_bytes, ret_ip);
	l4 = ret_ip + header_of(ret_ip);
	memcpy(l4, &l->ports, 4);
	return l4;
}

static void make_tcp(const struct lane *l, uint32_t l4_bytes, uint8_t flags, uint8_t *l4)
{
	l4[12] = (uint8_t)(l4_bytes / 4 << 4);
	l4[13] = flags;
	memcpy(l4 + 8, &l->ack, 4);
	memcpy(l4 + 14, &l->win, 2);
}

uint32_t lanes_flow_greeting(const struct lane *l, uint8_t shift, uint8_t *ret_ip)
{
	const uint8_t scale[SCALE_BYTES] = { 3, 3, shift, 0 };
	uint8_t *l4 = make_headers(l, L4_MADE + SCALE_BYTES, ret_ip);

	make_tcp(l, L4_MADE + SCALE_BYTES, LANES_SYN | ACK, l4);
	memcpy(l4 + TCP_LEAST, scale, sizeof(scale));
	return header_of(ret_ip) + L4_MADE + SCALE_BYTES;
}

uint32_t lanes_flow_make(const struct lane *l, uint8_t *ret_ip)
{
	uint8_t *l4 = make_headers(l, L4_MADE, ret_ip);

	if (proto_of(l) == PROTO_UDP) {
		put16(l4 + 4, L4_MADE);
		put16(l4 + 6, lanes_flow_is_v6(l));	/* IPv6 must have some sum */
	} else {
		/* Without an ACK what it acknowledges is not looked at */
		make_tcp(l, L4_MADE, l->packets == 0 ? 0 :
			 (uint8_t)(ACK | (l->is_over ? LANES_FIN : 0)), l4);
	}
	return header_of(ret_ip) + L4_MADE;
}

bool lanes_flow_made(const struct lane *l, const uint8_t *ip, uint32_t len)
{
	struct lane as = { .tag = 0 };
	struct lane to = { .tag = (uint8_t)l->tag, .ports = l->to_ports };

	if (len != header_of(ip) + L4_MADE)
		return false;
	memcpy(to.src, l->to_src, sizeof(to.src));
	memcpy(to.dst, l->to_dst, sizeof(to.dst));
	lanes_flow_key(ip, &as);
	return lanes_flow_same(&as, &to);
}

void lanes_flow_key(const uint8_t *ip, struct lane *ret)
{
	const bool is_v6 = ip[0] >> 4 == 6;
	const uint8_t *at = ip + (is_v6 ? 8 : 12);
	const size_t n = is_v6 ? 16 : 4;

	*ret = (struct lane){ .tag = proto_at(ip) | (is_v6 ? LANE_V6 : 0) };
	memcpy(ret->src, at, n);
	memcpy(ret->dst, at + n, n);
	memcpy(&ret->ports, at + 2 * n, 4);
}

bool lanes_flow_is_simple(const uint8_t *ip, uint32_t len)
{
	const uint32_t l4 = len > 0 ? header_of(ip) : 0;
	uint8_t proto;

	if (len < l4 + UDP_LEAST)
		return false;
	if (l4 == HEADER4 && (ip[0] != 0x45 || (get16(ip + 6) & 0x3fff) != 0))
		return false;
	proto = proto_at(ip);
	return proto == PROTO_UDP || (proto == PROTO_TCP && len >= l4 + TCP_LEAST);
}

uint8_t lanes_flow_turn(const uint8_t *ip, uint32_t len)
{
	if (!lanes_flow_is_simple(ip, len) || proto_at(ip) != PROTO_TCP)
		return 0;
	return ip[header_of(ip) + 13] & (LANES_SYN | LANES_FIN | LANES_RST);
}
