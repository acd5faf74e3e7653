/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The printed form of expressions differs between versions of libnftnl, and
 * the kernel adds values of its own (counters); both sides of a comparison are
 * therefore printed by the same code in the same run, here and nowhere else: the
 * common ones by our own (expr_text.h), the others by the library.
 */
#include "target/nft/kernel.h"

#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "nl/batch.h"
#include "target/nft/expr_text.h"
#include "target/nft/held.h"
#include "target/nft/stmt.h"

#define EXPR_TEXT_BYTES	2048u
#define RULE_TEXT_BYTES	8192u
#define TYPE_BITS	6u		/* of one type in a concatenation's number */
#define VERDICT_TYPE	0xffffff00u	/* NFT_DATA_VERDICT as a set's data type */

const char *nft_family_text(uint8_t family)
{
	static const char *const names[] = {
		[NFPROTO_INET] = "inet", [NFPROTO_IPV4] = "ip", [NFPROTO_ARP] = "arp",
		[NFPROTO_NETDEV] = "netdev", [NFPROTO_BRIDGE] = "bridge", [NFPROTO_IPV6] = "ip6",
	};

	return family < ARRAY_SIZE(names) && names[family] != NULL ? names[family] : "unknown";
}

static struct nft_line *add_line(struct nft_lines *l, enum nft_object kind, uint8_t family,
				 const char *key)
{
	struct nft_line *line = vec_push(l->a, &l->list);

	line->kind = kind;
	line->family = family;
	line->key = key;
	line->text = "";
	line->origin = NFT_NO_ORIGIN;
	return line;
}

int nft_lines_cmp(const struct nft_line *x, const struct nft_line *y)
{
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return strcmp(x->key, y->key);
}

static int compare(const void *a, const void *b)
{
	const struct nft_line *x = a, *y = b;
	const int order = nft_lines_cmp(x, y);

	if (order != 0 || x->position == y->position)
		return order;
	return x->position < y->position ? -1 : 1;
}

void nft_lines_sort(struct nft_lines *l)
{
	if (l->list.n > 0)
		qsort(l->list.v, l->list.n, sizeof(*l->list.v), compare);
}

void nft_add_table_line(struct nft_lines *l, uint8_t family, uint32_t flags)
{
	struct nft_line *line = add_line(l, NFT_O_TABLE, family, "");

	line->name = NFT_TABLE;
	/* A dormant table is there with all its rules, and none of them counts */
	line->text = flags == 0 ? "" : arena_printf(l->a, "flags %x", flags);
}

void nft_add_set_line(struct nft_lines *l, uint8_t family, const char *name,
		      const struct nft_set_text *t)
{
	struct nft_line *line = add_line(l, NFT_O_SET, family, name);

	line->name = name;
	/* The kernel says of verdicts how long its own structure is */
	line->text = arena_printf(l->a, "%x %x %u %x %u %u %lu", t->flags, t->key_type, t->key_len,
				  t->data_type, t->data_type == VERDICT_TYPE ? 0 : t->data_len,
				  t->size, (unsigned long)t->timeout_ms);
}

void nft_add_chain_line(struct nft_lines *l, uint8_t family, const char *name, const char *type,
			uint32_t hook, int32_t prio, uint32_t policy)
{
	struct nft_line *line = add_line(l, NFT_O_CHAIN, family, name);

	line->name = name;
	line->is_base = type != NULL;
	if (type != NULL)
		line->text = arena_printf(l->a, "%s %u %d %u", type, hook, prio, policy);
}

bool nft_is_ours(const char *table)
{
	return strncmp(table, NFT_TABLE, sizeof(NFT_TABLE) - 1) == 0;
}

static void put_hex(char *to, const void *data, uint32_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = data;

	for (uint32_t i = 0; i < len; i++) {
		to[2 * i] = digits[b[i] >> 4];
		to[2 * i + 1] = digits[b[i] & 15];
	}
	to[2 * (size_t)len] = '\0';
}

