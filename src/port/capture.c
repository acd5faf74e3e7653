/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * libpcap reads captures too, and is not hardened against files that somebody
 * else made; it also hides the interfaces of a pcapng.  Here each length is held
 * against a limit before a byte of it is read, the one buffer is as large as the
 * limit, and nothing is ever sought, so that a pipe will do.
 *
 * A pcap is a pcapng with one interface whose records have other headers.
 */
#include "port/capture.h"

#include "base/limits.h"

#define MAGIC_MICRO	0xa1b2c3d4u
#define MAGIC_NANO	0xa1b23c4du
#define MAGIC_NG	0x0a0d0d0au	/* type of a section header block */
#define MAGIC_ORDER	0x1a2b3c4du
#define NG_IFACE	1u
#define NG_SIMPLE	3u
#define NG_ENHANCED	6u
#define NG_MIN_BYTES	12u		/* of a block: type, length, length */
#define OPT_END		0u
#define OPT_TSRESOL	9u
#define OPT_TSOFFSET	14u
#define PCAP_LINK_MASK	0x0fffffffu	/* the rest tells of the frame check sequence */
#define MICRO_DIGITS	6u
#define NANO_DIGITS	9u
#define MAX_DIGITS	18u		/* finer clocks than an attosecond are no clocks */

