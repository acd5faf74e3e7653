/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as an rc.conf and as a sysctl.conf: parsed, lowered and told */
#include "fuzz_lang.h"
#include "lang/rc.h"

static void fuzz_one(struct fuzz *f)
{
	static const struct lang_define define = { "a", "inet 10.0.0.1-3/24" };
	struct decl d;

	f->c.defines = &define;
	f->c.n_defines = 1;
	decl_init(&d, &f->a, &f->names);
	rc_lower(&f->c, rc_parse(&f->c, f->src), &d);
	sysctlconf_lower(&f->c, sysctlconf_parse(&f->c, f->src), &d);
	decl_finish(&d, &f->diags);
	decl_to_facts(&d, &f->facts);
}
