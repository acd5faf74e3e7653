/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Bastille's jail.conf is one already; what it adds is rdr.conf, a line for
 * each forward, whose form grew with the versions:
 *
 *	PROTO HOSTPORT JAILPORT
 *	IF SOURCE DESTINATION PROTO HOSTPORT JAILPORT [log ...]
 *	dual|ipv4|ipv6 IF SOURCE DESTINATION PROTO HOSTPORT JAILPORT [log ...]
 */
#include <string.h>

#include "cli/import.h"

#define MAX_WORDS	16

/**
 * struct rdr - A line of rdr.conf
 * @words:	Its words
 * @n:		How many
 * @at:		Its place
 */
struct rdr {
	const char *words[MAX_WORDS];
	uint32_t n;
	struct span at;
};

/**
 * struct rdr_form - Where each word stands, as an index; -1: it does not
 */
struct rdr_form {
	int family;
	int iface;
	int from;
	int to;
	int proto;
};

static bool is_proto(const char *s)
{
	return strcmp(s, "tcp") == 0 || strcmp(s, "udp") == 0;
}

static bool find_form(const struct rdr *r, struct rdr_form *f)
{
	static const struct rdr_form forms[] = {
		{ -1, -1, -1, -1, 0 }, { -1, 0, 1, 2, 3 }, { 0, 1, 2, 3, 4 },
	};
	static const char *const families[] = { "dual", "ipv4", "ipv6" };
	bool has_family = false;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		has_family |= strcmp(r->words[0], families[i]) == 0;
	*f = forms[has_family ? 2 : is_proto(r->words[0]) ? 0 : 1];
	return r->n >= (uint32_t)f->proto + 3 && is_proto(r->words[f->proto]);
}

/* Why the forward is not the same; NULL: it is */
static const char *difference(const struct rdr *r, const struct rdr_form *f,
			      const struct jail_block *b)
{
	const char *family = f->family >= 0 ? r->words[f->family] : "dual";
	const char *other = strcmp(family, "ipv4") == 0 ? "ip6.addr" : "ip4.addr";

	if (r->n > (uint32_t)f->proto + 4)
		return "the options of log are not taken";
	if (strcmp(family, "dual") != 0 && f->from >= 0 && import_has(b, other) &&
	    strcmp(r->words[f->from], "any") == 0 && strcmp(r->words[f->to], "any") == 0)
		return "both families of the jail are forwarded, not one";
	if (f->to < 0 || strcmp(r->words[f->to], "any") == 0)
		return "what is sent to this host is forwarded; Bastille's rule takes what only "
		       "passes through it as well";
	return NULL;
}

/* The rule of a family that Bastille's `bastille rdr` loads into the jail's anchor */
static const char *rule_of(struct import *im, const struct rdr *r, const struct rdr_form *f,
			   const struct jail_block *b, uint8_t af)
{
	const char *family = f->family >= 0 ? r->words[f->family] : "dual";
	const char *addr = import_address(im, b, af);

	if (addr == NULL || strcmp(family, af == AF_V4 ? "ipv6" : "ipv4") == 0)
		return "";
	return arena_printf(im->c->a, "rdr pass on %s %s proto %s from %s to %s port %s -> %s "
			    "port %s\n", r->words[f->iface], af == AF_V4 ? "inet" : "inet6",
			    r->words[f->proto], r->words[f->from], r->words[f->to],
			    r->words[f->proto + 1], addr, r->words[f->proto + 2]);
}

/* Without an interface of its own the line takes pf.conf's $ext_if, which is not read */
static void claim_line(struct import *im, const struct rdr *r, const struct rdr_form *f,
		       const struct jail_block *b, const char *words)
{
	struct import_claim claim = {
		.jail = b->name, .name = "$forward", .value = words,
	};

	if (f->iface < 0)
		return;
	claim.on = r->words[f->iface];
	claim.rules = arena_printf(im->c->a, "%s%s", rule_of(im, r, f, b, AF_V4),
				   rule_of(im, r, f, b, AF_V6));
	if (claim.rules[0] != '\0')
		import_claim(im, &claim);
}

