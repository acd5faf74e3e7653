/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * pf counts for each single rule, and each state knows the rule that made it.  nft
 * counts for each statement, but for those that are taken apart (struct origin): what
 * a statement has counted stands at its first rule, so that sums are right.
 */
#include <string.h>

#include "cli/host.h"
#include "cli/pfctl.h"

/* ---- what is counted --------------------------------------------------------------- */

void pfctl_read_counts(struct pfctl *p)
{
	struct cli *c = p->c;
	struct nft_program *program;
	struct nft_counts *counts;
	struct nft_options o;
	struct declared *d;	/* the model points into it */

	if (p->is_counted)
		return;
	p->is_counted = true;
	cli_nft_options(c, &o);
	counts = arena_new(&c->arena, struct nft_counts);
	c->run = p->run;
	d = arena_new(&c->arena, struct declared);
	if (cli_declare(c, d, CLI_TOLERANT) == 0) {
		p->d = *d;
		program = nft_program_from_model(&p->d.model, &o, &c->diags);
		if (program != NULL && nl_open(&p->nft, NETLINK_NETFILTER) == 0 &&
		    nft_counters(&p->nft, program, &c->arena, counts) == 0)
			p->counts = counts;
	}
	nl_close(&p->nft);
	c->diags.list.n = c->diags.n_errors = c->diags.n_others = c->diags.last = 0;
}

static bool is_of(const struct origin *o, struct span at, uint32_t part)
{
	return span_equal(o->at, at) && (o->part == part || (o->part == 0 && part == 1));
}

static struct nft_count count_of(const struct pfctl *p, struct span at, uint32_t part)
{
	struct nft_count sum = { .packets = 0 };

	for (uint32_t i = 0; p->counts != NULL && i < p->counts->list.n; i++) {
		const struct nft_count *n = &p->counts->list.v[i];

		if (!is_of(&n->origin, at, part))
			continue;
		sum.packets += n->packets;
		sum.bytes += n->bytes;
	}
	return sum;
}

static uint32_t states_of(struct pfctl *p, struct span at, uint32_t part)
{
	const struct pfctl_owners *all = pfctl_owners(p);
	uint32_t n = 0;

	for (uint32_t i = 0; i < all->list.n; i++)
		n += is_of(&all->list.v[i], at, part);
	return n;
}

/* A rule was asked at least as often as it matched; who loaded it is not remembered */
void pfctl_print_counts(struct span at, uint32_t part, FILE *out, void *arg)
{
	struct pfctl *p = arg;
	const struct nft_count n = count_of(p, at, part);
	const unsigned long long packets = n.packets, bytes = n.bytes;
	const uint32_t states = states_of(p, at, part);

	if (p->counts == NULL)
		return;
	fprintf(out, "  [ Evaluations: %-8llu  Packets: %-8llu  Bytes: %-10llu  States: %-6u]\n",
		packets, packets, bytes, states);
	fprintf(out, "  [ Inserted: uid 0 pid 0 State Creations: %-6u]\n", states);
}

/* ---- rules with a label ---------------------------------------------------------------- */

/* A rule of a listing: where its line begins and ends */
struct line {
	struct span at;
	uint32_t part;
	long from;
	long to;
};

struct lines {
	struct pfctl *p;
	long from;		/* where the next line begins */
	VEC(struct line) list;
};

static void note_line(struct span at, uint32_t part, FILE *out, void *arg)
{
	struct lines *x = arg;
	struct line *to = vec_push(&x->p->c->arena, &x->list);

	fflush(out);
	*to = (struct line){ at, part, x->from, ftell(out) };
	x->from = to->to;
}

