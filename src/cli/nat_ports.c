/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * An address that the host has too is shared by its ports: the NAT lends those
 * that nat rules choose from, and has those that rules lead to a jail.  The
 * kernel lends none of either to others as long as they are reserved; which
 * addresses it would lend them of does not matter to it.
 */
#include "cli/nat_ports.h"

#include "host/natpath.h"
#include "model/portmap.h"

#define PROTO_TCP	6u
#define PROTO_UDP	17u

static void set_ports(uint8_t *map, uint32_t lo, uint32_t hi)
{
	for (uint32_t i = lo; i <= hi && i < NAT_PORTS_ALL; i++)
		map[i / 8] |= (uint8_t)(1u << (i % 8));
}

bool nat_ports_has(const uint8_t *map, uint32_t port)
{
	return port < NAT_PORTS_ALL && (map[port / 8] >> (port % 8) & 1) != 0;
}

static bool has_proto(const struct rule *r, uint8_t proto)
{
	const struct set *s = rule_tests(r, F_PROTO);

	return s == NULL || set_has(s, AF_NONE, proto);
}

/* Ports that a redirect takes; without a test all of them */
static void lead(struct nat_port_maps *w, const struct rule *r, int which)
{
	const struct set *s = rule_tests(r, F_DPORT);

	if (!has_proto(r, which == 0 ? PROTO_TCP : PROTO_UDP))
		return;
	for (uint32_t i = 0; s != NULL && i < s->n; i++)
		set_ports(w->led[which], (uint32_t)s->r[i].lo, (uint32_t)s->r[i].hi);
	if (s == NULL)
		set_ports(w->led[which], 1, NAT_PORTS_ALL - 1);
}

static void lead_map(struct nat_port_maps *w, const struct portmap *map)
{
	for (uint32_t i = 0; i < map->rows.n; i++) {
		const struct portmap_row *row = &map->rows.v[i];

		if (row->proto == PROTO_TCP || row->proto == PROTO_UDP)
			set_ports(w->led[row->proto == PROTO_UDP], row->lo, row->hi);
	}
}

static void lead_redirects(struct nat_port_maps *w, const struct xlate *x)
{
	for (uint32_t i = 0; i < x->redirects.n; i++) {
		const struct redirect *rd = &x->redirects.v[i];

		for (int which = 0; which < 2; which++)
			if (rd->proto < 0 || rd->proto == (int)(which == 0 ? PROTO_TCP : PROTO_UDP))
				set_ports(w->led[which], rd->has_ports ? rd->lo : 1,
					  rd->has_ports ? rd->hi : NAT_PORTS_ALL - 1);
	}
}

static void lend(struct nat_port_maps *w, const struct rule *r, const struct xlate *x)
{
	const bool is_range = x->port == XP_RANDOM;

	for (int which = 0; which < 2; which++)
		if (has_proto(r, which == 0 ? PROTO_TCP : PROTO_UDP))
			set_ports(w->lent[which], is_range ? x->lo : NAT_PORTS_LO,
				  is_range ? x->hi : NAT_PORTS_HI);
}

static void take_rule(struct nat_port_maps *w, const struct model *m, const struct rule *r)
{
	const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
	const struct xlate *x;

	if (e == NULL || r->origin.policy != POLICY_NONE)
		return;
	x = &m->xlates.v[e->xlate];
	if (r->map != NULL)
		lead_map(w, r->map);
	else if (x->kind == XL_DST)
		for (int which = 0; which < 2; which++)
			lead(w, r, which);
	if (xlate_side(x) == XL_DST || x->is_local)
		return;
	lead_redirects(w, x);
	lend(w, r, x);
}

void nat_ports_find(const struct model *m, struct nat_port_maps *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++)
			take_rule(ret, m, &m->lists.v[l].rules.v[i]);
}

/* All that the NAT has, of either protocol */
static const uint8_t *wanted(struct cli *c, const struct cli_host *h)
{
	struct nat_port_maps *maps = arena_new(&c->arena, struct nat_port_maps);
	uint8_t *all = arena_alloc(&c->arena, NATPATH_MAP_BYTES);

	nat_ports_find(&h->d.model, maps);
	for (uint32_t i = 0; i < NATPATH_MAP_BYTES; i++)
		all[i] = maps->lent[0][i] | maps->lent[1][i] | maps->led[0][i] | maps->led[1][i];
	return all;
}

void nat_ports_compare(struct cli *c, struct cli_host *h)
{
	const char *missing;

	if (c->nat_path == NAT_PATH_USERSPACE &&
	    !natpath_is_reserved(wanted(c, h), &c->arena, &missing))
		vec_add(&c->arena, &h->changes, ((struct cli_change){
			.op = "add",
			.object = arena_printf(&c->arena,
					       "sysctl net.ipv4.ip_local_reserved_ports: "
					       "ports %s are the NAT's", missing) }));
}

int nat_ports_apply(struct cli *c, struct cli_host *h)
{
	const char *missing;
	const uint8_t *ports;
	int err = 0;

	if (c->nat_path != NAT_PATH_USERSPACE) {
		err = natpath_release(&h->st, NATPATH_APPLIED, &c->arena);
	} else {
		ports = wanted(c, h);
		if (!natpath_is_reserved(ports, &c->arena, &missing))
			err = natpath_reserve(&h->st, NATPATH_APPLIED, ports, &c->arena);
	}
	return err == 0 ? 0 : cli_system(c, err, "keep the NAT's ports from others");
}
