/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox_trace - which line of the script calls a command
 *
 * The shell writes each command to standard error before it runs it (set -x),
 * marked with a number that the script does not know, and the line.  Lines
 * without the mark are the script's own.  It writes them in pieces, and the
 * processes of a pipeline at once: each has a line of its own here.
 *
 * Owns:	 nothing.
 * Does not:	 know lines within "{ ...; } 2>/dev/null", whose trace is lost with
 *		 the rest: the line before stands for them.  Nor which of several
 *		 commands of one name at once ("cmd &") a call is of.
 * Threads:	 none.
 */
#ifndef HOST_SANDBOX_TRACE_H
#define HOST_SANDBOX_TRACE_H

#include <sys/types.h>

#include "host/sandbox.h"

#define TRACE_LINE_BYTES	8192u	/* of one line that are looked at */
#define TRACE_NAME_BYTES	64u
#define TRACE_RING		64u	/* commands that may wait for their call */
#define TRACE_WRITERS		32u	/* processes that may be amid a line at once */

/**
 * struct trace_entry - A command that the shell said it will run
 * @name:	Its name without directory, cut if longer
 * @line:	Its line
 * @is_taken:	Its call has come
 */
struct trace_entry {
	char name[TRACE_NAME_BYTES];
	uint32_t line;
	bool is_taken;
};

/**
 * struct trace_writer - A process and the line that it writes
 * @pid:	The process, 0 = none
 * @quote:	Quote that its last trace line left open, or 0: the command goes on
 * @used:	struct trace's @n_fed when it wrote last
 * @len:	Bytes of the line so far
 * @buf:	These
 */
struct trace_writer {
	pid_t pid;
	char quote;
	uint64_t used;
	uint32_t len;
	char buf[TRACE_LINE_BYTES];
};

/**
 * struct trace - What the shell wrote
 * @script:	What runs
 * @ops:	Told of refused commands and of the script's own lines
 * @arg:	For @ops
 * @mark:	"+0123456789abcdef:"
 * @ring:	The last commands, at number modulo TRACE_RING
 * @n:		Commands so far
 * @line:	Line of the last
 * @writers:	Lines that are being written
 * @n_fed:	Pieces so far
 */
struct trace {
	const struct sandbox_script *script;
	const struct sandbox_ops *ops;
	void *arg;
	char mark[24];
	struct trace_entry ring[TRACE_RING];
	uint32_t n;
	uint32_t line;
	struct trace_writer writers[TRACE_WRITERS];
	uint64_t n_fed;
};

/** trace_feed() - More bytes of standard error, that @pid wrote */
void trace_feed(struct trace *t, pid_t pid, const char *bytes, size_t n);

/** trace_end() - Nothing more is written: what has no line end is a line too */
void trace_end(struct trace *t);

/** trace_callers() - Lines that called the functions around @line; how many */
uint32_t trace_callers(const struct trace *t, uint32_t line, uint32_t *ret, uint32_t max);

/** trace_take() - The line of a call that came now, 0 = unknown */
uint32_t trace_take(struct trace *t, const char *name);

#endif /* HOST_SANDBOX_TRACE_H */
