/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * norm - the normal form: what the parts of its printer share
 *
 * A statement is taken apart into single rules, in pfctl's order, and each is
 * printed on a line.
 */
#ifndef LANG_PF_NORM_H
#define LANG_PF_NORM_H

#include "lang/pf/lower.h"

/**
 * struct pf_nhost - One address of a single rule
 * @kind:	As of the host it comes from; never PH_NAME
 * @is_not:	All others
 * @mods:	Of PH_DYNAMIC: PHM_*
 * @af:		Family, or AF_NONE for either
 * @len:	Length of the prefix; of PH_DYNAMIC up to 128
 * @a:		Address, or the first of a range
 * @hi:		The last of a range
 * @name:	Of the interface or table
 * @scope:	Interface that the address belongs to, or NULL
 */
struct pf_nhost {
	enum pf_host_kind kind;
	bool is_not;
	uint8_t mods;
	uint8_t af;
	uint8_t len;
	struct addr a;
	struct addr hi;
	const char *name;
	const char *scope;
};

/** struct pf_nhosts - Addresses of single rules */
struct pf_nhosts {
	VEC(struct pf_nhost) list;
};

/**
 * struct pf_nrule - A single rule
 * @r:		The rule that it comes from
 * @af:		Family, or AF_NONE
 * @ifname:	Interface, or NULL
 * @if_not:	All others
 * @proto:	Protocol, or -1
 * @icmp:	Or NULL
 * @src:	Source
 * @dst:	Destination
 * @sport:	Or NULL
 * @dport:	Or NULL
 * @os:		Or NULL
 * @user:	Or NULL
 * @group:	Or NULL
 * @flags:	TCP flags to be printed: set, and of these
 * @flag_mask:	As @flags
 * @pool:	Where a translation leads
 * @nr:		Number within its ruleset
 */
struct pf_nrule {
	const struct pf_rule *r;
	uint8_t af;
	const char *ifname;
	bool if_not;
	int16_t proto;
	const struct pf_icmp *icmp;
	struct pf_nhost src;
	struct pf_nhost dst;
	const struct pf_port *sport;
	const struct pf_port *dport;
	const struct pf_os *os;
	const struct pf_id *user;
	const struct pf_id *group;
	uint8_t flags;
	uint8_t flag_mask;
	const struct pf_nhosts *pool;
	uint32_t nr;
};

/**
 * struct pf_norm - State of printing
 * @l:		For addresses of interfaces
 * @out:	Where to
 * @visit:	Told of each single rule instead of printing it, or NULL
 * @arg:	For @visit
 * @show:	Which rules are shown and how; NULL: the normal form of a file
 * @depth:	Anchors around
 * @nr:		Number of the next rule
 * @part:	Number of the last rule within its statement
 */
struct pf_norm {
	struct pf_lower l;
	FILE *out;
	void (*visit)(struct pf_norm *n, const struct pf_nrule *x, void *arg);
	void *arg;
	const struct pf_show *show;
	uint32_t depth;
	uint32_t nr;
	uint32_t part;
};

/** pf_norm_hosts() - Addresses of a list, one each; false when something was told */
bool pf_norm_hosts(struct pf_norm *n, const struct pf_hosts *hosts, struct pf_nhosts *out);

/** pf_norm_statement() - Print the single rules of a rule; false when something was told */
bool pf_norm_statement(struct pf_norm *n, const struct pf_stmt *s);

/** pf_norm_number() - Set the number of the next rule to that of @s among @stmts */
void pf_norm_number(struct pf_norm *n, const struct pf_stmt *stmts, uint32_t n_stmts,
		    const struct pf_stmt *s);

/** pf_norm_name() - A label or tag with "$srcaddr" and its like as they are for this rule */
const char *pf_norm_name(struct pf_norm *n, const struct pf_nrule *x, const char *s);

/** pf_norm_block() - Print the rules of an anchor's block */
bool pf_norm_block(struct pf_norm *n, const struct pf_anchor *a);

/** pf_norm_shows_inside() - Are the rules of an anchor printed behind its call */
bool pf_norm_shows_inside(const struct pf_norm *n, const struct pf_anchor *a);

/** pf_norm_inside() - Print them */
bool pf_norm_inside(struct pf_norm *n, const struct pf_anchor *a);

/** pf_norm_rule() - Print a single rule, without the end of the line */
void pf_norm_rule(struct pf_norm *n, const struct pf_nrule *x);

/** pf_norm_state() - Print the options of a rule's state */
void pf_norm_state(struct pf_norm *n, const struct pf_nrule *x);

/** pf_norm_host() - Print an address in a rule of family @af */
void pf_norm_host(FILE *out, const struct pf_nhost *h, uint8_t af);

#endif /* LANG_PF_NORM_H */
