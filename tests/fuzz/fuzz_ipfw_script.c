/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a firewall script: read without running it, and told */
#include <string.h>

#include "fuzz_lang.h"
#include "lang/ipfw.h"

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

static void fuzz_one(struct fuzz *f)
{
	static const struct lang_define define = { "a", "ipfw -q 1" };
	static const struct lang_loader loader = { .read = fuzz_read_again };
	struct ipfw_cmds cmds = { .list = { .n = 0 } };

	f->c.defines = &define;
	f->c.n_defines = 1;
	f->c.loader = &loader;
	(void)ipfw_is_script(source_at(&f->sources, f->src));
	BUG_IF(ipfw_script_read(&f->c, f->src, &cmds) != (f->diags.n_errors == 0));
	check(&f->sources, &cmds);
}
