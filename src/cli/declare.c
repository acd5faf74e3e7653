/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Files to model in one direction: read all; parse those that say who the
 * jails are; settle what they declare together; learn the facts of the host;
 * then the packet rules, which need all of that; then the policy around them.
 */
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/aliases.h"
#include "cli/applied.h"
#include "cli/cli.h"
#include "cli/host.h"
#include "cli/ipfw.h"
#include "cli/pools.h"
#include "cli/runs.h"
#include "cli/kept.h"
#include "cli/live.h"
#include "host/facts.h"
#include "lang/ezjail.h"
#include "lang/iocage.h"
#include "lang/jail.h"
#include "lang/rc.h"
#include "model/lint.h"

#define DEFAULT_DIR	"/etc/sallyport"

/* First match wins; a pattern with a slash is matched against the whole path */
static const struct { const char *pattern; enum cli_lang lang; } lang_of_names[] = {
	{ "*jail.conf", LANG_JAIL },
	{ "*.jail", LANG_JAIL },
	{ "*jail.conf.d/*.conf", LANG_JAIL },
	{ "*rc.conf", LANG_RC },
	{ "*sysctl.conf", LANG_SYSCTL },
	{ "*ipfw*", LANG_IPFW },
	{ "*rc.firewall*", LANG_IPFW },
	{ "*pf*.conf", LANG_PF },
	{ "*.pf", LANG_PF },
	{ "*.json", LANG_IOCAGE },
	{ "jail.*.conf", LANG_JAIL },
};

enum cli_lang cli_lang_of(const struct cli_file *f)
{
	const char *base = source_short_name(f->path);

	if (f->lang != LANG_BY_NAME)
		return f->lang;
	for (size_t i = 0; i < ARRAY_SIZE(lang_of_names); i++) {
		const char *pattern = lang_of_names[i].pattern;

		if (fnmatch(pattern, strchr(pattern, '/') != NULL ? f->path : base, 0) == 0)
			return lang_of_names[i].lang;
	}
	return LANG_BY_NAME;
}

/* Know each file's language, before any is read */
static int find_langs(struct cli *c)
{
	bool pf = false, ipfw = false;

	for (uint32_t i = 0; i < c->files.n; i++) {
		struct cli_file *f = &c->files.v[i];

		f->lang = cli_lang_of(f);
		pf |= f->lang == LANG_PF;
		ipfw |= f->lang == LANG_IPFW;
		if (f->lang == LANG_BY_NAME) {
			diag_add(&c->diags, DIAG_E1015, SPAN_NONE,
				 "the name '%s' does not say the language of the file", f->path);
			diag_help(&c->diags, "say it: --lang pf -f %s", f->path);
			return EX_USAGE;
		}
	}
	if (pf && ipfw) {
		diag_add(&c->diags, DIAG_E1006, SPAN_NONE,
			 "a pf.conf and an ipfw ruleset cannot be declared together");
		return EX_DATAERR;
	}
	return 0;
}

static int read_files(struct cli *c)
{
	for (uint32_t i = 0; i < c->files.n; i++) {
		struct cli_file *f = &c->files.v[i];
		const int err = f->kept ? 0 : sources_read(&c->sources, f->path, &f->src);

		if (err == -EFBIG) {
			diag_add(&c->diags, DIAG_E1002, SPAN_NONE,
				 "'%s' is larger than the limit of %u MiB", f->path,
				 LIMIT_FILE_BYTES >> 20);
			return EX_DATAERR;
		}
		if (err < 0) {
			diag_add(&c->diags, DIAG_E1001, SPAN_NONE, "cannot read '%s': %s", f->path,
				 strerror(-err));
			return EX_NOINPUT;
		}
	}
	return 0;
}

