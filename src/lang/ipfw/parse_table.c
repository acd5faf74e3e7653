/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Tables are filled when the rules are read, in the order of the commands, and
 * become sets when the rules are lowered.  A table that is added to before it is
 * created takes its type from the first key, as ipfw does.
 */
#include <ctype.h>
#include <string.h>
#include <sysexits.h>

#include "lang/ipfw/parse.h"
#include "net/names.h"

static bool bad(struct parser *p, struct span at, const char *what, const char *word)
{
	diag_add(p->c->diags, DIAG_E2012, at, "%s '%s'", what, word);
	return false;
}

static struct ipfw_table *make(struct parser *p, const char *name)
{
	struct ipfw_table *t = vec_push(p->c->a, &p->rs->tables);

	t->name = name;
	t->type = IW_NONE;
	t->at = p->cmd->at;
	return t;
}

/* -- keys ------------------------------------------------------------------ */

static bool prefix_key(const char *s, size_t len, struct prefix *ret)
{
	const char *slash = memchr(s, '/', len);
	uint32_t bits = 32;

	if (prefix_parse(s, len, ret) == 0) {
		ret->a = prefix_first(*ret);
		return true;
	}
	if (!text_ipv4(s, slash != NULL ? (size_t)(slash - s) : len, &ret->a, NULL) ||
	    (slash != NULL && !text_number(slash + 1, len - (size_t)(slash - s) - 1, 32, &bits)))
		return false;
	ret->len = (uint8_t)bits;
	ret->a = prefix_first(*ret);
	return true;
}

static enum iw guess_type(const char *key)
{
	struct prefix pf;
	uint32_t n;

	if (strchr(key, ',') != NULL)
		return IW_K_FLOW;
	if (strpbrk(key, ".:/") != NULL && prefix_key(key, strlen(key), &pf))
		return IW_K_ADDR;
	return text_number(key, strlen(key), UINT32_MAX, &n) ? IW_K_NUMBER : IW_K_IFACE;
}

/* One field of a flow, as table->flow_keys names it at *@names */
static bool flow_field(struct ipfw_entry *e, const char *name, size_t name_len, const char *s,
		       size_t len)
{
	const int number = name_len == 5 ? proto_parse(s, len) : service_parse(s, len);

	if (strncmp(name, "src-ip", name_len) == 0 && name_len == 6)
		return prefix_key(s, len, &e->addrs);
	if (strncmp(name, "dst-ip", name_len) == 0 && name_len == 6)
		return prefix_key(s, len, &e->dst);
	if (number < 0)
		return false;
	if (name_len == 5)
		e->proto = number;
	else if (name[0] == 's')
		e->sport = number;
	else
		e->dport = number;
	return true;
}

static bool flow_key(const struct ipfw_table *t, const char *s, struct ipfw_entry *e)
{
	const char *names = t->flow_keys;

	for (;;) {
		const size_t n = strcspn(names, ","), len = strcspn(s, ",");

		if (!flow_field(e, names, n, s, len))
			return false;
		names += n;
		s += len;
		if (*names == '\0' || *s == '\0')
			return *names == *s;
		names++;
		s++;
	}
}

static bool read_key(struct parser *p, const struct ipfw_table *t, const struct ipfw_word *w,
		     struct ipfw_entry *e)
{
	char buf[ADDR_TEXT_BYTES];
	struct addr short_form;
	unsigned int parts;
	bool ok = true;

	*e = (struct ipfw_entry){ .proto = -1, .sport = -1, .dport = -1, .key_text = w->text,
				  .at = w->at };
	if (t->type == IW_K_ADDR)
		ok = prefix_key(w->text, strlen(w->text), &e->addrs);
	else if (t->type == IW_K_NUMBER)
		ok = text_number(w->text, strlen(w->text), UINT32_MAX, &e->number);
	else if (t->type == IW_K_FLOW)
		ok = flow_key(t, w->text, e);
	else
		e->iface = intern_cstr(p->c->names, w->text);
	if (!ok)
		return bad(p, w->at, "bad key of a table:", w->text);
	if (t->type != IW_K_ADDR)
		return true;
	e->key_text = arena_printf(p->c->a, "%s", prefix_print(e->addrs, buf));
	if (text_ipv4(w->text, strcspn(w->text, "/"), &short_form, &parts) && parts < 4)
		diag_add(p->c->diags, DIAG_W2035, w->at, "'%s' is %s", w->text, e->key_text);
	return true;
}

