/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * First FreeBSD's own checks of a whole rule, then its match as sets, then one
 * rule for each pair of parts of source and destination: nearly always one.
 * Lists of both families need no split, because a packet is of one family in
 * both of its addresses.
 */
#include "lang/pf/lower.h"

#include "base/limits.h"

static bool has_proto(const struct pf_rule *r, uint8_t proto)
{
	for (uint32_t i = 0; i < r->protos.n; i++)
		if (r->protos.v[i].number == proto)
			return true;
	return false;
}

static bool only_proto(const struct pf_rule *r, uint8_t proto)
{
	for (uint32_t i = 0; i < r->protos.n; i++)
		if (r->protos.v[i].number != proto)
			return false;
	return r->protos.n > 0;
}

static bool check_ports(struct pf_lower *l, const struct pf_rule *r)
{
	const struct pf_side *side = r->from.ports.n > 0 ? &r->from : &r->to;

	if (side->ports.n == 0)
		return true;
	for (uint32_t i = 0; i < r->protos.n; i++) {
		const uint8_t n = r->protos.v[i].number;

		if (n != PROTO_TCP && n != PROTO_UDP && n != PROTO_SCTP)
			return pl_error(l, E1302, r->protos.v[i].at,
					"port only applies to tcp/udp, and this protocol has none");
	}
	/* Translation rules may leave the protocol out: what has ports is meant */
	if (r->protos.n > 0 || r->action == PA_NAT || r->action == PA_RDR)
		return true;
	pf_diag(l->c, l->f, E1302, side->ports_at, "port only applies to tcp/udp");
	diag_help(l->c->diags, "write 'proto tcp', 'proto udp' or 'proto { tcp udp }' before the "
		  "addresses");
	return false;
}

bool pf_check_icmp(struct pf_lower *l, const struct pf_rule *r, uint8_t af)
{
	const uint8_t want = r->icmp_is_v6 ? PROTO_ICMP6 : PROTO_ICMP;
	const bool is_filter = r->action != PA_NAT && r->action != PA_RDR && r->action != PA_BINAT;

	/* pfctl asks this of filter rules only; such a translation matches nothing */
	for (uint32_t i = 0; i < r->protos.n && is_filter; i++) {
		const uint8_t n = r->protos.v[i].number;

		if ((n == PROTO_ICMP && af == AF_V6) || (n == PROTO_ICMP6 && af == AF_V4))
			return pl_error(l, E1305, r->protos.v[i].at,
					"proto %s doesn't match address family %s",
					n == PROTO_ICMP ? "icmp" : "icmp6",
					af == AF_V6 ? "inet6" : "inet");
	}
	if (r->icmps.n == 0)
		return true;
	if (!only_proto(r, want))
		return pl_error(l, E1304, r->icmp_at, "%s only applies to proto %s",
				r->icmp_is_v6 ? "icmp6-type" : "icmp-type",
				r->icmp_is_v6 ? "icmp6" : "icmp");
	if (af != AF_NONE)
		return true;
	pf_diag(l->c, l->f, E1304, r->icmp_at,
		"must indicate address family with icmp-type/code");
	diag_help(l->c->diags, "write '%s' before proto", r->icmp_is_v6 ? "inet6" : "inet");
	return false;
}

bool pf_check_rule(struct pf_lower *l, const struct pf_rule *r)
{
	if (!check_ports(l, r))
		return false;
	if (r->has_flags && r->flag_mask != 0 && r->protos.n > 0 && !has_proto(r, PROTO_TCP))
		return pl_error(l, E1303, r->flags_at, "flags only apply to tcp");
	if (r->action == PA_BLOCK && r->refusal == PR_RST && !only_proto(r, PROTO_TCP))
		return pl_error(l, E1306, r->refusal_at,
				"return-rst can only be applied to TCP rules");
	if (r->action == PA_BLOCK && r->keep == PK_KEEP)
		return pl_error(l, E1307, r->keep_at, "keep state on a block rule does not make "
				"sense");
	return true;
}

static const struct set *flag_set(struct pf_lower *l, uint8_t flags, uint8_t mask)
{
	struct ranges *rs = pf_ranges(l);

	for (unsigned int v = 0; v < 256; v++)
		if ((v & mask) == flags)
			ranges_add(l->c->a, rs, AF_NONE, v, v);
	return pf_ranges_set(l, rs);
}

/* "pass" tests for S/SA unless it says otherwise or keeps no state */
static const struct set *flags_of(struct pf_lower *l, const struct pf_rule *r)
{
	if (r->protos.n > 0 && !has_proto(r, PROTO_TCP))
		return NULL;
	if (r->has_flags)
		return r->flag_mask != 0 ? flag_set(l, r->flags, r->flag_mask) : NULL;
	if (r->action != PA_PASS || r->keep == PK_NO)
		return NULL;
	if (l->syn == NULL)
		l->syn = flag_set(l, TCP_FLAG_SYN, TCP_FLAG_SYN | TCP_FLAG_ACK);
	return l->syn;
}

