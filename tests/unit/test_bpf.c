/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Rulesets at random, packets at random: what a program says of a frame in
 * libpcap's own interpreter must be what the model says of the packet, and the
 * expression as libpcap compiles it must say the same.  That the comparison can
 * fail is tested too: programs with one number changed must be found out.
 */
#include "unit.h"

#include <pcap/pcap.h>

#include "base/limits.h"
#include "diff_gen_ipfw.h"
#include "diff_wire.h"
#include "lang/ipfw.h"
#include "lang/pf.h"
#include "model/policy.h"
#include "target/bpf.h"

#define N_RULESETS	12u	/* of each generator; more with SALLYPORT_LONG */
#define N_PACKETS	120u
#define ETHER_BYTES	14u
#define TEXT_BYTES	16384u	/* libpcap takes long over longer expressions */

/* One ruleset compiled */
struct bench {
	struct arena a;
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct facts facts;
	struct model m;
};

static void bench_init(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	arena_init(&b->a, LIMIT_ARENA_MOST);
	intern_init(&b->names, &b->a);
	sources_init(&b->sources, &b->a);
	diags_init(&b->diags, &b->a, &b->sources);
	gen_facts(&b->facts, &b->a, &b->names);
	model_init(&b->m, &b->a, &b->names, &b->facts);
}

static bool lower_ipfw(struct bench *b, struct lang_ctx *ctx, uint32_t src)
{
	const struct ipfw_options o = { .one_pass = -1 };
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	const struct ipfw_ruleset *rs;

	if (!ipfw_rules_read(ctx, src, &cmds))
		return false;
	rs = ipfw_parse(ctx, &cmds);
	return ctx->diags->n_errors == 0 && ipfw_lower(ctx, rs, &b->facts, &o, &b->m);
}

static bool bench_lower(struct bench *b, const char *text, bool is_ipfw, bool policy)
{
	const struct pf_options o = { .tolerate_missing = false };
	const struct policy_options all = { 0 };
	struct lang_ctx ctx = {
		.a = &b->a, .names = &b->names, .sources = &b->sources, .diags = &b->diags,
	};
	const uint32_t src = sources_add(&b->sources, is_ipfw ? "t.ipfw.rules" : "t.pf.conf",
					 text, (uint32_t)strlen(text), SPAN_NONE);
	const bool ok = is_ipfw ? lower_ipfw(b, &ctx, src)
				: pf_lower(&ctx, pf_parse(&ctx, NULL, &src, 1), &b->facts, NULL,
					   &o, &b->m);

	if (ok && policy)
		policy_add(&b->m, &all, &b->diags);
	return ok && b->diags.n_errors == 0;
}

/* ---- programs ------------------------------------------------------------- */

static bool accepts(const struct bpf_insn *v, const uint8_t *frame, size_t len)
{
	return bpf_filter(v, frame, (u_int)len, (u_int)len) != 0;
}

static uint32_t n_texts;		/* expressions compiled */

/* Ways to ask of one packet: our program and libpcap's, on either link */
struct ways {
	struct bpf_code ours[2];
	struct bpf_program theirs[2];
	bool has_theirs;
};

static void ways_make(struct bench *b, const struct bpf_ask *q, const struct bpf_trees *t,
		      struct ways *w)
{
	struct bpf_ask plainly = *q;
	struct bpf_trees plain;

	plainly.is_plain = true;
	*w = (struct ways){ .has_theirs = true };
	CHECK(bpf_trees_make(&b->m, &plainly, &b->diags, &plain));
	for (int link = 0; link < 2; link++) {
		char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);
		pcap_t *p = pcap_open_dead(link == BPF_ETHERNET ? DLT_EN10MB : DLT_RAW, 262144);

		bpf_code_make(t, (enum bpf_link)link, &w->ours[link]);
		CHECK(bpf_validate(w->ours[link].list.v, (int)w->ours[link].list.n));
		CHECK(bpf_expression_print(&plain, (enum bpf_link)link, &b->diags, out));
		fclose(out);
		n_texts += len < TEXT_BYTES;
		if (len >= TEXT_BYTES)
			w->has_theirs = false;
		else if (w->has_theirs)
			w->has_theirs = pcap_compile(p, &w->theirs[link], text, 0, 0xffffffff) == 0;
		if (!CHECK(w->has_theirs || len >= TEXT_BYTES))
			printf("# %s: %.2000s\n", pcap_geterr(p), text);
		pcap_close(p);
		free(text);
	}
}

