/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The states of the world are counted anew for each packet: here only what is
 * right matters.  The source of a state is the one that the filter saw.
 */
#include "model/limit.h"

/* States that one more would be counted with: all, of its source, of TCP; and sources */
struct census {
	uint32_t all;
	uint32_t src;
	uint32_t conns;
	uint32_t nodes;
};

uint8_t limit_grown(const struct world *w, struct addr a)
{
	for (uint32_t i = 0; i < w->grown.n; i++)
		if (addr_equal(w->grown.v[i].a, a))
			return w->grown.v[i].tables;
	return 0;
}

/* Are the sources of a state counted together with those of @limit */
static bool is_counted(const struct model *m, const struct state *s, uint32_t limit)
{
	return s->limit == limit ||
	       (s->limit != 0 && m->limits.v[limit - 1].is_global &&
		m->limits.v[s->limit - 1].is_global);
}

/* Is state number @n the first of its source */
static bool is_new_node(const struct model *m, const struct world *w, uint32_t n, uint32_t limit)
{
	for (uint32_t i = 0; i < n; i++)
		if (is_counted(m, &w->states.v[i], limit) &&
		    addr_equal(w->states.v[i].after.src, w->states.v[n].after.src))
			return false;
	return true;
}

static struct census count_states(const struct model *m, const struct world *w, uint32_t limit,
				  struct addr src)
{
	struct census c = { .all = 0 };

	for (uint32_t i = 0; i < w->states.n; i++) {
		const struct state *s = &w->states.v[i];

		c.all += s->limit == limit;
		if (!is_counted(m, s, limit))
			continue;
		c.nodes += is_new_node(m, w, i, limit);
		if (!addr_equal(s->after.src, src))
			continue;
		c.src++;
		c.conns += s->before.proto == PROTO_TCP;
	}
	return c;
}

static void grow_table(struct world *w, uint8_t table, struct addr a)
{
	for (uint32_t i = 0; i < w->grown.n; i++) {
		if (addr_equal(w->grown.v[i].a, a)) {
			w->grown.v[i].tables |= (uint8_t)(1u << table);
			return;
		}
	}
	vec_add(w->a, &w->grown, ((struct grown_addr){ a, (uint8_t)(1u << table) }));
}

bool limit_is_met(const struct model *m, struct world *w, uint32_t limit,
		  const struct packet *p)
{
	const struct state_limit *l;
	struct census c;

	if (limit == 0)
		return false;
	l = &m->limits.v[limit - 1];
	c = count_states(m, w, limit, p->src);
	if ((l->max != 0 && c.all >= l->max) ||
	    (l->max_src_states != 0 && c.src >= l->max_src_states) ||
	    (l->max_src_nodes != 0 && c.src == 0 && c.nodes >= l->max_src_nodes))
		return true;
	if (p->proto != PROTO_TCP ||
	    !((l->max_src_conn != 0 && c.conns >= l->max_src_conn) ||
	      (l->rate != 0 && c.conns >= l->rate)))
		return false;
	if (l->grown != 0)
		grow_table(w, l->grown - 1u, p->src);
	return true;
}
