/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "base/limits.h"
#include "lang/jail.h"
#include "lang/pf.h"
#include "model/policy.h"
#include "model/portmap.h"
#include "prove/prove.h"

static struct arena arena;
static struct intern names;
static struct sources sources;
static struct diags diags;
static struct facts facts;
static struct decl decl;
static struct model model;

static const char jails[] =
	"www { ip4.addr = \"lo1|10.0.0.2/32\"; ip6.addr = \"lo1|fd00::2/128\";\n"
	"	$nat = \"igb0\";\n"
	"	$forward = \"tcp 8443:443,2000-2009:8000-8009\", \"udp 6000-6009:7000\",\n"
	"		   \"tcp 22 from 198.51.100.0/24\"; }\n"
	"db { ip4.addr = \"lo1|10.0.0.3/32\";\n"
	"	$forward = \"tcp+udp 3306 to 203.0.113.2 filtered\",\n"
	"	   \"tcp 81 on igb0\", \"tcp 82 to 203.0.113.9\"; }\n";

/* Jails to a program, or NULL */
static struct nft_program *compile(void)
{
	const struct policy_options policy = { .off = { false } };
	const struct pf_options options = { .tolerate_missing = false };
	struct lang_ctx c = { .a = &arena, .names = &names, .sources = &sources,
			      .diags = &diags };
	struct nft_options o;
	struct iface *igb0;
	uint32_t src;

	arena_init(&arena, LIMIT_ARENA_MOST);
	intern_init(&names, &arena);
	sources_init(&sources, &arena);
	diags_init(&diags, &arena, &sources);
	facts_init(&facts, &arena, &names);
	decl_init(&decl, &arena, &names);
	igb0 = facts_add(&facts, "igb0");
	facts_add_addr(&facts, igb0, (struct iface_addr){ .p = { addr_v4(203, 0, 113, 2), 24 } });
	facts_add_addr(&facts, igb0, (struct iface_addr){
		.p = { { AF_V6, (u128)0x20010db8 << 96 | 2 }, 64 } });
	model_init(&model, &arena, &names, &facts);
	src = sources_add(&sources, "jail.conf", jails, sizeof(jails) - 1, SPAN_NONE);
	jail_lower(&c, jail_parse(&c, src), &decl);
	decl_finish(&decl, &diags);
	decl_to_facts(&decl, &facts);
	nft_options_init(&o);
	if (!pf_lower(&c, pf_parse(&c, &decl, &src, 0), &facts, &decl, &options, &model))
		return NULL;
	policy_add(&model, &policy, &diags);
	return nft_program_from_model(&model, &o, &diags);
}

/* The first table that a rule of the model has */
static struct portmap *table(void)
{
	for (uint32_t l = 0; l < model.lists.n; l++)
		for (uint32_t i = 0; i < model.lists.v[l].rules.n; i++)
			if (model.lists.v[l].rules.v[i].map != NULL)
				return (struct portmap *)model.lists.v[l].rules.v[i].map;
	return NULL;
}

TEST(a_table_means_what_its_map_does)
{
	struct nft_program *p = compile();
	struct prove_result r;

	if (!CHECK(p != NULL) || !CHECK_INT(prove_program(&model, p, &arena, &r), 0))
		return;
	CHECK_INT(r.differences.n, 0);
	/* Of the filter there may be what the prover does not read yet */
	for (uint32_t i = 0; i < r.unproven.n; i++)
		CHECK(strstr(r.unproven.v[i], "expression") != NULL);
	arena_fini(&arena);
}

TEST(another_inside_port_is_found)
{
	struct nft_program *p = compile();
	struct portmap *map = table();
	struct portmap other;
	struct prove_result r;

	if (!CHECK(p != NULL) || !CHECK(map != NULL))
		return;
	/* The program keeps the table as it was, and the model gets another */
	other = *map;
	other.rows.v = arena_array(&arena, struct portmap_row, map->rows.n);
	memcpy(other.rows.v, map->rows.v, map->rows.n * sizeof(*other.rows.v));
	other.rows.v[0].to++;
	for (uint32_t l = 0; l < model.lists.n; l++)
		for (uint32_t i = 0; i < model.lists.v[l].rules.n; i++)
			if (model.lists.v[l].rules.v[i].map == map)
				model.lists.v[l].rules.v[i].map = &other;
	CHECK_INT(prove_program(&model, p, &arena, &r), 0);
	CHECK(r.differences.n > 0);
	arena_fini(&arena);
}
