/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A forward that goes is known by its elements' comments.  It goes the long way where
 * it could be the last of its jail or of its address, since the rules are others then:
 * of what was counted at the start as many must be left as have gone since.
 *
 * What is sent is read again from its bytes, by the prover's own reader, and held
 * against the forward as it was declared; if it is not that, the long way is gone,
 * which proves all.
 *
 * One forward may be off; its elements are written down as they were, and it is the
 * only one that changes until it is on again.
 */
#include <netinet/in.h>
#include <string.h>

#include "base/limits.h"
#include "cli/confirm.h"
#include "cli/quick.h"
#include "cli/quick_state.h"
#include "cli/stale.h"
#include "host/listeners.h"
#include "host/netns.h"
#include "model/portmap.h"
#include "nl/nft.h"
#include "prove/elements.h"

#define ELEMS_MAX	64u	/* of one forward */
#define PLACES_MAX	256u	/* that are asked for one forward */
#define NAME_BYTES	256u

struct quick_elems {
	VEC(struct nft_forward) list;
};

/* Does a jail's name stand in the journal as it is */
static bool is_word(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '%')
			return false;
	return name[0] != '\0';
}

static bool is_plain(const struct cli *c, const struct kept_edit *e)
{
	const struct decl_forward *f = &e->f;
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->ports.n; i++)
		n += f->ports.v[i].ext_hi - f->ports.v[i].ext_lo + 1u;
	for (int i = 0; i < N_POLICIES; i++)
		if (c->policy.off[i])
			return false;
	return c->files.n == 0 && c->defines.n == 0 && !c->dry_run && e->until == 0 &&
	       is_word(e->jail) && f->from.a.af == AF_NONE && f->on == NULL && !f->is_log &&
	       !f->is_filtered && !f->is_shared && f->quota.max == 0 && f->quota.rate == 0 &&
	       n <= ELEMS_MAX;
}

static bool is_known(const struct quick *q, struct addr a)
{
	for (uint32_t i = 0; i < q->outside.list.n; i++)
		if (addr_equal(q->outside.list.v[i], a))
			return true;
	return false;
}

/* The elements for one outside address and protocol */
static void add_elems(struct cli *c, const struct decl_forward *f, struct addr to,
		      struct addr inside, uint8_t proto, struct quick_elems *ret)
{
	for (uint32_t i = 0; i < f->ports.n; i++) {
		const struct decl_ports *p = &f->ports.v[i];
		const struct portmap_row row = { .lo = p->ext_lo, .hi = p->ext_hi, .to = p->int_lo,
						 .is_one = p->int_hi == p->int_lo };

		for (uint32_t port = row.lo; port <= row.hi; port++)
			vec_add(&c->arena, &ret->list, ((struct nft_forward){
				.proto = proto, .outside = to, .port = (uint16_t)port,
				.inside = inside, .to = portmap_port(&row, (uint16_t)port) }));
	}
}

/* The elements of a forward; false where it is not plain where it leads */
static bool list_elems(struct cli *c, const struct quick *q, const struct decl_forward *f,
		       struct quick_elems *ret)
{
	struct forward_addrs to = q->own;
	uint32_t n[2] = { 0, 0 };

	if (f->to.af != AF_NONE) {
		to.list.n = 0;
		to.list.v = NULL;
		to.list.cap = 0;
		vec_add(&c->arena, &to.list, f->to);
	}
	for (uint32_t i = 0; i < to.list.n; i++) {
		const struct addr a = to.list.v[i], inside = q->inside[a.af == AF_V6];
		const uint32_t before = ret->list.n;

		if (inside.af == AF_NONE || addr_equal(inside, a) || !is_known(q, a) ||
		    q->maps[a.af == AF_V6].name == NULL)
			return false;
		if ((f->protos & DECL_TCP) != 0)
			add_elems(c, f, a, inside, IPPROTO_TCP, ret);
		if ((f->protos & DECL_UDP) != 0)
			add_elems(c, f, a, inside, IPPROTO_UDP, ret);
		n[a.af == AF_V6] += ret->list.n - before;
	}
	for (int i = 0; i < 2; i++)
		if (n[i] > 0 && !nft_forward_fits(q->now.n[i], n[i]))
			return false;
	return ret->list.n > 0;
}

