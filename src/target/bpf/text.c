/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * An expression has no jumps: what two ways share stands there twice.  So chains
 * that lead to one place become `and` and `or`, and only what is left is written
 * out as (question and one way) or (other way without it).
 *
 * Whole packets are asked with the words that people know (tcp, dst port 80);
 * fragments and extension headers, where libpcap's words mean something else, are
 * told apart first, by bytes.
 */
#include <stdlib.h>

#include "target/bpf/code.h"

#define TEXT_MAX	(1u << 20)	/* bytes of an expression */
#define DEPTH_MAX	1000u		/* brackets in brackets; libpcap's parser has a limit */

/* An expression being written */
struct text {
	FILE *out;
	uint8_t af;
	const struct set *proto;	/* what is known of it here, or NULL */
	uint32_t depth;
	bool is_full;
};

static void print_node(struct text *t, const struct bpf_node *n);

/* Something always true, or never */
static void print_leaf(struct text *t, bool yes)
{
	fputs(yes ? "len >= 0" : "len > 4294967295", t->out);
}

/* ---- questions ------------------------------------------------------------ */

static void between(struct text *t, uint32_t i, const char *word)
{
	fputs(i > 0 ? word : "", t->out);
}

/* A number in a set: @name is an arithmetic expression */
static void print_numbers(struct text *t, const char *name, const struct set *in)
{
	fputs(in->n > 1 ? "(" : "", t->out);
	for (uint32_t i = 0; i < in->n; i++) {
		const unsigned int lo = (unsigned int)in->r[i].lo, hi = (unsigned int)in->r[i].hi;

		between(t, i, " or ");
		if (lo == hi)
			fprintf(t->out, "%s = %u", name, lo);
		else
			fprintf(t->out, "(%s >= %u and %s <= %u)", name, lo, name, hi);
	}
	fputs(in->n > 1 ? ")" : "", t->out);
}

/* libpcap's "port" is of TCP, UDP and SCTP, not of UDP-Lite */
static bool has_word_for_ports(const struct text *t)
{
	return t->proto != NULL && !set_has(t->proto, AF_NONE, PROTO_UDPLITE);
}

static void print_ports(struct text *t, bool is_dst, const struct set *in)
{
	static const char *const names[2][2] = {
		{ "ip[(ip[0] & 15) << 2:2]", "ip[((ip[0] & 15) << 2) + 2:2]" },
		{ "ip6[40:2]", "ip6[42:2]" },
	};
	const char *side = is_dst ? "dst" : "src";

	if (!has_word_for_ports(t)) {
		print_numbers(t, names[t->af == AF_V6][is_dst], in);
		return;
	}
	fputs(in->n > 1 ? "(" : "", t->out);
	for (uint32_t i = 0; i < in->n; i++) {
		const unsigned int lo = (unsigned int)in->r[i].lo, hi = (unsigned int)in->r[i].hi;

		between(t, i, " or ");
		if (lo == hi)
			fprintf(t->out, "%s port %u", side, lo);
		else
			fprintf(t->out, "%s portrange %u-%u", side, lo, hi);
	}
	fputs(in->n > 1 ? ")" : "", t->out);
}

static void print_protos(struct text *t, const struct set *in)
{
	const char *name = t->af == AF_V4 ? "ip[9]" : "ip6[6]";
	const unsigned int one = (unsigned int)in->r[0].lo;
	const char *word = one == PROTO_TCP ? "tcp" : one == PROTO_UDP ? "udp" :
			   one == PROTO_SCTP ? "sctp" :
			   one == (t->af == AF_V4 ? PROTO_ICMP : PROTO_ICMP6) ?
			   (t->af == AF_V4 ? "icmp" : "icmp6") : NULL;

	if (in->n == 1 && in->r[0].lo == in->r[0].hi && word != NULL)
		fputs(word, t->out);
	else
		print_numbers(t, name, in);
}

/* One prefix of a set of addresses */
struct prefixes {
	struct text *t;
	const char *side;
	uint32_t n;
};

