/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A manager loads rules of pf for its forwards; what we write instead is held against
 * those one by one, beside jails that have nothing else, so that a difference in one
 * hides none in another.  Both are compiled and compared as `equal` does it.  The whole
 * is compared too: what was read, against what the text that is printed says when it is
 * parsed again.
 *
 * The live host is not asked: who imports another host's jails would be told of this
 * one's interfaces.  What is wrong with the declarations beside these facts is no part
 * of an import, and is told as why nothing is proven.
 */
#include <string.h>

#include "cli/import.h"

#define MOST_CLAIMS	64u	/* each takes memory of the run, and some 30 ms */

/** struct side - Declarations that are compared: jails, parsed or a text, and rules */
struct side {
	const struct jail_file *jails;
	uint32_t text;
	const char *rules;
};

void import_claim(struct import *im, const struct import_claim *claim)
{
	BUG_IF(im->rows.list.n == 0);
	im->rows.list.v[im->rows.list.n - 1].claim = *claim;
}

const char *import_address(struct import *im, const struct jail_block *b, uint8_t af)
{
	const char *name = af == AF_V4 ? "ip4.addr" : "ip6.addr";

	for (uint32_t i = 0; i < b->stmts.n; i++) {
		const struct jail_stmt *st = &b->stmts.v[i];
		const char *s, *bar;

		if (st->is_var || strcmp(st->name, name) != 0 || st->values.n == 0 ||
		    st->values.v[0].parts.n != 1 || st->values.v[0].parts.v[0].is_var)
			continue;
		s = st->values.v[0].parts.v[0].s;
		bar = strchr(s, '|');
		s = bar != NULL ? bar + 1 : s;
		return arena_strndup(im->c->a, s, strcspn(s, "/ ,"));
	}
	return NULL;
}

/* Make the model of a side; NULL, or why there is none */
static const char *declare_side(struct import *im, uint32_t n_common, const struct side *s,
				struct declared *ret)
{
	struct cli *c = im->cli;
	int status;

	c->files.n = n_common;
	vec_add(&c->arena, &c->files, ((struct cli_file){
		.path = "jail.conf", .lang = LANG_JAIL, .src = s->text, .kept = true,
		.jails = s->jails }));
	if (s->rules != NULL)
		vec_add(&c->arena, &c->files, ((struct cli_file){
			.path = "pf.conf", .lang = LANG_PF, .kept = true,
			.src = sources_add(&c->sources, "pf.conf", s->rules,
					   (uint32_t)strlen(s->rules), SPAN_NONE) }));
	status = cli_declare(c, ret, CLI_TOLERANT);
	c->files.n = n_common;
	for (uint32_t i = 0; i < c->diags.list.n; i++)
		if (diag_codes[c->diags.list.v[i].code].severity == DIAG_ERROR)
			return c->diags.list.v[i].message;
	return status != 0 ? "the declarations cannot be read" : NULL;
}

/* Compare two sides; NULL, or why that cannot be */
static const char *compare(struct import *im, const struct side sides[2], const char *on,
			   struct prove_result *ret)
{
	const uint32_t n_common = im->cli->files.n;
	struct declared d[2];
	struct nft_options o;
	struct nft_program *p;
	const char *why = NULL;

	for (size_t i = 0; i < 2 && why == NULL; i++)
		why = declare_side(im, n_common, &sides[i], &d[i]);
	if (why != NULL)
		return why;
	if (on != NULL && facts_find(&d[0].facts, on) == NULL)
		return arena_printf(im->c->a, "the addresses of %s are not known", on);
	nft_options_init(&o);
	p = nft_program_from_model(&d[1].model, &o, &im->cli->diags);
	if (p == NULL)
		return "what is written has no program";
	if (prove_program(&d[0].model, p, PROVE_FEW_NODES, im->c->a, ret) < 0)
		return "no memory";
	return ret->differences.n == 0 && ret->unproven.n > 0 ? ret->unproven.v[0] : NULL;
}

/* As compare(), whose diagnostics are not the import's */
static enum import_proof prove(struct import *im, const struct side sides[2], const char *on,
			       struct import_row *row)
{
	const struct diags own = im->cli->diags;
	struct prove_result r = { .n_nodes = 0 };

