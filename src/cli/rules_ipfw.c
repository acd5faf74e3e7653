/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "cli/ipfw.h"
#include "cli/live.h"
#include "host/ipfw_exec.h"
#include "lang/ipfw.h"
#include "model/forward.h"

/* A setting of sysctl.conf as 0 or 1, or -1 */
static int setting(const struct decl *d, const char *name)
{
	for (uint32_t i = 0; i < d->sysctls.n; i++)
		if (strcmp(d->sysctls.v[i].name, name) == 0)
			return strcmp(d->sysctls.v[i].value, "0") != 0;
	return -1;
}

/* Can a script be read without running it: then its words have better places */
static bool is_literal(const struct lang_ctx *ctx, uint32_t src)
{
	struct ipfw_cmds none = { .list = { .n = 0 } };
	struct diags scratch;
	struct lang_ctx quiet = *ctx;

	diags_init(&scratch, ctx->a, ctx->sources);
	quiet.diags = &scratch;
	return ipfw_script_read(&quiet, src, &none);
}

/* Run a script in the sandbox; 0 or an exit status */
static int exec_script(struct cli *c, struct lang_ctx *ctx, const struct declared *d,
		       uint32_t src, struct ipfw_cmds *cmds)
{
	uint32_t *rc = arena_array(&c->arena, uint32_t, c->files.n);
	uint32_t *given = arena_array(&c->arena, uint32_t, c->files.n);
	struct ipfw_exec x = {
		.c = ctx, .src = src, .facts = &d->facts, .decl = &d->decl, .rc = rc,
		.given = given, .answer = ipfw_exec_answer, .arg = ctx,
	};
	int err;

	for (uint32_t i = 0; i < c->files.n; i++)
		if (c->files.v[i].lang == LANG_RC)
			rc[x.n_rc++] = c->files.v[i].src;
		else if (c->files.v[i].lang == LANG_IPFW && c->files.v[i].src != src)
			given[x.n_given++] = c->files.v[i].src;
	err = ipfw_exec_run(&x, cmds);
	if (err == 0)
		return 0;
	if (err == -EINVAL)
		return EX_DATAERR;
	if (err == -ENOEXEC || err == -ENOTSUP)
		return EX_UNAVAILABLE;
	return cli_system(c, err, "run the script in a sandbox");
}

/* Does another script read this file: it is then no script of its own */
static bool is_part(const struct cli *c, uint32_t i)
{
	const char *name = source_at(&c->sources, c->files.v[i].src)->name;
	const char *slash = strrchr(name, '/');

	for (uint32_t k = 0; k < c->files.n; k++) {
		const struct source *by = source_at(&c->sources, c->files.v[k].src);
		const char *base = slash != NULL ? slash + 1 : name;

		if (k != i && c->files.v[k].lang == LANG_IPFW && ipfw_is_script(by) &&
		    (ipfw_script_sources(by, base) || ipfw_script_names(by, base)))
			return true;
	}
	return false;
}

/* The commands of all ipfw files, in order; 0 or an exit status */
static int read_commands(struct cli *c, struct lang_ctx *ctx, const struct declared *d,
			 struct ipfw_cmds *cmds)
{
	int status = 0;

	for (uint32_t i = 0; i < c->files.n && status == 0; i++) {
		const uint32_t src = c->files.v[i].src;

		if (c->files.v[i].lang != LANG_IPFW || is_part(c, i))
			continue;
		if (c->files.v[i].live)
			status = ipfw_saved_read(ctx, src, cmds) ? 0 : EX_DATAERR;
		else if (!ipfw_is_script(source_at(&c->sources, src)))
			status = ipfw_rules_read(ctx, src, cmds) ? 0 : EX_DATAERR;
		else if (c->exec && !is_literal(ctx, src))
			status = exec_script(c, ctx, d, src, cmds);
		else
			status = ipfw_script_read(ctx, src, cmds) ? 0 : EX_DATAERR;
	}
	return status;
}

/* What sysctl.conf says and a script may say later, which then counts */
static void take_settings(struct cli *c, const struct decl *d, struct ipfw_cmds *cmds)
{
	static const char lifetimes[] = "net.inet.ip.fw.dyn_";

	for (uint32_t i = 0; i < d->sysctls.n; i++) {
		const struct decl_sysctl *s = &d->sysctls.v[i];

		if (strncmp(s->name, lifetimes, sizeof(lifetimes) - 1) == 0 ||
		    strcmp(s->name, "net.inet.ip.fw.enable") == 0)
			vec_add(&c->arena, &cmds->sysctls,
				((struct ipfw_sysctl){ s->name, s->value, s->at }));
	}
}

/* Those of the files, or those of rc.conf's firewall_type */
static int get_commands(struct cli *c, struct lang_ctx *ctx, const struct declared *d,
			const struct ipfw_options *o, struct ipfw_cmds *cmds)
{
	uint32_t src;

	if (!d->is_rc_firewall)
		return read_commands(c, ctx, d, cmds);
	src = cli_rc_firewall_source(c, &d->decl, o->one_pass >= 0);
	return ipfw_rules_read(ctx, src, cmds) ? 0 : EX_DATAERR;
}

int cli_rules_ipfw(struct cli *c, struct lang_ctx *ctx, struct declared *d,
		   enum cli_strict strict)
{
	struct ipfw_options o = {
		.one_pass = c->one_pass,
		.default_to_accept = setting(&d->decl, "net.inet.ip.fw.default_to_accept") == 1,
		.tolerate_missing = strict == CLI_TOLERANT,
		.is_live = c->ipfw != NULL || live_is_there(c),
		.d = &d->decl,
	};
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	int status;

	if (o.one_pass < 0)
		o.one_pass = setting(&d->decl, "net.inet.ip.fw.one_pass");
	ipfw_jail_variables(ctx, &d->decl);
	take_settings(c, &d->decl, &cmds);
	status = get_commands(c, ctx, d, &o, &cmds);
	if (status != 0)
		return status;
	d->ipfw = ipfw_parse(ctx, &cmds);
	d->ipfw_accepts = o.default_to_accept;
	if (c->ipfw != NULL && c->diags.n_errors == 0)
		ipfw_call_run(c, ctx, d);
	if (strict == CLI_PARSED)
		return c->diags.n_errors > 0 ? cli_refused(c) : 0;
	if (forward_is_any(&d->decl))
		return ipfw_refuse_forwards(c, d);
	if (c->diags.n_errors > 0 || !ipfw_lower(ctx, d->ipfw, &d->facts, &o, &d->model))
		return cli_refused(c);
	return 0;
}
