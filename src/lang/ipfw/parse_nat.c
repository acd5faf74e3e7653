/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <string.h>
#include <sysexits.h>

#include "lang/ipfw/parse.h"
#include "net/names.h"

static bool bad(struct parser *p, const char *what, const char *word)
{
	diag_add(p->c->diags, DIAG_E2013, p->w.v[p->i - 1].at, "%s: '%s'", what, word);
	return false;
}

/* The next word, or a complaint */
static const char *take_text(struct parser *p, const char *what)
{
	if (p_peek(p) == NULL) {
		p_missing(p, what);
		return NULL;
	}
	return p_take(p)->text;
}

/* An IPv4 address of @len bytes; a name is not looked up */
static bool address(struct parser *p, const char *s, size_t len, struct addr *ret)
{
	if (text_ipv4(s, len, ret, NULL))
		return true;
	return bad(p, "not an IPv4 address", arena_strndup(p->c->a, s, len));
}

/* P or P-Q */
static bool port_range(struct parser *p, const char *s, size_t len, uint16_t *lo, uint16_t *hi)
{
	const char *dash = memchr(s, '-', len);
	int first = service_parse(s, len), last = first;

	if (first == -ENOENT && dash != NULL) {
		first = service_parse(s, (size_t)(dash - s));
		last = service_parse(dash + 1, len - (size_t)(dash - s) - 1);
	}
	if (first <= 0 || last < first) {
		diag_add(p->c->diags, first == -ERANGE || last == -ERANGE ? DIAG_E2009 : DIAG_E2013,
			 p->w.v[p->i - 1].at, "'%.*s' is no port and no range of ports of 1..65535",
			 (int)MIN(len, 80u), s);
		return false;
	}
	*lo = (uint16_t)first;
	*hi = (uint16_t)last;
	return true;
}

/* "A:P[-Q]" */
static bool endpoint(struct parser *p, const char *s, size_t len, struct addr *a, uint16_t *lo,
		     uint16_t *hi)
{
	const char *colon = memchr(s, ':', len);

	if (colon == NULL)
		return bad(p, "ADDRESS:PORT is needed", arena_strndup(p->c->a, s, len));
	return address(p, s, (size_t)(colon - s), a) &&
	       port_range(p, colon + 1, len - (size_t)(colon - s) - 1, lo, hi);
}

/* Inside members: A:P[-Q], or A:P,B:P,...; *@n = ports in the range */
static bool targets(struct parser *p, const char *s, struct redirect *r, uint32_t *n)
{
	const bool pool = strchr(s, ',') != NULL;

	for (;; s++) {
		const size_t len = strcspn(s, ",");
		struct redirect_to to;
		uint16_t hi;

		if (!endpoint(p, s, len, &to.a, &to.port, &hi))
			return false;
		*n = (uint32_t)(hi - to.port) + 1;
		if (pool && *n > 1)
			return bad(p, "a range of ports for several addresses", s);
		vec_add(p->c->a, &r->to, to);
		s += len;
		if (*s == '\0')
			return true;
	}
}

static bool has_peer(const struct parser *p)
{
	return p_peek(p) != NULL && !isalpha((unsigned char)p_peek(p)[0]);
}

/* The optional last word of a redirect: A[:P[-Q]] */
static bool peer(struct parser *p, struct redirect *r, uint32_t n)
{
	const char *s, *colon;

	if (!has_peer(p))
		return true;
	s = p_take(p)->text;
	colon = strchr(s, ':');
	if (!address(p, s, colon != NULL ? (size_t)(colon - s) : strlen(s), &r->peer))
		return false;
	if (colon == NULL || strcmp(colon, ":0") == 0)
		return true;
	if (!port_range(p, colon + 1, strlen(colon + 1), &r->peer_lo, &r->peer_hi))
		return false;
	if (r->peer_hi != r->peer_lo || n == 1)
		return r->peer_hi == r->peer_lo || bad(p, "a range of remote ports", s);
	return true;
}

