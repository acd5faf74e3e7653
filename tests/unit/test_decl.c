/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/decl.h"

#include "base/limits.h"
#include "unit.h"

struct world {
	struct arena a;
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct decl d;
};

static void setup(struct world *w)
{
	arena_init(&w->a, LIMIT_ARENA_BYTES);
	intern_init(&w->names, &w->a);
	sources_init(&w->sources, &w->a);
	diags_init(&w->diags, &w->a, &w->sources);
	decl_init(&w->d, &w->a, &w->names);
}

static struct prefix prefix(const char *text)
{
	struct prefix p = { .len = 0 };

	CHECK_INT(prefix_parse(text, strlen(text), &p), 0);
	return p;
}

static const char *name(struct world *w, const char *s)
{
	return s != NULL ? intern_cstr(&w->names, s) : NULL;
}

static void rc(struct world *w, const char *iface, const char *text)
{
	vec_add(&w->a, &w->d.addrs, ((struct decl_addr){
		.iface = name(w, iface), .p = prefix(text), .is_host = true,
	}));
}

static struct decl_jail *jail(struct world *w, const char *jail_name)
{
	struct decl_jail *j = decl_find_jail(&w->d, jail_name);

	if (j == NULL) {
		j = vec_push(&w->a, &w->d.jails);
		j->name = name(w, jail_name);
	}
	return j;
}

static void has(struct world *w, const char *jail_name, const char *iface, const char *text)
{
	struct decl_jail *j = jail(w, jail_name);

	vec_add(&w->a, &j->addrs, ((struct decl_addr){
		.iface = name(w, iface), .p = prefix(text), .jail = j->name,
	}));
}

static int told(struct world *w, enum diag_code code)
{
	int n = 0;

	for (uint32_t i = 0; i < w->diags.list.n; i++)
		n += w->diags.list.v[i].code == code;
	return n;
}

TEST(empty)
{
	struct world w;
	struct facts f;

	setup(&w);
	decl_finish(&w.d, &w.diags);
	CHECK_INT(w.diags.list.n, 0);
	CHECK_INT(w.d.gateway, -1);
	CHECK_INT(w.d.pf_enable, -1);
	CHECK(decl_find_jail(&w.d, "www") == NULL);
	CHECK(decl_jail_of(&w.d, prefix("10.0.0.2").a) == NULL);
	facts_init(&f, &w.a, &w.names);
	decl_to_facts(&w.d, &f);
	CHECK_INT(f.ifaces.n, 1);
	arena_fini(&w.a);
}

