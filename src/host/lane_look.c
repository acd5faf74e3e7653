/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What takes a lane is known by a look: plain, whole, for us, with a hop left, of a flow
 * that the table has, and not too long for where it goes.  Everything else leaves the
 * look at the first sign of it, so what never has a lane costs little.
 *
 * A processor that reads out of order could know a new tag and what stood in the lane
 * before.  What is read after the tag is read at an address that was computed from it,
 * by adding nothing: all processors that run Linux but Alpha keep to that order, and
 * it costs one instruction, where a barrier (an atomic operation that returns what was
 * there) would lock the line for each packet.
 */
#include "host/lane_writer.h"

#include "net/names.h"

#define MIX1		0x9e3779b1u
#define MIX2		0x85ebca77u
#define MIX3		0xc2b2ae3du
#define SYN		0x02u
#define SYN_RST_ACK	0x16u
#define ACK		0x10u
#define MORE_OR_OFFSET	0x3fffu
#define UDP_CSUM	6
#define PROTO		LANE_PROTO
#define FP		BPF_REG_10

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

/* Of the packet, from its IP header's byte @at on; a link header stands before that */
void lane_read_to(struct lane_writer *w, int at, int bytes, int place)
{
	struct ebpf *e = &w->e;

	ebpf_move(e, BPF_REG_1, LANE_CTX);
	ebpf_set(e, BPF_REG_2, (uint32_t)(lane_link_bytes(w) + at));
	ebpf_move(e, BPF_REG_3, FP);
	ebpf_add(e, BPF_REG_3, place);
	ebpf_set(e, BPF_REG_4, (uint32_t)bytes);
	ebpf_call(e, BPF_FUNC_skb_load_bytes);
	ebpf_if_ne(e, BPF_REG_0, 0, w->other);
}

static void read_packet(struct lane_writer *w, int at, int bytes)
{
	lane_read_to(w, at, bytes, LANE_IP + at);
}

/* An untagged frame for this interface */
static void check_ether(struct lane_writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_load(e, BPF_REG_1, LANE_CTX, LANE_CONTEXT(vlan_present));
	ebpf_if_ne(e, BPF_REG_1, 0, w->other);
	for (int at = 0; at < 6; at += 2) {
		ebpf_load_half(e, BPF_REG_1, FP, LANE_FRAME + at);
		ebpf_load_half(e, BPF_REG_2, LANE_BASE, LANE_TABLE(mac) + at);
		ebpf_if_differ(e, BPF_REG_1, BPF_REG_2, w->other);
	}
}

/* To @six if it is IPv6, on if it is IPv4: both as the frame and the packet say it */
static void check_family(struct lane_writer *w, uint32_t six)
{
	struct ebpf *e = &w->e;

	if (!w->from.is_bare) {
		ebpf_load_half(e, BPF_REG_1, FP, LANE_FRAME + 12);
		ebpf_if_eq(e, BPF_REG_1, lane_wire16(0x86dd), six);
		ebpf_if_ne(e, BPF_REG_1, lane_wire16(0x0800), w->other);
		return;
	}
	ebpf_load_byte(e, BPF_REG_1, FP, LANE_IP);
	ebpf_and(e, BPF_REG_1, 0xf0);
	ebpf_if_eq(e, BPF_REG_1, 0x60, six);
}

/* Its headers are its own, no padding of the link; r1 is its length */
static void check_there(struct lane_writer *w, uint32_t least)
{
	struct ebpf *e = &w->e;

	ebpf_set(e, BPF_REG_2, least);
	ebpf_if_below(e, BPF_REG_1, BPF_REG_2, w->other);
	ebpf_add(e, BPF_REG_1, lane_link_bytes(w));
	ebpf_load(e, BPF_REG_2, LANE_CTX, LANE_CONTEXT(len));
	ebpf_if_below(e, BPF_REG_2, BPF_REG_1, w->other);
}

/* A whole IPv4 packet without options that has a hop left */
static void check_ip4(struct lane_writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_load_byte(e, BPF_REG_1, FP, LANE_IP);
	ebpf_if_ne(e, BPF_REG_1, 0x45, w->other);
	ebpf_load_half(e, BPF_REG_1, FP, LANE_IP + 6);
	ebpf_and(e, BPF_REG_1, lane_wire16(MORE_OR_OFFSET));
	ebpf_if_ne(e, BPF_REG_1, 0, w->other);
	ebpf_load_byte(e, BPF_REG_1, FP, LANE_IP + 8);
	ebpf_and(e, BPF_REG_1, 0xfe);
	ebpf_if_eq(e, BPF_REG_1, 0, w->other);
	ebpf_load_half(e, BPF_REG_1, FP, LANE_IP + 2);
	ebpf_to_host_half(e, BPF_REG_1);
	check_there(w, LANE_HEADER4 + LANE_UDP_LEAST);
	ebpf_load_byte(e, PROTO, FP, LANE_IP + 9);
}

