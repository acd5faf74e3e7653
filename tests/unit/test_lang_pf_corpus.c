/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real files and random ones: whatever is in them, the parser comes back, and
 * what it tells points into its texts.
 */
#include <dirent.h>
#include <setjmp.h>

#include "model/policy.h"
#include "target/nft.h"
#include "test_lang_pf.h"

/* Files that do not become nftables rules: the first error, and why that is so */
static const struct {
	const char *file;
	const char *code;
	const char *why;
} refused[] = {
	{ "5tep-pf.conf", "E1313", "a redirect to 127/8, which Linux sends nowhere" },
	{ "doc-nanoclaw-jail.conf", "E1211", "a table holds a host's name; nobody is asked here" },
	{ "dtxdf-littlejet-wg.conf", "E1001", "a table's file is not there" },
	{ "freshports-hostinit.conf", "E1313", "a redirect to 127/8, which Linux sends nowhere" },
	{ "jwfh-init.conf", "E1001", "a table's file is not there" },
	{ "mandrilux.conf", "E1001", "a table's file is not there" },
	{ "ajf-vultr.conf", "E1212", "OpenBSD's user _pbuild is not on FreeBSD" },
	{ "avx0.conf", "E1212", "OpenBSD's user _pbuild is not on FreeBSD" },
	{ "jimcoggeshall.conf", "E1212", "OpenBSD's user _pbuild is not on FreeBSD" },
	{ "mcansky.conf", "E1308", "an interface of its host is not there" },
	{ "cbsd.pf.conf", "E1001", "the files that it includes are not there" },
	{ "pf0038.in", "E1316", "who owns a socket is not known in both directions" },
	{ "pf0039.in", "E1316", "who owns a socket is not known in both directions" },
	{ "pf0041.in", "E1316", "who owns a socket is not known in both directions" },
	{ "pf0081.in", "E1701", "a route is looked for in incoming packets only" },
	{ "pf0082.in", "E1701", "a route is looked for in incoming packets only" },
	{ "pf0091.in", "E1316", "who owns a socket is not known in both directions" },
	{ "pf0097.in", "E1316", "no divert sockets" },
	{ "pf1005.in", "E1316", "nftables cannot choose another way for a packet" },
	{ "pf1024.in", "E1331", "af-to: nothing translates families" },
	{ "pf1026.in", "E1316", "nftables cannot choose another way for a packet" },
	{ "pf1027.in", "E1316", "nftables cannot choose another way for a packet" },
	{ "pf1033.in", "E1312", "FreeBSD refuses it too" },
	{ "pf1043.in", "E1312", "FreeBSD refuses it too" },
	{ "pf1047.in", "E1312", "FreeBSD refuses it too" },
	{ "pf1056.in", "E1331", "af-to: nothing translates families" },
	{ "pf1057.in", "E1308", "FreeBSD refuses it too, without the interface" },
	{ "pf1058.in", "E1308", "FreeBSD refuses it too, without the interface" },
	{ "pf1062.in", "E1308", "FreeBSD refuses it too, without the interface" },
	{ "pf1069.in", "E1316", "packets are whole when rules see them" },
	{ "pf1072.in", "E1204", "FreeBSD refuses it too" },
	{ "pf1073.in", "E1316", "nftables cannot choose another way for a packet" },
	{ "pf1074.in", "E1316", "nftables cannot choose another way for a packet" },
	{ "pf1076.in", "E1316", "limiters of FreeBSD 16 are not in this version" },
	{ "pf1077.in", "E1316", "limiters of FreeBSD 16 are not in this version" },
};

static const char *refused_code(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (strcmp(refused[i].file, name) == 0) {
			CHECK(strlen(refused[i].why) > 10);
			return refused[i].code;
		}
	return NULL;
}

static const char *first_error(const struct pf_test *t)
{
	for (uint32_t i = 0; i < t->diags.list.n; i++)
		if (diag_codes[t->diags.list.v[i].code].severity == DIAG_ERROR)
			return diag_codes[t->diags.list.v[i].code].name;
	return NULL;
}

