/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What a nat instance does to packets with a label, in the kernel's own hooks:
 * outbound the source, inbound the destination of what meets a redirect.  The
 * kernel asks only for the first packet of a flow and treats the others alike,
 * so what libalias keeps as links needs no rules.
 *
 * `deny_in` asks whether there is a link.  The kernel does not say so of a flow
 * that a translation left as it was, so each such instance has two bits of the
 * connection's mark.  A link is for one way: what went out gives one to its
 * answers, not to itself should it come in; a redirect to what came in.
 */
#include "target/nft/free.h"

#include <string.h>

#define CT_INVALID	0x1u	/* NF_CT_STATE_INVALID_BIT */
#define CT_RELATED	0x4u	/* NF_CT_STATE_BIT(IP_CT_RELATED) */
#define SHIFT_MAX	64u	/* ports that a redirect may move, a rule each; more by a map */

static bool refuse(struct free_frame *f, const struct rule *r, const char *what)
{
	diag_add(f->d, DIAG_E1701, r->origin.at, "%s cannot be expressed in nftables", what);
	return false;
}

static bool check_redirects(struct free_frame *f, const struct rule *r, const struct xlate *x)
{
	for (uint32_t i = 0; i < x->redirects.n; i++) {
		const struct redirect *to = &x->redirects.v[i];

		if (!to->has_ports)
			continue;
		if (to->proto < 0 || !proto_has_ports((uint8_t)to->proto))
			return refuse(f, r, "a redirect of ports of no protocol");
	}
	return true;
}

static struct addr outside_of(const struct xlate *x, const struct redirect *r)
{
	if (r->outside.af != AF_NONE || x->to.n == 0)
		return r->outside;
	return x->to.v[0];
}

/*
 * Sources of packets that come to a list, where rules that test for them lead to it:
 * an action of its own; false for any
 */
static bool add_sources_of(struct free_frame *f, uint32_t list, struct ranges *rs)
{
	if (f->m->entry[DIR_IN] == list || f->m->entry[DIR_OUT] == list)
		return false;
	for (uint32_t l = 0; l < f->m->lists.n; l++)
		for (uint32_t i = 0; i < f->m->lists.v[l].rules.n; i++) {
			const struct rule *r = &f->m->lists.v[l].rules.v[i];
			const struct effect *e = rule_has_effect(r, EF_RECORD);
			const struct set *src = rule_tests(r, F_SRC);

			/* A state leads there too, and both ways */
			if (e != NULL && e->list == list)
				return false;
			if ((r->exit != EX_GOTO && r->exit != EX_CALL) || r->list != list)
				continue;
			if (src == NULL)
				return false;
			ranges_add_set(f->p->a, rs, src);
		}
	return true;
}

/* Sources that any rule hands to an instance on their way out; false for any */
static bool add_insides(struct free_frame *f, const struct xlate *x, struct ranges *rs)
{
	for (uint32_t l = 0; l < f->m->lists.n; l++)
		for (uint32_t i = 0; i < f->m->lists.v[l].rules.n; i++) {
			const struct rule *r = &f->m->lists.v[l].rules.v[i];
			const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
			const struct set *dir = rule_tests(r, F_DIR), *src = rule_tests(r, F_SRC);

			if (e == NULL || r->origin.policy == POLICY_LOCAL ||
			    f->m->xlates.v[e->xlate].instance != x->instance ||
			    (dir != NULL && !set_has(dir, AF_NONE, DIR_OUT)))
				continue;
			if (src != NULL)
				ranges_add_set(f->p->a, rs, src);
			else if (!add_sources_of(f, l, rs))
				return false;
		}
	return true;
}