/* The same of IPv6, without extension headers */
static void check_ip6(struct lane_writer *w)
{
	struct ebpf *e = &w->e;

	read_packet(w, LANE_HEADER4 + LANE_UDP_LEAST, LANE_HEADER6 - LANE_HEADER4);
	ebpf_load_byte(e, BPF_REG_1, FP, LANE_IP);
	ebpf_and(e, BPF_REG_1, 0xf0);
	ebpf_if_ne(e, BPF_REG_1, 0x60, w->other);
	ebpf_load_byte(e, BPF_REG_1, FP, LANE_IP + 7);
	ebpf_and(e, BPF_REG_1, 0xfe);
	ebpf_if_eq(e, BPF_REG_1, 0, w->other);
	ebpf_load_half(e, BPF_REG_1, FP, LANE_IP + 4);
	ebpf_to_host_half(e, BPF_REG_1);
	ebpf_add(e, BPF_REG_1, LANE_HEADER6);
	check_there(w, LANE_HEADER6 + LANE_UDP_LEAST);
	ebpf_load_byte(e, PROTO, FP, LANE_IP + 6);
}

/* The length in r1, as the header behind IP's says, is at least that, and there */
static void check_said(struct lane_writer *w, uint32_t least)
{
	struct ebpf *e = &w->e;

	ebpf_load_half(e, BPF_REG_2, FP, LANE_IP + (w->is_v6 ? 4 : 2));
	ebpf_to_host_half(e, BPF_REG_2);
	ebpf_add(e, BPF_REG_2, w->is_v6 ? 0 : -LANE_HEADER4);
	ebpf_if_below(e, BPF_REG_2, BPF_REG_1, w->other);
	ebpf_set(e, BPF_REG_2, least);
	ebpf_if_below(e, BPF_REG_1, BPF_REG_2, w->other);
}

static void check_l4(struct lane_writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t tcp = ebpf_label(e), known = ebpf_label(e);

	ebpf_if_eq(e, PROTO, PROTO_TCP, tcp);
	ebpf_if_ne(e, PROTO, PROTO_UDP, w->other);
	if (w->is_v6) {		/* without a checksum: not in IPv6 */
		ebpf_load_half(e, BPF_REG_1, FP, lane_l4(w) + UDP_CSUM);
		ebpf_if_eq(e, BPF_REG_1, 0, w->other);
	}
	ebpf_load_half(e, BPF_REG_1, FP, lane_l4(w) + 4);
	ebpf_to_host_half(e, BPF_REG_1);
	check_said(w, LANE_UDP_LEAST);
	ebpf_goto(e, known);
	ebpf_here(e, tcp);
	read_packet(w, lane_l4(w) - LANE_IP + LANE_UDP_LEAST, LANE_TCP_LEAST - LANE_UDP_LEAST);
	ebpf_load_byte(e, BPF_REG_1, FP, lane_l4(w) + 12);
	ebpf_shift_right(e, BPF_REG_1, 4);
	ebpf_multiply(e, BPF_REG_1, 4);
	check_said(w, LANE_TCP_LEAST);
	ebpf_set(e, BPF_REG_1, 0);
	ebpf_store_byte(e, FP, LANE_GREETING, BPF_REG_1);
	/* What it acknowledges is noted: a segment that says so, and nothing else */
	ebpf_load_byte(e, BPF_REG_1, FP, lane_l4(w) + 13);
	ebpf_and(e, BPF_REG_1, SYN_RST_ACK);
	ebpf_if_eq(e, BPF_REG_1, ACK, known);
	ebpf_if_ne(e, BPF_REG_1, SYN | ACK, w->other);
	lane_check_greeting(w);
	ebpf_here(e, known);
}

/* one_word() of an address, in @reg */
static void mix_address(struct lane_writer *w, int reg, int at, uint32_t key)
{
	struct ebpf *e = &w->e;

	ebpf_load(e, reg, FP, at);
	for (uint32_t i = 1; i < lane_words(w); i++) {
		ebpf_xor(e, reg, key);
		ebpf_multiply(e, reg, MIX1);
		ebpf_load(e, BPF_REG_5, FP, at + (int)i * 4);
		ebpf_xor_reg(e, reg, BPF_REG_5);
	}
}

/* lane_first() times a lane's size, in HERE */
static void hash(struct lane_writer *w)
{
	struct ebpf *e = &w->e;

	mix_address(w, BPF_REG_4, lane_src_at(w), w->key[0]);
	mix_address(w, BPF_REG_2, lane_dst_at(w), w->key[1]);
	ebpf_load(e, BPF_REG_3, FP, lane_l4(w));
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
	ebpf_move(e, LANE_HERE, LANE_BASE);
	ebpf_add_reg(e, LANE_HERE, BPF_REG_4);
}