static bool same_key(const struct ipfw_entry *x, const struct ipfw_entry *y)
{
	return strcmp(x->key_text, y->key_text) == 0;
}

static bool read_value(struct parser *p, const struct ipfw_word *w, struct ipfw_entry *e)
{
	struct addr a;

	e->value_text = w->text;
	if (text_number(w->text, strlen(w->text), UINT32_MAX - 1, &e->value))
		return true;
	if (addr_parse(w->text, strlen(w->text), &a) == 0 && a.af == AF_V4) {
		e->value = (uint32_t)a.v;
		return true;
	}
	return bad(p, w->at, "a value of a table is one number, not", w->text);
}

/* -- commands -------------------------------------------------------------- */

/* "added: 10.0.0.0/8 0" */
static void say_entry(struct parser *p, const struct ipfw_table *t, const struct ipfw_entry *e,
		      const char *what)
{
	if (p->replies != NULL)
		p_reply(p, 0, "%s: %s %s", what, ipfw_entry_key(p->c->a, t, e),
			ipfw_entry_value(p->c->a, t, e));
}

static void say_so_already(struct parser *p, const char *text)
{
	if (p_reply(p, EX_OSERR, "%s", text))
		p->replies->list.v[p->replies->list.n - 1].is_minor = true;
}

static void set_entry(struct parser *p, struct ipfw_table *t, const struct ipfw_entry *e)
{
	for (uint32_t i = 0; i < t->entries.n; i++) {
		if (!same_key(&t->entries.v[i], e))
			continue;
		if (p->replies == NULL) {
			t->entries.v[i] = *e;
			return;
		}
		say_entry(p, t, &t->entries.v[i], "exists");
		say_so_already(p, "Adding record failed: record already exists");
		return;
	}
	vec_add(p->c->a, &t->entries, *e);
	say_entry(p, t, e, "added");
}

/* KEY, or KEY VALUE [KEY VALUE]... */
static bool do_add(struct parser *p, const char *name)
{
	struct ipfw_table *t = ipfw_find_table(p->rs, name);
	const bool values = p->w.n - p->i > 1;

	if (p_peek(p) == NULL)
		return p_missing(p, "a key");
	if (t == NULL)
		t = make(p, name);
	while (p_peek(p) != NULL) {
		const struct ipfw_word *w = p_take(p);
		struct ipfw_entry e;

		if (t->type == IW_NONE)
			t->type = guess_type(w->text);
		if (t->type == IW_K_FLOW && t->flow_keys == NULL)
			t->flow_keys = "src-ip,proto,src-port,dst-ip,dst-port";
		if (!read_key(p, t, w, &e))
			return false;
		if (values && p_peek(p) == NULL)
			return p_missing(p, "the value of the last key");
		if (values && !read_value(p, p_take(p), &e))
			return false;
		set_entry(p, t, &e);
		p_line(p, arena_printf(p->c->a, "table %s add %s%s%s", name, e.key_text,
				       e.value_text != NULL ? " " : "",
				       e.value_text != NULL ? e.value_text : ""));
	}
	return true;
}

static bool nothing(struct parser *p, const char *name, const char *what)
{
	diag_add(p->c->diags, DIAG_N2034, p->cmd->at, "there is no table %s", name);
	p_reply(p, EX_OSERR, "%s", what);
	return true;
}