/* What an element says besides its key: "DATA CHAIN COMMENT", of which the last is kept here */
static void put_elem_text(struct arena *a, const struct nft_elem_bytes *e, struct nft_line *line)
{
	const char *chain = e->chain != NULL ? e->chain : "";
	const char *comment = e->comment != NULL ? e->comment : "";
	const size_t hex_len = e->data != NULL ? 2 * (size_t)e->data_len : 0;
	const size_t comment_len = strlen(comment);
	char *text = arena_alloc(a, hex_len + strlen(chain) + comment_len + sizeof("  "));
	char *at = text + hex_len;

	if (e->data != NULL)
		put_hex(text, e->data, e->data_len);
	*at++ = ' ';
	at = stpcpy(at, chain);
	*at++ = ' ';
	memcpy(at, comment, comment_len + 1);
	line->text = text;
	line->comment = e->comment != NULL ? at : NULL;
}

struct nft_line *nft_add_elem_line(struct nft_lines *l, uint8_t family,
				   const struct nft_elem_bytes *e)
{
	const size_t set_len = strlen(e->set);
	const size_t hex_len = (e->key_end != NULL ? 4 : 2) * (size_t)e->key_len;
	char *key = arena_alloc(l->a, set_len + hex_len + sizeof("  end"));
	struct nft_line *line;

	memcpy(key, e->set, set_len);
	key[set_len] = ' ';
	put_hex(key + set_len + 1, e->key, e->key_len);
	if (e->key_end != NULL) {
		key[set_len + 1 + 2 * (size_t)e->key_len] = '-';
		put_hex(key + set_len + 2 + 2 * (size_t)e->key_len, e->key_end, e->key_len);
	}
	if (e->is_end)
		memcpy(key + set_len + 1 + 2 * (size_t)e->key_len, " end", sizeof(" end"));
	line = add_line(l, NFT_O_ELEM, family, key);
	line->name = e->set;
	line->is_end = e->is_end;
	/* Tables have many thousands that say nothing but their key */
	if (e->data != NULL || e->chain != NULL || e->comment != NULL)
		put_elem_text(l->a, e, line);
	return line;
}

/* One parse of the comment in a rule's user data */
static const char *rule_comment(struct arena *a, const struct nftnl_rule *r)
{
	uint32_t len;
	const uint8_t *b = nftnl_rule_get_data(r, NFTNL_RULE_USERDATA, &len);

	/* type, length, text with its NUL */
	if (b == NULL || len < 3 || b[0] != NFTNL_UDATA_RULE_COMMENT || b[1] > len - 2)
		return "";
	return arena_strndup(a, (const char *)b + 2, strnlen((const char *)b + 2, b[1]));
}

static void take_counter(const struct nftnl_expr *e, struct nft_counted *ret)
{
	if (ret == NULL)
		return;
	ret->packets += nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
	ret->bytes += nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_BYTES);
}

/* The kernel gives "no timeout" back as one of 0 */
static void drop_no_timeout(char *text)
{
	static const char none[] = " timeout 0ms";
	char *at = strstr(text, none);

	if (at != NULL)
		memmove(at, at + sizeof(none) - 1, strlen(at + sizeof(none) - 1) + 1);
}

/* An expression at @to, where there is room for any; its length */
static size_t put_expr(char *to, const struct nftnl_expr *e, struct nft_counted *ret)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	char *at = to;

	*at++ = '[';
	at = stpcpy(at, name);
	*at++ = ' ';
	*at = '\0';
	if (strcmp(name, "counter") == 0)
		take_counter(e, ret);
	else if (nft_expr_put(at, EXPR_TEXT_BYTES / 2, e, name) == 0)
		nftnl_expr_snprintf(at, EXPR_TEXT_BYTES / 2, e, NFTNL_OUTPUT_DEFAULT, 0);
	if (strcmp(name, "dynset") == 0)
		drop_no_timeout(at);
	at += strlen(at);
	*at++ = ']';
	*at = '\0';
	return (size_t)(at - to);
}

