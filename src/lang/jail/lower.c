/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One table says which parameters concern the network and what each does;
 * those not in it are kept and ignored.  jail(8) refuses a parameter that it
 * does not know; we cannot know all that a FreeBSD kernel may have, so only a
 * name that is nearly a known one is told.
 */
#include "lang/jail.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "lang/ifaddr.h"
#include "lang/jail/expand.h"
#include "lang/jail/forward.h"
#include "lang/jail/http.h"
#include "lang/jail/near.h"
#include "lang/jail/lex.h"
#include "lang/jail/pool.h"
#include "lang/jail/quota.h"
#include "lang/jail/share.h"
#include "lang/jail/vnet.h"

/**
 * struct lower - The jail that is lowered
 * @c:		Context
 * @ps:		Its parameters
 * @d:		Declarations
 * @jail:	What it becomes
 */
struct lower {
	struct lang_ctx *c;
	struct jail_params *ps;
	struct decl *d;
	struct decl_jail *jail;
};

/**
 * struct net_param - A parameter that concerns the network
 * @name:	Its name
 * @fn:		What it does; NULL: read by another's
 * @af:		Family that it speaks of, or AF_NONE
 */
struct net_param {
	const char *name;
	void (*fn)(struct lower *lo, const struct jail_param *p, uint8_t af);
	uint8_t af;
};

static void lower_addrs(struct lower *lo, const struct jail_param *p, uint8_t af);
static void lower_family(struct lower *lo, const struct jail_param *p, uint8_t af);
static void lower_vnet(struct lower *lo, const struct jail_param *p, uint8_t af);
static void lower_hostname(struct lower *lo, const struct jail_param *p, uint8_t af);
static void lower_lookup(struct lower *lo, const struct jail_param *p, uint8_t af);

static const struct net_param net_params[] = {
	{ "host.hostname", lower_hostname, AF_NONE },
	{ "interface", NULL, AF_NONE },
	{ "ip4", lower_family, AF_V4 },
	{ "ip4.addr", lower_addrs, AF_V4 },
	{ "ip6", lower_family, AF_V6 },
	{ "ip6.addr", lower_addrs, AF_V6 },
	{ "ip_hostname", lower_lookup, AF_NONE },
	{ "vnet", lower_vnet, AF_NONE },
};

/* Of jail(8), for "did you mean"; those that concern the network first */
static const char *const param_names[] = {
	"host.hostname", "interface", "ip4", "ip4.addr", "ip4.saddrsel", "ip6", "ip6.addr",
	"ip6.saddrsel", "ip_hostname", "vnet", "vnet.interface",
#define N_NET_NAMES 11
	"allow.chflags", "allow.mount", "allow.raw_sockets", "allow.set_hostname",
	"allow.socket_af", "allow.sysvipc", "children.max", "command", "depend",
	"devfs_ruleset", "enforce_statfs", "exec.clean", "exec.consolelog", "exec.created",
	"exec.fib", "exec.jail_user", "exec.poststart", "exec.poststop", "exec.prepare",
	"exec.prestart", "exec.prestop", "exec.release", "exec.start", "exec.stop",
	"exec.system_jail_user", "exec.system_user", "exec.timeout", "host", "host.domainname",
	"host.hostid", "host.hostuuid", "jid", "linux", "mount", "mount.devfs",
	"mount.fdescfs", "mount.fstab", "mount.procfs", "name", "osreldate", "osrelease",
	"path", "persist", "securelevel", "stop.timeout", "sysvmsg", "sysvsem", "sysvshm",
	"zfs.dataset", "zfs.mount_snapshot", NULL,
};

/* jail(8): a switch is true without value, or by "true" or a number */
static bool is_true(const struct jail_param *p)
{
	const char *dot = strrchr(p->name, '.');
	const bool is_no = strncmp(dot != NULL ? dot + 1 : p->name, "no", 2) == 0;
	const char *value;

	if (p->values.n == 0)
		return !is_no;
	BUG_IF(p->values.v == NULL);
	value = p->values.v[p->values.n - 1].buf.v;
	return is_no != (strcasecmp(value, "true") == 0 || (*value >= '1' && *value <= '9'));
}

/* The last value, which counts where one is wanted; NULL: none */
static const struct text *last_value(const struct jail_param *p)
{
	if (p == NULL || p->state != JAIL_PARAM_DONE || p->values.n == 0)
		return NULL;
	return &p->values.v[p->values.n - 1];
}

