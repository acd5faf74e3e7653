/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scripts of literal commands: the words that ipfw gets, their places, and
 * what is refused.  The cases of tests/golden/ipfw_script are a script NAME.ipfw
 * and what is told of it, NAME.err.
 */
#include "lang/ipfw.h"
#include "lang_golden.h"

static uint32_t add(struct world *w, const char *text)
{
	return sources_add(&w->sources, "x.sh", text, (uint32_t)strlen(text), SPAN_NONE);
}

/* The commands of a script, each in its line, words in brackets; "error" if it is refused */
static const char *words_of(struct world *w, const char *text)
{
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	const char *all = "";

	if (!ipfw_script_read(&w->c, add(w, text), &cmds))
		return "error";
	for (uint32_t i = 0; i < cmds.list.n; i++) {
		for (uint32_t k = 0; k < cmds.list.v[i].words.n; k++)
			all = arena_printf(&w->a, "%s[%s]", all, cmds.list.v[i].words.v[k].text);
		all = arena_printf(&w->a, "%s\n", all);
	}
	for (uint32_t i = 0; i < cmds.sysctls.n; i++)
		all = arena_printf(&w->a, "%s%s=%s\n", all, cmds.sysctls.v[i].name,
				   cmds.sysctls.v[i].value);
	return all;
}

TEST(words)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "", "" },
		{ "ipfw add 1", "[add][1]\n" },
		{ "/sbin/ipfw add 1 # comment", "[add][1]\n" },
		{ "ipfw a#b", "[a#b]\n" },
		{ "ipfw a; ipfw b;\n\n;ipfw c", "[a]\n[b]\n[c]\n" },
		{ "ipfw a \\\n  b\\\nc", "[a][bc]\n" },
		{ "ipfw a \\\r\n b\r\nipfw c\r\n", "[a][b]\n[c]\n" },
		{ "add=\"ipfw -q add\"\n$add 10 pass", "[-q][add][10][pass]\n" },
		{ "f=/sbin/ipfw; ${f} show", "[show]\n" },
		{ "x='a  b'; ipfw $x \"$x\" c$x\"d\"", "[a][b][a  b][ca][bd]\n" },
		{ "x=' a '; ipfw 1$x'2'", "[1][a][2]\n" },
		{ "ipfw 'table(5)' \"table(6)\" table\\(7\\)", "[table(5)][table(6)][table(7)]\n" },
		{ "ipfw \"\" ''x \"a\\\"b\\$c\\d\" 'a\\b'", "[][x][a\"b$c\\d][a\\b]\n" },
		{ "ipfw ${x:-y} ${x-y z} \"${x:-y z}\" ${x:=1} $x", "[y][y][z][y z][1][1]\n" },
		{ "x=; ipfw a${x-b}c ${x:-d} ${x:+e} ${x+f}", "[ac][d][f]\n" },
		{ "x=1; ipfw ${x:-$y} ${x:+a${x}b}", "[1][a1b]\n" },
		{ "ipfw ${x:-${y:-z}}", "[z]\n" },
		{ "ipfw $ a$ $1 \"$@\" b", "[$][a$][][b]\n" },
		{ "a=1 b=$a; ipfw $a $b", "[1][1]\n" },
		{ "a=1; a=2 ipfw $a; ipfw $a", "[1]\n[1]\n" },
		{ "export a=1; readonly b=2; ipfw $a $b; unset a; ipfw x$a", "[1][2]\n[x]\n" },
		{ "ipfw x >/dev/null 2>&1 || true; ipfw y 2> /dev/null || : # z", "[x]\n[y]\n" },
		{ "set -ex; kldload ipfw; echo a; true; : x; sleep 1; ipfw x; exit; ipfw y",
		  "[x]\n" },
		{ "ipfw add { 10.0.0.1 or 10.0.0.2 } 1.2.3.0/24{1,3-7}",
		  "[add][{][10.0.0.1][or][10.0.0.2][}][1.2.3.0/24{1,3-7}]\n" },
		{ "sysctl net.inet.ip.fw.one_pass=0", "net.inet.ip.fw.one_pass=0\n" },
		{ "sysctl -w a.b=1 c.d=$x; sysctl a.b", "a.b=1\nc.d=\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;

		world_init(&w);
		if (!CHECK_STR(words_of(&w, cases[i].text), cases[i].want))
			unit_detail("    # of: %s\n", cases[i].text);
		world_fini(&w);
	}
}

