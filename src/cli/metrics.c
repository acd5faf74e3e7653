/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One table of metrics; each row finds its samples in the status, and one loop
 * writes them, as they are found, as the text that Prometheus reads, or as JSON.
 */
#include <string.h>

#include "cli/status.h"

#define LABELS	5

/* What is counted of each forward; of the metrics that need none, NONE */
enum column { PACKETS, BYTES, FLOWS, COLUMNS, NONE = COLUMNS };

/* A forward, and what it has counted */
struct counted {
	const char *jail;
	const char *proto;
	const char *external;
	const char *from;
	const char *on;
	double n[COLUMNS];
};

/* The forwards of a jail together */
struct jail_sum {
	double n[COLUMNS];
};

/**
 * struct metrics - One run
 * @s:		How the host stands
 * @words:	What many forwards say alike
 * @forwards:	All of them
 * @jails:	By number of the jail
 * @row:	The metric that is written
 */
struct metrics {
	struct cli_status s;
	struct intern words;
	VEC(struct counted) forwards;
	struct jail_sum *jails;
	const struct row *row;
};

/* A value, and what it is of: pairs of name and value, NULL after the last */
struct sample {
	const char *label[2 * LABELS + 1];
	double value;
};

static void put(const struct metrics *m, struct sample x);

/* ---- what is measured --------------------------------------------------------- */

static void count_forward(struct cli *c, const struct cli_forward *f, void *arg)
{
	struct metrics *m = arg;
	const struct cli_used used = cli_forward_used(&m->s.counts, f);
	const struct counted x = {
		.jail = f->jail != NULL ? f->jail->name : "",
		.proto = intern_cstr(&m->words, f->proto),
		.external = arena_strndup(&c->arena, f->external, strlen(f->external)),
		.from = intern_cstr(&m->words, f->from), .on = intern_cstr(&m->words, f->on),
		.n = { [PACKETS] = (double)used.packets, [BYTES] = (double)used.bytes,
		       [FLOWS] = (double)cli_forward_flows(&m->s.counts, f) } };

	vec_add(&c->arena, &m->forwards, x);
	for (int col = 0; col < COLUMNS && f->jail != NULL; col++)
		m->jails[f->jail - m->s.h->d.decl.jails.v].n[col] += x.n[col];
}

static void of_forwards(struct metrics *m, enum column col)
{
	for (uint32_t i = 0; i < m->forwards.n; i++) {
		const struct counted *f = &m->forwards.v[i];

		put(m, (struct sample){
			{ "jail", f->jail, "proto", f->proto, "external", f->external,
			  "from", f->from, "on", f->on }, f->n[col] });
	}
}

static void of_jails(struct metrics *m, enum column col)
{
	for (uint32_t i = 0; i < m->s.h->d.decl.jails.n; i++)
		put(m, (struct sample){ { "jail", m->s.h->d.decl.jails.v[i].name },
					m->jails[i].n[col] });
}

static void jails_up(struct metrics *m, enum column col)
{
	(void)col;
	for (uint32_t i = 0; i < m->s.h->d.decl.jails.n; i++) {
		const struct decl_jail *j = &m->s.h->d.decl.jails.v[i];

		put(m, (struct sample){ { "jail", j->name }, cli_jail_is_up(&m->s, j) });
	}
}

static void drift(struct metrics *m, enum column col)
{
	static const char *const ops[] = { "add", "change", "del" };

	(void)col;
	for (size_t k = 0; k < ARRAY_SIZE(ops); k++) {
		put(m, (struct sample){ { "op", ops[k] },
					cli_changes_count(m->s.h, ops[k]) });
	}
}

/* No sample when nothing was applied since boot */
static bool read_time(struct cli_status *s, double *ret_at, double *ret_took)
{
	char *text;
	size_t len;

	return state_read(&s->h->st, APPLY_TIME_FILE, &s->c->arena, &text, &len) == 0 &&
	       sscanf(text, "%lf %lf", ret_at, ret_took) == 2;
}

static void apply_at(struct metrics *m, enum column col)
{
	double at, took;

	(void)col;
	if (read_time(&m->s, &at, &took))
		put(m, (struct sample){ .value = at });
}

