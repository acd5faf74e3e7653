/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * In a table the longest prefix that has an address decides, and an entry with
 * "!" is a hole.  Entries are applied by length, shortest first, so each
 * longer one has the last word; those of one length do not overlap, so one
 * union and one difference do for all of them.
 *
 * A table belongs to a ruleset.  A rule of an anchor means the anchor's own
 * table where that is active, else the main ruleset's.
 */
#include "lang/pf/lower.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int entry_cmp(const void *x, const void *y)
{
	const struct pf_entry *a = x, *b = y;

	if (a->p.len != b->p.len)
		return a->p.len < b->p.len ? -1 : 1;
	if (a->p.a.af != b->p.a.af)
		return a->p.a.af < b->p.a.af ? -1 : 1;
	return a->p.a.v < b->p.a.v ? -1 : a->p.a.v > b->p.a.v;
}

static const struct set *flatten(struct arena *a, const struct pf_entries *es)
{
	const struct set *s = set_make(a, &(struct ranges){ .list = { 0 } });
	struct pf_entry *v;
	uint32_t i = 0;

	if (es->list.n == 0)
		return s;
	v = arena_array(a, struct pf_entry, es->list.n);
	memcpy(v, es->list.v, es->list.n * sizeof(v[0]));
	qsort(v, es->list.n, sizeof(v[0]), entry_cmp);
	while (i < es->list.n) {
		struct ranges add = { .list = { 0 } }, hole = { .list = { 0 } };
		const uint8_t len = v[i].p.len;

		for (; i < es->list.n && v[i].p.len == len; i++)
			ranges_add_prefix(a, v[i].is_not ? &hole : &add, v[i].p);
		s = set_union(a, s, set_make(a, &add));
		if (hole.list.n > 0)
			s = set_minus(a, s, set_make(a, &hole), SET_ADDR);
	}
	return s;
}

static struct pf_entry *entry_find(const struct pf_entries *es, struct prefix p)
{
	for (uint32_t i = 0; i < es->list.n; i++)
		if (es->list.v[i].p.len == p.len && addr_equal(es->list.v[i].p.a, p.a))
			return &es->list.v[i];
	return NULL;
}

static void add_entry(struct arena *a, struct pf_entries *es, struct prefix p, bool is_not)
{
	p.a = prefix_first(p);
	vec_add(a, &es->list, ((struct pf_entry){ .p = p, .is_not = is_not }));
}

/* ---- words of a file ------------------------------------------------------ */

/* An address or network; pf also writes 10/8 */
static bool parse_net(struct arena *a, const char *s, struct prefix *ret)
{
	const char *slash = strchr(s, '/');
	unsigned int dots = 0;

	if (prefix_parse(s, strlen(s), ret) == 0)
		return true;
	if (slash == NULL || strchr(s, ':') != NULL)
		return false;
	for (const char *p = s; p < slash; p++)
		dots += *p == '.';
	if (dots >= 3)
		return false;
	s = arena_printf(a, "%.*s%s%s", (int)(slash - s), s, &".0.0.0"[2 * dots], slash);
	return prefix_parse(s, strlen(s), ret) == 0;
}

/* What may stand in a table beside addresses: em0, em0:network, self */
static bool parse_name(struct arena *a, const char *s, struct pf_host *h)
{
	static const struct { const char *text; uint8_t mod; } mods[] = {
		{ ":network", PHM_NETWORK }, { ":broadcast", PHM_BROADCAST }, { ":peer", PHM_PEER },
		{ ":0", PHM_FIRST },
	};
	size_t len = strcspn(s, ":");

	*h = (struct pf_host){ .kind = PH_NAME, .len = -1, .name = arena_strndup(a, s, len) };
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && strchr("._-", s[i]) == NULL)
			return false;
	for (s += len; *s != '\0'; s += len) {
		len = 0;
		for (size_t i = 0; i < ARRAY_SIZE(mods) && len == 0; i++) {
			if (strncmp(s, mods[i].text, strlen(mods[i].text)) == 0) {
				len = strlen(mods[i].text);
				h->mods |= mods[i].mod;
			}
		}
		if (len == 0)
			return false;
	}
	return h->name[0] != '\0';
}

/* One word; false when it is none of these, or has no address */
static bool word_entry(struct pf_lower *l, const char *word, struct span at,
		       struct pf_entries *es)
{
	const bool is_not = word[0] == '!';
	struct pf_locals locals = { .list = { 0 } };
	struct pf_host h;
	struct prefix p;

