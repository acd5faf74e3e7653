/* SPDX-License-Identifier: BSD-2-Clause */
#include "ns.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "host/netns.h"
#include "host/state.h"

static struct arena arena;
static char base[64];

/* A directory of this test, and a namespace, so that its cookie is new */
#define FRESH() \
	NS_FRESH(); \
	snprintf(base, sizeof(base), "/tmp/sallyport-state-XXXXXX"); \
	if (!CHECK(mkdtemp(base) != NULL)) \
		return; \
	arena_init(&arena, 64 << 20)

static void tidy(void)
{
	char cmd[128];

	arena_fini(&arena);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", base);
	CHECK_INT(system(cmd), 0);
}

/* Path of a file of this namespace's state */
static const char *path_of(const char *name)
{
	uint64_t cookie = 0;

	CHECK_INT(netns_cookie(&cookie), 0);
	return arena_printf(&arena, "%s/run/%016llx/%s", base, (unsigned long long)cookie, name);
}

static const char *content(const struct state *st, const char *name)
{
	char *text;
	size_t len;
	const int err = state_read(st, name, &arena, &text, &len);

	return err < 0 ? arena_printf(&arena, "%s", strerrorname_np(-err)) : text;
}

static void put(struct state *st, const char *name, const char *text)
{
	CHECK_INT(state_write(st, name, text, strlen(text)), 0);
}

TEST(write_and_read)
{
	struct state st;

	FRESH();
	CHECK_INT(state_open(&st, base, STATE_READ, 0), 0);
	CHECK_STR(content(&st, "sysctl"), "ENOENT");
	CHECK_STR(content(&st, "text/0"), "ENOENT");
	CHECK_BUG((void)(state_write(&st, "sysctl", "", 0) == 0));
	state_close(&st);
	CHECK(access(arena_printf(&arena, "%s/run", base), F_OK) < 0);

	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), 0);
	put(&st, "sysctl", "one\ntwo\n");
	put(&st, "text/0", "");
	put(&st, "text/11", "eleven");
	put(&st, "sysctl", "three\n");
	CHECK_INT(state_remove(&st, "nosuch"), 0);
	CHECK_INT(state_write(&st, "big", "", STATE_FILE_BYTES + 1), -EFBIG);
	CHECK_BUG((void)(state_write(&st, "../x", "", 0) == 0));
	CHECK_BUG((void)(state_write(&st, "lock", "", 0) == 0));
	state_close(&st);
	state_close(&st);

	CHECK_INT(state_open(&st, base, STATE_READ, 0), 0);
	CHECK_STR(content(&st, "sysctl"), "three\n");
	CHECK_STR(content(&st, "text/0"), "");
	CHECK_STR(content(&st, "text/11"), "eleven");
	state_close(&st);

	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), 0);
	CHECK_INT(state_remove(&st, "text/11"), 0);
	CHECK_STR(content(&st, "text/11"), "ENOENT");
	CHECK_INT(state_write(&st, "text-two", "two", 3), 0);
	CHECK_INT(state_forget(&st, "text-*"), 0);
	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), 0);
	CHECK_STR(content(&st, "sysctl"), "ENOENT");
	CHECK_STR(content(&st, "text-two"), "two");
	CHECK_INT(state_forget(&st, NULL), 0);
	CHECK(access(path_of(""), F_OK) < 0);
	tidy();
}

TEST(modes)
{
	struct state st;
	struct stat sb;

	FRESH();
	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), 0);
	put(&st, "sysctl", "x");
	CHECK_INT(stat(path_of(""), &sb), 0);
	CHECK_INT(sb.st_mode & 07777, 0700);
	CHECK_INT(stat(path_of("sysctl"), &sb), 0);
	CHECK_INT(sb.st_mode & 07777, 0600);
	state_close(&st);
	tidy();
}

TEST(namespaces_are_apart)
{
	struct state st;

	FRESH();
	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), 0);
	put(&st, "applied", "first");
	state_close(&st);
	NS_FRESH();
	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), 0);
	CHECK_STR(content(&st, "applied"), "ENOENT");
	state_close(&st);
	tidy();
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (CHECK(f != NULL)) {
		fputs(text, f);
		fclose(f);
	}
}

TEST(other_boot)
{
	struct state st;

	FRESH();
	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), 0);
	put(&st, "sysctl", "old");
	put(&st, "text/3", "old");
	/* The state of a boot that is not this one: the name is the same by chance */
	put(&st, "boot-of-another", "11111111-2222-3333-4444-555555555555");
	state_close(&st);
	CHECK_INT(rename(path_of("boot-of-another"), path_of("boot")), 0);
	CHECK_INT(state_open(&st, base, STATE_READ, 0), 0);
	CHECK_STR(content(&st, "sysctl"), "ENOENT");
	state_close(&st);
	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), 0);
	CHECK_STR(content(&st, "sysctl"), "ENOENT");
	CHECK_STR(content(&st, "text/3"), "ENOENT");
	put(&st, "sysctl", "new");
	state_close(&st);
	CHECK_INT(state_open(&st, base, STATE_READ, 0), 0);
	CHECK_STR(content(&st, "sysctl"), "new");
	state_close(&st);
	tidy();
}

