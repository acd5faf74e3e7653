/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The same look at a frame is written twice: for the program that sends, and for a
 * filter of the packet socket, which sees the frame first and must not have it then.
 * When a lane ends between the two the packet is lost; when one begins it goes
 * twice.  Both are rare, and nothing that a network does not do.
 *
 * What lanes are made of are helpers that know checksums left undone and packets of
 * 64 KiB: a frame is changed on the stack and written back, whatever it is made of.
 *
 * The table is one value of an array: its memory is mapped, so a sealed process
 * writes it without a call, and the program reaches it without one.
 *
 * A processor that reads out of order could know a new tag and what stood in the lane
 * before.  What is read after the tag is read at an address that was computed from it,
 * by adding nothing: all processors that run Linux but Alpha keep to that order, and
 * it costs one instruction, where a barrier (an atomic operation that returns what was
 * there) would lock the line for each packet.
 *
 * Of what is received a NIC may have told the sum of all bytes (CHECKSUM_COMPLETE).  In
 * IPv4 it stays right, as an IP header sums up to nothing; IPv6 has no such sum for the
 * hop that goes, so there the kernel is told to count what is written anew.
 */
#include "host/lane.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "host/ebpf_sys.h"
#include "host/lane_find.h"
#include "net/names.h"

#ifndef BPF_TCX_INGRESS
#define BPF_TCX_INGRESS	46		/* Linux 6.6 */
#define BPF_TCX_EGRESS	47
#endif
#ifndef BPF_F_BEFORE
#define BPF_F_BEFORE	(1u << 3)
#endif

#define TCX_NEXT	UINT32_MAX
#define TAKE_NOTHING	0u
#define TAKE_ALL	0x40000u
#define MIX1		0x9e3779b1u
#define MIX2		0x85ebca77u
#define MIX3		0xc2b2ae3du
#define SYN		0x02u
#define SYN_RST_ACK	0x16u
#define ACK		0x10u
#define FIN		0x01u
#define MORE_OR_OFFSET	0x3fffu
#define DONT_FRAGMENT	0x4000u

/* Where things stand on the stack, where the IP header is aligned */
#define ETHER		14
#define IP		LANE_STACK
#define FRAME		(IP - ETHER)
#define OPTIONS		(-104)		/* of a SYN's answer */
#define GREETED		(-108)		/* what is to be noted of it */
#define HEADER4		20
#define HEADER6		40
#define UDP_LEAST	8
#define TCP_LEAST	20
#define TCP_CSUM	16		/* of a segment, its checksum's place */
#define UDP_CSUM	6
#define PORTS		4
#define TABLE(field)	((int)offsetof(struct lane_table, field))
#define LANE(field)	((int)offsetof(struct lane_table, v) + (int)offsetof(struct lane, field))
#define CONTEXT(field)	((int)offsetof(struct __sk_buff, field))

/* Registers that keep their meaning over calls */
#define CTX		BPF_REG_6
#define HERE		BPF_REG_7	/* the lane, as an offset of the table's lanes */
#define BASE		BPF_REG_8	/* the table */
#define PROTO		LANE_PROTO
#define FP		BPF_REG_10

struct writer {
	struct ebpf e;
	const uint32_t *key;
	int table;
	struct lane_end from;
	struct lane_end to;
	uint32_t other;		/* way of what takes no lane */
	bool is_v6;		/* the part that is being written */
};

static uint32_t wire16(uint32_t v)
{
	return (v >> 8 & 0xff) | (v & 0xff) << 8;
}

static int link_bytes(const struct writer *w)
{
	return w->from.is_bare ? 0 : ETHER;
}

static int l4(const struct writer *w)
{
	return IP + (w->is_v6 ? HEADER6 : HEADER4);
}

static uint32_t words(const struct writer *w)
{
	return w->is_v6 ? 4 : 1;
}

static int src_at(const struct writer *w)
{
	return IP + (w->is_v6 ? 8 : 12);
}

static int dst_at(const struct writer *w)
{
	return IP + (w->is_v6 ? 24 : 16);
}

