/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A translation is made of the model and not of the text.  What was printed is read
 * again before anybody sees it, and what it means is held against what was declared,
 * as `equal` holds two declarations: a translation that means something else is not
 * printed.
 */
#include <stdlib.h>

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

/* A declaration in the other language */
struct attempt {
	char *text;
	size_t len;
	struct raise_refusal refused;
	bool is_printed;
	struct model again;
	struct prove_result r;
};

static void attempt_fini(struct attempt *t)
{
	free(t->text);
}

/* Write it, read it again, and hold it against what was declared: both without policy */
static int try_one(struct cli *c, const struct translate_lang *t, const struct declared *d,
		   const struct flat *f, struct attempt *ret)
{
	FILE *to = open_memstream(&ret->text, &ret->len);
	struct model rules, other;
	int err;

	if (to == NULL)
		return cli_system(c, -ENOMEM, "translate");
	ret->is_printed = t->print(&d->model, f, to, &ret->refused);
	fclose(to);
	if (ret->is_printed && !read_again(c, t, ret->text, ret->len, d, &ret->again)) {
		ret->is_printed = false;
		ret->refused = (struct raise_refusal){ .what = "this declaration" };
	}
	if (!ret->is_printed)
		return 0;
	rules = bare(&d->model);
	other = bare(&ret->again);
	err = prove_cross(&rules, &other, &c->arena, &ret->r);
	return err < 0 ? cli_system(c, err, "compare the translation") : 0;
}

static bool is_good(const struct attempt *t)
{
	return t->is_printed && t->r.differences.n == 0;
}

static int tell_refused(struct cli *c, const struct translate_lang *t, const struct attempt *at)
{
	const struct prove_difference *x;

	if (!at->is_printed)
		return refuse(c, t, at->refused.what, &at->refused.at);
	x = &at->r.differences.v[0];
	diag_add(&c->diags, DIAG_E1746, x->origin.at,
		 "%s cannot say this: %s means %s, and its rules would mean %s", t->name,
		 x->packet, x->declared, x->kernel);
	return EX_UNAVAILABLE;
}

/* What is told of a translation that is printed */
static int tell(struct cli *c, const struct declared *d, const struct attempt *at)
{
	struct prove_result r = { .n_nodes = 0 };
	int err = prove_cross(&d->model, &at->again, &c->arena, &r);

	if (err < 0)
		return cli_system(c, err, "compare the translation");
	for (uint32_t i = 0; i < at->r.unproven.n; i++)
		diag_add(&c->diags, DIAG_N1748, SPAN_NONE, "not proven: %s", at->r.unproven.v[i]);
	if (r.differences.n > 0)
		diag_add(&c->diags, DIAG_W1747, r.differences.v[0].origin.at,
			 "with sallyport's fences and local callers around it, %s means %s, and "
			 "around its translation %s", r.differences.v[0].packet,
			 r.differences.v[0].declared, r.differences.v[0].kernel);
	return 0;
}

static int translate(struct cli *c, const struct translate_lang *t, const struct declared *d,
		     FILE *out)
{
	CLEANUP(attempt_fini) struct attempt first = { .text = NULL }, longer = first;
	const struct attempt *best = &first;
	struct flat f;
	int status;

	if (!flat_model(&d->model, &f))
		return refuse(c, t, f.refused, &f.refused_at);
	status = try_one(c, t, d, &f, &first);
	if (status == 0 && first.is_printed && !is_good(&first) && t->longer != NULL) {
		status = try_one(c, t->longer, d, &f, &longer);
		best = is_good(&longer) ? &longer : &first;
	}
	if (status == 0)
		status = is_good(best) ? tell(c, d, best) : tell_refused(c, t, best);
	if (status != 0)
		return status;
	tell_known(c, t, &f);
	fwrite(best->text, 1, best->len, out);
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
