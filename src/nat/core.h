/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core - what the files of the NAT share: records, the NAT itself, who does what
 *
 *	batch.c	    packets in, the common case; all else goes to path.c
 *	view.c	    what a packet's headers say
 *	path.c	    one packet that needs thought: which of these it goes through
 *	open.c	    new sessions: outbound, inbound, hairpinned
 *	session.c   sessions, their keys and their timers
 *	bind.c	    bindings, their outside ports, what is held, who may have how much
 *	block.c	    whose ports are whose, by arithmetic
 *	addr6.c	    32-bit handles for IPv6 addresses
 *	rewrite.c   new addresses and checksums into a packet
 *	tcp.c	    state and sequence numbers of TCP
 *	icmp.c	    ICMP errors about sessions
 *	answer.c    ICMP and RST of the NAT's own; the memory of what is made
 *	held_syn.c  unsolicited SYNs that wait
 *	frag.c	    fragments
 *	share.c	    which worker's a packet is, where there are several
 *	npt.c	    prefixes translated without state
 *	setup.c	    memory; save.c what outlives a restart; status.c what others ask
 *
 * A flow's memory is 64 bytes of session, 32 of binding, and four entries of
 * hash tables of 7.1 bytes.
 *
 * Lines: 6888-1 6888-9
 */
#ifndef NAT_CORE_H
#define NAT_CORE_H

#include <string.h>

#include "nat/hash.h"
#include "nat/nat.h"
#include "nat/ports.h"
#include "nat/share.h"
#include "nat/table.h"
#include "net/checksum.h"
#include "net/names.h"

#define NONE		UINT32_MAX
#define TICK_SHIFT	26u		/* a tick is 2^26 ns, 67 ms */
#define WHEEL_SHIFT	4u		/* a spoke is 16 ticks, 1.07 s */
#define WHEEL_SPOKES	4096u		/* 73 minutes; what is later comes by again */
#define FIRST_TICK	(1u << 28)	/* of the first packet: what is restored is older */
#define EXPIRE_BATCH	16u		/* sessions, and ports, looked at in a batch */
#define IP_IDS		4096u		/* counters of IPv4 ids */
#define OWN_MAYBE	4096u		/* most addresses are not ours, and end there */
#define MADE_MAX	1024u		/* packets made in a batch */
#define MADE_BYTES	(512u << 10)	/* and their memory */
#define DATAGRAM_MAX	65536u

#define PROTO_DCCP	33u
#define PROTO_HOPOPTS	0u
#define PROTO_ROUTING	43u
#define PROTO_FRAGMENT	44u
#define PROTO_DSTOPTS	60u

/**
 * struct ends - A flow, in the direction outwards
 * @src:	IPv4 address, or handle of an IPv6 address
 * @dst:	Peer
 * @sport:	Port or ICMP id; 0 where the protocol has none
 * @dport:	Port of the peer; 0 of ICMP
 */
struct ends {
	uint32_t src;
	uint32_t dst;
	uint16_t sport;
	uint16_t dport;
};

/** ends_addrs() - Both addresses as one word, the source low */
static inline uint64_t ends_addrs(const struct ends *e)
{
	return (uint64_t)e->dst << 32 | e->src;
}

/** ends_ports() - Both ports as one word, the source's low */
static inline uint32_t ends_ports(const struct ends *e)
{
	return (uint32_t)e->dport << 16 | e->sport;
}

#define S_V6		0x01u		/* the lowest: view.is_v6 is compared with it */
#define S_FROM_OUT	0x02u		/* opened from outside */
#define S_HAIRPIN	0x04u		/* its peer is an outside address of ours */
#define S_SOURCE	0x08u		/* its source is translated */
#define S_BOTH		0x10u		/* packets of either direction keep it alive */
#define S_PERMIT	0x20u		/* it counts in a permission (address-dependent) */
#define S_LOOK		0x40u		/* scrub is not 0, or what goes out will permit its peer */
#define S_CHANGES	0x80u		/* its packets change: the two sides see it differently */