/* Destinations that the fences, if there are any, keep from a rule of what comes in */
static const struct set *fenced_from(struct free_frame *f, const struct rule *r)
{
	const uint32_t list = f->m->before[DIR_IN];
	const struct set *on = rule_tests(r, F_IFACE);
	const uint32_t n = list == LIST_NONE || on == NULL ? 0 : f->m->lists.v[list].rules.n;
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		const struct rule *fence = &f->m->lists.v[list].rules.v[i];
		const struct set *by = rule_tests(fence, F_IFACE), *dst = rule_tests(fence, F_DST);

		if (fence->exit == EX_DECIDE && fence->ruling.verdict == V_BLOCK && dst != NULL &&
		    fence->tests.n == 1u + (by != NULL) &&
		    (by == NULL || set_is_empty(set_minus(f->p->a, on, by, SET_U32))))
			ranges_add_set(f->p->a, &rs, dst);
	}
	return set_make(f->p->a, &rs);
}

/*
 * What comes in and meets no redirect is remembered as it is, so its answers leave as
 * they are: from where that went to, if @from may be such
 */
static void add_unchanged(struct free_frame *f, const struct xlate *x, const struct set *from,
			  struct ranges *rs)
{
	struct arena *a = f->p->a;

	for (uint32_t l = 0; l < f->m->lists.n && !x->deny_in; l++)
		for (uint32_t i = 0; i < f->m->lists.v[l].rules.n; i++) {
			const struct rule *r = &f->m->lists.v[l].rules.v[i];
			const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
			const struct set *dir = rule_tests(r, F_DIR), *to = rule_tests(r, F_DST);
			const struct set *local = rule_tests(r, F_DST_LOCAL);

			if (e == NULL || r->origin.policy == POLICY_LOCAL ||
			    f->m->xlates.v[e->xlate].instance != x->instance ||
			    (dir != NULL && !set_has(dir, AF_NONE, DIR_IN)))
				continue;
			if (to == NULL)
				to = set_complement(a, set_make(a, &(struct ranges){ 0 }),
						    SET_ADDR);
			if (local != NULL && !set_has(local, AF_NONE, 0))
				to = set_intersect(a, to, facts_local(f->m->facts));
			if (from != NULL)
				to = set_intersect(a, to, from);
			ranges_add_set(a, rs, set_minus(a, to, fenced_from(f, r), SET_ADDR));
		}
}

/* Sources of a nat rule's packets, or NULL: any */
static const struct set *sources_of(struct free_frame *f, const struct rule *r, uint32_t list)
{
	struct ranges rs = { 0 };

	if (rule_tests(r, F_SRC) != NULL)
		return rule_tests(r, F_SRC);
	return add_sources_of(f, list, &rs) ? set_make(f->p->a, &rs) : NULL;
}

const struct set *free_translated(struct free_frame *f, const struct rule *r, uint32_t list,
				  const struct xlate *x, enum direction dir)
{
	const struct set *own = rule_tests(r, F_DST);
	struct ranges rs = { 0 };

	if (x->is_global || x->to.n != 1 || (dir == DIR_OUT && x->only_from != NULL))
		return NULL;
	for (uint32_t i = 0; i < x->redirects.n; i++) {
		const struct redirect *to = &x->redirects.v[i];

		if (dir == DIR_OUT)
			ranges_add_set(f->p->a, &rs, set_addr(f->p->a, outside_of(x, to)));
		for (uint32_t k = 0; dir == DIR_IN && k < to->to.n; k++)
			ranges_add_set(f->p->a, &rs, set_addr(f->p->a, to->to.v[k].a));
	}
	if (dir == DIR_OUT) {
		ranges_add_set(f->p->a, &rs, set_addr(f->p->a, x->to.v[0]));
		add_unchanged(f, x, sources_of(f, r, list), &rs);
	} else if (own == NULL || !add_insides(f, x, &rs)) {
		return NULL;
	} else {
		ranges_add_set(f->p->a, &rs, own);
	}
	return set_make(f->p->a, &rs);
}

static bool refuse_second(struct free_frame *f, const struct rule *r)
{
	diag_add(f->d, DIAG_E1710, r->origin.at,
		 "nftables translates a packet once in a pass, and it can have been translated "
		 "before it comes here");
	diag_help(f->d, "let nothing go on from the nat rule before to this one");
	return false;
}

/* Do packets of two labels cross the same interface */
static bool share_iface(const struct free_label *x, const struct free_label *y)
{
	return x->on == NULL || y->on == NULL || set_overlaps(x->on, y->on);
}

