/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <string.h>

#include "model/portmap.h"
#include "prove_case.h"

static const char jails[] =
	"www { ip4.addr = \"lo1|10.0.0.2/32\"; ip6.addr = \"lo1|fd00::2/128\";\n"
	"	$nat = \"igb0\";\n"
	"	$forward = \"tcp 8443:443,2000-2009:8000-8009\", \"udp 6000-6009:7000\",\n"
	"		   \"tcp 22 from 198.51.100.0/24\"; }\n"
	"db { ip4.addr = \"lo1|10.0.0.3/32\";\n"
	"	$forward = \"tcp+udp 3306 to 203.0.113.2 filtered\",\n"
	"	   \"tcp 81 on igb0\", \"tcp 82 to 203.0.113.9\"; }\n";

/* The first table that a rule of the model has */
static struct portmap *table(const struct model *m)
{
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++)
			if (m->lists.v[l].rules.v[i].map != NULL)
				return (struct portmap *)m->lists.v[l].rules.v[i].map;
	return NULL;
}

TEST(a_table_means_what_its_map_does)
{
	struct prove_result r = { .n_nodes = 0 };
	struct prove_case c;

	prove_case_jails(&c, jails);
	CHECK(c.program != NULL);
	CHECK_INT(prove_case_prove(&c, &r), 0);
	CHECK_INT(r.differences.n, 0);
	CHECK_INT(r.unproven.n, 0);
	prove_case_fini(&c);
}

TEST(another_inside_port_is_found)
{
	struct prove_result r = { .n_nodes = 0 };
	struct portmap *map, other;
	struct prove_case c;

	prove_case_jails(&c, jails);
	map = table(&c.m);
	if (!CHECK(c.program != NULL) || !CHECK(map != NULL))
		return;
	/* The program keeps the table as it was, and the model gets another */
	other = *map;
	other.rows.v = arena_array(&c.a, struct portmap_row, map->rows.n);
	memcpy(other.rows.v, map->rows.v, map->rows.n * sizeof(*other.rows.v));
	other.rows.v[0].to++;
	for (uint32_t l = 0; l < c.m.lists.n; l++)
		for (uint32_t i = 0; i < c.m.lists.v[l].rules.n; i++)
			if (c.m.lists.v[l].rules.v[i].map == map)
				c.m.lists.v[l].rules.v[i].map = &other;
	CHECK_INT(prove_case_prove(&c, &r), 0);
	CHECK(r.differences.n > 0);
	prove_case_fini(&c);
}

/* ---- forwards that are rules each ----------------------------------------------------- */

/* @n lines of rdr, the one numbered @other to another port */
static char *rdr_lines(uint32_t n, uint32_t other)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	BUG_IF(f == NULL);
	for (uint32_t i = 0; i < n; i++)
		fprintf(f, "rdr on igb0 inet proto tcp from any to 203.0.113.2 port %u -> "
			"192.168.0.%u port %u\n", 1000 + i, i % 250 + 1, i == other ? 81 : 80);
	fprintf(f, "block in on igb0\npass in on igb0 proto tcp to 192.168.0.0/24 port 80\n");
	fclose(f);
	return text;
}

static uint32_t nodes_of(uint32_t n)
{
	CLEANUP(base_free) char *text = rdr_lines(n, UINT32_MAX);
	struct prove_result r = { .n_nodes = 0 };
	struct prove_case c;

	prove_case_text(&c, text, NULL);
	CHECK(c.program != NULL);
	CHECK_INT(prove_case_prove(&c, &r), 0);
	CHECK_INT(r.differences.n, 0);
	CHECK_INT(r.unproven.n, 0);
	prove_case_fini(&c);
	return r.n_nodes;
}

TEST(tables_are_compared_as_tables)
{
	CHECK_INT(nodes_of(2000), nodes_of(20));
}

TEST(one_of_many_that_leads_elsewhere_is_found)
{
	CLEANUP(base_free) char *one = rdr_lines(300, UINT32_MAX), *two = rdr_lines(300, 77);
	struct prove_case declared, other;
	struct prove_result r;

	prove_case_text(&declared, one, NULL);
	prove_case_text(&other, two, NULL);
	CHECK_INT(prove_program(&declared.m, other.program, PROVE_MAX_NODES, &declared.a, &r),
		  0);
	if (CHECK(r.differences.n > 0)) {
		CHECK(strstr(r.differences.v[0].packet, "203.0.113.2:1077 ") != NULL);
		CHECK_STR(r.differences.v[0].declared,
			  "pass, destination to 192.168.0.78:80");
	}
	prove_case_fini(&declared);
	prove_case_fini(&other);
}
