/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A worker is the whole NAT of its part of the flows: rules, memory, interfaces.
 * Rules never reach a process that runs sealed: new rules are a new generation of
 * workers, made ready beside the old one.  So a sealed worker is told six words and
 * reads nothing else but packets, what its predecessors have saved, and netlink.
 *
 * Between a generation's end and the next one's begin packets wait in the rings,
 * which outlive both (port/io.h).
 */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/nat_run.h"
#include "host/natpath.h"
#include "host/seal.h"
#include "host/state.h"
#include "port/answerer.h"

#define WORKER_NICE	(-10)
#define SHARED_ADDRS	256u		/* outside addresses; 240 KiB each */

/**
 * struct worker - This process
 * @r:		Run; a copy of the keeper's
 * @index:	Number
 * @fd:		Towards the keeper
 * @loop:	Its loop
 * @mem:	Of its NAT
 * @lanes:	Its lanes
 * @answerer:	Of the first worker: tells neighbours whose addresses are the NAT's
 */
struct worker {
	struct nat_run *r;
	uint32_t index;
	int fd;
	struct natloop *loop;
	void *mem;
	struct lanes lanes;
	struct answerer answerer;
};

static void tell(void *arg, const char *line)
{
	const struct worker *w = arg;

	nat_run_tell(w->r, line);
}

static void tick(void *arg)
{
	struct worker *w = arg;

	answerer_tick(&w->answerer, natloop_now());
}

/* ---- what the host must have ----------------------------------------------------- */

static int lead_here(struct nat_run *r)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	CLEANUP(nl_close) struct nl_session route = { .fd = -1 };
	const struct nat_config *cfg = &r->plan.cfg;
	struct io *const *io = r->io[0];
	struct arena *a = &r->c->arena;
	int err = state_open(&st, r->c->state_dir, STATE_WRITE, STATE_LOCK_SECONDS);

	if (err == 0)
		err = natpath_reserve(&st, NATPATH_RUN, r->plan.ports, a);
	if (err == 0)
		err = nl_open(&route, NETLINK_ROUTE);
	if (err == 0 && r->plan.tun != NULL)
		err = natpath_up(&route, &(struct natpath){
			.tun = r->plan.tun, .tun_index = io[NAT_INSIDE]->ifindex,
			.outside_index = io[NAT_OUTSIDE]->ifindex,
			.mtu_bytes = io[NAT_OUTSIDE]->mtu_bytes,
			.inside = cfg->inside, .n_inside = cfg->n_inside }, a);
	/* Nobody listens yet, who would hear that the device has another now */
	for (uint32_t i = 0; i < r->n_workers && err == 0 && r->plan.tun != NULL; i++)
		r->io[i][NAT_INSIDE]->mtu_bytes = io[NAT_OUTSIDE]->mtu_bytes;
	return err == 0 ? 0 : cli_system(r->c, err, "lead the jails' packets to the NAT");
}

static int claim(struct nat_run *r, bool is_first)
{
	struct claim *c = &r->plan.claim;
	int err;

	if (r->plan.tun != NULL)
		c->local_to = r->io[0][NAT_INSIDE]->ifindex;
	c->drops_local = r->host != NULL;
	err = nft_claim(&r->nft, c, !is_first);
	if ((err == -EOPNOTSUPP || err == -EINVAL) && c->local_to != 0) {
		if (is_first)
			nat_run_tell(r, "this kernel cannot lead callers of this host to the "
				     "forwards");
		c->local_to = 0;
		err = nft_claim(&r->nft, c, !is_first);
	}
	for (uint32_t i = 0; i < 2 * r->n_workers && err == 0; i++) {
		struct io *io = r->io[i / 2][i % 2];

		if (io != NULL && io->ops->claim != NULL)
			err = io->ops->claim(io, c, i % 2 == NAT_INSIDE);
	}
	if (err == 0 && r->host != NULL)
		err = r->host->ops->claim(r->host, c, true);
	return err == 0 ? 0 : cli_system(r->c, err, "keep the kernel from answering for the NAT");
}

/* A later generation changes first what is only added to: if it fails all is as it was */
static int have_host(struct nat_run *r, bool is_first)
{
	int status = is_first ? claim(r, true) : lead_here(r);

	if (status == 0)
		status = is_first ? lead_here(r) : claim(r, false);
	return status;
}

/* ---- before they part ------------------------------------------------------------ */

