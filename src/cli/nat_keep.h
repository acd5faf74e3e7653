/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat_keep - the state file of a live NAT
 *
 * Opened while there are rights to, written when there are none left.
 *
 * Owns:	 its descriptor.
 * Threads:	 none.
 */
#ifndef CLI_NAT_KEEP_H
#define CLI_NAT_KEEP_H

#include "cli/cli.h"
#include "nat/nat.h"

/**
 * struct nat_keep - A state file
 * @path:	Its path, NULL: there is none
 * @fd:		It
 */
struct nat_keep {
	const char *path;
	int fd;
};

/**
 * nat_keep_open() - Take up what the file holds, and open it for writing
 * @c:		Run; --state says which, else it is found by the outside interface
 * @outside:	That
 * @nat:	NAT, as new
 * @now_ns:	Time
 * @k:		Set; without a path in a namespace that has no lasting name
 *
 * Return: 0, or an exit status with a diagnostic
 */
int nat_keep_open(struct cli *c, const char *outside, struct nat *nat, uint64_t now_ns,
		  struct nat_keep *k);

/** nat_keep_save() - Write the NAT's state; 0 or a negative errno */
MUST_USE int nat_keep_save(const struct nat_keep *k, const struct nat *nat);

#endif /* CLI_NAT_KEEP_H */
