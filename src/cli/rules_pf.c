/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/host.h"
#include "cli/pfrun.h"
#include "model/forward.h"

/* What was loaded while the rules were in force; 0 or an exit status */
static int find_run(struct cli *c, struct declared *d)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	int err;

	d->run = c->run;
	if (d->run != NULL)
		return 0;
	d->run = arena_new(&c->arena, struct pfrun);
	if (!c->is_host)
		return 0;
	err = cli_state_look(c, &st);
	/* Who may not look is told so by what needs it */
	if (err == -EACCES || err == -EPERM)
		return 0;
	if (err == 0)
		err = pfrun_load(c, &st, d->run);
	return err < 0 ? cli_system(c, err, "read what pfctl has loaded") : 0;
}

/* Anchors and tables beside the main ruleset; 0 or an exit status */
static int load_run(struct cli *c, struct lang_ctx *ctx, struct declared *d)
{
	/* Files that are named are loaded, as by pfctl -f; else what is in force goes on */
	const bool again = !c->is_found;
	bool ok = true;

	if (d->pf != NULL && again)
		pfrun_reload(c, ctx, d->pf, d->run);
	/* What cannot be read is told, and what else is wrong too */
	if (d->pf != NULL)
		ok = pfrun_load_anchors(c, ctx, d->pf, "", again, 0, d->run);
	d->pf_run = arena_new(&c->arena, struct pf_run);
	if (pfrun_parse(c, ctx, &d->decl, d->run, d->pf_run) && (ok || d->pf != NULL))
		return 0;
	return cli_refused(c);
}

/* An rc.conf that says "filter", and no filter */
static void tell_missing(struct cli *c, const struct decl *d)
{
	const char *name = d->pf_rules != NULL ? d->pf_rules : "/etc/pf.conf";

	if (d->pf_enable <= 0)
		return;
	diag_add(&c->diags, DIAG_W1026, d->pf_enable_at,
		 "pf_enable is YES, and the rules of '%s' are not among the files that are given",
		 name);
	diag_help(&c->diags, "give them too: --lang pf -f %s", name);
}

int cli_rules_pf(struct cli *c, struct lang_ctx *all, struct declared *d, enum cli_strict strict)
{
	struct lang_ctx own = *all, *ctx = &own;
	struct pf_options o = { .tolerate_missing = strict == CLI_TOLERANT };
	uint32_t *srcs = arena_array(&c->arena, uint32_t, c->files.n);
	uint32_t n = 0;
	int status;

	if (c->pf_loader != NULL)
		own.loader = c->pf_loader;
	for (uint32_t i = 0; i < c->files.n; i++)
		if (c->files.v[i].lang == LANG_PF)
			srcs[n++] = c->files.v[i].src;
	if (n > 0 && d->decl.pf_enable == 0)
		diag_add(&c->diags, DIAG_W1021, d->decl.pf_enable_at,
			 "pf_enable is NO, and the rules of '%s' are applied all the same",
			 source_at(&c->sources, srcs[0])->name);
	/* Forwards and nats of jails are rules, with or without a pf.conf before them */
	if (n > 0 || forward_is_any(&d->decl))
		d->pf = pf_parse(ctx, &d->decl, srcs, n);
	d->has_rules = n > 0;
	if (c->diags.n_errors > 0)
		return cli_refused(c);
	if (strict == CLI_PARSED)
		return 0;
	status = find_run(c, d);
	if (status == 0)
		status = load_run(c, ctx, d);
	if (status != 0 || d->run->enabled == PFRUN_DISABLED)
		return status;
	d->has_rules |= pfrun_anchor(c, d->run, "", false) != NULL;
	if (!d->has_rules)
		tell_missing(c, &d->decl);
	if (!d->has_rules && d->pf == NULL)
		return 0;
	if (d->pf == NULL)
		d->pf = pf_parse(ctx, &d->decl, srcs, 0);
	o.run = d->pf_run;
	if (!pf_lower(ctx, d->pf, &d->facts, &d->decl, &o, &d->model) || c->diags.n_errors > 0)
		return cli_refused(c);
	return 0;
}
