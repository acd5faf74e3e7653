/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat - the userspace NAT: packets and a time in, packets and verdicts out
 *
 * Packets come in batches, each from the inside or the outside, and are
 * rewritten in place.  What the NAT says itself (ICMP errors, echo replies) and
 * what it has kept (fragments) comes out beside them, see nat_made().
 *
 *	bytes = nat_bytes(&cfg);	the only memory, handed in once
 *	nat_init(&cfg, mem, &nat);
 *	loop:	nat_batch(nat, now, packets, n);
 *		send what is NAT_FORWARD to its side; then nat_made()
 *		nat_tick(nat, now) about once a second where nothing comes
 *
 * Owns:	 nothing; the memory is the caller's, and must be aligned as
 *		 malloc() aligns.
 * Does not:	 do I/O, read a clock, allocate, or draw random numbers: it makes
 *		 them from nat_config.key.
 * Byte order:	 addresses and ports in host order; packets as on the wire.
 * Threads:	 one struct nat belongs to one thread; several can be workers of one NAT.
 * Normative:	 RFC 4787, 5382, 5508, 6888, 7857 (with the words of RFC 6146:
 *		 binding, session), 6296, 7422; RFC 1624, 1812, 6864.
 */
#ifndef NAT_NAT_H
#define NAT_NAT_H

#include "net/addr.h"

struct nat;

#define NAT_BATCH	32u	/* packets whose memory is fetched together */

enum nat_side { NAT_INSIDE, NAT_OUTSIDE };

/**
 * enum nat_verdict - What becomes of a packet
 * @NAT_DROP:	Nothing; nat_packet.reason says why
 * @NAT_FORWARD: It goes to nat_packet.to, rewritten
 * @NAT_KEPT:	It is kept, or was taken apart; it goes on through nat_made()
 * @NAT_ELSEWHERE: It is nat_packet.worker's, as it is now (nat/share.h)
 */
enum nat_verdict { NAT_DROP, NAT_FORWARD, NAT_KEPT, NAT_ELSEWHERE };

/** enum nat_reason - Why a packet was dropped; names in nat_reason_names */
enum nat_reason {
#define R(id, name)	NAT_R_##id,
#include "nat/reasons.def"
#undef R
	N_NAT_REASONS
};

extern const char *const nat_reason_names[N_NAT_REASONS];

#define NAT_P_PARTIAL	0x01u	/* the L4 checksum holds the pseudo header's sum only */
#define NAT_P_GSO	0x02u	/* will be segmented later: no MTU applies */
#define NAT_P_SECOND	0x04u	/* hairpinned, its first leg is behind it: an outside source */
#define NAT_P_HOST	0x10u	/* from inside, the host's own: an outside source, to one of ours */
#define NAT_P_JUDGED	0x08u	/* another worker's rules have said where it goes */

/**
 * struct nat_packet - One packet of a batch
 * @data:	Its first byte, of the IP header; rewritten in place, never longer
 * @len:	Bytes there; afterwards without what the link had padded
 * @iface:	Opaque number of the interface it came by, for the judge
 * @from:	enum nat_side it came from
 * @flags:	NAT_P_*
 * @verdict:	Set: enum nat_verdict
 * @reason:	Set: enum nat_reason of a drop
 * @to:		Set: enum nat_side to send it to (a hairpinned one: where it
 *		came from)
 * @worker:	Set: whose it is, of NAT_ELSEWHERE
 * @flow:	Set: number of its session + 1, 0: none; see nat_flow_at()
 */
struct nat_packet {
	uint8_t *data;
	uint32_t len;
	uint16_t iface;
	uint8_t from;
	uint8_t flags;
	uint8_t verdict;
	uint8_t reason;
	uint8_t to;
	uint8_t worker;
	uint32_t flow;
};

