/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lanes - which flows the kernel translates by itself
 *
 * A flow begins in the NAT, packet by packet.  When a few have gone the same way, or a
 * connection stands, the kernel is told to do likewise (host/lane.h), and the NAT sees
 * none of that flow until something happens that is more than a packet of it.  It stays
 * the NAT's all the same: once a second each lane is held against it with a packet made
 * for that, which keeps the session alive, as those that it stands for would have, and
 * ends the lane when the NAT or the routes have changed their mind.
 *
 * Owns:	 descriptors and memory, all of it from lanes_init() on.
 * Does not:	 decide anything about a packet; allocate after lanes_init(); make a
 *		 system call after lanes_begin().
 * Threads:	 one, but for lanes_way, which processes hand on and several workers share:
 *		 a place of its tables is one worker's at a time.
 */
#ifndef PORT_LANES_H
#define PORT_LANES_H

#include "host/lane.h"
#include "nat/nat.h"
#include "port/hops.h"
#include "port/io.h"
#include "port/places.h"

#define LANES_ENTER	8u		/* packets of a direction before it gets a lane */
#define LANES_FORCE	200u		/* and then also while others of it may still wait */
#define LANES_LEAST_S	4u		/* shortest timeout that lanes go with */
#define LANES_LEFT	0x80000000u	/* beside milliseconds: for a while it is nobody's */
#define LANES_SWEEP	1024u		/* lanes that lanes_tick() sees to at most */

/**
 * struct lanes_way - Programs and tables between two interfaces
 * @map:	Tables by the side that packets come from, -1: none
 * @link:	What the programs are attached by
 * @table:	The tables' memory
 * @key:	Their secret
 * @taken:	By side and lane: the worker's number + 1, or LANES_LEFT and when it was left
 */
struct lanes_way {
	int map[2];
	int link[2];
	struct lane_table *table[2];
	uint32_t key[2];
	uint32_t *taken;
};

#define LANES_WAY_NONE	((struct lanes_way){ .map = { -1, -1 }, .link = { -1, -1 } })

/**
 * struct lanes_flow - What is known of a session
 * @lane:	Its lanes by direction, index + 1; 0: none
 * @seen:	Packets by direction, LANES_FORCE at most
 */
struct lanes_flow {
	uint32_t lane[2];
	uint8_t seen[2];
};

/**
 * struct lanes_place - What is known of a lane
 * @flow:	Session
 * @at:		Its place in lanes.used
 * @is_used:	It leads somewhere
 * @n_idle:	Looks since something went by it, 2 at most
 * @is_busy:	Something has been counted that the NAT does not know of
 * @hidden:	lane.hidden when packets were counted last
 * @packets:	Packets that were counted
 * @bytes:	Bytes that were counted
 * @forward:	Where they are counted as a forward's, or PLACE_NONE
 */
struct lanes_place {
	uint32_t flow;
	uint32_t at;
	bool is_used;
	uint8_t n_idle;
	bool is_busy;
	uint32_t hidden;
	uint64_t packets;
	uint64_t bytes;
	uint32_t forward;
};

/**
 * struct lanes_counts - What went by lanes
 * @packets:	Packets, by the side that they came from
 * @bytes:	Their bytes, from the IP header on
 * @made:	Packets that were made for the NAT to see, the same
 * @translated: Packets whose addresses or ports changed, less those made
 * @entered:	Lanes that have begun
 * @now:	Lanes
 */
struct lanes_counts {
	uint64_t packets[2];
	uint64_t bytes[2];
	uint64_t made[2];
	uint64_t translated;
	uint64_t entered;
	uint64_t now;
};

/**
 * struct lanes - Lanes of a NAT
 * @way:	Programs and tables
 * @nat:	The NAT
 * @io:		Its interfaces by enum nat_side
 * @hops:	Their neighbours
 * @forwards:	Where forwards are counted; set by who has some, else NULL
 * @worker:	Whose they are, set before lanes_begin() where there are several
 * @now_ns:	As it was last told
 * @is_on:	There may be lanes
 * @has_greetings: They may begin with a SYN
 * @is_lost:	What was to take lanes did not come out of them: there are none any more
 * @flows:	By session
 * @n_flows:	How many there may be
 * @places:	By side and lane
 * @used:	Lanes that lead somewhere, side * LANES + index
 * @n_used:	How many
 * @swept:	Index in @used up to which this round of looks has come
 * @round_ns:	When this one began
 * @has_asked:	This round has let a neighbour be asked, by side
 * @n:		Counts
 */
