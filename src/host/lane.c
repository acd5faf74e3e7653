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
 */
#include "host/lane.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "host/ebpf_sys.h"
#include "net/names.h"

#ifndef BPF_TCX_INGRESS
#define BPF_TCX_INGRESS	46		/* Linux 6.6 */
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
#define SYN_FIN_RST_ACK	0x17u
#define ACK		0x10u
#define MORE_OR_OFFSET	0x3fffu
#define DONT_FRAGMENT	0x4000u

/* Where things stand: in a frame, and on the stack, where the IP header is aligned */
#define ETHER		14
#define FRAME		(-66)
#define IP		(FRAME + ETHER)
#define L4		(IP + 20)
#define UDP_LEAST	8
#define TCP_LEAST	20
#define UDP_BYTES	42		/* that are read of it */
#define TCP_MORE	12		/* of TCP */
#define CHANGED		38		/* that are written back */
#define TCP_CSUM	(ETHER + 20 + 16)
#define UDP_CSUM	(ETHER + 20 + 6)
#define TABLE(field)	((int)offsetof(struct lane_table, field))
#define LANE(field)	((int)offsetof(struct lane_table, v) + (int)offsetof(struct lane, field))
#define CONTEXT(field)	((int)offsetof(struct __sk_buff, field))

/* Registers that keep their meaning over calls */
#define CTX		BPF_REG_6
#define HERE		BPF_REG_7	/* the lane, as an offset of the table's lanes */
#define BASE		BPF_REG_8	/* the table */
#define PROTO		BPF_REG_9
#define FP		BPF_REG_10

struct writer {
	struct ebpf e;
	const uint32_t *key;
	int table;
	uint32_t other;		/* way of what takes no lane */
};

static uint32_t wire16(uint32_t v)
{
	return (v >> 8 & 0xff) | (v & 0xff) << 8;
}

uint32_t lane_first(const uint32_t key[2], uint32_t src, uint32_t dst, uint32_t ports)
{
	uint32_t h = (src ^ key[0]) * MIX1;

	h = (h ^ dst ^ key[1]) * MIX2;
	h = (h ^ h >> 16 ^ ports) * MIX3;
	h ^= h >> 16;
	return (h & (LANES / LANES_AT_ONCE - 1)) * LANES_AT_ONCE;
}

/* ---- the look --------------------------------------------------------------------- */

static void read_frame(struct writer *w, uint32_t from, uint32_t bytes)
{
	struct ebpf *e = &w->e;

	ebpf_move(e, BPF_REG_1, CTX);
	ebpf_set(e, BPF_REG_2, from);
	ebpf_move(e, BPF_REG_3, FP);
	ebpf_add(e, BPF_REG_3, FRAME + (int32_t)from);
	ebpf_set(e, BPF_REG_4, bytes);
	ebpf_call(e, BPF_FUNC_skb_load_bytes);
	ebpf_if_ne(e, BPF_REG_0, 0, w->other);
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
	ebpf_load_half(e, BPF_REG_1, FP, FRAME + 12);
	ebpf_if_ne(e, BPF_REG_1, wire16(0x0800), w->other);
}

/* A whole IPv4 packet without options that has a hop left */
static void check_ip(struct writer *w)
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
	/* Its headers are its own, no padding of the link */
	ebpf_load_half(e, BPF_REG_1, FP, IP + 2);
	ebpf_to_host_half(e, BPF_REG_1);
	ebpf_set(e, BPF_REG_2, 20 + UDP_LEAST);
	ebpf_if_below(e, BPF_REG_1, BPF_REG_2, w->other);
	ebpf_add(e, BPF_REG_1, ETHER);
	ebpf_load(e, BPF_REG_2, CTX, CONTEXT(len));
	ebpf_if_below(e, BPF_REG_2, BPF_REG_1, w->other);
}

/* The length in r1, as the header behind IP's says, is at least that, and there */
static void check_said(struct writer *w, uint32_t least)
{
	struct ebpf *e = &w->e;

	ebpf_load_half(e, BPF_REG_2, FP, IP + 2);
	ebpf_to_host_half(e, BPF_REG_2);
	ebpf_add(e, BPF_REG_2, -20);
	ebpf_if_below(e, BPF_REG_2, BPF_REG_1, w->other);
	ebpf_set(e, BPF_REG_2, least);
	ebpf_if_below(e, BPF_REG_1, BPF_REG_2, w->other);
}

