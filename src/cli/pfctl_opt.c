/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "cli/pfctl.h"

/* As in pfctl(8), in the order in which the first match of a prefix counts */
static const char *const clear_words[] = {
	"nat", "queue", "rules", "Sources", "states", "info", "Tables", "osfp", "all", "ethernet",
	"Reset", NULL
};
static const char *const show_words[] = {
	"ether", "nat", "queue", "rules", "Anchors", "Sources", "states", "info", "Interfaces",
	"labels", "timeouts", "memory", "Tables", "osfp", "Running", "all", "creatorids", NULL
};
static const char *const table_words[] = {
	"kill", "flush", "add", "delete", "load", "replace", "show", "test", "zero", "expire",
	"reset", NULL
};
static const char *const debug_words[] = { "none", "urgent", "misc", "loud", NULL };
static const char *const optimise_words[] = { "none", "basic", "profile", NULL };

static const char *lookup(const char *word, const char *const *list)
{
	for (; word[0] != '\0' && *list != NULL; list++)
		if (strncmp(*list, word, strlen(word)) == 0)
			return *list;
	return NULL;
}

bool pfctl_usage(struct pfctl *p)
{
	fputs("usage: pfctl [-AdeghMmNnOPqRSrvz] [-a anchor] [-D macro=value] [-F modifier]\n"
	      "\t[-f file] [-i interface] [-K host | network]\n"
	      "\t[-k host | network | label | id | key | gateway | nat] [-o level]\n"
	      "\t[-p device] [-s modifier] [-t table -T command [address ...]] [-x level]\n",
	      stderr);
	p->status = PFCTL_FAILED;
	return false;
}

static bool unknown(struct pfctl *p, const char *what, const char *value)
{
	pfctl_warn(p, "Unknown %s '%s'", what, value);
	return pfctl_usage(p);
}

static bool set_define(struct pfctl *p, const char *value)
{
	const char *eq = strchr(value, '=');

	if (eq == NULL || eq == value) {
		pfctl_warn(p, "could not parse macro definition %s", value);
		p->status = 0;		/* pfctl goes on */
		return true;
	}
	vec_add(&p->c->arena, &p->defines, ((struct lang_define){
		arena_strndup(&p->c->arena, value, (size_t)(eq - value)), eq + 1 }));
	return true;
}

static bool set_word(struct pfctl *p, const char **to, const char *value,
		     const char *const *list, const char *what)
{
	*to = lookup(value, list);
	return *to != NULL || unknown(p, what, value);
}

static bool set_kill(struct pfctl *p, const char **to, int *n, char letter, const char *value)
{
	if (*n >= 2) {
		pfctl_warn(p, "can only specify -%c twice", letter);
		return pfctl_usage(p);
	}
	to[(*n)++] = value;
	return true;
}

/* An option with a value */
static bool set_value(struct pfctl *p, char letter, const char *value)
{
	const char *ignored;

	switch (letter) {
	case 'a':
		p->anchor = value;
		p->has_anchor = true;
		return true;
	case 'D':
		return set_define(p, value);
	case 'f':
		p->rules = value;
		return true;
	case 'F':
		return set_word(p, &p->clear, value, clear_words, "flush modifier");
	case 'i':
		p->iface = value;
		return true;
	case 'k':
		return set_kill(p, p->kill, &p->n_kill, 'k', value);
	case 'K':
		return set_kill(p, p->kill_src, &p->n_kill_src, 'K', value);
	case 'o':
		return set_word(p, &ignored, value, optimise_words, "optimization");
	case 's':
		return set_word(p, &p->show, value, show_words, "show modifier");
	case 't':
		p->table = value;
		return true;
	case 'T':
		return set_word(p, &p->table_cmd, value, table_words, "table command");
	case 'x':
		return set_word(p, &p->debug_level, value, debug_words, "debug level");
	default:		/* -p device, -X token */
		p->token = letter == 'X' ? 'X' : p->token;
		return true;
	}
}

