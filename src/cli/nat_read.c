/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One record after the other, each with its own time: the capture's clock is the
 * only one.  A packet goes back into the frame that it came in; what the NAT says
 * itself gets the frame of the packet that caused it, turned round, and what a
 * timer lets out the last frame of that side.
 *
 * Of a packet that the capture has cut off, the missing end is taken for zeroes
 * while it is translated, and is missing again where it is written.
 *
 * What is written stands beside the file until all of it is there.
 */
#include "cli/nat_read.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/capture_file.h"

#define SECOND_NS	1000000000u
#define WAIT_SECONDS	60u		/* nothing that leaves by itself waits longer */
#define PROGRESS_EVERY	(1u << 16)	/* records */
#define MAX_HEADER	64u		/* bytes of a link's header that is kept */
#define MAX_LINKS	16u		/* link types of one capture */

/* The frame that a side's packets came in last */
struct last_frame {
	uint8_t header[MAX_HEADER];
	uint32_t len;
	uint32_t link;
	bool has;
};

/* A run under way */
struct over {
	struct cli *c;
	struct nat_sides sides;
	struct nat_tally tally;
	struct capture in;
	struct capture_writer w;
	uint32_t links[MAX_LINKS];	/* link types written, by interface */
	uint32_t n_links;
	FILE *in_file;
	FILE *out_file;			/* NULL: nothing is written */
	const char *temp;		/* name of what is written, or NULL */
	FILE *said;			/* where --explain goes, or NULL */
	size_t said_len;
	struct nat *nat;
	void *mem;
	size_t mem_len;
	struct last_frame last[2];	/* by side */
	uint64_t now_ns;
	struct nat_ask asked;		/* the last question of the NAT */
	bool was_asked;
};

static bool judge(void *ctx, const struct nat_ask *ask, struct nat_ruling *ret)
{
	struct over *o = ctx;

	const struct nat_config *cfg = &o->sides.cfg;

	o->asked = *ask;
	o->was_asked = true;
	if (!nat_rules_judge(&o->sides.rules, ask, ret))
		return false;
	if (o->c->nat.ports.list.n == 0 || !ret->has_src)
		return true;
	/* --ports is over what the rules say; a range of theirs stays */
	if (ret->ports != NAT_PORTS_RANDOM || ret->port_lo == 0) {
		ret->port_lo = cfg->port_lo;
		ret->port_hi = cfg->port_hi;
	}
	ret->ports = cfg->ports;
	return true;
}

/* ---- files ---------------------------------------------------------------- */

static bool is_ng_name(const char *path)
{
	const size_t n = strlen(path);

	return n >= 7 && strcmp(path + n - 7, ".pcapng") == 0;
}

static int open_output(struct over *o)
{
	const char *path = o->c->nat.write;

	if (path == NULL)
		return 0;
	if (strcmp(path, "-") == 0) {
		o->out_file = stdout;
	} else {
		o->temp = arena_printf(&o->c->arena, "%s.%ld", path, (long)getpid());
		o->out_file = fopen(o->temp, "wex");
	}
	if (o->out_file == NULL) {
		const int err = -errno;

		o->temp = NULL;
		return cli_system(o->c, err, arena_printf(&o->c->arena, "write '%s'", path));
	}
	capture_writer_init(&o->w, o->out_file, is_ng_name(path), o->in.is_nano);
	return 0;
}

static int link_in_words(struct over *o, uint32_t link)
{
	if (capture_knows_link(link))
		return 0;
	diag_add(&o->c->diags, DIAG_E2822, SPAN_NONE, "'%s' has link type %u",
			 cli_capture_name(o->c), link);
	return EX_DATAERR;
}

/* The interface to write packets of a link type with, a new one if need be */
static int iface_for(struct over *o, uint32_t link, uint32_t *ret)
{
	for (*ret = 0; *ret < o->n_links; (*ret)++)
		if (o->links[*ret] == link)
			return 0;
	if (o->n_links == MAX_LINKS || (!o->w.is_ng && o->n_links > 0)) {
		diag_add(&o->c->diags, DIAG_E2823, SPAN_NONE,
			 "'%s' has packets of several link types", cli_capture_name(o->c));
		diag_help(&o->c->diags, "write to a name that ends in .pcapng");
		return EX_DATAERR;
	}
	o->links[o->n_links++] = link;
	capture_write_iface(&o->w, link, 0);
	return 0;
}

static int write_frame(struct over *o, uint32_t link, struct capture_record r)
{
	int status;

	o->tally.written++;
	if (o->out_file == NULL)
		return 0;
	r.time_ns = o->now_ns;
	status = iface_for(o, link, &r.iface);
	if (status != 0)
		return status;
	capture_write(&o->w, &r);
	return ferror(o->out_file) ? cli_system(o->c, -EIO, "write the capture") : 0;
}

/* ---- packets -------------------------------------------------------------- */

/*
 * What came out beside the packet: behind the header of the frame that caused it,
 * turned round unless that led to the same side
 */
