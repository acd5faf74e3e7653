/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Sets with the same members are one set: a list of ports that twenty rules
 * use is loaded once, and named by the hash of its members.  A table's is named by
 * the hash of the table's name, so that it stays when its members change.  Chains and maps of a
 * list of rules are named by the hash of its name, and count within it.  So the
 * same model gives the same names, loading it again finds nothing to change, and
 * what changes in one list changes no name in others.
 */
#include "target/nft/program.h"

#include <string.h>

#include "base/fnv.h"
#include "base/limits.h"

#define FORWARDS_ROOM	64u	/* elements that a map of forwards can gain */
#define GROWN_MAX	65536u	/* addresses that rules put into a table */

void nft_options_init(struct nft_options *o)
{
	*o = (struct nft_options){
		.mark_mask = NFT_MARK_MASK,
		.log_group = NFT_LOG_GROUP,
	};
}

void nft_program_init(struct nft_program *p, struct arena *a, struct sources *sources,
		      const struct nft_options *o)
{
	p->a = p->tmp = a;
	p->sources = sources;
	p->options = *o;
}

static uint32_t hash_text(const char *s)
{
	return fnv32(FNV32_START, s, s != NULL ? strlen(s) : 0);
}

static const char *new_name(struct nft_program *p, const char *what)
{
	struct nft_scope *s = &p->scope;

	if (s->hash == 0)
		return arena_printf(p->a, "%s_%u", what, ++s->n_names);
	return arena_printf(p->a, "%s_%08x_%u", what, s->hash, ++s->n_names);
}

static struct nft_chain *add_chain(struct nft_program *p, enum nft_family f, const char *name)
{
	struct nft_chain *c = arena_new(p->a, struct nft_chain);

	hashed_add(p->a, &p->chains_of, hash_text(name), p->chains.n);
	c->name = name;
	c->family = f;
	p->has_table[f] = true;
	vec_add(p->a, &p->chains, c);
	return c;
}

struct nft_chain *nft_add_base(struct nft_program *p, enum nft_family f, const char *name,
			       const char *type, uint32_t hook, int32_t prio)
{
	struct nft_chain *c = add_chain(p, f, name);

	c->type = type;
	c->hook = hook;
	c->prio = prio;
	return c;
}

struct nft_chain *nft_add_chain(struct nft_program *p, enum nft_family f, const char *what)
{
	return add_chain(p, f, new_name(p, what));
}

struct nft_chain *nft_add_named(struct nft_program *p, enum nft_family f, const char *name)
{
	return add_chain(p, f, name);
}

uint32_t nft_chain_number(const struct nft_program *p, enum nft_family f, const char *name)
{
	const struct hashed_entry *e = hashed_first(&p->chains_of, hash_text(name));

	for (; e != NULL; e = hashed_next(&p->chains_of, e)) {
		const struct nft_chain *c = p->chains.v[e->number];

		if (c->family == f && strcmp(c->name, name) == 0)
			return e->number;
	}
	return UINT32_MAX;
}

struct nft_chain *nft_add_list(struct nft_program *p, enum nft_family f, const char *what,
			       const char *list)
{
	const char *const first = arena_printf(p->a, "%s_%08x", what, hash_text(list));
	const char *name = first;

	for (uint32_t i = 2; nft_chain_number(p, f, name) != UINT32_MAX; i++)
		name = arena_printf(p->a, "%s_%u", first, i);
	return add_chain(p, f, name);
}

struct nft_scope nft_enter(struct nft_program *p, const struct nft_chain *c)
{
	const struct nft_scope outer = p->scope;

	p->scope = (struct nft_scope){ .hash = hash_text(c->name) };
	return outer;
}

struct nft_set *nft_add_map(struct nft_program *p, enum nft_family f, const char *what,
			    const enum nft_type *keys, uint8_t n_keys)
{
	struct nft_set *s = arena_new(p->a, struct nft_set);

	BUG_IF(n_keys > NFT_KEYS_MAX);
	s->name = new_name(p, what);
	s->family = f;
	memcpy(s->keys, keys, n_keys * sizeof(*keys));
	s->n_keys = n_keys;
	p->has_table[f] = true;
	vec_add(p->a, &p->sets, s);
	return s;
}

struct nft_set *nft_add_ranges(struct nft_program *p, enum nft_family f, const char *what,
			       const enum nft_type *keys, uint8_t n_keys)
{
	struct nft_set *s = nft_add_map(p, f, what, keys, n_keys);

	s->is_interval = true;
	s->name = arena_printf(p->a, "%s_%08x", s->name,
			       fnv32(FNV32_START, keys, n_keys * sizeof(*keys)));
	return s;
}