static bool do_delete(struct parser *p, const char *name)
{
	struct ipfw_table *t = ipfw_find_table(p->rs, name);

	if (t == NULL) {
		p->i = p->w.n;
		return nothing(p, name, "Deleting record failed: table not found");
	}
	while (p_peek(p) != NULL) {
		const struct ipfw_word *w = p_take(p);
		struct ipfw_entry e;
		uint32_t i = 0;

		if (!read_key(p, t, w, &e))
			return false;
		while (i < t->entries.n && !same_key(&t->entries.v[i], &e))
			i++;
		if (i == t->entries.n) {
			diag_add(p->c->diags, DIAG_N2034, w->at, "%s is not in table %s",
				 e.key_text, name);
			say_entry(p, t, &e, "notfound");
			say_so_already(p, "Deleting record failed: record not found");
			continue;
		}
		say_entry(p, t, &t->entries.v[i], "deleted");
		for (; i + 1 < t->entries.n; i++)
			t->entries.v[i] = t->entries.v[i + 1];
		t->entries.n--;
		p_line(p, arena_printf(p->c->a, "table %s delete %s", name, e.key_text));
	}
	return true;
}

/* "flow:src-ip,proto,dst-port" */
static bool flow_type(struct parser *p, struct ipfw_table *t, const struct ipfw_word *w)
{
	static const char *const keys[] = { "src-ip", "proto", "src-port", "dst-ip", "dst-port" };
	const char *s = w->text + 5;

	t->type = IW_K_FLOW;
	t->flow_keys = s;
	for (;; s++) {
		const size_t len = strcspn(s, ",");
		size_t i = 0;

		while (i < ARRAY_SIZE(keys) && (strlen(keys[i]) != len ||
						strncmp(keys[i], s, len) != 0))
			i++;
		if (i == ARRAY_SIZE(keys))
			return bad(p, w->at, "a flow has src-ip, proto, src-port, dst-ip and "
				   "dst-port, not", arena_strndup(p->c->a, s, len));
		s += len;
		if (*s == '\0')
			return true;
	}
}

static bool read_type(struct parser *p, struct ipfw_table *t)
{
	const struct ipfw_word *w;
	const struct iw_row *row;

	if (p_peek(p) == NULL)
		return p_missing(p, "the type of the table");
	w = &p->w.v[p->i];
	if (strncmp(w->text, "flow:", 5) == 0) {
		p_take(p);
		return flow_type(p, t, w);
	}
	row = iw_find(IWK_TABLETYPE, w->text);
	if (row == NULL)
		return p_unknown(p, DIAG_E2012, IWK_TABLETYPE, "type of a table");
	if (row->how == IWH_REFUSED)
		return p_refuse(p, row, w->at);
	p_take(p);
	t->type = row->word;
	return true;
}

static bool read_param(struct parser *p, struct ipfw_table *t, bool *flush, bool *missing,
		       const char **text)
{
	const struct iw_row *row = iw_find(IWK_TABLEPARAM, p_peek(p));
	const uint32_t first = p->i;

	if (row == NULL)
		return p_unknown(p, DIAG_E2003, IWK_TABLEPARAM, "option");
	p_note(p, row, p_take(p)->at);
	*flush |= row->word == IW_P_OR_FLUSH;
	*missing |= row->word == IW_P_OR_FLUSH || strcmp(row->text, "missing") == 0;
	if (row->word == IW_P_TYPE && !read_type(p, t))
		return false;
	if (row->word == IW_P_VALTYPE || row->word == IW_P_VALUE) {
		if (p_peek(p) == NULL)
			return p_missing(p, "a value");
		if (row->word == IW_P_VALTYPE && strchr(p_peek(p), ',') != NULL) {
			diag_add(p->c->diags, DIAG_E2004, p_here(p),
				 "values of several kinds in one table are not possible here: a "
				 "value "
				 "is one number, as legacy tables have it");
			return false;
		}
		if (row->word == IW_P_VALTYPE)
			t->valtype = p_peek(p);
		p_take(p);
	}
	for (uint32_t i = first; i < p->i; i++)
		*text = arena_printf(p->c->a, "%s %s", *text, p->w.v[i].text);
	return true;
}

