/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Drift is the plan, seen from the other side: what differs between the host
 * and the declarations; where rules differ, packets show what comes of it.  A jail
 * is up when its addresses are there.
 */
#include <string.h>
#include <time.h>

#include "cli/foreign.h"
#include "cli/confine.h"
#include "cli/nat_ask.h"
#include "cli/status.h"
#include "cli/up.h"

#define MOST_BROKEN	3u	/* packets shown as text */

static bool is_there(const struct cli_status *s, struct addr a)
{
	for (uint32_t i = 0; i < s->aliases.list.n; i++)
		if (addr_equal(s->aliases.list.v[i].p.a, a))
			return true;
	return false;
}

/* Does it use an address that the host has anyhow, and which says nothing of the jail */
static bool uses_hosts(const struct cli_status *s, const struct decl_jail *j, struct addr a)
{
	return j->is_enabled && up_is_there(s->h, a);
}

/* Is its link there, and finished */
static bool vnet_is_up(const struct cli_status *s, const struct decl_jail *j)
{
	const struct rtnl_link *l = rtnl_link_find(&s->h->have.links, j->vnet.host_if);
	const char *of = l != NULL ? vnet_jail_of(l) : NULL;

	return of != NULL && strcmp(of, j->name) == 0;
}

bool cli_jail_is_up(const struct cli_status *s, const struct decl_jail *j)
{
	/* rc.conf may have its address still */
	if (j->is_down)
		return false;
	if (j->is_vnet)
		return vnet_is_up(s, j);
	for (uint32_t i = 0; i < j->addrs.n; i++)
		if (!is_there(s, j->addrs.v[i].p.a) && !uses_hosts(s, j, j->addrs.v[i].p.a))
			return false;
	return j->addrs.n > 0;
}

/* What the confinement of a jail does not reach */
static void packets_json(const struct cli_status *s, const struct decl_jail *j)
{
	const struct confine_packets p = cli_confine_packets(s->c, s->h, j->name);
	FILE *out = s->c->out;

	fputs(", \"packet_sockets\": [", out);
	for (uint32_t i = 0; i < p.list.n; i++) {
		fprintf(out, "%s{\"pid\": %d, \"program\": ", i > 0 ? ", " : "",
			p.list.v[i].pid);
		json_cstring(out, p.list.v[i].program);
		putc('}', out);
	}
	fputs("], ", out);
}

static void jails_json(const struct cli_status *s)
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
			j->is_enabled ? "true" : "false", cli_jail_is_up(s, j) ? "true" : "false");
		for (uint32_t a = 0; a < j->addrs.n; a++)
			fprintf(out, "%s\"%s\"", a > 0 ? ", " : "",
				prefix_print(j->addrs.v[a].p, buf));
		fputs("], \"confined\": ", out);
		json_cstring(out, cli_confine_path(s->c, s->h, j->name));
		packets_json(s, j);
		cli_json_place(s->c, j->at);
		putc('}', out);
	}
	putc(']', out);
}

static void aliases_json(const struct cli_status *s)
{
	FILE *out = s->c->out;

	fputs(", \"aliases\": [", out);
	for (uint32_t i = 0; i < s->aliases.list.n; i++) {
		fputs(i > 0 ? ", " : "", out);
		cli_alias_json(s->c, &s->aliases.list.v[i]);
	}
	putc(']', out);
}

/* Forwards on their way out */
struct telling {
	const struct cli_status *s;
	uint32_t n;		/* so far */
};

static void forward_json(struct cli *c, const struct cli_forward *f, void *arg)
{
	struct telling *t = arg;
	const struct cli_used used = cli_forward_used(&t->s->counts, f);

	fputs(t->n++ > 0 ? ", " : "", c->out);
	cli_forward_json(c, f, &used);
}

static void forwards_json(const struct cli_status *s)
{
	fputs(", \"forwards\": [", s->c->out);
	cli_forwards_each(s->c, &s->h->d, forward_json, &(struct telling){ .s = s });
	putc(']', s->c->out);
}

/* Nobody declared it, and it is not ours to take away */
static bool is_foreign(const struct host_alias *x)
{
	return !x->is_owned && x->jail == NULL && x->at.src == 0;
}

static uint32_t count_foreign(const struct cli_status *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->aliases.list.n; i++)
		n += is_foreign(&s->aliases.list.v[i]);
	return n;
}

static struct cli_change foreign_change(const struct cli_status *s, const struct host_alias *x)
{
	char buf[ADDR_TEXT_BYTES];

	return (struct cli_change){ .op = "foreign", .object = arena_printf(&s->c->arena,
		"address %s on %s", prefix_print(x->p, buf), x->iface) };
}

static void print_change(struct cli *c, const struct cli_change *one, void *arg)
{
	bool *is_later = arg;

	fputs(*is_later ? ", " : "", c->out);
	cli_change_json(c, one);
	*is_later = true;
}

