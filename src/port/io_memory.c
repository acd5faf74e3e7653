/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "port/io.h"

/* Packets that wait, each with its bytes */
struct queue {
	struct io_packet v[IO_BATCH];
	uint32_t head;
	uint32_t n;
};

/**
 * struct memory - A way that a test stands at both ends of
 * @io:		What the others see
 * @in:		Given, not yet received
 * @out:	Sent, not yet taken
 * @lent:	What the last rx or take gave out, to be freed by the next
 * @n_lent:	How many
 * @taken:	The same of io_memory_take()
 */
struct memory {
	struct io io;
	struct queue in;
	struct queue out;
	uint8_t *lent[IO_BATCH];
	uint32_t n_lent;
	uint8_t *taken;
};

static int put(struct queue *q, const struct io_packet *p)
{
	struct io_packet *to = &q->v[(q->head + q->n) % IO_BATCH];
	uint8_t *copy;

	if (q->n == IO_BATCH)
		return -ENOBUFS;
	copy = malloc(MAX(p->len, 1u));
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, p->data, p->len);
	*to = *p;
	to->data = copy;
	q->n++;
	return 0;
}

static bool get(struct queue *q, struct io_packet *ret)
{
	if (q->n == 0)
		return false;
	*ret = q->v[q->head];
	q->head = (q->head + 1) % IO_BATCH;
	q->n--;
	return true;
}

static void free_lent(struct memory *m)
{
	while (m->n_lent > 0)
		free(m->lent[--m->n_lent]);
}

static int memory_open(const char *ifname, struct io **ret)
{
	struct memory *m = calloc(1, sizeof(*m));

	(void)ifname;
	if (m == NULL)
		return -ENOMEM;
	m->io.fd = -1;
	m->io.mtu_bytes = 1500;
	m->io.has_offload = true;
	*ret = &m->io;
	return 0;
}

static uint32_t memory_rx(struct io *io, struct io_packet *v, uint32_t max)
{
	struct memory *m = (struct memory *)io;
	uint32_t n = 0;

	free_lent(m);
	while (n < max && get(&m->in, &v[n]))
		m->lent[m->n_lent++] = v[n++].data;
	return n;
}

static void memory_tx(struct io *io, struct io_packet *v, uint32_t n)
{
	struct memory *m = (struct memory *)io;

	for (uint32_t i = 0; i < n; i++) {
		if (put(&m->out, &v[i]) == 0)
			io->n.tx++;
		else
			io->n.tx_refused++;
	}
}

static void memory_close(struct io *io)
{
	struct memory *m = (struct memory *)io;
	struct io_packet p;

	free_lent(m);
	free(m->taken);
	while (get(&m->in, &p) || get(&m->out, &p))
		free(p.data);
	free(m);
}

int io_memory_give(struct io *io, const struct io_packet *p)
{
	return put(&((struct memory *)io)->in, p);
}

int io_memory_take(struct io *io, struct io_packet *ret)
{
	struct memory *m = (struct memory *)io;

	free(m->taken);
	m->taken = NULL;
	if (!get(&m->out, ret))
		return -EAGAIN;
	m->taken = ret->data;
	return 0;
}

const struct io_ops io_memory_ops = {
	.name = "memory",
	.needs = "nothing",
	.costs = "a copy each way",
	.open = memory_open, .rx = memory_rx, .tx = memory_tx, .close = memory_close,
};
