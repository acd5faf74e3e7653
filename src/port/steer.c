/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A program of a socket gives a number, and that is the worker's.  From inside it says
 * what nat_worker_of() says.  From outside a byte of a table does, found by address and
 * port in one sum, so that the program knows no addresses and outlives every reading of
 * the rules; two addresses may meet in a byte, and then packets of one are handed on.
 * Fragments, ICMP errors and protocols without ports go to the first worker.
 */
#include "port/steer.h"

#include "host/ebpf_sys.h"
#include "net/names.h"

#define FRAGMENT6	44u
#define V4_HEAD		20
#define V6_HEAD		40
#define V4_FRAG		6
#define V4_PROTO	9
#define V4_SRC		12
#define V4_DST		16
#define V6_NEXT		6
#define V6_SRC		8
#define V6_DST_LOW	36
#define FRAG_BITS	0x3fffu		/* more of them, and where it stands */
#define L4_BYTES	8
#define ARENA_BYTES	(1u << 20)

/* Registers that keep their meaning */
#define CTX		BPF_REG_6
#define POOL		BPF_REG_7
#define PORT_AT		BPF_REG_8	/* where the port is, behind the IP header */
#define ADDR		BPF_REG_9

#define HEAD		(-V6_HEAD)	/* on the stack */
#define L4		(HEAD - L4_BYTES)

struct writer {
	struct ebpf e;
	uint32_t n_workers;
	uint32_t none;			/* label: the first worker's */
};

/* Bytes of the packet, from @off in register 2 behind its IP header on, to the stack */
static void load_bytes(struct writer *w, int to, int n)
{
	struct ebpf *e = &w->e;

	ebpf_move(e, BPF_REG_1, CTX);
	ebpf_move(e, BPF_REG_3, BPF_REG_10);
	ebpf_add(e, BPF_REG_3, to);
	ebpf_set(e, BPF_REG_4, (uint32_t)n);
	ebpf_set(e, BPF_REG_5, BPF_HDR_START_NET);
	ebpf_call(e, BPF_FUNC_skb_load_bytes_relative);
	ebpf_if_ne(e, BPF_REG_0, 0, w->none);
}

/* The header to the stack; to @v6 if it is of that family */
static void load_head(struct writer *w, uint32_t v6)
{
	struct ebpf *e = &w->e;

	ebpf_move(e, CTX, BPF_REG_1);
	ebpf_set(e, BPF_REG_2, 0);
	load_bytes(w, HEAD, V4_HEAD);
	ebpf_load_byte(e, BPF_REG_1, BPF_REG_10, HEAD);
	ebpf_shift_right(e, BPF_REG_1, 4);
	ebpf_if_eq(e, BPF_REG_1, 6, v6);
	ebpf_if_ne(e, BPF_REG_1, 4, w->none);
}

static void load_head6(struct writer *w)
{
	ebpf_set(&w->e, BPF_REG_2, 0);
	load_bytes(w, HEAD, V6_HEAD);
}

/* ---- from inside ------------------------------------------------------------------ */

static void by_source(struct writer *w, int n_words, int at)
{
	struct ebpf *e = &w->e;

	ebpf_load(e, BPF_REG_0, BPF_REG_10, HEAD + at);
	for (int i = 1; i < n_words; i++) {
		ebpf_load(e, BPF_REG_1, BPF_REG_10, HEAD + at + 4 * i);
		ebpf_xor_reg(e, BPF_REG_0, BPF_REG_1);
	}
	ebpf_to_host_word(e, BPF_REG_0);
	ebpf_modulo(e, BPF_REG_0, w->n_workers);
	ebpf_exit(e);
}

/* Go on only with what has ports or ids */
static void check_proto(struct writer *w, int at, uint32_t icmp, uint32_t also)
{
	struct ebpf *e = &w->e;
	const uint32_t known = ebpf_label(e);

	ebpf_load_byte(e, BPF_REG_1, BPF_REG_10, HEAD + at);
	ebpf_if_eq(e, BPF_REG_1, PROTO_TCP, known);
	ebpf_if_eq(e, BPF_REG_1, PROTO_UDP, known);
	ebpf_if_eq(e, BPF_REG_1, also, known);
	ebpf_if_ne(e, BPF_REG_1, icmp, w->none);
	ebpf_here(e, known);
}

static void write_inside(struct writer *w)
{
	const uint32_t v6 = ebpf_label(&w->e);

	load_head(w, v6);
	check_proto(w, V4_PROTO, PROTO_ICMP, PROTO_ICMP);
	by_source(w, 1, V4_SRC);
	ebpf_here(&w->e, v6);
	load_head6(w);
	check_proto(w, V6_NEXT, PROTO_ICMP6, FRAGMENT6);
	by_source(w, 4, V6_SRC);
}

/* ---- from outside ------------------------------------------------------------------ */

/* By protocol: POOL and PORT_AT; then to @next */
static void find_pool(struct writer *w, int at, uint32_t icmp, uint32_t next)
{
	struct ebpf *e = &w->e;
	const struct { uint32_t proto, pool, port_at; } v[] = {
		{ PROTO_UDP, 0, 2 }, { PROTO_TCP, 1, 2 }, { icmp, 2, 4 },
	};

	ebpf_load_byte(e, BPF_REG_1, BPF_REG_10, HEAD + at);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		const uint32_t other = ebpf_label(e);

		ebpf_if_ne(e, BPF_REG_1, v[i].proto, other);
		ebpf_set(e, POOL, v[i].pool * NAT_HINTS_OF);
		ebpf_set(e, PORT_AT, v[i].port_at);
		ebpf_goto(e, next);
		ebpf_here(e, other);
	}
	ebpf_goto(e, w->none);
}

