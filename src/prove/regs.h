/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * regs - registers of nf_tables that hold what is known of their bits
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_REGS_H
#define PROVE_REGS_H

#include "prove/proof.h"

#define REGS_WORDS	20u	/* of 4 bytes, as the kernel counts NFT_REG32_00 and on */

/**
 * enum reg_kind - What a word holds
 * @R_NONE:	Nothing is known of it
 * @R_BITS:	Each bit is a condition
 * @R_NAME:	Part of the name of an interface; @part says which
 * @R_INDEX:	Its number; @part
 * @R_DRAW:	A number by lot, below @modulus
 * @R_TABLE:	The first word of where table number @modulus leads
 */
enum reg_kind { R_NONE, R_BITS, R_NAME, R_INDEX, R_DRAW, R_TABLE };

/**
 * struct reg - A word
 * @kind:	What it holds
 * @part:	See R_NAME, R_INDEX
 * @is_turn:	R_DRAW: in turn, not at random
 * @modulus:	R_DRAW
 * @bit:	R_BITS: as in memory, the highest bit of the first byte first
 */
struct reg {
	enum reg_kind kind;
	enum part part;
	bool is_turn;
	uint32_t modulus;
	dd bit[32];
};

/** struct regs - All words */
struct regs {
	struct reg w[REGS_WORDS];
};

/** regs_word() - The first word of a register of netlink; REGS_WORDS for none */
uint32_t regs_word(uint32_t reg);

/** regs_bit() - Bit @i of a value that begins at @word; DD_NO_VAR: not known */
dd regs_bit(const struct regs *r, uint32_t word, uint32_t i);

/** regs_is_part() - The value that begins at @word is a part of the packet, wholly */
bool regs_is_part(struct proof *p, const struct regs *r, uint32_t word, enum part part);

/** regs_clear() - Words of a value of @len bytes that begins at @word become 0 */
bool regs_clear(struct regs *r, uint32_t word, uint32_t len);

/** regs_is_little() - Has a number in host order its lowest byte first */
bool regs_is_little(void);

/** regs_put() - Set bit @i of it */
void regs_put(struct regs *r, uint32_t word, uint32_t i, dd bit);

/** regs_put_bytes() - Set all its bits to those of @b; false where there is no room */
bool regs_put_bytes(struct regs *r, uint32_t word, const uint8_t *b, uint32_t len);

/**
 * regs_equal() - The value at @word is @b
 * @p:		Proof
 * @r:		Registers
 * @word:	First word
 * @b:		Bytes
 * @len:	How many
 * @ret:	Set on success
 *
 * Return: false when that cannot be said
 */
bool regs_equal(struct proof *p, const struct regs *r, uint32_t word, const uint8_t *b,
		uint32_t len, dd *ret);

/** regs_below() - As regs_equal(): the value, the first byte the highest, is below @b, or is @b */
bool regs_below(struct proof *p, const struct regs *r, uint32_t word, const uint8_t *b,
		uint32_t len, bool or_equal, dd *ret);

/** regs_constant() - The value at @word where all its bits are known; false: they are not */
bool regs_constant(const struct regs *r, uint32_t word, uint32_t len, uint8_t *ret);

/**
 * regs_load() - What an expression loads
 * @p:		Proof
 * @x:		X_META, X_CT, X_PAYLOAD, X_FIB or X_EXTHDR
 * @is_in:	The packet comes in: its own interface is the one it came by
 * @r:		Changed
 *
 * Return: false when nothing is known of that
 */
bool regs_load(struct proof *p, const struct prog_expr *x, bool is_in, struct regs *r);

/**
 * regs_header_bit() - What bit @bit of header @base, NFT_PAYLOAD_*, is
 * @p:		Proof
 * @base:	Header
 * @bit:	Its number, the highest of the first byte is 0
 * @ret:	Set on success
 *
 * Return: false when nothing is known of it
 */
bool regs_header_bit(struct proof *p, uint32_t base, uint32_t bit, dd *ret);

/** regs_state_unless() - A state of connections at @word is that of none where @none holds */
void regs_state_unless(struct proof *p, struct regs *r, uint32_t word, dd none);

/** regs_header_part() - Which bit of which part that is; false: of none */
bool regs_header_part(const struct proof *p, uint32_t base, uint32_t bit, enum part *ret_part,
		      uint32_t *ret_bit);

#endif /* PROVE_REGS_H */
