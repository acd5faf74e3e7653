/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seed - a jail host's ipfw ruleset, written as a model by hand
 *
 * Numbered rules with skipto, check-state, keep-state and nat in the middle:
 * what a model shaped by pf alone could not hold.  Evaluated, lowered and
 * loaded by the tests that include this.
 */
#ifndef TESTS_SEED_H
#define TESTS_SEED_H

#include "model/model.h"

/**
 * struct seed - The ruleset and what it is about
 * @m:		Model
 * @facts:	em0 198.51.100.2/24, lo1 10.1.0.1/24 and 10.1.0.2/32
 * @names:	Interned names
 * @sources:	Where the rules' origins point to: one line a rule
 * @diags:	Diagnostics over @sources
 */
struct seed {
	struct model m;
	struct facts facts;
	struct intern names;
	struct sources sources;
	struct diags diags;
};

/** seed_init() - Build it; @one_pass is net.inet.ip.fw.one_pass */
void seed_init(struct seed *s, struct arena *a, bool one_pass);

/**
 * seed_init_text() - The same host with rules as ipfw reads them
 * @s:		Seed
 * @a:		Memory
 * @name:	Name of the file, for messages
 * @text:	A file of rules or a script of ipfw commands; must outlive @s
 * @one_pass:	As in seed_init()
 *
 * Return: whether they were taken; if not, told
 */
MUST_USE bool seed_init_text(struct seed *s, struct arena *a, const char *name, const char *text,
			     bool one_pass);

#endif /* TESTS_SEED_H */
