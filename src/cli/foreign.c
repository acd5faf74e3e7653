/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What our tables let in still meets every other table.  A forward whose first packet
 * another one drops, or redirects before we do, is broken, whatever our program means;
 * so it is told as a difference, with that packet, if that is declared to pass and to be
 * translated.  Rules of others that cannot be read are no reason to call our program
 * unproven: they are told in a note.
 */
#include "cli/foreign.h"

#include <string.h>

#include "host/doctor.h"

static const char *forward_text(struct cli *c, const struct doctor_forward *f)
{
	char text[ADDR_TEXT_BYTES + 8];

	return arena_printf(&c->arena, "what is forwarded to %s",
			    addr_port_print(f->inside, f->port, text));
}

static struct prove_place place_of(const struct doctor_block *b)
{
	return (struct prove_place){
		.iface = b->iface != NULL ? b->iface : "lo0", .proto = b->f->proto,
		.src = b->from, .dst = b->f->to, .port = b->f->lo,
	};
}

/* A rule may translate what another one blocks, or only what comes elsewhere */
static bool is_declared(struct cli *c, const struct cli_host *h, const struct doctor_block *b)
{
	const struct prove_place to = place_of(b);

	return prove_place_is_inside(&c->arena, &h->d.model, &to,
				     intern_cid(&c->names, to.iface));
}

static struct prove_difference difference(struct cli *c, const struct doctor_block *b)
{
	const struct prove_place to = place_of(b);

	return (struct prove_difference){
		.packet = prove_place_line(&c->arena, &to), .part = b->by,
		.declared = "pass", .kernel = b->is_elsewhere ? "sent elsewhere" : "block",
		.origin = { .at = b->f->at, .text = forward_text(c, b->f) },
	};
}

int cli_foreign_read(struct cli *c, struct cli_host *h, struct prove_result *ret)
{
	struct doctor x = {
		.a = &c->arena, .d = &h->d.decl, .facts = &h->d.facts, .m = &h->d.model,
		.nft = &h->filter, .root = "",
	};
	struct doctor_blocks blocks = { .list = { .n = 0 } };
	const int err = doctor_foreign(&x, &blocks);
	const char *last = NULL;

	for (uint32_t i = 0; i < blocks.list.n && err == 0; i++) {
		const struct doctor_block *b = &blocks.list.v[i];

		if (!is_declared(c, h, b))
			continue;
		if (!b->is_open && ret->differences.n < PROVE_MOST)
			vec_add(&c->arena, &ret->differences, difference(c, b));
		if (!b->is_open || (last != NULL && strcmp(last, b->by) == 0))
			continue;
		diag_add(&c->diags, DIAG_N1715, b->f->at, "not proven: what %s does with %s",
			 b->by, forward_text(c, b->f));
		last = b->by;
	}
	if (err == 0 && blocks.n_untried > 0)
		diag_add(&c->diags, DIAG_N1715, SPAN_NONE, "not proven: what other tables do with "
			 "the last %u of %u forwards", blocks.n_untried, x.forwards.n);
	return err;
}
