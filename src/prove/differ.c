/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Where two functions differ a packet is found on the way down.  What the way does
 * not ask stays what an ordinary packet has, so that the example reads well.  If
 * there is one of which nothing is remembered, that is shown: it can be sent.
 */
#include "prove/stages.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/eval.h"

void prove_unproven(struct proof *p, struct prove_result *ret, const char *what)
{
	for (uint32_t i = 0; i < ret->unproven.n; i++)
		if (strcmp(ret->unproven.v[i], what) == 0)
			return;
	vec_add(p->a, &ret->unproven, arena_strndup(p->a, what, strlen(what)));
}

#define IP6_HEADER	40u
#define USUAL_LEN	60u
#define USUAL_PORT	80u
#define USUAL_SPORT	40000u
#define NS_PER_SECOND	1000000000u

/* Numbers in headers: what `why` calls them, and what it takes where none is said */
static const struct { enum head head; enum part part; const char *name; uint32_t usual; }
numbers[] = {
	{ HEAD_TTL, P_TTL, "ttl", 64 }, { HEAD_ID, P_ID, "id", 0 },
	{ HEAD_FLOWID, P_FLOW, "flow", 0 }, { HEAD_WIN, P_WIN, "win", UINT16_MAX },
	{ HEAD_SEQ, P_SEQ, "seq", 0 }, { HEAD_ACK, P_ACK, "ack", 0 },
};

static void preset(struct proof *p, uint8_t *bit, enum part part, u128 value)
{
	const uint32_t n = space_width(&p->s, part);

	for (uint32_t i = 0; i < n; i++)
		bit[space_var(&p->s, part, i)] = (value >> (n - 1 - i) & 1) != 0;
}

static u128 usual_dst(const struct proof *p)
{
	return (p->s.af == AF_V4 ? (u128)0xc6336400 : (u128)0x20010db8 << 96) | 9;
}

/* An ordinary packet: TCP, a SYN, between two hosts */
static void preset_all(struct proof *p, uint8_t *bit)
{
	const bool v4 = p->s.af == AF_V4;

	preset(p, bit, P_PROTO, PROTO_TCP);
	preset(p, bit, P_FLAGS, TCP_FLAG_SYN);
	preset(p, bit, P_SRC, usual_dst(p) - 2);
	preset(p, bit, P_DST, usual_dst(p));
	preset(p, bit, P_SPORT, USUAL_SPORT);
	preset(p, bit, P_DPORT, USUAL_PORT);
	preset(p, bit, P_FIRST_DST, usual_dst(p));
	preset(p, bit, P_FIRST_DPORT, USUAL_PORT);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		preset(p, bit, numbers[i].part, numbers[i].usual);
	preset(p, bit, P_LEN, v4 ? USUAL_LEN : USUAL_LEN - IP6_HEADER);
	preset(p, bit, P_IFACE, p->s.names.n > 2 ? 2 : 1);
}

static const char *name_of(struct proof *p, uint32_t i)
{
	if (i == 0 || i >= p->s.names.n)
		return NULL;
	return i + 1 == p->s.names.n ? "other0" : p->s.names.v[i];
}

void prove_packet_usual(struct packet *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		p->heads[numbers[i].head] = numbers[i].usual;
	p->heads[HEAD_LEN] = USUAL_LEN;
}

static void put_heads(struct proof *p, const uint8_t *bit, struct packet *k)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		k->heads[numbers[i].head] = (uint32_t)space_value(&p->s, numbers[i].part, bit);
	k->heads[HEAD_LEN] = (uint32_t)space_value(&p->s, P_LEN, bit) +
			     (p->s.af == AF_V4 ? 0 : IP6_HEADER);
	k->has_uid = bit[space_var(&p->s, P_SOCK, 0)] == 1;
	k->heads[HEAD_UID] = (uint32_t)space_value(&p->s, P_UID, bit);
	k->heads[HEAD_GID] = (uint32_t)space_value(&p->s, P_GID, bit);
}

