/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * why - packets that are judged, from wherever they come
 *
 * Threads:	 none.
 */
#ifndef CLI_WHY_H
#define CLI_WHY_H

#include "cli/cli.h"
#include "model/eval.h"

/**
 * struct why - Judging under way
 * @c:		Run
 * @d:		Declarations
 * @world:	What is remembered; with --sequence from one packet to the next
 * @scratch:	Memory of one packet: a batch may be long
 */
struct why {
	struct cli *c;
	const struct declared *d;
	struct world world;
	struct arena scratch;
};

/**
 * why_judge() - Judge a packet and say so
 * @w:		Judging
 * @p:		Packet
 * @name:	What it is called, in .scratch's lifetime or longer; NULL: nothing
 *
 * Return: 0, or EX_DIFFERS when it does not pass
 */
int why_judge(struct why *w, const struct packet *p, const char *name);

/** why_read() - Judge the packets of --read's capture; an exit status */
int why_read(struct why *w);

#endif /* CLI_WHY_H */
