/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A state of pf is a leg of a flow of conntrack: the ct mark says which legs a rule
 * let in or out with a state (see nft_state_bit()).  A forwarded flow has two of them,
 * as in pf.  One cannot be killed without the other, as the kernel forgets flows.
 *
 * The wire side of a state is what its packets have on the interface, the stack side
 * what the rest of the host sees: inbound the destination differs where an rdr
 * translated, outbound the source where a nat did.
 */
#include "cli/pfctl_leg.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <string.h>

#include "cli/pfowner.h"

static struct leg leg_of(const struct conntrack_flow *f, enum direction dir)
{
	const struct conntrack_tuple *o = &f->orig, *r = &f->reply;
	struct leg l = { .flow = f, .dir = dir, .peer = {
		{ o->src, o->sport, o->src, o->sport }, { r->src, r->sport, r->src, r->sport } } };

	if (dir == DIR_IN) {
		l.peer[1].wire = o->dst;
		l.peer[1].wire_port = o->dport;
	} else {
		l.peer[0].wire = r->dst;
		l.peer[0].wire_port = r->dport;
	}
	return l;
}

static uint32_t bit_of(enum direction dir)
{
	struct nft_options o;

	nft_options_init(&o);
	return nft_state_bit(&o, dir);
}

int legs_read(struct pfctl *p, struct nl_session *nl, struct legs *ret)
{
	const uint32_t bits[2] = { bit_of(DIR_IN), bit_of(DIR_OUT) };
	struct arena *a = &p->c->arena;
	struct conntrack_flows flows = { .list = { .n = 0 } };
	int err = nl_open(nl, NETLINK_NETFILTER);

	if (err == 0)
		err = conntrack_list(nl, a, bits[DIR_IN] | bits[DIR_OUT], &flows);
	if (err < 0)
		return err;
	for (uint32_t i = 0; i < flows.list.n; i++)
		for (int dir = DIR_IN; dir <= DIR_OUT; dir++)
			if ((flows.list.v[i].mark & bits[dir]) != 0)
				vec_add(a, &ret->list, leg_of(&flows.list.v[i],
							      (enum direction)dir));
	return 0;
}

int64_t pfctl_count_states(struct pfctl *p)
{
	CLEANUP(nl_close) struct nl_session nl = { .fd = -1 };
	struct legs legs = { .list = { 0 } };

	return legs_read(p, &nl, &legs) < 0 ? -1 : (int64_t)legs.list.n;
}

const struct pfctl_owners *pfctl_owners(struct pfctl *p)
{
	CLEANUP(nl_close) struct nl_session nl = { .fd = -1 };
	struct legs legs = { .list = { 0 } };

	if (p->owners != NULL)
		return p->owners;
	p->owners = arena_new(&p->c->arena, struct pfctl_owners);
	pfctl_read_counts(p);
	if (legs_read(p, &nl, &legs) < 0)
		return p->owners;
	for (uint32_t i = 0; i < legs.list.n; i++)
		vec_add(&p->c->arena, &p->owners->list,
			pfowner_of(&p->d.model, legs.list.v[i].flow, legs.list.v[i].dir));
	return p->owners;
}

/* ---- -s states ---------------------------------------------------------------- */

static void print_host(FILE *out, struct addr a, uint16_t port)
{
	char buf[ADDR_TEXT_BYTES];

	fputs(addr_print(a, buf), out);
	if (port != 0)
		fprintf(out, a.af == AF_V4 ? ":%u" : "[%u]", port);
}

/* An end as the host sees it, and in parentheses its other side */
static void print_end(FILE *out, const struct end *e, enum direction dir)
{
	const bool differs = !addr_equal(e->a, e->wire) || e->port != e->wire_port;
	const bool wire_first = dir == DIR_OUT;

	print_host(out, wire_first ? e->wire : e->a, wire_first ? e->wire_port : e->port);
	if (!differs)
		return;
	fputs(" (", out);
	print_host(out, wire_first ? e->a : e->wire, wire_first ? e->port : e->wire_port);
	putc(')', out);
}

