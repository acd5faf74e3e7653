/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What rules of ipfw mean: one question a test, asked with packets.  The seed
 * ruleset, read and lowered, must mean what its model written by hand means.
 */
#include "seed.h"
#include "test_lang_ipfw.h"

static struct ipfw_test t;

static void start(const char *rules)
{
	ipfw_test_fini(&t);
	ipfw_test_init(&t);
	ipfw_test_iface(&t, "em0 198.51.100.2/24 2001:db8::2/64");
	ipfw_test_iface(&t, "em1 10.0.0.1/24");
	ipfw_test_iface(&t, "lo1 10.1.0.1/24 10.1.0.2/32");
	ipfw_test_iface(&t, "default em0");
	t.options.one_pass = 0;
	if (!CHECK(ipfw_test_text(&t, rules)))
		unit_detail("    # %s", langkit_told(&t.diags));
	ipfw_test_spans(&t);
}

#define IN(text)	ipfw_test_pass(&t, DIR_IN, "em0", text)
#define OUT(text)	ipfw_test_pass(&t, DIR_OUT, "em0", text)

/* ---- the seed ------------------------------------------------------------- */

static void read_seed(bool one_pass)
{
	static const char rules[] =
		"nat 1 config if em0 reset\n"
		"add 10 pass all from any to any via lo0\n"
		"add 25 pass all from any to any via lo1\n"
		"add 50 deny ip from any to any not antispoof in\n"
		"add 100 nat 1 ip from any to any via em0 in\n"
		"add 110 check-state\n"
		"add 1000 skipto 10000 udp from any to any 53 out via em0 keep-state\n"
		"add 1010 skipto 10000 tcp from any to any 53 out via em0 keep-state\n"
		"add 1100 skipto 10000 tcp from any to any 80,443 out via em0 keep-state\n"
		"add 1300 skipto 10000 udp from any to any 123 out via em0 keep-state\n"
		"add 2000 pass tcp from any to any established\n"
		"add 5200 pass tcp from any to any 80 keep-state\n"
		"add 5300 pass tcp from any to any 443 keep-state\n"
		"add 6100 pass tcp from any to 198.51.100.2 22 in keep-state\n"
		"add 6200 pass tcp from me to any 25 out keep-state\n"
		"add 6300 pass icmp from any to any via em0 out keep-state\n"
		"add 9999 deny all from any to any\n"
		"add 10000 nat 1 ip from any to any via em0 out\n"
		"add 10001 pass ip from any to any\n";

	ipfw_test_fini(&t);
	ipfw_test_init(&t);
	ipfw_test_iface(&t, "em0 198.51.100.2/24");
	ipfw_test_iface(&t, "lo1 10.1.0.1/24 10.1.0.2/32");
	t.options.one_pass = one_pass;
	CHECK(ipfw_test_text(&t, rules));
}

static struct packet random_packet(void)
{
	static const char *const addrs[] = {
		"10.1.0.1", "10.1.0.2", "10.1.0.99", "198.51.100.2", "198.51.100.77", "8.8.8.8",
		"7.7.7.7", "127.0.0.1",
	};
	static const uint16_t ports[] = { 22, 25, 53, 80, 123, 443, 4000, 0x8000, 0x9267 };
	static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_ICMP, PROTO_GRE };
	const char *src = addrs[unit_below(ARRAY_SIZE(addrs))];
	const char *dst = addrs[unit_below(ARRAY_SIZE(addrs))];
	struct packet p = {
		.dir = (enum direction)unit_below(2), .proto = protos[unit_below(4)],
		.src = ipfw_test_addr(src, strlen(src)), .dst = ipfw_test_addr(dst, strlen(dst)),
	};

	if (proto_has_ports(p.proto)) {
		p.sport = ports[unit_below(ARRAY_SIZE(ports))];
		p.dport = ports[unit_below(ARRAY_SIZE(ports))];
	} else if (p.proto == PROTO_ICMP) {
		p.sport = p.dport = (uint16_t)(1 + unit_below(3));
		p.icmp_type = unit_below(2) == 0 ? 8 : 0;
	}
	if (p.proto == PROTO_TCP)
		p.tcp_flags = (uint8_t)unit_below(64);
	return p;
}

