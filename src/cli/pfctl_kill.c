/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What -k is about is one of some kinds, each a row: what its word is, how its value
 * is read, and which states it means.  A host or network is what packets on the
 * interface have, `nat` what the rest of the host sees, as in pf.  No state was routed
 * by a rule here, so each has the gateway 0.0.0.0 or ::.
 */
#include "cli/pfctl_leg.h"

#include <stdlib.h>
#include <string.h>

#include "cli/pfowner.h"
#include "net/names.h"

/* "proto host1:port1 direction host2:port2", as -s states prints it */
struct key {
	uint8_t proto;
	enum direction dir;
	struct addr a[2];	/* sender, receiver */
	uint16_t port[2];
};

struct kind;

/* Which states are meant */
struct wanted {
	struct pfctl *p;
	const struct kind *kind;	/* NULL: all */
	struct pf_entries src;
	struct pf_entries dst;
	struct pfctl_owners labelled;
	struct key key;
	uint64_t id;
};

/* A kind of -k: @word is its first value, NULL: the first value is an address */
struct kind {
	const char *word;
	bool (*read)(struct wanted *w, const char *value);
	bool (*is_meant)(const struct wanted *w, const struct leg *l);
};

/* ---- hosts and networks ---------------------------------------------------------- */

/* What a host or network on the command line means */
static bool networks_of(struct pfctl *p, const char *word, struct pf_entries *out)
{
	struct lang_ctx ctx = pfctl_context(p);

	if (word[0] != '!' && pf_entry_parse(&ctx, &p->d.facts, word, out))
		return true;
	fprintf(stderr, "no IP address found for %s\n", word);
	return pfctl_warn(p, "getaddrinfo: hostname nor servname provided, or not known");
}

static bool is_within(const struct pf_entries *es, struct addr a)
{
	for (uint32_t i = 0; i < es->list.n; i++)
		if (prefix_has(es->list.v[i].p, a))
			return true;
	return false;
}

static bool read_nets(struct wanted *w, const char *value UNUSED)
{
	const struct pfctl *p = w->p;

	return networks_of(w->p, p->kill[0], &w->src) &&
	       (p->n_kill < 2 || networks_of(w->p, p->kill[1], &w->dst));
}

static bool is_of_nets(const struct wanted *w, const struct leg *l)
{
	return is_within(&w->src, l->peer[0].wire) &&
	       (w->p->n_kill < 2 || is_within(&w->dst, l->peer[1].wire));
}

static bool read_source(struct wanted *w, const char *value)
{
	return networks_of(w->p, value, &w->src);
}

static bool is_from_inside(const struct wanted *w, const struct leg *l)
{
	return is_within(&w->src, l->peer[0].a);
}

static bool is_by_gateway(const struct wanted *w, const struct leg *l)
{
	return is_within(&w->src, (struct addr){ .af = l->peer[0].a.af });
}

/* ---- one state, or a rule's ------------------------------------------------------ */

static bool read_id(struct wanted *w, const char *value)
{
	char *end;

	w->id = strtoull(value, &end, 16);
	if (end != value && (*end == '\0' || *end == '/') && w->id != 0)
		return true;
	pfctl_warn(w->p, w->id == 0 && end != value ? "cannot kill id 0"
						    : "wrong id format specified");
	return pfctl_usage(w->p);
}

static bool is_id(const struct wanted *w, const struct leg *l)
{
	return leg_id(l) == w->id;
}

static bool read_label(struct wanted *w, const char *value)
{
	return pfctl_labelled(w->p, value, &w->labelled);
}

static bool is_labelled(const struct wanted *w, const struct leg *l)
{
	const struct origin o = pfowner_of(&w->p->d.model, l->flow, l->dir);

	return pfctl_owns(&w->labelled, &o);
}

/* "ADDRESS:PORT", of IPv6 "ADDRESS[PORT]"; without a port it is 0 */
static bool read_end(const char *word, struct addr *a, uint16_t *port)
{
	const char *at = strchr(word, '[');
	unsigned long n = 0;
	char *end = NULL;

	if (at == NULL && strchr(word, ':') == strrchr(word, ':'))
		at = strchr(word, ':');
	if (at != NULL) {
		n = strtoul(at + 1, &end, 10);
		if (end == at + 1 || strcmp(end, *at == '[' ? "]" : "") != 0 || n > UINT16_MAX)
			return false;
	}
	*port = (uint16_t)n;
	return addr_parse(word, at != NULL ? (size_t)(at - word) : strlen(word), a) == 0;
}

