/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A file of rules has no quotes and no continuation: a line is a command, "#"
 * starts a comment wherever it stands, words are parted by blanks.  Blanks
 * around commas go when the command is parsed, as those of a command line do.
 */
#include <ctype.h>
#include <string.h>

#include "base/limits.h"
#include "lang/ipfw.h"

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\f' || ch == '\v';
}

/* The words of the line at [@lo, @hi) */
static void read_line(struct lang_ctx *c, uint32_t src, uint32_t lo, uint32_t hi, bool is_saved,
		      struct ipfw_cmds *ret)
{
	const char *text = source_at(c->sources, src)->text;
	struct ipfw_cmd cmd = { .line_text = NULL };
	uint32_t i = lo, end = lo;

	while (i < hi) {
		const uint32_t start = i;

		while (i < hi && !is_blank(text[i]))
			i++;
		if (i > start) {
			vec_add(c->a, &cmd.words, ((struct ipfw_word){
				arena_strndup(c->a, text + start, i - start),
				{ src, start, i } }));
			end = i;
		}
		while (i < hi && is_blank(text[i]))
			i++;
	}
	if (cmd.words.n == 0)
		return;
	cmd.at = (struct span){ src, cmd.words.v[0].at.lo, end };
	cmd.line_text = arena_strndup(c->a, text + cmd.at.lo, end - cmd.at.lo);
	if (!is_saved || !ipfw_read_sysctl(c, &cmd, ret))
		vec_add(c->a, &ret->list, cmd);
}

static bool read_all(struct lang_ctx *c, uint32_t src, bool has_comments, struct ipfw_cmds *ret)
{
	const struct source *s = source_at(c->sources, src);
	uint32_t lo = 0;

	if (!lang_check_text(c, src))
		return false;
	while (lo < s->len) {
		const char *nl = memchr(s->text + lo, '\n', s->len - lo);
		const uint32_t end = nl != NULL ? (uint32_t)(nl - s->text) : s->len;
		const char *hash = has_comments ? memchr(s->text + lo, '#', end - lo) : NULL;

		read_line(c, src, lo, hash != NULL ? (uint32_t)(hash - s->text) : end,
			  !has_comments, ret);
		lo = end + 1;
	}
	return true;
}

bool ipfw_rules_read(struct lang_ctx *c, uint32_t src, struct ipfw_cmds *ret)
{
	return read_all(c, src, true, ret);
}

bool ipfw_saved_read(struct lang_ctx *c, uint32_t src, struct ipfw_cmds *ret)
{
	return read_all(c, src, false, ret);
}