/**
 * struct nat_made - A packet that comes out beside those of the batch
 * @data:	Its first byte; valid until the next call of nat_batch() or
 *		nat_tick()
 * @len:	Its length in bytes
 * @to:		enum nat_side to send it to
 * @after:	Index of the packet of the batch that caused it, UINT32_MAX: a timer
 * @is_error:	An answer of the NAT itself and no packet of anybody's
 * @is_elsewhere: It is @worker's to go on with, as one from outside
 *		(nat/share.h)
 * @worker:	Whose
 * @longest:	nat_errand.longest
 * @flags:	nat_errand.flags
 * @ruling:	With NAT_P_JUDGED
 */
struct nat_made {
	const uint8_t *data;
	uint32_t len;
	enum nat_side to;
	uint32_t after;
	bool is_error;
	bool is_elsewhere;
	uint8_t worker;
	uint8_t flags;
	uint16_t longest;
	const struct nat_ruling *ruling;
};

/** enum nat_behaviour - Of mapping and of filtering, RFC 4787 4.1 and 5 */
enum nat_behaviour { NAT_ENDPOINT, NAT_ADDRESS, NAT_ADDRESS_PORT };

/** enum nat_class - Protocols that may behave differently */
enum nat_class { NAT_UDP, NAT_TCP, NAT_OTHER, N_NAT_CLASSES };

/**
 * enum nat_ports - How a new binding gets its outside port
 * @NAT_PORTS_PRESERVE: The inside port when free, else a random one of the same
 *		range (0-1023, 1024-65535)
 * @NAT_PORTS_RANDOM: A random one of lo..hi
 * @NAT_PORTS_STATIC: The inside port, or none
 * @NAT_PORTS_BLOCK: A random one of the block that the inside address has
 *		(RFC 7422), see nat_block_of()
 */
enum nat_ports { NAT_PORTS_PRESERVE, NAT_PORTS_RANDOM, NAT_PORTS_STATIC, NAT_PORTS_BLOCK };

/**
 * enum nat_timeout - Times that can be set, in seconds
 * @NAT_T_UDP:	UDP and UDP-Lite, after the last outbound packet
 * @NAT_T_TCP_OPEN: TCP until both sides have sent a SYN
 * @NAT_T_TCP:	TCP established
 * @NAT_T_TCP_CLOSE: TCP after a FIN of both sides or a RST
 * @NAT_T_ICMP:	ICMP queries
 * @NAT_T_OTHER: Other protocols
 * @NAT_T_HOLD:	How long a freed port is given to nobody else
 * @NAT_T_FRAGMENT: Fragments that wait for others
 * @NAT_T_SYN:	How long an unsolicited SYN is held (RFC 5382 REQ-4)
 */
enum nat_timeout {
	NAT_T_UDP, NAT_T_TCP_OPEN, NAT_T_TCP, NAT_T_TCP_CLOSE, NAT_T_ICMP, NAT_T_OTHER,
	NAT_T_HOLD, NAT_T_FRAGMENT, NAT_T_SYN,
	N_NAT_TIMEOUTS
};

extern const char *const nat_timeout_names[N_NAT_TIMEOUTS];	/* as --timeout has them */

/** enum nat_tcp - State of a TCP session, RFC 7857 2 (Figure 1) */
enum nat_tcp {
	NAT_TCP_NONE,		/* the session is not TCP */
	NAT_TCP_INIT_IN,	/* SYN from inside */
	NAT_TCP_INIT_OUT,	/* SYN from outside */
	NAT_TCP_ESTABLISHED,
	NAT_TCP_FIN_IN,		/* FIN from inside */
	NAT_TCP_FIN_OUT,	/* FIN from outside */
	NAT_TCP_FIN_BOTH,
	NAT_TCP_TRANS,		/* RST seen */
	N_NAT_TCP
};

extern const char *const nat_tcp_names[N_NAT_TCP];

