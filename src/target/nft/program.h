/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program - nftables objects before they become text or netlink messages
 *
 * Tables, chains, sets and rules at the level of nft statements.  The text and
 * the transaction are two printings of the same program.
 *
 * Every name is generated: what a user wrote becomes an interface name (in
 * quotes, checked), a number, or a comment, never an identifier.
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 know the model, or talk to the kernel.
 * Byte order:	 struct nft_value holds bytes as the kernel compares them.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_PROGRAM_H
#define TARGET_NFT_PROGRAM_H

#include "base/hashed.h"
#include "base/limits.h"
#include "model/portmap.h"
#include "target/nft.h"

#define NFT_VALUE_BYTES	16u	/* the longest single value: ifname, ipv6_addr */
#define NFT_KEYS_MAX	4u	/* values in one concatenation */
#define NFT_CONCAT_BYTES 40u	/* l4proto, two IPv6 addresses, room */

/**
 * enum nft_type - Data types of set keys and data
 */
enum nft_type {
	NFT_T_IFNAME, NFT_T_IFINDEX, NFT_T_NFPROTO, NFT_T_PROTO, NFT_T_IP4, NFT_T_IP6, NFT_T_PORT,
	NFT_T_TCPFLAG, NFT_T_ICMP_TYPE, NFT_T_ICMP_CODE, NFT_T_ICMP6_TYPE, NFT_T_ICMP6_CODE,
	NFT_T_MARK, NFT_T_CT_DIR, NFT_T_CT_STATUS, NFT_T_CT_STATE, NFT_T_FIB_TYPE, NFT_T_ARP_OP,
	NFT_T_BOOL, NFT_T_PRESENT, NFT_T_BYTE, NFT_T_DSCP, NFT_T_DSCP6, NFT_T_ETHERTYPE,
	NFT_T_BYTES16, NFT_T_DEVGROUP, NFT_T_CLASSID, NFT_T_BYTES2, NFT_T_BYTES3, NFT_T_BYTES4,
	NFT_T_UID, NFT_T_GID,
	N_NFT_TYPES
};

/**
 * enum nft_key - What of a packet can be loaded into a register
 */
enum nft_key {
	NFT_K_IIFNAME, NFT_K_OIFNAME, NFT_K_IIF, NFT_K_NFPROTO, NFT_K_L4PROTO,
	NFT_K_IP_SADDR, NFT_K_IP_DADDR, NFT_K_IP6_SADDR, NFT_K_IP6_DADDR,
	NFT_K_SPORT, NFT_K_DPORT, NFT_K_TCP_FLAGS,
	NFT_K_ICMP_TYPE, NFT_K_ICMP_CODE, NFT_K_ICMP6_TYPE, NFT_K_ICMP6_CODE,
	NFT_K_CT_DIR, NFT_K_CT_STATUS, NFT_K_CT_STATE, NFT_K_CT_MARK, NFT_K_MARK,
	NFT_K_FIB_DADDR, NFT_K_FIB_SADDR, NFT_K_ARP_OP, NFT_K_ARP_SADDR, NFT_K_ARP_DADDR,
	NFT_K_IP_LSRR, NFT_K_IP_SSRR, NFT_K_IP_RR, NFT_K_IP6_ROUTE,
	NFT_K_IP_HDRLEN, NFT_K_IP_TTL, NFT_K_IP6_HOPLIMIT, NFT_K_IP_DSCP, NFT_K_IP6_DSCP,
	NFT_K_FIB_RPF, NFT_K_FIB_SROUTE, NFT_K_FIB_DROUTE, NFT_K_PROTOCOL, NFT_K_ND_TARGET,
	NFT_K_IP_LENGTH, NFT_K_IP6_LENGTH, NFT_K_IP_ID, NFT_K_IP6_FLOW, NFT_K_TCP_WINDOW,
	NFT_K_TCP_SEQ, NFT_K_TCP_ACK, NFT_K_SKUID, NFT_K_SKGID,
	NFT_K_CT_IP_DADDR, NFT_K_CT_IP6_DADDR, NFT_K_CT_DPORT,	/* before translation */
	NFT_K_IIFGROUP, NFT_K_OIFGROUP, NFT_K_PRIORITY,
	N_NFT_KEYS
};