static struct packet answer(struct packet p)
{
	struct packet r = p;

	r.dir = p.dir == DIR_IN ? DIR_OUT : DIR_IN;
	r.src = p.dst;
	r.dst = p.src;
	r.sport = p.dport;
	r.dport = p.sport;
	return r;
}

static void compare_with_seed(bool one_pass)
{
	static const char *const ifaces[] = { "em0", "em0", "em0", "lo0", "lo1", "em1" };
	struct arena a;
	struct seed s;
	struct world w;
	struct packet p = { .proto = 0 };

	arena_init(&a, LIMIT_ARENA_BYTES);
	seed_init(&s, &a, one_pass);
	world_init(&w, &a);
	read_seed(one_pass);
	w.draw = t.world.draw = 4711;
	for (int i = 0; i < 5000; i++) {
		const char *iface = ifaces[unit_below(ARRAY_SIZE(ifaces))];
		struct result x, y;

		p = i > 0 && unit_below(3) == 0 ? answer(p) : random_packet();
		p.iface = intern_cid(&s.names, iface);
		x = model_eval(&s.m, &w, &p, &a);
		p.iface = intern_cid(&t.names, iface);
		y = model_eval(&t.model, &t.world, &p, &t.a);
		if (!CHECK_INT(y.verdict, x.verdict) || !CHECK_INT(y.makes_state, x.makes_state) ||
		    !CHECK(flow_equal(packet_flow(&y.packet), packet_flow(&x.packet))) ||
		    !CHECK_INT(y.steps.n, x.steps.n))
			break;
		p = x.packet;
		if (i % 200 == 0)
			w.states.n = t.world.states.n = 0;
	}
	arena_fini(&a);
}

TEST(seed_means_what_was_written_by_hand)
{
	compare_with_seed(false);
}

TEST(seed_with_one_pass)
{
	compare_with_seed(true);
}

/* ---- jumps ---------------------------------------------------------------- */

TEST(skipto_goes_forward_only)
{
	start("add 10 skipto 100 tcp from any to any\nadd 20 skipto 5 udp from any to any\n"
	      "add 30 deny ip from any to any\nadd 150 allow ip from any to any\n");
	CHECK_STR(IN("tcp 7.7.7.7:1 > 198.51.100.2:2 S"), "10 150 PASS");
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:2"), "20 30 DENY");
	CHECK_STR(IN("gre 7.7.7.7 > 198.51.100.2"), "30 DENY");
}

TEST(skipto_behind_all_rules_meets_the_default)
{
	start("add 10 skipto 60000 ip from any to any\nadd 20 allow ip from any to any\n");
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:2"), "10 65535 DENY");
	start("add 10 allow tcp from any to any\n");
	t.options.default_to_accept = true;
	CHECK(ipfw_test_lower(&t));
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:2"), "65535 PASS");
}

TEST(skipto_tablearg)
{
	start("table s add 10.0.0.0/8 100 10.5.0.0/16 200\n"
	      "add 10 skipto tablearg ip from table(s) to any\nadd 20 deny ip from any to any\n"
	      "add 100 allow ip from any to any\nadd 200 reject ip from any to any\n");
	CHECK_STR(IN("udp 10.1.9.9:1 > 198.51.100.2:2"), "10 100 PASS");
	CHECK_STR(IN("udp 10.5.0.1:1 > 198.51.100.2:2"), "10 200 DENY");
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:2"), "20 DENY");
}

TEST(call_and_return)
{
	start("add 100 call 500 icmp from any to any\nadd 200 call 600 udp from any to any\n"
	      "add 300 skipto 500 tcp from any to any\nadd 310 deny ip from any to any\n"
	      "add 500 count ip from any to any\nadd 510 return\nadd 600 allow ip from any to any "
	      "53\n"
	      "add 610 return\nadd 620 allow ip from any to any\n");
	CHECK_STR(IN("icmp 7.7.7.7 > 198.51.100.2"), "100 500 510 310 DENY");
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:53"), "200 600 PASS");
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:54"), "200 610 310 DENY");
	/* without a call, return goes on with the next rule */
	CHECK_STR(IN("tcp 7.7.7.7:1 > 198.51.100.2:54 S"), "300 500 510 610 620 PASS");
}