/* What two declarations of one address are, one case a row */
TEST(conflicts)
{
	static const struct {
		const char *rc_if, *rc;			/* NULL: none */
		const char *a_if, *a, *b_if, *b;	/* of jails a and b */
		enum diag_code code;			/* DIAG_N_CODES: none */
	} cases[] = {
		{ NULL, NULL, "lo1", "10.0.0.2", "lo1", "10.0.0.3", DIAG_N_CODES },
		{ NULL, NULL, "lo1", "10.0.0.2", "lo1", "10.0.0.2", DIAG_E1425 },
		{ NULL, NULL, "lo1", "10.0.0.2", "lo2", "10.0.0.2/24", DIAG_E1425 },
		{ NULL, NULL, NULL, "10.0.0.2", "lo1", "10.0.0.2", DIAG_E1425 },
		{ NULL, NULL, "lo1", "fd00::2", "lo1", "fd00::2", DIAG_E1425 },
		{ NULL, NULL, "lo1", "0.0.0.2", "lo1", "::2", DIAG_N_CODES },
		{ "lo1", "10.0.0.2", "lo1", "10.0.0.2", NULL, NULL, DIAG_N_CODES },
		{ "lo1", "10.0.0.2/24", NULL, "10.0.0.2", NULL, NULL, DIAG_N_CODES },
		{ "lo1", "10.0.0.2/24", "lo1", "10.0.0.2", NULL, NULL, DIAG_E1426 },
		{ "lo1", "fd00::2/64", "lo1", "fd00::2", NULL, NULL, DIAG_E1426 },
		{ "lo1", "10.0.0.2", "lo2", "10.0.0.2", NULL, NULL, DIAG_E1426 },
		{ "igb0", "10.0.0.2/24", "lo1", "10.0.0.2", NULL, NULL, DIAG_E1426 },
		{ "igb0", "10.0.0.2/24", "igb0", "10.0.0.2", NULL, NULL, DIAG_N1428 },
		{ "igb0", "10.0.0.2/24", "igb0", "10.0.0.2/24", NULL, NULL, DIAG_N1428 },
		{ "igb0", "10.0.0.2/24", "igb0", "10.0.0.3", NULL, NULL, DIAG_N_CODES },
		{ "igb0", "10.0.0.2/32", "igb0", "10.0.0.2", NULL, NULL, DIAG_N1428 },
		{ "igb0", "fd00::2/128", "igb0", "fd00::2", NULL, NULL, DIAG_N1428 },
		{ "igb0", "10.0.0.2/32", NULL, "10.0.0.2", NULL, NULL, DIAG_N_CODES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;

		setup(&w);
		decl_add_link(&w.d, "lo1", SPAN_NONE);
		if (cases[i].rc != NULL)
			rc(&w, cases[i].rc_if, cases[i].rc);
		has(&w, "a", cases[i].a_if, cases[i].a);
		if (cases[i].b != NULL)
			has(&w, "b", cases[i].b_if, cases[i].b);
		decl_finish(&w.d, &w.diags);
		if (!CHECK_INT(w.diags.list.n, cases[i].code != DIAG_N_CODES))
			unit_detail("    # case %zu\n", i);
		if (cases[i].code != DIAG_N_CODES && w.diags.list.n > 0) {
			CHECK_STR(diag_codes[w.diags.list.v[0].code].name,
				  diag_codes[cases[i].code].name);
			CHECK_INT(w.diags.list.v[0].more.n, 1);
		}
		if (cases[i].code == DIAG_N1428)
			CHECK(w.d.jails.v[0].addrs.v[0].is_host);
		/* Added is an alias that the jail has on that interface, and nothing else */
		if (cases[i].rc != NULL)
			CHECK_INT(w.d.addrs.v[0].is_jails, cases[i].code == DIAG_N1428 &&
				  strstr(cases[i].rc, "/24") == NULL);
		if (cases[i].rc != NULL && cases[i].code == DIAG_N_CODES)
			CHECK_STR(w.d.addrs.v[0].jail, strcmp(cases[i].a, "10.0.0.3") != 0 ? "a"
											  : NULL);
		arena_fini(&w.a);
	}
}

TEST(repeats)
{
	struct world w;

	setup(&w);
	decl_add_link(&w.d, "lo1", SPAN_NONE);
	rc(&w, "lo1", "10.0.0.1/29");
	rc(&w, "lo1", "10.0.0.2");
	rc(&w, "lo1", "10.0.0.1/29");
	has(&w, "a", NULL, "10.0.0.5");
	has(&w, "a", "lo1", "10.0.0.5");
	has(&w, "a", "lo1", "10.0.0.5");
	decl_finish(&w.d, &w.diags);
	CHECK_INT(w.diags.list.n, 0);
	CHECK_INT(w.d.addrs.n, 2);
	if (CHECK_INT(w.d.jails.v[0].addrs.n, 1))
		CHECK_STR(w.d.jails.v[0].addrs.v[0].iface, "lo1");
	rc(&w, "lo1", "10.0.0.2/30");
	decl_finish(&w.d, &w.diags);
	CHECK_INT(told(&w, DIAG_E1426), 1);
	arena_fini(&w.a);
}

TEST(enabled)
{
	struct world w;

	setup(&w);
	has(&w, "a", "lo1", "10.0.0.2");
	has(&w, "b", "lo2", "10.0.0.2");
	jail(&w, "b")->is_vnet = true;
	vec_add(&w.a, &w.d.jail_list, "a");
	w.d.has_jail_list = true;
	decl_finish(&w.d, &w.diags);
	CHECK_INT(w.diags.list.n, 0);
	CHECK(jail(&w, "a")->is_enabled && !jail(&w, "b")->is_enabled);
	CHECK_INT(w.d.links.n, 2);
	CHECK_STR(decl_jail_of(&w.d, prefix("10.0.0.2").a)->name, "a");
	arena_fini(&w.a);

	setup(&w);
	has(&w, "a", "lo1", "10.0.0.2");
	has(&w, "b", "lo1", "10.0.0.2");
	w.d.jail_enable = 0;
	decl_finish(&w.d, &w.diags);
	CHECK(!jail(&w, "a")->is_enabled && !jail(&w, "b")->is_enabled);
	CHECK_INT(told(&w, DIAG_N1429), 1);
	CHECK_INT(w.diags.n_errors, 0);
	arena_fini(&w.a);
}

TEST(links)
{
	struct world w;

	setup(&w);
	decl_add_link(&w.d, "lo1", SPAN_NONE);
	decl_add_link(&w.d, "lo1", SPAN_NONE);
	decl_add_link(&w.d, "jails0", SPAN_NONE);
	rc(&w, "jails0", "10.0.1.1/24");
	rc(&w, "lo3", "10.0.3.1/24");
	rc(&w, "igb0", "203.0.113.2/24");
	has(&w, "a", "lo2", "10.0.2.2");
	has(&w, "a", "lo0", "127.0.0.2");
	has(&w, "a", "igb0", "203.0.113.3");
	has(&w, "a", NULL, "203.0.113.4");
	decl_finish(&w.d, &w.diags);
	CHECK_INT(w.d.links.n, 3);
	CHECK(decl_has_link(&w.d, "lo2") && !decl_has_link(&w.d, "lo0"));
	CHECK(!w.d.addrs.v[0].is_host);
	CHECK(w.d.addrs.v[1].is_host && w.d.addrs.v[2].is_host);
	CHECK_INT(told(&w, DIAG_W1431), 1);
	CHECK_INT(w.diags.list.n, 1);
	arena_fini(&w.a);
}

TEST(sysctls)
{
	struct world w;

	setup(&w);
	decl_set_sysctl(&w.d, "a.b", "0", SPAN_NONE);
	decl_set_sysctl(&w.d, "c.d", "1", SPAN_NONE);
	decl_set_sysctl(&w.d, "a.b", "2", SPAN_NONE);
	CHECK_INT(w.d.sysctls.n, 2);
	CHECK_STR(w.d.sysctls.v[0].value, "2");
	arena_fini(&w.a);
}

TEST(to_facts)
{
	struct world w;
	struct facts f;
	const struct iface *i;

	setup(&w);
	decl_add_link(&w.d, "jails0", SPAN_NONE);
	rc(&w, "jails0", "10.0.1.1/24");
	rc(&w, "igb0", "203.0.113.2/24");
	vec_add(&w.a, &w.d.dhcp, name(&w, "igb1"));
	has(&w, "up", "jails0", "10.0.1.2");
	has(&w, "down", "jails0", "10.0.1.3");
	vec_add(&w.a, &w.d.jail_list, "up");
	w.d.has_jail_list = true;
	w.d.default_via[0] = prefix("203.0.113.1").a;
	w.d.default_via[1] = prefix("fe80::1").a;
	w.d.default_if[1] = name(&w, "igb1");
	decl_finish(&w.d, &w.diags);
	facts_init(&f, &w.a, &w.names);
	decl_to_facts(&w.d, &f);
	i = facts_find(&f, "jails0");
	if (CHECK(i != NULL)) {
		CHECK_INT(i->kind, IFACE_CLONED);
		CHECK(facts_has_group(&f, i, "lo"));
		CHECK_INT(i->addrs.n, 2);
	}
	CHECK(facts_find(&f, "igb1") != NULL);
	CHECK_STR(f.default_if[0], "igb0");
	CHECK_STR(f.default_if[1], "igb1");
	CHECK(addr_equal(f.default_via[0], w.d.default_via[0]));
	CHECK(facts_iface_of(&f, prefix("10.0.1.3").a) == NULL);
	arena_fini(&w.a);
}

/* Random claims against every pair of them */
TEST(random_claims)
{
	for (int round = 0; round < 300; round++) {
		struct world w;
		int n_conflicts = 0;

		setup(&w);
		for (int i = 0; i < 12; i++) {
			char text[ADDR_TEXT_BYTES], jail_name[8];

			snprintf(jail_name, sizeof(jail_name), "j%d", (int)unit_below(4));
			snprintf(text, sizeof(text), unit_below(2) ? "10.0.0.%d" : "fd00::%d",
				 1 + (int)unit_below(9));
			has(&w, jail_name, "lo1", text);
		}
		/* The first jail with an address is told of once for each other claim */
		for (uint32_t j = 0; j < w.d.jails.n; j++) {
			for (uint32_t n = 0; n < w.d.jails.v[j].addrs.n; n++) {
				const struct addr a = w.d.jails.v[j].addrs.v[n].p.a;
				bool is_taken = false;

				for (uint32_t k = 0; k < j && !is_taken; k++)
					for (uint32_t m = 0; m < w.d.jails.v[k].addrs.n; m++)
						is_taken |= addr_equal(
							w.d.jails.v[k].addrs.v[m].p.a, a);
				/* Without places, equal messages are one */
				for (uint32_t m = 0; m < n; m++)
					is_taken &= !addr_equal(w.d.jails.v[j].addrs.v[m].p.a, a);
				n_conflicts += is_taken;
			}
		}
		decl_finish(&w.d, &w.diags);
		CHECK_INT(told(&w, DIAG_E1425), n_conflicts);
		arena_fini(&w.a);
	}
}
