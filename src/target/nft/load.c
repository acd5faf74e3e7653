/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Look, compare, write only if something differs, and write only if nobody
 * else has committed since the look (the generation guards the batch).  When
 * the kernel's answer is lost the same look tells whether it was carried out.
 * Where a memo (memo.h) says what the kernel holds it is believed first; whatever
 * goes wrong with it, the look comes next.
 */
#include "target/nft.h"

#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "target/nft/batch.h"
#include "nl/nft.h"
#include "target/nft/held.h"
#include "target/nft/keep.h"
#include "target/nft/memo.h"

#define WORK_BYTES	((size_t)1 << 30)	/* for what the kernel holds, as lines */

const char *nft_op_name(enum nft_op op)
{
	static const char *const names[] = { "add", "delete", "change" };

	return names[op];
}

/*
 * Told of each difference: what the kernel holds, or NULL; what is wanted, or
 * NULL.  With both, they differ in text, or, for rules, in position only.
 */
typedef void change_fn(const struct nft_line *have, const struct nft_line *want, void *arg);

static void walk(const struct nft_lines *have, const struct nft_lines *want, change_fn *fn,
		 void *arg)
{
	uint32_t i = 0, j = 0;

	while (i < have->list.n || j < want->list.n) {
		const struct nft_line *h = &have->list.v[i], *w = &want->list.v[j];
		const int order = i == have->list.n ? 1 : j == want->list.n ? -1
							: nft_lines_cmp(h, w);

		if (order != 0)
			fn(order < 0 ? h : NULL, order > 0 ? w : NULL, arg);
		else if (strcmp(h->text, w->text) != 0 || h->position != w->position)
			fn(h, w, arg);
		i += order <= 0;
		j += order >= 0;
	}
}

static void note_difference(const struct nft_line *have, const struct nft_line *want, void *arg)
{
	(void)have;
	(void)want;
	*(bool *)arg = true;
}

static bool is_same(const struct nft_lines *have, const struct nft_lines *want)
{
	bool differs = false;

	walk(have, want, note_difference, &differs);
	return !differs;
}

/* An object that is wholly new or gone, which says enough of its parts */
struct whole {
	enum nft_object kind;
	uint8_t family;
	const char *name;
};

/* @line has one line's words at a time: most of a long run are the words before */
struct collect {
	struct arena *a;
	struct arena line;
	const struct nft_program *p;
	struct nft_changes *ret;
	VEC(struct whole) wholes;
	VEC(struct whole) moved;	/* chains with rules that came or went */
};

static bool is_among(const struct whole *v, uint32_t n, enum nft_object kind, uint8_t family,
		     const char *name)
{
	for (uint32_t i = 0; i < n; i++)
		if (v[i].kind == kind && v[i].family == family &&
		    (name == NULL || strcmp(v[i].name, name) == 0))
			return true;
	return false;
}

static void note_moved(const struct nft_line *have, const struct nft_line *want, void *arg)
{
	const struct nft_line *l = want != NULL ? want : have;
	const bool is_both = have != NULL && want != NULL;
	struct collect *c = arg;

	BUG_IF(l == NULL);
	if (!is_both && l->kind == NFT_O_RULE &&
	    !is_among(c->moved.v, c->moved.n, NFT_O_CHAIN, l->family, l->name))
		vec_add(c->a, &c->moved, ((struct whole){ NFT_O_CHAIN, l->family, l->name }));
}

/* Another position says nothing where rules before it came or went */
static bool is_only_moved(const struct collect *c, const struct nft_line *have,
			  const struct nft_line *want)
{
	return have != NULL && want != NULL && strcmp(have->text, want->text) == 0 &&
	       is_among(c->moved.v, c->moved.n, NFT_O_CHAIN, want->family, want->name);
}

/* Is all said by the table, set or chain that it is part of */
static bool is_part(const struct collect *c, const struct nft_line *l)
{
	const bool is_named = l->kind == NFT_O_RULE || l->kind == NFT_O_ELEM;

	if (l->table != NULL)
		return false;
	if (is_named && l->text[0] != '\0' && l->comment != NULL)
		return false;
	if (l->kind != NFT_O_TABLE && is_among(c->wholes.v, c->wholes.n, NFT_O_TABLE, l->family,
					       NULL))
		return true;
	return is_named && is_among(c->wholes.v, c->wholes.n,
				    l->kind == NFT_O_RULE ? NFT_O_CHAIN : NFT_O_SET, l->family,
				    l->name);
}

