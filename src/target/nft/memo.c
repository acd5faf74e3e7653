/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The kernel counts its generations: every commit, whoever makes it, is another.
 * While it is in the generation that a load of ours made, it holds what that load
 * wrote, and neither need its rules be listed nor both sides be printed, which is
 * more than half of what one rule more costs beside thousands (ipfw-add-2000 and
 * ipfw-first-2000 in tests/bench), and a third of what one jail of fifty costs
 * (updown-vnet-up-own).  A memo is the lines of that load with the digest of each
 * rule's expressions in the place of its text.  Who else changes something makes it
 * worthless, and the kernel is looked at, as it is by everything that compares
 * (`plan`, `status`, `verify`, `apply`).
 *
 * What is not remembered is what packets have counted.  So where that is kept a memo
 * serves if rules only come or only go: those that stay keep their counters by staying.
 */
#include "target/nft/memo.h"

#include <stdlib.h>
#include <string.h>

#include "nl/batch.h"
#include "nl/nft.h"
#include "target/nft/put.h"

#define MEMO_FORM	"3"	/* of the text and of the digests in it */
#define NUMBER_BYTES	8u
#define LINE_BYTES	(4 * (NUMBER_BYTES + 1) + 2)	/* besides its words */

/* ---- lines -------------------------------------------------------------------- */

/* FNV-1a by words, as messages are of words, with the high bits folded in each time */
static uint64_t digest(const void *data, size_t len)
{
	const uint8_t *b = data;
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i + sizeof(uint32_t) <= len; i += sizeof(uint32_t)) {
		uint32_t word;

		memcpy(&word, b + i, sizeof(word));
		h = (h ^ word) * 1099511628211u;
		h ^= h >> 32;
	}
	return h;
}

/* @n in hexadecimal, from the digit at @shift bits on */
static char *put_hex(char *at, uint64_t n, int shift)
{
	for (; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[n >> shift & 15];
	return at;
}

static const char *rule_key(struct arena *a, const char *chain, uint64_t of)
{
	const size_t len = strlen(chain);
	char *key = arena_alloc(a, len + sizeof(" ") + 2 * sizeof(of));

	*put_hex(stpcpy(stpcpy(key, chain), " "), of, 60) = '\0';
	return key;
}

static void add_rules(const struct nft_chain *c, uint8_t *buf, struct nft_lines *ret)
{
	for (uint32_t i = 0; i < c->rules.n; i++) {
		struct nft_put put = { .at = buf };
		const char *comment = c->rules.v[i].comment;
		struct nft_line *line = vec_push(ret->a, &ret->list);

		nft_put_exprs(&put, &c->rules.v[i]);
		*line = (struct nft_line){
			.kind = NFT_O_RULE, .family = nft_family_number(c->family),
			.key = rule_key(ret->a, c->name, digest(buf, (size_t)(put.at - buf))),
			.text = comment != NULL ? comment : "", .comment = comment,
			.name = c->name, .position = i, .origin = c->rules.v[i].origin,
			.rule = &c->rules.v[i],
		};
	}
}

void nft_memo_lines(const struct nft_program *p, struct nft_lines *ret)
{
	uint8_t *buf = arena_alloc(ret->a, NL_BATCH_MSG_BYTES);

	nft_objects_of(p, ret);
	for (uint32_t i = 0; i < p->chains.n; i++)
		add_rules(p->chains.v[i], buf, ret);
	nft_lines_sort(ret);
}

/* ---- text --------------------------------------------------------------------- */

/* @n and what ends it, in hexadecimal: of many lines each has four */
static char *put_number(char *at, uint32_t n)
{
	int shift = 28;

	while (shift > 0 && n >> shift == 0)
		shift -= 4;
	at = put_hex(at, n, shift);
	*at++ = '\t';
	return at;
}

static char *put_line(char *at, const struct nft_line *x)
{
	at = put_number(at, (uint32_t)x->kind);
	at = put_number(at, x->family);
	at = put_number(at, x->position);
	at = put_number(at, x->is_end);
	at = stpcpy(stpcpy(at, x->key), "\t");
	return stpcpy(stpcpy(at, x->text), "\n");
}

void nft_memo_write(struct nft_memo *m, uint32_t genid, const struct nft_lines *l,
		    struct arena *a)
{
	size_t most = sizeof(MEMO_FORM "\t\t\n") + NUMBER_BYTES;
	char *text, *at;

	for (uint32_t i = 0; i < l->list.n; i++)
		most += strlen(l->list.v[i].key) + strlen(l->list.v[i].text) + LINE_BYTES;
	text = arena_alloc(a, most);
	at = put_number(stpcpy(text, MEMO_FORM "\t"), genid);
	*at++ = '\n';
	for (uint32_t i = 0; i < l->list.n; i++)
		at = put_line(at, &l->list.v[i]);
	m->text = text;
	m->len = (size_t)(at - text);
}

/* The text up to @end, which is behind it, ended; NULL when there is no such end */
static char *take(char **at, char end)
{
	char *start = *at, *to = strchr(start, end);

	if (to == NULL)
		return NULL;
	*to = '\0';
	*at = to + 1;
	return start;
}

/* What the text of a line says of its comment: an element's stands behind data and chain */
static const char *comment_of(const struct nft_line *l)
{
	const char *at = l->text;

	for (int i = 0; i < 2 && at != NULL && l->kind == NFT_O_ELEM; i++) {
		at = strchr(at, ' ');
		at = at != NULL ? at + 1 : NULL;
	}
	return (l->kind == NFT_O_ELEM || l->kind == NFT_O_RULE) && at != NULL && at[0] != '\0' ?
	       at : NULL;
}

/* The name is what its key begins with, mostly that of the line before */
static const char *name_of(struct arena *a, const struct nft_line *l, const char *last)
{
	const size_t len = strcspn(l->key, " ");

	if (l->kind == NFT_O_TABLE)
		return NFT_TABLE;
	if (last != NULL && strncmp(last, l->key, len) == 0 && last[len] == '\0')
		return last;
	return arena_strndup(a, l->key, len);
}

static bool take_line(char **at, struct nft_line *ret)
{
	const char *field[6];

	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = take(at, i + 1 < ARRAY_SIZE(field) ? '\t' : '\n');
		if (field[i] == NULL)
			return false;
	}
	*ret = (struct nft_line){
		.kind = (enum nft_object)strtoul(field[0], NULL, 16),
		.family = (uint8_t)strtoul(field[1], NULL, 16),
		.position = (uint32_t)strtoul(field[2], NULL, 16),
		.is_end = field[3][0] != '0', .key = field[4], .text = field[5],
		.origin = NFT_NO_ORIGIN,
	};
	ret->comment = comment_of(ret);
	ret->is_base = ret->kind == NFT_O_CHAIN && ret->text[0] != '\0';
	return true;
}

