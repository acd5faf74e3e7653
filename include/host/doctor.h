/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor - what will stop a declared thing from working
 *
 * Looks at what nobody declared: other tables' chains, services of the host on
 * all addresses, settings, files of other tools.  Each finding names the object
 * and the line that cures it.
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 change anything, or compare the host with the declarations
 *		 (host/plan.h does).
 * Threads:	 none.
 */
#ifndef HOST_DOCTOR_H
#define HOST_DOCTOR_H

#include "host/have.h"
#include "model/decl.h"
#include "model/model.h"

/**
 * struct doctor_finding - Something found
 * @object:	"table inet filter, chain input (hook input, priority 0)",
 *		"tcp *:80, nginx (pid 812)"
 * @what:	What it does to what was declared
 * @cure:	A line to type or to write, or NULL
 * @at:		The declaration that suffers, or SPAN_NONE
 * @is_note:	It may be as it should
 */
struct doctor_finding {
	const char *object;
	const char *what;
	const char *cure;
	struct span at;
	bool is_note;
};

/**
 * struct doctor_forward - A port that leads inside
 * @proto:	Protocol
 * @to:		Outside address, AF_NONE: any
 * @lo:		Lowest outside port
 * @hi:		Highest
 * @inside:	Where it leads, AF_NONE: to more than one address
 * @port:	What @lo becomes
 * @src:	Whom it is for, NULL: anybody
 * @at:		Its declaration
 */
struct doctor_forward {
	uint8_t proto;
	struct addr to;
	uint16_t lo;
	uint16_t hi;
	struct addr inside;
	uint16_t port;
	const struct set *src;
	struct span at;
};

/**
 * struct doctor - An examination
 * @a:		Memory
 * @d:		Declarations
 * @facts:	Host
 * @m:		Its model
 * @nft:	Session of NETLINK_NETFILTER
 * @root:	Where files are looked for; "" for the host
 * @found:	Findings, in the order of the checks
 * @forwards:	Set by doctor_run()
 */
struct doctor {
	struct arena *a;
	const struct decl *d;
	const struct facts *facts;
	const struct model *m;
	struct nl_session *nft;
	const char *root;
	VEC(struct doctor_finding) found;
	VEC(struct doctor_forward) forwards;
};

/**
 * doctor_run() - Look at everything
 * @x:		Examination, all set but findings and forwards
 *
 * Return: 0, or a negative errno of what could not be looked at
 */
MUST_USE int doctor_run(struct doctor *x);

/** doctor_conntrack() - Are @n of @max connections too many; < 0: not known */
void doctor_conntrack(struct doctor *x, int64_t n, int64_t max);

/** doctor_add() - A finding; its texts are the caller's to make in the arena */
void doctor_add(struct doctor *x, const struct doctor_finding *f);

/** doctor_host_addr() - The host's own address of a family, for cures; AF_NONE: none is known */
struct addr doctor_host_addr(const struct doctor *x, uint8_t af);

/** doctor_chains() - Other tables' chains that drop what is for jails */
MUST_USE int doctor_chains(struct doctor *x);

/**
 * struct doctor_block - A forward whose first packet another table drops or redirects
 * @f:		Forward
 * @by:		Where: "table inet filter, chain input (hook input, priority 0), its policy"
 * @iface:	Interface that the packet comes by, NULL: none is known
 * @from:	Whom it comes from
 * @is_elsewhere: It gives the packet another destination
 * @is_open:	It is not known: a rule there asks for more, or cannot be read
 */
struct doctor_block {
	const struct doctor_forward *f;
	const char *by;
	const char *iface;
	struct addr from;
	bool is_elsewhere;
	bool is_open;
};

/**
 * struct doctor_blocks - All of them, of each chain some
 * @list:	They
 * @n_untried:	Forwards too many to be tried with any chain
 */
struct doctor_blocks {
	VEC(struct doctor_block) list;
	uint32_t n_untried;
};

/**
 * doctor_foreign() - Which forwards other tables break
 * @x:		Examination, all set but findings and forwards
 * @ret:	Gains them, with a packet for each of one whom it is for, a stranger's
 *		where it is for strangers
 *
 * Chains that translate are looked at where they come before ours.
 *
 * Return: 0, or a negative errno
 */
MUST_USE int doctor_foreign(struct doctor *x, struct doctor_blocks *ret);

/** doctor_find_forwards() - Set @x->forwards by the model */
void doctor_find_forwards(struct doctor *x);

/** doctor_sockets() - Services of the host on all addresses */
MUST_USE int doctor_sockets(struct doctor *x);

#endif /* HOST_DOCTOR_H */