static void import_line(struct import *im, struct jail_block *b, const struct rdr *r)
{
	struct arena *a = im->c->a;
	struct rdr_form f;
	const char *words, *why, *line = "";

	for (uint32_t i = 0; i < r->n; i++)
		line = arena_printf(a, "%s%s%s", line, i > 0 ? " " : "", r->words[i]);
	if (!find_form(r, &f)) {
		diag_add(im->c->diags, DIAG_E2609, r->at, "'%s' is no line of rdr.conf", line);
		return;
	}
	if (!import_has(b, "ip4.addr") && !import_has(b, "ip6.addr")) {
		import_row(im, b->name, IMPORT_MISSING, r->at, line,
			   "the jail has no address of its own that it could lead to");
		return;
	}
	if (f.from >= 0 && r->words[f.from][0] == '<') {
		import_row(im, b->name, IMPORT_MISSING, r->at, line,
			   "its source is a table of pf.conf: write it as rdr there");
		return;
	}
	words = arena_printf(a, "%s %s", r->words[f.proto],
			     import_ports(im, r->words[f.proto + 1], r->words[f.proto + 2]));
	if (f.from >= 0 && strcmp(r->words[f.from], "any") != 0)
		words = arena_printf(a, "%s from %s", words, r->words[f.from]);
	if (f.iface >= 0)
		words = arena_printf(a, "%s on %s", words, r->words[f.iface]);
	if (f.to >= 0 && strcmp(r->words[f.to], "any") != 0)
		words = arena_printf(a, "%s to %s", words, r->words[f.to]);
	if (r->n > (uint32_t)f.proto + 3)
		words = arena_printf(a, "%s log", words);
	why = difference(r, &f, b);
	import_forward(im, b, words, r->at);
	import_row(im, b->name, why == NULL ? IMPORT_EQUAL : IMPORT_DIFFERS, r->at, line, why);
	claim_line(im, r, &f, b, words);
}

static void import_rdr(struct import *im, struct jail_block *b, uint32_t src)
{
	const char *text = source_at(im->c->sources, src)->text;
	const uint32_t len = source_at(im->c->sources, src)->len;

	for (uint32_t lo = 0, hi; lo < len; lo = hi + 1) {
		struct rdr r = { .n = 0 };

		for (hi = lo; hi < len && text[hi] != '\n'; hi++)
			;
		r.at = (struct span){ src, lo, hi };
		for (uint32_t i = lo; i < hi && r.n < MAX_WORDS; ) {
			const uint32_t n = (uint32_t)strcspn(text + i, " \t\r\n");

			if (n > 0)
				r.words[r.n++] = arena_strndup(im->c->a, text + i, MIN(n, hi - i));
			i += n + 1;
		}
		if (r.n > 0 && r.words[0][0] != '#')
			import_line(im, b, &r);
	}
}

static void report_jail(struct import *im, const struct jail_block *b)
{
	for (uint32_t i = 0; i < b->stmts.n; i++) {
		const struct jail_stmt *st = &b->stmts.v[i];

		if (strcmp(st->name, "ip4.addr") == 0 || strcmp(st->name, "ip6.addr") == 0)
			import_row(im, b->name, IMPORT_EQUAL, st->at, st->name, NULL);
	}
	import_row(im, b->name, IMPORT_MISSING, b->name_at, "outbound nat",
		   "it stands in pf.conf: give that file too, or say $nat");
}

static void import_jail(struct import *im, const struct jail_block *from, const char *path)
{
	struct jail_block *b;
	uint32_t src;

	if (import_has(from, "vnet")) {
		import_row(im, from->name, IMPORT_MISSING, from->name_at, "vnet jail",
			   "its address stands in the jail's own rc.conf: declare it with vnet "
			   "and $address");
		return;
	}
	b = vec_push(im->c->a, &im->out.blocks);
	*b = *from;
	if (b->is_wild)
		return;
	report_jail(im, b);
	if (!import_read(im, import_sibling(im, path, "rdr.conf"), &src))
		return;
	import_rdr(im, b, src);
	import_row(im, b->name, IMPORT_DIFFERS, (struct span){ src, 0, 0 }, "rdr.conf",
		   "a $forward passes the filter, as Bastille's rules did up to 1.0; newer ones "
		   "leave that to pf.conf: end each with 'filtered' for that");
}

void import_bastille(struct import *im)
{
	struct lang_paths paths = { .list = { 0 } };
	uint32_t src;

	import_glob(im, "/jail.conf", &paths);
	for (uint32_t i = 0; i < paths.list.n && !diag_is_full(im->c->diags); i++) {
		struct jail_file *f;

		if (!import_read(im, paths.list.v[i], &src))
			continue;
		f = jail_parse(im->c, src);
		for (uint32_t n = 0; n < f->blocks.n; n++)
			import_jail(im, &f->blocks.v[n], paths.list.v[i]);
	}
}