static void drift_json(const struct cli_status *s)
{
	FILE *out = s->c->out;
	bool is_later = false;

	fputs(", \"drift\": [", out);
	cli_changes_each(s->c, s->h, print_change, &is_later);
	for (uint32_t i = 0; i < s->aliases.list.n; i++) {
		const struct host_alias *x = &s->aliases.list.v[i];
		const struct cli_change one = foreign_change(s, x);

		if (is_foreign(x))
			print_change(s->c, &one, &is_later);
	}
	fputs("], \"broken\": [", out);
	for (uint32_t i = 0; i < s->broken.differences.n; i++) {
		fputs(i > 0 ? ", " : "", out);
		cli_difference_json(s->c, &s->broken.differences.v[i]);
	}
	putc(']', out);
}

/* Past its time: the process that waited was killed, or the host could not be put back */
static bool is_late(const struct cli_status *s)
{
	return s->note.until > 0 && confirm_left_ms(&s->note) <= 0;
}

static void print_json(const struct cli_status *s, const struct json *nat)
{
	cli_object(s->c);
	jails_json(s);
	aliases_json(s);
	forwards_json(s);
	drift_json(s);
	if (nat != NULL) {
		fputs(", \"nat\": ", s->c->out);
		nat_ask_print(s->c, nat);
	}
	if (s->note.until > 0)
		fprintf(s->c->out, ", \"confirm\": {\"until\": %lld, \"late\": %s}",
			(long long)s->note.until, is_late(s) ? "true" : "false");
	putc('}', s->c->out);
}

static const char *jail_state(const struct cli_status *s, const struct decl_jail *j)
{
	return !j->is_enabled ? "disabled" : cli_jail_is_up(s, j) ? "up" : "down";
}

/* The last value of a jail's parameter, or NULL */
static const char *param_of(const struct decl_jail *j, const char *name)
{
	for (uint32_t i = j->params.n; i-- > 0;)
		if (strcmp(j->params.v[i].name, name) == 0 && j->params.v[i].values.n > 0)
			return j->params.v[i].values.v[j->params.v[i].values.n - 1];
	return NULL;
}

static void print_packets(const struct cli_status *s, const struct decl_jail *j)
{
	const struct confine_packets p = cli_confine_packets(s->c, s->h, j->name);

	for (uint32_t i = 0; i < p.list.n; i++)
		fprintf(s->c->out, "%s %s (pid %d)", i > 0 ? "," : ", but for packet sockets of",
			p.list.v[i].program, p.list.v[i].pid);
}

static void print_jails(const struct cli_status *s)
{
	char buf[ADDR_TEXT_BYTES];

	for (uint32_t i = 0; i < s->h->d.decl.jails.n; i++) {
		const struct decl_jail *j = &s->h->d.decl.jails.v[i];
		const char *cgroup = cli_confine_path(s->c, s->h, j->name);

		fprintf(s->c->out, "jail     %-14s %-8s", j->name, jail_state(s, j));
		for (uint32_t a = 0; a < j->addrs.n; a++)
			fprintf(s->c->out, " %s", prefix_print(j->addrs.v[a].p, buf));
		if (cgroup != NULL)
			fprintf(s->c->out, " confined in %s", cgroup);
		print_packets(s, j);
		fprintf(s->c->out, "  (%s)\n", cli_place(s->c, j->at));
	}
}

static void print_forward(struct cli *c, const struct cli_forward *f, void *arg)
{
	const struct cli_status *s = arg;
	const struct cli_used used = cli_forward_used(&s->counts, f);

	fprintf(c->out, "forward  %s %s -> %s", f->proto, f->external, f->internal);
	if (f->jail != NULL)
		fprintf(c->out, ", jail %s", f->jail->name);
	if (strcmp(f->from, "any") != 0)
		fprintf(c->out, ", from %s", f->from);
	fprintf(c->out, "%s  %llu %s  (%s)\n",
		f->is_off ? ", off" : !f->is_live ? ", jail is down" : "",
		(unsigned long long)used.packets, used.is_traffic ? "packets" : "flows", f->place);
}

static void print_note(const struct cli_status *s)
{
	if (is_late(s))
		fputs("confirm  did not come in time, and the host is not put back yet: the next "
		      "run that changes it does so first, as `sallyport apply` without -f\n",
		      s->c->out);
	else
		fprintf(s->c->out, "confirm  the host is put back in %lld seconds unless "
			"`sallyport confirm` follows\n",
			(long long)(confirm_left_ms(&s->note) + 999) / 1000);
}

static void print_drift(const struct cli_status *s)
{
	FILE *out = s->c->out;

	if (s->h->changes.n == 0 && count_foreign(s) == 0)
		fputs("drift    none\n", out);
	if (s->h->changes.n > 0)
		fprintf(out, "drift    %u differences; what apply would change:\n",
			cli_changes_count(s->h, NULL));
	cli_changes_print(s->c, s->h);
	if (count_foreign(s) > 0)
		fprintf(out, "drift    %u of somebody else, which apply leaves alone:\n",
			count_foreign(s));
	for (uint32_t i = 0; i < s->aliases.list.n; i++)
		if (is_foreign(&s->aliases.list.v[i]))
			fprintf(out, "! %s\n", foreign_change(s, &s->aliases.list.v[i]).object);
}

