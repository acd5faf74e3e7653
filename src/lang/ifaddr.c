/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A range stands in one part of an address, decimal or hexadecimal.  Rather
 * than reading addresses part by part, the address is read twice with 0 and
 * with 1 in the range's place: the difference is the step, whatever family,
 * and whatever "::" left out.
 *
 * As FreeBSD's rc does it, the first IPv4 address of a range has the length
 * that is written and all others have /32, so that they share its network; a
 * netmask given as a word holds for all.
 */
#include "lang/ifaddr.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/**
 * struct word_info - A word of ifconfig that decides an address
 * @word:	As written
 * @n_args:	Words that belong to it
 */
static const struct word_info {
	const char *word;
	int n_args;
} words[] = {
	{ "netmask", 1 },
	{ "prefixlen", 1 },
	{ "broadcast", 1 },
};

/**
 * struct spec - An address while its words are read
 * @first:	Its first or only address
 * @step:	From one to the next of a range
 * @n:		How many
 * @len:	-1: not said
 * @len_for_all: @len was a word of its own, and holds for a whole range
 * @peer:	Other end, or AF_NONE
 */
struct spec {
	struct addr first;
	u128 step;
	uint32_t n;
	int len;
	bool len_for_all;
	struct addr peer;
};

bool ifname_is_good(const char *s, size_t len)
{
	if (len == 0 || len > LIMIT_IFNAME_BYTES)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] == 0x7f || strchr("/:|\"'\\", s[i]) != NULL)
			return false;
	return !(len <= 2 && memcmp(s, "..", len) == 0);
}

/* A number in base 10 or 16 of at most @max; -1 if it is none */
static int32_t number(const char *s, size_t len, int base, int32_t max)
{
	char buf[8];
	char *end;
	long v;

	if (len == 0 || len >= sizeof(buf))
		return -1;
	memcpy(buf, s, len);
	buf[len] = '\0';
	if (strspn(buf, base == 10 ? "0123456789" : "0123456789abcdefABCDEF") != len)
		return -1;
	v = strtol(buf, &end, base);
	return v <= max ? (int32_t)v : -1;
}

/* "0xffffff00" or "255.255.255.0" as a length; -1 if it is neither */
static int netmask_len(const char *s, size_t len)
{
	struct addr mask = { .af = AF_V4 };
	uint8_t bits;

	if (len > 2 && len <= 10 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		for (size_t i = 2; i < len; i++) {
			const int32_t digit = number(s + i, 1, 16, 15);

			if (digit < 0)
				return -1;
			mask.v = mask.v << 4 | (u128)digit;
		}
	} else if (addr_parse(s, len, &mask) < 0 || mask.af != AF_V4) {
		return -1;
	}
	return mask_to_len(mask, &bits) < 0 ? -1 : bits;
}

/* The address in @s with @digit in place of bytes [@lo, @hi) */
static bool parse_with(const char *s, size_t len, size_t lo, size_t hi, char digit,
		       struct addr *ret)
{
	char buf[ADDR_TEXT_BYTES];

	if (len - (hi - lo) + 1 >= sizeof(buf))
		return false;
	memcpy(buf, s, lo);
	buf[lo] = digit;
	memcpy(buf + lo + 1, s + hi, len - hi);
	return addr_parse(buf, len - (hi - lo) + 1, ret) == 0;
}

/* "10.0.0.2-6": false if @s is no such range */
static bool parse_range(const char *s, size_t len, uint8_t af, struct spec *spec)
{
	const char *dash = memchr(s, '-', len);
	const char *part = af == AF_V4 ? "." : ":";
	const int base = af == AF_V4 ? 10 : 16;
	const int32_t max = af == AF_V4 ? 255 : 0xffff;
	size_t lo, hi, mid;
	struct addr zero, one;
	int32_t from, to;

	if (dash == NULL)
		return false;
	mid = lo = (size_t)(dash - s);
	while (lo > 0 && s[lo - 1] != *part)
		lo--;
	for (hi = mid; hi < len && s[hi] != *part; hi++)
		;
	from = number(s + lo, mid - lo, base, max);
	to = number(s + mid + 1, hi - mid - 1, base, max);
	if (from < 0 || to < from || !parse_with(s, len, lo, hi, '0', &zero) ||
	    !parse_with(s, len, lo, hi, '1', &one) || zero.af != af)
		return false;
	spec->step = one.v - zero.v;
	spec->first = (struct addr){ af, zero.v + (u128)from * spec->step };
	spec->n = (uint32_t)(to - from) + 1;
	return true;
}

/* What follows the slash: a number, or for IPv4 a netmask */
static int slash_len(const char *s, size_t len, uint8_t af)
{
	int32_t v = number(s, len, 10, (int32_t)addr_bits(af));

	if (v < 0 && af == AF_V4)
		v = netmask_len(s, len);
	return v < 1 ? -1 : v;
}

