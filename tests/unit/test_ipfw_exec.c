/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scripts that are run: what is recorded, where each word is shown, what the
 * script is told of its host, and what becomes of each real script.
 */
#include <sched.h>
#include <sys/mount.h>

#include "host/ipfw_exec.h"
#include "host/sandbox.h"
#include "lang_golden.h"

/**
 * struct exec_test - A run and what came of it
 * @w:		Its world
 * @facts:	Its host: em0 with 203.0.113.2/24, a default route through it
 * @x:		Its options
 * @cmds:	What was recorded
 * @err:	What ipfw_exec_run() returned
 */
struct exec_test {
	struct world w;
	struct facts facts;
	struct ipfw_exec x;
	struct ipfw_cmds cmds;
	int err;
};

static void init(struct exec_test *t)
{
	struct iface_addr ia = { .at = SPAN_NONE };
	struct iface *em0;

	memset(t, 0, sizeof(*t));
	world_init(&t->w);
	facts_init(&t->facts, &t->w.a, &t->w.names);
	em0 = facts_add(&t->facts, "em0");
	CHECK_INT(prefix_parse("203.0.113.2/24", 14, &ia.p), 0);
	facts_add_addr(&t->facts, em0, ia);
	CHECK_INT(prefix_parse("2001:db8::2/64", 14, &ia.p), 0);
	facts_add_addr(&t->facts, em0, ia);
	t->facts.default_if[0] = em0->name;
	CHECK_INT(addr_parse("203.0.113.1", 11, &t->facts.default_via[0]), 0);
	t->x = (struct ipfw_exec){ .c = &t->w.c, .facts = &t->facts, .decl = &t->w.decl,
				   .seconds = 30 };
}

/* Run a source; false: there is no sandbox here */
static bool run_source(struct exec_test *t, uint32_t src)
{
	t->x.src = src;
	t->err = ipfw_exec_run(&t->x, &t->cmds);
	langkit_spans_check(&t->w.diags);
	if (t->err == -ENOEXEC)
		unit.skip = "no busybox";
	else if (t->err == -ENOTSUP)
		unit.skip = "no user namespaces here";
	else
		CHECK(t->err == 0 || t->err == -EINVAL);
	CHECK((t->err == 0) == (t->w.diags.n_errors == 0));
	return unit.skip == NULL;
}

static bool run(struct exec_test *t, const char *text)
{
	return run_source(t, sources_add(&t->w.sources, "x.sh", text, (uint32_t)strlen(text),
					 SPAN_NONE));
}

/* "LINE:WORDS" of each command, a line each */
static const char *recorded(struct exec_test *t)
{
	const char *all = "";

	for (uint32_t i = 0; i < t->cmds.list.n; i++)
		all = arena_printf(&t->w.a, "%s%u:%s\n", all,
				   source_place(&t->w.sources, t->cmds.list.v[i].at).line,
				   t->cmds.list.v[i].line_text);
	for (uint32_t i = 0; i < t->cmds.sysctls.n; i++)
		all = arena_printf(&t->w.a, "%s%u:%s=%s\n", all,
				   source_place(&t->w.sources, t->cmds.sysctls.v[i].at).line,
				   t->cmds.sysctls.v[i].name, t->cmds.sysctls.v[i].value);
	return all;
}

static void check_run(const char *text, const char *want, const char *told)
{
	struct exec_test t;
	char *said;

	init(&t);
	t.w.defines[t.w.c.n_defines++] = (struct lang_define){ "given", "1.2.3.4" };
	t.w.defines[t.w.c.n_defines++] = (struct lang_define){ "hostname", "h.example" };
	if (run(&t, text)) {
		CHECK_STR(recorded(&t), want);
		said = langkit_told(&t.w.diags);
		CHECK_STR(said, told);
		free(said);
	}
	world_fini(&t.w);
}

TEST(loops_functions_and_arithmetic)
{
	check_run("#!/bin/sh\nfw='/sbin/ipfw -q'\nn=100\n"
		  "allow() {\n\t$fw add $n allow tcp from any to any $1\n\tn=$((n + 10))\n}\n"
		  "for p in 22 80; do\n\tallow $p\ndone\n"
		  "if [ -n \"$fw\" ]; then sysctl net.inet.ip.fw.one_pass=0; fi\n",
		  "5:-q add 100 allow tcp from any to any 22\n"
		  "5:-q add 110 allow tcp from any to any 80\n11:net.inet.ip.fw.one_pass=0\n", "");
}

