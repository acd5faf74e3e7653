/* SPDX-License-Identifier: BSD-2-Clause */
#include "ns.h"
#include "unit.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <linux/netfilter.h>
#include <linux/netlink.h>

#include "nl/nft.h"
#include "target/nft/program.h"
#include "test_nft.h"

/* What a command of the tests prints; freed by the caller */
static char *run(const char *command)
{
	FILE *p = popen(command, "r");
	char *out = NULL;
	size_t len = 0, n;
	char buf[4096];

	if (p == NULL)
		return NULL;
	while ((n = fread(buf, 1, sizeof(buf), p)) > 0) {
		out = realloc(out, len + n + 1);
		memcpy(out + len, buf, n);
		len += n;
		out[len] = '\0';
	}
	if (pclose(p) != 0) {
		free(out);
		return NULL;
	}
	return out != NULL ? out : strdup("");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Put the elements of one set, from after "{" to before "}", in order */
static void sort_elements(char *from, char *to)
{
	char *copy = strndup(from, (size_t)(to - from)), *items[64], *rest = copy, *at = from;
	size_t n = 0;

	while (n < ARRAY_SIZE(items) && (items[n] = strsep(&rest, ",")) != NULL) {
		size_t len;

		items[n] += strspn(items[n], " \t\n");
		len = strlen(items[n]);
		while (len > 0 && strchr(" \t\n", items[n][len - 1]) != NULL)
			items[n][--len] = '\0';
		n++;
	}
	if (rest == NULL) {
		qsort(items, n, sizeof(*items), by_text);
		memset(from, ' ', (size_t)(to - from));
		for (size_t i = 0; i < n; i++) {
			memcpy(at, items[i], strlen(items[i]));
			at += strlen(items[i]) + 1;
			if (i + 1 < n)
				at[-1] = ',';
		}
	}
	free(copy);
}

/*
 * All that the kernel holds.  nft leaves sets of flag combinations in the order
 * of a hash whose seed is random.
 */
static char *listing(void)
{
	char *text = run("nft -n list ruleset 2>&1");

	for (char *at = text; at != NULL && (at = strstr(at, "elements = { 0x")) != NULL; at++)
		sort_elements(at + strlen("elements = { "), strchr(at, '}'));
	return text;
}

/* Whether nft -f takes a text */
static bool nft_reads(const char *text, size_t len)
{
	FILE *p = popen("nft -f -", "w");

	if (p == NULL)
		return false;
	fwrite(text, 1, len, p);
	return pclose(p) == 0;
}

static uint32_t genid(struct nl_session *nl)
{
	uint32_t id = 0;

	CHECK_INT(nl_genid(nl, &id), 0);
	return id;
}

static char *text_of(const struct nft_program *p)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	nft_text(p, f);
	fclose(f);
	return text;
}

static void load_same_as_text(struct nl_session *nl, model_fn *build)
{
	struct fix f;
	struct nft_program *p;
	struct nft_changes changes = { .list = { .n = 0 } };
	char *by_netlink, *text, *by_text;
	bool changed = false;

	fix_init(&f);
	build(&f);
	p = fix_lower(&f);
	if (!CHECK(p != NULL))
		return;
	/* Chains that stay are listed where they were: begin with none */
	CHECK_INT(nft_destroy(nl, &changed), 0);
	CHECK_INT(nft_load(nl, p, &f.d, &changed), 0);
	CHECK(changed);
	by_netlink = listing();
	text = text_of(p);
	CHECK_INT(nft_destroy(nl, &changed), 0);
	CHECK(nft_reads(text, strlen(text)));
	by_text = listing();
	CHECK_STR(by_netlink, by_text);
	/* Not only shown alike: the same expressions */
	CHECK_INT(nft_diff(nl, p, &f.a, &changes), 0);
	CHECK_INT(changes.list.n, 0);
	if (changes.list.n > 0)
		CHECK_STR(changes.list.v[0].object, "");
	CHECK_INT(nft_load(nl, p, &f.d, &changed), 0);
	CHECK(!changed);
	free(by_netlink);
	free(by_text);
	free(text);
	fix_fini(&f);
}

TEST(netlink_and_text_give_the_same)
{
	struct nl_session nl;

	NS_FRESH();
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(test_models); i++)
		load_same_as_text(&nl, test_models[i].build);
	nl_close(&nl);
}

