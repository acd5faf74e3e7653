/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Options and scrub: what of them has no effect on a packet here is taken with
 * a note that says why, and what would change a packet is refused.
 */
#include "lang/pf/parse.h"

#include <string.h>

static bool note(struct pf_parser *p, struct span at, const char *what, const char *why)
{
	pf_diag(p->c, p->f, N1150, at, "'%s' has no effect here: %s", what, why);
	return true;
}

/* A value that is one of some words; its number */
static bool choice(struct pf_parser *p, const char *const *words, const char *what, size_t *ret)
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

static const char *const yes_no[] = { "yes", "no", NULL };
static const char *const drop_return[] = { "drop", "return", NULL };

static bool set_block_policy(struct pf_parser *p, struct pf_stmt *s UNUSED, struct span at UNUSED)
{
	size_t n;

	if (!choice(p, drop_return, "drop or return", &n))
		return false;
	p->refusal = n == 0 ? PR_DROP : PR_RETURN;
	return true;
}

static bool set_fail_policy(struct pf_parser *p, struct pf_stmt *s UNUSED, struct span at)
{
	size_t n;

	return choice(p, drop_return, "drop or return", &n) &&
	       note(p, at, "fail-policy", "no rule has a limit on its states");
}

static bool set_require_order(struct pf_parser *p, struct pf_stmt *s UNUSED,
			      struct span at UNUSED)
{
	size_t n;

	if (!choice(p, yes_no, "yes or no", &n))
		return false;
	p->any_order = n == 1;
	return true;
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

static bool set_state_policy(struct pf_parser *p, struct pf_stmt *s UNUSED, struct span at UNUSED)
{
	static const char *const words[] = { "floating", "if-bound", NULL };
	const struct span value = p->t.at;
	size_t n;

	if (!choice(p, words, "floating or if-bound", &n))
		return false;
	return n == 0 || pf_error(p, E1102, value,
				  "'if-bound' is not in this version of sallyport");
}

static bool set_optimization(struct pf_parser *p, struct pf_stmt *s UNUSED, struct span at)
{
	static const char *const words[] = { "normal", "default", "high-latency", "satellite",
					     "aggressive", "conservative", NULL };
	size_t n;

	return choice(p, words, "an optimization, as normal or aggressive", &n) &&
	       note(p, at, "optimization", "the kernel's connection tracking has timeouts of its "
		    "own");
}

static bool set_ruleset_optimization(struct pf_parser *p, struct pf_stmt *s UNUSED,
				     struct span at)
{
	static const char *const words[] = { "none", "basic", "profile", NULL };
	size_t n;

