/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 *	10	what is not looked at passes
 *		in, to an outside address: nat, check-state, and what redirects lead to
 *		is judged by the filter as it is then
 *	10000	check-state; out, what is to be translated is judged by the filter with
 *		the source that it will have; what passes goes to 60000 and beyond, and
 *		so does the rest of its flow
 *	20000	the filter
 *	60000	nat out, allow
 *
 * So a state is of the inside addresses, whichever way it was made, and each packet
 * meets nat once.  One instance stands for each outside address.
 */
#include <stdio.h>

#include "lang/ipfw.h"
#include "lang/ipfw/raise.h"

#define MOST_INSTANCES	16u
#define MOST_PORTS	64u	/* of a redirect to one port */
#define OUT_BLOCK	10000u
#define FILTER_BLOCK	20000u

/* What goes by one outside address */
struct instance {
	struct addr outside;
	const struct set *ifaces;	/* of all its rules, or NULL */
	const struct xlate *nat;	/* the first that translates sources, or NULL */
	const char *redirects;
	uint32_t number;
	const char *tail;		/* "skipto 60000" */
};

struct instances {
	struct instance v[MOST_INSTANCES];
	uint32_t n;
	struct flat_list kept;		/* what a redirect is not for, though its port is */
};

/* ---- instances -------------------------------------------------------------------------- */

static struct instance *find(struct instances *all, struct addr a)
{
	for (uint32_t i = 0; i < all->n; i++)
		if (addr_equal(all->v[i].outside, a))
			return &all->v[i];
	return NULL;
}

static struct instance *instance_of(struct raiser *w, struct instances *all,
				    const struct flat_rule *r, struct addr a)
{
	struct instance *i = find(all, a);

	if (a.af != AF_V4) {
		raise_refuse(w, r->origin, "a translation of IPv6");
		return NULL;
	}
	if (i == NULL) {
		if (all->n == MOST_INSTANCES) {
			raise_refuse(w, r->origin, "so many outside addresses");
			return NULL;
		}
		i = &all->v[all->n++];
		*i = (struct instance){ .outside = a, .ifaces = r->in[F_IFACE],
					.number = all->n, .redirects = "" };
		i->tail = arena_printf(w->a, "skipto %u", RAISE_TAIL + 10 * (all->n - 1));
		return i;
	}
	/* Redirects from everywhere, and what goes out by one interface, go together */
	if (i->ifaces != NULL &&
	    (r->in[F_IFACE] == NULL || !set_equal(i->ifaces, r->in[F_IFACE]))) {
		raise_refuse(w, r->origin, "translations of one address on several interfaces");
		return NULL;
	}
	return i;
}

/* The addresses that a rule can give: of the families that its packets have */
static uint32_t targets(const struct flat_rule *r, struct addr *ret)
{
	const unsigned int families = flat_families(r);
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->x->to.n; i++)
		if ((families & (r->x->to.v[i].af == AF_V4 ? SET_HAS_V4 : SET_HAS_V6)) != 0 &&
		    n++ == 0)
			*ret = r->x->to.v[i];
	return n;
}

static bool add_nat(struct raiser *w, struct instances *all, const struct flat_rule *r)
{
	const struct xlate *x = r->x;
	struct addr to = { .af = AF_NONE };
	struct instance *i;

	if (x->to.n == 0)
		return raise_refuse(w, r->origin, "an interface without an address that is known");
	if (targets(r, &to) != 1 || x->pool == POOL_BITMASK)
		return raise_refuse(w, r->origin, "a pool of addresses");
	i = instance_of(w, all, r, to);
	if (i == NULL)
		return false;
	if (x->port != XP_KEEP && x->port != XP_RANDOM)
		return raise_refuse(w, r->origin, "this choice of a port");
	if (i->nat != NULL && (i->nat->port != x->port || i->nat->lo != x->lo ||
			       i->nat->hi != x->hi))
		return raise_refuse(w, r->origin, "two ways to choose ports of one address");
	i->nat = x;
	return true;
}

static const char *proto_word(const struct flat_rule *r)
{
	if (r->in[F_PROTO] == NULL || r->in[F_PROTO]->n != 1 ||
	    r->in[F_PROTO]->r[0].lo != r->in[F_PROTO]->r[0].hi)
		return NULL;
	return proto_name((uint8_t)r->in[F_PROTO]->r[0].lo);
}

