/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/jail/vnet.h"

#include <string.h>

#include "lang/ifaddr.h"

/* A jail's parameters while they are read */
struct reader {
	struct lang_ctx *c;
	struct jail_params *ps;
	struct decl_jail *j;
};

typedef void item_fn(struct reader *r, const struct text *t, uint32_t lo, uint32_t hi);

/* Each item of the comma lists of all values of a variable */
static void each_item(struct reader *r, const char *name, item_fn *fn)
{
	const struct jail_param *p = jail_params_find_var(r->ps, name);

	for (uint32_t i = 0; p != NULL && i < p->values.n; i++) {
		const struct text *t = &p->values.v[i];

		for (uint32_t lo = 0, hi; lo <= t->buf.n && t->buf.n > 0; lo = hi + 1) {
			const char *comma = memchr(t->buf.v + lo, ',', t->buf.n - lo);
			uint32_t from = lo, to;

			hi = comma != NULL ? (uint32_t)(comma - t->buf.v) : t->buf.n;
			for (to = hi; to > from && strchr(" \t\n", t->buf.v[to - 1]) != NULL;)
				to--;
			while (from < to && strchr(" \t\n", t->buf.v[from]) != NULL)
				from++;
			fn(r, t, from, to);
		}
	}
}

static void take_address(struct reader *r, const struct text *t, uint32_t lo, uint32_t hi)
{
	struct span used;
	struct prefix p;

	if (prefix_parse(t->buf.v + lo, hi - lo, &p) < 0 || p.len == 0 ||
	    addr_is_multicast(p.a) || addr_is_loopback(p.a) || addr_is_linklocal(p.a)) {
		text_error(r->c, DIAG_E1450, t, lo, hi, "'%.*s' cannot be an address of a jail",
			   (int)(hi - lo), t->buf.v + lo);
		return;
	}
	vec_add(r->c->a, &r->j->addrs, ((struct decl_addr){
		.p = p, .jail = r->j->name, .at = text_span(t, lo, hi, &used) }));
}

static void take_gateway(struct reader *r, const struct text *t, uint32_t lo, uint32_t hi)
{
	struct addr a, *slot;

	if (addr_parse(t->buf.v + lo, hi - lo, &a) < 0 || addr_is_multicast(a) ||
	    addr_is_loopback(a)) {
		text_error(r->c, DIAG_E1450, t, lo, hi, "'%.*s' cannot be the address of a gateway",
			   (int)(hi - lo), t->buf.v + lo);
		return;
	}
	slot = &r->j->vnet.gateway[a.af == AF_V6];
	if (slot->af != AF_NONE)
		text_error(r->c, DIAG_E1450, t, lo, hi, "a second gateway of IPv%u", a.af);
	*slot = a;
}

static void take_bridge(struct reader *r)
{
	const struct jail_param *p = jail_params_find_var(r->ps, "bridge");
	const struct text *t = p != NULL && p->values.n > 0 ? &p->values.v[p->values.n - 1] : NULL;
	struct text_word name, more;
	uint32_t pos = 0;
	struct span used;

	if (t == NULL || !text_next_word(t, &pos, t->buf.n, &name))
		return;
	if (!ifname_is_good(t->buf.v + name.lo, name.hi - name.lo)) {
		text_error(r->c, DIAG_E1451, t, name.lo, name.hi,
			   "'%.*s' cannot be the name of a bridge", (int)(name.hi - name.lo),
			   t->buf.v + name.lo);
		return;
	}
	r->j->vnet.bridge = intern_str(r->c->names, t->buf.v + name.lo, name.hi - name.lo);
	r->j->vnet.bridge_at = text_span(t, name.lo, name.hi, &used);
	while (text_next_word(t, &pos, t->buf.n, &more)) {
		if (text_word_is(t, more, "isolated"))
			r->j->vnet.is_isolated = true;
		else
			text_error(r->c, DIAG_E1451, t, more.lo, more.hi,
				   "'%.*s' says nothing of a bridge's port",
				   (int)(more.hi - more.lo), t->buf.v + more.lo);
	}
}

static void take_interface(struct reader *r)
{
	const struct jail_param *p = jail_params_find(r->ps, "vnet.interface");
	const struct text *t;

	if (p == NULL || p->state != JAIL_PARAM_DONE || p->values.n == 0)
		return;
	t = &p->values.v[0];
	if (p->values.n > 1) {
		diag_add(r->c->diags, DIAG_E1451, p->at, "jail '%s' has %u interfaces, and one is "
			 "all that is made", r->j->name, p->values.n);
		return;
	}
	if (t->buf.n == 0 || !ifname_is_good(t->buf.v, t->buf.n)) {
		text_error(r->c, DIAG_E1451, t, 0, t->buf.n,
			   "'%s' cannot be the name of an interface", t->buf.v);
		return;
	}
	r->j->vnet.named = intern_str(r->c->names, t->buf.v, t->buf.n);
}

void jail_vnet_lower(struct lang_ctx *c, struct jail_params *ps, struct decl_jail *j)
{
	const struct jail_param *address = jail_params_find_var(ps, "address");
	struct reader r = { .c = c, .ps = ps, .j = j };

	if (!j->is_vnet) {
		if (address != NULL)
			diag_add(c->diags, DIAG_E1452, address->at,
				 "jail '%s' has $address and no vnet", j->name);
		return;
	}
	if (j->addrs.n > 0) {
		diag_add(c->diags, DIAG_E1421, j->addrs.v[0].at,
			 "vnet jail '%s' cannot have addresses of the host's interfaces", j->name);
		diag_help(c->diags, "use $address");
		return;
	}
	each_item(&r, "address", take_address);
	each_item(&r, "gateway", take_gateway);
	take_bridge(&r);
	take_interface(&r);
}
