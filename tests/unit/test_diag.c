/* SPDX-License-Identifier: BSD-2-Clause */
#include "diag/diag.h"

#include "base/limits.h"
#include "unit.h"

static struct arena arena;
static struct sources srcs;
static struct diags diags;

static void begin(void)
{
	arena_init(&arena, LIMIT_ARENA_BYTES);
	sources_init(&srcs, &arena);
	diags_init(&diags, &arena, &srcs);
}

static void end(void)
{
	arena_fini(&arena);
}

static uint32_t add(const char *name, const char *text, struct span used_at)
{
	return sources_add(&srcs, name, text, (uint32_t)strlen(text), used_at);
}

/* What @print writes, in the arena */
static const char *printed(bool colour, enum diag_severity min)
{
	char *buf = NULL;
	size_t len;
	FILE *f = open_memstream(&buf, &len);
	const char *copy;

	diag_print(&diags, f, colour, min);
	fclose(f);
	copy = arena_strndup(&arena, buf, len);
	free(buf);
	return copy;
}

static const char *json(const char *s, size_t n)
{
	char *buf = NULL;
	size_t len;
	FILE *f = open_memstream(&buf, &len);
	const char *copy;

	if (s == NULL)
		json_cstring(f, NULL);
	else
		json_string(f, s, n);
	fclose(f);
	copy = arena_strndup(&arena, buf, len);
	free(buf);
	return copy;
}

static const char *json_all(bool errors)
{
	char *buf = NULL;
	size_t len;
	FILE *f = open_memstream(&buf, &len);
	const char *copy;

	diag_json(&diags, f, errors);
	fclose(f);
	copy = arena_strndup(&arena, buf, len);
	free(buf);
	return copy;
}

static enum diag_code code_of(enum diag_severity s)
{
	int c = 0;

	while (c < DIAG_N_CODES && diag_codes[c].severity != s)
		c++;
	return (enum diag_code)c;
}

TEST(caret_under_the_span)
{
	begin();
	diag_add(&diags, DIAG_E1007,
		 (struct span){ add("a.conf", "first\nigb0 10.0.0.300/24\n", SPAN_NONE), 11, 21 },
		 "bad address '%s'", "10.0.0.300");
	diag_help(&diags, "each part is at most %d", 255);
	CHECK_STR(printed(false, DIAG_NOTE),
		  "a.conf:2:6: error: bad address '10.0.0.300' [E1007]\n"
		  "    2 | igb0 10.0.0.300/24\n"
		  "      |      ^~~~~~~~~~\n"
		  "help: each part is at most 255\n");
	end();
}

TEST(macro_shows_both_places)
{
	uint32_t file, macro;

	begin();
	file = add("web.pf.conf", "a\nb\npass in on $ext_if proto tcp to port $web\n", SPAN_NONE);
	macro = add("macro 'web'", "{ 80 70000 }", (struct span){ file, 41, 45 });
	diag_add(&diags, DIAG_E1007, (struct span){ macro, 5, 10 },
		 "port 70000 is not in 0..65535");
	CHECK_STR(printed(false, DIAG_NOTE),
		  "macro 'web':1:6: error: port 70000 is not in 0..65535 [E1007]\n"
		  "    1 | { 80 70000 }\n"
		  "      |      ^~~~~\n"
		  "web.pf.conf:3:38: note: expanded from here\n"
		  "    3 | pass in on $ext_if proto tcp to port $web\n"
		  "      |                                      ^~~~\n");
	end();
}

TEST(places_at_the_edges)
{
	uint32_t n;

	begin();
	n = add("x", "ab\r\ncd", SPAN_NONE);
	diag_add(&diags, DIAG_E1007, (struct span){ n, 2, 2 }, "at the end of a line");
	diag_add(&diags, DIAG_E1007, (struct span){ n, 1, 6 }, "over two lines");
	diag_add(&diags, DIAG_E1007, (struct span){ n, 6, 6 }, "at the end");
	diag_add(&diags, DIAG_E1007, SPAN_NONE, "nowhere");
	CHECK_STR(printed(false, DIAG_NOTE),
		  "x:1:3: error: at the end of a line [E1007]\n"
		  "    1 | ab\n"
		  "      |   ^\n"
		  "x:1:2: error: over two lines [E1007]\n"
		  "    1 | ab\n"
		  "      |  ^\n"
		  "x:2:3: error: at the end [E1007]\n"
		  "    2 | cd\n"
		  "      |   ^\n"
		  "sallyport: error: nowhere [E1007]\n");
	end();
}

