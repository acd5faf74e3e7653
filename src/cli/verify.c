/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * With --compiled the program is the one that would be loaded, and nothing is asked
 * of the host: it works unprivileged.  Without it is what the kernel holds.
 *
 * A difference is one packet with both answers.  Where these are two verdicts the
 * words alone are told, as `why` tells them; else what goes with them too.
 */
#include <string.h>

#include "cli/foreign.h"
#include "cli/host.h"
#include "cli/verify.h"

static const char *origin_text(const struct prove_difference *d)
{
	return d->origin.text != NULL ? d->origin.text : "no rule matched";
}

void cli_difference_print(struct cli *c, const struct prove_difference *d,
			  const struct cli_sides *sides)
{
	const char *place = cli_place(c, d->origin.at);

	fprintf(c->out, "%s%s%s\n", d->packet,
		d->recv != NULL ? arena_printf(&c->arena, "  (came by %s)", d->recv) : "",
		d->is_known ? "  (of a flow that is known)" : "");
	fprintf(c->out, "  %-8s  %s  %s%s%s\n", sides->one, d->declared, place,
		place[0] != '\0' ? "  " : "", origin_text(d));
	fprintf(c->out, "  %-8s  %s  in: %s\n", sides->other, d->kernel, d->part);
}

void cli_difference_json(struct cli *c, const struct prove_difference *d)
{
	fputs("{\"packet\": ", c->out);
	json_cstring(c->out, d->packet);
	fputs(", \"declared\": ", c->out);
	json_cstring(c->out, d->declared);
	fputs(", \"kernel\": ", c->out);
	json_cstring(c->out, d->kernel);
	fputs(", ", c->out);
	cli_json_place(c, d->origin.at);
	fputs(", \"text\": ", c->out);
	json_cstring(c->out, origin_text(d));
	fputs(", \"part\": ", c->out);
	json_cstring(c->out, d->part);
	fputs(", \"received\": ", c->out);
	json_cstring(c->out, d->recv);
	fprintf(c->out, ", \"flow\": \"%s\"}", d->is_known ? "known" : "new");
}

int cli_verify_tell(struct cli *c, const struct prove_result *r, const struct cli_sides *sides)
{
	for (uint32_t i = 0; i < r->differences.n; i++) {
		if (!c->json) {
			cli_difference_print(c, &r->differences.v[i], sides);
			continue;
		}
		cli_comma(c);
		cli_difference_json(c, &r->differences.v[i]);
	}
	for (uint32_t i = 0; i < r->unproven.n; i++)
		diag_add(&c->diags, DIAG_W1713, SPAN_NONE, "not proven: %s", r->unproven.v[i]);
	if (r->differences.n > 0)
		return EX_DIFFERS;
	if (r->unproven.n > 0)
		return EX_UNAVAILABLE;
	if (!c->json && !c->quiet)
		fprintf(c->out, "proven: %s\n", sides->proven);
	return 0;
}

const struct cli_sides cli_kernel_sides = {
	"declared", "kernel", "the program means what was declared",
};

/* Half of what was declared is done by the NAT, which is no program of the kernel's */
static int refuse_halves(struct cli *c)
{
	diag_add(&c->diags, DIAG_W1713, SPAN_NONE,
		 "not proven: rules beside a NAT in userspace (--nat-path)");
	return EX_UNAVAILABLE;
}

static int verify_compiled(struct cli *c)
{
	struct prove_result r;
	struct nft_options o;
	struct nft_program *p;
	struct declared d;
	int status = cli_netns(c), err;

	if (status == 0)
		status = cli_declare(c, &d, CLI_TOLERANT);
	if (status != 0)
		return status;
	if (c->nat_path == NAT_PATH_USERSPACE)
		return refuse_halves(c);
	cli_nft_options(c, &o);
	p = nft_program_from_model(&d.model, &o, &c->diags);
	if (p == NULL)
		return cli_refused(c);
	err = prove_program(&d.model, p, PROVE_MAX_NODES, &c->arena, &r);
	return err < 0 ? cli_system(c, err, "prove the program") :
	       cli_verify_tell(c, &r, &cli_kernel_sides);
}

int verb_verify(struct cli *c)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	struct prove_result r;
	int status, err;

	if (c->compiled)
		return verify_compiled(c);
	status = cli_host_open(c, &h, STATE_READ);
	if (status != 0)
		return status;
	if (c->nat_path == NAT_PATH_USERSPACE)
		return refuse_halves(c);
	err = prove_kernel(&h.filter, &h.d.model, h.program, &c->arena, &r);
	if (err == 0)
		err = cli_foreign_read(c, &h, &r);
	return err < 0 ? cli_system(c, err, "read what the kernel holds") :
	       cli_verify_tell(c, &r, &cli_kernel_sides);
}
