/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/logs.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "base/limits.h"
#include "diag/source.h"

#define MOST_STEPS	16u	/* chains one behind the other in which a rule may be counted */

/* ---- messages ------------------------------------------------------------------------ */

static bool are_compared(const struct proof *p)
{
	return p->marks.logs.of == p->m && p->marks.logs.sources != NULL;
}

static uint32_t number_of(struct proof *p, const char *text)
{
	for (uint32_t i = 0; i < p->o->messages.n; i++)
		if (strcmp(p->o->messages.v[i], text) == 0)
			return i + 1;
	vec_add(p->a, &p->o->messages, text);
	return p->o->messages.n;
}

uint32_t logs_declared(struct proof *p, const char *what, const struct origin *o)
{
	struct sources *sources = p->marks.logs.sources;
	struct place at;
	char *text;

	if (!are_compared(p))
		return 0;
	at = source_place(sources, source_file_span(sources, o->at));
	text = arena_printf(p->a, "'%s %.*s:%u' to group %u", what, (int)LIMIT_COMMENT_BYTES / 2,
			    at.name != NULL ? source_short_name(at.name) : "policy", at.line,
			    p->marks.logs.group);
	/* What a prefix cannot have is a question mark in it */
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~' ||
		    strchr("\"\\$", *c) != NULL)
			*c = '?';
	return number_of(p, text);
}

uint32_t logs_of_verdict(struct proof *p, const struct rule *r, enum verdict v)
{
	static const char *const words[] = {
		[V_PASS] = "pass", [V_BLOCK] = "block", [V_RETURN] = "return",
	};

	return rule_has_effect(r, EF_LOG) == NULL ? 0 : logs_declared(p, words[v], &r->origin);
}

uint32_t logs_of_rule(struct proof *p, const struct prog_expr *x)
{
	if (!are_compared(p))
		return 0;
	return number_of(p, arena_printf(p->a, "'%s' to %s %u%s", x->set != NULL ? x->set : "",
					 x->has_dreg ? "group" : "level", x->key,
					 x->is_not ? ", changed" : ""));
}

dd logs_add(struct proof *p, dd f, uint32_t message)
{
	if (message == 0)
		return f;
	return message > UINT16_MAX ? proof_unknown(p, "so many messages of rules")
				    : proof_note(p, f, PROOF_LOGS, false, (uint16_t)message);
}

/* ---- counts -------------------------------------------------------------------------- */

static uint32_t count_counters(const struct prog_rule *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->exprs.n; i++)
		n += r->exprs.v[i].op == X_COUNTER;
	return n;
}

/* Is what goes to a chain counted there, for somebody who wrote something */
static bool counts(const struct proof *p, uint8_t family, const char *name, uint32_t steps)
{
	const struct prog_chain *c = name == NULL || steps == 0
					     ? NULL : prog_chain_of(p->p, family, name);

	for (uint32_t i = 0; c != NULL && i < c->rules.n; i++) {
		const struct prog_rule *r = &c->rules.v[i];
		const struct prog_expr *last = r->exprs.n == 0 ? NULL : &r->exprs.v[r->exprs.n - 1];

		if ((r->comment[0] != '\0' && count_counters(r) > 0) ||
		    (last != NULL && last->op == X_VERDICT &&
		     counts(p, family, last->set, steps - 1)))
			return true;
	}
	return false;
}

/* Does a rule end what is asked of a packet: refuse it, translate it, or send it on for good */
static bool decides(const struct proof *p, const struct prog_chain *c, const struct prog_rule *r)
{
	const struct prog_expr *last = &r->exprs.v[r->exprs.n - 1];

	if (last->op == X_NAT || last->op == X_REJECT)
		return true;
	if (last->op != X_VERDICT)
		return false;
	return (int32_t)last->key == NF_DROP ||
	       ((int32_t)last->key == NFT_GOTO && !counts(p, c->family, last->set, MOST_STEPS));
}

const char *logs_miscounts(const struct proof *p, const struct prog_chain *c,
			   const struct prog_rule *r)
{
	const uint32_t n = count_counters(r);

	if (n > 1)
		return "it is counted twice";
	if (n == 1 || r->comment[0] == '\0' || r->exprs.n == 0 || !decides(p, c, r))
		return NULL;
	return "it is not counted";
}
