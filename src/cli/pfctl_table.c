/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/pfctl.h"

/* What became of an address, as -v shows it */
enum feedback {
	FB_NONE = ' ', FB_MATCH = 'M', FB_ADDED = 'A', FB_DELETED = 'D', FB_CHANGED = 'C',
	FB_CLEARED = 'Z', FB_CONFLICT = 'Y', FB_DUPLICATE = 'X'
};

/* An address of the command line, and what became of it */
struct asked {
	struct pf_entry e;
	char fb;
};

/* A table command under way */
struct work {
	struct pfctl *p;
	struct pf_table_infos all;
	const struct pf_table_info *info;	/* the table, or NULL */
	struct pfrun_table *to;			/* as it will be; after begin_change() */
	VEC(struct asked) asked;
};

static bool failed(struct work *w, const char *why)
{
	pfctl_warn(w->p, "%s.", why);
	w->p->status = PFCTL_TABLE;
	return false;
}

/* "N what", and with -n that it was not done */
static void PRINTF(2, 3) say(struct work *w, const char *fmt, ...)
{
	va_list ap;
	const char *text;

	va_start(ap, fmt);
	text = arena_vprintf(&w->p->c->arena, fmt, ap);
	va_end(ap);
	pfctl_say(w->p, "%s%s.", text, w->p->dry ? " (dummy)" : "");
}

static void print_entry(struct work *w, char fb, const struct pf_entry *e)
{
	char buf[ADDR_TEXT_BYTES];
	FILE *out = w->p->c->out;

	fprintf(out, "%c %c%s", fb, e->is_not ? '!' : ' ', addr_print(e->p.a, buf));
	if (e->p.len < addr_bits(e->p.a.af))
		fprintf(out, "/%u", e->p.len);
	putc('\n', out);
}

static void print_asked(struct work *w)
{
	for (uint32_t i = 0; i < w->asked.n && w->p->verbose > 0; i++)
		if (w->p->verbose > 1 || w->asked.v[i].fb != FB_NONE)
			print_entry(w, w->asked.v[i].fb, &w->asked.v[i].e);
}

/* ---- what is asked ---------------------------------------------------------------- */

static bool ask(struct work *w, const char *word)
{
	struct pf_entries es = { .list = { 0 } };
	struct lang_ctx ctx = pfctl_context(w->p);

	if (!pf_entry_parse(&ctx, &w->p->d.facts, word, &es)) {
		fprintf(stderr, "no IP address found for %s\n", word[0] == '!' ? word + 1 : word);
		pfctl_warn(w->p, "cannot decode %s", word);
		w->p->status = PFCTL_TABLE;
		return false;
	}
	for (uint32_t i = 0; i < es.list.n; i++)
		vec_add(&w->p->c->arena, &w->asked, ((struct asked){ es.list.v[i], FB_NONE }));
	return true;
}

/* Words of a text; "!" may stand apart from its address */
static bool ask_text(struct work *w, const char *s)
{
	const char *not = "";

	while (*s != '\0') {
		const size_t len = strcspn(s, " \t\r\n,#;");

		if (len == 1 && *s == '!')
			not = "!";
		else if (len > 0) {
			if (!ask(w, arena_printf(&w->p->c->arena, "%s%.*s", not, (int)len, s)))
				return false;
			not = "";
		}
		s += len;
		s += *s == '#' || *s == ';' ? strcspn(s, "\n") : *s != '\0';
	}
	return true;
}

/* The addresses of the command line, and of the file of -f */
static bool ask_all(struct work *w)
{
	struct cli *c = w->p->c;
	uint32_t src;
	int err;

	for (uint32_t i = 0; i < w->p->n_words; i++)
		if (!ask_text(w, w->p->words[i]))
			return false;
	if (w->p->rules == NULL)
		return true;
	err = sources_read(&c->sources, w->p->rules, &src);
	if (err == 0)
		return ask_text(w, source_at(&c->sources, src)->text);
	pfctl_warn(w->p, "cannot load %s: %s", w->p->rules, strerror(-err));
	w->p->status = PFCTL_TABLE;
	return false;
}

