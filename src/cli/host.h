/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host - the host beside its declarations, for the verbs that look at both
 *
 * Owns:	 its sockets and the state; cli_host_close().
 */
#ifndef CLI_HOST_H
#define CLI_HOST_H

#include "cli/cli.h"
#include "host/alias.h"
#include "host/apply.h"
#include "host/vnet.h"
#include "target/nft.h"

/**
 * struct cli_change - A difference between the host and the declarations
 * @op:		"add", "del" or "change"
 * @object:	What; NULL: each that @table stands for
 * @at:		Its declaration, or SPAN_NONE
 * @table:	A change of the packet rules that stands for several, else NULL
 */
struct cli_change {
	const char *op;
	const char *object;
	struct span at;
	const struct nft_change *table;
};

struct cli_confinement;

#define CLI_MEMO_FILE	"loaded"	/* of the state: what the kernel holds (struct nft_memo) */

/**
 * struct cli_host - The host now, and as it should be
 * @d:		Declarations
 * @route:	Session for links and addresses
 * @filter:	Session for packet rules
 * @st:		State
 * @want:	What the declarations ask for
 * @have:	What there is
 * @vnets:	What is to be done to links of vnet jails
 * @program:	Packet rules as they should be
 * @look:	What the kernel holds of them, for the first load; or NULL
 * @is_set:	Sysctls are as wanted, and no other is recorded
 * @is_linked:	Links and addresses are as wanted, and what was before is recorded
 * @n_flows:	Flows of forwards that were there when it was made so
 * @is_compared: @changes is whole, though it may not be possible to make them
 * @changes:	The differences, rules first; cli_changes_each()
 * @confinement: What `up --cgroup` is about to do, or NULL
 */
struct cli_host {
	struct declared d;
	struct nl_session route;
	struct nl_session filter;
	struct state st;
	struct host_want want;
	struct host_have have;
	struct vnet_plan vnets;
	struct nft_program *program;
	struct nft_look *look;
	bool is_linked;
	bool is_set;
	uint32_t n_flows;
	bool is_compared;
	VEC(struct cli_change) changes;
	struct cli_confinement *confinement;
};

/**
 * cli_host_open() - Read declarations and host, and compare
 * @c:		Run
 * @h:		All zero; set as far as it goes, closed by the caller always
 * @mode:	STATE_WRITE takes the lock
 *
 * Return: 0, or an exit status with diagnostics
 */
int cli_host_open(struct cli *c, struct cli_host *h, enum state_mode mode);

/**
 * cli_ask_kernel() - Would this kernel take a program
 * @p:		Program
 * @d:		Told what it refuses
 * @ret_asked:	Set: false when it cannot be asked
 *
 * The process is in a network namespace of its own afterwards.
 *
 * Return: 0, or the negative errno of nft_load() or of what kept it from being asked
 */
int cli_ask_kernel(const struct nft_program *p, struct diags *d, bool *ret_asked);

/** cli_vnet_place() - Where this run says that the vnet jail is */
struct vnet_place cli_vnet_place(const struct cli *c);

/** cli_vnet_changes() - Add what is to be done to links of vnet jails to the changes */
void cli_vnet_changes(struct cli *c, struct cli_host *h);

/**
 * cli_state_look() - The state to read, whether or not this run has it open already
 * @c:		Run
 * @st:		Set whole; the caller's to close
 *
 * Return: as state_open() for STATE_READ
 */
MUST_USE int cli_state_look(struct cli *c, struct state *st);

/** cli_state_what() - "open the state directory DIR", for cli_system() */
const char *cli_state_what(struct cli *c);

/**
 * cli_is_one_jail() - Is this run about one jail that comes or goes, as hooks are
 * @c:		Run
 * @h:		With its declarations read
 *
 * To remember what the kernel holds pays where little of it changes.
 */
bool cli_is_one_jail(const struct cli *c, const struct cli_host *h);

/** cli_nft_options() - How this run's program uses the host */
void cli_nft_options(const struct cli *c, struct nft_options *ret);

/**
 * cli_state_forget() - state_forget(), but for what belongs to a NAT that runs
 * @st:		State open for STATE_WRITE; closed afterwards
 *
 * Return: 0 or a negative errno
 */
MUST_USE int cli_state_forget(struct state *st);

/** cli_host_close() - For CLEANUP() */
void cli_host_close(struct cli_host *h);

/** CLI_HOST_NONE - Nothing open: an initialiser */
#define CLI_HOST_NONE \
	{ .route = { .fd = -1 }, .filter = { .fd = -1 }, \
	  .st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 } }

/**
 * cli_host_apply() - Make the host as declared, and record what was
 * @c:		Run
 * @h:		Opened for STATE_WRITE
 *
 * Return: 0, or an exit status with diagnostics
 */
int cli_host_apply(struct cli *c, struct cli_host *h);

#define APPLY_TIME_FILE	"time"	/* of the state: "SECONDS-SINCE-1970 SECONDS-IT-TOOK" */

typedef void cli_change_fn(struct cli *c, const struct cli_change *one, void *arg);

/**
 * cli_changes_each() - Tell of each difference
 * @c:		Run
 * @h:		Host
 * @fn:		Told of each, with its object, which is gone when the next comes
 * @arg:	For @fn
 */
void cli_changes_each(struct cli *c, const struct cli_host *h, cli_change_fn *fn, void *arg);

/** cli_changes_count() - How many they are; of one operation, or NULL for all */
uint32_t cli_changes_count(const struct cli_host *h, const char *op);

/** cli_change_json() - One change as a JSON object */
void cli_change_json(struct cli *c, const struct cli_change *x);

/** cli_changes_print() - The changes, as text or JSON objects */
void cli_changes_print(struct cli *c, const struct cli_host *h);

/** cli_changes_end() - The same as all that a verb prints; many go out as they come */
void cli_changes_end(struct cli *c, const struct cli_host *h);

/** cli_alias_json() - An address of `alias list` as a JSON object */
void cli_alias_json(struct cli *c, const struct host_alias *x);

/**
 * cli_host_error() - The exit status of a failed host_apply() or nft_load()
 * @c:		Run
 * @err:	What it returned, < 0
 * @what:	What was tried
 *
 * What was told already is not told again.
 */
int cli_host_error(struct cli *c, int err, const char *what);

#endif /* CLI_HOST_H */
