/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet path of the userspace NAT.  An even first byte: packets of any
 * bytes from either side, headers of IPv4 with their length and checksum right
 * where a bit says so, and nothing may leave with a private source.  An odd
 * one: UDP packets among few hosts and peers, with time going by, held against
 * a NAT as RFC 4787 describes it, in arrays (below).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nat/nat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOSTS		4u
#define PORTS		4u
#define PEERS		8u		/* address and port together */
#define UDP_S		300.0
#define OUTSIDE		0xcb007101u	/* 203.0.113.1 */

static const struct prefix inside[] = {
	{ { AF_V4, 0x0a000000 }, 24 }, { { AF_V6, (u128)0xfd << 120 }, 8 },
};
static const struct addr outside[] = {
	{ AF_V4, OUTSIDE }, { AF_V6, (u128)0x20010db8 << 96 | 1 },
};

static struct nat *nat;
static uint64_t now;

static void config(struct nat_config *cfg, enum nat_behaviour filtering)
{
	nat_config_init(cfg);
	cfg->max_flows = 256;
	cfg->max_addr6 = 64;
	cfg->inside = inside;
	cfg->n_inside = 2;
	cfg->outside = outside;
	cfg->n_outside = 2;
	cfg->frag_bytes = 1u << 17;
	cfg->filtering[NAT_UDP] = filtering;
}

/* A NAT in the pages of a file; what is written to it afterwards is in pages of its own */
static struct nat *make(enum nat_behaviour filtering, void **ret_mem, size_t *ret_bytes)
{
	const int fd = memfd_create("nat", MFD_CLOEXEC), rw = PROT_READ | PROT_WRITE;
	struct nat_config cfg;
	struct nat *made;
	void *mem;

