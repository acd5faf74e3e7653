/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A jail's parameters are those of all blocks that concern it, in the order of
 * the file: wildcards above the jail are its defaults, those below override
 * it.  Variables are replaced only then, for each jail anew, so that "$name"
 * in a default is the jail's own.
 *
 * Parameters are found by the number of their interned name, in an array that
 * all jails share; a stamp says whose entry it is, so going to the next jail
 * costs nothing.  What is known of one jail is forgotten with it: the memory of 1,000
 * jails with 100 forwards each is then that of one, and stays in the cache.
 */
#include "lang/jail/expand.h"

#include <string.h>

#include "base/limits.h"

void jail_params_init(struct jail_params *ps, struct lang_ctx *c, const struct jail_file *f)
{
	*ps = (struct jail_params){ .c = c, .f = f };
	arena_init(&ps->of_jail, c->a->cap_bytes);
	ps->of_jail.full = c->a->full;
	/* Known names from here on are all that statements and variables use */
	intern_cid(c->names, "name");
	intern_cid(c->names, "jid");
	ps->n_slots = c->names->str.n;
	ps->slot = arena_array(c->a, uint32_t, ps->n_slots);
	ps->stamp = arena_array(c->a, uint32_t, ps->n_slots);
	for (uint32_t i = 0; i < f->blocks.n; i++)
		if (f->blocks.v[i].is_wild)
			vec_add(c->a, &ps->wild, i);
	ps->defines = arena_array(c->a, struct text, c->n_defines);
	for (uint32_t i = 0; i < c->n_defines; i++) {
		struct span name_at;

		ps->defines[i] = text_define(c, &c->defines[i], &name_at);
	}
}

void jail_params_fini(struct jail_params *ps)
{
	arena_fini(&ps->of_jail);
}

/* The value of -D @name, the last of several; NULL: none */
static const struct text *find_define(const struct jail_params *ps, const char *name)
{
	for (uint32_t i = ps->c->n_defines; i-- > 0; )
		if (strcmp(ps->c->defines[i].name, name) == 0)
			return &ps->defines[i];
	return NULL;
}

static struct jail_param *find(const struct jail_params *ps, uint32_t key)
{
	if (key >= ps->n_slots || ps->stamp[key] != ps->jail)
		return NULL;
	return &ps->list.v[ps->slot[key] - 1];
}

const struct jail_param *jail_params_find(const struct jail_params *ps, const char *name)
{
	const struct jail_param *p = find(ps, intern_cid(ps->c->names, name));

	return p != NULL && !p->is_var ? p : NULL;
}

const struct jail_param *jail_params_find_var(const struct jail_params *ps, const char *name)
{
	const struct jail_param *p = find(ps, intern_cid(ps->c->names, name));

	return p != NULL && p->is_var && p->state == JAIL_PARAM_DONE ? p : NULL;
}

static struct jail_param *add_param(struct jail_params *ps, uint32_t key)
{
	struct jail_param *p = vec_push(&ps->of_jail, &ps->list);

	BUG_IF(key >= ps->n_slots);
	*p = (struct jail_param){ .key = key };
	ps->slot[key] = ps->list.n;
	ps->stamp[key] = ps->jail;
	return p;
}

/* A jail's name implies its parameter name, or jid if it is a number */
static void add_name(struct jail_params *ps, const struct jail_block *b)
{
	const bool is_number = b->name[strspn(b->name, "0123456789")] == '\0';
	const char *key = is_number ? "jid" : "name";
	struct jail_param *p = add_param(ps, intern_cid(ps->c->names, key));
	struct text value = { .at = b->name_at };

	text_add(ps->c->a, &value, b->name, strlen(b->name), b->name_at, false);
	text_finish(ps->c->a, &value);
	vec_add(&ps->of_jail, &p->values, value);
	p->name = key;
	p->state = JAIL_PARAM_DONE;
	p->at = b->name_at;
}

