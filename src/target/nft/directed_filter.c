/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The filter of one direction: what has a state passes, then the rules.  A pass
 * that keeps state goes to a chain that sets the bit of the leg; a pass without
 * state goes to one that does so for translated flows only, because pf keeps a
 * state for each of those.
 *
 * A refusal that is answered makes a packet of our own, which pf does not
 * judge.  A RST carries the connection that it answers: that is marked before.
 * An ICMP error carries none as long as the connection is not confirmed, and
 * it never is when its first packet is refused, so it is known by being our
 * own and of no connection; the errors of other parts of the kernel belong to
 * confirmed ones.
 */
#include "target/nft/directed.h"

#include <linux/netfilter.h>

#define CT_INVALID	0x1u	/* NF_CT_STATE_INVALID_BIT */
#define CT_RELATED	0x4u	/* NF_CT_STATE_BIT(IP_CT_RELATED) */
#define CT_DNAT		0x20u	/* IPS_DST_NAT */
#define CT_SNAT		0x10u	/* IPS_SRC_NAT */

#define ICMP4_UNREACHABLE	3
#define ICMP6_UNREACHABLE	1

static void match_direction(struct frame *f, struct nft_stmts *s, bool is_reply)
{
	stmt_match(f->p, s, NFT_K_CT_DIR, false, nft_value_num(NFT_T_CT_DIR, is_reply));
}

static void match_bit(struct frame *f, struct nft_stmts *s, uint32_t bit)
{
	stmt_masked(f->p, s, NFT_K_CT_MARK, bit, bit, false);
}

static void add_verdict(struct frame *f, struct nft_chain *c, struct nft_stmts *s,
			enum nft_verdict v, const char *chain)
{
	stmt_verdict(f->p, s, v, chain);
	nft_add_rule(f->p, c, s, NULL);
}

/* The leg that a packet's state is of, by its direction in ct */
static uint32_t leg_of(const struct frame *f, enum direction dir, bool is_reply)
{
	return f->leg[is_reply ? 1 - dir : dir];
}

/* Accept what has a state that was made in this direction of ct */
static void accept_state(struct frame *f, struct nft_chain *c, enum direction dir, bool is_reply,
			 enum judging how)
{
	const enum direction leg = is_reply ? (enum direction)(1 - (int)dir) : dir;
	struct nft_stmts s = { 0 };

	match_direction(f, &s, is_reply);
	match_bit(f, &s, f->leg[leg]);
	if (how == JUDGE)
		directed_pass_state(f, &s, leg);
	else
		stmt_verdict(f->p, &s, NFT_V_ACCEPT, NULL);
	nft_add_rule(f->p, c, &s, NULL);
}

void directed_states(struct frame *f, struct nft_chain *c, enum direction dir, enum judging how)
{
	accept_state(f, c, dir, false, how);
	accept_state(f, c, dir, true, how);
}

void directed_answers(struct frame *f, struct nft_chain *c, enum direction dir)
{
	static const struct origin origin = {
		.text = "fence egress: answers to what was let in may leave",
		.policy = POLICY_EGRESS,
	};
	struct nft_stmts s = { 0 };

	match_direction(f, &s, true);
	match_bit(f, &s, leg_of(f, dir, true));
	/* An ICMP error about a flow need not come from one of its ends */
	stmt_masked(f->p, &s, NFT_K_CT_STATE, CT_RELATED, 0, false);
	stmt_verdict(f->p, &s, NFT_V_ACCEPT, NULL);
	nft_add_rule(f->p, c, &s, &origin);
}

static const char *const keep_names[2][2] = {
	[DIR_IN] = { "in_keep", "in_keep_opts" }, [DIR_OUT] = { "out_keep", "out_keep_opts" },
};
static const char *const pass_names[2][2] = {
	[DIR_IN] = { "in_pass", "in_pass_opts" }, [DIR_OUT] = { "out_pass", "out_pass_opts" },
};

/* Remember the state and accept; without a connection there is nothing to remember it in */
static const char *keep_chain(struct frame *f, enum direction dir, bool allow_opts)
{
	struct nft_chain *c = f->keep[dir][allow_opts];
	struct nft_stmts save = { 0 }, end = { 0 };

	if (c != NULL)
		return c->name;
	c = nft_add_named(f->p, NFT_INET, keep_names[dir][allow_opts]);
	f->keep[dir][allow_opts] = c;
	if (f->m->drops_opts && !allow_opts)
		directed_if_opts(f, c, NFT_V_DROP, NULL);
	if (f->tag_mask != 0) {
		stmt_verdict(f->p, &save, NFT_V_JUMP, directed_save_tags(f));
		nft_add_rule(f->p, c, &save, NULL);
	}
	for (int reply = 0; reply < 2; reply++) {
		struct nft_stmts s = { 0 };

		match_direction(f, &s, reply);
		stmt_mark(f->p, &s, NFT_K_CT_MARK, UINT32_MAX,
			  leg_of(f, dir, reply) |
			  (allow_opts ? f->opts[reply != 0 ? 1 - dir : dir] : 0));
		nft_add_rule(f->p, c, &s, NULL);
		directed_keep_mends(f, c, reply != 0, (enum direction)(reply != 0 ? 1 - dir : dir));
	}
	directed_pass(f, &end);
	nft_add_rule(f->p, c, &end, NULL);
	return c->name;
}

