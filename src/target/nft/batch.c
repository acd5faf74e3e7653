/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A base chain that is deleted and made again, even in one transaction, loses
 * the packets that wait in its queues, and the last nat chain takes the
 * translations of established connections with it.  So base chains stay, and sets
 * that packets fill, which are named by what they remember; rules, other sets and
 * regular chains are made anew in one transaction: rules go
 * first, as they refer to sets and chains, then sets, whose elements refer to
 * chains.  A table with flags that it should not have (dormant) is none to spare,
 * and the kernel refuses to wake it while its chains change: it is made anew.
 *
 * Where only elements differ, as when a map of forwards gains one, only the elements
 * of those maps are written.  (A set of addresses is named by what it holds, so there
 * another content is another set, and its rules are written too.)
 *
 * libnftnl builds rules, chains and sets; elements are written here, because
 * they are the many and one attribute list ends at 64 KiB.
 */
#include "target/nft/batch.h"

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/limits.h"
#include "target/nft/keep.h"

#define ELEMS_BYTES	(60u << 10)	/* of one list of elements; nla_len ends at 64 KiB */

struct fill {
	struct nl_batch *b;
	const struct nft_program *p;
	const struct nft_lines *have;
	struct nft_jobs *jobs;
	uint32_t set_id;
	int err;
};

/* The next message, or NULL after an error */
static struct nlmsghdr *add(struct fill *f, uint8_t type, uint16_t flags, uint8_t family,
			    const char *what, uint32_t origin)
{
	struct nlmsghdr *msg = NULL;

	if (f->err < 0)
		return NULL;
	vec_add(f->jobs->a, &f->jobs->list, ((struct nft_job){ what, origin }));
	f->err = nl_batch_add(f->b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, family,
			      f->jobs->list.n - 1, &msg);
	return f->err < 0 ? NULL : msg;
}

static void table_message(struct fill *f, uint8_t type, uint8_t family)
{
	struct nlmsghdr *msg = add(f, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0, family,
				   "the table", NFT_NO_ORIGIN);

	if (msg == NULL)
		return;
	mnl_attr_put_strz(msg, NFTA_TABLE_NAME, NFT_TABLE);
	if (type == NFT_MSG_NEWTABLE)
		mnl_attr_put_u32(msg, NFTA_TABLE_FLAGS, 0);
}

static void delete_rules(struct fill *f, uint8_t family)
{
	struct nlmsghdr *msg = add(f, NFT_MSG_DELRULE, 0, family, "the old rules",
				   NFT_NO_ORIGIN);

	if (msg != NULL)
		mnl_attr_put_strz(msg, NFTA_RULE_TABLE, NFT_TABLE);
}

static void delete_named(struct fill *f, uint8_t type, uint8_t family, const char *name)
{
	struct nlmsghdr *msg = add(f, type, 0, family,
				   arena_printf(f->jobs->a, "the old %s", name), NFT_NO_ORIGIN);

	if (msg == NULL)
		return;
	/* Table and name are attributes 1 and 3 of a chain, 1 and 2 of a set */
	mnl_attr_put_strz(msg, 1, NFT_TABLE);
	mnl_attr_put_strz(msg, type == NFT_MSG_DELCHAIN ? NFTA_CHAIN_NAME : NFTA_SET_NAME, name);
}

/* The chain of the program that a line names, or NULL */
static const struct nft_chain *wanted_chain(const struct fill *f, const struct nft_line *l)
{
	for (uint32_t i = 0; i < f->p->chains.n; i++) {
		const struct nft_chain *c = f->p->chains.v[i];

		if (nft_family_number(c->family) == l->family && strcmp(c->name, l->name) == 0)
			return c;
	}
	return NULL;
}

/* Is a table of this family wanted */
static bool is_wanted(const struct nft_program *p, uint8_t family)
{
	if (p == NULL)
		return false;
	for (int i = 0; i < N_NFT_FAMILIES; i++)
		if (p->has_table[i] && nft_family_number((enum nft_family)i) == family)
			return true;
	return false;
}

