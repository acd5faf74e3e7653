/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The second declaration is compiled, and its program held against the meaning of
 * the first, as `verify` holds a program against its own declaration.  So what is
 * compared, and what is told as not proven, is the same.  Files of -f belong to both.
 *
 * What pf and ipfw remember cannot be compared: of one each, conversations are tried.
 */
#include "cli/verify.h"
#include "prove/cross.h"

/* One of the two, beside the @n_common files of both */
static int declare(struct cli *c, uint32_t n_common, const char *path, struct declared *ret)
{
	c->files.n = n_common;
	vec_add(&c->arena, &c->files, ((struct cli_file){ .path = path, .lang = c->lang }));
	return cli_declare(c, ret, CLI_TOLERANT);
}

/* Tags are bits by their order: the same ones, or they cannot be compared */
static bool have_same_tags(const struct model *one, const struct model *other)
{
	if (one->tags.n != other->tags.n)
		return false;
	for (uint32_t i = 0; i < one->tags.n; i++)
		if (one->tags.v[i] != other->tags.v[i])
			return false;
	return true;
}

#define TRIED	200000u

/* They remember in two ways: see prove/cross.h */
static int compare_languages(struct cli *c, const struct model *one, const struct model *other,
			     const struct cli_sides *sides)
{
	struct prove_result r;
	const int err = prove_cross(one, other, &c->arena, &r);

	return err < 0 ? cli_system(c, err, "compare the two") : cli_verify_tell(c, &r, sides);
}

int verb_equal(struct cli *c)
{
	const struct cli_sides sides = { c->args.v[0], c->args.v[1], "both mean the same" };
	const uint32_t n_common = c->files.n;
	struct declared one, other;
	struct prove_result r;
	struct nft_options o;
	struct nft_program *p;
	int status = cli_netns(c), err;

	if (status == 0)
		status = declare(c, n_common, c->args.v[0], &one);
	if (status == 0)
		status = declare(c, n_common, c->args.v[1], &other);
	if (status != 0)
		return status;
	if ((one.ipfw != NULL) != (other.ipfw != NULL))
		return compare_languages(c, &one.model, &other.model, &sides);
	nft_options_init(&o);
	p = nft_program_from_model(&other.model, &o, &c->diags);
	if (p == NULL)
		return cli_refused(c);
	err = prove_program(&one.model, p, PROVE_MAX_NODES, &c->arena, &r);
	if (err < 0)
		return cli_system(c, err, "compare the two");
	/* Where no proof was possible a difference may yet be met */
	if (r.differences.n == 0 && r.unproven.n > 0)
		prove_sample(&one.model, &other.model, TRIED, &c->arena, &r);
	if (!have_same_tags(&one.model, &other.model))
		vec_add(&c->arena, &r.unproven, "tags with other names, or in another order");
	return cli_verify_tell(c, &r, &sides);
}