TEST(what_needs_a_shell_is_an_error)
{
	static const char *const cases[] = {
		"if true; then ipfw x; fi", "for i in 1 2; do ipfw $i; done", "while :; do :; done",
		"case x in x) ;; esac", "{ ipfw x; }", "(ipfw x)", "! ipfw x", "ipfw x &",
		"ipfw x | cat", "ipfw x && ipfw y", "ipfw x || ipfw y", "f() { :; }", "ipfw `id`",
		"ipfw $(id)", "ipfw $((1+1))", "ipfw ${x%.*}", "ipfw ${#x}", "ipfw ${x:?y}",
		"ipfw $#", "ipfw $?", "ipfw $$", "ipfw \"$(id)\"", "ipfw x > file", "ipfw x < file",
		"ipfw x 2>&3", "echo x > file", ". file", "source file", "eval ipfw x", "IFS=,",
		"wget x", "ipfw x;;", "ipfw ${", "ipfw ${x", "ipfw '", "ipfw \"", "cat x",
		"set a b", "trap x 0",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;

		world_init(&w);
		if (!CHECK_STR(words_of(&w, cases[i]), "error"))
			unit_detail("    # of: %s\n", cases[i]);
		CHECK_INT(w.diags.n_errors, 1);
		langkit_spans_check(&w.diags);
		world_fini(&w);
	}
}

TEST(defines_win_over_the_script)
{
	struct world w;

	world_init(&w);
	w.defines[w.c.n_defines++] = (struct lang_define){ "a", "1 2" };
	CHECK_STR(words_of(&w, "a=3; ipfw $a; unset a; ipfw ${a:=4} $b"), "[1][2]\n[1][2]\n");
	CHECK_INT(langkit_count(&w.diags, DIAG_W2303), 1);
	world_fini(&w);
}

/* "NAME:COLUMN" of a word, and the name of where it is used */
static const char *place_of(struct world *w, struct span at)
{
	const struct place p = source_place(&w->sources, at);
	const struct span used = source_at(&w->sources, at.src)->used_at;

	return used.src == 0
		? arena_printf(&w->a, "%s:%u:%u-%u", p.name, p.line, p.column, at.hi - at.lo)
		: arena_printf(&w->a, "%s:%u-%u < %s", p.name, p.column, at.hi - at.lo,
			       place_of(w, used));
}

TEST(each_word_knows_where_it_is_written)
{
	static const char text[] = "add=\"ipfw -q add\" if=em0\n"
				   "$add 10 x$if $if \"$if\" 'q r'\n";
	static const char *const want[] = {
		"variable 'add':6-2 < x.sh:2:1-4", "variable 'add':9-3 < x.sh:2:1-4",
		"x.sh:2:6-2", "x.sh:2:9-4", "variable 'if':1-3 < x.sh:2:14-3",
		"variable 'if':1-3 < x.sh:2:19-3", "x.sh:2:25-3",
	};
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	struct world w;

	world_init(&w);
	CHECK(ipfw_script_read(&w.c, add(&w, text), &cmds));
	if (CHECK_INT(cmds.list.n, 1) && CHECK_INT(cmds.list.v[0].words.n, ARRAY_SIZE(want)))
		for (size_t i = 0; i < ARRAY_SIZE(want); i++)
			CHECK_STR(place_of(&w, cmds.list.v[0].words.v[i].at), want[i]);
	CHECK_STR(place_of(&w, cmds.list.v[0].at), "x.sh:2:1-28");
	CHECK_STR(cmds.list.v[0].line_text, "-q add 10 xem0 em0 em0 q r");
	world_fini(&w);
}

/* Each "$add" needs a source, of which there are not as many as lines (LIMIT_SOURCES) */
TEST(many_uses_leave_sources_to_others)
{
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	struct world w;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fputs("add='ipfw -q add'\n", f);
	for (int i = 0; i < 50000; i++)
		fprintf(f, "$add %d allow ip from any to any\n", i + 1);
	fclose(f);
	world_init(&w);
	CHECK(ipfw_script_read(&w.c, add(&w, text), &cmds));
	CHECK_INT(cmds.list.n, 50000);
	CHECK(w.sources.list.n <= LIMIT_SOURCES / 2);
	CHECK_STR(place_of(&w, cmds.list.v[49999].words.v[0].at), "x.sh:50001:1-4");
	world_fini(&w);
	free(text);
}

