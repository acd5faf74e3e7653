/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_updown - what `up` and `down` of one of fifty jails cost
 *
 *	updown-up, updown-down	the whole command, ms
 *	updown-exec		a process of the program that does nothing, ms
 *	updown-up-netlink	one element and two addresses over netlink alone, ms
 *	updown-down-netlink	the same of taking them away
 *	updown-up-own		what is left of up without exec and netlink: files read, the
 *				host asked, rules compared, state written
 *	updown-down-own		the same of down
 *	updown-up-ratio		up in comparison with exec and netlink
 *	updown-down-ratio	the same of down
 *	updown-vnet-...		a vnet jail: a pair of veth, of which the netlink alone
 *				makes the host's end ready, not the jail's
 *	updown-create-...	the same with a namespace that is made and goes again
 *	updown-vnet100-...	a hundred such at once
 *
 * All in network and mount namespaces of its own, and in memory, as /run is; the least
 * of some runs counts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nl/batch.h"
#include "nl/rtnl_veth.h"

#define RUNS	15
#define JAILS	50
#define MANY	100	/* vnet jails at once */
#define MANY_RUNS	3
#define BENCH_GROUP	0x42u

static char dir[] = "/dev/shm/bench-updown-XXXXXX";
static const char *program;

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Run the program; its time in ms, or -1 */
static double run(const char *const *args)
{
	const double start = now_ms();
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		const int null_fd = open("/dev/null", O_WRONLY);

		dup2(null_fd, 1);
		dup2(null_fd, 2);
		execv(program, (char *const *)(const void *)args);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0)
		return -1;
	return now_ms() - start;
}

static double least(double a, double b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f == NULL)
		return -errno;
	fputs(text, f);
	return fclose(f) == 0 ? 0 : -errno;
}

static int write_jails(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int err;

	for (int i = 1; i <= JAILS; i++)
		fprintf(f, "j%d { ip4.addr = \"lo1|10.0.0.%d/32\"; ip6.addr = \"lo1|fd00::%d\"; "
			"$forward = \"tcp %d:80 to 203.0.113.2\"; }\n", i, i, i,
			8000 + i);
	fprintf(f, "v1 { vnet; $address = \"10.1.0.1/32, fd01::1/128\"; "
		"$forward = \"tcp 9001:80 to 203.0.113.2\"; }\n");
	fprintf(f, "v2 { vnet; $address = \"10.1.0.2/32, fd01::2/128\"; "
		"$forward = \"tcp 9002:80 to 203.0.113.2\"; }\n");
	fclose(f);
	err = write_file("jail.conf", text);
	free(text);
	return err;
}

static int write_many(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int err;

	for (int i = 1; i <= MANY; i++)
		fprintf(f, "m%d { vnet; $address = \"10.2.0.%d/32, fd02::%d/128\"; "
			"$forward = \"tcp %d:80 to 203.0.113.2\"; }\n", i, i, i, 20000 + i);
	fclose(f);
	err = write_file("many.jail.conf", text);
	free(text);
	return err;
}

/* A message about a table and perhaps a set of it */
static int add_message(struct nl_batch *b, uint16_t type, struct nlmsghdr **ret)
{
	int err = nl_batch_add(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_CREATE,
			       NFPROTO_INET, 0, ret);

	if (err == 0)
		mnl_attr_put_strz(*ret, NFTA_SET_TABLE, "bench");
	return err;
}

/* A table of nobody else with a set of ports: what stands before a jail goes up */
static int add_set(struct nl_batch *b)
{
	struct nlmsghdr *m;
	int err = add_message(b, NFT_MSG_NEWTABLE, &m);

	if (err == 0)
		err = add_message(b, NFT_MSG_NEWSET, &m);
	if (err < 0)
		return err;
	mnl_attr_put_strz(m, NFTA_SET_NAME, "ports");
	mnl_attr_put_u32(m, NFTA_SET_ID, htonl(1));
	mnl_attr_put_u32(m, NFTA_SET_KEY_LEN, htonl(sizeof(uint16_t)));
	return 0;
}

