/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * All rules are one sequence of parts, each of which may be absent, in one
 * order: direction, log and quick, interface, family, protocol, addresses;
 * then options in any order.  What may follow depends on the kind of rule, and
 * so does what is missing: FreeBSD's own checks are made in lowering, where
 * the whole rule is known.
 */
#include "lang/pf/parse.h"

#include <string.h>

#include "net/names.h"

const struct pf_rule_opts pf_no_opts = {
	.log_if = -1, .prio = -1, .set_prio = { -1, -1 }, .tos = -1, .scrub = { .set_tos = -1 },
	.probability = -1, .rtable = -1,
};

struct pf_rule *pf_new_rule(struct pf_parser *p, enum pf_action action)
{
	struct pf_rule *r = arena_new(p->c->a, struct pf_rule);

	r->action = action;
	r->dir = -1;
	r->refusal = p->refusal;
	r->o = &pf_no_opts;
	p->opts = NULL;
	return r;
}

struct pf_rule_opts *pf_opts(struct pf_parser *p, struct pf_rule *r)
{
	if (p->opts == NULL) {
		p->opts = arena_new(p->c->a, struct pf_rule_opts);
		*p->opts = pf_no_opts;
		r->o = p->opts;
	}
	return p->opts;
}

void pf_later(struct pf_parser *p, const char *what, struct span at)
{
	vec_add(p->c->a, &p->later, ((struct pf_later){ what, at }));
}

/* The end of every rule: keep what lowering does not know */
void pf_take_later(struct pf_parser *p, struct pf_rule *r)
{
	if (p->later.n > 0)
		pf_take(p, &p->later, &pf_opts(p, r)->later);
}

void pf_part_dir(struct pf_parser *p, struct pf_rule *r)
{
	if (pf_accept(p, PW_IN))
		r->dir = DIR_IN;
	else if (pf_accept(p, PW_OUT))
		r->dir = DIR_OUT;
}

static bool pflog_number(struct pf_parser *p, struct pf_rule *r)
{
	const char *s;
	uint32_t n = 0;

	if (!pf_is_name(p))
		return pf_unexpected(p, "the name of a pflog interface", 0);
	s = pf_token_str(p);
	if (strncmp(s, "pflog", 5) != 0 || s[5] == '\0' || strlen(s) > 9 ||
	    s[5 + strspn(s + 5, "0123456789")] != '\0')
		return pf_unexpected(p, "the name of a pflog interface", 0);
	for (s += 5; *s != '\0'; s++)
		n = n * 10 + (uint32_t)(*s - '0');
	pf_opts(p, r)->log_if = (int16_t)n;
	return true;
}

static bool log_option(struct pf_parser *p, struct pf_rule *r)
{
	const struct span at = p->t.at;

	if (pf_accept(p, PW_TO)) {
		if (!pflog_number(p, r))
			return false;
	} else if (pf_is(p, PW_ALL)) {
		pf_opts(p, r)->log_all = true;
	} else if (pf_is(p, PW_USER) || pf_is(p, PW_GROUP)) {
		pf_opts(p, r)->log_user = true;
	} else if (p->t.kind == PT_WORD && strcmp(pf_token_str(p), "matches") == 0) {
		pf_opts(p, r)->log_matches = true;
	} else {
		return pf_unexpected(p, "all, user, group, matches or to", 0);
	}
	pf_diag(p->c, p->f, N1151, span_join(at, p->t.at),
		"this log option has no effect here: the first packet of each connection is "
		"logged");
	pf_next(p);
	return true;
}

bool pf_part_log(struct pf_parser *p, struct pf_rule *r)
{
	struct span open;

	if (!pf_accept(p, PW_LOG))
		return true;
	r->is_log = true;
	open = p->t.at;
	if (p->t.kind != '(')
		return true;
	pf_next(p);
	while (p->t.kind != ')') {
		if (!log_option(p, r))
			return false;
		if (p->t.kind == ',')
			pf_next(p);
		if (pf_is_end(p))
			return pf_error(p, E1103, open, "this parenthesis is never closed");
	}
	pf_next(p);
	return true;
}

