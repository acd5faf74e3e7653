/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/ipfw/words.h"

#include <stdlib.h>
#include <string.h>

#include "diag/diag.h"
#include "lang/ipfw.h"

const struct iw_row iw_rows[] = {
#define W(text, kind, word, how, help) { text, IWK_##kind, IW_##word, IWH_##how, help },
#include "lang/ipfw/words.def"
#undef W
	{ .text = NULL },
};

#define N_ROWS	(ARRAY_SIZE(iw_rows) - 1)

const struct iw_row *iw_find(enum iw_kind kind, const char *text)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (iw_rows[i].kind == kind && iw_rows[i].text[0] == text[0] &&
		    strcmp(iw_rows[i].text, text) == 0)
			return &iw_rows[i];
	return NULL;
}

bool iw_is(enum iw_kind kind, const char *text, enum iw word)
{
	const struct iw_row *r = text != NULL ? iw_find(kind, text) : NULL;

	return r != NULL && r->word == word;
}

const char *iw_text(enum iw word)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (iw_rows[i].word == word)
			return iw_rows[i].text;
	return "";
}

const char *iw_nearest(enum iw_kind kind, const char *text)
{
	const char *fit[N_ROWS + 1];
	size_t n = 0;

	for (size_t i = 0; i < N_ROWS; i++)
		if (iw_rows[i].kind == kind)
			fit[n++] = iw_rows[i].text;
	fit[n] = NULL;
	return diag_nearest(text, fit);
}

static int compare(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

const char *const *ipfw_words(void)
{
	static const char *list[N_ROWS + 1];
	size_t n = 0, kept = 0;

	if (list[0] != NULL)
		return list;
	for (; n < N_ROWS; n++)
		list[n] = iw_rows[n].text;
	qsort(list, n, sizeof(list[0]), compare);
	for (size_t i = 1; i < n; i++)
		if (strcmp(list[i], list[kept]) != 0)
			list[++kept] = list[i];
	list[kept + 1] = NULL;
	return list;
}
