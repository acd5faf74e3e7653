/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The columns are as wide as the widest number of what is shown, as ipfw has
 * them.  A check-state has no counts of its own there: what it finds is counted
 * by the rule that made the state.
 */
#include "lang/ipfw_show.h"

#include <string.h>
#include <time.h>

#include "lang/ipfw/parse.h"
#include "net/names.h"

#define TIME_CHARS	24	/* of ctime(3), without its line end */

/* A rule to be shown; the last one is no rule of the ruleset */
struct shown {
	uint32_t number;
	uint32_t set;
	const char *body;
	const char *text;
	bool is_counted;
};

struct widths {
	int packets;
	int bytes;
};

static struct shown shown_at(const struct ipfw_ruleset *rs, const struct ipfw_view *v, uint32_t i)
{
	const struct ipfw_rule *r = &rs->rules.v[i];

	if (i == rs->rules.n) {
		const char *text = v->accept ? "65535 allow ip from any to any" :
					       "65535 deny ip from any to any";

		return (struct shown){ IPFW_DEFAULT_RULE, IPFW_SET_DEFAULT, text + 6, text, true };
	}
	return (struct shown){ r->number, r->set, ipfw_rule_body(rs->a, r), r->text,
			       r->action != IW_CHECK_STATE };
}

static bool is_wanted(const struct ipfw_view *v, const struct shown *s)
{
	return s->number >= v->lo && s->number <= v->hi &&
	       (v->set < 0 || s->set == (uint32_t)v->set);
}

static void counts(const struct ipfw_view *v, const struct shown *s, uint64_t *packets,
		   uint64_t *bytes)
{
	*packets = *bytes = 0;
	if (s->is_counted)
		v->count(v->arg, s->text, packets, bytes);
}

static int digits(uint64_t n)
{
	int d = 1;

	for (; n > 9; n /= 10)
		d++;
	return d;
}

static struct widths widths_of(const struct ipfw_ruleset *rs, const struct ipfw_view *v)
{
	struct widths w = { 0 };

	for (uint32_t i = 0; i <= rs->rules.n && v->count != NULL; i++) {
		const struct shown s = shown_at(rs, v, i);
		uint64_t packets, bytes;

		counts(v, &s, &packets, &bytes);
		w.packets = MAX(w.packets, digits(packets));
		w.bytes = MAX(w.bytes, digits(bytes));
	}
	return w;
}

/* -c: without what says nothing */
static const char *compacted(struct arena *a, const char *body)
{
	static const char any[] = " ip from any to any";
	const char *at = strstr(body, any), *rest;

	if (at == NULL)
		return body;
	rest = at + sizeof(any) - 1;
	if (*rest != '\0' && (*rest != ' ' || strchr("0123456789", rest[1]) != NULL))
		return body;
	return arena_printf(a, "%.*s%s", (int)(at - body), body, rest);
}

/* -b: the action and the comment */
static const char *action_of(struct arena *a, const char *body)
{
	const char *from = strstr(body, " from "), *comment = strstr(body, " // ");
	const char *end = from != NULL ? from : comment;

	if (end == NULL)
		return body;
	while (from != NULL && end > body && end[-1] != ' ')	/* the protocol */
		end--;
	if (from != NULL && end > body)
		end--;
	return arena_printf(a, "%.*s%s", (int)(end - body), body, comment != NULL ? comment : "");
}

static void show_rule(const struct ipfw_ruleset *rs, const struct ipfw_view *v,
		      const struct shown *s, struct widths w, FILE *out)
{
	const char *body = s->body;
	uint64_t packets, bytes;

	if ((rs->disabled & 1u << s->set) != 0) {
		if (!v->sets)
			return;
		fputs("# DISABLED ", out);
	}
	fprintf(out, "%05u ", s->number);
	if (v->count != NULL) {
		counts(v, s, &packets, &bytes);
		fprintf(out, "%*llu %*llu ", w.packets, (unsigned long long)packets, w.bytes,
			(unsigned long long)bytes);
	}
	if (v->time == IPFW_TIME_TEXT)
		fprintf(out, "%*s ", TIME_CHARS, "");
	else if (v->time == IPFW_TIME_NUMBER)
		fprintf(out, "%10u ", 0u);
	if (v->sets)
		fprintf(out, "set %u ", s->set);
	if (v->actions)
		body = action_of(rs->a, body);
	fprintf(out, "%s\n", v->compact ? compacted(rs->a, body) : body);
}

uint32_t ipfw_show_rules(const struct ipfw_ruleset *rs, const struct ipfw_view *v, FILE *out)
{
	const struct widths w = widths_of(rs, v);
	uint32_t n = 0;

	for (uint32_t i = 0; i <= rs->rules.n; i++) {
		const struct shown s = shown_at(rs, v, i);

		if (!is_wanted(v, &s))
			continue;
		show_rule(rs, v, &s, w, out);
		n++;
	}
	return n;
}

bool ipfw_is_number(const struct ipfw_ruleset *rs, uint32_t number)
{
	for (uint32_t i = 0; i < rs->rules.n; i++)
		if (rs->rules.v[i].number == number)
			return true;
	return number == IPFW_DEFAULT_RULE;
}

/* -- dynamic rules ---------------------------------------------------------- */