static void check_l4(struct writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t tcp = ebpf_label(e), known = ebpf_label(e);

	ebpf_load_byte(e, PROTO, FP, IP + 9);
	ebpf_if_eq(e, PROTO, PROTO_TCP, tcp);
	ebpf_if_ne(e, PROTO, PROTO_UDP, w->other);
	ebpf_load_half(e, BPF_REG_1, FP, L4 + 4);
	ebpf_to_host_half(e, BPF_REG_1);
	check_said(w, UDP_LEAST);
	ebpf_goto(e, known);
	ebpf_here(e, tcp);
	read_frame(w, UDP_BYTES, TCP_MORE);
	ebpf_load_byte(e, BPF_REG_1, FP, L4 + 12);
	ebpf_shift_right(e, BPF_REG_1, 4);
	ebpf_multiply(e, BPF_REG_1, 4);
	check_said(w, TCP_LEAST);
	/* What it acknowledges is noted: a segment that says so, and nothing else */
	ebpf_load_byte(e, BPF_REG_1, FP, L4 + 13);
	ebpf_and(e, BPF_REG_1, SYN_FIN_RST_ACK);
	ebpf_if_ne(e, BPF_REG_1, ACK, w->other);
	ebpf_here(e, known);
}

/* lane_first() times a lane's size, in HERE */
static void hash(struct writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_load(e, BPF_REG_1, FP, IP + 12);
	ebpf_load(e, BPF_REG_2, FP, IP + 16);
	ebpf_load(e, BPF_REG_3, FP, L4);
	ebpf_move(e, BPF_REG_4, BPF_REG_1);
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

/* The flow's lane, in HERE */
static void find(struct writer *w)
{
	static const int fields[] = { LANE(src), LANE(dst), LANE(ports), LANE(tag) };
	struct ebpf *e = &w->e;
	const uint32_t found = ebpf_label(e);

	hash(w);
	ebpf_load(e, BPF_REG_4, BASE, TABLE(generation));
	ebpf_or(e, BPF_REG_4, PROTO);
	for (uint32_t i = 0; i < LANES_AT_ONCE; i++) {
		const bool is_last = i == LANES_AT_ONCE - 1;
		const uint32_t next = is_last ? w->other : ebpf_label(e);

		for (int k = 0; k < 4; k++) {
			ebpf_load(e, BPF_REG_5, HERE, fields[k]);
			ebpf_if_differ(e, BPF_REG_5, BPF_REG_1 + k, next);
		}
		if (is_last)
			break;
		ebpf_goto(e, found);
		ebpf_here(e, next);
		ebpf_add(e, HERE, (int32_t)sizeof(struct lane));
	}
	ebpf_here(e, found);
}

/* No longer than the way on takes, each packet of those that it stands for */
static void check_length(struct writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t fits = ebpf_label(e), udp = ebpf_label(e), summed = ebpf_label(e);

	ebpf_load(e, BPF_REG_2, BASE, TABLE(mtu_bytes));
	ebpf_add(e, BPF_REG_2, ETHER + 1);
	ebpf_load(e, BPF_REG_1, CTX, CONTEXT(len));
	ebpf_if_below(e, BPF_REG_1, BPF_REG_2, fits);
	ebpf_load(e, BPF_REG_1, CTX, CONTEXT(gso_size));
	ebpf_if_eq(e, BPF_REG_1, 0, w->other);
	ebpf_if_eq(e, PROTO, PROTO_UDP, udp);
	ebpf_load_byte(e, BPF_REG_3, FP, L4 + 12);
	ebpf_shift_right(e, BPF_REG_3, 4);
	ebpf_multiply(e, BPF_REG_3, 4);
	ebpf_add_reg(e, BPF_REG_1, BPF_REG_3);
	ebpf_goto(e, summed);
	ebpf_here(e, udp);
	ebpf_add(e, BPF_REG_1, 8);
	ebpf_here(e, summed);
	ebpf_add(e, BPF_REG_1, ETHER + 20);
	ebpf_if_below(e, BPF_REG_1, BPF_REG_2, fits);
	ebpf_goto(e, w->other);
	ebpf_here(e, fits);
}

static void look(struct writer *w)
{
	struct ebpf *e = &w->e;

	w->other = ebpf_label(e);
	ebpf_move(e, CTX, BPF_REG_1);
	ebpf_map_value(e, BASE, w->table);
	read_frame(w, 0, UDP_BYTES);
	check_ether(w);
	check_ip(w);
	check_l4(w);
	find(w);
	check_length(w);
}

/* ---- the change ------------------------------------------------------------------- */

static void fix_l4(struct writer *w, int csum, int difference, uint32_t flags)
{
	struct ebpf *e = &w->e;

	ebpf_move(e, BPF_REG_1, CTX);
	ebpf_set(e, BPF_REG_2, (uint32_t)csum);
	ebpf_set(e, BPF_REG_3, 0);
	ebpf_load(e, BPF_REG_4, HERE, difference);
	ebpf_set(e, BPF_REG_5, flags);
	ebpf_call(e, BPF_FUNC_l4_csum_replace);
}

/* A checksum left undone is told apart by the kernel; one of UDP that is not there stays so */
static void fix_checksums(struct writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t udp = ebpf_label(e), done = ebpf_label(e);

	ebpf_if_eq(e, PROTO, PROTO_UDP, udp);
	fix_l4(w, TCP_CSUM, LANE(d_addr), BPF_F_PSEUDO_HDR);
	fix_l4(w, TCP_CSUM, LANE(d_ports), 0);
	/* What the NAT holds a RST against, when it comes */
	ebpf_load(e, BPF_REG_1, FP, L4 + 8);
	ebpf_store(e, HERE, LANE(ack), BPF_REG_1);
	ebpf_load_half(e, BPF_REG_1, FP, L4 + 14);
	ebpf_store_half(e, HERE, LANE(win), BPF_REG_1);
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

static void fix_ip(struct writer *w)
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
	ebpf_load(e, BPF_REG_1, HERE, LANE(to_src));
	ebpf_store(e, FP, IP + 12, BPF_REG_1);
	ebpf_load(e, BPF_REG_1, HERE, LANE(to_dst));
	ebpf_store(e, FP, IP + 16, BPF_REG_1);
	ebpf_load(e, BPF_REG_1, HERE, LANE(to_ports));
	ebpf_store(e, FP, L4, BPF_REG_1);
	for (int at = 0; at < 12; at += 2) {
		ebpf_load_half(e, BPF_REG_1, HERE, LANE(ether) + at);
		ebpf_store_half(e, FP, FRAME + at, BPF_REG_1);
	}
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

static void send_on(struct writer *w, uint32_t to)
{
	struct ebpf *e = &w->e;

	fix_checksums(w);
	fix_ip(w);
	ebpf_move(e, BPF_REG_1, CTX);
	ebpf_set(e, BPF_REG_2, 0);
	ebpf_move(e, BPF_REG_3, FP);
	ebpf_add(e, BPF_REG_3, FRAME);
	ebpf_set(e, BPF_REG_4, CHANGED);
	ebpf_set(e, BPF_REG_5, 0);
	ebpf_call(e, BPF_FUNC_skb_store_bytes);
	count(w);
	ebpf_set(e, BPF_REG_1, to);
	ebpf_set(e, BPF_REG_2, 0);
	ebpf_call(e, BPF_FUNC_redirect);
	ebpf_exit(e);
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

int lane_load(int table, const uint32_t key[2], uint32_t to, struct arena *a)
{
	struct writer w = { .e = { .a = a }, .key = key, .table = table };

	look(&w);
	send_on(&w, to);
	ebpf_here(&w.e, w.other);
	ebpf_return(&w.e, TCX_NEXT);
	ebpf_finish(&w.e);
	return ebpf_prog_load(&w.e, &(struct ebpf_prog){
		.name = "sallyport_lane", .type = BPF_PROG_TYPE_SCHED_CLS,
		.attach = BPF_TCX_INGRESS });
}

int lane_attach(uint32_t ifindex, int prog)
{
	/* First: one before that has the last word would lose what lane_hide() hides */
	return ebpf_link_new(prog, ifindex, BPF_TCX_INGRESS, BPF_F_BEFORE);
}

int lane_hide(int sock, int table, const uint32_t key[2], struct arena *a)
{
	struct writer w = { .e = { .a = a }, .key = key, .table = table };
	CLEANUP(base_fd_close) int prog = -1;

	look(&w);
	ebpf_return(&w.e, TAKE_NOTHING);
	ebpf_here(&w.e, w.other);
	ebpf_return(&w.e, TAKE_ALL);
	ebpf_finish(&w.e);
	prog = ebpf_prog_load(&w.e, &(struct ebpf_prog){
		.name = "sallyport_hide", .type = BPF_PROG_TYPE_SOCKET_FILTER });
	if (prog < 0)
		return prog;
	return setsockopt(sock, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)) < 0 ? -errno : 0;
}
