/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The shape of pf in the model, for both directions: skipped interfaces first,
 * as if pf were not there; then the states; then translation, a list that is
 * called, where the first match counts; then the filter, one list for both
 * directions, where the last match counts.
 */
#include "lang/pf/lower.h"

#include "model/forward.h"

static bool (*const lower_rule[])(struct pf_lower *l, const struct pf_stmt *s) = {
	[PA_PASS] = pf_lower_filter,
	[PA_BLOCK] = pf_lower_filter,
	[PA_NAT] = pf_lower_nat,
	[PA_RDR] = pf_lower_nat,
	[PA_ANTISPOOF] = pf_lower_antispoof,
	[PA_SCRUB] = pf_lower_scrub,
	[PA_MATCH] = pf_lower_match,
	[PA_BINAT] = pf_lower_binat,
	[PA_ANCHOR] = pf_lower_anchor,
};

/* What only the normal form says, but for what would change packets */
static bool lower_echo(struct pf_lower *l, const struct pf_stmt *s)
{
	if (s->kind != PS_ECHO || s->echo->later == NULL)
		return true;
	return pf_tell_later(l, s->echo->later, s->echo->at);
}

bool pf_lower_stmt(struct pf_lower *l, const struct pf_stmt *s)
{
	if (s->kind != PS_RULE)
		return lower_echo(l, s);
	if (!pf_lower_known(l, s->rule))
		return false;
	if (pf_has_variables(s->rule) && s->rule->action != PA_ANTISPOOF)
		return pf_lower_split(l, s, lower_rule[s->rule->action]);
	return lower_rule[s->rule->action](l, s);
}

static struct origin own(const char *text)
{
	return (struct origin){ .at = SPAN_NONE, .text = text, .policy = POLICY_NONE };
}

static void lower_skip(struct pf_lower *l, const struct pf_stmt *s)
{
	const struct origin origin = { .at = s->at, .text = pf_stmt_text(l->c, s->at) };
	const struct set *ids = pf_iface_set(l, s->skip->ifaces.v, s->skip->ifaces.n);
	const uint32_t lists[2] = { l->list_in, l->list_out };
	const struct ruling whatever = { .verdict = V_PASS, .allow_opts = true };

	if (ids == NULL)
		ids = set_all(l->c->a, SET_U32);
	for (int i = 0; i < 2; i++) {
		struct rule *r = model_add_rule(l->m, lists[i], origin);

		rule_test(l->m, r, F_IFACE, ids);
		rule_decide(r, whatever);
	}
	l->m->skipped = l->m->skipped == NULL ? ids : set_union(l->c->a, l->m->skipped, ids);
}

static void call(struct pf_lower *l, uint32_t list, uint32_t what, const char *text)
{
	rule_call(model_add_rule(l->m, list, own(text)), what);
}

/* Inbound rdr stands before binat, outbound binat before nat: as in pf's code */
static void make_entries(struct pf_lower *l)
{
	const struct {
		uint32_t list;
		uint32_t xlate;
		const char *text;
	} rows[] = {
		[DIR_IN] = { l->list_in, l->list_rdr, "rdr rules" },
		[DIR_OUT] = { l->list_out, l->list_nat, "nat rules" },
	};
	const bool binat = pf_blocks_have(l, PA_BINAT);

	if (binat) {
		l->list_binat[DIR_IN] = model_add_list(l->m, "binat in");
		l->list_binat[DIR_OUT] = model_add_list(l->m, "binat out");
	}

	for (uint32_t i = 0; i < l->f->stmts.n; i++)
		if (l->f->stmts.v[i].kind == PS_SKIP)
			lower_skip(l, &l->f->stmts.v[i]);
	for (size_t d = 0; d < ARRAY_SIZE(rows); d++) {
		if (l->list_scrub != LIST_NONE)
			call(l, rows[d].list, l->list_scrub, "scrub rules");
		rule_probe(l->m, model_add_rule(l->m, rows[d].list, own("states")));
		if (binat && d == DIR_OUT)
			call(l, rows[d].list, l->list_binat[d], "binat rules");
		call(l, rows[d].list, rows[d].xlate, rows[d].text);
		if (binat && d == DIR_IN)
			call(l, rows[d].list, l->list_binat[d], "binat rules");
		rule_goto(model_add_rule(l->m, rows[d].list, own("filter rules")),
			  l->list_filter);
		l->m->entry[d] = rows[d].list;
	}
}

bool pf_lower(struct lang_ctx *c, const struct pf_file *f, const struct facts *facts,
	      const struct decl *d, const struct pf_options *o, struct model *m)
{
	struct pf_lower l = { .c = c, .f = f, .path = "", .facts = facts, .d = d, .o = o,
			      .m = m, .stmts = f->stmts.v, .n_stmts = f->stmts.n };
	bool ok;

	l.list_in = model_add_list(m, "in");
	l.list_out = model_add_list(m, "out");
	l.list_rdr = model_add_list(m, "rdr");
	l.list_nat = model_add_list(m, "nat");
	l.list_filter = model_add_list(m, "filter");
	l.list_scrub = pf_has_scrub(f) ? model_add_list(m, "scrub") : LIST_NONE;
	m->discipline = STATES_DIRECTED;
	m->otherwise = ruling_pass();
	m->drops_opts = true;
	pf_blocks_make(&l);
	ok = pf_grown_tables(&l, f->stmts.v, f->stmts.n);
	ok &= pf_tables(&l);
	make_entries(&l);
	for (uint32_t i = 0; i < f->stmts.n && !l.is_full && !diag_is_full(c->diags); i++)
		if (!pf_is_flushed(&l, &f->stmts.v[i]))
			ok &= pf_lower_stmt(&l, &f->stmts.v[i]);
	for (int kind = PAK_FILTER; kind <= PAK_BINAT && !l.is_full; kind++)
		ok &= pf_lower_path(&l, "", (enum pf_anchor_kind)kind);
	ok = ok && pf_hoist(&l);
	if (d != NULL && ok && forward_is_any(d))
		ok = forward_lower(m, d, &(struct forward_lists){ l.list_rdr, l.list_nat,
				   l.list_filter }, o->tolerate_missing, c->diags);
	/* A translation goes to the filter out of a called list: it must not come back */
	model_add_rule(m, l.list_filter, own("end of the filter rules"))->exit = EX_SETTLE;
	return ok;
}
