/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * An entry that is used (NTF_USE) makes the kernel ask its network, and has a state
 * that says who answered.  The list is read again and again for a short time instead
 * of listening to the group of changes, in which a busy network says much else.
 */
#include "nl/neigh_probe.h"

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <string.h>
#include <time.h>

#include "nl/rtnl_put.h"

#define STEP_MS		2u
#define ANSWERED	(NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)

struct look {
	struct neigh_query *q;
	uint32_t n;
};

static int entry(struct nl_session *s, uint16_t type, const struct neigh_query *q)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MNL_NLMSG_HDRLEN + sizeof(struct ndmsg) + 32] = { 0 };
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct ndmsg *nd;

	msg->nlmsg_type = type;
	if (type == RTM_NEWNEIGH)
		msg->nlmsg_flags |= NLM_F_CREATE;
	nd = mnl_nlmsg_put_extra_header(msg, sizeof(*nd));
	nd->ndm_family = rtnl_family(q->a.af);
	nd->ndm_ifindex = (int)q->ifindex;
	if (type == RTM_NEWNEIGH)
		nd->ndm_flags = NTF_USE;
	rtnl_put_addr(msg, NDA_DST, q->a);
	return nl_talk(s, msg, NULL, NULL);
}

static int take(const struct nlmsghdr *msg, void *arg)
{
	const struct look *l = arg;
	const struct ndmsg *nd;
	struct neigh x;

	if (msg == NULL || neigh_parse(msg, &x) < 0)
		return 0;
	nd = mnl_nlmsg_get_payload(msg);
	for (uint32_t i = 0; i < l->n; i++) {
		if (l->q[i].ifindex != x.ifindex || !addr_equal(l->q[i].a, x.a) ||
		    (nd->ndm_state & (ANSWERED | NUD_PERMANENT)) == 0)
			continue;
		l->q[i].is_fixed = (nd->ndm_state & NUD_PERMANENT) != 0;
		l->q[i].is_taken = !l->q[i].is_fixed;
		memcpy(l->q[i].mac, x.mac, sizeof(x.mac));
	}
	return 0;
}

static bool is_all_answered(const struct look *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (!l->q[i].is_taken && !l->q[i].is_fixed)
			return false;
	return true;
}

/* Is the time over, after a short rest */
static bool is_over(const struct timespec *start, uint32_t wait_ms)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000 >=
	    (long)wait_ms)
		return true;
	nanosleep(&step, NULL);
	return false;
}

/* Ask anew, whatever was known */
static int ask_all(struct nl_session *s, const struct look *l)
{
	int err = neigh_ask(s, take, (void *)(uintptr_t)l);

	for (uint32_t i = 0; i < l->n && err == 0; i++) {
		l->q[i].is_taken = false;
		if (l->q[i].is_fixed)
			continue;
		err = entry(s, RTM_DELNEIGH, &l->q[i]);
		if (err == 0 || err == -ENOENT)
			err = entry(s, RTM_NEWNEIGH, &l->q[i]);
	}
	return err;
}

/* Who did not answer shall not be asked for seconds on */
static void forget_silent(struct nl_session *s, const struct look *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (!l->q[i].is_taken && !l->q[i].is_fixed &&
		    entry(s, RTM_DELNEIGH, &l->q[i]) == -ENOBUFS)
			return;
}

int neigh_probe(struct nl_session *s, struct neigh_query *q, uint32_t n, uint32_t wait_ms)
{
	struct look l = { q, n };
	struct timespec start;
	int err;

	for (uint32_t i = 0; i < n; i++)
		q[i].is_fixed = q[i].is_taken = false;
	err = ask_all(s, &l);
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (err == 0) {
		err = neigh_ask(s, take, &l);
		if (err < 0 || is_all_answered(&l) || is_over(&start, wait_ms))
			break;
	}
	forget_silent(s, &l);
	return err;
}
