/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/live.h"

#include <string.h>

static bool has_lang(const struct cli *c, enum cli_lang lang)
{
	for (uint32_t i = 0; i < c->files.n; i++)
		if (cli_lang_of(&c->files.v[i]) == lang)
			return true;
	return false;
}

bool live_is_there(const struct cli *c)
{
	for (uint32_t i = 0; i < c->files.n; i++)
		if (c->files.v[i].live)
			return true;
	return false;
}

/* In the place of the ipfw files, as the last */
static void take(struct cli *c, const char *text, size_t len)
{
	const uint32_t src = sources_add(&c->sources, LIVE_NAME, text, (uint32_t)len, SPAN_NONE);
	uint32_t n = 0;

	sources_number(&c->sources, src);
	for (uint32_t i = 0; i < c->files.n; i++)
		if (cli_lang_of(&c->files.v[i]) != LANG_IPFW)
			c->files.v[n++] = c->files.v[i];
	c->files.n = n;
	vec_add(&c->arena, &c->files, ((struct cli_file){
		.path = LIVE_NAME, .lang = LANG_IPFW, .kept = true, .live = true,
		.src = src }));
}

int live_load(struct cli *c, const struct state *st, bool given)
{
	char *text;
	size_t len;
	int err;

	if (given && (has_lang(c, LANG_PF) || has_lang(c, LANG_IPFW)))
		return 0;
	err = state_read(st, LIVE_NAME, &c->arena, &text, &len);
	if (err == 0)
		take(c, text, len);
	else if (err == -ENOENT && c->ipfw != NULL && !has_lang(c, LANG_IPFW))
		take(c, "", 0);
	return err == -ENOENT ? 0 : err;
}

int live_forget(struct cli *c, struct state *st)
{
	return live_is_there(c) ? 0 : state_remove(st, LIVE_NAME);
}