static bool read_key(struct wanted *w, const char *value)
{
	char *words = arena_strndup(&w->p->c->arena, value, strlen(value)), *save = NULL;
	const char *word[5] = { NULL };
	struct key *k = &w->key;
	uint32_t n = 0, first;
	int proto;

	for (char *s = strtok_r(words, " \t", &save); s != NULL && n < ARRAY_SIZE(word);
	     s = strtok_r(NULL, " \t", &save))
		word[n++] = s;
	if (n != 4)
		return pfctl_warn(w->p, "key must be \"protocol host1:port1 direction "
					"host2:port2\" format");
	proto = proto_parse(word[0], strlen(word[0]));
	if (proto < 0)
		return pfctl_warn(w->p, "invalid protocol: %s", word[0]);
	if (strcmp(word[2], "->") != 0 && strcmp(word[2], "<-") != 0)
		return pfctl_warn(w->p, "invalid direction: %s", word[2]);
	k->proto = (uint8_t)proto;
	k->dir = word[2][0] == '<' ? DIR_IN : DIR_OUT;
	first = k->dir == DIR_IN;	/* the end that stands first */
	for (uint32_t i = 0; i < 2; i++)
		if (!read_end(word[i == first ? 1 : 3], &k->a[i], &k->port[i]))
			return pfctl_warn(w->p, "invalid host: %s", word[i == first ? 1 : 3]);
	return true;
}

static bool is_key(const struct wanted *w, const struct leg *l)
{
	for (int i = 0; i < 2; i++)
		if (!addr_equal(w->key.a[i], l->peer[i].wire) ||
		    w->key.port[i] != l->peer[i].wire_port)
			return false;
	return w->key.proto == l->flow->proto && w->key.dir == l->dir;
}

/* ---- all of them ----------------------------------------------------------------- */

static const struct kind kinds[] = {
	{ "label", read_label, is_labelled }, { "id", read_id, is_id },
	{ "key", read_key, is_key }, { "gateway", read_source, is_by_gateway },
	{ "nat", read_source, is_from_inside }, { NULL, read_nets, is_of_nets },
};

static bool read_wanted(struct wanted *w)
{
	struct pfctl *p = w->p;

	w->kind = kinds;
	while (w->kind->word != NULL && strcmp(w->kind->word, p->kill[0]) != 0)
		w->kind++;
	if (w->kind->word != NULL && (p->n_kill != 2 || p->kill[1][0] == '\0')) {
		pfctl_warn(p, "no %s specified", w->kind->word);
		return pfctl_usage(p);
	}
	return w->kind->read(w, p->kill[1]);
}

/* Forget the flow of a state; the other leg of it is gone then */
static int forget(struct nl_session *nl, const struct leg *l)
{
	const int err = conntrack_delete(nl, l->flow);

	return err == -ENOENT ? 0 : err;
}

/* How many states were forgotten, or -1 when something was told */
static int32_t kill_wanted(const struct wanted *w)
{
	CLEANUP(nl_close) struct nl_session nl = { .fd = -1 };
	struct legs legs = { .list = { 0 } };
	int err = legs_read(w->p, &nl, &legs);
	int32_t n = 0;

	for (uint32_t i = 0; err == 0 && i < legs.list.n; i++) {
		const struct leg *l = &legs.list.v[i];

		if (!leg_is_of_iface(w->p) || (w->kind != NULL && !w->kind->is_meant(w, l)))
			continue;
		err = forget(&nl, l);
		n += err == 0;
	}
	if (err == 0)
		return n;
	(void)pfctl_warn(w->p, "cannot kill states: %s", strerror(-err));
	return -1;
}

int32_t pfctl_kill_states(struct pfctl *p, bool all)
{
	struct wanted w = { .p = p };
	int32_t n;

	if (!all && !read_wanted(&w))
		return -1;
	n = p->dry ? 0 : kill_wanted(&w);
	if (n < 0)
		return n;
	if (all)
		pfctl_say(p, "%d states cleared", n);
	else if (w.kind->is_meant == is_of_nets || w.kind->is_meant == is_from_inside)
		pfctl_say(p, "killed %d states from %u sources and %u destinations", n,
			  w.src.list.n, w.dst.list.n);
	else
		pfctl_say(p, "killed %d states", n);
	return n;
}
