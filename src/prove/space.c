/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The headers come first: interfaces, protocol, destination, its port, source.  A
 * forward's key (protocol, address, port) is so one path, and 10,000 of them share
 * their starts.  What is remembered comes last: there are few ways in which a
 * packet's fate depends on it, so they stand once below all headers.  The other way
 * round, with all headers below each value of the marks, random rulesets of the
 * tests took ten times as many nodes.
 *
 * An interface is a number that only this proof knows.  One number stands for all
 * interfaces that nobody names: rules cannot tell those apart.
 */
#include "prove/space.h"

#include <linux/if_ether.h>
#include <string.h>

#include "target/nft.h"

#define IFACE_BITS	12u
#define MOST_NAMES	((1u << IFACE_BITS) - 2)

static const uint16_t widths[N_PARTS] = {
	[P_IFACE] = IFACE_BITS, [P_RECV] = IFACE_BITS, [P_PROTO] = 8, [P_DST] = 128,
	[P_DPORT] = 16, [P_SRC] = 128, [P_SPORT] = 16, [P_FLAGS] = 8, [P_SEQ] = 32,
	[P_ACK] = 32, [P_WIN] = 16, [P_REST] = 72, [P_TOS] = 8, [P_TTL] = 8, [P_LEN] = 16,
	[P_ID] = 16, [P_FLOW] = 20, [P_UID] = 32, [P_GID] = 32, [P_SOCK] = 1,
	[P_LSRR] = 1, [P_SSRR] = 1, [P_RR] = 1,
	[P_RPF] = 1, [P_SROUTE] = 1, [P_DROUTE] = 1, [P_SCAST] = 2,
	[P_DCAST] = 2, [P_FIRST_DST] = 128, [P_FIRST_DPORT] = 16, [P_CLOCK] = 64,
	[P_OPAQUE] = SPACE_OPAQUE, [P_OPTS] = 1, [P_INVALID] = 1, [P_REPLY] = 1,
	[P_RELATED] = 1, [P_NEW] = 1, [P_SNAT] = 1, [P_DNAT] = 1, [P_KNOWN] = 1,
	[P_CTMARK] = 32, [P_MARK] = 32, [P_DRAW] = SPACE_DRAWS, [P_CAND] = 10, [P_QUICK] = 20,
	[P_PROBED] = 6, [P_COUNT] = SPACE_COUNTS, [P_MEND] = NFT_MENDS, [P_DF] = 1,
};

static bool is_addr(enum part p)
{
	return p == P_SRC || p == P_DST || p == P_FIRST_DST;
}

uint32_t space_width(const struct space *s, enum part p)
{
	return is_addr(p) ? addr_bits(s->af) : widths[p];
}

uint32_t space_var(const struct space *s, enum part p, uint32_t bit)
{
	BUG_IF(bit >= space_width(s, p));
	return s->first[p] + bit;
}

dd space_bit(struct space *s, enum part p, uint32_t bit)
{
	return dd_var(s->d, space_var(s, p, bit));
}

uint32_t space_mark(const struct space *s, enum part p, uint32_t bit)
{
	return space_var(s, p, bit);
}

void space_add_name(struct space *s, const char *name)
{
	if (s->names.n >= MOST_NAMES)
		return;
	for (uint32_t i = 0; i < s->names.n; i++)
		if (strcmp(s->names.v[i], name) == 0)
			return;
	vec_add(s->a, &s->names, name);
}

