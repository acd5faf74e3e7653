/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnf - what a rule of ipfw asks, as alternatives that rules of a model can test
 *
 * A rule of the model is a conjunction of "field in set"; one of ipfw has `not`
 * and `or`.  So it becomes alternatives, each a conjunction.
 *
 * Owns:	 nothing; lives in the arena.
 * Threads:	 none.
 */
#ifndef LANG_IPFW_DNF_H
#define LANG_IPFW_DNF_H

#include "model/model.h"

#define DNF_MAX	1024u

/** struct conj - Fields that must be in sets; NULL: anything */
struct conj {
	const struct set *f[N_FIELDS];
};

/**
 * struct dnf - Alternatives; none: never
 * @list:	Conjunctions without empty sets
 * @is_over:	There were more than DNF_MAX; the list is cut short
 */
struct dnf {
	VEC(struct conj) list;
	bool is_over;
};

/** dnf_always() - Matches everything */
struct dnf dnf_always(struct arena *a);

/** dnf_test() - One field in one set */
struct dnf dnf_test(struct arena *a, enum field f, const struct set *in);

/** dnf_test2() - Two fields in two sets */
struct dnf dnf_test2(struct arena *a, enum field f, const struct set *in, enum field f2,
		     const struct set *in2);

/** dnf_add() - One alternative more, unless it is never */
void dnf_add(struct arena *a, struct dnf *d, const struct conj *c);

/** dnf_or() - Either */
struct dnf dnf_or(struct arena *a, const struct dnf *x, const struct dnf *y);

/** dnf_and() - Both */
struct dnf dnf_and(struct arena *a, const struct dnf *x, const struct dnf *y);

/** dnf_not() - The opposite */
struct dnf dnf_not(struct arena *a, const struct dnf *d);

/** conj_and() - Both; false if that is never */
bool conj_and(struct arena *a, const struct conj *x, const struct conj *y, struct conj *ret);

/** conj_covers() - Does everything that @inner matches match @outer too */
bool conj_covers(const struct conj *outer, const struct conj *inner);

/** conj_of_rule() - The tests of a rule of a model */
struct conj conj_of_rule(const struct rule *r);

/** conj_to_rule() - Add the tests to a rule of a model */
void conj_to_rule(struct model *m, struct rule *r, const struct conj *c);

#endif /* LANG_IPFW_DNF_H */
