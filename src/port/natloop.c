/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A batch from one side, a batch from the other, until neither has any; then
 * poll.  Packets are changed where the receiving interface put them and sent from
 * there: they are copied once, by the kernel.
 *
 * A packet socket sees everything that comes in, the host's own packets too.
 * They never reach the NAT: it would take them for strangers, and answer.  What is
 * the NAT's is decided here by the same claim that the kernel drops by.
 */
#include "port/natloop.h"

#include <libmnl/libmnl.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/calls.h"
#include "net/wire.h"
#include "port/offload.h"

#define PROTO_ICMP	1u
#define PROTO_TCP	6u
#define PROTO_UDP	17u
#define PROTO_ICMP6	58u
#define ECHO4		8u
#define ECHO6		128u
#define ND_FIRST	133u
#define ND_LAST		137u
#define HOST_AT		(NATLOOP_WATCHES + 4)	/* of what is waited for */
#define ROUNDS		64u		/* without looking at anything but packets */

NEEDS_CALL(poll)
NEEDS_CALL(restart_syscall)	/* of a poll() that a stopped process was in */
NEEDS_CALL(clock_gettime)
NEEDS_CALL(recvmsg)
NEEDS_CALL(sendmsg)

uint64_t natloop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- whose packet is it ---------------------------------------------------------- */

/* Enough of a packet to tell whose it is */
struct glance {
	struct addr src;
	struct addr dst;
	uint8_t proto;
	bool has_l4;		/* not a later fragment, and 4 bytes of its header are there */
	const uint8_t *l4;
};

static bool look(const struct io_packet *p, struct glance *g)
{
	const uint8_t *ip = p->data;
	uint32_t l4;

	if (p->len >= 20 && ip[0] >> 4 == 4) {
		l4 = (uint32_t)(ip[0] & 0xf) * 4;
		*g = (struct glance){ addr_from_bytes(AF_V4, ip + 12),
				      addr_from_bytes(AF_V4, ip + 16), .proto = ip[9] };
		g->has_l4 = (get16(ip + 6) & 0x1fff) == 0;
	} else if (p->len >= 40 && ip[0] >> 4 == 6) {
		l4 = 40;
		*g = (struct glance){ addr_from_bytes(AF_V6, ip + 8),
				      addr_from_bytes(AF_V6, ip + 24), .proto = ip[6] };
		g->has_l4 = true;
	} else {
		return false;
	}
	g->l4 = ip + l4;
	g->has_l4 &= l4 + 4 <= p->len;
	return true;
}

static bool has_port(const uint8_t *map, uint32_t port)
{
	return (map[port / 8] >> (port % 8) & 1) != 0;
}

/* To an address that the NAT has: does this one belong to it */
static bool is_claimed(const struct natloop *l, const struct glance *g, bool is_shared)
{
	const bool is_icmp6 = g->proto == PROTO_ICMP6;

	if (!g->has_l4)
		return true;
	if (is_icmp6 && g->l4[0] >= ND_FIRST && g->l4[0] <= ND_LAST)
		return false;
	if (!is_shared)
		return true;
	if (g->proto == PROTO_TCP || g->proto == PROTO_UDP)
		return has_port(l->ports[g->proto == PROTO_UDP], get16(g->l4 + 2));
	return !(is_icmp6 && g->l4[0] == ECHO6) && !(g->proto == PROTO_ICMP && g->l4[0] == ECHO4);
}

/* An address that the host has too */
static bool is_shared(const struct natloop *l, struct addr a)
{
	for (uint32_t i = 0; i < l->claim->n_addrs; i++)
		if (l->claim->addrs[i].is_shared && addr_equal(l->claim->addrs[i].a, a))
			return true;
	return false;
}

static bool is_ours(const struct natloop *l, enum nat_side from, const struct io_packet *p)
{
	struct glance g;

	if (!look(p, &g))
		return false;
	/* What the host says comes by lo: this is somebody who would speak in its name */
	if (l->host != NULL && from == NAT_INSIDE && is_shared(l, g.src))
		return false;
	for (uint32_t i = 0; i < l->claim->n_addrs; i++)
		if (addr_equal(l->claim->addrs[i].a, g.dst))
			return is_claimed(l, &g, l->claim->addrs[i].is_shared);
	/* What the device gets was led there; of an interface that is the host's too: */
	if (l->io[from]->ops->is_l3)
		return true;
	for (uint32_t i = 0; i < l->claim->n_home; i++)
		if (prefix_has(l->claim->home[i], g.dst))
			return false;
	return from == NAT_INSIDE;
}

