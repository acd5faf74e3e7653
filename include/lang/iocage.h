/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iocage - iocage's file of a jail, config.json
 *
 * Owns:	 nothing; trees live in the context's arena.
 * Does not:	 know what a pool or a dataset is.
 * Normative:	 iocage(8) 1.7, its properties.
 */
#ifndef LANG_IOCAGE_H
#define LANG_IOCAGE_H

#include "lang/jail.h"

/**
 * iocage_parse() - Read a config.json
 * @c:		Context; errors are told
 * @src:	Its text
 * @defaults:	Source of defaults.json, whose properties hold where config.json
 *		says nothing; 0: none
 *
 * The jail's name is host_hostuuid, else the file's directory.
 *
 * Return: its jail as a jail.conf, never NULL
 */
struct jail_file *iocage_parse(struct lang_ctx *c, uint32_t src, uint32_t defaults);

#endif /* LANG_IOCAGE_H */
