/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What is changed is the declaration: the forward is added to what was applied,
 * and the whole is checked as ever, conflicts and the kernel's limits included.
 * Then it is remembered, and then made so; if the kernel refuses it is forgotten
 * again.  A run that ends in between leaves a forward that the next run
 * makes so, never one that nobody knows of.
 *
 * The texts of the last `apply` count, not the files as they are now: who adds a
 * forward does not put an unfinished pf.conf in force.  Where nothing was
 * applied, or files are named, this is an `apply` of them with the forward.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/forward_nat.h"
#include "cli/forwards.h"
#include "cli/gate.h"
#include "cli/host.h"
#include "cli/kept.h"
#include "cli/nat_ask.h"
#include "cli/quick.h"
#include "cli/shadow.h"
#include "cli/stale.h"
#include "lang/forward.h"

static int64_t span_seconds(const char *text)
{
	static const struct { char unit; int64_t seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 },
	};
	char *end;
	const long n = strtol(text, &end, 10);

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (end != text && *end == units[i].unit && end[1] == '\0' && n > 0 &&
		    n <= 1000000)
			return n * units[i].seconds;
	return -1;
}

/* When --until ends; 0 or an exit status */
static int read_until(struct cli *c, int64_t *ret)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M", "%Y-%m-%d" };
	const int64_t now = (int64_t)time(NULL), span = c->until == NULL ? 0 :
		span_seconds(c->until);

	*ret = span > 0 ? now + span : 0;
	for (size_t i = 0; i < ARRAY_SIZE(forms) && span < 0; i++) {
		struct tm tm = { .tm_isdst = 0 };
		const char *end = strptime(c->until, forms[i], &tm);

		if (end != NULL && *end == '\0')
			*ret = (int64_t)timegm(&tm);
	}
	if (c->until == NULL || *ret > now)
		return 0;
	diag_add(&c->diags, DIAG_E2507, SPAN_NONE, *ret == 0 ? "'%s' is not a time" :
		 "'%s' is over", c->until);
	return EX_USAGE;
}

static const char *join(struct cli *c, const char *words, const char *name, const char *value)
{
	return value == NULL ? words :
		arena_printf(&c->arena, "%s %s%s%s", words, name, *value != '\0' ? " " : "", value);
}

/* The forward that the command line says, its jail apart; 0 or an exit status */
static int read_words(struct cli *c, struct decl_forward *ret)
{
	struct lang_ctx ctx = { .a = &c->arena, .names = &c->names, .sources = &c->sources,
				.diags = &c->diags };
	const char *words = c->args.v[1];

	for (uint32_t i = 2; i < c->args.n; i++)
		words = join(c, words, c->args.v[i], "");
	words = join(c, words, "from", c->from);
	words = join(c, words, "on", c->on);
	words = join(c, words, "to", c->to);
	words = join(c, words, "max", c->max);
	words = join(c, words, "rate", c->rate);
	words = join(c, words, "log", c->log ? "" : NULL);
	words = join(c, words, "filtered", c->filtered ? "" : NULL);
	words = join(c, words, "share", c->share ? "" : NULL);
	return forward_read(&ctx, sources_add(&c->sources, "command line", words,
					      (uint32_t)strlen(words), SPAN_NONE), ret) ?
		0 : EX_USAGE;
}

static bool was_applied(struct cli *c, const struct cli_host *h)
{
	char *text;
	size_t len;

	return c->is_found && state_read(&h->st, "applied", &c->arena, &text, &len) == 0;
}

static int make_so(struct cli *c, struct cli_host *h, bool rules_only)
{
	bool changed;
	int status, err;

	if (!rules_only)
		return cli_host_apply(c, h);
	status = cli_gate(c, &h->d.model, h->program);
	if (status != 0)
		return status;
	err = nft_load_seen(&h->filter, h->program, h->look, NULL, &c->diags, &changed);
	if (err < 0)
		return cli_host_error(c, err, "load the packet rules");
	status = cli_stale_forget(c, &h->filter, &h->d, &h->n_flows);
	if (status == 0)
		quick_save(c, h);
	return status;
}

