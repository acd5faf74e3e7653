/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The rules are those that are kept; counts and dynamic rules are asked of the
 * kernel, which knows them by the rule's text.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/host.h"
#include "cli/ipfw.h"

#define DYNAMIC_BYTES	136u	/* of one dynamic rule, as FreeBSD's kernel hands it out */
#define DYNAMIC_HEAD	16u

static bool is(const struct ipfw_cmd *cmd, uint32_t i, const char *text)
{
	return strcmp(ipfw_word_at(cmd, i), text) == 0;
}

static bool is_list(const struct ipfw_cmd *cmd, uint32_t i)
{
	return is(cmd, i, "list") || is(cmd, i, "show") || is(cmd, i, "print");
}

static bool asks_table(const struct ipfw_cmd *cmd, uint32_t i)
{
	return is(cmd, i, "list") || is(cmd, i, "info") || is(cmd, i, "detail") ||
	       is(cmd, i, "lookup");
}

bool ipfw_is_question(const struct ipfw_cmd *cmd)
{
	int32_t set;
	const uint32_t i = ipfw_verb_index(cmd, &set);

	if (is(cmd, i, "table"))
		return asks_table(cmd, i + 2);
	if (is(cmd, i, "nat"))
		return is(cmd, i + 1, "show") || is(cmd, i + 2, "show");
	return is_list(cmd, i) || is(cmd, i, "internal") ||
	       (is(cmd, i, "set") && is(cmd, i + 1, "show"));
}

static void count(void *arg, const char *text, uint64_t *packets, uint64_t *bytes)
{
	const struct nft_text_count *t = nft_text_find(arg, text);

	if (t == NULL)
		return;
	*packets = t->packets;
	*bytes = t->bytes;
}

/* What the kernel knows of the rules */
struct asked {
	struct nft_texts counts;
	struct nft_states states;
};

static int ask_kernel(struct cli *c, bool counters, bool dynamic, struct asked *ret)
{
	CLEANUP(nl_close) struct nl_session s = { .fd = -1 };
	int err;

	if (!counters && !dynamic)
		return 0;
	err = nl_open(&s, NETLINK_NETFILTER);
	if (err == 0 && counters)
		err = nft_texts_read(&s, &c->arena, &ret->counts);
	if (err == 0 && dynamic)
		err = nft_states_read(&s, &c->arena, &ret->states);
	return err < 0 ? cli_system(c, err, "read the counters and states of this host") : 0;
}

static void take_states(struct cli *c, const struct nft_states *from, struct ipfw_view *v)
{
	struct ipfw_dynamic *list = arena_array(&c->arena, struct ipfw_dynamic, from->list.n + 1);

	for (uint32_t i = 0; i < from->list.n; i++) {
		const struct nft_state *s = &from->list.v[i];

		list[i] = (struct ipfw_dynamic){
			s->text, s->proto, s->src, s->dst, s->sport, s->dport,
			(uint32_t)((s->expires_ms + 999) / 1000),
		};
	}
	v->dynamic = list;
	v->n_dynamic = from->list.n;
}

/* "N" or "N-M" */
static bool read_range(const char *word, struct ipfw_view *v)
{
	char *end;

	v->lo = v->hi = (uint32_t)strtoul(word, &end, 10);
	if (end != word && *end == '-')
		v->hi = (uint32_t)strtoul(end + 1, &end, 10);
	return *end == '\0' && end != word;
}

/* Rules, and then dynamic rules, of the numbers that the command names */
static int show_named(struct cli *c, const struct ipfw_cmd *cmd, uint32_t first,
		      const struct ipfw_ruleset *rs, struct ipfw_view *v)
{
	int status = 0;

	for (uint32_t i = first; i < cmd->words.n; i++) {
		if (!read_range(cmd->words.v[i].text, v)) {
			ipfw_say(c, SPAN_NONE, "invalid rule number: %s", cmd->words.v[i].text);
			status = EX_USAGE;
		} else if (ipfw_show_rules(rs, v, c->out) == 0) {
			status = status != 0 ? status : EX_UNAVAILABLE;
			if (v->lo == v->hi)
				ipfw_say(c, SPAN_NONE, "rule %u does not exist", v->lo);
			else
				ipfw_say(c, SPAN_NONE, "no rules exist in range %u-%u", v->lo,
					 v->hi);
		}
	}
	if (v->n_dynamic > 0)
		fputs("## Dynamic rules:\n", c->out);
	for (uint32_t i = first; i < cmd->words.n && v->n_dynamic > 0; i++)
		if (read_range(cmd->words.v[i].text, v))
			ipfw_show_dynamic(rs, v, c->out);
	return status;
}

