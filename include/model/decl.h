/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decl - what is declared of the host and its jails, whatever the language
 *
 * jail.conf, rc.conf and their relatives end here: links to clone, addresses
 * to set, sysctls, and the jails.  Packet rules are not here but in the model.
 *
 * Owns:	 nothing; lives in the arena.
 * Threads:	 none.
 */
#ifndef MODEL_DECL_H
#define MODEL_DECL_H

#include "diag/diag.h"
#include "model/facts.h"

/**
 * struct decl_link - A cloned loopback that is to exist
 * @name:	"lo1"
 * @at:		Where it is declared, or first needed
 * @for_jails:	Only jails ask for it: it goes when none that is up does
 */
struct decl_link {
	const char *name;
	struct span at;
	bool for_jails;
};

/**
 * struct decl_addr - An address that is to be on an interface
 * @iface:	FreeBSD name of the interface; NULL: a jail's address without
 *		interface, which is checked, not added
 * @p:		Address and length
 * @peer:	Other end, or AF_NONE
 * @jail:	Jail that declares it, or NULL for rc.conf; in decl.addrs a
 *		jail that declares the same address, which stands there too
 * @at:		Where it is declared
 * @is_host:	A fact about an interface of the host (rc.conf's ifconfig_igb0):
 *		never set by us, used to resolve rules without the live host
 * @is_alias:	Of these: it stands beside another, or has no network
 * @is_jails:	Of aliases: a jail declares it there too, so it is set, and stays
 *		when the jail goes
 * @is_shared:	Other jails may have it too
 * @is_added:	By `alias add`
 */
struct decl_addr {
	const char *iface;
	struct prefix p;
	struct addr peer;
	const char *jail;
	struct span at;
	bool is_host;
	bool is_alias;
	bool is_jails;
	bool is_shared;
	bool is_added;
};

/**
 * struct decl_sysctl - A kernel setting
 * @name:	FreeBSD's name, "net.inet.ip.forwarding"
 * @value:	As written
 * @at:		Where it is declared
 */
struct decl_sysctl {
	const char *name;
	const char *value;
	struct span at;
};

/**
 * struct decl_param - A jail parameter as written
 * @name:	"exec.start", "ip4.addr", "$nat" for a user variable
 * @values:	Its values, variables expanded; none for a boolean
 * @at:		Where it is declared
 */
struct decl_param {
	const char *name;
	VEC(const char *) values;
	struct span at;
};

#define DECL_TCP	0x01u
#define DECL_UDP	0x02u

/**
 * struct decl_ports - Ports outside and what they become inside
 * @ext_lo:	Lowest outside port, >= 1
 * @ext_hi:	Highest, >= @ext_lo
 * @int_lo:	Inside port of @ext_lo
 * @int_hi:	@int_lo: all go to that one; else of @ext_hi, at the same distance
 */
struct decl_ports {
	uint16_t ext_lo;
	uint16_t ext_hi;
	uint16_t int_lo;
	uint16_t int_hi;
};

/**
 * struct decl_quota - How many connections there may be
 * @max:	At once; 0: any number
 * @rate:	New ones in @per_s seconds; 0: any number
 * @per_s:	1, 60, 3600 or 86400
 * @at:		Where that is said
 */
struct decl_quota {
	uint32_t max;
	uint32_t rate;
	uint32_t per_s;
	struct span at;
};

/**
 * struct decl_blocks - Ports that a jail leaves with, as no other does
 * @size:	How many; 0: not said, any port
 * @n:		How many such blocks an address has at most; 0: as many as fit
 * @at:		Where that is said
 */
struct decl_blocks {
	uint32_t size;
	uint32_t n;
	struct span at;
};

/**
 * struct decl_forward - Ports of the host that lead to a jail
 * @from:	Only from here; AF_NONE: from everywhere
 * @to:		Only this address of the host; AF_NONE: those that
 *		forward_externals() gives
 * @ports:	Which, at least one
 * @on:		Only on this interface; NULL: any
 * @until:	Ends then, seconds since 1970; 0: never
 * @text:	As written, one line
 * @at:		Where
 * @protos:	DECL_TCP, DECL_UDP or both
 * @is_log:	What it translates is logged
 * @is_filtered: The written rules judge it too; else it passes, as `rdr pass`
 * @is_shared:	Others may claim the same place
 * @quota:	Of connections by it
 * @is_off:	Switched off: not in force, but remembered
 * @is_added:	At run time, by `forward add`
 *
 * In an order without gaps: there may be 100,000.
 */
struct decl_forward {
	struct prefix from;
	struct addr to;
	VEC(struct decl_ports) ports;
	const char *on;
	int64_t until;
	const char *text;
	struct span at;
	uint8_t protos;
	bool is_log;
	bool is_filtered;
	bool is_shared;
	struct decl_quota quota;
	bool is_off;
	bool is_added;
};

/**
 * struct decl_nat - Where a jail goes out, and as whom
 * @iface:	Interface; "egress", where none has that name: the default route's
 * @as:		Address that it gets there; AF_NONE: the first of its family on
 *		@iface
 * @at:		Where that is written
 */
