/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/pfctl.h"

#include <stdlib.h>

#define COUNT_PATH	"/proc/sys/net/netfilter/nf_conntrack_count"

int64_t pfctl_count_states(void)
{
	FILE *f = fopen(COUNT_PATH, "re");
	char line[32];
	int64_t n = -1;

	if (f == NULL)
		return -1;
	if (fgets(line, sizeof(line), f) != NULL)
		n = strtoll(line, NULL, 10);
	fclose(f);
	return n;
}

bool pfctl_show_states(struct pfctl *p, bool title)
{
	if (!title)
		return pfctl_warn(p, "the states are those of conntrack, and listing them is "
				  "not in this version");
	return true;
}

int32_t pfctl_kill_states(struct pfctl *p, bool all)
{
	if (!all) {
		(void)pfctl_warn(p, "killing states is not in this version");
		return -1;
	}
	return 0;
}
