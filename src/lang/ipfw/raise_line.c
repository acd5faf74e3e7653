/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A flat rule is one line of ipfw where it can be.  TCP flags, kinds of ICMP and ports
 * belong to protocols there, which pf's rules may leave open: such a rule is taken
 * apart into lines of one kind each.
 */
#include <stdio.h>
#include <string.h>

#include "lang/ipfw/raise.h"

#define INLINE_MOST	8u	/* prefixes in a rule; more are a table */

#define FIELD(f)	(1u << (f))
#define RULE_FIELDS	(FIELD(F_DIR) | FIELD(F_IFACE) | FIELD(F_AF) | FIELD(F_PROTO) | \
			 FIELD(F_SRC) | FIELD(F_DST) | FIELD(F_SPORT) | FIELD(F_DPORT) | \
			 FIELD(F_TCPFLAGS) | FIELD(F_ICMP) | FIELD(F_RECV))

/* What one line says of what is beyond addresses and ports */
struct kind {
	struct raise_mask flags;
	const char *icmp;	/* "icmptypes 8", or NULL */
};

/* ---- sets ------------------------------------------------------------------------------- */

static void put_table(struct raiser *w, const char *name, const struct raise_prefixes *p)
{
	fprintf(w->head, "table %s create type addr\n", name);
	for (uint32_t i = 0; i < p->list.n; i++)
		fprintf(w->head, "table %s add %s\n", name, raise_prefix(w->a, p->list.v[i]));
}

static bool is_one_family(const struct raise_prefixes *p)
{
	for (uint32_t i = 1; i < p->list.n; i++)
		if (p->list.v[i].a.af != p->list.v[0].a.af)
			return false;
	return true;
}

static void put_host(struct raiser *w, const struct flat_rule *r, enum field f)
{
	const struct raise_prefixes *p;
	struct raise_hosts h;
	const char *name;
	bool inverse, is_new;

	if (!raise_hosts(w, r, f, &h)) {
		fputs("any", w->out);
		return;
	}
	inverse = h.is_not.list.n < h.is.list.n;
	p = inverse ? &h.is_not : &h.is;
	fputs(inverse ? "not " : "", w->out);
	if (p->list.n <= INLINE_MOST && is_one_family(p)) {
		for (uint32_t i = 0; i < p->list.n; i++)
			fprintf(w->out, "%s%s", i > 0 ? "," : "",
				raise_prefix(w->a, p->list.v[i]));
		return;
	}
	name = raise_table(w, inverse ? h.rest : h.set, &is_new);
	if (is_new)
		put_table(w, name, p);
	fprintf(w->out, "table(%s)", name);
}

static void put_ports(struct raiser *w, const struct set *s)
{
	for (uint32_t i = 0; s != NULL && i < s->n; i++) {
		fprintf(w->out, "%s%u", i > 0 ? "," : " ", (unsigned int)s->r[i].lo);
		if (s->r[i].hi > s->r[i].lo)
			fprintf(w->out, "-%u", (unsigned int)s->r[i].hi);
	}
}

/* " via a", " { via a or via b }", " not via a not via b" */
static void put_names(struct raiser *w, const struct set *s, const char *word)
{
	struct raise_names names;

	if (s == NULL)
		return;
	names = raise_names(w, s);
	if (names.is_not) {
		for (uint32_t i = 0; i < names.list.n; i++)
			fprintf(w->out, " not %s %s", word, names.list.v[i]);
		return;
	}
	fputs(names.list.n > 1 ? " {" : "", w->out);
	for (uint32_t i = 0; i < names.list.n; i++)
		fprintf(w->out, "%s %s %s", i > 0 ? " or" : "", word, names.list.v[i]);
	fputs(names.list.n > 1 ? " }" : "", w->out);
}

static const char *proto_text(struct raiser *w, u128 v)
{
	const char *name = v == PROTO_ICMP6 ? "ipv6-icmp" : proto_name((uint8_t)v);

	return name != NULL ? name : arena_printf(w->a, "%u", (unsigned int)v);
}

