/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * ipfw runs its one list in each pass, inbound and outbound, and a `nat` rule
 * in the middle translates at once: what follows sees the new addresses.  The
 * kernel translates in hooks of its own, so a pass is cut in two there:
 *
 *	in_fence	prerouting -310		before[in]
 *	in_before	prerouting -150		the list, on addresses as they came
 *	in_translate	prerouting -100 nat	the destination, by redirects
 *	in_after	prerouting -90		what follows the nat rule
 *	local_translate	output -100 nat		redirects, for local callers
 *	out_before_own	output 0		the list, on inside addresses
 *	out_before_fwd	forward 0
 *	out_translate	postrouting 100 nat	the source, as the label says
 *	out_after	postrouting 150		what follows the nat rule
 *	out_fence	postrouting 160		after[out]
 *
 * The first half leaves in the packet mark that it has decided, or a label:
 * the nat rule, and so the place where the second half goes on.  The bits are
 * cleared at the start of each pass; all others are left alone.
 *
 * The mark also holds the tags, which stay with the packet from pass to pass, and
 * the outcome of the last draw, for which all rules made of one `prob` ask.
 *
 * skipto goes forward only, so each place that is gone to is a chain, made
 * once for each direction and half in which it can be reached.
 *
 * conntrack translates flows where ipfw translates packets: a flow that once
 * met `nat` is translated also where it does not meet it.
 */
#include "target/nft/free.h"
#include "target/nft/led.h"

#include <linux/netfilter.h>
#include <string.h>

#define PRIO_FENCE_IN	(-310)
#define PRIO_IN_BEFORE	(-150)
#define PRIO_DNAT	(-100)
#define PRIO_IN_AFTER	(-90)
#define PRIO_OUT_BEFORE	0
#define PRIO_SNAT	100
#define PRIO_OUT_AFTER	150
#define PRIO_FENCE_OUT	160

#define CT_INVALID	0x1u	/* NF_CT_STATE_INVALID_BIT */

enum base {
	IN_FENCE, IN_BEFORE, IN_TRANSLATE, IN_AFTER, LOCAL_TRANSLATE, OUT_BEFORE_OWN,
	OUT_BEFORE_FWD,
	OUT_TRANSLATE, OUT_AFTER, OUT_FENCE, N_BASES
};

static const struct {
	const char *name;
	const char *type;
	uint32_t hook;
	int32_t prio;
} bases[N_BASES] = {
	[IN_FENCE] = { "in_fence", "filter", NF_INET_PRE_ROUTING, PRIO_FENCE_IN },
	[IN_BEFORE] = { "in_before", "filter", NF_INET_PRE_ROUTING, PRIO_IN_BEFORE },
	[IN_TRANSLATE] = { "in_translate", "nat", NF_INET_PRE_ROUTING, PRIO_DNAT },
	[IN_AFTER] = { "in_after", "filter", NF_INET_PRE_ROUTING, PRIO_IN_AFTER },
	[LOCAL_TRANSLATE] = { "local_translate", "nat", NF_INET_LOCAL_OUT, PRIO_DNAT },
	[OUT_BEFORE_OWN] = { "out_before_own", "filter", NF_INET_LOCAL_OUT, PRIO_OUT_BEFORE },
	[OUT_BEFORE_FWD] = { "out_before_fwd", "filter", NF_INET_FORWARD, PRIO_OUT_BEFORE },
	[OUT_TRANSLATE] = { "out_translate", "nat", NF_INET_POST_ROUTING, PRIO_SNAT },
	[OUT_AFTER] = { "out_after", "filter", NF_INET_POST_ROUTING, PRIO_OUT_AFTER },
	[OUT_FENCE] = { "out_fence", "filter", NF_INET_POST_ROUTING, PRIO_FENCE_OUT },
};

struct nft_view free_view(struct free_frame *f, enum direction dir)
{
	return (struct nft_view){
		.p = f->p, .m = f->m, .d = f->d, .dir = dir, .lo = NFT_LO_TOO,
		.tag_mask = f->tag_mask,
		.iface = dir == DIR_IN ? NFT_K_IIFNAME : NFT_K_OIFNAME,
	};
}

static bool same_place(const struct place_key *x, const struct place_key *y)
{
	return x->list == y->list && x->first == y->first && x->dir == y->dir &&
	       x->phase == y->phase && x->probed == y->probed && x->name == y->name &&
	       x->on == y->on && x->are == y->are;
}

struct nft_chain *free_chain_of(struct free_frame *f, struct place_key at)
{
	struct nft_chain *c;

