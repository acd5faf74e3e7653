/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The jail's addresses are constants of the programs: a compare is one
 * instruction where a map is a call, and who may change a map could change a
 * jail.  New addresses are new programs, put in place of the old ones.
 *
 * Registers, in every program: r6 the context, r7 the IPv4 address that is
 * judged, r8 the one that is found, r9 the socket; r0 to r5 are scratch.  An
 * IPv6 address is four words on the stack.  IPv4 addresses come on IPv6 sockets
 * too, as ::ffff:A, so each IPv6 program holds the IPv4 one.
 *
 * What no hook sees is left to the guard of what arrives: the port that
 * listen(2) or a first sendto(2) takes by itself is open on all addresses of
 * the host, and gets only what is sent to the jail.  A hook after bind(2) would
 * add nothing to that.  What leaves cannot be judged there: the hook comes
 * after NAT.
 *
 * Protocols whose sockets do not pass these hooks (SCTP, MPTCP, UDP-Lite, ping)
 * are refused; programs fall back to TCP.
 */
#include "host/confine_prog.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>

#define CTX	BPF_REG_6
#define V4	BPF_REG_7
#define FOUND	BPF_REG_8
#define SOCK	BPF_REG_9
#define FP	BPF_REG_10

/* Places on the stack, below r10 */
#define ADDR	(-16)		/* IPv6 address that is judged */
#define SRC	(-32)		/* IPv6 source */
#define SA	(-64)		/* struct sockaddr_in or sockaddr_in6 */

/* Of the 16 bytes beside a socket: as named by the program, 0 = none */
#define SLOT_V4	0		/* 127.x.y.z; own, then peer's */
#define SLOT_V6	8		/* 1 = ::1; own, then peer's */

#define AT(field) ((int)offsetof(struct bpf_sock_addr, field))

enum elsewhere { REFUSE, FORGET, LEAVE };

/* The bytes of an address as the words that programs see */
static void words_of(struct addr a, uint32_t ret[4])
{
	uint8_t bytes[16] = { 0 };

	addr_to_bytes(a, bytes);
	memcpy(ret, bytes, sizeof(bytes));
}

static uint32_t word_of(struct addr a)
{
	uint32_t w[4];

	words_of(a, w);
	return w[0];
}

static uint32_t mapped_word(void)
{
	uint32_t w[4];

	words_of((struct addr){ AF_V6, (u128)0xffff << 32 }, w);
	return w[2];
}

static const struct prefix *first(const struct confine_family *f)
{
	return f->addrs.n > 0 ? &f->addrs.v[0] : NULL;
}

static void refuse(struct ebpf *e, int err)
{
	ebpf_set(e, BPF_REG_1, (uint32_t)-err);
	ebpf_call(e, BPF_FUNC_set_retval);
	ebpf_return(e, 0);
}

/* ---- loopback addresses remembered beside the socket ------------------------ */

static void find_storage(struct confine_text *t, int slot_flag_reg)
{
	struct ebpf *e = &t->e;

	ebpf_move(e, BPF_REG_4, slot_flag_reg);
	ebpf_map(e, BPF_REG_1, t->storage);
	ebpf_load_pointer(e, BPF_REG_2, CTX, AT(sk));
	ebpf_set(e, BPF_REG_3, 0);
	ebpf_call(e, BPF_FUNC_sk_storage_get);
}

/* Remember r8; 0 forgets, and makes no storage for it */
static void remember(struct confine_text *t, int slot)
{
	struct ebpf *e = &t->e;
	const uint32_t have = ebpf_label(e), done = ebpf_label(e);

	ebpf_set(e, BPF_REG_5, 0);
	ebpf_if_eq(e, FOUND, 0, have);
	ebpf_set(e, BPF_REG_5, BPF_SK_STORAGE_GET_F_CREATE);
	ebpf_here(e, have);
	find_storage(t, BPF_REG_5);
	ebpf_if_null(e, BPF_REG_0, done);
	ebpf_store(e, BPF_REG_0, slot, FOUND);
	ebpf_here(e, done);
}

