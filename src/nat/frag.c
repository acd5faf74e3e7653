/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Fragments are kept until their datagram is whole; it is translated as one
 * packet and leaves in fragments again, none longer than the longest that came.
 * Passing them on one by one would need less memory, but could not know that a
 * later one overlaps (RFC 5722), and the first one, which has the ports, need
 * not come first (RFC 4787 REQ-14).
 *
 * Memory is blocks of 512 bytes.  Datagrams hang on a list by the hash of their
 * source, oldest first.  A list has a part of the memory only and a number of
 * datagrams only; when it is at its limit its own oldest goes, so a flood
 * displaces itself and nobody else's (T16 of the threats: 20,000 orphans).  Each
 * side has half at most, of memory and of datagrams, so the outside, which can
 * forge sources, never takes what the inside needs.
 *
 * Lines: 4787-13a 4787-14 4787-14a 815-hole 5722 3022-6.3
 */
#include "nat/core.h"

#define BLOCK_DATA	500u
#define DATAGRAMS	2048u
#define SOURCES		512u	/* lists */
#define SOURCE_MAX	64u	/* datagrams of a list */
#define HEAD_MAX	192u	/* headers before what is in fragments */
#define PIECE_MIN4	576u
#define PIECE_MIN6	1280u

struct block {
	uint32_t next;		/* of the same piece; free: next free one */
	uint32_t next_piece;
	uint16_t off;
	uint16_t len;
	uint8_t data[BLOCK_DATA];
};

struct datagram {
	uint8_t src[16];
	uint8_t dst[16];
	uint32_t id;
	uint8_t proto;
	uint8_t from;
	bool is_v6;
	bool is_dead;		/* all of it is refused until its time is over */
	uint16_t list;
	uint32_t since;
	uint32_t pieces;	/* first block of each, by offset */
	uint32_t n_blocks;
	uint32_t got;		/* bytes */
	uint32_t end;		/* bytes it will have, 0: not known yet */
	uint32_t longest;	/* bytes of the longest fragment, with headers */
	uint16_t head_len;	/* 0: the first one has not come */
	uint16_t frag_at;	/* IPv6: where the fragment header was */
	uint8_t head[HEAD_MAX];
	uint32_t next;
	uint32_t prev;
};

struct source {
	uint32_t first;
	uint32_t last;
	uint32_t n;
	uint32_t n_blocks;
};

struct frags {
	struct source sources[SOURCES];
	struct datagram datagrams[DATAGRAMS];
	uint32_t free_datagram;
	uint32_t n_used[2];		/* datagrams by side */
	uint32_t free_block;
	uint32_t n_blocks;
	uint32_t used[2];		/* blocks by side */
	struct block blocks[];
};

static uint32_t n_blocks_of(const struct nat_config *cfg)
{
	return MAX(cfg->frag_bytes / (uint32_t)sizeof(struct block), 256u);
}

size_t frag_bytes(const struct nat_config *cfg)
{
	return sizeof(struct frags) + (size_t)n_blocks_of(cfg) * sizeof(struct block);
}

void frag_init(struct nat *nat)
{
	struct frags *f = nat->frags;

	f->n_blocks = n_blocks_of(&nat->cfg);
	memset(f->n_used, 0, sizeof(f->n_used));
	f->used[0] = f->used[1] = 0;
	f->free_block = f->free_datagram = 0;
	for (uint32_t i = 0; i < f->n_blocks; i++)
		f->blocks[i].next = i + 1 < f->n_blocks ? i + 1 : NONE;
	for (uint32_t i = 0; i < DATAGRAMS; i++)
		f->datagrams[i].next = i + 1 < DATAGRAMS ? i + 1 : NONE;
	for (uint32_t i = 0; i < SOURCES; i++)
		f->sources[i] = (struct source){ NONE, NONE, 0, 0 };
}

/* ---- memory -------------------------------------------------------------------- */

static void free_pieces(struct frags *f, struct datagram *d)
{
	for (uint32_t piece = d->pieces; piece != NONE;) {
		const uint32_t next_piece = f->blocks[piece].next_piece;

		for (uint32_t b = piece; b != NONE;) {
			const uint32_t next = f->blocks[b].next;

			f->blocks[b].next = f->free_block;
			f->free_block = b;
			b = next;
		}
		piece = next_piece;
	}
	f->sources[d->list].n_blocks -= d->n_blocks;
	f->used[d->from] -= d->n_blocks;
	d->n_blocks = 0;
	d->pieces = NONE;
}