/* The word before "from"; false: it is said by options instead */
static bool put_proto(struct raiser *w, const struct flat_rule *r)
{
	static const char *const words[] = { [AF_V4] = "ip4", [AF_V6] = "ip6" };
	const struct set *s = r->in[F_PROTO];
	const uint8_t af = raise_family(r);
	u128 n = 0;

	for (uint32_t i = 0; s != NULL && i < s->n; i++)
		n += s->r[i].hi - s->r[i].lo + 1;
	if (n == 0 || n > 4) {
		fputs(af != AF_NONE ? words[af] : "ip", w->out);
		return false;
	}
	fputs(n > 1 ? "{ " : "", w->out);
	for (uint32_t i = 0; i < s->n; i++)
		for (u128 v = s->r[i].lo; v <= s->r[i].hi; v++)
			fprintf(w->out, "%s%s", v == s->r[0].lo ? "" : " or ", proto_text(w, v));
	fputs(n > 1 ? " }" : "", w->out);
	return true;
}

/* Protocols that are most of all: "not proto tcp" */
static void put_not_protos(struct raiser *w, const struct set *s)
{
	const struct set *rest = set_complement(w->a, s, SET_U8);

	for (uint32_t i = 0; i < rest->n; i++)
		for (u128 v = rest->r[i].lo; v <= rest->r[i].hi; v++)
			fprintf(w->out, " not proto %s", proto_text(w, v));
}

/* ---- lines ------------------------------------------------------------------------------ */

static bool put_flags(struct raiser *w, const struct flat_rule *r, struct raise_mask m)
{
	static const char *const names[] = { "fin", "syn", "rst", "psh", "ack", "urg" };
	bool first = true;

	if (m.mask == 0)
		return true;
	if (m.mask >> ARRAY_SIZE(names) != 0)
		return raise_refuse(w, r->origin, "a test of the flags E and W");
	if (m.mask == (TCP_FLAG_SYN | TCP_FLAG_ACK) && m.value == TCP_FLAG_SYN) {
		fputs(" setup", w->out);
		return true;
	}
	fputs(" tcpflags ", w->out);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if ((m.mask >> i & 1) != 0) {
			fprintf(w->out, "%s%s%s", first ? "" : ",",
				(m.value >> i & 1) != 0 ? "" : "!", names[i]);
			first = false;
		}
	return true;
}

static bool put_one(struct raiser *w, const struct flat_rule *r, const struct kind *k,
		    struct raise_action act)
{
	const uint8_t af = raise_family(r);
	bool told;

	/* Those of what leaves translated are set apart */
	if (w->number == RAISE_TAIL - 20)
		return raise_refuse(w, r->origin, "so many rules");
	w->number += 10;
	fprintf(w->out, "add %u ", w->number);
	if (r->prob != 0)
		fprintf(w->out, "prob %.7f ", (double)r->prob / PROB_ONE);
	fprintf(w->out, "%s%s ", act.word, r->is_logged ? " log" : "");
	told = put_proto(w, r);
	fputs(" from ", w->out);
	put_host(w, r, F_SRC);
	put_ports(w, r->in[F_SPORT]);
	fputs(" to ", w->out);
	put_host(w, r, F_DST);
	put_ports(w, r->in[F_DPORT]);
	if (told && af != AF_NONE)
		fputs(af == AF_V4 ? " ip4" : " ip6", w->out);
	if (!told && r->in[F_PROTO] != NULL)
		put_not_protos(w, r->in[F_PROTO]);
	if (r->in[F_DIR] != NULL)
		fputs(set_has(r->in[F_DIR], AF_NONE, DIR_IN) ? " in" : " out", w->out);
	put_names(w, r->in[F_IFACE], "via");
	put_names(w, r->in[F_RECV], "recv");
	if (!put_flags(w, r, k->flags))
		return false;
	fprintf(w->out, "%s%s", k->icmp != NULL ? " " : "", k->icmp != NULL ? k->icmp : "");
	/* keep-state would look for a state too, of whichever interface */
	if (act.keeps && w->by_iface)
		fprintf(w->out, " record-state :%s", w->state != NULL ? w->state : "default");
	fputs(act.keeps && !w->by_iface ? " keep-state\n" : "\n", w->out);
	return true;
}

