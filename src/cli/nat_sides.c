/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Rules speak of interfaces, a capture has none: the outside one is the one that
 * --outside names, or else the only one that nat rules name, and where the facts
 * know no address of it, --outside-address is what it has.  To find its name the
 * rules must be known, and to make their meaning the addresses: so they may be
 * made twice.
 */
#include "cli/nat_read.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/nat_plan.h"
#include "lang/pf.h"
#include "model/portmap.h"

/* What is being gathered */
struct gather {
	struct cli *c;
	struct nat_sides *s;
	uint32_t inside_if;
	VEC(struct prefix) inside;
	VEC(struct addr) outside;
	VEC(struct nat_npt) npt;
	VEC(struct nat_range) reserved;
};

/* ---- options -------------------------------------------------------------- */

/* "10.0.0.0/24", "10.0.0.0/24=lo1", several with commas */
static int add_inside(struct gather *g, const char *word)
{
	while (*word != '\0') {
		const size_t len = strcspn(word, ",");
		const char *eq = memchr(word, '=', len);
		const size_t n = eq != NULL ? (size_t)(eq - word) : len;
		struct prefix p;

		if (prefix_parse(word, n, &p) < 0 || (eq != NULL && eq + 1 == word + len))
			return cli_usage(g->c, "--inside takes PREFIX or PREFIX=IF over a capture, "
					 "not '%s'", word);
		vec_add(&g->c->arena, &g->inside, p);
		if (eq != NULL)
			g->inside_if = intern_cid(&g->c->names, facts_freebsd_name(arena_strndup(
				&g->c->arena, eq + 1, len - n - 1)));
		word += len + (word[len] == ',');
	}
	return 0;
}

static void add_outside(struct gather *g, struct addr a)
{
	for (uint32_t i = 0; i < g->outside.n; i++)
		if (addr_equal(g->outside.v[i], a))
			return;
	vec_add(&g->c->arena, &g->outside, a);
}

static int add_given(struct gather *g, const char *word)
{
	while (*word != '\0') {
		const size_t len = strcspn(word, ",");
		struct prefix p;

		if (prefix_parse(word, len, &p) < 0)
			return cli_usage(g->c, "--outside-address takes addresses, not '%s'", word);
		if (p.len < addr_bits(p.a.af) - 10u)
			return cli_usage(g->c, "--outside-address takes networks of at most 1024 "
					 "addresses, not '%s'", word);
		for (u128 a = prefix_first(p).v; p.len < addr_bits(p.a.af) &&
		     a <= prefix_last(p).v; a++)
			add_outside(g, (struct addr){ p.a.af, a });
		if (p.len == addr_bits(p.a.af))
			add_outside(g, p.a);
		word += len + (word[len] == ',');
	}
	return 0;
}

static int add_npt(struct gather *g, const char *word)
{
	const char *eq = strchr(word, '=');
	struct nat_npt n;

	if (eq == NULL || prefix_parse(word, (size_t)(eq - word), &n.inside) < 0 ||
	    prefix_parse(eq + 1, strlen(eq + 1), &n.outside) < 0)
		return cli_usage(g->c, "--nptv6 takes INSIDE=OUTSIDE, two prefixes, "
				 "not '%s'", word);
	vec_add(&g->c->arena, &g->npt, n);
	vec_add(&g->c->arena, &g->inside, n.inside);
	return 0;
}

/* Random where no number was given, else always the same */
static int set_key(struct cli *c, uint64_t key[4])
{
	const char *v = c->nat.seed;
	unsigned long long n;
	char *end;

	if (v == NULL)
		return getrandom(key, 4 * sizeof(*key), 0) == (ssize_t)(4 * sizeof(*key))
		       ? 0 : cli_system(c, -errno, "draw random numbers");
	errno = 0;
	n = strtoull(v, &end, 0);
	if (v[0] < '0' || v[0] > '9' || *end != '\0' || errno != 0)
		return cli_usage(c, "--seed takes a number, not '%s'", v);
	for (int i = 0; i < 4; i++)
		key[i] = (n + (uint64_t)i + 1) * UINT64_C(0x9e3779b97f4a7c15);
	return 0;
}

static int read_options(struct gather *g)
{
	const struct nat_args *a = &g->c->nat;
	int status = 0;

	for (uint32_t i = 0; i < a->inside.list.n && status == 0; i++)
		status = add_inside(g, a->inside.list.v[i]);
	for (uint32_t i = 0; i < a->outside_addrs.list.n && status == 0; i++)
		status = add_given(g, a->outside_addrs.list.v[i]);
	for (uint32_t i = 0; i < a->nptv6.list.n && status == 0; i++)
		status = add_npt(g, a->nptv6.list.v[i]);
	if (status == 0)
		status = nat_plan_options(g->c, &g->s->cfg);
	if (status == 0)
		status = set_key(g->c, g->s->cfg.key);
	return status;
}

