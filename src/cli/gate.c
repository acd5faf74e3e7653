/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What is loaded was made by a code generator, and those have mistakes; the proof
 * shares nothing with it.  A difference ends the run before anything is changed.  A
 * construct that the prover does not read is no reason to leave a host without
 * rules, so that is told and loaded.
 *
 * `up` and `down` are called by hooks while a jail waits, and take milliseconds, of
 * which a proof would be most (updown-up in tests/bench: 6 ms without, 30 with; of a
 * hundred vnet jails the proof alone takes 0.6 s).  They switch what `apply` has proven
 * with all jails up; `verify` proves what they left.
 *
 * Whole programs pass here.  The short way of `forward` changes elements of a table
 * whose rules passed here when they were loaded; what it makes of them is proven
 * when the whole is next built, or by `verify`.
 */
#include "cli/gate.h"

#include "prove/prove.h"

#define MOST_TOLD	3u

static void tell_difference(struct cli *c, const struct prove_difference *d)
{
	diag_add(&c->diags, DIAG_E1714, d->origin.at,
		 "the program does not mean what was declared: %s%s meets '%s', not '%s', in: %s",
		 d->packet, d->is_known ? " (of a flow that is known)" : "", d->kernel,
		 d->declared, d->part);
}

static void tell_unproven(struct cli *c, const char *what)
{
	for (uint32_t i = 0; i < c->diags.list.n; i++)
		if (c->diags.list.v[i].code == DIAG_N1715 &&
		    strstr(c->diags.list.v[i].message, what) != NULL)
			return;
	diag_add(&c->diags, DIAG_N1715, SPAN_NONE, "not proven: %s", what);
}

int cli_gate(struct cli *c, const struct model *m, const struct nft_program *p)
{
	struct arena a CLEANUP(arena_fini) = { .head = NULL };
	struct prove_result r;
	int err;

	if (c->no_verify || c->runs.list.n > 0)
		return 0;
	/* Half of what was declared is done by a NAT that is no program of the kernel's */
	if (c->nat_path == NAT_PATH_USERSPACE) {
		tell_unproven(c, "rules beside a NAT in userspace (--nat-path)");
		return 0;
	}
	arena_init(&a, c->arena.cap_bytes);
	a.full = c->arena.full;
	err = prove_program(m, p, PROVE_FEW_NODES, &a, &r);
	if (err < 0)
		return cli_system(c, err, "prove the rules");
	for (uint32_t i = 0; i < r.differences.n && i < MOST_TOLD; i++)
		tell_difference(c, &r.differences.v[i]);
	for (uint32_t i = 0; i < r.unproven.n; i++)
		tell_unproven(c, r.unproven.v[i]);
	return r.differences.n > 0 ? EX_SOFTWARE : 0;
}
