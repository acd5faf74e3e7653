/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "cli/compile.h"
#include "target/bpf.h"

/* The number of a word among two; the first one is also what is meant by none */
static int choose(struct cli *c, const char *option, const char *word, const char *first,
		  const char *second)
{
	if (word == NULL || strcmp(word, first) == 0)
		return 0;
	if (strcmp(word, second) == 0)
		return 1;
	cli_usage(c, "%s takes %s or %s, not '%s'", option, first, second, word);
	return -1;
}

static int print(struct cli *c, const struct declared *d, FILE *out, char form)
{
	const int part = choose(c, "--part", c->part, "touch", "filter");
	const int link = choose(c, "--link", c->link, "ethernet", "raw");
	const int dir = choose(c, "--dir", c->dir, "in", "out");
	struct bpf_ask ask = { 0 };
	struct bpf_trees t;
	struct bpf_code code;

	if (part < 0 || link < 0 || dir < 0)
		return EX_USAGE;
	if ((c->dir != NULL || c->on != NULL) && part == BPF_TOUCH)
		return cli_usage(c, "%s is of --part filter", c->on != NULL ? "--on" : "--dir");
	ask.part = (enum bpf_part)part;
	ask.dir = (enum direction)dir;
	ask.is_plain = form == 'e';
	if (c->on != NULL)
		ask.iface = intern_cid(&c->names, facts_freebsd_name(c->on));
	if (!bpf_trees_make(&d->model, &ask, &c->diags, &t))
		return cli_refused(c);
	if (form == 'e')
		return bpf_expression_print(&t, (enum bpf_link)link, &c->diags, out)
		       ? 0 : cli_refused(c);
	bpf_code_make(&t, (enum bpf_link)link, &code);
	bpf_code_print(&code, form == 'd', out);
	return 0;
}

int compile_bpf(struct cli *c, const struct declared *d, FILE *out)
{
	return print(c, d, out, 'd');
}

int compile_bpf_asm(struct cli *c, const struct declared *d, FILE *out)
{
	return print(c, d, out, 'a');
}

int compile_pcap_filter(struct cli *c, const struct declared *d, FILE *out)
{
	return print(c, d, out, 'e');
}
