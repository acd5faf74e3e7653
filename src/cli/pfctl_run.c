/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A command reads what the last apply was given, as it was then, and what was
 * loaded since; changes the latter; makes the model of both; and loads what
 * differs.  So the main ruleset does not change when a jail loads its anchor
 * while somebody edits pf.conf, and what pfctl did is part of what is declared.
 *
 * All of it happens under the lock of the state, and what was loaded is
 * remembered last: of two at once none is lost, and one that is killed was
 * not carried out, which `plan` shows and the next run puts right.
 */
#include "cli/pfctl.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "cli/applied.h"
#include "cli/confirm.h"
#include "cli/host.h"

bool pfctl_warn(struct pfctl *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("pfctl: ", stderr);
	vfprintf(stderr, fmt, ap);
	putc('\n', stderr);
	va_end(ap);
	p->status = PFCTL_FAILED;
	return false;
}

void pfctl_say(struct pfctl *p, const char *fmt, ...)
{
	va_list ap;

	if (p->quiet)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	putc('\n', stderr);
	va_end(ap);
}

void pfctl_title(struct pfctl *p, const char *title)
{
	/* An empty line before each but the first */
	if (p->c->n_out++ > 0)
		putc('\n', p->c->out);
	fprintf(p->c->out, "%s\n", title);
}

struct lang_ctx pfctl_context(struct pfctl *p)
{
	struct cli *c = p->c;

	return (struct lang_ctx){
		.a = &c->arena, .names = &c->names, .sources = &c->sources, .diags = &c->diags,
		.defines = p->defines.v, .n_defines = p->defines.n,
	};
}

/* ---- errors ----------------------------------------------------------------- */

/* FreeBSD's words, where it says less than we do */
static const char *freebsd_words(const struct diag *d)
{
	switch (d->code) {
	case DIAG_E1101:
	case DIAG_E1103:
	case DIAG_E1104:
	case DIAG_E1106:
	case DIAG_E1109:
	case DIAG_E1112:
	case DIAG_E1113:
		return "syntax error";
	case DIAG_E1107:
		return "Rules must be in order: options, normalization, queueing, translation, "
		       "filtering";
	case DIAG_E1308:
	case DIAG_E1211:
		return "could not parse host specification";
	default:
		return d->message;
	}
}

static void tell_one(struct pfctl *p, const struct diag *d)
{
	struct cli *c = p->c;
	struct diags one = { .a = &c->arena, .sources = &c->sources };
	const struct span at = source_file_span(&c->sources, d->at);

	if (d->at.src == 0) {
		fprintf(stderr, "pfctl: %s\n", d->message);
		return;
	}
	if (p->own_name != NULL && strcmp(source_at(&c->sources, at.src)->name, p->own_name) == 0)
		c->sources.list.v[at.src].name = p->shown_name;
	if (d->code == DIAG_E1308)
		fprintf(stderr, "%s\n", d->message);
	fprintf(stderr, "%s:%u: %s\n", source_at(&c->sources, at.src)->name,
		source_place(&c->sources, at).line, freebsd_words(d));
	vec_add(&c->arena, &one.list, *d);
	diag_print(&one, stderr, false, DIAG_ERROR);
}

void pfctl_tell(struct pfctl *p)
{
	struct diags *d = &p->c->diags;

	for (uint32_t i = 0; i < d->list.n; i++)
		if (diag_codes[d->list.v[i].code].severity == DIAG_ERROR)
			tell_one(p, &d->list.v[i]);
	d->list.n = d->n_errors = d->n_others = d->last = 0;
}

/* ---- reading and changing ------------------------------------------------------ */

void pfctl_close(struct pfctl *p)
{
	nl_close(&p->nft);
	state_close(&p->st);
}

static bool has_ipfw(const struct cli *c)
{
	for (uint32_t i = 0; i < c->files.n; i++)
		if (c->files.v[i].lang == LANG_IPFW)
			return true;
	return false;
}

