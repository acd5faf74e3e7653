/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * pf judges a packet once at each crossing of an interface, so the frame is
 * prerouting and postrouting, around the kernel's own translation:
 *
 *	in_fence	prerouting -310		before[in], on addresses as they came
 *	in_translate	prerouting -100 nat	rdr, binat
 *	local_translate	output -100 nat		the same for the host's own packets
 *	in_filter	prerouting -90		skip, state, filter
 *	out_answer_fwd	forward 0		`block return out` can answer only
 *	out_answer_own	output 0		before postrouting
 *	out_scrub	postrouting 90		scrub, where there is any; in: the end of in_fence
 *	out_translate	postrouting 100 nat	nat, binat
 *	out_filter	postrouting 150		skip, state, filter
 *	out_fence	postrouting 160		after[out], on addresses as they leave
 *
 * The base chains are the same for every model, so that a reload never makes
 * one anew (which would lose packets that are queued there).
 *
 * A pf state covers the leg and direction that made it, and the answers: one
 * bit of the ct mark for each direction, read together with ct direction.  A
 * packet in `in` has a state if it goes in ct's original direction and the bit
 * of `in` is set, or in the reply direction and the bit of `out` is set; in
 * `out` the mirror image.  A bare `ct state established` would let a forwarded
 * flow out that only an `in` rule passed.
 *
 * How the last match becomes the first one is told in directed_plan.c, what becomes
 * of tags in directed_tags.c.
 */
#include "target/nft/directed.h"
#include "target/nft/flows.h"
#include "target/nft/led.h"
#include "target/nft/merge.h"
#include "target/nft/vnet_guard.h"

#include <linux/netfilter.h>
#include <linux/netfilter_arp.h>
#include <string.h>

#include "base/limits.h"

#define PRIO_FENCE_IN	(-310)
#define PRIO_DNAT	(-100)
#define PRIO_FILTER_IN	(-90)
#define PRIO_ANSWER	0
#define PRIO_SCRUB_OUT	90
#define PRIO_SNAT	100
#define PRIO_FILTER_OUT	150
#define PRIO_FENCE_OUT	160

enum base {
	IN_FENCE, IN_TRANSLATE, LOCAL_TRANSLATE, IN_FILTER, ANSWER_FWD, ANSWER_OWN,
	OUT_TRANSLATE, OUT_FILTER, OUT_FENCE, N_BASES
};

static const struct {
	const char *name;
	const char *type;
	uint32_t hook;
	int32_t prio;
} bases[N_BASES] = {
	[IN_FENCE] = { "in_fence", "filter", NF_INET_PRE_ROUTING, PRIO_FENCE_IN },
	[IN_TRANSLATE] = { "in_translate", "nat", NF_INET_PRE_ROUTING, PRIO_DNAT },
	[LOCAL_TRANSLATE] = { "local_translate", "nat", NF_INET_LOCAL_OUT, PRIO_DNAT },
	[IN_FILTER] = { "in_filter", "filter", NF_INET_PRE_ROUTING, PRIO_FILTER_IN },
	[ANSWER_FWD] = { "out_answer_fwd", "filter", NF_INET_FORWARD, PRIO_ANSWER },
	[ANSWER_OWN] = { "out_answer_own", "filter", NF_INET_LOCAL_OUT, PRIO_ANSWER },
	[OUT_TRANSLATE] = { "out_translate", "nat", NF_INET_POST_ROUTING, PRIO_SNAT },
	[OUT_FILTER] = { "out_filter", "filter", NF_INET_POST_ROUTING, PRIO_FILTER_OUT },
	[OUT_FENCE] = { "out_fence", "filter", NF_INET_POST_ROUTING, PRIO_FENCE_OUT },
};

static struct nft_view view(struct frame *f, enum direction dir, enum nft_lo lo)
{
	return (struct nft_view){
		.p = f->p, .m = f->m, .d = f->d, .dir = dir, .lo = lo,
		.iface = dir == DIR_IN ? NFT_K_IIFNAME : NFT_K_OIFNAME,
		.tag_mask = f->tag_mask, .tag_codes = f->tag_codes, .n_codes = f->n_codes,
	};
}

void directed_log(struct frame *f, struct nft_stmts *s, const struct origin *o, const char *what)
{
	const struct place at = source_place(f->p->sources,
					     source_file_span(f->p->sources, o->at));
	char *prefix = arena_printf(f->p->a, "%s %.*s:%u", what, (int)LIMIT_COMMENT_BYTES / 2,
				    at.name != NULL ? source_short_name(at.name) : "policy",
				    at.line);

	/* nft puts variables into a prefix, though not into a comment */
	for (char *c = prefix; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~' ||
		    strchr("\"\\$", *c) != NULL)
			*c = '?';
	stmt_add(f->p, s, &(struct nft_stmt){ .kind = NFT_S_LOG,
		 .log = { .group = f->p->options.log_group, .prefix = prefix } });
}

