/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The parts that rules are made of: addresses, ports, tables, protocols.  They
 * become sets at once.  A mask with holes becomes one range for each way to
 * fill the bits left of its last hole, so their number is bounded.
 */
#include <ctype.h>
#include <string.h>

#include "lang/ipfw/parse.h"
#include "net/names.h"

#define MASK_RANGES_MAX	1024u

bool text_number(const char *s, size_t len, uint32_t max, uint32_t *ret)
{
	uint64_t v = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)s[i]))
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	if (v > max)
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* One part as C writes numbers: 10, 010, 0xa */
static bool ipv4_part(const char *s, size_t len, uint64_t *ret)
{
	const bool hex = len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	const unsigned int base = hex ? 16 : len > 1 && s[0] == '0' ? 8 : 10;
	uint64_t v = 0;

	if (len == 0 || len > 12)
		return false;
	for (size_t i = hex ? 2 : 0; i < len; i++) {
		const int ch = tolower((unsigned char)s[i]);
		const unsigned int digit = isdigit(ch) ? (unsigned int)(ch - '0')
				: isxdigit(ch) ? (unsigned int)(ch - 'a' + 10) : 99;

		if (digit >= base)
			return false;
		v = v * base + digit;
	}
	*ret = v;
	return true;
}

bool text_ipv4(const char *s, size_t len, struct addr *ret, unsigned int *n_parts)
{
	uint64_t part[4], v = 0;
	unsigned int n = 0;
	size_t lo = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && s[i] != '.')
			continue;
		if (n == 4 || !ipv4_part(s + lo, i - lo, &part[n++]))
			return false;
		lo = i + 1;
	}
	for (unsigned int i = 0; i + 1 < n; i++) {
		if (part[i] > 255)
			return false;
		v |= part[i] << (24 - 8 * i);
	}
	if (part[n - 1] >= UINT64_C(1) << (8 * (5 - n)))
		return false;
	*ret = (struct addr){ AF_V4, v | part[n - 1] };
	if (n_parts != NULL)
		*n_parts = n;
	return true;
}

/* The place of @len bytes at @s within a word that is spelled as in its source */
static struct span within(const struct ipfw_word *w, const char *s, size_t len)
{
	const uint32_t lo = w->at.lo + (uint32_t)(s - w->text);

	if (w->at.hi - w->at.lo != strlen(w->text))
		return w->at;
	return (struct span){ w->at.src, lo, lo + (uint32_t)MAX(len, 1u) };
}

/* Addresses that agree with @a where @mask has ones */
static bool add_masked(struct parser *p, struct ranges *rs, struct addr a, uint32_t mask,
		       struct span at)
{
	const uint32_t tail = mask == 0 ? UINT32_MAX : (1u << __builtin_ctz(mask)) - 1;
	const uint32_t holes = ~mask & ~tail;
	const uint32_t base = (uint32_t)a.v & mask;
	uint32_t v = 0;

	if (__builtin_popcount(holes) > 10) {
		diag_add(p->c->diags, DIAG_E2004, at,
			 "a mask with so many holes is more than %u ranges of addresses",
			 MASK_RANGES_MAX);
		return false;
	}
	do {
		ranges_add(p->c->a, rs, AF_V4, base | v, base | v | tail);
		v = (v - holes) & holes;	/* the next subset of the holes */
	} while (v != 0);
	return true;
}

static bool bad_addr(struct parser *p, struct span at, const char *what, const char *s, size_t len)
{
	diag_add(p->c->diags, DIAG_E2007, at, "%s '%.*s'", what, (int)MIN(len, 80u), s);
	return false;
}

/* {1,3-7} behind ADDRESS/LEN: last bytes; sets *@len to its length with braces */
static bool add_brace(struct parser *p, const struct ipfw_word *w, const char *s, struct prefix pf,
		      struct ranges *rs, size_t *len)
{
	const char *end = strchr(s, '}');
	const uint32_t lo = (uint32_t)prefix_first(pf).v & 0xff;
	const uint32_t hi = (uint32_t)prefix_last(pf).v & 0xff;
	uint32_t first, last;