static struct packet packet_at(struct proof *p, enum direction dir, const uint8_t *bit,
			       const char **ret_iface, const char **ret_recv)
{
	const uint32_t sport = (uint32_t)space_value(&p->s, P_SPORT, bit);
	struct packet k = {
		.dir = dir, .proto = (uint8_t)space_value(&p->s, P_PROTO, bit),
		.src = { p->s.af, space_value(&p->s, P_SRC, bit) },
		.dst = { p->s.af, space_value(&p->s, P_DST, bit) },
		.tos = (uint8_t)space_value(&p->s, P_TOS, bit),
		.has_opts = bit[space_var(&p->s, P_OPTS, 0)] == 1,
		.ip_opts = (bit[space_var(&p->s, P_LSRR, 0)] == 1 ? IP_OPTION_LSRR : 0) |
			   (bit[space_var(&p->s, P_SSRR, 0)] == 1 ? IP_OPTION_SSRR : 0) |
			   (bit[space_var(&p->s, P_RR, 0)] == 1 ? IP_OPTION_RR : 0),
	};

	if (proto_has_ports(k.proto)) {
		k.sport = (uint16_t)sport;
		k.dport = (uint16_t)space_value(&p->s, P_DPORT, bit);
	}
	if (k.proto == PROTO_TCP)
		k.tcp_flags = (uint8_t)space_value(&p->s, P_FLAGS, bit);
	if (k.proto == PROTO_ICMP || k.proto == PROTO_ICMP6) {
		k.icmp_type = (uint8_t)(sport >> 8);
		k.icmp_code = (uint8_t)sport;
	}
	put_heads(p, bit, &k);
	*ret_iface = name_of(p, (uint32_t)space_value(&p->s, P_IFACE, bit));
	*ret_iface = *ret_iface == NULL ? "lo0" : facts_freebsd_name(*ret_iface);
	*ret_recv = dir == DIR_IN ? NULL : name_of(p, (uint32_t)space_value(&p->s, P_RECV, bit));
	k.iface = intern_cid(p->m->names, facts_crossed(p->m->facts, *ret_iface, k.dst));
	k.recv = dir == DIR_IN ? k.iface
		 : *ret_recv == NULL ? 0 : intern_cid(p->m->names, facts_freebsd_name(*ret_recv));
	return k;
}

static bool has_number(const struct packet *p, enum head h)
{
	return h == HEAD_ID ? p->src.af == AF_V4 : h == HEAD_FLOWID ? p->src.af == AF_V6
	       : h < HEAD_WIN || p->proto == PROTO_TCP;
}

/* What a header says that is not the usual, as `why` reads it */
static const char *numbers_text(struct arena *a, const struct packet *p, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (has_number(p, numbers[i].head) && p->heads[numbers[i].head] != numbers[i].usual)
			text = arena_printf(a, "%s %s=%u", text, numbers[i].name,
					    p->heads[numbers[i].head]);
	if (p->heads[HEAD_LEN] != USUAL_LEN)
		text = arena_printf(a, "%s len=%u", text, p->heads[HEAD_LEN]);
	if (p->has_uid)
		text = arena_printf(a, "%s uid=%u gid=%u", text, p->heads[HEAD_UID],
				    p->heads[HEAD_GID]);
	return text;
}

const char *prove_packet_line(struct arena *a, const struct packet *p, const char *iface)
{
	char buf[PACKET_TEXT_BYTES];
	const char *text = packet_text(p, iface, buf);

	text = (p->tos & ~TOS_ECN) != 0 ? arena_printf(a, "%s tos=0x%02x", text, p->tos & ~TOS_ECN)
					: arena_strndup(a, text, strlen(text));
	return numbers_text(a, p, text);
}

static struct packet place_packet(const struct prove_place *to)
{
	struct packet k = {
		.dir = DIR_IN, .proto = to->proto, .src = to->src, .dst = to->dst,
		.sport = USUAL_SPORT, .dport = to->port,
		.tcp_flags = to->proto == PROTO_TCP ? TCP_FLAG_SYN : 0,
	};

	prove_packet_usual(&k);
	return k;
}

const char *prove_place_line(struct arena *a, const struct prove_place *to)
{
	const struct packet k = place_packet(to);

	return prove_packet_line(a, &k, to->iface);
}

/* Does it cross an interface; what goes on is the packet then */
static bool crosses(struct arena *a, const struct model *m, struct world *w, struct packet *k,
		    enum direction dir, const struct iface *on)
{
	struct result r;

