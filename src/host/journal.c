/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What a crash leaves behind and what a disk or an editor breaks must not be
 * confused: the first was never acknowledged and may go, the second was, and
 * whoever reads on past it would bring half of somebody's forwards to life.
 * An unfinished entry lacks its newline, and its length (guarded by a sum of
 * its own, so that no damage makes an entry look longer than the file) says
 * that bytes are missing.  Some file systems extend a file before its data is
 * there: NUL bytes at the end, which no text has, count as missing.
 *
 * A sum of FNV-1a changes with each single byte, since each of its steps can be
 * undone; entries are written anew from what was read and compared as text, so
 * that no other spelling of a number passes.
 *
 * The first entry makes the file by rename, so a file without its first line
 * was never ours, or is damaged.
 */
#include "host/journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fnv.h"
#include "host/file.h"

#define MAGIC		"sallyport-journal "
#define CHECK_BYTES	23u	/* "LENGTH NUMBER CHECK " */
#define HEAD_BYTES	(CHECK_BYTES + 17u)

/* What guards the length; HEAD_BYTES + 1 of room at @out */
static void make_check(char *out, uint32_t number, size_t len)
{
	const int n = snprintf(out, HEAD_BYTES + 1, "%04zx %08x ", len, number);
	const uint64_t h = fnv64(FNV64_START, out, (size_t)n);

	snprintf(out + n, HEAD_BYTES + 1 - (size_t)n, "%08x ", (uint32_t)(h ^ h >> 32));
}

static void make_head(char *out, uint32_t number, const char *text, size_t len)
{
	make_check(out, number, len);
	snprintf(out + CHECK_BYTES, HEAD_BYTES + 1 - CHECK_BYTES, "%016" PRIx64 " ",
		 fnv64(fnv64(FNV64_START, out, CHECK_BYTES), text, len));
}

/* The length that an entry says, or -1 when its guard does not agree */
static int32_t head_length(const char *at, uint32_t number)
{
	char digits[5], want[HEAD_BYTES + 1];
	char *end;
	unsigned long len;

	memcpy(digits, at, 4);
	digits[4] = '\0';
	len = strtoul(digits, &end, 16);
	if (*end != '\0' || len > JOURNAL_TEXT_BYTES)
		return -1;
	make_check(want, number, len);
	return memcmp(want, at, CHECK_BYTES) == 0 ? (int32_t)len : -1;
}

enum found { WHOLE, UNFINISHED, DAMAGED };

/* The entry at [@at, @end); *@ret is its text on WHOLE */
static enum found read_entry(const char *at, const char *end, uint32_t number,
			     struct journal_entry *ret)
{
	char want[HEAD_BYTES + 1];
	int32_t len;

	if ((size_t)(end - at) < CHECK_BYTES)
		return memchr(at, '\n', (size_t)(end - at)) == NULL ? UNFINISHED : DAMAGED;
	len = head_length(at, number);
	if (len < 0)
		return DAMAGED;
	if ((size_t)(end - at) < HEAD_BYTES + (size_t)len + 1)
		return memchr(at, '\n', (size_t)(end - at)) == NULL ? UNFINISHED : DAMAGED;
	make_head(want, number, at + HEAD_BYTES, (size_t)len);
	if (memcmp(want, at, HEAD_BYTES) != 0 || at[HEAD_BYTES + len] != '\n' ||
	    memchr(at + HEAD_BYTES, '\n', (size_t)len) != NULL ||
	    memchr(at + HEAD_BYTES, '\0', (size_t)len) != NULL)
		return DAMAGED;
	*ret = (struct journal_entry){ at + HEAD_BYTES, (uint32_t)len };
	return WHOLE;
}

/* The first line; its length, or a negative errno */
static int read_first(const char *text, size_t len, struct journal *ret)
{
	const size_t magic = strlen(MAGIC);
	const char *end = memchr(text, '\n', len);
	uint32_t version = 0;

	if (end == NULL || len < magic + 1 || memcmp(text, MAGIC, magic) != 0)
		return -EBADMSG;
	for (const char *p = text + magic; p < end; p++) {
		if (*p < '0' || *p > '9' || p - text > (ptrdiff_t)magic + 8)
			return -EBADMSG;
		version = version * 10 + (uint32_t)(*p - '0');
	}
	if (text[magic] == '0' || end == text + magic)
		return -EBADMSG;
	ret->version = version;
	return version == JOURNAL_VERSION ? (int)(end - text) + 1 : -EPROTONOSUPPORT;
}

