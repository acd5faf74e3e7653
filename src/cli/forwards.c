/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/forwards.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/addr_index.h"
#include "model/forward.h"
#include "model/portmap.h"

/* Listing under way */
struct listing {
	struct cli *c;
	const struct declared *d;
	struct arena *a;	/* of a row */
	cli_forward_fn *fn;
	void *arg;
	VEC(const struct decl_forward *) ending;	/* that have an end */
	struct addr_index by_addr;	/* numbers of jails */
};

/* What the rows of a rule have in common */
struct common {
	const struct set *src;
	const struct set *iface;
	const struct set *proto;
	struct origin origin;
};

/* A set as set_print() shows it, without the braces of a single member */
static const char *set_text(struct listing *l, enum field f, const struct set *s)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out;
	const char *copy;

	if (s == NULL)
		return "any";
	out = open_memstream(&text, &len);
	BUG_IF(out == NULL);
	set_print(&l->d->model, f, s, out);
	fclose(out);
	copy = arena_strndup(l->a, text, len);
	if (copy[0] == '{' && memchr(copy, ',', len) == NULL)
		copy = arena_strndup(l->a, copy + 1, len - 2);
	return copy;
}

static const char *proto_text(struct listing *l, const struct set *s, uint8_t *ret_protos)
{
	const bool tcp = s != NULL && set_has(s, AF_NONE, PROTO_TCP);
	const bool udp = s != NULL && set_has(s, AF_NONE, PROTO_UDP);
	const char *name;
	u128 n = 0;

	for (uint32_t i = 0; s != NULL && i < s->n; i++)
		n += s->r[i].hi - s->r[i].lo + 1;
	*ret_protos = n != (u128)tcp + udp ? 0 :
		      (uint8_t)((tcp ? DECL_TCP : 0u) | (udp ? DECL_UDP : 0u));

	if (s != NULL && s->n == 1 && s->r[0].lo == s->r[0].hi) {
		name = proto_name((uint8_t)s->r[0].lo);
		return name != NULL ? name : set_text(l, F_PROTO, s);
	}
	if (tcp && udp && s->n == 2 && s->r[0].lo == s->r[0].hi && s->r[1].lo == s->r[1].hi)
		return "tcp+udp";
	return set_text(l, F_PROTO, s);
}

/* "A:P", "A:P-Q", "A"; A may be a prefix or a range */
static const char *end_text(struct listing *l, const char *addr, bool v6, bool has_ports,
			    uint32_t lo, uint32_t hi)
{
	struct arena *a = l->a;
	const char *open = v6 && has_ports ? "[" : "", *close = v6 && has_ports ? "]" : "";

	if (!has_ports)
		return addr;
	if (lo == hi)
		return arena_printf(a, "%s%s%s:%u", open, addr, close, lo);
	return arena_printf(a, "%s%s%s:%u-%u", open, addr, close, lo, hi);
}

struct first_prefix {
	struct prefix p;
	uint32_t n;
};

static void count_prefix(struct prefix p, void *arg)
{
	struct first_prefix *f = arg;

	if (f->n++ == 0)
		f->p = p;
}

static const char *range_text(struct listing *l, const struct range *r)
{
	struct first_prefix f = { .n = 0 };
	char lo[ADDR_TEXT_BYTES], hi[ADDR_TEXT_BYTES];

	set_to_prefixes(*r, count_prefix, &f);
	if (f.n == 1 && f.p.len == addr_bits(r->af))
		return arena_printf(l->a, "%s", addr_print(f.p.a, lo));
	if (f.n == 1)
		return arena_printf(l->a, "%s", prefix_print(f.p, lo));
	return arena_printf(l->a, "%s-%s", addr_print((struct addr){ r->af, r->lo }, lo),
			    addr_print((struct addr){ r->af, r->hi }, hi));
}

static void index_jails(struct listing *l)
{
	const struct decl *d = &l->d->decl;
	uint32_t n = 0;

	for (uint32_t i = 0; i < d->jails.n; i++)
		n += d->jails.v[i].addrs.n;
	l->by_addr.v = arena_array(&l->c->arena, struct addr_slot, n);
	for (uint32_t i = 0; i < d->jails.n; i++)
		for (uint32_t k = 0; k < d->jails.v[i].addrs.n; k++)
			l->by_addr.v[l->by_addr.n++] = (struct addr_slot){
				d->jails.v[i].addrs.v[k].p.a, i };
	addr_index_sort(&l->by_addr);
}