TEST(second_load_writes_nothing)
{
	struct nl_session nl;
	struct nft_program *p;
	bool changed = true;
	struct fix f;
	uint32_t before;

	NS_FRESH();
	fix_init(&f);
	model_web(&f);
	p = fix_lower(&f);
	if (!CHECK(p != NULL) || !CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(nft_load(&nl, p, &f.d, &changed), 0);
	CHECK(changed);
	before = genid(&nl);
	CHECK_INT(nft_load(&nl, p, &f.d, &changed), 0);
	CHECK(!changed);
	CHECK_INT(genid(&nl), before);
	nl_close(&nl);
	fix_fini(&f);
}

/* From each model to each other: what is left of the first must not be there */
TEST(one_model_after_another)
{
	struct nl_session nl;

	NS_FRESH();
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	for (size_t i = 0; i < 12; i++) {
		struct nft_changes changes = { .list = { .n = 0 } };
		struct nft_program *p;
		bool changed = false;
		struct fix f;

		fix_init(&f);
		test_models[unit_below(ARRAY_SIZE(test_models))].build(&f);
		p = fix_lower(&f);
		if (!CHECK(p != NULL))
			return;
		CHECK_INT(nft_load(&nl, p, &f.d, &changed), 0);
		CHECK_INT(nft_diff(&nl, p, &f.a, &changes), 0);
		CHECK_INT(changes.list.n, 0);
		fix_fini(&f);
	}
	nl_close(&nl);
}

TEST(saved_listing_loads_again)
{
	struct nl_session nl;

	NS_FRESH();
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(test_models); i++) {
		char *before, *after;
		bool changed;
		struct fix f;

		fix_init(&f);
		test_models[i].build(&f);
		CHECK_INT(nft_load(&nl, fix_lower(&f), &f.d, &changed), 0);
		before = listing();
		CHECK_INT(nft_destroy(&nl, &changed), 0);
		CHECK(nft_reads(before, strlen(before)));
		after = listing();
		CHECK_STR(after, before);
		free(before);
		free(after);
		fix_fini(&f);
	}
	nl_close(&nl);
}

TEST(user_text_cannot_inject)
{
	static const char *const evil[] = {
		"\"; } } table ip evil { chain x { accept } } #", "a\nflush ruleset\n",
		"\\\" ; drop",
		"$evil @x * ; } {", "\xff\xfe\x80\x01\x7f", "comment \"x\" drop",
		("a very long text that goes on and on and on and on and on and on and on and on"
		 " and on and on and on and on and on until no kernel has room for it any more \""),
	};
	struct nl_session nl;

	NS_FRESH();
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(evil); i++) {
		char *text, *before, *after, *tables;
		struct nft_program *p;
		struct fix f;
		bool changed;

		fix_init_named(&f, evil[i]);
		model_web(&f);
		for (uint32_t l = 0; l < f.m.lists.n; l++)
			for (uint32_t r = 0; r < f.m.lists.v[l].rules.n; r++)
				f.m.lists.v[l].rules.v[r].origin.text = evil[i];
		p = fix_lower(&f);
		text = text_of(p);
		CHECK(nft_reads(text, strlen(text)));
		CHECK_INT(nft_load(&nl, p, &f.d, &changed), 0);
		CHECK(!changed);
		before = listing();
		CHECK_INT(nft_destroy(&nl, &changed), 0);
		CHECK(nft_reads(before, strlen(before)));
		after = listing();
		CHECK_STR(after, before);
		tables = run("nft list tables");
		CHECK_STR(tables, "table inet sallyport\ntable arp sallyport\n");
		CHECK_INT(nft_destroy(&nl, &changed), 0);
		free(text);
		free(before);
		free(after);
		free(tables);
		fix_fini(&f);
	}
	nl_close(&nl);
}

static const char foreign[] =
	"table ip other { chain c { type filter hook input priority 0; policy accept; "
	"ip saddr 10.0.0.1 drop comment \"mine\"\n}\n}\n"
	"table inet sallyport_not { set s { type ipv4_addr; elements = { 192.0.2.1 }\n}\n}\n";