static bool do_create(struct parser *p, const char *name)
{
	struct ipfw_table *t = ipfw_find_table(p->rs, name);
	struct ipfw_table new = { .name = name, .type = IW_K_ADDR, .at = p->cmd->at };
	const char *text = "";
	bool flush = false, missing = false;

	while (p_peek(p) != NULL)
		if (!read_param(p, &new, &flush, &missing, &text))
			return false;
	p_line(p, arena_printf(p->c->a, "table %s create%s", name, text));
	if (t == NULL)
		vec_add(p->c->a, &p->rs->tables, new);
	else if (flush)
		t->entries.n = 0;
	else if (!missing)
		p_reply(p, EX_OSERR, "Table creation failed: File exists");
	return true;
}

static bool do_flush(struct parser *p, const char *name)
{
	struct ipfw_table *t = ipfw_find_table(p->rs, name);
	const bool all = strcmp(name, "all") == 0;

	if (t == NULL && !all)
		return nothing(p, name, arena_printf(p->c->a, "failed to flush table %s: "
						     "No such process", name));
	for (uint32_t i = 0; i < p->rs->tables.n; i++)
		if (all || &p->rs->tables.v[i] == t)
			p->rs->tables.v[i].entries.n = 0;
	p_line(p, arena_printf(p->c->a, "table %s flush", name));
	return true;
}

static bool do_destroy(struct parser *p, const char *name)
{
	const bool all = strcmp(name, "all") == 0;
	uint32_t kept = 0;

	if (!all && ipfw_find_table(p->rs, name) == NULL)
		return nothing(p, name, arena_printf(p->c->a, "failed to destroy table %s: "
						     "No such process", name));
	if (p->replies != NULL && !all && ipfw_table_refs(p->rs, name) > 0)
		return p_reply(p, EX_OSERR, "failed to destroy table %s: Device busy", name);
	for (uint32_t i = 0; i < p->rs->tables.n; i++)
		if (!all && p->rs->tables.v[i].name != name)
			p->rs->tables.v[kept++] = p->rs->tables.v[i];
	p->rs->tables.n = kept;
	p_line(p, arena_printf(p->c->a, "table %s destroy", name));
	return true;
}

static bool do_swap(struct parser *p, const char *name)
{
	struct ipfw_table *x = ipfw_find_table(p->rs, name), *y, t;

	if (p_peek(p) == NULL)
		return p_missing(p, "the other table");
	y = ipfw_find_table(p->rs, intern_cstr(p->c->names, p_peek(p)));
	if (x == NULL || y == NULL)
		return bad(p, p_here(p), "one of the two tables is not there:", p_peek(p));
	p_line(p, arena_printf(p->c->a, "table %s swap %s", name, p_take(p)->text));
	t = *x;
	*x = *y;
	*y = t;
	y->name = x->name;
	x->name = name;
	return true;
}

static const struct { enum iw word; bool (*run)(struct parser *p, const char *name); } verbs[] = {
	{ IW_T_CREATE, do_create }, { IW_T_ADD, do_add }, { IW_T_DELETE, do_delete },
	{ IW_T_FLUSH, do_flush }, { IW_T_DESTROY, do_destroy }, { IW_T_SWAP, do_swap },
};

bool parse_table(struct parser *p)
{
	struct ipfw_table_ref ref;
	const struct iw_row *row;
	const struct ipfw_word *w;

	if (p_peek(p) == NULL)
		return p_missing(p, "the name of the table");
	w = p_take(p);
	if (!part_table(p, w->text, strlen(w->text), w->at, &ref))
		return false;
	if (p_peek(p) == NULL)
		return p_missing(p, "what to do with the table");
	p_accept(p, IWK_TABLEWORD, IW_T_ATOMIC);
	row = p_peek(p) != NULL ? iw_find(IWK_TABLEWORD, p_peek(p)) : NULL;
	if (row == NULL)
		return p_unknown(p, DIAG_E2001, IWK_TABLEWORD, "command of table");
	p_take(p);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (verbs[i].word == row->word)
			return verbs[i].run(p, ref.name);
	p_note(p, row, p->w.v[p->i - 1].at);
	p->i = p->w.n;	/* a query */
	return true;
}