	k->dir = dir;
	k->iface = on->id;
	r = model_eval(m, w, k, a);
	*k = r.packet;
	return r.verdict == V_PASS;
}

bool prove_place_is_passed(struct arena *a, const struct model *m, const struct prove_place *to,
			   const struct iface *in, const struct iface *out)
{
	struct packet k = place_packet(to);
	struct world w;

	world_init(&w, a);
	k.recv = in != NULL ? in->id : 0;
	if (in != NULL && !crosses(a, m, &w, &k, DIR_IN, in))
		return false;
	if (out != NULL && !crosses(a, m, &w, &k, DIR_OUT, out))
		return false;
	if (in != NULL || out == NULL || out->kind != IFACE_LO)
		return true;
	k.recv = out->id;
	return crosses(a, m, &w, &k, DIR_IN, out);
}

bool prove_place_is_inside(struct arena *a, const struct model *m, const struct prove_place *to,
			   uint32_t iface)
{
	struct packet k = place_packet(to);
	struct result r;
	struct world w;

	k.iface = k.recv = iface;
	world_init(&w, a);
	r = model_eval(m, &w, &k, a);
	return r.verdict == V_PASS && r.dst_changed;
}

bool prove_packet_in(struct proof *p, enum direction dir, dd in, struct packet *ret,
		     const char **ret_line)
{
	CLEANUP(base_free) uint8_t *bit = calloc(p->s.n_vars, 1);
	const char *iface, *recv;
	uint32_t x, y;

	if (bit == NULL)
		return false;
	preset_all(p, bit);
	if (!dd_differ(p->d, in, DD_FALSE, bit, &x, &y))
		return false;
	*ret = packet_at(p, dir, bit, &iface, &recv);
	*ret_line = prove_packet_line(p->a, ret, iface);
	return true;
}

static bool translates(const struct step *s)
{
	return strcmp(s->effect, "rdr") == 0 || strcmp(s->effect, "nat") == 0 ||
	       strcmp(s->effect, "local") == 0;
}

/* The rule that translates a packet, or decides it, where the declarations judge it alone */
static void find_origin(struct proof *p, const struct packet *k, bool is_translated,
			struct prove_difference *d)
{
	struct world w;
	struct result r;

	world_init(&w, p->a);
	r = model_eval(p->m, &w, k, p->a);
	for (uint32_t i = r.steps.n; i-- > 0 && is_translated && d->origin.text == NULL;)
		if (translates(&r.steps.v[i]))
			d->origin = r.steps.v[i].origin;
	for (uint32_t i = r.steps.n; i-- > 0 && d->origin.text == NULL;)
		if (r.steps.v[i].is_final)
			d->origin = r.steps.v[i].origin;
}

static uint32_t is_unknown(void *arg, uint32_t value)
{
	const struct outcomes *o = arg;
	const struct outcome *x = &o->list.v[value];

	if (x->fate == FATE_UNKNOWN)
		return 1;
	for (uint32_t i = 0; i < x->n_lots; i++)
		if (is_unknown(arg, x->lots[i].value) != 0)
			return 1;
	return 0;
}

/* The packet as it first came, and when that matters */
static void place_and_time(struct proof *p, const struct part_of *part, const uint8_t *bit,
			   struct packet *k, struct prove_difference *d)
{
	const u128 dst = space_value(&p->s, P_FIRST_DST, bit);
	const u128 port = space_value(&p->s, P_FIRST_DPORT, bit);
	const time_t at = (time_t)(space_value(&p->s, P_CLOCK, bit) / NS_PER_SECOND);
	char text[sizeof("2554-07-21 23:34:33")];
	struct tm tm;

