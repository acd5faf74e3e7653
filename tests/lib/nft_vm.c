/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A mistake in a program is about some value: a port, an address, a bit of a mark.
 * So packets are drawn from the constants of both programs and their neighbours;
 * among random ones few would come near.
 *
 * Lots are drawn from the packet and the rule's place in the declarations, so that
 * the same rule draws the same in both programs.
 */
#include "nft_vm.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_arp.h>
#include <linux/rtnetlink.h>

#include "base/fnv.h"
#include "diff_gen.h"

#define PACKETS		3000u
#define MAX_LOGS	32u		/* messages about one packet */
#define CONNTRACK	(-200)		/* where it looks at packets */
#define MAX_VALUES	512u
#define DEPTH		40u
#define GOES_ON		(-100)		/* beside the kernel's verdicts */
#define RETURNS		(-101)
#define REJECTED	(-102)
#define TRANSLATED	(-103)
#define STRANGE		(-104)

/* A packet and what is remembered of it */
struct vm_packet {
	uint8_t af;		/* AF_V4, AF_V6, 1: ARP */
	uint8_t net[40];
	uint8_t th[24];
	uint8_t proto;
	char in[16];
	char out[16];
	bool is_invalid;
	bool is_reply;
	bool is_new;
	uint32_t status;
	uint32_t ctmark;
	uint32_t mark;
	bool has_opts;
	bool rpf;
	bool sroute;
	bool droute;
	uint32_t cast[2];
	uint64_t luck;
};

/* What is told of a packet: messages, each once, and a sum of counts */
struct vm_told {
	uint64_t logs[MAX_LOGS];
	uint32_t n_logs;
	uint64_t counts;
};

struct vm_result {
	int verdict;
	uint32_t reject;
	struct vm_packet p;
	uint8_t nat[64];
	struct vm_told told;
};

struct vm {
	const struct model *m;
	const struct prog *prog;
	uint8_t family;
	struct vm_packet *p;
	uint8_t reg[80];
	uint32_t reject;
	uint8_t nat[64];
	uint32_t depth;
	struct vm_told *told;
};

static uint32_t place(uint32_t reg)
{
	return reg >= NFT_REG32_00 ? (reg - NFT_REG32_00) * 4 : (reg - NFT_REG_1) * 16;
}

static void put(struct vm *v, uint32_t reg, const void *data, uint32_t len)
{
	memset(v->reg + place(reg), 0, (len + 3) / 4 * 4);
	memcpy(v->reg + place(reg), data, len);
}

static bool is_own(struct vm *v, bool src)
{
	const uint32_t at = v->p->af == AF_V4 ? (src ? 12 : 16) : (src ? 8 : 24);
	const struct addr a = addr_from_bytes(v->p->af, v->p->net + at);

	return addr_is_loopback(a) || facts_iface_of(v->m->facts, a) != NULL;
}

static int load_meta(struct vm *v, const struct prog_expr *x)
{
	const uint8_t family = v->p->af == AF_V6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	const uint32_t index = v->p->in[0] != '\0';

	switch (x->key) {
	case NFT_META_NFPROTO:
		put(v, x->dreg, &family, 1);
		break;
	case NFT_META_L4PROTO:
		put(v, x->dreg, &v->p->proto, 1);
		break;
	case NFT_META_IIFNAME:
		put(v, x->dreg, v->p->in, 16);
		break;
	case NFT_META_OIFNAME:
		put(v, x->dreg, v->p->out, 16);
		break;
	case NFT_META_IIF:
		put(v, x->dreg, &index, 4);
		break;
	case NFT_META_MARK:
		put(v, x->dreg, &v->p->mark, 4);
		break;
	default:
		return STRANGE;
	}
	return GOES_ON;
}