	if (end == NULL || pf.len < 24)
		return bad_addr(p, within(w, s, strlen(s)), end == NULL ? "no '}' in" :
				"a set of hosts needs a prefix of 24 bits or more, not",
				s, strlen(s));
	*len = (size_t)(end - s) + 1;
	for (const char *e = s + 1; e <= end; e++) {
		const size_t n = strcspn(e, ",}"), dash = MIN(strcspn(e, "-"), n);

		if (!text_number(e, dash, 255, &first) ||
		    !text_number(dash < n ? e + dash + 1 : e, dash < n ? n - dash - 1 : n, 255,
				 &last) ||
		    first < lo || last > hi || first > last)
			return bad_addr(p, within(w, e, n), "bad host in a set of hosts", e, n);
		ranges_add(p->c->a, rs, AF_V4, (prefix_first(pf).v & ~(u128)0xff) | first,
			   (prefix_first(pf).v & ~(u128)0xff) | last);
		e += n;
	}
	return true;
}

/* A name in place of an address */
static bool is_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (isalpha((unsigned char)s[i]) && strchr("abcdefABCDEFxX", s[i]) == NULL)
			return true;
	return false;
}

static bool not_an_address(struct parser *p, const struct ipfw_word *w, const char *s, size_t len)
{
	if (len == 0 || !is_name(s, len))
		return bad_addr(p, within(w, s, len), "bad ip address", s, len);
	diag_add(p->c->diags, DIAG_E2008, within(w, s, len), "hostname '%.*s' is not looked up",
		 (int)MIN(len, 80u), s);
	diag_help(p->c->diags, "write its address");
	return false;
}

static void warn_short(struct parser *p, const struct ipfw_word *w, const char *s, size_t len,
		       struct addr a)
{
	char buf[ADDR_TEXT_BYTES];

	diag_add(p->c->diags, DIAG_W2035, within(w, s, len), "'%.*s' is the address %s",
		 (int)MIN(len, 80u), s, addr_print(a, buf));
}

/* Text of the masked address */
static const char *masked_text(struct parser *p, struct addr a, uint32_t mask)
{
	const struct prefix pf = { a, (uint8_t)__builtin_popcount(mask) };
	char buf[ADDR_TEXT_BYTES], mbuf[ADDR_TEXT_BYTES];
	const bool plain = prefix_mask(AF_V4, pf.len) == mask;

	a.v &= mask;
	if (mask == 0)
		return "0.0.0.0/0";
	if (plain && pf.len == 32)
		return arena_printf(p->c->a, "%s", addr_print(a, buf));
	if (plain)
		return arena_printf(p->c->a, "%s/%u", addr_print(a, buf), pf.len);
	return arena_printf(p->c->a, "%s:%s", addr_print(a, buf),
			    addr_print((struct addr){ AF_V4, mask }, mbuf));
}

/* One element of a list, IPv4; *@s is moved behind it */
static bool one_v4(struct parser *p, const struct ipfw_word *w, const char **s,
		   struct ranges *rs, const char **text)
{
	const char *e = *s;
	size_t len = strcspn(e, "/:,{"), tail = 0;
	struct prefix pf = { .len = 32 };
	struct addr mask = { AF_V4, UINT32_MAX };
	uint32_t bits;
	unsigned int parts;

	if (!text_ipv4(e, len, &pf.a, &parts))
		return not_an_address(p, w, e, strcspn(e, ","));
	if (parts < 4)
		warn_short(p, w, e, len, pf.a);
	e += len;
	if (*e == '/' || *e == ':') {
		const bool is_mask = *e++ == ':';

		tail = strcspn(e, ",{");
		if (is_mask ? !text_ipv4(e, tail, &mask, NULL) : !text_number(e, tail, 32, &bits))
			return bad_addr(p, within(w, e, tail),
					is_mask ? "bad netmask" : "bad width", e, tail);
		if (!is_mask)
			mask.v = prefix_mask(AF_V4, bits);
		pf.len = (uint8_t)__builtin_popcount((uint32_t)mask.v);
		e += tail;
	} else if (*e == '{') {
		pf.len = 24;
	}
	if (*e == '{') {
		pf.a = prefix_first(pf);
		if (!add_brace(p, w, e, pf, rs, &tail))
			return false;
		*text = arena_printf(p->c->a, "%s%.*s", masked_text(p, pf.a, (uint32_t)
				     prefix_mask(AF_V4, pf.len)), (int)tail, e);
		*s = e + tail;
		return true;
	}
	*text = masked_text(p, pf.a, (uint32_t)mask.v);
	*s = e;
	return add_masked(p, rs, pf.a, (uint32_t)mask.v, w->at);
}

