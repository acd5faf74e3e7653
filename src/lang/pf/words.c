/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/pf/words.h"

#include <string.h>

#include "diag/diag.h"
#include "lang/pf.h"

static const struct {
	const char *text;
	unsigned int roles;
} words[PW_N_WORDS] = {
	[PW_NONE] = { "", 0 },
#define X(name, text, roles) [PW_##name] = { text, roles },
#include "lang/pf/words.def"
#undef X
};

enum pf_word pf_word_find(const char *s, size_t len)
{
	int lo = 1, hi = PW_N_WORDS;

	while (lo < hi) {
		const int mid = lo + (hi - lo) / 2;
		int cmp = strncmp(s, words[mid].text, len);

		if (cmp == 0 && words[mid].text[len] != '\0')
			cmp = -1;
		if (cmp == 0)
			return (enum pf_word)mid;
		if (cmp < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return PW_NONE;
}

const char *pf_word_text(enum pf_word w)
{
	return words[w].text;
}

unsigned int pf_word_roles(enum pf_word w)
{
	return words[w].roles;
}

bool pf_word_is_reserved(enum pf_word w)
{
	return words[w].roles != 0 && (words[w].roles & PWR_FREE) == 0;
}

const char *pf_word_nearest(const char *word, unsigned int roles)
{
	const char *fit[PW_N_WORDS];
	size_t n = 0;

	for (int w = 1; w < PW_N_WORDS; w++)
		if ((words[w].roles & roles) != 0)
			fit[n++] = words[w].text;
	fit[n] = NULL;
	return diag_nearest(word, fit);
}

const char *const *pf_words(void)
{
	static const char *const list[] = {
#define X(name, text, roles) text,
#include "lang/pf/words.def"
#undef X
		NULL
	};

	return list;
}