TEST(other_tables_stay)
{
	struct nl_session nl;
	char *before, *after;
	bool changed;
	struct fix f;

	NS_FRESH();
	fix_init(&f);
	model_web(&f);
	if (!CHECK(nft_reads(foreign, strlen(foreign))) ||
	    !CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	before = run("nft -a -n list ruleset");
	CHECK_INT(nft_load(&nl, fix_lower(&f), &f.d, &changed), 0);
	after = run("nft -a -n list table ip other; nft -a -n list table inet sallyport_not");
	CHECK_STR(after, before);
	free(after);
	CHECK_INT(nft_destroy(&nl, &changed), 0);
	CHECK(changed);
	after = run("nft -a -n list ruleset");
	CHECK_STR(after, before);
	CHECK_INT(nft_destroy(&nl, &changed), 0);
	CHECK(!changed);
	free(before);
	free(after);
	nl_close(&nl);
	fix_fini(&f);
}

/* Tables of ours in families that no program uses go too */
TEST(destroy_takes_all_families)
{
	static const char ours[] = "table ip sallyport { chain c { counter\n}\n}\n"
				   "table netdev sallyport { }\ntable bridge sallyport { }\n";
	struct nl_session nl;
	char *left;
	bool changed = false;

	NS_FRESH();
	if (!CHECK(nft_reads(ours, strlen(ours))) || !CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(nft_destroy(&nl, &changed), 0);
	CHECK(changed);
	left = listing();
	CHECK_STR(left, "");
	free(left);
	nl_close(&nl);
}

/* What a kernel without a feature would say, made with a rule that none takes */
static void add_refused_rule(struct nft_program *p, const struct origin *o)
{
	struct nft_chain *c = nft_add_base(p, NFT_INET, "late", "filter", NF_INET_POST_ROUTING,
					   300);
	struct nft_stmts s = { 0 };

	stmt_match(p, &s, NFT_K_L4PROTO, false, nft_value_num(NFT_T_PROTO, PROTO_TCP));
	stmt_reject(p, &s, NFT_R_RST, 0);
	nft_add_rule(p, c, &s, o);
}

TEST(refusal_leaves_the_old_program)
{
	struct nl_session nl;
	struct nft_program *p;
	struct origin o;
	char *before, *after;
	bool changed;
	struct fix f;

	NS_FRESH();
	fix_init(&f);
	model_web(&f);
	p = fix_lower(&f);
	o = fix_at(&f, 7, "block return out");
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(nft_load(&nl, p, &f.d, &changed), 0);
	before = listing();
	/* What comes before the rest, and what it may lead to */
	CHECK(nft_set_of(p, NFT_INET, NFT_T_IP4, fix_net(&f, "10.9.0.0/16"))->is_interval);
	CHECK(nft_add_chain(p, NFT_INET, "led_to") != NULL);
	add_refused_rule(p, &o);
	CHECK_INT(nft_load(&nl, p, &f.d, &changed), -EOPNOTSUPP);
	CHECK(fix_told(&f, DIAG_E1703));
	CHECK_INT(f.d.list.v[f.d.list.n - 1].at.lo, o.at.lo);
	after = listing();
	CHECK_STR(after, before);
	free(before);
	free(after);
	nl_close(&nl);
	fix_fini(&f);
}

TEST(refusal_for_another_reason)
{
	static const enum nft_type keys[] = { NFT_T_PORT };
	struct nl_session nl;
	struct nft_program *p;
	struct nft_set *map;
	bool changed;
	struct fix f;

	NS_FRESH();
	fix_init(&f);
	model_empty(&f);
	p = fix_lower(&f);
	map = nft_add_map(p, NFT_INET, "twice", keys, 1);
	map->datas[0] = NFT_T_MARK;
	map->n_datas = 1;
	for (uint8_t i = 0; i < 2; i++) {
		struct nft_elem *e = vec_push(&f.a, &map->elems);

		e->origin = NFT_NO_ORIGIN;
		e->key[1] = 80;
		e->data[0] = i;
	}
	nft_set_seal(map);
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(nft_load(&nl, p, &f.d, &changed), -EINVAL);
	CHECK(fix_told(&f, DIAG_E1704));
	nl_close(&nl);
	fix_fini(&f);
}

TEST(too_large_for_the_socket)
{
	const int small = 4096;
	struct nl_session nl;
	char *left;
	bool changed;
	struct fix f;

	NS_FRESH();
	fix_init(&f);
	model_web(&f);
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(setsockopt(nl.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	CHECK_INT(nft_load(&nl, fix_lower(&f), &f.d, &changed), -EINVAL);
	CHECK(fix_told(&f, DIAG_E1706));
	left = listing();
	CHECK_STR(left, "");
	free(left);
	nl_close(&nl);
	fix_fini(&f);
}

/* A look serves for a load until somebody else commits, and for another program too */
TEST(a_look_serves_until_others_commit)
{
	static model_fn *const builds[] = { model_web, model_answers, model_web };
	struct nl_session nl;

	NS_FRESH();
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	for (int meddles = 0; meddles < 2; meddles++) {
		for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
			struct nft_changes changes = { .list = { .n = 0 } };
			struct nft_look *look = NULL;
			struct nft_program *p;
			bool changed = false;
			struct fix f;

			fix_init(&f);
			builds[i](&f);
			p = fix_lower(&f);
			CHECK_INT(nft_look(&nl, i == 1 ? NULL : p, NULL, &f.a, &changes, &look), 0);
			if (meddles && i > 0)
				free(run("nft delete table inet sallyport"));
			CHECK_INT(nft_load_seen(&nl, p, look, NULL, &f.d, &changed), 0);
			CHECK(changed || i == 0);
			nft_look_free(look);
			CHECK_INT(nft_look(&nl, p, NULL, &f.a, &changes, &look), 0);
			CHECK_INT(changes.list.n, 0);
			if (meddles)
				free(run("nft delete table inet sallyport"));
			CHECK_INT(nft_load_seen(&nl, p, look, NULL, &f.d, &changed), 0);
			CHECK_INT(changed, meddles);
			nft_look_free(look);
			CHECK_INT(nft_diff(&nl, p, &f.a, &changes), 0);
			CHECK_INT(changes.list.n, 0);
			fix_fini(&f);
		}
	}
	nl_close(&nl);
}

TEST(differences_are_told)
{
	struct nl_session nl;
	struct nft_changes changes = { .list = { .n = 0 } };
	struct nft_program *p;
	bool changed;
	struct fix f;

	NS_FRESH();
	fix_init(&f);
	model_web(&f);
	p = fix_lower(&f);
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(nft_diff(&nl, NULL, &f.a, &changes), 0);
	CHECK_INT(changes.list.n, 0);
	CHECK_INT(nft_load(&nl, p, &f.d, &changed), 0);
	free(run("nft insert rule inet sallyport in_filter drop comment \\\"mine\\\""));
	CHECK_INT(nft_diff(&nl, p, &f.a, &changes), 0);
	CHECK_INT(changes.list.n, 1);
	CHECK_INT(changes.list.v[0].op, NFT_DELETE);
	CHECK_STR(changes.list.v[0].object, "rule inet sallyport in_filter: mine");
	CHECK_INT(nft_load(&nl, p, &f.d, &changed), 0);
	CHECK(changed);
	free(run("nft flush chain inet sallyport out_fence"));
	changes.list.n = 0;
	CHECK_INT(nft_diff(&nl, p, &f.a, &changes), 0);
	CHECK_INT(changes.list.n, 2);	/* the fence, and what may pass it */
	CHECK_INT(changes.list.v[0].op, NFT_ADD);
	CHECK_INT(changes.list.v[1].op, NFT_ADD);
	changes.list.n = 0;
	CHECK_INT(nft_diff(&nl, NULL, &f.a, &changes), 0);
	CHECK(changes.list.n > 2);
	CHECK_INT(changes.list.v[0].op, NFT_DELETE);
	nl_close(&nl);
	fix_fini(&f);
}

static void send_one(uint16_t port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(0x7f000001) },
	};
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK_INT(sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), 1);
	close(fd);
}

