/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * rtnetlink is not atomic, so there is no transaction to prepare: plan, carry
 * out, read again, and plan again until the plan is empty.  That one loop
 * covers a run that was killed, somebody else who works at the same time, and
 * the secondaries that went with their primary.  It is bounded, because
 * somebody else may work against us.
 *
 * Each round has an arena of its own: what it read of the host means nothing
 * to the next.
 */
#include "host/apply.h"

#include "base/limits.h"
#include "host/apply_link.h"
#include "host/apply_sysctl.h"

/* @w is NULL to take everything away */
static int make_plan(struct host *h, const struct host_want *w, const struct host_have *have,
		     struct host_plan *plan)
{
	if (w != NULL)
		host_plan_make(w, have, h->a, h->diags, plan);
	else
		host_plan_destroy(have, h->a, h->diags, plan);
	return w != NULL && h->diags->n_errors > 0 ? -EINVAL : 0;
}

/* From here on a missing record means that it was lost */
static int start_record(struct host *h, struct host_have *have)
{
	if (have->is_saved_there)
		return 0;
	have->saved.is_lost = have->is_saved_lost;
	return host_record(h, &have->saved);
}

/* One round on links and addresses; how many operations, or a negative errno */
static int link_round(struct host *h, const struct host_want *w)
{
	struct host_have have;
	struct host_plan plan = { 0 };
	int n = 0;
	int err = host_have_read(h->s, h->st, h->a, &have);

	if (err == 0)
		err = make_plan(h, w, &have, &plan);
	if (err == 0 && w != NULL)
		err = start_record(h, &have);
	if (err < 0)
		return err;
	for (uint32_t i = 0; i < plan.ops.n && err == 0; i++) {
		if (host_op_is_sysctl(&plan.ops.v[i]))
			continue;
		err = host_apply_link(h, &plan.ops.v[i]);
		n++;
	}
	return err < 0 ? err : n;
}

static int sysctl_round(struct host *h, const struct host_want *w)
{
	struct host_have have;
	struct host_plan plan = { 0 };
	int n = 0;
	int err = host_have_read(h->s, h->st, h->a, &have);

	if (err == 0 && have.saved.journal.list.n > 0) {
		err = host_resume(h, &have.saved);
		if (err == 0)
			err = host_have_read(h->s, h->st, h->a, &have);
	}
	if (err == 0)
		err = make_plan(h, w, &have, &plan);
	if (err == 0 && w != NULL)
		err = start_record(h, &have);
	if (err < 0)
		return err;
	for (uint32_t i = 0; i < plan.ops.n && err == 0; i++) {
		if (!host_op_is_sysctl(&plan.ops.v[i]))
			continue;
		err = host_apply_sysctl(h, &plan.ops.v[i], &have.saved);
		n++;
	}
	if (err == 0)
		err = host_forget_foreign(h, w, &have.saved);
	return err < 0 ? err : n;
}

static int run_round(struct host *h, const struct host_want *w, enum host_part part)
{
	struct arena a CLEANUP(arena_fini);
	struct host round = *h;
	int n;

	arena_init(&a, LIMIT_ARENA_BYTES);
	a.full = h->a->full;
	round.a = &a;
	n = part == HOST_LINKS ? link_round(&round, w) : sysctl_round(&round, w);
	h->is_mark_kept = round.is_mark_kept;
	return n;
}

static int converge(struct host *h, const struct host_want *w, enum host_part part)
{
	for (unsigned int i = 0; i < HOST_ROUNDS; i++) {
		const int n = run_round(h, w, part);

		if (n <= 0)
			return n;
	}
	diag_add(h->diags, DIAG_E1809, SPAN_NONE,
		 "%s do not become as declared: somebody else changes them at the same time",
		 part == HOST_LINKS ? "links and addresses" : "settings");
	return -EINVAL;
}

int host_apply(struct host *h, const struct host_want *w, enum host_part part)
{
	return converge(h, w, part);
}

int host_destroy(struct host *h, enum host_part part)
{
	return converge(h, NULL, part);
}