/* Down to the program, as `compile --to nft` does it */
static void to_nft(struct pf_test *t)
{
	struct policy_options policy = { 0 };
	struct nft_options options;

	if (t->diags.n_errors > 0)
		return;
	policy_add(&t->model, &policy, &t->diags);
	nft_options_init(&options);
	if (t->diags.n_errors == 0)
		CHECK((nft_program_from_model(&t->model, &options, &t->diags) == NULL) ==
		      (t->diags.n_errors > 0));
}

/* The normal form of whatever can be parsed, also where the model refused it */
static void norm(struct pf_test *t, uint32_t src)
{
	static char room[1 << 20];
	const uint32_t n_before = t->diags.n_errors;
	FILE *out;

	t->diags.list.n = t->diags.n_errors = 0;
	out = fmemopen(room, sizeof(room), "w");
	if (CHECK(out != NULL)) {
		const struct pf_file *f = pf_parse(&t->c, &t->decl, &src, 1);

		if (t->diags.n_errors == 0 &&
		    !pf_norm_form(&t->c, f, &t->facts, &t->options, out))
			CHECK(t->diags.n_errors > 0);
		fclose(out);
	}
	t->diags.n_errors += n_before;
}

/* Compile within a capped arena; what was told and made is checked */
static void compile(struct pf_test *t, uint32_t src)
{
	jmp_buf full;

	t->a.full = &full;
	if (setjmp(full) != 0) {
		t->a.full = NULL;
		CHECK(t->a.used_bytes > 0);
		return;
	}
	pf_test_compile(t, src);
	pf_test_spans(t);
	norm(t, src);
	t->a.full = NULL;
	pf_test_spans(t);
}

/* The interfaces of the corpus: "em0 0x8843 inet 198.51.100.7/24 ..." */
static void corpus_ifaces(struct pf_test *t, const char *dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/INTERFACES", dir);
	pf_test_ifaces_file(t, path);
}

/* The first error of a real file on its way to nftables, or NULL */
static const char *error_of(const char *dir, const char *path)
{
	struct pf_test t;
	const char *code;
	uint32_t src;

	pf_test_init(&t);
	corpus_ifaces(&t, dir);
	if (CHECK_INT(sources_read(&t.sources, path, &src), 0) && pf_test_compile(&t, src))
		to_nft(&t);
	code = first_error(&t);
	pf_test_fini(&t);
	return code;
}

static void one_file(const char *dir, const char *name)
{
	struct pf_test t;
	char path[4096];
	uint32_t src;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	pf_test_init(&t);
	corpus_ifaces(&t, dir);
	if (CHECK_INT(sources_read(&t.sources, path, &src), 0))
		compile(&t, src);
	CHECK_STR(error_of(dir, path), refused_code(name));
	if (unit.n_failed > 0)
		unit_detail("    # after %s\n", path);
	pf_test_fini(&t);
}

static void corpus_dir(const char *name, const char *ending, int least)
{
	const char *corpus = getenv("SALLYPORT_CORPUS");
	struct dirent **list = NULL;
	int n, n_files = 0;
	char dir[2048];

	if (corpus == NULL)
		UNIT_SKIP("../shared absent");
	snprintf(dir, sizeof(dir), "%s/%s", corpus, name);
	n = scandir(dir, &list, NULL, alphasort);
	if (n < 0)
		UNIT_SKIP("../shared absent");
	for (int i = 0; i < n; i++) {
		const char *dot = strrchr(list[i]->d_name, '.');

		if (dot != NULL && strcmp(dot, ending) == 0) {
			one_file(dir, list[i]->d_name);
			n_files++;
		}
		free(list[i]);
	}
	free(list);
	CHECK(n_files >= least);
}

TEST(real_hosts)
{
	corpus_dir("pf", ".conf", 40);
}

TEST(pfctl_regress)
{
	corpus_dir("pfctl", ".in", 80);
}

TEST(newer_syntax)
{
	corpus_dir("pf-openbsd", ".conf", 1);
}

TEST(tool_forms)
{
	corpus_dir("pf-toolforms", ".conf", 1);
}

/* ---- random --------------------------------------------------------------- */

