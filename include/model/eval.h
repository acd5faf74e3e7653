/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eval - what a model says of one packet at one crossing
 *
 * The definition of meaning: the answer to `why`, and what every back end and
 * the kernel are held against.
 *
 * Owns:	 nothing.
 * Does not:	 do I/O, read the clock, or draw random numbers: draws are part
 *		 of the world.
 * Threads:	 none.
 */
#ifndef MODEL_EVAL_H
#define MODEL_EVAL_H

#include "model/model.h"

struct ruletree;

/**
 * struct packet - A packet at a crossing
 * @dir:	Direction
 * @iface:	Interface crossed, interned name
 * @recv:	Interface that received it; 0: the host's own
 * @proto:	Protocol
 * @src:	Source
 * @dst:	Destination, of the same family
 * @sport:	Source port; ICMP queries: the id, in both ports
 * @dport:	Destination port
 * @tcp_flags:	Flag byte, TCP only
 * @icmp_type:	ICMP and ICMPv6 only
 * @icmp_code:	ICMP and ICMPv6 only
 * @tags:	Tags from an earlier crossing, bits as in model.tags
 * @tos:	Type of service or traffic class
 * @has_opts:	It has IPv4 options or an IPv6 routing header
 * @ip_opts:	Which of the options that rules test, IP_OPTION_LSRR and so on
 * @heads:	By enum head
 * @has_uid:	The socket that sends it is known: heads[HEAD_UID] and [HEAD_GID] count
 */
struct packet {
	enum direction dir;
	uint32_t iface;
	uint32_t recv;
	uint8_t proto;
	struct addr src;
	struct addr dst;
	uint16_t sport;
	uint16_t dport;
	uint8_t tcp_flags;
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint8_t tags;
	uint8_t tos;
	bool has_opts;
	uint8_t ip_opts;
	uint32_t heads[N_HEADS];
	bool has_uid;
};

/**
 * struct flow - Who talks to whom
 * @proto:	Protocol
 * @src:	Source
 * @dst:	Destination
 * @sport:	Source port, ICMP id, or 0
 * @dport:	Destination port, ICMP id, or 0
 */
struct flow {
	uint8_t proto;
	struct addr src;
	struct addr dst;
	uint16_t sport;
	uint16_t dport;
};

/**
 * struct state - Remembered by a packet that passed
 * @dir:	Direction in which it was made (directed)
 * @before:	The flow as the packet arrived at the crossing
 * @after:	The flow as it went on: differs where translated
 * @cont:	List where a later packet goes on (free), or LIST_NONE
 * @name:	Its name (free), or 0
 * @tags:	Tags of the packet that made it (directed), which all its packets
 *		get; 0: they keep their own
 * @mend:	What is changed in headers of its packets (directed), or NULL
 * @limit:	Of the ruling that made it (directed)
 * @allow_opts:	As @limit
 * @origin:	Of the rule that made it
 * @xlate:	Number of its translation, from 1 on; 0: none
 */
struct state {
	enum direction dir;
	struct flow before;
	struct flow after;
	uint32_t cont;
	uint32_t name;
	uint8_t tags;
	const struct scrub *mend;
	uint32_t limit;
	bool allow_opts;
	struct origin origin;
	uint32_t xlate;
};

#define LINK_LOCAL	UINT32_MAX

/**
 * struct nat_link - What a nat instance remembers of a flow
 * @instance:	Number of the instance, LINK_LOCAL: of a local caller
 * @inside:	The flow as it came, outbound
 * @outside:	The flow as it went
 */
struct nat_link {
	uint32_t instance;
	struct flow inside;
	struct flow outside;
};

/**
 * struct grown_addr - An address that a rule has put into a table
 * @a:		The address
 * @tables:	Bits as in model.grown
 */
struct grown_addr {
	struct addr a;
	uint8_t tables;
};

