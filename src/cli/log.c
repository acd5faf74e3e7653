/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * `log` rules send packets to an nflog group, with the action and the place of
 * the rule as the prefix.  libpcap listens to the group as to an interface, so a
 * capture is what tcpdump reads too.  Lines leave as they come: nothing waits for
 * the end, which is a signal or a count.
 */
#include <net/if.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/host.h"
#include "port/nflog.h"
#include "target/nft.h"

#define SNAP_BYTES	65535
#define WAIT_MS		200
#define FIRST_OUT_HOOK	2	/* forward, output and postrouting are the way out */

static pcap_t *listening;	/* for the signal handler */

struct log {
	struct cli *c;
	pcap_dumper_t *dump;
	uint32_t n;
	uint32_t limit;
};

static void stop(int signal)
{
	(void)signal;
	pcap_breakloop(listening);
}

static void catch_signals(void)
{
	const struct sigaction sa = { .sa_handler = stop };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

/* "block pf.conf:22" in its two words */
static void split_prefix(const struct nflog_packet *p, char *action, char *place, size_t size)
{
	const char *space = p->prefix == NULL ? NULL : memchr(p->prefix, ' ', p->prefix_len);
	const size_t n = space == NULL ? p->prefix_len : (size_t)(space - p->prefix);

	snprintf(action, size, "%.*s", (int)n, p->prefix != NULL ? p->prefix : "");
	place[0] = '\0';
	if (space != NULL)
		snprintf(place, size, "%.*s", (int)(p->prefix_len - n - 1), space + 1);
}

/* FreeBSD's name of the interface that is crossed */
static const char *iface_of(const struct nflog_packet *p, bool is_out, char *buf)
{
	const uint32_t ifindex = is_out ? p->out_ifindex : p->in_ifindex;

	if (ifindex == 0 || if_indextoname(ifindex, buf) == NULL)
		return "?";
	return facts_freebsd_name(buf);
}

static void time_text(const struct timeval *tv, char *buf, size_t size)
{
	struct tm tm;
	size_t n;

	localtime_r(&tv->tv_sec, &tm);
	n = strftime(buf, size, "%H:%M:%S", &tm);
	snprintf(buf + n, size - n, ".%06ld", (long)tv->tv_usec);
}

static void print_line(const struct pcap_pkthdr *h, const struct nflog_packet *p)
{
	const bool is_out = p->hook >= FIRST_OUT_HOOK;
	char action[128], place[128], when[32], ifname[IF_NAMESIZE];

	split_prefix(p, action, place, sizeof(action));
	time_text(&h->ts, when, sizeof(when));
	printf("%s rule %s(match): %s %s on %s: ", when, place, action, is_out ? "out" : "in",
	       iface_of(p, is_out, ifname));
	packet_print(p->data, p->len, stdout);
	putchar('\n');
}

static void print_object(struct log *l, const struct pcap_pkthdr *h,
			 const struct nflog_packet *p)
{
	const bool is_out = p->hook >= FIRST_OUT_HOOK;
	char action[128], place[128], ifname[IF_NAMESIZE], *colon;
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return;
	packet_print(p->data, p->len, out);
	fclose(out);
	split_prefix(p, action, place, sizeof(action));
	colon = strrchr(place, ':');
	if (colon != NULL)
		*colon = '\0';
	printf("%s{\"time\": %lld.%06ld, \"file\": ", l->n > 0 ? ",\n" : "",
	       (long long)h->ts.tv_sec, (long)h->ts.tv_usec);
	json_cstring(stdout, place);
	printf(", \"line\": %lu, \"action\": ", colon != NULL ? strtoul(colon + 1, NULL, 10) : 0);
	json_cstring(stdout, action);
	printf(", \"direction\": \"%s\", \"interface\": ", is_out ? "out" : "in");
	json_cstring(stdout, iface_of(p, is_out, ifname));
	fputs(", \"packet\": ", stdout);
	json_cstring(stdout, text);
	putchar('}');
}

static void take(u_char *arg, const struct pcap_pkthdr *h, const u_char *frame)
{
	struct log *l = (struct log *)arg;
	struct nflog_packet p;

	if (nflog_parse(frame, h->caplen, &p) < 0 || p.data == NULL)
		return;
	if (l->dump != NULL)
		pcap_dump((u_char *)l->dump, h, frame);
	else if (l->c->json)
		print_object(l, h, &p);
	else
		print_line(h, &p);
	fflush(stdout);
	if (++l->n == l->limit)
		pcap_breakloop(listening);
}

static int run(struct cli *c, struct log *l)
{
	const char *err = "";
	int n;

	if (c->write != NULL) {
		l->dump = pcap_dump_open(listening, c->write);
		if (l->dump == NULL)
			return cli_usage(c, "cannot write '%s': %s", c->write,
					 pcap_geterr(listening));
	}
	catch_signals();
	if (!c->quiet)
		fprintf(stderr, "listening to what log rules see\n");
	cli_stream(c);
	do {
		n = pcap_dispatch(listening, -1, take, (u_char *)l);
	} while (n >= 0);
	if (n == PCAP_ERROR)
		err = pcap_geterr(listening);
	if (l->dump != NULL)
		pcap_dump_close(l->dump);
	if (n != PCAP_ERROR)
		return 0;
	diag_add(&c->diags, DIAG_E1011, SPAN_NONE, "cannot go on listening: %s", err);
	return EX_OSERR;
}

/* What libpcap says as text, as an errno where that decides the exit status */
static int open_failed(struct cli *c, int status, const char *text)
{
	if (status == PCAP_ERROR_PERM_DENIED || strstr(text, "not permitted") != NULL)
		return cli_system(c, -EPERM, "listen to what log rules see");
	diag_add(&c->diags, DIAG_E1011, SPAN_NONE, "cannot listen to what log rules see: %s", text);
	return EX_UNAVAILABLE;
}

int verb_log(struct cli *c)
{
	struct log l = { .c = c, .limit = c->count };
	struct nft_options o;
	char text[PCAP_ERRBUF_SIZE] = "";
	int status = cli_netns(c);

	if (status != 0)
		return status;
	cli_nft_options(c, &o);
	listening = pcap_create(arena_printf(&c->arena, "nflog:%u", o.log_group), text);
	if (listening == NULL)
		return open_failed(c, 0, text);
	pcap_set_snaplen(listening, SNAP_BYTES);
	pcap_set_timeout(listening, WAIT_MS);
	status = pcap_activate(listening);
	if (status < 0)
		status = open_failed(c, status, pcap_geterr(listening));
	else
		status = run(c, &l);
	pcap_close(listening);
	return status;
}
