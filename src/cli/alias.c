/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "cli/host.h"

void cli_alias_json(struct cli *c, const struct host_alias *x)
{
	char buf[ADDR_TEXT_BYTES];

	fputs("{\"interface\": ", c->out);
	json_cstring(c->out, x->iface);
	fputs(", \"kind\": ", c->out);
	json_cstring(c->out, x->kind);
	fprintf(c->out, ", \"address\": \"%s\", \"jail\": ", prefix_print(x->p, buf));
	json_cstring(c->out, x->jail);
	fprintf(c->out, ", \"owned\": %s, ", x->is_owned ? "true" : "false");
	cli_json_place(c, x->at);
	putc('}', c->out);
}

static void print_alias(struct cli *c, const struct host_alias *x)
{
	char buf[ADDR_TEXT_BYTES];

	fprintf(c->out, "%-10s %-8s %-26s %-14s %s\n", x->iface, x->kind, prefix_print(x->p, buf),
		x->jail != NULL ? x->jail : "-", x->is_owned ? "ours" : "not ours");
}

int verb_alias_list(struct cli *c)
{
	CLEANUP(nl_close) struct nl_session s = { .fd = -1 };
	struct declared d;
	struct host_want want = { .links = { .n = 0 } };
	struct host_have have;
	struct host_aliases list = { .list = { .n = 0 } };
	int status = cli_netns(c), err;

	if (status == 0)
		status = cli_declare(c, &d, CLI_STRICT);
	if (status != 0)
		return status;
	host_want_make(&d.decl, &c->arena, &c->diags, &want);
	err = nl_open(&s, NETLINK_ROUTE);
	if (err == 0)
		err = host_have_read(&s, NULL, &c->arena, &have);
	if (err < 0)
		return cli_system(c, err, "read the addresses of this host");
	host_aliases_list(&want, &have, &c->arena, &list);
	if (!c->json && list.list.n > 0)
		fprintf(c->out, "%-10s %-8s %-26s %-14s %s\n", "interface", "kind", "address",
			"jail", "owned");
	for (uint32_t i = 0; i < list.list.n; i++) {
		if (!c->json) {
			print_alias(c, &list.list.v[i]);
			continue;
		}
		cli_comma(c);
		cli_alias_json(c, &list.list.v[i]);
	}
	return 0;
}
