/* SPDX-License-Identifier: BSD-2-Clause */
#include "port/io.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "port/offload.h"

void *io_memory_new(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void io_memory_end(void *p, size_t bytes)
{
	if (p != NULL)
		(void)munmap(p, bytes);
}

/* What every way has */
static int complete(struct io *io, const struct io_ops *ops, const char *ifname)
{
	io->ops = ops;
	memcpy(io->name, ifname, strlen(ifname) + 1);
	io->scratch = malloc(IO_SCRATCH_BYTES);
	if (io->scratch == NULL)
		return -ENOMEM;
	/* Resident from the start, as all packet memory */
	memset(io->scratch, 0, IO_SCRATCH_BYTES);
	return 0;
}

int io_open(const struct io_ops *ops, const char *ifname, struct io **ret)
{
	CLEANUP(io_close) struct io *io = NULL;
	int err;

	if (strlen(ifname) >= IO_NAME_BYTES)
		return -ENODEV;
	err = ops->open(ifname, &io);
	if (err < 0)
		return err;
	err = complete(io, ops, ifname);
	if (err < 0)
		return err;
	*ret = TAKE(io);
	return 0;
}

int io_open_several(const struct io_ops *ops, const char *ifname, uint32_t n, int prog,
		    struct io **ret)
{
	int err;

	if (ops->several == NULL)
		return -EOPNOTSUPP;
	if (strlen(ifname) >= IO_NAME_BYTES)
		return -ENODEV;
	err = ops->several(ifname, n, prog, ret);
	for (uint32_t i = 0; i < n && ret[i] != NULL; i++) {
		const int err2 = complete(ret[i], ops, ifname);

		err = err < 0 ? err : err2;
	}
	for (uint32_t i = 0; i < n && err < 0; i++)
		io_close(&ret[i]);
	return err;
}

void io_close(struct io **io)
{
	if (*io == NULL)
		return;
	free((*io)->scratch);
	(*io)->ops->close(*io);
	*io = NULL;
}

uint32_t io_rx(struct io *io, struct io_packet *v, uint32_t max)
{
	const uint32_t n = io->ops->rx(io, v, MIN(max, IO_BATCH));

	io->n.rx += n;
	return n;
}

/* Cut a packet into the scratch memory, and send what fills it */
static void send_cut(struct io *io, const struct io_packet *p)
{
	const uint32_t room = io_wire_bytes(p);
	struct io_packet out[IO_BATCH];
	struct offload_cut c;
	uint32_t n = 0;

	if (offload_cut_begin(&c, p) < 0) {
		io->n.tx_refused++;
		return;
	}
	while (offload_cut_next(&c, io->scratch + (size_t)n * room, &out[n])) {
		if (++n < IO_BATCH && (size_t)(n + 1) * room <= IO_SCRATCH_BYTES)
			continue;
		io->ops->tx(io, out, n);
		n = 0;
	}
	if (n > 0)
		io->ops->tx(io, out, n);
}

/* Can a packet go as it is, perhaps after its checksum is completed */
static bool is_ready(struct io *io, struct io_packet *p)
{
	if (io_wire_bytes(p) > io->mtu_bytes) {
		io->n.tx_too_big++;
		return false;
	}
	if (io->has_offload || p->off.gso != IO_GSO_NONE)
		return true;
	if (offload_complete(p) == 0)
		return true;
	io->n.tx_refused++;
	return false;
}

void io_tx(struct io *io, struct io_packet *v, uint32_t n)
{
	uint32_t done = 0;	/* v[done..i) waits to be sent */

	for (uint32_t i = 0; i < n; i++) {
		const bool ready = is_ready(io, &v[i]);
		const bool to_cut = ready && !io->has_offload && v[i].off.gso != IO_GSO_NONE;

		if (ready && !to_cut)
			continue;
		/* In order, whatever becomes of each */
		if (i > done)
			io->ops->tx(io, v + done, i - done);
		if (to_cut)
			send_cut(io, &v[i]);
		done = i + 1;
	}
	if (n > done)
		io->ops->tx(io, v + done, n - done);
}
