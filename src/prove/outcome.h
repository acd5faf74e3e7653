/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outcome - what can become of a packet, as values of diagrams
 *
 * The same outcome is the same number, so that two functions that give the same
 * outcomes are the same diagram.
 *
 * Owns:	 nothing; lives in an arena.
 * Threads:	 none.
 */
#ifndef PROVE_OUTCOME_H
#define PROVE_OUTCOME_H

#include "model/model.h"
#include "prove/dd.h"

/**
 * enum fate - What becomes of a packet
 * @FATE_NONE:	None: outside of what is compared
 * @FATE_PASS:	It goes on
 * @FATE_BLOCK:	It is refused in silence
 * @FATE_RST:	It is refused with a RST
 * @FATE_ICMP:	It is refused with ICMP unreachable, @code
 * @FATE_DRAW:	One of several, by lot
 * @FATE_HARM:	It, or what is known of it, becomes what nobody may make of it; @text
 * @FATE_UNKNOWN: It cannot be said, @text says why
 */
enum fate {
	FATE_NONE, FATE_PASS, FATE_BLOCK, FATE_RST, FATE_ICMP, FATE_DRAW, FATE_HARM, FATE_UNKNOWN
};

/**
 * struct translation - What a translation makes of an address and a port
 * @is_src:	Of the source
 * @af:		Family
 * @to:		New address
 * @own:	Bits that stay those of the old one, and are 0 in @to
 * @lo:		Least new port or ICMP id; 0: it stays
 * @hi:		Highest
 * @is_random:	Chosen unpredictably
 * @table:	To where this table leads (tables.h), and the rest is 0; 0: to @to
 */
struct translation {
	bool is_src;
	uint8_t af;
	u128 to;
	u128 own;
	uint16_t lo;
	uint16_t hi;
	bool is_random;
	uint32_t table;
};

/**
 * enum header - What of a packet's headers can be changed, but for addresses
 * @HD_TTL:	TTL, hop limit
 * @HD_TOS:	Type of service, traffic class, without the bits of ECN
 * @HD_DF:	"Do not fragment"
 * @HD_MSS:	Segment size of TCP, where it is larger
 */
enum header { HD_TTL, HD_TOS, HD_DF, HD_MSS, N_HEADERS };

/**
 * struct lot - One of the outcomes of a draw
 * @value:	Outcome
 * @weight:	Its probability, as a number modulo 2^61 - 1
 */
struct lot {
	uint32_t value;
	uint64_t weight;
};

/**
 * struct outcome - What becomes of a packet
 * @fate:	Which
 * @code:	See FATE_ICMP
 * @states:	FATE_PASS: bits of what is remembered then, as the proof numbers them
 * @tag:	The tag it has then, or tags
 * @kept_tag:	The tag that its state has then
 * @links:	Bits of what nat instances remember of its flow then
 * @place:	Where it goes on behind the translation; 0: nowhere
 * @record:	Number of the set of records that it has added to; 0: none
 * @grown:	Tables that its source is put into
 * @counts:	Number of the set of counts that it is in; 0: none
 * @logs:	Number of the set of messages that were told of it; 0: none
 * @xlate:	Number of its translation; 0: none
 * @mends:	FATE_PASS: bits of what states remember that is changed in headers
 * @wrote:	FATE_PASS: by header, what it was changed to, and 1; 0: it was not
 * @text:	FATE_UNKNOWN: why; FATE_HARM: what
 * @is_turn:	FATE_DRAW: in turn, not at random
 * @lots:	FATE_DRAW: the outcomes, sorted
 * @n_lots:	How many
 */
struct outcome {
	enum fate fate;
	uint16_t code;
	uint16_t states;
	uint16_t tag;
	uint16_t kept_tag;
	uint16_t links;
	uint16_t place;
	uint16_t grown;
	uint32_t record;
	uint32_t counts;
	uint32_t logs;
	uint32_t xlate;
	uint16_t mends;
	uint16_t wrote[N_HEADERS];
	const char *text;
	bool is_turn;
	const struct lot *lots;
	uint32_t n_lots;
};

/**
 * struct record_set - Records, or counts, that one packet adds to
 * @n:		How many
 * @number:	Which, the lowest first
 */
struct record_set {
	uint32_t n;
	const uint16_t *number;
};

/**
 * struct outcomes - All of a proof
 * @a:		Memory
 * @list:	By number; 0: FATE_NONE; 1 is left out, as it is a condition
 * @xlates:	Translations by number - 1
 * @records:	Sets of records by number - 1
 * @messages:	Of rules that log, by number - 1
 * @slot:	Hash of @list, 0: none
 * @n_slots:	Its length
 * @xslot:	Hash of @xlates
 * @n_xslots:	Its length
 */
struct outcomes {
	struct arena *a;
	VEC(struct outcome) list;
	VEC(struct translation) xlates;
	VEC(struct record_set) records;
	VEC(const char *) messages;
	uint32_t *slot;
	uint32_t n_slots;
	uint32_t *xslot;
	uint32_t n_xslots;
};

/** outcomes_init() - Only FATE_NONE */
void outcomes_init(struct outcomes *o, struct arena *a);

/** outcome_of() - The number of an outcome */
uint32_t outcome_of(struct outcomes *o, const struct outcome *x);

/** outcome_fate() - The number of an outcome of which there is nothing more to say */
uint32_t outcome_fate(struct outcomes *o, enum fate fate);

/** outcome_unknown() - The number of an outcome that cannot be said; @why in few words */
uint32_t outcome_unknown(struct outcomes *o, const char *why);

/** translation_of() - The number of a translation, from 1 on */
uint32_t translation_of(struct outcomes *o, const struct translation *x);

/**
 * outcome_draw() - One of two outcomes by lot
 * @o:		Outcomes
 * @x:		Outcome
 * @y:		Another
 * @n:		@x has @n of @of chances
 * @of:		See there
 * @is_turn:	In turn, not at random
 *
 * Return: its number; @x where they are the same
 */
uint32_t outcome_draw(struct outcomes *o, uint32_t x, uint32_t y, uint64_t n, uint64_t of,
		      bool is_turn);

/** record_add() - The number of a set of records (0: none) with one more */
uint32_t record_add(struct outcomes *o, uint32_t set, uint16_t number);

typedef uint32_t outcome_fn(void *arg, uint32_t value);

/** outcome_each() - An outcome, or each of those of a draw, replaced by what @fn makes of it */
uint32_t outcome_each(struct outcomes *o, uint32_t value, outcome_fn *fn, void *arg);

/** outcome_is_plain() - Is it neither a draw nor unknown */
bool outcome_is_plain(const struct outcomes *o, uint32_t value);

/** outcome_word() - The verdict of an outcome, as `why` says it */
const char *outcome_word(const struct outcomes *o, uint32_t value);

/** outcome_text() - An outcome in words, with all that goes with it */
const char *outcome_text(const struct outcomes *o, struct arena *a, uint32_t value);

#endif /* PROVE_OUTCOME_H */