TEST(tabs_and_letters_of_several_bytes_keep_the_caret_in_place)
{
	begin();
	diag_add(&diags, DIAG_E1007,
		 (struct span){ add("x", "\tm\xc3\xbc" "ller = 3", SPAN_NONE), 10, 11 }, "x");
	diag_add(&diags, DIAG_E1007,
		 (struct span){ add("y", "\xc3\xbc\xc3\xbc", SPAN_NONE), 0, 4 }, "y");
	CHECK_STR(printed(false, DIAG_NOTE),
		  "x:1:11: error: x [E1007]\n"
		  "    1 | \tm\xc3\xbcller = 3\n"
		  "      | \t        ^\n"
		  "y:1:1: error: y [E1007]\n"
		  "    1 | \xc3\xbc\xc3\xbc\n"
		  "      | ^~\n");
	end();
}

TEST(nothing_of_the_user_drives_the_terminal)
{
	uint32_t n;

	begin();
	n = add("a\033[2J\n", "x\033[31m \x9b" "3m \xc2\x9b" "3m \xe2\x80\xae y\x7f", SPAN_NONE);
	diag_add(&diags, DIAG_E1007, (struct span){ n, 0, 1 }, "bad '%s'", "\033]0;title\007\n");
	CHECK_STR(printed(false, DIAG_NOTE),
		  "a?[2J?:1:1: error: bad '?]0;title?" "?' [E1007]\n"
		  "    1 | x?[31m ?3m ?3m ? y?\n"
		  "      | ^\n");
	end();
}

TEST(long_lines_are_cut_around_the_span)
{
	static char text[5000];
	const char *out, *line, *caret;

	begin();
	memset(text, 'a', sizeof(text) - 1);
	text[3000] = 'X';
	diag_add(&diags, DIAG_E1007, (struct span){ add("x", text, SPAN_NONE), 3000, 3001 }, "x");
	out = printed(false, DIAG_NOTE);
	CHECK(strlen(out) < 500);
	line = strchr(out, '\n') + 1;
	caret = strchr(line, '\n') + 1;
	CHECK_INT(strchr(line, 'X') - line, strchr(caret, '^') - caret);
	end();
}

TEST(colour_only_when_asked_for)
{
	begin();
	diag_add(&diags, DIAG_E1006, SPAN_NONE, "both");
	CHECK_STR(printed(true, DIAG_NOTE),
		  "sallyport: \033[1;31merror:\033[0m both [E1006]\n");
	CHECK(strchr(printed(false, DIAG_NOTE), '\033') == NULL);
	end();
}

TEST(notes_stand_below_what_they_belong_to)
{
	uint32_t n;

	begin();
	n = add("x", "abc", SPAN_NONE);
	diag_add(&diags, DIAG_E1006, (struct span){ n, 0, 1 }, "first");
	diag_note(&diags, (struct span){ n, 2, 3 }, "note %d", 1);
	diag_note(&diags, SPAN_NONE, "placeless");
	diag_add(&diags, DIAG_E1006, (struct span){ n, 1, 2 }, "second");
	/* The first again: nothing, and its note neither, here or below the second */
	diag_add(&diags, DIAG_E1006, (struct span){ n, 0, 1 }, "first");
	diag_note(&diags, (struct span){ n, 2, 3 }, "note %d", 2);
	diag_help(&diags, "lost");
	CHECK_INT(diags.list.n, 2);
	CHECK_INT(diags.n_errors, 2);
	CHECK_STR(printed(false, DIAG_NOTE),
		  "x:1:1: error: first [E1006]\n    1 | abc\n      | ^\n"
		  "x:1:3: note: note 1\n    1 | abc\n      |   ^\n"
		  "note: placeless\n"
		  "x:1:2: error: second [E1006]\n    1 | abc\n      |  ^\n");
	end();
}

