/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What stands in the parentheses of "keep state (...)", and the small items of
 * options: users, groups, types of service.
 */
#include "lang/pf/parse.h"

#include <stdlib.h>
#include <string.h>

#include "lang/pf/ids.h"

bool pf_word_item(struct pf_parser *p)
{
	const char *s;

	if (!pf_any_text(p, "a name", &s))
		return false;
	vec_add(p->c->a, &p->words, s);
	return true;
}

/* ---- types of service ----------------------------------------------------- */

static const struct {
	const char *name;
	uint8_t value;
} tos_names[] = {
	{ "af11", 0x28 }, { "af12", 0x30 }, { "af13", 0x38 }, { "af21", 0x48 }, { "af22", 0x50 },
	{ "af23", 0x58 }, { "af31", 0x68 }, { "af32", 0x70 }, { "af33", 0x78 }, { "af41", 0x88 },
	{ "af42", 0x90 }, { "af43", 0x98 }, { "critical", 0xa0 }, { "cs0", 0x00 },
	{ "cs1", 0x20 }, { "cs2", 0x40 }, { "cs3", 0x60 }, { "cs4", 0x80 }, { "cs5", 0xa0 },
	{ "cs6", 0xc0 }, { "cs7", 0xe0 }, { "ef", 0xb8 }, { "inetcontrol", 0xc0 },
	{ "lowdelay", 0x10 }, { "netcontrol", 0xe0 }, { "reliability", 0x04 },
	{ "throughput", 0x08 }, { "va", 0xb0 },
};

bool pf_tos(struct pf_parser *p, int16_t *ret)
{
	const struct span at = p->t.at;
	const char *s;
	char *end;
	long n;

	if (!pf_any_text(p, "a type of service, as lowdelay or 0x10", &s))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(tos_names); i++) {
		if (strcmp(tos_names[i].name, s) == 0) {
			*ret = tos_names[i].value;
			return true;
		}
	}
	n = strtol(s, &end, 0);
	if (end == s || *end != '\0' || n < 0 || n > 255)
		return pf_error(p, E1111, at, "'%s' is no type of service of 0..255", s);
	*ret = (int16_t)n;
	return true;
}

/* ---- users and groups ----------------------------------------------------- */

static bool id_value(struct pf_parser *p, uint32_t *ret, struct pf_id *x)
{
	const struct span at = p->t.at;
	const char *s;
	char *end;
	unsigned long n;

	if (!pf_any_text(p, p->is_group ? "a group" : "a user", &s))
		return false;
	if (strcmp(s, "unknown") == 0) {
		x->is_unknown = true;
		*ret = UINT32_MAX;
		return true;
	}
	if (pf_id_find(p->is_group, s, ret)) {
		x->is_named = true;
		return true;
	}
	errno = 0;
	n = strtoul(s, &end, 10);
	if (*s < '0' || *s > '9' || *end != '\0')
		return pf_error(p, E1212, at, "unknown %s '%s'", p->is_group ? "group" : "user", s);
	if (errno != 0 || n >= UINT32_MAX)
		return pf_error(p, E1111, at, "%s is not in 0..%u", s, UINT32_MAX - 1);
	*ret = (uint32_t)n;
	return true;
}

static const struct {
	int token;
	enum pf_port_op op;
} id_ops[] = {
	{ '=', PP_EQ }, { PT_NE, PP_NE }, { '<', PP_LT },
	{ PT_LE, PP_LE }, { '>', PP_GT }, { PT_GE, PP_GE },
};

bool pf_id_item(struct pf_parser *p)
{
	struct pf_id x = { .op = PP_EQ, .at = p->t.at };
	bool has_op = false;

	for (size_t i = 0; i < ARRAY_SIZE(id_ops); i++) {
		if (p->t.kind == id_ops[i].token) {
			x.op = id_ops[i].op;
			has_op = true;
			pf_next(p);
			break;
		}
	}
	if (!id_value(p, &x.lo, &x))
		return false;
	if (!has_op && (p->t.kind == PT_INSIDE || p->t.kind == PT_OUTSIDE)) {
		x.op = p->t.kind == PT_INSIDE ? PP_INSIDE : PP_OUTSIDE;
		pf_next(p);
		if (!id_value(p, &x.hi, &x))
			return false;
	}
	if (x.is_unknown && x.op != PP_EQ && x.op != PP_NE)
		return pf_error(p, E1111, x.at, "'unknown' can only be equal or not");
	vec_add(p->c->a, &p->ids, x);
	return true;
}

/* ---- state options -------------------------------------------------------- */

static bool so_number(struct pf_parser *p, uint32_t *to, const char *name)
{
	const struct span at = p->t.at;

	if (*to != 0)
		return pf_error(p, E1108, at, "state option '%s' stands twice", name);
	if (!pf_number(p, UINT32_MAX, "a number", to))
		return false;
	return *to > 0 || pf_error(p, E1108, at, "'%s' must be > 0", name);
}

static bool so_rate(struct pf_parser *p, struct pf_state_opts *o)
{
	return so_number(p, &o->rate_limit, "max-src-conn-rate") &&
	       pf_expect(p, '/', "'/' and seconds") &&
	       so_number(p, &o->rate_seconds, "max-src-conn-rate");
}

