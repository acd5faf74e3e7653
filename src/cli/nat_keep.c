/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/nat_keep.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/netns.h"
#include "host/state.h"

#define MOST_BYTES	((off_t)1 << 33)	/* longest state that is read */

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

static int read_all(int fd, struct nat_keep *k)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > MOST_BYTES)
		return -EFBIG;
	k->data = malloc((size_t)st.st_size + 1);
	if (k->data == NULL)
		return -ENOMEM;
	while (k->len < (size_t)st.st_size) {
		const ssize_t n = read(fd, k->data + k->len, (size_t)st.st_size - k->len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		k->len += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int nat_keep_open(struct cli *c, const char *outside, struct nat_keep *k)
{
	CLEANUP(base_fd_close) int fd = -1;
	const int status = find_path(c, outside, &k->path);
	int err;

	k->is_asked = c->nat.state != NULL;
	if (status != 0 || k->path == NULL)
		return status;
	fd = open(k->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return cli_system(c, -errno, arena_printf(&c->arena, "write '%s'", k->path));
	err = read_all(fd, k);
	return err == 0 ? 0 : cli_system(c, err, arena_printf(&c->arena, "read '%s'", k->path));
}

void nat_keep_forget(struct nat_keep *k)
{
	base_free(&k->data);
	k->len = 0;
}

static int write_piece(int fd, const struct nat_keep_piece *piece)
{
	for (size_t done = 0; done < piece->len; ) {
		const ssize_t n = write(fd, piece->p + done, piece->len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int nat_keep_write(const struct nat_keep *k, const struct nat_keep_piece *v, uint32_t n)
{
	CLEANUP(base_fd_close) int fd = -1;
	char temp[4096];
	int err = 0;

	if (k->path == NULL)
		return 0;
	if ((size_t)snprintf(temp, sizeof(temp), "%s.new", k->path) >= sizeof(temp))
		return -ENAMETOOLONG;
	/* One that a killed run has left is nobody's */
	if (unlink(temp) < 0 && errno != ENOENT)
		return -errno;
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	for (uint32_t i = 0; i < n && err == 0; i++)
		err = write_piece(fd, &v[i]);
	if (err == 0 && (fsync(fd) < 0 || rename(temp, k->path) < 0))
		err = -errno;
	if (err < 0)
		(void)unlink(temp);
	return err;
}
