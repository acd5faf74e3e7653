/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/egress.h"

#include <libnftnl/chain.h>
#include <linux/netfilter.h>
#include <string.h>

#include "nl/nft.h"
#include "target/nft.h"

#define HOOK	1u	/* NF_NETDEV_EGRESS, Linux 5.16 */

struct reader {
	struct arena *a;
	struct egresses *all;
};

static void take_devices(const struct reader *r, const struct nftnl_chain *c)
{
	const char *one = nftnl_chain_get_str(c, NFTNL_CHAIN_DEV);
	const char *const *several = nftnl_chain_get(c, NFTNL_CHAIN_DEVICES);
	const char *chain = arena_printf(r->a, "table netdev %s, chain %s",
					 nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE),
					 nftnl_chain_get_str(c, NFTNL_CHAIN_NAME));

	for (uint32_t i = 0; several != NULL && several[i] != NULL && i < EGRESS_DEVICES; i++)
		vec_add(r->a, &r->all->list, ((struct egress){
			chain, arena_strndup(r->a, several[i], strlen(several[i])) }));
	if (one != NULL && several == NULL)
		vec_add(r->a, &r->all->list, ((struct egress){
			chain, arena_strndup(r->a, one, strlen(one)) }));
}

static int take_chain(const struct nlmsghdr *msg, void *arg)
{
	const struct reader *r = arg;
	struct nftnl_chain *c;

	if (msg == NULL) {
		r->all->list.n = 0;
		return 0;
	}
	c = nftnl_chain_alloc();
	if (c == NULL)
		return -ENOMEM;
	if (nftnl_chain_nlmsg_parse(msg, c) == 0 && nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM) &&
	    nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM) == HOOK &&
	    !nft_is_ours(nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE)))
		take_devices(r, c);
	nftnl_chain_free(c);
	return 0;
}

int egress_read(struct nl_session *s, struct arena *a, struct egresses *ret)
{
	const struct nl_nft_query q = { .kind = NL_NFT_CHAINS, .family = NFPROTO_NETDEV };
	struct reader r = { .a = a, .all = ret };

	*ret = (struct egresses){ .list = { .n = 0 } };
	return nl_nft_dump(s, &q, take_chain, &r);
}

const struct egress *egress_of(const struct egresses *all, const char *device)
{
	for (uint32_t i = 0; i < all->list.n; i++)
		if (strcmp(all->list.v[i].device, device) == 0)
			return &all->list.v[i];
	return NULL;
}
