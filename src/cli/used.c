/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <time.h>

#include "base/search.h"
#include "cli/forwards.h"
#include "cli/nat_ask.h"

static int num_cmp(u128 a, u128 b)
{
	return (a > b) - (a < b);
}

static int origin_cmp(struct span a, struct span b)
{
	const int src = num_cmp(a.src, b.src), lo = num_cmp(a.lo, b.lo);

	return src != 0 ? src : lo != 0 ? lo : num_cmp(a.hi, b.hi);
}

/* By rule; those of the whole rule first, then its places */
static int count_cmp(const void *a, const void *b)
{
	const struct nft_count *x = a, *y = b;
	const int steps[] = {
		origin_cmp(x->origin.at, y->origin.at), num_cmp(x->is_forward, y->is_forward),
		num_cmp(x->dst.af, y->dst.af), num_cmp(x->dst.v, y->dst.v),
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (steps[i] != 0)
			return steps[i];
	return num_cmp(x->dport, y->dport);
}

/* The sum of what is counted from @first to @last */
static void add_counts(const struct nft_counts *counts, const struct nft_count *first,
		       const struct nft_count *last, const struct range *ports,
		       struct cli_used *sum)
{
	uint32_t i = base_lower_bound(counts->list.v, counts->list.n, sizeof(*counts->list.v),
				      first, count_cmp);

	for (; i < counts->list.n; i++) {
		const struct nft_count *x = &counts->list.v[i];

		if (count_cmp(x, last) > 0)
			break;
		if (ports != NULL && (x->dport < ports->lo || x->dport > ports->hi))
			continue;
		sum->packets += x->packets;
		sum->bytes += x->bytes;
	}
}

/* What counts this forward, and perhaps others of its rule */
static struct cli_used by_rules(const struct nft_counts *counts, const struct cli_forward *f)
{
	struct nft_count first = { .origin = f->origin }, last = first;
	struct cli_used sum = { .packets = 0 };

	add_counts(counts, &first, &last, NULL, &sum);
	first.is_forward = last.is_forward = true;
	last.dst = (struct addr){ UINT8_MAX, 0 };
	last.dport = UINT16_MAX;
	if (f->dst != NULL) {
		first.dst = (struct addr){ f->dst->af, f->dst->lo };
		last.dst = (struct addr){ f->dst->af, f->dst->hi };
	}
	if (f->dst != NULL && f->ports != NULL) {
		first.dport = (uint16_t)f->ports->lo;
		last.dport = (uint16_t)f->ports->hi;
	}
	add_counts(counts, &first, &last, f->ports, &sum);
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
	int err = nft_counters(filter, p, &c->arena, &ret->rules);

	if (err < 0)
		return err;
	if (ret->rules.list.n > 0)
		qsort(ret->rules.list.v, ret->rules.list.n, sizeof(*ret->rules.list.v), count_cmp);
	err = nft_traffic_read(filter, p, &c->arena, &ret->traffic, &ret->has_traffic);
	return err == 0 ? nat_ask_traffic(c, &ret->traffic, &ret->has_traffic) : err;
}