/* Does what the kernel has of this family's table remain the same table */
static bool table_stays(const struct fill *f, uint8_t family)
{
	if (!is_wanted(f->p, family))
		return false;
	for (uint32_t i = 0; i < f->have->list.n; i++) {
		const struct nft_line *l = &f->have->list.v[i];

		if (l->kind == NFT_O_TABLE && l->family == family)
			return l->text[0] == '\0';
	}
	return false;
}

static bool stays(const struct fill *f, const struct nft_line *l)
{
	const struct nft_chain *c;
	struct nft_lines one = { .a = f->jobs->a };

	if (!l->is_base || !table_stays(f, l->family))
		return false;
	c = wanted_chain(f, l);
	if (c == NULL || c->type == NULL)
		return false;
	nft_add_chain_line(&one, l->family, c->name, c->type, c->hook, c->prio, NF_ACCEPT);
	return strcmp(one.list.v[0].text, l->text) == 0;
}

/* What packets have filled stays where the program has a set like it */
static bool set_stays(const struct fill *f, const struct nft_line *l)
{
	struct nft_lines one = { .a = f->jobs->a };

	for (uint32_t i = 0; i < f->p->sets.n; i++) {
		const struct nft_set *s = f->p->sets.v[i];
		const struct nft_set_text t = nft_set_props(s);

		if (!s->is_dynamic || nft_family_number(s->family) != l->family ||
		    strcmp(s->name, l->name) != 0)
			continue;
		nft_add_set_line(&one, l->family, s->name, &t);
		return strcmp(one.list.v[0].text, l->text) == 0;
	}
	return false;
}

/* Everything of a table that stays, but the base chains and states that stay */
static void clear_table(struct fill *f, uint8_t family)
{
	const struct nft_lines *have = f->have;

	delete_rules(f, family);
	for (uint32_t i = 0; i < have->list.n; i++)
		if (have->list.v[i].kind == NFT_O_SET && have->list.v[i].family == family &&
		    !set_stays(f, &have->list.v[i]))
			delete_named(f, NFT_MSG_DELSET, family, have->list.v[i].name);
	for (uint32_t i = 0; i < have->list.n; i++)
		if (have->list.v[i].kind == NFT_O_CHAIN && have->list.v[i].family == family &&
		    !stays(f, &have->list.v[i]))
			delete_named(f, NFT_MSG_DELCHAIN, family, have->list.v[i].name);
}

