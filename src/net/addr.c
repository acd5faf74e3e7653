/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/addr.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* A part of an IPv4 address, of so many digits: without zeros before it */
static bool is_part(uint32_t part, uint32_t n_digits)
{
	static const uint32_t least[] = { [1] = 0, [2] = 10, [3] = 100 };

	return n_digits > 0 && n_digits < ARRAY_SIZE(least) && part >= least[n_digits] &&
	       part <= UINT8_MAX;
}

/* Not inet_pton(), which wants a copy: there may be 100,000 */
static bool parse_v4(const char *s, size_t len, struct addr *ret)
{
	uint32_t v = 0, part = 0, n_digits = 0, n_dots = 0;

	for (const char *end = s + len; s < end; s++) {
		const uint8_t digit = (uint8_t)(*s - '0');

		if (digit <= 9) {
			part = part * 10 + digit;
			n_digits++;
			continue;
		}
		if (*s != '.' || !is_part(part, n_digits) || ++n_dots > 3)
			return false;
		v = v << 8 | part;
		part = n_digits = 0;
	}
	if (n_dots != 3 || !is_part(part, n_digits))
		return false;
	*ret = (struct addr){ AF_V4, v << 8 | part };
	return true;
}

int addr_parse(const char *s, size_t len, struct addr *ret)
{
	char buf[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	if (parse_v4(s, len, ret))
		return 0;
	if (len == 0 || len >= sizeof(buf) || memchr(s, '\0', len) != NULL)
		return -EINVAL;
	memcpy(buf, s, len);
	buf[len] = '\0';
	if (inet_pton(AF_INET6, buf, bytes) != 1)
		return -EINVAL;
	*ret = addr_from_bytes(AF_V6, bytes);
	return 0;
}

/* A decimal number of at most three digits, or -1 */
static int small_number(const char *s, size_t len)
{
	int v = 0;

	if (len == 0 || len > 3)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

int prefix_parse(const char *s, size_t len, struct prefix *ret)
{
	const char *slash = memchr(s, '/', len);
	const size_t addr_len = slash != NULL ? (size_t)(slash - s) : len;
	struct prefix p = { .len = 0 };
	int bits;

	if (addr_parse(s, addr_len, &p.a) < 0)
		return -EINVAL;
	bits = slash != NULL ? small_number(slash + 1, len - addr_len - 1)
			     : (int)addr_bits(p.a.af);
	if (bits < 0 || bits > (int)addr_bits(p.a.af))
		return -ERANGE;
	p.len = (uint8_t)bits;
	*ret = p;
	return 0;
}

u128 prefix_mask(uint8_t af, unsigned int len)
{
	const unsigned int bits = addr_bits(af);
	const u128 all = af == AF_V4 ? (u128)UINT32_MAX : ~(u128)0;

	BUG_IF(len > bits);
	if (len == 0)
		return 0;
	return (all << (bits - len)) & all;
}

struct addr prefix_first(struct prefix p)
{
	return (struct addr){ p.a.af, p.a.v & prefix_mask(p.a.af, p.len) };
}

struct addr prefix_last(struct prefix p)
{
	const u128 all = prefix_mask(p.a.af, addr_bits(p.a.af));

	return (struct addr){ p.a.af, p.a.v | (all & ~prefix_mask(p.a.af, p.len)) };
}

bool prefix_has(struct prefix p, struct addr a)
{
	return p.a.af == a.af && ((p.a.v ^ a.v) & prefix_mask(a.af, p.len)) == 0;
}

int mask_to_len(struct addr mask, uint8_t *ret)
{
	for (unsigned int len = 0; len <= addr_bits(mask.af); len++) {
		if (prefix_mask(mask.af, len) == mask.v) {
			*ret = (uint8_t)len;
			return 0;
		}
	}
	return -EINVAL;
}

size_t addr_to_bytes(struct addr a, uint8_t out[16])
{
	const size_t n = addr_bits(a.af) / 8;

	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(a.v >> (8 * (n - 1 - i)));
	return n;
}

struct addr addr_from_bytes(uint8_t af, const uint8_t *bytes)
{
	struct addr a = { .af = af };

	for (size_t i = 0; i < addr_bits(af) / 8; i++)
		a.v = a.v << 8 | bytes[i];
	return a;
}

/* inet_ntop() is printf, which is most of the cost where 100,000 are printed */
static void print_v4(uint32_t v, char *buf)
{
	for (int i = 3; i >= 0; i--) {
		const uint8_t part = (uint8_t)(v >> 8 * i);

		if (part >= 100)
			*buf++ = (char)('0' + part / 100);
		if (part >= 10)
			*buf++ = (char)('0' + part / 10 % 10);
		*buf++ = (char)('0' + part % 10);
		*buf++ = i > 0 ? '.' : '\0';
	}
}

static unsigned int word_at(const uint8_t *bytes, int i)
{
	return (unsigned int)bytes[2 * i] << 8 | bytes[2 * i + 1];
}

/* Where the longest run of two or more words of 0 starts, the first of them; 8: there is none */
static int longest_zeros(const uint8_t *bytes, int *ret_n)
{
	int best = 8, best_n = 1;

	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && word_at(bytes, i + n) == 0)
			n++;
		if (n > best_n) {
			best = i;
			best_n = n;
		}
		i += n;
	}
	*ret_n = best_n;
	return best;
}