static void apply_took(struct metrics *m, enum column col)
{
	double at, took;

	(void)col;
	if (read_time(&m->s, &at, &took))
		put(m, (struct sample){ .value = took });
}

static const struct row {
	const char *name;
	const char *type;
	const char *help;
	void (*find)(struct metrics *m, enum column col);
	enum column col;
} rows[] = {
	{ "sallyport_jail_up", "gauge", "Are the jail's addresses there, or its link whole.",
	  jails_up, NONE },
	{ "sallyport_jail_packets_total", "counter", "Packets by the jail's forwards, both ways.",
	  of_jails, PACKETS },
	{ "sallyport_jail_bytes_total", "counter", "Bytes by the jail's forwards, both ways.",
	  of_jails, BYTES },
	{ "sallyport_jail_flows_total", "counter", "Connections by the jail's forwards.",
	  of_jails, FLOWS },
	{ "sallyport_forward_packets_total", "counter", "Packets of the forward, both ways.",
	  of_forwards, PACKETS },
	{ "sallyport_forward_bytes_total", "counter", "Bytes of the forward, both ways.",
	  of_forwards, BYTES },
	{ "sallyport_forward_flows_total", "counter", "Connections of the forward.",
	  of_forwards, FLOWS },
	{ "sallyport_drift", "gauge", "Differences between the host and the declarations, by what "
	  "apply would do.", drift, NONE },
	{ "sallyport_apply_timestamp_seconds", "gauge", "When the last apply ended.", apply_at,
	  NONE },
	{ "sallyport_apply_duration_seconds", "gauge", "How long the last apply took.", apply_took,
	  NONE },
};

/* ---- how it is written -------------------------------------------------------- */

/* A label's value: backslash, quote and newline are escaped */
static void put_label(const char *s, FILE *out)
{
	putc('"', out);
	for (; *s != '\0'; s++) {
		if (*s == '\\' || *s == '"')
			putc('\\', out);
		if (*s == '\n')
			fputs("\\n", out);
		else
			putc(*s, out);
	}
	putc('"', out);
}

/* Counts to the last digit, seconds to the microsecond */
static void put_value(double v, FILE *out)
{
	fprintf(out, "%.*f", v == (double)(int64_t)v ? 0 : 6, v);
}

static void put_text(FILE *out, const char *name, const struct sample *x)
{
	fputs(name, out);
	for (size_t k = 0; x->label[k] != NULL; k += 2) {
		fprintf(out, "%c%s=", k == 0 ? '{' : ',', x->label[k]);
		put_label(x->label[k + 1], out);
	}
	fputs(x->label[0] != NULL ? "} " : " ", out);
	put_value(x->value, out);
	putc('\n', out);
}

static void put_json(struct cli *c, const struct row *r, const struct sample *x)
{
	cli_object(c);
	fprintf(c->out, "\"name\": \"%s\", \"type\": \"%s\", \"labels\": {", r->name, r->type);
	for (size_t k = 0; x->label[k] != NULL; k += 2) {
		fprintf(c->out, "%s\"%s\": ", k > 0 ? ", " : "", x->label[k]);
		json_cstring(c->out, x->label[k + 1]);
	}
	fputs("}, \"value\": ", c->out);
	put_value(x->value, c->out);
	putc('}', c->out);
}

/* As it is found: there may be 300,000 */
static void put(const struct metrics *m, struct sample x)
{
	struct cli *c = m->s.c;

	if (c->json)
		put_json(c, m->row, &x);
	else
		put_text(c->out, m->row->name, &x);
}

static void print_all(struct metrics *m)
{
	struct cli *c = m->s.c;

	cli_stream(c);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		m->row = &rows[i];
		if (!c->json)
			fprintf(c->out, "# HELP %s %s\n# TYPE %s %s\n", m->row->name,
				m->row->help, m->row->name, m->row->type);
		m->row->find(m, m->row->col);
	}
}

int verb_metrics(struct cli *c)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	struct metrics m = { .forwards = { .n = 0 } };
	const int status = cli_status_read(c, &h, &m.s);

	if (status != 0 && !h.is_compared)
		return status;
	intern_init(&m.words, &c->arena);
	m.jails = arena_array(&c->arena, struct jail_sum, h.d.decl.jails.n);
	cli_forwards_each(c, &h.d, count_forward, &m);
	print_all(&m);
	return status;
}
