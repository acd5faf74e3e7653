/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox_trace - which line of the script calls a command
 *
 * The shell writes each command to standard error before it runs it (set -x),
 * marked with a number that the script does not know, and the line.  Lines
 * without the mark are the script's own.
 *
 * Owns:	 nothing.
 * Does not:	 know lines within "{ ...; } 2>/dev/null", whose trace is lost with
 *		 the rest: the line before stands for them.  Nor which of several
 *		 commands at once ("cmd &") a call is of.
 * Threads:	 none.
 */
#ifndef HOST_SANDBOX_TRACE_H
#define HOST_SANDBOX_TRACE_H

#include "host/sandbox.h"

#define TRACE_LINE_BYTES	8192u	/* of one line that are looked at */
#define TRACE_NAME_BYTES	64u
#define TRACE_RING		64u	/* commands that may wait for their call */

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
 * struct trace - What the shell wrote
 * @script:	What runs
 * @ops:	Told of refused commands and of the script's own lines
 * @arg:	For @ops
 * @mark:	"+0123456789abcdef:"
 * @ring:	The last commands, at number modulo TRACE_RING
 * @n:		Commands so far
 * @line:	Line of the last
 * @n_open:	Marks that have come without their line end: processes of one
 *		pipeline write their traces in pieces, into each other
 * @quote:	Quote that the last trace line left open, or 0: its command goes on
 * @buf:	The line so far
 * @len:	Bytes of it
 */
struct trace {
	const struct sandbox_script *script;
	const struct sandbox_ops *ops;
	void *arg;
	char mark[24];
	struct trace_entry ring[TRACE_RING];
	uint32_t n;
	uint32_t line;
	uint32_t n_open;
	char quote;
	char buf[TRACE_LINE_BYTES];
	uint32_t len;
};

/** trace_feed() - More bytes of standard error */
void trace_feed(struct trace *t, const char *bytes, size_t n);

/** trace_callers() - Lines that called the functions around @line; how many */
uint32_t trace_callers(const struct trace *t, uint32_t line, uint32_t *ret, uint32_t max);

/** trace_take() - The line of a call that came now, 0 = unknown */
uint32_t trace_take(struct trace *t, const char *name);

#endif /* HOST_SANDBOX_TRACE_H */
