/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines: 6888-10
 */
#include "nat/core.h"

const struct nat_made *nat_made(const struct nat *nat, uint32_t *ret_n)
{
	*ret_n = nat->n_made;
	return nat->made;
}

const struct nat_counters *nat_counters(const struct nat *nat)
{
	return &nat->n;
}

uint32_t nat_flow_slots(const struct nat *nat)
{
	return nat->cfg.max_flows;
}

uint32_t nat_binding_slots(const struct nat *nat)
{
	return nat->n_bindings;
}

static struct nat_ends ends_of(const struct nat *nat, bool is_v6, const struct ends *e)
{
	return (struct nat_ends){
		addr_of(nat, is_v6, e->src), addr_of(nat, is_v6, e->dst), e->sport, e->dport,
	};
}

static uint32_t seconds(uint32_t ticks)
{
	return (uint32_t)(((uint64_t)ticks << TICK_SHIFT) / 1000000000);
}

bool nat_flow_at(const struct nat *nat, uint32_t i, struct nat_flow *ret)
{
	const struct session *s = &nat->sessions[i];
	bool is_v6;
	uint32_t idle;

	if (i >= nat->cfg.max_flows || s->proto == 0 || session_is_over(nat, s))
		return false;
	is_v6 = (s->flags & S_V6) != 0;
	idle = nat->now - s->seen;
	*ret = (struct nat_flow){
		.proto = s->proto, .owner = s->owner, .tcp = (enum nat_tcp)s->tcp,
		.inside = ends_of(nat, is_v6, &s->in), .outside = ends_of(nat, is_v6, &s->out),
		.binding = s->binding == NONE ? 0 : s->binding + 1,
		.from = (s->flags & S_FROM_OUT) != 0 ? NAT_OUTSIDE : NAT_INSIDE,
		.is_plain = (s->flags & (S_HAIRPIN | S_LOOK)) == 0,
		.idle_s = seconds(idle), .left_s = seconds(nat->timeout[s->timer] - idle),
	};
	return true;
}

bool nat_binding_at(const struct nat *nat, uint32_t i, struct nat_binding *ret)
{
	const struct binding *b = &nat->bindings[i];
	bool is_v6, is_held;
	uint32_t since;

	if (i >= nat->n_bindings || b->proto == 0 || (b->flags & B_PERMIT) != 0)
		return false;
	is_v6 = (b->flags & B_V6) != 0;
	is_held = (b->flags & B_HELD) != 0;
	since = nat->now - b->time;
	if (is_held && since >= nat->timeout[NAT_T_HOLD])
		return false;
	*ret = (struct nat_binding){
		.proto = b->proto, .owner = b->owner, .inside = addr_of(nat, is_v6, b->in),
		.in_port = b->in_port, .outside = addr_of(nat, is_v6, b->out),
		.out_port = b->out_port, .n_flows = is_held ? 0 : b->n_flows,
		.held_s = is_held ? seconds(nat->timeout[NAT_T_HOLD] - since) : 0,
	};
	return true;
}