struct decl_nat {
	const char *iface;
	struct addr as;
	struct span at;
};

/**
 * struct decl_site - A name of the web that a jail answers to
 * @name:	In lower case; "*.example.org" stands for every name below it
 * @http_port:	Port of the jail for what comes by the Host header
 * @tls_port:	And for TLS, by its server name
 * @is_proxy:	The jail's server reads the PROXY protocol
 * @is_balanced: Other jails may answer to it too, each gets a share
 * @at:		Where the name is written
 */
struct decl_site {
	const char *name;
	uint16_t http_port;
	uint16_t tls_port;
	bool is_proxy;
	bool is_balanced;
	struct span at;
};

/**
 * struct decl_pool - Addresses of which a jail gets one, unless it has one of the family
 * @iface:	FreeBSD name of the interface
 * @net:	Network
 * @hold_seconds: Time that one rests before another jail may get it
 * @at:		Where
 */
struct decl_pool {
	const char *iface;
	struct prefix net;
	uint32_t hold_seconds;
	struct span at;
};

/**
 * struct decl_vnet - The link of a jail with a network stack of its own
 * @host_if:	Its end on the host, "epair0a"; NULL: no vnet jail
 * @jail_if:	Its end in the jail, "epair0b"
 * @named:	The end in the jail as vnet.interface says it, or NULL
 * @gateway:	The jail's way out, [0] IPv4, [1] IPv6; of a routed jail also the
 *		address of the host's end.  AF_NONE: not declared
 * @bridge:	Bridge that the host's end is a port of; NULL: routed
 * @is_foreign:	The bridge is there and somebody else's: it may lead anywhere
 * @is_isolated: Its port talks to the host only, to no other such port
 * @bridge_at:	Where the bridge is said
 */
struct decl_vnet {
	const char *host_if;
	const char *jail_if;
	const char *named;
	struct addr gateway[2];
	const char *bridge;
	bool is_foreign;
	bool is_isolated;
	struct span bridge_at;
};

/**
 * struct decl_jail - A jail
 * @name:	Its name
 * @hostname:	host.hostname, or NULL
 * @is_vnet:	Has a network stack of its own
 * @vnet_at:	Where that is said
 * @vnet:	Its link then
 * @is_enabled:	Is to be up: in jail_list, or jail_list is empty; none is when
 *		jail_enable is NO; or it was taken up. Set by decl_finish()
 * @is_down:	Was taken down: rules mean what they mean when it is up, but its
 *		addresses and forwards are not there. Set by decl_finish()
 * @addrs:	Its addresses
 * @forwards:	Ports that lead to it
 * @nats:	Where it goes out translated
 * @pools:	Where its addresses come from
 * @sites:	Names of the web that it answers to
 * @quota:	Of its connections, to it and from it together
 * @blocks:	Ports that it leaves with where it is translated
 * @params:	Everything declared of it, defaults included
 * @at:		Its name in its declaration
 * @rank:	Of the kind of file that declares it: of two the lower one counts
 */
struct decl_jail {
	const char *name;
	uint8_t rank;
	const char *hostname;
	bool is_vnet;
	struct span vnet_at;
	struct decl_vnet vnet;
	bool is_enabled;
	bool is_down;
	VEC(struct decl_addr) addrs;
	VEC(struct decl_forward) forwards;
	VEC(struct decl_nat) nats;
	VEC(struct decl_pool) pools;
	VEC(struct decl_site) sites;
	struct decl_quota quota;
	struct decl_blocks blocks;
	VEC(struct decl_param) params;
	struct span at;
};

/**
 * struct decl_run - A jail that was taken up or down
 * @name:	Its name
 * @is_up:	Up, or down
 */
struct decl_run {
	const char *name;
	bool is_up;
};

/** struct decl_runs - Those since boot, the last of a name counts */
struct decl_runs {
	VEC(struct decl_run) list;
};

/**
 * struct decl_firewall - What rc.conf makes of FreeBSD's rc.firewall
 * @rules:	The ipfw rules that it makes of firewall_type and the nat variables,
 *		or NULL: none are needed, or it is not asked for
 * @at:		What asks for them
 * @own:	The file that has the host's own rules, or NULL
 * @own_at:	Where it is named
 * @unknown:	A type whose rules are not known, or NULL
 * @is_natd:	Their nat is natd's, from which packets come back to the rules
 */
struct decl_firewall {
	const char *rules;
	struct span at;
	const char *own;
	struct span own_at;
	const char *unknown;
	bool is_natd;
};

