/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * People search for what pfctl says, and scripts match it.  Our own message
 * says more, so the two stand side by side: a row gives, for a code and, where
 * one code has several messages, for a part of ours, what pfctl says of the
 * same mistake.  "%1" is the first thing in quotes of our message, "%n" its
 * first number.
 *
 * What pfctl's grammar catches is "syntax error"; what only we find (a
 * construct that is not in this version, a limit) is said in our words.
 */
#include <ctype.h>
#include <string.h>

#include "lang/pf.h"

#define HOST	"could not parse host specification"
#define ORDER	"Rules must be in order: options, normalization, queueing, translation, filtering"

/* What pfctl adds */
#define NO_ADDR	0x1u	/* before it, without a place: "no IP address found for ..." */
#define SKIPS	0x2u	/* behind it: it skips the rule, and then nothing is left of it */

static const struct row {
	enum diag_code code;
	const char *part;	/* of our message; NULL: any */
	const char *text;	/* NULL: our own */
	unsigned int adds;
} rows[] = {
	{ DIAG_E1001, "cannot read", "failed to include file %1", 0 },
	{ DIAG_E1101, "divert-reply", "divert-reply has no meaning in FreeBSD pf(4)", 0 },
	{ DIAG_E1101, "says twice what state", "modulate or keep cannot be redefined", 0 },
	{ DIAG_E1101, "anchor without a name",
	  "anchors without explicit rules must specify a name", 0 },
	{ DIAG_E1101, "stands on pass rules only",
	  "route-to, reply-to and dup-to are not supported on block rules", 0 },
	{ DIAG_E1101, "the rule has two", "cannot respecify %1", 0 },
	{ DIAG_E1101, "the name of a pflog interface", "%1: should be a pflog interface", 0 },
	{ DIAG_E1101, "direction must be explicit", NULL, 0 },
	{ DIAG_E1101, "allow-opts can only", NULL, SKIPS },
	{ DIAG_E1101, "fragments can be", NULL, SKIPS },
	{ DIAG_E1101, "divert is not supported", NULL, SKIPS },
	{ DIAG_E1101, "cannot be redefined", NULL, 0 },
	{ DIAG_E1101, "state handling on anchors", NULL, 0 },
	{ DIAG_E1101, "-anchor", NULL, 0 },
	{ DIAG_E1101, "reserved for internal use", NULL, 0 },
	{ DIAG_E1101, "used for inline anchors", NULL, 0 },
	{ DIAG_E1101, "inline anchor", NULL, 0 },
	{ DIAG_E1101, "not valid with", NULL, 0 },
	{ DIAG_E1101, "do not support 'quick'", NULL, 0 },
	{ DIAG_E1101, "expected persist, const", "invalid table option '%1'", 0 },
	{ DIAG_E1101, NULL, "syntax error", 0 },
	{ DIAG_E1103, NULL, "syntax error", 0 },
	{ DIAG_E1104, NULL, "reached end of file while parsing quoted string", 0 },
	{ DIAG_E1105, "is not defined", "macro '%1' not defined", 0 },
	{ DIAG_E1105, NULL, "macro '' not defined", 0 },
	{ DIAG_E1106, NULL, "syntax error", 0 },
	{ DIAG_E1107, NULL, ORDER, 0 },
	{ DIAG_E1108, "state option '", "state option '%1' multiple definitions", 0 },
	{ DIAG_E1108, "state-defaults", "cannot redefine state-defaults", 0 },
	{ DIAG_E1108, "set skip takes no", "skip on ! <interface> is not supported", 0 },
	{ DIAG_E1108, "expected a number above 0", "hostid must be non-zero", 0 },
	{ DIAG_E1108, "expected yes or no", "invalid value '%1', expected 'yes' or 'no'", 0 },
	{ DIAG_E1108, "an optimization", "unknown optimization %1", 0 },
	{ DIAG_E1108, "none, basic", "unknown ruleset-optimization %1", 0 },
	{ DIAG_E1108, "a timeout", "unknown timeout %1", 0 },
	{ DIAG_E1108, "a limit", "unable to set limit %1", 0 },
	{ DIAG_E1108, "a debug level", "error setting debuglevel %1", 0 },
	{ DIAG_E1108, "never, always", "illegal value for syncookies", 0 },
	{ DIAG_E1108, "expected", "syntax error", 0 },
	{ DIAG_E1108, "sloppy", NULL, SKIPS },
	{ DIAG_E1109, "a tag", "tag too long, max 63 chars", 0 },
	{ DIAG_E1109, "a label", "rule label too long (max 63 chars)", 0 },
	{ DIAG_E1109, "name of a table", "table name too long, max 31 chars", 0 },
	{ DIAG_E1109, NULL, "string too long", 0 },
	{ DIAG_E1111, "is no probability", "invalid probability: %1", 0 },
	{ DIAG_E1111, "a probability is", "invalid probability", 0 },
	{ DIAG_E1111, "is no type of service", "illegal tos value %1", 0 },
	{ DIAG_E1111, "'unknown' can only be", "user unknown requires operator = or !=", 0 },
	{ DIAG_E1111, "0..7", "prio must be 0 - 7", 0 },
	{ DIAG_E1111, NULL, "only positive values permitted", 0 },
	{ DIAG_E1112, NULL, "syntax error", 0 },
	{ DIAG_E1113, NULL, "syntax error", 0 },
	{ DIAG_E1115, "a range", "address ranges are not permitted inside tables", 0 },
	{ DIAG_E1115, "in parentheses", "dynamic addresses are not permitted inside tables", 0 },
	{ DIAG_E1115, "another table", "tables cannot contain tables", 0 },
	{ DIAG_E1115, "'no-route'", "\"no-route\" is not permitted inside tables", 0 },
	{ DIAG_E1115, "'urpf-failed'", "\"urpf-failed\" is not permitted inside tables", 0 },
	{ DIAG_E1201, "! any", "syntax error", 0 },
	{ DIAG_E1201, "urpf-failed", NULL, 0 },
	{ DIAG_E1201, "the range ends", "invalid address range", 0 },
	{ DIAG_E1201, NULL, HOST, NO_ADDR },
	{ DIAG_E1202, NULL, HOST, 0 },
	{ DIAG_E1203, "is missing", "unknown port ", 0 },
	{ DIAG_E1203, NULL, "illegal port value %n", 0 },
	{ DIAG_E1204, "rdr destination port", NULL, SKIPS },
	{ DIAG_E1204, "operator", "':' cannot be used with an other port operator", 0 },
	{ DIAG_E1204, NULL, "invalid port range", 0 },
	{ DIAG_E1205, NULL, "unknown port %1", 0 },
	{ DIAG_E1206, "antispoof", "syntax error", 0 },
	{ DIAG_E1206, "queue", "altq on ! <interface> is not supported", 0 },
	{ DIAG_E1206, NULL, "interface name too long", 0 },
	{ DIAG_E1207, "is not in", "protocol outside range", 0 },
	{ DIAG_E1207, "protocol 0", "proto 0 cannot be used", 0 },
	{ DIAG_E1207, NULL, "unknown protocol %1", 0 },
	{ DIAG_E1208, "unknown ICMP type", "unknown icmp-type %1", 0 },
	{ DIAG_E1208, "unknown ICMPv6 type", "unknown icmp6-type %1", 0 },
	{ DIAG_E1208, "of this ICMP type", "unknown icmp-code %1", 0 },
	{ DIAG_E1208, "of this ICMPv6 type", "unknown icmp6-code %1", 0 },
	{ DIAG_E1208, NULL, "unknown icmp code %1", 0 },
	{ DIAG_E1209, NULL, HOST, 0 },
	{ DIAG_E1210, NULL, "bad flags %1", 0 },
	{ DIAG_E1211, NULL, HOST, NO_ADDR },
	{ DIAG_E1212, "unknown user", "unknown user %1", 0 },
	{ DIAG_E1212, "unknown group", "unknown group %1", 0 },
	{ DIAG_E1302, "rpool", NULL, SKIPS },
	{ DIAG_E1302, "src", NULL, SKIPS },
	{ DIAG_E1302, "dst", NULL, SKIPS },
	{ DIAG_E1302, NULL, "port only applies to tcp/udp", SKIPS },
	{ DIAG_E1303, "can never be set", "flags always false", 0 },
	{ DIAG_E1303, NULL, "flags only apply to tcp", 0 },
	{ DIAG_E1304, "only applies to", "icmp-type/code only applies to icmp", SKIPS },
	{ DIAG_E1304, NULL, "must indicate address family with icmp-type/code", SKIPS },
	{ DIAG_E1305, NULL, NULL, SKIPS },
	{ DIAG_E1306, NULL, "return-rst can only be applied to TCP rules", SKIPS },
	{ DIAG_E1307, NULL, "keep state is great, but only for pass rules", SKIPS },
	{ DIAG_E1308, NULL, HOST, NO_ADDR },
	{ DIAG_E1311, "routing", "no routing address with matching address family found.", 0 },
	{ DIAG_E1311, NULL, "no translation address with matching address family found.", 0 },
	{ DIAG_E1312, "binat needs '-> address'", "'binat' rule requires '-> address'", 0 },
	{ DIAG_E1312, "needs '-> address'", "translation rule requires '-> address'", 0 },
	{ DIAG_E1312, "a 'no' rule", "translation rule with 'no' does not need '->'", 0 },
	{ DIAG_E1312, "of one kind only", "pool type cannot be redefined", 0 },
	{ DIAG_E1312, "only round-robin",
	  "only round-robin valid for multiple redirection addresses", 0 },
	{ DIAG_E1312, "in round-robin order",
	  "only round-robin valid for multiple redirection addresses", 0 },
	{ DIAG_E1312, "binat takes no lists", "multiple binat ip addresses", 0 },
	{ DIAG_E1312, "binat translates one", "multiple binat ip addresses", 0 },
	{ DIAG_E1312, "binat needs an address", "address family (inet/inet6) undefined", 0 },
	{ DIAG_E1312, "source mask",
	  "'binat' source mask and redirect mask must be the same", 0 },
	{ DIAG_E1312, "binat leads to", "binat rule must redirect to a single address", 0 },
	{ DIAG_E1314, "5 labels", "label can only be used 5 times", 0 },
};

