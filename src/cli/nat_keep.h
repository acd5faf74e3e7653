/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat_keep - the state file of a live NAT
 *
 * What sealed workers have saved, one behind the other, in a file that is there
 * whole or not at all.
 *
 * Owns:	 what it has read.
 * Threads:	 none.
 */
#ifndef CLI_NAT_KEEP_H
#define CLI_NAT_KEEP_H

#include "cli/cli.h"

/**
 * struct nat_keep - A state file
 * @path:	Its path, NULL: there is none
 * @is_asked:	--state said so: one that is damaged is an error
 * @data:	What it held when it was opened
 * @len:	Its bytes
 */
struct nat_keep {
	const char *path;
	bool is_asked;
	uint8_t *data;
	size_t len;
};

/** struct nat_keep_piece - Bytes of it */
struct nat_keep_piece {
	const uint8_t *p;
	size_t len;
};

/**
 * nat_keep_open() - Read what the file holds, and see that it can be written
 * @c:		Run; --state says which, else it is found by the outside interface
 * @outside:	That
 * @k:		Set; without a path in a namespace that has no lasting name
 *
 * Return: 0, or an exit status with a diagnostic
 */
int nat_keep_open(struct cli *c, const char *outside, struct nat_keep *k);

/** nat_keep_forget() - What was read is needed no more */
void nat_keep_forget(struct nat_keep *k);

/** nat_keep_write() - Replace the file, if there is one; 0 or a negative errno */
MUST_USE int nat_keep_write(const struct nat_keep *k, const struct nat_keep_piece *v, uint32_t n);

#endif /* CLI_NAT_KEEP_H */
