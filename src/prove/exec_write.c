/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A header is written in pieces of bytes, of which most bits are what they were.  Those
 * that are not must be the whole of something that can be changed.  In IPv4 the header's
 * checksum must go with them: a program that forgets it makes packets that nobody takes.
 */
#include "prove/exec_write.h"

#include <linux/netfilter/nf_tables.h>
#include <netinet/tcp.h>

#include "prove/headers.h"

#define IP_CHECKSUM	10u	/* its byte in the IPv4 header */
#define MSS_OFFSET	2u	/* of the size in the option */

static dd harm(struct proof *p, const char *text)
{
	const struct outcome x = { .fate = FATE_HARM, .text = text };

	return proof_outcome(p, &x);
}

/* The bits that a write gives to headers, of HD_TTL, HD_TOS and HD_DF */
struct written {
	uint32_t n_bits[N_HEADERS];
	uint32_t value[N_HEADERS];
	bool is_other;
};

static void note_bit(struct written *w, enum part part, uint32_t bit, bool is)
{
	static const struct { enum part part; enum header what; uint32_t n_bits; uint32_t top; }
	rows[] = {
		{ P_TTL, HD_TTL, 8, 7 }, { P_TOS, HD_TOS, 6, 7 }, { P_DF, HD_DF, 1, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].part != part || bit >= rows[i].n_bits)
			continue;
		w->n_bits[rows[i].what]++;
		w->value[rows[i].what] |= is ? 1u << (rows[i].top - bit) : 0;
		return;
	}
	w->is_other = true;
}

/* What of the packet is not what it was; false: that cannot be said */
static bool read_written(struct proof *p, const struct prog_expr *x, const struct regs *regs,
			 struct written *w)
{
	for (uint32_t i = 0; i < 8 * x->len; i++) {
		const dd bit = regs_bit(regs, regs_word(x->sreg), i);
		enum part part = N_PARTS;
		uint32_t in_part = 0;
		dd own;

		if (bit == DD_NO_VAR || !regs_header_bit(p, x->key, 8 * x->offset + i, &own))
			return false;
		if (bit == own)
			continue;
		w->is_other |= bit != DD_TRUE && bit != DD_FALSE;
		(void)regs_header_part(p, x->key, 8 * x->offset + i, &part, &in_part);
		note_bit(w, part, in_part, bit == DD_TRUE);
	}
	return true;
}

static dd write_header(struct proof *p, const struct prog_expr *x, const struct written *w, dd then)
{
	static const uint32_t whole[N_HEADERS] = { [HD_TTL] = 8, [HD_TOS] = 6, [HD_DF] = 1 };
	const uint32_t checksum = p->s.af == AF_V4 ? IP_CHECKSUM : 0;

	if (w->is_other)
		return harm(p, "a header is written that nobody asked for");
	for (int i = 0; i < N_HEADERS; i++) {
		if (w->n_bits[i] == 0)
			continue;
		if (w->n_bits[i] != whole[i])
			return harm(p, "a part of a header is written");
		if (x->modulus != checksum)
			return harm(p, "a checksum is left as it was");
		then = header_write(p, then, (enum header)i, w->value[i]);
	}
	return then;
}

static bool write_option(struct proof *p, const struct prog_expr *x, const struct regs *regs,
			 dd then, dd fails, dd *ret)
{
	uint8_t size[2];

	if (x->offset != NFT_EXTHDR_OP_TCPOPT || x->key != TCPOPT_MAXSEG ||
	    x->modulus != MSS_OFFSET || x->len != sizeof(size) ||
	    !regs_constant(regs, regs_word(x->sreg), sizeof(size), size))
		return false;
	/* The kernel writes only smaller ones */
	*ret = dd_ite(p->d, space_is(&p->s, P_PROTO, PROTO_TCP),
		      header_write(p, then, HD_MSS, (uint32_t)(size[0] << 8 | size[1])), fails);
	return true;
}

bool exec_write(struct proof *p, const struct prog_expr *x, const struct regs *regs, dd then,
		dd fails, dd *ret)
{
	struct written w = { .is_other = false };

	if (x->op == X_EXTHDR_SET)
		return write_option(p, x, regs, then, fails, ret);
	if (x->key != NFT_PAYLOAD_NETWORK_HEADER || x->len == 0 || x->len > 16 ||
	    !read_written(p, x, regs, &w))
		return false;
	*ret = write_header(p, x, &w, then);
	return true;
}