static void print_prefix(struct prefix p, void *arg)
{
	struct prefixes *ps = arg;
	char buf[ADDR_TEXT_BYTES];

	between(ps->t, ps->n++, " or ");
	if (p.len == addr_bits(p.a.af))
		fprintf(ps->t->out, "%s host %s", ps->side, addr_print(p.a, buf));
	else
		fprintf(ps->t->out, "%s net %s", ps->side, prefix_print(p, buf));
}

static void print_addrs(struct text *t, const char *side, const struct set *in)
{
	struct prefixes ps = { t, side, 0 };

	putc('(', t->out);
	for (uint32_t i = 0; i < in->n; i++)
		set_to_prefixes(in->r[i], print_prefix, &ps);
	putc(')', t->out);
}

/* A byte of flags: by mask where that says it */
static void print_flags(struct text *t, const struct set *in)
{
	const char *name = t->af == AF_V4 ? "tcp[13]" : "ip6[53]";
	uint32_t mask, value;

	if (!bpf_set_is_pattern(in, &mask, &value)) {
		print_numbers(t, name, in);
		return;
	}
	fprintf(t->out, "%s & %u = %u", name, mask, value);
}

static void print_opts(struct text *t, const struct set *in)
{
	const bool when = set_has(in, AF_NONE, 1);

	/* No routing header comes here in IPv6 */
	if (t->af == AF_V6)
		print_leaf(t, !when);
	else
		fputs(when ? "ip[0] & 15 > 5" : "ip[0] & 15 <= 5", t->out);
}

static void print_question(struct text *t, const struct bpf_node *n)
{
	const bool v4 = t->af == AF_V4;

	switch (n->f) {
	case BF_OPTS:
		print_opts(t, n->in);
		break;
	case BF_TOS:
		print_numbers(t, v4 ? "(ip[1] & 252)" : "((ip6[0:2] >> 4) & 252)", n->in);
		break;
	case BF_PROTO:
		print_protos(t, n->in);
		break;
	case BF_SRC:
	case BF_DST:
		print_addrs(t, n->f == BF_SRC ? "src" : "dst", n->in);
		break;
	case BF_SPORT:
	case BF_DPORT:
		print_ports(t, n->f == BF_DPORT, n->in);
		break;
	case BF_FLAGS:
		print_flags(t, n->in);
		break;
	case BF_ICMP:
		print_numbers(t, v4 ? "ip[(ip[0] & 15) << 2:2]" : "ip6[40:2]", n->in);
		break;
	default:
		BUG_IF(true);
	}
}

/* ---- trees ---------------------------------------------------------------- */

static void print_inner(struct text *t, const struct bpf_node *n)
{
	putc('(', t->out);
	print_node(t, n);
	putc(')', t->out);
}

/* Behind the questions from @n on that all lead to one place where the answer is no */
static const struct bpf_node *chain_end(const struct bpf_node *n)
{
	const struct bpf_node *no = n->no;

	while (n->f != BF_LEAF && n->no == no)
		n = n->yes;
	return n;
}

static void print_chain(struct text *t, const struct bpf_node *n, const struct bpf_node *end)
{
	for (; n != end; n = n->yes) {
		print_question(t, n);
		if (n->f == BF_PROTO)
			t->proto = n->in;
		fputs(n->yes != end ? " and " : "", t->out);
	}
}

/* All questions from @n to @end hold, and then what is there */
static void print_then(struct text *t, const struct bpf_node *n, const struct bpf_node *end)
{
	const struct set *proto = t->proto;

	putc('(', t->out);
	print_chain(t, n, end);
	if (end != &bpf_yes) {
		fputs(" and ", t->out);
		print_inner(t, end);
	}
	putc(')', t->out);
	t->proto = proto;
}

/* Some question from @n to @end does not hold, and then what is there */
static void print_else(struct text *t, const struct bpf_node *n, const struct bpf_node *end)
{
	const struct set *proto = t->proto;

	fputs("(not (", t->out);
	print_chain(t, n, end);
	t->proto = proto;
	putc(')', t->out);
	if (n->no != &bpf_yes) {
		fputs(" and ", t->out);
		print_inner(t, n->no);
	}
	putc(')', t->out);
}

