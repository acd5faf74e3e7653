/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The normal form and fmt, held against what FreeBSD's own pfctl printed of
 * its regression tests and of real hosts, and against themselves.
 */
#include <dirent.h>

#include "test_lang_pf.h"

/*
 * Where we differ from pfctl, and why:
 *
 * - Names of anchors are printed whole.  pfctl of FreeBSD 12 with -n prints
 *   the last part behind a slash ("/b" for "a/b", "/" and "*" for any "x" and
 *   "*"), which read again would be another anchor.  shorten() does the same
 *   to ours before the comparison.
 * - A probability stands behind the options of the state.  pfctl puts it between
 *   "keep state" and them, where it does not read it again.
 */
static const struct {
	const char *file;
	const char *why;
} differences[] = {
	{ "doc-nanoclaw-jail.conf", "a table holds a host's name, and names are not resolved" },
};

/* pf1076.in and pf1077.in: FreeBSD takes them, and no form is there to compare */
#define N_NO_FORM	2

static bool is_listed(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(differences); i++)
		if (strcmp(differences[i].file, name) == 0)
			return true;
	return false;
}

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t len = 0;

	if (f == NULL)
		return NULL;
	if (getdelim(&text, &len, '\0', f) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(f);
	return text;
}

/* Each 'anchor "a/b"' as pfctl 12 prints it: 'anchor "/b"' */
static void shorten(char *text)
{
	char *to = text;

	for (char *s = text; *s != '\0';) {
		char *end, *slash;

		if (strncmp(s, "anchor \"", 8) != 0) {
			*to++ = *s++;
			continue;
		}
		memmove(to, s, 8);
		to += 8;
		s += 8;
		end = strchr(s, '"');
		if (end == NULL)
			continue;
		slash = memrchr(s, '/', (size_t)(end - s));
		if (slash != NULL)
			s = slash;
	}
	*to = '\0';
}

static void norm_init(struct pf_test *t, const char *dir)
{
	char path[4096];

	pf_test_init(t);
	facts_clear(&t->facts);
	snprintf(path, sizeof(path), "%s/INTERFACES", dir);
	pf_test_ifaces_file(t, path);
	/* FreeBSD's test scripts make these as they run */
	if (strstr(dir, "pfctl") != NULL) {
		pf_test_iface(t, "vlan1057 inet 203.0.113.5/24");
		pf_test_iface(t, "vlan1058 inet 203.0.113.5/24");
		pf_test_iface(t, "vlan1062 inet6 2001:db8::cb00:7105/64");
	}
	t->options.tolerate_missing = false;
}

/* The normal form of a text, to be freed; NULL when it is refused */
static char *norm_of(struct pf_test *t, uint32_t src)
{
	const struct pf_file *f = pf_parse(&t->c, &t->decl, &src, 1);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const bool ok = t->diags.n_errors == 0 &&
			pf_norm_form(&t->c, f, &t->facts, &t->options, out);

	fclose(out);
	CHECK(ok == (t->diags.n_errors == 0));
	if (ok)
		return text;
	free(text);
	return NULL;
}

static char *norm_text(const char *dir, const char *text)
{
	struct pf_test t;
	char *form;

	norm_init(&t, dir);
	form = norm_of(&t, sources_add(&t.sources, "text.conf", text, (uint32_t)strlen(text),
				       SPAN_NONE));
	if (form == NULL) {
		char *told = langkit_told(&t.diags);

		unit_detail("    # refused: %s\n", told);
		free(told);
	}
	pf_test_fini(&t);
	return form;
}

static char *fmt_text(const char *text)
{
	char *done = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&done, &len);

	pf_fmt(text, (uint32_t)strlen(text), out);
	fclose(out);
	return done;
}

static void same(const char *what, const char *got, const char *want)
{
	if (got != NULL && strcmp(got, want) == 0)
		return;
	unit_detail("    # %s differs\n", what);
	CHECK_STR(got, want);
}

/* Whatever it is compared with: fixed points, and the same meaning after fmt */
static void fixed_points(const char *dir, const char *text, const char *form)
{
	char *again = norm_text(dir, form);
	char *once = fmt_text(text), *twice = fmt_text(once);
	char *form_of_fmt = norm_text(dir, once);

	same("the normal form of the normal form", again, form);
	same("fmt of fmt", twice, once);
	same("the normal form of fmt", form_of_fmt, form);
	free(again);
	free(once);
	free(twice);
	free(form_of_fmt);
}

struct count {
	int files;
	int equal;
	int refused;
};

static bool read_want(const char *dir, const char *stem, const char *ending, char **ret)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s%s", dir, stem, ending);
	*ret = slurp(path);
	return *ret != NULL;
}