static const struct row *row_of(const struct diag *g)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].code == g->code &&
		    (rows[i].part == NULL || strstr(g->message, rows[i].part) != NULL))
			return &rows[i];
	return NULL;
}

/* The first thing in quotes; our messages have none within */
static size_t quoted(const char *message, const char **ret)
{
	const char *open = strchr(message, '\'');
	const char *close = open != NULL ? strchr(open + 1, '\'') : NULL;

	*ret = close != NULL ? open + 1 : "";
	return close != NULL ? (size_t)(close - open - 1) : 0;
}

static size_t number(const char *message, const char **ret)
{
	*ret = message + strcspn(message, "0123456789");
	return strspn(*ret, "0123456789");
}

const char *pf_freebsd_message(struct arena *a, const struct diag *g)
{
	const struct row *row = row_of(g);
	const char *at, *word;
	size_t len;

	if (row == NULL || row->text == NULL)
		return g->message;
	at = strchr(row->text, '%');
	if (at == NULL)
		return row->text;
	len = at[1] == '1' ? quoted(g->message, &word) : number(g->message, &word);
	return arena_printf(a, "%.*s%.*s%s", (int)(at - row->text), row->text, (int)len, word,
			    at + 2);
}

/* "no IP address found for em9:network", which our own message may say as a whole */
static void print_no_addr(const struct diag *g, FILE *out)
{
	static const char own[] = "no IP address found for ";
	const char *word = g->message;
	size_t len = strlen(word);

	if (strncmp(word, own, sizeof(own) - 1) == 0) {
		const char *more = strstr(word, ": ");	/* why, which pfctl does not say */

		word += sizeof(own) - 1;
		if (more != NULL)
			len = (size_t)(more - word);
	} else {
		len = quoted(g->message, &word);
	}
	fprintf(out, "%s%.*s\n", own, (int)MIN(len, strlen(word)), word);
}

void pf_freebsd_print(struct diags *d, const char *file, FILE *out)
{
	for (uint32_t i = 0; i < d->list.n; i++) {
		const struct diag *g = &d->list.v[i];
		const struct row *row = row_of(g);
		const unsigned int adds = row != NULL ? row->adds : 0;
		const struct place at = source_place(d->sources,
						     source_file_span(d->sources, g->at));
		const char *name = at.name != NULL ? at.name : file;

		if (diag_codes[g->code].severity != DIAG_ERROR)
			continue;
		if ((adds & NO_ADDR) != 0)
			print_no_addr(g, out);
		fprintf(out, "%s:%u: %s\n", name, MAX(at.line, 1u), pf_freebsd_message(d->a, g));
		if ((adds & SKIPS) != 0)
			fprintf(out, "%s:%u: skipping rule due to errors\n"
				"%s:%u: rule expands to no valid combination\n", name,
				at.line, name, at.line);
	}
}