static void collect_change(const struct nft_line *have, const struct nft_line *want, void *arg)
{
	const struct nft_line *l = want != NULL ? want : have;
	const enum nft_op op = have == NULL ? NFT_ADD : want == NULL ? NFT_DELETE : NFT_CHANGE;
	struct collect *c = arg;
	struct nft_change *to;
	const char *shown;

	BUG_IF(l == NULL);
	if (is_only_moved(c, have, want) || (op != NFT_CHANGE && is_part(c, l)))
		return;
	if (l->table != NULL) {
		vec_add(c->a, &c->ret->list, ((struct nft_change){ .op = op, .table = l->table }));
		return;
	}
	if (op != NFT_CHANGE && l->kind <= NFT_O_CHAIN)
		vec_add(c->a, &c->wholes, ((struct whole){ l->kind, l->family, l->name }));
	arena_clear(&c->line);
	shown = nft_line_shown(&c->line, l);
	/* One rule of the user's may be several of ours */
	if (c->ret->list.n > 0) {
		const struct nft_change *last = &c->ret->list.v[c->ret->list.n - 1];

		if (last->op == op && last->object != NULL && strcmp(last->object, shown) == 0)
			return;
	}
	to = vec_push(c->a, &c->ret->list);
	to->op = op;
	to->object = arena_strndup(c->a, shown, strlen(shown));
	to->at = want != NULL && l->origin != NFT_NO_ORIGIN ? c->p->origins.v[l->origin].at
							    : SPAN_NONE;
}

/* What was seen at one time, and what is wanted */
struct nft_look {
	struct arena work;
	struct nft_lines have;
	struct nft_lines want;
	const struct nft_program *p;	/* whose lines are wanted; NULL: nothing of ours */
	uint32_t genid;
	bool is_memo;			/* remembered, and not asked: rules are digests */
};

static void look_init(struct nft_look *l)
{
	*l = (struct nft_look){ .genid = 0 };
	arena_init(&l->work, WORK_BYTES);
	l->have.a = l->want.a = &l->work;
}

static void look_fini(struct nft_look *l)
{
	arena_fini(&l->work);
}

static void look_clear(struct nft_look *l)
{
	arena_fini(&l->work);
	l->have = l->want = (struct nft_lines){ .a = &l->work };
}

void nft_look_free(struct nft_look *l)
{
	if (l != NULL)
		look_fini(l);
	free(l);
}

static void compare(const struct nft_look *l, struct arena *a, struct nft_changes *ret)
{
	struct nft_changes changes = { .list = { .n = 0 } };
	struct collect c = { .a = a, .p = l->p, .ret = &changes };

	arena_init(&c.line, a->cap_bytes);
	c.line.full = a->full;
	walk(&l->have, &l->want, note_moved, &c);
	walk(&l->have, &l->want, collect_change, &c);
	arena_fini(&c.line);
	*ret = changes;
}

/* A digest that goes, or is another's, cannot be shown */
static void note_unshown(const struct nft_line *have, const struct nft_line *want, void *arg)
{
	(void)want;
	if (have != NULL && have->kind == NFT_O_RULE && have->comment == NULL)
		*(bool *)arg = true;
}

/* By what is remembered; false: the kernel has to be asked */
static bool look_by_memo(struct nl_session *nl, const struct nft_memo *memo, struct nft_look *l)
{
	bool is_unshown = false;

	if (memo == NULL || l->p == NULL || nl_genid(nl, &l->genid) < 0)
		return false;
	l->is_memo = nft_memo_read(memo, l->genid, &l->have) && l->have.list.n > 0;
	if (l->is_memo) {
		nft_memo_lines(l->p, &l->want);
		walk(&l->have, &l->want, note_unshown, &is_unshown);
	}
	if (!l->is_memo || is_unshown) {
		look_clear(l);
		l->is_memo = false;
	}
	return l->is_memo;
}

static int look_by_asking(struct nl_session *nl, struct nft_look *l)
{
	const int err = nft_lines_compare(nl, l->p, &l->have, &l->want, &l->genid);

	if (err == 0 && l->p != NULL && l->have.list.n == 0)
		nft_lines_in_short(l->p, &l->want);
	return err;
}

