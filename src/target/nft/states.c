/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A set of states says in its comment which rule, protocol and family it is of
 * (free_state.c); its elements are the flows.
 */
#include "target/nft.h"

#include <libnftnl/set.h>
#include <string.h>

#include "nl/nft.h"
#include "target/nft/kernel.h"

#define WORK_BYTES	((size_t)1 << 30)
#define NO_PORTS	(-1)

/* A set that is being read */
struct reading {
	struct arena *a;
	struct nft_states *ret;
	const char *text;
	int proto;		/* NO_PORTS: stands in the elements */
	uint8_t af;
};

static uint16_t port_at(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static int take_elem(struct nftnl_set_elem *e, void *arg)
{
	struct reading *r = arg;
	const size_t addr_len = addr_bits(r->af) / 8, ports = r->proto == NO_PORTS ? 0 : 8;
	struct nft_state st = { .text = r->text, .af = r->af };
	uint32_t len;
	const uint8_t *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);

	if (key == NULL || len != 2 * addr_len + (ports > 0 ? ports : 4))
		return 0;
	st.proto = ports > 0 ? (uint8_t)r->proto : key[0];
	if (ports == 0)
		key += 4;
	st.src = addr_from_bytes(r->af, key);
	st.dst = addr_from_bytes(r->af, key + addr_len);
	if (ports > 0) {
		st.sport = port_at(key + 2 * addr_len);
		st.dport = port_at(key + 2 * addr_len + 4);
	}
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_EXPIRATION))
		st.expires_ms = nftnl_set_elem_get_u64(e, NFTNL_SET_ELEM_EXPIRATION);
	vec_add(r->a, &r->ret->list, st);
	return 0;
}

/* "PROTOCOL FAMILY RULE" */
static bool read_comment(struct reading *r, const char *comment)
{
	int n = 0, family = 0;

	if (comment == NULL || sscanf(comment, "%d %d %n", &r->proto, &family, &n) != 2 || n == 0)
		return false;
	r->af = family == 6 ? AF_V6 : AF_V4;
	r->text = arena_strndup(r->a, comment + n, strlen(comment + n));
	return true;
}

int nft_states_read(struct nl_session *nl, struct arena *a, struct nft_states *ret)
{
	struct arena work CLEANUP(arena_fini);
	struct nft_lines have = { .a = &work };
	uint32_t genid;
	int err;

	arena_init(&work, WORK_BYTES);
	err = nft_lines_read(nl, &have, &genid);
	ret->list.n = 0;
	for (uint32_t i = 0; i < have.list.n && err == 0; i++) {
		const struct nft_line *l = &have.list.v[i];
		const struct nl_nft_query q = { .kind = NL_NFT_ELEMS, .family = l->family,
						.table = NFT_TABLE, .set = l->name };
		struct reading r = { .a = a, .ret = ret };

		if (l->kind != NFT_O_SET || strncmp(l->name, "states_", 7) != 0 ||
		    !read_comment(&r, l->comment))
			continue;
		err = nft_elems_read(nl, &q, &ret->list.n, take_elem, &r);
		if (err == -ENOENT)	/* went since the list was read */
			err = 0;
	}
	return err;
}
