/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * State options in pfctl's order, with what it adds to them: source tracking
 * that a limit implies, the time that a rate is remembered, and the marks of
 * adaptive timeouts that "max" implies.
 */
#include "lang/pf/norm.h"

/* Options as they count for one rule, written with commas between them */
struct opts {
	FILE *out;
	const char *sep;
};

static void word(struct opts *o, const char *text)
{
	fprintf(o->out, "%s%s", o->sep, text);
	o->sep = ", ";
}

static void number(struct opts *o, const char *text, uint32_t n)
{
	if (n == 0)
		return;
	fprintf(o->out, "%s%s %u", o->sep, text, n);
	o->sep = ", ";
}

static void sources(struct opts *to, const struct pf_state_opts *o)
{
	const bool by_rule = o->max_src_conn != 0 || o->rate_limit != 0 || o->max_src_nodes != 0 ||
			     o->track == 2;

	if (by_rule)
		word(to, "source-track rule");
	else if (o->track == 1 || o->max_src_states != 0)
		word(to, "source-track global");
	number(to, "max-src-states", o->max_src_states);
	number(to, "max-src-conn", o->max_src_conn);
	if (o->rate_limit != 0) {
		fprintf(to->out, "%smax-src-conn-rate %u/%u", to->sep, o->rate_limit,
			o->rate_seconds);
		to->sep = ", ";
	}
	number(to, "max-src-nodes", o->max_src_nodes);
	if (o->overload != NULL) {
		fprintf(to->out, "%soverload <%s>%s", to->sep, o->overload,
			o->flush == 2 ? " flush global" : o->flush == 1 ? " flush" : "");
		to->sep = ", ";
	}
}

static void timeouts(struct opts *to, const struct pf_state_opts *o)
{
	uint32_t v[PTM_N];

	for (int i = 0; i < PTM_N; i++)
		v[i] = o->timeout[i];
	if (o->max != 0 && v[PTM_ADAPTIVE_START] == 0 && v[PTM_ADAPTIVE_END] == 0) {
		v[PTM_ADAPTIVE_START] = o->max / 10 * 6;
		v[PTM_ADAPTIVE_END] = o->max / 10 * 12;
	}
	if (v[PTM_SRC_TRACK] < o->rate_seconds)
		v[PTM_SRC_TRACK] = o->rate_seconds;
	for (int i = 0; i < PTM_N; i++)
		number(to, pf_timeout_names[i], v[i]);
}

void pf_norm_state(struct pf_norm *n, const struct pf_nrule *x)
{
	const struct pf_state_opts none = { .max = 0 };
	const struct pf_state_opts *o = x->r->o->state != NULL ? x->r->o->state : &none;
	struct opts to = { n->out, " (" };

	if (x->r->keep == PK_NO || (x->r->action != PA_PASS && x->r->action != PA_MATCH))
		return;
	number(&to, "max", o->max);
	if (o->no_sync)
		word(&to, "no-sync");
	sources(&to, o);
	if (o->bound == 1 || (o->bound == 0 && x->r->o->if_bound && x->r->action == PA_PASS))
		word(&to, "if-bound");
	if (o->sloppy)
		word(&to, "sloppy");
	if (o->pflow)
		word(&to, "pflow");
	if (o->allow_related)
		word(&to, "allow-related");
	timeouts(&to, o);
	if (*to.sep == ',')
		putc(')', n->out);
}
