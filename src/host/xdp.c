/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Written for each claim: addresses and networks are constants in it, which costs
 * two instructions each and no look into a map; ports are a bitmap.
 *
 * A socket of AF_XDP is not told that a checksum is left undone, and a packet from
 * this very host has mostly such a one.  It is known by what stands there: the sum of
 * the pseudo header, not complemented.  One whole packet in 65536 looks the same, and
 * goes the other way too, which is right for all.
 */
#include "host/xdp.h"

#include <linux/if_link.h>
#include <string.h>

#include "host/ebpf_sys.h"
#include "host/lane_find.h"
#include "net/names.h"

#define ETHER		14
#define ETHERTYPE	12
#define V4_IHL		(ETHER + 0)
#define V4_LEN		(ETHER + 2)
#define V4_FRAG		(ETHER + 6)
#define V4_PROTO	(ETHER + 9)
#define V4_SRC		(ETHER + 12)
#define V4_DST		(ETHER + 16)
#define V4_L4		(ETHER + 20)
#define V6_LEN		(ETHER + 4)
#define V6_NEXT		(ETHER + 6)
#define V6_SRC		(ETHER + 8)
#define V6_DST		(ETHER + 24)
#define V6_L4		(ETHER + 40)
#define DPORT		2
#define TCP_CSUM	16
#define UDP_CSUM	6
#define L4_BYTES	18		/* that are read of either */
#define MAP_BYTES	8192u		/* of one protocol */

/* Registers that keep their meaning: the context, and the frame */
#define CTX		BPF_REG_6
#define DATA		BPF_REG_7
#define PROTO		BPF_REG_8

struct writer {
	struct ebpf e;
	const struct xdp_how *how;
	int ports;		/* map */
	uint32_t pass;
	uint32_t take;
};

