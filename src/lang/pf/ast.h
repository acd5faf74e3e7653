/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ast - pf.conf as written: statements with their places
 *
 * Lists are kept as lists and names as names; nothing is resolved here.
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 know the host.
 */
#ifndef LANG_PF_AST_H
#define LANG_PF_AST_H

#include "lang/lang.h"
#include "lang/pf.h"
#include "lang/pf/words.h"

/**
 * struct pf_macro - A macro
 * @name:	Its name
 * @text:	Its value
 * @len:	Bytes of @text
 * @def:	The value in its file, quotes excluded, where the bytes are the
 *		same; else SPAN_NONE
 * @is_fixed:	From -D: the file does not change it
 */
struct pf_macro {
	const char *name;
	const char *text;
	uint32_t len;
	struct span def;
	bool is_fixed;
};

/**
 * struct pf_use - A macro in use
 * @macro:	As it was defined then
 * @at:		The "$name" in its file
 * @src:	Its source, 0 until something needs one
 */
struct pf_use {
	const struct pf_macro *macro;
	struct span at;
	uint32_t src;
};

/*
 * A span within a macro's value has PF_VIRTUAL and the number of the use for
 * its source.  Only pf_span() makes a real source of it, so a file may use a
 * macro in each of 100,000 rules and costs no source as long as nothing is
 * said about them.
 */
#define PF_VIRTUAL	0x80000000u

/** struct pf_uses - All uses of macros */
struct pf_uses {
	VEC(struct pf_use) list;
};

/**
 * struct pf_iface - "em0", "!em0", "any"
 * @name:	Interned name, NULL for any
 * @is_not:	All others
 * @at:		Place
 */
struct pf_iface {
	const char *name;
	bool is_not;
	struct span at;
};

/**
 * enum pf_host_kind - What an address is written as
 * @PH_ANY:	"any"
 * @PH_ADDR:	An address or prefix
 * @PH_RANGE:	"a - b"
 * @PH_NAME:	An interface, a group or "self": its addresses
 * @PH_DYNAMIC:	"(if)": the same, allowed to have none
 * @PH_TABLE:	"<t>"
 * @PH_NOROUTE:	"no-route"
 * @PH_URPF:	"urpf-failed"
 */
enum pf_host_kind {
	PH_ANY, PH_ADDR, PH_RANGE, PH_NAME, PH_DYNAMIC, PH_TABLE, PH_NOROUTE, PH_URPF
};

#define PHM_NETWORK	0x1u
#define PHM_BROADCAST	0x2u
#define PHM_PEER	0x4u
#define PHM_FIRST	0x8u	/* ":0" */

/**
 * struct pf_host - An address as written
 * @kind:	What it is
 * @is_not:	All others
 * @mods:	Of PH_NAME and PH_DYNAMIC: PHM_*
 * @len:	Of PH_NAME and PH_DYNAMIC: length given with it, or -1
 * @at:		Place
 * @name:	Of the interface or table; of an address with scope: the scope
 * @p:		Of PH_ADDR; of PH_RANGE: the first
 * @hi:		Of PH_RANGE: the last
 */
struct pf_host {
	enum pf_host_kind kind;
	bool is_not;
	uint8_t mods;
	int16_t len;
	struct span at;
	const char *name;
	struct prefix p;
	struct addr hi;
};

/** enum pf_port_op - How a port is compared */
enum pf_port_op { PP_EQ, PP_NE, PP_LT, PP_LE, PP_GT, PP_GE, PP_RANGE, PP_INSIDE, PP_OUTSIDE };

/** struct pf_port - A test of a port; @hi is of the last three */
struct pf_port {
	enum pf_port_op op;
	uint16_t lo;
	uint16_t hi;
	struct span at;
};

/** struct pf_proto - A protocol */
struct pf_proto {
	uint8_t number;
	struct span at;
};

/** struct pf_icmp - An ICMP type; @code is -1 for all */
struct pf_icmp {
	uint8_t type;
	int16_t code;
	struct span at;
};