static int have_shared(struct nat_run *r, int from[ERRANDS_WORKERS])
{
	struct nat_config *cfg = &r->plan.cfg;
	const size_t bytes = nat_shared_bytes(cfg);
	int err;

	_Static_assert(ERRANDS_WORKERS >= NAT_WORKERS_MOST, "each worker has one");
	if (cfg->n_outside > SHARED_ADDRS)
		return cli_usage(r->c, "several workers share %u outside addresses at most, not %u",
				 SHARED_ADDRS, cfg->n_outside);
	cfg->shared = io_memory_new(bytes);
	if (cfg->shared == NULL)
		return cli_system(r->c, -ENOMEM, "have memory for ports");
	nat_shared_init(cfg);
	err = errands_make(from, r->n_workers, &r->errands);
	return err == 0 ? 0 : cli_system(r->c, err, "have ways between workers");
}

/* ---- before the seal ------------------------------------------------------------- */

/* What all of them may have together */
static void take_part(struct nat_config *cfg, const struct worker *w)
{
	const uint32_t n = w->r->n_workers;

	cfg->n_workers = n;
	cfg->worker = w->index;
	cfg->hints = w->r->steer.hints;
	/* Rounded up: of something each has something, of nothing nothing */
	cfg->max_flows = (cfg->max_flows + n - 1) / n;
	cfg->quota.flows = (cfg->quota.flows + n - 1) / n;
	cfg->error_per_s = (cfg->error_per_s + n - 1) / n;
	cfg->frag_bytes = (cfg->frag_bytes + n - 1) / n;
}

/* All memory is there from the start: what is asked for later is had from what was freed here */
static int make_nat(struct worker *w)
{
	struct nat_run *r = w->r;
	struct nat_config *cfg = &r->plan.cfg;
	struct nat_journal_page *page = r->journal.now[w->index];
	const char *wrong;

	if (page != NULL) {
		memset(page->v, 0, page->n * sizeof(page->v[0]));	/* all of it is here now */
		cfg->notify = nat_journal_note;
		cfg->notify_ctx = page;
	}
	take_part(cfg, w);
	for (int side = 0; side < 2; side++)
		cfg->mtu[side] = r->io[w->index][side]->mtu_bytes;
	wrong = nat_config_check(cfg);
	if (wrong != NULL) {
		diag_add(&r->c->diags, DIAG_E2802, SPAN_NONE, "%s", wrong);
		return EX_DATAERR;
	}
	w->mem = mmap(NULL, nat_bytes(cfg), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->mem == MAP_FAILED)
		return cli_system(r->c, -errno, "have memory for the NAT");
	/* In large pages, if the kernel has any: a table's lines are all over it */
	(void)madvise(w->mem, nat_bytes(cfg), MADV_HUGEPAGE);
	memset(w->mem, 0, nat_bytes(cfg));
	if (nat_init(cfg, w->mem, &w->loop->nat) < 0)
		return cli_system(r->c, -EINVAL, "make the NAT");
	return 0;
}

static void keep_memory(void)
{
	void *p;

	(void)mallopt(M_MMAP_THRESHOLD, 64 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 64 << 20);
	p = malloc(NAT_RULES_BYTES);
	if (p != NULL)
		memset(p, 1, NAT_RULES_BYTES);
	free(p);
}

static int seal(struct worker *w)
{
	struct seal s;
	int err;

	keep_memory();
	fflush(NULL);
	err = seal_enter(&s);
	if (err < 0)
		return cli_system(w->r->c, err, "give up all rights");
	if (w->index > 0 || w->r->generation > 1)
		return 0;	/* that has been told */
	if (!s.has_root)
		tell(w, "no empty root directory here: not permitted");
	if (s.landlock == 0)
		tell(w, "this kernel has no Landlock");
	return 0;
}

/* ---- words ----------------------------------------------------------------------- */

/* What the kernel has carried the NAT has carried, less what was only shown to it */
static void add_lanes(struct nat_post *p, const struct lanes_counts *n)
{
	p->lanes = *n;
	for (int side = 0; side < 2; side++) {
		p->nat.packets[side] += n->packets[side] - n->made[side];
		p->nat.forwarded[side] += n->packets[side] - n->made[side];
	}
	p->nat.translated += n->translated;
}

static void post(struct worker *w)
{
	struct nat_post *p = &w->r->posts[w->index];

	p->nat = *nat_counters(w->loop->nat);
	p->loop = w->loop->n;
	for (int side = 0; side < 2; side++)
		p->io[side] = w->loop->io[side]->n;
	add_lanes(p, &w->lanes.n);
}