static const char *text_name(struct lower *lo, const struct text *t, uint32_t from, uint32_t to)
{
	return intern_str(lo->c->names, t->buf.v + from, to - from);
}

/* The interface in bytes [@from, @to) of a value; NULL after an error */
static const char *iface_name(struct lower *lo, const struct text *t, uint32_t from, uint32_t to)
{
	if (ifname_is_good(t->buf.v + from, to - from))
		return text_name(lo, t, from, to);
	text_error(lo->c, DIAG_E1418, t, from, to, "'%.*s' cannot be an interface's name",
		   (int)(to - from), t->buf.v + from);
	return NULL;
}

/* jail(8): the interface of addresses that name none */
static const char *default_iface(struct lower *lo)
{
	const struct text *t = last_value(jail_params_find(lo->ps, "interface"));

	return t != NULL && t->buf.n > 0 ? iface_name(lo, t, 0, t->buf.n) : NULL;
}

static void tell_ignored_words(struct lower *lo, const struct text *t,
			       const struct ifaddr_words *words)
{
	for (uint32_t i = 0; i < words->list.n; i++) {
		const struct text_word w = words->list.v[i];

		if (text_word_is(t, w, "vhid"))
			text_error(lo->c, DIAG_W1430, t, w.lo, w.hi, "'vhid' (carp) has no effect");
	}
}

/* The address of the other family is a common slip: say so */
static bool tell_other_family(struct lower *lo, const struct text *t, uint32_t from, uint32_t to,
			      uint8_t af)
{
	struct text_word w;
	struct prefix p;
	uint32_t pos = from;

	if (!text_next_word(t, &pos, to, &w) ||
	    prefix_parse(t->buf.v + w.lo, w.hi - w.lo, &p) != 0 || p.a.af == af)
		return false;
	text_error(lo->c, DIAG_E1416, t, w.lo, w.hi, "ip%d.addr cannot have an IPv%d address", af,
		   p.a.af);
	diag_help(lo->c->diags, "it goes to ip%d.addr", p.a.af);
	return true;
}

/* "[INTERFACE|]ADDRESS[/LENGTH] words" in bytes [@from, @to) */
static void lower_addr(struct lower *lo, const struct text *t, uint32_t from, uint32_t to,
		       uint8_t af, const char *iface)
{
	static const struct ifaddr_rules rules = {
		.bad_addr = DIAG_E1415,
		.bad_len = DIAG_E1417,
		.default_full = true,
		.max_addrs = LIMIT_LIST_ITEMS,
		.too_many = DIAG_E1415,
	};
	const char *bar = memchr(t->buf.v + from, '|', to - from);
	struct ifaddr_list found = { 0 };
	struct ifaddr_words other = { 0 };

	if (bar != NULL) {
		const uint32_t at = (uint32_t)(bar - t->buf.v);

		iface = iface_name(lo, t, from, at);
		if (iface == NULL)
			return;
		from = at + 1;
	}
	if (tell_other_family(lo, t, from, to, af) ||
	    !ifaddr_parse(lo->c, &rules, af, t, from, to, &found, &other))
		return;
	tell_ignored_words(lo, t, &other);
	vec_add(lo->c->a, &lo->jail->addrs, ((struct decl_addr){
		.iface = iface,
		.p = found.list.v[0].p,
		.peer = found.list.v[0].peer,
		.jail = lo->jail->name,
		.at = found.list.v[0].at,
	}));
}

static void lower_addrs(struct lower *lo, const struct jail_param *p, uint8_t af)
{
	const char *iface = default_iface(lo);

	for (uint32_t i = 0; i < p->values.n; i++) {
		const struct text *t = &p->values.v[i];
		const char *comma = memchr(t->buf.v, ',', t->buf.n);
		uint32_t from = 0;

		if (comma != NULL && memchr(t->buf.v, '|', t->buf.n) != NULL) {
			text_error(lo->c, DIAG_E1415, t, 0, t->buf.n,
				   "several addresses in one string");
			diag_help(lo->c->diags, "give each its own quotes: \"a\", \"b\"");
			continue;
		}
		for (; comma != NULL; comma = memchr(comma + 1, ',',
						     t->buf.n - from)) {
			lower_addr(lo, t, from, (uint32_t)(comma - t->buf.v), af, iface);
			from = (uint32_t)(comma - t->buf.v) + 1;
		}
		if (t->buf.n > 0)
			lower_addr(lo, t, from, t->buf.n, af, iface);
	}
}

