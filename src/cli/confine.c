/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The programs live with the cgroup, and who is confined where stands in the
 * state.  A record whose cgroup is gone, or whose directory is another cgroup
 * by now, says nothing: its programs went with the old one.
 *
 * `up` loads the programs before it changes anything, and attaches them last,
 * when the addresses are there; what it cannot do is known by then.
 */
#include "cli/confine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_NAME	"confined"

/* Four strings for each: jail, directory, number, rules */
static int records_load(struct cli *c, const struct state *st, struct cli_confines *ret)
{
	char *text;
	size_t len;
	int err = state_read(st, RECORD_NAME, &c->arena, &text, &len);

	*ret = (struct cli_confines){ .list = { .n = 0 } };
	if (err < 0)
		return err == -ENOENT ? 0 : err;
	for (size_t at = 0; at < len;) {
		const char *field[4];

		for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
			if (at >= len)
				return -EBADMSG;
			field[i] = text + at;
			at += strlen(text + at) + 1;
		}
		vec_add(&c->arena, &ret->list, ((struct cli_confined){
			field[0], field[1], strtoull(field[2], NULL, 10), field[3] }));
	}
	return 0;
}

static int records_save(struct state *st, const struct cli_confines *r)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->list.n; i++) {
		const struct cli_confined *x = &r->list.v[i];

		fprintf(out, "%s%c%s%c%" PRIu64 "%c%s%c", x->jail, 0, x->path, 0, x->id, 0,
			x->rules, 0);
	}
	if (fclose(out) != 0)
		return -ENOMEM;
	return r->list.n == 0 ? state_remove(st, RECORD_NAME) :
		state_write(st, RECORD_NAME, text, len);
}

static void family_text(FILE *out, const char *name, const struct confine_family *f)
{
	char buf[ADDR_TEXT_BYTES];

	fprintf(out, "%s=%s", name, f->is_free ? "all" : "");
	for (uint32_t i = 0; i < f->addrs.n; i++)
		fprintf(out, "%s%s", i > 0 ? "," : "", prefix_print(f->addrs.v[i], buf));
}

static const char *rules_text(struct cli *c, const struct confine_rules *r)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	BUG_IF(out == NULL);
	family_text(out, "ip4", &r->v4);
	family_text(out, " ip6", &r->v6);
	fprintf(out, " raw=%d", r->may_raw);
	fclose(out);
	return arena_strndup(&c->arena, text, len);
}

/* The cgroup of a record, or -1 when that is gone */
static int record_open(struct cli *c, const struct cli_confined *x)
{
	const char *path;
	CLEANUP(base_fd_close) int fd = confine_cgroup_open(x->path, &c->arena, &path);

	return fd >= 0 && confine_cgroup_id(fd) == x->id ? base_take_fd(&fd) : -1;
}

static int refused(struct cli *c, struct confine *x, int err, const char *path)
{
	const char *name = x->failed != NULL ? x->failed : "programs";
	const int status = cli_system(c, err, arena_printf(&c->arena,
		"confine the processes of %s (%s)", path, name));

	if (err == -EOPNOTSUPP)
		diag_help(&c->diags, "confinement needs cgroup programs with bpf_set_retval: "
			  "Linux 5.18 with CONFIG_CGROUP_BPF");
	if (c->verbose && x->log[0] != '\0')
		diag_help(&c->diags, "%s: %s", name, x->log);
	return status;
}

static int load(struct cli *c, struct confine *x, const struct decl_jail *j, const char *path,
		const char **ret_rules)
{
	struct confine_rules rules;
	int err = confine_rules_of(j, &c->arena, &rules);

	if (err == 0)
		err = confine_load(x, &rules, &c->arena);
	if (err < 0)
		return refused(c, x, err, path);
	*ret_rules = rules_text(c, &rules);
	return 0;
}

/* The cgroup that --cgroup or --pid means */
static int open_named(struct cli *c, const char **ret_path, int *ret_fd)
{
	const char *path = c->cgroup;
	char *end;
	int err = 0;

	if (path == NULL) {
		const long pid = strtol(c->pid, &end, 10);

		if (*end != '\0' || pid <= 0 || pid > INT32_MAX)
			return cli_usage(c, "--pid takes a process's number, not '%s'", c->pid);
		err = confine_cgroup_of((int32_t)pid, &c->arena, &path);
	}
	if (err == 0)
		err = confine_cgroup_open(path, &c->arena, ret_path);
	if (err >= 0) {
		*ret_fd = err;
		return 0;
	}
	if (err == -EXDEV || err == -ENOTDIR) {
		diag_add(&c->diags, DIAG_E1840, SPAN_NONE, err == -EXDEV ?
			 "%s is the root of all cgroups, which is the host" :
			 "%s is no cgroup of version 2", c->cgroup != NULL ? path :
			 arena_printf(&c->arena, "the cgroup of process %s", c->pid));
		return EX_DATAERR;
	}
	cli_system(c, err, arena_printf(&c->arena, "find the cgroup of %s%s",
					c->cgroup != NULL ? "" : "process ",
					c->cgroup != NULL ? c->cgroup : c->pid));
	return err == -ENOENT || err == -ESRCH ? EX_NOINPUT :
		err == -EPERM || err == -EACCES ? EX_NOPERM : EX_OSERR;
}

