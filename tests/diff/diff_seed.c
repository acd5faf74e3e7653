/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diff_seed - the ipfw ruleset of seed.h, loaded: FreeBSD, the model, the kernel
 *
 * DOC: Theory of operation
 *
 * Each row is a packet that FreeBSD's own ipfw was given, with what it did.  The
 * model and the kernel are given the same, in the same order, with states kept,
 * and must both do that.  So must the model that the language makes of the
 * ruleset's own file, where that is there.  Other rules follow, for what that one
 * does not use.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "diff_lab.h"
#include "diff_wire.h"
#include "seed.h"
#include "target/nft.h"

#define SEED_BYTES	65536u	/* more than the file has */

#define S	TCP_FLAG_SYN
#define A	TCP_FLAG_ACK
#define RANDOM	0xffff		/* a source port that the instance chose: 0x8000 and above */

enum sender { OUT, IN, REPLY };		/* the host; from em0; who got the last packet */
enum end { LOST, LEFT, LOCAL };

/* A packet, and what FreeBSD made of it; a reply is described by what it becomes */
struct row {
	enum sender sender;
	uint8_t proto;
	const char *src;
	uint16_t sport;
	const char *dst;
	uint16_t dport;
	uint8_t flags;
	enum end end;
	const char *end_src;
	uint16_t end_sport;
	const char *end_dst;
	uint16_t end_dport;
	uint8_t answer;			/* protocol of what the sender is told, or 0 */
};

#define JAIL	"10.1.0.2"
#define PUB	"198.51.100.2"
#define ROW_OUT(proto, src, sport, dst, dport, flags, end, esrc, esport) \
	{ OUT, proto, src, sport, dst, dport, flags, end, esrc, esport, dst, dport, 0 }
#define ROW_IN(proto, src, sport, dst, dport, flags, end) \
	{ IN, proto, src, sport, dst, dport, flags, end, src, sport, dst, dport, 0 }
#define ROW_ANSWERED(proto, src, sport, dst, dport, flags, answer) \
	{ IN, proto, src, sport, dst, dport, flags, LOST, src, sport, dst, dport, answer }
#define ROW_REPLY(proto, flags, src, sport, dst, dport) \
	{ REPLY, proto, NULL, 0, NULL, 0, flags, LOCAL, src, sport, dst, dport, 0 }

static const struct row seed_rows[] = {
	ROW_OUT(PROTO_UDP, JAIL, 5353, "8.8.8.8", 53, 0, LEFT, PUB, RANDOM),
	ROW_REPLY(PROTO_UDP, 0, "8.8.8.8", 53, JAIL, 5353),
	ROW_OUT(PROTO_TCP, JAIL, 1111, "9.9.9.9", 443, S, LEFT, PUB, RANDOM),
	ROW_REPLY(PROTO_TCP, S | A, "9.9.9.9", 443, JAIL, 1111),
	ROW_OUT(PROTO_TCP, JAIL, 1111, "9.9.9.9", 443, A, LEFT, PUB, RANDOM),
	ROW_OUT(PROTO_UDP, PUB, 4000, "8.8.8.8", 53, 0, LEFT, PUB, RANDOM),
	ROW_REPLY(PROTO_UDP, 0, "8.8.8.8", 53, PUB, 4000),
	ROW_IN(PROTO_UDP, "7.7.7.7", 2222, PUB, 23, 0, LOST),
	ROW_IN(PROTO_TCP, "7.7.7.7", 2222, PUB, 23, S, LOST),
	ROW_IN(PROTO_TCP, "7.7.7.7", 2222, PUB, 23, A, LOCAL),
	ROW_IN(PROTO_TCP, "7.7.7.7", 2222, PUB, 22, S, LOCAL),
	ROW_OUT(PROTO_TCP, PUB, 22, "7.7.7.7", 2222, S | A, LEFT, PUB, 22),
	ROW_IN(PROTO_UDP, JAIL, 53, PUB, 5353, 0, LOST),
	ROW_OUT(PROTO_TCP, JAIL, 3001, "9.9.9.9", 25, S, LEFT, JAIL, 3001),
	ROW_OUT(PROTO_ICMP, JAIL, 99, "9.9.9.9", 99, 0, LEFT, JAIL, 99),
	ROW_OUT(PROTO_TCP, JAIL, 4444, "10.1.0.1", 80, S, LOCAL, JAIL, 4444),
	ROW_OUT(PROTO_TCP, JAIL, 4444, PUB, 80, S, LOCAL, JAIL, 4444),
	ROW_IN(PROTO_TCP, "7.7.7.7", 3333, PUB, 80, S, LOCAL),
};

