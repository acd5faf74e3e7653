/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One table of options and one loop: an option may stand before or after the
 * verb, so the verb is not known when an option is met.  An option that only
 * some verbs take says which, and that is checked at the end.  A verb that is
 * another program's command line ends our options: what follows is its own, and
 * all of it where that program's name is what we are called by.
 */
#include "cli/option.h"

#include <string.h>

#define CONFIRM_MAX_SECONDS	86400u

static int set_file(struct cli *c, const char *v)
{
	vec_add(&c->arena, &c->files, ((struct cli_file){ .path = v, .lang = c->lang }));
	return 0;
}

static int set_lang(struct cli *c, const char *v)
{
	static const char *const names[] = {
		"pf", "ipfw", "jail", "rc", "sysctl", "ezjail", "iocage", NULL
	};

	for (int i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], v) == 0) {
			c->lang = (enum cli_lang)(LANG_PF + i);
			return 0;
		}
	}
	cli_usage(c, "unknown language '%s'", v);
	diag_help(&c->diags, "--lang takes pf, ipfw, jail, rc, sysctl, ezjail or iocage");
	return EX_USAGE;
}

static int set_define(struct cli *c, const char *v)
{
	const char *eq = strchr(v, '=');

	if (eq == NULL || eq == v)
		return cli_usage(c, "-D takes NAME=VALUE, not '%s'", v);
	vec_add(&c->arena, &c->defines, ((struct lang_define){
		arena_strndup(&c->arena, v, (size_t)(eq - v)), eq + 1 }));
	return 0;
}

static int set_no_fence(struct cli *c, const char *v)
{
	for (int p = POLICY_NONE + 1; p < N_POLICIES; p++)
		if (v == NULL || strcmp(v, policy_names[p]) == 0)
			c->policy.off[p] = true;
	for (int p = POLICY_NONE + 1; v != NULL && p < N_POLICIES; p++)
		if (strcmp(v, policy_names[p]) == 0)
			return 0;
	if (v == NULL)
		return 0;
	return cli_usage(c, "--no-fence takes interior, source, egress or local, not '%s'", v);
}

static int set_nat_path(struct cli *c, const char *v)
{
	c->nat_path = strcmp(v, "userspace") == 0 ? NAT_PATH_USERSPACE :
		      strcmp(v, "kernel") == 0 ? NAT_PATH_KERNEL : NAT_PATH_UNSAID;
	return c->nat_path != NAT_PATH_UNSAID ? 0 :
		cli_usage(c, "--nat-path takes kernel or userspace, not '%s'", v);
}

#define SETTER_STRING(field) \
	static int set_##field(struct cli *c, const char *v) \
	{ \
		c->field = v; \
		return 0; \
	}
#define SETTER_BOOL(field) \
	static int set_##field(struct cli *c, const char *v) \
	{ \
		(void)v; \
		c->field = true; \
		return 0; \
	}
SETTER_STRING(interfaces)
SETTER_STRING(netns)
SETTER_STRING(state_dir)
SETTER_STRING(to)
SETTER_STRING(output)
SETTER_STRING(part)
SETTER_STRING(link)
SETTER_STRING(dir)
SETTER_STRING(pool)
SETTER_STRING(batch)
SETTER_STRING(jail_netns)
SETTER_BOOL(create)
SETTER_STRING(write)
SETTER_STRING(cgroup)
SETTER_STRING(pid)
SETTER_BOOL(json)
SETTER_BOOL(dry_run)
SETTER_BOOL(quiet)
SETTER_BOOL(verbose)
SETTER_BOOL(sequence)
SETTER_STRING(from)
SETTER_STRING(on)
SETTER_STRING(until)
SETTER_STRING(rate)
SETTER_STRING(max)
SETTER_BOOL(log)
SETTER_BOOL(filtered)
SETTER_BOOL(share)
SETTER_BOOL(no_header)
SETTER_BOOL(listing)
SETTER_BOOL(forget)
SETTER_BOOL(compiled)
SETTER_BOOL(exec)
SETTER_BOOL(force)

static int set_confirm(struct cli *c, const char *v)
{
	uint32_t n;

	if (!cli_number(v, &n) || n < 1 || n > CONFIRM_MAX_SECONDS)
		return cli_usage(c, "--confirm takes seconds in 1..%u, not '%s'",
				 CONFIRM_MAX_SECONDS, v);
	c->confirm_seconds = n;
	return 0;
}

