/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lint - what is declared and will not work, or not as it seems
 *
 * Does not:	 refuse anything: notes and warnings only.
 * Threads:	 none.
 */
#ifndef MODEL_LINT_H
#define MODEL_LINT_H

#include "model/decl.h"
#include "model/model.h"

/**
 * lint_jails() - Private addresses of jails that are cut off
 * @m:		Model, after policy_add()
 * @d:		Declarations
 * @diags:	Told of each address of an enabled jail behind the fences that no
 *		nat rule covers, if the host has a way out of that family
 *		(N1602); and of each that nothing from outside reaches while a
 *		rule leads to a neighbouring address that no jail has (N1603)
 */
void lint_jails(const struct model *m, const struct decl *d, struct diags *diags);

#endif /* MODEL_LINT_H */
