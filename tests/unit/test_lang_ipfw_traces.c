/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What FreeBSD's own ipfw did with packets, as recorded, against the model: in
 * every pass the same rules must decide, with the same verdict and translation.
 *
 * A recorded pass that nat resumes is told in two parts ("100 =NAT; in em0 after
 * 100: 9999 =DENY"); ours is one.  Random ports are compared as ranges.
 */
#include <ctype.h>

#include "test_lang_ipfw.h"

#define LINE	1024

struct replay {
	struct ipfw_test t;
	FILE *f;
	char line[LINE];
	bool have_line;
	uint32_t src;			/* commands so far, one a line */
	char script[8192];
	struct packet last;		/* as it left or was delivered */
	bool is_one_pass;
	bool is_dirty;			/* commands were added since the last lowering */
	int n_passes;
};

static bool next_line(struct replay *r)
{
	if (r->have_line) {
		r->have_line = false;
		return true;
	}
	if (fgets(r->line, sizeof(r->line), r->f) == NULL)
		return false;
	r->line[strcspn(r->line, "\n")] = '\0';
	return true;
}

/* Lower the commands so far; states find their lists again by name */
static void lower(struct replay *r)
{
	struct model old = r->t.model;
	const uint32_t n = r->t.world.states.n;
	uint32_t kept = 0;

	if (!r->is_dirty)
		return;
	r->is_dirty = false;
	r->t.cmds = (struct ipfw_cmds){ .list = { .n = 0 } };
	r->t.options.one_pass = r->is_one_pass;
	if (!CHECK(ipfw_test_text(&r->t, r->script)))
		unit_detail("    # %s", langkit_told(&r->t.diags));
	for (uint32_t i = 0; i < n; i++) {
		struct state s = r->t.world.states.v[i];
		const char *name = old.lists.v[s.cont].name;

		for (uint32_t k = 0; k < r->t.model.lists.n; k++) {
			if (strcmp(r->t.model.lists.v[k].name, name) != 0)
				continue;
			s.cont = k;
			r->t.world.states.v[kept++] = s;
			break;
		}
	}
	r->t.world.states.n = kept;
}

static void add_command(struct replay *r, const char *s)
{
	const size_t len = strlen(r->script);

	snprintf(r->script + len, sizeof(r->script) - len, "%s\n", s);
	r->is_dirty = true;
}

/* The seed's script, through the reader of scripts, as commands */
static void add_seed(struct replay *r, const char *corpus)
{
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	char path[4096];
	uint32_t src;

	snprintf(path, sizeof(path), "%s/ipfw/00-seed.rules", corpus);
	if (!CHECK_INT(sources_read(&r->t.sources, path, &src), 0) ||
	    !CHECK(ipfw_script_read(&r->t.c, src, &cmds)))
		return;
	for (uint32_t i = 0; i < cmds.list.n; i++) {
		const char *text = "";

		for (uint32_t k = 0; k < cmds.list.v[i].words.n; k++)
			text = arena_printf(&r->t.a, "%s %s", text, cmds.list.v[i].words.v[k].text);
		add_command(r, text);
	}
}

/* ---- one packet ----------------------------------------------------------- */

/* A pass as recorded, "in em0: 100 =NAT; in em0 after 100: dyn(1 rev) 1 =PASS;" */
struct pass {
	enum direction dir;
	char iface[32];
	char rules[256];
	bool is_natted;			/* the last thing said is "=NAT": accepted there */
};

/* Append the words of one part to a pass: "dyn(1000 rev) 1000 =NAT" */
static void add_words(struct pass *p, const char *s, size_t len)
{
	char buf[LINE], *save, *w;
	size_t n = strlen(p->rules);

	snprintf(buf, sizeof(buf), "%.*s", (int)len, s);
	for (w = strtok_r(buf, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		p->is_natted = strcmp(w, "=NAT") == 0;
		if (p->is_natted || strcmp(w, "rev)") == 0 || strcmp(w, "fwd)") == 0)
			continue;
		n += (size_t)snprintf(p->rules + n, sizeof(p->rules) - n, "%s%s%s",
				      n > 0 ? " " : "", w[0] == '=' ? w + 1 : w,
				      strncmp(w, "dyn(", 4) == 0 ? ")" : "");
	}
}

/* The passes of a line up to what became of the packet: their number */
static int read_passes(const char *s, struct pass *passes, int max, const char **outcome)
{
	int n = 0;

	*outcome = "";
	while (*s != '\0') {
		const size_t len = strcspn(s, ";");
		char dir[8], iface[32];
		const char *colon = memchr(s, ':', len);

		while (*s == ' ')
			s++;
		if (strncmp(s, "tx ", 3) == 0 || strncmp(s, "LOCAL ", 6) == 0) {
			*outcome = s;
			break;
		}
		if (colon != NULL && sscanf(s, "%7s %31[a-z0-9]", dir, iface) == 2 &&
		    (strcmp(dir, "in") == 0 || strcmp(dir, "out") == 0)) {
			const char *behind = s + strlen(dir) + strlen(iface) + 1;
			const bool resumed = strncmp(behind, " after", 6) == 0;
			const size_t rest = strcspn(s, ";");

			if (!resumed && CHECK(n < max)) {
				passes[n].dir = dir[0] == 'i' ? DIR_IN : DIR_OUT;
				passes[n].rules[0] = '\0';
				snprintf(passes[n++].iface, sizeof(passes[0].iface), "%s", iface);
			}
			colon = memchr(s, ':', rest);
			add_words(&passes[n - 1], colon + 1, rest - (size_t)(colon + 1 - s));
		}
		s += strcspn(s, ";");
		s += *s == ';';
	}
	for (int i = 0; i < n; i++)
		if (passes[i].is_natted)
			add_words(&passes[i], "=PASS", 5);
	return n;
}

static void check_endpoint(const struct result *res, const char *s, size_t len, bool src,
			   bool any_port)
{
	struct addr a;
	uint16_t port;

	ipfw_test_endpoint(s, len, &a, &port);
	CHECK(addr_equal(a, src ? res->packet.src : res->packet.dst));
	if (any_port)
		CHECK(port >= 0x8000 && (src ? res->packet.sport : res->packet.dport) >= 0x8000);
	else if (proto_has_ports(res->packet.proto))
		CHECK_INT(src ? res->packet.sport : res->packet.dport, port);
}

/* "tx em0 udp 198.51.100.2:58949 > 8.8.8.8:53 ..." */
static void check_outcome(const struct result *res, const char *outcome)
{
	const char *src, *to, *dst;

	if (outcome[0] == '\0')
		return;
	src = strchr(strchr(strchr(outcome, ' ') + 1, ' ') + 1, ' ') + 1;
	to = strstr(src, " > ");
	if (!CHECK(to != NULL))
		return;
	dst = to + 3;
	/* A port chosen at random, now or by the link's first packet, is another here */
	check_endpoint(res, src, (size_t)(to - src), true,
		       res->src_changed && proto_has_ports(res->packet.proto));
	check_endpoint(res, dst, strcspn(dst, " "), false, false);
}

static struct packet answer(const struct packet *p)
{
	struct packet r = *p;

	r.src = p->dst;
	r.dst = p->src;
	r.sport = p->dport;
	r.dport = p->sport;
	if (p->proto == PROTO_TCP && p->tcp_flags == TCP_FLAG_SYN)
		r.tcp_flags = TCP_FLAG_SYN | TCP_FLAG_ACK;
	if (p->proto == PROTO_ICMP)
		r.icmp_type = 0;
	return r;
}

/* A packet, and the recorded line below it */
static void play(struct replay *r, struct packet p)
{
	struct pass passes[8] = { { .dir = DIR_IN } };
	const char *outcome;
	struct result res = { .verdict = V_PASS };
	uint32_t recv = 0;
	int n;

	lower(r);
	if (!CHECK(next_line(r)) || !CHECK(r->line[0] == ' '))
		return;
	n = read_passes(r->line, passes, ARRAY_SIZE(passes), &outcome);
	CHECK(n > 0);
	for (int i = 0; i < n; i++) {
		const char *got;

		p.dir = passes[i].dir;
		p.iface = intern_cid(&r->t.names, passes[i].iface);
		if (p.dir == DIR_IN)
			recv = p.iface;
		p.recv = recv;
		got = ipfw_test_judge(&r->t, &p, &res);
		if (!CHECK_STR(got, passes[i].rules))
			unit_detail("    # pass %d of%s\n", i + 1, r->line);
		r->n_passes++;
	}
	check_outcome(&res, outcome);
	r->last = p;
}

/* ---- commands ------------------------------------------------------------- */

/* The rules as listed, against ours */
static void check_list(struct replay *r)
{
	char *text = NULL, *got, *save;
	size_t len;
	FILE *f;

	lower(r);
	f = open_memstream(&text, &len);
	for (uint32_t i = 0; i < r->t.rs->rules.n; i++)
		fprintf(f, "%s\n", r->t.rs->rules.v[i].text);
	fclose(f);
	got = strtok_r(text, "\n", &save);
	while (next_line(r)) {
		if (!isdigit((unsigned char)r->line[0])) {
			r->have_line = true;
			break;
		}
		if (strncmp(r->line, "65535", 5) == 0)
			continue;
		CHECK_STR(got, r->line);
		got = strtok_r(NULL, "\n", &save);
	}
	CHECK_STR(got, NULL);
	free(text);
}

/* UDP states live 10 seconds, TCP ones 20 before they are established, others 5 */
static void advance(struct replay *r, int seconds)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->t.world.states.n; i++) {
		const uint8_t proto = r->t.world.states.v[i].before.proto;
		const int life = proto == PROTO_TCP ? 20 : proto == PROTO_UDP ? 10 : 5;

		if (seconds <= life)
			r->t.world.states.v[kept++] = r->t.world.states.v[i];
	}
	r->t.world.states.n = kept;
}

