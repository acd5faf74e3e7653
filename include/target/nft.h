/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nft - a model as a program of nftables
 *
 * Turns a model into tables named "sallyport", prints them as nft text, and
 * makes the kernel hold exactly them: one transaction, nothing written when it
 * holds them already.
 *
 * Owns:	 nothing; a program lives in the arena of its diagnostics.
 * Does not:	 touch tables of other names, start programs, or know a
 *		 language.
 * Threads:	 none.
 *
 *	struct nft_options o;
 *	struct nft_program *p;
 *
 *	nft_options_init(&o);
 *	p = nft_program_from_model(&model, &o, &diags);
 *	if (p == NULL)
 *		... the diagnostics say what cannot be expressed
 *	err = nft_load(&nl, p, &diags, &changed);
 */
#ifndef TARGET_NFT_H
#define TARGET_NFT_H

#include "model/model.h"
#include "nl/session.h"

#define NFT_TABLE		"sallyport"	/* what our tables' names begin with */
#define NFT_MARK_MASK		0x7f000000u	/* bits of ct mark and packet mark that are ours */
#define NFT_LED_GROUP		0x5350u	/* group of devices that lead to the userspace NAT: "SP" */
#define NFT_LED_PRIORITY	0x53500001u	/* of packets that it lets the kernel send */
#define NFT_LOG_GROUP		5u		/* nflog group of `log` rules */
#define NFT_LOAD_TRIES		8u		/* when others commit between look and write */

struct nft_program;

/**
 * struct nft_options - What the program may use of the host
 * @mark_mask:	Bits of the ct mark and of the packet mark that are ours; all
 *		other bits stay as they are.  At least 3 bits, more for rules
 *		that translate in mid list
 * @log_group:	nflog group of `log` rules
 * @no_nat:	Filter and fences only: translation happens elsewhere, devices of
 *		NFT_LED_GROUP lead there, and packets of NFT_LED_PRIORITY come from it
 * @no_merge:	Each rule as it stands: no verdict maps in place of runs of rules
 */
struct nft_options {
	uint32_t mark_mask;
	uint16_t log_group;
	bool no_nat;
	bool no_merge;
};

/** nft_options_init() - The defaults above */
void nft_options_init(struct nft_options *o);

/**
 * nft_state_bit() - The bit of the ct mark that says that a flow has a directed state
 * @o:		Options
 * @dir:	Of the leg that made it, as the flow's first packet went
 *
 * Return: the bit
 */
uint32_t nft_state_bit(const struct nft_options *o, enum direction dir);

#define NFT_LINKS	8u	/* nat instances that may ask for links */

#define NFT_MENDS	32u	/* changes of headers that marks may remember */

/**
 * struct nft_mend - A change of headers that states remember
 * @what:	The change
 * @ct:		Bits of the ct mark, by the leg whose state has it
 */
struct nft_mend {
	struct scrub what;
	uint32_t ct[2];
};

/**
 * struct nft_logs - What the messages of a program tell
 * @of:		Declarations that it was made from
 * @sources:	Their texts: a message names a place
 * @group:	nflog group of its messages
 */
struct nft_logs {
	const struct model *of;
	struct sources *sources;
	uint16_t group;
};

/**
 * struct nft_marks - What the bits of a program's marks mean
 * @own:	All bits that are ours
 * @state:	Of the ct mark, by the direction of the leg as the flow's first packet
 *		goes: it has a directed state
 * @opts:	And that lets packets with options through; 0: none does
 * @answer:	Of the ct mark: we refused it and say so
 * @tags:	Of the packet mark: the number of its tag; those that rules ask for
 *		count from 1 in the order of their bits.  Beside free states a bit each
 * @kept_tags:	Of the ct mark: the tag of the state
 * @drawn:	Of the packet mark: what the last lot said; it is asked at once
 * @link:	Of the ct mark, by nat instance that asks for links, in their order: what
 *		comes in as the flow's first packet went has one; what comes in the other
 *		way has one
 * @mend:	Changes of headers; two of them have the same fields or none in common
 * @n_mends:	How many
 * @logs:	What rules tell that log
 *
 * A hint for who proves a program: nothing is believed because it stands here.
 */
struct nft_marks {
	uint32_t own;
	uint32_t state[2];
	uint32_t opts[2];
	uint32_t answer;
	uint32_t tags;
	uint32_t kept_tags;
	uint32_t drawn;
	uint32_t link[NFT_LINKS][2];
	struct nft_mend mend[NFT_MENDS];
	uint32_t n_mends;
	struct nft_logs logs;
};

