/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options of filter rules, states and scrub: small rulesets are lowered, and
 * packets judged by model_eval(), states kept from one to the next.
 */
#include "test_lang_pf.h"

static void start(struct pf_test *t)
{
	pf_test_init(t);
	pf_test_iface(t, "lo0 127.0.0.1/8 ::1/128");
	pf_test_iface(t, "igb0 203.0.113.2/24 2001:db8::2/64");
	pf_test_iface(t, "igb1 10.7.0.1/24");
	t->facts.default_if[0] = intern_cstr(&t->names, "igb0");
}

/*
 * "DIR[/RECV] IFACE PROTO SRC DST PORT [opts] [tos=N]"; source ports count up,
 * so that each packet is a connection of its own, unless PORT is SPORT>DPORT
 */
static struct packet read_packet(struct pf_test *t, const char *line)
{
	static uint16_t next = 1024;
	char dir[32], iface[16], proto[16], src[64], dst[64], ports[16], extra[32] = "";
	struct packet p = { .dir = DIR_IN };
	const char *arrow, *recv;

	CHECK(sscanf(line, "%31s %15s %15s %63s %63s %15s %31[^\n]", dir, iface, proto, src, dst,
		     ports, extra) >= 6);
	recv = strchr(dir, '/');
	p.dir = strncmp(dir, "out", 3) == 0 ? DIR_OUT : DIR_IN;
	p.iface = intern_cid(&t->names, iface);
	p.recv = p.dir == DIR_IN ? p.iface : recv != NULL ? intern_cid(&t->names, recv + 1) : 0;
	p.proto = (uint8_t)proto_parse(proto, strlen(proto));
	CHECK_INT(addr_parse(src, strlen(src), &p.src), 0);
	CHECK_INT(addr_parse(dst, strlen(dst), &p.dst), 0);
	arrow = strchr(ports, '>');
	p.sport = arrow != NULL ? (uint16_t)atoi(ports) : next++;
	p.dport = (uint16_t)atoi(arrow != NULL ? arrow + 1 : ports);
	p.tcp_flags = p.proto == PROTO_TCP ? TCP_FLAG_SYN : 0;
	p.has_opts = strstr(extra, "opts") != NULL;
	p.tos = strstr(extra, "tos=") != NULL ? (uint8_t)strtol(strstr(extra, "tos=") + 4, NULL, 0)
					      : 0;
	return p;
}

/* The verdict and the step that decided it, as "block limit" */
static const char *verdict(struct pf_test *t, const char *line)
{
	static const char *const names[] = { "pass", "block", "return" };
	const struct packet p = read_packet(t, line);
	const struct result r = model_eval(&t->model, &t->world, &p, &t->a);
	const char *why = "?";

	for (uint32_t i = 0; i < r.steps.n; i++)
		if (r.steps.v[i].is_final)
			why = r.steps.v[i].effect;
	return arena_printf(&t->a, "%s %s", names[r.verdict], why);
}

struct meaning {
	const char *text;
	const char *const packets[17];
};

static void check_meaning(const struct meaning *x)
{
	struct pf_test t;

	start(&t);
	if (!CHECK(pf_test_text(&t, x->text))) {
		char *told = langkit_told(&t.diags);

		unit_detail("    # %s\n%s", x->text, told);
		free(told);
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(x->packets) && x->packets[i] != NULL; i += 2)
			if (!CHECK_STR(verdict(&t, x->packets[i]), x->packets[i + 1]))
				unit_detail("    #   for %s\n    #   of %s\n", x->packets[i],
					    x->text);
	}
	pf_test_fini(&t);
}

#define MEANINGS(v) \
	do { \
		for (size_t i = 0; i < ARRAY_SIZE(v); i++) \
			check_meaning(&(v)[i]); \
	} while (0)

#define SSH	"in igb0 tcp 192.0.2.1 203.0.113.2 22"
#define SSH2	"in igb0 tcp 192.0.2.2 203.0.113.2 22"
#define WEB	"in igb0 tcp 192.0.2.1 203.0.113.2 80"
#define DNS	"in igb0 udp 192.0.2.1 203.0.113.2 53"
#define DNS2	"in igb0 udp 192.0.2.2 203.0.113.2 53"
#define DNS3	"in igb0 udp 192.0.2.3 203.0.113.2 53"

