/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Lines are counted only when something is said about them, and only every
 * 32nd is remembered: an offset a line would make the index of a file of empty
 * lines larger than what a compile may use, just when its error is to be told.
 */
#include "diag/source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

#define READ_BYTES	16384u	/* what a text is read into that does not say how long it is */

void sources_init(struct sources *s, struct arena *a)
{
	*s = (struct sources){ .a = a };
	(void)vec_push(a, &s->list);	/* number 0: no source */
}

/* A large file may take more memory, in proportion, for its author wrote all of it */
static void raise_cap(struct arena *a, size_t len)
{
	if (a->cap_bytes < LIMIT_ARENA_MOST)
		a->cap_bytes = MIN(a->cap_bytes + len * LIMIT_ARENA_PER_BYTE, LIMIT_ARENA_MOST);
}

/* A source whose text is in the arena already, with a NUL behind it */
static uint32_t add_source(struct sources *s, const char *name, const char *text, uint32_t len,
			   struct span used_at)
{
	struct source src = {
		.name = arena_strndup(s->a, name, strlen(name)),
		.text = text,
		.len = len,
		.used_at = used_at,
	};

	/* So that the chain of places of use ends */
	BUG_IF(used_at.src >= s->list.n);
	if (used_at.src == 0)
		raise_cap(s->a, len);
	vec_add(s->a, &s->list, src);
	return s->list.n - 1;
}

uint32_t sources_add(struct sources *s, const char *name, const char *text,
		     uint32_t len, struct span used_at)
{
	return add_source(s, name, arena_strndup(s->a, text, len), len, used_at);
}

/* The bytes of a text that is read, with room for its NUL */
struct reading {
	VEC(char) buf;
};

/* Read @fd to its end, of perhaps @guess bytes; 0, or a negative errno */
static int read_all(struct arena *a, int fd, uint32_t guess, struct reading *r)
{
	vec_reserve(a, &r->buf, guess + 1);
	for (;;) {
		ssize_t got;

		if (r->buf.n > LIMIT_FILE_BYTES)
			return -EFBIG;
		if (r->buf.n == r->buf.cap)
			vec_reserve(a, &r->buf, 2 * r->buf.cap);
		got = read(fd, r->buf.v + r->buf.n, r->buf.cap - r->buf.n);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			break;
		r->buf.n += got > 0 ? (uint32_t)got : 0;
	}
	vec_add(a, &r->buf, '\0');
	arena_trim(a, r->buf.v, r->buf.cap, r->buf.n--);
	return 0;
}

/* What some editors put before a text of UTF-8: blanks, so that places stay true */
static void blank_mark(char *text, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf";

	if (len >= 3 && memcmp(text, mark, 3) == 0)
		memset(text, ' ', 3);
}

static const struct kept_text *find_kept(const struct sources *s, const char *path)
{
	for (uint32_t i = 0; i < s->kept.n; i++)
		if (strcmp(s->kept.v[i].path, path) == 0)
			return &s->kept.v[i];
	return NULL;
}

int sources_read(struct sources *s, const char *path, uint32_t *ret_src)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	const struct kept_text *kept = find_kept(s, path);
	CLEANUP(base_fd_close) int fd = -1;
	struct reading r = { .buf = { .n = 0 } };
	uint32_t guess = READ_BYTES;
	struct stat st;
	int err;

	if (kept != NULL) {
		*ret_src = sources_add(s, path, kept->text, kept->len, SPAN_NONE);
		s->list.v[*ret_src].is_file = true;
		return 0;
	}
	if (!is_stdin) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return -errno;
		if (fstat(fd, &st) < 0)
			return -errno;
		if (S_ISREG(st.st_mode) && st.st_size > (off_t)LIMIT_FILE_BYTES)
			return -EFBIG;
		if (S_ISREG(st.st_mode))
			guess = MAX(guess, (uint32_t)st.st_size);
	}
	err = read_all(s->a, is_stdin ? STDIN_FILENO : fd, guess, &r);
	if (err < 0)
		return err;
	blank_mark(r.buf.v, r.buf.n);
	*ret_src = add_source(s, is_stdin ? "stdin" : path, r.buf.v, r.buf.n, SPAN_NONE);
	s->list.v[*ret_src].is_file = !is_stdin;
	return 0;
}

const struct source *source_at(const struct sources *s, uint32_t src)
{
	BUG_IF(src == 0 || src >= s->list.n);
	return &s->list.v[src];
}

