/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang_golden.h"

/* Lower a jail.conf that must be without errors */
static void load(struct world *w, const char *text)
{
	world_init(w);
	world_text(w, "jail.conf", text);
	decl_finish(&w->decl, &w->diags);
	if (w->diags.n_errors > 0) {
		char *told = langkit_told(&w->diags);

		CHECK_STR(told, "");
		free(told);
	}
}

static const struct decl_jail *jail(struct world *w, const char *name)
{
	static const struct decl_jail none;
	const struct decl_jail *j = decl_find_jail(&w->decl, name);

	CHECK(j != NULL);
	return j != NULL ? j : &none;
}

/* Values of a parameter with "," between, "-" if the jail does not have it */
static const char *param(struct world *w, const char *jail_name, const char *name)
{
	const struct decl_jail *j = jail(w, jail_name);

	for (uint32_t i = 0; i < j->params.n; i++) {
		const struct decl_param *p = &j->params.v[i];
		const char *all = "";

		if (strcmp(p->name, name) != 0)
			continue;
		for (uint32_t n = 0; n < p->values.n; n++)
			all = arena_printf(&w->a, "%s%s%s", all, n > 0 ? "," : "", p->values.v[n]);
		return all;
	}
	return "-";
}

/* Addresses as "lo1|10.0.0.2/32", with " " between */
static const char *addrs(struct world *w, const char *jail_name)
{
	const struct decl_jail *j = jail(w, jail_name);
	const char *all = "";
	char text[ADDR_TEXT_BYTES];

	for (uint32_t i = 0; i < j->addrs.n; i++) {
		const struct decl_addr *a = &j->addrs.v[i];

		CHECK_STR(a->jail, jail_name);
		all = arena_printf(&w->a, "%s%s%s|%s", all, i > 0 ? " " : "",
				   a->iface != NULL ? a->iface : "", prefix_print(a->p, text));
	}
	return all;
}

TEST(golden)
{
	golden_dir("jail", "14");
}

TEST(web_and_db)
{
	struct world w;

	load(&w,
	     "# defaults\n"
	     "exec.start = \"/bin/sh /etc/rc\";\n"
	     "exec.stop = \"/bin/sh /etc/rc.shutdown\";\n"
	     "exec.clean; mount.devfs;\n"
	     "path = \"/usr/local/jails/$name\";\n"
	     "mount.fstab = \"/etc/fstab.$name\";\n"
	     "allow.noraw_sockets;\n"
	     "www {\n"
	     "\thost.hostname = \"www.example.org\";\n"
	     "\tip4.addr = \"lo1|192.168.100.2/32\";\n"
	     "\tallow.raw_sockets = 1;\n"
	     "}\n"
	     "db { ip4.addr = \"lo1|192.168.100.3/32\"; host.hostname = db; }\n");
	CHECK_INT(w.decl.jails.n, 2);
	CHECK_STR(addrs(&w, "www"), "lo1|192.168.100.2/32");
	CHECK_STR(addrs(&w, "db"), "lo1|192.168.100.3/32");
	CHECK_STR(jail(&w, "www")->hostname, "www.example.org");
	CHECK_STR(param(&w, "www", "path"), "/usr/local/jails/www");
	CHECK_STR(param(&w, "db", "mount.fstab"), "/etc/fstab.db");
	CHECK_STR(param(&w, "www", "exec.clean"), "");
	CHECK_STR(param(&w, "www", "allow.raw_sockets"), "1");
	CHECK_STR(param(&w, "www", "allow.noraw_sockets"), "-");
	CHECK_STR(param(&w, "db", "allow.noraw_sockets"), "");
	CHECK(jail(&w, "www")->is_enabled && !jail(&w, "www")->is_vnet);
	CHECK_INT(w.decl.links.n, 1);
	CHECK_STR(w.decl.links.v[0].name, "lo1");
	world_fini(&w);
}

