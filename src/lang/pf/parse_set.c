/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Options and scrub: what of them has no effect on a packet here is taken with
 * a note that says why, and what would change a packet is refused.
 */
#include "lang/pf/parse.h"

#include <stdlib.h>
#include <string.h>

static bool note(struct pf_parser *p, struct span at, const char *what, const char *why)
{
	pf_diag(p->c, p->f, N1150, at, "'%s' has no effect here: %s", what, why);
	return true;
}

/* A value that is one of some words; its number */
bool pf_choice(struct pf_parser *p, const char *const *words, const char *what, size_t *ret)
{
	const char *s, *nearest;

	if (p->t.kind != PT_WORD && p->t.kind != PT_STRING)
		return pf_unexpected(p, what, 0);
	s = pf_token_str(p);
	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(s, words[i]) == 0) {
			*ret = i;
			pf_next(p);
			return true;
		}
	}
	nearest = diag_nearest(s, words);
	pf_diag(p->c, p->f, E1108, p->t.at, "expected %s, found '%s'", what, s);
	if (nearest != NULL)
		diag_help(p->c->diags, "did you mean '%s'?", nearest);
	return false;
}

void pf_echo(struct pf_parser *p, struct pf_stmt *s, const char *text)
{
	s->kind = PS_ECHO;
	s->echo = arena_new(p->c->a, struct pf_echo);
	s->echo->text = text;
}

static bool echo_words(struct pf_parser *p, struct pf_stmt *s, const char *option,
		       const char *value)
{
	pf_echo(p, s, arena_printf(p->c->a, "set %s %s", option, value));
	return true;
}

static void echo_later(struct pf_stmt *s, const char *what, struct span at)
{
	s->echo->later = what;
	s->echo->at = at;
}

static const char *const yes_no[] = { "yes", "no", NULL };
static const char *const drop_return[] = { "drop", "return", NULL };

static bool set_block_policy(struct pf_parser *p, struct pf_stmt *s, struct span at UNUSED)
{
	size_t n;

	if (!pf_choice(p, drop_return, "drop or return", &n))
		return false;
	p->refusal = n == 0 ? PR_DROP : PR_RETURN;
	return echo_words(p, s, "block-policy", drop_return[n]);
}

static bool set_fail_policy(struct pf_parser *p, struct pf_stmt *s, struct span at)
{
	size_t n;

	return pf_choice(p, drop_return, "drop or return", &n) &&
	       echo_words(p, s, "fail-policy", drop_return[n]) &&
	       note(p, at, "fail-policy", "what meets a limit is dropped without an answer");
}

static bool set_require_order(struct pf_parser *p, struct pf_stmt *s,
			      struct span at UNUSED)
{
	size_t n;

	if (!pf_choice(p, yes_no, "yes or no", &n))
		return false;
	p->any_order = n == 1;
	return echo_words(p, s, "require-order", yes_no[n]);
}

static bool set_skip(struct pf_parser *p, struct pf_stmt *s, struct span at UNUSED)
{
	struct pf_skip *skip = arena_new(p->c->a, struct pf_skip);

	if (!pf_accept(p, PW_ON))
		return pf_unexpected(p, "'on' and an interface", 0);
	if (!pf_list(p, pf_iface_item))
		return false;
	for (uint32_t i = 0; i < p->ifaces.n; i++)
		if (p->ifaces.v[i].is_not)
			return pf_error(p, E1108, p->ifaces.v[i].at, "set skip takes no '!'");
	pf_take(p, &p->ifaces, &skip->ifaces);
	s->kind = PS_SKIP;
	s->skip = skip;
	return true;
}

static bool set_state_policy(struct pf_parser *p, struct pf_stmt *s, struct span at UNUSED)
{
	static const char *const words[] = { "floating", "if-bound", NULL };
	const struct span value = p->t.at;
	size_t n;

	if (!pf_choice(p, words, "floating or if-bound", &n))
		return false;
	p->if_bound = n == 1;
	echo_words(p, s, "state-policy", words[n]);
	if (n == 1)
		echo_later(s, "'if-bound'", value);
	return true;
}

static bool set_optimization(struct pf_parser *p, struct pf_stmt *s, struct span at)
{
	static const char *const words[] = { "normal", "default", "high-latency", "satellite",
					     "aggressive", "conservative", NULL };
	size_t n;

	return pf_choice(p, words, "an optimization, as normal or aggressive", &n) &&
	       echo_words(p, s, "optimization", words[n]) &&
	       note(p, at, "optimization", "the kernel's connection tracking has timeouts of its "
		    "own");
}

