/* SPDX-License-Identifier: BSD-2-Clause */
#include "port/nflog.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <string.h>

#define HEADER_BYTES	4u	/* family, version, resource */
#define TLV_BYTES	4u	/* length with itself, type */

static uint16_t host16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t wire32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void take(struct nflog_packet *p, uint16_t type, const uint8_t *value, uint32_t len)
{
	switch (type) {
	case NFULA_PACKET_HDR:
		if (len >= 3)
			p->hook = value[2];
		break;
	case NFULA_IFINDEX_INDEV:
		p->in_ifindex = len >= 4 ? wire32(value) : 0;
		break;
	case NFULA_IFINDEX_OUTDEV:
		p->out_ifindex = len >= 4 ? wire32(value) : 0;
		break;
	case NFULA_PREFIX:
		p->prefix = (const char *)value;
		p->prefix_len = (uint32_t)strnlen(p->prefix, len);
		break;
	case NFULA_PAYLOAD:
		p->data = value;
		p->len = len;
		break;
	}
}

int nflog_parse(const uint8_t *frame, size_t len, struct nflog_packet *ret)
{
	struct nflog_packet p = { .hook = -1 };

	if (len < HEADER_BYTES)
		return -EBADMSG;
	for (size_t at = HEADER_BYTES; at + TLV_BYTES <= len;) {
		const uint32_t tlv = host16(frame + at);

		if (tlv < TLV_BYTES || tlv > len - at)
			return -EBADMSG;
		take(&p, host16(frame + at + 2), frame + at + TLV_BYTES, tlv - TLV_BYTES);
		at += (tlv + 3u) & ~3u;
	}
	*ret = p;
	return 0;
}
