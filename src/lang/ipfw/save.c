/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A ruleset as commands that make it again: what they refer to comes first.  The
 * text is ours alone, so it is canonical throughout, and a comment may hold "#".
 */
#include <string.h>

#include "lang/ipfw/parse.h"

static void save_table(const struct ipfw_ruleset *rs, const struct ipfw_table *t, FILE *out)
{
	fprintf(out, "table %s create", t->name);
	if (t->type == IW_K_FLOW)
		fprintf(out, " type flow:%s", t->flow_keys != NULL ? t->flow_keys :
			"src-ip,proto,src-port,dst-ip,dst-port");
	else if (t->type != IW_NONE)
		fprintf(out, " type %s", iw_text(t->type));
	if (t->valtype != NULL)
		fprintf(out, " valtype %s", t->valtype);
	putc('\n', out);
	for (uint32_t i = 0; i < t->entries.n; i++) {
		const struct ipfw_entry *e = &t->entries.v[i];

		fprintf(out, "table %s add %s", t->name, ipfw_entry_key(rs->a, t, e));
		if (e->value_text != NULL)
			fprintf(out, " %s", e->value_text);
		putc('\n', out);
	}
}

static void save_sets(const struct ipfw_ruleset *rs, FILE *out)
{
	if (rs->disabled == 0)
		return;
	fputs("set disable", out);
	for (uint32_t i = 0; i <= IPFW_SET_DEFAULT; i++)
		if ((rs->disabled & 1u << i) != 0)
			fprintf(out, " %u", i);
	putc('\n', out);
}

void ipfw_save(const struct ipfw_ruleset *rs, FILE *out)
{
	if (rs->one_pass >= 0)
		fprintf(out, "%s one_pass\n", rs->one_pass == 1 ? "enable" : "disable");
	ipfw_save_sysctls(rs, out);
	if (rs->is_off)
		fputs("disable firewall\n", out);
	save_sets(rs, out);
	for (uint32_t i = 0; i < rs->tables.n; i++)
		save_table(rs, &rs->tables.v[i], out);
	for (uint32_t i = 0; i < rs->nats.n; i++)
		fprintf(out, "%s\n", ipfw_nat_line(rs->a, &rs->nats.v[i], false));
	for (uint32_t i = 0; i < rs->rules.n; i++) {
		const struct ipfw_rule *r = &rs->rules.v[i];

		fprintf(out, "add %u set %u %s\n", r->number, r->set, ipfw_rule_body(rs->a, r));
	}
}

void ipfw_set_one_pass(struct ipfw_ruleset *rs, int one_pass)
{
	if (rs->one_pass < 0)
		rs->one_pass = one_pass;
}

void ipfw_settle(struct lang_ctx *c, struct ipfw_ruleset *rs, uint32_t saved, uint32_t from,
		 struct ipfw_spans *ret)
{
	const struct source *s = source_at(c->sources, saved);
	uint32_t lo = 0, n = 0;

	while (lo < s->len && n < rs->rules.n) {
		const char *nl = memchr(s->text + lo, '\n', s->len - lo);
		const uint32_t hi = nl != NULL ? (uint32_t)(nl - s->text) : s->len;
		const struct span at = { saved, lo, hi };

		if (strncmp(s->text + lo, "add ", 4) == 0) {
			struct ipfw_rule *r = &rs->rules.v[n++];

			if (r->at.src == from)
				vec_add(c->a, &ret->list, at);
			r->at = at;
		}
		lo = hi + 1;
	}
	BUG_IF(n != rs->rules.n);
}

void ipfw_check_nats(struct lang_ctx *c, const struct ipfw_ruleset *rs,
		     const struct facts *facts, uint32_t from)
{
	for (uint32_t i = 0; i < rs->nats.n; i++) {
		const struct ipfw_nat *n = &rs->nats.v[i];

		if (n->iface != NULL && n->iface_at.src == from &&
		    facts_find(facts, n->iface) == NULL)
			diag_add(c->diags, DIAG_E2018, n->iface_at, "interface %s is not known",
				 n->iface);
	}
}
