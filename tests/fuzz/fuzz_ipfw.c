/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a file of ipfw rules: parsed, lowered, printed and told */
#include "fuzz_lang.h"
#include "lang/ipfw.h"

static void add_iface(struct facts *f, const char *name, struct addr a)
{
	facts_add_addr(f, facts_add(f, name), (struct iface_addr){ .p = { a, 24 } });
}

static void fuzz_one(struct fuzz *f)
{
	const struct ipfw_options o = { .one_pass = -1, .tolerate_missing = f->size % 2 == 0 };
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	struct ipfw_ruleset *rs;
	struct model m;

	add_iface(&f->facts, "em0", addr_v4(198, 51, 100, 2));
	add_iface(&f->facts, "lo1", addr_v4(10, 1, 0, 1));
	if (!ipfw_rules_read(&f->c, f->src, &cmds))
		return;
	rs = ipfw_parse(&f->c, &cmds);
	model_init(&m, &f->a, &f->names, &f->facts);
	if (f->diags.n_errors == 0 && ipfw_lower(&f->c, rs, &f->facts, &o, &m))
		BUG_IF(model_check(&m) != NULL);
	ipfw_print_list(rs, true, f->null);
	ipfw_print_nat(rs, f->null);
	ipfw_fmt(rs, f->null);
}
