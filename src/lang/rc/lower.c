/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * An rc.conf holds a whole host, and nearly all of it is no business of ours:
 * two tables, of names and of names with an interface in them, say what is.
 *
 * Interfaces first, then their addresses in the order in which FreeBSD's rc
 * sets them, because the first address of a family is the primary one.
 */
#include "lang/rc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "lang/ifaddr.h"

/**
 * struct lower - The file that is lowered
 * @c:		Context
 * @f:		File
 * @d:		Declarations
 * @addrs:	Addresses so far, for the limit on all together
 * @ifaces:	Interface names that the file spells out
 */
struct lower {
	struct lang_ctx *c;
	const struct rc_file *f;
	struct decl *d;
	struct ifaddr_list addrs;
	VEC(const char *) ifaces;
};

static const struct ifaddr_rules rules = {
	.bad_addr = DIAG_E1505,
	.bad_len = DIAG_E1506,
	.bad_range = DIAG_E1507,
	.no_mask = DIAG_W1513,
	.may_range = true,
	.max_addrs = LIMIT_LIST_ITEMS,
	.too_many = DIAG_E1508,
};

static int yes_or_no(struct lower *lo, const struct rc_var *v)
{
	return rc_yes_or_no(lo->c, v);
}

static void lower_gateway(struct lower *lo, const struct rc_var *v)
{
	lo->d->gateway = yes_or_no(lo, v);
	lo->d->gateway_at[0] = v->value->at;
}

static void lower_gateway6(struct lower *lo, const struct rc_var *v)
{
	lo->d->gateway6 = yes_or_no(lo, v);
	lo->d->gateway_at[1] = v->value->at;
}

static void lower_pf_enable(struct lower *lo, const struct rc_var *v)
{
	lo->d->pf_enable = yes_or_no(lo, v);
	lo->d->pf_enable_at = v->name_at;
}

static void lower_pf_rules(struct lower *lo, const struct rc_var *v)
{
	lo->d->pf_rules = v->value->buf.v;
}

static void lower_jail_enable(struct lower *lo, const struct rc_var *v)
{
	lo->d->jail_enable = yes_or_no(lo, v);
	lo->d->jail_enable_at = v->value->at;
}

static void lower_jail_list(struct lower *lo, const struct rc_var *v)
{
	struct text_word w;
	uint32_t pos = 0;

	lo->d->jail_list.n = 0;
	while (text_next_word(v->value, &pos, v->value->buf.n, &w))
		vec_add(lo->d->a, &lo->d->jail_list,
			intern_str(lo->c->names, v->value->buf.v + w.lo, w.hi - w.lo));
	lo->d->has_jail_list = lo->d->jail_list.n > 0;
	lo->d->jail_list_at = v->value->at;
}

/* "lo1", "lo1:sticky" */
static void clone(struct lower *lo, const struct text *t, struct text_word w)
{
	const char *colon = memchr(t->buf.v + w.lo, ':', w.hi - w.lo);
	struct span used, at;
	const char *name;

	if (colon != NULL)
		w.hi = (uint32_t)(colon - t->buf.v);
	name = text_word_str(lo->c->a, t, w);
	at = text_span(t, w.lo, w.hi, &used);
	if (!ifname_is_good(name, strlen(name))) {
		text_error(lo->c, DIAG_E1515, t, w.lo, w.hi,
			   "'%s' cannot be an interface's name", name);
		return;
	}
	vec_add(lo->c->a, &lo->ifaces, name);
	if (!facts_is_loopback_name(name))
		text_error(lo->c, DIAG_N1516, t, w.lo, w.hi,
			   "'%s' is not a loopback, and is not created", name);
	else if (strcmp(name, "lo0") != 0)
		decl_add_link(lo->d, name, at);
}

static void lower_cloned(struct lower *lo, const struct rc_var *v)
{
	struct text_word w;
	uint32_t pos = 0;

	while (text_next_word(v->value, &pos, v->value->buf.n, &w))
		clone(lo, v->value, w);
}

static void lower_router(struct lower *lo, const struct rc_var *v, uint8_t af)
{
	const int n = af == AF_V6;
	const char *s = v->value->buf.v;
	const char *zone = strchr(s, '%');
	const size_t len = zone != NULL ? (size_t)(zone - s) : v->value->buf.n;
	struct addr a;

	if (len == 0 || strcasecmp(s, "NO") == 0 || strcasecmp(s, "NONE") == 0)
		return;
	if (addr_parse(s, len, &a) < 0 || a.af != af) {
		text_error(lo->c, DIAG_E1505, v->value, 0, v->value->buf.n,
			   "'%s' is not an IPv%d address", s, af);
		return;
	}
	lo->d->default_via[n] = a;
	lo->d->default_if[n] = NULL;
	if (zone == NULL)
		return;
	if (ifname_is_good(zone + 1, strlen(zone + 1)))
		lo->d->default_if[n] = intern_cstr(lo->c->names, zone + 1);
	else
		text_error(lo->c, DIAG_E1515, v->value, (uint32_t)len + 1, v->value->buf.n,
			   "'%s' cannot be an interface's name", zone + 1);
}

