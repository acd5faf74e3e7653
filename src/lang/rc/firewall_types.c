/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The types client, simple and workstation are pages of rules with the host's own
 * networks, interfaces and services in them.  Each is a table of rules here, in which
 * $NAME stands for a variable of rc.conf, and which are there only if another variable
 * says something.  A variable that is not set has the value of FreeBSD's
 * /etc/defaults/rc.conf; where that is an example that fits nobody's host, it is told.
 *
 * A value is put between the words of a rule as it is, as the shell does it, so
 * "!10.0.0.0/8" or "1024-1030,80" mean what they do there; what the shell would make
 * more than words of is refused.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lang/rc/firewall.h"
#include "lang/text.h"

#define INSIDE6	"firewall_simple_inet_ipv6"

/* What /etc/defaults/rc.conf says, or which other variable counts then */
static const struct standard {
	const char *name;
	const char *value;
	const char *other;
	bool is_example;
} standards[] = {
	{ "firewall_client_net", "192.0.2.0/24", NULL, true },
	{ "firewall_simple_iif", "ed1", NULL, true },
	{ "firewall_simple_inet", "192.0.2.16/28", NULL, true },
	{ "firewall_simple_oif", "ed0", NULL, true },
	{ "firewall_simple_onet", "192.0.2.0/28", NULL, true },
	{ "firewall_simple_iif_ipv6", NULL, "firewall_simple_iif", false },
	{ "firewall_simple_oif_ipv6", NULL, "firewall_simple_oif", false },
	{ "firewall_nologports", "135-139,445 1026,1027 1433,1434", NULL, false },
};

/* A rule, and the variables without which it is not made */
struct row {
	const char *rule;
	const char *needs;
	const char *needs_too;
};

static const struct row client[] = {
	{ "pass all from $firewall_client_net to 255.255.255.255", NULL, NULL },
	{ "pass all from me to $firewall_client_net", NULL, NULL },
	{ "pass all from $firewall_client_net to me", NULL, NULL },
	{ "pass all from me to $firewall_client_net_ipv6", "firewall_client_net_ipv6", NULL },
	{ "pass all from $firewall_client_net_ipv6 to me", "firewall_client_net_ipv6", NULL },
	{ "pass all from fe80::/10 to ff02::/16", "firewall_client_net_ipv6", NULL },
	{ "pass all from $firewall_client_net_ipv6 to ff02::/16", "firewall_client_net_ipv6",
	  NULL },
	{ "pass udp from fe80::/10 to me 546", "firewall_client_net_ipv6", NULL },
	{ "pass tcp from any to any established", NULL, NULL },
	{ "pass all from any to any frag", NULL, NULL },
	{ "pass tcp from any to me 25 setup", NULL, NULL },
	{ "pass tcp from me to any setup", NULL, NULL },
	{ "deny tcp from any to any setup", NULL, NULL },
	{ "pass udp from me to any 53 keep-state", NULL, NULL },
	{ "pass udp from me to any 123 keep-state", NULL, NULL },
};

static const struct row simple_spoofed[] = {
	{ "deny all from $firewall_simple_inet to any in via $firewall_simple_oif", NULL, NULL },
	{ "deny all from $firewall_simple_onet to any in via $firewall_simple_iif", NULL, NULL },
	{ "deny all from $firewall_simple_inet_ipv6 to any in via $firewall_simple_oif_ipv6",
	  INSIDE6, NULL },
	{ "deny all from $firewall_simple_onet_ipv6 to any in via $firewall_simple_iif_ipv6",
	  INSIDE6, "firewall_simple_onet_ipv6" },
	{ "deny all from any to table(13) via $firewall_simple_oif", NULL, NULL },
};

/* Of table 13: private, link-local, reserved, for documentation, multicast */
static const char *const not_outside[] = {
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "0.0.0.0/8", "169.254.0.0/16",
	"192.0.2.0/24", "224.0.0.0/4", "240.0.0.0/4",
};

static const struct row simple_from[] = {
	{ "deny all from table(13) to any via $firewall_simple_oif", NULL, NULL },
};

