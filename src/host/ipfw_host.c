/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Scripts cut these outputs up with grep and awk, so they have FreeBSD's
 * form.  A question that the declarations leave open is answered as FreeBSD
 * answers for a thing that is not there, with a warning, since a branch of the
 * script may hang on it.
 */
#include "host/ipfw_host.h"

#include <stdarg.h>
#include <string.h>

#include "net/addr.h"

/* What FreeBSD 14 has where nobody set it */
static const struct { const char *name, *value; } defaults[] = {
	{ "net.inet.ip.fw.enable", "1" },
	{ "net.inet6.ip6.fw.enable", "1" },
	{ "net.inet.ip.fw.one_pass", "1" },
	{ "net.inet.ip.fw.verbose", "0" },
	{ "net.inet.ip.fw.verbose_limit", "0" },
	{ "net.inet.ip.fw.default_to_accept", "0" },
	{ "net.inet.ip.fw.default_rule", "65535" },
	{ "net.inet.ip.fw.autoinc_step", "100" },
	{ "kern.features.inet", "1" },
	{ "kern.features.inet6", "1" },
	{ "security.jail.jailed", "0" },
	{ "security.jail.vnet", "0" },
};

static void PRINTF(3, 4) not_declared(const struct host_query *q, struct sandbox_answer *ret,
				      const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(q->x->c->diags, DIAG_W2316, q->at, "%s is not declared", text);
	ret->err = arena_printf(q->x->c->a, "%s: %s is not declared", q->call->argv[0], text);
	ret->status = 1;
}

/* ---- sysctl ---------------------------------------------------------------- */

static const char *forwarding(const struct ipfw_exec *x, const char *name)
{
	const int v = x->decl == NULL ? -1 :
		      strcmp(name, "net.inet.ip.forwarding") == 0 ? x->decl->gateway :
		      strcmp(name, "net.inet6.ip6.forwarding") == 0 ? x->decl->gateway6 : -1;

	return v < 0 ? NULL : v > 0 ? "1" : "0";
}

/* The last word on a setting, or NULL */
static const char *sysctl_value(const struct host_query *q, const char *name)
{
	const struct decl *d = q->x->decl;

	for (uint32_t i = q->cmds->sysctls.n; i-- > 0; )
		if (strcmp(q->cmds->sysctls.v[i].name, name) == 0)
			return q->cmds->sysctls.v[i].value;
	for (uint32_t i = d != NULL ? d->sysctls.n : 0; i-- > 0; )
		if (strcmp(d->sysctls.v[i].name, name) == 0)
			return d->sysctls.v[i].value;
	if (forwarding(q->x, name) != NULL)
		return forwarding(q->x, name);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (strcmp(defaults[i].name, name) == 0)
			return defaults[i].value;
	return NULL;
}

static void answer_sysctl(const struct host_query *q, struct sandbox_answer *ret)
{
	struct arena *a = q->x->c->a;
	const char *out = "";
	bool bare = false;

	for (uint32_t i = 1; i < q->call->n; i++) {
		const char *word = q->call->argv[i];
		const char *eq = strchr(word, '=');

		if (word[0] == '-') {
			bare |= strchr(word, 'n') != NULL;
		} else if (eq != NULL) {
			vec_add(a, &q->cmds->sysctls, ((struct ipfw_sysctl){
				.name = arena_strndup(a, word, (size_t)(eq - word)),
				.value = arena_strndup(a, eq + 1, strlen(eq + 1)),
				.at = q->at }));
		} else if (sysctl_value(q, word) == NULL) {
			not_declared(q, ret, "setting '%.200s'", word);
		} else {
			out = bare ? arena_printf(a, "%s%s\n", out, sysctl_value(q, word))
				   : arena_printf(a, "%s%s: %s\n", out, word,
						  sysctl_value(q, word));
		}
	}
	ret->out = out;
}

/* ---- ifconfig -------------------------------------------------------------- */