TEST(strings)
{
	struct world w;

	load(&w,
	     "$a = \"A\"; $list = 1, 'two words', 3;\n"
	     "s {\n"
	     "\tv.bare = x/y*z+1;\n"
	     "\tv.joined = a\"b $a\"'c $a'$a${a}x;\n"
	     "\tv.escapes = \"t\\tq\\\"x\\x41o\\101b\\\\d\\$a\";\n"
	     "\tv.single = 'it\\'s $a \\x41';\n"
	     "\tv.dollar = \"$ $1 5$\";\n"
	     "\tv.empty = \"\", '';\n"
	     "\tv.lines = \"one \\\n"
	     "two\", thr\\\n"
	     "ee, \\\n"
	     "four;\n"
	     "\tv.several = \"one\ntwo\";\n"
	     "\tv.list = $list, 4;\n"
	     "\tv.noequals value;\n"
	     "\tv.comment = a#b;\n"
	     "\t;\n"
	     "\tv.slashes = a//b;\n"
	     "\t;\n"
	     "\tv.c = /* x */ a /* ; */ ;;\n"
	     "\t\"v.quoted name\" = 1;\n"
	     "\tv.crlf = 1;\r\n"
	     "}");
	CHECK_STR(param(&w, "s", "v.bare"), "x/y*z+1");
	CHECK_STR(param(&w, "s", "v.joined"), "ab Ac $aAAx");
	CHECK_STR(param(&w, "s", "v.escapes"), "t\tq\"xAoAb\\d$a");
	CHECK_STR(param(&w, "s", "v.single"), "it's $a A");
	CHECK_STR(param(&w, "s", "v.dollar"), "$ $1 5$");
	CHECK_STR(param(&w, "s", "v.empty"), ",");
	CHECK_STR(param(&w, "s", "v.lines"), "one two,three,four");
	CHECK_STR(param(&w, "s", "v.several"), "one\ntwo");
	CHECK_STR(param(&w, "s", "v.list"), "1,two words,3,4");
	CHECK_STR(param(&w, "s", "v.noequals"), "value");
	CHECK_STR(param(&w, "s", "v.comment"), "a");
	CHECK_STR(param(&w, "s", "v.slashes"), "a");
	CHECK_STR(param(&w, "s", "v.c"), "a");
	CHECK_STR(param(&w, "s", "v.quoted name"), "1");
	CHECK_STR(param(&w, "s", "$list"), "1,two words,3");
	world_fini(&w);
}

/* What is later in the file overrides, whatever kind of block it stands in */
TEST(inheritance)
{
	struct world w;

	load(&w,
	     "v = global; l = 0;\n"
	     "* { v = wild; l += 1; x = \"$name/$y\"; $y = Y; }\n"
	     "a { v = own; l += 2, 3; }\n"
	     "a.b { l = 9; $y = own; }\n"
	     "a.b.c { }\n"
	     "d { v; }\n"
	     "a.* { v = child; }\n"
	     "*.b { w = any; }\n"
	     "l += 4;\n"
	     "* { z = last; }\n");
	CHECK_INT(w.decl.jails.n, 4);
	CHECK_STR(param(&w, "a", "v"), "own");
	CHECK_STR(param(&w, "a", "l"), "0,1,2,3,4");
	CHECK_STR(param(&w, "a", "x"), "a/Y");
	CHECK_STR(param(&w, "a", "w"), "-");
	CHECK_STR(param(&w, "a.b", "v"), "child");
	CHECK_STR(param(&w, "a.b", "l"), "9,4");
	CHECK_STR(param(&w, "a.b", "x"), "a.b/own");
	CHECK_STR(param(&w, "a.b", "w"), "any");
	CHECK_STR(param(&w, "a.b.c", "v"), "child");
	CHECK_STR(param(&w, "a.b.c", "w"), "-");
	CHECK_STR(param(&w, "d", "v"), "");
	CHECK_STR(param(&w, "d", "l"), "0,1,4");
	CHECK_STR(param(&w, "d", "z"), "last");
	world_fini(&w);
}

TEST(variables)
{
	struct world w;

	load(&w,
	     "$root = \"/jails/${host.hostname}\"; host.hostname = default;\n"
	     "www {\n"
	     "\tpath = \"$root/$name\";\n"
	     "\thost.hostname = \"$name.$domain\";\n"
	     "\t$domain = example.org;\n"
	     "\t$id = 7; ip4.addr = \"lo1|10.0.0.$id/32\"; ip6.addr = \"lo1|fd00::${id}\";\n"
	     "}\n"
	     "12 { name = \"twelve\"; path = \"/$jid/$name\"; }\n"
	     "13 { path = \"/$jid\"; }\n");
	CHECK_STR(param(&w, "www", "path"), "/jails/www.example.org/www");
	CHECK_STR(jail(&w, "www")->hostname, "www.example.org");
	CHECK_STR(addrs(&w, "www"), "lo1|10.0.0.7/32 lo1|fd00::7/128");
	CHECK_STR(param(&w, "twelve", "path"), "/12/twelve");
	CHECK_STR(param(&w, "13", "path"), "/13");
	world_fini(&w);
}