	for (uint32_t i = 0; i < f->chains.n; i++)
		if (same_place(&f->chains.v[i].at, &at))
			return f->chains.v[i].chain;
	c = nft_add_chain(f->p, NFT_INET, at.dir == DIR_IN ? "in_list" : "out_list");
	vec_add(f->p->a, &f->chains, ((struct free_chain){ at, c }));
	return c;
}

static bool refuse(struct free_frame *f, const struct rule *r, const char *what)
{
	diag_add(f->d, DIAG_E1701, r->origin.at, "%s cannot be expressed in nftables", what);
	return false;
}

/* A verdict; a pass in the first half is remembered for the second */
static void add_ruling(struct free_frame *f, struct nft_stmts *s, const struct place_key *at,
		       enum verdict v)
{
	if (v == V_PASS && at->phase == BEFORE)
		stmt_mark(f->p, s, NFT_K_MARK, UINT32_MAX, f->decided);
	stmt_verdict(f->p, s, v == V_PASS ? NFT_V_ACCEPT : NFT_V_DROP, NULL);
}

/* The interfaces of a rule: the same set for rules that name the same */
static const struct set *ifaces_of(struct free_frame *f, const struct rule *r)
{
	const struct set *own = rule_tests(r, F_IFACE);

	for (uint32_t i = 0; own != NULL && i < f->chains.n; i++)
		if (f->chains.v[i].at.on != NULL && set_equal(f->chains.v[i].at.on, own))
			return f->chains.v[i].at.on;
	return own;
}

/* The addresses behind a nat rule: the same set for rules that lead to the same */
static const struct set *addrs_behind(struct free_frame *f, const struct rule *r,
				      uint32_t list, const struct xlate *x, enum direction dir)
{
	const struct set *own = free_translated(f, r, list, x, dir);

	for (uint32_t i = 0; own != NULL && i < f->chains.n; i++)
		if (f->chains.v[i].at.are != NULL && set_equal(f->chains.v[i].at.are, own))
			return f->chains.v[i].at.are;
	return own;
}

/* The label of a nat rule in one direction, and the chain that follows it */
static bool add_label(struct free_frame *f, struct nft_stmts *s, const struct rule *r,
		      const struct effect *e, const struct place_key *at, uint32_t idx)
{
	const bool ends = r->exit == EX_DECIDE && r->ruling.verdict == V_PASS;
	const struct place_key next = {
		.list = r->exit == EX_GOTO ? r->list : at->list,
		.first = r->exit == EX_GOTO ? 0 : idx + 1,
		.dir = at->dir, .phase = AFTER, .on = ifaces_of(f, r),
		.are = addrs_behind(f, r, at->list, &f->m->xlates.v[e->xlate], at->dir),
	};
	struct free_label label = {
		.value = nft_spread(f->labels.n + 1, f->label_mask), .dir = at->dir,
		.x = &f->m->xlates.v[e->xlate], .origin = &r->origin, .on = next.on,
	};

	if (!free_check_xlate(f, r, e, at))
		return false;
	if (!ends && r->exit != EX_NEXT && r->exit != EX_GOTO)
		return refuse(f, r, "a nat rule with this verdict");
	if (f->labels.n + 1 >= 1u << __builtin_popcount(f->label_mask)) {
		diag_add(f->d, DIAG_E1707, r->origin.at,
			 "mask 0x%08x has no bits left for the place after this nat rule",
			 f->p->options.mark_mask);
		return false;
	}
	if (!ends)
		label.chain = free_chain_of(f, next)->name;
	stmt_mark(f->p, s, NFT_K_MARK, ~f->label_mask, label.value | (ends ? f->decided : 0));
	stmt_verdict(f->p, s, NFT_V_ACCEPT, NULL);
	vec_add(f->p->a, &f->labels, label);
	return true;
}

/* An answer; after the translation of what goes out the kernel allows none */
static bool add_answer(struct free_frame *f, struct nft_stmts *s, const struct rule *r,
		       const struct place_key *at)
{
	if (at->dir == DIR_OUT && at->phase == AFTER) {
		diag_add(f->d, DIAG_W1702, r->origin.at,
			 "packets that were translated on their way out are dropped here "
			 "without an answer");
		stmt_verdict(f->p, s, NFT_V_DROP, NULL);
		return true;
	}
	stmt_verdict(f->p, s, NFT_V_GOTO, directed_answer(&f->shared, r->ruling.answer));
	return true;
}

