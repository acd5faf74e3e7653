/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * $nat and $forward of jails are what nat and rdr say in pf.conf.  They become
 * text here, and what reads a pf.conf reads that too: so there is one normal form.
 */
#include <stdio.h>
#include <string.h>

#include "lang/pf.h"
#include "model/forward.h"

struct raise {
	struct lang_ctx *c;
	const struct decl *d;
	const struct facts *facts;
	FILE *out;
	bool is_good;
};

static const char *const family_names[] = { [AF_V4] = "inet", [AF_V6] = "inet6" };

static const char *text_of(struct raise *r, struct addr a)
{
	return addr_print(a, arena_alloc(r->c->a, ADDR_TEXT_BYTES));
}

static void refuse(struct raise *r, struct span at, const char *jail, const char *what)
{
	diag_add(r->c->diags, DIAG_E1744, at, "%s of jail '%s' has no form in pf.conf", what, jail);
	r->is_good = false;
}

/* ---- nat ---------------------------------------------------------------------- */

/* What leaves by the interface of @n, of family @af */
static void raise_nat(struct raise *r, const struct decl_jail *j, const struct decl_nat *n,
		      uint8_t af)
{
	const struct forward_way way = forward_way(r->facts, r->d, n, af);
	const char *comma = "";
	bool is_some = false;

	for (uint32_t i = 0; i < j->addrs.n; i++)
		is_some |= j->addrs.v[i].p.a.af == af;
	if (!is_some || (n->as.af != AF_NONE && n->as.af != af) || way.as.af == AF_NONE)
		return;
	fprintf(r->out, "nat on %s %s from { ", way.iface, family_names[af]);
	for (uint32_t i = 0; i < j->addrs.n; i++) {
		if (j->addrs.v[i].p.a.af != af)
			continue;
		fprintf(r->out, "%s%s", comma, text_of(r, j->addrs.v[i].p.a));
		comma = ", ";
	}
	fprintf(r->out, " } to any -> %s\n", text_of(r, way.as));
}

/* ---- rdr ---------------------------------------------------------------------- */

static void raise_ports(struct raise *r, const struct decl_ports *p, const char *inside)
{
	fprintf(r->out, " port %u", p->ext_lo);
	if (p->ext_hi > p->ext_lo)
		fprintf(r->out, ":%u", p->ext_hi);
	fprintf(r->out, " -> %s port %u", inside, p->int_lo);
	fputs(p->int_hi > p->int_lo ? ":*\n" : "\n", r->out);
}

static const char *from_text(struct raise *r, const struct decl_forward *f)
{
	if (f->from.a.af == AF_NONE)
		return "any";
	return prefix_print(f->from, arena_alloc(r->c->a, ADDR_TEXT_BYTES));
}

/* One forward from one outside address; false: none of its families */
static bool raise_rdr(struct raise *r, const struct decl_jail *j, const struct decl_forward *f,
		      struct addr outside)
{
	static const struct { uint8_t bit; const char *name; } protos[] = {
		{ DECL_TCP, "tcp" }, { DECL_UDP, "udp" },
	};
	const struct addr inside = forward_inside(j, outside.af);

	if (inside.af == AF_NONE || (f->from.a.af != AF_NONE && f->from.a.af != outside.af))
		return false;
	for (size_t k = 0; k < ARRAY_SIZE(protos); k++)
		for (uint32_t i = 0; i < f->ports.n && (f->protos & protos[k].bit) != 0; i++) {
			fprintf(r->out, "rdr%s%s", f->is_filtered ? "" : " pass",
				f->is_log ? " log" : "");
			if (f->on != NULL)
				fprintf(r->out, " on %s", f->on);
			fprintf(r->out, " %s proto %s from %s to %s", family_names[outside.af],
				protos[k].name, from_text(r, f), text_of(r, outside));
			raise_ports(r, &f->ports.v[i], text_of(r, inside));
		}
	return true;
}

static void raise_forward(struct raise *r, const struct decl_jail *j,
			  const struct decl_forward *f)
{
	struct forward_addrs to = { .list = { .n = 0 } };
	bool is_some = false;

	if (f->quota.max > 0 || f->quota.rate > 0) {
		refuse(r, f->at, j->name, "a limit of a forward");
		return;
	}
	(void)forward_externals(r->facts, r->d, j, f, &to);
	for (uint32_t i = 0; i < to.list.n; i++)
		is_some |= raise_rdr(r, j, f, to.list.v[i]);
	if (is_some)
		return;
	if (to.list.n > 0)
		diag_add(r->c->diags, DIAG_E1604, f->at,
			 "jail '%s' has no address of the family that is forwarded", j->name);
	else
		diag_add(r->c->diags, DIAG_E1605, f->at,
			 "nothing says which addresses of the host lead to jail '%s'", j->name);
	r->is_good = false;
}

bool pf_raise_jails(struct lang_ctx *c, const struct decl *d, const struct facts *facts,
		    FILE *out)
{
	struct raise r = { .c = c, .d = d, .facts = facts, .out = out, .is_good = true };

	for (uint32_t i = 0; i < d->jails.n; i++) {
		const struct decl_jail *j = &d->jails.v[i];

		if (!j->is_enabled)
			continue;
		if (j->quota.max > 0 || j->quota.rate > 0)
			refuse(&r, j->quota.at, j->name, "a limit of connections");
		if (j->blocks.size > 0)
			refuse(&r, j->blocks.at, j->name, "a block of ports");
		for (uint32_t n = 0; n < j->nats.n; n++) {
			raise_nat(&r, j, &j->nats.v[n], AF_V4);
			raise_nat(&r, j, &j->nats.v[n], AF_V6);
		}
		for (uint32_t n = 0; n < j->forwards.n; n++)
			if (!j->forwards.v[n].is_off)
				raise_forward(&r, j, &j->forwards.v[n]);
	}
	return r.is_good;
}