TEST(defines)
{
	struct world w;

	world_init(&w);
	w.defines[0] = (struct lang_define){ "id", "9" };
	w.c.n_defines = 1;
	world_text(&w, "jail.conf", "$id = 7; www { ip4.addr = \"lo1|10.0.0.$id\"; }\n");
	CHECK_INT(w.diags.list.n, 0);
	CHECK_STR(addrs(&w, "www"), "lo1|10.0.0.9/32");
	world_fini(&w);
}

TEST(addresses)
{
	struct world w;

	load(&w,
	     "a { ip4.addr = 10.0.0.1, \"10.0.0.2,10.0.0.3/24\", ''; ip6.addr = fd00::1; }\n"
	     "b { interface = lo1; ip4.addr = \"10.0.1.1\", \"lo2|10.0.1.2/29\"; }\n"
	     "c { ip4.addr = \"igb0|10.0.2.1 netmask 255.255.255.255\",\n"
	     "\t\"igb0|10.0.2.2 netmask 0xffffff00 broadcast 10.0.2.255\",\n"
	     "\t\"igb0|10.0.2.3/255.255.0.0 mtu 1400\";\n"
	     "    ip6.addr = \"lo1|fd00::2/64\", \"lo1|fd00::3 prefixlen 112\";\n"
	     "    ip6.addr += \"lo1|2001:DB8:0:0::4\"; }\n"
	     "d { ip4 = inherit; ip6 = disable; }\n"
	     "e { ip4.addr = \"lo1|10.0.0.9/32\", \"lo1|10.0.0.9\"; }\n");
	CHECK_STR(addrs(&w, "a"), "|10.0.0.1/32 |10.0.0.2/32 |10.0.0.3/24 |fd00::1/128");
	CHECK_STR(addrs(&w, "b"), "lo1|10.0.1.1/32 lo2|10.0.1.2/29");
	CHECK_STR(addrs(&w, "c"), "igb0|10.0.2.1/32 igb0|10.0.2.2/24 igb0|10.0.2.3/16 "
				  "lo1|fd00::2/64 lo1|fd00::3/112 lo1|2001:db8::4/128");
	CHECK_STR(addrs(&w, "d"), "");
	CHECK_STR(addrs(&w, "e"), "lo1|10.0.0.9/32");
	CHECK_STR(param(&w, "c", "ip4.addr"), "igb0|10.0.2.1 netmask 255.255.255.255,"
		  "igb0|10.0.2.2 netmask 0xffffff00 broadcast 10.0.2.255,"
		  "igb0|10.0.2.3/255.255.0.0 mtu 1400");
	CHECK_INT(w.decl.links.n, 2);
	CHECK_INT(w.diags.list.n, 0);
	world_fini(&w);
}

