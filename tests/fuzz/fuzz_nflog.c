/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "port/nflog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Records of any bytes, and their packets, of any bytes too */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *out = fopen("/dev/null", "w");
	struct nflog_packet p;

	if (out == NULL)
		abort();
	packet_print(data, size, out);
	if (nflog_parse(data, size, &p) == 0) {
		if (p.prefix != NULL)
			fwrite(p.prefix, 1, p.prefix_len, out);
		if (p.data != NULL)
			packet_print(p.data, p.len, out);
	}
	fclose(out);
	return 0;
}
