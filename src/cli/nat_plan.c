/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * An address of the outside interface is the host's too, so the NAT takes a part
 * of its ports: those that nat rules choose from, and those that lead to a jail.
 * Where rules would keep the port, it is kept in that part.  The kernel gives
 * these ports to nobody (natpath_reserve()), and drops packets to them
 * (nft_claim()).  An address that no interface has is the NAT's alone.
 */
#include "cli/nat_plan.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "port/io.h"

#define PROTO_TCP	6u
#define PROTO_UDP	17u

/**
 * struct planner - A plan under way
 * @c:		Run
 * @d:		Declarations
 * @p:		The plan
 * @addrs:	Outside addresses
 * @claims:	The same, with whether the host has them
 * @maps:	Ports that nat rules choose from, and that lead to a jail
 * @inside:	Prefixes of the jails
 * @home:	What the inside reaches without the NAT
 */
struct planner {
	struct cli *c;
	const struct declared *d;
	struct nat_plan *p;
	VEC(struct addr) addrs;
	VEC(struct claim_addr) claims;
	struct nat_port_maps maps;
	VEC(struct prefix) inside;
	VEC(struct prefix) home;
	VEC(struct claim_ports) ports;
	VEC(struct nat_range) reserved;
	VEC(struct nat_jail) jails;
};

/* The run of ports from @lo on that are (not) in a bitmap; its end + 1 */
static uint32_t run_end(const uint8_t *map, uint32_t lo)
{
	const bool is_in = nat_ports_has(map, lo);
	uint32_t hi = lo + 1;

	while (hi < NAT_PORTS_ALL && nat_ports_has(map, hi) == is_in)
		hi++;
	return hi;
}

/* ---- outside ------------------------------------------------------------------ */

static bool is_of_a_host(struct addr a)
{
	return a.v != 0 && !(a.af == AF_V4 && a.v == UINT32_MAX) && !addr_is_linklocal(a) &&
	       !addr_is_multicast(a) && !addr_is_loopback(a);
}

static bool is_of_another(const struct planner *w, const struct iface *i)
{
	return i != NULL && strcmp(facts_linux_name(i->name), w->p->outside) != 0;
}

static void add_outside(struct planner *w, struct addr a)
{
	const struct iface *i = facts_iface_of(&w->d->facts, a);

	/* What another interface has is none of ours to answer for */
	if (!is_of_a_host(a) || is_of_another(w, i))
		return;
	for (uint32_t k = 0; k < w->addrs.n; k++)
		if (addr_equal(w->addrs.v[k], a))
			return;
	vec_add(&w->c->arena, &w->addrs, a);
	vec_add(&w->c->arena, &w->claims, ((struct claim_addr){ a, i != NULL }));
}

static int add_given(struct planner *w, const char *list)
{
	while (*list != '\0') {
		const size_t len = strcspn(list, ",");
		const struct iface *i;
		struct addr a;

		if (addr_parse(list, len, &a) < 0 || !is_of_a_host(a))
			return cli_usage(w->c, "--outside-address takes addresses of hosts, "
					 "not '%.*s'", (int)len, list);
		i = facts_iface_of(&w->d->facts, a);
		if (is_of_another(w, i))
			return cli_usage(w->c, "--outside-address %.*s is an address of %s, not "
					 "of %s", (int)len, list, facts_linux_name(i->name),
					 w->p->outside);
		add_outside(w, a);
		list += len + (list[len] == ',');
	}
	return 0;
}

static int find_outside(struct planner *w)
{
	const struct iface *i = facts_find(&w->d->facts, facts_freebsd_name(w->p->outside));
	int status = 0;

	if (i == NULL)
		return cli_usage(w->c, "there is no interface %s here to be --outside",
				 w->p->outside);
	if (w->p->inside != NULL &&
	    facts_find(&w->d->facts, facts_freebsd_name(w->p->inside)) == NULL)
		return cli_usage(w->c, "there is no interface %s here to be --inside",
				 w->p->inside);
	for (uint32_t k = 0; k < i->addrs.n; k++)
		add_outside(w, i->addrs.v[k].p.a);
	for (uint32_t k = 0; k < w->c->nat.outside_addrs.list.n && status == 0; k++)
		status = add_given(w, w->c->nat.outside_addrs.list.v[k]);
	for (uint32_t x = 0; x < w->d->model.xlates.n; x++)
		for (uint32_t k = 0; k < w->d->model.xlates.v[x].to.n; k++)
			if (xlate_side(&w->d->model.xlates.v[x]) != XL_DST &&
			    xlate_range(&w->d->model.xlates.v[x], k).lo ==
			    xlate_range(&w->d->model.xlates.v[x], k).hi)
				add_outside(w, w->d->model.xlates.v[x].to.v[k]);
	if (status == 0 && w->addrs.n == 0)
		return cli_usage(w->c, "%s has no address to translate to: --outside-address",
				 w->p->outside);
	return status;
}