/**
 * struct nft_value - A value of some type
 * @len:	Bytes that count
 * @b:		The bytes; numbers of host-order types in host order
 */
struct nft_value {
	uint8_t len;
	uint8_t b[NFT_VALUE_BYTES];
};

enum nft_family { NFT_INET, NFT_ARP, NFT_BRIDGE, N_NFT_FAMILIES };

/**
 * struct nft_elem - An element of a set
 * @key:	Its key; of a concatenation each value padded to 4 bytes; of a
 *		plain set the lowest value, and at NFT_VALUE_BYTES the highest
 * @data:	Maps: as @key
 * @chain:	Verdict maps: where to go
 * @comment:	Sanitised, or NULL
 * @origin:	Number of its rule's origin in the program, or NFT_NO_ORIGIN
 * @key_end:	Of a concatenation of ranges the highest values, else NULL
 */
struct nft_elem {
	uint8_t key[NFT_CONCAT_BYTES];
	uint8_t data[20];
	const char *chain;
	const char *comment;
	uint32_t origin;
	const uint8_t *key_end;
};

#define NFT_NO_ORIGIN	UINT32_MAX

/**
 * struct nft_set - A named set or map
 * @name:	Generated
 * @family:	Of its table
 * @keys:	Types of its key
 * @n_keys:	How many, 1..NFT_KEYS_MAX
 * @datas:	Types of its data
 * @n_datas:	How many; 0: a set, or a verdict map
 * @is_vmap:	Data are verdicts
 * @is_interval: Elements are ranges; a map of them has several keys
 * @is_counted:	Each element has a counter
 * @is_dynamic:	Filled by packets
 * @timeout_ms:	Of dynamic elements; 0: they stay
 * @size:	Most elements, 0 = not said
 * @elems:	Elements; none where a table of forwards says them:
 * @forwards:	It, or NULL; nft_each() makes an element of each port
 * @forwards_af: Its rows of this family
 * @forwards_dst: And with an outside address in this set; NULL: all
 * @forwards_origin: Number of its first origin in the program
 * @sources:	For comments then
 * @table:	Of a table's set: its name, else NULL
 * @comment:	Of a dynamic set what it remembers, of a table's set the table,
 *		sanitised; or NULL
 * @key_len:	Bytes of a key
 * @data_len:	Bytes of data
 */
struct nft_set {
	const char *name;
	enum nft_family family;
	enum nft_type keys[NFT_KEYS_MAX];
	enum nft_type datas[2];
	uint8_t n_keys;
	uint8_t n_datas;
	bool is_vmap;
	bool is_interval;
	bool is_counted;
	bool is_dynamic;
	uint64_t timeout_ms;
	uint32_t size;
	uint32_t key_len;
	uint32_t data_len;
	VEC(struct nft_elem) elems;
	const struct portmap *forwards;
	uint8_t forwards_af;
	const struct set *forwards_dst;
	uint32_t forwards_origin;
	struct sources *sources;
	const char *table;
	const char *comment;
};

enum nft_stmt_kind {
	NFT_S_MATCH, NFT_S_LOOKUP, NFT_S_DRAW, NFT_S_MARK, NFT_S_COUNTER, NFT_S_LOG, NFT_S_UPDATE,
	NFT_S_NAT, NFT_S_NAT_MAP, NFT_S_VMAP, NFT_S_VERDICT, NFT_S_REJECT, NFT_S_HASH,
	NFT_S_COUNT, NFT_S_HEADER, NFT_S_BEFORE, NFT_S_RATE,
	N_NFT_STMTS
};

