/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random rulesets in the other language, and that the comparison of the two languages
 * tells a difference where there is one.
 */
#include "unit.h"

#include <string.h>

#include "lang/translate.h"
#include "prove/cross.h"
#include "prove/journey.h"
#include "prove_case.h"

/* What became of many rulesets */
struct tally {
	uint32_t n;
	uint32_t n_refused;		/* no form in the other language */
	uint32_t n_same;
	uint32_t n_proven;		/* of these, all that is remembered too */
	uint32_t n_memory;		/* what is remembered differs: not printed */
};

/* Another text beside a case: its model, without the policy around it */
static bool read_other(struct prove_case *c, const struct translate_lang *t, const char *text,
		       struct model *ret)
{
	struct lang_ctx ctx = { .a = &c->a, .names = &c->names, .sources = &c->sources,
				.diags = &c->diags };
	const uint32_t src = sources_add(&c->sources, "other", text, (uint32_t)strlen(text),
					 SPAN_NONE);

	model_init(ret, &c->a, &c->names, &c->facts);
	return t->read(&ctx, src, &c->facts, ret) && c->diags.n_errors == 0;
}

/* A ruleset in another language, and what the two mean */
struct other_text {
	char *text;
	struct model m;
	struct prove_result r;
};

/* False: it has no form there */
static bool write_other(struct prove_case *c, const struct translate_lang *to,
			const struct flat *f, struct other_text *ret)
{
	struct raise_refusal refused;
	size_t len = 0;
	FILE *out = open_memstream(&ret->text, &len);
	const bool is_printed = to->print(&c->m, f, out, &refused);

	fclose(out);
	if (!is_printed) {
		CHECK_INT(len, 0);
		return false;
	}
	diags_init(&c->diags, &c->a, &c->sources);
	if (!CHECK(read_other(c, to, ret->text, &ret->m))) {
		diag_print(&c->diags, stdout, false, DIAG_ERROR);
		return false;
	}
	for (int dir = 0; dir < 2; dir++)
		c->m.before[dir] = c->m.after[dir] = LIST_NONE;
	return CHECK_INT(prove_cross(&c->m, &ret->m, &c->a, &ret->r), 0);
}

static void count(const struct prove_case *c, const struct other_text *o, struct tally *t)
{
	t->n_same += o->r.differences.n == 0;
	t->n_proven += o->r.differences.n == 0 && o->r.unproven.n == 0;
	for (uint32_t i = 0; i < o->r.differences.n; i++) {
		const struct prove_difference *d = &o->r.differences.v[i];

		/* Only what was remembered before may make a difference */
		t->n_memory += i == 0 && d->is_known;
		if (!CHECK(d->is_known))
			printf("# %s: %s, %s\n# of:\n%s\n# into:\n%s\n", d->packet, d->declared,
			       d->kernel, c->text, o->text);
	}
}

/* As `compile --to` does: where the shorter form means something else, the longer one */
static void translate_one(struct prove_case *c, const struct translate_lang *to, struct tally *t)
{
	struct other_text o = { .text = NULL }, longer = { .text = NULL };
	struct flat f;

	if (!flat_model(&c->m, &f) || !write_other(c, to, &f, &o))
		t->n_refused++;
	else if (o.r.differences.n > 0 && to->longer != NULL &&
		 write_other(c, to->longer, &f, &longer))
		count(c, &longer, t);
	else
		count(c, &o, t);
	free(o.text);
	free(longer.text);
}

/* ---- rulesets of what both languages have ------------------------------------------------- */

struct maker {
	struct gen g;
	FILE *out;
	bool remembers;
};

static const char *one_of(struct maker *m, const char *const *words, uint32_t n)
{
	return words[gen_below(&m->g, n)];
}

#define ONE_OF(m, ...) \
	one_of(m, (const char *const []){ __VA_ARGS__ }, \
	       ARRAY_SIZE(((const char *const []){ __VA_ARGS__ })))

