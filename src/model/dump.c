/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One line a rule, in the order of evaluation of its parts: tests, effects,
 * exit, origin.  The form is stable, so that two models can be compared with
 * diff and a golden test shows what a change of a parser did.
 */
#include "model/portmap.h"

#include <string.h>

static void print_number(const struct model *m, enum field f, uint8_t af, u128 v, FILE *out)
{
	static const char *const routes[] = { "here", "elsewhere", "none" };
	char buf[ADDR_TEXT_BYTES];
	const char *name = NULL;

	switch (f) {
	case F_SRC:
	case F_DST:
		fputs(addr_print((struct addr){ af, v }, buf), out);
		return;
	case F_IFACE:
	case F_RECV:
		name = v < m->names->str.n ? intern_name(m->names, (uint32_t)v) : NULL;
		break;
	case F_DIR:
		name = v == DIR_IN ? "in" : "out";
		break;
	case F_SRC_ROUTE:
	case F_DST_ROUTE:
		name = routes[v < ARRAY_SIZE(routes) ? v : ROUTE_NONE];
		break;
	case F_AF:
		name = v == AF_V4 ? "inet" : "inet6";
		break;
	case F_PROTO:
		name = proto_name((uint8_t)v);
		break;
	case F_ICMP:
		fprintf(out, "%u/%u", (unsigned int)(v >> 8), (unsigned int)(v & 0xff));
		return;
	case F_TCPFLAGS:
	case F_TAGS:
	case F_SRC_GROWN:
	case F_DST_GROWN:
	case F_TOS:
	case F_IPOPTS:
		fprintf(out, "0x%02x", (unsigned int)v);
		return;
	default:
		break;
	}
	if (name != NULL && name[0] != '\0')
		fputs(name, out);
	else
		fprintf(out, "%u", (unsigned int)v);
}

struct prefix_out {
	FILE *out;
	const char *comma;
};

static void print_prefix(struct prefix p, void *arg)
{
	struct prefix_out *po = arg;
	char buf[ADDR_TEXT_BYTES];

	fputs(po->comma, po->out);
	fputs(p.len == addr_bits(p.a.af) ? addr_print(p.a, buf) : prefix_print(p, buf), po->out);
	po->comma = ", ";
}

static void print_members(const struct model *m, enum field f, const struct set *s, FILE *out)
{
	struct prefix_out po = { out, "" };

	for (uint32_t i = 0; i < s->n; i++) {
		if (model_fields[f].universe == SET_ADDR) {
			set_to_prefixes(s->r[i], print_prefix, &po);
			continue;
		}
		fputs(i > 0 ? ", " : "", out);
		print_number(m, f, s->r[i].af, s->r[i].lo, out);
		if (s->r[i].hi != s->r[i].lo) {
			putc('-', out);
			print_number(m, f, s->r[i].af, s->r[i].hi, out);
		}
	}
}

static void print_flags(uint8_t flags, FILE *out)
{
	static const char letters[] = "FSRPAUEW";

	for (int bit = 0; bit < 8; bit++)
		if ((flags & 1u << bit) != 0)
			putc(letters[bit], out);
}

/* Flag bytes as VALUE/MASK, where they are all those of one mask and value */
static bool print_masked(const struct set *s, FILE *out)
{
	unsigned int all = 0xff, any = 0, n = 0, mask;

	for (unsigned int f = 0; f < 256; f++) {
		if (!set_has(s, AF_NONE, f))
			continue;
		all &= f;
		any |= f;
		n++;
	}
	mask = 0xff & ~(all ^ any);
	if (n == 0 || n != 1u << (8 - __builtin_popcount(mask)))
		return false;
	print_flags((uint8_t)(all & mask), out);
	putc('/', out);
	print_flags((uint8_t)mask, out);
	return true;
}

/* Tables that an address is in, and such that it is not in: "<a> ! <b>" */
static bool print_grown(const struct model *m, const struct set *s, FILE *out)
{
	unsigned int in = 0xff, out_of = 0xff, n = 0;

	for (unsigned int v = 0; v < 1u << MODEL_GROWN; v++) {
		if (!set_has(s, AF_NONE, v))
			continue;
		in &= v;
		out_of &= ~v;
		n++;
	}
	if (n == 0 || n != 1u << (MODEL_GROWN - (unsigned int)__builtin_popcount(in | out_of)))
		return false;
	for (uint32_t i = 0; i < m->grown.n; i++)
		if (((in | out_of) >> i & 1) != 0)
			fprintf(out, "%s<%s>", (in >> i & 1) != 0 ? "" : "! ", m->grown.v[i]);
	return true;
}