/* An option without; false: there is none such */
static bool set_flag(struct pfctl *p, char letter)
{
	static const struct { char letter; unsigned int load; } loads[] = {
		{ 'N', LOAD_NAT }, { 'R', LOAD_FILTER }, { 'O', LOAD_OPTION }, { 'A', LOAD_ALTQ },
	};
	const struct { char letter; bool *to; } flags[] = {
		{ 'd', &p->disable }, { 'e', &p->enable }, { 'E', &p->enable }, { 'q', &p->quiet },
		{ 'n', &p->dry }, { 'P', &p->numeric }, { 'z', &p->clear_counts },
	};

	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		if (loads[i].letter == letter) {
			p->load |= loads[i].load;
			return true;
		}
	}
	if (letter == 'E')
		p->token = 'E';
	if (letter == 'v')
		p->verbose++;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].letter == letter)
			*flags[i].to = true;
	return strchr("deEqnPzvgmMrSh", letter) != NULL;
}

/* One word of options, "-nvf" and the next word */
static bool parse_word(struct pfctl *p, uint32_t *i)
{
	const struct cli *c = p->c;

	for (const char *s = c->args.v[*i] + 1; *s != '\0'; s++) {
		if (strchr("aDfFikKopstTxX", *s) != NULL) {
			const char letter = *s;

			if (s[1] == '\0' && *i + 1 >= c->args.n) {
				fprintf(stderr, "pfctl: option requires an argument -- %c\n",
					letter);
				return pfctl_usage(p);
			}
			return set_value(p, letter, s[1] != '\0' ? s + 1 : c->args.v[++*i]);
		}
		if (*s == 'h' || !set_flag(p, *s)) {
			if (*s != 'h')
				fprintf(stderr, "pfctl: illegal option -- %c\n", *s);
			return pfctl_usage(p);
		}
	}
	return true;
}

/* "x/" and a star: the anchor and all below it */
static bool check_anchor(struct pfctl *p)
{
	const bool changes = p->rules != NULL || p->clear != NULL || p->enable || p->disable ||
			     p->n_kill > 0 || p->n_kill_src > 0 || p->debug_level != NULL ||
			     p->clear_counts;
	size_t len = strlen(p->anchor);

	if (len == 0)
		return pfctl_warn(p, "anchor name must not be empty");
	if (!changes && p->show == NULL && p->table_cmd == NULL) {
		pfctl_warn(p, "anchors apply to -f, -F, -s, and -T only");
		return pfctl_usage(p);
	}
	if (changes && p->table_cmd == NULL &&
	    (p->anchor[0] == '_' || strstr(p->anchor, "/_") != NULL))
		return pfctl_warn(p, "anchor names beginning with '_' cannot be modified from the "
				  "command line");
	if (p->anchor[len - 1] == '*') {
		p->recurse = true;
		len -= len >= 2 && p->anchor[len - 2] == '/' ? 2 : 1;
		p->anchor = arena_strndup(&p->c->arena, p->anchor, len);
	}
	if (len >= 1024)
		return pfctl_warn(p, "anchor name '%s' too long", p->anchor);
	while (p->anchor[0] == '/')
		p->anchor++;
	p->load &= LOAD_FILTER | LOAD_NAT | LOAD_TABLE;
	return true;
}

bool pfctl_parse(struct pfctl *p)
{
	const struct cli *c = p->c;
	uint32_t i = 0;

	if (c->args.n == 0)
		return pfctl_usage(p);
	for (; i < c->args.n && c->args.v[i][0] == '-' && c->args.v[i][1] != '\0'; i++) {
		if (strcmp(c->args.v[i], "--") == 0) {
			i++;
			break;
		}
		if (!parse_word(p, &i))
			return false;
	}
	p->words = c->args.v + i;
	p->n_words = c->args.n - i;
	if ((p->table_cmd == NULL) != (p->table == NULL) &&
	    !(p->table_cmd != NULL && strcmp(p->table_cmd, "load") == 0))
		return pfctl_usage(p);
	if (p->table != NULL && strlen(p->table) >= 32)
		return pfctl_usage(p);
	if (p->table_cmd == NULL && p->n_words > 0) {
		pfctl_warn(p, "unknown command line argument: %s ...", p->words[0]);
		return pfctl_usage(p);
	}
	if (p->table_cmd != NULL && strcmp(p->table_cmd, "load") == 0) {
		p->load |= LOAD_TABLE;
		p->table_cmd = NULL;
	}
	if (p->load == 0)
		p->load = LOAD_ALL;
	if (p->has_anchor && !check_anchor(p))
		return false;
	if (p->dry) {
		p->disable = p->enable = false;
		p->clear = p->show = p->debug_level = NULL;
	}
	return true;
}
