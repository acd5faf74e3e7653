/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A packet that stands for several is cut as the kernel's own GSO does it: each
 * gets the headers, its part of the payload, lengths, IPv4 ids that count up,
 * sequence numbers; FIN and PSH belong to the last, CWR to the first.  Checksums
 * are summed from the bytes, not taken over: a sum that is wrong inside stays
 * unseen otherwise.
 */
#include "port/offload.h"

#include <string.h>

#include "net/checksum.h"

#define IP4_MIN		20u
#define IP6_BYTES	40u
#define TCP_MIN		20u
#define UDP_BYTES	8u
#define PROTO_TCP	6u
#define PROTO_UDP	17u
#define TCP_CSUM	16u
#define UDP_CSUM	6u
#define TCP_FIN_PSH	0x09u
#define TCP_CWR		0x80u

static bool is_v4(const uint8_t *ip)
{
	return ip[0] >> 4 == 4;
}

/* TCP or UDP by where its checksum stands; the kernel leaves no others undone but SCTP's CRC */
static uint8_t proto_of(const struct io_offload *o)
{
	return o->csum_offset == TCP_CSUM ? PROTO_TCP : o->csum_offset == UDP_CSUM ? PROTO_UDP : 0;
}

/* Length by the IP header, at most what is there; 0: no IP packet */
static uint32_t ip_bytes(const struct io_packet *p)
{
	uint32_t len;

	if (p->len < IP4_MIN)
		return 0;
	if (is_v4(p->data))
		len = get16(p->data + 2);
	else if (p->len >= IP6_BYTES)
		len = IP6_BYTES + get16(p->data + 4);
	else
		return 0;
	return len <= p->len ? len : 0;
}

/* Is there room for the checksum where the note says it is */
static bool is_sane(const struct io_packet *p, uint32_t len)
{
	const uint32_t least = is_v4(p->data) ? IP4_MIN : IP6_BYTES;

	return p->off.csum_start >= least && proto_of(&p->off) != 0 &&
	       (uint32_t)p->off.csum_start + p->off.csum_offset + 2 <= len;
}

int offload_complete(struct io_packet *p)
{
	const uint32_t len = ip_bytes(p), start = p->off.csum_start;
	uint8_t *field;
	uint16_t sum;

	if (!p->off.is_partial)
		return 0;
	if (len == 0 || !is_sane(p, len))
		return -EBADMSG;
	field = p->data + start + p->off.csum_offset;
	put16(field, 0);
	sum = csum_of(p->data + start, len - start,
		      csum_pseudo(p->data, proto_of(&p->off), len - start));
	/* For UDP 0 would say that there is none; for TCP both are the same */
	put16(field, sum == 0 ? 0xffff : sum);
	p->off.is_partial = false;
	return 0;
}

void io_offload_renew(struct io_packet *p)
{
	const uint32_t len = ip_bytes(p), start = p->off.csum_start;

	if (!p->off.is_partial || len == 0 || !is_sane(p, len))
		return;
	put16(p->data + start + p->off.csum_offset,
	      csum_fold(csum_pseudo(p->data, proto_of(&p->off), len - start)));
}

int offload_cut_begin(struct offload_cut *c, const struct io_packet *p)
{
	const uint32_t len = ip_bytes(p);
	const bool is_udp = p->off.gso == IO_GSO_UDP;

	if (len == 0 || !p->off.is_partial || p->off.gso_bytes == 0 || !is_sane(p, len) ||
	    proto_of(&p->off) != (is_udp ? PROTO_UDP : PROTO_TCP))
		return -EBADMSG;
	c->p = p;
	c->l4 = p->off.csum_start;
	if (len < c->l4 + (is_udp ? UDP_BYTES : TCP_MIN))
		return -EBADMSG;
	c->payload = c->l4 + (is_udp ? UDP_BYTES : (uint32_t)(p->data[c->l4 + 12] >> 4) * 4);
	c->done = 0;
	if (c->payload >= len || (!is_udp && c->payload < c->l4 + TCP_MIN))
		return -EBADMSG;
	return 0;
}

/* Lengths and counters of the IP header of packet number @i */
static void fix_ip(uint8_t *out, uint32_t len, uint32_t i)
{
	uint32_t header;

	if (!is_v4(out)) {
		put16(out + 4, (uint16_t)(len - IP6_BYTES));
		return;
	}
	header = (uint32_t)(out[0] & 0xf) * 4;
	put16(out + 2, (uint16_t)len);
	put16(out + 4, (uint16_t)(get16(out + 4) + i));
	put16(out + 10, 0);
	put16(out + 10, csum_of(out, header, 0));
}

