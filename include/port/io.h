/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io - where live packets come from and go to
 *
 * One table of functions for each way into and out of the kernel.  Packets are
 * handed over in batches, each from its IP header on; what stands before it is
 * the backend's affair, and so is what the kernel left undone: a partial
 * checksum and a frame larger than the MTU travel with a note of it (struct
 * io_offload) where the way can carry that, and are finished in software where
 * it cannot.
 *
 * A way outlives the process that uses it: another one, forked by whoever opened
 * it, goes on where the last one stopped.  So what says how far it is stands in
 * memory that they share (io_memory_new()); where that cannot be, io_ops.is_own.
 *
 * Owns:	 descriptors and packet memory, all of it from io_open() on.
 * Does not:	 translate, route, or resolve neighbours; allocate once it is open.
 * Byte order:	 packets as on the wire, everything else host order.
 * Threads:	 an io belongs to one, and to one process at a time.
 * Normative:	 packet(7), tun/tap (Documentation/networking/tuntap.rst),
 *		 struct virtio_net_hdr.
 */
#ifndef PORT_IO_H
#define PORT_IO_H

#include "base/base.h"

#define IO_BATCH	64u		/* packets handed over at once, at most */
#define IO_NAME_BYTES	16u		/* IFNAMSIZ */
#define IO_MAC_BYTES	6u
#define IO_ETHER_BYTES	14u		/* of an Ethernet header */
#define IO_PACKET_BYTES	65575u		/* longest: IPv6 header and 65535 */
#define IO_SCRATCH_BYTES (256u << 10)

/**
 * enum io_gso - What a packet is that stands for several
 * @IO_GSO_NONE:	It is one
 * @IO_GSO_TCP4:	TCP segments over IPv4
 * @IO_GSO_TCP6:	TCP segments over IPv6
 * @IO_GSO_UDP:		UDP datagrams, each with a header of its own (USO)
 */
enum io_gso { IO_GSO_NONE, IO_GSO_TCP4, IO_GSO_TCP6, IO_GSO_UDP };

/**
 * struct io_offload - What the kernel left undone
 * @gso:	Which kind of several packets
 * @has_ecn:	The first of the segments alone carries CWR
 * @is_partial:	Its checksum field holds only the sum of the pseudo header
 * @gso_bytes:	Payload of each packet but the last, when @gso is not
 *		IO_GSO_NONE
 * @csum_start:	Where the summed part begins, bytes from the IP header
 * @csum_offset: Where in that part the checksum stands
 */
struct io_offload {
	uint8_t gso;
	bool has_ecn;
	bool is_partial;
	uint16_t gso_bytes;
	uint16_t csum_start;
	uint16_t csum_offset;
};

/**
 * struct io_packet - A packet
 * @data:	Its IP header
 * @len:	Bytes from there, trailing padding perhaps included
 * @mac:	Received: who sent it; to be sent: to whom.  Of no meaning where
 *		io_ops.is_l3
 * @is_short:	Received: so short that the way carries it faster than a lane would
 * @off:	What is left undone
 */
struct io_packet {
	uint8_t *data;
	uint32_t len;
	uint8_t mac[IO_MAC_BYTES];
	bool is_short;
	struct io_offload off;
};

/**
 * struct io_counts - What came and went
 * @rx:		Packets handed over
 * @rx_lost:	Those that the kernel had no room for
 * @rx_other:	Frames that are no IP packet for us
 * @tx:		Packets taken by the kernel
 * @tx_refused:	Those that it did not take: link down, queue full
 * @tx_too_big:	Those larger than the MTU, which nothing could make smaller
 */
struct io_counts {
	uint64_t rx;
	uint64_t rx_lost;
	uint64_t rx_other;
	uint64_t tx;
	uint64_t tx_refused;
	uint64_t tx_too_big;
};

struct io_ops;
struct claim;

