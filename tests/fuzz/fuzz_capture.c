/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "net/addr.h"
#include "port/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A capture of any bytes, its frames taken apart and written again */
static void read_all(struct arena *a, FILE *in, FILE *out)
{
	struct capture_writer w;
	struct capture_record r;
	struct capture c;

	if (capture_open(&c, a, in) < 0)
		return;
	capture_writer_init(&w, out, true, c.is_nano);
	capture_write_iface(&w, LINK_RAW, 0);
	while (capture_next(&c, &r) == 1) {
		const uint32_t link = c.ifaces.v[r.iface].link;
		const struct capture_frame f = capture_frame_parse(link, r.data, r.len);

		if (f.af != AF_NONE && f.at >= r.len)
			abort();
		capture_frame_turn(link, r.data, r.len);
		r.iface = 0;
		capture_write(&w, &r);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *in = size > 0 ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
	FILE *out = fopen("/dev/null", "w");
	struct arena a;
	jmp_buf full;

	if (in == NULL || out == NULL) {
		if (in != NULL)
			fclose(in);
		if (out != NULL)
			fclose(out);
		return 0;
	}
	arena_init(&a, 4 << 20);
	if (setjmp(full) == 0) {
		a.full = &full;
		read_all(&a, in, out);
	}
	arena_fini(&a);
	fclose(in);
	fclose(out);
	return 0;
}
