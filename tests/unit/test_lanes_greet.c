/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections that have lanes from their SYN on; tests/lib/lanekit.h has the lab */
#include "lanekit.h"

#define SHIFT		7
#define WINDOW		1000
#define SYN_ACK		(K_SYN | K_ACK)

#define MSS		2, 4, 5, 0xb4
#define SCALE		3, 3, SHIFT
#define STAMPS		8, 10, 3, 3, 1, 2, 3, 4, 5, 6

/**
 * struct answer - Options of a SYN's answer
 * @n:		How long
 * @v:		They
 */
struct answer {
	uint8_t n;
	uint8_t v[20];
};

static const struct answer linux_like = { 20, { MSS, 4, 2, STAMPS, 1, SCALE } };

static struct kpkt *with_options(struct kpkt *k, const struct answer *o)
{
	uint8_t *l4 = k->b + k_l4(k->b);

	l4[12] = (uint8_t)((20 + o->n) / 4 << 4);
	k_put16(l4 + 14, WINDOW);
	memcpy(l4 + 20, o->v, o->n);
	return lab_whole(k);
}

static struct kpkt *answer(const struct answer *o)
{
	return with_options(k_tcp_data(lab.srv, 80, lab.out, lab_nat_port(), SYN_ACK, 8999, 1001,
				       o->n), o);
}

static struct kpkt *close_by(enum nat_side from)
{
	return lab_whole(from == NAT_INSIDE ?
		k_tcp(lab.in, 4000, lab.srv, 80, K_FIN | K_ACK, 1001, 9000) :
		k_tcp(lab.srv, 80, lab.out, lab_nat_port(), K_FIN | K_ACK, 9000, 1002));
}

static bool greet(void)
{
	return CHECK(lab_through(NAT_INSIDE, k_tcp(lab.in, 4000, lab.srv, 80, K_SYN, 1000, 0),
				 NULL)) && CHECK_INT(lab.lanes.n.now, 2);
}

static void compare_answers(void)
{
	static uint8_t by_nat[2048];
	static struct kpkt k;
	struct io_packet got;
	uint32_t len;

	lab.lanes.is_on = false;
	CHECK(lab_through(NAT_INSIDE, k_tcp(lab.in, 4000, lab.srv, 80, K_SYN, 1000, 0), NULL));
	k = *answer(&linux_like);
	if (!CHECK(lab_through(NAT_OUTSIDE, &k, &got)))
		return;
	len = got.len;
	memcpy(by_nat, got.data, len);
	lab.lanes.is_on = true;
	if (!greet() || !CHECK(lab_is_by_lane(NAT_OUTSIDE, &k, &got)))
		return;
	CHECK_INT(got.len, len);
	CHECK(memcmp(got.data, by_nat, len) == 0);
	CHECK_STR(kit_sound(got.data, got.len), NULL);
}

TEST(a_syns_answer_leaves_as_the_nat_lets_it)
{
	LANE_LAB(LANE_VETH, AF_V4);
	compare_answers();
}

TEST(a_syns_answer_of_ipv6_leaves_as_the_nat_lets_it)
{
	LANE_LAB(LANE_VETH, AF_V6);
	compare_answers();
}

TEST(a_syns_answer_to_the_host_leaves_as_the_nat_lets_it)
{
	LANE_LAB(LANE_TUN, AF_V4);
	compare_answers();
}

TEST(the_nat_hears_of_a_syns_answer)
{
	struct io_packet got;

	LANE_LAB(LANE_VETH, AF_V4);
	if (!greet() || !CHECK(lab_is_by_lane(NAT_OUTSIDE, answer(&linux_like), &got)))
		return;
	CHECK_INT(lab_tcp_state(), NAT_TCP_INIT_IN);
	CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(true, 10), &got));
	lab_tick(true);
	CHECK_INT(lab_tcp_state(), NAT_TCP_ESTABLISHED);
	CHECK_INT(lab.lanes.n.now, 2);
	CHECK(lab_is_by_lane(NAT_OUTSIDE, lab_answer(true, 10), &got));
}

/* Then it has greeted, and closed, before the NAT hears of either */
TEST(a_short_connection_is_over_at_the_next_look)
{
	struct io_packet got;

	LANE_LAB(LANE_VETH, AF_V4);
	if (!greet())
		return;
	CHECK(lab_is_by_lane(NAT_OUTSIDE, answer(&linux_like), &got));
	CHECK(lab_is_by_lane(NAT_INSIDE, close_by(NAT_INSIDE), &got));
	CHECK(lab_is_by_lane(NAT_OUTSIDE, close_by(NAT_OUTSIDE), &got));
	CHECK_INT(lab_tcp_state(), NAT_TCP_INIT_IN);
	lab_tick(true);
	CHECK_INT(lab_tcp_state(), NAT_TCP_FIN_BOTH);
	CHECK_INT(lab.lanes.n.now, 0);
}