/* Is there a label of this direction at the interfaces of @out: of its instance, or of another */
static const struct free_label *label_beside(const struct free_frame *f,
					     const struct free_label *out, bool own)
{
	for (uint32_t i = 0; i < f->labels.n; i++) {
		const struct free_label *l = &f->labels.v[i];
		const bool is_own = l->x->is_global || l->x->instance == out->x->instance;

		if (l->dir == DIR_IN && is_own == own && share_iface(l, out))
			return l;
	}
	return NULL;
}

bool free_check_instances(struct free_frame *f)
{
	for (uint32_t i = 0; i < f->labels.n; i++) {
		const struct free_label *l = &f->labels.v[i], *other;

		if (l->dir != DIR_OUT || l->x->is_global || label_beside(f, l, true) != NULL)
			continue;
		other = label_beside(f, l, false);
		if (other == NULL)
			continue;
		diag_add(f->d, DIAG_E1712, l->origin->at,
			 "instance %u translates what leaves here, and instance %u gets what comes "
			 "back: nftables cannot keep them apart", l->x->instance,
			 other->x->instance);
		diag_help(f->d, "hand what comes in to instance %u too", l->x->instance);
		return false;
	}
	return true;
}

bool free_check_xlate(struct free_frame *f, const struct rule *r, const struct effect *e,
		      const struct place_key *at)
{
	const struct xlate *x = &f->m->xlates.v[e->xlate];
	const struct set *af = rule_tests(r, F_AF);

	if (x->kind != XL_INSTANCE)
		return refuse(f, r, "a translation of this kind");
	if (at->phase == AFTER)
		return refuse_second(f, r);
	if (e->list != LIST_NONE)
		return refuse(f, r, "a translation that goes elsewhere when it changes nothing");
	if (x->to.n > 1 || (x->to.n == 1 && x->to.v[0].af != AF_V4) || x->port == XP_SHIFT)
		return refuse(f, r, "this configuration of a nat instance");
	if (af == NULL || set_has(af, AF_NONE, AF_V6))
		return refuse(f, r, "a nat rule that IPv6 packets meet");
	return check_redirects(f, r, x);
}

static uint32_t take_bit(uint32_t *left)
{
	const uint32_t bit = *left & -*left;

	*left &= *left - 1;
	return bit;
}

bool free_declare_links(struct free_frame *f)
{
	uint32_t left = f->p->options.mark_mask & ~f->shared.answer;

	for (uint32_t i = 0; i < f->m->xlates.n; i++) {
		const struct xlate *x = &f->m->xlates.v[i];
		struct free_link link = { .x = x };

		if (!x->deny_in)
			continue;
		link.bit[0] = take_bit(&left);
		link.bit[1] = take_bit(&left);
		if (link.bit[1] == 0 || f->links.n == NFT_LINKS) {
			diag_add(f->d, DIAG_E1707, SPAN_NONE,
				 "mask 0x%08x has no two bits left for the links of nat "
				 "instance %u", f->p->options.mark_mask, x->instance);
			return false;
		}
		memcpy(f->p->marks.link[f->links.n], link.bit, sizeof(link.bit));
		vec_add(f->p->a, &f->links, link);
	}
	return true;
}

static const struct free_link *link_of(const struct free_frame *f, const struct xlate *x)
{
	for (uint32_t i = 0; i < f->links.n; i++)
		if (f->links.v[i].x == x)
			return &f->links.v[i];
	return NULL;
}

static void match_label(struct free_frame *f, struct nft_stmts *s, const struct free_label *l,
			uint32_t ct_dir)
{
	stmt_masked(f->p, s, NFT_K_MARK, f->label_mask, l->value, false);
	stmt_match(f->p, s, NFT_K_CT_DIR, false, nft_value_num(NFT_T_CT_DIR, ct_dir));
}

