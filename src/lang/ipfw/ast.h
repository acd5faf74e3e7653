/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ast - a ruleset of ipfw as parsed
 *
 * A rule is an action, and tests in the order written ("instructions", as the
 * kernel has them): each stands alone or is joined by `or` to the next.  Sets of
 * numbers are sets already, and each test keeps its canonical text, so that
 * printing needs no second table.
 *
 * Owns:	 nothing; lives in the arena.
 */
#ifndef LANG_IPFW_AST_H
#define LANG_IPFW_AST_H

#include "lang/ipfw.h"
#include "lang/ipfw/words.h"
#include "model/model.h"
#include "net/set.h"

#define IPFW_DEFAULT_RULE	65535u
#define IPFW_STEP		100u	/* net.inet.ip.fw.autoinc_step */
#define IPFW_SET_DEFAULT	31u
#define IPFW_TAG_MAX		65534u
#define IPFW_TABLEARG		UINT32_MAX	/* in place of a number */

/** enum insn_kind - What a test looks at */
enum insn_kind {
	INSN_ANY,		/* matches everything */
	INSN_AF,		/* @set: AF_V4, AF_V6 */
	INSN_PROTO,		/* @set: protocols */
	INSN_ADDR,		/* @set: addresses */
	INSN_ME,		/* an address of the host; @set: families, or NULL */
	INSN_PORT,		/* @set: ports */
	INSN_TABLE,		/* @table, looked up by @key */
	INSN_DIR,		/* @set: directions */
	INSN_VIA,		/* @iface */
	INSN_RECV,		/* @iface */
	INSN_XMIT,		/* @iface */
	INSN_TCPFLAGS,		/* @set: flag bytes */
	INSN_ICMP,		/* @set: types */
	INSN_ICMP6,		/* @set: types */
	INSN_TAGGED,		/* @set: tags */
	INSN_FLOW,		/* @table */
	INSN_ANTISPOOF, INSN_VERREVPATH, INSN_VERSRCREACH,
	INSN_FRAG,
	INSN_IPOPTIONS,		/* @set: masks of options */
	INSN_TOS,		/* @set: types of service of IPv4 */
	INSN_DSCP,		/* @set: the same, and traffic classes of IPv6 */
	INSN_HEAD,		/* @set: numbers of @head */
};

/** enum insn_part - Where a test is written */
enum insn_part {
	PART_PROTO, PART_SRC, PART_SPORT, PART_DST, PART_DPORT, PART_OPTION
};

/** enum lookup_key - What a table is looked up by */
enum lookup_key { KEY_SRC, KEY_DST, KEY_SPORT, KEY_DPORT, KEY_IFACE, KEY_PROTO };

/**
 * struct ipfw_table_ref - table(NAME[,VALUE])
 * @name:	Interned; NULL: no table
 * @has_value:	Only entries with value @value
 * @value:	See @has_value
 */
struct ipfw_table_ref {
	const char *name;
	bool has_value;
	uint32_t value;
};

/**
 * struct ipfw_insn - A test
 * @kind:	What it looks at
 * @part:	Where it is written
 * @is_not:	The opposite
 * @is_dst:	Of the destination, not of the source (address, port)
 * @or_next:	Or the next one
 * @set:	See @kind
 * @table:	See @kind
 * @key:	INSN_TABLE
 * @head:	INSN_HEAD
 * @iface:	Name or pattern, interned; NULL: see @iface_addr, @table
 * @iface_addr:	The interface that has this address
 * @at:		Its words
 * @text:	Canonical, without "not"
 */
struct ipfw_insn {
	enum insn_kind kind;
	enum insn_part part;
	bool is_not;
	bool is_dst;
	bool or_next;
	const struct set *set;
	struct ipfw_table_ref table;
	enum lookup_key key;
	enum head head;
	const char *iface;
	struct addr iface_addr;
	struct span at;
	const char *text;
};

/**
 * struct ipfw_tag_op - tag N, untag N
 * @tag:	Number
 * @is_un:	untag
 * @at:		Its words
 */
struct ipfw_tag_op {
	uint32_t tag;
	bool is_un;
	struct span at;
};

/**
 * struct ipfw_state - keep-state and the like
 * @word:	IW_NONE, IW_KEEP_STATE, IW_LIMIT, IW_RECORD_STATE, IW_SET_LIMIT
 * @name:	Interned, without colon
 * @by:		LIMIT_* flags
 * @limit:	Most states, for limit and set-limit
 * @at:		Its words
 */
struct ipfw_state {
	enum iw word;
	const char *name;
	uint8_t by;
	uint32_t limit;
	struct span at;
};