TEST(counters_by_origin)
{
	struct nft_counts counts = { .list = { .n = 0 } };
	struct nl_session nl;
	struct nft_program *p;
	struct rule *r;
	bool changed;
	struct fix f;

	NS_FRESH();
	free(run("ip link set lo up"));
	fix_init(&f);
	fix_enter(&f);
	r = fix_filter(&f, 1, "pass", ruling_pass(), false);
	rule_test(&f.m, r, F_DPORT, fix_num(&f, 9, 9));
	r = fix_filter(&f, 2, "other", ruling_pass(), false);
	rule_test(&f.m, r, F_DPORT, fix_num(&f, 10, 10));
	p = fix_lower(&f);
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(nft_load(&nl, p, &f.d, &changed), 0);
	for (int i = 0; i < 3; i++)
		send_one(9);
	CHECK_INT(nft_counters(&nl, p, &f.a, &counts), 0);
	if (CHECK_INT(counts.list.n, 1)) {
		CHECK_STR(counts.list.v[0].origin.text, "pass");
		/* Once out and once in, over lo */
		CHECK_INT(counts.list.v[0].packets, 6);
		CHECK_INT(counts.list.v[0].bytes, 6 * 29);
	}
	nl_close(&nl);
	fix_fini(&f);
}

static bool clear_all(void *arg UNUSED, const char *text UNUSED)
{
	return true;
}