static bool one_v6(struct parser *p, const struct ipfw_word *w, const char **s,
		   struct ranges *rs, const char **text)
{
	const size_t len = strcspn(*s, ",");
	struct prefix pf;
	char buf[ADDR_TEXT_BYTES];

	if (prefix_parse(*s, len, &pf) < 0 || pf.a.af != AF_V6)
		return bad_addr(p, within(w, *s, len), "bad IPv6 address", *s, len);
	pf.a = prefix_first(pf);
	ranges_add_prefix(p->c->a, rs, pf);
	*text = arena_printf(p->c->a, "%s", pf.len == 128 ? addr_print(pf.a, buf)
							   : prefix_print(pf, buf));
	*s += len;
	return true;
}

static bool is_v6(const char *s)
{
	const size_t len = strcspn(s, ",/");
	struct addr a;

	return addr_parse(s, len, &a) == 0 && a.af == AF_V6;
}

/* A list of addresses of one family */
static bool addr_list(struct parser *p, const struct ipfw_word *w, struct ipfw_insn *insn)
{
	const bool v6 = is_v6(w->text);
	struct ranges rs = { 0 };
	const char *s = w->text, *text, *all = "";

	for (;;) {
		if (!(v6 ? one_v6 : one_v4)(p, w, &s, &rs, &text))
			return false;
		all = all[0] == '\0' ? text : arena_printf(p->c->a, "%s,%s", all, text);
		if (*s == '\0')
			break;
		if (*s++ != ',')
			return bad_addr(p, within(w, s - 1, 1), "unexpected", s - 1, strlen(s - 1));
	}
	insn->kind = INSN_ADDR;
	insn->set = set_make(p->c->a, &rs);
	insn->text = all;
	return true;
}

bool part_addrs(struct parser *p, const struct ipfw_word *w, struct ipfw_insn *insn)
{
	const struct iw_row *row = iw_find(IWK_ADDRESS, w->text);
	const char *inside;
	size_t len;

	insn->at = w->at;
	if (part_is_table(w->text, &inside, &len)) {
		insn->kind = INSN_TABLE;
		insn->key = insn->is_dst ? KEY_DST : KEY_SRC;
		if (!part_table(p, inside, len, w->at, &insn->table))
			return false;
		insn->text = arena_printf(p->c->a, "table(%s)", part_table_text(p, &insn->table));
		return true;
	}
	if (row == NULL)
		return addr_list(p, w, insn);
	insn->text = row->text;
	insn->kind = row->word == IW_ANY ? INSN_ANY : INSN_ME;
	insn->set = row->word == IW_ME6 ? set_one(p->c->a, AF_V6) : NULL;
	return true;
}

bool part_is_table(const char *s, const char **ret, size_t *ret_len)
{
	const size_t len = strlen(s);

	if (strncmp(s, "table(", 6) != 0 || s[len - 1] != ')')
		return false;
	*ret = s + 6;
	*ret_len = len - 7;
	return true;
}

bool part_table(struct parser *p, const char *s, size_t len, struct span at,
		struct ipfw_table_ref *ret)
{
	const char *comma = memchr(s, ',', len);
	const size_t name = comma != NULL ? (size_t)(comma - s) : len;
	struct addr a;

	*ret = (struct ipfw_table_ref){ .has_value = comma != NULL };
	for (size_t i = 0; i < name; i++)
		if (!isalnum((unsigned char)s[i]) && strchr("_-.", s[i]) == NULL)
			len = 0;
	if (name == 0 || name > 63 || len == 0) {
		diag_add(p->c->diags, DIAG_E2012, at, "bad name of a table");
		return false;
	}
	ret->name = intern_str(p->c->names, s, name);
	if (comma == NULL || text_number(comma + 1, len - name - 1, UINT32_MAX, &ret->value))
		return true;
	if (addr_parse(comma + 1, len - name - 1, &a) == 0 && a.af == AF_V4) {
		ret->value = (uint32_t)a.v;
		return true;
	}
	diag_add(p->c->diags, DIAG_E2012, at, "a value of a table is a number");
	return false;
}

const char *part_table_text(struct parser *p, const struct ipfw_table_ref *t)
{
	if (!t->has_value)
		return t->name;
	return arena_printf(p->c->a, "%s,%u", t->name, t->value);
}

/* A port or service of @len bytes; backslashes go */
static int one_port(struct parser *p, const char *s, size_t len)
{
	char *plain = arena_strndup(p->c->a, s, len);
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (s[i] != '\\' || i + 1 == len)
			plain[n++] = s[i];
	return n == 0 ? -ENOENT : service_parse(plain, n);
}

