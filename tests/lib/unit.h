/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit - a unit test program in one header
 *
 *	#include "unit.h"
 *
 *	TEST(one_and_one)
 *	{
 *		CHECK_INT(1 + 1, 2);
 *	}
 *
 * One program per header under test; including this gives it its main().
 * `PROGRAM [PATTERN]...` runs the tests whose name holds a pattern.  Each test
 * prints `ok`, `not ok` or `skip` as tests/run reads them.  A check that fails
 * is told and the test goes on: write `if (!CHECK(x)) return;` where it cannot.
 * A test that checks nothing fails.
 *
 * Owns:	 main(), and standard output.
 * Threads:	 none.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNIT_DETAILS	20	/* failed checks of one test that are told */
#define UNIT_BUG_STATUS	70	/* how BUG_IF() ends a program */

/**
 * struct unit_test - One test
 * @name:	As given to TEST()
 * @fn:		Its body
 * @next:	The one defined after it
 */
struct unit_test {
	const char *name;
	void (*fn)(void);
	struct unit_test *next;
};

static struct {
	struct unit_test *first;
	struct unit_test **tail;
	const struct unit_test *now;
	uint64_t seed;		/* of the run */
	uint64_t random;	/* state; never 0 */
	unsigned int n_checks;	/* of the test that runs */
	unsigned int n_failed;	/* of these */
	const char *skip;	/* reason, or NULL */
	char details[16384];	/* what the failed checks said */
	size_t details_len;
} unit;

static inline void unit_register(struct unit_test *t)
{
	if (unit.tail == NULL)
		unit.tail = &unit.first;
	*unit.tail = t;
	unit.tail = &t->next;
}

