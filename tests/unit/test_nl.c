/* SPDX-License-Identifier: BSD-2-Clause */
#include "ns.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "nl/batch.h"
#include "nl/nft.h"
#include "nl/rtnl.h"

#define OPEN(s, protocol) \
	NS_FRESH(); \
	struct nl_session s CLEANUP(nl_close); \
	if (!CHECK_INT(nl_open(&s, protocol), 0)) \
		return;

static int add_bridge(struct nl_session *s, const char *name)
{
	struct rtnl_msg m;

	return nl_talk(s, rtnl_msg_link_add(&m, name, "bridge"), NULL, NULL);
}

TEST(refusal_has_the_kernels_words)
{
	OPEN(s, NETLINK_ROUTE);
	struct rtnl_msg m;

	CHECK_INT(nl_talk(&s, rtnl_msg_link_add(&m, "x0", "nosuchkind"), NULL, NULL),
		  -EOPNOTSUPP);
	CHECK_INT(s.why.err, -EOPNOTSUPP);
	CHECK_STR(s.why.text, "Unknown device type");
	CHECK_INT(nl_talk(&s, rtnl_msg_link_del(&m, 4711), NULL, NULL), -ENODEV);
	CHECK_INT(add_bridge(&s, "x0"), 0);
	CHECK_INT(s.why.err, 0);
	CHECK_STR(s.why.text, "");
	CHECK_INT(add_bridge(&s, "x0"), -EEXIST);
}

TEST(without_permission)
{
	OPEN(s, NETLINK_ROUTE);
	const pid_t pid = unit_fork();

	if (pid == 0) {
		struct nl_session t;
		struct rtnl_msg m;

		/* A user namespace in it has no rights over this network namespace */
		if (unshare(CLONE_NEWUSER) < 0 || nl_open(&t, NETLINK_ROUTE) < 0)
			_exit(2);
		_exit(nl_talk(&t, rtnl_msg_link_add(&m, "x0", "bridge"), NULL, NULL) == -EPERM
		      ? 0 : 1);
	}
	CHECK_INT(unit_wait(pid), 0);
}

/* An ack for the next request of @port, as a liar would send it */
static void send_forged_ack(struct nl_session *liar, uint32_t port, uint32_t seq, int err)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = port };
	_Alignas(struct nlmsghdr) char buf[256] = { 0 };
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct nlmsgerr *e = mnl_nlmsg_put_extra_header(msg, sizeof(*e));

	msg->nlmsg_type = NLMSG_ERROR;
	msg->nlmsg_seq = seq;
	msg->nlmsg_pid = port;
	e->error = err;
	CHECK_INT(sendto(liar->fd, msg, msg->nlmsg_len, 0, (struct sockaddr *)&to, sizeof(to)),
		  msg->nlmsg_len);
}

TEST(forged_answer_is_ignored)
{
	OPEN(s, NETLINK_ROUTE);
	struct nl_session liar CLEANUP(nl_close);
	struct rtnl_msg m;

	if (!CHECK_INT(nl_open(&liar, NETLINK_ROUTE), 0))
		return;
	send_forged_ack(&liar, s.port, s.seq + 1, 0);
	CHECK_INT(nl_talk(&s, rtnl_msg_link_del(&m, 4711), NULL, NULL), -ENODEV);
	send_forged_ack(&liar, s.port, s.seq + 1, -EPERM);
	CHECK_INT(add_bridge(&s, "x0"), 0);
}

TEST(late_answer_is_ignored)
{
	OPEN(s, NETLINK_ROUTE);
	struct rtnl_msg m;
	struct nlmsghdr *msg = rtnl_msg_link_add(&m, "x0", "bridge");

	/* Its ack is left in the socket, for the request after it to meet */
	msg->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	msg->nlmsg_seq = s.seq + 100;
	CHECK_INT(nl_send(&s, msg, msg->nlmsg_len), 0);
	CHECK_INT(nl_talk(&s, rtnl_msg_link_del(&m, 4711), NULL, NULL), -ENODEV);
}

