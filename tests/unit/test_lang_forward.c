/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "base/limits.h"
#include "lang/forward.h"

static struct arena arena;
static struct intern names;
static struct sources sources;
static struct diags diags;
static struct lang_ctx ctx;

static void setup(void)
{
	arena_init(&arena, 64 << 20);
	intern_init(&names, &arena);
	sources_init(&sources, &arena);
	diags_init(&diags, &arena, &sources);
	ctx = (struct lang_ctx){ .a = &arena, .names = &names, .sources = &sources,
				 .diags = &diags };
}

static bool forward_of(const char *text, struct decl_forward *f)
{
	return forward_read(&ctx, sources_add(&sources, "command line", text,
					      (uint32_t)strlen(text), SPAN_NONE), f);
}

TEST(words_are_printed_again)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "tcp 80", NULL },
		{ " udp\t53:5353 ", "udp 53:5353" },
		{ "udp+tcp 53", "tcp+udp 53" },
		{ "tcp 80:80", "tcp 80" },
		{ "tcp 2000-2999:8000-*", "tcp 2000-2999:8000-8999" },
		{ "tcp 1-65535", NULL },
		{ "tcp 1-65535:1-*", "tcp 1-65535" },
		{ "tcp 10-12:7", NULL },
		{ "tcp 80,443:8443,5000-5001", NULL },
		{ "tcp 80 log to 203.0.113.5 on igb0 from 198.51.100.0/24",
		  "tcp 80 from 198.51.100.0/24 on igb0 to 203.0.113.5 log" },
		{ "tcp 80 from any share filtered", "tcp 80 filtered share" },
		{ "tcp 80 from 2001:db8::/32 to 2001:db8::2", NULL },
	};
	struct decl_forward f, again;

	setup();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *want = cases[i].out != NULL ? cases[i].out : cases[i].in;

		CHECK(forward_of(cases[i].in, &f));
		CHECK_STR(f.text, want);
		CHECK_STR(forward_print(&arena, &f), want);
		CHECK(forward_of(f.text, &again));
		CHECK_STR(again.text, want);
	}
	CHECK_INT(diags.n_errors, 0);
	arena_fini(&arena);
}

/* A forward of random words, in all the ways that they can be written */
static void write_random(char *to)
{
	static const char *const protos[] = { "tcp", "udp", "tcp+udp", "udp+tcp" };
	static const char *const ports[] = { "80", "080", "80:80", "80:81", "80-80", "80-81",
					     "7-9:8-*", "7-9:7-9", "7-9:8", "7-9:08-10" };
	static const char *const options[] = { "on igb0", "to 203.0.113.5", "to 2001:DB8::5", "log",
					       "from any", "from 198.51.100.0/24", "filtered",
					       "max 5", "rate 5/s", "max 05", "share" };
	static const char *const gaps[] = { " ", " ", " ", " ", "  ", "\t" };
	uint32_t had = 0;

	to = stpcpy(to, unit_below(8) == 0 ? " " : "");
	to = stpcpy(to, protos[unit_below(ARRAY_SIZE(protos))]);
	for (uint32_t n = 1 + unit_below(3), i = 0; i < n; i++) {
		to = stpcpy(to, i == 0 ? gaps[unit_below(ARRAY_SIZE(gaps))] :
			    unit_below(6) == 0 ? ", " : ",");
		to = stpcpy(to, ports[unit_below(ARRAY_SIZE(ports))]);
	}
	for (uint32_t n = unit_below(4), i = 0; i < n; i++) {
		const uint32_t k = unit_below(ARRAY_SIZE(options));

		if ((had & 1u << k) != 0)
			continue;
		had |= 1u << k;
		to = stpcpy(to, gaps[unit_below(ARRAY_SIZE(gaps))]);
		to = stpcpy(to, options[k]);
	}
	(void)stpcpy(to, unit_below(8) == 0 ? " " : "");
}

/* What is kept as it is written is what would be printed */
TEST(text_is_as_printed)
{
	uint32_t n_good = 0, n_kept = 0;

	for (uint32_t i = 0; i < 20000; i++) {
		struct decl_forward f;
		char text[256];

		setup();
		write_random(text);
		if (forward_of(text, &f)) {
			n_good++;
			n_kept += strcmp(f.text, text) == 0;
			CHECK_STR(f.text, forward_print(&arena, &f));
		}
		arena_fini(&arena);
	}
	CHECK(n_good > 5000);
	CHECK(n_kept > 500 && n_kept < n_good);
}

TEST(a_list_as_long_as_allowed)
{
	char *text;
	struct decl_forward f;
	size_t len = 4;

	setup();
	text = arena_alloc(&arena, 3 * (LIMIT_LIST_ITEMS + 1) + 8);
	memcpy(text, "tcp ", 4);
	for (uint32_t i = 0; i < LIMIT_LIST_ITEMS; i++, len += 2)
		memcpy(text + len, "1,", 2);
	text[len - 1] = '\0';
	CHECK(forward_of(text, &f));
	CHECK_INT(f.ports.n, LIMIT_LIST_ITEMS);
	CHECK_INT(strlen(f.text), strlen(text));
	memcpy(text + len - 1, ",1", 3);
	CHECK(!forward_of(text, &f));
	CHECK_INT(diags.n_errors, 1);
	arena_fini(&arena);
}
