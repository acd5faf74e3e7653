/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Limits of connections, and forwards that end: the program that is compiled is proven,
 * and each mistake put into it is told with a packet that goes to the outside place.
 */
#include "unit.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "prove/stages.h"
#include "prove_case.h"

#define DAY_S	86400

static const char jails[] =
	"www { ip4.addr = \"lo1|10.0.0.2/32\"; ip6.addr = \"lo1|fd00::2/128\"; $nat = \"igb0\";\n"
	"	$forward = \"tcp 8443 max 3 rate 10/m\", \"udp 6000-6009 rate 5/s\",\n"
	"		   \"tcp 22 from 198.51.100.0/24\"; $limit = \"max 50 rate 20/s\"; }\n"
	"db { ip4.addr = \"lo1|10.0.0.3/32\"; $nat = \"igb0\";\n"
	"	$forward = \"tcp+udp 3306 max 9\"; $limit = \"max 7\"; }\n";

/* The program with a mistake in it */
static void prove_with(bool (*mistake)(struct prog *p), struct prove_case *c,
		       struct prove_result *r)
{
	struct prog p;

	prove_case_read(c, &p);
	CHECK(mistake(&p));
	CHECK_INT(prove_prog(&c->m, &p, nft_program_marks(c->program), PROVE_MAX_NODES, &c->a,
			     r), 0);
}

TEST(limits_are_proven)
{
	struct prove_result r = { .n_nodes = 0 };
	struct prove_case c;

	prove_case_jails(&c, jails);
	CHECK(c.program != NULL);
	CHECK_INT(prove_case_prove(&c, &r), 0);
	if (!CHECK_INT(r.differences.n, 0) || !CHECK_INT(r.unproven.n, 0))
		prove_case_show(&c, &r);
	prove_case_fini(&c);
}

/* ---- mistakes --------------------------------------------------------------------- */

static struct prog_rule *limit_of(struct prog *p, bool by_rate, uint32_t n,
				  struct prog_chain **ret_chain)
{
	for (uint32_t c = 0; c < p->chains.n; c++)
		for (uint32_t i = 0; i < p->chains.v[c].rules.n; i++) {
			struct prog_rule *r = &p->chains.v[c].rules.v[i];

			if (r->exprs.v[0].op != X_LIMIT || r->exprs.v[0].modulus != n ||
			    (r->exprs.v[0].unit_s != 0) != by_rate)
				continue;
			if (ret_chain != NULL)
				*ret_chain = &p->chains.v[c];
			return r;
		}
	return NULL;
}

static bool other_rate(struct prog *p)
{
	struct prog_rule *r = limit_of(p, true, 10, NULL);

	return r != NULL && ++r->exprs.v[0].modulus == 11;
}

static bool other_time(struct prog *p)
{
	struct prog_rule *r = limit_of(p, true, 10, NULL);

	return r != NULL && (r->exprs.v[0].unit_s = 1) == 1;
}

static bool other_burst(struct prog *p)
{
	struct prog_rule *r = limit_of(p, true, 10, NULL);

	return r != NULL && ++r->exprs.v[0].burst == 11;
}

static bool other_number(struct prog *p)
{
	struct prog_rule *r = limit_of(p, false, 3, NULL);

	return r != NULL && ++r->exprs.v[0].modulus == 4;
}

static bool lose(struct prog *p, bool by_rate, uint32_t n)
{
	struct prog_chain *c;
	struct prog_rule *r = limit_of(p, by_rate, n, &c);
	uint32_t i;

	if (r == NULL)
		return false;
	i = (uint32_t)(r - c->rules.v);
	memmove(r, r + 1, (c->rules.n - i - 1) * sizeof(*r));
	c->rules.n--;
	return true;
}

static bool lost_max(struct prog *p)
{
	return lose(p, false, 3);
}

static bool lost_rate(struct prog *p)
{
	return lose(p, true, 10);
}

static bool lost_jails(struct prog *p)
{
	return lose(p, false, 7);
}

static bool let_in(struct prog *p)
{
	struct prog_rule *r = limit_of(p, false, 3, NULL);
	struct prog_expr *x = r == NULL ? NULL : &r->exprs.v[r->exprs.n - 1];

	if (x == NULL || x->op != X_VERDICT)
		return false;
	x->key = NF_ACCEPT;
	return true;
}

