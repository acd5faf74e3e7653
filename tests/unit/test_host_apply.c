/* SPDX-License-Identifier: BSD-2-Clause */
#include "hostfix.h"
#include "ns.h"

#include <dirent.h>
#include <net/if.h>
#include <signal.h>
#include <sys/stat.h>

#include "host/apply.h"
#include "host/apply_link.h"

static struct nl_session session;
static struct state state;
static char base[64];

static struct host host(void)
{
	return (struct host){ .s = &session, .st = &state, .a = &fix.a, .diags = &fix.diags };
}

static bool begin(void)
{
	fix_begin();
	snprintf(base, sizeof(base), "/tmp/sallyport-apply-XXXXXX");
	return CHECK(mkdtemp(base) != NULL) &&
	       CHECK_INT(nl_open(&session, NETLINK_ROUTE), 0) &&
	       CHECK_INT(state_open(&state, base, STATE_WRITE, 0), 0);
}

static void end(void)
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

static int apply(enum host_part part)
{
	struct host h = host();

	return host_apply(&h, fix_want(), part);
}

static int destroy(enum host_part part)
{
	struct host h = host();

	return host_destroy(&h, part);
}

/* ---- what somebody else does ---------------------------------------------- */

static uint32_t index_of(const char *name)
{
	return if_nametoindex(name);
}

static void foreign_link(const char *name)
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

static struct rtnl_addr addr_on(const char *iface, const char *prefix, uint8_t proto)
{
	return (struct rtnl_addr){ .ifindex = index_of(iface), .p = fix_prefix(prefix),
				   .proto = proto };
}

static void foreign_addr(const char *iface, const char *prefix)
{
	const struct rtnl_addr x = addr_on(iface, prefix, 0);
	struct rtnl_msg m;

	CHECK_INT(nl_talk(&session, rtnl_msg_addr_add(&m, &x), NULL, NULL), 0);
}

static const char *value_of(const char *path)
{
	const char *value = "none";

	(void)(sysctl_read(path, &fix.a, &value) < 0);
	return value;
}

/* ---- the whole host as text ----------------------------------------------- */

static void snapshot_dir(FILE *out, const char *dir)
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

static void snapshot_links(FILE *out)
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

static const char *snapshot(void)
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
static void check_same(const char *got, const char *want)
{
	size_t at = 0;

	for (size_t i = 0; got[i] != '\0' && got[i] == want[i]; i++)
		if (got[i] == '\n')
			at = i + 1;
	CHECK_STR(arena_strndup(&fix.a, got + at, strcspn(got + at, "\n")),
		  arena_strndup(&fix.a, want + at, strcspn(want + at, "\n")));
}

/* Addresses of an interface with their owner, sorted by the kernel */
static const char *addrs_of(const char *iface)
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

static const char *plan_now(void)
{
	struct host_have have;
	struct host_plan p;

	CHECK_INT(host_have_read(&session, &state, &fix.a, &have), 0);
	host_plan_make(fix_want(), &have, &fix.a, &fix.diags, &p);
	return fix_plan(&p);
}

/* Inode of the record of settings: another one was written when it differs */
static uint64_t record_inode(void)
{
	struct stat sb = { 0 };

	CHECK_INT(fstatat(state.dir_fd, "sysctl", &sb, 0), 0);
	return sb.st_ino;
}

static void declare_example(void)
{
	fix_link("lo1");
	fix_addr("lo1", "192.168.100.1/29");
	fix_jail("www", "lo1", "192.168.100.2/32");
	fix_jail("db", "lo1", "fd00::3/128");
	fix.d.gateway = 1;
	fix.d.gateway6 = 1;
}

TEST(apply_twice_and_destroy)
{
	const char *before, *after;
	uint64_t inode;

	BEGIN();
	foreign_link("em0");
	foreign_addr("em0", "203.0.113.2/24");
	before = snapshot();
	declare_example();
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_INT(apply(HOST_SYSCTLS), 0);
	CHECK_STR(fix_codes(), "");
	CHECK_STR(addrs_of("lo1"), "192.168.100.1/29 192.168.100.2/32 fd00::3/128 ");
	CHECK_STR(addrs_of("em0"), "203.0.113.2/24! ");
	CHECK_STR(value_of("net/ipv4/ip_forward"), "1");
	CHECK_STR(value_of("net/ipv6/conf/all/forwarding"), "1");
	CHECK_STR(plan_now(), "");
	after = snapshot();
	inode = record_inode();
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_INT(apply(HOST_SYSCTLS), 0);
	check_same(snapshot(), after);
	CHECK(record_inode() == inode);
	CHECK_INT(destroy(HOST_SYSCTLS), 0);
	CHECK_INT(destroy(HOST_LINKS), 0);
	check_same(snapshot(), before);
	CHECK_STR(fix_codes(), "");
	CHECK_INT(destroy(HOST_SYSCTLS), 0);
	CHECK_INT(destroy(HOST_LINKS), 0);
	end();
}

