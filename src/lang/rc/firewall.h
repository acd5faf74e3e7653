/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * firewall - what firewall.c and the types of rc.firewall with pages of rules share
 *
 * Owns:	 nothing; text lives in the arena.
 * Threads:	 none.
 */
#ifndef LANG_RC_FIREWALL_H
#define LANG_RC_FIREWALL_H

#include "lang/rc.h"

/** rc_firewall_find() - The assignment that counts, even of an empty value; or NULL */
const struct rc_var *rc_firewall_find(const struct rc_file *f, const char *name);

/**
 * rc_firewall_client() - Rules of type "client"
 * @c:		Context; values that cannot stand in a rule are told
 * @f:		rc.conf
 *
 * Return: lines of ipfw
 */
const char *rc_firewall_client(struct lang_ctx *c, const struct rc_file *f);

/**
 * rc_firewall_simple() - Rules of type "simple"
 * @c:		Context; values that cannot stand in a rule are told
 * @f:		rc.conf
 * @divert:	The rule that hands packets to natd, and its nat; "" for none
 *
 * Return: lines of ipfw
 */
const char *rc_firewall_simple(struct lang_ctx *c, const struct rc_file *f, const char *divert);

/**
 * rc_firewall_workstation() - Rules of type "workstation"
 * @c:		Context; values that cannot stand in a rule are told
 * @f:		rc.conf
 *
 * Return: lines of ipfw
 */
const char *rc_firewall_workstation(struct lang_ctx *c, const struct rc_file *f);

#endif /* LANG_RC_FIREWALL_H */