/* One word for an address; the last ones of IPv6 in a network differ most */
static uint32_t one_word(uint32_t key, const uint32_t *a, bool is_v6)
{
	uint32_t h = a[0];

	for (int i = 1; is_v6 && i < 4; i++)
		h = ((h ^ key) * MIX1) ^ a[i];
	return h;
}

uint32_t lane_first(const uint32_t key[2], const struct lane *l, bool is_v6)
{
	uint32_t h = (one_word(key[0], l->src, is_v6) ^ key[0]) * MIX1;

	h = (h ^ one_word(key[1], l->dst, is_v6) ^ key[1]) * MIX2;
	h = (h ^ h >> 16 ^ l->ports) * MIX3;
	h ^= h >> 16;
	return (h & (LANES / LANES_AT_ONCE - 1)) * LANES_AT_ONCE;
}

/*
 * Options of a SYN's answer, as Linux and Windows, the BSDs and macOS write them: with and
 * without timestamps.  The NAT must know the shift of the window, and nothing else of them.
 */
#define OPTIONS_MOST	20
#define ANY		0x100
#define SHIFT		0x200
#define MSS		2, 4, ANY, ANY
#define STAMPS		8, 10, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY

static const struct {
	int bytes;
	uint16_t v[OPTIONS_MOST];
} greetings[] = {
	{ 20, { MSS, 4, 2, STAMPS, 1, 3, 3, SHIFT } },
	{ 20, { MSS, 1, 3, 3, SHIFT, 4, 2, STAMPS } },
	{ 12, { MSS, 1, 1, 4, 2, 1, 3, 3, SHIFT } },
	{ 12, { MSS, 1, 3, 3, SHIFT, 1, 1, 4, 2 } },
	{ 12, { MSS, 1, 3, 3, SHIFT, 4, 2, 0, 0 } },
};

/* ---- the look --------------------------------------------------------------------- */

/* Of the packet, from its IP header's byte @at on; a link header stands before that */
static void read_packet_to(struct writer *w, int at, int bytes, int place)
{
	struct ebpf *e = &w->e;

	ebpf_move(e, BPF_REG_1, CTX);
	ebpf_set(e, BPF_REG_2, (uint32_t)(link_bytes(w) + at));
	ebpf_move(e, BPF_REG_3, FP);
	ebpf_add(e, BPF_REG_3, place);
	ebpf_set(e, BPF_REG_4, (uint32_t)bytes);
	ebpf_call(e, BPF_FUNC_skb_load_bytes);
	ebpf_if_ne(e, BPF_REG_0, 0, w->other);
}

static void read_packet(struct writer *w, int at, int bytes)
{
	read_packet_to(w, at, bytes, IP + at);
}

/* An untagged frame for this interface */
static void check_ether(struct writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_load(e, BPF_REG_1, CTX, CONTEXT(vlan_present));
	ebpf_if_ne(e, BPF_REG_1, 0, w->other);
	for (int at = 0; at < 6; at += 2) {
		ebpf_load_half(e, BPF_REG_1, FP, FRAME + at);
		ebpf_load_half(e, BPF_REG_2, BASE, TABLE(mac) + at);
		ebpf_if_differ(e, BPF_REG_1, BPF_REG_2, w->other);
	}
}

/* To @six if it is IPv6, on if it is IPv4: both as the frame and the packet say it */
static void check_family(struct writer *w, uint32_t six)
{
	struct ebpf *e = &w->e;

	if (!w->from.is_bare) {
		ebpf_load_half(e, BPF_REG_1, FP, FRAME + 12);
		ebpf_if_eq(e, BPF_REG_1, wire16(0x86dd), six);
		ebpf_if_ne(e, BPF_REG_1, wire16(0x0800), w->other);
		return;
	}
	ebpf_load_byte(e, BPF_REG_1, FP, IP);
	ebpf_and(e, BPF_REG_1, 0xf0);
	ebpf_if_eq(e, BPF_REG_1, 0x60, six);
}

/* Its headers are its own, no padding of the link; r1 is its length */
static void check_there(struct writer *w, uint32_t least)
{
	struct ebpf *e = &w->e;

	ebpf_set(e, BPF_REG_2, least);
	ebpf_if_below(e, BPF_REG_1, BPF_REG_2, w->other);
	ebpf_add(e, BPF_REG_1, link_bytes(w));
	ebpf_load(e, BPF_REG_2, CTX, CONTEXT(len));
	ebpf_if_below(e, BPF_REG_2, BPF_REG_1, w->other);
}