static void apply_stmt(struct jail_params *ps, const struct jail_stmt *st)
{
	struct diags *diags = ps->c->diags;
	struct jail_param *p = find(ps, st->key);

	if (p == NULL) {
		p = add_param(ps, st->key);
		p->is_var = st->is_var;
	} else if (p->is_var != st->is_var) {
		diag_add(diags, DIAG_E1411, st->name_at, "'%s' is a %s and a %s", st->name,
			 st->is_var ? "variable" : "parameter",
			 p->is_var ? "variable" : "parameter");
		diag_note(diags, p->at, "the other is here");
		return;
	} else if (p->state == JAIL_PARAM_DONE) {
		diag_add(diags, DIAG_E1412, st->name_at, "'%s' of a jail cannot be changed",
			 st->name);
		diag_note(diags, p->at, "it is set here");
		return;
	}
	p->name = st->name;
	p->at = st->at;
	if (st->op != JAIL_APPEND)
		p->strings.n = 0;
	for (uint32_t i = 0; i < st->values.n; i++)
		vec_add(&ps->of_jail, &p->strings, &st->values.v[i]);
}

/* A "*" that is not last stands for one component, the last for one or more */
static bool wild_matches(const char *wild, const char *name)
{
	for (;;) {
		const char *wdot = strchr(wild, '.'), *ndot = strchr(name, '.');
		const size_t wlen = wdot != NULL ? (size_t)(wdot - wild) : strlen(wild);
		const size_t nlen = ndot != NULL ? (size_t)(ndot - name) : strlen(name);

		if (wdot == NULL && strcmp(wild, "*") == 0)
			return true;
		if (!(wlen == 1 && wild[0] == '*') &&
		    (wlen != nlen || memcmp(wild, name, wlen) != 0))
			return false;
		if (wdot == NULL || ndot == NULL)
			return wdot == NULL && ndot == NULL;
		wild = wdot + 1;
		name = ndot + 1;
	}
}

static void apply_block(struct jail_params *ps, const struct jail_block *b)
{
	for (uint32_t n = 0; n < b->stmts.n; n++)
		apply_stmt(ps, &b->stmts.v[n]);
}

static void apply_wild(struct jail_params *ps, uint32_t block, const char *name)
{
	if (wild_matches(ps->f->blocks.v[block].name, name))
		apply_block(ps, &ps->f->blocks.v[block]);
}

/* Names that "$" could have meant, for "did you mean" */
static const char *const *known_names(const struct jail_params *ps)
{
	const char **names = arena_array(ps->c->a, const char *, ps->list.n + 1);

	for (uint32_t i = 0; i < ps->list.n; i++)
		names[i] = ps->list.v[i].name;
	return names;
}

static void tell_undefined(struct jail_params *ps, const struct jail_part *var)
{
	const char *near = diag_nearest(var->s, known_names(ps));

	diag_add(ps->c->diags, DIAG_E1407, var->at, "variable '%s' is not defined in jail '%s'",
		 var->s, ps->name);
	if (near != NULL)
		diag_help(ps->c->diags, "did you mean '$%s'?", near);
}

static bool replace_all(struct jail_params *ps, struct jail_param *p, uint32_t depth);

/* The values of variable @var in @ret, or false with the reason told */
static bool var_values(struct jail_params *ps, const struct jail_part *var, uint32_t depth,
		       const struct text **ret, uint32_t *ret_n)
{
	const struct text *define = find_define(ps, var->s);
	struct jail_param *p = find(ps, var->key);

	if (define != NULL) {
		*ret = define;
		*ret_n = 1;
		return true;
	}
	if (p == NULL || (p->strings.n == 0 && p->state != JAIL_PARAM_DONE)) {
		tell_undefined(ps, var);
		return false;
	}
	if (p->state == JAIL_PARAM_BUSY || depth >= LIMIT_NESTING) {
		diag_add(ps->c->diags, DIAG_E1408, var->at, p->state == JAIL_PARAM_BUSY
			 ? "variable '%s' leads back to itself"
			 : "variable '%s' goes through too many others", var->s);
		return false;
	}
	if (!replace_all(ps, p, depth + 1))
		return false;
	*ret = p->values.v;
	*ret_n = p->values.n;
	return true;
}

