/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proof - what the two sides of a comparison share
 *
 * A declaration and a program are each made a function from packets (and what is
 * remembered of them) to outcomes.  What they have in common stands here: the
 * variables, the outcomes, and which bits of the marks remember what.
 *
 * The bits are what the program was made with.  They are no part of the trust: a
 * program for which they are wrong is not found equal, as what one crossing leaves
 * in them is compared too.
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_PROOF_H
#define PROVE_PROOF_H

#include "model/eval.h"
#include "prove/outcome.h"
#include "prove/prog.h"
#include "prove/space.h"
#include "target/nft.h"

struct proof_count;
struct proof_quota;
struct proof_record;
struct table_rows;

/** struct proof_table - Something that a table was made of; see tables.h */
struct proof_table {
	const void *of;
	uint32_t table;
};

/** struct proof_map - A table of forwards, and the condition that it has a packet's destination */
struct proof_map {
	const struct portmap *map;
	dd in;
};

/** struct proof_given - A translation and an address of its pool; see sticky.h */
struct proof_given {
	uint32_t xlate;
	struct addr to;
};

/** struct proof_hand - A rule of free states that hands packets to a nat instance */
struct proof_hand {
	uint32_t list;
	uint32_t idx;
};

/**
 * struct proof - A comparison under way
 * @a:		Memory
 * @d:		Diagrams
 * @s:		Packets, of one family
 * @o:		Outcomes
 * @m:		Declarations
 * @p:		Program
 * @marks:	What its marks mean
 * @codes:	By bit of F_TAGS: the number of that tag in the mark, 0: nobody asks
 * @pass:	By translation: where it is a pass, what that leaves remembered;
 *		0: not made yet
 * @maps:	Tables of forwards and the condition that they have a packet's destination
 * @tables:	Tables that were seen, by number - 1
 * @table_of:	What they were made of
 * @records:	Rules that remember free states; see states.h
 * @counts:	Limits of states; see counts.h
 * @quotas:	Chains of quotas; see quotas.h
 * @given:	Addresses of sticky pools, by number
 * @hands:	Rules that hand packets to nat instances, by number - 1
 * @by_tables:	Exact forwards are compared as tables, not bit by bit
 * @states:	What is remembered counts: FATE_PASS tells it
 * @only_that:	Of a translation only that there is one counts, not where it leads
 * @places:	Those bits of the packet mark count, as outcome.place
 * @ethertype:	Of the frames that packets come in; 0: none that is known
 * @is_arp:	Packets are ARP: their addresses are those they ask for and of, and
 *		P_SPORT is what they do
 */
struct proof {
	struct arena *a;
	struct dds *d;
	struct space s;
	struct outcomes *o;
	const struct model *m;
	const struct prog *p;
	struct nft_marks marks;
	uint8_t codes[MODEL_TAGS];
	VEC(dd) pass;
	VEC(struct proof_map) maps;
	VEC(struct table_rows *) tables;
	VEC(struct proof_table) table_of;
	VEC(struct proof_record) records;
	VEC(struct proof_count) counts;
	VEC(struct proof_quota) quotas;
	VEC(struct proof_given) given;
	VEC(struct proof_hand) hands;
	bool by_tables;
	bool states;
	bool only_that;
	bool places;
	uint16_t ethertype;
	bool is_arp;
};

/** proof_pass() - A pass with a translation (0: without), as marks say then what is remembered */
dd proof_pass(struct proof *p, uint32_t xlate);

/** proof_handed() - It goes to a nat instance, and then on behind rule number @hand */
dd proof_handed(struct proof *p, uint32_t hand);

/** proof_mends() - Bits of the ct mark that say which headers of a flow are changed */
uint32_t proof_mends(const struct proof *p);

/** proof_places() - Bits of the packet mark that say where a packet goes on */
uint32_t proof_places(const struct proof *p);