/* An error goes with the connection that it quotes, and makes no link */
void free_note_links(struct free_frame *f, struct nft_chain *c)
{
	for (uint32_t i = 0; i < f->labels.n; i++) {
		const struct free_label *l = &f->labels.v[i];
		const struct free_link *link = link_of(f, l->x);

		for (uint32_t dir = 0; dir < 2 && link != NULL && l->dir == DIR_OUT; dir++) {
			struct nft_stmts s = { 0 };

			match_label(f, &s, l, dir);
			stmt_masked(f->p, &s, NFT_K_CT_STATE, CT_RELATED, 0, false);
			stmt_mark(f->p, &s, NFT_K_CT_MARK, UINT32_MAX, link->bit[1 - dir]);
			nft_add_rule(f->p, c, &s, l->origin);
		}
	}
}

static void drop(struct free_frame *f, struct nft_chain *c, struct nft_stmts *s,
		 const struct free_label *l)
{
	stmt_counter(f->p, s);
	stmt_verdict(f->p, s, NFT_V_DROP, NULL);
	nft_add_rule(f->p, c, s, l->origin);
}

/* What has no connection cannot be asked for its mark, and has no link either */
void free_deny_in(struct free_frame *f, struct nft_chain *c)
{
	for (uint32_t i = 0; i < f->labels.n; i++) {
		const struct free_label *l = &f->labels.v[i];
		const struct free_link *link = link_of(f, l->x);
		struct nft_stmts none = { 0 };

		if (link == NULL || l->dir != DIR_IN)
			continue;
		for (uint32_t dir = 0; dir < 2; dir++) {
			struct nft_stmts s = { 0 };

			match_label(f, &s, l, dir);
			stmt_masked(f->p, &s, NFT_K_CT_MARK, link->bit[dir], 0, false);
			drop(f, c, &s, l);
		}
		stmt_masked(f->p, &none, NFT_K_MARK, f->label_mask, l->value, false);
		stmt_masked(f->p, &none, NFT_K_CT_STATE, CT_INVALID, 0, true);
		drop(f, c, &none, l);
	}
}

/* A translation for one label: which packets, and what becomes of them */
struct job {
	const struct free_label *l;
	struct nft_tests t;
	struct nft_nat nat;
	uint32_t one_of;	/* every so many, 0: all */
	const struct nft_set *map;	/* instead of @nat: protocol and port to both */
};

static void add_nat(struct free_frame *f, struct nft_stmts *s, const struct job *job)
{
	const bool is_dst = job->nat.is_dst;

	if (job->map == NULL)
		stmt_add(f->p, s, &(struct nft_stmt){ .kind = NFT_S_NAT, .nat = job->nat });
	else
		stmt_add(f->p, s, &(struct nft_stmt){ .kind = NFT_S_NAT_MAP, .lookup = {
			.keys = { NFT_K_L4PROTO, is_dst ? NFT_K_DPORT : NFT_K_SPORT },
			.n_keys = 2, .is_dst = is_dst, .af = AF_V4, .set = job->map } });
}

static bool add_job(struct free_frame *f, struct nft_chain *c, const struct job *job)
{
	struct nft_view v = free_view(f, job->l->dir);
	struct nft_tests t = nft_tests_and(f->p->tmp, &job->t, &job->l->t);
	struct nft_alts alts = { 0 };

	v.lo = job->l->lo;
	t.f[F_AF] = set_one(f->p->tmp, AF_V4);
	if (!nft_match(&v, &t, job->l->origin->at, &alts))
		return false;
	for (uint32_t i = 0; i < alts.list.n; i++) {
		struct nft_stmts s = { 0 };

		if (job->l->value != 0)
			stmt_masked(f->p, &s, NFT_K_MARK, f->label_mask, job->l->value, false);
		stmts_append(f->p, &s, &alts.list.v[i]);
		if (job->one_of > 1)
			stmt_add(f->p, &s, &(struct nft_stmt){ .kind = NFT_S_DRAW,
				 .draw = { .mod = job->one_of } });
		stmt_counter(f->p, &s);
		if (job->nat.is_dst && link_of(f, job->l->x) != NULL)
			stmt_mark(f->p, &s, NFT_K_CT_MARK, UINT32_MAX,
				  link_of(f, job->l->x)->bit[0]);
		add_nat(f, &s, job);
		nft_add_rule(f->p, c, &s, job->l->origin);
	}
	return true;
}