int nft_look(struct nl_session *nl, const struct nft_program *p, const struct nft_memo *memo,
	     struct arena *a, struct nft_changes *ret, struct nft_look **ret_look)
{
	struct nft_look *l = malloc(sizeof(*l));
	int err = 0;

	if (l == NULL)
		return -ENOMEM;
	look_init(l);
	l->p = p;
	if (!look_by_memo(nl, memo, l))
		err = look_by_asking(nl, l);
	if (err < 0) {
		nft_look_free(l);
		return err;
	}
	compare(l, a, ret);
	/* To load where nothing is nothing is compared (want_lines()) */
	if (l->have.list.n == 0)
		look_clear(l);
	*ret_look = l;
	return 0;
}

int nft_diff(struct nl_session *nl, const struct nft_program *p, struct arena *a,
	     struct nft_changes *ret)
{
	struct nft_look *l = NULL;
	const int err = nft_look(nl, p, NULL, a, ret, &l);

	nft_look_free(l);
	return err;
}

/* ---- write ------------------------------------------------------------------- */

static bool is_missing_feature(int err)
{
	return err == -EOPNOTSUPP || err == -ENOENT || err == -EPROTONOSUPPORT ||
	       err == -EAFNOSUPPORT;
}

static void tell_refusal(const struct nft_program *p, const struct nft_jobs *jobs,
			 const struct nl_failure *f, struct diags *d)
{
	const struct nft_job *job = f->cookie < jobs->list.n ? &jobs->list.v[f->cookie] : NULL;
	const bool has_origin = job != NULL && job->origin != NFT_NO_ORIGIN;
	const struct origin *o = has_origin ? &p->origins.v[job->origin] : NULL;
	const bool has_text = o != NULL && o->text != NULL;
	const bool has_name = !has_text && job != NULL && job->name != NULL;

	diag_add(d, is_missing_feature(f->err) ? DIAG_E1703 : DIAG_E1704,
		 o != NULL ? o->at : SPAN_NONE, "the kernel refuses %s%s%s: %s%s%s",
		 has_text ? o->text : job != NULL ? job->what : "the program",
		 has_name ? " " : "", has_name ? job->name : "", strerror(-f->err),
		 f->text[0] != '\0' ? ": " : "", f->text);
}

static int tell_refusals(const struct nft_program *p, const struct nft_jobs *jobs,
			 const struct nl_batch_result *r, struct diags *d)
{
	bool is_missing = false;

	for (uint32_t i = 0; i < r->n; i++) {
		tell_refusal(p, jobs, &r->v[i], d);
		is_missing |= is_missing_feature(r->v[i].err);
	}
	return is_missing ? -EOPNOTSUPP : -EINVAL;
}

/* Begin with what was counted, but where that is cleared */
static void keep_counts(struct nft_program *p, const struct nft_keep *k,
			const struct nft_lines *have, const struct nft_delta *delta,
			struct arena *work)
{
	struct nft_texts kept = { .list = { .n = 0 } };

	nft_keep_texts(have, work, &kept);
	for (uint32_t i = 0; i < kept.list.n && k->is_cleared != NULL; i++)
		if (k->is_cleared(k->arg, kept.list.v[i].text))
			kept.list.v[i].packets = kept.list.v[i].bytes = 0;
	nft_keep_fill(p, &kept, delta, work);
}

/* What is to be made so */
struct wanted {
	const struct nft_program *p;
	struct nft_program *counted;	/* the same, if counts are kept */
	const struct nft_keep *keep;
	struct nft_look *seen;		/* what the kernel held a moment ago, or NULL */
	struct nft_memo *memo;		/* to remember what it holds then, or NULL */
};

/* Something was written; and the generation that the kernel is in behind it */
struct outcome {
	bool changed;
	uint32_t genid;
};

/* The generation after one; none is 0 */
static uint32_t after(uint32_t genid)
{
	return genid + 1 != 0 ? genid + 1 : 1;
}

/* The lines of what is wanted; false: the look left out what another program wants */
static bool want_lines(struct nft_look *l, const struct nft_program *p)
{
	if (l->p == p)
		return true;
	/* Where nothing is, nothing need be compared, which is most of the work */
	if (l->have.list.n > 0 && !l->is_memo)
		return false;
	l->want.list.n = 0;
	l->p = p;
	if (p != NULL && l->is_memo)
		nft_memo_lines(p, &l->want);
	return true;
}