TEST(declarations_that_change)
{
	BEGIN();
	fix_link("lo1");
	fix_link("lo2");
	fix_addr("lo1", "10.0.0.1/32");
	fix_addr("lo2", "10.0.0.2/32");
	CHECK_INT(apply(HOST_LINKS), 0);
	fix_clear();
	fix_link("lo2");
	fix_addr("lo2", "10.0.0.1/32");
	fix_addr("lo2", "fd00::1/64");
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_INT(index_of("lo1"), 0);
	CHECK_STR(addrs_of("lo2"), "10.0.0.1/32 fd00::1/64 ");
	fix_clear();
	fix_link("lo2");
	fix_addr("lo2", "fd00::1/128");
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_STR(addrs_of("lo2"), "fd00::1/128 ");
	end();
}

/* Removing 10.0.0.2/24 takes .3 and .4 along */
TEST(secondaries_of_a_removed_primary)
{
	BEGIN();
	CHECK_STR(value_of("net/ipv4/conf/all/promote_secondaries"), "0");
	fix_link("lo1");
	fix_addr("lo1", "10.0.0.2/24");
	fix_addr("lo1", "10.0.0.3/24");
	fix_addr("lo1", "10.0.0.4/24");
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_STR(addrs_of("lo1"), "10.0.0.2/24 10.0.0.3/24 10.0.0.4/24 ");
	fix_clear();
	fix_link("lo1");
	fix_addr("lo1", "10.0.0.3/24");
	fix_addr("lo1", "10.0.0.4/24");
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_STR(addrs_of("lo1"), "10.0.0.3/24 10.0.0.4/24 ");
	end();
}

TEST(address_of_somebody_else_is_left)
{
	const char *before;

	BEGIN();
	declare_example();
	CHECK_INT(apply(HOST_LINKS), 0);
	foreign_addr("lo1", "10.9.9.9/32");
	fix_addr("lo1", "10.0.0.7/32");
	before = snapshot();
	CHECK_INT(apply(HOST_LINKS), -EINVAL);
	CHECK_STR(fix_codes(), "E1802");
	check_same(snapshot(), before);
	fix_clear();
	declare_example();
	fix_addr("lo1", "10.9.9.9/32");
	CHECK_INT(apply(HOST_LINKS), -EINVAL);
	CHECK_STR(fix_codes(), "E1802");
	check_same(snapshot(), before);
	/* It would go with the link, so the link stays until it is gone */
	fix_clear();
	CHECK_INT(destroy(HOST_LINKS), 0);
	CHECK_STR(fix_codes(), "W1814");
	CHECK_STR(addrs_of("lo1"), "10.9.9.9/32! ");
	end();
}

TEST(link_of_somebody_else_is_left)
{
	const char *before;

	BEGIN();
	foreign_link("lo1");
	before = snapshot();
	declare_example();
	CHECK_INT(apply(HOST_LINKS), -EINVAL);
	CHECK_STR(fix_codes(), "E1801");
	CHECK_INT(destroy(HOST_LINKS), 0);
	check_same(snapshot(), before);
	end();
}

TEST(real_interface)
{
	const char *before;

	BEGIN();
	foreign_link("em0");
	foreign_addr("em0", "203.0.113.2/24");
	foreign_addr("em0", "203.0.113.5/24");
	before = snapshot();
	fix_jail("www", "em0", "203.0.113.5/32");
	fix_jail("db", "em0", "203.0.113.6/24");
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_STR(fix_codes(), "N1804");
	CHECK_STR(addrs_of("em0"), "203.0.113.2/24! 203.0.113.5/24! 203.0.113.6/24 ");
	CHECK_STR(plan_now(), "");
	CHECK_INT(destroy(HOST_LINKS), 0);
	check_same(snapshot(), before);
	end();
}

