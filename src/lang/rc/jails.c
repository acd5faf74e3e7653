/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Until FreeBSD 10 rc.conf declared jails, and ezjail writes the same variables
 * still: jail_NAME_ip and its like, with jail_ip and so on as the default of all
 * jails.  One table says which parameter of jail.conf each variable is, as
 * rc.d/jail of later versions translates them, and the result is lowered as a
 * jail.conf is.
 *
 * A variable's name cannot spell every jail's: "www.example" is www_example
 * there.  jail_list has the true spelling; without it the variable's counts.
 */
#include "lang/rc.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "lang/jail_make.h"
#include "lang/text.h"

enum jail_var_kind {
	JV_VALUE,	/* the value as it is */
	JV_NUMBER,	/* the value if it is a number: jail(8) takes no names there */
	JV_SWITCH,	/* YES makes the parameter stand there */
	JV_ADDRS,	/* addresses of either family, with commas */
	JV_WORDS,	/* "name=value name=value" */
	JV_NONE,	/* known, and no parameter */
};

/**
 * struct jail_var - A variable of a jail
 * @suffix:	After "jail_NAME"; "#" stands for the numbers from 0 on
 * @param:	Parameter of jail.conf
 * @kind:	What becomes of the value
 * @makes_jail:	A jail is declared by it; the others say something of one
 */
struct jail_var {
	const char *suffix;
	const char *param;
	enum jail_var_kind kind;
	bool makes_jail;
};

/* The first suffix that fits is it, so a longer one stands before its own end */
static const struct jail_var jail_vars[] = {
	{ "_rootdir", "path", JV_VALUE, true },
	{ "_hostname", "host.hostname", JV_VALUE, true },
	{ "_vnet_interface", "vnet.interface", JV_VALUE, false },
	{ "_vnet_enable", "vnet", JV_SWITCH, false },
	{ "_interface", "interface", JV_VALUE, false },
	{ "_ip", NULL, JV_ADDRS, true },
	{ "_ip_multi#", NULL, JV_ADDRS, true },
	{ "_exec_prestart#", "exec.prestart", JV_VALUE, false },
	{ "_exec_start", "exec.start", JV_VALUE, false },
	{ "_exec_afterstart#", "exec.start", JV_VALUE, false },
	{ "_exec_poststart#", "exec.poststart", JV_VALUE, false },
	{ "_exec_prestop#", "exec.prestop", JV_VALUE, false },
	{ "_exec_stop", "exec.stop", JV_VALUE, false },
	{ "_exec_poststop#", "exec.poststop", JV_VALUE, false },
	{ "_exec", "exec.start", JV_VALUE, false },
	{ "_consolelog", "exec.consolelog", JV_VALUE, false },
	{ "_fib", "exec.fib", JV_VALUE, false },
	{ "_devfs_enable", "mount.devfs", JV_SWITCH, false },
	{ "_devfs_ruleset", "devfs_ruleset", JV_NUMBER, false },
	{ "_fdescfs_enable", "mount.fdescfs", JV_SWITCH, false },
	{ "_procfs_enable", "mount.procfs", JV_SWITCH, false },
	{ "_mount_enable", NULL, JV_NONE, false },
	{ "_fstab", "mount.fstab", JV_VALUE, false },
	{ "_securelevel", "securelevel", JV_VALUE, false },
	{ "_parameters", NULL, JV_WORDS, false },
	{ "_flags", NULL, JV_NONE, false },
};

/**
 * struct jails - What is made of one file
 * @c:		Context
 * @rc:		The file
 * @out:	Jails
 * @names:	Names of jails as variables spell them, in order
 */
struct jails {
	struct lang_ctx *c;
	const struct rc_file *rc;
	struct jail_file *out;
	struct rc_names {
		VEC(const char *) list;
	} names;
};

static const struct rc_var *find_var(const struct jails *j, const char *name)
{
	for (uint32_t i = j->rc->vars.n; i-- > 0; )
		if (j->rc->vars.v[i].is_last && strcmp(j->rc->vars.v[i].name, name) == 0)
			return &j->rc->vars.v[i];
	return NULL;
}

/* Length of @s before @suffix, 0 if it does not end so; "#" at its end is a number */
static size_t before_suffix(const char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	if (suffix[n - 1] == '#') {
		const size_t with_digits = len;

		while (len > 0 && s[len - 1] >= '0' && s[len - 1] <= '9')
			len--;
		if (len == with_digits)
			return 0;
		n--;
	}
	return len > n && memcmp(s + len - n, suffix, n) == 0 ? len - n : 0;
}

