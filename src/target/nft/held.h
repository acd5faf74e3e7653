/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * held - a map of forwards as the kernel holds it, beside the one that is wanted
 *
 * Takes the kernel's elements one by one in any order, keeps of those that are as
 * wanted what they have counted, and says in the end which are missing.
 *
 * Owns:	 nothing; lives in an arena.
 * Does not:	 read from the kernel.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_HELD_H
#define TARGET_NFT_HELD_H

#include "target/nft/kernel.h"

/**
 * struct nft_held_elem - What is known of a wanted element
 * @n:		What it has counted
 * @is_met:	The kernel holds it as wanted
 */
struct nft_held_elem {
	struct nft_counted n;
	bool is_met;
};

/**
 * struct nft_held - A map
 * @s:		As wanted
 * @made:	Elements on their way
 * @first:	By row of its table: number of the element of the row's first port; NULL
 *		before it is started
 * @v:		Elements, in the order of nft_each()
 * @n:		How many
 */
struct nft_held {
	const struct nft_set *s;
	struct nft_row_elem made;
	uint32_t *first;
	struct nft_held_elem *v;
	uint32_t n;
};

/** nft_held_new() - Of the map @s, which has a table of forwards; to be started */
struct nft_held *nft_held_new(struct arena *a, const struct nft_set *s);

/** nft_held_start() - Nothing is met, yet or any more; @a: where nft_held_new() made it */
void nft_held_start(struct arena *a, struct nft_held *h);

/**
 * nft_held_take() - Take an element of the kernel's
 * @h:		Its map
 * @e:		Element
 * @n:		What it has counted
 *
 * Cost: that of portmap_find().
 *
 * Return: it is as wanted, and met; else nothing is changed
 */
bool nft_held_take(struct nft_held *h, const struct nft_elem_bytes *e,
		   const struct nft_counted *n);

typedef void nft_held_fn(const struct nft_elem_bytes *e, uint32_t origin,
			 const struct nft_held_elem *what, void *arg);

/**
 * nft_held_each() - The wanted elements of which there is something to say
 * @h:		Map
 * @fn:		Told of each that is not met, and of each that has counted; what it points to
 *		is gone when the next comes
 * @arg:	For @fn
 */
void nft_held_each(struct nft_held *h, nft_held_fn *fn, void *arg);

#endif /* TARGET_NFT_HELD_H */