void set_print(const struct model *m, enum field f, const struct set *s, FILE *out)
{
	const struct set *rest = set_complement(m->a, s, model_fields[f].universe);
	const bool by_name = f == F_IFACE || f == F_RECV || f == F_TCPFLAGS;
	const bool invert = s->n > 0 && (rest->n < s->n || (by_name && rest->n <= s->n &&
				set_has(s, AF_NONE, UINT32_MAX)));
	const struct set *shown = invert ? rest : s;

	if (f == F_TCPFLAGS && print_masked(s, out))
		return;
	if ((f == F_SRC_GROWN || f == F_DST_GROWN) && print_grown(m, s, out))
		return;
	fputs(invert ? "! " : "", out);
	putc('{', out);
	print_members(m, f, shown, out);
	putc('}', out);
}

static void print_answer(struct answer a, FILE *out)
{
	if (a.rst)
		fputs(" rst", out);
	if (a.icmp4 >= 0)
		fprintf(out, " icmp %d/%d", a.icmp4 >> 8, a.icmp4 & 0xff);
	if (a.icmp6 >= 0)
		fprintf(out, " icmp6 %d/%d", a.icmp6 >> 8, a.icmp6 & 0xff);
}

static void print_ruling(struct ruling r, FILE *out)
{
	static const char *const names[] = { "pass", "block", "return" };

	fputs(names[r.verdict], out);
	if (r.keep)
		fputs(" keep", out);
	if (r.allow_opts)
		fputs(" allow-opts", out);
	if (r.mend != 0)
		fprintf(out, " scrub#%u", r.mend);
	if (r.limit != 0)
		fprintf(out, " limit#%u", r.limit);
	if (r.verdict == V_RETURN)
		print_answer(r.answer, out);
}

static void print_list_ref(const struct model *m, uint32_t list, FILE *out)
{
	fprintf(out, "%s#%u", m->lists.v[list].name, list);
}

static void print_redirect(const struct redirect *r, FILE *out)
{
	char buf[ADDR_TEXT_BYTES];

	fputs("; ", out);
	if (r->proto >= 0)
		fprintf(out, "proto %d ", r->proto);
	if (r->peer.af != AF_NONE)
		fprintf(out, "from %s ", addr_print(r->peer, buf));
	if (r->peer_lo != 0)
		fprintf(out, "from port %u-%u ", r->peer_lo, r->peer_hi);
	if (r->outside.af != AF_NONE)
		fputs(addr_print(r->outside, buf), out);
	if (r->has_ports)
		fprintf(out, " port %u-%u", r->lo, r->hi);
	fputs(" =>", out);
	for (uint32_t i = 0; i < r->to.n; i++)
		fprintf(out, "%s %s", i > 0 ? "," : "",
			addr_port_print(r->to.v[i].a, r->has_ports ? r->to.v[i].port : -1, buf));
}

static void print_instance(const struct model *m, const struct xlate *x, FILE *out)
{
	if (x->is_global)
		fputs(" global", out);
	if (x->deny_in)
		fputs(" deny-in", out);
	if (x->only_from != NULL) {
		fputs(" only from ", out);
		set_print(m, F_SRC, x->only_from, out);
	}
	for (uint32_t i = 0; i < x->redirects.n; i++)
		print_redirect(&x->redirects.v[i], out);
}

static void print_pool(const struct xlate *x, FILE *out)
{
	static const char *const names[] = {
		[POOL_ROUND_ROBIN] = " round-robin", [POOL_RANDOM] = " random",
		[POOL_SOURCE_HASH] = " source-hash", [POOL_BITMASK] = " bitmask",
	};

	if (x->pool == POOL_BITMASK)
		fprintf(out, " bitmask %u", x->host_bits);
	else if (x->to.n > 1)
		fputs(names[x->pool], out);
	if (x->to.n > 1 && x->pool == POOL_SOURCE_HASH)
		fprintf(out, " 0x%08x", x->seed);
	if (x->is_sticky)
		fputs(" sticky", out);
}

static void print_shift(const struct xlate *x, FILE *out)
{
	fprintf(out, " port %u", x->lo);
	if (x->hi >= x->lo)
		fprintf(out, "-%u", x->hi);
	fprintf(out, " from %u", x->from);
}

static void print_xlate(const struct model *m, const struct xlate *x, FILE *out)
{
	static const char *const kinds[] = { "dst", "src", "instance", "map" };
	char buf[ADDR_TEXT_BYTES];

	fprintf(out, "%s", kinds[x->kind]);
	if (x->kind == XL_INSTANCE)
		fprintf(out, " %u%s", x->instance, x->is_local ? " local" : "");
	if (x->kind == XL_MAP)
		return;
	fputs(" -> ", out);
	for (uint32_t i = 0; i < x->to.n; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "", addr_print(x->to.v[i], buf));
	print_pool(x, out);
	if (x->port == XP_TO)
		fprintf(out, " port %u", x->lo);
	else if (x->port == XP_RANDOM)
		fprintf(out, " port %u-%u", x->lo, x->hi);
	else if (x->port == XP_SHIFT)
		print_shift(x, out);
	if (x->kind == XL_INSTANCE)
		print_instance(m, x, out);
}