/**
 * struct nat_ask - A packet that belongs to no session, as the judge sees it
 * @from:	Side it came from; NAT_OUTSIDE for the second leg of a hairpinned one
 * @is_hairpin:	It came from inside, to an outside address
 * @iface:	nat_packet.iface
 * @proto:	Protocol
 * @src:	Source, untranslated; hairpinned: already the outside one
 * @dst:	Destination
 * @sport:	Source port; ICMP query: the id, in both ports
 * @dport:	Destination port
 * @tcp_flags:	Flag byte, TCP only
 * @icmp_type:	ICMP only
 * @icmp_code:	ICMP only
 * @tos:	Type of service or traffic class
 * @has_opts:	IPv4 options or an IPv6 routing header
 * @ip_opts:	Which of the options that rules test, IP_OPTION_LSRR and so on
 * @ttl:	TTL or hop limit
 * @len:	Length, the header of IP included
 * @id:		IPv4 only
 * @flow_label:	IPv6 only
 * @win:	Window, as the next two TCP only
 * @seq:	Sequence number
 * @ack:	Acknowledgement number
 */
struct nat_ask {
	enum nat_side from;
	bool is_hairpin;
	uint16_t iface;
	uint8_t proto;
	struct addr src;
	struct addr dst;
	uint16_t sport;
	uint16_t dport;
	uint8_t tcp_flags;
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint8_t tos;
	bool has_opts;
	uint8_t ip_opts;
	uint8_t ttl;
	uint16_t len;
	uint16_t id;
	uint32_t flow_label;
	uint16_t win;
	uint32_t seq;
	uint32_t ack;
};

/**
 * struct nat_ruling - What the rules say of it
 * @pass:	It goes on
 * @answer:	Refused, and told so: see @rst and @icmp
 * @rst:	With @answer: TCP gets a RST
 * @icmp:	With @answer: others (or all) get type << 8 | code; -1: nothing
 * @keep:	Its session stands for the flow; without it only this packet
 *		passes.  A translation always keeps
 * @is_fenceless: It may leave with a source of the inside
 * @has_src:	The source becomes one of @to
 * @to:		Outside addresses of nat_config.outside, valid while the NAT is;
 *		those of the packet's family count
 * @n_to:	How many
 * @ports:	How the port is chosen
 * @port_lo:	NAT_PORTS_RANDOM: lowest
 * @port_hi:	Highest
 * @has_dst:	The destination becomes @dst, @dport
 * @dst:	New destination
 * @dport:	Its port
 * @max_mss:	A larger segment size in a SYN becomes this; 0: stays
 * @min_ttl:	A smaller TTL becomes this; 0: stays
 * @no_df:	"Do not fragment" is cleared
 *
 * One without mapping that comes from outside passes only with @has_dst or
 * towards the inside untranslated.
 */
struct nat_ruling {
	bool pass;
	bool answer;
	bool rst;
	int32_t icmp;
	bool keep;
	bool is_fenceless;
	bool has_src;
	const struct addr *to;
	uint32_t n_to;
	enum nat_ports ports;
	uint16_t port_lo;
	uint16_t port_hi;
	bool has_dst;
	struct addr dst;
	uint16_t dport;
	uint16_t max_mss;
	uint8_t min_ttl;
	bool no_df;
};

/**
 * struct nat_npt - A prefix translated without state (RFC 6296)
 * @inside:	Inside prefix
 * @outside:	Outside prefix; the shorter one is extended with zeroes
 */
struct nat_npt {
	struct prefix inside;
	struct prefix outside;
};

/**
 * struct nat_jail - Whose a source is, and how much it may have
 * @prefix:	Its addresses
 * @owner:	Number from 1 on; several prefixes may be of one owner
 */
struct nat_jail {
	struct prefix prefix;
	uint16_t owner;
};

/**
 * struct nat_quota - How much one owner may have; 0: any number
 * @ports:	Bindings of each protocol class
 * @flows:	Sessions
 * @per_s:	New sessions in a second, on average
 * @burst:	And at once
 */
struct nat_quota {
	uint32_t ports[N_NAT_CLASSES];
	uint32_t flows;
	uint32_t per_s;
	uint32_t burst;
};

