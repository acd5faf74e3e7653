/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the ipfw command keeps and shows: a saved ruleset reads back to the same,
 * the columns are ipfw's, and commands are answered as ipfw answers them.
 */
#include <string.h>

#include "lang/ipfw_show.h"
#include "net/names.h"
#include "test_lang_ipfw.h"

static struct ipfw_test t;

static const char all_of_it[] =
	"disable one_pass\n"
	"nat 1 config if em0 reset redirect_port tcp 10.1.0.2:80 80 "
	"redirect_addr 10.1.0.3 198.51.100.3\n"
	"nat 7 config ip 198.51.100.9 same_ports port_range 2000-3000\n"
	"table web create type number valtype skipto\n"
	"table web add 80 300 443 400\n"
	"table f create type flow:src-ip,proto,dst-port\n"
	"table f add 10.0.0.1,tcp,80 5\n"
	"table 5 add em0\n"
	"add 10 set 3 pass all from any to any via lo0 // a, b\n"
	"add check-state :web\n"
	"add prob 0.25 deny log logamount 5 tcp from { 10.0.0.1 or not table(6) } to me 22,80-90\n"
	"add 300 skipto tablearg tcp from any to any lookup dst-port web out\n"
	"add 300 allow tcp from any to any 25 setup limit src-addr 4 :web\n"
	"add 400 nat 1 ip4 from any to any via em0\n"
	"add 500 unreach port udp from any to any not antispoof in\n"
	"set disable 3 5\n";

static void start(const char *rules)
{
	ipfw_test_fini(&t);
	ipfw_test_init(&t);
	ipfw_test_iface(&t, "em0 198.51.100.2/24");
	t.options.one_pass = 0;
	if (!CHECK(ipfw_test_text(&t, rules)))
		unit_detail("    # %s", langkit_told(&t.diags));
}

static const char *text_of(void (*print)(const struct ipfw_ruleset *, FILE *),
			   const struct ipfw_ruleset *rs)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	const char *kept;

	print(rs, f);
	fclose(f);
	kept = arena_strndup(&t.a, text, len);
	free(text);
	return kept;
}

static struct ipfw_ruleset *read_saved(const char *text)
{
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	const uint32_t src = sources_add(&t.sources, "saved", text, (uint32_t)strlen(text),
					 SPAN_NONE);

	CHECK(ipfw_saved_read(&t.c, src, &cmds));
	return ipfw_parse(&t.c, &cmds);
}

static void print_list(const struct ipfw_ruleset *rs, FILE *out)
{
	ipfw_print_list(rs, false, out);
}

static void print_tables(const struct ipfw_ruleset *rs, FILE *out)
{
	ipfw_show_table(rs, "all", false, out);
	ipfw_show_table(rs, "all", true, out);
	ipfw_show_sets(rs, out);
	ipfw_show_nat(rs, 0, out);
}

TEST(saved_reads_back_to_the_same)
{
	const struct ipfw_ruleset *again;
	const char *saved;

	start(all_of_it);
	saved = text_of(ipfw_save, t.rs);
	again = read_saved(saved);
	CHECK(t.diags.n_errors == 0);
	CHECK_STR(text_of(ipfw_save, again), saved);
	CHECK_STR(text_of(print_list, again), text_of(print_list, t.rs));
	CHECK_STR(text_of(print_tables, again), text_of(print_tables, t.rs));
	CHECK(again->one_pass == 0 && !again->is_off);
	CHECK(again->disabled == (1u << 3 | 1u << 5));
}

TEST(a_comment_keeps_its_hash)
{
	struct ipfw_cmd cmd = { .line_text = "" };
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	struct ipfw_replies replies = { .is_test = false };
	static const char *const words[] = { "add", "5", "count", "ip", "from", "any", "to", "any",
					     "//", "no", "#1" };

	start("");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		vec_add(&t.a, &cmd.words, ((struct ipfw_word){ words[i], SPAN_NONE }));
	vec_add(&t.a, &cmds.list, cmd);
	ipfw_run(&t.c, t.rs, &cmds, &replies);
	CHECK(replies.list.n == 1);
	CHECK_STR(replies.list.v[0].text, "00005 count ip from any to any // no #1");
	CHECK_STR(text_of(print_list, read_saved(text_of(ipfw_save, t.rs))),
		  text_of(print_list, t.rs));
}

/* -- columns ------------------------------------------------------------------ */

static struct ipfw_view view;

static void print_view(const struct ipfw_ruleset *rs, FILE *out)
{
	ipfw_show_rules(rs, &view, out);
	ipfw_show_dynamic(rs, &view, out);
}

static void count(void *arg, const char *text, uint64_t *packets, uint64_t *bytes)
{
	(void)arg;
	*packets = strncmp(text, "00100", 5) == 0 ? 12345 : 7;
	*bytes = strncmp(text, "65535", 5) == 0 ? 99 : 1;
}

