/* SPDX-License-Identifier: BSD-2-Clause */
#include "ns.h"

#include <poll.h>

#include "nl/rtnl_veth.h"
#include "port/io.h"
#include "port/offload.h"
#include "target/nft_claim.h"

#define SPORT	40000u
#define DPORT	443u

static uint8_t bytes[IO_PACKET_BYTES];

/* ---- a naive view of packets ------------------------------------------------ */

static void put(uint32_t at, uint32_t n, uint32_t v)
{
	for (uint32_t i = 0; i < n; i++)
		bytes[at + i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

static uint32_t get(const uint8_t *p, uint32_t n)
{
	uint32_t v = 0;

	for (uint32_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static uint32_t add(uint32_t sum, const uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		sum += (uint32_t)p[i] << (i % 2 == 0 ? 8 : 0);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static bool is_v4(const uint8_t *ip)
{
	return ip[0] >> 4 == 4;
}

static uint32_t l4_at(const uint8_t *ip)
{
	return is_v4(ip) ? (uint32_t)(ip[0] & 0xf) * 4 : 40;
}

static uint8_t proto_at(const uint8_t *ip)
{
	return ip[is_v4(ip) ? 9 : 6];
}

static uint32_t pseudo(const uint8_t *ip, uint32_t l4_len)
{
	const uint8_t tail[4] = { 0, proto_at(ip), (uint8_t)(l4_len >> 8), (uint8_t)l4_len };

	return add(add(0, ip + (is_v4(ip) ? 12 : 8), is_v4(ip) ? 8 : 32), tail, 4);
}

/* Are the lengths and all checksums right */
static bool is_whole(const struct io_packet *p)
{
	const uint32_t l4 = l4_at(p->data), len = p->len - l4;

	if (is_v4(p->data) && (get(p->data + 2, 2) != p->len || add(0, p->data, l4) != 0xffff))
		return false;
	if (!is_v4(p->data) && get(p->data + 4, 2) + 40 != p->len)
		return false;
	if (proto_at(p->data) == 17 && get(p->data + l4 + 4, 2) != len)
		return false;
	return add(pseudo(p->data, len), p->data + l4, len) == 0xffff;
}

/* A TCP or UDP packet as a socket with offloads leaves it */
static struct io_packet make(bool v4, uint8_t proto, uint32_t payload, uint32_t gso_bytes)
{
	const uint32_t l4 = v4 ? 24 : 40, head = proto == 6 ? 32 : 8, len = l4 + head + payload;
	struct io_packet p = { .data = bytes, .len = len };

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)unit_random();
	memset(bytes, 0, l4);
	bytes[0] = v4 ? 0x46 : 0x60;
	bytes[v4 ? 9 : 6] = proto;
	put(v4 ? 2 : 4, 2, v4 ? len : len - 40);
	put(4, v4 ? 2 : 0, 0xfffe);
	for (uint32_t i = v4 ? 12 : 8; i < (v4 ? 20u : 40u); i++)
		bytes[i] = (uint8_t)unit_random();
	if (v4)
		memset(bytes + 20, 1, 4);	/* no-operation options */
	put(l4, 2, SPORT);
	put(l4 + 2, 2, DPORT);
	if (proto == 6) {
		put(l4 + 4, 4, 0xffffff00);
		put(l4 + 12, 2, 0x80b9);	/* CWR, ACK, PSH, URG off, FIN */
	} else {
		put(l4 + 4, 2, head + payload);
	}
	p.off = (struct io_offload){
		.gso = gso_bytes == 0 ? IO_GSO_NONE : proto == 17 ? IO_GSO_UDP :
		       v4 ? IO_GSO_TCP4 : IO_GSO_TCP6,
		.gso_bytes = (uint16_t)gso_bytes, .is_partial = true, .has_ecn = true,
		.csum_start = (uint16_t)l4, .csum_offset = proto == 6 ? 16 : 6,
	};
	put(l4 + p.off.csum_offset, 2, pseudo(bytes, head + payload));
	if (v4)
		put(10, 2, 0xffff ^ add(0, bytes, l4));
	return p;
}

static struct io *plain(void)
{
	struct io *io = NULL;

	CHECK_INT(io_open(&io_memory_ops, "memory", &io), 0);
	if (io != NULL)
		io->has_offload = false;
	return io;
}

/* ---- cutting ---------------------------------------------------------------- */

static void check_cut(struct io *io, const struct io_packet *p, uint32_t payload)
{
	const uint32_t l4 = l4_at(p->data), head = proto_at(p->data) == 6 ? 32 : 8;
	const uint32_t gso = p->off.gso_bytes;
	struct io_packet got, whole = *p;
	uint32_t done = 0, i = 0;

	CHECK_INT(io_wire_bytes(p), l4 + head + MIN(gso, payload));
	io_tx(io, &whole, 1);
	for (; io_memory_take(io, &got) == 0; i++) {
		const uint32_t n = got.len - l4 - head;

		CHECK(is_whole(&got));
		CHECK(!got.off.is_partial && got.off.gso == IO_GSO_NONE);
		CHECK_INT(n, MIN(gso, payload - done));
		CHECK(memcmp(got.data + l4 + head, bytes + l4 + head + done, n) == 0);
		if (is_v4(got.data))
			CHECK_INT(get(got.data + 4, 2), (0xfffe + i) & 0xffff);
		if (head == 32) {
			CHECK_INT(get(got.data + l4 + 4, 4), 0xffffff00 + done);
			CHECK_INT(got.data[l4 + 13] & 0x80, done == 0 ? 0x80 : 0);
			CHECK_INT(got.data[l4 + 13] & 0x09, done + n == payload ? 0x09 : 0);
		}
		done += n;
	}
	CHECK_INT(done, payload);
	CHECK_INT(i, (payload + gso - 1) / gso);
}

TEST(cut_into_what_it_stands_for)
{
	CLEANUP(io_close) struct io *io = plain();

	for (uint32_t i = 0; i < 300; i++) {
		const uint32_t gso = 1 + (uint32_t)unit_below(1400);
		/* At most what the memory's queue holds */
		const uint32_t payload = 1 + (uint32_t)unit_below(MIN(64000, gso * IO_BATCH));
		const uint8_t proto = unit_below(2) ? 6 : 17;
		const struct io_packet p = make(unit_below(2), proto, payload, gso);

		check_cut(io, &p, payload);
	}
}

TEST(order_is_kept_around_a_cut)
{
	CLEANUP(io_close) struct io *io = plain();
	struct io_packet v[3], got;
	uint8_t small[2][100];

	v[1] = make(true, 17, 60, 0);
	for (int i = 0; i < 2; i++) {
		memcpy(small[i], bytes, 92);
		v[i * 2] = v[1];
		v[i * 2].data = small[i];
	}
	v[1] = make(true, 6, 3000, 1000);
	io_tx(io, v, 3);
	for (uint32_t i = 0; i < 5; i++) {
		if (!CHECK_INT(io_memory_take(io, &got), 0))
			return;
		CHECK_INT(proto_at(got.data), i == 0 || i == 4 ? 17 : 6);
		CHECK(is_whole(&got));
	}
	CHECK_INT(io_memory_take(io, &got), -EAGAIN);
	CHECK_INT(io->n.tx, 5);
}

TEST(too_big_is_not_sent)
{
	CLEANUP(io_close) struct io *io = plain();
	struct io_packet p = make(true, 6, 4000, 1449), got;

	io->mtu_bytes = 24 + 32 + 1448;
	io_tx(io, &p, 1);
	CHECK_INT(io_memory_take(io, &got), -EAGAIN);
	CHECK_INT(io->n.tx_too_big, 1);
	p = make(true, 6, 4000, 1448);
	io_tx(io, &p, 1);
	CHECK_INT(io_memory_take(io, &got), 0);
	CHECK_INT(got.len, io->mtu_bytes);
}

TEST(what_lies_about_itself_is_dropped)
{
	CLEANUP(io_close) struct io *io = plain();
	struct io_packet got;

	for (uint32_t i = 0; i < 20000; i++) {
		struct io_packet p = make(unit_below(2), unit_below(2) ? 6 : 17, 100, 60);

		bytes[unit_below(90)] = (uint8_t)unit_random();
		p.len = (uint32_t)unit_below(180);
		p.off.csum_start = (uint16_t)unit_below(200);
		p.off.gso_bytes = (uint16_t)unit_below(3) * 30;
		io_tx(io, &p, 1);
		while (io_memory_take(io, &got) == 0)
			CHECK(got.len <= p.len || got.off.gso != IO_GSO_NONE);
	}
	CHECK(io->n.tx_refused > 0);
}

TEST(partial_sum_is_renewed)
{
	for (uint32_t i = 0; i < 200; i++) {
		CLEANUP(io_close) struct io *io = plain();
		struct io_packet p = make(unit_below(2), unit_below(2) ? 6 : 17, 100, 0), got;

		bytes[is_v4(bytes) ? 13 : 10] ^= 0x5a;
		io_offload_renew(&p);
		if (is_v4(bytes)) {
			put(10, 2, 0);
			put(10, 2, 0xffff ^ add(0, bytes, 24));
		}
		io_tx(io, &p, 1);
		if (CHECK_INT(io_memory_take(io, &got), 0))
			CHECK(is_whole(&got));
	}
}

TEST(udp_sum_is_never_zero)
{
	CLEANUP(io_close) struct io *io = plain();
	struct io_packet p = make(true, 17, 2, 0), got;

	/* The payload that makes everything else sum to 0xffff */
	put(32, 2, 0);
	put(30, 2, 0);
	put(32, 2, 0xffff ^ add(pseudo(bytes, 10), bytes + 24, 10));
	io_tx(io, &p, 1);
	CHECK_INT(io_memory_take(io, &got), 0);
	CHECK_INT(get(got.data + 30, 2), 0xffff);
}

/* ---- the kernel's ways ------------------------------------------------------- */

/* Two ends of a veth, both here, up */
static bool make_pair(struct rtnl_end ends[2])
{
	static const char *const names[2] = { "a0", "b0" };
	const int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct nl_session s;
	struct rtnl_msg m;
	bool done = CHECK_INT(nl_open(&s, NETLINK_ROUTE), 0) &&
		    CHECK_INT(nl_talk(&s, rtnl_msg_veth_add(&m, "a0", 0, "b0", ns), NULL, NULL), 0);

	for (int i = 0; i < 2 && done; i++)
		done = CHECK_INT(rtnl_end_read(&s, names[i], &ends[i]), 0) &&
		       CHECK_INT(nl_talk(&s, rtnl_msg_link_set_up(&m, ends[i].index, true), NULL,
					 NULL), 0);
	nl_close(&s);
	close(ns);
	return done;
}

/* The next TCP or UDP packet of ours, IPv6's own chatter left out */
static bool receive(struct io *io, struct io_packet *ret)
{
	for (int tries = 0; tries < 100; tries++) {
		const int also = io->also_fd > 0 ? io->also_fd : -1;
		struct pollfd fds[2] = { { io->fd, POLLIN, 0 }, { also, POLLIN, 0 } };

		if (io_rx(io, ret, 1) == 1 && proto_at(ret->data) != 58)
			return true;
		(void)poll(fds, 2, 50);
	}
	return false;
}

static void between(const struct io_ops *from, const struct io_ops *to, bool gso_arrives)
{
	CLEANUP(io_close) struct io *a = NULL;
	CLEANUP(io_close) struct io *b = NULL;
	struct rtnl_end ends[2];
	struct io_packet p, got;
	uint32_t n = 0, payload = 0;

	if (!make_pair(ends) || !CHECK_INT(io_open(from, "a0", &a), 0) ||
	    !CHECK_INT(io_open(to, "b0", &b), 0))
		return;
	CHECK_INT(a->mtu_bytes, 1500);
	CHECK(memcmp(b->mac, ends[1].mac, IO_MAC_BYTES) == 0);
	p = make(true, 6, 20000, 1000);
	memcpy(p.mac, b->mac, IO_MAC_BYTES);
	io_tx(a, &p, 1);
	for (; payload < 20000; n++) {
		if (!CHECK(receive(b, &got)))
			return;
		CHECK_INT(got.len - 56, gso_arrives ? 20000 : 1000);
		CHECK_INT(got.off.gso, gso_arrives ? IO_GSO_TCP4 : IO_GSO_NONE);
		if (!gso_arrives)
			CHECK(is_whole(&got));
		CHECK(memcmp(got.mac, a->mac, IO_MAC_BYTES) == 0);
		CHECK(memcmp(got.data + 56, bytes + 56 + payload, got.len - 56) == 0);
		payload += got.len - 56;
	}
	/* To another station: not ours */
	p = make(true, 17, 10, 0);
	memcpy(p.mac, b->mac, IO_MAC_BYTES);
	p.mac[5] ^= 1;
	io_tx(a, &p, 1);
	p.mac[5] ^= 1;
	put(26, 2, 7);
	p.off.is_partial = false;
	io_tx(a, &p, 1);
	if (CHECK(receive(b, &got)))
		CHECK_INT(get(got.data + 26, 2), 7);
	CHECK_INT(b->n.rx_lost, 0);
}

TEST(ring_of_version_3)
{
	NS_FRESH();
	between(&io_packet_ops, &io_packet_v3_ops, true);
}

/* A UDP packet to a port of fd00::1 */
static void send_udp(struct io *from, const struct io *to, uint32_t port, uint32_t payload,
		     bool is_whole_one)
{
	struct io_packet p = make(false, 17, payload, 0);
	const uint8_t dst[16] = { 0xfd, [15] = 1 };

	memcpy(bytes + 24, dst, sizeof(dst));
	bytes[8] = 0xfd;
	put(42, 2, port);
	memcpy(p.mac, to->mac, IO_MAC_BYTES);
	io_offload_renew(&p);
	if (is_whole_one)
		CHECK_INT(offload_complete(&p), 0);
	io_tx(from, &p, 1);
}

/* Is it seen by all who watch the interface */
static bool is_seen(struct io *from, struct io *by, struct io *witness, uint32_t port,
		    uint32_t payload, bool is_whole_one)
{
	struct io_packet got, seen;

	send_udp(from, by, port, payload, is_whole_one);
	if (!CHECK(receive(by, &got)))
		return false;
	CHECK_INT(got.len, 48 + payload);
	CHECK_INT(got.off.is_partial, !is_whole_one);
	CHECK_INT(get(got.data + 42, 2), port);
	/* Whoever has it now had it when it came */
	for (int tries = 0; tries < 10; tries++)
		if (io_rx(witness, &seen, 1) == 1 && proto_at(seen.data) == 17)
			return true;
	return false;
}

TEST(xdp_takes_what_is_ours_whole_and_short)
{
	CLEANUP(io_close) struct io *a = NULL;
	CLEANUP(io_close) struct io *b = NULL;
	CLEANUP(io_close) struct io *witness = NULL;
	const struct claim_addr addr = {
		.a = { AF_V6, ((u128)0xfd << 120) | 1 }, .is_shared = true,
	};
	const struct claim_ports ports = { 17, 50001, 65535 };
	struct claim claim = { .addrs = &addr, .n_addrs = 1, .ports = &ports, .n_ports = 1 };
	struct rtnl_end ends[2];

	NS_FRESH();
	if (io_xdp_ops.probe() < 0)
		UNIT_SKIP("no AF_XDP here");
	if (!make_pair(ends) || !CHECK_INT(io_open(&io_packet_ops, "a0", &a), 0) ||
	    !CHECK_INT(io_open(&io_xdp_ops, "b0", &b), 0) ||
	    !CHECK_INT(io_open(&io_packet_ops, "b0", &witness), 0))
		return;
	CHECK(is_seen(a, b, witness, 50001, 10, true));	/* nothing is claimed yet */
	CHECK_INT(io_xdp_ops.claim(b, &claim, false), 0);
	CHECK(!is_seen(a, b, witness, 50001, 10, true));
	CHECK(!is_seen(a, b, witness, 65535, 1400, true));
	CHECK(is_seen(a, b, witness, 50000, 10, true));	/* the host's */
	CHECK(is_seen(a, b, witness, 50001, 10, false)); /* its checksum is not there yet */
	/* Others of the jails' side, and the inside's own */
	claim.n_ports = 0;
	CHECK_INT(io_xdp_ops.claim(b, &claim, true), 0);
	CHECK(is_seen(a, b, witness, 50001, 10, true));
	claim.n_addrs = 0;
	CHECK_INT(io_xdp_ops.claim(b, &claim, true), 0);
	CHECK(!is_seen(a, b, witness, 50001, 10, true));
	claim.home = &(struct prefix){ { AF_V6, (u128)0xfd << 120 }, 8 };
	claim.n_home = 1;
	CHECK_INT(io_xdp_ops.claim(b, &claim, true), 0);
	CHECK(is_seen(a, b, witness, 50001, 10, true));
}

/* Many short packets wait, and behind them one that the other socket gets: both have a turn */
TEST(a_flood_of_short_packets_leaves_xdp_room_for_others)
{
	CLEANUP(io_close) struct io *a = NULL;
	CLEANUP(io_close) struct io *b = NULL;
	CLEANUP(io_close) struct io *witness = NULL;
	const struct claim_addr addr = {
		.a = { AF_V6, ((u128)0xfd << 120) | 1 }, .is_shared = true,
	};
	const struct claim_ports ports = { 17, 50001, 65535 };
	const struct claim claim = { .addrs = &addr, .n_addrs = 1, .ports = &ports, .n_ports = 1 };
	struct io_packet v[IO_BATCH];
	struct rtnl_end ends[2];
	uint32_t n, others = 0, shorts = 0;

	NS_FRESH();
	if (io_xdp_ops.probe() < 0)
		UNIT_SKIP("no AF_XDP here");
	if (!make_pair(ends) || !CHECK_INT(io_open(&io_packet_ops, "a0", &a), 0) ||
	    !CHECK_INT(io_open(&io_xdp_ops, "b0", &b), 0) ||
	    !CHECK_INT(io_open(&io_packet_ops, "b0", &witness), 0))
		return;
	CHECK_INT(io_xdp_ops.claim(b, &claim, false), 0);
	for (uint32_t i = 0; i < 3 * IO_BATCH; i++)
		send_udp(a, b, 50001, 10, true);
	send_udp(a, b, 50000, 10, true);
	if (!CHECK(receive(witness, v)))
		return;
	for (bool is_first = true; (n = io_rx(b, v, IO_BATCH)) > 0; is_first = false) {
		for (uint32_t i = 0; i < n; i++) {
			const bool is_udp = proto_at(v[i].data) == 17;

			others += is_udp && get(v[i].data + 42, 2) == 50000;
			shorts += is_udp && get(v[i].data + 42, 2) == 50001;
		}
		if (is_first)
			CHECK_INT(n, IO_BATCH);
		CHECK_INT(others, 1);
	}
	CHECK_INT(shorts, 3 * IO_BATCH);
}

TEST(packet_to_xdp_and_back)
{
	NS_FRESH();
	if (io_xdp_ops.probe() < 0)
		UNIT_SKIP("no AF_XDP here");
	between(&io_packet_ops, &io_xdp_ops, true);
}

TEST(packet_to_packet)
{
	NS_FRESH();
	between(&io_packet_ops, &io_packet_ops, true);
}

TEST(pcap_to_packet)
{
	NS_FRESH();
	between(&io_pcap_ops, &io_packet_ops, false);
}

TEST(pcap_to_pcap)
{
	NS_FRESH();
	between(&io_pcap_ops, &io_pcap_ops, false);
}

TEST(no_such_interface)
{
	struct io *io = NULL;

	NS_FRESH();
	CHECK_INT(io_open(&io_packet_ops, "none0", &io), -ENODEV);
	CHECK_INT(io_open(&io_pcap_ops, "none0", &io), -ENODEV);
	CHECK_INT(io_open(&io_packet_ops, "a-name-of-more-than-15", &io), -ENODEV);
	CHECK_INT(io_open(&io_packet_ops, "lo", &io), -EMEDIUMTYPE);
	CHECK(io == NULL);
}

TEST(device_goes_with_its_descriptor)
{
	CLEANUP(io_close) struct io *io = NULL;
	struct nl_session s;
	struct rtnl_end end;
	struct io *again = NULL;

	NS_FRESH();
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		UNIT_SKIP("no /dev/net/tun");
	if (!CHECK_INT(nl_open(&s, NETLINK_ROUTE), 0) ||
	    !CHECK_INT(io_open(&io_tun_ops, "t0", &io), 0))
		return;
	CHECK_INT(rtnl_end_read(&s, "t0", &end), 0);
	CHECK_INT(end.index, io->ifindex);
	CHECK_INT(io_open(&io_tun_ops, "t0", &again), -EBUSY);
	io_close(&io);
	CHECK_INT(rtnl_end_read(&s, "t0", &end), -ENODEV);
	CHECK_INT(io_open(&io_tap_ops, "t0", &io), 0);
	nl_close(&s);
}

TEST(kinds_by_name)
{
	CHECK(io_kind("packet") == &io_packet_ops);
	CHECK(io_kind("tun") == &io_tun_ops);
	CHECK(io_kind("packet-v3") == &io_packet_v3_ops);
	CHECK(io_kind("xdp") == &io_xdp_ops);
	CHECK(io_kind("paket") == NULL);
	CHECK(io_best() == &io_packet_ops || io_packet_ops.probe() < 0);
	for (uint32_t i = 0; io_kinds[i] != NULL; i++)
		CHECK(io_kinds[i]->needs[0] != '\0' && io_kinds[i]->costs[0] != '\0');
}
