/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Numbers of headers, and the owner of a socket.  Each is tested beside the family
 * or protocol that has it, so that "not" is true of all others.
 */
#include "lang/ipfw/lower.h"
#include "net/names.h"

/* Protocols whose packets ipfw looks the sockets of up */
static const struct set *set_of_sockets(struct arena *a)
{
	struct ranges rs = { 0 };

	ranges_add(a, &rs, AF_NONE, PROTO_TCP, PROTO_TCP);
	ranges_add(a, &rs, AF_NONE, PROTO_UDP, PROTO_UDP);
	ranges_add(a, &rs, AF_NONE, PROTO_UDPLITE, PROTO_UDPLITE);
	return set_make(a, &rs);
}

/* A number, and what has such a number */
struct dnf lower_head(struct lower *l, const struct ipfw_insn *n)
{
	const enum field f = (enum field)(F_TTL + n->head);
	struct arena *a = l->a;
	struct dnf local;

	switch (n->head) {
	case HEAD_TTL:
	case HEAD_ID:
		return dnf_test2(a, F_AF, set_one(a, AF_V4), f, n->set);
	case HEAD_FLOWID:
		return dnf_test2(a, F_AF, set_one(a, AF_V6), f, n->set);
	case HEAD_WIN:
	case HEAD_SEQ:
	case HEAD_ACK:
		return dnf_test2(a, F_PROTO, set_one(a, PROTO_TCP), f, n->set);
	case HEAD_UID:
	case HEAD_GID:
		local = dnf_test(a, F_PROTO, set_of_sockets(a));
		local.list.v[0].f[f] = n->set;
		return local;
	default:
		return dnf_test(a, f, n->set);
	}
}

/* Linux knows the owner of what is sent only, and not of everything */
static void check_owner(struct lower *l, const struct ipfw_insn *n, const struct dnf *d)
{
	const struct set *out = set_one(l->a, DIR_OUT);

	if (n->is_not)
		diag_add(l->c->diags, DIAG_E2004, n->at, "'not uid' is not possible here: nftables "
			 "cannot tell what no socket sends from what another's does");
	for (uint32_t i = 0; !n->is_not && i < d->list.n; i++) {
		const struct conj *c = &d->list.v[i];

		if (c->f[F_UID] == NULL || (c->f[F_DIR] != NULL && set_equal(c->f[F_DIR], out)))
			continue;
		diag_add(l->c->diags, DIAG_E2004, n->at, "'uid' of packets that come in is not "
			 "possible here: Linux knows the owner only of what a process sends");
		diag_help(l->c->diags, "write 'out' into the rule; keep-state lets the answers in");
		return;
	}
}

/* Joined or cut on its way: TCP but for a SYN, and UDP */
static bool may_be_joined(const struct conj *c)
{
	const struct set *protos = c->f[F_PROTO], *flags = c->f[F_TCPFLAGS];

	if (protos == NULL || set_has(protos, AF_NONE, PROTO_UDP))
		return true;
	return set_has(protos, AF_NONE, PROTO_TCP) &&
	       (flags == NULL || set_has(flags, AF_NONE, TCP_FLAG_ACK));
}

static void note_joined(struct lower *l, const struct ipfw_insn *n, const struct dnf *d)
{
	for (uint32_t i = 0; i < d->list.n; i++) {
		if (!may_be_joined(&d->list.v[i]))
			continue;
		diag_add(l->c->diags, DIAG_N2045, n->at, "of %s this is asked of what Linux has "
			 "joined, or not yet cut", n->head >= HEAD_WIN ? "TCP" : "TCP and UDP");
		return;
	}
}

void lower_heads(struct lower *l, const struct ipfw_rule *r, const struct dnf *d)
{
	for (uint32_t i = 0; i < r->insns.n; i++) {
		const struct ipfw_insn *n = &r->insns.v[i];

		if (n->kind != INSN_HEAD)
			continue;
		if (n->head == HEAD_UID)
			check_owner(l, n, d);
		else if (n->head != HEAD_TTL && n->head != HEAD_FLOWID)
			note_joined(l, n, d);
	}
}