static void one_file(const char *dir, const char *name, struct count *n)
{
	char path[4096], stem[256], *text, *form, *want = NULL;
	struct pf_test t;
	uint32_t src;
	bool refuse;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(stem, sizeof(stem), "%.*s", (int)(strrchr(name, '.') - name), name);
	refuse = read_want(dir, stem, ".fail", &want) || read_want(dir, stem, ".err", &want);
	if (refuse)
		free(want);
	norm_init(&t, dir);
	if (!CHECK_INT(sources_read(&t.sources, path, &src), 0))
		return;
	text = slurp(path);
	form = norm_of(&t, src);
	n->files++;
	n->refused += form == NULL;
	if (!is_listed(name) && !CHECK((form == NULL) == refuse)) {
		char *told = langkit_told(&t.diags);

		unit_detail("    # %s: %s\n", path, told);
		free(told);
	} else if (form != NULL && (read_want(dir, stem, ".ok", &want) ||
				    read_want(dir, stem, ".norm", &want))) {
		char *ours = strdup(form);

		fixed_points(dir, text, form);
		shorten(ours);
		same(path, ours, want);
		n->equal += strcmp(ours, want) == 0;
		free(ours);
		free(want);
	}
	free(text);
	free(form);
	pf_test_fini(&t);
}

static void whole_dir(const char *name, const char *ending, int least)
{
	const char *corpus = getenv("SALLYPORT_CORPUS");
	struct dirent **list = NULL;
	struct count count = { 0 };
	char dir[2048];
	int n;

	if (corpus == NULL)
		UNIT_SKIP("../shared absent");
	snprintf(dir, sizeof(dir), "%s/%s", corpus, name);
	n = scandir(dir, &list, NULL, alphasort);
	if (n < 0)
		UNIT_SKIP("../shared absent");
	for (int i = 0; i < n; i++) {
		const char *dot = strrchr(list[i]->d_name, '.');

		if (dot != NULL && strcmp(dot, ending) == 0)
			one_file(dir, list[i]->d_name, &count);
		free(list[i]);
	}
	free(list);
	/* All but those that are refused, listed, or have no form to compare */
	CHECK(count.equal >= least);
	CHECK(count.equal + count.refused + N_NO_FORM >= count.files);
}

TEST(pfctl_regress)
{
	whole_dir("pfctl", ".in", 80);
}

TEST(real_hosts)
{
	whole_dir("pf", ".conf", 45);
}

/* ---- without the corpus --------------------------------------------------- */

static const struct {
	const char *text;
	const char *form;
} forms[] = {
	{ "pass", "pass all flags S/SA keep state\n" },
	{ "a = 1 2\n", "a = \"1 2\"\n" },
	{ "block in from !10.0.0.9/8", "block drop in inet from ! 10.0.0.0/8 to any\n" },
	{ "pass in proto { udp tcp } to port { 22 > 1024 }",
	  "pass in proto udp from any to any port = ssh keep state\n"
	  "pass in proto udp from any to any port > 1024 keep state\n"
	  "pass in proto tcp from any to any port = ssh flags S/SA keep state\n"
	  "pass in proto tcp from any to any port > 1024 flags S/SA keep state\n" },
	{ "pass in proto tcp keep state (max 100, max-src-conn-rate 5/30, overload <b> flush)",
	  "pass in proto tcp all flags S/SA keep state (max 100, source-track rule, "
	  "max-src-conn-rate 5/30, overload <b> flush, adaptive.start 60, adaptive.end 120, "
	  "src.track 30)\n" },
	{ "set state-policy if-bound\npass in\n",
	  "set state-policy if-bound\npass in all flags S/SA keep state (if-bound)\n" },
	{ "nat on em0 from 10/8 to any -> { 192.0.2.1, 192.0.2.2 } port 1024:65535 sticky-address",
	  "nat on em0 inet from 10.0.0.0/8 to any -> { 192.0.2.1, 192.0.2.2 } port 1024:65535 "
	  "round-robin sticky-address\n" },
	{ "binat on em0 from 10.0.0.2 to any -> 192.0.2.2",
	  "binat on em0 inet from 10.0.0.2 to any -> 192.0.2.2\n" },
	{ "pass out probability 12.5%", "pass out all flags S/SA keep state probability 12.5%\n" },
	{ "pass out route-to { (em0 192.0.2.1), (em1 192.0.2.2) } round-robin inet",
	  "pass out route-to { (em0 192.0.2.1), (em1 192.0.2.2) } round-robin inet all "
	  "flags S/SA keep state\n" },
	{ "match in scrub (no-df max-mss 1400)", "match in all scrub (no-df max-mss 1400)\n" },
	{ "scrub in min-ttl 5 random-id",
	  "scrub in all random-id min-ttl 5 fragment reassemble\n" },
	{ "anchor x quick\n", "anchor \"x\" quick all\n" },
	{ "anchor \"x\" in quick on em0 {\npass\n}\n",
	  "anchor \"x\" in quick on em0 all {\n  pass all flags S/SA keep state\n}\n" },
	{ "anchor {\n}\n", "anchor all {\n}\n" },
	{ "rdr-anchor \"r/*\" on em0\nnat-anchor n\n",
	  "nat-anchor \"n\" all\nrdr-anchor \"r/*\" on em0 all\n" },
	{ "pass proto tcp user { < 1000, unknown } group 1 >< 9",
	  "pass proto tcp all user < 1000 group 1 >< 9 flags S/SA keep state\n"
	  "pass proto tcp all user = unknown group 1 >< 9 flags S/SA keep state\n" },
	{ "pass in rtable 3 tag A ! tagged B label \"$if:$nr\" ridentifier 7",
	  "pass in all flags S/SA keep state label \"any:0\" ridentifier 7 tag A ! tagged B "
	  "rtable 3\n" },
	{ "pass in on em0 inet rdr-to 10.0.0.1 port 80",
	  "pass in on em0 inet all flags S/SA keep state rdr-to 10.0.0.1 port 80\n" },
	{ "table <t> persist counters { } file \"/a\"\n",
	  "table <t> persist counters file \"/a\"\n" },
	{ "pass in proto udp to port 1 >< 9", "pass in proto udp from any to any port 1 >< 9 "
	  "keep state\n" },
};

