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