static int set_one_pass(struct cli *c, const char *v)
{
	if (strcmp(v, "0") != 0 && strcmp(v, "1") != 0)
		return cli_usage(c, "--one-pass takes 0 or 1, not '%s'", v);
	c->one_pass = v[0] - '0';
	return 0;
}

static int set_count(struct cli *c, const char *v)
{
	uint32_t n;

	if (!cli_number(v, &n) || n == 0)
		return cli_usage(c, "-c takes a number of packets, not '%s'", v);
	c->count = n;
	return 0;
}

#define SETTER_NAT(field) \
	static int set_nat_##field(struct cli *c, const char *v) \
	{ \
		c->nat.field = v; \
		return 0; \
	}
#define SETTER_NAT_LIST(field) \
	static int set_nat_##field(struct cli *c, const char *v) \
	{ \
		vec_add(&c->arena, &c->nat.field.list, v); \
		return 0; \
	}
SETTER_NAT(read)
SETTER_NAT(write)
SETTER_NAT_LIST(inside)
SETTER_NAT(outside)
SETTER_NAT_LIST(outside_addrs)
SETTER_NAT_LIST(mapping)
SETTER_NAT_LIST(filtering)
SETTER_NAT_LIST(ports)
SETTER_NAT_LIST(timeouts)
SETTER_NAT_LIST(nptv6)
SETTER_NAT(seed)
SETTER_NAT(max_flows)
SETTER_NAT(io)
SETTER_NAT(state)
SETTER_NAT(workers)

static int set_nat_answer(struct cli *c, const char *v)
{
	(void)v;
	c->nat.answer = true;
	return 0;
}

static int set_nat_no_lanes(struct cli *c, const char *v)
{
	(void)v;
	c->nat.no_lanes = true;
	return 0;
}

static int set_nat_explain(struct cli *c, const char *v)
{
	(void)v;
	c->nat.explain = true;
	return 0;
}

static int set_no_verify(struct cli *c, const char *v)
{
	(void)v;
	c->no_verify = true;
	return 0;
}