const char *nft_exprs_text(struct arena *a, const struct nftnl_rule *r, struct nft_counted *ret)
{
	struct nftnl_expr_iter *it = nftnl_expr_iter_create(r);
	const struct nftnl_expr *e;
	const char *text = "";
	char buf[RULE_TEXT_BYTES];
	size_t len = 0;

	BUG_IF(it == NULL);
	buf[0] = '\0';
	while ((e = nftnl_expr_iter_next(it)) != NULL) {
		/* Most rules fit at once; none of ours says more than this in one expression */
		if (sizeof(buf) - len < EXPR_TEXT_BYTES) {
			text = arena_printf(a, "%s%s", text, buf);
			len = 0;
		}
		len += put_expr(buf + len, e, ret);
	}
	nftnl_expr_iter_destroy(it);
	return text[0] == '\0' ? arena_strndup(a, buf, len) : arena_printf(a, "%s%s", text, buf);
}

struct nft_line *nft_add_rule_line(struct nft_lines *l, uint8_t family, const char *chain,
				   uint32_t position, const struct nftnl_rule *r)
{
	struct nft_counted n = { 0 };
	const char *exprs = nft_exprs_text(l->a, r, &n);
	const char *comment = rule_comment(l->a, r);
	char *key = arena_alloc(l->a, strlen(chain) + sizeof(" ") + strlen(exprs));
	struct nft_line *line;

	stpcpy(stpcpy(stpcpy(key, chain), " "), exprs);
	line = add_line(l, NFT_O_RULE, family, key);
	line->name = chain;
	line->position = position;
	line->handle = nftnl_rule_get_u64(r, NFTNL_RULE_HANDLE);
	line->text = comment;
	line->comment = comment[0] != '\0' ? comment : NULL;
	line->packets = n.packets;
	line->bytes = n.bytes;
	return line;
}

/* ---- of a program ----------------------------------------------------------- */

static uint32_t concat_type(const enum nft_type *types, uint8_t n)
{
	uint32_t t = 0;

	for (uint8_t i = 0; i < n; i++)
		t = t << TYPE_BITS | nft_types[types[i]].number;
	return t;
}

struct nft_set_text nft_set_props(const struct nft_set *s)
{
	const bool is_map = s->n_datas > 0 || s->is_vmap;

	return (struct nft_set_text){
		.flags = (s->is_interval ? NFT_SET_INTERVAL : 0u) | (is_map ? NFT_SET_MAP : 0u) |
			 (s->is_interval && s->n_keys > 1 ? NFT_SET_CONCAT : 0u) |
			 (s->is_dynamic ? NFT_SET_EVAL : 0u) |
			 (s->is_dynamic && s->timeout_ms > 0 ? NFT_SET_TIMEOUT : 0u),
		.key_type = concat_type(s->keys, s->n_keys),
		.key_len = s->key_len,
		.data_type = s->is_vmap ? VERDICT_TYPE : concat_type(s->datas, s->n_datas),
		.data_len = s->data_len,
		.size = s->size,
		.timeout_ms = s->timeout_ms,
	};
}

/* The value after @b, of one type; false if there is none */
static bool next_value(const struct nft_type_info *t, const uint8_t *b, uint8_t *ret)
{
	memcpy(ret, b, t->len);
	for (uint32_t i = t->len; i-- > 0;)
		if (++ret[i] != 0)
			return true;
	return false;
}

static void each_range(const struct nft_set *s, nft_elem_fn *fn, void *arg)
{
	static const uint8_t zero[NFT_VALUE_BYTES];
	const struct nft_type_info *t = &nft_types[s->keys[0]];
	struct nft_elem_bytes e = { .set = s->name, .key_len = t->len };
	uint8_t end[NFT_VALUE_BYTES];

	/* A set starts with "not from 0", as nft does it */
	if (s->elems.n > 0 && memcmp(s->elems.v[0].key, zero, t->len) != 0) {
		e.key = zero;
		e.is_end = true;
		fn(&e, NFT_NO_ORIGIN, arg);
	}
	for (uint32_t i = 0; i < s->elems.n; i++) {
		e.key = s->elems.v[i].key;
		e.is_end = false;
		e.chain = s->elems.v[i].chain;
		fn(&e, s->elems.v[i].origin, arg);
		e.chain = NULL;
		if (!next_value(t, s->elems.v[i].key + NFT_VALUE_BYTES, end))
			continue;
		e.key = end;
		e.is_end = true;
		fn(&e, NFT_NO_ORIGIN, arg);
	}
}

