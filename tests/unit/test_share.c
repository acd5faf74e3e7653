/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several workers of one NAT must look like one: each packet is given to any of them,
 * as a bad sorter would, and goes from one to the other as the NAT says.
 */
#include <malloc.h>
#include <stdlib.h>

#include "unit.h"

#include "nat/share.h"
#include "natkit.h"

#define WORKERS	3u
#define FLOWS	1024u

/* A NAT of several workers, and what the last packet became */
struct team {
	struct nat_config cfg;
	struct nat *nat[WORKERS];
	void *mem[WORKERS];
	uint32_t n;
	uint64_t now;
	struct addr outside[2];
	struct prefix inside[2];
	struct nat_jail jails[8];
	struct kpkt out;		/* the last that was forwarded, or a piece of it */
	enum nat_side to;
	uint32_t n_out;			/* how many came out of all workers */
	uint32_t n_handed;
	uint32_t longest;		/* of what came out */
	bool (*rules)(const struct nat_ask *ask, struct nat_ruling *r);
};

static struct team t;

static bool judge(void *ctx, const struct nat_ask *ask, struct nat_ruling *r)
{
	const struct team *team = ctx;

	return team->rules != NULL && team->rules(ask, r);
}

static void start(uint32_t n)
{
	nat_config_init(&t.cfg);
	t.n = n;
	t.outside[0] = NAT1;
	t.outside[1] = kit_a6("2001:db8:f::1");
	t.inside[0] = (struct prefix){ addr_v4(10, 0, 0, 0), 24 };
	t.inside[1] = (struct prefix){ kit_a6("fd00:1::"), 64 };
	t.cfg.outside = t.outside;
	t.cfg.n_outside = 2;
	t.cfg.inside = t.inside;
	t.cfg.n_inside = 2;
	t.cfg.max_flows = FLOWS;
	t.cfg.judge = judge;
	t.cfg.judge_ctx = &t;
	t.cfg.key[0] = 7;
	t.cfg.n_workers = n;
	t.now = UINT64_C(1000000000000);
	t.rules = NULL;
	t.cfg.shared = malloc(nat_shared_bytes(&t.cfg));
	if (t.cfg.shared == NULL)
		abort();
	nat_shared_init(&t.cfg);
}

static void go(void)
{
	for (uint32_t i = 0; i < t.n; i++) {
		t.cfg.worker = i;
		t.mem[i] = memalign(64, nat_bytes(&t.cfg));
		if (t.mem[i] == NULL)
			abort();
		CHECK_INT(nat_init(&t.cfg, t.mem[i], &t.nat[i]), 0);
	}
}

static void stop(void)
{
	for (uint32_t i = 0; i < t.n; i++)
		free(t.mem[i]);
	free(t.cfg.shared);
}

static void note_out(const uint8_t *p, uint32_t len, enum nat_side to)
{
	memcpy(t.out.b, p, len);
	t.out.len = len;
	t.to = to;
	t.n_out++;
	t.longest = MAX(t.longest, len);
	CHECK_STR(kit_sound(p, len), NULL);
}

static void hand(uint32_t worker, const uint8_t *data, uint32_t len, enum nat_side from,
		 const struct nat_errand *e);

/* What a worker has made, copied first: the next call of it makes something else */
static void take_made(uint32_t worker)
{
	struct kept { struct nat_made m; struct nat_errand e; uint8_t *b; } v[64];
	uint32_t n;
	const struct nat_made *made = nat_made(t.nat[worker], &n);

	if (!CHECK(n <= 64))
		return;
	for (uint32_t i = 0; i < n; i++) {
		v[i].m = made[i];
		v[i].e = (struct nat_errand){ .flags = made[i].flags, .hops = 1,
					      .longest = made[i].longest };
		if (made[i].ruling != NULL)
			v[i].e.ruling = *made[i].ruling;
		v[i].b = malloc(made[i].len);
		if (v[i].b == NULL)
			abort();
		memcpy(v[i].b, made[i].data, made[i].len);
	}
	for (uint32_t i = 0; i < n; i++) {
		if (v[i].m.is_elsewhere)
			hand(v[i].m.worker, v[i].b, v[i].m.len, NAT_OUTSIDE, &v[i].e);
		else
			note_out(v[i].b, v[i].m.len, v[i].m.to);
		free(v[i].b);
	}
}

