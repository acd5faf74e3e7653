/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/pfctl.h"

/* ---- -f ------------------------------------------------------------------------- */

static bool not_loaded(struct pfctl *p)
{
	return pfctl_warn(p, "Syntax error in config file: pf rules not loaded");
}

/* The absolute path of a file: a later run may stand elsewhere */
static const char *absolute(struct pfctl *p, const char *path)
{
	CLEANUP(base_free) char *real = realpath(path, NULL);

	return real != NULL ? arena_strndup(&p->c->arena, real, strlen(real)) : path;
}

static const char *directory(struct pfctl *p, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? "" : arena_strndup(&p->c->arena, path, (size_t)(slash - path));
}

static bool read_rules(struct pfctl *p, uint32_t *ret_src)
{
	struct cli *c = p->c;
	struct lang_ctx ctx = pfctl_context(p);
	const int err = sources_read(&c->sources, p->rules, ret_src);

	if (err < 0) {
		pfctl_warn(p, "%s: %s", p->rules, strerror(-err));
		pfctl_warn(p, "cannot open the main config file!: %s", strerror(-err));
		return not_loaded(p);
	}
	p->shown_name = source_at(&c->sources, *ret_src)->name;
	if (strcmp(p->rules, "-") != 0)
		c->sources.list.v[*ret_src].dir = directory(p, absolute(p, p->rules));
	if (lang_check_text(&ctx, *ret_src))
		return true;
	pfctl_tell(p);
	return not_loaded(p);
}

/* "pfctl -v" says what it reads, in the normal form */
static bool echo(struct pfctl *p, const struct pf_file *f)
{
	struct lang_ctx ctx = pfctl_context(p);
	const struct pf_options o = { .tolerate_missing = false };
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bool ok;

	if (out == NULL)
		return pfctl_warn(p, "%s", strerror(ENOMEM));
	ok = pf_norm_form(&ctx, f, &p->d.facts, &o, out);
	fclose(out);
	if (p->verbose > 0)
		fwrite(text, 1, len, p->c->out);
	return ok;
}

static unsigned int kinds_of(const struct pfctl *p)
{
	return ((p->load & LOAD_FILTER) != 0 ? PF_KIND_FILTER : 0) |
	       ((p->load & LOAD_NAT) != 0 ? PF_KIND_NAT : 0);
}

/* Tables that a text says the contents of hold that again */
static void reset_tables(struct pfctl *p, const struct pf_file *f, const char *anchor)
{
	struct lang_ctx ctx = pfctl_context(p);
	struct pf_names names = { .list = { 0 } };

	pf_listed_tables(&ctx, f, &names);
	for (uint32_t i = 0; i < names.list.n; i++)
		pfrun_table_forget(p->run, anchor, names.list.v[i]);
}

/* The tables of a text, by themselves: what they hold becomes what they were changed to */
static bool load_tables(struct pfctl *p, const struct pf_file *f)
{
	struct lang_ctx ctx = pfctl_context(p);
	const struct pf_options o = { .tolerate_missing = false };
	struct pf_table_infos infos = { .list = { 0 } };

	if (!pf_table_list(&ctx, f, &p->d.facts, NULL, &o, &infos))
		return false;
	for (uint32_t i = 0; i < infos.list.n; i++) {
		const struct pf_table_info *x = &infos.list.v[i];
		struct pfrun_table *t = pfrun_table(p->c, p->run, p->anchor, x->name, true);

		t->is_persist |= x->is_persist;
		t->is_gone = false;
		if (!x->has_list)
			continue;
		t->entries.n = 0;
		for (uint32_t k = 0; k < x->entries.list.n; k++)
			vec_add(&p->c->arena, &t->entries, ((struct pfrun_entry){
				x->entries.list.v[k], time(NULL) }));
	}
	return true;
}

/* As in pf, "persist" outlives the text that said it: a later load need not say it again */
static bool keep_tables(struct pfctl *p)
{
	struct lang_ctx ctx = pfctl_context(p);
	struct pf_run run = { .flushed = 0 };
	const struct pf_options o = { .tolerate_missing = true, .run = &run };
	struct pf_table_infos infos = { .list = { 0 } };

	if (!pfrun_parse(p->c, &ctx, &p->d.decl, p->run, &run) ||
	    !pf_table_list(&ctx, p->d.pf, &p->d.facts, &p->d.decl, &o, &infos))
		return false;
	for (uint32_t i = 0; i < infos.list.n; i++) {
		const struct pf_table_info *x = &infos.list.v[i];
		struct pfrun_table *t;

		if (!x->is_persist || !x->is_defined || strcmp(x->anchor, p->anchor) != 0 ||
		    pfrun_table(p->c, p->run, p->anchor, x->name, false) != NULL)
			continue;
		t = pfrun_table(p->c, p->run, p->anchor, x->name, true);
		t->is_persist = true;
		for (uint32_t k = 0; k < x->entries.list.n; k++)
			vec_add(&p->c->arena, &t->entries, ((struct pfrun_entry){
				x->entries.list.v[k], time(NULL) }));
	}
	return true;
}