bool nft_memo_read(const struct nft_memo *m, uint32_t genid, struct nft_lines *ret)
{
	const char *form, *of, *name = NULL;
	struct nft_line line;
	char *at;

	if (m->text == NULL)
		return false;
	at = arena_strndup(ret->a, m->text, m->len);
	form = take(&at, '\t');
	of = form != NULL && strcmp(form, MEMO_FORM) == 0 ? take(&at, '\t') : NULL;
	if (of == NULL || strtoul(of, NULL, 16) != genid || *at++ != '\n')
		return false;
	while (*at != '\0') {
		if (!take_line(&at, &line))
			return false;
		/* They were written in their order */
		if (ret->list.n > 0 && nft_lines_cmp(&ret->list.v[ret->list.n - 1], &line) > 0)
			return false;
		line.name = name = name_of(ret->a, &line, name);
		vec_add(ret->a, &ret->list, line);
	}
	return true;
}

/* ---- the way ------------------------------------------------------------------- */

bool nft_memo_suffices(const struct nft_program *p, const struct nft_delta *d)
{
	bool goes = d->gone.n > 0, comes = false;

	for (uint32_t i = 0; i < p->chains.n; i++) {
		const struct nft_chain_delta *c = &d->chains[i];

		goes |= c->refill && c->n_old > 0;
		comes |= c->refill && c->head + c->tail < p->chains.v[i]->rules.n;
	}
	return !(goes && comes);
}

/* Handles of a chain's rules, in order */
struct handles {
	const char *chain;
	struct nft_line *const *to;
	uint32_t n;		/* of @to */
	uint32_t n_seen;
};

static int take_handle(const struct nlmsghdr *msg, void *arg)
{
	struct handles *h = arg;
	uint64_t handle;

	if (msg == NULL) {
		h->n_seen = 0;
		return 0;
	}
	handle = nl_nft_rule_handle(msg, h->chain);
	if (handle == 0)
		return 0;
	if (h->n_seen < h->n)
		h->to[h->n_seen]->handle = handle;
	h->n_seen++;
	return 0;
}

int nft_memo_handles(struct nl_session *nl, const struct nft_program *p, struct nft_delta *d)
{
	for (uint32_t i = 0; i < p->chains.n; i++) {
		struct nft_chain_delta *c = &d->chains[i];
		const struct nft_chain *chain = p->chains.v[i];
		const struct nl_nft_query q = { .kind = NL_NFT_RULES, .table = NFT_TABLE,
						.family = nft_family_number(chain->family),
						.chain = chain->name };
		struct handles h = { .chain = chain->name, .to = c->have,
				     .n = c->head + c->n_old + c->tail };
		int err;

		if (!c->refill || c->head + c->tail == 0 || (c->n_old == 0 && c->tail == 0))
			continue;
		err = nl_nft_dump(nl, &q, take_handle, &h);
		if (err < 0)
			return err;
		if (h.n_seen != h.n)
			return -ESTALE;
		if (c->tail > 0)
			c->before = c->have[c->head + c->n_old]->handle;
	}
	return 0;
}