static uint32_t get16(const struct capture *c, const uint8_t *p)
{
	return c->is_be ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static uint32_t get32(const struct capture *c, const uint8_t *p)
{
	return c->is_be ? get16(c, p) << 16 | get16(c, p + 2) : get16(c, p + 2) << 16 | get16(c, p);
}

static int damaged(struct capture *c, const char *what)
{
	c->what = what;
	return -EBADMSG;
}

static int cut_off(struct capture *c, const char *what)
{
	c->is_cut = true;
	return damaged(c, what);
}

/* Bytes of the stream: all of them, or -ENODATA for none, or an error */
static int take(struct capture *c, void *buf, size_t n)
{
	const size_t got = fread(buf, 1, n, c->in);

	c->n_bytes += got;
	if (got == n)
		return 0;
	if (ferror(c->in))
		return errno > 0 ? -errno : -EIO;
	return got == 0 ? -ENODATA : cut_off(c, "it ends within a header");
}

/* As take(), where an end is an error */
static int take_all(struct capture *c, void *buf, size_t n)
{
	const int err = take(c, buf, n);

	return err == -ENODATA ? cut_off(c, "it ends within a record") : err;
}

static int step_over(struct capture *c, uint32_t n)
{
	uint8_t scrap[4096];
	int err = 0;

	while (n > 0 && err == 0) {
		const uint32_t part = n < sizeof(scrap) ? n : (uint32_t)sizeof(scrap);

		err = take_all(c, scrap, part);
		n -= part;
	}
	return err;
}

static uint64_t pow10_of(unsigned int digits)
{
	uint64_t v = 1;

	while (digits-- > 0)
		v *= 10;
	return v;
}

/* Ticks of an interface's clock as nanoseconds since 1970; what is before that is 0 */
static uint64_t time_of(const struct capture_iface *i, uint64_t ticks)
{
	const __int128 billion = 1000000000;
	__int128 ns;

	if (i->tick_bits >= 0)
		ns = ((__int128)ticks * billion) >> i->tick_bits;
	else if (i->tick_digits <= NANO_DIGITS)
		ns = (__int128)ticks * (__int128)pow10_of(NANO_DIGITS - i->tick_digits);
	else
		ns = (__int128)(ticks / pow10_of(i->tick_digits - NANO_DIGITS));
	ns += (__int128)i->offset_s * billion;
	return ns < 0 ? 0 : ns > (__int128)UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

static int add_iface(struct capture *c, struct capture_iface i)
{
	if (c->ifaces.n >= LIMIT_CAPTURE_IFACES)
		return damaged(c, "it has more than 1024 interfaces");
	if (i.tick_bits > 0 || i.tick_digits > MICRO_DIGITS)
		c->is_nano = true;
	vec_add(c->a, &c->ifaces, i);
	return 0;
}

/* ---- pcap ----------------------------------------------------------------- */

static int open_pcap(struct capture *c, bool is_nano)
{
	uint8_t h[20];
	int err = take_all(c, h, sizeof(h));

	if (err < 0)
		return err;
	if (get16(c, h) != 2)
		return damaged(c, "it is a pcap of another version than 2");
	return add_iface(c, (struct capture_iface){
		.link = get32(c, h + 16) & PCAP_LINK_MASK, .snap_bytes = get32(c, h + 12),
		.tick_bits = -1, .tick_digits = is_nano ? NANO_DIGITS : MICRO_DIGITS });
}

/* The bytes of a packet, once its lengths are known */
static int take_packet(struct capture *c, struct capture_record *r)
{
	if (r->len > LIMIT_CAPTURE_BYTES)
		return damaged(c, "a record is longer than 256 KiB");
	r->data = c->buf;
	return take_all(c, c->buf, r->len);
}

static int next_pcap(struct capture *c, struct capture_record *r)
{
	const uint64_t second = pow10_of(c->ifaces.v[0].tick_digits);
	uint8_t h[16];
	int err = take(c, h, sizeof(h));

	if (err < 0)
		return err == -ENODATA ? 0 : err;
	r->iface = 0;
	r->time_ns = time_of(&c->ifaces.v[0], get32(c, h) * second + get32(c, h + 4));
	r->len = get32(c, h + 8);
	r->wire_len = get32(c, h + 12);
	err = take_packet(c, r);
	return err < 0 ? err : 1;
}

/* ---- pcapng --------------------------------------------------------------- */

/* After the type of a section header: its length is read once its order is known */
static int open_section(struct capture *c)
{
	uint8_t h[8];
	uint32_t len;
	int err = take_all(c, h, sizeof(h));

	if (err < 0)
		return err;
	c->is_be = h[4] == 0x1a;
	if (get32(c, h + 4) != MAGIC_ORDER)
		return damaged(c, "a section has no byte order");
	len = get32(c, h);
	if (len < 28 || len % 4 != 0)
		return damaged(c, "a block has an impossible length");
	c->ifaces.n = 0;
	err = take_all(c, h, 4);
	if (err < 0)
		return err;
	if (get16(c, h) != 1)
		return damaged(c, "it is a pcapng of another version than 1");
	return step_over(c, len - 16);
}

/* One option of an interface; false: the last */
static bool read_option(const struct capture *c, const uint8_t *p, uint32_t left,
			struct capture_iface *i, uint32_t *ret_len)
{
	const uint32_t code = left >= 4 ? get16(c, p) : OPT_END;
	const uint32_t len = left >= 4 ? get16(c, p + 2) : 0;

	if (code == OPT_END || len > left - 4)
		return false;
	if (code == OPT_TSRESOL && len == 1) {
		i->tick_bits = (p[4] & 0x80) != 0 ? p[4] & 0x7f : -1;
		i->tick_digits = p[4] & 0x7f;
	}
	if (code == OPT_TSOFFSET && len == 8) {
		const uint64_t lo = get32(c, p + (c->is_be ? 8 : 4));
		const uint64_t hi = get32(c, p + (c->is_be ? 4 : 8));

		i->offset_s = (int64_t)(hi << 32 | lo);
	}
	*ret_len = 4 + (len + 3) / 4 * 4;
	return *ret_len <= left;
}

/* The body of an interface block is in the buffer */
static int read_iface(struct capture *c, uint32_t len)
{
	struct capture_iface i = {
		.tick_bits = -1, .tick_digits = MICRO_DIGITS,
	};
	uint32_t at = 8, step = 0;

	if (len < at)
		return damaged(c, "an interface block is too short");
	i.link = get16(c, c->buf);
	i.snap_bytes = get32(c, c->buf + 4);
	while (read_option(c, c->buf + at, len - at, &i, &step))
		at += step;
	if (i.tick_digits > MAX_DIGITS && i.tick_bits < 0)
		return damaged(c, "an interface's clock counts less than 10^-18 seconds");
	return add_iface(c, i);
}

/* Fixed part of a packet block: its packet is next in the stream */
static int read_packet_head(struct capture *c, uint32_t type, uint32_t *left,
			    struct capture_record *r)
{
	const uint32_t fixed = type == NG_ENHANCED ? 20 : 4;
	uint8_t h[20];
	int err;

	if (*left < fixed)
		return damaged(c, "a packet block is too short");
	err = take_all(c, h, fixed);
	if (err < 0)
		return err;
	*left -= fixed;
	r->iface = type == NG_ENHANCED ? get32(c, h) : 0;
	if (r->iface >= c->ifaces.n)
		return damaged(c, "a packet is of an interface that is not described");
	r->wire_len = get32(c, h + fixed - 4);
	if (type == NG_ENHANCED) {
		r->time_ns = time_of(&c->ifaces.v[r->iface],
				     (uint64_t)get32(c, h + 4) << 32 | get32(c, h + 8));
		r->len = get32(c, h + 12);
		return 0;
	}
	r->time_ns = 0;		/* it has none */
	r->len = r->wire_len;
	if (c->ifaces.v[0].snap_bytes > 0 && r->len > c->ifaces.v[0].snap_bytes)
		r->len = c->ifaces.v[0].snap_bytes;
	return 0;
}

static int read_packet(struct capture *c, uint32_t type, uint32_t left,
		       struct capture_record *r)
{
	int err = read_packet_head(c, type, &left, r);

	if (err == 0 && r->len > left)
		err = damaged(c, "a packet is longer than its block");
	if (err == 0)
		err = take_packet(c, r);
	return err == 0 ? step_over(c, left - r->len) : err;
}

/* The block's length again, behind its body */
static int end_block(struct capture *c, uint32_t len)
{
	uint8_t h[4];
	const int err = take_all(c, h, sizeof(h));

	if (err < 0)
		return err;
	return get32(c, h) == len ? 0 : damaged(c, "the two lengths of a block differ");
}

/* One block but a section header; 1 when it is a packet */
static int read_block(struct capture *c, uint32_t type, struct capture_record *r)
{
	const bool is_packet = type == NG_ENHANCED || type == NG_SIMPLE;
	uint8_t h[4];
	uint32_t len, body;
	int err = take_all(c, h, sizeof(h));

	if (err < 0)
		return err;
	len = get32(c, h);
	if (len < NG_MIN_BYTES || len % 4 != 0)
		return damaged(c, "a block has an impossible length");
	body = len - NG_MIN_BYTES;
	if (is_packet) {
		err = read_packet(c, type, body, r);
	} else if (type == NG_IFACE) {
		if (body > LIMIT_CAPTURE_BYTES)
			return damaged(c, "an interface block is longer than 256 KiB");
		err = take_all(c, c->buf, body);
		if (err == 0)
			err = read_iface(c, body);
	} else {
		err = step_over(c, body);
	}
	if (err == 0)
		err = end_block(c, len);
	return err < 0 ? err : is_packet;
}

static int next_ng(struct capture *c, struct capture_record *r)
{
	for (;;) {
		uint8_t h[4];
		int err = take(c, h, sizeof(h));
		uint32_t type;

		if (err < 0)
			return err == -ENODATA ? 0 : err;
		type = get32(c, h);
		err = type == MAGIC_NG ? open_section(c) : read_block(c, type, r);
		if (err != 0)
			return err;
	}
}

/* ---- either --------------------------------------------------------------- */

/* As gzip, xz, zstd, bzip2 and lz4 begin */
static bool is_compressed(const uint8_t *h)
{
	static const char *const begins[] = { "\x1f\x8b", "\3757zX", "\x28\xb5\x2f\xfd", "BZh",
					      "\x04\x22\x4d\x18" };

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		if (memcmp(h, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

int capture_open(struct capture *c, struct arena *a, FILE *in)
{
	uint8_t h[4];
	int err;

	*c = (struct capture){ .in = in, .a = a, .buf = arena_alloc(a, LIMIT_CAPTURE_BYTES) };
	err = take(c, h, sizeof(h));
	if (err < 0)
		return err;
	c->is_ng = get32(c, h) == MAGIC_NG;
	if (c->is_ng)
		return open_section(c);
	c->is_be = h[0] == 0xa1;
	if (get32(c, h) == MAGIC_MICRO || get32(c, h) == MAGIC_NANO)
		return open_pcap(c, get32(c, h) == MAGIC_NANO);
	return damaged(c, is_compressed(h) ? "it is compressed; --read - takes what zcat writes"
					   : "it is neither pcap nor pcapng");
}

int capture_next(struct capture *c, struct capture_record *r)
{
	const int err = c->is_ng ? next_ng(c, r) : next_pcap(c, r);

	c->n_records += err == 1;
	return err;
}