/* Of a forward: the jail answers */
TEST(an_answer_from_inside_takes_a_lane_too)
{
	struct io_packet got;
	struct kpkt *k;
	uint16_t port;

	LANE_LAB(LANE_VETH, AF_V4);
	kit_stop(&lab.kit);
	lab.kit.cfg.filtering[NAT_TCP] = NAT_ENDPOINT;
	kit_start(&lab.kit);
	lab.lanes.nat = lab.kit.nat;
	/* By the binding of another flow of the same port, which lets everybody in */
	CHECK(lab_through(NAT_INSIDE, lab_whole(k_tcp(lab.in, 4000, lab.srv, 81, K_SYN, 1, 0)),
			  NULL));
	port = lab_nat_port();
	CHECK(lab_through(NAT_OUTSIDE, k_tcp(lab.srv, 7000, lab.out, port, K_SYN, 500, 0), NULL));
	CHECK_INT(lab.lanes.n.now, 4);
	k = with_options(k_tcp_data(lab.in, 4000, lab.srv, 7000, SYN_ACK, 8999, 501, 20),
			 &linux_like);
	CHECK(lab_is_by_lane(NAT_INSIDE, k, &got));
}

TEST(most_hosts_answers_take_a_lane)
{
	static const struct answer usual[] = {
		{ 20, { MSS, 4, 2, STAMPS, 1, SCALE } }, { 20, { MSS, 1, SCALE, 4, 2, STAMPS } },
		{ 12, { MSS, 1, 1, 4, 2, 1, SCALE } }, { 12, { MSS, 1, SCALE, 1, 1, 4, 2 } },
		{ 12, { MSS, 1, SCALE, 4, 2, 0, 0 } },
	};
	struct io_packet got;

	LANE_LAB(LANE_VETH, AF_V4);
	for (size_t i = 0; i < ARRAY_SIZE(usual) && greet(); i++) {
		CHECK(lab_is_by_lane(NAT_OUTSIDE, answer(&usual[i]), &got));
		for (int t = 0; t < 4; t++)
			lab_tick(true);
		CHECK_INT(lab.lanes.n.now, 0);
	}
}

/* What looks like a shift in them may be none; the NAT reads them one by one */
TEST(answers_with_other_options_are_the_nats)
{
	static const struct answer others[] = {
		{ 0, { 0 } }, { 4, { MSS } }, { 20, { MSS, 4, 2, STAMPS, 1, 1, 1, 0 } },
		{ 20, { MSS, 4, 2, STAMPS, 1, 3, 3, 16 } },
		{ 20, { MSS, 30, 16, 8, 10, 1, 1, 1, 1, 1, 1, 1, 1, 1, SCALE } },
		{ 12, { MSS, 30, 8, 4, 2, 1, SCALE } },
	};

	LANE_LAB(LANE_VETH, AF_V4);
	if (!greet())
		return;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		CHECK(lab_is_carried(NAT_OUTSIDE, answer(&others[i])));
	CHECK(lab_is_carried(NAT_OUTSIDE, lab_whole(k_tcp(lab.srv, 80, lab.out, lab_nat_port(),
							  K_SYN, 8999, 0))));
}

/* A RST must be in the window that the answer's shift makes of what was said */
static bool reset_passes(uint32_t beyond)
{
	struct io_packet got;
	struct kpkt *k;

	if (!greet() || !CHECK(lab_is_by_lane(NAT_OUTSIDE, answer(&linux_like), &got)))
		return false;
	k = lab_answer(true, 0);
	k_put16(k->b + k_l4(k->b) + 14, WINDOW);
	CHECK(lab_is_by_lane(NAT_OUTSIDE, lab_whole(k), &got));
	return lab_through(NAT_INSIDE, lab_whole(k_tcp(lab.in, 4000, lab.srv, 80, K_RST,
						       1001 + beyond, 0)), &got);
}

TEST(a_reset_is_held_against_the_answers_shift)
{
	LANE_LAB(LANE_VETH, AF_V4);
	CHECK(reset_passes((WINDOW << SHIFT) - 1));
}

TEST(a_reset_beyond_the_answers_shift_does_not_pass)
{
	LANE_LAB(LANE_VETH, AF_V4);
	CHECK(!reset_passes(WINDOW << SHIFT));
}

TEST(a_refused_connection_has_no_lanes)
{
	LANE_LAB(LANE_VETH, AF_V4);
	if (!greet())
		return;
	CHECK(lab_through(NAT_OUTSIDE, k_tcp(lab.srv, 80, lab.out, lab_nat_port(),
					     K_RST | K_ACK, 0, 1001), NULL));
	CHECK_INT(lab.lanes.n.now, 0);
}

TEST(a_connection_that_nobody_answers_has_no_lanes_for_long)
{
	LANE_LAB(LANE_VETH, AF_V4);
	if (!greet())
		return;
	for (int i = 0; i < 3; i++)
		lab_tick(true);
	CHECK_INT(lab.lanes.n.now, 0);
	CHECK_INT(lab_tcp_state(), NAT_TCP_INIT_IN);
}

/* Another worker ends all lanes, before this one has told the NAT */
TEST(an_answer_is_known_though_another_worker_has_ended_the_lanes)
{
	struct lanes other;
	struct io_packet got;

	LANE_LAB(LANE_VETH, AF_V4);
	if (!greet() || !CHECK(lab_is_by_lane(NAT_OUTSIDE, answer(&linux_like), &got)))
		return;
	CHECK_INT(lanes_init(&other, &lab.way, &lab.kit.cfg), 0);
	other.worker = 1;
	lanes_begin(&other, lab.kit.nat, lab.nat, lab.hops);
	for (uint32_t i = 0; i <= LANES_ENTER; i++)
		CHECK(lab_through(NAT_INSIDE, lab_question(true, 10), NULL));
	CHECK_INT(lab_tcp_state(), NAT_TCP_ESTABLISHED);
	lanes_fini(&other);
}
