/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names - protocols, services and ICMP types by name
 *
 * Own tables with the names that FreeBSD users write: Debian's lack some
 * (icmp6, natd), and what a ruleset means must not depend on the host's
 * /etc/services.
 *
 * Does not:	 read files or ask a resolver.
 * Normative:	 IANA registries; icmp names as in FreeBSD's pf.conf(5).
 */
#ifndef NET_NAMES_H
#define NET_NAMES_H

#include "base/base.h"

#define PROTO_ICMP	1u
#define PROTO_TCP	6u
#define PROTO_UDP	17u
#define PROTO_GRE	47u
#define PROTO_ESP	50u
#define PROTO_AH	51u
#define PROTO_ICMP6	58u
#define PROTO_SCTP	132u
#define PROTO_UDPLITE	136u

#define TCP_FLAG_FIN	0x01u
#define TCP_FLAG_SYN	0x02u
#define TCP_FLAG_RST	0x04u
#define TCP_FLAG_PSH	0x08u
#define TCP_FLAG_ACK	0x10u
#define TCP_FLAG_URG	0x20u
#define TCP_FLAG_ECE	0x40u
#define TCP_FLAG_CWR	0x80u

/* Options of IPv4 that rules test, and a mask of them all */
#define IP_OPTION_LSRR	0x01u
#define IP_OPTION_SSRR	0x02u
#define IP_OPTION_RR	0x04u
#define IP_OPTIONS_ALL	0x07u

#define FLOW_LABEL_MAX	0xfffffu

#define TOS_ECN		0x03u	/* bits of the type of service that routers set */

/**
 * proto_parse() - A protocol by name or number
 * @s:		"tcp", "icmp6", "ipv6-icmp", "47"
 * @len:	Its length
 *
 * Return: 0..255, or -ENOENT
 */
int proto_parse(const char *s, size_t len);

/** proto_name() - The usual name of a protocol, or NULL */
const char *proto_name(uint8_t proto);

/** proto_has_ports() - TCP, UDP, UDP-Lite or SCTP */
bool proto_has_ports(uint8_t proto);

/**
 * service_parse() - A port by service name or number
 * @s:		"http", "80"
 * @len:	Its length
 *
 * Return: 0..65535; -ERANGE for a number above; -ENOENT for an unknown name
 */
int service_parse(const char *s, size_t len);

/**
 * service_name() - The name that FreeBSD prints for a port
 * @proto:	PROTO_TCP or PROTO_UDP
 * @port:	Port
 *
 * Return: the first name of the port in FreeBSD's list, or NULL
 */
const char *service_name(uint8_t proto, uint16_t port);

/** service_names() - All service names, NULL after the last */
const char *const *service_names(void);

/**
 * icmp_type_parse() - An ICMP type by pf's name or number
 * @v6:		ICMPv6 and not ICMP
 * @s:		"echoreq", "unreach", "8"
 * @len:	Its length
 *
 * Return: 0..255, or -ENOENT
 */
int icmp_type_parse(bool v6, const char *s, size_t len);

/**
 * icmp_code_parse() - An ICMP code by pf's name or number
 * @v6:		ICMPv6 and not ICMP
 * @type:	The type it is a code of
 * @s:		"port-unr", "3"
 * @len:	Its length
 *
 * Return: 0..255, or -ENOENT
 */
int icmp_code_parse(bool v6, uint8_t type, const char *s, size_t len);

/** icmp_code_name() - pf's name of an ICMP code of a type, or NULL */
const char *icmp_code_name(bool v6, uint8_t type, uint8_t code);

/** icmp_type_name() - pf's name of an ICMP type, or NULL */
const char *icmp_type_name(bool v6, uint8_t type);

/**
 * tcp_flags_parse() - Flag letters of "FSRPAUEW"
 * @s:		Text, may be empty
 * @len:	Its length
 *
 * Return: the flag byte, or -EINVAL
 */
int tcp_flags_parse(const char *s, size_t len);

#endif /* NET_NAMES_H */
