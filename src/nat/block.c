/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Port blocks by arithmetic (RFC 7422): each outside address has the ports from
 * 1024 on in blocks of equal length, and the n-th inside address from
 * nat_config.block_base on has the n-th block, through all outside addresses in
 * order.  So whoever has the configuration knows whose a port was, without a
 * log.  With block_overflow the last eighth of each address's blocks is nobody's:
 * an address whose block is full takes ports there, and that is told.
 *
 * Lines: 7422-1 7422-7 7422-8 6888-14
 */
#include "nat/core.h"

#define FIRST_PORT	1024u

/* Blocks of one outside address; *@ret_own: those that belong to an inside address */
static uint32_t blocks_of(const struct nat_config *cfg, uint32_t *ret_own)
{
	const uint32_t n = (65536 - FIRST_PORT) / cfg->block_ports;

	*ret_own = cfg->block_overflow ? n - (n + 7) / 8 : n;
	return n;
}

/* The @n-th outside address of a family, or NULL */
static const struct addr *nth_outside(const struct nat_config *cfg, uint8_t af, u128 n)
{
	for (uint32_t i = 0; i < cfg->n_outside; i++)
		if (cfg->outside[i].af == af && n-- == 0)
			return &cfg->outside[i];
	return NULL;
}

bool nat_block_of(const struct nat_config *cfg, struct addr inside, struct addr *ret_outside,
		  uint16_t *ret_lo, uint16_t *ret_hi)
{
	const struct addr *outside;
	uint32_t n_own;
	u128 n;

	blocks_of(cfg, &n_own);
	if (inside.af != cfg->block_base.af || inside.v < cfg->block_base.v || n_own == 0)
		return false;
	n = inside.v - cfg->block_base.v;
	outside = nth_outside(cfg, inside.af, n / n_own);
	if (outside == NULL)
		return false;
	*ret_outside = *outside;
	*ret_lo = (uint16_t)(FIRST_PORT + (uint32_t)(n % n_own) * cfg->block_ports);
	*ret_hi = (uint16_t)(*ret_lo + cfg->block_ports - 1);
	return true;
}

bool nat_block_owner(const struct nat_config *cfg, struct addr outside, uint16_t port,
		     struct addr *ret_inside)
{
	uint32_t n_own, block, before = 0;

	blocks_of(cfg, &n_own);
	if (port < FIRST_PORT || outside.af != cfg->block_base.af)
		return false;
	block = (port - FIRST_PORT) / cfg->block_ports;
	if (block >= n_own)
		return false;
	for (uint32_t i = 0; i < cfg->n_outside; i++) {
		if (addr_equal(cfg->outside[i], outside)) {
			*ret_inside = cfg->block_base;
			ret_inside->v += (u128)before * n_own + block;
			return true;
		}
		before += cfg->outside[i].af == outside.af;
	}
	return false;
}

bool block_overflow(const struct nat_config *cfg, uint16_t *ret_lo, uint16_t *ret_hi)
{
	uint32_t n_own;
	const uint32_t n = blocks_of(cfg, &n_own);

	if (!cfg->block_overflow)
		return false;
	*ret_lo = (uint16_t)(FIRST_PORT + n_own * cfg->block_ports);
	*ret_hi = (uint16_t)(FIRST_PORT + n * cfg->block_ports - 1);
	return true;
}