/* Is anything translated that a filter of this direction sees */
static bool is_translating(const struct frame *f, enum direction dir)
{
	const struct side *s = &f->sides[dir];

	return !f->p->options.no_nat && (s->nats.list.n > 0 || s->policy.list.n > 0 ||
					 f->sides[DIR_IN].nats.list.n > 0);
}

static void add_translated(struct frame *f, struct nft_chain *c, enum direction dir,
			   uint32_t status, bool on_lo, bool allow_opts)
{
	struct nft_stmts s = { 0 };

	if (on_lo)
		stmt_match(f->p, &s, NFT_K_OIFNAME, false, nft_value_name("lo"));
	match_direction(f, &s, false);
	stmt_masked(f->p, &s, NFT_K_CT_STATUS, status, 0, true);
	add_verdict(f, c, &s, NFT_V_GOTO, keep_chain(f, dir, allow_opts));
}

/* On lo the destination is translated at the outbound crossing already */
static const char *pass_chain(struct frame *f, enum direction dir, bool allow_opts)
{
	struct nft_chain *c = f->pass[dir][allow_opts];
	struct nft_stmts end = { 0 };

	if (c != NULL)
		return c->name;
	c = nft_add_named(f->p, NFT_INET, pass_names[dir][allow_opts]);
	f->pass[dir][allow_opts] = c;
	if (is_translating(f, dir)) {
		add_translated(f, c, dir, dir == DIR_IN ? CT_DNAT : CT_SNAT, false, allow_opts);
		if (dir == DIR_OUT)
			add_translated(f, c, dir, CT_DNAT, true, allow_opts);
	}
	if (f->m->drops_opts && !allow_opts)
		directed_if_opts(f, c, NFT_V_DROP, NULL);
	directed_pass(f, &end);
	nft_add_rule(f->p, c, &end, NULL);
	return c->name;
}

static void mark_answered(struct frame *f, struct nft_chain *c, bool tcp_only)
{
	struct nft_stmts s = { 0 };

	if (tcp_only)
		stmt_match(f->p, &s, NFT_K_L4PROTO, false,
			   nft_value_num(NFT_T_PROTO, PROTO_TCP));
	stmt_mark(f->p, &s, NFT_K_CT_MARK, UINT32_MAX, f->answer);
	nft_add_rule(f->p, c, &s, NULL);
}

static void match_family(struct frame *f, struct nft_stmts *s, bool v6)
{
	stmt_match(f->p, s, NFT_K_NFPROTO, false,
		   nft_value_num(NFT_T_NFPROTO, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4));
}

static void match_proto(struct frame *f, struct nft_stmts *s, uint8_t proto)
{
	stmt_match(f->p, s, NFT_K_L4PROTO, false, nft_value_num(NFT_T_PROTO, proto));
}

static void add_rst(struct frame *f, struct nft_chain *c)
{
	struct nft_stmts rst = { 0 }, s = { 0 };

	match_proto(f, &rst, PROTO_TCP);
	stmt_masked(f->p, &rst, NFT_K_TCP_FLAGS, TCP_FLAG_RST, TCP_FLAG_RST, false);
	add_verdict(f, c, &rst, NFT_V_DROP, NULL);
	mark_answered(f, c, true);
	match_proto(f, &s, PROTO_TCP);
	stmt_reject(f->p, &s, NFT_R_RST, 0);
	nft_add_rule(f->p, c, &s, NULL);
}

/* ICMP messages that have an id */
static void add_queries(struct frame *f, struct nft_chain *c, bool v6, int32_t icmp)
{
	struct nft_stmts s = { 0 };
	struct ranges rs = { 0 };

	ranges_add(f->p->tmp, &rs, AF_NONE, v6 ? 128 : 0, v6 ? 129 : 0);
	if (!v6) {
		ranges_add(f->p->tmp, &rs, AF_NONE, 8, 8);
		ranges_add(f->p->tmp, &rs, AF_NONE, 13, 18);
	}
	match_family(f, &s, v6);
	match_proto(f, &s, v6 ? PROTO_ICMP6 : PROTO_ICMP);
	stmt_in(f->p, &s, v6 ? NFT_K_ICMP6_TYPE : NFT_K_ICMP_TYPE, false,
		nft_set_of(f->p, NFT_INET, v6 ? NFT_T_ICMP6_TYPE : NFT_T_ICMP_TYPE,
			   set_make(f->p->tmp, &rs)));
	stmt_reject(f->p, &s, v6 ? NFT_R_ICMP6 : NFT_R_ICMP, (uint8_t)icmp);
	nft_add_rule(f->p, c, &s, NULL);
}