void natloop_claim(struct natloop *l, const struct claim *claim)
{
	memset(l->ports, 0, sizeof(l->ports));
	l->claim = claim;
	for (uint32_t i = 0; i < claim->n_ports; i++) {
		const struct claim_ports *c = &claim->ports[i];

		for (uint32_t port = c->lo; port <= c->hi; port++)
			l->ports[c->proto == PROTO_UDP][port / 8] |= (uint8_t)(1u << (port % 8));
	}
}

/* ---- packets --------------------------------------------------------------------- */

static void flush(struct natloop *l, enum nat_side side)
{
	if (l->n_out[side] > 0)
		io_tx(l->io[side], l->out[side], l->n_out[side]);
	l->n_out[side] = 0;
}

/* Is it for the host, which is no neighbour */
static bool is_for_host(const struct natloop *l, enum nat_side side, const struct io_packet *p)
{
	struct glance g;

	return l->host != NULL && side == NAT_INSIDE && look(p, &g) && is_shared(l, g.dst);
}

static void queue(struct natloop *l, enum nat_side side, const struct io_packet *p, uint64_t now_ns)
{
	struct io_packet *to = &l->out[side][l->n_out[side]];

	*to = *p;
	if (is_for_host(l, side, p)) {
		struct io_packet slow = *to;

		hops_by_kernel(&l->to_host, &slow);
		return;
	}
	if (!hops_find(&l->hops[side], to, now_ns)) {
		struct io_packet slow = *to;

		/* Behind those that wait already */
		flush(l, side);
		hops_by_kernel(&l->hops[side], &slow);
		l->n.by_kernel++;
		return;
	}
	if (++l->n_out[side] == IO_BATCH)
		flush(l, side);
}

/* What the NAT is told of a packet; one that is too big for the way it takes is made whole */
static uint8_t flags_of(const struct natloop *l, enum nat_side from, struct io_packet *p)
{
	if (io_wire_bytes(p) > l->io[!from]->mtu_bytes) {
		(void)!offload_complete(p);
		p->off.gso = IO_GSO_NONE;
	}
	return (uint8_t)((p->off.is_partial ? NAT_P_PARTIAL : 0) |
			 (p->off.gso != IO_GSO_NONE ? NAT_P_GSO : 0));
}

/* What another worker goes on with */
static void hand_on(struct natloop *l, const struct nat_packet *in, const struct io_packet *p,
		    const struct nat_errand *came)
{
	const bool is_second = (in->flags & NAT_P_SECOND) != 0;
	struct nat_errand e;

	nat_errand_of(l->nat, in, came, &e);
	errands_send(l->errands, in->worker, is_second ? NAT_OUTSIDE : (enum nat_side)in->from,
		     p, &e);
}

static void hand_made(struct natloop *l, const struct nat_made *m, const struct io_packet *p)
{
	struct nat_errand e = { .flags = m->flags, .hops = 1, .longest = m->longest };

	if (m->ruling != NULL)
		e.ruling = *m->ruling;
	errands_send(l->errands, m->worker, NAT_OUTSIDE, p, &e);
}

static void send_made(struct natloop *l, uint64_t now_ns)
{
	uint32_t n;
	const struct nat_made *made = nat_made(l->nat, &n);

	for (uint32_t i = 0; i < n; i++) {
		/* Its bytes are the NAT's until the next batch, and only read */
		const struct io_packet p = { .data = (uint8_t *)(uintptr_t)made[i].data,
					     .len = made[i].len };

		if (made[i].is_elsewhere)
			hand_made(l, &made[i], &p);
		else
			queue(l, made[i].to, &p, now_ns);
	}
}

/* By where it came to, or else by where it seems to come from */
static void count_place(struct natloop *l, const struct nat_packet *p, uint32_t place,
			uint64_t now_ns)
{
	if (place == PLACE_NONE)
		place = places_of(l->places, p->data, p->len, false);
	places_count(l->places, place, 1, p->len, now_ns);
}

