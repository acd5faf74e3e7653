/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/confine.h"
#include "cli/host.h"
#include "host/doctor.h"
#include "host/egress.h"
#include "port/io.h"

#include <string.h>

static void print(struct cli *c, const struct doctor_finding *f)
{
	const char *place = cli_place(c, f->at);

	fprintf(c->out, "%s  %s: %s", f->is_note ? "note   " : "problem", f->object, f->what);
	fprintf(c->out, place[0] != '\0' ? "  (%s)\n" : "\n", place);
	if (f->cure != NULL)
		fprintf(c->out, "         cure: %s\n", f->cure);
}

static void print_json(struct cli *c, const struct doctor_finding *f)
{
	cli_object(c);
	fprintf(c->out, "\"severity\": \"%s\", \"object\": ", f->is_note ? "note" : "problem");
	json_cstring(c->out, f->object);
	fputs(", \"what\": ", c->out);
	json_cstring(c->out, f->what);
	fputs(", \"cure\": ", c->out);
	json_cstring(c->out, f->cure);
	fputs(", ", c->out);
	cli_json_place(c, f->at);
	putc('}', c->out);
}

/* Before the first apply all is missing, which is one finding */
static void add_unapplied(struct doctor *x, const struct cli_host *h)
{
	doctor_add(x, &(struct doctor_finding){
		.object = "this host",
		.what = arena_printf(x->a, "nothing is applied: %u things are declared and not "
				     "there", h->changes.n),
		.cure = "sallyport apply", .at = SPAN_NONE });
}

/* What is missing of links, addresses and rules is a finding each */
static void add_drift(struct cli *c, const struct cli_change *one, void *arg)
{
	struct doctor *x = arg;

	(void)c;
	doctor_add(x, &(struct doctor_finding){
		.object = arena_strndup(x->a, one->object, strlen(one->object)),
		.what = one->op[0] == 'a' ? "it is declared and not there" :
			one->op[0] == 'd' ? "it is there and not declared" :
			"it is not as declared",
		.cure = "sallyport apply", .at = one->at });
}

/* Only its cgroup keeps an alias jail to its addresses: FreeBSD's kernel has no like here */
static void add_unconfined(struct cli *c, struct doctor *x, const struct cli_host *h)
{
	const char *names = NULL, *first = NULL;

	for (uint32_t i = 0; i < x->d->jails.n; i++) {
		const struct decl_jail *j = &x->d->jails.v[i];
		const char *path;
		bool is_lost;

		if (!j->is_enabled || j->is_down || j->is_vnet || j->addrs.n == 0)
			continue;
		path = cli_confine_recorded(c, h, j->name, &is_lost);
		if (path != NULL && is_lost)
			doctor_add(x, &(struct doctor_finding){
				.object = arena_printf(x->a, "jail %s", j->name),
				.what = arena_printf(x->a, "it was confined in %s, and is no "
						     "longer", path),
				.cure = arena_printf(x->a, "sallyport up %s --cgroup %s", j->name,
						     path), .at = j->at });
		if (path != NULL)
			continue;
		first = first == NULL ? j->name : first;
		names = names == NULL ? j->name : arena_printf(x->a, "%s, %s", names, j->name);
	}
	if (names != NULL)
		doctor_add(x, &(struct doctor_finding){
			.object = arena_printf(x->a, "jail %s", names),
			.what = "not confined: its processes can use any address of the host",
			.cure = arena_printf(x->a, "sallyport up %s --cgroup PATH", first),
			.at = SPAN_NONE, .is_note = true });
}

static const char packet_cure[] =
	"end it, and take CAP_NET_RAW from the jail: setpriv --bounding-set -net_raw, "
	"CapabilityBoundingSet=~CAP_NET_RAW, lxc.cap.drop = net_raw";

