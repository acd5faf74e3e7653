/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * veth and loopback hand a packet to the queue of the processor that sends it,
 * first in, first out.  A barrier is a packet of an unused protocol, seen at its
 * arrival.  A packet of ours takes at most BARRIER_ROUNDS hops through such
 * queues (in by one link; over lo, or answered; out by another link), each of
 * which puts it behind a barrier that was sent before; so after as many
 * barriers, one sent after the other was seen, nothing is under way.
 */
#include "diff_lab.h"

#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "diff_net.h"
#include "diff_wire.h"
#include "nl/rtnl.h"

#define LOG_GROUP	771u
#define BARRIER_ROUNDS	5
#define BARRIER_SECONDS	10
#define READY_SECONDS	10
#define LAB_FIRST_PACKETS 64
#define ETHER_BYTES	14u

static const char *const tried[] = {
	"make a network namespace", "open netlink", "make the links", "set addresses and routes",
	"load the watching table", "open sockets",
};

static void host_mac(uint32_t link, uint8_t mac[6])
{
	memcpy(mac, (uint8_t[]){ 2, 0, 0, 0, (uint8_t)link, 0x10 }, 6);
}

static void peer_mac(uint32_t link, uint8_t mac[6])
{
	memcpy(mac, (uint8_t[]){ 2, 0, 0, 0, (uint8_t)link, 0x20 }, 6);
}

static int enter(int ns)
{
	return setns(ns, CLONE_NEWNET) < 0 ? -errno : 0;
}

