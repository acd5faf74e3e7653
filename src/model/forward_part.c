/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/forward.h"

/* The outside ports @lo..@hi of @p, which has them all, and what they become */
static struct decl_ports ports_of(const struct decl_ports *p, uint32_t lo, uint32_t hi)
{
	struct decl_ports part = { .ext_lo = (uint16_t)lo, .ext_hi = (uint16_t)hi,
				   .int_lo = p->int_lo, .int_hi = p->int_hi };

	if (p->int_hi != p->int_lo) {
		part.int_lo = (uint16_t)(p->int_lo + (lo - p->ext_lo));
		part.int_hi = (uint16_t)(p->int_lo + (hi - p->ext_lo));
	}
	return part;
}

static void add_part(struct arena *a, const struct decl_forward *f, uint8_t protos,
		     const struct decl_forward *ports, struct forward_parts *to)
{
	struct decl_forward part = *f;

	if (protos == 0 || ports->ports.n == 0)
		return;
	part.protos = protos;
	part.ports.v = ports->ports.v;
	part.ports.n = ports->ports.n;
	part.ports.cap = ports->ports.n;
	vec_add(a, &to->list, part);
}

bool forward_part(struct arena *a, const struct decl_forward *f, uint8_t protos, uint32_t lo,
		  uint32_t hi, struct forward_parts *ret_in, struct forward_parts *ret_rest)
{
	struct decl_forward in = { .ports = { 0 } }, out = { .ports = { 0 } };

	for (uint32_t i = 0; i < f->ports.n; i++) {
		const struct decl_ports *p = &f->ports.v[i];
		const uint32_t from = MAX(lo, p->ext_lo), to = MIN(hi, p->ext_hi);

		if (from > to) {
			vec_add(a, &out.ports, *p);
			continue;
		}
		vec_add(a, &in.ports, ports_of(p, from, to));
		if (p->ext_lo < from)
			vec_add(a, &out.ports, ports_of(p, p->ext_lo, from - 1));
		if (to < p->ext_hi)
			vec_add(a, &out.ports, ports_of(p, to + 1, p->ext_hi));
	}
	if (in.ports.n == 0 || (f->protos & protos) == 0)
		return false;
	add_part(a, f, f->protos & protos, &in, ret_in);
	add_part(a, f, f->protos & protos, &out, ret_rest);
	add_part(a, f, (uint8_t)(f->protos & ~protos), f, ret_rest);
	return true;
}
