/* SPDX-License-Identifier: BSD-2-Clause */
#include "port/places.h"

#include "net/names.h"
#include "net/wire.h"

static bool is_led(const struct places *p, uint8_t proto, uint16_t port)
{
	return (p->led[proto == PROTO_UDP][port / 8] >> (port % 8) & 1) != 0;
}

uint32_t places_at(struct places *p, uint8_t proto, struct addr a, uint16_t port)
{
	const uint64_t mixed = ((uint64_t)a.v ^ (uint64_t)(a.v >> 64) ^ proto ^
				(uint64_t)port << 32) * UINT64_C(0x9e3779b97f4a7c15);
	const uint32_t first = (uint32_t)(mixed >> 40);

	if (!is_led(p, proto, port))
		return PLACE_NONE;
	for (uint32_t i = 0; i < PLACES_AT_ONCE; i++) {
		const uint32_t at = (first + i) % PLACES;
		struct places_one *x = &p->v[at];

		if (x->a.af == AF_NONE)
			*x = (struct places_one){ .a = a, .port = port, .proto = proto };
		if (x->port == port && x->proto == proto && addr_equal(x->a, a))
			return at;
	}
	return PLACE_NONE;
}

void places_count(struct places *p, uint32_t at, uint64_t packets, uint64_t bytes,
		  uint64_t now_ns)
{
	if (at == PLACE_NONE || packets == 0)
		return;
	p->v[at].packets += packets;
	p->v[at].bytes += bytes;
	p->v[at].last_ns = now_ns;
}

uint32_t places_of(struct places *p, const uint8_t *ip, uint32_t len, bool is_dst)
{
	const bool v4 = len >= 20 && ip[0] >> 4 == 4, v6 = len >= 40 && ip[0] >> 4 == 6;
	const uint32_t l4 = v4 ? (uint32_t)(ip[0] & 0xf) * 4 : 40, at = is_dst ? 2 : 0;
	const uint8_t proto = v4 || v6 ? ip[v4 ? 9 : 6] : 0;

	/* Of fragments the first says where they belong; the others are not counted */
	if ((proto != PROTO_TCP && proto != PROTO_UDP) || l4 + 4 > len ||
	    (v4 && (get16(ip + 6) & 0x1fff) != 0) || !is_led(p, proto, get16(ip + l4 + at)))
		return PLACE_NONE;
	return places_at(p, proto, v4 ? addr_from_bytes(AF_V4, ip + 12 + 2 * at) :
			 addr_from_bytes(AF_V6, ip + 8 + 8 * at), get16(ip + l4 + at));
}
