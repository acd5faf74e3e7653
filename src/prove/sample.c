/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Where meanings cannot be turned into functions of a packet, packets are tried:
 * made of the values at which one of the two changes its mind, the ends of all
 * ranges that are tested and their neighbours.  One that is judged in two ways is a
 * difference beyond doubt; none found is no proof.
 */
#include <string.h>

#include "prove/proof.h"
#include "prove/prove.h"
#include "prove/sampler.h"

/* What @m says of a packet that nothing is remembered of; its rule in @ret */
static const char *judge(const struct model *m, const struct packet *p, struct arena *a,
			 struct origin *ret)
{
	struct world w;
	struct result r;

	world_init(&w, a);
	r = model_eval(m, &w, p, a);
	for (uint32_t i = r.steps.n; i-- > 0;)
		if (r.steps.v[i].is_final)
			*ret = r.steps.v[i].origin;
	return sampler_answer(a, &r);
}

uint32_t prove_sample(const struct model *m, const struct model *other, uint32_t n,
		      struct arena *a, struct prove_result *ret)
{
	struct sampler s;

	sampler_init(&s, m, other, a);
	for (uint32_t i = 0; i < n && ret->differences.n == 0; i++) {
		const struct packet p = sampler_packet(&s, m);
		struct arena scratch CLEANUP(arena_fini);
		struct origin one = { .text = NULL }, two = one;
		const char *x, *y;

		arena_init(&scratch, a->cap_bytes);
		scratch.full = a->full;
		x = judge(m, &p, &scratch, &one);
		y = judge(other, &p, &scratch, &two);
		if (strcmp(x, y) != 0)
			vec_add(a, &ret->differences, ((struct prove_difference){
				.packet = prove_packet_line(a, &p, intern_name(m->names, p.iface)),
				.part = two.text != NULL ? two.text : "no rule matched",
				.declared = arena_strndup(a, x, strlen(x)),
				.kernel = arena_strndup(a, y, strlen(y)), .origin = one }));
	}
	return n;
}