/* To @next if @n words of the lane and the packet differ */
static void compare(struct lane_writer *w, int field, int at, uint32_t n, uint32_t next)
{
	struct ebpf *e = &w->e;

	for (int i = 0; i < (int)n * 4; i += 4) {
		ebpf_load(e, BPF_REG_5, LANE_HERE, field + i);
		ebpf_load(e, BPF_REG_1, FP, at + i);
		ebpf_if_differ(e, BPF_REG_5, BPF_REG_1, next);
	}
}

/* The flow's lane, in HERE */
static void find(struct lane_writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t found = ebpf_label(e);

	hash(w);
	ebpf_load(e, BPF_REG_4, LANE_BASE, LANE_TABLE(generation));
	ebpf_or(e, BPF_REG_4, PROTO);
	if (w->is_v6) {
		ebpf_set(e, BPF_REG_5, LANE_V6);
		ebpf_or(e, BPF_REG_4, BPF_REG_5);
	}
	for (uint32_t i = 0; i < LANES_AT_ONCE; i++) {
		const bool is_last = i == LANES_AT_ONCE - 1;
		const uint32_t next = is_last ? w->other : ebpf_label(e);

		ebpf_load(e, BPF_REG_5, LANE_HERE, LANE_FIELD(tag));
		ebpf_if_differ(e, BPF_REG_5, BPF_REG_4, next);
		ebpf_and(e, BPF_REG_5, 0);	/* what follows is read later */
		ebpf_add_reg(e, LANE_HERE, BPF_REG_5);
		compare(w, LANE_FIELD(src), lane_src_at(w), lane_words(w), next);
		compare(w, LANE_FIELD(dst), lane_dst_at(w), lane_words(w), next);
		compare(w, LANE_FIELD(ports), lane_l4(w), 1, next);
		if (is_last)
			break;
		ebpf_goto(e, found);
		ebpf_here(e, next);
		ebpf_add(e, LANE_HERE, (int32_t)sizeof(struct lane));
	}
	ebpf_here(e, found);
}

void lane_find(struct ebpf *e, int table, const uint32_t key[2], bool is_v6, uint32_t other)
{
	struct lane_writer w = { .e = *e, .key = key, .table = table, .other = other,
				 .is_v6 = is_v6 };

	ebpf_map_value(&w.e, LANE_BASE, table);
	find(&w);
	*e = w.e;
}

/* No longer than the way on takes, each packet of those that it stands for */
static void check_length(struct lane_writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t fits = ebpf_label(e), udp = ebpf_label(e), summed = ebpf_label(e);

	ebpf_load(e, BPF_REG_2, LANE_BASE, LANE_TABLE(mtu_bytes));
	ebpf_add(e, BPF_REG_2, lane_link_bytes(w) + 1);
	ebpf_load(e, BPF_REG_1, LANE_CTX, LANE_CONTEXT(len));
	ebpf_if_below(e, BPF_REG_1, BPF_REG_2, fits);
	ebpf_load(e, BPF_REG_1, LANE_CTX, LANE_CONTEXT(gso_size));
	ebpf_if_eq(e, BPF_REG_1, 0, w->other);
	ebpf_if_eq(e, PROTO, PROTO_UDP, udp);
	ebpf_load_byte(e, BPF_REG_3, FP, lane_l4(w) + 12);
	ebpf_shift_right(e, BPF_REG_3, 4);
	ebpf_multiply(e, BPF_REG_3, 4);
	ebpf_add_reg(e, BPF_REG_1, BPF_REG_3);
	ebpf_goto(e, summed);
	ebpf_here(e, udp);
	ebpf_add(e, BPF_REG_1, LANE_UDP_LEAST);
	ebpf_here(e, summed);
	ebpf_add(e, BPF_REG_1, lane_link_bytes(w) + lane_l4(w) - LANE_IP);
	ebpf_if_below(e, BPF_REG_1, BPF_REG_2, fits);
	ebpf_goto(e, w->other);
	ebpf_here(e, fits);
}

static void look_at(struct lane_writer *w, bool is_v6, void (*then)(struct lane_writer *w))
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

void lane_look(struct lane_writer *w, void (*then)(struct lane_writer *w), uint32_t otherwise)
{
	struct ebpf *e = &w->e;
	const uint32_t six = ebpf_label(e);

	w->other = ebpf_label(e);
	ebpf_move(e, LANE_CTX, BPF_REG_1);
	ebpf_map_value(e, LANE_BASE, w->table);
	read_packet(w, -lane_link_bytes(w), lane_link_bytes(w) + LANE_HEADER4 + LANE_UDP_LEAST);
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