static struct prog_set *map_of(struct prog *p, const char *prefix)
{
	for (uint32_t i = 0; i < p->sets.n; i++)
		if (strncmp(p->sets.v[i].name, prefix, strlen(prefix)) == 0)
			return &p->sets.v[i];
	return NULL;
}

/* What the first of the places leads to, the last one does too */
static bool one_for_two(struct prog *p)
{
	struct prog_set *s = map_of(p, "places");

	if (s == NULL)
		return false;
	s->elems.v[s->elems.n - 1].chain = s->elems.v[0].chain;
	return true;
}

/* One limit is counted twice, for itself in each of two chains */
static bool two_for_one(struct prog *p)
{
	struct prog_set *s = map_of(p, "places");
	struct prog_chain *c, copy;

	if (s == NULL || limit_of(p, true, 5, &c) == NULL)
		return false;
	copy = *c;
	copy.name = "quota_copy";
	vec_add(p->a, &p->chains, copy);
	for (uint32_t i = s->elems.n; i-- > 0;)
		if (strcmp(s->elems.v[i].chain, c->name) == 0) {
			s->elems.v[i].chain = copy.name;
			return true;
		}
	return false;
}

static bool lost_place(struct prog *p)
{
	struct prog_set *s = map_of(p, "places");

	return s != NULL && s->elems.n-- > 0;
}

static bool other_chain_priority(struct prog *p, const char *name, int32_t prio)
{
	struct prog_chain *c = prog_chain_of(p, NFPROTO_INET, name);

	if (c != NULL)
		c->prio = prio;
	return c != NULL;
}

static bool late_in(struct prog *p)
{
	return other_chain_priority(p, "flows_in", -70);
}

static bool filter_behind(struct prog *p)
{
	struct prog_chain *c = prog_chain_of(p, NFPROTO_INET, "in_filter");

	if (c == NULL || !other_chain_priority(p, "in_filter", -70))
		return false;
	c->policy = NF_DROP;
	return true;
}

static bool behind_source(struct prog *p)
{
	return other_chain_priority(p, "quota_out", 110);
}

/* Where it goes now, not where it went first */
static bool other_way(struct prog *p)
{
	for (uint32_t c = 0; c < p->chains.n; c++)
		for (uint32_t i = 0; i < p->chains.v[c].rules.n; i++)
			for (uint32_t k = 0; k < p->chains.v[c].rules.v[i].exprs.n; k++) {
				struct prog_expr *x = &p->chains.v[c].rules.v[i].exprs.v[k];

				if (x->op == X_CT && x->key == NFT_CT_PROTO_DST &&
				    strcmp(p->chains.v[c].name, "places") == 0) {
					x->op = X_PAYLOAD;
					x->key = NFT_PAYLOAD_TRANSPORT_HEADER;
					x->offset = x->len = 2;
					return true;
				}
			}
	return false;
}

static const struct {
	bool (*mistake)(struct prog *p);
	const char *packet;		/* part of it */
	const char *kernel;		/* part of what is said of the program */
} mistakes[] = {
	{ other_rate, "203.0.113.2:8443 ", "by other numbers: 11 in 60 s" },
	{ other_time, "203.0.113.2:8443 ", "counted by other numbers" },
	{ other_burst, "203.0.113.2:8443 ", "counted by other numbers" },
	{ other_number, "203.0.113.2:8443 ", "counted by other numbers" },
	{ lost_max, "203.0.113.2:8443 ", "counted" },
	{ lost_rate, "203.0.113.2:8443 ", "counted" },
	{ lost_jails, "10.0.0.3", "pass" },
	{ let_in, "203.0.113.2:8443 ", "what is over a limit is not dropped" },
	{ one_for_two, "", "counted" },
	{ two_for_one, "", "counts apart" },
	{ lost_place, "", "pass" },
	{ late_in, "", "" },
	{ filter_behind, "", "" },
	{ behind_source, "", "" },
	{ other_way, "203.0.113.2:", "" },
};

