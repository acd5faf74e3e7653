/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostlive - a host of its own for tests that change it
 *
 * A fresh network namespace with a session and a state directory, what
 * somebody else does there, and all of it as text to compare.
 *
 * Owns:	 static state of one test, from BEGIN() to end().
 * Threads:	 none.
 */
#ifndef TESTS_HOSTLIVE_H
#define TESTS_HOSTLIVE_H

#include <dirent.h>
#include <net/if.h>

#include "host/apply.h"
#include "hostfix.h"
#include "ns.h"

static struct nl_session session;
static struct state state;
static char base[64];

static inline struct host host(void)
{
	return (struct host){ .s = &session, .st = &state, .a = &fix.a, .diags = &fix.diags };
}

static inline bool begin(void)
{
	fix_begin();
	snprintf(base, sizeof(base), "/tmp/sallyport-apply-XXXXXX");
	return CHECK(mkdtemp(base) != NULL) &&
	       CHECK_INT(nl_open(&session, NETLINK_ROUTE), 0) &&
	       CHECK_INT(state_open(&state, base, STATE_WRITE, 0), 0);
}

static inline void end(void)
{
	char cmd[128];

	nl_close(&session);
	state_close(&state);
	fix_end();
	snprintf(cmd, sizeof(cmd), "rm -rf %s", base);
	CHECK_INT(system(cmd), 0);
}

#define BEGIN() \
	NS_FRESH(); \
	if (!begin()) \
		return

static inline int apply(enum host_part part)
{
	struct host h = host();

	return host_apply(&h, fix_want(), part);
}

static inline int destroy(enum host_part part)
{
	struct host h = host();

	return host_destroy(&h, part);
}

/* ---- what somebody else does ---------------------------------------------- */

static inline uint32_t index_of(const char *name)
{
	return if_nametoindex(name);
}

static inline void foreign_link(const char *name)
{
	struct rtnl_msg m;
	struct nlmsghdr *msg = rtnl_msg_link_add(&m, name, "bridge");

	/* The group is the first attribute after the name, which is padded to 4 bytes */
	memset(m.buf + 32 + 4 + ((strlen(name) + 4) & ~3u) + 4, 0, 4);
	CHECK_INT(nl_talk(&session, msg, NULL, NULL), 0);
	/* A fe80:: address that is tentative for a second would make each snapshot another */
	CHECK_INT(sysctl_write(arena_printf(&fix.a, "net/ipv6/conf/%s/addr_gen_mode", name), "1"),
		  0);
	CHECK_INT(nl_talk(&session, rtnl_msg_link_set_up(&m, index_of(name), true), NULL, NULL), 0);
}

static inline struct rtnl_addr addr_on(const char *iface, const char *prefix, uint8_t proto)
{
	return (struct rtnl_addr){ .ifindex = index_of(iface), .p = fix_prefix(prefix),
				   .proto = proto };
}

static inline void foreign_addr(const char *iface, const char *prefix)
{
	const struct rtnl_addr x = addr_on(iface, prefix, 0);
	struct rtnl_msg m;

	CHECK_INT(nl_talk(&session, rtnl_msg_addr_add(&m, &x), NULL, NULL), 0);
}

static inline const char *value_of(const char *path)
{
	const char *value = "none";

	(void)(sysctl_read(path, &fix.a, &value) < 0);
	return value;
}

/* ---- the whole host as text ----------------------------------------------- */

static inline void snapshot_dir(FILE *out, const char *dir)
{
	char path[512];
	struct dirent **e;
	const int n = scandir(arena_printf(&fix.a, "/proc/sys/%s", dir), &e, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		const char *value;

		snprintf(path, sizeof(path), "%s/%s", dir, e[i]->d_name);
		if (e[i]->d_type == DT_DIR && e[i]->d_name[0] != '.')
			snapshot_dir(out, path);
		else if (e[i]->d_type != DT_DIR && strlen(path) < SYSCTL_PATH_BYTES &&
			 strcmp(e[i]->d_name, "stable_secret") != 0 &&
			 sysctl_read(path, &fix.a, &value) == 0)
			fprintf(out, "%s=%s\n", path, value);
		free(e[i]);
	}
	if (n >= 0)
		free(e);
}

static inline void snapshot_links(FILE *out)
{
	char text[ADDR_TEXT_BYTES];
	struct rtnl_links links = { 0 };
	struct rtnl_addrs addrs = { 0 };

	CHECK_INT(rtnl_links_read(&session, &fix.a, &links), 0);
	CHECK_INT(rtnl_addrs_read(&session, &fix.a, &addrs), 0);
	for (uint32_t i = 0; i < links.list.n; i++)
		fprintf(out, "%u %s %s '%s' %x %u\n", links.list.v[i].index, links.list.v[i].name,
			links.list.v[i].kind, links.list.v[i].alias, links.list.v[i].flags,
			links.list.v[i].group);
	for (uint32_t i = 0; i < addrs.list.n; i++)
		fprintf(out, "%u %s %x %u\n", addrs.list.v[i].ifindex,
			prefix_print(addrs.list.v[i].p, text), addrs.list.v[i].flags,
			addrs.list.v[i].proto);
}

static inline const char *snapshot(void)
{
	char *text = NULL, *copy;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	snapshot_links(out);
	snapshot_dir(out, "net/ipv4/conf");
	snapshot_dir(out, "net/ipv6/conf");
	fprintf(out, "%s\n", value_of("net/ipv4/ip_forward"));
	fclose(out);
	copy = arena_strndup(&fix.a, text, len);
	free(text);
	return copy;
}

/* Compares two snapshots, and shows the first line that differs */
static inline void check_same(const char *got, const char *want)
{
	size_t at = 0;

	for (size_t i = 0; got[i] != '\0' && got[i] == want[i]; i++)
		if (got[i] == '\n')
			at = i + 1;
	CHECK_STR(arena_strndup(&fix.a, got + at, strcspn(got + at, "\n")),
		  arena_strndup(&fix.a, want + at, strcspn(want + at, "\n")));
}

/* Addresses of an interface with their owner, sorted by the kernel */
static inline const char *addrs_of(const char *iface)
{
	char buf[ADDR_TEXT_BYTES];
	struct rtnl_addrs addrs = { 0 };
	const char *text = "";

	CHECK_INT(rtnl_addrs_read(&session, &fix.a, &addrs), 0);
	for (uint32_t i = 0; i < addrs.list.n; i++)
		if (addrs.list.v[i].ifindex == index_of(iface))
			text = arena_printf(&fix.a, "%s%s%s ", text,
					    prefix_print(addrs.list.v[i].p, buf),
					    host_is_our_addr(&addrs.list.v[i]) ? "" : "!");
	return text;
}

static inline const char *plan_now(void)
{
	struct host_have have;
	struct host_plan p;

	CHECK_INT(host_have_read(&session, &state, &fix.a, &have), 0);
	host_plan_make(fix_want(), &have, &fix.a, &fix.diags, &p);
	return fix_plan(&p);
}

#endif /* TESTS_HOSTLIVE_H */