	word += is_not;
	if (parse_net(l->c->a, word, &p)) {
		add_entry(l->c->a, es, p, is_not);
		return true;
	}
	if (!parse_name(l->c->a, word, &h))
		return pl_error(l, E1201, at, "'%s' is no address", word);
	h.at = at;
	if (!pf_locals_of(l, &h, &locals))
		return false;
	for (uint32_t i = 0; i < locals.list.n; i++)
		add_entry(l->c->a, es, locals.list.v[i].p, is_not);
	return true;
}

bool pf_entry_parse(struct lang_ctx *c, const struct facts *facts, const char *word,
		    struct pf_entries *out)
{
	const struct pf_options o = { .tolerate_missing = false };
	struct lang_ctx quiet = *c;
	const struct pf_file none = { .stmts = { 0 } };
	struct pf_lower l = { .c = &quiet, .f = &none, .path = "", .facts = facts, .o = &o };
	struct diags scratch;

	diags_init(&scratch, c->a, c->sources);
	quiet.diags = &scratch;
	return word_entry(&l, word, SPAN_NONE, out);
}

/* Words of a file; "#" and ";" end a line, and "!" may stand apart from its word */
static bool file_entries(struct pf_lower *l, const struct pf_table_part *part,
			 struct pf_entries *es)
{
	const struct span at = pf_span(l->c, l->f, part->at);
	const char *s, *end, *not = "";
	uint32_t src;
	bool ok = true;

	if (!lang_read(l->c, lang_path(l->c, at.src, part->file), at, 0, &src))
		return false;
	s = source_at(l->c->sources, src)->text;
	for (end = s + source_at(l->c->sources, src)->len; s < end && ok;) {
		const size_t len = strcspn(s, " \t\r\n,#;");
		const uint32_t lo = (uint32_t)(s - source_at(l->c->sources, src)->text);

		if (len == 1 && s[0] == '!')
			not = "!";
		else if (len > 0) {
			ok = word_entry(l, arena_printf(l->c->a, "%s%.*s", not, (int)len, s),
					(struct span){ src, lo, lo + (uint32_t)len }, es);
			not = "";
		}
		s += len;
		s += *s == '#' || *s == ';' ? strcspn(s, "\n") : s < end;
	}
	return ok;
}

/* ---- definitions ---------------------------------------------------------- */

static const char *const host_kind_names[] = {
	[PH_ANY] = "'any'", [PH_RANGE] = "a range", [PH_DYNAMIC] = "a name in parentheses",
	[PH_TABLE] = "another table", [PH_NOROUTE] = "'no-route'", [PH_URPF] = "'urpf-failed'",
};

static bool table_host(struct pf_lower *l, const struct pf_host *h, struct pf_entries *es)
{
	struct pf_locals locals = { .list = { 0 } };

	if (h->kind == PH_ADDR) {
		add_entry(l->c->a, es, h->p, h->is_not);
		return true;
	}
	if (h->kind != PH_NAME) {
		pf_diag(l->c, l->f, E1115, h->at, "a table holds addresses, prefixes and names of "
			"interfaces only, not %s", host_kind_names[h->kind]);
		if (h->kind == PH_ANY)
			diag_help(l->c->diags, "everything is { 0.0.0.0/0, ::/0 }");
		return false;
	}
	if (!pf_locals_of(l, h, &locals))
		return false;
	for (uint32_t i = 0; i < locals.list.n; i++)
		add_entry(l->c->a, es, locals.list.v[i].p, h->is_not);
	return true;
}

static void declared_jails(const struct pf_lower *l, struct pf_entries *es)
{
	for (uint32_t i = 0; l->d != NULL && i < l->d->jails.n; i++)
		for (uint32_t k = 0; k < l->d->jails.v[i].addrs.n; k++) {
			const struct addr a = l->d->jails.v[i].addrs.v[k].p.a;

			add_entry(l->c->a, es, (struct prefix){ a, (uint8_t)addr_bits(a.af) },
				  false);
		}
}

struct ordered {
	struct pf_entry e;
	uint32_t order;
};