static int write_file(const char *path, const char *text)
{
	int fd CLEANUP(base_fd_close) = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* As an ordinary user: root of a user namespace, which may have networks */
static int become_root(void)
{
	const unsigned int uid = geteuid(), gid = getegid();
	char text[64];
	int err;

	if (unshare(CLONE_NEWUSER) < 0)
		return -errno;
	(void)write_file("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "0 %u 1", uid);
	err = write_file("/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "0 %u 1", gid);
	return err < 0 ? err : write_file("/proc/self/gid_map", text);
}

static int new_namespace(int *ret_ns)
{
	int err = unshare(CLONE_NEWNET) < 0 ? -errno : 0;

	if (err == -EPERM) {
		err = become_root();
		if (err == 0 && unshare(CLONE_NEWNET) < 0)
			err = -errno;
	}
	if (err < 0)
		return err;
	*ret_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return *ret_ns < 0 ? -errno : 0;
}

/* The processor's queue keeps order only if it is always the same processor's */
static void stay_here(void)
{
	cpu_set_t set;
	const int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET((unsigned int)(cpu < 0 ? 0 : cpu), &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

static const struct {
	const char *path;
	const char *value;
	bool must;
} sysctls[] = {
	{ "ipv4/ip_forward", "1", true },
	{ "ipv6/conf/all/forwarding", "1", true },
	{ "ipv4/conf/all/rp_filter", "0", true },
	{ "ipv4/conf/default/rp_filter", "0", true },
	{ "ipv4/conf/all/accept_local", "1", true },
	{ "ipv4/conf/all/route_localnet", "1", true },
	{ "ipv4/conf/all/send_redirects", "0", true },
	{ "ipv4/conf/default/send_redirects", "0", true },
	{ "ipv6/conf/all/accept_ra", "0", true },
	{ "ipv6/conf/default/accept_ra", "0", true },
	{ "ipv6/conf/default/router_solicitations", "0", true },
	{ "ipv6/conf/default/dad_transmits", "0", true },
	{ "ipv6/conf/default/addr_gen_mode", "1", true },
	/* Nobody answers for what has no neighbour, and on a slow machine the host would say so
	 * in the middle of another ruleset
	 */
	{ "ipv4/neigh/default/mcast_solicit", "100000", false },
	{ "ipv6/neigh/default/mcast_solicit", "100000", false },
	{ "ipv4/icmp_ratelimit", "0", true },
	{ "ipv4/icmp_msgs_per_sec", "1000000", false },
	{ "ipv4/icmp_msgs_burst", "1000000", false },
	{ "ipv6/icmp/ratelimit", "0", true },
};

static int set_sysctls(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
		const int err = lab_net_sysctl(sysctls[i].path, sysctls[i].value);

		if (err < 0 && sysctls[i].must)
			return err;
	}
	return 0;
}

static int make_link(struct lab *l, struct nl_session *s, uint32_t i)
{
	const struct iface *f = &l->facts->ifaces.v[i];
	const char *name = facts_linux_name(f->name);
	uint8_t here[6], there[6];
	char peer[16];
	int err = 0;

	if (f->kind == IFACE_REAL) {
		BUG_IF(l->n_links == LAB_LINKS);
		host_mac(l->n_links, here);
		peer_mac(l->n_links, there);
		snprintf(peer, sizeof(peer), "p%u", l->n_links);
		err = lab_net_veth(s, name, here, peer, there, l->ns_peers);
		l->links[l->n_links++] = (struct lab_link){ .iface = i, .fd = -1 };
	} else if (f->kind != IFACE_LO) {
		err = lab_net_bridge(s, name);
	}
	return err < 0 ? err : lab_net_up(s, name);
}

static int make_links(struct lab *l, struct nl_session *s)
{
	for (uint32_t i = 0; i < l->facts->ifaces.n; i++) {
		const int err = make_link(l, s, i);

		if (err < 0)
			return err;
	}
	return 0;
}

/* Peers are up, silent, and have no addresses */
static int raise_peers(struct lab *l, struct nl_session *host)
{
	static struct nl_session s;
	int err = enter(l->ns_peers);
	char name[16];

	(void)host;
	if (err == 0)
		err = nl_open(&s, NETLINK_ROUTE);
	if (err == 0)
		(void)lab_net_sysctl("ipv6/conf/all/disable_ipv6", "1");
	for (uint32_t i = 0; err == 0 && i < l->n_links; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		err = lab_net_up(&s, name);
		if (err == 0)
			err = lab_net_running(name);
	}
	nl_close(&s);
	if (err == 0)
		err = enter(l->ns_host);
	for (uint32_t i = 0; err == 0 && i < l->n_links; i++)
		err = lab_net_running(facts_linux_name(l->facts->ifaces.v[l->links[i].iface].name));
	return err;
}

static int set_addresses(struct lab *l, struct nl_session *s)
{
	int err = 0;

	for (uint32_t i = 0; err == 0 && i < l->facts->ifaces.n; i++) {
		const struct iface *f = &l->facts->ifaces.v[i];

		for (uint32_t j = 0; err == 0 && f->kind != IFACE_LO && j < f->addrs.n; j++)
			err = lab_net_addr(s, f->name, f->addrs.v[j].p);
	}
	for (uint32_t i = 0; err == 0 && i < l->n_routes; i++) {
		const struct lab_route *r = &l->routes[i];
		const char *name = l->facts->ifaces.v[l->links[r->link].iface].name;
		uint8_t mac[6];

		peer_mac(r->link, mac);
		err = lab_net_neigh(s, name, r->via, mac);
		if (err == 0 && r->to.len < addr_bits(r->via.af))
			err = lab_net_route(s, name, r);
	}
	return err;
}

static int open_packet(const char *name)
{
	const int on = 1, bytes = 8 << 20;
	const struct sockaddr_ll me = {
		.sll_family = AF_PACKET, .sll_protocol = __builtin_bswap16(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&me, sizeof(me)) < 0) {
		const int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int open_sockets(struct lab *l)
{
	const int on = 1;
	int err = enter(l->ns_peers);
	char name[16];

	for (uint32_t i = 0; err == 0 && i < l->n_links; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		l->links[i].fd = open_packet(name);
		err = MIN(l->links[i].fd, 0);
	}
	if (err < 0 || (err = enter(l->ns_host)) < 0)
		return err;
	l->raw[0] = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	l->raw[1] = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (l->raw[0] < 0 || l->raw[1] < 0)
		return -errno;
	if (setsockopt(l->raw[1], IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on)) < 0)
		return -errno;
	l->log = lab_net_log(LOG_GROUP);
	return MIN(l->log, 0);
}

static int build(struct lab *l, const char **why)
{
	static struct nl_session s;
	int err;

	*why = tried[0];
	if ((err = new_namespace(&l->ns_peers)) < 0 || (err = new_namespace(&l->ns_host)) < 0)
		return err;
	stay_here();
	*why = tried[1];
	if ((err = nl_open(&s, NETLINK_ROUTE)) < 0)
		return err;
	*why = tried[2];
	err = set_sysctls();
	if (err == 0)
		err = make_links(l, &s);
	if (err == 0)
		err = raise_peers(l, &s);
	if (err == 0) {
		*why = tried[3];
		err = set_addresses(l, &s);
	}
	nl_close(&s);
	if (err < 0)
		return err;
	*why = tried[4];
	if ((err = nl_open(&l->nft, NETLINK_NETFILTER)) < 0 ||
	    (err = lab_net_watch(&l->nft, LOG_GROUP)) < 0)
		return err;
	*why = tried[5];
	return open_sockets(l);
}

void lab_close(struct lab *l)
{
	for (uint32_t i = 0; i < l->n_links; i++)
		base_fd_close(&l->links[i].fd);
	base_fd_close(&l->raw[0]);
	base_fd_close(&l->raw[1]);
	base_fd_close(&l->log);
	nl_close(&l->nft);
	base_fd_close(&l->ns_host);
	base_fd_close(&l->ns_peers);
}

void lab_inject(struct lab *l, uint32_t link, const uint8_t *data, size_t len)
{
	uint8_t frame[LAB_FRAME_BYTES];

	BUG_IF(link >= l->n_links || len + ETHER_BYTES > sizeof(frame));
	host_mac(link, frame);
	peer_mac(link, frame + 6);
	memcpy(frame + 12, data[0] >> 4 == 4 ? "\x08\x00" : "\x86\xdd", 2);
	memcpy(frame + ETHER_BYTES, data, len);
	BUG_IF(send(l->links[link].fd, frame, len + ETHER_BYTES, 0) < 0);
}

int lab_send(struct lab *l, const uint8_t *data, size_t len)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	ssize_t n;

	if (data[0] >> 4 == 4) {
		memcpy(&to4.sin_addr, data + 16, 4);
		n = sendto(l->raw[0], data, len, 0, (struct sockaddr *)&to4, sizeof(to4));
	} else {
		memcpy(&to6.sin6_addr, data + 24, 16);
		n = sendto(l->raw[1], data, len, 0, (struct sockaddr *)&to6, sizeof(to6));
	}
	return n < 0 ? -errno : 0;
}

static void send_barrier(struct lab *l)
{
	uint8_t p[28] = {
		0x45, 0, 0, 28, 0, 0, 0, 0, 64, LAB_BARRIER_PROTO, 0, 0,
		192, 0, 2, 254, 192, 0, 2, 253,
	};
	uint32_t sum = 0;

	l->n_barriers++;
	memcpy(p + 20, &l->n_barriers, sizeof(l->n_barriers));
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	sum = ~((sum & 0xffff) + (sum >> 16));
	p[10] = (uint8_t)(sum >> 8);
	p[11] = (uint8_t)sum;
	lab_inject(l, 0, p, sizeof(p));
}

/* What collecting needs */
struct collect {
	struct lab *l;
	lab_seen_fn *fn;
	void *arg;
	bool barrier_seen;
};

static void take_logged(struct collect *c, const uint8_t *data, size_t len)
{
	if (len >= 24 && data[0] >> 4 == 4 && data[9] == LAB_BARRIER_PROTO)
		c->barrier_seen |= memcmp(data + 20, &c->l->n_barriers, 4) == 0;
	else
		c->fn(LAB_LOCAL, data, len, c->arg);
}

static int take_log_message(const struct nlmsghdr *msg, void *arg)
{
	const struct nlattr *attr;

	if (msg->nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
		mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg))
			if (mnl_attr_get_type(attr) == NFULA_PAYLOAD)
				take_logged(arg, mnl_attr_get_payload(attr),
					    mnl_attr_get_payload_len(attr));
	return MNL_CB_OK;
}

static void read_log(struct collect *c)
{
	static uint8_t buf[NL_BUFFER_BYTES];
	ssize_t n;

	while ((n = recv(c->l->log, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		mnl_cb_run(buf, (size_t)n, 0, 0, take_log_message, c);
	BUG_IF(n < 0 && errno == ENOBUFS);
}

static void read_link(struct collect *c, uint32_t link)
{
	uint8_t buf[LAB_FRAME_BYTES];
	ssize_t n;

	while ((n = recv(c->l->links[link].fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		if (n > (ssize_t)ETHER_BYTES &&
		    (memcmp(buf + 12, "\x08\x00", 2) == 0 || memcmp(buf + 12, "\x86\xdd", 2) == 0))
			c->fn(link, buf + ETHER_BYTES, (size_t)n - ETHER_BYTES, c->arg);
}

static int wait_barrier(struct collect *c)
{
	struct pollfd fd = { .fd = c->l->log, .events = POLLIN };
	const time_t until = time(NULL) + BARRIER_SECONDS;

	send_barrier(c->l);
	c->barrier_seen = false;
	for (;;) {
		read_log(c);
		if (c->barrier_seen)
			return 0;
		if (time(NULL) > until)
			return -ETIMEDOUT;
		(void)poll(&fd, 1, 1000);
	}
}

int lab_collect(struct lab *l, lab_seen_fn *fn, void *arg)
{
	struct collect c = { .l = l, .fn = fn, .arg = arg };

	for (int i = 0; i < BARRIER_ROUNDS; i++) {
		const int err = wait_barrier(&c);

		if (err < 0)
			return err;
	}
	for (uint32_t i = 0; i < l->n_links; i++)
		read_link(&c, i);
	return 0;
}

/* ---- ready ------------------------------------------------------------------ */

/* A packet that has a way only when some part of the lab is ready */
struct first_packet {
	struct addr dst;
	uint32_t by;		/* link that it is injected by; LAB_LOCAL: the host sends it */
	bool seen;
};

struct ready {
	struct lab *l;
	struct first_packet v[LAB_FIRST_PACKETS];
	uint32_t n;
	uint32_t n_seen;
};

static void expect_first(struct ready *r, struct addr dst, uint32_t by)
{
	BUG_IF(r->n == ARRAY_SIZE(r->v));
	r->v[r->n++] = (struct first_packet){ .dst = dst, .by = by };
}

static void expect_firsts(struct ready *r)
{
	const struct facts *facts = r->l->facts;
	struct addr own = { .af = AF_V4 };

	for (uint32_t i = 0; i < facts->ifaces.n; i++)
		for (uint32_t j = 0; j < facts->ifaces.v[i].addrs.n; j++) {
			const struct addr a = facts->ifaces.v[i].addrs.v[j].p.a;

			expect_first(r, a, LAB_LOCAL);
			if (a.af == AF_V4)
				own = a;
		}
	for (uint32_t i = 0; i < r->l->n_routes; i++)
		expect_first(r, r->l->routes[i].via, LAB_LOCAL);
	for (uint32_t i = 0; i < r->l->n_links; i++)
		expect_first(r, own, i);
}

static void send_first(const struct ready *r, uint32_t i)
{
	const struct first_packet *f = &r->v[i];
	const struct wire w = {
		.p = { .proto = PROTO_UDP, .src = f->dst, .dst = f->dst },
		.id = LAB_FIRST_ID + i,
	};
	uint8_t bytes[WIRE_BYTES];
	const size_t len = wire_build(&w, NULL, 0, bytes);

	if (f->by == LAB_LOCAL)
		(void)lab_send(r->l, bytes, len);	/* no route yet: again in a moment */
	else
		lab_inject(r->l, f->by, bytes, len);
}

static void take_first(uint32_t link, const uint8_t *data, size_t len, void *arg)
{
	struct ready *r = arg;
	struct wire_seen seen;

	(void)link;
	if (!wire_parse(data, len, &seen) || seen.w.id < LAB_FIRST_ID ||
	    seen.w.id - LAB_FIRST_ID >= r->n)
		return;
	r->n_seen += !r->v[seen.w.id - LAB_FIRST_ID].seen;
	r->v[seen.w.id - LAB_FIRST_ID].seen = true;
}

/*
 * The kernel makes a link carry packets, and an IPv6 address reachable, in work
 * of its own some time after it said yes (linkwatch; addrconf), and loses what is
 * sent before in silence.  So each way is tried until a packet came through.
 */
static int wait_ready(struct lab *l)
{
	struct ready r = { .l = l };
	struct collect c = { .l = l, .fn = take_first, .arg = &r };

	expect_firsts(&r);
	for (uint32_t ms = 0; ms < READY_SECONDS * 1000; ms++) {
		for (uint32_t i = 0; i < r.n; i++)
			if (!r.v[i].seen)
				send_first(&r, i);
		read_log(&c);
		for (uint32_t i = 0; i < l->n_links; i++)
			read_link(&c, i);
		if (r.n_seen == r.n)
			return lab_collect(l, take_first, &r);
		(void)poll(NULL, 0, 1);
	}
	return -ETIMEDOUT;
}

int lab_open(struct lab *l, const struct facts *facts, const struct lab_route *routes,
	     uint32_t n_routes, const char **ret_why)
{
	int err;

	memset(l, 0, sizeof(*l));
	l->facts = facts;
	l->routes = routes;
	l->n_routes = n_routes;
	l->ns_host = l->ns_peers = l->raw[0] = l->raw[1] = l->log = l->nft.fd = -1;
	err = build(l, ret_why);
	if (err == 0) {
		*ret_why = "get a packet through each way";
		err = wait_ready(l);
	}
	if (err < 0)
		lab_close(l);
	return err;
}

int lab_forget(struct lab *l)
{
	struct rtnl_msg m = { 0 };
	struct nlmsghdr *msg = mnl_nlmsg_put_header(&m);
	struct nfgenmsg *nfg;

	msg->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	nfg = mnl_nlmsg_put_extra_header(msg, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	return nl_talk(&l->nft, msg, NULL, NULL);
}

uint32_t lab_route(const struct lab *l, struct addr dst)
{
	uint32_t link = LAB_NOWHERE;
	int best = -1;

	if (addr_is_loopback(dst) || facts_iface_of(l->facts, dst) != NULL)
		return LAB_LOCAL;
	for (uint32_t i = 0; i < l->n_routes; i++)
		if (prefix_has(l->routes[i].to, dst) && l->routes[i].to.len > best) {
			best = l->routes[i].to.len;
			link = l->routes[i].link;
		}
	return link;
}