static void print_text(struct cli_status *s, const struct json *nat)
{
	FILE *out = s->c->out;
	char buf[ADDR_TEXT_BYTES];

	print_jails(s);
	for (uint32_t i = 0; i < s->aliases.list.n; i++) {
		const struct host_alias *x = &s->aliases.list.v[i];

		fprintf(out, "alias    %s on %s (%s)%s%s\n", prefix_print(x->p, buf), x->iface,
			x->kind, x->jail != NULL ? ", jail " : "", x->jail != NULL ? x->jail : "");
	}
	cli_forwards_each(s->c, &s->h->d, print_forward, s);
	if (nat != NULL)
		nat_ask_print(s->c, nat);
	if (s->note.until > 0)
		print_note(s);
	print_drift(s);
	for (uint32_t i = 0; i < s->broken.differences.n && i < MOST_BROKEN; i++) {
		fputs(i == 0 ? "broken   as a packet shows (see verify):\n" : "", out);
		cli_difference_print(s->c, &s->broken.differences.v[i], &cli_kernel_sides);
	}
}

/* The manner of jls: one line for each jail, and one more for each further address */
static void print_listing(const struct cli_status *s)
{
	FILE *out = s->c->out;
	char buf[ADDR_TEXT_BYTES];

	fprintf(out, "%-16s %-9s %-18s %-29s %s\n", "Jail", "State", "IP Address", "Hostname",
		"Path");
	for (uint32_t i = 0; i < s->h->d.decl.jails.n; i++) {
		const struct decl_jail *j = &s->h->d.decl.jails.v[i];
		const char *path = param_of(j, "path");

		fprintf(out, "%-16s %-9s %-18s %-29s %s\n", j->name, jail_state(s, j),
			j->addrs.n > 0 ? addr_print(j->addrs.v[0].p.a, buf) : "-",
			j->hostname != NULL ? j->hostname : "-", path != NULL ? path : "-");
		for (uint32_t a = 1; a < j->addrs.n; a++)
			fprintf(out, "%-26s %s\n", "", addr_print(j->addrs.v[a].p.a, buf));
	}
}

int cli_status_read(struct cli *c, struct cli_host *h, struct cli_status *ret)
{
	const int status = cli_host_open(c, h, STATE_READ);
	int err;

	*ret = (struct cli_status){ .c = c, .h = h };
	if (status != 0 && !h->is_compared)
		return status;
	host_aliases_list(&h->want, &h->have, &c->arena, &ret->aliases);
	err = confirm_read(&h->st, &c->arena, &ret->note);
	if (err < 0 && err != -ENOENT)
		return cli_system(c, err, "read what waits to be confirmed");
	err = cli_counters_read(c, &h->filter, h->program, &ret->counts);
	return err < 0 ? cli_system(c, err, "read the counters") : status;
}

static bool rules_differ(const struct cli_host *h)
{
	for (uint32_t i = 0; i < h->changes.n; i++)
		if (h->changes.v[i].table != NULL ||
		    strstr(h->changes.v[i].object, " " NFT_TABLE " ") != NULL)
			return true;
	return false;
}

/* What comes of rules that differ: 0 or an exit status */
static int read_broken(struct cli *c, struct cli_host *h, struct cli_status *s)
{
	int err = 0;

	if (c->listing || c->no_verify)
		return 0;
	if (rules_differ(h))
		err = prove_kernel(&h->filter, &h->d.model, h->program, &c->arena, &s->broken);
	if (err == 0)
		err = cli_foreign_read(c, h, &s->broken);
	return err < 0 ? cli_system(c, err, "read what the kernel holds") : 0;
}

static void print_all(struct cli *c, struct cli_status *s, const struct json *nat)
{
	/* There may be 100,000 forwards: megabytes */
	cli_stream(c);
	if (c->json)
		print_json(s, nat);
	else if (c->listing)
		print_listing(s);
	else
		print_text(s, nat);
}

int verb_status(struct cli *c)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	struct cli_status s;
	const struct json *nat = NULL;
	int status = cli_status_read(c, &h, &s), asked;

	if (status != 0 && !h.is_compared)
		return status;
	asked = nat_ask_status(c, &nat);
	if (asked == 0)
		asked = read_broken(c, &h, &s);
	status = status != 0 ? status : asked;
	print_all(c, &s, nat);
	if (status != 0)
		return status;
	return h.changes.n > 0 || count_foreign(&s) > 0 || s.broken.differences.n > 0 ||
	       is_late(&s) ? EX_DIFFERS : 0;
}
