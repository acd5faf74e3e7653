/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Open addressing over FNV-1a, at most half full, never shrinking.  Strings
 * come from files that one user wrote for one compile, so the hash needs no
 * key: the worst that chosen names can do is slow down their own compile,
 * which the caps on file size bound.
 */
#include "base/intern.h"

#include <string.h>

#include "base/fnv.h"

#define SLOTS_MIN	256u

static uint32_t *find(struct intern *in, const char *s, size_t len)
{
	uint32_t at = fnv32(FNV32_START, s, len) & (in->n_slots - 1);

	for (;; at = (at + 1) & (in->n_slots - 1)) {
		const char *have;

		if (in->slot[at] == 0)
			return &in->slot[at];
		have = in->str.v[in->slot[at] - 1];
		if (strncmp(have, s, len) == 0 && have[len] == '\0')
			return &in->slot[at];
	}
}

static void rehash(struct intern *in, uint32_t n_slots)
{
	in->slot = arena_array(in->a, uint32_t, n_slots);
	in->n_slots = n_slots;
	for (uint32_t id = 0; id < in->str.n; id++)
		*find(in, in->str.v[id], strlen(in->str.v[id])) = id + 1;
}

void intern_init(struct intern *in, struct arena *a)
{
	*in = (struct intern){ .a = a };
	rehash(in, SLOTS_MIN);
	intern_id(in, "", 0);
}

uint32_t intern_id(struct intern *in, const char *s, size_t len)
{
	uint32_t *slot = find(in, s, len);

	if (*slot == 0) {
		vec_add(in->a, &in->str, arena_strndup(in->a, s, len));
		*slot = in->str.n;
		if (in->str.n > in->n_slots / 2)
			rehash(in, in->n_slots * 2);
		return in->str.n - 1;
	}
	return *slot - 1;
}

const char *intern_str(struct intern *in, const char *s, size_t len)
{
	/* First the number: a new string may move the array */
	const uint32_t id = intern_id(in, s, len);

	return in->str.v[id];
}

const char *intern_cstr(struct intern *in, const char *s)
{
	return intern_str(in, s, strlen(s));
}

uint32_t intern_cid(struct intern *in, const char *s)
{
	return intern_id(in, s, strlen(s));
}

const char *intern_name(const struct intern *in, uint32_t id)
{
	BUG_IF(id >= in->str.n);
	return in->str.v[id];
}
