/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prove - does a program mean what was declared, for all packets
 *
 * Reads the program from its netlink messages, or from the kernel, turns it and the
 * declarations into functions of a packet and compares them.
 *
 *	compared	verdict, translation, what is remembered, what is written into
 *			headers, sources that pools remember, tags, messages of rules that
 *			log; for each family, direction and interface, whatever is
 *			remembered; behind a nat rule of ipfw for the addresses that it may
 *			leave a packet with.  Rules that decide count once
 *	not compared	which of two rules counts that do the same, lifetimes, and what a
 *			full set forgets; messages of another declaration's program; what
 *			fragments, source routes and the kernel's own answers meet; ICMP
 *			errors about a known flow, which go with it
 *
 * Owns:	 nothing.
 * Does not:	 change the kernel.
 * Threads:	 none.
 */
#ifndef PROVE_PROVE_H
#define PROVE_PROVE_H

#include "model/model.h"
#include "target/nft.h"

#define PROVE_MAX_NODES	(24u << 20)	/* of diagrams, 16 bytes each, and as much again */
#define PROVE_FEW_NODES	(8u << 20)	/* where somebody waits: some 3 s at the most */
#define PROVE_MOST	20u		/* differences told */

/**
 * struct prove_difference - A packet for which the two are not the same
 * @packet:	The packet, as `why --batch` reads it
 * @recv:	Interface that it came by, where it goes out; NULL: the host's own
 * @part:	Which part of a crossing differs
 * @declared:	What the declarations say: the verdict in one word, and where both say
 *		the same what goes with it
 * @kernel:	What the program does, as @declared
 * @is_known:	It belongs to a flow of which something is remembered
 * @origin:	Of the rule that decides it, if one does
 */
struct prove_difference {
	const char *packet;
	const char *recv;
	const char *part;
	const char *declared;
	const char *kernel;
	bool is_known;
	struct origin origin;
};

/**
 * struct prove_result - What a proof came to
 * @differences: Packets that show a difference; none: no difference was found
 * @unproven:	What could not be compared, in words; none: all was
 * @n_nodes:	Nodes of diagrams that it took
 */
struct prove_result {
	VEC(struct prove_difference) differences;
	VEC(const char *) unproven;
	uint32_t n_nodes;
};

/**
 * prove_program() - Prove a program that is about to be loaded
 * @m:		Declarations
 * @p:		Program, made from them
 * @max_nodes:	Most nodes of diagrams; what takes more is not proven
 * @a:		Memory; what takes more of it is not proven either
 * @ret:	Set on success
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int prove_program(const struct model *m, const struct nft_program *p,
			   uint32_t max_nodes, struct arena *a, struct prove_result *ret);

/**
 * prove_kernel() - Prove what the kernel holds
 * @nl:		Session of NETLINK_NETFILTER
 * @m:		Declarations
 * @p:		The program made from them: says which bits of marks mean what
 * @a:		Memory
 * @ret:	Set on success
 *
 * Return: 0, or a negative errno
 */
MUST_USE int prove_kernel(struct nl_session *nl, const struct model *m,
			  const struct nft_program *p, struct arena *a, struct prove_result *ret);

/**
 * prove_sample() - Look for a packet that two declarations judge in two ways
 * @m:		Declarations
 * @other:	Others, of the same names and the same host
 * @n:		Packets to try; the same ones each time
 * @a:		Memory
 * @ret:	Gains the difference, if one is found; its part is the rule that decides there
 *
 * For what cannot be proven, of packets of which nothing is remembered.
 *
 * Cost: O(n * rules).
 *
 * Return: how many were tried at the most
 */
uint32_t prove_sample(const struct model *m, const struct model *other, uint32_t n,
		      struct arena *a, struct prove_result *ret);

/**
 * struct prove_place - Where a packet goes that begins a flow
 * @iface:	Interface that it comes by
 * @proto:	Protocol, one with ports
 * @src:	Whom it comes from
 * @dst:	Where it goes
 * @port:	To which port
 */
struct prove_place {
	const char *iface;
	uint8_t proto;
	struct addr src;
	struct addr dst;
	uint16_t port;
};

/** prove_place_line() - Such a packet as `why --batch` reads it */
const char *prove_place_line(struct arena *a, const struct prove_place *to);

/**
 * prove_place_is_passed() - Is such a packet declared to go from one interface to another
 * @a:		Memory
 * @m:		Declarations
 * @to:		Where it goes
 * @in:		Interface that it comes by, NULL: the host's own
 * @out:	Interface that it leaves by, NULL: it stays; lo0 with the host's own
 *		that does
 *
 * Return: whether it passes
 */
bool prove_place_is_passed(struct arena *a, const struct model *m, const struct prove_place *to,
			   const struct iface *in, const struct iface *out);

/**
 * prove_place_is_inside() - Is such a packet declared to pass, and to go elsewhere
 * @a:		Memory
 * @m:		Declarations
 * @to:		Where it goes
 * @iface:	Name of @to.iface
 *
 * Return: whether it passes, its destination translated
 */
bool prove_place_is_inside(struct arena *a, const struct model *m, const struct prove_place *to,
			   uint32_t iface);

#endif /* PROVE_PROVE_H */
