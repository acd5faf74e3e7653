/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stmt - the kinds of statements: how each is sent and how it is printed
 *
 * One row a kind.  What a row sends is what nft makes of what it prints.
 *
 * Does not:	 allocate or fail.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_STMT_H
#define TARGET_NFT_STMT_H

#include "target/nft/program.h"
#include "target/nft/put.h"

/**
 * struct nft_stmt_ops - A kind of statement
 * @name:	For messages
 * @emit:	Write its expressions (see nft_put_expr())
 * @print:	Print it as nft text, without space around
 */
struct nft_stmt_ops {
	const char *name;
	void (*emit)(const struct nft_stmt *s, struct nft_put *p);
	void (*print)(const struct nft_stmt *s, FILE *out);
};

extern const struct nft_stmt_ops nft_stmt_ops[N_NFT_STMTS];

/** nft_reg() - The register that starts at 32-bit word @word */
uint32_t nft_reg(uint32_t word);

/** nft_emit_load() - Load @len bytes of a key (0: all) into a register */
void nft_emit_load(struct nft_put *p, enum nft_key key, uint32_t len, uint32_t reg);

/** nft_emit_keys() - Load keys one after the other; the words used */
uint32_t nft_emit_keys(struct nft_put *p, const struct nft_lookup *l);

/** nft_emit_map() - What a map has for keys into registers, from the first on */
void nft_emit_map(const struct nft_lookup *l, struct nft_put *p);

/** nft_emit_immediate() - Put bytes into a register */
void nft_emit_immediate(struct nft_put *p, uint32_t reg, const void *data, uint32_t len);

/** nft_emit_mask() - Register 1 = register 1 & @mask ^ @xor */
void nft_emit_mask(struct nft_put *p, const void *mask, const void *xor, uint32_t len);

/** nft_print_value() - A value of a key */
void nft_print_value(enum nft_key key, const struct nft_value *v, FILE *out);

/** nft_print_keys() - "ip saddr . th dport" */
void nft_print_keys(const struct nft_lookup *l, FILE *out);

/** nft_emit_cmp() - Register 1 is as @op (NFT_CMP_EQ and the like) says of these bytes */
void nft_emit_cmp(struct nft_put *p, uint32_t op, const void *data, uint32_t len);

/** nft_emit_below() - The number in register 1, of host order and @len bytes, is below @n */
void nft_emit_below(struct nft_put *p, uint64_t n, uint32_t len);

/** nft_put_count() - The attributes of a count of connections: true over @over */
void nft_put_count(struct nft_put *p, uint32_t over);

/** nft_put_rate() - A limit's attributes: true over @n packets in @unit_s s, @burst at once */
void nft_put_rate(struct nft_put *p, uint32_t n, uint64_t unit_s, uint32_t burst);

/** nft_print_rate() - The same as text */
void nft_print_rate(uint32_t n, uint64_t unit_s, uint32_t burst, FILE *out);

/* Rows that stand in files of their own */
void stmt_hash_emit(const struct nft_stmt *s, struct nft_put *p);
void stmt_hash_print(const struct nft_stmt *s, FILE *out);
void stmt_nat_emit(const struct nft_stmt *s, struct nft_put *p);
void stmt_nat_print(const struct nft_stmt *s, FILE *out);
void stmt_nat_map_emit(const struct nft_stmt *s, struct nft_put *p);
void stmt_nat_map_print(const struct nft_stmt *s, FILE *out);
void stmt_mark_emit(const struct nft_stmt *s, struct nft_put *p);
void stmt_mark_print(const struct nft_stmt *s, FILE *out);
void stmt_counter_emit(const struct nft_stmt *s, struct nft_put *p);
void stmt_counter_print(const struct nft_stmt *s, FILE *out);
void stmt_log_emit(const struct nft_stmt *s, struct nft_put *p);
void stmt_log_print(const struct nft_stmt *s, FILE *out);
void stmt_update_emit(const struct nft_stmt *s, struct nft_put *p);
void stmt_update_print(const struct nft_stmt *s, FILE *out);
void stmt_verdict_emit(const struct nft_stmt *s, struct nft_put *p);
void stmt_verdict_print(const struct nft_stmt *s, FILE *out);
void stmt_reject_emit(const struct nft_stmt *s, struct nft_put *p);
void stmt_reject_print(const struct nft_stmt *s, FILE *out);
void stmt_before_emit(const struct nft_stmt *s, struct nft_put *p);
void stmt_before_print(const struct nft_stmt *s, FILE *out);
void stmt_rate_emit(const struct nft_stmt *s, struct nft_put *p);
void stmt_rate_print(const struct nft_stmt *s, FILE *out);
void stmt_count_emit(const struct nft_stmt *s, struct nft_put *p);
void stmt_count_print(const struct nft_stmt *s, FILE *out);
void stmt_header_emit(const struct nft_stmt *s, struct nft_put *p);
void stmt_header_print(const struct nft_stmt *s, FILE *out);

#endif /* TARGET_NFT_STMT_H */
