/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One table says which property is which parameter; what concerns the network
 * has a function.  iocage writes a switch as 1, "1", "yes" or "on", by the age
 * of the file, and "none" for what is not set.
 *
 * nat_forwards names the jail's port first, "tcp(80:8080)", and $forward the
 * outside one, "tcp 8080:80".
 */
#include "lang/iocage.h"

#include <string.h>
#include <strings.h>

#include "lang/jail_make.h"
#include "lang/json.h"

/**
 * struct conf - The jail while its properties are read
 * @c:		Context
 * @own:	config.json
 * @base:	defaults.json, or an empty object
 * @b:		Jail
 * @is_vnet:	vnet is on
 * @is_nat:	nat is on
 */
struct conf {
	struct lang_ctx *c;
	struct json own;
	struct json base;
	struct jail_block *b;
	bool is_vnet;
	bool is_nat;
};

/** struct piece - A part of a property's text, with its place */
struct piece {
	const struct json *v;
	const char *s;
	size_t len;
};

/* The property @name, of the jail or of the defaults; NULL: not said, or "none" */
static const struct json *property(const struct conf *k, const char *name)
{
	const struct json *v = json_find(&k->own, name);

	if (v == NULL)
		v = json_find(&k->base, name);
	if (v == NULL || v->kind == JSON_NULL ||
	    (v->s != NULL && (v->len == 0 || strcasecmp(v->s, "none") == 0)))
		return NULL;
	return v;
}

/* A property that must be text or a number; NULL: not said, or told */
static const struct json *text_property(struct conf *k, const char *name)
{
	const struct json *v = property(k, name);

	if (v == NULL || v->s != NULL)
		return v;
	diag_add(k->c->diags, DIAG_E2604, v->at, "'%s' is no text", name);
	return NULL;
}

static bool is_on(struct conf *k, const char *name)
{
	static const char *const words[] = { "0", "1", "no", "yes", "off", "on", "false", "true" };
	const struct json *v = text_property(k, name);

	if (v == NULL)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(v->s, words[i]) == 0)
			return i % 2 == 1;
	diag_add(k->c->diags, DIAG_E2604, v->at, "'%s' of '%s' is neither on nor off", v->s, name);
	return false;
}

static struct span piece_at(const struct piece *p)
{
	const uint32_t off = (uint32_t)(p->s - p->v->s);

	if (!p->v->is_verbatim)
		return p->v->at;
	return (struct span){ p->v->at.src, p->v->at.lo + off,
			      p->v->at.lo + off + (uint32_t)p->len };
}

/* The next part between commas, without blanks around it */
static bool next_piece(const struct json *v, size_t *pos, struct piece *p)
{
	while (*pos < v->len) {
		const char *s = v->s + *pos;
		size_t len = strcspn(s, ",");

		*pos += len + 1;
		while (len > 0 && *s == ' ')
			s++, len--;
		while (len > 0 && s[len - 1] == ' ')
			len--;
		*p = (struct piece){ v, s, len };
		if (len > 0)
			return true;
	}
	return false;
}

static void put_piece(struct conf *k, struct jail_stmt *st, const struct piece *p)
{
	jail_make_value(k->c, st, p->s, p->len, piece_at(p), p->v->is_verbatim);
}

