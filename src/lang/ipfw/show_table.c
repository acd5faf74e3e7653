/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "lang/ipfw/parse.h"
#include "lang/ipfw_show.h"

#define INFO_BYTES	296u	/* what FreeBSD's kernel takes for an empty table */
#define ENTRY_BYTES	148u	/* and for an entry */

static const char *addr_text(const struct prefix *p, char *buf)
{
	return p->len == addr_bits(p->a.af) ? addr_print(p->a, buf) : prefix_print(*p, buf);
}

static const char *flow_text(struct arena *a, const struct ipfw_table *t,
			     const struct ipfw_entry *e)
{
	const char *names = t->flow_keys, *text = "";
	char buf[ADDR_TEXT_BYTES];

	while (names != NULL && *names != '\0') {
		const size_t len = strcspn(names, ",");
		const char *comma = text[0] != '\0' ? "," : "";

		if (strncmp(names, "src-ip", 6) == 0)
			text = arena_printf(a, "%s%s%s", text, comma, addr_text(&e->addrs, buf));
		else if (strncmp(names, "dst-ip", 6) == 0)
			text = arena_printf(a, "%s%s%s", text, comma, addr_text(&e->dst, buf));
		else
			text = arena_printf(a, "%s%s%d", text, comma, names[0] == 'p' ? e->proto :
					    names[0] == 's' ? e->sport : e->dport);
		names += len + (names[len] == ',');
	}
	return text;
}

const char *ipfw_entry_key(struct arena *a, const struct ipfw_table *t,
			   const struct ipfw_entry *e)
{
	char buf[ADDR_TEXT_BYTES];

	switch (t->type) {
	case IW_K_ADDR:
		return arena_printf(a, "%s", prefix_print(e->addrs, buf));
	case IW_K_NUMBER:
		return arena_printf(a, "%u", e->number);
	case IW_K_FLOW:
		return flow_text(a, t, e);
	default:
		return e->key_text;
	}
}

const char *ipfw_entry_value(struct arena *a, const struct ipfw_table *t,
			     const struct ipfw_entry *e)
{
	char buf[ADDR_TEXT_BYTES];

	if (t->valtype != NULL && strcmp(t->valtype, "ipv4") == 0)
		return arena_printf(a, "%s", addr_print((struct addr){ .af = AF_V4,
								       .v = e->value }, buf));
	return arena_printf(a, "%u", e->value);
}

uint32_t ipfw_table_refs(const struct ipfw_ruleset *rs, const char *name)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < rs->rules.n; i++)
		for (uint32_t k = 0; k < rs->rules.v[i].insns.n; k++)
			n += rs->rules.v[i].insns.v[k].table.name == name;
	return n;
}

static void show_entry(const struct ipfw_ruleset *rs, const struct ipfw_table *t,
		       const struct ipfw_entry *e, FILE *out)
{
	fprintf(out, "%s %s\n", ipfw_entry_key(rs->a, t, e), ipfw_entry_value(rs->a, t, e));
}

static void show_info(const struct ipfw_ruleset *rs, uint32_t i, FILE *out)
{
	static const struct { enum iw type; const char *text; } algos[] = {
		{ IW_K_IFACE, "iface:array" }, { IW_K_NUMBER, "number:array" },
		{ IW_K_FLOW, "flow:hash" },
	};
	const struct ipfw_table *t = &rs->tables.v[i];
	const char *algo = "addr:radix", *type = t->type != IW_NONE ? iw_text(t->type) : "addr";

	for (size_t k = 0; k < ARRAY_SIZE(algos); k++)
		if (algos[k].type == t->type)
			algo = algos[k].text;
	fprintf(out, " kindex: %u, type: %s", i + 1, type);
	if (t->type == IW_K_FLOW && t->flow_keys != NULL)
		fprintf(out, ":%s", t->flow_keys);
	fprintf(out, "\n references: %u, valtype: %s\n algorithm: %s\n items: %u, size: %u\n",
		ipfw_table_refs(rs, t->name), t->valtype != NULL ? t->valtype : "legacy", algo,
		t->entries.n, INFO_BYTES + t->entries.n * ENTRY_BYTES);
}

bool ipfw_show_table(const struct ipfw_ruleset *rs, const char *name, bool info, FILE *out)
{
	const bool all = strcmp(name, "all") == 0;
	bool found = all;

	for (uint32_t i = 0; i < rs->tables.n; i++) {
		const struct ipfw_table *t = &rs->tables.v[i];

		if (!all && strcmp(t->name, name) != 0)
			continue;
		found = true;
		fprintf(out, "--- table(%s), set(0) ---\n", t->name);
		if (info)
			show_info(rs, i, out);
		for (uint32_t k = 0; k < t->entries.n && !info; k++)
			show_entry(rs, t, &t->entries.v[k], out);
	}
	return found;
}

/* Is the entry, of an address table, one that has @a */
static bool has_addr(const struct ipfw_entry *e, const char *key)
{
	struct addr a;

	return addr_parse(key, strlen(key), &a) == 0 && prefix_has(e->addrs, a);
}

enum ipfw_found ipfw_table_lookup(const struct ipfw_ruleset *rs, const char *name,
				  const char *key, FILE *out)
{
	const struct ipfw_table *t = NULL;
	const struct ipfw_entry *best = NULL;

	for (uint32_t i = 0; i < rs->tables.n; i++)
		if (strcmp(rs->tables.v[i].name, name) == 0)
			t = &rs->tables.v[i];
	if (t == NULL)
		return IPFW_NO_TABLE;
	for (uint32_t k = 0; k < t->entries.n; k++) {
		const struct ipfw_entry *e = &t->entries.v[k];
		const bool fits = t->type == IW_K_ADDR ? has_addr(e, key) :
				  strcmp(ipfw_entry_key(rs->a, t, e), key) == 0;

		if (fits && (best == NULL || e->addrs.len > best->addrs.len))
			best = e;
	}
	if (best == NULL)
		return IPFW_NO_ENTRY;
	show_entry(rs, t, best, out);
	return IPFW_FOUND;
}
