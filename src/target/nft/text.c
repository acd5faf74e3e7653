/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Each table is added, so that it is there to be deleted, deleted, and defined
 * anew: nft sends all of it as one transaction.
 */
#include "target/nft/stmt.h"

#include <linux/netfilter.h>
#include <linux/netfilter_arp.h>
#include <string.h>

#define DAY_MS	(UINT64_C(86400) * 1000)

static const char *hook_name(enum nft_family f, uint32_t hook)
{
	static const char *const inet[] = {
		[NF_INET_PRE_ROUTING] = "prerouting", [NF_INET_LOCAL_IN] = "input",
		[NF_INET_FORWARD] = "forward", [NF_INET_LOCAL_OUT] = "output",
		[NF_INET_POST_ROUTING] = "postrouting",
	};
	static const char *const arp[] = { [NF_ARP_IN] = "input", [NF_ARP_OUT] = "output" };

	return f == NFT_ARP ? arp[hook] : inet[hook];
}

/* Values of a concatenation stand at multiples of 4 bytes */
static void print_concat(const enum nft_type *types, uint8_t n, const uint8_t *b, FILE *out)
{
	for (uint8_t i = 0; i < n; i++) {
		const struct nft_type_info *t = &nft_types[types[i]];

		if (i > 0)
			fputs(" . ", out);
		t->print(b, t->len, out);
		b += (t->len + 3u) / 4 * 4;
	}
}

static void print_types(const enum nft_type *types, uint8_t n, FILE *out)
{
	for (uint8_t i = 0; i < n; i++)
		fprintf(out, "%s%s", i == 0 ? "" : " . ", nft_types[types[i]].name);
}

static void print_key(const struct nft_set *s, const struct nft_elem *e, FILE *out)
{
	const uint8_t *lo = e->key, *hi = s->n_keys == 1 ? e->key + NFT_VALUE_BYTES : e->key_end;

	for (uint8_t i = 0; i < s->n_keys; i++) {
		const struct nft_type_info *t = &nft_types[s->keys[i]];
		const uint32_t room = (t->len + 3u) / 4 * 4;

		fputs(i > 0 ? " . " : "", out);
		t->print(lo, t->len, out);
		if (s->is_interval && memcmp(lo, hi, t->len) != 0) {
			fputc('-', out);
			t->print(hi, t->len, out);
		}
		lo += room;
		hi = hi != NULL ? hi + room : NULL;
	}
}

static void print_elem(const struct nft_set *s, const struct nft_elem *e, FILE *out)
{
	print_key(s, e, out);
	if (e->comment != NULL)
		fprintf(out, " comment \"%s\"", e->comment);
	if (s->is_vmap)
		fprintf(out, " : goto %s", e->chain);
	if (s->n_datas > 0) {
		fputs(" : ", out);
		print_concat(s->datas, s->n_datas, e->data, out);
	}
}

struct printing {
	const struct nft_set *s;
	FILE *out;
	uint32_t n;
};

static void print_next(const struct nft_elem *e, void *arg)
{
	struct printing *to = arg;

	fputs(to->n++ == 0 ? "\t\telements = {\n\t\t\t" : ",\n\t\t\t", to->out);
	print_elem(to->s, e, to->out);
}

static void print_set(const struct nft_set *s, FILE *out)
{
	struct printing to = { .s = s, .out = out };

	fprintf(out, "\t%s %s {\n\t\ttype ", s->n_datas > 0 || s->is_vmap ? "map" : "set", s->name);
	print_types(s->keys, s->n_keys, out);
	if (s->n_datas > 0)
		fputs(" : ", out);
	print_types(s->datas, s->n_datas, out);
	fputs(s->is_vmap ? " : verdict\n" : "\n", out);
	if (s->is_interval)
		fputs("\t\tflags interval\n", out);
	if (s->is_dynamic && s->timeout_ms == 0)
		fputs("\t\tflags dynamic\n", out);
	else if (s->is_dynamic && s->timeout_ms % DAY_MS == 0)	/* nft reads no long number */
		fprintf(out, "\t\tflags dynamic,timeout\n\t\ttimeout %lud\n",
			(unsigned long)(s->timeout_ms / DAY_MS));
	else if (s->is_dynamic)
		fprintf(out, "\t\tflags dynamic,timeout\n\t\ttimeout %lums\n",
			(unsigned long)s->timeout_ms);
	if (s->size != 0)
		fprintf(out, "\t\tsize %u\n", s->size);
	if (s->is_counted)
		fputs("\t\tcounter\n", out);
	if (s->comment != NULL)
		fprintf(out, "\t\tcomment \"%s\"\n", s->comment);
	nft_each(s, print_next, &to);
	if (to.n > 0)
		fputs("\n\t\t}\n", out);
	fputs("\t}\n", out);
}

static void print_rule(const struct nft_rule *r, FILE *out)
{
	fputs("\t\t", out);
	for (uint32_t i = 0; i < r->stmts.list.n; i++) {
		const struct nft_stmt *s = &r->stmts.list.v[i];

		if (i > 0)
			fputc(' ', out);
		nft_stmt_ops[s->kind].print(s, out);
	}
	if (r->comment != NULL)
		fprintf(out, " comment \"%s\"", r->comment);
	fputc('\n', out);
}

static void print_chain(const struct nft_chain *c, FILE *out)
{
	fprintf(out, "\tchain %s {\n", c->name);
	if (c->type != NULL)
		fprintf(out, "\t\ttype %s hook %s priority %d; policy accept;\n", c->type,
			hook_name(c->family, c->hook), c->prio);
	for (uint32_t i = 0; i < c->rules.n; i++)
		print_rule(&c->rules.v[i], out);
	fputs("\t}\n", out);
}

static void print_table(const struct nft_program *p, enum nft_family f, FILE *out)
{
	const char *family = nft_family_name(f);

	/* A kernel need not have family bridge, and would refuse the whole text */
	if (f == NFT_BRIDGE && !p->has_table[f])
		return;
	fprintf(out, "table %s %s\ndelete table %s %s\n", family, NFT_TABLE, family, NFT_TABLE);
	if (!p->has_table[f])
		return;
	fprintf(out, "table %s %s {\n", family, NFT_TABLE);
	for (uint32_t i = 0; i < p->sets.n; i++)
		if (p->sets.v[i]->family == f)
			print_set(p->sets.v[i], out);
	for (uint32_t i = 0; i < p->chains.n; i++)
		if (p->chains.v[i]->family == f)
			print_chain(p->chains.v[i], out);
	fputs("}\n", out);
}

void nft_text(const struct nft_program *p, FILE *out)
{
	for (int f = 0; f < N_NFT_FAMILIES; f++)
		print_table(p, (enum nft_family)f, out);
}