enum nft_verdict { NFT_V_ACCEPT, NFT_V_DROP, NFT_V_RETURN, NFT_V_GOTO, NFT_V_JUMP };
enum nft_reject { NFT_R_ICMP, NFT_R_ICMP6, NFT_R_RST };

/*
 * NFT_S_MATCH: @key [& @mask] is (or is not, or is less than) @value, or within
 * @value/@prefix_len, or from @value to @mask
 */
struct nft_match {
	enum nft_key key;
	bool is_not;
	bool is_less;
	bool is_range;
	bool has_mask;
	uint8_t prefix_len;	/* 0: whole value */
	struct nft_value value;
	struct nft_value mask;
};

/* NFT_S_LOOKUP, NFT_S_VMAP, NFT_S_NAT_MAP, NFT_S_UPDATE: keys looked up in a set */
struct nft_lookup {
	enum nft_key keys[NFT_KEYS_MAX];
	uint8_t n_keys;
	bool is_not;
	const struct nft_set *set;
	uint32_t mask;		/* of a mark key in a verdict map, 0 = none */
	uint64_t timeout_ms;	/* NFT_S_UPDATE: of this element, 0 = the set's */
	uint32_t count_over;	/* NFT_S_UPDATE: true with more connections than this; 0 = none */
	uint32_t rate;		/* NFT_S_UPDATE: true with more packets than this in the unit */
	uint32_t burst;		/* NFT_S_UPDATE: and that many at once */
	uint64_t rate_unit;	/* NFT_S_UPDATE: seconds: 1, 60, 3600, 86400 */
	bool is_add;		/* NFT_S_UPDATE: an element that is there stays as it is */
	bool counts_any;	/* NFT_S_UPDATE: true with any connection: while there is one
				 * the element stays */
	bool counts_packets;	/* NFT_S_UPDATE: the element has a counter */
	bool is_dst;		/* NFT_S_NAT_MAP */
	uint8_t af;		/* NFT_S_NAT_MAP */
};

/* NFT_S_HEADER: what is written into a packet */
enum nft_header {
	NFT_H_TTL, NFT_H_HOPLIMIT, NFT_H_DSCP, NFT_H_DSCP6, NFT_H_NO_DF, NFT_H_MAXSEG
};

struct nft_write {
	enum nft_header what;
	uint16_t value;		/* of NFT_H_NO_DF: unused */
};

/* NFT_S_DRAW: every @mod-th time, or at random, one of @mod; or @below of @mod */
struct nft_draw {
	bool is_random;
	uint32_t mod;
	uint32_t below;		/* 0 = 1, as a test of equality */
};

/* NFT_S_HASH: the hash of a key is @is, of @mod */
struct nft_hash {
	enum nft_key key;
	uint32_t seed;
	uint32_t mod;
	uint32_t is;
};

/* NFT_S_MARK: mark = mark & @keep | @set */
struct nft_mark {
	enum nft_key key;	/* NFT_K_CT_MARK or NFT_K_MARK */
	uint32_t keep;
	uint32_t set;
};

/*
 * NFT_S_NAT: to @to (AF_NONE: as it is), but for its low @host_bits, which are
 * those of the address that it replaces; or to what the map @by (not NULL), of the
 * family of @to, has for that address; ports @lo..@hi (0: as they are)
 */
struct nft_nat {
	bool is_dst;
	struct addr to;
	const struct nft_set *by;
	uint8_t host_bits;
	uint16_t lo;
	uint16_t hi;
	bool is_random;
};

/* NFT_S_RATE: true with more packets than @n in @unit_s (1, 60, 3600 or 86400) */
struct nft_rate {
	uint32_t n;
	uint64_t unit_s;
};

/* NFT_S_LOG */
struct nft_log {
	uint16_t group;
	const char *prefix;
};

/* NFT_S_VERDICT and NFT_S_REJECT */
struct nft_decision {
	enum nft_verdict verdict;
	const char *chain;
	enum nft_reject reject;
	uint8_t code;
};