TEST(words_have_places)
{
	struct exec_test t;
	const struct ipfw_cmd *cmd;

	init(&t);
	if (run(&t, "p=80; if true; then\n  ipfw add allow tcp from any \\\n    to any $p\nfi\n") &&
	    CHECK_INT(t.cmds.list.n, 1)) {
		cmd = &t.cmds.list.v[0];
		CHECK_INT(cmd->words.n, 8);
		CHECK_INT(source_place(&t.w.sources, cmd->words.v[1].at).line, 2);
		CHECK_INT(source_place(&t.w.sources, cmd->words.v[1].at).column, 12);
		/* "to" of the joined line, and the second "any" */
		CHECK_INT(source_place(&t.w.sources, cmd->words.v[6].at).line, 3);
		CHECK_INT(source_place(&t.w.sources, cmd->words.v[6].at).column, 8);
		/* made by a variable: shown in the command, and where it was run */
		CHECK_STR(source_place(&t.w.sources, cmd->words.v[7].at).name, "ipfw command");
		CHECK_INT(source_place(&t.w.sources, cmd->words.v[7].at).column, 31);
		CHECK_INT(source_place(&t.w.sources,
				       source_file_span(&t.w.sources, cmd->words.v[7].at)).line, 2);
	}
	world_fini(&t.w);
}

TEST(the_host_is_the_declared_one)
{
	check_run("ipfw $(ifconfig em0 | awk '/inet /{ print $2 }') $(ifconfig -l)\n"
		  "ipfw $(ifconfig em0 inet6 | grep -c inet6) $(route -n get default | awk "
		  "'/interface/{ print $2 }') $(hostname) $(id -u)\n"
		  "ipfw $(sysctl -n net.inet.ip.fw.one_pass)\nsysctl net.inet.ip.fw.one_pass=0\n"
		  "ipfw $(sysctl net.inet.ip.fw.one_pass)\nkldload ipfw; logger x\n",
		  "1:203.0.113.2 lo0 em0\n2:1 em0 h.example 0\n3:1\n"
		  "5:net.inet.ip.fw.one_pass: 0\n4:net.inet.ip.fw.one_pass=0\n", "");
}

TEST(jails_are_the_declared_ones)
{
	struct exec_test t;

	init(&t);
	world_text(&t.w, "jail.conf", "www { host.hostname = \"www.example\"; ip4.addr = "
		   "\"lo1|10.0.0.2/32\"; }\ndb { ip4.addr = \"lo1|10.0.0.3/32\"; }\n");
	decl_finish(&t.w.decl, &t.w.diags);
	if (run(&t, "ipfw $(jls -j www ip4.addr)\n"
		"jls name ip4.addr | while read n a; do ipfw $n $a; done\n"
		"ipfw $(jls | tail -n 1)\n"))
		CHECK_STR(recorded(&t), "1:10.0.0.2\n2:www 10.0.0.2\n2:db 10.0.0.3\n"
					"3:2 10.0.0.3 db /\n");
	world_fini(&t.w);
}

TEST(defines_win_over_the_script)
{
	check_run("given=9; ipfw $given\nif true; then export given=8; fi; ipfw ${given:=7}\n"
		  "notgiven=1; ipfw $notgiven; echo \"x given=2\"\n", "1:1.2.3.4\n2:1.2.3.4\n3:1\n",
		  "");
}

TEST(rc_conf_is_the_declared_one)
{
	static const char rc[] = "firewall_type=\"closed\"\nfirewall_quiet=YES\n";
	struct exec_test t;
	uint32_t src;

	init(&t);
	src = sources_add(&t.w.sources, "rc.conf", rc, sizeof(rc) - 1, SPAN_NONE);
	t.x.rc = &src;
	t.x.n_rc = 1;
	if (run(&t, ". /etc/rc.subr\n. /etc/network.subr\nload_rc_config ipfw\n"
		"checkyesno firewall_quiet && q=-q\n"
		"afexists inet6 && ipfw $q add $firewall_type\n"))
		CHECK_STR(recorded(&t), "5:-q add closed\n");
	world_fini(&t.w);
}