bool directed_rules(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		    const struct flat_rules *rules)
{
	for (uint32_t i = 0; i < rules->list.n; i++) {
		const struct flat_rule *r = &rules->list.v[i];
		const bool is_pass = r->ruling.verdict == V_PASS;
		struct nft_alts alts = { 0 };

		if (!nft_match(v, &r->t, r->origin->at, &alts))
			return false;
		for (uint32_t j = 0; j < alts.list.n; j++) {
			struct nft_stmts *s = &alts.list.v[j];

			stmt_counter(f->p, s);
			if (r->is_logged)
				directed_log(f, s, r->origin, is_pass ? "pass" : "block");
			stmt_verdict(f->p, s, is_pass ? NFT_V_ACCEPT : NFT_V_DROP, NULL);
			nft_add_rule(f->p, c, s, r->origin);
		}
	}
	return true;
}

/* Nothing is translated on skipped interfaces, whatever the ruling is */
static bool add_skips(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		      const struct flat_rules *skips)
{
	for (uint32_t i = 0; i < skips->list.n; i++) {
		const struct flat_rule *r = &skips->list.v[i];
		struct nft_alts alts = { 0 };

		if (!nft_match(v, &r->t, r->origin->at, &alts))
			return false;
		for (uint32_t j = 0; j < alts.list.n; j++) {
			stmt_verdict(f->p, &alts.list.v[j], NFT_V_ACCEPT, NULL);
			nft_add_rule(f->p, c, &alts.list.v[j], r->origin);
		}
	}
	return true;
}

static void add_lo_guard(struct frame *f, struct nft_chain *c, enum nft_key key, bool is_not)
{
	struct nft_stmts s = { 0 };

	stmt_match(f->p, &s, key, is_not, nft_value_name("lo"));
	stmt_verdict(f->p, &s, NFT_V_ACCEPT, NULL);
	nft_add_rule(f->p, c, &s, NULL);
}

static bool add_calls(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		      const struct nat_calls *calls, uint32_t bits, bool guard)
{
	for (uint32_t i = 0; i < calls->list.n; i++)
		if (!directed_nat(f, c, v, &calls->list.v[i], bits, guard))
			return false;
	return true;
}

static bool lower_nat_in(struct frame *f, struct nft_chain *c)
{
	const struct nft_view v = view(f, DIR_IN, NFT_LO_NOT);
	const struct side *in = &f->sides[DIR_IN];

	add_lo_guard(f, c, NFT_K_IIFNAME, false);
	return add_calls(f, c, &v, &in->policy, f->leg[DIR_IN], false) &&
	       add_skips(f, c, &v, &in->skips) &&
	       add_calls(f, c, &v, &in->nats, f->leg[DIR_IN], false);
}

/*
 * The host's own packets are translated before they are routed, both crossings
 * of lo ahead of them.  Without a policy list the language's own rules for lo
 * are what applies.
 */
static bool lower_nat_local(struct frame *f, struct nft_chain *c)
{
	struct nft_view v = view(f, DIR_OUT, NFT_LO_ONLY);
	const struct side *in = &f->sides[DIR_IN], *out = &f->sides[DIR_OUT];
	const uint32_t bits = f->leg[DIR_IN] | f->leg[DIR_OUT];

	add_lo_guard(f, c, NFT_K_OIFNAME, true);
	if (f->m->before[DIR_OUT] != LIST_NONE)
		return add_calls(f, c, &v, &out->policy, bits, false);
	v.dir = DIR_IN;
	return add_skips(f, c, &v, &in->skips) && add_calls(f, c, &v, &in->nats, bits, false);
}

static bool lower_nat_out(struct frame *f, struct nft_chain *c)
{
	const struct nft_view v = view(f, DIR_OUT, NFT_LO_TOO);
	const struct side *out = &f->sides[DIR_OUT];
	struct nft_stmts has_state = { 0 }, decided = { 0 };

	/* Judged ahead, it is not translated, whatever tags it has from there */
	stmt_masked(f->p, &decided, NFT_K_MARK, f->decided, f->decided, false);
	stmt_verdict(f->p, &decided, NFT_V_ACCEPT, NULL);
	if (out->nats.list.n > 0 && f->decided != 0)
		nft_add_rule(f->p, c, &decided, NULL);
	/* A local caller's forward with `pass` decided before any nat rule */
	stmt_match(f->p, &has_state, NFT_K_CT_DIR, false, nft_value_num(NFT_T_CT_DIR, 0));
	stmt_masked(f->p, &has_state, NFT_K_CT_MARK, f->leg[DIR_OUT], f->leg[DIR_OUT], false);
	stmt_verdict(f->p, &has_state, NFT_V_ACCEPT, NULL);
	if (out->nats.list.n > 0)
		nft_add_rule(f->p, c, &has_state, NULL);
	return add_skips(f, c, &v, &out->skips) &&
	       add_calls(f, c, &v, &out->nats, f->leg[DIR_OUT], false);
}

