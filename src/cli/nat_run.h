/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat_run - the processes of a live NAT
 *
 *	front	what was started; hears signals.  Sealed
 *	keeper	its child, with rights: opens what must be opened, has rules read anew,
 *		answers at the control socket, takes everything away in the end
 *	worker	the keeper's child, one or more: packets.  Sealed
 *
 * Workers of one reading of the rules are a generation.  Each pair of processes
 * has a pair of sockets; its end is the other's end.
 *
 * Threads:	 none.
 */
#ifndef CLI_NAT_RUN_H
#define CLI_NAT_RUN_H

#include <poll.h>
#include <sys/types.h>

#include "cli/nat_journal.h"
#include "cli/nat_keep.h"
#include "cli/nat_plan.h"
#include "port/natloop.h"
#include "port/steer.h"

#define NAT_WORKERS_MOST	16u
#define NAT_WORD_BYTES		240u
#define NAT_WAIT_MS		10000	/* for a worker that has only to look up */

/**
 * enum nat_word_kind - What processes say to each other
 * @NAT_WORD_SIGNAL:	front: this signal came
 * @NAT_WORD_COMPLAINT:	keeper, new worker: a diagnostic, value is its code
 * @NAT_WORD_HELP:	and what helps
 * @NAT_WORD_READY:	keeper: packets flow
 * @NAT_WORD_END:	keeper: all is taken away, value is the exit status; new worker:
 *			this generation cannot be, the same
 * @NAT_WORD_PREPARED:	new worker: sealed; value is its process
 * @NAT_WORD_GO:	keeper: take over what was before
 * @NAT_WORD_BEGIN:	keeper: all have; lend ports, and work
 * @NAT_WORD_STOP:	keeper: save, and end; value is the number of the bid
 * @NAT_WORD_SAVE:	keeper: save, and go on; the same
 * @NAT_WORD_TELL:	keeper: count; the same
 * @NAT_WORD_DONE:	worker: one of these is done, or GO; value is that bid's number
 */
enum nat_word_kind {
	NAT_WORD_SIGNAL, NAT_WORD_COMPLAINT, NAT_WORD_HELP, NAT_WORD_READY, NAT_WORD_END,
	NAT_WORD_PREPARED, NAT_WORD_GO, NAT_WORD_BEGIN, NAT_WORD_STOP, NAT_WORD_SAVE, NAT_WORD_TELL,
	NAT_WORD_DONE,
};

/** struct nat_word - A word, one datagram */
struct nat_word {
	uint32_t kind;
	int32_t value;
	char text[NAT_WORD_BYTES];
};

/** nat_word_send() - Say something; that the other has ended is learned elsewhere */
void nat_word_send(int fd, enum nat_word_kind kind, int32_t value, const char *text);

/** nat_word_get() - Hear something; false: the other has ended */
bool nat_word_get(int fd, struct nat_word *ret);

/** nat_word_complain() - Say the errors of a run, the first of them in whole */
void nat_word_complain(int fd, const struct diags *d);

/** nat_word_pair() - Two ends; 0 or a negative errno */
MUST_USE int nat_word_pair(int fds[2]);

/**
 * struct nat_post - What a worker tells without being asked, in shared memory
 * @saved_bytes: Of its state in nat_run.saved
 * @nat:	Counts of its NAT
 * @loop:	Of its loop
 * @io:		Of its interfaces, by enum nat_side
 * @lanes:	What went by lanes; the NAT's own counts have it too
 *
 * The keeper believes no number in it but as a number.
 */
struct nat_post {
	uint64_t saved_bytes;
	struct nat_counters nat;
	struct natloop_counts loop;
	struct io_counts io[2];
	struct lanes_counts lanes;
};

/**
 * struct nat_worker - A worker, as the keeper knows it
 * @fd:		The keeper's end, -1: none
 * @pid:	Its process
 */
struct nat_worker {
	int fd;
	pid_t pid;
};

#define NAT_CONTROL_NAME	"nat-control"	/* in the state directory of the namespace */
#define NAT_CONTROL_BYTES	1024u		/* longest request */
#define NAT_CALLERS		8u		/* heard at a time */
#define NAT_CONTROL_FDS		(NAT_CALLERS + 1)	/* and who is to come */
#define NAT_ANSWER_BYTES	(1u << 20)	/* longest answer */

/**
 * struct nat_caller - Who asks at the control socket
 * @fd:		-1: nobody
 * @until_ns:	When it must have said what it wants
 * @len:	Bytes that it has said
 * @said:	Those, and a NUL
 */
struct nat_caller {
	int fd;
	uint64_t until_ns;
	size_t len;
	char said[NAT_CONTROL_BYTES];
};