TEST(nothing_there)
{
	OPEN(s, NETLINK_ROUTE);
	size_t len = 77;

	CHECK_INT(nl_receive(&s, MSG_DONTWAIT, &len), -EAGAIN);
	CHECK_INT(len, 77);
}

/**
 * struct meddler - Changes the links while they are listed
 * @s:		Session to do so
 * @n_starts:	How often the list started
 * @n_seen:	Links in the list since it started
 * @n_changes:	Changes left to make
 */
struct meddler {
	struct nl_session *s;
	unsigned int n_starts;
	unsigned int n_seen;
	unsigned int n_changes;
};

static int meddle(const struct nlmsghdr *msg, void *arg)
{
	struct meddler *k = arg;
	char name[16];

	if (msg == NULL) {
		k->n_starts++;
		k->n_seen = 0;
		return 0;
	}
	if (k->n_seen++ == 0 && k->n_changes > 0) {
		snprintf(name, sizeof(name), "new%u", k->n_changes--);
		return add_bridge(k->s, name);
	}
	return 0;
}

static int list_links(struct nl_session *s, struct meddler *k)
{
	struct rtnl_msg m = { 0 };
	struct nlmsghdr *msg = mnl_nlmsg_put_header(&m);

	msg->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	return nl_dump(s, msg, meddle, k);
}

TEST(list_that_changes_is_read_again)
{
	OPEN(s, NETLINK_ROUTE);
	struct nl_session other CLEANUP(nl_close);
	struct meddler k = { .s = &other, .n_changes = 2 };

	if (!CHECK_INT(nl_open(&other, NETLINK_ROUTE), 0))
		return;
	/* Enough for several datagrams: the first is read before the change */
	for (unsigned int i = 0; i < 60; i++) {
		char name[16];

		snprintf(name, sizeof(name), "old%u", i);
		CHECK_INT(add_bridge(&other, name), 0);
	}
	CHECK_INT(list_links(&s, &k), 0);
	CHECK_INT(k.n_starts, 3);
	CHECK_INT(k.n_seen, 63);
	k = (struct meddler){ .s = &other, .n_changes = 100 };
	CHECK_INT(list_links(&s, &k), -EBUSY);
	CHECK_INT(k.n_starts, NL_DUMP_TRIES);
}

static int refuse(const struct nlmsghdr *msg, void *arg)
{
	(void)arg;
	return msg == NULL ? 0 : -E2BIG;
}

TEST(callback_ends_a_list)
{
	OPEN(s, NETLINK_ROUTE);
	struct rtnl_msg m = { 0 };
	struct nlmsghdr *msg = mnl_nlmsg_put_header(&m);
	struct meddler k = { 0 };

	msg->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	CHECK_INT(nl_dump(&s, msg, refuse, NULL), -E2BIG);
	CHECK_INT(list_links(&s, &k), 0);
	CHECK_INT(k.n_seen, 1);
}

/* ---- batches -------------------------------------------------------------- */

#define NFT(type)	((NFNL_SUBSYS_NFTABLES << 8) | (type))

static void put_table(struct nl_batch *b, const char *name, uint32_t cookie)
{
	struct nlmsghdr *msg;

	if (CHECK_INT(nl_batch_add(b, NFT(NFT_MSG_NEWTABLE), NLM_F_CREATE, NFPROTO_INET, cookie,
				   &msg), 0))
		mnl_attr_put_strz(msg, NFTA_TABLE_NAME, name);
}

static void put_chain(struct nl_batch *b, const char *table, const char *name, uint32_t cookie)
{
	struct nlmsghdr *msg;

	if (!CHECK_INT(nl_batch_add(b, NFT(NFT_MSG_NEWCHAIN), NLM_F_CREATE, NFPROTO_INET, cookie,
				    &msg), 0))
		return;
	mnl_attr_put_strz(msg, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, name);
}

static int count(const struct nlmsghdr *msg, void *arg)
{
	unsigned int *n = arg;

	*n = msg == NULL ? 0 : *n + 1;
	return 0;
}

