/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forward_work - what the files that lower forwards share
 *
 * Owns:	 nothing; lives in the model's arena.
 */
#ifndef MODEL_FORWARD_WORK_H
#define MODEL_FORWARD_WORK_H

#include "model/forward.h"
#include "model/portmap.h"

/**
 * struct forward - A forward that is in force
 * @f:		It
 * @j:		Its jail
 * @map:	The table that it is part of, NULL: it is rules
 * @inside:	Its inside addresses in the table, by family, [0] IPv4
 * @origin:	Its origin in the table
 */
struct forward {
	const struct decl_forward *f;
	const struct decl_jail *j;
	struct portmap *map;
	uint32_t inside[2];
	uint32_t origin;
};

#define CLAIM_PROTO	16u			/* bits of a key below the protocol: the port */
#define CLAIM_ADDR	(CLAIM_PROTO + 1)	/* and below the address */

/**
 * struct claim - Ports of an outside address that a forward claims
 * @key:	Number of the address, protocol, lowest port, from the highest bit on:
 *		claims sort as rows do
 * @forward:	Whose, in lower.forwards
 * @item:	Which of its ports
 * @is_one:	They are one; else the forward says up to which they go
 */
struct claim {
	uint64_t key;
	uint32_t forward;
	uint32_t item : 31;
	uint32_t is_one : 1;
};

/**
 * struct open_map - A table that forwards still join
 * @on:		Of these forwards
 * @is_filtered: The same
 * @map:	The table
 */
struct open_map {
	const char *on;
	bool is_filtered;
	struct portmap *map;
};

/**
 * struct known_externals - What forward_externals() said last, for the next of the jail
 * @j:		Jail, or NULL
 * @on:		Interface that was said, or NULL
 * @iface:	What it returned
 * @addrs:	What it found
 */
struct known_externals {
	const struct decl_jail *j;
	const char *on;
	const char *iface;
	struct forward_addrs addrs;
};

/**
 * struct port_blocks - Ports of a public address that were given to jails
 * @as:		The address
 * @last:	Jail that got some last, from @lo to below @next
 * @lo:		See @last
 * @next:	Lowest that is free
 * @n:		Blocks given
 */
struct port_blocks {
	struct addr as;
	const struct decl_jail *last;
	uint32_t lo;
	uint32_t next;
	uint32_t n;
};

/**
 * struct lower - The lowering of all forwards
 * @m:		Model
 * @tmp:	Memory until all are lowered
 * @d:		Declarations
 * @lists:	Where rules go
 * @tolerate:	See forward_lower()
 * @diags:	Told
 * @numbers:	Outside addresses, numbered
 * @outside:	They by number
 * @forwards:	Those in force that lead somewhere
 * @claims:	Theirs, sorted by claims_sort()
 * @open:	Tables
 * @known:	See there
 * @blocks:	By public address
 */
struct lower {
	struct model *m;
	struct arena *tmp;
	const struct decl *d;
	const struct forward_lists *lists;
	bool tolerate;
	struct diags *diags;
	struct intern numbers;
	VEC(struct addr) outside;
	VEC(struct forward) forwards;
	VEC(struct claim) claims;
	VEC(struct open_map) open;
	struct known_externals known;
	VEC(struct port_blocks) blocks;
};

/** claims_add() - What the last of the forwards claims of outside addresses */
void claims_add(struct lower *l, const struct forward_addrs *to);

/** claim_addr() - The outside address */
struct addr claim_addr(const struct lower *l, const struct claim *c);

/** claim_proto() - The protocol */
uint8_t claim_proto(const struct claim *c);

/** claim_ports() - The ports, outside and inside */
const struct decl_ports *claim_ports(const struct lower *l, const struct claim *c);

/** claims_sort() - Sort them as rows of a table are */
void claims_sort(struct lower *l);

/** claims_check() - Does each place have one forward; false when told of others */
bool claims_check(struct lower *l);

/** claims_check_written() - Do the first @n_written rules leave them alone; false when told */
bool claims_check_written(struct lower *l, uint32_t n_written);

/**
 * ports_take() - The ports that a jail leaves with by a public address
 * @l:		Lowering; jails come in their order
 * @j:		Jail, up or not
 * @as:		Address
 * @ret:	Its ports are set, where the jail has a block
 *
 * Return: true; false when told that none is left
 */
bool ports_take(struct lower *l, const struct decl_jail *j, struct addr as, struct xlate *ret);

/** quota_is_any() - Does it limit anything */
bool quota_is_any(const struct decl_quota *q);

/** quota_add_forward() - The quota of the last of the forwards, by its outside addresses */
void quota_add_forward(struct lower *l, const struct forward_addrs *to);

/** quota_add_jail() - The quota of a jail */
void quota_add_jail(struct lower *l, const struct decl_jail *j);

#endif /* MODEL_FORWARD_WORK_H */