/* r8 = what is remembered, or to pass */
static void recall(struct confine_text *t, int slot)
{
	struct ebpf *e = &t->e;

	ebpf_set(e, BPF_REG_5, 0);
	find_storage(t, BPF_REG_5);
	ebpf_if_null(e, BPF_REG_0, t->pass);
	ebpf_load(e, FOUND, BPF_REG_0, slot);
	ebpf_if_eq(e, FOUND, 0, t->pass);
}

/* ---- IPv4 -------------------------------------------------------------------- */

static void own4(struct confine_text *t, int reg, uint32_t label)
{
	const struct confine_family *f = &t->rules->v4;

	for (uint32_t i = 0; i < f->addrs.n; i++)
		ebpf_if_eq(&t->e, reg, word_of(f->addrs.v[i].a), label);
}

static void if_not_loop4(struct confine_text *t, int reg, uint32_t label)
{
	ebpf_move(&t->e, BPF_REG_1, reg);
	ebpf_and(&t->e, BPF_REG_1, word_of(addr_v4(255, 0, 0, 0)));
	ebpf_if_ne(&t->e, BPF_REG_1, word_of(addr_v4(127, 0, 0, 0)), label);
}

/* An IPv6 socket that is connected to ::ffff:A sends as if the program had named A */
static void if_connected(struct confine_text *t, uint32_t label)
{
	ebpf_load_pointer(&t->e, SOCK, CTX, AT(sk));
	ebpf_load(&t->e, BPF_REG_1, SOCK, offsetof(struct bpf_sock, state));
	ebpf_if_eq(&t->e, BPF_REG_1, BPF_TCP_ESTABLISHED, label);
}

/*
 * r7 names the jail itself: the wildcard and loopback addresses become its
 * first one, at @off of the context too; what was named is remembered.  Any
 * other address: as @other says.
 */
static void itself4(struct confine_text *t, int off, enum elsewhere other)
{
	struct ebpf *e = &t->e;
	const uint32_t own = ebpf_label(e), any = ebpf_label(e), set = ebpf_label(e);
	const uint32_t note = ebpf_label(e), done = ebpf_label(e);

	own4(t, V4, own);
	ebpf_if_eq(e, V4, 0, any);
	if_not_loop4(t, V4, other == REFUSE ? t->no_addr : other == FORGET ? own : done);
	ebpf_move(e, FOUND, V4);
	ebpf_goto(e, set);
	ebpf_here(e, own);
	if (other == LEAVE)
		if_connected(t, done);
	ebpf_set(e, FOUND, 0);
	ebpf_goto(e, note);
	ebpf_here(e, any);
	ebpf_set(e, FOUND, 0);
	ebpf_here(e, set);
	ebpf_set(e, V4, word_of(first(&t->rules->v4)->a));
	ebpf_store(e, CTX, off, V4);
	ebpf_here(e, note);
	remember(t, SLOT_V4 + t->hook->slot * 4);
	ebpf_here(e, done);
}

/* r8 = the jail's source towards r7 */
static void source4(struct confine_text *t)
{
	struct ebpf *e = &t->e;
	const struct confine_family *f = &t->rules->v4;
	const uint32_t done = ebpf_label(e);

	for (uint32_t i = 0; f->addrs.n > 1 && i < f->addrs.n; i++) {
		const struct prefix p = f->addrs.v[i];
		const uint32_t next = ebpf_label(e);

		ebpf_move(e, BPF_REG_1, V4);
		ebpf_and(e, BPF_REG_1, word_of((struct addr){ AF_V4, prefix_mask(AF_V4, p.len) }));
		ebpf_if_ne(e, BPF_REG_1, word_of(prefix_first(p)), next);
		ebpf_set(e, FOUND, word_of(p.a));
		ebpf_goto(e, done);
		ebpf_here(e, next);
	}
	ebpf_set(e, FOUND, word_of(first(f)->a));
	ebpf_here(e, done);
}

/* Give the socket the address that stands at SA, and end */
static void bind_source(struct confine_text *t, uint32_t len)
{
	struct ebpf *e = &t->e;

	ebpf_move(e, BPF_REG_1, CTX);
	ebpf_move(e, BPF_REG_2, FP);
	ebpf_add(e, BPF_REG_2, SA);
	ebpf_set(e, BPF_REG_3, len);
	ebpf_call(e, BPF_FUNC_bind);
	ebpf_if_ne(e, BPF_REG_0, 0, t->no_addr);
	ebpf_goto(e, t->pass);
}