TEST(limits)
{
	static const struct meaning v[] = {
		{ "block\npass proto udp keep state (max 2)\n",
		  { DNS, "pass pass", DNS2, "pass pass", DNS3, "block limit" } },
		{ "block\npass proto udp keep state (max-src-states 1)\n",
		  { DNS, "pass pass", DNS, "block limit", DNS2, "pass pass" } },
		{ "block\npass proto udp keep state (max-src-nodes 2)\n",
		  { DNS, "pass pass", DNS2, "pass pass", DNS3, "block limit", DNS2, "pass pass" } },
		/* Only TCP has connections */
		{ "block\npass proto udp keep state (max-src-conn 1)\n",
		  { DNS, "pass pass", DNS, "pass pass" } },
		{ "block\npass proto tcp keep state (max-src-conn 1)\n",
		  { SSH, "pass pass", SSH, "block limit", SSH2, "pass pass" } },
		/* A packet of a state that is there is no new one */
		{ "block\npass proto udp keep state (max 1)\n",
		  { "in igb0 udp 192.0.2.1 203.0.113.2 7>53", "pass pass",
		    "in igb0 udp 192.0.2.1 203.0.113.2 7>53", "pass state",
		    "out igb0 udp 203.0.113.2 192.0.2.1 53>7", "pass state" } },
		/* The defaults of states are those of every rule without options */
		{ "set state-defaults max 1\nblock\npass proto udp\n",
		  { DNS, "pass pass", DNS2, "block limit" } },
		/* No state is no state, so nothing is counted */
		{ "set state-defaults max 1\nblock\npass proto udp no state\n",
		  { DNS, "pass pass", DNS2, "pass pass" } },
	};

	MEANINGS(v);
}

TEST(limits_of_lists)	/* each single rule that a list stands for counts for itself */
{
	static const struct meaning v[] = {
		{ "block\npass proto tcp to port { 22 80 } keep state (max 1)\n",
		  { SSH, "pass pass", WEB, "pass pass", SSH, "block limit", WEB, "block limit" } },
		{ "block\npass proto { tcp udp } keep state (max 1)\n",
		  { SSH, "pass pass", DNS, "pass pass", SSH2, "block limit" } },
		{ "block\npass proto udp from { 192.0.2.1 192.0.2.2 2001:db8::9 } to 203.0.113.2 "
		  "keep state (max 1)\n",
		  { DNS, "pass pass", DNS2, "pass pass", DNS2, "block limit", DNS3,
		    "block block" } },
		/* A name of an interface is a list of its addresses */
		{ "block\npass in proto tcp to igb0 port 22 keep state (max 1)\n",
		  { SSH, "pass pass", "in igb0 tcp 2001:db8::9 2001:db8::2 22", "pass pass",
		    SSH2, "block limit", "in igb0 tcp 2001:db8::9 2001:db8::2 22",
		    "block limit" } },
	};

	MEANINGS(v);
}

TEST(source_track)
{
	static const struct meaning v[] = {
		{ "block\n"
		  "pass proto tcp to port 22 keep state (source-track rule, max-src-states 1)\n"
		  "pass proto tcp to port 80 keep state (source-track rule, max-src-states 1)\n",
		  { SSH, "pass pass", WEB, "pass pass", WEB, "block limit" } },
		{ "block\n"
		  "pass proto tcp to port 22 keep state (source-track global, max-src-states 1)\n"
		  "pass proto tcp to port 80 keep state (source-track global, max-src-states 2)\n",
		  { SSH, "pass pass", WEB, "pass pass", WEB, "block limit", SSH2, "pass pass" } },
		/* A rule without numbers counts for the others */
		{ "block\npass proto tcp to port 22 keep state (source-track global)\n"
		  "pass proto tcp to port 80 keep state (source-track global, max-src-states 1)\n",
		  { SSH, "pass pass", SSH, "pass pass", WEB, "block limit" } },
	};

	MEANINGS(v);
}

TEST(overload)	/* the usual words against guessing of passwords */
{
	static const struct meaning v[] = {
		{ "table <bad> persist { 198.51.100.9 }\nblock in\nblock in quick from <bad>\n"
		  "pass in proto tcp to port { 22 80 } keep state (max-src-conn 2, "
		  "max-src-conn-rate 9/60, overload <bad> flush global)\n",
		  { "in igb0 tcp 198.51.100.9 203.0.113.2 22", "block block",
		    SSH, "pass pass", SSH, "pass pass", WEB, "pass pass", SSH, "block limit",
		    WEB, "block block", SSH2, "pass pass" } },
		{ "block in\npass in proto tcp from !<bad> to port 22 keep state "
		  "(max-src-conn-rate 1/60, overload <bad>)\n",
		  { SSH, "pass pass", SSH, "block limit", SSH, "block block", SSH2, "pass pass" } },
		/* Without a table the source may come back */
		{ "block in\npass in proto tcp to port 22 keep state (max-src-conn-rate 1/60)\n",
		  { SSH, "pass pass", SSH, "block limit", SSH, "block limit" } },
		/* A destination can be in the table too */
		{ "block\npass out proto tcp to <bad>\npass in proto tcp to port 22 keep state "
		  "(max-src-conn 1, overload <bad>)\n",
		  { SSH, "pass pass", "out igb0 tcp 203.0.113.2 192.0.2.1 80", "block block",
		    SSH, "block limit", "out igb0 tcp 203.0.113.2 192.0.2.1 80", "pass pass" } },
	};

	MEANINGS(v);
}