/* "icmptypes 8,11"; NULL: it asks for codes */
static const char *icmp_types(struct raiser *w, const struct set *s, const char *word)
{
	const char *text = word, *comma = " ";

	for (uint32_t i = 0; i < s->n; i++) {
		if ((s->r[i].lo & 0xff) != 0 || (s->r[i].hi & 0xff) != 0xff)
			return NULL;
		for (u128 t = s->r[i].lo >> 8; t <= s->r[i].hi >> 8; t++) {
			text = arena_printf(w->a, "%s%s%u", text, comma, (unsigned int)t);
			comma = ",";
		}
	}
	return text;
}

static bool put_icmp(struct raiser *w, const struct flat_rule *r, struct raise_action act)
{
	static const struct { uint8_t proto; const char *word; } both[] = {
		{ PROTO_ICMP, "icmptypes" }, { PROTO_ICMP6, "icmp6types" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		struct flat_rule own = *r;
		struct kind k = { .icmp = icmp_types(w, r->in[F_ICMP], both[i].word) };

		if (!flat_meet(w->a, &own, F_PROTO, set_one(w->a, both[i].proto)))
			continue;
		if (k.icmp == NULL)
			return raise_refuse(w, r->origin, "a code of ICMP");
		own.in[F_ICMP] = NULL;
		if (!put_one(w, &own, &k, act))
			return false;
	}
	return true;
}

/* Flags are true of what is no TCP: that is a line of its own */
static bool put_tcp(struct raiser *w, const struct flat_rule *r, struct raise_action act)
{
	struct raise_mask masks[RAISE_FLAGS];
	const uint32_t n = raise_masks(r->in[F_TCPFLAGS], masks);
	struct flat_rule tcp = *r, other = *r;
	const struct set *not_tcp = set_complement(w->a, set_one(w->a, PROTO_TCP), SET_U8);

	if (n == 0)
		return raise_refuse(w, r->origin, "these TCP flags");
	tcp.in[F_TCPFLAGS] = other.in[F_TCPFLAGS] = NULL;
	for (uint32_t i = 0; i < n && raise_may_be(r, PROTO_TCP); i++) {
		const struct kind k = { .flags = masks[i] };

		if (flat_meet(w->a, &tcp, F_PROTO, set_one(w->a, PROTO_TCP)) &&
		    !put_one(w, &tcp, &k, act))
			return false;
	}
	return !flat_meet(w->a, &other, F_PROTO, not_tcp) ||
	       put_one(w, &other, &(const struct kind){ .icmp = NULL }, act);
}

static bool put_any(struct raiser *w, const struct flat_rule *given, struct raise_action act)
{
	struct flat_rule r = *given;
	const enum raise_ready is = raise_ready(w, &r, RULE_FIELDS);

	if (is != RAISE_RULE)
		return is == RAISE_NOTHING;
	if (r.prob != 0 && (r.in[F_ICMP] != NULL || r.in[F_TCPFLAGS] != NULL))
		return raise_refuse(w, r.origin, "a probability of several rules");
	if (r.in[F_ICMP] != NULL)
		return put_icmp(w, &r, act);
	if (r.in[F_TCPFLAGS] != NULL)
		return put_tcp(w, &r, act);
	return put_one(w, &r, &(const struct kind){ .icmp = NULL }, act);
}

/* Does this interface have states of its own, and of what name */
static const char *state_name(const struct raiser *w, const struct iface *i)
{
	if (!w->by_iface || (w->skipped != NULL && set_has(w->skipped, AF_NONE, i->id)))
		return NULL;
	return i->name;
}

/* A rule for each interface that has states of its own, and one for all others */
static bool put_each(struct raiser *w, const struct flat_rule *r, struct raise_action act)
{
	const struct facts *f = w->m->facts;
	struct ranges known = { .list = { .n = 0 } };
	struct flat_rule rest = *r;

	for (uint32_t i = 0; i < f->ifaces.n; i++) {
		const struct iface *ifp = &f->ifaces.v[i];
		const char *name = state_name(w, ifp);
		struct flat_rule own = *r;

		if (name == NULL)
			continue;
		ranges_add(w->a, &known, AF_NONE, ifp->id, ifp->id);
		w->state = name;
		if (flat_meet(w->a, &own, F_IFACE, set_one(w->a, ifp->id)) &&
		    !put_any(w, &own, act))
			return false;
	}
	w->state = NULL;
	return !flat_meet(w->a, &rest, F_IFACE,
			  set_complement(w->a, set_make(w->a, &known), SET_U32)) ||
	       put_any(w, &rest, act);
}

bool raise_line(struct raiser *w, const struct flat_rule *r, struct raise_action act)
{
	return w->by_iface && act.keeps ? put_each(w, r, act) : put_any(w, r, act);
}

void raise_check(struct raiser *w)
{
	const struct facts *f = w->m->facts;

	for (uint32_t i = 0; i < f->ifaces.n; i++) {
		const char *name = state_name(w, &f->ifaces.v[i]);

		if (name == NULL)
			continue;
		fprintf(w->out, "add %u skipto %u ip from any to any not via %s\n",
			w->number + 10, w->number + 30, f->ifaces.v[i].name);
		fprintf(w->out, "add %u check-state :%s\n", w->number + 20, name);
		w->number += 20;
	}
	w->number += 10;
	fprintf(w->out, "add %u check-state%s\n", w->number, w->by_iface ? " :default" : "");
}
/* ---- rulings ---------------------------------------------------------------------------- */

static bool answer_to(struct raiser *w, const struct flat_rule *r, uint8_t proto, uint8_t af,
		      const char *word)
{
	struct flat_rule own = *r;

	if (!flat_meet(w->a, &own, F_PROTO, set_one(w->a, proto)) ||
	    (af != AF_NONE && !flat_meet(w->a, &own, F_AF, set_one(w->a, af))) ||
	    (af != AF_NONE && raise_family(&own) != af))
		return true;
	return raise_line(w, &own, (struct raise_action){ word, false });
}

/* An unreachable of ICMP, of each family its own */
static bool unreachable(struct raiser *w, const struct flat_rule *r)
{
	const struct answer *a = &r->ruling.answer;
	const int32_t codes[] = { a->icmp4, a->icmp6 };
	static const uint8_t families[] = { AF_V4, AF_V6 };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct flat_rule own = *r;
		const char *word = "deny";

		if (!flat_meet(w->a, &own, F_AF, set_one(w->a, families[i])) ||
		    raise_family(&own) != families[i])
			continue;
		if (codes[i] >= 0 && codes[i] >> 8 != (i == 0 ? 3 : 1))
			return raise_refuse(w, r->origin, "this answer");
		if (codes[i] >= 0)
			word = arena_printf(w->a, i == 0 ? "unreach %d" : "unreach6 %d",
					    codes[i] & 0xff);
		if (!raise_line(w, &own, (struct raise_action){ word, false }))
			return false;
	}
	return true;
}