static bool parse_addr(struct lang_ctx *c, const struct ifaddr_rules *r, uint8_t af,
		       const struct text *t, struct text_word w, struct spec *spec)
{
	const char *s = t->buf.v + w.lo;
	const size_t all = w.hi - w.lo;
	const char *slash = memchr(s, '/', all);
	const size_t len = slash != NULL ? (size_t)(slash - s) : all;

	*spec = (struct spec){ .n = 1, .len = -1 };
	if (r->may_range && memchr(s, '-', len) != NULL) {
		if (!parse_range(s, len, af, spec)) {
			text_error(c, r->bad_range, t, w.lo, w.lo + (uint32_t)len,
				   "'%.*s' is not a range of addresses", (int)len, s);
			return false;
		}
	} else if (addr_parse(s, len, &spec->first) < 0 || spec->first.af != af) {
		text_error(c, r->bad_addr, t, w.lo, w.hi, "'%.*s' is not an IPv%d address",
			   (int)all, s, af);
		return false;
	}
	if (addr_is_multicast(spec->first) || spec->first.v == 0) {
		text_error(c, r->bad_addr, t, w.lo, w.hi,
			   "'%.*s' cannot be an interface's address", (int)all, s);
		return false;
	}
	if (slash == NULL)
		return true;
	spec->len = slash_len(slash + 1, all - len - 1, af);
	if (spec->len < 0)
		text_error(c, r->bad_len, t, w.lo + (uint32_t)len + 1, w.hi,
			   "length '%.*s' is not in 1..%u", (int)(all - len - 1), slash + 1,
			   addr_bits(af));
	return spec->len >= 0;
}

/* The argument @w of "netmask" or "prefixlen" */
static bool parse_len(struct lang_ctx *c, const struct ifaddr_rules *r, uint8_t af,
		      const struct text *t, struct text_word key, struct text_word w,
		      struct spec *spec)
{
	const char *s = t->buf.v + w.lo;
	const size_t len = w.hi - w.lo;
	const bool is_mask = text_word_is(t, key, "netmask");

	if (is_mask && af == AF_V6) {
		text_error(c, r->bad_len, t, key.lo, key.hi,
			   "an IPv6 address has no netmask, but 'prefixlen N'");
		return false;
	}
	spec->len = is_mask ? netmask_len(s, len)
			    : number(s, len, 10, (int32_t)addr_bits(af));
	spec->len_for_all = true;
	if (spec->len >= 1)
		return true;
	if (is_mask)
		text_error(c, r->bad_len, t, w.lo, w.hi, "'%.*s' is not a netmask", (int)len, s);
	else
		text_error(c, r->bad_len, t, w.lo, w.hi, "length '%.*s' is not in 1..%u",
			   (int)len, s, addr_bits(af));
	return false;
}

static const struct word_info *word_find(const struct text *t, struct text_word w)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (text_word_is(t, w, words[i].word))
			return &words[i];
	return NULL;
}

/* The words after the address */
static bool parse_words(struct lang_ctx *c, const struct ifaddr_rules *r, uint8_t af,
			const struct text *t, uint32_t pos, uint32_t hi, struct spec *spec,
			struct ifaddr_words *other)
{
	bool is_first = true;
	struct text_word w, arg = { 0 };

	for (; text_next_word(t, &pos, hi, &w); is_first = false) {
		const struct word_info *info = word_find(t, w);
		struct addr peer;

		if (info == NULL) {
			if (is_first && spec->n == 1 &&
			    addr_parse(t->buf.v + w.lo, w.hi - w.lo, &peer) == 0 &&
			    peer.af == af)
				spec->peer = peer;
			else if (other != NULL)
				vec_add(c->a, &other->list, w);
			continue;
		}
		if (info->n_args > 0 && !text_next_word(t, &pos, hi, &arg)) {
			text_error(c, r->bad_len, t, w.lo, w.hi, "nothing follows '%s'",
				   info->word);
			return false;
		}
		if (!text_word_is(t, w, "broadcast") && !parse_len(c, r, af, t, w, arg, spec))
			return false;
	}
	return true;
}

/* What ifconfig takes when no length is given */
static uint8_t default_len(struct lang_ctx *c, const struct ifaddr_rules *r,
			   const struct text *t, struct text_word w, const struct spec *spec)
{
	const struct addr a = spec->first;
	uint8_t len;

	if (r->default_full || spec->peer.af != AF_NONE)
		return (uint8_t)addr_bits(a.af);
	if (a.af == AF_V6)
		return 64;
	if (spec->n > 1)
		return 32;
	len = a.v < (u128)128 << 24 ? 8 : a.v < (u128)192 << 24 ? 16 : 24;
	text_error(c, r->no_mask, t, w.lo, w.hi, "no netmask, so /%u is taken", len);
	return len;
}

bool ifaddr_parse(struct lang_ctx *c, const struct ifaddr_rules *r, uint8_t af,
		  const struct text *t, uint32_t lo, uint32_t hi, struct ifaddr_list *out,
		  struct ifaddr_words *other)
{
	struct text_word w;
	struct spec spec;
	struct span used;
	uint8_t len;

	if (!text_next_word(t, &lo, hi, &w)) {
		text_error(c, r->bad_addr, t, lo, hi, "an address is missing");
		return false;
	}
	if (!parse_addr(c, r, af, t, w, &spec) ||
	    !parse_words(c, r, af, t, lo, hi, &spec, other))
		return false;
	if (spec.n > r->max_addrs - MIN(out->list.n, r->max_addrs)) {
		text_error(c, r->too_many, t, w.lo, w.hi, "more than %u addresses in one file",
			   r->max_addrs);
		return false;
	}
	len = spec.len > 0 ? (uint8_t)spec.len : default_len(c, r, t, w, &spec);
	for (uint32_t i = 0; i < spec.n; i++) {
		const bool is_rest = i > 0 && af == AF_V4 && !spec.len_for_all;

		vec_add(c->a, &out->list, ((struct ifaddr){
			.p = { { af, spec.first.v + i * spec.step }, is_rest ? 32 : len },
			.peer = spec.peer,
			.at = text_span(t, w.lo, w.hi, &used),
		}));
	}
	return true;
}