/* What would be translated, or is of a translated flow, is judged in postrouting */
static bool lower_answer(struct frame *f, struct nft_chain *c)
{
	const struct nft_view v = view(f, DIR_OUT, NFT_LO_TOO);
	const struct side *out = &f->sides[DIR_OUT];
	struct nft_stmts translated = { 0 }, clear = { 0 };

	stmt_masked(f->p, &translated, NFT_K_CT_STATUS, 0x30, 0, true);
	stmt_verdict(f->p, &translated, NFT_V_ACCEPT, NULL);
	nft_add_rule(f->p, c, &translated, NULL);
	/* Judged ahead, nat rules give tags here: what has a state does not come to them */
	if (f->decided != 0 && out->nats.list.n > 0) {
		stmt_mark(f->p, &clear, NFT_K_MARK, ~f->decided, 0);
		nft_add_rule(f->p, c, &clear, NULL);
		directed_states(f, c, DIR_OUT, JUDGE_AHEAD);
	}
	return add_skips(f, c, &v, &out->skips) && add_calls(f, c, &v, &out->nats, 0, true) &&
	       directed_filter(f, c, &v, f->decided != 0 ? JUDGE_AHEAD : JUDGE_ANSWERS);
}

static bool lower_answers(struct frame *f, struct nft_chain **chains)
{
	const struct side *out = &f->sides[DIR_OUT];
	const struct rule *first = out->plan.answer;

	if (first == NULL && f->m->otherwise.verdict != V_RETURN)
		return true;
	if (out->nats.list.n > 0 && first != NULL)
		diag_add(f->d, DIAG_W1702, first->origin.at,
			 "packets that nat rules translate are dropped here without an answer");
	return lower_answer(f, chains[ANSWER_FWD]) && lower_answer(f, chains[ANSWER_OWN]);
}

static const struct set *real_ifaces(const struct frame *f)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < f->m->facts->ifaces.n; i++)
		if (f->m->facts->ifaces.v[i].kind != IFACE_REAL)
			ranges_add(f->p->a, &rs, AF_NONE, f->m->facts->ifaces.v[i].id,
				   f->m->facts->ifaces.v[i].id);
	return set_complement(f->p->a, set_make(f->p->a, &rs), SET_U32);
}

static void add_arp_rule(struct frame *f, struct nft_chain *c, const struct nft_stmts *where,
			 bool is_in, const struct set *interior, const struct origin *o)
{
	struct nft_stmts s = { 0 };

	stmts_append(f->p, &s, where);
	if (is_in)
		stmt_match(f->p, &s, NFT_K_ARP_OP, false, nft_value_num(NFT_T_ARP_OP, 1));
	stmt_in(f->p, &s, is_in ? NFT_K_ARP_DADDR : NFT_K_ARP_SADDR, false,
		nft_set_of(f->p, NFT_ARP, NFT_T_IP4, interior));
	stmt_counter(f->p, &s);
	stmt_verdict(f->p, &s, NFT_V_DROP, NULL);
	nft_add_rule(f->p, c, &s, o);
}

/* Neither an interface that is not real nor one of @but, by their names */
static void match_real(struct frame *f, struct nft_stmts *s, enum nft_family family,
		       enum nft_key key, const struct set *but)
{
	const struct set *inside = set_complement(f->p->a, real_ifaces(f), SET_U32);
	const char **names = NULL;
	uint32_t n = 0;

	names = arena_array(f->p->a, const char *, f->m->facts->ifaces.n + 1);
	for (uint32_t i = 0; i < f->m->facts->ifaces.n; i++) {
		const struct iface *it = &f->m->facts->ifaces.v[i];

		if ((set_has(inside, AF_NONE, it->id) && it->kind != IFACE_LO) ||
		    (but != NULL && set_has(but, AF_NONE, it->id)))
			names[n++] = facts_linux_name(it->name);
	}
	names[n++] = "lo";
	stmt_in(f->p, s, key, true, nft_set_of_names(f->p, family, names, n));
}