/* "1.2.3.4:80", or with a range */
static const char *endpoint(struct raiser *w, struct addr a, unsigned int lo, unsigned int hi)
{
	const char *at = addr_print(a, arena_alloc(w->a, ADDR_TEXT_BYTES));

	return hi > lo ? arena_printf(w->a, "%s:%u-%u", at, lo, hi)
		       : arena_printf(w->a, "%s:%u", at, lo);
}

static bool is_one_address(const struct set *s)
{
	return s != NULL && s->n == 1 && s->r[0].lo == s->r[0].hi;
}

/* A redirect of ports @lo..@hi, which keep their distance */
static void add_ports(struct raiser *w, struct instance *i, const struct flat_rule *r,
		      unsigned int lo, unsigned int hi, unsigned int to)
{
	const char *peer = "";

	if (is_one_address(r->in[F_SRC]))
		peer = arena_printf(w->a, " %s", addr_print((struct addr){
			AF_V4, r->in[F_SRC]->r[0].lo }, arena_alloc(w->a, ADDR_TEXT_BYTES)));
	i->redirects = arena_printf(w->a, "%s redirect_port %s %s %s%s", i->redirects,
				    proto_word(r), endpoint(w, r->x->to.v[0], to, to + hi - lo),
				    endpoint(w, i->outside, lo, hi), peer);
}

/* All of @lo..@hi to one port: a redirect each */
static bool add_each(struct raiser *w, struct instance *i, const struct flat_rule *r,
		     unsigned int lo, unsigned int hi)
{
	if (hi - lo >= MOST_PORTS)
		return raise_refuse(w, r->origin, "a redirect of so many ports to one");
	for (unsigned int port = lo; port <= hi; port++)
		add_ports(w, i, r, port, port, r->x->lo);
	return true;
}

#define FIELD(f)	(1u << (f))
#define RDR_FIELDS	(FIELD(F_DIR) | FIELD(F_IFACE) | FIELD(F_AF) | FIELD(F_PROTO) | \
			 FIELD(F_SRC) | FIELD(F_DST) | FIELD(F_DPORT))

static bool check_redirect(struct raiser *w, const struct flat_rule *r)
{
	if (!raise_known(w, r, RDR_FIELDS))
		return false;
	if (!is_one_address(r->in[F_DST]))
		return raise_refuse(w, r->origin, "a redirect of more than one address");
	if (r->x->to.n != 1 || r->x->pool == POOL_BITMASK)
		return raise_refuse(w, r->origin, "a redirect to several in turn");
	if (r->in[F_DPORT] == NULL)
		return raise_refuse(w, r->origin, "a redirect of all ports, which is a binat "
				    "with ipfw,");
	return proto_word(r) != NULL || raise_refuse(w, r->origin, "a redirect of several "
						     "protocols");
}

/* A redirect for some sources: others do not come to nat with its ports */
static void keep_others(struct raiser *w, struct instances *all, const struct flat_rule *r)
{
	struct flat_rule others = *r;

	if (r->in[F_SRC] == NULL || is_one_address(r->in[F_SRC]))
		return;
	others.in[F_SRC] = set_complement(w->a, r->in[F_SRC], SET_ADDR);
	others.is_logged = false;
	vec_add(w->a, &all->kept.rules, others);
}

/* Each protocol and each range of ports is a redirect of its own */
static bool add_redirect(struct raiser *w, struct instances *all, const struct flat_rule *given)
{
	const struct set *protos = given->in[F_PROTO] != NULL ? given->in[F_PROTO]
							      : raise_ported(w->a);
	struct flat_rule r = *given;
	struct instance *i;

	for (uint32_t p = 0; p < protos->n; p++)
		for (u128 v = protos->r[p].lo; v <= protos->r[p].hi; v++) {
			r.in[F_PROTO] = set_one(w->a, v);
			if (!check_redirect(w, &r))
				return false;
			i = instance_of(w, all, &r, (struct addr){ r.in[F_DST]->r[0].af,
								   r.in[F_DST]->r[0].lo });
			for (uint32_t k = 0; i != NULL && k < r.in[F_DPORT]->n; k++) {
				const unsigned int lo = (unsigned int)r.in[F_DPORT]->r[k].lo;
				const unsigned int hi = (unsigned int)r.in[F_DPORT]->r[k].hi;

				if (hi > lo && r.x->port == XP_TO) {
					if (!add_each(w, i, &r, lo, hi))
						return false;
					continue;
				}
				add_ports(w, i, &r, lo, hi, r.x->port == XP_KEEP ? lo
					  : r.x->port == XP_TO ? r.x->lo
					  : xlate_shift(r.x, (uint16_t)lo));
			}
			if (i == NULL)
				return false;
			keep_others(w, all, &r);
		}
	return true;
}

