/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/aliases.h"

#include <stdlib.h>
#include <string.h>

#define FILE_NAME	"aliases"
#define SOURCE_NAME	"alias add"	/* in messages */

/* "lo1 10.0.0.9/32" at @line, its place @at */
static bool read_line(struct cli *c, const char *line, size_t len, struct span at)
{
	const char *blank = memchr(line, ' ', len);
	struct decl_addr x = { .at = at, .is_added = true };

	if (blank == NULL ||
	    prefix_parse(blank + 1, len - (size_t)(blank + 1 - line), &x.p) != 0)
		return false;
	x.iface = intern_str(&c->names, line, (uint32_t)(blank - line));
	vec_add(&c->arena, &c->aliases, x);
	return true;
}

/* Lines, as a source of their own */
static int read_text(struct cli *c, const char *text, size_t len)
{
	const uint32_t src = sources_add(&c->sources, SOURCE_NAME, text, (uint32_t)len, SPAN_NONE);

	for (size_t lo = 0; lo < len;) {
		const char *end = memchr(text + lo, '\n', len - lo);
		const size_t hi = end == NULL ? len : (size_t)(end - text);

		if (!read_line(c, text + lo, hi - lo,
			       (struct span){ src, (uint32_t)lo, (uint32_t)hi }))
			return -EBADMSG;
		lo = hi + 1;
	}
	return 0;
}

int aliases_load(struct cli *c, const struct state *st)
{
	char *text;
	size_t len;
	const int err = state_read(st, FILE_NAME, &c->arena, &text, &len);

	c->aliases.n = 0;
	if (err < 0)
		return err == -ENOENT ? 0 : err;
	return read_text(c, text, len);
}

static const char *change_text(struct cli *c)
{
	char buf[ADDR_TEXT_BYTES];

	return arena_printf(&c->arena, "%s %s", c->change.iface, prefix_print(c->change.p, buf));
}

/* Who declares an address already: a jail's name, "rc.conf", or NULL */
static const char *declarer(const struct decl *d, struct addr a)
{
	const struct decl_jail *j = decl_jail_of(d, a);

	if (j != NULL)
		return j->name;
	for (uint32_t i = 0; i < d->addrs.n; i++)
		if (addr_equal(d->addrs.v[i].p.a, a))
			return "rc.conf";
	return NULL;
}

static bool is_loopback(const struct decl *d, const char *iface)
{
	return strcmp(iface, "lo0") != 0 &&
	       (facts_is_loopback_name(iface) || decl_has_link(d, iface));
}

static void add(struct cli *c, const struct decl *d, const struct decl_addr *old)
{
	const char *text = change_text(c), *by = declarer(d, c->change.p.a);
	char was[ADDR_TEXT_BYTES];

	if (!is_loopback(d, c->change.iface)) {
		diag_add(&c->diags, DIAG_E1904, SPAN_NONE, "%s is no cloned loopback",
			 c->change.iface);
		diag_help(&c->diags, "addresses of other interfaces are declared by their jail");
	} else if (by != NULL) {
		diag_add(&c->diags, DIAG_E1904, SPAN_NONE, "%s is declared already, by %s",
			 strchr(text, ' ') + 1, by);
	} else if (old != NULL && (strcmp(old->iface, c->change.iface) != 0 ||
				   old->p.len != c->change.p.len)) {
		diag_add(&c->diags, DIAG_E1904, old->at, "%s was added already, as %s on %s",
			 strchr(text, ' ') + 1, prefix_print(old->p, was), old->iface);
	} else if (old == NULL && read_text(c, text, strlen(text)) < 0) {
		diag_add(&c->diags, DIAG_E1904, SPAN_NONE, "'%s' cannot be added", text);
	}
}

static void del(struct cli *c, struct decl_addr *old)
{
	if (old == NULL || strcmp(old->iface, c->change.iface) != 0)
		diag_add(&c->diags, DIAG_E1905, SPAN_NONE, "no alias '%s' was added",
			 change_text(c));
	else
		*old = c->aliases.v[--c->aliases.n];
}

void aliases_declare(struct cli *c, struct decl *d)
{
	struct decl_addr *old = NULL;

	for (uint32_t i = 0; i < c->aliases.n; i++)
		if (addr_equal(c->aliases.v[i].p.a, c->change.p.a))
			old = &c->aliases.v[i];
	if (c->change.op == '+')
		add(c, d, old);
	else if (c->change.op == '-')
		del(c, old);
	for (uint32_t i = 0; i < c->aliases.n; i++) {
		decl_add_link(d, c->aliases.v[i].iface, c->aliases.v[i].at);
		vec_add(&c->arena, &d->addrs, c->aliases.v[i]);
	}
}

int aliases_save(struct cli *c, struct state *st)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out;
	char buf[ADDR_TEXT_BYTES];

	if (c->change.op == 0)
		return 0;
	if (c->aliases.n == 0)
		return state_remove(st, FILE_NAME);
	out = open_memstream(&text, &len);
	if (out == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->aliases.n; i++)
		fprintf(out, "%s %s\n", c->aliases.v[i].iface,
			prefix_print(c->aliases.v[i].p, buf));
	if (fclose(out) != 0)
		return -ENOMEM;
	return state_write(st, FILE_NAME, text, len);
}