/* A whole IPv4 packet without options that has a hop left */
static void check_ip4(struct writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_load_byte(e, BPF_REG_1, FP, IP);
	ebpf_if_ne(e, BPF_REG_1, 0x45, w->other);
	ebpf_load_half(e, BPF_REG_1, FP, IP + 6);
	ebpf_and(e, BPF_REG_1, wire16(MORE_OR_OFFSET));
	ebpf_if_ne(e, BPF_REG_1, 0, w->other);
	ebpf_load_byte(e, BPF_REG_1, FP, IP + 8);
	ebpf_and(e, BPF_REG_1, 0xfe);
	ebpf_if_eq(e, BPF_REG_1, 0, w->other);
	ebpf_load_half(e, BPF_REG_1, FP, IP + 2);
	ebpf_to_host_half(e, BPF_REG_1);
	check_there(w, HEADER4 + UDP_LEAST);
	ebpf_load_byte(e, PROTO, FP, IP + 9);
}

/* The same of IPv6, without extension headers */
static void check_ip6(struct writer *w)
{
	struct ebpf *e = &w->e;

	read_packet(w, HEADER4 + UDP_LEAST, HEADER6 - HEADER4);
	ebpf_load_byte(e, BPF_REG_1, FP, IP);
	ebpf_and(e, BPF_REG_1, 0xf0);
	ebpf_if_ne(e, BPF_REG_1, 0x60, w->other);
	ebpf_load_byte(e, BPF_REG_1, FP, IP + 7);
	ebpf_and(e, BPF_REG_1, 0xfe);
	ebpf_if_eq(e, BPF_REG_1, 0, w->other);
	ebpf_load_half(e, BPF_REG_1, FP, IP + 4);
	ebpf_to_host_half(e, BPF_REG_1);
	ebpf_add(e, BPF_REG_1, HEADER6);
	check_there(w, HEADER6 + UDP_LEAST);
	ebpf_load_byte(e, PROTO, FP, IP + 6);
}

/* The length in r1, as the header behind IP's says, is at least that, and there */
static void check_said(struct writer *w, uint32_t least)
{
	struct ebpf *e = &w->e;

	ebpf_load_half(e, BPF_REG_2, FP, IP + (w->is_v6 ? 4 : 2));
	ebpf_to_host_half(e, BPF_REG_2);
	ebpf_add(e, BPF_REG_2, w->is_v6 ? 0 : -HEADER4);
	ebpf_if_below(e, BPF_REG_2, BPF_REG_1, w->other);
	ebpf_set(e, BPF_REG_2, least);
	ebpf_if_below(e, BPF_REG_1, BPF_REG_2, w->other);
}

/* To @next unless four bytes of options are as @v has them; a shift among them goes to r2 */
static void check_option(struct writer *w, const uint16_t *v, int at, uint32_t next)
{
	struct ebpf *e = &w->e;
	uint8_t is[4], mask[4];
	uint32_t is_word, mask_word;

	for (int i = 0; i < 4; i++) {
		/* A shift above 15 says no more than 14 does, and is nobody's */
		mask[i] = v[at + i] == ANY ? 0 : v[at + i] == SHIFT ? 0xf0 : 0xff;
		is[i] = v[at + i] < ANY ? (uint8_t)v[at + i] : 0;
	}
	memcpy(&is_word, is, sizeof(is_word));
	memcpy(&mask_word, mask, sizeof(mask_word));
	if (mask_word == 0)
		return;
	ebpf_load(e, BPF_REG_1, FP, OPTIONS + at);
	ebpf_and(e, BPF_REG_1, mask_word);
	ebpf_if_ne(e, BPF_REG_1, is_word, next);
	for (int i = 0; i < 4; i++)
		if (v[at + i] == SHIFT)
			ebpf_load_byte(e, BPF_REG_2, FP, OPTIONS + at + i);
}

