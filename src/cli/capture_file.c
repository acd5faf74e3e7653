/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/capture_file.h"

#include <string.h>

const char *cli_capture_name(const struct cli *c)
{
	return strcmp(c->nat.read, "-") == 0 ? "stdin" : c->nat.read;
}

int cli_capture_open(struct cli *c, struct capture *ret, FILE **ret_file)
{
	int err;

	*ret_file = strcmp(c->nat.read, "-") == 0 ? stdin : fopen(c->nat.read, "re");
	err = *ret_file == NULL ? -errno : capture_open(ret, &c->arena, *ret_file);
	if (err == 0)
		return 0;
	if (err == -EBADMSG || err == -ENODATA) {
		diag_add(&c->diags, DIAG_E2821, SPAN_NONE, "'%s' is no capture: %s",
			 cli_capture_name(c), err == -ENODATA ? "it is empty" : ret->what);
		return EX_DATAERR;
	}
	diag_add(&c->diags, DIAG_E1001, SPAN_NONE, "cannot read '%s': %s", cli_capture_name(c),
		 strerror(-err));
	return EX_NOINPUT;
}

int cli_capture_failed(struct cli *c, const struct capture *in, int err)
{
	if (err != -EBADMSG)
		return cli_system(c, err, arena_printf(&c->arena, "read '%s'",
							    cli_capture_name(c)));
	diag_add(&c->diags, DIAG_E2821, SPAN_NONE, "'%s' is %s behind packet %llu: %s",
		 cli_capture_name(c), in->is_cut ? "cut off" : "damaged",
		 (unsigned long long)in->n_records, in->what);
	return EX_DATAERR;
}
