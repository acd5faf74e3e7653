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
 * with all jails up; `verify` proves what they left.  To remember the programs that passed
 * saves most of a proof, but not at a jail's first start, and makes each start of a vnet
 * jail a third longer.
 *
 * Whole programs pass here.  The short way of `forward` changes elements of a table
 * whose rules passed here when they were loaded, and its batch is read again by
 * prove_elements() before it is sent.
 *
 * `watch` repairs within a second, and loads what was proven: it asks here while
 * nothing is to be done, and again when its declarations or their program are others.
 */
#include "cli/gate.h"

#include <string.h>

#include "base/fnv.h"
#include "nl/batch.h"
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

uint64_t cli_gate_mark(struct cli *c, const struct model *m, const struct nft_program *p)
{
	struct nl_batch b CLEANUP(nl_batch_fini);
	CLEANUP(base_free) char *text = NULL;
	FILE *out = open_memstream(&text, &(size_t){ 0 });
	const void *bytes;
	size_t len;

	nl_batch_init(&b);
	if (out == NULL)
		return 0;
	model_dump(m, &c->sources, out);
	if (fclose(out) != 0 || nft_program_messages(p, &b) < 0)
		return 0;
	bytes = nl_batch_bytes(&b, &len);
	return fnv64(fnv64(FNV64_START, text, strlen(text)), bytes, len);
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