	return choice(p, words, "none, basic or profile", &n) &&
	       note(p, at, "ruleset-optimization", "rules are always optimised, their meaning "
		    "kept");
}

static bool set_debug(struct pf_parser *p, struct pf_stmt *s UNUSED, struct span at)
{
	static const char *const words[] = {
		"none", "urgent", "misc", "loud", "emerg", "alert", "crit", "err", "error",
		"warning", "notice", "info", "debug", NULL };
	size_t n;

	return choice(p, words, "a debug level, as urgent", &n) &&
	       note(p, at, "debug", "it is about pf's own messages");
}

static bool set_keepcounters(struct pf_parser *p, struct pf_stmt *s UNUSED, struct span at)
{
	return note(p, at, "keepcounters", "it is about counters, not about packets");
}

static bool set_syncookies(struct pf_parser *p, struct pf_stmt *s UNUSED, struct span at UNUSED)
{
	static const char *const words[] = { "never", "always", "adaptive", NULL };
	const struct span value = p->t.at;
	size_t n;

	if (!choice(p, words, "never, always or adaptive", &n))
		return false;
	return n == 0 || pf_error(p, E1102, value, "syncookies are not in this version of "
				  "sallyport");
}

static bool set_reassemble(struct pf_parser *p, struct pf_stmt *s UNUSED, struct span at)
{
	size_t n;

	if (!choice(p, yes_no, "yes or no", &n))
		return false;
	if (pf_is(p, PW_NO_DF))
		return pf_unexpected(p, "the end of the line", 0);
	return note(p, at, "reassemble", "the kernel always reassembles fragments for connection "
		    "tracking");
}

/* A word, a number or a quoted text that nobody looks at */
static bool any_value(struct pf_parser *p, const char *what)
{
	if (p->t.kind != PT_WORD && p->t.kind != PT_STRING)
		return pf_unexpected(p, what, 0);
	pf_next(p);
	return true;
}

static bool set_loginterface(struct pf_parser *p, struct pf_stmt *s UNUSED, struct span at)
{
	return any_value(p, "the name of an interface") &&
	       note(p, at, "loginterface", "the kernel counts on every interface");
}

static bool set_hostid(struct pf_parser *p, struct pf_stmt *s UNUSED, struct span at)
{
	return any_value(p, "a number") &&
	       note(p, at, "hostid", "states are not sent to other hosts");
}

static bool set_fingerprints(struct pf_parser *p, struct pf_stmt *s UNUSED, struct span at)
{
	return any_value(p, "the name of a file") &&
	       note(p, at, "fingerprints", "no rule can test an operating system");
}

static bool set_state_defaults(struct pf_parser *p, struct pf_stmt *s UNUSED,
			       struct span at UNUSED)
{
	return pf_error(p, E1102, p->t.at, "state option '%s' is not in this version of sallyport",
			p->t.kind == PT_WORD ? pf_token_str(p) : "");
}

static const char *const limit_names[] = { "states", "src-nodes", "frags", "tables",
					   "table-entries", "anchors", "eth-anchors", NULL };
static const char *const timeout_names[] = {
	"tcp.first", "tcp.opening", "tcp.established", "tcp.closing", "tcp.finwait",
	"tcp.closed", "tcp.tsdiff", "sctp.first", "sctp.opening", "sctp.established",
	"sctp.closing", "sctp.closed", "udp.first", "udp.single", "udp.multiple", "icmp.first",
	"icmp.error", "other.first", "other.single", "other.multiple", "frag", "interval",
	"adaptive.start", "adaptive.end", "src.track", NULL };

static bool named_number(struct pf_parser *p, const char *const *names, const char *what)
{
	uint32_t v;
	size_t n;

	return choice(p, names, what, &n) && pf_number(p, UINT32_MAX, "a number", &v);
}

static bool limit_item(struct pf_parser *p)
{
	return named_number(p, limit_names, "a limit, as states");
}

static bool timeout_item(struct pf_parser *p)
{
	return named_number(p, timeout_names, "a timeout, as tcp.established");
}

static bool set_limit(struct pf_parser *p, struct pf_stmt *s UNUSED, struct span at)
{
	return pf_list(p, limit_item) &&
	       note(p, at, "limit", "the kernel's connection tracking has limits of its own");
}

static bool set_timeout(struct pf_parser *p, struct pf_stmt *s UNUSED, struct span at)
{
	return pf_list(p, timeout_item) &&
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
static bool scrub_fragment(struct pf_parser *p)
{
	static const char *const ways[] = { "reassemble", "crop", "drop-ovl", NULL };
	const struct span at = p->t.at;
	size_t n;

	if (pf_accept(p, PW_NO)) {
		if (!pf_accept(p, PW_REASSEMBLE))
			return pf_unexpected(p, "reassemble", 0);
		return note(p, at, "no reassemble", "the kernel always reassembles fragments for "
			    "connection tracking");
	}
	return choice(p, ways, "reassemble", &n);
}

static bool scrub_options(struct pf_parser *p)
{
	while (!pf_is_end(p)) {
		const struct span at = p->t.at;

		if (pf_accept(p, PW_FRAGMENT)) {
			if (!scrub_fragment(p))
				return false;
		} else if (pf_accept(p, PW_REASSEMBLE)) {
			return pf_error(p, E1102, at, "'reassemble tcp' is not in this version of "
					"sallyport");
		} else {
			return pf_unexpected(p, "an option of scrub or its end", 0);
		}
	}
	return true;
}

bool pf_rule_scrub(struct pf_parser *p, struct pf_stmt *s UNUSED, enum pf_word word UNUSED)
{
	return pf_rule_parts(p) && scrub_options(p) &&
	       note(p, p->first.at, "scrub",
		    "the kernel always reassembles fragments for connection tracking");
}
