/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quick_state - what is written down for the next change of a forward
 *
 * Owns:	 nothing; what is read lives in the arena.
 * Does not:	 hold the lock, or know whether it is still true (struct quick_now says how).
 */
#ifndef CLI_QUICK_STATE_H
#define CLI_QUICK_STATE_H

#include "cli/quick.h"
#include "model/forward.h"
#include "target/nft_forward.h"

#define QUICK_OFF_BYTES	4096u	/* what is known of the forward that is off */

/**
 * struct quick_now - What changes with each forward
 * @genid:	It is true while the ruleset has this generation; 0: it is not
 * @n:		Elements by family
 * @n_gone:	Elements that went since the rest was written down
 * @n_flows:	Flows that may be older than the counters of their elements
 * @off_len:	Of struct quick.off, bytes
 * @check:	Over all
 */
struct quick_now {
	uint32_t genid;
	uint32_t n[2];
	uint32_t n_gone;
	uint32_t n_flows;
	uint32_t off_len;
	uint32_t check;
};

/** struct quick_numbers - Numbers */
struct quick_numbers {
	VEC(uint32_t) list;
};

/**
 * struct quick - What was written down
 * @now:	Numbers
 * @off:	The forward that is off; "": none
 * @maps:	By family
 * @most:	Entries of the journal
 * @inside:	The jail's addresses by family, AF_NONE: nothing leads there
 * @n_inside:	Elements that led there
 * @outside:	All outside addresses
 * @n_outside:	Elements that each had
 * @n_asleep:	Forwards of the jail that have no element, as nothing leads to them
 * @own:	Those of a forward of the jail that says none
 * @has_jail:	The jail is known
 */
struct quick {
	struct quick_now now;
	const char *off;
	struct nft_forward_map maps[2];
	uint32_t most;
	struct addr inside[2];
	uint32_t n_inside[2];
	struct forward_addrs outside;
	struct quick_numbers n_outside;
	uint32_t n_asleep;
	struct forward_addrs own;
	bool has_jail;
};

/** quick_is_there() - Is there something written down; nothing is locked or made */
bool quick_is_there(struct cli *c);

/** quick_load() - Read it for a jail; false when it does not say all */
bool quick_load(struct cli *c, const struct state *st, const char *jail, struct quick *ret);

/** quick_save_now() - Write the numbers; @n.off_len and @n.check are set; was it written */
bool quick_save_now(const struct state *st, struct quick_now n, const char *off);

/** quick_void_now() - Nothing is known until it is saved again; was it written */
bool quick_void_now(const struct state *st);

/** quick_read_addr() - The address or "none" at *@at, moved behind it; false: neither */
bool quick_read_addr(const char **at, struct addr *ret);

/** quick_read_number() - The number at *@at, which is moved behind it */
uint32_t quick_read_number(const char **at);

#endif /* CLI_QUICK_STATE_H */
