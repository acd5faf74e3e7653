/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decl_site - names of the web, all jails together
 */
#ifndef MODEL_DECL_SITE_H
#define MODEL_DECL_SITE_H

#include "model/decl.h"

/** decl_check_sites() - Tell names that two enabled jails answer to, unless both share (E1457) */
void decl_check_sites(const struct decl *d, struct diags *diags);

#endif /* MODEL_DECL_SITE_H */