/* What FreeBSD would do otherwise, or what the kernel does not hinder */
static void warn(struct cli *c, const struct decl_jail *j, const struct confine *x)
{
	struct confine_rules r;
	int32_t pid;

	if (confine_rules_of(j, &c->arena, &r) < 0)
		return;
	if (r.v4.addrs.n > 1 || r.v6.addrs.n > 1 || (r.v4.addrs.n > 0 && r.v6.addrs.n > 0))
		diag_add(&c->diags, DIAG_N1841, j->at, "a socket that jail '%s' binds to all "
			 "addresses is bound to the first of its family only", j->name);
	if (r.may_raw) {
		diag_add(&c->diags, DIAG_W1842, j->at, "raw sockets of jail '%s' are allowed, "
			 "and not confined", j->name);
		return;
	}
	pid = confine_packet_pid(x->cgroup);
	if (pid > 0)
		diag_add(&c->diags, DIAG_W1843, j->at, "process %d of jail '%s' can make packet "
			 "sockets: it may have CAP_NET_RAW", pid, j->name);
}

static const struct decl_jail *jail_asked(struct cli *c, struct cli_host *h, int *ret_status)
{
	const struct decl_jail *j;

	*ret_status = 0;
	if (c->cgroup == NULL && c->pid == NULL)
		return NULL;
	if (c->runs.list.n != 1 || (c->cgroup != NULL && c->pid != NULL)) {
		*ret_status = cli_usage(c, c->runs.list.n != 1 ?
			"--cgroup and --pid are about one jail" :
			"--cgroup and --pid both name the processes: give one");
		return NULL;
	}
	j = decl_find_jail(&h->d.decl, c->runs.list.v[0].name);
	if (j != NULL && j->is_vnet && c->cgroup != NULL) {
		diag_add(&c->diags, DIAG_E1840, j->vnet_at, "jail '%s' has a network stack of its "
			 "own: there is nothing to confine", j->name);
		*ret_status = EX_DATAERR;
	}
	/* Of a vnet jail --pid names the namespace */
	return j == NULL || j->is_vnet ? NULL : j;
}

int cli_confine_prepare(struct cli *c, struct cli_host *h)
{
	int status, err;
	const struct decl_jail *j = jail_asked(c, h, &status);
	struct cli_confinement *ret;
	struct cli_confines r;

	if (j == NULL)
		return status;
	ret = arena_new(&c->arena, struct cli_confinement);
	ret->record.jail = j->name;
	confine_init(&ret->x);
	h->confinement = ret;
	status = open_named(c, &ret->record.path, &ret->x.cgroup);
	if (status != 0)
		return status;
	ret->record.id = confine_cgroup_id(ret->x.cgroup);
	err = records_load(c, &h->st, &r);
	if (err < 0)
		return cli_system(c, err, "read which jails are confined");
	for (uint32_t i = 0; i < r.list.n; i++) {
		if (r.list.v[i].id == ret->record.id && strcmp(r.list.v[i].jail, j->name) != 0) {
			diag_add(&c->diags, DIAG_E1840, j->at, "%s confines jail '%s' already",
				 ret->record.path, r.list.v[i].jail);
			return EX_DATAERR;
		}
	}
	warn(c, j, &ret->x);
	return load(c, &ret->x, j, ret->record.path, &ret->record.rules);
}

void cli_confine_close(struct cli_confinement *p)
{
	confine_close(&p->x);
}

/* A jail's earlier cgroup is free again */
static int free_record(struct cli *c, const struct cli_confined *x)
{
	CLEANUP(base_fd_close) int fd = record_open(c, x);
	const int err = fd < 0 ? 0 : confine_detach(fd);

	return err < 0 ? cli_system(c, err, arena_printf(&c->arena, "free the processes of %s",
							 x->path)) : 0;
}