/* Where a state goes */
struct area {
	uint8_t *at;
	size_t room;
	size_t used;
};

static int put(void *ctx, const void *p, size_t len)
{
	struct area *a = ctx;

	if (len > a->room - a->used)
		return -ENOSPC;
	memcpy(a->at + a->used, p, len);
	a->used += len;
	return 0;
}

static void save(struct worker *w)
{
	struct area a = { .at = w->r->saved[w->index], .room = w->r->saved_room };

	lanes_settle(&w->lanes, natloop_now());
	BUG_IF(nat_save(w->loop->nat, put, &a) != 0);
	w->r->posts[w->index].saved_bytes = a.used;
}

static void hear_keeper(void *arg)
{
	struct worker *w = arg;
	struct nat_word word;

	if (!nat_word_get(w->fd, &word)) {
		w->loop->is_stopped = true;	/* and nobody is there to save for */
		return;
	}
	if (word.kind == NAT_WORD_STOP || word.kind == NAT_WORD_SAVE)
		save(w);
	w->loop->is_stopped |= word.kind == NAT_WORD_STOP;
	lanes_count(&w->lanes);
	post(w);
	nat_word_send(w->fd, NAT_WORD_DONE, word.value, NULL);
}

/* ---- what was before ------------------------------------------------------------- */

/* Saved NATs, one behind the other; an exit status, and the keeper has been told */
static int restore(struct worker *w, const uint8_t *p, size_t len, bool is_file)
{
	uint32_t lost = 0, n;
	char line[96];
	int err = 0;

	for (size_t one; len > 0 && err == 0; p += one, len -= one) {
		one = nat_saved_bytes(p, len);
		err = nat_restore(w->loop->nat, natloop_now(), p, one, &n);
		lost += err == 0 ? n : 0;
	}
	if (err < 0) {
		snprintf(line, sizeof(line), "the state file is no state of a NAT, or %s",
			 err == -EBADMSG ? "damaged" : "of another version");
		if (is_file && w->r->keep.is_asked) {
			nat_word_send(w->fd, NAT_WORD_COMPLAINT, DIAG_E2824, line);
			return EX_DATAERR;
		}
		tell(w, line);	/* of our own: no reason to leave jails cut off */
	}
	if (lost == 0)
		return 0;
	snprintf(line, sizeof(line), "%u saved flows do not fit: other addresses, ports or limits",
		 lost);
	tell(w, line);
	return 0;
}

/* Nobody else gets the ports of one that was killed before their time */
static void hold(struct worker *w, const struct nat_journal_record *v, uint32_t n)
{
	const uint32_t lost = nat_journal_hold(w->loop->nat, natloop_now(), v, n);
	char line[96];

	if (lost == 0)
		return;
	snprintf(line, sizeof(line), "no room to hold %u ports that were in use", lost);
	tell(w, line);
}

static int take_over(struct worker *w)
{
	struct nat_run *r = w->r;
	const struct nat_journal *j = &r->journal;
	int status = 0;

	if (r->generation == 1) {
		hold(w, j->kept, j->n_kept);
		return restore(w, r->keep.data, r->keep.len, true);
	}
	for (uint32_t i = 0; i < r->n_workers && status == 0; i++) {
		const size_t saved = MIN(r->posts[i].saved_bytes, r->saved_room);

		if (saved == 0 && j->before[i] != NULL)
			hold(w, j->before[i]->v, j->before[i]->n);
		status = restore(w, r->saved[i], saved, false);
	}
	return status;
}

/* ---- the run --------------------------------------------------------------------- */

/* Addresses that no interface has: nobody else answers who asks for them */
static int open_answerer(struct worker *w)
{
	const struct claim *c = &w->r->plan.claim;
	struct addr addrs[ANSWERER_MOST];
	uint32_t n = 0;
	int err;

	for (uint32_t i = 0; i < c->n_addrs; i++) {
		if (c->addrs[i].is_shared)
			continue;
		if (n == ANSWERER_MOST)
			return cli_usage(w->r->c, "--answer-arp is for %u addresses at most",
					 ANSWERER_MOST);
		addrs[n++] = c->addrs[i].a;
	}
	w->answerer.tell = tell;
	w->answerer.arg = w;
	err = answerer_open(&w->answerer, w->loop->io[NAT_OUTSIDE], addrs, n);
	if (err == 0)
		err = natloop_watch(w->loop, w->answerer.fd, answerer_hear, &w->answerer);
	return err == 0 ? 0 : cli_system(w->r->c, err, "answer neighbours");
}

