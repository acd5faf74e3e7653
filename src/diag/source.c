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

uint32_t sources_add(struct sources *s, const char *name, const char *text,
		     uint32_t len, struct span used_at)
{
	struct source src = {
		.name = arena_strndup(s->a, name, strlen(name)),
		.text = arena_strndup(s->a, text, len),
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

/* Read @fd to its end, of perhaps @guess bytes, into *@buf; the length, or a negative errno */
static ssize_t read_all(int fd, size_t guess, char **buf)
{
	size_t len = 0, cap = 0;

	for (;;) {
		ssize_t got;

		if (len == cap) {
			char *grown;

			if (cap > LIMIT_FILE_BYTES)
				return -EFBIG;
			cap = cap == 0 ? guess + 1 : cap * 2;
			grown = realloc(*buf, cap);
			if (grown == NULL)
				return -ENOMEM;
			*buf = grown;
		}
		got = read(fd, *buf + len, cap - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return len > LIMIT_FILE_BYTES ? -EFBIG : (ssize_t)len;
		len += (size_t)got;
	}
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
	CLEANUP(base_free) char *buf = NULL;
	size_t guess = 16384;
	struct stat st;
	ssize_t len;

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
		guess = MAX(guess, (size_t)st.st_size);
	}
	len = read_all(is_stdin ? STDIN_FILENO : fd, guess, &buf);
	if (len < 0)
		return (int)len;
	blank_mark(buf, (size_t)len);
	*ret_src = sources_add(s, is_stdin ? "stdin" : path, buf != NULL ? buf : "",
			       (uint32_t)len, SPAN_NONE);
	s->list.v[*ret_src].is_file = !is_stdin;
	return 0;
}

const struct source *source_at(const struct sources *s, uint32_t src)
{
	BUG_IF(src == 0 || src >= s->list.n);
	return &s->list.v[src];
}

static void mark_lines(struct arena *a, struct source *src)
{
	const char *end = src->text + src->len;
	uint32_t line = 1, n = 1;

	for (const char *p = src->text; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		line++;
	src->n_marks = (line + SOURCE_MARK_LINES - 1) / SOURCE_MARK_LINES;
	src->mark = arena_array(a, uint32_t, src->n_marks);
	line = 1;
	for (const char *p = src->text; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		if (line++ % SOURCE_MARK_LINES == 0)
			src->mark[n++] = (uint32_t)(p + 1 - src->text);
}

#define NEAR_MARKS	8u	/* that are looked at first */
#define NEAR_BYTES	256u	/* behind the last line that are read rather than searched for */

/* The line of byte @at, from line @line on, which *@ret_lo is in */
static uint32_t read_lines(struct source *src, uint32_t at, uint32_t line, uint32_t *ret_lo)
{
	uint32_t lo = *ret_lo;

	for (const char *p; (p = memchr(src->text + lo, '\n', at - lo)) != NULL; line++)
		lo = (uint32_t)(p + 1 - src->text);
	src->last_line = line;
	src->last_lo = *ret_lo = lo;
	return line;
}

/* The line, from 1, that byte @at stands in; *@ret_lo: its first byte */
static uint32_t find_line(struct source *src, uint32_t at, uint32_t *ret_lo)
{
	uint32_t lo = 0, hi = src->n_marks, line;

	/* Who asks for one line often asks for one of the next */
	if (src->last_line > 0 && src->last_lo <= at && at - src->last_lo < NEAR_BYTES) {
		*ret_lo = src->last_lo;
		return read_lines(src, at, src->last_line, ret_lo);
	}
	if (src->last_mark < hi && src->mark[src->last_mark] <= at) {
		lo = src->last_mark;
		if (hi - lo > NEAR_MARKS && at < src->mark[lo + NEAR_MARKS])
			hi = lo + NEAR_MARKS;
	}
	while (hi - lo > 1) {
		const uint32_t mid = lo + (hi - lo) / 2;

		if (src->mark[mid] <= at)
			lo = mid;
		else
			hi = mid;
	}
	src->last_mark = lo;
	line = lo * SOURCE_MARK_LINES + 1;
	*ret_lo = src->mark[lo];
	if (src->last_lo > *ret_lo && src->last_lo <= at) {
		line = src->last_line;
		*ret_lo = src->last_lo;
	}
	return read_lines(src, at, line, ret_lo);
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
	if (src->n_marks == 0)
		mark_lines(s->a, src);
	return src;
}

struct place source_place_short(struct sources *s, struct span at)
{
	struct source *src = source_of(s, at);
	uint32_t lo;

	if (src->is_numbered)
		return source_place(s, at);
	return (struct place){ .name = src->name, .line = find_line(src, at.lo, &lo) };
}

struct place source_place(struct sources *s, struct span at)
{
	struct source *src;
	uint32_t line, lo, end;
	const char *eol;

	if (at.src == 0)
		return (struct place){ .name = NULL };
	src = source_of(s, at);
	line = find_line(src, at.lo, &lo);
	eol = memchr(src->text + lo, '\n', src->len - lo);
	end = eol != NULL ? (uint32_t)(eol - src->text) : src->len;
	if (end > lo && src->text[end - 1] == '\r')
		end--;
	return (struct place){
		.name = src->name,
		.line = src->is_numbered ? line_number(src->text + lo, end - lo) : line,
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
