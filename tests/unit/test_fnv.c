/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/fnv.h"

#include "unit.h"

TEST(published_values)
{
	CHECK_INT(fnv32(FNV32_START, NULL, 0), 0x811c9dc5);
	CHECK_INT(fnv32(FNV32_START, "a", 1), 0xe40c292c);
	CHECK_INT(fnv32(FNV32_START, "foobar", 6), 0xbf9cf968);
	CHECK(fnv64(FNV64_START, NULL, 0) == UINT64_C(0xcbf29ce484222325));
	CHECK(fnv64(FNV64_START, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	CHECK(fnv64(FNV64_START, "foobar", 6) == UINT64_C(0x85944171f73967e8));
}

TEST(pieces_are_the_whole)
{
	CHECK_INT(fnv32(fnv32(FNV32_START, "foo", 3), "bar", 3), 0xbf9cf968);
	CHECK(fnv64(fnv64(FNV64_START, "foo", 3), "bar", 3) == UINT64_C(0x85944171f73967e8));
}
