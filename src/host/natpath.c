/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A policy rule `from JAILNET` leads to a table of our own.  There stands what
 * the main table says, with the device in the place of the outside interface;
 * routes by other interfaces become `throw`, so that the main table decides.
 * Behind each route to the device stands the same one as unreachable: the device
 * goes with the process, however that ends, and what is left must not leak.
 */
#include "host/natpath.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "host/sysctl.h"
#include "nl/rtnl_rule.h"
#include "nl/rtnl_veth.h"
#include "target/nft.h"

#define METRIC_LAST	0x7fffffffu
#define RESERVED	"/proc/sys/net/ipv4/ip_local_reserved_ports"
#define LOCK_NAME	"nat-lock"
#define TEXT_BYTES	(NATPATH_PORTS * 6u)

int natpath_lock(const struct state *st, uint32_t wait_seconds)
{
	static const struct timespec moment = { .tv_nsec = 20000000 };
	CLEANUP(base_fd_close) int fd = openat(st->dir_fd, LOCK_NAME,
					       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	for (uint32_t left = wait_seconds * 50; flock(fd, LOCK_EX | LOCK_NB) < 0; left--) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (left == 0)
			return -EBUSY;
		(void)nanosleep(&moment, NULL);
	}
	return base_take_fd(&fd);
}

bool natpath_runs(const struct state *st)
{
	CLEANUP(base_fd_close) int fd = natpath_lock(st, 0);

	return fd == -EBUSY;
}

static int talk(struct nl_session *s, struct nlmsghdr *msg)
{
	return nl_talk(s, msg, NULL, NULL);
}

/* What is there already is as good: rules are read anew, and two routes can be one `throw` */
static int add(struct nl_session *s, struct nlmsghdr *msg)
{
	const int err = talk(s, msg);

	return err == -EEXIST ? 0 : err;
}

static int add_way(struct nl_session *s, struct rtnl_way w)
{
	struct rtnl_msg m;

	return add(s, rtnl_msg_way_add(&m, NATPATH_TABLE, &w));
}

static int copy_way(struct nl_session *s, const struct natpath *p, const struct rtnl_way *w)
{
	struct rtnl_way ours = { .dst = w->dst, .metric = w->metric, .kind = RTNL_WAY_THROW };
	int err;

	if (w->kind == RTNL_WAY_OUT && w->ifindex == p->outside_index) {
		ours.kind = RTNL_WAY_OUT;
		ours.ifindex = p->tun_index;
	}
	err = add_way(s, ours);
	if (err < 0 || ours.kind != RTNL_WAY_OUT)
		return err;
	ours.kind = RTNL_WAY_NOWHERE;
	ours.metric = METRIC_LAST;
	return add_way(s, ours);
}

static int copy_table(struct nl_session *s, const struct natpath *p, uint8_t af, struct arena *a)
{
	struct rtnl_ways ways;
	int err = rtnl_ways_read(s, af, RTNL_MAIN_TABLE, a, &ways);

	for (uint32_t i = 0; i < ways.list.n && err == 0; i++)
		err = copy_way(s, p, &ways.list.v[i]);
	return err;
}

static bool has_family(const struct natpath *p, uint8_t af)
{
	for (uint32_t i = 0; i < p->n_inside; i++)
		if (p->inside[i].a.af == af)
			return true;
	return false;
}

/*
 * A hairpinned packet comes back with one of the host's own addresses as its source,
 * from where no route leads back to: permitted on a link with an address.  This one
 * is nobody's (RFC 7600).
 */
static int accept_own(struct nl_session *s, const struct natpath *p, struct arena *a)
{
	const struct rtnl_addr nobody = {
		.p = { { AF_V4, 0xc0000008u }, 32 }, .ifindex = p->tun_index,
	};
	struct rtnl_msg m;
	int err = sysctl_write(arena_printf(a, "net/ipv4/conf/%s/accept_local", p->tun), "1");

	if (err == 0)
		err = sysctl_write(arena_printf(a, "net/ipv4/conf/%s/rp_filter", p->tun), "2");
	return err == 0 ? add(s, rtnl_msg_addr_add(&m, &nobody)) : err;
}

static int set_device_up(struct nl_session *s, const struct natpath *p, struct arena *a)
{
	struct rtnl_msg m;
	int err = talk(s, rtnl_msg_link_mark(&m, p->tun_index, true));

	if (err == -EAFNOSUPPORT)	/* this kernel has no IPv6 */
		err = talk(s, rtnl_msg_link_mark(&m, p->tun_index, false));
	if (err == 0)
		err = talk(s, rtnl_msg_link_mtu(&m, p->tun_index, p->mtu_bytes));
	/* Applied rules know it by that, and leave its packets to the NAT */
	if (err == 0)
		err = talk(s, rtnl_msg_link_group(&m, p->tun_index, NFT_LED_GROUP));
	if (err == 0)
		err = accept_own(s, p, a);
	return err == 0 ? talk(s, rtnl_msg_link_set_up(&m, p->tun_index, true)) : err;
}

int natpath_up(struct nl_session *s, const struct natpath *p, struct arena *a)
{
	static const uint8_t families[] = { AF_V4, AF_V6 };
	struct rtnl_msg m;
	int err = set_device_up(s, p, a);

	for (size_t i = 0; i < ARRAY_SIZE(families) && err == 0; i++)
		if (has_family(p, families[i]))
			err = copy_table(s, p, families[i], a);
	for (uint32_t i = 0; i < p->n_inside && err == 0; i++)
		err = add(s, rtnl_msg_rule_add(&m, p->inside[i], NATPATH_TABLE, NATPATH_TABLE));
	return err;
}