/* Options of that length are as one of greetings[] has them, whose shift is then in r2 */
static void check_options(struct writer *w, int bytes, uint32_t found)
{
	struct ebpf *e = &w->e;

	read_packet_to(w, l4(w) - IP + TCP_LEAST, bytes, OPTIONS);
	for (size_t i = 0; i < ARRAY_SIZE(greetings); i++) {
		const uint32_t next = ebpf_label(e);

		if (greetings[i].bytes != bytes)
			continue;
		for (int at = 0; at < bytes; at += 4)
			check_option(w, greetings[i].v, at, next);
		ebpf_goto(e, found);
		ebpf_here(e, next);
	}
	ebpf_goto(e, w->other);
}

/* A SYN's answer: what it says of its window is noted later */
static void check_greeting(struct writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t longer = ebpf_label(e), found = ebpf_label(e);

	ebpf_load_byte(e, BPF_REG_1, FP, l4(w) + 13);
	ebpf_and(e, BPF_REG_1, FIN);
	ebpf_if_ne(e, BPF_REG_1, 0, w->other);
	ebpf_load_byte(e, BPF_REG_1, FP, l4(w) + 12);
	ebpf_shift_right(e, BPF_REG_1, 4);
	ebpf_if_eq(e, BPF_REG_1, (TCP_LEAST + 20) / 4, longer);
	ebpf_if_ne(e, BPF_REG_1, (TCP_LEAST + 12) / 4, w->other);
	check_options(w, 12, found);
	ebpf_here(e, longer);
	check_options(w, 20, found);
	ebpf_here(e, found);
	ebpf_set(e, BPF_REG_1, LANE_GREETED);
	ebpf_or(e, BPF_REG_2, BPF_REG_1);
	ebpf_store_byte(e, FP, GREETED, BPF_REG_2);
}

static void check_l4(struct writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t tcp = ebpf_label(e), known = ebpf_label(e);

	ebpf_if_eq(e, PROTO, PROTO_TCP, tcp);
	ebpf_if_ne(e, PROTO, PROTO_UDP, w->other);
	if (w->is_v6) {		/* without a checksum: not in IPv6 */
		ebpf_load_half(e, BPF_REG_1, FP, l4(w) + UDP_CSUM);
		ebpf_if_eq(e, BPF_REG_1, 0, w->other);
	}
	ebpf_load_half(e, BPF_REG_1, FP, l4(w) + 4);
	ebpf_to_host_half(e, BPF_REG_1);
	check_said(w, UDP_LEAST);
	ebpf_goto(e, known);
	ebpf_here(e, tcp);
	read_packet(w, l4(w) - IP + UDP_LEAST, TCP_LEAST - UDP_LEAST);
	ebpf_load_byte(e, BPF_REG_1, FP, l4(w) + 12);
	ebpf_shift_right(e, BPF_REG_1, 4);
	ebpf_multiply(e, BPF_REG_1, 4);
	check_said(w, TCP_LEAST);
	ebpf_set(e, BPF_REG_1, 0);
	ebpf_store_byte(e, FP, GREETED, BPF_REG_1);
	/* What it acknowledges is noted: a segment that says so, and nothing else */
	ebpf_load_byte(e, BPF_REG_1, FP, l4(w) + 13);
	ebpf_and(e, BPF_REG_1, SYN_RST_ACK);
	ebpf_if_eq(e, BPF_REG_1, ACK, known);
	ebpf_if_ne(e, BPF_REG_1, SYN | ACK, w->other);
	check_greeting(w);
	ebpf_here(e, known);
}

/* one_word() of an address, in @reg */
static void mix_address(struct writer *w, int reg, int at, uint32_t key)
{
	struct ebpf *e = &w->e;

	ebpf_load(e, reg, FP, at);
	for (uint32_t i = 1; i < words(w); i++) {
		ebpf_xor(e, reg, key);
		ebpf_multiply(e, reg, MIX1);
		ebpf_load(e, BPF_REG_5, FP, at + (int)i * 4);
		ebpf_xor_reg(e, reg, BPF_REG_5);
	}
}

