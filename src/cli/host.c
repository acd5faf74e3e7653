/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/confine.h"
#include "cli/confirm.h"
#include "cli/host.h"
#include "cli/nat_ports.h"

#include <string.h>

#include "host/natpath.h"

#define MANY_CHANGES	1000u	/* their text is not kept until the end: megabytes */

void cli_host_close(struct cli_host *h)
{
	nl_close(&h->route);
	nl_leave(&h->filter);
	state_close(&h->st);
	nft_look_free(h->look);
	if (h->confinement != NULL)
		cli_confine_close(h->confinement);
}

int cli_state_look(struct cli *c, struct state *st)
{
	return c->held != NULL ? state_share(c->held, st) :
				 state_open(st, c->state_dir, STATE_READ, 0);
}

const char *cli_state_what(struct cli *c)
{
	return arena_printf(&c->arena, "open the state directory %s%s",
			    c->state_dir != NULL ? c->state_dir : STATE_RUN_DIR,
			    c->state_dir != NULL ? "/run" : "");
}

int cli_host_error(struct cli *c, int err, const char *what)
{
	if (err == -EINVAL && c->diags.n_errors > 0)
		return EX_DATAERR;
	if (err == -EOPNOTSUPP && c->diags.n_errors > 0)
		return EX_UNAVAILABLE;
	return cli_system(c, err, what);
}

static void add_change(struct cli *c, struct cli_host *h, const char *op, const char *object,
		       struct span at)
{
	vec_add(&c->arena, &h->changes,
		((struct cli_change){ .op = op, .object = object, .at = at }));
}

struct vnet_place cli_vnet_place(const struct cli *c)
{
	return (struct vnet_place){ c->pid, c->jail_netns, c->create };
}

void cli_vnet_changes(struct cli *c, struct cli_host *h)
{
	for (uint32_t i = 0; i < h->vnets.ops.n; i++) {
		const struct vnet_op *op = &h->vnets.ops.v[i];

		add_change(c, h, vnet_op_verb(op), op->object, op->at);
	}
}

/* Links of vnet jails; 0 or an exit status */
static int compare_vnets(struct cli *c, struct cli_host *h)
{
	struct host host = { .s = &h->route, .st = &h->st, .a = &c->arena, .diags = &c->diags };
	const struct vnet_place place = cli_vnet_place(c);
	const int err = vnet_plan_make(&h->d.decl, h->want.only, &place, &host, &h->have,
				       &h->vnets);

	cli_vnet_changes(c, h);
	return err < 0 ? cli_host_error(c, err, "look at the links of vnet jails") : 0;
}

/* Of what the facts were learned from, where the host was asked for them */
static int read_have(struct cli *c, struct cli_host *h)
{
	const struct host_live *seen = TAKE(c->seen);

	return seen != NULL ? host_have_of(seen, &h->st, &c->arena, &h->have) :
			      host_have_read(&h->route, &h->st, &c->arena, &h->have);
}

bool cli_is_one_jail(const struct cli *c, const struct cli_host *h)
{
	return c->runs.list.n == 1 && decl_find_jail(&h->d.decl, c->runs.list.v[0].name) != NULL;
}

/*
 * For one jail that comes or goes it is enough to know that nobody has changed our
 * rules; whoever compares asks the kernel for them.
 */
static const struct nft_memo *remembered(struct cli *c, struct cli_host *h, struct nft_memo *ret)
{
	char *text;

	if (!cli_is_one_jail(c, h) ||
	    state_read(&h->st, CLI_MEMO_FILE, &c->arena, &text, &ret->len) < 0)
		return NULL;
	ret->text = text;
	return ret;
}

/* What differs of the packet rules */
static int compare_rules(struct cli *c, struct cli_host *h)
{
	struct nft_changes rules = { .list = { .n = 0 } };
	struct nft_memo memo;
	const int err = nft_look(&h->filter, h->program, remembered(c, h, &memo), &c->arena,
				 &rules, &h->look);

	for (uint32_t i = 0; i < rules.list.n; i++) {
		const struct nft_change *r = &rules.list.v[i];

		add_change(c, h, r->op == NFT_DELETE ? "del" : nft_op_name(r->op), r->object,
			   r->at);
		if (r->table != NULL)
			h->changes.v[h->changes.n - 1].table = r;
	}
	return err;
}