/* `and` and `or` bind alike in pcap-filter(7), so each alternative has brackets */
static void print_node(struct text *t, const struct bpf_node *n)
{
	t->is_full |= ++t->depth > DEPTH_MAX || ftell(t->out) > (long)TEXT_MAX;
	while (n->f != BF_LEAF && !t->is_full) {
		const struct bpf_node *end = chain_end(n);

		if (end == &bpf_no) {
			print_else(t, n, end);
			break;
		}
		print_then(t, n, end);
		if (n->no == &bpf_no)
			break;
		fputs(" or ", t->out);
		if (end != &bpf_yes) {
			print_else(t, n, end);
			break;
		}
		n = n->no;
	}
	if (n->f == BF_LEAF)
		print_leaf(t, n == &bpf_yes);
	t->depth--;
}

/* ---- families ------------------------------------------------------------- */

#define IP6_IS_WHOLE \
	"not (ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or ip6[6] = 51 or ip6[6] = 60)"

/* What tells whole packets from others */
static const char *whole_words(const struct bpf_trees *t, uint8_t af)
{
	if (af == AF_V6)
		return IP6_IS_WHOLE;
	return t->part == BPF_TOUCH ? "ip[6:2] & 16383 = 0" : "ip[6:2] & 8191 = 0";
}

static void print_any(struct text *t, const struct bpf_any *any)
{
	putc('(', t->out);
	if (any->list.n == 0)
		print_leaf(t, false);
	for (uint32_t i = 0; i < any->list.n; i++) {
		between(t, i, " or ");
		print_node(t, any->list.v[i]);
	}
	putc(')', t->out);
}

/* Of a fragment or packet with extension headers: options are not known */
static void print_family(struct text *t, const struct bpf_trees *trees, uint8_t af)
{
	const struct bpf_node *whole = trees->whole[af == AF_V6];
	const struct bpf_node *part = trees->part_of[af == AF_V6];

	t->af = af;
	t->proto = NULL;
	fputs(af == AF_V4 ? "(ip" : "(ip6", t->out);
	if (whole != part) {
		fprintf(t->out, " and ((%s and ", whole_words(trees, af));
		print_any(t, &trees->any[af == AF_V6][0]);
		if (part != &bpf_no) {
			fprintf(t->out, ") or (not (%s) and ", whole_words(trees, af));
			print_any(t, &trees->any[af == AF_V6][1]);
		}
		fputs("))", t->out);
	} else if (whole != &bpf_yes) {
		fputs(" and ", t->out);
		print_any(t, &trees->any[af == AF_V6][0]);
	}
	putc(')', t->out);
}

static bool asks_deep(const struct bpf_trees *t)
{
	return t->whole[1] != t->part_of[1];
}

bool bpf_expression_print(const struct bpf_trees *trees, enum bpf_link link,
			  struct diags *diags, FILE *out)
{
	CLEANUP(base_free) char *buf = NULL;
	size_t len = 0;
	struct text t = { .out = open_memstream(&buf, &len) };
	const char *between_families = "";

	if (t.out == NULL) {
		diag_add(diags, DIAG_E1723, SPAN_NONE, "no memory for the expression");
		return false;
	}
	for (int v = 0; v < 2; v++) {
		if (trees->whole[v] == &bpf_no && trees->part_of[v] == &bpf_no)
			continue;
		fputs(between_families, t.out);
		print_family(&t, trees, v == 0 ? AF_V4 : AF_V6);
		between_families = " or ";
	}
	if (between_families[0] == '\0')
		print_leaf(&t, false);
	else if (trees->part == BPF_TOUCH && link == BPF_ETHERNET)
		fputs(" or ether proto 0x8100 or ether proto 0x88a8", t.out);
	fclose(t.out);
	if (t.is_full) {
		diag_add(diags, DIAG_E1723, SPAN_NONE, "the expression would be larger than 1 MiB, "
			 "or nested deeper than %u", DEPTH_MAX);
		return false;
	}
	if (asks_deep(trees))
		diag_add(diags, DIAG_N1724, SPAN_NONE, "of IPv6 packets with extension headers "
			 "the expression sees the addresses only");
	fprintf(out, "%s\n", buf);
	return true;
}