static const struct set *icmp_set(struct pf_lower *l, const struct pf_rule *r)
{
	struct ranges *rs;

	if (r->icmps.n == 0)
		return NULL;
	rs = pf_ranges(l);
	for (uint32_t i = 0; i < r->icmps.n; i++) {
		const struct pf_icmp *x = &r->icmps.v[i];
		const unsigned int base = (unsigned int)x->type << 8;

		ranges_add(l->c->a, rs, AF_NONE, base | (x->code < 0 ? 0 : (unsigned int)x->code),
			   base | (x->code < 0 ? 255 : (unsigned int)x->code));
	}
	return pf_ranges_set(l, rs);
}

static const struct set *proto_set(struct pf_lower *l, const struct pf_rule *r)
{
	struct ranges *rs;

	if (r->protos.n == 0)
		return NULL;
	rs = pf_ranges(l);
	for (uint32_t i = 0; i < r->protos.n; i++)
		ranges_add(l->c->a, rs, AF_NONE, r->protos.v[i].number, r->protos.v[i].number);
	return pf_ranges_set(l, rs);
}

#define BOTH_FAMILIES	(SET_HAS_V4 | SET_HAS_V6)

/* Families that a part may match; an open part that is empty now may be any */
static unsigned int part_families(const struct pf_part *p)
{
	if (p->in == NULL || (p->is_open && set_is_empty(p->in)))
		return BOTH_FAMILIES;
	return set_families(p->in);
}

static unsigned int parts_families(const struct pf_parts *ps)
{
	unsigned int bits = 0;

	for (uint32_t i = 0; i < ps->list.n; i++)
		bits |= ps->list.v[i].is_open ? BOTH_FAMILIES : part_families(&ps->list.v[i]);
	return bits;
}

/* An empty match; the lists of parts keep their room */
struct pf_match *pf_match_new(struct pf_lower *l, int dir, uint8_t af)
{
	struct pf_parts src = l->match.src, dst = l->match.dst;

	src.list.n = dst.list.n = 0;
	l->match = (struct pf_match){ .dir = dir, .af = af, .src = src, .dst = dst };
	return &l->match;
}

bool pf_match_of(struct pf_lower *l, const struct pf_rule *r)
{
	struct pf_match *mt = pf_match_new(l, r->dir, r->af);
	unsigned int families;
	uint8_t af = r->af;

	if (!pf_check_rule(l, r))
		return false;
	if (!pf_parts_of(l, &r->from.hosts, &mt->src) || !pf_parts_of(l, &r->to.hosts, &mt->dst))
		return false;
	families = parts_families(&mt->src) & parts_families(&mt->dst);
	if (af == AF_NONE && families != BOTH_FAMILIES && families != 0)
		af = families == SET_HAS_V4 ? AF_V4 : AF_V6;
	if (!pf_check_icmp(l, r, af))
		return false;
	mt->ifaces = pf_iface_set(l, r->ifaces.v, r->ifaces.n);
	mt->protos = proto_set(l, r);
	mt->flags = flags_of(l, r);
	mt->icmp = icmp_set(l, r);
	mt->sport = pf_port_set(l, r->from.ports.v, r->from.ports.n);
	mt->dport = pf_port_set(l, r->to.ports.v, r->to.ports.n);
	if (r->o->tos > 0)
		mt->tos = set_one(l->c->a, (u128)r->o->tos);
	mt->users = pf_id_set(l, r->o->users.v, r->o->users.n);
	mt->groups = pf_id_set(l, r->o->groups.v, r->o->groups.n);
	if (r->o->received_on != NULL) {
		mt->recv = pf_iface_ids(l, r->o->received_on, r->o->received_at);
		if (r->o->not_received)
			mt->recv = set_complement(l->c->a, mt->recv, SET_U32);
	}
	return true;
}

static void test(struct pf_lower *l, struct rule *r, enum field f, const struct set *in)
{
	if (in != NULL)
		rule_test(l->m, r, f, in);
}

static const struct set *trimmed(struct pf_lower *l, const struct set *in, unsigned int families)
{
	if (in == NULL || families == BOTH_FAMILIES)
		return in;
	return set_of_family(l->c->a, in, families == SET_HAS_V4 ? AF_V4 : AF_V6);
}

static void add_tests(struct pf_lower *l, struct rule *r, const struct pf_match *mt,
		      const struct pf_part *src, const struct pf_part *dst, unsigned int families)
{
	if (mt->dir >= 0)
		rule_test(l->m, r, F_DIR, set_one(l->c->a, (u128)mt->dir));
	test(l, r, F_IFACE, mt->ifaces);
	if (src->iface != 0 || dst->iface != 0)
		rule_test(l->m, r, F_IFACE,
			  set_one(l->c->a, src->iface != 0 ? src->iface : dst->iface));
	if (families != BOTH_FAMILIES && src->in == NULL && dst->in == NULL)
		rule_test(l->m, r, F_AF, set_one(l->c->a, families == SET_HAS_V4 ? AF_V4 : AF_V6));
	test(l, r, F_PROTO, mt->protos);
	test(l, r, F_SRC, trimmed(l, src->in, families));
	test(l, r, F_SPORT, mt->sport);
	test(l, r, F_DST, trimmed(l, dst->in, families));
	test(l, r, F_DPORT, mt->dport);
	test(l, r, F_TCPFLAGS, mt->flags);
	test(l, r, F_ICMP, mt->icmp);
	test(l, r, F_RECV, mt->recv);
	test(l, r, F_TOS, mt->tos);
	test(l, r, F_UID, mt->users);
	test(l, r, F_GID, mt->groups);
	test(l, r, F_SRC_GROWN, src->grown);
	test(l, r, F_DST_GROWN, dst->grown);
	test(l, r, F_SRC_ROUTE, src->route);
	test(l, r, F_DST_ROUTE, dst->route);
}