/* As RFC 5952 has it; not for those that end in an IPv4 address */
static void print_v6(const uint8_t *bytes, char *buf)
{
	int n_zeros;
	const int zeros = longest_zeros(bytes, &n_zeros);

	for (int i = 0; i < 8; i++) {
		const unsigned int word = word_at(bytes, i);

		if (i == zeros) {
			*buf++ = ':';
			i += n_zeros - 1;
			if (i == 7)
				*buf++ = ':';
			continue;
		}
		if (i > 0)
			*buf++ = ':';
		for (int shift = word > 0xfff ? 12 : word > 0xff ? 8 : word > 0xf ? 4 : 0;
		     shift >= 0; shift -= 4)
			*buf++ = "0123456789abcdef"[word >> shift & 15];
	}
	*buf = '\0';
}

char *addr_print(struct addr a, char *buf)
{
	uint8_t bytes[16];

	if (a.af == AF_NONE) {
		snprintf(buf, ADDR_TEXT_BYTES, "none");
		return buf;
	}
	if (a.af == AF_V4) {
		print_v4((uint32_t)a.v, buf);
		return buf;
	}
	addr_to_bytes(a, bytes);
	if (a.v >> 48 != 0)
		print_v6(bytes, buf);
	else
		inet_ntop(AF_INET6, bytes, buf, ADDR_TEXT_BYTES);
	return buf;
}

char *prefix_print(struct prefix p, char *buf)
{
	size_t n;

	addr_print(p.a, buf);
	n = strlen(buf);
	snprintf(buf + n, ADDR_TEXT_BYTES - n, "/%u", p.len);
	return buf;
}

char *addr_port_print(struct addr a, int32_t port, char *buf)
{
	char text[ADDR_TEXT_BYTES];

	addr_print(a, text);
	if (port < 0)
		snprintf(buf, ADDR_TEXT_BYTES, "%.50s", text);
	else if (a.af == AF_V6)
		snprintf(buf, ADDR_TEXT_BYTES, "[%.50s]:%d", text, port);
	else
		snprintf(buf, ADDR_TEXT_BYTES, "%.50s:%d", text, port);
	return buf;
}

static bool in_v4(struct addr a, struct addr net, uint8_t len)
{
	return prefix_has((struct prefix){ net, len }, a);
}

bool addr_is_loopback(struct addr a)
{
	return in_v4(a, addr_v4(127, 0, 0, 0), 8) || (a.af == AF_V6 && a.v == 1);
}

bool addr_is_private(struct addr a)
{
	return in_v4(a, addr_v4(10, 0, 0, 0), 8) || in_v4(a, addr_v4(172, 16, 0, 0), 12) ||
	       in_v4(a, addr_v4(192, 168, 0, 0), 16) || in_v4(a, addr_v4(100, 64, 0, 0), 10) ||
	       (a.af == AF_V6 && (a.v >> 121) == 0xfc >> 1);
}

bool addr_is_linklocal(struct addr a)
{
	return in_v4(a, addr_v4(169, 254, 0, 0), 16) ||
	       (a.af == AF_V6 && (a.v >> 118) == 0xfe80 >> 6);
}

bool addr_is_multicast(struct addr a)
{
	return in_v4(a, addr_v4(224, 0, 0, 0), 4) || (a.af == AF_V6 && (a.v >> 120) == 0xff);
}
