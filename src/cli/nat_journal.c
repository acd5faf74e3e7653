/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A mirror of the NAT's bindings, record by record: no log, which would grow and
 * have to be written out, and no ports reserved ahead, which others would lack.
 * A sealed worker opens and writes no file, so the keeper maps it for both; all of
 * its room is taken at once, because a directory that is full later would end the
 * worker at a store.
 *
 * A record is invalid while it is being written.  Memory of a shared map is the
 * kernel's: a kill loses none of the stores that were made before it, and their
 * order is the program's.
 *
 * Each generation has files of its own, and has been told all of the one before
 * when that one's go: at no time is a port that somebody has in no file.
 */
#include "cli/nat_journal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX		"nat-ports-"
#define NAME_BYTES	40u
#define MOST_BYTES	((off_t)1 << 33)	/* longest file that is read */

static void name_of(char *name, uint32_t serial, uint32_t worker)
{
	snprintf(name, NAME_BYTES, PREFIX "%u-%u", serial, worker);
}

/* Generation and worker of a file; false: it is none of ours */
static bool parse_name(const char *name, uint32_t *ret_serial)
{
	char again[NAME_BYTES];
	unsigned int serial, worker;

	if (sscanf(name, PREFIX "%9u-%9u", &serial, &worker) != 2)
		return false;
	name_of(again, serial, worker);
	*ret_serial = serial;
	return strcmp(name, again) == 0;
}

/* ---- what is left of before -------------------------------------------------------- */

static int take_records(struct nat_journal *j, const struct nat_journal_page *page)
{
	struct nat_journal_record *more;
	uint32_t n = 0;

	for (uint32_t i = 0; i < page->n; i++)
		n += page->v[i].proto != 0;
	if (n == 0)
		return 0;
	more = realloc(j->kept, ((size_t)j->n_kept + n) * sizeof(*more));
	if (more == NULL)
		return -ENOMEM;
	j->kept = more;
	for (uint32_t i = 0; i < page->n; i++)
		if (page->v[i].proto != 0)
			j->kept[j->n_kept++] = page->v[i];
	return 0;
}

static int read_file(struct nat_journal *j, const char *name)
{
	CLEANUP(base_fd_close) int fd = openat(j->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	const struct nat_journal_page *page;
	struct stat st;
	int err = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > MOST_BYTES || st.st_size < (off_t)sizeof(*page))
		return 0;
	page = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	if (page->magic == NAT_JOURNAL_MAGIC &&
	    page->n <= ((size_t)st.st_size - sizeof(*page)) / sizeof(page->v[0]))
		err = take_records(j, page);
	(void)munmap((void *)(uintptr_t)page, (size_t)st.st_size);
	return err;
}

