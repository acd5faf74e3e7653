/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the lints say of random rulesets is held against model_eval() on many packets, and
 * a rule that is said to decide nothing is taken out and the rest proven equal.
 */
#include "unit.h"

#include <string.h>

#include "prove/lint.h"
#include "prove/proof.h"
#include "prove/sampler.h"
#include "prove_case.h"

struct tally {
	uint32_t n_shadowed;
	uint32_t n_never;
	uint32_t n_other;
	uint32_t n_left_out;
};

static bool is_place(const struct origin *o, const struct origin *p)
{
	return o->policy == POLICY_NONE && o->at.src == p->at.src && o->at.lo == p->at.lo;
}

/* No packet of a sequence, with what it leaves remembered, is decided by the rule */
static void check_never_decides(struct prove_case *c, const struct lint_finding *f, uint32_t n)
{
	struct sampler s;
	struct world w;

	sampler_init(&s, &c->m, &c->m, &c->a);
	world_init(&w, &c->a);
	for (uint32_t i = 0; i < n; i++) {
		const struct packet p = sampler_packet(&s, &c->m);
		struct arena scratch CLEANUP(arena_fini);
		struct result r;

		arena_init(&scratch, c->a.cap_bytes);
		if (i % 50 == 0)
			world_init(&w, &c->a);
		r = model_eval(&c->m, &w, &p, &scratch);
		for (uint32_t k = 0; k < r.steps.n; k++) {
			const struct step *at = &r.steps.v[k];

			if (at->is_final && at->rule != NULL && is_place(&at->origin, &f->rule) &&
			    !CHECK(false))
				printf("# %s decides %s of\n%s\n", f->rule.text,
				       prove_packet_line(&c->a, &p, "?"), c->text);
		}
	}
}

/* The text without the line that a place is in */
static const char *without(struct prove_case *c, struct span at)
{
	uint32_t lo = at.lo, hi = at.lo;

	while (lo > 0 && c->text[lo - 1] != '\n')
		lo--;
	while (c->text[hi] != '\0' && c->text[hi] != '\n')
		hi++;
	return arena_printf(&c->a, "%.*s%s", (int)lo, c->text, c->text + hi);
}

/* Tags and limits are numbered, and have other numbers where one of them is not there */
static bool has_numbers(const char *rule)
{
	return strstr(rule, "tag") != NULL || strstr(rule, "max-") != NULL;
}

/* Of packets of which nothing is remembered the program of the rest means what all rules mean */
static void check_same_without(struct prove_case *c, const struct lint_finding *f)
{
	struct prove_result r;
	struct prove_case rest;

	prove_case_like(&rest, c, without(c, f->rule.at));
	if (rest.program == NULL ||
	    !CHECK_INT(prove_program(&c->m, rest.program, PROVE_FEW_NODES, &c->a, &r), 0))
		r.differences.n = 0;
	for (uint32_t i = 0; i < r.differences.n; i++) {
		const struct prove_difference *d = &r.differences.v[i];

		if (!CHECK(d->is_known))
			printf("# without %s: %s: %s, %s of\n%s\n", f->rule.text, d->packet,
			       d->declared, d->kernel, c->text);
	}
	prove_case_fini(&rest);
}

static void check_finding(struct prove_case *c, const struct lint_finding *f, struct tally *t)
{
	t->n_never += f->kind == LINT_NEVER;
	t->n_shadowed += f->kind == LINT_SHADOWED;
	t->n_other += f->kind != LINT_NEVER && f->kind != LINT_SHADOWED;
	if (f->kind != LINT_NEVER)
		CHECK(f->packet != NULL);
	if (f->kind == LINT_NEVER || f->kind == LINT_SHADOWED)
		check_never_decides(c, f, 300);
}

static void lint_random(int kind, uint32_t n)
{
	struct tally t = { 0 };

	if (getenv("SALLYPORT_LONG") != NULL)
		n *= 50;
	for (uint32_t i = 0; i < n; i++) {
		struct lint_result r;
		struct prove_case c;

		prove_case_init(&c, kind, 5000 + i);
		if (c.program != NULL &&
		    CHECK_INT(prove_lint(&c.m, &c.decl, LINT_MAX_NODES, &c.a, &r), 0)) {
			t.n_left_out += r.is_left_out;
			for (uint32_t k = 0; k < r.list.n; k++)
				check_finding(&c, &r.list.v[k], &t);
			/* A proof takes longer than all the rest */
			if (r.list.n > 0 && r.list.v[0].kind <= LINT_SHADOWED &&
			    !has_numbers(r.list.v[0].rule.text))
				check_same_without(&c, &r.list.v[0]);
		}
		prove_case_fini(&c);
	}
	printf("# %u rulesets: %u rules shadowed, %u never match, %u others; %u left out\n", n,
	       t.n_shadowed, t.n_never, t.n_other, t.n_left_out);
	CHECK(t.n_shadowed > 0);
	CHECK(t.n_left_out * 4 <= n);
}

TEST(random_pf)
{
	lint_random(0, 8);
}

TEST(random_dense_pf)
{
	lint_random(1, 8);
}

TEST(random_hosts)
{
	lint_random(2, 8);
}

TEST(random_ipfw)
{
	lint_random(PROVE_IPFW, 8);
}

/* Of rules that tell more packets apart than there is room for nothing is said */
TEST(left_out)
{
	char text[64 * 200] = "pass in quick all no state\n"
			      "block in quick proto tcp to port 80\n";
	struct lint_result r;
	struct prove_case c;

	prove_case_text(&c, text, NULL);
	CHECK_INT(prove_lint(&c.m, &c.decl, LINT_MAX_NODES, &c.a, &r), 0);
	CHECK(!r.is_left_out);
	CHECK_INT(r.list.n, 1);
	prove_case_fini(&c);
	for (int i = 0; i < 150; i++)
		snprintf(text + strlen(text), 64, "pass out proto tcp from 10.1.%d.1 to port %d\n",
			 i, i);
	prove_case_text(&c, text, NULL);
	CHECK_INT(prove_lint(&c.m, &c.decl, 4096, &c.a, &r), 0);
	CHECK(r.is_left_out);
	CHECK_INT(r.list.n, 0);
	CHECK_INT(prove_lint(&c.m, &c.decl, LINT_MAX_NODES, &c.a, &r), 0);
	CHECK(!r.is_left_out);
	CHECK_INT(r.list.n, 1);
	prove_case_fini(&c);
}
