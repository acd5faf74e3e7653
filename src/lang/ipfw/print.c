/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * As ipfw prints: canonical spellings, ports as numbers, the state last.  Every
 * test carries its own text, so printing is joining.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lang/ipfw/parse.h"

/* Text that grows in the arena */
struct text {
	struct arena *a;
	VEC(char) s;
};

static void put(struct text *t, const char *s)
{
	for (; *s != '\0'; s++)
		vec_add(t->a, &t->s, *s);
}

static void putf(struct text *t, const char *fmt, ...) PRINTF(2, 3);

static void putf(struct text *t, const char *fmt, ...)
{
	char buf[128];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	BUG_IF(n < 0 || (size_t)n >= sizeof(buf));
	put(t, buf);
}

static const char *finish(struct text *t)
{
	vec_add(t->a, &t->s, '\0');
	return t->s.v;
}

static void put_number(struct text *t, const char *word, uint32_t n)
{
	if (n == IPFW_TABLEARG)
		putf(t, "%s tablearg", word);
	else
		putf(t, "%s %u", word, n);
}

static void put_action(struct text *t, const struct ipfw_rule *r)
{
	switch (r->action) {
	case IW_UNREACH:
	case IW_UNREACH6:
		if (r->action == IW_UNREACH && r->arg == 1)
			put(t, iw_text(IW_REJECT));
		else
			putf(t, "%s %s", iw_text(r->action),
			     ipfw_unreach_text(t->a, r->action == IW_UNREACH6, r->arg));
		break;
	case IW_SKIPTO:
	case IW_CALL:
		put_number(t, iw_text(r->action), r->arg);
		break;
	case IW_NAT:
		if (r->arg == 0)
			put(t, "nat global");
		else
			put_number(t, "nat", r->arg);
		break;
	case IW_CHECK_STATE:
		put(t, "check-state :");
		put(t, r->state_name != NULL ? r->state_name : "any");
		break;
	default:
		put(t, iw_text(r->action));
		break;
	}
}

/* The tests from *@i on that stand at @part, with the braces of a block */
static void put_part(struct text *t, const struct ipfw_rule *r, uint32_t *i, enum insn_part part,
		     const char *before)
{
	bool in_block = false;

	for (; *i < r->insns.n && r->insns.v[*i].part == part; ++*i) {
		const struct ipfw_insn *n = &r->insns.v[*i];

		put(t, in_block ? " or " : before);
		if (n->or_next && !in_block)
			put(t, "{ ");
		if (n->is_not)
			put(t, "not ");
		put(t, n->text);
		if (in_block && !n->or_next)
			put(t, " }");
		in_block = n->or_next;
	}
}

static void put_state(struct text *t, const struct ipfw_state *st)
{
	static const struct { uint8_t bit; enum iw word; } keys[] = {
		{ LIMIT_SRC_ADDR, IW_L_SRC_ADDR }, { LIMIT_SRC_PORT, IW_L_SRC_PORT },
		{ LIMIT_DST_ADDR, IW_L_DST_ADDR }, { LIMIT_DST_PORT, IW_L_DST_PORT },
	};

	if (st->word == IW_NONE)
		return;
	putf(t, " %s", iw_text(st->word));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if ((st->by & keys[i].bit) != 0)
			putf(t, " %s", iw_text(keys[i].word));
	if (st->limit > 0)
		putf(t, " %u", st->limit);
	putf(t, " :%s", st->name);
}

static void put_modifiers(struct text *t, const struct ipfw_rule *r)
{
	if (r->log)
		put(t, " log");
	if (r->logamount >= 0)
		putf(t, " logamount %lld", (long long)r->logamount);
	for (uint32_t i = 0; i < r->tags.n; i++)
		putf(t, " %s %u", iw_text(r->tags.v[i].is_un ? IW_UNTAG : IW_TAG),
		     r->tags.v[i].tag);
}

const char *ipfw_rule_body(struct arena *a, const struct ipfw_rule *r)
{
	struct text t = { .a = a };
	uint32_t i = 0;

	if (r->prob > 0) {
		put(&t, "prob ");
		put(&t, r->prob_text);
		put(&t, " ");
	}
	put_action(&t, r);
	put_modifiers(&t, r);
	if (!r->is_bare) {
		put_part(&t, r, &i, PART_PROTO, " ");
		put_part(&t, r, &i, PART_SRC, " from ");
		put_part(&t, r, &i, PART_SPORT, " ");
		put_part(&t, r, &i, PART_DST, " to ");
		put_part(&t, r, &i, PART_DPORT, " ");
	}
	put_part(&t, r, &i, PART_OPTION, " ");
	put_state(&t, &r->state);
	if (r->is_deferred) {
		put(&t, " ");
		put(&t, iw_text(IW_DEFER));
	}
	if (r->comment != NULL) {
		put(&t, " // ");
		put(&t, r->comment);
	}
	return finish(&t);
}

static void put_flags(struct text *t, const struct ipfw_nat *n)
{
	static const enum iw order[] = {
		IW_N_LOG, IW_N_DENY_IN, IW_N_SAME_PORTS, IW_N_SKIP_GLOBAL, IW_N_UNREG_ONLY,
		IW_N_UNREG_CGN, IW_N_RESET, IW_N_PROXY_ONLY,
	};
	char buf[ADDR_TEXT_BYTES];

	if (n->ip.af != AF_NONE)
		putf(t, " ip %s", addr_print(n->ip, buf));
	if (n->iface != NULL) {
		put(t, " if ");
		put(t, n->iface);
	}
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if ((n->flags & IPFW_NAT_FLAG(order[i])) != 0)
			putf(t, " %s", iw_text(order[i]));
	if (n->lo > 0)
		putf(t, " port_range %u-%u", n->lo, n->hi);
}

const char *ipfw_nat_line(struct arena *a, const struct ipfw_nat *n, bool reversed)
{
	struct text t = { .a = a };

	putf(&t, "nat %u config", n->number);
	put_flags(&t, n);
	for (uint32_t i = 0; i < n->texts.n; i++) {
		put(&t, " ");
		put(&t, n->texts.v[reversed ? n->texts.n - 1 - i : i]);
	}
	return finish(&t);
}

void ipfw_print_list(const struct ipfw_ruleset *rs, bool accept, FILE *out)
{
	for (uint32_t i = 0; i < rs->rules.n; i++) {
		const struct ipfw_rule *r = &rs->rules.v[i];

		if ((rs->disabled & 1u << r->set) != 0)
			fputs("# DISABLED ", out);
		fprintf(out, "%05u set %u %s\n", r->number, r->set,
			ipfw_rule_body(rs->a, r));
	}
	fprintf(out, "%u set %u %s ip from any to any\n", IPFW_DEFAULT_RULE, IPFW_SET_DEFAULT,
		accept ? "allow" : "deny");
}

void ipfw_print_nat(const struct ipfw_ruleset *rs, FILE *out)
{
	for (uint32_t i = 0; i < rs->nats.n; i++)
		fprintf(out, "ipfw %s\n", ipfw_nat_line(rs->a, &rs->nats.v[i], true));
}

void ipfw_fmt(const struct ipfw_ruleset *rs, FILE *out)
{
	for (uint32_t i = 0; i < rs->lines.n; i++)
		fprintf(out, "%s\n", rs->lines.v[i]);
}
