/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conformance [--check] [ID]... - run the lines
 *
 * Prints `ID LEVEL pass|fail|n/a WHAT (REASON)` a line and how many there were;
 * exit status 1 when a MUST fails.  With --check it prints as tests/run reads,
 * and any line that fails is a failed test.
 */
#include "lines.h"

struct kit k;

static struct line *lines;
static struct {
	unsigned int wants;
	bool failed;
	char why[400];
	const char *na;
} now;

void line_register(struct line *l)
{
	struct line **at = &lines;

	while (*at != NULL && strcmp((*at)->id, l->id) < 0)
		at = &(*at)->next;
	l->next = *at;
	*at = l;
}

void line_want(bool holds, const char *file, int line, const char *text)
{
	const char *base = strrchr(file, '/');

	now.wants++;
	if (holds || now.failed)
		return;
	now.failed = true;
	snprintf(now.why, sizeof(now.why), "%s:%d: %s", base != NULL ? base + 1 : file, line, text);
}

void line_na(const char *reason)
{
	now.na = reason;
}

/* ---- what lines have in common ---------------------------------------------------- */

void setup(void)
{
	kit_stop(&k);
	kit_init(&k);
}

void plain(void)
{
	setup();
	kit_start(&k);
}

void behave(enum nat_behaviour mapping, enum nat_behaviour filtering)
{
	for (int i = 0; i < N_NAT_CLASSES; i++) {
		k.cfg.mapping[i] = mapping;
		k.cfg.filtering[i] = filtering;
	}
}

bool out(const struct kpkt *p)
{
	return kit_send(&k, NAT_INSIDE, p) && k.p.to == NAT_OUTSIDE &&
	       kit_sound(k.out.b, k.out.len) == NULL &&
	       (addr_equal(k_src(k.out.b), NAT1) ||
		addr_equal(k_src(k.out.b), k.outside[k.cfg.n_outside - 1]));
}

bool in(const struct kpkt *p)
{
	return kit_send(&k, NAT_OUTSIDE, p) && k.p.to == NAT_INSIDE &&
	       kit_sound(k.out.b, k.out.len) == NULL;
}

uint16_t out_port(struct addr src, uint16_t sport, struct addr dst, uint16_t dport)
{
	return kit_send(&k, NAT_INSIDE, k_udp(src, sport, dst, dport, 12)) ? k_sport(k.out.b) : 0;
}

uint16_t tcp_port(struct addr src, uint16_t sport, struct addr dst, uint16_t dport)
{
	return kit_send(&k, NAT_INSIDE, k_tcp(src, sport, dst, dport, K_SYN, 1, 0))
		       ? k_sport(k.out.b) : 0;
}

bool tcp_open(uint16_t sport)
{
	uint16_t port;

	if (!out(k_tcp(IN1, sport, SRV1, 80, K_SYN, 1000, 0)))
		return false;
	port = k_sport(k.out.b);
	return in(k_tcp(SRV1, 80, NAT1, port, K_SYN | K_ACK, 5000, 1001)) &&
	       k_dport(k.out.b) == sport &&
	       out(k_tcp(IN1, sport, SRV1, 80, K_ACK, 1001, 5001));
}

uint8_t *made(uint32_t i)
{
	return i < k.n_made ? (uint8_t *)(uintptr_t)k.made[i].data : NULL;
}

uint8_t *made_error(uint8_t type, uint8_t code)
{
	uint8_t *ip = made(0);

	if (k.n_made != 1 || kit_sound(ip, k.made[0].len) != NULL || k_type(ip) != type ||
	    k_code(ip) != code)
		return NULL;
	return ip;
}

uint32_t flows(void)
{
	struct nat_flow f;
	uint32_t n = 0;

	for (uint32_t i = 0; i < nat_flow_slots(k.nat); i++)
		n += nat_flow_at(k.nat, i, &f);
	return n;
}

bool flow_of(uint8_t proto, uint16_t sport, struct nat_flow *ret)
{
	for (uint32_t i = 0; i < nat_flow_slots(k.nat); i++)
		if (nat_flow_at(k.nat, i, ret) && ret->proto == proto &&
		    ret->inside.sport == sport)
			return true;
	return false;
}

uint64_t dropped(enum nat_reason why)
{
	return nat_counters(k.nat)->dropped[why];
}

/* ---- running ------------------------------------------------------------------------ */

static bool is_wanted(const char *id, char **argv)
{
	if (*argv == NULL)
		return true;
	for (; *argv != NULL; argv++)
		if (strcmp(*argv, id) == 0)
			return true;
	return false;
}

static void run(const struct line *l)
{
	memset(&now, 0, sizeof(now));
	l->fn();
	if (now.wants == 0 && now.na == NULL) {
		now.failed = true;
		snprintf(now.why, sizeof(now.why), "the line wants nothing");
	}
}

static void say(const struct line *l, bool check)
{
	static const char *const levels[] = { "MUST", "SHOULD", "MAY" };
	const char *result = now.failed ? "fail" : now.na != NULL ? "n/a" : "pass";

	if (check && now.failed)
		printf("not ok conformance/%s\n    # %s: %s\n", l->id, l->what, now.why);
	else if (check)
		printf("ok conformance/%s\n", l->id);
	else if (now.failed || now.na != NULL)
		printf("%s %s %s %s (%s)\n", l->id, levels[l->level], result, l->what,
		       now.failed ? now.why : now.na);
	else
		printf("%s %s %s %s\n", l->id, levels[l->level], result, l->what);
}

int main(int argc, char **argv)
{
	const bool check = argc > 1 && strcmp(argv[1], "--check") == 0;
	unsigned int n[3][3] = { { 0 } };

	for (const struct line *l = lines; l != NULL; l = l->next) {
		if (!is_wanted(l->id, argv + 1 + check))
			continue;
		run(l);
		say(l, check);
		n[l->level][now.failed ? 1 : now.na != NULL ? 2 : 0]++;
	}
	if (!check)
		printf("MUST %u pass %u fail %u n/a; SHOULD %u pass %u fail %u n/a; "
		       "MAY %u pass %u fail %u n/a\n", n[0][0], n[0][1], n[0][2], n[1][0],
		       n[1][1], n[1][2], n[2][0], n[2][1], n[2][2]);
	kit_stop(&k);
	return n[MUST][1] > 0 || (check && n[SHOULD][1] + n[MAY][1] > 0);
}
