/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/calls.h"
#include "cli/nat_run.h"

NEEDS_CALL(read)
NEEDS_CALL(write)

int nat_word_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0 ? -errno : 0;
}

pid_t nat_run_fork(void)
{
	/* What waits to be written is written once */
	fflush(NULL);
	return fork();
}

void nat_word_send(int fd, enum nat_word_kind kind, int32_t value, const char *text)
{
	struct nat_word w = { .kind = kind, .value = value };

	snprintf(w.text, sizeof(w.text), "%s", text != NULL ? text : "");
	while (write(fd, &w, sizeof(w)) < 0 && errno == EINTR)
		;
}

bool nat_word_get(int fd, struct nat_word *ret)
{
	ssize_t n;

	do {
		n = read(fd, ret, sizeof(*ret));
	} while (n < 0 && errno == EINTR);
	ret->text[sizeof(ret->text) - 1] = '\0';
	return n == (ssize_t)sizeof(*ret);
}

void nat_word_complain(int fd, const struct diags *d)
{
	for (uint32_t i = 0; i < d->list.n; i++) {
		const struct diag *one = &d->list.v[i];

		if (diag_codes[one->code].severity != DIAG_ERROR)
			continue;
		nat_word_send(fd, NAT_WORD_COMPLAINT, (int32_t)one->code, one->message);
		for (uint32_t k = 0; k < one->more.n; k++)
			if (one->more.v[k].is_help)
				nat_word_send(fd, NAT_WORD_HELP, 0, one->more.v[k].text);
	}
}

void nat_run_tell(const struct nat_run *r, const char *line)
{
	if (!r->c->quiet)
		fprintf(stderr, "sallyport: nat: %s\n", line);
}
