/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Whose a packet is has to be asked only where it belongs to no session here: a
 * session is nowhere else than where its packets belong.  So a packet of a flow that is
 * known costs nothing more than alone, wherever it came, and whoever sorts packets
 * before us may be wrong: it costs a way from worker to worker.
 *
 * Inside addresses are divided by arithmetic, so that it needs no table, and is the
 * same after each reading of the rules.  Outside ports are not divided: a port would be
 * kept by chance only, and static ones not at all.  A port is one worker's who has it
 * lent, or whose flows rules have led there.  Where rules lead one port to jails of
 * several workers (a pool, conditions on the source), a packet goes from one to the
 * next until one knows it; none: the rules are asked where it is then.  What they say
 * goes with it, so that they are asked once, and draw once.
 *
 * A port's mark is never taken back.  Where it is wrong the packet takes one way too
 * many, and is judged there.
 */
#include "nat/core.h"

_Static_assert(POOL_UDP < SHARED_POOLS && POOL_TCP < SHARED_POOLS && POOL_ICMP < SHARED_POOLS,
	       "the shared pools come first");

#define ERRAND_FLAGS	(NAT_P_SECOND | NAT_P_JUDGED | NAT_P_HOST)
#define WHO_BYTES	(SHARED_POOLS * 65536u)

/* ---- memory ---------------------------------------------------------------------- */

size_t nat_shared_bytes(const struct nat_config *cfg)
{
	return cfg->n_outside * (N_POOLS * sizeof(struct ports) + WHO_BYTES);
}

static void reserve(const struct nat_range *r, struct addr a, struct ports *pools)
{
	if (r->a.af != AF_NONE && !addr_equal(r->a, a))
		return;
	for (uint32_t pool = 0; pool < N_POOLS; pool++) {
		if (r->proto != 0 && (pool == POOL_ICMP || nat_protos[r->proto].pool != pool))
			continue;
		for (uint32_t port = r->lo; pool != POOL_ICMP && port <= r->hi; port++)
			ports_mark(&pools[pool], (uint16_t)port);
	}
}

void share_pools(const struct nat_config *cfg, uint32_t i, struct ports *pools)
{
	for (uint32_t pool = 0; pool < N_POOLS; pool++)
		ports_init(&pools[pool]);
	for (uint32_t r = 0; r < cfg->n_reserved; r++)
		reserve(&cfg->reserved[r], cfg->outside[i], pools);
}

static uint8_t *who_of(const struct nat_config *cfg, uint32_t i)
{
	return (uint8_t *)cfg->shared + cfg->n_outside * N_POOLS * sizeof(struct ports) +
	       (size_t)i * WHO_BYTES;
}

void nat_shared_init(const struct nat_config *cfg)
{
	for (uint32_t i = 0; i < cfg->n_outside; i++) {
		share_pools(cfg, i, (struct ports *)cfg->shared + (size_t)i * N_POOLS);
		memset(who_of(cfg, i), 0, WHO_BYTES);
	}
}

/* Workers that flows of a prefix may be at, as bits */
static uint64_t workers_of(const struct nat_config *cfg, struct prefix p)
{
	if (p.len < addr_bits(p.a.af))
		return (UINT64_C(1) << cfg->n_workers) - 1;
	return UINT64_C(1) << nat_worker_of(p.a, PROTO_TCP, cfg->n_workers);
}

void share_init(struct nat *nat, struct ports *alone)
{
	const struct nat_config *cfg = &nat->cfg;
	uint32_t step = 1;

	nat->is_shared = cfg->n_workers > 1;
	for (uint32_t i = 0; i < cfg->n_outside; i++) {
		nat->own[i].pools = nat->is_shared ? (struct ports *)cfg->shared + i * N_POOLS
						   : alone + i * N_POOLS;
		nat->own[i].who = nat->is_shared ? who_of(cfg, i) : NULL;
		if (!nat->is_shared)
			share_pools(cfg, i, nat->own[i].pools);
	}
	while (step < cfg->n_workers)
		step *= 2;
	nat->id_step = (uint16_t)step;
	for (uint32_t i = 0; i < IP_IDS && nat->is_shared; i++)
		nat->ip_id[i] = (uint16_t)((nat->ip_id[i] & (0u - step)) | cfg->worker);
	nat->random.n += (uint64_t)cfg->worker << 56;
	for (uint32_t i = 0; i < nat->n_owners; i++) {
		uint64_t all = i == 0 && nat->is_shared ? (UINT64_C(1) << cfg->n_workers) - 1 : 0;

		for (uint32_t j = 0; j < cfg->n_jails && nat->is_shared; j++)
			if (cfg->jails[j].owner == i)
				all |= workers_of(cfg, cfg->jails[j].prefix);
		nat->owners[i].n_parts = (uint8_t)MAX(__builtin_popcountll(all), 1);
	}
}

/* ---- ports ----------------------------------------------------------------------- */

