/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A packet is a line of words, whether it comes from the command line or from
 * a batch: one reader for both.  Each packet is judged in a fresh world unless
 * --sequence keeps the states.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "cli/why.h"

#define WHY_WORDS	15u	/* DIR IFACE PROTO SRC DST [FLAGS] [tos=N] [ttl=N]... */
#define WHY_LEAST	5u

static int bad(struct why *w, struct span at, const char *what, const char *word)
{
	diag_add(&w->c->diags, DIAG_E1018, at, "%s: '%s'", what, word);
	return -EINVAL;
}

/* "A", "A:P" or "[A]:P" */
static int parse_endpoint(struct why *w, struct span at, const char *word, bool ports,
			  struct addr *addr, uint16_t *port)
{
	const char *end = strrchr(word, ':');
	const bool bracket = word[0] == '[';
	size_t len = strlen(word);
	int number;

	if (addr_parse(word, len, addr) == 0)
		return ports ? bad(w, at, "a port is missing", word) : 0;
	if (bracket && word[len - 1] == ']')
		end = NULL;
	if (!ports || (end == NULL && !bracket))
		return bad(w, at, "not an address", word);
	if (end == NULL || (bracket && end[-1] != ']'))
		return bad(w, at, "a port is missing", word);
	len = (size_t)(end - word);
	if (addr_parse(word + bracket, len - 2 * bracket, addr) < 0)
		return bad(w, at, "not an address", word);
	number = service_parse(end + 1, strlen(end + 1));
	if (number < 0)
		return bad(w, at, "not a port", word);
	*port = (uint16_t)number;
	return 0;
}

static int parse_icmp(struct why *w, struct span at, const char *word, struct packet *p)
{
	const bool v6 = p->proto == PROTO_ICMP6;
	const char *slash = word != NULL ? strchr(word, '/') : NULL;
	int type, code = 0;

	if (word == NULL) {
		p->icmp_type = v6 ? 128 : 8;
		return 0;
	}
	type = icmp_type_parse(v6, word, slash != NULL ? (size_t)(slash - word) : strlen(word));
	if (type >= 0 && slash != NULL)
		code = icmp_code_parse(v6, (uint8_t)type, slash + 1, strlen(slash + 1));
	if (type < 0 || code < 0)
		return bad(w, at, "not an ICMP type or TYPE/CODE", word);
	p->icmp_type = (uint8_t)type;
	p->icmp_code = (uint8_t)code;
	return 0;
}

static int parse_extra(struct why *w, struct span at, const char *word, struct packet *p)
{
	int flags;

	if (p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6)
		return parse_icmp(w, at, word, p);
	if (p->proto != PROTO_TCP)
		return word == NULL ? 0 : bad(w, at, "flags are of TCP only", word);
	flags = word == NULL ? (int)TCP_FLAG_SYN : tcp_flags_parse(word, strlen(word));
	if (flags < 0)
		return bad(w, at, "flags are letters of FSRPAU", word);
	p->tcp_flags = (uint8_t)flags;
	return 0;
}

/* "NAME=N" behind the rest: what a header says, where it is not what it mostly is */
#define NUMBER_TOS	N_HEADS
#define NUMBER_OPTS	(N_HEADS + 1)

static const struct { const char *name; uint32_t max, usual; } numbers[] = {
	[HEAD_TTL] = { "ttl", UINT8_MAX, 64 }, [HEAD_LEN] = { "len", UINT16_MAX, 60 },
	[HEAD_ID] = { "id", UINT16_MAX, 0 }, [HEAD_FLOWID] = { "flow", FLOW_LABEL_MAX, 0 },
	[HEAD_WIN] = { "win", UINT16_MAX, UINT16_MAX }, [HEAD_SEQ] = { "seq", UINT32_MAX, 0 },
	[HEAD_ACK] = { "ack", UINT32_MAX, 0 }, [HEAD_UID] = { "uid", UINT32_MAX, 0 },
	[HEAD_GID] = { "gid", UINT32_MAX, 0 },
	[NUMBER_TOS] = { "tos", UINT8_MAX, 0 }, [NUMBER_OPTS] = { "opts", 1, 0 },
};