TEST(settings_of_each_interface)
{
	const char *before;

	BEGIN();
	foreign_link("em0");
	foreign_link("em1");
	CHECK_INT(sysctl_write("net/ipv4/conf/em0/forwarding", "1"), 0);
	CHECK_INT(sysctl_write("net/ipv6/conf/em1/forwarding", "1"), 0);
	CHECK_INT(sysctl_write("net/ipv4/conf/all/accept_redirects", "0"), 0);
	before = snapshot();
	declare_example();
	CHECK_INT(apply(HOST_SYSCTLS), 0);
	CHECK_STR(value_of("net/ipv4/conf/em1/forwarding"), "1");
	/* One that comes later must not keep what it has only because of us */
	foreign_link("em2");
	CHECK_STR(value_of("net/ipv4/conf/em2/forwarding"), "1");
	CHECK_INT(destroy(HOST_SYSCTLS), 0);
	CHECK_STR(value_of("net/ipv4/conf/em2/forwarding"), "0");
	CHECK_INT(nl_talk(&session, rtnl_msg_link_del(&(struct rtnl_msg){ 0 }, index_of("em2")),
			  NULL, NULL), 0);
	check_same(snapshot(), before);
	end();
}

TEST(setting_no_longer_declared)
{
	const char *before;

	BEGIN();
	before = snapshot();
	fix.d.gateway = 1;
	CHECK_INT(apply(HOST_SYSCTLS), 0);
	fix_clear();
	CHECK_INT(apply(HOST_SYSCTLS), 0);
	check_same(snapshot(), before);
	end();
}

/* Declared 1, then 0: destroy gives back what was before both */
TEST(setting_declared_otherwise)
{
	BEGIN();
	CHECK_INT(sysctl_write("net/ipv4/ip_forward", "1"), 0);
	CHECK_INT(sysctl_write("net/ipv4/conf/lo/forwarding", "0"), 0);
	fix_sysctl("net.inet.ip.forwarding", "0");
	CHECK_INT(apply(HOST_SYSCTLS), 0);
	CHECK_STR(value_of("net/ipv4/ip_forward"), "0");
	fix_sysctl("net.inet.ip.forwarding", "1");
	CHECK_INT(apply(HOST_SYSCTLS), 0);
	CHECK_STR(value_of("net/ipv4/conf/lo/forwarding"), "1");
	fix_sysctl("net.inet.ip.forwarding", "0");
	CHECK_INT(apply(HOST_SYSCTLS), 0);
	CHECK_INT(destroy(HOST_SYSCTLS), 0);
	CHECK_STR(value_of("net/ipv4/ip_forward"), "1");
	CHECK_STR(value_of("net/ipv4/conf/lo/forwarding"), "0");
	end();
}

TEST(setting_that_somebody_changed)
{
	BEGIN();
	declare_example();
	CHECK_INT(apply(HOST_SYSCTLS), 0);
	CHECK_INT(sysctl_write("net/ipv4/ip_forward", "0"), 0);
	CHECK_INT(sysctl_write("net/ipv4/conf/lo/forwarding", "1"), 0);
	CHECK_INT(destroy(HOST_SYSCTLS), 0);
	CHECK_STR(fix_codes(), "N1810");
	CHECK_STR(value_of("net/ipv4/conf/lo/forwarding"), "1");
	CHECK_STR(value_of("net/ipv6/conf/all/forwarding"), "0");
	end();
}

TEST(record_that_was_lost)
{
	BEGIN();
	declare_example();
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_INT(apply(HOST_SYSCTLS), 0);
	CHECK_INT(state_remove(&state, "sysctl"), 0);
	/* An apply in between must not make it look as if nothing had been lost */
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_STR(fix_codes(), "");
	CHECK_INT(destroy(HOST_SYSCTLS), 0);
	CHECK_STR(fix_codes(), "N1811 N1811");
	CHECK_STR(value_of("net/ipv4/ip_forward"), "1");
	CHECK_INT(destroy(HOST_LINKS), 0);
	CHECK_INT(index_of("lo1"), 0);
	end();
}

TEST(damaged_record)
{
	BEGIN();
	declare_example();
	CHECK_INT(apply(HOST_SYSCTLS), 0);
	CHECK_INT(state_write(&state, "sysctl", "nonsense", 8), 0);
	CHECK_INT(destroy(HOST_SYSCTLS), 0);
	CHECK_STR(fix_codes(), "N1811 N1811");
	CHECK_STR(value_of("net/ipv4/ip_forward"), "1");
	end();
}

