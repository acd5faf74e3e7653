/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pfctl would say of a mistake, which users search for and scripts match.
 */
#include <dirent.h>
#include <regex.h>

#include "test_lang_pf.h"

static void begin(struct pf_test *t)
{
	pf_test_init(t);
	pf_test_iface(t, "em0 203.0.113.2/24 2001:db8::2/64");
	pf_test_iface(t, "vtnet0 192.0.2.1/24");
	pf_test_iface(t, "vtnet1 198.51.100.1/24");
	pf_test_iface(t, "lo0 127.0.0.1/8 ::1/128");
	pf_test_iface(t, "lo1");
}

/* As `pfctl -nf -` would: parse, then what needs the whole rule; to be freed */
static char *said(struct pf_test *t, const char *text)
{
	const uint32_t src = sources_add(&t->sources, "pf.conf", text, (uint32_t)strlen(text),
					 SPAN_NONE);
	const struct pf_file *f = pf_parse(&t->c, &t->decl, &src, 1);
	char *out = NULL, *form = NULL;
	size_t len;
	FILE *s = open_memstream(&form, &len);

	model_init(&t->model, &t->a, &t->names, &t->facts);
	if (t->diags.n_errors == 0 && pf_norm_form(&t->c, f, &t->facts, &t->options, s))
		CHECK(pf_lower(&t->c, f, &t->facts, &t->decl, &t->options, &t->model) ||
		      t->diags.n_errors > 0);
	fclose(s);
	free(form);
	s = open_memstream(&out, &len);
	pf_freebsd_print(&t->diags, "pf.conf", s);
	fclose(s);
	return out;
}

#define SKIPPED	"pf.conf:1: skipping rule due to errors\n" \
	"pf.conf:1: rule expands to no valid combination\n"

