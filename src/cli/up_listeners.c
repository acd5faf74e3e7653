/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A socket that is bound to all addresses takes what is sent to a jail's, and
 * keeps the jail's own program from binding there.  Only jails of which an
 * address is missing are looked at: in one that is up, the socket may well be
 * the jail's own.  A vnet jail has sockets of its own: none of the host's answers
 * there.  UDP sockets with a port of the range that the kernel gives to clients
 * serve nobody.
 */
#include "cli/up.h"

#include <stdlib.h>
#include <string.h>

#include "host/listeners.h"
#include "net/names.h"

/**
 * struct service - Sockets of one program at one port
 * @sock:	One of them
 * @owner:	Who has it
 * @jail:	First jail that it would answer for
 * @addr:	And on which address
 */
struct service {
	const struct sockdiag_sock *sock;
	struct listener_owner owner;
	const struct decl_jail *jail;
	const struct decl_addr *addr;
};

/**
 * struct search - The look for such services
 * @c:		Run
 * @h:		Host
 * @client_lo:	Lowest port that the kernel gives to clients
 * @client_hi:	Highest
 * @found:	What was found, each program and port once
 */
struct search {
	struct cli *c;
	const struct cli_host *h;
	uint16_t client_lo;
	uint16_t client_hi;
	VEC(struct service) found;
};

bool up_is_there(const struct cli_host *h, struct addr a)
{
	for (uint32_t i = 0; i < h->have.addrs.list.n; i++)
		if (addr_equal(h->have.addrs.list.v[i].p.a, a))
			return true;
	return false;
}

/* The address that a jail is about to get and that a socket would answer on, or NULL */
static const struct decl_addr *find_addr(const struct search *s, const struct decl_jail *j,
					 const struct sockdiag_sock *x)
{
	for (uint32_t i = 0; i < j->addrs.n && !j->is_vnet; i++) {
		const struct decl_addr *a = &j->addrs.v[i];

		if (!up_is_there(s->h, a->p.a) &&
		    listener_takes(x, x->proto, a->p.a, x->port, x->port))
			return a;
	}
	return NULL;
}

static bool is_known(const struct search *s, const struct service *v)
{
	for (uint32_t i = 0; i < s->found.n; i++) {
		const struct service *w = &s->found.v[i];

		if (w->sock->port == v->sock->port && w->sock->proto == v->sock->proto &&
		    w->owner.pid == v->owner.pid)
			return true;
	}
	return false;
}

static void look_at(struct search *s, const struct sockdiag_sock *x)
{
	struct service v = { .sock = x };

	if (x->is_raw || x->port == 0 || !listener_is_wild(x) ||
	    (x->proto == PROTO_UDP && x->port >= s->client_lo && x->port <= s->client_hi))
		return;
	for (uint32_t i = 0; i < s->c->runs.list.n && v.addr == NULL; i++) {
		v.jail = decl_find_jail(&s->h->d.decl, s->c->runs.list.v[i].name);
		if (v.jail != NULL)
			v.addr = find_addr(s, v.jail, x);
	}
	if (v.addr == NULL)
		return;
	listener_owner(x, &v.owner);
	if (!is_known(s, &v))
		vec_add(&s->c->arena, &s->found, v);
}

/* An address of the host's own, of the family of @like; AF_NONE: it has none */
static struct addr own_addr(const struct search *s, struct addr like)
{
	const struct facts *f = &s->h->d.facts;
	const char *name = f->default_if[like.af == AF_V4 ? 0 : 1];
	const struct iface *ifp = name != NULL ? facts_find(f, name) : NULL;

	for (uint32_t i = 0; ifp != NULL && i < ifp->addrs.n; i++)
		if (ifp->addrs.v[i].p.a.af == like.af && !addr_is_linklocal(ifp->addrs.v[i].p.a) &&
		    decl_jail_of(&s->h->d.decl, ifp->addrs.v[i].p.a) == NULL)
			return ifp->addrs.v[i].p.a;
	return (struct addr){ .af = AF_NONE };
}

static void tell_cure(const struct search *s, const struct service *v)
{
	const struct addr own = own_addr(s, v->addr->p.a);
	char text[ADDR_TEXT_BYTES];
	const char *cure = own.af == AF_NONE ? "let it listen on an address of the host's own" :
		listener_cure(&s->c->arena, v->owner.program, own, v->sock->port);

	if (cure == NULL)
		cure = arena_printf(&s->c->arena, "let it listen on %s alone",
				    addr_print(own, text));
	diag_help(&s->c->diags, "%s%s", cure, s->c->force ? "" : ", or go on with --force");
}

static void tell(const struct search *s, const struct service *v)
{
	char text[ADDR_TEXT_BYTES];
	const char *proto = proto_name(v->sock->proto);
	const char *who = v->owner.pid == 0 ? "a program of the host" :
		arena_printf(&s->c->arena, "%s (pid %d)", v->owner.program, v->owner.pid);

	diag_add(&s->c->diags, s->c->force ? DIAG_W1902 : DIAG_E1901, v->addr->at,
		 "%s listens on all addresses, %s port %u: it would answer for jail '%s' on %s",
		 who, proto != NULL ? proto : "protocol", v->sock->port, v->jail->name,
		 addr_print(v->addr->p.a, text));
	tell_cure(s, v);
}

static void read_client_ports(struct search *s)
{
	const char *value;
	char *end;

	if (sysctl_read("net/ipv4/ip_local_port_range", &s->c->arena, &value) < 0)
		return;
	s->client_lo = (uint16_t)strtoul(value, &end, 10);
	s->client_hi = (uint16_t)strtoul(end, NULL, 10);
}

static bool is_anything_missing(const struct search *s)
{
	for (uint32_t i = 0; i < s->c->runs.list.n; i++) {
		const struct decl_jail *j = decl_find_jail(&s->h->d.decl,
							   s->c->runs.list.v[i].name);

		for (uint32_t n = 0; j != NULL && !j->is_vnet && n < j->addrs.n; n++)
			if (!up_is_there(s->h, j->addrs.v[n].p.a))
				return true;
	}
	return false;
}

int up_check_listeners(struct cli *c, struct cli_host *h)
{
	struct search s = { .c = c, .h = h, .client_lo = 32768, .client_hi = 60999 };
	struct sockdiag_socks socks;
	int err;

	if (!is_anything_missing(&s))
		return 0;
	err = listeners_read(&c->arena, &socks);
	if (err < 0)
		return cli_system(c, err, "list the services of this host");
	read_client_ports(&s);
	for (uint32_t i = 0; i < socks.list.n; i++)
		look_at(&s, &socks.list.v[i]);
	for (uint32_t i = 0; i < s.found.n; i++)
		tell(&s, &s.found.v[i]);
	return c->diags.n_errors > 0 ? EX_DATAERR : 0;
}
