/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * natany - bytes as a NAT of any configuration and what happens to it
 *
 * What must hold whatever happens: every packet that leaves is whole, its checksums
 * are right if the packet that came was, none leaves with a source of the inside
 * unless it was let, and no limit is exceeded.
 *
 * Owns:	 its NAT.
 */
#ifndef TESTS_NATANY_H
#define TESTS_NATANY_H

#include <stddef.h>
#include <stdint.h>

/**
 * natany_run() - One NAT from its start to its end; what must not be aborts
 * @data:	What happens, as the .c says; what is missing is zeros
 * @len:	Its length
 *
 * Return: how many packets left the NAT
 */
uint32_t natany_run(const uint8_t *data, size_t len);

#endif /* TESTS_NATANY_H */
