/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prove_case - random rulesets as programs, for tests of the prover
 *
 * Owns:	 the memory of a case; prove_case_fini() frees it.
 */
#ifndef TESTS_PROVE_CASE_H
#define TESTS_PROVE_CASE_H

#include "diff_gen.h"
#include "model/decl.h"
#include "nl/batch.h"
#include "prove/prog.h"
#include "prove/prove.h"

/**
 * struct prove_case - A ruleset and its program
 * @a:		Memory
 * @names:	Interned names
 * @facts:	The host
 * @sources:	Texts
 * @diags:	What was told
 * @decl:	Jails
 * @m:		Declarations
 * @program:	Program, or NULL: this ruleset does not compile
 * @text:	The ruleset
 * @is_ipfw:	In which language
 * @off:	Policies that are switched off
 */
struct prove_case {
	struct arena a;
	struct intern names;
	struct facts facts;
	struct sources sources;
	struct diags diags;
	struct decl decl;
	struct model m;
	struct nft_program *program;
	const char *text;
	bool is_ipfw;
	bool off[N_POLICIES];
};

/** prove_case_text() - The case of a pf.conf, on the host of gen_facts() */
void prove_case_text(struct prove_case *c, const char *text, const bool off[N_POLICIES]);

/** prove_case_jails() - The case of a jail.conf, on a host with igb0 alone */
void prove_case_jails(struct prove_case *c, const char *text);

#define PROVE_IPFW	3	/* generator of rulesets of ipfw */

/** prove_case_ipfw() - The case of rules of ipfw, on the host of gen_facts() */
void prove_case_ipfw(struct prove_case *c, const char *text);

/** prove_case_like() - The case of another text, in all else as @of */
void prove_case_like(struct prove_case *c, const struct prove_case *of, const char *text);

/** prove_case_init() - The case of generator @kind (0..3) and number @seed */
void prove_case_init(struct prove_case *c, int kind, uint64_t seed);

/** prove_case_prove() - Prove its program; as prove_program() */
int prove_case_prove(struct prove_case *c, struct prove_result *ret);

/** prove_case_read() - Its program as the prover reads it, to be changed */
void prove_case_read(struct prove_case *c, struct prog *p);

/** prove_case_fini() - Free it */
void prove_case_fini(struct prove_case *c);

/** prove_case_show() - Print what a proof came to, each line after "# " */
void prove_case_show(const struct prove_case *c, const struct prove_result *r);

#endif /* TESTS_PROVE_CASE_H */
