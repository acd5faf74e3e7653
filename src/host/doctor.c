/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/doctor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNTRACK_FULL_PERCENT 80u	/* from here on a burst fills the table */
#define CONF_BYTES (1u << 20)		/* of a file that is looked through */

/* What several declarations suffer from is one finding, at the first of them */
static void add_once(struct doctor *x, const struct doctor_finding *f)
{
	for (uint32_t i = 0; i < x->found.n; i++)
		if (strcmp(x->found.v[i].object, f->object) == 0)
			return;
	doctor_add(x, f);
}

/* Is an interface there; a cloned loopback that is not is told of as drift */
static bool is_there(const struct doctor *x, uint32_t id)
{
	const char *name = intern_name(x->m->names, id);
	const struct iface *i = facts_find(x->facts, name);

	return i == NULL ? facts_is_loopback_name(name) : i->is_live || i->kind != IFACE_REAL;
}

static void check_iface(struct doctor *x, const struct rule *r, uint32_t id)
{
	if (is_there(x, id))
		return;
	add_once(x, &(struct doctor_finding){
		.object = arena_printf(x->a, "interface %s", intern_name(x->m->names, id)),
		.what = "it is not there: nothing is translated on it",
		.cure = "write a name that `ip link` shows", .at = r->origin.at });
}

static void check_rule_ifaces(struct doctor *x, const struct rule *r)
{
	const struct set *on = rule_tests(r, F_IFACE);

	/* On all but some it needs none of them */
	if (on == NULL || set_has(on, AF_NONE, UINT32_MAX))
		return;
	for (uint32_t i = 0; i < on->n; i++)
		for (u128 id = on->r[i].lo; id <= on->r[i].hi; id++)
			check_iface(x, r, (uint32_t)id);
}

/* Interfaces that rules translate on */
static int check_ifaces(struct doctor *x)
{
	for (uint32_t l = 0; l < x->m->lists.n; l++) {
		const struct rule_list *list = &x->m->lists.v[l];

		for (uint32_t i = 0; i < list->rules.n; i++) {
			const struct rule *r = &list->rules.v[i];

			if (r->origin.policy == POLICY_NONE &&
			    rule_has_effect(r, EF_TRANSLATE) != NULL)
				check_rule_ifaces(x, r);
		}
	}
	return 0;
}

/* Outside addresses that no interface has, nor rc.conf; they may be routed here all the same */
static int check_addrs(struct doctor *x)
{
	struct addr last = { AF_NONE, 0 };

	for (uint32_t i = 0; i < x->forwards.n; i++) {
		const struct doctor_forward *f = &x->forwards.v[i];
		const bool is_v4 = f->to.af == AF_V4;
		const char *by = x->facts->default_if[!is_v4];
		char text[ADDR_TEXT_BYTES];

		if (f->to.af == AF_NONE || addr_equal(f->to, last) ||
		    facts_is_own(x->facts, f->to))
			continue;
		last = f->to;
		add_once(x, &(struct doctor_finding){
			.object = arena_printf(x->a, "address %s", addr_print(f->to, text)),
			.what = "no interface has it: its forwards get only what a router sends "
				"here",
			.cure = by == NULL ? NULL :
				arena_printf(x->a, "ip address add %s/%u dev %s", text,
					     is_v4 ? 32u : 128u, facts_linux_name(by)),
			.at = f->at, .is_note = true });
	}
	return 0;
}

static bool has_vnet(const struct doctor *x)
{
	for (uint32_t i = 0; i < x->d->jails.n; i++)
		if (x->d->jails.v[i].is_vnet && x->d->jails.v[i].is_enabled)
			return true;
	return false;
}

/* A setting as a number; -1: there is none */
static int64_t setting(struct doctor *x, const char *path)
{
	const char *value;

	return sysctl_read(path, x->a, &value) == 0 ? strtoll(value, NULL, 10) : -1;
}

static int check_forwarding(struct doctor *x)
{
	const struct { bool wanted; const char *path; struct span at; } rows[] = {
		{ x->d->gateway == 1 || has_vnet(x), "net/ipv4/ip_forward", x->d->gateway_at[0] },
		{ x->d->gateway6 == 1, "net/ipv6/conf/all/forwarding", x->d->gateway_at[1] },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *name = sysctl_name(rows[i].path, x->a);

		if (!rows[i].wanted || setting(x, rows[i].path) != 0)
			continue;
		doctor_add(x, &(struct doctor_finding){
			.object = arena_printf(x->a, "sysctl %s", name),
			.what = "it is 0: packets are not forwarded",
			.cure = "sallyport apply", .at = rows[i].at });
	}
	return 0;
}

static bool is_bridged(const struct doctor *x)
{
	for (uint32_t i = 0; i < x->d->jails.n; i++) {
		const struct decl_jail *j = &x->d->jails.v[i];

		if (j->is_enabled && !j->is_down && j->is_vnet && j->vnet.bridge != NULL)
			return true;
	}
	return false;
}