/* Is the last value of @p one of @words (NULL after the last); told if not */
static bool is_one_of(struct lower *lo, const struct jail_param *p, const struct text *t,
		      const char *const *words)
{
	const char *near, *all = "";

	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(t->buf.v, words[i]) == 0)
			return true;
		all = arena_printf(lo->c->a, "%s%s%s", all, i > 0 ? ", " : "", words[i]);
	}
	text_error(lo->c, DIAG_E1419, t, 0, t->buf.n, "'%s' of '%s' is none of %s", t->buf.v,
		   p->name, all);
	near = diag_nearest(t->buf.v, words);
	if (near != NULL)
		diag_help(lo->c->diags, "did you mean '%s'?", near);
	return false;
}

static void lower_family(struct lower *lo, const struct jail_param *p, uint8_t af)
{
	static const char *const words[] = { "new", "inherit", "disable", NULL };
	const struct text *t = last_value(p);
	const struct jail_param *addrs = jail_params_find(lo->ps, af == AF_V4 ? "ip4.addr"
									      : "ip6.addr");

	if (t == NULL || !is_one_of(lo, p, t, words) || strcmp(t->buf.v, "new") == 0)
		return;
	if (addrs == NULL || addrs->values.n == 0 || addrs->values.v[0].buf.n == 0)
		return;
	text_error(lo->c, DIAG_W1424, t, 0, t->buf.n,
		   "'ip%d = %s' has no effect beside ip%d.addr", af, t->buf.v, af);
	diag_note(lo->c->diags, addrs->at, "the addresses are here");
}

static void lower_vnet(struct lower *lo, const struct jail_param *p, uint8_t af)
{
	static const char *const words[] = { "new", "inherit", "true", "false", "0", "1", NULL };
	const struct text *t = last_value(p);

	(void)af;
	if (t != NULL && !is_one_of(lo, p, t, words))
		return;
	lo->jail->is_vnet = t != NULL && strcmp(t->buf.v, "new") == 0 ? true : is_true(p);
	lo->jail->vnet_at = p->at;
}

static void lower_hostname(struct lower *lo, const struct jail_param *p, uint8_t af)
{
	const struct text *t = last_value(p);

	(void)af;
	if (t != NULL)
		lo->jail->hostname = t->buf.v;
}

static void lower_lookup(struct lower *lo, const struct jail_param *p, uint8_t af)
{
	(void)af;
	if (is_true(p))
		diag_add(lo->c->diags, DIAG_E1420, p->at,
			 "'ip_hostname' takes addresses from a name server, which this version "
			 "does not do");
}

static void keep_params(struct lower *lo)
{
	struct decl_jail *j = lo->jail;

	j->params.v = arena_alloc(lo->c->a, lo->ps->list.n * sizeof(*j->params.v));
	j->params.cap = lo->ps->list.n;
	for (uint32_t i = 0; i < lo->ps->list.n; i++) {
		const struct jail_param *p = &lo->ps->list.v[i];
		struct decl_param *out = &j->params.v[j->params.n++];

		out->name = p->is_var ? arena_printf(lo->c->a, "$%s", p->name) : p->name;
		out->at = p->at;
		out->values.v = arena_array(lo->c->a, const char *, p->values.n);
		out->values.cap = p->values.n;
		for (uint32_t n = 0; n < p->values.n; n++)
			out->values.v[out->values.n++] = p->values.v[n].buf.v;
	}
}

/* A jail whose name before the brace is a number may have a name all the same */
static void rename_jail(struct lower *lo)
{
	const struct text *t = last_value(jail_params_find(lo->ps, "name"));
	const struct decl_jail *other;

	if (t == NULL || strcmp(t->buf.v, lo->jail->name) == 0)
		return;
	if (t->buf.n == 0 || jail_name_bad_byte(t->buf.v, t->buf.n) >= 0) {
		text_error(lo->c, DIAG_E1414, t, 0, t->buf.n, "'%s' cannot be a jail's name",
			   t->buf.v);
		return;
	}
	other = decl_find_jail(lo->d, t->buf.v);
	if (other != NULL) {
		text_error(lo->c, DIAG_E1413, t, 0, t->buf.n, "jail '%s' is declared twice",
			   t->buf.v);
		diag_note(lo->c->diags, other->at, "the first is here");
	}
	lo->jail->name = text_name(lo, t, 0, t->buf.n);
}

