/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/forward_work.h"

bool quota_is_any(const struct decl_quota *q)
{
	return q->max != 0 || q->rate != 0;
}

static void add(struct lower *l, struct quota q, const struct decl_quota *from, const char *text)
{
	q.max = from->max;
	q.rate = from->rate;
	q.per_s = from->per_s;
	q.origin = (struct origin){ .at = from->at, .text = text };
	vec_add(l->m->a, &l->m->quotas, q);
}

void quota_add_forward(struct lower *l, const struct forward_addrs *to)
{
	const struct forward *fw = &l->forwards.v[l->forwards.n - 1];
	const struct decl_forward *f = fw->f;
	struct arena *a = l->m->a;
	struct ranges addrs = { 0 }, ports = { 0 }, protos = { 0 };

	l->m->counts_traffic = true;
	if (!quota_is_any(&f->quota))
		return;
	for (uint32_t i = 0; i < to->list.n; i++)
		ranges_add(a, &addrs, to->list.v[i].af, to->list.v[i].v, to->list.v[i].v);
	for (uint32_t p = 0; p < f->ports.n; p++)
		ranges_add(a, &ports, AF_NONE, f->ports.v[p].ext_lo, f->ports.v[p].ext_hi);
	if ((f->protos & DECL_TCP) != 0)
		ranges_add(a, &protos, AF_NONE, PROTO_TCP, PROTO_TCP);
	if ((f->protos & DECL_UDP) != 0)
		ranges_add(a, &protos, AF_NONE, PROTO_UDP, PROTO_UDP);
	add(l, (struct quota){ .protos = set_make(a, &protos), .addrs = set_make(a, &addrs),
	    .ports = set_make(a, &ports) }, &f->quota,
	    arena_printf(a, "forward %s %s", fw->j->name, f->text));
}

void quota_add_jail(struct lower *l, const struct decl_jail *j)
{
	struct arena *a = l->m->a;
	struct ranges own = { 0 };

	if (!quota_is_any(&j->quota))
		return;
	for (uint32_t i = 0; i < j->addrs.n; i++)
		ranges_add_prefix(a, &own, j->is_vnet ? decl_vnet_net(j, i) : (struct prefix){
				  j->addrs.v[i].p.a, (uint8_t)addr_bits(j->addrs.v[i].p.a.af) });
	if (own.list.n > 0)
		add(l, (struct quota){ .addrs = set_make(a, &own) }, &j->quota,
		    arena_printf(a, "limit of jail %s", j->name));
}
