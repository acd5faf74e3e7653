/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Every message and every attribute must be one that is expected: what is not known
 * could change anything, so it is refused.
 */
#include "prove/elements.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#define MOST	64u	/* elements of one forward */
#define MOST_DATA	24u	/* bytes of a key: protocol, address, port, in words */

/* Bytes of an element */
struct element {
	const uint8_t *key;
	const uint8_t *data;
	uint32_t key_len;
	uint32_t data_len;
};

/* A batch being read */
struct reading {
	const struct prove_elements *want;
	uint8_t seen[MOST][MOST_DATA];
	uint32_t n;
};

uint32_t prove_elements_count(const struct decl_forward *f, uint32_t n_outside)
{
	const uint32_t protos = ((f->protos & DECL_TCP) != 0) + ((f->protos & DECL_UDP) != 0);
	uint32_t ports = 0;

	for (uint32_t i = 0; i < f->ports.n; i++)
		ports += f->ports.v[i].ext_hi - f->ports.v[i].ext_lo + 1u;
	return protos * ports * n_outside;
}

/* ---- what an element says --------------------------------------------------------------- */

static uint16_t port_at(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static bool is_padding(const uint8_t *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (b[i] != 0)
			return false;
	return true;
}

static bool has_proto(const struct decl_forward *f, uint8_t proto)
{
	return (proto == PROTO_TCP && (f->protos & DECL_TCP) != 0) ||
	       (proto == PROTO_UDP && (f->protos & DECL_UDP) != 0);
}

static bool is_outside(const struct prove_elements *w, struct addr a)
{
	for (uint32_t i = 0; i < w->n_outside; i++)
		if (addr_equal(w->outside[i], a))
			return true;
	return false;
}

static const struct decl_ports *ports_of(const struct decl_forward *f, uint16_t port)
{
	for (uint32_t i = 0; i < f->ports.n; i++)
		if (port >= f->ports.v[i].ext_lo && port <= f->ports.v[i].ext_hi)
			return &f->ports.v[i];
	return NULL;
}

/* The inside port that one was written down with; 0: none was */
static uint16_t written_port(const struct prove_elements *w, uint8_t proto, struct addr outside,
			     uint16_t port)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (w->written[i].proto == proto && w->written[i].port == port &&
		    addr_equal(w->written[i].outside, outside) &&
		    addr_equal(w->written[i].inside, w->inside[outside.af == AF_V6]))
			return w->written[i].to;
	return 0;
}

static bool is_declared(const struct prove_elements *w, uint8_t af, const struct element *e)
{
	const uint32_t len = addr_bits(af) / 8;
	const struct decl_ports *p;
	struct addr outside;
	uint16_t port, to;

	if (e->key_len != len + 8 || !is_padding(e->key + 1, 3) ||
	    !is_padding(e->key + len + 6, 2))
		return false;
	outside = addr_from_bytes(af, e->key + 4);
	port = port_at(e->key + 4 + len);
	p = ports_of(w->f, port);
	if (p == NULL || !has_proto(w->f, e->key[0]) || !is_outside(w, outside))
		return false;
	if (!w->is_add)
		return e->data == NULL;
	to = p->int_lo == p->int_hi ? p->int_lo : (uint16_t)(p->int_lo + (port - p->ext_lo));
	if (w->written != NULL)
		to = written_port(w, e->key[0], outside, port);
	return to != 0 && e->data != NULL && e->data_len == len + 4 &&
	       is_padding(e->data + len + 2, 2) && port_at(e->data + len) == to &&
	       addr_equal(addr_from_bytes(af, e->data), w->inside[af == AF_V6]);
}

/* ---- messages --------------------------------------------------------------------------- */

static bool read_value(const struct nlattr *at, const uint8_t **ret, uint32_t *ret_len)
{
	const struct nlattr *in = mnl_attr_get_payload(at);

	if (mnl_attr_get_payload_len(at) < MNL_ATTR_HDRLEN ||
	    mnl_attr_get_type(in) != NFTA_DATA_VALUE ||
	    MNL_ALIGN(in->nla_len) != mnl_attr_get_payload_len(at))
		return false;
	*ret = mnl_attr_get_payload(in);
	*ret_len = mnl_attr_get_payload_len(in);
	return true;
}