static int parse_number(struct why *w, struct span at, const char *word, struct packet *p)
{
	const char *text = strchr(word, '=') + 1;
	unsigned long long n;
	unsigned int i = 0;
	char *end;

	while (i < ARRAY_SIZE(numbers) && (strlen(numbers[i].name) != (size_t)(text - 1 - word) ||
				strncmp(numbers[i].name, word, (size_t)(text - 1 - word)) != 0))
		i++;
	if (i >= ARRAY_SIZE(numbers))
		return bad(w, at, "of numbers there are tos, ttl, len, id, flow, win, seq, ack, "
			   "opts, uid and gid", word);
	n = strtoull(text, &end, 0);
	if (*text < '0' || *text > '9' || *end != '\0' || n > numbers[i].max)
		return bad(w, at, arena_printf(&w->c->arena, "%s is 0 to %u", numbers[i].name,
					       numbers[i].max), text);
	if (i == NUMBER_TOS)
		p->tos = (uint8_t)n;
	else if (i == NUMBER_OPTS)
		p->has_opts = n != 0;
	else
		p->heads[i] = (uint32_t)n;
	p->has_uid |= i == HEAD_UID || i == HEAD_GID;
	return 0;
}

static int parse_numbers(struct why *w, struct span at, const char *const *words, size_t *n,
			 struct packet *p)
{
	for (unsigned int i = 0; i < N_HEADS; i++)
		p->heads[i] = numbers[i].usual;
	for (; *n > WHY_LEAST && strchr(words[*n - 1], '=') != NULL; (*n)--)
		if (parse_number(w, at, words[*n - 1], p) < 0)
			return -EINVAL;
	return 0;
}

static int parse_packet(struct why *w, struct span at, const char *const *words, size_t n,
			struct packet *p)
{
	int proto;
	bool ports;

	*p = (struct packet){ .dir = DIR_IN };
	if (parse_numbers(w, at, words, &n, p) < 0)
		return -EINVAL;
	if (n < WHY_LEAST || n > WHY_LEAST + 1)
		return bad(w, at, "a packet is DIR IFACE PROTO SRC[:PORT] DST[:PORT] [FLAGS] "
			   "[NAME=N]...", n > 0 ? words[0] : "");
	if (strcmp(words[0], "in") != 0 && strcmp(words[0], "out") != 0)
		return bad(w, at, "a direction is in or out", words[0]);
	p->dir = words[0][0] == 'i' ? DIR_IN : DIR_OUT;
	proto = proto_parse(words[2], strlen(words[2]));
	if (proto < 0)
		return bad(w, at, "unknown protocol", words[2]);
	p->proto = (uint8_t)proto;
	ports = proto_has_ports(p->proto);
	if (parse_endpoint(w, at, words[3], ports, &p->src, &p->sport) < 0 ||
	    parse_endpoint(w, at, words[4], ports, &p->dst, &p->dport) < 0)
		return -EINVAL;
	if (p->src.af != p->dst.af)
		return bad(w, at, "source and destination are of two families", words[4]);
	if (parse_extra(w, at, n > WHY_LEAST ? words[WHY_LEAST] : NULL, p) < 0)
		return -EINVAL;
	p->iface = intern_cid(&w->c->names, facts_crossed(&w->d->facts,
				facts_freebsd_name(words[1]), p->dst));
	p->recv = p->dir == DIR_IN ? p->iface : 0;
	return 0;
}

static const char *endpoint(struct why *w, const struct packet *p, bool src,
			    const struct result *r)
{
	char buf[ADDR_TEXT_BYTES];
	const struct addr a = src ? p->src : p->dst;

	if (!proto_has_ports(p->proto))
		return arena_printf(&w->scratch, "%s", addr_print(a, buf));
	if (src && r->sport_hi > r->sport_lo)
		return arena_printf(&w->scratch, "%s-%u", addr_port_print(a, r->sport_lo, buf),
				    r->sport_hi);
	return arena_printf(&w->scratch, "%s",
			    addr_port_print(a, src ? p->sport : p->dport, buf));
}

static void print_pool(FILE *out, const struct xlate *x, uint8_t af)
{
	const char *comma = "";
	char buf[ADDR_TEXT_BYTES];
	uint32_t n = 0;

	/* Of a table each row has one address */
	for (uint32_t i = 0; x != NULL && x->kind != XL_MAP && i < x->to.n; i++)
		n += x->to.v[i].af == af;
	if (n < 2)
		return;
	fputs(", \"pool\": [", out);
	for (uint32_t i = 0; i < x->to.n; i++) {
		if (x->to.v[i].af != af)
			continue;
		fprintf(out, "%s\"%s\"", comma, addr_print(x->to.v[i], buf));
		comma = ", ";
	}
	putc(']', out);
}

