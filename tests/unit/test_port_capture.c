/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <pcap/pcap.h>

#include "base/limits.h"
#include "net/addr.h"
#include "port/capture.h"

static struct arena arena;

/* A file being made: numbers in an order of its own */
static struct {
	uint8_t b[8192];
	size_t n;
	bool is_be;
} file;

static void put(uint64_t v, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		file.b[file.n++] = (uint8_t)(v >> 8 * (file.is_be ? bytes - 1 - i : i));
}

static void begin(bool is_be)
{
	file.n = 0;
	file.is_be = is_be;
}

static void pcap_header(uint32_t magic, uint32_t link)
{
	put(magic, 4);
	put(2, 2);
	put(4, 2);
	put(0, 8);
	put(65535, 4);
	put(link, 4);
}

static void pcap_record(uint32_t sec, uint32_t frac, uint32_t len, uint32_t wire_len)
{
	put(sec, 4);
	put(frac, 4);
	put(len, 4);
	put(wire_len, 4);
	for (uint32_t i = 0; i < len; i++)
		put(i, 1);
}

static void section(void)
{
	put(0x0a0d0d0a, 4);
	put(28, 4);
	put(0x1a2b3c4d, 4);
	put(1, 2);
	put(0, 2);
	put(UINT64_MAX, 8);
	put(28, 4);
}

/* An interface with a clock and an offset in seconds */
static void ng_iface(uint32_t link, uint32_t snap, uint8_t tsresol, int64_t offset)
{
	put(1, 4);
	put(44, 4);
	put(link, 2);
	put(0, 2);
	put(snap, 4);
	put(9, 2);
	put(1, 2);
	put(tsresol, 1);
	for (int i = 0; i < 3; i++)
		put(0, 1);
	put(14, 2);
	put(8, 2);
	put((uint64_t)offset, 8);
	put(0, 4);
	put(44, 4);
}

static void ng_packet(uint32_t iface, uint64_t ticks, uint32_t len, uint32_t body)
{
	put(6, 4);
	put(32 + body, 4);
	put(iface, 4);
	put(ticks >> 32, 4);
	put(ticks & UINT32_MAX, 4);
	put(len, 4);
	put(len, 4);
	for (uint32_t i = 0; i < body; i++)
		put(i, 1);
	put(32 + body, 4);
}

static void ng_simple(uint32_t wire_len, uint32_t body)
{
	put(3, 4);
	put(16 + body, 4);
	put(wire_len, 4);
	for (uint32_t i = 0; i < body; i++)
		put(i, 1);
	put(16 + body, 4);
}

/* Read the whole file: records, or an error; the last record stays */
static int read_all(struct capture *c, struct capture_record *r)
{
	FILE *in;
	int n = 0, err;

	arena_fini(&arena);
	arena_init(&arena, 4 << 20);
	in = fmemopen(file.b, file.n > 0 ? file.n : 1, "r");
	if (!CHECK(in != NULL))
		return -1;
	if (file.n == 0)
		getc(in);
	err = capture_open(c, &arena, in);
	while (err >= 0) {
		err = capture_next(c, r);
		if (err <= 0)
			break;
		n++;
	}
	fclose(in);
	return err < 0 ? err : n;
}

TEST(pcap_of_all_four_forms)
{
	static const struct { bool is_be; uint32_t magic; uint64_t ns; } forms[] = {
		{ false, 0xa1b2c3d4, UINT64_C(1700000000000007000) },
		{ true, 0xa1b2c3d4, UINT64_C(1700000000000007000) },
		{ false, 0xa1b23c4d, UINT64_C(1700000000000000007) },
		{ true, 0xa1b23c4d, UINT64_C(1700000000000000007) },
	};
	struct capture c;
	struct capture_record r;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		begin(forms[i].is_be);
		pcap_header(forms[i].magic, LINK_ETHERNET);
		pcap_record(1, 1, 3, 3);
		pcap_record(1700000000, 7, 60, 1500);
		CHECK_INT(read_all(&c, &r), 2);
		CHECK_INT(r.time_ns, forms[i].ns);
		CHECK_INT(r.len, 60);
		CHECK_INT(r.wire_len, 1500);
		CHECK_INT(r.data[59], 59);
		CHECK_INT(c.ifaces.v[r.iface].link, LINK_ETHERNET);
		CHECK_INT(c.is_nano, forms[i].magic == 0xa1b23c4d);
	}
}