/** PF_LIST() - Items of a list, exactly as many as there are */
#define PF_LIST(type) \
	struct { \
		type *v; \
		uint32_t n; \
	}

/** struct pf_hosts - A list of addresses */
struct pf_hosts {
	struct pf_host *v;
	uint32_t n;
};

/**
 * struct pf_side - "from" or "to"
 * @hosts:	None: any
 * @ports:	None: any
 * @ports_at:	The word "port"
 */
struct pf_side {
	struct pf_hosts hosts;
	PF_LIST(struct pf_port) ports;
	struct span ports_at;
};

enum pf_action {
	PA_PASS, PA_BLOCK, PA_MATCH, PA_NAT, PA_RDR, PA_BINAT, PA_SCRUB, PA_ANTISPOOF, PA_ANCHOR
};
enum pf_refusal { PR_DROP, PR_RETURN, PR_RST, PR_ICMP };
enum pf_keep { PK_DEFAULT, PK_NO, PK_KEEP };
enum pf_state_kind { PSK_KEEP, PSK_MODULATE, PSK_SYNPROXY };
enum pf_pool { PO_DEFAULT, PO_ROUND_ROBIN, PO_RANDOM, PO_BITMASK, PO_SOURCE_HASH };
enum pf_anchor_kind { PAK_FILTER, PAK_NAT, PAK_RDR, PAK_BINAT };

/** struct pf_id - A test of a user's or group's number, by its name too, or of "unknown" */
struct pf_id {
	enum pf_port_op op;
	uint32_t lo;
	uint32_t hi;
	bool is_unknown;
	bool is_named;
	struct span at;
};

/** struct pf_os - A fingerprint's name, as "Linux 2.6" */
struct pf_os {
	const char *name;
	struct span at;
};

/** struct pf_later - Something of a rule that only the text forms carry */
struct pf_later {
	const char *what;
	struct span at;
};

/**
 * struct pf_target - "-> ..." of nat and rdr
 * @at:		All of it
 * @hosts:	Addresses
 * @has_port:	"port" follows
 * @port_lo:	First port
 * @port_hi:	Last port
 * @is_open:	"port N:*"
 * @is_static:	static-port
 * @is_sticky:	sticky-address
 * @is_independent: endpoint-independent
 * @has_map_e:	map-e-portset
 * @map_e:	Its three numbers
 * @pool:	round-robin, random, ...
 * @hash_key:	Of source-hash, or NULL
 * @ifaces:	Of route-to: the interface of each host, NULL for none
 */
struct pf_target {
	struct span at;
	struct pf_hosts hosts;
	bool has_port;
	uint16_t port_lo;
	uint16_t port_hi;
	bool is_open;
	bool is_static;
	bool is_sticky;
	bool is_independent;
	bool has_map_e;
	uint8_t map_e[3];
	enum pf_pool pool;
	const char *hash_key;
	const char **ifaces;
};

/** enum pf_timeout - Timeouts in the order of the kernel, which prints them so */
enum pf_timeout {
	PTM_TCP_FIRST, PTM_TCP_OPENING, PTM_TCP_ESTABLISHED, PTM_TCP_CLOSING, PTM_TCP_FINWAIT,
	PTM_TCP_CLOSED, PTM_SCTP_FIRST, PTM_SCTP_OPENING, PTM_SCTP_ESTABLISHED,
	PTM_SCTP_CLOSING, PTM_SCTP_CLOSED, PTM_UDP_FIRST, PTM_UDP_SINGLE, PTM_UDP_MULTIPLE,
	PTM_ICMP_FIRST, PTM_ICMP_ERROR, PTM_OTHER_FIRST, PTM_OTHER_SINGLE, PTM_OTHER_MULTIPLE,
	PTM_FRAG, PTM_INTERVAL, PTM_ADAPTIVE_START, PTM_ADAPTIVE_END, PTM_SRC_TRACK,
	PTM_TCP_TSDIFF, PTM_N
};

