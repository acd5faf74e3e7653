/* SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>

#include "cli/forwards.h"

/* Does a counter count this forward, and perhaps others of its rule */
static bool counts_it(const struct nft_count *x, const struct cli_forward *f)
{
	if (x->origin.at.src != f->origin.at.src || x->origin.at.lo != f->origin.at.lo ||
	    x->origin.at.hi != f->origin.at.hi)
		return false;
	if (!x->is_forward)
		return true;
	return (f->dst == NULL || (f->dst->af == x->dst.af && f->dst->lo <= x->dst.v &&
				   x->dst.v <= f->dst->hi)) &&
	       (f->ports == NULL || (f->ports->lo <= x->dport && x->dport <= f->ports->hi));
}

static struct cli_used by_rules(const struct nft_counts *counts, const struct cli_forward *f)
{
	struct cli_used sum = { .packets = 0 };

	for (uint32_t i = 0; i < counts->list.n; i++) {
		if (counts_it(&counts->list.v[i], f)) {
			sum.packets += counts->list.v[i].packets;
			sum.bytes += counts->list.v[i].bytes;
		}
	}
	return sum;
}

/* Places of one protocol; adds to @sum */
static void add_places(const struct nft_traffics *t, const struct cli_forward *f, uint8_t proto,
		       int64_t now, struct cli_used *sum)
{
	const struct addr dst = { f->dst->af, f->dst->lo };
	uint32_t i = nft_traffic_from(t, proto, dst, (uint16_t)f->ports->lo);

	for (; i < t->list.n; i++) {
		const struct nft_traffic *x = &t->list.v[i];
		const int64_t last = now - (int64_t)(x->idle_ms / 1000);

		if (x->proto != proto || x->dst.af != dst.af || x->dst.v > f->dst->hi)
			break;
		if (x->dport < f->ports->lo || x->dport > f->ports->hi)
			continue;
		sum->packets += x->packets;
		sum->bytes += x->bytes;
		sum->last = MAX(sum->last, last);
	}
}

struct cli_used cli_forward_used(const struct cli_counters *counters, const struct cli_forward *f)
{
	const int64_t now = (int64_t)time(NULL);
	struct cli_used sum = { .is_traffic = true };

	if (!f->is_live)
		return (struct cli_used){ .is_traffic = counters->has_traffic };
	if (!counters->has_traffic || f->protos == 0 || f->dst == NULL || f->ports == NULL)
		return by_rules(&counters->rules, f);
	if ((f->protos & DECL_TCP) != 0)
		add_places(&counters->traffic, f, PROTO_TCP, now, &sum);
	if ((f->protos & DECL_UDP) != 0)
		add_places(&counters->traffic, f, PROTO_UDP, now, &sum);
	return sum;
}

uint64_t cli_forward_flows(const struct cli_counters *counters, const struct cli_forward *f)
{
	return f->is_live ? by_rules(&counters->rules, f).packets : 0;
}

int cli_counters_read(struct cli *c, struct nl_session *filter, const struct nft_program *p,
		      struct cli_counters *ret)
{
	const int err = nft_counters(filter, p, &c->arena, &ret->rules);

	return err < 0 ? err :
	       nft_traffic_read(filter, p, &c->arena, &ret->traffic, &ret->has_traffic);
}