TEST(vnet)
{
	static const struct {
		const char *text;
		bool is_vnet;
	} cases[] = {
		{ "vnet;", true }, { "vnet = new;", true }, { "vnet = true;", true },
		{ "vnet = 1;", true }, { "vnet; novnet;", false }, { "vnet = inherit;", false },
		{ "vnet = false;", false }, { "novnet;", false }, { "persist;", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;

		world_init(&w);
		world_text(&w, "jail.conf",
			   arena_printf(&w.a, "j { %s }", cases[i].text));
		CHECK_INT(jail(&w, "j")->is_vnet, cases[i].is_vnet);
		decl_finish(&w.decl, &w.diags);
		CHECK_INT(langkit_count(&w.diags, DIAG_W1455), cases[i].is_vnet);
		CHECK_INT(jail(&w, "j")->vnet.host_if != NULL, cases[i].is_vnet);
		world_fini(&w);
	}
}

/* Several files are several declarations: defaults do not leak from one to another */
TEST(several_files)
{
	struct world w;

	world_init(&w);
	world_text(&w, "a.jail.conf", "v = 1; a { }\n");
	world_text(&w, "b.jail.conf", "b { }\n");
	world_text(&w, "c.jail.conf", "a { }\n");
	CHECK_STR(param(&w, "a", "v"), "1");
	CHECK_STR(param(&w, "b", "v"), "-");
	CHECK_INT(langkit_count(&w.diags, DIAG_E1413), 1);
	CHECK_INT(w.decl.jails.n, 2);
	world_fini(&w);
}

/* Files of a loader's own */
static int load_one(void *arg, struct sources *s, const char *path, uint32_t *ret_src)
{
	const char *text = strcmp(path, "etc/more/x.conf") == 0 ? ".include \"y.conf\"; x { }" :
			   strcmp(path, "etc/more/y.conf") == 0 ? "v = y;" : NULL;

	(void)arg;
	if (text == NULL)
		return -ENOENT;
	*ret_src = sources_add(s, path, text, (uint32_t)strlen(text), SPAN_NONE);
	return 0;
}

static int glob_one(void *arg, struct arena *a, const char *pattern, struct lang_paths *out)
{
	(void)arg;
	if (strcmp(pattern, "etc/more/*.conf") == 0)
		vec_add(a, &out->list, "etc/more/x.conf");
	return strcmp(pattern, "/closed/*") == 0 ? -EACCES : 0;
}

TEST(include)
{
	static const struct lang_loader loader = { .read = load_one, .glob = glob_one };
	struct world w;

	world_init(&w);
	w.c.loader = &loader;
	world_text(&w, "etc/jail.conf", ".include \"more/*.conf\";\n"
		   ".include 'none/*';\n"
		   "www { }\n"
		   ".include \"/closed/*\";\n"
		   ".include \"gone\";\n");
	CHECK_STR(param(&w, "x", "v"), "y");
	CHECK_STR(param(&w, "www", "v"), "y");
	CHECK_INT(langkit_count(&w.diags, DIAG_E1001), 2);
	CHECK_INT(w.diags.list.n, 2);
	world_fini(&w);
}

/* A default that is wrong for every jail is told once, with its help, among other errors */
TEST(doubles)
{
	struct world w;

	world_init(&w);
	world_text(&w, "jail.conf", "ip4 = inherits;\na { ip4.addr = x; }\nb { ip4.addr = y; }\n");
	CHECK_INT(w.diags.list.n, 3);
	for (uint32_t i = 0; i < w.diags.list.n; i++)
		CHECK_INT(w.diags.list.v[i].more.n, w.diags.list.v[i].code == DIAG_E1419);
	world_fini(&w);
}

/* LIMIT_NESTING variables deep is allowed, one more is not */
TEST(deep_variables)
{
	for (uint32_t depth = LIMIT_NESTING; depth <= LIMIT_NESTING + 1; depth++) {
		struct world w;
		const char *text = "v0 = end;";

		world_init(&w);
		/* Each stands before what it uses, so that none is replaced yet */
		for (uint32_t i = 1; i <= depth; i++)
			text = arena_printf(&w.a, "v%u = \"${v%u}\";\n%s", i, i - 1, text);
		world_text(&w, "jail.conf", arena_printf(&w.a, "%s j { }", text));
		CHECK_INT(langkit_count(&w.diags, DIAG_E1408), depth > LIMIT_NESTING);
		world_fini(&w);
	}
}

/* Whatever is cut out of a good file, every span lies in it and nothing crashes */
TEST(mutations)
{
	static const char good[] =
		"$a = \"x\"; /* c */ * { path = \"/$name/${a}\"; }\n"
		"www { ip4.addr = \"lo1|10.0.0.2/32\", 'lo1|10.0.0.3'; ip6.addr += fd00::1; # c\n"
		"allow.nomount; exec.start = a\\x41\\\n; vnet = inherit; } // c\n"
		"db { depend = www; ip4 = disable; interface = lo1; ip4.addr = 10.0.0.4/29; }\n";
	static const char bytes[] = "\"'{};=,+$\\/*# \nax0|\x80";

	for (int i = 0; i < 3000; i++) {
		char text[sizeof(good)];
		struct world w;

		memcpy(text, good, sizeof(good));
		langkit_damage(text, bytes);
		world_init(&w);
		world_text(&w, "jail.conf", text);
		decl_finish(&w.decl, &w.diags);
		langkit_spans_check(&w.diags);
		world_fini(&w);
	}
}
