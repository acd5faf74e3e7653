/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Addresses, ports, interfaces, protocols and ICMP types: the items of lists.
 * A word that is no address is kept as the name of an interface; whether there
 * is one only the facts of the host know, so that is said in lowering.
 */
#include "lang/pf/parse.h"

#include <ctype.h>
#include <string.h>

#include "base/limits.h"
#include "net/names.h"

bool pf_iface_item(struct pf_parser *p)
{
	struct pf_iface i = { .at = p->t.at };

	if (p->t.kind == '!') {
		i.is_not = true;
		pf_next(p);
	}
	if (pf_is(p, PW_ANY) && !i.is_not) {
		pf_next(p);
		vec_add(p->c->a, &p->ifaces, i);
		return true;
	}
	if (!pf_is_name(p))
		return pf_unexpected(p, "the name of an interface", 0);
	if (p->t.len > LIMIT_IFNAME_BYTES || p->t.len == 0)
		return pf_error(p, E1206, p->t.at, "the name of an interface has 1 to %u bytes",
				LIMIT_IFNAME_BYTES);
	i.name = pf_token_str(p);
	i.at = p->t.at;
	pf_next(p);
	vec_add(p->c->a, &p->ifaces, i);
	return true;
}

static bool unknown_proto(struct pf_parser *p)
{
	static const char *const usual[] = {
		"tcp", "udp", "icmp", "icmp6", "ipv6-icmp", "esp", "ah", "gre", "carp", "pfsync",
		"igmp", "ospf", "sctp", "ipv6", NULL
	};
	const char *name = pf_token_str(p), *nearest = diag_nearest(name, usual);

	pf_diag(p->c, p->f, E1207, p->t.at, "unknown protocol '%s'", name);
	if (strcmp(name, "icmp-type") == 0 || strcmp(name, "icmp6-type") == 0)
		diag_help(p->c->diags, "write 'proto %s %s'",
			  name[4] == '6' ? "icmp6" : "icmp", name);
	else if (nearest != NULL)
		diag_help(p->c->diags, "did you mean '%s'?", nearest);
	return false;
}

static bool all_digits(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)s[i]))
			return false;
	return len > 0;
}

bool pf_proto_item(struct pf_parser *p)
{
	int n;

	if (p->t.kind != PT_WORD && p->t.kind != PT_STRING)
		return pf_unexpected(p, "a protocol", 0);
	n = proto_parse(p->t.text, p->t.len);
	if (n < 0 && all_digits(p->t.text, p->t.len))
		return pf_error(p, E1207, p->t.at, "protocol '%s' is not in 1..255",
				pf_token_str(p));
	if (n < 0)
		return unknown_proto(p);
	if (n == 0)
		return pf_error(p, E1207, p->t.at, "protocol 0 cannot be told from none: leave it "
				"out");
	vec_add(p->c->a, &p->protos, ((struct pf_proto){ (uint8_t)n, p->t.at }));
	pf_next(p);
	return true;
}

bool pf_icmp_item(struct pf_parser *p)
{
	struct pf_icmp i = { .code = -1, .at = p->t.at };
	int n;

	if (p->t.kind != PT_WORD)
		return pf_unexpected(p, "an ICMP type", 0);
	n = icmp_type_parse(p->icmp_v6, p->t.text, p->t.len);
	if (n < 0)
		return pf_error(p, E1208, p->t.at, "unknown %s type '%s'",
				p->icmp_v6 ? "ICMPv6" : "ICMP", pf_token_str(p));
	i.type = (uint8_t)n;
	pf_next(p);
	if (pf_accept(p, PW_CODE)) {
		if (p->t.kind != PT_WORD)
			return pf_unexpected(p, "an ICMP code", 0);
		n = icmp_code_parse(p->icmp_v6, i.type, p->t.text, p->t.len);
		if (n < 0)
			return pf_error(p, E1208, p->t.at, "unknown code '%s' of this %s type",
					pf_token_str(p), p->icmp_v6 ? "ICMPv6" : "ICMP");
		i.code = (int16_t)n;
		pf_next(p);
	}
	vec_add(p->c->a, &p->icmps, i);
	return true;
}

/* ---- ports ---------------------------------------------------------------- */

/* A number as pfctl reads one where it does not see a number at once: 0x50 */
static int hex_port(const char *s, size_t len)
{
	unsigned int v = 0;

	if (len < 3 || len > 6 || s[0] != '0' || (s[1] | 0x20) != 'x')
		return -ENOENT;
	for (size_t i = 2; i < len; i++) {
		if (!isxdigit((unsigned char)s[i]))
			return -ENOENT;
		v = v * 16 + (unsigned int)(isdigit((unsigned char)s[i]) ? s[i] - '0' :
					    (s[i] | 0x20) - 'a' + 10);
	}
	return (int)v;
}