struct lanes {
	struct lanes_way way;
	struct nat *nat;
	struct io *io[2];
	struct hops *hops;
	struct places *forwards;
	uint32_t worker;
	uint64_t now_ns;
	bool is_on;
	bool has_greetings;
	bool is_lost;
	struct lanes_flow *flows;
	uint32_t n_flows;
	struct lanes_place *places;
	uint32_t *used;
	uint32_t n_used;
	uint32_t swept;
	uint64_t round_ns;
	bool has_asked[2];
	struct lanes_counts n;
};

/**
 * lanes_open() - Have programs and tables
 * @w:		Set whole, also on failure
 * @inside:	Open way, one with io.packet_fd or of io_tun_ops or io_tap_ops; any other,
 *		or NULL: -EMEDIUMTYPE
 * @outside:	The other, one with io.packet_fd
 *
 * Of both io.lane_map and io.lane_key are set on success, before they are told what is
 * the NAT's.
 *
 * Return: 0 or a negative errno, where there are to be no lanes: -EPERM; -EINVAL
 * before Linux 6.6; -EMEDIUMTYPE; another one
 */
MUST_USE int lanes_open(struct lanes_way *w, struct io *inside, struct io *outside);

/**
 * lanes_share() - Let another worker have lanes of an open way
 * @w:		Of lanes_open()
 * @inside:	Its way, of the same interface and kind
 * @outside:	The same
 *
 * Return: 0 or a negative errno
 */
MUST_USE int lanes_share(const struct lanes_way *w, struct io *inside, struct io *outside);

/** lanes_stop() - No lanes from now on, whichever process makes them */
void lanes_stop(struct lanes_way *w);

/** lanes_leave() - Only write tables from now on: the programs are another process's */
void lanes_leave(struct lanes_way *w);

/** lanes_close() - Close what lanes_open() opened */
void lanes_close(struct lanes_way *w);

/**
 * lanes_init() - Be ready for a NAT
 * @l:		Set whole
 * @way:	Of lanes_open(); stays the caller's
 * @cfg:	Configuration of the NAT; with a timeout below LANES_LEAST_S there are no lanes
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int lanes_init(struct lanes *l, const struct lanes_way *way, const struct nat_config *cfg);

/** lanes_fini() - Free what lanes_init() has; the lanes stay */
void lanes_fini(struct lanes *l);

/**
 * lanes_begin() - End all lanes of whoever was before
 * @l:		Lanes
 * @nat:	NAT
 * @io:		Its interfaces by enum nat_side
 * @hops:	Their neighbours, two
 */
void lanes_begin(struct lanes *l, struct nat *nat, struct io *const *io, struct hops *hops);

/** lanes_renew() - End all, as an interface is another than it was */
void lanes_renew(struct lanes *l);

/**
 * lanes_fetch() - Have in the cache what lanes_before() and lanes_greeted() will look at
 * @l:		Lanes
 * @from:	Side that it came from
 * @p:		Packet
 */
void lanes_fetch(const struct lanes *l, enum nat_side from, const struct io_packet *p);

/**
 * lanes_before() - A packet is about to be shown to the NAT
 * @l:		Lanes
 * @now_ns:	Time
 * @from:	Side that it came from
 * @p:		Packet
 *
 * One that opens or ends a connection ends its lanes first: the NAT then knows what
 * it would have seen.
 */
void lanes_before(struct lanes *l, uint64_t now_ns, enum nat_side from, const struct io_packet *p);

/**
 * lanes_greeted() - The NAT lets a packet go on, which is not sent yet
 * @l:		Lanes
 * @now_ns:	Time
 * @p:		As the NAT has left it
 *
 * A connection that begins or stands with this one has lanes at once: what answers it
 * takes one.
 * Nothing of it can be under way that the lanes would overtake.
 */
void lanes_greeted(struct lanes *l, uint64_t now_ns, const struct nat_packet *p);

/**
 * lanes_after() - The NAT has forwarded a packet
 * @l:		Lanes
 * @now_ns:	Time
 * @p:		As the NAT has left it
 * @is_last:	None that came behind it waits
 */
void lanes_after(struct lanes *l, uint64_t now_ns, const struct nat_packet *p, bool is_last);

/**
 * lanes_tick() - Hold lanes against the NAT
 * @l:		Lanes
 * @now_ns:	Time
 *
 * Where somebody's program before ours has kept packets from their lanes, all lanes end
 * for good, and @l->is_lost says so.
 *
 * Return: whether there are more to see to in this round
 */
bool lanes_tick(struct lanes *l, uint64_t now_ns);

/** lanes_count() - Have in l.n all that went by lanes until now */
void lanes_count(struct lanes *l);

/** lanes_settle() - Let the NAT know all that went by lanes, before it is saved */
void lanes_settle(struct lanes *l, uint64_t now_ns);

#endif /* PORT_LANES_H */
