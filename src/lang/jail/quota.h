/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quota - "max 200 rate 50/s", of a forward or a jail
 *
 * Does not:	 know whose it is.
 */
#ifndef LANG_JAIL_QUOTA_H
#define LANG_JAIL_QUOTA_H

#include "lang/text.h"
#include "model/decl.h"

/** jail_quota_rate() - "50/s": of seconds, minutes, hours or days; false when told that not */
bool jail_quota_rate(struct lang_ctx *c, const struct text *t, struct text_word w,
		     struct decl_quota *q);

/** jail_quota_max() - "200"; false when told that it is no number */
bool jail_quota_max(struct lang_ctx *c, const struct text *t, struct text_word w,
		    struct decl_quota *q);

/** jail_quota_parse() - A value of $limit, added to what @q has; errors are told */
void jail_quota_parse(struct lang_ctx *c, const struct text *t, struct decl_quota *q);

/** jail_blocks_parse() - "512" or "100 blocks of 512"; errors are told */
void jail_blocks_parse(struct lang_ctx *c, const struct text *t, struct decl_blocks *ret);

/** jail_quota_print() - " max 200 rate 50/s" into @buf of 64 bytes; "" without a quota */
const char *jail_quota_print(const struct decl_quota *q, char *buf);

#endif /* LANG_JAIL_QUOTA_H */
