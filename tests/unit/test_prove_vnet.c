/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <string.h>

#include "prove/stages.h"
#include "prove_case.h"

static const char jails[] =
	"$nat = \"igb0\";\n"
	"www { vnet; $address = \"10.1.0.5/32, fd00::5/128\"; $forward = \"tcp 8080:80\"; }\n"
	"db { vnet; $address = \"10.1.0.6, fd00:6::/64\"; }\n"
	"a { vnet; $bridge = \"bridge0\"; $gateway = \"10.2.0.1, fd02::1\";\n"
	"	$address = \"10.2.0.11/24, fd02::11/64\"; }\n"
	"b { vnet; $bridge = \"bridge0 isolated\"; $gateway = \"10.2.0.1, fd02::1\";\n"
	"	$address = \"10.2.0.12/24, fd02::12/64\"; }\n";

TEST(guards_mean_what_is_declared)
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

static bool is_guard(const struct prog_chain *c)
{
	return strstr(c->name, "guard") != NULL;
}

/* The program without one rule of its guards must be told */
static void without_rule(struct prove_case *c, uint32_t chain, uint32_t rule)
{
	struct prove_result r = { .n_nodes = 0 };
	struct prog_chain *of;
	struct prog p;

	prove_case_read(c, &p);
	of = &p.chains.v[chain];
	memmove(&of->rules.v[rule], &of->rules.v[rule + 1],
		(of->rules.n - rule - 1) * sizeof(*of->rules.v));
	of->rules.n--;
	CHECK_INT(prove_prog(&c->m, &p, nft_program_marks(c->program), PROVE_MAX_NODES, &c->a,
			     &r), 0);
	if (!CHECK(r.differences.n > 0))
		printf("# without rule %u of %s\n", rule + 1, of->name);
}

TEST(each_rule_of_a_guard_counts)
{
	uint32_t n = 0;
	struct prove_case c;
	struct prog p;

	prove_case_jails(&c, jails);
	if (!CHECK(c.program != NULL))
		return;
	prove_case_read(&c, &p);
	for (uint32_t i = 0; i < p.chains.n; i++)
		for (uint32_t k = 0; is_guard(&p.chains.v[i]) && k < p.chains.v[i].rules.n; k++) {
			without_rule(&c, i, k);
			n++;
		}
	CHECK(n > 30);
	prove_case_fini(&c);
}
