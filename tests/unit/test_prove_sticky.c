/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <linux/netfilter.h>

#include "prove/stages.h"
#include "prove_case.h"

/* Two rules with the same text, two that lead to one address, shifts and both families */
static const char pools[] =
	"nat on igb0 from { 192.168.1.0/24 192.168.2.0/24 } -> { 203.0.113.2 203.0.113.3 } "
	"sticky-address\n"
	"nat on igb0 from 192.168.3.0/24 -> 203.0.113.2/31 random sticky-address static-port\n"
	"nat on igb0 from 192.168.4.0/24 -> 203.0.113.2/31 source-hash "
	"0x12345678123456781234567812345678 sticky-address\n"
	"nat on igb0 inet6 from fd00::/64 -> { 2001:db8::1 2001:db8::2 } sticky-address\n"
	"rdr pass on igb0 proto tcp to port 80 -> { 192.168.1.2 192.168.1.3 } sticky-address\n"
	"rdr on igb0 proto tcp to port 90:91 -> { 192.168.1.2 192.168.1.3 } port 80:* "
	"sticky-address\n"
	"pass\n";

static const char fewer[] =
	"nat on igb0 from { 192.168.1.0/24 192.168.2.0/24 } -> { 203.0.113.2 203.0.113.3 } "
	"sticky-address\n"
	"rdr pass on igb0 proto tcp to port 80 -> { 192.168.1.2 192.168.1.3 } sticky-address\n"
	"pass\n";

static bool is_of_sources(const struct prog_expr *x)
{
	return (x->op == X_LOOKUP || x->op == X_DYNSET) && strncmp(x->set, "sticky_", 7) == 0;
}

/* The set of the same family that stands before one, or behind the first */
static const char *another(const struct prog *p, const char *name)
{
	const uint32_t key_len = prog_set_of(p, NFPROTO_INET, name)->key_len;
	const char *last = NULL;

	for (uint32_t i = 0; i < p->sets.n; i++) {
		if (strncmp(p->sets.v[i].name, "sticky_", 7) != 0 ||
		    p->sets.v[i].key_len != key_len)
			continue;
		if (last != NULL && strcmp(p->sets.v[i].name, name) == 0)
			return last;
		if (last != NULL && strcmp(last, name) == 0)
			return p->sets.v[i].name;
		last = p->sets.v[i].name;
	}
	return last;
}

static bool is_told(struct prove_case *c, const struct prog *p)
{
	struct prove_result r;

	return prove_prog(&c->m, p, nft_program_marks(c->program), PROVE_MAX_NODES, &c->a,
			  &r) == 0 && r.differences.n > 0 && r.differences.v[0].packet != NULL;
}

TEST(pools_whose_sources_keep_their_address_are_proven)
{
	struct prove_result r;
	struct prove_case c;

	prove_case_text(&c, pools, NULL);
	if (!CHECK(c.program != NULL) || !CHECK_INT(prove_case_prove(&c, &r), 0) ||
	    !CHECK_INT(r.differences.n, 0) || !CHECK_INT(r.unproven.n, 0))
		prove_case_show(&c, &r);
	prove_case_fini(&c);
}

/* Each place that asks for a source or notes one: forgotten, or with another's set */
TEST(each_memory_of_a_source_counts)
{
	uint32_t n_told = 0;
	struct prove_case c;
	struct prog p;

	prove_case_text(&c, fewer, NULL);
	prove_case_read(&c, &p);
	for (uint32_t i = 0; i < p.chains.n; i++)
		for (uint32_t k = 0; k < p.chains.v[i].rules.n; k++) {
			struct prog_rule *rule = &p.chains.v[i].rules.v[k];

			for (uint32_t e = 0; e < rule->exprs.n; e++) {
				struct prog_expr *x = &rule->exprs.v[e];
				const struct prog_expr was = *x;

				if (!is_of_sources(x))
					continue;
				x->op = X_NOTHING;
				n_told += CHECK(is_told(&c, &p));
				*x = was;
				x->set = another(&p, was.set);
				if (CHECK(is_told(&c, &p)))
					n_told++;
				else
					printf("# %s for %s in %s\n", x->set, was.set,
					       p.chains.v[i].name);
				*x = was;
			}
		}
	CHECK(n_told > 20);
	prove_case_fini(&c);
}
