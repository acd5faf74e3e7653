/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A packet that our table accepts still meets every other base chain of its
 * hooks, and any of them may drop it.  What a foreign ruleset does with a packet
 * is not computed here: a chain is told that ends in a drop, by policy or by a
 * rule without conditions, unless it accepts before that what was translated
 * (ct status).  That is the cure as well, so a host that is cured is silent.  A rule
 * with conditions is told where it is known to drop what a forward brings
 * (doctor_rules.h).
 *
 * What a jail sends is translated behind most of the chains that it leaves by, and to
 * a sibling not at all.  So there (is_left_by()) each jail's packets and the answers
 * to them are judged by the rules, and the cure accepts them by link or by source.
 */
#include "host/doctor.h"

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "host/doctor_rules.h"
#include "host/vnet.h"
#include "nl/nft.h"
#include "target/nft.h"

#define PROBES_MAX 1024u	/* packets of forwards, and of jails, tried with each chain */
#define TOLD_MAX 16u		/* rules of one chain that are told */
#define DNAT_PRIO (-100)	/* NF_IP_PRI_NAT_DST */
#define DNAT_STATUS 0x120u	/* IPS_DST_NAT, IPS_DST_NAT_DONE */
#define SNAT_STATUS 0x210u	/* IPS_SRC_NAT, IPS_SRC_NAT_DONE */

/**
 * struct end - What happens to a packet that reaches the end of a chain
 * @handle:	Rule that drops everything; 0: the policy does
 * @drops:	It is dropped
 * @accepts_nat: What was translated was accepted before
 */
struct end {
	uint64_t handle;
	bool drops;
	bool accepts_nat;
};

/**
 * struct chain - A base chain of somebody else
 * @family:	NFPROTO_INET and the like
 * @table:	Its table
 * @name:	Its name
 * @hook:	Its hook
 * @prio:	Its priority
 * @is_nat:	It translates
 * @end:	What its end does
 */
struct chain {
	uint8_t family;
	const char *table;
	const char *name;
	uint32_t hook;
	int32_t prio;
	bool is_nat;
	struct end end;
};

struct chains {
	struct doctor *x;
	VEC(struct chain) list;
};

static const char *text_of(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

static int take_chain(const struct nlmsghdr *msg, void *arg)
{
	struct chains *all = arg;
	struct nftnl_chain *c;
	const char *table;

	if (msg == NULL) {
		all->list.n = 0;
		return 0;
	}
	c = nftnl_chain_alloc();
	if (c == NULL)
		return -ENOMEM;
	if (nftnl_chain_nlmsg_parse(msg, c) == 0 && nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM)) {
		table = nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE);
		if (!nft_is_ours(table))
			vec_add(all->x->a, &all->list, ((struct chain){
				.family = (uint8_t)nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY),
				.table = text_of(all->x->a, table),
				.name = text_of(all->x->a,
						nftnl_chain_get_str(c, NFTNL_CHAIN_NAME)),
				.hook = nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM),
				.prio = nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO),
				.is_nat = strcmp(nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE),
						 "nat") == 0,
				.end.drops =
					nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) == NF_DROP }));
	}
	nftnl_chain_free(c);
	return 0;
}

/**
 * struct look - What a rule consists of
 * @conditions:	Expressions that can end it
 * @is_nat:	It asks whether the packet was translated
 * @verdict:	Of its immediate expression, INT32_MIN: none
 * @rejects:	It refuses
 */
struct look {
	uint32_t conditions;
	bool is_nat;
	int32_t verdict;
	bool rejects;
};

static int take_expr(struct nftnl_expr *e, void *arg)
{
	static const char *const harmless[] = { "counter", "log", "notrack" };
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	struct look *l = arg;

	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (strcmp(name, harmless[i]) == 0)
			return 0;
	if (strcmp(name, "immediate") == 0 && nftnl_expr_is_set(e, NFTNL_EXPR_IMM_VERDICT))
		l->verdict = (int32_t)nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT);
	else if (strcmp(name, "reject") == 0)
		l->rejects = true;
	else
		l->conditions++;
	if (strcmp(name, "ct") == 0 && nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY) == NFT_CT_STATUS)
		l->is_nat = true;
	return 0;
}

