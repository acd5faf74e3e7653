/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Rules of others at nft's egress hook would not see what goes by lanes, so there are
 * no lanes where such rules are, and none any more from when they are put there: the
 * kernel tells of each change of rules, and they are looked for then.
 */
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/nat_run.h"
#include "host/egress.h"

#define LIST_BYTES	(4u << 20)

/* A line for people of what is in the way; false: nothing, or nobody says so */
static bool is_in_the_way(struct nat_run *r, char *line, size_t room)
{
	const char *const devices[] = { r->plan.outside, r->plan.inside };
	CLEANUP(nl_close) struct nl_session s = { .fd = -1 };
	CLEANUP(arena_fini) struct arena a;
	struct egresses all = { .list = { .n = 0 } };

	arena_init(&a, LIST_BYTES);
	if (nl_open(&s, NETLINK_NETFILTER) < 0 || egress_read(&s, &a, &all) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		const struct egress *e = devices[i] == NULL ? NULL : egress_of(&all, devices[i]);

		if (e == NULL)
			continue;
		snprintf(line, room, "no lanes: %s is for what leaves %s, and lanes pass it by",
			 e->chain, e->device);
		return true;
	}
	return false;
}

/* Claims load no programs with a table that is closed */
static void forget(const struct nat_run *r)
{
	for (uint32_t i = 0; i < r->n_workers; i++)
		r->io[i][NAT_INSIDE]->lane_map = r->io[i][NAT_OUTSIDE]->lane_map = 0;
}

void nat_lanes_open(struct nat_run *r)
{
	struct io *const *io = r->io[0];
	char line[NAT_WORD_BYTES];
	int err;

	if (r->c->nat.no_lanes)
		return;
	err = lanes_open(&r->lanes, io[NAT_INSIDE], io[NAT_OUTSIDE]);
	for (uint32_t i = 1; i < r->n_workers && err == 0; i++)
		err = lanes_share(&r->lanes, r->io[i][NAT_INSIDE], r->io[i][NAT_OUTSIDE]);
	/* Not with these ways */
	if (err == -EMEDIUMTYPE)
		return;
	if (err < 0) {
		snprintf(line, sizeof(line), "no lanes, all packets go through the worker: %s",
			 err == -EINVAL ? "they need Linux 6.6" : strerror(-err));
		nat_run_tell(r, line);
		forget(r);
		lanes_close(&r->lanes);
		return;
	}
	/* Told first: what comes while we look is heard afterwards */
	if (nl_open(&r->rules, NETLINK_NETFILTER) == 0)
		(void)!nl_join(&r->rules, NFNLGRP_NFTABLES);
	if (is_in_the_way(r, line, sizeof(line))) {
		nat_run_tell(r, line);
		forget(r);
		nat_lanes_close(r);
	}
}

void nat_lanes_hear(struct nat_run *r)
{
	char line[NAT_WORD_BYTES];
	size_t len;
	int err;

	/* Whatever it says, and what was lost too */
	do {
		err = nl_receive(&r->rules, MSG_DONTWAIT, &len);
	} while (err == 0 || err == -ENOBUFS);
	if (!is_in_the_way(r, line, sizeof(line)))
		return;
	lanes_stop(&r->lanes);
	nat_run_tell(r, line);
	nl_close(&r->rules);
}

void nat_lanes_close(struct nat_run *r)
{
	lanes_close(&r->lanes);
	nl_close(&r->rules);
}