/* ---- states --------------------------------------------------------------- */

TEST(states_of_several_names)
{
	start("add 10 check-state :web\nadd 20 allow tcp from any to any 80 out keep-state :web\n"
	      "add 30 allow tcp from any to any 81 out keep-state\nadd 40 deny ip from any to "
	      "any\n");
	CHECK_STR(OUT("tcp 198.51.100.2:1 > 7.7.7.7:80 S"), "20 PASS");
	CHECK_STR(OUT("tcp 198.51.100.2:1 > 7.7.7.7:81 S"), "30 PASS");
	CHECK_STR(IN("tcp 7.7.7.7:80 > 198.51.100.2:1 SA"), "dyn(20) 20 PASS");
	CHECK_STR(IN("tcp 7.7.7.7:81 > 198.51.100.2:1 SA"), "dyn(30) 30 PASS");
	CHECK_STR(IN("tcp 7.7.7.7:82 > 198.51.100.2:1 SA"), "40 DENY");
}

TEST(limits_by_what_they_say)
{
	start("add 10 check-state\nadd 20 allow tcp from any to me setup limit src-addr 1\n"
	      "add 30 allow tcp from any to any setup limit src-addr dst-port 1\n");
	CHECK_STR(IN("tcp 7.7.7.7:1 > 198.51.100.2:22 S"), "20 PASS");
	CHECK_STR(IN("tcp 7.7.7.7:2 > 198.51.100.2:22 S"), "20 DENY");
	CHECK_STR(IN("tcp 7.7.7.8:2 > 198.51.100.2:22 S"), "20 PASS");
	CHECK_STR(IN("tcp 7.7.7.7:1 > 198.51.100.2:22 S"), "dyn(20) 20 PASS");
	CHECK_STR(IN("tcp 7.7.7.7:1 > 9.9.9.9:80 S"), "30 PASS");
	CHECK_STR(IN("tcp 7.7.7.7:2 > 9.9.9.9:80 S"), "30 DENY");
	CHECK_STR(IN("tcp 7.7.7.7:2 > 9.9.9.9:81 S"), "30 PASS");
}

TEST(record_state_does_not_look)
{
	start("add 10 allow udp from any to any 53 record-state\nadd 20 deny ip from any to any\n");
	CHECK_STR(OUT("udp 198.51.100.2:1 > 7.7.7.7:53"), "10 PASS");
	CHECK_INT(t.world.states.n, 1);
	CHECK_STR(IN("udp 7.7.7.7:53 > 198.51.100.2:1"), "20 DENY");
}

TEST(probability_is_drawn_once_a_rule)
{
	start("add 10 prob 0.5 allow udp from any to any keep-state\nadd 20 deny ip from any to "
	      "any\n");
	CHECK_INT(t.model.n_draws, 1);
	vec_add(&t.a, &t.world.draws, PROB_ONE - 1);
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:53"), "20 DENY");
	t.world.draws.v[0] = 0;
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:53"), "10 PASS");
	t.world.draws.v[0] = PROB_ONE - 1;	/* nor is the state looked for */
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:53"), "20 DENY");
}

TEST(tags_stay_with_the_packet)
{
	struct packet p;

	start("add 10 count tag 5 udp from any to any in\nadd 15 count tag 6 udp from any to any "
	      "53 in\n"
	      "add 20 count untag 5 udp from any to any 54 in\n"
	      "add 30 allow ip from any to any tagged 5,7 out\nadd 40 deny ip from any to any out\n"
	      "add 50 allow ip from any to any not tagged 6\nadd 60 deny ip from any to any\n");
	p = ipfw_test_packet(&t, DIR_IN, "em1", "udp 10.0.0.5:1 > 7.7.7.7:9");
	CHECK_STR(ipfw_test_judge(&t, &p, NULL), "10 50 PASS");
	p.dir = DIR_OUT;
	CHECK_STR(ipfw_test_judge(&t, &p, NULL), "30 PASS");
	p = ipfw_test_packet(&t, DIR_IN, "em1", "udp 10.0.0.5:1 > 7.7.7.7:54");
	CHECK_STR(ipfw_test_judge(&t, &p, NULL), "10 20 50 PASS");
	p.dir = DIR_OUT;
	CHECK_STR(ipfw_test_judge(&t, &p, NULL), "40 DENY");
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:53"), "10 15 60 DENY");
}

