/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The golden cases of pf.conf without the program: what the language itself
 * tells, under the sanitizers too.  With GOLDEN_WRITE=1 what is told becomes
 * what should be told.
 */
#include <dirent.h>
#include <fcntl.h>

#include "test_lang_pf.h"

static void read_args(struct pf_test *t, char *args, uint32_t *src)
{
	t->options.tolerate_missing = strstr(args, "check") != NULL;
	for (char *w = strtok(args, " \n"); w != NULL; w = strtok(NULL, " \n")) {
		char *value;

		if (strcmp(w, "-f") == 0) {
			CHECK_INT(sources_read(&t->sources, strtok(NULL, " \n"), src), 0);
		} else if (strcmp(w, "--interfaces") == 0) {
			pf_test_ifaces_file(t, strtok(NULL, " \n"));
		} else if (strcmp(w, "-D") == 0) {
			w = strtok(NULL, " \n");
			value = strchr(w, '=');
			if (!CHECK(value != NULL))
				continue;
			*value = '\0';
			t->defines[t->c.n_defines++] = (struct lang_define){ w, value + 1 };
		}
	}
}

static void one_case(const char *name, FILE *all)
{
	char file[512], *args, *told, *want, *rc;
	struct pf_test t;
	uint32_t src = 0;

	snprintf(file, sizeof(file), "%s.args", name);
	args = langkit_file(file);
	pf_test_init(&t);
	read_args(&t, args, &src);
	snprintf(file, sizeof(file), "%s.rc", name);
	rc = langkit_file(file);
	if (CHECK(src != 0))
		CHECK_INT(pf_test_compile(&t, src), rc[0] == '\0');
	free(rc);
	pf_test_spans(&t);
	told = langkit_told(&t.diags);
	snprintf(file, sizeof(file), "%s.err", name);
	if (getenv("GOLDEN_WRITE") != NULL) {
		FILE *f = fopen(file, "w");

		fputs(told, f);
		fclose(f);
	}
	want = langkit_file(file);
	if (strcmp(told, want) != 0) {
		unit_detail("    # in case %s:\n", name);
		CHECK_STR(told, want);
	}
	fputs(told, all);
	free(args);
	free(told);
	free(want);
	pf_test_fini(&t);
}

TEST(golden)
{
	CLEANUP(base_fd_close) int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[4096], *text = NULL;
	struct dirent **list = NULL;
	size_t len;
	FILE *all;
	int n;

	snprintf(path, sizeof(path), "%.*s/../golden/pf",
		 (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
	if (!CHECK(chdir(path) == 0))
		return;
	all = open_memstream(&text, &len);
	n = scandir(".", &list, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char *dot = strrchr(list[i]->d_name, '.');

		if (dot != NULL && strcmp(dot, ".args") == 0) {
			*dot = '\0';
			one_case(list[i]->d_name, all);
		}
		free(list[i]);
	}
	free(list);
	fclose(all);
	CHECK(n > 100);
	for (int c = 0; c < DIAG_N_CODES; c++) {
		const char *name = diag_codes[c].name;

		/* pf.def has 11xx to 13xx, of every severity */
		if (strncmp(name + 1, "11", 2) < 0 || strncmp(name + 1, "13", 2) > 0)
			continue;
		if (!CHECK(strstr(text, name) != NULL))
			unit_detail("    # no case for %s\n", name);
		CHECK(strlen(diag_codes[c].text) > 60);
	}
	free(text);
	CHECK_INT(fchdir(back), 0);
}
