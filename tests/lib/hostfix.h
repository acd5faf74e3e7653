/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostfix - declarations and a plan for tests of the host layer
 *
 * Each declaration made here has a line of its own in a source named "decl",
 * whose text is what it says, so that diagnostics and plans read well.
 *
 * Owns:	 static state of one test, from fix_begin() to fix_end().
 * Threads:	 none.
 */
#ifndef TESTS_HOSTFIX_H
#define TESTS_HOSTFIX_H

#include "host/plan.h"
#include "unit.h"

static struct {
	struct arena a;
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct decl d;
	struct host_want w;
} fix;

static inline void fix_begin(void)
{
	arena_init(&fix.a, 256 << 20);
	intern_init(&fix.names, &fix.a);
	sources_init(&fix.sources, &fix.a);
	diags_init(&fix.diags, &fix.a, &fix.sources);
	decl_init(&fix.d, &fix.a, &fix.names);
	fix.w = (struct host_want){ 0 };
}

static inline void fix_end(void)
{
	arena_fini(&fix.a);
}

/* Other declarations from here on, the same diagnostics */
static inline void fix_clear(void)
{
	decl_init(&fix.d, &fix.a, &fix.names);
	diags_init(&fix.diags, &fix.a, &fix.sources);
}

static inline struct span fix_at(const char *text)
{
	const uint32_t len = (uint32_t)strlen(text);

	return (struct span){ sources_add(&fix.sources, "decl", text, len, SPAN_NONE), 0, len };
}

static inline struct prefix fix_prefix(const char *text)
{
	struct prefix p = { 0 };

	CHECK_INT(prefix_parse(text, strlen(text), &p), 0);
	return p;
}

static inline void fix_link(const char *name)
{
	vec_add(&fix.a, &fix.d.links, ((struct decl_link){ .name = name, .at = fix_at(name) }));
}

static inline struct decl_addr fix_decl(const char *iface, const char *prefix)
{
	return (struct decl_addr){ .iface = iface, .p = fix_prefix(prefix), .at = fix_at(prefix) };
}

static inline void fix_addr(const char *iface, const char *prefix)
{
	vec_add(&fix.a, &fix.d.addrs, fix_decl(iface, prefix));
}

static inline struct decl_jail *fix_jail(const char *name, const char *iface, const char *prefix)
{
	struct decl_jail *j = vec_push(&fix.a, &fix.d.jails);

	j->name = name;
	j->is_enabled = true;
	vec_add(&fix.a, &j->addrs, fix_decl(iface, prefix));
	return j;
}

static inline void fix_sysctl(const char *name, const char *value)
{
	vec_add(&fix.a, &fix.d.sysctls, ((struct decl_sysctl){ name, value, fix_at(name) }));
}

static inline const struct host_want *fix_want(void)
{
	host_want_make(&fix.d, &fix.a, &fix.diags, &fix.w);
	return &fix.w;
}

/* The codes of all diagnostics, in order: "E1801 E1802" */
static inline const char *fix_codes(void)
{
	const char *text = "";

	for (uint32_t i = 0; i < fix.diags.list.n; i++)
		text = arena_printf(&fix.a, "%s%s%s", text, i == 0 ? "" : " ",
				    diag_codes[fix.diags.list.v[i].code].name);
	return text;
}

/* All diagnostics as people read them */
static inline const char *fix_told(void)
{
	char *text = NULL, *copy;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	diag_print(&fix.diags, out, false, DIAG_NOTE);
	fclose(out);
	copy = arena_strndup(&fix.a, text, len);
	free(text);
	return copy;
}

/* A plan as lines: "add address 10.0.0.2/32 on lo1" */
static inline const char *fix_plan(const struct host_plan *p)
{
	const char *text = "";

	for (uint32_t i = 0; i < p->ops.n; i++)
		text = arena_printf(&fix.a, "%s%s %s\n", text, host_op_verb(&p->ops.v[i]),
				    p->ops.v[i].object);
	return text;
}

#endif /* TESTS_HOSTFIX_H */
