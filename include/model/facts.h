/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts - what is known of the host: interfaces, addresses, groups, routes
 *
 * Declarations speak of addresses of interfaces, their networks, and the
 * default route's interface.  The facts come from a file, from rc.conf, or
 * from the live namespace; who reads them decides, everything after uses them
 * without knowing.
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 read the host.  Names are FreeBSD's: lo0 is Linux's lo.
 * Threads:	 none.
 */
#ifndef MODEL_FACTS_H
#define MODEL_FACTS_H

#include "base/intern.h"
#include "diag/source.h"
#include "net/set.h"

/**
 * enum iface_kind - What an interface is to a jail host
 * @IFACE_REAL:		Leads to other hosts: any that is none of the below
 * @IFACE_LO:		lo0, the host's own loopback
 * @IFACE_CLONED:	A cloned loopback: loN with N >= 1, or listed in
 *			cloned_interfaces and of kind lo
 * @IFACE_JAIL:		A jail's own link (veth, bridge made for jails)
 */
enum iface_kind { IFACE_REAL, IFACE_LO, IFACE_CLONED, IFACE_JAIL };

/**
 * struct iface_addr - An address of an interface
 * @p:		Address with the length of its network
 * @peer:	Other end of a point-to-point link, or AF_NONE
 * @at:		Where it was declared; SPAN_NONE if read from the host
 * @is_live:	Seen on the host
 */
struct iface_addr {
	struct prefix p;
	struct addr peer;
	struct span at;
	bool is_live;
};

/**
 * struct iface - An interface
 * @name:	FreeBSD's name, interned
 * @id:		Its number in the intern table: what sets of interfaces hold
 * @kind:	What it is
 * @groups:	Interned names of its groups, "lo" included
 * @addrs:	In the order of the host: the first of a family is primary
 * @behind:	Networks of the jail behind it, which are none of the host's
 * @gateway:	Of a jail's routed link: the host's address there, as the jail sees
 *		it, [0] IPv4, [1] IPv6; else AF_NONE
 * @linklocal:	Of a bridge's port: the jail's link-local address, or AF_NONE
 * @is_port:	A port of a bridge: its packets cross the bridge, not itself
 * @is_open:	A port of a bridge that may lead anywhere
 * @is_live:	Exists on the host
 */
struct iface {
	const char *name;
	uint32_t id;
	enum iface_kind kind;
	VEC(const char *) groups;
	VEC(struct iface_addr) addrs;
	VEC(struct prefix) behind;
	struct addr gateway[2];
	struct addr linklocal;
	bool is_port;
	bool is_open;
	bool is_live;
};

/**
 * struct facts_slot - Where an address is
 * @iface:	Index + 1 in facts.ifaces; 0 = free
 * @addr:	Index in its addresses
 */
struct facts_slot {
	uint32_t iface;
	uint32_t addr;
};

/**
 * struct facts - All interfaces and the default routes
 * @a:		Memory
 * @names:	Interned names
 * @ifaces:	Interfaces
 * @default_if:	Interned name of the default route's interface, [0] IPv4,
 *		[1] IPv6; NULL: none
 * @default_via: Its gateway, or AF_NONE
 * @slot:	Hash of all addresses; what facts_add_addr() has added
 * @n_slots:	Slots, a power of two
 * @n_addrs:	Addresses
 */
struct facts {
	struct arena *a;
	struct intern *names;
	VEC(struct iface) ifaces;
	const char *default_if[2];
	struct addr default_via[2];
	struct facts_slot *slot;
	uint32_t n_slots;
	uint32_t n_addrs;
};

/** facts_init() - Only lo0 with 127.0.0.1/8 and ::1/128 */
void facts_init(struct facts *f, struct arena *a, struct intern *names);

/** facts_clear() - No interfaces at all: others say which there are, and in what order */
void facts_clear(struct facts *f);

/** facts_find() - The interface with FreeBSD name @name, or NULL */
struct iface *facts_find(const struct facts *f, const char *name);

/**
 * facts_add() - An interface, made if it is not there
 * @f:		Facts
 * @name:	FreeBSD name; its kind follows from it (lo0, loN, else real)
 *
 * Return: the interface; valid until the next facts_add()
 */
struct iface *facts_add(struct facts *f, const char *name);

/** facts_add_group() - Make @i a member of a group, once */
void facts_add_group(struct facts *f, struct iface *i, const char *group);

/** facts_add_addr() - Add an address, or mark the same address live */
void facts_add_addr(struct facts *f, struct iface *i, struct iface_addr addr);

/** facts_has_group() - Is @i in group @group ("egress": has a default route) */
bool facts_has_group(const struct facts *f, const struct iface *i, const char *group);

/** facts_is_group() - Does any interface belong to @group, or is it "lo" or "egress" */
bool facts_is_group(const struct facts *f, const char *group);

/**
 * facts_linux_name() - Linux's name of an interface
 * @name:	FreeBSD's name
 *
 * Return: "lo" for "lo0", else @name
 */
const char *facts_linux_name(const char *name);

/** facts_freebsd_name() - "lo0" for "lo", else @name */
const char *facts_freebsd_name(const char *name);

/** facts_is_loopback_name() - lo0, lo1, lo2, ...: "lo" and a number */
bool facts_is_loopback_name(const char *name);

/** facts_local() - The set of all addresses of all interfaces */
const struct set *facts_local(const struct facts *f);

/** facts_iface_of() - The interface that has address @a, or NULL */
const struct iface *facts_iface_of(const struct facts *f, struct addr a);

/** facts_is_own() - Is @a an address of the host, or 127.0.0.0/8 or ::1 */
bool facts_is_own(const struct facts *f, struct addr a);

/** iface_leads_to() - Is @a in a network of @i, or behind it */
bool iface_leads_to(const struct iface *i, struct addr a);

/**
 * enum route_back - Where the way to an address leads
 * @ROUTE_HERE:	Out of the interface crossed
 * @ROUTE_ELSEWHERE: Out of another
 * @ROUTE_NONE:	Nowhere
 */
enum route_back { ROUTE_HERE, ROUTE_ELSEWHERE, ROUTE_NONE };

/**
 * facts_route_back() - Where the way to an address leads
 * @f:		Facts
 * @a:		Address
 * @iface:	Number of the interface that asks, 0: whichever
 *
 * The networks of all interfaces and the default routes are what is known.  On
 * a loopback every address is at home, as it is to Linux.
 *
 * Return: an enum route_back
 */
uint8_t facts_route_back(const struct facts *f, struct addr a, uint32_t iface);

/**
 * facts_crossed() - The interface that FreeBSD would have used on lo0
 * @f:		Facts
 * @ifname:	Interface crossed
 * @dst:	Destination of the packet
 *
 * Linux sends all local traffic through lo; FreeBSD sends what is for an
 * address of lo1 through lo1.
 *
 * Return: the cloned loopback that has @dst if @ifname is lo0, else @ifname
 */
const char *facts_crossed(const struct facts *f, const char *ifname, struct addr dst);

#endif /* MODEL_FACTS_H */