TEST(each_mistake_is_told_with_a_packet)
{
	struct prove_case c;

	prove_case_jails(&c, jails);
	for (size_t i = 0; i < ARRAY_SIZE(mistakes) && CHECK(c.program != NULL); i++) {
		struct prove_result r = { .n_nodes = 0 };

		prove_with(mistakes[i].mistake, &c, &r);
		if (!CHECK(r.differences.n > 0) ||
		    !CHECK(strstr(r.differences.v[0].packet, mistakes[i].packet) != NULL) ||
		    !CHECK(strstr(r.differences.v[0].kernel, mistakes[i].kernel) != NULL)) {
			printf("# mistake %zu\n", i);
			prove_case_show(&c, &r);
		}
	}
	prove_case_fini(&c);
}

/* ---- forwards that end ------------------------------------------------------------------ */

/* The case with the rules of a forward in force until then */
static void until(struct prove_case *c, int64_t until_s)
{
	struct nft_options options;

	for (uint32_t l = 0; l < c->m.lists.n; l++)
		for (uint32_t i = 0; i < c->m.lists.v[l].rules.n; i++) {
			struct rule *r = &c->m.lists.v[l].rules.v[i];

			if (r->origin.text != NULL && strstr(r->origin.text, "tcp 22 ") != NULL)
				r->until_s = until_s;
		}
	nft_options_init(&options);
	c->program = nft_program_from_model(&c->m, &options, &c->diags);
}

TEST(an_end_is_proven)
{
	static const int64_t ends[] = { 1, 1800000000, INT64_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct prove_result r = { .n_nodes = 0 };
		struct prove_case c;

		prove_case_jails(&c, jails);
		until(&c, ends[i]);
		CHECK(c.program != NULL);
		CHECK_INT(prove_case_prove(&c, &r), 0);
		if (!CHECK_INT(r.differences.n, 0) || !CHECK_INT(r.unproven.n, 0))
			prove_case_show(&c, &r);
		prove_case_fini(&c);
	}
}

static struct prog_expr *clock_test(struct prog *p)
{
	for (uint32_t c = 0; c < p->chains.n; c++)
		for (uint32_t i = 0; i < p->chains.v[c].rules.n; i++)
			for (uint32_t k = 0; k + 2 < p->chains.v[c].rules.v[i].exprs.n; k++) {
				struct prog_expr *x = &p->chains.v[c].rules.v[i].exprs.v[k];

				if (x->op == X_META && x->key == NFT_META_TIME_NS)
					return x;
			}
	return NULL;
}

static bool later(struct prog *p)
{
	struct prog_expr *x = clock_test(p);

	/* Some four seconds */
	return x != NULL && ++x[2].data[3] != 0;
}

static bool after(struct prog *p)
{
	struct prog_expr *x = clock_test(p);

	return x != NULL && (x[2].key = NFT_CMP_GTE) == NFT_CMP_GTE;
}

/* The bytes of the clock are compared as they lie in memory */
static bool unswapped(struct prog *p)
{
	struct prog_expr *x = clock_test(p);

	if (x != NULL)
		x[1].op = X_NOTHING;
	return x != NULL;
}

static bool for_ever(struct prog *p)
{
	struct prog_expr *x = clock_test(p);

	if (x != NULL)
		x[2].op = X_NOTHING;
	return x != NULL;
}

TEST(another_end_is_told_with_a_packet_and_a_time)
{
	static bool (*const ends[])(struct prog *p) = { later, after, unswapped, for_ever };
	struct prove_case c;

	prove_case_jails(&c, jails);
	until(&c, 1800000000 + DAY_S);
	for (size_t i = 0; i < ARRAY_SIZE(ends) && CHECK(c.program != NULL); i++) {
		struct prove_result r = { .n_nodes = 0 };

		prove_with(ends[i], &c, &r);
		if (!CHECK(r.differences.n > 0) ||
		    !CHECK(strstr(r.differences.v[0].packet, "203.0.113.2:22 ") != NULL)) {
			printf("# end %zu\n", i);
			prove_case_show(&c, &r);
		}
		if (ends[i] == later)
			CHECK(strstr(r.differences.v[0].part, ", at 2027-01-16 08:0") != NULL);
	}
	prove_case_fini(&c);
}
