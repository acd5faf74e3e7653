/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/limits.h"
#include "lang/rc.h"

/* Settings that concern the network, NULL after the last */
static const char *const known[] = {
	"net.inet.ip.forwarding", "net.inet6.ip6.forwarding", "net.inet.ip.fw.one_pass",
	"net.inet.ip.fw.default_to_accept", "net.inet.ip.fw.enable", NULL,
};

/* What their values may be ipfw says, where it is used */
static const char lifetimes[] = "net.inet.ip.fw.dyn_";

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Bytes [*@lo, *@hi) without blanks at either end */
static void trim(const char *s, uint32_t *lo, uint32_t *hi)
{
	while (*lo < *hi && is_blank(s[*lo]))
		++*lo;
	while (*hi > *lo && is_blank(s[*hi - 1]))
		--*hi;
}

static bool is_name(const char *s, uint32_t len)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_.%-";

	for (uint32_t i = 0; i < len; i++)
		if (strchr(good, s[i]) == NULL)
			return false;
	return len > 0 && len <= LIMIT_WORD_BYTES;
}

static void parse_line(struct lang_ctx *c, struct sysctlconf_file *f, uint32_t src, uint32_t lo,
		       uint32_t hi)
{
	const char *text = source_at(c->sources, src)->text;
	const char *hash = memchr(text + lo, '#', hi - lo);
	const char *equals;
	uint32_t name_hi, value_lo;

	if (hash != NULL)
		hi = (uint32_t)(hash - text);
	trim(text, &lo, &hi);
	if (lo == hi)
		return;
	equals = memchr(text + lo, '=', hi - lo);
	if (equals != NULL) {
		uint32_t name_lo = lo, value_hi = hi;

		name_hi = (uint32_t)(equals - text);
		value_lo = name_hi + 1;
		trim(text, &name_lo, &name_hi);
		trim(text, &value_lo, &value_hi);
		if (is_name(text + lo, name_hi - lo)) {
			vec_add(c->a, &f->settings, ((struct decl_sysctl){
				.name = intern_str(c->names, text + lo, name_hi - lo),
				.value = arena_strndup(c->a, text + value_lo, value_hi - value_lo),
				.at = { src, lo, hi },
			}));
			return;
		}
	}
	diag_add(c->diags, DIAG_E1511, (struct span){ src, lo, hi },
		 equals != NULL ? "this is not the name of a setting" : "'name=value' expected");
}

struct sysctlconf_file *sysctlconf_parse(struct lang_ctx *c, uint32_t src)
{
	struct sysctlconf_file *f = arena_new(c->a, struct sysctlconf_file);
	const char *text = source_at(c->sources, src)->text;
	const uint32_t len = source_at(c->sources, src)->len;
	uint32_t lo = 0;

	if (!lang_check_text(c, src))
		return f;
	while (lo < len && !diag_is_full(c->diags)) {
		const char *end = memchr(text + lo, '\n', len - lo);
		const uint32_t hi = end != NULL ? (uint32_t)(end - text) : len;

		parse_line(c, f, src, lo, hi);
		lo = hi + 1;
	}
	return f;
}

static bool is_known(const char *name)
{
	for (size_t i = 0; known[i] != NULL; i++)
		if (strcmp(known[i], name) == 0)
			return true;
	return false;
}

void sysctlconf_lower(struct lang_ctx *c, const struct sysctlconf_file *f, struct decl *d)
{
	for (uint32_t i = 0; i < f->settings.n && !diag_is_full(c->diags); i++) {
		const struct decl_sysctl *s = &f->settings.v[i];
		const char *near = diag_nearest(s->name, known);

		if (strncmp(s->name, lifetimes, sizeof(lifetimes) - 1) == 0) {
			decl_set_sysctl(d, s->name, s->value, s->at);
		} else if (is_known(s->name)) {
			if (strcmp(s->value, "0") == 0 || strcmp(s->value, "1") == 0)
				decl_set_sysctl(d, s->name, s->value, s->at);
			else
				diag_add(c->diags, DIAG_E1512, s->at,
					 "'%s' of %s is neither 0 nor 1", s->value, s->name);
		} else if (near != NULL) {
			diag_add(c->diags, DIAG_W1517, s->at, "unknown setting '%s' is ignored",
				 s->name);
			diag_help(c->diags, "did you mean '%s'?", near);
		}
	}
}