/* libalias has its own order among redirects of one port */
static bool is_alone(struct raiser *w, const struct flat *f, uint32_t i)
{
	struct flat_rule one = f->rdr.rules.v[i];

	one.in[F_SRC] = one.in[F_SPORT] = NULL;
	for (uint32_t k = 0; k < i; k++) {
		struct flat_rule other = f->rdr.rules.v[k];

		other.in[F_SRC] = other.in[F_SPORT] = NULL;
		if (flat_meets(w->a, &one, &other))
			return raise_refuse(w, f->rdr.rules.v[i].origin,
					    other.act == FLAT_EXEMPT
					    ? "a redirect behind an exception"
					    : "a second redirect of a port");
	}
	return true;
}

/* A redirect, of the family of where it leads; what has none of it redirects nothing */
static bool of_family(struct raiser *w, const struct flat_rule *r, struct flat_rule *ret)
{
	*ret = *r;
	return r->act == FLAT_TRANSLATE && r->x->to.n > 0 &&
	       flat_meet(w->a, ret, F_DST,
			 set_of_family(w->a, set_all(w->a, SET_ADDR), r->x->to.v[0].af));
}

static bool gather_redirects(struct raiser *w, const struct flat *f, struct instances *all)
{
	struct flat_rule one;

	for (uint32_t i = 0; i < f->rdr.rules.n; i++)
		if (of_family(w, &f->rdr.rules.v[i], &one) &&
		    (!is_alone(w, f, i) || !add_redirect(w, all, &one)))
			return false;
	return true;
}

static bool gather(struct raiser *w, const struct flat *f, struct instances *all)
{
	if (!gather_redirects(w, f, all))
		return false;
	for (uint32_t i = 0; i < f->nat.rules.n; i++)
		if (f->nat.rules.v[i].act == FLAT_TRANSLATE &&
		    !add_nat(w, all, &f->nat.rules.v[i]))
			return false;
	return true;
}

/* ---- what stands before the rules ---------------------------------------------------------- */

static void put_config(struct raiser *w, const struct instance *i)
{
	char buf[ADDR_TEXT_BYTES];

	fprintf(w->head, "nat %u config ip %s", i->number, addr_print(i->outside, buf));
	if (i->nat == NULL || i->nat->port == XP_KEEP)
		fputs(" same_ports", w->head);
	else
		fprintf(w->head, " port_range %u-%u", i->nat->lo, i->nat->hi);
	fprintf(w->head, "%s\n", i->redirects);
}

/* ---- in ---------------------------------------------------------------------------------- */

/* The filter for what a redirect leads in */
static bool judge_redirected(struct raiser *w, const struct flat *f, const struct flat_rule *rdr,
			     const struct instance *i)
{
	struct flat_rule led = *rdr;
	const struct set *ports = rdr->in[F_DPORT];
	struct ranges rs = { .list = { .n = 0 } };

	led.in[F_DST] = set_addr(w->a, rdr->x->to.v[0]);
	for (uint32_t k = 0; k < ports->n && rdr->x->port != XP_KEEP; k++) {
		const u128 lo = rdr->x->port == XP_TO ? rdr->x->lo
				: xlate_shift(rdr->x, (uint16_t)ports->r[k].lo);

		ranges_add(w->a, &rs, AF_NONE, lo,
			   rdr->x->port == XP_TO ? lo : lo + ports->r[k].hi - ports->r[k].lo);
	}
	if (rdr->x->port != XP_KEEP)
		led.in[F_DPORT] = set_make(w->a, &rs);
	led.is_logged = false;
	if (rdr->is_pass)
		return raise_line(w, &led, (struct raise_action){ i->tail, true });
	for (uint32_t k = 0; k < f->filter.rules.n; k++) {
		struct flat_rule own = f->filter.rules.v[k];

		if (!flat_narrow(w->a, &own, &led))
			continue;
		/* What is translated is remembered, whatever the rule says */
		own.ruling.keep = own.ruling.verdict == V_PASS;
		if (!raise_ruling(w, &own, i->tail))
			return false;
	}
	return true;
}