/** nft_program_marks() - The marks of a program, and its messages */
struct nft_marks nft_program_marks(const struct nft_program *p);

struct nl_batch;

/**
 * nft_program_messages() - A program as the messages that load it where nothing is
 * @p:		Program
 * @b:		Batch, begun here; not sent
 *
 * Return: 0, -ENOMEM, or -EMSGSIZE
 */
MUST_USE int nft_program_messages(const struct nft_program *p, struct nl_batch *b);

/**
 * nft_program_from_model() - Lower a model
 * @m:		Model; model_check() is content with it
 * @o:		Options
 * @d:		Told what cannot be expressed, and of approximations (17xx);
 *		its arena holds the program, its sources give FILE:LINE
 *
 * Return: the program, or NULL when an error was added to @d
 */
struct nft_program *nft_program_from_model(const struct model *m, const struct nft_options *o,
					   struct diags *d);

/**
 * nft_text() - A program as `nft -f` reads it
 * @p:		Program
 * @out:	Stream
 *
 * Replaces our tables, and only them, in one transaction.
 */
void nft_text(const struct nft_program *p, FILE *out);

/**
 * enum nft_op - What has to be done to an object
 * @NFT_ADD:	It is missing
 * @NFT_DELETE:	It is there and should not be
 * @NFT_CHANGE:	It is there and is another
 */
enum nft_op { NFT_ADD, NFT_DELETE, NFT_CHANGE };

/** nft_op_name() - "add", "delete" or "change" */
const char *nft_op_name(enum nft_op op);

struct nft_set;

/**
 * struct nft_change - A difference between the kernel and a program
 * @op:		What has to be done
 * @object:	To what, "rule inet sallyport in_filter: web.pf.conf:7 block in all";
 *		NULL: to each forward of @table
 * @at:		Where what is missing was declared; SPAN_NONE for the rest
 * @table:	A map of forwards that is missing as a whole, else NULL; lives as long as
 *		the program
 */
struct nft_change {
	enum nft_op op;
	const char *object;
	struct span at;
	const struct nft_set *table;
};

typedef void nft_change_fn(const struct nft_change *one, void *arg);

/**
 * nft_change_each() - The differences that a change stands for
 * @x:		Change
 * @a:		For their texts; cleared before each
 * @fn:		Told of each, which names its object
 * @arg:	For @fn
 *
 * Forwards may be 100,000: their texts are not kept, but made when they are asked for.
 */
void nft_change_each(const struct nft_change *x, struct arena *a, nft_change_fn *fn, void *arg);

/** nft_change_count() - How many those are */
uint32_t nft_change_count(const struct nft_change *x);

/** struct nft_changes - Differences, in a stable order */
struct nft_changes {
	VEC(struct nft_change) list;
};

/**
 * nft_diff() - How what the kernel holds differs from a program
 * @nl:		Session of NETLINK_NETFILTER
 * @p:		Program, or NULL for "nothing of ours"
 * @a:		Memory
 * @ret:	Set on success; empty: no difference
 *
 * Return: 0, or a negative errno: -EPERM, or as nl_dump()
 */
MUST_USE int nft_diff(struct nl_session *nl, const struct nft_program *p, struct arena *a,
		      struct nft_changes *ret);

/**
 * struct nft_check - Asked before a transaction is sent
 * @is_right:	Is it what it should be; else nothing is sent
 * @arg:	For it
 */
struct nft_check {
	bool (*is_right)(void *arg, const void *bytes, size_t len);
	void *arg;
};

/** nft_is_ours() - Is a table of this name ours: NFT_TABLE, or that and more */
bool nft_is_ours(const char *table);

/**
 * struct nft_memo - What the kernel held after a load, so that the next need not ask
 * @text:	To be kept and handed in as it is; NULL: nothing is remembered
 * @len:	Its length, bytes
 *
 * It is of one network namespace, and believed while its ruleset has the generation
 * that the load has made: each commit, whoever makes it, is another.
 */
struct nft_memo {
	const char *text;
	size_t len;
};

struct nft_look;

