/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Each flat rule becomes a quick rule, in order, so that the first match counts in
 * pf.conf too.  What one rule of pf.conf cannot say is said by several: a quick rule
 * more for the same packets changes nothing.
 *
 * Addresses of both families stand in lists or tables: a single one behind "!" would
 * make a rule of its own family.
 */
#include <stdio.h>
#include <string.h>

#include "lang/pf.h"
#include "lang/raise.h"

#define INLINE_MOST	8u	/* prefixes in a rule; more are a table */

#define FIELD(f)	(1u << (f))
#define FLOW_FIELDS	(FIELD(F_DIR) | FIELD(F_IFACE) | FIELD(F_AF) | FIELD(F_PROTO) | \
			 FIELD(F_SRC) | FIELD(F_DST) | FIELD(F_SPORT) | FIELD(F_DPORT))
#define RULE_FIELDS	(FLOW_FIELDS | FIELD(F_TCPFLAGS) | FIELD(F_ICMP) | FIELD(F_RECV))

/* ---- sets ------------------------------------------------------------------------------- */

static void put_table(struct raiser *w, const char *name, const struct raise_prefixes *p)
{
	fprintf(w->head, "table <%s> const {", name);
	for (uint32_t i = 0; i < p->list.n; i++)
		fprintf(w->head, " %s", raise_prefix(w->a, p->list.v[i]));
	fputs(" }\n", w->head);
}

/* "10.0.0.0/8", "{ A, B }", "<t1>", or "! <t1>" */
static void put_host(struct raiser *w, const struct flat_rule *r, enum field f)
{
	struct raise_hosts h;
	const char *name;
	bool is_new;

	if (!raise_hosts(w, r, f, &h)) {
		fputs("any", w->out);
	} else if (h.is.list.n == 1) {
		fputs(raise_prefix(w->a, h.is.list.v[0]), w->out);
	} else if (h.is_not.list.n == 1 && raise_family(r) != AF_NONE) {
		fprintf(w->out, "! %s", raise_prefix(w->a, h.is_not.list.v[0]));
	} else if (h.is.list.n <= INLINE_MOST && h.is.list.n <= h.is_not.list.n) {
		for (uint32_t i = 0; i < h.is.list.n; i++)
			fprintf(w->out, "%s%s", i == 0 ? "{ " : ", ",
				raise_prefix(w->a, h.is.list.v[i]));
		fputs(" }", w->out);
	} else {
		const bool inverse = h.is_not.list.n < h.is.list.n;

		name = raise_table(w, inverse ? h.rest : h.set, &is_new);
		if (is_new)
			put_table(w, name, inverse ? &h.is_not : &h.is);
		fprintf(w->out, "%s<%s>", inverse ? "! " : "", name);
	}
}

static void put_ports(struct raiser *w, const struct set *s)
{
	if (s == NULL)
		return;
	fputs(s->n > 1 ? " port { " : " port ", w->out);
	for (uint32_t i = 0; i < s->n; i++) {
		fprintf(w->out, "%s%u", i > 0 ? ", " : "", (unsigned int)s->r[i].lo);
		if (s->r[i].hi > s->r[i].lo)
			fprintf(w->out, ":%u", (unsigned int)s->r[i].hi);
	}
	fputs(s->n > 1 ? " }" : "", w->out);
}

static bool put_names(struct raiser *w, const struct flat_rule *r, enum field f, const char *word)
{
	struct raise_names names;

	if (r->in[f] == NULL)
		return true;
	names = raise_names(w, r->in[f]);
	if (names.is_not && names.list.n > 1)
		return raise_refuse(w, r->origin, "any but several interfaces");
	fprintf(w->out, " %s %s", word, names.is_not ? "! " : names.list.n > 1 ? "{ " : "");
	for (uint32_t i = 0; i < names.list.n; i++)
		fprintf(w->out, "%s%s", i > 0 ? ", " : "", names.list.v[i]);
	fputs(names.list.n > 1 ? " }" : "", w->out);
	return true;
}

