/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A command is read into one array of bytes; each byte carries the place that
 * wrote it.  Splitting then marks ranges of that array, so a word that is half
 * variable and half text needs no copy and no special case.
 *
 * A word that comes from a variable is shown twice, in the value and at its
 * use, and for that each use needs a source of its own.  It is made only for
 * words that reach an ipfw call, and shares the value's text: a script of
 * 100,000 "$add" lines costs as many small records, not copies.  Once half of
 * LIMIT_SOURCES is taken such words are shown at their use alone.
 */
#include "lang/ipfw/script.h"

#include <string.h>

#include "base/limits.h"

#define COMMAND_BYTES	(1u << 20)	/* of one command, expanded */

int script_peek(const struct script *s, uint32_t ahead)
{
	return s->len - s->pos > ahead ? (unsigned char)s->text[s->pos + ahead] : -1;
}

struct span script_span(const struct script *s, uint32_t lo, uint32_t hi)
{
	return (struct span){ s->src, lo, MIN(hi, s->len) };
}

uint32_t script_join_len(const struct script *s)
{
	if (script_peek(s, 0) != '\\')
		return 0;
	if (script_peek(s, 1) == '\n')
		return 2;
	return script_peek(s, 1) == '\r' && script_peek(s, 2) == '\n' ? 3 : 0;
}

bool script_is_name(int ch, bool first)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
	       (!first && ch >= '0' && ch <= '9');
}

/* The variable with an interned number; valid until the next new one */
static struct script_var *var_at(struct script *s, uint32_t id)
{
	while (s->vars.n <= id)
		(void)vec_push(s->c->a, &s->vars);
	return &s->vars.v[id];
}

struct script_var script_set(struct script *s, const char *name, const char *value,
			     struct span origin)
{
	struct script_var *v = var_at(s, intern_cid(s->c->names, name));
	const struct script_var old = *v;

	if (!v->is_fixed) {
		v->value = value;
		v->origin = origin;
	}
	return old;
}

void script_init(struct script *s, struct lang_ctx *c, uint32_t src)
{
	*s = (struct script){ .c = c, .src = src };
	s->text = source_at(c->sources, src)->text;
	s->len = source_at(c->sources, src)->len;
	for (uint32_t i = 0; i < c->n_presets; i++)
		(void)script_set(s, c->presets[i].name, c->presets[i].value, SPAN_NONE);
	for (uint32_t i = 0; i < c->n_defines; i++)
		*var_at(s, intern_cid(c->names, c->defines[i].name)) =
			(struct script_var){ .value = c->defines[i].value, .is_fixed = true };
}

bool script_needs_shell(struct script *s, uint32_t lo, uint32_t hi)
{
	const uint32_t len = MIN(MIN(hi, s->len) - lo, 40u);

	diag_add(s->c->diags, DIAG_E2301, script_span(s, lo, hi),
		 "'%.*s' needs a shell, and the script is not run", (int)len, s->text + lo);
	diag_help(s->c->diags, "--exec runs the script in a sandbox");
	return false;
}

void script_command_start(struct script *s)
{
	s->bytes.n = s->fields.n = s->uses.n = 0;
}

static bool add_byte(struct script *s, struct script_byte b)
{
	if (s->bytes.n >= COMMAND_BYTES) {
		diag_add(s->c->diags, DIAG_E2305, script_span(s, s->pos, s->pos + 1),
			 "this command is longer than %u bytes", COMMAND_BYTES);
		return false;
	}
	vec_add(s->c->a, &s->bytes, b);
	return true;
}

/* The next @n bytes of the file make one: @ch */
static bool take_bytes(struct script *s, char ch, uint32_t n, bool splits)
{
	const struct script_byte b = {
		.ch = ch, .splits = splits, .lo = s->pos, .hi = s->pos + n
	};

	s->pos += n;
	return add_byte(s, b);
}

static bool unclosed(struct script *s, uint32_t lo, uint32_t n)
{
	uint32_t hi = lo;

	while (hi < s->len && s->text[hi] != '\n')
		hi++;
	diag_add(s->c->diags, DIAG_E2302, script_span(s, lo, hi), "no end of this %.*s", (int)n,
		 s->text + lo);
	if (s->long_quote.src != 0)
		diag_note(s->c->diags, s->long_quote,
			  "this string has several lines: is its closing quote missing?");
	return false;
}

/* Add the value of the variable whose use is the last of s->uses */
static bool add_value(struct script *s, bool splits)
{
	const uint32_t use = s->uses.n;
	const char *value = s->uses.v[use - 1].value;

	for (uint32_t i = 0; value != NULL && value[i] != '\0'; i++)
		if (!add_byte(s, (struct script_byte){
			.ch = value[i], .splits = splits, .use = use, .lo = i, .hi = i + 1 }))
			return false;
	return true;
}