static int load_ct(struct vm *v, const struct prog_expr *x)
{
	const uint8_t dir = v->p->is_reply;
	const uint32_t state = v->p->is_invalid ? 1 : v->p->is_new ? 8 : 2;

	if (x->key == NFT_CT_STATE)
		put(v, x->dreg, &state, 4);
	else if (v->p->is_invalid)
		return NFT_BREAK;
	else if (x->key == NFT_CT_DIRECTION)
		put(v, x->dreg, &dir, 1);
	else if (x->key == NFT_CT_STATUS)
		put(v, x->dreg, &v->p->status, 4);
	else if (x->key == NFT_CT_MARK)
		put(v, x->dreg, &v->p->ctmark, 4);
	else
		return STRANGE;
	return GOES_ON;
}

static int load_payload(struct vm *v, const struct prog_expr *x)
{
	const bool net = x->key == NFT_PAYLOAD_NETWORK_HEADER;
	const uint32_t net_len = v->p->af == AF_V4 ? 20 : v->p->af == AF_V6 ? 40 : 28;
	uint8_t all[sizeof(v->p->net) + sizeof(v->p->th)];
	const uint32_t start = net ? x->offset : net_len + x->offset;

	/* One header stands behind the other */
	memcpy(all, v->p->net, net_len);
	memcpy(all + net_len, v->p->th, sizeof(v->p->th));
	if (start + x->len > net_len + sizeof(v->p->th))
		return STRANGE;
	put(v, x->dreg, all + start, x->len);
	return GOES_ON;
}

static int load_fib(struct vm *v, const struct prog_expr *x)
{
	const bool src = (x->offset & NFTA_FIB_F_SADDR) != 0;
	uint32_t r;

	if (x->key == NFT_FIB_RESULT_ADDRTYPE)
		r = is_own(v, src) ? (uint32_t)RTN_LOCAL : v->p->cast[src];
	else if ((x->offset & NFTA_FIB_F_IIF) != 0)
		r = v->p->rpf;
	else
		r = src ? v->p->sroute : v->p->droute;
	put(v, x->dreg, &r, 4);
	return GOES_ON;
}

static int load_exthdr(struct vm *v, const struct prog_expr *x)
{
	const uint8_t is = v->p->af == AF_V6 && x->offset == NFT_EXTHDR_OP_IPV6 && v->p->has_opts;

	put(v, x->dreg, &is, 1);
	return GOES_ON;
}

static uint64_t stir(uint64_t h, const void *data, size_t len)
{
	h = fnv64(h, data, len);
	return h ^ h >> 29;
}

static int do_cmp(struct vm *v, const struct prog_expr *x)
{
	const int order = memcmp(v->reg + place(x->sreg), x->data, x->len);
	const bool is[] = {
		[NFT_CMP_EQ] = order == 0, [NFT_CMP_NEQ] = order != 0, [NFT_CMP_LT] = order < 0,
		[NFT_CMP_LTE] = order <= 0, [NFT_CMP_GT] = order > 0, [NFT_CMP_GTE] = order >= 0,
	};

	return is[x->key] ? GOES_ON : NFT_BREAK;
}

static bool is_elem(const struct prog_set *s, const struct prog_elem *e, const uint8_t *key)
{
	uint32_t at = 0;

	if (e->key_end == NULL)
		return memcmp(e->key, key, s->key_len) == 0;
	for (uint32_t i = 0; i < s->n_fields; i++) {
		const uint32_t len = s->field_len[i];

		if (memcmp(key + at, e->key + at, len) < 0 ||
		    memcmp(key + at, e->key_end + at, len) > 0)
			return false;
		at += (len + 3) / 4 * 4;
	}
	return true;
}

static const struct prog_elem *find(const struct prog_set *s, const uint8_t *key)
{
	const struct prog_elem *near = NULL;

	for (uint32_t i = 0; i < s->elems.n; i++) {
		const struct prog_elem *e = &s->elems.v[i];
		int order;

		if ((s->flags & NFT_SET_INTERVAL) == 0 || s->n_fields > 1) {
			if (is_elem(s, e, key))
				return e;
			continue;
		}
		if (memcmp(e->key, key, s->key_len) > 0)
			continue;
		order = near == NULL ? 1 : memcmp(e->key, near->key, s->key_len);
		if (order > 0 || (order == 0 && !e->is_end))
			near = e;
	}
	return near != NULL && !near->is_end ? near : NULL;
}

