/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat_ask - ask the live NAT of this network namespace
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef CLI_NAT_ASK_H
#define CLI_NAT_ASK_H

#include <sys/un.h>

#include "cli/cli.h"
#include "lang/json.h"
#include "target/nft.h"

/** nat_control_address() - The control socket in the state directory @dir_fd */
void nat_control_address(struct sockaddr_un *at, int dir_fd);

/**
 * nat_ask() - Ask
 * @c:		Run; it holds no lock, or nobody could answer
 * @what:	"status", "traffic", "reload" or "save"
 * @ret:	Set on success: the answer, an object
 *
 * Return: 0; -ENOENT: no NAT runs here; another negative errno
 */
MUST_USE int nat_ask(struct cli *c, const char *what, struct json *ret);

/**
 * nat_ask_reload() - Have the NAT, if one runs here, read its rules anew
 * @c:		Run
 * @ret_runs:	Set: one runs; may be NULL
 *
 * Return: 0 also without a NAT, or an exit status with a diagnostic
 */
int nat_ask_reload(struct cli *c, bool *ret_runs);

/** nat_ask_status() - What it does, NULL where none runs; 0 or an exit status */
int nat_ask_status(struct cli *c, const struct json **ret);

/**
 * nat_ask_traffic() - What its forwards have seen, beside what the kernel has counted
 * @c:		Run
 * @to:		Places are added, and it is sorted anew
 * @ret_runs:	Set when one runs here that may be asked; else untouched
 *
 * Return: 0, also without a NAT; a negative errno
 */
MUST_USE int nat_ask_traffic(struct cli *c, struct nft_traffics *to, bool *ret_runs);

/** nat_ask_print() - That as text, or as a JSON object */
void nat_ask_print(struct cli *c, const struct json *nat);

#endif /* CLI_NAT_ASK_H */
