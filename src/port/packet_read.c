/* SPDX-License-Identifier: BSD-2-Clause */
#include "port/packet_read.h"

#include "net/wire.h"

#define IP6_HEADERS_MAX	8u	/* extension headers of one packet */
#define IP4_OFFSET	0x1fffu	/* of a fragment, in units of 8 bytes */
#define IP6_OFFSET	0xfff8u

static const char cut_off[] = "cut off";
static const char fragment[] = "a fragment behind the first";

/* Options that rules ask for; what does nothing or ends them is one byte */
static void read_options(const uint8_t *o, uint32_t len, struct packet *p)
{
	static const struct { uint8_t type; uint8_t bit; } known[] = {
		{ 131, IP_OPTION_LSRR }, { 137, IP_OPTION_SSRR }, { 7, IP_OPTION_RR },
	};

	p->has_opts = len > 0;
	for (uint32_t i = 0; i < len && o[i] != 0;) {
		for (size_t k = 0; k < ARRAY_SIZE(known); k++)
			if (o[i] == known[k].type)
				p->ip_opts |= known[k].bit;
		if (o[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= len || o[i + 1] < 2)
			return;
		i += o[i + 1];
	}
}

static const char *read_icmp(const uint8_t *l4, uint32_t len, struct packet *p)
{
	if (len < 8)
		return cut_off;
	p->icmp_type = l4[0];
	p->icmp_code = l4[1];
	if (packet_icmp_is_query(p))
		p->sport = p->dport = get16(l4 + 4);
	return NULL;
}

static const char *read_transport(const uint8_t *l4, uint32_t len, struct packet *p)
{
	if (p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6)
		return read_icmp(l4, len, p);
	if (!proto_has_ports(p->proto))
		return NULL;
	if (len < (p->proto == PROTO_TCP ? 20 : 4))
		return cut_off;
	p->sport = get16(l4);
	p->dport = get16(l4 + 2);
	if (p->proto != PROTO_TCP)
		return NULL;
	p->tcp_flags = l4[13];
	p->heads[HEAD_SEQ] = get32(l4 + 4);
	p->heads[HEAD_ACK] = get32(l4 + 8);
	p->heads[HEAD_WIN] = get16(l4 + 14);
	return NULL;
}

static const char *read_ip4(const uint8_t *ip, uint32_t len, struct packet *p)
{
	const uint32_t head = (ip[0] & 0xfu) * 4;
	const uint32_t total = len >= 20 ? get16(ip + 2) : 0;

	if (head < 20 || len < head || total < head)
		return cut_off;
	p->src = (struct addr){ AF_V4, get32(ip + 12) };
	p->dst = (struct addr){ AF_V4, get32(ip + 16) };
	p->proto = ip[9];
	p->tos = ip[1];
	p->heads[HEAD_TTL] = ip[8];
	p->heads[HEAD_LEN] = total;
	p->heads[HEAD_ID] = get16(ip + 4);
	read_options(ip + 20, head - 20, p);
	if ((get16(ip + 6) & IP4_OFFSET) != 0)
		return fragment;
	return read_transport(ip + head, MIN(len, total) - head, p);
}

/* The header behind the extension headers; *@at becomes where it is */
static const char *skip_headers(const uint8_t *ip, uint32_t len, uint8_t *next, uint32_t *at,
				struct packet *p)
{
	static const uint8_t sized[] = { 0, 43, 60, 135 };	/* length in units of 8 bytes */

	for (uint32_t n = 0; n < IP6_HEADERS_MAX; n++) {
		const uint8_t *h = ip + *at;
		bool is_sized = false;

		for (size_t i = 0; i < ARRAY_SIZE(sized); i++)
			is_sized |= *next == sized[i];
		if (!is_sized && *next != 44)
			return NULL;
		if (len < *at + 8)
			return cut_off;
		p->has_opts |= *next == 43;
		if (*next == 44 && (get16(h + 2) & IP6_OFFSET) != 0)
			return fragment;
		*at += *next == 44 ? 8 : 8 * (h[1] + 1u);
		*next = h[0];
		if (*at > len)
			return cut_off;
	}
	return "too many extension headers";
}

static const char *read_ip6(const uint8_t *ip, uint32_t len, struct packet *p)
{
	const char *wrong;
	uint32_t at = 40;

	if (len < at)
		return cut_off;
	p->src = addr_from_bytes(AF_V6, ip + 8);
	p->dst = addr_from_bytes(AF_V6, ip + 24);
	p->tos = (uint8_t)(get32(ip) >> 20);
	p->heads[HEAD_FLOWID] = get32(ip) & FLOW_LABEL_MAX;
	p->heads[HEAD_TTL] = ip[7];
	p->heads[HEAD_LEN] = get16(ip + 4) + 40u;
	p->proto = ip[6];
	wrong = skip_headers(ip, len, &p->proto, &at, p);
	return wrong != NULL ? wrong : read_transport(ip + at, len - at, p);
}

const char *packet_read(const uint8_t *ip, uint32_t len, struct packet *ret)
{
	struct packet p = { .dir = DIR_IN };
	const char *wrong = cut_off;

	if (len > 0 && ip[0] >> 4 == 4)
		wrong = read_ip4(ip, len, &p);
	else if (len > 0 && ip[0] >> 4 == 6)
		wrong = read_ip6(ip, len, &p);
	if (wrong == NULL)
		*ret = p;
	return wrong;
}
