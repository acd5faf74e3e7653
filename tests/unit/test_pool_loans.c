/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <string.h>

#include "host/pool.h"

static struct arena arena;
static struct pool_loans loans;
static struct pool_used used;

static void begin(void)
{
	arena_init(&arena, 1u << 20);
	loans = (struct pool_loans){ .list = { .n = 0 } };
	used = (struct pool_used){ .list = { .n = 0 } };
}

static struct prefix net(const char *text)
{
	struct prefix p;

	CHECK(prefix_parse(text, strlen(text), &p) == 0);
	return p;
}

static const char *take(const char *where, const char *owner, uint64_t now)
{
	const struct pool_loan *x = pool_take(&loans, &arena, &used, "lo1", net(where), owner, now);
	static char buf[ADDR_TEXT_BYTES];

	return x == NULL ? "none" : addr_print(x->a, buf);
}

TEST(networks_without_their_own_addresses)
{
	begin();
	CHECK_STR(take("10.0.0.0/30", "a", 0), "10.0.0.1");
	CHECK_STR(take("10.0.0.0/30", "b", 0), "10.0.0.2");
	CHECK_STR(take("10.0.0.0/30", "c", 0), "none");
	CHECK_STR(take("10.0.1.0/31", "a", 0), "10.0.1.0");
	CHECK_STR(take("10.0.1.0/31", "b", 0), "10.0.1.1");
	CHECK_STR(take("10.0.1.0/31", "c", 0), "none");
	CHECK_STR(take("10.0.2.7/32", "a", 0), "10.0.2.7");
	CHECK_STR(take("10.0.2.7/32", "b", 0), "none");
	CHECK_STR(take("255.255.255.252/30", "a", 0), "255.255.255.253");
	CHECK_STR(take("255.255.255.252/30", "b", 0), "255.255.255.254");
	CHECK_STR(take("255.255.255.252/30", "c", 0), "none");
	CHECK_STR(take("fd00::/64", "a", 0), "fd00::1");
	arena_fini(&arena);
}

TEST(used_addresses_are_passed_over)
{
	begin();
	for (uint8_t i = 5; i > 0; i--)
		vec_add(&arena, &used.list, ((struct addr){ AF_V4, (u128)10 << 24 | i }));
	vec_add(&arena, &used.list, ((struct addr){ AF_V4, (u128)10 << 24 | 5 }));
	CHECK_STR(take("10.0.0.0/24", "a", 0), "10.0.0.6");
	CHECK_STR(take("10.0.0.0/24", "a", 0), "10.0.0.6");
	vec_add(&arena, &used.list, ((struct addr){ AF_V4, (u128)10 << 24 | 6 }));
	CHECK_STR(take("10.0.0.0/24", "a", 0), "10.0.0.7");
	arena_fini(&arena);
}

TEST(loans_end_and_come_back)
{
	begin();
	CHECK_STR(take("10.0.0.0/29", "a", 0), "10.0.0.1");
	CHECK_STR(take("10.0.0.0/29", "", 0), "10.0.0.2");
	CHECK_STR(take("10.0.0.0/29", "", 0), "10.0.0.3");
	loans.list.v[0].until = 100;
	CHECK_STR(take("10.0.0.0/29", "b", 99), "10.0.0.4");
	CHECK_STR(take("10.0.0.0/29", "a", 500), "10.0.0.1");
	CHECK_INT(loans.list.v[0].until, 0);
	loans.list.v[0].until = 100;
	CHECK_STR(take("10.0.0.0/29", "c", 100), "10.0.0.1");
	CHECK_STR(take("10.0.0.0/29", "a", 100), "10.0.0.5");
	CHECK_INT(loans.list.n, 5);
	arena_fini(&arena);
}