static unsigned int count_objects(struct nl_session *s, enum nl_nft_kind kind, const char *table)
{
	const struct nl_nft_query q = { .kind = kind, .family = NFPROTO_INET, .table = table };
	unsigned int n = 0;

	CHECK_INT(nl_nft_dump(s, &q, count, &n), 0);
	return n;
}

#define BATCH(b) \
	struct nl_batch b CLEANUP(nl_batch_fini); \
	nl_batch_init(&b)

TEST(batch_commits)
{
	OPEN(s, NETLINK_NETFILTER);
	BATCH(b);
	struct nl_batch_result r;
	uint32_t before, after;

	CHECK_INT(nl_genid(&s, &before), 0);
	CHECK_INT(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, before), 0);
	CHECK_INT(nl_batch_send(&b, &s, &r), 0);
	CHECK_INT(nl_genid(&s, &after), 0);
	CHECK_INT(after, before);
	put_table(&b, "one", 1);
	put_chain(&b, "one", "c", 2);
	put_table(&b, "two", 3);
	CHECK_INT(nl_batch_send(&b, &s, &r), 0);
	CHECK_INT(r.n, 0);
	CHECK_INT(nl_genid(&s, &after), 0);
	CHECK(after != before);
	CHECK_INT(count_objects(&s, NL_NFT_TABLES, NULL), 2);
	CHECK_INT(count_objects(&s, NL_NFT_TABLES, "two"), 1);
	CHECK_INT(count_objects(&s, NL_NFT_CHAINS, "one"), 1);
	CHECK_INT(count_objects(&s, NL_NFT_CHAINS, "two"), 0);
	CHECK_INT(count_objects(&s, NL_NFT_RULES, "three"), 0);
	CHECK_INT(count_objects(&s, NL_NFT_SETS, "one"), 0);
}

TEST(elements_of_no_set)
{
	OPEN(s, NETLINK_NETFILTER);
	const struct nl_nft_query q = {
		.kind = NL_NFT_ELEMS, .family = NFPROTO_INET, .table = "t", .set = "s",
	};
	unsigned int n = 0;

	CHECK_INT(nl_nft_dump(&s, &q, count, &n), -ENOENT);
}

TEST(batch_of_another_generation)
{
	OPEN(s, NETLINK_NETFILTER);
	BATCH(b);
	struct nl_batch_result r;
	uint32_t genid;

	CHECK_INT(nl_genid(&s, &genid), 0);
	CHECK_INT(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, genid), 0);
	put_table(&b, "one", 1);
	CHECK_INT(nl_batch_send(&b, &s, &r), 0);
	CHECK_INT(nl_batch_send(&b, &s, &r), -ERESTART);
	CHECK_INT(r.v[0].cookie, NL_COOKIE_NONE);
}

TEST(refused_batch_changes_nothing)
{
	OPEN(s, NETLINK_NETFILTER);
	BATCH(b);
	struct nl_batch_result r;

	CHECK_INT(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 0), 0);
	put_table(&b, "one", 1000);
	put_chain(&b, "nosuch", "c", 2000);
	put_chain(&b, "one", "c", 3000);
	put_chain(&b, "neither", "c", 4000);
	CHECK_INT(nl_batch_send(&b, &s, &r), -ENOENT);
	CHECK_INT(r.n, 2);
	CHECK_INT(r.v[0].cookie, 2000);
	CHECK_INT(r.v[1].cookie, 4000);
	CHECK_INT(r.v[0].err, -ENOENT);
	/* The attribute that is refused is the table's name, right behind the headers */
	CHECK_INT(r.v[0].offset, sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg));
	CHECK_INT(s.why.cookie, 2000);
	CHECK_INT(count_objects(&s, NL_NFT_TABLES, NULL), 0);
	CHECK_INT(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 0), 0);
	put_table(&b, "one", 1);
	CHECK_INT(nl_batch_send(&b, &s, &r), 0);
}

