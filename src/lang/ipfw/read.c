/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A file of rules has no quotes and no continuation: a line is a command, "#"
 * starts a comment wherever it stands, words are parted by blanks.  Blanks
 * around commas go when the command is parsed, as those of a command line do.
 *
 * ipfw has no variables there either.  But the declared jails and -D have names
 * for what a rule may say, so those are replaced; any other "$" stands as it is,
 * and is told where it makes no sense.
 */
#include <string.h>

#include "base/limits.h"
#include "lang/ipfw/script.h"

#define BLANKS	" \t\r\f\v"

static bool is_blank(char ch)
{
	return ch != '\0' && strchr(BLANKS, ch) != NULL;
}

/* What -D or the jails say of a name, or NULL */
static const char *value_of(const struct lang_ctx *c, const char *name, size_t len)
{
	const char *value = lang_define_find(c, name, len);

	for (uint32_t i = 0; value == NULL && i < c->n_presets; i++)
		if (strlen(c->presets[i].name) == len &&
		    memcmp(c->presets[i].name, name, len) == 0)
			value = c->presets[i].value;
	return value;
}

/* Length of the "$NAME" or "${NAME}" at @s that has a value, else 0 */
static size_t variable_len(const struct lang_ctx *c, const char *s, const char **ret_value)
{
	const bool is_braced = s[1] == '{';
	const char *name = s + 1 + is_braced;
	size_t n = 0;

	while (script_is_name(name[n], n == 0))
		n++;
	if (s[0] != '$' || n == 0 || (is_braced && name[n] != '}'))
		return 0;
	*ret_value = value_of(c, name, n);
	return *ret_value != NULL ? n + 1 + 2 * (size_t)is_braced : 0;
}

/* @text with its variables replaced; itself if there are none */
static const char *expand(struct lang_ctx *c, const char *text)
{
	const char *ret = "", *value, *from = text;

	for (const char *s = text; *s != '\0';) {
		const size_t len = variable_len(c, s, &value);

		if (len == 0) {
			s++;
			continue;
		}
		ret = arena_printf(c->a, "%s%.*s%s", ret, (int)(s - from), from, value);
		s += len;
		from = s;
	}
	return from == text ? text : arena_printf(c->a, "%s%s", ret, from);
}

/* Add the words of @text, which all stand at @at */
static void add_words(struct lang_ctx *c, struct ipfw_cmd *cmd, const char *text, struct span at)
{
	while (*text != '\0') {
		const size_t n = strcspn(text, BLANKS);

		if (n > 0)
			vec_add(c->a, &cmd->words, ((struct ipfw_word){
				arena_strndup(c->a, text, n), at }));
		text += n;
		text += strspn(text, BLANKS);
	}
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
			const char *word = arena_strndup(c->a, text + start, i - start);

			add_words(c, &cmd, is_saved ? word : expand(c, word),
				  (struct span){ src, start, i });
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
