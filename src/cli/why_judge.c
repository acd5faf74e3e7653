/* SPDX-License-Identifier: BSD-2-Clause */
/* A packet's way through the rules, in words or as JSON */
#include "cli/why.h"

#include "base/limits.h"

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