/**
 * struct nat_run - A live NAT
 * @c:		Command line
 * @d:		Declarations, of the front and the first generation
 * @plan:	What it is to be
 * @lock:	That this is the only one
 * @other:	front: end towards the keeper; keeper: towards the front; -1: none
 * @nft:	keeper: session that the claim goes with
 * @route:	keeper: is told of changed addresses
 * @index:	keeper: numbers of the inside and the outside interface
 * @addrs:	keeper: what the outside interface has, as one number
 * @n_workers:	How many
 * @io:		keeper: interfaces of each worker, by enum nat_side; NULL: its own
 * @host:	keeper: where callers of the host itself come, or NULL
 * @lanes:	keeper: programs and tables of its workers
 * @rules:	keeper: is told of changed rules while there are lanes
 * @steer:	keeper: programs that share packets out, with several workers
 * @errands:	worker: ways to the others
 * @places:	What forwards have seen, counted by each worker
 * @posts:	What they tell
 * @saved:	keeper: shared memory of each worker for its state
 * @saved_room:	Its bytes
 * @keep:	State file
 * @journal:	Ports that are lent, for after a kill
 * @workers:	keeper: this generation
 * @bid:	keeper: number of what was last asked of workers
 * @before:	keeper: counts of those before
 * @generation:	keeper: number of this one, from 1 on
 * @control:	keeper: where it is asked, -1: nowhere
 * @callers:	keeper: who asks just now
 * @help:	keeper: what a worker said would help, last
 * @since_ns:	When the keeper started
 */
struct nat_run {
	struct cli *c;
	struct declared d;
	struct nat_plan plan;
	int lock;
	int other;
	struct nl_session nft;
	struct nl_session route;
	uint32_t index[2];
	uint64_t addrs;
	uint32_t n_workers;
	struct io *io[NAT_WORKERS_MOST][2];
	struct io *host;
	struct lanes_way lanes;
	struct nl_session rules;
	struct steer steer;
	struct errands errands;
	struct places *places[NAT_WORKERS_MOST];
	struct nat_post *posts;
	uint8_t *saved[NAT_WORKERS_MOST];
	size_t saved_room;
	struct nat_keep keep;
	struct nat_journal journal;
	struct nat_worker workers[NAT_WORKERS_MOST];
	int32_t bid;
	struct nat_post before;
	uint32_t generation;
	int control;
	struct nat_caller callers[NAT_CALLERS];
	char help[NAT_WORD_BYTES];
	uint64_t since_ns;
};

/** nat_run_fork() - Another process of the NAT, as fork(2) */
pid_t nat_run_fork(void);

/** nat_run_tell() - A line for people */
void nat_run_tell(const struct nat_run *r, const char *line);

/** nat_run_workers() - How many there will be, by --workers and the ways; 0 or an exit status */
int nat_run_workers(struct nat_run *r);

/** nat_run_way() - To and from an interface, by --io; of a word for devices it says nothing */
const struct io_ops *nat_run_way(const struct nat_run *r);

/** nat_run_device() - And by the device that is made for the jails */
const struct io_ops *nat_run_device(const struct nat_run *r);

/** nat_run_ways() - Open the interfaces of a worker, those that are its own or the others */
MUST_USE int nat_run_ways(struct nat_run *r, uint32_t worker, bool own);

/* nat_worker.c */

/**
 * nat_worker_start() - The first process of a new generation
 * @r:		Run; the keeper's memory, or a copy with a plan of its own
 * @ends:	Its ends and those of the generation's others
 * @is_first:	There was none before
 *
 * What the host must have is made so, then all workers seal themselves, say
 * PREPARED, wait for GO, and work.
 * Where that cannot be: COMPLAINT and END.
 */
NORETURN void nat_worker_start(struct nat_run *r, const int *ends, bool is_first);

/* nat_keeper.c */

/** nat_keeper_run() - All that the keeper does, in its process */
NORETURN void nat_keeper_run(struct nat_run *r);

/** nat_keeper_clear() - Take away what a NAT has left on the host; 0 or a negative errno */
MUST_USE int nat_keeper_clear(const char *state_dir);

/** nat_keeper_reload() - Read the rules anew; 0, or an exit status and why not in @why */
int nat_keeper_reload(struct nat_run *r, struct nat_word *why);

/** nat_keeper_save() - Write the state file now; 0 or a negative errno */
MUST_USE int nat_keeper_save(struct nat_run *r);

/** nat_keeper_count() - What all workers have counted, since the start */
void nat_keeper_count(struct nat_run *r, struct nat_post *ret);

/* nat_addrs.c */

/** nat_addrs_open() - Be told of changed addresses; 0 or a negative errno */
MUST_USE int nat_addrs_open(struct nat_run *r);

/** nat_addrs_hear() - Take what has been told: has the outside interface other addresses now */
bool nat_addrs_hear(struct nat_run *r);

/** nat_addrs_gone() - The interface, of the two, that is not there any more; or NULL */
const char *nat_addrs_gone(const struct nat_run *r);

/* nat_lanes.c */

/** nat_lanes_open() - Have lanes, or say why there are none */
void nat_lanes_open(struct nat_run *r);

/** nat_lanes_hear() - Rules have changed: is there anything that lanes must not pass by */
void nat_lanes_hear(struct nat_run *r);

/** nat_lanes_close() - Have none any more */
void nat_lanes_close(struct nat_run *r);

/* nat_control.c */

/** nat_control_open() - Listen; 0 or a negative errno */
MUST_USE int nat_control_open(struct nat_run *r);

/** nat_control_close() - Listen no more */
void nat_control_close(struct nat_run *r);

/** nat_control_poll() - What to wait for there; ms at most, -1: for ever */
int nat_control_poll(const struct nat_run *r, struct pollfd fds[NAT_CONTROL_FDS]);

/** nat_control_serve() - Hear and answer who calls, by what came of nat_control_poll() */
void nat_control_serve(struct nat_run *r, const struct pollfd fds[NAT_CONTROL_FDS]);

#endif /* CLI_NAT_RUN_H */