/**
 * struct nat_range - Ports that are never lent: the host's own, static forwards
 * @a:		Of this outside address; AF_NONE: of all
 * @proto:	Of this protocol; 0: of all
 * @lo:		Lowest
 * @hi:		Highest
 */
struct nat_range {
	struct addr a;
	uint8_t proto;
	uint16_t lo;
	uint16_t hi;
};

struct nat_config;

/** enum nat_event_kind - What nat_config.notify tells */
enum nat_event_kind {
	NAT_EV_BIND,		/* a binding was made */
	NAT_EV_UNBIND,		/* it ended; its port is held */
	NAT_EV_FREED,		/* and now for nobody any more */
	NAT_EV_BLOCK,		/* an owner's block is full: a port of another one was lent */
	NAT_EV_ALARM,		/* nine tenths of a block or an owner's quota are used */
	NAT_EV_REFUSED,		/* an owner met its quota; at most one a minute */
	NAT_EV_BLOCKS,		/* blocks are as nat_event.cfg says: at the start, once a day */
};

/**
 * struct nat_event - Something worth a record
 * @kind:	What
 * @proto:	Protocol of the binding
 * @owner:	Whose; 0: of nobody that was declared
 * @inside:	Inside address
 * @in_port:	Inside port
 * @outside:	Outside address
 * @out_port:	Outside port; NAT_EV_BLOCK: first port of the block
 * @binding:	Number of the binding + 1, of BIND, UNBIND and FREED: no two have one
 *		number between BIND and FREED
 * @at_ns:	When
 * @cfg:	Of the NAT that tells it
 */
struct nat_event {
	enum nat_event_kind kind;
	uint8_t proto;
	uint16_t owner;
	struct addr inside;
	uint16_t in_port;
	struct addr outside;
	uint16_t out_port;
	uint32_t binding;
	uint64_t at_ns;
	const struct nat_config *cfg;
};

/**
 * struct nat_config - What a NAT is to be; nat_config_init() sets what is usual
 * @max_flows:	Sessions, and bindings
 * @max_addr6:	Different IPv6 addresses of them
 * @inside:	Prefixes of the inside; a packet from there with another source is
 *		dropped, and so is one from outside with such a source.  Stays
 *		the caller's, as all arrays here do, and must outlive the NAT
 * @n_inside:	How many
 * @outside:	Addresses that are the NAT's own outside
 * @n_outside:	How many
 * @self:	Addresses that its own errors come from, by side and family (IPv4,
 *		IPv6); AF_NONE: the first outside address
 * @has_host:	Outside addresses are the host's too: from one to another, its own
 *		packets come by the inside and are hairpinned
 * @npt:	Prefixes to translate without state
 * @n_npt:	How many
 * @jails:	Owners of sources
 * @n_jails:	How many
 * @quota:	Of each owner; sources of no jail are one owner together
 * @reserved:	Ports never lent
 * @n_reserved:	How many
 * @mapping:	Mapping behaviour by class
 * @filtering:	Filtering behaviour by class
 * @ports:	Without a judge: how ports are chosen
 * @port_lo:	NAT_PORTS_RANDOM: lowest
 * @port_hi:	Highest
 * @keep_parity: A port that must change keeps its parity
 * @block_ports: NAT_PORTS_BLOCK: ports of one block
 * @block_base:	NAT_PORTS_BLOCK: the inside address whose block is the first
 * @block_overflow: A full block takes a port of another one, with NAT_EV_BLOCK
 * @timeout_s:	Seconds by enum nat_timeout
 * @max_held:	Freed ports that are held; 0: as many as there are bindings
 * @mtu:	Largest packet of each side, bytes
 * @max_mss:	Without a judge: a larger segment size in a SYN becomes this; 0: stays
 * @no_translate: Destinations that keep the inside source (RFC 6888 REQ-6)
 * @n_no_translate: How many
 * @fenceless:	What no judge has judged may leave with an inside source
 * @silent:	No ICMP errors of its own, by the side they would go to
 * @syn_silent:	An unsolicited SYN is never answered
 * @no_echo:	The NAT does not answer an echo request to an outside address
 * @error_per_s: ICMP errors of its own in a second
 * @frag_bytes:	Memory of waiting fragments, all together
 * @frag_share:	One source has at most one part in so many of it
 * @key:	Secret; all that is random comes from it
 * @n_workers:	That share this NAT; 0: as 1
 * @worker:	Number of this one
 * @shared:	With several: memory that they share (nat/share.h)
 * @hints:	With several, NAT_HINTS bytes for whoever sorts packets: the worker + 1
 *		that wants packets to an outside address and port; NULL: nobody does
 * @judge:	Says what becomes of a packet that belongs to nothing; returns
 *		false when it has nothing to say.  NULL: what comes from inside
 *		gets an outside address, what comes from outside needs a mapping
 * @judge_ctx:	For @judge
 * @notify:	Is told of events; NULL: nobody is
 * @notify_ctx:	For @notify
 */