int cli_confine_commit(struct cli *c, struct cli_host *h)
{
	struct cli_confinement *p = h->confinement;
	struct cli_confines r, keep = { .list = { .n = 0 } };
	int status = 0, err;

	if (p == NULL)
		return 0;
	err = records_load(c, &h->st, &r);
	for (uint32_t i = 0; i < r.list.n; i++)
		if (strcmp(r.list.v[i].jail, p->record.jail) != 0)
			vec_add(&c->arena, &keep.list, r.list.v[i]);
	vec_add(&c->arena, &keep.list, p->record);
	/* Recorded first: what is attached can be found again, whatever happens */
	if (err == 0)
		err = records_save(&h->st, &keep);
	if (err < 0)
		return cli_system(c, err, "record which jails are confined");
	err = confine_attach(&p->x);
	if (err < 0)
		return refused(c, &p->x, err, p->record.path);
	for (uint32_t i = 0; i < r.list.n && status == 0; i++)
		if (strcmp(r.list.v[i].jail, p->record.jail) == 0 &&
		    r.list.v[i].id != p->record.id)
			status = free_record(c, &r.list.v[i]);
	return status;
}

/* Follow a jail's declaration; @x is changed if it did */
static int refresh_one(struct cli *c, const struct decl_jail *j, struct cli_confined *x, int cgroup)
{
	CLEANUP(confine_close) struct confine p;
	struct confine_rules rules;
	int status, err;

	confine_init(&p);
	p.cgroup = cgroup;
	err = confine_rules_of(j, &c->arena, &rules);
	if (err == 0 && strcmp(rules_text(c, &rules), x->rules) == 0)
		return 0;
	status = load(c, &p, j, x->path, &x->rules);
	if (status != 0)
		return status;
	err = confine_attach(&p);
	return err < 0 ? refused(c, &p, err, x->path) : 0;
}

int cli_confine_refresh(struct cli *c, struct cli_host *h)
{
	struct cli_confines r, keep = { .list = { .n = 0 } };
	int status = 0, err = records_load(c, &h->st, &r);

	if (err == 0 && r.list.n == 0)
		return 0;
	for (uint32_t i = 0; i < r.list.n && status == 0; i++) {
		struct cli_confined x = r.list.v[i];
		const struct decl_jail *j = decl_find_jail(&h->d.decl, x.jail);
		const int fd = record_open(c, &x);

		if (fd < 0)
			continue;
		if (j == NULL || j->is_down || j->is_vnet) {
			status = confine_detach(fd);
			base_fd_close(&(int){ fd });
			if (status < 0)
				status = cli_system(c, status, "free the processes of a jail");
			continue;
		}
		status = refresh_one(c, j, &x, fd);
		vec_add(&c->arena, &keep.list, x);
	}
	if (err == 0 && status == 0)
		err = records_save(&h->st, &keep);
	return err < 0 ? cli_system(c, err, "record which jails are confined") : status;
}

int cli_confine_free_all(struct cli *c, struct cli_host *h)
{
	struct cli_confines r;
	int status = 0, err = records_load(c, &h->st, &r);

	if (err < 0)
		return cli_system(c, err, "read which jails are confined");
	for (uint32_t i = 0; i < r.list.n && status == 0; i++)
		status = free_record(c, &r.list.v[i]);
	return status;
}

const char *cli_confine_path(struct cli *c, const struct cli_host *h, const char *jail)
{
	bool is_lost;
	const char *path = cli_confine_recorded(c, h, jail, &is_lost);

	return is_lost ? NULL : path;
}

const char *cli_confine_recorded(struct cli *c, const struct cli_host *h, const char *jail,
				 bool *ret_is_lost)
{
	struct cli_confines r;

	*ret_is_lost = false;
	if (records_load(c, &h->st, &r) < 0)
		return NULL;
	for (uint32_t i = 0; i < r.list.n; i++) {
		if (strcmp(r.list.v[i].jail, jail) == 0) {
			CLEANUP(base_fd_close) int fd = record_open(c, &r.list.v[i]);

			/* Who may not ask for programs believes the record */
			*ret_is_lost = fd < 0 || confine_count(fd) == 0;
			return r.list.v[i].path;
		}
	}
	return NULL;
}

struct confine_packets cli_confine_packets(struct cli *c, const struct cli_host *h,
					   const char *jail)
{
	struct confine_packets ret = { .list = { .n = 0 } };
	const char *path = cli_confine_path(c, h, jail);

	if (path != NULL && confine_packets(path, &c->arena, &ret) < 0)
		ret.list.n = 0;
	return ret;
}
