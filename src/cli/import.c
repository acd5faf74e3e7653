/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The declarations go to standard output as a jail.conf, the report to standard
 * error: so `import ... > jail.conf` leaves a file, and what is to be known of
 * it is read at the terminal.  Before it is printed the file is lowered as
 * `check` would do it, so nothing is printed that we would refuse ourselves, and what
 * it means is proven (import_prove.c).
 */
#include "cli/import.h"
#include "cli/verify.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lang/ezjail.h"
#include "lang/iocage.h"

static const char *const verdicts[] = {
	[IMPORT_EQUAL] = "equal", [IMPORT_DIFFERS] = "differs", [IMPORT_MISSING] = "missing",
};

static const char *const proofs[] = {
	[IMPORT_PROVEN] = "proven", [IMPORT_REFUTED] = "differs", [IMPORT_UNPROVEN] = "not proven",
};

/* What every statement for the network became: it says the same */
static void report_block(struct import *im, const struct jail_block *b)
{
	static const char *const told[] = { "ip4.addr", "ip6.addr", "vnet", "nat", "forward",
					    "address", "bridge", "gateway" };

	for (uint32_t i = 0; i < b->stmts.n; i++) {
		const struct jail_stmt *st = &b->stmts.v[i];
		bool is_told = false;

		for (size_t n = 0; n < ARRAY_SIZE(told); n++)
			is_told |= strcmp(told[n], st->name) == 0;
		for (uint32_t n = 0; is_told && n < st->values.n; n++)
			import_row(im, b->name, IMPORT_EQUAL, st->values.v[n].at,
				   arena_printf(im->c->a, "%s%s %s", st->is_var ? "$" : "",
						st->name, st->values.v[n].parts.n > 0
						? st->values.v[n].parts.v[0].s : ""), NULL);
	}
}

static void add_jails(struct import *im, const struct jail_file *f)
{
	for (uint32_t i = 0; i < f->blocks.n; i++) {
		vec_add(im->c->a, &im->out.blocks, f->blocks.v[i]);
		report_block(im, &f->blocks.v[i]);
	}
}

/* Is all that is wrong what iocage finds out when it starts the jail */
static bool is_only_unsaid(const struct diags *d)
{
	for (uint32_t i = 0; i < d->list.n; i++)
		if (diag_codes[d->list.v[i].code].severity == DIAG_ERROR &&
		    d->list.v[i].code != DIAG_E2605)
			return false;
	return d->n_errors > 0;
}

/* A jail that does not say its address is left to who imports: the others are as they are */
static void import_config(struct import *im, uint32_t src, uint32_t defaults)
{
	struct lang_ctx quiet = *im->c;
	const struct jail_file *f;
	struct diags told;

	diags_init(&told, im->c->a, im->c->sources);
	quiet.diags = &told;
	f = iocage_parse(&quiet, src, defaults);
	if (f->blocks.n == 0 || !is_only_unsaid(&told)) {
		add_jails(im, iocage_parse(im->c, src, defaults));
		return;
	}
	for (uint32_t i = 0; i < told.list.n; i++)
		if (told.list.v[i].code == DIAG_E2605)
			import_row(im, f->blocks.v[0].name, IMPORT_MISSING, told.list.v[i].at,
				   "jail", told.list.v[i].message);
}

static void import_iocage(struct import *im)
{
	struct lang_paths paths = { .list = { 0 } };
	uint32_t defaults = 0, src;

	import_read(im, arena_printf(im->c->a, "%s/defaults.json", im->dir), &defaults);
	import_glob(im, "/config.json", &paths);
	for (uint32_t i = 0; i < paths.list.n && !diag_is_full(im->c->diags); i++)
		if (import_read(im, paths.list.v[i], &src))
			import_config(im, src, defaults);
}

/* A file of ezjail for each jail; NAME.norun is one that does not start at boot */
static void import_ezjail(struct import *im)
{
	static const char norun[] = ".norun";
	struct lang_paths paths = { .list = { 0 } };
	uint32_t src;

	if (!lang_glob(im->c, arena_printf(im->c->a, "%s/*", im->dir), SPAN_NONE, &paths))
		return;
	for (uint32_t i = 0; i < paths.list.n && !diag_is_full(im->c->diags); i++) {
		const char *path = paths.list.v[i];
		const size_t len = strlen(path), tail = sizeof(norun) - 1;
		const struct jail_file *f;

		if (!import_read(im, path, &src))
			continue;
		f = ezjail_parse(im->c, src);
		add_jails(im, f);
		if (f->blocks.n > 0 && len > tail && strcmp(path + len - tail, norun) == 0)
			import_row(im, f->blocks.v[0].name, IMPORT_DIFFERS, f->blocks.v[0].name_at,
				   "norun", "ezjail does not start it; say in rc.conf's jail_list "
				   "which jails are to be up");
	}
}

static void print_jail(const struct jail_block *b, FILE *out)
{
	struct jail_block one = *b;
	const struct jail_file f = { .blocks = { .v = &one, .n = 1, .cap = 1 } };

	jail_print(&f, out);
}

static void json_row(struct import *im, const struct import_row *r, bool is_first)
{
	FILE *out = im->cli->out;

	fputs(is_first ? "{\"verdict\": " : ", {\"verdict\": ", out);
	json_cstring(out, verdicts[r->verdict]);
	fputs(", \"what\": ", out);
	json_cstring(out, r->what);
	fputs(", \"why\": ", out);
	json_cstring(out, r->why);
	fputs(", \"proof\": ", out);
	json_cstring(out, proofs[r->proof]);
	fputs(", \"unproven\": ", out);
	json_cstring(out, r->unproven);
	fputs(", \"difference\": ", out);
	if (r->proof == IMPORT_REFUTED)
		cli_difference_json(im->cli, &r->diff);
	else
		fputs("null", out);
	fputs(", ", out);
	cli_json_place(im->cli, r->at);
	putc('}', out);
}

