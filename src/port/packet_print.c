/* SPDX-License-Identifier: BSD-2-Clause */
#include <netinet/in.h>

#include "net/addr.h"
#include "net/names.h"
#include "port/nflog.h"

/**
 * struct view - A packet while it is printed
 * @af:		AF_V4 or AF_V6
 * @proto:	Protocol
 * @src:	Source
 * @dst:	Destination
 * @p:		What follows the IP header, as far as it is there
 * @have:	How much of it, bytes
 * @len:	How much there was, bytes
 * @frag:	Offset of a fragment that is not the first, bytes
 */
struct view {
	uint8_t af;
	uint8_t proto;
	struct addr src;
	struct addr dst;
	const uint8_t *p;
	size_t have;
	size_t len;
	uint32_t frag;
};

static uint16_t wire16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t wire32(const uint8_t *p)
{
	return (uint32_t)wire16(p) << 16 | wire16(p + 2);
}

static bool view_v4(const uint8_t *d, size_t have, struct view *v)
{
	const size_t header = (d[0] & 0x0fu) * 4u;
	size_t total;

	if (have < 20 || header < 20 || header > have)
		return false;
	total = wire16(d + 2);
	v->af = AF_V4;
	v->proto = d[9];
	v->src = addr_from_bytes(AF_V4, d + 12);
	v->dst = addr_from_bytes(AF_V4, d + 16);
	v->p = d + header;
	v->have = have - header;
	v->len = total > header ? total - header : v->have;
	v->frag = (wire16(d + 6) & 0x1fffu) * 8u;
	return true;
}

/* Extension headers that only stand before the rest */
static bool is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS;
}

static bool view_v6(const uint8_t *d, size_t have, struct view *v)
{
	if (have < 40)
		return false;
	v->af = AF_V6;
	v->proto = d[6];
	v->src = addr_from_bytes(AF_V6, d + 8);
	v->dst = addr_from_bytes(AF_V6, d + 24);
	v->p = d + 40;
	v->have = have - 40;
	v->len = wire16(d + 4) != 0 ? wire16(d + 4) : v->have;
	while (is_extension(v->proto) && v->have >= 8) {
		const size_t n = (v->p[1] + 1u) * 8u;

		if (n > v->have || n > v->len)
			break;
		v->proto = v->p[0];
		v->p += n;
		v->have -= n;
		v->len -= n;
	}
	return true;
}

static void print_ends(const struct view *v, bool has_ports, FILE *out)
{
	char src[ADDR_TEXT_BYTES], dst[ADDR_TEXT_BYTES];

	addr_print(v->src, src);
	addr_print(v->dst, dst);
	fputs(v->af == AF_V4 ? "IP " : "IP6 ", out);
	if (has_ports)
		fprintf(out, "%s.%u > %s.%u: ", src, wire16(v->p), dst, wire16(v->p + 2));
	else
		fprintf(out, "%s > %s: ", src, dst);
}

static void print_tcp(const struct view *v, FILE *out)
{
	static const struct { uint8_t bit; char c; } flags[] = {
		{ 0x02, 'S' }, { 0x01, 'F' }, { 0x04, 'R' }, { 0x08, 'P' }, { 0x20, 'U' },
		{ 0x40, 'E' }, { 0x80, 'W' }, { 0x10, '.' },
	};
	const size_t header = (v->p[12] >> 4) * 4u;
	const size_t data = v->len > header ? v->len - header : 0;
	bool any = false;

	fputs("Flags [", out);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if ((v->p[13] & flags[i].bit) != 0) {
			putc(flags[i].c, out);
			any = true;
		}
	}
	fprintf(out, "%s], seq %u", any ? "" : "none", wire32(v->p + 4));
	if (data > 0)
		fprintf(out, ":%u", wire32(v->p + 4) + (uint32_t)data);
	if ((v->p[13] & 0x10) != 0)
		fprintf(out, ", ack %u", wire32(v->p + 8));
	fprintf(out, ", win %u, length %zu", wire16(v->p + 14), data);
}

static void print_udp(const struct view *v, FILE *out)
{
	const uint16_t len = wire16(v->p + 4);

	fprintf(out, "UDP, length %d", len >= 8 ? len - 8 : 0);
}

static void print_icmp(const struct view *v, FILE *out)
{
	const bool is_v4 = v->proto == IPPROTO_ICMP;
	const uint8_t type = v->p[0], request = is_v4 ? 8 : 128, reply = is_v4 ? 0 : 129;

	fputs(is_v4 ? "ICMP" : "ICMP6", out);
	if (type == request || type == reply)
		fprintf(out, " echo %s, id %u, seq %u", type == request ? "request" : "reply",
			wire16(v->p + 4), wire16(v->p + 6));
	else
		fprintf(out, " type %u code %u", type, v->p[1]);
	fprintf(out, ", length %zu", v->len);
}

static const struct {
	uint8_t proto;
	size_t bytes;		/* that must be there */
	bool has_ports;
	void (*print)(const struct view *v, FILE *out);
} protos[] = {
	{ IPPROTO_TCP, 20, true, print_tcp },
	{ IPPROTO_UDP, 8, true, print_udp },
	{ IPPROTO_ICMP, 8, false, print_icmp },
	{ IPPROTO_ICMPV6, 8, false, print_icmp },
};

static void print_payload(const struct view *v, FILE *out)
{
	const char *name = proto_name(v->proto);

	for (size_t i = 0; i < ARRAY_SIZE(protos) && v->frag == 0; i++) {
		if (protos[i].proto != v->proto || v->have < protos[i].bytes)
			continue;
		print_ends(v, protos[i].has_ports, out);
		protos[i].print(v, out);
		return;
	}
	print_ends(v, false, out);
	if (v->frag != 0)
		fprintf(out, "fragment at %u, ", v->frag);
	fprintf(out, "%s (%u), length %zu", name != NULL ? name : "protocol", v->proto, v->len);
}

void packet_print(const uint8_t *data, size_t len, FILE *out)
{
	struct view v = { .af = AF_NONE };
	bool ok = false;

	if (len > 0 && data[0] >> 4 == 4)
		ok = view_v4(data, len, &v);
	else if (len > 0 && data[0] >> 4 == 6)
		ok = view_v6(data, len, &v);
	if (!ok) {
		fprintf(out, "[%zu bytes that are no whole IP header]", len);
		return;
	}
	print_payload(&v, out);
	if (v.have < v.len)
		fprintf(out, " [%zu bytes cut off]", v.len - v.have);
}
