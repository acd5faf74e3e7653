/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Drift is the plan, seen from the other side: what differs between the host
 * and the declarations.  A jail is up when its addresses are there.
 */
#include <string.h>
#include <time.h>

#include "cli/confine.h"
#include "cli/confirm.h"
#include "cli/forwards.h"
#include "cli/host.h"

/* One status */
struct status {
	struct cli *c;
	struct cli_host *h;
	struct host_aliases aliases;
	struct cli_forwards forwards;
	struct cli_counters counts;
	struct confirm_note note;
};

static bool is_there(const struct status *s, struct addr a)
{
	for (uint32_t i = 0; i < s->aliases.list.n; i++)
		if (addr_equal(s->aliases.list.v[i].p.a, a))
			return true;
	return false;
}

/* Is its link there, and finished */
static bool vnet_is_up(const struct status *s, const struct decl_jail *j)
{
	const struct rtnl_link *l = rtnl_link_find(&s->h->have.links, j->vnet.host_if);
	const char *of = l != NULL ? vnet_jail_of(l) : NULL;

	return of != NULL && strcmp(of, j->name) == 0;
}

static bool jail_is_up(const struct status *s, const struct decl_jail *j)
{
	if (j->is_vnet)
		return vnet_is_up(s, j);
	for (uint32_t i = 0; i < j->addrs.n; i++)
		if (!is_there(s, j->addrs.v[i].p.a))
			return false;
	return j->addrs.n > 0;
}

static void jails_json(const struct status *s)
{
	FILE *out = s->c->out;
	char buf[ADDR_TEXT_BYTES];

	fputs("\"jails\": [", out);
	for (uint32_t i = 0; i < s->h->d.decl.jails.n; i++) {
		const struct decl_jail *j = &s->h->d.decl.jails.v[i];

		fprintf(out, "%s{\"jail\": ", i > 0 ? ", " : "");
		json_cstring(out, j->name);
		fputs(", \"hostname\": ", out);
		json_cstring(out, j->hostname);
		fprintf(out, ", \"enabled\": %s, \"up\": %s, \"addresses\": [",
			j->is_enabled ? "true" : "false", jail_is_up(s, j) ? "true" : "false");
		for (uint32_t a = 0; a < j->addrs.n; a++)
			fprintf(out, "%s\"%s\"", a > 0 ? ", " : "",
				prefix_print(j->addrs.v[a].p, buf));
		fputs("], \"confined\": ", out);
		json_cstring(out, cli_confine_path(s->c, s->h, j->name));
		fputs(", ", out);
		cli_json_place(s->c, j->at);
		putc('}', out);
	}
	putc(']', out);
}

static void aliases_json(const struct status *s)
{
	FILE *out = s->c->out;

	fputs(", \"aliases\": [", out);
	for (uint32_t i = 0; i < s->aliases.list.n; i++) {
		fputs(i > 0 ? ", " : "", out);
		cli_alias_json(s->c, &s->aliases.list.v[i]);
	}
	putc(']', out);
}

static void forwards_json(const struct status *s)
{
	FILE *out = s->c->out;

	fputs(", \"forwards\": [", out);
	for (uint32_t i = 0; i < s->forwards.list.n; i++) {
		const struct cli_forward *f = &s->forwards.list.v[i];
		const struct cli_used n = cli_forward_used(&s->counts, f);

		fputs(i > 0 ? ", " : "", out);
		cli_forward_json(s->c, f, &n);
	}
	putc(']', out);
}

static void drift_json(const struct status *s)
{
	FILE *out = s->c->out;

	fputs(", \"drift\": [", out);
	for (uint32_t i = 0; i < s->h->changes.n; i++) {
		fputs(i > 0 ? ", " : "", out);
		cli_change_json(s->c, &s->h->changes.v[i]);
	}
	putc(']', out);
}

static void print_json(const struct status *s)
{
	cli_object(s->c);
	jails_json(s);
	aliases_json(s);
	forwards_json(s);
	drift_json(s);
	if (s->note.until > 0)
		fprintf(s->c->out, ", \"confirm\": {\"until\": %lld}",
			(long long)s->note.until);
	putc('}', s->c->out);
}