static void add_names_of(struct space *s, const struct set *in)
{
	for (uint32_t i = 0; in != NULL && i < in->n; i++) {
		const struct range *r = &in->r[i];
		/* All but some: those are left out on either side of a range */
		const u128 lo = r->lo > 0 ? r->lo - 1 : 0;
		const u128 ends[] = { lo, r->hi < UINT32_MAX ? r->hi + 1 : r->hi };

		for (size_t k = 0; k < ARRAY_SIZE(ends); k++)
			if (ends[k] != 0 && ends[k] < s->m->names->str.n)
				space_add_name(s, facts_linux_name(intern_name(
					s->m->names, (uint32_t)ends[k])));
		for (u128 id = r->lo; id <= r->hi && r->hi - r->lo < 1024; id++)
			if (id != 0 && id < s->m->names->str.n)
				space_add_name(s, facts_linux_name(intern_name(
					s->m->names, (uint32_t)id)));
	}
}

void space_init(struct space *s, struct arena *a, struct dds *d, const struct model *m, uint8_t af)
{
	*s = (struct space){ .a = a, .d = d, .m = m, .af = af };
	for (int p = 0; p < N_PARTS; p++) {
		s->first[p] = s->n_vars;
		s->n_vars += widths[p];
	}
	vec_add(a, &s->names, "");
	space_add_name(s, "lo");
	for (uint32_t i = 0; i < m->facts->ifaces.n; i++)
		space_add_name(s, facts_linux_name(m->facts->ifaces.v[i].name));
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			add_names_of(s, rule_tests(&m->lists.v[l].rules.v[i], F_IFACE));
			add_names_of(s, rule_tests(&m->lists.v[l].rules.v[i], F_RECV));
		}
	s->lo = 1;
}

void space_seal(struct space *s)
{
	/* No interface has such a name */
	vec_add(s->a, &s->names, "/other/");
	BUG_IF(s->names.n > 1u << IFACE_BITS);
}

/* A part from @bit on is in ranges @from..@to of a sorted list, all of it above @base */
static dd in_ranges(struct space *s, enum part p, uint32_t bit, u128 base, const struct range *r,
		    uint32_t n)
{
	const uint32_t width = space_width(s, p);
	const u128 size = width - bit >= 128 ? 0 : (u128)1 << (width - bit);
	const u128 last = base + (size - 1);
	u128 middle;
	dd lo, hi;

	while (n > 0 && r[0].hi < base) {
		r++;
		n--;
	}
	while (n > 0 && r[n - 1].lo > last)
		n--;
	if (n == 0)
		return DD_FALSE;
	if (r[0].lo <= base && r[0].hi >= last)
		return DD_TRUE;
	middle = base + ((size - 1) / 2 + 1);
	hi = in_ranges(s, p, bit + 1, middle, r, n);
	lo = in_ranges(s, p, bit + 1, base, r, n);
	return dd_ite(s->d, space_bit(s, p, bit), hi, lo);
}

dd space_range(struct space *s, enum part p, u128 lo, u128 hi)
{
	const struct range r = { AF_NONE, lo, hi };

	return in_ranges(s, p, 0, 0, &r, 1);
}

dd space_is(struct space *s, enum part p, u128 value)
{
	return space_range(s, p, value, value);
}

dd space_in(struct space *s, enum part p, const struct set *in)
{
	const uint8_t af = is_addr(p) ? s->af : AF_NONE;
	uint32_t from = 0, to = in->n;

	while (from < to && in->r[from].af != af)
		from++;
	while (to > from && in->r[to - 1].af != af)
		to--;
	return in_ranges(s, p, 0, 0, &in->r[from], to - from);
}

dd space_addr_in(struct space *s, enum part p, const struct set *in)
{
	dd r;

	if (in->n < 4)
		return space_in(s, p, in);
	for (uint32_t i = 0; i < s->sets.n; i++)
		if (s->sets.v[i].set == in && s->sets.v[i].part == p)
			return s->sets.v[i].in;
	r = space_in(s, p, in);
	vec_add(s->a, &s->sets, ((struct space_set){ in, p, r }));
	return r;
}