/* Family as the first 16 bits of a sockaddr, whatever the byte order; port 0 */
static uint32_t family_word(sa_family_t family)
{
	uint32_t w = 0;

	memcpy(&w, &family, sizeof(family));
	return w;
}

/* What is allowed of IPv4 goes on after this */
static bool is_judged4(struct confine_text *t)
{
	if (t->rules->v4.is_free)
		ebpf_goto(&t->e, t->pass);
	else if (t->rules->v4.addrs.n == 0)
		ebpf_goto(&t->e, t->no_addr);
	else
		return true;
	return false;
}

static void write_bind4(struct confine_text *t)
{
	if (!is_judged4(t))
		return;
	ebpf_load(&t->e, V4, CTX, AT(user_ip4));
	itself4(t, AT(user_ip4), REFUSE);
	ebpf_goto(&t->e, t->pass);
}

static void write_connect4(struct confine_text *t)
{
	struct ebpf *e = &t->e;
	const uint32_t choose = ebpf_label(e);

	if (!is_judged4(t))
		return;
	ebpf_load(e, V4, CTX, AT(user_ip4));
	itself4(t, AT(user_ip4), FORGET);
	ebpf_load_pointer(e, SOCK, CTX, AT(sk));
	ebpf_load(e, FOUND, SOCK, offsetof(struct bpf_sock, src_ip4));
	ebpf_if_eq(e, FOUND, 0, choose);
	own4(t, FOUND, t->pass);
	ebpf_goto(e, t->no_addr);
	ebpf_here(e, choose);
	source4(t);
	ebpf_store_imm(e, FP, SA, family_word(AF_INET));
	ebpf_store(e, FP, SA + 4, FOUND);
	ebpf_store_imm(e, FP, SA + 8, 0);
	ebpf_store_imm(e, FP, SA + 12, 0);
	bind_source(t, sizeof(struct sockaddr_in));
}

/*
 * A connected socket whose message names a source comes here without a
 * destination: address and port are 0.  Not its family: a program may send to
 * AF_UNSPEC.
 */
static void write_sendmsg4(struct confine_text *t)
{
	struct ebpf *e = &t->e;
	const uint32_t source = ebpf_label(e), choose = ebpf_label(e);

	if (!is_judged4(t))
		return;
	ebpf_load(e, V4, CTX, AT(user_ip4));
	ebpf_load(e, BPF_REG_1, CTX, AT(user_port));
	ebpf_or(e, BPF_REG_1, V4);
	ebpf_if_eq(e, BPF_REG_1, 0, source);
	itself4(t, AT(user_ip4), LEAVE);
	ebpf_here(e, source);
	ebpf_load(e, FOUND, CTX, AT(msg_src_ip4));
	ebpf_if_eq(e, FOUND, 0, choose);
	own4(t, FOUND, t->pass);
	if_not_loop4(t, FOUND, t->no_addr);
	ebpf_here(e, choose);
	source4(t);
	ebpf_store(e, CTX, AT(msg_src_ip4), FOUND);
	ebpf_goto(e, t->pass);
}

/* r7 is told to the program: as it named it */
static void tell4(struct confine_text *t, int off)
{
	ebpf_if_ne(&t->e, V4, word_of(first(&t->rules->v4)->a), t->pass);
	recall(t, SLOT_V4 + t->hook->slot * 4);
	ebpf_store(&t->e, CTX, off, FOUND);
	ebpf_goto(&t->e, t->pass);
}

static void write_tell4(struct confine_text *t)
{
	if (t->rules->v4.addrs.n == 0) {
		ebpf_goto(&t->e, t->pass);
		return;
	}
	ebpf_load(&t->e, V4, CTX, AT(user_ip4));
	tell4(t, AT(user_ip4));
}

/* ---- IPv6 -------------------------------------------------------------------- */

/* Copy an address from @base + @off to the stack */
static void fetch6(struct confine_text *t, int to, int base, int off)
{
	for (int i = 0; i < 4; i++) {
		ebpf_load(&t->e, BPF_REG_1, base, off + 4 * i);
		ebpf_store(&t->e, FP, to + 4 * i, BPF_REG_1);
	}
}