/* ---- ports --------------------------------------------------------------------- */

/* Ports that are never lent: those of the host, and those that lead somewhere */
static void reserve(struct planner *w, struct addr a, int which)
{
	static const uint8_t protos[2] = { PROTO_TCP, PROTO_UDP };
	uint8_t free_ports[NAT_PORTS_ALL / 8];

	for (uint32_t i = 0; i < sizeof(free_ports); i++)
		free_ports[i] = w->maps.lent[which][i] & (uint8_t)~w->maps.led[which][i];
	for (uint32_t lo = 0, end; lo < NAT_PORTS_ALL; lo = end) {
		end = run_end(free_ports, lo);
		if (!nat_ports_has(free_ports, lo))
			vec_add(&w->c->arena, &w->reserved, ((struct nat_range){
				a, protos[which], (uint16_t)MAX(lo, 1u), (uint16_t)(end - 1) }));
	}
}

static void claim_ports(struct planner *w, int which)
{
	uint8_t all[NAT_PORTS_ALL / 8];

	for (uint32_t i = 0; i < sizeof(all); i++) {
		all[i] = w->maps.lent[which][i] | w->maps.led[which][i];
		w->p->ports[i] |= all[i];
	}
	for (uint32_t lo = 0, end; lo < NAT_PORTS_ALL; lo = end) {
		end = run_end(all, lo);
		if (nat_ports_has(all, lo))
			vec_add(&w->c->arena, &w->ports, ((struct claim_ports){
				which == 0 ? PROTO_TCP : PROTO_UDP, (uint16_t)lo,
				(uint16_t)(end - 1) }));
	}
}

static void find_ports(struct planner *w)
{
	nat_ports_find(&w->d->model, &w->maps);
	memcpy(w->p->led, w->maps.led, sizeof(w->p->led));
	for (int which = 0; which < 2; which++) {
		claim_ports(w, which);
		for (uint32_t i = 0; i < w->claims.n; i++)
			if (w->claims.v[i].is_shared)
				reserve(w, w->claims.v[i].a, which);
	}
}

/* ---- inside -------------------------------------------------------------------- */

static void add_inside(struct prefix p, void *arg)
{
	struct planner *w = arg;

	vec_add(&w->c->arena, &w->inside, p);
}

static void add_home(struct prefix p, void *arg)
{
	struct planner *w = arg;

	vec_add(&w->c->arena, &w->home, p);
}

static void find_home(struct planner *w, const struct set *interior)
{
	static const char *const local[] = {
		"127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255", "::/127",
		"fe80::/10", "ff00::/8",
	};
	struct ranges rs = { 0 };
	const struct set *s;
	struct prefix p;

	ranges_add_set(&w->c->arena, &rs, interior);
	ranges_add_set(&w->c->arena, &rs, facts_local(&w->d->facts));
	for (size_t i = 0; i < ARRAY_SIZE(local); i++)
		if (prefix_parse(local[i], strlen(local[i]), &p) == 0)
			ranges_add_prefix(&w->c->arena, &rs, p);
	s = set_make(&w->c->arena, &rs);
	for (uint32_t i = 0; i < s->n; i++)
		set_to_prefixes(s->r[i], add_home, w);
}

static int find_inside(struct planner *w)
{
	const struct set *interior = policy_interior(&w->d->model);

	for (uint32_t i = 0; i < interior->n; i++)
		set_to_prefixes(interior->r[i], add_inside, w);
	find_home(w, interior);
	for (uint32_t j = 0; j < w->d->decl.jails.n; j++)
		for (uint32_t i = 0; i < w->d->decl.jails.v[j].addrs.n; i++) {
			const struct addr a = w->d->decl.jails.v[j].addrs.v[i].p.a;

			vec_add(&w->c->arena, &w->jails, ((struct nat_jail){
				{ a, (uint8_t)addr_bits(a.af) }, (uint16_t)(j + 1) }));
		}
	if (w->inside.n > 0)
		return 0;
	diag_add(&w->c->diags, DIAG_E2801, SPAN_NONE, "no jail has an address to translate");
	diag_help(&w->c->diags, "it takes a private address, and '$nat = IF;' in jail.conf or "
		  "'nat on IF from NETWORK to any -> (IF)' in pf.conf");
	return EX_DATAERR;
}

