/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Only the keeper answers.  A sealed worker that listened would have to read what
 * strangers to it write, and to act on it with rights that it gave up; here a
 * request is one of four words, from who is the same user as the keeper (the
 * socket's mode, and SO_PEERCRED behind it), and a worker is told no more than to
 * count, to save or to end.
 *
 * A few callers at a time, one line each way, with a limit on bytes and on time.  While
 * they speak the keeper hears everybody else.  Where one more comes the one that has been
 * silent for longest goes: who has something to say is not kept from it by who has not.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/nat_ask.h"
#include "cli/nat_run.h"
#include "host/state.h"
#include "lang/json.h"

#define SPEAK_NS	UINT64_C(3000000000)	/* for a caller to say what it wants */
#define LISTEN_NS	UINT64_C(1000000000)	/* and to listen to the answer */
#define SCRATCH_BYTES	(256u << 10)		/* memory to read a request with */

static int open_dir(struct nat_run *r, struct state *st)
{
	return state_open(st, r->c->state_dir, STATE_WRITE, STATE_LOCK_SECONDS);
}

int nat_control_open(struct nat_run *r)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	CLEANUP(base_fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int err = fd < 0 ? -errno : open_dir(r, &st);
	mode_t mask;

	if (err < 0)
		return err;
	/* One that a killed run has left is nobody's: we hold the lock */
	if (unlinkat(st.dir_fd, NAT_CONTROL_NAME, 0) < 0 && errno != ENOENT)
		return -errno;
	nat_control_address(&at, st.dir_fd);
	mask = umask(0177);
	err = bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
	umask(mask);
	if (err == 0 && listen(fd, 16) < 0)
		err = -errno;
	if (err == 0)
		r->control = base_take_fd(&fd);
	return err;
}

void nat_control_close(struct nat_run *r)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };

	if (r->control < 0)
		return;
	base_fd_close(&r->control);
	if (open_dir(r, &st) == 0)
		(void)unlinkat(st.dir_fd, NAT_CONTROL_NAME, 0);
}

/* ---- answers ---------------------------------------------------------------------- */

static void print_reasons(FILE *out, const struct nat_counters *n)
{
	const char *comma = "";

	fputs(", \"dropped\": {", out);
	for (int i = 0; i < N_NAT_REASONS; i++) {
		if (n->dropped[i] == 0)
			continue;
		fprintf(out, "%s\"%s\": %llu", comma, nat_reason_names[i],
			(unsigned long long)n->dropped[i]);
		comma = ", ";
	}
	putc('}', out);
}

static void print_ways(FILE *out, const struct nat_run *r, const struct nat_post *p)
{
	static const char *const names[2] = { "inside", "outside" };

	for (int side = 0; side < 2; side++) {
		const struct io_counts *n = &p->io[side];

		fprintf(out, ", \"%s\": {\"interface\": ", names[side]);
		json_cstring(out, side == NAT_OUTSIDE ? r->plan.outside :
			     r->plan.tun != NULL ? r->plan.tun : r->plan.inside);
		fprintf(out, ", \"received\": %llu, \"lost\": %llu, \"other\": %llu, "
			"\"not_ours\": %llu, \"sent\": %llu, \"refused\": %llu, \"too_big\": %llu}",
			(unsigned long long)n->rx, (unsigned long long)n->rx_lost,
			(unsigned long long)n->rx_other,
			(unsigned long long)p->loop.not_ours[side], (unsigned long long)n->tx,
			(unsigned long long)n->tx_refused, (unsigned long long)n->tx_too_big);
	}
}

/* Packets that the kernel has carried by itself; those of the NAT have them too */
static void print_lanes(FILE *out, const struct lanes_counts *n)
{
	fprintf(out, ", \"lanes\": {\"now\": %llu, \"entered\": %llu, "
		"\"packets\": {\"out\": %llu, \"in\": %llu}, "
		"\"bytes\": {\"out\": %llu, \"in\": %llu}}",
		(unsigned long long)n->now, (unsigned long long)n->entered,
		(unsigned long long)n->packets[NAT_INSIDE],
		(unsigned long long)n->packets[NAT_OUTSIDE],
		(unsigned long long)n->bytes[NAT_INSIDE],
		(unsigned long long)n->bytes[NAT_OUTSIDE]);
}

static void print_files(FILE *out, const struct cli *c)
{
	fputs(", \"files\": [", out);
	for (uint32_t i = 0; i < c->files.n; i++) {
		CLEANUP(base_free) char *whole = realpath(c->files.v[i].path, NULL);

		fputs(i > 0 ? ", " : "", out);
		json_cstring(out, whole != NULL ? whole : c->files.v[i].path);
	}
	putc(']', out);
}