static void ways_free(struct ways *w)
{
	for (int link = 0; link < 2; link++)
		pcap_freecode(&w->theirs[link]);
}

/* A packet as an Ethernet frame; from ETHER_BYTES on it is the packet */
static size_t frame_of(const struct packet *p, uint8_t *out)
{
	const struct wire w = { .p = *p, .seq = 1, .ack = 1, .id = 7 };

	memset(out, 0, ETHER_BYTES);
	out[12] = p->src.af == AF_V4 ? 0x08 : 0x86;
	out[13] = p->src.af == AF_V4 ? 0x00 : 0xdd;
	return ETHER_BYTES + wire_build(&w, NULL, 0, out + ETHER_BYTES);
}

/* All four ways give one answer; it is returned */
static bool ask(const struct ways *w, const uint8_t *frame, size_t len)
{
	const bool yes = accepts(w->ours[BPF_ETHERNET].list.v, frame, len);

	CHECK_INT(accepts(w->ours[BPF_RAW].list.v, frame + ETHER_BYTES, len - ETHER_BYTES), yes);
	if (w->has_theirs) {
		CHECK_INT(accepts(w->theirs[BPF_ETHERNET].bf_insns, frame, len), yes);
		CHECK_INT(accepts(w->theirs[BPF_RAW].bf_insns, frame + ETHER_BYTES,
				  len - ETHER_BYTES), yes);
	}
	return yes;
}

static struct packet packet_at(struct gen *g, const struct bench *b, uint32_t number,
			       enum direction dir, uint32_t iface)
{
	struct packet p = gen_packet(g, number).p;

	(void)b;
	p.dir = dir;
	p.iface = iface;
	p.recv = dir == DIR_IN ? iface : 0;
	return p;
}

/* ---- the filter part ------------------------------------------------------ */

struct tally {
	uint32_t made;
	uint32_t refused;
	uint32_t accepted;
	uint32_t rejected;
	uint32_t mutants;
	uint32_t found;
};

static bool passes(struct bench *b, const struct packet *p)
{
	struct world w;

	world_init(&w, &b->a);
	return model_eval(&b->m, &w, p, &b->a).verdict == V_PASS;
}

/* Turn one jump round, of those that IPv4 packets meet; does some packet tell */
static void mutate(struct bench *b, const struct bpf_code *code, uint64_t seed,
		   const struct bpf_ask *q, struct tally *t)
{
	const struct bpf_insn *old = code->list.v;
	struct bpf_insn *v = arena_array(&b->a, struct bpf_insn, code->list.n);
	struct gen g = gen_seed(seed, 2);
	const uint32_t at = 1 + gen_below(&g, old[1].jf + 1u);

	memcpy(v, old, sizeof(*v) * code->list.n);
	if (BPF_CLASS(v[at].code) != BPF_JMP || BPF_OP(v[at].code) == BPF_JA)
		return;
	v[at].jt = old[at].jf;
	v[at].jf = old[at].jt;
	t->mutants++;
	g = gen_seed(seed, 1);
	for (uint32_t i = 0; i < 4 * N_PACKETS; i++) {
		const struct packet p = packet_at(&g, b, i, q->dir, q->iface);
		uint8_t frame[ETHER_BYTES + WIRE_BYTES];
		const size_t len = frame_of(&p, frame);

		if (accepts(v, frame, len) != passes(b, &p)) {
			t->found++;
			return;
		}
	}
}

