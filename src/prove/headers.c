/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What is written stays the same function of the packet as it came: its value is put
 * for the header's variables in all that follows, and noted with every pass there
 * unless that notes a later one of the same header.  A header that had the value
 * already was not changed, so that there is one way to say it.
 *
 * What states remember of changes is bits of the connection's mark, each for a part
 * of a change.  Declarations are told in the same parts: the program says which there
 * are, and a declaration that cannot be told in them is not that program's.
 */
#include "prove/headers.h"

/* A header as bits of a part, from the highest on */
static const struct {
	enum part part;
	uint32_t n_bits;
} places[N_HEADERS] = {
	[HD_TTL] = { P_TTL, 8 }, [HD_TOS] = { P_TOS, 6 }, [HD_DF] = { P_DF, 1 },
};

struct writing {
	struct outcomes *o;
	enum header what;
	uint16_t value;		/* and 1 */
};

static uint32_t write_one(void *arg, uint32_t value)
{
	const struct writing *g = arg;
	struct outcome x = g->o->list.v[value];
	uint16_t *was = &x.wrote[g->what];

	if (x.fate != FATE_PASS)
		return value;
	if (*was == 0 || (g->what == HD_MSS && *was > g->value))
		*was = g->value;
	return outcome_of(g->o, &x);
}

dd header_write(struct proof *p, dd f, enum header what, uint32_t value)
{
	const uint32_t n = places[what].n_bits;
	struct writing g = { p->o, what, (uint16_t)(value + 1) };
	dd to = f, has = what == HD_MSS ? DD_FALSE : DD_TRUE;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t shift = what == HD_TOS ? 7 - i : n - 1 - i;
		const bool is = (value >> shift & 1) != 0;
		const dd bit = space_bit(&p->s, places[what].part, i);

		to = dd_with(p->d, to, space_var(&p->s, places[what].part, i), is);
		has = dd_and(p->d, has, is ? bit : dd_not(p->d, bit));
	}
	return dd_ite(p->d, has, f, proof_each(p, to, write_one, &g));
}

dd header_change(struct proof *p, dd f, struct scrub x)
{
	const dd tcp = space_is(&p->s, P_PROTO, PROTO_TCP);
	const dd syn = dd_and(p->d, tcp, space_bit(&p->s, P_FLAGS, 6));

	if (x.max_mss != 0)
		f = dd_ite(p->d, syn, header_write(p, f, HD_MSS, x.max_mss), f);
	if (x.no_df && p->s.af == AF_V4)
		f = header_write(p, f, HD_DF, 0);
	if (x.tos >= 0)
		f = header_write(p, f, HD_TOS, (uint32_t)x.tos & ~(uint32_t)TOS_ECN);
	if (x.min_ttl != 0)
		f = dd_ite(p->d, space_range(&p->s, P_TTL, 0, x.min_ttl - 1u),
			   header_write(p, f, HD_TTL, x.min_ttl), f);
	return f;
}

/* ---- what a packet is to get -------------------------------------------------------- */

dd header_note(struct proof *p, dd f, struct scrub x)
{
	unsigned int left = scrub_fields(x);

	for (uint32_t i = 0; i < p->marks.n_mends; i++) {
		const struct scrub part = p->marks.mend[i].what;
		const unsigned int fields = scrub_fields(part);
		const bool is = scrub_equal(part, scrub_part(x, fields));

		if ((fields & scrub_fields(x)) == 0)
			continue;
		f = dd_with(p->d, f, space_var(&p->s, P_MEND, i), is);
		left &= is ? ~fields : left;
	}
	return left == 0 ? f : proof_unknown(p, "a change of headers in other parts");
}

dd header_noted(struct proof *p, dd f)
{
	for (uint32_t i = p->marks.n_mends; i-- > 0;)
		f = dd_ite(p->d, space_bit(&p->s, P_MEND, i),
			   header_change(p, f, p->marks.mend[i].what), f);
	return f;
}

dd header_none(struct proof *p, dd f)
{
	for (uint32_t i = 0; i < p->marks.n_mends; i++)
		f = dd_with(p->d, f, space_var(&p->s, P_MEND, i), false);
	return f;
}

/* ---- what a state remembers ---------------------------------------------------------- */

dd header_kept(struct proof *p, dd f, enum direction leg)
{
	for (uint32_t i = p->marks.n_mends; i-- > 0;) {
		const uint32_t bit = p->marks.mend[i].ct[leg];

		f = dd_ite(p->d, dd_var(p->d, proof_mark_bit(p, P_CTMARK, bit)),
			   header_change(p, f, p->marks.mend[i].what), f);
	}
	return f;
}

static dd with_bit(struct proof *p, dd f, uint32_t bit)
{
	return proof_assign(p, f, P_CTMARK, bit, bit);
}

dd header_keep(struct proof *p, dd f, enum direction leg)
{
	for (uint32_t i = p->marks.n_mends; i-- > 0;)
		f = dd_ite(p->d, space_bit(&p->s, P_MEND, i),
			   with_bit(p, f, p->marks.mend[i].ct[leg]), f);
	return f;
}

dd header_keeps(struct proof *p, dd f, struct scrub x, enum direction leg)
{
	unsigned int left = scrub_fields(x);

	for (uint32_t i = 0; i < p->marks.n_mends; i++) {
		const unsigned int fields = scrub_fields(p->marks.mend[i].what);

		if ((fields & scrub_fields(x)) == 0 ||
		    !scrub_equal(p->marks.mend[i].what, scrub_part(x, fields)))
			continue;
		f = with_bit(p, f, p->marks.mend[i].ct[leg]);
		left &= ~fields;
	}
	return left == 0 ? f : proof_unknown(p, "a change of headers in other parts");
}
