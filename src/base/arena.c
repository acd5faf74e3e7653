/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Chunks that double from 64 KiB, each filled from its start.  A request that
 * does not fit opens a new chunk; what is left of the old one is lost, at most
 * half of what was used.  A vector of megabytes has a chunk for itself and grows
 * with it, by remap and without copies: else all sizes that it ever had would
 * stay.
 *
 * A third of what it took to parse forwards, 1,000 as well as 100,000, were page faults
 * (bench_apply).  So chunks of megabytes are in huge pages where there are some, the
 * pages of others are asked for some at a time, and chunks that are given up are kept
 * for the next arena.
 *
 * Running full is a longjmp and not a NULL, because a NULL after each of some
 * hundred calls is a hundred untested branches, and the compiler's only answer to
 * it is to give up.
 */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/pages.h"

#define CHUNK_MIN	(64u << 10)
#define CHUNK_MAX	(4u << 20)
#define HUGE_BYTES	(2u << 20)	/* chunks from here on are in huge pages */
#define ALIGN		_Alignof(max_align_t)
#define CLEAN_BYTES	1024u	/* made clean at a time: most allocations find that done */
#define ALONE_MIN	HUGE_BYTES	/* a vector that may grow with its chunk, bytes */
#define GROW_BYTES	64u	/* what a VEC() starts with: most have one or two elements */

struct arena_chunk {
	struct arena_chunk *next;
	size_t len;		/* bytes of @mem */
	size_t used;		/* of these */
	size_t clean;		/* behind the used ones up to here all are zero, with their pages */
	size_t dirty;		/* behind these all are zero */
	size_t ready;		/* bytes of the chunk whose pages are there */
	bool is_mapped;
	_Alignas(max_align_t) unsigned char mem[];
};

/*
 * Where the sanitizer has to see who uses memory that was given up, and what only an
 * arena points to, small chunks come from the heap and none is kept.
 */
#ifdef __SANITIZE_ADDRESS__
#define MAP_BYTES	(128u << 10)
#define KEPT_BYTES	0u
#else
#define MAP_BYTES	CHUNK_MIN	/* chunks from here on are mapped */
#define KEPT_BYTES	(2u << 20)
#endif

static struct {
	struct arena_chunk *list;
	size_t bytes;
} kept;

/* What is in a chunk counts no longer */
static void forget(struct arena_chunk *c)
{
	c->dirty = MAX(c->dirty, c->used);
	c->used = c->clean = 0;
}

static bool keep(struct arena_chunk *c)
{
	const size_t total = sizeof(*c) + c->len;

	/* Nobody asks for a size again that is no power of two */
	if (total > KEPT_BYTES - kept.bytes || (total & (total - 1)) != 0)
		return false;
	forget(c);
	c->next = kept.list;
	kept.list = c;
	kept.bytes += total;
	return true;
}

static struct arena_chunk *take_kept(size_t len)
{
	struct arena_chunk **at = &kept.list, *c;

	while (*at != NULL && (*at)->len != len)
		at = &(*at)->next;
	c = *at;
	if (c != NULL) {
		*at = c->next;
		kept.bytes -= sizeof(*c) + len;
	}
	return c;
}

void arena_init(struct arena *a, size_t cap_bytes)
{
	*a = (struct arena){ .cap_bytes = cap_bytes };
}

static void pop(struct arena *a)
{
	struct arena_chunk *c = a->head;

	a->head = c->next;
	a->used_bytes -= sizeof(*c) + c->len;
	if (keep(c))
		return;
	if (c->is_mapped)
		munmap(c, sizeof(*c) + c->len);
	else
		free(c);
}

void arena_fini(struct arena *a)
{
	while (a->head != NULL)
		pop(a);
}

void arena_clear(struct arena *a)
{
	while (a->head != NULL && a->head->next != NULL)
		pop(a);
	if (a->head != NULL)
		forget(a->head);
}

static NORETURN void full(struct arena *a)
{
	BUG_IF(a->full == NULL);
	longjmp(*a->full, 1);
}

/* Memory of a chunk, or NULL */
static struct arena_chunk *chunk_map(size_t total)
{
	struct arena_chunk *c;

	if (total < MAP_BYTES) {
		c = malloc(total);
		if (c != NULL)
			*c = (struct arena_chunk){ .dirty = total, .ready = total };
		return c;
	}
	c = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c == MAP_FAILED)
		return NULL;
	if (total >= HUGE_BYTES)
		(void)madvise(c, total, MADV_HUGEPAGE);
	c->ready = total >= HUGE_BYTES ? total : pages_ready(c, 0, 1, total);
	c->is_mapped = true;
	return c;
}

