/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Names that lead to the same servers become one pool.  Where haproxy listens
 * is asked of the model: a client's packet to each outside address, ports 80
 * and 443.  If the rules leave it alone, haproxy listens there; if an rdr or a
 * forward leads it on, haproxy is in the jail that it leads to, and listens at
 * the place it leads to.  Names are served only where their jail's clients come.
 */
#include "target/haproxy/program.h"

#include <stdlib.h>
#include <string.h>

#include "model/eval.h"
#include "model/forward.h"

static const uint16_t outside_port[WEB_KINDS] = { [WEB_HTTP] = 80, [WEB_TLS] = 443 };

/**
 * struct web_place - An address that clients use, and what is served there
 * @kind:	What they speak
 * @addr:	The address
 * @bind:	Where haproxy listens for it
 * @is_led:	@bind is known
 * @pools:	Numbers of the pools, in ascending order
 */
struct web_place {
	enum web_kind kind;
	struct addr addr;
	struct web_bind bind;
	bool is_led;
	VEC(uint32_t) pools;
};

struct work {
	const struct decl *d;
	const struct model *m;
	struct diags *diags;
	struct arena *a;
	struct haproxy_program *p;
	VEC(struct web_place) places;
	bool is_bad;
};

/* ---- pools ------------------------------------------------------------------ */

/* "*.example.org" as a word of haproxy's that no other name becomes: these have no colon */
static const char *pool_id(struct arena *a, const char *name)
{
	return name[0] == '*' ? arena_printf(a, "any:%s", name + 2) : name;
}

static bool server_equal(const struct web_server *x, const struct web_server *y)
{
	return strcmp(x->jail, y->jail) == 0 && x->port[WEB_HTTP] == y->port[WEB_HTTP] &&
	       x->port[WEB_TLS] == y->port[WEB_TLS] && x->is_proxy == y->is_proxy;
}

static bool servers_equal(const struct web_pool *x, const struct web_pool *y)
{
	if (x->servers.n != y->servers.n)
		return false;
	for (uint32_t i = 0; i < x->servers.n; i++)
		if (!server_equal(&x->servers.v[i], &y->servers.v[i]))
			return false;
	return true;
}

static void add_server(struct work *w, struct web_pool *pool, const struct decl_jail *j,
		       const struct decl_site *site)
{
	vec_add(w->a, &pool->servers, ((struct web_server){
		.jail = j->name,
		.addr = j->addrs.v[0].p.a,
		.port = { [WEB_HTTP] = site->http_port, [WEB_TLS] = site->tls_port },
		.is_proxy = site->is_proxy,
	}));
}

/* The number of the pool of @name, or UINT32_MAX */
static uint32_t pool_of(const struct haproxy_program *p, const char *name)
{
	for (uint32_t i = 0; i < p->pools.n; i++)
		for (uint32_t n = 0; n < p->pools.v[i].names.n; n++)
			if (strcmp(p->pools.v[i].names.v[n], name) == 0)
				return i;
	return UINT32_MAX;
}

static void add_name(struct work *w, const struct decl_jail *j, const struct decl_site *site)
{
	const uint32_t found = pool_of(w->p, site->name);
	struct web_pool *pool;

	if (found != UINT32_MAX) {
		add_server(w, &w->p->pools.v[found], j, site);
		return;
	}
	pool = vec_push(w->a, &w->p->pools);
	pool->id = pool_id(w->a, site->name);
	vec_add(w->a, &pool->names, site->name);
	add_server(w, pool, j, site);
}

/* Names with the same servers become one pool */
static void merge_pools(struct work *w)
{
	struct web_pool *v = w->p->pools.v;
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->p->pools.n; i++) {
		uint32_t same = 0;

		while (same < n && !servers_equal(&v[same], &v[i]))
			same++;
		if (same == n) {
			v[n++] = v[i];
			continue;
		}
		for (uint32_t k = 0; k < v[i].names.n; k++)
			vec_add(w->a, &v[same].names, v[i].names.v[k]);
	}
	w->p->pools.n = n;
}

