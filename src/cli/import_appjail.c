/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * AppJail keeps a directory for each thing and a file for each word of it:
 *
 *	jails/NAME/conf/template.conf		parameters of jail.conf, "name: value"
 *	jails/NAME/conf/boot/expose/N/WORD	a forward: enabled, hport, jport, protocol,
 *						on_if, ext_if, ext_ip, pf-rule
 *	jails/NAME/conf/boot/nat/NET/pf-nat.conf	a nat rule of pf
 *
 * The jail's address is in none of the words, but in the rules made of them.
 */
#include <string.h>

#include "cli/import.h"

/** struct words - The words of a rule */
struct words {
	VEC(const char *) list;
};

/* The first line of a file, without quotes and blanks at its ends; NULL: it is not there */
static const char *first_line(struct import *im, const char *dir, const char *name,
			      struct span *ret_at)
{
	uint32_t src, lo = 0, hi;
	const char *text;

	if (!import_read(im, arena_printf(im->c->a, "%s/%s", dir, name), &src))
		return NULL;
	text = source_at(im->c->sources, src)->text;
	for (hi = 0; hi < source_at(im->c->sources, src)->len && text[hi] != '\n'; hi++)
		;
	while (lo < hi && strchr(" \t\"", text[lo]) != NULL)
		lo++;
	while (hi > lo && strchr(" \t\r\"", text[hi - 1]) != NULL)
		hi--;
	*ret_at = (struct span){ src, lo, hi };
	return hi > lo ? arena_strndup(im->c->a, text + lo, hi - lo) : NULL;
}

/* Words between blanks, quotes and parentheses */
static struct words words_of(struct import *im, const char *s)
{
	struct words w = { .list = { 0 } };

	while (s != NULL && *s != '\0') {
		const size_t n = strcspn(s, " \t\"()");

		if (n > 0)
			vec_add(im->c->a, &w.list, arena_strndup(im->c->a, s, n));
		s += n + (s[n] != '\0');
	}
	return w;
}

/* The word after @key, or NULL */
static const char *word_after(const struct words *w, const char *key)
{
	for (uint32_t i = 0; i + 1 < w->list.n; i++)
		if (strcmp(w->list.v[i], key) == 0)
			return w->list.v[i + 1];
	return NULL;
}

static bool has_word(const struct words *w, const char *word)
{
	for (uint32_t i = 0; i < w->list.n; i++)
		if (strcmp(w->list.v[i], word) == 0)
			return true;
	return false;
}

/* "name: value", "name+: value" or "name": a statement of jail.conf */
static void template_line(struct import *im, struct jail_block *b, char *s, struct span at)
{
	char *colon = strchr(s, ':'), *value = colon != NULL ? colon + 1 : NULL, *end;
	struct jail_stmt *st;
	bool is_again;

	if (colon != NULL)
		*colon = '\0';
	end = s + strcspn(s, " \t\r+");
	*end = '\0';
	if (*s == '\0' || *s == '#')
		return;
	is_again = import_has(b, s);
	st = jail_make_stmt(im->c, b, s, at);
	if (value == NULL)
		return;
	value += strspn(value, " \t\"");
	for (end = value + strlen(value); end > value && strchr(" \t\r\"", end[-1]) != NULL; end--)
		;
	jail_make_value(im->c, st, value, (size_t)(end - value), at, false);
	/* "+" adds to what stands above, and so does a name that stands there again */
	st->op = is_again ? JAIL_APPEND : JAIL_SET;
}

static void import_template(struct import *im, struct jail_block *b, const char *path)
{
	const char *text;
	uint32_t src, len;

	if (!import_read(im, path, &src))
		return;
	text = source_at(im->c->sources, src)->text;
	len = source_at(im->c->sources, src)->len;
	for (uint32_t lo = 0, hi; lo < len; lo = hi + 1) {
		for (hi = lo; hi < len && text[hi] != '\n'; hi++)
			;
		template_line(im, b, arena_strndup(im->c->a, text + lo, hi - lo),
			      (struct span){ src, lo, hi });
	}
}

/* AppJail keeps the rule of pf as it loads it */
static void claim_rule(struct import *im, const struct jail_block *b, const char *name,
		       const char *value, const char *rule)
{
	const struct words w = words_of(im, rule);
	const struct import_claim claim = {
		.jail = b->name, .name = name, .value = value, .on = word_after(&w, "on"),
		.rules = arena_printf(im->c->a, "%s\n", rule != NULL ? rule : ""),
	};

	if (claim.on != NULL)
		import_claim(im, &claim);
}

