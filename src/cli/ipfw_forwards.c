/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * $nat and $forward of jails are the last translations of a pf.conf: of many
 * translations the first that matches counts, and those of the jails come behind.
 * An ipfw ruleset has no such place.  Where its list hands packets to nat decides
 * which addresses its rules see, and whether what was translated is judged at all
 * (one_pass): before the list, behind it or in its middle are three different
 * firewalls, and only who wrote the list knows which one is meant.  So they are
 * refused, with the commands that say the same in ipfw.
 */
#include <string.h>

#include "cli/ipfw.h"

/* What is said of one interface */
struct instance {
	const char *iface;
	const char *config;	/* flags and redirects */
	const char *sources;	/* addresses of the jails, with commas */
};

struct telling {
	struct arena *a;
	struct span at;
	VEC(struct instance) list;
	bool has_net;		/* some forward is from a network */
};

static struct instance *instance_of(struct telling *t, const char *iface)
{
	struct instance *n;

	for (uint32_t i = 0; i < t->list.n; i++)
		if (strcmp(t->list.v[i].iface, iface) == 0)
			return &t->list.v[i];
	n = vec_push(t->a, &t->list);
	*n = (struct instance){ iface, "same_ports", NULL };
	return n;
}

static const char *ports(struct arena *a, uint16_t lo, uint16_t hi)
{
	return lo == hi ? arena_printf(a, "%u", lo) : arena_printf(a, "%u-%u", lo, hi);
}

static void add_redirect(struct telling *t, struct instance *n, const struct decl_forward *f,
			 const char *inside, const char *proto)
{
	char buf[ADDR_TEXT_BYTES];
	const char *from = "";

	if (f->from.a.af != AF_NONE && f->from.len == addr_bits(f->from.a.af))
		from = arena_printf(t->a, " %s", addr_print(f->from.a, buf));
	else
		t->has_net |= f->from.a.af != AF_NONE;
	for (uint32_t i = 0; i < f->ports.n; i++) {
		const struct decl_ports *p = &f->ports.v[i];
		const char *out = ports(t->a, p->ext_lo, p->ext_hi);

		if (f->to.af == AF_V4)
			out = arena_printf(t->a, "%s:%s", addr_print(f->to, buf), out);
		n->config = arena_printf(t->a, "%s redirect_port %s %s:%s %s%s", n->config, proto,
					 inside, ports(t->a, p->int_lo, p->int_hi), out, from);
	}
}

static void add_jail(struct telling *t, const struct decl_jail *j)
{
	const char *outside = j->nats.n > 0 ? j->nats.v[0].iface : NULL, *inside = NULL;
	char buf[ADDR_TEXT_BYTES];

	for (uint32_t i = 0; i < j->addrs.n && inside == NULL; i++)
		if (j->addrs.v[i].p.a.af == AF_V4)
			inside = arena_printf(t->a, "%s", addr_print(j->addrs.v[i].p.a, buf));
	for (uint32_t i = 0; i < j->nats.n && inside != NULL; i++) {
		struct instance *n = instance_of(t, j->nats.v[i].iface);

		n->sources = n->sources == NULL ? inside :
			     arena_printf(t->a, "%s,%s", n->sources, inside);
	}
	for (uint32_t i = 0; i < j->forwards.n && inside != NULL; i++) {
		const struct decl_forward *f = &j->forwards.v[i];
		const char *on = f->on != NULL ? f->on : outside != NULL ? outside : "egress";

		if ((f->protos & DECL_TCP) != 0)
			add_redirect(t, instance_of(t, on), f, inside, "tcp");
		if ((f->protos & DECL_UDP) != 0)
			add_redirect(t, instance_of(t, on), f, inside, "udp");
	}
	if (t->at.src == 0)
		t->at = j->nats.n > 0 ? j->nats.v[0].at :
			j->forwards.n > 0 ? j->forwards.v[0].at : j->quota.at;
}

int ipfw_refuse_forwards(struct cli *c, const struct decl *d)
{
	struct telling t = { .a = &c->arena };

	for (uint32_t i = 0; i < d->jails.n; i++)
		if (d->jails.v[i].is_enabled && !d->jails.v[i].is_down)
			add_jail(&t, &d->jails.v[i]);
	diag_add(&c->diags, DIAG_E1609, t.at,
		 "$nat, $forward and $limit of jails cannot stand beside an ipfw ruleset");
	for (uint32_t i = 0; i < t.list.n; i++) {
		const struct instance *n = &t.list.v[i];

		diag_help(&c->diags, "in ipfw: nat %u config if %s %s", i + 1, n->iface, n->config);
		diag_help(&c->diags, "add 50 nat %u ip4 from any to any in recv %s", i + 1,
			  n->iface);
		if (n->sources != NULL)
			diag_help(&c->diags, "add 60000 nat %u ip4 from %s to any out xmit %s",
				  i + 1, n->sources, n->iface);
	}
	if (t.has_net)
		diag_help(&c->diags, "redirect_port has one source, no network: let a rule test "
			  "that");
	return EX_DATAERR;
}
