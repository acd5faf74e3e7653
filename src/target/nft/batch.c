/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A base chain that is deleted and made again, even in one transaction, loses
 * the packets that wait in its queues, and the last nat chain takes the
 * translations of established connections with it.  So base chains stay, and sets
 * that packets fill, which are named by what they remember.  Of the rest what differs
 * is written (see delta.c): what goes first, as rules refer to sets and chains and
 * elements to chains, then what comes.  A table with flags that it should not have
 * (dormant) is none to spare, and the kernel refuses to wake it while its chains
 * change: it is made anew.
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
#define ELEM_BYTES	128u		/* of one of them, about */

struct fill {
	struct nl_batch *b;
	const struct nft_program *p;
	const struct nft_lines *have;
	const struct nft_delta *d;
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

static void delete_rule(struct fill *f, const struct nft_line *l)
{
	struct nlmsghdr *msg = add(f, NFT_MSG_DELRULE, 0, l->family, "an old rule", NFT_NO_ORIGIN);
	struct nftnl_rule *nr;

	if (msg == NULL)
		return;
	nr = nftnl_rule_alloc();
	BUG_IF(nr == NULL);
	nftnl_rule_set_str(nr, NFTNL_RULE_TABLE, NFT_TABLE);
	nftnl_rule_set_str(nr, NFTNL_RULE_CHAIN, l->name);
	nftnl_rule_set_u64(nr, NFTNL_RULE_HANDLE, l->handle);
	nftnl_rule_nlmsg_build_payload(msg, nr);
	nftnl_rule_free(nr);
}

/* Empty a chain */
static void delete_rules(struct fill *f, uint8_t family, const char *chain)
{
	struct nlmsghdr *msg = add(f, NFT_MSG_DELRULE, 0, family, "the old rules",
				   NFT_NO_ORIGIN);

	if (msg == NULL)
		return;
	mnl_attr_put_strz(msg, NFTA_RULE_TABLE, NFT_TABLE);
	mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, chain);
}