static void check_filter(struct bench *b, uint64_t seed, struct tally *t)
{
	struct gen g = gen_seed(seed, 3);
	const struct bpf_ask q = {
		.part = BPF_FILTER, .dir = (enum direction)gen_below(&g, 2),
		.iface = b->facts.ifaces.v[gen_below(&g, b->facts.ifaces.n)].id,
	};
	struct bpf_trees trees;
	struct ways w;

	if (!bpf_trees_make(&b->m, &q, &b->diags, &trees)) {
		t->refused++;
		CHECK_INT(b->diags.list.v[b->diags.list.n - 1].code, DIAG_E1721);
		return;
	}
	t->made++;
	ways_make(b, &q, &trees, &w);
	g = gen_seed(seed, 1);
	for (uint32_t i = 0; i < N_PACKETS; i++) {
		const struct packet p = packet_at(&g, b, i, q.dir, q.iface);
		uint8_t frame[ETHER_BYTES + WIRE_BYTES];
		const size_t len = frame_of(&p, frame);
		const bool want = passes(b, &p);

		if (!CHECK_INT(ask(&w, frame, len), want))
			break;
		t->accepted += want;
		t->rejected += !want;
	}
	for (uint32_t i = 0; i < 5; i++)
		mutate(b, &w.ours[BPF_ETHERNET], seed + i, &q, t);
	ways_free(&w);
}

/* ---- what could be touched ------------------------------------------------ */

static bool is_touched(const struct result *r)
{
	return r->verdict != V_PASS || r->dst_changed || r->src_changed || r->makes_state ||
	       r->is_logged || r->scrub != NULL;
}

/* A packet through two crossings and its answer back, states kept */
static void check_flow(struct bench *b, struct gen *g, const struct ways *w, uint32_t number,
		       struct tally *t)
{
	const struct iface *v = b->facts.ifaces.v;
	struct packet p = packet_at(g, b, number, DIR_IN, v[gen_below(g, b->facts.ifaces.n)].id);
	uint8_t frame[ETHER_BYTES + WIRE_BYTES];
	struct world world;
	bool is_any = false;

	world_init(&world, &b->a);
	world.draw = gen_below(g, 1u << 16);
	for (uint32_t i = 0; i < 40; i++)
		vec_add(&b->a, &world.draws, gen_below(g, PROB_ONE));
	for (int step = 0; step < 4; step++) {
		const size_t len = frame_of(&p, frame);
		struct result r;

		p.tags = 0;
		if (step == 1 || step == 3) {
			p.dir = DIR_OUT;
			p.iface = v[gen_below(g, b->facts.ifaces.n)].id;
		}
		r = model_eval(&b->m, &world, &p, &b->a);
		is_any |= is_touched(&r);
		if (is_touched(&r) && !CHECK(ask(w, frame, len)))
			return;
		p = r.packet;
		if (r.verdict != V_PASS)
			break;
		if (step != 1)
			continue;
		/* And back: the answer comes in by where it went out */
		p.dir = DIR_IN;
		p.recv = p.iface;
		p.src = r.packet.dst;
		p.dst = r.packet.src;
		p.sport = r.packet.dport;
		p.dport = r.packet.sport;
		p.tcp_flags = TCP_FLAG_SYN | TCP_FLAG_ACK;
	}
	t->accepted += is_any;
	t->rejected += !is_any && !ask(w, frame, frame_of(&p, frame));
}

static void check_touch(struct bench *b, uint64_t seed, struct tally *t)
{
	const struct bpf_ask q = { .part = BPF_TOUCH };
	struct gen g = gen_seed(seed, 4);
	struct bpf_trees trees;
	struct ways w;

	if (!CHECK(bpf_trees_make(&b->m, &q, &b->diags, &trees)))
		return;
	ways_make(b, &q, &trees, &w);
	for (uint32_t i = 0; i < N_PACKETS; i++)
		check_flow(b, &g, &w, i, t);
	t->made++;
	ways_free(&w);
}

/* ---- rulesets at random --------------------------------------------------- */

typedef void make_fn(struct gen *g, struct arena *a, struct gen_lines *ret);

static void run_rulesets(make_fn *make, bool is_ipfw, void (*check)(struct bench *, uint64_t,
			 struct tally *), struct tally *t)
{
	const uint32_t n = getenv("SALLYPORT_LONG") != NULL ? 40 * N_RULESETS : N_RULESETS;

