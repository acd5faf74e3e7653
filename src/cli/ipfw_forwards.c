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
#include <stdlib.h>
#include <string.h>

#include "cli/ipfw.h"
#include "lang/ipfw.h"

/* What is said of one interface */
struct instance {
	const char *iface;
	unsigned long number;
	bool is_there;		/* in the ruleset: @config is what it has, and more */
	const char *config;	/* flags and redirects */
	const char *sources;	/* addresses of the jails, with commas */
};

struct telling {
	struct arena *a;
	struct span at;
	const char *egress;	/* interface of the default route */
	const char *nats;	/* of the ruleset, as `ipfw nat show config` has them */
	unsigned long next;	/* a number that none of them has */
	VEC(struct instance) list;
	bool has_net;		/* some forward is from a network */
};

/* The instance of the ruleset that has this interface, if there is one */
static void find_instance(const struct telling *t, struct instance *n)
{
	const char *want = arena_printf(t->a, "if %s ", n->iface);

	for (const char *line = t->nats; *line != '\0'; line += strcspn(line, "\n") + 1) {
		const char *text = arena_printf(t->a, "%.*s ", (int)strcspn(line, "\n"), line);
		const char *at = strstr(text, want);
		const size_t skip = sizeof("ipfw nat ") - 1;

		if (at == NULL || strlen(line) < skip)
			continue;
		n->is_there = true;
		n->number = strtoul(text + skip, NULL, 10);
		at += strlen(want);
		n->config = arena_strndup(t->a, at, strlen(at) - (*at != '\0'));
		return;
	}
}

/* Behind the greatest number that is taken */
static unsigned long free_number(const char *nats)
{
	unsigned long next = 1;

	for (; *nats != '\0'; nats += strcspn(nats, "\n") + 1)
		if (strncmp(nats, "ipfw nat ", sizeof("ipfw nat ") - 1) == 0)
			next = MAX(next, strtoul(nats + sizeof("ipfw nat ") - 1, NULL, 10) + 1);
	return next;
}

static struct instance *instance_of(struct telling *t, const char *iface)
{
	struct instance *n;

	for (uint32_t i = 0; i < t->list.n; i++)
		if (strcmp(t->list.v[i].iface, iface) == 0)
			return &t->list.v[i];
	n = vec_push(t->a, &t->list);
	*n = (struct instance){ iface, t->next, false, "same_ports", NULL };
	find_instance(t, n);
	t->next += !n->is_there;
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
		n->config = arena_printf(t->a, "%s%sredirect_port %s %s:%s %s%s", n->config,
					 n->config[0] != '\0' ? " " : "", proto, inside,
					 ports(t->a, p->int_lo, p->int_hi), out, from);
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
		const char *on = f->on != NULL ? f->on : outside != NULL ? outside : t->egress;

		if ((f->protos & DECL_TCP) != 0)
			add_redirect(t, instance_of(t, on), f, inside, "tcp");
		if ((f->protos & DECL_UDP) != 0)
			add_redirect(t, instance_of(t, on), f, inside, "udp");
	}
	if (t->at.src == 0)
		t->at = j->nats.n > 0 ? j->nats.v[0].at :
			j->forwards.n > 0 ? j->forwards.v[0].at : j->quota.at;
}

/* Nat instances of a ruleset as text */
static const char *nats_of(struct cli *c, const struct ipfw_ruleset *rs)
{
	const char *kept = "";
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return kept;
	ipfw_print_nat(rs, f);
	if (fclose(f) == 0)
		kept = arena_strndup(&c->arena, text, len);
	free(text);
	return kept;
}

static void tell_instance(struct cli *c, const struct instance *n)
{
	diag_help(&c->diags, "in ipfw: nat %lu config if %s%s%s", n->number, n->iface,
		  n->config[0] != '\0' ? " " : "", n->config);
	if (n->is_there)
		return;		/* the ruleset hands packets to it, where it wants to */
	diag_help(&c->diags, "add 50 nat %lu ip4 from any to any in recv %s", n->number, n->iface);
	if (n->sources != NULL)
		diag_help(&c->diags, "add 60000 nat %lu ip4 from %s to any out xmit %s", n->number,
			  n->sources, n->iface);
}

int ipfw_refuse_forwards(struct cli *c, const struct declared *from)
{
	const struct decl *d = &from->decl;
	struct telling t = {
		.a = &c->arena, .egress = from->facts.default_if[0], .nats = nats_of(c, from->ipfw)
	};

	t.next = free_number(t.nats);
	if (t.egress == NULL)
		t.egress = "egress";

	for (uint32_t i = 0; i < d->jails.n; i++)
		if (d->jails.v[i].is_enabled && !d->jails.v[i].is_down)
			add_jail(&t, &d->jails.v[i]);
	diag_add(&c->diags, DIAG_E1609, t.at,
		 "$nat, $forward and $limit of jails cannot stand beside an ipfw ruleset");
	for (uint32_t i = 0; i < t.list.n; i++)
		tell_instance(c, &t.list.v[i]);
	if (t.has_net)
		diag_help(&c->diags, "redirect_port has one source, no network: let a rule test "
			  "that");
	return EX_DATAERR;
}