static void add_unreachable(struct frame *f, struct nft_chain *c, bool v6, bool queries,
			    int32_t icmp)
{
	struct nft_stmts own = { 0 }, s = { 0 };

	if (queries && icmp >= 0)
		add_queries(f, c, v6, icmp);
	match_family(f, &own, v6);
	match_proto(f, &own, v6 ? PROTO_ICMP6 : PROTO_ICMP);
	add_verdict(f, c, &own, NFT_V_DROP, NULL);
	if (icmp < 0)
		return;
	match_family(f, &s, v6);
	stmt_reject(f->p, &s, v6 ? NFT_R_ICMP6 : NFT_R_ICMP, (uint8_t)icmp);
	nft_add_rule(f->p, c, &s, NULL);
}

const char *directed_answer(struct frame *f, struct answer a)
{
	struct nft_stmts end = { 0 };
	struct nft_chain *c;

	for (uint32_t i = 0; i < f->answers.n; i++)
		if (f->answers.v[i].what.rst == a.rst && f->answers.v[i].what.icmp4 == a.icmp4 &&
		    f->answers.v[i].what.icmp6 == a.icmp6 &&
		    f->answers.v[i].what.queries == a.queries)
			return f->answers.v[i].chain->name;
	c = nft_add_list(f->p, NFT_INET, "answer",
			 arena_printf(f->p->a, "%d %d %d %d", a.rst, a.icmp4, a.icmp6, a.queries));
	vec_add(f->p->a, &f->answers, ((struct answer_chain){ a, c }));
	if (a.rst)
		add_rst(f, c);
	if (f->m->discipline == STATES_DIRECTED)	/* ipfw judges ICMP errors of its own */
		mark_answered(f, c, false);
	add_unreachable(f, c, false, a.queries, a.icmp4);
	add_unreachable(f, c, true, a.queries, a.icmp6);
	add_verdict(f, c, &end, NFT_V_DROP, NULL);
	return c->name;
}

static bool check_answer(struct frame *f, const struct ruling *r, const struct rule *whose)
{
	const struct answer *a = &r->answer;

	if ((a->icmp4 < 0 || a->icmp4 >> 8 == ICMP4_UNREACHABLE) &&
	    (a->icmp6 < 0 || a->icmp6 >> 8 == ICMP6_UNREACHABLE))
		return true;
	diag_add(f->d, DIAG_E1701, whose != NULL ? whose->origin.at : SPAN_NONE,
		 "only `unreachable` can be the ICMP answer in nftables");
	diag_help(f->d, "return-icmp takes the codes of `unreach`, as in return-icmp(13)");
	return false;
}

static void add_ruling(struct frame *f, struct nft_stmts *s, const struct ruling *r,
		       enum direction dir, enum judging how)
{
	if (r->verdict == V_RETURN && (how != JUDGE || dir == DIR_IN)) {
		stmt_verdict(f->p, s, NFT_V_GOTO, directed_answer(f, r->answer));
		return;
	}
	if (how == JUDGE_ANSWERS || r->verdict != V_PASS) {
		stmt_verdict(f->p, s, how == JUDGE_ANSWERS ? NFT_V_ACCEPT : NFT_V_DROP, NULL);
		return;
	}
	if (how == JUDGE_AHEAD)
		stmt_mark(f->p, s, NFT_K_MARK, UINT32_MAX, f->decided);
	if (r->mend != 0)
		directed_mend(f, s, r->mend - 1);
	if (r->keep && r->limit != 0)
		stmt_verdict(f->p, s, NFT_V_GOTO,
			     directed_limit(f, dir, r, keep_chain(f, dir, r->allow_opts)));
	else if (r->keep)
		stmt_verdict(f->p, s, NFT_V_GOTO, keep_chain(f, dir, r->allow_opts));
	else if (is_translating(f, dir) || (f->m->drops_opts && !r->allow_opts))
		stmt_verdict(f->p, s, NFT_V_GOTO, pass_chain(f, dir, r->allow_opts));
	else
		directed_pass(f, s);
}

