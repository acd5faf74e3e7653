/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/guard.h"

#include <linux/if_ether.h>

#define ND_ROUTER	134u
#define ND_ADVERT	136u
#define ND_REDIRECT	137u
#define ICMP6_TARGET	8u	/* bytes before the address that it is about */

static dd from_link(struct proof *p, const struct iface *i)
{
	struct ranges own = { .list = { .n = 0 } };

	ranges_add(p->a, &own, AF_NONE, i->id, i->id);
	return space_link_in(&p->s, P_IFACE, set_make(p->a, &own));
}

/* The jail's own sources, and none yet */
static dd own_source(struct proof *p, const struct iface *i)
{
	const uint8_t af = p->is_arp ? AF_V4 : p->s.af;
	struct ranges own = { .list = { .n = 0 } };

	ranges_add(p->a, &own, af, 0, 0);
	for (uint32_t n = 0; n < i->behind.n; n++)
		if (i->behind.v[n].a.af == af)
			ranges_add_prefix(p->a, &own, i->behind.v[n]);
	if (af == AF_V6 && i->linklocal.af == AF_V6)
		ranges_add(p->a, &own, af, i->linklocal.v, i->linklocal.v);
	return space_in(&p->s, P_SRC, set_make(p->a, &own));
}

/* ---- neighbour discovery --------------------------------------------------------- */

static dd is_nd(struct proof *p, uint32_t type)
{
	return dd_and(p->d, space_is(&p->s, P_PROTO, PROTO_ICMP6),
		      space_range(&p->s, P_SPORT, (u128)type << 8, (u128)type << 8 | UINT8_MAX));
}

/* It is about an address of @net */
static dd is_about(struct proof *p, struct prefix net)
{
	const u128 want = prefix_first(net).v;
	dd r = DD_TRUE;

	for (uint32_t i = net.len; i-- > 0;) {
		const dd bit = space_transport(&p->s, 8 * ICMP6_TARGET + i);

		r = dd_and(p->d, r, (want >> (127 - i) & 1) != 0 ? bit : dd_not(p->d, bit));
	}
	return r;
}

/* A jail is no router, and answers for nothing but what is its own */
static dd refused_nd(struct proof *p, const struct iface *i)
{
	struct prefix local = { { AF_V6, (u128)0xfe80 << 112 }, 10 };
	dd own;

	/* Alone with the host it may choose its own link-local address, but for the host's */
	if (i->linklocal.af == AF_V6)
		local = (struct prefix){ i->linklocal, 128 };
	own = is_about(p, local);
	for (uint32_t n = 0; n < i->behind.n; n++)
		if (i->behind.v[n].a.af == AF_V6)
			own = dd_or(p->d, own, is_about(p, i->behind.v[n]));
	if (i->gateway[1].af == AF_V6)
		own = dd_and(p->d, own, dd_not(p->d, is_about(p, (struct prefix){
							i->gateway[1], 128 })));
	return dd_or(p->d, dd_and(p->d, is_nd(p, ND_ADVERT), dd_not(p->d, own)),
		     dd_or(p->d, is_nd(p, ND_ROUTER), is_nd(p, ND_REDIRECT)));
}

/* ---- ARP and bridges ------------------------------------------------------------- */

/* What is neither IP nor ARP may not be said at all: a tag would hide an address */
static dd refused_frame(struct proof *p, const struct iface *i)
{
	if (p->ethertype == 0)
		return DD_TRUE;
	if (p->ethertype == ETH_P_IPV6)
		return dd_or(p->d, dd_not(p->d, own_source(p, i)), refused_nd(p, i));
	return dd_not(p->d, own_source(p, i));
}

static dd refused_arp(struct proof *p, const struct iface *i)
{
	return dd_not(p->d, own_source(p, i));
}

/* ---- all jails -------------------------------------------------------------------- */

static dd refused_of_all(struct proof *p, bool ports,
			 dd (*refused)(struct proof *p, const struct iface *i))
{
	const struct facts *f = p->m->facts;
	dd r = DD_FALSE;

	for (uint32_t n = 0; n < f->ifaces.n; n++) {
		const struct iface *i = &f->ifaces.v[n];

		if (i->kind == IFACE_JAIL && i->is_port == ports && i->behind.n > 0)
			r = dd_or(p->d, r, dd_and(p->d, from_link(p, i), refused(p, i)));
	}
	return r;
}

dd guard_nd(struct proof *p)
{
	return p->s.af == AF_V6 ? refused_of_all(p, false, refused_nd) : DD_FALSE;
}

dd guard_arp(struct proof *p)
{
	return refused_of_all(p, false, refused_arp);
}

dd guard_port(struct proof *p)
{
	return refused_of_all(p, true, refused_frame);
}