/** TEST() - Define and register a test; its body follows */
#define TEST(id) \
	static void unit_body_##id(void); \
	static struct unit_test unit_test_##id = { #id, unit_body_##id, NULL }; \
	__attribute__((constructor)) static void unit_ctor_##id(void) \
	{ \
		unit_register(&unit_test_##id); \
	} \
	static void unit_body_##id(void)

__attribute__((format(printf, 1, 2))) static inline void unit_detail(const char *fmt, ...)
{
	const size_t left = sizeof(unit.details) - unit.details_len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(unit.details + unit.details_len, left, fmt, ap);
	va_end(ap);
	if (n > 0)
		unit.details_len += (size_t)n < left ? (size_t)n : left - 1;
}

/* Count a check; true when it holds, or when its failure is not to be told */
static inline bool unit_count(bool holds, const char *file, int line, const char *text)
{
	if (unit.now == NULL) {
		printf("not ok %s # %s:%d: check outside any test\n",
		       program_invocation_short_name, file, line);
		exit(1);
	}
	unit.n_checks++;
	if (holds)
		return true;
	if (++unit.n_failed <= UNIT_DETAILS)
		unit_detail("    # %s:%d: %s\n", file, line, text);
	return unit.n_failed > UNIT_DETAILS;
}

/* A string in the details, with each line of it marked as such */
static inline void unit_detail_str(const char *what, const char *s)
{
	unit_detail("    #   %s: ", what);
	for (; s != NULL && *s != '\0'; s++)
		unit_detail(*s == '\n' && s[1] != '\0' ? "\n    #        | " :
			    *s == '\n' ? "\\n" : (unsigned char)*s < 0x20 ? "\\x%02x" : "%c",
			    (unsigned char)*s);
	unit_detail(s == NULL ? "NULL\n" : "\n");
}

static inline bool unit_check_int(intmax_t got, intmax_t want, const char *file, int line,
				  const char *text)
{
	if (!unit_count(got == want, file, line, text))
		unit_detail("    #   got %jd (0x%jx), want %jd (0x%jx)\n", got, (uintmax_t)got,
			    want, (uintmax_t)want);
	return got == want;
}

static inline bool unit_check_str(const char *got, const char *want, const char *file, int line,
				  const char *text)
{
	const bool same = got == want ||
			  (got != NULL && want != NULL && strcmp(got, want) == 0);

	if (!unit_count(same, file, line, text)) {
		unit_detail_str("got ", got);
		unit_detail_str("want", want);
	}
	return same;
}

static inline bool unit_check(bool holds, const char *file, int line, const char *text)
{
	unit_count(holds, file, line, text);
	return holds;
}

/** CHECK() - @cond holds; its value */
#define CHECK(cond)		unit_check(!!(cond), __FILE__, __LINE__, #cond)

/** CHECK_INT() - Integer @got is @want; whether */
#define CHECK_INT(got, want) \
	unit_check_int((intmax_t)(got), (intmax_t)(want), __FILE__, __LINE__, \
		       #got " == " #want)

/** CHECK_STR() - C string @got reads as @want (either may be NULL); whether */
#define CHECK_STR(got, want)	unit_check_str((got), (want), __FILE__, __LINE__, #got)

/**
 * CHECK_EXITS() - Statement @stmt ends the program with exit status @status
 *
 * It runs in a child whose stderr is closed.
 */
#define CHECK_EXITS(stmt, status) \
	do { \
		const pid_t unit_pid_ = unit_fork(); \
		if (unit_pid_ == 0) { \
			stmt; \
			_exit(0); \
		} \
		CHECK_INT(unit_wait(unit_pid_), (status)); \
	} while (0)

/** CHECK_BUG() - Statement @stmt meets a BUG_IF() */
#define CHECK_BUG(stmt)		CHECK_EXITS(stmt, UNIT_BUG_STATUS)

/** UNIT_SKIP() - Leave the test: it cannot run here, for a @reason */
#define UNIT_SKIP(reason) \
	do { \
		unit.skip = (reason); \
		return; \
	} while (0)

static inline pid_t unit_fork(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0 && freopen("/dev/null", "w", stderr) == NULL)
		_exit(126);
	return pid;
}

/* Exit status of a child, or 128 + its signal */
static inline int unit_wait(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/** unit_random() - 64 random bits, repeatable by UNIT_SEED */
static inline uint64_t unit_random(void)
{
	uint64_t x = unit.random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	unit.random = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

/** unit_below() - A random number in 0..@n-1, @n > 0 */
static inline uint64_t unit_below(uint64_t n)
{
	return unit_random() % n;
}

/* Each test draws from a sequence of its own, whichever others run */
static inline void unit_seed_test(const char *name)
{
	uint64_t x = unit.seed * UINT64_C(0x9e3779b97f4a7c15);

	while (*name != '\0')
		x = (x ^ (unsigned char)*name++) * UINT64_C(0x100000001b3);
	unit.random = x | 1;
}

static inline bool unit_is_wanted(const struct unit_test *t, char **patterns)
{
	if (*patterns == NULL)
		return true;
	for (; *patterns != NULL; patterns++)
		if (strstr(t->name, *patterns) != NULL)
			return true;
	return false;
}

/* Run one test and print its result; whether it failed */
static inline bool unit_run(const struct unit_test *t, const char *program)
{
	unit.now = t;
	unit.n_checks = unit.n_failed = 0;
	unit.details_len = 0;
	unit.details[0] = '\0';
	unit.skip = NULL;
	unit_seed_test(t->name);
	t->fn();
	unit.now = NULL;
	if (unit.skip != NULL && unit.n_failed == 0) {
		printf("skip %s/%s # %s\n", program, t->name, unit.skip);
		return false;
	}
	if (unit.n_checks == 0)
		unit_detail("    # the test checks nothing\n");
	if (unit.n_checks > 0 && unit.n_failed == 0) {
		printf("ok %s/%s\n", program, t->name);
		return false;
	}
	printf("not ok %s/%s\n%s", program, t->name, unit.details);
	printf("    # %u of %u checks failed; UNIT_SEED=%" PRIu64 "\n", unit.n_failed,
	       unit.n_checks, unit.seed);
	return true;
}

/* UNIT_SEED: a number, or "random"; 1 without it, so that a plain run repeats */
static inline uint64_t unit_seed(void)
{
	const char *env = getenv("UNIT_SEED");

	if (env == NULL)
		return 1;
	if (strcmp(env, "random") == 0)
		return (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
	return strtoull(env, NULL, 0);
}

int main(int argc, char **argv)
{
	const char *program = program_invocation_short_name;
	bool failed = false;

	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	unit.seed = unit_seed();
	if (strncmp(program, "test_", 5) == 0)
		program += 5;
	for (const struct unit_test *t = unit.first; t != NULL; t = t->next)
		if (unit_is_wanted(t, argv + 1))
			failed |= unit_run(t, program);
	return failed;
}

#endif /* TESTS_UNIT_H */
