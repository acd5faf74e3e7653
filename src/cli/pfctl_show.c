/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "cli/pfctl.h"

/* ---- rules ---------------------------------------------------------------------- */

static bool show_kind(struct pfctl *p, unsigned int kinds, const char *title)
{
	struct lang_ctx ctx = pfctl_context(p);
	struct pf_run run = { .flushed = 0 };
	const struct pf_options o = { .tolerate_missing = true, .run = &run };
	const struct pf_show w = {
		.anchor = p->anchor, .kinds = kinds, .is_numeric = p->numeric,
		.is_numbered = p->verbose > 1, .recurse = p->recurse,
		.after = p->verbose > 0 ? pfctl_print_counts : NULL, .arg = p,
	};
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out;
	bool ok;

	if (!pfctl_has_anchor(p, p->anchor))
		return pfctl_warn(p, "DIOCGETRULES: Invalid argument");
	if (p->verbose > 0)
		pfctl_read_counts(p);
	out = open_memstream(&text, &len);
	if (out == NULL)
		return pfctl_warn(p, "%s", strerror(ENOMEM));
	if (p->counts != NULL && p->d.pf_run != NULL)
		run = *p->d.pf_run;
	else if (!pfrun_parse(p->c, &ctx, &p->d.decl, p->run, &run))
		pfctl_tell(p);
	ok = pf_show(&ctx, p->d.pf, &p->d.facts, &o, &w, out);
	fclose(out);
	if (title != NULL && len > 0)
		pfctl_title(p, title);
	fwrite(text, 1, len, p->c->out);
	return ok;
}

static bool show_rules(struct pfctl *p)
{
	return show_kind(p, PF_KIND_FILTER, NULL);
}

static bool show_nat(struct pfctl *p)
{
	return show_kind(p, PF_KIND_NAT, NULL);
}

/* ---- anchors -------------------------------------------------------------------- */

static bool show_anchors(struct pfctl *p)
{
	struct lang_ctx ctx = pfctl_context(p);
	struct pf_names names = { .list = { 0 } };
	struct pf_run run = { .flushed = 0 };
	const size_t len = strlen(p->anchor);

	if (!pfrun_parse(p->c, &ctx, &p->d.decl, p->run, &run))
		pfctl_tell(p);
	if (!pfctl_has_anchor(p, p->anchor)) {
		fprintf(stderr, "Anchor '%s' not found.\n", p->anchor);
		p->status = PFCTL_FAILED;
		return false;
	}
	pf_anchors(&ctx, p->d.pf, &run, &names);
	for (uint32_t i = 0; i < names.list.n; i++) {
		const char *path = names.list.v[i], *rest = path;

		if (len > 0 && (strncmp(path, p->anchor, len) != 0 || path[len] != '/'))
			continue;
		rest += len + (len > 0);
		if (p->verbose == 0 && (strchr(rest, '/') != NULL || path[0] == '_'))
			continue;
		fprintf(p->c->out, "  %s\n", path);
	}
	return true;
}

/* ---- the rest ------------------------------------------------------------------- */

static bool show_states(struct pfctl *p)
{
	return pfctl_show_states(p, false);
}

static bool show_tables(struct pfctl *p)
{
	return pfctl_show_tables(p, false);
}

static bool show_nothing(struct pfctl *p UNUSED)
{
	return true;
}

static bool show_labels(struct pfctl *p)
{
	return pfctl_show_labels(p, false);
}

static bool show_all(struct pfctl *p)
{
	if (!show_kind(p, PF_KIND_NAT, "TRANSLATION RULES:") ||
	    !show_kind(p, PF_KIND_FILTER, "FILTER RULES:") || !pfctl_show_states(p, true))
		return false;
	pfctl_title(p, "INFO:");
	(void)pfctl_show_info(p);
	if (!pfctl_show_labels(p, true))
		return false;
	pfctl_title(p, "TIMEOUTS:");
	(void)pfctl_show_timeouts(p);
	pfctl_title(p, "LIMITS:");
	(void)pfctl_show_memory(p);
	return pfctl_show_tables(p, true);
}

bool pfctl_do_show(struct pfctl *p)
{
	static const struct { const char *name; bool (*run)(struct pfctl *p); } rows[] = {
		{ "nat", show_nat }, { "rules", show_rules }, { "Anchors", show_anchors },
		{ "states", show_states }, { "info", pfctl_show_info },
		{ "labels", show_labels }, { "timeouts", pfctl_show_timeouts },
		{ "memory", pfctl_show_memory }, { "Tables", show_tables },
		{ "Interfaces", pfctl_show_interfaces }, { "Running", pfctl_show_running },
		{ "all", show_all }, { "queue", show_nothing },
		{ "Sources", show_nothing }, { "ether", show_nothing }, { "osfp", show_nothing },
		{ "creatorids", show_nothing },
	};

	if (!pfctl_open(p, false))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].name, p->show) == 0)
			return rows[i].run(p);
	return true;
}
