/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * libpcap, for where nothing better is: it knows neither partial checksums nor
 * packets that stand for several, so whoever sends to us from this host has to
 * leave them off (ethtool -K IF tx off tso off); what comes undone all the same
 * has a wrong checksum, and there is no way to see that from here.  Immediate
 * mode, as without it every answer waits for a millisecond timer.
 */
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/calls.h"
#include "port/socket.h"

#define SLOT_BYTES	66048u
#define RING_BYTES	(8 << 20)
#define SLOTS		(IO_BATCH + 1)	/* the last one is for what is sent */

NEEDS_CALL(sendto)
NEEDS_CALL(poll)

/**
 * struct live - An open interface
 * @io:		What the others see
 * @pcap:	It
 * @slots:	Copies of what it gave; its own memory is gone with the next
 * @ready:	Packets in the slots so far
 * @n:		How many of them
 */
struct live {
	struct io io;
	pcap_t *pcap;
	uint8_t *slots;
	struct io_packet *ready;
	uint32_t n;
};

static void live_close(struct io *io)
{
	struct live *l = (struct live *)io;

	if (l->pcap != NULL)
		pcap_close(l->pcap);
	free(l->slots);
	free(l);
}

static int activate(struct live *l, const char *ifname)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	int status;

	l->pcap = pcap_create(ifname, text);
	if (l->pcap == NULL)
		return -ENOMEM;
	pcap_set_snaplen(l->pcap, (int)SLOT_BYTES);
	pcap_set_immediate_mode(l->pcap, 1);
	pcap_set_buffer_size(l->pcap, RING_BYTES);
	status = pcap_activate(l->pcap);
	if (status == PCAP_ERROR_PERM_DENIED)
		return -EPERM;
	if (status == PCAP_ERROR_NO_SUCH_DEVICE)
		return -ENODEV;
	if (status < 0)
		return -EIO;
	if (pcap_datalink(l->pcap) != DLT_EN10MB)
		return -EMEDIUMTYPE;
	if (pcap_setdirection(l->pcap, PCAP_D_IN) < 0 || pcap_setnonblock(l->pcap, 1, text) < 0)
		return -EOPNOTSUPP;
	return 0;
}

static int live_probe(void)
{
	CLEANUP(base_fd_close) int fd = socket_packet();

	return fd < 0 ? fd : 0;
}

static int live_open(const char *ifname, struct io **ret)
{
	CLEANUP(base_fd_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct live *l = calloc(1, sizeof(*l));
	int err;

	if (l == NULL)
		return -ENOMEM;
	l->io.fd = -1;
	l->slots = malloc((size_t)SLOTS * SLOT_BYTES);
	err = l->slots == NULL ? -ENOMEM : fd < 0 ? -errno : socket_link(fd, ifname, &l->io);
	if (err == 0)
		err = activate(l, ifname);
	if (err < 0) {
		live_close(&l->io);
		return err;
	}
	memset(l->slots, 0, (size_t)SLOTS * SLOT_BYTES);
	l->io.fd = pcap_get_selectable_fd(l->pcap);
	*ret = &l->io;
	return 0;
}

static void keep(u_char *arg, const struct pcap_pkthdr *h, const u_char *frame)
{
	struct live *l = (struct live *)(void *)arg;
	uint8_t *slot = l->slots + (size_t)l->n * SLOT_BYTES;

	if (h->caplen < h->len || h->caplen > SLOT_BYTES - IO_ETHER_BYTES) {
		l->io.n.rx_other++;
		return;
	}
	memcpy(slot, frame, h->caplen);
	l->n += socket_take(&l->io, slot, h->caplen, &l->ready[l->n]);
}

static uint32_t live_rx(struct io *io, struct io_packet *v, uint32_t max)
{
	struct live *l = (struct live *)io;

	l->ready = v;
	l->n = 0;
	/* An error is the interface's, which is down, as netlink tells */
	(void)pcap_dispatch(l->pcap, (int)max, keep, (u_char *)l);
	return l->n;
}

static void live_tx(struct io *io, struct io_packet *v, uint32_t n)
{
	struct live *l = (struct live *)io;
	uint8_t *frame = l->slots + (size_t)IO_BATCH * SLOT_BYTES;

	for (uint32_t i = 0; i < n; i++) {
		socket_ether(io, &v[i], frame);
		memcpy(frame + IO_ETHER_BYTES, v[i].data, v[i].len);
		if (pcap_inject(l->pcap, frame, IO_ETHER_BYTES + v[i].len) >= 0)
			io->n.tx++;
		else
			io->n.tx_refused++;
	}
}

const struct io_ops io_pcap_ops = {
	.name = "pcap",
	.needs = "CAP_NET_RAW, an Ethernet interface, senders without offloads",
	.costs = "a call and two copies for each packet, and small packets only",
	.is_own = true,
	.is_for_all = true,
	.probe = live_probe,
	.open = live_open, .rx = live_rx, .tx = live_tx, .close = live_close,
};