/* What a text includes, as it is now: it may be gone when the rules are read again */
static void keep_files(struct pfctl *p, struct pfrun_part *part)
{
	const struct sources *all = &p->c->sources;

	for (uint32_t i = p->own_src + 1; i < all->list.n; i++) {
		const struct source *s = &all->list.v[i];

		if (s->is_file)
			vec_add(&p->c->arena, &part->files,
				((struct kept_text){ s->name, s->text, s->len }));
	}
}

/* Rules of some kinds in place of those that an anchor, or the main ruleset, has */
static bool load_part(struct pfctl *p, uint32_t src, const struct pf_file *f)
{
	struct cli *c = p->c;
	struct lang_ctx ctx = pfctl_context(p);
	const struct source *s = source_at(&c->sources, src);
	const bool is_file = strcmp(p->rules, "-") != 0;
	struct pfrun_part part = {
		.kinds = kinds_of(p), .name = is_file ? absolute(p, p->rules) : "stdin",
		.text = s->text, .len = s->len,
	};
	struct pf_names inner = { .list = { 0 } };
	struct pfrun_anchor *x;

	for (uint32_t i = 0; i < p->defines.n; i++)
		vec_add(&c->arena, &part.defines, p->defines.v[i]);
	keep_files(p, &part);
	pf_inlines(&ctx, f, p->anchor, &inner);
	for (uint32_t i = 0; i < inner.list.n; i++)
		pfrun_anchor_forget(p->run, inner.list.v[i]);
	if (p->anchor[0] != '\0' && !keep_tables(p))
		return false;
	pfrun_anchor_drop(p->run, p->anchor, part.kinds);
	if (p->anchor[0] == '\0')
		p->run->flushed |= part.kinds;
	x = pfrun_anchor(c, p->run, p->anchor, true);
	vec_add(&c->arena, &x->parts, part);
	reset_tables(p, f, p->anchor);
	p->own_name = pfrun_source_name(c, p->anchor, &part);
	return pfrun_load_anchors(c, &ctx, f, p->anchor, true, 0, p->run);
}

/* As the files are now; what is gone, as an anchor knew it */
static int fresh_read(void *arg UNUSED, struct sources *s, const char *path, uint32_t *ret_src)
{
	const uint32_t n = s->kept.n;
	int err;

	s->kept.n = 0;
	err = sources_read(s, path, ret_src);
	s->kept.n = n;
	return err == -ENOENT ? sources_read(s, path, ret_src) : err;
}

static const struct lang_loader fresh = { .read = fresh_read };

/* The file becomes the main ruleset; the jails' files stay */
static void set_main(struct pfctl *p, uint32_t src)
{
	struct cli *c = p->c;
	const bool is_file = strcmp(p->rules, "-") != 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->files.n; i++)
		if (c->files.v[i].lang != LANG_PF)
			c->files.v[n++] = c->files.v[i];
	c->files.n = n;
	for (uint32_t i = 0; i < p->defines.n; i++)
		vec_add(&c->arena, &c->defines, p->defines.v[i]);
	vec_add(&c->arena, &c->files, ((struct cli_file){
		.path = is_file ? absolute(p, p->rules) : "-", .lang = LANG_PF, .src = src,
		.kept = true }));
	p->own_name = p->shown_name;
	c->pf_loader = &fresh;
	c->is_found = false;	/* it is loaded, not looked at */
	if (p->run->since == 0 || !pfctl_is_enabled(p))
		p->run->since = time(NULL);
	p->made_enabled = !pfctl_is_enabled(p);
	p->run->enabled = PFRUN_ENABLED;
}

static bool load_text(struct pfctl *p, uint32_t src)
{
	struct lang_ctx ctx = pfctl_context(p);
	const bool is_main = p->anchor[0] == '\0' && p->load == LOAD_ALL;
	struct pf_file *f;

	ctx.loader = &fresh;
	p->own_src = src;
	f = pf_parse(&ctx, &p->d.decl, &src, 1);
	if (p->c->diags.n_errors > 0 || !echo(p, f))
		return false;
	if (is_main) {
		set_main(p, src);
		return pfctl_commit(p, true);
	}
	if (p->load == LOAD_TABLE)
		return load_tables(p, f) && pfctl_commit(p, false);
	if (kinds_of(p) == 0)	/* options alone, or queues: read and checked */
		return true;
	return load_part(p, src, f) && pfctl_commit(p, false);
}

