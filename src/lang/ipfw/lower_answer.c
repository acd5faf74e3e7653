/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Answers of a redirected connection that its state lets out untranslated.  For
 * each redirect to an address of the inside, the lists are walked with a packet
 * that comes in by the outside interface: of its destination nothing is known
 * before the nat rule, and behind it that it is the redirect's.  A rule that
 * keeps a state there is told if the answer meets a look for states before it
 * meets nat, and what the state repeats lets it pass.
 *
 * A walk makes no sets, as there may be thousands of rules for each of hundreds of
 * redirects: of several rules that take a packet together it does not know.
 */
#include "base/limits.h"
#include "lang/ipfw/lower.h"

#define WALK_DEPTH	64u

/* What becomes of a packet that a rule takes */
enum fate { FATE_NEXT, FATE_ENDED, FATE_FOUND };

/**
 * struct told - What the walks have in common
 * @list:	Rules that were told
 * @walked:	By list, and whether behind nat: the last walk that came there
 * @n_walks:	Walks so far
 */
struct told {
	VEC(const struct rule *) list;
	uint32_t *walked;
	uint32_t n_walks;
};

/**
 * struct answers - A walk for one redirect on one interface
 * @l:		Lowering
 * @xlate:	The instance's translation
 * @inside:	The packet behind nat
 * @answer:	Its answer, on its way out
 * @told:	Rules that were told
 * @walk:	Number of the walk
 * @depth:	Lists around this one
 * @at_rule:	Called for a rule that some packets of @kind match
 */
struct answers {
	struct lower *l;
	uint32_t xlate;
	struct conj inside;
	struct conj answer;
	struct told *told;
	uint32_t walk;
	uint32_t depth;
	enum fate (*at_rule)(struct answers *w, const struct rule *r, const struct conj *kind);
};

static bool walk_from(struct answers *w, uint32_t list, uint32_t first, const struct conj *kind);

/* Walk on where a rule leads; true: what was looked for was found */
static bool follow(struct answers *w, const struct rule *r, const struct conj *kind)
{
	uint32_t *walked;

	if (r->exit != EX_GOTO && r->exit != EX_CALL)
		return false;
	walked = &w->told->walked[2 * r->list + (kind == &w->inside)];
	if (*walked == w->walk)
		return false;
	*walked = w->walk;
	return walk_from(w, r->list, 0, kind);
}

/* Can a packet of a kind be what a rule tests */
static bool meet(const struct conj *kind, const struct conj *c)
{
	for (int f = 0; f < N_FIELDS; f++)
		if (kind->f[f] != NULL && c->f[f] != NULL && !set_overlaps(kind->f[f], c->f[f]))
			return false;
	return true;
}

/* Does no packet that a rule matches go on with the next one, as far as this walk goes */
static bool is_taken(const struct answers *w, const struct rule *r, const struct effect *nat)
{
	if (r->prob != 0)
		return false;
	return (r->exit != EX_NEXT && r->exit != EX_CALL) ||
	       (nat != NULL && (nat->xlate == w->xlate || w->xlate == UINT32_MAX));
}

static bool walk_from(struct answers *w, uint32_t list, uint32_t first, const struct conj *kind)
{
	const struct rule_list *rl = &w->l->m->lists.v[list];
	bool found = false, is_all = false;

	if (w->depth == WALK_DEPTH)
		return false;
	w->depth++;
	for (uint32_t i = first; i < rl->rules.n && !found && !is_all; i++) {
		const struct rule *r = &rl->rules.v[i];
		const struct effect *nat = rule_has_effect(r, EF_TRANSLATE);
		const struct conj c = conj_of_rule(r);
		enum fate fate;

		if (!meet(kind, &c))
			continue;
		fate = w->at_rule(w, r, kind);
		found = fate == FATE_FOUND || (fate == FATE_NEXT && follow(w, r, kind));
		/* Behind the instance's nat the packet is the redirected one */
		if (nat != NULL && nat->xlate == w->xlate && r->exit == EX_NEXT && !found &&
		    kind != &w->inside)
			found = walk_from(w, list, i + 1, &w->inside);
		is_all = is_taken(w, r, nat) && conj_covers(&c, kind);
	}
	w->depth--;
	return found;
}

/* ---- the answer ------------------------------------------------------------ */

static enum fate finds_probe(struct answers *w, const struct rule *r, const struct conj *kind)
{
	(void)w;
	(void)kind;
	if (rule_has_effect(r, EF_TRANSLATE) != NULL)
		return FATE_ENDED;
	return rule_has_effect(r, EF_PROBE) != NULL ? FATE_FOUND : FATE_NEXT;
}

