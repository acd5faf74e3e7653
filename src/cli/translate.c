/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A translation is made of the model and not of the text.  What was printed is read
 * again before anybody sees it, and what it means is held against what was declared,
 * as `equal` holds two declarations: a translation that means something else is not
 * printed.
 */
#include "cli/compile.h"
#include "lang/translate.h"
#include "prove/cross.h"

/* The model of what was printed; its complaints are nobody's */
static bool read_again(struct cli *c, const struct translate_lang *t, const char *text, size_t len,
		       const struct declared *d, struct model *ret)
{
	struct diags told;
	struct lang_ctx ctx = {
		.a = &c->arena, .names = &c->names, .sources = &c->sources, .diags = &told,
	};
	const uint32_t src = sources_add(&c->sources, "translation",
					 arena_strndup(&c->arena, text, len), (uint32_t)len,
					 SPAN_NONE);

	diags_init(&told, &c->arena, &c->sources);
	model_init(ret, &c->arena, &c->names, &d->facts);
	if (!t->read(&ctx, src, &d->facts, ret) || told.n_errors > 0) {
		diag_print(&told, stderr, false, DIAG_ERROR);
		return false;
	}
	policy_add(ret, &c->policy, &told);
	return true;
}

static int refuse(struct cli *c, const struct translate_lang *t, const char *what,
		  const struct origin *at)
{
	diag_add(&c->diags, DIAG_E1745, at->at, "%s has no form in %s", what, t->name);
	return EX_UNAVAILABLE;
}

/* What the two languages never have in common */
static void tell_known(struct cli *c, const struct translate_lang *t, const struct flat *f)
{
	for (uint32_t i = 0; i < f->filter.rules.n; i++) {
		const struct flat_rule *r = &f->filter.rules.v[i];

		if (!r->ruling.keep || r->ruling.verdict != V_PASS ||
		    (r->in[F_PROTO] != NULL && !set_has(r->in[F_PROTO], AF_NONE, PROTO_ICMP) &&
		     !set_has(r->in[F_PROTO], AF_NONE, PROTO_ICMP6)))
			continue;
		diag_add(&c->diags, DIAG_W1747, r->origin.at, "%s", f->is_free
			 ? "pf remembers each ICMP query by its id, ipfw all ICMP between two hosts"
			 : "ipfw remembers all ICMP between two hosts, pf each query by its id");
		break;
	}
	if (f->drops_opts && t == &translate_ipfw)
		diag_add(&c->diags, DIAG_W1747, SPAN_NONE, "pf refuses packets with IP options "
			 "where no rule says allow-opts; ipfw has no such rule");
}

/* The rules alone: the policy around them is this host's, and made anew from whichever rules */
static struct model bare(const struct model *m)
{
	struct model r = *m;

	for (int dir = 0; dir < 2; dir++)
		r.before[dir] = r.after[dir] = LIST_NONE;
	return r;
}

static int compare(struct cli *c, const struct translate_lang *t, const struct declared *d,
		   const struct model *again)
{
	const struct model rules = bare(&d->model), other = bare(again);
	struct prove_result r = { .n_nodes = 0 };
	const struct prove_difference *x;
	int err = prove_cross(&rules, &other, &c->arena, &r);

	if (err < 0)
		return cli_system(c, err, "compare the translation");
	for (uint32_t i = 0; i < r.unproven.n && r.differences.n == 0; i++)
		diag_add(&c->diags, DIAG_N1748, SPAN_NONE, "not proven: %s", r.unproven.v[i]);
	if (r.differences.n > 0) {
		x = &r.differences.v[0];
		diag_add(&c->diags, DIAG_E1746, x->origin.at,
			 "%s cannot say this: %s means %s, and its rules would mean %s", t->name,
			 x->packet, x->declared, x->kernel);
		return EX_UNAVAILABLE;
	}
	err = prove_cross(&d->model, again, &c->arena, &r);
	if (err < 0)
		return cli_system(c, err, "compare the translation");
	if (r.differences.n > 0) {
		x = &r.differences.v[0];
		diag_add(&c->diags, DIAG_W1747, x->origin.at,
			 "with sallyport's fences and local callers around it, %s means %s, and "
			 "around its translation %s", x->packet, x->declared, x->kernel);
	}
	return 0;
}

static int translate(struct cli *c, const struct translate_lang *t, const struct declared *d,
		     FILE *out)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	struct raise_refusal refused;
	struct model again;
	struct flat f;
	FILE *to;
	bool good;
	int status;

	if (!flat_model(&d->model, &f))
		return refuse(c, t, f.refused, &f.refused_at);
	to = open_memstream(&text, &len);
	if (to == NULL)
		return cli_system(c, -ENOMEM, "translate");
	good = t->print(&d->model, &f, to, &refused);
	fclose(to);
	if (!good)
		return refuse(c, t, refused.what, &refused.at);
	if (!read_again(c, t, text, len, d, &again))
		return refuse(c, t, "this declaration", &(const struct origin){ .text = NULL });
	status = compare(c, t, d, &again);
	if (status != 0)
		return status;
	tell_known(c, t, &f);
	fwrite(text, 1, len, out);
	return 0;
}

int translate_to_pf(struct cli *c, const struct declared *d, FILE *out)
{
	return translate(c, &translate_pf, d, out);
}

int translate_to_ipfw(struct cli *c, const struct declared *d, FILE *out)
{
	return translate(c, &translate_ipfw, d, out);
}