/* ---- all of it ----------------------------------------------------------------- */

/* One owner may have half of everything */
static void set_quota(struct planner *w)
{
	struct nat_config *cfg = &w->p->cfg;
	uint32_t n[2] = { 0, 0 };

	for (int which = 0; which < 2; which++)
		for (uint32_t i = 0; i < NAT_PORTS_ALL; i++)
			n[which] += nat_ports_has(w->maps.lent[which], i);
	cfg->quota.flows = cfg->max_flows / 2;
	cfg->quota.ports[NAT_TCP] = n[0] / 2;
	cfg->quota.ports[NAT_UDP] = n[1] / 2;
	cfg->quota.ports[NAT_OTHER] = NAT_PORTS_ALL / 2;
	cfg->frag_share = 2;
}

static void fill(struct planner *w)
{
	struct nat_plan *p = w->p;
	struct nat_config *cfg = &p->cfg;
	bool is_shared = false;

	for (uint32_t i = 0; i < w->claims.n; i++)
		is_shared |= w->claims.v[i].is_shared;
	p->claim = (struct claim){
		.outside = p->outside, .inside = p->inside,
		.addrs = w->claims.v, .n_addrs = w->claims.n,
		.ports = w->ports.v, .n_ports = w->ports.n,
		.home = w->home.v, .n_home = w->home.n,
	};
	p->rules = (struct nat_rules){
		.m = &w->d->model, .outside = w->addrs.v, .n_outside = w->addrs.n,
		.outside_if = intern_cid(w->d->model.names, facts_freebsd_name(p->outside)),
		.inside_if = p->inside == NULL ? 0 :
			     intern_cid(w->d->model.names, facts_freebsd_name(p->inside)),
		.keep_lo = is_shared ? NAT_PORTS_LO : 1, .keep_hi = NAT_PORTS_HI,
	};
	cfg->inside = w->inside.v;
	cfg->n_inside = w->inside.n;
	cfg->outside = w->addrs.v;
	cfg->n_outside = w->addrs.n;
	cfg->reserved = w->reserved.v;
	cfg->n_reserved = w->reserved.n;
	cfg->jails = w->jails.v;
	cfg->n_jails = w->jails.n;
	/* An address that the host has: it answers there, and we do not.  Echo requests to it never
	 * come so far, see natloop.c */
	cfg->syn_silent = is_shared;
	cfg->has_host = is_shared && p->tun != NULL;
	cfg->judge = nat_rules_judge;
	cfg->judge_ctx = &p->rules;
}

int nat_plan_make(struct cli *c, const struct declared *d, struct nat_plan *p)
{
	struct planner *w = arena_new(&c->arena, struct planner);
	int status, err;

	w->c = c;
	w->d = d;
	w->p = p;
	nat_config_init(&p->cfg);
	status = nat_plan_options(c, &p->cfg);
	if (status == 0)
		status = find_outside(w);
	if (status == 0)
		status = find_inside(w);
	if (status != 0)
		return status;
	nat_plan_timeouts(c, d->pf, &p->cfg);
	find_ports(w);
	set_quota(w);
	fill(w);
	if (getrandom(p->cfg.key, sizeof(p->cfg.key), 0) != (ssize_t)sizeof(p->cfg.key))
		return cli_system(c, -errno, "draw random numbers");
	err = nat_rules_make(&p->rules, &c->arena);
	return err == 0 ? 0 : cli_system(c, err, "have memory for the rules");
}

int nat_plan_sides(struct cli *c, struct nat_plan *p)
{
	const struct nat_args *a = &c->nat;
	const char *side = a->inside.list.n == 1 ? a->inside.list.v[0] : NULL;

	if (a->outside == NULL || side == NULL) {
		cli_usage(c, "nat needs --inside and --outside, each once");
		diag_help(&c->diags, "sallyport nat --inside tun:nat0 --outside igb0");
		return EX_USAGE;
	}
	p->outside = facts_linux_name(a->outside);
	if (strcmp(side, a->outside) == 0)
		return cli_usage(c, "--inside and --outside are one interface, %s", side);
	if (strncmp(side, "tun:", 4) == 0 && side[4] != '\0' && strlen(side + 4) < IO_NAME_BYTES)
		p->tun = side + 4;
	else if (strchr(side, ':') == NULL)
		p->inside = facts_linux_name(side);
	else
		return cli_usage(c, "--inside takes an interface, or tun: and a name of at most %u "
				 "characters, not '%s'", IO_NAME_BYTES - 1, side);
	return 0;
}
