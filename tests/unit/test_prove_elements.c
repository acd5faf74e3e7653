/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A batch as the generator makes it is right, and with any bit of it changed it is
 * not, but where nothing depends on it: comments, and what the kernel does not read.
 */
#include "unit.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "nl/batch.h"
#include "prove/elements.h"

#define MOST_ELEMS	16u

static const char *const maps[2] = { "forwards_4", "forwards_6" };

/* tcp+udp 8000-8001:9000-9001,80 of one IPv4 and one IPv6 address */
struct forward_case {
	struct decl_ports ports[2];
	struct decl_forward f;
	struct addr outside[2];
	struct nft_forward v[MOST_ELEMS];
	struct prove_elements want;
};

static void forward_case_init(struct forward_case *c, bool is_add)
{
	uint32_t n = 0;

	*c = (struct forward_case){
		.ports = { { .ext_lo = 8000, .ext_hi = 8001, .int_lo = 9000, .int_hi = 9001 },
			   { .ext_lo = 80, .ext_hi = 80, .int_lo = 80, .int_hi = 80 } },
		.outside = { addr_v4(203, 0, 113, 2), { AF_V6, (u128)0x20010db8 << 96 | 2 } },
	};
	c->f = (struct decl_forward){ .protos = DECL_TCP | DECL_UDP };
	c->f.ports.v = c->ports;
	c->f.ports.n = 2;
	c->want = (struct prove_elements){
		.f = &c->f, .is_add = is_add, .maps = { maps[0], maps[1] },
		.outside = c->outside, .n_outside = 2,
		.inside = { addr_v4(10, 0, 0, 2), { AF_V6, (u128)0xfd00 << 112 | 2 } },
	};
	for (uint32_t a = 0; a < 2; a++)
		for (uint32_t p = 0; p < 2; p++)
			for (uint16_t port = 0; port < 3; port++)
				c->v[n++] = (struct nft_forward){
					.proto = p == 0 ? PROTO_TCP : PROTO_UDP,
					.outside = c->outside[a], .inside = c->want.inside[a],
					.port = port < 2 ? 8000 + port : 80,
					.to = port < 2 ? 9000 + port : 80, .comment = "c",
				};
	c->want.n = prove_elements_count(&c->f, 2);
	CHECK_INT(c->want.n, n);
}

/* The bytes of its batch with @n elements; until the next call */
static uint8_t *bytes_of(const struct forward_case *c, uint32_t n, size_t *ret_len)
{
	struct nl_batch b CLEANUP(nl_batch_fini);
	_Alignas(struct nlmsghdr) static uint8_t copy[8192];
	const void *bytes;

	nl_batch_init(&b);
	BUG_IF(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 1) < 0);
	for (uint32_t i = 0; i < n; i++) {
		struct nlmsghdr *msg;

		BUG_IF(nl_batch_add(&b, NFNL_SUBSYS_NFTABLES << 8 |
				    (c->want.is_add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM),
				    0, NFPROTO_INET, i, &msg) < 0);
		nft_forward_put(msg, maps[c->v[i].outside.af == AF_V6], &c->v[i], c->want.is_add);
	}
	bytes = nl_batch_bytes(&b, ret_len);
	BUG_IF(*ret_len > sizeof(copy));
	memcpy(copy, bytes, *ret_len);
	return copy;
}

static bool is_right(const struct forward_case *c, uint32_t n)
{
	size_t len;
	const uint8_t *bytes = bytes_of(c, n, &len);

	return prove_elements(bytes, len, &c->want);
}

TEST(what_is_made_is_right)
{
	struct forward_case c;

	forward_case_init(&c, true);
	CHECK(is_right(&c, c.want.n));
	c.want.written = c.v;
	CHECK(is_right(&c, c.want.n));
	forward_case_init(&c, false);
	CHECK(is_right(&c, c.want.n));
}

TEST(one_missing_or_twice_is_not)
{
	struct forward_case c;

	forward_case_init(&c, true);
	CHECK(!is_right(&c, c.want.n - 1));
	c.v[1] = c.v[0];
	CHECK(!is_right(&c, c.want.n));
	forward_case_init(&c, false);
	CHECK(!is_right(&c, c.want.n - 1));
	c.v[1] = c.v[0];
	CHECK(!is_right(&c, c.want.n));
}

