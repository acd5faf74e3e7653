/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Rules that nearly every packet meets, so that their order shows, and the tags
 * that each sees, and what states remember of them.  A probability is so near to
 * 0 or to 1 that the kernel's draws are known.
 */
#include "diff_gen.h"

#define PICK(g, array)	((array)[gen_below((g), (uint32_t)ARRAY_SIZE(array))])
#define DEPTH_MAX	3	/* anchors in each other */

const char *gen_tags(struct gen *g, struct arena *a)
{
	static const char *const names[] = { "A", "A", "A", "B", "B", "C", "D" };
	const char *gives = "", *asks = "";

	if (gen_often(g, 40))
		gives = arena_printf(a, " tag %s", PICK(g, names));
	if (gen_often(g, 40))
		asks = arena_printf(a, " %stagged %s", gen_often(g, 25) ? "! " : "",
				    PICK(g, names));
	return arena_printf(a, "%s%s", gives, asks);
}

const char *gen_chance(struct gen *g)
{
	static const char *const some[] = {
		" probability 99.9999999%", " probability 0.0000001%",
	};

	return gen_often(g, 5) ? PICK(g, some) : "";
}

static const char *const dirs[] = { " in", " in", " out", " out", "" };

static const char *const whats[] = {
	" all", " all", " all", " on igb0 all", " on igb1 all", " proto tcp all", " proto udp all",
	" proto tcp to port 80",
};

static const char *rule(struct gen *g, struct arena *a)
{
	static const char *const actions[] = {
		"pass", "pass", "pass", "block", "block return", "block drop", "match",
	};
	static const char *const states[] = { " no state", " no state", " flags any", "" };
	const char *action = PICK(g, actions);

	return arena_printf(a, "%s%s%s%s%s%s%s%s", action, PICK(g, dirs),
			    gen_often(g, 20) ? " log" : "",
			    action[0] != 'm' && gen_often(g, 15) ? " quick" : "", PICK(g, whats),
			    action[0] == 'p' ? PICK(g, states) : "", gen_tags(g, a),
			    gen_chance(g));
}

static const char *rule_or_anchor(struct gen *g, struct arena *a, int depth)
{
	const char *name, *text;

	if (depth >= DEPTH_MAX || gen_often(g, 80))
		return rule(g, a);
	name = gen_often(g, 70) ? arena_printf(a, " \"%c\"", 'a' + (char)gen_below(g, 26)) : "";
	text = arena_printf(a, "anchor%s%s%s%s%s {", name, PICK(g, dirs),
			    gen_often(g, 25) ? " quick" : "", PICK(g, whats),
			    gen_often(g, 30) ? gen_tags(g, a) : "");
	for (uint32_t n = 1 + gen_below(g, 4); n > 0; n--)
		text = arena_printf(a, "%s\n%s", text, rule_or_anchor(g, a, depth + 1));
	return arena_printf(a, "%s\n}", text);
}

void gen_dense(struct gen *g, struct arena *a, struct gen_lines *ret)
{
	if (gen_often(g, 30))
		vec_add(a, &ret->list, gen_often(g, 20) ?
			arena_printf(a, "no nat on igb0 inet proto udp all%s", gen_tags(g, a)) :
			arena_printf(a, "nat%s on igb0 inet all%s -> (igb0:0)",
				     gen_often(g, 50) ? " pass" : "", gen_tags(g, a)));
	if (gen_often(g, 30))
		vec_add(a, &ret->list, arena_printf(a, "rdr%s inet proto tcp from any to "
						    "203.0.113.2%s -> 192.168.100.2",
						    gen_often(g, 50) ? " pass" : "",
						    gen_tags(g, a)));
	for (uint32_t n = 2 + gen_below(g, 9); n > 0; n--)
		vec_add(a, &ret->list, rule_or_anchor(g, a, 0));
}