TEST(more_refusals_than_are_kept)
{
	OPEN(s, NETLINK_NETFILTER);
	BATCH(b);
	struct nl_batch_result r;

	CHECK_INT(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 0), 0);
	for (uint32_t i = 0; i < 3000; i++)
		put_chain(&b, "nosuch", "c", i);
	CHECK_INT(nl_batch_send(&b, &s, &r), -ENOENT);
	CHECK_INT(r.n, NL_BATCH_FAILURES);
	CHECK_INT(r.v[0].cookie, 0);
	CHECK_INT(r.v[19].cookie, 19);
}

TEST(large_batch)
{
	OPEN(s, NETLINK_NETFILTER);
	BATCH(b);
	struct nl_batch_result r;
	char name[32];
	int err;

	CHECK_INT(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 0), 0);
	put_table(&b, "one", 0);
	for (uint32_t i = 1; i <= 20000; i++) {
		snprintf(name, sizeof(name), "chain%u", i);
		put_chain(&b, "one", name, i);
	}
	err = nl_batch_send(&b, &s, &r);
	/* Without the right to force the buffer the limit is wmem_max: told, not half done */
	if (err == -EMSGSIZE)
		CHECK_INT(count_objects(&s, NL_NFT_TABLES, NULL), 0);
	else if (CHECK_INT(err, 0))
		CHECK_INT(count_objects(&s, NL_NFT_CHAINS, "one"), 20000);
}

/* Twice over the first room: fails if a larger one does not come, or comes without the bytes */
TEST(batch_grows_with_what_is_in_it)
{
	static const uint8_t block[60000];
	struct nl_batch b CLEANUP(nl_batch_fini);
	const struct nlmsghdr *m;
	const uint8_t *bytes;
	struct nlmsghdr *msg;
	size_t len, at;
	uint16_t n = 0;

	nl_batch_init(&b);
	CHECK_INT(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 0), 0);
	for (uint16_t i = 0; i < 800; i++) {
		if (!CHECK_INT(nl_batch_add(&b, i, 0, NFPROTO_INET, i, &msg), 0))
			return;
		mnl_attr_put(msg, 1, sizeof(block), block);
	}
	bytes = nl_batch_bytes(&b, &len);
	CHECK(len > 800 * sizeof(block));
	m = (const struct nlmsghdr *)bytes;
	for (at = MNL_ALIGN(m->nlmsg_len); at < len; at += MNL_ALIGN(m->nlmsg_len)) {
		m = (const struct nlmsghdr *)(bytes + at);
		if (m->nlmsg_type != n || m->nlmsg_len < sizeof(block))
			break;
		n++;
	}
	CHECK_INT(n, 800);
	CHECK(at == len);
}

TEST(batch_leaves_lent_memory)
{
	enum { N = 1000, MSG = 256 };
	_Alignas(struct nlmsghdr) uint8_t mem[3 * MSG];
	struct nl_batch b CLEANUP(nl_batch_fini);
	const struct nlmsghdr *msg;
	const uint8_t *bytes;
	size_t len;

	nl_batch_init_in(&b, mem, sizeof(mem), MSG);
	CHECK_INT(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 1), 0);
	for (uint32_t i = 0; i < N; i++) {
		struct nlmsghdr *to;

		if (!CHECK_INT(nl_batch_add(&b, (uint16_t)i, 0, NFPROTO_INET, i, &to), 0))
			return;
		mnl_attr_put_u32(to, 1, i);
		if (i == 0)
			CHECK_INT(nl_batch_bytes(&b, &len) == mem, true);
	}
	bytes = nl_batch_bytes(&b, &len);
	CHECK_INT(bytes != mem, true);
	msg = (const struct nlmsghdr *)bytes;
	for (uint32_t i = 0; i < N; i++) {
		msg = (const struct nlmsghdr *)((const uint8_t *)msg + msg->nlmsg_len);
		if (!CHECK_INT(msg->nlmsg_type, i))
			return;
	}
	CHECK_INT((const uint8_t *)msg + msg->nlmsg_len == bytes + len, true);
}