/* One port of it, as a jail has one forward */
static int add_element(struct nl_batch *b, uint16_t type)
{
	struct nlattr *all, *one, *key;
	struct nlmsghdr *m;
	int err = add_message(b, type, &m);

	if (err < 0)
		return err;
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, "ports");
	all = mnl_attr_nest_start(m, NFTA_SET_ELEM_LIST_ELEMENTS);
	one = mnl_attr_nest_start(m, NFTA_LIST_ELEM);
	key = mnl_attr_nest_start(m, NFTA_SET_ELEM_KEY);
	mnl_attr_put_u16(m, NFTA_DATA_VALUE, htons(80));
	mnl_attr_nest_end(m, key);
	mnl_attr_nest_end(m, one);
	mnl_attr_nest_end(m, all);
	return 0;
}

/* One transaction, of a socket of its own; @type 0: the table and the set */
static int commit(uint16_t type)
{
	struct nl_session s CLEANUP(nl_close) = { .fd = -1 };
	struct nl_batch b CLEANUP(nl_batch_fini);
	struct nl_batch_result result;
	int err = nl_open(&s, NETLINK_NETFILTER);

	nl_batch_init(&b);
	if (err == 0)
		err = nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 0);
	if (err == 0)
		err = type == 0 ? add_set(&b) : add_element(&b, type);
	return err < 0 ? err : nl_batch_send(&b, &s, &result);
}

/* Two addresses come or go */
static int change_addrs(bool is_up)
{
	static const char *const texts[] = { "10.9.0.1/32", "fd09::1/128" };
	struct nl_session s CLEANUP(nl_close) = { .fd = -1 };
	int err = nl_open(&s, NETLINK_ROUTE);

	for (size_t i = 0; i < ARRAY_SIZE(texts) && err == 0; i++) {
		struct rtnl_addr x = { .ifindex = if_nametoindex("lo1"),
				       .proto = RTNL_ADDR_PROTO };
		struct rtnl_msg m;

		err = prefix_parse(texts[i], strlen(texts[i]), &x.p);
		if (err == 0)
			err = nl_talk(&s, is_up ? rtnl_msg_addr_add(&m, &x) :
				      rtnl_msg_addr_del(&m, &x), NULL, NULL);
	}
	return err;
}

/* The network namespace of a jail, and who is in it */
static struct { pid_t pid; int fd; char text[16]; } jail = { .fd = -1 };