/* One of IPv4, or of IPv6: a rule has one family */
static const char *some_host(struct maker *m, bool v6)
{
	if (v6)
		return ONE_OF(m, "any", "2001:db8:77::/48", "2001:db8:a::2", "! 2001:db8:77::/48");
	return ONE_OF(m, "any", "any", "any", "198.51.100.0/24", "198.51.100.9",
		      "192.168.100.0/24", "10.7.0.0/16", "203.0.113.2", "192.168.100.2");
}

static void make_pf_rule(struct maker *m)
{
	const char *proto = ONE_OF(m, "", " proto tcp", " proto udp", " proto { tcp, udp }",
				   " proto tcp");
	const char *action = ONE_OF(m, "pass", "pass", "block", "block return", "block drop");
	const bool has_ports = proto[0] != '\0', v6 = gen_often(&m->g, 20);

	fprintf(m->out, "%s%s%s%s%s from %s", action, ONE_OF(m, "", " in", " out", " in"),
		gen_often(&m->g, 40) ? " quick" : "",
		ONE_OF(m, "", " on igb0", " on igb1", " on ! igb0"), proto, some_host(m, v6));
	if (has_ports)
		fputs(ONE_OF(m, "", "", " port 53", " port 1024:65535"), m->out);
	fprintf(m->out, " to %s", some_host(m, v6));
	if (has_ports)
		fputs(ONE_OF(m, "", " port 80", " port { 22, 443 }", " port 8000:8010"), m->out);
	if (strcmp(proto, " proto tcp") == 0)
		fputs(ONE_OF(m, "", " flags S/SA", " flags any", " flags A/SA"), m->out);
	if (action[0] == 'p' && !m->remembers)
		fputs(" no state", m->out);
	putc('\n', m->out);
}

static void make_pf(struct maker *m)
{
	fputs("set skip on lo\n", m->out);
	if (m->remembers && gen_often(&m->g, 50))
		fprintf(m->out, "nat on igb0 inet from 192.168.100.0/24 to any -> 203.0.113.2%s\n",
			ONE_OF(m, "", " static-port", " port 2000:3000"));
	if (m->remembers && gen_often(&m->g, 50))
		fprintf(m->out, "rdr%s on igb0 inet proto tcp from %s to 203.0.113.2 port %s\n",
			ONE_OF(m, "", " pass"), ONE_OF(m, "any", "198.51.100.0/24"),
			ONE_OF(m, "80 -> 192.168.100.2", "8000:8010 -> 192.168.100.2 port 80:*",
			       "22 -> 192.168.100.3 port 2222"));
	fputs(ONE_OF(m, "block\n", "block in\n", "block return\n", "pass no state\n"), m->out);
	for (uint32_t n = 2 + gen_below(&m->g, 6); n > 0; n--)
		make_pf_rule(m);
	if (m->remembers)
		fputs("pass out on igb0 from any to any\n", m->out);
}

static void make_ipfw_rule(struct maker *m, uint32_t number)
{
	const char *proto = ONE_OF(m, "ip", "ip4", "tcp", "udp", "{ tcp or udp }", "icmp");
	const bool has_ports = proto[0] == 't' || proto[0] == 'u' || proto[0] == '{';
	const char *action = ONE_OF(m, "allow", "allow", "deny", "reset", "skipto 5000");

	if (action[0] == 'r')
		proto = "tcp";
	fprintf(m->out, "add %u %s %s from %s%s", number, action, proto,
		gen_often(&m->g, 15) ? "not " : "",
		ONE_OF(m, "10.7.0.0/16", "me", "198.51.100.0/24,192.0.2.1", "table(t)",
		       "192.168.100.0/24"));
	fprintf(m->out, " to %s", some_host(m, false));
	if (has_ports)
		fputs(ONE_OF(m, "", " 80", " 22,443", " 8000-8010"), m->out);
	fputs(ONE_OF(m, "", " in", " out", " in via igb0", " via igb1", " not via igb0"), m->out);
	if (strcmp(proto, "tcp") == 0)
		fputs(ONE_OF(m, "", " setup", " established", " tcpflags syn,!ack,!fin"), m->out);
	if (m->remembers && action[0] == 'a' && gen_often(&m->g, 60))
		fputs(" keep-state", m->out);
	putc('\n', m->out);
}