TEST(pcapng_with_clocks_of_every_kind)
{
	static const struct { uint8_t tsresol; int64_t offset; uint64_t ticks, ns; } clocks[] = {
		{ 6, 0, 1700000000000007, UINT64_C(1700000000000007000) },
		{ 9, 0, 1700000000000000007, UINT64_C(1700000000000000007) },
		{ 3, 100, 1500, UINT64_C(101500000000) },
		{ 0x80 | 1, 0, 3, UINT64_C(1500000000) },
		{ 0x80 | 32, 0, UINT64_C(5) << 31, UINT64_C(2500000000) },
		{ 12, 0, UINT64_C(1234567), 1234 },
		{ 0, -5, 3, 0 },
	};
	struct capture c;
	struct capture_record r;

	for (size_t i = 0; i < 2 * ARRAY_SIZE(clocks); i++) {
		begin(i % 2 == 1);
		section();
		ng_iface(LINK_COOKED, 0, 6, 0);
		ng_iface(LINK_RAW, 0, clocks[i / 2].tsresol, clocks[i / 2].offset);
		put(5, 4);	/* a block of statistics */
		put(12, 4);
		put(12, 4);
		ng_packet(1, clocks[i / 2].ticks, 5, 8);
		CHECK_INT(read_all(&c, &r), 1);
		CHECK_INT(r.time_ns, clocks[i / 2].ns);
		CHECK_INT(r.len, 5);
		CHECK_INT(c.ifaces.v[r.iface].link, LINK_RAW);
	}
}

TEST(simple_packets_and_a_second_section)
{
	struct capture c;
	struct capture_record r;

	begin(false);
	section();
	ng_iface(LINK_ETHERNET, 16, 6, 0);
	ng_simple(60, 16);
	CHECK_INT(read_all(&c, &r), 1);
	CHECK_INT(r.len, 16);
	CHECK_INT(r.wire_len, 60);
	file.is_be = true;
	section();
	ng_iface(LINK_RAW, 0, 6, 0);
	ng_simple(7, 8);
	CHECK_INT(read_all(&c, &r), 2);
	CHECK_INT(r.len, 7);
	CHECK_INT(c.ifaces.n, 1);
	CHECK_INT(c.ifaces.v[0].link, LINK_RAW);
}

/* Whatever is wrong is said in words, and nothing is read outside the file */
TEST(damaged_files_are_told)
{
	struct capture c;
	struct capture_record r;
	size_t whole;

	begin(false);
	CHECK_INT(read_all(&c, &r), -ENODATA);
	put(0x12345678, 4);
	CHECK_INT(read_all(&c, &r), -EBADMSG);
	CHECK_STR(c.what, "it is neither pcap nor pcapng");
	begin(false);
	put(0x00088b1f, 4);
	CHECK_INT(read_all(&c, &r), -EBADMSG);
	CHECK_STR(c.what, "it is compressed; --read - takes what zcat writes");
	begin(false);
	pcap_header(0xa1b2c3d4, LINK_RAW);
	pcap_record(0, 0, 20, 20);
	whole = file.n;
	while (--file.n > 24) {
		CHECK_INT(read_all(&c, &r), -EBADMSG);
		CHECK(c.what != NULL);
	}
	while (--file.n > 0)
		CHECK_INT(read_all(&c, &r), -EBADMSG);
	file.n = whole - 12 - 20;
	put(LIMIT_CAPTURE_BYTES + 1, 4);
	CHECK_INT(read_all(&c, &r), -EBADMSG);
	begin(false);
	pcap_header(0xa1b2c3d4, LINK_RAW);
	put(0, 8);
	put(LIMIT_CAPTURE_BYTES + 1, 4);
	put(60, 4);
	CHECK_INT(read_all(&c, &r), -EBADMSG);
	CHECK_STR(c.what, "a record is longer than 256 KiB");
}