static void add_use(struct script *s, const char *name, struct span at)
{
	const struct script_var *v = var_at(s, intern_cid(s->c->names, name));

	vec_add(s->c->a, &s->uses, ((struct script_use){
		.name = name, .value = v->value, .origin = v->origin, .at = at }));
}

static bool read_part(struct script *s, bool quoted, bool splits);

/* The word of "${name-word}", up to its brace; it is read but kept only if @keep */
static bool read_default(struct script *s, uint32_t lo, bool quoted, bool keep, bool splits)
{
	const uint32_t n_bytes = s->bytes.n, n_uses = s->uses.n;

	if (s->depth == LIMIT_NESTING) {
		diag_add(s->c->diags, DIAG_E2305, script_span(s, lo, lo + 2),
			 "'${' is nested more than %u deep", LIMIT_NESTING);
		return false;
	}
	s->depth++;
	while (script_peek(s, 0) != '}') {
		if (s->pos >= s->len)
			return unclosed(s, lo, 2);
		if (!read_part(s, quoted, splits && !quoted))
			return false;
	}
	s->depth--;
	s->pos++;
	if (!keep) {
		s->bytes.n = n_bytes;
		s->uses.n = n_uses;
	}
	return true;
}

/* Of "${name OP word}" what stands after the name; s->pos is at OP */
static bool read_operator(struct script *s, const char *name, uint32_t lo, bool quoted,
			  bool splits)
{
	const uint32_t n_bytes = s->bytes.n;
	const bool colon = script_peek(s, 0) == ':';
	const int op = script_peek(s, colon ? 1 : 0);
	const struct script_var *v = var_at(s, intern_cid(s->c->names, name));
	const bool has = v->value != NULL && !(colon && v->value[0] == '\0');

	if (op != '-' && op != '=' && op != '+')
		return script_needs_shell(s, lo, s->pos + 1);
	s->pos += colon ? 2 : 1;
	if (op != '+' && has) {
		if (!read_default(s, lo, quoted, false, splits))
			return false;
		add_use(s, name, script_span(s, lo, s->pos));
		return add_value(s, splits);
	}
	if (!read_default(s, lo, quoted, has == (op == '+'), splits))
		return false;
	if (op == '=')
		(void)script_set(s, name, script_bytes_text(s, n_bytes, s->bytes.n), SPAN_NONE);
	return true;
}

static const char *read_name(struct script *s)
{
	const uint32_t lo = s->pos;

	while (script_is_name(script_peek(s, 0), s->pos == lo))
		s->pos++;
	return intern_str(s->c->names, s->text + lo, s->pos - lo);
}

static bool read_braced(struct script *s, uint32_t lo, bool quoted, bool splits)
{
	const char *name;

	s->pos++;
	name = read_name(s);
	if (name[0] == '\0')
		return script_needs_shell(s, lo, s->pos + 1);
	if (s->pos >= s->len)
		return unclosed(s, lo, 2);
	if (script_peek(s, 0) != '}')
		return read_operator(s, name, lo, quoted, splits);
	s->pos++;
	add_use(s, name, script_span(s, lo, s->pos));
	return add_value(s, splits);
}

static bool read_dollar(struct script *s, bool quoted, bool splits)
{
	const uint32_t lo = s->pos;
	const int next = script_peek(s, 1);

	if (next == '(' || (next > 0 && strchr("#?$!0", next) != NULL))
		return script_needs_shell(s, lo, lo + 2);
	if (!script_is_name(next, true) && next != '{' &&
	    !(next >= '1' && next <= '9') && next != '@' && next != '*')
		return take_bytes(s, '$', 1, false);
	s->pos++;
	if (next == '{')
		return read_braced(s, lo, quoted, splits);
	if (script_is_name(next, true)) {
		const char *name = read_name(s);

		add_use(s, name, script_span(s, lo, s->pos));
		return add_value(s, splits);
	}
	/* The script is read without arguments */
	s->pos++;
	add_use(s, intern_str(s->c->names, s->text + lo + 1, 1), script_span(s, lo, s->pos));
	return true;
}

static bool read_single_quoted(struct script *s)
{
	const uint32_t lo = s->pos;

	if (!take_bytes(s, '\0', 1, false))
		return false;
	while (script_peek(s, 0) != '\'') {
		if (s->pos >= s->len)
			return unclosed(s, lo, 1);
		if (!take_bytes(s, s->text[s->pos], 1, false))
			return false;
	}
	if (memchr(s->text + lo, '\n', s->pos - lo) != NULL)
		s->long_quote = script_span(s, lo, lo + 1);
	s->pos++;
	return true;
}

