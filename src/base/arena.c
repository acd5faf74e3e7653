/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Chunks that double from 64 KiB, each filled from its start.  A request that
 * does not fit opens a new chunk; what is left of the old one is lost, at most
 * half of what was used.  Running full is a longjmp and not a NULL, because a
 * NULL after each of some hundred calls is a hundred untested branches, and
 * the compiler's only answer to it is to give up.
 */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_MIN	(64u << 10)
#define CHUNK_MAX	(4u << 20)
#define ALIGN		_Alignof(max_align_t)
#define GROW_BYTES	64u	/* what a VEC() starts with: most have one or two elements */

struct arena_chunk {
	struct arena_chunk *next;
	size_t len;		/* bytes of @mem */
	size_t used;		/* of these */
	_Alignas(max_align_t) unsigned char mem[];
};

void arena_init(struct arena *a, size_t cap_bytes)
{
	*a = (struct arena){ .cap_bytes = cap_bytes };
}

void arena_fini(struct arena *a)
{
	while (a->head != NULL) {
		struct arena_chunk *c = a->head;

		a->head = c->next;
		free(c);
	}
	a->used_bytes = 0;
}

static void full(struct arena *a)
{
	BUG_IF(a->full == NULL);
	longjmp(*a->full, 1);
}

static struct arena_chunk *chunk_new(struct arena *a, size_t need)
{
	const size_t last = a->head != NULL ? a->head->len : CHUNK_MIN / 2;
	const size_t len = MAX(need, MIN(last * 2, CHUNK_MAX));
	const size_t total = sizeof(struct arena_chunk) + len;
	struct arena_chunk *c;

	if (total > a->cap_bytes - a->used_bytes)
		full(a);
	c = calloc(1, total);
	if (c == NULL)
		full(a);
	c->len = len;
	c->next = a->head;
	a->head = c;
	a->used_bytes += total;
	return c;
}

static size_t aligned(size_t size)
{
	return (size + ALIGN - 1) / ALIGN * ALIGN;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->head;
	void *p;

	if (size > a->cap_bytes)
		full(a);
	size = aligned(size);
	if (c == NULL || c->len - c->used < size)
		c = chunk_new(a, size);
	p = c->mem + c->used;
	c->used += size;
	return p;
}

/* Are the @size bytes at @p the last of the newest chunk */
static bool is_last(const struct arena *a, const void *p, size_t size)
{
	const struct arena_chunk *c = a->head;

	return c != NULL && p != NULL && size > 0 &&
	       (const unsigned char *)p + aligned(size) == c->mem + c->used;
}

void arena_trim(struct arena *a, void *p, size_t size, size_t keep)
{
	BUG_IF(keep > size);
	if (!is_last(a, p, size))
		return;
	memset((unsigned char *)p + keep, 0, size - keep);
	a->head->used -= aligned(size) - aligned(keep);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);

	if (len > 0)
		memcpy(p, s, len);
	return p;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char most[256];		/* as long as nearly all are, so that they are formatted once */
	va_list again;
	char *p;
	int len;

	va_copy(again, ap);
	len = vsnprintf(most, sizeof(most), fmt, again);
	va_end(again);
	BUG_IF(len < 0);
	if ((size_t)len < sizeof(most))
		return arena_strndup(a, most, (size_t)len);
	p = arena_alloc(a, (size_t)len + 1);
	vsnprintf(p, (size_t)len + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void *arena_grow(struct arena *a, void *v, uint32_t n, uint32_t *cap, size_t size)
{
	const size_t had = *cap * size;
	size_t more;
	void *grown;

	if (n < *cap)
		return v;
	*cap = n == 0 ? MAX(1, GROW_BYTES / (uint32_t)size) : n * 2;
	more = aligned(*cap * size) - aligned(had);
	if (is_last(a, v, had) && a->head->len - a->head->used >= more) {
		a->head->used += more;
		return v;
	}
	grown = arena_alloc(a, *cap * size);
	if (n > 0)
		memcpy(grown, v, n * size);
	return grown;
}
