/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nflog - packets that `log` rules saw
 *
 * Takes apart what libpcap gives of an nflog group: the packet, where it was, and
 * the words of the rule.
 *
 * Owns:	 nothing.
 * Does not:	 open anything; whatever the bytes are, it reads only within them.
 * Byte order:	 of attributes the host's, of the packet the wire's.
 * Threads:	 none.
 * Normative:	 LINKTYPE_NFLOG; include/uapi/linux/netfilter/nfnetlink_log.h.
 */
#ifndef PORT_NFLOG_H
#define PORT_NFLOG_H

#include <stdio.h>

#include "base/base.h"

/**
 * struct nflog_packet - A packet of an nflog group
 * @prefix:	Words of the rule, not NUL-terminated; NULL: none
 * @prefix_len:	Their length
 * @data:	The packet from its IP header on; NULL: none
 * @len:	Its length, bytes
 * @hook:	Netfilter hook, or -1
 * @in_ifindex:	Interface that it came in by, or 0
 * @out_ifindex: Interface that it goes out by, or 0
 */
struct nflog_packet {
	const char *prefix;
	uint32_t prefix_len;
	const uint8_t *data;
	uint32_t len;
	int32_t hook;
	uint32_t in_ifindex;
	uint32_t out_ifindex;
};

/**
 * nflog_parse() - Take a record apart
 * @frame:	Record
 * @len:	Its length, bytes
 * @ret:	Set on success; points into @frame
 *
 * Return: 0, or -EBADMSG
 */
MUST_USE int nflog_parse(const uint8_t *frame, size_t len, struct nflog_packet *ret);

/**
 * packet_print() - A packet as tcpdump -n prints it
 * @data:	From its IP header on
 * @len:	Length, bytes
 * @out:	Where to
 *
 * Addresses, ports, TCP flags and numbers, ICMP types, lengths; what is cut
 * off is said in brackets.
 */
void packet_print(const uint8_t *data, size_t len, FILE *out);

#endif /* PORT_NFLOG_H */