static int write_made(struct over *o, const struct last_frame *cause)
{
	uint32_t n;
	const struct nat_made *v = nat_made(o->nat, &n);
	int status = 0;

	for (uint32_t i = 0; i < n && status == 0; i++) {
		const bool is_timer = v[i].after == UINT32_MAX || cause == NULL;
		const struct last_frame *f = is_timer ? &o->last[1 - v[i].to] : cause;
		uint8_t *frame;

		if (is_timer && !f->has)
			f = &o->last[v[i].to];
		frame = malloc(f->len + v[i].len);
		if (frame == NULL)
			return cli_system(o->c, -ENOMEM, "write the capture");
		memcpy(frame, f->header, f->len);
		memcpy(frame + f->len, v[i].data, v[i].len);
		if (f != &o->last[1 - v[i].to])
			capture_frame_turn(f->link, frame, f->len);
		status = write_frame(o, f->link, (struct capture_record){
			.data = frame, .len = f->len + v[i].len, .wire_len = f->len + v[i].len });
		free(frame);
	}
	return status;
}

static bool is_in(const struct prefix *v, uint32_t n, struct addr a)
{
	for (uint32_t i = 0; i < n; i++)
		if (prefix_has(v[i], a))
			return true;
	return false;
}

static bool is_outside(const struct nat_config *cfg, struct addr a)
{
	for (uint32_t i = 0; i < cfg->n_outside; i++)
		if (addr_equal(cfg->outside[i], a))
			return true;
	for (uint32_t i = 0; i < cfg->n_npt; i++)
		if (prefix_has(cfg->npt[i].outside, a))
			return true;
	return false;
}

/* The side that a packet comes from, by its addresses; -1: neither */
static int side_of(const struct over *o, uint8_t af, const uint8_t *p, uint32_t len)
{
	const struct nat_config *cfg = &o->sides.cfg;
	const uint32_t at = af == AF_V4 ? 12 : 8, n = af == AF_V4 ? 4 : 16;

	if (len < at + 2 * n)
		return -1;
	if (is_in(cfg->inside, cfg->n_inside, addr_from_bytes(af, p + at)))
		return NAT_INSIDE;
	return is_outside(cfg, addr_from_bytes(af, p + at + n)) ? NAT_OUTSIDE : -1;
}

static void explain(struct over *o, const struct nat_packet *p)
{
	if (o->said != NULL)
		nat_explain(o->c, &o->sides, o->nat, o->tally.packets, p,
			    o->was_asked ? &o->asked : NULL, o->said);
}

/* Of a packet that the NAT does not see */
static void explain_unseen(const struct over *o, const char *why)
{
	if (o->said != NULL)
		fprintf(o->said, "%llu: %s\n", (unsigned long long)o->tally.packets, why);
}

static void count_flow(struct over *o, const struct nat_packet *p)
{
	struct nat_flow f;

	if (p->verdict == NAT_FORWARD && p->flow > 0 && nat_flow_at(o->nat, p->flow - 1, &f))
		nat_tally_flow(o->c, &o->tally, &f);
}

/* An IP packet of a side, in the frame of @r */
static int translate(struct over *o, struct capture_record *r, uint32_t link, uint32_t at, int side)
{
	const uint32_t wire = MIN(MAX(r->wire_len, r->len), LIMIT_CAPTURE_BYTES) - at;
	struct nat_packet p = {
		.data = r->data + at, .len = wire, .from = (uint8_t)side,
	};
	struct last_frame *last = &o->last[side];
	uint32_t kept = r->len - at;
	int status = 0;

	memset(r->data + r->len, 0, at + wire - r->len);
	last->len = MIN(at, MAX_HEADER);
	last->link = link;
	last->has = true;
	memcpy(last->header, r->data, last->len);
	o->was_asked = false;
	nat_batch(o->nat, o->now_ns, &p, 1);
	explain(o, &p);
	count_flow(o, &p);
	if (p.verdict == NAT_FORWARD) {
		kept = MIN(kept, p.len);
		status = write_frame(o, link, (struct capture_record){
			.data = r->data, .len = at + kept, .wire_len = at + p.len });
	}
	return status == 0 ? write_made(o, last) : status;
}

/* Timers run on the capture's clock: second by second, where something may wait for them */
static int pass_time(struct over *o, uint64_t until_ns)
{
	bool more;
	int status = 0;

	for (uint32_t i = 0; i <= WAIT_SECONDS && o->now_ns + SECOND_NS < until_ns && status == 0;
	     i++) {
		o->now_ns = i < WAIT_SECONDS ? o->now_ns + SECOND_NS : until_ns;
		do {
			more = nat_tick(o->nat, o->now_ns);
			status = write_made(o, NULL);
		} while (more && status == 0);
	}
	return status;
}

static int take_record(struct over *o, struct capture_record *r)
{
	const uint32_t link = o->in.ifaces.v[r->iface].link;
	struct capture_frame f;
	int side, status = link_in_words(o, link);

	if (status != 0)
		return status;
	o->tally.packets++;
	status = pass_time(o, r->time_ns);
	o->now_ns = r->time_ns;
	f = capture_frame_parse(link, r->data, r->len);
	if (f.af == AF_NONE) {
		o->tally.no_ip++;
		explain_unseen(o, "no IP packet");
		return status;
	}
	side = side_of(o, f.af, r->data + f.at, r->len - f.at);
	if (side < 0) {
		o->tally.no_side++;
		explain_unseen(o, "neither from inside nor to an outside address");
		return status;
	}
	return status == 0 ? translate(o, r, link, f.at, side) : status;
}

