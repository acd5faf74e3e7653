/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What the rules say of a packet of which nothing is remembered is a function of the
 * packet.  For that both models are copied without what they remember: what is the same
 * then is the same for all packets.  Of models that translate, and of all that is
 * remembered, it is conversations that are functions of their first packet (talk.h).
 *
 * Both proofs see one conversation in an empty world.  What several do to each other
 * (limits, the same port drawn twice) is not seen.
 */
#include "prove/cross.h"

#include <setjmp.h>
#include <string.h>

#include "prove/journey.h"
#include "prove/sem.h"
#include "prove/stages.h"
#include "prove/talk.h"

#define TRIED		40000u		/* conversations, */
#define TRIED_LEAST	1000u		/* or so many where rules are many: */
#define TRIED_RULES	4000000u	/* this many rules are asked, a packet each time */

/* ---- what remembers nothing ------------------------------------------------------------- */

static bool remembers(const struct model *m)
{
	bool is = false;

	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct rule *r = &m->lists.v[l].rules.v[i];
			const struct effect *e = rule_has_effect(r, EF_PREFER);

			is |= rule_has_effect(r, EF_RECORD) != NULL || r->ruling.keep ||
			      (e != NULL && e->ruling.keep);
		}
	return is || m->otherwise.keep;
}

static void forget(const struct model *m, struct rule *r)
{
	const struct rule from = *r;

	r->effects.n = r->effects.cap = 0;
	r->effects.v = NULL;
	r->ruling.keep = false;
	for (uint32_t i = 0; i < from.effects.n; i++) {
		struct effect e = from.effects.v[i];

		if (e.kind == EF_PROBE || e.kind == EF_RECORD)
			continue;
		e.ruling.keep = false;
		vec_add(m->a, &r->effects, e);
	}
}

/* The same rules, which remember nothing */
static const struct model *without_memory(const struct model *m)
{
	struct model *copy = arena_new(m->a, struct model);

	*copy = *m;
	copy->lists.v = NULL;
	copy->lists.n = copy->lists.cap = 0;
	copy->otherwise.keep = false;
	copy->drops_opts = false;
	for (uint32_t l = 0; l < m->lists.n; l++) {
		struct rule_list to = { .name = m->lists.v[l].name };

		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			vec_add(m->a, &to.rules, m->lists.v[l].rules.v[i]);
			forget(m, &to.rules.v[i]);
		}
		vec_add(m->a, &copy->lists, to);
	}
	return copy;
}

/* ---- functions --------------------------------------------------------------------------- */

static dd meaning(struct proof *p, const struct model *m, enum direction dir)
{
	const dd none = proof_pass(p, 0);

	p->m = m;
	if (m->discipline == STATES_DIRECTED)
		return sem_filter(p, dir, SEM_ANSWERED);
	return sem_free(p, dir, sem_after(p, dir, none));
}

/* What comes in was received by the interface that it crosses */
static dd what_can_be(struct proof *p, enum direction dir)
{
	dd r = space_real(&p->s), same = DD_FALSE;

	r = dd_and(p->d, r, dd_not(p->d, space_is(&p->s, P_PROTO,
				   p->s.af == AF_V4 ? PROTO_ICMP6 : PROTO_ICMP)));
	r = dd_and(p->d, r, dd_not(p->d, space_bit(&p->s, P_OPTS, 0)));
	r = dd_and(p->d, r, space_range(&p->s, P_SCAST, 0, 2));
	r = dd_and(p->d, r, space_range(&p->s, P_DCAST, 0, 2));
	for (uint32_t i = 1; i < p->s.names.n && dir == DIR_IN; i++)
		same = dd_or(p->d, same, dd_and(p->d, space_is(&p->s, P_IFACE, i),
						space_is(&p->s, P_RECV, i)));
	return dir == DIR_IN ? dd_and(p->d, r, same) : r;
}

/* What `why` can be asked: TCP has some flag */
static dd usual(struct proof *p)
{
	const dd tcp = space_is(&p->s, P_PROTO, PROTO_TCP);

	return dd_not(p->d, dd_and(p->d, tcp, space_is(&p->s, P_FLAGS, 0)));
}

