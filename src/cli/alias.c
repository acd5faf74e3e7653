/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "cli/confirm.h"
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

/* IF and ADDRESS[/LENGTH] of the command line; 0 or EX_USAGE */
static int read_change(struct cli *c, char op)
{
	const char *addr = c->args.v[1];

	c->change.op = op;
	c->change.iface = intern_str(&c->names, c->args.v[0], (uint32_t)strlen(c->args.v[0]));
	if (prefix_parse(addr, strlen(addr), &c->change.p) != 0)
		return cli_usage(c, "'%s' is not an address", addr);
	return 0;
}

static int change_alias(struct cli *c, char op)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	int status = read_change(c, op);

	c->may_be_empty = true;
	if (status == 0)
		status = cli_host_open(c, &h, c->dry_run ? STATE_READ : STATE_WRITE);
	if (status == 0 && !c->dry_run)
		status = cli_host_apply(c, &h);
	if (status == 0)
		cli_changes_print(c, &h);
	return status == 0 && c->dry_run && h.changes.n > 0 ? EX_DIFFERS : status;
}

int verb_alias_add(struct cli *c)
{
	return change_alias(c, '+');
}

int verb_alias_del(struct cli *c)
{
	return change_alias(c, '-');
}

static void print_next(struct cli *c)
{
	const struct prefix p = { c->next.a, addr_bits(c->next.a.af) };
	char buf[ADDR_TEXT_BYTES];

	if (!c->json) {
		fprintf(c->out, "%s\n", prefix_print(p, buf));
		return;
	}
	cli_object(c);
	fputs("\"interface\": ", c->out);
	json_cstring(c->out, c->next.iface);
	fprintf(c->out, ", \"kind\": \"pool\", \"address\": \"%s\", \"jail\": ",
		prefix_print(p, buf));
	json_cstring(c->out, c->next.owner[0] != '\0' ? c->next.owner : NULL);
	fputs(", \"owned\": false}", c->out);
}

int verb_alias_next(struct cli *c)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	struct declared d;
	int status = cli_netns(c), err = 0;

	if (status != 0)
		return status;
	c->next.is_asked = true;
	c->next.owner = c->args.n > 0 ? c->args.v[0] : "";
	c->may_be_empty = c->pool != NULL;
	c->is_host = true;
	if (!c->dry_run)
		status = confirm_overdue(c);
	if (status != 0)
		return status;
	if (!c->dry_run)
		err = state_open(&st, c->state_dir, STATE_WRITE, STATE_LOCK_SECONDS);
	if (err < 0)
		return cli_system(c, err, cli_state_what(c));
	c->is_writing = !c->dry_run;
	status = cli_declare(c, &d, CLI_PARSED);
	if (status == 0)
		print_next(c);
	return status;
}
