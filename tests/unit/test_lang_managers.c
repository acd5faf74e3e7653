/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/ezjail.h"
#include "lang/iocage.h"
#include "lang/jail_make.h"
#include "lang/json.h"
#include "lang_golden.h"

static uint32_t add(struct world *w, const char *name, const char *text)
{
	return sources_add(&w->sources, name, text, (uint32_t)strlen(text), SPAN_NONE);
}

/* The values of a jail's parameter, "," between; "-": it does not have it */
static const char *param(struct world *w, const char *name, const char *param_name)
{
	const struct decl_jail *j = decl_find_jail(&w->decl, name);

	for (uint32_t i = 0; j != NULL && i < j->params.n; i++) {
		const struct decl_param *p = &j->params.v[i];
		const char *all = "";

		for (uint32_t n = 0; n < p->values.n; n++)
			all = arena_printf(&w->a, "%s%s%s", all, n > 0 ? "," : "", p->values.v[n]);
		if (strcmp(p->name, param_name) == 0)
			return all;
	}
	return "-";
}

static void load_rc(struct world *w, const char *text)
{
	world_init(w);
	world_text(w, "rc.conf", text);
	decl_finish(&w->decl, &w->diags);
	CHECK_INT(w->diags.n_errors, 0);
}

TEST(rc_jails)
{
	struct world w;

	load_rc(&w,
		"cloned_interfaces=lo1\n"
		"jail_list='cell www.ex-1'\n"
		"jail_interface=lo1 jail_devfs_enable=YES\n"
		"jail_cell_rootdir=/usr/jail/cell; jail_cell_hostname=cell.example.org\n"
		"jail_cell_ip='10.0.0.1, fd00:7::1'\n"
		"jail_cell_interface=fxp0 jail_cell_devfs_enable=NO\n"
		"jail_www_ex_1_ip='10.0.0.2,lo2|10.0.0.3/24'\n"
		"jail_www_ex_1_ip_multi0='10.0.0.4 netmask 0xffffff00'\n"
		"jail_www_ex_1_exec_start='/bin/sh /etc/rc'\n"
		"jail_www_ex_1_parameters='allow.raw_sockets=1 allow.sysvipc'\n"
		"jail_other_flags='-l'\n");
	CHECK_INT(w.decl.jails.n, 2);
	CHECK_STR(param(&w, "cell", "ip4.addr"), "10.0.0.1");
	CHECK_STR(param(&w, "cell", "ip6.addr"), "fd00:7::1");
	CHECK_STR(param(&w, "cell", "interface"), "fxp0");
	CHECK_STR(param(&w, "cell", "mount.devfs"), "-");
	CHECK_STR(param(&w, "cell", "path"), "/usr/jail/cell");
	CHECK_STR(param(&w, "www.ex-1", "ip4.addr"),
		  "10.0.0.2,lo2|10.0.0.3/24,10.0.0.4 netmask 0xffffff00");
	CHECK_STR(param(&w, "www.ex-1", "interface"), "lo1");
	CHECK_STR(param(&w, "www.ex-1", "mount.devfs"), "");
	CHECK_STR(param(&w, "www.ex-1", "exec.start"), "/bin/sh /etc/rc");
	CHECK_STR(param(&w, "www.ex-1", "allow.raw_sockets"), "1");
	CHECK_STR(param(&w, "www.ex-1", "allow.sysvipc"), "");
	world_fini(&w);
}

