/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The lists of tables, sets, elements, chains and rules are separate dumps;
 * that they belong together is known by the generation before and after.  A list that
 * starts again does so because the generation is another, so that what was noted of
 * forwards meanwhile (held.h) goes with all the rest.
 */
#include "target/nft/kernel.h"

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "nl/nft.h"
#include "target/nft/held.h"

#define READ_TRIES	8u

/* A set whose elements are still to be read */
struct set_ref {
	const char *name;
	uint8_t family;
	bool is_dynamic;
};

struct reading {
	struct nft_lines *l;
	uint32_t start;			/* lines before this dump */
	uint32_t start_sets;		/* sets before this dump */
	VEC(struct set_ref) sets;
	const char *chain;		/* of the last rule */
	uint8_t chain_family;
	uint32_t position;
	const struct set_ref *set;	/* whose elements are read */
	struct nft_held *held;		/* the same, where it is wanted too */
};

static uint8_t family_of(const struct nlmsghdr *msg)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(msg))->nfgen_family;
}

static const char *keep(struct reading *r, const char *s)
{
	return s == NULL ? "" : arena_strndup(r->l->a, s, strlen(s));
}

/* A dump starts again: forget what it has given */
static void restart(struct reading *r)
{
	r->l->list.n = r->start;
	r->chain = NULL;
	r->position = 0;
}

static int take_table(const struct nlmsghdr *msg, void *arg)
{
	struct reading *r = arg;
	struct nftnl_table *t;

	if (msg == NULL) {
		restart(r);
		return 0;
	}
	t = nftnl_table_alloc();
	if (t == NULL)
		return -ENOMEM;
	if (nftnl_table_nlmsg_parse(msg, t) == 0 &&
	    strcmp(nftnl_table_get_str(t, NFTNL_TABLE_NAME), NFT_TABLE) == 0)
		nft_add_table_line(r->l, family_of(msg),
				   nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS));
	nftnl_table_free(t);
	return 0;
}

static int take_attr(const struct nftnl_udata *attr, void *arg)
{
	const struct nftnl_udata **comment = arg;

	if (nftnl_udata_type(attr) == NFTNL_UDATA_SET_COMMENT)
		*comment = attr;
	return 0;
}

static const char *set_comment(struct reading *r, const struct nftnl_set *s)
{
	uint32_t len;
	const void *data = nftnl_set_get_data(s, NFTNL_SET_USERDATA, &len);
	const struct nftnl_udata *attr = NULL;
	const char *text;

	if (data == NULL || nftnl_udata_parse(data, len, take_attr, &attr) < 0 || attr == NULL)
		return NULL;
	text = nftnl_udata_get(attr);
	return arena_strndup(r->l->a, text, strnlen(text, nftnl_udata_len(attr)));
}

static int take_set(const struct nlmsghdr *msg, void *arg)
{
	struct reading *r = arg;
	struct nftnl_set *s;
	struct nft_set_text t;
	struct set_ref ref;

	if (msg == NULL) {
		restart(r);
		r->sets.n = r->start_sets;
		return 0;
	}
	s = nftnl_set_alloc();
	if (s == NULL)
		return -ENOMEM;
	if (nftnl_set_nlmsg_parse(msg, s) < 0) {
		nftnl_set_free(s);
		return -EBADMSG;
	}
	t = (struct nft_set_text){
		.flags = nftnl_set_get_u32(s, NFTNL_SET_FLAGS),
		.key_type = nftnl_set_get_u32(s, NFTNL_SET_KEY_TYPE),
		.key_len = nftnl_set_get_u32(s, NFTNL_SET_KEY_LEN),
		.data_type = nftnl_set_get_u32(s, NFTNL_SET_DATA_TYPE),
		.data_len = nftnl_set_get_u32(s, NFTNL_SET_DATA_LEN),
		.size = nftnl_set_get_u32(s, NFTNL_SET_DESC_SIZE),
		.timeout_ms = nftnl_set_get_u64(s, NFTNL_SET_TIMEOUT),
	};
	ref = (struct set_ref){ keep(r, nftnl_set_get_str(s, NFTNL_SET_NAME)), family_of(msg),
				(t.flags & NFT_SET_EVAL) != 0 };
	/* Those without a name go with the rule that they are part of */
	if ((t.flags & NFT_SET_ANONYMOUS) == 0) {
		nft_add_set_line(r->l, ref.family, ref.name, &t);
		r->l->list.v[r->l->list.n - 1].comment = set_comment(r, s);
		vec_add(r->l->a, &r->sets, ref);
	}
	nftnl_set_free(s);
	return 0;
}