static void judge_rule(struct chain *c, struct nftnl_rule *r)
{
	struct look l = { .verdict = INT32_MIN };

	if (c->end.handle != 0 || c->end.accepts_nat)
		return;
	(void)nftnl_expr_foreach(r, take_expr, &l);
	if (l.verdict == NF_ACCEPT && (l.is_nat || l.conditions == 0))
		c->end.accepts_nat = true;
	else if (l.conditions == 0 && (l.rejects || l.verdict == NF_DROP))
		c->end = (struct end){
			.handle = nftnl_rule_get_u64(r, NFTNL_RULE_HANDLE), .drops = true };
}

static int take_rule(const struct nlmsghdr *msg, void *arg)
{
	struct chain *c = arg;
	struct nftnl_rule *r;

	if (msg == NULL) {
		c->end.handle = 0;
		c->end.accepts_nat = false;
		return 0;
	}
	r = nftnl_rule_alloc();
	if (r == NULL)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(msg, r) == 0 &&
	    strcmp(nftnl_rule_get_str(r, NFTNL_RULE_CHAIN), c->name) == 0)
		judge_rule(c, r);
	nftnl_rule_free(r);
	return 0;
}

static const char *family_name(uint8_t family)
{
	return family == NFPROTO_IPV4 ? "ip" : family == NFPROTO_IPV6 ? "ip6" : "inet";
}

/* The way of packets through a hook: of alias jails, of jails with a link of their own */
static const struct way {
	uint32_t hook;
	const char *name;
	bool vnet;
	const char *what;
} ways[] = {
	{ NF_INET_PRE_ROUTING, "prerouting", false, "what comes for jails" },
	{ NF_INET_LOCAL_IN, "input", false, "what is forwarded to jails on this host's addresses" },
	{ NF_INET_FORWARD, "forward", true, "what is forwarded to and from jails" },
	{ NF_INET_LOCAL_OUT, "output", false, "what jails on this host's addresses send" },
	{ NF_INET_POST_ROUTING, "postrouting", false, "what jails send" },
};

static bool concerns(const struct doctor *x, const struct way *w)
{
	for (uint32_t i = 0; i < x->d->jails.n; i++)
		if (x->d->jails.v[i].is_enabled &&
		    (x->d->jails.v[i].is_vnet == w->vnet || w->hook == NF_INET_PRE_ROUTING ||
		     w->hook == NF_INET_POST_ROUTING))
			return true;
	return !w->vnet && x->forwards.n > 0;
}

