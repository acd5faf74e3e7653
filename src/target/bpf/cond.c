/* SPDX-License-Identifier: BSD-2-Clause */
#include "target/bpf/decide.h"

void bpf_cannot(struct bpf_decider *d, const struct rule *r, const char *what)
{
	d->failed = true;
	if (d->diags != NULL)
		diag_add(d->diags, DIAG_E1721, r->origin.at, "classic BPF cannot see %s", what);
}

static const struct set *numbers(struct arena *a, const uint8_t *v, size_t n)
{
	struct ranges rs = { 0 };

	for (size_t i = 0; i < n; i++)
		ranges_add(a, &rs, AF_NONE, v[i], v[i]);
	return set_make(a, &rs);
}

const struct set *bpf_ported(struct arena *a)
{
	struct ranges rs = { 0 };

	for (unsigned int i = 0; i < 256; i++)
		if (proto_has_ports((uint8_t)i))
			ranges_add(a, &rs, AF_NONE, i, i);
	return set_make(a, &rs);
}

static const struct set *icmps(struct arena *a)
{
	static const uint8_t both[] = { PROTO_ICMP, PROTO_ICMP6 };

	return numbers(a, both, ARRAY_SIZE(both));
}

static void narrow(struct bpf_decider *d, struct bpf_cond *c, enum bpf_field f,
		   const struct set *in)
{
	c->in[f] = c->in[f] == NULL ? in : set_intersect(d->t->a, c->in[f], in);
	c->never |= set_is_empty(c->in[f]);
}

void bpf_cond_add(struct bpf_decider *d, struct bpf_cond *c, enum bpf_field f,
		  const struct set *in)
{
	const bool is_deep = f >= BF_SPORT || (f == BF_PROTO && d->af == AF_V6);

	if (f == BF_SPORT || f == BF_DPORT)
		bpf_cond_add(d, c, BF_PROTO, bpf_ported(d->t->a));
	if (f == BF_ICMP)
		bpf_cond_add(d, c, BF_PROTO, icmps(d->t->a));
	if (f == BF_SRC || f == BF_DST)
		in = set_of_family(d->t->a, in, d->af);
	if (set_is_empty(in))
		c->never = true;
	else if (d->is_part && is_deep)
		c->maybe = true;	/* a fragment does not tell */
	else
		narrow(d, c, f, in);
}

static void known(struct bpf_cond *c, bool holds)
{
	c->never |= !holds;
}

/* What nobody can know: anything may be, or it cannot be judged */
static void unknown(struct bpf_decider *d, struct bpf_cond *c, const struct rule *r,
		    const char *what)
{
	if (d->is_touch)
		c->maybe = true;
	else
		bpf_cannot(d, r, what);
}

static void test_addr(struct bpf_decider *d, struct bpf_cond *c, const struct rule *r,
		      enum bpf_field f, const struct set *in, const struct set *now)
{
	if (now == NULL)
		bpf_cond_add(d, c, f, in);
	else if (!set_overlaps(now, in))
		c->never = true;
	else if (!set_is_subset(now, in))
		unknown(d, c, r, "which of several addresses a translation has chosen");
}

/* Addresses for which "is one of the host's" is in @wanted */
static const struct set *locals(struct bpf_decider *d, const struct set *wanted)
{
	struct arena *a = d->t->a;
	struct ranges rs = { 0 };

	if (d->local == NULL) {
		ranges_add_set(a, &rs, facts_local(d->m->facts));
		ranges_add_prefix(a, &rs, (struct prefix){ addr_v4(127, 0, 0, 0), 8 });
		ranges_add(a, &rs, AF_V6, 1, 1);
		d->local = set_make(a, &rs);
	}
	rs.list.n = 0;
	if (set_has(wanted, AF_NONE, 1))
		ranges_add_set(a, &rs, d->local);
	if (set_has(wanted, AF_NONE, 0))
		ranges_add_set(a, &rs, set_complement(a, d->local, SET_ADDR));
	return set_make(a, &rs);
}

/* The ports that a translation takes to one in @in */
static const struct set *ports_before(struct bpf_decider *d, const struct xlate *x,
				      const struct set *in)
{
	struct ranges rs = { 0 };

	for (uint32_t p = 0; p <= UINT16_MAX; p++)
		if (set_has(in, AF_NONE, xlate_shift(x, (uint16_t)p)))
			ranges_add(d->t->a, &rs, AF_NONE, p, p);
	return set_make(d->t->a, &rs);
}

static void test_port(struct bpf_decider *d, struct bpf_cond *c, const struct rule *r,
		      enum bpf_field f, const struct set *in, const struct xlate *x)
{
	const struct set *now;

	if (x == NULL || x->port == XP_KEEP) {
		bpf_cond_add(d, c, f, in);
		return;
	}
	if (x->port == XP_SHIFT) {
		bpf_cond_add(d, c, f, ports_before(d, x, in));
		return;
	}
	bpf_cond_add(d, c, BF_PROTO, bpf_ported(d->t->a));
	now = set_range(d->t->a, AF_NONE, x->lo, x->port == XP_TO ? x->lo : x->hi);
	if (!set_overlaps(now, in))
		c->never = true;
	else if (!set_is_subset(now, in))
		unknown(d, c, r, "a port that is chosen at random");
}