/**
 * struct session - RFC 6146's: one flow between an endpoint and a peer
 * @in:		As the inside sees it
 * @out:	As the outside sees it
 * @proto:	Protocol; 0: the record is free
 * @flags:	S_*
 * @tcp:	enum nat_tcp
 * @timer:	enum nat_timeout that it lives by
 * @d_addr:	Checksum delta of the addresses, outbound
 * @d_l4:	Checksum delta of the L4 checksum, outbound
 * @binding:	Its binding, or NONE
 * @seen:	Tick of the last packet that kept it alive
 * @next:	In its spoke of the wheel; free: next free record
 * @prev:	In its spoke, or ~spoke | SPOKE_MARK for the first
 * @ack:	TCP: next sequence number that the inside, the outside waits for
 * @win:	TCP: the window with it, unscaled
 * @wscale:	TCP: shift of the inside's windows, and << 4 of the outside's
 * @acked:	TCP: bit by side: @ack is known
 * @scrub:	Number in nat.scrubs of what else changes in its packets, 0: nothing
 * @owner:	Whose
 */
struct session {
	union {
		struct {
			struct ends in;
			struct ends out;
		};
		struct ends as_seen[2];	/* by enum nat_side */
	};
	uint8_t proto;
	uint8_t flags;
	uint8_t tcp;
	uint8_t timer;
	uint16_t d_addr;
	uint16_t d_l4;
	uint32_t binding;
	uint32_t seen;
	uint32_t next;
	uint32_t prev;
	uint32_t ack[2];
	uint16_t win[2];
	uint8_t wscale;
	uint8_t acked : 2;
	uint8_t scrub : 6;
	uint16_t owner;
};

_Static_assert(sizeof(struct session) == 64, "a session is a cache line");

#define B_V6		0x01u
#define B_HELD		0x02u		/* ended; nobody else gets its port yet */
#define B_PERMIT	0x04u		/* no binding: peer @peer may send to the outside end */

/**
 * struct binding - RFC 6146's: an inside endpoint and its outside one
 * @in:		Inside address or handle
 * @out:	Outside address or handle
 * @in_port:	Inside port or ICMP id
 * @out_port:	Outside port or ICMP id
 * @proto:	Protocol; 0: the record is free
 * @flags:	B_*
 * @owner:	Whose
 * @peer:	Only for this peer (address-dependent mapping), 0: for any
 * @time:	Tick of the last outbound packet that is known of; held: when it ended
 * @n_flows:	Sessions of it
 * @next:	Held: the one that ended next; free: next free record
 * @prev:	Held: the one that ended before
 */
struct binding {
	uint32_t in;
	uint32_t out;
	uint16_t in_port;
	uint16_t out_port;
	uint8_t proto;
	uint8_t flags;
	uint16_t owner;
	uint32_t peer;
	uint32_t time;
	union {
		uint32_t n_flows;
		uint32_t next;
	};
	uint32_t prev;
};

_Static_assert(sizeof(struct binding) == 32, "two bindings are a cache line");

/**
 * struct addr6 - An IPv6 address that records speak of by its number
 * @bytes:	On the wire
 * @refs:	Records that speak of it; 0: free
 * @next:	Free: next free record
 */
struct addr6 {
	uint8_t bytes[16];
	uint32_t refs;
	uint32_t next;
};

/* Port spaces: no port of one is ever another's */
enum pool { POOL_UDP, POOL_TCP, POOL_ICMP, POOL_UDPLITE, POOL_DCCP, POOL_SCTP, N_POOLS };

/**
 * struct own - An outside address
 * @a:		Address
 * @handle:	As records have it
 * @pools:	Its ports, N_POOLS
 * @who:	With several workers, of each port of the first SHARED_POOLS pools: the worker
 *		+ 1 that has or had it or flows to it, SHARE_MANY; NULL: there is one
 */
struct own {
	struct addr a;
	uint32_t handle;
	struct ports *pools;
	uint8_t *who;
};