/* Room for what is known to come, since each jail has each default anew */
static void reserve(struct jail_params *ps, struct text *value, const struct jail_string *s)
{
	uint32_t len = 1;

	for (uint32_t i = 0; i < s->parts.n; i++)
		len += s->parts.v[i].is_var ? 0 : s->parts.v[i].len;
	value->buf.v = arena_alloc(ps->c->a, len);
	value->buf.cap = len;
	value->pieces.cap = MAX(s->parts.n, 1u);
	value->pieces.v = arena_alloc(&ps->of_jail,
				      value->pieces.cap * sizeof(*value->pieces.v));
}

/* One string of a parameter: one value, or several for a variable that is a list */
static bool replace(struct jail_params *ps, struct jail_param *p, const struct jail_string *s,
		    uint32_t depth)
{
	struct text value = { .at = s->at };

	reserve(ps, &value, s);
	for (uint32_t i = 0; i < s->parts.n; i++) {
		const struct jail_part *part = &s->parts.v[i];
		const struct text *values = NULL;
		uint32_t n = 0;

		if (!part->is_var) {
			text_add(ps->c->a, &value, part->s, part->len, part->at,
				 part->is_verbatim);
			continue;
		}
		if (!var_values(ps, part, depth, &values, &n))
			return false;
		if (n > 1 && s->parts.n > 1) {
			diag_add(ps->c->diags, DIAG_E1409, part->at,
				 "variable '%s' has %u values and stands within a string", part->s,
				 n);
			return false;
		}
		for (uint32_t k = 0; k < n; k++) {
			if (k > 0) {
				text_finish(ps->c->a, &value);
				vec_add(&ps->of_jail, &p->values, value);
				value = (struct text){ .at = s->at };
			}
			if (value.buf.n + values[k].buf.n > LIMIT_VALUE_BYTES) {
				diag_add(ps->c->diags, DIAG_E1410, s->at,
					 "value is longer than %u bytes", LIMIT_VALUE_BYTES);
				return false;
			}
			text_add_text(ps->c->a, &value, &values[k], part->at);
		}
	}
	text_finish(ps->c->a, &value);
	vec_add(&ps->of_jail, &p->values, value);
	return true;
}

static bool replace_all(struct jail_params *ps, struct jail_param *p, uint32_t depth)
{
	if (p->state == JAIL_PARAM_DONE || p->state == JAIL_PARAM_BAD)
		return p->state == JAIL_PARAM_DONE;
	p->state = JAIL_PARAM_BUSY;
	p->values.cap = MAX(p->strings.n, 1u);
	p->values.v = arena_alloc(&ps->of_jail, p->values.cap * sizeof(*p->values.v));
	for (uint32_t i = 0; i < p->strings.n; i++) {
		if (!replace(ps, p, p->strings.v[i], depth)) {
			p->state = JAIL_PARAM_BAD;
			return false;
		}
	}
	p->state = JAIL_PARAM_DONE;
	return true;
}

void jail_params_of(struct jail_params *ps, uint32_t block)
{
	const struct jail_block *own = &ps->f->blocks.v[block];
	uint32_t w = 0;

	ps->jail++;
	ps->name = own->name;
	ps->list.v = NULL;
	ps->list.n = ps->list.cap = 0;
	arena_clear(&ps->of_jail);
	add_name(ps, own);
	for (; w < ps->wild.n && ps->wild.v[w] < block; w++)
		apply_wild(ps, ps->wild.v[w], own->name);
	apply_block(ps, own);
	for (; w < ps->wild.n; w++)
		apply_wild(ps, ps->wild.v[w], own->name);
	for (uint32_t i = 0; i < ps->list.n; i++)
		replace_all(ps, &ps->list.v[i], 0);
}