static void command(struct replay *r, const char *s, const char *corpus)
{
	char iface[32];
	int n = 0;

	if (strncmp(s, "if ", 3) == 0)
		ipfw_test_iface(&r->t, s + 3);
	else if (strncmp(s, "sysctl net.inet.ip.fw.one_pass=", 31) == 0)
		r->is_one_pass = s[31] == '1';
	else if (strncmp(s, "sh ", 3) == 0)
		add_seed(r, corpus);
	else if (strcmp(s, "ipfw list") == 0 || strcmp(s, "ipfw -d list") == 0)
		check_list(r);
	else if (strncmp(s, "ipfw -q ", 8) == 0)
		add_command(r, s + 5);
	else if (strncmp(s, "advance ", 8) == 0)
		advance(r, atoi(s + 8));
	else if (strcmp(s, "reply") == 0)
		play(r, answer(&r->last));
	else if (strncmp(s, "out ", 4) == 0)
		play(r, ipfw_test_packet(&r->t, DIR_OUT, "", s + 4));
	else if (sscanf(s, "in %31s %n", iface, &n) == 1 && n > 0)
		play(r, ipfw_test_packet(&r->t, DIR_IN, iface, s + n));
}

static void scenario(const char *name, int least)
{
	const char *corpus = getenv("SALLYPORT_CORPUS");
	struct replay r = { .is_one_pass = true };
	char path[4096], want[64];
	bool is_here = false;

	if (corpus == NULL)
		UNIT_SKIP("../shared absent");
	snprintf(path, sizeof(path), "%s/../reference/ipfw-traces.md", corpus);
	r.f = fopen(path, "r");
	if (r.f == NULL)
		UNIT_SKIP("../shared absent");
	ipfw_test_init(&r.t);
	r.t.world.draw = 4711;
	snprintf(want, sizeof(want), "## %s", name);
	while (next_line(&r)) {
		if (r.line[0] == '#' && r.line[1] == '#' && r.line[2] == ' ' &&
		    strncmp(r.line, "## Dyn", 6) != 0)
			is_here = strcmp(r.line, want) == 0;
		else if (is_here && r.line[0] == '>') {
			char cmd[LINE];

			memcpy(cmd, r.line + 2, sizeof(r.line) - 2);
			command(&r, cmd, corpus);
		}
	}
	CHECK(r.n_passes >= least);
	ipfw_test_spans(&r.t);
	fclose(r.f);
	ipfw_test_fini(&r.t);
}

TEST(seed)
{
	scenario("seed", 20);
}

TEST(seed_one_pass)
{
	scenario("seed-onepass", 5);
}

TEST(dynamic_rules)
{
	scenario("dyn", 25);
}

TEST(first_probe)
{
	scenario("probe", 5);
}