static const struct row onepass_rows[] = {
	ROW_OUT(PROTO_UDP, JAIL, 5353, "8.8.8.8", 53, 0, LEFT, PUB, RANDOM),
	ROW_REPLY(PROTO_UDP, 0, "8.8.8.8", 53, JAIL, 5353),
	ROW_OUT(PROTO_TCP, JAIL, 1111, "9.9.9.9", 443, S, LEFT, PUB, RANDOM),
	ROW_REPLY(PROTO_TCP, S | A, "9.9.9.9", 443, JAIL, 1111),
	ROW_IN(PROTO_TCP, "7.7.7.7", 2222, PUB, 23, S, LOCAL),
};

/* Refusals that are answered; our own RST is not judged by rule 40 */
static const char answer_rules[] =
	"add 10 reset tcp from any to any 113 in\n"
	"add 20 unreach port udp from any to any 33434 in\n"
	"add 40 deny tcp from any to any out\n"
	"add 60 allow ip from any to any\n";
static const struct row answer_rows[] = {
	ROW_ANSWERED(PROTO_TCP, "7.7.7.7", 2222, PUB, 113, S, PROTO_TCP),
	ROW_ANSWERED(PROTO_TCP, "7.7.7.7", 2223, PUB, 113, A, PROTO_TCP),
	ROW_ANSWERED(PROTO_TCP, "7.7.7.7", 2224, PUB, 113, TCP_FLAG_RST, 0),
	ROW_ANSWERED(PROTO_UDP, "7.7.7.7", 2222, PUB, 33434, 0, PROTO_ICMP),
	ROW_IN(PROTO_UDP, "7.7.7.7", 2222, PUB, 33436, 0, LOCAL),
};

/* A tag stays with a packet from its pass out to its pass in */
static const char tag_rules[] =
	"add 10 count tag 7 tcp from any to any 80,81 out\n"
	"add 20 count untag 7 tcp from any to any 81 out\n"
	"add 30 allow tcp from any to any in tagged 7\n"
	"add 40 deny ip from any to any in\n"
	"add 50 allow ip from any to any\n";
static const struct row tag_rows[] = {
	ROW_OUT(PROTO_TCP, JAIL, 4444, "10.1.0.1", 80, S, LOCAL, JAIL, 4444),
	ROW_OUT(PROTO_TCP, JAIL, 4445, "10.1.0.1", 81, S, LOST, JAIL, 4445),
	ROW_OUT(PROTO_TCP, JAIL, 4446, "10.1.0.1", 82, S, LOST, JAIL, 4446),
	ROW_IN(PROTO_TCP, "7.7.7.7", 2222, PUB, 80, S, LOST),
};

/* A look for states of one name finds no others, and one for all looks again */
static const char name_rules[] =
	"add 10 check-state :web\n"
	"add 20 deny udp from any 53 to any in\n"
	"add 30 allow udp from any to any 53 out keep-state :web\n"
	"add 40 deny tcp from any 80 to any in\n"
	"add 50 allow tcp from any to any 80 out keep-state :other\n"
	"add 60 check-state\n";
static const struct row name_rows[] = {
	ROW_OUT(PROTO_UDP, PUB, 4000, "8.8.8.8", 53, 0, LEFT, PUB, 4000),
	ROW_REPLY(PROTO_UDP, 0, "8.8.8.8", 53, PUB, 4000),
	ROW_IN(PROTO_UDP, "8.8.4.4", 53, PUB, 4000, 0, LOST),
	ROW_OUT(PROTO_TCP, PUB, 4001, "9.9.9.9", 80, S, LEFT, PUB, 4001),
	ROW_IN(PROTO_TCP, "9.9.9.9", 80, PUB, 4001, S | A, LOST),
};