/**
 * struct owner - What one owner has now
 * @flows:	Sessions
 * @ports:	Bindings by class
 * @tokens:	New sessions that it may make now, in 1/65536
 * @filled:	Tick when @tokens was brought up to date
 * @told:	Tick of the last NAT_EV_REFUSED, 0: none
 * @alarmed:	NAT_EV_ALARM has been told
 * @n_parts:	Workers that may have flows of it: each has a part of its quota of ports
 */
struct owner {
	uint32_t flows;
	uint32_t ports[N_NAT_CLASSES];
	uint64_t tokens;
	uint32_t filled;
	uint32_t told;
	bool alarmed;
	uint8_t n_parts;
};

#define SHARED_POOLS	3u	/* pools whose ports may be any worker's: UDP, TCP, ICMP */
#define SHARE_MANY	0xffu	/* flows to a port are several workers' */
#define RULINGS		64u	/* of a batch that other workers are told */

#define SCRUBS		64u	/* different ones that sessions can have */

/**
 * struct scrub_all - What rules change in all packets of a session
 * @max_mss:	A larger segment size in a SYN becomes this; 0: stays
 * @min_ttl:	A smaller TTL becomes this
 * @no_df:	"Do not fragment" is cleared
 */
struct scrub_all {
	uint16_t max_mss;
	uint8_t min_ttl;
	bool no_df;
};

/**
 * struct proto - What the NAT knows of a protocol
 * @min_len:	Bytes of its header
 * @check_at:	Where its checksum is, if the NAT must update it; 0: nowhere
 * @has_ports:	Its header begins with two ports
 * @translates: It can have another port
 * @class:	enum nat_class
 * @pool:	enum pool
 * @timer:	enum nat_timeout of its sessions
 */
struct proto {
	uint8_t min_len;
	uint8_t check_at;
	bool has_ports;
	bool translates;
	uint8_t class;
	uint8_t pool;
	uint8_t timer;
};

extern const struct proto nat_protos[256];

/**
 * enum kind - What a packet is to the NAT
 * @K_FLOW:	Of a flow: with ports, an ICMP query, or a protocol by address
 * @K_ERROR:	An ICMP error
 * @K_FRAGMENT:	A part of a datagram
 */
enum kind { K_FLOW, K_ERROR, K_FRAGMENT };

/**
 * struct view - What a packet's headers say
 * @ip:		Its memory
 * @len:	Its length
 * @l4:		Where its L4 header starts
 * @frag:	IPv6: where its fragment header starts, 0: it has none
 * @proto:	Protocol, of IPv6 behind the extension headers
 * @is_v6:	It is IPv6
 * @has_opts:	IPv4 options or an IPv6 routing header
 * @kind:	enum kind
 * @is_plain:	Read by plain_read()
 * @from:	enum nat_side
 * @tcp_flags:	Of TCP
 * @src:	IPv4 address or handle; NONE: an IPv6 address without handle
 * @dst:	The same of the destination
 * @sport:	Port; of ICMP queries from inside the id
 * @dport:	Port; of ICMP queries from outside the id
 * @at:		These four as the packet has them, whatever its direction
 * @hash:	Of its session key
 */
struct view {
	uint8_t *ip;
	uint32_t len;
	uint16_t l4;
	uint16_t frag;
	uint8_t proto;
	bool is_v6;
	bool has_opts;
	uint8_t kind;
	bool is_plain;
	uint8_t from;
	uint8_t tcp_flags;
	union {
		struct {
			uint32_t src;
			uint32_t dst;
			uint16_t sport;
			uint16_t dport;
		};
		struct ends at;
	};
	uint64_t hash;
};

struct frags;
struct held_syns;

/**
 * struct nat - All of it
 *
 * Members are told where they are used.
 */
struct nat {
	struct nat_config cfg;
	struct table session_table;
	struct session *sessions;
	struct table binding_table;
	struct binding *bindings;
	struct table addr6_table;
	struct addr6 *addr6;
	struct table own_table;
	struct own *own;
	uint64_t own_maybe[OWN_MAYBE / 64];	/* bit of each own address's hash */
	struct owner *owners;
	uint32_t n_owners;
	uint32_t n_bindings;
	uint32_t n_addr6;
	uint32_t free_session;
	uint32_t free_binding;
	uint32_t free_addr6;
	uint32_t addr6_epoch;		/* changes when a handle becomes another address */
	uint32_t held_first;
	uint32_t held_last;
	uint32_t max_held;