static void settle(uint32_t worker, struct nat_packet *p, enum nat_side from,
		   const struct nat_errand *came)
{
	struct nat_errand e;

	if (p->verdict == NAT_FORWARD)
		note_out(p->data, p->len, p->to);
	if (p->verdict == NAT_ELSEWHERE) {
		nat_errand_of(t.nat[worker], p, came, &e);
		if (CHECK(p->worker < t.n && p->worker != worker))
			hand(p->worker, p->data, p->len,
			     (p->flags & NAT_P_SECOND) != 0 ? NAT_OUTSIDE : from, &e);
	}
	take_made(worker);
}

static void hand(uint32_t worker, const uint8_t *data, uint32_t len, enum nat_side from,
		 const struct nat_errand *e)
{
	struct kpkt *copy = malloc(sizeof(*copy));
	struct nat_packet p;

	if (copy == NULL || !CHECK(len <= KIT_ROOM))
		abort();
	memcpy(copy->b, data, len);
	p = (struct nat_packet){ .data = copy->b, .len = len, .from = from, .iface = from };
	t.n_handed++;
	CHECK(e->hops <= t.n + 1);
	nat_handed(t.nat[worker], t.now, &p, e);
	settle(worker, &p, from, e);
	free(copy);
}

/* To a worker that may be the wrong one; whether anything came out */
static bool give(uint32_t worker, enum nat_side from, const struct kpkt *packet)
{
	static struct kpkt copy;
	struct nat_packet p = { .data = copy.b, .from = from, .iface = from };

	copy = *packet;
	p.len = copy.len;
	t.n_out = t.n_handed = t.longest = 0;
	t.now += 1000000;
	nat_batch(t.nat[worker % t.n], t.now, &p, 1);
	settle(worker % t.n, &p, from, NULL);
	return t.n_out > 0;
}

/* Sums over workers */
static uint64_t flows(void)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < t.n; i++)
		n += nat_counters(t.nat[i])->flows;
	return n;
}

static struct addr jail(uint32_t i)
{
	return addr_v4(10, 0, 0, (uint8_t)(11 + i));
}

/* ---- mappings -------------------------------------------------------------------- */

TEST(a_port_is_kept_wherever_packets_come)
{
	start(WORKERS);
	go();
	for (uint32_t i = 0; i < 6; i++) {
		for (uint32_t w = 0; w < WORKERS; w++) {
			const struct addr srv = w % 2 == 0 ? SRV1 : SRV2;

			if (!CHECK(give(w, NAT_INSIDE, k_udp(jail(i), (uint16_t)(5000 + i), srv,
							     53, 20))))
				continue;
			CHECK(addr_equal(k_src(t.out.b), NAT1));
			CHECK_INT(k_sport(t.out.b), 5000 + i);
			CHECK(give(w + 1, NAT_OUTSIDE, k_udp(srv, 53, NAT1, (uint16_t)(5000 + i),
							     20)));
			CHECK(addr_equal(k_dst(t.out.b), jail(i)));
			CHECK(t.to == NAT_INSIDE);
		}
	}
	CHECK_INT((intmax_t)flows(), 12);
	/* Of strangers nothing comes through, whoever is asked */
	for (uint32_t w = 0; w < WORKERS; w++)
		CHECK(!give(w, NAT_OUTSIDE, k_udp(SRV3, 53, NAT1, 5000, 20)));
	stop();
}