static void if_not_addr6(struct confine_text *t, int at, struct addr a, uint32_t label)
{
	uint32_t w[4];

	words_of(a, w);
	for (int i = 0; i < 4; i++) {
		ebpf_load(&t->e, BPF_REG_1, FP, at + 4 * i);
		ebpf_if_ne(&t->e, BPF_REG_1, w[i], label);
	}
}

static void if_addr6(struct confine_text *t, int at, struct addr a, uint32_t label)
{
	const uint32_t next = ebpf_label(&t->e);

	if_not_addr6(t, at, a, next);
	ebpf_goto(&t->e, label);
	ebpf_here(&t->e, next);
}

static void own6(struct confine_text *t, int at, uint32_t label)
{
	const struct confine_family *f = &t->rules->v6;

	for (uint32_t i = 0; i < f->addrs.n; i++)
		if_addr6(t, at, f->addrs.v[i].a, label);
}

/* r7 = the IPv4 address in ::ffff:A at @at of the stack, or on to @label */
static void if_not_mapped(struct confine_text *t, int at, uint32_t label)
{
	struct ebpf *e = &t->e;

	ebpf_load(e, BPF_REG_1, FP, at);
	ebpf_load(e, BPF_REG_2, FP, at + 4);
	ebpf_or(e, BPF_REG_1, BPF_REG_2);
	ebpf_if_ne(e, BPF_REG_1, 0, label);
	ebpf_load(e, BPF_REG_1, FP, at + 8);
	ebpf_if_ne(e, BPF_REG_1, mapped_word(), label);
}

/* Write a constant address into the context, and to ADDR for what follows */
static void put6(struct confine_text *t, int off, struct addr a)
{
	uint32_t w[4];

	words_of(a, w);
	for (int i = 0; i < 4; i++) {
		ebpf_set(&t->e, BPF_REG_1, w[i]);
		ebpf_store(&t->e, CTX, off + 4 * i, BPF_REG_1);
		ebpf_store(&t->e, FP, ADDR + 4 * i, BPF_REG_1);
	}
}

/* As itself4(), of the address at ADDR */
static void itself6(struct confine_text *t, int off, enum elsewhere other)
{
	struct ebpf *e = &t->e;
	const uint32_t own = ebpf_label(e), any = ebpf_label(e), set = ebpf_label(e);
	const uint32_t note = ebpf_label(e), done = ebpf_label(e);

	own6(t, ADDR, own);
	if_addr6(t, ADDR, (struct addr){ AF_V6, 0 }, any);
	if_not_addr6(t, ADDR, (struct addr){ AF_V6, 1 },
		     other == REFUSE ? t->no_addr : other == FORGET ? own : done);
	ebpf_set(e, FOUND, 1);
	ebpf_goto(e, set);
	ebpf_here(e, own);
	ebpf_set(e, FOUND, 0);
	ebpf_goto(e, note);
	ebpf_here(e, any);
	ebpf_set(e, FOUND, 0);
	ebpf_here(e, set);
	put6(t, off, first(&t->rules->v6)->a);
	ebpf_here(e, note);
	remember(t, SLOT_V6 + t->hook->slot * 4);
	ebpf_here(e, done);
}

static void copy6(struct confine_text *t, int to, struct addr a)
{
	uint32_t w[4];

	words_of(a, w);
	for (int i = 0; i < 4; i++)
		ebpf_store_imm(&t->e, FP, to + 4 * i, w[i]);
}

/* SRC = the jail's source towards ADDR */
static void source6(struct confine_text *t)
{
	struct ebpf *e = &t->e;
	const struct confine_family *f = &t->rules->v6;
	const uint32_t done = ebpf_label(e);

	for (uint32_t i = 0; f->addrs.n > 1 && i < f->addrs.n; i++) {
		const struct prefix p = f->addrs.v[i];
		const uint32_t next = ebpf_label(e);
		uint32_t mask[4], net[4];

		if (p.len == 0)
			continue;	/* every network: says nothing */
		words_of((struct addr){ AF_V6, prefix_mask(AF_V6, p.len) }, mask);
		words_of(prefix_first(p), net);
		for (int w = 0; w < 4 && mask[w] != 0; w++) {
			ebpf_load(e, BPF_REG_1, FP, ADDR + 4 * w);
			ebpf_and(e, BPF_REG_1, mask[w]);
			ebpf_if_ne(e, BPF_REG_1, net[w], next);
		}
		copy6(t, SRC, p.a);
		ebpf_goto(e, done);
		ebpf_here(e, next);
	}
	copy6(t, SRC, first(f)->a);
	ebpf_here(e, done);
}