TEST(note_below_nothing_is_a_bug)
{
	begin();
	CHECK_BUG(diag_note(&diags, SPAN_NONE, "x"));
	end();
}

TEST(same_message_elsewhere_is_another)
{
	uint32_t n;

	begin();
	n = add("x", "abc", SPAN_NONE);
	diag_add(&diags, DIAG_E1006, (struct span){ n, 0, 1 }, "same");
	diag_add(&diags, DIAG_E1006, (struct span){ n, 0, 2 }, "same");
	diag_add(&diags, DIAG_E1007, (struct span){ n, 0, 1 }, "same");
	diag_add(&diags, DIAG_E1007, (struct span){ n, 0, 1 }, "same!");
	CHECK_INT(diags.list.n, 4);
	end();
}

/* What is said twice is said once, and the second's help is no other's */
TEST(same_message_twice)
{
	begin();
	diag_add(&diags, DIAG_E1007, SPAN_NONE, "another");
	diag_add(&diags, DIAG_E1006, SPAN_NONE, "same");
	diag_help(&diags, "help");
	diag_add(&diags, DIAG_E1006, SPAN_NONE, "same");
	diag_help(&diags, "help");
	CHECK_INT(diags.list.n, 2);
	CHECK_INT(diags.n_errors, 2);
	CHECK_INT(diags.list.v[0].more.n, 0);
	CHECK_INT(diags.list.v[1].more.n, 1);
	end();
}

TEST(limit_errors)
{
	begin();
	for (unsigned int i = 0; i < LIMIT_ERRORS; i++) {
		CHECK(!diag_is_full(&diags));
		diag_add(&diags, DIAG_E1006, SPAN_NONE, "number %u", i);
	}
	CHECK(diag_is_full(&diags));
	diag_add(&diags, DIAG_E1006, SPAN_NONE, "one more");
	diag_note(&diags, SPAN_NONE, "and its note");
	CHECK_INT(diags.list.n, LIMIT_ERRORS);
	CHECK_INT(diags.n_errors, LIMIT_ERRORS + 1);
	CHECK(strstr(printed(false, DIAG_NOTE), "number 19 [E1006]\nsallyport: stopped after 20") !=
	      NULL);
	CHECK(strstr(printed(false, DIAG_NOTE), "more") == NULL);
	end();
}

TEST(limit_warnings)
{
	const enum diag_code w = code_of(DIAG_WARNING);

	if (w == DIAG_N_CODES)
		UNIT_SKIP("no code is a warning yet");
	begin();
	for (unsigned int i = 0; i < LIMIT_WARNINGS + 3; i++)
		diag_add(&diags, w, SPAN_NONE, "number %u", i);
	CHECK_INT(diags.list.n, LIMIT_WARNINGS);
	CHECK(!diag_is_full(&diags));
	CHECK(strstr(printed(false, DIAG_NOTE), "sallyport: 3 more warnings") != NULL);
	/* Errors still find their place, and warnings hide when only errors are wanted */
	diag_add(&diags, DIAG_E1006, SPAN_NONE, "an error");
	CHECK_STR(printed(false, DIAG_ERROR), "sallyport: error: an error [E1006]\n");
	CHECK_STR(json_all(true),
		  "[{\"file\": null, \"line\": 0, \"column\": 0, \"code\": \"E1006\", "
		  "\"severity\": \"error\", \"message\": \"an error\"}]");
	end();
}