/* Fails without ports_take(): each would keep the port that it was asked for */
TEST(no_port_is_lent_twice)
{
	static bool seen[65536];

	memset(seen, 0, sizeof(seen));
	start(WORKERS);
	go();
	for (uint32_t i = 0; i < 90; i++) {
		for (uint16_t port = 7000; port < 7008; port++) {
			if (!CHECK(give(i, NAT_INSIDE, k_udp(jail(i), port, SRV1, 53, 20))))
				continue;
			CHECK(!seen[k_sport(t.out.b)]);
			seen[k_sport(t.out.b)] = true;
		}
	}
	stop();
}

TEST(ipv6_and_queries)
{
	const struct addr srv = kit_a6("2001:db8:f::10"), nat = kit_a6("2001:db8:f::1");

	start(WORKERS);
	go();
	for (uint32_t i = 0; i < 6; i++) {
		struct addr in = kit_a6("fd00:1::11");

		in.v += i;
		for (uint32_t w = 0; w < WORKERS; w++) {
			CHECK(give(w, NAT_INSIDE, k_udp(in, (uint16_t)(5000 + i), srv, 53, 20)));
			CHECK(give(w + 1, NAT_OUTSIDE, k_udp(srv, 53, nat, (uint16_t)(5000 + i),
							     20)));
			CHECK(addr_equal(k_dst(t.out.b), in));
			CHECK(give(w, NAT_INSIDE, k_icmp(in, srv, 128, 0, (uint16_t)(i + 1), 9)));
			CHECK(give(w + 2, NAT_OUTSIDE, k_icmp(srv, nat, 129, 0, k_id(t.out.b), 9)));
			CHECK(addr_equal(k_dst(t.out.b), in));
			CHECK(give(w, NAT_INSIDE, k_icmp(jail(i), SRV1, 8, 0, (uint16_t)(i + 1),
							 9)));
			CHECK(give(w + 2, NAT_OUTSIDE, k_icmp(SRV1, NAT1, 0, 0, k_id(t.out.b), 9)));
			CHECK(addr_equal(k_dst(t.out.b), jail(i)));
		}
	}
	stop();
}

TEST(protocols_without_ports_are_the_first_workers)
{
	start(WORKERS);
	go();
	for (uint32_t w = 0; w < WORKERS; w++) {
		CHECK(give(w, NAT_INSIDE, k_proto(jail(1), SRV1, 47, 30)));
		CHECK(addr_equal(k_src(t.out.b), NAT1));
		CHECK(give(w + 1, NAT_OUTSIDE, k_proto(SRV1, NAT1, 47, 30)));
		CHECK(addr_equal(k_dst(t.out.b), jail(1)));
	}
	CHECK_INT((intmax_t)nat_counters(t.nat[0])->flows, 1);
	stop();
}

/* Fails when all count from the same number: two packets of one pair would have one id */
TEST(ip_ids_of_workers_are_different)
{
	static bool seen[65536];

	memset(seen, 0, sizeof(seen));
	start(WORKERS);
	go();
	for (uint32_t i = 0; i < 3000; i++) {
		if (!CHECK(give(i, NAT_INSIDE, k_udp(jail(i % 6), 5000, SRV1, 53, 20))))
			break;
		if (!CHECK(!seen[k_get16(t.out.b + 4)]))
			break;
		seen[k_get16(t.out.b + 4)] = true;
	}
	stop();
}

/* ---- from one to another ------------------------------------------------------------ */