struct each_elem {
	const struct nft_set *s;
	nft_elem_fn *fn;
	void *arg;
};

static void give_elem(const struct nft_elem *from, void *arg)
{
	const struct each_elem *to = arg;
	const struct nft_elem_bytes e = {
		.set = to->s->name, .key = from->key, .key_len = to->s->key_len,
		.key_end = from->key_end,
		.data = to->s->n_datas > 0 ? from->data : NULL, .data_len = to->s->data_len,
		.chain = from->chain, .comment = from->comment,
	};

	to->fn(&e, from->origin, to->arg);
}

void nft_each_elem(const struct nft_set *s, nft_elem_fn *fn, void *arg)
{
	struct each_elem to = { s, fn, arg };

	if (s->is_interval && s->n_keys == 1)
		each_range(s, fn, arg);
	else
		nft_each(s, give_elem, &to);
}

struct elem_lines {
	struct nft_lines *l;
	uint8_t family;
	uint8_t forward_af;	/* AF_NONE: no map of forwards */
	bool is_passing;	/* elements are gone when the next comes */
};

/* Element @e, in the arena; its comment is its line's */
static struct nft_elem_bytes keep_elem(struct arena *a, const struct nft_elem_bytes *e)
{
	struct nft_elem_bytes own = *e;

	own.key = arena_strndup(a, e->key, e->key_len);
	if (e->data != NULL)
		own.data = arena_strndup(a, e->data, e->data_len);
	return own;
}

/* The family of a map keyed by protocol, address and port, or AF_NONE */
static uint8_t forward_af(const struct nft_set *s)
{
	if (s->n_keys != 3 || s->n_datas == 0 || s->keys[0] != NFT_T_PROTO ||
	    s->keys[2] != NFT_T_PORT)
		return AF_NONE;
	return s->keys[1] == NFT_T_IP4 ? AF_V4 : s->keys[1] == NFT_T_IP6 ? AF_V6 : AF_NONE;
}

static void add_elem(const struct nft_elem_bytes *e, uint32_t origin, void *arg)
{
	struct elem_lines *to = arg;
	const struct nft_elem_bytes own = to->is_passing ? keep_elem(to->l->a, e) : *e;
	struct nft_line *line = nft_add_elem_line(to->l, to->family, &own);

	line->origin = origin;
	if (line->text[0] != '\0') {
		struct nft_elem_bytes *kept = arena_new(to->l->a, struct nft_elem_bytes);

		*kept = own;
		kept->comment = line->comment;
		line->elem = kept;
	}
	line->forward_af = to->forward_af;
	line->forward = to->forward_af != AF_NONE ? own.key : NULL;
}

/* A rule as nft prints it, for messages */
static const char *nft_rule_text(struct arena *a, const struct nft_rule *r)
{
	char *text CLEANUP(base_free) = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	BUG_IF(f == NULL);
	for (uint32_t i = 0; i < r->stmts.list.n; i++) {
		if (i > 0)
			fputc(' ', f);
		nft_stmt_ops[r->stmts.list.v[i].kind].print(&r->stmts.list.v[i], f);
	}
	fclose(f);
	return arena_strndup(a, text, len);
}

/* What a line says besides its kind, its family and our table */
static const char *shown_part(struct arena *a, const struct nft_line *l)
{
	if (l->kind == NFT_O_TABLE)
		return "";
	if (l->kind == NFT_O_SET || l->kind == NFT_O_CHAIN)
		return arena_printf(a, " %s", l->name);
	return arena_printf(a, " %s: %s", l->name, l->comment != NULL ? l->comment :
			    l->rule != NULL ? nft_rule_text(a, l->rule) :
			    l->key + strlen(l->name) + 1);
}

const char *nft_line_shown(struct arena *a, const struct nft_line *l)
{
	static const char *const kinds[] = {
		[NFT_O_TABLE] = "table", [NFT_O_SET] = "set", [NFT_O_CHAIN] = "chain",
		[NFT_O_ELEM] = "element", [NFT_O_RULE] = "rule",
	};

	return arena_printf(a, "%s %s %s%s", kinds[l->kind], nft_family_text(l->family),
			    NFT_TABLE, shown_part(a, l));
}