/* ---- the table -------------------------------------------------------------------- */

static bool find_table(struct work *w)
{
	struct pfctl *p = w->p;
	struct lang_ctx ctx = pfctl_context(p);
	struct pf_run run = { .flushed = 0 };
	const struct pf_options o = { .tolerate_missing = true, .run = &run };

	if (!pfrun_parse(p->c, &ctx, &p->d.decl, p->run, &run) ||
	    !pf_table_list(&ctx, p->d.pf, &p->d.facts, &p->d.decl, &o, &w->all)) {
		pfctl_tell(p);
		p->status = PFCTL_FAILED;
		return false;
	}
	for (uint32_t i = 0; i < w->all.list.n && p->table != NULL; i++)
		if (strcmp(w->all.list.v[i].name, p->table) == 0 &&
		    strcmp(w->all.list.v[i].anchor, p->anchor) == 0)
			w->info = &w->all.list.v[i];
	return true;
}

static bool must_exist(struct work *w)
{
	return (w->info != NULL && w->info->is_defined) ||
	       failed(w, "Table does not exist");
}

static bool may_change(struct work *w)
{
	return w->info == NULL || !w->info->is_const || failed(w, "Operation not permitted");
}

static bool is_at(const struct pf_entry *a, const struct pf_entry *b)
{
	return a->p.len == b->p.len && addr_equal(a->p.a, b->p.a);
}

/* Entries of a table by what they are: a table may hold many thousands */
struct entry_index {
	const struct pfrun_table *t;
	uint32_t *slot;			/* 0 = free, else number + 1 */
	uint32_t mask;
	uint32_t n;			/* entries that are in it */
};

static uint32_t entry_hash(const struct pf_entry *e)
{
	uint64_t h = (uint64_t)e->p.a.v ^ (uint64_t)(e->p.a.v >> 64) ^ e->p.len;

	h *= 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32);
}

static void index_put(struct entry_index *x, uint32_t i)
{
	uint32_t at = entry_hash(&x->t->entries.v[i].e);

	while (x->slot[at & x->mask] != 0)
		at++;
	x->slot[at & x->mask] = i + 1;
}

/* Take in what the table has more; half of the places stay free */
static void index_grow(struct work *w, struct entry_index *x)
{
	if (x->slot == NULL || x->t->entries.n >= x->mask / 2) {
		uint32_t size = 64;

		while (size / 4 < x->t->entries.n)
			size *= 2;
		x->slot = arena_array(&w->p->c->arena, uint32_t, size);
		x->mask = size - 1;
		x->n = 0;
	}
	while (x->n < x->t->entries.n)
		index_put(x, x->n++);
}

static struct pfrun_entry *index_find(struct work *w, struct entry_index *x,
				      const struct pf_entry *e)
{
	uint32_t at = entry_hash(e);

	index_grow(w, x);
	for (; x->slot[at & x->mask] != 0; at++)
		if (is_at(&x->t->entries.v[x->slot[at & x->mask] - 1].e, e))
			return &x->t->entries.v[x->slot[at & x->mask] - 1];
	return NULL;
}

static struct pfrun_entry *find_entry(const struct pfrun_table *t, const struct pf_entry *e)
{
	for (uint32_t i = 0; i < t->entries.n; i++)
		if (is_at(&t->entries.v[i].e, e))
			return &t->entries.v[i];
	return NULL;
}

/*
 * <jails> without a list holds the declared jails and whatever is added: only the
 * difference is remembered, so that a jail that is declared later is in it too
 */
static bool is_ours(const struct work *w)
{
	return w->p->anchor[0] == '\0' && strcmp(w->p->table, "jails") == 0 &&
	       (w->info == NULL || !w->info->has_list);
}