/* As libalias: redirects by port, links, and what has none */
static const char nat_rules[] =
	"nat 1 config ip 198.51.100.2 same_ports unreg_only deny_in "
	"redirect_port tcp 10.1.0.2:80-81 8080-8081 redirect_port tcp 10.1.0.2:443 443\n"
	"add 10 nat 1 ip from any to any via em0\n"
	"add 20 deny tcp from any to 198.51.100.2 in via em0\n"
	"add 30 allow ip from any to any\n";
#define ROW_TO_JAIL(sport, dport, to) \
	{ IN, PROTO_TCP, "7.7.7.7", sport, PUB, dport, S, LOCAL, "7.7.7.7", sport, JAIL, to, 0 }
static const struct row nat_rows[] = {
	ROW_TO_JAIL(2001, 8081, 81),
	ROW_TO_JAIL(2002, 443, 443),
	ROW_IN(PROTO_TCP, "7.7.7.7", 2003, PUB, 22, S, LOST),
	ROW_IN(PROTO_UDP, "7.7.7.7", 2004, PUB, 53, 0, LOST),
	ROW_OUT(PROTO_UDP, JAIL, 5353, "8.8.8.8", 53, 0, LEFT, PUB, 5353),
	ROW_REPLY(PROTO_UDP, 0, "8.8.8.8", 53, JAIL, 5353),
	ROW_OUT(PROTO_UDP, PUB, 5354, "8.8.8.8", 53, 0, LEFT, PUB, 5354),
	ROW_REPLY(PROTO_UDP, 0, "8.8.8.8", 53, PUB, 5354),
	ROW_OUT(PROTO_TCP, JAIL, 81, "9.9.9.9", 80, S, LEFT, PUB, 8081),
};

/* No link, no way in: also what conntrack takes for no flow, or would not track */
static const char deny_rules[] =
	"nat 1 config ip 198.51.100.2 same_ports deny_in\n"
	"add 10 nat 1 ip from any to any via em0\n"
	"add 20 allow ip from any to any\n";
static const struct row deny_rows[] = {
	ROW_IN(PROTO_TCP, "7.7.7.7", 2001, PUB, 22, S, LOST),
	ROW_IN(PROTO_TCP, "7.7.7.7", 2002, PUB, 22, S | A, LOST),
	ROW_IN(PROTO_TCP, "7.7.7.7", 2003, PUB, 22, TCP_FLAG_RST | A, LOST),
	ROW_OUT(PROTO_UDP, PUB, 5354, "8.8.8.8", 53, 0, LEFT, PUB, 5354),
	ROW_REPLY(PROTO_UDP, 0, "8.8.8.8", 53, PUB, 5354),
};

/* One state more than the limit is refused; another source has a limit of its own */
static const char limit_rules[] =
	"add 10 allow tcp from any to me 22 in setup limit src-addr 2\n"
	"add 20 deny ip from any to any\n";
static const struct row limit_rows[] = {
	ROW_IN(PROTO_TCP, "7.7.7.7", 2001, PUB, 22, S, LOCAL),
	ROW_IN(PROTO_TCP, "7.7.7.7", 2002, PUB, 22, S, LOCAL),
	ROW_IN(PROTO_TCP, "7.7.7.7", 2003, PUB, 22, S, LOST),
	ROW_IN(PROTO_TCP, "7.7.7.8", 2001, PUB, 22, S, LOCAL),
	ROW_IN(PROTO_TCP, "7.7.7.7", 2001, PUB, 22, A, LOCAL),
	ROW_IN(PROTO_TCP, "7.7.7.7", 2003, PUB, 22, A, LOST),
};

