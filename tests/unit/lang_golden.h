/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lang_golden - the golden cases of a declaration language, without the program
 *
 * Each case of tests/golden/DIR whose -f files are of the languages here is
 * parsed, lowered and finished in this process, and what diag_print() says is
 * compared with the case's .err; so a parser's messages are tested, under the
 * sanitizers too, whatever the rest of the program does.
 */
#ifndef TESTS_LANG_GOLDEN_H
#define TESTS_LANG_GOLDEN_H

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>

#include "base/limits.h"
#include "lang/jail.h"
#include "lang/rc.h"
#include "langkit.h"

/**
 * struct world - Everything that one compile needs
 */
struct world {
	struct arena a;
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct decl decl;
	struct lang_ctx c;
	struct lang_define defines[8];
};

static inline void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	arena_init(&w->a, LIMIT_ARENA_BYTES);
	intern_init(&w->names, &w->a);
	sources_init(&w->sources, &w->a);
	diags_init(&w->diags, &w->a, &w->sources);
	decl_init(&w->decl, &w->a, &w->names);
	w->c = (struct lang_ctx){
		.a = &w->a,
		.names = &w->names,
		.sources = &w->sources,
		.diags = &w->diags,
		.defines = w->defines,
	};
}

static inline void world_fini(struct world *w)
{
	arena_fini(&w->a);
}

/* Parse and lower a source as its name says; false for another language */
static inline bool world_add(struct world *w, uint32_t src)
{
	const char *name = source_at(&w->sources, src)->name;

	if (fnmatch("*jail.conf", name, 0) == 0)
		jail_lower(&w->c, jail_parse(&w->c, src), &w->decl);
	else if (fnmatch("*rc.conf", name, 0) == 0)
		rc_lower(&w->c, rc_parse(&w->c, src), &w->decl);
	else if (fnmatch("*sysctl.conf", name, 0) == 0)
		sysctlconf_lower(&w->c, sysctlconf_parse(&w->c, src), &w->decl);
	else
		return false;
	return true;
}

/* Add a text under a file name */
static inline void world_text(struct world *w, const char *name, const char *text)
{
	CHECK(world_add(w, sources_add(&w->sources, name, text, (uint32_t)strlen(text),
				       SPAN_NONE)));
}

/* One case, in its directory; false if it is of another language */
static inline bool golden_case(const char *name)
{
	char file[512];
	char *args, *told, *want;
	struct world w;
	bool is_ours = true;

	snprintf(file, sizeof(file), "%s.args", name);
	args = langkit_file(file);
	world_init(&w);
	for (char *word = strtok(args, " \n"); word != NULL && is_ours;
	     word = strtok(NULL, " \n")) {
		uint32_t src;

		if (strcmp(word, "-f") == 0) {
			word = strtok(NULL, " \n");
			is_ours = CHECK(word != NULL &&
					sources_read(&w.sources, word, &src) == 0) &&
				  world_add(&w, src);
		} else if (strcmp(word, "-D") == 0) {
			char *value = strtok(NULL, " \n");
			char *equals = value != NULL ? strchr(value, '=') : NULL;

			if (!CHECK(equals != NULL && w.c.n_defines < 8))
				break;
			*equals = '\0';
			w.defines[w.c.n_defines++] = (struct lang_define){ value, equals + 1 };
		}
	}
	decl_finish(&w.decl, &w.diags);
	langkit_spans_check(&w.diags);
	told = langkit_told(&w.diags);
	snprintf(file, sizeof(file), "%s.err", name);
	if (is_ours && getenv("GOLDEN_WRITE") != NULL) {
		FILE *f = fopen(file, "w");

		fputs(told, f);
		fclose(f);
	}
	want = langkit_file(file);
	if (is_ours && strcmp(told, want) != 0) {
		unit_detail("    # in case %s:\n", name);
		CHECK_STR(told, want);
	}
	CHECK(w.diags.list.n > 0 || want[0] == '\0');
	free(args);
	free(told);
	free(want);
	world_fini(&w);
	return is_ours;
}

/* All cases of tests/golden/@dir; codes with the digits @series ("14") that none provokes fail */
static inline void golden_dir(const char *dir, const char *series)
{
	CLEANUP(base_fd_close) int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[4096], *all = NULL;
	size_t all_len;
	FILE *f = open_memstream(&all, &all_len);
	struct dirent **list = NULL;
	int n, n_ours = 0;

	snprintf(path, sizeof(path), "%.*s/../golden/%s",
		 (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__, dir);
	if (!CHECK(chdir(path) == 0)) {
		fclose(f);
		free(all);
		return;
	}
	n = scandir(".", &list, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char *dot = strrchr(list[i]->d_name, '.');

		if (dot != NULL && strcmp(dot, ".args") == 0) {
			*dot = '\0';
			n_ours += golden_case(list[i]->d_name);
			strcpy(dot, ".err");
			dot = langkit_file(list[i]->d_name);
			fputs(dot, f);
			free(dot);
		}
		free(list[i]);
	}
	free(list);
	fclose(f);
	CHECK(n_ours > 0);
	for (int c = 0; c < DIAG_N_CODES; c++)
		if (strncmp(diag_codes[c].name + 1, series, strlen(series)) == 0 &&
		    !CHECK(strstr(all, diag_codes[c].name) != NULL))
			unit_detail("    # no case for %s\n", diag_codes[c].name);
	free(all);
	CHECK_INT(fchdir(back), 0);
}

#endif /* TESTS_LANG_GOLDEN_H */