/* As decl_jail_of(), which goes through all: there may be as many rows as addresses */
static const struct decl_jail *jail_of(const struct listing *l, struct addr a)
{
	const struct decl_jail *down = NULL;

	addr_index_each(&l->by_addr, a, slot) {
		const struct decl_jail *j = &l->d->decl.jails.v[l->by_addr.v[slot].i];

		if (j->is_enabled)
			return j;
		if (down == NULL)
			down = j;
	}
	return down;
}

static const char *internal_text(struct listing *l, const struct xlate *x, uint8_t af,
				 const struct range *ports, const struct decl_jail **jail)
{
	char buf[ADDR_TEXT_BYTES];
	const char *addr = NULL;
	uint32_t lo = ports != NULL ? (uint32_t)ports->lo : 0;
	uint32_t hi = ports != NULL ? (uint32_t)ports->hi : 0;

	*jail = NULL;
	for (uint32_t i = 0; i < x->to.n; i++) {
		const struct decl_jail *j = jail_of(l, x->to.v[i]);

		if (x->to.v[i].af != af && af != AF_NONE)
			continue;
		addr_print(x->to.v[i], buf);
		addr = addr == NULL ? arena_printf(l->a, "%s", buf) :
			arena_printf(l->a, "%s,%s", addr, buf);
		if (*jail == NULL && j != NULL)
			*jail = j;
	}
	if (x->port == XP_TO) {
		lo = hi = x->lo;
	} else if (x->port == XP_SHIFT) {
		lo = xlate_shift(x, (uint16_t)lo);
		hi = xlate_shift(x, (uint16_t)hi);
	}
	return addr == NULL ? NULL : end_text(l, addr, af == AF_V6,
					      ports != NULL || x->port == XP_TO, lo, hi);
}

/* When the forward that stands at a place ends */
static int64_t until_of(const struct listing *l, struct span at)
{
	for (uint32_t i = 0; i < l->ending.n; i++)
		if (l->ending.v[i]->at.src == at.src && l->ending.v[i]->at.lo == at.lo)
			return l->ending.v[i]->until;
	return 0;
}

static void find_ending(struct listing *l)
{
	for (uint32_t i = 0; i < l->d->decl.jails.n; i++) {
		const struct decl_jail *j = &l->d->decl.jails.v[i];

		for (uint32_t n = 0; n < j->forwards.n; n++)
			if (j->forwards.v[n].until != 0)
				vec_add(&l->c->arena, &l->ending, &j->forwards.v[n]);
	}
}

/* Tell of a row, which is gone then */
static void give(struct listing *l, struct cli_forward *row)
{
	row->place = cli_place_in(l->c, l->a, row->origin.at);
	l->fn(l->c, row, l->arg);
}

static void give_row(struct listing *l, const struct common *r, const struct xlate *x,
		     const struct range *dst, const struct range *ports)
{
	struct cli_forward row = {
		.from = set_text(l, F_SRC, r->src), .on = set_text(l, F_IFACE, r->iface),
		.origin = r->origin, .dst = dst, .ports = ports, .is_live = true,
		.until = until_of(l, r->origin.at),
	};
	const uint8_t af = dst != NULL ? dst->af : x->to.n > 0 ? x->to.v[0].af : AF_V4;

	row.proto = proto_text(l, r->proto, &row.protos);
	row.external = end_text(l, dst != NULL ? range_text(l, dst) : "any",
				af == AF_V6 && dst != NULL, ports != NULL,
				ports != NULL ? (uint32_t)ports->lo : 0,
				ports != NULL ? (uint32_t)ports->hi : 0);
	row.internal = internal_text(l, x, af, ports, &row.jail);
	if (row.internal != NULL)
		give(l, &row);
}