/* Fields of the packet that the view may have changed, and those that stand in it */
static bool test_bytes(struct bpf_decider *d, struct bpf_cond *c, const struct bpf_view *v,
		       const struct rule *r, const struct test *t)
{
	switch (t->f) {
	case F_PROTO:
		bpf_cond_add(d, c, BF_PROTO, t->in);
		return true;
	case F_SRC:
		test_addr(d, c, r, BF_SRC, t->in, v->src);
		return true;
	case F_DST:
		test_addr(d, c, r, BF_DST, t->in, v->dst);
		return true;
	case F_SRC_LOCAL:
		test_addr(d, c, r, BF_SRC, locals(d, t->in), v->src);
		return true;
	case F_DST_LOCAL:
		test_addr(d, c, r, BF_DST, locals(d, t->in), v->dst);
		return true;
	case F_SPORT:
		test_port(d, c, r, BF_SPORT, t->in, v->sport);
		return true;
	case F_DPORT:
		test_port(d, c, r, BF_DPORT, t->in, v->dport);
		return true;
	case F_TCPFLAGS:
		bpf_cond_add(d, c, BF_FLAGS, t->in);
		return true;
	case F_ICMP:
		bpf_cond_add(d, c, BF_ICMP, t->in);
		return true;
	case F_TOS:
		bpf_cond_add(d, c, BF_TOS, t->in);
		return true;
	default:
		return false;
	}
}

/* Fields that belong to the crossing and to what is remembered */
static void test_around(struct bpf_decider *d, struct bpf_cond *c, const struct rule *r,
			const struct test *t)
{
	switch (t->f) {
	case F_DIR:
		known(c, set_has(t->in, AF_NONE, d->dir));
		return;
	case F_IFACE:
		known(c, set_has(t->in, AF_NONE, d->iface));
		return;
	case F_AF:
		known(c, set_has(t->in, AF_NONE, d->af));
		return;
	case F_RECV:
		if (d->dir == DIR_IN || !d->is_touch)
			known(c, set_has(t->in, AF_NONE, d->dir == DIR_IN ? d->iface : 0));
		else
			c->maybe = true;
		return;
	case F_SRC_GROWN:
	case F_DST_GROWN:
		if (d->is_touch)
			c->maybe = true;
		else
			known(c, set_has(t->in, AF_NONE, 0));
		return;
	case F_TAGS:
		unknown(d, c, r, "tags");
		return;
	case F_IPOPTS:
		unknown(d, c, r, "options of IPv4");
		return;
	default:
		unknown(d, c, r, "where the way back to an address leads");
	}
}

struct bpf_cond bpf_cond_of(struct bpf_decider *d, const struct bpf_view *v,
			    const struct rule *r)
{
	struct bpf_cond c = { .never = false };
	bool is_odd = r->prob > 0;

	/* What is known first, so that nothing is refused in a rule that cannot match */
	for (uint32_t i = 0; i < r->tests.n; i++) {
		const enum field f = r->tests.v[i].f;

		if (f == F_DIR || f == F_IFACE || f == F_AF || f == F_RECV)
			test_around(d, &c, r, &r->tests.v[i]);
	}
	for (uint32_t i = 0; i < r->tests.n && !c.never; i++) {
		const enum field f = r->tests.v[i].f;

		if (f != F_DIR && f != F_IFACE && f != F_AF && f != F_RECV &&
		    !test_bytes(d, &c, v, r, &r->tests.v[i]))
			test_around(d, &c, r, &r->tests.v[i]);
	}
	if (is_odd && !c.never)
		unknown(d, &c, r, "a probability");
	return c;
}

/* Flags are asked of TCP alone; whatever is not TCP meets the test */
static const struct bpf_node *flags_tree(struct bpf_decider *d, const struct bpf_cond *c,
					 const struct bpf_node *yes, const struct bpf_node *no)
{
	const struct bpf_node *tcp = bpf_node_make(d->t, BF_FLAGS, c->in[BF_FLAGS], yes, no);

	return bpf_node_make(d->t, BF_PROTO, set_one(d->t->a, PROTO_TCP), tcp, yes);
}

const struct bpf_node *bpf_cond_tree(struct bpf_decider *d, const struct bpf_cond *c,
				     const struct bpf_node *yes, const struct bpf_node *no)
{
	if (c->never)
		return no;
	if (c->maybe && d->is_touch)
		yes = bpf_replace(d->t, yes, &bpf_yes, no, &bpf_open);
	else if (c->maybe)
		yes = bpf_replace(d->t, yes, no, &bpf_no, &bpf_open);
	for (unsigned int f = N_BPF_FIELDS; --f > BF_LEAF;) {
		if (c->in[f] == NULL)
			continue;
		if (f == BF_FLAGS)
			yes = flags_tree(d, c, yes, no);
		else
			yes = bpf_node_make(d->t, f, c->in[f], yes, no);
	}
	return yes;
}