/* What is wrong with the forward is shown under the words that were typed, not the journal's */
static void point_at_words(struct cli *c, const struct kept_edit *e)
{
	for (uint32_t i = 0; i < c->diags.list.n; i++) {
		struct span *at = &c->diags.list.v[i].at;
		const struct source *s = at->src != 0 ? source_at(&c->sources, at->src) : NULL;

		if (s != NULL && strcmp(s->name, KEPT_SOURCE) == 0 && at->hi + 1 == s->len &&
		    at->hi - at->lo == strlen(e->words) &&
		    strncmp(s->text + at->lo, e->words, at->hi - at->lo) == 0)
			*at = e->f.at;
	}
}

static int carry_out(struct cli *c, const struct kept_edit *e)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	bool rules_only;
	int status, err;

	c->edit = e;
	c->use_kept = c->files.n == 0;
	status = cli_host_open(c, &h, c->dry_run ? STATE_READ : STATE_WRITE);
	if (status == 0 && (strcmp(e->verb, "add") == 0 || strcmp(e->verb, "on") == 0))
		status = cli_shadow_check(c, &h.d, DIAG_E2508);
	if (status != 0) {
		point_at_words(c, e);
		return status;
	}
	if (c->dry_run) {
		cli_changes_print(c, &h);
		return h.changes.n > 0 ? EX_DIFFERS : 0;
	}
	rules_only = was_applied(c, &h);
	err = kept_save(c, h.d.kept);
	if (err < 0)
		return cli_system(c, err, "remember the forward");
	status = make_so(c, &h, rules_only);
	if (status != 0 && kept_undo(c, h.d.kept) < 0)
		diag_add(&c->diags, DIAG_E1011, SPAN_NONE,
			 "the forward is remembered all the same: it could not be taken back");
	return status;
}

/* In the kernel, in the userspace NAT that runs here, or in both */
static int make_change(struct cli *c, const struct kept_edit *e)
{
	bool is_done;
	int status = forward_by_nat(c, e, &is_done);

	if (is_done)
		return status;
	status = strcmp(e->verb, "add") == 0 ? quick_add(c, e) : quick_edit(c, e);
	if (status == QUICK_NOT)
		status = carry_out(c, e);
	return status == 0 && !c->dry_run ? nat_ask_reload(c, NULL) : status;
}

int verb_forward_add(struct cli *c)
{
	struct kept_edit e = { .verb = "add" };
	int status = read_words(c, &e.f);

	if (status == 0)
		status = read_until(c, &e.until);
	if (status != 0)
		return status;
	e.jail = c->args.v[0];
	e.words = e.f.text;
	status = cli_netns(c);
	return status == 0 ? make_change(c, &e) : status;
}

static int edit_parts(struct cli *c, const char *verb)
{
	struct kept_edit e = { .verb = verb, .jail = c->args.v[0] };
	int status;

	if (strchr(c->args.v[2], ':') != NULL) {
		cli_usage(c, "forward %s takes the outside ports only, not '%s'", verb,
			  c->args.v[2]);
		diag_help(&c->diags, "forward %s %s %s %.*s", verb, c->args.v[0], c->args.v[1],
			  (int)strcspn(c->args.v[2], ":"), c->args.v[2]);
		return EX_USAGE;
	}
	status = read_words(c, &e.f);
	e.words = e.f.text;
	if (status == 0)
		status = cli_netns(c);
	return status == 0 ? make_change(c, &e) : status;
}

int verb_forward_del(struct cli *c)
{
	return edit_parts(c, "del");
}

int verb_forward_off(struct cli *c)
{
	return edit_parts(c, "off");
}

int verb_forward_on(struct cli *c)
{
	return edit_parts(c, "on");
}

/* ---- list ------------------------------------------------------------------------- */

