/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * model_eval() says what rules mean, so it is asked, once for each new session,
 * of rules that are sorted so that it looks at few of them (ruletree.h), and with a
 * world that remembers nothing: a packet of a session that is there never
 * gets here.  A packet from a jail with a stack of its own crosses two
 * interfaces, and each may refuse it; one of an alias jail is the host's own and
 * only leaves.
 */
#include "cli/nat_rules.h"

#include "model/ruletree.h"

int nat_rules_make(struct nat_rules *r, struct arena *a)
{
	jmp_buf full;

	arena_init(&r->scratch, NAT_RULES_BYTES + 4096);
	r->scratch.full = &full;
	if (setjmp(full) != 0)
		return -ENOMEM;
	memset(arena_alloc(&r->scratch, NAT_RULES_BYTES), 0, NAT_RULES_BYTES);
	arena_clear(&r->scratch);
	r->tree = ruletree_make(a, r->m);
	return 0;
}

void nat_rules_fini(struct nat_rules *r)
{
	arena_fini(&r->scratch);
}

/* One crossing of a packet that is under way */
static struct result cross(struct nat_rules *r, struct packet *p, enum direction dir,
			   uint32_t iface)
{
	struct result res;
	struct world w;

	world_init(&w, &r->scratch);
	w.draw = r->draw++;
	w.tree = r->tree;
	p->dir = dir;
	p->iface = iface;
	if (dir == DIR_IN)
		p->recv = iface;
	res = model_eval(r->m, &w, p, &r->scratch);
	*p = res.packet;
	return res;
}

static void refuse(const struct result *res, struct nat_ruling *ret)
{
	const bool is_v4 = res->packet.src.af == AF_V4;

	ret->pass = false;
	ret->answer = res->verdict == V_RETURN;
	ret->rst = res->answer.rst;
	ret->icmp = is_v4 ? res->answer.icmp4 : res->answer.icmp6;
}

/* The NAT's own copy of an address, which stays where it is; NULL: it has none such */
static const struct addr *own_address(const struct nat_rules *r, struct addr a)
{
	for (uint32_t i = 0; i < r->n_outside; i++)
		if (addr_equal(r->outside[i], a))
			return &r->outside[i];
	return NULL;
}

/* Several addresses of which the NAT may choose: it keeps a source to one of them */
static bool is_own_pool(const struct nat_rules *r, const struct xlate *x)
{
	if (x->kind != XL_SRC || x->to.n < 2 ||
	    (x->pool != POOL_ROUND_ROBIN && x->pool != POOL_RANDOM))
		return false;
	for (uint32_t i = 0; i < x->to.n; i++)
		if (own_address(r, x->to.v[i]) == NULL)
			return false;
	return true;
}

/* The source becomes what the model says; false: an address that the NAT does not have */
static bool set_source(const struct nat_rules *r, const struct result *res, uint16_t sport,
		       struct nat_ruling *ret)
{
	const struct xlate *x = res->xlate;
	const bool keeps = x->kind == XL_INSTANCE || x->may_change;

	ret->to = own_address(r, res->packet.src);
	if (ret->to == NULL)
		return false;
	ret->has_src = true;
	ret->n_to = 1;
	if (is_own_pool(r, x)) {
		ret->to = x->to.v;
		ret->n_to = x->to.n;
	}
	if (x->port == XP_RANDOM) {
		ret->ports = NAT_PORTS_RANDOM;
		ret->port_lo = x->lo;
		ret->port_hi = x->hi;
	} else if (keeps && (sport < r->keep_lo || sport > r->keep_hi)) {
		ret->ports = NAT_PORTS_RANDOM;
		ret->port_lo = r->keep_lo;
		ret->port_hi = r->keep_hi;
	} else {
		ret->ports = keeps ? NAT_PORTS_PRESERVE : NAT_PORTS_STATIC;
	}
	return true;
}

static void set_scrub(const struct result *res, struct nat_ruling *ret)
{
	if (res->scrub == NULL)
		return;
	ret->max_mss = res->scrub->max_mss != 0 ? res->scrub->max_mss : ret->max_mss;
	ret->min_ttl = MAX(ret->min_ttl, res->scrub->min_ttl);
	ret->no_df |= res->scrub->no_df;
}

static void judge_out(struct nat_rules *r, struct packet *p, struct nat_ruling *ret)
{
	const uint16_t sport = p->sport;
	struct result res;

	/* The host's own packets do not come by the jails' link */
	if (r->inside_if != 0 && own_address(r, p->src) == NULL) {
		res = cross(r, p, DIR_IN, r->inside_if);
		set_scrub(&res, ret);
		if (res.verdict != V_PASS) {
			refuse(&res, ret);
			return;
		}
	}
	res = cross(r, p, DIR_OUT, r->outside_if);
	set_scrub(&res, ret);
	if (res.verdict != V_PASS) {
		refuse(&res, ret);
		return;
	}
	ret->pass = true;
	ret->keep = res.makes_state;
	ret->is_fenceless = !res.src_changed;
	if (res.src_changed && res.xlate != NULL)
		ret->pass = set_source(r, &res, sport, ret);
}

static void judge_in(struct nat_rules *r, struct packet *p, struct nat_ruling *ret)
{
	struct result res = cross(r, p, DIR_IN, r->outside_if);

	set_scrub(&res, ret);
	if (res.verdict != V_PASS) {
		refuse(&res, ret);
		return;
	}
	ret->keep = res.makes_state;
	if (res.dst_changed) {
		ret->has_dst = true;
		ret->dst = res.packet.dst;
		ret->dport = res.packet.dport;
	}
	if (r->inside_if != 0) {
		res = cross(r, p, DIR_OUT, r->inside_if);
		set_scrub(&res, ret);
		if (res.verdict != V_PASS) {
			refuse(&res, ret);
			return;
		}
	}
	ret->pass = true;
}

struct packet nat_rules_packet(const struct nat_ask *ask)
{
	return (struct packet){
		.proto = ask->proto, .src = ask->src, .dst = ask->dst, .sport = ask->sport,
		.dport = ask->dport, .tcp_flags = ask->tcp_flags, .icmp_type = ask->icmp_type,
		.icmp_code = ask->icmp_code, .tos = ask->tos, .has_opts = ask->has_opts,
		.ip_opts = ask->ip_opts,
		.heads = { [HEAD_TTL] = ask->ttl, [HEAD_LEN] = ask->len, [HEAD_ID] = ask->id,
			   [HEAD_FLOWID] = ask->flow_label, [HEAD_WIN] = ask->win,
			   [HEAD_SEQ] = ask->seq, [HEAD_ACK] = ask->ack },
	};

}

bool nat_rules_judge(void *ctx, const struct nat_ask *ask, struct nat_ruling *ret)
{
	struct nat_rules *r = ctx;
	struct packet p = nat_rules_packet(ask);
	jmp_buf full;

	*ret = (struct nat_ruling){ .icmp = -1 };
	r->scratch.full = &full;
	/* Rules that need more than that for one packet pass none */
	if (setjmp(full) == 0) {
		if (ask->from == NAT_INSIDE)
			judge_out(r, &p, ret);
		else
			judge_in(r, &p, ret);
	} else {
		*ret = (struct nat_ruling){ .icmp = -1 };
	}
	arena_clear(&r->scratch);
	return true;
}
