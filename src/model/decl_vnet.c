/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Rules speak of a vnet jail's link by name, before it is there and after it
 * went, so the name is decided with the declarations and never by the kernel.
 * A link that is there keeps its name: jails that are declared before it must
 * not move it.
 *
 * A routed jail owns exactly what is routed to it.  A network (no bit set behind
 * its length) is routed as a whole, and the jail's own address is its first;
 * behind any other length stands one address.  On a bridge the length is that of
 * the network which all ports share, and each jail owns one address.
 */
#include "model/decl_vnet.h"

#include <string.h>

#define FIRST_PAIR	"epair"
#define N_PAIRS		65536u

static uint8_t full_len(const struct prefix *p)
{
	return (uint8_t)addr_bits(p->a.af);
}

struct prefix decl_vnet_net(const struct decl_jail *j, uint32_t i)
{
	struct prefix p = j->addrs.v[i].p;

	if (j->vnet.bridge != NULL)
		p.len = full_len(&p);
	return (struct prefix){ prefix_first(p), p.len };
}

struct addr decl_vnet_gateway(const struct decl_jail *j, uint8_t af)
{
	const struct addr declared = j->vnet.gateway[af == AF_V6];

	if (declared.af != AF_NONE || j->vnet.bridge != NULL)
		return declared;
	return af == AF_V4 ? addr_v4(169, 254, 1, 1) :
		(struct addr){ AF_V6, (u128)0xfe80 << 112 | 1 };
}

struct addr decl_vnet_linklocal(const struct decl_jail *j)
{
	uint64_t h = 14695981039346656037u;

	for (const char *c = j->name; *c != '\0'; c++)
		h = (h ^ (uint8_t)*c) * 1099511628211u;
	/* Not ::1, nor another that somebody chose by hand */
	return (struct addr){ AF_V6, (u128)0xfe80 << 112 | h | (uint64_t)1 << 63 };
}

static void settle_addr(const struct decl_jail *j, struct decl_addr *x, struct diags *diags)
{
	const bool is_net = addr_equal(prefix_first(x->p), x->p.a);
	char text[ADDR_TEXT_BYTES];

	if (x->p.len == full_len(&x->p))
		return;
	if (j->vnet.bridge != NULL) {
		if (is_net)
			diag_add(diags, DIAG_E1450, x->at,
				 "%s is a network: a jail on a bridge has an address in it",
				 prefix_print(x->p, text));
		return;
	}
	if (is_net) {
		x->p.a.v++;
		return;
	}
	diag_add(diags, DIAG_N1453, x->at, "only %s is routed to jail '%s', whatever the length",
		 addr_print(x->p.a, text), j->name);
	diag_help(diags, "to route all of it, write %s",
		  prefix_print((struct prefix){ prefix_first(x->p), x->p.len }, text));
	x->p.len = full_len(&x->p);
}

static void check_nets(const struct decl *d, uint32_t at, struct diags *diags)
{
	const struct decl_jail *j = &d->jails.v[at];
	char one[ADDR_TEXT_BYTES], two[ADDR_TEXT_BYTES];

	for (uint32_t n = 0; n < j->addrs.n; n++) {
		const struct prefix net = decl_vnet_net(j, n);

		for (uint32_t i = 0; i < d->jails.n && net.len < full_len(&net); i++) {
			const struct decl_jail *k = &d->jails.v[i];

			for (uint32_t m = 0; m < k->addrs.n && k->is_enabled && i != at; m++) {
				struct prefix other = k->addrs.v[m].p;

				other = k->is_vnet ? decl_vnet_net(k, m) :
					(struct prefix){ other.a, full_len(&other) };
				/* Equal ones are two claims to one address, told elsewhere */
				if (net.len >= other.len || !prefix_has(net, other.a))
					continue;
				diag_add(diags, DIAG_E1454, j->addrs.v[n].at,
					 "%s of jail '%s' and %s of jail '%s' meet",
					 prefix_print(net, one), j->name,
					 prefix_print(other, two), k->name);
				diag_note(diags, k->addrs.v[m].at, "the other declaration is here");
			}
		}
	}
}

static const struct decl_jail *jail_with(const struct decl *d, const char *host_if)
{
	for (uint32_t i = 0; i < d->jails.n; i++) {
		const char *name = d->jails.v[i].vnet.host_if;

		if (name != NULL && strcmp(name, host_if) == 0)
			return &d->jails.v[i];
	}
	return NULL;
}

/* "epair0a" for "epair0b", "e0a_www" for "e0b_www"; NULL: not a name of a pair */
static const char *other_end(struct arena *a, const char *name, char from, char to)
{
	const size_t len = strlen(name);

	for (size_t i = 1; i < len; i++) {
		char *other;

		if (name[i] != from || name[i - 1] < '0' || name[i - 1] > '9' ||
		    (name[i + 1] != '\0' && name[i + 1] != '_'))
			continue;
		other = arena_strndup(a, name, len);
		other[i] = to;
		return other;
	}
	return NULL;
}

