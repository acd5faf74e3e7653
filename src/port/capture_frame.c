/* SPDX-License-Identifier: BSD-2-Clause */
#include "port/capture.h"

#include <string.h>

#include "net/addr.h"

#define TYPE_IPV4	0x0800u
#define TYPE_IPV6	0x86ddu
#define TYPE_VLAN	0x8100u
#define TYPE_QINQ	0x88a8u
#define TYPE_QINQ_OLD	0x9100u
#define VLAN_BYTES	4u
#define MAC_BYTES	6u

/* A link whose header has a fixed length and says what follows */
static const struct link_row {
	uint32_t link;
	uint8_t len;		/* of the header, bytes */
	int8_t type_at;		/* where the type of what follows stands; -1: nowhere */
	uint8_t af;		/* without a type: the family, AF_NONE: as its version says */
	bool has_family;	/* its four bytes are a family of BSD's, in either order */
} links[] = {
	{ LINK_NULL, 4, -1, AF_NONE, true },
	{ LINK_LOOP, 4, -1, AF_NONE, true },
	{ LINK_ETHERNET, 14, 12, AF_NONE, false },
	{ LINK_COOKED, 16, 14, AF_NONE, false },
	{ LINK_COOKED2, 20, 0, AF_NONE, false },
	{ LINK_RAW_DLT, 0, -1, AF_NONE, false },
	{ LINK_RAW, 0, -1, AF_NONE, false },
	{ LINK_IPV4, 0, -1, AF_V4, false },
	{ LINK_IPV6, 0, -1, AF_V6, false },
};

static const struct link_row *link_find(uint32_t link)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (links[i].link == link)
			return &links[i];
	return NULL;
}

bool capture_knows_link(uint32_t link)
{
	return link_find(link) != NULL;
}

static uint32_t type_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static bool is_tag(uint32_t type)
{
	return type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD;
}

/* The family of four bytes; of IPv6 each system has a number of its own */
static uint8_t family_of(const uint8_t *p)
{
	const bool is_le = p[1] == 0 && p[2] == 0 && p[3] == 0;

	if (!is_le && (p[0] != 0 || p[1] != 0 || p[2] != 0))
		return AF_NONE;
	switch (is_le ? p[0] : p[3]) {
	case 2:
		return AF_V4;
	case 10:	/* Linux */
	case 24:	/* NetBSD, OpenBSD */
	case 28:	/* FreeBSD */
	case 30:	/* macOS */
		return AF_V6;
	default:
		return AF_NONE;
	}
}

struct capture_frame capture_frame_parse(uint32_t link, const uint8_t *data, uint32_t len)
{
	const struct link_row *row = link_find(link);
	struct capture_frame f = { .af = AF_NONE };
	uint32_t type;

	if (row == NULL || len <= row->len)
		return f;
	f.at = row->len;
	if (row->has_family) {
		f.af = family_of(data);
	} else if (row->type_at < 0) {
		f.af = row->af != AF_NONE ? row->af : data[0] >> 4;
	} else {
		type = type_at(data + row->type_at);
		while (is_tag(type) && f.at + VLAN_BYTES < len) {
			type = type_at(data + f.at + 2);
			f.at += VLAN_BYTES;
		}
		f.af = type == TYPE_IPV4 ? AF_V4 : type == TYPE_IPV6 ? AF_V6 : AF_NONE;
	}
	if (f.af != AF_V4 && f.af != AF_V6)
		f.af = AF_NONE;
	return f;
}

void capture_frame_turn(uint32_t link, uint8_t *data, uint32_t len)
{
	uint8_t mac[MAC_BYTES];

	if (link != LINK_ETHERNET || len < 2 * MAC_BYTES)
		return;
	memcpy(mac, data, MAC_BYTES);
	memcpy(data, data + MAC_BYTES, MAC_BYTES);
	memcpy(data + MAC_BYTES, mac, MAC_BYTES);
}