static bool so_overload(struct pf_parser *p, struct pf_state_opts *o)
{
	if (!pf_expect(p, '<', "'<' and the name of a table"))
		return false;
	if (!pf_is_name(p))
		return pf_unexpected(p, "the name of a table", 0);
	o->overload = pf_token_str(p);
	pf_next(p);
	if (!pf_expect(p, '>', "'>'"))
		return false;
	if (p->t.kind == PT_WORD && strcmp(pf_token_str(p), "flush") == 0) {
		o->flush = 1;
		pf_next(p);
		if (p->t.kind == PT_WORD && strcmp(pf_token_str(p), "global") == 0) {
			o->flush = 2;
			pf_next(p);
		}
	}
	return true;
}

static bool so_track(struct pf_parser *p, struct pf_state_opts *o)
{
	o->track = 1;
	if (p->t.kind != PT_WORD)
		return true;
	if (strcmp(pf_token_str(p), "rule") == 0)
		o->track = 2;
	else if (strcmp(pf_token_str(p), "global") == 0)
		o->is_global = true;
	else
		return true;
	pf_next(p);
	return true;
}

static bool so_timeout(struct pf_parser *p, struct pf_state_opts *o, const char *name)
{
	for (int i = 0; i < PTM_N; i++)
		if (strcmp(pf_timeout_names[i], name) == 0)
			return pf_number(p, UINT32_MAX, "seconds", &o->timeout[i]);
	return false;
}

static bool so_word(struct pf_state_opts *o, const char *s)
{
	const struct {
		const char *name;
		bool *to;
	} words[] = {
		{ "no-sync", &o->no_sync }, { "sloppy", &o->sloppy }, { "pflow", &o->pflow },
		{ "allow-related", &o->allow_related },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].name, s) == 0) {
			*words[i].to = true;
			return true;
		}
	}
	if (strcmp(s, "if-bound") == 0)
		o->bound = 1;
	else if (strcmp(s, "floating") == 0)
		o->bound = 2;
	return o->bound != 0 && (strcmp(s, "if-bound") == 0 || strcmp(s, "floating") == 0);
}

/* Behind the word @s */
static bool so_one(struct pf_parser *p, struct pf_state_opts *o, const char *s, struct span at)
{
	const struct {
		const char *name;
		uint32_t *to;
	} numbers[] = {
		{ "max", &o->max }, { "max-src-states", &o->max_src_states },
		{ "max-src-nodes", &o->max_src_nodes }, { "max-src-conn", &o->max_src_conn },
	};
	static const char *const usual[] = {
		"max", "max-src-states", "max-src-nodes", "max-src-conn", "max-src-conn-rate",
		"overload", "source-track", "no-sync", "sloppy", "if-bound", "floating", NULL
	};
	const char *nearest;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (strcmp(numbers[i].name, s) == 0)
			return so_number(p, numbers[i].to, s);
	if (strcmp(s, "max-src-conn-rate") == 0)
		return so_rate(p, o);
	if (strcmp(s, "overload") == 0)
		return so_overload(p, o);
	if (strcmp(s, "source-track") == 0)
		return o->track == 0 ? so_track(p, o) :
		       pf_error(p, E1108, at, "state option 'source-track' stands twice");
	if (so_word(o, s))
		return true;
	for (int i = 0; i < PTM_N; i++)
		if (strcmp(pf_timeout_names[i], s) == 0)
			return so_timeout(p, o, s);
	nearest = diag_nearest(s, usual);
	pf_diag(p->c, p->f, E1101, at, "expected a state option, found '%s'", s);
	if (nearest != NULL)
		diag_help(p->c->diags, "did you mean '%s'?", nearest);
	return false;
}

/* What only tunes changes no packet; the rest lowering knows */
static bool only_tunes(const char *s)
{
	static const char *const tuning[] = { "no-sync", "pflow", "floating", "frag", "interval" };

	for (size_t i = 0; i < ARRAY_SIZE(tuning); i++)
		if (strcmp(tuning[i], s) == 0)
			return true;
	return strchr(s, '.') != NULL;
}

static bool check_track(struct pf_parser *p, const struct pf_state_opts *o, struct span at)
{
	if (o->overload != NULL && o->max_src_conn == 0 && o->rate_limit == 0)
		return pf_error(p, E1108, at, "'overload' requires 'max-src-conn' or "
				"'max-src-conn-rate'");
	return true;
}

bool pf_state_options(struct pf_parser *p, struct pf_rule *r, bool in_parentheses)
{
	struct pf_state_opts *o = arena_new(p->c->a, struct pf_state_opts);
	const struct span open = p->t.at;

	pf_opts(p, r)->state = o;
	if (in_parentheses)
		pf_next(p);
	for (;;) {
		const struct span at = p->t.at;
		const char *s;

		if (!pf_any_text(p, "a state option", &s) || !so_one(p, o, s, at))
			return false;
		if (only_tunes(s))
			pf_diag(p->c, p->f, N1150, at, "'%s' has no effect here: it tunes, and "
				"passes no other packets", s);
		if (p->t.kind == ',')
			pf_next(p);
		if (in_parentheses ? p->t.kind == ')' : pf_is_end(p))
			break;
		if (pf_is_end(p))
			return pf_error(p, E1103, open, "this parenthesis is never closed");
	}
	if (in_parentheses)
		pf_next(p);
	return check_track(p, o, open);
}
