/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * libnftnl takes the messages apart; what is kept of them is plain data, so that
 * what is proven is what was read, and a test can change it.
 */
#include "prove/prog.h"

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

static uint8_t family_of(const struct nlmsghdr *msg)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(msg))->nfgen_family;
}

static const char *keep(const struct prog *p, const char *s)
{
	return s == NULL ? "" : arena_strndup(p->a, s, strlen(s));
}

struct prog_chain *prog_chain_of(const struct prog *p, uint8_t family, const char *name)
{
	for (uint32_t i = p->chains.n; i-- > 0;)
		if (p->chains.v[i].family == family && strcmp(p->chains.v[i].name, name) == 0)
			return &p->chains.v[i];
	return NULL;
}

struct prog_set *prog_set_of(const struct prog *p, uint8_t family, const char *name)
{
	for (uint32_t i = p->sets.n; i-- > 0;)
		if (p->sets.v[i].family == family && strcmp(p->sets.v[i].name, name) == 0)
			return &p->sets.v[i];
	return NULL;
}

static bool take_table(struct prog *p, const struct nlmsghdr *msg)
{
	struct nftnl_table *t = nftnl_table_alloc();
	bool ok = false;

	if (t == NULL)
		return false;
	if (nftnl_table_nlmsg_parse(msg, t) == 0) {
		p->is_dormant |= (nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS) &
				  NFT_TABLE_F_DORMANT) != 0;
		ok = true;
	}
	nftnl_table_free(t);
	return ok;
}

static bool take_chain(struct prog *p, const struct nlmsghdr *msg)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct prog_chain *to;

	if (c == NULL)
		return false;
	if (nftnl_chain_nlmsg_parse(msg, c) < 0) {
		nftnl_chain_free(c);
		return false;
	}
	to = vec_push(p->a, &p->chains);
	to->family = family_of(msg);
	to->name = keep(p, nftnl_chain_get_str(c, NFTNL_CHAIN_NAME));
	if (nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM)) {
		to->type = keep(p, nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE));
		to->hook = nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM);
		to->prio = nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO);
		to->policy = nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY);
	}
	nftnl_chain_free(c);
	return true;
}

static int find_comment(const struct nftnl_udata *attr, void *arg)
{
	const struct nftnl_udata **comment = arg;

	if (nftnl_udata_type(attr) == NFTNL_UDATA_SET_COMMENT)
		*comment = attr;
	return 0;
}

static const char *set_comment(const struct prog *p, const struct nftnl_set *s)
{
	uint32_t len;
	const void *data = nftnl_set_get_data(s, NFTNL_SET_USERDATA, &len);
	const struct nftnl_udata *attr = NULL;
	const char *text;

	if (data == NULL || nftnl_udata_parse(data, len, find_comment, &attr) < 0 || attr == NULL)
		return NULL;
	text = nftnl_udata_get(attr);
	return arena_strndup(p->a, text, strnlen(text, nftnl_udata_len(attr)));
}

static bool take_set(struct prog *p, const struct nlmsghdr *msg)
{
	struct nftnl_set *s = nftnl_set_alloc();
	const uint8_t *fields;
	struct prog_set *to;
	uint32_t n = 0;

	if (s == NULL)
		return false;
	if (nftnl_set_nlmsg_parse(msg, s) < 0) {
		nftnl_set_free(s);
		return false;
	}
	to = vec_push(p->a, &p->sets);
	to->family = family_of(msg);
	to->name = keep(p, nftnl_set_get_str(s, NFTNL_SET_NAME));
	to->flags = nftnl_set_get_u32(s, NFTNL_SET_FLAGS);
	to->size = nftnl_set_is_set(s, NFTNL_SET_DESC_SIZE)
			   ? nftnl_set_get_u32(s, NFTNL_SET_DESC_SIZE) : 0;
	to->key_len = nftnl_set_get_u32(s, NFTNL_SET_KEY_LEN);
	to->data_len = nftnl_set_get_u32(s, NFTNL_SET_DATA_LEN);
	to->comment = set_comment(p, s);
	fields = nftnl_set_get_data(s, NFTNL_SET_DESC_CONCAT, &n);
	if (fields != NULL && n <= PROG_FIELDS) {
		memcpy(to->field_len, fields, n);
		to->n_fields = n;
	}
	nftnl_set_free(s);
	return true;
}

/* Elements of one message */
struct taking {
	struct prog *p;
	struct prog_set *set;
	bool ok;
};