static void print_state_name(const struct model *m, const struct effect *e, FILE *out)
{
	if (e->name != 0)
		fprintf(out, " :%s", intern_name(m->names, e->name));
}

static void print_scrub(const struct scrub *s, FILE *out)
{
	fputs(" scrub", out);
	if (s->max_mss != 0)
		fprintf(out, " max-mss %u", s->max_mss);
	if (s->min_ttl != 0)
		fprintf(out, " min-ttl %u", s->min_ttl);
	if (s->no_df)
		fputs(" no-df", out);
	if (s->tos >= 0)
		fprintf(out, " tos 0x%02x", (unsigned int)s->tos);
}

static void print_effect(const struct model *m, const struct effect *e, FILE *out)
{
	switch (e->kind) {
	case EF_LOG:
		fputs(" log", out);
		break;
	case EF_PREFER:
		fputs(" prefer ", out);
		print_ruling(e->ruling, out);
		break;
	case EF_TRANSLATE:
		fputs(" translate (", out);
		print_xlate(m, &m->xlates.v[e->xlate], out);
		putc(')', out);
		if (e->list != LIST_NONE) {
			fputs(" else ", out);
			print_list_ref(m, e->list, out);
		}
		break;
	case EF_PROBE:
		fputs(" probe", out);
		print_state_name(m, e, out);
		break;
	case EF_RECORD:
		fputs(" record ", out);
		print_list_ref(m, e->list, out);
		print_state_name(m, e, out);
		if (e->limit > 0)
			fprintf(out, " limit %u by 0x%x", e->limit, e->limit_by);
		break;
	case EF_SCRUB:
		print_scrub(&m->scrubs.v[e->scrub], out);
		break;
	case EF_MEND:
		fprintf(out, " scrub#%u", e->scrub + 1);
		break;
	case EF_TAG:
		fprintf(out, " tag 0x%02x untag 0x%02x", e->tags, e->untags);
		break;
	}
}

static void print_exit(const struct model *m, const struct rule *r, FILE *out)
{
	static const char *const names[] = {
		[EX_NEXT] = "next", [EX_GOTO] = "goto ", [EX_CALL] = "call ",
		[EX_RETURN] = "return", [EX_DECIDE] = "decide ", [EX_SETTLE] = "settle",
	};

	fprintf(out, " => %s%s", r->is_quick ? "quick " : "", names[r->exit]);
	if (r->exit == EX_GOTO || r->exit == EX_CALL)
		print_list_ref(m, r->list, out);
	if (r->exit == EX_DECIDE)
		print_ruling(r->ruling, out);
}

static void print_origin(const struct origin *o, struct sources *sources, FILE *out)
{
	const struct place p = source_place(sources, source_file_span(sources, o->at));

	if (o->policy != POLICY_NONE)
		fprintf(out, "  # policy %s", policy_names[o->policy]);
	else if (p.name != NULL)
		fprintf(out, "  # %s:%u", p.name, p.line);
	if (o->text != NULL)
		fprintf(out, "%s %s", o->policy == POLICY_NONE && p.name == NULL ? "  #" : "",
			o->text);
	putc('\n', out);
}

/* Is a table that of an earlier rule */
static bool is_shown(const struct model *m, uint32_t list, uint32_t rule)
{
	const struct portmap *map = m->lists.v[list].rules.v[rule].map;

	for (uint32_t l = 0; l <= list; l++)
		for (uint32_t i = 0; i < (l < list ? m->lists.v[l].rules.n : rule); i++)
			if (m->lists.v[l].rules.v[i].map == map)
				return true;
	return false;
}

/* The rows of a rule's table, each with its declaration */
static void print_map(const struct model *m, uint32_t list, uint32_t rule, struct sources *sources,
		      FILE *out)
{
	const struct portmap *map = m->lists.v[list].rules.v[rule].map;
	char from[ADDR_TEXT_BYTES], to[ADDR_TEXT_BYTES];

	if (map != NULL && is_shown(m, list, rule)) {
		fputs("\t\tas above\n", out);
		return;
	}
	for (uint32_t i = 0; map != NULL && i < map->rows.n; i++) {
		const struct portmap_row *r = &map->rows.v[i];

		fprintf(out, "\t\t%s %s", r->proto == PROTO_TCP ? "tcp" : "udp",
			addr_port_print(map->outside[r->outside], r->lo, from));
		if (r->hi != r->lo)
			fprintf(out, "-%u", r->hi);
		fprintf(out, " -> %s", addr_port_print(map->inside.v[r->inside], r->to, to));
		if (portmap_port(r, r->hi) != r->to)
			fprintf(out, "-%u", portmap_port(r, r->hi));
		print_origin(&map->origins.v[r->origin], sources, out);
	}
}