static uint32_t padded(uint32_t len)
{
	return (len + 3) / 4 * 4;
}

static uint32_t types_len(const enum nft_type *types, uint8_t n)
{
	uint32_t len = 0;

	if (n == 1)
		return nft_types[types[0]].len;
	for (uint8_t i = 0; i < n; i++)
		len += padded(nft_types[types[i]].len);
	return len;
}

/* A declared size is a fixed hash, twice as fast to fill; a power of two leaves room */
static uint32_t power_of_two(uint32_t n)
{
	uint32_t size = 1;

	while (size < n)
		size *= 2;
	return size;
}

uint32_t nft_forwards_size(uint32_t n)
{
	return power_of_two(n + FORWARDS_ROOM);
}

void nft_set_say_size(struct nft_set *s)
{
	const uint32_t n = nft_set_count(s);

	s->size = s->forwards != NULL ? nft_forwards_size(n) : power_of_two(n);
}

void nft_set_seal(struct nft_set *s)
{
	s->key_len = types_len(s->keys, s->n_keys);
	s->data_len = types_len(s->datas, s->n_datas);
	BUG_IF(s->key_len > NFT_CONCAT_BYTES || s->data_len > sizeof(s->elems.v->data));
	if (s->n_datas == 0 || s->is_vmap || s->is_dynamic)
		return;
	nft_set_say_size(s);
}

static bool has_other(const struct nft_program *p, const struct nft_set *s, const char *name)
{
	for (uint32_t i = 0; i < p->sets.n; i++)
		if (p->sets.v[i] != s && strcmp(p->sets.v[i]->name, name) == 0)
			return true;
	return false;
}

void nft_set_remembers(struct nft_program *p, struct nft_set *s, const char *what,
		       const char *comment)
{
	uint32_t h;

	s->comment = nft_sanitise(p, comment);
	h = fnv32(FNV32_START, s->comment, strlen(s->comment));
	do
		s->name = arena_printf(p->a, "%s_%08x", what, h++);
	while (has_other(p, s, s->name));
}

const struct nft_set *nft_grown_set(struct nft_program *p, const struct model *m, uint32_t table,
				    uint8_t af)
{
	const enum nft_type type = af == AF_V4 ? NFT_T_IP4 : NFT_T_IP6;
	struct nft_set *s = NULL;

	if (p->grown[table][af == AF_V6] != NULL)
		return p->grown[table][af == AF_V6];
	s = nft_add_map(p, NFT_INET, "grown", &type, 1);
	nft_set_remembers(p, s, af == AF_V4 ? "grown4" : "grown6", m->grown.v[table]);
	s->is_dynamic = true;
	s->size = GROWN_MAX;
	nft_set_seal(s);
	p->grown[table][af == AF_V6] = s;
	return s;
}

static bool same_set(const struct nft_set *x, const struct nft_set *y)
{
	if ((x->table == NULL) != (y->table == NULL) ||
	    (x->table != NULL && strcmp(x->table, y->table) != 0))
		return false;
	if (x->family != y->family || x->keys[0] != y->keys[0] ||
	    x->is_interval != y->is_interval || x->elems.n != y->elems.n)
		return false;
	for (uint32_t i = 0; i < x->elems.n; i++)
		if (memcmp(x->elems.v[i].key, y->elems.v[i].key, 2 * NFT_VALUE_BYTES) != 0)
			return false;
	return true;
}

/* Has another set of the same hash the same name */
static bool has_set(const struct nft_program *p, uint32_t hash, const struct nft_set *like)
{
	const struct hashed_entry *e = hashed_first(&p->sets_of, hash);

	for (; e != NULL; e = hashed_next(&p->sets_of, e)) {
		const struct nft_set *s = p->sets.v[e->number];

		if (s->family == like->family && strcmp(s->name, like->name) == 0)
			return true;
	}
	return false;
}