	bool has_begun;			/* a time has been told */
	uint64_t last_ns;		/* latest time seen */
	uint64_t base_ns;		/* time of tick 1 */
	uint32_t now;			/* tick */
	uint32_t timeout[N_NAT_TIMEOUTS]; /* ticks */
	uint32_t wheel[WHEEL_SPOKES];
	uint32_t wheel_at;		/* spoke number that is looked at, not modulo */

	struct scrub_all scrubs[SCRUBS];	/* [0]: nothing */
	uint32_t n_scrubs;
	struct random random;
	struct nat_ruling likely;	/* of the last session with a translated source */
	uint16_t ip_id[IP_IDS];
	uint16_t id_step;		/* from one id to the next: each worker has its own */
	uint64_t error_tokens;		/* in 1/65536 */
	uint32_t error_filled;

	struct nat_made made[MADE_MAX];
	uint32_t n_made;
	uint32_t made_used;
	uint8_t *made_bytes;
	uint32_t cause;			/* index of the packet that is worked on */

	uint64_t blocks_told_ns;	/* NAT_EV_BLOCKS, 0: not yet */
	bool touches_bindings;		/* filtering asks when an endpoint has last sent */
	bool in_datagram;		/* the packet was in fragments, and will be again */
	bool is_shared;			/* there are other workers */
	const struct nat_errand *errand; /* of the packet that is worked on; NULL: it came here */
	struct nat_ruling rulings[RULINGS];
	uint32_t n_rulings;
	struct frags *frags;
	struct held_syns *syns;
	uint8_t *datagram;		/* one reassembled, DATAGRAM_MAX bytes */
	struct nat_counters n;
};

/* view.c */

/**
 * view_read() - Read a packet's headers
 * @nat:	For the handles of addresses
 * @p:		Packet; its length is cut to what its header says
 * @v:		Set on success
 *
 * Return: NAT_R_NONE, or why it is no packet for us
 */
enum nat_reason view_read(const struct nat *nat, struct nat_packet *p, struct view *v);

/** view_hash() - Of the session key that the view has; the side is in it, so that no two meet */
static inline uint64_t view_hash(const struct nat *nat, const struct view *v)
{
	return hash_words(nat->cfg.key, ends_addrs(&v->at),
			  (uint64_t)ends_ports(&v->at) << 32 | (uint64_t)v->proto << 8 |
				  (uint64_t)v->is_v6 << 1 | v->from);
}

/** view_is_query() - Is an ICMP type a query that the NAT translates */
bool view_is_query(bool is_v6, uint8_t type);

/** view_is_error() - Is an ICMP type an error that the NAT translates */
bool view_is_error(bool is_v6, uint8_t type);

/** view_src() - The source as an address */
struct addr view_src(const struct view *v);

/** view_dst() - The destination as an address */
struct addr view_dst(const struct view *v);

/* addr6.c */

/** addr6_init() - Nothing has a handle */
void addr6_init(struct nat *nat);

/** addr6_find() - Handle of an address, or NONE */
uint32_t addr6_find(const struct nat *nat, const uint8_t bytes[16]);

/** addr6_get() - addr_get() of an IPv6 address */
uint32_t addr6_get(struct nat *nat, struct addr a);

/** addr_get() - Handle of an address, with a reference; NONE: no room */
static inline uint32_t addr_get(struct nat *nat, const struct addr *a)
{
	return a->af == AF_V6 ? addr6_get(nat, *a) : (uint32_t)a->v;
}

/** addr6_ref() - One reference more */
void addr6_ref(struct nat *nat, uint32_t handle);

/** addr6_put() - One reference less */
void addr6_put(struct nat *nat, uint32_t handle);

/** addr_drop() - Take back what addr_get() gave, NONE too */
static inline void addr_drop(struct nat *nat, bool is_v6, uint32_t handle)
{
	if (is_v6 && handle != NONE)
		addr6_put(nat, handle);
}