static void compare_family(struct proof *p, const struct model *const m[2],
			   struct prove_result *ret)
{
	for (int dir = 0; dir < 2; dir++) {
		const enum direction way = (enum direction)dir;
		const dd where = what_can_be(p, way);
		struct part_of part = { .name = "rules", .dir = way, .where = where,
					.fresh = dd_and(p->d, where, usual(p)) };

		part.declared = meaning(p, m[0], way);
		part.kernel = meaning(p, m[1], way);
		p->m = m[0];
		prove_compare(p, &part, ret);
		part.name = "fences";
		part.declared = sem_fences(p, way, proof_pass(p, 0));
		p->m = m[1];
		part.kernel = sem_fences(p, way, proof_pass(p, 0));
		p->m = m[0];
		prove_compare(p, &part, ret);
	}
}

typedef void compare_fn(struct proof *p, const struct model *const m[2],
			struct prove_result *ret);

/* False: the arena is full, or the diagrams are */
static bool compare_within(struct proof *p, const struct model *const m[2], uint8_t af,
			   compare_fn *compare, struct prove_result *ret)
{
	jmp_buf *outer = p->a->full, full;

	if (setjmp(full) != 0) {
		p->a->full = outer;
		return false;
	}
	p->a->full = &full;
	space_init(&p->s, p->a, p->d, m[0], af);
	space_seal(&p->s);
	compare(p, m, ret);
	p->a->full = outer;
	return !p->d->is_full;
}

/* Of each family */
static int compare_all(const struct model *const both[2], compare_fn *compare, struct arena *a,
		       struct prove_result *ret)
{
	static const uint8_t afs[] = { AF_V4, AF_V6 };
	const struct prog nothing = { .a = a };
	struct outcomes o;

	outcomes_init(&o, a);
	for (size_t i = 0; i < ARRAY_SIZE(afs); i++) {
		struct dds d CLEANUP(dd_fini) = { 0 };
		struct proof p = { .a = a, .d = &d, .o = &o, .m = both[0], .p = &nothing };

		if (dd_init(&d, PROVE_FEW_NODES) < 0)
			return -ENOMEM;
		if (!compare_within(&p, both, afs[i], compare, ret))
			vec_add(a, &ret->unproven, "so many packets to tell apart");
		ret->n_nodes += d.n;
	}
	return 0;
}

static uint32_t n_tries(const struct model *m, const struct model *other)
{
	const struct model *both[] = { m, other };
	uint32_t n = 1;

	for (size_t k = 0; k < ARRAY_SIZE(both); k++)
		for (uint32_t l = 0; l < both[k]->lists.n; l++)
			n += both[k]->lists.v[l].rules.n;
	return MIN(TRIED, TRIED_LEAST + TRIED_RULES / n);
}

static bool has_excluded(const struct prove_result *ret)
{
	bool has = false;

	for (uint32_t i = 0; i < ret->unproven.n; i++)
		has |= strcmp(ret->unproven.v[i], journey_excluded) == 0;
	return has;
}

int prove_cross(const struct model *m, const struct model *other, struct arena *a,
		struct prove_result *ret)
{
	const struct model *const both[] = { m, other };
	const bool with_nat = model_translates(m) || model_translates(other);
	const bool with_states = with_nat || remembers(m) || remembers(other);
	const uint32_t n = n_tries(m, other);
	bool is_left;
	int err = 0;

	*ret = (struct prove_result){ .n_nodes = 0 };
	vec_reserve(a, &ret->unproven, PROVE_MOST);
	if (!with_nat)
		err = compare_all((const struct model *const []){ without_memory(m),
								  without_memory(other) },
				  compare_family, a, ret);
	if (err == 0 && ret->differences.n == 0 && with_states)
		err = compare_all(both, talk_compare, a, ret);
	if (err < 0 || ret->differences.n > 0 || !with_states)
		return err;
	/* What was proven is tried too, a little: who proves may be wrong */
	is_left = ret->unproven.n > (has_excluded(ret) ? 1 : 0);
	journey_try(m, other, is_left ? n : TRIED_LEAST, a, ret);
	if (ret->differences.n == 0 && is_left)
		vec_add(a, &ret->unproven,
			arena_printf(a, "the rest of what is %sremembered; "
				     "%u conversations were tried",
				     with_nat ? "translated and " : "", n));
	return 0;
}