bool share_take(struct nat *nat, struct own *own, uint8_t pool, uint16_t port)
{
	if (!nat->is_shared) {
		ports_mark(&own->pools[pool], port);
		return true;
	}
	if (!ports_take(&own->pools[pool], port))
		return false;
	if (pool < SHARED_POOLS)
		__atomic_store_n(&own->who[pool * 65536u + port], (uint8_t)(nat->cfg.worker + 1),
				 __ATOMIC_RELEASE);
	return true;
}

void share_give(struct nat *nat, struct own *own, uint8_t pool, uint16_t port)
{
	if (nat->is_shared)
		ports_give_shared(&own->pools[pool], port);
	else
		ports_give(&own->pools[pool], port);
}

static uint8_t who_has(const struct own *own, uint8_t pool, uint16_t port)
{
	return __atomic_load_n(&own->who[pool * 65536u + port], __ATOMIC_ACQUIRE);
}

bool share_is_others(const struct nat *nat, const struct own *own, uint8_t pool, uint16_t port)
{
	return nat->is_shared && pool < SHARED_POOLS && ports_is_lent(&own->pools[pool], port) &&
	       who_has(own, pool, port) != nat->cfg.worker + 1;
}

/* Flows that rules have led to a port are here: perhaps there are others elsewhere */
static void mark(struct nat *nat, struct own *own, uint8_t pool, uint16_t port)
{
	uint8_t *who = &own->who[pool * 65536u + port];
	const uint8_t me = (uint8_t)(nat->cfg.worker + 1);
	uint8_t old = 0;

	if (!__atomic_compare_exchange_n(who, &old, me, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE) && old != me)
		__atomic_store_n(who, SHARE_MANY, __ATOMIC_RELEASE);
}

/* ---- whose ----------------------------------------------------------------------- */

static bool has_place(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_ICMP ||
	       proto == PROTO_ICMP6;
}

uint8_t nat_worker_of(struct addr a, uint8_t proto, uint32_t n_workers)
{
	const uint64_t half = (uint64_t)(a.v >> 64) ^ (uint64_t)a.v;

	if (n_workers < 2 || !has_place(proto))
		return 0;
	return (uint8_t)(((uint32_t)(half >> 32) ^ (uint32_t)half) % n_workers);
}

bool share_is_mine(const struct nat *nat, struct addr in, uint8_t proto)
{
	return !nat->is_shared || nat_worker_of(in, proto, nat->cfg.n_workers) == nat->cfg.worker;
}

void share_note(struct nat *nat, const struct session *s)
{
	const bool is_v6 = (s->flags & S_V6) != 0;
	struct own *own;

	if (!nat->is_shared || !has_place(s->proto))
		return;
	own = own_find(nat, is_v6, s->out.src);
	if (own != NULL && s->binding == NONE)
		mark(nat, own, nat_protos[s->proto].pool, s->out.sport);
	if (nat->cfg.hints != NULL)
		nat->cfg.hints[nat_hint_at(nat_protos[s->proto].pool,
					   (uint32_t)addr_of(nat, is_v6, s->out.src).v,
					   s->out.sport)] = (uint8_t)(nat->cfg.worker + 1);
}

static void send_to(struct nat_packet *p, uint32_t worker)
{
	p->verdict = NAT_ELSEWHERE;
	p->reason = NAT_R_NONE;
	p->worker = (uint8_t)worker;
	p->flow = 0;
}

static bool hand(const struct nat *nat, struct nat_packet *p, uint32_t worker)
{
	const uint32_t hops = nat->errand != NULL ? nat->errand->hops : 0;

	/* Wherever it goes it has been by now: marks change while it is under way */
	if (worker == nat->cfg.worker || hops >= nat->cfg.n_workers)
		return false;
	send_to(p, worker);
	return true;
}

/* By the worker that has the port of an outside address */
static bool hand_by_port(const struct nat *nat, struct nat_packet *p, const struct own *own,
			 uint8_t proto, uint16_t port)
{
	uint8_t who;

	if (!has_place(proto))
		return hand(nat, p, 0);
	who = who_has(own, nat_protos[proto].pool, port);
	if (who == SHARE_MANY)
		return hand(nat, p, (nat->cfg.worker + 1) % nat->cfg.n_workers);
	return who != 0 && hand(nat, p, who - 1u);
}

static bool hand_by_inside(const struct nat *nat, struct nat_packet *p, struct addr in,
			   uint8_t proto)
{
	return hand(nat, p, nat_worker_of(in, proto, nat->cfg.n_workers));
}

bool share_opens(const struct nat *nat, struct nat_packet *p, const struct view *v, bool is_second)
{
	const struct own *own;
	bool is_gone;

	if (!nat->is_shared || (p->flags & NAT_P_JUDGED) != 0)
		return false;
	if (v->from == NAT_INSIDE)
		return hand_by_inside(nat, p, view_src(v), v->proto);
	own = own_find(nat, v->is_v6, v->dst);
	is_gone = own != NULL ? hand_by_port(nat, p, own, v->proto, v->dport)
			      : hand_by_inside(nat, p, view_dst(v), v->proto);
	if (is_gone && is_second)
		p->flags |= NAT_P_SECOND;
	return is_gone;
}

