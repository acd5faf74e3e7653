/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "port/answerer.h"

static const uint8_t ours[6] = { 2, 0, 0, 0, 0, 1 }, theirs[6] = { 2, 0, 0, 0, 0, 9 };

static struct addr addr(const char *text)
{
	struct addr a = { 0 };

	CHECK_INT(addr_parse(text, strlen(text), &a), 0);
	return a;
}

static struct io io;
static struct answerer w;

static void begin(void)
{
	memcpy(io.mac, ours, sizeof(ours));
	w = (struct answerer){ .io = &io, .fd = -1, .n = 2,
			       .addrs = { addr("203.0.113.50"), addr("2001:db8::50") } };
}

/* Who has @a, asks @from */
static uint32_t make_arp(const char *a, const char *from, uint8_t *f)
{
	static const uint8_t head[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };

	memset(f, 0xff, 6);
	memcpy(f + 6, theirs, 6);
	memcpy(f + 12, head, sizeof(head));
	memcpy(f + 22, theirs, 6);
	addr_to_bytes(addr(from), f + 28);
	memset(f + 32, 0, 6);
	addr_to_bytes(addr(a), f + 38);
	return 42;
}

static uint16_t sum_of(const uint8_t *ip, uint32_t len)
{
	uint32_t sum = 58 + len;

	for (uint32_t i = 8; i < 40 + len; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Its checksum, over all there is */
static void finish(uint8_t *f)
{
	uint16_t sum;

	f[56] = f[57] = 0;
	sum = (uint16_t)~sum_of(f + 14, 32);
	f[56] = (uint8_t)(sum >> 8);
	f[57] = (uint8_t)sum;
}

static uint32_t make_solicit(const char *a, const char *from, uint8_t *f)
{
	memset(f, 0, 86);
	memcpy(f + 6, theirs, 6);
	f[12] = 0x86;
	f[13] = 0xdd;
	f[14] = 0x60;
	f[19] = 32;
	f[20] = 58;
	f[21] = 255;
	addr_to_bytes(addr(from), f + 22);
	f[54] = 135;
	addr_to_bytes(addr(a), f + 62);
	f[78] = 1;
	f[79] = 1;
	memcpy(f + 80, theirs, 6);
	finish(f);
	return 86;
}

TEST(answers_arp_for_its_own)
{
	uint8_t f[256], out[256];
	uint32_t len;

	begin();
	len = make_arp("203.0.113.50", "203.0.113.1", f);
	CHECK_INT(answerer_reply(&w, f, len, out), 42);
	CHECK(memcmp(out, theirs, 6) == 0 && memcmp(out + 6, ours, 6) == 0);
	CHECK_INT(out[21], 2);
	CHECK(memcmp(out + 22, ours, 6) == 0 && memcmp(out + 28, f + 38, 4) == 0);
	CHECK(memcmp(out + 32, theirs, 6) == 0 && memcmp(out + 38, f + 28, 4) == 0);
	/* Another's address, an announcement of it, an answer, and one that was cut off */
	len = make_arp("203.0.113.51", "203.0.113.1", f);
	CHECK_INT(answerer_reply(&w, f, len, out), 0);
	len = make_arp("203.0.113.50", "203.0.113.50", f);
	CHECK_INT(answerer_reply(&w, f, len, out), 0);
	len = make_arp("203.0.113.50", "203.0.113.1", f);
	f[21] = 2;
	CHECK_INT(answerer_reply(&w, f, len, out), 0);
	f[21] = 1;
	for (uint32_t cut = 0; cut < len; cut++)
		CHECK_INT(answerer_reply(&w, f, cut, out), 0);
}

TEST(answers_neighbour_discovery_for_its_own)
{
	uint8_t f[256], out[256];
	uint32_t len;

	begin();
	len = make_solicit("2001:db8::50", "fe80::9", f);
	CHECK_INT(answerer_reply(&w, f, len, out), 86);
	CHECK(memcmp(out, theirs, 6) == 0 && memcmp(out + 6, ours, 6) == 0);
	CHECK_INT(out[54], 136);
	CHECK_INT(out[58], 0x60);		/* solicited, override */
	CHECK(memcmp(out + 22, f + 62, 16) == 0 && memcmp(out + 38, f + 22, 16) == 0);
	CHECK(memcmp(out + 62, f + 62, 16) == 0 && memcmp(out + 80, ours, 6) == 0);
	CHECK_INT(sum_of(out + 14, 32), 0xffff);
	/* Who looks whether it is free hears of it with all others */
	len = make_solicit("2001:db8::50", "::", f);
	CHECK_INT(answerer_reply(&w, f, len, out), 86);
	CHECK_INT(out[0], 0x33);
	CHECK_INT(out[58], 0x20);
	/* Through a router, another's address, and what was cut off */
	len = make_solicit("2001:db8::50", "fe80::9", f);
	f[21] = 254;
	CHECK_INT(answerer_reply(&w, f, len, out), 0);
	len = make_solicit("2001:db8::51", "fe80::9", f);
	CHECK_INT(answerer_reply(&w, f, len, out), 0);
	len = make_solicit("2001:db8::50", "fe80::9", f);
	for (uint32_t cut = 0; cut < 14 + 40 + 24; cut++)
		CHECK_INT(answerer_reply(&w, f, cut, out), 0);
}

/* What no neighbour can have sent is not answered, to whomever that would go */
TEST(answers_no_forged_question)
{
	uint8_t f[256], out[256];
	uint32_t len;

	begin();
	len = make_arp("203.0.113.50", "203.0.113.1", f);
	memset(f + 22, 0xff, 6);		/* the answer would go to all */
	CHECK_INT(answerer_reply(&w, f, len, out), 0);
	len = make_solicit("2001:db8::50", "fe80::9", f);
	f[57] ^= 1;
	CHECK_INT(answerer_reply(&w, f, len, out), 0);
	len = make_solicit("2001:db8::50", "ff02::1", f);
	CHECK_INT(answerer_reply(&w, f, len, out), 0);
	len = make_solicit("2001:db8::50", "fe80::9", f);
	f[6] |= 1;
	CHECK_INT(answerer_reply(&w, f, len, out), 0);
	/* Longer than it is, and shorter than a question */
	len = make_solicit("2001:db8::50", "fe80::9", f);
	f[19] = 33;
	CHECK_INT(answerer_reply(&w, f, len, out), 0);
	f[19] = 23;
	CHECK_INT(answerer_reply(&w, f, len, out), 0);
	/* In our own name */
	len = make_solicit("2001:db8::50", "2001:db8::50", f);
	CHECK_INT(answerer_reply(&w, f, len, out), 0);
}

TEST(knows_who_says_that_he_has_its_addresses)
{
	uint8_t f[256];
	uint32_t len, idx = 9;

	begin();
	/* By announcing, by asking for another in its name, by an answer */
	len = make_arp("203.0.113.50", "203.0.113.50", f);
	CHECK(answerer_is_rival(&w, f, len, &idx));
	CHECK_INT(idx, 0);
	len = make_arp("203.0.113.1", "203.0.113.50", f);
	CHECK(answerer_is_rival(&w, f, len, &idx));
	f[21] = 2;
	CHECK(answerer_is_rival(&w, f, len, &idx));
	/* Our own announcement, that came back */
	len = make_arp("203.0.113.50", "203.0.113.50", f);
	memcpy(f + 6, ours, 6);
	memcpy(f + 22, ours, 6);
	memset(f + 32, 0xff, 6);
	CHECK(!answerer_is_rival(&w, f, len, &idx));
	/* Who asks is none, nor is he that looks whether it is free */
	len = make_arp("203.0.113.50", "203.0.113.1", f);
	CHECK(!answerer_is_rival(&w, f, len, &idx));
	len = make_solicit("2001:db8::50", "::", f);
	CHECK(!answerer_is_rival(&w, f, len, &idx));
	len = make_solicit("2001:db8::51", "2001:db8::50", f);
	CHECK(answerer_is_rival(&w, f, len, &idx));
	CHECK_INT(idx, 1);
	len = make_solicit("2001:db8::50", "fe80::9", f);
	f[54] = 136;
	finish(f);
	CHECK(answerer_is_rival(&w, f, len, &idx));
	f[57] ^= 1;
	CHECK(!answerer_is_rival(&w, f, len, &idx));
	for (uint32_t cut = 0; cut < 14 + 40 + 24; cut++)
		CHECK(!answerer_is_rival(&w, f, cut, &idx));
}

static int n_lines;

static void count_line(void *arg, const char *line)
{
	(void)arg;
	CHECK(strstr(line, "02:00:00:00:00:09 says on out that it has ") != NULL);
	n_lines++;
}

/* Words that were said of our addresses since it was asked last */
static int n_words(int fd)
{
	uint8_t f[256];
	int n = 0;

	/* Each is an announcement of 203.0.113.50, as a pipe keeps no ends of frames */
	while (read(fd, f, 42) == 42)
		n++;
	return n;
}

#define SECOND	UINT64_C(1000000000)

TEST(contradicts_once_an_interval_and_in_the_end)
{
	uint8_t f[256];
	int ends[2];
	uint64_t now = 1000 * SECOND;

	begin();
	CHECK_INT(pipe2(ends, O_NONBLOCK), 0);
	strcpy(io.name, "out");
	w.fd = ends[1];
	w.tell = count_line;
	n_lines = 0;
	make_arp("203.0.113.50", "203.0.113.50", f);
	answerer_contradict(&w, 0, f, now);
	CHECK_INT(n_words(ends[0]), 1);
	CHECK_INT(n_lines, 1);
	/* Twice more, too soon: one word for both, when the interval is over, and no line */
	answerer_contradict(&w, 0, f, now + SECOND);
	answerer_contradict(&w, 0, f, now + 2 * SECOND);
	answerer_tick(&w, now + ANSWERER_DEFEND_NS - 1);
	CHECK_INT(n_words(ends[0]), 0);
	now += ANSWERER_DEFEND_NS;
	answerer_contradict(&w, 0, f, now);	/* in time, but before what has waited */
	CHECK_INT(n_words(ends[0]), 0);
	answerer_tick(&w, now);
	answerer_tick(&w, now);
	CHECK_INT(n_words(ends[0]), 1);
	CHECK_INT(n_lines, 1);
	/* He goes on: no line for that as long as he does */
	answerer_contradict(&w, 0, f, now + SECOND);
	now += ANSWERER_DEFEND_NS;
	answerer_tick(&w, now);
	CHECK_INT(n_words(ends[0]), 1);
	CHECK_INT(n_lines, 1);
	/* He has been silent, and begins anew */
	now += ANSWERER_DEFEND_NS;
	answerer_tick(&w, now);
	CHECK_INT(n_words(ends[0]), 0);
	answerer_contradict(&w, 0, f, now);
	CHECK_INT(n_words(ends[0]), 1);
	CHECK_INT(n_lines, 2);
	close(ends[0]);
	close(ends[1]);
}