static int make_jail(void)
{
	char path[32], byte;
	int ready[2];

	if (pipe(ready) < 0)
		return -errno;
	jail.pid = fork();
	if (jail.pid == 0) {
		if (unshare(CLONE_NEWNET) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (jail.pid < 0 || read(ready[0], &byte, 1) != 1)
		return -EIO;
	close(ready[0]);
	snprintf(jail.text, sizeof(jail.text), "%d", jail.pid);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", jail.pid);
	jail.fd = open(path, O_RDONLY | O_CLOEXEC);
	return jail.fd < 0 ? -errno : 0;
}

/* A pair of veth to the namespace @fd, its end here up with an address and a route */
static int add_pair(struct nl_session *s, uint8_t i, int fd)
{
	struct rtnl_addr x = { .p = { addr_v4(10, 9, 1, 1), 32 } };
	struct rtnl_hop hop = { .dst = { addr_v4(10, 9, 2, i), 32 } };
	char name[16], peer[16];
	struct rtnl_msg m;
	int err;

	snprintf(name, sizeof(name), "bench%ua", i);
	snprintf(peer, sizeof(peer), "bench%ub", i);
	err = nl_talk(s, rtnl_msg_veth_add(&m, name, BENCH_GROUP, peer, fd), NULL, NULL);
	x.ifindex = hop.ifindex = if_nametoindex(name);
	if (err == 0)
		err = nl_talk(s, rtnl_msg_link_set_up(&m, x.ifindex, true), NULL, NULL);
	if (err == 0)
		err = nl_talk(s, rtnl_msg_addr_add(&m, &x), NULL, NULL);
	return err < 0 ? err : nl_talk(s, rtnl_msg_route_add(&m, &hop), NULL, NULL);
}

/* All of them go at once */
static int del_pairs(struct nl_session *s)
{
	struct rtnl_msg m;

	return nl_talk(s, rtnl_msg_group_del(&m, BENCH_GROUP), NULL, NULL);
}

/* The pair of the process that has a namespace comes or goes */
static int change_link(bool is_up)
{
	struct nl_session s CLEANUP(nl_close) = { .fd = -1 };
	int err = nl_open(&s, NETLINK_ROUTE);

	if (err < 0)
		return err;
	return is_up ? add_pair(&s, 1, jail.fd) : del_pairs(&s);
}

static int made[MANY];	/* namespaces that are there only by their descriptors */

static int add_namespaces(int n)
{
	const int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int err = own < 0 ? -errno : 0;

	for (int i = 0; i < n && err == 0; i++) {
		if (unshare(CLONE_NEWNET) < 0)
			err = -errno;
		made[i] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	}
	if (own >= 0 && setns(own, CLONE_NEWNET) < 0)
		err = -errno;
	close(own);
	return err;
}

/* @n namespaces with a pair each come or go */
static int change_created(bool is_up, int n)
{
	struct nl_session s CLEANUP(nl_close) = { .fd = -1 };
	int err = nl_open(&s, NETLINK_ROUTE);

	if (err == 0 && is_up)
		err = add_namespaces(n);
	for (int i = 0; i < n && err == 0 && is_up; i++)
		err = add_pair(&s, (uint8_t)(i + 1), made[i]);
	if (err == 0 && !is_up)
		err = del_pairs(&s);
	for (int i = 0; i < n && !is_up; i++)
		close(made[i]);
	return err;
}

static int change_one_created(bool is_up)
{
	return change_created(is_up, 1);
}

/**
 * struct kind - A kind of jail
 * @name:	Of its lines
 * @jail:	One of them
 * @place:	Option of `up` that says where it is, or NULL
 * @of:		Its value, or NULL
 * @change:	What its link or addresses need, by netlink alone
 */
static const struct kind {
	const char *name;
	const char *jail;
	const char *place;
	const char *of;
	int (*change)(bool is_up);
} kinds[] = {
	{ "updown", "j7", NULL, NULL, change_addrs },
	{ "updown-vnet", "v1", "--pid", jail.text, change_link },
	{ "updown-create", "v2", "--create", NULL, change_one_created },
};

/* What the kernel needs for the changes alone; ms, or -1 */
static double netlink(const struct kind *k, bool is_up)
{
	const double start = now_ms();
	int err = commit(is_up ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM);

	if (err == 0)
		err = k->change(is_up);
	return err == 0 ? now_ms() - start : -1;
}

static int measure(const struct kind *k, const char *state)
{
	const char *const up[] = { program, "-q", "--state-dir", state, "up", k->jail,
				   k->place, k->of, NULL };
	const char *const down[] = { program, "-q", "--state-dir", state, "down", k->jail, NULL };
	const char *const nothing[] = { program, "--version", NULL };
	double t_up = -1, t_down = -1, t_exec = -1, nl_up = -1, nl_down = -1;

	for (int i = 0; i < RUNS; i++) {
		t_exec = least(t_exec, run(nothing));
		t_down = least(t_down, run(down));
		t_up = least(t_up, run(up));
		nl_up = least(nl_up, netlink(k, true));
		nl_down = least(nl_down, netlink(k, false));
	}
	if (t_up < 0 || t_down < 0 || t_exec < 0 || nl_up < 0 || nl_down < 0)
		return -1;
	printf("%s-up %.2f ms\n%s-down %.2f ms\n", k->name, t_up, k->name, t_down);
	printf("%s-exec %.2f ms\n", k->name, t_exec);
	printf("%s-up-netlink %.2f ms\n%s-down-netlink %.2f ms\n", k->name, nl_up, k->name,
	       nl_down);
	printf("%s-up-own %.2f ms\n%s-down-own %.2f ms\n", k->name, t_up - t_exec - nl_up,
	       k->name, t_down - t_exec - nl_down);
	printf("%s-up-ratio %.2f x\n", k->name, t_up / (t_exec + nl_up));
	printf("%s-down-ratio %.2f x\n", k->name, t_down / (t_exec + nl_down));
	return 0;
}

/* A hundred vnet jails in a state of their own, ms of the program and of the raw calls */
static int measure_many(const char *rc, const char *jails, const char *state)
{
	const char *const up[] = { program, "-q", "--state-dir", state, "-f", rc, "-f", jails,
				   "up", "--create", "ALL", NULL };
	const char *const down[] = { program, "-q", "--state-dir", state, "down", "ALL", NULL };
	const char *const destroy[] = { program, "-q", "--state-dir", state, "destroy", NULL };
	double t_up = -1, t_down = -1, raw_up = -1, raw_down = -1;

	for (int i = 0; i < MANY_RUNS; i++) {
		double start;

		t_up = least(t_up, run(up));
		t_down = least(t_down, run(down));
		start = now_ms();
		if (change_created(true, MANY) < 0)
			return -1;
		raw_up = least(raw_up, now_ms() - start);
		start = now_ms();
		if (change_created(false, MANY) < 0)
			return -1;
		raw_down = least(raw_down, now_ms() - start);
	}
	if (t_up < 0 || t_down < 0 || run(destroy) < 0)
		return -1;
	printf("updown-vnet100-up %.1f ms\nupdown-vnet100-down %.1f ms\n", t_up, t_down);
	printf("updown-vnet100-up-netlink %.1f ms\nupdown-vnet100-down-netlink %.1f ms\n", raw_up,
	       raw_down);
	printf("updown-vnet100-up-ratio %.2f x\nupdown-vnet100-down-ratio %.2f x\n", t_up / raw_up,
	       t_down / raw_down);
	return 0;
}

/* Namespaces for all of it, as root or in a user namespace, with a /run of its own */
static int enter(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0)
		return -errno;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/run", "tmpfs", 0, NULL) < 0)
		return -errno;
	return 0;
}

static int measure_all(void)
{
	char rc[128], jails[128], state[128], many[128], many_state[128];
	const char *const apply[] = { program, "-q", "--state-dir", state, "-f", rc, "-f", jails,
				      "apply", NULL };
	int err = 0;

	snprintf(rc, sizeof(rc), "%s/rc.conf", dir);
	snprintf(jails, sizeof(jails), "%s/jail.conf", dir);
	snprintf(state, sizeof(state), "%s/state", dir);
	snprintf(many, sizeof(many), "%s/many.jail.conf", dir);
	snprintf(many_state, sizeof(many_state), "%s/many", dir);
	err = measure_many(rc, many, many_state);
	if (err < 0)
		return err;
	if (run(apply) < 0 || commit(0) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && err == 0; i++)
		err = measure(&kinds[i], state);
	return err;
}

int main(void)
{
	char command[160];
	int err;

	program = getenv("SALLYPORT");
	if (program == NULL || mkdtemp(dir) == NULL)
		return 71;
	if (enter() < 0)
		return 77;
	err = write_jails();
	if (err == 0)
		err = write_many();
	if (err == 0)
		err = write_file("rc.conf", "cloned_interfaces=\"lo1\"\n");
	if (err == 0)
		err = make_jail();
	if (err == 0)
		err = measure_all();
	if (jail.pid > 0)
		kill(jail.pid, SIGKILL);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0 || err != 0) {
		fprintf(stderr, "bench_updown: the program did not do what was asked\n");
		return 1;
	}
	return 0;
}
