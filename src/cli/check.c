/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The kernel is asked by loading the program into a network namespace of our
 * own: `nft -c` accepts what a load then refuses.  The process moves there for
 * good, so this is the last thing that it does.
 */
#include <sched.h>
#include <string.h>

#include "cli/host.h"
#include "cli/lint.h"

static int enter_own_namespace(void)
{
	if (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
		return 0;
	return -errno;
}

int cli_ask_kernel(const struct nft_program *p, struct diags *d, bool *ret_asked)
{
	CLEANUP(nl_close) struct nl_session s = { .fd = -1 };
	bool changed;
	int err = enter_own_namespace();

	if (err == 0)
		err = nl_open(&s, NETLINK_NETFILTER);
	*ret_asked = err == 0;
	if (err == 0)
		err = nft_load(&s, p, d, &changed);
	*ret_asked &= err != -EPERM;
	return err;
}

/* 0, also when the kernel cannot be asked */
static int ask_kernel(struct cli *c, const struct nft_program *p)
{
	bool asked;
	const int err = cli_ask_kernel(p, &c->diags, &asked);

	if (!asked)
		diag_add(&c->diags, DIAG_N1020, SPAN_NONE,
			 "the kernel was not asked whether it takes the rules: %s", strerror(-err));
	return err < 0 && asked ? cli_host_error(c, err, "load the packet rules") : 0;
}

int verb_check(struct cli *c)
{
	struct declared d;
	struct nft_options o;
	struct nft_program *p;
	struct host_want want = { .links = { .n = 0 } };
	int status = cli_netns(c);

	if (status == 0)
		status = cli_declare(c, &d, CLI_TOLERANT);
	if (status != 0)
		return status;
	host_want_make(&d.decl, &c->arena, &c->diags, &want);
	if (c->diags.n_errors > 0)
		return EX_DATAERR;
	cli_nft_options(c, &o);
	p = nft_program_from_model(&d.model, &o, &c->diags);
	if (p == NULL)
		return cli_refused(c);
	status = cli_lint(c, &d);
	return status != 0 ? status : ask_kernel(c, p);
}
