/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What every ruleset knows of the declared jails, unless it says otherwise:
 * a variable for each, and the table "jails".  A list is written with commas, so
 * it stands wherever an address may.  ipfw takes one family in such a list: who
 * has both is two lists, as "{ A,A or B,B }".
 */
#include <ctype.h>
#include <string.h>

#include "lang/ipfw/lower.h"

static const char *of_family(struct arena *a, const struct decl_jail *j, uint8_t af)
{
	const char *text = "";
	char buf[ADDR_TEXT_BYTES];

	for (uint32_t i = 0; i < j->addrs.n; i++)
		if (j->addrs.v[i].p.a.af == af)
			text = arena_printf(a, "%s%s%s", text, text[0] != '\0' ? "," : "",
					    addr_print(j->addrs.v[i].p.a, buf));
	return text;
}

static const char *addresses(struct arena *a, const struct decl_jail *j)
{
	const char *v4 = of_family(a, j, AF_V4), *v6 = of_family(a, j, AF_V6);

	if (v4[0] == '\0' || v6[0] == '\0')
		return v4[0] != '\0' ? v4 : v6;
	return arena_printf(a, "{ %s or %s }", v4, v6);
}

void ipfw_jail_variables(struct lang_ctx *c, const struct decl *d)
{
	struct lang_define *list = arena_array(c->a, struct lang_define, d->jails.n + 1);
	uint32_t n = 0;

	for (uint32_t i = 0; i < d->jails.n; i++) {
		char *name = arena_printf(c->a, "jail_%s", d->jails.v[i].name);

		for (char *s = name; *s != '\0'; s++)
			if (!isalnum((unsigned char)*s))
				*s = '_';
		if (d->jails.v[i].addrs.n > 0)
			list[n++] = (struct lang_define){ name, addresses(c->a, &d->jails.v[i]) };
	}
	c->presets = list;
	c->n_presets = n;
}

/* The table "jails" as the declarations have it */
static const struct ipfw_table *declared(struct lower *l, const char *name)
{
	const struct decl *d = l->o->d;
	struct ipfw_table *t = arena_new(l->a, struct ipfw_table);

	*t = (struct ipfw_table){ .name = name, .type = IW_K_ADDR };
	for (uint32_t i = 0; i < d->jails.n; i++) {
		const struct decl_jail *j = &d->jails.v[i];

		for (uint32_t k = 0; k < j->addrs.n; k++) {
			const struct addr a = j->addrs.v[k].p.a;

			vec_add(l->a, &t->entries, ((struct ipfw_entry){
				.addrs = { a, a.af == AF_V4 ? 32 : 128 },
				.proto = -1, .sport = -1, .dport = -1, .at = j->addrs.v[k].at }));
		}
	}
	return t;
}

const struct ipfw_table *lower_find_table(struct lower *l, const char *name)
{
	const struct ipfw_table *t = ipfw_find_table(l->rs, name);

	/* One that the ruleset makes and leaves empty is filled by others: here, by us */
	if (strcmp(name, "jails") != 0 || l->o->d == NULL || l->o->d->jails.n == 0 ||
	    (t != NULL && t->entries.n > 0))
		return t;
	if (l->jails == NULL)
		l->jails = declared(l, name);
	return l->jails;
}