TEST(killed_while_putting_back)
{
	static const char journal[] = "journal net/ipv4/conf/lo/forwarding 1\n"
				      "journal net/ipv4/conf/gone/forwarding 1\n";

	BEGIN();
	CHECK_INT(state_write(&state, "sysctl", journal, strlen(journal)), 0);
	CHECK_INT(destroy(HOST_SYSCTLS), 0);
	CHECK_STR(value_of("net/ipv4/conf/lo/forwarding"), "1");
	CHECK_INT(sysctl_write("net/ipv4/conf/lo/forwarding", "0"), 0);
	CHECK_INT(destroy(HOST_SYSCTLS), 0);
	CHECK_STR(value_of("net/ipv4/conf/lo/forwarding"), "0");
	end();
}

TEST(ipv6_turned_off)
{
	BEGIN();
	CHECK_INT(sysctl_write("net/ipv6/conf/default/disable_ipv6", "1"), 0);
	declare_example();
	CHECK_INT(apply(HOST_LINKS), -EOPNOTSUPP);
	CHECK_STR(fix_codes(), "E1807");
	end();
}

TEST(no_kind_of_link)
{
	static const char *const kinds[] = { "nosuch", "neither", NULL };
	struct host h;

	BEGIN();
	declare_example();
	h = host();
	h.kinds = kinds;
	CHECK_INT(host_apply(&h, fix_want(), HOST_LINKS), -EOPNOTSUPP);
	CHECK_STR(fix_codes(), "E1808");
	end();
}

TEST(refused_by_the_kernel)
{
	BEGIN();
	fix_link("lo1");
	fix_addr("lo1", "ff02::5/128");
	CHECK_INT(apply(HOST_LINKS), -EINVAL);
	CHECK_STR(fix_codes(), "E1806");
	CHECK(strstr(fix_told(), "the kernel refuses to add address ff02::5/128 on lo1: ") != NULL);
	end();
}

/* The kernel says yes to 0.0.0.0 and does nothing */
TEST(never_as_declared)
{
	BEGIN();
	fix_link("lo1");
	fix_addr("lo1", "0.0.0.0/32");
	CHECK_INT(apply(HOST_LINKS), -EINVAL);
	CHECK_STR(fix_codes(), "E1809");
	end();
}

/* What a kernel before 5.18 would show after the address was added */
TEST(mark_that_the_kernel_drops)
{
	const struct host_op op = { .kind = HOST_ADDR_ADD, .name = "em0" };
	struct rtnl_addrs addrs = { 0 };
	struct host h;

	BEGIN();
	foreign_link("em0");
	foreign_addr("em0", "10.0.0.1/32");
	vec_add(&fix.a, &addrs.list, addr_on("em0", "10.0.0.1/32", RTNL_ADDR_PROTO));
	h = host();
	CHECK_INT(host_check_mark(&h, &op, &addrs.list.v[0], &addrs), 0);
	addrs.list.v[0].proto = 0;
	CHECK_INT(host_check_mark(&h, &op, &(struct rtnl_addr){
			.ifindex = index_of("em0"), .p = fix_prefix("10.0.0.1/32"),
			.proto = RTNL_ADDR_PROTO }, &addrs), -EOPNOTSUPP);
	CHECK_STR(fix_codes(), "E1815");
	CHECK_STR(addrs_of("em0"), "");
	end();
}

static bool is_denied(int err)
{
	return err == -EPERM || err == -EACCES;
}

TEST(without_permission)
{
	pid_t pid;

	BEGIN();
	declare_example();
	pid = unit_fork();
	if (pid == 0) {
		struct nl_session s;
		struct host h;

		/* No rights over this network namespace from inside another user namespace */
		if (unshare(CLONE_NEWUSER) < 0 || nl_open(&s, NETLINK_ROUTE) < 0)
			_exit(9);
		h = host();
		h.s = &s;
		_exit(!is_denied(host_apply(&h, fix_want(), HOST_LINKS)) +
		      2 * !is_denied(host_apply(&h, fix_want(), HOST_SYSCTLS)));
	}
	CHECK_INT(unit_wait(pid), 0);
	CHECK_STR(fix_codes(), "");
	end();
}