TEST(another_place_or_target_is_not)
{
	for (uint32_t i = 0; i < 7; i++) {
		struct forward_case c;

		forward_case_init(&c, true);
		switch (i) {
		case 0: c.v[3].port++; break;
		case 1: c.v[3].to++; break;
		case 2: c.v[3].outside.v++; break;
		case 3: c.v[3].inside.v++; break;
		case 4: c.v[3].proto = 132; break;
		case 5: c.want.maps[0] = "other"; break;
		default: c.want.maps[1] = NULL; break;
		}
		CHECK(!is_right(&c, c.want.n));
	}
}

TEST(it_leads_where_it_was_written_down)
{
	struct nft_forward written[MOST_ELEMS];
	struct forward_case c;

	forward_case_init(&c, true);
	memcpy(written, c.v, sizeof(written));
	c.want.written = written;
	written[2].to++;
	CHECK(!is_right(&c, c.want.n));
	c.v[2].to++;
	CHECK(is_right(&c, c.want.n));
	written[2].inside.v++;
	c.v[2].inside.v++;
	CHECK(!is_right(&c, c.want.n));
}

/* Flip each bit of @len bytes: none may go unnoticed */
static void flip(const struct forward_case *c, uint8_t *bytes, size_t all, uint8_t *from,
		 size_t len)
{
	for (size_t i = 0; i < 8 * len; i++) {
		from[i / 8] ^= (uint8_t)(1u << i % 8);
		if (!CHECK(!prove_elements(bytes, all, &c->want)))
			printf("# byte %td, bit %zu\n", from + i / 8 - bytes, i % 8);
		from[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

/* The bytes of a place: protocol, address and port, each in whole words */
static size_t place_bytes(uint8_t *to, const struct nft_forward *f)
{
	const size_t len = addr_bits(f->outside.af) / 8;

	memset(to, 0, len + 8);
	to[0] = f->proto;
	addr_to_bytes(f->outside, to + 4);
	to[len + 4] = (uint8_t)(f->port >> 8);
	to[len + 5] = (uint8_t)f->port;
	return len + 8;
}

static size_t target_bytes(uint8_t *to, const struct nft_forward *f)
{
	const size_t len = addr_bits(f->inside.af) / 8;

	memset(to, 0, len + 4);
	addr_to_bytes(f->inside, to);
	to[len] = (uint8_t)(f->to >> 8);
	to[len + 1] = (uint8_t)f->to;
	return len + 4;
}

TEST(no_changed_bit_goes_unnoticed)
{
	for (int add = 0; add < 2; add++) {
		struct forward_case c;
		uint32_t n_found = 0;
		uint8_t text[32], *bytes;
		size_t len;

		forward_case_init(&c, add == 1);
		bytes = bytes_of(&c, c.want.n, &len);
		for (uint32_t i = 0; i < c.want.n; i++) {
			size_t n = place_bytes(text, &c.v[i]);
			uint8_t *at = memmem(bytes, len, text, n);

			if (CHECK(at != NULL))
				flip(&c, bytes, len, at, n);
			n = target_bytes(text, &c.v[i]);
			at = memmem(bytes, len, text, n);
			n_found += at != NULL;
			if (at != NULL)
				flip(&c, bytes, len, at, n);
		}
		for (int i = 0; i < 2; i++)
			flip(&c, bytes, len, memmem(bytes, len, maps[i], strlen(maps[i])),
			     strlen(maps[i]) + 1);
		flip(&c, bytes, len, memmem(bytes, len, NFT_TABLE, sizeof(NFT_TABLE)),
		     sizeof(NFT_TABLE));
		CHECK_INT(n_found, add == 1 ? c.want.n : 0);
	}
}

TEST(what_else_is_in_it_is_refused)
{
	struct forward_case c;
	struct nlmsghdr *msg;
	struct nfgenmsg *g;
	uint8_t *bytes;
	size_t len;
	int left;

	forward_case_init(&c, true);
	bytes = bytes_of(&c, c.want.n, &len);
	left = (int)len;
	msg = mnl_nlmsg_next((struct nlmsghdr *)bytes, &left);
	g = mnl_nlmsg_get_payload(msg);
	g->nfgen_family = NFPROTO_IPV4;
	CHECK(!prove_elements(bytes, len, &c.want));
	g->nfgen_family = NFPROTO_INET;
	CHECK(prove_elements(bytes, len, &c.want));
	msg->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELSETELEM;
	CHECK(!prove_elements(bytes, len, &c.want));
	msg->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELSET;
	CHECK(!prove_elements(bytes, len, &c.want));
}