static void datagram_free(struct frags *f, struct datagram *d)
{
	struct source *s = &f->sources[d->list];

	free_pieces(f, d);
	*(d->prev == NONE ? &s->first : &f->datagrams[d->prev].next) = d->next;
	*(d->next == NONE ? &s->last : &f->datagrams[d->next].prev) = d->prev;
	s->n--;
	f->n_used[d->from]--;
	d->next = f->free_datagram;
	f->free_datagram = (uint32_t)(d - f->datagrams);
}

static void datagram_drop(struct nat *nat, struct datagram *d, enum nat_reason why)
{
	if (!d->is_dead)
		nat->n.dropped[why]++;
	datagram_free(nat->frags, d);
}

/* The oldest datagram of a side; NULL: there is none but @keep */
static struct datagram *oldest(struct frags *f, uint8_t side, const struct datagram *keep)
{
	struct datagram *best = NULL;

	for (uint32_t i = 0; i < SOURCES; i++) {
		for (uint32_t at = f->sources[i].first; at != NONE; at = f->datagrams[at].next) {
			struct datagram *d = &f->datagrams[at];

			if (d == keep || d->from != side)
				continue;
			if (best == NULL || (int32_t)(d->since - best->since) < 0)
				best = d;
			break;
		}
	}
	return best;
}

/* Room for @n blocks more of @d's source and side; false: it is alone too much */
static bool make_room(struct nat *nat, const struct datagram *d, uint32_t n)
{
	struct frags *f = nat->frags;
	struct source *s = &f->sources[d->list];
	const uint32_t share = MAX(f->n_blocks / nat->cfg.frag_share, 132u);

	while (s->n_blocks + n > share) {
		struct datagram *first = &f->datagrams[s->first];

		if (first == d)
			first = first->next == NONE ? NULL : &f->datagrams[first->next];
		if (first == NULL)
			return false;
		datagram_drop(nat, first, NAT_R_FRAG_BUDGET);
	}
	while (f->used[d->from] + n > f->n_blocks / 2) {
		struct datagram *old = oldest(f, d->from, d);

		if (old == NULL)
			return false;
		datagram_drop(nat, old, NAT_R_FRAG_BUDGET);
	}
	return true;
}

/* ---- datagrams ------------------------------------------------------------------- */

/* What a fragment says of itself */
struct part {
	struct datagram key;
	const uint8_t *data;
	uint32_t off;
	uint32_t len;
	bool more;
	uint32_t head_len;	/* headers that the datagram has too */
};

static enum nat_reason read_part(const struct nat *nat, const struct view *v, struct part *f)
{
	const size_t alen = v->is_v6 ? 16 : 4;
	const uint8_t *at = v->ip + (v->is_v6 ? 8 : 12), *h = v->ip + v->frag;
	const uint16_t word = v->is_v6 ? get16(h + 2) : get16(v->ip + 6);
	uint64_t a[2] = { 0 };

	memset(f, 0, sizeof(*f));
	f->key.is_v6 = v->is_v6;
	f->key.from = v->from;
	f->key.proto = v->proto;
	f->key.id = v->is_v6 ? get32(h + 4) : get16(v->ip + 4);
	memcpy(f->key.src, at, alen);
	memcpy(f->key.dst, at + alen, alen);
	memcpy(a, f->key.src, 16);
	f->key.list = (uint16_t)(hash_words(nat->cfg.key, a[0] ^ v->from, a[1]) % SOURCES);
	f->off = v->is_v6 ? word & 0xfff8u : (word & 0x1fffu) * 8;
	f->more = v->is_v6 ? (word & 1) != 0 : (word & 0x2000) != 0;
	f->data = v->ip + v->l4;
	f->len = v->len - v->l4;
	f->head_len = v->is_v6 ? v->frag : v->l4;
	if (f->len == 0 || (f->more && f->len % 8 != 0) || f->head_len > HEAD_MAX ||
	    f->head_len + f->off + f->len > UINT16_MAX)
		return NAT_R_FRAGMENT;
	/* One that hides what filters look for (RFC 1858, RFC 3128) */
	if ((f->off == 0 && f->len < nat_protos[v->proto].min_len) ||
	    (f->off > 0 && f->off < 16 && v->proto == PROTO_TCP))
		return NAT_R_FRAGMENT;
	return NAT_R_NONE;
}

