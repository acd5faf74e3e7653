/* SPDX-License-Identifier: BSD-2-Clause */
#include "hostlive.h"

#include <signal.h>
#include <sys/stat.h>

#include "host/apply_link.h"

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
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_STR(fix_codes(), "W1819");
	before = snapshot();
	CHECK(strstr(addrs_of("lo1"), "10.0.0.7/32 ") != NULL);
	CHECK(strstr(addrs_of("lo1"), "10.9.9.9/32! ") != NULL);
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
	CHECK_INT(apply(HOST_LINKS), -EINVAL);	/* before anything is changed */
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

/* A range on a link that is yet to be made; and all of it goes at once */
TEST(many_addresses)
{
	const char *before;
	struct decl_addr x;

	BEGIN();
	before = snapshot();
	fix_link("lo1");
	x = fix_decl("lo1", "10.7.0.0/32");
	for (int i = 0; i < 3000; i++) {
		x.p.a.v++;
		vec_add(&fix.a, &fix.d.addrs, x);
	}
	CHECK_INT(apply(HOST_LINKS), 0);
	CHECK_STR(plan_now(), "");
	CHECK_INT(destroy(HOST_LINKS), 0);
	check_same(snapshot(), before);
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
