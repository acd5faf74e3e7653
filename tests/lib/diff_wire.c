/* SPDX-License-Identifier: BSD-2-Clause */
#include "diff_wire.h"

#include <netinet/ip.h>
#include <string.h>

#define NOPS	4u	/* bytes of options that say nothing */
#define MAGIC	0x53414c59u	/* before the number in a payload */

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
	for (; len > 1; p += 2, len -= 2)
		sum += get16(p);
	return len > 0 ? sum + (uint32_t)(p[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void wire_set_heads(struct packet *p)
{
	p->heads[HEAD_TTL] = p->dir == DIR_OUT && p->recv != 0 ? WIRE_TTL - 1 : WIRE_TTL;
}

uint32_t wire_next_seq(const struct wire *w)
{
	return w->seq + (w->p.tcp_flags & TCP_FLAG_SYN ? 1 : 0) +
	       (w->p.tcp_flags & TCP_FLAG_FIN ? 1 : 0) + WIRE_DATA_BYTES;
}

static bool is_icmp(uint8_t proto)
{
	return proto == PROTO_ICMP || proto == PROTO_ICMP6;
}

static size_t put_tcp(const struct wire *w, uint8_t *out)
{
	put16(out, w->p.sport);
	put16(out + 2, w->p.dport);
	put32(out + 4, w->seq);
	put32(out + 8, w->ack);
	out[12] = 5 << 4;
	out[13] = w->p.tcp_flags;
	put16(out + 14, 65535);
	return 20;
}

static size_t put_icmp(const struct wire *w, uint8_t *out)
{
	out[0] = w->p.icmp_type;
	out[1] = w->p.icmp_code;
	if (packet_icmp_is_query(&w->p))
		put16(out + 4, w->p.sport);
	return 8;
}

static size_t put_header(const struct wire *w, uint8_t *out)
{
	if (w->p.proto == PROTO_TCP)
		return put_tcp(w, out);
	if (is_icmp(w->p.proto))
		return put_icmp(w, out);
	if (w->p.proto != PROTO_UDP)
		return 0;
	put16(out, w->p.sport);
	put16(out + 2, w->p.dport);
	put16(out + 4, 8 + WIRE_DATA_BYTES);
	return 8;
}

/* Where the checksum stands in the upper header; 0: there is none */
static size_t checksum_at(uint8_t proto)
{
	return proto == PROTO_TCP ? 16 : proto == PROTO_UDP ? 6 : is_icmp(proto) ? 2 : 0;
}

static void put_checksum(const struct wire *w, uint8_t *l4, size_t len)
{
	const size_t at = checksum_at(w->p.proto);
	uint8_t bytes[16];
	uint32_t sum = 0;

	if (at == 0)
		return;
	if (w->p.proto != PROTO_ICMP) {
		const size_t n = addr_to_bytes(w->p.src, bytes);

		sum = sum16(sum, bytes, n);
		addr_to_bytes(w->p.dst, bytes);
		sum = sum16(sum, bytes, n) + (uint32_t)len + w->p.proto;
	}
	put16(l4 + at, fold(sum16(sum, l4, len)));
}

static size_t put_ip(const struct wire *w, size_t l4_len, uint8_t *out)
{
	const size_t head = 20 + (w->p.has_opts ? NOPS : 0);

	if (w->p.src.af == AF_V6) {
		out[0] = 0x60 | w->p.tos >> 4;
		out[1] = (uint8_t)(w->p.tos << 4);
		put16(out + 4, (uint32_t)l4_len);
		out[6] = w->p.proto;
		out[7] = WIRE_TTL;
		addr_to_bytes(w->p.src, out + 8);
		addr_to_bytes(w->p.dst, out + 24);
		return 40;
	}
	out[0] = (uint8_t)(0x40 | head / 4);
	out[1] = w->p.tos;
	put16(out + 2, (uint32_t)(l4_len + head));
	put16(out + 4, w->id);
	out[8] = WIRE_TTL;
	out[9] = w->p.proto;
	addr_to_bytes(w->p.src, out + 12);
	addr_to_bytes(w->p.dst, out + 16);
	memset(out + 20, IPOPT_NOP, head - 20);
	put16(out + 10, fold(sum16(0, out, head)));
	return head;
}

size_t wire_build(const struct wire *w, const uint8_t *inner, size_t inner_len, uint8_t *out)
{
	uint8_t l4[WIRE_BYTES - 40] = { 0 };
	size_t len = put_header(w, l4), head;

	BUG_IF(inner_len > 512);
	if (inner != NULL) {
		memcpy(l4 + len, inner, inner_len);
		len += inner_len;
	} else {
		put32(l4 + len, MAGIC);
		put32(l4 + len + 4, w->id);
		len += WIRE_DATA_BYTES;
	}
	put_checksum(w, l4, len);
	memset(out, 0, 60);
	head = put_ip(w, len, out);
	memcpy(out + head, l4, len);
	return head + len;
}

static void get_id(const uint8_t *data, size_t len, struct wire *w)
{
	if (len >= WIRE_DATA_BYTES && get32(data) == MAGIC)
		w->id = get32(data + 4);
}

/* The upper header, as far as it is there; its length */
static size_t get_header(const uint8_t *l4, size_t len, struct wire *w)
{
	struct packet *p = &w->p;

	if (proto_has_ports(p->proto) && len >= 4) {
		p->sport = get16(l4);
		p->dport = get16(l4 + 2);
	}
	if (p->proto == PROTO_TCP && len >= 20) {
		w->seq = get32(l4 + 4);
		w->ack = get32(l4 + 8);
		p->tcp_flags = l4[13];
		return MIN(len, (size_t)(l4[12] >> 4) * 4);
	}
	if (is_icmp(p->proto) && len >= 8) {
		p->icmp_type = l4[0];
		p->icmp_code = l4[1];
		if (packet_icmp_is_query(p))
			p->sport = p->dport = get16(l4 + 4);
		return 8;
	}
	return p->proto == PROTO_UDP && len >= 8 ? 8 : 0;
}

static bool is_error(const struct packet *p)
{
	static const uint8_t types[] = { 3, 4, 5, 11, 12 };

	if (p->proto == PROTO_ICMP6)
		return p->icmp_type >= 1 && p->icmp_type <= 4;
	return p->proto == PROTO_ICMP && memchr(types, p->icmp_type, sizeof(types)) != NULL;
}

/* An IP packet; where its upper header's data start and end, NULL if it is cut */
static const uint8_t *get_packet(const uint8_t *data, size_t len, struct wire *w, size_t *ret_len)
{
	size_t head;

	memset(w, 0, sizeof(*w));
	if (len < 20 || (data[0] >> 4 == 6 && len < 40))
		return NULL;
	if (data[0] >> 4 == 6) {
		head = 40;
		w->p.proto = data[6];
		w->p.src = addr_from_bytes(AF_V6, data + 8);
		w->p.dst = addr_from_bytes(AF_V6, data + 24);
	} else {
		head = (size_t)(data[0] & 15) * 4;
		w->p.proto = data[9];
		w->p.src = addr_from_bytes(AF_V4, data + 12);
		w->p.dst = addr_from_bytes(AF_V4, data + 16);
	}
	if (head > len)
		return NULL;
	head += get_header(data + head, len - head, w);
	*ret_len = len - head;
	return data + head;
}

bool wire_parse(const uint8_t *data, size_t len, struct wire_seen *ret)
{
	size_t left = 0;
	const uint8_t *rest;

	memset(ret, 0, sizeof(*ret));
	rest = get_packet(data, len, &ret->w, &left);
	if (rest == NULL)
		return false;
	get_id(rest, left, &ret->w);
	if (!is_error(&ret->w.p) || ret->w.id != 0)
		return true;
	rest = get_packet(rest, left, &ret->inner, &left);
	ret->has_inner = rest != NULL;
	if (ret->has_inner)
		get_id(rest, left, &ret->inner);
	return true;
}