	diags_init(&im->cli->diags, im->c->a, im->c->sources);
	row->unproven = compare(im, sides, on, &r);
	im->cli->diags = own;
	if (row->unproven != NULL)
		return IMPORT_UNPROVEN;
	if (r.differences.n == 0)
		return IMPORT_PROVEN;
	row->diff = r.differences.v[0];
	return IMPORT_REFUTED;
}

/* The jails without what is claimed, or with one claim of it */
static struct jail_file *jails_with(struct import *im, const struct import_claim *claim)
{
	struct jail_file *f = arena_new(im->c->a, struct jail_file);

	for (uint32_t i = 0; i < im->out.blocks.n; i++) {
		const struct jail_block *from = &im->out.blocks.v[i];
		struct jail_block *b = vec_push(im->c->a, &f->blocks);
		struct jail_stmt *st;

		*b = *from;
		b->stmts = (typeof(b->stmts)){ .n = 0 };
		for (uint32_t k = 0; k < from->stmts.n; k++)
			if (!from->stmts.v[k].is_var ||
			    (strcmp(from->stmts.v[k].name, "forward") != 0 &&
			     strcmp(from->stmts.v[k].name, "nat") != 0))
				vec_add(im->c->a, &b->stmts, from->stmts.v[k]);
		if (claim == NULL || strcmp(claim->jail, b->name) != 0)
			continue;
		st = jail_make_stmt(im->c, b, claim->name, b->name_at);
		jail_make_value(im->c, st, claim->value, strlen(claim->value), b->name_at, false);
		claim = NULL;
	}
	return f;
}

/* A line that claims to be the same, and is not, differs after all: told by true */
static bool refutes(struct import *im, struct import_row *row, const struct jail_file *bare)
{
	const struct side sides[2] = {
		{ .jails = bare, .rules = row->claim.rules },
		{ .jails = jails_with(im, &row->claim), .rules = "" },
	};

	row->proof = prove(im, sides, row->claim.on, row);
	if (row->proof != IMPORT_REFUTED || row->verdict != IMPORT_EQUAL)
		return false;
	row->verdict = IMPORT_DIFFERS;
	row->why = "not every packet meets the same";
	return true;
}

static int prove_rows(struct import *im)
{
	const struct jail_file *bare = jails_with(im, NULL);
	uint32_t n = 0;
	int status = 0;

	for (uint32_t i = 0; i < im->rows.list.n; i++) {
		struct import_row *row = &im->rows.list.v[i];

		if (row->claim.jail == NULL)
			continue;
		if (n++ < MOST_CLAIMS) {
			if (refutes(im, row, bare))
				status = EX_DIFFERS;
			continue;
		}
		row->proof = IMPORT_UNPROVEN;
		row->unproven = arena_printf(im->c->a, "more than %u rules", MOST_CLAIMS);
	}
	return status;
}

int import_prove(struct import *im, const char *text, size_t len)
{
	struct cli *c = im->cli;
	struct import_row whole = { .what = "the jail.conf that is written" };
	struct side sides[2] = { { .jails = &im->out }, { .rules = NULL } };
	int status;

	if (c->interfaces == NULL && c->files.n == 0) {
		diag_add(&c->diags, DIAG_N2610, SPAN_NONE,
			 "not proven to mean the same: nothing says what addresses the host has");
		diag_help(&c->diags, "say it: --interfaces FILE, or -f rc.conf");
		return 0;
	}
	status = prove_rows(im);
	sides[1].text = sources_add(&c->sources, "jail.conf", text, (uint32_t)len, SPAN_NONE);
	whole.proof = prove(im, sides, NULL, &whole);
	if (whole.proof == IMPORT_UNPROVEN) {
		diag_add(&c->diags, DIAG_N2610, SPAN_NONE, "not proven to mean the same: %s",
			 whole.unproven);
		return status;
	}
	im->is_proven = whole.proof == IMPORT_PROVEN;
	if (im->is_proven)
		return status;
	whole.verdict = IMPORT_DIFFERS;
	whole.jail = "*";
	whole.why = "it does not mean what was read";
	vec_add(im->c->a, &im->rows.list, whole);
	return EX_DIFFERS;
}
