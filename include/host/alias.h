/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alias - the addresses that matter to jails, as a list
 *
 * What `alias list` shows: every address of the cloned loopbacks, every one of
 * ours elsewhere, and every declared one that is there.
 *
 * Owns:	 nothing; lives in the arena.
 * Threads:	 none.
 */
#ifndef HOST_ALIAS_H
#define HOST_ALIAS_H

#include "host/have.h"
#include "host/want.h"

/**
 * struct host_alias - An address on the host
 * @iface:	FreeBSD name of its interface
 * @kind:	Kind of that link: "dummy", "bridge", ...; "device" without one
 * @p:		Address and length
 * @jail:	Jail that declares it, or NULL
 * @is_owned:	Set by us, removed by us
 * @at:		Where it is declared, or SPAN_NONE
 */
struct host_alias {
	const char *iface;
	const char *kind;
	struct prefix p;
	const char *jail;
	bool is_owned;
	struct span at;
};

/** struct host_aliases - Addresses in the order of the kernel */
struct host_aliases {
	VEC(struct host_alias) list;
};

/**
 * host_aliases_list() - List them
 * @w:		What is wanted; says whose an address is
 * @h:		What is there
 * @a:		Memory
 * @ret:	Set
 */
void host_aliases_list(const struct host_want *w, const struct host_have *h, struct arena *a,
		       struct host_aliases *ret);

#endif /* HOST_ALIAS_H */