static const struct {
	const char *name;
	const struct row *rows;
	uint32_t n;
	bool one_pass;
	bool from_file;
	const char *rules;
} runs[] = {
	{ "seed", seed_rows, ARRAY_SIZE(seed_rows), false, false, NULL },
	{ "seed-onepass", onepass_rows, ARRAY_SIZE(onepass_rows), true, false, NULL },
	{ "seed-file", seed_rows, ARRAY_SIZE(seed_rows), false, true, NULL },
	{ "seed-file-onepass", onepass_rows, ARRAY_SIZE(onepass_rows), true, true, NULL },
	{ "ipfw-answer", answer_rows, ARRAY_SIZE(answer_rows), false, false, answer_rules },
	{ "ipfw-tag", tag_rows, ARRAY_SIZE(tag_rows), false, false, tag_rules },
	{ "ipfw-nat", nat_rows, ARRAY_SIZE(nat_rows), false, false, nat_rules },
	{ "ipfw-deny-in", deny_rows, ARRAY_SIZE(deny_rows), false, false, deny_rules },
	{ "ipfw-limit", limit_rows, ARRAY_SIZE(limit_rows), false, false, limit_rules },
	{ "ipfw-name", name_rows, ARRAY_SIZE(name_rows), false, false, name_rules },
};

/* A run of rows */
struct run {
	size_t number;
	const char *name;
	struct arena *a;
	struct lab *lab;
	struct seed seed;
	struct world world;
	struct packet last;		/* as it went on by the model */
	struct packet last_seen;	/* as it was seen */
	uint32_t n_seen;
	enum verdict verdict;		/* of the last crossing by the model */
	uint8_t answer;			/* protocol of what went out beside the packet, or 0 */
	uint32_t seen_link;
	struct wire seen;
	uint32_t id;
	uint32_t seq[2];
};

static struct addr addr(const char *text)
{
	struct addr x;

	BUG_IF(addr_parse(text, strlen(text), &x) < 0);
	return x;
}

static struct packet reply_to(const struct packet *p, uint8_t flags)
{
	struct packet r = *p;

	r.src = p->dst;
	r.dst = p->src;
	r.sport = p->dport;
	r.dport = p->sport;
	r.tcp_flags = flags;
	return r;
}

static struct packet first_packet(const struct row *row)
{
	return (struct packet){
		.proto = row->proto, .src = addr(row->src), .dst = addr(row->dst),
		.sport = row->sport, .dport = row->dport, .tcp_flags = row->flags,
		.icmp_type = row->proto == PROTO_ICMP ? 8 : 0,
	};
}

/* Is it at the end what the row says */
static bool is_as_told(const struct row *row, const struct packet *p)
{
	const bool port = row->end_sport == RANDOM ? p->sport >= 0x8000
						   : p->sport == row->end_sport;

	return addr_equal(p->src, addr(row->end_src)) && addr_equal(p->dst, addr(row->end_dst)) &&
	       port && p->dport == row->end_dport;
}

/* Judge one crossing; does it pass */
static bool cross(struct run *r, enum direction dir, const char *iface, struct packet *p)
{
	struct result res;

	p->dir = dir;
	p->iface = intern_cid(&r->seed.names, iface);
	p->recv = dir == DIR_IN ? p->iface : 0;
	res = model_eval(&r->seed.m, &r->world, p, r->a);
	*p = res.packet;
	r->verdict = res.verdict;
	return res.verdict == V_PASS;
}

static enum end by_model(struct run *r, enum sender sender, struct packet *p)
{
	const char *lo;

	if (sender != OUT)
		return cross(r, DIR_IN, "em0", p) ? LOCAL : LOST;
	if (lab_route(r->lab, p->dst) != LAB_LOCAL)
		return cross(r, DIR_OUT, "em0", p) ? LEFT : LOST;
	lo = facts_crossed(&r->seed.facts, "lo0", p->dst);
	return cross(r, DIR_OUT, lo, p) && cross(r, DIR_IN, lo, p) ? LOCAL : LOST;
}