TEST(jails_of_two_workers_meet_by_their_outside_ends)
{
	start(WORKERS);
	t.cfg.filtering[NAT_UDP] = t.cfg.filtering[NAT_TCP] = NAT_ENDPOINT;
	go();
	for (uint32_t i = 0; i < 4; i++)
		CHECK(give(0, NAT_INSIDE, k_udp(jail(i), (uint16_t)(6000 + i), SRV1, 53, 20)));
	for (uint32_t i = 0; i < 4; i++) {
		for (uint32_t j = 0; j < 4; j++) {
			if (i == j)
				continue;
			if (!CHECK(give(i + j, NAT_INSIDE, k_udp(jail(i), (uint16_t)(6000 + i),
								 NAT1, (uint16_t)(6000 + j), 20))))
				continue;
			CHECK_INT(t.n_out, 1);
			CHECK(t.to == NAT_INSIDE);
			CHECK(addr_equal(k_src(t.out.b), NAT1));
			CHECK_INT(k_sport(t.out.b), 6000 + i);
			CHECK(addr_equal(k_dst(t.out.b), jail(j)));
			CHECK_INT(t.out.b[8], 63);
		}
	}
	stop();
}

TEST(an_error_about_a_hairpinned_packet_finds_its_sender)
{
	start(WORKERS);
	t.cfg.filtering[NAT_UDP] = NAT_ENDPOINT;
	go();
	for (uint32_t i = 0; i < 3; i++)
		CHECK(give(0, NAT_INSIDE, k_udp(jail(i), (uint16_t)(6000 + i), SRV1, 53, 20)));
	for (uint32_t i = 0; i < 3; i++) {
		const uint32_t j = (i + 1) % 3;

		CHECK(give(i, NAT_INSIDE, k_udp(jail(i), (uint16_t)(6000 + i), NAT1,
						(uint16_t)(6000 + j), 20)));
		if (!CHECK(give(i, NAT_INSIDE, k_error(jail(j), NAT1, 3, 3, 0, t.out.b, t.out.len,
						       28))))
			continue;
		CHECK(addr_equal(k_dst(t.out.b), jail(i)));
		CHECK(addr_equal(k_src(k_quote(t.out.b)), jail(i)));
		CHECK_INT(k_sport(k_quote(t.out.b)), 6000 + i);
	}
	stop();
}

TEST(errors_find_the_flow_that_they_speak_of)
{
	const struct addr srv = kit_a6("2001:db8:f::10"), nat = kit_a6("2001:db8:f::1");
	struct addr in = kit_a6("fd00:1::11");

	start(WORKERS);
	go();
	for (uint32_t i = 0; i < 6; i++) {
		for (uint32_t w = 0; w < WORKERS; w++) {
			CHECK(give(w, NAT_INSIDE, k_udp(jail(i), 5000, SRV1, 53, 20)));
			CHECK(give(w + 1, NAT_OUTSIDE, k_error(SRV2, NAT1, 11, 0, 0, t.out.b,
							       t.out.len, 28)));
			CHECK(addr_equal(k_dst(t.out.b), jail(i)));
			CHECK(give(w, NAT_INSIDE, k_udp(in, 5000, srv, 53, 20)));
			CHECK(give(w + 1, NAT_OUTSIDE, k_error(srv, nat, 1, 4, 0, t.out.b,
							       t.out.len, 48)));
			CHECK(addr_equal(k_dst(t.out.b), in));
		}
		in.v++;
	}
	/* And those that speak of nothing find nobody */
	CHECK(!give(1, NAT_OUTSIDE, k_error(SRV2, NAT1, 11, 0, 0,
					    k_udp(NAT1, 999, SRV1, 53, 20)->b, 48, 28)));
	stop();
}

TEST(fragments_are_put_together_by_one_and_go_on_from_another)
{
	start(WORKERS);
	go();
	for (uint32_t i = 0; i < 6; i++) {
		const uint16_t port = (uint16_t)(5000 + i);
		struct kpkt *whole, *first, *last;

		whole = k_udp(jail(i), port, SRV1, 53, 1200);
		CHECK(!give(0, NAT_INSIDE, k_fragment(whole, 600, 700, false)));
		CHECK(give(1, NAT_INSIDE, k_fragment(whole, 0, 600, true)));
		CHECK_INT(t.n_out, 2);
		whole = k_udp(SRV1, 53, NAT1, port, 1200);
		k_put16(whole->b + 4, (uint16_t)(77 + i));
		k_fix(whole);
		first = k_fragment(whole, 0, 600, true);
		last = k_fragment(whole, 600, 700, false);
		CHECK(!give(i, NAT_OUTSIDE, last));
		if (!CHECK(give(i + 1, NAT_OUTSIDE, first)))
			continue;
		/* As long as those that came, and no longer */
		CHECK_INT(t.n_out, 2);
		CHECK(t.longest <= MAX(first->len, last->len));
		CHECK(addr_equal(k_dst(t.out.b), jail(i)));
		CHECK(t.to == NAT_INSIDE);
	}
	stop();
}

