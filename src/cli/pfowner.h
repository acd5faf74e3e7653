/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pfowner - which rule a state belongs to
 *
 * Does not:	 know what rules there were when the state was made.
 */
#ifndef CLI_PFOWNER_H
#define CLI_PFOWNER_H

#include "model/model.h"
#include "nl/conntrack.h"

/**
 * pfowner_of() - The rule that would make a state now
 * @m:		Rules
 * @f:		Flow of conntrack
 * @dir:	Which leg of it
 *
 * Return: its origin; of no place when no rule would
 */
struct origin pfowner_of(const struct model *m, const struct conntrack_flow *f,
		       enum direction dir);

#endif /* CLI_PFOWNER_H */