static uint32_t pass(struct natloop *l, enum nat_side from, uint64_t now_ns)
{
	const uint32_t n = io_rx(l->io[from], l->rx, IO_BATCH);
	uint32_t m = 0;

	for (uint32_t i = 0; i < n && l->lanes != NULL; i++)
		lanes_fetch(l->lanes, from, &l->rx[i]);
	for (uint32_t i = 0; i < n; i++) {
		struct io_packet *p = &l->rx[i];

		if (!is_ours(l, from, p)) {
			l->n.not_ours[from]++;
			continue;
		}
		if (l->lanes != NULL)
			lanes_before(l->lanes, now_ns, from, p);
		l->in[m] = (struct nat_packet){ .data = p->data, .len = p->len, .from = from,
						.iface = from, .flags = flags_of(l, from, p) };
		l->place[m] = l->places == NULL ? PLACE_NONE :
			      places_of(l->places, p->data, p->len, true);
		l->at[m++] = i;
	}
	if (m == 0)
		return n;
	nat_batch(l->nat, now_ns, l->in, m);
	for (uint32_t j = 0; j < m; j++) {
		struct io_packet *p = &l->rx[l->at[j]];

		p->len = l->in[j].len;
		if (l->in[j].verdict == NAT_ELSEWHERE)
			hand_on(l, &l->in[j], p, NULL);
		if (l->in[j].verdict != NAT_FORWARD)
			continue;
		if (l->places != NULL)
			count_place(l, &l->in[j], l->place[j], now_ns);
		if (l->lanes != NULL)
			lanes_greeted(l->lanes, now_ns, &l->in[j]);
		queue(l, l->in[j].to, p, now_ns);
	}
	send_made(l, now_ns);
	flush(l, NAT_INSIDE);
	flush(l, NAT_OUTSIDE);
	/* What comes by a lane from now on is behind these */
	for (uint32_t j = 0; j < m && l->lanes != NULL; j++)
		if (l->in[j].verdict == NAT_FORWARD && !l->rx[l->at[j]].is_short)
			lanes_after(l->lanes, now_ns, &l->in[j], n < IO_BATCH);
	l->n.rounds++;
	return n;
}

/* What becomes of one packet by itself; its memory is the next one's too */
static void settle(struct natloop *l, struct nat_packet *in, struct io_packet *p,
		   const struct nat_errand *came, uint32_t place, uint64_t now_ns)
{
	p->len = in->len;
	if (in->verdict == NAT_ELSEWHERE)
		hand_on(l, in, p, came);
	if (in->verdict == NAT_FORWARD && l->places != NULL)
		count_place(l, in, place, now_ns);
	if (in->verdict == NAT_FORWARD)
		queue(l, in->to, p, now_ns);
	send_made(l, now_ns);
	flush(l, NAT_INSIDE);
	flush(l, NAT_OUTSIDE);
}

/* A packet that another worker has handed over */
static void take_errand(struct natloop *l, enum nat_side from, struct io_packet *p,
			const struct nat_errand *e, uint64_t now_ns)
{
	struct nat_packet in = { .data = p->data, .len = p->len, .from = from, .iface = from,
				 .flags = flags_of(l, from, p) };
	const uint32_t place = l->places == NULL ? PLACE_NONE :
			       places_of(l->places, p->data, p->len, true);

	if (l->lanes != NULL)
		lanes_before(l->lanes, now_ns, from, p);
	nat_handed(l->nat, now_ns, &in, e);
	settle(l, &in, p, e, place, now_ns);
}

/* Callers of the host itself: few, and none of them waits for others */
static uint32_t take_host(struct natloop *l, uint64_t now_ns)
{
	const uint32_t n = io_rx(l->host, l->rx, IO_BATCH);

	for (uint32_t i = 0; i < n; i++) {
		struct io_packet *p = &l->rx[i];
		struct nat_packet in = { .data = p->data, .len = p->len, .from = NAT_INSIDE,
					 .iface = NAT_INSIDE };
		const uint32_t place = l->places == NULL ? PLACE_NONE :
				       places_of(l->places, p->data, p->len, true);
		struct glance g;

		if (!look(p, &g) || !is_shared(l, g.dst) || !is_claimed(l, &g, true))
			continue;
		in.flags = (uint8_t)(flags_of(l, NAT_OUTSIDE, p) | NAT_P_HOST);
		nat_batch(l->nat, now_ns, &in, 1);
		settle(l, &in, p, NULL, place, now_ns);
	}
	return n;
}