/* ---- the whole ------------------------------------------------------------ */

static void progress(const struct over *o, bool is_end)
{
	if (o->c->quiet || !isatty(STDERR_FILENO) || o->tally.packets < PROGRESS_EVERY)
		return;
	if (is_end)
		fprintf(stderr, "\r\033[K");
	else if (o->tally.packets % PROGRESS_EVERY == 0)
		fprintf(stderr, "\r%llu packets", (unsigned long long)o->tally.packets);
	fflush(stderr);
}

static int make_nat(struct over *o, uint64_t now_ns)
{
	struct nat_config *cfg = &o->sides.cfg;

	if (o->sides.has_rules) {
		cfg->judge = judge;
		cfg->judge_ctx = o;
	}
	o->mem_len = nat_bytes(cfg);
	o->mem = mmap(NULL, o->mem_len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (o->mem == MAP_FAILED) {
		o->mem = NULL;
		return cli_system(o->c, -errno, "get memory for the flows");
	}
	BUG_IF(nat_init(cfg, o->mem, &o->nat) < 0);
	o->now_ns = now_ns;
	return o->c->nat.state != NULL ? nat_state_load(o->c, o->c->nat.state, o->nat, now_ns) : 0;
}

static int run(struct over *o)
{
	struct capture_record r;
	int status = 0, more = capture_next(&o->in, &r);

	if (more >= 0 || o->in.is_cut)
		status = make_nat(o, more > 0 ? r.time_ns : 0);
	while (more > 0 && status == 0) {
		status = take_record(o, &r);
		progress(o, false);
		if (status == 0)
			more = capture_next(&o->in, &r);
	}
	progress(o, true);
	if (status == 0 && more < 0 && !o->in.is_cut)
		return cli_capture_failed(o->c, &o->in, more);
	return status;
}

/* A pcap without packets has a header all the same */
static int end_output(struct over *o)
{
	uint32_t iface;
	int err = 0, status = 0;

	if (o->out_file == NULL)
		return 0;
	if (o->n_links == 0)
		status = iface_for(o, o->in.ifaces.n > 0 ? o->in.ifaces.v[0].link : LINK_ETHERNET,
				   &iface);
	if (fflush(o->out_file) != 0 || ferror(o->out_file))
		err = errno > 0 ? -errno : -EIO;
	if (err == 0 && o->temp != NULL) {
		if (rename(o->temp, o->c->nat.write) < 0)
			err = -errno;
		else
			o->temp = NULL;
	}
	return err < 0 ? cli_system(o->c, err, arena_printf(&o->c->arena, "write '%s'",
				    o->c->nat.write)) : status;
}

static void close_all(struct over *o)
{
	if (o->in_file != NULL && o->in_file != stdin)
		fclose(o->in_file);
	if (o->out_file != NULL && o->out_file != stdout)
		fclose(o->out_file);
	if (o->temp != NULL)
		unlink(o->temp);
	if (o->mem != NULL)
		munmap(o->mem, o->mem_len);
	nat_rules_fini(&o->sides.rules);
	free(o->tally.said);
}

static int all_of_it(struct over *o)
{
	struct cli *c = o->c;
	const bool to_stdout = c->nat.write != NULL && strcmp(c->nat.write, "-") == 0;
	int status = nat_sides_make(c, &o->sides);

	if (status == 0)
		status = cli_capture_open(c, &o->in, &o->in_file);
	if (status == 0)
		status = open_output(o);
	if (c->nat.explain)
		o->said = c->json ? open_memstream(&o->tally.said, &o->said_len)
				  : to_stdout ? stderr : c->out;
	if (status == 0)
		status = run(o);
	if (status == 0 && c->nat.state != NULL)
		status = nat_state_save(c, c->nat.state, o->nat);
	if (status == 0)
		status = end_output(o);
	if (c->json && o->said != NULL)
		fclose(o->said);
	if (status == 0 && !(to_stdout && c->quiet))
		nat_tally_print(c, &o->sides, &o->tally, o->nat, to_stdout ? stderr : c->out);
	/* All packets that it has were whole, as tcpdump has it too */
	if (status == 0 && o->in.is_cut)
		return cli_capture_failed(c, &o->in, -EBADMSG);
	return status;
}

int nat_over_capture(struct cli *c)
{
	struct over *o = arena_new(&c->arena, struct over);
	int status;

	if (c->nat.io != NULL)
		return cli_usage(c, "--io is of a live run, and --read of a capture");
	if (c->json && c->nat.write != NULL && strcmp(c->nat.write, "-") == 0)
		return cli_usage(c, "--json and --write - both want standard output");
	o->c = c;
	status = all_of_it(o);
	close_all(o);
	return status;
}