static void make_pools(struct work *w)
{
	for (uint32_t i = 0; i < w->d->jails.n; i++) {
		const struct decl_jail *j = &w->d->jails.v[i];

		if (!j->is_enabled || j->sites.n == 0)
			continue;
		if (j->addrs.n == 0) {
			diag_add(w->diags, DIAG_E1741, j->sites.v[0].at,
				 "jail '%s' has no address that haproxy could talk to", j->name);
			w->is_bad = true;
			continue;
		}
		for (uint32_t n = 0; n < j->sites.n; n++)
			add_name(w, j, &j->sites.v[n]);
	}
	merge_pools(w);
	if (w->p->pools.n > 0 || w->is_bad)
		return;
	diag_add(w->diags, DIAG_E1740, SPAN_NONE, "no jail has names of the web");
	diag_help(w->diags, "as in  $http = \"www.example.org\";  in jail.conf");
	w->is_bad = true;
}

/* ---- fronts ----------------------------------------------------------------- */

/* Some address that is no neighbour of the host on @iface (RFC 5737, RFC 3849) */
static struct addr somebody(const struct facts *facts, const char *iface, uint8_t af)
{
	static const char *const from[2][3] = {
		{ "198.51.100.7", "192.0.2.7", "203.0.113.7" },
		{ "2001:db8:51::7", "2001:db8:80::7", "2001:db8:113::7" },
	};
	const struct iface *ifp = facts_find(facts, iface);
	struct addr a = { AF_NONE, 0 };

	for (size_t k = 0; k < ARRAY_SIZE(from[0]); k++) {
		const char *s = from[af == AF_V6][k];
		bool is_near = false;

		BUG_IF(addr_parse(s, strlen(s), &a) != 0);
		for (uint32_t i = 0; ifp != NULL && i < ifp->addrs.n; i++)
			is_near |= prefix_has(ifp->addrs.v[i].p, a);
		if (!is_near)
			break;
	}
	return a;
}

/* Is @b a server of the pools: haproxy would talk to itself, or never be asked */
static bool is_server(const struct haproxy_program *p, const struct web_bind *b)
{
	for (uint32_t i = 0; i < p->pools.n; i++)
		for (uint32_t n = 0; n < p->pools.v[i].servers.n; n++) {
			const struct web_server *s = &p->pools.v[i].servers.v[n];

			if (addr_equal(s->addr, b->addr) &&
			    (s->port[WEB_HTTP] == b->port || s->port[WEB_TLS] == b->port))
				return true;
		}
	return false;
}

/* Where a client's connection to @addr ends; false after an error */
static bool find_bind(struct work *w, const char *iface, struct addr addr, enum web_kind kind,
		      const struct decl_jail *j, struct web_bind *ret)
{
	const struct packet p = {
		.dir = DIR_IN,
		.iface = intern_cid(w->m->names, iface),
		.proto = 6,
		.src = somebody(w->m->facts, iface, addr.af),
		.dst = addr,
		.sport = 40000,
		.dport = outside_port[kind],
		.tcp_flags = TCP_FLAG_SYN,
	};
	struct world world;
	struct result r;
	char text[ADDR_TEXT_BYTES];

	world_init(&world, w->a);
	r = model_eval(w->m, &world, &p, w->a);
	*ret = (struct web_bind){ r.packet.dst, r.packet.dport };
	addr_print(addr, text);
	if (is_server(w->p, ret)) {
		diag_add(w->diags, DIAG_E1742, j->sites.v[0].at,
			 "port %u of %s leads to a jail's own server, past haproxy", p.dport, text);
		for (uint32_t i = 0; i < r.steps.n; i++)
			if (strcmp(r.steps.v[i].effect, "rdr") == 0)
				diag_note(w->diags, r.steps.v[i].origin.at, "by this");
		w->is_bad = true;
		return false;
	}
	if (r.verdict != V_PASS)
		diag_add(w->diags, DIAG_W1743, j->sites.v[0].at,
			 "the rules let no client reach port %u of %s", p.dport, text);
	return true;
}

/* The place of @addr, new when no jail has asked for it */
static struct web_place *place_of(struct work *w, const char *iface, struct addr addr,
			      enum web_kind kind, const struct decl_jail *j)
{
	struct web_place *pl;

	for (uint32_t i = 0; i < w->places.n; i++)
		if (w->places.v[i].kind == kind && addr_equal(w->places.v[i].addr, addr))
			return &w->places.v[i];
	pl = vec_push(w->a, &w->places);
	pl->kind = kind;
	pl->addr = addr;
	pl->is_led = find_bind(w, iface, addr, kind, j, &pl->bind);
	return pl;
}