static void put_protos(struct raiser *w, const struct set *s)
{
	bool first = true;

	if (s == NULL)
		return;
	fputs(" proto { ", w->out);
	for (uint32_t i = 0; i < s->n; i++)
		for (u128 v = s->r[i].lo; v <= s->r[i].hi; v++) {
			const char *name = proto_name((uint8_t)v);

			if (!first)
				fputs(", ", w->out);
			if (name != NULL)
				fputs(name, w->out);
			else
				fprintf(w->out, "%u", (unsigned int)v);
			first = false;
		}
	fputs(" }", w->out);
}

static void put_dir(struct raiser *w, const struct flat_rule *r)
{
	if (r->in[F_DIR] != NULL)
		fputs(set_has(r->in[F_DIR], AF_NONE, DIR_IN) ? " in" : " out", w->out);
}

static void put_af(struct raiser *w, const struct flat_rule *r)
{
	const uint8_t af = raise_family(r);

	if (af != AF_NONE)
		fputs(af == AF_V4 ? " inet" : " inet6", w->out);
}

static void put_flow(struct raiser *w, const struct flat_rule *r)
{
	put_protos(w, r->in[F_PROTO]);
	fputs(" from ", w->out);
	put_host(w, r, F_SRC);
	put_ports(w, r->in[F_SPORT]);
	fputs(" to ", w->out);
	put_host(w, r, F_DST);
	put_ports(w, r->in[F_DPORT]);
}

/* ---- filter ----------------------------------------------------------------------------- */

/* What only one protocol has, beside that protocol */
static void put_flags(struct raiser *w, struct raise_mask m)
{
	static const char letters[] = "FSRPAUEW";
	const uint8_t sides[] = { m.value, m.mask };

	fputs(" flags ", w->out);
	if (m.mask == 0) {
		fputs("any", w->out);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		for (unsigned int bit = 0; bit < 8; bit++)
			if ((sides[i] >> bit & 1) != 0)
				putc(letters[bit], w->out);
		fputs(i == 0 ? "/" : "", w->out);
	}
}

static bool put_answer(struct raiser *w, const struct flat_rule *r)
{
	const struct answer *a = &r->ruling.answer, usual = ruling_return().answer;
	const bool is_tcp = r->in[F_PROTO] != NULL && raise_is_one(r->in[F_PROTO], PROTO_TCP);
	const bool maybe_icmp = raise_may_be(r, PROTO_ICMP) || raise_may_be(r, PROTO_ICMP6);

	if (a->queries && maybe_icmp && (a->icmp4 >= 0 || a->icmp6 >= 0))
		return raise_refuse(w, r->origin, "an answer to ICMP queries");
	if (a->rst && a->icmp4 == usual.icmp4 && a->icmp6 == usual.icmp6)
		fputs("block return", w->out);
	else if (a->rst && is_tcp)
		fputs("block return-rst", w->out);
	else if (a->rst && !raise_may_be(r, PROTO_TCP) && a->icmp4 < 0 && a->icmp6 < 0)
		fputs("block drop", w->out);
	else if (!a->rst && a->icmp4 >> 8 == 3 && a->icmp6 >> 8 == 1)
		fprintf(w->out, "block return-icmp(%d, %d)", a->icmp4 & 0xff, a->icmp6 & 0xff);
	else
		return raise_refuse(w, r->origin, "this answer");
	return true;
}

static bool put_action(struct raiser *w, const struct flat_rule *r)
{
	switch (r->ruling.verdict) {
	case V_PASS:
		fputs("pass", w->out);
		return true;
	case V_BLOCK:
		fputs("block drop", w->out);
		return true;
	default:
		return put_answer(w, r);
	}
}

/* What one rule of pf.conf says of what is beyond addresses and ports */
struct kind {
	struct raise_mask flags;
	int icmp_type;	/* -1: any */
	int icmp_code;	/* -1: any */
};

static const struct kind any_kind = { .icmp_type = -1, .icmp_code = -1 };

static void put_icmp_kind(struct raiser *w, const struct flat_rule *r, const struct kind *k)
{
	const bool v4 = raise_is_one(r->in[F_PROTO], PROTO_ICMP);

	fprintf(w->out, " %s %d", v4 ? "icmp-type" : "icmp6-type", k->icmp_type);
	if (k->icmp_code >= 0)
		fprintf(w->out, " code %d", k->icmp_code);
}