/* A bridge's frames as packets of the host: its rules see them, and its memory is theirs */
static int check_bridge_calls(struct doctor *x)
{
	static const char *const paths[] = {
		"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths) && is_bridged(x); i++) {
		const char *name = sysctl_name(paths[i], x->a);

		if (setting(x, paths[i]) != 1)
			continue;
		doctor_add(x, &(struct doctor_finding){
			.object = arena_printf(x->a, "sysctl %s", name),
			.what = "it is 1: what crosses a bridge between jails meets the host's "
				"rules, and its fragments wait in the host's own store, which "
				"strangers can fill",
			.cure = arena_printf(x->a, "sysctl -w %s=0", name), .at = SPAN_NONE,
			.is_note = true });
	}
	return 0;
}

static int check_rp_filter(struct doctor *x)
{
	const int64_t all = setting(x, "net/ipv4/conf/all/rp_filter");

	for (uint32_t i = 0; i < x->facts->ifaces.n; i++) {
		const struct iface *ifp = &x->facts->ifaces.v[i];
		const char *path = arena_printf(x->a, "net/ipv4/conf/%s/rp_filter", ifp->name);
		int64_t own;

		if (ifp->kind != IFACE_REAL || strlen(path) >= SYSCTL_PATH_BYTES)
			continue;
		own = setting(x, path);
		/* the kernel takes the larger of the two; 1 is strict, 2 is loose */
		if (own < 0 || MAX(own, all) != 1)
			continue;
		doctor_add(x, &(struct doctor_finding){
			.object = arena_printf(x->a, "sysctl %s", sysctl_name(path, x->a)),
			.what = "it is strict: what comes in another way than answers go is "
				"dropped",
			.cure = arena_printf(x->a, "sysctl -w net.ipv4.conf.%s.rp_filter=2",
					     ifp->name), .is_note = true });
	}
	return 0;
}

void doctor_conntrack(struct doctor *x, int64_t n, int64_t max)
{
	if (n < 0 || max <= 0 || n * 100 < max * CONNTRACK_FULL_PERCENT)
		return;
	doctor_add(x, &(struct doctor_finding){
		.object = "sysctl net.netfilter.nf_conntrack_max",
		.what = arena_printf(x->a, "%lld of %lld connections are in use: new ones will be "
				     "dropped", (long long)n, (long long)max),
		.cure = arena_printf(x->a, "sysctl -w net.netfilter.nf_conntrack_max=%lld",
				     (long long)max * 2) });
}

static int check_conntrack(struct doctor *x)
{
	doctor_conntrack(x, setting(x, "net/netfilter/nf_conntrack_count"),
			 setting(x, "net/netfilter/nf_conntrack_max"));
	return 0;
}

/* A whole small file, NUL after it; NULL: there is none that can be read */
static char *read_file(struct doctor *x, const char *path)
{
	char *text = NULL;
	ssize_t n;
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return NULL;
	text = arena_alloc(x->a, CONF_BYTES + 1);
	n = read(fd, text, CONF_BYTES);
	close(fd);
	if (n < 0)
		return NULL;
	text[n] = '\0';
	return text;
}

/* Does a line say `flush ruleset`, before any comment */
static bool line_flushes(const char *line)
{
	line += strspn(line, " \t");
	if (strncmp(line, "flush", 5) != 0)
		return false;
	line += 5;
	line += strspn(line, " \t");
	return strncmp(line, "ruleset", 7) == 0;
}

/* Debian's stock file flushes; it is read only where its service is enabled, or by hand */
static int check_flush(struct doctor *x)
{
	const char *path = arena_printf(x->a, "%s/etc/nftables.conf", x->root);
	const char *unit = arena_printf(x->a, "%s/etc/systemd/system/sysinit.target.wants/"
					"nftables.service", x->root);
	const bool is_enabled = faccessat(AT_FDCWD, unit, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	const char *text = read_file(x, path);

	for (uint32_t n = 1; text != NULL && *text != '\0'; n++) {
		const char *end = strchr(text, '\n');

		if (line_flushes(text))
			doctor_add(x, &(struct doctor_finding){
				.object = arena_printf(x->a, "%s:%u: flush ruleset", path, n),
				.what = is_enabled ? "a restart of nftables.service removes all "
					"packet rules, ours too" :
					"who loads this file removes all packet rules, ours too",
				.cure = "write 'table inet filter' and 'delete table inet filter' "
					"there instead, for each of its own tables",
				.is_note = !is_enabled });
		text = end == NULL ? "" : end + 1;
	}
	return 0;
}

/* Rules of the older interface, which cannot be read the same way */
static int check_legacy(struct doctor *x)
{
	static const char *const names[] = { "ip_tables_names", "ip6_tables_names" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text = read_file(x, arena_printf(x->a, "/proc/thread-self/net/%s",
							     names[i]));

		if (text != NULL && *text != '\0')
			doctor_add(x, &(struct doctor_finding){
				.object = arena_printf(x->a, "legacy iptables (%s)", names[i]),
				.what = "its rules may drop packets and are not looked through",
				.cure = i == 0 ? "iptables-legacy -S" : "ip6tables-legacy -S",
				.is_note = true });
	}
	return 0;
}

int doctor_run(struct doctor *x)
{
	static int (*const checks[])(struct doctor *x) = {
		check_ifaces, check_addrs, doctor_chains, doctor_sockets, check_forwarding,
		check_bridge_calls, check_rp_filter, check_conntrack, check_flush, check_legacy,
	};
	int err = 0;

	doctor_find_forwards(x);
	for (size_t i = 0; i < ARRAY_SIZE(checks) && err == 0; i++)
		err = checks[i](x);
	return err;
}