	if (part->at_first && dst != usual_dst(p))
		k->dst.v = dst;
	if (part->at_first && port != USUAL_PORT)
		k->dport = (uint16_t)port;
	if (at == 0 || gmtime_r(&at, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		return;
	d->part = arena_printf(p->a, "%s, at %s UTC", d->part, text);
}

static const char *why_unknown(const struct outcomes *o, uint32_t value)
{
	const struct outcome *x = &o->list.v[value];

	for (uint32_t i = 0; i < x->n_lots; i++)
		if (is_unknown((void *)(uintptr_t)o, x->lots[i].value) != 0)
			return why_unknown(o, x->lots[i].value);
	return x->text;
}

/* Take away what one of the sides cannot say, and tell of it */
static dd without_unknown(struct proof *p, const struct part_of *part, dd f, dd where,
			  struct prove_result *ret)
{
	const dd here = dd_ite(p->d, where, f, DD_FALSE);
	const dd is = dd_map(p->d, here, is_unknown, p->o);
	CLEANUP(base_free) uint8_t *bit = calloc(p->s.n_vars, 1);
	uint32_t x, y;

	if (bit == NULL || !dd_differ(p->d, is, DD_FALSE, bit, &x, &y))
		return where;
	prove_unproven(p, ret, arena_printf(p->a, "%s: %s", part->name,
					    why_unknown(p->o, dd_at(p->d, here, bit))));
	return dd_and(p->d, where, dd_not(p->d, is));
}

/* Two verdicts are told by themselves, harm with what it is */
static void tell_outcomes(struct proof *p, uint32_t declared, uint32_t kernel,
			  struct prove_difference *d)
{
	const char *x = outcome_word(p->o, declared), *y = outcome_word(p->o, kernel);
	const bool same = strcmp(x, y) == 0 || p->o->list.v[kernel].fate == FATE_HARM;

	d->declared = same ? outcome_text(p->o, p->a, declared) : x;
	d->kernel = same ? outcome_text(p->o, p->a, kernel) : y;
}

static bool is_translated(const struct outcomes *o, uint32_t value)
{
	const struct outcome *x = &o->list.v[value];

	return x->xlate != 0 || (x->n_lots > 0 && is_translated(o, x->lots[0].value));
}

static bool show(struct proof *p, const struct part_of *part, dd where, struct prove_result *ret)
{
	CLEANUP(base_free) uint8_t *bit = calloc(p->s.n_vars, 1);
	struct prove_difference d = { .part = part->name };
	uint32_t declared, kernel;
	const char *iface;
	struct packet k;

	if (bit == NULL)
		return false;
	preset_all(p, bit);
	if (!dd_differ(p->d, dd_ite(p->d, where, part->declared, DD_FALSE),
		       dd_ite(p->d, where, part->kernel, DD_FALSE), bit, &declared, &kernel))
		return false;
	k = packet_at(p, part->dir, bit, &iface, &d.recv);
	place_and_time(p, part, bit, &k, &d);
	d.packet = prove_packet_line(p->a, &k, iface);
	tell_outcomes(p, declared, kernel, &d);
	d.is_known = dd_at(p->d, part->fresh, bit) == 0;
	find_origin(p, &k, is_translated(p->o, declared), &d);
	vec_add(p->a, &ret->differences, d);
	return true;
}

static uint32_t is_pass(void *arg, uint32_t value)
{
	const struct outcomes *o = arg;

	return o->list.v[value].fate == FATE_PASS ? 1 : 0;
}

/* A packet that what comes behind passes tells more than one that is refused there anyway */
static bool show_passed(struct proof *p, const struct part_of *part, struct prove_result *ret)
{
	dd passed;

	if (part->behind == NULL ||
	    dd_ite(p->d, part->fresh, part->declared, DD_FALSE) ==
		    dd_ite(p->d, part->fresh, part->kernel, DD_FALSE))
		return false;
	passed = dd_map(p->d, dd_ite(p->d, part->fresh, part->behind(p, part->dir), DD_FALSE),
			is_pass, p->o);
	return show(p, part, dd_and(p->d, part->fresh, passed), ret);
}

void prove_compare(struct proof *p, const struct part_of *part, struct prove_result *ret)
{
	struct part_of at = *part;
	dd where = part->where;

	if (p->d->is_full || ret->differences.n >= PROVE_MOST)
		return;
	where = without_unknown(p, part, part->declared, where, ret);
	where = without_unknown(p, part, part->kernel, where, ret);
	at.fresh = dd_and(p->d, where, part->fresh);
	if (!show_passed(p, &at, ret) && !show(p, &at, at.fresh, ret))
		show(p, &at, where, ret);
}
