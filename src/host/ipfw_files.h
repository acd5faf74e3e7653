/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw_files - the files that a firewall script finds in the sandbox
 *
 * Those that lie beside the script, or in the current directory, and that it
 * names; and those that the caller gives.  Everything else of the host stays
 * out.
 *
 * Owns:	 nothing; lives in the context's arena.
 * Threads:	 none.
 */
#ifndef HOST_IPFW_FILES_H
#define HOST_IPFW_FILES_H

#include "host/ipfw_exec.h"
#include "host/sandbox.h"

#define IPFW_FILES_MAX	64u	/* files that one script may name */

/**
 * struct ipfw_file - A file that the script may read
 * @src:	Its text
 * @base:	Its name without directories
 * @is_sourced:	Some text reads it by ".": its lines count on from those before
 * @first_line:	The number that its first line has in the sandbox
 * @lines:	Offset of each line's first byte
 */
struct ipfw_file {
	uint32_t src;
	const char *base;
	bool is_sourced;
	uint32_t first_line;
	VEC(uint32_t) lines;
};

/**
 * struct ipfw_files - A script and the files that it may read
 * @list:	The script is the first
 */
struct ipfw_files {
	VEC(struct ipfw_file) list;
};

/**
 * ipfw_files_find() - Find them
 * @x:		Run
 * @ret:	Set
 */
void ipfw_files_find(const struct ipfw_exec *x, struct ipfw_files *ret);

/** ipfw_files_at() - The file that a line of the sandbox is of; never NULL */
const struct ipfw_file *ipfw_files_at(const struct ipfw_files *f, uint32_t line);

/**
 * struct ipfw_paths - Files as the sandbox takes them
 */
struct ipfw_paths {
	VEC(struct sandbox_file) list;
};

/**
 * ipfw_files_paths() - Under which paths the script finds a file
 * @x:		Run
 * @f:		Files
 * @i:		Which, > 0
 * @text:	What it holds there
 * @ret:	Paths are added, none twice
 */
void ipfw_files_paths(const struct ipfw_exec *x, const struct ipfw_files *f, uint32_t i,
		      const char *text, struct ipfw_paths *ret);

#endif /* HOST_IPFW_FILES_H */