/* ---- matches -------------------------------------------------------------- */

TEST(or_and_not)
{
	start("add 10 allow { tcp or udp } from { 10.0.0.1 or 10.0.0.2 } to not me "
	      "{ dst-port 80 or src-port 80 }\nadd 20 deny ip from any to any not dst-port 53\n"
	      "add 30 allow ip from any to any\n");
	CHECK_STR(OUT("tcp 10.0.0.2:1 > 7.7.7.7:80 S"), "10 PASS");
	CHECK_STR(OUT("udp 10.0.0.1:80 > 7.7.7.7:9"), "10 PASS");
	CHECK_STR(OUT("udp 10.0.0.1:81 > 7.7.7.7:9"), "20 DENY");
	CHECK_STR(OUT("udp 10.0.0.3:80 > 7.7.7.7:9"), "20 DENY");
	CHECK_STR(OUT("udp 10.0.0.1:80 > 198.51.100.2:53"), "30 PASS");
	CHECK_STR(OUT("gre 10.0.0.1 > 7.7.7.7"), "20 DENY");	/* no port is not port 53 */
}

TEST(count_with_alternatives_counts_once)
{
	start("add 10 count ip from any to any { dst-port 80 or src-port 80 }\n"
	      "add 20 allow ip from any to any\n");
	CHECK_STR(OUT("udp 10.0.0.1:80 > 7.7.7.7:80"), "10 20 PASS");
	CHECK_STR(OUT("udp 10.0.0.1:81 > 7.7.7.7:81"), "20 PASS");
}

TEST(interfaces_by_direction)
{
	struct packet p;

	start("add 10 allow ip from any to any recv em1 xmit em0\n"
	      "add 20 deny ip from any to any xmit em0\nadd 30 allow ip from any to any via em*\n");
	p = ipfw_test_packet(&t, DIR_OUT, "em0", "udp 10.0.0.5:1 > 7.7.7.7:9");
	CHECK_STR(ipfw_test_judge(&t, &p, NULL), "20 DENY");	/* the host's own */
	p.recv = intern_cid(&t.names, "em1");
	CHECK_STR(ipfw_test_judge(&t, &p, NULL), "10 PASS");
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:9"), "30 PASS");
	CHECK_STR(ipfw_test_pass(&t, DIR_IN, "lo1", "udp 7.7.7.7:1 > 198.51.100.2:9"),
		  "65535 DENY");
}

TEST(sources_by_the_way_they_come)
{
	start("add 10 deny ip from any to any not antispoof in\n"
	      "add 20 deny ip from any to any not verrevpath in\n"
	      "add 30 deny ip from any to any not versrcreach in\nadd 40 allow ip from any to "
	      "any\n");
	CHECK_STR(IN("udp 198.51.100.9:1 > 198.51.100.2:9"), "40 PASS");
	CHECK_STR(IN("udp 10.0.0.9:1 > 198.51.100.2:9"), "10 DENY");
	CHECK_STR(IN("udp 10.1.0.2:1 > 198.51.100.2:9"), "10 DENY");
	CHECK_STR(IN("udp 10.1.0.99:1 > 198.51.100.2:9"), "30 DENY"); /* lo1/24 is no network */
	CHECK_STR(ipfw_test_pass(&t, DIR_IN, "em1", "udp 7.7.7.7:1 > 198.51.100.2:9"), "20 DENY");
	CHECK_STR(ipfw_test_pass(&t, DIR_IN, "em1", "udp 10.0.0.9:1 > 198.51.100.2:9"), "40 PASS");
	CHECK_STR(OUT("udp 10.0.0.9:1 > 7.7.7.7:9"), "40 PASS");
	start("add 10 allow ip from any to any antispoof\nadd 20 deny ip from any to any\n");
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:9"), "10 PASS");
	CHECK_STR(IN("udp 10.0.0.9:1 > 198.51.100.2:9"), "20 DENY");
}