TEST(forms)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		char *form = norm_text("", forms[i].text);

		same(forms[i].text, form, forms[i].form);
		if (form != NULL)
			fixed_points("", forms[i].text, form);
		free(form);
	}
}

static const char *const refusals[] = {
	"anchor x quick out", "anchor x log", "anchor", "nat-anchor x {\n}\n",
	"anchor x {\nnat on em0 from any to any -> "
	"192.0.2.1\n}\n", "anchor x {\npass\n", "block route-to (em0 192.0.2.1)",
	"pass keep state keep state", "pass in keep state (max 0)",
	"pass in keep state (overload <t>)", "binat on em0 from { 10.0.0.1 10.0.0.2 } to any -> "
	"192.0.2.1", "binat on em0 from any to any -> 192.0.2.1",
	"nat on em0 from any to any -> { 192.0.2.1 192.0.2.2 } random",
	"nat on em0 from any to any -> 192.0.2.0/28 random bitmask", "pass in probability 101%",
	"pass in tos 300", "pass in divert-reply", "pass in log (to em0)",
	"set hostid 0", "load anchor x", "queue", "state limiter x limit 3",
	"pass in proto tcp from any port 500:100", "pass in proto tcp user frodo",
	"pass in inet6 from 10.0.0.1", "set syncookies adaptive (start", "label", "pass ! quick",
};

TEST(refusals)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct pf_test t;
		char *form;

		norm_init(&t, "");
		form = norm_of(&t, sources_add(&t.sources, "text.conf", refusals[i],
					       (uint32_t)strlen(refusals[i]), SPAN_NONE));
		if (!CHECK(form == NULL))
			unit_detail("    # taken: %s\n", refusals[i]);
		pf_test_spans(&t);
		free(form);
		pf_test_fini(&t);
	}
}

static const struct {
	const char *text;
	const char *done;
} formatted[] = {
	{ "", "" },
	{ "\n\n# a  \n\n\n\npass\n\n", "# a\n\npass\n" },
	{ "m=\"a  b\"  # why\n", "m = \"a  b\" # why\n" },
	{ "pass  in on $m:network from ( em0:0 ) to !<t>\n",
	  "pass in on $m:network from (em0:0) to ! <t>\n" },
	{ "pass in from 10/8 port {1,2  3}to any flags S/SA\n",
	  "pass in from 10/8 port { 1, 2 3 } to any flags S/SA\n" },
	{ "block \\\n   in \\\n all\n", "block \\\n\tin \\\n\tall\n" },
	{ "table <t> {\n10/8 # x\n  }\n", "table <t> {\n\t10/8 # x\n}\n" },
	{ "anchor x {\n  pass\n anchor y {\nblock\n}\n}\npass\n",
	  "anchor x {\n\tpass\n\tanchor y {\n\t\tblock\n\t}\n}\npass\n" },
	{ "pass to port >1\npass to port 1><9\n", "pass to port > 1\npass to port 1 >< 9\n" },
	{ "pass", "pass\n" },
};

TEST(formatted)
{
	for (size_t i = 0; i < ARRAY_SIZE(formatted); i++) {
		char *once = fmt_text(formatted[i].text), *twice = fmt_text(once);

		CHECK_STR(once, formatted[i].done);
		CHECK_STR(twice, once);
		free(once);
		free(twice);
	}
}
