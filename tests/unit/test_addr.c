/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/addr.h"

#include <arpa/inet.h>

#include "unit.h"

static struct addr A(const char *s)
{
	struct addr a = { 0 };

	CHECK_INT(addr_parse(s, strlen(s), &a), 0);
	return a;
}

static struct prefix P(const char *s)
{
	struct prefix p = { 0 };

	CHECK_INT(prefix_parse(s, strlen(s), &p), 0);
	return p;
}

static void refuse_addr(const char *s)
{
	struct addr a = { 99, 99 };

	if (!CHECK_INT(addr_parse(s, strlen(s), &a), -EINVAL))
		CHECK_STR(s, "refused");
	CHECK_INT(a.af, 99);
}

static void print_as(const char *s, const char *want)
{
	char buf[ADDR_TEXT_BYTES];

	CHECK_STR(addr_print(A(s), buf), want);
}

TEST(v4_parse)
{
	CHECK(addr_equal(A("192.168.100.2"), addr_v4(192, 168, 100, 2)));
	CHECK(A("255.255.255.255").v == UINT32_MAX);
	CHECK(A("0.0.0.0").v == 0 && A("0.0.0.0").af == AF_V4);
}

TEST(v6_parse)
{
	CHECK(A("::").v == 0 && A("::").af == AF_V6);
	CHECK(A("::1").v == 1);
	CHECK(A("2001:db8::1").v == ((u128)0x20010db8 << 96 | 1));
	CHECK(A("1:2:3:4:5:6:7:8").v ==
	      ((u128)0x0001000200030004 << 64 | 0x0005000600070008));
	CHECK(A("::ffff:192.0.2.1").v == ((u128)0xffff << 32 | 0xc0000201));
	CHECK(addr_equal(A("FE80::ABCD"), A("fe80:0:0:0:0:0:0:abcd")));
}

TEST(v4_as_the_library_reads_it)
{
	unsigned int n_good = 0;

	for (unsigned int step = 0; step < 200000; step++) {
		/* As many digits and dots as make an address now and then */
		const size_t len = 7 + unit_below(9);
		char s[17] = "";
		struct in_addr want;
		struct addr got;
		bool good;

		for (size_t i = 0; i < len; i++)
			s[i] = "...0123456789"[unit_below(13)];
		if (unit_below(50) == 0)
			s[unit_below((uint32_t)len)] = ' ';
		good = inet_pton(AF_INET, s, &want) == 1;
		n_good += good;
		if (!CHECK((addr_parse(s, len, &got) == 0) == good) ||
		    !CHECK(!good || addr_equal(got, addr_from_bytes(AF_V4, (uint8_t *)&want))))
			CHECK_STR(s, "as inet_pton()");
	}
	CHECK(n_good > 100);
}

TEST(refused)
{
	static const char *const bad[] = {
		"", ".", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.4 ",
		" 1.2.3.4", "1.2.3.-4", "0x1.2.3.4", "1.2.3.4/32", "a.b.c.d", ":", ":::", "1::2::3",
		"1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "fe80::1%lo", "::g", "[::1]",
		"::1.2.3.256", "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa",
	};
	struct addr a;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refuse_addr(bad[i]);
	CHECK_INT(addr_parse("1.2.3.4\0x", 9, &a), -EINVAL);
	CHECK_INT(addr_parse("1.2.3.45", 7, &a), 0);
	CHECK(addr_equal(a, addr_v4(1, 2, 3, 4)));
}

