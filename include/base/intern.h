/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * intern - each string once
 *
 * Interned strings are equal exactly when their pointers are, and each has a
 * small number, so that names (of interfaces, tags, tables) can be members of
 * numeric sets.
 *
 * Owns:	 nothing; strings and table live in the arena.
 * Threads:	 none.
 */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include "base/arena.h"

/**
 * struct intern - The strings seen so far
 * @a:		Where they live
 * @str:	Strings by number; number 0 is the empty string
 * @slot:	Open-addressing hash of numbers + 1; 0 = free
 * @n_slots:	Slots, a power of two
 */
struct intern {
	struct arena *a;
	VEC(const char *) str;
	uint32_t *slot;
	uint32_t n_slots;
};

/**
 * intern_init() - A table with only the empty string
 * @in:		Table
 * @a:		Arena for strings and table
 */
void intern_init(struct intern *in, struct arena *a);

/**
 * intern_id() - The number of a string, a new one if it is new
 * @in:		Table
 * @s:		Bytes, may hold anything but NUL
 * @len:	How many
 *
 * Return: its number; numbers count up from 0
 */
uint32_t intern_id(struct intern *in, const char *s, size_t len);

/** intern_str() - The interned copy of the @len bytes at @s */
const char *intern_str(struct intern *in, const char *s, size_t len);

/** intern_cstr() - The interned copy of a C string */
const char *intern_cstr(struct intern *in, const char *s);

/** intern_cid() - The number of a C string */
uint32_t intern_cid(struct intern *in, const char *s);

/** intern_name() - The string with number @id */
const char *intern_name(const struct intern *in, uint32_t id);

#endif /* BASE_INTERN_H */
