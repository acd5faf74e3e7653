/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines: 4787-5c 7857-2.1b
 */
#include "nat/core.h"

#define LIMIT_FLOWS	(1u << 26)
#define BUCKET_FAST	9u		/* entries of 15: a packet's table, 2% overflow */
#define BUCKET_DENSE	12u		/* a new flow's */
#define OUTSIDE_MAX	4096u
#define WORKERS_MOST	32u		/* a number of each is in every IPv4 id */
#define LEAST_MTU	576u		/* RFC 791 */
#define TIMEOUT_MAX_S	(1u << 24)	/* half a year */

const char *const nat_reason_names[N_NAT_REASONS] = {
#define R(id, name)	[NAT_R_##id] = name,
#include "nat/reasons.def"
#undef R
};

const char *const nat_timeout_names[N_NAT_TIMEOUTS] = {
	[NAT_T_UDP] = "udp", [NAT_T_TCP_OPEN] = "tcp.opening", [NAT_T_TCP] = "tcp.established",
	[NAT_T_TCP_CLOSE] = "tcp.closing", [NAT_T_ICMP] = "icmp", [NAT_T_OTHER] = "other",
	[NAT_T_HOLD] = "hold", [NAT_T_FRAGMENT] = "frag", [NAT_T_SYN] = "syn",
};

const char *const nat_tcp_names[N_NAT_TCP] = {
	[NAT_TCP_NONE] = "none", [NAT_TCP_INIT_IN] = "init-in", [NAT_TCP_INIT_OUT] = "init-out",
	[NAT_TCP_ESTABLISHED] = "established", [NAT_TCP_FIN_IN] = "fin-in",
	[NAT_TCP_FIN_OUT] = "fin-out", [NAT_TCP_FIN_BOTH] = "fin-both", [NAT_TCP_TRANS] = "trans",
};

void nat_config_init(struct nat_config *cfg)
{
	static const uint32_t seconds[N_NAT_TIMEOUTS] = {
		[NAT_T_UDP] = 300, [NAT_T_TCP_OPEN] = 240, [NAT_T_TCP] = 7440,
		[NAT_T_TCP_CLOSE] = 240, [NAT_T_ICMP] = 60, [NAT_T_OTHER] = 600,
		[NAT_T_HOLD] = 120, [NAT_T_FRAGMENT] = 30, [NAT_T_SYN] = 6,
	};

	*cfg = (struct nat_config){
		.max_flows = 65536, .max_addr6 = 16384, .ports = NAT_PORTS_PRESERVE,
		.port_lo = 1024, .port_hi = UINT16_MAX, .block_ports = 504,
		.mtu = { 1500, 1500 }, .error_per_s = 1000, .frag_bytes = 2u << 20,
		.frag_share = 8,
	};
	memcpy(cfg->timeout_s, seconds, sizeof(seconds));
	for (int i = 0; i < N_NAT_CLASSES; i++)
		cfg->filtering[i] = NAT_ADDRESS_PORT;
}

static const char *check_prefixes(const struct nat_config *cfg)
{
	for (uint32_t i = 0; i < cfg->n_npt; i++)
		if (cfg->npt[i].inside.a.af != AF_V6 || cfg->npt[i].outside.a.af != AF_V6 ||
		    addr_is_multicast(cfg->npt[i].inside.a) ||
		    addr_is_multicast(cfg->npt[i].outside.a) ||
		    MAX(cfg->npt[i].inside.len, cfg->npt[i].outside.len) > 112)
			return "an NPTv6 prefix is not of IPv6 unicast, or longer than /112";
	for (uint32_t i = 0; i < cfg->n_outside; i++)
		if ((cfg->outside[i].af != AF_V4 && cfg->outside[i].af != AF_V6) ||
		    addr_is_multicast(cfg->outside[i]))
			return "an outside address is none of a host";
	return NULL;
}

