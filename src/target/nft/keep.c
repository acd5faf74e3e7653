/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Chains are numbered anew when a rule comes or goes, and so is the line that a
 * rule stands in.  What stays the same is the rule's own text, which its comment
 * ends in: so counts are summed by that text, and the first counter of the new
 * program that has it begins with the sum.
 *
 * A packet is counted once for a rule: the counters that are left out are those
 * of the translation itself, which counts flows, and of the rule that makes a
 * state and then goes on to the action, which counts too.  What passes between
 * the look and the transaction is lost to the counters.
 */
#include "target/nft/keep.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

const char *nft_text_of_comment(const char *comment)
{
	for (const char *at = strchr(comment, ':'); at != NULL; at = strchr(at + 1, ':')) {
		const size_t digits = strspn(at + 1, "0123456789");

		if (digits > 0 && at[1 + digits] == ' ')
			return at + 2 + digits;
	}
	return comment;
}

static int compare(const void *x, const void *y)
{
	return strcmp(((const struct nft_text_count *)x)->text,
		      ((const struct nft_text_count *)y)->text);
}

/* Does a rule's counter count packets, each once */
static bool counts_packets(const char *exprs)
{
	if (strstr(exprs, "[counter ") == NULL || strstr(exprs, "[nat ") != NULL ||
	    strstr(exprs, "[masq ") != NULL)
		return false;
	return strstr(exprs, "[dynset ") == NULL || strstr(exprs, "goto") == NULL;
}

void nft_keep_texts(const struct nft_lines *have, struct arena *a, struct nft_texts *ret)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < have->list.n; i++) {
		const struct nft_line *l = &have->list.v[i];
		const char *text;

		if (l->kind != NFT_O_RULE || l->is_kept || l->comment == NULL ||
		    l->packets == 0 || !counts_packets(l->key))
			continue;
		text = nft_text_of_comment(l->comment);
		vec_add(a, &ret->list, ((struct nft_text_count){
			arena_strndup(a, text, strlen(text)), l->packets, l->bytes }));
	}
	if (ret->list.n == 0)
		return;
	qsort(ret->list.v, ret->list.n, sizeof(*ret->list.v), compare);
	for (uint32_t i = 1; i < ret->list.n; i++) {
		struct nft_text_count *last = &ret->list.v[n];

		if (strcmp(last->text, ret->list.v[i].text) == 0) {
			last->packets += ret->list.v[i].packets;
			last->bytes += ret->list.v[i].bytes;
		} else {
			ret->list.v[++n] = ret->list.v[i];
		}
	}
	ret->list.n = n + 1;
}

const struct nft_text_count *nft_text_find(const struct nft_texts *t, const char *text)
{
	char cut[LIMIT_COMMENT_BYTES + 1];
	const struct nft_text_count key = { .text = cut };
	const struct nft_text_count *found;
	size_t len;

	snprintf(cut, sizeof(cut), "%s", text);
	for (char *c = cut; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~' || *c == '"' || *c == '\\')
			*c = '?';
	if (t->list.n == 0)
		return NULL;
	found = bsearch(&key, t->list.v, t->list.n, sizeof(*t->list.v), compare);
	if (found != NULL)
		return found;
	/* A comment that was cut, since its place stands before it */
	len = strlen(cut);
	for (uint32_t i = 0; i < t->list.n && len > LIMIT_COMMENT_BYTES / 2; i++) {
		const size_t have = strlen(t->list.v[i].text);

		if (have > LIMIT_COMMENT_BYTES / 2 && have < len &&
		    strncmp(cut, t->list.v[i].text, have) == 0)
			return &t->list.v[i];
	}
	return NULL;
}

static bool has_counter(const struct nft_rule *r)
{
	bool has = false, updates = false, goes = false;

	for (uint32_t i = 0; i < r->stmts.list.n; i++) {
		const struct nft_stmt *s = &r->stmts.list.v[i];

		if (s->kind == NFT_S_NAT || s->kind == NFT_S_NAT_MAP)
			return false;
		has |= s->kind == NFT_S_COUNTER;
		updates |= s->kind == NFT_S_UPDATE;
		goes |= s->kind == NFT_S_VERDICT && s->decision.verdict == NFT_V_GOTO;
	}
	return has && !(updates && goes);
}

void nft_keep_fill(struct nft_program *p, const struct nft_texts *kept,
		   const struct nft_delta *delta, struct arena *a)
{
	bool *used = arena_array(a, bool, kept->list.n + 1);

	for (uint32_t c = 0; c < p->chains.n; c++) {
		const struct nft_chain_delta *d = &delta->chains[c];
		const uint32_t end = p->chains.v[c]->rules.n - d->tail;

		for (uint32_t i = d->head; i < end && d->refill; i++) {
			struct nft_rule *r = &p->chains.v[c]->rules.v[i];
			const struct nft_text_count *t;

			if (r->comment == NULL || !has_counter(r))
				continue;
			r->packets = r->bytes = 0;
			t = nft_text_find(kept, nft_text_of_comment(r->comment));
			if (t == NULL || used[t - kept->list.v])
				continue;
			used[t - kept->list.v] = true;
			r->packets = t->packets;
			r->bytes = t->bytes;
		}
	}
}
