/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox - run somebody's shell script where it can do no harm
 *
 * The script runs in a shell that sees an empty, read-only file system with a
 * few text tools, a small tmpfs, no network, no other process and no
 * privilege.  Commands that ask or change the host are answered by the
 * caller, who so learns what the script wants.
 *
 * Owns:	 the processes of a run, all gone when sandbox_run() returns.
 * Does not:	 know ipfw, or speak: results are codes and callbacks.
 * Threads:	 none, neither before nor during a run.
 * Normative:	 user_namespaces(7), mount_namespaces(7), capabilities(7).
 */
#ifndef HOST_SANDBOX_H
#define HOST_SANDBOX_H

#include "base/base.h"

#define SANDBOX_SECONDS		5u		/* a script's time, if none is said */
#define SANDBOX_CPU_SECONDS	10u		/* of any one process */
#define SANDBOX_MEMORY_BYTES	(128u << 20)	/* of any one process */
#define SANDBOX_PROCESSES	64u		/* at any one time */
#define SANDBOX_TMP_BYTES	(4u << 20)	/* everything in /tmp */
#define SANDBOX_TMP_FILES	256u		/* files in /tmp */
#define SANDBOX_OPEN_FILES	64u		/* of any one process */
#define SANDBOX_CALLS		20000u		/* commands answered in one run */
#define SANDBOX_CALL_BYTES	65536u		/* arguments of one command */
#define SANDBOX_CALLERS		4u		/* functions within each other that are told */
#define SANDBOX_SAID_BYTES	(16u << 20)	/* trace and messages of one run */

/**
 * struct sandbox_var - A variable that is set before the script begins
 * @name:	A shell name
 * @value:	Any C string
 */
struct sandbox_var {
	const char *name;
	const char *value;
};

/**
 * struct sandbox_file - A file that the script finds
 * @path:	Absolute, its directories are made; read-only but for those below /tmp
 * @text:	C string
 */
struct sandbox_file {
	const char *path;
	const char *text;
};

/**
 * struct sandbox_call - A command that the caller answers
 * @argv:	Its name without directory, then its arguments
 * @n:		How many, >= 1
 * @line:	Line of the script, from 1; 0 = unknown
 * @callers:	Lines that called the functions in which @line stands, the innermost
 *		first, as far as braces tell
 * @n_callers:	How many
 * @file:	Text of the file that its last argument names by an absolute path,
 *		"/dev/stdin" included; NULL: it names none
 */
struct sandbox_call {
	const char *const *argv;
	uint32_t n;
	uint32_t line;
	uint32_t callers[SANDBOX_CALLERS];
	uint32_t n_callers;
	const char *file;
};

/**
 * struct sandbox_answer - What the command does, as the script sees it
 * @status:	Exit status, 0 to 255
 * @out:	Its standard output, or NULL
 * @err:	Its standard error, or NULL
 * @stop:	End the run now, as SANDBOX_TOO_MUCH
 *
 * Strings are read before the next callback.
 */
struct sandbox_answer {
	int status;
	const char *out;
	const char *err;
	bool stop;
};

/**
 * struct sandbox_ops - Who listens to a run
 * @ask:	Names of variables of which the call is to know whether they are
 *		set: written to an array, at most so many; how many.  NULL: none
 * @call:	Answers a command, given a bit for each name of @ask that has no
 *		value
 * @refused:	A command was called that is none of shell, tools and answered
 * @said:	The script wrote a line to standard error
 */
struct sandbox_ops {
	uint32_t (*ask)(void *arg, const struct sandbox_call *call, const char **names,
			uint32_t max);
	void (*call)(void *arg, const struct sandbox_call *call, uint64_t unset,
		     struct sandbox_answer *ret);
	void (*refused)(void *arg, const char *name, uint32_t line);
	void (*said)(void *arg, const char *text, size_t len, uint32_t line);
};

/**
 * struct sandbox_script - What to run
 * @name:	Its $0
 * @text:	The script
 * @len:	Bytes
 * @vars:	Variables
 * @n_vars:	How many
 * @files:	Files
 * @n_files:	How many
 * @commands:	Commands that the caller answers, NULL after the last
 * @seconds:	Its time; 0: SANDBOX_SECONDS
 */
struct sandbox_script {
	const char *name;
	const char *text;
	uint32_t len;
	const struct sandbox_var *vars;
	uint32_t n_vars;
	const struct sandbox_file *files;
	uint32_t n_files;
	const char *const *commands;
	uint32_t seconds;
};

/**
 * enum sandbox_end - How a run ended
 * @SANDBOX_DONE:	The script came to its end, or said "exit 0"
 * @SANDBOX_STOPPED:	It stopped before: exit, set -e, or a syntax error
 * @SANDBOX_KILLED:	A signal: it met a limit
 * @SANDBOX_TIMEOUT:	Its time was up
 * @SANDBOX_TOO_MUCH:	It called or said more than SANDBOX_CALLS and its like
 */
enum sandbox_end {
	SANDBOX_DONE, SANDBOX_STOPPED, SANDBOX_KILLED, SANDBOX_TIMEOUT, SANDBOX_TOO_MUCH
};

/**
 * struct sandbox_result - How a run ended
 * @end:	In which way
 * @status:	Exit status, or the signal of SANDBOX_KILLED
 * @line:	Line of the last command that was seen, or 0
 */
struct sandbox_result {
	enum sandbox_end end;
	int status;
	uint32_t line;
};

/**
 * sandbox_run() - Run a script
 * @script:	Script
 * @ops:	Told of what it does
 * @arg:	For @ops
 * @ret:	Set on success
 *
 * Cost: three processes and some 60 mounts and links; then one process for each
 * tool that the script calls and each command that the caller answers.
 *
 * Return: 0; -ENOEXEC: there is no busybox; -ENOTSUP: this kernel, or its
 * administrator, gives no user namespaces; another negative errno of the system
 */
MUST_USE int sandbox_run(const struct sandbox_script *script, const struct sandbox_ops *ops,
			 void *arg, struct sandbox_result *ret);

/** sandbox_tools() - Names of the text tools that a script may use, NULL after the last */
const char *const *sandbox_tools(void);

#endif /* HOST_SANDBOX_H */