static void make_ipfw(struct maker *m)
{
	const bool nat = m->remembers && gen_often(&m->g, 50);

	fputs("table t create type addr\ntable t add 198.51.100.0/25\n"
	      "table t add 2001:db8:77::/48\n", m->out);
	if (nat)
		fprintf(m->out, "nat 1 config ip 203.0.113.2%s%s\ndisable one_pass\n",
			ONE_OF(m, "", " same_ports"),
			ONE_OF(m, "", " redirect_port tcp 192.168.100.2:8080 80"));
	fputs("add 100 allow ip from any to any via lo*\n", m->out);
	if (nat)
		fputs("add 110 nat 1 ip4 from any to 203.0.113.2 in via igb0\n", m->out);
	fputs(m->remembers ? "add 120 check-state\n" : "", m->out);
	if (nat)
		fputs("add 130 skipto 9000 ip4 from 192.168.100.0/24 to any out via igb0 "
		      "keep-state\n", m->out);
	for (uint32_t n = 2 + gen_below(&m->g, 6); n > 0; n--)
		make_ipfw_rule(m, 200 + 10 * n);
	fprintf(m->out, "add 4000 %s ip from any to any\n", ONE_OF(m, "allow", "deny", "deny"));
	make_ipfw_rule(m, 5000);
	fputs("add 8000 deny ip from any to any\n", m->out);
	if (nat)
		fputs("add 9000 nat 1 ip4 from any to any out via igb0\n"
		      "add 9010 allow ip from any to any\n", m->out);
}

/* SALLYPORT_LONG=1: some hundreds each */
static void translate_random(bool is_ipfw, bool remembers, uint32_t usual, uint32_t least)
{
	const uint32_t n = getenv("SALLYPORT_LONG") != NULL ? 400 : usual;
	struct tally t = { .n = 0 };

	for (uint32_t i = 0; i < n; i++) {
		struct maker m = { .g = gen_seed(i, is_ipfw), .remembers = remembers };
		struct prove_case c;
		char *text = NULL;
		size_t len = 0;

		m.out = open_memstream(&text, &len);
		(is_ipfw ? make_ipfw : make_pf)(&m);
		fclose(m.out);
		if (is_ipfw)
			prove_case_ipfw(&c, text);
		else
			prove_case_text(&c, text, NULL);
		if (c.diags.n_errors == 0) {
			t.n++;
			translate_one(&c, is_ipfw ? &translate_pf : &translate_ipfw, &t);
		}
		prove_case_fini(&c);
		free(text);
	}
	printf("# %u rulesets: %u translated (%u proven), %u differ by what is remembered, "
	       "%u have no form\n", t.n, t.n_same, t.n_proven, t.n_memory, t.n_refused);
	CHECK(t.n_same * 100 >= t.n * least);
}

TEST(random_pf)
{
	translate_random(false, false, 20, 90);
}

TEST(random_pf_with_memory)
{
	translate_random(false, true, 20, 80);
}

TEST(random_ipfw)
{
	translate_random(true, false, 20, 90);
}

TEST(random_ipfw_with_memory)
{
	translate_random(true, true, 20, 75);
}

/* ---- what is proven, tried ------------------------------------------------------------------ */

/* A text without one of its lines */
static char *without_line(struct maker *m, const char *text)
{
	char *to = strdup(text), *line = to;
	uint32_t n = 0, which;

	for (const char *c = text; *c != '\0'; c++)
		n += *c == '\n';
	which = 1 + gen_below(&m->g, n - 1);
	while (which-- > 0)
		line = strchr(line, '\n') + 1;
	memmove(line, strchr(line, '\n') + 1, strlen(strchr(line, '\n')));
	return to;
}

struct trial {
	uint32_t n_proven;
	uint32_t n_differ;
	uint32_t n_left;		/* neither */
};