TEST(merged_rules_count_each_for_itself)
{
	const struct nft_keep clear = { .always = true, .is_cleared = clear_all };
	struct nft_counts counts = { .list = { .n = 0 } };
	struct nl_session nl;
	struct nft_program *p;
	bool changed;
	struct fix f;

	NS_FRESH();
	free(run("ip link set lo up"));
	fix_init(&f);
	fix_enter(&f);
	for (uint32_t i = 0; i < 10; i++)
		rule_test(&f.m, fix_filter(&f, 1 + i, "pass", ruling_pass(), false), F_DPORT,
			  fix_num(&f, 5 + i, 5 + i));
	p = fix_lower(&f);
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(nft_load(&nl, p, &f.d, &changed), 0);
	for (int i = 0; i < 3; i++)
		send_one(9);
	CHECK_INT(nft_counters(&nl, p, &f.a, &counts), 0);
	if (CHECK_INT(counts.list.n, 1)) {
		CHECK(counts.list.v[0].origin.at.lo == fix_at(&f, 5, "").at.lo);
		/* Once out and once in, over lo */
		CHECK_INT(counts.list.v[0].packets, 6);
	}
	CHECK_INT(nft_reload(&nl, p, &clear, &f.d, &changed), 0);
	CHECK_INT(nft_counters(&nl, p, &f.a, &counts), 0);
	CHECK_INT(counts.list.n, 0);
	nl_close(&nl);
	fix_fini(&f);
}

/* A chain that a reload keeps has the handle that it had */
TEST(base_chains_are_kept)
{
	static const char handle[] =
		"nft -a list chain inet sallyport in_filter | grep 'chain in_'";
	struct nl_session nl;
	char *before, *after;
	bool changed;
	struct fix f, g;

	NS_FRESH();
	fix_init(&f);
	fix_init(&g);
	model_web(&f);
	model_answers(&g);
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(nft_load(&nl, fix_lower(&f), &f.d, &changed), 0);
	before = run(handle);
	CHECK_INT(nft_load(&nl, fix_lower(&g), &g.d, &changed), 0);
	after = run(handle);
	CHECK(before != NULL && strstr(before, "handle") != NULL);
	CHECK_STR(after, before);
	free(before);
	free(after);
	nl_close(&nl);
	fix_fini(&f);
	fix_fini(&g);
}

#define MANY	20000u

static void add_forwards(struct fix *f)
{
	struct rule *r;

	fix_enter(f);
	for (uint32_t i = 0; i < MANY; i++) {
		r = fix_xlate(f, f->rdr, 1 + i % 100, "rdr", (struct xlate){ .kind = XL_DST,
			      .port = XP_TO, .lo = 80 }, TO("192.168.100.2"), false);
		rule_test(&f->m, r, F_IFACE, fix_iface(f, "igb0"));
		rule_test(&f->m, r, F_PROTO, set_one(&f->a, PROTO_TCP));
		rule_test(&f->m, r, F_DST, fix_net(f, "203.0.113.2/32"));
		rule_test(&f->m, r, F_DPORT, fix_num(f, 1000 + i, 1000 + i));
	}
}

TEST(many_forwards_without_privilege)
{
	struct nl_session nl;
	bool changed;
	struct fix f;

	if (!ns_become_root() || unshare(CLONE_NEWNET) < 0)
		UNIT_SKIP("no user namespaces here");
	fix_init(&f);
	add_forwards(&f);
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(nft_load(&nl, fix_lower(&f), &f.d, &changed), 0);
	CHECK(changed);
	CHECK_INT(nft_load(&nl, fix_lower(&f), &f.d, &changed), 0);
	CHECK(!changed);
	nl_close(&nl);
	fix_fini(&f);
}

