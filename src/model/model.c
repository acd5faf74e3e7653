/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/model.h"

#include <string.h>

#define CALL_DEPTH_MAX	16u	/* nf_tables allows as many jumps */

const struct field_info model_fields[N_FIELDS] = {
	[F_DIR] = { "dir", SET_U8 },
	[F_IFACE] = { "iface", SET_U32 },
	[F_RECV] = { "recv", SET_U32 },
	[F_AF] = { "af", SET_U8 },
	[F_PROTO] = { "proto", SET_U8 },
	[F_SRC] = { "src", SET_ADDR },
	[F_DST] = { "dst", SET_ADDR },
	[F_SPORT] = { "sport", SET_U16 },
	[F_DPORT] = { "dport", SET_U16 },
	[F_TCPFLAGS] = { "flags", SET_U8 },
	[F_ICMP] = { "icmp", SET_U16 },
	[F_DST_LOCAL] = { "dst-local", SET_U8 },
	[F_SRC_LOCAL] = { "src-local", SET_U8 },
	[F_TAGS] = { "tags", SET_U8 },
	[F_SRC_GROWN] = { "src-grown", SET_U8 },
	[F_DST_GROWN] = { "dst-grown", SET_U8 },
	[F_SRC_ROUTE] = { "src-route", SET_U8 },
	[F_DST_ROUTE] = { "dst-route", SET_U8 },
	[F_TOS] = { "tos", SET_U8 },
	[F_IPOPTS] = { "ip-options", SET_U8 },
	[F_TTL] = { "ttl", SET_U8 },
	[F_LEN] = { "length", SET_U16 },
	[F_IPID] = { "ip-id", SET_U16 },
	[F_FLOWID] = { "flow-label", SET_U32 },
	[F_TCPWIN] = { "window", SET_U16 },
	[F_TCPSEQ] = { "seq", SET_U32 },
	[F_TCPACK] = { "ack", SET_U32 },
	[F_UID] = { "uid", SET_U32 },
	[F_GID] = { "gid", SET_U32 },
};

const char *const policy_names[N_POLICIES] = {
	[POLICY_NONE] = "none",
	[POLICY_INTERIOR] = "interior",
	[POLICY_SOURCE] = "source",
	[POLICY_EGRESS] = "egress",
	[POLICY_LOCAL] = "local",
};

#define ICMP4_PORT_UNREACHABLE	(3 << 8 | 3)
#define ICMP6_PORT_UNREACHABLE	(1 << 8 | 4)

struct ruling ruling_pass(void)
{
	return (struct ruling){ .verdict = V_PASS };
}

struct ruling ruling_keep(void)
{
	return (struct ruling){ .verdict = V_PASS, .keep = true };
}

struct ruling ruling_block(void)
{
	return (struct ruling){ .verdict = V_BLOCK };
}

struct ruling ruling_return(void)
{
	return (struct ruling){
		.verdict = V_RETURN,
		.answer = { .rst = true, .icmp4 = ICMP4_PORT_UNREACHABLE,
			    .icmp6 = ICMP6_PORT_UNREACHABLE },
	};
}

void model_init(struct model *m, struct arena *a, struct intern *names,
		const struct facts *facts)
{
	*m = (struct model){
		.a = a,
		.names = names,
		.facts = facts,
		.before = { LIST_NONE, LIST_NONE },
		.after = { LIST_NONE, LIST_NONE },
		.otherwise = ruling_pass(),
	};
	m->entry[DIR_IN] = m->entry[DIR_OUT] = model_add_list(m, "empty");
}

uint32_t model_add_list(struct model *m, const char *name)
{
	struct rule_list *l = vec_push(m->a, &m->lists);

	l->name = name;
	return m->lists.n - 1;
}

uint32_t model_add_xlate(struct model *m, struct xlate x)
{
	vec_add(m->a, &m->xlates, x);
	return m->xlates.n - 1;
}

