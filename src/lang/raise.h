/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raise - what the printers of a flat model share, whatever they print
 *
 * Sets as the words that languages have for them: prefixes, names of interfaces,
 * TCP flags under a mask.
 *
 * Threads:	 none.
 */
#ifndef LANG_RAISE_H
#define LANG_RAISE_H

#include "lang/translate.h"

#define RAISE_FLAGS	8u	/* masks that a set of flags is taken apart into */

/**
 * struct raise_table - A table that a printer has named
 * @set:	Its addresses
 * @name:	Its name
 */
struct raise_table {
	const struct set *set;
	const char *name;
};

/**
 * struct raiser - A model on its way to text
 * @a:		Memory
 * @m:		Model
 * @out:	Rules
 * @head:	What stands before them
 * @tables:	Named so far
 * @by_iface:	What is remembered is told apart by interface
 * @by_tag:	What is remembered as it comes in goes out again, known by a tag
 * @state:	Its name in the rule at hand; NULL: the usual one
 * @skipped:	Interfaces that nothing is remembered of, or NULL
 * @number:	Of the last rule, where rules have numbers
 * @refused:	What cannot be said, or NULL
 * @refused_at:	Whose it is
 */
struct raiser {
	struct arena *a;
	const struct model *m;
	FILE *out;
	FILE *head;
	VEC(struct raise_table) tables;
	bool by_iface;
	bool by_tag;
	const char *state;
	const struct set *skipped;
	uint32_t number;
	const char *refused;
	struct origin refused_at;
};

/** raise_refuse() - Say what cannot be said, once; false */
bool raise_refuse(struct raiser *w, struct origin at, const char *what);

/** struct raise_prefixes - Prefixes that make up a set */
struct raise_prefixes {
	VEC(struct prefix) list;
};

/** raise_prefixes() - The prefixes of a set */
struct raise_prefixes raise_prefixes(struct arena *a, const struct set *s);

/** raise_prefix() - An address, or an address and a length, as text */
const char *raise_prefix(struct arena *a, struct prefix p);

/** raise_table() - The name of a table with these addresses; *@is_new: it was not named yet */
const char *raise_table(struct raiser *w, const struct set *s, bool *is_new);

/**
 * struct raise_names - Interfaces by name
 * @list:	Their names
 * @is_not:	All but those
 */
struct raise_names {
	VEC(const char *) list;
	bool is_not;
};

/** raise_names() - Which interfaces a set has, or has not */
struct raise_names raise_names(struct raiser *w, const struct set *s);

/** struct raise_mask - TCP flags: those of @mask are @value */
struct raise_mask {
	uint8_t mask;
	uint8_t value;
};

/**
 * raise_masks() - A set of TCP flags as few masks, which together are the set
 * @s:		Set
 * @ret:	RAISE_FLAGS masks
 *
 * Return: how many; 0: more than there is room for
 */
uint32_t raise_masks(const struct set *s, struct raise_mask *ret);

/** raise_family() - The only family that a rule's packets are of, or AF_NONE */
uint8_t raise_family(const struct flat_rule *r);

/**
 * struct raise_hosts - Addresses of a rule, as far as they are of its family
 * @set:	They
 * @rest:	The others of the family
 * @is:		Prefixes of @set
 * @is_not:	Prefixes of @rest
 */
struct raise_hosts {
	const struct set *set;
	const struct set *rest;
	struct raise_prefixes is;
	struct raise_prefixes is_not;
};

/** raise_hosts() - What a rule says of its source or destination; false: any */
bool raise_hosts(struct raiser *w, const struct flat_rule *r, enum field f,
		 struct raise_hosts *ret);

/** raise_ported() - The set of the protocols that have ports */
const struct set *raise_ported(struct arena *a);

/** raise_is_one() - Has a set this number alone */
bool raise_is_one(const struct set *s, u128 v);

/** raise_known() - Does a rule ask nothing but fields of @mask (1 << field); else refused */
bool raise_known(struct raiser *w, const struct flat_rule *r, uint32_t mask);

/**
 * enum raise_ready - Can a rule be said
 * @RAISE_REFUSED:	No, and raise_refuse() was told
 * @RAISE_NOTHING:	It need not: no packet matches it
 * @RAISE_RULE:		Yes
 */
enum raise_ready { RAISE_REFUSED, RAISE_NOTHING, RAISE_RULE };

/**
 * raise_ready() - Say a rule with what both languages have words for
 * @w:		Raiser
 * @r:		Rule; the host's own addresses come in place of "is local", the interface
 *		in place of where it was received, and ports are of protocols with ports
 * @mask:	Fields that the printer knows (1 << field)
 *
 * Return: an enum raise_ready
 */
enum raise_ready raise_ready(struct raiser *w, struct flat_rule *r, uint32_t mask);

/** raise_may_be() - Can packets of protocol @proto match a rule */
bool raise_may_be(const struct flat_rule *r, uint8_t proto);

/**
 * raise_text() - Print a model: what @all puts into .head, then what it puts into .out
 * @m:		Model
 * @f:		The same, flat
 * @all:	Prints it; false: refused
 * @out:	Stream; untouched where it was refused
 * @ret:	Set to what was refused
 *
 * Return: true, or false where something was refused
 */
MUST_USE bool raise_text(const struct model *m, const struct flat *f,
			 bool (*all)(struct raiser *w, const struct flat *f), FILE *out,
			 struct raise_refusal *ret);

#endif /* LANG_RAISE_H */
