/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/doctor_trial.h"

int doctor_trial_begin(struct doctor_trial *t, struct doctor *x, const struct doctor_base *c)
{
	*t = (struct doctor_trial){ .x = x, .c = c,
		.rules = { .nl = x->nft, .family = c->family, .name = c->table } };
	return doctor_table_read(&t->rules, x->a);
}

uint64_t doctor_trial_try(struct doctor_trial *t, const struct doctor_probe *p,
			  enum doctor_fate *ret)
{
	const struct doctor_base *c = t->c;
	uint64_t handle;
	bool is_open;

	*ret = DOCTOR_PASSES;
	if (t->n++ >= DOCTOR_TRIAL_MAX)
		return 0;
	*ret = doctor_table_fate(&t->rules, c->name, p, &handle, &is_open);
	t->is_open |= is_open;
	if (c->end.drops &&
	    (c->end.handle == 0 ? *ret == DOCTOR_ENDS : handle == c->end.handle)) {
		t->is_cut = true;
		return 0;
	}
	return handle;
}

void doctor_trial_tell(struct doctor_trial *t, uint64_t handle, const char *what,
		       const char *cure, struct span at, bool is_note)
{
	struct arena *a = t->x->a;

	for (uint32_t k = 0; k < t->n_told; k++)
		if (t->told[k] == handle)
			return;
	if (t->n_told == DOCTOR_TRIAL_TOLD)
		return;
	t->told[t->n_told++] = handle;
	doctor_add(t->x, &(struct doctor_finding){
		.object = arena_printf(a, "%s, rule with handle %llu",
				       doctor_base_place(a, t->c), (unsigned long long)handle),
		.what = arena_printf(a, "it %s", what), .cure = cure, .at = at,
		.is_note = is_note });
}

void doctor_trial_end(struct doctor_trial *t)
{
	doctor_table_free(&t->rules);
}
