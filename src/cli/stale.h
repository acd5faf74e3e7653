/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stale - flows that were made by forwards that are no longer
 *
 * The kernel translates a flow as its first packet was, for as long as it lives: a
 * client that never rests would stay with the jail that had the forward before.
 *
 * Does not:	 touch a flow that is translated as its first packet would be now, or
 *		 one that no rule of ours has translated.
 */
#ifndef CLI_STALE_H
#define CLI_STALE_H

#include "cli/cli.h"
#include "nl/session.h"
#include "target/nft_forward.h"

/**
 * cli_stale_forget() - Forget the flows that no forward would make so any more
 * @c:		Run
 * @nl:		Session of NETLINK_NETFILTER; the kernel holds the rules of @d
 * @d:		Declarations, NULL: nothing is forwarded any more
 * @ret_kept:	Set on success to the number of flows of forwards that stay; or NULL
 *
 * And those without an answer that came before the forward that is for them: they
 * would keep it from their sender.  Of TCP the next SYN begins anew by itself.
 *
 * Cost: one dump of the kernel's flows; model_eval() for each that is translated
 * by us, and for each without an answer.
 *
 * Return: 0, or an exit status with diagnostics
 */
int cli_stale_forget(struct cli *c, struct nl_session *nl, const struct declared *d,
		     uint32_t *ret_kept);

/**
 * cli_stale_forget_elements() - The same for some elements of the map that went or came
 * @c:		Run
 * @nl:		Session of NETLINK_NETFILTER
 * @v:		Elements
 * @n:		Their number
 * @is_gone:	They went: the flows that they made are forgotten; else those without an
 *		answer that are in their way
 *
 * Nothing is looked for where there can be none: elements that went and have never
 * counted a flow, elements of TCP that came.  Else each costs a walk through the
 * kernel's table, milliseconds if that is large.
 *
 * Return: 0 or a negative errno
 */
MUST_USE int cli_stale_forget_elements(struct cli *c, struct nl_session *nl,
				       const struct nft_forward *v, uint32_t n, bool is_gone);

#endif /* CLI_STALE_H */
