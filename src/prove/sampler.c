/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Packets are made of the values at which one of two models changes its mind: the ends
 * of all ranges that are tested, and their neighbours.
 */
#include "prove/sampler.h"

#include "prove/proof.h"

#define MOST	512u	/* values of a kind, and half as many of each model */

static void add(struct sampler *s, struct values *v, u128 x)
{
	for (uint32_t i = 0; i < v->list.n; i++)
		if (v->list.v[i] == x)
			return;
	if (v->list.n < MOST)
		vec_add(s->a, &v->list, x);
}

/* The ends of ranges and what is next to them, below @end */
static void add_set(struct sampler *s, struct values *v, const struct set *set, uint8_t af,
		    u128 last)
{
	for (uint32_t i = 0; i < set->n; i++) {
		const struct range *r = &set->r[i];

		if (r->af != af)
			continue;
		add(s, v, r->lo);
		add(s, v, r->hi);
		if (r->lo > 0)
			add(s, v, r->lo - 1);
		if (r->hi < last)
			add(s, v, r->hi + 1);
	}
}

static void add_test(struct sampler *s, const struct test *t)
{
	switch (t->f) {
	case F_SRC:
	case F_DST:
		add_set(s, &s->addrs[0], t->in, AF_V4, UINT32_MAX);
		add_set(s, &s->addrs[1], t->in, AF_V6, ~(u128)0);
		break;
	case F_SPORT:
	case F_DPORT:
		add_set(s, &s->ports, t->in, AF_NONE, UINT16_MAX);
		break;
	case F_PROTO:
		add_set(s, &s->protos, t->in, AF_NONE, UINT8_MAX);
		break;
	case F_ICMP:
		add_set(s, &s->icmp, t->in, AF_NONE, UINT16_MAX);
		break;
	default:
		if (t->f >= F_TTL)
			add_set(s, &s->heads[t->f - F_TTL], t->in, AF_NONE, UINT16_MAX);
	}
}

static void add_model(struct sampler *s, const struct model *m)
{
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct rule *r = &m->lists.v[l].rules.v[i];

			for (uint32_t k = 0; k < r->tests.n; k++)
				add_test(s, &r->tests.v[k]);
		}
	for (uint32_t i = 0; i < m->facts->ifaces.n; i++) {
		const struct iface *ifp = &m->facts->ifaces.v[i];

		add(s, &s->ifaces, intern_cid(m->names, ifp->name));
		for (uint32_t n = 0; n < ifp->addrs.n; n++)
			add(s, &s->addrs[ifp->addrs.v[n].p.a.af == AF_V6], ifp->addrs.v[n].p.a.v);
	}
}

static void add_common(struct sampler *s)
{
	static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_ICMP, PROTO_ICMP6, 47 };
	static const uint16_t ports[] = { 22, 80, 40000 };

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		add(s, &s->protos, protos[i]);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		add(s, &s->ports, ports[i]);
	add(s, &s->icmp, 8 << 8);
	add(s, &s->icmp, 128 << 8);
	add(s, &s->addrs[0], 0xc6336407u);				/* 198.51.100.7 */
	add(s, &s->addrs[1], (u128)0x20010db800510000u << 64 | 7u);	/* 2001:db8:51::7 */
}

/* Knuth's MMIX generator; the high bits are the good ones */
u128 sampler_pick(struct sampler *s, const struct values *v)
{
	s->draw = s->draw * 6364136223846793005u + 1442695040888963407u;
	return v->list.v[(s->draw >> 33) % v->list.n];
}

struct packet sampler_packet(struct sampler *s, const struct model *m)
{
	static const uint8_t flags[] = { TCP_FLAG_SYN, TCP_FLAG_SYN, TCP_FLAG_ACK,
					 TCP_FLAG_SYN | TCP_FLAG_ACK, TCP_FLAG_RST };
	const struct values dirs = { .list = { .v = (u128[]){ DIR_IN, DIR_OUT }, .n = 2 } };
	const uint8_t af = sampler_pick(s, &dirs) == 0 ? AF_V4 : AF_V6;
	struct packet p = {
		.dir = (enum direction)sampler_pick(s, &dirs),
		.proto = (uint8_t)sampler_pick(s, &s->protos),
		.src = { af, sampler_pick(s, &s->addrs[af == AF_V6]) },
		.dst = { af, sampler_pick(s, &s->addrs[af == AF_V6]) },
	};
	struct values *heads = s->heads;
	const char *iface = intern_name(m->names, (uint32_t)sampler_pick(s, &s->ifaces));

	if (p.proto == (af == AF_V4 ? PROTO_ICMP6 : PROTO_ICMP))
		p.proto = af == AF_V4 ? PROTO_ICMP : PROTO_ICMP6;
	if (proto_has_ports(p.proto)) {
		p.sport = (uint16_t)sampler_pick(s, &s->ports);
		p.dport = (uint16_t)sampler_pick(s, &s->ports);
	}
	if (p.proto == PROTO_TCP)
		p.tcp_flags = flags[(s->draw >> 40) % ARRAY_SIZE(flags)];
	if (p.proto == PROTO_ICMP || p.proto == PROTO_ICMP6) {
		const uint16_t kind = (uint16_t)sampler_pick(s, &s->icmp);

		p.icmp_type = (uint8_t)(kind >> 8);
		p.icmp_code = (uint8_t)kind;
	}
	prove_packet_usual(&p);
	for (int h = 0; h < N_HEADS; h++)
		if (heads[h].list.n > 0)
			p.heads[h] = (uint32_t)sampler_pick(s, &heads[h]);
	p.has_uid = p.dir == DIR_OUT && heads[HEAD_UID].list.n + heads[HEAD_GID].list.n > 0;
	p.iface = intern_cid(m->names, facts_crossed(m->facts, iface, p.dst));
	p.recv = p.dir == DIR_IN ? p.iface : 0;
	return p;
}

void sampler_init(struct sampler *s, const struct model *m, const struct model *other,
		  struct arena *a)
{
	*s = (struct sampler){ .a = a, .draw = 1 };
	add_common(s);
	add_model(s, m);
	add_model(s, other);
}

/* What a refused packet is answered with */
static const char *refusal(struct arena *a, const struct result *r)
{
	const int32_t icmp = r->packet.src.af == AF_V4 ? r->answer.icmp4 : r->answer.icmp6;

	if (r->packet.proto == PROTO_TCP && r->answer.rst)
		return "return, RST";
	return arena_printf(a, "return, ICMP %d/%d", icmp >> 8, icmp & UINT8_MAX);
}

/* As `why` tells it: the verdict, and where the packet goes on */
const char *sampler_answer(struct arena *a, const struct result *r)
{
	static const char *const words[] = { [V_PASS] = "pass", [V_BLOCK] = "block" };
	const bool is_new = r->src_changed && r->xlate != NULL;	/* not replayed by a state */
	char src[ADDR_TEXT_BYTES], dst[ADDR_TEXT_BYTES];

	if (r->verdict == V_RETURN)
		return refusal(a, r);
	if (r->verdict != V_PASS || (!r->dst_changed && !r->src_changed))
		return words[r->verdict];
	return arena_printf(a, "%s, becomes %s:%u-%u > %s:%u", words[r->verdict],
			    addr_print(r->packet.src, src),
			    is_new ? r->sport_lo : r->packet.sport,
			    is_new ? r->sport_hi : r->packet.sport,
			    addr_print(r->packet.dst, dst), r->packet.dport);
}
