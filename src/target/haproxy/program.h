/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program - haproxy's work, before it is text
 *
 * Private to target/haproxy.
 */
#ifndef TARGET_HAPROXY_PROGRAM_H
#define TARGET_HAPROXY_PROGRAM_H

#include "target/haproxy.h"

/** enum web_kind - HTTP by its Host header, TLS by its server name */
enum web_kind { WEB_HTTP, WEB_TLS, WEB_KINDS };

/**
 * struct web_server - A jail's server
 * @jail:	Name of the jail
 * @addr:	Its address
 * @port:	Ports by kind
 * @is_proxy:	It reads the PROXY protocol
 */
struct web_server {
	const char *jail;
	struct addr addr;
	uint16_t port[WEB_KINDS];
	bool is_proxy;
};

/**
 * struct web_pool - Servers that share the same names
 * @id:		The first of the names, as haproxy writes words
 * @names:	Names, exact ones and "*.example.org"
 * @servers:	At least one
 */
struct web_pool {
	const char *id;
	VEC(const char *) names;
	VEC(struct web_server) servers;
};

/**
 * struct web_bind - Where haproxy listens
 * @addr:	Address
 * @port:	Port
 */
struct web_bind {
	struct addr addr;
	uint16_t port;
};

/**
 * struct web_choice - A name and what it leads to
 * @name:	Exact, or "*.example.org"
 * @pool:	Number of the pool
 */
struct web_choice {
	const char *name;
	uint32_t pool;
};

/**
 * struct web_front - Places that serve the same names
 * @kind:	What is spoken there
 * @binds:	Places
 * @pools:	Numbers of the pools, in ascending order
 * @choices:	Their names in the order to ask for them: exact ones, then of the
 *		others the longest first
 */
struct web_front {
	enum web_kind kind;
	VEC(struct web_bind) binds;
	VEC(uint32_t) pools;
	VEC(struct web_choice) choices;
};

struct haproxy_program {
	VEC(struct web_pool) pools;
	VEC(struct web_front) fronts;
};

#endif /* TARGET_HAPROXY_PROGRAM_H */