/* Only the running jail learns such an address */
static bool is_learned(const struct piece *p)
{
	static const char *const words[] = { "dhcp", "accept_rtadv", "slaac" };
	const char *bar = memchr(p->s, '|', p->len);
	const char *s = bar != NULL ? bar + 1 : p->s;
	const size_t len = p->len - (size_t)(s - p->s);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (len >= strlen(words[i]) && strncasecmp(s, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* A vnet jail has one link: "vnet0|10.0.0.2/24" is its address, vnet1's is not */
static bool cut_vnet(struct conf *k, struct piece *p)
{
	const char *bar = memchr(p->s, '|', p->len);
	const size_t len = bar != NULL ? (size_t)(bar - p->s) : 0;

	if (bar == NULL)
		return true;
	if (len != 5 || memcmp(p->s, "vnet0", 5) != 0) {
		diag_add(k->c->diags, DIAG_E2605, piece_at(p),
			 "only the first link of a vnet jail, vnet0, is made here");
		return false;
	}
	p->s += len + 1;
	p->len -= len + 1;
	return true;
}

static struct jail_stmt *find_stmt(struct conf *k, const char *name, struct span at)
{
	for (uint32_t i = 0; i < k->b->stmts.n; i++)
		if (strcmp(k->b->stmts.v[i].name, name + (name[0] == '$')) == 0)
			return &k->b->stmts.v[i];
	return jail_make_stmt(k->c, k->b, name, at);
}

static void put_addrs(struct conf *k, const char *name, const char *param)
{
	const struct json *v = text_property(k, name);
	struct piece p;
	size_t pos = 0;

	while (v != NULL && next_piece(v, &pos, &p)) {
		if (is_learned(&p)) {
			diag_add(k->c->diags, DIAG_E2605, piece_at(&p),
				 "'%.*s' is an address that only the running jail learns",
				 (int)p.len, p.s);
			diag_help(k->c->diags, "give it a fixed address");
		} else if (!k->is_vnet || cut_vnet(k, &p)) {
			put_piece(k, find_stmt(k, k->is_vnet ? "$address" : param, p.v->at), &p);
		}
	}
}

static bool is_ports(const char *s, size_t len)
{
	return len > 0 && strspn(s, "0123456789-") >= len;
}

/* "tcp(80:8080)": as $forward says it, or NULL with the mistake told */
static const char *forward_words(struct conf *k, const struct piece *p)
{
	static const struct { const char *word, *proto; } protos[] = {
		{ "tcp", "tcp" }, { "udp", "udp" }, { "tcp/udp", "tcp+udp" },
		{ "udp/tcp", "tcp+udp" },
	};
	const char *open = memchr(p->s, '(', p->len);
	const size_t proto_len = open != NULL ? (size_t)(open - p->s) : 0;
	const char *proto = NULL, *in, *colon, *end = p->s + p->len - 1;

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		if (strlen(protos[i].word) == proto_len &&
		    strncasecmp(p->s, protos[i].word, proto_len) == 0)
			proto = protos[i].proto;
	if (proto != NULL && *end == ')') {
		in = open + 1;
		colon = memchr(in, ':', (size_t)(end - in));
		if (colon == NULL && is_ports(in, (size_t)(end - in)))
			return arena_printf(k->c->a, "%s %.*s", proto, (int)(end - in), in);
		if (colon != NULL && is_ports(in, (size_t)(colon - in)) &&
		    is_ports(colon + 1, (size_t)(end - colon) - 1))
			return arena_printf(k->c->a, "%s %.*s:%.*s", proto, (int)(end - colon) - 1,
					    colon + 1, (int)(colon - in), in);
	}
	diag_add(k->c->diags, DIAG_E2604, piece_at(p), "'%.*s' is not PROTO(PORT:HOSTPORT)",
		 (int)p->len, p->s);
	return NULL;
}

static void put_forwards(struct conf *k)
{
	const struct json *v = text_property(k, "nat_forwards");
	struct piece p;
	size_t pos = 0;

	if (v != NULL && !k->is_nat) {
		diag_add(k->c->diags, DIAG_W2606, v->at,
			 "nat is off, and so nat_forwards has no effect");
		return;
	}
	while (v != NULL && next_piece(v, &pos, &p)) {
		const char *words = forward_words(k, &p);

		if (words != NULL)
			jail_make_value(k->c, find_stmt(k, "$forward", piece_at(&p)), words,
					strlen(words), piece_at(&p), false);
	}
}

static void put_nat(struct conf *k)
{
	const struct json *iface = text_property(k, "nat_interface");
	const struct json *on = property(k, "nat");

	if (!k->is_nat)
		return;
	if (property(k, "ip4_addr") == NULL) {
		diag_add(k->c->diags, DIAG_E2605, on->at,
			 "nat without ip4_addr: iocage finds an address when it starts the jail");
		diag_help(k->c->diags, "say it: \"ip4_addr\": \"lo1|10.0.0.2\"");
		return;
	}
	if (iface != NULL)
		jail_make_value(k->c, jail_make_stmt(k->c, k->b, "$nat", iface->at), iface->s,
				iface->len, iface->at, iface->is_verbatim);
	else
		jail_make_set(k->c, k->b, "$nat", "egress", on->at);
}

/* The bridge and gateway of a vnet jail that is not behind nat, where it is routed */
static void put_link(struct conf *k)
{
	static const char *const routers[] = { "defaultrouter", "defaultrouter6" };
	const struct json *links = text_property(k, "interfaces");
	const char *colon;
	struct piece p;
	size_t pos = 0;

	if (!k->is_vnet)
		return;
	jail_make_stmt(k->c, k->b, "vnet", property(k, "vnet")->at);
	if (k->is_nat)
		return;
	if (links != NULL && next_piece(links, &pos, &p)) {
		colon = memchr(p.s, ':', p.len);
		if (colon != NULL) {
			p.len -= (size_t)(colon + 1 - p.s);
			p.s = colon + 1;
		}
		if (colon != NULL && !(p.len == 4 && strncasecmp(p.s, "none", 4) == 0)) {
			put_piece(k, jail_make_stmt(k->c, k->b, "$bridge", links->at), &p);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(routers); i++) {
		const struct json *v = text_property(k, routers[i]);

		if (v != NULL && strcasecmp(v->s, "auto") != 0)
			jail_make_value(k->c, find_stmt(k, "$gateway", v->at), v->s, v->len, v->at,
					v->is_verbatim);
	}
}

/**
 * struct prop - A property that is one parameter
 * @name:	Of iocage
 * @param:	Of jail.conf
 * @is_switch:	The parameter stands there or does not
 */
static const struct prop {
	const char *name;
	const char *param;
	bool is_switch;
} props[] = {
	{ "host_hostname", "host.hostname", false },
	{ "host_domainname", "host.domainname", false },
	{ "ip4", "ip4", false },
	{ "ip6", "ip6", false },
	{ "ip_hostname", "ip_hostname", true },
	{ "allow_chflags", "allow.chflags", true },
	{ "allow_mount", "allow.mount", true },
	{ "allow_raw_sockets", "allow.raw_sockets", true },
	{ "allow_set_hostname", "allow.set_hostname", true },
	{ "allow_socket_af", "allow.socket_af", true },
	{ "allow_sysvipc", "allow.sysvipc", true },
	{ "children_max", "children.max", false },
	{ "devfs_ruleset", "devfs_ruleset", false },
	{ "enforce_statfs", "enforce_statfs", false },
	{ "exec_clean", "exec.clean", true },
	{ "exec_fib", "exec.fib", false },
	{ "exec_jail_user", "exec.jail_user", false },
	{ "exec_poststart", "exec.poststart", false },
	{ "exec_poststop", "exec.poststop", false },
	{ "exec_prestart", "exec.prestart", false },
	{ "exec_prestop", "exec.prestop", false },
	{ "exec_start", "exec.start", false },
	{ "exec_stop", "exec.stop", false },
	{ "exec_timeout", "exec.timeout", false },
	{ "mount_devfs", "mount.devfs", true },
	{ "mount_fdescfs", "mount.fdescfs", true },
	{ "mount_procfs", "mount.procfs", true },
	{ "securelevel", "securelevel", false },
};

static void put_props(struct conf *k)
{
	for (size_t i = 0; i < ARRAY_SIZE(props); i++) {
		const struct json *v = text_property(k, props[i].name);

		if (v == NULL || (props[i].is_switch && !is_on(k, props[i].name)))
			continue;
		/* A vnet jail's stack is its own, whatever stands there */
		if (k->is_vnet && (strcmp(props[i].param, "ip4") == 0 ||
				   strcmp(props[i].param, "ip6") == 0))
			continue;
		if (props[i].is_switch)
			jail_make_stmt(k->c, k->b, props[i].param, v->at);
		else
			jail_make_value(k->c, jail_make_stmt(k->c, k->b, props[i].param, v->at),
					v->s, v->len, v->at, v->is_verbatim);
	}
}

/* The name that host_hostuuid gives, else that of the directory */
static struct jail_block *make_block(struct conf *k, struct jail_file *f, uint32_t src)
{
	const struct json *v = text_property(k, "host_hostuuid");
	const char *path = source_at(k->c->sources, src)->name;
	const char *end = strrchr(path, '/'), *from = end;

	if (v != NULL)
		return jail_make_block(k->c, f, v->s, v->len, v->at);
	while (from != NULL && from > path && from[-1] != '/')
		from--;
	if (from != NULL && from < end)
		return jail_make_block(k->c, f, from, (size_t)(end - from), k->own.at);
	diag_add(k->c->diags, DIAG_E2604, k->own.at, "no host_hostuuid says the jail's name");
	return NULL;
}

/* Is it an object; told if not */
static bool read_object(struct lang_ctx *c, uint32_t src, struct json *ret)
{
	if (!json_parse(c, src, ret))
		return false;
	if (ret->kind != JSON_OBJECT)
		diag_add(c->diags, DIAG_E2604, ret->at, "a file of iocage is an object, '{...}'");
	return ret->kind == JSON_OBJECT;
}

struct jail_file *iocage_parse(struct lang_ctx *c, uint32_t src, uint32_t defaults)
{
	struct jail_file *f = arena_new(c->a, struct jail_file);
	struct conf k = { .c = c, .base = { .kind = JSON_OBJECT } };

	if (!read_object(c, src, &k.own) || (defaults != 0 && !read_object(c, defaults, &k.base)))
		return f;
	if (is_on(&k, "template")) {
		diag_add(c->diags, DIAG_N2607, property(&k, "template")->at,
			 "it is a template, which never runs, and not declared");
		return f;
	}
	k.b = make_block(&k, f, src);
	if (k.b == NULL)
		return f;
	k.is_vnet = is_on(&k, "vnet");
	k.is_nat = is_on(&k, "nat");
	put_props(&k);
	put_addrs(&k, "ip4_addr", "ip4.addr");
	put_addrs(&k, "ip6_addr", "ip6.addr");
	put_link(&k);
	put_nat(&k);
	put_forwards(&k);
	if (is_on(&k, "dhcp"))
		diag_add(c->diags, DIAG_E2605, property(&k, "dhcp")->at,
			 "dhcp: the address is one that only the running jail learns");
	if (property(&k, "boot") != NULL && !is_on(&k, "boot"))
		diag_add(c->diags, DIAG_N2607, property(&k, "boot")->at,
			 "boot is off, and the jail is declared all the same");
	return f;
}