/* SA = the address at SRC */
static void bind_source6(struct confine_text *t)
{
	struct ebpf *e = &t->e;

	ebpf_store_imm(e, FP, SA, family_word(AF_INET6));
	ebpf_store_imm(e, FP, SA + 4, 0);
	for (int i = 0; i < 4; i++) {
		ebpf_load(e, BPF_REG_1, FP, SRC + 4 * i);
		ebpf_store(e, FP, SA + 8 + 4 * i, BPF_REG_1);
	}
	ebpf_store_imm(e, FP, SA + 24, 0);
	bind_source(t, sizeof(struct sockaddr_in6));
}

/* The wildcard: IPv6, and IPv4 too unless the socket is of IPv6 only */
static void bind_any6(struct confine_text *t)
{
	const struct prefix *p = first(&t->rules->v4);
	const uint32_t next = ebpf_label(&t->e);

	/* With IPv6 of its own that is meant; IPV6_V6ONLY cannot be asked for here */
	if (t->rules->v6.addrs.n > 0 || p == NULL)
		return;
	if_not_addr6(t, ADDR, (struct addr){ AF_V6, 0 }, next);
	put6(t, AT(user_ip6), (struct addr){ AF_V6, (u128)0xffff << 32 | p->a.v });
	ebpf_goto(&t->e, t->pass);
	ebpf_here(&t->e, next);
}

static bool is_judged6(struct confine_text *t)
{
	if (t->rules->v6.is_free)
		ebpf_goto(&t->e, t->pass);
	else if (t->rules->v6.addrs.n == 0)
		ebpf_goto(&t->e, t->no_addr);
	else
		return true;
	return false;
}

static void write_bind6(struct confine_text *t)
{
	struct ebpf *e = &t->e;
	const uint32_t v6 = ebpf_label(e);

	fetch6(t, ADDR, CTX, AT(user_ip6));
	if_not_mapped(t, ADDR, v6);
	if (is_judged4(t)) {
		ebpf_load(e, V4, FP, ADDR + 12);
		itself4(t, AT(user_ip6) + 12, REFUSE);
		ebpf_goto(e, t->pass);
	}
	ebpf_here(e, v6);
	if (!t->rules->v6.is_free)
		bind_any6(t);
	if (!is_judged6(t))
		return;
	itself6(t, AT(user_ip6), REFUSE);
	ebpf_goto(e, t->pass);
}

/* connect(2) of an IPv6 socket to ::ffff:A */
static void connect_mapped(struct confine_text *t)
{
	struct ebpf *e = &t->e;
	const uint32_t choose = ebpf_label(e);

	if (!is_judged4(t))
		return;
	ebpf_load(e, V4, FP, ADDR + 12);
	itself4(t, AT(user_ip6) + 12, FORGET);
	ebpf_load_pointer(e, SOCK, CTX, AT(sk));
	fetch6(t, SRC, SOCK, offsetof(struct bpf_sock, src_ip6));
	if_addr6(t, SRC, (struct addr){ AF_V6, 0 }, choose);
	if_not_mapped(t, SRC, t->no_addr);
	ebpf_load(e, FOUND, FP, SRC + 12);
	own4(t, FOUND, t->pass);
	ebpf_goto(e, t->no_addr);
	ebpf_here(e, choose);
	source4(t);
	copy6(t, SRC, (struct addr){ AF_V6, (u128)0xffff << 32 });
	ebpf_store(e, FP, SRC + 12, FOUND);
	bind_source6(t);
}

