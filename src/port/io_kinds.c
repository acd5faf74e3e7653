/* SPDX-License-Identifier: BSD-2-Clause */
/* All ways to have packets; each is above io.c, and this above them all */
#include "port/io.h"

#include <string.h>

const struct io_ops *const io_kinds[] = {
	&io_packet_ops, &io_packet_v3_ops, &io_xdp_ops, &io_pcap_ops, &io_tun_ops, &io_tap_ops,
	NULL
};

const struct io_ops *io_kind(const char *name)
{
	for (uint32_t i = 0; io_kinds[i] != NULL; i++)
		if (strcmp(io_kinds[i]->name, name) == 0)
			return io_kinds[i];
	return NULL;
}

const struct io_ops *io_best(void)
{
	const struct io_ops *first = NULL;

	for (uint32_t i = 0; io_kinds[i] != NULL; i++) {
		const struct io_ops *ops = io_kinds[i];

		if (ops->is_l3 || !ops->is_for_all)
			continue;
		first = first == NULL ? ops : first;
		if (ops->probe() == 0)
			return ops;
	}
	return first;
}
