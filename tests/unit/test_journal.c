/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "host/journal.h"

#define NAME "forwards-host"

static struct arena arena;
static char dir[64];
static int dir_fd = -1;

static void setup(void)
{
	arena_init(&arena, 256 << 20);
	snprintf(dir, sizeof(dir), "/tmp/sp-journal-XXXXXX");
	if (mkdtemp(dir) != NULL)
		dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(dir_fd >= 0);
}

static void teardown(void)
{
	(void)unlinkat(dir_fd, NAME, 0);
	close(dir_fd);
	rmdir(dir);
	arena_fini(&arena);
}

static void put(const char *data, size_t len)
{
	const int fd = openat(dir_fd, NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	close(fd);
}

static size_t get(char *buf, size_t size)
{
	const int fd = openat(dir_fd, NAME, O_RDONLY | O_CLOEXEC);
	const ssize_t n = read(fd, buf, size);

	CHECK(n >= 0);
	close(fd);
	return (size_t)n;
}

static int load(struct journal *j)
{
	return journal_read(dir_fd, NAME, &arena, j);
}

static void append(struct journal *j, const char *text)
{
	CHECK_INT(journal_append(dir_fd, NAME, j, &arena, text), 0);
}

static const char *const texts[] = { "add on - www tcp 8443:443", "", "off www tcp 8443" };

/* A journal with the three texts; its bytes */
static size_t make(char *buf, size_t size)
{
	struct journal j;

	(void)unlinkat(dir_fd, NAME, 0);
	CHECK_INT(load(&j), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		append(&j, texts[i]);
	return get(buf, size);
}

TEST(entries_are_read_as_they_were_added)
{
	struct journal j;
	char buf[1024];

	setup();
	CHECK_INT(load(&j), 0);
	CHECK_INT(j.list.n, 0);
	make(buf, sizeof(buf));
	CHECK_INT(load(&j), 0);
	CHECK_INT(j.list.n, 3);
	CHECK(!j.is_torn);
	for (uint32_t i = 0; i < j.list.n; i++)
		CHECK_STR(j.list.v[i].text, texts[i]);
	j.list.n = 1;
	CHECK_INT(journal_replace(dir_fd, NAME, &j), 0);
	append(&j, "next");
	CHECK_INT(load(&j), 0);
	CHECK_INT(j.list.n, 2);
	CHECK_STR(j.list.v[1].text, "next");
	teardown();
}

TEST(an_unfinished_last_entry_is_dropped_wherever_it_ends)
{
	struct journal j;
	char buf[1024];
	size_t len, first, last;

	setup();
	len = make(buf, sizeof(buf));
	first = (size_t)(strchr(buf, '\n') - buf) + 1;
	last = len - 1;
	while (buf[last - 1] != '\n')
		last--;
	for (size_t n = first; n < len; n++) {
		uint32_t whole = 0;

		for (size_t i = first; i < n; i++)
			whole += buf[i] == '\n';
		put(buf, n);
		CHECK_INT(load(&j), 0);
		CHECK_INT(j.list.n, whole);
		CHECK_INT(j.is_torn, n > first && buf[n - 1] != '\n');
	}
	/* The next entry takes its place, though it is shorter */
	put(buf, len - 1);
	CHECK_INT(load(&j), 0);
	append(&j, "x");
	CHECK_INT(load(&j), 0);
	CHECK_INT(j.list.n, 3);
	CHECK_STR(j.list.v[2].text, "x");
	CHECK(!j.is_torn);
	/* A file that was made longer before its data came */
	len = make(buf, sizeof(buf));
	memset(buf + last + 7, 0, len - last - 7);
	put(buf, len);
	CHECK_INT(load(&j), 0);
	CHECK_INT(j.list.n, 2);
	CHECK(j.is_torn);
	teardown();
}

TEST(no_changed_bit_is_read)
{
	struct journal j;
	char buf[1024];
	size_t len, first;

	setup();
	len = make(buf, sizeof(buf));
	first = (size_t)(strchr(buf, '\n') - buf) + 1;
	for (size_t i = 0; i < len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			int err;

			buf[i] = (char)(buf[i] ^ 1 << bit);
			put(buf, len);
			err = load(&j);
			CHECK(err == -EBADMSG || err == -EPROTONOSUPPORT);
			CHECK_INT(j.list.n, 0);
			if (i >= first)
				CHECK(err == -EBADMSG && j.bad >= 1 && j.bad <= 3);
			buf[i] = (char)(buf[i] ^ 1 << bit);
		}
	}
	teardown();
}

TEST(a_newer_version_is_named)
{
	static const char newer[] = "sallyport-journal 12\nwho knows\n";
	static const char *const none[] = { "", "sallyport-journal", "sallyport-journal \n",
					    "sallyport-journal 01\n", "sallyport-state 1 0 0\n" };
	struct journal j;

	setup();
	put(newer, strlen(newer));
	CHECK_INT(load(&j), -EPROTONOSUPPORT);
	CHECK_INT(j.version, 12);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		put(none[i], strlen(none[i]));
		CHECK_INT(load(&j), -EBADMSG);
		CHECK_INT(j.bad, 0);
	}
	teardown();
}