static void lower_router4(struct lower *lo, const struct rc_var *v)
{
	lower_router(lo, v, AF_V4);
}

static void lower_router6(struct lower *lo, const struct rc_var *v)
{
	lower_router(lo, v, AF_V6);
}

/**
 * struct setting - A variable that concerns the network
 * @name:	Its name
 * @fn:		What it does
 */
static const struct setting {
	const char *name;
	void (*fn)(struct lower *lo, const struct rc_var *v);
} settings[] = {
	{ "cloned_interfaces", lower_cloned },
	{ "defaultrouter", lower_router4 },
	{ "gateway_enable", lower_gateway },
	{ "ipv6_defaultrouter", lower_router6 },
	{ "ipv6_gateway_enable", lower_gateway6 },
	{ "jail_enable", lower_jail_enable },
	{ "jail_list", lower_jail_list },
	{ "pf_enable", lower_pf_enable },
	{ "pf_rules", lower_pf_rules },
};

/* Names long enough that nothing else comes near them */
static const char *const guessed[] = {
	"cloned_interfaces", "defaultrouter", "gateway_enable", "ipv6_defaultrouter",
	"ipv6_gateway_enable", NULL,
};

static void lower_setting(struct lower *lo, const struct rc_var *v)
{
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (strcmp(settings[i].name, v->name) == 0) {
			settings[i].fn(lo, v);
			return;
		}
	}
	near = diag_nearest(v->name, guessed);
	if (near == NULL)
		return;
	diag_add(lo->c->diags, DIAG_W1517, v->name_at, "unknown setting '%s' is ignored",
		 v->name);
	diag_help(lo->c->diags, "did you mean '%s'?", near);
}

/**
 * struct if_setting - A variable with an interface in its name
 * @prefix:	Before it
 * @suffix:	After it; "#" at its end stands for a number
 * @rank:	When it is read: 0 before all addresses
 * @af:		Family of an address that none is written for
 * @fn:		What it does; NULL: nothing
 */
struct if_setting {
	const char *prefix;
	const char *suffix;
	int rank;
	uint8_t af;
	void (*fn)(struct lower *lo, const struct rc_var *v, const char *iface, uint8_t af);
};

static void lower_name(struct lower *lo, const struct rc_var *v, const char *iface, uint8_t af);
static void lower_ifconfig(struct lower *lo, const struct rc_var *v, const char *iface,
			   uint8_t af);
static void lower_ipv4_addrs(struct lower *lo, const struct rc_var *v, const char *iface,
			     uint8_t af);

#define N_RANKS	4

/* The first row that fits is it: the empty suffix of a prefix comes last */
static const struct if_setting if_settings[] = {
	{ "ifconfig_", "_name", 0, AF_NONE, lower_name },
	{ "ifconfig_", "_descr", 0, AF_NONE, NULL },
	{ "ifconfig_", "_aliases", 2, AF_V4, lower_ifconfig },
	{ "ifconfig_", "_alias#", 3, AF_V4, lower_ifconfig },
	{ "ifconfig_", "_ipv6", 3, AF_V6, lower_ifconfig },
	{ "ifconfig_", "", 1, AF_V4, lower_ifconfig },
	{ "ipv4_addrs_", "", 3, AF_V4, lower_ipv4_addrs },
	{ "ipv6_ifconfig_", "_alias#", 3, AF_V6, lower_ifconfig },
	{ "ipv6_ifconfig_", "", 3, AF_V6, lower_ifconfig },
};

/* Length of @s without @suffix, or 0 if it does not end so */
static size_t cut_suffix(const char *s, const char *suffix)
{
	size_t len = strlen(s), suffix_len = strlen(suffix);

	if (suffix_len > 0 && suffix[suffix_len - 1] == '#') {
		const size_t with_digits = len;

		while (len > 0 && s[len - 1] >= '0' && s[len - 1] <= '9')
			len--;
		if (len == with_digits)
			return 0;
		suffix_len--;
	}
	if (len <= suffix_len || memcmp(s + len - suffix_len, suffix, suffix_len) != 0)
		return 0;
	return len - suffix_len;
}

/* Is @name the interface that a variable spells as @var: em0.5 as em0_5 */
static bool is_spelled(const char *name, const char *var)
{
	for (; *name != '\0' && *var != '\0'; name++, var++)
		if (*name != *var && !(*var == '_' && strchr(".-/+", *name) != NULL))
			return false;
	return *name == *var;
}

