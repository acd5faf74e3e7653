/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expand - the parameters of one jail, inherited and with variables replaced
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 know what any parameter means.
 * Normative:	 jail.conf(5), Variables and Wildcards.
 */
#ifndef LANG_JAIL_EXPAND_H
#define LANG_JAIL_EXPAND_H

#include "lang/jail.h"
#include "lang/text.h"

enum jail_param_state { JAIL_PARAM_RAW, JAIL_PARAM_BUSY, JAIL_PARAM_DONE, JAIL_PARAM_BAD };

/**
 * struct jail_param - A parameter or variable of one jail
 * @name:	As last written, without "$"
 * @key:	As in its statements
 * @is_var:	It is a variable
 * @strings:	Values as written, appended ones included
 * @values:	Values with variables replaced, once JAIL_PARAM_DONE
 * @state:	How far it is: RAW, then BUSY while its variables are replaced,
 *		then DONE, or BAD with the reason told
 * @at:		Its last statement
 */
struct jail_param {
	const char *name;
	uint32_t key;
	bool is_var;
	VEC(const struct jail_string *) strings;
	VEC(struct text) values;
	enum jail_param_state state;
	struct span at;
};

/**
 * struct jail_params - Parameters of the jail that is looked at
 * @c:		Context
 * @f:		File
 * @of_jail:	Memory of what is known of this jail
 * @list:	Parameters, in the order of their first statement
 * @slot:	Index + 1 in @list by key
 * @stamp:	Jail that a slot belongs to, by key
 * @n_slots:	Keys there are room for
 * @jail:	Number of the jail, from 1
 * @name:	What stands before its brace
 * @wild:	Indexes of the file's wildcards
 * @defines:	Values of the context's defines, in its order
 */
struct jail_params {
	struct lang_ctx *c;
	const struct jail_file *f;
	struct arena of_jail;
	VEC(struct jail_param) list;
	uint32_t *slot;
	uint32_t *stamp;
	uint32_t n_slots;
	uint32_t jail;
	const char *name;
	VEC(uint32_t) wild;
	struct text *defines;
};

/** jail_params_init() - Ready for the jails of a file; jail_params_fini() */
void jail_params_init(struct jail_params *ps, struct lang_ctx *c, const struct jail_file *f);

/** jail_params_fini() - Forget the jail; for CLEANUP() */
void jail_params_fini(struct jail_params *ps);

/**
 * jail_params_of() - Gather the parameters of the jail in block @block
 * @ps:		Those of the jail before are forgotten
 * @block:	Index of a block that is no wildcard
 *
 * Errors are told.  Values whose variables could not be replaced are BAD.
 */
void jail_params_of(struct jail_params *ps, uint32_t block);

/** jail_params_find() - The parameter (not variable) named @name, or NULL */
const struct jail_param *jail_params_find(const struct jail_params *ps, const char *name);

/** jail_params_find_var() - The variable named @name, or NULL; with values, or of none */
const struct jail_param *jail_params_find_var(const struct jail_params *ps, const char *name);

#endif /* LANG_JAIL_EXPAND_H */
