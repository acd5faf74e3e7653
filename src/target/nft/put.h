/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * put - attributes of nf_tables' messages, written as bytes
 *
 * Names of attributes are the kernel's own, from linux/netfilter/nf_tables.h.
 *
 * Does not:	 allocate, nor look how much room there is, but for a rule's list of
 *		 statements: one message has NL_BATCH_MSG_BYTES, and all else in ours
 *		 is shorter than that by what it is.
 * Byte order:	 numbers are taken in host order and written as the kernel has them, in
 *		 network order; bytes of registers are written as they are.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_PUT_H
#define TARGET_NFT_PUT_H

#include "base/base.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <string.h>

#define NFT_PUT_DEPTH	8u	/* the deepest: rule, expression, data, expression, data */
#define NFT_STMT_BYTES	1024u	/* no statement writes more */

struct nlmsghdr;
struct nft_elem_bytes;
struct nft_rule;

/**
 * struct nft_put - A message that is being written
 * @at:		Behind what is written; a multiple of 4 from the message's start
 * @open:	Attributes that have others inside and are not ended
 * @n_open:	How many
 * @packets:	What the next counter begins with, and none after it
 * @bytes:	The same
 */
struct nft_put {
	uint8_t *at;
	uint8_t *open[NFT_PUT_DEPTH];
	uint32_t n_open;
	uint64_t packets;
	uint64_t bytes;
};

/** nft_put_to() - Write behind what is in @msg */
struct nft_put nft_put_to(struct nlmsghdr *msg);

/** nft_put_done() - All is written: @msg, which @p was made from, is as long as that */
void nft_put_done(const struct nft_put *p, struct nlmsghdr *msg);

/** nft_put_head() - An attribute's first 4 bytes at @at; @len of what follows */
static inline void nft_put_head(uint8_t *at, uint16_t type, size_t len)
{
	const struct nlattr head = { .nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type };

	BUG_IF(len > UINT16_MAX - NLA_HDRLEN);
	memcpy(at, &head, sizeof(head));
}

/** nft_put() - An attribute of @len bytes */
static inline void nft_put(struct nft_put *p, uint16_t type, const void *data, size_t len)
{
	uint8_t *to = p->at + NLA_HDRLEN;

	nft_put_head(p->at, type, len);
	p->at = to + NLA_ALIGN(len);
	if (p->at > to + len)
		memset(p->at - NLA_ALIGNTO, 0, NLA_ALIGNTO);
	memcpy(to, data, len);
}

/** nft_put_u8() - A number of one byte */
void nft_put_u8(struct nft_put *p, uint16_t type, uint8_t v);

/** nft_put_u16() - A number of two */
void nft_put_u16(struct nft_put *p, uint16_t type, uint16_t v);

/** nft_put_u32() - A number of four */
void nft_put_u32(struct nft_put *p, uint16_t type, uint32_t v);

/** nft_put_u64() - A number of eight */
void nft_put_u64(struct nft_put *p, uint16_t type, uint64_t v);

/** nft_put_str() - A text with its NUL */
void nft_put_str(struct nft_put *p, uint16_t type, const char *s);

/** nft_put_open() - What is written next is inside an attribute, up to nft_put_close() */
static inline void nft_put_open(struct nft_put *p, uint16_t type)
{
	BUG_IF(p->n_open == NFT_PUT_DEPTH);
	p->open[p->n_open++] = p->at;
	nft_put_head(p->at, type | NLA_F_NESTED, 0);
	p->at += NLA_HDRLEN;
}

/** nft_put_close() - End the attribute that was opened last */
static inline void nft_put_close(struct nft_put *p)
{
	uint8_t *from = p->open[--p->n_open];
	const uint16_t len = (uint16_t)(p->at - from);

	BUG_IF(p->at - from > UINT16_MAX);
	memcpy(from, &len, sizeof(len));
}

/** nft_put_data() - The bytes of a register, as an attribute of @type */
static inline void nft_put_data(struct nft_put *p, uint16_t type, const void *data, size_t len)
{
	nft_put_head(p->at, type | NLA_F_NESTED, NLA_HDRLEN + NLA_ALIGN(len));
	p->at += NLA_HDRLEN;
	nft_put(p, NFTA_DATA_VALUE, data, len);
}

/** nft_put_verdict() - A verdict, where to as far as it goes somewhere (else NULL) */
void nft_put_verdict(struct nft_put *p, uint16_t type, int code, const char *chain);

/**
 * nft_put_comment() - User data that are a comment
 * @p:		Message
 * @type:	NFTA_RULE_USERDATA, NFTA_SET_ELEM_USERDATA
 * @kind:	NFTNL_UDATA_RULE_COMMENT and the like
 * @comment:	At most NFTNL_UDATA_COMMENT_MAXLEN bytes with its NUL
 */
void nft_put_comment(struct nft_put *p, uint16_t type, uint8_t kind, const char *comment);

/** nft_put_hook() - Where a base chain is called: a hook as NF_INET_LOCAL_IN, and its priority */
void nft_put_hook(struct nft_put *p, uint32_t hook, int32_t prio);

/** nft_put_elem() - An element of a list that is open */
void nft_put_elem(struct nft_put *p, const struct nft_elem_bytes *e);

/**
 * nft_put_expr() - The next expression of a rule
 * @p:		Message whose list of expressions is the one attribute that is open, besides
 *		the expression before, which ends
 * @name:	The kernel's
 *
 * What is written next are its attributes.
 */
void nft_put_expr(struct nft_put *p, const char *name);

/** nft_put_close_to() - End what is open but for the outermost @n */
void nft_put_close_to(struct nft_put *p, uint32_t n);

/** nft_put_expr_in() - An expression in the one that was begun last, as its attribute @type */
void nft_put_expr_in(struct nft_put *p, uint16_t type, const char *name);

/** nft_put_rule() - A rule of our table's @chain: its comment and expressions */
void nft_put_rule(struct nft_put *p, const char *chain, const struct nft_rule *r);

/** nft_put_exprs() - The list of its expressions alone */
void nft_put_exprs(struct nft_put *p, const struct nft_rule *r);

#endif /* TARGET_NFT_PUT_H */