/* Is an interface of the space in a set of the model's numbers */
static bool name_in(struct space *s, uint32_t i, const struct set *in)
{
	const char *name = facts_freebsd_name(s->names.v[i]);

	if (i == 0)
		return set_has(in, AF_NONE, 0);
	if (i + 1 == s->names.n)
		return set_has(in, AF_NONE, UINT32_MAX);
	return set_has(in, AF_NONE, intern_cid(s->m->names, name));
}

static dd numbers_in(struct space *s, enum part p, const struct set *in, bool with_lo)
{
	dd r = DD_FALSE;

	for (uint32_t i = s->names.n; i-- > 0;)
		if ((with_lo || i != s->lo) && name_in(s, i, in))
			r = dd_or(s->d, r, space_is(s, p, i));
	return r;
}

dd space_link_in(struct space *s, enum part p, const struct set *in)
{
	return numbers_in(s, p, in, true);
}

/* Destinations of the cloned loopback @i; 0 for what is none */
static dd owned(struct space *s, uint32_t i)
{
	const struct facts *f = s->m->facts;
	const struct iface *clone = &f->ifaces.v[i];
	struct ranges own = { 0 };

	for (uint32_t k = 0; k < clone->addrs.n; k++)
		if (clone->kind == IFACE_CLONED &&
		    facts_iface_of(f, clone->addrs.v[k].p.a) == clone)
			ranges_add(s->a, &own, clone->addrs.v[k].p.a.af,
				   clone->addrs.v[k].p.a.v, clone->addrs.v[k].p.a.v);
	return own.list.n > 0 ? space_in(s, P_DST, set_make(s->a, &own)) : DD_FALSE;
}

/* Made once: there may be thousands of addresses, and as many rules that ask */
static const dd *all_owned(struct space *s)
{
	const uint32_t n = s->m->facts->ifaces.n;

	if (s->owned == NULL) {
		s->owned = arena_array(s->a, dd, n);
		for (uint32_t i = 0; i < n; i++)
			s->owned[i] = owned(s, i);
	}
	return s->owned;
}

/* On lo a packet crosses the cloned loopback that has its destination, if one has */
dd space_iface_in(struct space *s, const struct set *in)
{
	const struct facts *f = s->m->facts;
	const dd *own = all_owned(s);
	dd on_lo = name_in(s, s->lo, in) ? DD_TRUE : DD_FALSE;

	for (uint32_t i = 0; i < f->ifaces.n; i++) {
		const bool is_in = set_has(in, AF_NONE, f->ifaces.v[i].id);

		on_lo = dd_ite(s->d, own[i], is_in ? DD_TRUE : DD_FALSE, on_lo);
	}
	return dd_ite(s->d, space_is(s, P_IFACE, s->lo), on_lo,
		      numbers_in(s, P_IFACE, in, false));
}

dd space_named(struct space *s, enum part p, const uint8_t *bytes, uint32_t len)
{
	dd r = DD_FALSE;

	for (uint32_t i = s->names.n; i-- > 0;) {
		char name[16] = { 0 };

		strncpy(name, s->names.v[i], sizeof(name) - 1);
		if (len <= sizeof(name) && memcmp(name, bytes, len) == 0)
			r = dd_or(s->d, r, space_is(s, p, i));
	}
	return r;
}

dd space_ports(struct space *s)
{
	if (s->ports != DD_FALSE)
		return s->ports;
	for (uint32_t proto = 0; proto <= UINT8_MAX; proto++)
		if (proto_has_ports((uint8_t)proto))
			s->ports = dd_or(s->d, s->ports, space_is(s, P_PROTO, proto));
	return s->ports;
}

dd space_local(struct space *s, enum part p)
{
	dd *own = &s->local[p == P_DST];
	const dd loop = s->af == AF_V4 ? space_range(s, p, (u128)127 << 24,
						     ((u128)128 << 24) - 1)
				       : space_is(s, p, 1);

	if (*own == DD_FALSE)
		*own = dd_or(s->d, loop, space_in(s, p, facts_local(s->m->facts)));
	return *own;
}

