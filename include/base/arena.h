/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena - the memory of one compile
 *
 * Everything that parsing and compiling makes lives in one arena and is freed
 * with it.  The arena has a cap, so a hostile file meets an error and not the
 * out-of-memory killer.
 *
 * Owns:	 its chunks; arena_fini() frees all.
 * Does not:	 free single objects.
 * Threads:	 none.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include "base/base.h"

struct arena_chunk;

/**
 * struct arena - Memory that is freed together
 * @head:	Chunks, newest first
 * @used_bytes:	Bytes taken from the system
 * @cap_bytes:	Most that may be taken
 * @full:	Where to go when the cap is met; NULL: that is a bug
 */
struct arena {
	struct arena_chunk *head;
	size_t used_bytes;
	size_t cap_bytes;
	jmp_buf *full;
};

/**
 * arena_init() - An empty arena
 * @a:		Arena
 * @cap_bytes:	Most that it may take from the system
 */
void arena_init(struct arena *a, size_t cap_bytes);

/**
 * arena_fini() - Free everything that came from the arena
 * @a:		Arena, or one that is all zero
 */
void arena_fini(struct arena *a);

/**
 * arena_clear() - Take back everything that came from the arena, and keep a chunk
 * @a:		Arena
 *
 * For work that comes again and again: what fits into the oldest chunk asks the
 * system for nothing more.
 *
 * Cost: that of giving back the chunks but one.
 */
void arena_clear(struct arena *a);

/**
 * arena_alloc() - Zeroed memory, aligned for any type
 * @a:		Arena
 * @size:	Bytes, 0 allowed
 *
 * When the cap is met control goes to *@a->full (longjmp with value 1); code
 * between the setjmp and here therefore holds nothing but arena memory.
 *
 * Return: memory, never NULL
 */
void *arena_alloc(struct arena *a, size_t size);

/**
 * arena_trim() - Give back the end of what was allocated last
 * @a:		Arena
 * @p:		From arena_alloc()
 * @size:	What was asked for then
 * @keep:	Bytes from @p that stay, at most @size
 *
 * For results whose size is known only once they are made.  Without effect
 * when something was allocated since.
 */
void arena_trim(struct arena *a, void *p, size_t size, size_t keep);

/** arena_new() - A zeroed object of @type */
#define arena_new(a, type)	((type *)arena_alloc((a), sizeof(type)))

/** arena_array() - @n zeroed objects of @type */
#define arena_array(a, type, n)	((type *)arena_alloc((a), (size_t)(n) * sizeof(type)))

/**
 * arena_strndup() - A copy with a NUL after it
 * @a:		Arena
 * @s:		Bytes to copy
 * @len:	How many
 *
 * Return: the copy
 */
char *arena_strndup(struct arena *a, const char *s, size_t len);

/**
 * arena_printf() - A formatted string
 * @a:		Arena
 * @fmt:	As printf
 *
 * Return: the string
 */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);

/** arena_vprintf() - As arena_printf(), with a va_list */
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) PRINTF(2, 0);

/**
 * arena_grow() - Room for one element more, for VEC()
 * @a:		Arena
 * @v:		Elements now, or NULL
 * @n:		How many there are
 * @cap:	How many there is room for; updated
 * @size:	Bytes of one element
 *
 * Cost: amortised O(1).  What was allocated last grows where it is, and what is so
 * large that it has a chunk for itself with its chunk; else the old elements stay in
 * the arena until it ends.
 *
 * Return: the elements, with room for @n + 1
 */
void *arena_grow(struct arena *a, void *v, uint32_t n, uint32_t *cap, size_t size);

/** arena_reserve() - As arena_grow(), with room for exactly @want elements, more than @n */
void *arena_reserve(struct arena *a, void *v, uint32_t n, uint32_t *cap, uint32_t want,
		    size_t size);

/** VEC() - A growing array of @type in an arena; all zero is empty */
#define VEC(type) \
	struct { \
		type *v; \
		uint32_t n; \
		uint32_t cap; \
	}

/*
 * Where there is room, without a call: most have been given it before.  The analyzer does
 * not know that who has room has elements.
 */
#ifdef __clang_analyzer__
#define vec_is_full_(vec) true
#else
#define vec_is_full_(vec) ((vec)->n >= (vec)->cap)
#endif

#define vec_room_(a, vec) \
	(vec_is_full_(vec) ? \
	 (void)((vec)->v = arena_grow((a), (vec)->v, (vec)->n, &(vec)->cap, \
				      sizeof(*(vec)->v))) : (void)0)

/** vec_push() - Add a zeroed element to a VEC; its address */
#define vec_push(a, vec) \
	(vec_room_((a), (vec)), \
	 memset(&(vec)->v[(vec)->n], 0, sizeof(*(vec)->v)), &(vec)->v[(vec)->n++])

/** vec_reserve() - Room for @want elements, so that as many are no more than they are */
#define vec_reserve(a, vec, want) \
	((vec)->v = arena_reserve((a), (vec)->v, (vec)->n, &(vec)->cap, (want), \
				  sizeof(*(vec)->v)))

/** vec_add() - Add the value @x to a VEC; not zeroed before, as vec_push() does */
#define vec_add(a, vec, x) \
	(vec_room_((a), (vec)), \
	 (vec)->v[(vec)->n] = (x), (void)(vec)->n++)

#endif /* BASE_ARENA_H */