bool directed_ruling(struct frame *f, struct nft_stmts *s, const struct ruling *r,
		     const struct rule *whose, enum direction dir, enum judging how)
{
	static const char *const names[] = {
		[V_PASS] = "pass", [V_BLOCK] = "block", [V_RETURN] = "return",
	};
	const bool is_shown = how != JUDGE_ANSWERS || r->verdict == V_RETURN;

	if (r->verdict == V_RETURN && !check_answer(f, r, whose))
		return false;
	if (is_shown)
		stmt_counter(f->p, s);
	if (is_shown && whose != NULL && rule_has_effect(whose, EF_LOG) != NULL)
		directed_log(f, s, &whose->origin, names[r->verdict]);
	add_ruling(f, s, r, dir, how);
	return true;
}

static void add_exempt_icmp(struct frame *f, struct nft_chain *c, const struct nft_stmts *where,
			    bool v6)
{
	struct nft_stmts s = { 0 };

	stmts_append(f->p, &s, where);
	stmt_masked(f->p, &s, NFT_K_CT_STATE, CT_INVALID, 0, true);
	match_proto(f, &s, v6 ? PROTO_ICMP6 : PROTO_ICMP);
	stmt_match(f->p, &s, v6 ? NFT_K_ICMP6_TYPE : NFT_K_ICMP_TYPE, false,
		   nft_value_num(NFT_T_ICMP_TYPE, v6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE));
	add_verdict(f, c, &s, NFT_V_ACCEPT, NULL);
}

/* The RST for a packet that conntrack does not track, as FIN without a connection */
static void add_exempt_rst(struct frame *f, struct nft_chain *c, const struct nft_stmts *where)
{
	struct nft_stmts s = { 0 };

	stmts_append(f->p, &s, where);
	stmt_masked(f->p, &s, NFT_K_CT_STATE, CT_INVALID, 0, true);
	match_proto(f, &s, PROTO_TCP);
	stmt_masked(f->p, &s, NFT_K_TCP_FLAGS, TCP_FLAG_RST, TCP_FLAG_RST, false);
	add_verdict(f, c, &s, NFT_V_ACCEPT, NULL);
}

static void add_exempt_answers(struct frame *f, struct nft_chain *c, const struct nft_stmts *where)
{
	struct nft_stmts s = { 0 };

	stmts_append(f->p, &s, where);
	stmt_masked(f->p, &s, NFT_K_CT_STATE, CT_RELATED, 0, true);
	match_bit(f, &s, f->answer);
	add_verdict(f, c, &s, NFT_V_ACCEPT, NULL);
	add_exempt_rst(f, c, where);
	add_exempt_icmp(f, c, where, false);
	add_exempt_icmp(f, c, where, true);
}

/* Our own answers: without an incoming interface, or back in on lo */
static void add_exempt(struct frame *f, struct nft_chain *c, enum direction dir)
{
	struct nft_stmts where = { 0 };

	if (f->m->otherwise.verdict != V_RETURN && f->sides[DIR_IN].plan.answer == NULL &&
	    f->sides[DIR_OUT].plan.answer == NULL)
		return;
	if (dir == DIR_OUT)
		stmt_match(f->p, &where, NFT_K_IIF, false, nft_value_num(NFT_T_IFINDEX, 0));
	else
		stmt_match(f->p, &where, NFT_K_IIFNAME, false, nft_value_name("lo"));
	add_exempt_answers(f, c, &where);
}

/* What an earlier run in this crossing decided is obeyed, what one left is cleared */
static void add_start(struct frame *f, struct nft_chain *c, enum direction dir, enum judging how)
{
	uint32_t bits = f->ids | f->memos | (how == JUDGE_AHEAD ? f->decided : 0);
	struct nft_stmts obey = { 0 }, clear = { 0 };

	for (uint32_t i = 0; i < f->mends.n; i++)
		bits |= f->mends.v[i].bit;
	if (f->decided != 0 && dir == DIR_OUT && how == JUDGE) {
		stmt_masked(f->p, &obey, NFT_K_MARK, f->decided, f->decided, false);
		stmt_mark(f->p, &obey, NFT_K_MARK, ~f->decided, 0);
		add_verdict(f, c, &obey, NFT_V_ACCEPT, NULL);
	}
	stmt_mark(f->p, &clear, NFT_K_MARK, ~bits, 0);
	if (bits != 0)
		nft_add_rule(f->p, c, &clear, NULL);
}

bool directed_filter(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		     enum judging how)
{
	struct nft_stmts end = { 0 };

	add_start(f, c, v->dir, how);
	add_exempt(f, c, v->dir);
	directed_opts(f, c, v->dir);
	directed_states(f, c, v->dir, how);
	if (!directed_list(f, c, v, how) ||
	    !directed_ruling(f, &end, &f->m->otherwise, NULL, v->dir, how))
		return false;
	nft_add_rule(f->p, c, &end, NULL);
	return true;
}