static bool set_ruleset_optimization(struct pf_parser *p, struct pf_stmt *s,
				     struct span at)
{
	static const char *const words[] = { "none", "basic", "profile", NULL };
	size_t n;

	return pf_choice(p, words, "none, basic or profile", &n) &&
	       echo_words(p, s, "ruleset-optimization", words[n]) &&
	       note(p, at, "ruleset-optimization", "rules are always optimised, their meaning "
		    "kept");
}

static bool set_debug(struct pf_parser *p, struct pf_stmt *s, struct span at)
{
	static const char *const words[] = {
		"none", "urgent", "misc", "loud", "emerg", "alert", "crit", "err", "error",
		"warning", "notice", "info", "debug", NULL };
	size_t n;

	return pf_choice(p, words, "a debug level, as urgent", &n) &&
	       echo_words(p, s, "debug", words[n]) &&
	       note(p, at, "debug", "it is about pf's own messages");
}

static bool set_keepcounters(struct pf_parser *p, struct pf_stmt *s, struct span at)
{
	pf_echo(p, s, "set keepcounters");
	return note(p, at, "keepcounters", "it is about counters, not about packets");
}

/* "(start 25%, end 12%)" */
static bool syncookie_marks(struct pf_parser *p)
{
	if (p->t.kind != '(')
		return true;
	do {
		const char *text = NULL;

		pf_next(p);
		if (!pf_any_text(p, "start or end", &text) ||
		    !pf_any_text(p, "a percentage", &text))
			return false;
		if (p->t.kind == '%')
			pf_next(p);
	} while (p->t.kind == ',');
	return pf_expect(p, ')', "')'");
}

static bool set_syncookies(struct pf_parser *p, struct pf_stmt *s, struct span at UNUSED)
{
	static const char *const words[] = { "never", "always", "adaptive", NULL };
	const struct span value = p->t.at;
	size_t n;

	if (!pf_choice(p, words, "never, always or adaptive", &n))
		return false;
	if (n == 2 && !syncookie_marks(p))
		return false;
	echo_words(p, s, "syncookies", words[n]);
	if (n > 0)
		return note(p, value, "syncookies", "the kernel has its own for its services: the "
			    "sysctl net.ipv4.tcp_syncookies");
	return true;
}

static bool set_reassemble(struct pf_parser *p, struct pf_stmt *s, struct span at)
{
	size_t n;

	if (!pf_choice(p, yes_no, "yes or no", &n))
		return false;
	pf_echo(p, s, arena_printf(p->c->a, "set reassemble %s %s", yes_no[n],
				   pf_is(p, PW_NO_DF) ? "no-df" : ""));
	if (pf_is(p, PW_NO_DF)) {
		pf_next(p);
	}
	return note(p, at, "reassemble", "the kernel always reassembles fragments for connection "
		    "tracking");
}

/* A word, a number or a quoted text */
bool pf_any_text(struct pf_parser *p, const char *what, const char **ret)
{
	if (p->t.kind != PT_WORD && p->t.kind != PT_STRING)
		return pf_unexpected(p, what, 0);
	*ret = pf_token_str(p);
	pf_next(p);
	return true;
}

static bool set_loginterface(struct pf_parser *p, struct pf_stmt *s, struct span at)
{
	const char *text = NULL;

	return pf_any_text(p, "the name of an interface", &text) &&
	       echo_words(p, s, "loginterface", text) &&
	       note(p, at, "loginterface", "the kernel counts on every interface");
}

static bool set_hostid(struct pf_parser *p, struct pf_stmt *s, struct span at)
{
	const char *text = "";
	unsigned long n;
	char *end;

	if (!pf_any_text(p, "a number", &text))
		return false;
	errno = 0;
	n = strtoul(text, &end, 0);
	if (*end != '\0' || end == text || errno != 0 || n == 0 || n > UINT32_MAX)
		return pf_error(p, E1108, at, "expected a number above 0, found '%s'", text);
	return echo_words(p, s, "hostid", arena_printf(p->c->a, "0x%08lx", n)) &&
	       note(p, at, "hostid", "states are not sent to other hosts");
}

static bool set_fingerprints(struct pf_parser *p, struct pf_stmt *s, struct span at)
{
	const char *text = NULL;

	return pf_any_text(p, "the name of a file", &text) &&
	       echo_words(p, s, "fingerprints", arena_printf(p->c->a, "\"%s\"", text)) &&
	       note(p, at, "fingerprints", "no rule can test an operating system");
}