	for (uint32_t i = 0; i < n; i++) {
		struct gen_lines lines = { .list = { 0 } };
		const char *text = "";
		struct bench b;
		struct gen g = gen_seed(unit.seed, i);

		bench_init(&b);
		make(&g, &b.a, &lines);
		for (uint32_t k = 0; k < lines.list.n; k++)
			text = arena_printf(&b.a, "%s%s\n", text, lines.list.v[k]);
		if (bench_lower(&b, text, is_ipfw, i % 2 == 0)) {
			const unsigned int failed = unit.n_failed;

			check(&b, unit.seed + i, t);
			if (unit.n_failed > failed)
				printf("# ruleset %u\n%s", i, text);
		}
		arena_fini(&b.a);
	}
}

TEST(filter_is_what_the_model_says)
{
	struct tally t = { 0 };

	run_rulesets(gen_ruleset, false, check_filter, &t);
	run_rulesets(gen_dense, false, check_filter, &t);
	run_rulesets(gen_host, false, check_filter, &t);
	run_rulesets(gen_ipfw_ruleset, true, check_filter, &t);
	printf("# %u programs, %u refused, %u packets accepted, %u not, %u of %u mutants found\n",
	       t.made, t.refused, t.accepted, t.rejected, t.found, t.mutants);
	CHECK(t.made > N_RULESETS);
	CHECK(t.accepted > 500 && t.rejected > 500);
	CHECK(t.found * 3 > t.mutants && t.found > N_RULESETS);
}

TEST(touch_leaves_out_nothing)
{
	struct tally t = { 0 };

	run_rulesets(gen_ruleset, false, check_touch, &t);
	run_rulesets(gen_dense, false, check_touch, &t);
	run_rulesets(gen_host, false, check_touch, &t);
	run_rulesets(gen_ipfw_ruleset, true, check_touch, &t);
	CHECK(n_texts > N_RULESETS);
	printf("# %u programs, %u flows touched, %u left alone and not accepted\n", t.made,
	       t.accepted, t.rejected);
	CHECK(t.made > N_RULESETS && t.accepted > 500);
}

/* ---- by hand -------------------------------------------------------------- */

/* A frame of a line "PROTO SRC[:SPORT] DST[:DPORT]" in numbers */
static struct packet packet_of(uint8_t proto, struct addr src, uint16_t sport, struct addr dst,
			       uint16_t dport)
{
	return (struct packet){ .proto = proto, .src = src, .dst = dst, .sport = sport,
				.dport = dport, .tcp_flags = TCP_FLAG_SYN };
}

static bool touched(struct bench *b, const char *text, const struct packet *p,
		    void (*edit)(uint8_t *packet))
{
	const struct bpf_ask q = { .part = BPF_TOUCH };
	uint8_t frame[ETHER_BYTES + WIRE_BYTES];
	const size_t len = frame_of(p, frame);
	struct bpf_trees trees;
	struct ways w;
	bool yes;

	bench_init(b);
	CHECK(bench_lower(b, text, false, false));
	CHECK(bpf_trees_make(&b->m, &q, &b->diags, &trees));
	ways_make(b, &q, &trees, &w);
	if (edit != NULL)
		edit(frame + ETHER_BYTES);
	yes = ask(&w, frame, len);
	ways_free(&w);
	arena_fini(&b->a);
	return yes;
}

static void as_fragment(uint8_t *packet)
{
	packet[6] = 0x00;
	packet[7] = 0x10;	/* not the first one, and the last */
	memset(packet + 20, 0xff, 8);
}