/* lane_first() times a lane's size, in HERE */
static void hash(struct writer *w)
{
	struct ebpf *e = &w->e;

	mix_address(w, BPF_REG_4, src_at(w), w->key[0]);
	mix_address(w, BPF_REG_2, dst_at(w), w->key[1]);
	ebpf_load(e, BPF_REG_3, FP, l4(w));
	ebpf_xor(e, BPF_REG_4, w->key[0]);
	ebpf_multiply(e, BPF_REG_4, MIX1);
	ebpf_xor_reg(e, BPF_REG_4, BPF_REG_2);
	ebpf_xor(e, BPF_REG_4, w->key[1]);
	ebpf_multiply(e, BPF_REG_4, MIX2);
	ebpf_move(e, BPF_REG_5, BPF_REG_4);
	ebpf_shift_right(e, BPF_REG_5, 16);
	ebpf_xor_reg(e, BPF_REG_4, BPF_REG_5);
	ebpf_xor_reg(e, BPF_REG_4, BPF_REG_3);
	ebpf_multiply(e, BPF_REG_4, MIX3);
	ebpf_move(e, BPF_REG_5, BPF_REG_4);
	ebpf_shift_right(e, BPF_REG_5, 16);
	ebpf_xor_reg(e, BPF_REG_4, BPF_REG_5);
	ebpf_and(e, BPF_REG_4, LANES / LANES_AT_ONCE - 1);
	ebpf_multiply(e, BPF_REG_4, LANES_AT_ONCE * sizeof(struct lane));
	ebpf_move(e, HERE, BASE);
	ebpf_add_reg(e, HERE, BPF_REG_4);
}

/* To @next if @n words of the lane and the packet differ */
static void compare(struct writer *w, int field, int at, uint32_t n, uint32_t next)
{
	struct ebpf *e = &w->e;

	for (int i = 0; i < (int)n * 4; i += 4) {
		ebpf_load(e, BPF_REG_5, HERE, field + i);
		ebpf_load(e, BPF_REG_1, FP, at + i);
		ebpf_if_differ(e, BPF_REG_5, BPF_REG_1, next);
	}
}

/* The flow's lane, in HERE */
static void find(struct writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t found = ebpf_label(e);

	hash(w);
	ebpf_load(e, BPF_REG_4, BASE, TABLE(generation));
	ebpf_or(e, BPF_REG_4, PROTO);
	if (w->is_v6) {
		ebpf_set(e, BPF_REG_5, LANE_V6);
		ebpf_or(e, BPF_REG_4, BPF_REG_5);
	}
	for (uint32_t i = 0; i < LANES_AT_ONCE; i++) {
		const bool is_last = i == LANES_AT_ONCE - 1;
		const uint32_t next = is_last ? w->other : ebpf_label(e);

		ebpf_load(e, BPF_REG_5, HERE, LANE(tag));
		ebpf_if_differ(e, BPF_REG_5, BPF_REG_4, next);
		ebpf_and(e, BPF_REG_5, 0);	/* what follows is read later */
		ebpf_add_reg(e, HERE, BPF_REG_5);
		compare(w, LANE(src), src_at(w), words(w), next);
		compare(w, LANE(dst), dst_at(w), words(w), next);
		compare(w, LANE(ports), l4(w), 1, next);
		if (is_last)
			break;
		ebpf_goto(e, found);
		ebpf_here(e, next);
		ebpf_add(e, HERE, (int32_t)sizeof(struct lane));
	}
	ebpf_here(e, found);
}

void lane_find(struct ebpf *e, int table, const uint32_t key[2], bool is_v6, uint32_t other)
{
	struct writer w = { .e = *e, .key = key, .table = table, .other = other, .is_v6 = is_v6 };

	ebpf_map_value(&w.e, BASE, table);
	find(&w);
	*e = w.e;
}