static int prepare(struct worker *w)
{
	struct nat_run *r = w->r;
	struct io **io = r->io[w->index];
	int status, err;

	/* The kernel's NAT goes before all processes; who may not waits in line with them */
	(void)setpriority(PRIO_PROCESS, 0, WORKER_NICE);
	w->loop = calloc(1, sizeof(*w->loop));
	if (w->loop == NULL)
		return cli_system(r->c, -ENOMEM, "start");
	err = natloop_init(w->loop, io[NAT_INSIDE], io[NAT_OUTSIDE], &r->plan.claim);
	if (err == 0 && r->host != NULL && w->index == 0)
		err = natloop_host(w->loop, r->host);
	if (err == 0)
		err = natloop_watch(w->loop, w->fd, hear_keeper, w);
	if (err < 0)
		return cli_system(r->c, err, "follow routes and neighbours");
	w->loop->tell = tell;
	w->loop->tick = tick;
	w->loop->arg = w;
	w->loop->is_second = w->index > 0;
	w->loop->errands = r->n_workers > 1 ? &r->errands : NULL;
	status = make_nat(w);
	if (status == 0 && lanes_init(&w->lanes, &r->lanes, &r->plan.cfg) < 0)
		status = cli_system(r->c, -ENOMEM, "have memory for lanes");
	/* The programs are the keeper's alone, and end with it; here is their tables' memory */
	lanes_leave(&w->lanes.way);
	if (status == 0 && r->c->nat.answer && w->index == 0)
		status = open_answerer(w);
	return status == 0 ? seal(w) : status;
}

static NORETURN void fail(const struct worker *w, int status)
{
	nat_word_complain(w->fd, &w->r->c->diags);
	nat_word_send(w->fd, NAT_WORD_END, status, NULL);
	_exit(status);
}

static NORETURN void work(struct worker *w)
{
	const pid_t pid = getpid();	/* asked while there is anybody to ask */
	struct nat_word word;
	int status = prepare(w);

	if (status != 0)
		fail(w, status);
	nat_word_send(w->fd, NAT_WORD_PREPARED, (int32_t)pid, NULL);
	/* What is not needed after all ends without having begun */
	if (!nat_word_get(w->fd, &word) || word.kind != NAT_WORD_GO)
		_exit(0);
	status = take_over(w);
	if (status != 0)
		fail(w, status);
	w->lanes.worker = w->index;
	w->lanes.now_ns = natloop_now();
	w->lanes.forwards = w->loop->places = w->r->places[w->index];
	memcpy(w->loop->places->led, w->r->plan.led, sizeof(w->r->plan.led));
	lanes_begin(&w->lanes, w->loop->nat, w->loop->io, w->loop->hops);
	w->loop->lanes = w->lanes.is_on ? &w->lanes : NULL;
	nat_word_send(w->fd, NAT_WORD_DONE, word.value, NULL);
	if (!nat_word_get(w->fd, &word) || word.kind != NAT_WORD_BEGIN)
		_exit(0);
	answerer_tell(&w->answerer);
	natloop_run(w->loop);
	_exit(0);
}

NORETURN void nat_worker_start(struct nat_run *r, const int *ends, bool is_first)
{
	struct worker w = { .r = r, .fd = ends[0], .answerer.fd = -1 };
	int from[ERRANDS_WORKERS];
	/* What only its process can use; such a way there is with one worker alone */
	int status = nat_run_ways(r, 0, true);

	if (status == 0)
		status = have_host(r, is_first);
	if (status == 0 && r->n_workers > 1)
		status = have_shared(r, from);
	if (status != 0)
		fail(&w, status);
	for (uint32_t i = 1; i < r->n_workers; i++) {
		const pid_t pid = nat_run_fork();

		if (pid < 0)
			fail(&w, cli_system(r->c, -errno, "start workers"));
		if (pid == 0) {
			w.index = i;
			w.fd = ends[i];
			break;
		}
	}
	for (uint32_t i = 0; i < r->n_workers; i++)
		if (ends[i] != w.fd)
			close(ends[i]);
	for (uint32_t i = 0; i < r->n_workers && r->n_workers > 1; i++)
		if (i != w.index)
			close(from[i]);
	r->errands.from = r->n_workers > 1 ? from[w.index] : -1;
	work(&w);
}