static void add_chain(struct fill *f, const struct nft_chain *c)
{
	const uint8_t family = nft_family_number(c->family);
	struct nftnl_chain *nc;
	struct nlmsghdr *msg;

	for (uint32_t i = 0; i < f->have->list.n && c->type != NULL; i++) {
		const struct nft_line *l = &f->have->list.v[i];

		if (l->kind == NFT_O_CHAIN && l->family == family &&
		    strcmp(l->name, c->name) == 0 && stays(f, l))
			return;
	}
	msg = add(f, NFT_MSG_NEWCHAIN, NLM_F_CREATE, family,
		  arena_printf(f->jobs->a, "chain %s", c->name), NFT_NO_ORIGIN);
	if (msg == NULL)
		return;
	nc = nftnl_chain_alloc();
	BUG_IF(nc == NULL);
	nftnl_chain_set_str(nc, NFTNL_CHAIN_TABLE, NFT_TABLE);
	nftnl_chain_set_str(nc, NFTNL_CHAIN_NAME, c->name);
	if (c->type != NULL) {
		nftnl_chain_set_str(nc, NFTNL_CHAIN_TYPE, c->type);
		nftnl_chain_set_u32(nc, NFTNL_CHAIN_HOOKNUM, c->hook);
		nftnl_chain_set_s32(nc, NFTNL_CHAIN_PRIO, c->prio);
		nftnl_chain_set_u32(nc, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	nftnl_chain_nlmsg_build_payload(msg, nc);
	nftnl_chain_free(nc);
}

/* What nft shows: in which byte order numbers are, and the comment */
static void put_userdata(struct nftnl_set *ns, const struct nft_set *s)
{
	enum { HOST = 1, BIG = 2 };
	struct nftnl_udata_buf *buf = nftnl_udata_buf_alloc(64 + LIMIT_COMMENT_BYTES);
	const bool is_host = nft_types[s->keys[0]].is_host;

	BUG_IF(buf == NULL);
	nftnl_udata_put_u32(buf, NFTNL_UDATA_SET_KEYBYTEORDER,
			    s->n_keys > 1 ? 0 : is_host ? HOST : BIG);
	if (s->n_datas > 0)
		nftnl_udata_put_u32(buf, NFTNL_UDATA_SET_DATABYTEORDER,
				    s->n_datas > 1 ? 0
				    : nft_types[s->datas[0]].is_host ? HOST : BIG);
	if (s->comment != NULL)
		nftnl_udata_put_strz(buf, NFTNL_UDATA_SET_COMMENT, s->comment);
	nftnl_set_set_data(ns, NFTNL_SET_USERDATA, nftnl_udata_buf_data(buf),
			   nftnl_udata_buf_len(buf));
	nftnl_udata_buf_free(buf);
}

static struct nftnl_set *build_set(struct fill *f, const struct nft_set *s)
{
	const struct nft_set_text t = nft_set_props(s);
	struct nftnl_set *ns = nftnl_set_alloc();

	BUG_IF(ns == NULL);
	nftnl_set_set_str(ns, NFTNL_SET_TABLE, NFT_TABLE);
	nftnl_set_set_str(ns, NFTNL_SET_NAME, s->name);
	nftnl_set_set_u32(ns, NFTNL_SET_ID, ++f->set_id);
	nftnl_set_set_u32(ns, NFTNL_SET_FLAGS, t.flags);
	nftnl_set_set_u32(ns, NFTNL_SET_KEY_TYPE, t.key_type);
	nftnl_set_set_u32(ns, NFTNL_SET_KEY_LEN, t.key_len);
	if ((t.flags & NFT_SET_MAP) != 0) {
		nftnl_set_set_u32(ns, NFTNL_SET_DATA_TYPE, t.data_type);
		nftnl_set_set_u32(ns, NFTNL_SET_DATA_LEN, t.data_len);
	}
	if (s->size != 0)
		nftnl_set_set_u32(ns, NFTNL_SET_DESC_SIZE, s->size);
	if (s->timeout_ms != 0)
		nftnl_set_set_u64(ns, NFTNL_SET_TIMEOUT, s->timeout_ms);
	if (s->is_counted) {
		struct nftnl_expr *e = nftnl_expr_alloc("counter");

		BUG_IF(e == NULL);
		nftnl_set_add_expr(ns, e);
	}
	put_userdata(ns, s);
	return ns;
}

static void add_set(struct fill *f, const struct nft_set *s)
{
	const uint8_t family = nft_family_number(s->family);
	struct nlmsghdr *msg;
	struct nftnl_set *ns;

	for (uint32_t i = 0; i < f->have->list.n && s->is_dynamic; i++) {
		const struct nft_line *l = &f->have->list.v[i];

		if (l->kind > NFT_O_SET)	/* sorted */
			break;
		if (l->kind == NFT_O_SET && l->family == family &&
		    strcmp(l->name, s->name) == 0 && table_stays(f, family) && set_stays(f, l))
			return;
	}
	msg = add(f, NFT_MSG_NEWSET, NLM_F_CREATE, family,
		  arena_printf(f->jobs->a, "set %s", s->name), NFT_NO_ORIGIN);
	if (msg == NULL)
		return;
	ns = build_set(f, s);
	nftnl_set_nlmsg_build_payload(msg, ns);
	nftnl_set_free(ns);
}

/* The list of elements that is being filled */
struct elem_list {
	struct fill *f;
	const struct nft_set *s;
	struct nlmsghdr *msg;
	struct nlattr *list;
};

static void close_list(struct elem_list *l)
{
	if (l->msg != NULL)
		mnl_attr_nest_end(l->msg, l->list);
	l->msg = NULL;
}

static void open_list(struct elem_list *l, uint32_t origin)
{
	close_list(l);
	l->msg = add(l->f, NFT_MSG_NEWSETELEM, NLM_F_CREATE, nft_family_number(l->s->family),
		     "an element", origin);
	if (l->msg == NULL)
		return;
	mnl_attr_put_strz(l->msg, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(l->msg, NFTA_SET_ELEM_LIST_SET, l->s->name);
	l->list = mnl_attr_nest_start(l->msg, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void put_data(struct nlmsghdr *msg, uint16_t type, const void *data, uint32_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(msg, type);

	mnl_attr_put(msg, NFTA_DATA_VALUE, len, data);
	mnl_attr_nest_end(msg, nest);
}

static void put_goto(struct nlmsghdr *msg, const char *chain)
{
	struct nlattr *data = mnl_attr_nest_start(msg, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(msg, NFTA_DATA_VERDICT);
	const struct nft_value code = { 4, { 0xff, 0xff, 0xff, (uint8_t)NFT_GOTO } };

	mnl_attr_put(msg, NFTA_VERDICT_CODE, code.len, code.b);
	mnl_attr_put_strz(msg, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(msg, verdict);
	mnl_attr_nest_end(msg, data);
}

static void put_comment(struct nlmsghdr *msg, const char *comment)
{
	uint8_t data[NFTNL_UDATA_COMMENT_MAXLEN + 2];
	const size_t len = strlen(comment) + 1;

	BUG_IF(len > NFTNL_UDATA_COMMENT_MAXLEN);
	data[0] = NFTNL_UDATA_SET_ELEM_COMMENT;
	data[1] = (uint8_t)len;
	memcpy(data + 2, comment, len);
	mnl_attr_put(msg, NFTA_SET_ELEM_USERDATA, len + 2, data);
}

static void add_elem(const struct nft_elem_bytes *e, uint32_t origin, void *arg)
{
	static const uint8_t end_flag[4] = { 0, 0, 0, NFT_SET_ELEM_INTERVAL_END };
	struct elem_list *l = arg;
	struct nlattr *elem;

	if (l->msg == NULL ||
	    (size_t)((uint8_t *)mnl_nlmsg_get_payload_tail(l->msg) - (uint8_t *)l->list) >
		    ELEMS_BYTES)
		open_list(l, origin);
	if (l->msg == NULL)
		return;
	elem = mnl_attr_nest_start(l->msg, NFTA_LIST_ELEM);
	put_data(l->msg, NFTA_SET_ELEM_KEY, e->key, e->key_len);
	if (e->is_end)
		mnl_attr_put(l->msg, NFTA_SET_ELEM_FLAGS, sizeof(end_flag), end_flag);
	if (e->chain != NULL)
		put_goto(l->msg, e->chain);
	else if (e->data != NULL)
		put_data(l->msg, NFTA_SET_ELEM_DATA, e->data, e->data_len);
	if (e->comment != NULL)
		put_comment(l->msg, e->comment);
	mnl_attr_nest_end(l->msg, elem);
}

static void add_elems(struct fill *f, const struct nft_set *s)
{
	struct elem_list l = { .f = f, .s = s };

	nft_each_elem(s, add_elem, &l);
	close_list(&l);
}

static void add_rules(struct fill *f, const struct nft_chain *c)
{
	for (uint32_t i = 0; i < c->rules.n; i++) {
		struct nlmsghdr *msg = add(f, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
					   nft_family_number(c->family), c->name,
					   c->rules.v[i].origin);
		struct nftnl_rule *nr;

		if (msg == NULL)
			return;
		nr = nft_build_rule(c, &c->rules.v[i]);
		nft_keep_counter(nr, c->rules.v[i].packets, c->rules.v[i].bytes);
		nftnl_rule_nlmsg_build_payload(msg, nr);
		nftnl_rule_free(nr);
	}
}

/* ---- elements alone --------------------------------------------------------- */

static void flush_set(struct fill *f, const struct nft_set *s)
{
	struct nlmsghdr *msg = add(f, NFT_MSG_DELSETELEM, 0, nft_family_number(s->family),
				   arena_printf(f->jobs->a, "the elements of %s", s->name),
				   NFT_NO_ORIGIN);

	if (msg == NULL)
		return;
	mnl_attr_put_strz(msg, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(msg, NFTA_SET_ELEM_LIST_SET, s->name);
}

/* The set of the program that an element's line is of */
static struct nft_set *set_of(const struct fill *f, const struct nft_line *l)
{
	for (uint32_t i = 0; i < f->p->sets.n; i++)
		if (nft_family_number(f->p->sets.v[i]->family) == l->family &&
		    strcmp(f->p->sets.v[i]->name, l->name) == 0)
			return f->p->sets.v[i];
	return NULL;
}

/* What a set that differs needs */
struct refill {
	const struct nft_set *s;
	bool flush;
};

struct refills {
	VEC(struct refill) list;
};

static void note_elem(struct fill *f, struct refills *r, const struct nft_line *l, bool is_gone)
{
	struct refill *to = r->list.n > 0 ? &r->list.v[r->list.n - 1] : NULL;
	const struct nft_set *s;

	/* Lines are sorted: mostly it is the set of the one before */
	s = to != NULL && to->s != NULL && strcmp(to->s->name, l->name) == 0 &&
	    nft_family_number(to->s->family) == l->family ? to->s : set_of(f, l);
	to = NULL;

	for (uint32_t i = 0; i < r->list.n; i++)
		if (r->list.v[i].s == s)
			to = &r->list.v[i];
	if (to == NULL) {
		to = vec_push(f->jobs->a, &r->list);
		to->s = s;
	}
	/* A range that grows is another one; what is only added can be added again */
	to->flush |= is_gone || s == NULL || s->is_interval;
}

/* Differ only elements, and of which sets: false when something else does */
static bool only_elems(struct fill *f, const struct nft_lines *want, struct refills *ret)
{
	const struct nft_lines *have = f->have;
	uint32_t i = 0, k = 0;

	while (i < have->list.n || k < want->list.n) {
		const struct nft_line *h = i < have->list.n ? &have->list.v[i] : NULL;
		const struct nft_line *w = k < want->list.n ? &want->list.v[k] : NULL;
		const int order = h == NULL ? 1 : w == NULL ? -1 : nft_lines_cmp(h, w);
		const bool differs = order != 0 || strcmp(h->text, w->text) != 0 ||
				     h->position != w->position;

		if (differs && (order < 0 ? h : w)->kind != NFT_O_ELEM)
			return false;
		if (differs)
			note_elem(f, ret, order < 0 ? h : w, order <= 0);
		i += order <= 0;
		k += order >= 0;
	}
	for (i = 0; i < ret->list.n; i++)
		if (ret->list.v[i].s == NULL || ret->list.v[i].s->is_dynamic)
			return false;
	return true;
}

/* What differs are elements: the rules stay, and with them what they have counted */
static bool fill_elems(struct fill *f, const struct nft_lines *want)
{
	struct refills sets = { .list = { 0 } };

	if (f->p == NULL || want == NULL || !only_elems(f, want, &sets) || sets.list.n == 0)
		return false;
	for (uint32_t i = 0; i < sets.list.n; i++)
		if (sets.list.v[i].flush)
			flush_set(f, sets.list.v[i].s);
	for (uint32_t i = 0; i < sets.list.n; i++)
		add_elems(f, sets.list.v[i].s);
	return true;
}

int nft_batch_fill(struct nl_batch *b, const struct nft_program *p, const struct nft_lines *have,
		   const struct nft_lines *want, struct nft_jobs *jobs)
{
	struct fill f = { .b = b, .p = p, .have = have, .jobs = jobs };

	if (fill_elems(&f, want))
		return f.err;

	for (uint32_t i = 0; i < have->list.n; i++) {
		if (have->list.v[i].kind != NFT_O_TABLE)
			continue;
		if (table_stays(&f, have->list.v[i].family))
			clear_table(&f, have->list.v[i].family);
		else
			table_message(&f, NFT_MSG_DELTABLE, have->list.v[i].family);
	}
	if (p == NULL)
		return f.err;
	for (int i = 0; i < N_NFT_FAMILIES; i++)
		if (p->has_table[i])
			table_message(&f, NFT_MSG_NEWTABLE, nft_family_number((enum nft_family)i));
	for (uint32_t i = 0; i < p->chains.n; i++)
		add_chain(&f, p->chains.v[i]);
	for (uint32_t i = 0; i < p->sets.n; i++)
		add_set(&f, p->sets.v[i]);
	for (uint32_t i = 0; i < p->sets.n; i++)
		add_elems(&f, p->sets.v[i]);
	for (uint32_t i = 0; i < p->chains.n; i++)
		add_rules(&f, p->chains.v[i]);
	return f.err;
}
