/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What becomes of the options that Linux has no exact form for stands in one
 * table: refused where packets would be passed or sent wrongly, with what to
 * do instead; else a warning or a note that says what differs.
 *
 * The states of a rule are counted for each single rule that pf makes of its
 * lists, so a rule with limits is taken apart as pf does (lower_split.c).
 */
#include "lang/pf/lower.h"

#include <string.h>

#define BOUND_TO_IF	1	/* pf_state_opts.bound */

enum fate { REFUSED, WARNED, NOTED };

static const struct {
	const char *what;
	enum fate fate;
	const char *why;
	const char *help;
} fates[] = {
	{ "'route-to'", REFUSED, "nftables cannot choose another way for a packet",
	  "use a routing table of its own and a rule for it (ip rule)" },
	{ "'reply-to'", REFUSED, "nftables cannot choose another way for answers",
	  "use a routing table of its own for the sources that answer (ip rule from ADDRESS)" },
	{ "'dup-to'", REFUSED, "the copy would be judged by the rules again", NULL },
	{ "'rtable'", REFUSED, "nftables cannot choose the routing table of a packet that pf "
	  "has judged", "use a rule of the routing policy (ip rule)" },
	{ "'divert-to'", REFUSED, "there are no divert sockets on Linux", NULL },
	{ "'os'", REFUSED, "no rule can tell the operating system of a packet", NULL },
	{ "'once'", REFUSED, "a rule cannot remove itself", NULL },
	{ "'prio'", REFUSED, "the priority of a VLAN tag is gone when rules see the packet", NULL },
	{ "'max-pkt-rate'", REFUSED, "the rate of a rule's states cannot be measured", NULL },
	{ "'max-pkt-size'", REFUSED, "packets have been put together from their fragments, and "
	  "may be larger than what was received", NULL },
	{ "'if-bound'", REFUSED, "a connection's state is good for every interface here",
	  "leave 'if-bound' out, and block what must not come by another interface" },
	{ "'state limiter'", REFUSED, "states are limited by rules only",
	  "write 'keep state (max N)' into the rules" },
	{ "'source limiter'", REFUSED, "sources are limited by rules only",
	  "write 'keep state (max-src-nodes N, max-src-states N)' into the rules" },
	{ "'set' on a rule", WARNED, "no priority or type of service is set", NULL },
	{ "'dnpipe'", WARNED, "nothing is shaped or delayed here", NULL },
	{ "'dnqueue'", WARNED, "nothing is shaped or delayed here", NULL },
	{ "a TTL of return-rst", NOTED, "the kernel's answers have its own TTL", NULL },
};

bool pf_tell_later(struct pf_lower *l, const char *what, struct span at)
{
	for (size_t i = 0; i < ARRAY_SIZE(fates); i++) {
		if (strcmp(fates[i].what, what) != 0)
			continue;
		if (fates[i].fate == WARNED)
			pf_diag(l->c, l->f, W1117, at, "%s: %s", what, fates[i].why);
		else if (fates[i].fate == NOTED)
			pf_diag(l->c, l->f, N1150, at, "%s: %s", what, fates[i].why);
		else
			pf_diag(l->c, l->f, E1316, at, "%s: %s", what, fates[i].why);
		if (fates[i].help != NULL)
			diag_help(l->c->diags, "%s", fates[i].help);
		return fates[i].fate != REFUSED;
	}
	return pl_error(l, E1102, at, "%s is not in this version of sallyport", what);
}

static bool is_default_table(const struct pf_rule_opts *o, const struct pf_later *x)
{
	return o->rtable == 0 && strcmp(x->what, "'rtable'") == 0;
}

static bool states_known(struct pf_lower *l, const struct pf_rule *r)
{
	const struct pf_state_opts *o = r->o->state;

	if (r->action != PA_PASS || r->keep == PK_NO)
		return true;
	return o == NULL || o->bound != BOUND_TO_IF || pf_tell_later(l, "'if-bound'", r->keep_at);
}