bool pf_part_quick(struct pf_parser *p, struct pf_rule *r)
{
	if (pf_accept(p, PW_QUICK)) {
		r->is_quick = true;
		return pf_part_log(p, r);
	}
	if (!pf_part_log(p, r))
		return false;
	r->is_quick = pf_accept(p, PW_QUICK);
	return true;
}

static bool part_iface(struct pf_parser *p, struct pf_rule *r)
{
	if (!pf_accept(p, PW_ON))
		return true;
	if (!pf_list(p, pf_iface_item))
		return false;
	pf_take(p, &p->ifaces, &r->ifaces);
	return true;
}

void pf_part_af(struct pf_parser *p, struct pf_rule *r)
{
	r->af_at = p->t.at;
	if (pf_accept(p, PW_INET))
		r->af = AF_V4;
	else if (pf_accept(p, PW_INET6))
		r->af = AF_V6;
}

static bool part_proto(struct pf_parser *p, struct pf_rule *r)
{
	if (!pf_accept(p, PW_PROTO))
		return true;
	if (!pf_list(p, pf_proto_item))
		return false;
	pf_take(p, &p->protos, &r->protos);
	return true;
}

static bool part_side(struct pf_parser *p, struct pf_side *side)
{
	if (!pf_is(p, PW_PORT)) {
		if (!pf_list(p, pf_host_item))
			return false;
		pf_take(p, &p->hosts, &side->hosts);
	}
	side->ports_at = p->t.at;
	if (!pf_accept(p, PW_PORT))
		return true;
	if (!pf_list(p, pf_port_item))
		return false;
	pf_take(p, &p->ports, &side->ports);
	return true;
}

static bool os_item(struct pf_parser *p)
{
	struct pf_os os = { .at = p->t.at };

	if (!pf_any_text(p, "the name of an operating system", &os.name))
		return false;
	vec_add(p->c->a, &p->oses, os);
	return true;
}

static bool part_os(struct pf_parser *p, struct pf_rule *r)
{
	const struct span at = p->t.at;

	if (!pf_accept(p, PW_OS))
		return true;
	pf_later(p, "'os'", at);
	if (!pf_list(p, os_item))
		return false;
	pf_take(p, &p->oses, &pf_opts(p, r)->oses);
	return true;
}

static bool part_from_to(struct pf_parser *p, struct pf_rule *r)
{
	if (pf_accept(p, PW_ALL))
		return true;
	if (pf_accept(p, PW_FROM) && (!part_side(p, &r->from) || !part_os(p, r)))
		return false;
	if (pf_accept(p, PW_TO) && !part_side(p, &r->to))
		return false;
	return true;
}

bool pf_parts_common(struct pf_parser *p, struct pf_rule *r)
{
	if (!part_iface(p, r) || !pf_route(p, r))
		return false;
	pf_part_af(p, r);
	return part_proto(p, r) && part_from_to(p, r);
}

/* ---- block ---------------------------------------------------------------- */

#define UNREACH4	(3 << 8)
#define UNREACH6	(1 << 8)
#define UNREACH4_PORT	(UNREACH4 | 3)
#define UNREACH6_PORT	(UNREACH6 | 4)

static bool icmp_answer(struct pf_parser *p, bool v6, int32_t *ret)
{
	int n;

	if (p->t.kind != PT_WORD)
		return pf_unexpected(p, "an ICMP code", 0);
	n = icmp_code_parse(v6, v6 ? 1 : 3, p->t.text, p->t.len);
	if (n < 0)
		return pf_error(p, E1208, p->t.at, "unknown code '%s' of %s unreachable",
				pf_token_str(p), v6 ? "ICMPv6" : "ICMP");
	*ret = (v6 ? UNREACH6 : UNREACH4) | n;
	pf_next(p);
	return true;
}