/* Does nobody listen there, on the host or by the map */
static bool is_free(struct cli *c, struct nl_session *nl, const struct quick *q,
		    const struct quick_elems *v)
{
	struct sockdiag_socks socks;

	if (listeners_read(&c->arena, &socks) < 0)
		return false;
	for (uint32_t i = 0; i < v->list.n; i++) {
		const struct nft_forward *f = &v->list.v[i];

		for (uint32_t s = 0; s < socks.list.n; s++)
			if (listener_takes(&socks.list.v[s], f->proto, f->outside, f->port,
					   f->port))
				return false;
		if (nft_forward_find(nl, q->maps[f->outside.af == AF_V6].name, f) != -ENOENT)
			return false;
	}
	return true;
}

/**
 * struct change - What is to be
 * @e:		Change of the command line
 * @entry:	Its entry in the journal
 * @is_add:	The elements come; else they go
 * @v:		Elements; they get their comments if the change is a new forward
 * @n_gone:	What quick.now.n_gone becomes
 * @off:	What quick.off becomes
 */
struct change {
	const struct kept_edit *e;
	const char *entry;
	bool is_add;
	struct quick_elems *v;
	uint32_t n_gone;
	const char *off;
};

static void write_comments(struct cli *c, const struct change *x, uint32_t number)
{
	for (uint32_t i = 0; i < x->v->list.n; i++)
		x->v->list.v[i].comment = nft_forward_comment(&c->arena, KEPT_SOURCE, number,
			arena_printf(&c->arena, "forward %s %s", x->e->jail, x->e->words));
}

/* Write down what the change has made of it, unless others have made changes too */
static void settle(struct nl_session *nl, const struct state *st, const struct quick *q,
		   const struct change *x)
{
	struct quick_now now = { .n = { q->now.n[0], q->now.n[1] }, .n_gone = x->n_gone,
				 .n_flows = q->now.n_flows };

	for (uint32_t i = 0; i < x->v->list.n; i++)
		now.n[x->v->list.v[i].outside.af == AF_V6] += x->is_add ? 1u : UINT32_MAX;
	if (nl_genid(nl, &now.genid) == 0 && now.genid == q->now.genid + 1)
		(void)!quick_save_now(st, now, x->off);
}

static bool is_declared(void *want, const void *bytes, size_t len)
{
	return prove_elements(bytes, len, want);
}

/* Into the kernel what is declared, and nothing else */
static int carry_out(struct cli *c, struct nl_session *nl, const struct quick *q,
		     const struct change *x)
{
	const struct decl_forward *f = &x->e->f;
	const bool is_new = strcmp(x->e->verb, "add") == 0, is_one = f->to.af != AF_NONE;
	const struct forward_addrs *outside = is_new ? &q->own : &q->outside;
	struct prove_elements want = {
		.f = f, .is_add = x->is_add, .maps = { q->maps[0].name, q->maps[1].name },
		.outside = is_one ? &f->to : outside->list.v,
		.n_outside = is_one ? 1 : outside->list.n,
		.inside = { q->inside[0], q->inside[1] },
		.written = is_new ? NULL : x->v->list.v, .n = x->v->list.n,
	};
	const struct nft_check check = { is_declared, &want };

	if (is_new)
		want.n = prove_elements_count(f, want.n_outside);
	return (x->is_add ? nft_forward_add : nft_forward_del)(
		nl, q->now.genid, q->maps, x->v->list.v, x->v->list.n,
		c->no_verify ? NULL : &check);
}

/* Into the journal and the kernel, or into neither */
static bool make_so(struct cli *c, struct nl_session *nl, const struct state *st,
		    const struct quick *q, const struct change *x)
{
	char name[NAME_BYTES];
	const char *journal;
	int fd CLEANUP(base_fd_close) = -1;
	struct journal_place place;
	int err;

	if (netns_lasting_name(name, sizeof(name)) < 0 || !quick_void_now(st))
		return false;
	journal = arena_printf(&c->arena, "forwards-%s", name);
	fd = state_lib_open(c->state_dir, STATE_WRITE);
	if (fd < 0 || journal_append_last(fd, journal, q->most, x->entry, &place) < 0)
		return false;
	if (strcmp(x->e->verb, "add") == 0)
		write_comments(c, x, place.number);
	err = carry_out(c, nl, q, x);
	if (err < 0) {
		/* If that fails too, the long way finds it in the journal */
		(void)!journal_take_back(fd, journal, &place);
		return false;
	}
	settle(nl, st, q, x);
	return true;
}

/* ---- take away, switch off and on ------------------------------------------------- */