static bool is_declared(const struct work *w, const struct pf_entry *e)
{
	const struct decl *d = &w->p->d.decl;

	for (uint32_t i = 0; is_ours(w) && i < d->jails.n; i++)
		for (uint32_t k = 0; k < d->jails.v[i].addrs.n; k++)
			if (e->p.len == addr_bits(e->p.a.af) &&
			    addr_equal(d->jails.v[i].addrs.v[k].p.a, e->p.a))
				return true;
	return false;
}

/* The table as it is remembered, and all that it holds in it */
static bool begin_change(struct work *w, bool create)
{
	struct pfctl *p = w->p;
	const struct pfrun_table *old;
	struct entry_index index = { .n = 0 };
	struct pfrun_table now = { .anchor = p->anchor, .name = p->table };

	if (!create && !must_exist(w))
		return false;
	if (!may_change(w))
		return false;
	old = pfrun_table(p->c, p->run, p->anchor, p->table, false);
	index.t = old;
	now.is_persist = (old != NULL && old->is_persist) ||
			 (create && (w->info == NULL || !w->info->is_defined));
	for (uint32_t i = 0; w->info != NULL && i < w->info->entries.list.n; i++) {
		struct pfrun_entry e = { .e = w->info->entries.list.v[i], .since = time(NULL) };
		const struct pfrun_entry *was = old != NULL ? index_find(w, &index, &e.e)
							  : NULL;

		if (was != NULL)
			e.since = was->since;
		vec_add(&p->c->arena, &now.entries, e);
	}
	w->to = pfrun_table(p->c, p->run, p->anchor, p->table, true);
	*w->to = now;
	if (create && (w->info == NULL || !w->info->is_defined))
		say(w, "1 table created");
	return true;
}

/* From all that it holds back to what is remembered of it */
static void only_differences(struct work *w)
{
	const struct decl *d = &w->p->d.decl;
	struct pfrun_table *t = w->to;
	uint32_t n = 0;

	if (!is_ours(w))
		return;
	for (uint32_t i = 0; i < d->jails.n; i++)
		for (uint32_t k = 0; k < d->jails.v[i].addrs.n; k++) {
			const struct addr a = d->jails.v[i].addrs.v[k].p.a;
			const struct pf_entry e = { .p = { a, (uint8_t)addr_bits(a.af) },
						    .is_gone = true };

			if (find_entry(t, &e) == NULL)
				vec_add(&w->p->c->arena, &t->entries,
					((struct pfrun_entry){ e, 0 }));
		}
	for (uint32_t i = 0; i < t->entries.n; i++)
		if (t->entries.v[i].e.is_gone || t->entries.v[i].e.is_not ||
		    !is_declared(w, &t->entries.v[i].e))
			t->entries.v[n++] = t->entries.v[i];
	t->entries.n = n;
}

static bool end_change(struct work *w)
{
	only_differences(w);
	if (w->p->dry)
		return true;
	if (pfctl_commit(w->p, false))
		return true;
	w->p->status = PFCTL_TABLE;
	return false;
}

static void remove_entry(struct pfrun_table *t, const struct pf_entry *e)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->entries.n; i++)
		if (!is_at(&t->entries.v[i].e, e))
			t->entries.v[n++] = t->entries.v[i];
	t->entries.n = n;
}

/* ---- commands --------------------------------------------------------------------- */

static bool t_add(struct work *w)
{
	struct entry_index index = { .n = 0 };
	uint32_t n = 0;

	if (!ask_all(w) || !begin_change(w, true))
		return false;
	index.t = w->to;
	for (uint32_t i = 0; i < w->asked.n; i++) {
		struct asked *a = &w->asked.v[i];
		const struct pfrun_entry *have = index_find(w, &index, &a->e);

		if (have != NULL) {
			a->fb = have->e.is_not != a->e.is_not ? FB_CONFLICT : FB_NONE;
			continue;
		}
		vec_add(&w->p->c->arena, &w->to->entries,
			((struct pfrun_entry){ a->e, time(NULL) }));
		a->fb = FB_ADDED;
		n++;
	}
	if (!end_change(w))
		return false;
	say(w, "%u/%u addresses added", n, w->asked.n);
	print_asked(w);
	return true;
}