static const char *const pieces[] = {
	"{", "}", "(", ")", ",", "!", "=", "<", ">", "->", "!=", "<=", ">=", "><", "<>", "/", "-",
	"\n", "\n", "\n", "\\\n", "# c\n", "\"", "'", "$m", "$l", "$x", "10.0.0.1", "10/8",
	"2001:db8::1",
	"igb0", "lo", "em9", "igb0:network", "igb0:0", "80", "80:90", "70000", "http", "tcp", "udp",
	"icmp", "echoreq", "S/SA", "<t>", "(igb0)", "self", "yes", "\xff", "a - b", "0",
	"99999999999",
	"pass in", "block out", "rdr on igb0", "nat on igb0", "-> 10.0.0.1", "port 80", "from any",
	"m = \"10.0.0.1\"\n", "l = \"{ a b }\"\n", "table <t> { 10/8 !10.1/16 }\n",
	"set skip on lo\n",
};

TEST(random_words)
{
	for (int i = 0; i < 3000; i++) {
		struct pf_test t;
		const char *text;

		pf_test_init(&t);
		pf_test_iface(&t, "igb0 203.0.113.2/24 2001:db8::2/64");
		text = langkit_words(&t.a, unit_below(60), pieces, ARRAY_SIZE(pieces),
				     pf_words());
		compile(&t, sources_add(&t.sources, "random", text, (uint32_t)strlen(text),
					SPAN_NONE));
		if (unit.n_failed > 0) {
			unit_detail("    # after: %s\n", text);
			pf_test_fini(&t);
			return;
		}
		pf_test_fini(&t);
	}
}

/* Any file that is right, cut or changed anywhere */
TEST(broken_files)
{
	static const char text[] =
		"web = \"{ 80 443 }\"\nset skip on lo\nset limit { states 1000, frags 10 }\n"
		"table <lan> const { 10/8, !10.1/16, self }\nscrub in all fragment reassemble\n"
		"no nat on igb0 from any to 10/8\nnat pass on igb0 inet from <lan> -> (igb0:0) "
		"static-port\n"
		"rdr log on igb0 proto { tcp udp } to igb0 port 2000:2010 -> 10.0.0.1 port 3000:*\n"
		"block return-icmp(host-unr, 1) in log (all) quick on ! igb0 inet6 all\n"
		"pass out proto tcp from any port { 1:9 > 1024 } to ! <lan> port $web \\\n"
		"\tflags S/SA keep state label \"web\"\n"
		"pass in inet proto icmp icmp-type { echoreq, unreach code 4 }\n"
		"antispoof log quick for { lo0 (igb0) } inet\n";
	char buf[sizeof(text)];

	for (int i = 0; i < 4000; i++) {
		struct pf_test t;
		uint32_t len = sizeof(text) - 1;

		memcpy(buf, text, sizeof(text));
		if (i < (int)len)
			len = (uint32_t)i;
		else
			for (uint64_t n = 1 + unit_below(4); n > 0; n--)
				buf[unit_below(len)] = "{}()<>!=\n\"'#$\\:a0 ,/-"[unit_below(22)];
		pf_test_init(&t);
		pf_test_iface(&t, "igb0 203.0.113.2/24 2001:db8::2/64");
		compile(&t, sources_add(&t.sources, "broken", buf, len, SPAN_NONE));
		pf_test_fini(&t);
		if (unit.n_failed > 0) {
			unit_detail("    # after: %.*s\n", (int)len, buf);
			return;
		}
	}
}

TEST(memory_limit)
{
	struct pf_test t;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fputs("table <t> { ", f);
	for (int i = 0; i < 1000000; i++)
		fprintf(f, "10.%d.%d.%d ", i >> 16, i >> 8 & 255, i & 255);
	fputs("}\n", f);
	fclose(f);
	pf_test_init(&t);
	compile(&t, sources_add(&t.sources, "large", text, (uint32_t)len, SPAN_NONE));
	CHECK(t.a.used_bytes <= LIMIT_ARENA_BYTES);
	free(text);
	pf_test_fini(&t);
}
