/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lower - what the files of the lowering share
 */
#ifndef LANG_IPFW_LOWER_H
#define LANG_IPFW_LOWER_H

#include "lang/ipfw/ast.h"
#include "lang/ipfw/dnf.h"

/**
 * struct variant - A rule with one value of its table, or as it is
 * @arg:	The action's number
 * @alts:	What it matches
 */
struct variant {
	uint32_t arg;
	struct dnf alts;
};

/**
 * struct work_rule - A rule on its way
 * @r:		Rule
 * @variants:	With tablearg one a value, else one
 * @is_final:	No packet that matches goes on with the next rule
 * @has_rest:	What comes behind it is a list of its own
 */
struct work_rule {
	const struct ipfw_rule *r;
	VEC(struct variant) variants;
	bool is_final;
	bool has_rest;
};

/**
 * enum context - How a rule was come to
 * @CTX_MAIN:	From the start: return has nowhere to go
 * @CTX_CALLED:	By a call
 */
enum context { CTX_MAIN, CTX_CALLED, N_CTX };

/**
 * struct lower - A lowering under way
 * @c:		Context
 * @a:		Memory
 * @rs:		Ruleset
 * @facts:	Host
 * @o:		Options
 * @m:		Model
 * @one_pass:	As it counts
 * @has_names:	Some state has another name than default
 * @has_calls:	Some rule calls
 * @rules:	Rules of enabled sets
 * @list_at:	By context and index of a rule (the default rule is the last):
 *		the list that begins there, or LIST_NONE
 * @xlates:	By instance: number in the model + 1
 * @jails:	The table "jails" of the declarations, once it was asked for
 * @errors:	Errors before the lowering began
 */
struct lower {
	struct lang_ctx *c;
	struct arena *a;
	const struct ipfw_ruleset *rs;
	const struct facts *facts;
	const struct ipfw_options *o;
	struct model *m;
	bool one_pass;
	bool has_names;
	bool has_calls;
	VEC(struct work_rule) rules;
	uint32_t *list_at[N_CTX];
	uint32_t *xlates;
	const struct ipfw_table *jails;
	uint32_t errors;
};

/** lower_insn() - What one test matches; of a table only @value if that is not NULL */
struct dnf lower_insn(struct lower *l, const struct ipfw_insn *n, const uint32_t *value);

/** lower_body() - What a rule matches; @value: of its table with values */
struct dnf lower_body(struct lower *l, const struct ipfw_rule *r, const uint32_t *value);

/** lower_variants() - Fill in the variants of a rule */
void lower_variants(struct lower *l, struct work_rule *w);

/** lower_table() - What a table matches; of its entries only those of @value */
struct dnf lower_table(struct lower *l, const struct ipfw_insn *n, const uint32_t *value);

/** lower_find_table() - A table, that of the declared jails included, or NULL */
const struct ipfw_table *lower_find_table(struct lower *l, const char *name);

/** lower_flow() - The same for a table of flows */
struct dnf lower_flow(struct lower *l, const struct ipfw_insn *n, const uint32_t *value);

/** lower_tablearg() - The insn that gives a rule its tablearg, or NULL (E2021 told) */
const struct ipfw_insn *lower_tablearg(struct lower *l, const struct ipfw_rule *r);

/** lower_head() - A number of a header */
struct dnf lower_head(struct lower *l, const struct ipfw_insn *n);

/** lower_heads() - Say what of such tests cannot be (E2004) or is not as on FreeBSD (N2045) */
void lower_heads(struct lower *l, const struct ipfw_rule *r, const struct dnf *d);

/** lower_path() - antispoof, verrevpath, versrcreach, or `not` that */
struct dnf lower_path(struct lower *l, const struct ipfw_insn *n);

/** lower_nat_is_ready() - Is an instance configured, and has an address if it needs one */
bool lower_nat_is_ready(const struct lower *l, uint32_t instance);

/** lower_xlate() - The translation of a nat instance (0: global); E2014, E2018 */
uint32_t lower_xlate(struct lower *l, const struct ipfw_rule *r, uint32_t instance);

/** lower_tag_bit() - The bit of a tag, 0 if no rule gives it */
uint8_t lower_tag_bit(const struct lower *l, uint32_t tag);

/** lower_warn() - One pass that hides rules, private sources that leave */
void lower_warn(struct lower *l);

/** lower_warn_answers() - States that let answers of private addresses @inside out before nat */
void lower_warn_answers(struct lower *l, const struct set *inside);

/** lower_target() - Index of the first rule from @number on, behind @after (-1: any) */
uint32_t lower_target(const struct lower *l, uint32_t number, int64_t after);

#endif /* LANG_IPFW_LOWER_H */