/* Files of /etc/sallyport that are there */
static void add_default_files(struct cli *c, struct lang_ctx *ctx)
{
	static const struct { const char *pattern; enum cli_lang lang; } names[] = {
		{ DEFAULT_DIR "/rc.conf", LANG_RC },
		{ DEFAULT_DIR "/sysctl.conf", LANG_SYSCTL },
		{ DEFAULT_DIR "/jail.conf", LANG_JAIL },
		{ DEFAULT_DIR "/jail.conf.d/*.conf", LANG_JAIL },
		{ DEFAULT_DIR "/jail.*.conf", LANG_JAIL },
		{ DEFAULT_DIR "/pf.conf", LANG_PF },
		{ DEFAULT_DIR "/ipfw.rules", LANG_IPFW },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct lang_paths paths = { .list = { .n = 0 } };

		if (!lang_glob(ctx, names[i].pattern, SPAN_NONE, &paths))
			return;
		for (uint32_t p = 0; p < paths.list.n; p++)
			vec_add(&c->arena, &c->files, ((struct cli_file){
				.path = paths.list.v[p], .lang = names[i].lang }));
	}
}

static struct lang_ctx context(struct cli *c)
{
	return (struct lang_ctx){
		.a = &c->arena, .names = &c->names, .sources = &c->sources, .diags = &c->diags,
		.defines = c->defines.v, .n_defines = c->defines.n, .resolve = cli_resolve,
		.loader = c->loader.read != NULL ? &c->loader : NULL,
	};
}

static int tell_damage(struct cli *c)
{
	diag_add(&c->diags, DIAG_E1011, SPAN_NONE,
		 "what was recorded of the last apply in " STATE_RUN_DIR " is damaged");
	diag_help(&c->diags, "apply again, with the files: sallyport -f rc.conf -f jail.conf "
		  "-f pf.conf ... apply");
	return EX_OSERR;
}

/* Without -f: what the last apply was given, else /etc/sallyport */
static int find_files(struct cli *c, struct lang_ctx *ctx)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	const bool given = c->files.n > 0;
	int err;

	if (c->is_found || (given && !c->is_host))
		return 0;
	c->is_found = !given;
	c->is_host = true;
	err = cli_state_look(c, &st);
	if (err == 0 && !given) {
		err = applied_load(c, &st);
		c->may_be_empty |= err == 0;	/* addresses alone were added */
	}
	if (err == -EBADMSG)
		return tell_damage(c);
	if (err < 0 && err != -ENOENT)
		return cli_system(c, err, "read what the last apply was given");
	if (c->files.n == 0)
		add_default_files(c, ctx);
	err = live_load(c, &st, given);
	if (err < 0)
		return cli_system(c, err, "read the rules that the ipfw command keeps");
	*ctx = context(c);
	if (c->files.n > 0 || c->may_be_empty)
		return 0;
	diag_add(&c->diags, DIAG_E1014, SPAN_NONE,
		 "no -f, nothing applied since boot, and nothing in " DEFAULT_DIR);
	diag_help(&c->diags, "name them: sallyport -f rc.conf -f jail.conf -f pf.conf ...");
	return EX_NOINPUT;
}

/* Jails taken up and down since boot; 0 or an exit status */
static int find_runs(struct cli *c, struct decl *d)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	int err = c->is_host ? cli_state_look(c, &st) : -ENOENT;

	if (err == 0)
		err = runs_load(&st, &c->arena, &d->runs);
	if (err == 0)
		err = aliases_load(c, &st);
	if (err < 0 && err != -ENOENT)
		return cli_system(c, err, "read which jails were taken down");
	return 0;
}

/* Is each jail that this run takes up or down declared */
static int check_runs(struct cli *c, const struct decl *d)
{
	for (uint32_t i = 0; i < c->runs.list.n; i++) {
		const char *name = c->runs.list.v[i].name, *near;

		if (decl_find_jail(d, name) != NULL)
			continue;
		diag_add(&c->diags, DIAG_E1024, SPAN_NONE, "no jail '%s' is declared", name);
		near = diag_nearest(name, decl_jail_names(d));
		if (near != NULL)
			diag_help(&c->diags, "did you mean '%s'?", near);
	}
	return c->diags.n_errors > 0 ? EX_DATAERR : 0;
}

/** struct source_list - Sources of one language, in order */
struct source_list {
	VEC(uint32_t) list;
};