const char *nat_config_check(const struct nat_config *cfg)
{
	if (cfg->max_flows < 1 || cfg->max_flows > LIMIT_FLOWS || cfg->max_addr6 > LIMIT_FLOWS)
		return "the number of flows is not in 1..67108864";
	if (cfg->n_outside > OUTSIDE_MAX)
		return "there are more than 4096 outside addresses";
	if (cfg->port_lo < 1 || cfg->port_lo > cfg->port_hi)
		return "the range of ports is empty";
	if (cfg->ports == NAT_PORTS_BLOCK && (cfg->block_ports < 1 || cfg->block_ports > 64512))
		return "a block has not 1..64512 ports";
	if (cfg->mtu[0] < LEAST_MTU || cfg->mtu[1] < LEAST_MTU)
		return "an MTU is below 576";
	if (cfg->frag_share < 1)
		return "the part of fragment memory is none";
	for (int i = 0; i < N_NAT_TIMEOUTS; i++)
		if (cfg->timeout_s[i] < 1 || cfg->timeout_s[i] > TIMEOUT_MAX_S)
			return "a timeout is not in 1..16777216 seconds";
	if (cfg->n_workers > WORKERS_MOST ||
	    (cfg->n_workers > 1 && (cfg->worker >= cfg->n_workers || cfg->shared == NULL)))
		return "there are more than 32 workers";
	return check_prefixes(cfg);
}

void nat_set_mtu(struct nat *nat, enum nat_side side, uint32_t bytes)
{
	nat->cfg.mtu[side] = MAX(bytes, LEAST_MTU);
}

/* Where each part of the memory is */
struct layout {
	size_t sessions, session_buckets, bindings, binding_buckets, addr6, addr6_buckets;
	size_t own, own_buckets, pools, owners, made, frags, syns, datagram, total;
	uint32_t n_bindings, n_addr6, n_owners;
};

static size_t take(struct layout *l, size_t n, size_t size)
{
	const size_t at = l->total;

	l->total += (n * size + 63) & ~(size_t)63;
	return at;
}

static struct layout layout_of(const struct nat_config *cfg)
{
	const uint32_t n = cfg->max_flows;
	struct layout l = { .total = (sizeof(struct nat) + 127) & ~(size_t)63 };
	uint32_t permits = 0;

	for (int i = 0; i < N_NAT_CLASSES; i++)
		permits |= cfg->filtering[i] == NAT_ADDRESS;
	l.n_bindings = permits ? 2 * n : n;
	/* The NAT's own, and one packet's while it is being judged */
	l.n_addr6 = cfg->max_addr6 + cfg->n_outside + 8;
	for (uint32_t i = 0; i < cfg->n_jails; i++)
		l.n_owners = MAX(l.n_owners, cfg->jails[i].owner);
	l.n_owners++;
	l.sessions = take(&l, n, sizeof(struct session));
	l.session_buckets = take(&l, table_buckets(2 * n, BUCKET_FAST), sizeof(struct bucket));
	l.bindings = take(&l, l.n_bindings, sizeof(struct binding));
	l.binding_buckets = take(&l, table_buckets(2 * l.n_bindings, BUCKET_DENSE),
				 sizeof(struct bucket));
	l.addr6 = take(&l, l.n_addr6, sizeof(struct addr6));
	l.addr6_buckets = take(&l, table_buckets(l.n_addr6, BUCKET_FAST), sizeof(struct bucket));
	l.own = take(&l, cfg->n_outside, sizeof(struct own));
	l.own_buckets = take(&l, table_buckets(cfg->n_outside, BUCKET_FAST),
			     sizeof(struct bucket));
	l.pools = cfg->n_workers > 1 ? l.total :
		  take(&l, (size_t)cfg->n_outside * N_POOLS, sizeof(struct ports));
	l.owners = take(&l, l.n_owners, sizeof(struct owner));
	l.made = take(&l, MADE_BYTES, 1);
	l.frags = take(&l, frag_bytes(cfg), 1);
	l.syns = take(&l, held_syn_bytes(), 1);
	l.datagram = take(&l, DATAGRAM_MAX, 1);
	return l;
}

uint32_t nat_bindings_most(const struct nat_config *cfg)
{
	return layout_of(cfg).n_bindings;
}

size_t nat_bytes(const struct nat_config *cfg)
{
	return layout_of(cfg).total + 64;	/* to begin at a cache line */
}