/* In @buf, or NULL; a line has one of its own */
static const char *elem_comment(const struct nftnl_set_elem *e, char buf[UINT8_MAX + 1])
{
	uint32_t len;
	const uint8_t *b = nftnl_set_elem_get((struct nftnl_set_elem *)e,
					      NFTNL_SET_ELEM_USERDATA, &len);

	if (b == NULL || len < 3 || b[0] != NFTNL_UDATA_SET_ELEM_COMMENT || b[1] > len - 2)
		return NULL;
	memcpy(buf, b + 2, b[1]);
	buf[b[1]] = '\0';
	return buf;
}

static struct nft_counted elem_counter(const struct nftnl_set_elem *e)
{
	uint32_t len;
	const struct nftnl_expr *x;

	if (!nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_EXPR))
		return (struct nft_counted){ 0 };
	x = nftnl_set_elem_get((struct nftnl_set_elem *)e, NFTNL_SET_ELEM_EXPR, &len);
	if (x == NULL || strcmp(nftnl_expr_get_str(x, NFTNL_EXPR_NAME), "counter") != 0)
		return (struct nft_counted){ 0 };
	return (struct nft_counted){ nftnl_expr_get_u64(x, NFTNL_EXPR_CTR_PACKETS),
				     nftnl_expr_get_u64(x, NFTNL_EXPR_CTR_BYTES) };
}

static int take_elem(struct nftnl_set_elem *e, void *arg)
{
	struct reading *r = arg;
	struct nft_elem_bytes b = { .set = r->set->name };
	const struct nft_counted n = elem_counter(e);
	char comment[UINT8_MAX + 1];
	struct nft_line *line;

	b.key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &b.key_len);
	if (b.key == NULL)
		return 0;
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_KEY_END)) {
		uint32_t len;

		b.key_end = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY_END, &len);
		if (len != b.key_len)
			return 0;
	}
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_FLAGS))
		b.is_end = (nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_FLAGS) &
			    NFT_SET_ELEM_INTERVAL_END) != 0;
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_CHAIN))
		b.chain = nftnl_set_elem_get_str(e, NFTNL_SET_ELEM_CHAIN);
	else if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_DATA))
		b.data = nftnl_set_elem_get(e, NFTNL_SET_ELEM_DATA, &b.data_len);
	b.comment = elem_comment(e, comment);
	if (r->held != NULL && nft_held_take(r->held, &b, &n))
		return 0;
	line = nft_add_elem_line(r->l, r->set->family, &b);
	line->packets = n.packets;
	line->bytes = n.bytes;
	return 0;
}

/* Elements under way to a list */
struct elems {
	uint32_t *n;
	uint32_t start;
	nft_elem_take_fn *fn;
	void *arg;
};

static int take_elems(const struct nlmsghdr *msg, void *arg)
{
	const struct elems *e = arg;
	struct nftnl_set *s;
	int err = -EBADMSG;

	if (msg == NULL) {
		*e->n = e->start;
		return 0;
	}
	s = nftnl_set_alloc();
	if (s == NULL)
		return -ENOMEM;
	if (nftnl_set_elems_nlmsg_parse(msg, s) == 0)
		err = nftnl_set_elem_foreach(s, e->fn, e->arg);
	nftnl_set_free(s);
	return err < 0 ? -EBADMSG : 0;
}

int nft_elems_read(struct nl_session *nl, const struct nl_nft_query *q, uint32_t *n,
		   nft_elem_take_fn *fn, void *arg)
{
	struct elems e = { .start = *n, .fn = fn, .arg = arg };

	e.n = n;
	return nl_nft_dump(nl, q, take_elems, &e);
}

static int take_chain(const struct nlmsghdr *msg, void *arg)
{
	struct reading *r = arg;
	struct nftnl_chain *c;
	const char *type = NULL;

	if (msg == NULL) {
		restart(r);
		return 0;
	}
	c = nftnl_chain_alloc();
	if (c == NULL)
		return -ENOMEM;
	if (nftnl_chain_nlmsg_parse(msg, c) < 0) {
		nftnl_chain_free(c);
		return -EBADMSG;
	}
	if (nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM))
		type = nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE);
	nft_add_chain_line(r->l, family_of(msg), keep(r, nftnl_chain_get_str(c, NFTNL_CHAIN_NAME)),
			   type, nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM),
			   nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO),
			   nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY));
	nftnl_chain_free(c);
	return 0;
}