/* For each file of a generation up to @last: @each of it; 0 or the first error */
static int for_files(struct nat_journal *j, uint32_t last,
		     int (*each)(struct nat_journal *j, const char *name))
{
	const int fd = openat(j->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	uint32_t serial;
	int err = 0;

	if (d == NULL) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (err == 0 && (e = readdir(d)) != NULL) {
		if (!parse_name(e->d_name, &serial) || serial > last)
			continue;
		j->serial = MAX(j->serial, serial);
		err = each(j, e->d_name);
	}
	closedir(d);
	return err;
}

int nat_journal_open(struct nat_journal *j, int dir)
{
	int err;

	*j = (struct nat_journal){ .dir = dir };
	err = for_files(j, UINT32_MAX, read_file);
	if (err < 0)
		nat_journal_close(j);
	return err;
}

/* ---- generations -------------------------------------------------------------------- */

static int make_file(struct nat_journal *j, uint32_t worker, uint32_t n_records)
{
	CLEANUP(base_fd_close) int fd = -1;
	struct nat_journal_page *page;
	char name[NAME_BYTES];
	int err;

	name_of(name, j->serial, worker);
	fd = openat(j->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = -posix_fallocate(fd, 0, (off_t)j->bytes);
	if (err < 0)
		return err;
	page = mmap(NULL, j->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	page->n = n_records;
	page->magic = NAT_JOURNAL_MAGIC;
	j->now[worker] = page;
	return 0;
}

static void unmap(const struct nat_journal *j, struct nat_journal_page **v)
{
	for (uint32_t i = 0; i < NAT_JOURNAL_FILES; i++) {
		if (v[i] != NULL)
			(void)munmap(v[i], j->bytes);
		v[i] = NULL;
	}
}

static int remove_file(struct nat_journal *j, const char *name)
{
	(void)unlinkat(j->dir, name, 0);
	return 0;
}

int nat_journal_begin(struct nat_journal *j, uint32_t n_files, uint32_t n_records)
{
	int err = j->dir < 0 ? -EBADF : 0;

	BUG_IF(n_files > NAT_JOURNAL_FILES);
	memcpy(j->before, j->now, sizeof(j->before));
	memset(j->now, 0, sizeof(j->now));
	j->serial++;
	j->bytes = sizeof(struct nat_journal_page) +
		   (size_t)n_records * sizeof(struct nat_journal_record);
	for (uint32_t i = 0; i < n_files && err == 0; i++)
		err = make_file(j, i, n_records);
	if (err < 0)
		unmap(j, j->now);
	return err;
}

void nat_journal_settle(struct nat_journal *j)
{
	unmap(j, j->before);
	if (j->dir >= 0)
		(void)for_files(j, j->serial - 1, remove_file);
}

void nat_journal_cancel(struct nat_journal *j)
{
	char name[NAME_BYTES];

	unmap(j, j->now);
	for (uint32_t i = 0; i < NAT_JOURNAL_FILES; i++) {
		name_of(name, j->serial, i);
		(void)unlinkat(j->dir, name, 0);
	}
	memcpy(j->now, j->before, sizeof(j->now));
	memset(j->before, 0, sizeof(j->before));
}

void nat_journal_forget(struct nat_journal *j)
{
	if (j->dir >= 0)
		(void)for_files(j, UINT32_MAX, remove_file);
}

void nat_journal_close(struct nat_journal *j)
{
	unmap(j, j->now);
	unmap(j, j->before);
	base_fd_close(&j->dir);
	base_free(&j->kept);
	j->n_kept = 0;
}

/* ---- a NAT's ------------------------------------------------------------------------ */

void nat_journal_note(void *page, const struct nat_event *e)
{
	struct nat_journal_page *p = page;
	struct nat_journal_record *r;

	if (p == NULL || e->binding == 0 || e->kind == NAT_EV_UNBIND)
		return;
	BUG_IF(e->binding > p->n);
	r = &p->v[e->binding - 1];
	__atomic_store_n(&r->proto, 0, __ATOMIC_RELEASE);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (e->kind == NAT_EV_FREED)
		return;
	r->af = e->inside.af;
	r->in_port = e->in_port;
	r->out_port = e->out_port;
	memcpy(r->inside, &e->inside.v, sizeof(r->inside));
	memcpy(r->outside, &e->outside.v, sizeof(r->outside));
	__atomic_store_n(&r->proto, e->proto, __ATOMIC_RELEASE);
}

uint32_t nat_journal_hold(struct nat *nat, uint64_t now_ns, const struct nat_journal_record *v,
			  uint32_t n)
{
	uint32_t lost = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct nat_binding b = {
			.proto = v[i].proto, .in_port = v[i].in_port, .out_port = v[i].out_port,
			.inside.af = v[i].af, .outside.af = v[i].af,
		};

		if (b.proto == 0)
			continue;
		memcpy(&b.inside.v, v[i].inside, sizeof(v[i].inside));
		memcpy(&b.outside.v, v[i].outside, sizeof(v[i].outside));
		lost += nat_hold(nat, now_ns, &b) == -ENOSPC;
	}
	return lost;
}