static int run_chain(struct vm *v, const char *name);

static int do_verdict(struct vm *v, int32_t code, const char *chain)
{
	int r;

	if (code == NFT_JUMP || code == NFT_GOTO) {
		r = run_chain(v, chain);
		if (r != GOES_ON && r != RETURNS)
			return r;
		return code == NFT_JUMP ? NFT_BREAK : RETURNS;
	}
	return code == NFT_RETURN ? RETURNS : code == NFT_CONTINUE ? NFT_BREAK : code;
}

static int do_lookup(struct vm *v, const struct prog_expr *x)
{
	const struct prog_set *s = prog_set_of(v->prog, v->family, x->set);
	const struct prog_elem *e;

	if (s == NULL || (s->flags & NFT_SET_EVAL) != 0)
		return STRANGE;
	e = find(s, v->reg + place(x->sreg));
	if (!x->has_dreg)
		return (e != NULL) != x->is_not ? GOES_ON : NFT_BREAK;
	if (e == NULL)
		return NFT_BREAK;
	if (x->dreg == NFT_REG_VERDICT)
		return do_verdict(v, e->verdict, e->chain);
	put(v, x->dreg, e->data, s->data_len);
	return GOES_ON;
}

/* One port is no lot; and one that it has anyway is none */
static void simplify_ports(struct vm *v, bool is_src)
{
	const bool is_one = memcmp(v->nat + 20, v->nat + 22, 2) == 0;

	if (is_one)
		v->nat[1] &= (uint8_t)~NF_NAT_RANGE_PROTO_RANDOM_FULLY;
	if (!is_one || !proto_has_ports(v->p->proto) ||
	    memcmp(v->nat + 20, v->p->th + (is_src ? 0 : 2), 2) != 0)
		return;
	v->nat[1] &= (uint8_t)~NF_NAT_RANGE_PROTO_SPECIFIED;
	memset(v->nat + 20, 0, 4);
}

static int do_nat(struct vm *v, const struct prog_expr *x)
{
	const uint32_t family = v->p->af == AF_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	const uint32_t len = v->p->af == AF_V4 ? 4 : 16;

	if (x->nat.family != NFPROTO_INET && x->nat.family != family)
		return NFT_BREAK;
	memset(v->nat, 0, sizeof(v->nat));
	v->nat[0] = 1 + x->nat.is_src;
	/* Of one address there is nothing to be persistent about */
	v->nat[1] = (uint8_t)(x->nat.flags & ~(uint32_t)NF_NAT_RANGE_PERSISTENT);
	if (x->nat.addr[0] != 0) {
		memcpy(v->nat + 2, v->reg + place(x->nat.addr[0]), len);
		memcpy(v->nat + 24, v->reg + place(x->nat.addr[1]), len);
	}
	if (x->nat.port[0] != 0) {
		memcpy(v->nat + 20, v->reg + place(x->nat.port[0]), 2);
		memcpy(v->nat + 22, v->reg + place(x->nat.port[1]), 2);
		simplify_ports(v, x->nat.is_src);
	}
	return TRANSLATED;
}

static void do_bitwise(struct vm *v, const struct prog_expr *x)
{
	uint8_t r[16];

	for (uint32_t i = 0; i < x->len; i++)
		r[i] = (uint8_t)((v->reg[place(x->sreg) + i] & x->mask[i]) ^ x->data[i]);
	put(v, x->dreg, r, x->len);
}

/* Lots and hashes: the same for the same packet and rule */
static void do_luck(struct vm *v, const struct prog_expr *x, const struct prog_rule *r)
{
	const uint64_t h = x->op == X_HASH
				   ? stir(x->seed, v->reg + place(x->sreg), x->len)
				   : stir(v->p->luck + x->modulus, r->comment, strlen(r->comment));
	const uint32_t n = (uint32_t)(h % x->modulus);

	put(v, x->dreg, &n, 4);
}

