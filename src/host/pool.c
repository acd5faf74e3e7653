/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The lowest free address is lent, found by walking the taken ones in order: no
 * bitmap, because a pool may be an IPv6 /64.  The loans are few, so whatever
 * changes them writes the whole file anew.
 */
#include "host/pool.h"

#include <stdlib.h>
#include <string.h>

#include "host/state.h"
#include "host/state_file.h"

#define FILE_NAME "pool"

/* The next field of [*@p, @end), or NULL */
static const char *field(const char **p, const char *end)
{
	const char *start = *p;

	if (start >= end)
		return NULL;
	*p += strlen(start) + 1;
	return start;
}

/* Digits alone */
static bool number(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	for (; s != NULL && *s >= '0' && *s <= '9'; s++) {
		v = v * 10 + (uint64_t)(*s - '0');
		if (v > max)
			return false;
	}
	*ret = v;
	return s != NULL && *s == '\0';
}

static int parse(struct arena *a, const char *text, size_t len, struct pool_loans *ret)
{
	const char *p = text, *end = text + len;

	while (p < end) {
		struct pool_loan x = { .owner = field(&p, end) };
		const char *addr;
		uint64_t hold;

		x.iface = field(&p, end);
		addr = field(&p, end);
		if (addr == NULL || addr_parse(addr, strlen(addr), &x.a) != 0 ||
		    !number(field(&p, end), INT64_MAX, &x.until) ||
		    !number(field(&p, end), UINT32_MAX, &hold) || ret->list.n >= POOL_LOANS)
			return -EBADMSG;
		x.hold_seconds = (uint32_t)hold;
		vec_add(a, &ret->list, x);
	}
	return 0;
}

int pool_load(int lib_fd, struct arena *a, struct pool_loans *ret)
{
	size_t size, len;
	char *text;
	int err = state_file_size(lib_fd, FILE_NAME, &size);

	if (err == -ENOENT)
		return 0;
	if (err == 0 && size > STATE_FILE_BYTES)
		err = -EBADMSG;
	if (err < 0)
		return err;
	text = arena_alloc(a, size + 1);
	err = state_file_load(lib_fd, FILE_NAME, text, size, &len);
	if (err < 0)
		return err;
	text[len] = '\0';
	return len > 0 && text[len - 1] != '\0' ? -EBADMSG : parse(a, text, len, ret);
}

int pool_save(int lib_fd, const struct pool_loans *l)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	char addr[ADDR_TEXT_BYTES];

	if (out == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->list.n; i++) {
		const struct pool_loan *x = &l->list.v[i];

		fprintf(out, "%s%c%s%c%s%c%llu%c%u%c", x->owner, 0, x->iface, 0,
			addr_print(x->a, addr), 0, (unsigned long long)x->until, 0,
			x->hold_seconds, 0);
	}
	if (fclose(out) != 0)
		return -ENOMEM;
	return state_file_save(lib_fd, FILE_NAME, text, len);
}

static int addr_cmp(const void *x, const void *y)
{
	const struct addr *a = x, *b = y;

	if (a->af != b->af)
		return a->af < b->af ? -1 : 1;
	return a->v < b->v ? -1 : a->v > b->v ? 1 : 0;
}

static bool is_used(const struct pool_used *used, struct addr a)
{
	return used->list.n > 0 &&
	       bsearch(&a, used->list.v, used->list.n, sizeof(a), addr_cmp) != NULL;
}

static bool is_lent(const struct pool_loan *x, uint64_t now)
{
	return x->until == 0 || x->until > now;
}

/* What is taken by others: used addresses and loans, in order */
static void all_taken(const struct pool_loans *l, struct arena *a, const struct pool_used *used,
		      const char *owner, uint64_t now, struct pool_used *ret)
{
	for (uint32_t i = 0; i < used->list.n; i++)
		vec_add(a, &ret->list, used->list.v[i]);
	for (uint32_t i = 0; i < l->list.n; i++) {
		const struct pool_loan *x = &l->list.v[i];

		if (is_lent(x, now) && (*owner == '\0' || strcmp(x->owner, owner) != 0))
			vec_add(a, &ret->list, x->a);
	}
	if (ret->list.n > 1)
		qsort(ret->list.v, ret->list.n, sizeof(ret->list.v[0]), addr_cmp);
}

/* The lowest address of @net that is not in @taken; AF_NONE: there is none */
static struct addr lowest_free(struct prefix net, const struct pool_used *taken)
{
	const unsigned int rest = addr_bits(net.a.af) - net.len;
	u128 lo = net.a.v, hi = net.a.v | ~prefix_mask(net.a.af, net.len);

	if (net.a.af == AF_V4)
		hi &= UINT32_MAX;
	lo += rest > 1 ? 1 : 0;
	hi -= rest > 1 && net.a.af == AF_V4 ? 1 : 0;
	for (uint32_t i = 0; i < taken->list.n && lo <= hi; i++)
		if (taken->list.v[i].af == net.a.af && taken->list.v[i].v == lo)
			lo++;
	return lo <= hi ? (struct addr){ net.a.af, lo } : (struct addr){ AF_NONE, 0 };
}

/* What the owner had, unless somebody else has it now */
static struct pool_loan *former(struct pool_loans *l, const struct pool_used *taken,
				const char *iface, struct prefix net, const char *owner)
{
	for (uint32_t i = 0; i < l->list.n && *owner != '\0'; i++) {
		struct pool_loan *x = &l->list.v[i];

		if (strcmp(x->owner, owner) == 0 && strcmp(x->iface, iface) == 0 &&
		    prefix_has(net, x->a) && !is_used(taken, x->a))
			return x;
	}
	return NULL;
}

struct pool_loan *pool_take(struct pool_loans *l, struct arena *a,
			    const struct pool_used *used, const char *iface,
			    struct prefix net, const char *owner, uint64_t now)
{
	struct pool_used taken = { .list = { .n = 0 } };
	struct pool_loan *x;
	struct addr free_addr;

	all_taken(l, a, used, owner, now, &taken);
	x = former(l, &taken, iface, net, owner);
	if (x != NULL) {
		x->until = 0;
		return x;
	}
	free_addr = lowest_free(net, &taken);
	if (free_addr.af == AF_NONE)
		return NULL;
	/* A loan that ran out stands in the file still */
	for (uint32_t i = 0; i < l->list.n; i++)
		if (addr_equal(l->list.v[i].a, free_addr))
			l->list.v[i--] = l->list.v[--l->list.n];
	if (l->list.n >= POOL_LOANS)
		return NULL;
	x = vec_push(a, &l->list);
	*x = (struct pool_loan){ .owner = owner, .iface = iface, .a = free_addr };
	return x;
}

void pool_drop(struct pool_loans *l, const struct pool_loan *x)
{
	BUG_IF(l->list.n == 0 || x != &l->list.v[l->list.n - 1]);
	l->list.n--;
}
