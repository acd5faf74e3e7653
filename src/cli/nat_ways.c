/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways that packets come and go, opened by whoever has the rights to */
#include "cli/nat_run.h"

#include <string.h>

const struct io_ops *nat_run_way(const struct nat_run *r)
{
	const struct io_ops *ops = r->c->nat.io != NULL ? io_kind(r->c->nat.io) : NULL;

	return ops != NULL && !ops->is_l3 ? ops : io_best();
}

const struct io_ops *nat_run_device(const struct nat_run *r)
{
	const bool is_tap = r->c->nat.io != NULL && strcmp(r->c->nat.io, io_tap_ops.name) == 0;

	return is_tap ? &io_tap_ops : &io_tun_ops;
}

/* One for each worker, all at once */
static int open_shared(struct nat_run *r, const struct io_ops *ops, const char *name,
		       enum nat_side side)
{
	struct io *v[NAT_WORKERS_MOST] = { NULL };
	const int err = io_open_several(ops, name, r->n_workers, r->steer.prog[side], v);

	for (uint32_t i = 0; i < r->n_workers && err == 0; i++)
		r->io[i][side] = v[i];
	return err;
}

static int open_way(struct nat_run *r, uint32_t worker, enum nat_side side, bool own)
{
	const bool is_device = side == NAT_INSIDE && r->plan.tun != NULL;
	const char *name = side == NAT_OUTSIDE ? r->plan.outside :
			   is_device ? r->plan.tun : r->plan.inside;
	const struct io_ops *ops = is_device ? nat_run_device(r) : nat_run_way(r);
	int status, err;

	if (ops->is_own != own || (r->n_workers > 1 && worker > 0))
		return 0;
	err = r->n_workers > 1 ? open_shared(r, ops, name, side)
			       : io_open(ops, name, &r->io[worker][side]);
	if (err == 0)
		return 0;
	status = cli_system(r->c, err, arena_printf(&r->c->arena, "take packets from %s by %s",
						    name, ops->name));
	if (err == -EOPNOTSUPP || err == -EMEDIUMTYPE)
		diag_help(&r->c->diags, "--io %s needs %s", ops->name, ops->needs);
	return status;
}

int nat_run_ways(struct nat_run *r, uint32_t worker, bool own)
{
	const int status = open_way(r, worker, NAT_INSIDE, own);

	return status == 0 ? open_way(r, worker, NAT_OUTSIDE, own) : status;
}