static unsigned int wanted_families(const struct pf_match *mt)
{
	return mt->af == AF_NONE ? BOTH_FAMILIES : mt->af == AF_V4 ? SET_HAS_V4 : SET_HAS_V6;
}

/* The tests of the anchors around, and whether a packet can still meet all of them */
static bool add_outer(struct pf_lower *l, struct rule *r, bool *ret_ok)
{
	const struct pf_file *own = l->f;

	for (const struct pf_outer *o = l->outer; o != NULL; o = o->up) {
		add_tests(l, r, &o->mt, &o->src, &o->dst, wanted_families(&o->mt));
		l->f = o->f;
		*ret_ok &= pf_emit_options(l, r, o->s->rule->o, o->s->at);
		l->f = own;
	}
	for (uint32_t i = 0; i < r->tests.n; i++)
		if (l->outer != NULL && set_is_empty(r->tests.v[i].in))
			return false;
	return true;
}

/* The rule of one pair of parts, or NULL if they exclude each other */
static struct rule *emit_one(struct pf_lower *l, uint32_t list, struct origin origin,
			     const struct pf_match *mt, const struct pf_part *src,
			     const struct pf_part *dst)
{
	unsigned int families = part_families(src) & part_families(dst);
	const unsigned int wanted = wanted_families(mt);
	struct rule *r;

	if (src->iface != 0 && dst->iface != 0 && src->iface != dst->iface)
		return NULL;
	if ((families & wanted) == 0 && !src->is_open && !dst->is_open)
		return NULL;
	families = (families & wanted) != 0 ? families & wanted : wanted;
	r = model_add_rule(l->m, list, origin);
	add_tests(l, r, mt, src, dst, families);
	return r;
}

bool pf_emit(struct pf_lower *l, uint32_t list, const struct pf_stmt *s,
	     const struct pf_match *mt,
	     void (*finish)(struct pf_lower *l, struct rule *r, const void *arg),
	     const void *arg)
{
	const struct origin origin = { .at = s->at, .text = pf_stmt_text(l->c, s->at),
				       .part = l->part };
	uint32_t n = 0;
	bool ok = true;

	for (uint32_t i = 0; i < mt->src.list.n; i++) {
		for (uint32_t k = 0; k < mt->dst.list.n; k++) {
			struct rule *r;

			if (l->n_rules >= LIMIT_RULES) {
				l->is_full = true;
				return pl_error(l, E1314, s->at, "more than %u rules",
						LIMIT_RULES);
			}
			r = emit_one(l, list, origin, mt, &mt->src.list.v[i], &mt->dst.list.v[k]);
			if (r == NULL)
				continue;
			n++;
			if (!add_outer(l, r, &ok)) {
				l->m->lists.v[list].rules.n--;
				continue;
			}
			/* Translations too: they tag what they match, changed or not */
			ok &= pf_emit_options(l, r, s->rule->o, s->at);
			finish(l, r, arg);
			l->n_rules++;
		}
	}
	if (n == 0 && !l->is_single)
		return pl_error(l, E1301, s->at, "rule expands to no valid combination");
	return ok;
}

static struct ruling ruling_of(const struct pf_rule *r)
{
	static const struct answer rst = { .rst = true, .icmp4 = -1, .icmp6 = -1 };
	struct ruling x;

	if (r->action == PA_PASS) {
		x = r->keep == PK_NO ? ruling_pass() : ruling_keep();
		x.allow_opts = r->o->allow_opts;
		return x;
	}
	if (r->action == PA_ANTISPOOF || r->refusal == PR_DROP)
		return ruling_block();
	x = ruling_return();
	if (r->refusal == PR_RST)
		x.answer = rst;
	if (r->refusal == PR_ICMP)
		x.answer = (struct answer){ .rst = false, .icmp4 = r->icmp4, .icmp6 = r->icmp6 };
	return x;
}

void pf_finish_filter(struct pf_lower *l, struct rule *r, const void *arg)
{
	const struct pf_rule *p = arg;
	struct ruling x = ruling_of(p);

	x.limit = pf_limit_of(l, p);
	x.mend = p->action == PA_PASS ? pf_mend_of(l, p) : 0;
	if (p->is_log)
		rule_log(l->m, r);
	rule_prefer(l->m, r, x);
	r->exit = p->is_quick ? EX_SETTLE : EX_NEXT;
}
