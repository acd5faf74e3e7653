/* SPDX-License-Identifier: BSD-2-Clause */
#include "seed.h"

#include <string.h>

#include "lang/ipfw.h"

/* The rules as `ipfw list` shows them; a rule's origin is its line here */
static const char seed_text[] =
	"00010 allow ip from any to any via lo0\n"
	"00025 allow ip from any to any via lo1\n"
	"00050 deny ip from any to any not antispoof in\n"
	"00100 nat 1 ip from any to any via em0 in\n"
	"00110 check-state :default\n"
	"01000 skipto 10000 udp from any to any 53 out via em0 keep-state :default\n"
	"01010 skipto 10000 tcp from any to any 53 out via em0 keep-state :default\n"
	"01100 skipto 10000 tcp from any to any 80,443 out via em0 keep-state :default\n"
	"01300 skipto 10000 udp from any to any 123 out via em0 keep-state :default\n"
	"02000 allow tcp from any to any established\n"
	"05200 allow tcp from any to any 80 keep-state :default\n"
	"05300 allow tcp from any to any 443 keep-state :default\n"
	"06100 allow tcp from any to 198.51.100.2 22 in keep-state :default\n"
	"06200 allow tcp from me to any 25 out keep-state :default\n"
	"06300 allow icmp from any to any via em0 out keep-state :default\n"
	"09999 deny ip from any to any\n"
	"10000 nat 1 ip from any to any via em0 out\n"
	"10001 allow ip from any to any\n";

/* Building under way */
struct build {
	struct seed *s;
	struct arena *a;
	uint32_t src;
	uint32_t main;		/* rules 10 to 9999 */
	uint32_t after;		/* rules 10000 and 10001: the target of skipto */
	bool one_pass;
};

static struct origin origin_of(struct build *b, int number)
{
	char want[8];
	const char *line, *end;

	snprintf(want, sizeof(want), "%05d ", number);
	line = strstr(seed_text, want);
	BUG_IF(line == NULL);
	end = strchr(line, '\n');
	return (struct origin){
		.at = { b->src, (uint32_t)(line - seed_text), (uint32_t)(end - seed_text) },
		.text = arena_strndup(b->a, line, (size_t)(end - line)),
	};
}

static struct rule *add(struct build *b, uint32_t list, int number)
{
	return model_add_rule(&b->s->m, list, origin_of(b, number));
}

static void on(struct build *b, struct rule *r, const char *iface)
{
	rule_test(&b->s->m, r, F_IFACE, set_one(b->a, intern_cid(&b->s->names, iface)));
}

static void number(struct build *b, struct rule *r, enum field f, u128 v)
{
	rule_test(&b->s->m, r, f, set_one(b->a, v));
}

static const struct set *ports(struct build *b, uint16_t one, uint16_t two)
{
	struct ranges rs = { 0 };

	ranges_add(b->a, &rs, AF_NONE, one, one);
	ranges_add(b->a, &rs, AF_NONE, two, two);
	return set_make(b->a, &rs);
}

static const struct set *not_on(struct build *b, const char *iface)
{
	return set_complement(b->a, set_one(b->a, intern_cid(&b->s->names, iface)), SET_U32);
}

/*
 * 50 deny not antispoof in: the host's own addresses come by lo0 only, those
 * of a connected network by its interface only.
 */
static void add_antispoof(struct build *b)
{
	const struct set *own = facts_local(&b->s->facts);
	const struct prefix net = { addr_v4(198, 51, 100, 0), 24 };
	struct rule *r = add(b, b->main, 50);

	number(b, r, F_DIR, DIR_IN);
	rule_test(&b->s->m, r, F_SRC, own);
	rule_test(&b->s->m, r, F_IFACE, not_on(b, "lo0"));
	rule_decide(r, ruling_block());
	r = add(b, b->main, 50);
	number(b, r, F_DIR, DIR_IN);
	rule_test(&b->s->m, r, F_SRC, set_minus(b->a, set_prefix(b->a, net), own, SET_ADDR));
	rule_test(&b->s->m, r, F_IFACE, not_on(b, "em0"));
	rule_decide(r, ruling_block());
}

static void add_nat(struct build *b, uint32_t list, int num, enum direction dir, uint32_t xlate)
{
	struct rule *r = add(b, list, num);

	number(b, r, F_DIR, dir);
	on(b, r, "em0");
	number(b, r, F_AF, AF_V4);
	rule_translate(&b->s->m, r, xlate, LIST_NONE);
	if (b->one_pass)
		rule_decide(r, ruling_pass());
}

/* The list with a keep-state rule's own action, which each packet of its state repeats */
static uint32_t action_list(struct build *b, int num, bool skipto)
{
	const uint32_t list = model_add_list(&b->s->m, arena_printf(b->a, "action %d", num));
	struct rule *r = add(b, list, num);

	if (skipto)
		rule_goto(r, b->after);
	else
		rule_decide(r, ruling_pass());
	return list;
}

/* A keep-state rule: probe first, then, if it matches, record and act */
static struct rule *add_keep(struct build *b, int num, bool skipto, uint8_t proto)
{
	const uint32_t action = action_list(b, num, skipto);
	struct rule *probe = model_add_rule(&b->s->m, b->main, (struct origin){ 0 });
	struct rule *r;

	rule_probe(&b->s->m, probe);
	r = add(b, b->main, num);
	number(b, r, F_PROTO, proto);
	rule_record(&b->s->m, r, action);
	rule_goto(r, action);
	return r;
}

