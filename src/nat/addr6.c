/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Sessions and bindings hold 32 bits of each address: an IPv4 address itself,
 * or the number of an IPv6 address here, counted by references.  So a flow
 * costs the same memory in both families, and keys are compared alike.  An
 * address that nobody refers to has no number, and thus no session.
 */
#include "nat/core.h"

static uint64_t hash6(const struct nat *nat, const uint8_t bytes[16])
{
	uint64_t w[2];

	memcpy(w, bytes, sizeof(w));
	return hash_words(nat->cfg.key, w[0], w[1]);
}

void addr6_init(struct nat *nat)
{
	for (uint32_t i = 0; i < nat->n_addr6; i++)
		nat->addr6[i] = (struct addr6){ .next = i + 1 < nat->n_addr6 ? i + 1 : NONE };
	nat->free_addr6 = 0;
}

uint32_t addr6_find(const struct nat *nat, const uint8_t bytes[16])
{
	const uint64_t hash = hash6(nat, bytes);
	struct table_look l;

	for (uint32_t i = table_first(&nat->addr6_table, hash, &l); i != NONE;
	     i = table_next(&nat->addr6_table, &l))
		if (memcmp(nat->addr6[i].bytes, bytes, 16) == 0)
			return i;
	return NONE;
}

static uint32_t addr6_new(struct nat *nat, const uint8_t bytes[16])
{
	const uint32_t i = nat->free_addr6;

	if (i == NONE)
		return NONE;
	nat->free_addr6 = nat->addr6[i].next;
	memcpy(nat->addr6[i].bytes, bytes, 16);
	table_add(&nat->addr6_table, hash6(nat, bytes), i);
	nat->addr6_epoch++;
	return i;
}

uint32_t addr6_get(struct nat *nat, struct addr a)
{
	uint8_t bytes[16];
	uint32_t i;

	addr_to_bytes(a, bytes);
	i = addr6_find(nat, bytes);
	if (i == NONE)
		i = addr6_new(nat, bytes);
	if (i != NONE)
		nat->addr6[i].refs++;
	return i;
}

void addr6_ref(struct nat *nat, uint32_t handle)
{
	nat->addr6[handle].refs++;
}

void addr6_put(struct nat *nat, uint32_t handle)
{
	struct addr6 *a = &nat->addr6[handle];

	BUG_IF(a->refs == 0);
	if (--a->refs > 0)
		return;
	table_del(&nat->addr6_table, hash6(nat, a->bytes), handle);
	a->next = nat->free_addr6;
	nat->free_addr6 = handle;
}

struct addr addr_of(const struct nat *nat, bool is_v6, uint32_t handle)
{
	if (is_v6)
		return addr_from_bytes(AF_V6, nat->addr6[handle].bytes);
	return (struct addr){ AF_V4, handle };
}

static uint64_t own_hash(const struct nat *nat, bool is_v6, uint32_t handle)
{
	return hash_words(nat->cfg.key, handle, is_v6);
}

/* Which bit of nat.own_maybe */
static uint32_t maybe_of(bool is_v6, uint32_t handle)
{
	return (handle ^ is_v6) * 0x9e3779b1u / (UINT32_MAX / OWN_MAYBE + 1);
}

void own_add(struct nat *nat, uint32_t i)
{
	const bool is_v6 = nat->own[i].a.af == AF_V6;
	const uint32_t bit = maybe_of(is_v6, nat->own[i].handle);

	nat->own_maybe[bit / 64] |= UINT64_C(1) << bit % 64;
	table_add(&nat->own_table, own_hash(nat, is_v6, nat->own[i].handle), i);
}

struct own *own_find(const struct nat *nat, bool is_v6, uint32_t handle)
{
	const uint32_t bit = maybe_of(is_v6, handle);
	struct table_look l;

	if ((nat->own_maybe[bit / 64] >> bit % 64 & 1) == 0)
		return NULL;
	for (uint32_t i = table_first(&nat->own_table, own_hash(nat, is_v6, handle), &l);
	     i != NONE; i = table_next(&nat->own_table, &l))
		if (nat->own[i].handle == handle && (nat->own[i].a.af == AF_V6) == is_v6)
			return &nat->own[i];
	return NULL;
}

struct own *own_of(const struct nat *nat, struct addr a)
{
	uint8_t bytes[16];

	if (a.af != AF_V6)
		return own_find(nat, false, (uint32_t)a.v);
	addr_to_bytes(a, bytes);
	return own_find(nat, true, addr6_find(nat, bytes));
}