TEST(batch_over_the_send_buffer)
{
	OPEN(s, NETLINK_NETFILTER);
	BATCH(b);
	struct nl_batch_result r;
	const int small = 8192;
	char name[32];

	CHECK_INT(setsockopt(s.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	CHECK_INT(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 0), 0);
	for (uint32_t i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "table%u", i);
		put_table(&b, name, i);
	}
	CHECK_INT(nl_batch_send(&b, &s, &r), -EMSGSIZE);
	CHECK_INT(r.n, 0);
	CHECK_INT(count_objects(&s, NL_NFT_TABLES, NULL), 0);
}

TEST(lost_ack_is_no_success)
{
	OPEN(s, NETLINK_NETFILTER);
	BATCH(b);
	struct nl_session liar CLEANUP(nl_close);
	struct nl_batch_result r;
	const struct timeval none = { .tv_usec = 1 };
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = s.port };
	char junk[2048] = { 0 };

	if (!CHECK_INT(nl_open(&liar, NETLINK_NETFILTER), 0))
		return;
	/* No room is left for the kernel's answer; a blocked sender gives up */
	CHECK_INT(setsockopt(liar.fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none)), 0);
	for (size_t len = sizeof(junk); len > 0; len /= 2)
		while (sendto(liar.fd, junk, len, MSG_DONTWAIT, (struct sockaddr *)&to,
			      sizeof(to)) > 0)
			;
	CHECK_INT(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 0), 0);
	put_table(&b, "one", 1);
	CHECK_INT(nl_batch_send(&b, &s, &r), -ENOBUFS);
	CHECK_INT(r.n, 0);
	CHECK_INT(count_objects(&s, NL_NFT_TABLES, NULL), 1);
}

/* Has this namespace a netlink socket with the address @port */
static bool is_open(uint32_t port)
{
	FILE *f = fopen("/proc/thread-self/net/netlink", "re");
	bool found = false;
	char line[256];

	if (!CHECK(f != NULL))
		return false;
	while (fgets(line, sizeof(line), f) != NULL) {
		unsigned int protocol, at;

		found |= sscanf(line, "%*s %u %u", &protocol, &at) == 2 &&
			 protocol == NETLINK_NETFILTER && at == port;
	}
	fclose(f);
	return found;
}

TEST(socket_that_is_left_is_closed_by_the_kernel)
{
	OPEN(s, NETLINK_NETFILTER);
	BATCH(b);
	struct nl_session other;
	struct nl_batch_result r;
	uint32_t port;

	for (int has_committed = 0; has_committed < 2; has_committed++) {
		if (!CHECK_INT(nl_open(&other, NETLINK_NETFILTER), 0))
			return;
		port = other.port;
		CHECK_INT(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 0), 0);
		put_table(&b, "left", 1);
		if (has_committed)
			CHECK_INT(nl_batch_send(&b, &other, &r), 0);
		CHECK_INT(other.has_committed, has_committed);
		CHECK(is_open(port));
		nl_leave(&other);
		CHECK_INT(other.fd, -1);
		for (int i = 0; i < 5000 && is_open(port); i++)
			usleep(1000);
		CHECK(!is_open(port));
	}
	CHECK_INT(count_objects(&s, NL_NFT_TABLES, "left"), 1);
	nl_leave(&other);
}

TEST(forged_batch_answer_is_ignored)
{
	OPEN(s, NETLINK_NETFILTER);
	BATCH(b);
	struct nl_session liar CLEANUP(nl_close);
	struct nl_batch_result r;

	if (!CHECK_INT(nl_open(&liar, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 0), 0);
	put_chain(&b, "nosuch", "c", 5);
	send_forged_ack(&liar, s.port, s.seq + 3, 0);
	CHECK_INT(nl_batch_send(&b, &s, &r), -ENOENT);
	CHECK_INT(r.v[0].cookie, 5);
}

TEST(batch_without_begin)
{
	BATCH(b);
	struct nlmsghdr *msg;

	CHECK_BUG((void)(nl_batch_add(&b, NFT(NFT_MSG_NEWTABLE), 0, 0, 1, &msg) == 0));
	CHECK_INT(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 0), 0);
	CHECK_BUG((void)(nl_batch_add(&b, NFT(NFT_MSG_NEWTABLE), 0, 0, NL_COOKIE_NONE, &msg) == 0));
}
