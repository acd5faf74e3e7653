/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Queues and limiters: read whole, kept for the text forms.  Nothing is shaped
 * on Linux by them, which a warning says.  The normal form of a queue has its
 * parts in the order of the kernel's structure, so they are collected first.
 */
#include "lang/pf/parse.h"

#include <stdlib.h>
#include <string.h>

/**
 * struct queue - An altq or a queue
 * @scheduler:	"cbq" or NULL
 * @options:	Of the scheduler, in the order printed; NULL for none
 * @bandwidth:	As written, or NULL
 * @priority:	-1 = not given
 * @qlimit:	-1 = not given
 * @tbrsize:	0 = not given
 */
struct queue {
	const char *scheduler;
	const char *options;
	const char *bandwidth;
	int64_t priority;
	int64_t qlimit;
	uint32_t tbrsize;
};

static const char *const schedulers[] = { "cbq", "priq", "hfsc", "fairq", "codel" };

/* The flags of a scheduler, in the order that pfctl prints them */
static const char *const flag_words[] = {
	"red", "ecn", "rio", "codel", "cleardscp", "flowvalve", "borrow", "wrr", "efficient",
	"root", "default",
};

static bool accept_text(struct pf_parser *p, const char *text)
{
	if (p->t.kind != PT_WORD || strcmp(pf_token_str(p), text) != 0)
		return false;
	pf_next(p);
	return true;
}

/* "linkshare(10%, 20ms, 5%)" and its like, as written */
static bool curve(struct pf_parser *p, const char **text)
{
	const char *s;

	if (!pf_any_text(p, "an option of the scheduler", &s))
		return false;
	if (p->t.kind == '(') {
		const char *sep = "(";

		do {
			const char *v;

			pf_next(p);
			if (!pf_any_text(p, "a value", &v))
				return false;
			if (p->t.kind == '%') {
				v = arena_printf(p->c->a, "%s%%", v);
				pf_next(p);
			}
			s = arena_printf(p->c->a, "%s%s%s", s, sep, v);
			sep = " ";
		} while (p->t.kind != ')' && !pf_is_end(p));
		s = arena_printf(p->c->a, "%s)", s);
		if (!pf_expect(p, ')', "')'"))
			return false;
	} else if (p->t.kind == PT_WORD && p->t.text[0] >= '0' && p->t.text[0] <= '9') {
		s = arena_printf(p->c->a, "%s %s", s, pf_token_str(p));
		pf_next(p);
	}
	*text = arena_printf(p->c->a, "%s%s ", *text, s);
	return true;
}

static bool scheduler_options(struct pf_parser *p, struct queue *q)
{
	bool seen[ARRAY_SIZE(flag_words)] = { false };
	const char *text = "", *flags = "";

	if (p->t.kind != '(')
		return true;
	pf_next(p);
	while (p->t.kind != ')') {
		bool found = false;

		if (pf_is_end(p))
			return pf_expect(p, ')', "')'");
		for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++)
			if (!found && accept_text(p, flag_words[i]))
				found = seen[i] = true;
		if (!found && !curve(p, &text))
			return false;
		if (p->t.kind == ',')
			pf_next(p);
	}
	pf_next(p);
	for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++)
		if (seen[i])
			flags = arena_printf(p->c->a, "%s%s ", flags, flag_words[i]);
	q->options = arena_printf(p->c->a, "%s%s", flags, text);
	return true;
}

static bool queue_part(struct pf_parser *p, struct queue *q, bool *ret_found)
{
	uint32_t n;

	*ret_found = true;
	for (size_t i = 0; i < ARRAY_SIZE(schedulers); i++) {
		if (accept_text(p, schedulers[i])) {
			q->scheduler = schedulers[i];
			return scheduler_options(p, q);
		}
	}
	if (accept_text(p, "bandwidth")) {
		if (!pf_any_text(p, "a bandwidth, as 10Mb", &q->bandwidth))
			return false;
		if (p->t.kind == '%') {
			q->bandwidth = arena_printf(p->c->a, "%s%%", q->bandwidth);
			pf_next(p);
		}
		return true;
	}
	if (accept_text(p, "priority")) {
		q->priority = 0;
		return pf_number(p, 255, "a priority", &n) && (q->priority = n, true);
	}
	if (accept_text(p, "qlimit"))
		return pf_number(p, 65535, "a number", &n) && (q->qlimit = n, true);
	if (accept_text(p, "tbrsize"))
		return pf_number(p, 65535, "a number", &q->tbrsize);
	*ret_found = false;
	return true;
}