/* ipfw answers queries of ICMP as well, pf does not */
static bool answered(struct raiser *w, const struct flat_rule *r)
{
	const struct answer *a = &r->ruling.answer;
	struct flat_rule rest = *r;

	if (r->prob != 0)
		return raise_refuse(w, r->origin, "a probability of an answer");
	if (!a->queries && (!answer_to(w, r, PROTO_ICMP, AF_V4, "deny") ||
			    !answer_to(w, r, PROTO_ICMP6, AF_V6, "deny")))
		return false;
	if (a->rst && (!answer_to(w, r, PROTO_TCP, AF_V4, "reset") ||
		       !answer_to(w, r, PROTO_TCP, AF_V6, "reset6")))
		return false;
	if (a->rst && !flat_meet(w->a, &rest, F_PROTO,
				 set_complement(w->a, set_one(w->a, PROTO_TCP), SET_U8)))
		return true;
	return unreachable(w, &rest);
}

bool raise_ruling(struct raiser *w, const struct flat_rule *r, const char *pass)
{
	switch (r->ruling.verdict) {
	case V_PASS:
		return raise_line(w, r, (struct raise_action){ pass, r->ruling.keep });
	case V_BLOCK:
		return raise_line(w, r, (struct raise_action){ "deny", false });
	default:
		return answered(w, r);
	}
}