static bool put_one(struct raiser *w, const struct flat_rule *r, const struct kind *k)
{
	const bool passes = r->ruling.verdict == V_PASS;

	if (!put_action(w, r))
		return false;
	put_dir(w, r);
	fputs(r->is_logged ? " log quick" : " quick", w->out);
	if (!put_names(w, r, F_IFACE, "on"))
		return false;
	put_af(w, r);
	put_flow(w, r);
	if (k->icmp_type >= 0)
		put_icmp_kind(w, r, k);
	else if (raise_may_be(r, PROTO_TCP) && (k->flags.mask != 0 || passes))
		put_flags(w, k->flags);
	if (!put_names(w, r, F_RECV, "received-on"))
		return false;
	if (passes)
		fprintf(w->out, "%s%s%s", r->ruling.keep ? " keep state" : " no state",
			r->ruling.allow_opts ? " allow-opts" : "",
			r->ruling.keep && w->by_tag ? " tag kept" : "");
	if (r->prob != 0)
		fprintf(w->out, " probability %.7f%%", (double)r->prob * 100 / PROB_ONE);
	putc('\n', w->out);
	return true;
}

/* Every code of a type is a type without a code */
static bool put_icmp(struct raiser *w, const struct flat_rule *r)
{
	const struct set *s = r->in[F_ICMP];
	struct flat_rule own = *r;

	own.in[F_ICMP] = NULL;
	for (uint32_t i = 0; i < s->n; i++)
		for (u128 v = s->r[i].lo; v <= s->r[i].hi; v++) {
			const bool whole = (v & 0xff) == 0 && v + 0xff <= s->r[i].hi;
			struct kind k = any_kind;

			k.icmp_type = (int)(v >> 8);
			k.icmp_code = whole ? -1 : (int)(v & 0xff);
			v += whole ? 0xff : 0;
			if (!put_one(w, &own, &k))
				return false;
		}
	return true;
}

/* ICMP of either family is a rule of its own */
static bool put_both_icmp(struct raiser *w, const struct flat_rule *r)
{
	static const uint8_t protos[] = { PROTO_ICMP, PROTO_ICMP6 };

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
		struct flat_rule own = *r;

		if (flat_meet(w->a, &own, F_PROTO, set_one(w->a, protos[i])) &&
		    flat_meet(w->a, &own, F_AF, set_one(w->a, i == 0 ? AF_V4 : AF_V6)) &&
		    (raise_family(&own) == (i == 0 ? AF_V4 : AF_V6)) && !put_icmp(w, &own))
			return false;
	}
	return true;
}

static bool put_filter(struct raiser *w, const struct flat_rule *given)
{
	struct raise_mask masks[RAISE_FLAGS] = { { 0, 0 } };
	struct flat_rule r = *given;
	const enum raise_ready is = raise_ready(w, &r, RULE_FIELDS);
	uint32_t n = 1;

	if (is != RAISE_RULE)
		return is == RAISE_NOTHING;
	if ((r.in[F_SPORT] != NULL || r.in[F_DPORT] != NULL) &&
	    set_has(r.in[F_PROTO], AF_NONE, PROTO_UDPLITE))
		return raise_refuse(w, r.origin, "ports of UDP-Lite");
	if (r.in[F_PROTO] != NULL && set_has(r.in[F_PROTO], AF_NONE, 0))
		return raise_refuse(w, r.origin, "protocol 0, which 'not' of another means too,");
	if (r.prob != 0 && (r.in[F_ICMP] != NULL || r.in[F_TCPFLAGS] != NULL))
		return raise_refuse(w, r.origin, "a probability of several rules");
	if (r.in[F_ICMP] != NULL)
		return put_both_icmp(w, &r);
	if (r.in[F_TCPFLAGS] != NULL)
		n = raise_masks(r.in[F_TCPFLAGS], masks);
	if (n == 0)
		return raise_refuse(w, r.origin, "these TCP flags");
	r.in[F_TCPFLAGS] = NULL;
	for (uint32_t i = 0; i < n; i++) {
		struct kind k = any_kind;

		k.flags = masks[i];
		if (!put_one(w, &r, &k))
			return false;
	}
	return true;
}

