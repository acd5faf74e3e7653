/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf - a ruleset as a program of classic BPF, or as a pcap-filter(7) expression
 *
 * Answers one of two questions of a packet, by its bytes alone.  BPF_TOUCH: could
 * the ruleset do anything to it but let it pass as it is, whatever interface it
 * crosses and whatever came before: refuse, answer, translate, log it, remember
 * its flow, or find it to be of a flow remembered.  BPF_FILTER: does it pass at
 * one crossing, nothing being remembered: what model_eval() says of a first packet.
 *
 * Owns:	 nothing; results live in the model's arena.
 * Does not:	 know frames with VLAN tags: BPF_TOUCH accepts them, BPF_FILTER does
 *		 not.  What is no IP, and what is cut off before a byte that decides,
 *		 neither accepts.
 * Threads:	 none.
 * Normative:	 The BSD Packet Filter (McCanne, Jacobson 1993); pcap-filter(7).
 */
#ifndef TARGET_BPF_H
#define TARGET_BPF_H

#include <pcap/pcap.h>
#include <stdio.h>

#include "model/model.h"

#define BPF_ACCEPT_BYTES	262144u		/* what an accepting program returns */

enum bpf_part { BPF_TOUCH, BPF_FILTER };
enum bpf_link { BPF_ETHERNET, BPF_RAW };

/**
 * struct bpf_ask - What is asked
 * @part:	Which question
 * @dir:	BPF_FILTER: direction of the crossing
 * @iface:	BPF_FILTER: interface crossed; 0: the only one that rules name,
 *		else that of the default route
 * @is_plain:	The answer is for bpf_expression_print(): nothing in it is shortened,
 *		so that what rules have in common can be written once
 */
struct bpf_ask {
	enum bpf_part part;
	enum direction dir;
	uint32_t iface;
	bool is_plain;
};

struct bpf_node;

/**
 * struct bpf_trees - The answer for every packet
 * @part:	Which question
 * @a:		Memory
 * @whole:	Of packets that are whole, [0] IPv4, [1] IPv6
 * @part_of:	Of fragments whose ports cannot be seen (BPF_TOUCH: of all)
 * @any:	The same as trees of which one must accept, [family][is a fragment]
 */
struct bpf_trees {
	enum bpf_part part;
	struct arena *a;
	const struct bpf_node *whole[2];
	const struct bpf_node *part_of[2];
	struct bpf_any {
		VEC(const struct bpf_node *) list;
	} any[2][2];
};

/** struct bpf_code - A program */
struct bpf_code {
	VEC(struct bpf_insn) list;
};

/**
 * bpf_trees_make() - Answer a question
 * @m:		Model
 * @ask:	Question
 * @diags:	Told what cannot be answered, and of which crossing it is
 * @ret:	Set on success
 *
 * A fragment is accepted by BPF_TOUCH when any packet with its addresses and
 * protocol is, by BPF_FILTER when all are.
 *
 * Return: success
 */
MUST_USE bool bpf_trees_make(const struct model *m, const struct bpf_ask *ask,
			     struct diags *diags, struct bpf_trees *ret);

/**
 * bpf_code_make() - The program
 * @t:		Answer
 * @link:	Link type of the frames
 * @ret:	Set
 *
 * Jumps lead forward only; it ends for every packet.
 */
void bpf_code_make(const struct bpf_trees *t, enum bpf_link link, struct bpf_code *ret);

/** bpf_code_print() - As tcpdump -d prints it, or -ddd with @decimal */
void bpf_code_print(const struct bpf_code *c, bool decimal, FILE *out);

/**
 * bpf_expression_print() - The same as an expression for tcpdump and pcap_compile()
 * @t:		Answer, a plain one
 * @link:	Link type of the frames
 * @diags:	Told where it becomes too large, and what it cannot see
 * @out:	Stream
 *
 * IPv6 packets with extension headers are judged as fragments are.
 *
 * Return: success
 */
MUST_USE bool bpf_expression_print(const struct bpf_trees *t, enum bpf_link link,
				   struct diags *diags, FILE *out);

#endif /* TARGET_BPF_H */