TEST(not_permitted)
{
	struct nl_session nl;
	bool changed = false;
	struct fix f;

	/* The namespace of the machine, of which a new user namespace is not the owner */
	if (geteuid() == 0 && !ns_become_root())
		UNIT_SKIP("no user namespaces here");
	fix_init(&f);
	model_web(&f);
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(nft_load(&nl, fix_lower(&f), &f.d, &changed), -EPERM);
	CHECK_INT(nft_destroy(&nl, &changed), -EPERM);
	CHECK(!changed);
	nl_close(&nl);
	fix_fini(&f);
}

/* Random ranges of the low and the high end of both families, also none and all of it */
static const struct set *random_table(struct arena *a)
{
	struct ranges rs = { .list = { .n = 0 } };

	for (uint64_t n = unit_below(6); n > 0; n--) {
		const uint8_t af = unit_below(4) > 0 ? AF_V4 : AF_V6;
		const u128 top = af == AF_V4 ? UINT32_MAX : ~(u128)0;
		const u128 lo = unit_below(24), hi = lo + unit_below(5);

		if (unit_below(2) > 0)
			ranges_add(a, &rs, af, lo, hi);
		else
			ranges_add(a, &rs, af, top - hi, top - lo);
	}
	return set_named(a, set_make(a, &rs), "made");
}

/* The @skip-th rule of a run left out, and the second its action changed */
static void load_run(struct nl_session *nl, uint32_t skip)
{
	struct nft_changes changes = { .list = { .n = 0 } };
	struct nft_program *p;
	struct fix f;
	bool changed;

	fix_init(&f);
	fix_enter(&f);
	for (uint32_t i = 0; i < 12; i++)
		if (i != skip)
			run_ranges(&f, fix_filter(&f, 1 + i, "pass", i == 2 && skip > 5
						  ? ruling_pass() : ruling_block(), true), 2 * i);
	p = fix_lower(&f);
	if (CHECK(p != NULL)) {
		CHECK_INT(nft_load(nl, p, &f.d, &changed), 0);
		CHECK_INT(nft_diff(nl, p, &f.a, &changes), 0);
		CHECK_INT(changes.list.n, 0);
	}
	fix_fini(&f);
}

TEST(merged_rules_change_by_their_elements)
{
	static const char handles[] = "nft -a list ruleset | grep 'vmap @verdicts'";
	char *first = NULL;

	NS_FRESH();
	struct nl_session nl CLEANUP(nl_close);

	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	for (uint32_t skip = 0; skip < 12; skip++) {
		char *now;

		load_run(&nl, skip);
		now = run(handles);
		if (!CHECK(now != NULL))
			break;
		if (first == NULL)
			first = strdup(now);
		CHECK(strlen(first) > 20);
		CHECK_STR(now, first);
		free(now);
	}
	free(first);
}

TEST(tables_change_by_their_elements)
{
	NS_FRESH();
	struct nl_session nl CLEANUP(nl_close);
	char *first = NULL;

	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	for (int i = 0; i < 60; i++) {
		static const char handles[] =
			"nft -a list ruleset | grep '@table' | sed 's/packets [0-9]*//'";
		struct nft_changes changes = { .list = { .n = 0 } };
		struct nft_program *p;
		struct rule *r;
		struct fix f;
		bool changed;
		char *now;

		fix_init(&f);
		fix_enter(&f);
		r = model_add_rule(&f.m, f.filter, (struct origin){ .text = "table" });
		rule_test(&f.m, r, F_SRC, random_table(&f.a));
		rule_prefer(&f.m, r, ruling_block());
		p = fix_lower(&f);
		if (!CHECK(p != NULL) || !CHECK_INT(nft_load(&nl, p, &f.d, &changed), 0))
			return;
		CHECK_INT(nft_diff(&nl, p, &f.a, &changes), 0);
		CHECK_INT(changes.list.n, 0);
		now = run(handles);
		if (first == NULL)
			first = strdup(now);
		CHECK(strlen(first) > 20);
		CHECK_STR(now, first);
		free(now);
		fix_fini(&f);
	}
	free(first);
}