/* The source becomes @to (AF_NONE: stays), the port what the instance says */
static bool add_snats(struct free_frame *f, struct nft_chain *c, const struct free_label *l,
		      const struct nft_tests *t, struct addr to)
{
	const struct xlate *x = l->x;
	const struct set *own = t->f[F_PROTO];
	struct job job = { .l = l, .t = *t, .nat = { .to = to } };

	for (uint32_t proto = 0; proto <= UINT8_MAX && x->port != XP_KEEP; proto++) {
		const bool is_icmp = proto == PROTO_ICMP;

		if ((!is_icmp && !proto_has_ports((uint8_t)proto)) ||
		    (is_icmp && x->port != XP_RANDOM) ||
		    (own != NULL && !set_has(own, AF_NONE, proto)))
			continue;
		job.t.f[F_PROTO] = set_one(f->p->tmp, proto);
		job.nat.lo = is_icmp ? 1 : x->lo;
		job.nat.hi = is_icmp ? UINT16_MAX : x->port == XP_RANDOM ? x->hi : x->lo;
		job.nat.is_random = job.nat.hi > job.nat.lo;
		if (!add_job(f, c, &job))
			return false;
	}
	if (to.af == AF_NONE)
		return true;
	job.t.f[F_PROTO] = own;
	job.nat = (struct nft_nat){ .to = to };
	return add_job(f, c, &job);
}

static const struct set *ports(struct free_frame *f, uint16_t lo, uint16_t hi)
{
	return set_range(f->p->tmp, AF_NONE, lo, hi);
}

static const struct set *host(struct free_frame *f, struct addr a)
{
	return set_range(f->p->tmp, a.af, a.v, a.v);
}

/* One translation for each distance, so that rules of several labels share a map */
static const struct xlate *shift_of(struct free_frame *f, uint16_t lo, uint16_t to)
{
	struct xlate *x;

	for (uint32_t i = 0; i < f->shared.shifts.n; i++)
		if (f->shared.shifts.v[i].xlate->from == lo &&
		    f->shared.shifts.v[i].xlate->lo == to)
			return f->shared.shifts.v[i].xlate;
	x = arena_new(f->p->a, struct xlate);
	*x = (struct xlate){ .port = XP_SHIFT, .from = lo, .lo = to };
	return x;
}

/* The @n ports of the packet from @lo on become as many from @to on */
static bool add_shifted(struct free_frame *f, struct nft_chain *c, struct job *job,
			enum field field, uint16_t lo, uint16_t n, uint16_t to)
{
	if (lo == to) {
		job->t.f[field] = ports(f, lo, (uint16_t)(lo + n - 1));
		return add_job(f, c, job);
	}
	if (n > SHIFT_MAX) {
		job->t.f[field] = ports(f, lo, (uint16_t)(lo + n - 1));
		job->map = directed_shift(&f->shared, shift_of(f, lo, to), job->nat.to,
					  job->t.f[F_PROTO], job->t.f[field]);
		return add_job(f, c, job);
	}
	for (uint16_t i = 0; i < n; i++) {
		job->t.f[field] = ports(f, (uint16_t)(lo + i), (uint16_t)(lo + i));
		job->nat.lo = job->nat.hi = (uint16_t)(to + i);
		if (!add_job(f, c, job))
			return false;
	}
	return true;
}

static bool add_redirect_in(struct free_frame *f, struct nft_chain *c, const struct free_label *l,
			    const struct redirect *r)
{
	for (uint32_t i = 0; i < r->to.n; i++) {
		struct job job = { .l = l, .one_of = r->to.n - i,
				   .nat = { .is_dst = true, .to = r->to.v[i].a } };

		job.t.f[F_DST] = host(f, outside_of(l->x, r));
		if (r->proto >= 0)
			job.t.f[F_PROTO] = set_one(f->p->tmp, (u128)r->proto);
		if (r->peer.af != AF_NONE)
			job.t.f[F_SRC] = host(f, r->peer);
		if (r->peer_lo != 0)
			job.t.f[F_SPORT] = ports(f, r->peer_lo, r->peer_hi);
		if (!(r->has_ports ? add_shifted(f, c, &job, F_DPORT, r->lo,
						 (uint16_t)(r->hi - r->lo + 1), r->to.v[i].port)
				   : add_job(f, c, &job)))
			return false;
	}
	return true;
}

