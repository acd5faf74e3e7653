/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/construct.h"

const char *const construct_hows[N_HOWS] = {
	[HOW_EXACT] = "exact", [HOW_NOTED] = "noted", [HOW_REFUSED] = "refused",
};