/** addr_of() - The address of a handle */
struct addr addr_of(const struct nat *nat, bool is_v6, uint32_t handle);

/** own_add() - Make nat->own[@i] known */
void own_add(struct nat *nat, uint32_t i);

/** own_find() - The outside address that a handle is, or NULL */
struct own *own_find(const struct nat *nat, bool is_v6, uint32_t handle);

/** own_of() - The outside address that an address is, or NULL */
struct own *own_of(const struct nat *nat, struct addr a);

/* bind.c */

/** bind_init() - No bindings */
void bind_init(struct nat *nat);

/** owner_of() - Whose a source is; 0: nobody's */
uint16_t owner_of(const struct nat *nat, struct addr a);

/** owner_charge() - May an owner have one session more; NAT_R_NONE and counted, or why not */
enum nat_reason owner_charge(struct nat *nat, uint16_t owner);

/** owner_release() - One session less */
void owner_release(struct nat *nat, uint16_t owner);

/**
 * struct bind_ask - A binding that is wanted
 * @is_v6:	Family
 * @proto:	Protocol
 * @owner:	Whose
 * @in:		Inside address or handle
 * @in_port:	Its port
 * @peer:	Peer's address or handle
 * @peer_port:	Its port
 * @rule:	How the outside end is chosen
 */
struct bind_ask {
	bool is_v6;
	uint8_t proto;
	uint16_t owner;
	uint32_t in;
	uint16_t in_port;
	uint32_t peer;
	uint16_t peer_port;
	const struct nat_ruling *rule;
};

/**
 * bind_get() - The binding of an endpoint, made if there is none
 * @nat:	NAT
 * @ask:	What is wanted
 * @ret:	Set on success; a new one has no sessions, and ends with
 *		bind_put() like any other
 *
 * Return: NAT_R_NONE, or why there is none
 */
enum nat_reason bind_get(struct nat *nat, const struct bind_ask *ask, uint32_t *ret);

/**
 * bind_prefetch() - Fetch what a new session of a view from inside will touch
 * @nat:	NAT
 * @v:		View
 * @draw:	What random_below() will draw next when its turn comes
 *
 * As far as it can be told: if its endpoint gets what the last one has got.
 */
void bind_prefetch(const struct nat *nat, const struct view *v, uint32_t draw);

/** bind_own() - The outside address that an endpoint gets by a rule, or NULL */
struct own *bind_own(const struct nat *nat, const struct bind_ask *ask);

/** bind_find_out() - The binding whose outside end this is, or NONE */
uint32_t bind_find_out(const struct nat *nat, bool is_v6, uint8_t proto, uint32_t out,
		       uint16_t port);

/** bind_use() - One session more */
void bind_use(struct nat *nat, uint32_t binding);

/** bind_put() - One session less; the last one's end ends the binding, its port is held */
void bind_put(struct nat *nat, uint32_t binding);

/** bind_permit() - Count one session more with a peer; false: no room */
bool bind_permit(struct nat *nat, uint32_t binding, uint32_t peer);

/** bind_unpermit() - One less */
void bind_unpermit(struct nat *nat, uint32_t binding, uint32_t peer);

/** bind_is_permitted() - Has the binding a session with a peer */
bool bind_is_permitted(const struct nat *nat, uint32_t binding, uint32_t peer);

/** bind_expire() - Free held ports whose time is over, at most @n; whether there may be more */
bool bind_expire(struct nat *nat, uint32_t n);

/** bind_enter() - A binding as saved, into the tables; NONE: no room, or its port is lent */
uint32_t bind_enter(struct nat *nat, const struct binding *b);

/** bind_hold() - End a binding that has no sessions: its port is held from now on */
void bind_hold(struct nat *nat, uint32_t binding);

/** bind_sweep() - End all bindings that have no session (what is restored may) */
void bind_sweep(struct nat *nat);

/** bind_notify() - notify(), where somebody wants to know */
void bind_notify(const struct nat *nat, enum nat_event_kind kind, const struct binding *b,
		 uint16_t out_port);

