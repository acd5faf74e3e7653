/* SPDX-License-Identifier: BSD-2-Clause */
#include "ns.h"

#include "host/sysctl.h"

static struct arena arena;

static const char *get(const char *path)
{
	const char *value;
	const int err = sysctl_read(path, &arena, &value);

	return err == 0 ? value : arena_printf(&arena, "%s", strerrorname_np(-err));
}

TEST(read_and_write)
{
	NS_FRESH();
	arena_init(&arena, 1 << 20);
	CHECK_INT(sysctl_write("net/ipv4/ip_forward", "1"), 0);
	CHECK_STR(get("net/ipv4/ip_forward"), "1");
	CHECK_STR(get("net/ipv4/conf/lo/forwarding"), "1");
	/* It is this namespace's, whoever opened it before */
	NS_FRESH();
	CHECK_STR(get("net/ipv4/ip_forward"), "0");
	CHECK_STR(get("net/ipv4/nosuch"), "ENOENT");
	CHECK_INT(sysctl_write("net/ipv4/nosuch", "1"), -ENOENT);
	CHECK_INT(sysctl_write("net/ipv4/ip_forward", "many"), -EINVAL);
	CHECK_STR(sysctl_name("net/ipv4/ip_forward", &arena), "net.ipv4.ip_forward");
	arena_fini(&arena);
}

TEST(path_too_long)
{
	char path[300];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	CHECK_INT(sysctl_write(path, "1"), -ENAMETOOLONG);
}

/* What we say changes along is exactly what the kernel changes along */
static void check_along(const char *path)
{
	struct sysctls before = { 0 }, after = { 0 };

	CHECK_INT(sysctl_along_read(path, &arena, &before), 0);
	CHECK(before.list.n >= 2);
	CHECK_INT(sysctl_write(path, "1"), 0);
	CHECK_INT(sysctl_along_read(path, &arena, &after), 0);
	CHECK_INT(after.list.n, before.list.n);
	for (uint32_t i = 0; i < after.list.n; i++) {
		const struct sysctl *x = &after.list.v[i];

		CHECK_STR(x->value, sysctl_predict(x->path, "1"));
		CHECK(sysctl_find(&before, x->path) != NULL);
	}
}

TEST(along)
{
	struct sysctls none = { 0 };

	NS_FRESH();
	arena_init(&arena, 1 << 20);
	check_along("net/ipv4/ip_forward");
	check_along("net/ipv6/conf/all/forwarding");
	CHECK_INT(sysctl_along_read("net/ipv4/tcp_syncookies", &arena, &none), 0);
	CHECK_INT(none.list.n, 0);
	arena_fini(&arena);
}

static const char *print(const struct sysctl_state *s)
{
	char *text, *copy;
	size_t len;

	if (!CHECK_INT(sysctl_state_print(s, &text, &len), 0))
		return "";
	copy = arena_strndup(&arena, text, len);
	free(text);
	return copy;
}

static int parse(const char *text, struct sysctl_state *ret)
{
	return sysctl_state_parse(text, strlen(text), &arena, ret);
}

TEST(state_text)
{
	static const char text[] = "lost\n"
				   "saved net/ipv4/ip_forward 0 1\n"
				   "along net/ipv4/conf/lo/forwarding 0 1\n"
				   "along net/ipv4/conf/a..b/forwarding 1 1\n"
				   "saved net/ipv6/conf/all/forwarding 0 1\n"
				   "journal net/ipv4/ip_forward 0\n";
	struct sysctl_state s;

	arena_init(&arena, 1 << 20);
	CHECK_INT(parse(text, &s), 0);
	CHECK_STR(print(&s), text);
	CHECK_INT(sysctl_saved_find(&s, "net/ipv4/ip_forward")->along.n, 2);
	CHECK(sysctl_saved_find(&s, "net/ipv4/x") == NULL);
	CHECK_INT(parse("", &s), 0);
	CHECK_STR(print(&s), "");
	arena_fini(&arena);
}

TEST(bad_state_text)
{
	static const char *const bad[] = {
		"saved net/ipv4/ip_forward 0\n", "saved net/ipv4/ip_forward 0 1",
		"saved kernel/core_pattern a b\n", "saved net/../kernel/core_pattern a b\n",
		"along net/ipv4/conf/lo/forwarding 0 1\n", "journal net/ipv4/ip_forward\n",
		"journal net/ipv4/ip_forward 0 1\n", "saved net/x 0 1 2\n", "other net/x 0 1\n",
		"\n", "lost 1\n", "saved  net/x 0 1\n",
	};
	struct sysctl_state s;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_INT(parse(bad[i], &s), -EBADMSG);
	arena_fini(&arena);
}

TEST(put_back)
{
	static const char record[] = "saved net/ipv4/ip_forward 0 1\n"
				     "along net/ipv4/conf/em0/forwarding 1 1\n"
				     "along net/ipv4/conf/em1/forwarding 0 1\n"
				     "along net/ipv4/conf/em2/forwarding 0 1\n"
				     "along net/ipv4/conf/gone/forwarding 0 1\n"
				     "along net/ipv4/conf/default/forwarding 0 1\n"
				     "along net/ipv4/conf/all/accept_redirects 1 0\n";
	static const struct sysctl rows[] = {
		{ "net/ipv4/conf/em0/forwarding", "1" },	/* was 1 before us */
		{ "net/ipv4/conf/em1/forwarding", "1" },	/* we turned it on */
		{ "net/ipv4/conf/em2/forwarding", "0" },	/* somebody turned it off since */
		{ "net/ipv4/conf/new/forwarding", "1" },	/* came since, with the default */
		{ "net/ipv4/conf/default/forwarding", "1" },
		{ "net/ipv4/conf/all/accept_redirects", "0" },
	};
	struct sysctls now = { 0 }, ret = { 0 };
	struct sysctl_state s;

	arena_init(&arena, 1 << 20);
	CHECK_INT(parse(record, &s), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		vec_add(&arena, &now.list, rows[i]);
	sysctl_put_back(&s.saved.v[0], &now, &arena, &ret);
	CHECK_INT(ret.list.n, 7);
	CHECK_STR(ret.list.v[0].path, "net/ipv4/ip_forward");
	CHECK_STR(sysctl_find(&ret, "net/ipv4/ip_forward"), "0");
	CHECK_STR(sysctl_find(&ret, "net/ipv4/conf/em0/forwarding"), "1");
	CHECK_STR(sysctl_find(&ret, "net/ipv4/conf/em1/forwarding"), "0");
	CHECK_STR(sysctl_find(&ret, "net/ipv4/conf/em2/forwarding"), "0");
	CHECK_STR(sysctl_find(&ret, "net/ipv4/conf/new/forwarding"), "0");
	CHECK_STR(sysctl_find(&ret, "net/ipv4/conf/default/forwarding"), "0");
	CHECK_STR(sysctl_find(&ret, "net/ipv4/conf/all/accept_redirects"), "1");
	CHECK(sysctl_find(&ret, "net/ipv4/conf/gone/forwarding") == NULL);
	arena_fini(&arena);
}
