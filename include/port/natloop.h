/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * natloop - a NAT between two live interfaces
 *
 * Takes packets from both sides, lets the NAT translate them, and sends what
 * comes out.  Follows the interfaces' routes, neighbours and state; whatever else
 * there is to do is done between two batches, see struct natloop_watch.
 *
 * Owns:	 nothing but its own memory; opens nothing, allocates nothing.
 * Does not:	 speak: events are told to a function.
 * Threads:	 one loop belongs to one.
 */
#ifndef PORT_NATLOOP_H
#define PORT_NATLOOP_H

#include "nat/share.h"
#include "port/errands.h"
#include "port/hops.h"
#include "port/io.h"
#include "port/lanes.h"
#include "port/places.h"
#include "target/nft_claim.h"

#define NATLOOP_WATCHES	16u
#define NATLOOP_TICK_MS	1000
#define NATLOOP_LOST_NS	UINT64_C(10000000000)	/* between two lines about lost packets */

/**
 * struct natloop_watch - A descriptor that somebody waits for
 * @fd:		Descriptor, -1: a free place
 * @ready:	Called when there is something to read, or its end
 * @arg:	For @ready
 */
struct natloop_watch {
	int fd;
	void (*ready)(void *arg);
	void *arg;
};

/**
 * struct natloop_counts - What the loop itself did
 * @not_ours:	Packets that are the host's, by side
 * @by_kernel:	Packets that went by the kernel's own way
 * @handed:	Packets that other workers have handed over
 * @rounds:	Batches
 */
struct natloop_counts {
	uint64_t not_ours[2];
	uint64_t by_kernel;
	uint64_t handed;
	uint64_t rounds;
};

/**
 * struct natloop - A loop
 * @nat:	The NAT
 * @io:		Interfaces by enum nat_side
 * @hops:	Their neighbours
 * @route:	Session of NETLINK_ROUTE after hops_join()
 * @reread:	Another one, for what has to be asked
 * @lanes:	Flows that the kernel translates, or NULL
 * @places:	Where forwards are counted, or NULL
 * @host:	Where the host's own callers come, or NULL: they come by the inside, or not
 * @host_waits:	Some may be there
 * @to_host:	How they get their answers
 * @errands:	Ways to and from the other workers, or NULL: there are none
 * @is_second:	Another loop tells the news of routes and interfaces
 * @claim:	What is the NAT's
 * @ports:	Claimed ports as bitmaps, TCP and UDP
 * @watch:	Who else waits
 * @tell:	Told of an event, a line for people without its newline
 * @tick:	Called about once a second; may be NULL
 * @arg:	For @tell and @tick
 * @told_lost:	Lost packets that somebody was told of, by side
 * @told_lost_ns: When
 * @is_stopped:	Set by a watch: natloop_run() returns
 * @n:		Counts
 * @rx:		Packets received
 * @in:		The same for the NAT
 * @at:		Index in @rx of each of @in
 * @place:	Where each of @in is counted if it is forwarded
 * @out:	Packets to be sent, by side
 * @n_out:	How many
 */
struct natloop {
	struct nat *nat;
	struct io *io[2];
	struct hops hops[2];
	struct nl_session route;
	struct nl_session reread;
	struct lanes *lanes;
	struct places *places;
	struct io *host;
	bool host_waits;
	struct hops to_host;
	struct errands *errands;
	bool is_second;
	const struct claim *claim;
	uint8_t ports[2][65536 / 8];
	struct natloop_watch watch[NATLOOP_WATCHES];
	void (*tell)(void *arg, const char *line);
	void (*tick)(void *arg);
	void *arg;
	uint64_t told_lost[2];
	uint64_t told_lost_ns;
	bool is_stopped;
	struct natloop_counts n;
	struct io_packet rx[IO_BATCH];
	struct nat_packet in[IO_BATCH];
	uint32_t at[IO_BATCH];
	uint32_t place[IO_BATCH];
	struct io_packet out[2][IO_BATCH];
	uint32_t n_out[2];
};

/**
 * natloop_init() - A loop that has its interfaces
 * @l:		Set whole
 * @inside:	Interface of the jails
 * @outside:	The other
 * @claim:	What is the NAT's; stays the caller's
 *
 * Return: 0, or a negative errno of hops_open() and netlink
 */
MUST_USE int natloop_init(struct natloop *l, struct io *inside, struct io *outside,
			  const struct claim *claim);

/** natloop_host() - Take the host's own callers too, by io_host_ops; 0 or a negative errno */
MUST_USE int natloop_host(struct natloop *l, struct io *host);

/** natloop_fini() - Close what natloop_init() opened */
void natloop_fini(struct natloop *l);

/** natloop_claim() - Look up packets in another claim from now on */
void natloop_claim(struct natloop *l, const struct claim *claim);

/**
 * natloop_watch() - Wait for a descriptor too
 * @l:		Loop
 * @fd:		Descriptor
 * @ready:	Called when it is readable
 * @arg:	For @ready
 *
 * Return: 0, or -ENOSPC
 */
MUST_USE int natloop_watch(struct natloop *l, int fd, void (*ready)(void *arg), void *arg);

/** natloop_unwatch() - Wait for a descriptor no more */
void natloop_unwatch(struct natloop *l, int fd);

/** natloop_run() - Until l.is_stopped */
void natloop_run(struct natloop *l);

/** natloop_step() - One batch from each side; how many packets came */
uint32_t natloop_step(struct natloop *l, uint64_t now_ns);

/** natloop_now() - Nanoseconds since boot, sleep included */
uint64_t natloop_now(void);

#endif /* PORT_NATLOOP_H */
