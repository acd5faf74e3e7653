/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fnv - FNV-1a, over bytes that nobody forges
 *
 * For tables of names of one run, and against a full disk, an editor and a torn
 * write.  Who is to withstand chosen keys needs a keyed hash.
 *
 * Owns:	 nothing.
 * Threads:	 any; pure.
 */
#ifndef BASE_FNV_H
#define BASE_FNV_H

#include "base/base.h"

#define FNV32_START	2166136261u
#define FNV64_START	UINT64_C(0xcbf29ce484222325)

/**
 * fnv32() - 32 bits over more bytes
 * @h:		FNV32_START, or the hash so far
 * @data:	Bytes; NULL if @len is 0
 * @len:	How many
 *
 * Return: the hash
 */
static inline uint32_t fnv32(uint32_t h, const void *data, size_t len)
{
	const uint8_t *b = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * 16777619u;
	return h;
}

/**
 * fnv64() - As fnv32(), 64 bits
 * @h:		FNV64_START, or the hash so far
 * @data:	Bytes; NULL if @len is 0
 * @len:	How many
 *
 * Return: the hash
 */
static inline uint64_t fnv64(uint64_t h, const void *data, size_t len)
{
	const uint8_t *b = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * UINT64_C(0x100000001b3);
	return h;
}

#endif /* BASE_FNV_H */
