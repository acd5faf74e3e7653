/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lint_work - what the files of the lints share
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_LINT_WORK_H
#define PROVE_LINT_WORK_H

#include "prove/lint.h"
#include "prove/sem.h"

/** struct lint_at - Where a rule stands */
struct lint_at {
	uint32_t list;
	uint32_t idx;
};

/**
 * struct lint_taken - Packets that come in and meet a translation
 * @number:	Of its rule
 * @in:		Which
 */
struct lint_taken {
	uint32_t number;
	dd in;
};

/**
 * struct lint_side - Packets of one family
 * @d:		Their diagrams
 * @p:		And what they are made of
 * @match:	By direction and number of a rule: its packets; DD_NO_VAR: not asked yet
 * @taken:	What translations take of what comes in
 */
struct lint_side {
	struct dds d;
	struct proof p;
	dd *match[2];
	VEC(struct lint_taken) taken;
};

/**
 * struct lint - A look under way
 * @m:		Model
 * @decl:	Declarations
 * @a:		Memory
 * @side:	The families
 * @base:	By list: number of its first rule
 * @at:		By number of a rule
 * @n_rules:	How many
 * @order:	Lists that packets may come to, each before those that it leads to
 * @comes:	By direction and list: packets of that direction may come to it
 * @records:	Effects that remember free states
 * @lives:	By number of a rule: some packet makes it do something
 * @fits:	By number: some packet has all that it asks for
 * @ret:	Findings
 */
struct lint {
	const struct model *m;
	const struct decl *decl;
	struct arena *a;
	struct lint_side side[2];
	uint32_t *base;
	struct lint_at *at;
	uint32_t n_rules;
	VEC(uint32_t) order;
	bool *comes[2];
	VEC(const struct effect *) records;
	bool *lives;
	bool *fits;
	struct lint_result *ret;
};

/** lint_rule() - The rule of a number */
const struct rule *lint_rule(const struct lint *l, uint32_t number);

/** lint_match() - Packets that a rule may be for, whatever tables and addresses will be */
dd lint_match(struct lint *l, struct lint_side *s, enum direction dir, uint32_t number);

/** lint_packets() - All packets that there can be in a direction */
dd lint_packets(struct lint_side *s, enum direction dir);

/** lint_unfenced() - Those that no fence before (or after) the rules stops */
dd lint_unfenced(struct lint *l, struct lint_side *s, enum direction dir, bool after);

/**
 * enum lint_mode - What a walk through the rules is for
 * @WALK_LIVES:	What each rule does, to packets of known flows too
 * @WALK_PASSES: What the first packet of a flow meets
 * @WALK_AS_IS:	The same, of what is not translated
 */
enum lint_mode { WALK_LIVES, WALK_PASSES, WALK_AS_IS };

/**
 * lint_walk() - What becomes of packets
 * @l:		Look
 * @s:		Family
 * @dir:	Direction
 * @mode:	What for: WALK_LIVES fills @l->lives and the side's @taken
 * @at:		Where they begin
 * @come:	Packets
 *
 * Return: those that may pass, as they are then
 */
dd lint_walk(struct lint *l, struct lint_side *s, enum direction dir, enum lint_mode mode,
	     struct lint_at at, dd come);

/** lint_image() - What translation @x may make of packets @in */
dd lint_image(struct lint_side *s, enum direction dir, const struct xlate *x, dd in);

/** lint_is_written() - Somebody wrote it, at a place that can be told */
bool lint_is_written(const struct origin *o);

/**
 * lint_judge() - A packet of a set, and what the model says of it
 * @l:		Look
 * @s:		Family
 * @dir:	Direction
 * @in:		The set
 * @of:		A rule that must be for it, or NULL
 * @ret_line:	Set to the packet's line on success
 * @ret:	Set to what becomes of it
 *
 * Return: false where it has none that can be typed
 */
bool lint_judge(struct lint *l, struct lint_side *s, enum direction dir, dd in,
		const struct rule *of, const char **ret_line, struct result *ret);

/** lint_rules() - Rules that never match, and shadowed ones */
void lint_rules(struct lint *l);

/** lint_redirects() - Redirects that take transit, and those that nothing lets in */
void lint_redirects(struct lint *l);

/** lint_private() - Private addresses of jails that are reached, and that leave */
void lint_private(struct lint *l);

#endif /* PROVE_LINT_WORK_H */
