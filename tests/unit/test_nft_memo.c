/* SPDX-License-Identifier: BSD-2-Clause */
#include "ns.h"
#include "unit.h"

#include <linux/netlink.h>

#include "test_nft.h"

/* What a look says, as text; freed by the caller */
static char *told(const struct nft_changes *changes)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (uint32_t i = 0; i < changes->list.n; i++)
		fprintf(f, "%s %s\n", nft_op_name(changes->list.v[i].op),
			changes->list.v[i].object != NULL ? changes->list.v[i].object : "forwards");
	fclose(f);
	return text;
}

/* A memo outlives the program that it was made of, as a file does */
static struct nft_memo kept(const struct nft_memo *m)
{
	char *text = malloc(m->len + 1);

	memcpy(text, m->text, m->len);
	text[m->len] = '\0';
	return (struct nft_memo){ text, m->len };
}

static void meddle(const char *command)
{
	CHECK_INT(system(command), 0);
}

/* From what is remembered to @build: the same is said and done as after a look */
static struct nft_memo go_on(struct nl_session *nl, model_fn *build, const struct nft_memo *memo)
{
	struct nft_changes asked = { .list = { .n = 0 } }, believed = asked, left = asked;
	struct nft_look *look = NULL;
	struct nft_memo next = { .text = NULL };
	char *by_asking, *by_memo;
	struct nft_program *p;
	bool changed = false;
	struct fix f;

	fix_init(&f);
	build(&f);
	p = fix_lower(&f);
	CHECK_INT(nft_look(nl, p, NULL, &f.a, &asked, &look), 0);
	nft_look_free(look);
	CHECK_INT(nft_look(nl, p, memo, &f.a, &believed, &look), 0);
	by_asking = told(&asked);
	by_memo = told(&believed);
	CHECK_STR(by_memo, by_asking);
	free(by_asking);
	free(by_memo);
	CHECK_INT(nft_load_seen(nl, p, look, &next, &f.d, &changed), 0);
	CHECK_INT(changed, asked.list.n > 0);
	nft_look_free(look);
	CHECK_INT(nft_diff(nl, p, &f.a, &left), 0);
	CHECK_INT(left.list.n, 0);
	if (CHECK(next.text != NULL))
		next = kept(&next);
	fix_fini(&f);
	return next;
}

static const char *const none = "true";
static const char *const foreign[] = {
	"nft flush chain inet sallyport out_fence",
	"nft insert rule inet sallyport in_filter drop comment \\\"mine\\\"",
	"nft delete table inet sallyport",
};

/* One ruleset after the other, each by the memo of the one before */
TEST(what_is_remembered_is_what_is_there)
{
	static model_fn *const builds[] = { model_web, model_answers, model_answers, model_web };
	struct nl_session nl;

	NS_FRESH();
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	for (size_t x = 0; x <= ARRAY_SIZE(foreign); x++) {
		struct nft_memo memo = { .text = NULL };

		for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
			const struct nft_memo last = memo;

			if (i > 0)
				meddle(x < ARRAY_SIZE(foreign) ? foreign[x] : none);
			memo = go_on(&nl, builds[i], i > 0 ? &last : NULL);
			free((void *)(uintptr_t)last.text);
		}
		free((void *)(uintptr_t)memo.text);
	}
	nl_close(&nl);
}

/* A memo that is cut, or in which something was moved, is none */
TEST(a_broken_memo_is_not_believed)
{
	struct nft_memo memo, part;
	struct nl_session nl;

	NS_FRESH();
	if (!CHECK_INT(nl_open(&nl, NETLINK_NETFILTER), 0))
		return;
	memo = go_on(&nl, model_web, NULL);
	for (size_t len = 0; len < memo.len; len += 7) {
		struct nft_changes changes = { .list = { .n = 0 } };
		struct nft_look *look = NULL;
		struct fix f;

		/* Whole lines say less, and are sums of the state's to see */
		if (len > 0 && memo.text[len - 1] == '\n')
			continue;
		fix_init(&f);
		model_web(&f);
		part = (struct nft_memo){ memo.text, len };
		CHECK_INT(nft_look(&nl, fix_lower(&f), &part, &f.a, &changes, &look), 0);
		CHECK_INT(changes.list.n, 0);
		nft_look_free(look);
		fix_fini(&f);
	}
	free((void *)(uintptr_t)memo.text);
	nl_close(&nl);
}