	config(&cfg, filtering);
	*ret_bytes = nat_bytes(&cfg);
	if (fd < 0 || ftruncate(fd, (off_t)*ret_bytes) < 0)
		abort();
	mem = mmap(NULL, *ret_bytes, rw, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED || nat_init(&cfg, mem, &made) != 0 ||
	    mmap(mem, *ret_bytes, rw, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED)
		abort();
	close(fd);
	*ret_mem = mem;
	return made;
}

/* A fresh NAT: the pages that a run has changed go, which is faster than a copy of all */
static void start(enum nat_behaviour filtering)
{
	static struct {
		struct nat *nat;
		void *mem;
		size_t bytes;
	} fresh[3], *f;

	f = &fresh[filtering];
	if (f->nat == NULL)
		f->nat = make(filtering, &f->mem, &f->bytes);
	if (madvise(f->mem, f->bytes, MADV_DONTNEED) < 0)
		abort();
	nat = f->nat;
	now = 1000000000;
	nat_tick(nat, now);
}

/* ---- any bytes -------------------------------------------------------------------- */

static bool is_private(const uint8_t *ip)
{
	if (ip[0] >> 4 == 4)
		return addr_is_private(addr_from_bytes(AF_V4, ip + 12));
	return addr_is_private(addr_from_bytes(AF_V6, ip + 8));
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Length and checksum of a header of IPv4, if it is one */
static void mend(uint8_t *ip, size_t len)
{
	const size_t head = MIN((size_t)(ip[0] & 15) * 4, len) & ~(size_t)1;
	uint32_t sum = 0;

	if (len < 20 || ip[0] >> 4 != 4)
		return;
	put16(ip + 2, (uint32_t)len);
	put16(ip + 10, 0);
	for (size_t i = 0; i < head; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(ip + 10, ~((sum & 0xffff) + (sum >> 16)));
}

static void any_bytes(const uint8_t *data, size_t size)
{
	uint8_t buffers[8][256];

	while (size > 0) {
		struct nat_packet p[8];
		const struct nat_made *made;
		uint32_t n = 0, n_made;

		for (; n < 8 && size >= 2; n++) {
			const size_t len = MIN((size_t)data[1], size - 2);

			memcpy(buffers[n], data + 2, len);
			if ((data[0] & 0x80) != 0)
				mend(buffers[n], len);
			p[n] = (struct nat_packet){
				.data = buffers[n], .len = (uint32_t)len, .from = data[0] & 1,
				.flags = data[0] >> 1 & 3,
			};
			now += (uint64_t)(data[0] >> 3 & 15) * 1000000000;
			data += 2 + len;
			size -= 2 + len;
		}
		if (n == 0)
			break;
		nat_batch(nat, now, p, n);
		for (uint32_t i = 0; i < n; i++)
			if (p[i].verdict == NAT_FORWARD && p[i].to == NAT_OUTSIDE &&
			    is_private(p[i].data))
				abort();
		made = nat_made(nat, &n_made);
		for (uint32_t i = 0; i < n_made; i++)
			if (made[i].to == NAT_OUTSIDE && is_private(made[i].data))
				abort();
	}
}

/* ---- a naive NAT -------------------------------------------------------------------- */

struct endpoint {
	uint16_t port;		/* outside */
	double sent;		/* when it last sent anything */
	double sent_to[PEERS];
	double open_to[PEERS];	/* until when a session lives that this peer has opened */
};

static struct endpoint endpoints[HOSTS][PORTS];
static double seconds;

/* A UDP packet without UDP checksum */
static bool send(uint8_t *b, uint8_t from, uint32_t src, uint16_t sport, uint32_t dst,
		 uint16_t dport)
{
	struct nat_packet p = { .data = b, .len = 28, .from = from };

	memset(b, 0, 28);
	b[0] = 0x45;
	b[8] = 64;
	b[9] = 17;
	put16(b + 12, src >> 16);
	put16(b + 14, src);
	put16(b + 16, dst >> 16);
	put16(b + 18, dst);
	mend(b, 28);
	put16(b + 20, sport);
	put16(b + 22, dport);
	put16(b + 24, 8);
	nat_batch(nat, now, &p, 1);
	return p.verdict == NAT_FORWARD;
}

static uint32_t peer_addr(uint32_t peer)
{
	return 0xc6336400u + peer / 2;
}

static uint16_t peer_port(uint32_t peer)
{
	return (uint16_t)(53 + peer % 2);
}

static bool is_alive(const struct endpoint *e)
{
	return e->port != 0 && seconds - e->sent < UDP_S;
}

static void outbound(uint32_t host, uint32_t port, uint32_t peer)
{
	struct endpoint *e = &endpoints[host][port];
	uint8_t b[28];
	uint16_t got;

	if (!send(b, NAT_INSIDE, 0x0a000001 + host, (uint16_t)(5000 + port), peer_addr(peer),
		  peer_port(peer)))
		abort();
	got = (uint16_t)(b[20] << 8 | b[21]);
	if (is_alive(e) && e->port != got)
		abort();		/* endpoint-independent mapping */
	for (uint32_t i = 0; i < HOSTS * PORTS; i++) {
		const struct endpoint *other = &endpoints[i / PORTS][i % PORTS];

		if (other != e && is_alive(other) && other->port == got)
			abort();	/* one port, two endpoints */
	}
	e->port = got;
	e->sent = e->sent_to[peer] = seconds;
}

static bool may_enter(const struct endpoint *e, uint32_t peer, enum nat_behaviour filtering)
{
	double last = e->sent_to[peer];

	if (filtering == NAT_ADDRESS)
		last = MAX(last, e->sent_to[peer ^ 1]);
	if (filtering == NAT_ENDPOINT)
		last = e->sent;
	return is_alive(e) && seconds - last < UDP_S;
}

static void inbound(uint32_t host, uint32_t port, uint32_t peer, enum nat_behaviour filtering)
{
	struct endpoint *e = &endpoints[host][port];
	const bool must = may_enter(e, peer, filtering);
	uint8_t b[28];
	bool got;

	if (e->port == 0)
		return;
	/* Another's by now, or within what ticks round: nothing is asked */
	if (!is_alive(e) || (!must && seconds - e->sent > UDP_S - 2))
		return;
	got = send(b, NAT_OUTSIDE, peer_addr(peer), peer_port(peer), OUTSIDE, e->port);
	if (must && (!got || b[19] != 1 + host || (b[22] << 8 | b[23]) != (int)(5000 + port)))
		abort();
	if (got && !must && seconds - e->sent_to[peer] > UDP_S + 1 &&
	    seconds - e->sent_to[peer ^ 1] > UDP_S + 1 && seconds > e->open_to[peer] + 1)
		abort();
	/* Who may enter opens a session, which lives as long as all that was sent allows */
	if (got && seconds >= e->open_to[peer])
		e->open_to[peer] = e->sent + UDP_S;
}

static void sequences(const uint8_t *data, size_t size, enum nat_behaviour filtering)
{
	memset(endpoints, 0, sizeof(endpoints));
	for (uint32_t i = 0; i < HOSTS * PORTS * PEERS; i++)
		endpoints[i / PEERS / PORTS][i / PEERS % PORTS].sent_to[i % PEERS] = -1e9;
	seconds = 0;
	for (; size >= 2; data += 2, size -= 2) {
		const uint32_t host = data[0] & 3, port = data[0] >> 2 & 3, peer = data[1] & 7;

		switch (data[0] >> 6) {
		case 0:
		case 1:
			outbound(host, port, peer);
			break;
		case 2:
			inbound(host, port, peer, filtering);
			break;
		default:
			seconds += data[1];
			now += (uint64_t)data[1] * 1000000000;
			while (nat_tick(nat, now))
				;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const enum nat_behaviour filtering = size > 0 ? (enum nat_behaviour)(data[0] / 2 % 3)
						      : NAT_ADDRESS_PORT;

	if (size == 0)
		return 0;
	start(filtering);
	if (data[0] % 2 == 0)
		any_bytes(data + 1, size - 1);
	else
		sequences(data + 1, size - 1, filtering);
	return 0;
}