static struct arena_chunk *chunk_new(struct arena *a, size_t need)
{
	const size_t header = sizeof(struct arena_chunk);
	const size_t last = a->head != NULL ? header + a->head->len : CHUNK_MIN / 2;
	const size_t total = MAX(header + need, MIN(last * 2, CHUNK_MAX));
	const size_t len = total - header;
	struct arena_chunk *c;

	if (total > a->cap_bytes - a->used_bytes)
		full(a);
	c = take_kept(len);
	if (c == NULL)
		c = chunk_map(total);
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

/* Zero the bytes from those that are clean up to @to, or some more, and have their pages */
static void make_clean(struct arena_chunk *c, size_t to)
{
	const size_t from = c->clean;

	to = MAX(to, MIN(from + CLEAN_BYTES, c->len));
	if (sizeof(*c) + to > c->ready)
		c->ready = pages_ready(c, c->ready, sizeof(*c) + to, sizeof(*c) + c->len);
	if (from < c->dirty)
		memset(c->mem + from, 0, MIN(to, c->dirty) - from);
	c->clean = to;
}

/* The next @size bytes of a chunk that has them, zeroed */
static inline void *take(struct arena_chunk *c, size_t size)
{
	const size_t at = c->used, end = at + size;

	if (end > c->clean)
		make_clean(c, end);
	c->used = end;
	return c->mem + at;
}

/* What most allocations do not come to; not inlined, so that they save no registers */
static __attribute__((noinline)) void *alloc_slowly(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->head;

	if (c == NULL || c->len - c->used < size)
		c = chunk_new(a, size);
	return take(c, size);
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->head;
	size_t at;

	if (size > a->cap_bytes)
		full(a);
	size = aligned(size);
	if (c == NULL || c->clean - c->used < size)
		return alloc_slowly(a, size);
	at = c->used;
	c->used += size;
	return c->mem + at;
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
	memset((unsigned char *)p + keep, 0, MIN(size, aligned(keep)) - keep);
	a->head->dirty = MAX(a->head->dirty, a->head->used);
	a->head->used -= aligned(size) - aligned(keep);
	a->head->clean = a->head->used;
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

/* Where the chunk is linked that holds nothing but these bytes, or NULL */
static struct arena_chunk **find_alone(struct arena *a, const void *v, size_t had)
{
	struct arena_chunk **at = &a->head;

	while (*at != NULL && (const void *)(*at)->mem != v)
		at = &(*at)->next;
	return *at != NULL && (*at)->is_mapped && (*at)->used == aligned(had) ? at : NULL;
}

static void *grow_chunk(struct arena *a, struct arena_chunk **at, size_t need)
{
	const size_t more = need - MIN(need, (*at)->len);
	struct arena_chunk *c;

	(void)take(*at, MIN(need, (*at)->len) - (*at)->used);
	if (more == 0)
		return (*at)->mem;
	if (more > a->cap_bytes - a->used_bytes)
		full(a);
	c = mremap(*at, sizeof(*c) + (*at)->len, sizeof(*c) + need, MREMAP_MAYMOVE);
	if (c == MAP_FAILED)
		full(a);
	(void)madvise(c, sizeof(*c) + need, MADV_HUGEPAGE);
	a->used_bytes += more;
	c->len = c->used = c->clean = need;
	c->ready = sizeof(*c) + need;
	*at = c;
	return c->mem;
}

static void *resize(struct arena *a, void *v, uint32_t n, uint32_t *cap, uint32_t want,
		    size_t size)
{
	const size_t had = *cap * size, need = aligned(want * size);
	struct arena_chunk **alone;
	void *grown;

	*cap = want;
	if (is_last(a, v, had) && a->head->len - a->head->used >= need - aligned(had)) {
		(void)take(a->head, need - aligned(had));
		return v;
	}
	alone = had >= ALONE_MIN ? find_alone(a, v, had) : NULL;
	if (alone != NULL)
		return grow_chunk(a, alone, need);
	grown = arena_alloc(a, need);
	if (n > 0)
		memcpy(grown, v, n * size);
	return grown;
}

void *arena_grow(struct arena *a, void *v, uint32_t n, uint32_t *cap, size_t size)
{
	if (n < *cap)
		return v;
	return resize(a, v, n, cap, n == 0 ? MAX(1, GROW_BYTES / (uint32_t)size) : n * 2, size);
}

void *arena_reserve(struct arena *a, void *v, uint32_t n, uint32_t *cap, uint32_t want, size_t size)
{
	return want <= *cap ? v : resize(a, v, n, cap, want, size);
}