/* One transaction, unless somebody has committed since @genid */
static int transact(struct nl_session *nl, const struct nft_program *p,
		    const struct nft_lines *have, const struct nft_delta *delta, uint32_t genid,
		    struct nft_jobs *jobs, struct nl_batch_result *result, struct outcome *o)
{
	struct nl_batch b CLEANUP(nl_batch_fini);
	int err;

	nl_batch_init(&b);
	*result = (struct nl_batch_result){ .n = 0 };
	err = nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, genid);
	if (err == 0)
		err = nft_batch_fill(&b, p, have, delta, jobs);
	if (err == 0)
		err = nl_batch_send(&b, nl, result);
	o->changed |= b.n > 0 && (err == 0 || err == -ENOBUFS || err == -ETIMEDOUT);
	o->genid = b.n > 0 ? after(genid) : genid;
	return err;
}

/* In two if something has to be there before the rest; what failed leaves nothing of it */
static int carry_out(struct nl_session *nl, const struct nft_program *p,
		     const struct nft_lines *have, struct nft_delta *delta, uint32_t genid,
		     struct nft_jobs *jobs, struct nl_batch_result *result, struct outcome *o)
{
	const struct nft_lines nothing = { .a = jobs->a };
	struct nl_batch_result unheard;
	struct nft_delta first, undo;
	const bool in_two = p != NULL && nft_delta_split(p, delta, &first, &undo);
	int err;

	o->genid = genid;
	if (in_two) {
		err = transact(nl, p, &nothing, &first, genid, jobs, result, o);
		if (err < 0)
			return err;
	}
	err = transact(nl, p, have, delta, o->genid, jobs, result, o);
	if (err < 0 && in_two)
		(void)transact(nl, p, &nothing, &undo, 0, jobs, &unheard, o);
	return err;
}

/* One attempt by a look; -EAGAIN: look again */
static int attempt(struct nl_session *nl, const struct wanted *w, struct nft_look *l,
		   struct diags *d, struct outcome *o)
{
	const struct nft_program *p = w->p;
	struct nft_jobs jobs = { .a = &l->work };
	struct nl_batch_result result;
	struct nft_delta delta;
	int err;

	if (!want_lines(l, p))
		return -EAGAIN;
	if (!(p != NULL && l->have.list.n == 0 && p->chains.n > 0) &&
	    is_same(&l->have, &l->want) && (w->keep == NULL || !w->keep->always)) {
		o->genid = l->genid;
		return 0;
	}
	nft_delta_make(&l->work, p, &l->have, &l->want, w->keep != NULL && w->keep->always,
		       &delta);
	if (l->is_memo && nft_memo_handles(nl, p, &delta) < 0)
		return -EAGAIN;
	if (w->counted != NULL)
		keep_counts(w->counted, w->keep, &l->have, &delta, &l->work);
	err = carry_out(nl, p, &l->have, &delta, l->genid, &jobs, &result, o);
	if (err == -ERESTART || err == -ENOBUFS || err == -ETIMEDOUT)
		return -EAGAIN;
	if (err == -EMSGSIZE && d != NULL) {
		diag_add(d, DIAG_E1706, SPAN_NONE,
			 "the program takes more than the %u bytes that the kernel takes at once",
			 nl->send_bytes);
		return -EINVAL;
	}
	if (err == 0 || err == -EPERM || result.n == 0 || d == NULL || p == NULL)
		return err;
	return tell_refusals(p, &jobs, &result, d);
}

/* The same by a look of its own */
static int attempt_anew(struct nl_session *nl, const struct wanted *w, struct diags *d,
			struct outcome *o)
{
	struct nft_look l CLEANUP(look_fini);
	int err;

	look_init(&l);
	l.p = w->p;
	err = nft_lines_compare(nl, l.p, &l.have, &l.want, &l.genid);
	return err < 0 ? err : attempt(nl, w, &l, d, o);
}

/* The same by the caller's look, unless others were there since; -EAGAIN: look */
static int attempt_by_look(struct nl_session *nl, const struct wanted *w, struct diags *d,
			   struct outcome *o)
{
	uint32_t now;