TEST(nearest_word)
{
	static const char *const words[] = { "pass", "block", "antispoof", "in", "out", "on",
					     "http", "https", NULL };
	static const char *const swapped[] = { "inet6", "inet", "port", "proto", "port", NULL };

	CHECK_STR(diag_nearest("pas", words), "pass");
	CHECK_STR(diag_nearest("blcok", words), "block");
	CHECK_STR(diag_nearest("antisoof", words), "antispoof");
	CHECK_STR(diag_nearest("httpz", words), "http");
	CHECK_STR(diag_nearest("https", words), "https");
	CHECK_STR(diag_nearest("inte", swapped), "inet");
	CHECK_STR(diag_nearest("prot", swapped), "proto");
	/* More than 2 edits, or half of a short word, is another word */
	CHECK_STR(diag_nearest("antixxxof", words), NULL);
	CHECK_STR(diag_nearest("xy", words), NULL);
	CHECK_STR(diag_nearest("ix", words), NULL);
	CHECK_STR(diag_nearest("", words), NULL);
	CHECK_STR(diag_nearest("a-word-of-more-than-sixty-four-letters-that-nobody-would-ever-"
			       "write-in-a-rule", words), NULL);
}

TEST(json_strings)
{
	begin();
	CHECK_STR(json("plain", 5), "\"plain\"");
	CHECK_STR(json("", 0), "\"\"");
	CHECK_STR(json(NULL, 0), "null");
	CHECK_STR(json("a\"b\\c", 5), "\"a\\\"b\\\\c\"");
	CHECK_STR(json("\n\t\r\b\x01\x1f\x7f", 7),
		  "\"\\n\\t\\u000d\\u0008\\u0001\\u001f\\u007f\"");
	CHECK_STR(json("a\0b", 3), "\"a\\u0000b\"");
	CHECK_STR(json("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", 9),
		  "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"");
	/* Not UTF-8: lone, cut, overlong, surrogate, beyond the last */
	CHECK_STR(json("\xff", 1), "\"\\ufffd\"");
	CHECK_STR(json("\xc3", 1), "\"\\ufffd\"");
	CHECK_STR(json("\xc3z", 2), "\"\\ufffdz\"");
	CHECK_STR(json("\xc0\xaf", 2), "\"\\ufffd\\ufffd\"");
	CHECK_STR(json("\xe0\x80\xaf", 3), "\"\\ufffd\\ufffd\\ufffd\"");
	CHECK_STR(json("\xed\xa0\x80", 3), "\"\\ufffd\\ufffd\\ufffd\"");
	CHECK_STR(json("\xf4\x90\x80\x80", 4), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	end();
}

TEST(json_of_diagnostics_names_the_file)
{
	uint32_t file, macro;

	begin();
	CHECK_STR(json_all(true), "[]");
	file = add("a\"b.conf", "x\n y $m\n", SPAN_NONE);
	macro = add("macro 'm'", "1 2", (struct span){ file, 5, 7 });
	diag_add(&diags, DIAG_E1007, (struct span){ macro, 2, 3 }, "in \"m\"");
	diag_add(&diags, DIAG_E1006, SPAN_NONE, "nowhere");
	CHECK_STR(json_all(true),
		  "[{\"file\": \"a\\\"b.conf\", \"line\": 2, \"column\": 4, \"code\": \"E1007\", "
		  "\"severity\": \"error\", \"message\": \"in \\\"m\\\"\"}, "
		  "{\"file\": null, \"line\": 0, \"column\": 0, \"code\": \"E1006\", "
		  "\"severity\": \"error\", \"message\": \"nowhere\"}]");
	CHECK_STR(json_all(false), "[]");
	end();
}

TEST(codes_are_found_by_name)
{
	CHECK_INT(diag_code_find("E1001"), DIAG_E1001);
	CHECK_INT(diag_code_find("E9999"), DIAG_N_CODES);
	CHECK_INT(diag_code_find(""), DIAG_N_CODES);
	for (int c = 0; c < DIAG_N_CODES; c++)
		CHECK_INT(diag_code_find(diag_codes[c].name), c);
	CHECK_STR(diag_severity_name(DIAG_ERROR), "error");
	CHECK_STR(diag_severity_name(DIAG_WARNING), "warning");
	CHECK_STR(diag_severity_name(DIAG_NOTE), "note");
}