/* No longer than the way on takes, each packet of those that it stands for */
static void check_length(struct writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t fits = ebpf_label(e), udp = ebpf_label(e), summed = ebpf_label(e);

	ebpf_load(e, BPF_REG_2, BASE, TABLE(mtu_bytes));
	ebpf_add(e, BPF_REG_2, link_bytes(w) + 1);
	ebpf_load(e, BPF_REG_1, CTX, CONTEXT(len));
	ebpf_if_below(e, BPF_REG_1, BPF_REG_2, fits);
	ebpf_load(e, BPF_REG_1, CTX, CONTEXT(gso_size));
	ebpf_if_eq(e, BPF_REG_1, 0, w->other);
	ebpf_if_eq(e, PROTO, PROTO_UDP, udp);
	ebpf_load_byte(e, BPF_REG_3, FP, l4(w) + 12);
	ebpf_shift_right(e, BPF_REG_3, 4);
	ebpf_multiply(e, BPF_REG_3, 4);
	ebpf_add_reg(e, BPF_REG_1, BPF_REG_3);
	ebpf_goto(e, summed);
	ebpf_here(e, udp);
	ebpf_add(e, BPF_REG_1, UDP_LEAST);
	ebpf_here(e, summed);
	ebpf_add(e, BPF_REG_1, link_bytes(w) + l4(w) - IP);
	ebpf_if_below(e, BPF_REG_1, BPF_REG_2, fits);
	ebpf_goto(e, w->other);
	ebpf_here(e, fits);
}

/* ---- the change ------------------------------------------------------------------- */

static void fix_l4(struct writer *w, int csum, int difference, uint32_t flags)
{
	struct ebpf *e = &w->e;

	ebpf_move(e, BPF_REG_1, CTX);
	ebpf_set(e, BPF_REG_2, (uint32_t)(ETHER + l4(w) - IP + csum));
	ebpf_set(e, BPF_REG_3, 0);
	ebpf_load(e, BPF_REG_4, HERE, difference);
	ebpf_set(e, BPF_REG_5, flags);
	ebpf_call(e, BPF_FUNC_l4_csum_replace);
}

/* A checksum left undone is told apart by the kernel; one of UDP that is not there stays so */
static void fix_checksums(struct writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t udp = ebpf_label(e), greeted = ebpf_label(e), done = ebpf_label(e);

	ebpf_if_eq(e, PROTO, PROTO_UDP, udp);
	fix_l4(w, TCP_CSUM, LANE(d_addr), BPF_F_PSEUDO_HDR);
	fix_l4(w, TCP_CSUM, LANE(d_ports), 0);
	/* What the NAT holds a RST against, when it comes */
	ebpf_load(e, BPF_REG_1, FP, l4(w) + 8);
	ebpf_store(e, HERE, LANE(ack), BPF_REG_1);
	ebpf_load_half(e, BPF_REG_1, FP, l4(w) + 14);
	ebpf_store_half(e, HERE, LANE(win), BPF_REG_1);
	ebpf_load_byte(e, BPF_REG_1, FP, GREETED);
	ebpf_if_eq(e, BPF_REG_1, 0, greeted);
	ebpf_store_byte(e, HERE, LANE(greeted), BPF_REG_1);
	ebpf_here(e, greeted);
	/* And how far it has come */
	ebpf_load_byte(e, BPF_REG_1, FP, l4(w) + 13);
	ebpf_and(e, BPF_REG_1, FIN);
	ebpf_if_eq(e, BPF_REG_1, 0, done);
	ebpf_store_byte(e, HERE, LANE(is_over), BPF_REG_1);
	ebpf_goto(e, done);
	ebpf_here(e, udp);
	fix_l4(w, UDP_CSUM, LANE(d_addr), BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0);
	fix_l4(w, UDP_CSUM, LANE(d_ports), BPF_F_MARK_MANGLED_0);
	ebpf_here(e, done);
}

static void fold(struct ebpf *e)
{
	ebpf_move(e, BPF_REG_2, BPF_REG_1);
	ebpf_shift_right(e, BPF_REG_2, 16);
	ebpf_and(e, BPF_REG_1, 0xffff);
	ebpf_add_reg(e, BPF_REG_1, BPF_REG_2);
}

