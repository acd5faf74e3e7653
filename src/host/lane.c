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
 * Of what is received a NIC may have told the sum of all bytes (CHECKSUM_COMPLETE).  In
 * IPv4 it stays right, as an IP header sums up to nothing; IPv6 has no such sum for the
 * hop that goes, so there the kernel is told to count what is written anew.
 */
#include "host/lane.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "host/ebpf_sys.h"
#include "host/lane_writer.h"
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
#define DONT_FRAGMENT	0x4000u
#define TCP_CSUM	16		/* of a segment, its checksum's place */
#define UDP_CSUM	6
#define PORTS		4
#define PROTO		LANE_PROTO
#define FP		BPF_REG_10

/* ---- the change ------------------------------------------------------------------- */

static void fix_l4(struct lane_writer *w, int csum, int difference, uint32_t flags)
{
	struct ebpf *e = &w->e;

	ebpf_move(e, BPF_REG_1, LANE_CTX);
	ebpf_set(e, BPF_REG_2, (uint32_t)(LANE_ETHER + lane_l4(w) - LANE_IP + csum));
	ebpf_set(e, BPF_REG_3, 0);
	ebpf_load(e, BPF_REG_4, LANE_HERE, difference);
	ebpf_set(e, BPF_REG_5, flags);
	ebpf_call(e, BPF_FUNC_l4_csum_replace);
}

