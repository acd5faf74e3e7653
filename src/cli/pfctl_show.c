/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <time.h>

#include "cli/pfctl.h"
#include "cli/host.h"

void pfctl_title(struct pfctl *p, const char *title)
{
	/* An empty line before each but the first */
	if (p->c->n_out++ > 0)
		putc('\n', p->c->out);
	fprintf(p->c->out, "%s\n", title);
}

/* ---- rules ---------------------------------------------------------------------- */

/* Counters of what is in force, where they can be read */
struct counted {
	struct pfctl *p;
	struct nft_counts counts;
	bool is_there;
};

static void read_counts(struct counted *x)
{
	struct pfctl *p = x->p;
	struct cli *c = p->c;
	struct nft_program *program;
	struct nft_options o;
	struct declared d;

	cli_nft_options(c, &o);
	c->run = p->run;
	if (cli_declare(c, &d, CLI_TOLERANT) == 0 &&
	    (program = nft_program_from_model(&d.model, &o, &c->diags)) != NULL &&
	    nl_open(&p->nft, NETLINK_NETFILTER) == 0) {
		x->is_there = nft_counters(&p->nft, program, &c->arena, &x->counts) == 0;
		p->d = d;
	}
	nl_close(&p->nft);
	c->diags.list.n = c->diags.n_errors = c->diags.n_others = c->diags.last = 0;
}

static struct nft_count count_of(const struct counted *x, struct span at)
{
	struct nft_count sum = { .packets = 0 };

	for (uint32_t i = 0; i < x->counts.list.n; i++) {
		const struct nft_count *n = &x->counts.list.v[i];

		if (n->origin.at.src != at.src || n->origin.at.lo != at.lo ||
		    n->origin.at.hi != at.hi)
			continue;
		sum.packets += n->packets;
		sum.bytes += n->bytes;
	}
	return sum;
}

/* Of the statement: what nft counts is not taken apart as pf's rules are */
static void print_counts(struct span at, FILE *out, void *arg)
{
	const struct counted *x = arg;
	const struct nft_count n = count_of(x, at);

	if (!x->is_there)
		return;
	fprintf(out, "  [ Evaluations: %-8s  Packets: %-8llu  Bytes: %-10llu  States: %-6s]\n", "?",
		(unsigned long long)n.packets, (unsigned long long)n.bytes, "?");
}