static bool redirect_port(struct parser *p, struct redirect *r)
{
	const char *s = take_text(p, "the protocol of redirect_port");
	const char *colon;
	uint32_t n = 0;

	if (s == NULL)
		return false;
	r->proto = (int16_t)proto_parse(s, strlen(s));
	if (r->proto != PROTO_TCP && r->proto != PROTO_UDP && r->proto != PROTO_SCTP)
		return bad(p, "redirect_port is for tcp, udp and sctp, not", s);
	s = take_text(p, "where redirect_port leads to");
	if (s == NULL || !targets(p, s, r, &n))
		return false;
	s = take_text(p, "the outside port of redirect_port");
	if (s == NULL)
		return false;
	r->has_ports = true;
	colon = strchr(s, ':');
	if (colon != NULL && !address(p, s, (size_t)(colon - s), &r->outside))
		return false;
	if (r->outside.v == 0)
		r->outside.af = AF_NONE;
	s = colon != NULL ? colon + 1 : s;
	if (!port_range(p, s, strlen(s), &r->lo, &r->hi))
		return false;
	if ((uint32_t)(r->hi - r->lo) + 1 != n)
		return bad(p, "inside and outside ports are not as many", s);
	return peer(p, r, n);
}

static bool redirect_addr(struct parser *p, struct redirect *r)
{
	const char *s = take_text(p, "where redirect_addr leads to");

	for (; s != NULL; s++) {
		const size_t len = strcspn(s, ",");
		struct redirect_to to = { .port = 0 };

		if (!address(p, s, len, &to.a))
			return false;
		vec_add(p->c->a, &r->to, to);
		s += len;
		if (*s == '\0')
			break;
	}
	s = s != NULL ? take_text(p, "the outside address of redirect_addr") : NULL;
	if (s == NULL || !address(p, s, strlen(s), &r->outside))
		return false;
	if (r->outside.v == 0)
		r->outside.af = AF_NONE;
	return true;
}

static bool redirect_proto(struct parser *p, struct redirect *r)
{
	const char *s = take_text(p, "the protocol of redirect_proto");
	struct redirect_to to = { .port = 0 };

	if (s == NULL)
		return false;
	r->proto = (int16_t)proto_parse(s, strlen(s));
	if (r->proto < 0)
		return bad(p, "unknown protocol", s);
	s = take_text(p, "where redirect_proto leads to");
	if (s == NULL || !address(p, s, strlen(s), &to.a))
		return false;
	vec_add(p->c->a, &r->to, to);
	if (has_peer(p)) {
		s = p_take(p)->text;
		if (!address(p, s, strlen(s), &r->outside))
			return false;
		if (r->outside.v == 0)
			r->outside.af = AF_NONE;
	}
	return peer(p, r, 1);
}

/* A redirect, its canonical text being the words themselves */
static bool redirect(struct parser *p, struct ipfw_nat *n, enum iw word)
{
	static bool (*const how[])(struct parser *, struct redirect *) = {
		redirect_port, redirect_addr, redirect_proto,
	};
	struct redirect r = { .proto = -1 };
	const char *text = iw_text(word);
	const uint32_t first = p->i;

	if (!how[word - IW_N_REDIRECT_PORT](p, &r))
		return false;
	for (uint32_t i = first; i < p->i; i++)
		text = arena_printf(p->c->a, "%s %s", text, p->w.v[i].text);
	vec_add(p->c->a, &n->redirects, r);
	vec_add(p->c->a, &n->texts, text);
	return true;
}

static bool nat_if(struct parser *p, struct ipfw_nat *n)
{
	const char *s = take_text(p, "the interface");

	if (s == NULL)
		return false;
	n->iface = intern_cstr(p->c->names, s);
	n->iface_at = p->w.v[p->i - 1].at;
	n->ip.af = AF_NONE;
	return true;
}

static bool nat_ip(struct parser *p, struct ipfw_nat *n)
{
	const char *s = take_text(p, "the address");

	n->iface = NULL;
	return s != NULL && address(p, s, strlen(s), &n->ip);
}