static void take(uint32_t link, const uint8_t *data, size_t len, void *arg)
{
	struct run *r = arg;
	struct wire_seen s;

	if (!wire_parse(data, len, &s))
		return;
	if (s.w.id != r->id) {
		if (link == 0)
			r->answer = s.w.p.proto;
		return;
	}
	r->n_seen++;
	r->seen_link = link;
	r->seen = s.w;
}

static enum end by_kernel(struct run *r, const struct row *row, const struct packet *p)
{
	const bool back = row->sender == REPLY;
	struct wire w = { .p = *p, .id = ++r->id, .seq = r->seq[back], .ack = r->seq[!back] };
	uint8_t bytes[WIRE_BYTES];
	const size_t len = wire_build(&w, NULL, 0, bytes);

	r->n_seen = 0;
	r->answer = 0;
	r->seq[back] = wire_next_seq(&w);
	if (row->sender == OUT)
		(void)lab_send(r->lab, bytes, len);
	else
		lab_inject(r->lab, 0, bytes, len);
	BUG_IF(lab_collect(r->lab, take, r) < 0);
	return r->n_seen == 0 ? LOST : r->seen_link == LAB_LOCAL ? LOCAL : LEFT;
}

/* The port that the kernel chose is the port of the model's link from now on */
static void learn(struct run *r, const struct row *row)
{
	if (row->end_sport != RANDOM || r->world.links.n == 0)
		return;
	for (uint32_t i = 0; i < r->world.links.n; i++) {
		struct nat_link *l = &r->world.links.v[i];

		if (addr_equal(l->inside.src, addr(row->src)) && l->inside.sport == row->sport)
			l->outside.sport = r->seen.p.sport;
	}
}

static const char *const ends[] = { [LOST] = "lost", [LEFT] = "sent", [LOCAL] = "delivered" };

static const char *as_text(struct run *r, enum end end, const struct packet *p)
{
	char src[ADDR_TEXT_BYTES], dst[ADDR_TEXT_BYTES];

	if (end == LOST)
		return ends[end];
	return arena_printf(r->a, "%s %s > %s", ends[end], addr_port_print(p->src, p->sport, src),
			    addr_port_print(p->dst, p->dport, dst));
}

static bool check(struct run *r, uint32_t n, const char *who, const struct row *row, enum end end,
		  const struct packet *p)
{
	if (end == row->end && (end == LOST || is_as_told(row, p)))
		return true;
	printf("not ok diff/%s-%s # row %u: %s, and FreeBSD: %s %s:%u > %s:%u\n", r->name, who,
	       n + 1, as_text(r, end, p), ends[row->end], row->end_src, row->end_sport,
	       row->end_dst, row->end_dport);
	return false;
}

/* Is the sender told what the row says */
static bool check_answer(struct run *r, uint32_t n, const char *who, const struct row *row,
			 bool is_told)
{
	if (runs[r->number].rules == NULL || row->sender != IN || is_told == (row->answer != 0))
		return true;
	printf("not ok diff/%s-%s # row %u: %s answer\n", r->name, who, n + 1,
	       is_told ? "an" : "no");
	return false;
}

/* False when the target cannot express the model, or the kernel refuses it */
static bool load(struct run *r)
{
	struct nft_options o;
	struct nft_program *p;
	bool changed;

	nft_options_init(&o);
	p = nft_program_from_model(&r->seed.m, &o, &r->seed.diags);
	if (p != NULL && nft_load(&r->lab->nft, p, &r->seed.diags, &changed) == 0)
		return lab_forget(r->lab) == 0;
	if (p == NULL)
		printf("skip diff/%s-kernel # the target has no form for states of this kind\n",
		       r->name);
	else
		printf("not ok diff/%s-kernel # not loaded\n", r->name);
	diag_print(&r->seed.diags, stdout, false, DIAG_WARNING);
	return false;
}

