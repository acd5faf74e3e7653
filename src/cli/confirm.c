/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/confirm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "cli/live.h"

#define NOTE		"confirm"
#define BEFORE		"before"
#define REVERTED	"reverted"

int confirm_read(const struct state *st, struct arena *a, struct confirm_note *ret)
{
	char *text;
	size_t len;
	const int err = state_read(st, NOTE, a, &text, &len);

	if (err < 0)
		return err;
	if (sscanf(text, "%" SCNx64 " %" SCNd64 " %" SCNd64, &ret->id, &ret->until,
		   &ret->end_ms) != 3)
		return -EBADMSG;
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t confirm_left_ms(const struct confirm_note *note)
{
	return note->end_ms - now_ms();
}

bool confirm_is_late(const struct state *st)
{
	struct confirm_note note;
	struct arena a CLEANUP(arena_fini);

	arena_init(&a, STATE_FILE_BYTES);
	return confirm_read(st, &a, &note) == 0 && confirm_left_ms(&note) <= 0;
}

static int write_note(struct state *st, const struct confirm_note *note)
{
	char text[80];

	snprintf(text, sizeof(text), "%016" PRIx64 " %" PRId64 " %" PRId64, note->id, note->until,
		 note->end_ms);
	return state_write(st, NOTE, text, strlen(text));
}

int confirm_settle(struct state *st)
{
	int err = state_remove(st, NOTE);

	if (err == 0)
		err = state_remove(st, BEFORE);
	return err == 0 ? state_remove(st, REVERTED) : err;
}

/* ---- the state as it was ---------------------------------------------------- */

/* One file, if it is there; 0, -ENOENT or another negative errno */
static int put_file(struct cli *c, const struct state *st, const char *name, FILE *out)
{
	char *data;
	size_t len;
	const int err = state_read(st, name, &c->arena, &data, &len);

	if (err < 0)
		return err;
	fprintf(out, "%s%c%zu%c", name, 0, len, 0);
	fwrite(data, 1, len, out);
	return 0;
}

/* What apply writes anew: the record, the texts, and rules that the ipfw command keeps */
static int put_state(struct cli *c, const struct state *st, FILE *out)
{
	int err = put_file(c, st, "applied", out);

	if (err == 0)
		err = put_file(c, st, LIVE_NAME, out);
	if (err == -ENOENT)
		err = 0;
	for (uint32_t i = 0; i < STATE_TEXTS && err == 0; i++) {
		char name[16];

		snprintf(name, sizeof(name), "text/%u", i);
		err = put_file(c, st, name, out);
	}
	return err == -ENOENT ? 0 : err;
}

static int save_before(struct cli *c, struct state *st)
{
	CLEANUP(base_free) char *data = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&data, &len);
	int err;

	if (out == NULL)
		return -ENOMEM;
	err = put_state(c, st, out);
	fclose(out);
	return err < 0 ? err : state_write(st, BEFORE, data, len);
}

bool confirm_is_new(const struct state *st, struct arena *a)
{
	char *data;
	size_t len;

	return state_read(st, BEFORE, a, &data, &len) == 0 && len == 0;
}

int confirm_restore(struct cli *c, struct state *st)
{
	char *data, *end;
	size_t len;
	int err = state_read(st, BEFORE, &c->arena, &data, &len);

	if (err < 0)
		return err;
	if (len == 0)
		return -ENOENT;
	err = state_remove(st, LIVE_NAME);
	for (end = data + len; data < end && err == 0; data += len) {
		const char *name = data;

		/* The content that follows ends no later than the whole, which has a NUL behind */
		data += strlen(data) + 1;
		if (data >= end)
			return -EBADMSG;
		len = strtoul(data, NULL, 10);
		data += strlen(data) + 1;
		if (data > end || len > (size_t)(end - data))
			return -EBADMSG;
		err = state_write(st, name, data, len);
	}
	return err;
}

/* ---- asking ------------------------------------------------------------------ */

int confirm_start(struct cli *c, struct cli_host *h)
{
	struct confirm_note note = { .until = time(NULL) + c->confirm_seconds,
				     .end_ms = now_ms() + (int64_t)c->confirm_seconds * 1000 };
	struct confirm_note old;
	const char *what = "remember what to put back";
	int err = confirm_read(&h->st, &c->arena, &old);

	if (err == -ENOENT)
		err = save_before(c, &h->st);
	if (err == 0 && getrandom(&note.id, sizeof(note.id), 0) != (ssize_t)sizeof(note.id))
		err = -EIO;
	if (err == 0)
		err = write_note(&h->st, &note);
	if (err == 0) {
		what = "start the process that would put the host back";
		err = confirm_guard(c, &note);
	}
	if (err < 0)
		return cli_system(c, err, what);
	diag_add(&c->diags, DIAG_N1909, SPAN_NONE,
		 "the host is put back in %u seconds unless `sallyport confirm` follows",
		 c->confirm_seconds);
	return 0;
}

static const char *print_time(struct cli *c, int64_t at)
{
	char *text = arena_alloc(&c->arena, 32);
	struct tm tm;

	strftime(text, 32, "%F %T", localtime_r(&(time_t){ at }, &tm));
	return text;
}

/* The time is over, and the host could not be put back */
static int tell_late(struct cli *c, const struct confirm_note *note)
{
	diag_add(&c->diags, DIAG_E1910, SPAN_NONE, "too late: the time was over at %s",
		 print_time(c, note->until));
	diag_help(&c->diags, "apply what is to stay, or: destroy");
	return EX_NOINPUT;
}

/* Nothing waits: too late, or never */
static int tell_nothing(struct cli *c, const struct state *st)
{
	char *text;
	size_t len;
	int64_t at;

	if (state_read(st, REVERTED, &c->arena, &text, &len) == 0 &&
	    sscanf(text, "%" SCNd64, &at) == 1)
		diag_add(&c->diags, DIAG_E1910, SPAN_NONE, "too late: the host was put back at %s",
			 print_time(c, at));
	else
		diag_add(&c->diags, DIAG_E1910, SPAN_NONE, "nothing waits to be confirmed");
	return EX_NOINPUT;
}

int verb_confirm(struct cli *c)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	struct confirm_note note;
	int status = cli_netns(c), err;

	if (status == 0)
		status = confirm_overdue(c);
	if (status != 0)
		return status;
	err = state_open(&st, c->state_dir, STATE_READ, 0);
	if (err == 0)
		err = confirm_read(&st, &c->arena, &note);
	if (err == 0 && confirm_left_ms(&note) <= 0)
		return tell_late(c, &note);
	if (err == -ENOENT)
		return tell_nothing(c, &st);
	state_close(&st);
	/* A damaged note is settled too */
	if (err == 0 || err == -EBADMSG)
		err = state_open(&st, c->state_dir, STATE_WRITE, STATE_LOCK_SECONDS);
	if (err < 0)
		return cli_system(c, err, cli_state_what(c));
	/* Looked at again: the time may have run out while we waited for the lock */
	err = confirm_read(&st, &c->arena, &note);
	if (err == -ENOENT)
		return tell_nothing(c, &st);
	err = confirm_settle(&st);
	if (err < 0)
		return cli_system(c, err, "note that it is good");
	if (!c->json && !c->quiet)
		fputs("confirmed\n", stderr);
	return 0;
}
