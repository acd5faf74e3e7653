/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang_golden.h"

TEST(golden)
{
	golden_dir("rc", "E15");
}
