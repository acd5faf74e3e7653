/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One front for the places that serve the same names, one back for each pool and
 * kind.  What asks for no known name meets a back that refuses: HTTP by 421, TLS
 * by closing, so that no jail is anybody's default.
 */
#include <stdio.h>

#include "target/haproxy/program.h"

static const struct {
	const char *name;	/* of fronts and backs */
	const char *mode;
	const char *fetch;	/* the name that the client asks for */
	const char *accept;	/* what stands before the choice */
	const char *refuse;	/* what the back without servers does */
	const char *serve;	/* and what one with servers does to requests */
} kinds[WEB_KINDS] = {
	[WEB_HTTP] = {
		"http", "http", "var(txn.name)",
		"\thttp-request set-var(txn.name) req.hdr(host),field(1,:),lower,rtrim(.)\n",
		"\thttp-request deny deny_status 421\n",
		"\thttp-request set-header X-Forwarded-For %[src]\n"
		"\thttp-request set-header X-Forwarded-Proto http\n",
	},
	[WEB_TLS] = {
		"tls", "tcp", "var(sess.name)",
		"\ttcp-request inspect-delay 5s\n"
		"\ttcp-request content set-var(sess.name) req.ssl_sni,lower,rtrim(.) "
		"if { req.ssl_hello_type 1 }\n"
		"\ttcp-request content accept if { req.ssl_hello_type 1 }\n"
		"\ttcp-request content reject\n",
		"\ttcp-request content reject\n",
		"",
	},
};

static const char head[] =
	"# Names of the web that jails answer to: HTTP by the Host header, TLS passed\n"
	"# through by the server name. Written from jail.conf: change it there.\n"
	"\n"
	"global\n"
	"\tlog /dev/log local0 info\n"
	"\tchroot /var/lib/haproxy\n"
	"\tuser haproxy\n"
	"\tgroup haproxy\n"
	"\n"
	"defaults\n"
	"\tlog global\n"
	"\toption dontlognull\n"
	"\ttimeout connect 5s\n"
	"\ttimeout client 60s\n"
	"\ttimeout server 60s\n"
	"\ttimeout tunnel 1h\n"
	"\ttimeout http-request 10s\n"
	"\ttimeout http-keep-alive 10s\n";

static void print_place(struct addr a, uint16_t port, FILE *out)
{
	char text[ADDR_TEXT_BYTES];

	fprintf(out, a.af == AF_V6 ? "[%s]:%u" : "%s:%u", addr_print(a, text), port);
}

/* @number: of the fronts of this kind, from 1 on */
static void print_front(const struct haproxy_program *p, const struct web_front *f,
			uint32_t number, FILE *out)
{
	fprintf(out, "\nfrontend %s-%u\n\tmode %s\n", kinds[f->kind].name, number,
		kinds[f->kind].mode);
	for (uint32_t i = 0; i < f->binds.n; i++) {
		fputs("\tbind ", out);
		print_place(f->binds.v[i].addr, f->binds.v[i].port, out);
		putc('\n', out);
	}
	fputs(kinds[f->kind].accept, out);
	for (uint32_t i = 0; i < f->choices.n; i++) {
		const struct web_choice *c = &f->choices.v[i];
		const bool is_any = c->name[0] == '*';

		fprintf(out, "\tuse_backend %s-%s if { %s -m %s %s }\n", kinds[f->kind].name,
			p->pools.v[c->pool].id, kinds[f->kind].fetch, is_any ? "end" : "str",
			c->name + is_any);
	}
	fprintf(out, "\tdefault_backend %s:refused\n", kinds[f->kind].name);
}

static void print_back(const struct web_pool *pool, enum web_kind kind, FILE *out)
{
	fprintf(out, "\nbackend %s-%s\n\tmode %s\n%s", kinds[kind].name, pool->id, kinds[kind].mode,
		kinds[kind].serve);
	if (pool->servers.n > 1)
		fputs("\tbalance source\n", out);
	for (uint32_t i = 0; i < pool->servers.n; i++) {
		const struct web_server *s = &pool->servers.v[i];

		fprintf(out, "\tserver %s ", s->jail);
		print_place(s->addr, s->port[kind], out);
		fprintf(out, "%s check\n", s->is_proxy ? " send-proxy-v2 check-send-proxy" : "");
	}
}

void haproxy_text(const struct haproxy_program *p, FILE *out)
{
	uint32_t number[WEB_KINDS] = { 0 };

	fputs(head, out);
	for (uint32_t i = 0; i < p->fronts.n; i++) {
		const struct web_front *f = &p->fronts.v[i];

		print_front(p, f, ++number[f->kind], out);
	}
	for (int kind = 0; kind < WEB_KINDS; kind++) {
		for (uint32_t i = 0; i < p->pools.n; i++)
			print_back(&p->pools.v[i], (enum web_kind)kind, out);
		fprintf(out, "\nbackend %s:refused\n\tmode %s\n%s", kinds[kind].name,
			kinds[kind].mode, kinds[kind].refuse);
	}
}