/* Is "PROTO PORTS[ to ADDRESS]" a forward of exactly the outside ports "PROTO EXT" */
static bool is_same_ports(const char *text, const char *parts)
{
	for (;; text++, parts++) {
		if (*text == ':')
			text += strcspn(text, ", ");
		if (*parts == '\0')
			break;
		if (*text != *parts)
			return false;
	}
	return *text == '\0' ||
	       (strncmp(text, " to ", 4) == 0 && strchr(text + 4, ' ') == NULL);
}

/* Is an element of a forward that @e names as a whole, added at run time */
static bool is_named(struct cli *c, const struct kept_edit *e, const char *comment)
{
	const char *jail = arena_printf(&c->arena, " forward %s ", e->jail), *p = comment;

	if (strncmp(p, KEPT_SOURCE ":", sizeof(KEPT_SOURCE)) != 0 ||
	    strlen(comment) >= LIMIT_COMMENT_BYTES)
		return false;
	p += sizeof(KEPT_SOURCE);
	p += strspn(p, "0123456789");
	return strncmp(p, jail, strlen(jail)) == 0 && is_same_ports(p + strlen(jail), e->words);
}

/* The named elements at one outside address; false: others are there too */
static bool find_at(struct cli *c, struct nl_session *nl, const struct quick *q,
		    const struct kept_edit *e, struct addr outside, struct quick_elems *ret)
{
	const bool v6 = outside.af == AF_V6;
	struct quick_elems places = { .list = { .n = 0 } };

	if ((e->f.protos & DECL_TCP) != 0)
		add_elems(c, &e->f, outside, q->inside[v6], IPPROTO_TCP, &places);
	if ((e->f.protos & DECL_UDP) != 0)
		add_elems(c, &e->f, outside, q->inside[v6], IPPROTO_UDP, &places);
	for (uint32_t i = 0; i < places.list.n; i++) {
		struct nft_forward f = places.list.v[i];
		const int err = nft_forward_get(nl, q->maps[v6].name, &c->arena, &f);

		if (err == -ENOENT)
			continue;
		if (err < 0 || !addr_equal(f.inside, q->inside[v6]) || !is_named(c, e, f.comment))
			return false;
		f.is_used |= q->now.n_flows > 0;
		vec_add(&c->arena, &ret->list, f);
	}
	return true;
}

/* Will the map have its size, and elements be left for the jail and the addresses */
static bool is_enough(const struct quick *q, const struct quick_elems *v)
{
	const uint32_t n_gone = q->now.n_gone + v->list.n;
	uint32_t n[2] = { 0, 0 };

	for (uint32_t i = 0; i < v->list.n; i++) {
		const struct addr a = v->list.v[i].outside;

		n[a.af == AF_V6]++;
		if (q->n_inside[a.af == AF_V6] <= n_gone)
			return false;
		for (uint32_t o = 0; o < q->outside.list.n; o++)
			if (q->n_outside.list.v[o] <= n_gone &&
			    addr_equal(q->outside.list.v[o], a))
				return false;
	}
	for (int i = 0; i < 2; i++)
		if (n[i] > 0 &&
		    (n[i] >= q->now.n[i] || !nft_forward_fits(q->now.n[i] - n[i], n[i])))
			return false;
	return v->list.n > 0;
}

static bool find_named(struct cli *c, struct nl_session *nl, const struct quick *q,
		       const struct kept_edit *e, struct quick_elems *ret)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < e->f.ports.n; i++)
		n += e->f.ports.v[i].ext_hi - e->f.ports.v[i].ext_lo + 1u;
	if (n * q->outside.list.n > PLACES_MAX)
		return false;
	for (uint32_t i = 0; i < q->outside.list.n; i++)
		if (q->maps[q->outside.list.v[i].af == AF_V6].name == NULL ||
		    !find_at(c, nl, q, e, q->outside.list.v[i], ret))
			return false;
	return is_enough(q, ret);
}

/* The elements that come back, as they were; a line each, behind that of the forward */
static const char *off_text(struct cli *c, const struct kept_edit *e, const struct quick_elems *v)
{
	const char *text = arena_printf(&c->arena, "%s %s\n", e->jail, e->words);

	for (uint32_t i = 0; i < v->list.n; i++) {
		const struct nft_forward *f = &v->list.v[i];
		char outside[ADDR_TEXT_BYTES], inside[ADDR_TEXT_BYTES];

		text = arena_printf(&c->arena, "%s%s %s %u %u %u %s\n", text,
				    addr_print(f->outside, outside), addr_print(f->inside, inside),
				    f->proto, f->port, f->to, f->comment);
		if (strlen(text) >= QUICK_OFF_BYTES)
			return NULL;
	}
	return text;
}