static void print_defines(FILE *out, const struct cli *c)
{
	fputs(", \"defines\": {", out);
	for (uint32_t i = 0; i < c->defines.n; i++) {
		fputs(i > 0 ? ", " : "", out);
		json_cstring(out, c->defines.v[i].name);
		fputs(": ", out);
		json_cstring(out, c->defines.v[i].value);
	}
	putc('}', out);
}

static void print_status(FILE *out, struct nat_run *r)
{
	struct nat_post p;
	const struct nat_counters *n = &p.nat;

	nat_keeper_count(r, &p);
	fprintf(out, "{\"status\": 0, \"nat\": {\"workers\": %u, \"generation\": %u, "
		"\"seconds\": %llu, \"flows\": %u, \"bindings\": %u, \"held\": %u, "
		"\"flows_made\": %llu, \"packets\": {\"out\": %llu, \"in\": %llu}, "
		"\"forwarded\": {\"out\": %llu, \"in\": %llu}, \"translated\": %llu, "
		"\"hairpinned\": %llu, \"made\": %llu, \"by_kernel\": %llu, \"handed\": %llu",
		r->n_workers, r->generation,
		(unsigned long long)((natloop_now() - r->since_ns) / 1000000000u), n->flows,
		n->bindings, n->held, (unsigned long long)n->flows_made,
		(unsigned long long)n->packets[NAT_INSIDE],
		(unsigned long long)n->packets[NAT_OUTSIDE],
		(unsigned long long)n->forwarded[NAT_INSIDE],
		(unsigned long long)n->forwarded[NAT_OUTSIDE], (unsigned long long)n->translated,
		(unsigned long long)n->hairpinned, (unsigned long long)n->made,
		(unsigned long long)p.loop.by_kernel, (unsigned long long)p.loop.handed);
	print_reasons(out, n);
	print_lanes(out, &p.lanes);
	print_ways(out, r, &p);
	print_files(out, r->c);
	print_defines(out, r->c);
	fputs("}}\n", out);
}

/* What all workers have counted */
static void sum_places(const struct nat_run *r, struct places *all)
{
	memcpy(all->led, r->places[0]->led, sizeof(all->led));
	for (uint32_t w = 0; w < r->n_workers; w++) {
		for (uint32_t i = 0; i < PLACES; i++) {
			const struct places_one *x = &r->places[w]->v[i];
			const uint32_t at = x->a.af == AF_V4 || x->a.af == AF_V6 ?
					    places_at(all, x->proto, x->a, x->port) : PLACE_NONE;

			if (at != PLACE_NONE)
				places_count(all, at, x->packets, x->bytes,
					     MAX(x->last_ns, all->v[at].last_ns));
		}
	}
}

/* What forwards have seen: protocol, address, port, packets, bytes, milliseconds since */
static void print_traffic(FILE *out, struct nat_run *r)
{
	const uint64_t now_ns = natloop_now();
	const char *sep = "";
	CLEANUP(base_free) struct places *sum = calloc(1, sizeof(*sum));
	struct nat_post p;
	char a[ADDR_TEXT_BYTES];

	nat_keeper_count(r, &p);	/* what went by lanes too */
	fputs("{\"status\": 0, \"traffic\": [", out);
	if (sum != NULL)
		sum_places(r, sum);
	for (uint32_t i = 0; i < PLACES && sum != NULL; i++) {
		const struct places_one *x = &sum->v[i];

		if (x->a.af != AF_V4 && x->a.af != AF_V6)
			continue;
		fprintf(out, "%s[%u, \"%s\", %u, %llu, %llu, %llu]", sep, x->proto,
			addr_print(x->a, a), x->port, (unsigned long long)x->packets,
			(unsigned long long)x->bytes,
			(unsigned long long)(now_ns - MIN(x->last_ns, now_ns)) / 1000000);
		sep = ", ";
	}
	fputs("]}\n", out);
}

static void print_reload(FILE *out, struct nat_run *r)
{
	struct nat_word why;
	const int status = nat_keeper_reload(r, &why);

	fprintf(out, "{\"status\": %d", status);
	if (status != 0) {
		fprintf(out, ", \"code\": \"%s\", \"error\": ",
			why.value >= 0 && why.value < (int32_t)DIAG_N_CODES ?
			diag_codes[why.value].name : "");
		json_cstring(out, why.text);
	}
	fputs("}\n", out);
}

static void print_save(FILE *out, struct nat_run *r)
{
	fprintf(out, "{\"status\": %d}\n", nat_keeper_save(r) == 0 ? 0 : EX_OSERR);
}

static const struct {
	const char *name;
	void (*print)(FILE *out, struct nat_run *r);
} requests[] = {
	{ "status", print_status }, { "reload", print_reload }, { "save", print_save },
	{ "traffic", print_traffic },
};

/* ---- callers ---------------------------------------------------------------------- */

static bool is_one_of_us(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && who.uid == geteuid();
}

