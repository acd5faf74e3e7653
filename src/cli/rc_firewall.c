/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Rules that are given with -f are the host's, whatever rc.conf says of its
 * firewall: they are what it names, or what stands in the place of it.  Without any
 * the rules that rc.firewall would make count, unless a jail has $nat or $forward:
 * those have no place in an ipfw ruleset (E1609), and who uses them did not mean
 * FreeBSD's script.  Nothing of this is silent.
 */
#include <string.h>

#include "cli/ipfw.h"
#include "model/forward.h"

#define SOURCE_NAME	"rc.firewall"

static void tell_missing(struct cli *c, const struct decl_firewall *f)
{
	if (f->own != NULL) {
		diag_add(&c->diags, DIAG_W1025, f->own_at,
			 "the rules of '%s' are not among the files that are given", f->own);
		diag_help(&c->diags, "give them too: --lang ipfw -f %s", f->own);
	} else if (f->unknown != NULL) {
		diag_add(&c->diags, DIAG_W1025, f->at,
			 "the rules of firewall type '%s' are not made", f->unknown);
		diag_help(&c->diags, "write them to a file, as `ipfw list` prints them where they "
			  "are, and give that: -f ipfw.rules");
	} else if (f->rules != NULL) {
		diag_add(&c->diags, DIAG_W1025, f->at,
			 "rc.firewall's rules are not made beside $nat and $forward of jails");
		diag_help(&c->diags, "say firewall_enable=\"NO\", or give the rules with -f");
	}
}

bool cli_rc_firewall(struct cli *c, const struct decl *d)
{
	const bool is_made = d->firewall.rules != NULL && !forward_is_any(d);

	for (uint32_t i = 0; i < c->files.n; i++)
		if (c->files.v[i].lang == LANG_PF || c->files.v[i].lang == LANG_IPFW)
			return false;
	if (!is_made)
		tell_missing(c, &d->firewall);
	return is_made;
}

uint32_t cli_rc_firewall_source(struct cli *c, const struct decl *d, bool says_one_pass)
{
	/* rc.firewall leaves it at what the kernel begins with; natd does not ask */
	const char *first = d->firewall.is_natd ? "disable one_pass\n" :
			    says_one_pass ? "" : "enable one_pass\n";
	const char *text = arena_printf(&c->arena, "%s%s", first, d->firewall.rules);

	return sources_add(&c->sources, SOURCE_NAME, text, (uint32_t)strlen(text),
			   d->firewall.at);
}
