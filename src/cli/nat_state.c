/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/nat_read.h"

#define STATE_BYTES	(1u << 30)	/* longest state that is read */

/* All bytes of a file into a buffer of its size; how many there were */
static int read_all(int fd, uint8_t *buf, size_t size, size_t *ret_len)
{
	size_t len = 0;

	while (len < size) {
		const ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	*ret_len = len;
	return 0;
}

static int restore(int fd, struct nat *nat, uint64_t now_ns, uint32_t *ret_lost)
{
	struct stat st;
	size_t len = 0;
	uint8_t *buf;
	int err;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)STATE_BYTES)
		return -EBADMSG;
	buf = malloc((size_t)st.st_size + 1);
	if (buf == NULL)
		return -ENOMEM;
	err = read_all(fd, buf, (size_t)st.st_size, &len);
	if (err == 0)
		err = nat_restore(nat, now_ns, buf, len, ret_lost);
	free(buf);
	return err;
}

int nat_state_load(struct cli *c, const char *path, struct nat *nat, uint64_t now_ns)
{
	CLEANUP(base_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint32_t lost = 0;
	int err;

	if (fd < 0 && errno == ENOENT)
		return 0;
	err = fd < 0 ? -errno : restore(fd, nat, now_ns, &lost);
	if (err == -EBADMSG || err == -EPROTONOSUPPORT) {
		diag_add(&c->diags, DIAG_E2824, SPAN_NONE, "'%s' is no state of a NAT, or %s", path,
			 err == -EBADMSG ? "damaged" : "of another version");
		return EX_DATAERR;
	}
	if (err < 0)
		return cli_system(c, err, arena_printf(&c->arena, "read '%s'", path));
	if (lost > 0)
		diag_add(&c->diags, DIAG_N2825, SPAN_NONE,
			 "%u saved flows do not fit: other addresses, ports or limits", lost);
	return 0;
}

static int put(void *ctx, const void *p, size_t len)
{
	return fwrite(p, 1, len, ctx) == len ? 0 : -EIO;
}

static int save(const char *temp, const char *path, const struct nat *nat)
{
	CLEANUP(base_file_close) FILE *f = fopen(temp, "wex");
	int err;

	if (f == NULL)
		return -errno;
	err = nat_save(nat, put, f);
	if (err == 0 && (fflush(f) != 0 || fsync(fileno(f)) < 0 || rename(temp, path) < 0))
		err = -errno;
	if (err < 0)
		unlink(temp);
	return err;
}

int nat_state_save(struct cli *c, const char *path, const struct nat *nat)
{
	const char *temp = arena_printf(&c->arena, "%s.%ld", path, (long)getpid());
	const int err = save(temp, path, nat);

	return err == 0 ? 0 : cli_system(c, err, arena_printf(&c->arena, "write '%s'", path));
}
