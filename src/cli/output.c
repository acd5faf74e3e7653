/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "host/netns.h"
#include "host/state.h"

int cli_usage(struct cli *c, const char *fmt, ...)
{
	va_list ap;
	const char *text;

	va_start(ap, fmt);
	text = arena_vprintf(&c->arena, fmt, ap);
	va_end(ap);
	diag_add(&c->diags, DIAG_E1010, SPAN_NONE, "%s", text);
	return EX_USAGE;
}

int cli_system(struct cli *c, int err, const char *what)
{
	static const char as_root[] = "run it as root, or in namespaces of your own: unshare -rn";
	static const struct {
		int err;
		enum diag_code code;
		int status;
		const char *help;
	} kinds[] = {
		{ -EPERM, DIAG_E1012, EX_NOPERM, as_root },
		{ -EACCES, DIAG_E1012, EX_NOPERM, as_root },
		{ -EROFS, DIAG_E1012, EX_NOPERM, "it writes below " STATE_RUN_DIR ", "
		  STATE_LIB_DIR " and /proc/sys" },
		{ -EUCLEAN, DIAG_E1012, EX_NOPERM, "see whose it is, and that none but you may "
		  "write it: ls -ld " STATE_RUN_DIR " " STATE_LIB_DIR },
		{ -EBUSY, DIAG_E1013, EX_BUSY, NULL },
		{ -EMFILE, DIAG_E1011, EX_OSERR, "permit more open files: ulimit -n 1024" },
		{ -EOPNOTSUPP, DIAG_E1011, EX_UNAVAILABLE, NULL },
		{ -EPROTONOSUPPORT, DIAG_E1011, EX_UNAVAILABLE, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].err == err) {
			diag_add(&c->diags, kinds[i].code, SPAN_NONE, "cannot %s: %s", what,
				 err == -EUCLEAN ? "others could have written there" :
				 strerror(-err));
			if (kinds[i].help != NULL)
				diag_help(&c->diags, "%s", kinds[i].help);
			return kinds[i].status;
		}
	}
	diag_add(&c->diags, DIAG_E1011, SPAN_NONE, "cannot %s: %s", what, strerror(-err));
	if (err == -ENOENT && access("/proc/self", F_OK) < 0)
		diag_help(&c->diags, "the host's settings are read there: "
			  "mount -t proc proc /proc");
	return EX_OSERR;
}

int cli_refused(const struct cli *c)
{
	static const enum diag_code cannot[] = {
		DIAG_E1313, DIAG_E1807, DIAG_E1701, DIAG_E1703, DIAG_E1704, DIAG_E1706, DIAG_E1707,
		DIAG_E1721, DIAG_E1723,
		DIAG_E2310, DIAG_E2311,
	};

	for (uint32_t i = 0; i < c->diags.list.n; i++) {
		const enum diag_code code = c->diags.list.v[i].code;
		bool is_known = diag_codes[code].severity != DIAG_ERROR;

		for (size_t n = 0; n < ARRAY_SIZE(cannot); n++)
			is_known |= cannot[n] == code;
		if (!is_known)
			return EX_DATAERR;
	}
	return EX_UNAVAILABLE;
}

void cli_tell(struct cli *c)
{
	const bool colour = isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL;

	if (c->json && !c->bare)
		return;
	diag_print(&c->diags, stderr, colour, c->quiet ? DIAG_ERROR : DIAG_NOTE);
	c->diags.list.n = 0;
}

void cli_stream(struct cli *c)
{
	cli_tell(c);
	if (c->json)
		printf("{\"sallyport\": {\"%s\": [", c->verb->entity);
	c->is_streamed = true;
	c->out = stdout;
	fflush(stdout);
}

void cli_comma(struct cli *c)
{
	if (c->n_out++ > 0)
		fputs(", ", c->out);
}

void cli_object(struct cli *c)
{
	cli_comma(c);
	putc('{', c->out);
}

void cli_json_place(struct cli *c, struct span at)
{
	const struct place p = source_place(&c->sources, source_file_span(&c->sources, at));

	fputs("\"file\": ", c->out);
	json_cstring(c->out, p.name);
	fprintf(c->out, ", \"line\": %u", p.line);
}

const char *cli_place_in(struct cli *c, struct arena *a, struct span at)
{
	const struct place p = source_place(&c->sources, source_file_span(&c->sources, at));

	return p.name == NULL ? "" : arena_printf(a, "%s:%u", p.name, p.line);
}

const char *cli_place(struct cli *c, struct span at)
{
	return cli_place_in(c, &c->arena, at);
}

int cli_netns(struct cli *c)
{
	int err, status;

	if (c->netns == NULL)
		return 0;
	err = netns_enter(c->netns);
	if (err == 0)
		return 0;
	status = cli_system(c, err, arena_printf(&c->arena, "enter network namespace '%s'",
						 c->netns));
	return err == -ENOENT || err == -EINVAL ? EX_NOINPUT : status;
}

bool cli_number(const char *text, uint32_t *ret)
{
	char *end;
	const unsigned long n = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || n > UINT32_MAX)
		return false;
	*ret = (uint32_t)n;
	return true;
}