/**
 * struct nft_stmt - A statement of a rule
 * @kind:	Which; says which member counts
 */
struct nft_stmt {
	enum nft_stmt_kind kind;
	union {
		struct nft_match match;
		struct nft_lookup lookup;
		struct nft_draw draw;
		struct nft_hash hash;
		struct nft_mark mark;
		struct nft_log log;
		struct nft_nat nat;
		struct nft_decision decision;
		struct nft_write write;
		struct nft_rate rate;
		uint32_t count_over;	/* NFT_S_COUNT: true with more connections */
		uint64_t before_s;	/* NFT_S_BEFORE: true until then, seconds since 1970 */
	};
};

/** struct nft_stmts - Statements in order */
struct nft_stmts {
	VEC(struct nft_stmt) list;
};

/**
 * struct nft_rule - A rule of a chain
 * @stmts:	Statements in order
 * @comment:	Sanitised, or NULL
 * @origin:	Number of its origin in the program, or NFT_NO_ORIGIN
 * @packets:	Its counter begins with this
 * @bytes:	The same
 */
struct nft_rule {
	struct nft_stmts stmts;
	const char *comment;
	uint32_t origin;
	uint64_t packets;
	uint64_t bytes;
};

/**
 * struct nft_chain - A chain
 * @name:	Generated
 * @family:	Of its table
 * @type:	"filter" or "nat" for a base chain, else NULL
 * @hook:	Netfilter hook of a base chain
 * @prio:	Its priority
 * @rules:	Rules
 */
struct nft_chain {
	const char *name;
	enum nft_family family;
	const char *type;
	uint32_t hook;
	int32_t prio;
	VEC(struct nft_rule) rules;
};

/** struct nft_scope - Generated names count by themselves in each, 0: in none */
struct nft_scope {
	uint32_t hash;
	uint32_t n_names;
};

/**
 * struct nft_program - All tables
 * @a:		Memory
 * @tmp:	Memory for what is forgotten after each rule; @a when there is
 *		no other
 * @sources:	For FILE:LINE of comments
 * @options:	As given
 * @has_table:	Tables there are, by family
 * @chains:	Chains, base chains first in each table
 * @sets:	Sets and maps
 * @origins:	Whose rules they are
 * @origins_of:	Those of rules by what they are, those of tables apart
 * @sets_of:	Sets by content
 * @chains_of:	Chains by name
 * @grown:	Tables that rules fill, by number and family, [0] IPv4
 * @last_comment: Of the rule added last that had an origin, or NULL
 * @last_origin: Its origin
 * @scope:	Of generated names
 * @marks:	What its marks mean
 * @of:		Declarations that it was made from
 */
struct nft_program {
	struct arena *a;
	struct arena *tmp;
	struct sources *sources;
	struct nft_options options;
	bool has_table[N_NFT_FAMILIES];
	VEC(struct nft_chain *) chains;
	VEC(struct nft_set *) sets;
	VEC(struct origin) origins;
	struct hashed origins_of;
	struct hashed sets_of;
	struct hashed chains_of;
	const struct nft_set *grown[MODEL_GROWN][2];
	const char *last_comment;
	uint32_t last_origin;
	struct nft_scope scope;
	struct nft_marks marks;
	const struct model *of;
};

/**
 * struct nft_type_info - What is known of a data type
 * @name:	nft's name
 * @number:	nft's number, as set declarations carry it
 * @len:	Bytes
 * @is_host:	Host byte order
 * @print:	Print a value
 */
struct nft_type_info {
	const char *name;
	uint8_t number;
	uint8_t len;
	bool is_host;
	void (*print)(const uint8_t *b, uint32_t len, FILE *out);
};

extern const struct nft_type_info nft_types[N_NFT_TYPES];

