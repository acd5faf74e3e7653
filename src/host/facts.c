/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/facts.h"

#include <string.h>

#include "base/limits.h"
#include "host/have.h"

static void add_live_link(struct facts *f, const struct rtnl_link *l)
{
	struct iface *i = facts_add(f, facts_freebsd_name(l->name));
	char group[16];

	i->is_live = true;
	if (host_is_our_link(l) && i->kind != IFACE_LO) {
		i->kind = IFACE_CLONED;
		facts_add_group(f, i, "lo");
		return;
	}
	if (l->kind[0] != '\0')
		facts_add_group(f, i, l->kind);
	if (l->group != 0) {
		snprintf(group, sizeof(group), "%u", l->group);
		facts_add_group(f, i, group);
	}
}

static void add_live_default(struct facts *f, const struct rtnl_links *links,
			     const struct rtnl_route *r, size_t slot)
{
	const struct rtnl_link *l = r->af == AF_NONE ? NULL : rtnl_link_at(links, r->ifindex);

	if (l == NULL)
		return;
	f->default_if[slot] = intern_cstr(f->names, facts_freebsd_name(l->name));
	f->default_via[slot] = r->via;
}

void host_facts_live(struct facts *f, const struct host_live *live)
{
	for (uint32_t i = 0; i < live->links.list.n; i++)
		add_live_link(f, &live->links.list.v[i]);
	for (uint32_t i = 0; i < live->addrs.list.n; i++) {
		const struct rtnl_addr *x = &live->addrs.list.v[i];
		const struct rtnl_link *l = rtnl_link_at(&live->links, x->ifindex);

		if (l != NULL)
			facts_add_addr(f, facts_add(f, facts_freebsd_name(l->name)),
				       (struct iface_addr){ x->p, x->peer, SPAN_NONE, true });
	}
	add_live_default(f, &live->links, &live->route4, 0);
	add_live_default(f, &live->links, &live->route6, 1);
}

/**
 * struct line - A line of an interfaces file, taken word by word
 * @text:	The whole file
 * @at:		Next byte
 * @end:	End of the line, or of what is before its comment
 * @src:	The file
 * @diags:	For the user
 * @word:	The last word taken
 * @len:	Its length
 * @span:	Its place
 */
struct line {
	const char *text;
	uint32_t at;
	uint32_t end;
	uint32_t src;
	struct diags *diags;
	const char *word;
	uint32_t len;
	struct span span;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* False at the end of the line; @l->span is that place then */
static bool take_word(struct line *l)
{
	uint32_t from;

	while (l->at < l->end && is_blank(l->text[l->at]))
		l->at++;
	from = l->at;
	while (l->at < l->end && !is_blank(l->text[l->at]))
		l->at++;
	l->word = l->text + from;
	l->len = l->at - from;
	l->span = (struct span){ l->src, from, l->at };
	return l->len > 0;
}

static bool is_word(const struct line *l, const char *word)
{
	return l->len == strlen(word) && memcmp(l->word, word, l->len) == 0;
}

/* Something is missing or wrong at the last word */
static bool tell(const struct line *l, const char *want)
{
	if (l->len == 0)
		diag_add(l->diags, DIAG_E1007, l->span, "%s is missing", want);
	else
		diag_add(l->diags, DIAG_E1007, l->span, "'%.*s' is not %s",
			 (int)MIN(l->len, 64u), l->word, want);
	return false;
}

/* As the kernel takes them; ':' is Linux's alias notation, not a name */
static bool is_name(const struct line *l)
{
	if (l->len == 0 || l->len > LIMIT_IFNAME_BYTES)
		return false;
	for (uint32_t i = 0; i < l->len; i++)
		if ((unsigned char)l->word[i] < ' ' || strchr("/:%\x7f", l->word[i]) != NULL)
			return false;
	return true;
}

static const char *name_of(const struct line *l, struct facts *f)
{
	char name[LIMIT_IFNAME_BYTES + 1];

	memcpy(name, l->word, l->len);
	name[l->len] = '\0';
	return intern_cstr(f->names, facts_freebsd_name(name));
}

static bool take_default(struct line *l, struct facts *f)
{
	const char *name;
	struct addr via;
	size_t slot;

	if (!take_word(l) || !is_word(l, "via"))
		return tell(l, "'via'");
	if (!take_word(l) || addr_parse(l->word, l->len, &via) < 0)
		return tell(l, "the address of a gateway");
	if (!take_word(l) || !is_word(l, "dev"))
		return tell(l, "'dev'");
	if (!take_word(l) || !is_name(l))
		return tell(l, "the name of an interface");
	name = name_of(l, f);
	if (take_word(l))
		return tell(l, "expected here: the line ends after the interface");
	slot = via.af == AF_V4 ? 0 : 1;
	f->default_if[slot] = name;
	f->default_via[slot] = via;
	return true;
}

static bool take_group(struct line *l, struct facts *f, const char *name)
{
	const char *group;

	if (!take_word(l) || !is_name(l))
		return tell(l, "the name of a group");
	group = intern_str(f->names, l->word, l->len);
	facts_add_group(f, facts_add(f, name), group);
	return true;
}

/* An address is added once it is known whether `peer` follows */
static void put_addr(struct facts *f, const char *name, struct iface_addr *x)
{
	if (x->p.a.af != AF_NONE)
		facts_add_addr(f, facts_add(f, name), *x);
	*x = (struct iface_addr){ .is_live = true };
}

static bool take_peer(struct line *l, struct iface_addr *x)
{
	if (x->p.a.af == AF_NONE) {
		diag_add(l->diags, DIAG_E1007, l->span, "'peer' stands behind no address");
		return false;
	}
	if (!take_word(l) || addr_parse(l->word, l->len, &x->peer) < 0)
		return tell(l, "the address of a peer");
	if (x->peer.af != x->p.a.af)
		return tell(l, "an address of the same family");
	return true;
}

static bool take_iface(struct line *l, struct facts *f)
{
	struct iface_addr x = { .is_live = true };
	const char *name;

	if (!is_name(l))
		return tell(l, "the name of an interface");
	name = name_of(l, f);
	facts_add(f, name)->is_live = true;
	while (take_word(l)) {
		if (is_word(l, "group")) {
			if (!take_group(l, f, name))
				return false;
		} else if (is_word(l, "peer")) {
			if (!take_peer(l, &x))
				return false;
			put_addr(f, name, &x);
		} else {
			put_addr(f, name, &x);
			if (prefix_parse(l->word, l->len, &x.p) < 0) {
				x.p.a.af = AF_NONE;
				return tell(l, "'group', 'peer' or ADDRESS/LENGTH");
			}
			x.at = l->span;
		}
	}
	put_addr(f, name, &x);
	return true;
}

void host_facts_file(struct facts *f, const struct sources *sources, uint32_t src,
		     struct diags *diags)
{
	const struct source *s = source_at(sources, src);
	const char *text = s->text;
	uint32_t at = 0;

	while (at < s->len && !diag_is_full(diags)) {
		const char *nl = memchr(text + at, '\n', s->len - at);
		const uint32_t end = nl == NULL ? s->len : (uint32_t)(nl - text);
		const char *hash = memchr(text + at, '#', end - at);
		struct line l = {
			.text = text, .at = at, .src = src, .diags = diags,
			.end = hash == NULL ? end : (uint32_t)(hash - text),
		};

		if (take_word(&l))
			(void)(is_word(&l, "default") ? take_default(&l, f) : take_iface(&l, f));
		at = end + 1;
	}
}