#define PF_LIMITS	7	/* names of set limit */

/** pf_timeout_names - By enum pf_timeout, NULL after the last */
extern const char *const pf_timeout_names[];

/**
 * struct pf_state_opts - "(max 100, ...)" behind keep state
 * @max:	Numbers, 0 = not given
 * @max_src_states: As @max
 * @max_src_nodes: As @max
 * @max_src_conn: As @max
 * @rate_limit:	Of max-src-conn-rate
 * @rate_seconds: As @rate_limit
 * @overload:	Table, or NULL
 * @flush:	flush; 2: flush global
 * @track:	source-track: 0 none, 1 global, 2 rule
 * @is_global:	"global" is written
 * @no_sync:	Words that are there
 * @sloppy:	As @no_sync
 * @pflow:	As @no_sync
 * @allow_related: As @no_sync
 * @bound:	if-bound 1, floating 2
 * @timeout:	By enum pf_timeout, 0 = not given
 */
struct pf_state_opts {
	uint32_t max;
	uint32_t max_src_states;
	uint32_t max_src_nodes;
	uint32_t max_src_conn;
	uint32_t rate_limit;
	uint32_t rate_seconds;
	const char *overload;
	uint8_t flush;
	uint8_t track;
	bool is_global;
	bool no_sync;
	bool sloppy;
	bool pflow;
	bool allow_related;
	uint8_t bound;
	uint32_t timeout[PTM_N];
};

/**
 * struct pf_scrub_opts - What scrub, and "scrub (...)" on a rule, changes
 * @no_df:	Words that are there
 * @random_id:	As @no_df
 * @reassemble_tcp: As @no_df
 * @no_reassemble: fragment no reassemble
 * @min_ttl:	0 = none
 * @max_mss:	0 = none
 * @set_tos:	-1 = none
 */
struct pf_scrub_opts {
	bool no_df;
	bool random_id;
	bool reassemble_tcp;
	bool no_reassemble;
	uint8_t min_ttl;
	uint16_t max_mss;
	int16_t set_tos;
};

/**
 * struct pf_rule_opts - What few rules have
 * @log_all:	log (all)
 * @log_user:	log (user)
 * @log_matches: log (matches)
 * @log_if:	log (to pflogN), or -1
 * @return_ttl:	Of return-rst, or 0
 * @route:	PW_ROUTE_TO, PW_REPLY_TO, PW_DUP_TO, or PW_NONE
 * @route_to:	Where to
 * @prefer_ipv6_nexthop: That word
 * @oses:	os
 * @users:	user
 * @groups:	group
 * @state_kind:	keep, modulate, synproxy
 * @state:	State options, or NULL
 * @if_bound:	set state-policy if-bound was in force
 * @prio:	-1 = none
 * @set_prio:	-1 = none
 * @tos:	-1 = none
 * @scrub:	Of scrub rules and "scrub (...)"
 * @has_scrub:	It is there
 * @fragment:	Words that are there
 * @allow_opts:	As @fragment
 * @once:	As @fragment
 * @labels:	Labels
 * @n_labels:	How many
 * @ridentifier: 0 = none
 * @queue:	And @pqueue: queue names
 * @pqueue:	As @queue
 * @dn:		dnpipe, dnqueue or PW_NONE
 * @dn_no:	Their numbers, the second 0 for none
 * @tag:	Or NULL
 * @tagged:	Or NULL
 * @not_tagged:	! tagged
 * @probability: Percent, negative = none
 * @rtable:	-1 = none
 * @divert_port: 0 = none
 * @received_on: Or NULL
 * @not_received: ! received-on
 * @received_at: Place of that interface
 * @pkt_rate:	max-pkt-rate: limit and seconds
 * @max_pkt_size: 0 = none
 * @nat_to:	And the others: NULL = none
 * @rdr_to:	As @nat_to
 * @binat_to:	As @nat_to
 * @af_to:	Family, or AF_NONE
 * @af_from:	af-to: from
 * @af_dst:	af-to: to, or NULL
 * @limiters:	"state limiter ..." and "source limiter ...", as printed, or NULL
 * @later:	What of this lowering does not know
 */