static void fix_tcp(const struct offload_cut *c, uint8_t *tcp, bool is_last)
{
	put32(tcp + 4, get32(tcp + 4) + c->done);
	if (!is_last)
		tcp[13] &= (uint8_t)~TCP_FIN_PSH;
	if (c->done > 0 && c->p->off.has_ecn)
		tcp[13] &= (uint8_t)~TCP_CWR;
}

bool offload_cut_next(struct offload_cut *c, uint8_t *out, struct io_packet *ret)
{
	const uint32_t all = ip_bytes(c->p) - c->payload, left = all - c->done;
	const uint32_t n = MIN(left, c->p->off.gso_bytes), len = c->payload + n;

	if (left == 0)
		return false;
	memcpy(out, c->p->data, c->payload);
	memcpy(out + c->payload, c->p->data + c->payload + c->done, n);
	fix_ip(out, len, c->done / c->p->off.gso_bytes);
	if (c->p->off.gso == IO_GSO_UDP)
		put16(out + c->l4 + 4, (uint16_t)(len - c->l4));
	else
		fix_tcp(c, out + c->l4, n == left);
	*ret = *c->p;
	ret->data = out;
	ret->len = len;
	ret->off.gso = IO_GSO_NONE;
	c->done += n;
	return offload_complete(ret) == 0;
}

uint32_t io_wire_bytes(const struct io_packet *p)
{
	const uint32_t len = ip_bytes(p);
	struct offload_cut c;

	if (p->off.gso == IO_GSO_NONE || offload_cut_begin(&c, p) < 0)
		return len != 0 ? len : p->len;
	return MIN(len, c.payload + p->off.gso_bytes);
}

int offload_from_vnet(const struct virtio_net_hdr *h, uint32_t l2, struct io_offload *ret)
{
	static const struct { uint8_t type, gso; } kinds[] = {
		{ VIRTIO_NET_HDR_GSO_NONE, IO_GSO_NONE },
		{ VIRTIO_NET_HDR_GSO_TCPV4, IO_GSO_TCP4 },
		{ VIRTIO_NET_HDR_GSO_TCPV6, IO_GSO_TCP6 },
		{ VIRTIO_NET_HDR_GSO_UDP_L4, IO_GSO_UDP },
	};
	const uint8_t type = h->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	struct io_offload o = { .has_ecn = (h->gso_type & VIRTIO_NET_HDR_GSO_ECN) != 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds) && kinds[i].type != type; i++)
		;
	if (i == ARRAY_SIZE(kinds))
		return -EBADMSG;
	o.gso = kinds[i].gso;
	o.gso_bytes = h->gso_size;
	if ((h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0) {
		if (h->csum_start < l2)
			return -EBADMSG;
		o.is_partial = true;
		o.csum_start = (uint16_t)(h->csum_start - l2);
		o.csum_offset = h->csum_offset;
	}
	*ret = o;
	return 0;
}

void offload_to_vnet(const struct io_packet *p, uint32_t l2, struct virtio_net_hdr *ret)
{
	static const uint8_t types[] = {
		[IO_GSO_NONE] = VIRTIO_NET_HDR_GSO_NONE, [IO_GSO_TCP4] = VIRTIO_NET_HDR_GSO_TCPV4,
		[IO_GSO_TCP6] = VIRTIO_NET_HDR_GSO_TCPV6,
		[IO_GSO_UDP] = VIRTIO_NET_HDR_GSO_UDP_L4,
	};
	struct offload_cut c;

	*ret = (struct virtio_net_hdr){ 0 };
	if (p->off.is_partial) {
		ret->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		ret->csum_start = (uint16_t)(p->off.csum_start + l2);
		ret->csum_offset = p->off.csum_offset;
	}
	if (p->off.gso == IO_GSO_NONE || offload_cut_begin(&c, p) < 0)
		return;
	ret->gso_type = types[p->off.gso] | (p->off.has_ecn ? VIRTIO_NET_HDR_GSO_ECN : 0);
	ret->gso_size = p->off.gso_bytes;
	ret->hdr_len = (uint16_t)(c.payload + l2);
}
