/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Numbers are written in the byte order that most readers have, little-endian,
 * on every machine: the same packets give the same file.
 */
#include "port/capture.h"

#include "base/limits.h"

#define BILLION		1000000000u
#define IFACE_BYTES	32u	/* of an interface block with its option */
#define PACKET_BYTES	32u	/* of a packet block without its packet */

static void put16(FILE *out, uint32_t v)
{
	putc((int)(v & 0xff), out);
	putc((int)(v >> 8 & 0xff), out);
}

static void put32(FILE *out, uint32_t v)
{
	put16(out, v & 0xffff);
	put16(out, v >> 16);
}

void capture_writer_init(struct capture_writer *w, FILE *out, bool is_ng, bool is_nano)
{
	*w = (struct capture_writer){ .out = out, .is_ng = is_ng, .is_nano = is_nano };
	if (!is_ng)
		return;
	put32(out, 0x0a0d0d0a);
	put32(out, 28);
	put32(out, 0x1a2b3c4d);
	put16(out, 1);
	put16(out, 0);
	put32(out, UINT32_MAX);		/* the section's length is not told */
	put32(out, UINT32_MAX);
	put32(out, 28);
}

static void write_pcap_header(const struct capture_writer *w, uint32_t link, uint32_t snap)
{
	put32(w->out, w->is_nano ? 0xa1b23c4d : 0xa1b2c3d4);
	put16(w->out, 2);
	put16(w->out, 4);
	put32(w->out, 0);
	put32(w->out, 0);
	put32(w->out, snap);
	put32(w->out, link);
}

void capture_write_iface(struct capture_writer *w, uint32_t link, uint32_t snap_bytes)
{
	const uint32_t snap = snap_bytes > 0 ? snap_bytes : LIMIT_CAPTURE_BYTES;

	BUG_IF(!w->is_ng && w->n_ifaces > 0);
	w->n_ifaces++;
	if (!w->is_ng) {
		write_pcap_header(w, link, snap);
		return;
	}
	put32(w->out, 1);
	put32(w->out, IFACE_BYTES);
	put16(w->out, link);
	put16(w->out, 0);
	put32(w->out, snap);
	put16(w->out, 9);		/* if_tsresol */
	put16(w->out, 1);
	put32(w->out, w->is_nano ? 9 : 6);
	put32(w->out, 0);		/* the end of the options */
	put32(w->out, IFACE_BYTES);
}

static void write_ng(const struct capture_writer *w, const struct capture_record *r)
{
	const uint64_t ticks = w->is_nano ? r->time_ns : r->time_ns / 1000;
	const uint32_t pad = (4 - r->len % 4) % 4;
	const uint32_t len = PACKET_BYTES + r->len + pad;

	put32(w->out, 6);
	put32(w->out, len);
	put32(w->out, r->iface);
	put32(w->out, (uint32_t)(ticks >> 32));
	put32(w->out, (uint32_t)ticks);
	put32(w->out, r->len);
	put32(w->out, r->wire_len);
	fwrite(r->data, 1, r->len, w->out);
	for (uint32_t i = 0; i < pad; i++)
		putc(0, w->out);
	put32(w->out, len);
}

void capture_write(struct capture_writer *w, const struct capture_record *r)
{
	BUG_IF(r->iface >= w->n_ifaces);
	w->n_records++;
	if (w->is_ng) {
		write_ng(w, r);
		return;
	}
	put32(w->out, (uint32_t)(r->time_ns / BILLION));
	put32(w->out, (uint32_t)(r->time_ns % BILLION) / (w->is_nano ? 1 : 1000));
	put32(w->out, r->len);
	put32(w->out, r->wire_len);
	fwrite(r->data, 1, r->len, w->out);
}