static void do_log(struct vm *v, const struct prog_expr *x)
{
	const uint64_t h = stir(stir(x->has_dreg + 2 * x->is_not, &x->key, sizeof(x->key)), x->set,
				strlen(x->set));
	uint32_t i = 0;

	while (i < v->told->n_logs && v->told->logs[i] != h)
		i++;
	if (i == v->told->n_logs && i < MAX_LOGS)
		v->told->logs[v->told->n_logs++] = h;
}

static int do_expr(struct vm *v, const struct prog_expr *x, const struct prog_rule *r)
{
	uint32_t word;

	switch (x->op) {
	case X_NOTHING:
		return GOES_ON;
	case X_COUNTER:
		if (r->comment[0] != '\0')
			v->told->counts += stir(1, r->comment, strlen(r->comment));
		return GOES_ON;
	case X_LOG:
		do_log(v, x);
		return GOES_ON;
	case X_META:
		return load_meta(v, x);
	case X_CT:
		return load_ct(v, x);
	case X_PAYLOAD:
		return load_payload(v, x);
	case X_FIB:
		return load_fib(v, x);
	case X_EXTHDR:
		return load_exthdr(v, x);
	case X_CMP:
		return do_cmp(v, x);
	case X_LOOKUP:
		return do_lookup(v, x);
	case X_VERDICT:
		return do_verdict(v, (int32_t)x->key, x->set);
	case X_NAT:
		return do_nat(v, x);
	case X_BITWISE:
		do_bitwise(v, x);
		return GOES_ON;
	case X_IMMEDIATE:
		put(v, x->dreg, x->data, x->len);
		return GOES_ON;
	case X_NUMGEN:
	case X_HASH:
		do_luck(v, x, r);
		return GOES_ON;
	case X_SWAP:
		memcpy(&word, v->reg + place(x->sreg), 4);
		word = htonl(word);
		put(v, x->dreg, &word, 4);
		return GOES_ON;
	case X_META_SET:
		memcpy(&v->p->mark, v->reg + place(x->sreg), 4);
		return GOES_ON;
	case X_CT_SET:
		if (!v->p->is_invalid)
			memcpy(&v->p->ctmark, v->reg + place(x->sreg), 4);
		return GOES_ON;
	case X_REJECT:
		if (x->key == NFT_REJECT_TCP_RST && v->p->proto != PROTO_TCP)
			return NF_DROP;
		v->reject = x->key << 8 | x->offset;
		return REJECTED;
	default:
		return STRANGE;
	}
}

static int run_chain(struct vm *v, const char *name)
{
	const struct prog_chain *c = prog_chain_of(v->prog, v->family, name);
	int out = GOES_ON;

	if (c == NULL || v->depth >= DEPTH)
		return STRANGE;
	v->depth++;
	for (uint32_t i = 0; i < c->rules.n && out == GOES_ON; i++) {
		for (uint32_t k = 0; k < c->rules.v[i].exprs.n && out == GOES_ON; k++)
			out = do_expr(v, &c->rules.v[i].exprs.v[k], &c->rules.v[i]);
		out = out == NFT_BREAK ? GOES_ON : out;
	}
	v->depth--;
	return out;
}

/* Translation has its place in a hook, whatever its chains say */
static int32_t prio_of(const struct prog_chain *c)
{
	if (strcmp(c->type, "nat") != 0)
		return c->prio;
	return c->hook == NF_INET_PRE_ROUTING || c->hook == NF_INET_LOCAL_OUT ? -100 : 100;
}