/* Bits per second of "100Kb"; 0 for a percentage */
static double rate_of(const char *s)
{
	char *end;
	double v;

	if (s == NULL)
		return 0;
	v = strtod(s, &end);
	if (strcmp(end, "Kb") == 0)
		return v * 1e3;
	if (strcmp(end, "Mb") == 0)
		return v * 1e6;
	if (strcmp(end, "Gb") == 0)
		return v * 1e9;
	return *end == '\0' || strcmp(end, "b") == 0 ? v : 0;
}

/* As pfctl chooses it, for an MTU of 1500 */
static uint32_t default_tbrsize(double rate)
{
	const uint32_t mtu = 1500;

	return mtu * (rate <= 1e6 ? 1 : rate <= 10e6 ? 4 : rate <= 200e6 ? 8 :
		      rate <= 2500e6 ? 24 : 128);
}

static const char *scheduler_text(struct pf_parser *p, const struct queue *q)
{
	if (q->scheduler == NULL)
		return "";
	if (q->options == NULL)
		return arena_printf(p->c->a, "%s ", q->scheduler);
	return arena_printf(p->c->a, "%s( %s) ", q->scheduler, q->options);
}

static const char *children(struct pf_parser *p)
{
	const char *text = "";

	for (uint32_t i = 0; i < p->words.n; i++)
		text = arena_printf(p->c->a, "%s%s ", text, p->words.v[i]);
	return p->words.n == 0 ? "" : arena_printf(p->c->a, "{ %s}", text);
}

/* An altq has a line for each interface */
static void echo_altq(struct pf_parser *p, struct pf_stmt *s, const struct queue *q)
{
	const char *text = "";

	for (uint32_t i = 0; i < p->ifaces.n; i++) {
		const char *kids = children(p);
		const char *line = arena_printf(p->c->a, "altq on %s %s", p->ifaces.v[i].name,
						scheduler_text(p, q));

		if (q->bandwidth != NULL)
			line = arena_printf(p->c->a, "%sbandwidth %s ", line, q->bandwidth);
		if (q->qlimit >= 0 && q->qlimit != 50)
			line = arena_printf(p->c->a, "%sqlimit %d ", line, (int)q->qlimit);
		line = arena_printf(p->c->a, "%stbrsize %u %s%s%s", line,
				    q->tbrsize != 0 ? q->tbrsize :
				    default_tbrsize(rate_of(q->bandwidth)),
				    *kids != '\0' ? "queue " : "", kids,
				    i + 1 < p->ifaces.n ? "\n" : "");
		text = arena_printf(p->c->a, "%s%s", text, line);
	}
	pf_echo(p, s, text);
}

static void echo_queue(struct pf_parser *p, struct pf_stmt *s, const struct queue *q,
		       const char *name, const char *iface)
{
	const char *text = arena_printf(p->c->a, "queue %s ", name);

	if (iface != NULL)
		text = arena_printf(p->c->a, "%son %s ", text, iface);
	if (q->bandwidth != NULL && strcmp(q->bandwidth, "100%") != 0)
		text = arena_printf(p->c->a, "%sbandwidth %s ", text, q->bandwidth);
	if (q->priority >= 0 && q->priority != 1)
		text = arena_printf(p->c->a, "%spriority %d ", text, (int)q->priority);
	if (q->qlimit >= 0 && q->qlimit != 50)
		text = arena_printf(p->c->a, "%sqlimit %d ", text, (int)q->qlimit);
	pf_echo(p, s, arena_printf(p->c->a, "%s%s%s", text, scheduler_text(p, q), children(p)));
}