/* A variable that declares a jail: keep the jail's name, once */
static void note_jail(struct jails *j, const struct rc_var *v)
{
	const char *rest = v->name + 5;

	if (strncmp(v->name, "jail_", 5) != 0 || v->value->buf.n == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(jail_vars); i++) {
		const size_t len = before_suffix(rest, jail_vars[i].suffix);
		const char *name;

		if (len == 0)
			continue;
		if (!jail_vars[i].makes_jail)
			return;
		name = intern_str(j->c->names, rest, len);
		for (uint32_t n = 0; n < j->names.list.n; n++)
			if (j->names.list.v[n] == name)
				return;
		vec_add(j->c->a, &j->names.list, name);
		return;
	}
}

/* Is @name spelled @var where only letters, digits and "_" can stand */
static bool is_spelled(const char *name, size_t len, const char *var)
{
	if (strlen(var) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] != var[i] && !(var[i] == '_' && strchr("./-+@:", name[i]) != NULL))
			return false;
	return true;
}

/* The jail's own name, of jail_list if it is there */
static const char *true_name(const struct jails *j, const char *var)
{
	const struct rc_var *list = find_var(j, "jail_list");
	struct text_word w;
	uint32_t pos = 0;

	while (list != NULL && text_next_word(list->value, &pos, list->value->buf.n, &w))
		if (is_spelled(list->value->buf.v + w.lo, w.hi - w.lo, var))
			return text_word_str(j->c->a, list->value, w);
	return var;
}

/* Bytes [*@lo, *@hi) without blanks at either end */
static void trim(const struct text *t, uint32_t *lo, uint32_t *hi)
{
	while (*lo < *hi && strchr(" \t\r\n", t->buf.v[*lo]) != NULL)
		++*lo;
	while (*hi > *lo && strchr(" \t\r\n", t->buf.v[*hi - 1]) != NULL)
		--*hi;
}

/* The statement of @name in block @b, made if it is not there: values of several variables */
static struct jail_stmt *stmt_of(struct jails *j, struct jail_block *b, const char *name,
				 struct span at)
{
	for (uint32_t i = 0; i < b->stmts.n; i++)
		if (strcmp(b->stmts.v[i].name, name) == 0)
			return &b->stmts.v[i];
	return jail_make_stmt(j->c, b, name, at);
}

static void put_addrs(struct jails *j, struct jail_block *b, const struct rc_var *v)
{
	const struct text *t = v->value;

	for (uint32_t lo = 0, hi, next; lo < t->buf.n; lo = next) {
		const char *comma = memchr(t->buf.v + lo, ',', t->buf.n - lo);
		bool is_v6;

		hi = comma != NULL ? (uint32_t)(comma - t->buf.v) : t->buf.n;
		next = hi + 1;
		trim(t, &lo, &hi);
		if (lo == hi)
			continue;
		is_v6 = memchr(t->buf.v + lo, ':', hi - lo) != NULL;
		jail_make_text(j->c, stmt_of(j, b, is_v6 ? "ip6.addr" : "ip4.addr", v->name_at),
			       t, lo, hi);
	}
}

/* Letters, digits, "_" and ".", a letter first */
static bool is_param_name(const struct text *t, struct text_word w)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "_.0123456789";
	const size_t n = strspn(t->buf.v + w.lo, good);

	return w.hi > w.lo && n >= w.hi - w.lo && strchr(good, t->buf.v[w.lo]) < good + 52;
}

/* jail_www_parameters="allow.raw_sockets=1 allow.sysvipc" */
static void put_words(struct jails *j, struct jail_block *b, const struct rc_var *v)
{
	struct text_word w;
	uint32_t pos = 0;

	while (text_next_word(v->value, &pos, v->value->buf.n, &w)) {
		const char *equals = memchr(v->value->buf.v + w.lo, '=', w.hi - w.lo);
		const uint32_t end = equals != NULL ? (uint32_t)(equals - v->value->buf.v) : w.hi;
		const struct text_word name = { w.lo, end };
		struct jail_stmt *st;

		if (!is_param_name(v->value, name)) {
			text_error(j->c, DIAG_E1402, v->value, name.lo, name.hi,
				   "'%.*s' cannot be a parameter's name",
				   (int)MIN(name.hi - name.lo, 64u), v->value->buf.v + name.lo);
			continue;
		}
		st = stmt_of(j, b, text_word_str(j->c->a, v->value, name), v->name_at);
		if (equals != NULL)
			jail_make_text(j->c, st, v->value, end + 1, w.hi);
	}
}

