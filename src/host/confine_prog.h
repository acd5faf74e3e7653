/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * confine_prog - the programs that confine a jail, as a table
 *
 * Owns:	 nothing.
 */
#ifndef HOST_CONFINE_PROG_H
#define HOST_CONFINE_PROG_H

#include "host/confine.h"
#include "host/ebpf.h"

struct confine_hook;

/**
 * struct confine_text - A program that is being written
 * @e:		Its instructions
 * @rules:	What the jail may do
 * @hook:	Which program
 * @storage:	Map beside sockets
 * @pass:	Label: let it be
 * @no_addr:	Label: EADDRNOTAVAIL
 */
struct confine_text {
	struct ebpf e;
	const struct confine_rules *rules;
	const struct confine_hook *hook;
	int storage;
	uint32_t pass;
	uint32_t no_addr;
};

/**
 * struct confine_hook - One program
 * @name:	Its name in the kernel
 * @type:	BPF_PROG_TYPE_...
 * @attach:	Hook
 * @af:		Only where this family is confined; AF_NONE: where any is
 * @write:	Writes its text
 * @slot:	Which remembered address it is about, 0 the socket's own, 1 the
 *		other end's
 */
struct confine_hook {
	const char *name;
	uint32_t type;
	uint32_t attach;
	uint8_t af;
	void (*write)(struct confine_text *t);
	int slot;
};

extern const struct confine_hook confine_hooks[CONFINE_HOOKS];

/**
 * confine_write() - Write a program
 * @hook:	Which
 * @rules:	What the jail may do
 * @storage:	Map beside sockets
 * @a:		Memory
 * @ret:	Set
 */
void confine_write(const struct confine_hook *hook, const struct confine_rules *rules,
		   int storage, struct arena *a, struct ebpf *ret);

/** confine_is_needed() - Does a jail need this program */
bool confine_is_needed(const struct confine_hook *hook, const struct confine_rules *rules);

#endif /* HOST_CONFINE_PROG_H */