/* Who has a packet socket sees and sends what confinement would keep from it */
static void add_packets(struct cli *c, struct doctor *x, const struct cli_host *h)
{
	for (uint32_t i = 0; i < x->d->jails.n; i++) {
		const struct decl_jail *j = &x->d->jails.v[i];
		const struct confine_packets p = cli_confine_packets(c, h, j->name);

		for (uint32_t n = 0; n < p.list.n; n++)
			doctor_add(x, &(struct doctor_finding){
				.object = arena_printf(x->a, "packet socket of jail %s, %s (pid "
						       "%d)", j->name, p.list.v[n].program,
						       p.list.v[n].pid),
				.what = "it sees all that the host sees and sends as anybody: "
					"confinement does not reach such sockets",
				.cure = packet_cure, .at = j->at });
	}
}

/* Ways to take packets for `nat`: of interest where it is used, or to who wants to know all */
static void add_ways(const struct cli *c, struct doctor *x)
{
	if (!c->verbose && c->nat_path != NAT_PATH_USERSPACE)
		return;
	for (uint32_t i = 0; io_kinds[i] != NULL; i++) {
		const struct io_ops *ops = io_kinds[i];
		const int err = ops->probe();
		const char *can = ops == io_best() ? "possible, and what auto takes" : "possible";

		doctor_add(x, &(struct doctor_finding){
			.object = arena_printf(x->a, "nat --io %s", ops->name),
			.what = err == 0 ? arena_printf(x->a, "%s; it costs %s", can, ops->costs) :
				arena_printf(x->a, "not possible: %s; it needs %s", strerror(-err),
					     ops->needs),
			.at = SPAN_NONE, .is_note = true });
	}
}

/* What keeps the NAT from leaving known flows to the kernel, of interest to the same */
static void add_egress(const struct cli *c, struct doctor *x)
{
	struct egresses all;

	if ((!c->verbose && c->nat_path != NAT_PATH_USERSPACE) ||
	    egress_read(x->nft, x->a, &all) < 0)
		return;
	for (uint32_t i = 0; i < all.list.n; i++)
		doctor_add(x, &(struct doctor_finding){
			.object = arena_printf(x->a, "%s (hook egress)", all.list.v[i].chain),
			.what = arena_printf(x->a, "it is for what leaves %s, where the userspace "
					     "NAT has no lanes for it", all.list.v[i].device),
			.at = SPAN_NONE, .is_note = true });
}

/* Where the rules are not there, is it that the kernel cannot take them; asked last */
static void add_missing(struct cli *c, struct doctor *x, const struct cli_host *h)
{
	struct diags told = { .a = &c->arena, .sources = &c->sources };
	bool asked;

	(void)cli_ask_kernel(h->program, &told, &asked);
	for (uint32_t i = 0; i < told.list.n && asked; i++)
		doctor_add(x, &(struct doctor_finding){
			.object = "this kernel", .what = told.list.v[i].message,
			.cure = "boot a kernel with it, load its module, or take out what needs it",
			.at = told.list.v[i].at });
}

static bool is_applied(struct cli *c, const struct cli_host *h)
{
	char *text;
	size_t len;

	return state_read(&h->st, "applied", &c->arena, &text, &len) == 0;
}

int verb_doctor(struct cli *c)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	struct doctor x = { .a = &c->arena, .root = "" };
	int status = cli_host_open(c, &h, STATE_READ), err;
	bool sick = false;

	/* With what cannot be applied the look at the rest still helps */
	if (status != 0 && !h.is_compared)
		return status;
	x.d = &h.d.decl;
	x.facts = &h.d.facts;
	x.m = &h.d.model;
	x.nft = &h.filter;
	if (!is_applied(c, &h) && h.changes.n > 0)
		add_unapplied(&x, &h);
	else
		cli_changes_each(c, &h, add_drift, &x);
	err = doctor_run(&x);
	add_unconfined(c, &x, &h);
	add_packets(c, &x, &h);
	add_ways(c, &x);
	add_egress(c, &x);
	if (err < 0)
		return cli_system(c, err, "look at this host");
	add_missing(c, &x, &h);
	for (uint32_t i = 0; i < x.found.n; i++) {
		sick |= !x.found.v[i].is_note;
		if (c->json)
			print_json(c, &x.found.v[i]);
		else
			print(c, &x.found.v[i]);
	}
	if (!c->json && x.found.n == 0 && !c->quiet)
		fputs("nothing found\n", c->out);
	return sick || status != 0 ? EX_DIFFERS : 0;
}