static void write_connect6(struct confine_text *t)
{
	struct ebpf *e = &t->e;
	const uint32_t v6 = ebpf_label(e), choose = ebpf_label(e);

	fetch6(t, ADDR, CTX, AT(user_ip6));
	if_not_mapped(t, ADDR, v6);
	connect_mapped(t);
	ebpf_here(e, v6);
	if (!is_judged6(t))
		return;
	itself6(t, AT(user_ip6), FORGET);
	ebpf_load_pointer(e, SOCK, CTX, AT(sk));
	fetch6(t, SRC, SOCK, offsetof(struct bpf_sock, src_ip6));
	if_addr6(t, SRC, (struct addr){ AF_V6, 0 }, choose);
	own6(t, SRC, t->pass);
	ebpf_goto(e, t->no_addr);
	ebpf_here(e, choose);
	source6(t);
	bind_source6(t);
}

/* As write_sendmsg4(); IPv4 of an IPv6 socket comes there */
static void write_sendmsg6(struct confine_text *t)
{
	struct ebpf *e = &t->e;
	const uint32_t named = ebpf_label(e), source = ebpf_label(e), choose = ebpf_label(e);

	if (!is_judged6(t))
		return;
	fetch6(t, ADDR, CTX, AT(user_ip6));
	ebpf_load(e, BPF_REG_1, CTX, AT(user_port));
	ebpf_if_ne(e, BPF_REG_1, 0, named);
	if_addr6(t, ADDR, (struct addr){ AF_V6, 0 }, source);
	ebpf_here(e, named);
	itself6(t, AT(user_ip6), LEAVE);
	ebpf_here(e, source);
	fetch6(t, SRC, CTX, AT(msg_src_ip6));
	own6(t, SRC, t->pass);
	if_addr6(t, SRC, (struct addr){ AF_V6, 0 }, choose);
	if_not_addr6(t, SRC, (struct addr){ AF_V6, 1 }, t->no_addr);
	ebpf_here(e, choose);
	source6(t);
	for (int i = 0; i < 4; i++) {
		ebpf_load(e, BPF_REG_1, FP, SRC + 4 * i);
		ebpf_store(e, CTX, AT(msg_src_ip6) + 4 * i, BPF_REG_1);
	}
	ebpf_goto(e, t->pass);
}

static void write_tell6(struct confine_text *t)
{
	struct ebpf *e = &t->e;
	const uint32_t v6 = ebpf_label(e);

	fetch6(t, ADDR, CTX, AT(user_ip6));
	if (t->rules->v4.addrs.n > 0) {
		if_not_mapped(t, ADDR, v6);
		ebpf_load(e, V4, FP, ADDR + 12);
		tell4(t, AT(user_ip6) + 12);
		ebpf_here(e, v6);
	}
	if (t->rules->v6.addrs.n > 0) {
		if_not_addr6(t, ADDR, first(&t->rules->v6)->a, t->pass);
		recall(t, SLOT_V6 + t->hook->slot * 4);
		put6(t, AT(user_ip6), (struct addr){ AF_V6, 1 });
	}
	ebpf_goto(e, t->pass);
}

/* ---- sockets, and what arrives ----------------------------------------------- */

static void fetch_packet(struct confine_text *t, uint32_t off, uint32_t len, uint32_t drop)
{
	struct ebpf *e = &t->e;

	ebpf_move(e, BPF_REG_1, CTX);
	ebpf_set(e, BPF_REG_2, off);
	ebpf_move(e, BPF_REG_3, FP);
	ebpf_add(e, BPF_REG_3, ADDR);
	ebpf_set(e, BPF_REG_4, len);
	ebpf_call(e, BPF_FUNC_skb_load_bytes);
	ebpf_if_ne(e, BPF_REG_0, 0, drop);
}

static void write_ingress(struct confine_text *t)
{
	struct ebpf *e = &t->e;
	const uint32_t drop = ebpf_label(e), v6 = ebpf_label(e);

	fetch_packet(t, 0, 1, drop);
	ebpf_load_byte(e, BPF_REG_1, FP, ADDR);
	ebpf_and(e, BPF_REG_1, 0xf0);
	ebpf_if_ne(e, BPF_REG_1, 0x40, v6);
	if (t->rules->v4.is_free) {
		ebpf_goto(e, t->pass);
	} else {
		fetch_packet(t, 16, 4, drop);
		ebpf_load(e, V4, FP, ADDR);
		own4(t, V4, t->pass);
		ebpf_goto(e, drop);
	}
	ebpf_here(e, v6);
	if (t->rules->v6.is_free) {
		ebpf_goto(e, t->pass);
	} else {
		fetch_packet(t, 24, 16, drop);
		own6(t, ADDR, t->pass);
	}
	ebpf_here(e, drop);
	ebpf_return(e, 0);
}

