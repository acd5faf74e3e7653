/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a file of ipfw rules: parsed, lowered, printed and told */
#include <setjmp.h>
#include <stdlib.h>

#include "base/limits.h"
#include "lang/ipfw.h"

#define FUZZ_ARENA_BYTES	(32u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_all(const struct diags *diags, const struct ipfw_ruleset *rs)
{
	CLEANUP(base_file_close) FILE *null = fopen("/dev/null", "w");

	if (null == NULL)
		return;
	diag_print(diags, null, true, DIAG_NOTE);
	diag_json(diags, null, false);
	ipfw_print_list(rs, true, null);
	ipfw_print_nat(rs, null);
	ipfw_fmt(rs, null);
}

static void add_iface(struct facts *f, const char *name, struct addr a)
{
	facts_add_addr(f, facts_add(f, name), (struct iface_addr){ .p = { a, 24 } });
}

static void run(struct arena *a, const uint8_t *data, size_t size)
{
	const struct ipfw_options o = { .one_pass = -1, .tolerate_missing = size % 2 == 0 };
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct facts facts;
	struct model m;
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	struct ipfw_ruleset *rs;
	struct lang_ctx c = {
		.a = a, .names = &names, .sources = &sources, .diags = &diags,
	};

	intern_init(&names, a);
	sources_init(&sources, a);
	diags_init(&diags, a, &sources);
	facts_init(&facts, a, &names);
	add_iface(&facts, "em0", addr_v4(198, 51, 100, 2));
	add_iface(&facts, "lo1", addr_v4(10, 1, 0, 1));
	if (!ipfw_rules_read(&c, sources_add(&sources, "rules", (const char *)data,
					     (uint32_t)size, SPAN_NONE), &cmds))
		return;
	rs = ipfw_parse(&c, &cmds);
	model_init(&m, a, &names, &facts);
	if (diags.n_errors == 0 && ipfw_lower(&c, rs, &facts, &o, &m))
		BUG_IF(model_check(&m) != NULL);
	print_all(&diags, rs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	jmp_buf full;

	if (size > LIMIT_FILE_BYTES)
		return 0;
	arena_init(&a, FUZZ_ARENA_BYTES);
	a.full = &full;
	if (setjmp(full) == 0)
		run(&a, data, size);
	arena_fini(&a);
	return 0;
}
