/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One rule that takes all shadows what stands behind it: that is told once, where it
 * begins, with how many there are more.
 */
#include "cli/lint.h"

#include "prove/lint.h"

#define MOST_LINES	8u	/* of rules of which the same can be said */

/* Does it stand where something was told before: that it may not know all there is */
static bool is_told_of(struct cli *c, struct span at)
{
	for (uint32_t i = 0; i < c->diags.list.n; i++) {
		const struct span told = source_file_span(&c->sources, c->diags.list.v[i].at);

		if (told.src == at.src && told.lo >= at.lo && told.lo < at.hi)
			return true;
	}
	return false;
}

static bool is_place(const struct origin *o)
{
	return o->at.src != 0;
}

static const char *text_of(const struct origin *o)
{
	return o->text != NULL ? o->text : "no rule matched";
}

/* Another one of which the same can be said, but for the packet */
static bool is_more_of(const struct lint_finding *f, const struct lint_finding *first)
{
	if (f->kind != first->kind || f->rule.at.src != first->rule.at.src)
		return false;
	if (f->kind == LINT_TRANSIT)
		return true;
	return (f->kind == LINT_SHADOWED || f->kind == LINT_SHUT) && is_place(&f->by) &&
	       f->by.at.src == first->by.at.src && f->by.at.lo == first->by.at.lo;
}

static bool is_folded(const struct lint_result *r, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (is_more_of(&r->list.v[i], &r->list.v[k]))
			return true;
	return false;
}

/* The lines of other rules of which the same can be said */
static void tell_more(struct cli *c, const struct lint_result *r, uint32_t i)
{
	const char *lines = "";
	uint32_t n = 0;

	for (uint32_t k = i + 1; k < r->list.n; k++) {
		const struct span at = r->list.v[k].rule.at;

		if (!is_more_of(&r->list.v[k], &r->list.v[i]))
			continue;
		if (n++ < MOST_LINES)
			lines = arena_printf(&c->arena, "%s%s%u", lines, n > 1 ? ", " : "",
					     source_place(&c->sources, source_file_span(
						&c->sources, at)).line);
	}
	if (n > 0)
		diag_note(&c->diags, SPAN_NONE, "the same holds for %u more, in line%s %s%s", n,
			  n > 1 ? "s" : "", lines, n > MOST_LINES ? " and so on" : "");
}

static void tell_shadowed(struct cli *c, const struct lint_finding *f)
{
	diag_add(&c->diags, DIAG_W1612, f->rule.at,
		 "the rule decides no packet: '%s' is decided by '%s'", f->packet,
		 text_of(&f->by));
	if (is_place(&f->by))
		diag_note(&c->diags, f->by.at, "decided here");
}

static void tell_never(struct cli *c, const struct lint_finding *f)
{
	if (f->asks[0] != NULL && f->asks[1] == NULL)
		diag_add(&c->diags, DIAG_W1613, f->rule.at,
			 "the rule never matches: what it asks of %s excludes itself", f->asks[0]);
	else if (f->asks[0] != NULL)
		diag_add(&c->diags, DIAG_W1613, f->rule.at,
			 "the rule never matches: no packet has both %s and %s", f->asks[0],
			 f->asks[1]);
	else
		diag_add(&c->diags, DIAG_W1613, f->rule.at,
			 "the rule never matches: no packet has all that it asks for");
}

static void tell_shut(struct cli *c, const struct lint_finding *f)
{
	diag_add(&c->diags, DIAG_W1615, f->rule.at,
		 "nothing lets in what is forwarded: '%s' is refused by '%s'", f->packet,
		 text_of(&f->by));
	if (is_place(&f->by))
		diag_note(&c->diags, f->by.at, "refused here");
}

static void tell_private(struct cli *c, const struct lint_finding *f)
{
	char addr[ADDR_TEXT_BYTES];
	const struct span at = is_place(&f->rule) ? f->rule.at : f->jail->at;

	addr_print(f->addr, addr);
	if (f->kind == LINT_REACHED)
		diag_add(&c->diags, DIAG_W1616, at,
			 "%s of jail %s is reached from outside without a forward: '%s' passes",
			 addr, f->jail->name, f->packet);
	else
		diag_add(&c->diags, DIAG_W1617, at,
			 "%s of jail %s leaves untranslated: '%s' passes", addr, f->jail->name,
			 f->packet);
}

static void tell(struct cli *c, const struct lint_result *r, uint32_t i)
{
	const struct lint_finding *f = &r->list.v[i];

	switch (f->kind) {
	case LINT_NEVER:
		tell_never(c, f);
		break;
	case LINT_SHADOWED:
		tell_shadowed(c, f);
		break;
	case LINT_TRANSIT:
		diag_add(&c->diags, DIAG_W1614, f->rule.at,
			 "the rule also redirects what is bound for other hosts: '%s'",
			 f->packet);
		break;
	case LINT_SHUT:
		tell_shut(c, f);
		break;
	case LINT_REACHED:
	case LINT_LEAVES:
		tell_private(c, f);
		break;
	}
	tell_more(c, r, i);
}

/* Where something was not known the rules may mean another thing on the host itself */
static void drop_told(struct cli *c, struct lint_result *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->list.n; i++) {
		const struct lint_finding *f = &r->list.v[i];

		if (!is_told_of(c, f->rule.at) && !is_told_of(c, f->by.at))
			r->list.v[n++] = *f;
	}
	r->list.n = n;
}

int cli_lint(struct cli *c, const struct declared *d)
{
	struct arena a CLEANUP(arena_fini) = { .head = NULL };
	struct lint_result r;
	int err;

	arena_init(&a, c->arena.cap_bytes);
	a.full = c->arena.full;
	err = prove_lint(&d->model, &d->decl, LINT_MAX_NODES, &a, &r);
	if (err < 0)
		return cli_system(c, err, "look through the rules");
	if (r.is_left_out)
		diag_add(&c->diags, DIAG_N1618, SPAN_NONE,
			 "these rules are too many to be looked through for shadowed ones");
	drop_told(c, &r);
	for (uint32_t i = 0; i < r.list.n; i++)
		if (!is_folded(&r, i))
			tell(c, &r, i);
	return 0;
}
