/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int file_open(int dir_fd, const char *name, int flags, size_t *ret_size)
{
	int fd CLEANUP(base_fd_close) =
		openat(dir_fd, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat sb;

	if (fd < 0)
		return errno == ELOOP ? -EBADMSG : -errno;
	if (fstat(fd, &sb) < 0)
		return -errno;
	if (!S_ISREG(sb.st_mode))
		return -EBADMSG;
	*ret_size = (size_t)sb.st_size;
	return base_take_fd(&fd);
}

int file_read(int fd, char *buf, size_t size, size_t *ret_len)
{
	size_t len = 0;

	while (len < size) {
		const ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

int file_write(int fd, const char *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		const ssize_t n = write(fd, data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

static int write_beside(int dir_fd, const char *tmp, const struct file_part *parts, size_t n)
{
	int fd CLEANUP(base_fd_close) = openat(
		dir_fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < n && err == 0; i++)
		err = file_write(fd, parts[i].data, parts[i].len);
	if (err == 0 && fsync(fd) < 0)
		err = -errno;
	return err;
}

int file_replace(int dir_fd, const char *name, const struct file_part *parts, size_t n)
{
	char tmp[256];
	int err;

	snprintf(tmp, sizeof(tmp), ".%s.tmp", name);
	/* Of a run that was killed: who makes the file anew holds a lock */
	if (unlinkat(dir_fd, tmp, 0) < 0 && errno != ENOENT)
		return -errno;
	err = write_beside(dir_fd, tmp, parts, n);
	if (err == 0 && renameat(dir_fd, tmp, dir_fd, name) < 0)
		err = -errno;
	if (err < 0) {
		(void)unlinkat(dir_fd, tmp, 0);
		return err;
	}
	return fsync(dir_fd) < 0 ? -errno : 0;
}