static void add_out_port(struct build *b, int num, uint8_t proto, const struct set *dport)
{
	struct rule *r = add_keep(b, num, true, proto);

	rule_test(&b->s->m, r, F_DPORT, dport);
	number(b, r, F_DIR, DIR_OUT);
	on(b, r, "em0");
}

static void add_services(struct build *b)
{
	const struct addr pub = addr_v4(198, 51, 100, 2);
	struct rule *r;

	r = add_keep(b, 5200, false, PROTO_TCP);
	number(b, r, F_DPORT, 80);
	r = add_keep(b, 5300, false, PROTO_TCP);
	number(b, r, F_DPORT, 443);
	r = add_keep(b, 6100, false, PROTO_TCP);
	number(b, r, F_DPORT, 22);
	rule_test(&b->s->m, r, F_DST, set_addr(b->a, pub));
	number(b, r, F_DIR, DIR_IN);
	r = add_keep(b, 6200, false, PROTO_TCP);
	number(b, r, F_DPORT, 25);
	rule_test(&b->s->m, r, F_SRC, facts_local(&b->s->facts));
	number(b, r, F_DIR, DIR_OUT);
	r = add_keep(b, 6300, false, PROTO_ICMP);
	number(b, r, F_DIR, DIR_OUT);
	on(b, r, "em0");
}

static const struct set *established(struct build *b)
{
	struct ranges rs = { 0 };

	for (unsigned int f = 0; f < 256; f++)
		if ((f & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST)) != TCP_FLAG_SYN)
			ranges_add(b->a, &rs, AF_NONE, f, f);
	return set_make(b->a, &rs);
}

static void add_rules(struct build *b, uint32_t xlate)
{
	struct model *m = &b->s->m;
	struct rule *r;

	r = add(b, b->main, 10);
	on(b, r, "lo0");
	rule_decide(r, ruling_pass());
	r = add(b, b->main, 25);
	on(b, r, "lo1");
	rule_decide(r, ruling_pass());
	add_antispoof(b);
	add_nat(b, b->main, 100, DIR_IN, xlate);
	rule_probe(m, add(b, b->main, 110));
	add_out_port(b, 1000, PROTO_UDP, set_one(b->a, 53));
	add_out_port(b, 1010, PROTO_TCP, set_one(b->a, 53));
	add_out_port(b, 1100, PROTO_TCP, ports(b, 80, 443));
	add_out_port(b, 1300, PROTO_UDP, set_one(b->a, 123));
	r = add(b, b->main, 2000);
	number(b, r, F_PROTO, PROTO_TCP);
	rule_test(m, r, F_TCPFLAGS, established(b));
	rule_decide(r, ruling_pass());
	add_services(b);
	rule_decide(add(b, b->main, 9999), ruling_block());
	rule_goto(model_add_rule(m, b->main, (struct origin){ 0 }), b->after);
	add_nat(b, b->after, 10000, DIR_OUT, xlate);
	rule_decide(add(b, b->after, 10001), ruling_pass());
}

static void add_address(struct seed *s, const char *iface, struct addr a, uint8_t len)
{
	facts_add_addr(&s->facts, facts_add(&s->facts, iface),
		       (struct iface_addr){ .p = { a, len } });
}

static void init_host(struct seed *s, struct arena *a)
{
	*s = (struct seed){ .facts = { .a = a } };
	intern_init(&s->names, a);
	sources_init(&s->sources, a);
	diags_init(&s->diags, a, &s->sources);
	facts_init(&s->facts, a, &s->names);
	add_address(s, "em0", addr_v4(198, 51, 100, 2), 24);
	add_address(s, "lo1", addr_v4(10, 1, 0, 1), 24);
	add_address(s, "lo1", addr_v4(10, 1, 0, 2), 32);
	model_init(&s->m, a, &s->names, &s->facts);
}

void seed_init(struct seed *s, struct arena *a, bool one_pass)
{
	struct build b = { .s = s, .a = a, .one_pass = one_pass };
	struct xlate nat = { .kind = XL_INSTANCE, .port = XP_RANDOM, .lo = 0x8000, .hi = 0xffff,
			     .instance = 1 };

	init_host(s, a);
	b.src = sources_add(&s->sources, "seed.rules", seed_text, sizeof(seed_text) - 1,
			    SPAN_NONE);
	s->m.discipline = STATES_FREE;
	s->m.otherwise = ruling_block();
	vec_add(a, &nat.to, addr_v4(198, 51, 100, 2));
	b.main = model_add_list(&s->m, "main");
	b.after = model_add_list(&s->m, "from 10000");
	s->m.entry[DIR_IN] = s->m.entry[DIR_OUT] = b.main;
	add_rules(&b, model_add_xlate(&s->m, nat));
}

bool seed_init_text(struct seed *s, struct arena *a, const char *name, const char *text,
		    bool one_pass)
{
	struct lang_ctx c = { .a = a, .names = &s->names, .sources = &s->sources,
			      .diags = &s->diags };
	const struct ipfw_options o = { .one_pass = one_pass };
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	const struct ipfw_ruleset *rs;
	uint32_t src;

	init_host(s, a);
	src = sources_add(&s->sources, name, text, (uint32_t)strlen(text), SPAN_NONE);
	if (!(ipfw_is_script(source_at(&s->sources, src)) ? ipfw_script_read(&c, src, &cmds)
							  : ipfw_rules_read(&c, src, &cmds)))
		return false;
	rs = ipfw_parse(&c, &cmds);
	return s->diags.n_errors == 0 && ipfw_lower(&c, rs, &s->facts, &o, &s->m);
}