/** notify() - Tell of an event */
static inline void notify(const struct nat *nat, enum nat_event_kind kind,
			  const struct binding *b, uint16_t out_port)
{
	if (nat->cfg.notify != NULL)
		bind_notify(nat, kind, b, out_port);
}

/* block.c */

/** block_overflow() - The ports of an address that are of nobody's block; false: none */
bool block_overflow(const struct nat_config *cfg, uint16_t *ret_lo, uint16_t *ret_hi);

/* session.c */

/** session_init() - No sessions */
void session_init(struct nat *nat);

/** session_find() - The session of a view, alive, or NULL */
struct session *session_find(struct nat *nat, const struct view *v);

/*
 * session_matches() - Is it the session of a view, and has it none of some flags
 *
 * Packets of both directions come mixed, so this has no branch on the direction.
 */
static inline bool session_matches(const struct session *s, const struct view *v, uint32_t without)
{
	const struct ends *e = &s->as_seen[v->from];
	const uint64_t addrs = rotate64(ends_addrs(&v->at), 32u * v->from);
	const uint32_t ports = rotate32(ends_ports(&v->at), 16u * v->from);
	const uint32_t kind = ((uint32_t)s->flags << 8 | s->proto) ^
			      ((uint32_t)v->is_v6 << 8 | v->proto);

	return ((addrs ^ ends_addrs(e)) | (ports ^ ends_ports(e)) |
		(kind & ((S_V6 | without) << 8 | 0xffu))) == 0;
}

/** session_is_over() - Has its time come */
static inline bool session_is_over(const struct nat *nat, const struct session *s)
{
	return nat->now - s->seen >= nat->timeout[s->timer];
}

/**
 * session_new() - A session
 * @nat:	NAT
 * @like:	Its ends, protocol, flags, binding and owner.  The addresses must
 *		have handles; it takes references of its own, and counts in its
 *		binding.  The owner has been charged
 * @seen:	View of the packet that opens it, known to have none; NULL: of no packet
 * @ret:	Set on success
 *
 * Return: NAT_R_NONE, NAT_R_TABLE_FULL, or NAT_R_PORT_TAKEN when another
 *	   session has one of its keys
 */
enum nat_reason session_new(struct nat *nat, const struct session *like, const struct view *seen,
			    struct session **ret);

/** session_prefetch() - Fetch what session_new() will fill, and where it will stand outside */
static inline void session_prefetch(const struct nat *nat, const struct view *outer)
{
	table_prefetch(&nat->session_table, view_hash(nat, outer));
	if (nat->free_session != NONE)
		fetch_line(&nat->sessions[nat->free_session]);
}

/** session_end() - Take it out of everything */
void session_end(struct nat *nat, struct session *s);

/** session_retime() - It lives by another timer from now on */
void session_retime(struct nat *nat, struct session *s, enum nat_timeout timer);

/** session_expire() - End sessions whose time is over; looks at @n at most; whether more are due */
bool session_expire(struct nat *nat, uint32_t n);

/* rewrite.c */

/** rewrite_deltas() - Set the checksum deltas of a session, and S_CHANGES */
void rewrite_deltas(const struct nat *nat, struct session *s);

/**
 * rewrite() - Put a session's addresses and ports into a packet
 * @nat:	NAT
 * @p:		Packet
 * @v:		Its view; addresses and ports are as before afterwards
 * @s:		Session
 * @out:	Outbound
 *
 * Does not touch the TTL.
 */
void rewrite(struct nat *nat, struct nat_packet *p, const struct view *v,
	     const struct session *s, bool out);

/** rewrite_ttl() - One hop more */
void rewrite_ttl(const struct view *v);

/** rewrite_id_of() - The counter of IPv4 ids that a packet, as it goes out, draws from */
static inline uint16_t *rewrite_id_of(struct nat *nat, uint32_t src, uint32_t dst, uint8_t proto)
{
	const uint32_t pair = src * 0x9e3779b1u ^ dst ^ (uint32_t)proto << 24;

	return &nat->ip_id[pair * 0x85ebca6bu / (UINT32_MAX / IP_IDS + 1)];
}

