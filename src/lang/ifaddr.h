/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ifaddr - addresses as ifconfig(8) and network.subr(8) take them
 *
 * "ADDRESS[/LENGTH] [PEER] [netmask M] [prefixlen N] [other words]", shared by
 * jail.conf's ip4.addr and rc.conf's ifconfig_*.
 *
 * Does not:	 know interfaces, or act on other words than those.
 * Normative:	 ifconfig(8); rc.conf(5), ranges.
 */
#ifndef LANG_IFADDR_H
#define LANG_IFADDR_H

#include "lang/text.h"
#include "net/addr.h"

/**
 * struct ifaddr_rules - What a language allows
 * @bad_addr:	Code for a bad address
 * @bad_len:	Code for a bad length or netmask
 * @bad_range:	Code for a bad range, where @may_range
 * @no_mask:	Code for an IPv4 address without length; unused if
 *		@default_full
 * @may_range:	"2-6" in one part of the address makes several
 * @default_full: Without length it is that of the address; else as ifconfig:
 *		the class's for IPv4, 64 for IPv6
 * @max_addrs:	Most addresses in the list
 * @too_many:	Code for more
 */
struct ifaddr_rules {
	enum diag_code bad_addr;
	enum diag_code bad_len;
	enum diag_code bad_range;
	enum diag_code no_mask;
	bool may_range;
	bool default_full;
	uint32_t max_addrs;
	enum diag_code too_many;
};

/**
 * struct ifaddr - One address
 * @p:		Address and length
 * @peer:	Other end, or AF_NONE
 * @at:		Where it was written
 */
struct ifaddr {
	struct prefix p;
	struct addr peer;
	struct span at;
};

struct ifaddr_list {
	VEC(struct ifaddr) list;
};

struct ifaddr_words {
	VEC(struct text_word) list;
};

/**
 * ifaddr_parse() - Read an address and the words that belong to it
 * @c:		Context; errors are told
 * @r:		Rules
 * @af:		AF_V4 or AF_V6
 * @t:		Value
 * @lo:		First byte
 * @hi:		Byte after the last
 * @out:	Addresses are added
 * @other:	Words that are no business of an address are added, or NULL
 *
 * Return: true; false after an error
 */
bool ifaddr_parse(struct lang_ctx *c, const struct ifaddr_rules *r, uint8_t af,
		  const struct text *t, uint32_t lo, uint32_t hi, struct ifaddr_list *out,
		  struct ifaddr_words *other);

/**
 * ifname_is_good() - May an interface have this name
 * @s:		Name
 * @len:	Its length
 */
bool ifname_is_good(const char *s, size_t len);

#endif /* LANG_IFADDR_H */