static void take_name(struct decl *d, struct decl_jail *j, const char *host_if)
{
	const char *inside = j->vnet.named;

	if (inside == NULL)
		inside = other_end(d->a, host_if, 'a', 'b');
	j->vnet.host_if = intern_cstr(d->names, host_if);
	j->vnet.jail_if = intern_cstr(d->names, inside != NULL ? inside : "eth0");
}

static void take_next_free(struct decl *d, struct decl_jail *j, const struct decl_links *have,
			   uint32_t *from)
{
	for (; *from < N_PAIRS; ++*from) {
		const char *name = arena_printf(d->a, FIRST_PAIR "%ua", *from);

		if (jail_with(d, name) != NULL ||
		    (have != NULL && have->has(have->arg, name)))
			continue;
		take_name(d, j, name);
		++*from;
		return;
	}
}

void decl_name_vnets(struct decl *d, const struct decl_links *have)
{
	uint32_t next = 0;

	for (uint32_t i = 0; i < d->jails.n; i++) {
		struct decl_jail *j = &d->jails.v[i];
		const char *name = j->vnet.named == NULL ? NULL :
				   other_end(d->a, j->vnet.named, 'b', 'a');

		j->vnet.host_if = j->vnet.jail_if = NULL;
		j->vnet.is_foreign = have != NULL && j->vnet.bridge != NULL &&
				     have->is_foreign(have->arg, j->vnet.bridge);
		if (j->is_vnet && name == NULL && have != NULL)
			name = have->of(have->arg, j->name);
		if (j->is_vnet && name != NULL)
			take_name(d, j, name);
	}
	for (uint32_t i = 0; i < d->jails.n; i++)
		if (d->jails.v[i].is_vnet && d->jails.v[i].vnet.host_if == NULL)
			take_next_free(d, &d->jails.v[i], have, &next);
}

static void check_names(const struct decl *d, uint32_t at, struct diags *diags)
{
	const struct decl_jail *j = &d->jails.v[at], *other = jail_with(d, j->vnet.host_if);

	if (other == j || !other->is_enabled)
		return;
	diag_add(diags, DIAG_E1454, j->vnet_at, "jails '%s' and '%s' both have the link %s",
		 other->name, j->name, j->vnet.host_if);
	diag_note(diags, other->vnet_at, "the other declaration is here");
}

void decl_vnets_finish(struct decl *d, struct diags *diags)
{
	decl_name_vnets(d, NULL);
	for (uint32_t i = 0; i < d->jails.n && !diag_is_full(diags); i++) {
		const struct decl_jail *j = &d->jails.v[i];

		if (!j->is_vnet || !j->is_enabled)
			continue;
		check_nets(d, i, diags);
		check_names(d, i, diags);
		if (j->addrs.n == 0 && j->vnet.bridge == NULL) {
			diag_add(diags, DIAG_W1455, j->vnet_at,
				 "nothing leads to vnet jail '%s': it has no address", j->name);
			diag_help(diags, "say one: $address = \"10.1.0.5/32, fd00::5/128\"");
		}
	}
}

void decl_vnets_start(struct decl *d, struct diags *diags)
{
	for (uint32_t i = 0; i < d->jails.n; i++) {
		const struct decl_jail *j = &d->jails.v[i];

		for (uint32_t n = 0; n < j->addrs.n && j->is_vnet; n++)
			settle_addr(j, &j->addrs.v[n], diags);
	}
}

/* A bridge of ours leads to jails only, and has the gateways that they declare */
static void bridge_to_facts(const struct decl_jail *j, struct facts *f)
{
	struct iface *i = facts_add(f, j->vnet.bridge);

	if (j->vnet.is_foreign)
		return;
	i->kind = IFACE_JAIL;
	for (uint32_t n = 0; n < j->addrs.n; n++) {
		const struct prefix p = j->addrs.v[n].p;
		const struct addr gateway = decl_vnet_gateway(j, p.a.af);

		if (gateway.af != AF_NONE && prefix_has(p, gateway))
			facts_add_addr(f, i, (struct iface_addr){
				.p = { gateway, p.len }, .at = j->vnet.bridge_at });
	}
}

void decl_vnet_to_facts(const struct decl_jail *j, struct facts *f)
{
	struct iface *i;

	if (j->vnet.bridge != NULL)
		bridge_to_facts(j, f);
	i = facts_add(f, j->vnet.host_if);
	i->kind = IFACE_JAIL;
	i->is_port = j->vnet.bridge != NULL;
	i->is_open = j->vnet.is_foreign;
	if (i->is_port)
		i->linklocal = decl_vnet_linklocal(j);
	facts_add_group(f, i, FIRST_PAIR);
	for (uint32_t n = 0; n < j->addrs.n; n++) {
		const struct prefix net = decl_vnet_net(j, n);
		const size_t slot = net.a.af == AF_V6;

		vec_add(f->a, &i->behind, net);
		if (i->is_port || i->gateway[slot].af != AF_NONE)
			continue;
		i->gateway[slot] = decl_vnet_gateway(j, net.a.af);
		facts_add_addr(f, i, (struct iface_addr){
			.p = { i->gateway[slot], full_len(&net) }, .at = j->vnet_at });
	}
}