TEST(options)	/* refused by every pass that does not allow them, the implicit one too */
{
	static const struct meaning v[] = {
		{ "", { WEB, "pass default", WEB " opts", "block options" } },
		{ "pass\n", { WEB " opts", "block options", WEB, "pass pass" } },
		{ "pass allow-opts\n", { WEB " opts", "pass pass" } },
		{ "pass no state allow-opts\n", { WEB " opts", "pass pass" } },
		{ "set skip on igb0\nblock\n", { WEB " opts", "pass skip" } },
		/* The last match counts */
		{ "pass allow-opts\npass proto tcp\n", { WEB " opts", "block options" } },
		/* And what the rule says that made the state */
		{ "pass in proto udp allow-opts\npass out\n",
		  { "in igb0 udp 192.0.2.1 203.0.113.2 7>53", "pass pass",
		    "in igb0 udp 192.0.2.1 203.0.113.2 7>53 opts", "pass state",
		    "out igb0 udp 203.0.113.2 192.0.2.1 53>7 opts", "pass state" } },
		{ "pass in proto udp\n",
		  { "in igb0 udp 192.0.2.1 203.0.113.2 7>53", "pass pass",
		    "in igb0 udp 192.0.2.1 203.0.113.2 7>53 opts", "block options" } },
		{ "rdr pass on igb0 proto tcp to port 80 -> 10.7.0.5 port 81\npass allow-opts\n",
		  { WEB " opts", "block options", WEB, "pass rdr" } },
		/* A refusal stays what it is */
		{ "block return\n", { WEB " opts", "return return" } },
	};

	MEANINGS(v);
}

TEST(routes)
{
	static const struct meaning v[] = {
		{ "block in from no-route\n",
		  { WEB, "pass default", "in igb0 tcp 2001:db8:9::1 2001:db8::2 80", "block block",
		    "in igb0 tcp 2001:db8::9 2001:db8::2 80", "pass default",
		    "in igb1 tcp 10.7.0.9 203.0.113.2 80", "pass default" } },
		{ "block in from urpf-failed\n",
		  { WEB, "pass default", "in igb1 tcp 192.0.2.1 203.0.113.2 80", "block block",
		    "in igb1 tcp 10.7.0.9 203.0.113.2 80", "pass default",
		    "in igb0 tcp 10.7.0.9 203.0.113.2 80", "block block",
		    "in lo0 tcp 203.0.113.2 203.0.113.2 80", "pass default" } },
		{ "block in from { urpf-failed, 192.0.2.2 }\n",
		  { SSH, "pass default", SSH2, "block block",
		    "in igb1 tcp 192.0.2.1 203.0.113.2 22", "block block" } },
		{ "block in to no-route\n",
		  { WEB, "pass default", "in igb0 tcp 2001:db8::9 2001:db8:9::1 80",
		    "block block" } },
	};

	MEANINGS(v);
}

TEST(tests_of_packets)
{
	static const struct meaning v[] = {
		{ "block out\npass out received-on igb1\n",
		  { "out/igb1 igb0 udp 10.7.0.9 192.0.2.1 53", "pass pass",
		    "out/igb0 igb1 udp 192.0.2.1 10.7.0.9 53", "block block",
		    "out igb0 udp 203.0.113.2 192.0.2.1 53", "block block" } },
		{ "block out\npass out ! received-on igb1\n",
		  { "out/igb1 igb0 udp 10.7.0.9 192.0.2.1 53", "block block",
		    "out igb0 udp 203.0.113.2 192.0.2.1 53", "pass pass" } },
		{ "block\npass tos 0x10\n",
		  { WEB, "block block", WEB " tos=0x10", "pass pass", WEB " tos=0x13", "pass pass",
		    WEB " tos=0x14", "block block" } },
		/* Nobody sees fragments */
		{ "pass\nblock in fragment\n", { WEB, "pass pass" } },
		{ "block\npass rtable 0\n", { WEB, "pass pass" } },
	};

	MEANINGS(v);
}