enum xlate_kind xlate_side(const struct xlate *x)
{
	return x->kind == XL_MAP ? XL_DST : x->kind;
}

struct range xlate_range(const struct xlate *x, uint32_t i)
{
	const struct addr a = x->to.v[i];
	const uint8_t bits = x->pool == POOL_BITMASK ? x->host_bits : 0;
	const struct prefix p = { a, (uint8_t)(addr_bits(a.af) - bits) };

	return (struct range){ .af = a.af, .lo = prefix_first(p).v, .hi = prefix_last(p).v };
}

struct rule *model_add_rule(struct model *m, uint32_t list, struct origin origin)
{
	struct rule *r;

	BUG_IF(list >= m->lists.n);
	r = vec_push(m->a, &m->lists.v[list].rules);
	r->exit = EX_NEXT;
	r->list = LIST_NONE;
	r->origin = origin;
	return r;
}

void rule_test(struct model *m, struct rule *r, enum field f, const struct set *in)
{
	if (set_equal(in, set_all(m->a, model_fields[f].universe)))
		return;
	for (uint32_t i = 0; i < r->tests.n; i++) {
		if (r->tests.v[i].f == f) {
			r->tests.v[i].in = set_intersect(m->a, r->tests.v[i].in, in);
			return;
		}
	}
	vec_add(m->a, &r->tests, ((struct test){ f, in }));
	for (uint32_t i = r->tests.n - 1; i > 0 && r->tests.v[i - 1].f > f; i--) {
		const struct test t = r->tests.v[i];

		r->tests.v[i] = r->tests.v[i - 1];
		r->tests.v[i - 1] = t;
	}
}

const struct set *rule_tests(const struct rule *r, enum field f)
{
	for (uint32_t i = 0; i < r->tests.n; i++)
		if (r->tests.v[i].f == f)
			return r->tests.v[i].in;
	return NULL;
}

bool rule_is_never(const struct rule *r)
{
	for (uint32_t i = 0; i < r->tests.n; i++)
		if (set_is_empty(r->tests.v[i].in))
			return true;
	return false;
}

static struct effect *add_effect(struct model *m, struct rule *r, enum effect_kind kind)
{
	struct effect *e = vec_push(m->a, &r->effects);

	e->kind = kind;
	e->list = LIST_NONE;
	return e;
}

void rule_log(struct model *m, struct rule *r)
{
	add_effect(m, r, EF_LOG);
}

void rule_prefer(struct model *m, struct rule *r, struct ruling ruling)
{
	add_effect(m, r, EF_PREFER)->ruling = ruling;
}

void rule_translate(struct model *m, struct rule *r, uint32_t xlate, uint32_t unchanged)
{
	struct effect *e = add_effect(m, r, EF_TRANSLATE);

	BUG_IF(xlate >= m->xlates.n);
	e->xlate = xlate;
	e->list = unchanged;
}

void rule_probe(struct model *m, struct rule *r)
{
	add_effect(m, r, EF_PROBE);
}

void rule_probe_name(struct model *m, struct rule *r, uint32_t name)
{
	add_effect(m, r, EF_PROBE)->name = name;
}

void rule_record(struct model *m, struct rule *r, uint32_t list)
{
	add_effect(m, r, EF_RECORD)->list = list;
}

void rule_record_limit(struct model *m, struct rule *r, uint32_t list, uint32_t name,
		       uint32_t limit, uint8_t limit_by)
{
	struct effect *e = add_effect(m, r, EF_RECORD);

	e->list = list;
	e->name = name;
	e->limit = limit;
	e->limit_by = limit_by;
}

void rule_tag(struct model *m, struct rule *r, uint8_t tags, uint8_t untags)
{
	struct effect *e = add_effect(m, r, EF_TAG);

	e->tags = tags;
	e->untags = untags;
}