static const char *left_text(struct cli *c, const struct cli_forward *f)
{
	const int64_t left = f->until - (int64_t)time(NULL);

	if (f->until == 0)
		return "-";
	if (left > 2 * 86400)
		return arena_printf(&c->arena, "%lldd", (long long)(left / 86400));
	if (left > 2 * 3600)
		return arena_printf(&c->arena, "%lldh", (long long)(left / 3600));
	return arena_printf(&c->arena, "%llds", (long long)left);
}

#define NUMBER_BYTES	24u
#define WIDE	"%-12s %-7s %-20s %-8s %-24s %-24s %10s %12s %-20s %-7s %s\n"
#define BARE	"%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n"

static void print_row(struct cli *c, const struct cli_forward *f, const struct cli_used *n)
{
	char last[CLI_TIME_BYTES] = "-", packets[NUMBER_BYTES], bytes[NUMBER_BYTES];
	const char *state = f->is_off ? "off" : !f->is_live ? "down" : f->until == 0 ? "on" :
		arena_printf(&c->arena, "on %s", left_text(c, f));

	(void)cli_time_text(n->last, last);
	snprintf(packets, sizeof(packets), "%llu", (unsigned long long)n->packets);
	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)n->bytes);
	fprintf(c->out, c->no_header ? BARE : WIDE, f->jail != NULL ? f->jail->name : "-", f->proto,
		f->from, f->on, f->external, f->internal, packets, bytes, f->place,
		c->no_header ? f->is_off ? "off" : "on" : state, last);
}

static bool is_asked_for(const struct cli *c, const struct cli_forward *f)
{
	for (uint32_t i = 0; i < c->args.n; i++)
		if (f->jail != NULL && strcmp(f->jail->name, c->args.v[i]) == 0)
			return true;
	return c->args.n == 0;
}

/* Rows on their way out */
struct rows {
	const struct cli_counters *counts;
	bool has_header;
};

static void print_forward(struct cli *c, const struct cli_forward *f, void *arg)
{
	struct rows *rows = arg;
	const struct cli_used n = cli_forward_used(rows->counts, f);

	if (!c->json && !c->no_header && !rows->has_header)
		fprintf(c->out, WIDE, "JAIL", "PROTO", "FROM", "ON", "EXTERNAL", "INTERNAL",
			"PACKETS", "BYTES", "SOURCE", "STATE", "LAST USE");
	rows->has_header = true;
	if (!is_asked_for(c, f))
		return;
	if (c->json) {
		cli_comma(c);
		cli_forward_json(c, f, &n);
	} else {
		print_row(c, f, &n);
	}
}

static void print_list(struct cli *c, const struct declared *d, const struct cli_counters *counts)
{
	cli_stream(c);
	cli_forwards_each(c, d, print_forward, &(struct rows){ .counts = counts });
}

static int check_names(struct cli *c, const struct decl *d)
{
	for (uint32_t i = 0; i < c->args.n; i++) {
		if (decl_find_jail(d, c->args.v[i]) != NULL)
			continue;
		diag_add(&c->diags, DIAG_E1024, SPAN_NONE, "no jail '%s' is declared",
			 c->args.v[i]);
		return EX_DATAERR;
	}
	return 0;
}

int verb_forward_list(struct cli *c)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	struct cli_counters counts = { .has_traffic = false };
	struct nft_options o;
	int status = cli_netns(c), err;

	c->is_host = true;
	if (status == 0)
		status = cli_declare(c, &h.d, CLI_STRICT);
	if (status == 0)
		status = check_names(c, &h.d.decl);
	if (status != 0)
		return status;
	cli_nft_options(c, &o);
	h.program = nft_program_from_model(&h.d.model, &o, &c->diags);
	if (h.program == NULL)
		return cli_refused(c);
	err = nl_open(&h.filter, NETLINK_NETFILTER);
	if (err == 0)
		err = cli_counters_read(c, &h.filter, h.program, &counts);
	if (err < 0)
		return cli_system(c, err, "read the counters");
	print_list(c, &h.d, &counts);
	return 0;
}