static bool t_delete(struct work *w)
{
	uint32_t n = 0;

	if (!ask_all(w) || !begin_change(w, false))
		return false;
	for (uint32_t i = 0; i < w->asked.n; i++) {
		struct asked *a = &w->asked.v[i];
		const struct pfrun_entry *have = find_entry(w->to, &a->e);

		if (have == NULL)
			continue;
		if (have->e.is_not != a->e.is_not) {
			a->fb = FB_CONFLICT;
			continue;
		}
		remove_entry(w->to, &a->e);
		a->fb = FB_DELETED;
		n++;
	}
	if (!end_change(w))
		return false;
	say(w, "%u/%u addresses deleted", n, w->asked.n);
	print_asked(w);
	return true;
}

/* Entries that are not asked for go; how many */
static uint32_t drop_others(struct work *w)
{
	struct pfrun_table asked = { .name = w->p->table };
	struct entry_index index = { .t = &asked };
	uint32_t kept = 0, before = w->to->entries.n;

	for (uint32_t i = 0; i < w->asked.n; i++)
		vec_add(&w->p->c->arena, &asked.entries, ((struct pfrun_entry){
			w->asked.v[i].e, 0 }));
	for (uint32_t i = 0; i < before; i++) {
		if (index_find(w, &index, &w->to->entries.v[i].e) != NULL)
			w->to->entries.v[kept++] = w->to->entries.v[i];
		else if (w->p->verbose > 0)
			print_entry(w, FB_DELETED, &w->to->entries.v[i].e);
	}
	w->to->entries.n = kept;
	return before - kept;
}

static bool t_replace(struct work *w)
{
	struct entry_index index = { .n = 0 };
	uint32_t added = 0, deleted, changed = 0;

	if (!ask_all(w) || !begin_change(w, true))
		return false;
	deleted = drop_others(w);
	index.t = w->to;
	for (uint32_t i = 0; i < w->asked.n; i++) {
		struct asked *a = &w->asked.v[i];
		struct pfrun_entry *have = index_find(w, &index, &a->e);

		if (have != NULL && have->e.is_not != a->e.is_not) {
			have->e.is_not = a->e.is_not;
			a->fb = FB_CHANGED;
			changed++;
		} else if (have == NULL) {
			vec_add(&w->p->c->arena, &w->to->entries,
				((struct pfrun_entry){ a->e, time(NULL) }));
			a->fb = FB_ADDED;
			added++;
		}
	}
	if (!end_change(w))
		return false;
	if (added > 0)
		say(w, "%u addresses added", added);
	if (deleted > 0)
		say(w, "%u addresses deleted", deleted);
	if (changed > 0)
		say(w, "%u addresses changed", changed);
	if (added + deleted + changed == 0)
		say(w, "no changes");
	print_asked(w);
	return true;
}

static bool no_words(struct work *w)
{
	return (w->p->n_words == 0 && w->p->rules == NULL) || pfctl_usage(w->p);
}

static bool t_flush(struct work *w)
{
	uint32_t n;

	if (!no_words(w) || !begin_change(w, false))
		return false;
	n = w->to->entries.n;
	w->to->entries.n = 0;
	if (!end_change(w))
		return false;
	say(w, "%u addresses deleted", n);
	return true;
}

static bool t_kill(struct work *w)
{
	if (!no_words(w) || !must_exist(w))
		return false;
	if (!may_change(w))
		return false;
	if (w->info->at.src == 0) {
		pfrun_table_forget(w->p->run, w->p->anchor, w->p->table);
	} else {
		w->to = pfrun_table(w->p->c, w->p->run, w->p->anchor, w->p->table, true);
		w->to->entries.n = 0;
		w->to->is_gone = true;
	}
	if (!w->p->dry && !pfctl_commit(w->p, false))
		return false;
	say(w, "1 table deleted");
	return true;
}

