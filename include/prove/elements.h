/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elements - does a batch change the elements of one forward, and nothing else
 *
 * The short way of a forward sends a few elements of a map whose rules were proven
 * when they were loaded.  What is sent is read here from its bytes and held against
 * what was declared: which places, all of them, each once, and where each leads.
 *
 * Owns:	 nothing.
 * Does not:	 know how the bytes were made, or what the kernel holds.
 * Threads:	 none.
 */
#ifndef PROVE_ELEMENTS_H
#define PROVE_ELEMENTS_H

#include "model/decl.h"
#include "target/nft_forward.h"

/**
 * struct prove_elements - What a batch should do
 * @f:		The forward: its protocols and ports
 * @is_add:	Elements come; else they go
 * @maps:	Maps that they are of, [0] IPv4; NULL: none of this family
 * @outside:	Outside addresses that they may have
 * @n_outside:	How many
 * @inside:	Where they lead, by family
 * @written:	Where each led when it was switched off; NULL: as @f says
 * @n:		How many there are to be
 */
struct prove_elements {
	const struct decl_forward *f;
	bool is_add;
	const char *maps[2];
	const struct addr *outside;
	uint32_t n_outside;
	struct addr inside[2];
	const struct nft_forward *written;
	uint32_t n;
};

/** prove_elements_count() - Elements that a forward has for @n_outside addresses */
uint32_t prove_elements_count(const struct decl_forward *f, uint32_t n_outside);

/**
 * prove_elements() - Is a batch what it should be
 * @bytes:	Its messages, from the first on
 * @len:	Their length, bytes
 * @want:	What it should do
 *
 * Cost: O(elements * (elements + addresses + ports)).
 *
 * Return: whether it is
 */
bool prove_elements(const void *bytes, size_t len, const struct prove_elements *want);

#endif /* PROVE_ELEMENTS_H */
