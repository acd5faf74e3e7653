/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forward - what $forward, $nat and `forward add` mean as rules
 *
 * They are the last translations of a ruleset: what the user wrote there comes
 * first, and a place outside may be claimed once.
 *
 * Owns:	 nothing; lives in the model's arena.
 * Does not:	 know who listens on the host.
 */
#ifndef MODEL_FORWARD_H
#define MODEL_FORWARD_H

#include "model/decl.h"
#include "model/model.h"

/**
 * struct forward_lists - Where the rules go
 * @rdr:	List of inbound translations, first match
 * @nat:	List of outbound ones
 * @filter:	List that judges what is translated and does not pass at once
 */
struct forward_lists {
	uint32_t rdr;
	uint32_t nat;
	uint32_t filter;
};

/** forward_is_any() - Does an enabled jail have a forward, a nat or a limit */
bool forward_is_any(const struct decl *d);

/**
 * forward_lower() - Add the rules of all enabled jails to a model
 * @m:		Model with the written translations
 * @d:		Declarations, finished
 * @lists:	Where to
 * @tolerate_missing: An interface that is not known is a note (N1608), and what
 *		needs it matches nothing; else it is an error
 * @diags:	Told of forwards that lead nowhere (E1604, E1605, E1607), and of two
 *		that claim one place (E1606)
 *
 * Cost: O(n log n) in the forwards, and O(n * rules) where rules are written.
 *
 * Return: true; false when an error was told
 */
MUST_USE bool forward_lower(struct model *m, const struct decl *d,
			    const struct forward_lists *lists, bool tolerate_missing,
			    struct diags *diags);

/** struct forward_parts - Forwards */
struct forward_parts {
	VEC(struct decl_forward) list;
};

/**
 * forward_part() - Part a forward by outside ports
 * @a:		Memory
 * @f:		Forward
 * @protos:	DECL_TCP, DECL_UDP or both
 * @lo:		Lowest outside port
 * @hi:		Highest
 * @ret_in:	What of it is of these protocols and ports is added, unless nothing
 * @ret_rest:	And what is not; the text of each is that of the whole
 *
 * Return: whether something is
 */
bool forward_part(struct arena *a, const struct decl_forward *f, uint8_t protos, uint32_t lo,
		  uint32_t hi, struct forward_parts *ret_in, struct forward_parts *ret_rest);

/** struct forward_addrs - Addresses */
struct forward_addrs {
	VEC(struct addr) list;
};

/**
 * forward_externals() - The outside addresses of a forward
 * @facts:	Host
 * @d:		Declarations: addresses of jails are none of the host's
 * @j:		Its jail
 * @f:		Forward
 * @ret:	Addresses are added, of the jail's families only
 *
 * Return: the interface that they are of, or NULL: `to` says it, or there is none
 */
const char *forward_externals(const struct facts *facts, const struct decl *d,
			      const struct decl_jail *j, const struct decl_forward *f,
			      struct forward_addrs *ret);

/**
 * struct forward_fronts - Where clients outside come to a jail's server
 * @addrs:	Addresses of the host, of both families
 * @iface:	The interface that they are of, [0] IPv4, [1] IPv6; NULL: none
 */
struct forward_fronts {
	struct forward_addrs addrs;
	const char *iface[2];
};

/**
 * forward_fronts() - Where a proxy on the host listens for a jail
 * @facts:	Host
 * @d:		Declarations: addresses of jails are none of the host's
 * @j:		Jail; its own families do not matter, as the proxy talks to it
 * @ret:	Set
 *
 * The addresses of its $nat's interface, else of the default route's.
 */
void forward_fronts(const struct facts *facts, const struct decl *d, const struct decl_jail *j,
		    struct forward_fronts *ret);

/** forward_inside() - The jail's first address of a family, or AF_NONE */
struct addr forward_inside(const struct decl_jail *j, uint8_t af);

/**
 * struct forward_way - How a jail's packets of one family leave
 * @iface:	Interface; "egress" is resolved
 * @as:		Address that they get there, or AF_NONE: there is none
 */
struct forward_way {
	const char *iface;
	struct addr as;
};

/** forward_way() - What a $nat says of a family @af */
struct forward_way forward_way(const struct facts *facts, const struct decl *d,
			       const struct decl_nat *n, uint8_t af);

#endif /* MODEL_FORWARD_H */