static void write_sock_create(struct confine_text *t)
{
	struct ebpf *e = &t->e;
	const uint32_t raw = ebpf_label(e);

	ebpf_load(e, BPF_REG_1, CTX, offsetof(struct bpf_sock, type));
	ebpf_if_eq(e, BPF_REG_1, SOCK_RAW, raw);
	ebpf_load(e, BPF_REG_1, CTX, offsetof(struct bpf_sock, protocol));
	ebpf_if_eq(e, BPF_REG_1, IPPROTO_TCP, t->pass);
	ebpf_if_eq(e, BPF_REG_1, IPPROTO_UDP, t->pass);
	ebpf_if_eq(e, BPF_REG_1, IPPROTO_ICMP, raw);
	ebpf_if_eq(e, BPF_REG_1, IPPROTO_ICMPV6, raw);
	refuse(e, EPROTONOSUPPORT);
	ebpf_here(e, raw);
	if (t->rules->may_raw)
		ebpf_goto(e, t->pass);
	else
		refuse(e, EPERM);
}

/* ---- the table --------------------------------------------------------------- */

#define ADDR_HOOK(name, hook, af, fn, slot) \
	{ "sp_" name, BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_##hook, af, fn, slot }

const struct confine_hook confine_hooks[CONFINE_HOOKS] = {
	ADDR_HOOK("connect4", INET4_CONNECT, AF_V4, write_connect4, 1),
	ADDR_HOOK("connect6", INET6_CONNECT, AF_NONE, write_connect6, 1),
	ADDR_HOOK("bind4", INET4_BIND, AF_V4, write_bind4, 0),
	ADDR_HOOK("bind6", INET6_BIND, AF_NONE, write_bind6, 0),
	ADDR_HOOK("sendmsg4", UDP4_SENDMSG, AF_V4, write_sendmsg4, 1),
	ADDR_HOOK("sendmsg6", UDP6_SENDMSG, AF_V6, write_sendmsg6, 1),
	ADDR_HOOK("recvmsg4", UDP4_RECVMSG, AF_V4, write_tell4, 1),
	ADDR_HOOK("recvmsg6", UDP6_RECVMSG, AF_NONE, write_tell6, 1),
	ADDR_HOOK("getpeer4", INET4_GETPEERNAME, AF_V4, write_tell4, 1),
	ADDR_HOOK("getpeer6", INET6_GETPEERNAME, AF_NONE, write_tell6, 1),
	ADDR_HOOK("getsock4", INET4_GETSOCKNAME, AF_V4, write_tell4, 0),
	ADDR_HOOK("getsock6", INET6_GETSOCKNAME, AF_NONE, write_tell6, 0),
	{ "sp_ingress", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, AF_NONE,
	  write_ingress, 0 },
	{ "sp_create", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, AF_NONE,
	  write_sock_create, 0 },
};

bool confine_is_needed(const struct confine_hook *hook, const struct confine_rules *rules)
{
	if (hook->af == AF_V4)
		return !rules->v4.is_free;
	if (hook->af == AF_V6)
		return !rules->v6.is_free;
	return true;
}

void confine_write(const struct confine_hook *hook, const struct confine_rules *rules,
		   int storage, struct arena *a, struct ebpf *ret)
{
	struct confine_text t = { .e = { .a = a }, .rules = rules, .hook = hook,
				  .storage = storage };

	t.pass = ebpf_label(&t.e);
	t.no_addr = ebpf_label(&t.e);
	ebpf_move(&t.e, CTX, BPF_REG_1);
	hook->write(&t);
	if (ebpf_is_used(&t.e, t.no_addr)) {
		ebpf_here(&t.e, t.no_addr);
		refuse(&t.e, EADDRNOTAVAIL);
	}
	if (ebpf_is_used(&t.e, t.pass)) {
		ebpf_here(&t.e, t.pass);
		ebpf_return(&t.e, 1);
	}
	ebpf_finish(&t.e);
	*ret = t.e;
}