static bool refuse_owner(struct pf_lower *l, struct span at, const char *word, const char *why,
			 const char *help)
{
	pf_diag(l->c, l->f, E1316, at, "'%s': %s", word, why);
	diag_help(l->c->diags, "%s", help);
	return false;
}

/* FreeBSD's numbers, as pfctl has them: the host may call somebody else so */
static void tell_names(struct pf_lower *l, const struct pf_id *ids, uint32_t n, const char *word)
{
	for (uint32_t i = 0; i < n; i++)
		if (ids[i].is_named && ids[i].lo != 0)
			pf_diag(l->c, l->f, W1334, ids[i].at, ids[i].hi == 0
				? "this %s is number %u, as on FreeBSD, whatever it is here"
				: "these names of a %s are numbers %u and %u, as on FreeBSD",
				word, ids[i].lo, ids[i].hi);
}

/* Linux knows the owner of what a local process sends, and of nothing else */
static bool owners_known(struct pf_lower *l, const struct pf_rule *r, const struct pf_id *ids,
			 uint32_t n, const char *word)
{
	bool has_owner = r->protos.n > 0;

	if (n == 0)
		return true;
	for (uint32_t i = 0; i < r->protos.n; i++)
		has_owner &= r->protos.v[i].number == PROTO_TCP ||
			     r->protos.v[i].number == PROTO_UDP;
	if (r->dir != DIR_OUT)
		return refuse_owner(l, ids[0].at, word,
				    "whom a packet that comes in is for is not known when it "
				    "is judged", "write 'out' for what local processes send, or "
				    "confine the jail's processes (up NAME --cgroup PATH)");
	if (!has_owner)
		return refuse_owner(l, ids[0].at, word,
				    "only sockets of TCP and UDP have an owner",
				    "write 'proto { tcp udp }' before the addresses");
	if (pf_has_to(r))
		return refuse_owner(l, ids[0].at, word,
				    "a rule that translates cannot ask for the owner",
				    "write the translation as a nat or rdr rule");
	for (uint32_t i = 0; i < n; i++)
		if (ids[i].op == PP_NE || ids[i].is_unknown)
			return refuse_owner(l, ids[0].at, word,
					    "what has no owner cannot be told from what has "
					    "another", "name those that are meant, as "
					    "'< 80' and '> 80'");
	tell_names(l, ids, n, word);
	return true;
}

static void add_ids(struct pf_lower *l, struct ranges *rs, const struct pf_id *x)
{
	const uint32_t most = UINT32_MAX - 1;	/* the highest one is nobody's */
	const struct { uint32_t lo, hi; bool is_any; } parts[][2] = {
		[PP_EQ] = { { x->lo, x->lo, true } },
		[PP_LT] = { { 0, x->lo - 1, x->lo > 0 } },
		[PP_LE] = { { 0, x->lo, true } },
		[PP_GT] = { { x->lo + 1, most, x->lo < most } },
		[PP_GE] = { { x->lo, most, true } },
		[PP_INSIDE] = { { x->lo + 1, x->hi - 1, x->hi > 1 && x->lo + 1 < x->hi } },
		[PP_OUTSIDE] = { { 0, x->lo - 1, x->lo > 0 }, { x->hi + 1, most, x->hi < most } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts[0]); i++)
		if (parts[x->op][i].is_any)
			ranges_add(l->c->a, rs, AF_NONE, parts[x->op][i].lo, parts[x->op][i].hi);
}

const struct set *pf_id_set(struct pf_lower *l, const struct pf_id *ids, uint32_t n)
{
	struct ranges *rs;

	if (n == 0)
		return NULL;
	rs = pf_ranges(l);
	for (uint32_t i = 0; i < n; i++)
		add_ids(l, rs, &ids[i]);
	return pf_ranges_set(l, rs);
}

bool pf_lower_known(struct pf_lower *l, const struct pf_rule *r)
{
	const struct pf_rule_opts *o = r->o;
	bool ok = true;

	for (uint32_t i = 0; i < o->later.n; i++)
		ok &= is_default_table(o, &o->later.v[i]) ||
		      pf_tell_later(l, o->later.v[i].what, o->later.v[i].at);
	return owners_known(l, r, o->users.v, o->users.n, "user") &&
	       owners_known(l, r, o->groups.v, o->groups.n, "group") && states_known(l, r) && ok;
}