static struct datagram *find(struct frags *f, const struct datagram *k)
{
	for (uint32_t i = f->sources[k->list].first; i != NONE; i = f->datagrams[i].next) {
		struct datagram *d = &f->datagrams[i];

		if (d->id == k->id && d->proto == k->proto && d->is_v6 == k->is_v6 &&
		    d->from == k->from && memcmp(d->src, k->src, 16) == 0 &&
		    memcmp(d->dst, k->dst, 16) == 0)
			return d;
	}
	return NULL;
}

static struct datagram *datagram_new(struct nat *nat, const struct datagram *key)
{
	struct frags *f = nat->frags;
	struct source *s = &f->sources[key->list];
	struct datagram *d;
	uint32_t i;

	if (s->n >= SOURCE_MAX)
		datagram_drop(nat, &f->datagrams[s->first], NAT_R_FRAG_BUDGET);
	if (f->n_used[key->from] >= DATAGRAMS / 2)
		datagram_drop(nat, oldest(f, key->from, NULL), NAT_R_FRAG_BUDGET);
	i = f->free_datagram;
	d = &f->datagrams[i];
	f->free_datagram = d->next;
	*d = *key;
	d->since = nat->now;
	d->pieces = NONE;
	d->next = NONE;
	d->prev = s->last;
	*(d->prev == NONE ? &s->first : &f->datagrams[d->prev].next) = i;
	s->last = i;
	s->n++;
	f->n_used[d->from]++;
	return d;
}

static void copy_in(struct frags *f, uint32_t block, const struct part *p)
{
	uint32_t done = 0;

	f->blocks[block].off = (uint16_t)p->off;
	f->blocks[block].len = (uint16_t)p->len;
	for (; block != NONE; block = f->blocks[block].next) {
		const uint32_t n = MIN(p->len - done, BLOCK_DATA);

		memcpy(f->blocks[block].data, p->data + done, n);
		done += n;
	}
}

static void copy_out(const struct frags *f, uint32_t block, uint8_t *to)
{
	uint32_t left = f->blocks[block].len;

	for (; block != NONE; block = f->blocks[block].next) {
		const uint32_t n = MIN(left, BLOCK_DATA);

		memcpy(to, f->blocks[block].data, n);
		to += n;
		left -= n;
	}
}

/* Is it one that has come already, to the byte */
static bool is_copy(const struct frags *f, uint32_t block, const struct part *p)
{
	uint32_t done = 0;

	if (f->blocks[block].off != p->off || f->blocks[block].len != p->len)
		return false;
	for (; block != NONE; block = f->blocks[block].next) {
		const uint32_t n = MIN(p->len - done, BLOCK_DATA);

		if (memcmp(f->blocks[block].data, p->data + done, n) != 0)
			return false;
		done += n;
	}
	return true;
}

enum place { FITS, COPY, OVERLAPS };

/* Where a piece goes among the others */
static enum place find_place(struct frags *f, struct datagram *d, const struct part *p,
			     uint32_t **ret)
{
	uint32_t *link = &d->pieces;

	for (; *link != NONE; link = &f->blocks[*link].next_piece) {
		const struct block *b = &f->blocks[*link];

		if (is_copy(f, *link, p))
			return COPY;
		if (b->off >= p->off + p->len)
			break;
		if ((uint32_t)b->off + b->len > p->off)
			return OVERLAPS;
	}
	*ret = link;
	return FITS;
}

/* Does what a piece says of the end agree with all others */
static bool end_agrees(const struct frags *f, const struct datagram *d, const struct part *p)
{
	const uint32_t end = p->off + p->len;

	if (d->end != 0)
		return p->more ? end < d->end : end == d->end;
	for (uint32_t b = d->pieces; !p->more && b != NONE; b = f->blocks[b].next_piece)
		if ((uint32_t)f->blocks[b].off + f->blocks[b].len > end)
			return false;
	return true;
}

