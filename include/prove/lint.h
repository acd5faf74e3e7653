/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lint - what is declared and does nothing, or more than it seems
 *
 * All packets at once, as the prover has them: what a lint says holds for every packet,
 * and the packet that it shows is one that `why` judges as the lint says.
 *
 * Owns:	 nothing.
 * Does not:	 compile, or look at fences where it asks what rules do to each other.
 * Threads:	 none.
 */
#ifndef PROVE_LINT_H
#define PROVE_LINT_H

#include "model/decl.h"
#include "model/model.h"

#define LINT_MAX_NODES	(512u << 10)	/* of diagrams, for each family: 0.2 s at the most */
#define LINT_MAX_RULES	2000u		/* more of them do not fit */

/**
 * enum lint_kind - What was found
 * @LINT_NEVER:	A rule asks for what no packet has
 * @LINT_SHADOWED: All packets of a rule are decided by others
 * @LINT_TRANSIT: A redirect takes what is on its way to other hosts
 * @LINT_SHUT:	What a redirect leads inside no rule passes
 * @LINT_REACHED: A jail's private address is reached from outside, with no redirect
 * @LINT_LEAVES: A jail's private source leaves by a real interface as it is
 */
enum lint_kind {
	LINT_NEVER, LINT_SHADOWED, LINT_TRANSIT, LINT_SHUT, LINT_REACHED, LINT_LEAVES
};

/**
 * struct lint_finding - A finding
 * @kind:	What
 * @rule:	The rule that it is about; LINT_REACHED, LINT_LEAVES: who passes the packet,
 *		text NULL: no rule matched
 * @by:		LINT_SHADOWED, LINT_SHUT: who decides the packet; text NULL: nobody wrote it
 * @packet:	A packet that shows it, as `why --batch` reads it, or NULL
 * @asks:	LINT_NEVER: two tests that exclude each other, as text; or a field of which
 *		everything is excluded, and NULL; or NULL
 * @jail:	LINT_REACHED, LINT_LEAVES: the jail
 * @addr:	And its address
 */
struct lint_finding {
	enum lint_kind kind;
	struct origin rule;
	struct origin by;
	const char *packet;
	const char *asks[2];
	const struct decl_jail *jail;
	struct addr addr;
};

/**
 * struct lint_result - Findings
 * @list:	In the order of kinds, and of the rules
 * @is_left_out: There were so many packets to tell apart that nothing is said
 */
struct lint_result {
	VEC(struct lint_finding) list;
	bool is_left_out;
};

/**
 * prove_lint() - Look at a model
 * @m:		Model, after policy_add()
 * @d:		Declarations
 * @max_nodes:	Most nodes of diagrams for each family
 * @a:		Memory
 * @ret:	Set on success
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int prove_lint(const struct model *m, const struct decl *d, uint32_t max_nodes,
			struct arena *a, struct lint_result *ret);

#endif /* PROVE_LINT_H */
