/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The program is taken as the messages that would be sent, or as the kernel's
 * answers; a list belongs together with the others when the generation is the same
 * before and after.
 */
#include "prove/prove.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "nl/batch.h"
#include "nl/nft.h"
#include "prove/stages.h"

#define READ_TRIES	8u

int prove_program(const struct model *m, const struct nft_program *p, uint32_t max_nodes,
		  struct arena *a, struct prove_result *ret)
{
	struct nl_batch b CLEANUP(nl_batch_fini);
	struct prog prog = { .a = a };
	const void *bytes;
	size_t len;
	int err;

	nl_batch_init(&b);
	err = nft_program_messages(p, &b);
	if (err < 0)
		return err;
	bytes = nl_batch_bytes(&b, &len);
	prog_take_all(&prog, bytes, len);
	return prove_prog(m, &prog, nft_program_marks(p), max_nodes, a, ret);
}

/* A dump under way: of the tables of one family, or of one set */
struct reading {
	struct prog *p;
	uint8_t family;
	const char *set;
	uint32_t n_chains;	/* before this dump */
	uint32_t n_sets;
};

/* The list starts again: forget what it has given */
static void restart(struct reading *r)
{
	r->p->chains.n = r->n_chains;
	r->p->sets.n = r->n_sets;
}

static int take(const struct nlmsghdr *msg, void *arg)
{
	struct reading *r = arg;

	if (msg == NULL)
		restart(r);
	else
		prog_take(r->p, msg);
	return 0;
}

static int take_rule(const struct nlmsghdr *msg, void *arg)
{
	struct reading *r = arg;

	for (uint32_t i = 0; msg == NULL && i < r->p->chains.n; i++)
		if (r->p->chains.v[i].family == r->family)
			r->p->chains.v[i].rules.n = 0;
	if (msg != NULL)
		prog_take(r->p, msg);
	return 0;
}

static int take_elem(const struct nlmsghdr *msg, void *arg)
{
	struct reading *r = arg;
	struct prog_set *s = prog_set_of(r->p, r->family, r->set);

	if (msg == NULL && s != NULL)
		s->elems.n = 0;
	if (msg != NULL)
		prog_take(r->p, msg);
	return 0;
}

static int read_elems(struct nl_session *nl, struct reading *r)
{
	int err = 0;

	for (uint32_t i = r->n_sets; i < r->p->sets.n && err == 0; i++) {
		const struct nl_nft_query q = {
			.kind = NL_NFT_ELEMS, .family = r->family, .table = NFT_TABLE,
			.set = r->p->sets.v[i].name,
		};

		r->set = q.set;
		if ((r->p->sets.v[i].flags & NFT_SET_EVAL) == 0)
			err = nl_nft_dump(nl, &q, take_elem, r);
	}
	return err;
}

static int read_family(struct nl_session *nl, struct prog *p, uint8_t family)
{
	static const struct {
		enum nl_nft_kind kind;
		nl_each_fn *take;
	} lists[] = {
		{ NL_NFT_TABLES, take }, { NL_NFT_CHAINS, take }, { NL_NFT_RULES, take_rule },
		{ NL_NFT_SETS, take },
	};
	struct reading r = { .p = p, .family = family };
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists) && err == 0; i++) {
		const struct nl_nft_query q = {
			.kind = lists[i].kind, .family = family, .table = NFT_TABLE,
		};

		r.n_chains = p->chains.n;
		r.n_sets = p->sets.n;
		err = nl_nft_dump(nl, &q, lists[i].take, &r);
	}
	return err < 0 ? err : read_elems(nl, &r);
}

static int read_all(struct nl_session *nl, struct prog *p)
{
	static const uint8_t families[] = { NFPROTO_INET, NFPROTO_ARP, NFPROTO_BRIDGE,
					    NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_NETDEV };
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(families) && err == 0; i++)
		err = read_family(nl, p, families[i]);
	return err;
}

int prove_kernel(struct nl_session *nl, const struct model *m, const struct nft_program *p,
		 struct arena *a, struct prove_result *ret)
{
	for (uint32_t i = 0; i < READ_TRIES; i++) {
		struct prog prog = { .a = a };
		uint32_t before = 0, after = 0;
		int err = nl_genid(nl, &before);

		if (err == 0)
			err = read_all(nl, &prog);
		if (err == 0)
			err = nl_genid(nl, &after);
		/* A set that went between two lists is a change like any other */
		if (err == -ENOENT || (err == 0 && before != after))
			continue;
		return err < 0 ? err : prove_prog(m, &prog, nft_program_marks(p),
						  PROVE_MAX_NODES, a, ret);
	}
	return -EBUSY;
}