/* The like of IPv6: local, mapped and compatible ones, 6to4 of those of IPv4 */
static const char *const not_outside6[] = {
	"fc00::/7", "fec0::/10", "::ffff:0.0.0.0/96", "::224.0.0.0/100", "::127.0.0.0/104",
	"::0.0.0.0/104", "::255.0.0.0/104", "::0.0.0.0/96", "2002:e000::/20", "2002:7f00::/24",
	"2002:0000::/24", "2002:ff00::/24", "2002:0a00::/24", "2002:ac10::/28",
	"2002:c0a8::/32", "ff05::/16",
};

static const struct row simple_rest[] = {
	{ "pass tcp from any to any established", NULL, NULL },
	{ "pass all from any to any frag", NULL, NULL },
	{ "pass tcp from any to me 25 setup", NULL, NULL },
	{ "pass tcp from any to me 53 setup", NULL, NULL },
	{ "pass udp from any to me 53", NULL, NULL },
	{ "pass udp from me 53 to any", NULL, NULL },
	{ "pass tcp from any to me 80 setup", NULL, NULL },
	{ "deny log ip4 from any to any in via $firewall_simple_oif setup proto tcp", NULL, NULL },
	{ "deny log ip6 from any to any in via $firewall_simple_oif_ipv6 setup proto tcp",
	  INSIDE6, NULL },
	{ "pass tcp from any to any setup", NULL, NULL },
	{ "pass udp from me to any 53 keep-state", NULL, NULL },
	{ "pass udp from me to any 123 keep-state", NULL, NULL },
};

static const struct row workstation_first[] = {
	{ "check-state", NULL, NULL },
	{ "pass tcp from me to any established", NULL, NULL },
	{ "pass tcp from me to any setup keep-state", NULL, NULL },
	{ "pass udp from me to any keep-state", NULL, NULL },
	{ "pass icmp from me to any keep-state", NULL, NULL },
	{ "pass ipv6-icmp from me to any keep-state", NULL, NULL },
	{ "pass udp from 0.0.0.0 68 to 255.255.255.255 67 out", NULL, NULL },
	{ "pass udp from any 67 to me 68 in", NULL, NULL },
	{ "pass udp from any 67 to 255.255.255.255 68 in", NULL, NULL },
	{ "pass udp from fe80::/10 to me 546 in", NULL, NULL },
	{ "pass icmp from any to any icmptypes 8", NULL, NULL },
	{ "pass ipv6-icmp from any to any icmp6types 128,129", NULL, NULL },
	{ "pass icmp from any to any icmptypes 3,4,11", NULL, NULL },
	{ "pass ipv6-icmp from any to any icmp6types 3", NULL, NULL },
};

/* What is not even logged */
static const struct row workstation_noise[] = {
	{ "deny ip from any to 255.255.255.255", NULL, NULL },
	{ "deny ip from any to 224.0.0.0/24 in", NULL, NULL },
	{ "deny udp from any to any 520 in", NULL, NULL },
	{ "deny tcp from any 80,443 to any 1024-65535 in", NULL, NULL },
};

/**
 * struct making - Rules under way
 * @c:		Context
 * @f:		rc.conf
 * @text:	The lines so far
 */
struct making {
	struct lang_ctx *c;
	const struct rc_file *f;
	struct text text;
};

/* ---- values --------------------------------------------------------------- */

const struct rc_var *rc_firewall_find(const struct rc_file *f, const char *name)
{
	for (uint32_t i = f->vars.n; i-- > 0; )
		if (f->vars.v[i].is_last && strcmp(f->vars.v[i].name, name) == 0)
			return &f->vars.v[i];
	return NULL;
}

static const struct standard *standard_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(standards); i++)
		if (strcmp(standards[i].name, name) == 0)
			return &standards[i];
	return NULL;
}

/* Words of one line, as the shell has them between those of a rule; NULL: told */
static const char *words(struct lang_ctx *c, const struct rc_var *v)
{
	static const char allowed[] = " \t\n.:,/-_!{}()<>*%";
	const struct text *t = v->value;
	char *s = arena_strndup(c->a, t->buf.v, t->buf.n);

	for (uint32_t i = 0; i < t->buf.n; i++) {
		if (isalnum((unsigned char)s[i]) == 0 && strchr(allowed, s[i]) == NULL) {
			text_error(c, DIAG_E1521, t, i, i + 1,
				   "'%c' in %s cannot stand in a rule", s[i], v->name);
			return NULL;
		}
		if (s[i] == '\n')
			s[i] = ' ';
	}
	return s;
}