/* The one with these members; @s becomes it if there is none yet */
static const struct nft_set *intern_set(struct nft_program *p, struct nft_set *s, const char *what)
{
	uint32_t h = fnv32(FNV32_START, &s->keys[0], sizeof(s->keys[0]));
	const struct hashed_entry *e;

	if (s->table != NULL)
		h = fnv32(h, s->table, strlen(s->table));
	for (uint32_t i = 0; i < s->elems.n && s->table == NULL; i++)
		h = fnv32(h, s->elems.v[i].key, 2 * NFT_VALUE_BYTES);
	for (e = hashed_first(&p->sets_of, h); e != NULL; e = hashed_next(&p->sets_of, e))
		if (same_set(p->sets.v[e->number], s))
			return p->sets.v[e->number];
	s->name = arena_printf(p->a, "%s_%08x", what, h);
	for (uint32_t i = 2; has_set(p, h, s); i++)
		s->name = arena_printf(p->a, "%s_%08x_%u", what, h, i);
	hashed_add(p->a, &p->sets_of, h, p->sets.n);
	nft_set_seal(s);
	p->has_table[s->family] = true;
	vec_add(p->a, &p->sets, s);
	return s;
}

static void set_bytes(uint8_t *to, struct nft_value v)
{
	memcpy(to, v.b, v.len);
}

/* What a set of a type is called */
static const char *set_prefix_of(enum nft_type type)
{
	static const char *const what[N_NFT_TYPES] = {
		[NFT_T_IFNAME] = "ifaces", [NFT_T_PROTO] = "protos", [NFT_T_IP4] = "ip4s",
		[NFT_T_IP6] = "ip6s", [NFT_T_PORT] = "ports", [NFT_T_TCPFLAG] = "tcpflags",
		[NFT_T_ICMP_TYPE] = "types", [NFT_T_ICMP_CODE] = "codes",
		[NFT_T_DSCP] = "dscps", [NFT_T_DSCP6] = "dscps",
		[NFT_T_ICMP6_TYPE] = "types", [NFT_T_ICMP6_CODE] = "codes",
	};

	BUG_IF(what[type] == NULL);
	return what[type];
}

static void add_range(struct nft_program *p, struct nft_set *to, const struct range *r)
{
	struct nft_elem *e = vec_push(p->a, &to->elems);

	e->origin = NFT_NO_ORIGIN;
	set_bytes(e->key, nft_value_num(to->keys[0], r->lo));
	set_bytes(e->key + NFT_VALUE_BYTES, nft_value_num(to->keys[0], r->hi));
}

const struct nft_set *nft_set_of(struct nft_program *p, enum nft_family f, enum nft_type type,
				 const struct set *s)
{
	struct nft_set *to = arena_new(p->a, struct nft_set);
	/* Flag bytes are no quantity: nft has no ranges of them */
	const bool as_values = type == NFT_T_TCPFLAG;

	to->family = f;
	to->keys[0] = type;
	to->n_keys = 1;
	if (s->name != NULL) {
		to->table = arena_strndup(p->a, s->name, strlen(s->name));
		to->comment = nft_sanitise(p, to->table);
		to->is_interval = true;
	}
	for (uint32_t i = 0; i < s->n; i++) {
		to->is_interval |= !as_values && s->r[i].lo != s->r[i].hi;
		if (!as_values) {
			add_range(p, to, &s->r[i]);
			continue;
		}
		for (u128 v = s->r[i].lo; v <= s->r[i].hi; v++)
			add_range(p, to, &(struct range){ AF_NONE, v, v });
	}
	return intern_set(p, to, to->table == NULL ? set_prefix_of(type) :
			  type == NFT_T_IP6 ? "table6" : "table4");
}

const struct nft_set *nft_set_of_names(struct nft_program *p, enum nft_family f,
				       const char *const *names, uint32_t n)
{
	struct nft_set *to = arena_new(p->a, struct nft_set);

	to->family = f;
	to->keys[0] = NFT_T_IFNAME;
	to->n_keys = 1;
	for (uint32_t i = 0; i < n; i++) {
		struct nft_elem *e = vec_push(p->a, &to->elems);

		e->origin = NFT_NO_ORIGIN;
		set_bytes(e->key, nft_value_name(names[i]));
		set_bytes(e->key + NFT_VALUE_BYTES, nft_value_name(names[i]));
	}
	return intern_set(p, to, set_prefix_of(NFT_T_IFNAME));
}

static bool same_origin(const struct origin *x, const struct origin *y)
{
	return span_equal(x->at, y->at) && x->policy == y->policy && x->part == y->part &&
	       (x->text == y->text ||
		(x->text != NULL && y->text != NULL && strcmp(x->text, y->text) == 0));
}

uint32_t nft_origin(struct nft_program *p, const struct origin *o)
{
	uint32_t h = fnv32(FNV32_START, &o->at, sizeof(o->at));
	const struct hashed_entry *e;

	if (o->text != NULL)
		h = fnv32(h, o->text, strlen(o->text));
	for (e = hashed_first(&p->origins_of, h); e != NULL; e = hashed_next(&p->origins_of, e))
		if (same_origin(&p->origins.v[e->number], o))
			return e->number;
	hashed_add(p->a, &p->origins_of, h, p->origins.n);
	vec_add(p->a, &p->origins, *o);
	return p->origins.n - 1;
}

