/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import - declarations from another jail manager's files
 *
 * A manager's reader adds jails and says of each thing that it found whether
 * ours is equal, differs or is missing, and why.
 *
 * Owns:	 nothing; lives in the run's arena.
 */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include "cli/cli.h"
#include "lang/jail_make.h"
#include "prove/prove.h"

enum import_verdict { IMPORT_EQUAL, IMPORT_DIFFERS, IMPORT_MISSING };
enum import_proof { IMPORT_UNTRIED, IMPORT_PROVEN, IMPORT_REFUTED, IMPORT_UNPROVEN };

/**
 * struct import_claim - What we write, and the rule of pf that the manager loads for it
 * @jail:	Jail, or NULL: nothing is claimed
 * @name:	"$forward" or "$nat"
 * @value:	Its value
 * @rules:	The manager's own, as lines of a pf.conf
 * @on:		Their interface
 */
struct import_claim {
	const char *jail;
	const char *name;
	const char *value;
	const char *rules;
	const char *on;
};

/**
 * struct import_row - What became of one thing
 * @jail:	Jail
 * @verdict:	How ours compares
 * @what:	What it is
 * @why:	Why it is not equal, or NULL
 * @at:		Where it stands
 * @claim:	What can be proven of it
 * @proof:	What came of that
 * @unproven:	IMPORT_UNPROVEN: why
 * @diff:	IMPORT_REFUTED: a packet
 */
struct import_row {
	const char *jail;
	enum import_verdict verdict;
	const char *what;
	const char *why;
	struct span at;
	struct import_claim claim;
	enum import_proof proof;
	const char *unproven;
	struct prove_difference diff;
};

/**
 * struct import - One import
 * @cli:	Run
 * @c:		Context
 * @dir:	The manager's directory
 * @out:	Jails so far
 * @rows:	The report
 * @is_proven:	What is written means what was read
 */
struct import {
	struct cli *cli;
	struct lang_ctx *c;
	const char *dir;
	struct jail_file out;
	struct import_rows {
		VEC(struct import_row) list;
	} rows;
	bool is_proven;
};

/** import_row() - Add a line of the report */
void import_row(struct import *im, const char *jail, enum import_verdict verdict, struct span at,
		const char *what, const char *why);

/** import_claim() - What the last line of the report claims */
void import_claim(struct import *im, const struct import_claim *claim);

/** import_address() - An address of a jail in a family, as pf writes it, or NULL */
const char *import_address(struct import *im, const struct jail_block *b, uint8_t af);

/**
 * import_prove() - Prove what is claimed, and that what is written means what was read
 * @im:		Import
 * @text:	What is written, a jail.conf
 * @len:	Its length
 *
 * Of the host is taken what --interfaces and the files of -f say; without, nothing is
 * proven, and a note says so.
 *
 * Return: 0; EX_DIFFERS where they differ and the report did not say so; another status
 */
int import_prove(struct import *im, const char *text, size_t len);

/**
 * import_glob() - Files of the jails
 * @im:		Import
 * @tail:	Pattern below a jail's directory, "/jail.conf"
 * @out:	Paths DIR/jails/NAME/TAIL are added, else of DIR/NAME/TAIL
 */
void import_glob(struct import *im, const char *tail, struct lang_paths *out);

/** import_read() - Read a file; false: it is not there, or told */
bool import_read(struct import *im, const char *path, uint32_t *ret_src);

/** import_sibling() - The file @name in the directory of @path */
const char *import_sibling(struct import *im, const char *path, const char *name);

/** import_forward() - One more $forward of a jail, unless it has the same already */
void import_forward(struct import *im, struct jail_block *b, const char *words, struct span at);

/** import_has() - Does a jail set the parameter @name */
bool import_has(const struct jail_block *b, const char *name);

/** import_ports() - Ports as $forward writes them: "-" for pf's ":" */
const char *import_ports(struct import *im, const char *host, const char *jail);

void import_bastille(struct import *im);
void import_appjail(struct import *im);

#endif /* CLI_IMPORT_H */