static bool is_of(const struct ipfw_dynamic *d, const struct ipfw_rule *r)
{
	const size_t len = strlen(d->text);

	return strcmp(d->text, r->text) == 0 ||
	       (len > strlen(r->text) / 2 && len > 80 && strncmp(d->text, r->text, len) == 0);
}

static void show_flow(const struct ipfw_view *v, const struct ipfw_rule *r,
		      const struct ipfw_dynamic *d, const char *kind, FILE *out)
{
	const char *proto = proto_name(d->proto);
	char src[ADDR_TEXT_BYTES], dst[ADDR_TEXT_BYTES], number[16];

	if (out == NULL)
		return;
	fprintf(out, "%05u", r->number);
	if (v->count != NULL)
		fprintf(out, " 0 0 (%us)", d->seconds);
	snprintf(number, sizeof(number), "proto %u", d->proto);
	fprintf(out, " %s %s %s %u <-> %s %u :%s\n", kind, proto != NULL ? proto : number,
		addr_print(d->src, src), d->sport, addr_print(d->dst, dst), d->dport,
		r->state.name);
}

/* What of a flow its limit counts by; the rest is 0 */
static struct ipfw_dynamic parent_of(const struct ipfw_rule *r, const struct ipfw_dynamic *d)
{
	struct ipfw_dynamic p = *d;

	if ((r->state.by & LIMIT_SRC_ADDR) == 0)
		p.src.v = 0;
	if ((r->state.by & LIMIT_DST_ADDR) == 0)
		p.dst.v = 0;
	if ((r->state.by & LIMIT_SRC_PORT) == 0)
		p.sport = 0;
	if ((r->state.by & LIMIT_DST_PORT) == 0)
		p.dport = 0;
	return p;
}

static bool same_flow(const struct ipfw_dynamic *x, const struct ipfw_dynamic *y)
{
	return x->proto == y->proto && x->sport == y->sport && x->dport == y->dport &&
	       addr_equal(x->src, y->src) && addr_equal(x->dst, y->dst);
}

/* A parent for each group of flows; it is told at the first of them */
static uint32_t show_parents(const struct ipfw_view *v, const struct ipfw_rule *r, FILE *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < v->n_dynamic; i++) {
		const struct ipfw_dynamic p = parent_of(r, &v->dynamic[i]);
		uint32_t first = UINT32_MAX, count = 0;
		char kind[32];

		if (!is_of(&v->dynamic[i], r))
			continue;
		for (uint32_t k = 0; k < v->n_dynamic; k++) {
			const struct ipfw_dynamic other = parent_of(r, &v->dynamic[k]);

			if (!is_of(&v->dynamic[k], r) || !same_flow(&p, &other))
				continue;
			first = MIN(first, k);
			count++;
		}
		if (first != i)
			continue;
		snprintf(kind, sizeof(kind), "PARENT %u", count);
		show_flow(v, r, &p, kind, out);
		n++;
	}
	return n;
}

static uint32_t show_states(const struct ipfw_view *v, const struct ipfw_rule *r, FILE *out)
{
	const bool limit = r->state.word == IW_LIMIT || r->state.word == IW_SET_LIMIT;
	uint32_t n = limit ? show_parents(v, r, out) : 0;

	for (uint32_t i = 0; i < v->n_dynamic; i++) {
		if (!is_of(&v->dynamic[i], r))
			continue;
		show_flow(v, r, &v->dynamic[i], limit ? "LIMIT" : "STATE", out);
		n++;
	}
	return n;
}

uint32_t ipfw_show_dynamic(const struct ipfw_ruleset *rs, const struct ipfw_view *v, FILE *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < rs->rules.n; i++) {
		const struct ipfw_rule *r = &rs->rules.v[i];
		const bool again = i > 0 && strcmp(r->text, r[-1].text) == 0;

		if (r->state.word != IW_NONE && !again && r->number >= v->lo &&
		    r->number <= v->hi && (v->set < 0 || r->set == (uint32_t)v->set))
			n += show_states(v, r, out);
	}
	return n;
}

/* -- sets and nat ----------------------------------------------------------- */

void ipfw_show_sets(const struct ipfw_ruleset *rs, FILE *out)
{
	const char *word = "disable";

	for (uint32_t i = 0; i < IPFW_SET_DEFAULT; i++) {
		if ((rs->disabled & 1u << i) == 0)
			continue;
		fprintf(out, "%s %u", word, i);
		word = "";
	}
	word = rs->disabled != 0 ? " enable" : "enable";
	for (uint32_t i = 0; i < IPFW_SET_DEFAULT; i++) {
		if ((rs->disabled & 1u << i) != 0)
			continue;
		fprintf(out, "%s %u", word, i);
		word = "";
	}
	putc('\n', out);
}

bool ipfw_show_nat(const struct ipfw_ruleset *rs, uint32_t number, FILE *out)
{
	const struct ipfw_nat *n;

	if (number == 0) {
		ipfw_print_nat(rs, out);
		return true;
	}
	n = ipfw_find_nat(rs, number);
	if (n == NULL)
		return false;
	fprintf(out, "ipfw %s\n", ipfw_nat_line(rs->a, n, true));
	return true;
}
