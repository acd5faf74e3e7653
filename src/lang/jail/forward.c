/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/jail/forward.h"

#include <stddef.h>
#include <string.h>

#include "base/limits.h"
#include "lang/ifaddr.h"
#include "lang/jail/quota.h"

/**
 * struct reader - A forward while its words are read
 * @c:		Context
 * @t:		Its text
 * @pos:	Where the next word starts
 * @f:		What it says so far
 * @is_other:	It may be written in another way than it would be printed
 */
struct reader {
	struct lang_ctx *c;
	const struct text *t;
	uint32_t pos;
	struct decl_forward *f;
	bool is_other;
};

/* The next word, which stands one space behind the one before where it is printed */
static bool next_word(struct reader *r, struct text_word *w)
{
	const char *s = r->t->buf.v;
	const uint32_t from = r->pos, end = r->t->buf.n;
	uint32_t at = from + (from > 0 && s[from] == ' ');
	bool is_some;

	w->lo = at;
	/* The NUL behind the text ends its last word */
	while ((unsigned char)s[at] > ' ')
		at++;
	w->hi = at;
	if (at > w->lo && (at == end || s[at] == ' ')) {
		r->pos = at;
		return true;
	}
	is_some = text_next_word(r->t, &r->pos, end, w);
	r->is_other |= w->lo - from != (is_some && from > 0) ||
		       (w->lo > from && r->t->buf.v[from] != ' ');
	return is_some;
}

/* A decimal number in bytes [@lo, @hi); -1: it is none, or too long to be a port */
static int32_t number(const struct text *t, uint32_t lo, uint32_t hi)
{
	int32_t v = 0;

	if (lo == hi || hi - lo > 5)
		return -1;
	for (uint32_t i = lo; i < hi; i++) {
		if (t->buf.v[i] < '0' || t->buf.v[i] > '9')
			return -1;
		v = v * 10 + (t->buf.v[i] - '0');
	}
	return v;
}

/* Words are short: a call of memchr() takes longer */
static uint32_t find(const struct text *t, uint32_t lo, uint32_t hi, char c)
{
	const char *s = t->buf.v;

	while (lo < hi && s[lo] != c)
		lo++;
	return lo;
}

static bool read_port(struct reader *r, uint32_t lo, uint32_t hi, uint16_t *ret)
{
	const int32_t v = number(r->t, lo, hi);

	if (v < 1 || v > 65535) {
		text_error(r->c, DIAG_E1433, r->t, lo, MAX(hi, lo + 1),
			   "'%.*s' is not a port in 1..65535", (int)(hi - lo), r->t->buf.v + lo);
		return false;
	}
	r->is_other |= r->t->buf.v[lo] == '0';
	*ret = (uint16_t)v;
	return true;
}

/* "N", "N-M", or with @open "N-*", which is as long as @n_ports */
static bool read_range(struct reader *r, uint32_t lo, uint32_t hi, uint32_t n_ports,
		       uint16_t *ret_lo, uint16_t *ret_hi)
{
	const uint32_t dash = find(r->t, lo, hi, '-');
	const bool is_open = n_ports > 0 && dash + 2 == hi && r->t->buf.v[dash + 1] == '*';

	if (!read_port(r, lo, dash, ret_lo))
		return false;
	*ret_hi = *ret_lo;
	r->is_other |= is_open;
	if (is_open) {
		if (*ret_lo + n_ports - 1 > 65535) {
			text_error(r->c, DIAG_E1433, r->t, lo, hi,
				   "the ports %u-* would end above 65535", *ret_lo);
			return false;
		}
		*ret_hi = (uint16_t)(*ret_lo + n_ports - 1);
		return true;
	}
	if (dash == hi)
		return true;
	if (!read_port(r, dash + 1, hi, ret_hi))
		return false;
	if (*ret_hi < *ret_lo) {
		text_error(r->c, DIAG_E1433, r->t, lo, hi, "the range %u-%u is the wrong way round",
			   *ret_lo, *ret_hi);
		return false;
	}
	r->is_other |= *ret_hi == *ret_lo;
	return true;
}

