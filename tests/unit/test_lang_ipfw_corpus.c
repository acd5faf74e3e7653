/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real hosts' rulesets: each is understood whole, or refused where it should
 * be; and random words, whatever they are, break nothing.
 */
#include <dirent.h>
#include <setjmp.h>

#include "test_lang_ipfw.h"

/* What the first error is: its line and code, and why that is right */
static const struct {
	const char *name;
	const char *code;	/* NULL: understood */
	uint32_t line;
	const char *why;
} files[] = {
	{ "00-seed.rules",
	  NULL, 0, "understood whole" },
	{ "AlexZhao_UmbrellaFirewall__ipfw.sh",
	  "E2301", 36, "command substitution" },
	{ "KJLdefeated_NYCU-SA__usr_local_etc_ipfw.rules",
	  "E2301", 2, "runs another script" },
	{ "KornelJahn_truenas-core-tailscale-jail__setup-ipfw-nat.sh",
	  "E2301", 6, "if: needs a shell" },
	{ "Rogiel_freebsd-config-files__etc_ipfw.rules",
	  "E2301", 14, "if: needs a shell" },
	{ "TobiasS1402_Wireguard-Prowlarr-TrueNAS__ipfw_ipfw.rules",
	  "E2004", 13, "uid: only what a local process sends has an owner" },
	{ "andreimosman_virtex__bin_rc.firewall",
	  "E2301", 64, "if: needs a shell" },
	{ "azulbeae_dots__etc_ipfw.rules",
	  "E2008", 21, "a placeholder that was never filled in: \"Local router IP\"" },
	{ "beaver-vm-host__ipfw.sh",
	  "E2301", 7, "command substitution as a comment" },
	{ "buch2002_ipfw.conf__ipfw.conf",
	  NULL, 0, "understood whole" },
	{ "cobot_cobot_captive_portal__etc_rc.firewall",
	  "E2301", 34, "if: needs a shell" },
	{ "cpach_ipfw-rules__ipfw.rules",
	  NULL, 0, "understood whole" },
	{ "dmarov_configs__ipfw.rules",
	  NULL, 0, "understood whole" },
	{ "el0-office__rc.firewall",
	  "E2007", 18, "10.10..0/24 is no address; FreeBSD refuses it too" },
	{ "fbsduser_Openvpn-on-FBSD__ipfw.sh",
	  "E2301", 8, "natd is started" },
	{ "freebsd-net_netperf__IPFW_Configs_ipfwpassUDP.sh",
	  NULL, 0, "understood whole" },
	{ "huohongjian_freebsd_config__etc_ipfw.rules",
	  "E2004", 2, "divert natd" },
	{ "jailhost-own-networks__ipfw.sh",
	  "E2301", 18, "if: needs a shell" },
	{ "jdakhayman_freebsd-router__etc_ipfw.rules",
	  NULL, 0, "understood whole" },
	{ "jdakhayman_freebsd-router__etc_ipfw_bastille_bk.rules",
	  NULL, 0, "understood whole" },
	{ "jimmyb-gh_ipfw-primer__ipfw_VM_SCRIPTS_firewall_bsdclat464.sh",
	  "E2004", 21, "translation between families" },
	{ "jonatello_farmalytics__ipfw.rules",
	  NULL, 0, "understood whole" },
	{ "mikeplem_ipfw__ipfw.rules",
	  NULL, 0, "understood whole" },
	{ "mykola2312_bsdconf__ipfw.rules",
	  NULL, 0, "understood whole" },
	{ "part1zano_confz__etc_rc.firewall",
	  "E2301", 34, "if: needs a shell" },
	{ "passivereader_ipfwrules__faulty1.rules",
	  "E2306", 1, "the variable is never set: this file is meant to be faulty" },
	{ "paulc_freebsd-ipv6-jail__files_ipfw.rules",
	  "E2004", 14, "translation between families" },
	{ "pertruccio_freebsd_ansible__templates_ipfw.rules.j2",
	  "E2301", 6, "command substitution" },
	{ "ptudor_freebsd-install__etc_ipfw.rules",
	  NULL, 0, "understood whole" },
	{ "pyhero_ipfw__ipfw.sh",
	  "E2301", 9, "command substitution" },
	{ "remetremet_RMT_ipfw__rc.firewall",
	  "E2301", 4, "if: needs a shell" },
	{ "remetremet_RMT_ipfw__rc.firewall.definitions",
	  "E2301", 50, "if: needs a shell" },
	{ "santosha2003_freebsd-desktop__etc_11_rc.loc1",
	  "E2301", 6, "resolvconf is called" },
	{ "sjking_chef-freebsd-ipfw__files_default_webserver_vm.rules",
	  NULL, 0, "understood whole" },
	{ "tredly_tredly__components_tredly-install_os_usr_local_etc_ipfw.layer4",
	  "E1001", 3, "sources the file of variables, by a path that is not there" },
	{ "tredly_tredly__components_tredly-install_os_usr_local_etc_ipfw.rules",
	  "E1001", 19, "sources another file, by a path that is not there" },
	{ "tredly_tredly__components_tredly-install_os_usr_local_etc_ipfw.vars",
	  NULL, 0, "understood whole" },
	{ "trombik_ansible-role-ipfw__templates_ipfw.conf.j2",
	  "E2301", 3, "a template, not a script" },
	{ "vgnshlvnz_freebsd-configurations__etc_ipfw.rules",
	  NULL, 0, "understood whole" },
	{ "zundig_mgw-bsd__rc.firewall",
	  "E2004", 44, "fwd to the gateway of each provider" },
};

