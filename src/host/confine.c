/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Everything is loaded before anything is attached, so a kernel that cannot
 * leaves all as it was.  The programs belong to the cgroup and are found again
 * by their names; nothing of them is kept elsewhere.  New ones take over the
 * map of the old ones, so that open sockets keep what they named.
 *
 * Packet sockets pass no hook of a cgroup.  They need CAP_NET_RAW, so whoever
 * may make one can be found, and told of.
 */
#include "host/confine.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host/confine_prog.h"
#include "host/ebpf_sys.h"

#define STORAGE_NAME	"sp_named"

static const char *param(const struct decl_jail *j, const char *name)
{
	const char *value = NULL;

	for (uint32_t i = 0; i < j->params.n; i++) {
		const struct decl_param *p = &j->params.v[i];

		if (strcmp(p->name, name) == 0)
			value = p->values.n > 0 ? p->values.v[p->values.n - 1] : "true";
	}
	return value;
}

static bool is_on(const struct decl_jail *j, const char *name)
{
	const char *v = param(j, name);

	return v != NULL && (strcmp(v, "true") == 0 || strcmp(v, "1") == 0);
}

static bool inherits(const struct decl_jail *j, const char *name)
{
	const char *v = param(j, name);

	return v != NULL && strcmp(v, "inherit") == 0;
}

int confine_rules_of(const struct decl_jail *j, struct arena *a, struct confine_rules *ret)
{
	struct confine_rules r = {
		.v4 = { .is_free = inherits(j, "ip4") },
		.v6 = { .is_free = inherits(j, "ip6") },
		.may_raw = is_on(j, "allow.raw_sockets"),
	};

	for (uint32_t i = 0; i < j->addrs.n; i++) {
		struct confine_family *f = j->addrs.v[i].p.a.af == AF_V4 ? &r.v4 : &r.v6;

		f->is_free = false;
		vec_add(a, &f->addrs, j->addrs.v[i].p);
	}
	if (r.v4.addrs.n > CONFINE_ADDRS || r.v6.addrs.n > CONFINE_ADDRS)
		return -E2BIG;
	*ret = r;
	return 0;
}

void confine_init(struct confine *x)
{
	*x = (struct confine){ .cgroup = -1, .storage = -1 };
	for (size_t i = 0; i < CONFINE_HOOKS; i++)
		x->progs[i] = -1;
}

void confine_close(struct confine *x)
{
	base_fd_close(&x->cgroup);
	base_fd_close(&x->storage);
	for (size_t i = 0; i < CONFINE_HOOKS; i++)
		base_fd_close(&x->progs[i]);
}

/* A kernel's refusal, as this module's callers know it */
static int reason(int err)
{
	switch (err) {
	case -EPERM: case -ENOMEM: case -EMFILE: case -ENFILE: case -E2BIG: case -EBUSY:
		return err;
	default:
		return -EOPNOTSUPP;
	}
}

/* The map of programs that are there already, or a new one */
static int storage_of(const struct confine *x)
{
	for (size_t i = 0; i < CONFINE_HOOKS; i++) {
		const struct confine_hook *h = &confine_hooks[i];
		CLEANUP(base_fd_close) int old = ebpf_find(x->cgroup, h->attach, h->name);
		const int map = old < 0 ? -1 : ebpf_map_of(old);

		if (map >= 0)
			return map;
	}
	return ebpf_storage_new(STORAGE_NAME);
}

static int load_one(struct confine *x, size_t i, const struct confine_rules *rules,
		    struct arena *a)
{
	const struct confine_hook *h = &confine_hooks[i];
	struct ebpf_prog how = { .name = h->name, .type = h->type, .attach = h->attach,
				 .log = x->log, .log_len = sizeof(x->log) };
	struct ebpf text;

	confine_write(h, rules, x->storage, a, &text);
	return ebpf_prog_load(&text, &how);
}

int confine_load(struct confine *x, const struct confine_rules *rules, struct arena *a)
{
	x->failed = STORAGE_NAME;
	x->storage = storage_of(x);
	if (x->storage < 0)
		return reason(x->storage);
	for (size_t i = 0; i < CONFINE_HOOKS; i++) {
		const struct confine_hook *h = &confine_hooks[i];

		if (!confine_is_needed(h, rules))
			continue;
		x->failed = h->name;
		x->progs[i] = load_one(x, i, rules, a);
		if (x->progs[i] < 0)
			return reason(x->progs[i]);
	}
	x->failed = NULL;
	return 0;
}

/* Take one of ours away, if it is there; 1 if it was */
static int detach_one(int cgroup, const struct confine_hook *h)
{
	CLEANUP(base_fd_close) int old = ebpf_find(cgroup, h->attach, h->name);
	int err;

	/* A hook that this kernel has not has no programs either */
	if (old == -ENOENT || old == -EINVAL)
		return 0;
	if (old < 0)
		return old;
	err = ebpf_detach(cgroup, old, h->attach);
	return err < 0 && err != -ENOENT ? err : 1;
}

static int attach_one(const struct confine *x, size_t i, bool *ret_is_new)
{
	const struct confine_hook *h = &confine_hooks[i];
	CLEANUP(base_fd_close) int old = -1;

	*ret_is_new = false;
	if (x->progs[i] < 0)
		return MIN(detach_one(x->cgroup, h), 0);
	old = ebpf_find(x->cgroup, h->attach, h->name);
	if (old < 0 && old != -ENOENT)
		return old;
	*ret_is_new = old < 0;
	return ebpf_attach(x->cgroup, x->progs[i], h->attach, old);
}

int confine_attach(struct confine *x)
{
	bool is_new[CONFINE_HOOKS] = { false };

	for (size_t i = 0; i < CONFINE_HOOKS; i++) {
		const int err = attach_one(x, i, &is_new[i]);

		if (err == 0)
			continue;
		x->failed = confine_hooks[i].name;
		for (size_t n = 0; n < i; n++)
			if (is_new[n])
				(void)!ebpf_detach(x->cgroup, x->progs[n],
						   confine_hooks[n].attach);
		return reason(err);
	}
	return 0;
}

int confine_detach(int cgroup)
{
	int first_err = 0;

	for (size_t i = 0; i < CONFINE_HOOKS; i++) {
		const int err = detach_one(cgroup, &confine_hooks[i]);

		if (err < 0 && first_err == 0)
			first_err = err;
	}
	return first_err;
}

int confine_count(int cgroup)
{
	int n = 0;

	for (size_t i = 0; i < CONFINE_HOOKS; i++) {
		const struct confine_hook *h = &confine_hooks[i];
		CLEANUP(base_fd_close) int fd = ebpf_find(cgroup, h->attach, h->name);

		if (fd == -EPERM)
			return fd;
		n += fd >= 0;
	}
	return n;
}