struct nat_config {
	uint32_t max_flows;
	uint32_t max_addr6;
	const struct prefix *inside;
	uint32_t n_inside;
	const struct addr *outside;
	uint32_t n_outside;
	struct addr self[2][2];
	bool has_host;
	const struct nat_npt *npt;
	uint32_t n_npt;
	const struct nat_jail *jails;
	uint32_t n_jails;
	struct nat_quota quota;
	const struct nat_range *reserved;
	uint32_t n_reserved;
	enum nat_behaviour mapping[N_NAT_CLASSES];
	enum nat_behaviour filtering[N_NAT_CLASSES];
	enum nat_ports ports;
	uint16_t port_lo;
	uint16_t port_hi;
	bool keep_parity;
	uint16_t block_ports;
	struct addr block_base;
	bool block_overflow;
	uint32_t timeout_s[N_NAT_TIMEOUTS];
	uint32_t max_held;
	uint32_t mtu[2];
	uint16_t max_mss;
	const struct prefix *no_translate;
	uint32_t n_no_translate;
	bool fenceless;
	bool silent[2];
	bool syn_silent;
	bool no_echo;
	uint32_t error_per_s;
	uint32_t frag_bytes;
	uint32_t frag_share;
	uint64_t key[4];
	uint32_t n_workers;
	uint32_t worker;
	void *shared;
	uint8_t *hints;
	bool (*judge)(void *ctx, const struct nat_ask *ask, struct nat_ruling *ret);
	void *judge_ctx;
	void (*notify)(void *ctx, const struct nat_event *e);
	void *notify_ctx;
};

/**
 * struct nat_counters - What has happened since the start
 * @packets:	Packets seen, by side
 * @forwarded:	Packets forwarded, by the side they came from
 * @translated:	Of these, packets whose addresses or ports changed
 * @hairpinned:	Of these, packets that went back to the inside
 * @made:	Packets that the NAT said itself
 * @dropped:	Packets dropped, by reason
 * @flows_made:	Sessions made; those that were restored are not
 * @flows:	Sessions now
 * @bindings:	Bindings now
 * @held:	Ports held now
 */
struct nat_counters {
	uint64_t packets[2];
	uint64_t forwarded[2];
	uint64_t translated;
	uint64_t hairpinned;
	uint64_t made;
	uint64_t dropped[N_NAT_REASONS];
	uint64_t flows_made;
	uint32_t flows;
	uint32_t bindings;
	uint32_t held;
};

/**
 * struct nat_ends - Two ends of a flow
 * @src:	Source of outbound packets
 * @dst:	Destination of outbound packets
 * @sport:	Its port, or the id of ICMP queries
 * @dport:	Its port
 */
struct nat_ends {
	struct addr src;
	struct addr dst;
	uint16_t sport;
	uint16_t dport;
};