static void start(struct ipfw_test *t)
{
	static const char *const ifaces[] = {
		"em0 198.51.100.2/24", "igb0 198.51.101.2/24", "re0 198.51.102.2/24",
		"vtnet0 198.51.103.2/24", "wlan0 192.168.0.2/24", "lo1 10.1.0.1/24", "default em0",
	};

	ipfw_test_init(t);
	for (size_t i = 0; i < ARRAY_SIZE(ifaces); i++)
		ipfw_test_iface(t, ifaces[i]);
}

/* Compile within a capped arena; what was told and made is checked */
static void compile(struct ipfw_test *t, uint32_t src)
{
	jmp_buf full;

	t->a.full = &full;
	if (setjmp(full) != 0) {
		t->a.full = NULL;
		CHECK(t->a.used_bytes > 0);
		return;
	}
	(void)ipfw_test_compile(t, src);
	t->a.full = NULL;
	ipfw_test_spans(t);
}

static const struct diag *first_error(const struct ipfw_test *t)
{
	for (uint32_t i = 0; i < t->diags.list.n; i++)
		if (diag_codes[t->diags.list.v[i].code].severity == DIAG_ERROR)
			return &t->diags.list.v[i];
	return NULL;
}

/* fmt of what was understood means the same, and is a fixed point */
static void check_fmt(struct ipfw_test *t)
{
	struct ipfw_test again;
	char *once = NULL, *twice = NULL, *told;
	size_t len;
	FILE *f = open_memstream(&once, &len);

	ipfw_fmt(t->rs, f);
	fclose(f);
	start(&again);
	if (!CHECK(ipfw_test_text(&again, once))) {
		told = langkit_told(&again.diags);
		unit_detail("    # %s", told);
		free(told);
	}
	f = open_memstream(&twice, &len);
	ipfw_fmt(again.rs, f);
	fclose(f);
	CHECK_STR(twice, once);
	CHECK_INT(again.model.lists.n, t->model.lists.n);
	free(once);
	free(twice);
	ipfw_test_fini(&again);
}

static void one_file(const char *dir, size_t i)
{
	struct ipfw_test t;
	const struct diag *g;
	char path[4096];
	uint32_t src;

	snprintf(path, sizeof(path), "%s/ipfw/%s", dir, files[i].name);
	start(&t);
	if (CHECK_INT(sources_read(&t.sources, path, &src), 0)) {
		compile(&t, src);
		g = first_error(&t);
		CHECK_STR(g != NULL ? diag_codes[g->code].name : NULL, files[i].code);
		if (g != NULL)
			CHECK_INT(
				source_place(&t.sources, source_file_span(&t.sources, g->at)).line,
				files[i].line);
		else
			check_fmt(&t);
	}
	CHECK(strlen(files[i].why) > 10);
	if (unit.n_failed > 0)
		unit_detail("    # after %s\n", files[i].name);
	ipfw_test_fini(&t);
}