/**
 * struct nft_key_info - What is known of a key
 * @text:	As nft text says it
 * @type:	Of its values
 * @load:	How it is loaded
 * @arg:	Meta or ct key, fib flags, or which option or extension header
 * @base:	Payload: header; extension header: of which protocol; fib: result; ct:
 *		1 for what the first packet had
 * @offset:	Payload: byte in the header
 * @mask:	Payload: the bits that count, none: all
 */
struct nft_key_info {
	const char *text;
	enum nft_type type;
	enum { NFT_L_META, NFT_L_CT, NFT_L_PAYLOAD, NFT_L_FIB, NFT_L_EXTHDR } load;
	uint32_t arg;
	uint32_t base;
	uint32_t offset;
	uint8_t mask[3];
};

extern const struct nft_key_info nft_keys[N_NFT_KEYS];

/** nft_program_init() - No tables yet; @p is of zeros, as an arena gives it */
void nft_program_init(struct nft_program *p, struct arena *a, struct sources *sources,
		      const struct nft_options *o);

/** nft_add_base() - A new base chain; @name is a literal of ours */
struct nft_chain *nft_add_base(struct nft_program *p, enum nft_family f, const char *name,
			       const char *type, uint32_t hook, int32_t prio);

/** nft_add_chain() - A new regular chain, named @what and a number */
struct nft_chain *nft_add_chain(struct nft_program *p, enum nft_family f, const char *what);

/** nft_add_named() - A new regular chain named @name, a literal of ours */
struct nft_chain *nft_add_named(struct nft_program *p, enum nft_family f, const char *name);

/**
 * nft_add_list() - A new regular chain for a list of rules, the same name for the same list
 * @p:		Program
 * @f:		Family of its table
 * @what:	Start of its name
 * @list:	Name of the list, the user's: only its hash goes into the name
 */
struct nft_chain *nft_add_list(struct nft_program *p, enum nft_family f, const char *what,
			       const char *list);

/** nft_enter() - Names from here on are of a chain's scope; the scope until now */
struct nft_scope nft_enter(struct nft_program *p, const struct nft_chain *c);

/**
 * nft_add_map() - A new, empty set or map, named @what and a number
 * @p:		Program
 * @f:		Family of its table
 * @what:	Start of its name
 * @keys:	Types of its key
 * @n_keys:	How many
 *
 * Return: the set; data types and flags are the caller's to set, then
 * nft_set_seal()
 */
struct nft_set *nft_add_map(struct nft_program *p, enum nft_family f, const char *what,
			    const enum nft_type *keys, uint8_t n_keys);

/**
 * nft_add_ranges() - A new, empty set or map of ranges
 *
 * As nft_add_map().  The name tells the key too: one of another kind is another set,
 * and can be there before the rules that ask it.
 */
struct nft_set *nft_add_ranges(struct nft_program *p, enum nft_family f, const char *what,
			       const enum nft_type *keys, uint8_t n_keys);

/**
 * nft_set_remembers() - Name a dynamic set by what it remembers
 * @p:		Program
 * @s:		Dynamic set
 * @what:	Start of its name
 * @comment:	What it remembers; sanitised, at most LIMIT_COMMENT_BYTES
 *
 * The same comment gives the same name whatever else the program holds, so
 * that what the kernel has remembered stays when the program is replaced.
 */
void nft_set_remembers(struct nft_program *p, struct nft_set *s, const char *what,
		       const char *comment);

/**
 * nft_grown_set() - The set of a table that rules fill, made once
 * @p:		Program
 * @m:		Model
 * @table:	Number in model.grown
 * @af:		Family
 *
 * It is named by the table's name and its content outlives a reload.
 */
const struct nft_set *nft_grown_set(struct nft_program *p, const struct model *m, uint32_t table,
				    uint8_t af);

typedef void nft_each_fn(const struct nft_elem *e, void *arg);

/** nft_each() - All elements of a set in order; each is gone when the next comes */
void nft_each(const struct nft_set *s, nft_each_fn *fn, void *arg);

