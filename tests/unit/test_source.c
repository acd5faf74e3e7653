/* SPDX-License-Identifier: BSD-2-Clause */
#include "diag/source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "unit.h"

static struct arena arena;
static struct sources srcs;
static char path[64];

static void begin(void)
{
	arena_init(&arena, LIMIT_ARENA_BYTES);
	sources_init(&srcs, &arena);
	snprintf(path, sizeof(path), "/tmp/test_source.%d", (int)getpid());
}

static void end(void)
{
	arena_fini(&arena);
	unlink(path);
}

static uint32_t add(const char *text)
{
	return sources_add(&srcs, "a.conf", text, (uint32_t)strlen(text), SPAN_NONE);
}

static void place_is(uint32_t src, uint32_t at, uint32_t line, uint32_t column, const char *text)
{
	const struct place p = source_place(&srcs, (struct span){ src, at, at });

	CHECK_INT(p.line, line);
	CHECK_INT(p.column, column);
	CHECK_STR(arena_strndup(&arena, p.text, p.text_len), text);
}

TEST(text_is_copied)
{
	char text[] = "abc", name[] = "n";
	uint32_t n;

	begin();
	n = sources_add(&srcs, name, text, 3, SPAN_NONE);
	text[0] = name[0] = 'x';
	CHECK_INT(n, 1);
	CHECK_STR(source_at(&srcs, n)->text, "abc");
	CHECK_STR(source_at(&srcs, n)->name, "n");
	CHECK_BUG(source_at(&srcs, 0));
	CHECK_BUG(source_at(&srcs, 2));
	end();
}

TEST(places)
{
	uint32_t n;

	begin();
	n = add("one\ntwo\r\n\nlast");
	place_is(n, 0, 1, 1, "one");
	place_is(n, 3, 1, 4, "one");
	place_is(n, 4, 2, 1, "two");
	place_is(n, 7, 2, 4, "two");
	place_is(n, 9, 3, 1, "");
	place_is(n, 10, 4, 1, "last");
	place_is(n, 14, 4, 5, "last");
	place_is(add(""), 0, 1, 1, "");
	place_is(add("\n"), 1, 2, 1, "");
	CHECK(source_place(&srcs, SPAN_NONE).name == NULL);
	CHECK_BUG(source_place(&srcs, (struct span){ n, 15, 15 }));
	CHECK_BUG(source_place(&srcs, (struct span){ 99, 0, 0 }));
	end();
}

TEST(random_places_against_counting)
{
	begin();
	for (unsigned int step = 0; step < 50; step++) {
		const uint32_t len = (uint32_t)unit_below(4000);
		char *text = arena_alloc(&arena, len + 1);
		uint32_t line = 1, column = 1, n;

		for (uint32_t i = 0; i < len; i++)
			text[i] = unit_below(1 + step % 9) == 0 ? '\n' : 'a';
		n = add(text);
		for (uint32_t i = 0; i <= len; i++) {
			const struct place p = source_place(&srcs, (struct span){ n, i, i });

			if (!CHECK(p.line == line && p.column == column))
				break;
			column++;
			if (text[i] == '\n') {
				line++;
				column = 1;
			}
		}
	}
	end();
}

TEST(index_of_empty_lines_is_small)
{
	char *text;
	size_t before;
	uint32_t n;

	begin();
	text = malloc(LIMIT_FILE_BYTES);
	memset(text, '\n', LIMIT_FILE_BYTES);
	n = sources_add(&srcs, "x", text, LIMIT_FILE_BYTES, SPAN_NONE);
	free(text);
	before = arena.used_bytes;
	place_is(n, LIMIT_FILE_BYTES, LIMIT_FILE_BYTES + 1, 1, "");
	/* Four, and a chunk for the next who allocates */
	CHECK(arena.used_bytes - before <= 9u << 20);
	end();
}

