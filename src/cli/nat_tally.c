/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "cli/nat_read.h"
#include "model/eval.h"

static const char *const behaviours[] = { "endpoint", "address", "address-port" };
static const char *const classes[] = { "udp", "tcp", "other" };

/* ---- forwards ------------------------------------------------------------- */

/* Flows that one redirect led: to one outside endpoint, from it to one inside */
static bool is_same_forward(const struct nat_flow *a, const struct nat_flow *b)
{
	return a->proto == b->proto && addr_equal(a->outside.src, b->outside.src) &&
	       a->outside.sport == b->outside.sport && addr_equal(a->inside.src, b->inside.src) &&
	       a->inside.sport == b->inside.sport;
}

void nat_tally_flow(struct cli *c, struct nat_tally *t, const struct nat_flow *f)
{
	if (f->from != NAT_OUTSIDE)
		return;
	for (uint32_t i = 0; i < t->forwards.n; i++) {
		if (is_same_forward(&t->forwards.v[i].flow, f)) {
			t->forwards.v[i].packets++;
			return;
		}
	}
	vec_add(&c->arena, &t->forwards, ((struct nat_forward){ 1, *f }));
}

static int by_packets(const void *x, const void *y)
{
	const struct nat_forward *a = x, *b = y;

	return a->packets < b->packets ? 1 : a->packets > b->packets ? -1 : 0;
}

/* ---- the summary ---------------------------------------------------------- */

static void print_behaviour(const enum nat_behaviour *v, bool json, FILE *out)
{
	const char *quote = json ? "\"" : "";
	bool is_one = true;

	for (int i = 1; i < N_NAT_CLASSES; i++)
		is_one &= v[i] == v[0];
	if (is_one) {
		fprintf(out, "%s%s%s", quote, behaviours[v[0]], quote);
		return;
	}
	fputs(json ? "{" : "", out);
	for (int i = 0; i < N_NAT_CLASSES; i++)
		fprintf(out, json ? "%s\"%s\": \"%s\"" : "%s%s %s", i > 0 ? ", " : "", classes[i],
			behaviours[v[i]]);
	fputs(json ? "}" : "", out);
}

struct drop {
	const char *name;
	uint64_t n;
};

/* What was dropped, by reason; how many reasons */
static uint32_t drops(const struct nat_tally *t, const struct nat_counters *n, struct drop *v)
{
	uint32_t k = 0;

	for (int i = 0; i < N_NAT_REASONS; i++)
		if (n->dropped[i] > 0)
			v[k++] = (struct drop){ nat_reason_names[i], n->dropped[i] };
	if (t->no_side > 0)
		v[k++] = (struct drop){ "neither-side", t->no_side };
	if (t->no_ip > 0)
		v[k++] = (struct drop){ "not-ip", t->no_ip };
	return k;
}

/* The lines of --explain, in the order of the packets */
static void print_said(const char *said, FILE *out)
{
	fputs(", \"explain\": [", out);
	for (const char *at = said; *at != '\0';) {
		const size_t len = strcspn(at, "\n");

		fputs(at == said ? "" : ", ", out);
		json_string(out, at, len);
		at += len + (at[len] != '\0');
	}
	putc(']', out);
}

static void print_json(struct cli *c, const struct nat_sides *s, const struct nat_tally *t,
		       const struct nat_counters *n, FILE *out)
{
	struct drop v[N_NAT_REASONS + 2];
	const uint32_t k = drops(t, n, v);
	char a[ADDR_TEXT_BYTES];

	cli_object(c);
	fprintf(out, "\"packets\": %llu, \"translated\": %llu, \"flows\": %llu, \"written\": %llu, "
		"\"made\": %llu, \"dropped\": {", (unsigned long long)t->packets,
		(unsigned long long)n->translated, (unsigned long long)n->flows_made,
		(unsigned long long)t->written, (unsigned long long)n->made);
	for (uint32_t i = 0; i < k; i++)
		fprintf(out, "%s\"%s\": %llu", i > 0 ? ", " : "", v[i].name,
			(unsigned long long)v[i].n);
	fputs("}, \"mapping\": ", out);
	print_behaviour(s->cfg.mapping, true, out);
	fputs(", \"filtering\": ", out);
	print_behaviour(s->cfg.filtering, true, out);
	fputs(", \"forwards\": [", out);
	for (uint32_t i = 0; i < MIN(t->forwards.n, NAT_READ_TOP); i++) {
		const struct nat_flow *f = &t->forwards.v[i].flow;
		const int32_t port = proto_has_ports(f->proto) ? 0 : -1;

		fprintf(out, "%s{\"proto\": %u, \"external\": \"%s\"", i > 0 ? ", " : "", f->proto,
			addr_port_print(f->outside.src, port < 0 ? -1 : f->outside.sport, a));
		fprintf(out, ", \"internal\": \"%s\", \"packets\": %llu}",
			addr_port_print(f->inside.src, port < 0 ? -1 : f->inside.sport, a),
			(unsigned long long)t->forwards.v[i].packets);
	}
	putc(']', out);
	if (t->said != NULL)
		print_said(t->said, out);
	putc('}', out);
}

