/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "cli/cli.h"
#include "lang/ipfw.h"

/* A setting of sysctl.conf as 0 or 1, or -1 */
static int setting(const struct decl *d, const char *name)
{
	for (uint32_t i = 0; i < d->sysctls.n; i++)
		if (strcmp(d->sysctls.v[i].name, name) == 0)
			return strcmp(d->sysctls.v[i].value, "0") != 0;
	return -1;
}

/* The commands of all ipfw files, in order */
static bool read_commands(struct cli *c, struct lang_ctx *ctx, struct ipfw_cmds *cmds)
{
	bool ok = true;

	for (uint32_t i = 0; i < c->files.n; i++) {
		const uint32_t src = c->files.v[i].src;

		if (c->files.v[i].lang != LANG_IPFW)
			continue;
		ok &= ipfw_is_script(source_at(&c->sources, src))
			? ipfw_script_read(ctx, src, cmds) : ipfw_rules_read(ctx, src, cmds);
	}
	return ok;
}

int cli_rules_ipfw(struct cli *c, struct lang_ctx *ctx, struct declared *d,
		   enum cli_strict strict)
{
	struct ipfw_options o = {
		.one_pass = c->one_pass,
		.default_to_accept = setting(&d->decl, "net.inet.ip.fw.default_to_accept") == 1,
		.tolerate_missing = strict == CLI_TOLERANT,
	};
	struct ipfw_cmds cmds = { .list = { .n = 0 } };

	if (o.one_pass < 0)
		o.one_pass = setting(&d->decl, "net.inet.ip.fw.one_pass");
	if (!read_commands(c, ctx, &cmds))
		return cli_refused(c);
	d->ipfw = ipfw_parse(ctx, &cmds);
	if (c->diags.n_errors > 0 || !ipfw_lower(ctx, d->ipfw, &d->facts, &o, &d->model))
		return cli_refused(c);
	d->ipfw_accepts = o.default_to_accept;
	return 0;
}
