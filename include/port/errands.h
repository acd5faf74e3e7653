/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errands - packets from worker to worker
 *
 * Each worker has a socket that all others write to.
 *
 * Owns:	 descriptors, and memory for one packet.
 * Does not:	 wait: what there is no room for is lost and counted, as on any link.
 * Byte order:	 host order: nothing leaves the host.
 * Threads:	 a struct errands belongs to one worker.
 */
#ifndef PORT_ERRANDS_H
#define PORT_ERRANDS_H

#include "nat/share.h"
#include "port/io.h"

#define ERRANDS_WORKERS	16u

/**
 * struct errands - Ways to and from the other workers
 * @from:	Where packets for this worker come
 * @to:		Where those for each worker go; -1: there is none
 * @lost:	Packets that there was no room for
 * @buf:	Of the packet that was read last
 */
struct errands {
	int from;
	int to[ERRANDS_WORKERS];
	uint64_t lost;
	uint8_t *buf;
};

/**
 * errands_make() - Sockets for all workers, before they part
 * @ends:	Set on success: where each of them reads
 * @n_workers:	How many
 * @ret:	Set on success, but for errands.from
 *
 * Return: 0 or a negative errno
 */
MUST_USE int errands_make(int ends[ERRANDS_WORKERS], uint32_t n_workers, struct errands *ret);

/**
 * errands_send() - Hand a packet over
 * @e:		Ways
 * @worker:	To whom
 * @from:	Side that the packet is from
 * @p:		Packet
 * @errand:	What goes with it
 */
void errands_send(struct errands *e, uint32_t worker, enum nat_side from,
		  const struct io_packet *p, const struct nat_errand *errand);

/**
 * errands_get() - What another worker has handed over
 * @e:		Ways
 * @ret_from:	Set on success
 * @ret:	Set: it stays until the next call
 * @ret_errand:	Set
 *
 * Return: whether there was anything
 */
bool errands_get(struct errands *e, enum nat_side *ret_from, struct io_packet *ret,
		 struct nat_errand *ret_errand);

#endif /* PORT_ERRANDS_H */