/* The pools of a jail's names are served at @pl */
static void serve(struct work *w, struct web_place *pl, const struct decl_jail *j)
{
	for (uint32_t i = 0; i < j->sites.n; i++) {
		const uint32_t pool = pool_of(w->p, j->sites.v[i].name);
		uint32_t at = 0;

		while (at < pl->pools.n && pl->pools.v[at] < pool)
			at++;
		if (at < pl->pools.n && pl->pools.v[at] == pool)
			continue;
		vec_push(w->a, &pl->pools);
		memmove(&pl->pools.v[at + 1], &pl->pools.v[at],
			(pl->pools.n - 1 - at) * sizeof(*pl->pools.v));
		pl->pools.v[at] = pool;
	}
}

static void find_places(struct work *w)
{
	for (uint32_t i = 0; i < w->d->jails.n; i++) {
		const struct decl_jail *j = &w->d->jails.v[i];
		struct forward_fronts fronts = { 0 };

		if (!j->is_enabled || j->sites.n == 0)
			continue;
		forward_fronts(w->m->facts, w->d, j, &fronts);
		if (fronts.addrs.list.n == 0) {
			diag_add(w->diags, DIAG_E1741, j->sites.v[0].at,
				 "no address of the host is known that clients of jail '%s' use",
				 j->name);
			diag_help(w->diags, "name its interface: $nat = \"igb0\"");
			w->is_bad = true;
		}
		for (uint32_t n = 0; n < fronts.addrs.list.n; n++)
			for (int kind = 0; kind < WEB_KINDS; kind++) {
				const struct addr a = fronts.addrs.list.v[n];

				serve(w, place_of(w, fronts.iface[a.af == AF_V6], a,
						  (enum web_kind)kind, j), j);
			}
	}
}

static bool serves_same(const struct web_front *f, const struct web_place *pl)
{
	return f->kind == pl->kind && f->pools.n == pl->pools.n &&
	       memcmp(f->pools.v, pl->pools.v, f->pools.n * sizeof(*f->pools.v)) == 0;
}

static bool has_bind(const struct web_front *f, const struct web_bind *b)
{
	for (uint32_t i = 0; i < f->binds.n; i++)
		if (addr_equal(f->binds.v[i].addr, b->addr) && f->binds.v[i].port == b->port)
			return true;
	return false;
}

static int choice_cmp(const void *pa, const void *pb)
{
	const struct web_choice *a = pa, *b = pb;
	const bool a_any = a->name[0] == '*', b_any = b->name[0] == '*';
	const size_t a_len = a_any ? strlen(a->name) : 0, b_len = b_any ? strlen(b->name) : 0;

	if (a_any != b_any)
		return a_any ? 1 : -1;
	if (a_len != b_len)
		return a_len > b_len ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* The front that serves what @pl does, new when there is none */
static struct web_front *front_of(struct work *w, const struct web_place *pl)
{
	struct web_front *f;

	for (uint32_t i = 0; i < w->p->fronts.n; i++)
		if (serves_same(&w->p->fronts.v[i], pl))
			return &w->p->fronts.v[i];
	f = vec_push(w->a, &w->p->fronts);
	f->kind = pl->kind;
	for (uint32_t i = 0; i < pl->pools.n; i++) {
		const struct web_pool *pool = &w->p->pools.v[pl->pools.v[i]];

		vec_add(w->a, &f->pools, pl->pools.v[i]);
		for (uint32_t n = 0; n < pool->names.n; n++)
			vec_add(w->a, &f->choices,
				((struct web_choice){ pool->names.v[n], pl->pools.v[i] }));
	}
	qsort(f->choices.v, f->choices.n, sizeof(*f->choices.v), choice_cmp);
	return f;
}

/* Places that serve the same become one front */
static void make_fronts(struct work *w)
{
	for (uint32_t i = 0; i < w->places.n; i++) {
		const struct web_place *pl = &w->places.v[i];
		struct web_front *f = pl->is_led ? front_of(w, pl) : NULL;

		if (f != NULL && !has_bind(f, &pl->bind))
			vec_add(w->a, &f->binds, pl->bind);
	}
}

const struct haproxy_program *haproxy_program(const struct decl *d, const struct model *m,
					      struct diags *diags)
{
	struct work w = { .d = d, .m = m, .diags = diags, .a = m->a };

	w.p = arena_alloc(w.a, sizeof(*w.p));
	make_pools(&w);
	if (!w.is_bad)
		find_places(&w);
	make_fronts(&w);
	return w.is_bad ? NULL : w.p;
}
