/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What is written down: the generation, the maps, the outside addresses, and each
 * jail's addresses.  It is not written where a forward could meet anything but an
 * element of these maps: where rules redirect, forwards have a source or a log, are
 * off or end, or quotas count.  Else the kernel's map itself tells whether a place is taken.
 *
 * The numbers that change with each forward stand in a file of their own, written
 * in place: if it is torn the machine has ended, and the state with it.
 */
#include "cli/quick.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/listeners.h"
#include "host/netns.h"
#include "model/portmap.h"
#include "nl/nft.h"
#include "target/nft_forward.h"

#define NOW_NAME	"quick-now"
#define ELEMS_MAX	64u	/* of one forward */
#define NAME_BYTES	256u
#define MOST_ENTRIES	64u	/* that the journal gets before it is looked through again */

/* What changes with each forward */
struct now {
	uint32_t genid;
	uint32_t n[2];
	uint32_t check;
};

/* What was written down */
struct quick {
	struct now now;
	struct nft_forward_map maps[2];
	uint32_t most;			/* entries of the journal */
	struct addr inside[2];		/* of the jail, by family */
	struct forward_addrs outside;	/* all */
	struct forward_addrs own;	/* of a forward of the jail that says none */
	bool has_jail;
};

static uint32_t check_of(const struct now *n)
{
	return (n->genid ^ 0x5a11901fu) + 3 * n->n[0] + 7 * n->n[1];
}