static int parse_host(struct cli *c, struct lang_ctx *ctx, struct decl *d)
{
	int status = 0;
	struct source_list rc = { .list = { 0 } };
	struct lang_ctx tree = *ctx;

	c->trees.cap_bytes = c->arena.cap_bytes;
	c->trees.full = c->arena.full;
	tree.tmp = &c->trees;

	for (uint32_t i = 0; i < c->files.n; i++)
		if (c->files.v[i].lang == LANG_RC)
			vec_add(&c->arena, &rc.list, c->files.v[i].src);
	if (rc.list.n > 0)
		rc_lower(ctx, rc_parse_all(ctx, rc.list.v, rc.list.n), d);
	for (uint32_t i = 0; i < c->files.n && !diag_is_full(&c->diags); i++) {
		const struct cli_file *f = &c->files.v[i];

		if (f->lang == LANG_SYSCTL)
			sysctlconf_lower(ctx, sysctlconf_parse(ctx, f->src), d);
		else if (f->jails != NULL)
			jail_lower(ctx, f->jails, d);
		else if (f->lang == LANG_JAIL)
			jail_lower(&tree, jail_parse(&tree, f->src), d);
		else if (f->lang == LANG_EZJAIL)
			jail_lower(ctx, ezjail_parse(ctx, f->src), d);
		else if (f->lang == LANG_IOCAGE)
			jail_lower(ctx, iocage_parse(ctx, f->src, 0), d);
		arena_fini(&c->trees);
	}
	aliases_declare(c, d);
	runs_expand(&c->arena, d, &c->runs);
	for (uint32_t i = 0; i < c->runs.list.n; i++)
		vec_add(&c->arena, &d->runs.list, c->runs.list.v[i]);
	if (c->diags.n_errors == 0)
		status = pools_settle(c, d);
	decl_finish(d, &c->diags);
	return status;
}

static bool has_lang(const struct cli *c, enum cli_lang lang)
{
	for (uint32_t i = 0; i < c->files.n; i++)
		if (c->files.v[i].lang == lang)
			return true;
	return false;
}

static int parse_rules(struct cli *c, struct lang_ctx *ctx, struct declared *d,
		       enum cli_strict strict)
{
	int status;

	model_init(&d->model, &c->arena, &c->names, &d->facts);
	d->is_rc_firewall = cli_rc_firewall(c, &d->decl);
	if (d->is_rc_firewall || has_lang(c, LANG_IPFW))
		status = cli_rules_ipfw(c, ctx, d, strict);
	else
		status = cli_rules_pf(c, ctx, d, strict);
	if (status != 0 || strict == CLI_PARSED)
		return status;
	policy_add(&d->model, &c->policy, &c->diags);
	BUG_IF(model_check(&d->model) != NULL);
	if (d->has_rules || d->is_rc_firewall || has_lang(c, LANG_IPFW))
		lint_jails(&d->model, &d->decl, &c->diags);
	return 0;
}

int cli_find_files(struct cli *c)
{
	struct lang_ctx ctx = context(c);
	const int status = find_files(c, &ctx);

	return status != 0 ? status : find_langs(c);
}

static int declare(struct cli *c, struct declared *d, enum cli_strict strict)
{
	struct lang_ctx ctx = context(c);
	int status = find_files(c, &ctx);

	if (status == 0)
		status = find_langs(c);
	if (status == 0)
		status = read_files(c);
	if (status != 0)
		return status;
	decl_init(&d->decl, &c->arena, &c->names);
	status = find_runs(c, &d->decl);
	if (status != 0)
		return status;
	status = parse_host(c, &ctx, &d->decl);
	if (status == 0)
		status = check_runs(c, &d->decl);
	if (status == 0)
		status = kept_declare(c, &ctx, d);
	if (status != 0)
		return status;
	status = cli_facts(c, &d->decl, &d->facts);
	if (status != 0)
		return status;
	return parse_rules(c, &ctx, d, strict);
}

int cli_declare(struct cli *c, struct declared *d, enum cli_strict strict)
{
	jmp_buf full, *outer = c->arena.full;
	volatile int status;

	*d = (struct declared){ .has_rules = false };
	c->arena.cap_bytes = LIMIT_ARENA_BYTES;
	c->arena.full = &full;
	if (setjmp(full) == 0) {
		status = declare(c, d, strict);
	} else {
		const size_t cap = c->arena.cap_bytes;

		c->arena.cap_bytes = SIZE_MAX;	/* for what is told and printed now */
		c->arena.full = outer;
		diag_add(&c->diags, DIAG_E1004, SPAN_NONE,
			 "the declarations need more than %zu MiB of memory", cap >> 20);
		return EX_DATAERR;
	}
	c->arena.full = outer;
	return status;
}