/*
 * A look for states that not every packet takes: those that do go on in a chain of
 * their own, where it is known that they have looked
 */
static const char *probed_chain(struct free_frame *f, const struct place_key *at, uint32_t idx,
				uint32_t name)
{
	struct place_key next = *at;
	struct nft_stmts jump = { 0 }, go = { 0 };
	struct nft_chain *c;

	next.first = idx + 1;
	next.probed = true;
	next.name = name;
	c = nft_add_chain(f->p, NFT_INET, at->dir == DIR_IN ? "in_probed" : "out_probed");
	stmt_verdict(f->p, &jump, NFT_V_JUMP, free_probe_chain(f, at, name)->name);
	nft_add_rule(f->p, c, &jump, NULL);
	stmt_verdict(f->p, &go, NFT_V_GOTO, free_chain_of(f, next)->name);
	nft_add_rule(f->p, c, &go, NULL);
	return c->name;
}

static bool is_conditional(const struct rule *r)
{
	return r->tests.n > 0 || r->prob != 0;
}

/*
 * Behind a call it must be known where the packet is: not translated, and whether a
 * state has been looked for as before.  Lists that lead to each other are many ways
 * through few: each is looked at once.
 */
static bool may_call(struct free_frame *f, uint32_t list, const struct place_key *at, bool *seen)
{
	const struct rule_list *l = &f->m->lists.v[list];

	if (seen[list])
		return true;
	seen[list] = true;
	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];
		const bool has_looked = at->probed && at->name == 0;

		if (rule_has_effect(r, EF_TRANSLATE) != NULL ||
		    (rule_has_effect(r, EF_PROBE) != NULL && !has_looked) ||
		    ((r->exit == EX_GOTO || r->exit == EX_CALL) && !may_call(f, r->list, at, seen)))
			return false;
	}
	return true;
}

/* What a rule does in the end, @probe first; nothing for one that goes on with the next */
static bool add_end(struct free_frame *f, struct nft_stmts *s, const struct rule *r,
		    const struct place_key *at, uint32_t idx, const struct effect *probe)
{
	const struct effect *xlate = rule_has_effect(r, EF_TRANSLATE);
	const struct place_key to = { r->list, 0, at->dir, at->phase, at->probed, at->name,
				      at->on, at->are };

	if (xlate != NULL)
		return add_label(f, s, r, xlate, at, idx);
	if (probe != NULL && is_conditional(r))
		stmt_verdict(f->p, s, NFT_V_GOTO, probed_chain(f, at, idx, probe->name));
	else if (probe != NULL)
		stmt_verdict(f->p, s, NFT_V_JUMP,
			     free_probe_chain(f, at, probe->name)->name);
	switch (r->exit) {
	case EX_NEXT:
		return true;
	case EX_GOTO:
		stmt_verdict(f->p, s, NFT_V_GOTO, free_chain_of(f, to)->name);
		return true;
	case EX_CALL:
		if (!may_call(f, r->list, at,
			      arena_array(f->p->a, bool, f->m->lists.n))) {
			diag_add(f->d, DIAG_E1709, r->origin.at,
				 "rules that translate or look for states cannot be called in "
				 "nftables");
			diag_help(f->d, "use skipto, or put nat and check-state before the call");
			return false;
		}
		stmt_verdict(f->p, s, NFT_V_JUMP, free_chain_of(f, to)->name);
		return true;
	case EX_RETURN:
		stmt_verdict(f->p, s, NFT_V_RETURN, NULL);
		return true;
	case EX_SETTLE:
		add_ruling(f, s, at, f->m->otherwise.verdict);
		return true;
	case EX_DECIDE:
		if (r->ruling.verdict == V_RETURN)
			return add_answer(f, s, r, at);
		add_ruling(f, s, at, r->ruling.verdict);
		return true;
	default:
		BUG_IF(true);
	}
}

static bool check_rule(struct free_frame *f, const struct rule *r)
{
	const struct effect *probe = rule_has_effect(r, EF_PROBE);

	if (rule_has_effect(r, EF_PREFER) != NULL)
		return refuse(f, r, "a preference beside free states");
	if (probe != NULL && r->exit != EX_NEXT)
		return refuse(f, r, "a look for states that is no rule of its own");
	return true;
}

/* What `log` says became of the packet */
static const char *log_word(const struct rule *r)
{
	static const char *const names[] = {
		[V_PASS] = "pass", [V_BLOCK] = "block", [V_RETURN] = "return",
	};

	if (rule_has_effect(r, EF_TRANSLATE) != NULL)
		return "nat";
	return r->exit == EX_DECIDE ? names[r->ruling.verdict] : "match";
}

