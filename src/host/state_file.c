/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The first line says the version, the length and the FNV-1a hash of what
 * follows: enough against a full disk, an editor and a torn write, none of
 * which forges.  Who may forge may also write the directory, and is root.
 */
#include "host/state_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/fnv.h"
#include "host/file.h"

#define MAGIC		"sallyport-state 1 "
#define PAGE_BYTES	4096u	/* what a disk gives away at a time */
#define HEADER_BYTES	64u

static int make_header(char *out, const char *data, size_t len)
{
	return snprintf(out, HEADER_BYTES, MAGIC "%zu %016" PRIx64 "\n", len,
			fnv64(FNV64_START, data, len));
}

int state_file_size(int dir_fd, const char *name, size_t *ret)
{
	int fd CLEANUP(base_fd_close) = file_open(dir_fd, name, O_RDONLY, ret);

	return fd < 0 ? fd : 0;
}

/* Reads exactly @len bytes; -EBADMSG when there are fewer */
static int read_all(int fd, char *buf, size_t len)
{
	size_t got;
	const int err = file_read(fd, buf, len, &got);

	return err < 0 ? err : got < len ? -EBADMSG : 0;
}

/* Reads the first line, and no more; its length with the newline */
static int read_header(int fd, char *out)
{
	const ssize_t got = pread(fd, out, HEADER_BYTES - 1, 0);
	const char *end = got > 0 ? memchr(out, '\n', (size_t)got) : NULL;
	const int n = end == NULL ? 0 : (int)(end + 1 - out);

	if (n == 0 || lseek(fd, n, SEEK_SET) < 0)
		return -EBADMSG;
	out[n] = '\0';
	return n;
}

int state_file_load(int dir_fd, const char *name, char *buf, size_t size, size_t *ret_len)
{
	char header[HEADER_BYTES], want[HEADER_BYTES];
	size_t file_size = 0, len;
	int fd CLEANUP(base_fd_close) = file_open(dir_fd, name, O_RDONLY, &file_size);
	int n, err;

	if (fd < 0)
		return fd;
	n = read_header(fd, header);
	if (n < 0)
		return n;
	if (file_size < (size_t)n)
		return -EBADMSG;
	len = file_size - (size_t)n;
	if (len > size)
		return -EFBIG;
	err = read_all(fd, buf, len);
	if (err < 0)
		return err;
	make_header(want, buf, len);
	if (strcmp(header, want) != 0)
		return -EBADMSG;
	*ret_len = len;
	return 0;
}

/* Does a file go on with these bytes */
static bool goes_on_with(int fd, const char *data, size_t len)
{
	char part[4096];

	for (size_t done = 0; done < len;) {
		const size_t n = MIN(len - done, sizeof(part));

		if (read_all(fd, part, n) < 0 || memcmp(part, data + done, n) != 0)
			return false;
		done += n;
	}
	return true;
}

/* Most of what a run records was so before; to sync it again costs 8 ms on a disk */
static bool is_there_already(int dir_fd, const char *name, const char *data, size_t len)
{
	char header[HEADER_BYTES];
	const size_t n = (size_t)make_header(header, data, len);
	size_t size = 0;
	int fd CLEANUP(base_fd_close) = file_open(dir_fd, name, O_RDONLY, &size);

	return fd >= 0 && size == n + len && goes_on_with(fd, header, n) &&
	       goes_on_with(fd, data, len);
}

int state_file_save(int dir_fd, const char *name, const char *data, size_t len)
{
	char header[HEADER_BYTES];
	const size_t n = (size_t)make_header(header, data, len);

	if (is_there_already(dir_fd, name, data, len))
		return 0;
	return file_replace(dir_fd, name, (struct file_part[]){ { header, n }, { data, len } }, 2);
}

size_t state_file_needs(int dir_fd, const char *name, const char *data, size_t len)
{
	if (is_there_already(dir_fd, name, data, len))
		return 0;
	return (HEADER_BYTES + len + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

static void close_dir(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

static int remove_entry(int dir_fd, const char *name)
{
	int fd CLEANUP(base_fd_close) = -1;
	int err;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = state_file_clear(fd, (const char *const[]){ NULL });
	if (err == 0 && unlinkat(dir_fd, name, AT_REMOVEDIR) < 0)
		err = -errno;
	return err;
}

static bool is_kept(const char *name, const char *const keep[])
{
	while (*keep != NULL && fnmatch(*keep, name, 0) != 0)
		keep++;
	return *keep != NULL;
}

int state_file_clear(int dir_fd, const char *const keep[])
{
	const int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d CLEANUP(close_dir) = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int err = 0;

	if (d == NULL)
		return -errno;
	while (err == 0 && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    is_kept(e->d_name, keep))
			continue;
		err = remove_entry(dir_fd, e->d_name);
	}
	return err;
}