/* Our own variables; each value of $forward is one forward, of $nat one way out */
static void lower_vars(struct lower *lo)
{
	const struct jail_param *forward = jail_params_find_var(lo->ps, "forward");
	const struct jail_param *nat = jail_params_find_var(lo->ps, "nat");
	const struct jail_param *pool = jail_params_find_var(lo->ps, "pool");
	const struct jail_param *share = jail_params_find_var(lo->ps, "share");
	const struct jail_param *http = jail_params_find_var(lo->ps, "http");
	const struct jail_param *limit = jail_params_find_var(lo->ps, "limit");
	const struct jail_param *ports = jail_params_find_var(lo->ps, "ports");

	if (forward != NULL)
		vec_reserve(lo->c->a, &lo->jail->forwards, forward->values.n);
	for (uint32_t i = 0; forward != NULL && i < forward->values.n; i++) {
		struct decl_forward *f = vec_push(lo->c->a, &lo->jail->forwards);

		if (!jail_forward_parse(lo->c, &forward->values.v[i], f))
			lo->jail->forwards.n--;
	}
	for (uint32_t i = 0; nat != NULL && i < nat->values.n; i++) {
		struct decl_nat n;

		if (jail_nat_parse(lo->c, &nat->values.v[i], &n))
			vec_add(lo->c->a, &lo->jail->nats, n);
	}
	for (uint32_t i = 0; pool != NULL && i < pool->values.n; i++) {
		struct decl_pool p;

		if (jail_pool_parse(lo->c, &pool->values.v[i], &p))
			vec_add(lo->c->a, &lo->jail->pools, p);
	}
	for (uint32_t i = 0; limit != NULL && i < limit->values.n; i++)
		jail_quota_parse(lo->c, &limit->values.v[i], &lo->jail->quota);
	if (ports != NULL && ports->values.n > 0)
		jail_blocks_parse(lo->c, &ports->values.v[ports->values.n - 1], &lo->jail->blocks);
	for (uint32_t i = 0; share != NULL && i < share->values.n; i++)
		jail_share_parse(lo->c, &share->values.v[i], lo->jail);
	for (uint32_t i = 0; http != NULL && i < http->values.n; i++)
		jail_http_parse(lo->c, &http->values.v[i], lo->jail);
}

static void lower_jail(struct lang_ctx *c, struct jail_params *ps, uint32_t block,
		       struct decl *d)
{
	const struct jail_block *b = &ps->f->blocks.v[block];
	struct lower lo = { .c = c, .ps = ps, .d = d };

	jail_params_of(ps, block);
	lo.jail = vec_push(c->a, &d->jails);
	lo.jail->name = b->name;
	lo.jail->at = b->name_at;
	rename_jail(&lo);
	keep_params(&lo);
	for (size_t i = 0; i < ARRAY_SIZE(net_params); i++) {
		const struct jail_param *p = jail_params_find(ps, net_params[i].name);

		if (p != NULL && p->state == JAIL_PARAM_DONE && net_params[i].fn != NULL)
			net_params[i].fn(&lo, p, net_params[i].af);
	}
	lower_vars(&lo);
	jail_vnet_lower(c, ps, lo.jail);
}

static void check_param(struct lang_ctx *c, const struct jail_stmt *st)
{
	const char *base = intern_name(c->names, st->key);
	const char *near;

	for (size_t i = 0; param_names[i] != NULL; i++)
		if (strcmp(base, param_names[i]) == 0 || strcmp(st->name, param_names[i]) == 0)
			return;
	if (strncmp(base, "allow.", 6) == 0)
		return;
	near = diag_nearest(base, param_names);
	if (near == NULL)
		return;
	for (size_t i = 0; i < N_NET_NAMES; i++) {
		if (near != param_names[i])
			continue;
		diag_add(c->diags, DIAG_E1422, st->name_at, "unknown parameter '%s'", st->name);
		diag_help(c->diags, "did you mean '%s'?", near);
		return;
	}
	diag_add(c->diags, DIAG_W1423, st->name_at, "unknown parameter '%s' is ignored", st->name);
	diag_help(c->diags, "did you mean '%s'?", near);
}

/* What can be said of statements whichever jail they end in */
static void check_stmts(struct lang_ctx *c, const struct jail_block *b)
{
	for (uint32_t i = 0; i < b->stmts.n && !diag_is_full(c->diags); i++) {
		if (!b->stmts.v[i].is_var)
			check_param(c, &b->stmts.v[i]);
	}
}