/* Does a family's traffic meet the chain */
static bool sees(const struct chain *c, uint8_t af)
{
	return c->family != (af == AF_V6 ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

/* Does what jails send meet the chain */
static bool is_left_by(const struct chain *c)
{
	return c->hook == NF_INET_FORWARD || c->hook == NF_INET_LOCAL_OUT ||
	       c->hook == NF_INET_POST_ROUTING;
}

static bool is_on_way(const struct decl_jail *j, const struct way *w)
{
	return j->is_enabled && !j->is_down &&
	       (j->is_vnet == w->vnet || w->hook == NF_INET_POST_ROUTING);
}

/* The link by which the host reaches a vnet jail */
static const char *link_of(const struct decl_jail *j)
{
	return j->vnet.bridge != NULL ? j->vnet.bridge : j->vnet.host_if;
}

static const char *chain_text(struct arena *a, const struct chain *c)
{
	return arena_printf(a, "%s %s %s", family_name(c->family), c->table, c->name);
}

/* Our links are of a group, which those of jails to come are in too; a bridge may be others' */
static const char *cure_links(struct doctor *x, const struct chain *c, const struct way *w)
{
	const char *where = chain_text(x->a, c);
	const char *cure = arena_printf(x->a, "nft insert rule %s meta iifgroup %u accept; "
					"nft insert rule %s meta oifgroup %u accept", where,
					VNET_GROUP, where, VNET_GROUP);

	for (uint32_t i = 0; i < x->d->jails.n; i++) {
		const struct decl_jail *j = &x->d->jails.v[i];

		if (is_on_way(j, w) && j->vnet.is_foreign)
			cure = arena_printf(x->a, "%s; nft insert rule %s iifname \"%s\" accept; "
					    "nft insert rule %s oifname \"%s\" accept", cure,
					    where, j->vnet.bridge, where, j->vnet.bridge);
	}
	return cure;
}

/* The addresses of the jails that meet a chain, of one family; NULL: none */
static const char *sources_of(struct doctor *x, const struct way *w, uint8_t af)
{
	const char *list = NULL;

	for (uint32_t i = 0; i < x->d->jails.n; i++) {
		const struct decl_jail *j = &x->d->jails.v[i];

		for (uint32_t k = 0; is_on_way(j, w) && k < j->addrs.n; k++) {
			char buf[ADDR_TEXT_BYTES];
			const char *text = addr_print(j->addrs.v[k].p.a, buf);

			if (j->addrs.v[k].p.a.af == af)
				list = list != NULL ? arena_printf(x->a, "%s, %s", list, text) :
				       arena_printf(x->a, "%s", text);
		}
	}
	return list;
}

static const char *cure_sources(struct doctor *x, const struct chain *c, const struct way *w)
{
	const char *cure = NULL;

	for (uint8_t af = AF_V4; af <= AF_V6; af += AF_V6 - AF_V4) {
		const char *list = sources_of(x, w, af);

		if (list != NULL && sees(c, af))
			cure = arena_printf(x->a, "%s%snft insert rule %s %s saddr '{ %s }' accept",
					    cure == NULL ? "" : cure, cure == NULL ? "" : "; ",
					    chain_text(x->a, c), af == AF_V6 ? "ip6" : "ip", list);
	}
	return cure;
}

static const char *cure_of(struct doctor *x, const struct chain *c, const struct way *w)
{
	const char *translated = arena_printf(x->a, "nft insert rule %s ct status dnat,snat accept",
					      chain_text(x->a, c));
	const char *sources = NULL;

	if (c->hook == NF_INET_FORWARD)
		return cure_links(x, c, w);
	if (is_left_by(c))
		sources = cure_sources(x, c, w);
	if (sources == NULL)
		return translated;
	return c->hook == NF_INET_LOCAL_OUT ? sources :
	       arena_printf(x->a, "%s; %s", translated, sources);
}

static const char *place_of(struct arena *a, const struct chain *c, const struct way *w)
{
	return arena_printf(a, "table %s %s, chain %s (hook %s, priority %d)",
			    family_name(c->family), c->table, c->name, w->name, c->prio);
}

static void tell(struct doctor *x, const struct chain *c, const struct way *w)
{
	const char *by = c->end.handle == 0 ? "its policy" :
		arena_printf(x->a, "its rule with handle %llu", (unsigned long long)c->end.handle);

	doctor_add(x, &(struct doctor_finding){
		.object = place_of(x->a, c, w),
		.what = arena_printf(x->a, "%s drops what no rule before accepts: %s", by, w->what),
		.cure = cure_of(x, c, w) });
}

/* By which link a packet of a vnet jail comes to the host, or goes to the jail */
static void set_link(struct doctor_probe *p, const struct decl_jail *j, bool is_in)
{
	const char *link = link_of(j);

	p->in = is_in ? link : NULL;
	p->out = is_in ? NULL : link;
	p->group = j->vnet.is_foreign ? 0 : VNET_GROUP;
	p->is_group_in = is_in;
}

/* The packet of a forward as it is at a chain; false: it does not come there */
static bool make_probe(const struct doctor *x, const struct chain *c,
		       const struct doctor_forward *f, struct doctor_probe *ret)
{
	/* One that translates beside ours is asked only where ours was not */
	const bool is_before = c->hook == NF_INET_PRE_ROUTING &&
			       c->prio < DNAT_PRIO + (c->is_nat ? 1 : 0);
	const struct addr dst = is_before ? f->to : f->inside;
	const struct decl_jail *j = decl_jail_of(x->d, f->inside);
	const bool is_vnet = j != NULL && j->is_vnet;

	*ret = (struct doctor_probe){ .proto = f->proto, .dst = dst,
				      .port = is_before ? f->lo : f->port,
				      .status = is_before ? 0 : DNAT_STATUS };
	if (is_vnet && is_left_by(c)) {
		set_link(ret, j, false);
		ret->in = x->facts->default_if[dst.af == AF_V6];
	}
	return dst.af != AF_NONE && sees(c, dst.af) &&
	       (c->hook == NF_INET_PRE_ROUTING ||
		(is_vnet ? c->hook == NF_INET_FORWARD || c->hook == NF_INET_POST_ROUTING :
			   c->hook == NF_INET_LOCAL_IN));
}

/**
 * struct trial - Packets that are tried with a base chain
 * @x:		Examination
 * @c:		Chain
 * @w:		Its hook
 * @t:		Its table
 * @told:	Handles of rules that were told
 * @n_told:	So many
 * @n:		Packets tried, of forwards or of jails
 * @is_cut:	One came to the end that drops
 */
struct trial {
	struct doctor *x;
	const struct chain *c;
	const struct way *w;
	struct doctor_table t;
	uint64_t told[TOLD_MAX];
	uint32_t n_told;
	uint32_t n;
	bool is_cut;
};

/* @what: "drops what is sent by 10.0.0.2 of jail www" */
static void tell_rule(struct trial *r, uint64_t handle, const char *what, const char *cure,
		      struct span at)
{
	for (uint32_t k = 0; k < r->n_told; k++)
		if (r->told[k] == handle)
			return;
	if (r->n_told == TOLD_MAX)
		return;
	r->told[r->n_told++] = handle;
	doctor_add(r->x, &(struct doctor_finding){
		.object = arena_printf(r->x->a, "%s, rule with handle %llu",
				       place_of(r->x->a, r->c, r->w), (unsigned long long)handle),
		.what = arena_printf(r->x->a, "it %s", what), .cure = cure, .at = at });
}

/* The handle of a rule with conditions that drops or redirects a packet, or 0 */
static uint64_t try(struct trial *r, const struct doctor_probe *p, enum doctor_fate *ret)
{
	const struct chain *c = r->c;
	uint64_t handle;
	bool is_open;

	*ret = DOCTOR_PASSES;
	if (r->n++ >= PROBES_MAX)
		return 0;
	*ret = doctor_table_fate(&r->t, c->name, p, &handle, &is_open);
	if (c->end.drops &&
	    (c->end.handle == 0 ? *ret == DOCTOR_ENDS : handle == c->end.handle)) {
		r->is_cut = true;
		return 0;
	}
	return handle;
}

static void try_forward(struct trial *r, const struct doctor_forward *f)
{
	struct arena *a = r->x->a;
	char to[ADDR_TEXT_BYTES];
	struct doctor_probe p;
	enum doctor_fate fate;
	uint64_t handle;

	if (!make_probe(r->x, r->c, f, &p))
		return;
	handle = try(r, &p, &fate);
	/* Of two with one priority it is not known which comes first */
	if (fate == DOCTOR_REDIRECTS && r->c->prio >= DNAT_PRIO)
		return;
	if (handle != 0)
		tell_rule(r, handle,
			  arena_printf(a, "%s what is forwarded to %s",
				       fate == DOCTOR_REDIRECTS ? "sends elsewhere" : "drops",
				       addr_port_print(p.dst, p.port, to)),
			  p.status != 0 ? cure_of(r->x, r->c, r->w) :
			  arena_printf(a, "nft delete rule %s handle %llu", chain_text(a, r->c),
				       (unsigned long long)handle), f->at);
}

/* A first packet of a jail, an answer of it; an answer to one with a link of its own */
static void try_addr(struct trial *r, const struct decl_jail *j, struct addr a)
{
	const bool is_inside = set_has_addr(r->x->m->interior, a);
	struct doctor_probe v[] = {
		{ .src = a },
		{ .src = a, .is_answer = true, .status = DNAT_STATUS },
		{ .dst = a, .is_answer = true, .status = is_inside ? SNAT_STATUS : 0 },
	};
	const char *way_out = r->x->facts->default_if[a.af == AF_V6];
	char text[ADDR_TEXT_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(v) - !j->is_vnet; i++) {
		const bool is_sent = i < 2;
		enum doctor_fate fate;
		uint64_t handle;

		if (j->is_vnet)
			set_link(&v[i], j, is_sent);
		if (is_sent && r->w->hook != NF_INET_LOCAL_OUT)
			v[i].out = way_out;
		else if (!is_sent)
			v[i].in = way_out;
		handle = try(r, &v[i], &fate);
		if (handle != 0 && fate == DOCTOR_DROPS)
			tell_rule(r, handle,
				  arena_printf(r->x->a, "drops what %s %s of jail %s",
					       is_sent ? "is sent by" : "answers",
					       addr_print(a, text), j->name),
				  cure_of(r->x, r->c, r->w), j->at);
	}
}

static void try_jails(struct trial *r)
{
	for (uint32_t i = 0; i < r->x->d->jails.n; i++) {
		const struct decl_jail *j = &r->x->d->jails.v[i];

		for (uint32_t k = 0; is_on_way(j, r->w) && k < j->addrs.n; k++)
			if (sees(r->c, j->addrs.v[k].p.a.af))
				try_addr(r, j, j->addrs.v[k].p.a);
	}
}

/* @n: packets, of forwards or of jails, that were to be tried with the chain */
static void tell_untried(struct doctor *x, const struct chain *c, const struct way *w, uint32_t n)
{
	if (n <= PROBES_MAX)
		return;
	doctor_add(x, &(struct doctor_finding){
		.object = place_of(x->a, c, w), .is_note = true, .at = SPAN_NONE,
		.what = arena_printf(x->a, "tried with the first %u of %u packets of %s only",
				     PROBES_MAX, n, w->what) });
}

static int try_all(struct doctor *x, const struct chain *c, const struct way *w)
{
	struct trial r = { .x = x, .c = c, .w = w,
			   .t = { .nl = x->nft, .family = c->family, .name = c->table } };
	const int err = doctor_table_read(&r.t, x->a);

	for (uint32_t i = 0; i < x->forwards.n && err == 0; i++)
		try_forward(&r, &x->forwards.v[i]);
	tell_untried(x, c, w, r.n);
	r.n = 0;
	if (err == 0 && is_left_by(c))
		try_jails(&r);
	tell_untried(x, c, w, r.n);
	if (r.is_cut)
		tell(x, c, w);
	doctor_table_free(&r.t);
	return err;
}

/* What a base chain does with what is for jails */
static int check_chain(struct doctor *x, struct chain *c)
{
	const struct nl_nft_query rules = { .kind = NL_NFT_RULES, .family = c->family,
					    .table = c->table };
	int err = nl_nft_dump(x->nft, &rules, take_rule, c);

	for (size_t w = 0; w < ARRAY_SIZE(ways) && err == 0; w++) {
		if (ways[w].hook != c->hook || !concerns(x, &ways[w]))
			continue;
		if (c->end.drops && !c->end.accepts_nat && !is_left_by(c))
			tell(x, c, &ways[w]);
		else
			err = try_all(x, c, &ways[w]);
	}
	return err;
}

static const uint8_t families[] = { NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6 };

static int read_chains(struct doctor *x, uint8_t family, struct chains *ret)
{
	const struct nl_nft_query q = { .kind = NL_NFT_CHAINS, .family = family };

	ret->list.n = 0;
	return nl_nft_dump(x->nft, &q, take_chain, ret);
}

int doctor_chains(struct doctor *x)
{
	struct chains all = { .x = x };

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		int err = read_chains(x, families[f], &all);

		for (uint32_t i = 0; i < all.list.n && err == 0; i++)
			err = check_chain(x, &all.list.v[i]);
		if (err < 0)
			return err;
	}
	return 0;
}

/* ---- what they break ---------------------------------------------------------------- */

/* One whom a forward is for: a stranger, if it may be one */
static struct addr caller_of(const struct doctor_forward *f)
{
	const struct addr any = f->to.af == AF_V6 ?
		(struct addr){ AF_V6, (u128)0x20010db8 << 96 | 7 } : addr_v4(198, 51, 100, 7);

	if (f->src == NULL || set_has_addr(f->src, any))
		return any;
	for (uint32_t i = 0; i < f->src->n; i++) {
		const struct range r = f->src->r[i];

		if (r.af == any.af)
			return (struct addr){ any.af, r.lo + (r.lo < r.hi) };
	}
	return (struct addr){ AF_NONE, 0 };
}

/* The first packet of somebody to a forward, as it is at a chain */
static bool make_called(const struct doctor *x, const struct chain *c,
			 const struct doctor_forward *f, struct doctor_probe *p)
{
	const struct iface *i = facts_iface_of(x->facts, f->to);

	if (f->to.af == AF_NONE || caller_of(f).af == AF_NONE || !make_probe(x, c, f, p))
		return false;
	if (p->in == NULL)
		p->in = i != NULL ? i->name : x->facts->default_if[f->to.af == AF_V6];
	p->src = caller_of(f);
	return true;
}

/* One forward may be several rules */
static void add_block(struct doctor *x, struct doctor_block b, struct doctor_blocks *ret)
{
	for (uint32_t i = 0; i < ret->list.n; i++) {
		const struct doctor_block *o = &ret->list.v[i];

		if (strcmp(o->by, b.by) == 0 && o->f->proto == b.f->proto &&
		    o->f->lo == b.f->lo && addr_equal(o->f->to, b.f->to))
			return;
	}
	vec_add(x->a, &ret->list, b);
}

static const char *by_what(struct doctor *x, const struct chain *c, const struct way *w,
			   enum doctor_fate fate, uint64_t handle, bool is_open)
{
	const char *place = place_of(x->a, c, w);

	if (is_open)
		return place;
	return fate == DOCTOR_ENDS ? arena_printf(x->a, "%s, its policy", place)
				   : arena_printf(x->a, "%s, rule with handle %llu", place,
						  (unsigned long long)handle);
}

static int find_blocks(struct doctor *x, const struct chain *c, const struct way *w,
		       struct doctor_blocks *ret)
{
	struct doctor_table t = { .nl = x->nft, .family = c->family, .name = c->table };
	const int err = doctor_table_read(&t, x->a);
	uint32_t n = 0;

	if (err == 0 && x->forwards.n > PROBES_MAX)
		ret->n_untried = x->forwards.n - PROBES_MAX;
	for (uint32_t i = 0; i < MIN(x->forwards.n, PROBES_MAX) && err == 0 && n < TOLD_MAX; i++) {
		struct doctor_block b = { .f = &x->forwards.v[i] };
		struct doctor_probe p;
		enum doctor_fate fate;
		uint64_t handle;

		if (!make_called(x, c, b.f, &p))
			continue;
		fate = doctor_table_fate(&t, c->name, &p, &handle, &b.is_open);
		if (!b.is_open &&
		    (fate == DOCTOR_PASSES || (fate == DOCTOR_ENDS && !c->end.drops)))
			continue;
		b.is_elsewhere = fate == DOCTOR_REDIRECTS;
		/* Of two with one priority it is not known which comes first */
		b.is_open |= b.is_elsewhere && c->prio == DNAT_PRIO;
		b.iface = p.in;
		b.from = p.src;
		b.by = by_what(x, c, w, fate, handle, b.is_open);
		add_block(x, b, ret);
		/* What is not known hides nothing that is */
		n += !b.is_open;
	}
	doctor_table_free(&t);
	return err;
}

/* What translates behind us has nothing to do: the first one that does is the last */
static bool is_before_ours(const struct chain *c)
{
	return !c->is_nat || (c->hook == NF_INET_PRE_ROUTING && c->prio <= DNAT_PRIO);
}

static int find_blocks_of(struct doctor *x, const struct chain *c, struct doctor_blocks *ret)
{
	int err = 0;

	for (size_t w = 0; w < ARRAY_SIZE(ways) && err == 0; w++)
		if (ways[w].hook == c->hook && is_before_ours(c))
			err = find_blocks(x, c, &ways[w], ret);
	return err;
}

int doctor_foreign(struct doctor *x, struct doctor_blocks *ret)
{
	struct chains all = { .x = x };
	int err = 0;

	doctor_find_forwards(x);
	for (size_t f = 0; f < ARRAY_SIZE(families) && err == 0 && x->forwards.n > 0; f++) {
		err = read_chains(x, families[f], &all);
		for (uint32_t i = 0; i < all.list.n && err == 0; i++)
			err = find_blocks_of(x, &all.list.v[i], ret);
	}
	return err;
}