TEST(entries_that_change_places_or_are_missing_are_damage)
{
	struct journal j;
	char buf[1024], moved[1024];
	size_t len, first, second;

	setup();
	len = make(buf, sizeof(buf));
	first = (size_t)(strchr(buf, '\n') - buf) + 1;
	second = (size_t)(strchr(buf + first, '\n') - buf) + 1;
	memcpy(moved, buf, first);
	memcpy(moved + first, buf + second, len - second);
	put(moved, len - (second - first));
	CHECK_INT(load(&j), -EBADMSG);
	CHECK_INT(j.bad, 1);
	memcpy(moved, buf, len);
	memcpy(moved + len, buf + first, len - first);
	put(moved, 2 * len - first);
	CHECK_INT(load(&j), -EBADMSG);
	CHECK_INT(j.bad, 4);
	teardown();
}

TEST(what_is_no_file_is_no_journal)
{
	struct journal j;

	setup();
	CHECK_INT(symlinkat("/etc/passwd", dir_fd, NAME), 0);
	CHECK_INT(load(&j), -EBADMSG);
	(void)unlinkat(dir_fd, NAME, 0);
	CHECK_INT(mkfifoat(dir_fd, NAME, 0600), 0);
	CHECK_INT(load(&j), -EBADMSG);
	teardown();
}

TEST(an_entry_is_added_without_reading_the_others)
{
	static char longest[JOURNAL_TEXT_BYTES + 1];
	struct journal_place at;
	struct journal j;
	char buf[1024], again[1024];
	size_t len, n;

	setup();
	CHECK_INT(journal_append_last(dir_fd, NAME, 9, "the first", &at), 0);
	CHECK_INT(at.number, 1);
	CHECK_INT(load(&j), 0);
	CHECK_INT(j.list.n, 1);
	CHECK_STR(j.list.v[0].text, "the first");
	CHECK_INT(journal_take_back(dir_fd, NAME, &at), 0);
	CHECK_INT(load(&j), 0);
	CHECK_INT(j.list.n, 0);
	CHECK_INT(journal_append_last(dir_fd, NAME, 9, "the first again", &at), 0);
	CHECK_INT(at.number, 1);
	memset(longest, 'x', JOURNAL_TEXT_BYTES);
	len = make(buf, sizeof(buf));
	CHECK_INT(journal_append_last(dir_fd, NAME, 3, "x", &at), -EFBIG);
	CHECK_INT(journal_append_last(dir_fd, NAME, 4, longest, &at), 0);
	CHECK_INT(at.number, 4);
	CHECK_INT(at.size, len);
	CHECK_INT(journal_append_last(dir_fd, NAME, 9, "behind the longest", &at), 0);
	CHECK_INT(at.number, 5);
	CHECK_INT(load(&j), 0);
	CHECK_INT(j.list.n, 5);
	CHECK_STR(j.list.v[4].text, "behind the longest");
	CHECK_INT(journal_take_back(dir_fd, NAME, &at), 0);
	at.size = len;
	CHECK_INT(journal_take_back(dir_fd, NAME, &at), 0);
	n = get(again, sizeof(again));
	CHECK(n == len && memcmp(buf, again, n) == 0);
	/* What is not whole is not built upon, wherever it ends or is damaged */
	for (size_t i = 0; i < len; i++) {
		put(buf, i);
		if (i == 0 || buf[i - 1] != '\n')
			CHECK_INT(journal_append_last(dir_fd, NAME, 9, "x", &at), -EBADMSG);
	}
	for (size_t i = (size_t)((char *)memrchr(buf, '\n', len - 1) - buf) + 1; i < len; i++) {
		memcpy(again, buf, len);
		again[i] ^= 1;
		put(again, len);
		CHECK_INT(journal_append_last(dir_fd, NAME, 9, "x", &at), -EBADMSG);
	}
	teardown();
}
