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
 * One message has many elements, as far as their list goes: an attribute ends at
 * 64 KiB.
 */
#include "target/nft/batch.h"

#include <libmnl/libmnl.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/limits.h"
#include "target/nft/put.h"

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

static struct nft_job job(const char *what, const char *name)
{
	return (struct nft_job){ what, name, NFT_NO_ORIGIN };
}

/* The next message, or NULL after an error */
static struct nlmsghdr *add(struct fill *f, uint8_t type, uint16_t flags, uint8_t family,
			    struct nft_job about)
{
	struct nlmsghdr *msg = NULL;

	if (f->err < 0)
		return NULL;
	vec_add(f->jobs->a, &f->jobs->list, about);
	f->err = nl_batch_add(f->b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, family,
			      f->jobs->list.n - 1, &msg);
	return f->err < 0 ? NULL : msg;
}

static void table_message(struct fill *f, uint8_t type, uint8_t family)
{
	struct nlmsghdr *msg = add(f, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0, family,
				   job("the table", NULL));

	if (msg == NULL)
		return;
	mnl_attr_put_strz(msg, NFTA_TABLE_NAME, NFT_TABLE);
	if (type == NFT_MSG_NEWTABLE)
		mnl_attr_put_u32(msg, NFTA_TABLE_FLAGS, 0);
}

static void delete_rule(struct fill *f, const struct nft_line *l)
{
	struct nlmsghdr *msg = add(f, NFT_MSG_DELRULE, 0, l->family, job("an old rule", NULL));
	struct nft_put p;

	if (msg == NULL)
		return;
	p = nft_put_to(msg);
	nft_put_str(&p, NFTA_RULE_TABLE, NFT_TABLE);
	nft_put_str(&p, NFTA_RULE_CHAIN, l->name);
	nft_put_u64(&p, NFTA_RULE_HANDLE, l->handle);
	nft_put_done(&p, msg);
}

/* Empty a chain */
static void delete_rules(struct fill *f, uint8_t family, const char *chain)
{
	struct nlmsghdr *msg = add(f, NFT_MSG_DELRULE, 0, family, job("the old rules", NULL));

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
				   job("the old", name));

	if (msg == NULL)
		return;
	/* Table and name are attributes 1 and 3 of a chain, 1 and 2 of a set */
	mnl_attr_put_strz(msg, 1, NFT_TABLE);
	mnl_attr_put_strz(msg, type == NFT_MSG_DELCHAIN ? NFTA_CHAIN_NAME : NFTA_SET_NAME, name);
}

static void add_chain(struct fill *f, const struct nft_chain *c)
{
	struct nlmsghdr *msg = add(f, NFT_MSG_NEWCHAIN, NLM_F_CREATE, nft_family_number(c->family),
				   job("chain", c->name));
	struct nft_put p;

	if (msg == NULL)
		return;
	p = nft_put_to(msg);
	nft_put_str(&p, NFTA_CHAIN_TABLE, NFT_TABLE);
	nft_put_str(&p, NFTA_CHAIN_NAME, c->name);
	if (c->type != NULL) {
		nft_put_str(&p, NFTA_CHAIN_TYPE, c->type);
		nft_put_hook(&p, c->hook, c->prio);
		nft_put_u32(&p, NFTA_CHAIN_POLICY, NF_ACCEPT);
	}
	nft_put_done(&p, msg);
}

/* A part of user data, as libnftnl reads them; the place behind it */
static uint8_t *put_note(uint8_t *at, uint8_t type, const void *data, size_t len)
{
	at[0] = type;
	at[1] = (uint8_t)len;
	memcpy(at + 2, data, len);
	return at + 2 + len;
}

/* What nft shows: in which byte order numbers are, and the comment */
static void put_userdata(struct nft_put *p, const struct nft_set *s)
{
	enum { MIXED, HOST, BIG };
	const uint32_t order[] = {
		s->n_keys > 1 ? MIXED : nft_types[s->keys[0]].is_host ? HOST : BIG,
		s->n_datas > 1 ? MIXED : nft_types[s->datas[0]].is_host ? HOST : BIG,
	};
	uint8_t data[64 + LIMIT_COMMENT_BYTES], *at = data;

	at = put_note(at, NFTNL_UDATA_SET_KEYBYTEORDER, &order[0], sizeof(order[0]));
	if (s->n_datas > 0)
		at = put_note(at, NFTNL_UDATA_SET_DATABYTEORDER, &order[1], sizeof(order[1]));
	if (s->comment != NULL)
		at = put_note(at, NFTNL_UDATA_SET_COMMENT, s->comment, strlen(s->comment) + 1);
	nft_put(p, NFTA_SET_USERDATA, data, (size_t)(at - data));
}