/**
 * struct decl - Everything declared of one host, its packet rules apart
 * @a:		Memory
 * @names:	Interned names
 * @links:	Cloned loopbacks
 * @addrs:	Addresses of rc.conf; those of jails stand in the jails
 * @sysctls:	Settings, the last of a name counts
 * @jails:	Jails in the order of their declaration
 * @runs:	Jails taken up and down; names of others have no effect
 * @dhcp:	Interfaces whose addresses only the live host knows
 * @default_via: defaultrouter and ipv6_defaultrouter, or AF_NONE
 * @default_if: Interface that they name (fe80::1%igb0), or NULL
 * @pf_rules:	rc.conf's pf_rules, or NULL
 * @pf_enable:	-1 not said, 0 NO, 1 YES
 * @pf_enable_at: Where that is said
 * @firewall:	rc.conf's firewall_*
 * @gateway:	gateway_enable: -1 not said, 0, 1
 * @gateway6:	ipv6_gateway_enable: as @gateway
 * @gateway_at: Where that is said, [0] IPv4, [1] IPv6
 * @jail_enable: -1 not said, 0 NO: no jail is to be up, 1 YES
 * @jail_enable_at: Where that is said
 * @jail_list:	Names in jail_list, if any
 * @has_jail_list: jail_list is there and not empty
 * @jail_list_at: Where that is said
 */
struct decl {
	struct arena *a;
	struct intern *names;
	VEC(struct decl_link) links;
	VEC(struct decl_addr) addrs;
	VEC(struct decl_sysctl) sysctls;
	VEC(struct decl_jail) jails;
	struct decl_runs runs;
	VEC(const char *) dhcp;
	struct addr default_via[2];
	const char *default_if[2];
	const char *pf_rules;
	int pf_enable;
	struct span pf_enable_at;
	struct decl_firewall firewall;
	int gateway;
	int gateway6;
	struct span gateway_at[2];
	int jail_enable;
	struct span jail_enable_at;
	VEC(const char *) jail_list;
	bool has_jail_list;
	struct span jail_list_at;
};

/** decl_init() - Nothing declared */
void decl_init(struct decl *d, struct arena *a, struct intern *names);

/** decl_find_jail() - The jail named @name, or NULL */
struct decl_jail *decl_find_jail(const struct decl *d, const char *name);

/** decl_jail_names() - Names of all jails, NULL after the last: for "did you mean" */
const char *const *decl_jail_names(const struct decl *d);

/** decl_add_link() - A cloned loopback, once */
void decl_add_link(struct decl *d, const char *name, struct span at);

/**
 * decl_finish() - What follows from all files together
 * @d:		Declarations, all files read
 * @diags:	Told of conflicts: one address claimed by two jails that are
 *		to be up and not declared shared, on two interfaces, or with two lengths; a jail in
 *		jail_list that is not declared
 *
 * Jails of jail_list become the enabled ones; loN that a jail names is cloned.
 * rc.conf's addresses of cloned loopbacks are no longer the host's (is_host); an address that
 * one declaration repeats is there once.  Call it once.
 */
void decl_finish(struct decl *d, struct diags *diags);

/**
 * struct decl_links - Names that links of a host have
 * @of:		The link of a jail of this name, or NULL
 * @has:	Is there a link of this name, whosever
 * @is_foreign:	Is there one, and somebody else's
 * @arg:	For both
 */
struct decl_links {
	const char *(*of)(void *arg, const char *jail);
	bool (*has)(void *arg, const char *name);
	bool (*is_foreign)(void *arg, const char *name);
	void *arg;
};

/**
 * decl_name_vnets() - Give each vnet jail's link its names
 * @d:		Declarations, after decl_finish(), which names them as for a
 *		host without links
 * @have:	What the host has
 *
 * What vnet.interface says, else what is there already, else the next free
 * pair epairNa and epairNb.
 */
void decl_name_vnets(struct decl *d, const struct decl_links *have);

/**
 * decl_vnet_net() - What of an address belongs to a vnet jail alone
 * @j:		Jail
 * @i:		Number of its address
 *
 * Return: the address alone, or the network that is routed to the jail
 */
struct prefix decl_vnet_net(const struct decl_jail *j, uint32_t i);

/**
 * decl_vnet_gateway() - The address that the jail takes for its way out
 * @j:		Jail
 * @af:		Family
 *
 * Return: what is declared; of a routed jail else 169.254.1.1 or fe80::1; else
 * AF_NONE: it has no way out
 */
struct addr decl_vnet_gateway(const struct decl_jail *j, uint8_t af);

/**
 * decl_vnet_linklocal() - The IPv6 link-local address of a vnet jail
 * @j:		Jail
 *
 * Made of its name, so that rules know it before its link is there.
 *
 * Return: the address
 */
struct addr decl_vnet_linklocal(const struct decl_jail *j);

/**
 * decl_to_facts() - Add what rc.conf says of the host to the facts
 * @d:		Declarations
 * @f:		Facts; interfaces and addresses are added
 *
 * Cloned loopbacks and all their addresses, those of enabled jails included,
 * and the addresses and default routes that rc.conf gives real interfaces.
 */
void decl_to_facts(const struct decl *d, struct facts *f);

/** decl_has_link() - Is @name a cloned loopback that is to exist */
bool decl_has_link(const struct decl *d, const char *name);

/** decl_set_sysctl() - Declare a setting; the last of a name counts */
void decl_set_sysctl(struct decl *d, const char *name, const char *value, struct span at);

/** decl_jail_of() - The jail that has address @a, an enabled one first, or NULL */
const struct decl_jail *decl_jail_of(const struct decl *d, struct addr a);

#endif /* MODEL_DECL_H */
