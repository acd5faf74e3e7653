/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cli.h"
#include "lang/ezjail.h"
#include "lang/iocage.h"
#include "lang/ipfw.h"
#include "lang/jail_make.h"
#include "lang/pf.h"
#include "lang/rc.h"

static int print_file(struct cli *c, const struct declared *d, const struct cli_file *f)
{
	const struct source *s = source_at(&c->sources, f->src);
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct diags told;	/* what these files make was told when they were declared */
	struct lang_ctx ctx = {
		.a = &c->arena, .names = &c->names, .sources = &c->sources, .diags = &told,
	};

	diags_init(&told, &c->arena, &c->sources);
	if (out == NULL)
		return cli_system(c, -errno, "format");
	if (f->lang == LANG_PF)
		pf_fmt(s->text, s->len, out);
	else if (f->lang == LANG_JAIL)
		jail_fmt(&ctx, f->src, out);
	else if (f->lang == LANG_EZJAIL)
		jail_print(ezjail_parse(&ctx, f->src), out);
	else if (f->lang == LANG_IOCAGE)
		jail_print(iocage_parse(&ctx, f->src, 0), out);
	else if (f->lang == LANG_RC)
		rc_fmt(s->text, s->len, out);
	else if (f->lang == LANG_SYSCTL)
		sysctlconf_fmt(s->text, s->len, out);
	else
		ipfw_fmt(d->ipfw, out);
	fclose(out);
	if (!c->json) {
		fwrite(text, 1, len, c->out);
		return 0;
	}
	cli_object(c);
	fputs("\"file\": ", c->out);
	json_cstring(c->out, s->name);
	fputs(", \"text\": ", c->out);
	json_string(c->out, text, len);
	putc('}', c->out);
	return 0;
}

int verb_fmt(struct cli *c)
{
	struct declared d;
	bool ipfw_done = false;
	int status = cli_netns(c);

	if (status == 0)
		status = cli_declare(c, &d, CLI_PARSED);
	if (status != 0)
		return status;
	for (uint32_t i = 0; i < c->files.n && status == 0; i++) {
		const bool is_ipfw = c->files.v[i].lang == LANG_IPFW;

		/* All its files are one ruleset */
		if (!is_ipfw || !ipfw_done)
			status = print_file(c, &d, &c->files.v[i]);
		ipfw_done |= is_ipfw;
	}
	return status;
}
