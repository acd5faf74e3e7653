/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "cli/compile.h"
#include "cli/host.h"
#include "lang/ipfw.h"
#include "lang/pf.h"
#include "target/haproxy.h"
#include "target/nft.h"

static int to_model(struct cli *c, const struct declared *d, FILE *out)
{
	model_dump(&d->model, &c->sources, out);
	return 0;
}

static int to_nft(struct cli *c, const struct declared *d, FILE *out)
{
	struct nft_options o;
	struct nft_program *p;

	cli_nft_options(c, &o);
	p = nft_program_from_model(&d->model, &o, &c->diags);
	if (p == NULL)
		return cli_refused(c);
	nft_text(p, out);
	return 0;
}

/* As `ipfw -S list` and `ipfw nat show config` print them */
static int to_ipfw(struct cli *c, const struct declared *d, FILE *out)
{
	if (d->ipfw == NULL)
		return translate_to_ipfw(c, d, out);
	ipfw_print_list(d->ipfw, d->ipfw_accepts, out);
	ipfw_print_nat(d->ipfw, out);
	return 0;
}

/* The rules that jail.conf itself makes, read back as a pf.conf; NULL after an error */
static const struct pf_file *pf_of_jails(struct cli *c, struct lang_ctx *ctx,
					 const struct declared *d)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	uint32_t src;
	bool good;

	if (f == NULL)
		return NULL;
	good = pf_raise_jails(ctx, &d->decl, &d->facts, f);
	fclose(f);
	if (!good)
		return NULL;
	src = sources_add(&c->sources, "jails", text, (uint32_t)len, SPAN_NONE);
	return pf_parse(ctx, NULL, &src, 1);
}

/* Of rules in another language only what they mean can be printed: they are read again */
static int ipfw_to_pf(struct cli *c, FILE *out)
{
	struct declared d;
	int status;

	diags_init(&c->diags, &c->arena, &c->sources);
	status = cli_declare(c, &d, CLI_STRICT);
	return status != 0 ? status : translate_to_pf(c, &d, out);
}

/* As `pfctl -o none -nv` prints it; what lowering does not know is printed too */
static int to_pf(struct cli *c, const struct declared *d, FILE *out)
{
	const struct pf_options o = { .tolerate_missing = false };
	struct lang_ctx ctx = {
		.a = &c->arena, .names = &c->names, .sources = &c->sources, .diags = &c->diags,
		.defines = c->defines.v, .n_defines = c->defines.n, .resolve = cli_resolve,
	};
	const struct pf_file *f = d->pf;

	if (d->ipfw != NULL)
		return ipfw_to_pf(c, out);
	if (!d->has_rules)
		f = pf_of_jails(c, &ctx, d);
	return f != NULL && pf_norm_form(&ctx, f, &d->facts, &o, out) ? 0 : cli_refused(c);
}

/* A complete haproxy.cfg for the names in $http */
static int to_haproxy(struct cli *c, const struct declared *d, FILE *out)
{
	const struct haproxy_program *p = haproxy_program(&d->decl, &d->model, &c->diags);

	if (p == NULL)
		return cli_refused(c);
	haproxy_text(p, out);
	return 0;
}

static const struct {
	const char *name;
	int (*print)(struct cli *c, const struct declared *d, FILE *out);
	enum cli_strict strict;
} targets[] = {
	{ "nft", to_nft, CLI_STRICT },
	{ "model", to_model, CLI_STRICT },
	{ "pf", to_pf, CLI_PARSED },
	{ "ipfw", to_ipfw, CLI_STRICT },
	{ "bpf", compile_bpf, CLI_TOLERANT },
	{ "bpf-asm", compile_bpf_asm, CLI_TOLERANT },
	{ "pcap-filter", compile_pcap_filter, CLI_TOLERANT },
	{ "haproxy", to_haproxy, CLI_STRICT },
};

/* Print to --output: whole, or not at all */
static int write_output(struct cli *c, const char *text, size_t len)
{
	const char *what = arena_printf(&c->arena, "write '%s'", c->output);
	FILE *f = fopen(c->output, "we");
	size_t written;
	int err;

	if (f == NULL)
		return cli_system(c, -errno, what);
	written = fwrite(text, 1, len, f);
	err = errno;
	if (fclose(f) != 0)
		return cli_system(c, -errno, what);
	return written == len ? 0 : cli_system(c, -err, what);
}

static int print_target(struct cli *c, size_t target)
{
	struct declared d;
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out;
	int status = cli_declare(c, &d, targets[target].strict);

	if (status != 0)
		return status;
	out = open_memstream(&text, &len);
	if (out == NULL)
		return cli_system(c, -errno, "compile");
	status = targets[target].print(c, &d, out);
	fclose(out);
	if (status != 0)
		return status;
	if (c->output != NULL)
		return write_output(c, text, len);
	if (!c->json) {
		fwrite(text, 1, len, c->out);
		return 0;
	}
	cli_object(c);
	fprintf(c->out, "\"to\": \"%s\", \"text\": ", targets[target].name);
	json_string(c->out, text, len);
	putc('}', c->out);
	return 0;
}

int verb_compile(struct cli *c)
{
	int status;

	if (c->to == NULL)
		return cli_usage(c, "compile needs --to, and what to");
	status = cli_netns(c);
	if (status != 0)
		return status;
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		if (strcmp(targets[i].name, c->to) == 0)
			return print_target(c, i);
	}
	return cli_usage(c, "compile --to takes nft, pf, ipfw, bpf, bpf-asm, pcap-filter, "
			 "haproxy or model, not '%s'", c->to);
}