typedef uint8_t bytes_v __attribute__((vector_size(16)));

/* Line ends in the first @n bytes behind a mark */
static uint32_t count_ends(const struct source *src, uint32_t mark, uint32_t n)
{
	static const bytes_v place = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	const char *from = src->text + mark * SOURCE_MARK_BYTES;
	bytes_v ends = { 0 }, v;
	uint64_t half[2] = { 0, 0 };
	uint32_t at = 0;

	if (from + SOURCE_MARK_BYTES > src->text + src->len) {
		for (; at < n; at++)
			half[0] += from[at] == '\n';
		return (uint32_t)half[0];
	}
	for (; at + sizeof(v) <= n; at += sizeof(v)) {
		memcpy(&v, from + at, sizeof(v));
		ends -= (bytes_v)(v == '\n');
	}
	if (at < n) {
		memcpy(&v, from + at, sizeof(v));
		ends -= (bytes_v)((v == '\n') & (place < (uint8_t)(n - at)));
	}
	memcpy(half, &ends, sizeof(half));
	return (uint32_t)((half[0] + half[1]) * UINT64_C(0x0101010101010101) >> 56);
}

static void mark_lines(struct arena *a, struct source *src)
{
	const uint32_t n = src->len / SOURCE_MARK_BYTES + 1;

	src->mark = arena_array(a, uint32_t, n);
	src->mark[0] = 1;
	for (uint32_t i = 1; i < n; i++)
		src->mark[i] = src->mark[i - 1] + count_ends(src, i - 1, SOURCE_MARK_BYTES);
}

/* The line, from 1, that byte @at stands in */
static uint32_t find_line(struct arena *a, struct source *src, uint32_t at)
{
	const uint32_t mark = at / SOURCE_MARK_BYTES;

	if (src->mark == NULL)
		mark_lines(a, src);
	return src->mark[mark] + count_ends(src, mark, at % SOURCE_MARK_BYTES);
}

void sources_number(struct sources *s, uint32_t src)
{
	BUG_IF(src == 0 || src >= s->list.n);
	s->list.v[src].is_numbered = true;
}

/* The number in "add 100 ...", or 0 */
static uint32_t line_number(const char *text, size_t len)
{
	static const char add[] = "add ";
	uint32_t n = 0;

	if (len < sizeof(add) || memcmp(text, add, sizeof(add) - 1) != 0)
		return 0;
	for (size_t i = sizeof(add) - 1; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		n = n * 10 + (uint32_t)(text[i] - '0');
	return n;
}

static struct source *source_of(struct sources *s, struct span at)
{
	struct source *src;

	BUG_IF(at.src >= s->list.n);
	src = &s->list.v[at.src];
	BUG_IF(at.lo > src->len);
	return src;
}

uint32_t source_line(struct sources *s, struct span at)
{
	struct source *src = source_of(s, at);

	return src->is_numbered ? source_place(s, at).line : find_line(s->a, src, at.lo);
}

struct place source_place(struct sources *s, struct span at)
{
	struct source *src;
	const char *eol, *before;
	uint32_t lo, end;

	if (at.src == 0)
		return (struct place){ .name = NULL };
	src = source_of(s, at);
	before = memrchr(src->text, '\n', at.lo);
	lo = before != NULL ? (uint32_t)(before + 1 - src->text) : 0;
	eol = memchr(src->text + lo, '\n', src->len - lo);
	end = eol != NULL ? (uint32_t)(eol - src->text) : src->len;
	if (end > lo && src->text[end - 1] == '\r')
		end--;
	return (struct place){
		.name = src->name,
		.line = src->is_numbered ? line_number(src->text + lo, end - lo) :
					   find_line(s->a, src, at.lo),
		.column = at.lo - lo + 1,
		.text = src->text + lo,
		.text_len = end - lo,
	};
}

struct span source_file_span(const struct sources *s, struct span at)
{
	while (at.src != 0 && source_at(s, at.src)->used_at.src != 0)
		at = source_at(s, at.src)->used_at;
	return at;
}

const char *source_short_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash != NULL ? slash + 1 : name;
}

struct span span_join(struct span a, struct span b)
{
	if (a.src != b.src)
		return a;
	return (struct span){ a.src, MIN(a.lo, b.lo), MAX(a.hi, b.hi) };
}