/* One port of the token, bytes [@lo, @hi) of it */
static bool one_port(struct pf_parser *p, size_t lo, size_t hi, uint16_t *ret)
{
	const char *s = p->t.text + lo;
	const int hex = hex_port(s, hi - lo);
	const int n = hex >= 0 ? hex : service_parse(s, hi - lo);
	struct span at = p->t.at;
	const char *name, *nearest;

	if (n >= 0) {
		*ret = (uint16_t)n;
		return true;
	}
	if (at.hi - at.lo == p->t.len)
		at = (struct span){ at.src, at.lo + (uint32_t)lo, at.lo + (uint32_t)hi };
	name = intern_str(p->c->names, s, hi - lo);
	if (n == -ERANGE || all_digits(s, hi - lo))
		return pf_error(p, E1203, at, "port %s is not in 0..65535", name);
	if (hi == lo)
		return pf_error(p, E1203, p->t.at, "a port is missing before or after ':'");
	pf_diag(p->c, p->f, E1205, at, "unknown service '%s'", name);
	nearest = diag_nearest(name, service_names());
	if (nearest != NULL)
		diag_help(p->c->diags, "did you mean '%s'?", nearest);
	return false;
}

bool pf_port_range(struct pf_parser *p, bool open_ok, uint16_t *ret_lo, uint16_t *ret_hi,
		   bool *ret_open, bool *ret_range)
{
	const char *colon;
	size_t split;

	*ret_open = *ret_range = false;
	if (p->t.kind != PT_WORD && p->t.kind != PT_STRING)
		return pf_unexpected(p, "a port", 0);
	colon = memchr(p->t.text, ':', p->t.len);
	split = colon != NULL ? (size_t)(colon - p->t.text) : p->t.len;
	if (!one_port(p, 0, split, ret_lo))
		return false;
	*ret_hi = *ret_lo;
	if (colon != NULL) {
		*ret_range = true;
		if (open_ok && split + 2 == p->t.len && colon[1] == '*') {
			*ret_open = true;
			*ret_hi = 65535;
		} else if (!one_port(p, split + 1, p->t.len, ret_hi)) {
			return false;
		}
	}
	if (*ret_hi < *ret_lo)
		return pf_error(p, E1204, p->t.at, "port range %u:%u ends before it begins",
				*ret_lo, *ret_hi);
	pf_next(p);
	return true;
}

static const struct {
	int token;
	enum pf_port_op op;
} port_ops[] = {
	{ '=', PP_EQ }, { PT_NE, PP_NE }, { '<', PP_LT },
	{ PT_LE, PP_LE }, { '>', PP_GT }, { PT_GE, PP_GE },
};

bool pf_port_item(struct pf_parser *p)
{
	struct pf_port x = { .op = PP_EQ, .at = p->t.at };
	bool is_open, is_range, has_op = false;
	uint16_t hi;

	for (size_t i = 0; i < ARRAY_SIZE(port_ops); i++) {
		if (p->t.kind == port_ops[i].token) {
			x.op = port_ops[i].op;
			has_op = true;
			pf_next(p);
			break;
		}
	}
	if (!pf_port_range(p, false, &x.lo, &x.hi, &is_open, &is_range))
		return false;
	if (is_range && has_op)
		return pf_error(p, E1204, x.at, "a port range takes no operator before it");
	if (is_range)
		x.op = PP_RANGE;
	if (!has_op && !is_range && (p->t.kind == PT_INSIDE || p->t.kind == PT_OUTSIDE)) {
		x.op = p->t.kind == PT_INSIDE ? PP_INSIDE : PP_OUTSIDE;
		pf_next(p);
		if (!pf_port_range(p, false, &x.hi, &hi, &is_open, &is_range))
			return false;
		if (is_range)
			return pf_error(p, E1204, x.at, "a port range takes no operator before it");
		if (x.hi < x.lo)
			return pf_error(p, E1204, x.at, "port range %u %s %u ends before it begins",
					x.lo, x.op == PP_INSIDE ? "><" : "<>", x.hi);
	}
	vec_add(p->c->a, &p->ports, x);
	return true;
}

/* ---- addresses ------------------------------------------------------------ */

static const struct {
	const char *text;
	uint8_t mod;
} modifiers[] = {
	{ "network", PHM_NETWORK }, { "broadcast", PHM_BROADCAST }, { "peer", PHM_PEER },
	{ "0", PHM_FIRST },
};