/* Count, and what a rule does besides what it is there for */
static void add_effects(struct free_frame *f, struct nft_stmts *s, const struct rule *r)
{
	stmt_counter(f->p, s);
	for (uint32_t i = 0; i < r->effects.n; i++) {
		const struct effect *e = &r->effects.v[i];

		if (e->kind == EF_LOG)
			directed_log(&f->shared, s, &r->origin, log_word(r));
		if (e->kind == EF_TAG)
			stmt_mark(f->p, s, NFT_K_MARK, ~nft_spread(e->untags, f->tag_mask),
				  nft_spread(e->tags & ~e->untags, f->tag_mask));
	}
}

/*
 * All rules made of one that has a probability ask for the same draw, and the first
 * that a chain has draws: behind a nat rule some of them are left out
 */
static void add_draw(struct free_frame *f, struct nft_chain *c, const struct rule *r)
{
	struct nft_stmts clear = { 0 }, s = { 0 };

	if (f->drew == c && f->draw == r->draw)
		return;
	f->drew = c;
	f->draw = r->draw;
	stmt_mark(f->p, &clear, NFT_K_MARK, ~f->drawn, 0);
	nft_add_rule(f->p, c, &clear, NULL);
	stmt_add(f->p, &s, &(struct nft_stmt){ .kind = NFT_S_DRAW, .draw = {
		.is_random = true, .mod = PROB_ONE, .below = r->prob } });
	stmt_mark(f->p, &s, NFT_K_MARK, UINT32_MAX, f->drawn);
	nft_add_rule(f->p, c, &s, &r->origin);
}

/* Behind a look for states that only what was drawn takes, that draw still stands */
static void keep_draw(struct free_frame *f, struct nft_chain *c, const struct place_key *at)
{
	const struct rule *r = at->first > 0 ? &f->m->lists.v[at->list].rules.v[at->first - 1]
					     : NULL;

	if (!at->probed || r == NULL || r->prob == 0 || rule_has_effect(r, EF_PROBE) == NULL)
		return;
	f->drew = c;
	f->draw = r->draw;
}

static bool has_looked(const struct place_key *at, uint32_t name)
{
	return at->probed && (at->name == 0 || at->name == name);
}

/* Can packets at a place, behind a nat rule, be what a rule tests */
static bool can_be_here(const struct place_key *at, const struct nft_tests *t)
{
	const struct set *addrs = t->f[at->dir == DIR_OUT ? F_SRC : F_DST];

	return (at->on == NULL || t->f[F_IFACE] == NULL || set_overlaps(at->on, t->f[F_IFACE])) &&
	       (at->are == NULL || addrs == NULL || set_overlaps(at->are, addrs));
}

static bool lower_rule(struct free_frame *f, struct nft_chain *c, struct place_key *at,
		       uint32_t idx)
{
	const struct rule *r = &f->m->lists.v[at->list].rules.v[idx];
	const struct effect *probe = rule_has_effect(r, EF_PROBE);
	const struct nft_view v = free_view(f, at->dir);
	const struct nft_tests t = nft_tests_of(r);
	struct nft_stmts pre = { 0 }, end = { 0 };
	struct nft_alts alts = { 0 };

	if (!can_be_here(at, &t))
		return true;
	if (!check_rule(f, r) || !nft_match(&v, &t, r->origin.at, &alts))
		return false;
	if (r->prob != 0) {
		add_draw(f, c, r);
		stmt_masked(f->p, &pre, NFT_K_MARK, f->drawn, f->drawn, false);
	}
	if (probe != NULL && has_looked(at, probe->name)) {
		if (r->effects.n == 1)
			return true;
		probe = NULL;
	}
	if (alts.list.n == 0)
		return true;
	if (!add_end(f, &end, r, at, idx, probe))
		return false;
	if (probe != NULL && !is_conditional(r)) {
		at->probed = true;
		at->name = probe->name;
	}
	if (rule_has_effect(r, EF_RECORD) != NULL)
		return free_record(f, c, &v, r, &pre, &end);
	for (uint32_t i = 0; i < alts.list.n; i++) {
		struct nft_stmts s = { 0 };

		stmts_append(f->p, &s, &pre);
		stmts_append(f->p, &s, &alts.list.v[i]);
		add_effects(f, &s, r);
		stmts_append(f->p, &s, &end);
		nft_add_rule(f->p, c, &s, &r->origin);
	}
	return true;
}