/* The value of a variable that stands in a rule; "" when there is none */
static const char *value_of(const struct making *m, const char *name)
{
	const struct rc_var *v = rc_firewall_find(m->f, name);
	const struct standard *s = standard_of(name);
	const char *said;

	if (v != NULL && (v->value->buf.n > 0 || s == NULL || s->other == NULL)) {
		said = words(m->c, v);
		return said != NULL ? said : "";
	}
	if (s == NULL)
		return "";
	return s->other != NULL ? value_of(m, s->other) : s->value;
}

/* Once for each example of FreeBSD's that stands in for what this host has */
static void tell_examples(const struct making *m, const char *prefix, struct span at)
{
	for (size_t i = 0; i < ARRAY_SIZE(standards); i++) {
		const struct standard *s = &standards[i];

		if (!s->is_example || strncmp(s->name, prefix, strlen(prefix)) != 0 ||
		    rc_firewall_find(m->f, s->name) != NULL)
			continue;
		diag_add(m->c->diags, DIAG_W1522, at,
			 "%s is not set: the example of FreeBSD's defaults counts, %s", s->name,
			 s->value);
	}
}

/* ---- rules ---------------------------------------------------------------- */

static void put(struct making *m, const char *s, size_t len)
{
	text_add(m->c->a, &m->text, s, len, SPAN_NONE, false);
}

static void put_line(struct making *m, const char *rule)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz_0123456789";

	put(m, "add ", 4);
	while (*rule != '\0') {
		const size_t plain = strcspn(rule, "$");

		put(m, rule, plain);
		rule += plain;
		if (*rule == '$') {
			const size_t len = strspn(rule + 1, name);
			const char *v = value_of(m, arena_strndup(m->c->a, rule + 1, len));

			put(m, v, strlen(v));
			rule += 1 + len;
		}
	}
	put(m, "\n", 1);
}

static bool is_said(const struct making *m, const char *name)
{
	return name == NULL || value_of(m, name)[0] != '\0';
}

static void put_rows(struct making *m, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_said(m, rows[i].needs) && is_said(m, rows[i].needs_too))
			put_line(m, rows[i].rule);
}

static const char *finish(struct making *m)
{
	text_finish(m->c->a, &m->text);
	return m->text.buf.v;
}

static struct span type_at(const struct rc_file *f)
{
	return rc_firewall_find(f, "firewall_type")->value->at;
}

const char *rc_firewall_client(struct lang_ctx *c, const struct rc_file *f)
{
	struct making m = { .c = c, .f = f };

	tell_examples(&m, "firewall_client", type_at(f));
	put_rows(&m, client, ARRAY_SIZE(client));
	return finish(&m);
}

const char *rc_firewall_simple(struct lang_ctx *c, const struct rc_file *f, const char *divert)
{
	struct making m = { .c = c, .f = f };

	tell_examples(&m, "firewall_simple", type_at(f));
	for (size_t i = 0; i < ARRAY_SIZE(not_outside); i++) {
		const char *line = arena_printf(c->a, "table 13 add %s\n", not_outside[i]);

		put(&m, line, strlen(line));
	}
	put_rows(&m, simple_spoofed, ARRAY_SIZE(simple_spoofed));
	put(&m, divert, strlen(divert));
	put_rows(&m, simple_from, ARRAY_SIZE(simple_from));
	for (size_t i = 0; i < ARRAY_SIZE(not_outside6) && is_said(&m, INSIDE6); i++) {
		put_line(&m, arena_printf(c->a, "deny all from %s to any via "
					  "$firewall_simple_oif_ipv6", not_outside6[i]));
		put_line(&m, arena_printf(c->a, "deny all from any to %s via "
					  "$firewall_simple_oif_ipv6", not_outside6[i]));
	}
	put_rows(&m, simple_rest, ARRAY_SIZE(simple_rest));
	return finish(&m);
}