static void put_value(struct jails *j, struct jail_block *b, const char *param,
		      const struct rc_var *v)
{
	if (v->value->buf.n > 0)
		jail_make_text(j->c, stmt_of(j, b, param, v->name_at), v->value, 0,
			       v->value->buf.n);
}

static void put_number(struct jails *j, struct jail_block *b, const char *param,
		       const struct rc_var *v)
{
	const struct text *t = v->value;
	uint32_t n = 0;

	while (n < t->buf.n && t->buf.v[n] >= '0' && t->buf.v[n] <= '9')
		n++;
	if (n == t->buf.n)
		put_value(j, b, param, v);
}

static void put_switch(struct jails *j, struct jail_block *b, const char *param,
		       const struct rc_var *v)
{
	const int yes = rc_yes_or_no(j->c, v);

	if (yes > 0)
		stmt_of(j, b, param, v->name_at);
}

static void put_var(struct jails *j, struct jail_block *b, const struct jail_var *jv,
		    const struct rc_var *v)
{
	switch (jv->kind) {
	case JV_ADDRS:
		put_addrs(j, b, v);
		break;
	case JV_WORDS:
		put_words(j, b, v);
		break;
	case JV_SWITCH:
		put_switch(j, b, jv->param, v);
		break;
	case JV_NUMBER:
		put_number(j, b, jv->param, v);
		break;
	case JV_VALUE:
		put_value(j, b, jv->param, v);
		break;
	case JV_NONE:
		break;
	}
}

/* "_ip_multi#": 0, 1, 2 and so on up to the first that is not there, as rc.d/jail does it */
static void put_numbered(struct jails *j, struct jail_block *b, const struct jail_var *jv,
			 const char *head)
{
	const int len = (int)strlen(jv->suffix) - 1;
	uint32_t n = 0;

	for (;; n++) {
		const struct rc_var *v = find_var(j, arena_printf(j->c->a, "%s%.*s%u", head, len,
								  jv->suffix, n));

		if (v == NULL || v->value->buf.n == 0)
			break;
		put_var(j, b, jv, v);
	}
	for (uint32_t i = 0; i < j->rc->vars.n; i++) {
		const struct rc_var *v = &j->rc->vars.v[i];

		if (v->is_last && v->value->buf.n > 0 &&
		    before_suffix(v->name, jv->suffix) == strlen(head) &&
		    strncmp(v->name, head, strlen(head)) == 0 &&
		    strtoul(v->name + strlen(head) + len, NULL, 10) > n)
			diag_add(j->c->diags, DIAG_W1518, v->name_at,
				 "%s is not reached: there is no %s%.*s%u", v->name, head, len,
				 jv->suffix, n);
	}
}

static void make_jail(struct jails *j, const char *var)
{
	const char *head = arena_printf(j->c->a, "jail_%s", var);
	const char *name = true_name(j, var);
	const struct rc_var *at = NULL;
	struct jail_block *b;

	for (uint32_t i = 0; i < j->rc->vars.n && at == NULL; i++)
		if (strncmp(j->rc->vars.v[i].name, head, strlen(head)) == 0)
			at = &j->rc->vars.v[i];
	BUG_IF(at == NULL);
	b = jail_make_block(j->c, j->out, name, strlen(name), at->name_at);
	for (size_t i = 0; b != NULL && i < ARRAY_SIZE(jail_vars); i++) {
		const struct jail_var *jv = &jail_vars[i];
		const struct rc_var *v;

		if (jv->suffix[strlen(jv->suffix) - 1] == '#') {
			put_numbered(j, b, jv, head);
			continue;
		}
		v = find_var(j, arena_printf(j->c->a, "%s%s", head, jv->suffix));
		if (v == NULL)
			v = find_var(j, arena_printf(j->c->a, "jail%s", jv->suffix));
		if (v != NULL)
			put_var(j, b, jv, v);
	}
}

struct jail_file *rc_jails(struct lang_ctx *c, const struct rc_file *f)
{
	struct jails j = { .c = c, .rc = f, .out = arena_new(c->a, struct jail_file) };

	j.out->is_rc = true;
	for (uint32_t i = 0; i < f->vars.n; i++)
		if (f->vars.v[i].is_last)
			note_jail(&j, &f->vars.v[i]);
	for (uint32_t i = 0; i < j.names.list.n && !diag_is_full(c->diags); i++)
		make_jail(&j, j.names.list.v[i]);
	return j.out;
}
