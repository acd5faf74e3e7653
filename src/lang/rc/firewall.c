/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * firewall_enable runs FreeBSD's rc.firewall, a script of the base system, or
 * the host's own firewall_script.  The base system's types are made here as an ipfw
 * ruleset, those with pages of rules in firewall_types.c.  "open" without a nat passes
 * all, as we do without rules, so there are none.
 *
 * natd gets packets by a divert rule in the place where the kernel's nat has its
 * rule; its options are those of a nat instance under other names.  A packet comes
 * back from natd behind that rule whatever one_pass says.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lang/rc/firewall.h"
#include "lang/text.h"

#define RC_FIREWALL	"/etc/rc.firewall"
#define NAT_NUMBER	"123"

static const struct rc_var *find(const struct rc_file *f, const char *name)
{
	const struct rc_var *v = rc_firewall_find(f, name);

	return v != NULL && v->value->buf.n > 0 ? v : NULL;
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

/* The variable that names the file with the host's own rules, or NULL */
static const struct rc_var *own_rules(const struct rc_file *f)
{
	const struct rc_var *script = find(f, "firewall_script"), *type = find(f, "firewall_type");

	if (script != NULL && strcmp(script->value->buf.v, RC_FIREWALL) != 0)
		return script;
	return type != NULL && type->value->buf.v[0] == '/' ? type : NULL;
}

/* ---- nat ------------------------------------------------------------------ */

/* natd's options: short, long, and how a nat instance says it; NULL: it need not */
static const struct natd_option {
	char letter;
	const char *name;
	const char *ipfw;
	uint8_t n_args;
} natd_options[] = {
	{ 'm', "same_ports", "same_ports", 0 },
	{ 'u', "unregistered_only", "unreg_only", 0 },
	{ 'd', "deny_incoming", "deny_in", 0 },
	{ 0, "reset", "reset", 0 },
	{ 0, "reverse", "reverse", 0 },
	{ 0, "proxy_only", "proxy_only", 0 },
	{ 0, "redirect_port", "redirect_port", 3 },
	{ 0, "redirect_proto", "redirect_proto", 2 },
	{ 0, "redirect_address", "redirect_addr", 2 },
	{ 0, "dynamic", NULL, 0 },
	{ 's', "use_sockets", NULL, 0 },
	{ 'l', "log", NULL, 0 },
	{ 0, "log_denied", NULL, 0 },
};

static const struct natd_option *natd_option(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(natd_options); i++) {
		const struct natd_option *o = &natd_options[i];

		if (word[0] == '-' && (strcmp(word + 1, o->name) == 0 ||
		    (word[1] == o->letter && word[1] != '\0' && word[2] == '\0')))
			return o;
	}
	return NULL;
}

/* natd's flags in the words of a nat instance, or NULL: told */
static const char *natd_words(struct lang_ctx *c, const struct rc_var *v)
{
	const char *said = "";
	struct text_word w;
	uint32_t pos = 0;

	while (v != NULL && text_next_word(v->value, &pos, v->value->buf.n, &w)) {
		const char *word = text_word_str(c->a, v->value, w);
		const struct natd_option *o = natd_option(word);

		if (o == NULL) {
			text_error(c, DIAG_W1520, v->value, w.lo, w.hi,
				   "'%s' of natd has no form in ipfw: no nat is made", word);
			return NULL;
		}
		if (o->ipfw != NULL)
			said = arena_printf(c->a, "%s %s", said, o->ipfw);
		for (uint8_t i = 0; i < o->n_args &&
		     text_next_word(v->value, &pos, v->value->buf.n, &w); i++)
			said = arena_printf(c->a, "%s %s", said, text_word_str(c->a, v->value, w));
	}
	return said;
}

/* Two lines of ipfw: the instance, and who goes there; @number "" for the next one */
static const char *nat_lines(struct lang_ctx *c, const struct rc_var *iface, const char *flags,
			     const char *number)
{
	const char *name = iface->value->buf.v;
	struct addr a;

	BUG_IF(name == NULL);	/* find() gives none that is empty */
	return arena_printf(c->a, "nat " NAT_NUMBER " config %s %s %s\n"
			    "add %snat " NAT_NUMBER " ip4 from any to any via %s\n",
			    addr_parse(name, strlen(name), &a) == 0 ? "ip" : "if", name, flags,
			    number, name);
}

