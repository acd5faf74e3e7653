/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diff_gen_ipfw - rulesets of ipfw at random, as text
 *
 * About the host of gen_facts(), and with the addresses that gen_packet() sends.
 *
 * Owns:	 nothing.
 */
#ifndef TESTS_DIFF_GEN_IPFW_H
#define TESTS_DIFF_GEN_IPFW_H

#include "diff_gen.h"

/** gen_ipfw_ruleset() - A file of rules, as `ipfw FILE` reads it */
void gen_ipfw_ruleset(struct gen *g, struct arena *a, struct gen_lines *ret);

#endif /* TESTS_DIFF_GEN_IPFW_H */