static void print_xlated(struct why *w, const struct result *r, bool changed)
{
	FILE *out = w->c->out;

	if (!changed) {
		fputs("null", out);
		return;
	}
	fprintf(out, "{\"src\": \"%s\", \"dst\": \"%s\"", endpoint(w, &r->packet, true, r),
		endpoint(w, &r->packet, false, r));
	print_pool(out, r->xlate, r->packet.src.af);
	putc('}', out);
}

/* The jail that the packet is of: where it goes to, or else comes from */
static const char *jail_of(struct why *w, const struct packet *p, const struct result *r)
{
	const struct addr ends[] = {
		p->dir == DIR_IN ? r->packet.dst : p->src,
		p->dir == DIR_IN ? p->src : r->packet.dst,
	};

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const struct decl_jail *j = decl_jail_of(&w->d->decl, ends[i]);

		if (j != NULL)
			return j->name;
	}
	return NULL;
}

static const char *verdict_text(enum verdict v)
{
	return v == V_PASS ? "pass" : v == V_BLOCK ? "block" : "return";
}

static void print_step_json(struct why *w, const struct step *s)
{
	const struct place p = source_place(&w->c->sources,
					    source_file_span(&w->c->sources, s->origin.at));
	FILE *out = w->c->out;

	fputs("{\"file\": ", out);
	json_cstring(out, p.name);
	fprintf(out, ", \"line\": %u, \"column\": %u, \"text\": ", p.line, p.column);
	json_cstring(out, s->origin.text != NULL ? s->origin.text : "no rule matched");
	fprintf(out, ", \"effect\": \"%s\", \"final\": %s}", s->effect,
		s->is_final ? "true" : "false");
}

/* The members of the JSON object, and its end */
static void print_json(struct why *w, const struct packet *p, const struct result *r)
{
	FILE *out = w->c->out;

	fprintf(out, "\"verdict\": \"%s\", \"rdr\": ", verdict_text(r->verdict));
	print_xlated(w, r, r->dst_changed);
	fputs(", \"nat\": ", out);
	print_xlated(w, r, r->src_changed);
	fputs(", \"jail\": ", out);
	json_cstring(out, jail_of(w, p, r));
	fprintf(out, ", \"state\": \"%s\", \"log\": %s, \"steps\": [",
		r->makes_state ? "new" : "none", r->is_logged ? "true" : "false");
	for (uint32_t i = 0; i < r->steps.n; i++) {
		fputs(i > 0 ? ", " : "", out);
		print_step_json(w, &r->steps.v[i]);
	}
	fputs("]}", out);
}

static void print_text(struct why *w, const struct packet *p, const struct result *r)
{
	const char *jail = jail_of(w, p, r);
	FILE *out = w->c->out;

	fprintf(out, "%s%s%s\n", verdict_text(r->verdict), jail != NULL ? ", jail " : "",
		jail != NULL ? jail : "");
	if (r->dst_changed || r->src_changed)
		fprintf(out, "  becomes %s > %s\n", endpoint(w, &r->packet, true, r),
			endpoint(w, &r->packet, false, r));
	if (r->makes_state)
		fputs("  makes a state: the answers pass\n", out);
	if (r->is_logged)
		fputs("  is logged\n", out);
	for (uint32_t i = 0; i < r->steps.n; i++) {
		const struct step *s = &r->steps.v[i];
		const char *place = cli_place(w->c, s->origin.at);

		fprintf(out, "  %c %-7s %s%s%s\n", s->is_final ? '*' : ' ', s->effect, place,
			place[0] != '\0' ? "  " : "",
			s->origin.text != NULL ? s->origin.text : "no rule matched");
	}
}

/* Is @a where all of a network listen that the interface is on */
static bool is_broadcast(const struct facts *f, uint32_t iface, struct addr a)
{
	const struct addr all = addr_v4(255, 255, 255, 255);

	if (a.af != AF_V4)
		return false;
	for (uint32_t i = 0; i < f->ifaces.n; i++) {
		const struct iface *at = &f->ifaces.v[i];

		for (uint32_t j = 0; at->id == iface && j < at->addrs.n; j++) {
			const struct prefix p = at->addrs.v[j].p;

			if (p.a.af == AF_V4 && p.len < 31 &&
			    a.v == (p.a.v | (all.v >> p.len)))
				return true;
		}
	}
	return a.v == all.v;
}

/* Of what is sent to many, or by nobody, no host tells its sender (RFC 1122 3.2.2, 4443 2.4) */
static bool is_unanswered(const struct why *w, const struct packet *p)
{
	return addr_is_multicast(p->dst) || addr_is_multicast(p->src) || p->src.v == 0 ||
	       is_broadcast(&w->d->facts, p->iface, p->dst);
}