/* The next block, which others lead to */
static bool begin_block(struct raiser *w, uint32_t number, const struct origin at)
{
	if (w->number >= number)
		return raise_refuse(w, at, "so many rules of translations");
	w->number = number - 10;
	return true;
}

/* What comes to outside addresses, and what it is led to */
static bool put_in(struct raiser *w, const struct flat *f, const struct instances *all)
{
	struct flat_rule away = { .prob = 0 };
	struct ranges rs = { .list = { .n = 0 } };
	const struct raise_action past = { "skipto 10000", false };

	away.in[F_DIR] = set_one(w->a, DIR_OUT);
	if (!raise_line(w, &away, past))
		return false;
	for (uint32_t i = 0; i < all->n; i++)
		ranges_add(w->a, &rs, AF_V4, all->v[i].outside.v, all->v[i].outside.v);
	away.in[F_DIR] = set_one(w->a, DIR_IN);
	away.in[F_DST] = set_complement(w->a, set_make(w->a, &rs), SET_ADDR);
	if (!raise_line(w, &away, past))
		return false;
	for (uint32_t i = 0; i < all->kept.rules.n; i++)
		if (!raise_line(w, &all->kept.rules.v[i], past))
			return false;
	for (uint32_t i = 0; i < all->n; i++) {
		const struct instance *in = &all->v[i];
		const char *nat = arena_printf(w->a, "nat %u", in->number);
		struct flat_rule r = { .prob = 0 };

		r.in[F_DIR] = set_one(w->a, DIR_IN);
		r.in[F_IFACE] = in->ifaces;
		r.in[F_DST] = set_addr(w->a, in->outside);
		if (!raise_line(w, &r, (struct raise_action){ nat, false }))
			return false;
	}
	raise_check(w);
	for (uint32_t i = 0; i < f->rdr.rules.n; i++) {
		const struct flat_rule *r = &f->rdr.rules.v[i];
		struct flat_rule one;

		if (of_family(w, r, &one) &&
		    !judge_redirected(w, f, &one, find((struct instances *)all, (struct addr){
				AF_V4, one.in[F_DST]->r[0].lo })))
			return false;
	}
	return true;
}

/* ---- out --------------------------------------------------------------------------------- */

/* What of a filter rule is left when the source has become @to; false: it never matches */
static bool with_source(struct raiser *w, struct flat_rule *r, struct addr to)
{
	const bool is_local = facts_iface_of(w->m->facts, to) != NULL || addr_is_loopback(to);

	if (r->in[F_SRC] != NULL && !set_has_addr(r->in[F_SRC], to))
		return false;
	if (r->in[F_SRC_LOCAL] != NULL && !set_has(r->in[F_SRC_LOCAL], AF_NONE, is_local))
		return false;
	r->in[F_SRC] = r->in[F_SRC_LOCAL] = NULL;
	return true;
}

static bool judge_translated(struct raiser *w, const struct flat *f, const struct flat_rule *nat,
			     const struct instance *i)
{
	struct flat_rule from = *nat;

	from.is_logged = false;
	if (!flat_meet(w->a, &from, F_AF, set_one(w->a, AF_V4)))
		return true;
	if (nat->is_pass)
		return raise_line(w, &from, (struct raise_action){ i->tail, true });
	for (uint32_t k = 0; k < f->filter.rules.n; k++) {
		struct flat_rule own = f->filter.rules.v[k];

		if (!with_source(w, &own, i->outside) || !flat_narrow(w->a, &own, &from))
			continue;
		if (f->filter.rules.v[k].in[F_SPORT] != NULL)
			return raise_refuse(w, own.origin, "a port that a translation chooses");
		own.ruling.keep = own.ruling.verdict == V_PASS;
		if (!raise_ruling(w, &own, i->tail))
			return false;
	}
	return true;
}