/* "EXT" or "EXT:INT" in bytes [@lo, @hi) */
static bool read_item(struct reader *r, uint32_t lo, uint32_t hi)
{
	const uint32_t colon = find(r->t, lo, hi, ':');
	struct decl_ports p;
	uint32_t n_ports;

	if (!read_range(r, lo, colon, 0, &p.ext_lo, &p.ext_hi))
		return false;
	p.int_lo = p.ext_lo;
	p.int_hi = p.ext_hi;
	n_ports = (uint32_t)(p.ext_hi - p.ext_lo) + 1;
	if (colon < hi && !read_range(r, colon + 1, hi, n_ports, &p.int_lo, &p.int_hi))
		return false;
	if (p.int_hi != p.int_lo && p.int_hi - p.int_lo != p.ext_hi - p.ext_lo) {
		text_error(r->c, DIAG_E1433, r->t, lo, hi,
			   "%u outside ports cannot become %u inside ports", n_ports,
			   p.int_hi - p.int_lo + 1u);
		diag_help(r->c->diags, "'%u-*' takes as many as there are outside", p.int_lo);
		return false;
	}
	if (r->f->ports.n >= LIMIT_LIST_ITEMS) {
		text_error(r->c, DIAG_E1433, r->t, lo, hi, "more than %u ports in one list",
			   LIMIT_LIST_ITEMS);
		return false;
	}
	r->is_other |= colon < hi && p.int_lo == p.ext_lo && p.int_hi == p.ext_hi;
	vec_add(r->c->a, &r->f->ports, p);
	return true;
}

/* The number in at most five digits from @at on; the byte behind it */
static const char *digits(const char *at, const char *end, uint32_t *ret)
{
	const char *stop = end - at > 5 ? at + 5 : end;
	uint32_t v = 0;

	for (; at < stop && (uint8_t)(*at - '0') <= 9; at++)
		v = v * 10 + (uint8_t)(*at - '0');
	*ret = v;
	return at;
}

/* "N" or "N:M" as they are printed, which nearly all are; false: look closer */
static bool read_plain(struct reader *r, struct text_word w)
{
	const char *s = r->t->buf.v, *at = s + w.lo, *end = s + w.hi;
	uint32_t ext, in;

	if (*at == '0')
		return false;
	at = digits(at, end, &ext);
	in = ext;
	if (end - at > 1 && at[0] == ':' && at[1] != '0') {
		at = digits(at + 1, end, &in);
		if (in == ext)
			return false;
	}
	if (at != end || ext < 1 || ext > 65535 || in < 1 || in > 65535)
		return false;
	vec_reserve(r->c->a, &r->f->ports, 1);
	r->f->ports.v[r->f->ports.n++] = (struct decl_ports){
		.ext_lo = (uint16_t)ext, .ext_hi = (uint16_t)ext,
		.int_lo = (uint16_t)in, .int_hi = (uint16_t)in,
	};
	return true;
}

static bool read_ports(struct reader *r, struct text_word w)
{
	uint32_t n = 1;

	if (r->f->ports.n == 0 && read_plain(r, w))
		return true;
	for (uint32_t i = w.lo; i < w.hi; i++)
		n += r->t->buf.v[i] == ',';
	vec_reserve(r->c->a, &r->f->ports, MIN(n, LIMIT_LIST_ITEMS));
	for (uint32_t lo = w.lo, hi; lo <= w.hi; lo = hi + 1) {
		hi = find(r->t, lo, w.hi, ',');
		if (!read_item(r, lo, hi))
			return false;
	}
	return true;
}