static const struct {
	const char *text;
	const char *said;
} cases[] = {
	{ "pass\n", "" },
	{ "pass inn on em0\n", "pf.conf:1: syntax error\n" },
	{ "block all\npas in\n\npass fro any\n",
	  "pf.conf:2: syntax error\npf.conf:4: syntax error\n" },
	{ "pass in on $ext_if\n", "pf.conf:1: macro 'ext_if' not defined\n" },
	{ "pass in from \"a\n", "pf.conf:1: reached end of file while parsing quoted string\n" },
	{ "pass in to em9\n",
	  "no IP address found for em9\npf.conf:1: could not parse host specification\n" },
	{ "block all\npass in from lo1:network\n",
	  "no IP address found for lo1:network\n"
	  "pf.conf:2: could not parse host specification\n" },
	{ "pass in to 10.0.0.256\n",
	  "no IP address found for 10.0.0.256\npf.conf:1: could not parse host specification\n" },
	{ "pass in to 10.0.0.0/33\n", "pf.conf:1: could not parse host specification\n" },
	{ "pass in to www.example.org\n",
	  "no IP address found for www.example.org\n"
	  "pf.conf:1: could not parse host specification\n" },
	{ "pass in proto tcp to port htttp\n", "pf.conf:1: unknown port htttp\n" },
	{ "pass in proto tcp to port 70000\n", "pf.conf:1: illegal port value 70000\n" },
	{ "pass in proto tcp to port 500:100\n", "pf.conf:1: invalid port range\n" },
	{ "pass in proto tcp to port > 80:90\n",
	  "pf.conf:1: ':' cannot be used with an other port operator\n" },
	{ "pass in proto tpc\n", "pf.conf:1: unknown protocol tpc\n" },
	{ "pass in proto 300\n", "pf.conf:1: protocol outside range\n" },
	{ "pass in proto 0\n", "pf.conf:1: proto 0 cannot be used\n" },
	{ "pass in inet6 from 10.0.0.1\n",
	  "pf.conf:1: rule expands to no valid combination\n" },
	{ "pass in to port 80\n", "pf.conf:1: port only applies to tcp/udp\n" SKIPPED },
	{ "pass in proto icmp icmp-type echoreq\n",
	  "pf.conf:1: must indicate address family with icmp-type/code\n" SKIPPED },
	{ "pass in inet proto tcp icmp-type echoreq\n",
	  "pf.conf:1: icmp-type/code only applies to icmp\n" SKIPPED },
	{ "pass in inet6 proto icmp\n",
	  "pf.conf:1: proto icmp doesn't match address family inet6\n" SKIPPED },
	{ "block return-rst in proto udp\n",
	  "pf.conf:1: return-rst can only be applied to TCP rules\n" SKIPPED },
	{ "block in keep state\n",
	  "pf.conf:1: keep state is great, but only for pass rules\n" SKIPPED },
	{ "pass in proto udp flags S/SA\n", "pf.conf:1: flags only apply to tcp\n" },
	{ "pass in proto tcp flags SA/S\n", "pf.conf:1: flags always false\n" },
	{ "pass in proto tcp flags X/SA\n", "pf.conf:1: bad flags X\n" },
	{ "pass in inet proto icmp icmp-type echo\n", "pf.conf:1: unknown icmp-type echo\n" },
	{ "pass in inet6 proto icmp6 icmp6-type echo\n",
	  "pf.conf:1: unknown icmp6-type echo\n" },
	{ "pass in inet proto icmp icmp-type unreach code x\n",
	  "pf.conf:1: unknown icmp-code x\n" },
	{ "block return-icmp (nope) in\n", "pf.conf:1: unknown icmp code nope\n" },
	{ "block in\nnat on em0 from any to any -> 192.0.2.1\n",
	  "pf.conf:2: Rules must be in order: options, normalization, queueing, translation, "
	  "filtering\n" },
	{ "nat on em0 from 10/8 to any\n",
	  "pf.conf:1: translation rule requires '-> address'\n" },
	{ "no nat on em0 from 10/8 to any -> 192.0.2.1\n",
	  "pf.conf:1: translation rule with 'no' does not need '->'\n" },
	{ "rdr on em0 proto tcp from any to any port 80 -> 192.0.2.3 static-port\n",
	  "pf.conf:1: the 'static-port' option is only valid with nat rules\n" },
	{ "nat on em0 inet from any to any -> 2001:db8::1\n",
	  "pf.conf:1: no translation address with matching address family found.\n" },
	{ "nat on em0 from any to any -> { 192.0.2.1 192.0.2.2 } random\n",
	  "pf.conf:1: only round-robin valid for multiple redirection addresses\n" },
	{ "nat on em0 from any to any -> 192.0.2.0/28 random bitmask\n",
	  "pf.conf:1: pool type cannot be redefined\n" },
	{ "binat on em0 from 10.0.0.1 to any\n",
	  "pf.conf:1: 'binat' rule requires '-> address'\n" },
	{ "binat on em0 from { 10.0.0.1 10.0.0.2 } to any -> 192.0.2.1\n",
	  "pf.conf:1: multiple binat ip addresses\n" },
	{ "binat on em0 from 10.0.0.0/30 to any -> 192.0.2.0/29\n",
	  "pf.conf:1: 'binat' source mask and redirect mask must be the same\n" },
	{ "pass keep state keep state\n", "pf.conf:1: modulate or keep cannot be redefined\n" },
	{ "pass keep state (max 1, max 2)\n",
	  "pf.conf:1: state option 'max' multiple definitions\n" },
	{ "pass keep state (max-src-conn 0)\n", "pf.conf:1: 'max-src-conn' must be > 0\n" },
	{ "pass keep state (overload <t>)\n",
	  "pf.conf:1: 'overload' requires 'max-src-conn' or 'max-src-conn-rate'\n" },
	{ "pass proto tcp user frodo\n", "pf.conf:1: unknown user frodo\n" },
	{ "pass proto tcp group frodo\n", "pf.conf:1: unknown group frodo\n" },
	{ "pass proto tcp user > unknown\n",
	  "pf.conf:1: user unknown requires operator = or !=\n" },
	{ "pass tos 300\n", "pf.conf:1: illegal tos value 300\n" },
	{ "pass prio 9\n", "pf.conf:1: prio must be 0 - 7\n" },
	{ "pass probability x\n", "pf.conf:1: invalid probability: x\n" },
	{ "pass divert-reply\n",
	  "pf.conf:1: divert-reply has no meaning in FreeBSD pf(4)\n" },
	{ "pass log (to em0)\n", "pf.conf:1: em0: should be a pflog interface\n" },
	{ "anchor\n", "pf.conf:1: anchors without explicit rules must specify a name\n" },
	{ "block route-to (em0 192.0.2.1)\n",
	  "pf.conf:1: route-to, reply-to and dup-to are not supported on block rules\n" },
	{ "set optimization fast\n", "pf.conf:1: unknown optimization fast\n" },
	{ "set ruleset-optimization x\n", "pf.conf:1: unknown ruleset-optimization x\n" },
	{ "set require-order x\n", "pf.conf:1: invalid value 'x', expected 'yes' or 'no'\n" },
	{ "set hostid 0\n", "pf.conf:1: hostid must be non-zero\n" },
	{ "set skip on ! em0\n", "pf.conf:1: skip on ! <interface> is not supported\n" },
	{ "set timeout nope 3\n", "pf.conf:1: unknown timeout nope\n" },
	{ "set limit nope 3\n", "pf.conf:1: unable to set limit nope\n" },
	{ "set debug nope\n", "pf.conf:1: error setting debuglevel nope\n" },
	{ "set syncookies nope\n", "pf.conf:1: illegal value for syncookies\n" },
	{ "table <t> { <u> }\n", "pf.conf:1: tables cannot contain tables\n" },
	{ "table <t> { (em0) }\n",
	  "pf.conf:1: dynamic addresses are not permitted inside tables\n" },
	{ "table <t> { 10.0.0.1 - 10.0.0.2 }\n",
	  "pf.conf:1: address ranges are not permitted inside tables\n" },
	{ "table <t> nope\n", "pf.conf:1: invalid table option 'nope'\n" },
	{ "table <a2345678901234567890123456789012>\n",
	  "pf.conf:1: table name too long, max 31 chars\n" },
	{ "include \"/nonexistent/f\"\n", "pf.conf:1: failed to include file /nonexistent/f\n" },
	{ "anchor _x\n",
	  "pf.conf:1: anchor names beginning with '_' are reserved for internal use\n" },
	{ "anchor \"a/b\" {\npass\n}\n",
	  "pf.conf:1: anchor paths containing '/' cannot be used for inline anchors.\n" },
	{ "anchor \"x\" {\n}\nanchor \"x\" {\nblock\n}\nanchor \"x\" {\npass\n}\n",
	  "pf.conf:8: inline anchor 'x' already exists\n" },
	{ "pass route-to (em0 192.0.2.1)\n",
	  "pf.conf:1: direction must be explicit with rules that specify routing\n" },
	{ "block in allow-opts\n",
	  "pf.conf:1: allow-opts can only be specified for pass rules\n" SKIPPED },
	{ "pass in proto udp to port 53 fragment\n",
	  "pf.conf:1: fragments can be filtered only on IP header fields\n" SKIPPED },
	{ "scrub in quick\n", "pf.conf:1: scrub rules do not support 'quick'\n" },
	{ "no nat pass on em0 from any to any\n",
	  "pf.conf:1: \"pass\" not valid with \"no\"\n" },
	{ "pass in to urpf-failed\n",
	  "pf.conf:1: \"urpf-failed\" is not permitted in a destination address\n" },
	{ "rdr on em0 proto tcp from any to any port > 80 -> 10.0.0.1\n",
	  "pf.conf:1: invalid port operator for rdr destination port\n" SKIPPED },
	{ "rdr on em0 from any to any -> 10.0.0.1 port 80\n",
	  "pf.conf:1: rpool port only applies to tcp/udp\n" SKIPPED },
	{ "pass proto tcp flags S/SA flags any\n", "pf.conf:1: flags cannot be redefined\n" },
	{ "pass keep state (max-src-nodes 3, source-track global)\n",
	  "pf.conf:1: 'max-src-nodes' is incompatible with 'source-track global'\n" },
	{ "pass in on em0 modulate state (sloppy)\n",
	  "pf.conf:1: sloppy state matching cannot be used with synproxy state or modulate "
	  "state\n" SKIPPED },
	{ "rdr on em0 from any to any port 80 -> 10.0.0.1\n",
	  "pf.conf:1: dst port only applies to tcp/udp\n" SKIPPED },
	{ "anchor x keep state\n", "pf.conf:1: cannot specify state handling on anchors\n" },
	{ "binat-anchor x from any to 10.0.0.1\n",
	  "pf.conf:1: fromto parameter not supported in binat-anchor\n" },
};