const struct option_row cli_options[] = {
	{ "-f", VALUE, set_file, NULL, "FILE",
	  "a declaration file, - for standard input; repeatable" },
	{ "--lang", VALUE, set_lang, NULL, "LANG",
	  "language of the -f after it: pf, ipfw, jail, rc, sysctl, ezjail, iocage" },
	{ "-D", VALUE, set_define, NULL, "NAME=VALUE", "a macro or variable, over the files' own" },
	{ "--json", NO_VALUE, set_json, NULL, "", "print JSON, diagnostics included" },
	{ "--netns", VALUE, set_netns, NULL, "NAME|PATH", "act in that network namespace" },
	{ "-n", NO_VALUE, set_dry_run, NULL, "", "change nothing: apply -n answers as plan does" },
	{ "-q", NO_VALUE, set_quiet, NULL, "", "errors only" },
	{ "-v", NO_VALUE, set_verbose, NULL, "", "say more" },
	{ "--interfaces", VALUE, set_interfaces, NULL, "FILE",
	  "facts of the host, not the live ones" },
	{ "--no-fence", MAY_HAVE_VALUE, set_no_fence, NULL, "[=NAME]",
	  "without a fence: interior, source, egress, local; all" },
	{ "--nat-path", VALUE, set_nat_path, NULL, "kernel|userspace",
	  "who translates; userspace: rules and fences only, for `nat`" },
	{ "--one-pass", VALUE, set_one_pass, NULL, "0|1",
	  "ipfw: what a nat rule took goes on with the next rule (0), or passes (1)" },
	{ "--exec", NO_VALUE, set_exec, NULL, "",
	  "ipfw: run a script that needs a shell, in a sandbox; never without" },
	{ "--state-dir", VALUE, set_state_dir, NULL, "DIR", "keep state in DIR/lib and DIR/run" },
	{ "--no-verify", NO_VALUE, set_no_verify, NULL, "",
	  "apply: load the rules without the proof that they mean what was declared" },
	{ "--to", VALUE, set_to, " compile  forward add ", "FORM|ADDRESS",
	  "compile: what to print; forward add: outside address" },
	{ "--part", VALUE, set_part, " compile ", "touch|filter",
	  "compile to BPF: what rules could touch, or what they pass" },
	{ "--link", VALUE, set_link, " compile ", "ethernet|raw",
	  "compile to BPF: of these frames" },
	{ "--dir", VALUE, set_dir, " compile ", "in|out",
	  "compile --part filter: of packets that go this way" },
	{ "-o", VALUE, set_output, " compile ", "FILE", "compile: where to" },
	{ "--batch", VALUE, set_batch, " why ", "FILE",
	  "why: packets, one a line; - for standard input" },
	{ "-w", VALUE, set_write, " log ", "FILE", "log: write a capture, for tcpdump -r" },
	{ "-c", VALUE, set_count, " log ", "N", "log: end after so many packets" },
	{ "--sequence", NO_VALUE, set_sequence, " why ", "", "why: packets in order, states kept" },
	{ "--force", NO_VALUE, set_force, " up ", "",
	  "up: though a service of the host would answer for the jail" },
	{ "--pool", VALUE, set_pool, " alias next ", "IF|NET", "alias next: of this pool" },
	{ "--cgroup", VALUE, set_cgroup, " up ", "PATH",
	  "up: confine the processes of that cgroup to the jail's addresses" },
	{ "--pid", VALUE, set_pid, " up ", "PID",
	  "up: a process of the jail: its cgroup, or a vnet jail's namespace" },
	{ "--from", VALUE, set_from, " forward add ", "SOURCE",
	  "forward add: only from this address or network" },
	{ "--on", VALUE, set_on, " forward add  compile  why ", "IF",
	  "forward add, compile --part filter, why --read: on this interface" },
	{ "--until", VALUE, set_until, " forward add ", "2h",
	  "forward add: ends after this, or then (2026-01-31T18:00)" },
	{ "--rate", VALUE, set_rate, " forward add ", "10/s",
	  "forward add: most new connections (/s, /m, /h, /d)" },
	{ "--max", VALUE, set_max, " forward add ", "N", "forward add: most connections at once" },
	{ "--log", NO_VALUE, set_log, " forward add ", "", "forward add: log new connections" },
	{ "--filtered", NO_VALUE, set_filtered, " forward add ", "",
	  "forward add: the written rules judge it too" },
	{ "--share", NO_VALUE, set_share, " forward add ", "",
	  "forward add: others may claim the same port" },
	{ "-l", NO_VALUE, set_listing, " status ", "",
	  "status: the jails only, as jls lists them" },
	{ "-H", NO_VALUE, set_no_header, " forward list ", "",
	  "forward list: no header, tabs between fields" },
	{ "--forget", NO_VALUE, set_forget, " destroy ", "",
	  "destroy: forget the forwards of `forward add` too" },
	{ "--compiled", NO_VALUE, set_compiled, " verify ", "",
	  "verify: the program that would be loaded, not the kernel's" },
	{ "--jail-netns", VALUE, set_jail_netns, " up ", "NAME|PATH",
	  "up: the network namespace of a vnet jail" },
	{ "--create", NO_VALUE, set_create, " up ", "",
	  "up: make a namespace with the vnet jail's name; down takes it away" },
	{ "--confirm", VALUE, set_confirm, " apply ", "SECONDS",
	  "apply: put the host back unless `confirm` follows in this time" },
	{ "--read", VALUE, set_nat_read, " nat  why ", "FILE",
	  "nat: over a capture, - for standard input; why: each packet of one" },
	{ "--write", VALUE, set_nat_write, " nat ", "FILE",
	  "nat: what leaves the NAT, as a capture" },
	{ "--inside", VALUE, set_nat_inside, " nat ", "SIDE|NET[=IF]",
	  "nat: tun:NAME or an interface; over a capture the inside networks" },
	{ "--outside", VALUE, set_nat_outside, " nat ", "IF", "nat: interface that leads outside" },
	{ "--outside-address", VALUE, set_nat_outside_addrs, " nat ", "A,...",
	  "nat: its addresses there" },
	{ "--mapping", VALUE, set_nat_mapping, " nat ", "[PROTO=]BEHAVIOUR",
	  "nat: endpoint, address or address-port" },
	{ "--filtering", VALUE, set_nat_filtering, " nat ", "[PROTO=]BEHAVIOUR",
	  "nat: the same words" },
	{ "--ports", VALUE, set_nat_ports, " nat ", "HOW", "nat: preserve, random or block" },
	{ "--timeout", VALUE, set_nat_timeouts, " nat ", "NAME=SECONDS",
	  "nat: a time, as in pf.conf" },
	{ "--nptv6", VALUE, set_nat_nptv6, " nat ", "IN=OUT", "nat: IPv6 prefixes without state" },
	{ "--seed", VALUE, set_nat_seed, " nat ", "N", "nat: repeatable choices" },
	{ "--max-flows", VALUE, set_nat_max_flows, " nat ", "N",
	  "nat: flows that there is memory for" },
	{ "--answer-arp", NO_VALUE, set_nat_answer, " nat ", "",
	  "nat: answer ARP and neighbour discovery for outside addresses of no interface" },
	{ "--explain", NO_VALUE, set_nat_explain, " nat ", "",
	  "nat: over a capture, what became of each packet and why" },
	{ "--io", VALUE, set_nat_io, " nat ", "HOW",
	  "nat: auto, packet, packet-v3, xdp, pcap, tun or tap" },
	{ "--no-lanes", NO_VALUE, set_nat_no_lanes, " nat ", "",
	  "nat: live, the kernel carries no packet of a known flow by itself" },
	{ "--workers", VALUE, set_nat_workers, " nat ", "N|auto",
	  "nat: live, processes that share the packets; auto: one for each processor" },
	{ "--state", VALUE, set_nat_state, " nat ", "FILE", "nat: where flows outlive a restart" },
	{ NULL, NO_VALUE, NULL, NULL, NULL, NULL },
};