/* Of two declarations the one that rc.d/jail takes counts, in whatever order they come */
TEST(ranks)
{
	static const struct { const char *name, *text; } files[] = {
		{ "etc/jail.conf", "www { ip4.addr = 10.0.0.1; } db { ip4.addr = 10.0.1.1; }" },
		{ "etc/jail.conf.d/www.conf", "www { ip4.addr = 10.0.0.2; }" },
		{ "etc/jail.www.conf", "www { ip4.addr = 10.0.0.3; }" },
	};

	for (int turn = 0; turn < 6; turn++) {
		const int order[3] = { turn % 3, (turn % 3 + 1 + turn / 3) % 3,
				       (turn % 3 + 2 - turn / 3) % 3 };
		struct world w;

		world_init(&w);
		for (int i = 0; i < 3; i++)
			jail_lower(&w.c, jail_parse(&w.c, add(&w, files[order[i]].name,
							      files[order[i]].text)), &w.decl);
		CHECK_INT(w.decl.jails.n, 2);
		CHECK_STR(param(&w, "www", "ip4.addr"), "10.0.0.3");
		CHECK_STR(param(&w, "db", "ip4.addr"), "10.0.1.1");
		CHECK_INT(langkit_count(&w.diags, DIAG_N1436), 2);
		CHECK_INT(w.diags.n_errors, 0);
		world_fini(&w);
	}
}

static void load_iocage(struct world *w, const char *text, const char *defaults)
{
	world_init(w);
	jail_lower(&w->c, iocage_parse(&w->c, add(w, "jails/web/config.json", text),
				       defaults != NULL ? add(w, "defaults.json", defaults) : 0),
		   &w->decl);
}

TEST(iocage)
{
	struct world w;

	load_iocage(&w, "{ \"ip4_addr\": \"lo1|10.1.1.4, lo1|10.1.1.5/32\", \"nat\": \"yes\","
		    " \"nat_forwards\": \"tcp(80:8080),udp(53)\", \"allow_raw_sockets\": true,"
		    " \"exec_start\": \"\\u002fbin\\/sh\" }",
		    "{ \"nat_interface\": \"igb0\", \"nat\": 0, \"securelevel\": 3 }");
	CHECK_INT(w.diags.n_errors, 0);
	CHECK_STR(param(&w, "web", "ip4.addr"), "lo1|10.1.1.4,lo1|10.1.1.5/32");
	CHECK_STR(param(&w, "web", "$nat"), "igb0");
	CHECK_STR(param(&w, "web", "$forward"), "tcp 8080:80,udp 53");
	CHECK_STR(param(&w, "web", "allow.raw_sockets"), "");
	CHECK_STR(param(&w, "web", "exec.start"), "/bin/sh");
	CHECK_STR(param(&w, "web", "securelevel"), "3");
	world_fini(&w);
	for (const char *const *on = (const char *const[]){ "1", "\"1\"", "\"on\"", "\"Yes\"",
							     "\"true\"", "true", NULL };
	     *on != NULL; on++) {
		char text[128];

		snprintf(text, sizeof(text), "{ \"allow_mount\": %s, \"nat\": \"off\" }", *on);
		load_iocage(&w, text, NULL);
		CHECK_STR(param(&w, "web", "allow.mount"), "");
		CHECK_STR(param(&w, "web", "$nat"), "-");
		world_fini(&w);
	}
}

TEST(iocage_vnet)
{
	struct world w;

	load_iocage(&w, "{ \"vnet\": 1, \"ip4_addr\": \"vnet0|10.0.0.2/24,vnet1|10.1.0.2/24\","
		    " \"interfaces\": \"vnet0:bridge0\", \"defaultrouter\": \"10.0.0.1\" }", NULL);
	CHECK_INT(langkit_count(&w.diags, DIAG_E2605), 1);
	CHECK_STR(param(&w, "web", "$address"), "10.0.0.2/24");
	CHECK_STR(param(&w, "web", "$bridge"), "bridge0");
	CHECK_STR(param(&w, "web", "$gateway"), "10.0.0.1");
	world_fini(&w);
}

TEST(ezjail)
{
	struct world w;

	world_init(&w);
	jail_lower(&w.c, ezjail_parse(&w.c, add(&w, "cell",
						"# PROVIDE: x\n"
						"export jail_cell_hostname=\"cell\"\n"
						"export jail_cell_ip=\"lo1|10.0.0.2,"
						"igb0|192.0.2.5\"\n"
						"export jail_cell_exec_stop=\"\"\n")), &w.decl);
	CHECK_STR(param(&w, "cell", "ip4.addr"), "lo1|10.0.0.2,igb0|192.0.2.5");
	CHECK_STR(param(&w, "cell", "exec.stop"), "-");
	CHECK_INT(w.diags.n_errors, 0);
	world_fini(&w);
}