/* The rules of an anchor; @ret_text is the caller's to free */
static bool list_rules(struct pfctl *p, const char *anchor, struct lines *lines, char **ret_text)
{
	struct lang_ctx ctx = pfctl_context(p);
	struct pf_options o = { .tolerate_missing = true };
	const struct pf_show w = { .anchor = anchor, .kinds = PF_KIND_FILTER,
				   .recurse = p->recurse, .after = note_line, .arg = lines };
	size_t len = 0;
	FILE *out;
	bool ok;

	out = open_memstream(ret_text, &len);
	if (out == NULL)
		return pfctl_warn(p, "%s", strerror(ENOMEM));
	lines->p = p;
	o.run = p->d.pf_run;
	ok = pf_show(&ctx, p->d.pf, &p->d.facts, &o, &w, out);
	fclose(out);
	return ok;
}

/* The next label of a line from *@p on: its length, *@p set to its start; -1: none */
static int next_label(const char **p, const char *end)
{
	static const char word[] = " label \"";
	const char *at = memmem(*p, (size_t)(end - *p), word, sizeof(word) - 1);

	if (at == NULL)
		return -1;
	*p = at + sizeof(word) - 1;
	return (int)strcspn(*p, "\"");
}

/* "label evaluations packets bytes in-packets in-bytes out-packets out-bytes states" */
static void print_labels(struct pfctl *p, const char *text, const struct line *l)
{
	const struct nft_count n = count_of(p, l->at, l->part);
	const unsigned long long packets = n.packets, bytes = n.bytes;
	const char *at = text + l->from, *end = text + l->to;
	const bool out = memmem(at, (size_t)(end - at), " out ", 5) != NULL;

	for (int len; (len = next_label(&at, end)) >= 0; at += len)
		fprintf(p->c->out, "%.*s %llu %llu %llu %llu %llu %llu %llu %u\n", len, at,
			packets, packets, bytes, out ? 0 : packets, out ? 0 : bytes,
			out ? packets : 0, out ? bytes : 0, states_of(p, l->at, l->part));
}

bool pfctl_show_labels(struct pfctl *p, bool title)
{
	struct lines lines = { .from = 0 };
	CLEANUP(base_free) char *text = NULL;
	bool ok;

	if (!pfctl_has_anchor(p, p->anchor))
		return pfctl_warn(p, "DIOCGETRULES: Invalid argument");
	pfctl_read_counts(p);
	ok = list_rules(p, p->anchor, &lines, &text);
	if (text == NULL)
		return ok;
	if (title && strstr(text, " label \"") != NULL)
		pfctl_title(p, "LABEL COUNTERS:");
	for (uint32_t i = 0; i < lines.list.n; i++)
		print_labels(p, text, &lines.list.v[i]);
	return ok;
}

static bool has_label(const char *at, const char *end, const char *label)
{
	for (int len; (len = next_label(&at, end)) >= 0; at += len)
		if ((size_t)len == strlen(label) && strncmp(at, label, (size_t)len) == 0)
			return true;
	return false;
}

bool pfctl_labelled(struct pfctl *p, const char *label, struct pfctl_owners *ret)
{
	struct lang_ctx ctx = pfctl_context(p);
	struct pf_names names = { .list = { 0 } };
	bool ok = true;

	pfctl_read_counts(p);
	vec_add(&p->c->arena, &names.list, "");
	pf_anchors(&ctx, p->d.pf, p->d.pf_run, &names);
	for (uint32_t i = 0; i < names.list.n && ok; i++) {
		struct lines lines = { .from = 0 };
		CLEANUP(base_free) char *text = NULL;

		ok = list_rules(p, names.list.v[i], &lines, &text);
		for (uint32_t k = 0; k < lines.list.n; k++) {
			const struct line *l = &lines.list.v[k];

			if (has_label(text + l->from, text + l->to, label))
				vec_add(&p->c->arena, &ret->list, ((struct origin){
					.at = l->at, .part = l->part }));
		}
	}
	return ok;
}

bool pfctl_owns(const struct pfctl_owners *labelled, const struct origin *o)
{
	for (uint32_t i = 0; i < labelled->list.n && o->at.src != 0; i++)
		if (span_equal(labelled->list.v[i].at, o->at) &&
		    (o->part == 0 || o->part == labelled->list.v[i].part))
			return true;
	return false;
}
