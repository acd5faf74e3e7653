/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/scrub.h"

struct scrub scrub_merge(struct scrub first, struct scrub then)
{
	return (struct scrub){
		.max_mss = then.max_mss != 0 ? then.max_mss : first.max_mss,
		.min_ttl = then.min_ttl != 0 ? then.min_ttl : first.min_ttl,
		.no_df = first.no_df || then.no_df,
		.tos = then.tos >= 0 ? then.tos : first.tos,
	};
}

struct scrub scrub_then(struct scrub first, struct scrub then)
{
	struct scrub r = scrub_merge(first, then);

	r.min_ttl = MAX(first.min_ttl, then.min_ttl);
	if (first.max_mss != 0 && then.max_mss != 0)
		r.max_mss = MIN(first.max_mss, then.max_mss);
	return r;
}

unsigned int scrub_fields(struct scrub x)
{
	return (x.max_mss != 0 ? SCRUB_MSS : 0) | (x.min_ttl != 0 ? SCRUB_TTL : 0) |
	       (x.no_df ? SCRUB_DF : 0) | (x.tos >= 0 ? SCRUB_TOS : 0);
}

struct scrub scrub_part(struct scrub x, unsigned int fields)
{
	return (struct scrub){
		.max_mss = (fields & SCRUB_MSS) != 0 ? x.max_mss : 0,
		.min_ttl = (fields & SCRUB_TTL) != 0 ? x.min_ttl : 0,
		.no_df = (fields & SCRUB_DF) != 0 && x.no_df,
		.tos = (fields & SCRUB_TOS) != 0 ? x.tos : -1,
	};
}

bool scrub_equal(struct scrub x, struct scrub y)
{
	return x.max_mss == y.max_mss && x.min_ttl == y.min_ttl && x.no_df == y.no_df &&
	       x.tos == y.tos;
}