static uint32_t take_errands(struct natloop *l, uint64_t now_ns)
{
	struct io_packet p;
	struct nat_errand e;
	enum nat_side from;
	uint32_t n = 0;

	while (n < IO_BATCH && errands_get(l->errands, &from, &p, &e)) {
		take_errand(l, from, &p, &e, now_ns);
		n++;
	}
	l->n.handed += n;
	return n;
}

uint32_t natloop_step(struct natloop *l, uint64_t now_ns)
{
	uint32_t n = pass(l, NAT_INSIDE, now_ns);

	n += pass(l, NAT_OUTSIDE, now_ns);
	/* Asking costs a call each time, and mostly nobody is there */
	if (l->host_waits) {
		const uint32_t got = take_host(l, now_ns);

		l->host_waits = got > 0;
		n += got;
	}
	return l->errands == NULL ? n : n + take_errands(l, now_ns);
}

/* ---- everything else ------------------------------------------------------------- */

/* The NAT answers for a way that has become narrower, as any router */
static void hear_state(struct natloop *l, enum nat_side side)
{
	const struct io *io = l->io[side];
	char line[96];

	nat_set_mtu(l->nat, side, io->mtu_bytes);
	if (l->lanes != NULL)
		lanes_renew(l->lanes);
	snprintf(line, sizeof(line), "%s is %s, MTU %u", io->name, io->is_down ? "down" : "up",
		 io->mtu_bytes);
	if (!l->is_second)
		l->tell(l->arg, line);
}

/* Messages of one datagram; false: it ended in the middle */
static void hear(struct natloop *l, size_t len)
{
	const struct nlmsghdr *msg = (const struct nlmsghdr *)l->route.buf;
	int left = (int)len;

	for (; mnl_nlmsg_ok(msg, left); msg = mnl_nlmsg_next(msg, &left))
		for (int side = 0; side < 2; side++)
			if (hops_hear(&l->hops[side], msg))
				hear_state(l, (enum nat_side)side);
}

/* One line in a while, however long it goes on */
static void tell_lost(struct natloop *l, uint64_t now_ns)
{
	if (now_ns - l->told_lost_ns < NATLOOP_LOST_NS)
		return;
	for (int side = 0; side < 2; side++) {
		const uint64_t lost = l->io[side]->n.rx_lost - l->told_lost[side];
		char line[96];

		if (lost == 0)
			continue;
		l->told_lost[side] = l->io[side]->n.rx_lost;
		l->told_lost_ns = now_ns;
		snprintf(line, sizeof(line), "%s: %llu packets came that there was no room for",
			 l->io[side]->name, (unsigned long long)lost);
		l->tell(l->arg, line);
	}
}

static void hear_all(void *arg)
{
	struct natloop *l = arg;
	size_t len;
	int err;

	while ((err = nl_receive(&l->route, MSG_DONTWAIT, &len)) == 0)
		hear(l, len);
	if (err == -EAGAIN)
		return;
	l->tell(l->arg, "lost count of routes and neighbours: reading them anew");
	for (int side = 0; side < 2; side++)
		if (hops_reread(&l->hops[side], &l->reread) < 0)
			l->tell(l->arg, "cannot read routes and neighbours");
}

int natloop_watch(struct natloop *l, int fd, void (*ready)(void *arg), void *arg)
{
	for (uint32_t i = 0; i < NATLOOP_WATCHES; i++) {
		if (l->watch[i].fd >= 0)
			continue;
		l->watch[i] = (struct natloop_watch){ fd, ready, arg };
		return 0;
	}
	return -ENOSPC;
}

void natloop_unwatch(struct natloop *l, int fd)
{
	for (uint32_t i = 0; i < NATLOOP_WATCHES; i++)
		if (l->watch[i].fd == fd)
			l->watch[i].fd = -1;
}

