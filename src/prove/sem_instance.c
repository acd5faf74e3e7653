/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * instance_translate() of a packet of which nothing is remembered, for all of them at
 * once.  Inbound the redirects, outbound those that a host is behind, or else the
 * instance's own address.  libalias takes the redirect that says most, and of equals
 * the first: so they are put around each other from the last one to that.
 */
#include "prove/sem.h"

#define RANKS	8	/* of redirects */

/* A translation by an instance under way */
struct instance {
	struct proof *p;
	const struct xlate *x;
	struct proof_to to;	/* all but where it leads */
};

static bool is_single(const struct xlate *x)
{
	return x->to.n > 0 && x->to.v[0].af == AF_V4;
}

static struct addr outside_of(const struct xlate *x, const struct redirect *r)
{
	const struct addr none = { .af = AF_NONE };

	if (r->outside.af != AF_NONE)
		return r->outside;
	return is_single(x) ? x->to.v[0] : none;
}

static int rank(const struct redirect *r)
{
	return (r->has_ports ? 4 : 0) + (r->peer.af != AF_NONE ? 2 : 0) + (r->proto >= 0 ? 1 : 0);
}

/* It is of the redirect's protocol and peer, who is the @peer of the packet */
static dd may_meet(struct instance *i, const struct redirect *r, enum part peer, enum part port)
{
	struct space *s = &i->p->s;
	dd is = r->proto < 0 ? DD_TRUE : space_is(s, P_PROTO, (u128)r->proto);

	if (r->peer.af != AF_NONE)
		is = dd_and(i->p->d, is, space_is(s, peer, r->peer.v));
	if (r->peer_lo != 0)
		is = dd_and(i->p->d, is, dd_and(i->p->d, space_ports(s),
						space_range(s, port, r->peer_lo, r->peer_hi)));
	return is;
}

/* Each of @n ports of @part from @from on becomes as many from @first on; else @other */
static dd shifted(struct instance *i, struct proof_to *to, enum part part, uint16_t from,
		  uint32_t n, uint16_t first, dd other)
{
	struct proof *p = i->p;
	const uint32_t bits = space_width(&p->s, part);
	struct dd_case *cases = arena_array(p->a, struct dd_case, n);
	uint32_t *var = arena_array(p->a, uint32_t, bits);
	uint8_t *here = arena_array(p->a, uint8_t, p->s.n_vars);

	for (uint32_t b = 0; b < bits; b++)
		var[b] = space_var(&p->s, part, b);
	to->has_port = true;
	to->here = here;
	for (uint32_t k = 0; k < n; k++) {
		const uint16_t port = (uint16_t)(from + k);
		uint8_t *key = arena_array(p->a, uint8_t, 2);

		key[0] = (uint8_t)(port >> 8);
		key[1] = (uint8_t)port;
		for (uint32_t b = 0; b < bits; b++)
			here[var[b]] = (port >> (bits - 1 - b) & 1) != 0 ? DD_IS_1 : DD_IS_0;
		to->x.lo = to->x.hi = (uint16_t)(first + k);
		cases[k] = (struct dd_case){ .key = key, .then = proof_translate(p, to) };
	}
	to->here = NULL;
	return dd_cases(p->d, var, bits, cases, n, other);
}

/* ---- inbound ---------------------------------------------------------------------- */

static dd to_inside(struct instance *i, const struct redirect *r, uint32_t k, dd other)
{
	struct proof_to to = i->to;

	to.x = (struct translation){ .af = AF_V4, .to = r->to.v[k].a.v };
	if (!r->has_ports)
		return proof_translate(i->p, &to);
	return shifted(i, &to, P_DPORT, r->lo, (uint32_t)(r->hi - r->lo) + 1, r->to.v[k].port,
		       other);
}

static dd redirected_in(struct instance *i, const struct redirect *r, dd other)
{
	const struct addr out = outside_of(i->x, r);
	struct proof *p = i->p;
	dd meets = may_meet(i, r, P_SRC, P_SPORT), go;

	if (out.af != AF_V4 || r->to.n == 0)
		return other;
	meets = dd_and(p->d, meets, space_is(&p->s, P_DST, out.v));
	if (r->has_ports)
		meets = dd_and(p->d, meets, space_ports(&p->s));
	go = to_inside(i, r, r->to.n - 1, other);
	for (uint32_t k = r->to.n - 1; k-- > 0;)
		go = proof_draw(p, to_inside(i, r, k, other), go, 1, r->to.n - k, true);
	return dd_ite(p->d, meets, go, other);
}