static const struct scrub *scrub_of(struct pf_test *t, const char *line)
{
	const struct packet p = read_packet(t, line);

	return model_eval(&t->model, &t->world, &p, &t->a).scrub;
}

TEST(scrub)	/* the first statement counts, whatever becomes of the packet */
{
	struct pf_test t;
	const struct scrub *s;

	start(&t);
	CHECK(pf_test_text(&t, "set skip on lo0\nno scrub in on igb1\n"
			   "scrub in on igb0 proto tcp max-mss 1440 no-df\n"
			   "scrub in all min-ttl 9 set-tos 0x20\n"
			   "block\npass tos 0x20\n"));
	s = scrub_of(&t, WEB);
	CHECK(s != NULL && s->max_mss == 1440 && s->no_df && s->min_ttl == 0 && s->tos < 0);
	s = scrub_of(&t, DNS);
	CHECK(s != NULL && s->max_mss == 0 && !s->no_df && s->min_ttl == 9 && s->tos == 0x20);
	CHECK(scrub_of(&t, "in igb1 udp 10.7.0.9 10.7.0.1 53") == NULL);
	CHECK(scrub_of(&t, "out igb0 udp 203.0.113.2 192.0.2.1 53") == NULL);
	CHECK(scrub_of(&t, "in lo0 udp 127.0.0.1 127.0.0.1 53") == NULL);
	/* Rules see the packet as it is then */
	CHECK_STR(verdict(&t, "in igb0 udp 192.0.2.9 203.0.113.2 53 tos=0x43"), "pass pass");
	CHECK_STR(verdict(&t, WEB), "block block");
	/* And it holds for packets of states as well */
	CHECK(scrub_of(&t, "in igb0 udp 192.0.2.9 203.0.113.2 7>53") != NULL);
	CHECK(scrub_of(&t, "in igb0 udp 192.0.2.9 203.0.113.2 7>53") != NULL);
	pf_test_fini(&t);
}

TEST(too_many)
{
	struct pf_test t;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (unsigned int i = 0; i <= MODEL_GROWN; i++)
		fprintf(f, "pass proto tcp keep state (max-src-conn 1, overload <t%u>)\n", i);
	fclose(f);
	start(&t);
	CHECK(!pf_test_text(&t, text));
	pf_test_fini(&t);
	free(text);
	text = NULL;
	f = open_memstream(&text, &len);
	fputs("pass proto tcp to port {", f);
	for (int i = 1; i <= 1025; i++)
		fprintf(f, " %d", i);
	fputs(" } keep state (max 1)\n", f);
	fclose(f);
	start(&t);
	CHECK(!pf_test_text(&t, text));
	pf_test_fini(&t);
	free(text);
}

static uint32_t known_hosts(const char *name, struct addr *ret, uint32_t max)
{
	CHECK(max >= 2);
	if (strcmp(name, "a-long-enough-name.example.org") != 0)
		return 0;
	ret[0] = addr_v4(192, 0, 2, 1);
	ret[1] = (struct addr){ AF_V6, (u128)0x20010db8 << 96 | 9 };
	return 2;
}

TEST(hosts)
{
	struct pf_test t;

	start(&t);
	t.c.resolve = known_hosts;
	CHECK(pf_test_text(&t, "table <t> { self, 192.0.2.0/24, !a-long-enough-name.example.org }\n"
			   "block\npass proto udp from <t>\n"
			   "pass proto tcp from a-long-enough-name.example.org\n"));
	CHECK_STR(verdict(&t, DNS), "block block");	/* the longest prefix is a hole */
	CHECK_STR(verdict(&t, DNS2), "pass pass");
	CHECK_STR(verdict(&t, "in igb0 udp 10.7.0.1 203.0.113.2 53"), "pass pass");
	CHECK_STR(verdict(&t, SSH), "pass pass");
	CHECK_STR(verdict(&t, SSH2), "block block");
	CHECK_STR(verdict(&t, "in igb0 tcp 2001:db8::9 2001:db8::2 22"), "pass pass");
	pf_test_fini(&t);
	start(&t);
	t.c.resolve = known_hosts;
	CHECK(!pf_test_text(&t, "pass from other.example.org\n"));
	CHECK_INT(t.diags.list.n > 0 ? t.diags.list.v[0].code : 0, DIAG_E1211);
	pf_test_fini(&t);
}