static void place(struct nat *nat, uint8_t *mem, const struct layout *l)
{
	const uint32_t n = nat->cfg.max_flows;

	nat->sessions = (struct session *)(void *)(mem + l->sessions);
	nat->bindings = (struct binding *)(void *)(mem + l->bindings);
	nat->addr6 = (struct addr6 *)(void *)(mem + l->addr6);
	nat->own = (struct own *)(void *)(mem + l->own);
	nat->owners = (struct owner *)(void *)(mem + l->owners);
	nat->made_bytes = mem + l->made;
	nat->frags = (struct frags *)(void *)(mem + l->frags);
	nat->syns = (struct held_syns *)(void *)(mem + l->syns);
	nat->datagram = mem + l->datagram;
	nat->n_bindings = l->n_bindings;
	nat->n_addr6 = l->n_addr6;
	nat->n_owners = l->n_owners;
	memset(nat->owners, 0, l->n_owners * sizeof(*nat->owners));
	table_init(&nat->session_table, (struct bucket *)(void *)(mem + l->session_buckets),
		   table_buckets(2 * n, BUCKET_FAST), n);
	table_init(&nat->binding_table, (struct bucket *)(void *)(mem + l->binding_buckets),
		   table_buckets(2 * l->n_bindings, BUCKET_DENSE), l->n_bindings);
	table_init(&nat->addr6_table, (struct bucket *)(void *)(mem + l->addr6_buckets),
		   table_buckets(l->n_addr6, BUCKET_FAST), l->n_addr6);
	table_init(&nat->own_table, (struct bucket *)(void *)(mem + l->own_buckets),
		   table_buckets(nat->cfg.n_outside, BUCKET_FAST), nat->cfg.n_outside + 1);
}

static void init_own(struct nat *nat)
{
	for (uint32_t i = 0; i < nat->cfg.n_outside; i++) {
		struct own *own = &nat->own[i];

		own->a = nat->cfg.outside[i];
		own->handle = addr_get(nat, &own->a);
		own_add(nat, i);
	}
}

static void init_values(struct nat *nat)
{
	const struct nat_config *cfg = &nat->cfg;

	nat->random.key[0] = cfg->key[0] ^ cfg->key[2];
	nat->random.key[1] = cfg->key[1] ^ cfg->key[3];
	nat->now = FIRST_TICK;
	nat->n_scrubs = 1;
	nat->error_tokens = (uint64_t)cfg->error_per_s << 16;
	nat->error_filled = FIRST_TICK;
	nat->max_held = cfg->max_held != 0 ? cfg->max_held : nat->n_bindings;
	/* Rounded up, so that none is ever too short */
	for (int i = 0; i < N_NAT_TIMEOUTS; i++)
		nat->timeout[i] = (uint32_t)(((uint64_t)cfg->timeout_s[i] * 1000000000 >>
					      TICK_SHIFT) + 2);
	for (uint32_t i = 0; i < IP_IDS; i += 4) {
		const uint64_t ids = random_next(&nat->random);

		memcpy(&nat->ip_id[i], &ids, sizeof(ids));
	}
	for (int i = 0; i < N_NAT_CLASSES; i++)
		nat->touches_bindings |= cfg->filtering[i] != NAT_ADDRESS_PORT;
	for (uint32_t i = 0; i < nat->n_owners; i++)
		nat->owners[i].tokens = (uint64_t)MAX(cfg->quota.burst, 1u) << 16;
}

int nat_init(const struct nat_config *cfg, void *mem, struct nat **ret)
{
	const struct layout l = nat_config_check(cfg) == NULL ? layout_of(cfg)
							      : (struct layout){ 0 };
	uint8_t *at = (uint8_t *)mem + (64 - (uintptr_t)mem % 64) % 64;
	struct nat *nat = (struct nat *)(void *)at;

	if (l.total == 0)
		return -EINVAL;
	memset(nat, 0, sizeof(*nat));
	nat->cfg = *cfg;
	place(nat, at, &l);
	init_values(nat);
	addr6_init(nat);
	session_init(nat);
	bind_init(nat);
	frag_init(nat);
	held_syn_init(nat);
	init_own(nat);
	share_init(nat, (struct ports *)(void *)(at + l.pools));
	*ret = nat;
	return 0;
}