/* The table's row for a word, and where a value joined to it starts */
static const struct option_row *option_find(const char *word, const char **joined)
{
	for (const struct option_row *o = cli_options; o->name != NULL; o++) {
		const size_t n = strlen(o->name);
		const bool is_long = o->name[1] == '-';

		*joined = NULL;
		if (strcmp(word, o->name) == 0)
			return o;
		if (strncmp(word, o->name, n) != 0 || o->value == NO_VALUE)
			continue;
		if (is_long && word[n] == '=')
			*joined = word + n + 1;
		else if (!is_long)
			*joined = word + n;
		if (*joined != NULL)
			return o;
	}
	return NULL;
}

static int unknown_option(struct cli *c, const char *word)
{
	const char *names[ARRAY_SIZE(cli_options)];
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(cli_options); i++)
		names[i] = cli_options[i].name;
	near = diag_nearest(word, names);
	cli_usage(c, "unknown option '%s'", word);
	if (near != NULL)
		diag_help(&c->diags, "did you mean %s?", near);
	return EX_USAGE;
}

/* The word at argv[*i] is an option: set it, and step over its value */
static int parse_option(struct cli *c, int argc, char **argv, int *i,
			const struct option_row **ret)
{
	const char *value;
	const struct option_row *o = option_find(argv[*i], &value);

	if (o == NULL)
		return unknown_option(c, argv[*i]);
	if (o->value == VALUE && value == NULL) {
		if (*i + 1 >= argc)
			return cli_usage(c, "%s needs a value", o->name);
		value = argv[++*i];
	}
	*ret = o;
	return o->set(c, value);
}

/* Two words for "alias list", one for the others; how many of the args it took */
static uint32_t find_verb(struct cli *c)
{
	for (const struct cli_verb *v = cli_verbs; v->name != NULL; v++) {
		const char *space = strchr(v->name, ' ');

		if (space == NULL && strcmp(v->name, c->args.v[0]) == 0) {
			c->verb = v;
			return 1;
		}
		if (space != NULL && c->args.n > 1 &&
		    strncmp(v->name, c->args.v[0], (size_t)(space - v->name)) == 0 &&
		    c->args.v[0][space - v->name] == '\0' && strcmp(space + 1, c->args.v[1]) == 0) {
			c->verb = v;
			return 2;
		}
	}
	return 0;
}

/* "add|del|list" of a verb of two words whose first is @word; NULL: there is none */
static const char *second_words(struct cli *c, const char *word)
{
	const size_t len = strlen(word);
	const char *words = NULL;

	for (const struct cli_verb *v = cli_verbs; v->name != NULL; v++)
		if (strncmp(v->name, word, len) == 0 && v->name[len] == ' ')
			words = words == NULL ? v->name + len + 1 :
				arena_printf(&c->arena, "%s|%s", words, v->name + len + 1);
	return words;
}

