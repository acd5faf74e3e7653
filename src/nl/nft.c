/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Kernels differ in which lists they filter by table, so we ask for it and
 * filter again.  The name of the table is attribute 1 of every object, which
 * makes one filter enough for all.
 */
#include "nl/nft.h"

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#define REQUEST_BYTES	1024u

_Static_assert(NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 &&
	       NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1,
	       "one filter fits all only while these agree");

static const uint8_t get_type[] = {
	[NL_NFT_TABLES] = NFT_MSG_GETTABLE,
	[NL_NFT_CHAINS] = NFT_MSG_GETCHAIN,
	[NL_NFT_RULES] = NFT_MSG_GETRULE,
	[NL_NFT_SETS] = NFT_MSG_GETSET,
	[NL_NFT_ELEMS] = NFT_MSG_GETSETELEM,
};

static struct nlmsghdr *put_request(void *buf, uint8_t type, uint8_t family)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(msg, sizeof(*g));

	msg->nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | type;
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = 0;
	return msg;
}

static int take_genid(const struct nlmsghdr *msg, void *arg)
{
	const struct nlattr *attr;
	uint32_t *ret = arg;

	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			*ret = ntohl(mnl_attr_get_u32(attr));
	return 0;
}

int nl_genid(struct nl_session *s, uint32_t *ret)
{
	_Alignas(struct nlmsghdr) uint8_t buf[REQUEST_BYTES];
	uint32_t genid = 0;
	const int err = nl_talk(s, put_request(buf, NFT_MSG_GETGEN, NFPROTO_UNSPEC), take_genid,
				&genid);

	if (err < 0)
		return err;
	if (genid == 0)
		return -EBADMSG;
	*ret = genid;
	return 0;
}

/**
 * struct filter - Passes on what belongs to one table
 * @table:	Its name, or NULL for all
 * @each:	The caller's
 * @arg:	The caller's
 */
struct filter {
	const char *table;
	nl_each_fn *each;
	void *arg;
};

static bool is_wanted(const struct filter *f, const struct nlmsghdr *msg)
{
	const struct nlattr *attr;

	if (f->table == NULL)
		return true;
	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == 1 &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			return strcmp(mnl_attr_get_str(attr), f->table) == 0;
	return false;
}

static int take_object(const struct nlmsghdr *msg, void *arg)
{
	const struct filter *f = arg;

	return msg == NULL || is_wanted(f, msg) ? f->each(msg, f->arg) : 0;
}

uint64_t nl_nft_rule_handle(const struct nlmsghdr *msg, const char *chain)
{
	const struct nlattr *attr;
	bool is_of_chain = false;
	uint64_t handle = 0;

	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == NFTA_RULE_CHAIN &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			is_of_chain = strcmp(mnl_attr_get_str(attr), chain) == 0;
		if (mnl_attr_get_type(attr) == NFTA_RULE_HANDLE &&
		    mnl_attr_validate(attr, MNL_TYPE_U64) >= 0)
			handle = be64toh(mnl_attr_get_u64(attr));
	}
	return is_of_chain ? handle : 0;
}

int nl_nft_dump(struct nl_session *s, const struct nl_nft_query *q, nl_each_fn *each, void *arg)
{
	_Alignas(struct nlmsghdr) uint8_t buf[REQUEST_BYTES];
	struct nlmsghdr *msg = put_request(buf, get_type[q->kind], q->family);
	struct filter f = { q->table, each, arg };
	const bool is_elems = q->kind == NL_NFT_ELEMS;
	int err;

	BUG_IF(is_elems != (q->set != NULL) || (is_elems && q->table == NULL));
	if (q->table != NULL && (is_elems || q->kind == NL_NFT_RULES || q->kind == NL_NFT_SETS) &&
	    !mnl_attr_put_strz_check(msg, sizeof(buf), 1, q->table))
		return -ENAMETOOLONG;
	if (is_elems &&
	    !mnl_attr_put_strz_check(msg, sizeof(buf), NFTA_SET_ELEM_LIST_SET, q->set))
		return -ENAMETOOLONG;
	if (q->chain != NULL &&
	    !mnl_attr_put_strz_check(msg, sizeof(buf), NFTA_RULE_CHAIN, q->chain))
		return -ENAMETOOLONG;
	err = nl_dump(s, msg, take_object, &f);
	return err == -ENOENT && !is_elems ? 0 : err;
}