/* How many, and of ranges of concatenations each field, as they are kept by those */
static void put_desc(struct nft_put *p, const struct nft_set *s, bool is_concat)
{
	nft_put_open(p, NFTA_SET_DESC);
	if (s->size != 0)
		nft_put_u32(p, NFTA_SET_DESC_SIZE, s->size);
	if (is_concat) {
		nft_put_open(p, NFTA_SET_DESC_CONCAT);
		for (uint8_t i = 0; i < s->n_keys; i++) {
			nft_put_open(p, NFTA_LIST_ELEM);
			nft_put_u32(p, NFTA_SET_FIELD_LEN, nft_types[s->keys[i]].len);
			nft_put_close(p);
		}
		nft_put_close(p);
	}
	nft_put_close(p);
}

static void put_set(struct nft_put *p, const struct nft_set *s)
{
	const struct nft_set_text t = nft_set_props(s);

	nft_put_u32(p, NFTA_SET_FLAGS, t.flags);
	nft_put_u32(p, NFTA_SET_KEY_TYPE, t.key_type);
	nft_put_u32(p, NFTA_SET_KEY_LEN, t.key_len);
	if ((t.flags & NFT_SET_MAP) != 0) {
		nft_put_u32(p, NFTA_SET_DATA_TYPE, t.data_type);
		nft_put_u32(p, NFTA_SET_DATA_LEN, t.data_len);
	}
	if (s->size != 0 || (t.flags & NFT_SET_CONCAT) != 0)
		put_desc(p, s, (t.flags & NFT_SET_CONCAT) != 0);
	if (s->timeout_ms != 0)
		nft_put_u64(p, NFTA_SET_TIMEOUT, s->timeout_ms);
	put_userdata(p, s);
	if (s->is_counted) {
		nft_put_expr_in(p, NFTA_SET_EXPR, "counter");
		nft_put_close(p);
		nft_put_close(p);
	}
}

static void add_set(struct fill *f, const struct nft_set *s)
{
	struct nlmsghdr *msg = add(f, NFT_MSG_NEWSET, NLM_F_CREATE, nft_family_number(s->family),
				   job("set", s->name));
	struct nft_put p;

	if (msg == NULL)
		return;
	p = nft_put_to(msg);
	nft_put_str(&p, NFTA_SET_TABLE, NFT_TABLE);
	nft_put_str(&p, NFTA_SET_NAME, s->name);
	nft_put_u32(&p, NFTA_SET_ID, ++f->set_id);
	put_set(&p, s);
	nft_put_done(&p, msg);
}

/* The list of elements that is being filled */
struct elem_list {
	struct fill *f;
	const struct nft_set *s;
	uint8_t type;		/* NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM */
	struct nlmsghdr *msg;
	struct nft_put put;	/* into @msg */
	const uint8_t *full;	/* where it takes no more */
};

static void close_list(struct elem_list *l)
{
	if (l->msg == NULL)
		return;
	nft_put_close(&l->put);
	nft_put_done(&l->put, l->msg);
	l->msg = NULL;
}

static void open_list(struct elem_list *l, uint32_t origin)
{
	close_list(l);
	l->msg = add(l->f, l->type, l->type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0,
		     nft_family_number(l->s->family),
		     (struct nft_job){ "an element", NULL, origin });
	if (l->msg == NULL)
		return;
	l->put = nft_put_to(l->msg);
	nft_put_str(&l->put, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	nft_put_str(&l->put, NFTA_SET_ELEM_LIST_SET, l->s->name);
	nft_put_open(&l->put, NFTA_SET_ELEM_LIST_ELEMENTS);
	l->full = l->put.at + ELEMS_BYTES;
}

static void add_elem(const struct nft_elem_bytes *e, uint32_t origin, void *arg)
{
	struct elem_list *l = arg;

	if (l->msg == NULL || l->put.at > l->full)
		open_list(l, origin);
	if (l->msg != NULL)
		nft_put_elem(&l->put, e);
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
					   nft_family_number(c->family),
					   (struct nft_job){ c->name, NULL,
							     c->rules.v[i].origin });
		struct nft_put p;

		if (msg == NULL)
			return;
		p = nft_put_to(msg);
		p.packets = c->rules.v[i].packets;
		p.bytes = c->rules.v[i].bytes;
		if (d->before != 0)
			nft_put_u64(&p, NFTA_RULE_POSITION, d->before);
		nft_put_rule(&p, c->name, &c->rules.v[i]);
		nft_put_done(&p, msg);
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