static int which_request(struct arena *a, const char *line)
{
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct lang_ctx ctx = { .a = a, .names = &names, .sources = &sources, .diags = &diags };
	const struct json *what;
	struct json all;

	intern_init(&names, a);
	sources_init(&sources, a);
	diags_init(&diags, a, &sources);
	if (!json_parse(&ctx, sources_add(&sources, "request", line, (uint32_t)strlen(line),
					  SPAN_NONE), &all))
		return -1;
	what = json_find(&all, "do");
	for (size_t i = 0; what != NULL && i < ARRAY_SIZE(requests); i++)
		if (what->kind == JSON_STRING && strcmp(what->s, requests[i].name) == 0)
			return (int)i;
	return -1;
}

/* What a line asks for, as a row of the table; -1: nothing that we know */
static int read_request(const char *line)
{
	CLEANUP(arena_fini) struct arena a;
	jmp_buf full;

	arena_init(&a, SCRATCH_BYTES);
	a.full = &full;
	return setjmp(full) == 0 ? which_request(&a, line) : -1;
}

/* Everything that the caller has said, to its end; it may be gone, or not listen */
static void answer(struct nat_run *r, const struct nat_caller *k)
{
	CLEANUP(base_free) char *text = NULL;
	const int which = read_request(k->said);
	size_t len = 0, done = 0;
	FILE *out = open_memstream(&text, &len);
	uint64_t until_ns;

	if (out == NULL)
		return;
	if (which >= 0)
		requests[which].print(out, r);
	else
		fprintf(out, "{\"status\": %d, \"error\": \"no such request\"}\n", EX_USAGE);
	if (fclose(out) != 0)
		return;
	/* However long it took to do it */
	until_ns = natloop_now() + LISTEN_NS;
	do {
		struct pollfd p = { k->fd, POLLOUT, 0 };
		const ssize_t n = send(p.fd, text + done, len - done, MSG_NOSIGNAL);

		if (n < 0 && (errno != EAGAIN || poll(&p, 1, LISTEN_NS / 1000000) <= 0))
			return;
		done += n > 0 ? (size_t)n : 0;
	} while (done < len && natloop_now() < until_ns);
}

/* Has it said a line; a caller that never will has gone */
static bool hear(struct nat_caller *k)
{
	const ssize_t n = recv(k->fd, k->said + k->len, sizeof(k->said) - 1 - k->len, 0);

	if (n < 0 && errno == EAGAIN)
		return false;
	k->len += n > 0 ? (size_t)n : 0;
	k->said[k->len] = '\0';
	if (n > 0 && k->said[k->len - 1] == '\n' && strlen(k->said) == k->len)
		return true;
	if (n <= 0 || k->len + 1 == sizeof(k->said))
		base_fd_close(&k->fd);
	return false;
}

int nat_control_poll(const struct nat_run *r, struct pollfd fds[NAT_CONTROL_FDS])
{
	const uint64_t now_ns = natloop_now();
	int wait_ms = -1;

	fds[NAT_CALLERS] = (struct pollfd){ r->control, POLLIN, 0 };
	for (uint32_t i = 0; i < NAT_CALLERS; i++) {
		const struct nat_caller *k = &r->callers[i];
		const int left_ms = (int)((k->until_ns - MIN(now_ns, k->until_ns)) / 1000000) + 1;

		fds[i] = (struct pollfd){ k->fd, POLLIN, 0 };
		if (k->fd >= 0 && (wait_ms < 0 || left_ms < wait_ms))
			wait_ms = left_ms;
	}
	return wait_ms;
}

/* One that nobody has, or whose caller has been there longest, who goes */
static struct nat_caller *have_place(struct nat_run *r)
{
	struct nat_caller *first = &r->callers[0];

	for (uint32_t i = 0; i < NAT_CALLERS; i++) {
		struct nat_caller *k = &r->callers[i];

		if (k->fd < 0)
			return k;
		if (k->until_ns < first->until_ns)
			first = k;
	}
	base_fd_close(&first->fd);
	return first;
}

static void let_in(struct nat_run *r)
{
	CLEANUP(base_fd_close) int fd = accept4(r->control, NULL, NULL,
						SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct nat_caller *k;

	if (fd < 0 || !is_one_of_us(fd))
		return;
	k = have_place(r);
	k->fd = base_take_fd(&fd);
	k->until_ns = natloop_now() + SPEAK_NS;
	k->len = 0;
}

void nat_control_serve(struct nat_run *r, const struct pollfd fds[NAT_CONTROL_FDS])
{
	for (uint32_t i = 0; i < NAT_CALLERS; i++) {
		struct nat_caller *k = &r->callers[i];

		if (k->fd >= 0 && fds[i].revents != 0 && hear(k)) {
			answer(r, k);
			base_fd_close(&k->fd);
		}
		if (k->fd >= 0 && natloop_now() >= k->until_ns)
			base_fd_close(&k->fd);
	}
	if (fds[NAT_CALLERS].revents != 0)
		let_in(r);
}