/**
 * struct nat_flow - A session
 * @proto:	Protocol
 * @owner:	Whose it is, 0: nobody's that was declared
 * @tcp:	State, of TCP
 * @inside:	As the inside sees it
 * @outside:	As the outside sees it
 * @binding:	Number of its binding + 1, 0: none
 * @from:	Side that opened it
 * @is_plain:	Its packets change in their addresses, ports and TTL alone, and go to the
 *		other side
 * @idle_s:	Seconds since a packet kept it alive
 * @left_s:	Seconds that it will live if none comes
 */
struct nat_flow {
	uint8_t proto;
	uint16_t owner;
	enum nat_tcp tcp;
	struct nat_ends inside;
	struct nat_ends outside;
	uint32_t binding;
	enum nat_side from;
	bool is_plain;
	uint32_t idle_s;
	uint32_t left_s;
};

/**
 * struct nat_binding - An inside endpoint and its outside one
 * @proto:	Protocol
 * @owner:	Whose it is
 * @inside:	Inside address
 * @in_port:	Inside port or ICMP id
 * @outside:	Outside address
 * @out_port:	Outside port or ICMP id
 * @n_flows:	Its sessions; 0: it ended, and its port is held
 * @held_s:	Seconds that the port is held on, of one that ended
 */
struct nat_binding {
	uint8_t proto;
	uint16_t owner;
	struct addr inside;
	uint16_t in_port;
	struct addr outside;
	uint16_t out_port;
	uint32_t n_flows;
	uint32_t held_s;
};

/** nat_config_init() - What is usual: RFC 4787 to 7857 with their defaults */
void nat_config_init(struct nat_config *cfg);

/**
 * nat_config_check() - Can there be such a NAT
 * @cfg:	Configuration
 *
 * Return: NULL, or what is wrong with it
 */
const char *nat_config_check(const struct nat_config *cfg);

/**
 * nat_block_of() - The ports that an inside address has with NAT_PORTS_BLOCK
 * @cfg:	Configuration: all that it depends on
 * @inside:	Inside address
 * @ret_outside: Set on success: outside address
 * @ret_lo:	Set: lowest port
 * @ret_hi:	Set: highest
 *
 * Return: whether it has any
 */
bool nat_block_of(const struct nat_config *cfg, struct addr inside, struct addr *ret_outside,
		  uint16_t *ret_lo, uint16_t *ret_hi);

/**
 * nat_block_owner() - Whose a port is with NAT_PORTS_BLOCK
 * @cfg:	Configuration
 * @outside:	Outside address
 * @port:	Its port
 * @ret_inside:	Set on success: the inside address
 *
 * Return: whether it is of anybody's block
 */
bool nat_block_owner(const struct nat_config *cfg, struct addr outside, uint16_t port,
		     struct addr *ret_inside);

/** nat_bindings_most() - Numbers of bindings of such a NAT are below this */
uint32_t nat_bindings_most(const struct nat_config *cfg);

/** nat_bytes() - Memory that a NAT needs; of a configuration that is right */
size_t nat_bytes(const struct nat_config *cfg);

/**
 * nat_init() - A NAT in the caller's memory
 * @cfg:	Configuration; copied, but for what its pointers lead to
 * @mem:	nat_bytes() bytes
 * @ret:	Set on success; it points into @mem
 *
 * Return: 0, or -EINVAL for a configuration that nat_config_check() refuses
 */
MUST_USE int nat_init(const struct nat_config *cfg, void *mem, struct nat **ret);

/**
 * nat_batch() - Translate packets
 * @nat:	NAT
 * @now_ns:	A clock that stands still at worst; what runs back is not believed
 * @p:		Packets; verdicts are set
 * @n:		How many, 0..; best a multiple of NAT_BATCH
 */
void nat_batch(struct nat *nat, uint64_t now_ns, struct nat_packet *p, uint32_t n);