struct pf_rule_opts {
	bool log_all;
	bool log_user;
	bool log_matches;
	int16_t log_if;
	uint8_t return_ttl;
	enum pf_word route;
	struct pf_target *route_to;
	bool prefer_ipv6_nexthop;
	PF_LIST(struct pf_os) oses;
	PF_LIST(struct pf_id) users;
	PF_LIST(struct pf_id) groups;
	enum pf_state_kind state_kind;
	struct pf_state_opts *state;
	bool if_bound;
	int8_t prio;
	int8_t set_prio[2];
	int16_t tos;
	struct pf_scrub_opts scrub;
	bool has_scrub;
	bool fragment;
	bool allow_opts;
	bool once;
	const char **labels;
	uint32_t n_labels;
	uint32_t ridentifier;
	const char *queue;
	const char *pqueue;
	enum pf_word dn;
	uint32_t dn_no[2];
	const char *tag;
	const char *tagged;
	bool not_tagged;
	double probability;
	int32_t rtable;
	uint16_t divert_port;
	const char *received_on;
	bool not_received;
	struct span received_at;
	uint32_t pkt_rate[2];
	uint32_t max_pkt_size;
	struct pf_target *nat_to;
	struct pf_target *rdr_to;
	struct pf_target *binat_to;
	uint8_t af_to;
	struct pf_target *af_from;
	struct pf_target *af_dst;
	const char *limiters;
	PF_LIST(struct pf_later) later;
};

extern const struct pf_rule_opts pf_no_opts;	/* those of a rule that has none */

struct pf_stmt;

/**
 * struct pf_anchor - What an anchor statement calls
 * @kind:	filter, nat, rdr or binat
 * @name:	As written, or NULL
 * @is_inline:	A block in braces follows
 * @stmts:	Its statements
 * @n_stmts:	How many
 */
struct pf_anchor {
	enum pf_anchor_kind kind;
	const char *name;
	bool is_inline;
	struct pf_stmt *stmts;
	uint32_t n_stmts;
};

/**
 * struct pf_rule - Any rule
 * @action:	What kind
 * @is_no:	"no nat", "no rdr", "no scrub"
 * @is_pass:	"nat pass", "rdr pass"
 * @is_log:	log
 * @is_quick:	quick
 * @is_list:	antispoof: for a list of interfaces
 * @dir:	enum direction, or -1
 * @refusal:	Of block
 * @refusal_at:	The word that says so
 * @icmp4:	Of block return-icmp: type << 8 | code
 * @icmp6:	The same for IPv6
 * @af:		inet, inet6 or AF_NONE
 * @af_at:	That word
 * @ifaces:	on; none: any
 * @protos:	None: any
 * @from:	Source
 * @to:		Destination
 * @has_flags:	"flags" is there
 * @flags:	Flags that are set
 * @flag_mask:	Of these; 0 = any
 * @flags_at:	That word
 * @icmps:	ICMP types
 * @icmp_is_v6:	They are icmp6-type
 * @icmp_at:	That word
 * @keep:	State
 * @keep_at:	Those words
 * @target:	Of nat and rdr, NULL for none
 * @antispoof:	Interfaces of antispoof: PH_NAME or PH_DYNAMIC
 * @anchor:	Of anchors
 * @o:		What few rules have; never NULL, shared by those that have none
 */