dd space_transport(struct space *s, uint32_t bit)
{
	static const struct { uint32_t first, n; enum part part; uint32_t at; } fields[] = {
		{ 32, 32, P_SEQ, 0 }, { 64, 32, P_ACK, 0 }, { 96, 8, P_REST, 0 },
		{ 104, 8, P_FLAGS, 0 }, { 112, 16, P_WIN, 0 }, { 128, 64, P_REST, 8 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (bit >= fields[i].first && bit < fields[i].first + fields[i].n)
			return space_bit(s, fields[i].part, fields[i].at + bit - fields[i].first);
	BUG_IF(true);
}

uint32_t space_ethertype(struct space *s)
{
	return space_opaque(s, "ethertype", 16);
}

dd space_is_other_frame(struct space *s)
{
	static const uint16_t known[] = { ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 };
	const uint32_t var = space_ethertype(s);
	dd r = DD_TRUE;

	for (size_t k = 0; k < ARRAY_SIZE(known) && var != DD_NO_VAR; k++) {
		dd is = DD_TRUE;

		for (uint32_t i = 16; i-- > 0;) {
			const dd bit = dd_var(s->d, var + i);

			is = dd_and(s->d, is, (known[k] >> (15 - i) & 1) != 0
						      ? bit : dd_not(s->d, bit));
		}
		r = dd_and(s->d, r, dd_not(s->d, is));
	}
	return r;
}

static dd icmp_types(struct space *s, const uint8_t (*ranges)[2], size_t n)
{
	dd r = DD_FALSE;

	for (size_t i = 0; i < n; i++)
		r = dd_or(s->d, r, space_range(s, P_SPORT, (u128)ranges[i][0] << 8,
					       (u128)ranges[i][1] << 8 | UINT8_MAX));
	return dd_and(s->d, r, space_is(s, P_PROTO, s->af == AF_V4 ? PROTO_ICMP : PROTO_ICMP6));
}

dd space_icmp_error(struct space *s)
{
	static const uint8_t v4[][2] = { { 3, 5 }, { 11, 12 } }, v6[][2] = { { 1, 4 } };

	return s->af == AF_V4 ? icmp_types(s, v4, ARRAY_SIZE(v4))
			      : icmp_types(s, v6, ARRAY_SIZE(v6));
}

dd space_icmp_query(struct space *s)
{
	static const uint8_t v4[][2] = { { 0, 0 }, { 8, 8 }, { 13, 18 } };
	static const uint8_t v6[][2] = { { 128, 129 } };

	if (s->query == DD_FALSE)
		s->query = s->af == AF_V4 ? icmp_types(s, v4, ARRAY_SIZE(v4))
					  : icmp_types(s, v6, ARRAY_SIZE(v6));
	return s->query;
}

uint32_t space_opaque(struct space *s, const char *what, uint32_t n_bits)
{
	struct space_opaque o = { .what = what, .n_bits = n_bits };

	for (uint32_t i = 0; i < s->opaque.n; i++)
		if (strcmp(s->opaque.v[i].what, what) == 0)
			return s->opaque.v[i].first;
	if (s->n_opaque + n_bits > SPACE_OPAQUE)
		return DD_NO_VAR;
	o.first = space_var(s, P_OPAQUE, s->n_opaque);
	s->n_opaque += n_bits;
	vec_add(s->a, &s->opaque, o);
	return o.first;
}

dd space_real(struct space *s)
{
	const dd ifaces = space_range(s, P_IFACE, 1, s->names.n - 1);
	const dd recv = space_range(s, P_RECV, 0, s->names.n - 1);

	return dd_and(s->d, ifaces, recv);
}

u128 space_value(const struct space *s, enum part p, const uint8_t *bit)
{
	u128 v = 0;

	for (uint32_t i = 0; i < space_width(s, p); i++)
		v = v << 1 | (bit[space_var(s, p, i)] == 1);
	return v;
}