/* ---- rules ---------------------------------------------------------------- */

/* Interfaces that rules which translate name one by one; the only one, or 0 */
static uint32_t named_by_nat(const struct model *m, bool *ret_several)
{
	uint32_t found = 0;

	*ret_several = false;
	for (uint32_t i = 0; i < m->lists.n; i++) {
		for (uint32_t k = 0; k < m->lists.v[i].rules.n; k++) {
			const struct rule *r = &m->lists.v[i].rules.v[k];
			const struct set *s = rule_tests(r, F_IFACE);

			if (rule_has_effect(r, EF_TRANSLATE) == NULL || s == NULL || s->n != 1 ||
			    s->r[0].lo != s->r[0].hi || r->origin.policy != POLICY_NONE)
				continue;
			*ret_several |= found != 0 && found != (uint32_t)s->r[0].lo;
			found = (uint32_t)s->r[0].lo;
		}
	}
	return found;
}

static int find_outside_if(struct gather *g, uint32_t *ret)
{
	const struct declared *d = &g->s->d;
	bool several;

	if (g->c->nat.outside != NULL) {
		*ret = intern_cid(&g->c->names, facts_freebsd_name(g->c->nat.outside));
		return 0;
	}
	*ret = named_by_nat(&d->model, &several);
	if (several)
		return cli_usage(g->c, "nat rules name several interfaces: which one is "
				 "--outside?");
	if (*ret == 0 && d->facts.default_if[0] != NULL && g->c->interfaces != NULL)
		*ret = intern_cid(&g->c->names, d->facts.default_if[0]);
	if (*ret == 0)
		*ret = intern_cid(&g->c->names, "outside");
	return 0;
}

/* What the options say of the host, for declarations to be read with */
static void tell_facts(struct gather *g, uint32_t outside_if)
{
	struct cli *c = g->c;

	c->more = (struct cli_more){
		.iface = outside_if != 0 ? intern_name(&c->names, outside_if) : NULL,
		.addrs = g->outside.v, .n = g->outside.n,
		.inside_if = g->inside_if != 0 ? intern_name(&c->names, g->inside_if) : "inside",
		.inside = g->inside.v, .n_inside = g->inside.n,
	};
}

/* Notes that are not true of this NAT: its addresses are known, its times are its own */
static void forget_notes(struct cli *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->diags.list.n; i++) {
		const struct diag *d = &c->diags.list.v[i];

		if (d->code == DIAG_N1309 ||
		    (d->code == DIAG_N1150 && strncmp(d->message, "'timeout'", 9) == 0))
			continue;
		c->diags.list.v[n++] = *d;
	}
	c->diags.list.n = n;
	c->diags.last = 0;
}

/* The declarations once more, now that it is known whose the outside addresses are */
static int declare_again(struct gather *g, uint32_t outside_if)
{
	struct cli *c = g->c;
	const struct iface *i = facts_find(&g->s->d.facts, intern_name(&c->names, outside_if));

	if (g->outside.n == 0 || (i != NULL && i->addrs.n > 0))
		return 0;
	tell_facts(g, outside_if);
	for (uint32_t k = 0; k < c->files.n; k++)
		c->files.v[k].kept = true;	/* standard input is read already */
	return cli_declare(c, &g->s->d, CLI_TOLERANT);
}

/* Ports that lead inside are lent to nobody */
static void reserve(struct gather *g, const struct rule *r)
{
	const struct set *ports = rule_tests(r, F_DPORT), *protos = rule_tests(r, F_PROTO);
	const struct effect *e = rule_has_effect(r, EF_TRANSLATE);

	if (e == NULL || g->s->d.model.xlates.v[e->xlate].kind != XL_DST || ports == NULL)
		return;
	for (uint32_t i = 0; i < ports->n; i++)
		for (uint32_t k = 0; k < (protos != NULL ? protos->n : 1); k++)
			vec_add(&g->c->arena, &g->reserved, ((struct nat_range){
				{ AF_NONE, 0 }, protos != NULL ? (uint8_t)protos->r[k].lo : 0,
				(uint16_t)ports->r[i].lo, (uint16_t)ports->r[i].hi }));
}

static void take_map(struct gather *g, const struct portmap *map)
{
	for (uint32_t i = 0; i < map->rows.n; i++) {
		const struct portmap_row *row = &map->rows.v[i];

		add_outside(g, map->outside[row->outside]);
		vec_add(&g->c->arena, &g->reserved, ((struct nat_range){
			map->outside[row->outside], row->proto, row->lo, row->hi }));
	}
}