TEST(damaged_blocks_are_told)
{
	struct capture c;
	struct capture_record r;

	begin(false);
	section();
	ng_packet(0, 0, 4, 4);
	CHECK_INT(read_all(&c, &r), -EBADMSG);
	CHECK_STR(c.what, "a packet is of an interface that is not described");
	begin(false);
	section();
	ng_iface(LINK_RAW, 0, 6, 0);
	ng_packet(0, 0, 5, 4);
	CHECK_INT(read_all(&c, &r), -EBADMSG);
	CHECK_STR(c.what, "a packet is longer than its block");
	begin(false);
	section();
	ng_iface(LINK_RAW, 0, 6, 0);
	ng_packet(0, 0, 4, 4);
	file.b[file.n - 4]++;
	CHECK_INT(read_all(&c, &r), -EBADMSG);
	CHECK_STR(c.what, "the two lengths of a block differ");
	begin(false);
	section();
	for (uint32_t i = 0; i < LIMIT_CAPTURE_IFACES && file.n + 64 < sizeof(file.b); i++)
		ng_iface(LINK_RAW, 0, 19, 0);
	CHECK_INT(read_all(&c, &r), -EBADMSG);
	CHECK_STR(c.what, "an interface's clock counts less than 10^-18 seconds");
}

TEST(interfaces_have_a_limit)
{
	const size_t size = 28 + (LIMIT_CAPTURE_IFACES + 1) * 44;
	uint8_t *many = calloc(1, size);
	struct capture c;
	struct capture_record r;
	FILE *in;

	if (!CHECK(many != NULL))
		return;
	begin(false);
	section();
	ng_iface(LINK_RAW, 0, 6, 0);
	memcpy(many, file.b, 28);
	for (size_t i = 0; i <= LIMIT_CAPTURE_IFACES; i++)
		memcpy(many + 28 + i * 44, file.b + 28, 44);
	arena_fini(&arena);
	arena_init(&arena, 4 << 20);
	in = fmemopen(many, size, "r");
	CHECK(in != NULL);
	CHECK_INT(capture_open(&c, &arena, in), 0);
	CHECK_INT(capture_next(&c, &r), -EBADMSG);
	CHECK_STR(c.what, "it has more than 1024 interfaces");
	fclose(in);
	free(many);
}

TEST(frames_of_every_link)
{
	static const struct { uint32_t link, len, at; uint8_t af; const char head[24]; } cases[] = {
		{ LINK_ETHERNET, 40, 14, AF_V4, "aaaaaabbbbbb\x08\x00" },
		{ LINK_ETHERNET, 40, 14, AF_V6, "aaaaaabbbbbb\x86\xdd" },
		{ LINK_ETHERNET, 40, 18, AF_V4, "aaaaaabbbbbb\x81\x00\x00\x05\x08\x00" },
		{ LINK_ETHERNET, 40, 22, AF_V6,
		  "aaaaaabbbbbb\x88\xa8\x00\x05\x81\x00\x00\x07\x86\xdd" },
		{ LINK_ETHERNET, 40, 14, AF_NONE, "aaaaaabbbbbb\x08\x06" },
		{ LINK_ETHERNET, 14, 0, AF_NONE, "aaaaaabbbbbb\x08\x00" },
		{ LINK_ETHERNET, 18, 14, AF_NONE, "aaaaaabbbbbb\x81\x00\x00\x05\x08\x00" },
		{ LINK_COOKED, 40, 16, AF_V4, "ttaallmmmmmmmm\x08\x00" },
		{ LINK_COOKED, 40, 20, AF_V4, "ttaallmmmmmmmm\x81\x00\x00\x05\x08\x00" },
		{ LINK_COOKED2, 40, 20, AF_V6, "\x86\xddrriiiiaatlmmmmmmmm" },
		{ LINK_RAW, 40, 0, AF_V4, "\x45" },
		{ LINK_RAW_DLT, 40, 0, AF_V6, "\x60" },
		{ LINK_RAW, 40, 0, AF_NONE, "\x50" },
		{ LINK_IPV4, 40, 0, AF_V4, "\x45" },
		{ LINK_IPV6, 40, 0, AF_V6, "\x60" },
		{ LINK_NULL, 40, 4, AF_V4, "\x02\0\0\0\x45" },
		{ LINK_NULL, 40, 4, AF_V4, "\0\0\0\x02\x45" },
		{ LINK_NULL, 40, 4, AF_V6, "\x1c\0\0\0\x60" },
		{ LINK_NULL, 40, 4, AF_V6, "\x1e\0\0\0\x60" },
		{ LINK_LOOP, 40, 4, AF_V6, "\0\0\0\x18\x60" },
		{ LINK_NULL, 40, 4, AF_NONE, "\x07\0\0\0\x45" },
		{ LINK_NULL, 40, 4, AF_NONE, "\x02\0\0\x02\x45" },
		{ LINK_NULL, 40, 4, AF_NONE, "\0\0\x02\0\x45" },
		{ LINK_NULL, 4, 0, AF_NONE, "\x02\0\0\0" },
	};
	uint8_t data[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct capture_frame f;

		memset(data, 0, sizeof(data));
		memcpy(data, cases[i].head, 22);
		f = capture_frame_parse(cases[i].link, data, cases[i].len);
		CHECK(capture_knows_link(cases[i].link));
		CHECK_INT(f.af, cases[i].af);
		if (f.af != AF_NONE)
			CHECK_INT(f.at, cases[i].at);
	}
	CHECK(!capture_knows_link(105));
	memcpy(data, "aaaaaabbbbbb", 12);
	capture_frame_turn(LINK_ETHERNET, data, 14);
	CHECK(memcmp(data, "bbbbbbaaaaaa", 12) == 0);
	capture_frame_turn(LINK_RAW, data, 14);
	CHECK(memcmp(data, "bbbbbbaaaaaa", 12) == 0);
}

