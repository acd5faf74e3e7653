/* SPDX-License-Identifier: BSD-2-Clause */
#include "nat/random.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	sip_round(s);
	s->v0 ^= m;
}

uint64_t random_next(struct random *r)
{
	struct sip s = {
		r->key[0] ^ UINT64_C(0x736f6d6570736575), r->key[1] ^ UINT64_C(0x646f72616e646f6d),
		r->key[0] ^ UINT64_C(0x6c7967656e657261), r->key[1] ^ UINT64_C(0x7465646279746573),
	};

	sip_word(&s, r->n++);
	sip_word(&s, UINT64_C(8) << 56);	/* length of the message, as SipHash ends it */
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