TEST(macros_lead_to_their_file)
{
	struct span use, inner;
	uint32_t file, outer_macro, macro;

	begin();
	file = add("pass to $web");
	use = (struct span){ file, 8, 12 };
	outer_macro = sources_add(&srcs, "macro 'web'", "{ $ports }", 10, use);
	inner = (struct span){ outer_macro, 2, 8 };
	macro = sources_add(&srcs, "macro 'ports'", "80 70000", 8, inner);
	CHECK_INT(source_file_span(&srcs, (struct span){ macro, 3, 8 }).src, file);
	CHECK_INT(source_file_span(&srcs, (struct span){ macro, 3, 8 }).lo, 8);
	CHECK_INT(source_file_span(&srcs, use).hi, 12);
	CHECK_INT(source_file_span(&srcs, SPAN_NONE).src, 0);
	/* A place of use that comes later could make a circle */
	CHECK_BUG((void)sources_add(&srcs, "m", "", 0, (struct span){ 99, 0, 0 }));
	end();
}

TEST(spans_join)
{
	const struct span a = { 1, 5, 9 }, b = { 1, 12, 14 }, c = { 2, 0, 1 };

	CHECK_INT(span_join(a, b).lo, 5);
	CHECK_INT(span_join(a, b).hi, 14);
	CHECK_INT(span_join(b, a).lo, 5);
	CHECK_INT(span_join(b, a).hi, 14);
	CHECK_INT(span_join(a, c).src, 1);
	CHECK_INT(span_join(a, c).hi, 9);
}

static void write_file(size_t len)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK_INT(write(fd, "a\0b", 3), 3);
	CHECK_INT(ftruncate(fd, (off_t)len), 0);
	close(fd);
}

TEST(files)
{
	uint32_t n = 99;

	begin();
	CHECK_INT(sources_read(&srcs, "/nonexistent/file", &n), -ENOENT);
	CHECK_INT(sources_read(&srcs, "/", &n), -EISDIR);
	CHECK_INT(n, 99);
	write_file(3);
	CHECK_INT(sources_read(&srcs, path, &n), 0);
	CHECK_INT(source_at(&srcs, n)->len, 3);
	CHECK(memcmp(source_at(&srcs, n)->text, "a\0b", 4) == 0);
	CHECK_STR(source_at(&srcs, n)->name, path);
	write_file(0);
	CHECK_INT(sources_read(&srcs, path, &n), 0);
	CHECK_INT(source_at(&srcs, n)->len, 0);
	end();
}

TEST(limit_file_bytes)
{
	uint32_t n = 99;

	begin();
	write_file(LIMIT_FILE_BYTES + 1);
	CHECK_INT(sources_read(&srcs, path, &n), -EFBIG);
	write_file((size_t)100 << 20);
	CHECK_INT(sources_read(&srcs, path, &n), -EFBIG);
	CHECK_INT(n, 99);
	write_file(LIMIT_FILE_BYTES);
	CHECK_INT(sources_read(&srcs, path, &n), 0);
	CHECK_INT(source_at(&srcs, n)->len, LIMIT_FILE_BYTES);
	end();
}

/* Read standard input, a pipe that a child fills with @len bytes */
static int read_pipe(size_t len, uint32_t *n)
{
	int fd[2], rc, saved;
	pid_t pid;

	CHECK_INT(pipe(fd), 0);
	pid = unit_fork();
	if (pid == 0) {
		static char buf[65536];

		memset(buf, 'x', sizeof(buf));
		close(fd[0]);
		for (size_t done = 0; done < len;) {
			const ssize_t w = write(fd[1], buf, MIN(sizeof(buf), len - done));

			if (w < 0)
				break;
			done += (size_t)w;
		}
		_exit(0);
	}
	close(fd[1]);
	saved = dup(STDIN_FILENO);
	dup2(fd[0], STDIN_FILENO);
	close(fd[0]);
	rc = sources_read(&srcs, "-", n);
	dup2(saved, STDIN_FILENO);
	close(saved);
	unit_wait(pid);
	return rc;
}

TEST(standard_input_and_its_limit)
{
	uint32_t n = 99;

	begin();
	CHECK_INT(read_pipe(LIMIT_FILE_BYTES + 1, &n), -EFBIG);
	CHECK_INT(n, 99);
	CHECK_INT(read_pipe(200000, &n), 0);
	CHECK_INT(source_at(&srcs, n)->len, 200000);
	CHECK_STR(source_at(&srcs, n)->name, "stdin");
	CHECK_INT(read_pipe(0, &n), 0);
	CHECK_INT(source_at(&srcs, n)->len, 0);
	end();
}