/**
 * struct world - What evaluation depends on besides model and packet
 * @a:		Memory for states
 * @states:	Remembered
 * @links:	Of nat instances
 * @grown:	What rules have put into tables
 * @draw:	Number that chooses pool members and random ports (modulo their
 *		count)
 * @draws:	Of rules with a probability, by number, below PROB_ONE; what is
 *		not there is 0, so the rule matches
 * @tree:	Of the model's rules, or NULL: changes the time that it takes only
 */
struct world {
	struct arena *a;
	VEC(struct state) states;
	VEC(struct nat_link) links;
	VEC(struct grown_addr) grown;
	uint32_t draw;
	VEC(uint32_t) draws;
	const struct ruletree *tree;
};

/**
 * struct step - A rule that took part
 * @rule:	The rule; NULL for a state or for the end of the list
 * @origin:	Its origin, or the origin of the rule that made the state
 * @effect:	"pass", "block", "return", "rdr", "nat", "skip", "state", "scrub",
 *		"fence", "local", "count", "goto", "call", "limit", "options",
 *		"no rdr", "no nat",
 *		"default"
 * @is_final:	It decided the verdict
 */
struct step {
	const struct rule *rule;
	struct origin origin;
	const char *effect;
	bool is_final;
};

/**
 * struct result - What a model says of a packet
 * @verdict:	V_RETURN only where an answer would be sent
 * @answer:	For V_RETURN
 * @packet:	The packet as it goes on
 * @dst_changed: The destination (or its port) was translated
 * @src_changed: The source (or its port) was translated
 * @xlate:	The translation, NULL for none or for a replayed one
 * @sport_lo:	Least source port that a translation could have chosen
 * @sport_hi:	Highest
 * @scrub:	What it changes in headers, NULL for nothing
 * @is_logged:	A rule that counts here logs
 * @makes_state: The world has one state more afterwards
 * @steps:	Rules that matched, in order
 */
struct result {
	enum verdict verdict;
	struct answer answer;
	struct packet packet;
	bool dst_changed;
	bool src_changed;
	const struct xlate *xlate;
	uint16_t sport_lo;
	uint16_t sport_hi;
	const struct scrub *scrub;
	bool is_logged;
	bool makes_state;
	VEC(struct step) steps;
};

/** world_init() - Nothing remembered, draw 0 */
void world_init(struct world *w, struct arena *a);

/**
 * model_eval() - Judge a packet
 * @m:		Model
 * @w:		World; gains the states and links that the packet makes
 * @p:		Packet as it arrives at the crossing
 * @a:		Memory for the steps
 *
 * Return: what becomes of it
 */
struct result model_eval(const struct model *m, struct world *w, const struct packet *p,
			 struct arena *a);

/** packet_flow() - Who talks to whom; ICMP ids in both ports */
struct flow packet_flow(const struct packet *p);

/** flow_reverse() - The flow of the answers */
struct flow flow_reverse(struct flow f);

/** flow_equal() - The same flow in the same direction */
bool flow_equal(struct flow a, struct flow b);

/** packet_head_in() - Has a packet such a number, and is it in the set */
bool packet_head_in(const struct packet *p, enum head h, const struct set *in);

/** packet_has_ports() - Has its flow ports, or the id of an ICMP query in their place */
bool packet_has_ports(const struct packet *p);

/** packet_icmp_is_query() - ICMP or ICMPv6 echo, timestamp and the like: has an id */
bool packet_icmp_is_query(const struct packet *p);

#define PACKET_TEXT_BYTES	(2 * ADDR_TEXT_BYTES + 96)	/* of packet_text(), with the 0 */

/**
 * packet_text() - A packet as `why --batch` reads it
 * @p:		Packet; numbers of its headers are left out
 * @iface:	FreeBSD's name of the interface that it crosses
 * @buf:	PACKET_TEXT_BYTES of room
 *
 * "in igb0 tcp 198.51.100.7:40000 203.0.113.2:80 S"
 *
 * Return: @buf
 */
const char *packet_text(const struct packet *p, const char *iface, char *buf);

#endif /* MODEL_EVAL_H */