/* ---- outbound --------------------------------------------------------------------- */

/* The source becomes an address, or with @own stays; the port as the instance says */
static dd to_outside(struct instance *i, struct addr out, bool own)
{
	const struct xlate *x = i->x;
	struct proof_to to = i->to;

	to.x = (struct translation){ .is_src = true, .af = AF_V4, .to = own ? 0 : out.v,
				     .own = own ? prefix_mask(AF_V4, 32) : 0 };
	to.has_port = x->port == XP_RANDOM;
	if (to.has_port) {
		to.x.lo = x->lo;
		to.x.hi = x->hi;
		to.x.is_random = x->hi > x->lo;
		to.id_lo = 1;
		to.id_hi = UINT16_MAX;
	}
	return proof_translate(i->p, &to);
}

static dd redirected_out(struct instance *i, const struct redirect *r, dd other)
{
	const struct addr out = outside_of(i->x, r);
	struct proof_to to = i->to;
	struct proof *p = i->p;
	dd comes = may_meet(i, r, P_DST, P_DPORT);

	if (out.af != AF_V4 || r->to.n != 1)
		return other;
	comes = dd_and(p->d, comes, space_is(&p->s, P_SRC, r->to.v[0].a.v));
	if (!r->has_ports)
		return dd_ite(p->d, comes, to_outside(i, out, false), other);
	to.x = (struct translation){ .is_src = true, .af = AF_V4, .to = out.v };
	return dd_ite(p->d, dd_and(p->d, comes, space_ports(&p->s)),
		      shifted(i, &to, P_SPORT, r->to.v[0].port,
			      (uint32_t)(r->hi - r->lo) + 1, r->lo, other), other);
}

static dd by_itself(struct instance *i)
{
	const struct xlate *x = i->x;
	const struct addr none = { .af = AF_NONE };
	const dd all = is_single(x) ? to_outside(i, x->to.v[0], false) : i->to.unchanged;

	if (x->only_from == NULL)
		return all;
	return dd_ite(i->p->d, space_addr_in(&i->p->s, P_SRC, x->only_from), all,
		      to_outside(i, none, true));
}

dd sem_instance(struct proof *p, enum direction dir, const struct xlate *x,
		dd (*then)(void *arg, uint32_t xlate), void *arg, dd unchanged)
{
	struct instance i = {
		.p = p, .x = x, .to = { .then = then, .arg = arg, .unchanged = unchanged },
	};
	const bool out = dir == DIR_OUT && !x->is_local;
	dd f = unchanged;

	if (p->s.af != AF_V4 || x->is_global)
		return unchanged;
	if (out)
		f = by_itself(&i);
	for (int want = 0; want < RANKS; want++)
		for (uint32_t k = x->redirects.n; k-- > 0;) {
			const struct redirect *r = &x->redirects.v[k];

			if (rank(r) == want)
				f = out ? redirected_out(&i, r, f) : redirected_in(&i, r, f);
		}
	return f;
}

const struct set *sem_instance_addrs(struct proof *p, enum direction dir, const struct xlate *x)
{
	struct ranges rs = { .list = { .n = 0 } };

	if (dir == DIR_OUT && is_single(x))
		ranges_add_set(p->a, &rs, set_addr(p->a, x->to.v[0]));
	for (uint32_t i = 0; i < x->redirects.n; i++) {
		const struct redirect *r = &x->redirects.v[i];

		if (dir == DIR_OUT && r->to.n == 1 && outside_of(x, r).af == AF_V4)
			ranges_add_set(p->a, &rs, set_addr(p->a, outside_of(x, r)));
		for (uint32_t k = 0; dir == DIR_IN && k < r->to.n; k++)
			ranges_add_set(p->a, &rs, set_addr(p->a, r->to.v[k].a));
	}
	return set_make(p->a, &rs);
}