static enum fate finds_pass(struct answers *w, const struct rule *r, const struct conj *kind)
{
	(void)w;
	(void)kind;
	if (rule_has_effect(r, EF_TRANSLATE) != NULL)
		return FATE_ENDED;
	return r->exit == EX_DECIDE && r->ruling.verdict == V_PASS ? FATE_FOUND : FATE_NEXT;
}

/* Does the answer leave as it is, by the state that goes on in @list */
static bool leaves(struct answers *w, uint32_t list)
{
	struct answers out = { .l = w->l, .xlate = UINT32_MAX, .at_rule = finds_probe,
			       .told = w->told, .walk = ++w->told->n_walks };

	if (!walk_from(&out, w->l->m->entry[DIR_OUT], 0, &w->answer))
		return false;
	out.at_rule = finds_pass;
	out.walk = ++w->told->n_walks;
	return walk_from(&out, list, 0, &w->answer);
}

/* ---- the packet that comes in ---------------------------------------------- */

static bool is_told(const struct answers *w, const struct rule *r)
{
	for (uint32_t i = 0; i < w->told->list.n; i++)
		if (w->told->list.v[i] == r)
			return true;
	return false;
}

static enum fate finds_state(struct answers *w, const struct rule *r, const struct conj *kind)
{
	const struct effect *e = rule_has_effect(r, EF_RECORD);

	if (e == NULL || kind != &w->inside || w->told->list.n == LIMIT_WARNINGS ||
	    is_told(w, r) || !leaves(w, e->list))
		return FATE_NEXT;
	vec_add(w->l->a, &w->told->list, r);
	diag_add(w->l->c->diags, DIAG_W2038, r->origin.at,
		 "the state lets the answers of a redirected connection out before nat, "
		 "untranslated");
	diag_help(w->l->c->diags, "skipto a nat rule with it, as rules for what leaves do");
	return FATE_NEXT;
}

static void walk_redirect(struct lower *l, uint32_t xlate, const struct redirect *r,
			  const struct redirect_to *to, const struct iface *f, struct told *told)
{
	const struct set *inner = set_range(l->a, to->a.af, to->a.v, to->a.v);
	struct answers w = { .l = l, .xlate = xlate, .told = told, .at_rule = finds_state,
			     .walk = ++told->n_walks };
	struct conj in = { .f = { NULL } };

	in.f[F_IFACE] = in.f[F_RECV] = set_one(l->a, f->id);
	in.f[F_DIR] = set_one(l->a, DIR_IN);
	in.f[F_AF] = set_one(l->a, AF_V4);
	if (r->proto >= 0)
		in.f[F_PROTO] = set_one(l->a, (u128)r->proto);
	if (r->proto == PROTO_TCP)
		in.f[F_TCPFLAGS] = set_one(l->a, TCP_FLAG_SYN);
	w.inside = in;
	w.inside.f[F_DST] = inner;
	w.answer = (struct conj){ .f = { [F_IFACE] = in.f[F_IFACE], [F_AF] = in.f[F_AF],
					 [F_PROTO] = in.f[F_PROTO], [F_SRC] = inner } };
	w.answer.f[F_DIR] = set_one(l->a, DIR_OUT);
	w.answer.f[F_RECV] = set_one(l->a, 0);
	if (r->proto == PROTO_TCP)
		w.answer.f[F_TCPFLAGS] = set_one(l->a, TCP_FLAG_SYN | TCP_FLAG_ACK);
	if (r->has_ports) {
		w.inside.f[F_DPORT] = set_range(l->a, AF_NONE, to->port,
						(u128)to->port + r->hi - r->lo);
		w.answer.f[F_SPORT] = w.inside.f[F_DPORT];
	}
	(void)walk_from(&w, l->m->entry[DIR_IN], 0, &in);
}

void lower_warn_answers(struct lower *l, const struct set *inside)
{
	struct told told = {
		.walked = arena_array(l->a, uint32_t, (size_t)2 * l->m->lists.n)
	};

	for (uint32_t x = 0; x < l->m->xlates.n; x++) {
		for (uint32_t i = 0; i < l->m->xlates.v[x].redirects.n; i++) {
			const struct redirect *r = &l->m->xlates.v[x].redirects.v[i];

			for (uint32_t k = 0; k < r->to.n * l->facts->ifaces.n; k++) {
				const struct iface *f = &l->facts->ifaces.v[k / r->to.n];
				const struct redirect_to *to = &r->to.v[k % r->to.n];

				if (f->kind == IFACE_REAL && set_has_addr(inside, to->a))
					walk_redirect(l, x, r, to, f, &told);
			}
		}
	}
}