static bool set_state_defaults(struct pf_parser *p, struct pf_stmt *s, struct span at)
{
	struct pf_rule *r = pf_new_rule(p, PA_PASS);
	const uint32_t lo = p->t.file_lo;

	if (p->state_defaults != NULL)
		return pf_error(p, E1108, at, "state-defaults cannot be set twice");
	if (!pf_state_options(p, r, false))
		return false;
	p->state_defaults = r;
	pf_echo(p, s, arena_printf(p->c->a, "set state-defaults %s",
				   pf_stmt_text(p->c, (struct span){ p->lx.src, lo, p->prev_hi })));
	return true;
}

static const char *const limit_names[PF_LIMITS + 1] = { "states", "src-nodes", "frags", "tables",
					   "table-entries", "anchors", "eth-anchors", NULL };
const char *const pf_timeout_names[] = {
	"tcp.first", "tcp.opening", "tcp.established", "tcp.closing", "tcp.finwait",
	"tcp.closed", "sctp.first", "sctp.opening", "sctp.established", "sctp.closing",
	"sctp.closed", "udp.first", "udp.single", "udp.multiple", "icmp.first", "icmp.error",
	"other.first", "other.single", "other.multiple", "frag", "interval", "adaptive.start",
	"adaptive.end", "src.track", "tcp.tsdiff", NULL };

static bool named_number(struct pf_parser *p, const char *const *names, const char *option,
			 const char *what, uint32_t *to)
{
	uint32_t v;
	size_t n = 0;

	if (!pf_choice(p, names, what, &n) || !pf_number(p, UINT32_MAX, "a number", &v))
		return false;
	vec_add(p->c->a, &p->words, arena_printf(p->c->a, "set %s %s %u", option, names[n], v));
	if (to != NULL)
		to[n] = v;
	return true;
}

static bool limit_item(struct pf_parser *p)
{
	return named_number(p, limit_names, "limit", "a limit, as states", p->f->limit);
}

static bool timeout_item(struct pf_parser *p)
{
	return named_number(p, pf_timeout_names, "timeout", "a timeout, as tcp.established",
			    p->f->timeout);
}

uint32_t pf_limit(const struct pf_file *f, const char *name)
{
	for (size_t i = 0; limit_names[i] != NULL; i++)
		if (strcmp(limit_names[i], name) == 0)
			return f->limit[i];
	return 0;
}

bool pf_timeout(const struct pf_file *f, uint32_t i, const char **ret_name, uint32_t *ret_seconds)
{
	if (i >= PTM_N)
		return false;
	*ret_name = pf_timeout_names[i];
	*ret_seconds = f->timeout[i];
	return true;
}

/* A line for each of a list */
static bool echo_list(struct pf_parser *p, struct pf_stmt *s)
{
	const char *text = p->words.v[0];

	for (uint32_t i = 1; i < p->words.n; i++)
		text = arena_printf(p->c->a, "%s\n%s", text, p->words.v[i]);
	pf_echo(p, s, text);
	return true;
}

static bool set_limit(struct pf_parser *p, struct pf_stmt *s, struct span at)
{
	p->words.n = 0;
	return pf_list(p, limit_item) && echo_list(p, s) &&
	       note(p, at, "limit", "the kernel's connection tracking has limits of its own");
}

static bool set_timeout(struct pf_parser *p, struct pf_stmt *s, struct span at)
{
	p->words.n = 0;
	return pf_list(p, timeout_item) && echo_list(p, s) &&
	       note(p, at, "timeout", "the kernel's connection tracking has timeouts of its own");
}

static const struct set_option {
	enum pf_word word;
	bool (*parse)(struct pf_parser *p, struct pf_stmt *s, struct span at);
	bool ordered;		/* must stand before all rules */
} set_options[] = {
	{ PW_BLOCK_POLICY, set_block_policy, true },
	{ PW_DEBUG, set_debug, true },
	{ PW_FAIL_POLICY, set_fail_policy, true },
	{ PW_FINGERPRINTS, set_fingerprints, true },
	{ PW_HOSTID, set_hostid, false },
	{ PW_KEEPCOUNTERS, set_keepcounters, false },
	{ PW_LIMIT, set_limit, true },
	{ PW_LOGINTERFACE, set_loginterface, true },
	{ PW_OPTIMIZATION, set_optimization, true },
	{ PW_REASSEMBLE, set_reassemble, true },
	{ PW_REQUIRE_ORDER, set_require_order, false },
	{ PW_RULESET_OPTIMIZATION, set_ruleset_optimization, false },
	{ PW_SKIP, set_skip, false },
	{ PW_STATE_DEFAULTS, set_state_defaults, false },
	{ PW_STATE_POLICY, set_state_policy, false },
	{ PW_SYNCOOKIES, set_syncookies, true },
	{ PW_TIMEOUT, set_timeout, true },
};