static uint32_t word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint16_t half(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* ---- parts of the program ------------------------------------------------------ */

/* Frames for us, long enough for @bytes and no longer than a socket takes */
static void check_length(struct writer *w, int bytes)
{
	struct ebpf *e = &w->e;

	ebpf_load(e, DATA, CTX, offsetof(struct xdp_md, data));
	ebpf_load(e, BPF_REG_3, CTX, offsetof(struct xdp_md, data_end));
	ebpf_move(e, BPF_REG_4, DATA);
	ebpf_add(e, BPF_REG_4, (int32_t)XDP_FRAME_BYTES);
	ebpf_if_below(e, BPF_REG_4, BPF_REG_3, w->pass);
	ebpf_move(e, BPF_REG_4, DATA);
	ebpf_add(e, BPF_REG_4, bytes);
	ebpf_if_below(e, BPF_REG_3, BPF_REG_4, w->pass);
}

static void check_mac(struct writer *w)
{
	ebpf_load(&w->e, BPF_REG_1, DATA, 0);
	ebpf_if_ne(&w->e, BPF_REG_1, word(w->how->mac), w->pass);
	ebpf_load_half(&w->e, BPF_REG_1, DATA, 4);
	ebpf_if_ne(&w->e, BPF_REG_1, half(w->how->mac + 4), w->pass);
}

/* Only TCP and UDP: its number stays in PROTO */
static void check_proto(struct writer *w, int at)
{
	const uint32_t known = ebpf_label(&w->e);

	ebpf_load_byte(&w->e, PROTO, DATA, at);
	ebpf_if_eq(&w->e, PROTO, PROTO_TCP, known);
	ebpf_if_ne(&w->e, PROTO, PROTO_UDP, w->pass);
	ebpf_here(&w->e, known);
}

/* Is the destination in a network: else to @other */
static void check_dst(struct writer *w, struct prefix p, int at, uint32_t other)
{
	uint8_t net[16] = { 0 }, mask[16] = { 0 };
	const size_t len = addr_to_bytes(prefix_first(p), net);
	const struct addr m = { p.a.af, prefix_mask(p.a.af, p.len) };

	(void)addr_to_bytes(m, mask);
	for (size_t i = 0; i < len; i += 4) {
		if (word(mask + i) == 0)
			break;
		ebpf_load(&w->e, BPF_REG_1, DATA, at + (int)i);
		if (word(mask + i) != UINT32_MAX)
			ebpf_and(&w->e, BPF_REG_1, word(mask + i));
		ebpf_if_ne(&w->e, BPF_REG_1, word(net + i) & word(mask + i), other);
	}
}

/* Is the port the NAT's: to take, else to pass */
static void check_port(struct writer *w, int l4)
{
	struct ebpf *e = &w->e;
	const uint32_t tcp = ebpf_label(e);

	ebpf_load_half(e, BPF_REG_2, DATA, l4 + DPORT);
	ebpf_to_host_half(e, BPF_REG_2);
	ebpf_and(e, BPF_REG_2, 0xffff);		/* which the verifier does not know */
	ebpf_move(e, BPF_REG_3, BPF_REG_2);
	ebpf_and(e, BPF_REG_3, 7);
	ebpf_shift_right(e, BPF_REG_2, 3);
	ebpf_if_eq(e, PROTO, PROTO_TCP, tcp);
	ebpf_add(e, BPF_REG_2, (int32_t)MAP_BYTES);
	ebpf_here(e, tcp);
	ebpf_map_value(e, BPF_REG_1, w->ports);
	ebpf_add_reg(e, BPF_REG_1, BPF_REG_2);
	ebpf_load_byte(e, BPF_REG_1, BPF_REG_1, 0);
	ebpf_shift_right_reg(e, BPF_REG_1, BPF_REG_3);
	ebpf_and(e, BPF_REG_1, 1);
	ebpf_if_eq(e, BPF_REG_1, 0, w->pass);
}

/* Add @n words of the frame to the sum in r4 */
static void add_words(struct writer *w, int at, int n)
{
	for (int i = 0; i < n; i++) {
		ebpf_load(&w->e, BPF_REG_1, DATA, at + 4 * i);
		ebpf_add_reg(&w->e, BPF_REG_4, BPF_REG_1);
	}
}

static void fold(struct ebpf *e, int bits)
{
	ebpf_move(e, BPF_REG_1, BPF_REG_4);
	ebpf_shift_right(e, BPF_REG_1, bits);
	ebpf_and(e, BPF_REG_4, bits == 32 ? UINT32_MAX : 0xffff);
	ebpf_add_reg(e, BPF_REG_4, BPF_REG_1);
}

static void to_stack(struct writer *w, int at, int n)
{
	for (int i = 0; i < 4 * n; i += 4) {
		ebpf_load(&w->e, BPF_REG_1, DATA, at + i);
		ebpf_store(&w->e, BPF_REG_10, LANE_STACK - ETHER + at + i, BPF_REG_1);
	}
}

/* What has a lane: to pass, on to where that begins */
static void leave_lanes(struct writer *w, uint8_t af)
{
	const int l4 = af == AF_V4 ? V4_L4 : V6_L4;

	to_stack(w, af == AF_V4 ? V4_SRC : V6_SRC, af == AF_V4 ? 2 : 8);
	to_stack(w, l4, 1);
	ebpf_move(&w->e, LANE_PROTO, PROTO);
	lane_find(&w->e, w->how->lanes, w->how->lane_key, af == AF_V6, w->take);
	ebpf_goto(&w->e, w->pass);
}

/* A checksum that is the pseudo header's sum is none yet: to pass */
static void check_whole(struct writer *w, uint8_t af, int l4)
{
	struct ebpf *e = &w->e;
	const uint32_t udp = ebpf_label(e), found = ebpf_label(e);

	/* The length without the header, as it would lie there */
	ebpf_load_half(e, BPF_REG_4, DATA, af == AF_V4 ? V4_LEN : V6_LEN);
	ebpf_to_host_half(e, BPF_REG_4);
	ebpf_add(e, BPF_REG_4, af == AF_V4 ? -20 : 0);
	ebpf_to_host_half(e, BPF_REG_4);
	ebpf_move(e, BPF_REG_1, PROTO);
	ebpf_to_host_half(e, BPF_REG_1);
	ebpf_add_reg(e, BPF_REG_4, BPF_REG_1);
	if (af == AF_V4)
		add_words(w, V4_SRC, 2);
	else
		add_words(w, V6_SRC, 8);
	fold(e, 32);
	fold(e, 32);
	fold(e, 16);
	fold(e, 16);
	ebpf_if_eq(e, PROTO, PROTO_UDP, udp);
	ebpf_load_half(e, BPF_REG_1, DATA, l4 + TCP_CSUM);
	ebpf_goto(e, found);
	ebpf_here(e, udp);
	ebpf_load_half(e, BPF_REG_1, DATA, l4 + UDP_CSUM);
	ebpf_here(e, found);
	ebpf_if_same(e, BPF_REG_1, BPF_REG_4, w->pass);
	if (w->how->lanes > 0)
		leave_lanes(w, af);
	else
		ebpf_goto(e, w->take);
}

/* Whose is a packet of a family, by its destination */
static void check_claim(struct writer *w, uint8_t af, int dst, int l4)
{
	const struct claim *c = w->how->claim;
	const uint32_t ours = ebpf_label(&w->e);
	bool goes_on = w->how->is_inside;

	for (uint32_t i = 0; i < c->n_addrs; i++) {
		const struct addr a = c->addrs[i].a;
		const uint32_t other = ebpf_label(&w->e);

		if (a.af != af)
			continue;
		check_dst(w, (struct prefix){ a, (uint8_t)addr_bits(af) }, dst, other);
		if (c->addrs[i].is_shared)
			check_port(w, l4);
		ebpf_goto(&w->e, ours);
		ebpf_here(&w->e, other);
	}
	for (uint32_t i = 0; i < c->n_home && goes_on; i++) {
		const uint32_t other = ebpf_label(&w->e);

		if (c->home[i].a.af != af)
			continue;
		check_dst(w, c->home[i], dst, other);
		ebpf_goto(&w->e, w->pass);
		goes_on = ebpf_is_used(&w->e, other);
		if (goes_on)
			ebpf_here(&w->e, other);
	}
	if (!w->how->is_inside)
		ebpf_goto(&w->e, w->pass);
	/* The kernel refuses what nothing leads to */
	if (ebpf_is_used(&w->e, ours) || goes_on) {
		ebpf_here(&w->e, ours);
		check_whole(w, af, l4);
	}
}

static void write_v4(struct writer *w)
{
	struct ebpf *e = &w->e;

	check_length(w, V4_L4 + L4_BYTES);
	ebpf_load_byte(e, BPF_REG_1, DATA, V4_IHL);
	ebpf_if_ne(e, BPF_REG_1, 0x45, w->pass);
	ebpf_load_half(e, BPF_REG_1, DATA, V4_FRAG);
	ebpf_and(e, BPF_REG_1, half((const uint8_t[]){ 0x3f, 0xff }));
	ebpf_if_ne(e, BPF_REG_1, 0, w->pass);
	check_proto(w, V4_PROTO);
	check_claim(w, AF_V4, V4_DST, V4_L4);
}

static void write_v6(struct writer *w)
{
	check_length(w, V6_L4 + L4_BYTES);
	check_proto(w, V6_NEXT);
	check_claim(w, AF_V6, V6_DST, V6_L4);
}

static void write_all(struct writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t v6 = ebpf_label(e);

	w->pass = ebpf_label(e);
	w->take = ebpf_label(e);
	ebpf_move(e, CTX, BPF_REG_1);
	check_length(w, V4_L4);
	check_mac(w);
	ebpf_load_half(e, BPF_REG_1, DATA, ETHERTYPE);
	ebpf_if_eq(e, BPF_REG_1, half((const uint8_t[]){ 0x86, 0xdd }), v6);
	ebpf_if_ne(e, BPF_REG_1, half((const uint8_t[]){ 0x08, 0x00 }), w->pass);
	write_v4(w);
	ebpf_here(e, v6);
	write_v6(w);
	if (ebpf_is_used(e, w->take)) {
		ebpf_here(e, w->take);
		ebpf_map(e, BPF_REG_1, w->how->sockets);
		ebpf_load(e, BPF_REG_2, CTX, offsetof(struct xdp_md, rx_queue_index));
		ebpf_set(e, BPF_REG_3, XDP_PASS);
		ebpf_call(e, BPF_FUNC_redirect_map);
		ebpf_exit(e);
	}
	ebpf_here(e, w->pass);
	ebpf_return(e, XDP_PASS);
	ebpf_finish(e);
}

/* ---- the kernel's part ---------------------------------------------------------- */

int xdp_map_sockets(void)
{
	return ebpf_map_new("sallyport_xsk", BPF_MAP_TYPE_XSKMAP, sizeof(int), 1);
}

int xdp_map_put(int sockets, uint32_t queue, int fd)
{
	return ebpf_map_put(sockets, queue, &fd);
}

static int make_ports(const struct claim *c, struct arena *a)
{
	uint8_t *bits = arena_alloc(a, 2 * MAP_BYTES);
	CLEANUP(base_fd_close) int fd = ebpf_map_new("sallyport_port", BPF_MAP_TYPE_ARRAY,
						     2 * MAP_BYTES, 1);
	int err;

	if (fd < 0)
		return fd;
	for (uint32_t i = 0; i < c->n_ports; i++) {
		uint8_t *half_of = bits + (c->ports[i].proto == PROTO_UDP ? MAP_BYTES : 0);

		for (uint32_t p = c->ports[i].lo; p <= c->ports[i].hi; p++)
			half_of[p / 8] |= (uint8_t)(1u << (p % 8));
	}
	err = ebpf_map_put(fd, 0, bits);
	return err < 0 ? err : base_take_fd(&fd);
}

int xdp_load(const struct xdp_how *how, struct arena *a)
{
	static const struct claim none = { .n_addrs = 0 };
	static const struct xdp_how nothing = { .claim = &none };
	const bool is_much = how->claim->n_addrs > XDP_ADDRS ||
			     (how->is_inside && how->claim->n_home > XDP_ADDRS);
	CLEANUP(base_fd_close) int ports = make_ports(how->claim, a);
	struct writer w = { .e = { .a = a }, .how = how, .ports = ports };
	struct xdp_how less = nothing;

	if (ports < 0)
		return ports;
	if (is_much) {
		memcpy(less.mac, how->mac, sizeof(less.mac));
		less.sockets = how->sockets;
		w.how = &less;
	}
	write_all(&w);
	return ebpf_prog_load(&w.e, &(struct ebpf_prog){
		.name = "sallyport_nat", .type = BPF_PROG_TYPE_XDP, .attach = BPF_XDP });
}

int xdp_attach(uint32_t ifindex, uint32_t flags, int prog)
{
	return ebpf_link_new(prog, ifindex, BPF_XDP, flags);
}

int xdp_replace(int link, int prog)
{
	return ebpf_link_update(link, prog);
}