/**
 * struct io - An open way
 * @ops:	Its functions
 * @fd:		Becomes readable when packets are there; -1: ask io_rx()
 * @also_fd:	A second one of that kind, 0: none
 * @ifindex:	Its interface, 0: none
 * @mtu_bytes:	Longest packet that may be sent; the caller sets it when it
 *		changes
 * @mac:	Our address on it; the caller sets it when it changes
 * @name:	Interface
 * @has_offload: Packets may come and go with struct io_offload filled in
 * @is_down:	It is; the caller says so
 * @packet_fd:	Its packet socket that lanes may hide packets from, 0: none
 * @lane_map:	Table of lanes of what comes by it, 0: none (host/lane.h); who has opened
 *		lanes sets it, and @lane_key
 * @lane_key:	Its secret
 * @scratch:	Where packets are cut, IO_SCRATCH_BYTES; NULL with @has_offload
 * @n:		Counts
 */
struct io {
	const struct io_ops *ops;
	int fd;
	int also_fd;
	uint32_t ifindex;
	uint32_t mtu_bytes;
	uint8_t mac[IO_MAC_BYTES];
	char name[IO_NAME_BYTES];
	bool has_offload;
	bool is_down;
	int packet_fd;
	int lane_map;
	uint32_t lane_key[2];
	uint8_t *scratch;
	struct io_counts n;
};

/**
 * struct io_ops - One way into and out of the kernel
 * @name:	As --io says it
 * @needs:	What it needs, a line for people
 * @costs:	What it costs, the same
 * @is_l3:	There are no neighbours on it
 * @is_for_all:	Good for any traffic: what is chosen where nobody does
 * @is_own:	It is of use only to the process that opened it
 * @probe:	Is it possible here, without an interface: 0 or a negative errno
 * @open:	Opens it: the interface's name; 0 or a negative errno
 * @several:	Opens several ways that share the interface's packets: its name, how many,
 *		a program of the kernel's that says whose a packet is, where to; NULL: cannot.
 *		What is opened on failure is closed by who called
 * @rx:		Takes up to so many packets; how many.  They stay until the next
 *		call of it
 * @tx:		Sends packets that are of at most the MTU, or are left undone
 *		where io.has_offload; never waits, counts by itself
 * @claim:	Told what is the NAT's, before the first packet and when that changes,
 *		by who may do anything; NULL: does not ask.  0 or a negative errno
 * @close:	Frees it
 */
struct io_ops {
	const char *name;
	const char *needs;
	const char *costs;
	bool is_l3;
	bool is_own;
	bool is_for_all;
	int (*probe)(void);
	int (*open)(const char *ifname, struct io **ret);
	int (*several)(const char *ifname, uint32_t n, int prog, struct io **ret);
	uint32_t (*rx)(struct io *io, struct io_packet *v, uint32_t max);
	void (*tx)(struct io *io, struct io_packet *v, uint32_t n);
	int (*claim)(struct io *io, const struct claim *claim, bool is_inside);
	void (*close)(struct io *io);
};

extern const struct io_ops io_packet_ops;	/* packet socket, ring of version 2 */
extern const struct io_ops io_packet_v3_ops;	/* and of version 3 */
extern const struct io_ops io_xdp_ops;		/* AF_XDP, for small packets */
extern const struct io_ops io_tun_ops;		/* TUN device, made by opening it */
extern const struct io_ops io_tap_ops;		/* TAP device, made by opening it */
extern const struct io_ops io_pcap_ops;		/* libpcap */
extern const struct io_ops io_host_ops;		/* the host's own callers, on lo; only receives */
extern const struct io_ops io_memory_ops;	/* a test's own packets */

extern const struct io_ops *const io_kinds[];	/* what --io knows; NULL after the last */

/** io_kind() - The row named @name of io_kinds, or NULL */
const struct io_ops *io_kind(const char *name);

