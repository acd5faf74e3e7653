/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nft_vm - programs of nf_tables, run on single packets
 *
 * A machine of its own: it shares nothing with the prover but the reader of
 * messages.  It runs whole hooks, chains in order of priority, on bytes.
 *
 * Owns:	 nothing.
 */
#ifndef TESTS_NFT_VM_H
#define TESTS_NFT_VM_H

#include "model/model.h"
#include "prove/prog.h"

/**
 * struct vm_options - What is compared
 * @answer:	Bit of the ct mark that says that the host refused and answers
 * @counts:	Whether rules that somebody wrote count the same, each by itself
 */
struct vm_options {
	uint32_t answer;
	bool counts;
};

/**
 * vm_same() - Do two programs do the same with many packets
 * @m:		Declarations: the host
 * @good:	Program
 * @bad:	Another
 * @how:	What is compared, beside what becomes of packets and what is logged of them
 * @seed:	Of the packets
 * @a:		Memory
 * @ret_why:	Set to a packet for which they differ
 *
 * Packets have the values that either program compares with, and those beside them.
 * What the prover does not compare is left out: the kernel's own answers, source
 * routes, errors about known flows, and ICMP of the other family.
 *
 * Return: whether no packet showed a difference
 */
bool vm_same(const struct model *m, const struct prog *good, const struct prog *bad,
	     const struct vm_options *how, uint64_t seed, struct arena *a, const char **ret_why);

#endif /* TESTS_NFT_VM_H */