static void print_jails(const struct status *s)
{
	char buf[ADDR_TEXT_BYTES];

	for (uint32_t i = 0; i < s->h->d.decl.jails.n; i++) {
		const struct decl_jail *j = &s->h->d.decl.jails.v[i];
		const char *cgroup = cli_confine_path(s->c, s->h, j->name);

		fprintf(s->c->out, "jail     %-14s %-8s", j->name, !j->is_enabled ? "disabled" :
			jail_is_up(s, j) ? "up" : "down");
		for (uint32_t a = 0; a < j->addrs.n; a++)
			fprintf(s->c->out, " %s", prefix_print(j->addrs.v[a].p, buf));
		if (cgroup != NULL)
			fprintf(s->c->out, " confined in %s", cgroup);
		fprintf(s->c->out, "  (%s)\n", cli_place(s->c, j->at));
	}
}

static void print_forwards(const struct status *s)
{
	for (uint32_t i = 0; i < s->forwards.list.n; i++) {
		const struct cli_forward *f = &s->forwards.list.v[i];
		const bool limited = strcmp(f->from, "any") != 0;
		const struct cli_used used = cli_forward_used(&s->counts, f);

		fprintf(s->c->out, "forward  %s %s -> %s", f->proto, f->external, f->internal);
		if (f->jail != NULL)
			fprintf(s->c->out, ", jail %s", f->jail);
		if (limited)
			fprintf(s->c->out, ", from %s", f->from);
		fprintf(s->c->out, "%s  %llu %s  (%s)\n",
			f->is_off ? ", off" : !f->is_live ? ", jail is down" : "",
			(unsigned long long)used.packets, used.is_traffic ? "packets" : "flows",
			cli_place(s->c, f->origin.at));
	}
}

/* What waits to be confirmed; past its time the process that waits was killed */
static void print_note(const struct status *s)
{
	const int64_t left = s->note.until - time(NULL);

	if (left >= 0)
		fprintf(s->c->out, "confirm  the host is put back in %lld seconds unless "
			"`sallyport confirm` follows\n", (long long)left);
	else
		fputs("confirm  was waited for, and nobody waits any more: `sallyport confirm`, or "
		      "apply what was before\n", s->c->out);
}

static void print_text(const struct status *s)
{
	FILE *out = s->c->out;
	char buf[ADDR_TEXT_BYTES];

	print_jails(s);
	for (uint32_t i = 0; i < s->aliases.list.n; i++) {
		const struct host_alias *x = &s->aliases.list.v[i];

		fprintf(out, "alias    %s on %s (%s)%s%s\n", prefix_print(x->p, buf), x->iface,
			x->kind, x->jail != NULL ? ", jail " : "", x->jail != NULL ? x->jail : "");
	}
	print_forwards(s);
	if (s->note.until > 0)
		print_note(s);
	if (s->h->changes.n == 0)
		fputs("drift    none\n", out);
	else
		fprintf(out, "drift    %u differences; what apply would change:\n",
			s->h->changes.n);
	cli_changes_print(s->c, s->h);
}

int verb_status(struct cli *c)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	struct status s = { .c = c, .h = &h };
	int status = cli_host_open(c, &h, STATE_READ), err;

	if (status != 0 && !h.is_compared)
		return status;
	host_aliases_list(&h.want, &h.have, &c->arena, &s.aliases);
	cli_forwards_list(c, &h.d, &s.forwards);
	err = confirm_read(&h.st, &c->arena, &s.note);
	if (err < 0 && err != -ENOENT)
		return cli_system(c, err, "read what waits to be confirmed");
	err = cli_counters_read(c, &h.filter, h.program, &s.counts);
	if (err < 0)
		return cli_system(c, err, "read the counters");
	if (c->json)
		print_json(&s);
	else
		print_text(&s);
	if (status != 0)
		return status;
	return h.changes.n > 0 ? EX_DIFFERS : 0;
}