/* What an inside address of a redirect sends first leaves from its outside */
static bool add_redirect_out(struct free_frame *f, struct nft_chain *c, const struct free_label *l,
			     const struct redirect *r)
{
	struct job job = { .l = l, .nat = { .to = outside_of(l->x, r) } };

	if (r->to.n != 1)
		return true;
	job.t.f[F_SRC] = host(f, r->to.v[0].a);
	if (r->proto >= 0)
		job.t.f[F_PROTO] = set_one(f->p->tmp, (u128)r->proto);
	if (r->peer.af != AF_NONE)
		job.t.f[F_DST] = host(f, r->peer);
	if (r->peer_lo != 0)
		job.t.f[F_DPORT] = ports(f, r->peer_lo, r->peer_hi);
	if (!r->has_ports)
		return add_snats(f, c, l, &job.t, job.nat.to);
	return add_shifted(f, c, &job, F_SPORT, r->to.v[0].port,
			   (uint16_t)(r->hi - r->lo + 1), r->lo);
}

/* libalias prefers the link that says more, and of equals the first */
static int rank(const struct redirect *r)
{
	return 4 * r->has_ports + 2 * (r->peer.af != AF_NONE) + (r->proto >= 0);
}

static bool add_redirects(struct free_frame *f, struct nft_chain *c, const struct free_label *l)
{
	for (int want = 7; want >= 0; want--)
		for (uint32_t i = 0; i < l->x->redirects.n; i++) {
			const struct redirect *r = &l->x->redirects.v[i];

			if (rank(r) != want || outside_of(l->x, r).af == AF_NONE)
				continue;
			if (!(l->dir == DIR_IN ? add_redirect_in(f, c, l, r)
					       : add_redirect_out(f, c, l, r)))
				return false;
		}
	return true;
}

static bool lower_label(struct free_frame *f, struct nft_chain *c, const struct free_label *l)
{
	static const struct addr stays = { .af = AF_NONE };
	struct nft_tests t = { 0 };

	if (!add_redirects(f, c, l))
		return false;
	if (l->dir == DIR_IN)
		return true;
	if (l->x->only_from == NULL)
		return l->x->to.n == 0 || add_snats(f, c, l, &t, l->x->to.v[0]);
	t.f[F_SRC] = l->x->only_from;
	if (l->x->to.n > 0 && !add_snats(f, c, l, &t, l->x->to.v[0]))
		return false;
	t.f[F_SRC] = set_complement(f->p->tmp, l->x->only_from, SET_ADDR);
	return add_snats(f, c, l, &t, stays);
}

bool free_nat(struct free_frame *f, struct nft_chain *c, enum direction dir)
{
	for (uint32_t i = 0; i < f->labels.n; i++) {
		const struct free_label *l = &f->labels.v[i];

		if (l->dir == dir && !l->x->is_global && !lower_label(f, c, l))
			return false;
	}
	return true;
}

bool free_local(struct free_frame *f, struct nft_chain *c, const struct nat_calls *calls,
		enum direction dir, enum nft_lo lo)
{
	for (uint32_t i = 0; i < calls->list.n; i++) {
		const struct nat_call *call = &calls->list.v[i];
		const struct rule_list *list = &f->m->lists.v[call->list];

		for (uint32_t j = 0; j < list->rules.n; j++) {
			const struct rule *r = &list->rules.v[j];
			const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
			const struct nft_tests own = nft_tests_of(r);
			const struct free_label l = {
				.dir = dir, .lo = lo, .origin = &r->origin,
				.x = &f->m->xlates.v[e->xlate],
				.t = nft_tests_and(f->p->a, &own, &call->t),
			};

			if (!check_redirects(f, r, l.x) ||
			    !add_redirect_in(f, c, &l, &l.x->redirects.v[0]))
				return false;
		}
	}
	return true;
}