void rule_scrub(struct model *m, struct rule *r, struct scrub scrub)
{
	struct effect *e = vec_push(m->a, &r->effects);

	e->kind = EF_SCRUB;
	e->scrub = m->scrubs.n;
	vec_add(m->a, &m->scrubs, scrub);
}

uint32_t model_add_scrub(struct model *m, struct scrub x)
{
	for (uint32_t i = 0; i < m->scrubs.n; i++)
		if (scrub_equal(m->scrubs.v[i], x))
			return i;
	vec_add(m->a, &m->scrubs, x);
	return m->scrubs.n - 1;
}

void rule_mend(struct model *m, struct rule *r, uint32_t scrub)
{
	struct effect *e = vec_push(m->a, &r->effects);

	e->kind = EF_MEND;
	e->scrub = scrub;
}

void rule_goto(struct rule *r, uint32_t list)
{
	r->exit = EX_GOTO;
	r->list = list;
}

void rule_call(struct rule *r, uint32_t list)
{
	r->exit = EX_CALL;
	r->list = list;
}

void rule_call_quick(struct rule *r, uint32_t list)
{
	rule_call(r, list);
	r->is_quick = true;
}

void rule_decide(struct rule *r, struct ruling ruling)
{
	r->exit = EX_DECIDE;
	r->ruling = ruling;
}

const struct effect *rule_has_effect(const struct rule *r, enum effect_kind kind)
{
	for (uint32_t i = 0; i < r->effects.n; i++)
		if (r->effects.v[i].kind == kind)
			return &r->effects.v[i];
	return NULL;
}

/*
 * Depth-first walk over lists.  @depth 0 = not seen, UINT8_MAX = on the path,
 * else 1 + the deepest nest of calls below.
 */
static const char *walk(const struct model *m, uint32_t list, uint8_t *depth)
{
	uint8_t deepest = 0;

	if (list == LIST_NONE || (depth[list] != 0 && depth[list] != UINT8_MAX))
		return NULL;
	if (depth[list] == UINT8_MAX)
		return "lists form a cycle";
	depth[list] = UINT8_MAX;
	for (uint32_t i = 0; i < m->lists.v[list].rules.n; i++) {
		const struct rule *r = &m->lists.v[list].rules.v[i];
		const bool leads_on = r->exit == EX_GOTO || r->exit == EX_CALL;
		const char *wrong;

		if (leads_on && r->list >= m->lists.n)
			return "a rule leads to a list that is not there";
		for (uint32_t e = 0; e < r->effects.n; e++) {
			const uint32_t to = r->effects.v[e].list;

			if (to != LIST_NONE && to >= m->lists.n)
				return "an effect leads to a list that is not there";
			wrong = walk(m, to, depth);
			if (wrong != NULL)
				return wrong;
			if (to != LIST_NONE)
				deepest = MAX(deepest, depth[to] - 1);
		}
		if (!leads_on)
			continue;
		wrong = walk(m, r->list, depth);
		if (wrong != NULL)
			return wrong;
		deepest = MAX(deepest, depth[r->list] - (r->exit == EX_GOTO));
		if (deepest > CALL_DEPTH_MAX)
			return "calls nest too deep";
	}
	depth[list] = deepest + 1;
	return NULL;
}

bool model_translates(const struct model *m)
{
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++)
			if (rule_has_effect(&m->lists.v[l].rules.v[i], EF_TRANSLATE) != NULL)
				return true;
	return false;
}

const char *model_check(const struct model *m)
{
	uint8_t *depth = arena_array(m->a, uint8_t, m->lists.n);
	const uint32_t *roots[] = { m->before, m->entry, m->after };

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		for (int dir = DIR_IN; dir <= DIR_OUT; dir++) {
			const uint32_t list = roots[i][dir];
			const char *wrong;

			if (list != LIST_NONE && list >= m->lists.n)
				return "an entry list is not there";
			wrong = walk(m, list, depth);
			if (wrong != NULL)
				return wrong;
		}
	}
	return NULL;
}