static bool read_off(struct cli *c, const struct quick *q, const struct kept_edit *e,
		     struct quick_elems *ret)
{
	const char *head = arena_printf(&c->arena, "%s %s\n", e->jail, e->words), *at, *end;

	if (strncmp(q->off, head, strlen(head)) != 0)
		return false;
	for (at = q->off + strlen(head); *at != '\0'; at = end + 1) {
		struct nft_forward f = { 0 };

		end = strchr(at, '\n');
		if (end == NULL || !quick_read_addr(&at, &f.outside) ||
		    !quick_read_addr(&at, &f.inside))
			return false;
		f.proto = (uint8_t)quick_read_number(&at);
		f.port = (uint16_t)quick_read_number(&at);
		f.to = (uint16_t)quick_read_number(&at);
		f.comment = arena_strndup(&c->arena, at + 1, (size_t)(end - at) - 1);
		vec_add(&c->arena, &ret->list, f);
	}
	return ret->list.n > 0;
}

/* Was @x->off; it comes back where nobody has taken its places */
static bool switch_on(struct cli *c, struct nl_session *nl, const struct quick *q,
		      struct change *x)
{
	if (!read_off(c, q, x->e, x->v) || !is_free(c, nl, q, x->v))
		return false;
	x->is_add = true;
	x->n_gone = q->now.n_gone - x->v->list.n;
	return true;
}

static bool take_away(struct cli *c, struct nl_session *nl, const struct quick *q,
		      struct change *x)
{
	const bool is_off = strcmp(x->e->verb, "off") == 0;

	/* One of a file that is asleep may be meant too */
	if (q->off[0] != '\0' || (is_off && q->n_asleep > 0) ||
	    !find_named(c, nl, q, x->e, x->v))
		return false;
	if (is_off)
		x->off = off_text(c, x->e, x->v);
	x->n_gone = q->now.n_gone + x->v->list.n;
	return x->off != NULL;
}

static bool add(struct cli *c, struct nl_session *nl, const struct quick *q, struct change *x)
{
	if (q->off[0] != '\0' || !list_elems(c, q, &x->e->f, x->v) || !is_free(c, nl, q, x->v))
		return false;
	x->is_add = true;
	x->entry = arena_printf(&c->arena, "add on - %s %s", x->e->jail, x->e->words);
	return true;
}

/* ---- all of them ------------------------------------------------------------------ */

typedef bool prepare_fn(struct cli *c, struct nl_session *nl, const struct quick *q,
			struct change *x);

/* The change is made; its flows are another matter */
static int forget_flows(struct cli *c, struct nl_session *nl, const struct change *x)
{
	const int err = cli_stale_forget_elements(c, nl, x->v->list.v, x->v->list.n, !x->is_add);

	return err < 0 ? cli_system(c, err, "forget the flows of the forward") : 0;
}

static int change_one(struct cli *c, const struct kept_edit *e, prepare_fn *prepare)
{
	CLEANUP(nl_leave) struct nl_session nl = { .fd = -1 };
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	struct quick q = { .has_jail = false };
	struct quick_elems v = { .list = { .n = 0 } };
	struct change x = { .e = e, .v = &v, .off = "" };
	uint32_t genid = 0;

	if (!is_plain(c, e) || !quick_is_there(c) ||
	    state_open(&st, c->state_dir, STATE_AMEND, 0) < 0 || confirm_is_late(&st) ||
	    !quick_load(c, &st, e->jail, &q) || nl_open(&nl, NETLINK_NETFILTER) < 0 ||
	    nl_genid(&nl, &genid) < 0 || genid != q.now.genid)
		return QUICK_NOT;
	x.entry = arena_printf(&c->arena, "%s %s %s", e->verb, e->jail, e->words);
	x.n_gone = q.now.n_gone;
	if (!prepare(c, &nl, &q, &x) || !make_so(c, &nl, &st, &q, &x))
		return QUICK_NOT;
	return forget_flows(c, &nl, &x);
}

int quick_add(struct cli *c, const struct kept_edit *e)
{
	return change_one(c, e, add);
}

int quick_edit(struct cli *c, const struct kept_edit *e)
{
	return change_one(c, e, strcmp(e->verb, "on") == 0 ? switch_on : take_away);
}