/* A list goes on in the next word behind a comma: "80, 443" */
static bool read_port_words(struct reader *r, struct text_word w)
{
	while (w.hi - w.lo > 1 && r->t->buf.v[w.hi - 1] == ',') {
		const struct text_word head = { w.lo, w.hi - 1 }, comma = { w.hi - 1, w.hi };

		r->is_other = true;
		if (!read_ports(r, head))
			return false;
		if (!next_word(r, &w)) {
			text_error(r->c, DIAG_E1432, r->t, comma.lo, comma.hi,
				   "nothing follows ','");
			return false;
		}
	}
	return read_ports(r, w);
}

/* As they are printed */
static const char *const proto_words[] = {
	[DECL_TCP] = "tcp", [DECL_UDP] = "udp", [DECL_TCP | DECL_UDP] = "tcp+udp",
};

static bool read_proto(struct reader *r, struct text_word w)
{
	static const struct { const char *word; uint8_t protos; bool is_other; } protos[] = {
		{ "tcp", DECL_TCP, false },
		{ "udp", DECL_UDP, false },
		{ "tcp+udp", DECL_TCP | DECL_UDP, false },
		{ "udp+tcp", DECL_TCP | DECL_UDP, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(protos) && r->f->protos == 0; i++) {
		if (!text_word_is(r->t, w, protos[i].word))
			continue;
		r->f->protos = protos[i].protos;
		r->is_other |= protos[i].is_other;
	}
	if (r->f->protos == 0)
		text_error(r->c, DIAG_E1432, r->t, w.lo, w.hi,
			   "'%.*s' is none of tcp, udp, tcp+udp", (int)(w.hi - w.lo),
			   r->t->buf.v + w.lo);
	return r->f->protos != 0;
}

static bool read_from(struct reader *r, struct text_word w)
{
	r->is_other = true;
	if (text_word_is(r->t, w, "any"))
		return true;
	if (prefix_parse(r->t->buf.v + w.lo, w.hi - w.lo, &r->f->from) == 0)
		return true;
	text_error(r->c, DIAG_E1434, r->t, w.lo, w.hi, "'%.*s' is not an address or network",
		   (int)(w.hi - w.lo), r->t->buf.v + w.lo);
	return false;
}

static bool read_on(struct reader *r, struct text_word w)
{
	if (!ifname_is_good(r->t->buf.v + w.lo, w.hi - w.lo)) {
		text_error(r->c, DIAG_E1418, r->t, w.lo, w.hi,
			   "'%.*s' cannot be an interface's name", (int)(w.hi - w.lo),
			   r->t->buf.v + w.lo);
		return false;
	}
	r->f->on = intern_str(r->c->names, r->t->buf.v + w.lo, w.hi - w.lo);
	return true;
}

static bool read_to(struct reader *r, struct text_word w)
{
	if (addr_parse(r->t->buf.v + w.lo, w.hi - w.lo, &r->f->to) == 0) {
		/* An IPv4 address is written in one way only */
		r->is_other |= r->f->to.af != AF_V4;
		return true;
	}
	text_error(r->c, DIAG_E1434, r->t, w.lo, w.hi, "'%.*s' is not an address",
		   (int)(w.hi - w.lo), r->t->buf.v + w.lo);
	return false;
}

static bool read_max(struct reader *r, struct text_word w)
{
	r->is_other = true;
	return jail_quota_max(r->c, r->t, w, &r->f->quota);
}

static bool read_rate(struct reader *r, struct text_word w)
{
	r->is_other = true;
	return jail_quota_rate(r->c, r->t, w, &r->f->quota);
}

/**
 * struct option - A word after the ports
 * @word:	Its name
 * @read:	Takes the word that follows; NULL: none does
 * @flag:	Where the flag is that it sets, in struct decl_forward
 */
static const struct option {
	const char *word;
	bool (*read)(struct reader *r, struct text_word w);
	size_t flag;
} options[] = {
	{ "from", read_from, 0 },
	{ "on", read_on, 0 },
	{ "to", read_to, 0 },
	{ "max", read_max, 0 },
	{ "rate", read_rate, 0 },
	{ "log", NULL, offsetof(struct decl_forward, is_log) },
	{ "filtered", NULL, offsetof(struct decl_forward, is_filtered) },
	{ "share", NULL, offsetof(struct decl_forward, is_shared) },
};

/* The option that a word names; told if there is none, or it was there before */
static const struct option *find_option(struct reader *r, struct text_word w, uint32_t *seen)
{
	static const char *const names[] = { "from", "on", "to", "max", "rate", "log", "filtered",
					     "share", NULL };
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (!text_word_is(r->t, w, options[i].word))
			continue;
		if ((*seen & 1u << i) != 0) {
			text_error(r->c, DIAG_E1432, r->t, w.lo, w.hi, "'%s' stands twice",
				   options[i].word);
			return NULL;
		}
		r->is_other |= *seen >> i != 0;
		*seen |= 1u << i;
		return &options[i];
	}
	near = diag_nearest(text_word_str(r->c->a, r->t, w), names);
	text_error(r->c, DIAG_E1432, r->t, w.lo, w.hi, "'%.*s' is not a word of a forward",
		   (int)(w.hi - w.lo), r->t->buf.v + w.lo);
	if (near != NULL)
		diag_help(r->c->diags, "did you mean '%s'?", near);
	return NULL;
}

