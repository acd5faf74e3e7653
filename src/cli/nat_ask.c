/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/nat_ask.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/nat_run.h"
#include "host/state.h"

#define SECONDS		60	/* rules may be many */

void nat_control_address(struct sockaddr_un *at, int dir_fd)
{
	/* Its own path may be longer than an address can be */
	snprintf(at->sun_path, sizeof(at->sun_path), "/proc/self/fd/%d/" NAT_CONTROL_NAME,
		 dir_fd);
}

static int call(struct cli *c)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	CLEANUP(base_fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval limit = { .tv_sec = SECONDS };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int err = fd < 0 ? -errno : state_open(&st, c->state_dir, STATE_READ, 0);

	if (err < 0)
		return err;
	if (st.dir_fd < 0)
		return -ENOENT;
	nat_control_address(&at, st.dir_fd);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return errno == ECONNREFUSED ? -ENOENT : -errno;
	return base_take_fd(&fd);
}

static int converse(struct cli *c, const char *what, char **ret)
{
	CLEANUP(base_fd_close) int fd = call(c);
	char *text;
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	text = arena_printf(&c->arena, "{\"do\": \"%s\"}\n", what);
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return -errno;
	text = arena_alloc(&c->arena, NAT_ANSWER_BYTES);
	do {
		n = read(fd, text + len, NAT_ANSWER_BYTES - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	text[len] = '\0';
	*ret = text;
	return n < 0 ? -errno : len == 0 ? -ECONNRESET : 0;
}

int nat_ask(struct cli *c, const char *what, struct json *ret)
{
	struct lang_ctx ctx = { .a = &c->arena, .names = &c->names, .sources = &c->sources,
				.diags = &c->diags };
	char nothing[] = "", *text = nothing;
	const int err = converse(c, what, &text);

	if (err < 0)
		return err;
	return json_parse(&ctx, sources_add(&c->sources, "answer of the NAT", text,
					    (uint32_t)strlen(text), SPAN_NONE), ret) ?
		0 : -EBADMSG;
}

/* A member's text, "" where there is none */
static const char *member(const struct json *object, const char *name)
{
	const struct json *v = object != NULL ? json_find(object, name) : NULL;

	return v != NULL && v->s != NULL ? v->s : "";
}

static int told(struct cli *c, const struct json *answer)
{
	const int status = atoi(member(answer, "status"));

	if (status != 0)
		diag_add(&c->diags, DIAG_E2805, SPAN_NONE, "the NAT goes on as it was: %s %s",
			 member(answer, "error"), member(answer, "code"));
	return status;
}

int nat_ask_reload(struct cli *c, bool *ret_runs)
{
	struct json answer;
	const int err = nat_ask(c, "reload", &answer);

	if (ret_runs != NULL)
		*ret_runs = err != -ENOENT;
	if (err == -ENOENT)
		return 0;
	return err < 0 ? cli_system(c, err, "have the NAT read its rules anew") :
			 told(c, &answer);
}

int nat_ask_status(struct cli *c, const struct json **ret)
{
	struct json *answer = arena_new(&c->arena, struct json);
	const int err = nat_ask(c, "status", answer);

	*ret = NULL;
	/* Who may not ask sees none */
	if (err == -ENOENT || err == -EACCES || err == -EPERM)
		return 0;
	if (err < 0)
		return cli_system(c, err, "ask the NAT");
	*ret = json_find(answer, "nat");
	return 0;
}

static bool read_place(const struct json *v, struct nft_traffic *ret)
{
	const struct json_member *m = v->members.v;
	unsigned long long n[6];

	if (v->kind != JSON_ARRAY || v->members.n != ARRAY_SIZE(n))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(n); i++) {
		if (m[i].value.s == NULL)
			return false;
		n[i] = strtoull(m[i].value.s, NULL, 10);
	}
	*ret = (struct nft_traffic){
		.proto = (uint8_t)n[0], .dport = (uint16_t)n[2], .packets = n[3], .bytes = n[4],
		.idle_ms = n[5],
	};
	return addr_parse(m[1].value.s, strlen(m[1].value.s), &ret->dst) == 0;
}

int nat_ask_traffic(struct cli *c, struct nft_traffics *to, bool *ret_runs)
{
	const struct json *traffic;
	struct json answer;
	const int err = nat_ask(c, "traffic", &answer);

	if (err < 0)
		return err == -ENOENT || err == -EACCES || err == -EPERM ? 0 : err;
	*ret_runs = true;
	traffic = json_find(&answer, "traffic");
	for (uint32_t i = 0; traffic != NULL && i < traffic->members.n; i++) {
		struct nft_traffic one;

		if (read_place(&traffic->members.v[i].value, &one))
			vec_add(&c->arena, &to->list, one);
	}
	nft_traffic_sort(to);
	return 0;
}

/* ---- as text --------------------------------------------------------------------- */

static void print_value(FILE *out, const struct json *v)
{
	const bool is_list = v->kind == JSON_ARRAY || v->kind == JSON_OBJECT;

	if (v->kind == JSON_STRING)
		json_cstring(out, v->s);
	else if (!is_list)
		fputs(v->s, out);
	if (!is_list)
		return;
	putc(v->kind == JSON_ARRAY ? '[' : '{', out);
	for (uint32_t i = 0; i < v->members.n; i++) {
		fputs(i > 0 ? ", " : "", out);
		if (v->kind == JSON_OBJECT) {
			json_cstring(out, v->members.v[i].name);
			fputs(": ", out);
		}
		print_value(out, &v->members.v[i].value);
	}
	putc(v->kind == JSON_ARRAY ? ']' : '}', out);
}

static void print_side(FILE *out, const struct json *nat, const char *name)
{
	const struct json *side = json_find(nat, name);

	fprintf(out, "nat      %-8s %s: %s received, %s sent, %s lost, %s refused, %s too big, "
		"%s of the host\n", name, member(side, "interface"), member(side, "received"),
		member(side, "sent"), member(side, "lost"), member(side, "refused"),
		member(side, "too_big"), member(side, "not_ours"));
}

void nat_ask_print(struct cli *c, const struct json *nat)
{
	const struct json *dropped = json_find(nat, "dropped"),
			  *packets = json_find(nat, "packets"),
			  *lanes = json_find(nat, "lanes");

	if (c->json) {
		print_value(c->out, nat);
		return;
	}
	fprintf(c->out, "nat      running for %s seconds, %s %s, rules read %s times\n",
		member(nat, "seconds"), member(nat, "workers"),
		strcmp(member(nat, "workers"), "1") == 0 ? "worker" : "workers",
		member(nat, "generation"));
	fprintf(c->out, "nat      %s flows (%s since the start), %s mappings, %s ports held\n",
		member(nat, "flows"), member(nat, "flows_made"), member(nat, "bindings"),
		member(nat, "held"));
	fprintf(c->out, "nat      %s packets out, %s in, %s translated\n", member(packets, "out"),
		member(packets, "in"), member(nat, "translated"));
	if (lanes != NULL && strcmp(member(lanes, "entered"), "0") != 0)
		fprintf(c->out, "nat      %s lanes: %s packets out and %s in went by such\n",
			member(lanes, "now"), member(json_find(lanes, "packets"), "out"),
			member(json_find(lanes, "packets"), "in"));
	print_side(c->out, nat, "inside");
	print_side(c->out, nat, "outside");
	for (uint32_t i = 0; dropped != NULL && i < dropped->members.n; i++)
		fprintf(c->out, "nat      dropped  %-20s %s\n", dropped->members.v[i].name,
			dropped->members.v[i].value.s);
}

/* ---- verbs ----------------------------------------------------------------------- */

static int none(struct cli *c)
{
	diag_add(&c->diags, DIAG_E2806, SPAN_NONE, "no NAT runs in this network namespace");
	return EX_NOINPUT;
}

int verb_nat_status(struct cli *c)
{
	struct json answer;
	int status = cli_netns(c), err;

	if (status != 0)
		return status;
	err = nat_ask(c, "status", &answer);
	if (err == -ENOENT)
		return none(c);
	if (err < 0)
		return cli_system(c, err, "ask the NAT");
	if (c->json)
		cli_comma(c);
	nat_ask_print(c, json_find(&answer, "nat"));
	return 0;
}

int verb_nat_reload(struct cli *c)
{
	int status = cli_netns(c);
	bool runs = true;

	if (status == 0)
		status = nat_ask_reload(c, &runs);
	return status == 0 && !runs ? none(c) : status;
}