static bool read_double_quoted(struct script *s)
{
	const uint32_t lo = s->pos;

	if (!take_bytes(s, '\0', 1, false))
		return false;
	while (script_peek(s, 0) != '"') {
		if (s->pos >= s->len)
			return unclosed(s, lo, 1);
		if (!read_part(s, true, false))
			return false;
	}
	if (memchr(s->text + lo, '\n', s->pos - lo) != NULL)
		s->long_quote = script_span(s, lo, lo + 1);
	s->pos++;
	return true;
}

static bool read_backslash(struct script *s, bool quoted)
{
	const int next = script_peek(s, 1);

	if (script_join_len(s) > 0) {
		s->pos += script_join_len(s);
		return true;
	}
	if (next < 0 || (quoted && strchr("$`\"\\", next) == NULL))
		return take_bytes(s, '\\', 1, false);
	return take_bytes(s, (char)next, 2, false);
}

/* One step of a word: a byte, an escape, a quoted string or a variable */
static bool read_part(struct script *s, bool quoted, bool splits)
{
	const char ch = s->text[s->pos];

	if (ch == '\\')
		return read_backslash(s, quoted);
	if (ch == '$')
		return read_dollar(s, quoted, splits);
	if (ch == '`')
		return script_needs_shell(s, s->pos, s->pos + 1);
	if (ch == '"' && !quoted)
		return read_double_quoted(s);
	if (ch == '\'' && !quoted)
		return read_single_quoted(s);
	return take_bytes(s, ch, 1, splits);
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\n';
}

/* Find the fields in the bytes from @lo on */
static void split(struct script *s, uint32_t lo)
{
	uint32_t start = lo;

	for (uint32_t i = lo; i <= s->bytes.n; i++) {
		if (i < s->bytes.n && !(s->bytes.v[i].splits && is_blank(s->bytes.v[i].ch)))
			continue;
		if (i > start)
			vec_add(s->c->a, &s->fields, ((struct script_field){ start, i }));
		start = i + 1;
	}
}

bool script_word(struct script *s, bool splits)
{
	const uint32_t lo = s->bytes.n;

	while (s->pos < s->len && strchr(" \t\r\n;|&<>()", s->text[s->pos]) == NULL)
		if (!read_part(s, false, splits))
			return false;
	if (splits)
		split(s, lo);
	return true;
}

const char *script_bytes_text(struct script *s, uint32_t lo, uint32_t hi)
{
	char *text = arena_alloc(s->c->a, hi - lo + 1);
	uint32_t n = 0;

	for (uint32_t i = lo; i < hi; i++)
		if (s->bytes.v[i].ch != '\0')
			text[n++] = s->bytes.v[i].ch;
	return text;
}

const char *script_field_text(struct script *s, struct script_field f)
{
	return script_bytes_text(s, f.lo, f.hi);
}

/* The value of a use as a source, or 0 when there are enough of them */
static uint32_t source_of_use(struct script *s, struct script_use *u)
{
	struct sources *sources = s->c->sources;

	if (u->src == 0 && sources->list.n < LIMIT_SOURCES / 2) {
		vec_add(sources->a, &sources->list, ((struct source){
			.name = arena_printf(sources->a, "variable '%s'", u->name),
			.text = u->value,
			.len = (uint32_t)strlen(u->value),
			.used_at = u->at,
			.origin = u->origin,
		}));
		u->src = sources->list.n - 1;
	}
	return u->src;
}

struct span script_field_span(struct script *s, struct script_field f)
{
	struct span at = SPAN_NONE;
	uint32_t use, src;
	bool is_one;

	while (f.lo + 1 < f.hi && s->bytes.v[f.lo].ch == '\0')
		f.lo++;
	while (f.lo + 1 < f.hi && s->bytes.v[f.hi - 1].ch == '\0')
		f.hi--;
	use = s->bytes.v[f.lo].use;
	is_one = use != 0;
	for (uint32_t i = f.lo; i < f.hi; i++) {
		const struct script_byte *b = &s->bytes.v[i];
		const struct span here = b->use != 0 ? s->uses.v[b->use - 1].at
						     : script_span(s, b->lo, b->hi);

		at = at.src == 0 ? here : span_join(at, here);
		is_one &= b->use == use;
	}
	src = is_one ? source_of_use(s, &s->uses.v[use - 1]) : 0;
	if (src == 0)
		return at;
	return (struct span){ src, s->bytes.v[f.lo].lo, s->bytes.v[f.hi - 1].hi };
}
