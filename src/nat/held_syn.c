/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * An unsolicited SYN may be the first half of a simultaneous open, so it is
 * answered only after some seconds in which no SYN for the same pair has come
 * from inside (RFC 5382 REQ-4).  A ring: all wait equally long, so the oldest
 * is always the next; when it is full the newest gets no answer at all.
 *
 * Lines: 5382-4i 5382-4ii 5382-4iii 5382-4a
 */
#include "nat/core.h"

#define HELD_SYNS	512u
#define HELD_BYTES	100u	/* IP header and what an error must quote */

struct held_syn {
	uint32_t since;
	uint16_t len;
	bool is_v6;
	bool is_over;		/* solicited after all */
	uint16_t l4;
	uint8_t bytes[HELD_BYTES];
};

struct held_syns {
	struct held_syn ring[HELD_SYNS];
	uint32_t first;
	uint32_t n;
};

size_t held_syn_bytes(void)
{
	return sizeof(struct held_syns);
}

void held_syn_init(struct nat *nat)
{
	nat->syns->first = nat->syns->n = 0;
}

static struct held_syn *nth(struct nat *nat, uint32_t i)
{
	return &nat->syns->ring[(nat->syns->first + i) % HELD_SYNS];
}

void held_syn_add(struct nat *nat, const struct view *v)
{
	struct held_syn *h;

	if (nat->cfg.syn_silent || nat->syns->n == HELD_SYNS || v->l4 + 8u > HELD_BYTES)
		return;
	h = nth(nat, nat->syns->n++);
	*h = (struct held_syn){
		.since = nat->now, .len = (uint16_t)MIN(v->len, HELD_BYTES), .is_v6 = v->is_v6,
		.l4 = v->l4,
	};
	memcpy(h->bytes, v->ip, h->len);
}

void held_syn_drop(struct nat *nat, const struct session *s)
{
	const bool is_v6 = (s->flags & S_V6) != 0;
	uint8_t src[16], dst[16];
	size_t len;

	if (nat->syns->n == 0)
		return;
	len = addr_to_bytes(addr_of(nat, is_v6, s->out.dst), src);
	addr_to_bytes(addr_of(nat, is_v6, s->out.src), dst);
	for (uint32_t i = 0; i < nat->syns->n; i++) {
		struct held_syn *h = nth(nat, i);
		const uint8_t *at = h->bytes + (is_v6 ? 8 : 12), *l4 = h->bytes + h->l4;

		if (h->is_v6 == is_v6 && memcmp(at, src, len) == 0 &&
		    memcmp(at + len, dst, len) == 0 && get16(l4) == s->out.dport &&
		    get16(l4 + 2) == s->out.sport)
			h->is_over = true;
	}
}

/* Has another worker lent its port meanwhile: perhaps just for that */
static bool is_others(const struct nat *nat, const struct held_syn *h, const struct view *v)
{
	const struct own *own = nat->is_shared ? own_of(nat, view_dst(v)) : NULL;

	return own != NULL && share_is_others(nat, own, POOL_TCP, get16(h->bytes + h->l4 + 2));
}

void held_syn_expire(struct nat *nat)
{
	while (nat->syns->n > 0) {
		struct held_syn *h = nth(nat, 0);
		const struct view v = {
			.ip = h->bytes, .len = h->len, .l4 = h->l4, .is_v6 = h->is_v6,
			.proto = PROTO_TCP, .kind = K_FLOW, .from = NAT_OUTSIDE,
		};

		if (nat->now - h->since < nat->timeout[NAT_T_SYN])
			return;
		if (!h->is_over && !is_others(nat, h, &v))
			answer_unreachable(nat, &v, 3);
		nat->syns->first = (nat->syns->first + 1) % HELD_SYNS;
		nat->syns->n--;
	}
}
