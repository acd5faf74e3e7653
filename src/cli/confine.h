/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * confine - which jails' processes are confined, as the verbs need it
 *
 * Confined is who was brought up with --cgroup or --pid.  That is recorded, so
 * that a change of the jail's addresses reaches its programs, and `down` and
 * `destroy` find them.
 */
#ifndef CLI_CONFINE_H
#define CLI_CONFINE_H

#include "cli/host.h"
#include "host/confine.h"

/**
 * struct cli_confined - A jail whose processes are confined
 * @jail:	Its name
 * @path:	Its cgroup
 * @id:		The kernel's number of that
 * @rules:	What it may do, as text, to see that it changed
 */
struct cli_confined {
	const char *jail;
	const char *path;
	uint64_t id;
	const char *rules;
};

/** struct cli_confines - All of them */
struct cli_confines {
	VEC(struct cli_confined) list;
};

/**
 * struct cli_confinement - What `up --cgroup` is about to do
 * @x:		Programs, loaded
 * @record:	What will be recorded
 */
struct cli_confinement {
	struct confine x;
	struct cli_confined record;
};

/**
 * cli_confine_prepare() - All of `up --cgroup` or `--pid` that may fail before anything changes
 * @c:		Run of `up`
 * @h:		Open for writing, or with -n for reading; @h->confinement is set
 *		where one was asked for
 *
 * Return: 0, also when none was asked for; or an exit status with a diagnostic
 */
int cli_confine_prepare(struct cli *c, struct cli_host *h);

/** cli_confine_commit() - Attach the programs, and record it; 0 or an exit status */
int cli_confine_commit(struct cli *c, struct cli_host *h);

/** cli_confine_close() - Close what is open; cli_host_close() does */
void cli_confine_close(struct cli_confinement *p);

/**
 * cli_confine_refresh() - Have all that are confined follow their declarations
 * @c:		Run
 * @h:		Open for writing, applied
 *
 * Jails that are down or not declared any more are freed.
 *
 * Return: 0 or an exit status
 */
int cli_confine_refresh(struct cli *c, struct cli_host *h);

/** cli_confine_free_all() - Confine nobody any more; 0 or an exit status */
int cli_confine_free_all(struct cli *c, struct cli_host *h);

/**
 * cli_confine_path() - The cgroup that a jail is confined in, now
 * @c:		Run
 * @h:		With its state open
 * @jail:	Name
 *
 * Return: its directory, or NULL: not confined, or its cgroup is gone
 */
const char *cli_confine_path(struct cli *c, const struct cli_host *h, const char *jail);

/**
 * cli_confine_recorded() - The cgroup that a jail was confined in
 * @c:		Run
 * @h:		Host
 * @jail:	Its name
 * @ret_is_lost: Set: it is not confined any more, or the cgroup is gone
 *
 * Return: its path, or NULL when the jail was not confined
 */
const char *cli_confine_recorded(struct cli *c, const struct cli_host *h, const char *jail,
				 bool *ret_is_lost);

/** cli_confine_packets() - The packet sockets of a jail that is confined now; else none */
struct confine_packets cli_confine_packets(struct cli *c, const struct cli_host *h,
					   const char *jail);

#endif /* CLI_CONFINE_H */
