/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rc - rc.conf(5) and sysctl.conf(5): what the host is
 *
 * rc.conf is a shell script in name only: hosts keep assignments there, and
 * those are read, the jails of FreeBSD 5 to 9 (jail_NAME_ip) among them.  Nothing
 * is run; what only a shell could know is an error.
 *
 * Owns:	 nothing; trees live in the context's arena.
 * Does not:	 read /etc/defaults/rc.conf, or set anything.
 * Normative:	 rc.conf(5), network.subr(8), sysctl.conf(5) of FreeBSD 14.
 */
#ifndef LANG_RC_H
#define LANG_RC_H

#include <stdio.h>

#include "lang/jail.h"
#include "model/decl.h"

struct text;

/**
 * struct rc_var - An assignment
 * @name:	Interned
 * @value:	Its value, variables replaced (src/lang/text.h)
 * @name_at:	The name
 * @is_last:	No later line assigns the same
 */
struct rc_var {
	const char *name;
	const struct text *value;
	struct span name_at;
	bool is_last;
};

/**
 * struct rc_file - An rc.conf
 * @vars:	Assignments in order
 */
struct rc_file {
	VEC(struct rc_var) vars;
};

/**
 * struct sysctlconf_file - A sysctl.conf
 * @settings:	Lines in order
 */
struct sysctlconf_file {
	VEC(struct decl_sysctl) settings;
};

/**
 * rc_parse() - Read an rc.conf
 * @c:		Context; errors are told, up to LIMIT_ERRORS
 * @src:	Its text
 *
 * A variable of @c->defines keeps that value, whatever the file assigns.
 *
 * Return: what could be understood, never NULL
 */
struct rc_file *rc_parse(struct lang_ctx *c, uint32_t src);

/**
 * rc_parse_all() - Read several rc.conf as one
 * @c:		Context
 * @srcs:	Their texts, in order: a later file overrides and may use what an
 *		earlier one assigns, as rc.conf.local does
 * @n:		How many
 *
 * Return: as rc_parse()
 */
struct rc_file *rc_parse_all(struct lang_ctx *c, const uint32_t *srcs, uint32_t n);

/**
 * rc_lower() - Add what an rc.conf says of the network to the declarations
 * @c:		Context; errors are told
 * @f:		File
 * @d:		Declarations; what an earlier file said is overridden
 */
void rc_lower(struct lang_ctx *c, const struct rc_file *f, struct decl *d);

/**
 * rc_jails() - The jails that an rc.conf declares: jail_NAME_ip and its like
 * @c:		Context; errors are told
 * @f:		File
 *
 * Return: them as a jail.conf of rank "rc.conf", never NULL; rc_lower() adds them
 */
struct jail_file *rc_jails(struct lang_ctx *c, const struct rc_file *f);

/**
 * rc_firewall() - What firewall_enable asks rc.firewall for
 * @c:		Context; told of flags of natd that have no form in ipfw (W1520)
 * @f:		File
 * @ret:	Set; all zero when it asks for nothing
 */
void rc_firewall(struct lang_ctx *c, const struct rc_file *f, struct decl_firewall *ret);

/** rc_yes_or_no() - A switch's value as rc.subr(8) reads it; -1 with E1509 told */
int rc_yes_or_no(struct lang_ctx *c, const struct rc_var *v);

/**
 * sysctlconf_parse() - Read a sysctl.conf
 * @c:		Context; errors are told
 * @src:	Its text
 *
 * Return: what could be understood, never NULL
 */
struct sysctlconf_file *sysctlconf_parse(struct lang_ctx *c, uint32_t src);

/**
 * rc_fmt() - Print an rc.conf as canonical text
 * @text:	What rc_parse() has read without an error
 * @len:	Its length
 * @out:	Written to: the same assignments in the same order, with their comments
 */
void rc_fmt(const char *text, size_t len, FILE *out);

/** sysctlconf_fmt() - The same of a sysctl.conf */
void sysctlconf_fmt(const char *text, size_t len, FILE *out);

/** sysctlconf_lower() - Add the settings that concern the network */
void sysctlconf_lower(struct lang_ctx *c, const struct sysctlconf_file *f, struct decl *d);

#endif /* LANG_RC_H */
