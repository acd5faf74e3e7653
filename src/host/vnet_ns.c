/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A namespace that we make is recorded before it is made, and its number after:
 * a run that is killed between leaves a record that the next one completes or
 * takes away.  What has the same name and another number is somebody else's.
 */
#include "host/vnet_ns.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "host/netns.h"

#define RECORD		"netns"
#define PID_DIGITS	10u
#define SELF		"/proc/thread-self/ns/net"

/* A namespace of ours; @inode 0: about to be made */
struct made {
	const char *name;
	uint64_t inode;
};

struct mades {
	VEC(struct made) list;
};

static int load(const struct host *h, struct mades *ret)
{
	char *text;
	size_t len;
	const int err = state_read(h->st, RECORD, h->a, &text, &len);

	if (err < 0)
		return err == -ENOENT ? 0 : err;
	for (size_t at = 0, next; at < len; at = next) {
		const size_t number = at + strlen(text + at) + 1;

		if (number >= len)
			return -EBADMSG;
		next = number + strlen(text + number) + 1;
		vec_add(h->a, &ret->list, ((struct made){
			text + at, strtoull(text + number, NULL, 10) }));
	}
	return 0;
}

static int save(struct host *h, const struct mades *all)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (all->list.n == 0)
		return state_remove(h->st, RECORD);
	out = open_memstream(&text, &len);
	if (out == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < all->list.n; i++)
		fprintf(out, "%s%c%llu%c", all->list.v[i].name, '\0',
			(unsigned long long)all->list.v[i].inode, '\0');
	if (fclose(out) != 0)
		return -ENOMEM;
	return state_write(h->st, RECORD, text, len);
}

static struct made *find(struct mades *all, const char *name)
{
	for (uint32_t i = 0; i < all->list.n; i++)
		if (strcmp(all->list.v[i].name, name) == 0)
			return &all->list.v[i];
	return NULL;
}

bool vnet_place_is_said(const struct vnet_place *p)
{
	return p->pid != NULL || p->netns != NULL || p->is_created;
}

static int tell(struct host *h, const struct decl_jail *j, const char *what, int err)
{
	if (err == -EPERM || err == -EACCES)
		return err;
	diag_add(h->diags, DIAG_E1830, j->vnet_at, "no namespace for jail '%s': %s: %s", j->name,
		 what, strerror(-err));
	return -EINVAL;
}

static int open_pid(struct host *h, const struct decl_jail *j, const char *pid)
{
	const size_t len = strlen(pid);
	int fd;

	if (len == 0 || len > PID_DIGITS || strspn(pid, "0123456789") != len) {
		diag_add(h->diags, DIAG_E1830, SPAN_NONE, "'%s' is not the number of a process",
			 pid);
		return -EINVAL;
	}
	fd = netns_open(arena_printf(h->a, "/proc/%s/ns/net", pid));
	return fd >= 0 ? fd : tell(h, j, arena_printf(h->a, "process %s", pid), fd);
}

/* Under the lock: nobody else of us makes one meanwhile */
static int make(struct host *h, const struct decl_jail *j)
{
	struct mades all = { .list = { 0 } };
	struct made *m;
	uint64_t inode = 0;
	int err = load(h, &all), fd;

	if (err < 0)
		return err;
	m = find(&all, j->name);
	/* A run that was killed got no further than the record, or did not say that it did */
	if (m != NULL && m->inode == 0) {
		err = netns_remove(j->name, 0);
	} else if (m == NULL) {
		m = vec_push(h->a, &all.list);
		m->name = j->name;
	}
	m->inode = 0;
	if (err == 0)
		err = save(h, &all);
	if (err < 0)
		return err;
	fd = netns_create(j->name, &inode);
	if (fd < 0)
		return tell(h, j, arena_printf(h->a, "make '%s'", j->name), fd);
	m->inode = inode;
	err = save(h, &all);
	if (err < 0)
		base_fd_close(&fd);
	return err < 0 ? err : fd;
}

static int open_made(struct host *h, const struct decl_jail *j, bool may_make)
{
	struct mades all = { .list = { 0 } };
	const struct made *m;
	int fd, err = load(h, &all);

	if (err < 0)
		return err;
	m = find(&all, j->name);
	fd = m != NULL && m->inode == 0 ? -ENOENT : netns_open(j->name);
	if (fd >= 0 && netns_is_same(fd, NULL) < 0)
		base_fd_close(&fd);
	if (fd >= 0)
		return fd;
	return may_make ? make(h, j) : -ENOENT;
}

static int open_place(struct host *h, const struct decl_jail *j, const struct vnet_place *p,
		      bool may_make)
{
	int fd;

	if (p->pid != NULL)
		return open_pid(h, j, p->pid);
	if (p->is_created)
		return open_made(h, j, may_make);
	if (p->netns == NULL)
		return strchr(j->name, '/') != NULL ? -ENOENT : netns_open(j->name);
	fd = netns_open(p->netns);
	return fd >= 0 ? fd : tell(h, j, p->netns, fd);
}

int vnet_ns_open(struct host *h, const struct decl_jail *j, const struct vnet_place *p,
		 bool may_make, int *ret)
{
	int fd CLEANUP(base_fd_close) = open_place(h, j, p, may_make);
	int same;

	if (fd < 0)
		return fd;
	same = netns_is_same(fd, NULL);
	if (same < 0)
		return tell(h, j, "it is none", same);
	if (same == 1) {
		diag_add(h->diags, DIAG_E1831, j->vnet_at,
			 "the namespace of vnet jail '%s' is the host's own", j->name);
		return -EINVAL;
	}
	*ret = base_take_fd(&fd);
	return 0;
}

int vnet_session(struct nl_session *s, int fd)
{
	int own CLEANUP(base_fd_close) = open(SELF, O_RDONLY | O_CLOEXEC);
	int err;

	s->fd = -1;
	if (own < 0 || setns(fd, CLONE_NEWNET) < 0)
		return -errno;
	err = nl_open(s, NETLINK_ROUTE);
	/* To go on in another namespace would change what is somebody else's */
	BUG_IF(setns(own, CLONE_NEWNET) < 0);
	return err;
}

static bool is_kept(const struct decl *d, const char *name)
{
	const struct decl_jail *j = d == NULL ? NULL : decl_find_jail(d, name);

	return j != NULL && j->is_vnet && j->is_enabled && !j->is_down;
}

int vnet_sweep(struct host *h, const struct decl *d)
{
	struct mades all = { .list = { 0 } };
	uint32_t n = 0;
	int err = load(h, &all);

	if (err < 0)
		return err;
	for (uint32_t i = 0; i < all.list.n; i++) {
		const struct made *m = &all.list.v[i];

		err = is_kept(d, m->name) ? 1 : netns_remove(m->name, m->inode);
		if (err == 1)
			all.list.v[n++] = *m;
		else if (err < 0 && err != -EBUSY)
			return err;
	}
	if (n == all.list.n)
		return 0;
	all.list.n = n;
	return save(h, &all);
}