int why_judge(struct why *w, const struct packet *p, const char *name)
{
	FILE *out = w->c->out;
	struct result r;

	arena_init(&w->scratch, LIMIT_ARENA_BYTES);
	w->scratch.full = w->c->arena.full;
	if (!w->c->sequence)
		world_init(&w->world, &w->scratch);
	r = model_eval(&w->d->model, &w->world, p, &w->scratch);
	if (r.verdict == V_RETURN && is_unanswered(w, &r.packet))
		r.verdict = V_BLOCK;
	if (w->c->bare)
		putc('{', out);
	else if (w->c->json)
		cli_object(w->c);
	else if (name != NULL)
		fprintf(out, "%s: ", name);
	if (name != NULL && (w->c->bare || w->c->json)) {
		fputs("\"packet\": ", out);
		json_cstring(out, name);
		fputs(", ", out);
	}
	if (w->c->bare || w->c->json)
		print_json(w, p, &r);
	else
		print_text(w, p, &r);
	if (w->c->bare)
		putc('\n', out);
	arena_fini(&w->scratch);
	return r.verdict == V_PASS ? 0 : EX_DIFFERS;
}

/* One line of a batch at [@lo, @hi) of a source: 0, also for a blank one; -EINVAL */
static int judge_line(struct why *w, uint32_t src, uint32_t lo, uint32_t hi)
{
	const struct source *s = source_at(&w->c->sources, src);
	char *line = arena_strndup(&w->c->arena, s->text + lo, hi - lo);
	const char *words[WHY_WORDS + 1];
	size_t n = 0;
	struct packet p;

	for (char *save, *t = strtok_r(line, " \t\r", &save); t != NULL && n <= WHY_WORDS;
	     t = strtok_r(NULL, " \t\r", &save))
		words[n++] = t;
	if (n == 0 || words[0][0] == '#')
		return 0;
	if (parse_packet(w, (struct span){ src, lo, hi }, words, n, &p) == 0) {
		why_judge(w, &p, NULL);
		return 0;
	}
	fputs("{\"error\": ", w->c->out);
	json_cstring(w->c->out, w->c->diags.list.v[w->c->diags.list.n - 1].message);
	fputs("}\n", w->c->out);
	return -EINVAL;
}

static int judge_batch(struct why *w)
{
	uint32_t src, lo = 0;
	int status = 0, err = sources_read(&w->c->sources, w->c->batch, &src);
	const struct source *s;

	if (err < 0) {
		diag_add(&w->c->diags, DIAG_E1001, SPAN_NONE, "cannot read '%s': %s", w->c->batch,
			 strerror(-err));
		return EX_NOINPUT;
	}
	w->c->bare = true;
	s = source_at(&w->c->sources, src);
	for (uint32_t i = 0; i <= s->len; i++) {
		if (i < s->len && s->text[i] != '\n')
			continue;
		if (judge_line(w, src, lo, i) < 0)
			status = EX_DATAERR;
		lo = i + 1;
		s = source_at(&w->c->sources, src);
	}
	return status;
}

int verb_why(struct cli *c)
{
	struct declared d;
	struct why w = { .c = c, .d = &d };
	struct packet p;
	int status = cli_netns(c);

	if (status == 0 && (c->batch != NULL) + (c->nat.read != NULL) + (c->args.n > 0) > 1)
		return cli_usage(c, "why takes a packet, --batch or --read, one of them");
	if (status == 0 && c->batch == NULL && c->nat.read == NULL && c->args.n == 0)
		return cli_usage(c, "why needs a packet: DIR IFACE PROTO SRC DST [FLAGS] "
				 "[NAME=N]...");
	if (status == 0)
		status = cli_declare(c, &d, CLI_TOLERANT);
	if (status != 0)
		return status;
	world_init(&w.world, &c->arena);
	if (c->batch != NULL)
		return judge_batch(&w);
	if (c->nat.read != NULL)
		return why_read(&w);
	if (parse_packet(&w, SPAN_NONE, c->args.v, c->args.n, &p) < 0)
		return EX_USAGE;
	if (facts_find(&d.facts, facts_freebsd_name(c->args.v[1])) == NULL)
		diag_add(&c->diags, DIAG_N1309, SPAN_NONE, "interface %s is not known now",
			 c->args.v[1]);
	return why_judge(&w, &p, NULL);
}