static int take_rule(const struct nlmsghdr *msg, void *arg)
{
	struct reading *r = arg;
	struct nftnl_rule *nr;
	const char *chain;

	if (msg == NULL) {
		restart(r);
		return 0;
	}
	nr = nftnl_rule_alloc();
	if (nr == NULL)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(msg, nr) < 0) {
		nftnl_rule_free(nr);
		return -EBADMSG;
	}
	chain = nftnl_rule_get_str(nr, NFTNL_RULE_CHAIN);
	/* Rules of a chain come together and in order */
	if (r->chain == NULL || r->chain_family != family_of(msg) || strcmp(r->chain, chain) != 0) {
		r->chain = keep(r, chain);
		r->chain_family = family_of(msg);
		r->position = 0;
	}
	nft_add_rule_line(r->l, r->chain_family, r->chain, r->position++, nr);
	nftnl_rule_free(nr);
	return 0;
}

/* The map @set as it is wanted, or NULL */
static struct nft_held *held_of(const struct nft_lines *want, const struct set_ref *set)
{
	for (uint32_t i = 0; i < want->held.n; i++) {
		const struct nft_set *s = want->held.v[i]->s;

		if (nft_family_number(s->family) == set->family && strcmp(s->name, set->name) == 0)
			return want->held.v[i];
	}
	return NULL;
}

static int read_elems(struct nl_session *nl, struct reading *r, const struct nft_lines *want)
{
	for (uint32_t i = 0; i < r->sets.n; i++) {
		const struct nl_nft_query q = {
			.kind = NL_NFT_ELEMS, .family = r->sets.v[i].family, .table = NFT_TABLE,
			.set = r->sets.v[i].name,
		};
		int err;

		if (r->sets.v[i].is_dynamic)
			continue;
		r->set = &r->sets.v[i];
		r->held = held_of(want, r->set);
		err = nft_elems_read(nl, &q, &r->l->list.n, take_elem, r);
		if (err < 0)
			return err;
	}
	return 0;
}

/* The kernel stops at the first table with a name, so each family is asked for */
static int read_table(struct nl_session *nl, struct reading *r, uint8_t family)
{
	static const struct {
		enum nl_nft_kind kind;
		nl_each_fn *take;
	} lists[] = {
		{ NL_NFT_CHAINS, take_chain }, { NL_NFT_RULES, take_rule },
		{ NL_NFT_SETS, take_set },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct nl_nft_query q = { .kind = lists[i].kind, .family = family,
						.table = NFT_TABLE };
		int err;

		r->start = r->l->list.n;
		r->start_sets = r->sets.n;
		err = nl_nft_dump(nl, &q, lists[i].take, r);
		if (err < 0)
			return err;
	}
	return 0;
}

static int read_lists(struct nl_session *nl, struct nft_lines *ret, const struct nft_lines *want)
{
	const struct nl_nft_query tables = { .kind = NL_NFT_TABLES, .table = NFT_TABLE };
	struct reading r = { .l = ret };
	uint32_t n;
	int err;

	ret->list.n = 0;
	err = nl_nft_dump(nl, &tables, take_table, &r);
	n = ret->list.n;
	for (uint32_t i = 0; i < want->held.n; i++)
		if (n > 0 || want->held.v[i]->first != NULL)
			nft_held_start(want->a, want->held.v[i]);
	for (uint32_t i = 0; i < n && err == 0; i++)
		err = read_table(nl, &r, ret->list.v[i].family);
	return err < 0 ? err : read_elems(nl, &r, want);
}

static int read_whole(struct nl_session *nl, struct nft_lines *ret, const struct nft_lines *want,
		      uint32_t *ret_genid)
{
	for (uint32_t i = 0; i < READ_TRIES; i++) {
		uint32_t before = 0, after = 0;
		int err = nl_genid(nl, &before);

		if (err == 0)
			err = read_lists(nl, ret, want);
		/* One list alone that there is no table: nothing can have come between */
		if (err == 0 && ret->list.n == 0)
			after = before;
		else if (err == 0)
			err = nl_genid(nl, &after);
		/* A set that went between two lists is a change like any other */
		if (err == -ENOENT)
			continue;
		if (err < 0)
			return err;
		if (before != after)
			continue;
		nft_lines_sort(ret);
		*ret_genid = before;
		return 0;
	}
	return -EBUSY;
}

int nft_lines_read(struct nl_session *nl, struct nft_lines *ret, uint32_t *ret_genid)
{
	return read_whole(nl, ret, &(struct nft_lines){ .a = ret->a }, ret_genid);
}

int nft_lines_compare(struct nl_session *nl, const struct nft_program *p, struct nft_lines *have,
		      struct nft_lines *want, uint32_t *ret_genid)
{
	int err;

	want->list.n = want->held.n = 0;
	for (uint32_t i = 0; p != NULL && i < p->sets.n; i++)
		if (p->sets.v[i]->forwards != NULL)
			vec_add(want->a, &want->held, nft_held_new(want->a, p->sets.v[i]));
	err = read_whole(nl, have, want, ret_genid);
	if (err == 0 && p != NULL && have->list.n > 0)
		nft_lines_of(p, want);
	return err;
}