static const char *iface_text(struct arena *a, const struct iface *i, bool v4, bool v6)
{
	const char *text = arena_printf(a, "%s: flags=8843<UP,%s,RUNNING,MULTICAST> metric 0 mtu "
					"1500\n", i->name, i->kind == IFACE_LO ||
					i->kind == IFACE_CLONED ? "LOOPBACK" : "BROADCAST");
	char buf[ADDR_TEXT_BYTES];

	for (uint32_t n = 0; n < i->addrs.n; n++) {
		const struct prefix p = i->addrs.v[n].p;
		const uint32_t mask = p.a.af == AF_V4 && p.len > 0 ? ~0u << (32 - p.len) : 0;

		if (p.a.af == AF_V4 && v4)
			text = arena_printf(a, "%s\tinet %s netmask 0x%08x\n", text,
					    addr_print(p.a, buf), mask);
		else if (p.a.af != AF_V4 && v6)
			text = arena_printf(a, "%s\tinet6 %s prefixlen %u\n", text,
					    addr_print(p.a, buf), p.len);
	}
	return text;
}

static const char *iface_names(const struct host_query *q)
{
	const struct facts *f = q->x->facts;
	const char *text = "";

	for (uint32_t i = 0; i < f->ifaces.n; i++)
		text = arena_printf(q->x->c->a, "%s%s%s", text, i > 0 ? " " : "",
				    f->ifaces.v[i].name);
	return text;
}

static void not_done(const struct host_query *q)
{
	diag_add(q->x->c->diags, DIAG_W2304, q->at, "'%s' is not carried out", q->call->argv[0]);
}

static void answer_ifconfig(const struct host_query *q, struct sandbox_answer *ret)
{
	const struct facts *f = q->x->facts;
	const char *name = q->call->n > 1 ? q->call->argv[1] : "-a";
	const char *family = q->call->n > 2 ? q->call->argv[2] : "";
	const bool v4 = strcmp(family, "inet") == 0, v6 = strcmp(family, "inet6") == 0;
	const struct iface *i;

	if (strcmp(name, "-l") == 0) {
		ret->out = iface_names(q);
		return;
	}
	if (q->call->n > 3 || (family[0] != '\0' && !v4 && !v6)) {
		not_done(q);
		return;
	}
	if (strcmp(name, "-a") == 0) {
		ret->out = "";
		for (uint32_t n = 0; n < f->ifaces.n; n++)
			ret->out = arena_printf(q->x->c->a, "%s%s", ret->out,
						iface_text(q->x->c->a, &f->ifaces.v[n], !v6, !v4));
		return;
	}
	i = facts_find(f, name);
	if (i == NULL)
		not_declared(q, ret, "interface '%.100s'", name);
	else
		ret->out = iface_text(q->x->c->a, i, !v6, !v4);
}

/* ---- jls, hostname, route, modules ------------------------------------------ */

static const char *jail_param(struct arena *a, const struct decl *d, uint32_t i, const char *name)
{
	const struct decl_jail *j = &d->jails.v[i];
	const char *text = "";
	char buf[ADDR_TEXT_BYTES];

	if (strcmp(name, "jid") == 0)
		return arena_printf(a, "%u", i + 1);
	if (strcmp(name, "name") == 0)
		return j->name;
	if (strcmp(name, "host.hostname") == 0)
		return j->hostname != NULL ? j->hostname : j->name;
	if (strcmp(name, "ip4.addr") != 0 && strcmp(name, "ip6.addr") != 0)
		return NULL;
	for (uint32_t n = 0; n < j->addrs.n; n++)
		if ((j->addrs.v[n].p.a.af == AF_V4) == (name[2] == '4'))
			text = arena_printf(a, "%s%s%s", text, text[0] != '\0' ? "," : "",
					    addr_print(j->addrs.v[n].p.a, buf));
	return text[0] != '\0' ? text : "-";
}

static bool jls_line(const struct host_query *q, uint32_t i, uint32_t first, const char **out)
{
	struct arena *a = q->x->c->a;

	if (first == q->call->n)
		*out = arena_printf(a, "%s%6u  %-15s %-29s /\n", *out, i + 1,
				    jail_param(a, q->x->decl, i, "ip4.addr"),
				    jail_param(a, q->x->decl, i, "host.hostname"));
	for (uint32_t n = first; n < q->call->n; n++) {
		const char *value = jail_param(a, q->x->decl, i, q->call->argv[n]);

		if (value == NULL)
			return false;
		*out = arena_printf(a, "%s%s%c", *out, value, n + 1 < q->call->n ? ' ' : '\n');
	}
	return true;
}