/* The next base chain of a hook behind @last; NULL: none */
static const struct prog_chain *next_base(const struct prog *p, uint8_t family, uint32_t hook,
					  const struct prog_chain *last)
{
	const struct prog_chain *next = NULL;

	for (uint32_t i = 0; i < p->chains.n; i++) {
		const struct prog_chain *c = &p->chains.v[i];

		if (c->type == NULL || c->family != family || c->hook != hook ||
		    (last != NULL && (prio_of(c) < prio_of(last) ||
				      (prio_of(c) == prio_of(last) && c <= last))))
			continue;
		if (next == NULL || prio_of(c) < prio_of(next))
			next = c;
	}
	return next;
}

/* To the address that it has, and no port: the flow is bound, and stays as it is */
static bool changes_nothing(const struct vm *v)
{
	const uint32_t len = v->p->af == AF_V4 ? 4 : 16, src = v->p->af == AF_V4 ? 12 : 8;
	const bool is_src = v->nat[0] == 2;

	return v->nat[1] == NF_NAT_RANGE_MAP_IPS && memcmp(v->nat + 2, v->nat + 24, len) == 0 &&
	       memcmp(v->nat + 2, v->p->net + src + (is_src ? 0 : len), len) == 0;
}

/* conntrack has not looked at it yet; what came by lo it saw as that left */
static bool is_unseen(const struct prog_chain *c, const struct vm_packet *p)
{
	return prio_of(c) <= CONNTRACK &&
	       (c->hook == NF_INET_LOCAL_OUT ||
		(c->hook == NF_INET_PRE_ROUTING && strcmp(p->in, "lo") != 0));
}

static void run_hook(const struct model *m, const struct prog *prog, uint8_t family,
		     uint32_t hook, const struct vm_packet *p, struct vm_result *r)
{
	struct vm v = { .m = m, .prog = prog, .family = family, .p = &r->p, .told = &r->told };
	const struct prog_chain *c = NULL;

	*r = (struct vm_result){ .verdict = NF_ACCEPT, .p = *p, .told = r->told };
	while (r->verdict == NF_ACCEPT &&
	       (c = next_base(prog, family, hook, c)) != NULL) {
		const bool nat = strcmp(c->type, "nat") == 0;

		/*
		 * Only the first packet of a flow asks nat rules, and only of them once; what
		 * the host sends to itself did as it left
		 */
		if (nat && (p->is_invalid || !p->is_new || v.nat[0] != 0 ||
			    (hook == NF_INET_PRE_ROUTING && strcmp(p->in, "lo") == 0)))
			continue;
		r->p.is_invalid |= is_unseen(c, p);
		r->verdict = run_chain(&v, c->name);
		r->p.is_invalid = p->is_invalid;
		if (r->verdict == GOES_ON || r->verdict == RETURNS)
			r->verdict = c->policy == NF_DROP ? NF_DROP : NF_ACCEPT;
		if (r->verdict == TRANSLATED)
			r->verdict = nat ? NF_ACCEPT : STRANGE;
	}
	r->reject = v.reject;
	if (!changes_nothing(&v))
		memcpy(r->nat, v.nat, sizeof(r->nat));
}

/* ---- packets --------------------------------------------------------------------- */

/* Constants of programs, by length */
struct values {
	struct gen g;
	uint8_t v[17][MAX_VALUES][16];
	uint32_t n[17];
	const struct vm_options *how;
};

static void add_value(struct values *w, const uint8_t *b, uint32_t len)
{
	if (len > 16 || len == 0)
		return;
	memcpy(w->v[len][w->n[len] < MAX_VALUES ? w->n[len] : gen_below(&w->g, MAX_VALUES)], b,
	       len);
	w->n[len] = MIN(w->n[len] + 1, MAX_VALUES);
}

static void add_key(struct values *w, const struct prog_set *s, const uint8_t *key)
{
	static const uint32_t parts[][4] = { { 4, 4, 4, 0 }, { 4, 16, 4, 0 }, { 4, 4, 0, 0 } };

	if (s->key_len <= 16 && s->n_fields < 2)
		add_value(w, key, s->key_len);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		uint32_t at = 0;

		if (parts[i][0] + parts[i][1] + parts[i][2] != s->key_len)
			continue;
		for (int k = 0; k < 3; at += parts[i][k++]) {
			add_value(w, key + at, parts[i][k]);
			add_value(w, key + at, 2);
			add_value(w, key + at, 1);
		}
	}
}