/* The lines of the nat that is asked for; "" for none, NULL for one that is told */
static const char *nat_rules(struct lang_ctx *c, const struct rc_file *f, bool is_natd,
			     const char *number)
{
	const struct rc_var *iface = find(f, is_natd ? "natd_interface" :
					  "firewall_nat_interface");
	const char *flags = value(f, "firewall_nat_flags");

	if (iface == NULL || !is_yes(c, f, is_natd ? "natd_enable" : "firewall_nat_enable"))
		return "";	/* without an interface rc.firewall makes none either */
	if (is_natd)
		flags = natd_words(c, find(f, "natd_flags"));
	else if (flags == NULL)
		flags = "";
	return flags == NULL ? NULL : nat_lines(c, iface, flags, number);
}

/* ---- types ---------------------------------------------------------------- */

/* What is made for every type: loopback addresses on lo0 only, and what IPv6 cannot miss */
static const char basic_rules[] =
	"add 100 pass all from any to any via lo0\n"
	"add 200 deny all from any to 127.0.0.0/8\n"
	"add 300 deny ip from 127.0.0.0/8 to any\n"
	"add 400 deny all from any to ::1\n"
	"add 500 deny all from ::1 to any\n"
	"add 600 pass ipv6-icmp from :: to ff02::/16\n"
	"add 700 pass ipv6-icmp from fe80::/10 to fe80::/10\n"
	"add 800 pass ipv6-icmp from fe80::/10 to ff02::/16\n"
	"add 900 pass ipv6-icmp from any to any icmp6types 1\n"
	"add 1000 pass ipv6-icmp from any to any icmp6types 2,135,136\n";

/* For which nats a type has a rule */
enum nats { NO_NAT, NATD_LATE, ANY_NAT };

static const struct type {
	const char *name;
	enum nats nats;
	const char *(*rules)(struct lang_ctx *c, const struct rc_file *f);
	const char *last;
} types[] = {
	{ "open", ANY_NAT, NULL, "add 65000 pass all from any to any\n" },
	{ "client", ANY_NAT, rc_firewall_client, "" },
	{ "simple", NATD_LATE, NULL, "" },
	{ "workstation", NO_NAT, rc_firewall_workstation, "" },
	{ "closed", NO_NAT, NULL, "add 65000 deny ip from any to any\n" },
	{ "UNKNOWN", NO_NAT, NULL, "" },
};

static void tell_no_nat(struct lang_ctx *c, const struct rc_file *f, const struct type *t,
			const char *name)
{
	if (is_yes(c, f, name))
		diag_add(c->diags, DIAG_W1524, find(f, name)->name_at,
			 "type '%s' of rc.firewall has no rule for %s: no nat is made", t->name,
			 name);
}

static void make_rules(struct lang_ctx *c, const struct rc_file *f, const struct type *t,
		       struct decl_firewall *ret)
{
	const char *number = t->nats == ANY_NAT ? "50 " : "";
	const char *nat = t->nats == NO_NAT ? "" : nat_rules(c, f, true, number);
	const char *rules;

	ret->is_natd = nat != NULL && nat[0] != '\0';
	if (t->nats == ANY_NAT && nat != NULL && !ret->is_natd)
		nat = nat_rules(c, f, false, number);
	if (t->nats == NO_NAT)
		tell_no_nat(c, f, t, "natd_enable");
	if (t->nats != ANY_NAT)
		tell_no_nat(c, f, t, "firewall_nat_enable");
	if (nat == NULL)
		nat = "";
	/* "open" without a nat needs none */
	if (t->nats == ANY_NAT && t->rules == NULL && nat[0] == '\0')
		return;
	rules = t->nats == NATD_LATE ? rc_firewall_simple(c, f, nat) :
		t->rules != NULL ? t->rules(c, f) : "";
	ret->rules = arena_printf(c->a, "%s%s%s%s", t->nats == ANY_NAT ? nat : "", basic_rules,
				  rules, t->last);
}

void rc_firewall(struct lang_ctx *c, const struct rc_file *f, struct decl_firewall *ret)
{
	const struct rc_var *type = find(f, "firewall_type"), *own = own_rules(f);
	const char *name = type != NULL ? type->value->buf.v : "UNKNOWN";

	*ret = (struct decl_firewall){ .rules = NULL };
	if (!is_yes(c, f, "firewall_enable"))
		return;
	ret->at = type != NULL ? type->value->at : find(f, "firewall_enable")->name_at;
	if (own != NULL) {
		ret->own = own->value->buf.v;
		ret->own_at = own->value->at;
		return;
	}
	ret->unknown = name;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strcasecmp(types[i].name, name) != 0)
			continue;
		ret->unknown = NULL;
		make_rules(c, f, &types[i], ret);
	}
}