/**
 * nft_look() - nft_diff(), and keep what was seen for nft_load_seen()
 * @nl:		Session of NETLINK_NETFILTER
 * @p:		As nft_diff()
 * @memo:	Believed where it is true: the kernel's rules are not read; NULL: none
 * @a:		Memory of @ret
 * @ret:	As nft_diff()
 * @ret_look:	Set on success; nft_look_free()
 *
 * Return: as nft_diff(), or -ENOMEM
 */
MUST_USE int nft_look(struct nl_session *nl, const struct nft_program *p,
		      const struct nft_memo *memo, struct arena *a, struct nft_changes *ret,
		      struct nft_look **ret_look);

/** nft_look_free() - Forget it; NULL does nothing */
void nft_look_free(struct nft_look *l);

/**
 * nft_load() - Make the kernel hold a program
 * @nl:		Session of NETLINK_NETFILTER; its namespace is the one changed
 * @p:		Program
 * @d:		Told what the kernel refuses, under the user's own words
 * @ret_changed: Set on success: something was written
 *
 * One transaction; base chains that stay as they are are kept, so that packets
 * queued there are not lost.  On failure the kernel holds what it held.
 *
 * Return: 0; -EPERM: not permitted; -EOPNOTSUPP: this kernel lacks something
 * (told); -EINVAL: it refused for another reason (told); -EBUSY: others kept
 * committing; another negative errno of the session (not told)
 */
MUST_USE int nft_load(struct nl_session *nl, const struct nft_program *p, struct diags *d,
		      bool *ret_changed);

/**
 * nft_load_seen() - nft_load() by a look that was taken before
 * @nl:		Session of NETLINK_NETFILTER of the look's namespace
 * @p:		Program; need not be the look's
 * @seen:	Look; serves once. NULL, or others have committed since: the kernel
 *		is looked at as nft_load() does
 * @memo:	Set on success, in the diagnostics' arena: what the kernel holds now; NULL:
 *		none is wanted
 * @d:		As nft_load()
 * @ret_changed: As nft_load()
 *
 * Return: as nft_load()
 */
MUST_USE int nft_load_seen(struct nl_session *nl, const struct nft_program *p,
			   struct nft_look *seen, struct nft_memo *memo, struct diags *d,
			   bool *ret_changed);

/**
 * struct nft_text_count - What all rules of one text have counted
 * @text:	Of the rule, as its comment has it, without file and line
 * @packets:	Packets, each counted once
 * @bytes:	Bytes
 */
struct nft_text_count {
	const char *text;
	uint64_t packets;
	uint64_t bytes;
};

/** struct nft_texts - Sorted by text; those that have counted nothing are left out */
struct nft_texts {
	VEC(struct nft_text_count) list;
};

/**
 * nft_texts_read() - What the kernel's rules have counted, by their text
 * @nl:		Session of NETLINK_NETFILTER
 * @a:		Memory
 * @ret:	Set on success
 *
 * Return: 0, or a negative errno as nft_diff()
 */
MUST_USE int nft_texts_read(struct nl_session *nl, struct arena *a, struct nft_texts *ret);

/** nft_text_find() - The count of a rule's text, or NULL; comments that were cut are found */
const struct nft_text_count *nft_text_find(const struct nft_texts *t, const char *text);

/** nft_text_of_comment() - "FILE:LINE TEXT" without the place */
const char *nft_text_of_comment(const char *comment);

/**
 * struct nft_keep - What nft_reload() keeps of what was counted
 * @always:	Write although nothing differs: some counts are to be cleared
 * @is_cleared:	Does the rule with this text begin with 0; NULL: none does
 * @arg:	For it
 * @memo:	Of the last load in this network namespace, set to that of this one
 *		on success, in the diagnostics' arena; NULL: none is wanted
 */
struct nft_keep {
	bool always;
	bool (*is_cleared)(void *arg, const char *text);
	void *arg;
	struct nft_memo *memo;
};

/**
 * nft_reload() - nft_load(), and rules whose text stays keep what they have counted
 * @nl:		Session of NETLINK_NETFILTER
 * @p:		Program; its counters are set
 * @k:		What is kept
 * @d:		As nft_load()
 * @ret_changed: As nft_load()
 *
 * Packets between the look and the transaction are not counted.
 *
 * Return: as nft_load()
 */
MUST_USE int nft_reload(struct nl_session *nl, struct nft_program *p, const struct nft_keep *k,
			struct diags *d, bool *ret_changed);