static bool show_kind(struct pfctl *p, unsigned int kinds, const char *title)
{
	struct lang_ctx ctx = pfctl_context(p);
	struct pf_run run = { .flushed = 0 };
	const struct pf_options o = { .tolerate_missing = true, .run = &run };
	struct counted counted = { .p = p };
	const struct pf_show w = {
		.anchor = p->anchor, .kinds = kinds, .is_numeric = p->numeric,
		.is_numbered = p->verbose > 1, .recurse = p->recurse,
		.after = p->verbose > 0 ? print_counts : NULL, .arg = &counted,
	};
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out;
	bool ok;

	if (!pfctl_has_anchor(p, p->anchor))
		return pfctl_warn(p, "DIOCGETRULES: Invalid argument");
	if (p->verbose > 0)
		read_counts(&counted);
	out = open_memstream(&text, &len);
	if (out == NULL)
		return pfctl_warn(p, "%s", strerror(ENOMEM));
	if (counted.is_there && p->d.pf_run != NULL)
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

static bool show_info(struct pfctl *p)
{
	FILE *out = p->c->out;
	const int64_t since = p->run->since, states = pfctl_count_states(p);
	char line[80];

	if (!pfctl_is_enabled(p)) {
		snprintf(line, sizeof(line), "Status: Disabled");
	} else if (since > 0) {
		const int64_t s = time(NULL) - since;

		snprintf(line, sizeof(line), "Status: Enabled for %lld days %.2d:%.2d:%.2d",
			 (long long)(s / 86400), (int)(s / 3600 % 24), (int)(s / 60 % 60),
			 (int)(s % 60));
	} else {
		snprintf(line, sizeof(line), "Status: Enabled");
	}
	fprintf(out, "%-44s%15s\n\n", line, "Debug: Urgent");
	fprintf(out, "%-27s %14s %16s\n", "State Table", "Total", "Rate");
	if (states >= 0)
		fprintf(out, "  %-25s %14lld %14s\n", "current entries", (long long)states, "");
	return true;
}

static bool show_states(struct pfctl *p)
{
	return pfctl_show_states(p, false);
}

/* The values of pf, which set timeout may change; Linux has its own */
static bool show_timeouts(struct pfctl *p)
{
	static const struct { const char *name; unsigned int seconds; } rows[] = {
		{ "tcp.first", 120 }, { "tcp.opening", 30 }, { "tcp.established", 86400 },
		{ "tcp.closing", 900 }, { "tcp.finwait", 45 }, { "tcp.closed", 90 },
		{ "tcp.tsdiff", 30 }, { "udp.first", 60 }, { "udp.single", 30 },
		{ "udp.multiple", 60 }, { "icmp.first", 20 }, { "icmp.error", 10 },
		{ "other.first", 60 }, { "other.single", 30 }, { "other.multiple", 60 },
		{ "frag", 30 }, { "interval", 10 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		fprintf(p->c->out, "%-20s %10us\n", rows[i].name, rows[i].seconds);
	pfctl_say(p, "pfctl: these are the defaults of pf; connections here live as long as "
		  "net.netfilter.nf_conntrack_*_timeout* says");
	return true;
}

static bool show_memory(struct pfctl *p)
{
	static const struct { const char *name; unsigned int n; } rows[] = {
		{ "states", 100000 }, { "src-nodes", 10000 }, { "frags", 5000 },
		{ "table-entries", 200000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		fprintf(p->c->out, "%-13s hard limit %8u\n", rows[i].name, rows[i].n);
	pfctl_say(p, "pfctl: these are the defaults of pf; the limit here is "
		  "net.netfilter.nf_conntrack_max");
	return true;
}

static bool show_interfaces(struct pfctl *p)
{
	const struct facts *f = &p->d.facts;

	for (uint32_t i = 0; i < f->ifaces.n; i++)
		if (p->iface == NULL || strcmp(p->iface, f->ifaces.v[i].name) == 0)
			fprintf(p->c->out, "%s\n", f->ifaces.v[i].name);
	return true;
}

static bool show_tables(struct pfctl *p)
{
	return pfctl_show_tables(p, false);
}

static bool show_running(struct pfctl *p)
{
	fputs(pfctl_is_enabled(p) ? "Enabled\n" : "Disabled\n", p->c->out);
	p->status = pfctl_is_enabled(p) ? 0 : PFCTL_FAILED;
	return true;
}

static bool show_nothing(struct pfctl *p UNUSED)
{
	return true;
}

/* ---- labels --------------------------------------------------------------------- */

/* The lines of a statement in a listing */
struct labelled {
	long from, to;
	struct nft_count n;
};

/* A listing in which rules with a label are looked for */
struct labels {
	struct counted *counted;
	long from;		/* where the line of the next statement begins */
	VEC(struct labelled) list;
};

static void note_statement(struct span at, FILE *out, void *arg)
{
	struct labels *x = arg;
	struct labelled *to = vec_push(&x->counted->p->c->arena, &x->list);

	fflush(out);
	to->from = x->from;
	to->to = x->from = ftell(out);
	to->n = count_of(x->counted, at);
}

/* "label evaluations packets bytes in-packets in-bytes out-packets out-bytes states" */
static bool print_label(FILE *out, const char *line, size_t len, const struct nft_count *n)
{
	static const char word[] = " label \"";
	const char *at = memmem(line, len, word, sizeof(word) - 1);
	const unsigned long long packets = n->packets, bytes = n->bytes;
	const bool is_out = memmem(line, len, " out ", 5) != NULL;

	if (at == NULL)
		return false;
	at += sizeof(word) - 1;
	fprintf(out, "%.*s 0 %llu %llu %llu %llu %llu %llu 0\n", (int)strcspn(at, "\""), at,
		packets, bytes, is_out ? 0 : packets, is_out ? 0 : bytes, is_out ? packets : 0,
		is_out ? bytes : 0);
	return true;
}

/* What a statement has counted goes to the first of its rules, so that sums are right */
static void print_labels(struct pfctl *p, const char *text, const struct labelled *l)
{
	struct nft_count n = l->n;

	for (const char *line = text + l->from; line < text + l->to;) {
		const char *end = memchr(line, '\n', (size_t)(text + l->to - line));

		end = end != NULL ? end : text + l->to - 1;
		if (print_label(p->c->out, line, (size_t)(end - line), &n))
			n = (struct nft_count){ .packets = 0 };
		line = end + 1;
	}
}

static bool show_labels(struct pfctl *p)
{
	struct lang_ctx ctx = pfctl_context(p);
	struct counted counted = { .p = p };
	struct labels labels = { .counted = &counted };
	struct pf_options o = { .tolerate_missing = true };
	const struct pf_show w = { .anchor = p->anchor, .kinds = PF_KIND_FILTER,
				   .recurse = p->recurse, .after = note_statement, .arg = &labels };
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out;
	bool ok;

	if (!pfctl_has_anchor(p, p->anchor))
		return pfctl_warn(p, "DIOCGETRULES: Invalid argument");
	read_counts(&counted);
	out = open_memstream(&text, &len);
	if (out == NULL)
		return pfctl_warn(p, "%s", strerror(ENOMEM));
	o.run = p->d.pf_run;
	ok = pf_show(&ctx, p->d.pf, &p->d.facts, &o, &w, out);
	fclose(out);
	for (uint32_t i = 0; i < labels.list.n; i++)
		print_labels(p, text, &labels.list.v[i]);
	return ok;
}

static bool show_all(struct pfctl *p)
{
	if (!show_kind(p, PF_KIND_NAT, "TRANSLATION RULES:") ||
	    !show_kind(p, PF_KIND_FILTER, "FILTER RULES:") || !pfctl_show_states(p, true))
		return false;
	pfctl_title(p, "INFO:");
	(void)show_info(p);
	pfctl_title(p, "TIMEOUTS:");
	(void)show_timeouts(p);
	pfctl_title(p, "LIMITS:");
	(void)show_memory(p);
	return pfctl_show_tables(p, true);
}

bool pfctl_do_show(struct pfctl *p)
{
	static const struct { const char *name; bool (*run)(struct pfctl *p); } rows[] = {
		{ "nat", show_nat }, { "rules", show_rules }, { "Anchors", show_anchors },
		{ "states", show_states }, { "info", show_info }, { "labels", show_labels },
		{ "timeouts", show_timeouts }, { "memory", show_memory },
		{ "Tables", show_tables }, { "Interfaces", show_interfaces },
		{ "Running", show_running }, { "all", show_all }, { "queue", show_nothing },
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
