/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file - small files that are read whole and replaced whole
 *
 * What the state directory (state_file.h) and the journal (journal.h) do alike.
 *
 * Owns:	 nothing.
 * Does not:	 lock, or know what is in them.
 * Threads:	 none.
 */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include "base/base.h"

/**
 * file_open() - Open a regular file
 * @dir_fd:	Its directory
 * @name:	Its name there
 * @flags:	O_RDONLY or O_WRONLY
 * @ret_size:	Set to its size, bytes
 *
 * Return: a descriptor, the caller's to close; -EBADMSG where it is a link or
 * no regular file, else a negative errno
 */
MUST_USE int file_open(int dir_fd, const char *name, int flags, size_t *ret_size);

/**
 * file_read() - Read from where it stands to its end, or until @buf is full
 * @fd:		File
 * @buf:	At least @size bytes
 * @size:	Most to read
 * @ret_len:	Set to how many were there
 *
 * Return: 0 or a negative errno
 */
MUST_USE int file_read(int fd, char *buf, size_t size, size_t *ret_len);

/** file_write() - Write all of it; 0 or a negative errno */
MUST_USE int file_write(int fd, const char *data, size_t len);

/** struct file_part - Bytes of a file that stand one after the other */
struct file_part {
	const char *data;
	size_t len;
};

/**
 * file_replace() - Write a file anew, synced, so that a crash leaves the old or the new
 * @dir_fd:	Its directory
 * @name:	Its name there, of which no other process makes a new one now
 * @parts:	Its content
 * @n:		Number of parts
 *
 * Return: 0, or a negative errno with the old file still there
 */
MUST_USE int file_replace(int dir_fd, const char *name, const struct file_part *parts, size_t n);

#endif /* HOST_FILE_H */
