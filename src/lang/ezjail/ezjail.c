/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/ezjail.h"

#include "lang/rc.h"

struct jail_file *ezjail_parse(struct lang_ctx *c, uint32_t src)
{
	const uint32_t n_errors = c->diags->n_errors;
	struct jail_file *f = rc_jails(c, rc_parse(c, src));

	/* It stands in a file of its own, and so for what a jail.conf says */
	f->is_rc = false;
	if (f->blocks.n == 0 && c->diags->n_errors == n_errors)
		diag_add(c->diags, DIAG_E2603,
			 (struct span){ src, 0, MIN(source_at(c->sources, src)->len, 1u) },
			 "no jail_NAME_ip, jail_NAME_hostname or jail_NAME_rootdir stands here");
	return f;
}
