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
 * which a proof would be most (updown-up in tests/bench: 6 ms without, 30 with).  Jails
 * come and go, and the programs that they make come again: so the state has a list of
 * those that passed here, and what is on it passes.  A new one is proven, the first time,
 * with so many nodes as take about as long as all the rest of a jail's start; `verify`
 * proves what they do not suffice for (a hundred vnet jails take 0.6 s).
 *
 * Whole programs pass here.  The short way of `forward` changes elements of a table
 * whose rules passed here when they were loaded, and its batch is read again by
 * prove_elements() before it is sent.
 *
 * `watch` repairs within a second, and loads what was proven: it asks here while
 * nothing is to be done, and again when its declarations or their program are others.
 */
#include "cli/gate.h"

#include <inttypes.h>
#include <string.h>

#include "base/fnv.h"
#include "host/state.h"
#include "nl/batch.h"
#include "prove/prove.h"

#define MOST_TOLD	3u
#define PASSED_FILE	"proven"	/* of the state: marks of programs that passed */
#define MOST_PASSED	128u		/* of them, the last one last */
#define MARK_BYTES	17u		/* of a mark in hex, with the end of its line */
#define SWITCH_NODES	(192u << 10)	/* of a program that is new to up or down */

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

/* ---- what passed before -------------------------------------------------------------- */

static const char *passed_before(struct cli *c, const struct state *st)
{
	char *text;
	size_t len;

	if (state_read(st, PASSED_FILE, &c->arena, &text, &len) < 0 || len % MARK_BYTES != 0)
		return "";
	return text;
}

static bool has_passed(struct cli *c, const struct state *st, const char *mark)
{
	return strstr(passed_before(c, st), mark) != NULL;
}

/* Nothing is lost where that cannot be written: it is proven again */
static void note_passed(struct cli *c, struct state *st, const char *mark)
{
	const char *before = passed_before(c, st);
	const size_t len = strlen(before), most = (MOST_PASSED - 1) * MARK_BYTES;

	if (strstr(before, mark) != NULL)
		return;
	if (len > most)
		before += len - most;
	before = arena_printf(&c->arena, "%s%s", before, mark);
	(void)!state_write(st, PASSED_FILE, before, strlen(before));
}

/* ---- the gate ------------------------------------------------------------------------ */

static int prove(struct cli *c, const struct model *m, const struct nft_program *p, bool is_switch)
{
	struct arena a CLEANUP(arena_fini) = { .head = NULL };
	struct prove_result r;
	int err;

	arena_init(&a, c->arena.cap_bytes);
	a.full = c->arena.full;
	err = prove_program(m, p, is_switch ? SWITCH_NODES : PROVE_FEW_NODES, &a, &r);
	if (err < 0)
		return cli_system(c, err, "prove the rules");
	for (uint32_t i = 0; i < r.differences.n && i < MOST_TOLD; i++)
		tell_difference(c, &r.differences.v[i]);
	/* `apply` has said so */
	for (uint32_t i = 0; i < r.unproven.n && !is_switch; i++)
		tell_unproven(c, r.unproven.v[i]);
	return r.differences.n > 0 ? EX_SOFTWARE : 0;
}

int cli_gate(struct cli *c, struct state *st, const struct model *m, const struct nft_program *p)
{
	const bool is_switch = c->runs.list.n > 0;
	const char *mark;
	uint64_t number;
	int status;

	if (c->no_verify)
		return 0;
	/* Half of what was declared is done by a NAT that is no program of the kernel's */
	if (c->nat_path == NAT_PATH_USERSPACE) {
		if (!is_switch)
			tell_unproven(c, "rules beside a NAT in userspace (--nat-path)");
		return 0;
	}
	number = st == NULL ? 0 : cli_gate_mark(c, m, p);
	mark = arena_printf(&c->arena, "%016" PRIx64 "\n", number);
	if (is_switch && number != 0 && has_passed(c, st, mark))
		return 0;
	status = prove(c, m, p, is_switch);
	if (status == 0 && number != 0)
		note_passed(c, st, mark);
	return status;
}
