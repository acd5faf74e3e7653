/* SPDX-License-Identifier: BSD-2-Clause */
/* The answer to a SYN: the NAT must know the shift of its window, and nothing else of it */
#include "host/lane_writer.h"

#include <string.h>

#define FP		BPF_REG_10
#define OPTIONS		(-104)		/* where they stand on the stack */

#define OPTIONS_MOST	20
#define ANY		0x100
#define SHIFT		0x200
#define MSS		2, 4, ANY, ANY
#define STAMPS		8, 10, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY

/* Options as Linux and Windows, the BSDs and macOS write them: with and without timestamps */
static const struct {
	int bytes;
	uint16_t v[OPTIONS_MOST];
} greetings[] = {
	{ 20, { MSS, 4, 2, STAMPS, 1, 3, 3, SHIFT } },
	{ 20, { MSS, 1, 3, 3, SHIFT, 4, 2, STAMPS } },
	{ 12, { MSS, 1, 1, 4, 2, 1, 3, 3, SHIFT } },
	{ 12, { MSS, 1, 3, 3, SHIFT, 1, 1, 4, 2 } },
	{ 12, { MSS, 1, 3, 3, SHIFT, 4, 2, 0, 0 } },
};

/* To @next unless four bytes of options are as @v has them; a shift among them goes to r2 */
static void check_option(struct lane_writer *w, const uint16_t *v, int at, uint32_t next)
{
	struct ebpf *e = &w->e;
	uint8_t is[4], mask[4];
	uint32_t is_word, mask_word;

	for (int i = 0; i < 4; i++) {
		/* A shift above 15 says no more than 14 does, and is nobody's */
		mask[i] = v[at + i] == ANY ? 0 : v[at + i] == SHIFT ? 0xf0 : 0xff;
		is[i] = v[at + i] < ANY ? (uint8_t)v[at + i] : 0;
	}
	memcpy(&is_word, is, sizeof(is_word));
	memcpy(&mask_word, mask, sizeof(mask_word));
	if (mask_word == 0)
		return;
	ebpf_load(e, BPF_REG_1, FP, OPTIONS + at);
	ebpf_and(e, BPF_REG_1, mask_word);
	ebpf_if_ne(e, BPF_REG_1, is_word, next);
	for (int i = 0; i < 4; i++)
		if (v[at + i] == SHIFT)
			ebpf_load_byte(e, BPF_REG_2, FP, OPTIONS + at + i);
}

/* Options of that length are as one of greetings[] has them, whose shift is then in r2 */
static void check_options(struct lane_writer *w, int bytes, uint32_t found)
{
	struct ebpf *e = &w->e;

	lane_read_to(w, lane_l4(w) - LANE_IP + LANE_TCP_LEAST, bytes, OPTIONS);
	for (size_t i = 0; i < ARRAY_SIZE(greetings); i++) {
		const uint32_t next = ebpf_label(e);

		if (greetings[i].bytes != bytes)
			continue;
		for (int at = 0; at < bytes; at += 4)
			check_option(w, greetings[i].v, at, next);
		ebpf_goto(e, found);
		ebpf_here(e, next);
	}
	ebpf_goto(e, w->other);
}

/* A SYN's answer: what it says of its window is noted later */
void lane_check_greeting(struct lane_writer *w)
{
	struct ebpf *e = &w->e;
	const uint32_t longer = ebpf_label(e), found = ebpf_label(e);

	ebpf_load_byte(e, BPF_REG_1, FP, lane_l4(w) + 13);
	ebpf_and(e, BPF_REG_1, LANE_FIN);
	ebpf_if_ne(e, BPF_REG_1, 0, w->other);
	ebpf_load_byte(e, BPF_REG_1, FP, lane_l4(w) + 12);
	ebpf_shift_right(e, BPF_REG_1, 4);
	ebpf_if_eq(e, BPF_REG_1, (LANE_TCP_LEAST + 20) / 4, longer);
	ebpf_if_ne(e, BPF_REG_1, (LANE_TCP_LEAST + 12) / 4, w->other);
	check_options(w, 12, found);
	ebpf_here(e, longer);
	check_options(w, 20, found);
	ebpf_here(e, found);
	ebpf_set(e, BPF_REG_1, LANE_GREETED);
	ebpf_or(e, BPF_REG_2, BPF_REG_1);
	ebpf_store_byte(e, FP, LANE_GREETING, BPF_REG_2);
}