static int compare(struct cli *c, struct cli_host *h)
{
	struct host_plan plan = { .ops = { .n = 0 } };
	int err = compare_rules(c, h), status;

	if (err < 0)
		return cli_system(c, err, "read the packet rules of this host");
	err = read_have(c, h);
	if (err < 0)
		return cli_system(c, err, "read the links and addresses of this host");
	host_plan_make(&h->want, &h->have, &c->arena, &c->diags, &plan);
	h->is_linked = h->have.is_saved_there;
	for (uint32_t i = 0; i < plan.ops.n; i++) {
		add_change(c, h, host_op_verb(&plan.ops.v[i]), plan.ops.v[i].object,
			   plan.ops.v[i].at);
		h->is_linked = h->is_linked && host_op_is_sysctl(&plan.ops.v[i]);
	}
	h->is_set = host_is_set(&h->want, &h->have, &plan);
	nat_ports_compare(c, h);
	status = compare_vnets(c, h);
	if (status != 0)
		return status;
	h->is_compared = true;
	return c->diags.n_errors > 0 ? cli_refused(c) : 0;
}

static int open_sockets(struct cli *c, struct cli_host *h)
{
	int err = nl_open(&h->route, NETLINK_ROUTE);

	if (err == 0)
		err = nl_open(&h->filter, NETLINK_NETFILTER);
	return err < 0 ? cli_system(c, err, "open a netlink socket") : 0;
}

/* The jails that this run takes up, the only ones whose addresses are added; NULL: all */
static const char *const *only(struct cli *c)
{
	const char **names;
	uint32_t n = 0;

	if (c->runs.list.n == 0 && c->change.op == 0)
		return NULL;
	names = arena_array(&c->arena, const char *, c->runs.list.n + 1);
	for (uint32_t i = 0; i < c->runs.list.n; i++)
		if (c->runs.list.v[i].is_up)
			names[n++] = c->runs.list.v[i].name;
	return names;
}

void cli_nft_options(const struct cli *c, struct nft_options *ret)
{
	nft_options_init(ret);
	ret->no_nat = c->nat_path == NAT_PATH_USERSPACE;
}

static int make_wanted(struct cli *c, struct cli_host *h)
{
	struct nft_options o;
	int status;

	c->held = c->is_writing ? &h->st : NULL;
	status = cli_declare(c, &h->d, CLI_STRICT);
	c->held = NULL;
	if (status != 0)
		return status;
	cli_nft_options(c, &o);
	h->program = nft_program_from_model(&h->d.model, &o, &c->diags);
	if (h->program == NULL)
		return cli_refused(c);
	host_want_make(&h->d.decl, &c->arena, &c->diags, &h->want);
	h->want.only = only(c);
	return c->diags.n_errors > 0 ? EX_DATAERR : 0;
}

int cli_state_forget(struct state *st)
{
	return state_forget(st, natpath_runs(st) ? NATPATH_FILES : NULL);
}

/* Nothing was ever applied here: the state that taking the lock has made goes again */
static void forget_new_state(struct cli *c, struct cli_host *h)
{
	struct state *st = &h->st;
	char *text;
	size_t len;

	if (st->lock_fd < 0 || state_read(st, "applied", &c->arena, &text, &len) != -ENOENT)
		return;
	if (cli_state_forget(st) < 0)
		state_close(st);
}

/*
 * What is wanted may hang on the state, so it is read under the lock; but what
 * is wrong with the declarations is said to those too who may not change it.
 */