static void answer_jls(const struct host_query *q, struct sandbox_answer *ret)
{
	const struct decl *d = q->x->decl;
	const char *jail = NULL, *out = "";
	uint32_t first = 1;
	bool found = false;

	if (q->call->n > 2 && strcmp(q->call->argv[1], "-j") == 0) {
		jail = q->call->argv[2];
		first = 3;
	}
	if (first == q->call->n)
		out = "   JID  IP Address      Hostname                      Path\n";
	for (uint32_t i = 0; d != NULL && i < d->jails.n; i++) {
		if (jail != NULL && strcmp(jail, d->jails.v[i].name) != 0 &&
		    strcmp(jail, jail_param(q->x->c->a, d, i, "jid")) != 0)
			continue;
		found = true;
		if (!jls_line(q, i, first, &out)) {
			not_declared(q, ret, "what jls is asked");
			return;
		}
	}
	ret->out = out;
	if (jail != NULL && !found)
		not_declared(q, ret, "jail '%.200s'", jail);
}

static void answer_hostname(const struct host_query *q, struct sandbox_answer *ret)
{
	ret->out = lang_define_find(q->x->c, "hostname", strlen("hostname"));
	if (q->call->n > 1 && q->call->argv[1][0] != '-')
		not_done(q);
	else if (ret->out == NULL)
		not_declared(q, ret, "the host's name (-D hostname=NAME)");
}

/* A script that asks is FreeBSD's */
static void answer_uname(const struct host_query *q, struct sandbox_answer *ret)
{
	const char *what = q->call->n > 1 ? q->call->argv[1] : "-s";

	if (q->call->n <= 2 && strcmp(what, "-s") == 0)
		ret->out = "FreeBSD";
	else
		not_declared(q, ret, "what uname is asked");
}

/* "route [-n] get default"; anything else would change routes */
static void answer_route(const struct host_query *q, struct sandbox_answer *ret)
{
	const struct facts *f = q->x->facts;
	const uint32_t n = q->call->n;
	char buf[ADDR_TEXT_BYTES];

	if (n < 3 || strcmp(q->call->argv[n - 2], "get") != 0)
		not_done(q);
	else if (strcmp(q->call->argv[n - 1], "default") != 0 || f->default_if[0] == NULL)
		not_declared(q, ret, "a route to '%.100s'", q->call->argv[n - 1]);
	else
		ret->out = arena_printf(q->x->c->a, "   route to: default\n    gateway: %s\n"
					"  interface: %s\n", addr_print(f->default_via[0], buf),
					f->default_if[0]);
}

static void answer_nothing(const struct host_query *q, struct sandbox_answer *ret)
{
	(void)q;
	(void)ret;
}

static void answer_not_done(const struct host_query *q, struct sandbox_answer *ret)
{
	(void)ret;
	not_done(q);
}

static void answer_id(const struct host_query *q, struct sandbox_answer *ret)
{
	/* Firewall scripts run as root, and some ask */
	if (q->call->n == 2 && strcmp(q->call->argv[1], "-u") == 0)
		ret->out = "0";
	else
		not_declared(q, ret, "what id is asked");
}

static const struct {
	const char *name;
	void (*answer)(const struct host_query *q, struct sandbox_answer *ret);
} rows[] = {
	{ "sysctl", answer_sysctl },
	{ "ifconfig", answer_ifconfig },
	{ "jls", answer_jls },
	{ "hostname", answer_hostname },
	{ "route", answer_route },
	{ "id", answer_id },
	{ "uname", answer_uname },
	{ "logger", answer_nothing },
	{ "kldload", answer_nothing },
	{ "kldstat", answer_nothing },
	{ "kldunload", answer_not_done },
};

const char *const *ipfw_host_commands(void)
{
	static const char *names[ARRAY_SIZE(rows) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		names[i] = rows[i].name;
	return names;
}

bool ipfw_host_answer(const struct host_query *q, struct sandbox_answer *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].name, q->call->argv[0]) == 0) {
			rows[i].answer(q, ret);
			return true;
		}
	}
	return false;
}
