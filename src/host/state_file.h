/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state_file - one file of the state directory, whole or not at all
 *
 * Owns:	 nothing.
 * Does not:	 lock; whoever writes holds the lock.
 * Threads:	 none.
 */
#ifndef HOST_STATE_FILE_H
#define HOST_STATE_FILE_H

#include "base/base.h"

/**
 * state_file_size() - Bytes that a file's content has at most
 * @dir_fd:	Directory
 * @name:	File
 * @ret:	Set on success
 *
 * Return: 0, -ENOENT, -EBADMSG when it is no regular file, or another negative errno
 */
MUST_USE int state_file_size(int dir_fd, const char *name, size_t *ret);

/**
 * state_file_load() - Read and check a file
 * @dir_fd:	Directory
 * @name:	File
 * @buf:	Set to the content; may be overwritten on failure
 * @size:	Bytes in @buf
 * @ret_len:	Set to the content's length on success
 *
 * Return: 0; -ENOENT; -EFBIG when it is longer than @size; -EBADMSG when
 * header, length or checksum do not agree; or another negative errno
 */
MUST_USE int state_file_load(int dir_fd, const char *name, char *buf, size_t size,
			     size_t *ret_len);

/**
 * state_file_save() - Replace a file; it is on disk when this returns 0
 * @dir_fd:	Directory
 * @name:	File
 * @data:	Content
 * @len:	Its length, bytes
 *
 * Return: 0 or a negative errno; the old file stands then
 */
MUST_USE int state_file_save(int dir_fd, const char *name, const char *data, size_t len);

/** state_file_needs() - Bytes of the disk that this would take, in pages; 0: it is there already */
size_t state_file_needs(int dir_fd, const char *name, const char *data, size_t len);

/**
 * state_file_clear() - Remove everything in a directory, one level deep
 * @dir_fd:	Directory
 * @keep:	Names that stay, as patterns of fnmatch(3); NULL ends them
 *
 * Return: 0 or a negative errno
 */
MUST_USE int state_file_clear(int dir_fd, const char *const keep[]);

#endif /* HOST_STATE_FILE_H */