static const uint8_t *bytes_of(struct taking *t, const struct nftnl_set_elem *e, uint16_t attr,
			       uint32_t want)
{
	uint32_t len;
	const void *b = nftnl_set_elem_get((struct nftnl_set_elem *)e, attr, &len);
	uint8_t *copy;

	if (b == NULL || len != want) {
		t->ok = false;
		return NULL;
	}
	copy = arena_alloc(t->p->a, len);
	memcpy(copy, b, len);
	return copy;
}

static int take_elem(struct nftnl_set_elem *e, void *arg)
{
	struct taking *t = arg;
	struct prog_elem *to;

	/* The "everything else" element is nobody's here */
	if (!nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_KEY)) {
		t->ok = false;
		return 0;
	}
	to = vec_push(t->p->a, &t->set->elems);
	to->key = bytes_of(t, e, NFTNL_SET_ELEM_KEY, t->set->key_len);
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_KEY_END))
		to->key_end = bytes_of(t, e, NFTNL_SET_ELEM_KEY_END, t->set->key_len);
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_FLAGS))
		to->is_end = (nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_FLAGS) &
			      NFT_SET_ELEM_INTERVAL_END) != 0;
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_VERDICT))
		to->verdict = (int32_t)nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_VERDICT);
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_CHAIN))
		to->chain = keep(t->p, nftnl_set_elem_get_str(e, NFTNL_SET_ELEM_CHAIN));
	else if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_DATA))
		to->data = bytes_of(t, e, NFTNL_SET_ELEM_DATA, t->set->data_len);
	if (to->key == NULL)
		t->set->elems.n--;
	return 0;
}

static bool take_elems(struct prog *p, const struct nlmsghdr *msg)
{
	struct nftnl_set *s = nftnl_set_alloc();
	struct taking t = { .p = p, .ok = false };

	if (s == NULL)
		return false;
	if (nftnl_set_elems_nlmsg_parse(msg, s) == 0)
		t.set = prog_set_of(p, family_of(msg), nftnl_set_get_str(s, NFTNL_SET_NAME));
	/* What packets have put into a set is no part of the program */
	if (t.set != NULL) {
		t.ok = true;
		if ((t.set->flags & NFT_SET_EVAL) == 0)
			t.ok &= nftnl_set_elem_foreach(s, take_elem, &t) >= 0;
	}
	nftnl_set_free(s);
	return t.ok;
}

static const char *rule_comment(const struct prog *p, const struct nftnl_rule *r)
{
	uint32_t len;
	const uint8_t *b = nftnl_rule_get_data(r, NFTNL_RULE_USERDATA, &len);

	/* type, length, text with its NUL */
	if (b == NULL || len < 3 || b[0] != NFTNL_UDATA_RULE_COMMENT || b[1] > len - 2)
		return "";
	return arena_strndup(p->a, (const char *)b + 2, strnlen((const char *)b + 2, b[1]));
}

static bool take_rule(struct prog *p, const struct nlmsghdr *msg)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct prog_chain *c = NULL;

	if (r == NULL)
		return false;
	if (nftnl_rule_nlmsg_parse(msg, r) == 0)
		c = prog_chain_of(p, family_of(msg), nftnl_rule_get_str(r, NFTNL_RULE_CHAIN));
	if (c != NULL) {
		struct prog_rule *to = vec_push(p->a, &c->rules);

		to->comment = rule_comment(p, r);
		prog_read_exprs(p, r, to);
	}
	nftnl_rule_free(r);
	return c != NULL;
}

void prog_take(struct prog *p, const struct nlmsghdr *msg)
{
	static bool (*const take[])(struct prog *, const struct nlmsghdr *) = {
		[NFT_MSG_NEWTABLE] = take_table, [NFT_MSG_NEWCHAIN] = take_chain,
		[NFT_MSG_NEWSET] = take_set, [NFT_MSG_NEWSETELEM] = take_elems,
		[NFT_MSG_NEWRULE] = take_rule,
	};
	const uint32_t type = NFNL_MSG_TYPE(msg->nlmsg_type);

	if (NFNL_SUBSYS_ID(msg->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
	    type >= ARRAY_SIZE(take) || take[type] == NULL)
		return;
	p->n_broken += !take[type](p, msg);
}

void prog_take_all(struct prog *p, const void *buf, size_t len)
{
	const struct nlmsghdr *msg = buf;
	int left = (int)len;

	BUG_IF(len > INT32_MAX);
	for (; mnl_nlmsg_ok(msg, left); msg = mnl_nlmsg_next(msg, &left))
		prog_take(p, msg);
}