static void gather(struct values *w, const struct prog *p)
{
	for (uint32_t c = 0; c < p->chains.n; c++)
		for (uint32_t i = 0; i < p->chains.v[c].rules.n; i++)
			for (uint32_t k = 0; k < p->chains.v[c].rules.v[i].exprs.n; k++) {
				const struct prog_expr *x = &p->chains.v[c].rules.v[i].exprs.v[k];

				if (x->op == X_CMP || x->op == X_IMMEDIATE)
					add_value(w, x->data, x->len);
			}
	for (uint32_t s = 0; s < p->sets.n; s++)
		for (uint32_t e = 0; e < p->sets.v[s].elems.n; e++)
			add_key(w, &p->sets.v[s], p->sets.v[s].elems.v[e].key);
}

/* A value of a length, sometimes the one beside it */
static void draw(struct values *w, uint8_t *to, uint32_t len)
{
	if (w->n[len] == 0 || gen_often(&w->g, 15))
		return;
	memcpy(to, w->v[len][gen_below(&w->g, w->n[len])], len);
	if (gen_often(&w->g, 30))
		to[len - 1] = (uint8_t)(to[len - 1] + (gen_often(&w->g, 50) ? 1 : -1));
	else if (gen_often(&w->g, 10))
		to[gen_below(&w->g, len)] ^= (uint8_t)(1u << gen_below(&w->g, 8));
}

static void draw_iface(struct values *w, const struct model *m, char *to)
{
	const uint32_t n = m->facts->ifaces.n, i = gen_below(&w->g, n + 1);

	memset(to, 0, 16);
	snprintf(to, 16, "%s", i == n ? "other0"
				      : facts_linux_name(m->facts->ifaces.v[i].name));
}

static void set_header(struct values *w, const struct gen_packet *x, struct vm_packet *p)
{
	const uint32_t len = p->af == AF_V4 ? 4 : 16, src = p->af == AF_V4 ? 12 : 8;

	p->net[0] = p->af == AF_V4 ? (p->has_opts ? 0x46 : 0x45) : 0x60;
	addr_to_bytes(x->p.src, p->net + src);
	addr_to_bytes(x->p.dst, p->net + src + len);
	draw(w, p->net + src, len);
	draw(w, p->net + src + len, len);
	draw(w, &p->proto, 1);
	if (gen_often(&w->g, 70))
		p->proto = x->p.proto;
	p->th[0] = (uint8_t)(x->p.sport >> 8);
	p->th[1] = (uint8_t)x->p.sport;
	p->th[2] = (uint8_t)(x->p.dport >> 8);
	p->th[3] = (uint8_t)x->p.dport;
	p->th[13] = x->p.tcp_flags;
	draw(w, p->th, 2);
	draw(w, p->th + 2, 2);
	if (p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6) {
		p->th[0] = x->p.icmp_type;
		p->th[1] = x->p.icmp_code;
		draw(w, p->th, 1);
	}
	if (gen_often(&w->g, 20))
		p->th[13] = (uint8_t)gen_below(&w->g, 256);
	if (gen_often(&w->g, 20))
		p->net[p->af == AF_V4 ? 1 : 0] ^= p->af == AF_V4 ? 0x10 : 0x01;
}

/* Status bits that a program can give: nobody else translates */
static uint32_t translations(const struct model *m)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < m->xlates.n; i++)
		bits |= m->xlates.v[i].kind == XL_SRC ? 0x10u : 0x20u;
	return bits;
}

