/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The machine of RFC 7857 2 (RFC 6146 3.5.2.2), as a table: state x what the
 * packet is x who sent it.
 *
 *	INIT_IN, INIT_OUT   one side's SYN; the other's SYN establishes it,
 *			    with or without an ACK (simultaneous open)
 *	ESTABLISHED	    FIN and RST leave it, nothing else
 *	FIN_IN, FIN_OUT	    one side has closed; the other may still send
 *	FIN_BOTH	    waits for what is under way
 *	TRANS		    after a RST; anything but a RST re-establishes it,
 *			    because the receiver may have refused the RST
 *
 * A SYN in FIN_BOTH or TRANS opens the next connection of the same ports: it
 * has to be answered before it lives for hours.
 *
 * Of the sequence numbers only what a RST needs is kept: what each side waits
 * for and its window (RFC 5961).  A RST outside is not passed.
 *
 * Lines: 5382-2 5382-2a 5382-5i 5382-5ii 7857-2 7857-2.1a 7857-2.2a
 * 7857-2.2b 7857-2.2c 7857-7.1 5961-rst 5961-syn 5961-oow
 */
#include "nat/core.h"
#include "nat/plain.h"

enum what { W_DATA, W_SYN, W_FIN, W_RST, N_WHAT };

#define STAY	N_NAT_TCP

#define INIT_I	NAT_TCP_INIT_IN
#define INIT_O	NAT_TCP_INIT_OUT
#define ESTAB	NAT_TCP_ESTABLISHED
#define FIN_I	NAT_TCP_FIN_IN
#define FIN_O	NAT_TCP_FIN_OUT
#define FIN_B	NAT_TCP_FIN_BOTH
#define TRANS	NAT_TCP_TRANS

/* Where it goes, by state, by what it is, by enum nat_side of the sender */
static const uint8_t next_state[N_NAT_TCP][N_WHAT][2] = {
	/*	     DATA		SYN		  FIN		    RST */
	[INIT_I] = { { STAY, STAY },   { STAY, ESTAB },  { STAY, STAY },   { STAY, STAY } },
	[INIT_O] = { { STAY, STAY },   { ESTAB, STAY },  { STAY, STAY },   { STAY, STAY } },
	[ESTAB] =  { { STAY, STAY },   { STAY, STAY },   { FIN_I, FIN_O }, { TRANS, TRANS } },
	[FIN_I] =  { { STAY, STAY },   { STAY, STAY },   { STAY, FIN_B },  { TRANS, TRANS } },
	[FIN_O] =  { { STAY, STAY },   { STAY, STAY },   { FIN_B, STAY },  { TRANS, TRANS } },
	[FIN_B] =  { { STAY, STAY },   { INIT_I, INIT_O }, { STAY, STAY }, { STAY, STAY } },
	[TRANS] =  { { ESTAB, ESTAB }, { INIT_I, INIT_O }, { ESTAB, ESTAB }, { STAY, STAY } },
};

static const uint8_t timer_of[N_NAT_TCP] = {
	[INIT_I] = NAT_T_TCP_OPEN, [INIT_O] = NAT_T_TCP_OPEN, [ESTAB] = NAT_T_TCP,
	[FIN_I] = NAT_T_TCP, [FIN_O] = NAT_T_TCP, [FIN_B] = NAT_T_TCP_CLOSE,
	[TRANS] = NAT_T_TCP_CLOSE,
};

static enum what what_of(uint8_t flags)
{
	if ((flags & TCP_FLAG_RST) != 0)
		return W_RST;
	if ((flags & TCP_FLAG_SYN) != 0)
		return W_SYN;
	return (flags & TCP_FLAG_FIN) != 0 ? W_FIN : W_DATA;
}

/* The shift in a SYN's window scale option */
static uint8_t scale_of(const uint8_t *tcp)
{
	const uint8_t *end = tcp + (tcp[12] >> 4) * 4, *o = tcp + 20;

	while (o < end && *o != 0) {
		if (*o == 1) {
			o++;
			continue;
		}
		if (end - o < 2 || o[1] < 2 || o[1] > end - o)
			break;
		if (o[0] == 3 && o[1] == 3)
			return MIN(o[2], 14);
		o += o[1];
	}
	return 0;
}

static uint32_t window_of(const struct session *s, enum nat_side side)
{
	const unsigned int shift = side == NAT_INSIDE ? s->wscale & 15u : s->wscale >> 4;

	return MAX((uint32_t)s->win[side] << shift, 1u);
}

bool tcp_is_in_window(const struct session *s, enum nat_side side, uint32_t seq)
{
	const enum nat_side other = side == NAT_INSIDE ? NAT_OUTSIDE : NAT_INSIDE;

	if ((s->acked >> other & 1) == 0)
		return true;
	return seq - s->ack[other] < window_of(s, other);
}

static void note_numbers(struct session *s, const struct view *v, enum what what)
{
	if (what == W_SYN) {
		const uint8_t scale = scale_of(v->ip + v->l4);

		s->wscale = v->from == NAT_INSIDE ? (uint8_t)((s->wscale & 0xf0) | scale)
						  : (uint8_t)((s->wscale & 0x0f) | scale << 4);
	}
	if (what != W_RST)
		plain_note_ack(s, v);
}

enum nat_reason tcp_track(struct nat *nat, struct session *s, const struct view *v)
{
	const enum what what = what_of(v->tcp_flags);
	const uint8_t syn_fin = TCP_FLAG_SYN | TCP_FLAG_FIN;
	uint8_t to;

	BUG_IF(s->tcp == NAT_TCP_NONE || s->tcp >= N_NAT_TCP);
	if ((v->tcp_flags & syn_fin) == syn_fin)
		return NAT_R_TCP_FLAGS;
	if (what == W_RST && !tcp_is_in_window(s, v->from, get32(v->ip + v->l4 + 4)))
		return NAT_R_RST_WINDOW;
	note_numbers(s, v, what);
	to = next_state[s->tcp][what][v->from];
	/*
	 * A RST that answers what came in keeps nothing alive (RFC 7857 7.1), nor
	 * does a peer that nobody answers
	 */
	if (to != STAY || (what != W_RST && (s->tcp != INIT_O || v->from == NAT_INSIDE)))
		s->seen = nat->now;
	if (to == STAY)
		return NAT_R_NONE;
	if (what == W_SYN && to != ESTAB)
		s->acked = 0;
	s->tcp = to;
	session_retime(nat, s, timer_of[to]);
	return NAT_R_NONE;
}