/* As pf shows them: by address, the longer prefix first */
static int show_cmp(const void *x, const void *y)
{
	const struct ordered *a = x, *b = y;

	if (a->e.p.a.af != b->e.p.a.af)
		return a->e.p.a.af == AF_V4 ? -1 : 1;
	if (a->e.p.a.v != b->e.p.a.v)
		return a->e.p.a.v < b->e.p.a.v ? -1 : 1;
	if (a->e.p.len != b->e.p.len)
		return a->e.p.len > b->e.p.len ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static bool is_same(const struct pf_entry *a, const struct pf_entry *b)
{
	return a->p.len == b->p.len && addr_equal(a->p.a, b->p.a);
}

/* Of two that are the same the first counts, as in pf */
static void entries_finish(struct arena *a, struct pf_entries *es)
{
	struct ordered *v = arena_array(a, struct ordered, es->list.n);
	uint32_t n = 0;

	for (uint32_t i = 0; i < es->list.n; i++)
		v[i] = (struct ordered){ es->list.v[i], i };
	if (es->list.n > 1)
		qsort(v, es->list.n, sizeof(v[0]), show_cmp);
	for (uint32_t i = 0; i < es->list.n; i++)
		if (n == 0 || !is_same(&es->list.v[n - 1], &v[i].e))
			es->list.v[n++] = v[i].e;
	es->list.n = n;
}

static struct pf_table_set *table_at(struct pf_lower *l, const char *path, const char *name)
{
	for (uint32_t i = 0; i < l->tables.n; i++)
		if (strcmp(l->tables.v[i].name, name) == 0 &&
		    strcmp(l->tables.v[i].path, path) == 0)
			return &l->tables.v[i];
	return NULL;
}

/* Without braces others fill it, and who fills <jails> here is us */
static bool is_ours(const char *path, const char *name, const struct pf_table *def)
{
	return path[0] == '\0' && strcmp(name, "jails") == 0 &&
	       (def == NULL || (!def->has_list && def->parts.n == 0));
}

static bool one_table(struct pf_lower *l, const char *path, const struct pf_table *t)
{
	struct pf_table_set x = { .path = path, .name = t->name, .at = t->at, .f = l->f, .def = t,
				  .is_active = true, .is_persist = t->is_persist };
	struct pf_table_set *old;
	uint32_t from = 0;
	bool ok = true;

	for (uint32_t i = 0; i < t->parts.n; i++) {
		if (t->parts.v[i].file != NULL)
			ok &= file_entries(l, &t->parts.v[i], &x.entries);
		for (uint32_t k = 0; k < t->parts.v[i].n_hosts; k++)
			ok &= table_host(l, &t->hosts.v[from + k], &x.entries);
		from += t->parts.v[i].n_hosts;
	}
	if (is_ours(path, t->name, t))
		declared_jails(l, &x.entries);
	entries_finish(l->c->a, &x.entries);
	old = table_at(l, path, t->name);
	if (old == NULL) {
		vec_add(l->c->a, &l->tables, x);
		return ok;
	}
	pf_diag(l->c, l->f, W1116, t->at, "table <%s> is defined again: this one counts",
		t->name);
	if (old->f != NULL)
		diag_note(l->c->diags, pf_span(l->c, old->f, old->at), "what it held before");
	*old = x;
	return ok;
}

/* What was changed while the rules were in force */
static void changed_table(struct pf_lower *l, const struct pf_run_table *r)
{
	struct pf_table_set *x = table_at(l, r->anchor, r->name);
	struct pf_entries es = { .list = { 0 } };
	const bool is_more = is_ours(r->anchor, r->name, x != NULL ? x->def : NULL);

	if (x == NULL) {
		x = vec_push(l->c->a, &l->tables);
		*x = (struct pf_table_set){
			.path = r->anchor, .name = intern_str(l->c->names, r->name,
							      strlen(r->name)),
			.at = SPAN_NONE };
		if (is_more)
			declared_jails(l, &x->entries);
	}
	x->is_active = !r->is_gone;
	x->is_persist |= r->is_persist;
	for (uint32_t i = 0; i < r->entries.list.n; i++)
		if (!r->entries.list.v[i].is_gone)
			vec_add(l->c->a, &es.list, r->entries.list.v[i]);
	for (uint32_t i = 0; is_more && i < x->entries.list.n; i++)
		if (entry_find(&r->entries, x->entries.list.v[i].p) == NULL)
			vec_add(l->c->a, &es.list, x->entries.list.v[i]);
	entries_finish(l->c->a, &es);
	x->entries = es;
}

static bool file_tables(struct pf_lower *l, const char *path, const struct pf_file *f)
{
	const struct pf_file *outer = l->f;
	bool ok = true;

	l->f = f;
	for (uint32_t i = 0; i < f->stmts.n && !diag_is_full(l->c->diags); i++)
		if (f->stmts.v[i].kind == PS_TABLE)
			ok &= one_table(l, path, f->stmts.v[i].table);
	l->f = outer;
	return ok;
}

bool pf_tables(struct pf_lower *l)
{
	const struct pf_run *run = l->o->run;
	bool ok = file_tables(l, "", l->f);

	if (run == NULL)
		return ok;
	for (uint32_t i = 0; i < run->anchors.n; i++)
		for (uint32_t k = 0; k < run->anchors.v[i].parts.n; k++)
			ok &= file_tables(l, run->anchors.v[i].path,
					  run->anchors.v[i].parts.v[k].file);
	for (uint32_t i = 0; i < run->tables.n; i++)
		changed_table(l, &run->tables.v[i]);
	return ok;
}

const struct set *pf_table_find(struct pf_lower *l, const struct pf_host *h)
{
	struct pf_table_set *x = table_at(l, l->path, h->name);

	if (x == NULL || !x->is_active)
		x = table_at(l, "", h->name);
	if (x == NULL) {
		x = vec_push(l->c->a, &l->tables);
		*x = (struct pf_table_set){ .path = "", .name = h->name, .at = SPAN_NONE };
		if (is_ours("", h->name, NULL))
			declared_jails(l, &x->entries);
		x->is_active = x->entries.list.n > 0;
		if (!x->is_active)
			pf_diag(l->c, l->f, W1114, h->at, "table <%s> is not defined: it is empty",
				h->name);
	}
	if (x->in == NULL)
		x->in = set_named(l->c->a, flatten(l->c->a, &x->entries),
				  x->path[0] == '\0' ? x->name :
				  arena_printf(l->c->a, "%s/%s", x->path, x->name));
	return x->in;
}

/* ---- listing -------------------------------------------------------------- */

static uint32_t hosts_name(const struct pf_hosts *hosts, const char *name)
{
	for (uint32_t i = 0; i < hosts->n; i++)
		if (hosts->v[i].kind == PH_TABLE && strcmp(hosts->v[i].name, name) == 0)
			return 1;
	return 0;
}

static uint32_t stmts_name(const struct pf_stmt *stmts, uint32_t n, const char *name)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct pf_rule *r = stmts[i].rule;

		if (stmts[i].kind != PS_RULE)
			continue;
		found += hosts_name(&r->from.hosts, name) | hosts_name(&r->to.hosts, name) |
			 (r->target != NULL && hosts_name(&r->target->hosts, name)) |
			 (r->o->state != NULL && r->o->state->overload != NULL &&
			  strcmp(r->o->state->overload, name) == 0);
		if (r->action == PA_ANCHOR)
			found += stmts_name(r->anchor->stmts, r->anchor->n_stmts, name);
	}
	return found;
}

