/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The kernel counts its generations: every commit, whoever makes it, is another.
 * While it is in the generation that a load of ours made, it holds what that load
 * wrote, and neither need its rules be listed nor both sides be printed, which is
 * more than half of what one rule more costs beside thousands (ipfw-add-2000 and
 * ipfw-first-2000 in tests/bench).  A memo is the lines of that load with the digest of each rule's
 * message in the place of its text.  Who else changes something makes it worthless,
 * and the kernel is looked at, as it is by everything that compares (`plan`,
 * `status`, `verify`).
 *
 * What is not remembered is what packets have counted.  So a memo serves where rules
 * only come or only go: those that stay keep their counters by staying.
 */
#include "target/nft/memo.h"

#include <libmnl/libmnl.h>
#include <libnftnl/rule.h>
#include <stdlib.h>
#include <string.h>

#include "nl/batch.h"
#include "nl/nft.h"

#define MEMO_FORM	"1"	/* of the text and of the digests in it */

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

static void add_rules(const struct nft_chain *c, struct nlmsghdr *msg, struct nft_lines *ret)
{
	for (uint32_t i = 0; i < c->rules.n; i++) {
		struct nftnl_rule *nr = nft_build_rule(c, &c->rules.v[i]);
		struct nft_line *line = vec_push(ret->a, &ret->list);

		/* What pads attributes is not written, but digested */
		memset(msg, 0, msg->nlmsg_len);
		mnl_nlmsg_put_header(msg);
		nftnl_rule_nlmsg_build_payload(msg, nr);
		nftnl_rule_free(nr);
		*line = (struct nft_line){
			.kind = NFT_O_RULE, .family = nft_family_number(c->family),
			.key = arena_printf(ret->a, "%s %016llx", c->name, (unsigned long long)
					    digest(mnl_nlmsg_get_payload(msg),
						   mnl_nlmsg_get_payload_len(msg))),
			.text = "", .name = c->name, .position = i, .origin = c->rules.v[i].origin,
		};
	}
}

void nft_memo_lines(const struct nft_program *p, struct nft_lines *ret)
{
	struct nlmsghdr *buf = arena_alloc(ret->a, NL_BATCH_MSG_BYTES);

	nft_objects_of(p, ret);
	for (uint32_t i = 0; i < p->chains.n; i++)
		add_rules(p->chains.v[i], buf, ret);
	nft_lines_sort(ret);
}

/* ---- text --------------------------------------------------------------------- */

void nft_memo_write(struct nft_memo *m, uint32_t genid, const struct nft_lines *l,
		    struct arena *a)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	BUG_IF(out == NULL);
	fprintf(out, MEMO_FORM "\t%u\n", genid);
	for (uint32_t i = 0; i < l->list.n; i++) {
		const struct nft_line *x = &l->list.v[i];

		fprintf(out, "%d\t%d\t%u\t%d\t%s\t%s\t%s\n", (int)x->kind, x->family, x->position,
			x->is_end, x->name, x->key, x->text);
	}
	fclose(out);
	m->text = arena_strndup(a, text, len);
	m->len = len;
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

static bool take_line(char **at, struct nft_line *ret)
{
	const char *field[7];

	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = take(at, i + 1 < ARRAY_SIZE(field) ? '\t' : '\n');
		if (field[i] == NULL)
			return false;
	}
	*ret = (struct nft_line){
		.kind = (enum nft_object)strtoul(field[0], NULL, 10),
		.family = (uint8_t)strtoul(field[1], NULL, 10),
		.position = (uint32_t)strtoul(field[2], NULL, 10),
		.is_end = field[3][0] != '0', .name = field[4], .key = field[5], .text = field[6],
		.origin = NFT_NO_ORIGIN,
	};
	return true;
}

bool nft_memo_read(const struct nft_memo *m, uint32_t genid, struct nft_lines *ret)
{
	const char *form, *of;
	struct nft_line line;
	char *at;

	if (m->text == NULL)
		return false;
	at = arena_strndup(ret->a, m->text, m->len);
	form = take(&at, '\t');
	of = form != NULL && strcmp(form, MEMO_FORM) == 0 ? take(&at, '\n') : NULL;
	if (of == NULL || strtoul(of, NULL, 10) != genid)
		return false;
	while (*at != '\0') {
		if (!take_line(&at, &line))
			return false;
		vec_add(ret->a, &ret->list, line);
	}
	nft_lines_sort(ret);
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
