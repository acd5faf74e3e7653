/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limits - every limit on what a user or a packet controls
 *
 * One place to read what this program refuses because of its size.  Each
 * limit is hit by a test that names it.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define LIMIT_ARENA_BYTES	(64u << 20)	/* memory of one compile */
#define LIMIT_ARENA_PER_BYTE	1024u		/* more of it for each byte of its files, */
#define LIMIT_ARENA_MOST	(512u << 20)	/* up to this */
#define LIMIT_FILE_BYTES	(16u << 20)	/* one declaration file */
#define LIMIT_SOURCES		4096u		/* files and macros in one compile */
#define LIMIT_INCLUDE_DEPTH	16u		/* include within include */
#define LIMIT_NESTING		64u		/* braces, macros of macros */
#define LIMIT_ERRORS		20u		/* errors told before we stop */
#define LIMIT_WARNINGS		500u		/* warnings and notes told; more are counted */
#define LIMIT_LIST_ITEMS	65536u		/* addresses of one range or list */
#define LIMIT_JSON_MEMBERS	4096u		/* members of one object */
#define LIMIT_RULES		200000u		/* rules of one model */
#define LIMIT_WORD_BYTES	1024u		/* one word of a declaration */
#define LIMIT_VALUE_BYTES	65536u		/* a value, its variables replaced */
#define LIMIT_COMMENT_BYTES	120u		/* comment of a kernel rule; nft stops at 128 */
#define LIMIT_CAPTURE_BYTES	(256u << 10)	/* one record of a capture */
#define LIMIT_CAPTURE_IFACES	1024u		/* interfaces of one capture */
#define LIMIT_WHY_PACKETS	50000u		/* packets of one capture that are judged */
#define LIMIT_IFNAME_BYTES	15u		/* IFNAMSIZ - 1 */

#endif /* BASE_LIMITS_H */
