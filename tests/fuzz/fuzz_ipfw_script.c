/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a firewall script: read without running it, and told */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "lang/ipfw.h"

#define FUZZ_ARENA_BYTES	(32u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each place lies in its source, and each text is one line of what it says */
static void check(const struct sources *s, const struct ipfw_cmds *cmds)
{
	for (uint32_t i = 0; i < cmds->list.n; i++) {
		const struct ipfw_cmd *cmd = &cmds->list.v[i];

		BUG_IF(cmd->at.src == 0 || cmd->at.hi > source_at(s, cmd->at.src)->len);
		BUG_IF(strchr(cmd->line_text, '\n') != NULL);
		for (uint32_t k = 0; k < cmd->words.n; k++) {
			const struct span at = cmd->words.v[k].at;

			BUG_IF(at.src == 0 || at.lo > at.hi || at.hi > source_at(s, at.src)->len);
			BUG_IF(source_file_span(s, at).src != cmd->at.src);
		}
	}
}

static void tell(const struct diags *diags)
{
	CLEANUP(base_file_close) FILE *null = fopen("/dev/null", "w");

	if (null == NULL)
		return;
	diag_print(diags, null, true, DIAG_NOTE);
	diag_json(diags, null, false);
}

static void run(struct arena *a, const uint8_t *data, size_t size)
{
	static const struct lang_define define = { "a", "ipfw -q 1" };
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	struct lang_ctx c = {
		.a = a, .names = &names, .sources = &sources, .diags = &diags,
		.defines = &define, .n_defines = 1,
	};
	uint32_t src;

	intern_init(&names, a);
	sources_init(&sources, a);
	diags_init(&diags, a, &sources);
	src = sources_add(&sources, "x.sh", (const char *)data, (uint32_t)size, SPAN_NONE);
	(void)ipfw_is_script(source_at(&sources, src));
	BUG_IF(ipfw_script_read(&c, src, &cmds) != (diags.n_errors == 0));
	check(&sources, &cmds);
	tell(&diags);
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