/* What goes of a chain that stays, or of all that its name had */
static void delete_old(struct fill *f, const struct nft_chain *c,
		       const struct nft_chain_delta *d)
{
	if (!d->refill || d->n_old == 0)
		return;
	if (d->head + d->tail == 0)
		delete_rules(f, nft_family_number(c->family), c->name);
	for (uint32_t i = 0; i < d->n_old && d->head + d->tail > 0; i++)
		delete_rule(f, d->have[d->head + i]);
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

static void add_chain(struct fill *f, const struct nft_chain *c)
{
	const uint8_t family = nft_family_number(c->family);
	struct nftnl_chain *nc;
	struct nlmsghdr *msg;

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

/* Ranges of concatenations are kept by field */
static void put_fields(struct nftnl_set *ns, const struct nft_set *s)
{
	uint8_t lens[NFT_KEYS_MAX];

	for (uint8_t i = 0; i < s->n_keys; i++)
		lens[i] = nft_types[s->keys[i]].len;
	nftnl_set_set_data(ns, NFTNL_SET_DESC_CONCAT, lens, s->n_keys);
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
	if ((t.flags & NFT_SET_CONCAT) != 0)
		put_fields(ns, s);
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
	uint8_t type;		/* NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM */
	struct nlmsghdr *msg;
	struct nlattr *list;
	uint32_t full_len;	/* of a message that takes no more */
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
	l->msg = add(l->f, l->type, l->type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0,
		     nft_family_number(l->s->family), "an element", origin);
	if (l->msg == NULL)
		return;
	mnl_attr_put_strz(l->msg, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(l->msg, NFTA_SET_ELEM_LIST_SET, l->s->name);
	l->full_len = l->msg->nlmsg_len + ELEMS_BYTES;
	l->list = mnl_attr_nest_start(l->msg, NFTA_SET_ELEM_LIST_ELEMENTS);
}

/*
 * Elements are 100,000 where forwards are, and libmnl takes four calls for an attribute:
 * these write behind @at, and give the place behind what they wrote.
 */
static uint8_t *put_head(uint8_t *at, uint16_t type, uint32_t len)
{
	const struct nlattr head = { .nla_len = (uint16_t)(sizeof(head) + len), .nla_type = type };

	memcpy(at, &head, sizeof(head));
	return at + sizeof(head);
}

static uint8_t *put_bytes(uint8_t *at, uint16_t type, const void *data, uint32_t len)
{
	uint8_t *to = put_head(at, type, len), *end = to + MNL_ALIGN(len);

	if (end > to + len)
		memset(end - NLA_ALIGNTO, 0, NLA_ALIGNTO);
	memcpy(to, data, len);
	return end;
}

static uint8_t *put_data(uint8_t *at, uint16_t type, const void *data, uint32_t len)
{
	at = put_head(at, type | NLA_F_NESTED, (uint32_t)sizeof(struct nlattr) + MNL_ALIGN(len));
	return put_bytes(at, NFTA_DATA_VALUE, data, len);
}

/* The head of what was written from @nest on, and @at behind it */
static uint8_t *end_nest(uint8_t *nest, uint16_t type, uint8_t *at)
{
	put_head(nest, type | NLA_F_NESTED, (uint32_t)(at - nest) - sizeof(struct nlattr));
	return at;
}

static uint8_t *put_goto(uint8_t *at, const char *chain)
{
	static const uint8_t code[4] = { 0xff, 0xff, 0xff, (uint8_t)NFT_GOTO };
	uint8_t *data = at, *verdict = at + sizeof(struct nlattr);

	at = put_bytes(verdict + sizeof(struct nlattr), NFTA_VERDICT_CODE, code, sizeof(code));
	at = put_bytes(at, NFTA_VERDICT_CHAIN, chain, (uint32_t)strlen(chain) + 1);
	end_nest(verdict, NFTA_DATA_VERDICT, at);
	return end_nest(data, NFTA_SET_ELEM_DATA, at);
}

static uint8_t *put_comment(uint8_t *at, const char *comment)
{
	uint8_t *data = at + sizeof(struct nlattr);
	const uint8_t *end = (uint8_t *)stpcpy((char *)data + 2, comment) + 1;
	const uint32_t len = (uint32_t)(end - data), padded = MNL_ALIGN(len);

	BUG_IF(len - 2 > NFTNL_UDATA_COMMENT_MAXLEN);
	data[0] = NFTNL_UDATA_SET_ELEM_COMMENT;
	data[1] = (uint8_t)(len - 2);
	memset(data + len, 0, padded - len);
	put_head(at, NFTA_SET_ELEM_USERDATA, len);
	return data + padded;
}

static uint8_t *put_elem(uint8_t *elem, const struct nft_elem_bytes *e)
{
	static const uint8_t end_flag[4] = { 0, 0, 0, NFT_SET_ELEM_INTERVAL_END };
	uint8_t *at = elem + sizeof(struct nlattr);

	at = put_data(at, NFTA_SET_ELEM_KEY, e->key, e->key_len);
	if (e->key_end != NULL)
		at = put_data(at, NFTA_SET_ELEM_KEY_END, e->key_end, e->key_len);
	if (e->is_end)
		at = put_bytes(at, NFTA_SET_ELEM_FLAGS, end_flag, sizeof(end_flag));
	if (e->chain != NULL)
		at = put_goto(at, e->chain);
	else if (e->data != NULL)
		at = put_data(at, NFTA_SET_ELEM_DATA, e->data, e->data_len);
	if (e->comment != NULL)
		at = put_comment(at, e->comment);
	return end_nest(elem, NFTA_LIST_ELEM, at);
}

static void add_elem(const struct nft_elem_bytes *e, uint32_t origin, void *arg)
{
	struct elem_list *l = arg;
	uint8_t *tail;

	if (l->msg == NULL || l->msg->nlmsg_len > l->full_len)
		open_list(l, origin);
	if (l->msg == NULL)
		return;
	/* All that was put before is aligned */
	tail = (uint8_t *)l->msg + l->msg->nlmsg_len;
	l->msg->nlmsg_len += (uint32_t)(put_elem(tail, e) - tail);
}

static void add_elems(struct fill *f, const struct nft_set *s)
{
	struct elem_list l = { .f = f, .s = s, .type = NFT_MSG_NEWSETELEM };
	const size_t n = s->elems.n + (s->forwards != NULL ? s->forwards->rows.n : 0);

	nl_batch_expect(f->b, n * ELEM_BYTES);
	nft_each_elem(s, add_elem, &l);
	close_list(&l);
}

static uint8_t digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void from_hex(const char *hex, uint32_t len, uint8_t *ret)
{
	for (uint32_t i = 0; i < len; i++)
		ret[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
}

/* An element by its line, whose key ends in the set's name and the bytes in hex */
static void add_line(struct elem_list *to, const struct nft_line *line)
{
	uint8_t key[NFT_CONCAT_BYTES], key_end[NFT_CONCAT_BYTES];
	const char *hex = line->key + strlen(line->name) + 1;
	struct nft_elem_bytes e = { .set = line->name };

	if (line->elem != NULL && to->type == NFT_MSG_NEWSETELEM)
		e = *line->elem;
	e.key = key;
	e.key_len = (uint32_t)strcspn(hex, " -") / 2;
	e.is_end = line->is_end;
	BUG_IF(e.key_len > sizeof(key));
	from_hex(hex, e.key_len, key);
	if (hex[2 * (size_t)e.key_len] == '-') {
		from_hex(hex + 2 * (size_t)e.key_len + 1, e.key_len, key_end);
		e.key_end = key_end;
	}
	add_elem(&e, line->origin, to);
}

static void take_elems(struct fill *f, const struct nft_set *s, const struct nft_set_delta *d)
{
	struct elem_list l = { .f = f, .s = s, .type = NFT_MSG_DELSETELEM };

	for (uint32_t i = 0; i < d->out.n; i++)
		add_line(&l, d->out.v[i]);
	close_list(&l);
}

static void bring_elems(struct fill *f, const struct nft_set *s, const struct nft_set_delta *d)
{
	struct elem_list l = { .f = f, .s = s, .type = NFT_MSG_NEWSETELEM };

	for (uint32_t i = 0; i < d->in.n; i++)
		add_line(&l, d->in.v[i]);
	close_list(&l);
}

static void add_rules(struct fill *f, const struct nft_chain *c,
		      const struct nft_chain_delta *d)
{
	/* With a position and without APPEND: before that rule, so each behind the last */
	const uint16_t flags = d->before != 0 ? NLM_F_CREATE : NLM_F_CREATE | NLM_F_APPEND;

	for (uint32_t i = d->head; i < c->rules.n - d->tail; i++) {
		struct nlmsghdr *msg = add(f, NFT_MSG_NEWRULE, flags,
					   nft_family_number(c->family), c->name,
					   c->rules.v[i].origin);
		struct nftnl_rule *nr;

		if (msg == NULL)
			return;
		nr = nft_build_rule(c, &c->rules.v[i]);
		nft_keep_counter(nr, c->rules.v[i].packets, c->rules.v[i].bytes);
		if (d->before != 0)
			nftnl_rule_set_u64(nr, NFTNL_RULE_POSITION, d->before);
		nftnl_rule_nlmsg_build_payload(msg, nr);
		nftnl_rule_free(nr);
	}
}

/* What goes: rules, as they refer to the rest, elements, which refer to chains, sets */
static void clear(struct fill *f)
{
	const struct nft_delta *d = f->d;

	for (uint32_t i = 0; i < f->p->chains.n; i++)
		delete_old(f, f->p->chains.v[i], &d->chains[i]);
	for (uint32_t i = 0; i < d->gone.n; i++)
		if (d->gone.v[i]->kind == NFT_O_CHAIN)
			delete_rules(f, d->gone.v[i]->family, d->gone.v[i]->name);
	for (uint32_t i = 0; i < f->p->sets.n; i++)
		take_elems(f, f->p->sets.v[i], &d->sets[i]);
	for (uint32_t i = 0; i < f->p->sets.n; i++)
		if (d->sets[i].fate == NFT_REPLACED)
			delete_named(f, NFT_MSG_DELSET,
				     nft_family_number(f->p->sets.v[i]->family),
				     f->p->sets.v[i]->name);
	for (uint32_t i = 0; i < d->gone.n; i++)
		if (d->gone.v[i]->kind == NFT_O_SET)
			delete_named(f, NFT_MSG_DELSET, d->gone.v[i]->family, d->gone.v[i]->name);
	for (uint32_t i = 0; i < f->p->chains.n; i++)
		if (d->chains[i].fate == NFT_REPLACED)
			delete_named(f, NFT_MSG_DELCHAIN,
				     nft_family_number(f->p->chains.v[i]->family),
				     f->p->chains.v[i]->name);
	for (uint32_t i = 0; i < d->gone.n; i++)
		if (d->gone.v[i]->kind == NFT_O_CHAIN)
			delete_named(f, NFT_MSG_DELCHAIN, d->gone.v[i]->family,
				     d->gone.v[i]->name);
}

/* Tables that do not stay the same table */
static void delete_tables(struct fill *f)
{
	for (uint32_t i = 0; i < f->have->list.n; i++) {
		const struct nft_line *l = &f->have->list.v[i];
		bool stays = false;

		if (l->kind != NFT_O_TABLE)
			continue;
		for (int k = 0; k < N_NFT_FAMILIES; k++)
			stays |= nft_family_number((enum nft_family)k) == l->family &&
				 f->d->stays[k];
		if (!stays)
			table_message(f, NFT_MSG_DELTABLE, l->family);
	}
}

int nft_batch_fill(struct nl_batch *b, const struct nft_program *p, const struct nft_lines *have,
		   const struct nft_delta *d, struct nft_jobs *jobs)
{
	struct fill f = { .b = b, .p = p, .have = have, .d = d, .jobs = jobs };

	delete_tables(&f);
	if (p == NULL)
		return f.err;
	clear(&f);
	for (int i = 0; i < N_NFT_FAMILIES; i++)
		if (p->has_table[i] && !d->stays[i])
			table_message(&f, NFT_MSG_NEWTABLE, nft_family_number((enum nft_family)i));
	for (uint32_t i = 0; i < p->chains.n; i++)
		if (d->chains[i].fate != NFT_STAYS)
			add_chain(&f, p->chains.v[i]);
	for (uint32_t i = 0; i < p->sets.n; i++)
		if (d->sets[i].fate != NFT_STAYS)
			add_set(&f, p->sets.v[i]);
	for (uint32_t i = 0; i < p->sets.n; i++) {
		if (d->sets[i].fate != NFT_STAYS)
			add_elems(&f, p->sets.v[i]);
		else
			bring_elems(&f, p->sets.v[i], &d->sets[i]);
	}
	for (uint32_t i = 0; i < p->chains.n; i++)
		if (d->chains[i].refill)
			add_rules(&f, p->chains.v[i], &d->chains[i]);
	return f.err;
}