/* What is proven to be the same no conversation may show to be another */
static void hold(struct prove_case *c, const struct model *other, struct trial *t)
{
	struct prove_result r, tried = { .n_nodes = 0 };

	for (int dir = 0; dir < 2; dir++)
		c->m.before[dir] = c->m.after[dir] = LIST_NONE;
	if (!CHECK_INT(prove_cross(&c->m, other, &c->a, &r), 0))
		return;
	t->n_differ += r.differences.n > 0;
	t->n_left += r.differences.n == 0 && r.unproven.n > 0;
	if (r.differences.n > 0 || r.unproven.n > 0)
		return;
	t->n_proven++;
	journey_try(&c->m, other, 10000, &c->a, &tried);
	if (!CHECK_INT(tried.differences.n, 0))
		printf("# %s: %s, %s\n# of:\n%s\n", tried.differences.v[0].packet,
		       tried.differences.v[0].declared, tried.differences.v[0].kernel, c->text);
}

static void hold_random(bool is_ipfw, struct trial *t)
{
	const uint32_t n = getenv("SALLYPORT_LONG") != NULL ? 400 : 20;

	for (uint32_t i = 0; i < n; i++) {
		struct maker m = { .g = gen_seed(i, 2 + is_ipfw), .remembers = true };
		char *text = NULL, *less;
		struct prove_case c;
		struct model other;
		size_t len = 0;

		m.out = open_memstream(&text, &len);
		(is_ipfw ? make_ipfw : make_pf)(&m);
		fclose(m.out);
		less = without_line(&m, text);
		if (is_ipfw)
			prove_case_ipfw(&c, text);
		else
			prove_case_text(&c, text, NULL);
		if (c.diags.n_errors == 0 &&
		    read_other(&c, is_ipfw ? &translate_ipfw : &translate_pf, less, &other))
			hold(&c, &other, t);
		prove_case_fini(&c);
		free(text);
		free(less);
	}
}

TEST(proven_is_tried)
{
	struct trial t = { .n_proven = 0 };

	hold_random(false, &t);
	hold_random(true, &t);
	printf("# without one line: %u proven to be the same, %u differ, %u are left\n", t.n_proven,
	       t.n_differ, t.n_left);
	CHECK(t.n_proven > 0 && t.n_differ > 0);
}

/* A pf.conf and rules of ipfw that are not the same: the packet that shows it */
static void differ(const char *pf, const char *ipfw, const char *packet, bool is_known)
{
	struct prove_result r;
	struct prove_case c;
	struct model other;

	prove_case_text(&c, pf, NULL);
	CHECK_INT(c.diags.n_errors, 0);
	for (int dir = 0; dir < 2; dir++)
		c.m.before[dir] = c.m.after[dir] = LIST_NONE;
	if (CHECK(read_other(&c, &translate_ipfw, ipfw, &other)) &&
	    CHECK_INT(prove_cross(&c.m, &other, &c.a, &r), 0) &&
	    CHECK(r.differences.n > 0)) {
		CHECK_INT(r.differences.v[0].is_known, is_known);
		if (packet != NULL)
			CHECK_STR(r.differences.v[0].packet, packet);
	}
	prove_case_fini(&c);
}

TEST(differences)
{
	/* One port of many, proven */
	differ("block\npass in on igb0 proto tcp to 203.0.113.2 port 80:89 no state\n",
	       "add 10 allow tcp from any to 203.0.113.2 80-88 in via igb0\n",
	       "in igb0 tcp 198.51.100.7:40000 203.0.113.2:89 S", false);
	/* An answer that nothing lets out */
	differ("block\npass in on igb0 inet proto tcp to 203.0.113.2 port 80\n",
	       "add 10 allow tcp from any to 203.0.113.2 80 in via igb0 setup\n", NULL, true);
	/* Another source, of what is translated */
	differ("nat on igb0 inet from 192.168.100.0/24 to any -> 203.0.113.3 static-port\n",
	       "nat 1 config ip 203.0.113.2 same_ports\n"
	       "add 10 nat 1 ip4 from 192.168.100.0/24 to any via igb0\n"
	       "add 20 allow ip from any to any\n", NULL, false);
}