static bool has_fence(const struct frame *f, enum policy policy)
{
	for (uint32_t i = 0; i < f->sides[DIR_IN].fences.list.n; i++)
		if (f->sides[DIR_IN].fences.list.v[i].origin->policy == policy)
			return true;
	return false;
}

/* The kernel writes the next hop of such a packet into it behind all our chains */
void directed_source_routes(struct frame *f, struct nft_chain *c)
{
	static const struct {
		uint8_t af;
		uint32_t nfproto;
		enum nft_key key;
	} routes[] = {
		{ AF_V4, NFPROTO_IPV4, NFT_K_IP_LSRR },
		{ AF_V4, NFPROTO_IPV4, NFT_K_IP_SSRR },
		{ AF_V6, NFPROTO_IPV6, NFT_K_IP6_ROUTE },
	};
	static const struct origin origin = {
		.text = "fence interior: no source route leads to inside addresses",
		.policy = POLICY_INTERIOR,
	};

	for (size_t i = 0; i < ARRAY_SIZE(routes) && has_fence(f, POLICY_INTERIOR); i++) {
		struct nft_stmts s = { 0 };

		if (set_is_empty(set_of_family(f->p->a, f->m->interior, routes[i].af)))
			continue;
		match_real(f, &s, NFT_INET, NFT_K_IIFNAME, NULL);
		stmt_match(f->p, &s, NFT_K_NFPROTO, false,
			   nft_value_num(NFT_T_NFPROTO, routes[i].nfproto));
		stmt_match(f->p, &s, routes[i].key, false, nft_value_num(NFT_T_BOOL, 1));
		stmt_counter(f->p, &s);
		stmt_verdict(f->p, &s, NFT_V_DROP, NULL);
		nft_add_rule(f->p, c, &s, &origin);
	}
}

/* Of some inside addresses, those that may not leave by an interface as they are */
static const struct set *kept_inside(const struct frame *f, uint32_t iface, const struct set *v4)
{
	const struct flat_rules *after = &f->sides[DIR_OUT].after;
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < after->list.n; i++) {
		const struct nft_tests *t = &after->list.v[i].t;

		if (after->list.v[i].origin->policy == POLICY_EGRESS && t->f[F_SRC] != NULL &&
		    t->f[F_IFACE] != NULL && set_has(t->f[F_IFACE], AF_NONE, iface))
			ranges_add_set(f->p->a, &rs, t->f[F_SRC]);
	}
	return set_intersect(f->p->a, v4, set_make(f->p->a, &rs));
}

/*
 * Linux asks for the next hop of a packet in the name of its source: where an inside
 * address may leave as it is, that must leave too, or there is no next hop.
 */
static void arp_out(struct frame *f, const struct set *v4, const struct origin *o)
{
	struct nft_chain *c = nft_add_base(f->p, NFT_ARP, "out_fence", "filter", NF_ARP_OUT, 0);
	const struct set *others = kept_inside(f, UINT32_MAX, v4);
	struct nft_stmts rest = { 0 };
	struct ranges own = { 0 };

	for (uint32_t i = 0; i < f->m->facts->ifaces.n; i++) {
		const struct iface *it = &f->m->facts->ifaces.v[i];
		const struct set *kept = kept_inside(f, it->id, v4);
		const char *name = facts_linux_name(it->name);
		struct nft_stmts s = { 0 };

		if (it->kind != IFACE_REAL || set_equal(kept, others))
			continue;
		ranges_add(f->p->a, &own, AF_NONE, it->id, it->id);
		if (set_is_empty(kept))
			continue;
		stmt_in(f->p, &s, NFT_K_OIFNAME, false,
			nft_set_of_names(f->p, NFT_ARP, &name, 1));
		add_arp_rule(f, c, &s, false, kept, o);
	}
	if (set_is_empty(others))
		return;
	match_real(f, &rest, NFT_ARP, NFT_K_OIFNAME, set_make(f->p->a, &own));
	add_arp_rule(f, c, &rest, false, others, o);
}

/* inet chains never see ARP, and Linux answers for any address on any interface */
void directed_arp(struct frame *f)
{
	static const struct origin origin = {
		.text = "fence source: no ARP for inside addresses outside",
		.policy = POLICY_SOURCE,
	};
	const struct set *v4 = f->m->interior == NULL ? NULL
				: set_of_family(f->p->a, f->m->interior, AF_V4);
	struct nft_stmts in = { 0 };
	struct nft_chain *c;

	if (!has_fence(f, POLICY_SOURCE))
		return;
	nft_add_guards(f->p, f->m);
	if (v4 == NULL || set_is_empty(v4))
		return;
	c = nft_add_base(f->p, NFT_ARP, "in_fence", "filter", NF_ARP_IN, 0);
	match_real(f, &in, NFT_ARP, NFT_K_IIFNAME, NULL);
	add_arp_rule(f, c, &in, true, v4, &origin);
	arp_out(f, v4, &origin);
}