static void dump_list(const struct model *m, uint32_t list, struct sources *sources, FILE *out)
{
	const struct rule_list *l = &m->lists.v[list];

	fprintf(out, "list ");
	print_list_ref(m, list, out);
	putc('\n', out);
	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];

		fputs("\t", out);
		for (uint32_t t = 0; t < r->tests.n; t++) {
			fprintf(out, "%s ", model_fields[r->tests.v[t].f].name);
			set_print(m, r->tests.v[t].f, r->tests.v[t].in, out);
			putc(' ', out);
		}
		if (r->prob > 0)
			fprintf(out, "prob %f draw %u ", (double)r->prob / PROB_ONE, r->draw);
		if (r->until_s != 0)
			fprintf(out, "until %lld ", (long long)r->until_s);
		putc(':', out);
		for (uint32_t e = 0; e < r->effects.n; e++)
			print_effect(m, &r->effects.v[e], out);
		print_exit(m, r, out);
		print_origin(&r->origin, sources, out);
		print_map(m, list, i, sources, out);
	}
}

static void print_limit(const struct model *m, uint32_t i, FILE *out)
{
	const struct state_limit *l = &m->limits.v[i];
	const struct { const char *name; uint32_t n; } rows[] = {
		{ "max", l->max }, { "max-src-states", l->max_src_states },
		{ "max-src-nodes", l->max_src_nodes }, { "max-src-conn", l->max_src_conn },
	};

	fprintf(out, "limit#%u", i + 1);
	for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
		if (rows[k].n != 0)
			fprintf(out, " %s %u", rows[k].name, rows[k].n);
	if (l->rate != 0)
		fprintf(out, " max-src-conn-rate %u/%u", l->rate, l->seconds);
	if (l->grown != 0)
		fprintf(out, " overload <%s>", m->grown.v[l->grown - 1]);
	fputs(l->is_global ? " global\n" : "\n", out);
}

static void print_lives(const struct model *m, FILE *out)
{
	static const char *const names[N_LIVES] = {
		[LIFE_SYN] = "syn", [LIFE_ACK] = "ack", [LIFE_RST] = "rst", [LIFE_UDP] = "udp",
		[LIFE_OTHER] = "other",
	};

	for (int i = 0; i < N_LIVES; i++)
		if (m->lives_s[i] != 0)
			fprintf(out, "states after %s live %u s\n", names[i], m->lives_s[i]);
}

static void print_quota(const struct model *m, const struct quota *q, FILE *out)
{
	fputs("quota ", out);
	if (q->max != 0)
		fprintf(out, "max %u ", q->max);
	if (q->rate != 0)
		fprintf(out, "rate %u in %u s ", q->rate, q->per_s);
	if (q->protos != NULL) {
		fputs("proto ", out);
		set_print(m, F_PROTO, q->protos, out);
		fputs(" dport ", out);
		set_print(m, F_DPORT, q->ports, out);
		putc(' ', out);
	}
	fputs(q->protos != NULL ? "dst " : "of ", out);
	set_print(m, F_DST, q->addrs, out);
	fprintf(out, "  # %s\n", q->origin.text);
}

void model_dump(const struct model *m, struct sources *sources, FILE *out)
{
	static const char *const dirs[] = { "in", "out" };
	const struct { const char *name; const uint32_t *lists; } roots[] = {
		{ "before", m->before }, { "entry", m->entry }, { "after", m->after },
	};

	fprintf(out, "states %s, otherwise ",
		m->discipline == STATES_DIRECTED ? "directed" : "free");
	print_ruling(m->otherwise, out);
	putc('\n', out);
	print_lives(m, out);
	if (m->drops_opts)
		fputs("options dropped unless allowed\n", out);
	for (uint32_t i = 0; i < m->limits.n; i++)
		print_limit(m, i, out);
	for (uint32_t i = 0; i < m->quotas.n; i++)
		print_quota(m, &m->quotas.v[i], out);
	if (m->interior != NULL) {
		fputs("interior ", out);
		set_print(m, F_DST, m->interior, out);
		putc('\n', out);
	}
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		for (int dir = DIR_IN; dir <= DIR_OUT; dir++) {
			if (roots[i].lists[dir] == LIST_NONE)
				continue;
			fprintf(out, "%s %s ", roots[i].name, dirs[dir]);
			print_list_ref(m, roots[i].lists[dir], out);
			putc('\n', out);
		}
	}
	for (uint32_t l = 0; l < m->lists.n; l++)
		if (m->lists.v[l].rules.n > 0)
			dump_list(m, l, sources, out);
}