static bool read_element(struct reading *r, uint8_t af, const struct nlattr *elem)
{
	struct element e = { .key = NULL };
	const struct nlattr *at;

	mnl_attr_for_each_nested(at, elem)
		switch (mnl_attr_get_type(at)) {
		case NFTA_SET_ELEM_KEY:
			if (!read_value(at, &e.key, &e.key_len))
				return false;
			break;
		case NFTA_SET_ELEM_DATA:
			if (!read_value(at, &e.data, &e.data_len))
				return false;
			break;
		case NFTA_SET_ELEM_USERDATA:
			break;
		default:
			return false;
		}
	if (e.key == NULL || r->n == MOST || !is_declared(r->want, af, &e))
		return false;
	for (uint32_t i = 0; i < r->n; i++)
		if (memcmp(r->seen[i], e.key, e.key_len) == 0)
			return false;
	memcpy(r->seen[r->n++], e.key, e.key_len);
	return true;
}

static bool is_map(const struct nlattr *at, const char *name)
{
	return name != NULL && mnl_attr_get_payload_len(at) == strlen(name) + 1 &&
	       memcmp(mnl_attr_get_payload(at), name, strlen(name) + 1) == 0;
}

/* The family of the map that a message is about, AF_NONE: of none */
static uint8_t family_of(const struct reading *r, const struct nlmsghdr *msg)
{
	const struct nlattr *at;
	bool is_ours = false;
	uint8_t af = AF_NONE;

	mnl_attr_for_each(at, msg, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(at) == NFTA_SET_ELEM_LIST_TABLE)
			is_ours = is_map(at, NFT_TABLE);
		if (mnl_attr_get_type(at) == NFTA_SET_ELEM_LIST_SET)
			af = is_map(at, r->want->maps[0]) ? AF_V4
			     : is_map(at, r->want->maps[1]) ? AF_V6 : AF_NONE;
	}
	return is_ours ? af : AF_NONE;
}

static bool read_elements(struct reading *r, const struct nlmsghdr *msg)
{
	const uint8_t af = family_of(r, msg);
	const struct nlattr *at, *elem;

	if (((const struct nfgenmsg *)mnl_nlmsg_get_payload(msg))->nfgen_family != NFPROTO_INET ||
	    af == AF_NONE)
		return false;
	mnl_attr_for_each(at, msg, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(at) == NFTA_SET_ELEM_LIST_TABLE ||
		    mnl_attr_get_type(at) == NFTA_SET_ELEM_LIST_SET)
			continue;
		if (mnl_attr_get_type(at) != NFTA_SET_ELEM_LIST_ELEMENTS)
			return false;
		mnl_attr_for_each_nested(elem, at)
			if (mnl_attr_get_type(elem) != NFTA_LIST_ELEM ||
			    !read_element(r, af, elem))
				return false;
	}
	return true;
}

static bool read_message(struct reading *r, const struct nlmsghdr *msg)
{
	const uint16_t nft = NFNL_SUBSYS_NFTABLES << 8;

	if (msg->nlmsg_type == NFNL_MSG_BATCH_BEGIN || msg->nlmsg_type == NFNL_MSG_BATCH_END)
		return true;
	return mnl_nlmsg_get_payload_len(msg) >= sizeof(struct nfgenmsg) &&
	       msg->nlmsg_type == (nft | (r->want->is_add ? NFT_MSG_NEWSETELEM
							  : NFT_MSG_DELSETELEM)) &&
	       read_elements(r, msg);
}

bool prove_elements(const void *bytes, size_t len, const struct prove_elements *want)
{
	struct reading r = { .want = want };
	const struct nlmsghdr *msg = bytes;
	int left = (int)len;

	for (; mnl_nlmsg_ok(msg, left); msg = mnl_nlmsg_next(msg, &left))
		if (!read_message(&r, msg))
			return false;
	return left == 0 && r.n == want->n;
}