static bool put_out(struct raiser *w, const struct flat *f, const struct instances *all)
{
	for (uint32_t k = 0; k < f->nat.rules.n; k++) {
		const struct flat_rule *r = &f->nat.rules.v[k];
		struct addr to;
		bool good;

		if (r->act == FLAT_EXEMPT)
			good = raise_line(w, r, (struct raise_action){ "skipto 20000", false });
		else
			good = targets(r, &to) == 1 &&
			       judge_translated(w, f, r, find((struct instances *)all, to));
		if (!good)
			return false;
	}
	return true;
}

static void put_tails(struct raiser *w, const struct instances *all)
{
	for (uint32_t i = 0; i < all->n; i++) {
		struct flat_rule r = { .prob = 0 };

		w->number = RAISE_TAIL + 10 * i - 10;
		r.in[F_DIR] = set_one(w->a, DIR_OUT);
		r.in[F_AF] = set_one(w->a, AF_V4);
		r.in[F_IFACE] = all->v[i].ifaces;
		BUG_IF(!raise_line(w, &r, (struct raise_action){
			arena_printf(w->a, "nat %u", all->v[i].number), false }));
		fprintf(w->out, "add %u allow ip from any to any\n", RAISE_TAIL + 10 * i + 5);
	}
}

/* ---- all --------------------------------------------------------------------------------- */

static bool put_translations(struct raiser *w, const struct flat *f, struct instances *all)
{
	struct origin at = { .text = NULL };

	if (f->nat.rules.n > 0)
		at = f->nat.rules.v[0].origin;
	if (f->rdr.rules.n > 0)
		at = f->rdr.rules.v[0].origin;
	for (uint32_t i = 0; i < f->filter.rules.n && all->n == 0; i++)
		if (f->filter.rules.v[i].ruling.keep) {
			raise_check(w);
			return true;
		}
	if (all->n == 0)
		return true;
	for (uint32_t i = 0; i < all->n; i++)
		put_config(w, &all->v[i]);
	fputs("disable one_pass\n", w->head);
	if (!put_in(w, f, all) || !begin_block(w, OUT_BLOCK, at))
		return false;
	raise_check(w);
	return put_out(w, f, all) && begin_block(w, FILTER_BLOCK, at);
}

static bool raise_all(struct raiser *w, const struct flat *f)
{
	struct instances all = { .n = 0 };
	struct flat_rule skip = { .prob = 0 };
	bool good = gather(w, f, &all);

	skip.in[F_IFACE] = f->skipped;
	if (good && f->skipped != NULL)
		good = raise_line(w, &skip, (struct raise_action){ "allow", false });
	good = good && put_translations(w, f, &all);
	for (uint32_t i = 0; good && i < f->filter.rules.n; i++)
		good = raise_ruling(w, &f->filter.rules.v[i], "allow");
	if (good)
		put_tails(w, &all);
	return good;
}

static bool print(const struct model *m, const struct flat *f, FILE *out,
		  struct raise_refusal *ret)
{
	return raise_text(m, f, raise_all, out, ret);
}

static bool raise_by_iface(struct raiser *w, const struct flat *f)
{
	w->by_iface = true;
	w->skipped = f->skipped;
	return raise_all(w, f);
}

/* pf's state is of one leg of a way through the host: by_iface each leg has its own name */
static bool print_by_iface(const struct model *m, const struct flat *f, FILE *out,
			   struct raise_refusal *ret)
{
	return raise_text(m, f, raise_by_iface, out, ret);
}

static bool read_again(struct lang_ctx *c, uint32_t src, const struct facts *facts,
		       struct model *m)
{
	const struct ipfw_options o = { .one_pass = -1, .tolerate_missing = true };
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	const struct ipfw_ruleset *rs;

	if (!ipfw_rules_read(c, src, &cmds))
		return false;
	rs = ipfw_parse(c, &cmds);
	return c->diags->n_errors == 0 && ipfw_lower(c, rs, facts, &o, m);
}

static const struct translate_lang by_iface = { "ipfw", print_by_iface, NULL, read_again };

const struct translate_lang translate_ipfw = { "ipfw", print, &by_iface, read_again };