/** struct nft_keys_seen - Keys of a set so far: open addressing, 0 = free, else number + 1 */
struct nft_keys_seen {
	uint32_t *slot;
	uint32_t n_slots;
};

/** nft_elem_once() - Add an element to a sealed set, unless its key is there already */
void nft_elem_once(struct arena *a, struct nft_keys_seen *seen, struct nft_set *s,
		   const struct nft_elem *e);

/** nft_forwards_size() - The declared size of a map of @n forwards */
uint32_t nft_forwards_size(uint32_t n);

/** nft_set_in() - The set that a statement looks at or fills, or NULL */
const struct nft_set *nft_set_in(const struct nft_stmt *s);

/** nft_forwards_count() - How many forwards a map of them has, in runs of its elements */
uint32_t nft_forwards_count(const struct nft_set *s);

/** nft_set_count() - How many elements a set has */
uint32_t nft_set_count(const struct nft_set *s);

/** nft_set_say_size() - The size of a map that has all its elements, which are no ranges */
void nft_set_say_size(struct nft_set *s);

/** nft_set_seal() - Work out lengths, and the size of a map that has all its elements */
void nft_set_seal(struct nft_set *s);

/**
 * nft_set_of() - The set that holds some numbers, made once; of a table one of its own
 * @p:		Program
 * @f:		Family of its table
 * @type:	Type of its elements
 * @s:		Numbers; all of one family where they are addresses
 *
 * Return: the set
 */
const struct nft_set *nft_set_of(struct nft_program *p, enum nft_family f, enum nft_type type,
				 const struct set *s);

/** nft_set_of_names() - The set of some interfaces' Linux names, made once */
const struct nft_set *nft_set_of_names(struct nft_program *p, enum nft_family f,
				       const char *const *names, uint32_t n);

/** nft_value_num() - A number as a value of a type */
struct nft_value nft_value_num(enum nft_type type, u128 v);

/** nft_value_name() - An interface's name, at most LIMIT_IFNAME_BYTES */
struct nft_value nft_value_name(const char *name);

/**
 * nft_add_rule() - A rule at the end of a chain
 * @p:		Program
 * @c:		Chain
 * @stmts:	Its statements; copied
 * @origin:	Whose rule, or NULL for nobody's
 */
void nft_add_rule(struct nft_program *p, struct nft_chain *c, const struct nft_stmts *stmts,
		  const struct origin *origin);

/** nft_origin() - The number of an origin, the same for the same place and text */
uint32_t nft_origin(struct nft_program *p, const struct origin *o);

/**
 * struct nft_comment_text - A comment, and what the next may have in common with it
 * @s:		With its NUL
 * @src:	The source that it names first, 0: none
 * @head:	Length of that name
 */
struct nft_comment_text {
	char s[LIMIT_COMMENT_BYTES + 1];
	uint32_t src;
	size_t head;
};

/**
 * nft_comment_write() - As nft_comment(), into a buffer
 * @sources:	Where the origin's place is; may be NULL where it has none
 * @o:		Origin
 * @c:		Set; all zero, or what the last call with the same sources made
 *
 * Return: length, 0: there is nothing to say
 */
size_t nft_comment_write(struct sources *sources, const struct origin *o,
			 struct nft_comment_text *c);

/**
 * struct nft_row_elem - The element that a row's port becomes, of which rows share most
 * @s:		Map; the rest is zero at first
 * @e:		Element
 * @port_at:	Where the port is in its key
 * @data_at:	And in its data
 * @last:	Row that it was made of, or NULL
 * @comment:	Of @e
 */
struct nft_row_elem {
	const struct nft_set *s;
	struct nft_elem e;
	uint32_t port_at;
	uint32_t data_at;
	const struct portmap_row *last;
	struct nft_comment_text comment;
};

