/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What pf tells of itself, in the form that programs read: every line that FreeBSD
 * prints is there.  What the kernel does not count here is 0, and what it does not
 * obey is what was declared; both are said on stderr, for people.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/pfctl.h"

/* ---- -s info --------------------------------------------------------------------- */

/* Since when, in the words of pf; the seconds, 0 where it is not known */
static int64_t status_line(const struct pfctl *p, char *line, size_t size)
{
	const int64_t s = p->run->since > 0 ? time(NULL) - p->run->since : 0;
	const char *word = pfctl_is_enabled(p) ? "Enabled" : "Disabled";

	if (p->run->since <= 0) {
		snprintf(line, size, "Status: %s", word);
		return 0;
	}
	snprintf(line, size, "Status: %s for %lld days %.2d:%.2d:%.2d", word,
		 (long long)(s / 86400), (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
	return s;
}

static void counter(struct pfctl *p, const char *name, uint64_t n, int64_t seconds)
{
	char rate[32] = "";

	if (seconds > 0)
		snprintf(rate, sizeof(rate), "%.1f/s", (double)n / (double)seconds);
	fprintf(p->c->out, "  %-25s %14llu %16s\n", name, (unsigned long long)n, rate);
}

/* All packets that rules have matched */
static uint64_t matches(struct pfctl *p)
{
	uint64_t n = 0;

	pfctl_read_counts(p);
	for (uint32_t i = 0; p->counts != NULL && i < p->counts->list.n; i++)
		if (!p->counts->list.v[i].is_forward)
			n += p->counts->list.v[i].packets;
	return n;
}

bool pfctl_show_info(struct pfctl *p)
{
	static const char *const states[] = { "searches", "inserts", "removals" };
	static const char *const reasons[] = {
		"bad-offset", "fragment", "short", "normalize", "memory", "bad-timestamp",
		"congestion", "ip-option", "proto-cksum", "state-mismatch", "state-insert",
		"state-limit", "src-limit", "synproxy", "map-failed",
	};
	FILE *out = p->c->out;
	const int64_t n = pfctl_count_states(p);
	char line[80];
	const int64_t seconds = status_line(p, line, sizeof(line));

	fprintf(out, "%-44s%15s\n\n", line, "Debug: Urgent");
	if (p->verbose > 0)
		fprintf(out, "Hostid:   0x%08x\nChecksum: 0x%032x\n\n", 0u, 0u);
	fprintf(out, "%-27s %14s %16s\n", "State Table", "Total", "Rate");
	fprintf(out, "  %-25s %14lld %14s\n", "current entries", (long long)MAX(n, 0), "");
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		counter(p, states[i], 0, seconds);
	fputs("Counters\n", out);
	counter(p, "match", matches(p), seconds);
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		counter(p, reasons[i], 0, seconds);
	pfctl_say(p, "pfctl: states and matches are counted here, what is 0 besides is not");
	return true;
}

/* ---- -s timeouts, -s memory ------------------------------------------------------- */

static uint32_t timeout_of(const struct pfctl *p, const char *name, uint32_t otherwise)
{
	const char *said;
	uint32_t seconds;

	for (uint32_t i = 0; p->d.pf != NULL && pf_timeout(p->d.pf, i, &said, &seconds); i++)
		if (seconds != 0 && strcmp(said, name) == 0)
			return seconds;
	return otherwise;
}

bool pfctl_show_timeouts(struct pfctl *p)
{
	static const struct { const char *name; uint32_t n; const char *unit; } rows[] = {
		{ "tcp.first", 120, "s" }, { "tcp.opening", 30, "s" },
		{ "tcp.established", 86400, "s" }, { "tcp.closing", 900, "s" },
		{ "tcp.finwait", 45, "s" }, { "tcp.closed", 90, "s" }, { "tcp.tsdiff", 30, "s" },
		{ "udp.first", 60, "s" }, { "udp.single", 30, "s" }, { "udp.multiple", 60, "s" },
		{ "icmp.first", 20, "s" }, { "icmp.error", 10, "s" }, { "other.first", 60, "s" },
		{ "other.single", 30, "s" }, { "other.multiple", 60, "s" }, { "frag", 30, "s" },
		{ "interval", 10, "s" }, { "adaptive.start", 60000, " states" },
		{ "adaptive.end", 120000, " states" }, { "src.track", 0, "s" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		fprintf(p->c->out, "%-20s %10u%s\n", rows[i].name,
			timeout_of(p, rows[i].name, rows[i].n), rows[i].unit);
	pfctl_say(p, "pfctl: so it is declared, or pf's default; connections here live as long as "
		  "net.netfilter.nf_conntrack_*_timeout* says");
	return true;
}

bool pfctl_show_memory(struct pfctl *p)
{
	static const struct { const char *name; uint32_t n; } rows[] = {
		{ "states", 100000 }, { "src-nodes", 10000 }, { "frags", 5000 },
		{ "table-entries", 200000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint32_t said = p->d.pf != NULL ? pf_limit(p->d.pf, rows[i].name) : 0;

		fprintf(p->c->out, "%-13s hard limit %8u\n", rows[i].name,
			said != 0 ? said : rows[i].n);
	}
	pfctl_say(p, "pfctl: so it is declared, or pf's default; the limit here is "
		  "net.netfilter.nf_conntrack_max");
	return true;
}

/* ---- -s Interfaces, -s Running ----------------------------------------------------- */

struct kif {
	const char *name;
	bool is_skipped;
};

static int kif_cmp(const void *x, const void *y)
{
	return strcmp(((const struct kif *)x)->name, ((const struct kif *)y)->name);
}

static bool is_skipped(const struct pfctl *p, const struct iface *i)
{
	return p->d.model.skipped != NULL && set_has(p->d.model.skipped, AF_NONE, i->id);
}

/* Groups are interfaces to pf, and "all" is one */
bool pfctl_show_interfaces(struct pfctl *p)
{
	static const char *const groups[] = { "all", "egress", "lo" };
	const struct facts *f = &p->d.facts;
	struct kif *v = arena_array(&p->c->arena, struct kif, f->ifaces.n + ARRAY_SIZE(groups));
	uint32_t n = 0;

	if (p->verbose > 0)
		pfctl_read_counts(p);
	for (uint32_t i = 0; i < f->ifaces.n; i++)
		v[n++] = (struct kif){ f->ifaces.v[i].name, is_skipped(p, &f->ifaces.v[i]) };
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (i == 0 || facts_is_group(f, groups[i]))
			v[n++] = (struct kif){ .name = groups[i] };
	qsort(v, n, sizeof(*v), kif_cmp);
	for (uint32_t i = 0; i < n; i++)
		if (p->iface == NULL || strcmp(p->iface, v[i].name) == 0)
			fprintf(p->c->out, "%s%s\n", v[i].name,
				p->verbose > 0 && v[i].is_skipped ? " (skip)" : "");
	return true;
}

bool pfctl_show_running(struct pfctl *p)
{
	fputs(pfctl_is_enabled(p) ? "Enabled\n" : "Disabled\n", p->c->out);
	p->status = pfctl_is_enabled(p) ? 0 : PFCTL_FAILED;
	return true;
}
