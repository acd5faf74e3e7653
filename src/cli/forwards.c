/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/forwards.h"

#include <stdlib.h>
#include <string.h>

/* Listing under way */
struct listing {
	struct cli *c;
	const struct declared *d;
	struct cli_forwards *to;
};

/* A set as set_print() shows it, without the braces of a single member */
static const char *set_text(struct listing *l, enum field f, const struct set *s)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out;
	const char *copy;

	if (s == NULL)
		return "any";
	out = open_memstream(&text, &len);
	BUG_IF(out == NULL);
	set_print(&l->d->model, f, s, out);
	fclose(out);
	copy = arena_strndup(&l->c->arena, text, len);
	if (copy[0] == '{' && memchr(copy, ',', len) == NULL)
		copy = arena_strndup(&l->c->arena, copy + 1, len - 2);
	return copy;
}

static const char *proto_text(struct listing *l, const struct set *s)
{
	const bool tcp = s != NULL && set_has(s, AF_NONE, PROTO_TCP);
	const bool udp = s != NULL && set_has(s, AF_NONE, PROTO_UDP);
	const char *name;

	if (s != NULL && s->n == 1 && s->r[0].lo == s->r[0].hi) {
		name = proto_name((uint8_t)s->r[0].lo);
		return name != NULL ? name : set_text(l, F_PROTO, s);
	}
	if (tcp && udp && s->n == 2 && s->r[0].lo == s->r[0].hi && s->r[1].lo == s->r[1].hi)
		return "tcp+udp";
	return set_text(l, F_PROTO, s);
}

/* "A:P", "A:P-Q", "A"; A may be a prefix or a range */
static const char *end_text(struct listing *l, const char *addr, bool v6, bool has_ports,
			    uint32_t lo, uint32_t hi)
{
	struct arena *a = &l->c->arena;
	const char *open = v6 && has_ports ? "[" : "", *close = v6 && has_ports ? "]" : "";

	if (!has_ports)
		return addr;
	if (lo == hi)
		return arena_printf(a, "%s%s%s:%u", open, addr, close, lo);
	return arena_printf(a, "%s%s%s:%u-%u", open, addr, close, lo, hi);
}

struct first_prefix {
	struct prefix p;
	uint32_t n;
};

static void count_prefix(struct prefix p, void *arg)
{
	struct first_prefix *f = arg;

	if (f->n++ == 0)
		f->p = p;
}

static const char *range_text(struct listing *l, const struct range *r)
{
	struct first_prefix f = { .n = 0 };
	char lo[ADDR_TEXT_BYTES], hi[ADDR_TEXT_BYTES];

	set_to_prefixes(*r, count_prefix, &f);
	if (f.n == 1 && f.p.len == addr_bits(r->af))
		return arena_printf(&l->c->arena, "%s", addr_print(f.p.a, lo));
	if (f.n == 1)
		return arena_printf(&l->c->arena, "%s", prefix_print(f.p, lo));
	return arena_printf(&l->c->arena, "%s-%s", addr_print((struct addr){ r->af, r->lo }, lo),
			    addr_print((struct addr){ r->af, r->hi }, hi));
}

static const char *internal_text(struct listing *l, const struct xlate *x, uint8_t af,
				 const struct range *ports, const char **jail)
{
	char buf[ADDR_TEXT_BYTES];
	const char *addr = NULL;
	uint32_t lo = ports != NULL ? (uint32_t)ports->lo : 0;
	uint32_t hi = ports != NULL ? (uint32_t)ports->hi : 0;

	*jail = NULL;
	for (uint32_t i = 0; i < x->to.n; i++) {
		const struct decl_jail *j = decl_jail_of(&l->d->decl, x->to.v[i]);

		if (x->to.v[i].af != af && af != AF_NONE)
			continue;
		addr_print(x->to.v[i], buf);
		addr = addr == NULL ? arena_printf(&l->c->arena, "%s", buf) :
			arena_printf(&l->c->arena, "%s,%s", addr, buf);
		if (*jail == NULL && j != NULL)
			*jail = j->name;
	}
	if (x->port == XP_TO) {
		lo = hi = x->lo;
	} else if (x->port == XP_SHIFT) {
		lo = xlate_shift(x, (uint16_t)lo);
		hi = xlate_shift(x, (uint16_t)hi);
	}
	return addr == NULL ? NULL : end_text(l, addr, af == AF_V6,
					      ports != NULL || x->port == XP_TO, lo, hi);
}

static void add_row(struct listing *l, const struct rule *r, const struct xlate *x,
		    const struct range *dst, const struct range *ports)
{
	struct cli_forward row = {
		.proto = proto_text(l, rule_tests(r, F_PROTO)),
		.from = set_text(l, F_SRC, rule_tests(r, F_SRC)),
		.on = set_text(l, F_IFACE, rule_tests(r, F_IFACE)),
		.origin = r->origin, .dst = dst, .ports = ports,
	};
	const uint8_t af = dst != NULL ? dst->af : x->to.n > 0 ? x->to.v[0].af : AF_V4;

	row.external = end_text(l, dst != NULL ? range_text(l, dst) : "any",
				af == AF_V6 && dst != NULL, ports != NULL,
				ports != NULL ? (uint32_t)ports->lo : 0,
				ports != NULL ? (uint32_t)ports->hi : 0);
	row.internal = internal_text(l, x, af, ports, &row.jail);
	if (row.internal != NULL)
		vec_add(&l->c->arena, &l->to->list, row);
}

static void add_rule(struct listing *l, const struct rule *r, const struct xlate *x)
{
	const struct set *dst = rule_tests(r, F_DST);
	const struct set *ports = rule_tests(r, F_DPORT);
	uint32_t i = 0;

	do {
		uint32_t j = 0;

		do {
			add_row(l, r, x, dst != NULL ? &dst->r[i] : NULL,
				ports != NULL ? &ports->r[j] : NULL);
		} while (ports != NULL && ++j < ports->n);
	} while (dst != NULL && ++i < dst->n);
}

void cli_forwards_list(struct cli *c, const struct declared *d, struct cli_forwards *ret)
{
	struct listing l = { c, d, ret };
	const struct model *m = &d->model;
	const struct rule_list *entry = &m->lists.v[m->entry[DIR_IN]];

	for (uint32_t i = 0; i < entry->rules.n; i++) {
		const struct rule_list *called;

		if (entry->rules.v[i].exit != EX_CALL)
			continue;
		called = &m->lists.v[entry->rules.v[i].list];
		for (uint32_t j = 0; j < called->rules.n; j++) {
			const struct rule *r = &called->rules.v[j];
			const struct effect *e = rule_has_effect(r, EF_TRANSLATE);

			if (e != NULL && m->xlates.v[e->xlate].kind == XL_DST && !rule_is_never(r))
				add_rule(&l, r, &m->xlates.v[e->xlate]);
		}
	}
}