/**
 * struct nft_state - A free state that the kernel remembers
 * @text:	Of the rule that made it, as in struct nft_text_count
 * @af:		AF_V4 or AF_V6
 * @proto:	Protocol
 * @src:	As its first packet went
 * @dst:	The same
 * @sport:	0 for protocols without ports
 * @dport:	The same
 * @expires_ms:	From now
 */
struct nft_state {
	const char *text;
	uint8_t af;
	uint8_t proto;
	struct addr src;
	struct addr dst;
	uint16_t sport;
	uint16_t dport;
	uint64_t expires_ms;
};

/** struct nft_states - By rule in the order of the kernel's sets */
struct nft_states {
	VEC(struct nft_state) list;
};

/**
 * nft_states_read() - The free states that the kernel remembers
 * @nl:		Session of NETLINK_NETFILTER
 * @a:		Memory
 * @ret:	Set on success
 *
 * Return: 0, or a negative errno as nft_diff()
 */
MUST_USE int nft_states_read(struct nl_session *nl, struct arena *a, struct nft_states *ret);

/**
 * nft_guard() - Keep connections alive while somebody else flushes all rules
 * @nl:		Session of NETLINK_NETFILTER of its own; a table "sallyport_watch_PORT",
 *		its port, is there until it is closed
 *
 * Return: 0; -EPERM; -EOPNOTSUPP or -EINVAL before Linux 5.12; another negative errno
 */
MUST_USE int nft_guard(struct nl_session *nl);

/**
 * nft_destroy() - Delete our tables in all families, and nothing else
 * @nl:		Session of NETLINK_NETFILTER
 * @ret_changed: Set on success: there were some
 *
 * Return: 0, also when there are none; -EPERM; another negative errno
 */
MUST_USE int nft_destroy(struct nl_session *nl, bool *ret_changed);

/**
 * struct nft_count - What a rule has counted
 * @origin:	Of the rule
 * @is_forward:	Of one forward of the rule, which has its own counter
 * @proto:	Its protocol
 * @dst:	Its external address
 * @dport:	Its external port
 * @packets:	Packets since it was loaded; of a translation: flows
 * @bytes:	Bytes
 */
struct nft_count {
	struct origin origin;
	bool is_forward;
	uint8_t proto;
	struct addr dst;
	uint16_t dport;
	uint64_t packets;
	uint64_t bytes;
};

/** struct nft_counts - Those of forwards, then one for each origin; none that counted nothing */
struct nft_counts {
	VEC(struct nft_count) list;
};

/**
 * nft_counters() - What the kernel's copy of a program has counted
 * @nl:		Session of NETLINK_NETFILTER
 * @p:		Program
 * @a:		Memory
 * @ret:	Set on success
 *
 * Return: 0, or a negative errno as nft_diff()
 */
MUST_USE int nft_counters(struct nl_session *nl, const struct nft_program *p, struct arena *a,
			  struct nft_counts *ret);

/**
 * struct nft_traffic - What an outside place has seen
 * @proto:	Protocol
 * @dst:	Outside address
 * @dport:	Outside port
 * @packets:	All packets of connections that were redirected there, of both
 *		directions, since the place was first used or our tables were made
 * @bytes:	Their bytes
 * @idle_ms:	Since the last of them
 */
struct nft_traffic {
	uint8_t proto;
	struct addr dst;
	uint16_t dport;
	uint64_t packets;
	uint64_t bytes;
	uint64_t idle_ms;
};

/** struct nft_traffics - Sorted by protocol, address and port */
struct nft_traffics {
	VEC(struct nft_traffic) list;
};

/**
 * nft_traffic_read() - What the kernel has counted of redirected connections
 * @nl:		Session of NETLINK_NETFILTER
 * @p:		Program
 * @a:		Memory
 * @ret:	Set on success; empty where @p counts none
 * @ret_is_counted: Whether it counts
 *
 * Return: 0, or a negative errno as nl_dump()
 */
MUST_USE int nft_traffic_read(struct nl_session *nl, const struct nft_program *p, struct arena *a,
			      struct nft_traffics *ret, bool *ret_is_counted);

/** nft_traffic_sort() - Sort what was added to */
void nft_traffic_sort(struct nft_traffics *t);

/** nft_traffic_from() - Index of the first place from there on */
uint32_t nft_traffic_from(const struct nft_traffics *t, uint8_t proto, struct addr dst,
			  uint16_t dport);

#endif /* TARGET_NFT_H */