TEST(tables)
{
	start("table a add 10.0.0.0/8\ntable a add 10.1.0.0/16\ntable a delete 10.1.0.0/16\n"
	      "table v create type addr valtype number\ntable v add 10.0.0.0/8 1 10.2.0.0/16 2\n"
	      "table i create type iface\ntable i add em0\n"
	      "table f create type flow:src-ip,proto,dst-port\ntable f add 7.7.7.7,tcp,80\n"
	      "add 10 deny ip from table(v,2) to any\nadd 20 allow ip from table(a) to any via "
	      "table(i)\n"
	      "add 30 allow ip from any to any flow table(f)\n");
	CHECK_STR(IN("udp 10.1.0.9:1 > 198.51.100.2:9"), "20 PASS");
	CHECK_STR(IN("udp 10.2.0.9:1 > 198.51.100.2:9"), "10 DENY");
	CHECK_STR(IN("tcp 7.7.7.7:1 > 198.51.100.2:80 S"), "30 PASS");
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:80"), "65535 DENY");
}

/* ---- nat ------------------------------------------------------------------ */

TEST(redirects)
{
	struct packet p;
	struct result r;

	start("nat 1 config if em0 same_ports redirect_port tcp 10.1.0.2:80-82 8080-8082 "
	      "redirect_addr 10.1.0.9 198.51.100.3\nadd 10 nat 1 ip4 from any to any via em0\n"
	      "add 20 allow ip from any to any\n");
	p = ipfw_test_packet(&t, DIR_IN, "em0", "tcp 7.7.7.7:1 > 198.51.100.2:8081 S");
	CHECK_STR(ipfw_test_judge(&t, &p, &r), "10 20 PASS");
	CHECK(addr_equal(p.dst, addr_v4(10, 1, 0, 2)));
	CHECK_INT(p.dport, 81);
	p = answer(p);
	ipfw_test_judge(&t, &p, &r);
	CHECK(addr_equal(p.src, addr_v4(198, 51, 100, 2)));
	CHECK_INT(p.sport, 8081);
	p = ipfw_test_packet(&t, DIR_IN, "em0", "udp 7.7.7.7:1 > 198.51.100.3:53");
	ipfw_test_judge(&t, &p, &r);
	CHECK(addr_equal(p.dst, addr_v4(10, 1, 0, 9)));
	p = ipfw_test_packet(&t, DIR_OUT, "em0", "udp 10.1.0.9:5 > 7.7.7.7:53");
	ipfw_test_judge(&t, &p, &r);
	CHECK(addr_equal(p.src, addr_v4(198, 51, 100, 3)));
	CHECK_INT(p.sport, 5);
}

TEST(nat_refuses_what_it_should)
{
	start("nat 1 config if em0 deny_in unreg_only same_ports\nadd 10 nat 1 ip from any to any "
	      "via em0\n"
	      "add 20 allow ip from any to any\n");
	CHECK_STR(IN("tcp 7.7.7.7:1 > 198.51.100.2:22 S"), "10 DENY");
	CHECK_STR(OUT("tcp 8.8.8.8:1 > 7.7.7.7:22 S"), "10 20 PASS");
	CHECK_STR(IN("tcp 7.7.7.7:22 > 8.8.8.8:1 SA"), "10 20 PASS");
	CHECK_STR(IN("tcp 2001:db8::9 > 2001:db8::2 S"), "10 DENY");
}