TEST(real_hosts)
{
	const char *corpus = getenv("SALLYPORT_CORPUS");
	struct dirent **list = NULL;
	char dir[4096];
	int n, n_files = 0;

	snprintf(dir, sizeof(dir), "%s/ipfw", corpus != NULL ? corpus : "");
	n = corpus != NULL ? scandir(dir, &list, NULL, NULL) : -1;
	if (n < 0)
		UNIT_SKIP("../shared absent");
	for (int i = 0; i < n; i++) {
		const char *dot = strrchr(list[i]->d_name, '.');

		n_files += list[i]->d_name[0] != '.' && (dot == NULL || strcmp(dot, ".src") != 0);
		free(list[i]);
	}
	free(list);
	CHECK_INT(n_files, ARRAY_SIZE(files));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		one_file(corpus, i);
}

/* ---- random --------------------------------------------------------------- */

static const char *const pieces[] = {
	"\n",
	"\n",
	"\nadd ",
	"\nadd ",
	"\nadd 100 ",
	"{",
	"}",
	"(",
	")",
	"or",
	"not",
	",",
	"!",
	"-",
	"ip from any to any",
	"tcp from me to any 80",
	"10.0.0.1",
	"10.0.0.0/8",
	"10.0.0.0/24{1,3-7}",
	"10.0.0.0:255.0.255.0",
	"2001:db8::/32",
	"table(t)",
	"table(t,5)",
	"em0",
	"em*",
	"80,443",
	"70000",
	"1-5",
	":web",
	":any",
	"500",
	"0",
	"99999999999",
	"# c",
	"//",
	"\xff",
	"tcp",
	"icmp",
	"\nnat 1 config if em0",
	"\ntable t add 10.0.0.1 500",
	"\n-f flush",
	"\nset disable 3",
	"redirect_port tcp 10.0.0.2:80 80",
	"src-addr",
	"syn,!ack",
	"tablearg",
};

TEST(random_words)
{
	for (int i = 0; i < 3000; i++) {
		struct ipfw_test t;
		const char *text;

		start(&t);
		text = langkit_words(&t.a, unit_below(80), pieces, ARRAY_SIZE(pieces),
				     ipfw_words());
		compile(&t, sources_add(&t.sources, "random", text, (uint32_t)strlen(text),
					SPAN_NONE));
		if (unit.n_failed > 0)
			unit_detail("    # after: %s\n", text);
		ipfw_test_fini(&t);
		if (unit.n_failed > 0)
			return;
	}
}

/* Rules of right words in a right order: lowered, and packets judged */
TEST(random_rules)
{
	static const char *const actions[] = {
		"allow", "deny", "count", "skipto 500", "skipto tablearg", "nat 1", "check-state",
		"reject", "reset", "unreach port", "call 700", "return", "prob 0.5 allow",
		"count tag 3", "allow log",
	};
	static const char *const bodies[] = {
		"ip from any to any",
		"tcp from me to not me 80",
		"ip from table(t) to any",
		"{ tcp or udp } from any to any { dst-port 53 or src-port 53 }",
		"ip from not 10.0.0.0/8 to { me or 10.1.0.0/16 }",
		"icmp from any to any icmptypes 8",
	};
	static const char *const options[] = {
		"", "in", "out", "via em0", "recv em0", "not xmit em0", "established", "not setup",
		"keep-state", "limit src-addr 2", "not antispoof", "verrevpath", "not tagged 3",
		"not dst-port 1-80",
	};

	for (int i = 0; i < 500; i++) {
		struct ipfw_test t;
		const char *text =
			"nat 1 config if em0\ntable t add 10.0.0.0/8 500 10.1.0.0/16 600\n";

		start(&t);
		t.options.one_pass = (int)unit_below(2);
		for (int k = 1; k < 12; k++)
			text = arena_printf(&t.a, "%sadd %d %s %s %s %s\n", text, 100 * k,
				actions[unit_below(ARRAY_SIZE(actions))],
				bodies[unit_below(ARRAY_SIZE(bodies))],
				options[unit_below(ARRAY_SIZE(options))],
				options[unit_below(ARRAY_SIZE(options))]);
		compile(&t, sources_add(&t.sources, "random", text, (uint32_t)strlen(text),
					SPAN_NONE));
		for (int k = 0; t.diags.n_errors == 0 && k < 20; k++) {
			(void)ipfw_test_pass(&t, (enum direction)unit_below(2), "em0",
				unit_below(2) ? "tcp 10.1.0.5:1000 > 7.7.7.7:53 S"
					      : "udp 7.7.7.7:53 > 198.51.100.2:1000");
		}
		if (unit.n_failed > 0)
			unit_detail("    # after: %s\n", text);
		ipfw_test_fini(&t);
		if (unit.n_failed > 0)
			return;
	}
}