static size_t write_one(bool is_ng, bool is_nano, char *buf, size_t size)
{
	static uint8_t data[7] = "packet";
	struct capture_writer w;
	size_t len;
	FILE *out = fmemopen(buf, size, "w");

	if (!CHECK(out != NULL))
		return 0;
	capture_writer_init(&w, out, is_ng, is_nano);
	capture_write_iface(&w, LINK_RAW, 0);
	if (is_ng)
		capture_write_iface(&w, LINK_ETHERNET, 96);
	capture_write(&w, &(struct capture_record){ .time_ns = UINT64_C(1700000000123456789),
						   .iface = is_ng, .data = data, .len = 7,
						   .wire_len = 60 });
	CHECK_INT(w.n_records, 1);
	len = (size_t)ftell(out);
	fclose(out);
	return len;
}

/* What is written is read back, by us and by libpcap */
TEST(written_files_are_read)
{
	for (int form = 0; form < 4; form++) {
		const bool is_nano = form & 1, is_ng = form & 2;
		const uint64_t ns = is_nano ? UINT64_C(1700000000123456789)
					    : UINT64_C(1700000000123456000);
		char why[PCAP_ERRBUF_SIZE];
		struct capture c;
		struct capture_record r;
		struct pcap_pkthdr *h;
		const u_char *data;
		pcap_t *p;

		begin(false);
		file.n = write_one(is_ng, is_nano, (char *)file.b, sizeof(file.b));
		CHECK_INT(read_all(&c, &r), 1);
		CHECK_INT(r.time_ns, ns);
		CHECK_INT(r.wire_len, 60);
		CHECK_INT(c.is_nano, is_nano);
		CHECK_STR((const char *)r.data, "packet");
		if (is_ng)
			continue;	/* libpcap takes no two links in one file */
		p = pcap_fopen_offline_with_tstamp_precision(
			fmemopen(file.b, file.n, "r"), PCAP_TSTAMP_PRECISION_NANO, why);
		if (!CHECK(p != NULL))
			continue;
		CHECK_INT(pcap_datalink(p), DLT_RAW);
		CHECK_INT(pcap_next_ex(p, &h, &data), 1);
		CHECK_INT(h->ts.tv_sec, 1700000000);
		CHECK_INT(h->ts.tv_usec, ns % 1000000000);
		CHECK_INT(h->len, 60);
		CHECK_STR((const char *)data, "packet");
		CHECK_INT(pcap_next_ex(p, &h, &data), PCAP_ERROR_BREAK);
		pcap_close(p);
	}
	arena_fini(&arena);
}