static int take_down(struct nl_session *s, uint8_t af, struct arena *a)
{
	struct rtnl_ways ways;
	struct rtnl_msg m;
	int err;

	do {
		err = talk(s, rtnl_msg_rule_del(&m, af, NATPATH_TABLE));
	} while (err == 0);
	if (err != -ENOENT && err != -EAFNOSUPPORT)
		return err;
	err = rtnl_ways_read(s, af, NATPATH_TABLE, a, &ways);
	for (uint32_t i = 0; i < ways.list.n && err == 0; i++) {
		if (ways.list.v[i].kind == RTNL_WAY_OTHER)
			continue;
		err = talk(s, rtnl_msg_way_del(&m, NATPATH_TABLE, &ways.list.v[i]));
		/* Gone with the device meanwhile */
		if (err == -ESRCH || err == -ENODEV)
			err = 0;
	}
	return err;
}

int natpath_down(struct nl_session *s, struct arena *a)
{
	const int err = take_down(s, AF_V4, a), err6 = take_down(s, AF_V6, a);

	return err < 0 ? err : err6;
}

/* ---- ports --------------------------------------------------------------------- */

static bool has_port(const uint8_t *map, uint32_t port)
{
	return (map[port / 8] >> (port % 8) & 1) != 0;
}

/* "8080,50001-65535" as a bitmap; what is not understood ends it */
static void parse_ports(const char *text, uint8_t *map)
{
	char *end;

	while (*text != '\0') {
		const unsigned long lo = strtoul(text, &end, 10);
		unsigned long hi = lo;

		if (end == text)
			return;
		if (*end == '-')
			hi = strtoul(end + 1, &end, 10);
		for (unsigned long i = lo; i <= hi && i < NATPATH_PORTS; i++)
			map[i / 8] |= (uint8_t)(1u << (i % 8));
		text = *end == ',' ? end + 1 : end;
	}
}

static char *print_ports(const uint8_t *map, struct arena *a)
{
	char *text = arena_alloc(a, TEXT_BYTES);
	size_t n = 0;

	for (uint32_t lo = 0, hi; lo < NATPATH_PORTS; lo = hi + 1) {
		hi = lo;
		if (!has_port(map, lo))
			continue;
		while (hi + 1 < NATPATH_PORTS && has_port(map, hi + 1))
			hi++;
		n += (size_t)snprintf(text + n, TEXT_BYTES - n, hi > lo ? "%s%u-%u" : "%s%u",
				      n > 0 ? "," : "", lo, hi);
	}
	return text;
}

static int read_reserved(uint8_t *map, struct arena *a)
{
	CLEANUP(base_fd_close) int fd = open(RESERVED, O_RDONLY | O_CLOEXEC);
	char *text = arena_alloc(a, TEXT_BYTES);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, TEXT_BYTES - 1);
	if (n < 0)
		return -errno;
	parse_ports(text, map);
	return 0;
}

static int write_reserved(const uint8_t *map, struct arena *a)
{
	CLEANUP(base_fd_close) int fd = open(RESERVED, O_WRONLY | O_CLOEXEC);
	const char *text = print_ports(map, a);
	/* Nothing at all is said by an empty line */
	const size_t len = text[0] != '\0' ? strlen(text) : 1;

	if (fd < 0)
		return -errno;
	return write(fd, text[0] != '\0' ? text : "\n", len) == (ssize_t)len ? 0 : -EIO;
}

bool natpath_is_reserved(const uint8_t *ports, struct arena *a, const char **ret_missing)
{
	uint8_t *have = arena_alloc(a, NATPATH_MAP_BYTES);

	if (read_reserved(have, a) < 0)
		memset(have, 0, NATPATH_MAP_BYTES);
	for (uint32_t i = 0; i < NATPATH_MAP_BYTES; i++)
		have[i] = ports[i] & (uint8_t)~have[i];
	*ret_missing = print_ports(have, a);
	return (*ret_missing)[0] == '\0';
}

int natpath_reserve(struct state *st, const char *name, const uint8_t *ports, struct arena *a)
{
	uint8_t *have = arena_alloc(a, NATPATH_MAP_BYTES);
	uint8_t *added = arena_alloc(a, NATPATH_MAP_BYTES);
	const char *text;
	int err = natpath_release(st, name, a);

	if (err == 0)
		err = read_reserved(have, a);
	if (err < 0)
		return err;
	for (uint32_t i = 0; i < NATPATH_MAP_BYTES; i++) {
		added[i] = ports[i] & (uint8_t)~have[i];
		have[i] |= ports[i];
	}
	text = print_ports(added, a);
	if (text[0] == '\0')
		return 0;
	err = state_write(st, name, text, strlen(text));
	return err == 0 ? write_reserved(have, a) : err;
}

int natpath_release(struct state *st, const char *name, struct arena *a)
{
	uint8_t *have = arena_alloc(a, NATPATH_MAP_BYTES);
	uint8_t *added = arena_alloc(a, NATPATH_MAP_BYTES);
	size_t len;
	char *text;
	int err = state_read(st, name, a, &text, &len);

	if (err == -ENOENT)
		return 0;
	if (err == 0)
		err = read_reserved(have, a);
	if (err < 0)
		return err;
	parse_ports(text, added);
	for (uint32_t i = 0; i < NATPATH_MAP_BYTES; i++)
		have[i] &= (uint8_t)~added[i];
	err = write_reserved(have, a);
	return err == 0 ? state_remove(st, name) : err;
}