TEST(messages)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pf_test t;
		char *text;

		begin(&t);
		text = said(&t, cases[i].text);
		if (!CHECK_STR(text, cases[i].said))
			unit_detail("    # of: %s", cases[i].text);
		free(text);
		pf_test_fini(&t);
	}
}

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t len = 0;

	if (f != NULL) {
		if (getdelim(&text, &len, '\0', f) < 0)
			text = strdup("");
		fclose(f);
	}
	return text;
}

/* A refusal of FreeBSD's own tests: a regular expression for what pfctl says */
static void one_fail(const char *dir, const char *name)
{
	char path[4096], *want, *text, *ours;
	struct pf_test t;
	regex_t re;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	want = slurp(path);
	memcpy(strrchr(path, '.'), ".in", 4);
	text = slurp(path);
	if (!CHECK(want != NULL && text != NULL))
		return;
	want[strcspn(want, "\n")] = '\0';
	CHECK_INT(regcomp(&re, want, REG_EXTENDED | REG_NOSUB), 0);
	begin(&t);
	ours = said(&t, text);
	ours[strcspn(ours, "\n")] = '\0';
	if (!CHECK_INT(regexec(&re, ours, 0, NULL, 0), 0))
		unit_detail("    # %s: %s, not %s\n", name, ours, want);
	regfree(&re);
	free(ours);
	free(want);
	free(text);
	pf_test_fini(&t);
}

TEST(pfctl_regress)
{
	const char *corpus = getenv("SALLYPORT_CORPUS");
	struct dirent **list = NULL;
	char dir[2048];
	int n, n_fails = 0;

	if (corpus == NULL)
		UNIT_SKIP("../shared absent");
	snprintf(dir, sizeof(dir), "%s/pfctl", corpus);
	n = scandir(dir, &list, NULL, alphasort);
	if (n < 0)
		UNIT_SKIP("../shared absent");
	for (int i = 0; i < n; i++) {
		const char *dot = strrchr(list[i]->d_name, '.');

		if (dot != NULL && strcmp(dot, ".fail") == 0) {
			one_fail(dir, list[i]->d_name);
			n_fails++;
		}
		free(list[i]);
	}
	free(list);
	CHECK(n_fails >= 5);
}
