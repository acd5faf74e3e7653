/* SPDX-License-Identifier: BSD-2-Clause */
/* What all examinations share: their list of findings, and what is forwarded */
#include "host/doctor.h"

#include "model/portmap.h"

void doctor_add(struct doctor *x, const struct doctor_finding *f)
{
	vec_add(x->a, &x->found, *f);
}

struct addr doctor_host_addr(const struct doctor *x, uint8_t af)
{
	for (uint32_t i = 0; i < x->facts->ifaces.n; i++) {
		const struct iface *ifp = &x->facts->ifaces.v[i];

		for (uint32_t k = 0; k < ifp->addrs.n && ifp->kind == IFACE_REAL; k++) {
			const struct addr a = ifp->addrs.v[k].p.a;

			if (a.af == af && !addr_is_linklocal(a) && decl_jail_of(x->d, a) == NULL)
				return a;
		}
	}
	return (struct addr){ AF_NONE, 0 };
}

static struct addr only_to(const struct xlate *x)
{
	return x->kind == XL_DST && x->to.n == 1 ? x->to.v[0] : (struct addr){ AF_NONE, 0 };
}

static uint16_t port_of(const struct xlate *x, uint16_t port)
{
	return x->port == XP_TO ? x->lo : x->port == XP_SHIFT ? xlate_shift(x, port) : port;
}

/* The sets of a rule as one forward for each protocol, address and range of ports */
static void add_forward(struct doctor *x, const struct rule *r, const struct xlate *to)
{
	static const struct set any = { .n = 0 };
	const struct set *protos = rule_tests(r, F_PROTO);
	const struct set *dst = rule_tests(r, F_DST), *ports = rule_tests(r, F_DPORT);

	for (uint8_t proto = 6; proto <= 17; proto += 11) {
		if (protos != NULL && !set_has(protos, AF_NONE, proto))
			continue;
		dst = dst == NULL ? &any : dst;
		for (uint32_t i = 0; i < MAX(dst->n, 1u); i++)
			for (uint32_t k = 0; ports != NULL && k < ports->n; k++)
				vec_add(x->a, &x->forwards, ((struct doctor_forward){
					.proto = proto,
					.to = dst->n > 0 && dst->r[i].lo == dst->r[i].hi ?
					      (struct addr){ dst->r[i].af, dst->r[i].lo } :
					      (struct addr){ AF_NONE, 0 },
					.lo = (uint16_t)ports->r[k].lo,
					.hi = (uint16_t)ports->r[k].hi, .inside = only_to(to),
					.port = port_of(to, (uint16_t)ports->r[k].lo),
					.src = rule_tests(r, F_SRC), .at = r->origin.at }));
	}
}

static void add_map(struct doctor *x, const struct portmap *map, const struct set *src)
{
	for (uint32_t i = 0; i < map->rows.n; i++) {
		const struct portmap_row *r = &map->rows.v[i];

		vec_add(x->a, &x->forwards, ((struct doctor_forward){
			.proto = r->proto, .to = map->outside[r->outside], .lo = r->lo,
			.hi = r->hi, .inside = map->inside.v[r->inside], .port = r->to, .src = src,
			.at = map->origins.v[r->origin].at }));
	}
}

void doctor_find_forwards(struct doctor *x)
{
	for (uint32_t l = 0; l < x->m->lists.n; l++) {
		const struct rule_list *list = &x->m->lists.v[l];

		for (uint32_t i = 0; i < list->rules.n; i++) {
			const struct rule *r = &list->rules.v[i];
			const struct effect *e = rule_has_effect(r, EF_TRANSLATE);

			if (e == NULL || r->origin.policy != POLICY_NONE)
				continue;
			if (r->map != NULL)
				add_map(x, r->map, rule_tests(r, F_SRC));
			else if (x->m->xlates.v[e->xlate].kind == XL_DST)
				add_forward(x, r, &x->m->xlates.v[e->xlate]);
		}
	}
}