static bool queue_parts(struct pf_parser *p, struct queue *q, bool is_altq)
{
	p->words.n = 0;
	while (!pf_is_end(p)) {
		bool found;

		if (p->t.kind == '{' || (is_altq && pf_accept(p, PW_QUEUE)))
			return pf_list(p, pf_word_item);
		if (!queue_part(p, q, &found))
			return false;
		if (!found)
			return pf_unexpected(p, "bandwidth, priority, qlimit, tbrsize, a scheduler "
					     "or a list of queues", 0);
	}
	return true;
}

bool pf_queueing(struct pf_parser *p, struct pf_stmt *s, enum pf_word word)
{
	struct queue q = { .priority = -1, .qlimit = -1 };
	const char *name = NULL, *iface = NULL;
	const struct span at = p->first.at;

	if (word == PW_QUEUE && !pf_any_text(p, "the name of a queue", &name))
		return false;
	if (pf_accept(p, PW_ON)) {
		if (!pf_list(p, pf_iface_item))
			return false;
		for (uint32_t i = 0; i < p->ifaces.n; i++)
			if (p->ifaces.v[i].name == NULL || p->ifaces.v[i].is_not)
				return pf_error(p, E1206, p->ifaces.v[i].at, "a queue is on an "
						"interface");
		iface = p->ifaces.v[0].name;
	} else if (word == PW_ALTQ) {
		return pf_unexpected(p, "'on' and an interface", 0);
	}
	if (!queue_parts(p, &q, word == PW_ALTQ))
		return false;
	pf_diag(p->c, p->f, W1117, at, "'%s' shapes nothing here", pf_word_text(word));
	if (word == PW_ALTQ)
		echo_altq(p, s, &q);
	else
		echo_queue(p, s, &q, name, iface);
	return true;
}

/* ---- limiters ------------------------------------------------------------- */

/* "state limiter NAME id 1 limit 1000 ...": words, numbers, rates, a table */
bool pf_limiter(struct pf_parser *p, struct pf_stmt *s, enum pf_word word)
{
	const uint32_t lo = p->first.file_lo;
	const char *name;
	bool has_id = false;

	if (!pf_accept(p, PW_LIMITER))
		return pf_unexpected(p, "'limiter'", 0);
	if (!pf_any_text(p, "the name of a limiter", &name))
		return false;
	while (!pf_is_end(p)) {
		const char *what;
		uint32_t n;

		if (p->t.kind != PT_WORD)
			return pf_unexpected(p, "id, limit, rate, entries or table", 0);
		what = pf_token_str(p);
		pf_next(p);
		if (strcmp(what, "inet") == 0 || strcmp(what, "inet6") == 0) {
			if (!accept_text(p, "mask"))
				return pf_unexpected(p, "'mask'", 0);
		} else if (strcmp(what, "table") == 0) {
			if (!pf_expect(p, '<', "'<'") || !pf_any_text(p, "a table", &what) ||
			    !pf_expect(p, '>', "'>'"))
				return false;
			continue;
		} else if (strcmp(what, "id") != 0 && strcmp(what, "limit") != 0 &&
			   strcmp(what, "rate") != 0 && strcmp(what, "entries") != 0 &&
			   strcmp(what, "above") != 0 && strcmp(what, "below") != 0) {
			return pf_error(p, E1101, p->t.at, "unknown option '%s' of a limiter",
					what);
		}
		has_id |= strcmp(what, "id") == 0;
		if (!pf_number(p, UINT32_MAX, "a number", &n))
			return false;
		if (p->t.kind == '/') {
			pf_next(p);
			if (!pf_number(p, UINT32_MAX, "seconds", &n))
				return false;
		}
		if (p->t.kind == ',')
			pf_next(p);
	}
	if (!has_id)
		return pf_error(p, E1101, p->first.at, "a limiter needs an id");
	pf_echo(p, s, pf_stmt_text(p->c, (struct span){ p->lx.src, lo, p->prev_hi }));
	s->echo->later = word == PW_STATE ? "'state limiter'" : "'source limiter'";
	s->echo->at = p->first.at;
	return true;
}