/** rewrite_udp() - csum_update() for UDP: none stays none, 0 is sent as 0xffff (RFC 768) */
static inline void rewrite_udp(uint8_t *check, uint32_t delta)
{
	const uint16_t old = get16(check), new = csum_apply(old, delta);

	if (old != 0)
		put16(check, new != 0 ? new : 0xffff);
}

/** rewrite_id() - A new IPv4 id, unless the packet may never be fragmented (RFC 6864) */
void rewrite_id(struct nat *nat, const struct view *v);

/** rewrite_scrub_set() - All of a session's packets change so; false: one way too many */
MUST_USE bool rewrite_scrub_set(struct nat *nat, struct session *s, struct scrub_all want);

/** rewrite_scrub() - What rules change besides; before the TTL is lowered */
void rewrite_scrub(const struct view *v, const struct scrub_all *s);

/** rewrite_mss() - Lower the segment size of a SYN to @max_mss */
void rewrite_mss(const struct view *v, uint16_t max_mss);

/* tcp.c */

/**
 * tcp_track() - What a TCP packet does to its session
 * @nat:	NAT
 * @s:		Session
 * @v:		Packet
 *
 * Return: NAT_R_NONE, or why it must not pass; the session is as it was then
 */
enum nat_reason tcp_track(struct nat *nat, struct session *s, const struct view *v);

/** tcp_is_in_window() - May the sender of @side have sent this sequence number */
bool tcp_is_in_window(const struct session *s, enum nat_side side, uint32_t seq);

/* icmp.c */

/** icmp_error() - Translate an error that speaks of a session; verdict in @p */
void icmp_error(struct nat *nat, struct nat_packet *p, struct view *v);

/* answer.c */

/** drop() - The packet's verdict, counted */
void drop(struct nat *nat, struct nat_packet *p, enum nat_reason why);

/** forward() - The packet's verdict, counted */
void forward(struct nat *nat, struct nat_packet *p, enum nat_side to);

/**
 * made_new() - Memory for a packet that comes out
 * @nat:	NAT
 * @len:	Its length
 * @to:		Where it goes
 *
 * Return: @len bytes that the caller fills, NULL: no room
 */
uint8_t *made_new(struct nat *nat, uint32_t len, enum nat_side to);

/**
 * struct answer_icmp - An ICMP error to make
 * @to:		Side it goes to
 * @type:	Type
 * @code:	Code
 * @rest:	Second word: an MTU, a pointer
 */
struct answer_icmp {
	enum nat_side to;
	uint8_t type;
	uint8_t code;
	uint32_t rest;
};

/** answer_icmp() - Tell the sender of a packet, unless that must not be */
void answer_icmp(struct nat *nat, const struct view *v, struct answer_icmp e);

/** answer_unreachable() - "Destination unreachable", code 1, 3 or 13 of IPv4 or its kind of IPv6 */
void answer_unreachable(struct nat *nat, const struct view *v, uint8_t code4);

/** answer_rst() - A RST for a TCP packet */
void answer_rst(struct nat *nat, const struct view *v);

/** answer_echo() - The reply to an echo request, or to one whose addresses are the reply's */
void answer_echo(struct nat *nat, const struct view *v, bool is_turned);

/* held_syn.c */

/** held_syn_bytes() - Its memory */
size_t held_syn_bytes(void);

/** held_syn_init() - None is held */
void held_syn_init(struct nat *nat);

/** held_syn_add() - Keep an unsolicited SYN to answer it later */
void held_syn_add(struct nat *nat, const struct view *v);

/** held_syn_drop() - A session with that peer has been opened from inside */
void held_syn_drop(struct nat *nat, const struct session *s);

/** held_syn_expire() - Answer those that have waited long enough */
void held_syn_expire(struct nat *nat);

/* frag.c */

/** frag_bytes() - Its memory */
size_t frag_bytes(const struct nat_config *cfg);

/** frag_init() - No fragments */
void frag_init(struct nat *nat);

/** frag_leave() - A datagram that came in fragments of at most @longest bytes goes on so */
void frag_leave(struct nat *nat, struct nat_packet *p, uint32_t longest);

