/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a pf.conf: parsed, lowered, checked and told; includes read the same bytes */
#include <string.h>

#include "fuzz_lang.h"
#include "lang/pf.h"

static void add_addr(struct facts *f, const char *iface, const char *text)
{
	struct iface_addr ia = { .at = SPAN_NONE };

	BUG_IF(prefix_parse(text, strlen(text), &ia.p) != 0);
	facts_add_addr(f, facts_add(f, iface), ia);
}

static void fuzz_one(struct fuzz *f)
{
	static const struct lang_loader loader = { .read = fuzz_read_again };
	const struct pf_options options = { .tolerate_missing = f->size % 2 == 0 };
	const struct pf_file *file;
	struct model m;

	f->c.loader = &loader;
	add_addr(&f->facts, "igb0", "203.0.113.2/24");
	add_addr(&f->facts, "igb0", "2001:db8::2/64");
	add_addr(&f->facts, "igb0", "fe80::2/64");
	add_addr(&f->facts, "lo1", "192.168.100.2/32");
	file = pf_parse(&f->c, NULL, &f->src, 1);
	model_init(&m, &f->a, &f->names, &f->facts);
	if (pf_lower(&f->c, file, &f->facts, NULL, &options, &m))
		BUG_IF(model_check(&m) != NULL);
}
