/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The golden cases of ipfw without the program: what the language itself tells,
 * under the sanitizers too; that every code has a case, and every word of the
 * keyword table is used in one.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>

#include "test_lang_ipfw.h"

static void read_args(struct ipfw_test *t, char *args, uint32_t *src)
{
	char line[1024];

	t->options.tolerate_missing = strstr(args, "why") != NULL;
	for (char *w = strtok(args, " \n"); w != NULL; w = strtok(NULL, " \n")) {
		if (strcmp(w, "-f") == 0) {
			CHECK_INT(sources_read(&t->sources, strtok(NULL, " \n"), src), 0);
		} else if (strcmp(w, "--one-pass") == 0) {
			t->options.one_pass = atoi(strtok(NULL, " \n"));
		} else if (strcmp(w, "--interfaces") == 0) {
			FILE *f = fopen(strtok(NULL, " \n"), "r");

			while (f != NULL && fgets(line, sizeof(line), f) != NULL)
				if (strncmp(line, "default", 7) != 0)
					ipfw_test_iface(t, line);
			if (f != NULL)
				fclose(f);
			ipfw_test_iface(t, "default em0");
		}
	}
}

static void one_case(const char *name, FILE *all, FILE *rules)
{
	char file[512], *args, *told, *want;
	struct ipfw_test t;
	uint32_t src = 0;
	bool parses;

	snprintf(file, sizeof(file), "%s.args", name);
	args = langkit_file(file);
	parses = strstr(args, " fmt") != NULL;
	ipfw_test_init(&t);
	read_args(&t, args, &src);
	if (CHECK(src != 0) && !parses)
		(void)ipfw_test_compile(&t, src);
	else if (src != 0 && CHECK(ipfw_rules_read(&t.c, src, &t.cmds)))
		(void)ipfw_parse(&t.c, &t.cmds);
	ipfw_test_spans(&t);
	fputs(source_at(&t.sources, src)->text, rules);
	told = langkit_told(&t.diags);
	snprintf(file, sizeof(file), "%s.err", name);
	want = langkit_file(file);
	if (strcmp(told, want) != 0) {
		unit_detail("    # in case %s:\n", name);
		CHECK_STR(told, want);
	}
	fputs(told, all);
	free(args);
	free(told);
	free(want);
	ipfw_test_fini(&t);
}

/* Is a word in a text, between blanks and punctuation */
static bool has_word(const char *text, const char *word)
{
	const size_t len = strlen(word);

	for (const char *s = text; (s = strstr(s, word)) != NULL; s++)
		if ((s == text || !isalnum((unsigned char)s[-1])) &&
		    !isalnum((unsigned char)s[len]) && s[len] != '_' && s[len] != '-')
			return true;
	return false;
}

static void check_words(const char *rules)
{
	int n = 0;

	for (const struct iw_row *r = iw_rows; r->text != NULL; r++) {
		CHECK(strlen(r->help) > 2);
		if (r->how == IWH_REFUSED)
			continue;
		n++;
		if (!CHECK(has_word(rules, r->text)))
			unit_detail("    # no case for the word %s\n", r->text);
	}
	CHECK(n > 120);
}

static void check_codes(const char *told)
{
	for (int c = 0; c < DIAG_N_CODES; c++) {
		const char *name = diag_codes[c].name;

		if (strncmp(name + 1, "20", 2) != 0)
			continue;
		if (!CHECK(strstr(told, name) != NULL))
			unit_detail("    # no case for %s\n", name);
		CHECK(strlen(diag_codes[c].text) > 60);
		CHECK(name[0] == (diag_codes[c].severity == DIAG_ERROR ? 'E' :
				  diag_codes[c].severity == DIAG_WARNING ? 'W' : 'N'));
	}
}

TEST(golden)
{
	CLEANUP(base_fd_close) int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[4096], *told = NULL, *rules = NULL;
	struct dirent **list = NULL;
	size_t told_len, rules_len;
	FILE *all, *words;
	int n;

	snprintf(path, sizeof(path), "%.*s/../golden/ipfw",
		 (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
	if (!CHECK(chdir(path) == 0))
		return;
	all = open_memstream(&told, &told_len);
	words = open_memstream(&rules, &rules_len);
	n = scandir(".", &list, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char *dot = strrchr(list[i]->d_name, '.');

		if (dot != NULL && strcmp(dot, ".args") == 0) {
			*dot = '\0';
			one_case(list[i]->d_name, all, words);
		}
		free(list[i]);
	}
	free(list);
	fclose(all);
	fclose(words);
	CHECK(n > 100);
	check_codes(told);
	check_words(rules);
	free(told);
	free(rules);
	CHECK_INT(fchdir(back), 0);
}

/* The table itself: no word twice in a kind, aliases beside what they are */
TEST(keyword_table)
{
	const char *const *words = ipfw_words();
	int n = 0;

	for (; words[n] != NULL; n++)
		CHECK(n == 0 || strcmp(words[n - 1], words[n]) < 0);
	CHECK(n > 150);
	for (const struct iw_row *r = iw_rows; r->text != NULL; r++)
		CHECK(iw_find(r->kind, r->text) == r);
	CHECK_STR(iw_nearest(IWK_ACTION, "alow"), "allow");
	CHECK_STR(iw_nearest(IWK_OPTION, "xyzzy"), NULL);
}

TEST(fuzz_dictionary)
{
	const char *const *words = ipfw_words();
	char path[4096], quoted[128], *dict;
	int n = 0, lines = 0;

	snprintf(path, sizeof(path), "%.*s/../fuzz/ipfw.dict",
		 (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
	dict = langkit_file(path);
	for (; words[n] != NULL; n++) {
		snprintf(quoted, sizeof(quoted), "\"%s\"\n", words[n]);
		CHECK(strstr(dict, quoted) != NULL);
	}
	for (const char *s = dict; (s = strchr(s, '\n')) != NULL; s++)
		lines++;
	CHECK_INT(lines, n + 1);
	free(dict);
}
