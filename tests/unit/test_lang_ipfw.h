/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_lang_ipfw - one compile of an ipfw ruleset, for the tests of the language
 */
#ifndef TESTS_LANG_IPFW_H
#define TESTS_LANG_IPFW_H

#include "base/limits.h"
#include "lang/ipfw/ast.h"
#include "model/eval.h"
#include "langkit.h"

/**
 * struct ipfw_test - Everything that one compile needs
 */
struct ipfw_test {
	struct arena a;
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct facts facts;
	struct model model;
	struct world world;
	struct ipfw_options options;
	struct lang_ctx c;
	struct lang_define defines[8];
	struct ipfw_cmds cmds;
	struct ipfw_ruleset *rs;
};

static inline void ipfw_test_init(struct ipfw_test *t)
{
	memset(t, 0, sizeof(*t));
	arena_init(&t->a, LIMIT_ARENA_BYTES);
	intern_init(&t->names, &t->a);
	sources_init(&t->sources, &t->a);
	diags_init(&t->diags, &t->a, &t->sources);
	facts_init(&t->facts, &t->a, &t->names);
	world_init(&t->world, &t->a);
	t->options.one_pass = -1;
	t->c = (struct lang_ctx){
		.a = &t->a,
		.names = &t->names,
		.sources = &t->sources,
		.diags = &t->diags,
		.defines = t->defines,
	};
}

static inline void ipfw_test_fini(struct ipfw_test *t)
{
	arena_fini(&t->a);
}

/* "em0 198.51.100.2/24 ..." or "default em0" */
static inline void ipfw_test_iface(struct ipfw_test *t, const char *line)
{
	char buf[1024], *save, *w;
	struct iface *i;

	snprintf(buf, sizeof(buf), "%s", line);
	w = strtok_r(buf, " \n", &save);
	if (w == NULL || w[0] == '#')
		return;
	if (strcmp(w, "default") == 0) {
		t->facts.default_if[0] = intern_cstr(&t->names, strtok_r(NULL, " \n", &save));
		return;
	}
	i = facts_add(&t->facts, w);
	while ((w = strtok_r(NULL, " \n", &save)) != NULL) {
		struct iface_addr ia = { .at = SPAN_NONE };

		if (CHECK_INT(prefix_parse(w, strlen(w), &ia.p), 0))
			facts_add_addr(&t->facts, i, ia);
	}
}

/* Lower what has been read; whether that went well */
static inline bool ipfw_test_lower(struct ipfw_test *t)
{
	t->rs = ipfw_parse(&t->c, &t->cmds);
	model_init(&t->model, &t->a, &t->names, &t->facts);
	if (t->diags.n_errors > 0 ||
	    !ipfw_lower(&t->c, t->rs, &t->facts, &t->options, &t->model))
		return false;
	CHECK_INT(t->diags.n_errors, 0);
	CHECK_STR(model_check(&t->model), NULL);
	return true;
}

/* Read a source, script or file of rules, and lower it */
static inline bool ipfw_test_compile(struct ipfw_test *t, uint32_t src)
{
	const bool read = ipfw_is_script(source_at(&t->sources, src))
		? ipfw_script_read(&t->c, src, &t->cmds)
		: ipfw_rules_read(&t->c, src, &t->cmds);

	return read && ipfw_test_lower(t);
}

/* A file of rules */
static inline bool ipfw_test_text(struct ipfw_test *t, const char *text)
{
	const uint32_t src = sources_add(&t->sources, "ipfw.rules", text, (uint32_t)strlen(text),
					 SPAN_NONE);

	return ipfw_rules_read(&t->c, src, &t->cmds) && ipfw_test_lower(t);
}

/* Every span that was told, and every origin, lies in its source */
static inline void ipfw_test_spans(struct ipfw_test *t)
{
	langkit_spans_check(&t->diags);
	for (uint32_t i = 0; i < t->diags.list.n; i++)
		CHECK(t->diags.list.v[i].at.src != 0);
	for (uint32_t i = 0; i < t->model.lists.n; i++)
		for (uint32_t n = 0; n < t->model.lists.v[i].rules.n; n++)
			CHECK(langkit_span_ok(&t->sources,
					      t->model.lists.v[i].rules.v[n].origin.at));
}

static inline struct addr ipfw_test_addr(const char *text, size_t len)
{
	struct addr a = { .af = AF_NONE };

	CHECK_INT(addr_parse(text, len, &a), 0);
	return a;
}

/* "A:P" or "A" of @len bytes */
static inline void ipfw_test_endpoint(const char *s, size_t len, struct addr *a, uint16_t *port)
{
	const char *colon = memchr(s, ':', len);
	const bool v6 = colon != NULL && memchr(colon + 1, ':', len - (size_t)(colon - s) - 1);

	*a = ipfw_test_addr(s, colon != NULL && !v6 ? (size_t)(colon - s) : len);
	*port = colon != NULL && !v6 ? (uint16_t)atoi(colon + 1) : 0;
}

/* "udp 10.1.0.2:5353 > 8.8.8.8:53 [FLAGS] [id=N]" */
static inline struct packet ipfw_test_packet(struct ipfw_test *t, enum direction dir,
					     const char *iface, const char *text)
{
	struct packet p = { .dir = dir, .iface = intern_cid(&t->names, iface) };
	char buf[1024], *save, *w;

	snprintf(buf, sizeof(buf), "%s", text);
	w = strtok_r(buf, " ", &save);
	p.proto = (uint8_t)proto_parse(w, strlen(w));
	w = strtok_r(NULL, " ", &save);
	ipfw_test_endpoint(w, strlen(w), &p.src, &p.sport);
	strtok_r(NULL, " ", &save);
	w = strtok_r(NULL, " ", &save);
	ipfw_test_endpoint(w, strlen(w), &p.dst, &p.dport);
	if (p.proto == PROTO_ICMP)
		p.icmp_type = 8;
	while ((w = strtok_r(NULL, " ", &save)) != NULL) {
		if (strncmp(w, "id=", 3) == 0)
			p.sport = p.dport = (uint16_t)atoi(w + 3);
		else if (p.proto == PROTO_TCP)
			p.tcp_flags = (uint8_t)tcp_flags_parse(w, strlen(w));
	}
	p.recv = dir == DIR_IN ? p.iface : 0;
	return p;
}

/*
 * "1000 10000 10001 PASS": the numbers of the rules that took part, dyn(N) for a
 * state of rule N, and the verdict; *@p becomes the packet as it goes on.
 */
static inline const char *ipfw_test_judge(struct ipfw_test *t, struct packet *p,
					  struct result *ret)
{
	const struct result r = model_eval(&t->model, &t->world, p, &t->a);
	const char *text = "";

	for (uint32_t i = 0; i < r.steps.n; i++) {
		const struct step *s = &r.steps.v[i];
		const bool state = strcmp(s->effect, "state") == 0;

		text = arena_printf(&t->a, state ? "%sdyn(%d) " : "%s%d ", text,
				    s->origin.text != NULL ? atoi(s->origin.text) : 65535);
	}
	*p = r.packet;
	if (ret != NULL)
		*ret = r;
	return arena_printf(&t->a, "%s%s", text, r.verdict == V_PASS ? "PASS" : "DENY");
}

static inline const char *ipfw_test_pass(struct ipfw_test *t, enum direction dir,
					 const char *iface, const char *text)
{
	struct packet p = ipfw_test_packet(t, dir, iface, text);

	return ipfw_test_judge(t, &p, NULL);
}

#endif /* TESTS_LANG_IPFW_H */