/* "em0:network:0": the name and what of it; h->at stands already */
static bool host_name(struct pf_parser *p, struct pf_host *h, const char *s)
{
	static const char *const words[] = { "network", "broadcast", "peer", NULL };
	const char *colon = strchr(s, ':');
	const size_t name_len = colon != NULL ? (size_t)(colon - s) : strlen(s);

	h->name = intern_str(p->c->names, s, name_len);
	while (colon != NULL) {
		const char *mod = colon + 1;
		const char *text;
		bool found = false;

		colon = strchr(mod, ':');
		text = intern_str(p->c->names, mod,
				  colon != NULL ? (size_t)(colon - mod) : strlen(mod));
		for (size_t i = 0; i < ARRAY_SIZE(modifiers); i++) {
			if (strcmp(text, modifiers[i].text) == 0) {
				h->mods |= modifiers[i].mod;
				found = true;
			}
		}
		if (found)
			continue;
		pf_diag(p->c, p->f, E1209, h->at, "'%s' is no modifier of an interface", text);
		text = diag_nearest(text, words);
		if (text != NULL)
			diag_help(p->c->diags, "did you mean '%s:%s'?", h->name, text);
		return false;
	}
	if (name_len > LIMIT_IFNAME_BYTES && strchr(h->name, '.') != NULL)
		return true;
	if (name_len == 0 || name_len > LIMIT_IFNAME_BYTES)
		return pf_error(p, E1201, h->at, "'%s' is neither an address nor the name of an "
				"interface", s);
	return true;
}

/* "/LEN" after an address or interface; -1 without */
static bool host_len(struct pf_parser *p, struct pf_host *h, unsigned int max)
{
	const struct span at = p->t.at;
	uint32_t n;

	h->len = -1;
	if (p->t.kind != '/')
		return true;
	pf_next(p);
	if (p->t.kind == PT_WORD && all_digits(p->t.text, p->t.len) && p->t.len < 9) {
		n = 0;
		for (uint32_t i = 0; i < p->t.len; i++)
			n = n * 10 + (uint32_t)(p->t.text[i] - '0');
		if (n > max)
			return pf_error(p, E1202, span_join(at, p->t.at),
					"length /%u is not in 0..%u", n, max);
		h->len = (int16_t)n;
		pf_next(p);
		return true;
	}
	return pf_unexpected(p, "the length of a prefix", 0);
}

/* IPv4 in one to four parts; missing ones are 0, and only a prefix may lack them */
static bool parse_v4_parts(const char *s, struct addr *ret, unsigned int *ret_parts)
{
	unsigned int parts = 0;
	uint32_t v = 0;

	for (;;) {
		unsigned int part = 0, digits = 0;

		while (isdigit((unsigned char)*s) && digits < 4) {
			part = part * 10 + (unsigned int)(*s++ - '0');
			digits++;
		}
		if (digits == 0 || part > 255)
			return false;
		v = v << 8 | part;
		if (++parts == 4 || *s == '\0')
			break;
		if (*s++ != '.')
			return false;
	}
	if (*s != '\0')
		return false;
	*ret = (struct addr){ AF_V4, (u128)v << (8 * (4 - parts)) };
	*ret_parts = parts;
	return true;
}

static bool looks_like_address(const char *s)
{
	const char *colon = strchr(s, ':');

	if (s[strspn(s, "0123456789.-")] == '\0')
		return true;
	return colon != NULL && strchr(colon + 1, ':') != NULL &&
	       s[strspn(s, "0123456789abcdefABCDEF:.")] == '\0';
}

/* The address of a word; @ret_parts < 4 for "10.1" */
static bool word_addr(struct pf_parser *p, struct pf_host *h, const char *s,
		      unsigned int *ret_parts)
{
	const char *percent = strchr(s, '%');
	const size_t len = percent != NULL ? (size_t)(percent - s) : strlen(s);

	*ret_parts = 4;
	if (addr_parse(s, len, &h->p.a) == 0) {
		if (percent != NULL)
			h->name = intern_cstr(p->c->names, percent + 1);
		return percent == NULL || h->p.a.af == AF_V6;
	}
	return parse_v4_parts(s, &h->p.a, ret_parts);
}

/* "a - b", standing before "-" */
static bool host_range(struct pf_parser *p, struct pf_host *h)
{
	struct pf_host last = { .at = { 0 } };
	unsigned int parts;

	pf_next(p);
	if (p->t.kind != PT_WORD || !word_addr(p, &last, pf_token_str(p), &parts) || parts != 4)
		return pf_unexpected(p, "the last address of the range", 0);
	h->at = span_join(h->at, p->t.at);
	pf_next(p);
	if (last.p.a.af != h->p.a.af || last.p.a.v < h->p.a.v)
		return pf_error(p, E1201, h->at, "the range ends before it begins, or in another "
				"address family");
	h->kind = PH_RANGE;
	h->hi = last.p.a;
	return true;
}