struct pf_rule {
	enum pf_action action;
	bool is_no;
	bool is_pass;
	bool is_log;
	bool is_quick;
	int8_t dir;
	enum pf_refusal refusal;
	struct span refusal_at;
	int32_t icmp4;
	int32_t icmp6;
	uint8_t af;
	struct span af_at;
	PF_LIST(struct pf_iface) ifaces;
	PF_LIST(struct pf_proto) protos;
	struct pf_side from;
	struct pf_side to;
	bool has_flags;
	uint8_t flags;
	uint8_t flag_mask;
	struct span flags_at;
	PF_LIST(struct pf_icmp) icmps;
	bool icmp_is_v6;
	struct span icmp_at;
	enum pf_keep keep;
	struct span keep_at;
	struct pf_target *target;
	struct pf_hosts antispoof;
	struct pf_anchor *anchor;
	const struct pf_rule_opts *o;
};

/**
 * struct pf_table_part - "{ ... }" or a file, in the order written
 * @file:	Its name, or NULL
 * @at:		Of the file's name
 * @n_hosts:	How many of the table's hosts stand in these braces
 */
struct pf_table_part {
	const char *file;
	struct span at;
	uint32_t n_hosts;
};

/**
 * struct pf_table - "table <t> { ... }"
 * @name:	Interned
 * @at:		Its name
 * @has_list:	Addresses in braces are there
 * @is_persist:	Words that are there
 * @is_const:	As @is_persist
 * @has_counters: As @is_persist
 * @parts:	Braces and files
 * @hosts:	All addresses
 */
struct pf_table {
	const char *name;
	struct span at;
	bool has_list;
	bool is_persist;
	bool is_const;
	bool has_counters;
	PF_LIST(struct pf_table_part) parts;
	struct pf_hosts hosts;
};

/** struct pf_skip - "set skip on ..." */
struct pf_skip {
	PF_LIST(struct pf_iface) ifaces;
};

/** struct pf_load - "load anchor ... from ..." */
struct pf_load {
	const char *anchor;
	const char *path;
	struct span at;
};

/**
 * struct pf_echo - What only the normal form says: options, macros, queues
 * @text:	Its lines
 * @later:	What of it lowering does not know, or NULL
 * @at:		Where that stands
 */
struct pf_echo {
	const char *text;
	const char *later;
	struct span at;
};

enum pf_stmt_kind { PS_RULE, PS_TABLE, PS_SKIP, PS_ECHO, PS_LOAD };

/**
 * struct pf_stmt - A statement
 * @kind:	Which of the pointers
 * @at:		In its file, from the first word to the last
 */
struct pf_stmt {
	enum pf_stmt_kind kind;
	struct span at;
	union {
		struct pf_rule *rule;
		struct pf_table *table;
		struct pf_skip *skip;
		struct pf_echo *echo;
		struct pf_load *load;
	};
};

/**
 * struct pf_file - A ruleset: the files of one pf_parse(), and all they include
 * @stmts:	In order
 * @macros:	By interned name, the last definition each
 * @uses:	Of macros; a pointer, because saying something of a parsed file
 *		makes sources
 * @timeout:	set timeout, by enum pf_timeout, 0 = not given
 * @limit:	set limit, in the order of its names, 0 = not given
 */
struct pf_file {
	VEC(struct pf_stmt) stmts;
	VEC(struct pf_macro *) macros;
	struct pf_uses *uses;
	uint32_t timeout[PTM_N];
	uint32_t limit[PF_LIMITS];
};

/** pf_span() - A span as everybody else reads it; makes a source for a macro's use */
struct span pf_span(struct lang_ctx *c, const struct pf_file *f, struct span at);

/** pf_diag() - diag_add() at a span of the AST */
#define pf_diag(c, f, code, at, ...) \
	diag_add((c)->diags, DIAG_##code, pf_span((c), (f), (at)), __VA_ARGS__)

/** pf_scrub_changes() - Does a scrub statement change headers */
bool pf_scrub_changes(const struct pf_scrub_opts *o);

/** pf_stmt_text() - A statement in one line, as written, blanks squeezed */
const char *pf_stmt_text(struct lang_ctx *c, struct span at);

#endif /* LANG_PF_AST_H */
