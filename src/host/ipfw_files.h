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

/** ipfw_files_line() - Place of a line of the sandbox, and of those that "\\" joins to it */
struct span ipfw_files_line(const struct ipfw_exec *x, const struct ipfw_files *f, uint32_t line);

/**
 * ipfw_files_true_line() - The line that a call stands in
 * @x:		Run
 * @f:		Files
 * @call:	Call
 *
 * Of a command between backquotes the shell tells the line that ran before.
 *
 * Return: a line with backquotes shortly behind @call->line that has more of the
 * call's words than that one; else @call->line
 */
uint32_t ipfw_files_true_line(const struct ipfw_exec *x, const struct ipfw_files *f,
			      const struct sandbox_call *call);

/**
 * ipfw_files_word() - Where a word stands by itself
 * @x:		Run
 * @in:		Place to look in
 * @from:	From here on; set behind the word
 * @word:	Word
 * @ret:	Set to its place
 *
 * Return: true; false: nowhere, and nothing is set
 */
bool ipfw_files_word(const struct ipfw_exec *x, struct span in, uint32_t *from, const char *word,
		     struct span *ret);

/** ipfw_files_document() - The lines of the here-document of a call, that became @text; or false */
bool ipfw_files_document(const struct ipfw_exec *x, struct span call, const char *text,
			 struct span *ret);

/** ipfw_files_is_path() - Does a call of ipfw name a file of rules, there or not ("-q /FILE") */
bool ipfw_files_is_path(const struct sandbox_call *call);

/**
 * ipfw_files_rules() - The commands of a call that names a file of rules ("ipfw -q /FILE")
 * @x:		Run
 * @f:		Files
 * @call:	Call of ipfw
 * @ret:	Commands are added.  They stand in a file that the sandbox was given, or
 *		in the lines behind the call where it has a here-document; else in a
 *		source of their own, which the call uses
 *
 * Return: true; false: the call names no such file
 */
bool ipfw_files_rules(const struct ipfw_exec *x, const struct ipfw_files *f,
		      const struct sandbox_call *call, struct ipfw_cmds *ret);

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
