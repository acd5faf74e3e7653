/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journal - lines that are added one by one and outlive the machine's end
 *
 *	sallyport-journal 1
 *	LENGTH NUMBER CHECK CHECKSUM TEXT
 *	...
 *
 * LENGTH is of TEXT, NUMBER counts from 1, CHECK guards these two, CHECKSUM
 * guards all; 4, 8, 8 and 16 hex digits.  An entry is there once
 * journal_append() returned 0.  An entry that was being written when the
 * machine or the program ended is known by its missing end, and is as if it had
 * never been begun; whatever else is not as it was written makes the whole
 * journal unreadable, and says where.
 *
 * Owns:	 nothing; entries live in the arena.
 * Does not:	 lock, or know what an entry means; whoever writes holds a lock.
 * Threads:	 none.
 */
#ifndef HOST_JOURNAL_H
#define HOST_JOURNAL_H

#include "base/arena.h"

#define JOURNAL_VERSION		1u
#define JOURNAL_TEXT_BYTES	0xffffu		/* longest text of an entry */
#define JOURNAL_BYTES		(64u << 20)	/* longest journal that is read */

/**
 * struct journal_entry - An entry
 * @text:	Its text, one line without its end, NUL after it
 * @len:	Its length, bytes
 */
struct journal_entry {
	const char *text;
	uint32_t len;
};

/**
 * struct journal - What a journal holds
 * @list:	Entries; number n is at index n - 1
 * @size:	Bytes of the whole entries and of what stands before them
 * @is_torn:	An unfinished entry follows them
 * @bad:	With -EBADMSG: number of the entry that is damaged; 0: what stands
 *		before the first
 * @version:	With -EPROTONOSUPPORT: whose version it is
 */
struct journal {
	VEC(struct journal_entry) list;
	size_t size;
	bool is_torn;
	uint32_t bad;
	uint32_t version;
};

/**
 * journal_read() - Read a journal
 * @dir_fd:	Directory
 * @name:	File in it
 * @a:		Memory for the texts
 * @ret:	Set, also on failure: then without entries
 *
 * Return: 0, also for a file that is not there (an empty journal); -EBADMSG:
 * damaged; -EPROTONOSUPPORT: of another version; -EFBIG: over JOURNAL_BYTES;
 * another negative errno
 */
MUST_USE int journal_read(int dir_fd, const char *name, struct arena *a, struct journal *ret);

/**
 * journal_append() - Add an entry; on disk when this returns 0
 * @dir_fd:	Directory
 * @name:	File in it, made if it is not there
 * @j:		What journal_read() found; nobody has written since.  It gets the
 *		new entry
 * @a:		Memory
 * @text:	Text without a newline, at most JOURNAL_TEXT_BYTES
 *
 * Cost: one write and one fsync; of a new journal that of journal_replace().
 *
 * Return: 0; -EFBIG when the journal would be over JOURNAL_BYTES; another
 * negative errno: the journal is as it was, or has an unfinished entry
 */
MUST_USE int journal_append(int dir_fd, const char *name, struct journal *j, struct arena *a,
			    const char *text);

/**
 * struct journal_place - An entry that was added without reading the others
 * @number:	Its number
 * @size:	Bytes of what stands before it
 */
struct journal_place {
	uint32_t number;
	size_t size;
};

/**
 * journal_append_last() - journal_append() to a journal that was not read
 * @dir_fd:	Directory
 * @name:	File in it, made if it is not there
 * @most:	Number of entries that it may have before
 * @text:	As journal_append()
 * @ret:	Set, on failure too
 *
 * Only the first line and the last entry are looked at.  Cost: one write and one
 * fsync, whatever its length; of a new journal that of journal_replace().
 *
 * Return: 0; -EFBIG: it has @most; -EBADMSG: its last entry is
 * not whole, or it is of another version; another negative errno.  Nothing was added
 */
MUST_USE int journal_append_last(int dir_fd, const char *name, uint32_t most, const char *text,
				 struct journal_place *ret);

/** journal_take_back() - Remove the entry just added; 0 or a negative errno */
MUST_USE int journal_take_back(int dir_fd, const char *name, const struct journal_place *at);

/**
 * journal_replace() - Let a journal hold these entries and no others
 * @dir_fd:	Directory
 * @name:	File in it
 * @j:		Entries; what it says of the file is set
 *
 * Written beside, synced, renamed: at each moment the old journal is there or
 * the new one.
 *
 * Return: 0; -EFBIG; another negative errno: the old journal stands
 */
MUST_USE int journal_replace(int dir_fd, const char *name, struct journal *j);

#endif /* HOST_JOURNAL_H */