static bool nat_port_range(struct parser *p, struct ipfw_nat *n)
{
	const char *s = take_text(p, "the range of ports");

	if (s == NULL || !port_range(p, s, strlen(s), &n->lo, &n->hi))
		return false;
	return (n->lo >= 1024 && n->hi > n->lo) ||
	       bad(p, "port_range is LOW-HIGH, LOW 1024 or more", s);
}

static bool config_word(struct parser *p, struct ipfw_nat *n)
{
	const struct iw_row *row = iw_find(IWK_NATWORD, p_peek(p));

	if (row == NULL)
		return p_unknown(p, DIAG_E2003, IWK_NATWORD, "option");
	p_take(p);
	if (row->how == IWH_REFUSED)
		return p_refuse(p, row, p->w.v[p->i - 1].at);
	switch (row->word) {
	case IW_N_IP:
		return nat_ip(p, n);
	case IW_N_IF:
		return nat_if(p, n);
	case IW_N_PORT_RANGE:
		return nat_port_range(p, n);
	case IW_N_REDIRECT_PORT:
	case IW_N_REDIRECT_ADDR:
	case IW_N_REDIRECT_PROTO:
		return redirect(p, n, row->word);
	default:
		n->flags |= IPFW_NAT_FLAG(row->word);
		p_note(p, row, p->w.v[p->i - 1].at);
		return true;
	}
}

static bool config(struct parser *p, uint32_t number)
{
	struct ipfw_nat n = { .number = number, .at = p->cmd->at };
	struct ipfw_nat *old = ipfw_find_nat(p->rs, number);

	if (p_peek(p) == NULL)
		return p_missing(p, "what to configure, as in ``if em0''");
	while (p_peek(p) != NULL)
		if (!config_word(p, &n))
			return false;
	p_line(p, ipfw_nat_line(p->c->a, &n, false));
	p_reply(p, 0, "ipfw %s", ipfw_nat_line(p->c->a, &n, true));
	if (old != NULL)
		*old = n;
	else
		vec_add(p->c->a, &p->rs->nats, n);
	return true;
}

static bool delete(struct parser *p, uint32_t number)
{
	for (uint32_t i = 0; i < p->rs->nats.n; i++) {
		if (p->rs->nats.v[i].number != number)
			continue;
		for (; i + 1 < p->rs->nats.n; i++)
			p->rs->nats.v[i] = p->rs->nats.v[i + 1];
		p->rs->nats.n--;
		p_line(p, arena_printf(p->c->a, "nat %u delete", number));
		return true;
	}
	diag_add(p->c->diags, DIAG_N2034, p->cmd->at, "there is no nat instance %u", number);
	p_reply(p, EX_UNAVAILABLE, "nat %u not available", number);
	return true;
}

/* "nat N config ...", "nat config N ...", and the same with show and delete */
bool parse_nat(struct parser *p)
{
	static const char *const verbs[] = { "config", "delete", "show" };
	size_t verb = ARRAY_SIZE(verbs);
	uint32_t number = 0;
	bool has_number = false;

	for (int round = 0; round < 2 && p_peek(p) != NULL; round++) {
		if (!has_number && isdigit((unsigned char)p_peek(p)[0])) {
			if (!p_number(p, 1, 65535, "nat instance", &number))
				return false;
			has_number = true;
			continue;
		}
		if (verb < ARRAY_SIZE(verbs))
			break;
		for (verb = 0; verb < ARRAY_SIZE(verbs); verb++)
			if (strcmp(verbs[verb], p_peek(p)) == 0)
				break;
		if (verb == ARRAY_SIZE(verbs))
			return p_unknown(p, DIAG_E2001, IWK_NATWORD, "command of nat");
		p_take(p);
	}
	if (verb == 2) {
		p->i = p->w.n;	/* shows; changes nothing */
		return true;
	}
	if (verb > 2)
		return p_missing(p, "config, delete or show");
	if (!has_number)
		return p_missing(p, "the number of the nat instance");
	return verb == 0 ? config(p, number) : delete(p, number);
}
