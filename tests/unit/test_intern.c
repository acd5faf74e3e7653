/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/intern.h"

#include "base/limits.h"
#include "unit.h"

TEST(empty_string_is_number_0)
{
	struct arena a;
	struct intern in;

	arena_init(&a, LIMIT_ARENA_BYTES);
	intern_init(&in, &a);
	CHECK_INT(intern_cid(&in, ""), 0);
	CHECK_INT(intern_id(&in, "x", 0), 0);
	CHECK_STR(intern_name(&in, 0), "");
	arena_fini(&a);
}

TEST(same_string_same_pointer)
{
	struct arena a;
	struct intern in;
	char lo1[] = "lo1", prefix[] = "lo1xyz";

	arena_init(&a, LIMIT_ARENA_BYTES);
	intern_init(&in, &a);
	CHECK(intern_cstr(&in, "lo1") == intern_cstr(&in, lo1));
	CHECK(intern_cstr(&in, "lo1") == intern_str(&in, prefix, 3));
	CHECK(intern_cstr(&in, "lo1") != intern_cstr(&in, "lo10"));
	CHECK(intern_cstr(&in, "lo1") != intern_cstr(&in, "lo"));
	CHECK_STR(intern_cstr(&in, "lo10"), "lo10");
	CHECK_INT(intern_cid(&in, "lo1"), 1);
	CHECK_INT(intern_cid(&in, "lo10"), 2);
	CHECK_INT(intern_cid(&in, "lo"), 3);
	arena_fini(&a);
}

TEST(unknown_number_is_a_bug)
{
	struct arena a;
	struct intern in;

	arena_init(&a, LIMIT_ARENA_BYTES);
	intern_init(&in, &a);
	CHECK_BUG(intern_name(&in, 1));
	arena_fini(&a);
}

TEST(random_strings_against_a_list)
{
	enum { N = 3000 };
	static char seen[N][8];
	struct arena a;
	struct intern in;
	uint32_t n = 1;

	arena_init(&a, LIMIT_ARENA_BYTES);
	intern_init(&in, &a);
	seen[0][0] = '\0';
	for (unsigned int step = 0; step < 10000 && n < N; step++) {
		char s[8] = "";
		const size_t len = unit_below(5);
		uint32_t want = n;

		for (size_t i = 0; i < len; i++)
			s[i] = (char)(unit_below(8) == 0 ? 0x80 + unit_below(128)
						     : 'a' + unit_below(6));
		for (uint32_t i = 0; i < n; i++)
			if (strcmp(seen[i], s) == 0)
				want = i;
		if (want == n)
			strcpy(seen[n++], s);
		if (!CHECK_INT(intern_id(&in, s, len), want))
			break;
	}
	CHECK_INT(in.str.n, n);
	for (uint32_t i = 0; i < n; i++)
		if (!CHECK_STR(intern_name(&in, i), seen[i]))
			break;
	arena_fini(&a);
}