TEST(what_arrives_unasked_is_answered_from_its_port)
{
	struct packet p;

	start("nat 1 config if em0\nadd 10 nat 1 ip4 from any to any via em0\n"
	      "add 20 allow ip from any to any\n");
	p = ipfw_test_packet(&t, DIR_IN, "em0", "tcp 7.7.7.7:1 > 198.51.100.2:22 S");
	CHECK_STR(ipfw_test_judge(&t, &p, NULL), "10 20 PASS");
	p = answer(p);
	ipfw_test_judge(&t, &p, NULL);
	CHECK_INT(p.sport, 22);
}

/* ---- commands ------------------------------------------------------------- */

TEST(sets_and_numbers)
{
	start("add allow tcp from any to any\nadd 250 set 3 deny udp from any to any 53\n"
	      "add allow udp from any to any\nadd 250 allow gre from any to any\n"
	      "set disable 3\nset swap 4 5\n");
	CHECK_INT(t.rs->rules.n, 4);
	CHECK_INT(t.rs->rules.v[0].number, 100);
	CHECK_INT(t.rs->rules.v[3].number, 350);
	CHECK_STR(t.rs->rules.v[2].text, "00250 allow gre from any to any");
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:53"), "350 PASS");
	start("add 10 allow ip from any to any\nadd 20 set 31 deny ip from any to any\n-f flush\n");
	CHECK_INT(t.rs->rules.n, 1);
	start("disable firewall\nadd 10 deny ip from any to any\n");
	CHECK_STR(IN("udp 7.7.7.7:1 > 198.51.100.2:53"), "65535 PASS");
}

TEST(lists_may_have_blanks)
{
	start("add 10 allow tcp from any to any 53, 80 ,443 in\n100 add deny ip from any to any\n");
	CHECK_STR(t.rs->rules.v[0].text, "00010 allow tcp from any to any 53,80,443 in");
	CHECK_STR(t.rs->rules.v[1].text, "00100 deny ip from any to any");
}

/* Many redirects among many rules: what is told of answers costs no memory by their product */
TEST(answers_of_many_redirects_among_many_rules)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	BUG_IF(f == NULL);
	fputs("disable one_pass\nnat 1 config if em0", f);
	for (int i = 0; i < 100; i++)
		fprintf(f, " redirect_port tcp 10.1.0.2:%d %d", 1000 + i, 2000 + i);
	fputs("\nadd 10 nat 1 ip4 from any to any in via em0\n", f);
	for (int i = 0; i < 2000; i++)
		fprintf(f, "add %d deny ip from 172.16.%d.%d to any in\n", 100 + i, i / 250,
			i % 250);
	fputs("add 50000 check-state\n"
	      "add 50010 allow tcp from any to 10.1.0.2 in setup keep-state\n"
	      "add 60000 nat 1 ip4 from any to any out via em0\n", f);
	fclose(f);
	start(text);
	CHECK_INT(t.diags.list.n, 1);
	CHECK(t.diags.list.n == 1 && t.diags.list.v[0].code == DIAG_W2038);
	free(text);
}

/* fmt is a fixed point, and means the same */
TEST(fmt)
{
	char path[4096], *once = NULL, *twice = NULL, *model[2] = { NULL, NULL };
	uint32_t src;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%.*s/../golden/ipfw/words.ipfw.rules",
		 (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
	for (int round = 0; round < 2; round++) {
		char **text = round == 0 ? &once : &twice;

		ipfw_test_fini(&t);
		ipfw_test_init(&t);
		ipfw_test_iface(&t, "em0 198.51.100.2/24");
		t.options.one_pass = 0;
		if (round == 0 && CHECK_INT(sources_read(&t.sources, path, &src), 0))
			CHECK(ipfw_rules_read(&t.c, src, &t.cmds) && ipfw_test_lower(&t));
		else
			CHECK(ipfw_test_text(&t, once));
		f = open_memstream(text, &len);
		ipfw_fmt(t.rs, f);
		fclose(f);
		f = open_memstream(&model[round], &len);
		ipfw_print_list(t.rs, false, f);
		ipfw_print_nat(t.rs, f);
		fclose(f);
	}
	CHECK(strlen(once) > 1000);
	CHECK_STR(twice, once);
	CHECK_STR(model[1], model[0]);
	free(once);
	free(twice);
	free(model[0]);
	free(model[1]);
}
