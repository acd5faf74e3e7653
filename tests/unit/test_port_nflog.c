/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdlib.h>

#include "port/nflog.h"

static const char *text_of(const uint8_t *data, size_t len)
{
	static char text[512];
	FILE *out = fmemopen(text, sizeof(text), "w");

	CHECK(out != NULL);
	packet_print(data, len, out);
	fclose(out);
	return text;
}

/* Bytes from hex digits; blanks between are allowed */
static size_t bytes_of(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (const char *p = hex; *p != '\0'; p++) {
		char two[3] = { p[0], p[1], '\0' };

		if (*p == ' ')
			continue;
		out[n++] = (uint8_t)strtoul(two, NULL, 16);
		p++;
	}
	return n;
}

TEST(packets_as_tcpdump_prints_them)
{
	static const struct { const char *hex, *text; } cases[] = {
		{ "4500002c 00010000 40060000 c6336407 cb007102 9c400017 00000064 00000000 "
		  "6002faf0 00000000 020405b4",
		  "IP 198.51.100.7.40000 > 203.0.113.2.23: Flags [S], seq 100, win 64240, "
		  "length 0" },
		{ "4500002a 00010000 40060000 c6336407 cb007102 9c400017 00000064 00000007 "
		  "5018faf0 00000000 6869",
		  "IP 198.51.100.7.40000 > 203.0.113.2.23: Flags [P.], seq 100:102, ack 7, "
		  "win 64240, length 2" },
		{ "45000020 00010000 40110000 0a000002 08080808 cb000035 000c0000 61626364",
		  "IP 10.0.0.2.51968 > 8.8.8.8.53: UDP, length 4" },
		{ "4500001c 00010000 40010000 0a000002 08080808 08000000 00010002",
		  "IP 10.0.0.2 > 8.8.8.8: ICMP echo request, id 1, seq 2, length 8" },
		{ "4500001c 00010000 40010000 0a000002 08080808 03010000 00000000",
		  "IP 10.0.0.2 > 8.8.8.8: ICMP type 3 code 1, length 8" },
		{ "60000000 00083a40 fd000000 00000000 00000000 00000002 20010db8 00000000 "
		  "00000000 00000001 80000000 00010002",
		  "IP6 fd00::2 > 2001:db8::1: ICMP6 echo request, id 1, seq 2, length 8" },
		{ "45000020 00010010 40110000 0a000002 08080808 cb000035 000c0000 61626364",
		  "IP 10.0.0.2 > 8.8.8.8: fragment at 128, udp (17), length 12" },
		{ "45000064 00010000 40110000 0a000002 08080808 cb000035 00500000",
		  "IP 10.0.0.2.51968 > 8.8.8.8.53: UDP, length 72 [72 bytes cut off]" },
		{ "4500", "[2 bytes that are no whole IP header]" },
		{ "", "[0 bytes that are no whole IP header]" },
	};
	uint8_t data[256];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		CHECK_STR(text_of(data, bytes_of(cases[i].hex, data)), cases[i].text);
}

TEST(a_record_is_taken_apart)
{
	/* Lengths and types are the machine's own, so the record is made here */
	const uint16_t words[] = {
		8, 1 /* NFULA_PACKET_HDR */, 0, 0, 8, 4 /* NFULA_IFINDEX_INDEV */, 0, 0,
		9, 10 /* NFULA_PREFIX */, 0, 0, 0, 0, 6, 9 /* NFULA_PAYLOAD */, 0, 0,
	};
	uint8_t frame[4 + sizeof(words)] = { 2 };
	struct nflog_packet p;

	memcpy(frame + 4, words, sizeof(words));
	frame[10] = 3;			/* hook */
	frame[19] = 7;			/* interface, as on the wire */
	memcpy(frame + 24, "pass", 5);
	frame[36] = 0x45;
	CHECK_INT(nflog_parse(frame, sizeof(frame), &p), 0);
	CHECK_INT(p.hook, 3);
	CHECK_INT(p.in_ifindex, 7);
	CHECK_INT(p.prefix_len, 4);
	CHECK_INT(p.len, 2);
	CHECK_INT(p.data[0], 0x45);
	for (size_t n = 0; n < 4; n++)
		CHECK_INT(nflog_parse(frame, n, &p), -EBADMSG);
	CHECK_INT(nflog_parse(frame, 11, &p), -EBADMSG);
	memset(frame + 4, 0, 4);
	CHECK_INT(nflog_parse(frame, sizeof(frame), &p), -EBADMSG);
}