/* Ids of several sources meet where they become one; r1 is the complement of the checksum */
static void renew_id(struct writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t done = ebpf_label(e);

	ebpf_load_half(e, BPF_REG_2, FP, IP + 6);
	ebpf_and(e, BPF_REG_2, wire16(DONT_FRAGMENT));
	ebpf_if_ne(e, BPF_REG_2, 0, done);
	ebpf_load_half(e, BPF_REG_3, HERE, LANE(id_slot));
	ebpf_if_eq(e, BPF_REG_3, LANE_OLD_ID, done);
	ebpf_and(e, BPF_REG_3, LANE_IDS - 1);
	ebpf_multiply(e, BPF_REG_3, sizeof(uint32_t));
	ebpf_add_reg(e, BPF_REG_3, BASE);
	ebpf_set(e, BPF_REG_4, 1);
	ebpf_fetch_add(e, BPF_REG_3, TABLE(ids), BPF_REG_4);
	ebpf_and(e, BPF_REG_4, 0xffff);
	ebpf_load_half(e, BPF_REG_2, FP, IP + 4);
	ebpf_xor(e, BPF_REG_2, 0xffff);
	ebpf_add_reg(e, BPF_REG_1, BPF_REG_2);
	ebpf_add_reg(e, BPF_REG_1, BPF_REG_4);
	ebpf_store_half(e, FP, IP + 4, BPF_REG_4);
	ebpf_here(e, done);
}

/* A hop less, and the header's checksum */
static void fix_header4(struct writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_load_byte(e, BPF_REG_1, FP, IP + 8);
	ebpf_add(e, BPF_REG_1, -1);
	ebpf_store_byte(e, FP, IP + 8, BPF_REG_1);
	ebpf_load_half(e, BPF_REG_1, FP, IP + 10);
	ebpf_xor(e, BPF_REG_1, 0xffff);
	ebpf_load_half(e, BPF_REG_2, HERE, LANE(d_ip));
	ebpf_add_reg(e, BPF_REG_1, BPF_REG_2);
	renew_id(w);
	fold(e);
	fold(e);
	ebpf_xor(e, BPF_REG_1, 0xffff);
	ebpf_store_half(e, FP, IP + 10, BPF_REG_1);
}

static void fix_header6(struct writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_load_byte(e, BPF_REG_1, FP, IP + 7);
	ebpf_add(e, BPF_REG_1, -1);
	ebpf_store_byte(e, FP, IP + 7, BPF_REG_1);
}

static void put(struct writer *w, int field, int at, uint32_t n)
{
	for (int i = 0; i < (int)n * 4; i += 4) {
		ebpf_load(&w->e, BPF_REG_1, HERE, field + i);
		ebpf_store(&w->e, FP, at + i, BPF_REG_1);
	}
}

static void fix_packet(struct writer *w)
{
	struct ebpf *e = &w->e;

	if (w->is_v6)
		fix_header6(w);
	else
		fix_header4(w);
	put(w, LANE(to_src), src_at(w), words(w));
	put(w, LANE(to_dst), dst_at(w), words(w));
	put(w, LANE(to_ports), l4(w), 1);
	for (int at = 0; at < 12; at += 2) {
		ebpf_load_half(e, BPF_REG_1, HERE, LANE(ether) + at);
		ebpf_store_half(e, FP, FRAME + at, BPF_REG_1);
	}
	ebpf_set(e, BPF_REG_1, wire16(w->is_v6 ? 0x86dd : 0x0800));
	ebpf_store_half(e, FP, FRAME + 12, BPF_REG_1);
}

static void write_back(struct writer *w, int at, int bytes, uint32_t flags)
{
	struct ebpf *e = &w->e;

	ebpf_move(e, BPF_REG_1, CTX);
	ebpf_set(e, BPF_REG_2, (uint32_t)(ETHER + at));
	ebpf_move(e, BPF_REG_3, FP);
	ebpf_add(e, BPF_REG_3, IP + at);
	ebpf_set(e, BPF_REG_4, (uint32_t)bytes);
	ebpf_set(e, BPF_REG_5, flags);
	ebpf_call(e, BPF_FUNC_skb_store_bytes);
}

static void count(struct writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_set(e, BPF_REG_1, 1);
	ebpf_count(e, HERE, LANE(packets), BPF_REG_1);
	ebpf_load(e, BPF_REG_1, CTX, CONTEXT(len));
	ebpf_add(e, BPF_REG_1, -ETHER);
	ebpf_count(e, HERE, LANE(bytes), BPF_REG_1);
}

/* Room for a link header where there was none: what is sent on has one, or had one */
static void grow(struct writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_move(e, BPF_REG_1, CTX);
	ebpf_set(e, BPF_REG_2, ETHER);
	ebpf_set(e, BPF_REG_3, 0);
	ebpf_call(e, BPF_FUNC_skb_change_head);
	ebpf_if_ne(e, BPF_REG_0, 0, w->other);
}