static void print_text(const struct nat_sides *s, const struct nat_tally *t,
		       const struct nat_counters *n, FILE *out)
{
	struct drop v[N_NAT_REASONS + 2];
	const uint32_t k = drops(t, n, v);
	char a[ADDR_TEXT_BYTES], b[ADDR_TEXT_BYTES];

	fprintf(out, "%llu packet%s, %llu translated, %llu written, %llu flow%s\nmapping ",
		(unsigned long long)t->packets, t->packets == 1 ? "" : "s",
		(unsigned long long)n->translated, (unsigned long long)t->written,
		(unsigned long long)n->flows_made, n->flows_made == 1 ? "" : "s");
	print_behaviour(s->cfg.mapping, false, out);
	fputs(", filtering ", out);
	print_behaviour(s->cfg.filtering, false, out);
	putc('\n', out);
	for (uint32_t i = 0; i < k; i++)
		fprintf(out, "  dropped  %-20s %llu\n", v[i].name, (unsigned long long)v[i].n);
	for (uint32_t i = 0; i < MIN(t->forwards.n, NAT_READ_TOP); i++) {
		const struct nat_flow *f = &t->forwards.v[i].flow;
		const bool ports = proto_has_ports(f->proto);

		fprintf(out, "  forward  %s -> %s  %llu\n",
			addr_port_print(f->outside.src, ports ? f->outside.sport : -1, a),
			addr_port_print(f->inside.src, ports ? f->inside.sport : -1, b),
			(unsigned long long)t->forwards.v[i].packets);
	}
}

void nat_tally_print(struct cli *c, const struct nat_sides *s, const struct nat_tally *t,
		     const struct nat *nat, FILE *out)
{
	const struct nat_counters *n = nat_counters(nat);

	if (t->forwards.n > 1)
		qsort(t->forwards.v, t->forwards.n, sizeof(*t->forwards.v), by_packets);
	if (c->json)
		print_json(c, s, t, n, out);
	else
		print_text(s, t, n, out);
}

/* ---- why, for each packet ------------------------------------------------- */

/* The rule that decided about a first packet, asked once more */
static void print_rule(struct cli *c, const struct nat_sides *s, const struct nat_ask *q, FILE *out)
{
	const bool is_out = q->from == NAT_INSIDE;
	struct packet p = nat_rules_packet(q);
	struct arena a;
	struct world w;
	struct result r;
	jmp_buf full;

	p.dir = is_out ? DIR_OUT : DIR_IN;
	p.iface = s->rules.outside_if;
	p.recv = is_out ? 0 : s->rules.outside_if;
	arena_init(&a, NAT_RULES_BYTES);
	a.full = &full;
	if (setjmp(full) == 0) {
		world_init(&w, &a);
		r = model_eval(&s->d.model, &w, &p, &a);
		for (uint32_t i = 0; i < r.steps.n; i++)
			if (r.steps.v[i].rule != NULL || r.steps.v[i].is_final)
				fprintf(out, "; %s %s %s", r.steps.v[i].effect,
					cli_place(c, r.steps.v[i].origin.at),
					r.steps.v[i].origin.text != NULL
					? r.steps.v[i].origin.text : "no rule matched");
	}
	arena_fini(&a);
}

static void print_ends(const struct nat_ends *e, uint8_t proto, FILE *out)
{
	const bool ports = proto_has_ports(proto);
	char a[ADDR_TEXT_BYTES];

	fprintf(out, "%s > ", addr_port_print(e->src, ports ? e->sport : -1, a));
	fprintf(out, "%s", addr_port_print(e->dst, ports ? e->dport : -1, a));
}

void nat_explain(struct cli *c, const struct nat_sides *s, const struct nat *nat, uint64_t n,
		 const struct nat_packet *p, const struct nat_ask *asked, FILE *out)
{
	struct nat_flow f;

	fprintf(out, "%llu: ", (unsigned long long)n);
	fprintf(out, "%s: ", p->from == NAT_INSIDE ? "out" : "in");
	if (p->verdict == NAT_DROP)
		fprintf(out, "dropped, %s", nat_reason_names[p->reason]);
	else if (p->verdict == NAT_KEPT)
		fputs("kept", out);
	else
		fputs("passed", out);
	if (p->flow > 0 && nat_flow_at(nat, p->flow - 1, &f)) {
		fputs(", flow ", out);
		print_ends(&f.inside, f.proto, out);
		fputs(" as ", out);
		print_ends(&f.outside, f.proto, out);
	}
	if (asked != NULL && s->has_rules)
		print_rule(c, s, asked, out);
	putc('\n', out);
}