/* LO or LO-HI of @len bytes; a service's name may have dashes */
static int port_range(struct parser *p, const char *s, size_t len, int *hi)
{
	int lo = one_port(p, s, len);

	*hi = lo;
	for (size_t i = 0; lo == -ENOENT && i < len; i++) {
		if (s[i] != '-' || (i > 0 && s[i - 1] == '\\'))
			continue;
		lo = one_port(p, s, i);
		*hi = one_port(p, s + i + 1, len - i - 1);
		if (*hi == -ERANGE)
			lo = -ERANGE;
		if (lo < 0 || *hi < 0)
			lo = lo == -ERANGE ? -ERANGE : -ENOENT;
	}
	return lo;
}

static enum part_result bad_port(struct parser *p, const struct ipfw_word *w, const char *s,
				 size_t len, const char *why)
{
	diag_add(p->c->diags, DIAG_E2009, within(w, s, len), "port '%.*s' %s", (int)MIN(len, 80u),
		 s, why);
	return PART_ERROR;
}

enum part_result part_ports(struct parser *p, const struct ipfw_word *w, struct ipfw_insn *insn)
{
	struct ranges rs = { 0 };
	const char *text = "";
	int lo, hi;

	insn->at = w->at;
	insn->kind = INSN_ANY;
	insn->text = "any";
	if (iw_is(IWK_ADDRESS, w->text, IW_ANY))
		return PART_OK;
	for (const char *s = w->text;; s++) {
		const size_t len = strcspn(s, ",");

		lo = port_range(p, s, len, &hi);
		if (lo == -ERANGE)
			return bad_port(p, w, s, len, "is not in 0..65535");
		if (lo < 0 && s == w->text)
			return PART_NOT;
		if (lo < 0)
			return bad_port(p, w, s, len, "is no number and no known service");
		if (lo > hi) {		/* as ipfw does */
			const int t = lo;

			lo = hi;
			hi = t;
		}
		ranges_add(p->c->a, &rs, AF_NONE, (u128)lo, (u128)hi);
		text = arena_printf(p->c->a, lo == hi ? "%s%s%d" : "%s%s%d-%d", text,
				    text[0] != '\0' ? "," : "", lo, hi);
		s += len;
		if (*s == '\0')
			break;
	}
	insn->kind = INSN_PORT;
	insn->set = set_make(p->c->a, &rs);
	insn->text = text;
	return PART_OK;
}

bool part_numbers(struct parser *p, const struct ipfw_word *w, uint32_t max, const char *what,
		  const struct set **ret)
{
	struct ranges rs = { 0 };
	uint32_t lo, hi;

	for (const char *s = w->text;; s++) {
		const size_t len = strcspn(s, ","), dash = MIN(strcspn(s, "-"), len);

		if (!text_number(s, dash, max, &lo) ||
		    !text_number(dash < len ? s + dash + 1 : s, dash < len ? len - dash - 1 : len,
				 max, &hi) || lo > hi) {
			diag_add(p->c->diags, DIAG_E2010, within(w, s, len),
				 "%s '%.*s' is not in 0..%u", what, (int)MIN(len, 80u), s, max);
			return false;
		}
		ranges_add(p->c->a, &rs, AF_NONE, lo, hi);
		s += len;
		if (*s == '\0')
			break;
	}
	*ret = set_make(p->c->a, &rs);
	return true;
}

enum part_result part_proto(struct parser *p, const char *s, struct ipfw_insn *insn)
{
	const struct iw_row *row = iw_find(IWK_PROTO, s);
	const int proto = row == NULL ? proto_parse(s, strlen(s)) : 0;

	if (proto < 0 || (row == NULL && proto == 0))
		return PART_NOT;
	if (row == NULL) {
		const char *name = proto_name((uint8_t)proto);

		insn->kind = INSN_PROTO;
		insn->set = set_one(p->c->a, (u128)proto);
		insn->text = proto == PROTO_ICMP6 ? "ipv6-icmp" : name != NULL ? name
			: arena_printf(p->c->a, "%d", proto);
		return PART_OK;
	}
	insn->kind = row->word == IW_ALL ? INSN_ANY : INSN_AF;
	insn->set = row->word == IW_ALL ? NULL
		: set_one(p->c->a, row->word == IW_IP4 ? AF_V4 : AF_V6);
	insn->text = iw_text(row->word);
	return PART_OK;
}
