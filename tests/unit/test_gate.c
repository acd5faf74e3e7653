/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "cli/gate.h"
#include "prove_case.h"

static const char passes[] = "block in on igb0\npass in on igb0 proto tcp to port 22\n";
static const char blocks[] = "block in on igb0\npass in on igb0 proto tcp to port 23\n";

/* The same, but of one change the program has no half, and so no bit to prove it by */
static const char in_two[] = "match in all scrub (max-mss 1300)\nmatch in all scrub (no-df)\n"
			     "pass in on igb0 proto tcp to port 22\n";
static const char in_one[] = "match in all scrub (max-mss 1300 no-df)\n"
			     "pass in on igb0 proto tcp to port 22\n";

/* What the gate says of the program of @program as the meaning of @declared; its status */
static int pass_gate(const char *declared, const char *program, bool no_verify,
		     enum diag_code *ret)
{
	struct prove_case one, other;
	struct cli c = { .no_verify = no_verify };
	int status;

	prove_case_text(&one, declared, NULL);
	prove_case_text(&other, program, NULL);
	arena_init(&c.arena, one.a.cap_bytes);
	diags_init(&c.diags, &c.arena, &one.sources);
	status = cli_gate(&c, &one.m, other.program);
	*ret = c.diags.list.n > 0 ? c.diags.list.v[0].code : DIAG_N_CODES;
	prove_case_fini(&one);
	prove_case_fini(&other);
	arena_fini(&c.arena);
	return status;
}

TEST(a_program_that_means_what_was_declared_may_be_loaded)
{
	enum diag_code code;

	CHECK_INT(pass_gate(passes, passes, false, &code), 0);
	CHECK_INT(code, DIAG_N_CODES);
}

TEST(one_that_does_not_may_not)
{
	enum diag_code code;

	CHECK_INT(pass_gate(passes, blocks, false, &code), EX_SOFTWARE);
	CHECK_INT(code, DIAG_E1714);
	CHECK_INT(pass_gate(passes, blocks, true, &code), 0);
	CHECK_INT(code, DIAG_N_CODES);
}

TEST(what_cannot_be_proven_is_told_and_may_be_loaded)
{
	enum diag_code code;

	CHECK_INT(pass_gate(in_two, in_one, false, &code), 0);
	CHECK_INT(code, DIAG_N1715);
	CHECK_INT(pass_gate(in_two, in_one, true, &code), 0);
	CHECK_INT(code, DIAG_N_CODES);
}