static int unknown_verb(struct cli *c)
{
	const char *seconds = second_words(c, c->args.v[0]);
	const char *names[64];
	const char *near;
	size_t n = 0;

	if (seconds != NULL)
		return cli_usage(c, "%s needs a second word: %s %s", c->args.v[0], c->args.v[0],
				 seconds);
	for (const struct cli_verb *v = cli_verbs; v->name != NULL; v++)
		names[n++] = v->name;
	BUG_IF(n >= ARRAY_SIZE(names));
	names[n] = NULL;
	near = diag_nearest(c->args.v[0], names);
	cli_usage(c, "unknown verb '%s'", c->args.v[0]);
	diag_help(&c->diags, near != NULL ? "did you mean %s?" : "sallyport --help lists %s",
		  near != NULL ? near : "the verbs");
	return EX_USAGE;
}

/* For the verb that is named before or after --help, else for all */
static int help(struct cli *c, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (argv[i][0] != '-')
			vec_add(&c->arena, &c->args, argv[i]);
	if (c->args.n == 0)
		cli_help(stdout);
	else if (!cli_help_verb(stdout, c->args.v[0], c->args.n > 1 ? c->args.v[1] : NULL))
		return unknown_verb(c);
	return -1;
}

static int choose_verb(struct cli *c)
{
	uint32_t taken;

	if (c->args.n == 0) {
		cli_usage(c, "no verb");
		diag_help(&c->diags, "sallyport --help lists the verbs");
		return EX_USAGE;
	}
	taken = find_verb(c);
	if (taken == 0)
		return unknown_verb(c);
	c->args.v += taken;
	c->args.n -= taken;
	if (c->args.n < c->verb->min_args)
		return cli_usage(c, "%s needs more words: %s %s", c->verb->name, c->verb->name,
				 c->verb->args);
	if (c->args.n > c->verb->max_args)
		return cli_usage(c, "%s does not take '%s'", c->verb->name,
				 c->args.v[c->verb->max_args]);
	return 0;
}

/* An option that only some verbs take was given: is this one of them */
static int check_scope(struct cli *c, const struct option_row *o)
{
	if (o->verbs == NULL || option_is_of(o, c->verb))
		return 0;
	return cli_usage(c, "%s does not take %s", c->verb->name, o->name);
}

/* Is a word the name of another program */
static bool is_other(const char *word)
{
	for (const struct cli_verb *v = cli_verbs; v->name != NULL; v++)
		if (v->max_args == CLI_OTHER && strcmp(v->name, word) == 0)
			return true;
	return false;
}

int cli_parse(struct cli *c, int argc, char **argv)
{
	VEC(const struct option_row *) given = { 0 };
	bool words_only = false;
	int status = 0;

	if (argc > 0 && is_other(source_short_name(argv[0]))) {
		words_only = true;
		vec_add(&c->arena, &c->args, source_short_name(argv[0]));
	}
	/* First, so that complaints are JSON too */
	for (int i = 1; i < argc && !words_only && !is_other(argv[i]); i++)
		c->json |= strcmp(argv[i], "--json") == 0;
	for (int i = 1; i < argc && status == 0; i++) {
		const char *w = argv[i];
		const struct option_row *o = NULL;

		if (words_only || w[0] != '-' || w[1] == '\0') {
			words_only |= c->args.n == 0 && is_other(w);
			vec_add(&c->arena, &c->args, w);
		} else if (strcmp(w, "--") == 0) {
			words_only = true;
		} else if (strcmp(w, "--help") == 0 || strcmp(w, "-h") == 0) {
			return help(c, argc - i - 1, argv + i + 1);
		} else if (strcmp(w, "--version") == 0) {
			puts("sallyport 0.1");
			return -1;
		} else {
			status = parse_option(c, argc, argv, &i, &o);
			if (o != NULL)
				vec_add(&c->arena, &given, o);
		}
	}
	if (status == 0)
		status = choose_verb(c);
	for (uint32_t i = 0; i < given.n && status == 0; i++)
		status = check_scope(c, given.v[i]);
	return status;
}