typedef int8_t bytes_v __attribute__((vector_size(16)));

/* Which of sixteen bytes are none that a comment may have; signed: most are below a blank */
static bytes_v bad_ones(const char *s)
{
	bytes_v v;

	memcpy(&v, s, sizeof(v));
	return (v < ' ') | (v == 0x7f) | (v == '"') | (v == '\\');
}

/* Sixteen bytes at a time, the last ones again rather than the rest one by one */
static bool is_good(const char *s, size_t len)
{
	bytes_v bad;
	uint64_t half[2];

	if (len < sizeof(bad))
		return len == 0;
	bad = bad_ones(s + len - sizeof(bad));
	for (size_t i = 0; i + sizeof(bad) < len; i += sizeof(bad))
		bad |= bad_ones(s + i);
	memcpy(half, &bad, sizeof(half));
	return (half[0] | half[1]) == 0;
}

/* There may be 100,000 comments, and nearly all are good */
static void sanitise(char *s, size_t len)
{
	if (is_good(s, len))
		return;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || (unsigned char)s[i] > '~' || s[i] == '"' ||
		    s[i] == '\\')
			s[i] = '?';
}

const char *nft_sanitise(struct nft_program *p, const char *text)
{
	char *s = arena_printf(p->a, "%.*s", (int)LIMIT_COMMENT_BYTES, text);

	sanitise(s, strlen(s));
	return s;
}

/* Add text at @at, as much as there is room for; the new end */
static size_t put(char *buf, size_t at, const char *text)
{
	/* Not memcpy(): of what it knows to be short gcc makes "rep movs", twice the time */
	const char *end = memccpy(buf + at, text, '\0', LIMIT_COMMENT_BYTES - at + 1);

	if (end != NULL)
		return (size_t)(end - buf) - 1;
	buf[LIMIT_COMMENT_BYTES] = '\0';
	return LIMIT_COMMENT_BYTES;
}

/* ":N ", as much as there is room for */
static size_t put_line(char *buf, size_t at, uint32_t n)
{
	char most[16];
	char *to = buf + at;
	uint32_t digits = 1;

	for (uint64_t ten = 10; n >= ten; ten *= 10)
		digits++;
	if (at + sizeof(most) > LIMIT_COMMENT_BYTES)
		to = most;
	to[0] = ':';
	for (uint32_t i = digits; i > 0; i--, n /= 10)
		to[i] = (char)('0' + n % 10);
	to[digits + 1] = ' ';
	if (to == buf + at)
		return at + digits + 2;
	to[digits + 2] = '\0';
	return put(buf, at, most);
}

/* By hand: of 100,000 forwards each has one, and printf would be half of the work */
size_t nft_comment_write(struct sources *sources, const struct origin *o,
			 struct nft_comment_text *c)
{
	size_t len, from = 0;

	if (o->at.src == 0) {
		c->src = 0;
	} else {
		const struct span file = source_file_span(sources, o->at);

		/* Not the path: one file by two names is no difference to the kernel */
		if (c->src != file.src) {
			c->head = put(c->s, 0,
				      source_short_name(source_at(sources, file.src)->name));
			c->src = file.src;
			sanitise(c->s, c->head);
		}
		from = put_line(c->s, c->head, source_line(sources, file));
	}
	len = put(c->s, from, o->text != NULL ? o->text : "");
	sanitise(c->s + from, len - from);
	return len;
}

const char *nft_comment(struct nft_program *p, const struct origin *o)
{
	struct nft_comment_text c = { .src = 0 };
	const size_t len = nft_comment_write(p->sources, o, &c);

	return len > 0 ? arena_strndup(p->a, c.s, len) : NULL;
}

void nft_add_rule(struct nft_program *p, struct nft_chain *c, const struct nft_stmts *stmts,
		  const struct origin *origin)
{
	struct nft_rule *r = vec_push(p->a, &c->rules);

	r->origin = NFT_NO_ORIGIN;
	r->stmts.list.n = r->stmts.list.cap = stmts->list.n;
	r->stmts.list.v = arena_array(p->a, struct nft_stmt, stmts->list.n);
	if (stmts->list.n > 0)
		memcpy(r->stmts.list.v, stmts->list.v, stmts->list.n * sizeof(*stmts->list.v));
	if (origin == NULL)
		return;
	/* One rule of the user's is often several in a row */
	if (p->last_comment == NULL || !same_origin(&p->origins.v[p->last_origin], origin)) {
		p->last_comment = nft_comment(p, origin);
		if (p->last_comment != NULL)
			p->last_origin = nft_origin(p, origin);
	}
	r->comment = p->last_comment;
	if (r->comment != NULL)
		r->origin = p->last_origin;
}

