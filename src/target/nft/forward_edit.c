/* SPDX-License-Identifier: BSD-2-Clause */
#include "target/nft_forward.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "base/limits.h"
#include "nl/batch.h"
#include "target/nft/kernel.h"
#include "target/nft/put.h"

#define COMMENT_TYPE	0u	/* NFTNL_UDATA_SET_ELEM_COMMENT */
#define REQUEST_BYTES	1024u	/* more than a message of one element has */

bool nft_forward_maps(const struct nft_program *p, struct nft_forward_map ret[2])
{
	ret[0] = ret[1] = (struct nft_forward_map){ .name = NULL };
	for (uint32_t i = 0; i < p->sets.n; i++) {
		const struct nft_set *s = p->sets.v[i];
		struct nft_forward_map *to = &ret[s->forwards_af == AF_V6];

		if (s->forwards == NULL)
			continue;
		if (to->name != NULL || s->forwards_dst != NULL)
			return false;
		*to = (struct nft_forward_map){ s->name, nft_set_count(s) };
	}
	return true;
}

bool nft_forward_fits(uint32_t n, uint32_t more)
{
	return n > 0 && nft_forwards_size(n) == nft_forwards_size(n + more);
}

const char *nft_forward_comment(struct arena *a, const char *name, uint32_t line, const char *text)
{
	const struct origin o = { .text = arena_printf(a, "%s:%u %s", name, line, text) };
	struct nft_comment_text c = { .src = 0 };
	const size_t len = nft_comment_write(NULL, &o, &c);

	return arena_strndup(a, c.s, len);
}