/** proof_tells_places() - Whether proof_pass() tells them */
void proof_tells_places(struct proof *p, bool places);

/** proof_keeps_states() - Whether proof_pass() tells states from here on */
void proof_keeps_states(struct proof *p, bool states);

/** proof_tells_translations() - Whether proof_pass() tells where translations lead */
void proof_tells_translations(struct proof *p, bool tells);

/** proof_outcome() - A constant outcome */
dd proof_outcome(struct proof *p, const struct outcome *x);

/** proof_leaf() - A constant outcome of which there is no more to say */
dd proof_leaf(struct proof *p, enum fate fate);

/** proof_unknown() - A constant outcome that cannot be said */
dd proof_unknown(struct proof *p, const char *why);

/** proof_draw() - One of two functions by lot, as outcome_draw() */
dd proof_draw(struct proof *p, dd x, dd y, uint64_t n, uint64_t of, bool is_turn);

/** proof_each() - @f with what @fn makes of each of its outcomes, those of draws one by one */
dd proof_each(struct proof *p, dd f, outcome_fn *fn, void *arg);

/** enum proof_noted - What outcomes tell besides what becomes of the packet */
enum proof_noted { PROOF_RECORDS, PROOF_COUNTS, PROOF_LOGS };

/**
 * proof_note() - @f, when each of its outcomes tells one number more
 * @p:		Proof
 * @f:		Function
 * @what:	Where that is told
 * @passes:	Only of packets that pass, not of those that are blocked
 * @number:	Number
 */
dd proof_note(struct proof *p, dd f, enum proof_noted what, bool passes, uint16_t number);

/** proof_mark_bit() - The variable of a mark's bit that @mask is, DD_NO_VAR for none */
uint32_t proof_mark_bit(const struct proof *p, enum part mark, uint32_t mask);

/** proof_mark_is() - The bits of @mask are those of @value */
dd proof_mark_is(struct proof *p, enum part mark, uint32_t mask, uint32_t value);

/** proof_assign() - @f, when the bits of @mask have become those of @value */
dd proof_assign(struct proof *p, dd f, enum part mark, uint32_t mask, uint32_t value);

/** proof_spread() - The bits of @mask, from the lowest on, as those of @value */
uint32_t proof_spread(uint32_t value, uint32_t mask);

/**
 * struct proof_to - Where a translation leads
 * @x:		Translation; ports that stay are 0
 * @has_port:	It gives a port
 * @id_lo:	The least id that it gives to an ICMP query
 * @id_hi:	The highest; 0: ids stay
 * @then:	What becomes of a packet that it changes, by the number of what it is
 * @arg:	For @then
 * @unchanged:	And of one that it leaves as it is
 * @here:	By variable: what is known of the packet; NULL: nothing.  The result
 *		counts only for such packets
 */
struct proof_to {
	struct translation x;
	bool has_port;
	uint16_t id_lo;
	uint16_t id_hi;
	dd (*then)(void *arg, uint32_t xlate);
	void *arg;
	dd unchanged;
	const uint8_t *here;
};

/** proof_translate() - A translation of one address: what becomes of each packet */
dd proof_translate(struct proof *p, const struct proof_to *to);

/** prove_packet_usual() - Give the headers of a packet the numbers that they mostly have */
void prove_packet_usual(struct packet *p);

/** prove_packet_line() - A packet at @iface, FreeBSD's name, as `why --batch` reads it */
const char *prove_packet_line(struct arena *a, const struct packet *p, const char *iface);

/**
 * prove_packet_in() - A packet of a set, as ordinary as may be
 * @p:		Proof
 * @dir:	Direction
 * @in:		The set
 * @ret:	Set on success
 * @ret_line:	Set to it as `why --batch` reads it
 *
 * Return: false where the set is empty
 */
bool prove_packet_in(struct proof *p, enum direction dir, dd in, struct packet *ret,
		     const char **ret_line);

#endif /* PROVE_PROOF_H */