/* A rule as it would be sent, read as the kernel's are */
static struct nftnl_rule *read_back(const struct nft_chain *c, const struct nft_rule *r,
				    struct nlmsghdr *buf)
{
	struct nftnl_rule *nr = nftnl_rule_alloc();
	struct nft_put put;

	BUG_IF(nr == NULL);
	mnl_nlmsg_put_header(buf);
	mnl_nlmsg_put_extra_header(buf, sizeof(struct nfgenmsg));
	put = nft_put_to(buf);
	nft_put_rule(&put, c->name, r);
	nft_put_done(&put, buf);
	BUG_IF(nftnl_rule_nlmsg_parse(buf, nr) < 0);
	return nr;
}

static void add_rules(const struct nft_chain *c, struct nlmsghdr *buf, struct nft_lines *ret)
{
	const uint8_t family = nft_family_number(c->family);

	for (uint32_t i = 0; i < c->rules.n; i++) {
		struct nftnl_rule *nr = read_back(c, &c->rules.v[i], buf);
		struct nft_line *line;

		line = nft_add_rule_line(ret, family, c->name, i, nr);
		line->origin = c->rules.v[i].origin;
		line->rule = &c->rules.v[i];
		nftnl_rule_free(nr);
	}
}

static void add_missing(const struct nft_elem_bytes *e, uint32_t origin,
			const struct nft_held_elem *what, void *arg)
{
	if (!what->is_met)
		add_elem(e, origin, arg);
}

static struct nft_held *find_held(const struct nft_lines *l, const struct nft_set *s)
{
	for (uint32_t i = 0; i < l->held.n; i++)
		if (l->held.v[i]->s == s)
			return l->held.v[i];
	return NULL;
}

/* The elements of a set, or with @in_short one line for those of a map of forwards */
static void add_elems(const struct nft_set *s, bool in_short, struct nft_lines *ret)
{
	struct nft_held *held = find_held(ret, s);
	struct elem_lines to = { ret, nft_family_number(s->family), forward_af(s),
				 s->forwards != NULL };
	struct nft_line *line;

	if (in_short && s->forwards != NULL) {
		line = add_line(ret, NFT_O_ELEM, to.family, s->name);
		line->name = s->name;
		line->table = s;
	} else if (held != NULL) {
		nft_held_each(held, add_missing, &to);
	} else {
		nft_each_elem(s, add_elem, &to);
	}
}

static void objects_of(const struct nft_program *p, bool in_short, struct nft_lines *ret)
{
	for (int f = 0; f < N_NFT_FAMILIES; f++)
		if (p->has_table[f])
			nft_add_table_line(ret, nft_family_number((enum nft_family)f), 0);
	for (uint32_t i = 0; i < p->sets.n; i++) {
		const struct nft_set *s = p->sets.v[i];
		const struct nft_set_text t = nft_set_props(s);

		nft_add_set_line(ret, nft_family_number(s->family), s->name, &t);
		add_elems(s, in_short, ret);
	}
	for (uint32_t i = 0; i < p->chains.n; i++) {
		const struct nft_chain *c = p->chains.v[i];

		nft_add_chain_line(ret, nft_family_number(c->family), c->name, c->type, c->hook,
				   c->prio, NF_ACCEPT);
	}
}

void nft_objects_of(const struct nft_program *p, struct nft_lines *ret)
{
	objects_of(p, false, ret);
}

static void lines_of(const struct nft_program *p, bool in_short, struct nft_lines *ret)
{
	struct nlmsghdr *buf = arena_alloc(ret->a, NL_BATCH_MSG_BYTES);

	objects_of(p, in_short, ret);
	for (uint32_t i = 0; i < p->chains.n; i++)
		add_rules(p->chains.v[i], buf, ret);
	nft_lines_sort(ret);
}

void nft_lines_of(const struct nft_program *p, struct nft_lines *ret)
{
	lines_of(p, false, ret);
}

void nft_lines_in_short(const struct nft_program *p, struct nft_lines *ret)
{
	lines_of(p, true, ret);
}