static void set_flow(struct values *w, const struct model *m, struct vm_packet *p)
{
	p->is_invalid = gen_often(&w->g, 10);
	p->is_new = gen_often(&w->g, 60);
	p->status = p->is_new ? 0 : 8;
	p->is_reply = !p->is_new && gen_often(&w->g, 50);
	if (!p->is_new) {
		p->ctmark = (uint32_t)gen_below(&w->g, 4) << 24;
		p->status |= (gen_often(&w->g, 20) ? 0x10u : 0) & translations(m);
		p->status |= (gen_often(&w->g, 20) ? 0x20u : 0) & translations(m);
	}
	if (gen_often(&w->g, 30))
		p->mark = (uint32_t)gen_below(&w->g, 256) << 24;
	p->sroute = gen_often(&w->g, 70);
	p->rpf = p->sroute && gen_often(&w->g, 70);
	p->droute = gen_often(&w->g, 70);
	for (int i = 0; i < 2; i++)
		p->cast[i] = gen_often(&w->g, 80) ? RTN_UNICAST
						  : gen_often(&w->g, 50) ? RTN_BROADCAST
									 : RTN_MULTICAST;
}

static bool is_query(const struct vm_packet *p)
{
	return p->af == AF_V4 ? p->th[0] == 0 || p->th[0] == 8 || (p->th[0] >= 13 && p->th[0] <= 18)
			      : p->th[0] == 128 || p->th[0] == 129;
}

/* What is not compared: see the header */
static bool is_left_out(const struct values *w, const struct vm_packet *p)
{
	const bool icmp = p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6;
	const bool by_host = p->in[0] == '\0' || strcmp(p->in, "lo") == 0;

	if (p->proto == (p->af == AF_V4 ? PROTO_ICMP6 : PROTO_ICMP))
		return true;
	if (icmp && !is_query(p) && !p->is_invalid)
		return true;
	return by_host && ((!p->is_invalid && (p->ctmark & w->how->answer) != 0) ||
			   (p->is_invalid && (icmp || (p->th[13] & 4) != 0)));
}

static void make_packet(struct values *w, const struct model *m, uint32_t number, uint8_t af,
			struct vm_packet *p)
{
	struct gen_packet x;

	do {
		x = gen_packet(&w->g, 2 + number % 40);
	} while (x.p.src.af != af);
	*p = (struct vm_packet){ .af = af, .has_opts = gen_often(&w->g, 10), .proto = x.p.proto,
				 .luck = number };
	set_header(w, &x, p);
	set_flow(w, m, p);
	draw_iface(w, m, p->in);
	/* What the host sends to itself came the way that leads back */
	if (strcmp(p->in, "lo") == 0)
		p->rpf = p->sroute = true;
}

static bool same_logs(const struct vm_told *x, const struct vm_told *y)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < x->n_logs; i++)
		for (uint32_t k = 0; k < y->n_logs; k++)
			n += x->logs[i] == y->logs[k];
	return n == x->n_logs && n == y->n_logs;
}

static bool same_result(const struct vm_result *x, const struct vm_result *y, bool counts)
{
	if (!same_logs(&x->told, &y->told) || (counts && x->told.counts != y->told.counts))
		return false;
	if (x->verdict != y->verdict || x->reject != y->reject ||
	    memcmp(x->nat, y->nat, sizeof(x->nat)) != 0)
		return false;
	return x->verdict != NF_ACCEPT ||
	       ((x->p.ctmark ^ y->p.ctmark) & 0x03000000) == 0;
}

/* What goes on from forward or output meets postrouting too */
static void run_way(const struct model *m, const struct prog *prog, uint8_t family,
		    uint32_t hook, const struct vm_packet *p, struct vm_result *r)
{
	struct vm_packet then;

	r->told = (struct vm_told){ .n_logs = 0 };
	run_hook(m, prog, family, hook, p, r);
	if (family != NFPROTO_INET || r->verdict != NF_ACCEPT || r->nat[0] != 0 ||
	    (hook != NF_INET_FORWARD && hook != NF_INET_LOCAL_OUT))
		return;
	then = r->p;
	run_hook(m, prog, family, NF_INET_POST_ROUTING, &then, r);
}

