/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state - what the kernel cannot remember for us
 *
 * Settings as they were before us, and what the last apply was given.  Kept
 * apart for each network namespace, and forgotten at boot.
 *
 *	DIR/run/COOKIE/boot		the boot that this is the state of
 *	DIR/run/COOKIE/lock		flock(2) of whoever changes the host
 *	DIR/run/COOKIE/NAME		"sallyport-state 1 LENGTH CHECKSUM", content
 *	DIR/run/COOKIE/text/N		the same
 *	DIR/lib				what outlives a reboot
 *
 * A file is there whole or not at all: written beside, synced, renamed.
 *
 * Owns:	 descriptors, and the lock while it is open for writing.
 * Does not:	 know what the contents mean.
 * Threads:	 none.
 */
#ifndef HOST_STATE_H
#define HOST_STATE_H

#include "base/arena.h"

#define STATE_RUN_DIR		"/run/sallyport"
#define STATE_LIB_DIR		"/var/lib/sallyport"
#define STATE_LOCK_SECONDS	10u		/* waited for another run to end */
#define STATE_FILE_BYTES	(16u << 20)	/* largest file, LIMIT_FILE_BYTES */
#define STATE_TEXTS		4096u		/* text/0 to text/4095, LIMIT_SOURCES */
#define STATE_DERIVED		"quick"		/* what follows from all the rest */
#define STATE_BOOT_BYTES	40u		/* a boot id, with its NUL */
#define STATE_DIR_BYTES		20u		/* a cookie in hex, with its NUL */

/**
 * enum state_mode - What the state is opened for
 * @STATE_READ:		Look only: nothing is made, no lock; all files are
 *			absent when there is no state of this boot
 * @STATE_WRITE:	Change: directories are made, the lock is held, STATE_DERIVED goes
 * @STATE_AMEND:	As STATE_WRITE, by who keeps STATE_DERIVED true
 */
enum state_mode { STATE_READ, STATE_WRITE, STATE_AMEND };

/**
 * struct state - The state of the current network namespace
 * @run_fd:	DIR/run, -1 = none
 * @dir_fd:	DIR/run/COOKIE, -1 = none
 * @lock_fd:	The lock, -1 = not held
 * @dir:	Name of the directory below DIR/run
 * @boot:	Id of this boot
 */
struct state {
	int run_fd;
	int dir_fd;
	int lock_fd;
	char dir[STATE_DIR_BYTES];
	char boot[STATE_BOOT_BYTES];
};

/**
 * state_open() - Open the state of the current network namespace
 * @st:		State; set whole, also on failure (then all is closed)
 * @base:	--state-dir, or NULL for STATE_RUN_DIR
 * @mode:	Look, or change
 * @wait_seconds: Longest wait for the lock, STATE_LOCK_SECONDS
 *
 * State of another boot is not seen by STATE_READ, and removed by STATE_WRITE.
 *
 * Return: 0; -EBUSY when another run held the lock all the time; -EACCES,
 * -EPERM, -EROFS without permission; -ELOOP or -ENOTDIR for a link where a
 * directory should be; -EUCLEAN for a directory that another user owns or may
 * write (-EACCES where that is root); another negative errno
 */
MUST_USE int state_open(struct state *st, const char *base, enum state_mode mode,
			uint32_t wait_seconds);

/**
 * state_share() - Look at a state that is open already
 * @from:	It
 * @st:		Set whole: open as for STATE_READ, without the lock
 *
 * Return: 0 or a negative errno; then @st is closed
 */
MUST_USE int state_share(const struct state *from, struct state *st);

/** state_close() - Close and unlock; for CLEANUP() too */
void state_close(struct state *st);

/**
 * state_read() - A file's content
 * @st:		State
 * @name:	"sysctl", "applied", "text/0"
 * @a:		Memory for it
 * @ret:	Set to the content on success, NUL after it
 * @ret_len:	Set to its length, bytes
 *
 * Return: 0; -ENOENT; -EBADMSG when it is damaged or of another version;
 * another negative errno
 */
MUST_USE int state_read(const struct state *st, const char *name, struct arena *a, char **ret,
			size_t *ret_len);

/**
 * state_write() - Replace a file's content; on disk when this returns 0
 * @st:		State open for STATE_WRITE
 * @name:	As state_read()
 * @data:	Content
 * @len:	Its length, at most STATE_FILE_BYTES
 *
 * Return: 0; -EFBIG; another negative errno: the old content stands then
 */
MUST_USE int state_write(struct state *st, const char *name, const char *data, size_t len);

/**
 * state_needs() - What state_write() of the same takes of the disk
 * @st:		State
 * @name:	As state_read()
 * @data:	Content
 * @len:	Its length
 *
 * Return: bytes; 0: the content is that already
 */
size_t state_needs(const struct state *st, const char *name, const char *data, size_t len);

/**
 * state_has_room() - Could so much be written now
 * @st:		State open for STATE_WRITE
 * @bytes:	In all files together
 *
 * Return: 0, also where the file system cannot tell; -ENOSPC or another negative errno
 */
MUST_USE int state_has_room(const struct state *st, size_t bytes);

/** state_remove() - Remove a file; 0 also when it is not there */
MUST_USE int state_remove(struct state *st, const char *name);

/**
 * state_forget() - Remove everything of this namespace, and unlock
 * @st:		State open for STATE_WRITE; closed afterwards
 * @keep:	Names that stay, as a pattern of fnmatch(3), or NULL
 *
 * Return: 0 or a negative errno
 */
MUST_USE int state_forget(struct state *st, const char *keep);

/**
 * state_lib_open() - The directory of what outlives a reboot
 * @base:	--state-dir, or NULL for STATE_LIB_DIR
 * @mode:	STATE_WRITE makes it
 *
 * Return: a descriptor, the caller's to close; or a negative errno as
 * state_open()
 */
MUST_USE int state_lib_open(const char *base, enum state_mode mode);

#endif /* HOST_STATE_H */