/** frag_take() - Keep a fragment; when it completes a datagram that goes on; verdict in @p */
void frag_take(struct nat *nat, struct nat_packet *p, const struct view *v);

/** frag_split() - Let a packet that is forwarded out in pieces of at most @max bytes */
void frag_split(struct nat *nat, struct nat_packet *p, uint32_t max);

/** frag_expire() - Give up datagrams whose time is over */
void frag_expire(struct nat *nat);

/* share.c */

/** share_pools() - Prepare the ports of an outside address */
void share_pools(const struct nat_config *cfg, uint32_t i, struct ports *pools);

/** share_init() - Where outside addresses' ports are, and how much of a quota is ours */
void share_init(struct nat *nat, struct ports *alone);

/** share_take() - Take a port that was free; false: another worker was faster */
bool share_take(struct nat *nat, struct own *own, uint8_t pool, uint16_t port);

/** share_give() - Take a port back */
void share_give(struct nat *nat, struct own *own, uint8_t pool, uint16_t port);

/** share_note() - There is a session: what is sent to its outside end comes here best */
void share_note(struct nat *nat, const struct session *s);

/** share_is_mine() - Are flows of an inside address this worker's */
bool share_is_mine(const struct nat *nat, struct addr in, uint8_t proto);

/** share_is_others() - Has another worker a port */
bool share_is_others(const struct nat *nat, const struct own *own, uint8_t pool, uint16_t port);

/**
 * share_opens() - Before a packet without session opens one: is it another worker's
 * @nat:	NAT
 * @p:		Packet; if so, its verdict is set
 * @v:		View
 * @is_second:	It is the second leg of a hairpinned packet, whose first one was here
 *
 * Return: whether it is
 */
bool share_opens(const struct nat *nat, struct nat_packet *p, const struct view *v,
		 bool is_second);

/** share_judged() - The same of a packet from outside that rules send to @r->dst */
bool share_judged(struct nat *nat, struct nat_packet *p, const struct view *v,
		  const struct nat_ruling *r, bool is_second);

/** share_error() - The same of an ICMP error about a packet that @key would answer */
bool share_error(const struct nat *nat, struct nat_packet *p, const struct view *key,
		 struct addr end, bool is_second);

/** share_fragment() - The same of a fragment */
bool share_fragment(const struct nat *nat, struct nat_packet *p, const struct view *v);

/** share_datagram() - Hand a datagram on that was put together here; verdict in @p */
void share_datagram(struct nat *nat, struct nat_packet *p, const struct nat_packet *whole,
		    uint32_t longest);

/** share_answered() - What was made last is for an outside address, perhaps another worker's */
void share_answered(struct nat *nat, const struct view *v, uint32_t n_before);

/* npt.c */

/** npt_packet() - Translate by prefix; false: no prefix is for it */
bool npt_packet(struct nat *nat, struct nat_packet *p, struct view *v);

/* open.c */

/** open_session() - A session for a view that has none; verdict in @p and NULL, or the session */
struct session *open_session(struct nat *nat, struct nat_packet *p, struct view *v,
			     bool is_hairpin);

/** check_martians() - Has a packet an address that none between hosts has; why, or NAT_R_NONE */
enum nat_reason check_martians(const struct view *v);

/** is_inside() - Is an address of the inside */
bool is_inside(const struct nat *nat, struct addr a);

/* batch.c */

/** nat_clock() - It is @now_ns */
void nat_clock(struct nat *nat, uint64_t now_ns);

/* path.c */

/** path_packet() - All that can become of a packet; verdict in @p */
void path_packet(struct nat *nat, struct nat_packet *p);

/** path_check() - Can it go on to a side; if not, why, and its sender has been told */
enum nat_reason path_check(struct nat *nat, const struct nat_packet *p, const struct view *v,
			   enum nat_side to);

/** path_leave() - It goes on to a side, in pieces where it is too long for that */
void path_leave(struct nat *nat, struct nat_packet *p, enum nat_side to);

/** path_view() - path_packet() of a packet that has been read */
void path_view(struct nat *nat, struct nat_packet *p, struct view *v);

#endif /* NAT_CORE_H */
