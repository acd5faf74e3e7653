/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A draw is a distribution: outcomes and their probabilities, sorted, whatever the
 * order in which lots were drawn.  So a pool of three addresses in the model is
 * what "every third, of the rest every second" is in the kernel.  Probabilities
 * are numbers modulo a prime, where 1/3 times 3/2 is exactly 1/2; two different
 * ones that are the same number there are as likely as a hash of 61 bits.
 */
#include "prove/outcome.h"

#include <stdlib.h>
#include <string.h>

#define PRIME	((UINT64_C(1) << 61) - 1)

void outcomes_init(struct outcomes *o, struct arena *a)
{
	*o = (struct outcomes){ .a = a };
	vec_push(a, &o->list);
	vec_push(a, &o->list);
	o->n_slots = o->n_xslots = 256;
	o->slot = arena_array(a, uint32_t, o->n_slots);
	o->xslot = arena_array(a, uint32_t, o->n_xslots);
}

static uint64_t stir(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static uint64_t hash_outcome(const struct outcome *x)
{
	uint64_t h = stir(x->fate, x->code);

	h = stir(h, (uint64_t)x->states << 32 | (uint32_t)x->tag << 16 | x->kept_tag);
	h = stir(h, (uint64_t)x->links << 32 | (uint32_t)x->place << 16 | x->is_turn);
	h = stir(stir(h, (uint64_t)x->record << 32 | x->xlate),
		 (uint64_t)x->counts << 32 | (uint32_t)x->mends << 16 | x->grown);
	h = x->logs == 0 ? h : stir(h, (uint64_t)x->logs << 40);
	for (int i = 0; i < N_HEADERS; i++)
		h = x->wrote[i] == 0 ? h : stir(h, (uint64_t)i << 32 | x->wrote[i]);
	for (const char *c = x->text; c != NULL && *c != '\0'; c++)
		h = stir(h, (uint8_t)*c);
	for (uint32_t i = 0; i < x->n_lots; i++)
		h = stir(stir(h, x->lots[i].value), x->lots[i].weight);
	return h;
}

static bool same_text(const char *x, const char *y)
{
	return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

static bool same_outcome(const struct outcome *x, const struct outcome *y)
{
	if (x->fate != y->fate || x->code != y->code || x->states != y->states ||
	    x->tag != y->tag || x->kept_tag != y->kept_tag || x->links != y->links ||
	    x->place != y->place || x->logs != y->logs ||
	    x->record != y->record || x->xlate != y->xlate ||
	    x->counts != y->counts || x->grown != y->grown || x->mends != y->mends ||
	    memcmp(x->wrote, y->wrote, sizeof(x->wrote)) != 0 ||
	    x->is_turn != y->is_turn || x->n_lots != y->n_lots || !same_text(x->text, y->text))
		return false;
	for (uint32_t i = 0; i < x->n_lots; i++)
		if (x->lots[i].value != y->lots[i].value || x->lots[i].weight != y->lots[i].weight)
			return false;
	return true;
}

static void put_outcome(struct outcomes *o, uint32_t i)
{
	uint64_t at = hash_outcome(&o->list.v[i]);

	while (o->slot[at & (o->n_slots - 1)] != 0)
		at++;
	o->slot[at & (o->n_slots - 1)] = i;
}

uint32_t outcome_of(struct outcomes *o, const struct outcome *x)
{
	uint64_t at = hash_outcome(x);
	struct outcome *to;

	for (; o->slot[at & (o->n_slots - 1)] != 0; at++)
		if (same_outcome(&o->list.v[o->slot[at & (o->n_slots - 1)]], x))
			return o->slot[at & (o->n_slots - 1)];
	to = vec_push(o->a, &o->list);
	*to = *x;
	if (o->list.n * 2 > o->n_slots) {
		o->n_slots *= 4;
		o->slot = arena_array(o->a, uint32_t, o->n_slots);
		for (uint32_t i = 2; i < o->list.n; i++)
			put_outcome(o, i);
	} else {
		put_outcome(o, o->list.n - 1);
	}
	return o->list.n - 1;
}

uint32_t outcome_fate(struct outcomes *o, enum fate fate)
{
	const struct outcome x = { .fate = fate };

	return fate == FATE_NONE ? 0 : outcome_of(o, &x);
}

uint32_t outcome_unknown(struct outcomes *o, const char *why)
{
	const struct outcome x = { .fate = FATE_UNKNOWN,
				   .text = arena_strndup(o->a, why, strlen(why)) };

	return outcome_of(o, &x);
}

static uint64_t hash_translation(const struct translation *x)
{
	uint64_t h = stir((uint64_t)x->is_src << 8 | x->af, (uint64_t)x->to);

	h = stir(stir(h, (uint64_t)(x->to >> 64)), (uint64_t)x->own);
	h = stir(h, (uint64_t)x->lo << 32 | (uint64_t)x->hi << 1 | x->is_random);
	return stir(h, x->table);
}

static bool same_translation(const struct translation *x, const struct translation *y)
{
	return x->is_src == y->is_src && x->af == y->af && x->to == y->to && x->own == y->own &&
	       x->lo == y->lo && x->hi == y->hi && x->is_random == y->is_random &&
	       x->table == y->table;
}

static void put_translation(struct outcomes *o, uint32_t number)
{
	uint64_t at = hash_translation(&o->xlates.v[number - 1]);

	while (o->xslot[at & (o->n_xslots - 1)] != 0)
		at++;
	o->xslot[at & (o->n_xslots - 1)] = number;
}

uint32_t translation_of(struct outcomes *o, const struct translation *x)
{
	uint64_t at = hash_translation(x);

	for (; o->xslot[at & (o->n_xslots - 1)] != 0; at++)
		if (same_translation(&o->xlates.v[o->xslot[at & (o->n_xslots - 1)] - 1], x))
			return o->xslot[at & (o->n_xslots - 1)];
	vec_add(o->a, &o->xlates, *x);
	if (o->xlates.n * 2 > o->n_xslots) {
		o->n_xslots *= 4;
		o->xslot = arena_array(o->a, uint32_t, o->n_xslots);
		for (uint32_t i = 1; i <= o->xlates.n; i++)
			put_translation(o, i);
	} else {
		put_translation(o, o->xlates.n);
	}
	return o->xlates.n;
}

/* ---- records -------------------------------------------------------------- */

static uint32_t record_set_of(struct outcomes *o, const uint16_t *number, uint32_t n)
{
	for (uint32_t i = 0; i < o->records.n; i++)
		if (o->records.v[i].n == n &&
		    memcmp(o->records.v[i].number, number, n * sizeof(*number)) == 0)
			return i + 1;
	vec_add(o->a, &o->records, ((struct record_set){ n, number }));
	return o->records.n;
}

uint32_t record_add(struct outcomes *o, uint32_t set, uint16_t number)
{
	const struct record_set none = { .n = 0 };
	const struct record_set *from = set == 0 ? &none : &o->records.v[set - 1];
	uint16_t *to = arena_array(o->a, uint16_t, from->n + 1);
	uint32_t n = 0, i = 0;

	while (i < from->n && from->number[i] < number)
		to[n++] = from->number[i++];
	if (i < from->n && from->number[i] == number)
		return set;
	to[n++] = number;
	while (i < from->n)
		to[n++] = from->number[i++];
	return record_set_of(o, to, n);
}

/* ---- draws ----------------------------------------------------------------- */

static uint64_t times(uint64_t x, uint64_t y)
{
	return (uint64_t)((u128)x * y % PRIME);
}

static uint64_t power(uint64_t x, uint64_t n)
{
	uint64_t r = 1;

	for (; n > 0; n >>= 1, x = times(x, x))
		if ((n & 1) != 0)
			r = times(r, x);
	return r;
}

static int by_value(const void *x, const void *y)
{
	const uint32_t a = ((const struct lot *)x)->value, b = ((const struct lot *)y)->value;

	return a < b ? -1 : a > b;
}

/* The lots of an outcome, each with a share of @weight, to the end of @to */
static uint32_t add_lots(const struct outcomes *o, uint32_t value, uint64_t weight, bool is_turn,
			 struct lot *to)
{
	const struct outcome *x = &o->list.v[value];

	if (x->fate != FATE_DRAW || x->is_turn != is_turn) {
		to[0] = (struct lot){ value, weight };
		return 1;
	}
	for (uint32_t i = 0; i < x->n_lots; i++)
		to[i] = (struct lot){ x->lots[i].value, times(x->lots[i].weight, weight) };
	return x->n_lots;
}

/* Lots that may name an outcome twice, as one draw; what is certain is no draw */
static uint32_t drawn(struct outcomes *o, struct lot *lots, uint32_t count, bool is_turn)
{
	struct outcome d = { .fate = FATE_DRAW, .is_turn = is_turn, .lots = lots };

	qsort(lots, count, sizeof(*lots), by_value);
	for (uint32_t i = 0; i < count; i++) {
		struct lot *last = d.n_lots > 0 ? &lots[d.n_lots - 1] : NULL;

		if (last != NULL && last->value == lots[i].value)
			last->weight = (last->weight + lots[i].weight) % PRIME;
		else
			lots[d.n_lots++] = lots[i];
	}
	return d.n_lots == 1 ? lots[0].value : outcome_of(o, &d);
}

uint32_t outcome_draw(struct outcomes *o, uint32_t x, uint32_t y, uint64_t n, uint64_t of,
		      bool is_turn)
{
	const uint64_t share = times(n % PRIME, power(of % PRIME, PRIME - 2));
	const uint32_t most = o->list.v[x].n_lots + o->list.v[y].n_lots + 2;
	struct lot *lots = arena_array(o->a, struct lot, most);
	uint32_t count;

	if (x == y || n == of)
		return x;
	count = add_lots(o, x, share, is_turn, lots);
	count += add_lots(o, y, (1 + PRIME - share) % PRIME, is_turn, lots + count);
	return drawn(o, lots, count, is_turn);
}

uint32_t outcome_each(struct outcomes *o, uint32_t value, outcome_fn *fn, void *arg)
{
	const struct outcome x = o->list.v[value];
	struct lot *lots;

	if (x.fate != FATE_DRAW)
		return fn(arg, value);
	lots = arena_array(o->a, struct lot, x.n_lots);
	for (uint32_t i = 0; i < x.n_lots; i++)
		lots[i] = (struct lot){ outcome_each(o, x.lots[i].value, fn, arg),
					x.lots[i].weight };
	return drawn(o, lots, x.n_lots, x.is_turn);
}

bool outcome_is_plain(const struct outcomes *o, uint32_t value)
{
	return o->list.v[value].fate != FATE_DRAW && o->list.v[value].fate != FATE_UNKNOWN;
}

/* ---- text ------------------------------------------------------------------ */

static const char *translation_text(const struct translation *x, struct arena *a)
{
	const struct addr to = { x->af, x->to };
	char buf[ADDR_TEXT_BYTES];
	const char *text;

	if (x->own != 0)
		text = arena_printf(a, "%s with bits of the old address", addr_print(to, buf));
	else
		text = arena_printf(a, "%s", addr_port_print(to, x->lo != 0 ? x->lo : -1, buf));
	if (x->hi > x->lo)
		text = arena_printf(a, "%s-%u", text, x->hi);
	return arena_printf(a, "%s to %s", x->is_src ? "source" : "destination", text);
}

static const char *headers_text(const struct outcome *x, struct arena *a, const char *text)
{
	static const char *const names[N_HEADERS] = {
		[HD_TTL] = "ttl", [HD_TOS] = "tos", [HD_DF] = "df", [HD_MSS] = "mss at most",
	};

	for (int i = 0; i < N_HEADERS; i++)
		if (x->wrote[i] != 0)
			text = arena_printf(a, "%s, %s %u", text, names[i], x->wrote[i] - 1u);
	return x->mends == 0 ? text : arena_printf(a, "%s, scrub kept", text);
}

const char *outcome_word(const struct outcomes *o, uint32_t value)
{
	static const char *const fates[] = {
		[FATE_NONE] = "nothing", [FATE_PASS] = "pass", [FATE_BLOCK] = "block",
		[FATE_RST] = "return", [FATE_ICMP] = "return", [FATE_DRAW] = "by lot",
		[FATE_HARM] = "harm", [FATE_UNKNOWN] = "cannot be said",
	};

	return fates[o->list.v[value].fate];
}

const char *outcome_text(const struct outcomes *o, struct arena *a, uint32_t value)
{
	const struct outcome *x = &o->list.v[value];
	const char *text = outcome_word(o, value);

	if (x->fate == FATE_UNKNOWN || x->fate == FATE_HARM)
		return arena_printf(a, "%s: %s", text, x->text);
	if (x->fate == FATE_ICMP)
		text = arena_printf(a, "%s, ICMP code %u", text, x->code);
	if (x->fate == FATE_RST)
		text = arena_printf(a, "%s, RST", text);
	for (uint32_t i = 0; i < x->n_lots && i < 8; i++)
		text = arena_printf(a, "%s%s %s", text, i == 0 ? ":" : " or",
				    outcome_text(o, a, x->lots[i].value));
	if (x->xlate != 0)
		text = arena_printf(a, "%s, %s", text,
				    translation_text(&o->xlates.v[x->xlate - 1], a));
	if (x->counts != 0)
		text = arena_printf(a, "%s, counted", text);
	if (x->grown != 0)
		text = arena_printf(a, "%s, its source into a table", text);
	if (x->place != 0)
		text = arena_printf(a, "%s, nat", text);
	if (x->links != 0)
		text = arena_printf(a, "%s, a link", text);
	if ((x->states & 3) != 0 || x->record != 0)
		text = arena_printf(a, "%s, state", text);
	if (x->tag != 0)
		text = arena_printf(a, "%s, tag %u", text, x->tag);
	for (uint32_t i = 0; x->logs != 0 && i < o->records.v[x->logs - 1].n; i++)
		text = arena_printf(a, "%s, log %s", text,
				    o->messages.v[o->records.v[x->logs - 1].number[i] - 1]);
	return headers_text(x, a, text);
}
