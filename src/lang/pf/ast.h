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
 */
enum pf_host_kind { PH_ANY, PH_ADDR, PH_RANGE, PH_NAME, PH_DYNAMIC, PH_TABLE };

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

enum pf_action { PA_PASS, PA_BLOCK, PA_NAT, PA_RDR, PA_SCRUB, PA_ANTISPOOF };
enum pf_refusal { PR_DROP, PR_RETURN, PR_RST, PR_ICMP };
enum pf_keep { PK_DEFAULT, PK_NO, PK_KEEP };
enum pf_pool { PO_DEFAULT, PO_ROUND_ROBIN, PO_RANDOM };

/**
 * struct pf_target - "-> ..." of nat and rdr
 * @at:		All of it
 * @hosts:	Addresses
 * @has_port:	"port" follows
 * @port_lo:	First port
 * @port_hi:	Last port
 * @is_open:	"port N:*"
 * @is_static:	static-port
 * @pool:	round-robin, random
 */
struct pf_target {
	struct span at;
	struct pf_hosts hosts;
	bool has_port;
	uint16_t port_lo;
	uint16_t port_hi;
	bool is_open;
	bool is_static;
	enum pf_pool pool;
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
};

/**
 * struct pf_table - "table <t> { ... }"
 * @name:	Interned
 * @at:		Its name
 * @has_list:	Addresses in braces are there
 * @hosts:	They
 */
struct pf_table {
	const char *name;
	struct span at;
	bool has_list;
	struct pf_hosts hosts;
};

/** struct pf_skip - "set skip on ..." */
struct pf_skip {
	PF_LIST(struct pf_iface) ifaces;
};

enum pf_stmt_kind { PS_RULE, PS_TABLE, PS_SKIP };

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
	};
};

/**
 * struct pf_file - A ruleset: the files of one pf_parse(), and all they include
 * @stmts:	In order
 * @macros:	By interned name, the last definition each
 * @uses:	Of macros; a pointer, because saying something of a parsed file
 *		makes sources
 */
struct pf_file {
	VEC(struct pf_stmt) stmts;
	VEC(struct pf_macro *) macros;
	struct pf_uses *uses;
};

/** pf_span() - A span as everybody else reads it; makes a source for a macro's use */
struct span pf_span(struct lang_ctx *c, const struct pf_file *f, struct span at);

/** pf_diag() - diag_add() at a span of the AST */
#define pf_diag(c, f, code, at, ...) \
	diag_add((c)->diags, DIAG_##code, pf_span((c), (f), (at)), __VA_ARGS__)

/** pf_stmt_text() - A statement in one line, as written, blanks squeezed */
const char *pf_stmt_text(struct lang_ctx *c, struct span at);

#endif /* LANG_PF_AST_H */