/**
 * nat_set_mtu() - The way of one side has become wider or narrower
 * @nat:	NAT
 * @side:	Side
 * @bytes:	Largest packet; below 576 counts as that
 */
void nat_set_mtu(struct nat *nat, enum nat_side side, uint32_t bytes);

/**
 * nat_tick() - Let timers run where no packets come
 * @nat:	NAT
 * @now_ns:	As of nat_batch()
 *
 * Cost: bounded, so that no packet waits for it long.
 *
 * Return: whether there is more to do now, if still no packets come
 */
bool nat_tick(struct nat *nat, uint64_t now_ns);

/**
 * nat_made() - What the last nat_batch() or nat_tick() has made
 * @nat:	NAT
 * @ret_n:	Set: how many, in the order in which they are to be sent
 *
 * Return: the packets
 */
const struct nat_made *nat_made(const struct nat *nat, uint32_t *ret_n);

/** nat_counters() - What has happened so far */
const struct nat_counters *nat_counters(const struct nat *nat);

/** nat_flow_slots() - Numbers below this may be sessions */
uint32_t nat_flow_slots(const struct nat *nat);

/**
 * nat_flow_at() - A session by its number
 * @nat:	NAT
 * @i:		Number
 * @ret:	Set when there is one
 *
 * Return: whether there is one
 */
bool nat_flow_at(const struct nat *nat, uint32_t i, struct nat_flow *ret);

/** nat_binding_slots() - Numbers below this may be bindings */
uint32_t nat_binding_slots(const struct nat *nat);

/**
 * nat_binding_at() - A binding by its number
 * @nat:	NAT
 * @i:		Number
 * @ret:	Set when there is one
 *
 * Return: whether there is one
 */
bool nat_binding_at(const struct nat *nat, uint32_t i, struct nat_binding *ret);

/**
 * nat_save() - The whole table as bytes
 * @nat:	NAT
 * @put:	Called with pieces in order; a negative errno ends the saving
 * @ctx:	For @put
 *
 * The form has a version and a checksum and is the same on every machine.
 *
 * Return: 0, or what @put returned
 */
MUST_USE int nat_save(const struct nat *nat, int (*put)(void *ctx, const void *p, size_t len),
		      void *ctx);

/** nat_save_most() - The most bytes that nat_save() of such a NAT gives */
size_t nat_save_most(const struct nat_config *cfg);

/**
 * nat_saved_bytes() - How long the first of several saved NATs is
 * @data:	What nat_save() gave, one behind the other
 * @len:	Bytes there
 *
 * Return: its length, at most @len; @len where that cannot be told
 */
size_t nat_saved_bytes(const void *data, size_t len);

/**
 * nat_restore() - Take up what nat_save() gave
 * @nat:	NAT, as nat_init() or another nat_restore() left it
 * @now_ns:	Time; what has been saved goes on from here
 * @data:	All of the bytes
 * @len:	How many
 * @ret_lost:	Set on success: sessions and bindings that this configuration has
 *		no room or no address for, and sessions of who is no longer inside
 *
 * Nothing is taken up from bytes that are not whole.
 *
 * Return: 0, -EBADMSG when they are damaged, -EPROTONOSUPPORT for another version
 */
MUST_USE int nat_restore(struct nat *nat, uint64_t now_ns, const void *data, size_t len,
			 uint32_t *ret_lost);

/**
 * nat_hold() - Lend a port to nobody but its last holder for the hold time
 * @nat:	NAT
 * @now_ns:	Time from which it counts
 * @b:		The binding that had it, but for its flows and held time
 *
 * For bindings that a journal knows and a crash has ended.
 *
 * Return: 0, -ENOENT for an address that is not the NAT's or an endpoint that is
 *	   another worker's, -EEXIST for a port
 *	   that is lent, -ENOSPC when there is no room
 */
MUST_USE int nat_hold(struct nat *nat, uint64_t now_ns, const struct nat_binding *b);

#endif /* NAT_NAT_H */
