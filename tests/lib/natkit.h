/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * natkit - packets, a NAT and a clock for tests of the userspace NAT
 *
 *	inside 10.0.0.0/24: IN1 .11, IN2 .12;  outside NAT 203.0.113.1
 *	servers SRV1..SRV3 203.0.113.10 to .12
 *	the same in IPv6: fd00:1::11, fd00:1::12; 2001:db8:f::1; 2001:db8:f::10 ...
 *
 * Packets are built, and what comes out is checked, by code that shares nothing
 * with the NAT's: kit_sound() recomputes every checksum.
 */
#ifndef TESTS_NATKIT_H
#define TESTS_NATKIT_H

#include "nat/nat.h"

#define KIT_ROOM	65600u
#define KIT_MADE	1024

#define IN1	addr_v4(10, 0, 0, 11)
#define IN2	addr_v4(10, 0, 0, 12)
#define NAT1	addr_v4(203, 0, 113, 1)
#define NAT2	addr_v4(203, 0, 113, 2)
#define SRV1	addr_v4(203, 0, 113, 10)
#define SRV2	addr_v4(203, 0, 113, 11)
#define SRV3	addr_v4(203, 0, 113, 12)

#define K_FIN	0x01u
#define K_SYN	0x02u
#define K_RST	0x04u
#define K_PSH	0x08u
#define K_ACK	0x10u

/**
 * struct kpkt - A packet
 * @b:		Its bytes
 * @len:	Their number
 */
struct kpkt {
	uint32_t len;
	uint8_t b[KIT_ROOM];
};

/**
 * struct kit - A NAT under test
 * @cfg:	Configuration; change it before kit_start()
 * @nat:	The NAT
 * @mem:	Its memory
 * @now:	Time in nanoseconds
 * @out:	The last packet sent, as it came out
 * @p:		Its verdict
 * @made:	What came out beside it
 * @n_made:	How many
 * @outside:	Outside addresses: the first @cfg.n_outside count
 * @inside:	Inside prefixes
 */
struct kit {
	struct nat_config cfg;
	struct nat *nat;
	void *mem;
	uint64_t now;
	struct kpkt out;
	struct nat_packet p;
	const struct nat_made *made;
	uint32_t n_made;
	struct addr outside[256];
	struct prefix inside[2];
};

/** kit_init() - The usual configuration, not started */
void kit_init(struct kit *k);

/** kit_start() - Start the NAT; with the usual configuration if there is none */
void kit_start(struct kit *k);

/** kit_stop() - Free it */
void kit_stop(struct kit *k);

/** kit_wait() - Time goes by, ticking each second */
void kit_wait(struct kit *k, double seconds);

/** kit_send() - Send a packet; true when it was forwarded */
bool kit_send(struct kit *k, enum nat_side from, const struct kpkt *p);

/**
 * struct kit_bytes - What a NAT wrote
 * @b:		Its bytes
 * @len:	Their number
 */
struct kit_bytes {
	uint8_t b[1 << 20];
	size_t len;
};

/** kit_put() - For nat_save(): put bytes behind those of a struct kit_bytes; 0 or -ENOSPC */
int kit_put(void *ctx, const void *p, size_t len);

/** kit_a6() - An address from text */
struct addr kit_a6(const char *text);

/* ---- packets: all checksums right -------------------------------------------- */

struct kpkt *k_udp(struct addr src, uint16_t sport, struct addr dst, uint16_t dport, uint32_t n);
struct kpkt *k_tcp(struct addr src, uint16_t sport, struct addr dst, uint16_t dport,
		   uint8_t flags, uint32_t seq, uint32_t ack);
struct kpkt *k_tcp_data(struct addr src, uint16_t sport, struct addr dst, uint16_t dport,
			uint8_t flags, uint32_t seq, uint32_t ack, uint32_t n);
struct kpkt *k_icmp(struct addr src, struct addr dst, uint8_t type, uint8_t code, uint16_t id,
		    uint32_t n);
struct kpkt *k_proto(struct addr src, struct addr dst, uint8_t proto, uint32_t n);

/** k_error() - An ICMP error that quotes @n bytes of @about (0: all) */
struct kpkt *k_error(struct addr src, struct addr dst, uint8_t type, uint8_t code, uint32_t rest,
		     const uint8_t *about, uint32_t len, uint32_t n);

/** k_fix() - Make all checksums right again after a change */
void k_fix(struct kpkt *p);

/** k_fragment() - The bytes @off.. (at most @n) of a packet as a fragment */
struct kpkt *k_fragment(const struct kpkt *whole, uint32_t off, uint32_t n, bool more);

/** k_options() - The IPv4 packet with options of @n bytes (a multiple of 4) put in */
struct kpkt *k_options(const struct kpkt *p, const uint8_t *o, uint32_t n);

/* ---- what a packet says --------------------------------------------------------- */

uint16_t k_get16(const uint8_t *p);
uint32_t k_get32(const uint8_t *p);
void k_put16(uint8_t *p, uint16_t v);
void k_put32(uint8_t *p, uint32_t v);

/** k_l4() - Where the header behind IP starts */
uint32_t k_l4(const uint8_t *ip);

struct addr k_src(const uint8_t *ip);
struct addr k_dst(const uint8_t *ip);
uint16_t k_sport(const uint8_t *ip);
uint16_t k_dport(const uint8_t *ip);
uint16_t k_id(const uint8_t *ip);	/* ICMP query id */
uint8_t k_type(const uint8_t *ip);	/* of ICMP */
uint8_t k_code(const uint8_t *ip);

/** k_quote() - The packet that an ICMP error quotes */
uint8_t *k_quote(uint8_t *ip);

/** kit_sound() - NULL when lengths and checksums are right, else what is not */
const char *kit_sound(const uint8_t *ip, uint32_t len);

#endif /* TESTS_NATKIT_H */
