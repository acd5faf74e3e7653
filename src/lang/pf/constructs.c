/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/construct.h"
#include "lang/pf/words.h"

static const struct {
	enum pf_word word;
	struct construct c;
} rows[] = {
#define C(name, place, text, how, help) \
	{ PW_##name, { place, text, NULL, HOW_##how, help } },
#include "lang/pf/constructs.def"
#undef C
};

const struct construct *pf_constructs(void)
{
	static struct construct list[ARRAY_SIZE(rows) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		list[i] = rows[i].c;
		list[i].word = rows[i].word != PW_NONE ? pf_word_text(rows[i].word) : NULL;
	}
	return list;
}
