/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filter rules that translate: what model_eval() says of the lowered rules is
 * held against a walk through the rules as pf does it, a rule at a time, each
 * on the address that the packet has by then.
 */
#include "test_lang_pf.h"

#define N_ADDRS		4u
#define N_PORTS		3u
#define MAX_LINES	6u
#define ROUNDS		4000u

static const char *const addrs[N_ADDRS] = {
	"203.0.113.2", "203.0.113.3", "192.168.100.2", "192.168.100.3",
};

static const uint16_t ports[N_PORTS] = { 80, 22, 8080 };

/* A rule: numbers of the tables above as bits, 0 = any */
struct line {
	enum { L_PASS, L_BLOCK, L_MATCH } kind;
	bool is_quick;
	unsigned int addrs;
	unsigned int ports;
	int to;			/* -1: it does not translate */
	int to_port;		/* -1: the same */
};

struct end {
	unsigned int addr;
	unsigned int port;
};

static struct line random_line(bool may_match)
{
	struct line l = { .kind = unit_below(3) == 0 ? L_BLOCK : L_PASS, .to = -1, .to_port = -1 };

	if (may_match && unit_below(4) == 0)
		l.kind = L_MATCH;
	l.is_quick = l.kind != L_MATCH && unit_below(4) == 0;
	l.addrs = unit_below(4) == 0 ? 0 : 1u << unit_below(N_ADDRS) | 1u << unit_below(N_ADDRS);
	l.ports = unit_below(2) == 0 ? 0 : 1u << unit_below(N_PORTS);
	if (l.kind == L_MATCH || (l.kind == L_PASS && unit_below(2) == 0))
		l.to = (int)unit_below(N_ADDRS);
	if (l.to >= 0 && unit_below(3) == 0)
		l.to_port = (int)unit_below(N_PORTS);
	return l;
}

static void print_line(const struct line *l, FILE *out)
{
	static const char *const kinds[] = { "pass", "block", "match" };

	fprintf(out, "%s in%s inet proto tcp from any to", kinds[l->kind],
		l->is_quick ? " quick" : "");
	if (l->addrs == 0)
		fputs(" any", out);
	for (unsigned int i = 0, first = 1; i < N_ADDRS; i++)
		if ((l->addrs >> i & 1) != 0) {
			fprintf(out, "%s%s", first ? " { " : ", ", addrs[i]);
			first = 0;
		}
	fputs(l->addrs != 0 ? " }" : "", out);
	for (unsigned int i = 0; i < N_PORTS; i++)
		if ((l->ports >> i & 1) != 0)
			fprintf(out, " port %u", ports[i]);
	if (l->to >= 0)
		fprintf(out, " rdr-to %s", addrs[l->to]);
	if (l->to_port >= 0)
		fprintf(out, " port %u", ports[l->to_port]);
	putc('\n', out);
}

static void translate(const struct line *l, struct end *p)
{
	p->addr = (unsigned int)l->to;
	if (l->to_port >= 0)
		p->port = (unsigned int)l->to_port;
}

/* What pf does with a packet; whether it passes */
static bool walk(const struct line *l, unsigned int n, struct end *p)
{
	const struct line *last = NULL;

	for (unsigned int i = 0; i < n; i++) {
		if ((l[i].addrs != 0 && (l[i].addrs >> p->addr & 1) == 0) ||
		    (l[i].ports != 0 && (l[i].ports >> p->port & 1) == 0))
			continue;
		if (l[i].kind == L_MATCH) {
			translate(&l[i], p);
			continue;
		}
		last = &l[i];
		if (l[i].is_quick)
			break;
	}
	if (last != NULL && last->kind == L_PASS && last->to >= 0)
		translate(last, p);
	return last == NULL || last->kind == L_PASS;
}

static bool same(struct pf_test *t, const struct line *l, unsigned int n, struct end from)
{
	struct packet p = {
		.dir = DIR_IN, .iface = intern_cid(&t->names, "igb0"), .proto = PROTO_TCP,
		.src = addr_v4(198, 51, 100, 7), .sport = 4000, .dport = ports[from.port],
		.tcp_flags = TCP_FLAG_SYN,
	};
	struct end to = from;
	const bool passes = walk(l, n, &to);
	struct addr want;
	struct result r;

	CHECK_INT(addr_parse(addrs[from.addr], strlen(addrs[from.addr]), &p.dst), 0);
	CHECK_INT(addr_parse(addrs[to.addr], strlen(addrs[to.addr]), &want), 0);
	t->world.states.n = 0;
	r = model_eval(&t->model, &t->world, &p, &t->a);
	if ((r.verdict == V_PASS) != passes)
		return false;
	return !passes || (addr_equal(r.packet.dst, want) && r.packet.dport == ports[to.port]);
}

/* Returns whether the ruleset could be lowered */
static bool try_ruleset(const struct line *l, unsigned int n)
{
	char text[2048] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");
	struct pf_test t;
	bool ok;

	for (unsigned int i = 0; i < n; i++)
		print_line(&l[i], f);
	fclose(f);
	pf_test_init(&t);
	pf_test_iface(&t, "igb0 203.0.113.2/24 203.0.113.3/24");
	ok = pf_test_text(&t, text);
	for (unsigned int i = 0; ok && i < N_ADDRS * N_PORTS; i++)
		if (!CHECK(same(&t, l, n, (struct end){ i % N_ADDRS, i / N_ADDRS })))
			unit_detail("    # to %s port %u\n%s", addrs[i % N_ADDRS],
				    ports[i / N_ADDRS], text);
	pf_test_fini(&t);
	return ok;
}

/* Without match rules there is nothing that could not be said */
TEST(last_match)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct line l[MAX_LINES];
		const unsigned int n = 1 + (unsigned int)unit_below(MAX_LINES);

		for (unsigned int k = 0; k < n; k++)
			l[k] = random_line(false);
		if (!CHECK(try_ruleset(l, n)))
			return;
	}
}

TEST(match)
{
	unsigned int n_ok = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct line l[MAX_LINES];
		const unsigned int n = 1 + (unsigned int)unit_below(MAX_LINES);

		for (unsigned int k = 0; k < n; k++)
			l[k] = random_line(true);
		n_ok += try_ruleset(l, n);
	}
	CHECK(n_ok > ROUNDS / 4);
	if (n_ok <= ROUNDS / 4)
		unit_detail("    # %u of %u rulesets could be said\n", n_ok, ROUNDS);
}