/* ---- rules ------------------------------------------------------------------------ */

static bool pass_out(const struct nat_ask *ask, struct nat_ruling *r)
{
	*r = (struct nat_ruling){ .pass = true, .keep = true, .icmp = -1, .has_src = true,
				  .to = t.outside, .n_to = 2, .ports = NAT_PORTS_PRESERVE };
	return ask->from == NAT_INSIDE;
}

/* Port 8080 + I is jail I's; 9000 goes to each of six in turn, but for those that speak TCP */
static bool forwards(const struct nat_ask *ask, struct nat_ruling *r)
{
	static uint32_t turn;

	if (pass_out(ask, r))
		return true;
	*r = (struct nat_ruling){ .icmp = -1, .keep = true, .has_dst = true, .dport = 80 };
	/* As pf does: what opens nothing matches no rule that keeps state */
	if (ask->proto == 6 && (ask->tcp_flags & (K_SYN | K_ACK)) != K_SYN)
		return true;
	r->pass = ask->dport == 9000 || (ask->dport >= 8080 && ask->dport < 8086);
	r->dst = jail(ask->dport == 9000 ? turn++ % 6 : ask->dport - 8080u);
	return true;
}

TEST(a_forward_leads_to_the_worker_of_its_jail)
{
	start(WORKERS);
	t.rules = forwards;
	go();
	for (uint32_t i = 0; i < 6; i++) {
		const uint16_t port = (uint16_t)(8080 + i);

		for (uint32_t w = 0; w < WORKERS; w++) {
			const uint16_t from = (uint16_t)(30000 + w);

			if (!CHECK(give(w, NAT_OUTSIDE, k_tcp(SRV1, from, NAT1, port, K_SYN, 9,
							      0))))
				continue;
			CHECK(addr_equal(k_dst(t.out.b), jail(i)));
			CHECK_INT(k_dport(t.out.b), 80);
			CHECK(give(w + 1, NAT_INSIDE, k_tcp(jail(i), 80, SRV1, from, K_SYN | K_ACK,
							    5, 10)));
			CHECK(addr_equal(k_src(t.out.b), NAT1));
			CHECK_INT(k_sport(t.out.b), port);
			/* No rule lets this one in: its session must be found */
			CHECK(give(w + 2, NAT_OUTSIDE, k_tcp(SRV1, from, NAT1, port, K_ACK, 10,
							     6)));
			CHECK(addr_equal(k_dst(t.out.b), jail(i)));
		}
	}
	stop();
}

/* Fails where the first to come along is asked: each packet would go to another jail */
TEST(a_pool_of_jails_keeps_each_flow_to_its_jail)
{
	struct addr dst[12];

	start(WORKERS);
	t.rules = forwards;
	go();
	for (uint32_t f = 0; f < 12; f++) {
		if (!CHECK(give(f, NAT_OUTSIDE, k_udp(SRV1, (uint16_t)(30000 + f), NAT1, 9000,
						      20))))
			return;
		dst[f] = k_dst(t.out.b);
		CHECK(t.n_handed <= WORKERS + 1);
	}
	for (uint32_t w = 0; w < WORKERS; w++) {
		for (uint32_t f = 0; f < 12; f++) {
			const uint16_t from = (uint16_t)(30000 + f);

			CHECK(give(w, NAT_OUTSIDE, k_udp(SRV1, from, NAT1, 9000, 20)));
			CHECK(addr_equal(k_dst(t.out.b), dst[f]));
			CHECK(give(w, NAT_INSIDE, k_udp(dst[f], 80, SRV1, from, 20)));
			CHECK_INT(k_sport(t.out.b), 9000);
		}
	}
	CHECK_INT((intmax_t)flows(), 12);
	stop();
}

