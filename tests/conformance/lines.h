/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines - one test for each requirement on a NAT, by its number
 *
 *	LINE(fn, "4787-1", MUST, "one outside endpoint whatever the destination")
 *	{
 *		...
 *		WANT(condition);
 *	}
 *
 * A line that wants nothing fails.  Lines run on the core with a virtual clock;
 * each begins with plain() or with setup() and kit_start(&k).
 *
 * Owns:	 the kit k, started anew by each line.
 */
#ifndef TESTS_CONFORMANCE_LINES_H
#define TESTS_CONFORMANCE_LINES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "natkit.h"

enum level { MUST, SHOULD, MAY };

/**
 * struct line - A requirement
 * @fn:		Its test
 * @id:		Number: RFC and requirement
 * @level:	Stricter one where there are two
 * @what:	In a few words
 * @next:	Next one
 */
struct line {
	void (*fn)(void);
	const char *id;
	enum level level;
	const char *what;
	struct line *next;
};

extern struct kit k;

void line_register(struct line *l);
void line_want(bool holds, const char *file, int line, const char *text);
void line_na(const char *reason);

#define LINE(name, id, level, what) \
	static void line_##name(void); \
	static struct line of_##name = { line_##name, id, level, what, NULL }; \
	__attribute__((constructor)) static void reg_##name(void) \
	{ \
		line_register(&of_##name); \
	} \
	static void line_##name(void)

/** WANT() - It must hold */
#define WANT(cond)	line_want(!!(cond), __FILE__, __LINE__, #cond)

/** NOT_HERE() - The line does not apply, for a reason */
#define NOT_HERE(reason) \
	do { \
		line_na(reason); \
		return; \
	} while (0)

/* ---- what lines have in common ------------------------------------------------ */

/** setup() - The usual configuration, to be changed before kit_start(&k) */
void setup(void);

/** plain() - Start with the usual configuration */
void plain(void);

/** behave() - Mapping and filtering of all classes; before kit_start() */
void behave(enum nat_behaviour mapping, enum nat_behaviour filtering);

/** out() - From inside; forwarded outwards, sound, from NAT1 */
bool out(const struct kpkt *p);

/** in() - From outside; forwarded inwards, sound */
bool in(const struct kpkt *p);

/** out_port() - Outside port that a UDP packet of this flow gets, 0: dropped */
uint16_t out_port(struct addr src, uint16_t sport, struct addr dst, uint16_t dport);

/** tcp_port() - The same of a SYN */
uint16_t tcp_port(struct addr src, uint16_t sport, struct addr dst, uint16_t dport);

/** tcp_open() - The three segments of a connection from IN1:@sport to SRV1:80 */
bool tcp_open(uint16_t sport);

/** made() - The @i-th packet that came out beside the last one, or NULL */
uint8_t *made(uint32_t i);

/** made_error() - The last call made one ICMP error of this type and code; it */
uint8_t *made_error(uint8_t type, uint8_t code);

/** flows() - Sessions alive */
uint32_t flows(void);

/** flow_of() - The session of an inside port; false: none */
bool flow_of(uint8_t proto, uint16_t sport, struct nat_flow *ret);

/** dropped() - Packets dropped for a reason so far */
uint64_t dropped(enum nat_reason why);

#endif /* TESTS_CONFORMANCE_LINES_H */
