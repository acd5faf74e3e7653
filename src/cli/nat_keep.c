/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A sealed process can rename nothing, so the file is written over where it is.
 * Its checksum tells a write that was cut off: then the next start says so and
 * begins with nothing, as after a crash.
 */
#include "cli/nat_keep.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/calls.h"
#include "cli/nat_read.h"
#include "host/netns.h"
#include "host/state.h"

NEEDS_CALL(pwrite64)
NEEDS_CALL(ftruncate)
NEEDS_CALL(fsync)

/* A file that is being written */
struct writer {
	int fd;
	off_t at;
	size_t n;
	uint8_t buf[65536];
};

static int flush(struct writer *w)
{
	for (size_t done = 0; done < w->n; ) {
		const ssize_t n = pwrite(w->fd, w->buf + done, w->n - done, w->at);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			done += (size_t)n;
			w->at += n;
		}
	}
	w->n = 0;
	return 0;
}

static int put(void *ctx, const void *p, size_t len)
{
	const uint8_t *from = p;
	struct writer *w = ctx;
	int err = 0;

	while (len > 0 && err == 0) {
		const size_t n = MIN(len, sizeof(w->buf) - w->n);

		memcpy(w->buf + w->n, from, n);
		w->n += n;
		from += n;
		len -= n;
		if (w->n == sizeof(w->buf))
			err = flush(w);
	}
	return err;
}

int nat_keep_save(const struct nat_keep *k, const struct nat *nat)
{
	static struct writer w;
	int err;

	if (k->fd < 0)
		return 0;
	w.fd = k->fd;
	w.at = 0;
	w.n = 0;
	err = nat_save(nat, put, &w);
	if (err == 0)
		err = flush(&w);
	if (err == 0 && (ftruncate(k->fd, w.at) < 0 || fsync(k->fd) < 0))
		err = -errno;
	return err;
}

static int find_path(struct cli *c, const char *outside, const char **ret)
{
	CLEANUP(base_fd_close) int dir = -1;
	char name[96];

	*ret = c->nat.state;
	if (*ret != NULL || netns_lasting_name(name, sizeof(name)) < 0)
		return 0;
	dir = state_lib_open(c->state_dir, STATE_WRITE);
	if (dir < 0)
		return cli_system(c, dir, "open the directory of what outlives a reboot");
	*ret = arena_printf(&c->arena, "%s%s/nat-%s-%s",
			    c->state_dir != NULL ? c->state_dir : STATE_LIB_DIR,
			    c->state_dir != NULL ? "/lib" : "", name, outside);
	return 0;
}

int nat_keep_open(struct cli *c, const char *outside, struct nat *nat, uint64_t now_ns,
		  struct nat_keep *k)
{
	int status = find_path(c, outside, &k->path);

	if (status != 0 || k->path == NULL)
		return status;
	k->fd = open(k->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (k->fd < 0)
		return cli_system(c, -errno, arena_printf(&c->arena, "write '%s'", k->path));
	if (lseek(k->fd, 0, SEEK_END) > 0)
		status = nat_state_load(c, k->path, nat, now_ns);
	/* A file of our own that is damaged is told of, and no reason to leave jails cut off */
	return status == EX_DATAERR && c->nat.state == NULL ? 0 : status;
}
