/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One table of metrics; each row finds its samples in the status, and one loop
 * writes them as the text that Prometheus reads, or as JSON.
 */
#include <string.h>

#include "cli/status.h"

#define LABELS	5

/* A value, and what it is of: pairs of name and value, NULL after the last */
struct sample {
	const char *label[2 * LABELS + 1];
	double value;
};

struct samples {
	VEC(struct sample) list;
};

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

/**
 * struct metrics - One run
 * @s:		How the host stands
 * @forwards:	All of them
 */
struct metrics {
	struct cli_status s;
	VEC(struct counted) forwards;
};

static void add(struct metrics *m, struct samples *out, struct sample x)
{
	vec_add(&m->s.c->arena, &out->list, x);
}

/* ---- what is measured --------------------------------------------------------- */

static const char *keep(struct cli *c, const char *text)
{
	return arena_strndup(&c->arena, text, strlen(text));
}

static void count_forward(struct cli *c, const struct cli_forward *f, void *arg)
{
	struct metrics *m = arg;
	const struct cli_used used = cli_forward_used(&m->s.counts, f);

	vec_add(&c->arena, &m->forwards, ((struct counted){
		.jail = f->jail, .proto = keep(c, f->proto), .external = keep(c, f->external),
		.from = keep(c, f->from), .on = keep(c, f->on),
		.n = { [PACKETS] = (double)used.packets, [BYTES] = (double)used.bytes,
		       [FLOWS] = (double)cli_forward_flows(&m->s.counts, f) } }));
}

static void of_forwards(struct metrics *m, enum column col, struct samples *out)
{
	for (uint32_t i = 0; i < m->forwards.n; i++) {
		const struct counted *f = &m->forwards.v[i];

		add(m, out, (struct sample){
			{ "jail", f->jail != NULL ? f->jail : "", "proto", f->proto, "external",
			  f->external, "from", f->from, "on", f->on }, f->n[col] });
	}
}

static void of_jails(struct metrics *m, enum column col, struct samples *out)
{
	for (uint32_t i = 0; i < m->s.h->d.decl.jails.n; i++) {
		struct sample x = { { "jail", m->s.h->d.decl.jails.v[i].name }, 0 };

		for (uint32_t n = 0; n < m->forwards.n; n++) {
			const struct counted *f = &m->forwards.v[n];

			if (f->jail != NULL && strcmp(f->jail, x.label[1]) == 0)
				x.value += f->n[col];
		}
		add(m, out, x);
	}
}

static void jails_up(struct metrics *m, enum column col, struct samples *out)
{
	(void)col;
	for (uint32_t i = 0; i < m->s.h->d.decl.jails.n; i++) {
		const struct decl_jail *j = &m->s.h->d.decl.jails.v[i];

		add(m, out, (struct sample){ { "jail", j->name }, cli_jail_is_up(&m->s, j) });
	}
}

static void drift(struct metrics *m, enum column col, struct samples *out)
{
	static const char *const ops[] = { "add", "change", "del" };

	(void)col;
	for (size_t k = 0; k < ARRAY_SIZE(ops); k++) {
		add(m, out, (struct sample){ { "op", ops[k] },
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

static void apply_at(struct metrics *m, enum column col, struct samples *out)
{
	double at, took;

	(void)col;
	if (read_time(&m->s, &at, &took))
		add(m, out, (struct sample){ .value = at });
}

static void apply_took(struct metrics *m, enum column col, struct samples *out)
{
	double at, took;

	(void)col;
	if (read_time(&m->s, &at, &took))
		add(m, out, (struct sample){ .value = took });
}

static const struct row {
	const char *name;
	const char *type;
	const char *help;
	void (*find)(struct metrics *m, enum column col, struct samples *out);
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

static void print_text(const struct row *r, const struct samples *list, FILE *out)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", r->name, r->help, r->name, r->type);
	for (uint32_t i = 0; i < list->list.n; i++) {
		const struct sample *x = &list->list.v[i];

		fputs(r->name, out);
		for (size_t k = 0; x->label[k] != NULL; k += 2) {
			fprintf(out, "%c%s=", k == 0 ? '{' : ',', x->label[k]);
			put_label(x->label[k + 1], out);
		}
		fputs(x->label[0] != NULL ? "} " : " ", out);
		put_value(x->value, out);
		putc('\n', out);
	}
}

static void print_json(struct cli *c, const struct row *r, const struct samples *list)
{
	for (uint32_t i = 0; i < list->list.n; i++) {
		const struct sample *x = &list->list.v[i];

		cli_object(c);
		fprintf(c->out, "\"name\": \"%s\", \"type\": \"%s\", \"labels\": {", r->name,
			r->type);
		for (size_t k = 0; x->label[k] != NULL; k += 2) {
			fprintf(c->out, "%s\"%s\": ", k > 0 ? ", " : "", x->label[k]);
			json_cstring(c->out, x->label[k + 1]);
		}
		fputs("}, \"value\": ", c->out);
		put_value(x->value, c->out);
		putc('}', c->out);
	}
}

int verb_metrics(struct cli *c)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	struct metrics m = { .forwards = { .n = 0 } };
	const int status = cli_status_read(c, &h, &m.s);

	if (status != 0 && !h.is_compared)
		return status;
	cli_forwards_each(c, &h.d, count_forward, &m);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct samples found = { .list = { .n = 0 } };

		rows[i].find(&m, rows[i].col, &found);
		if (c->json)
			print_json(c, &rows[i], &found);
		else
			print_text(&rows[i], &found, c->out);
	}
	return status;
}