static bool lower_place(struct free_frame *f, struct nft_chain *c, struct place_key at)
{
	const struct rule_list *l = &f->m->lists.v[at.list];
	const struct origin end = { .text = f->m->otherwise_text };
	struct nft_stmts s = { 0 };

	keep_draw(f, c, &at);
	for (uint32_t i = at.first; i < l->rules.n; i++)
		if (!lower_rule(f, c, &at, i))
			return false;
	stmt_counter(f->p, &s);
	add_ruling(f, &s, &at, f->m->otherwise.verdict);
	nft_add_rule(f->p, c, &s, f->m->otherwise_text != NULL ? &end : NULL);
	return true;
}

/* Chains that were gone to, until no new one is */
static bool lower_places(struct free_frame *f)
{
	while (f->n_done < f->chains.n) {
		const struct free_chain next = f->chains.v[f->n_done++];

		if (!lower_place(f, next.chain, next.at))
			return false;
	}
	return true;
}

static bool answers_rst(const struct model *m)
{
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct rule *r = &m->lists.v[l].rules.v[i];

			if (r->exit == EX_DECIDE && r->ruling.verdict == V_RETURN &&
			    r->ruling.answer.rst)
				return true;
		}
	return false;
}

/*
 * Our own RST is not judged.  It carries the connection that it answers, which
 * is marked, or one that conntrack does not know.
 */
static void exempt_rst(struct free_frame *f, struct nft_chain *c, bool is_marked)
{
	const uint32_t bit = f->shared.answer;
	struct nft_stmts s = { 0 };

	stmt_match(f->p, &s, NFT_K_L4PROTO, false, nft_value_num(NFT_T_PROTO, PROTO_TCP));
	stmt_masked(f->p, &s, NFT_K_TCP_FLAGS, TCP_FLAG_RST, TCP_FLAG_RST, false);
	if (is_marked) {
		stmt_masked(f->p, &s, NFT_K_CT_MARK, bit, bit, false);
		stmt_mark(f->p, &s, NFT_K_CT_MARK, ~bit, 0);
	} else {
		stmt_masked(f->p, &s, NFT_K_CT_STATE, CT_INVALID, 0, true);
	}
	stmt_mark(f->p, &s, NFT_K_MARK, UINT32_MAX, f->decided);
	stmt_verdict(f->p, &s, NFT_V_ACCEPT, NULL);
	nft_add_rule(f->p, c, &s, NULL);
}

static void start_pass(struct free_frame *f, struct nft_chain *c, enum direction dir)
{
	const struct place_key at = { .list = f->m->entry[dir], .dir = dir, .phase = BEFORE };
	struct nft_stmts clear = { 0 }, go = { 0 };

	stmt_mark(f->p, &clear, NFT_K_MARK, ~(f->decided | f->label_mask), 0);
	nft_add_rule(f->p, c, &clear, NULL);
	if (c->hook == NF_INET_LOCAL_OUT && answers_rst(f->m)) {
		exempt_rst(f, c, true);
		exempt_rst(f, c, false);
	}
	stmt_verdict(f->p, &go, NFT_V_GOTO, free_chain_of(f, at)->name);
	nft_add_rule(f->p, c, &go, NULL);
}

static void resume_pass(struct free_frame *f, struct nft_chain *c, enum direction dir)
{
	static const enum nft_type keys[] = { NFT_T_MARK };
	struct nft_set *map = NULL;
	struct nft_stmts s = { 0 };

	for (uint32_t i = 0; i < f->labels.n; i++) {
		const struct free_label *l = &f->labels.v[i];
		struct nft_elem *e;

		if (l->dir != dir || l->chain == NULL)
			continue;
		if (map == NULL)
			map = nft_add_map(f->p, NFT_INET, "resume", keys, 1);
		e = vec_push(f->p->a, &map->elems);
		e->origin = NFT_NO_ORIGIN;
		memcpy(e->key, nft_value_num(NFT_T_MARK, l->value).b, sizeof(l->value));
		e->chain = l->chain;
	}
	if (map == NULL)
		return;
	map->is_vmap = true;
	nft_set_seal(map);
	stmt_add(f->p, &s, &(struct nft_stmt){ .kind = NFT_S_VMAP, .lookup = {
		.keys = { NFT_K_MARK }, .n_keys = 1, .set = map,
		.mask = f->decided | f->label_mask } });
	nft_add_rule(f->p, c, &s, NULL);
}