	if (w->seen == NULL || nl_genid(nl, &now) < 0 || now != w->seen->genid)
		return -EAGAIN;
	return attempt(nl, w, w->seen, d, o);
}

/* An attempt that takes the memo's word; -EAGAIN: look */
static int attempt_by_memo(struct nl_session *nl, const struct wanted *w,
			   struct nft_lines *want, struct arena *work, struct outcome *o)
{
	struct nft_lines have = { .a = work };
	struct nft_jobs jobs = { .a = work };
	struct nl_batch_result result;
	struct nft_delta delta;
	uint32_t genid;

	if (w->keep == NULL || w->memo == NULL || w->keep->always || nl_genid(nl, &genid) < 0 ||
	    !nft_memo_read(w->memo, genid, &have))
		return -EAGAIN;
	nft_delta_make(work, w->p, &have, want, false, &delta);
	if (!nft_memo_suffices(w->p, &delta) || nft_memo_handles(nl, w->p, &delta) < 0)
		return -EAGAIN;
	return carry_out(nl, w->p, &have, &delta, genid, &jobs, &result, o) < 0 ? -EAGAIN : 0;
}

/* Remember what the kernel holds, unless somebody else was there meanwhile */
static void remember(struct nl_session *nl, const struct wanted *w, const struct outcome *o,
		     struct nft_lines *lines, struct arena *a)
{
	const struct nft_look *seen = w->seen;
	const struct nft_lines *known = lines;
	uint32_t now;

	*w->memo = (struct nft_memo){ .text = NULL };
	if (nl_genid(nl, &now) < 0 || now != o->genid)
		return;
	if (seen != NULL && seen->is_memo && seen->p == w->p)
		known = &seen->want;
	else if (lines->list.n == 0)
		nft_memo_lines(w->p, lines);
	nft_memo_write(w->memo, now, known, a);
}

static int make_so(struct nl_session *nl, const struct wanted *w, struct diags *d,
		   bool *ret_changed)
{
	struct arena memo CLEANUP(arena_fini);
	struct nft_lines lines = { .a = &memo };
	struct outcome o = { .changed = false };

	arena_init(&memo, WORK_BYTES);
	if (w->keep != NULL && w->memo != NULL)
		nft_memo_lines(w->p, &lines);
	for (uint32_t i = 0; i < NFT_LOAD_TRIES; i++) {
		struct arena work CLEANUP(arena_fini);
		int err = -EAGAIN;

		arena_init(&work, WORK_BYTES);
		if (i == 0)
			err = attempt_by_memo(nl, w, &lines, &work, &o);
		if (i == 0 && err == -EAGAIN)
			err = attempt_by_look(nl, w, d, &o);
		if (err == -EAGAIN)
			err = attempt_anew(nl, w, d, &o);
		if (err == -EAGAIN)
			continue;
		if (err == 0 && w->memo != NULL)
			remember(nl, w, &o, &lines, d->a);
		if (err == 0)
			*ret_changed = o.changed;
		return err;
	}
	return -EBUSY;
}

int nft_program_messages(const struct nft_program *p, struct nl_batch *b)
{
	struct arena work CLEANUP(arena_fini);
	struct nft_lines have = { .a = &work }, want = { .a = &work };
	struct nft_jobs jobs = { .a = &work };
	struct nft_delta delta;
	int err;

	arena_init(&work, WORK_BYTES);
	nft_delta_make(&work, p, &have, &want, false, &delta);
	err = nl_batch_begin(b, NFNL_SUBSYS_NFTABLES, 0);
	return err < 0 ? err : nft_batch_fill(b, p, &have, &delta, &jobs);
}

int nft_load(struct nl_session *nl, const struct nft_program *p, struct diags *d,
	     bool *ret_changed)
{
	const struct wanted w = { .p = p };

	BUG_IF(p == NULL);
	return make_so(nl, &w, d, ret_changed);
}

int nft_load_seen(struct nl_session *nl, const struct nft_program *p, struct nft_look *seen,
		  struct nft_memo *memo, struct diags *d, bool *ret_changed)
{
	const struct wanted w = { .p = p, .seen = seen, .memo = memo };

	BUG_IF(p == NULL);
	return make_so(nl, &w, d, ret_changed);
}