bool pfctl_load_rules(struct pfctl *p)
{
	uint32_t src;

	if (!pfctl_open(p, !p->dry) || !read_rules(p, &src))
		return false;
	if (load_text(p, src))
		return true;
	pfctl_tell(p);
	return not_loaded(p);
}

/* ---- -F ------------------------------------------------------------------------- */

/* The anchors that -F is about: one, or with a star all below it too */
static void each_path(struct pfctl *p, struct pf_names *out)
{
	const size_t len = strlen(p->anchor);

	vec_add(&p->c->arena, &out->list, p->anchor);
	for (uint32_t i = 0; p->recurse && i < p->run->anchors.n; i++) {
		const char *path = p->run->anchors.v[i].path;

		if (path[0] != '\0' && (len == 0 || (strncmp(path, p->anchor, len) == 0 &&
						     path[len] == '/')))
			vec_add(&p->c->arena, &out->list, path);
	}
}

static bool in_braces(struct pfctl *p, const char *path)
{
	struct lang_ctx ctx = pfctl_context(p);
	struct pf_names names = { .list = { 0 } };

	if (p->d.pf == NULL || path[0] == '\0')
		return false;
	pf_inlines(&ctx, p->d.pf, "", &names);
	for (uint32_t i = 0; i < names.list.n; i++)
		if (strcmp(names.list.v[i], path) == 0)
			return true;
	return false;
}

static bool flush_kinds(struct pfctl *p, unsigned int kinds)
{
	struct pf_names paths = { .list = { 0 } };

	each_path(p, &paths);
	for (uint32_t i = 0; i < paths.list.n; i++) {
		const char *path = paths.list.v[i];

		pfrun_anchor_drop(p->run, path, kinds);
		if (path[0] == '\0')
			p->run->flushed |= kinds;
		else if (in_braces(p, path) && (kinds & PF_KIND_FILTER) != 0)
			(void)pfrun_anchor(p->c, p->run, path, true);
	}
	return pfctl_commit(p, false);
}

static bool flush_rules(struct pfctl *p)
{
	if (!flush_kinds(p, PF_KIND_FILTER))
		return false;
	pfctl_say(p, "rules cleared");
	return true;
}

static bool flush_nat(struct pfctl *p)
{
	if (!flush_kinds(p, PF_KIND_NAT))
		return false;
	pfctl_say(p, "nat cleared");
	return true;
}

static bool flush_tables(struct pfctl *p)
{
	struct pf_names paths = { .list = { 0 } };
	uint32_t n = 0;

	if (!pfctl_has_anchor(p, p->anchor))
		return pfctl_warn(p, "Anchor or Ruleset does not exist.");
	each_path(p, &paths);
	for (uint32_t i = 0; i < paths.list.n; i++)
		n += pfctl_clear_tables(p, paths.list.v[i]);
	if (!pfctl_commit(p, false))
		return false;
	pfctl_say(p, "%u tables deleted.", n);
	return true;
}

static bool flush_states(struct pfctl *p)
{
	return pfctl_kill_states(p, true) >= 0;
}

static bool flush_sources(struct pfctl *p)
{
	pfctl_say(p, "source tracking entries cleared");
	return true;
}

static bool flush_info(struct pfctl *p)
{
	pfctl_say(p, "pf: statistics cleared");
	return true;
}

/* There are none, and pfctl says that they are gone */
static bool flush_ethernet(struct pfctl *p)
{
	pfctl_say(p, "Ethernet rules cleared");
	return true;
}

static bool flush_all(struct pfctl *p)
{
	if (!flush_kinds(p, PF_KIND_ALL) || !flush_ethernet(p))
		return false;
	pfctl_say(p, "rules cleared");
	pfctl_say(p, "nat cleared");
	if (!flush_tables(p))
		return false;
	if (p->anchor[0] != '\0')
		return true;
	if (!flush_states(p) || !flush_sources(p) || !flush_info(p))
		return false;
	pfctl_say(p, "pf: interface flags reset");
	return true;
}

static bool flush_nothing(struct pfctl *p UNUSED)
{
	return true;
}

bool pfctl_flush(struct pfctl *p)
{
	static const struct { const char *name; bool (*run)(struct pfctl *p); } rows[] = {
		{ "nat", flush_nat }, { "rules", flush_rules }, { "all", flush_all },
		{ "Tables", flush_tables }, { "states", flush_states },
		{ "Sources", flush_sources }, { "info", flush_info }, { "queue", flush_nothing },
		{ "osfp", flush_nothing }, { "ethernet", flush_ethernet },
		{ "Reset", flush_nothing },
	};

	if (!pfctl_open(p, true))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].name, p->clear) == 0)
			return rows[i].run(p);
	return true;
}