static int parse(char *text, size_t len, struct arena *a, struct journal *ret)
{
	const char *end = text + len;
	const int first = read_first(text, len, ret);

	if (first < 0)
		return first;
	while (end > text && end[-1] == '\0')
		end--;
	ret->size = (size_t)first;
	while (text + ret->size < end) {
		char *at = text + ret->size;
		struct journal_entry e;
		const enum found found = read_entry(at, end, ret->list.n + 1, &e);

		if (found == DAMAGED) {
			ret->bad = ret->list.n + 1;
			ret->list.n = 0;
			return -EBADMSG;
		}
		if (found == UNFINISHED)
			break;
		at[HEAD_BYTES + e.len] = '\0';
		vec_add(a, &ret->list, e);
		ret->size += HEAD_BYTES + e.len + 1;
	}
	ret->is_torn = ret->size < len;
	return 0;
}

static int open_journal(int dir_fd, const char *name, int flags, size_t *ret_size)
{
	int fd CLEANUP(base_fd_close) = file_open(dir_fd, name, flags, ret_size);

	return fd >= 0 && *ret_size > JOURNAL_BYTES ? -EFBIG : base_take_fd(&fd);
}

/* No descriptor is held while the arena may refuse */
static int file_size(int dir_fd, const char *name, size_t *ret)
{
	int fd CLEANUP(base_fd_close) = open_journal(dir_fd, name, O_RDONLY, ret);

	return MIN(fd, 0);
}

static int file_load(int dir_fd, const char *name, char *buf, size_t size, size_t *ret_len)
{
	size_t now;
	int fd CLEANUP(base_fd_close) = open_journal(dir_fd, name, O_RDONLY, &now);

	return fd < 0 ? fd : file_read(fd, buf, size, ret_len);
}

int journal_read(int dir_fd, const char *name, struct arena *a, struct journal *ret)
{
	size_t size = 0, len = 0;
	char *buf;
	int err;

	*ret = (struct journal){ .size = 0 };
	err = file_size(dir_fd, name, &size);
	if (err < 0)
		return err == -ENOENT ? 0 : err;
	buf = arena_alloc(a, size + 1);
	err = file_load(dir_fd, name, buf, size, &len);
	return err < 0 ? err : parse(buf, len, a, ret);
}

static void put_entry(FILE *out, uint32_t number, const struct journal_entry *e)
{
	char head[HEAD_BYTES + 1];

	make_head(head, number, e->text, e->len);
	fputs(head, out);
	fwrite(e->text, 1, e->len, out);
	putc('\n', out);
}

static bool is_good(const struct journal_entry *e)
{
	return e->len <= JOURNAL_TEXT_BYTES && memchr(e->text, '\n', e->len) == NULL &&
	       memchr(e->text, '\0', e->len) == NULL;
}

int journal_replace(int dir_fd, const char *name, struct journal *j)
{
	CLEANUP(base_free) char *data = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&data, &len);
	int err;

	if (out == NULL)
		return -ENOMEM;
	fprintf(out, MAGIC "%u\n", JOURNAL_VERSION);
	for (uint32_t i = 0; i < j->list.n; i++) {
		BUG_IF(!is_good(&j->list.v[i]));
		put_entry(out, i + 1, &j->list.v[i]);
	}
	if (fclose(out) != 0)
		return -ENOMEM;
	if (len > JOURNAL_BYTES)
		return -EFBIG;
	err = file_replace(dir_fd, name, &(struct file_part){ data, len }, 1);
	if (err < 0)
		return err;
	j->size = len;
	j->is_torn = false;
	return 0;
}

/* Write behind the whole entries, over an unfinished one */
static int extend(int dir_fd, const char *name, const struct journal *j, const char *data,
		  size_t len)
{
	size_t size;
	int fd CLEANUP(base_fd_close) = open_journal(dir_fd, name, O_WRONLY, &size);
	int err;

	if (fd < 0)
		return fd;
	/* In order: else a shorter entry would have the end of an old one behind it */
	if (j->is_torn && (ftruncate(fd, (off_t)j->size) < 0 || fsync(fd) < 0))
		return -errno;
	if (lseek(fd, (off_t)j->size, SEEK_SET) < 0)
		return -errno;
	err = file_write(fd, data, len);
	if (err == 0 && fsync(fd) < 0)
		err = -errno;
	/* What was not acknowledged must not come to life later */
	if (err < 0)
		(void)!ftruncate(fd, (off_t)j->size);
	return err;
}