static bool save_now(const struct state *st, struct now n)
{
	int fd CLEANUP(base_fd_close) = openat(st->dir_fd, NOW_NAME,
					       O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	n.check = check_of(&n);
	return fd >= 0 && pwrite(fd, &n, sizeof(n), 0) == (ssize_t)sizeof(n);
}

static bool load_now(const struct state *st, struct now *ret)
{
	int fd CLEANUP(base_fd_close) = openat(st->dir_fd, NOW_NAME,
					       O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && pread(fd, ret, sizeof(*ret), 0) == (ssize_t)sizeof(*ret) &&
	       ret->check == check_of(ret);
}

/* ---- write down ------------------------------------------------------------------- */

/* The one rule that redirects, with all forwards in its table; NULL: it is not so */
static const struct rule *only_rule(const struct model *m)
{
	const struct rule_list *entry = &m->lists.v[m->entry[DIR_IN]];
	const struct rule *found = NULL;

	for (uint32_t i = 0; i < entry->rules.n; i++) {
		const struct rule_list *l;

		if (entry->rules.v[i].exit != EX_CALL)
			continue;
		l = &m->lists.v[entry->rules.v[i].list];
		if (l->rules.n > 1 || (l->rules.n == 1 && found != NULL))
			return NULL;
		found = l->rules.n == 1 ? &l->rules.v[0] : found;
	}
	if (found == NULL || found->map == NULL || found->exit != EX_DECIDE ||
	    rule_tests(found, F_IFACE) != NULL)
		return NULL;
	return found;
}

/* Is there what no element shows: quotas, forwards that are off or have an end */
static bool is_hidden(const struct declared *d)
{
	for (uint32_t i = 0; i < d->kept->forwards.n; i++) {
		const struct kept_forward *f = &d->kept->forwards.v[i];

		if (f->jail != NULL && (f->f.is_off || f->f.until != 0))
			return true;
	}
	for (uint32_t i = 0; i < d->decl.jails.n; i++) {
		const struct decl_jail *j = &d->decl.jails.v[i];

		if (j->quota.max != 0 || j->quota.rate != 0)
			return true;
		for (uint32_t n = 0; n < j->forwards.n; n++)
			if (j->forwards.v[n].quota.max != 0 || j->forwards.v[n].quota.rate != 0 ||
			    j->forwards.v[n].is_off)
				return true;
	}
	return false;
}

static void put_addr(FILE *out, struct addr a)
{
	char text[ADDR_TEXT_BYTES];

	fprintf(out, " %s", addr_print(a, text));
}

/* Is it led to: the first forward of a jail may close a fence that rules have lifted */
static bool is_inside(const struct portmap *map, struct addr a)
{
	for (uint32_t i = 0; i < map->inside.n; i++)
		if (addr_equal(map->inside.v[i], a))
			return true;
	return false;
}

static void put_jail(FILE *out, const struct declared *d, const struct portmap *map,
		     const struct decl_jail *j)
{
	const struct decl_forward plain = { .protos = DECL_TCP };
	struct forward_addrs own = { .list = { .n = 0 } };
	struct addr inside[2] = { { AF_NONE, 0 }, { AF_NONE, 0 } };

	for (uint32_t i = j->addrs.n; i-- > 0;)
		inside[j->addrs.v[i].p.a.af == AF_V6] = j->addrs.v[i].p.a;
	(void)forward_externals(&d->facts, &d->decl, j, &plain, &own);
	fprintf(out, "jail %s", j->name);
	for (int i = 0; i < 2; i++)
		put_addr(out, is_inside(map, inside[i]) ? inside[i] : (struct addr){ AF_NONE, 0 });
	for (uint32_t i = 0; i < own.list.n; i++)
		put_addr(out, own.list.v[i]);
	putc('\n', out);
}

static void put_all(FILE *out, const struct declared *d, const struct portmap *map,
		    const struct nft_forward_map maps[2])
{
	fprintf(out, "maps %s %s %u\noutside", maps[0].name != NULL ? maps[0].name : "-",
		maps[1].name != NULL ? maps[1].name : "-", d->kept->j.list.n + MOST_ENTRIES);
	for (uint32_t i = 0; i < map->rows.n; i++)
		if (i == 0 || map->rows.v[i].outside != map->rows.v[i - 1].outside)
			put_addr(out, map->outside[map->rows.v[i].outside]);
	putc('\n', out);
	for (uint32_t i = 0; i < d->decl.jails.n; i++)
		if (d->decl.jails.v[i].is_enabled && !d->decl.jails.v[i].is_down)
			put_jail(out, d, map, &d->decl.jails.v[i]);
}

void quick_save(struct cli *c, struct cli_host *h)
{
	const struct rule *r = only_rule(&h->d.model);
	CLEANUP(base_free) char *text = NULL;
	struct nft_forward_map maps[2];
	struct now now;
	size_t len = 0;
	FILE *out;

	if (r == NULL || h->d.kept == NULL || is_hidden(&h->d) || c->diags.n_errors > 0 ||
	    !nft_forward_maps(h->program, maps) || nl_genid(&h->filter, &now.genid) < 0)
		return;
	now.n[0] = maps[0].n;
	now.n[1] = maps[1].n;
	out = open_memstream(&text, &len);
	if (out == NULL)
		return;
	put_all(out, &h->d, r->map, maps);
	fclose(out);
	/* Without it the next forward goes the long way */
	if (save_now(&h->st, now))
		(void)!state_write(&h->st, STATE_DERIVED, text, len);
}

/* ---- read it ---------------------------------------------------------------------- */

static bool read_addr(const char **at, struct addr *ret)
{
	size_t len;

	*at += strspn(*at, " ");
	len = strcspn(*at, " ");
	*ret = (struct addr){ AF_NONE, 0 };
	if (len > 0 && !(len == 4 && memcmp(*at, "none", 4) == 0) && addr_parse(*at, len, ret) < 0)
		return false;
	*at += len;
	return len > 0;
}

static void read_addrs(struct arena *a, const char *at, struct forward_addrs *to)
{
	struct addr x;

	while (read_addr(&at, &x))
		vec_add(a, &to->list, x);
}

static bool read_maps(struct arena *a, char *at, struct quick *q)
{
	char *names[2], *end;

	names[0] = strtok_r(at, " ", &end);
	names[1] = strtok_r(NULL, " ", &end);
	q->most = (uint32_t)strtoul(end, NULL, 10);
	for (int i = 0; i < 2; i++) {
		if (names[i] == NULL)
			return false;
		q->maps[i] = (struct nft_forward_map){ .n = q->now.n[i] };
		if (strcmp(names[i], "-") != 0)
			q->maps[i].name = arena_strndup(a, names[i], strlen(names[i]));
	}
	return true;
}

static bool read_line(struct cli *c, char *line, const char *jail, struct quick *q)
{
	const size_t len = strlen(jail);
	const char *at;

	if (strncmp(line, "maps ", 5) == 0)
		return read_maps(&c->arena, line + 5, q);
	if (strncmp(line, "outside ", 8) == 0)
		read_addrs(&c->arena, line + 8, &q->outside);
	if (strncmp(line, "jail ", 5) != 0 || strncmp(line + 5, jail, len) != 0 ||
	    line[5 + len] != ' ')
		return true;
	at = line + 5 + len;
	q->has_jail = read_addr(&at, &q->inside[0]) && read_addr(&at, &q->inside[1]);
	read_addrs(&c->arena, at, &q->own);
	return true;
}

static bool load(struct cli *c, const struct state *st, const char *jail, struct quick *q)
{
	char *text, *line, *end = NULL;
	size_t len;

	if (!load_now(st, &q->now) || state_read(st, STATE_DERIVED, &c->arena, &text, &len) < 0)
		return false;
	for (line = strtok_r(text, "\n", &end); line != NULL; line = strtok_r(NULL, "\n", &end))
		if (!read_line(c, line, jail, q))
			return false;
	return q->has_jail;
}

/* ---- add -------------------------------------------------------------------------- */

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

/* Into the journal and the kernel, or into neither */
static bool make_so(struct cli *c, struct nl_session *nl, const struct state *st,
		    struct quick *q, const struct kept_edit *e, struct quick_elems *v)
{
	const char *text = arena_printf(&c->arena, "add on - %s %s", e->jail, e->words);
	char name[NAME_BYTES];
	int fd CLEANUP(base_fd_close) = -1;
	struct journal_place place;
	uint32_t genid = 0;

	if (netns_lasting_name(name, sizeof(name)) < 0)
		return false;
	fd = state_lib_open(c->state_dir, STATE_WRITE);
	if (fd < 0 || journal_append_last(fd, arena_printf(&c->arena, "forwards-%s", name), q->most,
					  text, &place) < 0)
		return false;
	for (uint32_t i = 0; i < v->list.n; i++)
		v->list.v[i].comment = nft_forward_comment(&c->arena, KEPT_SOURCE, place.number,
			arena_printf(&c->arena, "forward %s %s", e->jail, e->words));
	if (nft_forward_add(nl, q->now.genid, q->maps, v->list.v, v->list.n) < 0) {
		/* If that fails too, the long way finds it in the journal */
		(void)!journal_take_back(fd, arena_printf(&c->arena, "forwards-%s", name), &place);
		return false;
	}
	for (uint32_t i = 0; i < v->list.n; i++)
		q->now.n[v->list.v[i].outside.af == AF_V6]++;
	if (nl_genid(nl, &genid) < 0 || genid != q->now.genid + 1)
		return true;
	q->now.genid = genid;
	(void)!save_now(st, q->now);
	return true;
}

/* Is there something written down; who only asks makes no directories */
static bool is_there(const struct cli *c)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	struct now now;

	return state_open(&st, c->state_dir, STATE_READ, 0) == 0 && st.dir_fd >= 0 &&
	       load_now(&st, &now);
}

bool quick_add(struct cli *c, const struct kept_edit *e)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	CLEANUP(nl_close) struct nl_session nl = { .fd = -1 };
	struct quick q = { .has_jail = false };
	struct quick_elems v = { .list = { .n = 0 } };
	uint32_t genid = 0;

	return is_plain(c, e) && is_there(c) &&
	       state_open(&st, c->state_dir, STATE_AMEND, 0) == 0 &&
	       load(c, &st, e->jail, &q) && list_elems(c, &q, &e->f, &v) &&
	       nl_open(&nl, NETLINK_NETFILTER) == 0 && nl_genid(&nl, &genid) == 0 &&
	       genid == q.now.genid && is_free(c, &nl, &q, &v) &&
	       make_so(c, &nl, &st, &q, e, &v);
}