TEST(print)
{
	char buf[ADDR_TEXT_BYTES];

	print_as("10.0.0.1", "10.0.0.1");
	print_as("2001:DB8:0:0:0:0:0:1", "2001:db8::1");
	print_as("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
	print_as("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
	print_as("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
	print_as("::ffff:192.0.2.1", "::ffff:192.0.2.1");
	print_as("::", "::");
	CHECK_STR(addr_print((struct addr){ 0 }, buf), "none");
	CHECK_STR(prefix_print(P("10.0.0.0/8"), buf), "10.0.0.0/8");
	CHECK_STR(prefix_print(P("10.0.0.1"), buf), "10.0.0.1/32");
	CHECK_STR(prefix_print(P("::/0"), buf), "::/0");
	CHECK_STR(addr_port_print(A("10.0.0.1"), 80, buf), "10.0.0.1:80");
	CHECK_STR(addr_port_print(A("10.0.0.1"), -1, buf), "10.0.0.1");
	CHECK_STR(addr_port_print(A("2001:db8::1"), 65535, buf), "[2001:db8::1]:65535");
	CHECK_STR(addr_port_print(A("2001:db8::1"), -1, buf), "2001:db8::1");
	CHECK_STR(addr_port_print(A("1111:2222:3333:4444:5555:6666:7777:8888"), 65535, buf),
		  "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
	CHECK_STR(addr_port_print(A("1111:2222:3333:4444:5555:ffff:255.255.255.255"), 1, buf),
		  "[1111:2222:3333:4444:5555:ffff:ffff:ffff]:1");
}

TEST(prefix_parse_lengths)
{
	struct prefix p = { { 99, 99 }, 99 };

	CHECK_INT(P("10.1.2.3/8").len, 8);
	CHECK(P("10.1.2.3/8").a.v == addr_v4(10, 1, 2, 3).v);
	CHECK_INT(P("10.1.2.3").len, 32);
	CHECK_INT(P("::1").len, 128);
	CHECK_INT(P("0.0.0.0/0").len, 0);
	CHECK_INT(prefix_parse("10.0.0.0/33", 11, &p), -ERANGE);
	CHECK_INT(prefix_parse("::/129", 6, &p), -ERANGE);
	CHECK_INT(prefix_parse("10.0.0.0/", 9, &p), -ERANGE);
	CHECK_INT(prefix_parse("10.0.0.0/x", 10, &p), -ERANGE);
	CHECK_INT(prefix_parse("10.0.0.0/-1", 11, &p), -ERANGE);
	CHECK_INT(prefix_parse("10.0.0.0/0000", 13, &p), -ERANGE);
	CHECK_INT(prefix_parse("10.0.0/8", 8, &p), -EINVAL);
	CHECK_INT(prefix_parse("/8", 2, &p), -EINVAL);
	CHECK_INT(p.len, 99);
}

TEST(masks)
{
	uint8_t len = 99;

	CHECK(prefix_mask(AF_V4, 0) == 0);
	CHECK(prefix_mask(AF_V4, 29) == 0xfffffff8);
	CHECK(prefix_mask(AF_V4, 32) == UINT32_MAX);
	CHECK(prefix_mask(AF_V6, 128) == ~(u128)0);
	CHECK(prefix_mask(AF_V6, 1) == (u128)1 << 127);
	CHECK_BUG(prefix_mask(AF_V4, 33));
	CHECK_BUG(prefix_mask(AF_V6, 129));
	CHECK_INT(mask_to_len(A("255.0.255.0"), &len), -EINVAL);
	CHECK_INT(mask_to_len(A("0.0.0.1"), &len), -EINVAL);
	CHECK_INT(len, 99);
	for (unsigned int i = 0; i <= 32; i++) {
		CHECK_INT(mask_to_len((struct addr){ AF_V4, prefix_mask(AF_V4, i) }, &len), 0);
		CHECK_INT(len, i);
	}
	for (unsigned int i = 0; i <= 128; i++) {
		CHECK_INT(mask_to_len((struct addr){ AF_V6, prefix_mask(AF_V6, i) }, &len), 0);
		CHECK_INT(len, i);
	}
}

TEST(prefix_bounds)
{
	char buf[ADDR_TEXT_BYTES];

	CHECK_STR(addr_print(prefix_first(P("192.168.100.5/29")), buf), "192.168.100.0");
	CHECK_STR(addr_print(prefix_last(P("192.168.100.5/29")), buf), "192.168.100.7");
	CHECK_STR(addr_print(prefix_last(P("0.0.0.0/0")), buf), "255.255.255.255");
	CHECK_STR(addr_print(prefix_last(P("2001:db8::/32")), buf),
		  "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
	CHECK(prefix_has(P("192.168.100.0/29"), A("192.168.100.7")));
	CHECK(!prefix_has(P("192.168.100.0/29"), A("192.168.100.8")));
	CHECK(!prefix_has(P("0.0.0.0/0"), A("::")));
	CHECK(!prefix_has(P("::/0"), A("0.0.0.0")));
	CHECK(prefix_has(P("::/0"), A("ff02::1")));
}

TEST(kinds)
{
	static const struct {
		const char *text;
		bool loopback, private, linklocal, multicast;
	} rows[] = {
		{ "127.0.0.1", 1, 0, 0, 0 }, { "127.255.255.255", 1, 0, 0, 0 },
		{ "126.255.255.255", 0, 0, 0, 0 }, { "128.0.0.0", 0, 0, 0, 0 },
		{ "::1", 1, 0, 0, 0 }, { "::2", 0, 0, 0, 0 }, { "0.0.0.1", 0, 0, 0, 0 },
		{ "10.0.0.0", 0, 1, 0, 0 }, { "10.255.255.255", 0, 1, 0, 0 },
		{ "11.0.0.0", 0, 0, 0, 0 }, { "172.15.255.255", 0, 0, 0, 0 },
		{ "172.16.0.0", 0, 1, 0, 0 }, { "172.31.255.255", 0, 1, 0, 0 },
		{ "172.32.0.0", 0, 0, 0, 0 }, { "192.168.255.255", 0, 1, 0, 0 },
		{ "192.169.0.0", 0, 0, 0, 0 }, { "100.63.255.255", 0, 0, 0, 0 },
		{ "100.64.0.0", 0, 1, 0, 0 }, { "100.127.255.255", 0, 1, 0, 0 },
		{ "100.128.0.0", 0, 0, 0, 0 }, { "fc00::", 0, 1, 0, 0 },
		{ "fdff:ffff::", 0, 1, 0, 0 }, { "fbff::", 0, 0, 0, 0 }, { "fe00::", 0, 0, 0, 0 },
		{ "169.254.0.0", 0, 0, 1, 0 }, { "169.255.0.0", 0, 0, 0, 0 },
		{ "fe80::1", 0, 0, 1, 0 }, { "febf::1", 0, 0, 1, 0 }, { "fec0::1", 0, 0, 0, 0 },
		{ "223.255.255.255", 0, 0, 0, 0 }, { "224.0.0.0", 0, 0, 0, 1 },
		{ "239.255.255.255", 0, 0, 0, 1 }, { "240.0.0.0", 0, 0, 0, 0 },
		{ "ff02::1", 0, 0, 0, 1 }, { "feff::", 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct addr a = A(rows[i].text);
		bool right = addr_is_loopback(a) == rows[i].loopback;

		right = right && addr_is_private(a) == rows[i].private;
		right = right && addr_is_linklocal(a) == rows[i].linklocal;
		right = right && addr_is_multicast(a) == rows[i].multicast;
		if (!CHECK(right))
			CHECK_STR(rows[i].text, "of the right kind");
	}
}

TEST(bytes)
{
	static const uint8_t v4[] = { 192, 0, 2, 1 };
	uint8_t out[16];

	CHECK_INT(addr_to_bytes(addr_v4(192, 0, 2, 1), out), 4);
	CHECK(memcmp(out, v4, 4) == 0);
	CHECK(addr_equal(addr_from_bytes(AF_V4, v4), addr_v4(192, 0, 2, 1)));
	CHECK_INT(addr_to_bytes(A("2001:db8::1"), out), 16);
	CHECK_INT(out[0], 0x20);
	CHECK_INT(out[15], 1);
}

TEST(random_addresses_come_back)
{
	for (unsigned int i = 0; i < 5000; i++) {
		const uint8_t af = unit_below(2) ? AF_V4 : AF_V6;
		struct addr a = { af, unit_random() };
		struct prefix p, q;
		char buf[ADDR_TEXT_BYTES], libc[ADDR_TEXT_BYTES];
		uint8_t bytes[16];

		a.v = a.v << 64 | unit_random();
		/* Runs of zero groups are what the text form is about */
		for (unsigned int g = 0; g < 8; g++)
			if (unit_below(2))
				a.v &= ~((u128)0xffff << (16 * g));
		if (af == AF_V4)
			a.v &= UINT32_MAX;
		addr_to_bytes(a, bytes);
		CHECK(addr_equal(addr_from_bytes(af, bytes), a));
		inet_ntop(af == AF_V4 ? AF_INET : AF_INET6, bytes, libc, sizeof(libc));
		CHECK_STR(addr_print(a, buf), libc);
		CHECK(addr_equal(A(buf), a));
		p = (struct prefix){ a, (uint8_t)unit_below(addr_bits(af) + 1) };
		prefix_print(p, buf);
		q = P(buf);
		if (!CHECK(addr_equal(q.a, a) && q.len == p.len))
			return;
		CHECK(prefix_has(p, prefix_first(p)) && prefix_has(p, prefix_last(p)));
		CHECK(prefix_last(p).v - prefix_first(p).v ==
		      prefix_mask(af, addr_bits(af)) - prefix_mask(af, p.len));
	}
}
