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
 * in place: if it is torn the machine has ended, and the state with it.  They are
 * made void before anything is changed, so a run that is killed leaves the rest to
 * the long way.
 */
#include "cli/quick_state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "model/portmap.h"
#include "nl/nft.h"

#define NOW_NAME	"quick-now"
#define MOST_ENTRIES	64u	/* that the journal gets before it is looked through again */

static uint32_t check_of(const struct quick_now *n, const char *off)
{
	uint32_t h = (n->genid ^ 0x5a11901fu) + 3 * n->n[0] + 7 * n->n[1] + 13 * n->n_gone +
		     17 * n->n_flows;

	for (uint32_t i = 0; i < n->off_len; i++)
		h = (h ^ (uint8_t)off[i]) * 0x01000193u;
	return h;
}

bool quick_save_now(const struct state *st, struct quick_now n, const char *off)
{
	int fd CLEANUP(base_fd_close) = openat(st->dir_fd, NOW_NAME,
					       O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	const struct iovec parts[] = {
		{ &n, sizeof(n) }, { (void *)(uintptr_t)off, strlen(off) },
	};

	n.off_len = (uint32_t)strlen(off);
	n.check = check_of(&n, off);
	return fd >= 0 && pwritev(fd, parts, 2, 0) == (ssize_t)(sizeof(n) + n.off_len);
}

bool quick_void_now(const struct state *st)
{
	return quick_save_now(st, (struct quick_now){ .genid = 0 }, "");
}

static bool load_now(const struct state *st, struct arena *a, struct quick_now *ret,
		     const char **ret_off)
{
	int fd CLEANUP(base_fd_close) = openat(st->dir_fd, NOW_NAME,
					       O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char off[QUICK_OFF_BYTES];
	struct iovec parts[] = { { ret, sizeof(*ret) }, { off, sizeof(off) } };
	const ssize_t len = fd >= 0 ? preadv(fd, parts, 2, 0) : -1;

	if (len < (ssize_t)sizeof(*ret) || ret->genid == 0 ||
	    ret->off_len > (size_t)len - sizeof(*ret) || ret->check != check_of(ret, off))
		return false;
	*ret_off = arena_strndup(a, off, ret->off_len);
	return true;
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

/* Can it be there without elements that are its own */
static bool is_odd(const struct decl_forward *f)
{
	return f->quota.max != 0 || f->quota.rate != 0 || f->is_off || f->is_shared ||
	       f->on != NULL;
}

/* Is there what no element shows: quotas, forwards that are off or have an end */
static bool is_hidden(const struct declared *d)
{
	for (uint32_t i = 0; i < d->kept->forwards.n; i++) {
		const struct kept_forward *f = &d->kept->forwards.v[i];

		if (f->jail != NULL && (f->f.until != 0 || is_odd(&f->f)))
			return true;
	}
	for (uint32_t i = 0; i < d->decl.jails.n; i++) {
		const struct decl_jail *j = &d->decl.jails.v[i];

		if (j->quota.max != 0 || j->quota.rate != 0)
			return true;
		for (uint32_t n = 0; n < j->forwards.n; n++)
			if (is_odd(&j->forwards.v[n]))
				return true;
	}
	return false;
}

static void put_addr(FILE *out, struct addr a)
{
	char text[ADDR_TEXT_BYTES];

	fprintf(out, " %s", addr_print(a, text));
}

/* Elements by inside address; in the arena */
static const uint32_t *count_inside(struct arena *a, const struct portmap *map)
{
	uint32_t *n = arena_array(a, uint32_t, map->inside.n);

	for (uint32_t i = 0; i < map->rows.n; i++)
		n[map->rows.v[i].inside] += map->rows.v[i].hi - map->rows.v[i].lo + 1u;
	return n;
}

/* Is it led to: the first forward of a jail may close a fence that rules have lifted */
static void put_inside(FILE *out, const struct portmap *map, const uint32_t *n, struct addr a)
{
	for (uint32_t i = 0; i < map->inside.n; i++) {
		if (!addr_equal(map->inside.v[i], a))
			continue;
		put_addr(out, a);
		fprintf(out, " %u", n[i]);
		return;
	}
	fputs(" none 0", out);
}

/* Each address with its number of elements; the rows are sorted by address */
static void put_outside(FILE *out, const struct portmap *map)
{
	for (uint32_t i = 0, n = 0; i < map->rows.n; i++) {
		const struct portmap_row *r = &map->rows.v[i];

		n += r->hi - r->lo + 1u;
		if (i + 1 < map->rows.n && r[1].outside == r->outside)
			continue;
		put_addr(out, map->outside[r->outside]);
		fprintf(out, " %u", n);
		n = 0;
	}
}

/* Forwards that have no address outside */
static uint32_t count_asleep(const struct decl_jail *j, const struct forward_addrs *own)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < j->forwards.n && own->list.n == 0; i++)
		n += j->forwards.v[i].to.af == AF_NONE;
	return n;
}

static void put_jail(FILE *out, const struct declared *d, const struct portmap *map,
		     const uint32_t *n_inside, const struct decl_jail *j)
{
	const struct decl_forward plain = { .protos = DECL_TCP };
	struct forward_addrs own = { .list = { .n = 0 } };
	struct addr inside[2] = { { AF_NONE, 0 }, { AF_NONE, 0 } };

	for (uint32_t i = j->addrs.n; i-- > 0;)
		inside[j->addrs.v[i].p.a.af == AF_V6] = j->addrs.v[i].p.a;
	(void)forward_externals(&d->facts, &d->decl, j, &plain, &own);
	fprintf(out, "jail %s", j->name);
	for (int i = 0; i < 2; i++)
		put_inside(out, map, n_inside, inside[i]);
	fprintf(out, " %u", count_asleep(j, &own));
	for (uint32_t i = 0; i < own.list.n; i++)
		put_addr(out, own.list.v[i]);
	putc('\n', out);
}

static void put_all(FILE *out, struct arena *a, const struct declared *d,
		    const struct portmap *map, const struct nft_forward_map maps[2])
{
	const uint32_t *n_inside = count_inside(a, map);

	fprintf(out, "maps %s %s %u\noutside", maps[0].name != NULL ? maps[0].name : "-",
		maps[1].name != NULL ? maps[1].name : "-", d->kept->j.list.n + MOST_ENTRIES);
	put_outside(out, map);
	putc('\n', out);
	for (uint32_t i = 0; i < d->decl.jails.n; i++)
		if (d->decl.jails.v[i].is_enabled && !d->decl.jails.v[i].is_down)
			put_jail(out, d, map, n_inside, &d->decl.jails.v[i]);
}

void quick_save(struct cli *c, struct cli_host *h)
{
	const struct rule *r = only_rule(&h->d.model);
	CLEANUP(base_free) char *text = NULL;
	struct nft_forward_map maps[2];
	struct quick_now now = { .n_flows = h->n_flows };
	size_t len = 0;
	FILE *out;

	if (r == NULL || h->d.kept == NULL || c->nat_path == NAT_PATH_USERSPACE ||
	    is_hidden(&h->d) || c->diags.n_errors > 0 || !nft_forward_maps(h->program, maps) ||
	    nl_genid(&h->filter, &now.genid) < 0)
		return;
	now.n[0] = maps[0].n;
	now.n[1] = maps[1].n;
	out = open_memstream(&text, &len);
	if (out == NULL)
		return;
	put_all(out, &c->arena, &h->d, r->map, maps);
	fclose(out);
	/* Without it the next forward goes the long way */
	if (quick_save_now(&h->st, now, ""))
		(void)!state_write(&h->st, STATE_DERIVED, text, len);
}

/* ---- read it ---------------------------------------------------------------------- */

bool quick_read_addr(const char **at, struct addr *ret)
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

uint32_t quick_read_number(const char **at)
{
	char *end;
	const unsigned long n = strtoul(*at, &end, 10);

	*at = end;
	return (uint32_t)n;
}

static void read_outside(struct arena *a, const char *at, struct quick *q)
{
	struct addr x;

	while (quick_read_addr(&at, &x)) {
		vec_add(a, &q->outside.list, x);
		vec_add(a, &q->n_outside.list, quick_read_number(&at));
	}
}

static void read_addrs(struct arena *a, const char *at, struct forward_addrs *to)
{
	struct addr x;

	while (quick_read_addr(&at, &x))
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
		read_outside(&c->arena, line + 8, q);
	if (strncmp(line, "jail ", 5) != 0 || strncmp(line + 5, jail, len) != 0 ||
	    line[5 + len] != ' ')
		return true;
	at = line + 5 + len;
	q->has_jail = true;
	for (int i = 0; i < 2 && q->has_jail; i++) {
		q->has_jail = quick_read_addr(&at, &q->inside[i]);
		q->n_inside[i] = quick_read_number(&at);
	}
	q->n_asleep = quick_read_number(&at);
	read_addrs(&c->arena, at, &q->own);
	return true;
}

bool quick_load(struct cli *c, const struct state *st, const char *jail, struct quick *q)
{
	char *text, *line, *end = NULL;
	size_t len;

	if (!load_now(st, &c->arena, &q->now, &q->off) ||
	    state_read(st, STATE_DERIVED, &c->arena, &text, &len) < 0)
		return false;
	for (line = strtok_r(text, "\n", &end); line != NULL; line = strtok_r(NULL, "\n", &end))
		if (!read_line(c, line, jail, q))
			return false;
	return q->has_jail;
}

/* Who only asks makes no directories */
bool quick_is_there(struct cli *c)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	const char *off;
	struct quick_now now = { .genid = 0 };

	return state_open(&st, c->state_dir, STATE_READ, 0) == 0 && st.dir_fd >= 0 &&
	       load_now(&st, &c->arena, &now, &off);
}
