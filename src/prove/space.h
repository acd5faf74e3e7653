/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * space - all packets of one family at one crossing, as variables of diagrams
 *
 * Which variable stands for which bit of a packet, of its connection and of the
 * marks; and the conditions that declarations and programs are made of: a field is
 * in a set, an address is the host's own.
 *
 * The bytes of the transport header are the same variables whatever the protocol
 * is, as they are the same bytes: a source port is an ICMP type and code.
 *
 * Owns:	 nothing; lives in an arena, its diagrams in a struct dds.
 * Does not:	 know rules.
 * Threads:	 none.
 */
#ifndef PROVE_SPACE_H
#define PROVE_SPACE_H

#include "model/model.h"
#include "prove/dd.h"

/**
 * enum part - A number among the variables, or a single one
 * @P_INVALID:	conntrack does not know the packet
 * @P_REPLY:	It goes against the first of its connection
 * @P_RELATED:	It speaks of a connection
 * @P_NEW:	It is the first of its connection
 * @P_SNAT:	Its connection's source is translated
 * @P_DNAT:	Its connection's destination is translated
 * @P_KNOWN:	conntrack has confirmed the connection
 * @P_CTMARK:	Mark of the connection, lowest bit first
 * @P_MARK:	Mark of the packet, lowest bit first
 * @P_OPTS:	It has IPv4 options or a routing header
 * @P_LSRR:	And these are a loose source route
 * @P_SSRR:	Or a strict one
 * @P_RR:	Or a route record
 * @P_RPF:	There is a way back to the source by the interface crossed
 * @P_SROUTE:	There is a way to the source
 * @P_DROUTE:	There is a way to the destination
 * @P_SCAST:	The source is a broadcast or multicast address: type of two bits
 * @P_DCAST:	The same of the destination
 * @P_FIRST_DST: Where its connection's first packet went, before any translation
 * @P_FIRST_DPORT: And to which port
 * @P_CLOCK:	Nanoseconds since 1970
 * @P_OPAQUE:	What nothing is known of
 * @P_IFACE:	Interface crossed, by number in the space
 * @P_RECV:	Interface that received it; 0: none
 * @P_PROTO:	Protocol
 * @P_DST:	Destination
 * @P_DPORT:	Third and fourth byte of the transport header
 * @P_SRC:	Source
 * @P_SPORT:	First and second byte
 * @P_FLAGS:	Fourteenth byte
 * @P_SEQ:	Fifth to eighth byte
 * @P_ACK:	The next four
 * @P_WIN:	Fifteenth and sixteenth byte
 * @P_REST:	Thirteenth, and the seventeenth to the twenty-fourth
 * @P_TOS:	Type of service, traffic class
 * @P_TTL:	TTL, hop limit
 * @P_DF:	"Do not fragment" of an IPv4 packet
 * @P_LEN:	Length that the header says: in IPv6 without the header's own
 * @P_ID:	Number of an IPv4 packet
 * @P_FLOW:	Flow label of an IPv6 packet
 * @P_UID:	Owner of the socket that sends it
 * @P_GID:	His group
 * @P_SOCK:	There is such a socket
 * @P_DRAW:	By number of the draw: it is below its probability
 * @P_CAND:	Number of the last preferred ruling; 0: none
 * @P_QUICK:	By depth of calls: something was preferred since
 * @P_PROBED:	Number of the name that free states were last looked for by; 0: not yet
 * @P_COUNT:	By number of a count of states: it is met
 * @P_MEND:	By number of a change of headers: the packet gets it if it passes
 *
 * In the order in which they are asked.
 */
enum part {
	P_IFACE, P_RECV, P_PROTO, P_DST, P_DPORT, P_SRC, P_SPORT, P_FLAGS, P_SEQ, P_ACK,
	P_WIN, P_REST, P_TOS, P_TTL, P_DF, P_LEN, P_ID, P_FLOW, P_UID, P_GID, P_SOCK,
	P_LSRR, P_SSRR, P_RR, P_RPF, P_SROUTE, P_DROUTE, P_SCAST, P_DCAST,
	P_FIRST_DST, P_FIRST_DPORT, P_CLOCK, P_OPAQUE, P_OPTS, P_INVALID, P_REPLY, P_RELATED, P_NEW,
	P_SNAT, P_DNAT, P_KNOWN, P_CTMARK, P_MARK, P_DRAW,
	P_CAND, P_QUICK, P_PROBED, P_COUNT, P_MEND,
	N_PARTS
};

#define SPACE_OPAQUE	1024u	/* opaque conditions and hashes, in bits */
#define SPACE_DRAWS	256u	/* draws of a model */
#define SPACE_COUNTS	256u	/* counts that limits are for */

