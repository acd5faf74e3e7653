/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * firewall_enable runs FreeBSD's rc.firewall, a script of the base system, or
 * the host's own firewall_script.  The own one is given with -f and is nothing
 * to say; of the base system's we have no rules.  Type "open" passes all, as we
 * do without rules; for any other, and for the nat that the script sets up, what
 * is missing is told with what to write instead.
 */
#include <string.h>
#include <strings.h>

#include "lang/rc.h"
#include "lang/text.h"

static const struct rc_var *find(const struct rc_file *f, const char *name)
{
	for (uint32_t i = f->vars.n; i-- > 0; )
		if (f->vars.v[i].is_last && strcmp(f->vars.v[i].name, name) == 0)
			return f->vars.v[i].value->buf.n > 0 ? &f->vars.v[i] : NULL;
	return NULL;
}

static const char *value(const struct rc_file *f, const char *name)
{
	const struct rc_var *v = find(f, name);

	return v != NULL ? v->value->buf.v : NULL;
}

static bool is_yes(struct lang_ctx *c, const struct rc_file *f, const char *name)
{
	const struct rc_var *v = find(f, name);

	return v != NULL && rc_yes_or_no(c, v) > 0;
}

/* Are the rules the host's own: a script, or a file named as the type */
static bool has_own_rules(const struct rc_file *f)
{
	const char *script = value(f, "firewall_script"), *type = value(f, "firewall_type");

	return (script != NULL && strcmp(script, "/etc/rc.firewall") != 0) ||
	       (type != NULL && type[0] == '/');
}

static void tell_nat(struct lang_ctx *c, const struct rc_file *f, const char *enable,
		     const char *iface_name, const char *flags_name)
{
	const char *iface = value(f, iface_name), *flags = value(f, flags_name);

	if (!is_yes(c, f, enable))
		return;
	diag_add(c->diags, DIAG_W1520, find(f, enable)->name_at,
		 "the nat that %s sets up is not made", enable);
	if (iface == NULL)
		diag_help(c->diags, "say it in ipfw rules, or $nat in jail.conf");
	else
		diag_help(c->diags, "as ipfw rules: 'nat 123 config if %s%s%s', 'add 50 nat 123 "
			  "ip4 "
			  "from any to any via %s'; for jails alone: $nat = \"%s\"", iface,
			  flags != NULL ? " " : "", flags != NULL ? flags : "", iface, iface);
}

void rc_firewall(struct lang_ctx *c, const struct rc_file *f)
{
	const struct rc_var *type = find(f, "firewall_type");

	if (!is_yes(c, f, "firewall_enable") || has_own_rules(f))
		return;
	if (type != NULL && strcasecmp(type->value->buf.v, "open") != 0) {
		diag_add(c->diags, DIAG_W1519, type->value->at,
			 "the rules of firewall type '%s' are not made", type->value->buf.v);
		diag_help(c->diags, "give the rules themselves: -f ipfw.rules");
	}
	tell_nat(c, f, "firewall_nat_enable", "firewall_nat_interface", "firewall_nat_flags");
	tell_nat(c, f, "natd_enable", "natd_interface", "natd_flags");
}