static const char *iface_of_var(struct lower *lo, const char *s, size_t len)
{
	const char *var = intern_str(lo->c->names, s, len);

	for (uint32_t i = 0; i < lo->ifaces.n; i++)
		if (is_spelled(lo->ifaces.v[i], var))
			return intern_cstr(lo->c->names, lo->ifaces.v[i]);
	return var;
}

/* Is there each number from 0 to that of @v, which ends in one; told if not */
static bool is_reached(struct lower *lo, const struct rc_var *v)
{
	size_t head = strlen(v->name);
	unsigned long n;

	while (v->name[head - 1] >= '0' && v->name[head - 1] <= '9')
		head--;
	n = strtoul(v->name + head, NULL, 10);
	for (unsigned long k = 0; k < n; k++) {
		const char *name = arena_printf(lo->c->a, "%.*s%lu", (int)head, v->name, k);
		bool found = false;

		for (uint32_t i = 0; i < lo->f->vars.n && !found; i++)
			found = lo->f->vars.v[i].is_last &&
				strcmp(lo->f->vars.v[i].name, name) == 0 &&
				lo->f->vars.v[i].value->buf.n > 0;
		if (found)
			continue;
		diag_add(lo->c->diags, DIAG_W1518, v->name_at,
			 "%s is not reached: there is no %s", v->name, name);
		return false;
	}
	return true;
}

static void lower_if_setting(struct lower *lo, const struct rc_var *v, int rank)
{
	for (size_t i = 0; i < ARRAY_SIZE(if_settings); i++) {
		const struct if_setting *s = &if_settings[i];
		const size_t prefix_len = strlen(s->prefix);
		const char *rest = v->name + prefix_len;
		size_t len;

		if (strncmp(v->name, s->prefix, prefix_len) != 0)
			continue;
		len = cut_suffix(rest, s->suffix);
		if (len == 0)
			continue;
		if (s->rank != rank || s->fn == NULL || strcmp(rest, "DEFAULT") == 0)
			return;
		if (strchr(s->suffix, '#') != NULL && !is_reached(lo, v))
			return;
		if (!ifname_is_good(rest, len))
			diag_add(lo->c->diags, DIAG_E1515, v->name_at,
				 "'%.*s' cannot be an interface's name",
				 (int)MIN(len, LIMIT_WORD_BYTES), rest);
		else
			s->fn(lo, v, iface_of_var(lo, rest, len), s->af);
		return;
	}
}

/* ifconfig_lo1_name="bastille0": from here on the clone has that name only */
static void lower_name(struct lower *lo, const struct rc_var *v, const char *iface, uint8_t af)
{
	const struct text *t = v->value;

	(void)af;
	if (!ifname_is_good(t->buf.v, t->buf.n)) {
		text_error(lo->c, DIAG_E1515, t, 0, t->buf.n, "'%s' cannot be an interface's name",
			   t->buf.v);
		return;
	}
	vec_add(lo->c->a, &lo->ifaces, t->buf.v);
	for (uint32_t i = 0; i < lo->d->links.n; i++)
		if (strcmp(lo->d->links.v[i].name, iface) == 0)
			lo->d->links.v[i].name = intern_cstr(lo->c->names, t->buf.v);
}

/* Addresses from @from on of the list belong to @iface */
static void declare_addrs(struct lower *lo, const char *iface, uint32_t from)
{
	for (uint32_t i = from; i < lo->addrs.list.n; i++) {
		const struct ifaddr *a = &lo->addrs.list.v[i];

		/* A host's until decl_finish() knows who is cloned */
		vec_add(lo->d->a, &lo->d->addrs, ((struct decl_addr){
			.iface = iface,
			.p = a->p,
			.peer = a->peer,
			.at = a->at,
			.is_host = true,
		}));
	}
}

static void tell_unknown_word(struct lower *lo, const struct text *t, struct text_word w)
{
	static const char *const known[] = {
		"inet", "inet6", "netmask", "prefixlen", "broadcast", "alias", "DHCP", "SYNCDHCP",
		NULL,
	};
	const char *word = text_word_str(lo->c->a, t, w);
	const char *near;

	for (size_t i = 0; known[i] != NULL; i++)
		if (strcasecmp(word, known[i]) == 0)
			return;
	near = word[0] == '-' ? NULL : diag_nearest(word, known);
	if (near == NULL)
		return;
	text_error(lo->c, DIAG_W1514, t, w.lo, w.hi, "unknown word '%s' is ignored", word);
	diag_help(lo->c->diags, "did you mean '%s'?", near);
}

