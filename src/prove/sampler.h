/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sampler - packets that two models may judge in two ways
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_SAMPLER_H
#define PROVE_SAMPLER_H

#include "model/eval.h"

/** struct values - Values of one kind */
struct values {
	VEC(u128) list;
};

/**
 * struct sampler - What packets are made of
 * @a:		Memory
 * @addrs:	By family: [0] IPv4, [1] IPv6
 * @ports:	Ports
 * @protos:	Protocols
 * @icmp:	type << 8 | code
 * @ifaces:	Interned names
 * @heads:	By enum head: numbers of headers
 * @draw:	State of the random numbers, the same in each run
 */
struct sampler {
	struct arena *a;
	struct values addrs[2];
	struct values ports;
	struct values protos;
	struct values icmp;
	struct values ifaces;
	struct values heads[N_HEADS];
	uint64_t draw;
};

/** sampler_init() - The values of two models of the same host */
void sampler_init(struct sampler *s, const struct model *m, const struct model *other,
		  struct arena *a);

/** sampler_pick() - One of several values */
u128 sampler_pick(struct sampler *s, const struct values *v);

/** sampler_packet() - A packet at a crossing */
struct packet sampler_packet(struct sampler *s, const struct model *m);

/** sampler_answer() - What becomes of a packet, as `why` tells it */
const char *sampler_answer(struct arena *a, const struct result *r);

#endif /* PROVE_SAMPLER_H */