static bool read_options(struct reader *r)
{
	struct text_word w, value;
	uint32_t seen = 0;

	while (next_word(r, &w)) {
		const struct option *o = find_option(r, w, &seen);

		if (o == NULL)
			return false;
		if (o->read == NULL) {
			*(bool *)((char *)r->f + o->flag) = true;
			continue;
		}
		if (!next_word(r, &value)) {
			text_error(r->c, DIAG_E1432, r->t, w.lo, w.hi, "nothing follows '%s'",
				   o->word);
			return false;
		}
		if (!o->read(r, value))
			return false;
	}
	return true;
}

/* Addresses of both families in one forward can never meet */
static bool check_families(struct reader *r)
{
	const struct decl_forward *f = r->f;

	if (f->to.af == AF_NONE || f->from.a.af == AF_NONE || f->to.af == f->from.a.af)
		return true;
	text_error(r->c, DIAG_E1434, r->t, 0, r->t->buf.n,
		   "'from' is of IPv%d and 'to' of IPv%d", f->from.a.af, f->to.af);
	return false;
}

#define PRINT_BYTES	512u	/* more than all is but the ports, of which each has: */
#define PORTS_BYTES	24u

static char *put_number(char *at, uint16_t v)
{
	char digits[5];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	while (i < sizeof(digits))
		*at++ = digits[i++];
	return at;
}

static char *put_range(char *at, uint16_t lo, uint16_t hi)
{
	at = put_number(at, lo);
	if (hi == lo)
		return at;
	*at++ = '-';
	return put_number(at, hi);
}

static char *put_ports(char *at, const struct decl_forward *f)
{
	for (uint32_t i = 0; i < f->ports.n; i++) {
		const struct decl_ports *p = &f->ports.v[i];

		*at++ = i > 0 ? ',' : ' ';
		at = put_range(at, p->ext_lo, p->ext_hi);
		if (p->int_lo == p->ext_lo && p->int_hi == p->ext_hi)
			continue;
		*at++ = ':';
		at = put_range(at, p->int_lo, p->int_hi);
	}
	return at;
}

static char *put_option(char *at, const char *word, const char *value)
{
	return stpcpy(stpcpy(at, word), value);
}

static bool has_room(const struct decl_forward *f, size_t room)
{
	return PRINT_BYTES + (size_t)f->ports.n * PORTS_BYTES <= room;
}

