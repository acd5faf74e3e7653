/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_lang_pf - one compile of a pf.conf, for the tests of the language
 */
#ifndef TESTS_LANG_PF_H
#define TESTS_LANG_PF_H

#include "base/limits.h"
#include "lang/pf.h"
#include "model/eval.h"
#include "langkit.h"

/**
 * struct pf_test - Everything that one compile needs
 */
struct pf_test {
	struct arena a;
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct facts facts;
	struct decl decl;
	struct model model;
	struct world world;
	struct pf_options options;
	struct lang_ctx c;
	struct lang_define defines[8];
};

static inline void pf_test_init(struct pf_test *t)
{
	memset(t, 0, sizeof(*t));
	arena_init(&t->a, LIMIT_ARENA_BYTES);
	intern_init(&t->names, &t->a);
	sources_init(&t->sources, &t->a);
	diags_init(&t->diags, &t->a, &t->sources);
	facts_init(&t->facts, &t->a, &t->names);
	decl_init(&t->decl, &t->a, &t->names);
	world_init(&t->world, &t->a);
	t->c = (struct lang_ctx){
		.a = &t->a,
		.names = &t->names,
		.sources = &t->sources,
		.diags = &t->diags,
		.defines = t->defines,
	};
}

static inline void pf_test_fini(struct pf_test *t)
{
	arena_fini(&t->a);
}

/* A line "NAME [group G]... ADDR/LEN...", "group G NAME..." or "default ..." */
static inline void pf_test_iface(struct pf_test *t, const char *line)
{
	char buf[1024], *save, *w;
	struct iface *i;

	snprintf(buf, sizeof(buf), "%s", line);
	w = strtok_r(buf, " \n", &save);
	if (w == NULL || w[0] == '#' || strcmp(w, "default") == 0)
		return;
	if (strcmp(w, "group") == 0) {
		const char *group = strtok_r(NULL, " \n", &save);

		while ((w = strtok_r(NULL, " \n", &save)) != NULL)
			facts_add_group(&t->facts, facts_add(&t->facts, w), group);
		return;
	}
	i = facts_add(&t->facts, w);
	while ((w = strtok_r(NULL, " \n", &save)) != NULL) {
		struct iface_addr ia = { .at = SPAN_NONE };

		if (strcmp(w, "group") == 0)
			facts_add_group(&t->facts, i, strtok_r(NULL, " \n", &save));
		else if (strcmp(w, "peer") == 0 && i->addrs.n > 0)
			CHECK((w = strtok_r(NULL, " \n", &save)) != NULL &&
			      addr_parse(w, strlen(w), &i->addrs.v[i->addrs.n - 1].peer) == 0);
		else if (prefix_parse(w, strlen(w), &ia.p) == 0)
			facts_add_addr(&t->facts, i, ia);
	}
}

static inline void pf_test_ifaces_file(struct pf_test *t, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[1024];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		pf_test_iface(t, line);
	if (f != NULL)
		fclose(f);
}

/* Parse and lower one source as the program does; whether that went well */
static inline bool pf_test_compile(struct pf_test *t, uint32_t src)
{
	const struct pf_file *f = pf_parse(&t->c, &t->decl, &src, 1);

	model_init(&t->model, &t->a, &t->names, &t->facts);
	if (t->diags.n_errors > 0 ||
	    !pf_lower(&t->c, f, &t->facts, &t->decl, &t->options, &t->model))
		return false;
	CHECK_INT(t->diags.n_errors, 0);
	CHECK_STR(model_check(&t->model), NULL);
	return true;
}

static inline bool pf_test_text(struct pf_test *t, const char *text)
{
	return pf_test_compile(t, sources_add(&t->sources, "pf.conf", text,
					      (uint32_t)strlen(text), SPAN_NONE));
}

/* Every span that was told, and every origin, lies in its source; origins in files */
static inline void pf_test_spans(struct pf_test *t)
{
	langkit_spans_check(&t->diags);
	for (uint32_t i = 0; i < t->diags.list.n; i++)
		CHECK(t->diags.list.v[i].at.src != 0);
	for (uint32_t i = 0; i < t->model.lists.n; i++)
		for (uint32_t n = 0; n < t->model.lists.v[i].rules.n; n++) {
			const struct span at = t->model.lists.v[i].rules.v[n].origin.at;

			CHECK(langkit_span_ok(&t->sources, at) &&
			      (at.src == 0 || source_at(&t->sources, at.src)->used_at.src == 0));
		}
}

#endif /* TESTS_LANG_PF_H */