bool pf_set(struct pf_parser *p, struct pf_stmt *s, enum pf_word word UNUSED)
{
	const struct span at = p->t.at;

	for (size_t i = 0; i < ARRAY_SIZE(set_options); i++) {
		if (!pf_is(p, set_options[i].word))
			continue;
		if (set_options[i].ordered && !pf_order(p, PORD_OPTION, at))
			return false;
		pf_next(p);
		return set_options[i].parse(p, s, at);
	}
	return pf_unexpected(p, "an option", PWR_OPTION);
}

/* ---- scrub ---------------------------------------------------------------- */

/* "fragment reassemble" and the like, standing behind "fragment" */
static bool scrub_fragment(struct pf_parser *p, struct pf_rule_opts *o)
{
	static const char *const ways[] = { "reassemble", "crop", "drop-ovl", NULL };
	const struct span at = p->t.at;
	size_t n;

	if (!pf_accept(p, PW_NO))
		return pf_choice(p, ways, "reassemble", &n);
	if (!pf_accept(p, PW_REASSEMBLE))
		return pf_unexpected(p, "reassemble", 0);
	o->scrub.no_reassemble = true;
	return note(p, at, "no reassemble",
		    "the kernel always reassembles fragments for connection tracking");
}

static bool scrub_number(struct pf_parser *p, uint32_t max, const char *what, uint32_t *ret)
{
	pf_next(p);
	return pf_number(p, max, what, ret);
}

static bool scrub_word(struct pf_parser *p, bool *ret)
{
	pf_next(p);
	*ret = true;
	return true;
}

static bool scrub_one(struct pf_parser *p, struct pf_rule_opts *o)
{
	const struct span at = p->t.at;
	uint32_t n = 0;

	if (pf_is(p, PW_NO_DF))
		return scrub_word(p, &o->scrub.no_df);
	if (pf_is(p, PW_RANDOM_ID))
		return scrub_word(p, &o->scrub.random_id) &&
		       note(p, at, "random-id", "identification fields stay as they are; the "
			    "kernel chooses good ones for its own packets");
	if (pf_is(p, PW_MIN_TTL)) {
		if (!scrub_number(p, 255, "a TTL", &n))
			return false;
		o->scrub.min_ttl = (uint8_t)n;
		return true;
	}
	if (pf_is(p, PW_MAX_MSS)) {
		if (!scrub_number(p, 65535, "a segment size in bytes", &n))
			return false;
		o->scrub.max_mss = (uint16_t)n;
		return true;
	}
	if (pf_is(p, PW_SET_TOS)) {
		pf_next(p);
		return pf_tos(p, &o->scrub.set_tos);
	}
	if (pf_accept(p, PW_FRAGMENT))
		return scrub_fragment(p, o);
	if (!pf_accept(p, PW_REASSEMBLE))
		return pf_unexpected(p, "an option of scrub or its end", 0);
	if (p->t.kind != PT_WORD || strcmp(pf_token_str(p), "tcp") != 0)
		return pf_unexpected(p, "'tcp'", 0);
	pf_next(p);
	o->scrub.reassemble_tcp = true;
	return note(p, at, "reassemble tcp",
		    "the kernel follows TCP in its own way, and changes no timestamps and TTLs");
}

bool pf_scrub_changes(const struct pf_scrub_opts *o)
{
	return o->no_df || o->min_ttl != 0 || o->max_mss != 0 || o->set_tos >= 0;
}

bool pf_scrub_options(struct pf_parser *p, struct pf_rule *r, int end)
{
	while (!pf_is_end(p) && p->t.kind != end) {
		if (!scrub_one(p, pf_opts(p, r)))
			return false;
		if (p->t.kind == ',')
			pf_next(p);
	}
	return end == ')' || pf_scrub_changes(&r->o->scrub) ||
	       note(p, p->first.at, "scrub",
		    "the kernel always reassembles fragments for connection tracking");
}