/* Queries of ICMP only: what else there is has no id */
static void check_query(struct writer *w)
{
	static const uint8_t queries[] = { 0, 8, 128, 129 };
	struct ebpf *e = &w->e;
	const uint32_t ok = ebpf_label(e);

	ebpf_if_ne(e, PORT_AT, 4, ok);
	ebpf_load_byte(e, BPF_REG_1, BPF_REG_10, L4);
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++)
		ebpf_if_eq(e, BPF_REG_1, queries[i], ok);
	ebpf_goto(e, w->none);
	ebpf_here(e, ok);
}

static void load_port(struct writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t id = ebpf_label(e), done = ebpf_label(e);

	check_query(w);
	ebpf_if_eq(e, PORT_AT, 4, id);
	ebpf_load_half(e, BPF_REG_1, BPF_REG_10, L4 + 2);
	ebpf_goto(e, done);
	ebpf_here(e, id);
	ebpf_load_half(e, BPF_REG_1, BPF_REG_10, L4 + 4);
	ebpf_here(e, done);
	ebpf_to_host_half(e, BPF_REG_1);
}

static void look_up(struct writer *w, int map)
{
	struct ebpf *e = &w->e;

	ebpf_add_reg(e, ADDR, BPF_REG_1);
	ebpf_and(e, ADDR, NAT_HINTS_OF - 1);
	ebpf_add_reg(e, ADDR, POOL);
	ebpf_map_value(e, BPF_REG_1, map);
	ebpf_add_reg(e, BPF_REG_1, ADDR);
	ebpf_load_byte(e, BPF_REG_0, BPF_REG_1, 0);
	ebpf_if_eq(e, BPF_REG_0, 0, w->none);
	ebpf_add(e, BPF_REG_0, -1);
	ebpf_exit(e);
}

static void load_addr(struct writer *w, int at)
{
	ebpf_load(&w->e, ADDR, BPF_REG_10, HEAD + at);
	ebpf_to_host_word(&w->e, ADDR);
}

static void write_outside(struct writer *w, int map)
{
	struct ebpf *e = &w->e;
	const uint32_t v6 = ebpf_label(e), port4 = ebpf_label(e), port6 = ebpf_label(e);
	const uint32_t found = ebpf_label(e);

	load_head(w, v6);
	ebpf_load_half(e, BPF_REG_1, BPF_REG_10, HEAD + V4_FRAG);
	ebpf_to_host_half(e, BPF_REG_1);
	ebpf_and(e, BPF_REG_1, FRAG_BITS);
	ebpf_if_ne(e, BPF_REG_1, 0, w->none);
	find_pool(w, V4_PROTO, PROTO_ICMP, port4);
	ebpf_here(e, port4);
	load_addr(w, V4_DST);
	ebpf_load_byte(e, BPF_REG_2, BPF_REG_10, HEAD);
	ebpf_and(e, BPF_REG_2, 15);
	ebpf_multiply(e, BPF_REG_2, 4);
	load_bytes(w, L4, L4_BYTES);
	ebpf_goto(e, found);
	ebpf_here(e, v6);
	load_head6(w);
	find_pool(w, V6_NEXT, PROTO_ICMP6, port6);
	ebpf_here(e, port6);
	load_addr(w, V6_DST_LOW);
	ebpf_set(e, BPF_REG_2, V6_HEAD);
	load_bytes(w, L4, L4_BYTES);
	ebpf_here(e, found);
	load_port(w);
	look_up(w, map);
}

/* ---- both ------------------------------------------------------------------------- */

static int load(struct writer *w, const char *name)
{
	ebpf_here(&w->e, w->none);
	ebpf_return(&w->e, 0);
	ebpf_finish(&w->e);
	return ebpf_prog_load(&w->e, &(struct ebpf_prog){
		.name = name, .type = BPF_PROG_TYPE_SOCKET_FILTER });
}

static int load_both(struct steer *s, struct arena *a, uint32_t n_workers)
{
	struct writer in = { .e.a = a, .n_workers = n_workers }, out = in;

	in.none = ebpf_label(&in.e);
	write_inside(&in);
	s->prog[NAT_INSIDE] = load(&in, "sallyport_in");
	out.none = ebpf_label(&out.e);
	write_outside(&out, s->map);
	s->prog[NAT_OUTSIDE] = load(&out, "sallyport_out");
	return MIN(MIN(s->prog[0], s->prog[1]), 0);
}

int steer_open(struct steer *s, uint32_t n_workers)
{
	CLEANUP(arena_fini) struct arena a;
	void *hints;
	int err;

	*s = STEER_NONE;
	s->map = ebpf_map_shared("sallyport_hints", NAT_HINTS, &hints);
	if (s->map < 0)
		return s->map;
	s->hints = hints;
	arena_init(&a, ARENA_BYTES);
	err = load_both(s, &a, n_workers);
	if (err < 0)
		steer_close(s);
	return err;
}

void steer_close(struct steer *s)
{
	for (int side = 0; side < 2; side++)
		if (s->prog[side] >= 0)
			base_fd_close(&s->prog[side]);
	if (s->map >= 0)
		base_fd_close(&s->map);
}