/* A row by the model, and by the kernel where it is loaded */
static unsigned int run_row(struct run *r, uint32_t n, const struct row *row, bool loaded)
{
	struct packet p = row->sender != REPLY ? first_packet(row)
					       : reply_to(&r->last, row->flags);
	const struct packet sent = row->sender != REPLY ? p : reply_to(&r->last_seen, row->flags);
	unsigned int wrong = 0;
	enum end end;

	end = by_model(r, row->sender, &p);
	wrong |= !check(r, n, "model", row, end, &p);
	wrong |= !check_answer(r, n, "model", row, r->verdict == V_RETURN);
	r->last = p;
	if (!loaded)
		return wrong;
	end = by_kernel(r, row, &sent);
	wrong |= check(r, n, "kernel", row, end, &r->seen.p) ? 0u : 2u;
	wrong |= check_answer(r, n, "kernel", row, r->answer != 0 && r->answer == row->answer)
			 ? 0u : 2u;
	if (end == LOST)
		return wrong;
	r->last_seen = r->seen.p;
	learn(r, row);
	if (row->end_sport == RANDOM)
		r->last.sport = r->seen.p.sport;
	return wrong;
}

/* The text of the ruleset's file, or NULL */
static const char *seed_file(struct arena *a)
{
	const char *dir = getenv("SALLYPORT_CORPUS");
	char *text = arena_alloc(a, SEED_BYTES);
	FILE *f = fopen(arena_printf(a, "%s/ipfw/00-seed.rules",
				     dir != NULL ? dir : "../shared/corpus"), "re");

	if (f == NULL)
		return NULL;
	text[fread(text, 1, SEED_BYTES - 1, f)] = '\0';
	fclose(f);
	return text;
}

/* False when there is nothing to run; *@wrong: there should be */
static bool make_model(struct run *r, size_t i, unsigned int *wrong)
{
	const char *text;

	*wrong = 0;
	if (!runs[i].from_file && runs[i].rules == NULL) {
		seed_init(&r->seed, r->a, runs[i].one_pass);
		return true;
	}
	text = runs[i].rules != NULL ? runs[i].rules : seed_file(r->a);
	if (text == NULL) {
		printf("skip diff/%s # ../shared absent\n", r->name);
		return false;
	}
	if (seed_init_text(&r->seed, r->a, r->name, text, runs[i].one_pass))
		return true;
	printf("not ok diff/%s # refused\n", r->name);
	diag_print(&r->seed.diags, stdout, false, DIAG_WARNING);
	*wrong = 1;
	return false;
}

static unsigned int run_rows(struct lab *lab, size_t i)
{
	struct arena a;
	struct run r = { .number = i, .name = runs[i].name, .a = &a, .lab = lab,
			 .seq = { 1000, 500000 } };
	unsigned int wrong = 0;
	bool loaded;

	arena_init(&a, LIMIT_ARENA_BYTES);
	if (!make_model(&r, i, &wrong)) {
		arena_fini(&a);
		return wrong;
	}
	world_init(&r.world, &a);
	r.world.draw = 4711;
	loaded = load(&r);
	for (uint32_t n = 0; n < runs[i].n; n++)
		wrong |= run_row(&r, n, &runs[i].rows[n], loaded);
	if ((wrong & 1) == 0)
		printf("ok diff/%s-model # %u packets\n", runs[i].name, runs[i].n);
	if (loaded && (wrong & 2) == 0)
		printf("ok diff/%s-kernel # %u packets\n", runs[i].name, runs[i].n);
	arena_fini(&a);
	return wrong;
}

int main(void)
{
	static struct lab lab;
	static struct seed host;
	const struct lab_route routes[] = {
		{ .to = { addr_v4(0, 0, 0, 0), 0 }, .via = addr_v4(198, 51, 100, 1), .link = 0 },
	};
	const char *why = "";
	unsigned int wrong = 0;
	struct arena a;
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	arena_init(&a, LIMIT_ARENA_BYTES);
	seed_init(&host, &a, false);
	err = lab_open(&lab, &host.facts, routes, ARRAY_SIZE(routes), &why);
	if (err < 0) {
		printf("%s diff/seed # cannot %s: %s\n", err == -EPERM ? "skip" : "not ok", why,
		       strerror(-err));
		return err == -EPERM ? 0 : 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		wrong |= run_rows(&lab, i);
	lab_close(&lab);
	arena_fini(&a);
	return wrong != 0;
}
