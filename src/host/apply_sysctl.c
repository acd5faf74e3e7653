/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Setting: what the setting was, and everything that changes along with it, is
 * on disk before the write.  Killed in between, the record tells of a change
 * that never was; the value differs from the one that we set then, so nothing
 * is put back, and the next apply records anew.
 *
 * Putting back takes many writes (clearing ip_forward clears every interface),
 * so the values that are to be in the end are written to a journal first.
 * Whoever finds a journal finishes it before anything else.
 */
#include "host/apply_sysctl.h"

#include <string.h>

int host_record(struct host *h, const struct sysctl_state *s)
{
	char *text CLEANUP(base_free) = NULL;
	size_t len;
	const int err = sysctl_state_print(s, &text, &len);

	return err < 0 ? err : state_write(h->st, "sysctl", text, len);
}

int host_resume(struct host *h, struct sysctl_state *s)
{
	for (uint32_t i = 0; i < s->journal.list.n; i++) {
		const struct sysctl *x = &s->journal.list.v[i];
		const int err = sysctl_write(x->path, x->value);

		/* An interface that went away has no setting to put back */
		if (err < 0 && err != -ENOENT)
			return err;
	}
	if (s->journal.list.n == 0)
		return 0;
	s->journal.list.n = 0;
	return host_record(h, s);
}

static int tell_failure(struct host *h, const struct host_op *op, int err)
{
	if (err == -EPERM || err == -EACCES || err == -EROFS)
		return err;
	diag_add(h->diags, DIAG_E1806, op->at, "the kernel refuses to %s %s: %s",
		 host_op_verb(op), op->object, strerror(-err));
	return -EINVAL;
}

/* The record of a setting as it is now, about to become @value */
static int save_now(struct host *h, const char *path, const char *value, struct sysctl_saved *ret)
{
	struct sysctls along = { 0 };
	const char *was;
	int err = sysctl_read(path, h->a, &was);

	if (err == 0)
		err = sysctl_along_read(path, h->a, &along);
	if (err < 0)
		return err;
	*ret = (struct sysctl_saved){ .main = { path, was, value } };
	for (uint32_t i = 0; i < along.list.n; i++) {
		const struct sysctl *x = &along.list.v[i];

		vec_add(h->a, &ret->along,
			((struct sysctl_change){ x->path, x->value,
						 sysctl_predict(x->path, value) }));
	}
	return 0;
}

/* What was before us stays known when we change our own value once more */
static void keep_older(struct sysctl_saved *now, const struct sysctl_saved *old)
{
	if (strcmp(old->main.set, now->main.was) != 0)
		return;
	now->main.was = old->main.was;
	for (uint32_t i = 0; i < now->along.n; i++) {
		struct sysctl_change *c = &now->along.v[i];

		for (uint32_t j = 0; j < old->along.n; j++)
			if (strcmp(old->along.v[j].path, c->path) == 0 &&
			    strcmp(old->along.v[j].set, c->was) == 0)
				c->was = old->along.v[j].was;
	}
}

static int set(struct host *h, const struct host_op *op, struct sysctl_state *s)
{
	struct sysctl_saved now, *old = sysctl_saved_find(s, op->name);
	int err = save_now(h, op->name, op->value, &now);

	if (err < 0)
		return tell_failure(h, op, err);
	if (old != NULL) {
		keep_older(&now, old);
		*old = now;
	} else {
		vec_add(h->a, &s->saved, now);
	}
	err = host_record(h, s);
	if (err < 0)
		return err;
	err = sysctl_write(op->name, op->value);
	return err < 0 ? tell_failure(h, op, err) : 0;
}

static void drop(struct sysctl_state *s, const struct sysctl_saved *x)
{
	const uint32_t at = (uint32_t)(x - s->saved.v);

	for (uint32_t i = at + 1; i < s->saved.n; i++)
		s->saved.v[i - 1] = s->saved.v[i];
	s->saved.n--;
}

static int put_back(struct host *h, const struct host_op *op, struct sysctl_state *s)
{
	struct sysctl_saved *saved = sysctl_saved_find(s, op->name);
	struct sysctls along = { 0 };
	int err;

	BUG_IF(saved == NULL);
	err = sysctl_along_read(op->name, h->a, &along);
	if (err < 0)
		return tell_failure(h, op, err);
	sysctl_put_back(saved, &along, h->a, &s->journal);
	drop(s, saved);
	err = host_record(h, s);
	if (err == 0)
		err = host_resume(h, s);
	return err < 0 ? tell_failure(h, op, err) : 0;
}

int host_apply_sysctl(struct host *h, const struct host_op *op, struct sysctl_state *s)
{
	BUG_IF(op->kind != HOST_SYSCTL_SET && op->kind != HOST_SYSCTL_BACK);
	return op->kind == HOST_SYSCTL_SET ? set(h, op, s) : put_back(h, op, s);
}

static bool is_wanted(const struct host_want *w, const char *path)
{
	for (uint32_t i = 0; w != NULL && i < w->sysctls.n; i++)
		if (strcmp(w->sysctls.v[i].path, path) == 0)
			return true;
	return false;
}

bool host_is_set(const struct host_want *w, const struct host_have *have,
		 const struct host_plan *plan)
{
	for (uint32_t i = 0; i < plan->ops.n; i++)
		if (host_op_is_sysctl(&plan->ops.v[i]))
			return false;
	for (uint32_t i = 0; i < have->saved.saved.n; i++)
		if (!is_wanted(w, have->saved.saved.v[i].main.path))
			return false;
	return have->is_saved_there;
}

int host_forget_foreign(struct host *h, const struct host_want *w, struct sysctl_state *s)
{
	const uint32_t n = s->saved.n;

	for (uint32_t i = 0; i < s->saved.n;)
		if (is_wanted(w, s->saved.v[i].main.path))
			i++;
		else
			drop(s, &s->saved.v[i]);
	return s->saved.n == n ? 0 : host_record(h, s);
}