static enum nat_reason add_part(struct nat *nat, struct datagram *d, const struct view *v,
				const struct part *p)
{
	struct frags *f = nat->frags;
	const uint32_t n = (p->len + BLOCK_DATA - 1) / BLOCK_DATA;
	uint32_t *link = NULL, first = NONE;
	const enum place place = find_place(f, d, p, &link);

	if (place == COPY)
		return NAT_R_FRAG_OVERLAP;
	if (place == OVERLAPS || !end_agrees(f, d, p)) {
		free_pieces(f, d);
		d->is_dead = true;
		return place == OVERLAPS ? NAT_R_FRAG_OVERLAP : NAT_R_FRAGMENT;
	}
	if (!make_room(nat, d, n))
		return NAT_R_FRAG_BUDGET;
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t b = f->free_block;

		f->free_block = f->blocks[b].next;
		f->blocks[b].next = first;
		first = b;
	}
	f->used[d->from] += n;
	f->sources[d->list].n_blocks += n;
	d->n_blocks += n;
	copy_in(f, first, p);
	f->blocks[first].next_piece = *link;
	*link = first;
	d->got += p->len;
	d->longest = MAX(d->longest, v->len);
	if (!p->more)
		d->end = p->off + p->len;
	if (p->off == 0) {
		d->head_len = (uint16_t)p->head_len;
		d->frag_at = v->frag;
		memcpy(d->head, v->ip, p->head_len);
	}
	return NAT_R_NONE;
}

/* Which byte of the headers before @end leads to the header there */
static uint32_t leads_to(const uint8_t *ip, uint32_t end)
{
	uint32_t at = 40;

	if (end == 40)
		return 6;
	while (at + (ip[at + 1] + 1u) * 8 < end)
		at += (ip[at + 1] + 1u) * 8;
	return at;
}

/* Put it together in nat->datagram; its length */
static uint32_t assemble(struct nat *nat, const struct datagram *d)
{
	const struct frags *f = nat->frags;
	const uint32_t len = d->head_len + d->end;
	uint8_t *ip = nat->datagram;

	memcpy(ip, d->head, d->head_len);
	for (uint32_t b = d->pieces; b != NONE; b = f->blocks[b].next_piece)
		copy_out(f, b, ip + d->head_len + f->blocks[b].off);
	if (d->is_v6) {
		put16(ip + 4, (uint16_t)(len - 40));
		/* What stood before the fragment header now leads to what was behind it */
		ip[leads_to(ip, d->frag_at)] = d->proto;
		return len;
	}
	put16(ip + 2, (uint16_t)len);
	put16(ip + 6, get16(ip + 6) & 0x4000);
	put16(ip + 10, 0);
	put16(ip + 10, csum_of(ip, d->head_len, 0));
	return len;
}

static void complete(struct nat *nat, struct nat_packet *p, struct datagram *d)
{
	struct nat_packet whole = *p;
	const uint32_t longest = d->longest;

	whole.data = nat->datagram;
	whole.len = assemble(nat, d);
	datagram_free(nat->frags, d);
	nat->in_datagram = true;
	path_packet(nat, &whole);
	nat->in_datagram = false;
	p->flow = whole.flow;
	p->verdict = whole.verdict;
	p->reason = whole.reason;
	p->to = whole.to;
	if (whole.verdict == NAT_ELSEWHERE)
		share_datagram(nat, p, &whole, longest);
	if (whole.verdict != NAT_FORWARD)
		return;
	frag_leave(nat, &whole, longest);
	p->verdict = whole.verdict;
	p->reason = whole.reason;
}

void frag_leave(struct nat *nat, struct nat_packet *p, uint32_t longest)
{
	const uint32_t least = p->data[0] >> 4 == 6 ? PIECE_MIN6 : PIECE_MIN4;

	frag_split(nat, p, MIN(MAX(longest, least), nat->cfg.mtu[p->to]));
}

void frag_take(struct nat *nat, struct nat_packet *p, const struct view *v)
{
	struct part part;
	struct datagram *d;
	enum nat_reason why;

	if (share_fragment(nat, p, v))
		return;
	why = nat->in_datagram ? NAT_R_FRAGMENT : read_part(nat, v, &part);
	if (why != NAT_R_NONE) {
		drop(nat, p, why);
		return;
	}
	d = find(nat->frags, &part.key);
	if (d == NULL)
		d = datagram_new(nat, &part.key);
	why = d->is_dead ? NAT_R_FRAG_OVERLAP : add_part(nat, d, v, &part);
	if (why != NAT_R_NONE) {
		drop(nat, p, why);
		return;
	}
	p->verdict = NAT_KEPT;
	p->reason = NAT_R_NONE;
	if (d->head_len == 0 || d->end == 0 || d->got != d->end)
		return;
	/* The first one's header may be longer than that of the last one, which fitted */
	if (d->head_len + d->end > UINT16_MAX) {
		datagram_free(nat->frags, d);
		drop(nat, p, NAT_R_FRAGMENT);
		return;
	}
	complete(nat, p, d);
}

