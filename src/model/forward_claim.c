/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/forward_work.h"

#include <stdlib.h>

static const struct { uint8_t bit, proto; } protos[] = {
	{ DECL_TCP, PROTO_TCP }, { DECL_UDP, PROTO_UDP },
};

static uint32_t number_of(struct lower *l, struct addr a)
{
	char text[ADDR_TEXT_BYTES];
	uint32_t id;

	/* Forwards of one address come one after the other */
	if (l->claims.n > 0) {
		id = (uint32_t)(l->claims.v[l->claims.n - 1].key >> CLAIM_ADDR);
		if (addr_equal(l->outside.v[id], a))
			return id;
	}
	id = intern_cid(&l->numbers, addr_print(a, text));
	while (l->outside.n <= id)
		(void)vec_push(l->m->a, &l->outside);
	l->outside.v[id] = a;
	return id;
}

struct addr claim_addr(const struct lower *l, const struct claim *c)
{
	return l->outside.v[c->key >> CLAIM_ADDR];
}

uint8_t claim_proto(const struct claim *c)
{
	return protos[c->key >> CLAIM_PROTO & 1].proto;
}

const struct decl_ports *claim_ports(const struct lower *l, const struct claim *c)
{
	return &l->forwards.v[c->forward].f->ports.v[c->item];
}

static void add_claim(struct lower *l, uint64_t place, const struct decl_ports *p, uint32_t item)
{
	vec_add(l->tmp, &l->claims, ((struct claim){
		.key = place | p->ext_lo, .forward = l->forwards.n - 1, .item = item & INT32_MAX,
		.is_one = p->ext_hi == p->ext_lo }));
}

void claims_add(struct lower *l, const struct forward_addrs *to)
{
	const struct decl_forward *f = l->forwards.v[l->forwards.n - 1].f;

	for (uint32_t i = 0; i < to->list.n; i++) {
		const uint64_t addr = (uint64_t)number_of(l, to->list.v[i]) << CLAIM_ADDR;

		for (uint32_t p = 0; p < f->ports.n; p++)
			for (size_t n = 0; n < ARRAY_SIZE(protos); n++)
				if ((f->protos & protos[n].bit) != 0)
					add_claim(l, addr | n << CLAIM_PROTO, &f->ports.v[p], p);
	}
}

static int claim_cmp(const void *x, const void *y)
{
	const struct claim *a = x, *b = y;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->forward != b->forward ? (a->forward < b->forward ? -1 : 1) :
	       (a->item > b->item) - (a->item < b->item);
}

/* Sort the claims of one address and protocol, which mostly are in order */
static void sort_ports(struct claim *v, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		if (claim_cmp(&v[i - 1], &v[i]) < 0)
			continue;
		qsort(v, n, sizeof(*v), claim_cmp);
		return;
	}
}

/* By address and protocol first, in one pass */
void claims_sort(struct lower *l)
{
	const uint32_t n = l->claims.n, n_places = 2 * l->outside.n;
	struct claim *sorted = arena_array(l->tmp, struct claim, n);
	uint32_t *at = arena_array(l->tmp, uint32_t, n_places + 1);

	for (uint32_t i = 0; i < n; i++)
		at[(l->claims.v[i].key >> CLAIM_PROTO) + 1]++;
	for (uint32_t p = 1; p <= n_places; p++)
		at[p] += at[p - 1];
	for (uint32_t i = 0; i < n; i++)
		sorted[at[l->claims.v[i].key >> CLAIM_PROTO]++] = l->claims.v[i];
	/* Each place has moved to its end, where the next begins */
	for (uint32_t p = 0; p < n_places; p++)
		sort_ports(sorted + (p > 0 ? at[p - 1] : 0), at[p] - (p > 0 ? at[p - 1] : 0));
	l->claims.v = sorted;
	l->claims.cap = n;
}

static bool prefixes_meet(struct prefix a, struct prefix b)
{
	return a.a.af == AF_NONE || b.a.af == AF_NONE || prefix_has(a, b.a) || prefix_has(b, a.a);
}

/* Could one packet belong to both */
static bool is_conflict(const struct decl_forward *a, const struct decl_forward *b)
{
	if (a->is_shared || b->is_shared)
		return false;
	return (a->on == NULL || b->on == NULL || a->on == b->on) &&
	       prefixes_meet(a->from, b->from);
}