bool share_judged(struct nat *nat, struct nat_packet *p, const struct view *v,
		  const struct nat_ruling *r, bool is_second)
{
	if (!nat->is_shared || (p->flags & NAT_P_JUDGED) != 0 ||
	    share_is_mine(nat, r->dst, v->proto))
		return false;
	if (nat->n_rulings == RULINGS) {
		drop(nat, p, NAT_R_NO_BUFFER);
		return true;
	}
	send_to(p, nat_worker_of(r->dst, v->proto, nat->cfg.n_workers));
	p->flags |= (uint8_t)(NAT_P_JUDGED | (is_second ? NAT_P_SECOND : 0));
	nat->rulings[nat->n_rulings] = *r;
	nat->rulings[nat->n_rulings].to = NULL;
	nat->rulings[nat->n_rulings].n_to = 0;
	p->flow = nat->n_rulings++;
	return true;
}

bool share_error(const struct nat *nat, struct nat_packet *p, const struct view *key,
		 struct addr end, bool is_second)
{
	const struct own *own;
	bool is_gone;

	if (!nat->is_shared)
		return false;
	own = key->from == NAT_INSIDE ? NULL : own_of(nat, end);
	is_gone = own != NULL ? hand_by_port(nat, p, own, key->proto, key->dport)
			      : hand_by_inside(nat, p, end, key->proto);
	if (is_gone && is_second)
		p->flags |= NAT_P_SECOND;
	return is_gone;
}

bool share_fragment(const struct nat *nat, struct nat_packet *p, const struct view *v)
{
	if (!nat->is_shared || nat->errand != NULL)
		return false;
	if (v->from == NAT_INSIDE)
		return hand_by_inside(nat, p, view_src(v), v->proto);
	/* Only the first has a port: one worker puts them all together */
	return own_of(nat, view_dst(v)) != NULL ? hand(nat, p, 0)
						: hand_by_inside(nat, p, view_dst(v), v->proto);
}

/* ---- from worker to worker -------------------------------------------------------- */

void share_datagram(struct nat *nat, struct nat_packet *p, const struct nat_packet *whole,
		    uint32_t longest)
{
	uint8_t *at = made_new(nat, whole->len, NAT_INSIDE);
	struct nat_made *m;

	if (at == NULL) {
		drop(nat, p, NAT_R_NO_BUFFER);
		return;
	}
	memcpy(at, whole->data, whole->len);
	m = &nat->made[nat->n_made - 1];
	m->is_elsewhere = true;
	m->worker = whole->worker;
	m->flags = whole->flags & ERRAND_FLAGS;
	m->longest = (uint16_t)longest;
	m->ruling = (m->flags & NAT_P_JUDGED) != 0 ? &nat->rulings[whole->flow] : NULL;
	p->verdict = NAT_KEPT;
	p->reason = NAT_R_NONE;
}

void share_answered(struct nat *nat, const struct view *v, uint32_t n_before)
{
	const uint16_t id = get16(v->ip + v->l4 + 4);
	const struct own *own = own_of(nat, view_src(v));
	struct nat_made *m;
	uint8_t who;

	if (own == NULL || nat->n_made == n_before || !nat->is_shared)
		return;
	who = who_has(own, POOL_ICMP, id);
	m = &nat->made[nat->n_made - 1];
	m->is_elsewhere = true;
	m->worker = who == 0 || who == SHARE_MANY ? 0 : (uint8_t)(who - 1);
	m->flags = NAT_P_SECOND;
}

void nat_errand_of(const struct nat *nat, const struct nat_packet *p,
		   const struct nat_errand *came, struct nat_errand *ret)
{
	*ret = (struct nat_errand){ .flags = p->flags & ERRAND_FLAGS, .hops = 1 };
	if (came != NULL) {
		ret->hops = (uint8_t)(came->hops + 1);
		ret->longest = came->longest;
		ret->ruling = came->ruling;
	}
	if (p->verdict == NAT_ELSEWHERE && (p->flags & NAT_P_JUDGED) != 0)
		ret->ruling = nat->rulings[p->flow];
}

void nat_handed(struct nat *nat, uint64_t now_ns, struct nat_packet *p,
		const struct nat_errand *e)
{
	struct nat_errand mine = *e;

	(void)nat_tick(nat, now_ns);
	mine.ruling.to = NULL;
	mine.ruling.n_to = 0;
	mine.ruling.has_src = false;
	p->flags |= mine.flags & ERRAND_FLAGS;
	p->flow = 0;
	nat->cause = 0;
	nat->errand = &mine;
	nat->in_datagram = mine.longest != 0;
	path_packet(nat, p);
	nat->in_datagram = false;
	if (p->verdict == NAT_FORWARD && mine.longest != 0)
		frag_leave(nat, p, mine.longest);
	nat->errand = NULL;
}
