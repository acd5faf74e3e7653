/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw_show - a ruleset as `ipfw list`, `show`, `table T list` and the like print it
 *
 * Owns:	 nothing.
 * Does not:	 know where counts and dynamic rules come from.
 * Threads:	 none.
 * Normative:	 ipfw(8); the columns are those of FreeBSD's ipfw2.c.
 */
#ifndef LANG_IPFW_SHOW_H
#define LANG_IPFW_SHOW_H

#include "lang/ipfw.h"

/** enum ipfw_time - What stands for the time of the last match, which is not known */
enum ipfw_time { IPFW_NO_TIME, IPFW_TIME_TEXT, IPFW_TIME_NUMBER };

/**
 * struct ipfw_dynamic - A dynamic rule
 * @text:	Of the rule that made it, as struct ipfw_rule.text; may be cut
 * @proto:	Protocol
 * @src:	As its first packet went
 * @dst:	The same
 * @sport:	0 for protocols without ports
 * @dport:	The same
 * @seconds:	Until it expires
 */
struct ipfw_dynamic {
	const char *text;
	uint8_t proto;
	struct addr src;
	struct addr dst;
	uint16_t sport;
	uint16_t dport;
	uint32_t seconds;
};

/**
 * struct ipfw_view - What of a ruleset is shown, and how
 * @accept:	The last rule accepts
 * @sets:	-S: sets, and rules of disabled sets
 * @compact:	-c
 * @actions:	-b: actions and comments only
 * @time:	-t, -T
 * @count:	Counts of a rule by its text; NULL: no columns for them
 * @arg:	For @count
 * @set:	Rules of this set only, -1: all
 * @lo:		First rule number
 * @hi:		Last
 * @dynamic:	Dynamic rules
 * @n_dynamic:	How many
 */
struct ipfw_view {
	bool accept;
	bool sets;
	bool compact;
	bool actions;
	enum ipfw_time time;
	void (*count)(void *arg, const char *text, uint64_t *packets, uint64_t *bytes);
	void *arg;
	int32_t set;
	uint32_t lo;
	uint32_t hi;
	const struct ipfw_dynamic *dynamic;
	uint32_t n_dynamic;
};

/** ipfw_show_rules() - Rules; how many there were in the range, hidden ones included */
uint32_t ipfw_show_rules(const struct ipfw_ruleset *rs, const struct ipfw_view *v, FILE *out);

/**
 * ipfw_show_dynamic() - Dynamic rules of the range, without a headline
 * @rs:		Ruleset
 * @v:		View
 * @out:	Stream, or NULL to count only
 *
 * Parents of limits are worked out from what they have.
 *
 * Return: how many
 */
uint32_t ipfw_show_dynamic(const struct ipfw_ruleset *rs, const struct ipfw_view *v, FILE *out);

/** ipfw_show_sets() - `set show` */
void ipfw_show_sets(const struct ipfw_ruleset *rs, FILE *out);

/** ipfw_show_nat() - `nat N show config`; false if there is none; 0: all */
bool ipfw_show_nat(const struct ipfw_ruleset *rs, uint32_t number, FILE *out);

/**
 * ipfw_show_table() - `table T list` and `table T info`
 * @rs:		Ruleset
 * @name:	Table, or "all"
 * @info:	What it is, not what it holds
 * @out:	Stream
 *
 * Return: false if there is none
 */
bool ipfw_show_table(const struct ipfw_ruleset *rs, const char *name, bool info, FILE *out);

/** enum ipfw_found - What a look-up found */
enum ipfw_found { IPFW_FOUND, IPFW_NO_TABLE, IPFW_NO_ENTRY };

/** ipfw_table_lookup() - `table T lookup KEY`: the entry that counts for @key */
enum ipfw_found ipfw_table_lookup(const struct ipfw_ruleset *rs, const char *name,
				  const char *key, FILE *out);

/** ipfw_is_number() - Has the ruleset a rule with this number; 65535 is always there */
bool ipfw_is_number(const struct ipfw_ruleset *rs, uint32_t number);

#endif /* LANG_IPFW_SHOW_H */