/* "ADDRESS words" in bytes [@lo_, @hi) of a value, or for inet6 flags alone */
static void lower_group(struct lower *lo, const struct text *t, uint32_t from, uint32_t to,
			const char *iface, uint8_t af)
{
	const uint32_t n = lo->addrs.list.n;
	struct ifaddr_words other = { 0 };
	struct text_word w;
	uint32_t pos = from;
	bool is_unknown = false;

	if (af == AF_V6 && text_next_word(t, &pos, to, &w) &&
	    memchr(t->buf.v + w.lo, ':', w.hi - w.lo) == NULL)
		return;
	if (!ifaddr_parse(lo->c, &rules, af, t, from, to, &lo->addrs, &other))
		return;
	for (uint32_t i = 0; i < other.list.n; i++) {
		tell_unknown_word(lo, t, other.list.v[i]);
		/* The host alone knows what its hardware address makes of it */
		is_unknown |= text_word_is(t, other.list.v[i], "eui64");
	}
	if (is_unknown)
		lo->addrs.list.n = n;
	declare_addrs(lo, iface, n);
}

static bool is_dhcp(const struct text *t, struct text_word w)
{
	static const char *const words[] = { "DHCP", "SYNCDHCP", "NOSYNCDHCP" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == w.hi - w.lo &&
		    strncasecmp(t->buf.v + w.lo, words[i], w.hi - w.lo) == 0)
			return true;
	return false;
}

static void add_dhcp(struct lower *lo, const char *iface)
{
	for (uint32_t i = 0; i < lo->d->dhcp.n; i++)
		if (lo->d->dhcp.v[i] == iface)
			return;
	vec_add(lo->d->a, &lo->d->dhcp, iface);
}

/* Family that a word opens, or AF_NONE */
static uint8_t family_of(const struct text *t, struct text_word w)
{
	return text_word_is(t, w, "inet") ? AF_V4 : text_word_is(t, w, "inet6") ? AF_V6 : AF_NONE;
}

/* "inet A netmask M inet6 B prefixlen N up": a group from each family's word on */
static void lower_ifconfig(struct lower *lo, const struct rc_var *v, const char *iface,
			   uint8_t af)
{
	const struct text *t = v->value;
	uint8_t open = AF_NONE;
	uint32_t pos = 0, from = 0;
	struct text_word w;

	while (text_next_word(t, &pos, t->buf.n, &w)) {
		const uint8_t family = family_of(t, w);
		struct prefix p;

		if (family != AF_NONE || is_dhcp(t, w)) {
			if (open != AF_NONE)
				lower_group(lo, t, from, w.lo, iface, open);
			open = family;
			from = w.hi;
			if (family == AF_NONE)
				add_dhcp(lo, iface);
		} else if (open == AF_NONE &&
			   prefix_parse(t->buf.v + w.lo, w.hi - w.lo, &p) == 0 && p.a.af == af) {
			/* ifconfig takes an address without "inet" too */
			open = af;
			from = w.lo;
		} else if (open == AF_NONE) {
			tell_unknown_word(lo, t, w);
		}
	}
	if (open != AF_NONE)
		lower_group(lo, t, from, t->buf.n, iface, open);
}

static void lower_ipv4_addrs(struct lower *lo, const struct rc_var *v, const char *iface,
			     uint8_t af)
{
	const struct text *t = v->value;
	uint32_t pos = 0;
	struct text_word w;

	while (text_next_word(t, &pos, t->buf.n, &w)) {
		const uint32_t n = lo->addrs.list.n;

		if (ifaddr_parse(lo->c, &rules, af, t, w.lo, w.hi, &lo->addrs, NULL))
			declare_addrs(lo, iface, n);
	}
}

/* vlans_em0="100 guest": em0.100 and guest, for names that variables cannot spell */
static void note_vlans(struct lower *lo, const struct rc_var *v)
{
	struct text_word w;
	uint32_t pos = 0;

	if (strncmp(v->name, "vlans_", 6) != 0)
		return;
	while (text_next_word(v->value, &pos, v->value->buf.n, &w)) {
		const char *word = text_word_str(lo->c->a, v->value, w);

		if (word[strspn(word, "0123456789")] == '\0')
			word = arena_printf(lo->c->a, "%s.%s", v->name + 6, word);
		vec_add(lo->c->a, &lo->ifaces, word);
	}
}

void rc_lower(struct lang_ctx *c, const struct rc_file *f, struct decl *d)
{
	struct lower lo = { .c = c, .f = f, .d = d };

	for (uint32_t i = 0; i < f->vars.n && !diag_is_full(c->diags); i++) {
		if (f->vars.v[i].is_last) {
			lower_setting(&lo, &f->vars.v[i]);
			note_vlans(&lo, &f->vars.v[i]);
		}
	}
	for (int rank = 0; rank < N_RANKS; rank++)
		for (uint32_t i = 0; i < f->vars.n && !diag_is_full(c->diags); i++)
			if (f->vars.v[i].is_last)
				lower_if_setting(&lo, &f->vars.v[i], rank);
	rc_firewall(c, f, &d->firewall);
	jail_lower(c, rc_jails(c, f), d);
}