static bool open_state(struct pfctl *p, bool change)
{
	struct cli *c = p->c;
	char *text;
	size_t len;
	int err;

	if (cli_netns(c) != 0 || (change && confirm_overdue(c) != 0)) {
		pfctl_tell(p);
		p->status = PFCTL_FAILED;
		return false;
	}
	err = state_open(&p->st, c->state_dir, change ? STATE_WRITE : STATE_READ,
			 STATE_LOCK_SECONDS);
	if (err < 0)
		return pfctl_warn(p, "cannot %s: %s", cli_state_what(c), strerror(-err));
	p->run = arena_new(&c->arena, struct pfrun);
	err = pfrun_load(c, &p->st, p->run);
	if (err < 0)
		return pfctl_warn(p, "cannot read what is loaded: %s", strerror(-err));
	p->was_applied = state_read(&p->st, "applied", &c->arena, &text, &len) == 0;
	return true;
}

bool pfctl_open(struct pfctl *p, bool change)
{
	struct cli *c = p->c;

	if (p->is_open && (p->is_locked || !change))
		return true;
	state_close(&p->st);
	if (!open_state(p, change))
		return false;
	if (!p->is_open) {
		c->use_kept = true;
		c->may_be_empty = true;
		c->is_host = true;
	}
	c->run = p->run;
	if (cli_find_files(c) != 0 || (c->is_found = true, false)) {
		pfctl_tell(p);
		p->status = PFCTL_FAILED;
		return false;
	}
	if (has_ipfw(c))
		return pfctl_warn(p, "an ipfw ruleset is in force here, not a pf.conf: pfctl can "
				  "change nothing of it");
	if (cli_declare(c, &p->d, CLI_PARSED) != 0) {
		pfctl_tell(p);
		p->status = PFCTL_FAILED;
		return false;
	}
	p->is_open = true;
	p->is_locked = change;
	return true;
}

bool pfctl_is_enabled(const struct pfctl *p)
{
	if (p->run->enabled == PFRUN_UNSAID)
		return p->was_applied;
	return p->run->enabled == PFRUN_ENABLED;
}

/* -z: of all rules */
static bool all_texts(void *arg UNUSED, const char *text UNUSED)
{
	return true;
}

static bool load_program(struct pfctl *p)
{
	struct cli *c = p->c;
	const bool clear = p->clear_counts;
	const struct nft_keep keep = { .always = clear, .is_cleared = clear ? all_texts : NULL };
	struct nft_program *program;
	struct nft_options o;
	bool changed;
	int err;

	cli_nft_options(c, &o);
	program = nft_program_from_model(&p->d.model, &o, &c->diags);
	if (program == NULL)
		return false;
	if (p->dry)
		return true;
	err = nl_open(&p->nft, NETLINK_NETFILTER);
	if (err == 0)
		err = nft_reload(&p->nft, program, &keep, &c->diags, &changed);
	if (err < 0 && c->diags.n_errors == 0)
		pfctl_warn(p, "cannot load the packet rules: %s", strerror(-err));
	nl_close(&p->nft);
	return err == 0;
}

bool pfctl_commit(struct pfctl *p, bool main)
{
	struct cli *c = p->c;
	int err = 0;

	c->run = p->run;
	if (cli_declare(c, &p->d, CLI_STRICT) != 0 ||
	    ((p->was_applied || main) && !load_program(p))) {
		pfctl_tell(p);
		p->status = PFCTL_FAILED;
		return false;
	}
	if (p->dry)
		return true;
	if (main)
		err = applied_save(c, &p->st);
	if (err == 0)
		err = pfrun_save(c, &p->st, p->run);
	if (err < 0)
		return pfctl_warn(p, "cannot record what is loaded: %s", strerror(-err));
	p->was_applied |= main;
	return true;
}

bool pfctl_has_anchor(struct pfctl *p, const char *path)
{
	struct lang_ctx ctx = pfctl_context(p);
	struct pf_names names = { .list = { 0 } };
	struct pf_run run = { .flushed = 0 };

	if (path[0] == '\0')
		return true;
	if (!pfrun_parse(p->c, &ctx, &p->d.decl, p->run, &run))
		pfctl_tell(p);
	pf_anchors(&ctx, p->d.pf, &run, &names);
	for (uint32_t i = 0; i < names.list.n; i++)
		if (strcmp(names.list.v[i], path) == 0)
			return true;
	return false;
}