TEST(link_deleted_or_emptied_by_somebody)
{
	struct rtnl_msg m;
	struct rtnl_addr x;
	const char *after;

	BEGIN();
	declare_example();
	CHECK_INT(apply(HOST_LINKS), 0);
	after = addrs_of("lo1");
	x = addr_on("lo1", "192.168.100.2/32", 0);
	CHECK_INT(nl_talk(&session, rtnl_msg_addr_del(&m, &x), NULL, NULL), 0);
	CHECK_STR(plan_now(), "add address 192.168.100.2/32 on lo1\n"
			      "change sysctl net.ipv4.ip_forward=1\n"
			      "change sysctl net.ipv6.conf.all.forwarding=1\n");
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_STR(addrs_of("lo1"), after);
	CHECK_INT(nl_talk(&session, rtnl_msg_link_del(&m, index_of("lo1")), NULL, NULL), 0);
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_STR(addrs_of("lo1"), after);
	CHECK_INT(nl_talk(&session, rtnl_msg_link_set_up(&m, index_of("lo1"), false), NULL, NULL),
		  0);
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_STR(addrs_of("lo1"), after);
	end();
}

/* ---- kill -9 -------------------------------------------------------------- */

static void declare_much(void)
{
	declare_example();
	fix_link("lo2");
	for (int i = 1; i <= 40; i++) {
		fix_addr("lo2", arena_printf(&fix.a, "10.7.0.%d/24", i));
		fix_addr(i % 2 == 0 ? "em0" : "lo2", arena_printf(&fix.a, "fd07::%d/64", i));
	}
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Runs in a child that is killed after @after_ns; the child takes the lock itself */
static void run_and_kill(bool is_destroy, int64_t after_ns)
{
	const struct timespec pause = { .tv_nsec = (long)(after_ns % 1000000000) };
	pid_t pid;
	int status;

	state_close(&state);
	pid = unit_fork();
	if (pid == 0) {
		nl_close(&session);
		if (nl_open(&session, NETLINK_ROUTE) < 0 ||
		    state_open(&state, base, STATE_WRITE, 1) < 0)
			_exit(1);
		if (is_destroy)
			_exit(destroy(HOST_SYSCTLS) < 0 || destroy(HOST_LINKS) < 0);
		_exit(apply(HOST_LINKS) < 0 || apply(HOST_SYSCTLS) < 0);
	}
	nanosleep(&pause, NULL);
	kill(pid, SIGKILL);
	status = unit_wait(pid);
	CHECK(status == 128 + SIGKILL || status == 0);
	CHECK_INT(state_open(&state, base, STATE_WRITE, 1), 0);
}

/* Killed after it began and before it ended */
static bool is_half_done(const char *before)
{
	return strcmp(snapshot(), before) != 0 && strcmp(plan_now(), "") != 0;
}

static void check_applied(const char *before)
{
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_INT(apply(HOST_SYSCTLS), 0);
	CHECK_STR(fix_codes(), "");
	CHECK_STR(plan_now(), "");
	CHECK(strcmp(snapshot(), before) != 0);
}

static void check_destroyed(const char *before)
{
	CHECK_INT(destroy(HOST_SYSCTLS), 0);
	CHECK_INT(destroy(HOST_LINKS), 0);
	check_same(snapshot(), before);
}

TEST(killed_anywhere)
{
	const char *before;
	int64_t apply_ns, destroy_ns, t;
	unsigned int n_half = 0;

	BEGIN();
	foreign_link("em0");
	foreign_addr("em0", "203.0.113.2/24");
	CHECK_INT(sysctl_write("net/ipv4/conf/em0/forwarding", "1"), 0);
	before = snapshot();
	declare_much();
	t = now_ns();
	check_applied(before);
	apply_ns = now_ns() - t;
	t = now_ns();
	check_destroyed(before);
	destroy_ns = now_ns() - t;
	for (int i = 0; i < 25; i++) {
		run_and_kill(false, (int64_t)unit_below(2 * (uint64_t)apply_ns));
		n_half += is_half_done(before);
		if (unit_below(2) == 0)
			check_applied(before);
		run_and_kill(true, (int64_t)unit_below(2 * (uint64_t)destroy_ns));
		n_half += is_half_done(before);
		if (unit_below(2) == 0)
			check_applied(before);
		check_destroyed(before);
		fix_clear();
		declare_much();
	}
	CHECK(n_half > 0);
	end();
}