/* What pf calls the states of both ends, the first packet's sender first */
static const char *const *tcp_words(const struct conntrack_flow *f)
{
	static const char *const rows[][2] = {
		[TCP_CONNTRACK_NONE] = { "CLOSED", "CLOSED" },
		[TCP_CONNTRACK_SYN_SENT] = { "SYN_SENT", "CLOSED" },
		[TCP_CONNTRACK_SYN_RECV] = { "ESTABLISHED", "SYN_SENT" },
		[TCP_CONNTRACK_ESTABLISHED] = { "ESTABLISHED", "ESTABLISHED" },
		[TCP_CONNTRACK_FIN_WAIT] = { "CLOSING", "ESTABLISHED" },
		[TCP_CONNTRACK_CLOSE_WAIT] = { "FIN_WAIT_2", "ESTABLISHED" },
		[TCP_CONNTRACK_LAST_ACK] = { "FIN_WAIT_2", "CLOSING" },
		[TCP_CONNTRACK_TIME_WAIT] = { "FIN_WAIT_2", "FIN_WAIT_2" },
		[TCP_CONNTRACK_CLOSE] = { "TIME_WAIT", "TIME_WAIT" },
		[TCP_CONNTRACK_SYN_SENT2] = { "SYN_SENT", "SYN_SENT" },
	};

	return rows[f->tcp_state < ARRAY_SIZE(rows) ? f->tcp_state : 0];
}

static const char *const *other_words(const struct conntrack_flow *f)
{
	static const char *const rows[][2] = {
		{ "SINGLE", "NO_TRAFFIC" }, { "MULTIPLE", "SINGLE" }, { "MULTIPLE", "MULTIPLE" },
	};

	return rows[(f->status & IPS_ASSURED) != 0 ? 2 : (f->status & IPS_SEEN_REPLY) != 0];
}

/* pf says first the end that stands first, outbound the sender's */
static void print_words(FILE *out, const struct leg *l)
{
	const struct conntrack_flow *f = l->flow;
	const bool is_tcp = f->proto == PROTO_TCP;
	const char *const *w = is_tcp ? tcp_words(f) : other_words(f);
	const bool turn = (is_tcp && f->closed_by == 1) != (l->dir == DIR_IN);

	if (f->proto == PROTO_ICMP || f->proto == PROTO_ICMP6)
		fputs("       0:0\n", out);
	else
		fprintf(out, "       %s:%s\n", w[turn], w[!turn]);
}

static void print_more(FILE *out, const struct leg *l)
{
	const struct conntrack_flow *f = l->flow;
	const uint32_t s = f->timeout_s;

	fprintf(out, "   age ?, expires in %.2u:%.2u:%.2u", s / 3600, s / 60 % 60, s % 60);
	if (f->count[0].packets + f->count[1].packets > 0)
		fprintf(out, ", %llu:%llu pkts, %llu:%llu bytes",
			(unsigned long long)f->count[0].packets,
			(unsigned long long)f->count[1].packets,
			(unsigned long long)f->count[0].bytes,
			(unsigned long long)f->count[1].bytes);
	putc('\n', out);
}

uint64_t leg_id(const struct leg *l)
{
	return (uint64_t)(l->dir == DIR_OUT ? 2 : 1) << 32 | l->flow->id;
}

static void print_leg(struct pfctl *p, const struct leg *l)
{
	FILE *out = p->c->out;
	const char *name = proto_name(l->flow->proto);

	if (name != NULL)
		fprintf(out, "all %s ", name);
	else
		fprintf(out, "all %u ", l->flow->proto);
	print_end(out, &l->peer[l->dir == DIR_IN], l->dir);
	fputs(l->dir == DIR_OUT ? " -> " : " <- ", out);
	print_end(out, &l->peer[l->dir == DIR_OUT], l->dir);
	print_words(out, l);
	if (p->verbose > 0)
		print_more(out, l);
	if (p->verbose > 1)
		fprintf(out, "   id: %016llx creatorid: 00000000\n", (unsigned long long)leg_id(l));
}

bool leg_is_of_iface(const struct pfctl *p)
{
	return p->iface == NULL || strcmp(p->iface, "all") == 0;
}

bool pfctl_show_states(struct pfctl *p, bool title)
{
	CLEANUP(nl_close) struct nl_session nl = { .fd = -1 };
	struct legs legs = { .list = { 0 } };
	const int err = legs_read(p, &nl, &legs);

	if (err < 0)
		return pfctl_warn(p, "cannot list the states: %s", strerror(-err));
	if (!leg_is_of_iface(p))
		return true;
	if (title && legs.list.n > 0)
		pfctl_title(p, "STATES:");
	for (uint32_t i = 0; i < legs.list.n; i++)
		print_leg(p, &legs.list.v[i]);
	return true;
}