static void take_model(struct gather *g, uint32_t outside_if)
{
	const struct model *m = &g->s->d.model;
	const struct iface *o = facts_find(&g->s->d.facts,
					   intern_name(&g->c->names, outside_if));

	for (uint32_t i = 0; o != NULL && i < o->addrs.n; i++)
		add_outside(g, o->addrs.v[i].p.a);
	for (uint32_t i = 0; i < m->xlates.n; i++) {
		for (uint32_t k = 0; k < m->xlates.v[i].to.n; k++) {
			const struct range r = xlate_range(&m->xlates.v[i], k);

			for (u128 a = r.lo; xlate_side(&m->xlates.v[i]) != XL_DST && a <= r.hi &&
			     a - r.lo < 1024; a++)
				add_outside(g, (struct addr){ r.af, a });
		}
		for (uint32_t k = 0; k < m->xlates.v[i].redirects.n; k++)
			if (m->xlates.v[i].redirects.v[k].outside.af != AF_NONE)
				add_outside(g, m->xlates.v[i].redirects.v[k].outside);
	}
	for (uint32_t i = 0; i < m->lists.n; i++) {
		for (uint32_t k = 0; k < m->lists.v[i].rules.n; k++) {
			const struct rule *r = &m->lists.v[i].rules.v[k];
			const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
			const struct set *dst = rule_tests(r, F_DST);

			reserve(g, r);
			if (r->map != NULL)
				take_map(g, r->map);
			/* What a redirect is for is an outside address too */
			if (e == NULL || m->xlates.v[e->xlate].kind != XL_DST || dst == NULL)
				continue;
			for (uint32_t j = 0; j < dst->n; j++)
				if (dst->r[j].lo == dst->r[j].hi)
					add_outside(g, (struct addr){ dst->r[j].af, dst->r[j].lo });
		}
	}
}

static int read_rules(struct gather *g)
{
	struct nat_sides *s = g->s;
	uint32_t outside_if = 0;
	int status;

	tell_facts(g, g->c->nat.outside == NULL ? 0 :
		   intern_cid(&g->c->names, facts_freebsd_name(g->c->nat.outside)));
	status = cli_declare(g->c, &s->d, CLI_TOLERANT);
	if (status == 0)
		status = find_outside_if(g, &outside_if);
	if (status == 0)
		status = declare_again(g, outside_if);
	if (status != 0)
		return status;
	forget_notes(g->c);
	s->has_rules = true;
	take_model(g, outside_if);
	nat_plan_timeouts(g->c, s->d.pf, &s->cfg);
	s->rules = (struct nat_rules){
		.m = &s->d.model, .outside_if = outside_if, .inside_if = g->inside_if,
		.keep_lo = 1, .keep_hi = UINT16_MAX,
	};
	return 0;
}

/* ---- all of it ------------------------------------------------------------ */

static void fill(struct gather *g)
{
	struct nat_sides *s = g->s;
	struct nat_config *cfg = &s->cfg;

	cfg->inside = g->inside.v;
	cfg->n_inside = g->inside.n;
	cfg->outside = g->outside.v;
	cfg->n_outside = g->outside.n;
	cfg->npt = g->npt.v;
	cfg->n_npt = g->npt.n;
	cfg->reserved = g->reserved.v;
	cfg->n_reserved = g->reserved.n;
	s->rules.outside = g->outside.v;
	s->rules.n_outside = g->outside.n;
}

int nat_sides_make(struct cli *c, struct nat_sides *s)
{
	struct gather g = { .c = c, .s = s };
	const char *wrong;
	int status;

	nat_config_init(&s->cfg);
	s->cfg.mtu[NAT_INSIDE] = s->cfg.mtu[NAT_OUTSIDE] = UINT16_MAX;
	if (c->nat.max_flows == NULL)
		s->cfg.max_flows = 1u << 18;
	if (c->nat.inside.list.n == 0 && c->nat.nptv6.list.n == 0)
		return cli_usage(c, "nat --read needs --inside, the inside networks");
	status = read_options(&g);
	if (status == 0 && c->files.n > 0)
		status = read_rules(&g);
	if (status != 0)
		return status;
	if (g.outside.n == 0 && g.npt.n == 0)
		return cli_usage(c, "no rule has an address to translate to: --outside-address");
	fill(&g);
	wrong = nat_config_check(&s->cfg);
	if (wrong == NULL) {
		const int err = s->has_rules ? nat_rules_make(&s->rules, &c->arena) : 0;

		return err == 0 ? 0 : cli_system(c, err, "have memory for the rules");
	}
	diag_add(&c->diags, DIAG_E2802, SPAN_NONE, "%s", wrong);
	return EX_DATAERR;
}
