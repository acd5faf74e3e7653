/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * confirm - an apply that is taken back unless somebody says that it is good
 *
 * Before the host is changed, the state writes down what was applied before, with
 * all its texts, and a process is left behind that waits.  `confirm`, or a later
 * apply without --confirm, takes the note away, and the process ends.  If nobody
 * does, it makes the host as it was: as the texts of then declare it, or as
 * `destroy` leaves it.  Where that process was killed, the next run that would change
 * the host does so first.
 *
 *	confirm		ID UNTIL END			who waits, and until when
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
 * @until:	End of the wait, seconds since 1970, as the clock said when it began
 * @end_ms:	The same since boot: what counts, whatever is done to the clock
 */
struct confirm_note {
	uint64_t id;
	int64_t until;
	int64_t end_ms;
};

/** confirm_read() - The note; 0, -ENOENT: nothing waits, or another negative errno */
MUST_USE int confirm_read(const struct state *st, struct arena *a, struct confirm_note *ret);

/** confirm_left_ms() - Until the end of the wait; not positive: it is over */
int64_t confirm_left_ms(const struct confirm_note *note);

/** confirm_is_late() - Does something wait whose time is over */
bool confirm_is_late(const struct state *st);

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

/**
 * confirm_overdue() - Put the host back where nobody was left to do it in time
 * @c:		Run that will change the host, without the lock; a warning says what
 *		was done
 *
 * Return: 0: go on, also when the host could not be put back; or an exit status with
 * a diagnostic: another run holds the lock, or this one may not
 */
int confirm_overdue(struct cli *c);

#endif /* CLI_CONFIRM_H */