static uint32_t rules_that_name(const struct pf_file *main, const struct pf_run *run,
				const char *path, const char *name)
{
	uint32_t found = 0;

	if (path[0] == '\0')
		return stmts_name(main->stmts.v, main->stmts.n, name);
	for (uint32_t i = 0; run != NULL && i < run->anchors.n; i++) {
		const struct pf_run_anchor *x = &run->anchors.v[i];

		for (uint32_t k = 0; strcmp(x->path, path) == 0 && k < x->parts.n; k++)
			found += stmts_name(x->parts.v[k].file->stmts.v,
					    x->parts.v[k].file->stmts.n, name);
	}
	return found;
}

static int info_cmp(const void *x, const void *y)
{
	const struct pf_table_info *a = x, *b = y;
	const int order = strcmp(a->name, b->name);

	return order != 0 ? order : strcmp(a->anchor, b->anchor);
}

bool pf_table_list(struct lang_ctx *c, const struct pf_file *f, const struct facts *facts,
		   const struct decl *d, const struct pf_options *o, struct pf_table_infos *out)
{
	static const struct pf_file none;
	struct pf_lower l = { .c = c, .f = f != NULL ? f : &none, .path = "", .facts = facts,
			      .d = d, .o = o };

	if (!pf_tables(&l))
		return false;
	for (uint32_t i = 0; i < l.tables.n; i++) {
		const struct pf_table_set *x = &l.tables.v[i];

		vec_add(c->a, &out->list, ((struct pf_table_info){
			.anchor = x->path, .name = x->name,
			.at = x->def != NULL ? pf_span(c, x->f, x->at) : SPAN_NONE,
			.is_defined = x->is_active, .is_persist = x->is_persist,
			.is_const = x->def != NULL && x->def->is_const,
			.has_counters = x->def != NULL && x->def->has_counters,
			.has_list = x->def != NULL && (x->def->has_list || x->def->parts.n > 0),
			.n_rules = rules_that_name(l.f, o->run, x->path, x->name),
			.entries = x->entries }));
	}
	if (out->list.n > 1)
		qsort(out->list.v, out->list.n, sizeof(out->list.v[0]), info_cmp);
	return true;
}