TEST(limits_end_the_reading)
{
	struct world w;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	/* LIMIT_NESTING */
	fputs("ipfw ", f);
	for (int i = 0; i < 100000; i++)
		fputs("${x:-", f);
	fclose(f);
	world_init(&w);
	CHECK_STR(words_of(&w, text), "error");
	CHECK_INT(langkit_count(&w.diags, DIAG_E2305), 1);
	world_fini(&w);
	free(text);
	/* LIMIT_VALUE_BYTES many times over in one command */
	f = open_memstream(&text, &len);
	fputs("a=", f);
	for (uint32_t i = 0; i < LIMIT_VALUE_BYTES; i++)
		fputc('a', f);
	fputs("\nipfw", f);
	for (int i = 0; i < 17; i++)
		fputs(" $a", f);
	fclose(f);
	world_init(&w);
	CHECK_STR(words_of(&w, text), "error");
	CHECK_INT(langkit_count(&w.diags, DIAG_E2305), 1);
	world_fini(&w);
	free(text);
	world_init(&w);
	CHECK(!ipfw_script_read(&w.c, sources_add(&w.sources, "x.sh", "ipfw\0x", 6, SPAN_NONE),
				&(struct ipfw_cmds){ .list = { .n = 0 } }));
	CHECK_INT(langkit_count(&w.diags, DIAG_E1003), 1);
	world_fini(&w);
}

TEST(scripts_and_rules_files)
{
	static const struct { const char *text; bool is_script; } cases[] = {
		{ "#!/bin/sh\nadd 1", true }, { "add 100 allow", false },
		{ "# x\n\n add 1", false },
		{ "100 add allow", false }, { "-q add 1", false }, { "ipfw add 1", true },
		{ "/sbin/ipfw -f flush", true }, { "cmd=ipfw", true }, { "table 1 create", false },
		{ "", false }, { "# only a comment", false }, { "nat 1 config if em0", false },
		{ "if x", true }, { "$cmd add", true }, { "flush", false }, { "flushed=1", true },
		{ "set -e\nipfw x", true }, { "set +x", true }, { "set 1 table 2 flush", false },
		{ "set disable 2", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;

		world_init(&w);
		if (!CHECK(ipfw_is_script(source_at(&w.sources, add(&w, cases[i].text))) ==
			   cases[i].is_script))
			unit_detail("    # of: %s\n", cases[i].text);
		world_fini(&w);
	}
}

static bool is_reader_code(const char *name)
{
	const int n = atoi(name + 1);

	return n >= 2301 && n <= 2309;
}

TEST(golden)
{
	CLEANUP(base_fd_close) int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[4096];
	struct dirent **list = NULL;
	bool seen[DIAG_N_CODES] = { false };
	int n, n_cases = 0;

	snprintf(path, sizeof(path), "%.*s/../golden/ipfw_script",
		 (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
	n = scandir(path, &list, NULL, alphasort);
	/* Files that a script reads are beside it */
	if (!CHECK(n > 0) || !CHECK(back >= 0) || !CHECK_INT(chdir(path), 0) ||
	    !CHECK(getcwd(path, sizeof(path)) != NULL))
		return;
	for (int i = 0; i < n; i++) {
		char *dot = strrchr(list[i]->d_name, '.'), file[8192], *told, *want;
		struct ipfw_cmds cmds = { .list = { .n = 0 } };
		struct world w;
		uint32_t src;

		if (dot == NULL || strcmp(dot, ".ipfw") != 0)
			continue;
		world_init(&w);
		snprintf(file, sizeof(file), "%s/%s", path, list[i]->d_name);
		want = langkit_file(file);
		src = sources_add(&w.sources, list[i]->d_name, want,
				  (uint32_t)strlen(want), SPAN_NONE);
		free(want);
		CHECK(ipfw_script_read(&w.c, src, &cmds) == (w.diags.n_errors == 0));
		langkit_spans_check(&w.diags);
		told = langkit_told(&w.diags);
		snprintf(file, sizeof(file), "%s/%.*s.err", path, (int)(dot - list[i]->d_name),
			 list[i]->d_name);
		if (getenv("GOLDEN_WRITE") != NULL) {
			FILE *f = fopen(file, "w");

			fputs(told, f);
			fclose(f);
		}
		want = langkit_file(file);
		CHECK_STR(told, want);
		for (int c = 0; c < DIAG_N_CODES; c++)
			seen[c] |= langkit_count(&w.diags, (enum diag_code)c) > 0;
		free(told);
		free(want);
		world_fini(&w);
		n_cases++;
	}
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
	CHECK_INT(fchdir(back), 0);
	CHECK(n_cases > 10);
	for (int c = 0; c < DIAG_N_CODES; c++)
		if (is_reader_code(diag_codes[c].name) && !CHECK(seen[c]))
			unit_detail("    # no case for %s\n", diag_codes[c].name);
}