static uint32_t take_bit(uint32_t *left)
{
	const uint32_t bit = *left & -*left;

	*left &= *left - 1;
	return bit;
}

static bool set_bits(struct free_frame *f)
{
	const uint32_t mask = f->p->options.mark_mask;
	uint32_t left = mask;

	f->decided = take_bit(&left);
	if (f->m->n_draws > 0)
		f->drawn = take_bit(&left);
	for (uint32_t i = 0; i < f->m->tags.n; i++)
		f->tag_mask |= take_bit(&left);
	f->label_mask = left;
	f->p->marks = (struct nft_marks){ .own = mask, .answer = f->decided,
					.tags = f->tag_mask, .drawn = f->drawn };
	f->shared = (struct frame){ .p = f->p, .m = f->m, .d = f->d, .answer = f->decided };
	if (f->label_mask != 0)
		return true;
	diag_add(f->d, DIAG_E1707, SPAN_NONE,
		 "mask 0x%08x has fewer bits than a pass needs: one for its end, one for draws, "
		 "one for each tag, and one or more for nat rules", mask);
	return false;
}

/* The fences are those of the other frame */
static bool lower_fences(struct free_frame *f, struct nft_chain *in, struct nft_chain *out)
{
	struct frame *fences = &f->shared;
	const struct nft_view from = free_view(f, DIR_IN), to = free_view(f, DIR_OUT);

	if (!directed_split_policy(fences, DIR_IN) || !directed_split_policy(fences, DIR_OUT))
		return false;
	directed_source_routes(fences, in);
	if (!directed_rules(fences, in, &from, &fences->sides[DIR_IN].fences) ||
	    !directed_rules(fences, out, &to, &fences->sides[DIR_OUT].after))
		return false;
	directed_arp(fences);
	return true;
}

/*
 * What is on lo is translated on its way out, ahead of the list; the list has
 * judged what comes from a jail's link when it is
 */
static bool lower_local(struct free_frame *f, struct nft_chain *const chains[N_BASES])
{
	const struct side *in = &f->shared.sides[DIR_IN], *out = &f->shared.sides[DIR_OUT];
	struct nft_stmts s = { 0 };

	if (out->policy.list.n > 0) {
		stmt_match(f->p, &s, NFT_K_OIFNAME, true, nft_value_name("lo"));
		stmt_verdict(f->p, &s, NFT_V_ACCEPT, NULL);
		nft_add_rule(f->p, chains[LOCAL_TRANSLATE], &s, NULL);
	}
	return free_local(f, chains[LOCAL_TRANSLATE], &out->policy, DIR_OUT, NFT_LO_ONLY) &&
	       free_local(f, chains[IN_TRANSLATE], &in->late, DIR_IN, NFT_LO_NOT);
}

static bool cut_ways(struct free_frame *f, struct nft_chain *const chains[N_BASES])
{
	return free_cut(f, &chains[IN_BEFORE], 1) && free_cut(f, &chains[OUT_BEFORE_OWN], 2) &&
	       free_cut(f, &chains[IN_AFTER], 1) && free_cut(f, &chains[OUT_AFTER], 1);
}

bool free_lower(struct free_frame *f)
{
	struct nft_chain *chains[N_BASES];

	if (!set_bits(f))
		return false;
	for (int i = 0; i < N_BASES; i++)
		chains[i] = nft_led_base(f->p, bases[i].name, bases[i].type, bases[i].hook,
					 bases[i].prio);
	if (!free_declare_states(f) || !free_declare_links(f))
		return false;
	start_pass(f, chains[IN_BEFORE], DIR_IN);
	start_pass(f, chains[OUT_BEFORE_OWN], DIR_OUT);
	start_pass(f, chains[OUT_BEFORE_FWD], DIR_OUT);
	if (!lower_places(f) || !free_check_instances(f))
		return false;
	free_deny_in(f, chains[IN_AFTER]);
	free_note_links(f, chains[OUT_AFTER]);
	resume_pass(f, chains[IN_AFTER], DIR_IN);
	resume_pass(f, chains[OUT_AFTER], DIR_OUT);
	if (!f->p->options.no_nat && (!free_nat(f, chains[IN_TRANSLATE], DIR_IN) ||
				      !free_nat(f, chains[OUT_TRANSLATE], DIR_OUT)))
		return false;
	return lower_fences(f, chains[IN_FENCE], chains[OUT_FENCE]) &&
	       (f->p->options.no_nat || lower_local(f, chains)) && cut_ways(f, chains) &&
	       nft_check_depth(f->p, f->d, "places to skip to");
}