int cli_host_open(struct cli *c, struct cli_host *h, enum state_mode mode)
{
	int status = cli_netns(c), err;

	if (status != 0)
		return status;
	c->is_host = true;
	if (mode == STATE_WRITE && c->locked.fn == NULL)
		status = confirm_overdue(c);
	if (status != 0)
		return status;
	err = state_open(&h->st, c->state_dir, mode, STATE_LOCK_SECONDS);
	c->is_writing = err == 0 && mode == STATE_WRITE;
	if (c->is_writing && c->locked.fn != NULL)
		status = c->locked.fn(c, &h->st, c->locked.arg);
	if (status != 0)
		return status;
	status = make_wanted(c, h);
	if (status != 0)
		forget_new_state(c, h);
	if (status == 0 && err < 0)
		status = cli_system(c, err, cli_state_what(c));
	if (status == 0)
		status = open_sockets(c, h);
	return status != 0 ? status : compare(c, h);
}

void cli_change_json(struct cli *c, const struct cli_change *x)
{
	fprintf(c->out, "{\"op\": \"%s\", \"object\": ", x->op);
	json_cstring(c->out, x->object);
	fputs(", ", c->out);
	cli_json_place(c, x->at);
	putc('}', c->out);
}

/* @a is cleared: there may be 100,000 of them */
static void change_text(struct cli *c, const struct cli_change *x, struct arena *a)
{
	const struct place p = source_place(&c->sources, source_file_span(&c->sources, x->at));
	const char sign = x->op[0] == 'a' ? '+' : x->op[0] == 'd' ? '-' : '~';
	const char *place, *again, *found;

	arena_clear(a);
	place = p.name != NULL ? arena_printf(a, "%s:%u", p.name, p.line) : "";
	again = arena_printf(a, ": %s ", source_short_name(place));
	found = place[0] != '\0' ? strstr(x->object, again) : NULL;
	/* A rule's own text begins with its place, which stands at the end already */
	if (found != NULL)
		fprintf(c->out, "%c %.*s: %s", sign, (int)(found - x->object), x->object,
			found + strlen(again));
	else
		fprintf(c->out, "%c %s", sign, x->object);
	fprintf(c->out, place[0] != '\0' ? "  (%s)\n" : "\n", place);
}

/* One of those that a change stands for, on its way to who asked */
struct passing {
	struct cli *c;
	const struct cli_change *x;
	cli_change_fn *fn;
	void *arg;
};

static void pass_on(const struct nft_change *one, void *arg)
{
	const struct passing *p = arg;
	const struct cli_change x = { .op = p->x->op, .object = one->object, .at = one->at };

	p->fn(p->c, &x, p->arg);
}

void cli_changes_each(struct cli *c, const struct cli_host *h, cli_change_fn *fn, void *arg)
{
	struct arena text CLEANUP(arena_fini);

	arena_init(&text, c->arena.cap_bytes);
	for (uint32_t i = 0; i < h->changes.n; i++) {
		const struct cli_change *x = &h->changes.v[i];

		if (x->table != NULL)
			nft_change_each(x->table, &text, pass_on,
					&(struct passing){ c, x, fn, arg });
		else
			fn(c, x, arg);
	}
}

uint32_t cli_changes_count(const struct cli_host *h, const char *op)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < h->changes.n; i++) {
		const struct cli_change *x = &h->changes.v[i];

		if (op == NULL || strcmp(x->op, op) == 0)
			n += x->table != NULL ? nft_change_count(x->table) : 1;
	}
	return n;
}

static void print_one(struct cli *c, const struct cli_change *one, void *arg)
{
	if (!c->json) {
		change_text(c, one, arg);
		return;
	}
	cli_comma(c);
	cli_change_json(c, one);
}

void cli_changes_print(struct cli *c, const struct cli_host *h)
{
	struct arena text CLEANUP(arena_fini);

	arena_init(&text, c->arena.cap_bytes);
	cli_changes_each(c, h, print_one, &text);
}

void cli_changes_end(struct cli *c, const struct cli_host *h)
{
	/* Who puts the host back within another run writes nothing for it */
	if (c->locked.fn != NULL)
		return;
	if (cli_changes_count(h, NULL) > MANY_CHANGES)
		cli_stream(c);
	cli_changes_print(c, h);
}