void frag_expire(struct nat *nat)
{
	struct frags *f = nat->frags;

	if (f->n_used[0] + f->n_used[1] == 0)
		return;
	for (uint32_t i = 0; i < SOURCES; i++)
		while (f->sources[i].first != NONE &&
		       nat->now - f->datagrams[f->sources[i].first].since >=
			       nat->timeout[NAT_T_FRAGMENT])
			datagram_drop(nat, &f->datagrams[f->sources[i].first],
				      NAT_R_FRAG_TIMEOUT);
}

/* ---- apart again -------------------------------------------------------------------- */

/* Options that only the first fragment has become no-ops */
static void keep_copied_options(uint8_t *ip, uint32_t head)
{
	for (uint32_t at = 20; at < head;) {
		const uint32_t n = ip[at] <= 1 || at + 1 >= head ? 1 : MAX(ip[at + 1], 2u);

		if (ip[at] == 0)
			return;
		if ((ip[at] & 0x80) == 0)
			memset(ip + at, 1, MIN(n, head - at));
		at += n;
	}
}

static bool split4(struct nat *nat, const struct nat_packet *p, uint32_t max)
{
	const uint32_t head = (p->data[0] & 15) * 4u, room = (max - head) & ~7u;
	const uint16_t df = get16(p->data + 6) & 0x4000;

	for (uint32_t off = 0; off < p->len - head; off += room) {
		const uint32_t n = MIN(room, p->len - head - off);
		uint8_t *ip = made_new(nat, head + n, p->to);

		if (ip == NULL)
			return false;
		memcpy(ip, p->data, head);
		memcpy(ip + head, p->data + head + off, n);
		if (off > 0)
			keep_copied_options(ip, head);
		put16(ip + 2, (uint16_t)(head + n));
		put16(ip + 6, (uint16_t)(df | (off + n < p->len - head ? 0x2000 : 0) | off / 8));
		put16(ip + 10, 0);
		put16(ip + 10, csum_of(ip, head, 0));
	}
	return true;
}

/* A datagram that came in fragments; no other IPv6 packet is ever split */
static bool split6(struct nat *nat, const struct nat_packet *p, uint32_t max)
{
	/* Options for each router stand before the fragment header */
	const bool hops = p->data[6] == PROTO_HOPOPTS;
	const uint32_t head = hops ? 40 + (p->data[41] + 1u) * 8 : 40, all = p->len - head;
	const uint32_t id = (uint32_t)random_next(&nat->random), lead = hops ? 40 : 6;
	const uint32_t room = (max - head - 8) & ~7u;

	if (head + 16 > max)
		return false;
	for (uint32_t off = 0; off < all; off += room) {
		const uint32_t n = MIN(room, all - off);
		uint8_t *ip = made_new(nat, head + 8 + n, p->to);

		if (ip == NULL)
			return false;
		memcpy(ip, p->data, head);
		put16(ip + 4, (uint16_t)(head - 40 + 8 + n));
		ip[head] = ip[lead];
		ip[lead] = PROTO_FRAGMENT;
		ip[head + 1] = 0;
		put16(ip + head + 2, (uint16_t)(off | (off + n < all)));
		put32(ip + head + 4, id);
		memcpy(ip + head + 8, p->data + head + off, n);
	}
	return true;
}

void frag_split(struct nat *nat, struct nat_packet *p, uint32_t max)
{
	const uint32_t n_made = nat->n_made, used = nat->made_used;
	const bool is_v6 = p->data[0] >> 4 == 6;

	p->verdict = NAT_KEPT;
	if (is_v6 ? split6(nat, p, max) : split4(nat, p, max))
		return;
	nat->n_made = n_made;
	nat->made_used = used;
	nat->n.forwarded[p->from]--;
	drop(nat, p, NAT_R_NO_BUFFER);
}