TEST(columns_are_as_wide_as_the_widest)
{
	start("add 100 pass all from any to any\nadd 110 check-state\n"
	      "add 120 set 2 deny tcp from any to any 23\nset disable 2\n");
	view = (struct ipfw_view){ .set = -1, .hi = UINT16_MAX, .count = count };
	CHECK_STR(text_of(print_view, t.rs),
		  "00100 12345  1 allow ip from any to any\n"
		  "00110     0  0 check-state :default\n"
		  "65535     7 99 deny ip from any to any\n");
	view = (struct ipfw_view){ .set = -1, .hi = UINT16_MAX, .sets = true, .accept = true };
	CHECK_STR(text_of(print_view, t.rs),
		  "00100 set 0 allow ip from any to any\n"
		  "00110 set 0 check-state :default\n"
		  "# DISABLED 00120 set 2 deny tcp from any to any 23\n"
		  "65535 set 31 allow ip from any to any\n");
}

TEST(compact_and_actions)
{
	start("add 100 pass all from any to any via lo0\nadd 200 deny ip from any to any 80\n"
	      "add 300 skipto 400 tcp from me to any // out\n");
	view = (struct ipfw_view){ .set = -1, .hi = 65534, .compact = true };
	CHECK_STR(text_of(print_view, t.rs),
		  "00100 allow via lo0\n00200 deny ip from any to any 80\n"
		  "00300 skipto 400 tcp from me to any // out\n");
	view = (struct ipfw_view){ .set = -1, .lo = 200, .hi = 300, .actions = true };
	CHECK_STR(text_of(print_view, t.rs), "00200 deny\n00300 skipto 400 // out\n");
}

TEST(parents_of_limits)
{
	static const char rule[] =
		"00020 allow tcp from any to me 22 setup limit src-addr 2 :default";
	const struct ipfw_dynamic dynamic[] = {
		{ rule, PROTO_TCP, addr_v4(7, 7, 7, 7), addr_v4(198, 51, 100, 2), 1, 22, 20 },
		{ rule, PROTO_TCP, addr_v4(7, 7, 7, 8), addr_v4(198, 51, 100, 2), 3, 22, 19 },
		{ rule, PROTO_TCP, addr_v4(7, 7, 7, 7), addr_v4(198, 51, 100, 2), 2, 22, 18 },
		{ "00030 gone", PROTO_TCP, addr_v4(1, 1, 1, 1), addr_v4(2, 2, 2, 2), 2, 2, 1 },
	};

	start("add 20 allow tcp from any to me 22 setup limit src-addr 2\n");
	view = (struct ipfw_view){ .set = -1, .lo = 20, .hi = 20, .dynamic = dynamic,
				   .n_dynamic = ARRAY_SIZE(dynamic) };
	CHECK_STR(text_of(print_view, t.rs),
		  "00020 allow tcp from any to me 22 setup limit src-addr 2 :default\n"
		  "00020 PARENT 2 tcp 7.7.7.7 0 <-> 0.0.0.0 0 :default\n"
		  "00020 PARENT 1 tcp 7.7.7.8 0 <-> 0.0.0.0 0 :default\n"
		  "00020 LIMIT tcp 7.7.7.7 1 <-> 198.51.100.2 22 :default\n"
		  "00020 LIMIT tcp 7.7.7.8 3 <-> 198.51.100.2 22 :default\n"
		  "00020 LIMIT tcp 7.7.7.7 2 <-> 198.51.100.2 22 :default\n");
}

static const char *found;

static void print_lookup(const struct ipfw_ruleset *rs, FILE *out)
{
	fprintf(out, "%d ", (int)ipfw_table_lookup(rs, "t", found, out));
}

TEST(the_longest_prefix_is_looked_up)
{
	start("table t add 10.0.0.0/8 1 10.1.0.0/16 2 0.0.0.0/0 3\n");
	found = "10.1.2.3";
	CHECK_STR(text_of(print_lookup, t.rs), "10.1.0.0/16 2\n0 ");
	found = "10.2.2.3";
	CHECK_STR(text_of(print_lookup, t.rs), "10.0.0.0/8 1\n0 ");
	found = "::1";
	CHECK_STR(text_of(print_lookup, t.rs), "2 ");
}

TEST(one_set_only)
{
	start("add 100 set 1 allow ip from any to any\nadd 100 set 2 deny ip from any to any\n"
	      "add 200 set 1 count ip from any to any\nset 1 delete 100\nset 2 flush\n");
	CHECK_STR(text_of(print_list, t.rs), "00200 set 1 count ip from any to any\n"
		  "65535 set 31 deny ip from any to any\n");
}