/* The last entry of a journal that is whole; @ret_size: bytes of it all */
static int read_last(int fd, uint32_t *ret_number, size_t *ret_size)
{
	static char buf[HEAD_BYTES + JOURNAL_TEXT_BYTES + 3];
	const off_t size = lseek(fd, 0, SEEK_END);
	const size_t len = MIN((size_t)size, sizeof(buf));
	struct journal first = { .size = 0 };
	struct journal_entry e;
	const char *start;

	if (size < 0)
		return -errno;
	if (pread(fd, buf, MIN(len, sizeof(MAGIC) + 8), 0) < 0)
		return -errno;
	if (read_first(buf, MIN(len, sizeof(MAGIC) + 8), &first) < 0)
		return -EBADMSG;
	if (pread(fd, buf, len, size - (off_t)len) != (ssize_t)len || buf[len - 1] != '\n')
		return -EBADMSG;
	start = memrchr(buf, '\n', len - 1);
	*ret_number = 0;
	*ret_size = (size_t)size;
	/* The first line alone */
	if (start == NULL)
		return len == (size_t)size ? 0 : -EBADMSG;
	start++;
	if (buf + len - start > 5)
		*ret_number = (uint32_t)strtoul(start + 5, NULL, 16);
	return read_entry(start, buf + len, *ret_number, &e) == WHOLE ? 0 : -EBADMSG;
}

/* A journal with one entry */
static int begin(int dir_fd, const char *name, const struct journal_entry *e,
		 struct journal_place *ret)
{
	struct journal_entry first = *e;
	struct journal j = { .list = { .v = &first, .n = 1, .cap = 1 } };
	const int err = journal_replace(dir_fd, name, &j);

	*ret = (struct journal_place){ 1, j.size - MIN(j.size, HEAD_BYTES + e->len + 1) };
	return err;
}

int journal_append_last(int dir_fd, const char *name, uint32_t most, const char *text,
			struct journal_place *ret)
{
	size_t size;
	int fd CLEANUP(base_fd_close) = open_journal(dir_fd, name, O_RDWR, &size);
	const struct journal_entry e = { text, (uint32_t)strlen(text) };
	CLEANUP(base_free) char *data = NULL;
	size_t len = 0;
	FILE *out;
	int err;

	if (!is_good(&e))
		return -EFBIG;
	if (fd < 0)
		return fd == -ENOENT ? begin(dir_fd, name, &e, ret) : fd;
	err = read_last(fd, &ret->number, &ret->size);
	if (err < 0)
		return err;
	if (ret->number >= most)
		return -EFBIG;
	out = open_memstream(&data, &len);
	if (out == NULL)
		return -ENOMEM;
	put_entry(out, ++ret->number, &e);
	fclose(out);
	return extend(dir_fd, name, &(struct journal){ .size = ret->size }, data, len);
}

int journal_take_back(int dir_fd, const char *name, const struct journal_place *at)
{
	size_t size;
	int fd CLEANUP(base_fd_close) = open_journal(dir_fd, name, O_WRONLY, &size);

	if (fd < 0)
		return fd;
	return ftruncate(fd, (off_t)at->size) < 0 || fsync(fd) < 0 ? -errno : 0;
}

int journal_append(int dir_fd, const char *name, struct journal *j, struct arena *a,
		   const char *text)
{
	CLEANUP(base_free) char *data = NULL;
	size_t len = 0;
	FILE *out;
	int err;

	vec_add(a, &j->list, ((struct journal_entry){
		arena_strndup(a, text, strlen(text)), (uint32_t)strlen(text) }));
	BUG_IF(!is_good(&j->list.v[j->list.n - 1]));
	if (j->size == 0) {
		err = journal_replace(dir_fd, name, j);
		j->list.n -= err < 0;
		return err;
	}
	out = open_memstream(&data, &len);
	if (out != NULL) {
		put_entry(out, j->list.n, &j->list.v[j->list.n - 1]);
		fclose(out);
	}
	err = data == NULL ? -ENOMEM : j->size + len > JOURNAL_BYTES ? -EFBIG :
		extend(dir_fd, name, j, data, len);
	if (err < 0) {
		j->list.n--;
		return err;
	}
	j->size += len;
	j->is_torn = false;
	return 0;
}