/* Not by printf: each of 100,000 forwards is printed once; the end of the text */
static char *print(char *at, const struct decl_forward *f)
{
	char text[MAX(ADDR_TEXT_BYTES, 64)];

	at = put_ports(stpcpy(at, proto_words[f->protos]), f);
	if (f->from.a.af != AF_NONE)
		at = put_option(at, " from ", prefix_print(f->from, text));
	if (f->on != NULL)
		at = put_option(at, " on ", f->on);
	if (f->to.af != AF_NONE)
		at = put_option(at, " to ", addr_print(f->to, text));
	at = stpcpy(at, jail_quota_print(&f->quota, text));
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].read == NULL && *(const bool *)((const char *)f + options[i].flag))
			at = put_option(at, " ", options[i].word);
	return at;
}

/* Printed text of unusual length, which does not stay longer than it is */
static const char *print_long(struct arena *a, const struct decl_forward *f)
{
	const size_t room = PRINT_BYTES + (size_t)f->ports.n * PORTS_BYTES;
	char *text = arena_alloc(a, room);

	arena_trim(a, text, room, (size_t)(print(text, f) - text) + 1);
	return text;
}

const char *forward_print(struct arena *a, const struct decl_forward *f)
{
	char room[PRINT_BYTES + 16 * PORTS_BYTES];

	if (!has_room(f, sizeof(room)))
		return print_long(a, f);
	return arena_strndup(a, room, (size_t)(print(room, f) - room));
}

bool jail_forward_parse(struct lang_ctx *c, const struct text *t, struct decl_forward *ret)
{
	struct reader r = { .c = c, .t = t, .f = ret };
	struct text_word proto, ports;

	*ret = (struct decl_forward){ .at = t->at };

	if (!next_word(&r, &proto) || !read_proto(&r, proto)) {
		if (t->buf.n == 0)
			text_error(c, DIAG_E1432, t, 0, 0, "an empty forward");
		return false;
	}
	if (!next_word(&r, &ports)) {
		text_error(c, DIAG_E1432, t, 0, t->buf.n, "a forward without ports");
		diag_help(c->diags, "as in \"tcp 8443:443\"");
		return false;
	}
	if (!read_port_words(&r, ports) || !read_options(&r) || !check_families(&r))
		return false;
	/* There may be 100,000, and nearly all are written as they are printed */
	ret->text = r.is_other ? forward_print(c->a, ret) : t->buf.v;
	return true;
}

bool jail_nat_parse(struct lang_ctx *c, const struct text *t, struct decl_nat *ret)
{
	const uint32_t end = t->buf.n, bar = find(t, 0, end, '|');
	struct decl_nat n = { .at = t->at };

	if (!ifname_is_good(t->buf.v, bar)) {
		text_error(c, DIAG_E1418, t, 0, bar, "'%.*s' cannot be an interface's name",
			   (int)bar, t->buf.v);
		return false;
	}
	if (bar < end && addr_parse(t->buf.v + bar + 1, end - bar - 1, &n.as) != 0) {
		text_error(c, DIAG_E1435, t, bar + 1, end, "'%.*s' is not an address",
			   (int)(end - bar - 1), t->buf.v + bar + 1);
		diag_help(c->diags, "$nat = \"igb0\" or \"igb0|203.0.113.5\"");
		return false;
	}
	n.iface = intern_str(c->names, t->buf.v, bar);
	*ret = n;
	return true;
}

bool forward_read_at(struct lang_ctx *c, struct span at, struct decl_forward *ret)
{
	const struct source *s = source_at(c->sources, at.src);
	struct text t = { .at = at };

	text_add(c->a, &t, s->text + at.lo, at.hi - at.lo, at, true);
	text_finish(c->a, &t);
	return jail_forward_parse(c, &t, ret);
}

bool forward_read(struct lang_ctx *c, uint32_t src, struct decl_forward *ret)
{
	const struct span at = { src, 0, source_at(c->sources, src)->len };

	return lang_check_text(c, src) && forward_read_at(c, at, ret);
}