static bool t_expire(struct work *w)
{
	const char *word = w->p->n_words == 1 ? w->p->words[0] : NULL;
	uint32_t kept = 0, before;
	char *end;
	long long seconds;

	if (word == NULL || w->p->rules != NULL)
		return pfctl_usage(w->p);
	seconds = strtoll(word, &end, 10);
	if (*end != '\0' || end == word)
		return pfctl_warn(w->p, "expiry time: invalid");
	if (seconds < 0 || seconds > UINT32_MAX)
		return pfctl_warn(w->p, "expiry time: too %s", seconds < 0 ? "small" : "large");
	if (!begin_change(w, false))
		return false;
	before = w->to->entries.n;
	for (uint32_t i = 0; i < before; i++) {
		if (time(NULL) - w->to->entries.v[i].since <= seconds)
			w->to->entries.v[kept++] = w->to->entries.v[i];
		else if (w->p->verbose > 0)
			print_entry(w, FB_DELETED, &w->to->entries.v[i].e);
	}
	w->to->entries.n = kept;
	if (!end_change(w))
		return false;
	say(w, "%u/%u addresses expired", before - kept, before - kept);
	return true;
}

static bool t_show(struct work *w)
{
	const struct pfrun_table *t = pfrun_table(w->p->c, w->p->run, w->p->anchor, w->p->table,
						  false);
	struct entry_index index = { .t = t };

	if (!no_words(w) || !must_exist(w))
		return false;
	for (uint32_t i = 0; i < w->info->entries.list.n; i++) {
		const struct pf_entry *e = &w->info->entries.list.v[i];
		const struct pfrun_entry *x = t != NULL ? index_find(w, &index, e) : NULL;
		const time_t since = x != NULL ? (time_t)x->since : 0;

		print_entry(w, ' ', e);
		if (w->p->verbose > 0)
			fprintf(w->p->c->out, "\tCleared:     %s", since != 0 ? ctime(&since) :
				"when the rules were loaded\n");
	}
	return true;
}

/* The entry that decides for an address: the longest prefix */
static const struct pf_entry *best_match(const struct work *w, struct addr a)
{
	const struct pf_entry *best = NULL;

	for (uint32_t i = 0; i < w->info->entries.list.n; i++) {
		const struct pf_entry *e = &w->info->entries.list.v[i];

		if (prefix_has(e->p, a) && (best == NULL || e->p.len > best->p.len))
			best = e;
	}
	return best;
}

static void print_match(struct work *w, const struct asked *a, const struct pf_entry *best)
{
	char buf[ADDR_TEXT_BYTES];

	if (w->p->verbose == 1 && a->fb == FB_MATCH)
		print_entry(w, FB_MATCH, &a->e);
	if (w->p->verbose < 2)
		return;
	fprintf(w->p->c->out, "%c  %s", a->fb, addr_print(a->e.p.a, buf));
	if (best == NULL || best->is_not)
		fputs("\t nomatch\n", w->p->c->out);
	else if (best->p.len < addr_bits(best->p.a.af))
		fprintf(w->p->c->out, "\t %s/%u\n", addr_print(best->p.a, buf), best->p.len);
	else
		fprintf(w->p->c->out, "\t %s\n", addr_print(best->p.a, buf));
}

static bool t_test(struct work *w)
{
	uint32_t n = 0;

	if (!ask_all(w) || !must_exist(w))
		return false;
	for (uint32_t i = 0; i < w->asked.n; i++) {
		struct asked *a = &w->asked.v[i];
		const struct pf_entry *best = best_match(w, a->e.p.a);

		if (a->e.p.len < addr_bits(a->e.p.a.af)) {
			w->p->status = PFCTL_TABLE;
			return pfctl_warn(w->p, "cannot decode a network: -T test takes addresses");
		}
		a->fb = best != NULL && !best->is_not ? FB_MATCH : FB_NONE;
		n += a->fb == FB_MATCH;
	}
	say(w, "%u/%u addresses match", n, w->asked.n);
	for (uint32_t i = 0; i < w->asked.n; i++)
		print_match(w, &w->asked.v[i], best_match(w, w->asked.v[i].e.p.a));
	if (n < w->asked.n)
		w->p->status = PFCTL_NO_MATCH;
	return true;
}

