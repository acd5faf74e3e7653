/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture_file - the capture of --read, and what is told where it is none
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef CLI_CAPTURE_FILE_H
#define CLI_CAPTURE_FILE_H

#include "cli/cli.h"
#include "port/capture.h"

/** cli_capture_name() - The file of --read as messages have it */
const char *cli_capture_name(const struct cli *c);

/**
 * cli_capture_open() - Open the file of --read, or stdin
 * @c:		Run
 * @ret:	Set on success
 * @ret_file:	Set to what is read, the caller's to close where it is not stdin;
 *		NULL where there is no such file
 *
 * Return: 0; EX_NOINPUT or EX_DATAERR with a diagnostic
 */
MUST_USE int cli_capture_open(struct cli *c, struct capture *ret, FILE **ret_file);

/**
 * cli_capture_failed() - Complain of how reading ended
 * @c:		Run
 * @in:		The file of --read
 * @err:	What capture_next() returned, < 0
 *
 * Return: the exit status that belongs to it
 */
int cli_capture_failed(struct cli *c, const struct capture *in, int err);

#endif /* CLI_CAPTURE_FILE_H */