static void give_rule(struct listing *l, const struct rule *r, const struct xlate *x)
{
	const struct set *dst = rule_tests(r, F_DST);
	const struct set *ports = rule_tests(r, F_DPORT);
	const struct common c = { rule_tests(r, F_SRC), rule_tests(r, F_IFACE),
				  rule_tests(r, F_PROTO), r->origin };
	uint32_t i = 0;

	do {
		uint32_t j = 0;

		do {
			arena_clear(l->a);
			give_row(l, &c, x, dst != NULL ? &dst->r[i] : NULL,
				 ports != NULL ? &ports->r[j] : NULL);
		} while (ports != NULL && ++j < ports->n);
	} while (dst != NULL && ++i < dst->n);
}

/* The protocols of a row; NULL: the row of TCP has said it */
static const struct set *row_protos(struct listing *l, const struct portmap *map,
				    const struct portmap_row *row)
{
	const uint8_t other = row->proto == PROTO_TCP ? PROTO_UDP : PROTO_TCP;
	const struct portmap_row *twin = portmap_find(map, other, map->outside[row->outside],
						      row->lo);

	if (twin == NULL || twin->origin != row->origin || twin->hi != row->hi)
		return set_one(l->a, row->proto);
	return row->proto == PROTO_TCP ? set_union(l->a, set_one(l->a, PROTO_TCP),
						   set_one(l->a, PROTO_UDP)) : NULL;
}

/* A row as a rule by itself */
static void give_map_row(struct listing *l, const struct rule *from, const struct portmap_row *row)
{
	const struct portmap *map = from->map;
	const struct addr to = map->outside[row->outside];
	const struct range dst = { to.af, to.v, to.v }, ports = { AF_NONE, row->lo, row->hi };
	struct xlate x = { .kind = XL_DST, .lo = row->to, .from = row->lo };
	struct common c = { .iface = rule_tests(from, F_IFACE),
			    .origin = map->origins.v[row->origin] };

	arena_clear(l->a);
	c.proto = row_protos(l, map, row);
	if (c.proto == NULL)
		return;
	if (row->to != row->lo || row->is_one)
		x.port = row->is_one ? XP_TO : XP_SHIFT;
	x.hi = portmap_port(row, row->hi);
	vec_add(l->a, &x.to, map->inside.v[row->inside]);
	give_row(l, &c, &x, &dst, &ports);
}

/* The rows of a table in the order of their declarations */
static void give_map(struct listing *l, const struct rule *from)
{
	const struct portmap *map = from->map;
	uint32_t *next = arena_array(&l->c->arena, uint32_t, map->origins.n + 1);
	uint32_t *order = arena_array(&l->c->arena, uint32_t, map->rows.n);

	for (uint32_t i = 0; i < map->rows.n; i++)
		next[map->rows.v[i].origin + 1]++;
	for (uint32_t i = 1; i <= map->origins.n; i++)
		next[i] += next[i - 1];
	for (uint32_t i = 0; i < map->rows.n; i++)
		order[next[map->rows.v[i].origin]++] = i;
	for (uint32_t i = 0; i < map->rows.n; i++)
		give_map_row(l, from, &map->rows.v[order[i]]);
}

static const char *place_text(struct listing *l, struct addr a, uint32_t lo, uint32_t hi)
{
	char buf[ADDR_TEXT_BYTES];

	return end_text(l, a.af == AF_NONE ? "*" : addr_print(a, buf), a.af == AF_V6, true, lo, hi);
}

/* One row of a forward that is no rule now */
static void give_idle_row(struct listing *l, const struct decl_jail *j,
			 const struct decl_forward *f, const struct decl_ports *p, struct addr to)
{
	static const char *const protos[] = {
		[DECL_TCP] = "tcp", [DECL_UDP] = "udp", [DECL_TCP | DECL_UDP] = "tcp+udp",
	};
	struct addr inside = { AF_NONE, 0 };
	char buf[ADDR_TEXT_BYTES];
	struct cli_forward row = {
		.jail = j, .proto = protos[f->protos], .protos = f->protos, .from = "any",
		.on = f->on != NULL ? f->on : "any", .origin = { .at = f->at, .text = f->text },
		.until = f->until, .is_off = f->is_off,
	};

	arena_clear(l->a);
	for (uint32_t i = j->addrs.n; i-- > 0;)
		if (to.af == AF_NONE || j->addrs.v[i].p.a.af == to.af)
			inside = j->addrs.v[i].p.a;
	if (f->from.a.af != AF_NONE)
		row.from = arena_printf(l->a, "%s", f->from.len == addr_bits(f->from.a.af) ?
					addr_print(f->from.a, buf) : prefix_print(f->from, buf));
	row.external = place_text(l, to, p->ext_lo, p->ext_hi);
	row.internal = place_text(l, inside, p->int_lo, p->int_hi);
	give(l, &row);
}