/* Is row @n the first of a jail that is not declared */
static bool is_left_out(const struct import *im, uint32_t n)
{
	const char *jail = im->rows.list.v[n].jail;

	for (uint32_t i = 0; i < im->out.blocks.n; i++)
		if (strcmp(im->out.blocks.v[i].name, jail) == 0)
			return false;
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(im->rows.list.v[i].jail, jail) == 0)
			return false;
	return true;
}

/* A jail and its part of the report; @b is NULL for one that is not declared */
static int json_jail(struct import *im, const char *name, const struct jail_block *b)
{
	CLEANUP(base_free) char *text = NULL;
	FILE *out = im->cli->out, *mem;
	bool is_first = true;
	size_t len = 0;

	mem = open_memstream(&text, &len);
	if (mem == NULL)
		return cli_system(im->cli, -errno, "print the declarations");
	if (b != NULL)
		print_jail(b, mem);
	fclose(mem);
	cli_object(im->cli);
	fputs("\"jail\": ", out);
	json_cstring(out, name);
	fputs(", \"text\": ", out);
	json_string(out, text, len);
	fputs(", \"report\": [", out);
	for (uint32_t i = 0; i < im->rows.list.n; i++) {
		if (strcmp(im->rows.list.v[i].jail, name) != 0)
			continue;
		json_row(im, &im->rows.list.v[i], is_first);
		is_first = false;
	}
	fputs("]}", out);
	return 0;
}

/* What came of a proof, below its line of the report */
static void print_proof(const struct import_row *r)
{
	switch (r->proof) {
	case IMPORT_UNTRIED:
		return;
	case IMPORT_PROVEN:
		fprintf(stderr, "         proven to mean: %s", r->claim.rules);
		return;
	case IMPORT_UNPROVEN:
		fprintf(stderr, "         not proven: %s\n", r->unproven);
		return;
	case IMPORT_REFUTED:
		fprintf(stderr, "         %s\n         read     %s\n         written  %s\n",
			r->diff.packet, r->diff.declared, r->diff.kernel);
		return;
	}
	BUG_IF(true);
}

static int print_import(struct import *im, const char *text, size_t len)
{
	int status = 0;

	if (im->cli->json) {
		for (uint32_t i = 0; i < im->out.blocks.n && status == 0; i++)
			status = json_jail(im, im->out.blocks.v[i].name, &im->out.blocks.v[i]);
		for (uint32_t i = 0; i < im->rows.list.n && status == 0; i++)
			if (is_left_out(im, i))
				status = json_jail(im, im->rows.list.v[i].jail, NULL);
		return status;
	}
	fwrite(text, 1, len, im->cli->out);
	for (uint32_t i = 0; i < im->rows.list.n && !im->cli->quiet; i++) {
		const struct import_row *r = &im->rows.list.v[i];

		fprintf(stderr, "%-8s %s: %s  (%s)\n", verdicts[r->verdict], r->jail, r->what,
			cli_place(im->cli, r->at));
		if (r->why != NULL)
			fprintf(stderr, "         %s\n", r->why);
		print_proof(r);
	}
	if (im->is_proven && !im->cli->quiet)
		fputs("proven: what is written means what was read\n", stderr);
	return 0;
}

static const struct manager {
	const char *name;
	void (*read)(struct import *im);
} managers[] = {
	{ "appjail", import_appjail },
	{ "bastille", import_bastille },
	{ "ezjail", import_ezjail },
	{ "iocage", import_iocage },
};

/* Prove and print; 0 or an exit status */
static int prove_and_print(struct import *im)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *mem = open_memstream(&text, &len);
	int status, printed;

	if (mem == NULL)
		return cli_system(im->cli, -errno, "print the declarations");
	jail_print(&im->out, mem);
	if (fclose(mem) != 0)
		return cli_system(im->cli, -errno, "print the declarations");
	status = import_prove(im, text, len);
	printed = print_import(im, text, len);
	return printed != 0 ? printed : status;
}

/* Read and print; 0 or an exit status */
static int run(struct import *im, const struct manager *m)
{
	struct cli *c = im->cli;
	struct decl d;

	m->read(im);
	if (c->diags.n_errors == 0 && im->out.blocks.n == 0 && im->rows.list.n == 0) {
		diag_add(&c->diags, DIAG_E2608, SPAN_NONE, "no jail of %s is in '%s'", m->name,
			 im->dir);
		return EX_NOINPUT;
	}
	decl_init(&d, &c->arena, &c->names);
	jail_lower(im->c, &im->out, &d);
	decl_finish(&d, &c->diags);
	return c->diags.n_errors > 0 ? EX_DATAERR : prove_and_print(im);
}

int verb_import(struct cli *c)
{
	struct lang_ctx ctx = {
		.a = &c->arena, .names = &c->names, .sources = &c->sources, .diags = &c->diags,
	};
	struct import im = { .cli = c, .c = &ctx };
	const struct manager *m = NULL;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(managers); i++)
		if (strcmp(managers[i].name, c->args.v[0]) == 0)
			m = &managers[i];
	if (m == NULL)
		return cli_usage(c, "import takes appjail, bastille, ezjail or iocage, not '%s'",
				 c->args.v[0]);
	im.dir = c->args.v[1];
	if (stat(im.dir, &st) < 0 || !S_ISDIR(st.st_mode)) {
		diag_add(&c->diags, DIAG_E1001, SPAN_NONE, "cannot read '%s': %s", im.dir,
			 strerror(stat(im.dir, &st) < 0 ? errno : ENOTDIR));
		return EX_NOINPUT;
	}
	return run(&im, m);
}