/** nft_row_elem() - The element of a port of a row; gone when the next is made */
const struct nft_elem *nft_row_elem(struct nft_row_elem *x, const struct portmap_row *r,
				    uint16_t port);

/**
 * nft_field_put() - Write a field of a concatenation
 * @to:		Concatenation
 * @at:		Where the field begins
 * @type:	Its type
 * @v:		Its value
 *
 * Return: where the next one begins
 */
uint32_t nft_field_put(uint8_t *to, uint32_t at, enum nft_type type, u128 v);

/** nft_forward_key() - A forward's place into @key, of NFT_CONCAT_BYTES; its length */
uint32_t nft_forward_key(uint8_t *key, uint8_t proto, struct addr outside, uint16_t port);

/** nft_forward_data() - Where a forward leads into @data, as long as an element's; its length */
uint32_t nft_forward_data(uint8_t *data, struct addr inside, uint16_t port);

/** nft_row_is_in() - Is a row of a map's table one of the map */
bool nft_row_is_in(const struct nft_set *s, const struct portmap_row *r);

/**
 * nft_comment() - "FILE:LINE text" of an origin, fit for nft
 * @p:		Program
 * @o:		Origin
 *
 * Quotes, backslashes, control characters and what is not ASCII become `?`; at
 * most LIMIT_COMMENT_BYTES.
 *
 * Return: the comment, or NULL for an origin that says nothing
 */
const char *nft_comment(struct nft_program *p, const struct origin *o);

/**
 * nft_chain_number() - The number of a chain in a program
 * @p:		Program
 * @f:		Family
 * @name:	Its name
 *
 * Return: index in chains, or UINT32_MAX if there is none; O(1)
 */
uint32_t nft_chain_number(const struct nft_program *p, enum nft_family f, const char *name);

/**
 * nft_check_depth() - Does the kernel take chains that lead so far
 * @p:		Program
 * @d:		Told if not
 * @what:	What leads on, in the plural
 */
bool nft_check_depth(struct nft_program *p, struct diags *d, const char *what);

/** nft_sanitise() - @text fit for nft: as nft_comment() does, without the place */
const char *nft_sanitise(struct nft_program *p, const char *text);

/** nft_forget() - Nothing in @tmp is needed any more; it stays in the cache for the next rule */
void nft_forget(struct nft_program *p);

/* Statements, added at the end of a list, in @tmp */
void stmt_match(struct nft_program *p, struct nft_stmts *s, enum nft_key key, bool is_not,
		struct nft_value v);
void stmt_prefix(struct nft_program *p, struct nft_stmts *s, enum nft_key key, bool is_not,
		 struct prefix v);
void stmt_range(struct nft_program *p, struct nft_stmts *s, enum nft_key key,
		const struct range *r);
void stmt_masked(struct nft_program *p, struct nft_stmts *s, enum nft_key key, uint32_t mask,
		 uint32_t value, bool is_not);
void stmt_in(struct nft_program *p, struct nft_stmts *s, enum nft_key key, bool is_not,
	     const struct nft_set *set);
void stmt_mark(struct nft_program *p, struct nft_stmts *s, enum nft_key key, uint32_t keep,
	       uint32_t set);
void stmt_verdict(struct nft_program *p, struct nft_stmts *s, enum nft_verdict v,
		  const char *chain);
void stmt_reject(struct nft_program *p, struct nft_stmts *s, enum nft_reject r, uint8_t code);
void stmt_counter(struct nft_program *p, struct nft_stmts *s);
void stmt_add(struct nft_program *p, struct nft_stmts *s, const struct nft_stmt *st);
void stmts_append(struct nft_program *p, struct nft_stmts *to, const struct nft_stmts *from);

/** nft_family_name() - "inet", "arp" or "bridge" */
const char *nft_family_name(enum nft_family f);

/** nft_family_number() - NFPROTO_INET and the like */
uint8_t nft_family_number(enum nft_family f);

#endif /* TARGET_NFT_PROGRAM_H */