static bool block_icmp(struct pf_parser *p, struct pf_rule *r)
{
	const bool v6 = pf_is(p, PW_RETURN_ICMP6);

	pf_next(p);
	r->refusal = PR_ICMP;
	if (p->t.kind != '(')
		return true;
	pf_next(p);
	if (!icmp_answer(p, v6, v6 ? &r->icmp6 : &r->icmp4))
		return false;
	if (!v6 && p->t.kind == ',') {
		pf_next(p);
		if (!icmp_answer(p, true, &r->icmp6))
			return false;
	}
	return pf_expect(p, ')', "')'");
}

static bool block_ttl(struct pf_parser *p, struct pf_rule *r)
{
	uint32_t n;

	if (p->t.kind != '(')
		return true;
	pf_later(p, "a TTL of return-rst", p->t.at);
	pf_next(p);
	if (!pf_accept(p, PW_TTL))
		return pf_unexpected(p, "'ttl'", 0);
	if (!pf_number(p, 255, "a TTL", &n))
		return false;
	pf_opts(p, r)->return_ttl = (uint8_t)n;
	return pf_expect(p, ')', "')'");
}

static bool block_kind(struct pf_parser *p, struct pf_rule *r)
{
	r->icmp4 = UNREACH4_PORT;
	r->icmp6 = UNREACH6_PORT;
	r->refusal_at = p->t.at;
	if (pf_accept(p, PW_DROP)) {
		r->refusal = PR_DROP;
	} else if (pf_accept(p, PW_RETURN)) {
		r->refusal = PR_RETURN;
	} else if (pf_accept(p, PW_RETURN_RST)) {
		r->refusal = PR_RST;
		return block_ttl(p, r);
	} else if (pf_is(p, PW_RETURN_ICMP) || pf_is(p, PW_RETURN_ICMP6)) {
		return block_icmp(p, r);
	}
	return true;
}

bool pf_rule_filter(struct pf_parser *p, struct pf_stmt *s, enum pf_word word)
{
	struct pf_rule *r = pf_new_rule(p, word == PW_PASS ? PA_PASS :
					   word == PW_MATCH ? PA_MATCH : PA_BLOCK);

	s->rule = r;
	if (word == PW_BLOCK && !block_kind(p, r))
		return false;
	pf_part_dir(p, r);
	if (!pf_part_quick(p, r) || !pf_parts_common(p, r) || !pf_rule_options(p, r))
		return false;
	pf_take_later(p, r);
	return pf_check_words(p, r);
}

/* ---- scrub ---------------------------------------------------------------- */

bool pf_rule_scrub(struct pf_parser *p, struct pf_stmt *s, enum pf_word word)
{
	struct pf_rule *r = pf_new_rule(p, PA_SCRUB);

	s->rule = r;
	r->is_no = word == PW_NO;
	pf_part_dir(p, r);
	if (!pf_part_quick(p, r) || !pf_parts_common(p, r) || !pf_scrub_options(p, r, PT_NL))
		return false;
	pf_take_later(p, r);
	return pf_check_words(p, r);
}

/* ---- anchors -------------------------------------------------------------- */

static const struct {
	enum pf_word word;
	enum pf_anchor_kind kind;
} anchor_kinds[] = {
	{ PW_ANCHOR, PAK_FILTER },
	{ PW_NAT_ANCHOR, PAK_NAT },
	{ PW_RDR_ANCHOR, PAK_RDR },
	{ PW_BINAT_ANCHOR, PAK_BINAT },
};

/* Statements of a block in the same one, and of the same name, that has rules already */
static bool has_inline(const struct pf_parser *p, const char *name)
{
	const struct pf_stmt *v = p->stmts != NULL ? p->stmts->list.v : p->f->stmts.v;
	const uint32_t n = p->stmts != NULL ? p->stmts->list.n : p->f->stmts.n;

	for (uint32_t i = 0; i < n; i++) {
		const struct pf_anchor *a = v[i].kind == PS_RULE ? v[i].rule->anchor : NULL;

		if (a != NULL && a->is_inline && a->n_stmts > 0 && a->name != NULL &&
		    strcmp(a->name, name) == 0)
			return true;
	}
	return false;
}

