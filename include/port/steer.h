/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steer - the kernel gives each packet to the worker whose it is
 *
 * Two programs: packets from inside by their source, packets from outside by hints that
 * the workers leave (nat/share.h).  What is right most of the time is enough: workers
 * hand on what is not theirs.
 *
 * Owns:	 descriptors; the hints' memory stays mapped until the process ends.
 * Does not:	 attach: that is a way's affair (port/io.h).
 * Threads:	 none.
 */
#ifndef PORT_STEER_H
#define PORT_STEER_H

#include "nat/share.h"

/**
 * struct steer - The programs
 * @prog:	By enum nat_side of what they sort
 * @map:	The hints
 * @hints:	The same as memory, NAT_HINTS bytes, for nat_config.hints
 */
struct steer {
	int prog[2];
	int map;
	uint8_t *hints;
};

#define STEER_NONE	((struct steer){ .prog = { -1, -1 }, .map = -1 })

/**
 * steer_open() - Load the programs
 * @s:		STEER_NONE; set on success
 * @n_workers:	How many share the packets, at least 2
 *
 * Return: 0, or a negative errno: -EPERM where no programs may be loaded
 */
MUST_USE int steer_open(struct steer *s, uint32_t n_workers);

/** steer_close() - Close descriptors; programs stay where they are attached */
void steer_close(struct steer *s);

#endif /* PORT_STEER_H */