static void give_idle(struct listing *l, const struct decl_jail *j, const struct decl_forward *f)
{
	struct forward_addrs to = { .list = { 0 } };

	(void)forward_externals(&l->d->facts, &l->d->decl, j, f, &to);
	if (to.list.n == 0)
		vec_add(&l->c->arena, &to.list, ((struct addr){ AF_NONE, 0 }));
	for (uint32_t i = 0; i < to.list.n; i++)
		for (uint32_t p = 0; p < f->ports.n; p++)
			give_idle_row(l, j, f, &f->ports.v[p], to.list.v[i]);
}

static void give_all_idle(struct listing *l)
{
	for (uint32_t i = 0; i < l->d->decl.jails.n; i++) {
		const struct decl_jail *j = &l->d->decl.jails.v[i];

		for (uint32_t n = 0; n < j->forwards.n; n++)
			if (j->forwards.v[n].is_off || !j->is_enabled || j->is_down)
				give_idle(l, j, &j->forwards.v[n]);
	}
}

void cli_forwards_each(struct cli *c, const struct declared *d, cli_forward_fn *fn, void *arg)
{
	struct arena row CLEANUP(arena_fini);
	struct listing l = { .c = c, .d = d, .a = &row, .fn = fn, .arg = arg };
	const struct model *m = &d->model;
	const struct rule_list *entry = &m->lists.v[m->entry[DIR_IN]];

	arena_init(&row, c->arena.cap_bytes);
	row.full = c->arena.full;
	find_ending(&l);
	index_jails(&l);
	for (uint32_t i = 0; i < entry->rules.n; i++) {
		const struct rule_list *called;

		if (entry->rules.v[i].exit != EX_CALL)
			continue;
		called = &m->lists.v[entry->rules.v[i].list];
		for (uint32_t j = 0; j < called->rules.n; j++) {
			const struct rule *r = &called->rules.v[j];
			const struct effect *e = rule_has_effect(r, EF_TRANSLATE);

			if (e == NULL || rule_is_never(r))
				continue;
			if (r->map != NULL)
				give_map(&l, r);
			else if (m->xlates.v[e->xlate].kind == XL_DST)
				give_rule(&l, r, &m->xlates.v[e->xlate]);
		}
	}
	give_all_idle(&l);
}

const char *cli_time_text(int64_t seconds, char *buf)
{
	const time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds == 0 || gmtime_r(&t, &tm) == NULL)
		return NULL;
	strftime(buf, CLI_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}

static void member(FILE *out, const char *name, const char *value)
{
	fprintf(out, "\"%s\": ", name);
	json_cstring(out, value);
	fputs(", ", out);
}

void cli_forward_json(struct cli *c, const struct cli_forward *f, const struct cli_used *n)
{
	char text[CLI_TIME_BYTES];

	putc('{', c->out);
	member(c->out, "jail", f->jail != NULL ? f->jail->name : NULL);
	member(c->out, "proto", f->proto);
	member(c->out, "from", f->from);
	member(c->out, "on", f->on);
	member(c->out, "external", f->external);
	member(c->out, "internal", f->internal);
	member(c->out, "source", f->place);
	member(c->out, "until", cli_time_text(f->until, text));
	member(c->out, "counted", n->is_traffic ? "packets" : "connections");
	member(c->out, "last_use", cli_time_text(n->last, text));
	fprintf(c->out, "\"packets\": %llu, \"bytes\": %llu, \"enabled\": %s, \"live\": %s}",
		(unsigned long long)n->packets, (unsigned long long)n->bytes,
		f->is_off ? "false" : "true", f->is_live ? "true" : "false");
}