int nft_reload(struct nl_session *nl, struct nft_program *p, const struct nft_keep *k,
	       struct diags *d, bool *ret_changed)
{
	const struct wanted w = { .p = p, .counted = p, .keep = k, .memo = k->memo };

	return make_so(nl, &w, d, ret_changed);
}

int nft_destroy(struct nl_session *nl, bool *ret_changed)
{
	return make_so(nl, &(struct wanted){ .p = NULL }, NULL, ret_changed);
}

/* ---- counters ----------------------------------------------------------------- */

/* Counts under way to who asked */
struct counting {
	const struct nft_program *p;
	struct arena *a;
	struct nft_counted *of;		/* by origin, what is no single forward's */
	struct nft_counts counts;
};

/* A row of its own for a forward whose key this is */
static void add_forward_count(struct counting *c, uint32_t origin, uint8_t af, const uint8_t *key,
			      const struct nft_counted *n)
{
	const uint8_t *port = key + 4 + addr_bits(af) / 8;

	if (n->packets > 0)
		vec_add(c->a, &c->counts.list, ((struct nft_count){
			.origin = c->p->origins.v[origin], .is_forward = true, .proto = key[0],
			.dst = addr_from_bytes(af, key + 4),
			.dport = (uint16_t)(port[0] << 8 | port[1]), .packets = n->packets,
			.bytes = n->bytes }));
}

static void add_held_count(const struct nft_elem_bytes *e, uint32_t origin,
			   const struct nft_held_elem *what, void *arg)
{
	const uint8_t af = e->key_len == 4 + 4 + 4 ? AF_V4 : AF_V6;

	if (what->is_met)
		add_forward_count(arg, origin, af, e->key, &what->n);
}

/* Add the count of a line of the kernel's to its rule, or its forward */
static void add_count(struct counting *c, const struct nft_line *l, const struct nft_line *h)
{
	const struct nft_counted n = { h->packets, h->bytes };

	BUG_IF(l->origin >= c->p->origins.n);
	if (l->forward != NULL) {
		add_forward_count(c, l->origin, l->forward_af, l->forward, &n);
		return;
	}
	c->of[l->origin].packets += n.packets;
	c->of[l->origin].bytes += n.bytes;
}

/* Of each forward and each rule that has counted */
static void add_counts(struct counting *c, const struct nft_lines *have,
		       const struct nft_lines *want)
{
	uint32_t i = 0, j = 0;

	while (i < have->list.n && j < want->list.n) {
		const struct nft_line *h = &have->list.v[i], *l = &want->list.v[j];
		const int order = nft_lines_cmp(h, l);

		if (order == 0 && l->origin != NFT_NO_ORIGIN)
			add_count(c, l, h);
		i += order <= 0;
		j += order >= 0;
	}
	for (uint32_t m = 0; m < want->held.n; m++)
		nft_held_each(want->held.v[m], add_held_count, c);
	for (uint32_t o = 0; o < c->p->origins.n; o++)
		if (c->of[o].packets > 0)
			vec_add(c->a, &c->counts.list, ((struct nft_count){
				.origin = c->p->origins.v[o], .packets = c->of[o].packets,
				.bytes = c->of[o].bytes }));
}

int nft_counters(struct nl_session *nl, const struct nft_program *p, struct arena *a,
		 struct nft_counts *ret)
{
	struct arena work CLEANUP(arena_fini);
	struct nft_lines have = { .a = &work }, want = { .a = &work };
	struct counting c = { .p = p, .a = a };
	uint32_t genid;
	int err;

	arena_init(&work, WORK_BYTES);
	err = nft_lines_compare(nl, p, &have, &want, &genid);
	if (err < 0)
		return err;
	c.of = arena_array(&work, struct nft_counted, p->origins.n);
	add_counts(&c, &have, &want);
	*ret = c.counts;
	return 0;
}

int nft_texts_read(struct nl_session *nl, struct arena *a, struct nft_texts *ret)
{
	struct arena work CLEANUP(arena_fini);
	struct nft_lines have = { .a = &work };
	uint32_t genid;
	int err;

	arena_init(&work, WORK_BYTES);
	err = nft_lines_read(nl, &have, &genid);
	if (err < 0)
		return err;
	ret->list.n = 0;
	nft_keep_texts(&have, a, ret);
	return 0;
}