/* Answers are given ahead of postrouting, on headers that scrub has not written yet */
static bool check_scrub(const struct frame *f)
{
	const struct side *out = &f->sides[DIR_OUT];
	const struct rule *writes = NULL;
	bool asks = false;

	for (uint32_t i = 0; i < f->m->lists.v[out->scrub].rules.n; i++) {
		const struct rule *r = &f->m->lists.v[out->scrub].rules.v[i];
		const struct effect *e = rule_has_effect(r, EF_SCRUB);

		if (e != NULL && f->m->scrubs.v[e->scrub].tos >= 0)
			writes = r;
	}
	for (uint32_t l = 0; l < f->m->lists.n; l++)
		for (uint32_t i = 0; i < f->m->lists.v[l].rules.n && l != out->scrub; i++)
			asks |= rule_tests(&f->m->lists.v[l].rules.v[i], F_TOS) != NULL;
	if (writes == NULL || !asks ||
	    (out->plan.answer == NULL && f->m->otherwise.verdict != V_RETURN))
		return true;
	diag_add(f->d, DIAG_E1701, writes->origin.at, "a type of service that is written on the "
		 "way out cannot be asked for beside `block return` in nftables");
	diag_help(f->d, "`block drop out` is judged behind it");
	return false;
}

/* What queues packets does so in a chain of its own: this one may come and go */
static bool lower_scrub(struct frame *f, struct nft_chain *in_fence)
{
	const struct nft_view in = view(f, DIR_IN, NFT_LO_TOO);
	const struct nft_view out = view(f, DIR_OUT, NFT_LO_TOO);
	struct nft_chain *c;

	if (directed_has_scrub(f, DIR_IN) &&
	    (!add_skips(f, in_fence, &in, &f->sides[DIR_IN].skips) ||
	     !directed_scrub(f, in_fence, &in)))
		return false;
	if (!directed_has_scrub(f, DIR_OUT))
		return true;
	if (!check_scrub(f))
		return false;
	c = nft_led_base(f->p, "out_scrub", "filter", NF_INET_POST_ROUTING, PRIO_SCRUB_OUT);
	return add_skips(f, c, &out, &f->sides[DIR_OUT].skips) && directed_scrub(f, c, &out);
}

bool directed_lower(struct frame *f)
{
	struct nft_chain *chains[N_BASES];
	struct nft_view in, out;

	for (int i = 0; i < N_BASES; i++)
		chains[i] = nft_led_base(f->p, bases[i].name, bases[i].type, bases[i].hook,
					 bases[i].prio);
	if (!directed_split(f, DIR_IN) || !directed_split(f, DIR_OUT) || !directed_plan(f))
		return false;
	in = view(f, DIR_IN, NFT_LO_TOO);
	out = view(f, DIR_OUT, NFT_LO_TOO);
	if (!f->p->options.no_nat &&
	    (!lower_nat_in(f, chains[IN_TRANSLATE]) ||
	     !lower_nat_local(f, chains[LOCAL_TRANSLATE]) ||
	     !lower_nat_out(f, chains[OUT_TRANSLATE])))
		return false;
	directed_source_routes(f, chains[IN_FENCE]);
	if (!directed_rules(f, chains[IN_FENCE], &in, &f->sides[DIR_IN].fences) ||
	    !lower_scrub(f, chains[IN_FENCE]) ||
	    !add_skips(f, chains[IN_FILTER], &in, &f->sides[DIR_IN].skips) ||
	    !directed_filter(f, chains[IN_FILTER], &in, JUDGE) || !lower_answers(f, chains) ||
	    !add_skips(f, chains[OUT_FILTER], &out, &f->sides[DIR_OUT].skips) ||
	    !directed_filter(f, chains[OUT_FILTER], &out, JUDGE))
		return false;
	if (f->sides[DIR_OUT].after.list.n > 0)
		directed_answers(f, chains[OUT_FENCE], DIR_OUT);
	if (!directed_rules(f, chains[OUT_FENCE], &out, &f->sides[DIR_OUT].after))
		return false;
	directed_arp(f);
	if (!f->p->options.no_merge) {
		nft_merge_rules(f->p);
		nft_share_tests(f->p);
	}
	nft_add_flows(f->p, f->m);
	return nft_check_depth(f->p, f->d, "anchors");
}
