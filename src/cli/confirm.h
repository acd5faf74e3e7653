/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * confirm - an apply that is taken back unless somebody says that it is good
 *
 * Before the host is changed, the state writes down what was applied before, with
 * all its texts, and a process is left behind that waits.  `confirm`, or a later
 * apply without --confirm, takes the note away, and the process ends.  If nobody
 * does, it makes the host as it was: as the texts of then declare it, or as
 * `destroy` leaves it.
 *
 *	confirm		ID UNTIL			who waits, and until when
 *	before		NAME LENGTH CONTENT ...		files of the state as they were
 *	reverted	SECONDS				when the host was put back
 *
 * Owns:	 the three files.
 */
#ifndef CLI_CONFIRM_H
#define CLI_CONFIRM_H

#include "cli/host.h"

/**
 * struct confirm_note - What waits to be confirmed
 * @id:		Which apply
 * @until:	End of the wait, seconds since 1970
 */
struct confirm_note {
	uint64_t id;
	int64_t until;
};

/** confirm_read() - The note; 0, -ENOENT: nothing waits, or another negative errno */
MUST_USE int confirm_read(const struct state *st, struct arena *a, struct confirm_note *ret);

/**
 * confirm_start() - From here on the host is put back unless that is confirmed
 * @c:		Run, with --confirm
 * @h:		Open for STATE_WRITE, nothing changed yet
 *
 * An apply that waits already is followed by this one; what was before it is
 * what the host is put back to.
 *
 * Return: 0, or an exit status with a diagnostic
 */
int confirm_start(struct cli *c, struct cli_host *h);

/** confirm_settle() - Nothing is to be put back any more; 0 or a negative errno */
MUST_USE int confirm_settle(struct state *st);

/**
 * confirm_restore() - Make the state's files as they were before
 * @c:		Run
 * @st:		State open for STATE_WRITE
 *
 * Return: 0; -ENOENT: nothing was applied before; another negative errno
 */
MUST_USE int confirm_restore(struct cli *c, struct state *st);

/** confirm_is_new() - Was nothing applied before */
bool confirm_is_new(const struct state *st, struct arena *a);

/**
 * confirm_guard() - Leave the process behind that puts the host back
 * @c:		Run
 * @note:	What it waits for
 *
 * Return: 0 once it waits, or a negative errno
 */
MUST_USE int confirm_guard(const struct cli *c, const struct confirm_note *note);

#endif /* CLI_CONFIRM_H */