static void import_expose(struct import *im, struct jail_block *b, const char *dir,
			  const char **ret_addr)
{
	struct span at = SPAN_NONE, none;
	const char *host = first_line(im, dir, "hport", &at), *jail, *proto, *on, *ext, *to, *rule;
	const char *words, *pf, *why = NULL;
	struct words w;

	if (host == NULL)
		return;
	jail = first_line(im, dir, "jport", &none);
	proto = first_line(im, dir, "protocol", &none);
	on = first_line(im, dir, "on_if", &none);
	ext = first_line(im, dir, "ext_if", &none);
	to = first_line(im, dir, "ext_ip", &none);
	rule = first_line(im, dir, "enabled", &none);
	words = arena_printf(im->c->a, "%s %s", proto != NULL ? proto : "tcp",
			     import_ports(im, host, jail != NULL ? jail : host));
	if (rule != NULL && strcmp(rule, "1") != 0) {
		import_row(im, b->name, IMPORT_EQUAL, at, words, "it is off, and left out");
		return;
	}
	pf = first_line(im, dir, "pf-rule", &none);
	w = words_of(im, pf);
	if (*ret_addr == NULL)
		*ret_addr = word_after(&w, "->");
	if (on != NULL)
		words = arena_printf(im->c->a, "%s on %s", words, on);
	if (to != NULL)
		words = arena_printf(im->c->a, "%s to %s", words, to);
	else if (on != NULL && ext != NULL && strcmp(on, ext) != 0)
		why = arena_printf(im->c->a, "the addresses of %s lead there, not the first of %s: "
				   "say it with 'to'", on, ext);
	else
		why = "every address of the interface leads there, not the first alone";
	if (has_word(&w, "log"))
		words = arena_printf(im->c->a, "%s log", words);
	import_forward(im, b, words, at);
	import_row(im, b->name, why == NULL ? IMPORT_EQUAL : IMPORT_DIFFERS, at, words, why);
	claim_rule(im, b, "$forward", words, pf);
}

/* Why $nat is not what a rule of pf is; NULL: it is */
static const char *nat_difference(const struct words *w)
{
	const bool moves = !has_word(w, "static-port");

	if (has_word(w, "log"))
		return moves ? "what $nat translates is not logged, and keeps its port where that "
			       "is free" : "what $nat translates is not logged";
	return moves ? "$nat keeps the port of the source where it is free; the rule takes another"
		     : NULL;
}

/* nat [log] on "em0" from ADDRESS to any -> ("em0:0") */
static void import_nat(struct import *im, struct jail_block *b, const char *path,
		       const char **ret_addr)
{
	struct span at = SPAN_NONE;
	const char *slash = strrchr(path, '/');
	const char *rule = first_line(im, arena_strndup(im->c->a, path, (size_t)(slash - path)),
				      slash + 1, &at);
	const struct words w = words_of(im, rule);
	const char *on = word_after(&w, "on"), *as = word_after(&w, "->"), *why;
	size_t len;

	if (rule == NULL || on == NULL || w.list.n == 0)
		return;
	if (strcmp(w.list.v[0], "no") == 0) {
		import_row(im, b->name, IMPORT_EQUAL, at, rule, "it leaves as it is: no $nat");
		return;
	}
	if (*ret_addr == NULL)
		*ret_addr = word_after(&w, "from");
	len = as != NULL ? strcspn(as, ":") : 0;
	if (as == NULL || strlen(on) != len || strncmp(on, as, len) != 0) {
		import_row(im, b->name, IMPORT_MISSING, at, rule,
			   "it leaves by one interface with another's address: say which in "
			   "$nat = \"INTERFACE|ADDRESS\"");
		return;
	}
	jail_make_set(im->c, b, "$nat", on, at);
	why = nat_difference(&w);
	import_row(im, b->name, why != NULL ? IMPORT_DIFFERS : IMPORT_EQUAL, at, rule, why);
	claim_rule(im, b, "$nat", on, rule);
}

/* The address that only the rules say */
static void put_addr(struct import *im, struct jail_block *b, const char *addr)
{
	const bool is_vnet = import_has(b, "vnet");

	if (import_has(b, "ip4.addr") && !is_vnet) {
		import_row(im, b->name, IMPORT_EQUAL, b->name_at, "ip4.addr", NULL);
		return;
	}
	if (addr == NULL) {
		import_row(im, b->name, IMPORT_MISSING, b->name_at, "address",
			   "no rule and no template says it");
		return;
	}
	jail_make_set(im->c, b, is_vnet ? "$address" : "ip4.addr", addr, b->name_at);
	import_row(im, b->name, is_vnet ? IMPORT_EQUAL : IMPORT_DIFFERS, b->name_at,
		   arena_printf(im->c->a, "address %s", addr),
		   is_vnet ? NULL : "it is taken from a rule, without interface: it is checked, "
		   "and not set");
}

static void import_jail(struct import *im, const char *conf)
{
	const char *end = strrchr(conf, '/'), *from = end, *addr = NULL;
	struct lang_paths paths = { .list = { 0 } };
	struct jail_block *b;
	const uint32_t src = sources_add(im->c->sources, conf, "", 0, SPAN_NONE);

	while (from > conf && from[-1] != '/')
		from--;
	b = jail_make_block(im->c, &im->out, from, (size_t)(end - from),
			    (struct span){ src, 0, 0 });
	if (b == NULL)
		return;
	import_template(im, b, arena_printf(im->c->a, "%s/template.conf", conf));
	if (!lang_glob(im->c, arena_printf(im->c->a, "%s/boot/expose/*", conf), SPAN_NONE, &paths))
		return;
	for (uint32_t i = 0; i < paths.list.n; i++)
		import_expose(im, b, paths.list.v[i], &addr);
	paths.list.n = 0;
	if (!lang_glob(im->c, arena_printf(im->c->a, "%s/boot/nat/*/pf-nat.conf", conf), SPAN_NONE,
		       &paths))
		return;
	for (uint32_t i = 0; i < paths.list.n; i++)
		import_nat(im, b, paths.list.v[i], &addr);
	put_addr(im, b, addr);
}

void import_appjail(struct import *im)
{
	struct lang_paths paths = { .list = { 0 } };

	import_glob(im, "/conf", &paths);
	for (uint32_t i = 0; i < paths.list.n && !diag_is_full(im->c->diags); i++)
		import_jail(im, paths.list.v[i]);
}
