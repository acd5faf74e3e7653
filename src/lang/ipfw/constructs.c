/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "lang/construct.h"
#include "lang/ipfw/words.h"

#define ROWS_MAX	400u

static const char *const places[] = {
	[IWK_COMMAND] = "command", [IWK_ACTION] = "action", [IWK_MODIFIER] = "modifier",
	[IWK_LOGWORD] = "after log", [IWK_PROTO] = "protocol", [IWK_ADDRESS] = "address",
	[IWK_GRAMMAR] = "grammar", [IWK_OPTION] = "option", [IWK_LIMITBY] = "after limit",
	[IWK_NATWORD] = "nat config", [IWK_TABLEWORD] = "table command",
	[IWK_TABLEPARAM] = "table create", [IWK_TABLETYPE] = "table type",
	[IWK_SWITCH] = "enable, disable",
};

static const enum construct_how hows[] = {
	[IWH_EXACT] = HOW_EXACT, [IWH_NOTED] = HOW_NOTED, [IWH_REFUSED] = HOW_REFUSED,
	[IWH_NO_NFT] = HOW_REFUSED,
};

static const struct form {
	const char *place;
	const char *text;
	enum construct_how how;
	const char *help;
} forms[] = {
#define C(place, text, how, help) { place, text, HOW_##how, help },
#include "lang/ipfw/forms.def"
#undef C
};

/* "as X" says of X what X says */
static const char *help_of(const struct iw_row *r)
{
	const char *name = strncmp(r->help, "as ", 3) == 0 ? r->help + 3 : r->help;
	const struct iw_row *same = iw_find(r->kind, name);

	return same != NULL && r->how == IWH_REFUSED ? same->help : r->help;
}

const struct construct *ipfw_constructs(void)
{
	static struct construct list[ROWS_MAX + 1];
	size_t n = 0;

	for (const struct iw_row *r = iw_rows; r->text != NULL; r++) {
		BUG_IF(n == ROWS_MAX);
		list[n++] = (struct construct){ places[r->kind], r->text, r->text, hows[r->how],
						help_of(r) };
	}
	for (const struct form *f = forms; f < forms + ARRAY_SIZE(forms); f++) {
		BUG_IF(n == ROWS_MAX);
		list[n++] = (struct construct){ f->place, f->text, NULL, f->how, f->help };
	}
	return list;
}