/* There are no counters of entries: they are zero already, and "Cleared" becomes now */
static bool t_zero(struct work *w)
{
	uint32_t n = 0;

	if (!ask_all(w) || !begin_change(w, false))
		return false;
	for (uint32_t i = 0; i < w->to->entries.n; i++) {
		bool wanted = w->asked.n == 0;

		for (uint32_t k = 0; k < w->asked.n && !wanted; k++)
			wanted = is_at(&w->to->entries.v[i].e, &w->asked.v[k].e);
		if (wanted)
			w->to->entries.v[i].since = time(NULL);
		n += wanted;
	}
	if (!end_change(w))
		return false;
	if (w->asked.n > 0)
		say(w, "%u/%u addresses cleared", n, w->asked.n);
	else
		say(w, "1 table/stats cleared");
	return true;
}

bool pfctl_do_table(struct pfctl *p)
{
	static const struct {
		const char *name;
		bool (*run)(struct work *w);
		bool changes;
	} rows[] = {
		{ "add", t_add, true }, { "delete", t_delete, true },
		{ "replace", t_replace, true }, { "flush", t_flush, true },
		{ "kill", t_kill, true }, { "expire", t_expire, true }, { "show", t_show, false },
		{ "test", t_test, false }, { "zero", t_zero, true }, { "reset", t_zero, true },
	};
	struct work w = { .p = p };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].name, p->table_cmd) == 0)
			return pfctl_open(p, rows[i].changes && !p->dry) && find_table(&w) &&
			       rows[i].run(&w);
	return pfctl_usage(p);
}

/* ---- all of them ------------------------------------------------------------------ */

uint32_t pfctl_clear_tables(struct pfctl *p, const char *anchor)
{
	struct work w = { .p = p };
	uint32_t n = 0;

	if (!find_table(&w))
		return 0;
	for (uint32_t i = 0; i < w.all.list.n; i++) {
		const struct pf_table_info *x = &w.all.list.v[i];
		struct pfrun_table *t;

		if (strcmp(x->anchor, anchor) != 0 || !x->is_defined)
			continue;
		n++;
		if (x->at.src == 0) {
			pfrun_table_forget(p->run, anchor, x->name);
			continue;
		}
		t = pfrun_table(p->c, p->run, anchor, x->name, true);
		t->entries.n = 0;
		t->is_gone = true;
	}
	return n;
}

bool pfctl_show_tables(struct pfctl *p, bool title)
{
	struct work w = { .p = p };
	FILE *out = p->c->out;

	if (!find_table(&w))
		return false;
	for (uint32_t i = 0; i < w.all.list.n; i++) {
		const struct pf_table_info *x = &w.all.list.v[i];

		if (strcmp(x->anchor, p->anchor) != 0 || !x->is_defined)
			continue;
		if (title)
			pfctl_title(p, "TABLES:");
		title = false;
		if (p->verbose > 0)
			fprintf(out, "%c%ca-%c-%c\t%s%s%s\n", x->is_const ? 'c' : '-',
				x->is_persist ? 'p' : '-', x->n_rules > 0 ? 'r' : '-',
				x->has_counters ? 'C' : '-', x->name,
				x->anchor[0] != '\0' ? "\t" : "", x->anchor);
		else
			fprintf(out, "%s\n", x->name);
		if (p->verbose > 1)
			fprintf(out, "\tAddresses:   %u\n\tReferences:  [ Anchors: %-18d Rules: "
				"%-18u ]\n", x->entries.list.n, 0, x->n_rules);
	}
	return true;
}