/**
 * struct ipfw_rule - A rule
 * @number:	1..65534
 * @set:	0..31
 * @prob:	Of PROB_ONE; 0: always
 * @prob_text:	As printed
 * @action:	What it does
 * @arg:	Of skipto, call, nat: number or IPFW_TABLEARG; nat global: 0;
 *		of unreach: code
 * @state_name:	check-state: interned name; NULL: any
 * @log:	Logs
 * @logamount:	Or -1
 * @tags:	tag and untag, in order
 * @insns:	Tests
 * @state:	keep-state and the like
 * @is_deferred: defer-immediate-action: only its states act
 * @is_bare:	Has options only: no protocol, from, to
 * @comment:	After "//", or NULL
 * @text:	As `ipfw list` prints it, number included
 * @at:		The command, in its file
 * @arg_at:	Place of @arg
 */
struct ipfw_rule {
	uint32_t number;
	uint32_t set;
	uint32_t prob;
	const char *prob_text;
	enum iw action;
	uint32_t arg;
	const char *state_name;
	bool log;
	int64_t logamount;
	VEC(struct ipfw_tag_op) tags;
	VEC(struct ipfw_insn) insns;
	struct ipfw_state state;
	bool is_deferred;
	bool is_bare;
	const char *comment;
	const char *text;
	struct span at;
	struct span arg_at;
};

/**
 * struct ipfw_entry - An entry of a table
 * @addrs:	addr: the prefix as a range of addresses; flow: source
 * @len:	addr: length of the prefix
 * @iface:	iface: interned name
 * @number:	number: the key
 * @dst:	flow: destination
 * @proto:	flow: protocol or -1
 * @sport:	flow: source port or -1
 * @dport:	flow: destination port or -1
 * @value:	Value
 * @key_text:	Canonical
 * @value_text:	As written, or NULL
 * @at:		The key
 */
struct ipfw_entry {
	struct prefix addrs;
	const char *iface;
	uint32_t number;
	struct prefix dst;
	int32_t proto;
	int32_t sport;
	int32_t dport;
	uint32_t value;
	const char *key_text;
	const char *value_text;
	struct span at;
};

/** struct ipfw_table - A table; @type is IW_K_*, IW_NONE before the first entry */
struct ipfw_table {
	const char *name;
	enum iw type;
	const char *flow_keys;
	const char *valtype;	/* as written, or NULL */
	VEC(struct ipfw_entry) entries;
	struct span at;
};

/**
 * struct ipfw_nat - A nat instance
 * @number:	1..65535
 * @iface:	Interned name, or NULL
 * @ip:		Address, or AF_NONE
 * @flags:	Bit per enum iw from IW_N_IP on
 * @lo:		port_range, or 0
 * @hi:		See @lo
 * @redirects:	In the order written
 * @texts:	Their canonical texts
 * @at:		The command
 * @iface_at:	The interface's name
 */
struct ipfw_nat {
	uint32_t number;
	const char *iface;
	struct addr ip;
	uint32_t flags;
	uint16_t lo;
	uint16_t hi;
	VEC(struct redirect) redirects;
	VEC(const char *) texts;
	struct span at;
	struct span iface_at;
};

#define IPFW_NAT_FLAG(word)	(1u << ((word) - IW_N_IP))

/**
 * struct ipfw_ruleset - What commands have left behind
 * @a:		Memory
 * @rules:	By number, then in the order they were added
 * @nats:	Instances
 * @tables:	Tables
 * @disabled:	Bit per set
 * @one_pass:	-1 not said, 0, 1
 * @one_pass_at: Where
 * @step:	net.inet.ip.fw.autoinc_step; 0: IPFW_STEP
 * @is_off:	disable firewall
 * @off_at:	Where
 * @lines:	Canonical commands, in the order of the source
 */
struct ipfw_ruleset {
	struct arena *a;
	VEC(struct ipfw_rule) rules;
	VEC(struct ipfw_nat) nats;
	VEC(struct ipfw_table) tables;
	uint32_t disabled;
	int one_pass;
	struct span one_pass_at;
	uint32_t step;
	bool is_off;
	struct span off_at;
	VEC(const char *) lines;
	uint32_t lives_s[N_LIVES];
};

/** ipfw_find_table() - A table by its interned name, or NULL */
struct ipfw_table *ipfw_find_table(const struct ipfw_ruleset *rs, const char *name);

/** ipfw_find_nat() - A nat instance by its number, or NULL */
struct ipfw_nat *ipfw_find_nat(const struct ipfw_ruleset *rs, uint32_t number);

#endif /* LANG_IPFW_AST_H */