/**
 * io_best() - The way to an interface where none was asked for
 *
 * Nothing is measured: the first that is good for any traffic and possible here.
 *
 * Return: its row; where none is possible the first, whose io_open() says why not
 */
const struct io_ops *io_best(void);

/**
 * io_open() - Open a way
 * @ops:	Which
 * @ifname:	Interface; for TUN and TAP the device to make
 * @ret:	Set on success; io_close() it
 *
 * Return: 0; -EPERM without CAP_NET_RAW (TUN, TAP: CAP_NET_ADMIN); -ENODEV; -EBUSY
 * for a device that is there already; -EMEDIUMTYPE for an interface that is not
 * Ethernet; -EOPNOTSUPP where this kernel lacks it; another negative errno
 */
MUST_USE int io_open(const struct io_ops *ops, const char *ifname, struct io **ret);

/**
 * io_open_several() - Open ways that share the packets of an interface
 * @ops:	Which
 * @ifname:	As of io_open()
 * @n:		How many, at least 2
 * @prog:	Program that says whose a packet is (port/steer.h); the caller's to close
 * @ret:	Set on success, all @n
 *
 * None of them has any packet of before.
 *
 * Return: as io_open(); -EOPNOTSUPP where this way cannot be shared
 */
MUST_USE int io_open_several(const struct io_ops *ops, const char *ifname, uint32_t n, int prog,
			     struct io **ret);

/** io_close() - Close once; for CLEANUP() */
void io_close(struct io **io);

/**
 * io_rx() - Take packets
 * @io:		Way
 * @v:		Room for them
 * @max:	How many at most, up to IO_BATCH
 *
 * Return: how many; they may be changed in place and stay until the next call
 */
uint32_t io_rx(struct io *io, struct io_packet *v, uint32_t max);

/**
 * io_tx() - Send packets
 * @io:		Way
 * @v:		Packets; their data may be changed
 * @n:		How many, up to IO_BATCH
 *
 * Whatever @io cannot carry is finished here: checksums are completed, packets
 * that stand for several are cut.  A packet that is still larger than
 * @io->mtu_bytes is dropped and counted: who sends it asks io_wire_bytes() first.
 * Never waits; what the kernel does not take is lost and counted, as in any
 * router.
 */
void io_tx(struct io *io, struct io_packet *v, uint32_t n);

/** io_error() - Take the errors that wait at @io's descriptors, so that they are told no more */
void io_error(struct io *io);

/**
 * io_wire_bytes() - How long the longest packet is that leaves for this one
 * @p:		Packet
 *
 * Return: its length, or that of one of the packets that it stands for; a packet
 * that is not what @p->off says of it: its length
 */
uint32_t io_wire_bytes(const struct io_packet *p);

/**
 * io_offload_renew() - Put the pseudo header's sum right after a translation
 * @p:		Packet; nothing is done but with @p->off.is_partial
 *
 * A partial checksum holds that sum alone, so it is made anew from the addresses
 * that stand there now, whatever happened to it.
 */
void io_offload_renew(struct io_packet *p);

/** io_memory_new() - Zeroed memory shared with processes forked later, or NULL */
void *io_memory_new(size_t bytes);

/** io_memory_end() - Give back memory of io_memory_new(), or NULL */
void io_memory_end(void *p, size_t bytes);

/**
 * io_memory_give() - Let a memory io receive a packet
 * @io:		Of io_memory_ops
 * @p:		Packet; its bytes are copied
 *
 * Return: 0, or -ENOBUFS when IO_BATCH of them wait
 */
MUST_USE int io_memory_give(struct io *io, const struct io_packet *p);

/**
 * io_memory_take() - What a memory io has sent, in order
 * @io:		Of io_memory_ops
 * @ret:	Set on success; stays until the next io_memory_take()
 *
 * Return: 0, or -EAGAIN
 */
MUST_USE int io_memory_take(struct io *io, struct io_packet *ret);

#endif /* PORT_IO_H */
