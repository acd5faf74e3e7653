/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_base - base chains of somebody else
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 judge packets (host/doctor_rules.h does).
 * Threads:	 none.
 */
#ifndef HOST_DOCTOR_BASE_H
#define HOST_DOCTOR_BASE_H

#include "host/doctor.h"

/**
 * struct doctor_end - What happens to a packet that reaches the end of a chain
 * @handle:	Rule that drops everything; 0: the policy does
 * @drops:	It is dropped
 * @accepts_nat: What was translated was accepted before
 */
struct doctor_end {
	uint64_t handle;
	bool drops;
	bool accepts_nat;
};

/** enum doctor_layer - At which hooks of the network stack a chain is */
enum doctor_layer {
	DOCTOR_IP,		/* those of packets: families inet, ip, ip6 */
	DOCTOR_BRIDGE,		/* those of a bridge's frames */
	DOCTOR_INGRESS,		/* where interfaces receive */
	DOCTOR_EGRESS,		/* where interfaces send */
};

/**
 * struct doctor_base - A base chain of somebody else
 * @family:	NFPROTO_INET and the like
 * @table:	Its table
 * @name:	Its name
 * @hook:	Its hook
 * @prio:	Its priority
 * @is_nat:	It translates
 * @layer:	Where it is
 * @devs:	Interfaces, of DOCTOR_INGRESS and DOCTOR_EGRESS
 * @end:	What its end does; its policy, until doctor_base_read_end()
 */
struct doctor_base {
	uint8_t family;
	const char *table;
	const char *name;
	uint32_t hook;
	int32_t prio;
	bool is_nat;
	enum doctor_layer layer;
	VEC(const char *) devs;
	struct doctor_end end;
};

/** struct doctor_bases - All of a family */
struct doctor_bases {
	VEC(struct doctor_base) list;
};

/**
 * doctor_bases_read() - Base chains of all tables of a family but ours
 * @x:		Examination
 * @family:	NFPROTO_INET and the like
 * @ret:	Set to them
 *
 * Return: 0, or a negative errno
 */
MUST_USE int doctor_bases_read(struct doctor *x, uint8_t family, struct doctor_bases *ret);

/**
 * doctor_base_read_end() - Look through a chain's own rules for its end
 * @x:		Examination
 * @c:		Chain; gains its end
 *
 * Return: 0, or a negative errno
 */
MUST_USE int doctor_base_read_end(struct doctor *x, struct doctor_base *c);

/** doctor_base_text() - A chain as nft's commands name it: "inet filter input" */
const char *doctor_base_text(struct arena *a, const struct doctor_base *c);

/** doctor_base_place() - "table inet filter, chain input (hook input, priority 0)" */
const char *doctor_base_place(struct arena *a, const struct doctor_base *c);

/** doctor_base_sees() - Does a family's traffic meet the chain */
bool doctor_base_sees(const struct doctor_base *c, uint8_t af);

#endif /* HOST_DOCTOR_BASE_H */
