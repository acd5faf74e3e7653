/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * want - what the declarations ask of links, addresses and settings
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 look at the host.  Names are Linux's: lo0 is lo.
 * Threads:	 none.
 */
#ifndef HOST_WANT_H
#define HOST_WANT_H

#include "model/decl.h"

struct addr_index;

/**
 * struct host_want_link - A cloned loopback
 * @name:	Linux name
 * @at:		Where it is declared
 */
struct host_want_link {
	const char *name;
	struct span at;
};

/**
 * struct host_want_addr - An address
 * @iface:	Linux name of its interface; NULL: it is to be on some
 *		interface and is not added
 * @p:		Address and length
 * @peer:	Other end, or AF_NONE
 * @jail:	Jail that has it, or NULL
 * @at:		Where it is declared
 * @sharers:	Other jails that have it too
 * @is_added:	By `alias add`: never put off
 */
struct host_want_addr {
	const char *iface;
	struct prefix p;
	struct addr peer;
	const char *jail;
	struct span at;
	VEC(const char *) sharers;
	bool is_added;
};

/**
 * struct host_want_sysctl - A kernel setting
 * @path:	Below /proc/sys
 * @value:	Value
 * @at:		Where it is declared
 */
struct host_want_sysctl {
	const char *path;
	const char *value;
	struct span at;
};

/**
 * struct host_want - All that is wanted
 * @links:	Each name once
 * @addrs:	Each address of an interface once, in the order of declaration
 * @sysctls:	Each path once
 * @by_addr:	Places in @addrs, by address
 * @only:	NULL, or the jails whose addresses are to be added now, NULL after
 *		the last; those of others that are missing stay so
 */
struct host_want {
	VEC(struct host_want_link) links;
	VEC(struct host_want_addr) addrs;
	VEC(struct host_want_sysctl) sysctls;
	const struct addr_index *by_addr;
	const char *const *only;
};

/** host_want_is_asked() - Is a missing address to be added now */
bool host_want_is_asked(const struct host_want *w, const struct host_want_addr *x);

/**
 * host_want_make() - What declarations ask for
 * @d:		Declarations, after decl_finish()
 * @a:		Memory
 * @diags:	Told of names that no interface can have and of values that a
 *		setting cannot have
 * @ret:	Set
 *
 * Enabled jails only, and none with a network stack of its own.  Settings that
 * Linux has no counterpart of are left out; gateway_enable="NO" asks for
 * nothing.
 */
void host_want_make(const struct decl *d, struct arena *a, struct diags *diags,
		    struct host_want *ret);

/** host_want_find_link() - The wanted link named @name, or NULL */
const struct host_want_link *host_want_find_link(const struct host_want *w, const char *name);

/** host_want_find_addr() - The wanted address @addr of interface @iface, or NULL */
const struct host_want_addr *host_want_find_addr(const struct host_want *w, const char *iface,
						 struct addr addr);

/** host_settings() - Paths of all settings that can be wanted, NULL after the last */
const char *const *host_settings(void);

#endif /* HOST_WANT_H */