int natloop_init(struct natloop *l, struct io *inside, struct io *outside,
		 const struct claim *claim)
{
	int err;

	memset(l, 0, sizeof(*l));
	l->io[NAT_INSIDE] = inside;
	l->io[NAT_OUTSIDE] = outside;
	for (int side = 0; side < 2; side++)
		l->told_lost[side] = l->io[side]->n.rx_lost;	/* an earlier process's */
	natloop_claim(l, claim);
	for (uint32_t i = 0; i < NATLOOP_WATCHES; i++)
		l->watch[i].fd = -1;
	l->route.fd = l->reread.fd = -1;
	for (int side = 0; side < 2; side++)
		l->hops[side].raw[0] = l->hops[side].raw[1] = -1;
	err = nl_open(&l->route, NETLINK_ROUTE);
	if (err == 0)
		err = nl_open(&l->reread, NETLINK_ROUTE);
	/* Joined first: what changes while we read is heard afterwards */
	if (err == 0)
		err = hops_join(&l->route);
	for (int side = 0; side < 2 && err == 0; side++)
		err = hops_open(&l->hops[side], l->io[side], &l->reread);
	if (err == 0)
		err = natloop_watch(l, l->route.fd, hear_all, l);
	if (err < 0)
		natloop_fini(l);
	return err;
}

int natloop_host(struct natloop *l, struct io *host)
{
	const int err = hops_host(&l->to_host, host);

	if (err == 0)
		l->host = host;
	return err;
}

void natloop_fini(struct natloop *l)
{
	if (l->host != NULL)
		hops_close(&l->to_host);
	for (int side = 0; side < 2; side++)
		hops_close(&l->hops[side]);
	nl_close(&l->route);
	nl_close(&l->reread);
}

static int also_fd(const struct io *io)
{
	return io->also_fd > 0 ? io->also_fd : -1;
}

/* Wait for packets and everybody else, and see to the latter */
static void wait(struct natloop *l, int timeout_ms)
{
	struct pollfd fds[NATLOOP_WATCHES + 6];
	uint32_t n = 0;

	for (uint32_t i = 0; i < NATLOOP_WATCHES; i++)
		fds[n++] = (struct pollfd){ l->watch[i].fd, POLLIN, 0 };
	for (int side = 0; side < 2; side++)
		fds[n++] = (struct pollfd){ l->io[side]->fd, POLLIN, 0 };
	for (int side = 0; side < 2; side++)
		fds[n++] = (struct pollfd){ also_fd(l->io[side]), POLLIN, 0 };
	if (l->host != NULL)
		fds[n++] = (struct pollfd){ l->host->fd, POLLIN, 0 };
	if (l->errands != NULL)
		fds[n++] = (struct pollfd){ l->errands->from, POLLIN, 0 };
	if (poll(fds, n, timeout_ms) <= 0)
		return;
	l->host_waits |= l->host != NULL && fds[HOST_AT].revents != 0;
	for (uint32_t i = 0; i < NATLOOP_WATCHES; i++)
		if (fds[i].revents != 0 && fds[i].fd == l->watch[i].fd && fds[i].fd >= 0)
			l->watch[i].ready(l->watch[i].arg);
	for (int i = 0; i < 4; i++)
		if ((fds[NATLOOP_WATCHES + i].revents & (POLLERR | POLLHUP)) != 0)
			io_error(l->io[i % 2]);
}

static bool tick_lanes(struct natloop *l, uint64_t now_ns)
{
	bool was_lost, is_late;

	if (l->lanes == NULL)
		return false;
	was_lost = l->lanes->is_lost;
	is_late = lanes_tick(l->lanes, now_ns);
	if (l->lanes->is_lost && !was_lost)
		l->tell(l->arg,
			"no lanes any more: a tcx program before ours keeps packets from them");
	return is_late;
}

void natloop_run(struct natloop *l)
{
	uint64_t ticked_ns = 0;
	uint32_t rounds = 0;
	bool is_late = false;	/* more time has run out than one tick could see to */

	while (!l->is_stopped) {
		const uint64_t now_ns = natloop_now();
		const bool is_idle = natloop_step(l, now_ns) == 0;

		/* Who is never idle has time that runs out all the same */
		if ((is_late && (is_idle || rounds % ROUNDS == 0)) ||
		    now_ns - ticked_ns >= NATLOOP_TICK_MS * UINT64_C(1000000)) {
			ticked_ns = now_ns;
			is_late = nat_tick(l->nat, now_ns);
			send_made(l, now_ns);
			is_late |= tick_lanes(l, now_ns);
			flush(l, NAT_INSIDE);
			flush(l, NAT_OUTSIDE);
			tell_lost(l, now_ns);
			if (l->tick != NULL)
				l->tick(l->arg);
		}
		if (is_idle || ++rounds % ROUNDS == 0)
			wait(l, is_idle && !is_late ? NATLOOP_TICK_MS : 0);
	}
}