static int ask_rules(struct cli *c, const struct ipfw_cmd *cmd, uint32_t at, int32_t set,
		     const struct declared *d)
{
	const struct ipfw_call *call = c->ipfw;
	const bool counters = call->counters || is(cmd, at, "show");
	struct ipfw_view v = {
		.accept = d->ipfw_accepts, .sets = call->sets, .compact = call->compact,
		.actions = call->actions, .time = call->time, .set = set, .hi = UINT16_MAX,
	};
	struct asked asked = { .counts = { .list = { .n = 0 } } };
	const int status = ask_kernel(c, counters, call->dynamic > 0, &asked);
	uint32_t n;

	if (status != 0)
		return status;
	if (counters) {
		v.count = count;
		v.arg = &asked.counts;
	}
	take_states(c, &asked.states, &v);
	if (at + 1 < cmd->words.n)
		return show_named(c, cmd, at + 1, d->ipfw, &v);
	if (call->dynamic < 2)
		ipfw_show_rules(d->ipfw, &v, c->out);
	n = v.n_dynamic > 0 ? ipfw_show_dynamic(d->ipfw, &v, NULL) : 0;
	if (n == 0)
		return 0;
	fprintf(c->out, "## Dynamic rules (%u %u):\n", n, DYNAMIC_HEAD + n * DYNAMIC_BYTES);
	ipfw_show_dynamic(d->ipfw, &v, c->out);
	return 0;
}

static int ask_table(struct cli *c, const struct ipfw_cmd *cmd, uint32_t at,
		     const struct declared *d)
{
	const char *name = ipfw_word_at(cmd, at + 1), *key = ipfw_word_at(cmd, at + 3);

	if (!is(cmd, at + 2, "lookup")) {
		if (ipfw_show_table(d->ipfw, name, !is(cmd, at + 2, "list"), c->out))
			return 0;
		ipfw_say(c, SPAN_NONE, "failed to request table info: No such process");
		return EX_OSERR;
	}
	if (key[0] == '\0') {
		ipfw_say(c, SPAN_NONE, "address required");
		return EX_USAGE;
	}
	switch (ipfw_table_lookup(d->ipfw, name, key, c->out)) {
	case IPFW_NO_TABLE:
		ipfw_say(c, SPAN_NONE, "Table %s not found", name);
		return EX_UNAVAILABLE;
	case IPFW_NO_ENTRY:
		ipfw_say(c, SPAN_NONE, "Entry %s not found", key);
		return EX_UNAVAILABLE;
	default:
		return 0;
	}
}

/* "nat show config", "nat N show config", "nat show config N" */
static int ask_nat(struct cli *c, const struct ipfw_cmd *cmd, uint32_t at,
		   const struct declared *d)
{
	const uint32_t show = is(cmd, at + 1, "show") ? at + 1 : at + 2;
	const char *number = show > at + 1 ? ipfw_word_at(cmd, at + 1)
					   : ipfw_word_at(cmd, show + 2);

	if (is(cmd, show + 1, "log")) {
		diag_add(&c->diags, DIAG_E2402, SPAN_NONE,
			 "nat show log: what libalias counts is not counted here; conntrack -L has "
			 "the flows");
		return EX_UNAVAILABLE;
	}
	if (!is(cmd, show + 1, "config")) {
		ipfw_say(c, SPAN_NONE, "Please specify action. Available: config,log");
		return EX_USAGE;
	}
	if (ipfw_show_nat(d->ipfw, (uint32_t)strtoul(number, NULL, 10), c->out))
		return 0;
	ipfw_say(c, SPAN_NONE, "nat %s not found", number);
	return EX_OSERR;
}

int ipfw_ask(struct cli *c, const struct ipfw_cmd *cmd, const struct declared *d)
{
	int32_t set;
	const uint32_t at = ipfw_verb_index(cmd, &set);

	if (is_list(cmd, at))
		return ask_rules(c, cmd, at, set, d);
	if (is(cmd, at, "table"))
		return ask_table(c, cmd, at, d);
	if (is(cmd, at, "nat"))
		return ask_nat(c, cmd, at, d);
	if (is(cmd, at, "set")) {
		ipfw_show_sets(d->ipfw, c->out);
		return 0;
	}
	diag_add(&c->diags, DIAG_E2402, SPAN_NONE, "internal: there is nothing of FreeBSD's "
		 "kernel here to be shown");
	return EX_UNAVAILABLE;
}