static bool same_at(const struct model *m, const struct prog *good, const struct prog *bad,
		    const struct values *w, uint8_t family, uint32_t hook,
		    const struct vm_packet *p)
{
	struct vm_result x, y;

	run_way(m, good, family, hook, p, &x);
	run_way(m, bad, family, hook, p, &y);
	return x.verdict == STRANGE || y.verdict == STRANGE ||
	       same_result(&x, &y, w->how->counts);
}

/* The hooks that a packet can meet; going out it came by @in, or from the host */
static bool same_for(const struct model *m, const struct prog *good, const struct prog *bad,
		     struct values *w, struct vm_packet p, const char **ret_where)
{
	static const struct {
		const char *name;
		uint32_t hook;
		bool is_out;
		bool by_host;
	} hooks[] = {
		{ "prerouting", NF_INET_PRE_ROUTING, false, false },
		{ "input", NF_INET_LOCAL_IN, false, false },
		{ "forward", NF_INET_FORWARD, true, false },
		{ "output", NF_INET_LOCAL_OUT, true, true },
		{ "postrouting", NF_INET_POST_ROUTING, true, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct vm_packet here = p;

		if (hooks[i].is_out)
			draw_iface(w, m, here.out);
		if (hooks[i].by_host || (hooks[i].hook == NF_INET_POST_ROUTING &&
					 gen_often(&w->g, 40)))
			memset(here.in, 0, sizeof(here.in));
		/* What is behind the translation has its status */
		here.mark &= hooks[i].hook == NF_INET_PRE_ROUTING ? UINT32_MAX : 0x03ffffff;
		*ret_where = hooks[i].name;
		/*
		 * Only what is translated can come here without having been judged ahead; with
		 * free states all is, and what was found there stands in the mark
		 */
		if (hooks[i].hook == NF_INET_POST_ROUTING &&
		    (translations(m) == 0 || m->discipline == STATES_FREE))
			continue;
		/* A routing header is refused at the fence, of which the model has no word */
		if (hooks[i].hook == NF_INET_PRE_ROUTING && here.af == AF_V6 && here.has_opts)
			continue;
		if (!is_left_out(w, &here) &&
		    !same_at(m, good, bad, w, NFPROTO_INET, hooks[i].hook, &here))
			return false;
	}
	return true;
}

static bool same_arp(const struct model *m, const struct prog *good, const struct prog *bad,
		     struct values *w)
{
	struct vm_packet p = { .af = 1 };

	p.net[7] = (uint8_t)(1 + gen_below(&w->g, 2));
	draw(w, p.net + 14, 4);
	draw(w, p.net + 24, 4);
	draw_iface(w, m, p.in);
	memcpy(p.out, p.in, sizeof(p.out));
	return same_at(m, good, bad, w, NFPROTO_ARP, NF_ARP_IN, &p) &&
	       same_at(m, good, bad, w, NFPROTO_ARP, NF_ARP_OUT, &p);
}

bool vm_same(const struct model *m, const struct prog *good, const struct prog *bad,
	     const struct vm_options *how, uint64_t seed, struct arena *a, const char **ret_why)
{
	struct values *w = arena_new(a, struct values);

	w->g = gen_seed(seed, 77);
	w->how = how;
	gather(w, good);
	gather(w, bad);
	for (uint32_t i = 0; i < PACKETS; i++) {
		const uint8_t af = gen_often(&w->g, 60) ? AF_V4 : AF_V6;
		struct vm_packet p;
		const char *where;

		make_packet(w, m, i, af, &p);
		if (!same_for(m, good, bad, w, p, &where)) {
			*ret_why = arena_printf(a, "packet %u (protocol %u, in %s) differs in %s",
						i, p.proto, p.in, where);
			return false;
		}
		if (!same_arp(m, good, bad, w)) {
			*ret_why = arena_printf(a, "ARP packet %u differs", i);
			return false;
		}
	}
	return true;
}
