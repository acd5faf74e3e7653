/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/pages.h"

#include <sys/mman.h>

#define PAGE		4096u		/* where they are larger there are only fewer */
#define AHEAD_MIN	(16u << 10)
#define AHEAD_MAX	(128u << 10)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23	/* Linux 5.14 */
#endif

size_t pages_ready(void *mem, size_t ready, size_t want, size_t len)
{
	const size_t ahead = MIN(MAX(ready, AHEAD_MIN), AHEAD_MAX);
	const size_t from = ready / PAGE * PAGE;
	const size_t end = MIN((MAX(want, ready + ahead) + PAGE - 1) / PAGE * PAGE, len);

	/* Who is not let will not be let the next time either */
	return madvise((char *)mem + from, end - from, MADV_POPULATE_WRITE) == 0 ? end : len;
}
