/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <unistd.h>

#include "host/confine.h"

static struct arena arena;

static struct prefix prefix(const char *text)
{
	struct prefix p = { .len = 0 };

	CHECK_INT(prefix_parse(text, strlen(text), &p), 0);
	return p;
}

static void jail_addr(struct decl_jail *j, const char *text)
{
	vec_add(&arena, &j->addrs, ((struct decl_addr){ .p = prefix(text) }));
}

static void jail_param(struct decl_jail *j, const char *name, const char *value)
{
	struct decl_param p = { .name = name };

	if (value != NULL)
		vec_add(&arena, &p.values, value);
	vec_add(&arena, &j->params, p);
}

TEST(what_a_jail_may_do_follows_from_its_declaration)
{
	struct decl_jail j = { .name = "www" };
	struct confine_rules r;

	arena_init(&arena, 1u << 26);
	CHECK_INT(confine_rules_of(&j, &arena, &r), 0);
	CHECK(!r.v4.is_free && !r.v6.is_free && !r.may_raw);
	CHECK_INT(r.v4.addrs.n + r.v6.addrs.n, 0);

	jail_addr(&j, "10.0.0.2/32");
	jail_addr(&j, "fd00::2/128");
	jail_addr(&j, "10.0.0.3/24");
	jail_param(&j, "allow.raw_sockets", NULL);
	CHECK_INT(confine_rules_of(&j, &arena, &r), 0);
	CHECK_INT(r.v4.addrs.n, 2);
	CHECK_INT(r.v6.addrs.n, 1);
	CHECK(r.v4.addrs.v[0].a.v == 0x0a000002 && r.v4.addrs.v[1].len == 24);
	CHECK(r.may_raw);

	jail_param(&j, "allow.raw_sockets", "0");
	jail_param(&j, "ip6", "inherit");
	CHECK_INT(confine_rules_of(&j, &arena, &r), 0);
	CHECK(!r.may_raw);
	CHECK(!r.v6.is_free);		/* an address says `new` */
	j.addrs.n = 0;
	CHECK_INT(confine_rules_of(&j, &arena, &r), 0);
	CHECK(r.v6.is_free && !r.v4.is_free);
	arena_fini(&arena);
}

TEST(too_many_addresses_are_refused)
{
	struct decl_jail j = { .name = "www" };
	struct confine_rules r = { .may_raw = true };

	arena_init(&arena, 1u << 26);
	for (uint32_t i = 0; i <= CONFINE_ADDRS; i++) {
		CHECK_INT(confine_rules_of(&j, &arena, &r), 0);
		jail_addr(&j, "10.0.0.2/32");
	}
	r.may_raw = true;
	CHECK_INT(confine_rules_of(&j, &arena, &r), -E2BIG);
	CHECK(r.may_raw);
	arena_fini(&arena);
}

/* A family with nothing, everything, or @n addresses of many lengths */
static void make_family(struct confine_family *f, uint8_t af, int n)
{
	*f = (struct confine_family){ .is_free = n < 0 };
	for (int i = 0; i < n; i++) {
		const unsigned int bits = addr_bits(af);
		const u128 v = af == AF_V4 ? 0x0a000000u + (u128)i :
			((u128)0xfd00 << 112) + (u128)i;

		vec_add(&arena, &f->addrs, ((struct prefix){ { af, v },
			(uint8_t)(i == 1 ? 0 : bits - (unsigned int)i % bits) }));
	}
}

static int try_load(const struct confine_rules *r)
{
	CLEANUP(confine_close) struct confine x;
	int err;

	confine_init(&x);
	err = confine_load(&x, r, &arena);
	if (err < 0)
		printf("    %s: %s\n", x.failed, x.log);
	return err;
}

TEST(the_kernel_takes_every_program)
{
	static const int sizes[] = { -1, 0, 1, 3, CONFINE_ADDRS };
	int err;

	arena_init(&arena, 1u << 26);
	for (size_t i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(sizes); i++) {
		struct confine_rules r = { .may_raw = i % 2 == 0 };

		make_family(&r.v4, AF_V4, sizes[i % ARRAY_SIZE(sizes)]);
		make_family(&r.v6, AF_V6, sizes[i / ARRAY_SIZE(sizes)]);
		err = try_load(&r);
		if (err == -EPERM) {
			unit.skip = "programs need CAP_BPF of the machine";
			break;
		}
		CHECK_INT(err, 0);
	}
	arena_fini(&arena);
}

TEST(only_a_cgroup_is_opened_as_one)
{
	const char *path = "untouched";

	arena_init(&arena, 1u << 26);
	CHECK_INT(confine_cgroup_open("/proc", &arena, &path), -ENOTDIR);
	CHECK_INT(confine_cgroup_open("/nowhere/at/all", &arena, &path), -ENOENT);
	CHECK_INT(confine_cgroup_open("nowhere", &arena, &path), -ENOENT);
	CHECK_STR(path, "untouched");
	CHECK_INT(confine_cgroup_of(INT32_MAX, &arena, &path), -ESRCH);
	arena_fini(&arena);
}