static bool anchor_block(struct pf_parser *p, struct pf_anchor *a)
{
	struct pf_stmts block = { .list = { 0 } };

	if (p->t.kind != '{') {
		if (a->name == NULL)
			return pf_error(p, E1101, p->first.at, "anchor without a name and without "
					"rules in braces");
		return true;
	}
	if (a->kind != PAK_FILTER)
		return pf_unexpected(p, "the end of the line: only 'anchor' takes rules in braces",
				     0);
	if (!pf_block(p, &block))
		return false;
	if (a->name != NULL && has_inline(p, a->name))
		return pf_error(p, E1101, ((struct span){ p->lx.src, p->prev_hi - 1, p->prev_hi }),
				"inline anchor '%s' already exists", a->name);
	a->stmts = block.list.v;
	a->n_stmts = block.list.n;
	return true;
}

bool pf_rule_anchor(struct pf_parser *p, struct pf_stmt *s, enum pf_word word)
{
	struct pf_rule *r = pf_new_rule(p, PA_ANCHOR);

	s->rule = r;
	r->anchor = arena_new(p->c->a, struct pf_anchor);
	for (size_t i = 0; i < ARRAY_SIZE(anchor_kinds); i++)
		if (anchor_kinds[i].word == word)
			r->anchor->kind = anchor_kinds[i].kind;
	if (pf_is_name(p)) {
		r->anchor->name = pf_token_str(p);
		pf_next(p);
	}
	if (word == PW_ANCHOR) {
		pf_part_dir(p, r);
		r->is_quick = pf_accept(p, PW_QUICK);
	}
	if (!pf_parts_common(p, r) || !pf_rule_options(p, r))
		return false;
	pf_take_later(p, r);
	r->anchor->is_inline = p->t.kind == '{';
	return pf_check_words(p, r) && anchor_block(p, r->anchor);
}

bool pf_load_anchor(struct pf_parser *p, struct pf_stmt *s, enum pf_word word UNUSED)
{
	struct pf_load *l = arena_new(p->c->a, struct pf_load);

	if (!pf_accept(p, PW_ANCHOR))
		return pf_unexpected(p, "'anchor'", 0);
	if (!pf_any_text(p, "the name of an anchor", &l->anchor))
		return false;
	if (!pf_accept(p, PW_FROM))
		return pf_unexpected(p, "'from' and a file", 0);
	l->at = p->t.at;
	if (!pf_any_text(p, "the name of a file", &l->path))
		return false;
	s->kind = PS_LOAD;
	s->load = l;
	return true;
}

/* ---- antispoof ------------------------------------------------------------ */

static bool antispoof_item(struct pf_parser *p)
{
	if (p->t.kind != '(' && !pf_is_name(p))
		return pf_unexpected(p, "the name of an interface", 0);
	if (!pf_host_item(p))
		return false;
	if (p->hosts.v[p->hosts.n - 1].kind == PH_ADDR || p->hosts.v[p->hosts.n - 1].mods != 0)
		return pf_error(p, E1206, p->hosts.v[p->hosts.n - 1].at,
				"antispoof takes the name of an interface");
	return true;
}

bool pf_rule_antispoof(struct pf_parser *p, struct pf_stmt *s, enum pf_word word UNUSED)
{
	struct pf_rule *r = pf_new_rule(p, PA_ANTISPOOF);

	s->rule = r;
	if (!pf_part_quick(p, r))
		return false;
	if (!pf_accept(p, PW_FOR))
		return pf_unexpected(p, "'for' and an interface", 0);
	if (!pf_list(p, antispoof_item))
		return false;
	pf_take(p, &p->hosts, &r->antispoof);
	pf_part_af(p, r);
	if (!pf_rule_options(p, r))
		return false;
	pf_take_later(p, r);
	return true;
}
