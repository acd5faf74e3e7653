/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model - what a ruleset means, whatever language it was written in
 *
 * A model is lists of rules.  A rule is a match (a conjunction of "field in
 * set"), effects in order, and an exit.  One evaluation judges one packet at
 * one crossing of one interface in one direction: the list before[dir], then
 * entry[dir], then, if the packet passes, after[dir], which sees the packet as
 * it leaves the evaluation; answers to what a directed state let in the other
 * way are not judged by after[dir].  before and after hold the policy (fences, local
 * callers); the language's own rules stand in entry.
 *
 *	pf	entry[in]:  skip; probe; call rdr; goto filter
 *		entry[out]: skip; probe; call nat; goto filter
 *		rdr, nat:   first match: translate, then decide pass or goto filter
 *		filter:	    rule = prefer, next (quick: prefer, settle); end: settle
 *	ipfw	entry[in] == entry[out]: one list; check-state = probe;
 *		keep-state = probe, then record and goto a list with its own
 *		action; skipto = goto; nat = translate, then decide or next
 *
 * States are of one of two disciplines: directed (pf: a state covers the leg
 * and direction that made it, and the replies) or free (ipfw: the same
 * addresses, either way round, anywhere).
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 know a language or a target.
 * Threads:	 none.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "diag/diag.h"
#include "model/facts.h"
#include "model/scrub.h"
#include "net/names.h"
#include "net/set.h"

enum direction { DIR_IN, DIR_OUT };

/**
 * enum field - What of a packet a rule can test
 * @F_DIR:	enum direction of this crossing
 * @F_IFACE:	Interface crossed, number in the intern table (FreeBSD's name)
 * @F_RECV:	Interface that received it, 0 for the host's own packets
 * @F_AF:	AF_V4 or AF_V6
 * @F_PROTO:	Protocol, 0..255 (of IPv6: after extension headers)
 * @F_SRC:	Source address
 * @F_DST:	Destination address
 * @F_SPORT:	Source port; false where the protocol has none
 * @F_DPORT:	Destination port; as @F_SPORT
 * @F_TCPFLAGS: Flag byte; true for what is not TCP (pf's meaning; a language
 *		that means otherwise tests F_PROTO too)
 * @F_ICMP:	type << 8 | code; false for what is neither ICMP nor ICMPv6
 * @F_DST_LOCAL: 1 when the destination is an address of this host
 * @F_SRC_LOCAL: 1 when the source is
 * @F_TAGS:	Bit mask of the tags that the packet has (model.tags)
 * @F_SRC_GROWN: Bit mask of the tables (model.grown) that rules have put the
 *		source address into
 * @F_DST_GROWN: The same of the destination
 * @F_SRC_ROUTE: enum route_back of the source address
 * @F_DST_ROUTE: enum route_back of the destination, ROUTE_HERE for any route
 * @F_TOS:	Type of service or traffic class, without the two bits of ECN
 * @F_IPOPTS:	Bit mask of the options of IPv4 that it has, IP_OPTION_LSRR and so on
 * @F_TTL:	Time to live or hop limit
 * @F_LEN:	Length in bytes, the header of IP included
 * @F_IPID:	Number of the packet; false for IPv6
 * @F_FLOWID:	Flow label; false for IPv4
 * @F_TCPWIN:	Window; as the next two, false for what is not TCP
 * @F_TCPSEQ:	Sequence number
 * @F_TCPACK:	Acknowledgement number
 * @F_UID:	Owner of the socket that sends it; false for what is not sent here, and
 *		for what is neither TCP nor UDP
 * @F_GID:	Its owner's effective group, likewise
 *
 * From F_TTL on they are numbers, of enum head.
 */
enum field {
	F_DIR, F_IFACE, F_RECV, F_AF, F_PROTO, F_SRC, F_DST, F_SPORT, F_DPORT,
	F_TCPFLAGS, F_ICMP, F_DST_LOCAL, F_SRC_LOCAL, F_TAGS, F_SRC_GROWN, F_DST_GROWN,
	F_SRC_ROUTE, F_DST_ROUTE, F_TOS, F_IPOPTS,
	F_TTL, F_LEN, F_IPID, F_FLOWID, F_TCPWIN, F_TCPSEQ, F_TCPACK, F_UID, F_GID,
	N_FIELDS
};

/** enum head - Numbers that a packet has, F_TTL + number the field */
enum head {
	HEAD_TTL, HEAD_LEN, HEAD_ID, HEAD_FLOWID, HEAD_WIN, HEAD_SEQ, HEAD_ACK, HEAD_UID, HEAD_GID,
	N_HEADS
};

/**
 * struct field_info - What is known of a field
 * @name:	As dumps print it
 * @universe:	What its sets are complemented in
 */
struct field_info {
	const char *name;
	enum set_universe universe;
};

extern const struct field_info model_fields[N_FIELDS];

/** struct test - True when field @f of the packet is in @in */
struct test {
	enum field f;
	const struct set *in;
};

enum verdict { V_PASS, V_BLOCK, V_RETURN };

/**
 * struct answer - What the sender of a refused packet is told (V_RETURN)
 * @rst:	TCP gets a RST (never in answer to a RST)
 * @icmp4:	Others over IPv4, and TCP without @rst: type << 8 | code; -1: nothing
 * @icmp6:	The same over IPv6
 * @queries:	ICMP and ICMPv6 queries are answered too
 *
 * Other ICMP (over IPv4) and ICMPv6 (over IPv6) packets are never answered.
 */
struct answer {
	bool rst;
	int32_t icmp4;
	int32_t icmp6;
	bool queries;
};

/**
 * struct ruling - A verdict and what goes with it
 * @verdict:	Pass or refuse
 * @keep:	A pass makes a directed state; not of ICMP errors, which never do
 * @allow_opts:	A pass holds for packets with IP options too, where the model
 *		refuses those (model.drops_opts); so does its state
 * @mend:	A pass changes headers, as EF_MEND: number + 1 in model.scrubs, 0 =
 *		nothing
 * @limit:	With @keep: number + 1 in model.limits of what limits its
 *		states, 0 = nothing
 * @answer:	For V_RETURN
 */
struct ruling {
	enum verdict verdict;
	bool keep;
	bool allow_opts;
	uint32_t mend;
	uint32_t limit;
	struct answer answer;
};

/**
 * struct state_limit - What limits the states that one ruling makes
 * @max:	Most states; 0 = any number, as in all that follow
 * @max_src_states: Most states of one source
 * @max_src_nodes: Most sources
 * @max_src_conn: Most TCP connections of one source
 * @rate:	Most new TCP connections of one source in @seconds
 * @seconds:	See @rate
 * @grown:	Number + 1 in model.grown of the table that a source is put
 *		into when it meets @max_src_conn or @rate; 0 = none
 * @is_global:	Sources are counted together with those of every other limit
 *		that says so
 *
 * A packet whose state would be one too many is refused in silence.
 */
struct state_limit {
	uint32_t max;
	uint32_t max_src_states;
	uint32_t max_src_nodes;
	uint32_t max_src_conn;
	uint32_t rate;
	uint32_t seconds;
	uint8_t grown;
	bool is_global;
};

/**
 * enum xlate_kind - Which addresses a translation rewrites
 * @XL_DST:	The destination (rdr), inbound
 * @XL_SRC:	The source (nat), outbound
 * @XL_INSTANCE: As libalias, IPv4 only: outbound the source, remembered as a
 *		link; inbound the destination of what answers a link or meets a
 *		redirect, and what meets none is remembered as it is
 * @XL_MAP:	The destination, inbound, as the rule's table says (rule.map)
 */
enum xlate_kind { XL_DST, XL_SRC, XL_INSTANCE, XL_MAP };

/**
 * enum xlate_port - What becomes of the port (or ICMP query id)
 * @XP_KEEP:	Nothing
 * @XP_TO:	It becomes @lo
 * @XP_RANDOM:	A free one of @lo..@hi, unpredictably
 * @XP_SHIFT:	port - @from + @lo, from @lo on again behind @hi; @hi below @lo: no end
 */
enum xlate_port { XP_KEEP, XP_TO, XP_RANDOM, XP_SHIFT };

/**
 * enum xlate_pool - How one of several addresses is chosen
 * @POOL_ROUND_ROBIN:	One after the other
 * @POOL_RANDOM:	At random
 * @POOL_SOURCE_HASH: By the packet's source, always the same (pool_hash())
 * @POOL_BITMASK: The only one, with the low bits of the address that it replaces
 */
enum xlate_pool { POOL_ROUND_ROBIN, POOL_RANDOM, POOL_SOURCE_HASH, POOL_BITMASK };

/**
 * struct redirect_to - Where a redirect leads
 * @a:		Inside address
 * @port:	Port that the first outside port becomes; unused without ports
 */
struct redirect_to {
	struct addr a;
	uint16_t port;
};

/**
 * struct redirect - Packets to an outside address that go inside (XL_INSTANCE)
 * @proto:	Of this protocol; -1: of any
 * @outside:	Outside address, or AF_NONE: the instance's own
 * @has_ports:	Only outside ports @lo..@hi, which keep their distance
 * @lo:		See @has_ports
 * @hi:		See @has_ports
 * @to:		Inside; each new link takes the next
 * @peer:	Only from this address, or AF_NONE: from any
 * @peer_lo:	Only from this port to @peer_hi; 0: from any
 * @peer_hi:	See @peer_lo
 *
 * What an inside address of it sends first leaves as @outside too: with
 * @has_ports from its port only; a redirect with several members does not.
 */
struct redirect {
	int16_t proto;
	struct addr outside;
	bool has_ports;
	uint16_t lo;
	uint16_t hi;
	VEC(struct redirect_to) to;
	struct addr peer;
	uint16_t peer_lo;
	uint16_t peer_hi;
};

/**
 * struct xlate - A translation
 * @kind:	What it rewrites
 * @pool:	How an address is chosen
 * @is_sticky:	A source that has a state of this translation keeps its address
 * @seed:	POOL_SOURCE_HASH: start of the hash
 * @host_bits:	POOL_BITMASK: low bits that are kept
 * @to:		Addresses, of one or both families; each packet uses those of
 *		its own family.  A packet with none is not translated.  XL_MAP: all
 *		inside addresses of the table
 * @port:	What becomes of the port; ICMP ids follow XP_RANDOM over 1..65535
 *		and otherwise stay
 * @lo:		See @port
 * @hi:		See @port
 * @from:	See @port
 * @may_change:	XP_KEEP: where the port is taken, another one of the same range; false:
 *		no translation then.  The kernel chooses another one in either case
 * @instance:	Number of the nat instance, for XL_INSTANCE, which also has:
 * @redirects:	In order
 * @only_from:	Sources that get the outside address; others keep theirs, not
 *		their port.  NULL: all
 * @deny_in:	Inbound, what meets no link and no redirect is refused
 * @is_global:	Only existing links, of whichever instance; nothing new
 * @is_local:	For local callers: the redirects alone, in either direction; the
 *		answers are changed back as they leave
 */
struct xlate {
	enum xlate_kind kind;
	enum xlate_pool pool;
	bool is_sticky;
	uint32_t seed;
	uint8_t host_bits;
	VEC(struct addr) to;
	enum xlate_port port;
	uint16_t lo;
	uint16_t hi;
	uint16_t from;
	bool may_change;
	uint32_t instance;
	VEC(struct redirect) redirects;
	const struct set *only_from;
	bool deny_in;
	bool is_global;
	bool is_local;
};

enum effect_kind {
	EF_LOG, EF_PREFER, EF_TRANSLATE, EF_PROBE, EF_RECORD, EF_TAG, EF_SCRUB, EF_MEND
};

/* What the states of a limit have in common */
#define LIMIT_SRC_ADDR	0x01u
#define LIMIT_SRC_PORT	0x02u
#define LIMIT_DST_ADDR	0x04u
#define LIMIT_DST_PORT	0x08u

/**
 * struct effect - Something a matching rule does
 * @kind:	Which
 * @ruling:	EF_PREFER: the candidate from now on
 * @xlate:	EF_TRANSLATE: number of the translation
 * @list:	EF_TRANSLATE: list to go to if it changes nothing, or LIST_NONE
 *		for the rule's own exit; EF_RECORD: list where a later packet of
 *		the state goes on
 * @name:	EF_PROBE: only states of this name, 0 for any; EF_RECORD: the
 *		state's name (interned)
 * @limit:	EF_RECORD: a packet that would make one state more than this
 *		among those of @list with the same @limit_by is refused; 0: none
 * @limit_by:	LIMIT_* flags
 * @tags:	EF_TAG: bits that become 1
 * @untags:	EF_TAG: bits that become 0
 * @scrub:	EF_SCRUB, EF_MEND: number in model.scrubs
 *
 * EF_SCRUB changes headers at once, of this packet.  EF_MEND does so when the packet
 * passes, and of every packet of the state that it makes (directed), either way; of
 * several the last one that says something of a header counts for it.
 *
 * EF_PROBE looks for a state; a directed one replays its translation and
 * decides pass, a free one goes to the list that it was recorded with.  In one
 * evaluation a probe of a free discipline looks if none has looked before, or
 * the last looked for another name and not for any; a translation arms it again.
 */
struct effect {
	enum effect_kind kind;
	struct ruling ruling;
	uint32_t xlate;
	uint32_t list;
	uint32_t name;
	uint32_t limit;
	uint8_t limit_by;
	uint8_t tags;
	uint8_t untags;
	uint32_t scrub;
};

#define LIST_NONE	UINT32_MAX
#define PROB_ONE	0x7fffffffu	/* a probability of 1 */
#define MODEL_TAGS	8u		/* tags that a model can tell apart */
#define MODEL_GROWN	8u		/* tables that rules can fill */

/**
 * enum exit_kind - Where evaluation goes on after a matching rule
 * @EX_NEXT:	With the next rule; after a list's last rule: as EX_RETURN
 * @EX_GOTO:	In another list, for good; lists form no cycle
 * @EX_CALL:	In another list, and back after this rule; see rule.is_quick
 * @EX_RETURN:	Behind the call; without one: as EX_SETTLE
 * @EX_DECIDE:	Nowhere: the ruling stands.  A pass of a translated packet makes
 *		a directed state
 * @EX_SETTLE:	Nowhere: the last preferred ruling stands, or the model's own
 *		when none was preferred; a pass makes a directed state where the
 *		ruling says keep, or the packet was translated
 */
enum exit_kind { EX_NEXT, EX_GOTO, EX_CALL, EX_RETURN, EX_DECIDE, EX_SETTLE };

/** enum policy - Rules that nobody wrote */
enum policy {
	POLICY_NONE,		/* written by the user */
	POLICY_INTERIOR,	/* nothing reaches an interior address untranslated */
	POLICY_SOURCE,		/* nobody outside speaks with an inside source */
	POLICY_EGRESS,		/* no interior source leaves untranslated */
	POLICY_LOCAL,		/* forwards answer local callers */
	N_POLICIES
};

extern const char *const policy_names[N_POLICIES];	/* as in --no-fence */

/**
 * struct origin - Where a rule comes from
 * @at:		Place in its file
 * @policy:	Which policy it is of
 * @part:	Number, from 1 on, of the single rule that a statement was taken apart
 *		into; 0: it was not
 * @text:	One line that says it, as comments and `why` show it
 *
 * Packed into 24 bytes: there may be 100,000.
 */
struct origin {
	struct span at;
	enum policy policy : 8;
	uint32_t part : 24;
	const char *text;
};

struct portmap;

/**
 * struct rule - A rule
 * @tests:	All must hold; at most one a field
 * @map:	NULL, or only destinations that this table has; the rule translates
 *		them (XL_MAP), and is of the row's origin
 * @prob:	Matches only when draw @draw is below this, of PROB_ONE; 0: always
 * @draw:	Number of the draw, < model.n_draws
 * @until_s:	Matches only before then, seconds since 1970; 0: always.  The clock
 *		stands still in an evaluation, so only targets ask
 * @effects:	In order
 * @exit:	Then
 * @list:	EX_GOTO, EX_CALL: where to
 * @is_quick:	EX_CALL: when a ruling was preferred there, not back but as
 *		EX_SETTLE (a quick anchor)
 * @ruling:	EX_DECIDE: what stands
 * @origin:	Whose
 */
struct rule {
	VEC(struct test) tests;
	const struct portmap *map;
	uint32_t prob;
	uint32_t draw;
	int64_t until_s;
	VEC(struct effect) effects;
	enum exit_kind exit;
	uint32_t list;
	bool is_quick;
	struct ruling ruling;
	struct origin origin;
};

/**
 * struct rule_list - Rules in order
 * @name:	As dumps print it; no meaning
 * @rules:	The rules
 */
struct rule_list {
	const char *name;
	VEC(struct rule) rules;
};

/**
 * struct quota - How many connections there may be, and how many new ones in a time
 * @protos:	Of a forward: its protocols; NULL: of a jail
 * @addrs:	Of a forward: its outside addresses; of a jail: its own, in either
 *		direction
 * @ports:	Of a forward: its outside ports
 * @max:	Most connections at once; 0: any number
 * @rate:	Most new ones in @per_s seconds; 0: any number
 * @per_s:	See @rate
 * @origin:	Who says so
 *
 * What would be one more is dropped, after all rules.  An evaluation knows of one
 * packet, so only targets ask.
 */
struct quota {
	const struct set *protos;
	const struct set *addrs;
	const struct set *ports;
	uint32_t max;
	uint32_t rate;
	uint32_t per_s;
	struct origin origin;
};

enum discipline { STATES_DIRECTED, STATES_FREE };

/** enum life - After which packet a free state lives how long */
enum life { LIFE_SYN, LIFE_ACK, LIFE_RST, LIFE_UDP, LIFE_OTHER, N_LIVES };

/**
 * struct model - A ruleset's meaning
 * @a:		Memory
 * @names:	Interned names
 * @facts:	The host that it is meant for
 * @lists:	All lists
 * @xlates:	All translations
 * @before:	List judged before anything written, by direction, or LIST_NONE
 * @entry:	List of the language, by direction
 * @after:	List judged on what passes and is no answer, by direction, or
 *		LIST_NONE
 * @discipline: Of states
 * @otherwise:	The ruling when none was preferred
 * @otherwise_text: How its language shows that, where it is counted; or NULL
 * @skipped:	Interfaces that the language ignores (set skip), or NULL
 * @interior:	Addresses behind the fences, NULL before the policy is added
 * @tags:	Tags by bit of F_TAGS, as the language numbers them; at most
 *		MODEL_TAGS
 * @n_draws:	Draws that rules with a probability use
 * @scrubs:	Changes of headers
 * @limits:	Of states
 * @grown:	Tables that rules put addresses into, by bit of F_SRC_GROWN,
 *		interned names; at most MODEL_GROWN.  What a table has from its
 *		declaration stands in the sets of tests
 * @lives_s:	Seconds that free states live, 0: as ipfw's do by default.  The
 *		clock stands still in an evaluation, so only targets ask
 * @drops_opts:	A pass that does not allow them refuses packets with IPv4
 *		options or an IPv6 routing header
 * @quotas:	Of jails and forwards
 * @counts_traffic: All packets of redirected connections are counted
 */
struct model {
	struct arena *a;
	struct intern *names;
	const struct facts *facts;
	VEC(struct rule_list) lists;
	VEC(struct xlate) xlates;
	uint32_t before[2];
	uint32_t entry[2];
	uint32_t after[2];
	enum discipline discipline;
	struct ruling otherwise;
	const char *otherwise_text;
	const struct set *skipped;
	const struct set *interior;
	VEC(uint32_t) tags;
	uint32_t n_draws;
	VEC(struct scrub) scrubs;
	VEC(struct state_limit) limits;
	VEC(const char *) grown;
	uint32_t lives_s[N_LIVES];
	bool drops_opts;
	VEC(struct quota) quotas;
	bool counts_traffic;
};

/** model_init() - A model that passes everything */
void model_init(struct model *m, struct arena *a, struct intern *names,
		const struct facts *facts);

/** model_add_list() - A new, empty list; its number */
uint32_t model_add_list(struct model *m, const char *name);

/** model_add_xlate() - A new translation; its number */
uint32_t model_add_xlate(struct model *m, struct xlate x);

/** xlate_side() - The kind of a translation; XL_DST for one by a table */
enum xlate_kind xlate_side(const struct xlate *x);

/** xlate_range() - All addresses that the @i-th of its targets stands for */
struct range xlate_range(const struct xlate *x, uint32_t i);

/** xlate_shift() - What XP_SHIFT makes of a port */
uint16_t xlate_shift(const struct xlate *x, uint16_t port);

/**
 * model_add_rule() - A new rule at the end of a list
 * @m:		Model
 * @list:	List
 * @origin:	Whose rule
 *
 * The rule matches everything, does nothing, and exits to the next.
 *
 * Return: the rule; valid until the next rule is added to the same list
 */
struct rule *model_add_rule(struct model *m, uint32_t list, struct origin origin);

/**
 * rule_test() - Add a test
 * @m:		Model
 * @r:		Rule
 * @f:		Field
 * @in:		Set; a second test of one field narrows the first
 *
 * A set that is the whole universe adds nothing.
 */
void rule_test(struct model *m, struct rule *r, enum field f, const struct set *in);

/** rule_tests() - The set that field @f must be in, or NULL for anything */
const struct set *rule_tests(const struct rule *r, enum field f);

/** rule_is_never() - Some test has an empty set */
bool rule_is_never(const struct rule *r);

/** rule_log() - Effect: log */
void rule_log(struct model *m, struct rule *r);

/** rule_prefer() - Effect: prefer @ruling */
void rule_prefer(struct model *m, struct rule *r, struct ruling ruling);

/** rule_translate() - Effect: translation @xlate; to @unchanged if that changes nothing */
void rule_translate(struct model *m, struct rule *r, uint32_t xlate, uint32_t unchanged);

/** rule_probe() - Effect: look for a state */
void rule_probe(struct model *m, struct rule *r);

/** rule_probe_name() - Effect: look for a free state of one name */
void rule_probe_name(struct model *m, struct rule *r, uint32_t name);

/** rule_record() - Effect: record a free state that goes on in @list */
void rule_record(struct model *m, struct rule *r, uint32_t list);

/**
 * rule_record_limit() - Effect: record one of a limited number of free states
 * @m:		Model
 * @r:		Rule
 * @list:	Where its packets go on; the states counted are those of this list
 * @name:	Its name, or 0
 * @limit:	Most states, or 0 for any number
 * @limit_by:	LIMIT_* flags: what those have in common
 */
void rule_record_limit(struct model *m, struct rule *r, uint32_t list, uint32_t name,
		       uint32_t limit, uint8_t limit_by);

/** rule_tag() - Effect: give the packet tags, take tags from it (bits of F_TAGS) */
void rule_tag(struct model *m, struct rule *r, uint8_t tags, uint8_t untags);

/** rule_scrub() - Effect: change headers */
void rule_scrub(struct model *m, struct rule *r, struct scrub scrub);

/** model_add_scrub() - The number of a change of headers, those that are equal have one */
uint32_t model_add_scrub(struct model *m, struct scrub scrub);

/** rule_mend() - Effect: change headers of what passes, and of its state */
void rule_mend(struct model *m, struct rule *r, uint32_t scrub);

/** rule_goto() - Exit: go to @list */
void rule_goto(struct rule *r, uint32_t list);

/** rule_call() - Exit: call @list */
void rule_call(struct rule *r, uint32_t list);

/** rule_call_quick() - Exit: call @list, and settle behind it if a ruling was preferred there */
void rule_call_quick(struct rule *r, uint32_t list);

/** rule_decide() - Exit: @ruling stands */
void rule_decide(struct rule *r, struct ruling ruling);

/** model_translates() - Does any rule translate */
bool model_translates(const struct model *m);

/** rule_has_effect() - The first effect of a kind, or NULL */
const struct effect *rule_has_effect(const struct rule *r, enum effect_kind kind);

/** ruling_pass() - Pass without a state */
struct ruling ruling_pass(void);

/** ruling_keep() - Pass and keep state */
struct ruling ruling_keep(void);

/** ruling_block() - Refuse in silence */
struct ruling ruling_block(void);

/** ruling_return() - Refuse and say so: RST, port unreachable */
struct ruling ruling_return(void);

/**
 * model_check() - Is the model well formed
 * @m:		Model
 *
 * Lists exist, goto and call form no cycle, calls nest at most 16 deep.
 *
 * Return: NULL, or what is wrong
 */
const char *model_check(const struct model *m);

/**
 * model_dump() - The model as stable text
 * @m:		Model
 * @sources:	For FILE:LINE of origins
 * @out:	Stream
 */
void model_dump(const struct model *m, struct sources *sources, FILE *out);

/** set_print() - A set of field @f as text: one member bare, others in braces */
void set_print(const struct model *m, enum field f, const struct set *s, FILE *out);

#endif /* MODEL_MODEL_H */
