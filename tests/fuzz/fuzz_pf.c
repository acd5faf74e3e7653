/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a pf.conf: parsed, lowered, checked and told; includes read the same bytes */
#include <setjmp.h>
#include <stdlib.h>

#include "base/limits.h"
#include "lang/pf.h"

#define FUZZ_ARENA_BYTES	(16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_again(void *arg, struct sources *s, const char *path, uint32_t *ret_src)
{
	(void)arg;
	*ret_src = sources_add(s, path, source_at(s, 1)->text, source_at(s, 1)->len, SPAN_NONE);
	return 0;
}

static void add_addr(struct facts *f, const char *iface, const char *text)
{
	struct iface_addr ia = { .at = SPAN_NONE };
	size_t len = 0;

	while (text[len] != '\0')
		len++;
	BUG_IF(prefix_parse(text, len, &ia.p) != 0);
	facts_add_addr(f, facts_add(f, iface), ia);
}

static void tell(const struct diags *diags)
{
	CLEANUP(base_file_close) FILE *null = fopen("/dev/null", "w");

	if (null == NULL)
		return;
	diag_print(diags, null, true, DIAG_NOTE);
	diag_json(diags, null, true);
}

static void run(struct arena *a, const uint8_t *data, size_t size)
{
	static const struct lang_loader loader = { .read = read_again };
	const struct pf_options options = { .tolerate_missing = size % 2 == 0 };
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct facts facts;
	struct model model;
	struct lang_ctx c = {
		.a = a, .names = &names, .sources = &sources, .diags = &diags, .loader = &loader,
	};
	const struct pf_file *f;
	uint32_t src;

	intern_init(&names, a);
	sources_init(&sources, a);
	diags_init(&diags, a, &sources);
	facts_init(&facts, a, &names);
	add_addr(&facts, "igb0", "203.0.113.2/24");
	add_addr(&facts, "igb0", "2001:db8::2/64");
	add_addr(&facts, "igb0", "fe80::2/64");
	add_addr(&facts, "lo1", "192.168.100.2/32");
	src = sources_add(&sources, "pf.conf", (const char *)data, (uint32_t)size, SPAN_NONE);
	f = pf_parse(&c, NULL, &src, 1);
	model_init(&model, a, &names, &facts);
	if (pf_lower(&c, f, &facts, NULL, &options, &model))
		BUG_IF(model_check(&model) != NULL);
	tell(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	jmp_buf full;

	arena_init(&a, FUZZ_ARENA_BYTES);
	a.full = &full;
	if (setjmp(full) == 0)
		run(&a, data, size);
	arena_fini(&a);
	return 0;
}