TEST(touch_is_the_rules_and_their_answers)
{
	static const char text[] =
		"nat on igb0 from 10.1.0.0/24 to any -> 203.0.113.2\n"
		"rdr on igb0 proto tcp from any to 203.0.113.3 port 80 -> 10.1.0.5 port 8080\n";
	const struct addr in = addr_v4(10, 1, 0, 9), web = addr_v4(10, 1, 0, 5);
	const struct addr out = addr_v4(198, 51, 100, 9), nat = addr_v4(203, 0, 113, 2);
	const struct addr pub = addr_v4(203, 0, 113, 3), far = addr_v4(192, 0, 2, 9);
	const struct {
		struct packet p;
		void (*edit)(uint8_t *);
		bool yes;
	} cases[] = {
		{ packet_of(PROTO_UDP, in, 5000, out, 53), NULL, true },
		{ packet_of(PROTO_UDP, out, 53, nat, 50001), NULL, true },
		{ packet_of(PROTO_UDP, out, 53, nat, 50000), NULL, false },
		{ packet_of(PROTO_UDP, out, 53, nat, 50000), as_fragment, true },
		{ packet_of(PROTO_TCP, out, 999, pub, 80), NULL, true },
		{ packet_of(PROTO_TCP, out, 999, pub, 81), NULL, false },
		{ packet_of(PROTO_UDP, out, 999, pub, 80), NULL, false },
		{ packet_of(PROTO_UDP, out, 999, pub, 80), as_fragment, false },
		{ packet_of(PROTO_TCP, web, 8080, out, 999), NULL, true },
		{ packet_of(PROTO_TCP, out, 999, far, 80), NULL, false },
		{ packet_of(PROTO_TCP, out, 999, far, 80), as_fragment, false },
	};
	struct bench b;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (!CHECK_INT(touched(&b, text, &cases[i].p, cases[i].edit), cases[i].yes))
			printf("# case %zu\n", i);
}

/* IPv6 extension headers are walked: hop-by-hop, then a fragment header that is whole */
TEST(extension_headers_are_walked)
{
	static const uint8_t headers[] = {
		44, 0, 1, 4, 0, 0, 0, 0,
		PROTO_TCP, 0, 0, 0, 0, 0, 0, 1,
	};
	const struct bpf_ask q = { .part = BPF_FILTER, .iface = 1 };
	struct addr a = { AF_V6, 5 }, z = { AF_V6, 9 };
	const struct packet p = packet_of(PROTO_TCP, a, 999, z, 80);
	uint8_t frame[ETHER_BYTES + WIRE_BYTES], longer[2 * WIRE_BYTES];
	struct bpf_trees trees;
	struct bpf_code code;
	struct bench b;
	size_t len;

	bench_init(&b);
	CHECK(bench_lower(&b, "block all\npass proto tcp to port 80 no state\n", false, false));
	CHECK(bpf_trees_make(&b.m, &q, &b.diags, &trees));
	bpf_code_make(&trees, BPF_ETHERNET, &code);
	len = frame_of(&p, frame);
	CHECK(accepts(code.list.v, frame, len));
	memcpy(longer, frame, ETHER_BYTES + 40);
	memcpy(longer + ETHER_BYTES + 40, headers, sizeof(headers));
	memcpy(longer + ETHER_BYTES + 40 + sizeof(headers), frame + ETHER_BYTES + 40, 40);
	longer[ETHER_BYTES + 6] = 0;
	CHECK(accepts(code.list.v, longer, len + sizeof(headers)));
	longer[ETHER_BYTES + 40 + sizeof(headers) + 3] = 81;
	CHECK(!accepts(code.list.v, longer, len + sizeof(headers)));
	longer[ETHER_BYTES + 40 + sizeof(headers) + 3] = 80;
	longer[ETHER_BYTES + 40 + 8 + 2] = 0x10;	/* a later fragment: who knows */
	CHECK(!accepts(code.list.v, longer, len + sizeof(headers)));
	arena_fini(&b.a);
}

TEST(an_expression_may_be_too_large)
{
	const struct bpf_ask q = { .part = BPF_FILTER, .is_plain = true };
	struct bpf_trees trees;
	char *text = NULL;
	struct bench b;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	bench_init(&b);
	for (unsigned int i = 1; i < 3000; i++)
		fprintf(out, "%s quick proto tcp to port %u%s\n", i % 2 == 0 ? "block" : "pass", i,
			i % 2 == 0 ? "" : " no state");
	fclose(out);
	CHECK(bench_lower(&b, text, false, false));
	free(text);
	CHECK(bpf_trees_make(&b.m, &q, &b.diags, &trees));
	out = open_memstream(&text, &len);
	CHECK(!bpf_expression_print(&trees, BPF_RAW, &b.diags, out));
	CHECK_INT(b.diags.list.v[b.diags.list.n - 1].code, DIAG_E1723);
	fclose(out);
	free(text);
	arena_fini(&b.a);
}