/* ---- limits of states ------------------------------------------------------ */

bool pf_has_limits(const struct pf_rule *r)
{
	const struct pf_state_opts *o = r->o->state;

	return o != NULL && r->action == PA_PASS && r->keep != PK_NO &&
	       (o->track == 1 || (o->max | o->max_src_states | o->max_src_nodes |
				  o->max_src_conn | o->rate_limit) != 0);
}

void pf_note_states(struct pf_lower *l, const struct pf_stmt *s)
{
	const struct pf_rule *r = s->rule;
	const struct pf_state_opts *o = r->o->state;
	const struct span at = r->keep == PK_KEEP ? r->keep_at : s->at;

	if (o == NULL || r->action != PA_PASS || r->keep == PK_NO || l->part > 1)
		return;
	if (o->sloppy)
		pf_diag(l->c, l->f, W1320, at, "'sloppy': the kernel looks at sequence numbers all "
			"the same, unless net.netfilter.nf_conntrack_tcp_be_liberal is 1");
	if (pf_has_limits(r))
		pf_diag(l->c, l->f, N1319, at, "%s", (o->max_src_conn | o->rate_limit) != 0 ?
			"connections are counted from their first packet on, pf counts those that "
			"have been answered" :
			"an ended connection counts until the kernel has forgotten it");
	if (o->max_src_nodes != 0 && r->af == AF_NONE)
		pf_diag(l->c, l->f, N1319, at, "'max-src-nodes': sources of IPv4 and of IPv6 are "
			"counted apart");
	if (o->overload != NULL && o->flush != 0)
		pf_diag(l->c, l->f, N1319, at, "'flush': connections that the source has already "
			"go on, new ones are judged by the table <%s>", o->overload);
}

uint32_t pf_limit_of(struct pf_lower *l, const struct pf_rule *r)
{
	const struct pf_state_opts *o = r->o->state;
	struct state_limit x;

	if (!pf_has_limits(r))
		return 0;
	x = (struct state_limit){
		.max = o->max, .max_src_states = o->max_src_states,
		.max_src_nodes = o->max_src_nodes, .max_src_conn = o->max_src_conn,
		.rate = o->rate_limit, .seconds = o->rate_seconds, .is_global = o->track == 1,
	};
	for (uint32_t i = 0; i < l->m->grown.n && o->overload != NULL; i++)
		if (strcmp(l->m->grown.v[i], o->overload) == 0)
			x.grown = (uint8_t)(i + 1);
	vec_add(l->c->a, &l->m->limits, x);
	return l->m->limits.n;
}

static bool grow(struct pf_lower *l, const char *name, struct span at)
{
	for (uint32_t i = 0; i < l->m->grown.n; i++)
		if (strcmp(l->m->grown.v[i], name) == 0)
			return true;
	if (l->m->grown.n == MODEL_GROWN)
		return pl_error(l, E1314, at, "more than %u tables that rules fill", MODEL_GROWN);
	vec_add(l->c->a, &l->m->grown, intern_cstr(l->c->names, name));
	return true;
}

bool pf_grown_tables(struct pf_lower *l, const struct pf_stmt *v, uint32_t n)
{
	bool ok = true;

	for (uint32_t i = 0; i < n; i++) {
		const struct pf_rule *r = v[i].rule;

		if (v[i].kind != PS_RULE)
			continue;
		if (r->o->state != NULL && r->o->state->overload != NULL)
			ok &= grow(l, r->o->state->overload, v[i].at);
		if (r->action == PA_ANCHOR)
			ok &= pf_grown_tables(l, r->anchor->stmts, r->anchor->n_stmts);
	}
	return ok;
}

uint8_t pf_grown_bit(const struct pf_lower *l, const char *name)
{
	for (uint32_t i = 0; i < l->m->grown.n; i++)
		if (strcmp(l->m->grown.v[i], name) == 0)
			return (uint8_t)(1u << i);
	return 0;
}