static bool is_json(const char *text)
{
	struct world w;
	struct json v;
	bool good;

	world_init(&w);
	good = json_parse(&w.c, add(&w, "x.json", text), &v);
	CHECK(good == (w.diags.n_errors == 0));
	langkit_spans_check(&w.diags);
	world_fini(&w);
	return good;
}

TEST(json)
{
	static const char *const good[] = {
		"{}", " [ ] ", "0", "-0.5e+10", "\"\"", "[1, [2, {}], null]", "\"\\ud83d\\ude00\"",
		"{\"a\": {\"a\": 1}, \"b\": 2}",
	};
	static const char *const bad[] = {
		"", "{", "[1,]", "{\"a\":1,}", "{a: 1}", "01", "1.", "+1", "nul", "\"\\x\"",
		"\"\\u12\"", "\"\\ud83d\"", "\"\\ude00\"", "\"a", "{} {}", "{\"a\" 1}", "\"\t\"",
		"{\"a\":1 \"b\":2}", "'a'", "{\"a\":1,\"a\":1}",
	};
	struct world w;
	struct json v;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		CHECK(is_json(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(!is_json(bad[i]));
	world_init(&w);
	CHECK(json_parse(&w.c, add(&w, "x.json", "[\"\\ud83d\\ude00\\u00e9\"]"), &v));
	CHECK_STR(v.members.v[0].value.s, "\xf0\x9f\x98\x80\xc3\xa9");
	world_fini(&w);
}

TEST(json_limits)
{
	for (uint32_t n = LIMIT_JSON_MEMBERS; n <= LIMIT_JSON_MEMBERS + 1; n++) {
		char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);

		for (uint32_t i = 0; i < n; i++)
			fputs(i == 0 ? "[1" : ",1", out);
		fputs("]", out);
		fclose(out);
		CHECK(is_json(text) == (n == LIMIT_JSON_MEMBERS));
		free(text);
	}
}

/* Formatting changes no value, and its own output not at all */
TEST(fmt)
{
	static const char *const texts[] = {
		"", "# only\n", "/* a */ /* b */\n\n\n# c",
		"a;;b = 'x y' , $z\n, \"${q.r}\";$z=1;${q.r}=2;",
		"www{}", "www {\n\n# in\n\n}\n# after", "w { a = 1, # why\n 2; b /* x */ = 3; }",
		"w { e = \"two\nlines\\t\\x01\\\"\\$a\"; f = a\"b\"'c'$e; } *.x { g 1; }",
		"x = \"$name\"y; '$odd name' = ''; w { h = ${a\"b}z; ${a\"b} = 1; }",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char *once = NULL, *twice = NULL;
		size_t len;
		struct world w;
		FILE *out = open_memstream(&once, &len);

		world_init(&w);
		jail_fmt(&w.c, add(&w, "jail.conf", texts[i]), out);
		fclose(out);
		out = open_memstream(&twice, &len);
		jail_fmt(&w.c, add(&w, "jail.conf", once), out);
		fclose(out);
		CHECK_STR(twice, once);
		for (int n = 0; n < 2; n++) {
			char *tree[2] = { NULL, NULL };

			for (int k = 0; k < 2; k++) {
				out = open_memstream(&tree[k], &len);
				jail_print(jail_parse(&w.c, add(&w, "jail.conf",
								k == 0 ? texts[i] : once)), out);
				fclose(out);
			}
			CHECK_STR(tree[1], tree[0]);
			free(tree[0]);
			free(tree[1]);
		}
		CHECK_INT(w.diags.n_errors, 0);
		free(once);
		free(twice);
		world_fini(&w);
	}
}