/* ipfw as the tests know it: "bad" is refused, "list" is a question */
static void answer(void *arg, const struct ipfw_cmd *cmd, const struct ipfw_cmds *before,
		   struct ipfw_exec_answer *ret)
{
	const char *verb = cmd->words.n > 0 ? cmd->words.v[0].text : "";

	(void)arg;
	if (strcmp(verb, "bad") == 0) {
		ret->status = 65;
		ret->err = "ipfw: bad";
	} else if (strcmp(verb, "list") == 0) {
		ret->is_query = true;
		ret->out = before->list.n == 2 ? "two\n" : "other\n";
	}
}

TEST(ipfw_answers)
{
	struct exec_test t;

	init(&t);
	t.x.answer = answer;
	if (run(&t, "ipfw a; ipfw b\nipfw $(ipfw list)\nipfw bad 2>/dev/null || ipfw add $?\n"))
		CHECK_STR(recorded(&t), "1:a\n1:b\n2:two\n3:bad\n3:add 65\n");
	world_fini(&t.w);
}

TEST(messages)
{
	static const struct { enum diag_code code; const char *text; } cases[] = {
		{ DIAG_W2303, "ipfw add allow ip from any to any $none" },
		{ DIAG_W2303, "if true; then /sbin/ipfw -q ${none} x; fi" },
		{ DIAG_W2304, "route add default 1.2.3.4" }, { DIAG_W2304, "ifconfig em0 up" },
		{ DIAG_E2312, "wget x" }, { DIAG_E2312, "{ rm x; } 2>/dev/null" },
		{ DIAG_E2312, "sh -c :" }, { DIAG_E2313, "sleep 60" },
		{ DIAG_E2314, "set -e; false; ipfw x" }, { DIAG_E2314, "exit 2" },
		{ DIAG_E2314, "if" }, { DIAG_E2318, ". ./other.sh" },
		{ DIAG_E2315, "set +x; x=0123456789abcdef\n"
			      "while :; do x=$x$x$x$x; echo $x >&2; done" },
		{ DIAG_W2316, "sysctl -n kern.none" }, { DIAG_W2316, "ifconfig em9" },
		{ DIAG_W2316, "jls -j none ip4.addr" }, { DIAG_W2316, "hostname" },
		{ DIAG_W2317, "echo x >&2" }, { DIAG_W2317, "cat /etc/hosts" },
		{ DIAG_W2317, "echo x >/etc/motd" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exec_test t;

		init(&t);
		if (cases[i].code == DIAG_E2313)
			t.x.seconds = 1;
		if (!run(&t, cases[i].text)) {
			world_fini(&t.w);
			return;
		}
		if (!CHECK(langkit_count(&t.w.diags, cases[i].code) > 0) ||
		    !CHECK((diag_codes[cases[i].code].severity == DIAG_ERROR) == (t.err != 0)))
			unit_detail("    # of: %s\n", cases[i].text);
		world_fini(&t.w);
	}
}

/* A variable of another command of the line is none of the call's */
TEST(unset_variables_of_other_commands)
{
	check_run("[ -z \"$none\" ] && ipfw add 1\n"
		  "ipfw list | while read a; do ipfw add \"$a\"; done\n"
		  "ipfw add ${none:-2} '$none' # $none\n", "1:add 1\n2:list\n3:add 2 $none\n", "");
}

/* In a user namespace of its own: take the shell, or further namespaces, away, and run */
static int run_without(bool shell)
{
	static const char *const shells[] = { "/bin/busybox", "/usr/bin/busybox" };
	CLEANUP(base_file_close) FILE *f = NULL;
	struct exec_test t;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return 99;
	for (size_t i = 0; i < ARRAY_SIZE(shells) && !shell; i++)
		if (access(shells[i], X_OK) == 0 &&
		    mount("/dev/null", shells[i], NULL, MS_BIND, NULL) < 0)
			return 99;
	f = shell ? fopen("/proc/sys/user/max_user_namespaces", "w") : NULL;
	if (shell && (f == NULL || fputs("0\n", f) < 0 || fflush(f) != 0))
		return 99;
	init(&t);
	run(&t, "ipfw x\n");
	return langkit_count(&t.w.diags, shell ? DIAG_E2311 : DIAG_E2310) == 1 &&
	       t.err == (shell ? -ENOTSUP : -ENOEXEC);
}

TEST(a_missing_shell_and_namespaces_are_told)
{
	for (int shell = 0; shell < 2; shell++) {
		const pid_t pid = unit_fork();
		int status;

		if (pid == 0)
			_exit(run_without(shell));
		status = unit_wait(pid);
		if (status == 99)
			UNIT_SKIP("no user namespaces here");
		CHECK_INT(status, 1);
	}
}

static void run_until_full(struct exec_test *t, const char *text)
{
	jmp_buf full;

	t->w.a.cap_bytes = t->w.a.used_bytes + (1u << 20);
	t->w.a.full = &full;
	if (setjmp(full) == 0) {
		run(t, text);
		CHECK(unit.skip != NULL);
	} else {
		CHECK(t->w.a.used_bytes > 0);
	}
	t->w.a.full = NULL;
}

/* The way out of a full arena leaves no process behind: else wait() would find one */
TEST(a_full_arena_ends_the_run)
{
	struct exec_test t;

	init(&t);
	run_until_full(&t, "x=0123456789abcdef; x=$x$x$x$x$x$x$x$x; x=$x$x$x$x$x$x$x$x\n"
			   "while :; do ipfw $x$x$x$x; done\n");
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	world_fini(&t.w);
}

/* What becomes of each real file: "rules", "literal", "exec", or the code and line that refuse */
static const struct { const char *name, *without, *with, *why; } corpus[] = {
#include "ipfw_corpus.h"
};

static const char *first_error(struct world *w)
{
	for (uint32_t i = 0; i < w->diags.list.n; i++) {
		const struct diag *d = &w->diags.list.v[i];
		const struct span at = source_file_span(&w->sources, d->at);

		if (diag_codes[d->code].severity == DIAG_ERROR)
			return arena_printf(&w->a, "%s:%u", diag_codes[d->code].name,
					    source_place(&w->sources, at).line);
	}
	return "no error";
}

/* How a file is read without --exec, and with it if that is needed */
static void read_file(const char *path, const char **ret_without, const char **ret_with,
		      struct exec_test *t)
{
	uint32_t src;

	init(t);
	*ret_without = *ret_with = "";
	if (!CHECK_INT(sources_read(&t->w.sources, path, &src), 0))
		return;
	if (!ipfw_is_script(source_at(&t->w.sources, src))) {
		*ret_without = "rules";
		return;
	}
	if (ipfw_script_read(&t->w.c, src, &t->cmds)) {
		*ret_without = "literal";
		return;
	}
	*ret_without = first_error(&t->w);
	diags_init(&t->w.diags, &t->w.a, &t->w.sources);
	t->cmds = (struct ipfw_cmds){ .list = { .n = 0 } };
	if (run_source(t, src))
		*ret_with = t->err == 0 ? "exec" : first_error(&t->w);
}

TEST(corpus_is_read_or_refused_with_a_reason)
{
	const char *dir = getenv("SALLYPORT_CORPUS");
	struct dirent **list = NULL;
	char path[4096];
	int n, n_files = 0;

	snprintf(path, sizeof(path), "%s/ipfw", dir != NULL ? dir : "/nonexistent");
	n = scandir(path, &list, NULL, alphasort);
	if (n < 0)
		UNIT_SKIP("../shared absent");
	for (int i = 0; i < n && unit.skip == NULL; i++) {
		const char *name = list[i]->d_name, *dot = strrchr(name, '.');
		const char *without, *with;
		struct exec_test t;
		size_t k = 0;

		if (name[0] == '.' || (dot != NULL && strcmp(dot, ".src") == 0))
			continue;
		while (k < ARRAY_SIZE(corpus) && strcmp(corpus[k].name, name) != 0)
			k++;
		snprintf(path, sizeof(path), "%s/ipfw/%s", dir, name);
		read_file(path, &without, &with, &t);
		n_files++;
		if (unit.skip == NULL && (k == ARRAY_SIZE(corpus) ||
		    !CHECK_STR(without, corpus[k].without) || !CHECK_STR(with, corpus[k].with)))
			unit_detail("    # %s: without '%s', with '%s' (%s)\n", name, without, with,
				    k < ARRAY_SIZE(corpus) ? corpus[k].why : "not listed");
		CHECK(k < ARRAY_SIZE(corpus));
		world_fini(&t.w);
	}
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
	CHECK(unit.skip != NULL || n_files == (int)ARRAY_SIZE(corpus));
}