/* A checksum left undone is told apart by the kernel; one of UDP that is not there stays so */
static void fix_checksums(struct lane_writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t udp = ebpf_label(e), greeted = ebpf_label(e), done = ebpf_label(e);

	ebpf_if_eq(e, PROTO, PROTO_UDP, udp);
	fix_l4(w, TCP_CSUM, LANE_FIELD(d_addr), BPF_F_PSEUDO_HDR);
	fix_l4(w, TCP_CSUM, LANE_FIELD(d_ports), 0);
	/* What the NAT holds a RST against, when it comes */
	ebpf_load(e, BPF_REG_1, FP, lane_l4(w) + 8);
	ebpf_store(e, LANE_HERE, LANE_FIELD(ack), BPF_REG_1);
	ebpf_load_half(e, BPF_REG_1, FP, lane_l4(w) + 14);
	ebpf_store_half(e, LANE_HERE, LANE_FIELD(win), BPF_REG_1);
	ebpf_load_byte(e, BPF_REG_1, FP, LANE_GREETING);
	ebpf_if_eq(e, BPF_REG_1, 0, greeted);
	ebpf_store_byte(e, LANE_HERE, LANE_FIELD(greeted), BPF_REG_1);
	ebpf_here(e, greeted);
	/* And how far it has come */
	ebpf_load_byte(e, BPF_REG_1, FP, lane_l4(w) + 13);
	ebpf_and(e, BPF_REG_1, LANE_FIN);
	ebpf_if_eq(e, BPF_REG_1, 0, done);
	ebpf_store_byte(e, LANE_HERE, LANE_FIELD(is_over), BPF_REG_1);
	ebpf_goto(e, done);
	ebpf_here(e, udp);
	fix_l4(w, UDP_CSUM, LANE_FIELD(d_addr), BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0);
	fix_l4(w, UDP_CSUM, LANE_FIELD(d_ports), BPF_F_MARK_MANGLED_0);
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
static void renew_id(struct lane_writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t done = ebpf_label(e);

	ebpf_load_half(e, BPF_REG_2, FP, LANE_IP + 6);
	ebpf_and(e, BPF_REG_2, lane_wire16(DONT_FRAGMENT));
	ebpf_if_ne(e, BPF_REG_2, 0, done);
	ebpf_load_half(e, BPF_REG_3, LANE_HERE, LANE_FIELD(id_slot));
	ebpf_if_eq(e, BPF_REG_3, LANE_OLD_ID, done);
	ebpf_and(e, BPF_REG_3, LANE_IDS - 1);
	ebpf_multiply(e, BPF_REG_3, sizeof(uint32_t));
	ebpf_add_reg(e, BPF_REG_3, LANE_BASE);
	ebpf_set(e, BPF_REG_4, 1);
	ebpf_fetch_add(e, BPF_REG_3, LANE_TABLE(ids), BPF_REG_4);
	ebpf_and(e, BPF_REG_4, 0xffff);
	ebpf_load_half(e, BPF_REG_2, FP, LANE_IP + 4);
	ebpf_xor(e, BPF_REG_2, 0xffff);
	ebpf_add_reg(e, BPF_REG_1, BPF_REG_2);
	ebpf_add_reg(e, BPF_REG_1, BPF_REG_4);
	ebpf_store_half(e, FP, LANE_IP + 4, BPF_REG_4);
	ebpf_here(e, done);
}

/* A hop less, and the header's checksum */
static void fix_header4(struct lane_writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_load_byte(e, BPF_REG_1, FP, LANE_IP + 8);
	ebpf_add(e, BPF_REG_1, -1);
	ebpf_store_byte(e, FP, LANE_IP + 8, BPF_REG_1);
	ebpf_load_half(e, BPF_REG_1, FP, LANE_IP + 10);
	ebpf_xor(e, BPF_REG_1, 0xffff);
	ebpf_load_half(e, BPF_REG_2, LANE_HERE, LANE_FIELD(d_ip));
	ebpf_add_reg(e, BPF_REG_1, BPF_REG_2);
	renew_id(w);
	fold(e);
	fold(e);
	ebpf_xor(e, BPF_REG_1, 0xffff);
	ebpf_store_half(e, FP, LANE_IP + 10, BPF_REG_1);
}

static void fix_header6(struct lane_writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_load_byte(e, BPF_REG_1, FP, LANE_IP + 7);
	ebpf_add(e, BPF_REG_1, -1);
	ebpf_store_byte(e, FP, LANE_IP + 7, BPF_REG_1);
}

static void put(struct lane_writer *w, int field, int at, uint32_t n)
{
	for (int i = 0; i < (int)n * 4; i += 4) {
		ebpf_load(&w->e, BPF_REG_1, LANE_HERE, field + i);
		ebpf_store(&w->e, FP, at + i, BPF_REG_1);
	}
}

static void fix_packet(struct lane_writer *w)
{
	struct ebpf *e = &w->e;

	if (w->is_v6)
		fix_header6(w);
	else
		fix_header4(w);
	put(w, LANE_FIELD(to_src), lane_src_at(w), lane_words(w));
	put(w, LANE_FIELD(to_dst), lane_dst_at(w), lane_words(w));
	put(w, LANE_FIELD(to_ports), lane_l4(w), 1);
	for (int at = 0; at < 12; at += 2) {
		ebpf_load_half(e, BPF_REG_1, LANE_HERE, LANE_FIELD(ether) + at);
		ebpf_store_half(e, FP, LANE_FRAME + at, BPF_REG_1);
	}
	ebpf_set(e, BPF_REG_1, lane_wire16(w->is_v6 ? 0x86dd : 0x0800));
	ebpf_store_half(e, FP, LANE_FRAME + 12, BPF_REG_1);
}

static void write_back(struct lane_writer *w, int at, int bytes, uint32_t flags)
{
	struct ebpf *e = &w->e;

	ebpf_move(e, BPF_REG_1, LANE_CTX);
	ebpf_set(e, BPF_REG_2, (uint32_t)(LANE_ETHER + at));
	ebpf_move(e, BPF_REG_3, FP);
	ebpf_add(e, BPF_REG_3, LANE_IP + at);
	ebpf_set(e, BPF_REG_4, (uint32_t)bytes);
	ebpf_set(e, BPF_REG_5, flags);
	ebpf_call(e, BPF_FUNC_skb_store_bytes);
}

static void count(struct lane_writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_set(e, BPF_REG_1, 1);
	ebpf_count(e, LANE_HERE, LANE_FIELD(packets), BPF_REG_1);
	ebpf_load(e, BPF_REG_1, LANE_CTX, LANE_CONTEXT(len));
	ebpf_add(e, BPF_REG_1, -LANE_ETHER);
	ebpf_count(e, LANE_HERE, LANE_FIELD(bytes), BPF_REG_1);
}

/* Room for a link header where there was none: what is sent on has one, or had one */
static void grow(struct lane_writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_move(e, BPF_REG_1, LANE_CTX);
	ebpf_set(e, BPF_REG_2, LANE_ETHER);
	ebpf_set(e, BPF_REG_3, 0);
	ebpf_call(e, BPF_FUNC_skb_change_head);
	ebpf_if_ne(e, BPF_REG_0, 0, w->other);
}

static void send_on(struct lane_writer *w)
{
	struct ebpf *e = &w->e;

	if (w->from.is_bare)
		grow(w);
	fix_checksums(w);
	fix_packet(w);
	if (w->is_v6) {
		write_back(w, -LANE_ETHER, LANE_ETHER, 0);
		write_back(w, 0, LANE_HEADER6, BPF_F_RECOMPUTE_CSUM);
		write_back(w, LANE_HEADER6, PORTS, 0);
	} else {
		write_back(w, -LANE_ETHER, LANE_ETHER + LANE_HEADER4 + PORTS, 0);
	}
	count(w);
	ebpf_set(e, BPF_REG_1, w->to.ifindex);
	ebpf_set(e, BPF_REG_2, w->to.is_device ? BPF_F_INGRESS : 0);
	ebpf_call(e, BPF_FUNC_redirect);
	ebpf_exit(e);
}

/* The socket does not get it; processors that count at the same time may lose one */
static void hide(struct lane_writer *w)
{
	struct ebpf *e = &w->e;

	ebpf_load(e, BPF_REG_1, LANE_HERE, LANE_FIELD(hidden));
	ebpf_add(e, BPF_REG_1, 1);
	ebpf_store(e, LANE_HERE, LANE_FIELD(hidden), BPF_REG_1);
	ebpf_return(e, TAKE_NOTHING);
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
	struct lane_writer w = { .e = { .a = a }, .key = key, .table = table, .from = *from,
			    .to = *to };

	lane_look(&w, send_on, TCX_NEXT);
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
	struct lane_writer w = { .e = { .a = a }, .key = key, .table = table };
	CLEANUP(base_fd_close) int prog = -1;

	lane_look(&w, hide, TAKE_ALL);
	prog = ebpf_prog_load(&w.e, &(struct ebpf_prog){
		.name = "sallyport_hide", .type = BPF_PROG_TYPE_SOCKET_FILTER });
	if (prog < 0)
		return prog;
	return setsockopt(sock, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)) < 0 ? -errno : 0;
}