void nft_forget(struct nft_program *p)
{
	if (p->tmp != p->a)
		arena_clear(p->tmp);
}

#define STMTS_ROOM	12u	/* most rules have no more */

void stmt_add(struct nft_program *p, struct nft_stmts *s, const struct nft_stmt *st)
{
	if (s->list.cap == 0)
		vec_reserve(p->tmp, &s->list, STMTS_ROOM);
	vec_add(p->tmp, &s->list, *st);
}

void stmts_append(struct nft_program *p, struct nft_stmts *to, const struct nft_stmts *from)
{
	for (uint32_t i = 0; i < from->list.n; i++)
		stmt_add(p, to, &from->list.v[i]);
}

void stmt_match(struct nft_program *p, struct nft_stmts *s, enum nft_key key, bool is_not,
		struct nft_value v)
{
	BUG_IF(v.len != nft_types[nft_keys[key].type].len);
	stmt_add(p, s, &(struct nft_stmt){ .kind = NFT_S_MATCH,
		 .match = { .key = key, .is_not = is_not, .value = v } });
}

void stmt_prefix(struct nft_program *p, struct nft_stmts *s, enum nft_key key, bool is_not,
		 struct prefix v)
{
	const enum nft_type type = nft_keys[key].type;
	const uint8_t bits = (uint8_t)addr_bits(v.a.af);

	BUG_IF(v.len == 0);
	stmt_add(p, s, &(struct nft_stmt){ .kind = NFT_S_MATCH, .match = {
		.key = key, .is_not = is_not, .prefix_len = v.len == bits ? 0 : v.len,
		.value = nft_value_num(type, prefix_first(v).v),
		.mask = nft_value_num(type, prefix_mask(v.a.af, v.len)) } });
}

void stmt_range(struct nft_program *p, struct nft_stmts *s, enum nft_key key,
		const struct range *r)
{
	const enum nft_type type = nft_keys[key].type;

	BUG_IF(nft_types[type].is_host);	/* bytes are compared */
	stmt_add(p, s, &(struct nft_stmt){ .kind = NFT_S_MATCH, .match = {
		.key = key, .is_range = true, .value = nft_value_num(type, r->lo),
		.mask = nft_value_num(type, r->hi) } });
}

void stmt_masked(struct nft_program *p, struct nft_stmts *s, enum nft_key key, uint32_t mask,
		 uint32_t value, bool is_not)
{
	const enum nft_type type = nft_keys[key].type;

	stmt_add(p, s, &(struct nft_stmt){ .kind = NFT_S_MATCH, .match = {
		.key = key, .is_not = is_not, .has_mask = true,
		.value = nft_value_num(type, value), .mask = nft_value_num(type, mask) } });
}

void stmt_in(struct nft_program *p, struct nft_stmts *s, enum nft_key key, bool is_not,
	     const struct nft_set *set)
{
	stmt_add(p, s, &(struct nft_stmt){ .kind = NFT_S_LOOKUP,
		 .lookup = { .keys = { key }, .n_keys = 1, .is_not = is_not, .set = set } });
}

void stmt_mark(struct nft_program *p, struct nft_stmts *s, enum nft_key key, uint32_t keep,
	       uint32_t set)
{
	stmt_add(p, s, &(struct nft_stmt){ .kind = NFT_S_MARK,
		 .mark = { .key = key, .keep = keep & ~set, .set = set } });
}

void stmt_verdict(struct nft_program *p, struct nft_stmts *s, enum nft_verdict v,
		  const char *chain)
{
	stmt_add(p, s, &(struct nft_stmt){ .kind = NFT_S_VERDICT,
		 .decision = { .verdict = v, .chain = chain } });
}

void stmt_reject(struct nft_program *p, struct nft_stmts *s, enum nft_reject r, uint8_t code)
{
	stmt_add(p, s, &(struct nft_stmt){ .kind = NFT_S_REJECT,
		 .decision = { .reject = r, .code = code } });
}

void stmt_counter(struct nft_program *p, struct nft_stmts *s)
{
	stmt_add(p, s, &(struct nft_stmt){ .kind = NFT_S_COUNTER });
}