TEST(a_jail_reaches_a_siblings_forward)
{
	start(WORKERS);
	t.rules = forwards;
	go();
	for (uint32_t i = 0; i < 4; i++) {
		for (uint32_t j = 0; j < 4; j++) {
			const uint16_t port = (uint16_t)(8080 + j), from = (uint16_t)(4000 + j);

			if (!CHECK(give(i, NAT_INSIDE, k_tcp(jail(i), from, NAT1, port, K_SYN, 1,
							     0))))
				continue;
			CHECK(addr_equal(k_dst(t.out.b), jail(j)));
			CHECK(addr_equal(k_src(t.out.b), NAT1));
			CHECK(give(j, NAT_INSIDE, k_tcp(jail(j), 80, NAT1, k_sport(t.out.b),
							K_SYN | K_ACK, 1, 2)));
			CHECK(addr_equal(k_dst(t.out.b), jail(i)));
			CHECK_INT(k_dport(t.out.b), from);
			CHECK_INT(k_sport(t.out.b), port);
		}
	}
	stop();
}

/* ---- quotas and what outlives ------------------------------------------------------- */

/* A jail with an address at each worker: no more than one with all at one */
TEST(a_jail_with_many_addresses_has_one_quota)
{
	uint32_t n = 0;

	start(WORKERS);
	for (uint32_t i = 0; i < 6; i++)
		t.jails[i] = (struct nat_jail){ { jail(i), 32 }, 1 };
	t.cfg.jails = t.jails;
	t.cfg.n_jails = 6;
	t.cfg.quota.ports[NAT_UDP] = 60;
	go();
	for (uint32_t i = 0; i < 600; i++)
		if (give(i, NAT_INSIDE, k_udp(jail(i % 6), (uint16_t)(5000 + i), SRV1, 53, 20)) &&
		    t.to == NAT_OUTSIDE)
			n++;
	CHECK_INT(n, 60);
	stop();
}

static void restore(const struct kit_bytes *w)
{
	for (uint32_t i = 0; i < t.n; i++) {
		size_t one;

		for (size_t at = 0; at < w->len; at += one) {
			uint32_t lost = 9;

			one = nat_saved_bytes(w->b + at, w->len - at);
			CHECK_INT(nat_restore(t.nat[i], t.now, w->b + at, one, &lost), 0);
			CHECK_INT(lost, 0);
		}
	}
}

/* Three, then one, then two: each flow is somewhere, and only once */
TEST(flows_outlive_another_number_of_workers)
{
	static const uint32_t numbers[] = { 3, 1, 2 };
	static struct kit_bytes w;

	for (size_t k = 0; k < ARRAY_SIZE(numbers); k++) {
		start(numbers[k]);
		go();
		if (k == 0) {
			for (uint32_t i = 0; i < 30; i++)
				CHECK(give(i, NAT_INSIDE, k_udp(jail(i), (uint16_t)(5000 + i),
								SRV1, 53, 20)));
		} else {
			restore(&w);
		}
		CHECK_INT((intmax_t)flows(), 30);
		for (uint32_t i = 0; i < 30; i++) {
			CHECK(give(i, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, (uint16_t)(5000 + i),
							 20)));
			CHECK(addr_equal(k_dst(t.out.b), jail(i)));
		}
		w.len = 0;
		for (uint32_t i = 0; i < t.n; i++)
			CHECK_INT(nat_save(t.nat[i], kit_put, &w), 0);
		stop();
	}
}
