/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets that never stop, from another processor, while what drops them is changed:
 * none slips by.
 */
#include "ns.h"
#include "unit.h"

#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "nl/rtnl.h"
#include "target/nft_claim.h"
#include "test_nft.h"

#define LO_INDEX 1u	/* in every network namespace */
#define PORT	5000
#define CHANGES	400u	/* of 1,000 that let packets pass 13 to 90 did, where it was tried */

/* The first or the last processor that this process may use, before others if it may */
static void run_on(bool first)
{
	cpu_set_t all, one;

	CHECK_INT(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && (!first || CPU_COUNT(&one) == 0); i++) {
		if (!CPU_ISSET(i, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
	}
	CHECK_INT(sched_setaffinity(0, sizeof(one), &one), 0);
	(void)setpriority(PRIO_PROCESS, 0, -15);
}

/* Send to @to without an end, from another processor if there is one */
static pid_t flood(const struct sockaddr_in *to)
{
	const pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	run_on(false);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (;;)
		(void)sendto(fd, "", 1, 0, (const struct sockaddr *)to, sizeof(*to));
}

/* Within 10 s */
static bool comes(int fd)
{
	char byte;

	for (int i = 0; i < 5000 && recv(fd, &byte, 1, MSG_PEEK) < 0; i++)
		usleep(2000);
	return recv(fd, &byte, 1, 0) == 1;
}

/* Have a change made again and again */
static void flood_through(bool (*change)(struct nl_session *nl, uint32_t i))
{
	const struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	CLEANUP(nl_close) struct nl_session route = { .fd = -1 }, nl = { .fd = -1 };
	CLEANUP(base_fd_close) int fd = -1;
	struct rtnl_msg m;
	uint32_t i = 0;
	pid_t pid;
	char byte;

	NS_FRESH();
	if (!CHECK_INT(nl_open(&route, NETLINK_ROUTE), 0) ||
	    !CHECK_INT(nl_talk(&route, rtnl_msg_link_set_up(&m, LO_INDEX, true), NULL, NULL), 0))
		return;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK_INT(bind(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	pid = flood(&to);
	run_on(true);
	CHECK(comes(fd));
	if (CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0) && change(&nl, i++)) {
		/* What was on its way */
		usleep(20000);
		while (recv(fd, &byte, 1, 0) >= 0)
			;
		while (i < CHANGES && change(&nl, i))
			i++;
		CHECK_INT(i, CHANGES);
		CHECK_INT(recv(fd, &byte, 1, 0), -1);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool claim(struct nl_session *nl, uint32_t i)
{
	const struct claim_addr addr = { addr_v4(127, 0, 0, 1), true };
	const struct claim_ports ports[] = {
		{ IPPROTO_UDP, (uint16_t)(4000 + i % 2), 4001 }, { IPPROTO_UDP, PORT, PORT + 1 },
	};
	const struct claim c = { .outside = "lo", .addrs = &addr, .n_addrs = 1, .ports = ports,
				 .n_ports = ARRAY_SIZE(ports) };

	return CHECK_INT(nft_claim(nl, &c, i > 0), 0);
}

TEST(while_a_claim_is_renewed)
{
	flood_through(claim);
}

/* Sources in ranges: a set, and another one each time */
static bool load(struct nl_session *nl, uint32_t i)
{
	struct ranges rs = { .list = { .n = 0 } };
	bool changed = false, ok;
	struct nft_program *p;
	struct rule *r;
	struct fix f;

	fix_init(&f);
	fix_enter(&f);
	ranges_add(&f.a, &rs, AF_V4, INADDR_LOOPBACK - 1, INADDR_LOOPBACK + 1);
	ranges_add(&f.a, &rs, AF_V4, 100 + i, 200 + i);
	r = fix_filter(&f, 1, "block in from ranges", ruling_block(), false);
	rule_test(&f.m, r, F_DIR, set_one(&f.a, DIR_IN));
	rule_test(&f.m, r, F_SRC, set_make(&f.a, &rs));
	p = fix_lower(&f);
	ok = CHECK(p != NULL) && CHECK_INT(nft_load(nl, p, &f.d, &changed), 0) && CHECK(changed);
	fix_fini(&f);
	return ok;
}

TEST(while_rules_change)
{
	flood_through(load);
}
