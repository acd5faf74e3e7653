/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Where a userspace NAT runs and nothing was applied, the NAT is all that forwards:
 * a change is remembered, then the NAT reads its rules anew, and if it will not it
 * is taken back.  The files are those that the NAT was given, unless some are
 * named.  The lock is not held while the NAT reads, because it takes it too.
 */
#include "cli/forward_nat.h"

#include <string.h>

#include "cli/kept.h"
#include "cli/nat_ask.h"
#include "cli/shadow.h"
#include "host/state.h"

static bool was_applied(struct cli *c)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	char *text;
	size_t len;

	return state_open(&st, c->state_dir, STATE_READ, 0) == 0 && st.dir_fd >= 0 &&
	       state_read(&st, "applied", &c->arena, &text, &len) == 0;
}

static void take_files(struct cli *c, const struct json *nat)
{
	const struct json *files = json_find(nat, "files"), *defines = json_find(nat, "defines");

	for (uint32_t i = 0; files != NULL && i < files->members.n; i++)
		vec_add(&c->arena, &c->files,
			((struct cli_file){ .path = files->members.v[i].value.s }));
	for (uint32_t i = 0; defines != NULL && i < defines->members.n; i++)
		vec_add(&c->arena, &c->defines,
			((struct lang_define){ .name = defines->members.v[i].name,
					       .value = defines->members.v[i].value.s }));
}

/* Under the lock, and remembered when it is given back */
static int remember(struct cli *c, struct declared *d)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	int err = state_open(&st, c->state_dir, STATE_WRITE, STATE_LOCK_SECONDS), status;

	if (err < 0)
		return cli_system(c, err, "open the state directory");
	status = cli_declare(c, d, CLI_STRICT);
	if (status == 0)
		status = cli_shadow_check(c, d, DIAG_E2508);
	if (status != 0 || c->dry_run)
		return status;
	err = kept_save(c, d->kept);
	return err < 0 ? cli_system(c, err, "remember the forward") : 0;
}

static int take_back(struct cli *c, struct declared *d)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	int err = state_open(&st, c->state_dir, STATE_WRITE, STATE_LOCK_SECONDS);

	if (err == 0)
		err = kept_undo(c, d->kept);
	return err;
}

int forward_by_nat(struct cli *c, const struct kept_edit *e, bool *ret_done)
{
	const struct json *nat;
	struct declared d = { .has_rules = false };
	int status = nat_ask_status(c, &nat);

	*ret_done = status != 0 || (nat != NULL && !was_applied(c));
	if (status != 0 || !*ret_done)
		return status;
	if (c->files.n == 0)
		take_files(c, nat);
	c->edit = e;
	c->is_host = true;
	status = remember(c, &d);
	if (status != 0 || c->dry_run)
		return status;
	status = nat_ask_reload(c, NULL);
	if (status != 0 && take_back(c, &d) < 0)
		diag_add(&c->diags, DIAG_E1011, SPAN_NONE,
			 "the forward is remembered all the same: it could not be taken back");
	return status;
}