static bool bad_address(struct pf_parser *p, struct span at, const char *s)
{
	pf_diag(p->c, p->f, E1201, at, "'%s' is not an address", s);
	if (strchr(s, '-') != NULL && strchr(s, '.') != NULL)
		diag_help(p->c->diags, "a range has blanks around its '-'");
	return false;
}

static bool host_word(struct pf_parser *p, struct pf_host *h)
{
	char s[LIMIT_WORD_BYTES + 1];	/* not interned: a table may have 50,000 */
	unsigned int parts;

	if (p->t.len > LIMIT_WORD_BYTES)
		return pf_error(p, E1109, p->t.at, "a name of %u bytes is longer than %u",
				p->t.len, LIMIT_WORD_BYTES);
	memcpy(s, p->t.text, p->t.len);
	s[p->t.len] = '\0';

	h->at = p->t.at;
	if (p->t.kind == PT_STRING && strchr(s, '/') != NULL) {
		if (prefix_parse(s, strlen(s), &h->p) != 0)
			return bad_address(p, h->at, s);
		h->kind = PH_ADDR;
		pf_next(p);
		return true;
	}
	if (word_addr(p, h, s, &parts)) {
		pf_next(p);
		if (p->t.kind == '-' && parts == 4)
			return host_range(p, h);
		if (parts < 4 && p->t.kind != '/') {
			bad_address(p, h->at, s);
			diag_help(p->c->diags, "an address has four parts; only a prefix may be "
				  "shorter, as in 10/8");
			return false;
		}
		if (!host_len(p, h, addr_bits(h->p.a.af)))
			return false;
		h->kind = PH_ADDR;
		h->p.len = (uint8_t)(h->len >= 0 ? (unsigned int)h->len : addr_bits(h->p.a.af));
		return true;
	}
	if (looks_like_address(s))
		return bad_address(p, h->at, s);
	if (s[strcspn(s, ".")] == '.' && s[strspn(s, "0123456789.")] == ':') {
		bad_address(p, h->at, s);
		diag_help(p->c->diags, "a port has the word 'port' before it");
		return false;
	}
	h->kind = PH_NAME;
	if (!host_name(p, h, s))
		return false;
	pf_next(p);
	return host_len(p, h, 128);
}

/* "(if)", standing behind "(" */
static bool host_dynamic(struct pf_parser *p, struct pf_host *h)
{
	pf_next(p);
	h->kind = PH_DYNAMIC;
	h->at = p->t.at;
	if (!pf_is_name(p) && !pf_is(p, PW_SELF))
		return pf_unexpected(p, "the name of an interface", 0);
	if (!host_name(p, h, pf_token_str(p)))
		return false;
	pf_next(p);
	return pf_expect(p, ')', "')'") && host_len(p, h, 128);
}

static bool host_table(struct pf_parser *p, struct pf_host *h)
{
	pf_next(p);
	h->kind = PH_TABLE;
	h->at = p->t.at;
	if (!pf_is_name(p))
		return pf_unexpected(p, "the name of a table", 0);
	h->name = pf_token_str(p);
	if (strlen(h->name) > 31)
		return pf_error(p, E1109, p->t.at, "the name of a table is longer than 31 bytes");
	pf_next(p);
	return pf_expect(p, '>', "'>'");
}

bool pf_host_item(struct pf_parser *p)
{
	struct pf_host h = { .len = -1, .at = p->t.at };
	bool ok;

	if (p->t.kind == '!') {
		h.is_not = true;
		pf_next(p);
	}
	if (pf_is(p, PW_ANY)) {
		h.at = p->t.at;
		pf_next(p);
		ok = !h.is_not || pf_error(p, E1201, h.at, "'! any' is nothing");
	} else if (pf_is(p, PW_NO_ROUTE) || pf_is(p, PW_URPF_FAILED)) {
		h.kind = pf_is(p, PW_NO_ROUTE) ? PH_NOROUTE : PH_URPF;
		h.at = p->t.at;
		pf_next(p);
		ok = true;
	} else if (p->t.kind == '(') {
		ok = host_dynamic(p, &h);
	} else if (p->t.kind == '<') {
		ok = host_table(p, &h);
	} else if (pf_is_name(p)) {
		ok = host_word(p, &h);
	} else {
		ok = pf_unexpected(p, "an address", 0);
	}
	if (ok && p->hosts.n >= LIMIT_LIST_ITEMS)
		ok = pf_error(p, E1314, h.at, "more than %u addresses in a list", LIMIT_LIST_ITEMS);
	if (ok)
		vec_add(p->c->a, &p->hosts, h);
	return ok;
}