static void tell_conflict(struct lower *l, const struct claim *a, const struct claim *b)
{
	const struct claim *first = a->forward < b->forward ||
		(a->forward == b->forward && a->item < b->item) ? a : b;
	const struct claim *later = first == a ? b : a;
	const struct forward *f = &l->forwards.v[first->forward];
	const struct forward *g = &l->forwards.v[later->forward];
	const struct decl_ports *p = claim_ports(l, a), *q = claim_ports(l, b);
	const uint32_t lo = MAX(p->ext_lo, q->ext_lo), hi = MIN(p->ext_hi, q->ext_hi);
	const char *proto = claim_proto(a) == PROTO_TCP ? "tcp" : "udp";
	char to[ADDR_TEXT_BYTES], ports[24];

	snprintf(ports, sizeof(ports), lo == hi ? "%u" : "%u-%u", lo, hi);
	diag_add(l->diags, DIAG_E1606, g->f->at, f->j == g->j
		 ? "%s %s of %s is forwarded to '%s' twice"
		 : "%s %s of %s is forwarded to '%s' and to '%s'",
		 proto, ports, addr_print(claim_addr(l, a), to), f->j->name, g->j->name);
	diag_note(l->diags, f->f->at, "the first claim is here");
}

bool claims_check(struct lower *l)
{
	const struct claim *v = l->claims.v;
	const uint32_t n = l->claims.n;
	bool ok = true;

	for (uint32_t i = 0; i < n && !diag_is_full(l->diags); i++) {
		const uint32_t hi = v[i].is_one ? v[i].key & UINT16_MAX
						: claim_ports(l, &v[i])->ext_hi;

		for (uint32_t k = i + 1; k < n && (v[k].key & UINT16_MAX) <= hi &&
		     v[k].key >> CLAIM_PROTO == v[i].key >> CLAIM_PROTO; k++) {
			if (!is_conflict(l->forwards.v[v[i].forward].f,
					 l->forwards.v[v[k].forward].f))
				continue;
			tell_conflict(l, &v[i], &v[k]);
			ok = false;
			break;
		}
	}
	return ok;
}

static bool meets(const struct rule *r, enum field f, uint8_t af, u128 lo, u128 hi)
{
	const struct set *s = rule_tests(r, f);

	if (s == NULL)
		return true;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->r[i].af == af && s->r[i].lo <= hi && s->r[i].hi >= lo)
			return true;
	return false;
}

/* Could a written rule take a packet that @c claims */
static bool rule_meets(const struct lower *l, const struct rule *r, const struct claim *c)
{
	const struct decl_forward *f = l->forwards.v[c->forward].f;
	const struct decl_ports *p = claim_ports(l, c);
	const struct prefix from = f->from;
	const struct addr to = claim_addr(l, c);

	if (rule_has_effect(r, EF_TRANSLATE) == NULL ||
	    !meets(r, F_PROTO, AF_NONE, claim_proto(c), claim_proto(c)) ||
	    !meets(r, F_DST, to.af, to.v, to.v) ||
	    !meets(r, F_DPORT, AF_NONE, p->ext_lo, p->ext_hi))
		return false;
	if (from.a.af != AF_NONE &&
	    !meets(r, F_SRC, from.a.af, prefix_first(from).v, prefix_last(from).v))
		return false;
	if (f->on != NULL) {
		const uint32_t id = intern_cid(l->m->names, f->on);

		return meets(r, F_IFACE, AF_NONE, id, id);
	}
	return true;
}

/* What the user wrote comes first, and would take the packets of a forward in silence */
bool claims_check_written(struct lower *l, uint32_t n_written)
{
	const struct rule_list *rdr = &l->m->lists.v[l->lists->rdr];
	char text[ADDR_TEXT_BYTES];
	bool ok = true;

	for (uint32_t i = 0; n_written > 0 && i < l->claims.n && !diag_is_full(l->diags); i++) {
		const struct claim *c = &l->claims.v[i];
		const struct forward *f = &l->forwards.v[c->forward];

		for (uint32_t k = 0; k < n_written && !f->f->is_shared; k++) {
			const struct rule *r = &rdr->rules.v[k];

			if (!rule_meets(l, r, c))
				continue;
			diag_add(l->diags, DIAG_E1606, f->f->at,
				 "%s %u of %s is forwarded to '%s' and by a written rule",
				 claim_proto(c) == PROTO_TCP ? "tcp" : "udp",
				 claim_ports(l, c)->ext_lo,
				 addr_print(claim_addr(l, c), text), f->j->name);
			diag_note(l->diags, r->origin.at, "the rule is here");
			ok = false;
			break;
		}
	}
	return ok;
}