/* ---- translations ----------------------------------------------------------------------- */

static bool put_target(struct raiser *w, const struct flat_rule *r)
{
	const struct xlate *x = r->x;
	const bool is_rdr = x->kind == XL_DST;

	if (x->to.n != 1 || x->pool == POOL_BITMASK)
		return raise_refuse(w, r->origin, "a pool of addresses");
	fprintf(w->out, " -> %s", raise_prefix(w->a, (struct prefix){
			x->to.v[0], x->to.v[0].af == AF_V4 ? 32 : 128 }));
	switch (x->port) {
	case XP_KEEP:
		fputs(is_rdr ? "" : " static-port", w->out);
		break;
	case XP_TO:
		fprintf(w->out, " port %u", x->lo);
		break;
	case XP_SHIFT:
		fprintf(w->out, " port %u:*", x->lo);
		break;
	case XP_RANDOM:
		fprintf(w->out, " port %u", x->lo);
		if (x->hi > x->lo)
			fprintf(w->out, ":%u", x->hi);
		break;
	}
	putc('\n', w->out);
	return true;
}

static bool put_translation(struct raiser *w, const struct flat_rule *given, const char *word)
{
	struct flat_rule r = *given;
	const enum raise_ready is = raise_ready(w, &r, FLOW_FIELDS);

	if (is != RAISE_RULE)
		return is == RAISE_NOTHING;
	if (r.x != NULL && r.x->to.n == 1 &&
	    !flat_meet(w->a, &r, F_AF, set_one(w->a, r.x->to.v[0].af)))
		return true;
	fprintf(w->out, "%s%s%s%s", r.act == FLAT_EXEMPT ? "no " : "", word,
		r.act == FLAT_TRANSLATE && r.is_pass ? " pass" : "", r.is_logged ? " log" : "");
	if (!put_names(w, &r, F_IFACE, "on"))
		return false;
	put_af(w, &r);
	put_flow(w, &r);
	if (r.act == FLAT_TRANSLATE)
		return put_target(w, &r);
	putc('\n', w->out);
	return true;
}

/* ---- all -------------------------------------------------------------------------------- */

static bool raise_all(struct raiser *w, const struct flat *f)
{
	if (w->by_tag && f->nat.rules.n > 0)
		fputs("no nat from any to any tagged kept\n", w->out);
	for (uint32_t i = 0; i < f->nat.rules.n; i++)
		if (!put_translation(w, &f->nat.rules.v[i], "nat"))
			return false;
	for (uint32_t i = 0; i < f->rdr.rules.n; i++)
		if (!put_translation(w, &f->rdr.rules.v[i], "rdr"))
			return false;
	if (w->by_tag)
		fputs("pass out quick from any to any flags any keep state allow-opts "
		      "tagged kept\n", w->out);
	for (uint32_t i = 0; i < f->filter.rules.n; i++)
		if (!put_filter(w, &f->filter.rules.v[i]))
			return false;
	return true;
}

static bool print(const struct model *m, const struct flat *f, FILE *out,
		  struct raise_refusal *ret)
{
	return raise_text(m, f, raise_all, out, ret);
}

/*
 * A state of ipfw holds for both legs of a way through the host, pf's for the leg that
 * made it.  The packets of a state have its tag, so the other leg knows them by that.
 */
static bool raise_by_tag(struct raiser *w, const struct flat *f)
{
	w->by_tag = true;
	return raise_all(w, f);
}

static bool print_by_tag(const struct model *m, const struct flat *f, FILE *out,
			 struct raise_refusal *ret)
{
	return raise_text(m, f, raise_by_tag, out, ret);
}

static bool read_again(struct lang_ctx *c, uint32_t src, const struct facts *facts,
		       struct model *m)
{
	const struct pf_options o = { .tolerate_missing = true };
	const struct pf_file *f = pf_parse(c, NULL, &src, 1);

	return c->diags->n_errors == 0 && pf_lower(c, f, facts, NULL, &o, m);
}

static const struct translate_lang by_tag = { "pf.conf", print_by_tag, NULL, read_again };

const struct translate_lang translate_pf = { "pf.conf", print, &by_tag, read_again };