TEST(damaged)
{
	static const char *const damage[] = {
		"", "x", "sallyport-state 1 3 0000000000000000\nabc",
		"sallyport-state 2 0 cbf29ce484222325\n", "sallyport-state 1 0 cbf29ce484222325",
		"sallyport-state 1 9 cbf29ce484222325\n", "\n",
		"a first line that is much longer than any that this program ever writes to it\n",
	};
	struct state st;

	FRESH();
	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(damage); i++) {
		write_file(path_of("sysctl"), damage[i]);
		CHECK_STR(content(&st, "sysctl"), "EBADMSG");
	}
	write_file(path_of("sysctl"), "sallyport-state 1 0 cbf29ce484222325\n");
	CHECK_STR(content(&st, "sysctl"), "");
	CHECK_INT(unlink(path_of("sysctl")), 0);
	CHECK_INT(symlink("/etc/passwd", path_of("sysctl")), 0);
	CHECK_STR(content(&st, "sysctl"), "EBADMSG");
	/* A link is replaced, never followed */
	put(&st, "sysctl", "sound");
	CHECK_STR(content(&st, "sysctl"), "sound");
	CHECK_INT(mkdir(path_of("applied"), 0700), 0);
	CHECK_STR(content(&st, "applied"), "EBADMSG");
	state_close(&st);
	tidy();
}

TEST(directory_of_somebody_else)
{
	struct state st;
	const char *run;

	FRESH();
	run = arena_printf(&arena, "%s/run", base);
	CHECK_INT(symlink("/tmp", run), 0);
	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), -ENOTDIR);
	CHECK_INT(unlink(run), 0);
	CHECK_INT(mkdir(run, 0700), 0);
	CHECK_INT(chmod(run, 0777), 0);
	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), -EUCLEAN);
	CHECK_INT(chmod(run, 0700), 0);
	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), 0);
	state_close(&st);
	tidy();
}

TEST(lib)
{
	int fd;

	FRESH();
	CHECK_INT(state_lib_open(base, STATE_READ), -ENOENT);
	fd = state_lib_open(base, STATE_WRITE);
	CHECK(fd >= 0);
	close(fd);
	fd = state_lib_open(base, STATE_READ);
	CHECK(fd >= 0);
	close(fd);
	tidy();
}

TEST(lock)
{
	struct state st, other;
	pid_t pid;

	FRESH();
	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), 0);
	CHECK_INT(state_open(&other, base, STATE_WRITE, 0), -EBUSY);
	/* Looking needs no lock */
	CHECK_INT(state_open(&other, base, STATE_READ, 0), 0);
	state_close(&other);
	pid = unit_fork();
	if (pid == 0) {
		/* Waits until the parent lets go */
		if (state_open(&other, base, STATE_WRITE, STATE_LOCK_SECONDS) < 0)
			_exit(1);
		_exit(state_write(&other, "applied", "child", 5) < 0);
	}
	/* The child holds copies of our descriptors: the lock must be let go, not only closed */
	CHECK_INT(flock(st.lock_fd, LOCK_UN), 0);
	state_close(&st);
	CHECK_INT(unit_wait(pid), 0);
	CHECK_INT(state_open(&st, base, STATE_WRITE, 0), 0);
	CHECK_STR(content(&st, "applied"), "child");
	state_close(&st);
	tidy();
}

/* Two runs that forget and make the state again never hold it both */
TEST(lock_is_of_one_only)
{
	pid_t pid[4];
	const char *inside;

	FRESH();
	inside = arena_printf(&arena, "%s/inside", base);
	for (size_t i = 0; i < ARRAY_SIZE(pid); i++) {
		pid[i] = unit_fork();
		if (pid[i] != 0)
			continue;
		for (int n = 0; n < 20; n++) {
			struct state st;
			int fd;

			if (state_open(&st, base, STATE_WRITE, STATE_LOCK_SECONDS) < 0)
				_exit(1);
			fd = open(inside, O_CREAT | O_EXCL | O_CLOEXEC, 0600);
			if (fd < 0)
				_exit(2);
			sched_yield();
			close(fd);
			if (unlink(inside) < 0 || state_forget(&st, NULL) < 0)
				_exit(3);
		}
		_exit(0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pid); i++)
		CHECK_INT(unit_wait(pid[i]), 0);
	tidy();
}

/* Killed at any moment, the file holds one of the whole texts */
TEST(killed_while_writing)
{
	static char a[20000], b[30000];
	unsigned int n_a = 0, n_b = 0;

	FRESH();
	memset(a, 'a', sizeof(a) - 1);
	memset(b, 'b', sizeof(b) - 1);
	for (int i = 0; i < 40; i++) {
		const struct timespec pause = { .tv_nsec = (long)unit_below(4000000) };
		const pid_t pid = unit_fork();
		struct state st;
		const char *got;

		if (pid == 0) {
			if (state_open(&st, base, STATE_WRITE, 5) < 0)
				_exit(1);
			while (state_write(&st, "applied", a, sizeof(a) - 1) == 0 &&
			       state_write(&st, "applied", b, sizeof(b) - 1) == 0)
				;
			_exit(1);
		}
		nanosleep(&pause, NULL);
		kill(pid, SIGKILL);
		CHECK_INT(unit_wait(pid), 128 + SIGKILL);
		CHECK_INT(state_open(&st, base, STATE_WRITE, 0), 0);
		got = content(&st, "applied");
		n_a += strcmp(got, a) == 0;
		n_b += strcmp(got, b) == 0;
		CHECK(strcmp(got, a) == 0 || strcmp(got, b) == 0 || strcmp(got, "ENOENT") == 0);
		state_close(&st);
	}
	CHECK(n_a + n_b > 0);
	tidy();
}