static void send_on(struct writer *w)
{
	struct ebpf *e = &w->e;

	if (w->from.is_bare)
		grow(w);
	fix_checksums(w);
	fix_packet(w);
	if (w->is_v6) {
		write_back(w, -ETHER, ETHER, 0);
		write_back(w, 0, HEADER6, BPF_F_RECOMPUTE_CSUM);
		write_back(w, HEADER6, PORTS, 0);
	} else {
		write_back(w, -ETHER, ETHER + HEADER4 + PORTS, 0);
	}
	count(w);
	ebpf_set(e, BPF_REG_1, w->to.ifindex);
	ebpf_set(e, BPF_REG_2, w->to.is_device ? BPF_F_INGRESS : 0);
	ebpf_call(e, BPF_FUNC_redirect);
	ebpf_exit(e);
}

/* The socket does not get it; processors that count at the same time may lose one */
static void hide(struct writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_load(e, BPF_REG_1, HERE, LANE(hidden));
	ebpf_add(e, BPF_REG_1, 1);
	ebpf_store(e, HERE, LANE(hidden), BPF_REG_1);
	ebpf_return(e, TAKE_NOTHING);
}

static void look_at(struct writer *w, bool is_v6, void (*then)(struct writer *w))
{
	w->is_v6 = is_v6;
	if (is_v6)
		check_ip6(w);
	else
		check_ip4(w);
	check_l4(w);
	find(w);
	check_length(w);
	then(w);
}

/* The whole program: @then with what has a lane, @otherwise is for all else */
static void look(struct writer *w, void (*then)(struct writer *w), uint32_t otherwise)
{
	struct ebpf *e = &w->e;
	const uint32_t six = ebpf_label(e);

	w->other = ebpf_label(e);
	ebpf_move(e, CTX, BPF_REG_1);
	ebpf_map_value(e, BASE, w->table);
	read_packet(w, -link_bytes(w), link_bytes(w) + HEADER4 + UDP_LEAST);
	if (!w->from.is_bare)
		check_ether(w);
	check_family(w, six);
	look_at(w, false, then);
	ebpf_here(e, six);
	look_at(w, true, then);
	ebpf_here(e, w->other);
	ebpf_return(e, otherwise);
	ebpf_finish(e);
}

/* ---- the kernel's part ------------------------------------------------------------ */

int lane_table_new(struct lane_table **ret)
{
	void *value;
	const int fd = ebpf_map_shared("sallyport_lane", sizeof(**ret), &value);

	if (fd >= 0)
		*ret = value;
	return fd;
}

void lane_table_free(struct lane_table *t)
{
	if (t != NULL)
		(void)munmap(t, sizeof(*t));
}

int lane_load(int table, const uint32_t key[2], const struct lane_end *from,
	      const struct lane_end *to, struct arena *a)
{
	struct writer w = { .e = { .a = a }, .key = key, .table = table, .from = *from,
			    .to = *to };

	look(&w, send_on, TCX_NEXT);
	return ebpf_prog_load(&w.e, &(struct ebpf_prog){
		.name = "sallyport_lane", .type = BPF_PROG_TYPE_SCHED_CLS,
		.attach = from->is_device ? BPF_TCX_EGRESS : BPF_TCX_INGRESS });
}

int lane_attach(const struct lane_end *from, int prog)
{
	/* First: one before that has the last word would lose what lane_hide() hides */
	return ebpf_link_new(prog, from->ifindex,
			     from->is_device ? BPF_TCX_EGRESS : BPF_TCX_INGRESS, BPF_F_BEFORE);
}

int lane_hide(int sock, int table, const uint32_t key[2], struct arena *a)
{
	struct writer w = { .e = { .a = a }, .key = key, .table = table };
	CLEANUP(base_fd_close) int prog = -1;

	look(&w, hide, TAKE_ALL);
	prog = ebpf_prog_load(&w.e, &(struct ebpf_prog){
		.name = "sallyport_hide", .type = BPF_PROG_TYPE_SOCKET_FILTER });
	if (prog < 0)
		return prog;
	return setsockopt(sock, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)) < 0 ? -errno : 0;
}
