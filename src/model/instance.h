/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * instance - what a nat instance makes of a packet (libalias)
 *
 * Does not:	 draw random numbers: the world has them.
 * Threads:	 none.
 */
#ifndef MODEL_INSTANCE_H
#define MODEL_INSTANCE_H

#include "model/eval.h"

/**
 * struct instance_result - What becomes of a packet
 * @to:		Its flow afterwards
 * @sport_lo:	Least source port that it could have got
 * @sport_hi:	Highest
 * @is_denied:	It is refused (deny_in); nothing else counts
 */
struct instance_result {
	struct flow to;
	uint16_t sport_lo;
	uint16_t sport_hi;
	bool is_denied;
};

/**
 * instance_translate() - Hand a packet to a nat instance
 * @x:		XL_INSTANCE
 * @w:		World; gains the link that the packet makes
 * @p:		Packet; IPv6 comes back unchanged
 *
 * Return: what becomes of it
 */
struct instance_result instance_translate(const struct xlate *x, struct world *w,
					  const struct packet *p);

/**
 * instance_answer() - Change the answer to a local caller back
 * @w:		World
 * @f:		Flow of a packet that leaves
 *
 * Return: how it goes on; @f itself where it answers no local caller
 */
struct flow instance_answer(const struct world *w, struct flow f);

#endif /* MODEL_INSTANCE_H */