/**
 * struct space_set - A set of addresses and its condition
 * @set:	The set
 * @part:	Of which address
 * @in:		The condition
 */
struct space_set {
	const struct set *set;
	enum part part;
	dd in;
};

/**
 * struct space_opaque - Something of a packet of which nothing is known
 * @what:	What it is
 * @first:	Its first variable
 * @n_bits:	How many
 */
struct space_opaque {
	const char *what;
	uint32_t first;
	uint32_t n_bits;
};

/**
 * struct space - Packets of one family
 * @a:		Memory
 * @d:		Diagrams
 * @m:		Model whose interfaces and addresses they are about
 * @af:		Family
 * @names:	Interfaces by number, Linux names; 0: none, the last: any other
 * @lo:		Number of lo
 * @first:	By part: its first variable
 * @ports:	The protocol has ports; 0: not made yet, as all that follow
 * @query:	It is an ICMP message with an id
 * @local:	The address is the host's own, of the source and of the destination
 * @owned:	By interface: destinations of a cloned loopback; NULL: not made yet
 * @sets:	Conditions made before
 * @opaque:	What nothing is known of
 * @n_opaque:	Its variables taken
 * @n_vars:	All variables
 */
struct space {
	struct arena *a;
	struct dds *d;
	const struct model *m;
	uint8_t af;
	VEC(const char *) names;
	uint32_t lo;
	uint32_t first[N_PARTS];
	dd ports;
	dd query;
	dd local[2];
	dd *owned;
	VEC(struct space_set) sets;
	VEC(struct space_opaque) opaque;
	uint32_t n_opaque;
	uint32_t n_vars;
};

/** space_init() - The packets of a family; interfaces are those of the model */
void space_init(struct space *s, struct arena *a, struct dds *d, const struct model *m, uint8_t af);

/** space_add_name() - An interface that a program names; before any condition is made */
void space_add_name(struct space *s, const char *name);

/** space_seal() - No more names: from here on conditions can be made */
void space_seal(struct space *s);

/** space_width() - Bits of a part */
uint32_t space_width(const struct space *s, enum part p);

/** space_var() - Number of the variable of bit @bit of a part, 0 = the highest */
uint32_t space_var(const struct space *s, enum part p, uint32_t bit);

/** space_bit() - The condition that this bit is 1 */
dd space_bit(struct space *s, enum part p, uint32_t bit);

/** space_mark() - As space_var(), of a mark: bit 0 = the lowest */
uint32_t space_mark(const struct space *s, enum part p, uint32_t bit);

/** space_is() - A part has a value */
dd space_is(struct space *s, enum part p, u128 value);

/** space_range() - A part is in @lo..@hi */
dd space_range(struct space *s, enum part p, u128 lo, u128 hi);

/** space_in() - A part is in a set, of which other families do not count */
dd space_in(struct space *s, enum part p, const struct set *in);

/** space_addr_in() - space_in() of addresses, remembered by the set */
dd space_addr_in(struct space *s, enum part p, const struct set *in);

/** space_iface_in() - The interface crossed, as the model names it, is in a set */
dd space_iface_in(struct space *s, const struct set *in);

/** space_link_in() - A part (P_IFACE, P_RECV) is in a set, lo being lo */
dd space_link_in(struct space *s, enum part p, const struct set *in);

/** space_named() - A part (P_IFACE, P_RECV) has a name of which @len bytes are @bytes */
dd space_named(struct space *s, enum part p, const uint8_t *bytes, uint32_t len);

/** space_ports() - The protocol has ports */
dd space_ports(struct space *s);

/** space_local() - An address is the host's own */
dd space_local(struct space *s, enum part p);

/** space_transport() - The condition that bit @bit of the transport header, 32..191, is 1 */
dd space_transport(struct space *s, uint32_t bit);

/** space_ethertype() - Variable of the first of 16 bits of a frame's type that is not known */
uint32_t space_ethertype(struct space *s);

/** space_is_other_frame() - That type is not of IP and not of ARP */
dd space_is_other_frame(struct space *s);

/** space_icmp_error() - It is an ICMP error, which speaks of a flow */
dd space_icmp_error(struct space *s);

/** space_icmp_query() - It is an ICMP message with an id */
dd space_icmp_query(struct space *s);

/** space_opaque() - Variable of the first of @n_bits of something, the same for the same text */
uint32_t space_opaque(struct space *s, const char *what, uint32_t n_bits);

/** space_real() - What can be: interfaces have names, hashes are below their modulus */
dd space_real(struct space *s);

/** space_value() - The value of a part at a point of dd_differ(), bits that do not count as 0 */
u128 space_value(const struct space *s, enum part p, const uint8_t *bit);

#endif /* PROVE_SPACE_H */