/**
 * struct seen - Jails so far, by the number of their interned name
 * @index:	Index + 1 in decl.jails
 * @n:		Numbers there is room for
 */
struct seen {
	uint32_t *index;
	uint32_t n;
};

static struct seen seen_jails(struct lang_ctx *c, const struct decl *d)
{
	struct seen s = { .n = c->names->str.n };

	s.index = arena_array(c->a, uint32_t, s.n);
	for (uint32_t i = 0; i < d->jails.n; i++) {
		const uint32_t id = intern_cid(c->names, d->jails.v[i].name);

		if (id < s.n)
			s.index[id] = i + 1;
	}
	return s;
}

enum { RANK_RC_WHOLE, RANK_OWN_FILE, RANK_OWN_PART, RANK_FILE, RANK_RC_PART };

/* Does block @b set the parameter named @name */
static bool has_param(const struct jail_block *b, const char *name)
{
	for (uint32_t i = 0; i < b->stmts.n; i++)
		if (!b->stmts.v[i].is_var && strcmp(b->stmts.v[i].name, name) == 0)
			return true;
	return false;
}

/* Which of several declarations of a jail rc.d/jail takes: the one of the lowest rank */
static uint8_t rank_of(struct lang_ctx *c, const struct jail_file *f, const struct jail_block *b)
{
	const struct span at = source_file_span(c->sources, b->name_at);
	const char *path, *base;

	if (f->is_rc)
		return has_param(b, "path") && has_param(b, "host.hostname") ? RANK_RC_WHOLE
									    : RANK_RC_PART;
	path = source_at(c->sources, at.src)->name;
	base = source_short_name(path);
	if (strcmp(base, arena_printf(c->a, "jail.%s.conf", b->name)) == 0)
		return RANK_OWN_FILE;
	if (strcmp(base, arena_printf(c->a, "%s.conf", b->name)) == 0 &&
	    fnmatch("*jail.conf.d/*", path, 0) == 0)
		return RANK_OWN_PART;
	return RANK_FILE;
}

/* What two declarations of a jail are: an error, or the one that counts is told */
static void tell_double(struct lang_ctx *c, const char *name, struct span at, uint8_t rank,
			const struct decl_jail *first)
{
	if (rank == first->rank) {
		diag_add(c->diags, DIAG_E1413, at, "jail '%s' is declared twice", name);
		diag_note(c->diags, first->at, "the first is here");
	} else if (rank > first->rank) {
		diag_add(c->diags, DIAG_N1436, at, "this declaration of jail '%s' does not count",
			 name);
		diag_note(c->diags, first->at, "this one does");
	} else {
		diag_add(c->diags, DIAG_N1436, first->at,
			 "this declaration of jail '%s' does not count", name);
		diag_note(c->diags, at, "this one does");
	}
}

/* Lower the jail of block @i, unless another declaration of it counts */
static void lower_ranked(struct lang_ctx *c, struct jail_params *ps, uint32_t i, struct decl *d,
			 struct seen *s)
{
	const struct jail_block *b = &ps->f->blocks.v[i];
	const uint32_t id = intern_cid(c->names, b->name);
	const uint8_t rank = rank_of(c, ps->f, b);
	struct decl_jail *first = id < s->n && s->index[id] > 0 ? &d->jails.v[s->index[id] - 1]
								: NULL;
	uint32_t n;

	if (first != NULL) {
		tell_double(c, b->name, b->name_at, rank, first);
		if (rank >= first->rank)
			return;
	} else if (id < s->n) {
		s->index[id] = d->jails.n + 1;
	}
	lower_jail(c, ps, i, d);
	n = d->jails.n - 1;
	d->jails.v[n].rank = rank;
	if (first == NULL)
		return;
	d->jails.v[s->index[id] - 1] = d->jails.v[n];
	d->jails.n = n;
}

void jail_lower(struct lang_ctx *c, const struct jail_file *f, struct decl *d)
{
	struct jail_params ps CLEANUP(jail_params_fini);
	struct seen seen;

	jail_params_init(&ps, c, f);
	seen = seen_jails(c, d);
	for (uint32_t i = 0; i < f->blocks.n && !diag_is_full(c->diags); i++)
		check_stmts(c, &f->blocks.v[i]);
	jail_near_check(c, f);
	for (uint32_t i = 0; i < f->blocks.n && !diag_is_full(c->diags); i++) {
		if (!f->blocks.v[i].is_wild)
			lower_ranked(c, &ps, i, d, &seen);
	}
}