void nft_forward_put(struct nlmsghdr *msg, const char *map, const struct nft_forward *f,
		     bool whole)
{
	uint8_t key[NFT_CONCAT_BYTES] = { 0 }, data[20] = { 0 };
	struct nft_elem_bytes e = { .key = key };
	struct nft_put p = nft_put_to(msg);

	e.key_len = nft_forward_key(key, f->proto, f->outside, f->port);
	if (whole) {
		e.data = data;
		e.data_len = nft_forward_data(data, f->inside, f->to);
		e.comment = f->comment;
	}
	nft_put_str(&p, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	nft_put_str(&p, NFTA_SET_ELEM_LIST_SET, map);
	nft_put_open(&p, NFTA_SET_ELEM_LIST_ELEMENTS);
	nft_put_elem(&p, &e);
	nft_put_close(&p);
	nft_put_done(&p, msg);
}

/* Ask for a place's element */
static int ask(struct nl_session *nl, const char *map, const struct nft_forward *f,
	       nl_each_fn *each, void *arg)
{
	_Alignas(struct nlmsghdr) uint8_t buf[REQUEST_BYTES];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(msg, sizeof(*g));

	msg->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM;
	g->nfgen_family = NFPROTO_INET;
	g->version = NFNETLINK_V0;
	nft_forward_put(msg, map, f, false);
	return nl_talk(nl, msg, each, arg);
}

int nft_forward_find(struct nl_session *nl, const char *map, const struct nft_forward *f)
{
	return ask(nl, map, f, NULL, NULL);
}

/* An answer that is read */
struct elem_answer {
	struct nft_forward *f;
	char comment[LIMIT_COMMENT_BYTES + 1];
	bool has_data;
};

static const struct nlattr *find_attr(const struct nlattr *in, uint16_t type)
{
	const struct nlattr *at;

	mnl_attr_for_each_nested(at, in)
		if (mnl_attr_get_type(at) == type)
			return at;
	return NULL;
}

static void read_comment(const struct nlattr *at, struct elem_answer *x)
{
	const uint8_t *note = mnl_attr_get_payload(at);
	const uint32_t len = mnl_attr_get_payload_len(at);

	if (len < 3 || note[0] != COMMENT_TYPE || note[1] + 2u != len ||
	    note[1] > sizeof(x->comment) || note[len - 1] != '\0')
		return;
	memcpy(x->comment, note + 2, note[1]);
}

/* Packets that the element's counter has seen, not 0 where it has none */
static uint64_t counted(const struct nlattr *elem)
{
	const struct nlattr *at = find_attr(elem, NFTA_SET_ELEM_EXPR);

	at = at != NULL ? find_attr(at, NFTA_EXPR_DATA) : NULL;
	at = at != NULL ? find_attr(at, NFTA_COUNTER_PACKETS) : NULL;
	return at != NULL && mnl_attr_get_payload_len(at) == sizeof(uint64_t) ?
		mnl_attr_get_u64(at) : 1;
}

static int read_elem(const struct nlmsghdr *msg, void *arg)
{
	struct elem_answer *x = arg;
	const uint32_t addr_len = addr_bits(x->f->outside.af) / 8;
	const struct nlattr *at, *elem = NULL;
	const uint8_t *data;

	if (msg == NULL)
		return 0;
	mnl_attr_for_each(at, msg, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(at) == NFTA_SET_ELEM_LIST_ELEMENTS)
			elem = find_attr(at, NFTA_LIST_ELEM);
	if (elem == NULL)
		return 0;
	at = find_attr(elem, NFTA_SET_ELEM_USERDATA);
	if (at != NULL)
		read_comment(at, x);
	x->f->is_used = counted(elem) != 0;
	at = find_attr(elem, NFTA_SET_ELEM_DATA);
	at = at != NULL ? find_attr(at, NFTA_DATA_VALUE) : NULL;
	if (at == NULL || mnl_attr_get_payload_len(at) < addr_len + 2)
		return 0;
	data = mnl_attr_get_payload(at);
	x->f->inside = addr_from_bytes(x->f->outside.af, data);
	x->f->to = (uint16_t)(data[addr_len] << 8 | data[addr_len + 1]);
	x->has_data = true;
	return 0;
}

int nft_forward_get(struct nl_session *nl, const char *map, struct arena *a,
		    struct nft_forward *f)
{
	struct nft_forward got = *f;
	struct elem_answer x = { .f = &got };
	const int err = ask(nl, map, f, read_elem, &x);

	if (err < 0)
		return err;
	if (!x.has_data)
		return -EBADMSG;
	got.comment = arena_strndup(a, x.comment, strlen(x.comment));
	*f = got;
	return 0;
}

/* One transaction with a message an element */
static int change(struct nl_session *nl, uint32_t genid, bool is_add,
		  const struct nft_forward_map maps[2], const struct nft_forward *v, uint32_t n,
		  const struct nft_check *check)
{
	const uint16_t type = is_add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM;
	/* To map and unmap a batch's own memory would be a third of it all */
	_Alignas(struct nlmsghdr) uint8_t buf[4 * REQUEST_BYTES];
	struct nl_batch b CLEANUP(nl_batch_fini);
	struct nl_batch_result result;
	const void *bytes;
	size_t len;
	int err;

	nl_batch_init_in(&b, buf, sizeof(buf), REQUEST_BYTES);
	err = nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, genid);
	for (uint32_t i = 0; i < n && err == 0; i++) {
		struct nlmsghdr *msg = NULL;

		err = nl_batch_add(&b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
				   is_add ? NLM_F_CREATE | NLM_F_EXCL : 0, NFPROTO_INET, i, &msg);
		if (err == 0)
			nft_forward_put(msg, maps[v[i].outside.af == AF_V6].name, &v[i], is_add);
	}
	bytes = err < 0 ? NULL : nl_batch_bytes(&b, &len);
	if (err == 0 && check != NULL && !check->is_right(check->arg, bytes, len))
		err = -EBADMSG;
	return err < 0 ? err : nl_batch_send(&b, nl, &result);
}

int nft_forward_add(struct nl_session *nl, uint32_t genid, const struct nft_forward_map maps[2],
		    const struct nft_forward *v, uint32_t n, const struct nft_check *check)
{
	return change(nl, genid, true, maps, v, n, check);
}

int nft_forward_del(struct nl_session *nl, uint32_t genid, const struct nft_forward_map maps[2],
		    const struct nft_forward *v, uint32_t n, const struct nft_check *check)
{
	return change(nl, genid, false, maps, v, n, check);
}