/* ---- workstation ---------------------------------------------------------- */

/**
 * struct word_list - Words of a variable
 * @list:	In order
 */
struct word_list {
	VEC(const char *) list;
};

static struct word_list list_of(const struct making *m, const char *name)
{
	struct word_list all = { .list = { .n = 0 } };
	const char *s = value_of(m, name);

	for (s += strspn(s, " \t"); *s != '\0'; s += strspn(s, " \t")) {
		const size_t len = strcspn(s, " \t");

		vec_add(m->c->a, &all.list, arena_strndup(m->c->a, s, len));
		s += len;
	}
	return all;
}

/* The part of a service before /tcp, /udp or /proto, in any case of letters; or NULL */
static const char *service_part(struct arena *a, const char *service, const char *suffix)
{
	const size_t len = strlen(service), less = strlen(suffix);

	if (len <= less || isalnum((unsigned char)service[0]) == 0 ||
	    strcasecmp(service + len - less, suffix) != 0)
		return NULL;
	return arena_strndup(a, service, len - less);
}

static void put_service(struct making *m, const char *from, const char *service)
{
	struct arena *a = m->c->a;
	const char *proto = service_part(a, service, "/proto");
	const char *tcp = service_part(a, service, "/tcp");
	const char *udp = service_part(a, service, "/udp");

	if (proto != NULL)
		put_line(m, arena_printf(a, "pass %s from %s to me", proto, from));
	else if (udp != NULL)
		put_line(m, arena_printf(a, "pass udp from %s to me %s", from, udp));
	else
		put_line(m, arena_printf(a, "pass tcp from %s to me %s", from,
					 tcp != NULL ? tcp : service));
}

/* Services without a protocol are TCP's; what is none is left out, as it is there */
static struct word_list services_of(const struct making *m)
{
	const struct word_list all = list_of(m, "firewall_myservices");
	const struct rc_var *v = rc_firewall_find(m->f, "firewall_myservices");
	struct word_list good = { .list = { .n = 0 } };

	for (uint32_t i = 0; i < all.list.n; i++) {
		const char *s = all.list.v[i];
		const bool is_word = isalnum((unsigned char)s[strlen(s) - 1]) != 0;

		BUG_IF(v == NULL);	/* no default has a service */
		if (!is_word)
			diag_add(m->c->diags, DIAG_W1523, v->value->at,
				 "'%s' is no service: no rule is made for it", s);
		else if (strchr(s, '/') == NULL)
			diag_add(m->c->diags, DIAG_W1523, v->value->at,
				 "'%s' has no protocol: it is taken for %s/tcp", s, s);
		if (is_word)
			vec_add(m->c->a, &good.list, s);
	}
	return good;
}

const char *rc_firewall_workstation(struct lang_ctx *c, const struct rc_file *f)
{
	struct making m = { .c = c, .f = f };
	const struct word_list from = list_of(&m, "firewall_allowservices");
	const struct word_list services = services_of(&m);
	const struct word_list trusted = list_of(&m, "firewall_trusted");
	const struct word_list quiet = list_of(&m, "firewall_nologports");
	const char *log = value_of(&m, "firewall_logdeny");

	put_rows(&m, workstation_first, ARRAY_SIZE(workstation_first));
	for (uint32_t i = 0; i < from.list.n; i++)
		for (uint32_t n = 0; n < services.list.n; n++)
			put_service(&m, from.list.v[i], services.list.v[n]);
	for (uint32_t i = 0; i < trusted.list.n; i++)
		put_line(&m, arena_printf(c->a, "pass ip from %s to me", trusted.list.v[i]));
	put_line(&m, "65000 count ip from any to any");
	for (uint32_t i = 0; i < quiet.list.n; i++)
		put_line(&m, arena_printf(c->a, "deny { tcp or udp } from any to any %s in",
					  quiet.list.v[i]));
	put_rows(&m, workstation_noise, ARRAY_SIZE(workstation_noise));
	/* Only these two spellings are asked for */
	put_line(&m, strcmp(log, "YES") == 0 || strcmp(log, "yes") == 0 ?
		 "deny log logamount 500 ip from any to any" : "deny ip from any to any");
	return finish(&m);
}
